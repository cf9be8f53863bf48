/* What every function of mathfun.h stands on: bit casts, Horner's rule, powers of two, exact products. */
#ifndef MINITORCH_MATHFUN_BASE_H
#define MINITORCH_MATHFUN_BASE_H

#ifndef MT_DEVICE               /* a kernel of minitorch/cuda has no C library, and all of this built in */
#include <math.h>
#include <stdint.h>
#include <string.h>
#endif

#ifndef MT_INLINE
#define MT_INLINE static inline __attribute__((always_inline, unused))
#endif

#ifdef MT_DEVICE
#define MT_UNROLL _Pragma("unroll")
#else
#define MT_UNROLL _Pragma("GCC unroll 48")
#endif

/* A memcpy of a register is free, is defined behaviour, and vectorises. */
MT_INLINE uint32_t mt_bits_f32(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }
MT_INLINE uint64_t mt_bits_f64(double x) { uint64_t u; memcpy(&u, &x, sizeof u); return u; }
MT_INLINE float mt_from_bits_f32(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }
MT_INLINE double mt_from_bits_f64(uint64_t u) { double x; memcpy(&x, &u, sizeof x); return x; }

/* c[0] + c[1] x + ... + c[n-1] x^(n-1).  Unrolled, so that the loop over elements is the one that is vectorised. */
MT_INLINE float mt_horner_f32(float x, const float *c, int n) {
    float y = c[n - 1];
MT_UNROLL
    for (int i = n - 2; i >= 0; i--) y = y * x + c[i];
    return y;
}
MT_INLINE double mt_horner_f64(double x, const double *c, int n) {
    double y = c[n - 1];
MT_UNROLL
    for (int i = n - 2; i >= 0; i--) y = y * x + c[i];
    return y;
}
#define MT_HORNER_F32(x, c) mt_horner_f32((x), (c), (int)(sizeof(c) / sizeof(*(c))))
#define MT_HORNER_F64(x, c) mt_horner_f64((x), (c), (int)(sizeof(c) / sizeof(*(c))))

/* The nearest integer, ties to even, of |x| < 2^22 (2^51): adding 1.5 2^23 leaves no bits behind the point. */
MT_INLINE float mt_nearest_f32(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }
MT_INLINE double mt_nearest_f64(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

/* The low bits of a whole number |n| < 2^51: AVX2 has no conversion of doubles to 64-bit integers, so the same
   addition is used to place n at the bottom of the significand. */
MT_INLINE uint64_t mt_low_bits_f64(double n) { return mt_bits_f64(n + 0x1.8p52); }

/* 2^n for a whole number n in the range of normal exponents: n + bias sits at the bottom, the shift makes it the
   exponent. */
MT_INLINE float mt_pow2_f32(float n) { return mt_from_bits_f32(mt_bits_f32(n + (0x1.8p23f + 127)) << 23); }
MT_INLINE double mt_pow2_f64(double n) { return mt_from_bits_f64(mt_bits_f64(n + (0x1.8p52 + 1023)) << 52); }

/* p 2^n for p near 1 and n outside the normal exponents too, by as much again: 2^n is the product of two powers, one of
   half of n rounded down, one of the rest.  The first multiplication is exact, the second rounds once, into the
   denormals too, or overflows.  The shifts lose the high bits of the sum, and the halves of its low ones are biased. */
MT_INLINE float mt_scale_f32(float p, float n) {
    uint32_t bits = mt_bits_f32(n + (0x1.8p23f + 2 * 127)), half = bits >> 1;
    return p * mt_from_bits_f32(half << 23) * mt_from_bits_f32((bits - half) << 23);
}
MT_INLINE double mt_scale_f64(double p, double n) {
    uint64_t bits = mt_bits_f64(n + (0x1.8p52 + 2 * 1023)), half = bits >> 1;
    return p * mt_from_bits_f64(half << 52) * mt_from_bits_f64((bits - half) << 52);
}

/* x cut to 26 significant bits (rounded towards zero).  The product of two such numbers is exact.

   Extra precision rests on this: a number is kept as head + tail with the head cut, and products are written as
   head * head + (the small rest).  The compiler may or may not fuse such a multiplication and addition (processors
   with FMA do), and as the product is exact the result is the same, where the usual a*b - round(a*b) would not be. */
MT_INLINE double mt_head_f64(double x) { return mt_from_bits_f64(mt_bits_f64(x) & ~(uint64_t)0x7ffffff); }

#endif
