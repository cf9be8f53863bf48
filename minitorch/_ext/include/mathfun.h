/* The functions of numbers that pointwise loops are made from: mt_NAME_TYPE.

       for (i = 0; i < n; i++) y[i] = mt_exp_f32(x[i]);

   They have no branches, tables or calls where speed matters, so the compiler vectorises such a loop for whatever
   processor it is compiled for.  Real results lie within 2 ulp of the true value unless a comment says otherwise, with
   IEEE's infinities, NaNs, signed zeros and denormals, whether or not the compiler fuses multiplications and additions
   (-ffp-contract), but not under -ffast-math, which allows it to cancel the rounding errors they keep.  */
#ifndef MINITORCH_MATHFUN_H
#define MINITORCH_MATHFUN_H

#include "mathfun_base.h"       /* bit casts, Horner's rule, powers of two */
#include "mathfun_poly.h"       /* the coefficients, written by tools/fit_polynomials.py */
#include "mathfun_explog.h"     /* exp, log, pow, tanh, ...; includes mathfun_real.h, the arithmetic, for both widths */
#include "mathfun_trig.h"       /* sin, atan2, hypot, sinc, ... */
#include "mathfun_special.h"    /* erf, normcdf, lgamma, i0, ... */

/* The integers.  (Comparisons with 0 that are always false in an unsigned type are meant.)  A bool is a byte of 0 or 1;
   what would be 2 or -1 is 1, so that the sum is "or" as the product is "and". */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits"

#define T uint8_t
#define U uint32_t
#define FN(name) mt_##name##_b8
#define SIGNED 0
#define WRAP(u) ((uint8_t)(((u) | (u) >> 1) & 1))
#include "mathfun_int.h"
#undef T
#undef U
#undef FN
#undef SIGNED
#undef WRAP

#define WRAP(u) ((T)(u))
#define T uint8_t
#define U uint32_t
#define FN(name) mt_##name##_u8
#define SIGNED 0
#include "mathfun_int.h"
#undef T
#undef U
#undef FN
#undef SIGNED

#define T int8_t
#define U uint32_t
#define FN(name) mt_##name##_i8
#define SIGNED 1
#include "mathfun_int.h"
#undef T
#undef U
#undef FN
#undef SIGNED

#define T int16_t
#define U uint32_t
#define FN(name) mt_##name##_i16
#define SIGNED 1
#include "mathfun_int.h"
#undef T
#undef U
#undef FN
#undef SIGNED

#define T int32_t
#define U uint32_t
#define FN(name) mt_##name##_i32
#define SIGNED 1
#include "mathfun_int.h"
#undef T
#undef U
#undef FN
#undef SIGNED

#define T int64_t
#define U uint64_t
#define FN(name) mt_##name##_i64
#define SIGNED 1
#include "mathfun_int.h"
#undef T
#undef U
#undef FN
#undef SIGNED

#undef WRAP
#pragma GCC diagnostic pop

#endif
