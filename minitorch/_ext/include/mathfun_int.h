/* The integer functions of mathfun.h.  Every result is defined: sums and products wrap, a divisor of 0 gives 0 (callers
   refuse it before), the smallest number divided by -1 gives itself, so that no operand raises a signal. */
#ifndef MINITORCH_MATHFUN_INT_H
#define MINITORCH_MATHFUN_INT_H
#include "mathfun_base.h"

/* T: the type; U: unsigned, and at least as wide as int, so that its arithmetic wraps without promotion to int */
#define MT_INT_COMMON(S, T, U, BITS, IS_SIGNED)                                                                     \
    MT_INLINE T mt_add_##S(T a, T b) { return (T)((U)a + (U)b); }                                                   \
    MT_INLINE T mt_sub_##S(T a, T b) { return (T)((U)a - (U)b); }                                                   \
    MT_INLINE T mt_mul_##S(T a, T b) { return (T)((U)a * (U)b); }                                                   \
    MT_INLINE T mt_neg_##S(T a) { return (T)(0 - (U)a); }                                                           \
    MT_INLINE T mt_abs_##S(T a) { return IS_SIGNED && a < 0 ? mt_neg_##S(a) : a; }                                  \
    MT_INLINE T mt_sign_##S(T a) { return (T)((a > 0) - (IS_SIGNED && a < 0)); }                                    \
    MT_INLINE T mt_square_##S(T a) { return mt_mul_##S(a, a); }                                                     \
    MT_INLINE T mt_maximum_##S(T a, T b) { return a > b ? a : b; }                                                  \
    MT_INLINE T mt_minimum_##S(T a, T b) { return a < b ? a : b; }                                                  \
    MT_INLINE T mt_fmax_##S(T a, T b) { return a > b ? a : b; }                                                     \
    MT_INLINE T mt_fmin_##S(T a, T b) { return a < b ? a : b; }                                                     \
    MT_INLINE T mt_trunc_divide_##S(T a, T b) {                                                                     \
        return b == 0 ? 0 : IS_SIGNED && b == (T)-1 ? mt_neg_##S(a) : (T)(a / b);                                   \
    }                                                                                                               \
    MT_INLINE T mt_fmod_##S(T a, T b) { return b == 0 || (IS_SIGNED && b == (T)-1) ? 0 : (T)(a % b); }              \
    MT_INLINE T mt_remainder_##S(T a, T b) { /* the sign of the divisor */                                          \
        T r = mt_fmod_##S(a, b);                                                                                    \
        return IS_SIGNED && r != 0 && (r < 0) != (b < 0) ? (T)(r + b) : r;                                          \
    }                                                                                                               \
    MT_INLINE T mt_floor_divide_##S(T a, T b) {                                                                     \
        T q = mt_trunc_divide_##S(a, b);                                                                            \
        return IS_SIGNED && mt_fmod_##S(a, b) != 0 && (a < 0) != (b < 0) ? (T)(q - 1) : q;                          \
    }                                                                                                               \
    MT_INLINE T mt_pow_##S(T a, T n) {                                                                              \
        if (IS_SIGNED && n < 0) return a == 1 ? 1 : a == (T)-1 ? (n & 1 ? (T)-1 : 1) : 0;                           \
        T y = 1;                                                                                                    \
        for (; n; n = (T)(n >> 1), a = mt_mul_##S(a, a)) if (n & 1) y = mt_mul_##S(y, a);                           \
        return y;                                                                                                   \
    }                                                                                                               \
    MT_INLINE T mt_gcd_##S(T a, T b) {                                                                              \
        while (b != 0) { T r = mt_fmod_##S(a, b); a = b; b = r; }                                                   \
        return mt_abs_##S(a);                                                                                       \
    }                                                                                                               \
    MT_INLINE T mt_lcm_##S(T a, T b) {                                                                              \
        T g = mt_gcd_##S(a, b);                                                                                     \
        return g == 0 ? 0 : mt_abs_##S(mt_mul_##S(mt_trunc_divide_##S(a, g), b));                                   \
    }                                                                                                               \
    /* a count outside the type shifts everything out */                                                            \
    MT_INLINE T mt_left_shift_##S(T a, T n) { return n < 0 || n >= BITS ? 0 : (T)((U)a << n); }                     \
    MT_INLINE T mt_right_shift_##S(T a, T n) {                                                                      \
        return n < 0 || n >= BITS ? (IS_SIGNED && a < 0 ? (T)-1 : 0) : (T)(a >> n);                                 \
    }

MT_INT_COMMON(u8, uint8_t, unsigned, 8, 0)
MT_INT_COMMON(i8, int8_t, unsigned, 8, 1)
MT_INT_COMMON(i16, int16_t, unsigned, 16, 1)
MT_INT_COMMON(i32, int32_t, uint32_t, 32, 1)
MT_INT_COMMON(i64, int64_t, uint64_t, 64, 1)

/* bool: a sum is or, a product and */
MT_INLINE uint8_t mt_add_b8(uint8_t a, uint8_t b) { return a | b; }
MT_INLINE uint8_t mt_mul_b8(uint8_t a, uint8_t b) { return a & b; }
MT_INLINE uint8_t mt_sign_b8(uint8_t a) { return a; }
MT_INLINE uint8_t mt_square_b8(uint8_t a) { return a; }
MT_INLINE uint8_t mt_maximum_b8(uint8_t a, uint8_t b) { return a | b; }
MT_INLINE uint8_t mt_minimum_b8(uint8_t a, uint8_t b) { return a & b; }
MT_INLINE uint8_t mt_fmax_b8(uint8_t a, uint8_t b) { return a | b; }
MT_INLINE uint8_t mt_fmin_b8(uint8_t a, uint8_t b) { return a & b; }
#endif
