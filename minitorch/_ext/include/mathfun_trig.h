/* Trigonometric functions and their inverses.

   mt_sin_T, mt_cos_T, mt_tan_T are right for every argument.  mt_sin_near_T, ... are right for arguments for which
   mt_near_T is true, faster in float, and the ones that vectorise in double: a loop over a block may look whether all
   of it is near and choose.  (In double the others call the C library where an argument is not near, and in a loop
   that stays a loop of single calls.) */
#ifndef MINITORCH_MATHFUN_TRIG_H
#define MINITORCH_MATHFUN_TRIG_H

#include "mathfun_explog.h"

/* pi/2 in three parts; the first two have 33 bits, so that their products with |n| < 2^20 are exact. */
static const double mt_half_pi_1 = 0x1.921fb544p+0, mt_half_pi_2 = 0x1.0b4611a6p-34,
    mt_half_pi_3 = 0x1.3198a2e037073p-69;
static const double mt_half_pi = 0x1.921fb54442d18p+0, mt_half_pi_low = 0x1.1a62633145c07p-54,
    mt_two_over_pi = 0x1.45f306dc9c883p-1;

MT_INLINE uint8_t mt_near_f64(double x) { return !(__builtin_fabs(x) > 0x1p20 && __builtin_fabs(x) < INFINITY); }
MT_INLINE uint8_t mt_near_f32(float x) { return mt_near_f64(x); }

/* ---- float ----
   x = (n + q) pi/2 with n whole and |q| <= 1/2; only n mod 4 is needed.  Products of a float with at most 28 bits are
   exact in double, so x 2/pi is added up from chunks of 28 bits of 2/pi.  A chunk whose product is a multiple of 4
   whatever the bits of x are says nothing, which is so for the first where |x| >= 2^53: then the window of four
   chunks moves on by one, and again every 28 powers of two.  The chunks after the window amount to less than 2^-58,
   when no float comes nearer than 2^-31 to a multiple of pi/2. */
MT_INLINE double mt_turns_f32(float x, double *n) {
    const double c0 = 0x1.45f306cp-1, c1 = 0x1.c9c882ap-29, c2 = 0x1.4fe13a8p-59, c3 = 0x1.f47d4dp-86,
        c4 = 0x1.bb81b6cp-113, c5 = 0x1.4acc9ep-143, c6 = 0x1.0e4107cp-170;
    const double mod_4 = 0x1.8p54;                      /* adding it leaves multiples of 4 */
    double d = x, a = __builtin_fabs(d), w0 = c0, w1 = c1, w2 = c2, w3 = c3;
    w0 = a >= 0x1p53 ? c1 : w0, w1 = a >= 0x1p53 ? c2 : w1, w2 = a >= 0x1p53 ? c3 : w2, w3 = a >= 0x1p53 ? c4 : w3;
    w0 = a >= 0x1p81 ? c2 : w0, w1 = a >= 0x1p81 ? c3 : w1, w2 = a >= 0x1p81 ? c4 : w2, w3 = a >= 0x1p81 ? c5 : w3;
    w0 = a >= 0x1p109 ? c3 : w0, w1 = a >= 0x1p109 ? c4 : w1, w2 = a >= 0x1p109 ? c5 : w2, w3 = a >= 0x1p109 ? c6 : w3;
    double p0 = d * w0, p1 = d * w1, p2 = d * w2;
    p0 -= (p0 + mod_4) - mod_4;
    p1 -= (p1 + mod_4) - mod_4;
    *n = mt_nearest_f64(p0 + p1 + p2);
    return (((p0 - *n) + p1) + p2) + d * w3;
}

/* The same for |x| <= 2^20: the remainder itself. */
MT_INLINE double mt_reduce_near_f32(float x, double *n) {
    double d = x;
    *n = mt_nearest_f64(d * mt_two_over_pi);
    return (d - *n * mt_half_pi_1) - *n * 0x1.0b4611a626331p-34;
}

/* sin of r + n pi/2, from the polynomials on |r| <= pi/4; n odd exchanges sin and cos, n & 2 changes the sign. */
MT_INLINE float mt_sin_quarters_f32(float r, uint32_t n) {
    float z = r * r;
    float s = r + r * (z * MT_HORNER_F32(z, mt_sin_poly_f32));
    float c = 1 - (0.5f * z - z * z * MT_HORNER_F32(z, mt_cos_poly_f32));
    return mt_from_bits_f32(mt_bits_f32(n & 1 ? c : s) ^ (n & 2) << 30);
}
/* tan in double: its two roundings more would show in float. */
MT_INLINE float mt_tan_quarters_f32(double r, double n) {
    double z = r * r;
    double s = r + r * (z * MT_HORNER_F64(z, mt_sin_poly_lo));
    double c = 1 - (0.5 * z - z * z * MT_HORNER_F64(z, mt_cos_poly_lo));
    int odd = mt_low_bits_f64(n) & 1;
    return (float)((odd ? -c : s) / (odd ? s : c));
}

/* A zero keeps its sign by being passed through.  n mod 4 fits a float, whose low bits are read as mt_low_bits_f64. */
MT_INLINE uint32_t mt_quarter_f32(double n) { return mt_bits_f32((float)n + 0x1.8p23f); }
MT_INLINE float mt_sin_f32(float x) {
    double n, q = mt_turns_f32(x, &n);
    return x == 0 ? x : mt_sin_quarters_f32((float)(q * mt_half_pi), mt_quarter_f32(n));
}
MT_INLINE float mt_cos_f32(float x) {
    double n, q = mt_turns_f32(x, &n);
    return mt_sin_quarters_f32((float)(q * mt_half_pi), mt_quarter_f32(n) + 1);
}
MT_INLINE float mt_tan_f32(float x) {
    double n, q = mt_turns_f32(x, &n);
    return x == 0 ? x : mt_tan_quarters_f32(q * mt_half_pi, n);
}
MT_INLINE float mt_sin_near_f32(float x) {
    double n, r = mt_reduce_near_f32(x, &n);
    return x == 0 ? x : mt_sin_quarters_f32((float)r, mt_quarter_f32(n));
}
MT_INLINE float mt_cos_near_f32(float x) {
    double n, r = mt_reduce_near_f32(x, &n);
    return mt_sin_quarters_f32((float)r, mt_quarter_f32(n) + 1);
}
MT_INLINE float mt_tan_near_f32(float x) {
    double n, r = mt_reduce_near_f32(x, &n);
    return x == 0 ? x : mt_tan_quarters_f32(r, n);
}

/* ---- double ---- */

/* x - n pi/2 as r + low.  The first difference is exact; the rounding error of the second goes into the third. */
MT_INLINE double mt_reduce_near_f64(double x, double *n, double *low) {
    *n = mt_nearest_f64(x * mt_two_over_pi);
    double a = x - *n * mt_half_pi_1, b = *n * mt_half_pi_2, difference = a - b;
    double b_used = a - difference, a_used = difference + b_used;
    double c = *n * mt_half_pi_3 - ((a - a_used) - (b - b_used));
    double r = difference - c;
    *low = (difference - r) - c;
    return r;
}

/* sin(r + low) and cos(r + low), to the first order in low; what the last addition rounds off goes to *error. */
MT_INLINE double mt_sin_kernel_f64(double r, double low, double *error) {
    double z = r * r, rest = low * (1 - 0.5 * z) + r * (z * MT_HORNER_F64(z, mt_sin_poly_f64)), s = r + rest;
    *error = rest - (s - r);
    return s;
}
MT_INLINE double mt_cos_kernel_f64(double r, double low, double *error) {
    double z = r * r, half = 0.5 * z, head = 1 - half;
    double rest = ((1 - head) - half) + (z * z * MT_HORNER_F64(z, mt_cos_poly_f64) - r * low), c = head + rest;
    *error = rest - (c - head);
    return c;
}
MT_INLINE double mt_sin_quarters_f64(double r, double low, uint64_t n) {
    double error, s = mt_sin_kernel_f64(r, low, &error), c = mt_cos_kernel_f64(r, low, &error), y = n & 1 ? c : s;
    return mt_from_bits_f64(mt_bits_f64(y) ^ (n & 2) << 62);
}
MT_INLINE double mt_sin_near_f64(double x) {
    double n, low, r = mt_reduce_near_f64(x, &n, &low);
    return x == 0 ? x : mt_sin_quarters_f64(r, low, mt_low_bits_f64(n));
}
MT_INLINE double mt_cos_near_f64(double x) {
    double n, low, r = mt_reduce_near_f64(x, &n, &low);
    return mt_sin_quarters_f64(r, low, mt_low_bits_f64(n) + 1);
}
MT_INLINE double mt_tan_near_f64(double x) {
    double n, low, r = mt_reduce_near_f64(x, &n, &low);
    double s_error, s = mt_sin_kernel_f64(r, low, &s_error), c_error, c = mt_cos_kernel_f64(r, low, &c_error);
    int odd = mt_low_bits_f64(n) & 1;
    double above = odd ? -c : s, above_error = odd ? -c_error : s_error;
    double below = odd ? s : c, below_error = odd ? s_error : c_error;
    double y = above / below;
    return x == 0 ? x : y + (above_error - y * below_error) / below;
}
MT_INLINE double mt_sin_f64(double x) { return mt_near_f64(x) ? mt_sin_near_f64(x) : sin(x); }
MT_INLINE double mt_cos_f64(double x) { return mt_near_f64(x) ? mt_cos_near_f64(x) : cos(x); }
MT_INLINE double mt_tan_f64(double x) { return mt_near_f64(x) ? mt_tan_near_f64(x) : tan(x); }

/* sin(pi x) / (pi x).  The argument is reduced exactly: x = m + (n + q)/2, |q| <= 1/2; q pi/2 is r + low. */
MT_INLINE double mt_sinc_f64(double x) {
    double m = __builtin_rint(x), f = 2 * (x - m), n = mt_nearest_f64(f), q = f - n, q_head = mt_head_f64(q);
    const double pi_hi = 0x1.921fb5p+0, pi_lo = 0x1.110b4611a6263p-26;      /* pi/2, the first part of 26 bits */
    double a = q_head * pi_hi, b = q_head * pi_lo + (q - q_head) * mt_half_pi, r = a + b;
    double quarters = n + 2 * (m - 2 * __builtin_floor(0.5 * m));
    double y = mt_sin_quarters_f64(r, b - (r - a), mt_low_bits_f64(quarters));
    double x_head = mt_head_f64(x), d_low = 2 * (x_head * pi_lo + (x - x_head) * mt_half_pi);
    double d_head = 2 * x_head * pi_hi, d = d_head + d_low, sinc = y / d;
    sinc -= sinc * ((d_low - (d - d_head)) / d);
    sinc = __builtin_fabs(x) > 0x1p1000 ? x - x : sinc;            /* there pi x may be infinite */
    return __builtin_fabs(x) < 0x1p-30 ? 1 : sinc + 0.0;           /* -0 + 0 = 0 */
}
MT_ROUNDED_1(sinc)

/* ---- inverse functions ---- */

/* asin(a) for a <= 1/2; above, pi/2 - 2 asin(h) with h = sqrt((1 - a)/2).  The rounding error of h counts where asin
   is small against pi/2 no longer, and for acos always: h = head + tail, tail = (h^2 - head^2) / (h + head). */
MT_INLINE double mt_asin_core_f64(double a, double *h, double *tail) {
    int upper = a > 0.5;
    double z = upper ? 0.5 * (1 - a) : a * a;
    double root = upper ? __builtin_sqrt(z) : a, head = mt_head_f64(root);
    *h = upper ? head : a;
    *tail = (upper & (root > 0) ? (z - head * head) / (root + head) : 0)
        + root * (z * MT_HORNER_F64(z, mt_asin_poly_f64));
    return upper;
}
MT_INLINE double mt_asin_f64(double x) {
    double h, tail, upper = mt_asin_core_f64(__builtin_fabs(x), &h, &tail);
    double far = mt_half_pi - 2 * h, y = upper ? far + (((mt_half_pi - far) - 2 * h) - (2 * tail - mt_half_pi_low))
                                               : h + tail;
    return __builtin_copysign(y, x);
}
MT_INLINE double mt_acos_f64(double x) {
    double h, tail, upper = mt_asin_core_f64(__builtin_fabs(x), &h, &tail);
    double near = mt_half_pi - (x + (__builtin_copysign(tail, x) - mt_half_pi_low));
    double right = 2 * (h + tail), left = 2 * (mt_half_pi - (h + (tail - mt_half_pi_low)));
    return upper ? (x < 0 ? left : right) : near;
}

/* atan of t in [0, 1]. */
MT_INLINE double mt_atan_unit_f64(double t) {
    double z = t * t;
    return t + t * (z * MT_HORNER_F64(z, mt_atan_poly_f64));
}
MT_INLINE double mt_atan_f64(double x) {
    double a = __builtin_fabs(x), y = mt_atan_unit_f64(a > 1 ? 1 / a : a);
    return __builtin_copysign(a > 1 ? mt_half_pi - (y - mt_half_pi_low) : y, x);
}

/* The angle of the point (x, y): atan of the smaller over the larger, turned into its octant.  0/0 counts as 0 and
   inf/inf as 1; a NaN reaches the quotient. */
MT_INLINE double mt_atan2_f64(double y, double x) {
    double ax = __builtin_fabs(x), ay = __builtin_fabs(y);
    int steep = ay > ax;
    double small = steep ? ax : ay, large = steep ? ay : ax;
    double t = small / large;
    t = large == 0 ? 0 : t;
    t = small == INFINITY ? 1 : t;
    double angle = mt_atan_unit_f64(t);
    angle = steep ? mt_half_pi - (angle - mt_half_pi_low) : angle;
    angle = __builtin_copysign(1.0, x) < 0 ? 2 * mt_half_pi - (angle - 2 * mt_half_pi_low) : angle;
    return __builtin_copysign((x != x) | (y != y) ? x + y : angle, y);
}
MT_ROUNDED_1(asin)
MT_ROUNDED_1(acos)
MT_ROUNDED_1(atan)
MT_ROUNDED_2(atan2)

/* sqrt(x^2 + y^2), the larger scaled to [1, 2) by a power of two first; an infinity wins over a NaN. */
MT_INLINE double mt_hypot_f64(double x, double y) {
    double ax = __builtin_fabs(x), ay = __builtin_fabs(y), large = ax > ay ? ax : ay;
    large = large > 0x1p1021 ? 0x1p1021 : large;
    large = large < 0x1p-1021 ? 0x1p-1021 : large;
    uint64_t exponent = mt_bits_f64(large) & 0x7ff0000000000000u;
    double down = mt_from_bits_f64(0x7fe0000000000000u - exponent), up = mt_from_bits_f64(exponent);
    double sx = x * down, sy = y * down, root = up * __builtin_sqrt(sx * sx + sy * sy);
    return (ax == INFINITY) | (ay == INFINITY) ? INFINITY : root;
}
MT_INLINE float mt_hypot_f32(float x, float y) {
    double dx = x, dy = y, root = __builtin_sqrt(dx * dx + dy * dy);
    return (float)((__builtin_fabs(dx) == INFINITY) | (__builtin_fabs(dy) == INFINITY) ? INFINITY : root);
}

#endif
