// What every kernel of minitorch stands on: numbers, types by code, and the walk over strided memory.
//
// The same text is compiled by NVRTC for a GPU and by a C++ compiler for the simulator (which defines MINITORCH_SIM).
// It includes no header: NVRTC has none.
#ifndef MINITORCH_SIM
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
#endif
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fffffff)
#endif

// ---- half-width types are bits, converted at every load and store; arithmetic on them is float's

struct float16 { uint16_t bits; };
struct bfloat16 { uint16_t bits; };

#ifdef MINITORCH_SIM
__device__ inline float to_float(float16 x) { _Float16 h; memcpy(&h, &x, 2); return (float)h; }
__device__ inline float16 to_float16(float x) { _Float16 h = (_Float16)x; float16 y; memcpy(&y, &h, 2); return y; }
__device__ inline float16 to_float16(double x) { _Float16 h = (_Float16)x; float16 y; memcpy(&y, &h, 2); return y; }
#else
__device__ inline float to_float(float16 x) { float y; asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits)); return y; }
__device__ inline float16 to_float16(float x) {
    float16 y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}
__device__ inline float16 to_float16(double x) {
    float16 y;
    asm("cvt.rn.f16.f64 %0, %1;" : "=h"(y.bits) : "d"(x));
    return y;
}
#endif
__device__ inline float to_float(bfloat16 x) { return __uint_as_float((uint32_t)x.bits << 16); }
__device__ inline bfloat16 to_bfloat16(float x) {      // the nearest, ties to even; a NaN stays one
    uint32_t u = __float_as_uint(x);
    bfloat16 y;
    y.bits = x != x ? 0x7fc0 : (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
    return y;
}

// What a type in memory is computed in, and the way there and back.
template <typename S> struct Number {
    typedef S type;
    static __device__ S load(S x) { return x; }
    template <typename T> static __device__ S store(T x) { return (S)x; }
};
template <> struct Number<float16> {
    typedef float type;
    static __device__ float load(float16 x) { return to_float(x); }
    static __device__ float16 store(double x) { return to_float16(x); }      // rounded once
    template <typename T> static __device__ float16 store(T x) { return to_float16((float)x); }
};
template <> struct Number<bfloat16> {
    typedef float type;
    static __device__ float load(bfloat16 x) { return to_float(x); }
    template <typename T> static __device__ bfloat16 store(T x) { return to_bfloat16((float)x); }
};

// ---- a type that only the launch knows: its code is that of minitorch's dtype.h

enum Code { BOOL, UINT8, INT8, INT16, INT32, INT64, FLOAT16, BFLOAT16, FLOAT32, FLOAT64, NUMBER = 100 };

// The value at an address, as a T.
template <typename T> __device__ inline T load_as(const void *p, int code) {
    switch (code) {
    case BOOL: return (T)(*(const uint8_t *)p != 0);
    case UINT8: return (T)*(const uint8_t *)p;
    case INT8: return (T)*(const int8_t *)p;
    case INT16: return (T)*(const int16_t *)p;
    case INT32: return (T)*(const int32_t *)p;
    case INT64: return (T)*(const int64_t *)p;
    case FLOAT16: return (T)to_float(*(const float16 *)p);
    case BFLOAT16: return (T)to_float(*(const bfloat16 *)p);
    case FLOAT32: return (T)*(const float *)p;
    default: return (T)*(const double *)p;
    }
}

// Put a T at an address, converted.
template <typename T> __device__ inline void store_as(void *p, int code, T x) {
    switch (code) {
    case BOOL: *(uint8_t *)p = x != 0; break;
    case UINT8: *(uint8_t *)p = (uint8_t)(int64_t)x; break;
    case INT8: *(int8_t *)p = (int8_t)(int64_t)x; break;
    case INT16: *(int16_t *)p = (int16_t)(int64_t)x; break;
    case INT32: *(int32_t *)p = (int32_t)(int64_t)x; break;
    case INT64: *(int64_t *)p = (int64_t)x; break;
    case FLOAT16: *(float16 *)p = Number<float16>::store(x); break;
    case BFLOAT16: *(bfloat16 *)p = Number<bfloat16>::store(x); break;
    case FLOAT32: *(float *)p = (float)x; break;
    default: *(double *)p = (double)x; break;
    }
}

// ---- the walk: a result and its operands, broadcast to it (made by loops.device_walk)

#define DIMS 8
#define OPERANDS 6

struct Walk {
    uint32_t numel;
    int32_t ndim;
    uint32_t shape[DIMS];
    int64_t strides[OPERANDS][DIMS];      // in bytes; operand 0 is the result
};

// How far into each of the first N operands the element with a number lies, in bytes.
template <int N> __device__ inline void walk_to(const Walk &walk, uint32_t i, int64_t *offset) {
#pragma unroll
    for (int k = 0; k < N; k++) offset[k] = 0;
#pragma unroll
    for (int d = DIMS - 1; d >= 0; d--)
        if (d < walk.ndim) {
            uint32_t size = walk.shape[d], place = i % size;
            i /= size;
#pragma unroll
            for (int k = 0; k < N; k++) offset[k] += place * walk.strides[k][d];
        }
}

// The elements of one thread, in a grid of any size:  EACH(i, n) { ... }
#define EACH(i, n) for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += gridDim.x * blockDim.x)

// Four elements that are loaded and stored at once.
template <typename S> struct alignas(4 * sizeof(S)) Four { S at[4]; };

// ---- adding to a place that other threads add to as well

__device__ inline void add_at(float *p, float x) { atomicAdd(p, x); }
__device__ inline void add_at(double *p, double x) { atomicAdd(p, x); }
__device__ inline void add_at(int32_t *p, int32_t x) { atomicAdd(p, x); }
__device__ inline void add_at(int64_t *p, int64_t x) { atomicAdd((unsigned long long *)p, (unsigned long long)x); }

// Types narrower than an atomic: the word around the element is exchanged until nobody came between.
template <typename S> __device__ inline void add_at(S *p, S x) {
    uint32_t *word = (uint32_t *)((uint64_t)p & ~(uint64_t)3);
    const int shift = (int)((uint64_t)p & 3) * 8;
    const uint32_t mask = (sizeof(S) == 1 ? 0xffu : 0xffffu) << shift;
    uint32_t seen = atomicCAS(word, 0, 0), expected;        // a plain load would race with the others
    do {
        expected = seen;
        uint32_t bits = (expected & mask) >> shift, changed = 0;
        S old, sum;
        memcpy(&old, &bits, sizeof(S));
        sum = Number<S>::store((typename Number<S>::type)(Number<S>::load(old) + Number<S>::load(x)));
        memcpy(&changed, &sum, sizeof(S));
        seen = atomicCAS(word, expected, (expected & ~mask) | changed << shift);
    } while (seen != expected);
}
