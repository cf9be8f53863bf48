/* The error function and its kin; Bessel, gamma. */
#ifndef MINITORCH_MATHFUN_SPECIAL_H
#define MINITORCH_MATHFUN_SPECIAL_H

#include "mathfun_trig.h"

/* erf near zero: x + x P(x^2) on |x| < 1/2. */
MT_INLINE double mt_erf_small_f64(double x) { return x + x * MT_HORNER_F64(x * x, mt_erf_poly_f64); }

/* exp(-(s + s_low)) Q(t) / (1 + 2 a),  t = (a - 3) / (a + 3): erfc(a) of a >= 1/2 where s + s_low = a^2 is given in
   two parts.  exp magnifies the rounding error of its argument, hence the parts; that of 1 + 2 a is put right in the
   exponent as well.  Q, being nearly flat, adds little error of its own. */
MT_INLINE double mt_erfc_tail_f64(double a, double s, double s_low) {
    double t = (a - 3) / (a + 3), d = 1 + 2 * a, d_low = a > 0.5 ? 2 * a - (d - 1) : 1 - (d - 2 * a);
    double n, p = mt_exp_reduced_f64(-s, -s_low - d_low / d, &n);
    return mt_scale_f64(p * (MT_HORNER_F64(t, mt_erfc_poly_f64) / d), n);
}

/* x^2 as head^2, which is exact, and the rest. */
MT_INLINE double mt_square_f64_split(double x, double *low) {
    double head = mt_head_f64(x);
    *low = (x - head) * (x + head);
    return head * head;
}
MT_INLINE double mt_erfc_right_f64(double a) {
    double c = a > 28 ? 28 : a, low, s = mt_square_f64_split(c, &low);       /* erfc(28) has vanished */
    return mt_erfc_tail_f64(c, s, low);
}
MT_INLINE double mt_erfc_f64(double x) {
    double a = __builtin_fabs(x), tail = mt_erfc_right_f64(a);
    double y = x < 0 ? 2 - tail : tail;
    return a < 0.5 ? 1 - mt_erf_small_f64(x) : y;
}
MT_INLINE double mt_erf_f64(double x) {
    double a = __builtin_fabs(x);
    double y = a < 0.5 ? mt_erf_small_f64(a) : 1 - mt_erfc_right_f64(a);
    return __builtin_copysign(y, x);
}

/* The normal distribution function, erfc(-x / sqrt 2) / 2. */
MT_INLINE double mt_normcdf_f64(double x) {
    double v = __builtin_fabs(x), c = v > 39 ? 39 : v, low, s = mt_square_f64_split(c, &low);
    double tail = 0.5 * mt_erfc_tail_f64(c * M_SQRT1_2, 0.5 * s, 0.5 * low);
    double y = x < 0 ? tail : 1 - tail;
    return v < 0.7 ? 0.5 + 0.5 * mt_erf_small_f64(x * M_SQRT1_2) : y;
}
/* Its density, exp(-x^2 / 2) / sqrt(2 pi). */
MT_INLINE double mt_normpdf_f64(double x) {
    double v = __builtin_fabs(x), c = v > 39 ? 39 : v, low, s = mt_square_f64_split(c, &low);
    double n, p = mt_exp_reduced_f64(-0.5 * s, -0.5 * low, &n);
    return mt_scale_f64(p * 0x1.9884533d43651p-2, n);
}

/* normcdf(-v) of v >= 0 to 2^-28, on the way to a float:  exp(-v^2 / 2) u P(u),  u = 1 / (1 + v/4). */
MT_INLINE double mt_normtail_lo(double v) {
    v = v > 15 ? 15 : v;
    double u = 1 / (1 + 0.25 * v);
    return mt_exp_lo(-0.5 * v * v) * u * MT_HORNER_F64(u, mt_normtail_poly_lo);
}
MT_INLINE float mt_normcdf_f32(float x) {
    double tail = mt_normtail_lo(__builtin_fabs((double)x));
    return (float)(x < 0 ? tail : 1 - tail);
}
MT_INLINE float mt_normpdf_f32(float x) {
    double v = x;
    return (float)(mt_exp_lo(-0.5 * v * v) * 0x1.9884533d43651p-2);
}
MT_INLINE float mt_erfc_f32(float x) {
    double tail = 2 * mt_normtail_lo(M_SQRT2 * __builtin_fabs((double)x));
    return (float)(x < 0 ? 2 - tail : tail);
}
MT_INLINE float mt_erf_f32(float x) {
    double a = __builtin_fabs((double)x), small = a + a * MT_HORNER_F64(a * a, mt_erf_poly_lo);
    double y = a < 0.5 ? small : 1 - 2 * mt_normtail_lo(M_SQRT2 * a);
    return __builtin_copysignf((float)y, x);
}

#endif
