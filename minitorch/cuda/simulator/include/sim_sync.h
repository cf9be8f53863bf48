// Barriers, warp collectives, fences, and what a kernel tells the host.
#pragma once

#define SIM_FENCE __asm__ volatile("" ::: "memory")      // other threads' writes are seen from here on

static inline int sim_barrier_at(SimPlace place, int kind, int predicate) {
    SIM_FENCE;
    int result = sim_barrier(place, kind, predicate);
    SIM_FENCE;
    return result;
}
static inline void __syncthreads(SIM_CALLER) { sim_barrier_at(SIM_CALL, SIM_SYNC, 0); }
static inline int __syncthreads_count(int p, SIM_CALLER) { return sim_barrier_at(SIM_CALL, SIM_COUNT, p != 0); }
static inline int __syncthreads_and(int p, SIM_CALLER) { return sim_barrier_at(SIM_CALL, SIM_AND, p != 0); }
static inline int __syncthreads_or(int p, SIM_CALLER) { return sim_barrier_at(SIM_CALL, SIM_OR, p != 0); }

template <class T> static inline T sim_collective(SimPlace at, int kind, unsigned mask, T value, int lane, int width) {
    static_assert(sizeof(T) <= 16, "warp collectives take values of up to 16 bytes");
    T result = value;
    SIM_FENCE;
    sim_warp(at, kind, mask, &value, &result, sizeof(T), lane, width);
    SIM_FENCE;
    return result;
}
#define SIM_SHUFFLE(name, kind, lane_type) \
    template <class T> static inline T name(unsigned mask, T value, lane_type lane, int width = 32, \
                                            SIM_CALLER) { \
        return sim_collective(SIM_CALL, kind, mask, value, (int)lane, width); \
    }
SIM_SHUFFLE(__shfl_sync, SIM_SHFL, int)
SIM_SHUFFLE(__shfl_up_sync, SIM_SHFL_UP, unsigned)
SIM_SHUFFLE(__shfl_down_sync, SIM_SHFL_DOWN, unsigned)
SIM_SHUFFLE(__shfl_xor_sync, SIM_SHFL_XOR, int)

static inline void __syncwarp(unsigned mask = 0xffffffffu, SIM_CALLER) {
    SIM_FENCE;
    sim_warp(SIM_CALL, SIM_WARP_SYNC, mask, nullptr, nullptr, 0, 0, 32);
    SIM_FENCE;
}
#define SIM_VOTE(name, kind, R) \
    static inline R name(unsigned mask, int predicate, SIM_CALLER) { \
        return (R)sim_collective(SIM_CALL, kind, mask, (unsigned)(predicate != 0), 0, 32); \
    }
SIM_VOTE(__ballot_sync, SIM_BALLOT, unsigned)
SIM_VOTE(__any_sync, SIM_ANY, int)
SIM_VOTE(__all_sync, SIM_ALL, int)
static inline unsigned __activemask() { return sim_active_mask(); }

template <class T> static inline unsigned __match_any_sync(unsigned mask, T value, SIM_CALLER) {
    unsigned result;
    sim_warp(SIM_CALL, SIM_MATCH_ANY, mask, &value, &result, sizeof(T), 0, 32);
    return result;
}
template <class T> static inline unsigned __match_all_sync(unsigned mask, T value, int *all, SIM_CALLER) {
    unsigned result;
    sim_warp(SIM_CALL, SIM_MATCH_ALL, mask, &value, &result, sizeof(T), 0, 32);
    *all = result != 0;
    return result;
}
#define SIM_REDUCE(name, kind, T) \
    static inline T name(unsigned mask, T value, SIM_CALLER) { \
        return sim_collective(SIM_CALL, kind, mask, value, 0, 32); \
    }
SIM_REDUCE(__reduce_add_sync, SIM_ADD, int) SIM_REDUCE(__reduce_add_sync, SIM_ADD, unsigned)
SIM_REDUCE(__reduce_min_sync, SIM_MIN, int) SIM_REDUCE(__reduce_min_sync, SIM_UMIN, unsigned)
SIM_REDUCE(__reduce_max_sync, SIM_MAX, int) SIM_REDUCE(__reduce_max_sync, SIM_UMAX, unsigned)
SIM_REDUCE(__reduce_and_sync, SIM_BIT_AND, unsigned)
SIM_REDUCE(__reduce_or_sync, SIM_BIT_OR, unsigned)
SIM_REDUCE(__reduce_xor_sync, SIM_BIT_XOR, unsigned)

static inline void __threadfence() { SIM_FENCE; sim_fence(); }
static inline void __threadfence_system() { __threadfence(); }
static inline void __threadfence_block() { SIM_FENCE; }
static inline void __nanosleep(unsigned) {}
static inline void __trap(SIM_CALLER) { sim_trap(SIM_CALL, "__trap()"); }
static inline void __brkpt() {}
static inline long long clock64() { return sim_clock(); }
static inline long long clock() { return sim_clock(); }
#define printf(...) sim_printf(__VA_ARGS__)
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) ((condition) ? (void)0 : sim_trap(SIM_HERE, "assertion `" #condition "` failed"))
#endif
