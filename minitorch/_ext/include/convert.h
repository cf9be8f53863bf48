/* Conversion loops, one for each pair of types: dst[i] = src[i] at any (byte) strides.
 * Copies, fills (source stride 0) and the gathering of strided operands all go through these.  Included by loops.pyx
 * alone: others ask it for a loop, since there are many. */
#ifndef MT_CONVERT_H
#define MT_CONVERT_H
#include <stddef.h>
#include <string.h>
#include "mt_config.h"
#include "dtype.h"
#include "half.h"
#include "pointwise.h"   /* mt_scalar */

typedef void (*mt_convert_loop)(char *dst, ptrdiff_t ds, const char *src, ptrdiff_t ss, ptrdiff_t n);

/* what a stored value means, and how a value is stored */
typedef uint8_t mt_b8_t; typedef uint8_t mt_u8_t; typedef int8_t mt_i8_t; typedef int16_t mt_i16_t;
typedef int32_t mt_i32_t; typedef int64_t mt_i64_t; typedef uint16_t mt_f16_t; typedef uint16_t mt_bf16_t;
typedef float mt_f32_t; typedef double mt_f64_t;
#define MT_LOAD_b8(v) ((uint8_t)((v) != 0))
#define MT_LOAD_u8(v) (v)
#define MT_LOAD_i8(v) (v)
#define MT_LOAD_i16(v) (v)
#define MT_LOAD_i32(v) (v)
#define MT_LOAD_i64(v) (v)
#define MT_LOAD_f16(v) mt_half_to_float(v)
#define MT_LOAD_bf16(v) mt_bf16_to_float(v)
#define MT_LOAD_f32(v) (v)
#define MT_LOAD_f64(v) (v)
#define MT_LOAD_c64(v) (v)
#define MT_LOAD_c128(v) (v)
/* a float outside the integer's range gives what the processor gives; small integers are cut from a wider one */
#define MT_IS_FLOAT(v) _Generic((v), float: 1, double: 1, default: 0)
#define MT_NARROW(type, v) ((type)(MT_IS_FLOAT(v) ? (int64_t)(int32_t)(v) : (int64_t)(v)))
#define MT_STORE_b8(v) ((uint8_t)((v) != 0))
#define MT_STORE_u8(v) MT_NARROW(uint8_t, v)
#define MT_STORE_i16(v) MT_NARROW(int16_t, v)
#define MT_STORE_i32(v) ((int32_t)(v))
#define MT_STORE_i64(v) ((int64_t)(v))
#define MT_STORE_f16(v) _Generic((v), double: mt_double_to_half(v), default: mt_float_to_half((float)(v)))
#define MT_STORE_bf16(v) mt_float_to_bf16((float)(v))
#define MT_STORE_f32(v) ((float)(v))
#define MT_STORE_f64(v) ((double)(v))
#define MT_STORE_c64(v) ((mt_c64_t)(v))
#define MT_STORE_c128(v) ((mt_c128_t)(v))

/* ---- a loop from one type to the other -------------------------------------------------------------------------- */

#define MT_CONVERT_LOOP(to, load, store, D, S)                                                                         \
    static void to(char *dst, ptrdiff_t ds, const char *src, ptrdiff_t ss, ptrdiff_t n) {                              \
        if (ss == 0) {                                                                                                 \
            if (n == 0) return;                                                                                        \
            const D value = store(load(*(const S *)src));                                                              \
            if (ds == sizeof(D)) { D *d = (D *)dst; for (ptrdiff_t i = 0; i < n; i++) d[i] = value; }                  \
            else for (ptrdiff_t i = 0; i < n; i++) *(D *)(dst + i * ds) = value;                                       \
        } else if (ds == sizeof(D) && ss == sizeof(S)) {                                                               \
            D *d = (D *)dst; const S *s = (const S *)src;                                                              \
            MT_IVDEP                                                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) d[i] = store(load(s[i]));                                                \
        } else if (ds == sizeof(D)) {                                                                                  \
            D *d = (D *)dst;                                                                                           \
            for (ptrdiff_t i = 0; i < n; i++) d[i] = store(load(*(const S *)(src + i * ss)));                          \
        } else {                                                                                                       \
            for (ptrdiff_t i = 0; i < n; i++) *(D *)(dst + i * ds) = store(load(*(const S *)(src + i * ss)));          \
        }                                                                                                              \
    }
#define MT_CONVERT_ONCE(to, from)                                                                                      \
    MT_CONVERT_LOOP(mt_##to##_##from, MT_LOAD_##from, MT_STORE_##to, mt_##to##_t, mt_##from##_t)
#define MT_CONVERT(to, from) MT_CLONES MT_CONVERT_ONCE(to, from)

MT_CONVERT(b8, b8) MT_CONVERT(b8, u8) MT_CONVERT(b8, i32) MT_CONVERT(b8, i64) MT_CONVERT(b8, f32) MT_CONVERT(b8, f64)
MT_CONVERT(u8, b8) MT_CONVERT(u8, u8) MT_CONVERT(u8, i32) MT_CONVERT(u8, i64) MT_CONVERT(u8, f32) MT_CONVERT(u8, f64)
MT_CONVERT(i16, i16) MT_CONVERT(i16, i32)
MT_CONVERT(i32, u8) MT_CONVERT(i32, i8) MT_CONVERT(i32, i16) MT_CONVERT(i32, i32) MT_CONVERT(i32, i64)
MT_CONVERT(i32, f32) MT_CONVERT(i32, f64)
MT_CONVERT(i64, b8) MT_CONVERT(i64, u8) MT_CONVERT(i64, i32) MT_CONVERT(i64, i64)
MT_CONVERT(i64, f32) MT_CONVERT(i64, f64)
MT_CONVERT(f16, f32) MT_CONVERT(f16, f64)
MT_CONVERT(bf16, f32)
MT_CONVERT(f32, b8) MT_CONVERT(f32, u8) MT_CONVERT(f32, i32) MT_CONVERT(f32, i64)
MT_CONVERT(f32, f16) MT_CONVERT(f32, bf16) MT_CONVERT(f32, f64)
MT_CONVERT(f64, b8) MT_CONVERT(f64, u8) MT_CONVERT(f64, i32) MT_CONVERT(f64, i64) MT_CONVERT(f64, f32)
/* of complex numbers one version: they are rare, and the versions are most of the code */
MT_CONVERT_ONCE(b8, c64) MT_CONVERT_ONCE(b8, c128)
MT_CONVERT_ONCE(c64, f32) MT_CONVERT_ONCE(c64, f64) MT_CONVERT_ONCE(c64, c64) MT_CONVERT_ONCE(c64, c128)
MT_CONVERT_ONCE(c128, f32) MT_CONVERT_ONCE(c128, f64) MT_CONVERT_ONCE(c128, c64) MT_CONVERT_ONCE(c128, c128)

/* ---- the rarer pairs, through a third type that holds all values of one of the two ------------------------------ */

static void mt_convert_through(char *dst, ptrdiff_t ds, const char *src, ptrdiff_t ss, ptrdiff_t n,
                               mt_convert_loop into, mt_convert_loop out, ptrdiff_t size) {
    enum { MOST = 256 };
    double buffer[MOST];
    if (ss == 0 && n) {
        into((char *)buffer, size, src, 0, 1);
        out(dst, ds, (const char *)buffer, 0, n);
        return;
    }
    for (ptrdiff_t i = 0; i < n; i += MOST) {
        const ptrdiff_t m = n - i < MOST ? n - i : MOST;
        into((char *)buffer, size, src + i * ss, ss, m);
        out(dst + i * ds, ds, (const char *)buffer, size, m);
    }
}

#define MT_THROUGH(third, to, from)                                                                                    \
    static void mt_##to##_##from(char *dst, ptrdiff_t ds, const char *src, ptrdiff_t ss, ptrdiff_t n) {                \
        mt_convert_through(dst, ds, src, ss, n, mt_##third##_##from, mt_##to##_##third, sizeof(mt_##third##_t));       \
    }

MT_THROUGH(u8, i32, b8)
MT_THROUGH(i32, b8, i16)
MT_THROUGH(i32, u8, i16)
MT_THROUGH(i32, i16, b8) MT_THROUGH(i32, i16, u8) MT_THROUGH(i32, i16, i8) MT_THROUGH(i32, i16, i64)
MT_THROUGH(i32, i16, f32) MT_THROUGH(i32, i16, f64)
MT_THROUGH(i32, i64, i8) MT_THROUGH(i32, i64, i16)
MT_THROUGH(i32, f32, i8) MT_THROUGH(i32, f32, i16)
MT_THROUGH(i32, f64, i8) MT_THROUGH(i32, f64, i16)
MT_THROUGH(f32, b8, f16) MT_THROUGH(f32, u8, f16) MT_THROUGH(f32, i16, f16) MT_THROUGH(f32, i32, f16)
MT_THROUGH(f32, i64, f16) MT_THROUGH(f32, bf16, f16) MT_THROUGH(f32, f64, f16)
MT_THROUGH(f32, b8, bf16) MT_THROUGH(f32, u8, bf16) MT_THROUGH(f32, i16, bf16) MT_THROUGH(f32, i32, bf16)
MT_THROUGH(f32, i64, bf16) MT_THROUGH(f32, f16, bf16) MT_THROUGH(f32, f64, bf16)
MT_THROUGH(f32, f16, b8) MT_THROUGH(f32, f16, u8) MT_THROUGH(f32, f16, i8) MT_THROUGH(f32, f16, i16)
MT_THROUGH(f64, f16, i32) MT_THROUGH(f64, f16, i64)
MT_THROUGH(f32, bf16, b8) MT_THROUGH(f32, bf16, u8) MT_THROUGH(f32, bf16, i8) MT_THROUGH(f32, bf16, i16)
MT_THROUGH(f32, bf16, i32) MT_THROUGH(f32, bf16, i64) MT_THROUGH(f32, bf16, f64)
MT_THROUGH(f32, c64, b8) MT_THROUGH(f32, c64, u8) MT_THROUGH(f32, c64, i8) MT_THROUGH(f32, c64, i16)
MT_THROUGH(f32, c64, i32) MT_THROUGH(f32, c64, i64) MT_THROUGH(f32, c64, f16) MT_THROUGH(f32, c64, bf16)
MT_THROUGH(f64, c128, b8) MT_THROUGH(f64, c128, u8) MT_THROUGH(f64, c128, i8) MT_THROUGH(f64, c128, i16)
MT_THROUGH(f64, c128, i32) MT_THROUGH(f64, c128, i64) MT_THROUGH(f32, c128, f16) MT_THROUGH(f32, c128, bf16)

/* By the types' codes, the target's first.  What is only moved is moved as any type of its size; a signed byte is
 * stored as an unsigned one; of a complex number a real type gets the real part, which comes first in memory. */
#define MT_ROW(to, b8_, u8_, i8_, i16_, i32_, i64_, f16_, bf16_, f32_, f64_, c64_, c128_)                              \
    [to] = {mt_##b8_, mt_##u8_, mt_##i8_, mt_##i16_, mt_##i32_, mt_##i64_, mt_##f16_, mt_##bf16_, mt_##f32_,           \
            mt_##f64_, mt_##c64_, mt_##c128_}
static const mt_convert_loop mt_convert[MT_NTYPES][MT_NTYPES] = {
    MT_ROW(MT_BOOL, b8_b8, b8_u8, b8_u8, b8_i16, b8_i32, b8_i64, b8_f16, b8_bf16, b8_f32, b8_f64, b8_c64, b8_c128),
    MT_ROW(MT_U8, u8_b8, u8_u8, u8_u8, u8_i16, u8_i32, u8_i64, u8_f16, u8_bf16, u8_f32, u8_f64, u8_f32, u8_f64),
    MT_ROW(MT_I8, u8_b8, u8_u8, u8_u8, u8_i16, u8_i32, u8_i64, u8_f16, u8_bf16, u8_f32, u8_f64, u8_f32, u8_f64),
    MT_ROW(MT_I16, i16_b8, i16_u8, i16_i8, i16_i16, i16_i32, i16_i64, i16_f16, i16_bf16, i16_f32, i16_f64, i16_f32,
           i16_f64),
    MT_ROW(MT_I32, i32_b8, i32_u8, i32_i8, i32_i16, i32_i32, i32_i64, i32_f16, i32_bf16, i32_f32, i32_f64, i32_f32,
           i32_f64),
    MT_ROW(MT_I64, i64_b8, i64_u8, i64_i8, i64_i16, i64_i32, i64_i64, i64_f16, i64_bf16, i64_f32, i64_f64, i64_f32,
           i64_f64),
    MT_ROW(MT_F16, f16_b8, f16_u8, f16_i8, f16_i16, f16_i32, f16_i64, i16_i16, f16_bf16, f16_f32, f16_f64, f16_f32,
           f16_f64),
    MT_ROW(MT_BF16, bf16_b8, bf16_u8, bf16_i8, bf16_i16, bf16_i32, bf16_i64, bf16_f16, i16_i16, bf16_f32, bf16_f64,
           bf16_f32, bf16_f64),
    MT_ROW(MT_F32, f32_b8, f32_u8, f32_i8, f32_i16, f32_i32, f32_i64, f32_f16, f32_bf16, i32_i32, f32_f64, i32_i32,
           f32_f64),
    MT_ROW(MT_F64, f64_b8, f64_u8, f64_i8, f64_i16, f64_i32, f64_i64, f64_f16, f64_bf16, f64_f32, i64_i64, f64_f32,
           i64_i64),
    MT_ROW(MT_C64, c64_b8, c64_u8, c64_i8, c64_i16, c64_i32, c64_i64, c64_f16, c64_bf16, c64_f32, c64_f64, c64_c64,
           c64_c128),
    MT_ROW(MT_C128, c128_b8, c128_u8, c128_i8, c128_i16, c128_i32, c128_i64, c128_f16, c128_bf16, c128_f32, c128_f64,
           c128_c64, c128_c128),
};

/* a number as a value of a type; half types are kept as float32, in which they compute */
static inline mt_scalar mt_scalar_from_double(int code, double v) {
    mt_scalar s = {.c128 = 0};
    switch (code) {
        case MT_BOOL: s.b8 = v != 0; break;
        case MT_U8: s.u8 = MT_NARROW(uint8_t, v); break;
        case MT_I8: s.i8 = MT_NARROW(int8_t, v); break;
        case MT_I16: s.i16 = MT_NARROW(int16_t, v); break;
        case MT_I32: s.i32 = (int32_t)v; break;
        case MT_I64: s.i64 = (int64_t)v; break;
        case MT_F64: s.f64 = v; break;
        case MT_C64: s.c64 = (float)v; break;
        case MT_C128: s.c128 = v; break;
        default: s.f32 = (float)v;
    }
    return s;
}

static inline mt_scalar mt_scalar_from_int(int code, int64_t v) {
    mt_scalar s = {.c128 = 0};
    switch (code) {
        case MT_BOOL: s.b8 = v != 0; break;
        case MT_U8: s.u8 = (uint8_t)v; break;
        case MT_I8: s.i8 = (int8_t)v; break;
        case MT_I16: s.i16 = (int16_t)v; break;
        case MT_I32: s.i32 = (int32_t)v; break;
        case MT_I64: s.i64 = v; break;
        case MT_F64: s.f64 = (double)v; break;
        case MT_C64: s.c64 = (float)v; break;
        case MT_C128: s.c128 = (double)v; break;
        default: s.f32 = (float)v;
    }
    return s;
}

static inline mt_scalar mt_scalar_from_complex(int code, double re, double im) {
    mt_scalar s = {.c128 = 0};
    const float single[2] = {(float)re, (float)im};
    const double wide[2] = {re, im};
    if (code == MT_C64) memcpy(&s, single, sizeof single);
    else memcpy(&s, wide, sizeof wide);
    return s;
}
#endif
