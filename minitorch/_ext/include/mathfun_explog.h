/* Exponentials, logarithms, powers and hyperbolic functions: the constants and the parts that differ by type.
   What is the same for both is in mathfun_real.h. */
#ifndef MINITORCH_MATHFUN_EXPLOG_H
#define MINITORCH_MATHFUN_EXPLOG_H

#include "mathfun_base.h"
#include "mathfun_poly.h"

#ifndef MT_DEVICE               /* where these two are no constants */
static const float mt_inf_f32 = INFINITY, mt_nan_f32 = NAN;
static const double mt_inf_f64 = INFINITY, mt_nan_f64 = NAN;
#endif
static const float mt_log2_e_f32 = 0x1.715476p+0f, mt_ln2_f32 = 0x1.62e43p-1f;
static const double mt_log2_e_f64 = 0x1.71547652b82fep+0,
    mt_ln2_f64 = 0x1.62e42fefa39efp-1;

/* A power of two that lifts every exp(-|x|) out of the denormals, and its exponent. */
static const float mt_lift_f32 = 64, mt_pow2_lift_f32 = 0x1p64f;
static const double mt_lift_f64 = 128, mt_pow2_lift_f64 = 0x1p128;

/* ln 2 in two parts, the first of 12 (32) bits, so that its product with an exponent is exact. */
static const float mt_ln2_hi_f32 = 0x1.62ep-1f, mt_ln2_lo_f32 = 0x1.0bfbe8p-15f;
static const double mt_ln2_hi_f64 = 0x1.62e42feep-1, mt_ln2_lo_f64 = 0x1.a39ef35793c76p-33;

/* Where exp is past infinity, and past half the smallest denormal; where expm1 is -1; below what log1p(x) = x. */
static const float mt_exp_over_f32 = 89, mt_exp_under_f32 = 104.5f, mt_exp2_over_f32 = 129, mt_exp2_under_f32 = 151,
    mt_expm1_flat_f32 = 20, mt_tiny_f32 = 0x1p-26f, mt_digits_f32 = 30;
static const double mt_exp_over_f64 = 710, mt_exp_under_f64 = 746, mt_exp2_over_f64 = 1025, mt_exp2_under_f64 = 1076,
    mt_expm1_flat_f64 = 40, mt_tiny_f64 = 0x1p-55, mt_digits_f64 = 60;

/* f = m - 1 and k of x = 2^k m.  Subtracting the bits of sqrt(1/2) puts the boundary between exponents there; a
   denormal is first scaled up. */
MT_INLINE float mt_log_reduce_f32(float x, float *k) {
    int tiny = x < 0x1p-126f;
    uint32_t u = mt_bits_f32(tiny ? x * 0x1p23f : x) - 0x3f3504f3u;
    *k = (float)((int32_t)u >> 23) - (tiny ? 23.0f : 0.0f);
    return mt_from_bits_f32((u & 0x7fffff) + 0x3f3504f3u) - 1;
}
MT_INLINE double mt_log_reduce_f64(double x, double *k) {
    int tiny = x < 0x1p-1022;
    uint64_t u = mt_bits_f64(tiny ? x * 0x1p52 : x) - 0x3fe6a09e667f3bcdu + 0x3ff0000000000000u;
    /* the biased exponent put in the significand of 2^52: a conversion that AVX2 can do */
    *k = mt_from_bits_f64((u >> 52) | 0x4330000000000000u) - (0x1p52 + 1023) - (tiny ? 52.0 : 0.0);
    return mt_from_bits_f64((u & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1;
}

/* log(1 + f) - f: in float a polynomial in f; in double, with s = f / (2 + f) and z = s^2, log(1 + f) = 2 atanh(s) =
   2 s + s z P(z), and 2 s = f - s f. */
MT_INLINE float mt_log_tail_f32(float f) {
    float z = f * f;
    return f * z * MT_HORNER_F32(f, mt_log_poly_f32) - 0.5f * z;
}
MT_INLINE double mt_log_tail_f64(double f) {
    double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    return s * (half + z * MT_HORNER_F64(z, mt_log_poly_f64)) - half;
}

#define T float
#define FN(name) mt_##name##_f32
#define LIBM(name) __builtin_##name##f
#define HORNER MT_HORNER_F32
#include "mathfun_real.h"
#undef T
#undef FN
#undef LIBM
#undef HORNER

#define T double
#define FN(name) mt_##name##_f64
#define LIBM(name) __builtin_##name
#define HORNER MT_HORNER_F64
#include "mathfun_real.h"
#undef T
#undef FN
#undef LIBM
#undef HORNER

/* Many functions of floats are those of doubles, rounded: as accurate as can be, and still vectorised. */
#define MT_ROUNDED_1(name) MT_INLINE float mt_##name##_f32(float x) { return (float)mt_##name##_f64(x); }
#define MT_ROUNDED_2(name) MT_INLINE float mt_##name##_f32(float x, float y) { return (float)mt_##name##_f64(x, y); }

MT_INLINE float mt_rsqrt_f32(float x) { return (float)(1 / __builtin_sqrt((double)x)); }
MT_INLINE double mt_rsqrt_f64(double x) { return 1 / __builtin_sqrt(x); }

/* exp to 2^-32 of doubles |x| < 700, on the way to a float. */
MT_INLINE double mt_exp_lo(double x) {
    double n = mt_nearest_f64(x * mt_log2_e_f64), r = x - n * mt_ln2_f64;
    return (1 + (r + r * r * MT_HORNER_F64(r, mt_exp_poly_lo))) * mt_pow2_f64(n);
}

/* ---- logarithms to other bases ----
   log_b(x) = k log_b(2) + (f + tail(f)) log_b(e).  The head of f times the short head of log_b(e) is exact, and so is
   k times the short head of log_b(2), and their sum is made with its rounding error kept. */
MT_INLINE double mt_log_base_f64(double x, double two_hi, double two_lo, double e_hi, double e_lo) {
    double k, f = mt_log_reduce_f64(x, &k);
    double f_hi = mt_head_f64(f), f_lo = (f - f_hi) + mt_log_tail_f64(f);
    double a = k * two_hi, b = f_hi * e_hi, sum = a + b;
    double rest = (b - (sum - a)) + (f_hi * e_lo + f_lo * (e_hi + e_lo) + k * two_lo);
    return mt_log_edges_f64(x, sum + rest);
}
MT_INLINE double mt_log2_f64(double x) {
    return mt_log_base_f64(x, 1, 0, 0x1.715476p+0, 0x1.4ae0bf85ddf44p-26);
}
MT_INLINE double mt_log10_f64(double x) {
    return mt_log_base_f64(x, 0x1.34413508p-2, 0x1.f79fef311f12bp-34, 0x1.bcb7b1p-2, 0x1.49b9438ca9aaep-28);
}
MT_ROUNDED_1(log2)
MT_ROUNDED_1(log10)

/* ---- powers ---- */

/* C99's table for x^y, given |x|^y of ordinary positive |x|.  A double of 2^53 or more is even. */
MT_INLINE double mt_pow_edges(double x, double y, double power) {
    double a = __builtin_fabs(x), half = 0.5 * y;
    int whole = __builtin_floor(y) == y, odd = whole & (__builtin_floor(half) != half);
    double zero_or_inf = (a == 0) == (y < 0) ? INFINITY : 0;
    power = (a == 0) | (a == INFINITY) ? zero_or_inf : power;
    power = odd & (__builtin_copysign(1, x) < 0) ? -power : power;
    power = (x < 0) & (a < INFINITY) & !whole ? NAN : power;
    power = (x != x) | (y != y) ? x + y : power;
    return (y == 0) | (x == 1) | ((a == 1) & (__builtin_fabs(y) == INFINITY)) ? 1 : power;
}

/* log2(x) of a positive x as head + tail, to 2^-66: the series 2 s + s z (2/3 + z V(z)) of log_tail_f64 with the
   first two terms in twice the precision. */
MT_INLINE double mt_log2_twice_f64(double x, double *low) {
    double k, f = mt_log_reduce_f64(x, &k);
    double d = 2 + f, d_low = f - (d - 2), d_head = mt_head_f64(d), inverse = 1 / d;
    double s = mt_head_f64(f * inverse);
    double s_low = (((f - s * d_head) - s * (d - d_head)) - s * d_low) * inverse;

    double z_exact = s * s, z_low = s_low * (2 * s + s_low), z = z_exact + z_low, z_head = mt_head_f64(z);
    double z_tail = (z_exact - z_head) + z_low;
    const double third = 0x1.5555555555555p-1, third_low = 0x1.5555555555555p-55;       /* 2/3 */
    double v = z * MT_HORNER_F64(z, mt_log2_poly_f64), w = third + v, w_head = mt_head_f64(w);
    double w_tail = (w - w_head) + ((third - w) + v + third_low);
    double u_exact = z_head * w_head, u_low = z_head * w_tail + z_tail * (w_head + w_tail);
    double u = u_exact + u_low, u_head = mt_head_f64(u), u_tail = (u_exact - u_head) + u_low;

    double a = 2 * s, b = s * u_head, sum = a + b;
    double rest = (b - (sum - a)) + (2 * s_low + (s * u_tail + s_low * (u_head + u_tail)));
    double log_head = mt_head_f64(sum), log_tail = (sum - log_head) + rest;

    const double e_hi = 0x1.715476p+0, e_lo = 0x1.4ae0bf85ddf44p-26;                    /* log2(e) */
    b = log_head * e_hi;
    sum = k + b;
    rest = (b - (sum - k)) + (log_head * e_lo + log_tail * (e_hi + e_lo));
    double result = sum + rest;
    *low = rest - (result - sum);
    return result;
}

/* |x|^y = 2^(y log2|x|), the exponent in twice the precision. */
MT_INLINE double mt_pow_f64(double x, double y) {
    double low, log2_x = mt_log2_twice_f64(__builtin_fabs(x), &low);
    double c = y > 0x1p65 ? 0x1p65 : y;                     /* beyond, only 1 has a power that is neither 0 nor inf */
    c = c < -0x1p65 ? -0x1p65 : c;
    double c_head = mt_head_f64(c), log_head = mt_head_f64(log2_x);
    double t = c_head * log_head, t_low = c_head * (log2_x - log_head) + (c - c_head) * log2_x + c * low;
    t_low = __builtin_fabs(t) > 1100 ? 0 : t_low;
    t = t > 1100 ? 1100 : t;
    t = t < -1100 ? -1100 : t;
    double n = mt_nearest_f64(t), r = ((t - n) + t_low) * mt_ln2_f64;
    double power = mt_scale_f64(1 + (r + r * r * MT_HORNER_F64(r, mt_exp_poly_f64)), n);
    return mt_pow_edges(x, y, power);
}

/* In doubles y log(x) is exact enough for a float without more ado. */
MT_INLINE float mt_pow_f32(float x, float y) {
    double k, f = mt_log_reduce_f64(__builtin_fabs((double)x), &k);
    double t = y * mt_log_of_f64(f, k);
    t = t > 200 ? 200 : t;
    t = t < -200 ? -200 : t;
    return (float)mt_pow_edges(x, y, mt_exp_lo(t));
}

/* x 2^n; the power is applied by halves so that neither half overflows before the result does. */
MT_INLINE double mt_ldexp_f64(double x, double n) {
    double half = __builtin_floor(0.5 * n);
    return x * mt_exp2_f64(half) * mt_exp2_f64(n - half);
}
MT_INLINE float mt_ldexp_f32(float x, float n) { return (float)(x * mt_exp2_f64(n)); }

/* ---- hyperbolic functions ---- */

/* exp(x) / 2, which overflows later than exp(x). */
MT_INLINE double mt_half_exp_f64(double x) {
    double n, p = mt_exp_reduced_f64(x > 712 ? 712 : x, &n);
    return mt_scale_f64(p, n - 1);
}
MT_INLINE double mt_cosh_f64(double x) {
    double e = mt_half_exp_f64(__builtin_fabs(x));
    return e + 0.25 / e;
}
MT_INLINE double mt_sinh_f64(double x) {
    double a = __builtin_fabs(x), z = x * x, e = mt_half_exp_f64(a);
    double small = a + a * (z * MT_HORNER_F64(z, mt_sinh_poly_f64));
    return __builtin_copysign(a < 1 ? small : e - 0.25 / e, x);
}

/* asinh(a) = log1p(a + a^2 / (1 + sqrt(a^2 + 1))), and log(2 a) once a^2 + 1 = a^2. */
MT_INLINE double mt_asinh_f64(double x) {
    double a = __builtin_fabs(x), z = a * a;
    double near = a + z / (1 + __builtin_sqrt(z + 1));
    double y = a < 0x1p28 ? mt_log1p_f64(near) : mt_log_f64(a) + mt_ln2_f64;
    return __builtin_copysign(y, x);
}

/* acosh(x) = log1p(t + sqrt(2 t + t^2)) with t = x - 1. */
MT_INLINE double mt_acosh_f64(double x) {
    double t = x - 1;
    double y = x < 0x1p28 ? mt_log1p_f64(t + __builtin_sqrt(2 * t + t * t)) : mt_log_f64(x) + mt_ln2_f64;
    return x < 1 ? mt_nan_f64 : y;
}

/* atanh(a) = log1p(2 a / (1 - a)) / 2. */
MT_INLINE double mt_atanh_f64(double x) {
    double a = __builtin_fabs(x), b = 2 * a;
    double argument = a < 0.5 ? b + b * a / (1 - a) : b / (1 - a);
    return __builtin_copysign(0.5 * mt_log1p_f64(argument), x);
}
MT_ROUNDED_1(cosh)
MT_ROUNDED_1(sinh)
MT_ROUNDED_1(asinh)
MT_ROUNDED_1(acosh)
MT_ROUNDED_1(atanh)

/* ---- built from logarithms ---- */

/* log(x / (1 - x)); about 1/2, where that is log(1 + small), the numerators 1 - 2 x and 2 x - 1 are exact. */
MT_INLINE double mt_logit_f64(double x) {
    int left = x < 0.5, middle = __builtin_fabs(x - 0.5) < 0.25;
    double odds = left ? (1 - 2 * x) / x : (2 * x - 1) / (1 - x);
    double y = mt_log1p_f64(middle ? odds : x / (1 - x) - 1);
    double far = mt_log_f64(x / (1 - x));
    return middle ? (left ? -y : y) : far;
}

/* log(exp(a) + exp(b)); the error is relative to the larger of |a|, |b| and log 2, as the two terms may cancel. */
MT_INLINE double mt_logaddexp_f64(double a, double b) {
    double top = mt_maximum_f64(a, b), gap = a == b ? 0 : -__builtin_fabs(a - b);
    return top + mt_log1p_f64(mt_exp_f64(gap));
}
MT_INLINE double mt_logaddexp2_f64(double a, double b) {
    double top = mt_maximum_f64(a, b), gap = a == b ? 0 : -__builtin_fabs(a - b);
    return top + mt_log1p_f64(mt_exp2_f64(gap)) * mt_log2_e_f64;
}

/* x log(y), and 0 for x = 0 whatever y is, but for NaN. */
MT_INLINE double mt_xlogy_f64(double x, double y) { return x == 0 && y == y ? 0 : x * mt_log_f64(y); }
MT_INLINE double mt_xlog1py_f64(double x, double y) { return x == 0 && y == y ? 0 : x * mt_log1p_f64(y); }
MT_ROUNDED_1(logit)
MT_ROUNDED_2(logaddexp)
MT_ROUNDED_2(logaddexp2)
MT_ROUNDED_2(xlogy)
MT_ROUNDED_2(xlog1py)

#endif
