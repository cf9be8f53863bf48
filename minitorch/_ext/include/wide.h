/* 16 floats at once, on processors with AVX-512: the type, the mark of a function that uses it, and whether it may run.
 *
 * For what the compiler does not find by itself: products whose sums stay in registers (gemm_wide.h) and functions from
 * tables held in registers (mathfun_wide.h).  Everything else is plain loops, compiled for several processors.
 */
#ifndef MT_WIDE_H
#define MT_WIDE_H
#include "mt_config.h"

#if MT_HAVE_CLONES && defined(__x86_64__)
#define MT_HAVE_WIDE 1
#define WIDE __attribute__((target("avx512f")))
#define WIDE_INLINE WIDE static inline __attribute__((always_inline, unused))
typedef float wide_t __attribute__((vector_size(64)));
typedef float wide_any_t __attribute__((vector_size(64), aligned(4), may_alias));
typedef int wide_int_t __attribute__((vector_size(64)));

static inline int wide_ready(void)
{
    static int ready = -1;
    if (ready < 0) ready = __builtin_cpu_supports("avx512f") != 0;
    return ready;
}
#else
#define MT_HAVE_WIDE 0
static inline int wide_ready(void) { return 0; }
#endif
#endif
