/* polygamma, which only the derivatives of digamma need: evaluated in double whatever the type, one element at a time. */
#ifndef MT_SPECFUN_H
#define MT_SPECFUN_H
#include <math.h>

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

/* The n-th derivative of digamma, n >= 1: (-1)^(n+1) n! zeta(n + 1, x).  Below 0 the terms 1 / (x + k)^(n+1) that are
 * negative are summed as the difference of two zetas. */
static double mt_polygamma_f64(double x, double n) {
    const double s = n + 1, sign = fmod(n, 2) == 0 ? -1 : 1;
    if (isinf(x)) return x > 0 ? 0 : NAN;
    if (x <= 0 && x == floor(x)) return sign * INFINITY;
    if (x > 0) return sign * tgamma(s) * mt_zeta(s, x);
    const double r = x - floor(x);
    return sign * tgamma(s) * (mt_zeta(s, r) + sign * (mt_zeta(s, 1 - r) - mt_zeta(s, 1 - x)));
}

static inline float mt_polygamma_f32(float x, float n) { return (float)mt_polygamma_f64(x, n); }
#endif
