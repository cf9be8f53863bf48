/* Conversions of the 16-bit float types, in integer arithmetic that vectorises on any processor.

   half:      1 sign, 5 exponent, 10 significand bits;    bfloat16: the upper half of a float.

   To 16 bits the nearest, ties to even, gradual underflow included; an overflow is an infinity; a NaN stays a NaN. */
#ifndef MINITORCH_HALF_H
#define MINITORCH_HALF_H

#include "mathfun_base.h"

/* The bits below the sign, moved to a float's place, stand for the number times 2^-112 (the difference of the biases),
   denormals too.  An exponent of all ones becomes all ones. */
MT_INLINE float mt_half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = (uint32_t)(h & 0x7fff) << 13;
    uint32_t finite = mt_bits_f32(mt_from_bits_f32(magnitude) * 0x1p112f);
    return mt_from_bits_f32(sign | (magnitude >= 0x0f800000 ? magnitude | 0x7f800000 : finite));
}

/* Normal results: round by adding half of the last kept bit less one, and that bit's oddness.  A carry into the
   exponent is right, up to infinity.  Denormal results: adding 1/2 to a number below 2^-14 leaves 2^-24 as the last
   bit, and the processor rounds. */
MT_INLINE uint16_t mt_float_to_half(float x) {
    uint32_t bits = mt_bits_f32(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    uint32_t normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;
    uint32_t denormal = mt_bits_f32(mt_from_bits_f32(magnitude) + 0.5f) - 0x3f000000;
    uint32_t nan = 0x7e00 | (magnitude >> 13 & 0x3ff);
    uint32_t h = magnitude < 0x38800000 ? denormal : normal;
    h = magnitude >= 0x47800000 ? 0x7c00 : h;
    h = magnitude > 0x7f800000 ? nan : h;
    return (uint16_t)(sign | h);
}

MT_INLINE float mt_bf16_to_float(uint16_t b) { return mt_from_bits_f32((uint32_t)b << 16); }

MT_INLINE uint16_t mt_float_to_bf16(float x) {
    uint32_t bits = mt_bits_f32(x), rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : rounded);
}

/* A double rounded to `digits` bits after the leading one, or to the grid of the denormals below 2^min_exponent: the
   conversions through float that follow are then exact, so that the number is rounded once.  With e the exponent of x,
   adding 1.5 2^(e + 52 - digits) leaves just these bits. */
MT_INLINE double mt_round_to_bits(double x, int digits, double smallest_normal) {
    double a = __builtin_fabs(x), top = 0x1p200;
    a = a > top ? top : a;
    a = a < smallest_normal ? smallest_normal : a;
    double leading = mt_from_bits_f64(mt_bits_f64(a) & 0x7ff0000000000000u);
    double shift = leading * (1.5 * (double)((uint64_t)1 << (52 - digits)));
    return __builtin_fabs(x) < top ? __builtin_copysign((x + shift) - shift, x) : x;
}
MT_INLINE uint16_t mt_double_to_half(double x) {
    return mt_float_to_half((float)mt_round_to_bits(x, 10, 0x1p-14));
}
MT_INLINE uint16_t mt_double_to_bf16(double x) {
    return mt_float_to_bf16((float)mt_round_to_bits(x, 7, 0x1p-126));
}
MT_INLINE double mt_half_to_double(uint16_t h) { return mt_half_to_float(h); }
MT_INLINE double mt_bf16_to_double(uint16_t b) { return mt_bf16_to_float(b); }

#endif
