"""The table of pointwise operations: one line each, from which everything else about them is made.

From ``op("tanh", y="tanh(x)", dx="g * (1 - y * y)")`` come the loops over memory and their fused gradients
(`generate.py` prints them as C when the package is built), the Python function with its documentation, and the
derivative that can itself be differentiated: the same text, evaluated over Tensors.

The text is a small language that is Python and C at once.  It has

- the operands ``x`` (of one) or ``x1``, ``x2``, ``x3``, the result ``y``, the incoming gradient ``g``,
  the operation's parameters by name, and the constants below;
- ``+ - * /`` and comparisons, ``& | ^ ~`` on comparisons and integers, numbers, parentheses;
- ``where(condition, a, b)`` and the functions of `mathfun.h`, which are operations of this table too;
- ``(s := ...)``, a name for a part used twice.

A function is called with its operands first, then its parameters.

A derivative is ``"g"``, ``"-g"``, ``"0"`` or any such text; no text means that there is none.  It must hold where the
function has a kink or a pole: what PyTorch gives there, we give.  And since it may be differentiated again, the branch
that a ``where`` does not take must not divide by zero nor overflow: 0 times infinity is not a number.

Standard library only, and importable by path: the build reads this file before the package exists.
"""

from __future__ import annotations

import ast
import functools
import math
from dataclasses import dataclass
from types import CodeType

CONSTANTS = {
    "inf": math.inf,
    "nan": math.nan,
    "pi": math.pi,
    "ln2": math.log(2),
    "ln10": math.log(10),
    "half_sqrt_pi": math.sqrt(math.pi) / 2,
    "degree": math.pi / 180,  # in radians
}

# Which types an operation takes.  FLOAT promotes integers to the default type; the others keep the operands' type.
FLOAT, NUMBER, INTEGRAL, ANY, COMPLEX_ONLY = range(5)

# Operations that take complex numbers too, by the same texts.  Where z -> f(z) has a complex derivative f', the
# gradient that descends is g * conj(f'(z)), by PyTorch's convention; since the texts are linear in g, that is the
# conjugate of the text of conj(g), and the texts need not mention it.
COMPLEX = frozenset(
    """
    add sub mul div add_scaled pow square cube neg positive reciprocal sqrt rsqrt addcmul addcdiv where conj
    eq ne isnan isinf isfinite logical_and logical_or logical_xor logical_not
    exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sinc sigmoid silu
    """.split()
)


@dataclass(frozen=True)
class Op:
    """One pointwise operation."""

    name: str
    y: str
    """The result."""
    gradients: tuple[str | None, ...]
    """What each operand gets: texts, or None."""
    parameters: dict[str, str | None]
    """Scalars that are not differentiated, with the text of their default."""
    types: int
    integer: str | None
    """The result for integers and bool, where it is written differently."""
    bool_too: bool
    """Whether there is a loop for bool."""
    complex_too: bool
    """Whether there are loops for complex numbers."""
    result_bool: bool
    mask_first: bool
    """The first operand is bool whatever the others are."""
    doc: str
    math: str
    """The formula, in LaTeX."""
    example: str
    """``arguments -> result`` of the documentation's example, lists standing for tensors."""
    home: str | None
    """Where users find it: ``minitorch`` (also as a method), ``functional``, ``special``; None: not public."""
    custom: bool
    """Its Python function is written by hand, since its signature is its own."""
    inplace: bool
    """There is a variant with an underscore."""
    aliases: tuple[str, ...]

    @property
    def n_inputs(self) -> int:
        return len(self.gradients)

    @property
    def operands(self) -> tuple[str, ...]:
        return ("x",) if self.n_inputs == 1 else ("x1", "x2", "x3")[: self.n_inputs]

    def gradient(self, k: int) -> CodeType | None:
        """The derivative for operand `k` (from 0) as code to `eval`, with the names of its text and of functions.

        The local names of the text (``:=``) go where `eval` puts them: give it a fresh dictionary of locals.
        """
        text = self.gradients[k]
        return None if text is None else compile_text(text, frozenset(self.parameters))


def parse(text: str) -> ast.expr:
    """The syntax tree of a text."""
    return ast.parse(text, mode="eval").body


@functools.cache
def compile_text(text: str, parameters: frozenset[str]) -> CodeType:
    """The Python code of a text, its constants filled in."""

    class Constants(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id in CONSTANTS and node.id not in parameters:
                return ast.copy_location(ast.Constant(CONSTANTS[node.id]), node)
            return node

    tree = ast.Expression(Constants().visit(parse(text)))
    return compile(ast.fix_missing_locations(tree), f"<{text}>", "eval")


TABLE: dict[str, Op] = {}


def op(
    name: str,
    y: str,
    dx: str | None = None,
    dx1: str | None = None,
    dx2: str | None = None,
    dx3: str | None = None,
    *,
    params: str = "",
    types: int = FLOAT,
    integer: str | None = None,
    bool_too: bool | None = None,
    result: str = "same",
    mask_first: bool = False,
    doc: str = "",
    math: str = "",
    eg: str = "",
    home: str | None = "minitorch",
    custom: bool = False,
    inplace: bool = True,
    aliases: str = "",
) -> None:
    """Enter an operation in the table."""
    names = {node.id for node in ast.walk(parse(y)) if isinstance(node, ast.Name)}
    n_inputs = 3 if "x3" in names else 2 if "x2" in names else 1
    parameters = (item.strip().partition("=") for item in params.split(",") if item)
    assert name not in TABLE, name
    TABLE[name] = Op(
        name,
        y,
        (dx,) if n_inputs == 1 else (dx1, dx2, dx3)[:n_inputs],
        {key: default or None for key, _, default in parameters},
        types,
        integer,
        types in (INTEGRAL, ANY) if bool_too is None else bool_too,
        name in COMPLEX,
        result == "bool",
        mask_first,
        doc,
        math,
        eg,
        home,
        custom,
        inplace and home is not None,
        tuple(aliases.split()),
    )


# fmt: off
# ---------------------------------------------------------------------------------------------------------------------
# Arithmetic

op("add", y="x1 + x2", dx1="g", dx2="g", types=ANY, custom=True,
   doc="Sum; of bools: or.", math="y = x_1 + x_2")
op("sub", y="x1 - x2", dx1="g", dx2="-g", types=NUMBER, custom=True, aliases="subtract",
   doc="Difference.", math="y = x_1 - x_2")
op("mul", y="x1 * x2", dx1="g * x2", dx2="g * x1", types=ANY, custom=True, aliases="multiply",
   doc="Product; of bools: and.", math="y = x_1 x_2")
op("div", y="x1 / x2", dx1="g / x2", dx2="-g * y / x2", custom=True, aliases="divide true_divide",
   doc="Quotient, always floating point.", math="y = x_1 / x_2")
op("add_scaled", y="x1 + alpha * x2", dx1="g", dx2="g * alpha", params="alpha", types=ANY, home=None,
   doc="Sum of the first and a multiple of the second.", math=r"y = x_1 + \alpha x_2")
op("floor_divide", y="floor_divide(x1, x2)", dx1="0", dx2="0", types=NUMBER,
   eg="[7., -7.], [2., 2.] -> [ 3., -4.]",
   doc="Quotient rounded down.", math=r"y = \lfloor x_1 / x_2 \rfloor")
op("trunc_divide", y="trunc_divide(x1, x2)", dx1="0", dx2="0", types=NUMBER, home=None,
   doc="Quotient rounded towards zero.", math=r"y = \mathrm{trunc}(x_1 / x_2)")
op("remainder", y="remainder(x1, x2)", dx1="g", dx2="-g * floor_divide(x1, x2)", types=NUMBER,
   eg="[7., -7.], [3., 3.] -> [1., 2.]",
   doc="Remainder with the sign of the divisor, as Python's ``%``.", math=r"y = x_1 - x_2 \lfloor x_1 / x_2 \rfloor")
op("fmod", y="fmod(x1, x2)", dx1="g", dx2="-g * trunc_divide(x1, x2)", types=NUMBER,
   eg="[7., -7.], [3., 3.] -> [ 1., -1.]",
   doc="Remainder with the sign of the dividend, as C's ``fmod``.", math=r"y = x_1 - x_2\,\mathrm{trunc}(x_1 / x_2)")
op("pow", y="pow(x1, x2)", types=NUMBER, custom=True,
   dx1="where(x2 == 0, 0, g * x2 * pow(x1, x2 - 1))", dx2="where((x1 == 0) & isfinite(y), 0, g * y * log(x1))",
   doc="Power.", math="y = x_1^{x_2}")
op("square", y="x * x", dx="2 * g * x", types=NUMBER, eg="[-3., 2.] -> [9., 4.]",
   doc="Square.", math="y = x^2")
op("cube", y="x * x * x", dx="3 * g * square(x)", types=NUMBER, home=None,
   doc="Cube.", math="y = x^3")
op("neg", y="-x", dx="-g", types=NUMBER, aliases="negative", eg="[-1., 2.] -> [ 1., -2.]",
   doc="Negative.", math="y = -x")
op("positive", y="x", dx="g", types=NUMBER, custom=True, inplace=False,
   doc="The value itself.", math="y = x")
op("conj", y="conj(x)", dx="conj(g)", types=COMPLEX_ONLY, home=None,
   doc="Complex conjugate.", math=r"y = \bar x")
op("abs", y="abs(x)", dx="g * sign(x)", types=NUMBER, aliases="absolute", eg="[-1., 2.] -> [1., 2.]",
   doc="Absolute value.", math="y = |x|")
op("sign", y="sign(x)", dx="0", types=ANY, eg="[-3., 0., 2.] -> [-1.,  0.,  1.]",
   doc="Sign: -1, 0 or 1.", math=r"y = \mathrm{sign}(x)")
op("reciprocal", y="1 / x", dx="-g * y * y", eg="[2., 4.] -> [0.5000, 0.2500]",
   doc="Reciprocal.", math="y = 1 / x")
op("sqrt", y="sqrt(x)", dx="g / (2 * y)", eg="[4., 9.] -> [2., 3.]",
   doc="Square root; NaN below 0.", math=r"y = \sqrt{x}")
op("rsqrt", y="rsqrt(x)", dx="-0.5 * g * y * y * y", eg="[4., 16.] -> [0.5000, 0.2500]",
   doc="Reciprocal of the square root.", math=r"y = 1 / \sqrt{x}")
op("hypot", y="hypot(x1, x2)", dx1="g * (x1 / where(y == 0, 1, y))", dx2="g * (x2 / where(y == 0, 1, y))",
   eg="[3.], [4.] -> [5.]",
   doc="Length of the hypotenuse, without overflow.", math=r"y = \sqrt{x_1^2 + x_2^2}")
op("lerp", y="where(abs(x3) < 0.5, x1 + x3 * (x2 - x1), x2 - (1 - x3) * (x2 - x1))", custom=True,
   dx1="g * (1 - x3)", dx2="g * x3", dx3="g * (x2 - x1)",
   doc="Linear interpolation, exact at both ends.", math="y = x_1 + x_3 (x_2 - x_1)")
op("addcmul", y="x1 + value * x2 * x3", dx1="g", dx2="g * (value * x3)", dx3="g * (value * x2)",
   params="value=1", types=NUMBER, custom=True,
   doc="Sum with a scaled product.", math=r"y = x_1 + \mathrm{value}\, x_2 x_3")
op("addcdiv", y="x1 + value * x2 / x3", dx1="g", dx2="g * (value / x3)", dx3="-g * (value * x2 / x3 / x3)",
   params="value=1", custom=True,
   doc="Sum with a scaled quotient.", math=r"y = x_1 + \mathrm{value}\, x_2 / x_3")

# ---------------------------------------------------------------------------------------------------------------------
# Comparison, classification, logic: a bool each

op("eq", y="x1 == x2", types=ANY, result="bool", eg="[1., 2.], [1., 3.] -> [ True, False]",
   doc="Whether equal.", math="y = (x_1 = x_2)")
op("ne", y="x1 != x2", types=ANY, result="bool", eg="[1., 2.], [1., 3.] -> [False,  True]",
   doc="Whether not equal.", math=r"y = (x_1 \ne x_2)", aliases="not_equal")
op("lt", y="x1 < x2", types=ANY, result="bool", eg="[1., 2.], [2., 2.] -> [ True, False]",
   doc="Whether less.", math="y = (x_1 < x_2)", aliases="less")
op("le", y="x1 <= x2", types=ANY, result="bool", eg="[1., 2.], [2., 2.] -> [True, True]",
   doc="Whether less or equal.", math=r"y = (x_1 \le x_2)", aliases="less_equal")
op("gt", y="x1 > x2", types=ANY, result="bool", eg="[3., 2.], [2., 2.] -> [ True, False]",
   doc="Whether greater.", math="y = (x_1 > x_2)", aliases="greater")
op("ge", y="x1 >= x2", types=ANY, result="bool", eg="[3., 2.], [2., 2.] -> [True, True]",
   doc="Whether greater or equal.", math=r"y = (x_1 \ge x_2)", aliases="greater_equal")
op("isnan", y="isnan(x)", integer="x != x", types=ANY, result="bool", inplace=False,
   eg="[1., nan] -> [False,  True]", doc="Whether not a number.", math=r"y = (x \ne x)")
op("isinf", y="isinf(x)", integer="x != x", types=ANY, result="bool", inplace=False,
   eg="[1., -inf] -> [False,  True]", doc="Whether infinite.", math=r"y = (|x| = \infty)")
op("isfinite", y="isfinite(x)", integer="x == x", types=ANY, result="bool", inplace=False,
   eg="[1., inf] -> [ True, False]", doc="Whether finite.", math=r"y = (|x| < \infty)")
op("isposinf", y="isposinf(x)", integer="x != x", types=ANY, result="bool", inplace=False,
   eg="[-inf, inf] -> [False,  True]", doc="Whether positive infinity.", math=r"y = (x = \infty)")
op("isneginf", y="isneginf(x)", integer="x != x", types=ANY, result="bool", inplace=False,
   eg="[-inf, inf] -> [ True, False]", doc="Whether negative infinity.", math=r"y = (x = -\infty)")
op("signbit", y="signbit(x)", integer="x < 0", types=ANY, result="bool", inplace=False,
   eg="[1., -0.] -> [False,  True]", doc="Whether the sign bit is set, as it is in -0.", math="y = (x < 0)")
op("logical_and", y="(x1 != 0) & (x2 != 0)", types=ANY, result="bool", eg="[0., 2.], [1., 1.] -> [False,  True]",
   doc="Whether both are not zero.", math=r"y = x_1 \wedge x_2")
op("logical_or", y="(x1 != 0) | (x2 != 0)", types=ANY, result="bool", eg="[0., 2.], [0., 1.] -> [False,  True]",
   doc="Whether one is not zero.", math=r"y = x_1 \vee x_2")
op("logical_xor", y="(x1 != 0) ^ (x2 != 0)", types=ANY, result="bool", eg="[0., 2.], [1., 1.] -> [ True, False]",
   doc="Whether exactly one is not zero.", math=r"y = x_1 \oplus x_2")
op("logical_not", y="x == 0", types=ANY, result="bool", eg="[0., 2.] -> [ True, False]",
   doc="Whether zero.", math=r"y = \neg x")

# ---------------------------------------------------------------------------------------------------------------------
# Bits and integers

op("bitwise_and", y="x1 & x2", types=INTEGRAL, eg="[12], [10] -> [8]",
   doc="Bits set in both.", math=r"y = x_1 \wedge x_2")
op("bitwise_or", y="x1 | x2", types=INTEGRAL, eg="[12], [10] -> [14]",
   doc="Bits set in one or both.", math=r"y = x_1 \vee x_2")
op("bitwise_xor", y="x1 ^ x2", types=INTEGRAL, eg="[12], [10] -> [6]",
   doc="Bits set in exactly one.", math=r"y = x_1 \oplus x_2")
op("bitwise_not", y="~x", types=INTEGRAL, eg="[0, 5] -> [-1, -6]",
   doc="Bits inverted; of bools: not.", math=r"y = \neg x")
op("bitwise_left_shift", y="left_shift(x1, x2)", types=INTEGRAL, bool_too=False, eg="[1, 3], [4, 1] -> [16,  6]",
   doc="Bits moved up.", math=r"y = x_1 2^{x_2}")
op("bitwise_right_shift", y="right_shift(x1, x2)", types=INTEGRAL, bool_too=False, eg="[16, -3], [4, 1] -> [ 1, -2]",
   doc="Bits moved down, the sign kept.", math=r"y = \lfloor x_1 / 2^{x_2} \rfloor")
op("gcd", y="gcd(x1, x2)", types=INTEGRAL, bool_too=False, eg="[12, 7], [18, 21] -> [6, 7]",
   doc="Greatest common divisor, not negative.", math=r"y = \gcd(x_1, x_2)")
op("lcm", y="lcm(x1, x2)", types=INTEGRAL, bool_too=False, eg="[4, 7], [6, 21] -> [12, 21]",
   doc="Least common multiple, not negative.", math=r"y = \mathrm{lcm}(x_1, x_2)")

# ---------------------------------------------------------------------------------------------------------------------
# Rounding, choosing, limiting

op("floor", y="floor(x)", integer="x", dx="0", types=NUMBER, eg="[-1.5, 1.5] -> [-2.,  1.]",
   doc="Largest integer not above.", math=r"y = \lfloor x \rfloor")
op("ceil", y="ceil(x)", integer="x", dx="0", types=NUMBER, eg="[-1.5, 1.5] -> [-1.,  2.]",
   doc="Smallest integer not below.", math=r"y = \lceil x \rceil")
op("trunc", y="trunc(x)", integer="x", dx="0", types=NUMBER, aliases="fix", eg="[-1.5, 1.5] -> [-1.,  1.]",
   doc="Integer part.", math=r"y = \mathrm{trunc}(x)")
op("round", y="round(x)", integer="x", dx="0", types=NUMBER, custom=True,
   doc="Nearest integer, ties to even.", math=r"y = \mathrm{round}(x)")
op("frac", y="frac(x)", dx="g", eg="[-1.5, 1.25] -> [-0.5000,  0.2500]",
   doc="Fractional part, with the sign of the value.", math=r"y = x - \mathrm{trunc}(x)")
op("where", y="where(x1, x2, x3)", dx2="where(x1, g, 0)", dx3="where(x1, 0, g)", types=ANY, mask_first=True,
   custom=True, inplace=False,
   doc="Second operand where the first is true, else the third.", math=r"y = x_1 \mathbin{?} x_2 : x_3")
# The order of these comparisons is the one that GCC vectorises, nested too; a NaN passes from either operand.
op("maximum", y="where((x1 < x2) | (x2 != x2), x2, x1)", types=ANY, inplace=False,
   eg="[1., 5.], [3., 2.] -> [3., 5.]",
   dx1="where(x1 == x2, 0.5 * g, where(x1 < x2, 0, g))", dx2="where(x1 == x2, 0.5 * g, where(x1 > x2, 0, g))",
   doc="The larger; NaN if either is. Equal operands share the gradient.", math=r"y = \max(x_1, x_2)")
op("minimum", y="where((x1 > x2) | (x2 != x2), x2, x1)", types=ANY, inplace=False,
   eg="[1., 5.], [3., 2.] -> [1., 2.]",
   dx1="where(x1 == x2, 0.5 * g, where(x1 > x2, 0, g))", dx2="where(x1 == x2, 0.5 * g, where(x1 < x2, 0, g))",
   doc="The smaller; NaN if either is. Equal operands share the gradient.", math=r"y = \min(x_1, x_2)")
op("fmax", y="fmax(x1, x2)", types=ANY, inplace=False, eg="[nan, 5.], [3., 2.] -> [3., 5.]",
   dx1="where((x1 >= x2) | (x2 != x2), g, 0)", dx2="where((x1 >= x2) | (x2 != x2), 0, g)",
   doc="The larger; a NaN loses.", math=r"y = \max(x_1, x_2)")
op("fmin", y="fmin(x1, x2)", types=ANY, inplace=False, eg="[nan, 5.], [3., 2.] -> [3., 2.]",
   dx1="where((x1 <= x2) | (x2 != x2), g, 0)", dx2="where((x1 <= x2) | (x2 != x2), 0, g)",
   doc="The smaller; a NaN loses.", math=r"y = \min(x_1, x_2)")
op("clamp", y="where(((t := where((x < min) | (min != min), min, x)) > max) | (max != max), max, t)",
   dx="where((x >= min) & (x <= max), g, 0)", params="min, max", types=NUMBER, custom=True, aliases="clip",
   doc="Limited to an interval; its ends pass the gradient.", math=r"y = \min(\max(x, \min), \max)")
op("clamp_min", y="where((x1 < x2) | (x2 != x2), x2, x1)",
   dx1="where(x1 >= x2, g, 0)", dx2="where(x1 < x2, g, 0)", types=NUMBER, custom=True,
   doc="Limited from below; a bound passes the gradient.", math=r"y = \max(x_1, x_2)")
op("clamp_max", y="where((x1 > x2) | (x2 != x2), x2, x1)",
   dx1="where(x1 <= x2, g, 0)", dx2="where(x1 > x2, g, 0)", types=NUMBER, custom=True,
   doc="Limited from above; a bound passes the gradient.", math=r"y = \min(x_1, x_2)")
op("clamp_tensor", types=NUMBER, home=None,
   y="where(((t := where((x1 < x2) | (x2 != x2), x2, x1)) > x3) | (x3 != x3), x3, t)",
   dx1="where((x1 >= x2) & (x1 <= x3), g, 0)", dx2="where((x1 < x2) & (x2 < x3), g, 0)",
   dx3="where((x1 > x3) | (x2 > x3), g, 0)",
   doc="Limited to an interval of tensors.", math=r"y = \min(\max(x_1, x_2), x_3)")
op("copysign", y="copysign(x1, x2)", dx1="g * (sign(x1) * sign(y))", dx2="0", eg="[1., 2.], [-1., 3.] -> [-1.,  2.]",
   doc="Magnitude of the first with the sign of the second.", math=r"y = |x_1|\,\mathrm{sign}(x_2)")
op("nextafter", y="nextafter(x1, x2)", dx1="g", dx2="0", eg="[1.], [2.] -> [1.0000]",
   doc="The next representable value towards the second operand.", math=r"y = \mathrm{nextafter}(x_1, x_2)")
op("heaviside", y="where(x1 == 0, x2, where(x1 > 0, 1, 0))", types=ANY, custom=True,
   doc="Step function, the second operand being its value at 0.", math="y = 0, x_2, 1")
op("ldexp", y="ldexp(x1, x2)", dx1="ldexp(g, x2)", dx2="g * y * ln2", eg="[1., 3.], [4., 1.] -> [16.,  6.]",
   doc="Product with a power of two.", math="y = x_1 2^{x_2}")
op("nan_to_num", y="where(x != x, nan, where(x == inf, posinf, where(x == -inf, neginf, x)))", integer="x",
   dx="where(isfinite(x), g, 0)", params="nan, posinf, neginf", types=ANY, custom=True,
   doc="NaN and infinities replaced.", math="")

# ---------------------------------------------------------------------------------------------------------------------
# Exponentials and logarithms

op("exp", y="exp(x)", dx="g * y", eg="[0., 1.] -> [1.0000, 2.7183]",
   doc="Exponential.", math="y = e^x")
op("exp2", y="exp2(x)", dx="g * (y * ln2)", eg="[0., 3.] -> [1., 8.]",
   doc="Power of two.", math="y = 2^x")
op("expm1", y="expm1(x)", dx="g * (y + 1)", eg="[0., 1.] -> [0.0000, 1.7183]",
   doc="Exponential minus one, accurate near 0.", math="y = e^x - 1")
op("log", y="log(x)", dx="g / x", eg="[1., 10.] -> [0.0000, 2.3026]",
   doc="Natural logarithm.", math=r"y = \ln x")
op("log2", y="log2(x)", dx="g / (x * ln2)", eg="[1., 8.] -> [0., 3.]",
   doc="Logarithm to base 2.", math=r"y = \log_2 x")
op("log10", y="log10(x)", dx="g / (x * ln10)", eg="[1., 1000.] -> [0., 3.]",
   doc="Logarithm to base 10.", math=r"y = \log_{10} x")
op("log1p", y="log1p(x)", dx="g / (x + 1)", eg="[0., 1.] -> [0.0000, 0.6931]",
   doc="Logarithm of one plus the value, accurate near 0.", math=r"y = \ln(1 + x)")
op("logit", y="logit(x)", dx="g / where((x < 0) | (x > 1), nan, x * (1 - x))", custom=True,
   doc="Log-odds, the inverse of the logistic function.", math=r"y = \ln \frac{x}{1 - x}")
op("logaddexp", y="logaddexp(x1, x2)", inplace=False, eg="[0., 1.], [0., 2.] -> [0.6931, 2.3133]",
   dx1="g * sigmoid(where((x1 == x2) & isinf(x1), 0, x1 - x2))",
   dx2="g * sigmoid(where((x1 == x2) & isinf(x1), 0, x2 - x1))",
   doc="Logarithm of the sum of exponentials.", math=r"y = \ln(e^{x_1} + e^{x_2})")
op("logaddexp2", y="logaddexp2(x1, x2)", inplace=False, eg="[0., 1.], [0., 2.] -> [1.0000, 2.5850]",
   dx1="g * sigmoid(ln2 * where((x1 == x2) & isinf(x1), 0, x1 - x2))",
   dx2="g * sigmoid(ln2 * where((x1 == x2) & isinf(x1), 0, x2 - x1))",
   doc="Logarithm to base 2 of the sum of powers of two.", math=r"y = \log_2(2^{x_1} + 2^{x_2})")
op("xlogy", y="xlogy(x1, x2)", dx1="where((x1 == 0) & (x2 <= 0), 0, xlogy(g, x2))", dx2="g * x1 / x2",
   eg="[0., 2.], [0., 1.] -> [0., 0.]",
   doc="Product with a logarithm, 0 where the first is 0.", math=r"y = x_1 \ln x_2")
op("xlog1py", y="xlog1py(x1, x2)", dx1="where((x1 == 0) & (x2 <= -1), 0, xlog1py(g, x2))", dx2="g * x1 / (x2 + 1)",
   home="special", inplace=False, eg="[0., 2.], [-1., 1.] -> [0.0000, 1.3863]",
   doc="Product with the logarithm of one plus the second, 0 where the first is 0.", math=r"y = x_1 \ln(1 + x_2)")

# ---------------------------------------------------------------------------------------------------------------------
# Trigonometric and hyperbolic

op("sin", y="sin(x)", dx="g * cos(x)", eg="[0., 1.] -> [0.0000, 0.8415]",
   doc="Sine.", math=r"y = \sin x")
op("cos", y="cos(x)", dx="-g * sin(x)", eg="[0., 1.] -> [1.0000, 0.5403]",
   doc="Cosine.", math=r"y = \cos x")
op("tan", y="tan(x)", dx="g * (1 + y * y)", eg="[0., 1.] -> [0.0000, 1.5574]",
   doc="Tangent.", math=r"y = \tan x")
op("asin", y="asin(x)", dx="g / sqrt((1 - x) * (1 + x))", aliases="arcsin", eg="[0., 1.] -> [0.0000, 1.5708]",
   doc="Inverse sine; NaN outside [-1, 1].", math=r"y = \arcsin x")
op("acos", y="acos(x)", dx="-g / sqrt((1 - x) * (1 + x))", aliases="arccos", eg="[0., 1.] -> [1.5708, 0.0000]",
   doc="Inverse cosine; NaN outside [-1, 1].", math=r"y = \arccos x")
op("atan", y="atan(x)", dx="g / (1 + x * x)", aliases="arctan", eg="[0., 1.] -> [0.0000, 0.7854]",
   doc="Inverse tangent.", math=r"y = \arctan x")
op("atan2", y="atan2(x1, x2)", aliases="arctan2", eg="[1., 1.], [1., -1.] -> [0.7854, 2.3562]",
   dx1="g * (x2 / (r := where((x1 == 0) & (x2 == 0), 1, hypot(x1, x2))) / r)",
   dx2="-g * (x1 / (r := where((x1 == 0) & (x2 == 0), 1, hypot(x1, x2))) / r)",
   doc="Angle of the point (second, first), in all four quadrants.", math=r"y = \arg(x_2 + i x_1)")
op("sinh", y="sinh(x)", dx="g * cosh(x)", eg="[0., 1.] -> [0.0000, 1.1752]",
   doc="Hyperbolic sine.", math=r"y = \sinh x")
op("cosh", y="cosh(x)", dx="g * sinh(x)", eg="[0., 1.] -> [1.0000, 1.5431]",
   doc="Hyperbolic cosine.", math=r"y = \cosh x")
op("tanh", y="tanh(x)", dx="g * (1 - y * y)", eg="[0., 1.] -> [0.0000, 0.7616]",
   doc="Hyperbolic tangent.", math=r"y = \tanh x")
op("asinh", y="asinh(x)", dx="g / sqrt(x * x + 1)", aliases="arcsinh", eg="[0., 1.] -> [0.0000, 0.8814]",
   doc="Inverse hyperbolic sine.", math=r"y = \mathrm{arsinh}\, x")
op("acosh", y="acosh(x)", dx="g / sqrt((x - 1) * (x + 1))", aliases="arccosh", eg="[1., 2.] -> [0.0000, 1.3170]",
   doc="Inverse hyperbolic cosine; NaN below 1.", math=r"y = \mathrm{arcosh}\, x")
op("atanh", y="atanh(x)", dx="g / ((1 - x) * (1 + x))", aliases="arctanh", eg="[0., 0.5] -> [0.0000, 0.5493]",
   doc="Inverse hyperbolic tangent; NaN outside [-1, 1].", math=r"y = \mathrm{artanh}\, x")
# Near 0 the derivative (cos(pi x) - y) / x cancels: there its Taylor series, to 3e-13.
op("sinc", y="sinc(x)", eg="[0., 0.5] -> [1.0000, 0.6366]",
   dx="g * where(abs(x) < 0.05, -pi * (u := pi * x) * (1 / 3 - (v := u * u) * (1 / 30 - v * (1 / 840 - v / 45360))),"
      " (cos(pi * x) - y) / where(abs(x) < 0.05, 1, x))",
   doc="Normalised cardinal sine, 1 at 0.", math=r"y = \frac{\sin \pi x}{\pi x}")
op("deg2rad", y="x * degree", dx="g * degree", eg="[180., 90.] -> [3.1416, 1.5708]",
   doc="Degrees to radians.", math=r"y = \pi x / 180")
op("rad2deg", y="x / degree", dx="g / degree", eg="[0., 1.] -> [ 0.0000, 57.2958]",
   doc="Radians to degrees.", math=r"y = 180 x / \pi")

# ---------------------------------------------------------------------------------------------------------------------
# Error, gamma and Bessel functions

op("erf", y="erf(x)", dx="g * (exp(-x * x) / half_sqrt_pi)", eg="[0., 1.] -> [0.0000, 0.8427]",
   doc="Error function.", math=r"y = \frac{2}{\sqrt\pi} \int_0^x e^{-t^2} dt")
op("erfc", y="erfc(x)", dx="-g * (exp(-x * x) / half_sqrt_pi)", eg="[0., 1.] -> [1.0000, 0.1573]",
   doc="Complementary error function.", math=r"y = 1 - \mathrm{erf}(x)")
op("erfinv", y="erfinv(x)", dx="g * (half_sqrt_pi * exp(y * y))", eg="[0., 0.5] -> [0.0000, 0.4769]",
   doc="Inverse error function.", math=r"\mathrm{erf}(y) = x")
op("normcdf", y="normcdf(x)", dx="g * normpdf(x)", home=None,
   doc="Distribution function of the standard normal.", math=r"y = \Phi(x)")
op("normpdf", y="normpdf(x)", dx="-g * x * y", home=None,
   doc="Density of the standard normal.", math=r"y = \frac{1}{\sqrt{2\pi}} e^{-x^2/2}")
op("lgamma", y="lgamma(x)", dx="g * digamma(x)", eg="[1., 5.] -> [0.0000, 3.1781]",
   doc="Logarithm of the absolute value of the gamma function.", math=r"y = \ln |\Gamma(x)|")
op("digamma", y="digamma(x)", dx="g * polygamma(x, 1)", eg="[1., 5.] -> [-0.5772,  1.5061]",
   doc="Logarithmic derivative of the gamma function.", math=r"y = \Gamma'(x) / \Gamma(x)")
op("polygamma", y="polygamma(x, n)", dx="g * polygamma(x, n + 1)", params="n", custom=True,
   doc="Derivative of order n of digamma, n not below 1.", math=r"y = \psi^{(n)}(x)")
op("i0", y="i0(x)", dx="g * i1(x)", eg="[0., 1.] -> [1.0000, 1.2661]",
   doc="Modified Bessel function of the first kind, order 0.", math="y = I_0(x)")
op("i1", y="i1(x)", home="special", inplace=False, eg="[0., 1.] -> [0.0000, 0.5652]",
   dx="g * where(x == 0, 0.5 * i0(x), i0(x) - y / where(x == 0, 1, x))",
   doc="Modified Bessel function of the first kind, order 1.", math="y = I_1(x)")
op("i0e", y="i0e(x)", dx="g * (i1e(x) - sign(x) * y)", home="special", inplace=False,
   eg="[0., 1.] -> [1.0000, 0.4658]",
   doc="Modified Bessel function of the first kind, order 0, scaled.", math="y = e^{-|x|} I_0(x)")
op("i1e", y="i1e(x)", home="special", inplace=False, eg="[0., 1.] -> [0.0000, 0.2079]",
   dx="g * where(x == 0, 0.5, i0e(x) - y * (sign(x) + 1 / where(x == 0, 1, x)))",
   doc="Modified Bessel function of the first kind, order 1, scaled.", math="y = e^{-|x|} I_1(x)")
op("ndtr", y="normcdf(x)", dx="g * normpdf(x)", home="special", inplace=False, eg="[0., 1.] -> [0.5000, 0.8413]",
   doc="Distribution function of the standard normal.", math=r"y = \Phi(x)")
op("ndtri", y="ndtri(x)", dx="g / normpdf(y)", home="special", inplace=False, eg="[0.5, 0.75] -> [0.0000, 0.6745]",
   doc="Inverse of the distribution function of the standard normal.", math=r"\Phi(y) = x")
op("erfcx", y="erfcx(x)", dx="g * (2 * x * y - 1 / half_sqrt_pi)", home="special", inplace=False,
   eg="[0., 1.] -> [1.0000, 0.4276]",
   doc="Scaled complementary error function.", math=r"y = e^{x^2} \mathrm{erfc}(x)")
op("log_ndtr", y="log_ndtr(x)", dx="g * (0.7978845608028654 / erfcx(-0.7071067811865476 * x))", home="special",
   inplace=False, eg="[0., -10.] -> [ -0.6931, -53.2313]",
   doc="Logarithm of the distribution function of the standard normal.", math=r"y = \ln \Phi(x)")
op("entr", y="where(x > 0, -x * log(where(x > 0, x, 1)), where(x == 0, 0, where(x < 0, -inf, x)))",
   dx="-g * (1 + log(x))",
   home="special", inplace=False, eg="[0., 0.5, -1.] -> [0.0000, 0.3466,   -inf]",
   doc="Elements of the entropy; -inf below 0.", math=r"y = -x \ln x")
op("zeta", y="zeta(x1, x2)", dx2="-g * x1 * zeta(x1 + 1, x2)", home="special", inplace=False,
   eg="[2.], [1.] -> [1.6449]",
   doc="Hurwitz' zeta function.", math=r"y = \sum_{k=0}^\infty (x_2 + k)^{-x_1}")
op("igamma", y="igamma(x1, x2)", dx2="g * exp((x1 - 1) * log(x2) - x2 - lgamma(x1))", custom=True,
   doc="Regularised lower incomplete gamma function.",
   math=r"y = \frac{1}{\Gamma(x_1)} \int_0^{x_2} t^{x_1 - 1} e^{-t} dt")
op("igammac", y="igammac(x1, x2)", dx2="-g * exp((x1 - 1) * log(x2) - x2 - lgamma(x1))", custom=True,
   doc="Regularised upper incomplete gamma function.",
   math=r"y = \frac{1}{\Gamma(x_1)} \int_{x_2}^\infty t^{x_1 - 1} e^{-t} dt")

# ---------------------------------------------------------------------------------------------------------------------
# Activations

op("sigmoid", y="sigmoid(x)", dx="g * y * (1 - y)", eg="[0., 1.] -> [0.5000, 0.7311]",
   doc="Logistic function.", math=r"y = \frac{1}{1 + e^{-x}}")
op("log_sigmoid", y="log_sigmoid(x)", dx="g * sigmoid(-x)", home="functional", inplace=False, aliases="logsigmoid",
   eg="[0., 1.] -> [-0.6931, -0.3133]",
   doc="Logarithm of the logistic function.", math=r"y = -\ln(1 + e^{-x})")
op("relu", y="where(x < 0, 0, x)", dx="where(y <= 0, 0, g)", types=NUMBER, eg="[-1., 2.] -> [0., 2.]",
   doc="Rectified linear unit.", math=r"y = \max(x, 0)")
op("relu6", y="where(x < 0, 0, where(x > 6, 6, x))", dx="where((y <= 0) | (y >= 6), 0, g)", types=NUMBER,
   home="functional", eg="[-1., 2., 9.] -> [0., 2., 6.]",
   doc="Rectified linear unit that saturates at 6.", math=r"y = \min(\max(x, 0), 6)")
op("leaky_relu", y="where(x > 0, x, x * negative_slope)", dx="where(x > 0, g, g * negative_slope)",
   params="negative_slope=0.01", home="functional", eg="[-1., 2.] -> [-0.0100,  2.0000]",
   doc="Rectified linear unit that leaks below 0.", math=r"y = \max(x, 0) + \mathrm{slope} \min(x, 0)")
op("elu", params="alpha=1.0, scale=1.0, input_scale=1.0", home="functional", eg="[-1., 2.] -> [-0.6321,  2.0000]",
   y="where(x > 0, x * scale, expm1(x * input_scale) * (alpha * scale))",
   dx="where(x <= 0, g * (alpha * scale * input_scale) * exp(where(x <= 0, x, 0) * input_scale), g * scale)",
   doc="Exponential linear unit.", math=r"y = \max(x, 0) + \min(\alpha(e^x - 1), 0)")
op("selu", eg="[-1., 2.] -> [-1.1113,  2.1014]",
   y="1.0507009873554805 * where(x > 0, x, 1.6732632423543772 * expm1(x))",
   dx="1.0507009873554805 * where(x <= 0, g * 1.6732632423543772 * exp(where(x <= 0, x, 0)), g)",
   doc="Scaled exponential linear unit.", math=r"y = \lambda\,(\max(x, 0) + \min(\alpha(e^x - 1), 0))")
op("celu", y="where(x > 0, x, alpha * expm1(x / alpha))", dx="g * exp(where(x <= 0, x, 0) / alpha)",
   params="alpha=1.0", eg="[-1., 2.] -> [-0.6321,  2.0000]",
   doc="Continuously differentiable exponential linear unit.",
   math=r"y = \max(x, 0) + \min(\alpha(e^{x/\alpha} - 1), 0)")
op("gelu_slope", y="gelu_slope(x)", dx="g * (2 - x * x) * normpdf(x)", home=None,
   doc="Derivative of the Gaussian error linear unit.", math=r"y = \Phi(x) + x\,\phi(x)")
op("gelu", y="x * normcdf(x)", dx="g * gelu_slope(x)", home="functional", custom=True, inplace=False,
   doc="Gaussian error linear unit.", math=r"y = x\,\Phi(x)")
# 0.5 (1 + tanh(u)) is sigmoid(2 u), which keeps its digits where tanh(u) is near -1.
op("gelu_tanh", y="x * sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * x * x))", home=None,
   dx="g * (s := sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * (q := x * x))))"
      " * (1 + (1 - s) * x * (1.5957691216057308 + 0.21406444881780076 * q))",
   doc="Gaussian error linear unit, approximated with tanh.",
   math=r"y = \frac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715 x^3)\right)\right)")
op("silu", y="x * sigmoid(x)", dx="g * (s := sigmoid(x)) * (1 + x * (1 - s))", home="functional",
   eg="[0., 1.] -> [0.0000, 0.7311]",
   doc="Sigmoid linear unit, or swish.", math=r"y = \frac{x}{1 + e^{-x}}")
op("mish", y="x * tanh(-log_sigmoid(-x))", home="functional", eg="[0., 1.] -> [0.0000, 0.8651]",
   dx="g * ((t := tanh(-log_sigmoid(-x))) + x * sigmoid(x) * (1 - t * t))",
   doc="Self-regularised activation.", math=r"y = x \tanh(\ln(1 + e^x))")
op("softplus", y="where(x * beta > threshold, x, log1p(exp(x * beta)) / beta)",
   dx="where(x * beta > threshold, g, g * sigmoid(x * beta))", params="beta=1.0, threshold=20.0", home="functional",
   inplace=False, eg="[0., 1.] -> [0.6931, 1.3133]",
   doc="Smooth rectifier; the value itself above the threshold.", math=r"y = \frac{1}{\beta} \ln(1 + e^{\beta x})")
op("softsign", y="x / (1 + abs(x))", dx="g / square(1 + abs(x))", home="functional", inplace=False,
   eg="[0., 1.] -> [0.0000, 0.5000]",
   doc="Rational sigmoid.", math=r"y = \frac{x}{1 + |x|}")
op("tanhshrink", y="x - tanh(x)", dx="g * square(tanh(x))", home="functional", inplace=False,
   eg="[0., 1.] -> [0.0000, 0.2384]",
   doc="What tanh takes away.", math=r"y = x - \tanh x")
op("hardtanh", y="where(x < min_val, min_val, where(x > max_val, max_val, x))", types=NUMBER, home="functional",
   dx="where((y <= min_val) | (y >= max_val), 0, g)", params="min_val=-1.0, max_val=1.0",
   eg="[-2., 0.5] -> [-1.0000,  0.5000]",
   doc="Limited to an interval; its ends pass no gradient.", math=r"y = \min(\max(x, \min), \max)")
op("hardsigmoid", y="where(x <= -3, 0, where(x >= 3, 1, (x + 3) / 6))", dx="where((x > -3) & (x < 3), g / 6, 0)",
   home="functional", eg="[0., 1.] -> [0.5000, 0.6667]",
   doc="Piecewise linear sigmoid.", math=r"y = \min(\max(x + 3, 0), 6) / 6")
op("hardswish", y="where(x <= -3, 0, where(x >= 3, x, x * (x + 3) / 6))", home="functional",
   dx="where(x <= -3, 0, where(x < 3, g * (x / 3 + 0.5), g))", eg="[0., 1.] -> [0.0000, 0.6667]",
   doc="Piecewise quadratic swish.", math=r"y = x \min(\max(x + 3, 0), 6) / 6")
op("hardshrink", y="where((x >= -lambd) & (x <= lambd), 0, x)", dx="where((x >= -lambd) & (x <= lambd), 0, g)",
   params="lambd=0.5", inplace=False, eg="[-1., 0.3] -> [-1.,  0.]",
   doc="0 near 0.", math=r"y = x\,[|x| > \lambda]")
op("softshrink", y="where(x > lambd, x - lambd, where(x < -lambd, x + lambd, x * 0))", home="functional",
   dx="where((x >= -lambd) & (x <= lambd), 0, g)", params="lambd=0.5", inplace=False,
   eg="[-1., 0.3] -> [-0.5000,  0.0000]",
   doc="Moved towards 0, not past it.", math=r"y = \mathrm{sign}(x) \max(|x| - \lambda, 0)")
op("threshold", y="where(x <= threshold, value, x)", dx="where(x <= threshold, 0, g)", types=NUMBER,
   params="threshold, value", eg="[-1., 0.5], 0.0, 9.0 -> [9.0000, 0.5000]",
   doc="Replaced where not above the threshold.", math=r"y = x > \mathrm{threshold} \mathbin{?} x : \mathrm{value}")
op("prelu", y="where(x1 > 0, x1, x1 * x2)", dx1="where(x1 > 0, g, g * x2)", dx2="where(x1 > 0, 0, g * x1)",
   custom=True, inplace=False,
   doc="Rectified linear unit with a learned slope below 0.", math=r"y = \max(x_1, 0) + x_2 \min(x_1, 0)")

# ---------------------------------------------------------------------------------------------------------------------
# The elements of losses

op("squared_difference", y="square(x1 - x2)", dx1="2 * g * (x1 - x2)", dx2="2 * g * (x2 - x1)", home=None,
   doc="Element of the mean squared error.", math="y = (x_1 - x_2)^2")
op("abs_difference", y="abs(x1 - x2)", dx1="g * sign(x1 - x2)", dx2="-g * sign(x1 - x2)", home=None,
   doc="Element of the mean absolute error.", math="y = |x_1 - x_2|")
op("smooth_l1", y="where((d := abs(x1 - x2)) < beta, 0.5 * d * d / beta, d - 0.5 * beta)", params="beta=1.0", home=None,
   dx1="g * where((d := x1 - x2) < -beta, -1, where(d > beta, 1, d / beta))",
   dx2="-g * where((d := x1 - x2) < -beta, -1, where(d > beta, 1, d / beta))",
   doc="Element of the smooth absolute error.", math=r"y = d^2/(2\beta) \text{ or } d - \beta/2,\ d = |x_1 - x_2|")
op("huber", y="where((d := abs(x1 - x2)) <= delta, 0.5 * d * d, delta * (d - 0.5 * delta))", params="delta=1.0",
   dx1="g * where((d := x1 - x2) < -delta, -delta, where(d > delta, delta, d))", home=None,
   dx2="-g * where((d := x1 - x2) < -delta, -delta, where(d > delta, delta, d))",
   doc="Element of the Huber loss.", math=r"y = d^2/2 \text{ or } \delta(d - \delta/2),\ d = |x_1 - x_2|")
op("binary_cross_entropy", y="-(x2 * maximum(log(x1), -100) + (1 - x2) * maximum(log1p(-x1), -100))", home=None,
   dx1="g * ((x1 - x2) / where((v := (1 - x1) * x1) < 1e-12, 1e-12, v))", dx2="g * (log1p(-x1) - log(x1))",
   doc="Element of the cross entropy of a probability against a target.",
   math=r"y = -x_2 \ln x_1 - (1 - x_2) \ln(1 - x_1)")
op("binary_cross_entropy_with_logits", y="(1 - x2) * x1 - log_sigmoid(x1)", home=None,
   dx1="g * (sigmoid(x1) - x2)", dx2="-g * x1",
   doc="Element of the cross entropy of a logit against a target.",
   math=r"y = (1 - x_2) x_1 + \ln(1 + e^{-x_1})")
