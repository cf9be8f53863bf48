// The functions of numbers, mt_NAME_TYPE: the very ones of the CPU's loops, so that both devices give the same values.
#ifndef MINITORCH_SIM
#pragma nv_diag_suppress 161, 177, 186   // another compiler's pragmas; what one type leaves unused or always true
#define MT_INLINE static __device__ __forceinline__
#define __builtin_fabs fabs
#define __builtin_fabsf fabsf
#define __builtin_sqrt sqrt
#define __builtin_sqrtf sqrtf
#define __builtin_floor floor
#define __builtin_floorf floorf
#define __builtin_ceil ceil
#define __builtin_ceilf ceilf
#define __builtin_trunc trunc
#define __builtin_truncf truncf
#define __builtin_rint rint
#define __builtin_rintf rintf
#define __builtin_copysign(x, y) copysign((double)(x), (double)(y))
#define __builtin_copysignf copysignf
#define __builtin_fmod fmod
#define __builtin_fmodf fmodf
#define __builtin_nextafter nextafter
#define __builtin_nextafterf nextafterf
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440
#define __builtin_lgamma_r(x, sign) lgamma(x)
#endif
#define mt_inf_f32 INFINITY
#define mt_nan_f32 NAN
#define mt_inf_f64 ((double)INFINITY)
#define mt_nan_f64 ((double)NAN)
#define MT_DEVICE                       // no C headers
static __device__ double sin_anywhere(double x);        // in farturn.cuh
static __device__ double cos_anywhere(double x);
static __device__ double tan_anywhere(double x);
#define sin(x) sin_anywhere(x)
#define cos(x) cos_anywhere(x)
#define tan(x) tan_anywhere(x)
#include "mathfun.h"
#include "specfun.h"
#undef sin
#undef cos
#undef tan
