"""Fit the polynomials of minitorch/_ext/include/mathfun_poly.h or mathfun_tables.h and print that file.

    python tools/fit_polynomials.py > minitorch/_ext/include/mathfun_poly.h
    python tools/fit_polynomials.py tables > minitorch/_ext/include/mathfun_tables.h

Each polynomial interpolates its function at the Chebyshev nodes of the interval, which comes within a small
factor of the best possible (minimax) error; the coefficients are then rounded to the type that will hold them, and
the error that is printed is measured with the rounded coefficients.  A table holds 32 such polynomials, one for each
piece of the interval.  Needs mpmath; a build does not.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import mpmath
from mpmath import asin, atan, atanh, cos, erf, erfc, exp, expm1, log, mp, mpf, pi, sin, sinh, sqrt, tanh

mp.prec = 300


@dataclass
class Fit:
    name: str                           # of the C array
    formula: str                        # what the polynomial stands for, for the reader
    function: Callable[[mpf], mpf]
    low: mpf
    high: mpf
    degree: int
    weight: Callable[[mpf], mpf]        # the relative error of the *whole* result per unit error of the polynomial


def double(x: mpf) -> mpf:
    return mpf(float(x))                # mpmath rounds to nearest even


def single(x: mpf) -> mpf:
    """x rounded to 24 significant bits."""
    with mp.workprec(24):
        return +x


def near_zero(series: mpf, f: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    """f, with its limit where it would divide nought by nought."""
    return lambda x: mpf(series) if x == 0 else f(x)


def odd(f: Callable[[mpf], mpf], limit: mpf) -> Callable[[mpf], mpf]:
    """(f(x) - x) / x^3 as a function of z = x^2."""
    return near_zero(limit, lambda z: (f(sqrt(z)) - sqrt(z)) / (z * sqrt(z)))


def odd_weight(f: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    return near_zero(0, lambda z: z * sqrt(z) / f(sqrt(z)))


def log_series(z: mpf) -> mpf:
    """(2 atanh(s) - 2 s) / s^3 with z = s^2."""
    s = sqrt(z)
    return (2 * atanh(s) - 2 * s) / (z * s)


def log2_series(z: mpf) -> mpf:
    """(2 atanh(s) - 2 s - 2/3 s^3) / s^5 with z = s^2."""
    return (log_series(z) - mpf(2) / 3) / z


def erfcx(x: mpf) -> mpf:
    return exp(x * x) * erfc(x)


def bessel_near(order: int, x: mpf) -> mpf:
    """exp(-x) I_n(x) / x^n."""
    return exp(-x) * mpmath.besseli(order, x) / x**order if x else mpf(1) / 2**order


def bessel_far(order: int, t: mpf) -> mpf:
    """sqrt(x) exp(-x) I_n(x), x = 16 / (t + 1)."""
    if t == -1:
        return 1 / sqrt(2 * pi)
    x = 16 / (t + 1)
    return sqrt(x) * exp(-x) * mpmath.besseli(order, x)


def inverse_of_w(w: mpf) -> mpf:
    """erfinv(x) / x with w = -log(1 - x^2), by Newton's method on log erfc from the tail's leading term."""
    if w == 0:
        return sqrt(pi) / 2
    x = sqrt(-expm1(-w))
    complement = exp(-w) / (1 + x)
    y = sqrt(w) if w > 3 else x
    for _ in range(60):
        step = log(erfc(y) / complement) * erfc(y) * exp(y * y) * sqrt(pi) / 2
        y += step
        if abs(step) < mpf(2)**-100 * y:
            break
    return y / x


ONE = mpf(1)
LN2 = log(mpf(2))
HALF = LN2 / 2 * mpf("1.0001")                      # a little over, for the rounding of x log2(e)
QUARTER_PI = pi / 4 * mpf("1.0001")
SQRT_HALF = sqrt(mpf(1) / 2)
ERFC_K, ERFC_LOW, ERFC_HIGH = mpf(3), mpf("0.33"), mpf(28)
NORM_P, NORM_HIGH = mpf("0.25"), mpf(15)            # u = 1 / (1 + v / 4)


def erfc_argument(t: mpf) -> mpf:
    """The x of t = (x - K) / (x + K)."""
    return ERFC_K * (1 + t) / (1 - t)


def erfc_flat(t: mpf) -> mpf:
    """erfc freed of its steepness."""
    x = erfc_argument(t)
    return (1 + 2 * x) * erfcx(x)


def mills_flat(t: mpf) -> mpf:
    """(v + 4) exp(v^2/2) normcdf(-v) with v / (v + 4) = t + 3/8."""
    v = 4 / (1 - (t + mpf(3) / 8)) - 4
    return (v + 4) * erfcx(v / sqrt(mpf(2))) / 2


ERFC_SLOPE = near_zero(mpmath.diff(erfc_flat, 0), lambda t: (erfc_flat(t) - erfc_flat(mpf(0))) / t)
EXP = near_zero(0.5, lambda r: (exp(r) - 1 - r) / r**2)
SIN = odd(sin, -mpf(1) / 6)
COS = near_zero(mpf(1) / 24, lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2)
TANH = odd(tanh, -mpf(1) / 3)

FITS = [
    Fit("mt_exp_poly_f32", "(exp(r) - 1 - r) / r^2", EXP, -HALF, HALF, 4, lambda r: r**2 / exp(r)),
    Fit("mt_exp_poly_f64", "(exp(r) - 1 - r) / r^2", EXP, -HALF, HALF, 10, lambda r: r**2 / exp(r)),
    Fit("mt_exp_poly_lo", "(exp(r) - 1 - r) / r^2", EXP, -HALF, HALF, 5, lambda r: r**2 / exp(r)),
    Fit("mt_log_poly_f32", "(log(1 + f) - f + f^2/2) / f^3",
        near_zero(mpf(1) / 3, lambda f: (log(1 + f) - f + f**2 / 2) / f**3), SQRT_HALF - 1, sqrt(mpf(2)) - 1, 8,
        near_zero(0, lambda f: f**3 / log(1 + f))),
    Fit("mt_log_poly_f64", "(2 atanh(s) - 2 s) / s^3 in z = s^2", near_zero(mpf(2) / 3, log_series),
        mpf(0), mpf("0.02945"), 6, near_zero(0, lambda z: z * sqrt(z) / (2 * atanh(sqrt(z))))),
    Fit("mt_log2_poly_f64", "(2 atanh(s) - 2 s - 2/3 s^3) / s^5 in z = s^2", near_zero(mpf(2) / 5, log2_series),
        mpf(0), mpf("0.02945"), 7, near_zero(0, lambda z: z**2 * sqrt(z) / (2 * atanh(sqrt(z))))),
    Fit("mt_sin_poly_f32", "(sin(r) - r) / r^3 in z = r^2", SIN, mpf(0), QUARTER_PI**2, 3, odd_weight(sin)),
    Fit("mt_sin_poly_f64", "(sin(r) - r) / r^3 in z = r^2", SIN, mpf(0), QUARTER_PI**2, 6, odd_weight(sin)),
    Fit("mt_cos_poly_f32", "(cos(r) - 1 + z/2) / z^2 in z = r^2", COS, mpf(0), QUARTER_PI**2, 2,
        lambda z: z**2 / cos(sqrt(z))),
    Fit("mt_cos_poly_f64", "(cos(r) - 1 + z/2) / z^2 in z = r^2", COS, mpf(0), QUARTER_PI**2, 5,
        lambda z: z**2 / cos(sqrt(z))),
    Fit("mt_sin_poly_lo", "(sin(r) - r) / r^3 in z = r^2", SIN, mpf(0), QUARTER_PI**2, 3, odd_weight(sin)),
    Fit("mt_cos_poly_lo", "(cos(r) - 1 + z/2) / z^2 in z = r^2", COS, mpf(0), QUARTER_PI**2, 3,
        lambda z: z**2 / cos(sqrt(z))),
    Fit("mt_asin_poly_f64", "(asin(x) - x) / x^3 in z = x^2", odd(asin, mpf(1) / 6), mpf(0), mpf("0.25"), 12,
        odd_weight(asin)),
    Fit("mt_atan_poly_f64", "(atan(x) - x) / x^3 in z = x^2", odd(atan, -mpf(1) / 3), mpf(0), mpf(1), 21,
        odd_weight(atan)),
    Fit("mt_sinh_poly_f64", "(sinh(x) - x) / x^3 in z = x^2", odd(sinh, mpf(1) / 6), mpf(0), mpf(1), 6,
        odd_weight(sinh)),
    Fit("mt_tanh_poly_f32", "(tanh(x) - x) / x^3 in z = x^2", TANH, mpf(0), mpf("0.3025"), 5, odd_weight(tanh)),
    Fit("mt_tanh_poly_f64", "(tanh(x) - x) / x^3 in z = x^2", TANH, mpf(0), mpf("0.3025"), 10, odd_weight(tanh)),
    Fit("mt_erf_poly_f64", "erf(x) / x - 1 in z = x^2",
        near_zero(2 / sqrt(pi) - 1, lambda z: erf(sqrt(z)) / sqrt(z) - 1), mpf(0), mpf("0.25"), 9,
        near_zero(1, lambda z: sqrt(z) / erf(sqrt(z)))),
    Fit("mt_erf_poly_lo", "erf(x) / x - 1 in z = x^2",
        near_zero(2 / sqrt(pi) - 1, lambda z: erf(sqrt(z)) / sqrt(z) - 1), mpf(0), mpf("0.25"), 4,
        near_zero(1, lambda z: sqrt(z) / erf(sqrt(z)))),
    Fit("mt_erfc_poly_f64", "(Q(t) - Q(0)) / t, Q = (1 + 2 x) exp(x^2) erfc(x) in t = (x - 3) / (x + 3)", ERFC_SLOPE,
        (ERFC_LOW - ERFC_K) / (ERFC_LOW + ERFC_K), (ERFC_HIGH - ERFC_K) / (ERFC_HIGH + ERFC_K), 21, lambda t: t),
    Fit("mt_normtail_poly_lo", "exp(v^2/2) normcdf(-v) / u in u = 1 / (1 + v/4)",
        lambda u: erfcx((1 / u - 1) / NORM_P / sqrt(mpf(2))) / 2 / u, 1 / (1 + NORM_HIGH * NORM_P), mpf(1), 10,
        lambda u: u / (erfcx((1 / u - 1) / NORM_P / sqrt(mpf(2))) / 2)),
    Fit("mt_normtail_poly_f32", "(v + 4) exp(v^2/2) normcdf(-v) in t = v / (v + 4) - 3/8", mills_flat,
        -mpf(3) / 8, NORM_HIGH / (NORM_HIGH + 4) - mpf(3) / 8, 9, lambda t: 1 / mills_flat(t)),
    Fit("mt_erfinv_middle_poly", "erfinv(x) / x in w - 3, w = -log(1 - x^2)",
        lambda w: inverse_of_w(w + 3), mpf(-3), mpf(3), 9, lambda w: 1 / inverse_of_w(w + 3)),
    Fit("mt_erfinv_tail_poly", "erfinv(x) / x in s - 4, s = sqrt(-log(1 - x^2))",
        lambda s: inverse_of_w((s + 4)**2), mpf("2.4") - 4, mpf("6.2") - 4, 9, lambda s: 1 / inverse_of_w((s + 4)**2)),
    Fit("mt_erfinv_far_poly", "erfinv(x) / x in s - 16, s = sqrt(-log(1 - x^2))",
        lambda s: inverse_of_w((s + 16)**2), mpf(6) - 16, mpf("27.5") - 16, 9,
        lambda s: 1 / inverse_of_w((s + 16)**2)),
    Fit("mt_i0_near_poly", "exp(-x) I0(x) in t = x/4 - 1", lambda t: bessel_near(0, 4 * (t + 1)), -ONE, ONE, 32,
        lambda t: 1 / bessel_near(0, 4 * (t + 1))),
    Fit("mt_i0_far_poly", "sqrt(x) exp(-x) I0(x) in t = 16/x - 1", lambda t: bessel_far(0, t), -ONE, ONE, 26,
        lambda t: mpf("2.5")),
    Fit("mt_i1_near_poly", "exp(-x) I1(x) / x in t = x/4 - 1", lambda t: bessel_near(1, 4 * (t + 1)), -ONE, ONE, 32,
        lambda t: 1 / bessel_near(1, 4 * (t + 1))),
    Fit("mt_i1_far_poly", "sqrt(x) exp(-x) I1(x) in t = 16/x - 1", lambda t: bessel_far(1, t), -ONE, ONE, 26,
        lambda t: mpf("2.5")),
]


@dataclass
class Table:
    name: str
    formula: str
    function: Callable[[mpf], mpf]


PIECES, PIECE, DEGREE = 32, mpf(25) / 128, 6     # piece k of a table is the numbers that lie nearest to k * PIECE

TABLES = [
    Table("mt_normtail_table", "normcdf(-v)", lambda v: mpmath.ncdf(-v)),
    Table("mt_slope_table", "normcdf(-v) - v normpdf(v)", lambda v: mpmath.ncdf(-v) - v * mpmath.npdf(v)),
]


def render(fit: Fit) -> str:
    is_single = fit.name.endswith("f32")
    coefficients, error = fitted(fit.function, fit.low, fit.high, fit.degree, is_single, fit.weight)
    ctype, suffix = ("float", "f") if is_single else ("double", "")
    return (f"/* {fit.formula}\n   on [{mpmath.nstr(fit.low, 6)}, {mpmath.nstr(fit.high, 6)}], degree {fit.degree}: "
            f"relative error of the result 2^{mpmath.nstr(log(error, 2), 3)} */\n"
            f"static const {ctype} {fit.name}[] = {{\n{c_numbers(coefficients, suffix)}}};\n")


def render_table(table: Table) -> str:
    columns, worst = [], mpf(0)
    for k in range(PIECES):
        low, high = (-PIECE / 2 if k else mpf(0)), PIECE / 2
        function = lambda t, middle=k * PIECE: table.function(middle + t)  # noqa: E731
        coefficients, error = fitted(function, low, high, DEGREE, True, lambda t: mpf(1))
        columns.append(coefficients)
        worst = max(worst, error)
    rows = ",\n".join(f"    {{{c_numbers(row, 'f').lstrip()}}}" for row in zip(*columns))
    return (f"/* {table.formula} in t = v - {PIECE} k, degree {DEGREE}: error 2^{mpmath.nstr(log(worst, 2), 3)} */\n"
            f"static const float {table.name}[{DEGREE + 1}][{PIECES}] __attribute__((aligned(64))) = {{\n{rows}}};\n")


def fitted(
    function: Callable[[mpf], mpf], low: mpf, high: mpf, degree: int, is_single: bool, weight: Callable[[mpf], mpf]
) -> tuple[list[mpf], mpf]:
    """The rounded coefficients, lowest power first, and the greatest weighted error."""
    coefficients = mpmath.chebyfit(function, [low, high], degree + 1)[::-1]
    rounded = [(single if is_single else double)(c) for c in coefficients]
    points = [low + (high - low) * i / 400 for i in range(401)]
    return rounded, max(
        abs((sum(c * x**k for k, c in enumerate(rounded)) - function(x)) * weight(x)) for x in points
    )


def c_numbers(numbers: list[mpf], suffix: str) -> str:
    """Four to a line."""
    texts = [float(c).hex() + suffix for c in numbers]
    return ",\n".join("    " + ", ".join(texts[i:i + 4]) for i in range(0, len(texts), 4))


HEADER = """\
/* Coefficients, lowest power first: written by tools/fit_polynomials.py (do not edit), which says how they are found.
   An error is that of the function built on the polynomial, evaluated exactly from the rounded coefficients. */
#ifndef MINITORCH_MATHFUN_POLY_H
#define MINITORCH_MATHFUN_POLY_H
"""

TABLES_HEADER = f"""\
/* Tables of polynomials for mathfun_wide.h: written by tools/fit_polynomials.py (do not edit).
   table[j][k] is the coefficient of t^j for the numbers that lie nearest to {PIECE} k, t their distance from it. */
#ifndef MINITORCH_MATHFUN_TABLES_H
#define MINITORCH_MATHFUN_TABLES_H

enum {{ MT_PIECES = {PIECES}, MT_TABLE_DEGREE = {DEGREE} }};
#define MT_PIECE {float(PIECE)}f
"""

if __name__ == "__main__":
    tables = sys.argv[1:] == ["tables"]
    print(TABLES_HEADER if tables else HEADER)
    for text in map(render_table, TABLES) if tables else map(render, FITS):
        print(text)
    print("#endif")
