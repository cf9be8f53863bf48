/* The error function and its kin; Bessel, gamma. */
#ifndef MINITORCH_MATHFUN_SPECIAL_H
#define MINITORCH_MATHFUN_SPECIAL_H

#include "mathfun_trig.h"

/* erf near zero: x + x P(x^2) on |x| < 1/2. */
MT_INLINE double mt_erf_small_f64(double x) { return x + x * MT_HORNER_F64(x * x, mt_erf_poly_f64); }

/* x^2 as head^2, which is exact, and the rest. */
MT_INLINE double mt_square_twice_f64(double x, double *low) {
    double head = mt_head_f64(x);
    *low = (x - head) * (x + head);
    return head * head;
}

/* (a + a_low) (b + b_low), rounded once. */
MT_INLINE double mt_mul_twice_f64(double a, double a_low, double b, double b_low) {
    double a_head = mt_head_f64(a), b_head = mt_head_f64(b), a_tail = (a - a_head) + a_low;
    return a_head * b_head + (a_head * ((b - b_head) + b_low) + a_tail * b);
}

/* exp(x + low) = 2^n (p + p_low). */
MT_INLINE double mt_exp_twice_f64(double x, double low, double *n, double *p_low) {
    *n = mt_nearest_f64(x * mt_log2_e_f64);
    double head = x - *n * mt_ln2_hi_f64, tail = *n * mt_ln2_lo_f64 - low, r = head - tail;
    double r_low = (head - r) - tail, p = 1 + r;
    *p_low = (r - (p - 1)) + (r_low * p + r * r * MT_HORNER_F64(r, mt_exp_poly_f64));
    return p;
}

/* Q(0) = 7 exp(9) erfc(3) of what follows, in two parts. */
static const double mt_erfc_middle = 0x1.40c522d7e4987p+0, mt_erfc_middle_low = 0x1.a19969d5cf11fp-55;

/* erfc(a) = exp(-(s + s_low)) Q(t) / (d + d_low),  t = (a - 3) / (a + 3), for a >= 1/3.
   Given in two parts are s = a^2, since exp magnifies an error of its argument, and d = 1 + 2 a, whose error is put
   right in the exponent as well.  Q, being nearly flat, adds little. */
MT_INLINE double mt_erfc_tail_f64(double a, double s, double s_low, double d, double d_low) {
    double t = (a - 3) / (a + 3), slope = t * MT_HORNER_F64(t, mt_erfc_poly_f64), q = mt_erfc_middle + slope;
    double q_low = slope - (q - mt_erfc_middle) + mt_erfc_middle_low;
    double n, p_low, p = mt_exp_twice_f64(-s, -s_low - d_low / d, &n, &p_low);
    return mt_scale_f64(mt_mul_twice_f64(p, p_low, q, q_low) / d, n);
}
MT_INLINE double mt_erfc_right_f64(double a) {
    a = a > 28 ? 28 : a;                                                    /* erfc(28) has vanished */
    double low, s = mt_square_twice_f64(a, &low), b = 2 * a, d = 1 + b;
    return mt_erfc_tail_f64(a, s, low, d, a > 0.5 ? 1 - (d - b) : b - (d - 1));
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

/* erfcx(x) = exp(x^2) erfc(x): the same without the exponential; from 28 on, where erfc has vanished, by
   sum (-1)^k (2k - 1)!! / (2 x^2)^k / (x sqrt pi). */
MT_INLINE double mt_erfcx_right_f64(double a) {
    double c = a > 28 ? 28 : a, t = (c - 3) / (c + 3);
    double near = (mt_erfc_middle + (t * MT_HORNER_F64(t, mt_erfc_poly_f64) + mt_erfc_middle_low)) / (1 + 2 * c);
    double z = 0.5 / a / a, far = 0x1.20dd750429b6dp-1 / a * (1 - z * (1 - 3 * z * (1 - 5 * z * (1 - 7 * z * (1 - 9 * z)))));
    return a > 28 ? far : near;
}
MT_INLINE double mt_erfcx_f64(double x) {
    double a = __builtin_fabs(x), c = a > 28 ? 28 : a, low, s = mt_square_twice_f64(c, &low), n, p_low;
    double p = mt_exp_twice_f64(s, low, &n, &p_low), power = mt_scale_f64(p + p_low, n);
    double right = mt_erfcx_right_f64(a), y = x < 0 ? 2 * power - right : right;
    return x != x ? x : a < 0.5 ? power * (1 - mt_erf_small_f64(x)) : y;
}
MT_ROUNDED_1(erfcx)

/* The normal distribution function, erfc(-x / sqrt 2) / 2. */
MT_INLINE double mt_normcdf_f64(double x) {
    double v = __builtin_fabs(x), c = v > 39 ? 39 : v, low, s = mt_square_twice_f64(c, &low);
    const double root_hi = 0x1.6a09e6p+0, root_lo = 0x1.9fcef32422cbfp-26;  /* sqrt 2, the first part of 25 bits */
    double c_head = mt_head_f64(c), b_head = c_head * root_hi, b_low = c_head * root_lo + (c - c_head) * M_SQRT2;
    double b = b_head + b_low, d = 1 + b, d_low = (b > 1 ? 1 - (d - b) : b - (d - 1)) + (b_low - (b - b_head));
    double tail = 0.5 * mt_erfc_tail_f64(c * M_SQRT1_2, 0.5 * s, 0.5 * low, d, d_low);
    double y = x < 0 ? tail : 1 - tail;
    return v < 0.48 ? 0.5 + 0.5 * mt_erf_small_f64(x * M_SQRT1_2) : y;
}
/* Its density, exp(-x^2 / 2) / sqrt(2 pi). */
MT_INLINE double mt_normpdf_f64(double x) {
    double v = __builtin_fabs(x), c = v > 39 ? 39 : v, low, s = mt_square_twice_f64(c, &low);
    double n, p_low, p = mt_exp_twice_f64(-0.5 * s, -0.5 * low, &n, &p_low);
    return mt_scale_f64(mt_mul_twice_f64(p, p_low, 0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56), n);
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
    double v = __builtin_fabs((double)x), c = v > 15 ? 15 : v;
    return (float)(mt_exp_lo(-0.5 * c * c) * 0x1.9884533d43651p-2);
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

/* The derivative of x normcdf(x).  It has a zero near -0.75, so what counts is the error beside 1; at the left end, its
   relative error.  In floats: exp(-v^2/2) (Q / (v + 4) - v / sqrt(2 pi)) of v = -x, and one less that for x > 0.
   The square is that of a head of 12 bits, which is exact, and the rest.  2^40 keeps the power from the denormals. */
MT_INLINE double mt_gelu_slope_f64(double x) {
    x = x > 39 ? 39 : x;
    x = x < -39 ? -39 : x;
    return mt_normcdf_f64(x) + x * mt_normpdf_f64(x);
}
MT_INLINE float mt_gelu_slope_f32(float x) {
    float v = __builtin_fabsf(x);
    v = v > 14.75f ? 14.75f : v;
    float head = mt_from_bits_f32(mt_bits_f32(v) & ~(uint32_t)0xfff), s = head * head, low = (v - head) * (v + head);
    float n = mt_nearest_f32(-0.5f * mt_log2_e_f32 * s);
    float r = -0.5f * ((s + 2 * mt_ln2_hi_f32 * n) + low) - mt_ln2_lo_f32 * n;
    float u = 1 / (v + 4), q = MT_HORNER_F32(v * u - 0.375f, mt_normtail_poly_f32);
    float slope = u * q - 0x1.988454p-2f * v, rise = r + r * r * MT_HORNER_F32(r, mt_exp_poly_f32);
    float left = (slope + slope * rise) * mt_pow2_f32(n + 40) * 0x1p-40f;
    return x > 0 ? 1 - left : left;
}

/* log normcdf(x), by erfcx where normcdf vanishes. */
MT_INLINE double mt_log_ndtr_f64(double x) {
    double left = mt_log_f64(0.5 * mt_erfcx_f64((x < -1 ? -x : 1) * M_SQRT1_2)) - 0.5 * x * x;
    double right = mt_log1p_f64(-mt_normcdf_f64(x > -1 ? -x : 1));
    return x != x ? x : x < -1 ? left : right;
}
MT_ROUNDED_1(log_ndtr)

/* ---- inverses of the error function and of the normal distribution ----
   y with erf(y) = x and erfc(y) = c, given x in [0, 1], c = 1 - x and w = -log(1 - x^2), all as exact as can be.  A
   first value, good to some 20 bits, comes from w; one step of Halley's method on erf or erfc, which trebles the number
   of good bits, leaves only their rounding errors. */
MT_INLINE double mt_erf_solve(double x, double c, double w) {
    double s = __builtin_sqrt(w), middle = MT_HORNER_F64(w - 3, mt_erfinv_middle_poly);
    double tail = MT_HORNER_F64(s - 4, mt_erfinv_tail_poly), far = MT_HORNER_F64(s - 16, mt_erfinv_far_poly);
    double y = x * (w < 6 ? middle : s < 6 ? tail : far);
    const double half_root_pi = 0x1.c5bf891b4ef6ap-1;
    double slope = half_root_pi * mt_exp_f64(y * y);                        /* 1 / erf'(y) */
    double e = x < 0.5 ? (mt_erf_small_f64(y) - x) * slope : (1 - mt_erfc_right_f64(y) / c) * (c * slope);
    y -= e / (1 + y * e);
    y = c == 0 ? INFINITY : y;
    return x < 1e-9 ? x * half_root_pi : y;
}
MT_INLINE double mt_erfinv_f64(double x) {
    double a = __builtin_fabs(x), c = 1 - a, y = mt_erf_solve(a, c, -mt_log_f64(c * (1 + a)));
    return __builtin_copysign(a > 1 ? NAN : y, x);
}

/* The x for which normcdf(x) = p; to 3 ulp in double. */
MT_INLINE double mt_ndtri_f64(double p) {
    double q = p < 0.5 ? p : 1 - p, w = -(mt_log_f64(q) + mt_log1p_f64(-q) + 2 * mt_ln2_f64);
    double y = M_SQRT2 * mt_erf_solve(1 - 2 * q, 2 * q, w);
    y = q < 0 ? NAN : y;
    return p < 0.5 ? -y : y;
}
MT_ROUNDED_1(erfinv)
MT_ROUNDED_1(ndtri)

/* ---- modified Bessel functions of the first kind ----
   i0e(x) = exp(-|x|) I0(x), i1e alike; to 4 ulp in double. */
MT_INLINE double mt_i0e_f64(double x) {
    double a = __builtin_fabs(x), near = MT_HORNER_F64(0.25 * a - 1, mt_i0_near_poly);
    double far = MT_HORNER_F64(16 / a - 1, mt_i0_far_poly) / __builtin_sqrt(a);
    return a > 8 ? far : near;
}
MT_INLINE double mt_i1e_f64(double x) {
    double a = __builtin_fabs(x), near = a * MT_HORNER_F64(0.25 * a - 1, mt_i1_near_poly);
    double far = MT_HORNER_F64(16 / a - 1, mt_i1_far_poly) / __builtin_sqrt(a);
    return __builtin_copysign(a > 8 ? far : near, x);
}
/* exp(a) is applied by halves, as it overflows before I0 and I1 do; their values at infinity are infinite. */
MT_INLINE double mt_i0_f64(double x) {
    double a = __builtin_fabs(x), e = mt_exp_f64(0.5 * a), y = mt_i0e_f64(a) * e * e;
    return a == INFINITY ? a : y;
}
MT_INLINE double mt_i1_f64(double x) {
    double a = __builtin_fabs(x), e = mt_exp_f64(0.5 * a), y = mt_i1e_f64(a) * e * e;
    return __builtin_copysign(a == INFINITY ? a : y, x);
}
MT_ROUNDED_1(i0e)
MT_ROUNDED_1(i1e)
MT_ROUNDED_1(i0)
MT_ROUNDED_1(i1)

/* ---- gamma: one call an element ---- */

/* log|gamma(x)|, of the C library, without its global sign. */
MT_INLINE double mt_lgamma_f64(double x) { int sign; return __builtin_lgamma_r(x, &sign); }

/* The derivative of lgamma.  psi(x) = psi(x + 1) - 1/x carries x to 10 and beyond, where the asymptotic series
   log x - 1/(2 x) - sum B_2k / (2 k x^2k) serves; psi(x) = psi(1 - x) - pi / tan(pi x) comes before, for negative x.
   Good to 1e-15 absolutely or 4 ulp, except beside its zeros, where the terms cancel. */
static inline double mt_digamma_f64(double x) {
    static const double series[] =
        {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
    double y = 0;
    if (x == 0) return __builtin_copysign(INFINITY, -x);
    if (x < 0) {
        double f = x - __builtin_rint(x);
        if (f == 0 || x == -INFINITY) return NAN;
        y = -2 * mt_half_pi / tan(2 * mt_half_pi * f);
        x = 1 - x;
    }
    for (; x < 10; x += 1) y -= 1 / x;
    double z = 1 / (x * x);
    return y + (mt_log_f64(x) - 0.5 / x - z * MT_HORNER_F64(z, series));
}
MT_ROUNDED_1(lgamma)
MT_ROUNDED_1(digamma)

#endif
