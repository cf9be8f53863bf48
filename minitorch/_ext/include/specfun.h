/* Special functions that only derivatives need: the Bessel function I1 (of I0) and polygamma (of digamma).
 * Evaluated in double whatever the type, one element at a time. */
#ifndef MT_SPECFUN_H
#define MT_SPECFUN_H
#include <math.h>

/* sum of c[k] T_k(t) for Chebyshev polynomials, by Clenshaw's recurrence */
static inline double mt_chebyshev(double t, const double *c, int n) {
    double b0 = 0, b1 = 0;
    for (int k = n - 1; k > 0; k--) {
        const double next = 2 * t * b0 - b1 + c[k];
        b1 = b0;
        b0 = next;
    }
    return t * b0 - b1 + c[0];
}

/* exp(-x) I1(x) / x in t = x/4 - 1, for x up to 8 */
static const double mt_i1_small[] = {
    0.12629359322181682, -0.17641651835783406, 0.1026436586898471, -0.05294598120809499, 0.024726449030626516,
    -0.010564084894626197, 0.004156422944312888, -0.0015135724506312532, 0.0005122859561685758,
    -0.00016176081582589674, 4.781565107550054e-05, -1.3273163656039436e-05, 3.4702513081376785e-06,
    -8.568720264695455e-07, 2.0032947535521353e-07, -4.445059128796328e-08, 9.381537386495773e-09,
    -1.8872497517228294e-09, 3.625590281552117e-10, -6.663489723502027e-11, 1.1736186298890901e-11,
    -1.9839743977649436e-12, 3.223793365945575e-13, -5.042185504727912e-14, 7.600684294735408e-15,
    -1.1055969477353862e-15, 1.5536319577362005e-16, -2.111421214358166e-17, 2.7779141127610464e-18};
/* exp(-x) sqrt(x) I1(x) in t = 16/x - 1, for x above 8 */
static const double mt_i1_large[] = {
    0.38928811750914005, -0.009761097491361469, -0.00011058893876262371, -3.882564808877691e-06,
    -2.512236237870209e-07, -2.6314688468895196e-08, -3.835380385964237e-09, -5.589743462196584e-10,
    -1.8974958123505413e-11, 3.2526035830154884e-11, 1.4125807436613782e-11, 2.0356285441470896e-12,
    -7.198551776245908e-13, -4.0835511110921974e-13, -2.1015418427726643e-14, 4.272440016711951e-14,
    1.0420276984128802e-14, -3.8144030724370075e-15, -1.8803547755107825e-15, 3.3082023109209285e-16,
    2.96262899764595e-16, -3.209525921993424e-17, -4.6503053684893586e-17, 4.414348323071708e-18,
    7.517296310842105e-18};

static double mt_i1_f64(double x) {
    const double a = fabs(x);
    if (a <= 8) return x * exp(a) * mt_chebyshev(a / 4 - 1, mt_i1_small, sizeof mt_i1_small / sizeof(double));
    if (isinf(a)) return x;
    /* exp(a) in two halves: the product is finite a little beyond where exp(a) is */
    const double half = exp(a / 2), scaled = mt_chebyshev(16 / a - 1, mt_i1_large, sizeof mt_i1_large / sizeof(double));
    return copysign(half * (scaled / sqrt(a)) * half, x);
}

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

static inline float mt_i1_f32(float x) { return (float)mt_i1_f64(x); }
static inline float mt_polygamma_f32(float x, float n) { return (float)mt_polygamma_f64(x, n); }
#endif
