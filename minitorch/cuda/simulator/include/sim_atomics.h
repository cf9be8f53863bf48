// Atomic operations. One CPU thread runs everything, so a plain read, change and write is one step; the checker is
// told of the address, and the types are those that CUDA has each operation for.
#pragma once

#if MINITORCH_SIM_CHECK
#define SIM_ATOMIC static __attribute__((noinline, no_sanitize("thread")))
#define SIM_NOTE(p) sim_atomic((const void *)(p), sizeof(*(p)), __builtin_return_address(0))
#else
#define SIM_ATOMIC static inline
#define SIM_NOTE(p) ((void)0)
#endif

namespace sim {
template <class T, class... Ts> struct one_of { enum { value = 0 }; };
template <class T, class... Ts> struct one_of<T, T, Ts...> { enum { value = 1 }; };
template <class T, class U, class... Ts> struct one_of<T, U, Ts...> { enum { value = one_of<T, Ts...>::value }; };
template <class T> struct same { typedef T type; };      // takes no part in deduction
}
struct __half;
struct __nv_bfloat16;
struct __half2;
struct __nv_bfloat162;

#define SIM_UPDATE(name, expression, ...) \
    template <class T> SIM_ATOMIC T name(T *address, typename sim::same<T>::type value) { \
        static_assert(sim::one_of<T, __VA_ARGS__>::value, #name " has no version for this type; it has " #__VA_ARGS__); \
        SIM_NOTE(address); \
        T old = *address; \
        *address = (expression); \
        return old; \
    }
#define SIM_UPDATES(name, expression, ...) \
    SIM_UPDATE(name, expression, __VA_ARGS__) SIM_UPDATE(name##_block, expression, __VA_ARGS__) \
    SIM_UPDATE(name##_system, expression, __VA_ARGS__)
SIM_UPDATES(atomicAdd, (T)(old + value), int, unsigned, unsigned long long, unsigned long, float, double, __half,
            __nv_bfloat16, __half2, __nv_bfloat162)
SIM_UPDATES(atomicSub, (T)(old - value), int, unsigned)
SIM_UPDATES(atomicExch, value, int, unsigned, unsigned long long, unsigned long, float)
SIM_UPDATES(atomicMin, old < value ? old : value, int, unsigned, long long, unsigned long long)
SIM_UPDATES(atomicMax, old > value ? old : value, int, unsigned, long long, unsigned long long)
SIM_UPDATES(atomicAnd, (T)(old & value), int, unsigned, unsigned long long, unsigned long)
SIM_UPDATES(atomicOr, (T)(old | value), int, unsigned, unsigned long long, unsigned long)
SIM_UPDATES(atomicXor, (T)(old ^ value), int, unsigned, unsigned long long, unsigned long)
SIM_UPDATES(atomicInc, old >= value ? 0 : old + 1, unsigned)
SIM_UPDATES(atomicDec, old == 0 || old > value ? value : old - 1, unsigned)

#define SIM_CAS(name) \
    template <class T> SIM_ATOMIC T name(T *address, typename sim::same<T>::type expected, \
                                         typename sim::same<T>::type value) { \
        static_assert(sim::one_of<T, int, unsigned, unsigned long long, unsigned long, unsigned short>::value, \
                      #name " has no version for this type; it has int, unsigned, unsigned short, unsigned long long"); \
        SIM_NOTE(address); \
        T old = *address; \
        if (old == expected) *address = value; \
        else sim_spin(); \
        return old; \
    }
SIM_CAS(atomicCAS) SIM_CAS(atomicCAS_block) SIM_CAS(atomicCAS_system)
