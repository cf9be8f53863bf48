// What __half and __nv_bfloat16 have in common: bits, conversions, and arithmetic through float.
#pragma once

#define SIM_HALF_TYPE(H, to_float_, from_) \
    struct H { \
        unsigned short bits; \
        H() = default; \
        H(float x) : bits(from_(x)) {} \
        H(double x) : bits(from_(x)) {} \
        H(int x) : bits(from_((double)x)) {} \
        H(unsigned x) : bits(from_((double)x)) {} \
        H(long long x) : bits(from_((double)x)) {} \
        operator float() const { return to_float_(bits); } \
        H &operator+=(H y) { return *this = H((float)*this + (float)y); } \
        H &operator-=(H y) { return *this = H((float)*this - (float)y); } \
        H &operator*=(H y) { return *this = H((float)*this * (float)y); } \
        H &operator/=(H y) { return *this = H((float)*this / (float)y); } \
    }; \
    static inline H operator+(H x, H y) { return H((float)x + (float)y); } \
    static inline H operator-(H x, H y) { return H((float)x - (float)y); } \
    static inline H operator*(H x, H y) { return H((float)x * (float)y); } \
    static inline H operator/(H x, H y) { return H((float)x / (float)y); } \
    static inline H operator-(H x) { return H(-(float)x); } \
    static inline bool operator==(H x, H y) { return (float)x == (float)y; } \
    static inline bool operator!=(H x, H y) { return (float)x != (float)y; } \
    static inline bool operator<(H x, H y) { return (float)x < (float)y; } \
    static inline bool operator<=(H x, H y) { return (float)x <= (float)y; } \
    static inline bool operator>(H x, H y) { return (float)x > (float)y; } \
    static inline bool operator>=(H x, H y) { return (float)x >= (float)y; }

#define SIM_HALF_PAIR(H2, H) \
    struct __attribute__((aligned(4))) H2 { \
        H x, y; \
        H2() = default; \
        H2(H x, H y) : x(x), y(y) {} \
    }; \
    static inline H2 operator+(H2 a, H2 b) { return H2(a.x + b.x, a.y + b.y); } \
    static inline H2 operator-(H2 a, H2 b) { return H2(a.x - b.x, a.y - b.y); } \
    static inline H2 operator*(H2 a, H2 b) { return H2(a.x * b.x, a.y * b.y); }

#define SIM_HALF_FUNCTIONS(H, H2) \
    static inline H __hadd(H x, H y) { return x + y; } \
    static inline H __hsub(H x, H y) { return x - y; } \
    static inline H __hmul(H x, H y) { return x * y; } \
    static inline H __hdiv(H x, H y) { return x / y; } \
    static inline H __hneg(H x) { return -x; } \
    static inline H __habs(H x) { return H(fabsf((float)x)); } \
    static inline H __hfma(H x, H y, H z) { return H(fma((double)(float)x, (double)(float)y, (double)(float)z)); } \
    static inline H __hmax(H x, H y) { return H(fmaxf((float)x, (float)y)); } \
    static inline H __hmin(H x, H y) { return H(fminf((float)x, (float)y)); } \
    static inline bool __heq(H x, H y) { return x == y; } \
    static inline bool __hne(H x, H y) { return x != y; } \
    static inline bool __hlt(H x, H y) { return x < y; } \
    static inline bool __hle(H x, H y) { return x <= y; } \
    static inline bool __hgt(H x, H y) { return x > y; } \
    static inline bool __hge(H x, H y) { return x >= y; } \
    static inline bool __hisnan(H x) { return isnan((float)x); } \
    static inline H hexp(H x) { return H(expf((float)x)); } \
    static inline H hlog(H x) { return H(logf((float)x)); } \
    static inline H hsqrt(H x) { return H(sqrtf((float)x)); } \
    static inline H hrsqrt(H x) { return H(rsqrtf((float)x)); } \
    static inline H2 __hadd2(H2 a, H2 b) { return a + b; } \
    static inline H2 __hsub2(H2 a, H2 b) { return a - b; } \
    static inline H2 __hmul2(H2 a, H2 b) { return a * b; } \
    static inline H2 __hfma2(H2 a, H2 b, H2 c) { return H2(__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)); }
