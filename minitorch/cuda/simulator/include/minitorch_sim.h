// CUDA C as C++ on one CPU thread: put before a kernel's unmodified source by the simulator.
//
// Barriers and warp collectives switch fibers in the run time (../device), so they have their real meaning;
// everything else is what a CPU does anyway.
#pragma once
#define MINITORCH_SIM 1
#ifndef MINITORCH_SIM_CHECK
#define MINITORCH_SIM_CHECK 0
#endif
#define __CUDA_ARCH__ 800
#define __CUDACC__ 1
#define __CUDACC_RTC__ 1

#include "sim_context.h"

// NVRTC's widths: 64 bits are long long, so that overloads resolve as they do there.
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef __PTRDIFF_TYPE__ ptrdiff_t;

#define __global__ __attribute__((noinline, used))
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static __attribute__((used))      // found again in the symbol table; used: never folded away
#define __restrict__ __restrict
#define __builtin_align__(n) __attribute__((aligned(n)))

static SimContext sim_context;
static char __attribute__((aligned(128), used)) sim_dynamic[227 * 1024];      // extern __shared__
#define threadIdx (sim_context.thread)
#define blockIdx (sim_context.block)
#define blockDim (sim_context.block_dim)
#define gridDim (sim_context.grid_dim)
#define warpSize 32
// What `extern __shared__ T name[];` is rewritten to.
#define SIM_DYNAMIC(T, name) auto &name = *reinterpret_cast<T(*)[sizeof(sim_dynamic) / sizeof(T)]>(sim_dynamic)

#include "sim_types.h"
#include "sim_math.h"
#include "sim_bits.h"
#include "sim_sync.h"
#include "sim_atomics.h"
#include "sim_launch.h"
