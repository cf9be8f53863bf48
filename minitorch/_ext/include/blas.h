/* OpenBLAS, opened when the first product asks for it.
 *
 * The library comes in the package (minitorch/_lib) and is never linked, so that importing costs nothing and a
 * build without it works.  It runs on one thread: gemm.h splits products over our pool.
 */
#ifndef MT_BLAS_H
#define MT_BLAS_H

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "dtype.h"
#include "mt_config.h"

typedef ptrdiff_t mt_index;

enum { BLAS_ROW_MAJOR = 101, BLAS_AS_IS = 111, BLAS_TRANSPOSED = 112 };
enum { BLAS_UNTRIED, BLAS_OPENING, BLAS_OPEN, BLAS_ABSENT };

#define MT_GEMM_ARGUMENTS(T) int order, int trans_a, int trans_b, int m, int n, int k, T alpha, const T *a, int lda, \
                             const T *b, int ldb, T beta, T *c, int ldc
#define MT_GEMV_ARGUMENTS(T) int order, int trans, int m, int n, T alpha, const T *a, int lda, \
                             const T *x, int x_step, T beta, T *y, int y_step
/* complex numbers go by their addresses, matrices as void */
#define MT_COMPLEX_GEMM_ARGUMENTS int order, int trans_a, int trans_b, int m, int n, int k, const void *alpha, \
                                  const void *a, int lda, const void *b, int ldb, const void *beta, void *c, int ldc

static struct {
    int state;
    void *library;
    char path[4096];
    char problem[512];  /* why it is absent, for `doctor` */
    void (*sgemm)(MT_GEMM_ARGUMENTS(float));
    void (*dgemm)(MT_GEMM_ARGUMENTS(double));
    void (*sgemv)(MT_GEMV_ARGUMENTS(float));
    void (*dgemv)(MT_GEMV_ARGUMENTS(double));
    void (*cgemm)(MT_COMPLEX_GEMM_ARGUMENTS), (*zgemm)(MT_COMPLEX_GEMM_ARGUMENTS);
    char *(*config)(void);
    char *(*core)(void);
} blas;

/* Say where the library is, before the first product. */
static void blas_set_path(const char *path)
{
    strncpy(blas.path, path, sizeof blas.path - 1);
}

static const char *blas_problem(void) { return blas.problem; }
static const char *blas_config(void) { return blas.config(); }
static const char *blas_core(void) { return blas.core(); }

/* For the tests: do without it, or not. */
static void blas_switch(int on) { blas.state = on ? BLAS_UNTRIED : BLAS_ABSENT; }

#if MT_HAVE_BLAS

#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>

static void *blas_symbol(void *library, const char *name)
{
    void *symbol = dlsym(library, name);
    if (!symbol && !blas.problem[0]) snprintf(blas.problem, sizeof blas.problem, "the library has no %s", name);
    return symbol;
}

/* dlopen with OPENBLAS_NUM_THREADS=1 in the environment: it starts its threads as it is loaded. */
static void *blas_dlopen(void)
{
    static const char variable[] = "OPENBLAS_NUM_THREADS";
    const char *value = getenv(variable);
    char *before = value ? strdup(value) : NULL;
    setenv(variable, "1", 1);
    void *library = dlopen(blas.path, RTLD_NOW | RTLD_LOCAL);
    if (!library) snprintf(blas.problem, sizeof blas.problem, "%s", dlerror());
    if (before) setenv(variable, before, 1);
    else unsetenv(variable);
    free(before);
    return library;
}

static int blas_open_now(void)
{
    const char *wanted = getenv("MINITORCH_BLAS");
    if (wanted && !strcmp(wanted, "0")) {
        snprintf(blas.problem, sizeof blas.problem, "switched off by MINITORCH_BLAS=0");
        return BLAS_ABSENT;
    }
    void *library = blas.library = blas_dlopen();
    if (!library) return BLAS_ABSENT;
    *(void **)&blas.sgemm = blas_symbol(library, "scipy_cblas_sgemm");
    *(void **)&blas.dgemm = blas_symbol(library, "scipy_cblas_dgemm");
    *(void **)&blas.sgemv = blas_symbol(library, "scipy_cblas_sgemv");
    *(void **)&blas.dgemv = blas_symbol(library, "scipy_cblas_dgemv");
    *(void **)&blas.cgemm = blas_symbol(library, "scipy_cblas_cgemm");
    *(void **)&blas.zgemm = blas_symbol(library, "scipy_cblas_zgemm");
    *(void **)&blas.config = blas_symbol(library, "scipy_openblas_get_config");
    *(void **)&blas.core = blas_symbol(library, "scipy_openblas_get_corename");
    void (*set_threads)(int);
    *(void **)&set_threads = blas_symbol(library, "scipy_openblas_set_num_threads");
    if (blas.problem[0]) return BLAS_ABSENT;
    set_threads(1);
    return BLAS_OPEN;
}

/* Is the library there?  Opens it at the first call; whoever comes meanwhile waits. */
static int blas_ready(void)
{
    int state = __atomic_load_n(&blas.state, __ATOMIC_ACQUIRE);
    while (state < BLAS_OPEN) {
        if (state == BLAS_UNTRIED && __atomic_compare_exchange_n(&blas.state, &state, BLAS_OPENING, 0,
                                                                 __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
            __atomic_store_n(&blas.state, blas_open_now(), __ATOMIC_RELEASE);
        else sched_yield();
        state = __atomic_load_n(&blas.state, __ATOMIC_ACQUIRE);
    }
    return state == BLAS_OPEN;
}

/* A function of the library by name, for others than this file (LAPACK); NULL if it or the library is not there. */
static void *blas_function(const char *name) { return blas_ready() ? dlsym(blas.library, name) : NULL; }

/* How BLAS is told of a matrix: as it is or transposed, and the distance of its rows (columns).
 * False if neither describes it: both strides above one, or a repeated row. */
static int blas_layout(mt_index rows, mt_index cols, mt_index rs, mt_index cs, int *trans, int *ld)
{
    mt_index distance;
    if ((cs == 1 || cols == 1) && (rs >= cols || rows == 1)) *trans = BLAS_AS_IS, distance = rows == 1 ? cols : rs;
    else if ((rs == 1 || rows == 1) && (cs >= rows || cols == 1))
        *trans = BLAS_TRANSPOSED, distance = cols == 1 ? rows : cs;
    else return 0;
    *ld = (int)distance;
    return distance >= 1 && distance <= INT_MAX;
}

/* y = alpha A x + beta y for an m by k matrix, false if BLAS cannot; x and y with their steps. */
#define MT_DEFINE_BLAS_GEMV(T, gemv, name)                                                                          \
    static int name(mt_index m, mt_index k, T alpha, const T *a, mt_index a_rs, mt_index a_cs,                     \
                    const T *x, mt_index x_step, T beta, T *y, mt_index y_step)                                    \
    {                                                                                                              \
        int trans, lda;                                                                                            \
        if (!blas_layout(m, k, a_rs, a_cs, &trans, &lda) || x_step < 1 || x_step > INT_MAX || y_step > INT_MAX)    \
            return 0;                                                                                              \
        int as_is = trans == BLAS_AS_IS;                                                                           \
        blas.gemv(BLAS_ROW_MAJOR, trans, (int)(as_is ? m : k), (int)(as_is ? k : m), alpha, a, lda,                \
                  x, (int)x_step, beta, y, (int)y_step);                                                           \
        return 1;                                                                                                  \
    }
MT_DEFINE_BLAS_GEMV(float, sgemv, blas_gemv_f32)
MT_DEFINE_BLAS_GEMV(double, dgemv, blas_gemv_f64)

/* C = alpha A B + beta C, false if BLAS cannot. */
#define MT_DEFINE_BLAS_GEMM(T, gemm, gemv, name)                                                                   \
    static int name(mt_index m, mt_index n, mt_index k, T alpha, const T *a, mt_index a_rs, mt_index a_cs,         \
                    const T *b, mt_index b_rs, mt_index b_cs, T beta, T *c, mt_index c_rs)                         \
    {                                                                                                              \
        int trans_a, trans_b, lda, ldb;                                                                            \
        if (m > INT_MAX || n > INT_MAX || k > INT_MAX || c_rs > INT_MAX || !blas_ready()) return 0;                \
        if (n == 1) return gemv(m, k, alpha, a, a_rs, a_cs, b, b_rs ? b_rs : k == 1, beta, c, m == 1 ? 1 : c_rs);  \
        if (m == 1) return gemv(n, k, alpha, b, b_cs, b_rs, a, a_cs ? a_cs : k == 1, beta, c, 1);                  \
        if (!blas_layout(m, k, a_rs, a_cs, &trans_a, &lda) || !blas_layout(k, n, b_rs, b_cs, &trans_b, &ldb))      \
            return 0;                                                                                              \
        blas.gemm(BLAS_ROW_MAJOR, trans_a, trans_b, (int)m, (int)n, (int)k, alpha, a, lda, b, ldb,                 \
                  beta, c, (int)c_rs);                                                                             \
        return 1;                                                                                                  \
    }
MT_DEFINE_BLAS_GEMM(float, sgemm, blas_gemv_f32, blas_gemm_f32)
MT_DEFINE_BLAS_GEMM(double, dgemm, blas_gemv_f64, blas_gemm_f64)

/* The same of complex numbers; a vector is a matrix of one column. */
#define MT_DEFINE_BLAS_COMPLEX_GEMM(Z, gemm, name)                                                                 \
    static int name(mt_index m, mt_index n, mt_index k, Z alpha, const void *a, mt_index a_rs, mt_index a_cs,      \
                    const void *b, mt_index b_rs, mt_index b_cs, Z beta, void *c, mt_index c_rs)                   \
    {                                                                                                              \
        int trans_a, trans_b, lda, ldb;                                                                            \
        if (m > INT_MAX || n > INT_MAX || k > INT_MAX || c_rs > INT_MAX || !blas_ready()                           \
                || !blas_layout(m, k, a_rs, a_cs, &trans_a, &lda) || !blas_layout(k, n, b_rs, b_cs, &trans_b, &ldb)) \
            return 0;                                                                                              \
        blas.gemm(BLAS_ROW_MAJOR, trans_a, trans_b, (int)m, (int)n, (int)k, &alpha, a, lda, b, ldb,                \
                  &beta, c, c_rs < n ? (int)n : (int)c_rs);                                                        \
        return 1;                                                                                                  \
    }
MT_DEFINE_BLAS_COMPLEX_GEMM(mt_c64_t, cgemm, blas_gemm_c64)
MT_DEFINE_BLAS_COMPLEX_GEMM(mt_c128_t, zgemm, blas_gemm_c128)

#else

static int blas_ready(void)
{
    strcpy(blas.problem, "built without it (MT_NO_BLAS, or scipy-openblas32 was not installed)");
    blas.state = BLAS_ABSENT;
    return 0;
}

static void *blas_function(const char *name) { (void)name; return NULL; }

#endif
#endif
