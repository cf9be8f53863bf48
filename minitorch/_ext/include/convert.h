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

/* what a stored value means, and how a value is stored; S is the type in memory, V the type of the value */
#define MT_TYPES(X, ...) X(b8, __VA_ARGS__) X(u8, __VA_ARGS__) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) \
    X(i32, __VA_ARGS__) X(i64, __VA_ARGS__) X(f16, __VA_ARGS__) X(bf16, __VA_ARGS__) X(f32, __VA_ARGS__) X(f64, __VA_ARGS__) \
    X(c64, __VA_ARGS__) X(c128, __VA_ARGS__)
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
#define MT_IS_FLOAT(v) _Generic((v), float: 1, double: 1, mt_c64_t: 1, mt_c128_t: 1, default: 0)
#define MT_NARROW(type, v) ((type)(MT_IS_FLOAT(v) ? (int64_t)(int32_t)(v) : (int64_t)(v)))
#define MT_STORE_b8(v) ((uint8_t)((v) != 0))
#define MT_STORE_u8(v) MT_NARROW(uint8_t, v)
#define MT_STORE_i8(v) MT_NARROW(int8_t, v)
#define MT_STORE_i16(v) MT_NARROW(int16_t, v)
#define MT_STORE_i32(v) ((int32_t)(v))
#define MT_STORE_i64(v) ((int64_t)(v))
#define MT_STORE_f16(v) _Generic((v), double: mt_double_to_half((double)(v)), int64_t: mt_double_to_half((double)(v)), \
                                 mt_c128_t: mt_double_to_half((double)(v)), int32_t: mt_double_to_half((double)(v)), default: mt_float_to_half((float)(v)))
#define MT_STORE_bf16(v) mt_float_to_bf16((float)(v))
#define MT_STORE_f32(v) ((float)(v))
#define MT_STORE_f64(v) ((double)(v))
/* of a complex value in a real type the real part remains: that is what C's conversion means */
#define MT_STORE_c64(v) ((mt_c64_t)(v))
#define MT_STORE_c128(v) ((mt_c128_t)(v))

/* what makes complex numbers has one version: it is rare, and the versions are most of the code */
#define MT_CLONES_b8 MT_CLONES
#define MT_CLONES_u8 MT_CLONES
#define MT_CLONES_i8 MT_CLONES
#define MT_CLONES_i16 MT_CLONES
#define MT_CLONES_i32 MT_CLONES
#define MT_CLONES_i64 MT_CLONES
#define MT_CLONES_f16 MT_CLONES
#define MT_CLONES_bf16 MT_CLONES
#define MT_CLONES_f32 MT_CLONES
#define MT_CLONES_f64 MT_CLONES
#define MT_CLONES_c64
#define MT_CLONES_c128

#define MT_CONVERT(to, from)                                                                                       \
    MT_CLONES_##to static void mt_convert_##to##_##from(char *dst, ptrdiff_t ds, const char *src, ptrdiff_t ss,         \
                                                   ptrdiff_t n) {                                                  \
        typedef mt_##to##_t D; typedef mt_##from##_t S;                                                            \
        if (ss == 0) {                                                                                             \
            if (n == 0) return;                                                                                    \
            const D value = MT_STORE_##to(MT_LOAD_##from(*(const S *)src));                                        \
            if (ds == sizeof(D)) { D *d = (D *)dst; for (ptrdiff_t i = 0; i < n; i++) d[i] = value; }              \
            else for (ptrdiff_t i = 0; i < n; i++) *(D *)(dst + i * ds) = value;                                   \
        } else if (ds == sizeof(D) && ss == sizeof(S)) {                                                           \
            D *d = (D *)dst; const S *s = (const S *)src;                                                          \
            MT_IVDEP                                                                                               \
            for (ptrdiff_t i = 0; i < n; i++) d[i] = MT_STORE_##to(MT_LOAD_##from(s[i]));                          \
        } else if (ds == sizeof(D)) {                                                                              \
            D *d = (D *)dst;                                                                                       \
            for (ptrdiff_t i = 0; i < n; i++) d[i] = MT_STORE_##to(MT_LOAD_##from(*(const S *)(src + i * ss)));    \
        } else {                                                                                                   \
            for (ptrdiff_t i = 0; i < n; i++)                                                                      \
                *(D *)(dst + i * ds) = MT_STORE_##to(MT_LOAD_##from(*(const S *)(src + i * ss)));                  \
        }                                                                                                          \
    }

#define MT_FROM(from, to) MT_CONVERT(to, from)
/* the preprocessor does not expand a macro inside itself, so the inner list has a second name */
#define MT_TYPES_AGAIN(X, ...) X(b8, __VA_ARGS__) X(u8, __VA_ARGS__) X(i8, __VA_ARGS__) X(i16, __VA_ARGS__) \
    X(i32, __VA_ARGS__) X(i64, __VA_ARGS__) X(f16, __VA_ARGS__) X(bf16, __VA_ARGS__) X(f32, __VA_ARGS__) X(f64, __VA_ARGS__) \
    X(c64, __VA_ARGS__) X(c128, __VA_ARGS__)
#define MT_ALL_FROM(to, _) MT_TYPES_AGAIN(MT_FROM, to)
MT_TYPES(MT_ALL_FROM, _)

#define MT_NAME(from, to) mt_convert_##to##_##from,
#define MT_ROW(to, _) { MT_TYPES_AGAIN(MT_NAME, to) },
/* in the order of the type codes */
static const mt_convert_loop mt_convert[MT_NTYPES][MT_NTYPES] = { MT_TYPES(MT_ROW, _) };

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
