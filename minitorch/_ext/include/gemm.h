/* Matrix products of every element type: who computes them, and how they are cut up for the thread pool.
 *
 * A job is a batch of products C = init + alpha A B (or C += alpha A B).  gemm_plan cuts each into tiles such that
 * all threads have work; the pool then calls gemm_units on ranges of tiles.  Floats and complex numbers go to OpenBLAS
 * unless they are tiny or laid out in a way that it cannot be told of; the rest to our own kernels.
 *
 * Included by matmul.pyx alone.
 */
#ifndef MT_GEMM_H
#define MT_GEMM_H

#include <stdint.h>
#include "blas.h"
#include "dtype.h"
#include "mathfun_complex.h"

/* Is a product below a number of multiplications? */
static inline int mt_is_below(mt_index limit, mt_index m, mt_index n, mt_index k)
{
    return m <= limit && n <= limit && k <= limit && m * n <= limit && m * n * k <= limit;
}

/* Measured on AVX-512 and AVX2: up to 10 x 10 x 10 a call of OpenBLAS costs more than the product, and up to
 * 96 x 96 x 96 packing both operands costs more than it saves. */
enum { MT_TINY = 1000, MT_SMALL = 96 * 96 * 96 };

#define MT_T float
#define MT_F(name) name##_f32
#include "gemm_kernel.h"
#define MT_T double
#define MT_F(name) name##_f64
#include "gemm_kernel.h"
#define MT_T uint8_t
#define MT_F(name) name##_u8
#include "gemm_kernel.h"
#define MT_T uint16_t
#define MT_F(name) name##_u16
#include "gemm_kernel.h"
#define MT_T uint32_t
#define MT_F(name) name##_u32
#include "gemm_kernel.h"
#define MT_T uint64_t
#define MT_F(name) name##_u64
#include "gemm_kernel.h"
#include "gemm_complex.h"
#include "gemm_wide.h"

/* Is a product for gemm_wide.h?  (Of few columns most of a panel would be zeros, and one row is no product.)  The reach
 * of its rows of A is bounded, since rows a large power of two apart share few places in the cache; OpenBLAS, which
 * packs A as well, does those.  Asked of whole products, not of tiles: results must not depend on how they are cut. */
static int gemm_is_wide(int code, mt_index m, mt_index n, mt_index k, mt_index a_rs, mt_index a_cs)
{
    const mt_index reach = 1000;
    return code == MT_F32 && m >= 4 && n >= 16 && k >= 4 && !mt_is_below(4096, m, n, k) && wide_ready()
           && (k <= WIDE_DEPTH || (a_rs <= reach && a_cs <= reach));
}

enum { MT_GEMM_BATCH_DIMS = 64 };

typedef struct {
    int code;             /* of the element type, MT_U8 to MT_C128, not a half type */
    int accumulate;       /* add to what C holds */
    mt_index m, n, k;
    double alpha;         /* 1 for integers */
    const char *a, *b;
    const char *init;     /* what C starts from, or NULL; its rows may repeat (a bias) */
    char *c;              /* columns adjacent, the products c_step apart */
    mt_index a_rs, a_cs, b_rs, b_cs, init_rs, init_cs, c_rs, c_step;   /* strides, all in elements */
    int batch_ndim;
    mt_index batch_shape[MT_GEMM_BATCH_DIMS];
    mt_index a_batch[MT_GEMM_BATCH_DIMS], b_batch[MT_GEMM_BATCH_DIMS], init_batch[MT_GEMM_BATCH_DIMS];
    /* filled in by gemm_plan */
    mt_index tile_m, tile_n, tiles_m, tiles_n, units, grain;
    int wide;             /* for gemm_wide.h */
} mt_gemm;

/* Would a contiguous copy of this operand be multiplied sooner?  Ours are slower than OpenBLAS, which cannot be told of
 * two strides; but small products are not worth a copy. */
static int gemm_wants_copy(int code, mt_index m, mt_index n, mt_index k,
                           mt_index rows, mt_index cols, mt_index rs, mt_index cs)
{
#if MT_HAVE_BLAS
    int trans, ld;
    return code >= MT_F32 && m > 1 && n > 1 && !mt_is_below(MT_SMALL, m, n, k)
           && !blas_layout(rows, cols, rs, cs, &trans, &ld) && blas_ready();
#else
    return 0;
#endif
}

/* One product, or a tile of one, on one thread. */
static void gemm_serial(int code, int wide, mt_index m, mt_index n, mt_index k, double alpha,
                        const void *a, mt_index a_rs, mt_index a_cs, const void *b, mt_index b_rs, mt_index b_cs,
                        int accumulate, void *c, mt_index c_rs)
{
    if (wide) {
        wide_gemm(m, n, k, (float)alpha, a, a_rs, a_cs, b, b_rs, b_cs, accumulate, c, c_rs);
        return;
    }
#if MT_HAVE_BLAS
    int tiny = mt_is_below(MT_TINY, m, n, k) && m != 1 && n != 1;
    if (code == MT_F32 && !tiny && blas_gemm_f32(m, n, k, (float)alpha, a, a_rs, a_cs, b, b_rs, b_cs,
                                                 (float)accumulate, c, c_rs)) return;
    if (code == MT_F64 && !tiny && blas_gemm_f64(m, n, k, alpha, a, a_rs, a_cs, b, b_rs, b_cs,
                                                 accumulate, c, c_rs)) return;
    if (code == MT_C64 && !tiny && blas_gemm_c64(m, n, k, (mt_c64_t)alpha, a, a_rs, a_cs, b, b_rs, b_cs,
                                                 (mt_c64_t)accumulate, c, c_rs)) return;
    if (code == MT_C128 && !tiny && blas_gemm_c128(m, n, k, (mt_c128_t)alpha, a, a_rs, a_cs, b, b_rs, b_cs,
                                                   (mt_c128_t)accumulate, c, c_rs)) return;
#endif
    (code == MT_F32 ? own_gemm_f32 : code == MT_F64 ? own_gemm_f64 : code == MT_C64 ? own_gemm_c64 :
     code == MT_C128 ? own_gemm_c128 : mt_itemsize[code] == 1 ? own_gemm_u8 :
     mt_itemsize[code] == 2 ? own_gemm_u16 : mt_itemsize[code] == 4 ? own_gemm_u32 : own_gemm_u64)
        (m, n, k, alpha, a, a_rs, a_cs, b, b_rs, b_cs, accumulate, c, c_rs);
}

/* Copy the rows and columns of `init` into C, or zeros. */
static void gemm_start(int size, mt_index m, mt_index n, const char *init, mt_index rs, mt_index cs,
                       char *c, mt_index c_rs)
{
    for (mt_index i = 0; i < m; i++, c += c_rs * size) {
        const char *from = init ? init + i * rs * size : NULL;     /* its strides say nothing then */
        if (!from) memset(c, 0, n * size);
        else if (cs == 1 || n == 1) memcpy(c, from, n * size);
        else for (mt_index j = 0; j < n; j++) memcpy(c + j * size, from + j * cs * size, size);
    }
}

/* One tile of one product. */
static void gemm_tile(const mt_gemm *g, const char *a, const char *b, const char *init, char *c,
                      mt_index row, mt_index col)
{
    int size = mt_itemsize[g->code], accumulate = g->accumulate;
    mt_index m = g->m - row < g->tile_m ? g->m - row : g->tile_m;
    mt_index n = g->n - col < g->tile_n ? g->n - col : g->tile_n;
    a += row * g->a_rs * size;
    b += col * g->b_cs * size;
    c += (row * g->c_rs + col) * size;
    if (init) init += (row * g->init_rs + col * g->init_cs) * size;
    if (init || (g->k == 0 && !accumulate)) {
        gemm_start(size, m, n, init, g->init_rs, g->init_cs, c, g->c_rs);
        accumulate = 1;
    }
    if (g->k)
        gemm_serial(g->code, g->wide, m, n, g->k, g->alpha, a, g->a_rs, g->a_cs, b, g->b_rs, g->b_cs,
                    accumulate, c, g->c_rs);
}

/* The pool's task: tiles begin to end, counted through the tiles of a product and then through the batch. */
static void gemm_units(void *job, mt_index begin, mt_index end)
{
    const mt_gemm *g = job;
    int size = mt_itemsize[g->code];
    mt_index tiles = g->tiles_m * g->tiles_n;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index product = unit / tiles, tile = unit % tiles, rest = product, a = 0, b = 0, init = 0;
        for (int d = g->batch_ndim - 1; d >= 0; d--) {
            mt_index i = rest % g->batch_shape[d];
            rest /= g->batch_shape[d];
            a += i * g->a_batch[d], b += i * g->b_batch[d], init += g->init ? i * g->init_batch[d] : 0;
        }
        gemm_tile(g, g->a + a * size, g->b + b * size, g->init ? g->init + init * size : NULL,
                  g->c + product * g->c_step * size, tile / g->tiles_n * g->tile_m, tile % g->tiles_n * g->tile_n);
    }
}

/* Merge neighbouring batch dimensions that one stride describes; then, if B is the same for all of the batch, make
 * the batch more rows of A: one large product instead of many small ones. */
static void gemm_merge_batch(mt_gemm *g)
{
    int last = -1;
    for (int d = 0; d < g->batch_ndim; d++) {
        mt_index size = g->batch_shape[d];
        if (size == 1) continue;
        int merges = last >= 0 && g->a_batch[last] == size * g->a_batch[d] && g->b_batch[last] == size * g->b_batch[d]
                     && (!g->init || g->init_batch[last] == size * g->init_batch[d]);
        if (!merges) last++;
        g->batch_shape[last] = merges ? g->batch_shape[last] * size : size;
        g->a_batch[last] = g->a_batch[d], g->b_batch[last] = g->b_batch[d];
        if (g->init) g->init_batch[last] = g->init_batch[d];
    }
    g->batch_ndim = last + 1;
    if (g->m == 1 && g->batch_ndim) {                   /* one row has any row stride */
        g->a_rs = g->a_batch[last], g->c_rs = g->c_step;
        if (g->init) g->init_rs = g->init_batch[last];
    }
    if (g->batch_ndim == 1 && g->b_batch[0] == 0 && g->a_batch[0] == g->m * g->a_rs && g->c_step == g->m * g->c_rs
            && (!g->init || g->init_batch[0] == g->m * g->init_rs)) {
        g->m *= g->batch_shape[0];
        g->batch_ndim = 0;
    }
}

/* Decide on the tiles.  A thread's share should be worth waking it; a product is cut only if the batch alone does not
 * keep all threads busy, and then so that the tiles are compact, since every tile packs its rows of A and columns
 * of B again (gemm_wide.h only those of B).  Tile edges are multiples of 16 or 32, for the sake of the kernels. */
static void gemm_plan(mt_gemm *g, int threads)
{
    enum { EDGE = 16 };
    gemm_merge_batch(g);
    g->wide = gemm_is_wide(g->code, g->m, g->n, g->k, g->a_rs, g->a_cs);
    const mt_index edge_n = g->wide ? WIDE_COLS : EDGE;
    mt_index batch = 1;
    for (int d = 0; d < g->batch_ndim; d++) batch *= g->batch_shape[d];
    double work = (double)g->m * (double)g->n * (double)(g->k + 1);
    double share = g->m == 1 || g->n == 1 ? 1 << 15 : 1 << 17;   /* a matrix times a vector waits for memory */
    double affordable = work * (double)batch / share;
    if (threads > affordable) threads = affordable < 1 ? 1 : (int)affordable;
    g->tile_m = g->m, g->tile_n = g->n;
    if (threads > 1 && batch < 4 * threads) {
        double best = 1e300;
        for (int across = 1; across <= threads; across++) {
            mt_index tile_m = (g->m + across - 1) / across, tile_n = (g->n + threads / across - 1) / (threads / across);
            if (g->n > 1) tile_m = (tile_m + EDGE - 1) / EDGE * EDGE;
            if (g->m > 1) tile_n = (tile_n + edge_n - 1) / edge_n * edge_n;
            double cost = (double)tile_m * (double)tile_n
                          + EDGE * ((g->wide ? 0 : (double)tile_m) + (double)tile_n);
            if (cost < best) best = cost, g->tile_m = tile_m, g->tile_n = tile_n;
        }
    }
    g->tiles_m = g->tile_m ? (g->m + g->tile_m - 1) / g->tile_m : 0;
    g->tiles_n = g->tile_n ? (g->n + g->tile_n - 1) / g->tile_n : 0;
    g->units = batch * g->tiles_m * g->tiles_n;
    g->grain = g->units > threads ? g->units / threads : 1;
}

#endif
