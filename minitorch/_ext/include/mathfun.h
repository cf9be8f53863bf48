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
#include "mathfun_int.h"        /* the integers */

#endif
