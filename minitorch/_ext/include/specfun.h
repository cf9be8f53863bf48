/* polygamma, zeta and the incomplete gamma functions: evaluated in double whatever the type, one element at a time. */
#ifndef MT_SPECFUN_H
#define MT_SPECFUN_H
#include "mathfun.h"

/* Hurwitz zeta for s > 1 and q > 0: the first terms, then Euler and Maclaurin's formula for the rest */
static double mt_zeta(double s, double q) {
    static const double bernoulli[] = {  /* B_2k / (2k)! */
        1. / 12, -1. / 720, 1. / 30240, -1. / 1209600, 1. / 47900160, -691. / 1307674368000., 1. / 74724249600.,
        -3617. / 10670622842880000.};
    double sum = 0;
    for (; q < 10 + s; q += 1) {
        const double term = pow(q, -s);
        sum += term;
        if (term < 1e-17 * sum) return sum;
    }
    const double last = pow(q, -s);
    sum += last * q / (s - 1) + last / 2;
    double factor = s * last / q;
    for (int k = 0; k < 8; k++) {
        sum += bernoulli[k] * factor;
        factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / (q * q);
    }
    return sum;
}

/* The same for any q.  Below 0, where s must be an integer, the terms (q + k)^-s of the wrong sign are summed as the
 * difference of two zetas. */
static double mt_zeta_f64(double s, double q) {
    if (s != s || q != q || s < 1) return NAN;
    if (s == 1) return INFINITY;
    if (q > 0) return isinf(q) ? 0 : isinf(s) ? (q < 1 ? INFINITY : q == 1) : mt_zeta(s, q);
    if (q == floor(q)) return INFINITY;
    if (s != floor(s)) return NAN;
    const double r = q - floor(q), sign = fmod(s, 2) == 0 ? 1 : -1;
    return mt_zeta(s, r) + sign * (mt_zeta(s, 1 - r) - mt_zeta(s, 1 - q));
}
static inline float mt_zeta_f32(float s, float q) { return (float)mt_zeta_f64(s, q); }

/* The n-th derivative of digamma, n >= 1: (-1)^(n+1) n! zeta(n + 1, x). */
static double mt_polygamma_f64(double x, double n) {
    const double s = n + 1, sign = fmod(n, 2) == 0 ? -1 : 1;
    if (isinf(x)) return x > 0 ? 0 : NAN;
    if (x <= 0 && x == floor(x)) return sign * INFINITY;
    return sign * tgamma(s) * mt_zeta_f64(s, x);
}

/* x^a e^-x / gamma(a + 1), which both forms of the incomplete gamma function are multiples of; for large a by Stirling's
 * formula, since the factors would cancel. */
static double mt_gamma_factor(double a, double x) {
    if (a < 20) return exp(a * log(x) - x - mt_lgamma_f64(a + 1));
    const double d = (x - a) / a, z = 1 / (a * a);
    const double stirling = (1. / 12 - z * (1. / 360 - z * (1. / 1260 - z / 1680))) / a;
    return exp(a * (log1p(d) - d) - stirling) / sqrt(4 * mt_half_pi * a);
}

/* The upper one for large a: erfc and the first term of Temme's uniform expansion, SIAM J. Math. Anal. 10 (1979). */
static double mt_upper_gamma_large(double a, double x) {
    const double d = (x - a) / a;
    const double half = fabs(d) < 1e-4 ? d * d * (0.5 - d * (1. / 3 - d / 4)) : d - log1p(d);
    const double root = copysign(sqrt(half), d), eta = M_SQRT2 * root;
    const double rest = fabs(d) < 1e-4 ? -1. / 3 + d / 12 : 1 / d - 1 / eta;
    return 0.5 * mt_erfc_f64(root * sqrt(a)) + rest * exp(-a * half) / sqrt(4 * mt_half_pi * a);
}

/* The regularised incomplete gamma function, lower or upper: left of a the power series of the lower one, right of it
 * the continued fraction of the upper one, by Lentz's method.  Source: Abramowitz and Stegun, 6.5.29 and 6.5.31. */
static double mt_incomplete_gamma(double a, double x, int upper) {
    if (!(a >= 0 && x >= 0) || (a == 0 && x == 0) || (isinf(a) && isinf(x))) return NAN;
    if (x == 0 || isinf(a)) return upper;
    if (a == 0 || isinf(x)) return !upper;
    if (a > 1e6) return upper ? mt_upper_gamma_large(a, x) : 1 - mt_upper_gamma_large(a, x);
    if (x < a + 1) {
        double term = 1, sum = 1;
        for (double k = a + 1; term > 1e-17 * sum; k += 1) sum += term *= x / k;
        sum *= mt_gamma_factor(a, x);
        return upper ? 1 - sum : sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, value = d, change = 0;
    for (int k = 1; k < 1000000 && fabs(change - 1) > 1e-16; k++) {
        const double n = k * (a - k);
        b += 2;
        d = 1 / (n * d + b);
        c = b + n / c;
        value *= change = c * d;
    }
    value *= a * mt_gamma_factor(a, x);
    return upper ? value : 1 - value;
}
static double mt_igamma_f64(double a, double x) { return mt_incomplete_gamma(a, x, 0); }
static double mt_igammac_f64(double a, double x) { return mt_incomplete_gamma(a, x, 1); }
static inline float mt_igamma_f32(float a, float x) { return (float)mt_igamma_f64(a, x); }
static inline float mt_igammac_f32(float a, float x) { return (float)mt_igammac_f64(a, x); }

static inline float mt_polygamma_f32(float x, float n) { return (float)mt_polygamma_f64(x, n); }
#endif
