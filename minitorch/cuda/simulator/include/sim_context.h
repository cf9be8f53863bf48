// What a compiled kernel and the simulator's run time share: who is running, and the calls from one to the other.
#pragma once

typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;

struct uint3 { unsigned x, y, z; };

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
    constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
};

// One for each compiled module. Threads of a block are numbered as CUDA numbers them: x fastest.
struct SimContext {
    uint3 thread, block;           // threadIdx, blockIdx
    dim3 block_dim, grid_dim;      // blockDim, gridDim
    int current;                   // number of the running thread in its block
    int next, total, live;         // how many threads of the block were started, there are, have not returned
    const int *order;              // the order in which they start
    const uint3 *index;            // threadIdx of each
    unsigned char *exited;         // which have returned
};

// A place in the source, as the compiler knows it.
struct SimPlace {
    const char *file;
    int line;
};
#define SIM_HERE SimPlace{__FILE__, __LINE__}
// As last parameters: where the call stands.
#define SIM_CALLER const char *sim_file = __builtin_FILE(), int sim_line = __builtin_LINE()
#define SIM_CALL SimPlace{sim_file, sim_line}

enum SimBarrier { SIM_SYNC, SIM_COUNT, SIM_AND, SIM_OR };

enum SimCollective {
    SIM_WARP_SYNC, SIM_SHFL, SIM_SHFL_UP, SIM_SHFL_DOWN, SIM_SHFL_XOR, SIM_BALLOT, SIM_ANY, SIM_ALL, SIM_MATCH_ANY,
    SIM_MATCH_ALL, SIM_ADD, SIM_MIN, SIM_MAX, SIM_UMIN, SIM_UMAX, SIM_BIT_AND, SIM_BIT_OR, SIM_BIT_XOR
};

extern "C" {
int sim_barrier(SimPlace place, int kind, int predicate);
void sim_warp(SimPlace place, int kind, unsigned mask, const void *value, void *result, int size, int lane, int width);
unsigned sim_active_mask();
void sim_fence();
void sim_atomic(const void *address, int size, const void *pc);     // seen by the checker
void sim_spin();                                                    // a compare-and-swap that failed
void sim_trap(SimPlace place, const char *what);
int sim_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
long long sim_clock();
}
