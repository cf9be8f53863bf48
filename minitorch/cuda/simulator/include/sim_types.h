// Vector types, with CUDA's alignments, and their make_ functions.
#pragma once

#define SIM_VECTOR1(T, N) \
    struct N##1 { T x; }; \
    static inline N##1 make_##N##1(T x) { return N##1{x}; }
#define SIM_VECTOR2(T, N) \
    struct __attribute__((aligned(2 * sizeof(T)))) N##2 { T x, y; }; \
    static inline N##2 make_##N##2(T x, T y) { return N##2{x, y}; }
#define SIM_VECTOR3(T, N) \
    struct N##3 { T x, y, z; }; \
    static inline N##3 make_##N##3(T x, T y, T z) { return N##3{x, y, z}; }
#define SIM_VECTOR4(T, N) \
    struct __attribute__((aligned(4 * sizeof(T) < 16 ? 4 * sizeof(T) : 16))) N##4 { T x, y, z, w; }; \
    static inline N##4 make_##N##4(T x, T y, T z, T w) { return N##4{x, y, z, w}; }
#define SIM_VECTORS(T, N) SIM_VECTOR1(T, N) SIM_VECTOR2(T, N) SIM_VECTOR3(T, N) SIM_VECTOR4(T, N)

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
SIM_VECTORS(signed char, char)
SIM_VECTORS(unsigned char, uchar)
SIM_VECTORS(short, short)
SIM_VECTORS(unsigned short, ushort)
SIM_VECTORS(int, int)
SIM_VECTOR1(unsigned, uint) SIM_VECTOR2(unsigned, uint) SIM_VECTOR4(unsigned, uint)      // uint3 is in sim_context.h
static inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return uint3{x, y, z}; }
SIM_VECTORS(long, long)
SIM_VECTORS(unsigned long, ulong)
SIM_VECTORS(long long, longlong)
SIM_VECTORS(unsigned long long, ulonglong)
SIM_VECTORS(float, float)
SIM_VECTORS(double, double)

// Half-width floats as bits: round to nearest, ties to even, once.
static inline float sim_half_to_float(unsigned short bits) {
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    float value = exponent == 0 ? mantissa * 0x1p-24f
                : exponent == 31 ? (mantissa ? __builtin_nanf("") : __builtin_inff())
                : __builtin_ldexpf(1024 + mantissa, exponent - 25);
    return bits >> 15 ? -value : value;
}
static inline unsigned short sim_float_to_half(double x) {
    unsigned sign = __builtin_signbit(x) ? 0x8000 : 0;
    double size = __builtin_fabs(x);
    if (size != size) return 0x7e00 | sign;
    if (size >= 65520) return 0x7c00 | sign;                       // rounds to infinity
    if (size < 0x1p-14) return sign | (unsigned)__builtin_rint(size * 0x1p24);
    int exponent = __builtin_ilogb(size);
    return sign | (((exponent + 15) << 10) + ((int)__builtin_rint(__builtin_ldexp(size, 10 - exponent)) - 1024));
}
static inline float sim_bfloat_to_float(unsigned short bits) {
    unsigned wide = (unsigned)bits << 16;
    float value;
    __builtin_memcpy(&value, &wide, 4);
    return value;
}
static inline unsigned short sim_float_to_bfloat(float x) {
    unsigned wide;
    __builtin_memcpy(&wide, &x, 4);
    return x != x ? 0x7fff : (unsigned short)((wide + 0x7fff + (wide >> 16 & 1)) >> 16);
}
