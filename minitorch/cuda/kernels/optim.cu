// An optimizer's step over many parameters in one launch.
//
// The formulas are the CPU's: optim_kernels.h has each optimizer as a function over n elements.  Here it is called for
// one element, with copies of parameter, gradient and state in registers, so that half-width types come in as floats.

#define OPTIONS 10
#define STATES 3
#define ITEMS 64                // a kernel's parameters are at most 4096 bytes
#define PORTION 2048            // elements of a block

#define INLINE __device__ __forceinline__
#define MT_STEP(name)                                                                                               \
    struct name {                                                                                                   \
        template <typename T>                                                                                       \
        static INLINE void step(T *, const T *, T *const *, int, const double *, const double *);                   \
    };                                                                                                              \
    template <typename T>                                                                                           \
    INLINE void name::step(T *p, const T *g, T *const *s, int n, const double *o, const double *at)
#define MT_ELEMENTS(i) for (int i = 0; i < n; i++)
#define SQRT sqrt
#define ABS fabs
#ifndef NULL
#define NULL 0
#endif
#include "optim_kernels.h"

struct Item {
    void *param;
    const void *grad;
    void *state[STATES];
    uint32_t numel;
    uint32_t block;             // the first of its blocks
};

struct Table {
    double options[OPTIONS], at[3];
    uint64_t items;
    Item item[ITEMS];
};

// Bit k of USED: the optimizer's tensor k of the state is there.
template <typename OPTIMIZER, typename S, int USED>
__global__ void optimizer_step(const __grid_constant__ Table table) {
    typedef typename Number<S>::type T;
    int low = 0, high = (int)table.items;                 // the last item that begins at this block or before
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (table.item[middle].block <= blockIdx.x) low = middle;
        else high = middle;
    }
    const Item &item = table.item[low];
    S *param = (S *)item.param;
    const S *grad = (const S *)item.grad;
    const uint32_t begin = (blockIdx.x - item.block) * PORTION, end = min(begin + PORTION, item.numel);
    for (uint32_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
        T p = Number<S>::load(param[i]), g = Number<S>::load(grad[i]), state[STATES];
        T *const used[STATES] = {USED & 1 ? state : NULL, USED & 2 ? state + 1 : NULL, USED & 4 ? state + 2 : NULL};
#pragma unroll
        for (int k = 0; USED >> k; k++)
            if (USED >> k & 1) state[k] = Number<S>::load(((const S *)item.state[k])[i]);
        OPTIMIZER::step(&p, &g, used, 1, table.options, table.at);
        param[i] = Number<S>::store(p);
#pragma unroll
        for (int k = 0; USED >> k; k++)
            if (USED >> k & 1) ((S *)item.state[k])[i] = Number<S>::store(state[k]);
    }
}
