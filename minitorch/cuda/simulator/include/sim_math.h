// CUDA's mathematical functions: each under its double name for both types, and under its float name.
#pragma once

#define SIM_MATH1(F) \
    extern "C" double F(double) noexcept; \
    extern "C" float F##f(float) noexcept; \
    static inline float F(float x) { return F##f(x); } \
    template <class T> static inline typename sim::if_whole<T, double>::type F(T x) { return F((double)x); }
#define SIM_MATH2(F) \
    extern "C" double F(double, double) noexcept; \
    extern "C" float F##f(float, float) noexcept; \
    static inline float F(float x, float y) { return F##f(x, y); } \
    template <class T, class U> static inline typename sim::if_mixed<T, U, double>::type F(T x, U y) { \
        return F((double)x, (double)y); \
    }
// Made here of a double expression in x.
#define SIM_MATH1_MADE(F, expression) \
    static inline double F(double x) { return expression; } \
    static inline float F##f(float y) { double x = y; return (float)(expression); } \
    static inline float F(float x) { return F##f(x); }

namespace sim {
template <class T, class R> struct if_whole {};
template <class R> struct if_whole<int, R> { typedef R type; };
template <class R> struct if_whole<unsigned, R> { typedef R type; };
template <class R> struct if_whole<long, R> { typedef R type; };
template <class R> struct if_whole<unsigned long, R> { typedef R type; };
template <class R> struct if_whole<long long, R> { typedef R type; };
template <class R> struct if_whole<unsigned long long, R> { typedef R type; };
template <class T> struct is_number { enum { value = 0 }; };
#define SIM_NUMBER(T) template <> struct is_number<T> { enum { value = 1 }; };
SIM_NUMBER(int) SIM_NUMBER(unsigned) SIM_NUMBER(long) SIM_NUMBER(unsigned long) SIM_NUMBER(long long)
SIM_NUMBER(unsigned long long) SIM_NUMBER(float) SIM_NUMBER(double)
template <bool, class R> struct when {};
template <class R> struct when<true, R> { typedef R type; };
template <class T, class U, class R> struct if_mixed : when<is_number<T>::value && is_number<U>::value, R> {};
template <class R> struct if_mixed<float, float, R> {};
template <class R> struct if_mixed<double, double, R> {};
}

SIM_MATH1(exp) SIM_MATH1(exp2) SIM_MATH1(exp10) SIM_MATH1(expm1) SIM_MATH1(log) SIM_MATH1(log2) SIM_MATH1(log10)
SIM_MATH1(log1p) SIM_MATH1(logb) SIM_MATH1(sqrt) SIM_MATH1(cbrt) SIM_MATH1(sin) SIM_MATH1(cos) SIM_MATH1(tan)
SIM_MATH1(asin) SIM_MATH1(acos) SIM_MATH1(atan) SIM_MATH1(sinh) SIM_MATH1(cosh) SIM_MATH1(tanh) SIM_MATH1(asinh)
SIM_MATH1(acosh) SIM_MATH1(atanh) SIM_MATH1(erf) SIM_MATH1(erfc) SIM_MATH1(lgamma) SIM_MATH1(tgamma)
SIM_MATH1(floor) SIM_MATH1(ceil) SIM_MATH1(trunc) SIM_MATH1(round) SIM_MATH1(rint) SIM_MATH1(nearbyint)
SIM_MATH1(fabs) SIM_MATH1(j0) SIM_MATH1(j1) SIM_MATH1(y0) SIM_MATH1(y1)
SIM_MATH2(pow) SIM_MATH2(fmod) SIM_MATH2(remainder) SIM_MATH2(atan2) SIM_MATH2(hypot) SIM_MATH2(copysign)
SIM_MATH2(nextafter) SIM_MATH2(fdim) SIM_MATH2(fmax) SIM_MATH2(fmin)

#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440

extern "C" {
double fma(double, double, double) noexcept;
float fmaf(float, float, float) noexcept;
double ldexp(double, int) noexcept;
float ldexpf(float, int) noexcept;
double frexp(double, int *) noexcept;
float frexpf(float, int *) noexcept;
double modf(double, double *) noexcept;
float modff(float, float *) noexcept;
int ilogb(double) noexcept;
int ilogbf(float) noexcept;
int abs(int) noexcept;
long labs(long) noexcept;
long long llabs(long long) noexcept;
void *memcpy(void *, const void *, size_t) noexcept;
void *memset(void *, int, size_t) noexcept;
}
static inline float fma(float x, float y, float z) { return fmaf(x, y, z); }
static inline float ldexp(float x, int n) { return ldexpf(x, n); }
static inline double scalbn(double x, int n) { return ldexp(x, n); }
static inline float scalbn(float x, int n) { return ldexpf(x, n); }
static inline float scalbnf(float x, int n) { return ldexpf(x, n); }
static inline float frexp(float x, int *n) { return frexpf(x, n); }
static inline float modf(float x, float *whole) { return modff(x, whole); }
static inline int ilogb(float x) { return ilogbf(x); }
static inline long abs(long x) { return labs(x); }
static inline long long abs(long long x) { return llabs(x); }
static inline float abs(float x) { return fabsf(x); }
static inline double abs(double x) { return fabs(x); }
static inline void sincos(double x, double *s, double *c) { *s = sin(x); *c = cos(x); }
static inline void sincosf(float x, float *s, float *c) { *s = sinf(x); *c = cosf(x); }
static inline void sincos(float x, float *s, float *c) { sincosf(x, s, c); }
static inline void sincospi(double x, double *s, double *c) { sincos(x * 3.14159265358979323846, s, c); }
static inline void sincospif(float x, float *s, float *c) {
    *s = (float)sin(x * 3.14159265358979323846);
    *c = (float)cos(x * 3.14159265358979323846);
}

namespace sim {
// The inverse of erfc for 0 < y < 2: Halley's steps from an asymptotic start, on the smaller of y and 2 - y.
static inline double erfc_inverse(double y) {
    if (y <= 0 || y >= 2 || y != y) return y == 0 ? __builtin_inf() : y == 2 ? -__builtin_inf() : __builtin_nan("");
    double small = y < 1 ? y : 2 - y, t = sqrt(-2 * log(small / 2));
    double x = 0.70710678118654752440 * (t - (2.515517 + t * (0.802853 + t * 0.010328))
                                               / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
    for (int i = 0; i < 3; i++) {
        double error = (erfc(x) - small) / (-1.12837916709551257390 * exp(-x * x));
        x -= error / (1 + x * error);
    }
    return y < 1 ? x : -x;
}
// The inverse of erf: through erfc where that is exact, by Newton's steps near 0.
static inline double erf_inverse(double y) {
    if (fabs(y) > 0.5) return y > 0 ? erfc_inverse(1 - y) : -erfc_inverse(1 + y);
    double x = y * 0.88622692545275801365;
    for (int i = 0; i < 5; i++) x -= (erf(x) - y) / (1.12837916709551257390 * exp(-x * x));
    return x == 0 ? y : x;
}
}
SIM_MATH1_MADE(rsqrt, 1 / sqrt(x))
SIM_MATH1_MADE(rcbrt, 1 / cbrt(x))
SIM_MATH1_MADE(erfinv, sim::erf_inverse(x))
SIM_MATH1_MADE(erfcinv, sim::erfc_inverse(x))
SIM_MATH1_MADE(normcdf, 0.5 * erfc(-x * 0.70710678118654752440))
SIM_MATH1_MADE(normcdfinv, -1.41421356237309504880 * sim::erfc_inverse(2 * x))
SIM_MATH1_MADE(sinpi, sin(fmod(x, 2.0) * 3.14159265358979323846))
SIM_MATH1_MADE(cospi, cos(fmod(x, 2.0) * 3.14159265358979323846))
SIM_MATH1_MADE(erfcx, x < 25 ? exp(x * x) * erfc(x) : 0.56418958354775628695 / x)

static inline float rhypotf(float x, float y) { return (float)(1 / hypot((double)x, (double)y)); }
static inline double rhypot(double x, double y) { return 1 / hypot(x, y); }
static inline float fdividef(float x, float y) { return x / y; }
#define SIM_CLASSIFY(f) \
    static inline bool f(float x) { return __builtin_##f(x); } \
    static inline bool f(double x) { return __builtin_##f(x); }
SIM_CLASSIFY(isnan) SIM_CLASSIFY(isinf) SIM_CLASSIFY(isfinite) SIM_CLASSIFY(signbit)
static inline int lround_int(double x) { return (int)round(x); }
static inline long lroundf(float x) { return (long)roundf(x); }
static inline long lround(double x) { return (long)round(x); }
static inline long long llroundf(float x) { return (long long)roundf(x); }
static inline long long llround(double x) { return (long long)round(x); }
static inline long lrintf(float x) { return (long)rintf(x); }
static inline long lrint(double x) { return (long)rint(x); }
static inline long long llrintf(float x) { return (long long)rintf(x); }
static inline long long llrint(double x) { return (long long)rint(x); }

#define SIM_ORDER(T) \
    static inline T max(T a, T b) { return a > b ? a : b; } \
    static inline T min(T a, T b) { return a < b ? a : b; }
SIM_ORDER(int) SIM_ORDER(unsigned) SIM_ORDER(long) SIM_ORDER(unsigned long) SIM_ORDER(long long)
SIM_ORDER(unsigned long long)
static inline unsigned max(int a, unsigned b) { return max((unsigned)a, b); }
static inline unsigned max(unsigned a, int b) { return max(a, (unsigned)b); }
static inline unsigned min(int a, unsigned b) { return min((unsigned)a, b); }
static inline unsigned min(unsigned a, int b) { return min(a, (unsigned)b); }
static inline float max(float a, float b) { return fmaxf(a, b); }
static inline float min(float a, float b) { return fminf(a, b); }
static inline double max(double a, double b) { return fmax(a, b); }
static inline double min(double a, double b) { return fmin(a, b); }
static inline double max(float a, double b) { return fmax((double)a, b); }
static inline double max(double a, float b) { return fmax(a, (double)b); }
static inline double min(float a, double b) { return fmin((double)a, b); }
static inline double min(double a, float b) { return fmin(a, (double)b); }

// Intrinsics. The fast ones are as exact as the others here: a test must not lean on their error.
static inline float __expf(float x) { return expf(x); }
static inline float __exp10f(float x) { return exp10f(x); }
static inline float __logf(float x) { return logf(x); }
static inline float __log2f(float x) { return log2f(x); }
static inline float __log10f(float x) { return log10f(x); }
static inline float __sinf(float x) { return sinf(x); }
static inline float __cosf(float x) { return cosf(x); }
static inline float __tanf(float x) { return tanf(x); }
static inline void __sincosf(float x, float *s, float *c) { sincosf(x, s, c); }
static inline float __powf(float x, float y) { return powf(x, y); }
static inline float __fdividef(float x, float y) { return x / y; }
static inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }
static inline float __fadd_rn(float x, float y) { return x + y; }
static inline float __fsub_rn(float x, float y) { return x - y; }
static inline float __fmul_rn(float x, float y) { return x * y; }
static inline float __fdiv_rn(float x, float y) { return x / y; }
static inline float __frcp_rn(float x) { return 1 / x; }
static inline float __fsqrt_rn(float x) { return sqrtf(x); }
static inline float __frsqrt_rn(float x) { return rsqrtf(x); }
static inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
static inline double __dadd_rn(double x, double y) { return x + y; }
static inline double __dmul_rn(double x, double y) { return x * y; }
static inline double __ddiv_rn(double x, double y) { return x / y; }
static inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }
