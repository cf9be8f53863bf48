/* The functions of complex numbers that pointwise loops are made from: mt_NAME_c64 and mt_NAME_c128.
 *
 * Most are the C library's, which knows the branch cuts; the rest are written so that nothing cancels where the real
 * function of the same name is accurate too.  Products and quotients: by the formula, without C's search for infinities
 * (as in PyTorch), but quotients scaled against overflow. */
#ifndef MINITORCH_MATHFUN_COMPLEX_H
#define MINITORCH_MATHFUN_COMPLEX_H
#include <complex.h>
#include <math.h>
#include <string.h>
#include "dtype.h"
#undef I                        /* which C gives to the imaginary unit */

#define MT_COMPLEX(Z, R, NAME, LIBC)                                                                                 \
    static inline Z NAME(make)(R re, R im) { R parts[2] = {re, im}; Z z; memcpy(&z, parts, sizeof z); return z; }    \
    static inline Z NAME(add)(Z a, Z b) { return a + b; }                                                            \
    static inline Z NAME(sub)(Z a, Z b) { return a - b; }                                                            \
    static inline Z NAME(mul)(Z x, Z y) {                                                                            \
        const R a = LIBC(creal)(x), b = LIBC(cimag)(x), c = LIBC(creal)(y), d = LIBC(cimag)(y);                      \
        return NAME(make)(a * c - b * d, a * d + b * c);                                                             \
    }                                                                                                                \
    static inline Z NAME(div)(Z x, Z y) {                                                                            \
        R a = LIBC(creal)(x), b = LIBC(cimag)(x), c = LIBC(creal)(y), d = LIBC(cimag)(y);                            \
        const R scale = LIBC(fabs)(c) > LIBC(fabs)(d) ? LIBC(fabs)(c) : LIBC(fabs)(d);                               \
        if (scale > 0 && scale < (R)INFINITY) { a /= scale; b /= scale; c /= scale; d /= scale; }                    \
        const R norm = c * c + d * d;                                                                                \
        return NAME(make)((a * c + b * d) / norm, (b * c - a * d) / norm);                                           \
    }                                                                                                                \
    static inline Z NAME(conj)(Z x) { return NAME(make)(LIBC(creal)(x), -LIBC(cimag)(x)); }                          \
    static inline int NAME(isnan)(Z x) { return isnan(LIBC(creal)(x)) || isnan(LIBC(cimag)(x)); }                    \
    static inline int NAME(isinf)(Z x) { return isinf(LIBC(creal)(x)) || isinf(LIBC(cimag)(x)); }                    \
    static inline int NAME(isfinite)(Z x) { return isfinite(LIBC(creal)(x)) && isfinite(LIBC(cimag)(x)); }           \
    static inline Z NAME(exp)(Z x) { return LIBC(cexp)(x); }                                                         \
    static inline Z NAME(exp2)(Z x) { return LIBC(cexp)(x * (R)0.693147180559945309417); }                           \
    static inline Z NAME(expm1)(Z x) {                                                                               \
        const R a = LIBC(expm1)(LIBC(creal)(x)), s = LIBC(sin)(LIBC(cimag)(x) / 2), c = LIBC(cos)(LIBC(cimag)(x));   \
        return NAME(make)(a * c - 2 * s * s, (a + 1) * LIBC(sin)(LIBC(cimag)(x)));                                   \
    }                                                                                                                \
    static inline Z NAME(log)(Z x) { return LIBC(clog)(x); }                                                         \
    static inline Z NAME(log2)(Z x) { return LIBC(clog)(x) / (R)0.693147180559945309417; }                           \
    static inline Z NAME(log10)(Z x) { return LIBC(clog)(x) / (R)2.30258509299404568402; }                           \
    static inline Z NAME(log1p)(Z x) {                                                                               \
        const R a = LIBC(creal)(x), b = LIBC(cimag)(x);                                                              \
        if (!(LIBC(fabs)(a) < 1 && LIBC(fabs)(b) < 1)) return LIBC(clog)(x + 1);                                     \
        return NAME(make)(LIBC(log1p)(a * (2 + a) + b * b) / 2, LIBC(atan2)(b, 1 + a));                              \
    }                                                                                                                \
    static inline Z NAME(pow)(Z x, Z y) {                                                                            \
        if (y == 0) return 1;                                                                                        \
        if (x == 0 && LIBC(creal)(y) > 0) return 0;                                                                  \
        return LIBC(cpow)(x, y);                                                                                     \
    }                                                                                                                \
    static inline Z NAME(sqrt)(Z x) { return LIBC(csqrt)(x); }                                                       \
    static inline Z NAME(rsqrt)(Z x) { return NAME(div)(1, LIBC(csqrt)(x)); }                                        \
    static inline Z NAME(sin)(Z x) { return LIBC(csin)(x); }                                                         \
    static inline Z NAME(cos)(Z x) { return LIBC(ccos)(x); }                                                         \
    static inline Z NAME(tan)(Z x) { return LIBC(ctan)(x); }                                                         \
    static inline Z NAME(asin)(Z x) { return LIBC(casin)(x); }                                                       \
    static inline Z NAME(acos)(Z x) { return LIBC(cacos)(x); }                                                       \
    static inline Z NAME(atan)(Z x) { return LIBC(catan)(x); }                                                       \
    static inline Z NAME(sinh)(Z x) { return LIBC(csinh)(x); }                                                       \
    static inline Z NAME(cosh)(Z x) { return LIBC(ccosh)(x); }                                                       \
    static inline Z NAME(tanh)(Z x) { return LIBC(ctanh)(x); }                                                       \
    static inline Z NAME(asinh)(Z x) { return LIBC(casinh)(x); }                                                     \
    static inline Z NAME(acosh)(Z x) { return LIBC(cacosh)(x); }                                                     \
    static inline Z NAME(atanh)(Z x) { return LIBC(catanh)(x); }                                                     \
    static inline Z NAME(sinc)(Z x) {                                                                                \
        const Z u = x * (R)3.14159265358979323846;                                                                   \
        return x == 0 ? 1 : NAME(div)(LIBC(csin)(u), u);                                                             \
    }                                                                                                                \
    static inline Z NAME(sigmoid)(Z x) { return NAME(div)(1, 1 + LIBC(cexp)(-x)); }

#define MT_SINGLE(name) mt_##name##_c64
#define MT_SINGLE_LIBC(name) name##f
MT_COMPLEX(mt_c64_t, float, MT_SINGLE, MT_SINGLE_LIBC)
#define MT_DOUBLE(name) mt_##name##_c128
#define MT_DOUBLE_LIBC(name) name
MT_COMPLEX(mt_c128_t, double, MT_DOUBLE, MT_DOUBLE_LIBC)
#endif
