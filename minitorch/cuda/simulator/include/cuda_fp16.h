// __half as CUDA's header has it, as far as its arithmetic goes: every operation rounds to half.
#pragma once
#include "sim_half.h"

SIM_HALF_TYPE(__half, sim_half_to_float, sim_float_to_half)
typedef __half half;
SIM_HALF_PAIR(__half2, __half)
typedef __half2 half2;
SIM_HALF_FUNCTIONS(__half, __half2)

static inline float __half2float(__half x) { return (float)x; }
static inline __half __float2half(float x) { return __half(x); }
static inline __half __float2half_rn(float x) { return __half(x); }
static inline __half __double2half(double x) { return __half(x); }
static inline __half __int2half_rn(int x) { return __half((double)x); }
static inline int __half2int_rn(__half x) { return (int)rintf((float)x); }
static inline int __half2int_rz(__half x) { return (int)(float)x; }
static inline unsigned short __half_as_ushort(__half x) { return x.bits; }
static inline __half __ushort_as_half(unsigned short bits) { __half x; x.bits = bits; return x; }
static inline __half2 __floats2half2_rn(float x, float y) { return __half2(__half(x), __half(y)); }
static inline __half2 __float22half2_rn(float2 v) { return __half2(__half(v.x), __half(v.y)); }
static inline __half2 __float2half2_rn(float x) { return __half2(__half(x), __half(x)); }
static inline float2 __half22float2(__half2 v) { return float2{(float)v.x, (float)v.y}; }
static inline __half2 __halves2half2(__half x, __half y) { return __half2(x, y); }
static inline __half2 __half2half2(__half x) { return __half2(x, x); }
static inline __half __low2half(__half2 v) { return v.x; }
static inline __half __high2half(__half2 v) { return v.y; }
static inline float __low2float(__half2 v) { return (float)v.x; }
static inline float __high2float(__half2 v) { return (float)v.y; }
