/* Products of floats on processors with AVX-512: C = alpha A B, or C += alpha A B.
 *
 * B is packed in panels of 32 columns, row after row, by which 8 rows of A at a time are multiplied: 16 vectors of sums
 * stay in registers.  A is read where it lies, whatever its strides.  A panel lives on the stack, 256 rows of B
 * in the first two caches; a B that is multiplied many times can be packed once (wide_pack_all).  Every sum runs over k
 * in ascending order in pieces of 256, so that it does not matter how the product is cut into tiles.
 *
 * Included by gemm.h.
 */
#ifndef MT_GEMM_WIDE_H
#define MT_GEMM_WIDE_H

#include "wide.h"

enum { WIDE_COLS = 32, WIDE_DEPTH = 256, WIDE_BLOCK_ROWS = 384 };

#if MT_HAVE_WIDE
/* v[i] becomes column i of the 16 by 16 numbers: swap blocks of 8 lanes, of 4, of 2, of 1. */
WIDE_INLINE void wide_transpose(wide_t *v)
{
    wide_int_t lane;
    for (int j = 0; j < 16; j++) lane[j] = j;
#pragma GCC unroll 4
    for (int s = 8; s; s /= 2) {
        wide_int_t odd = (lane & s) != 0;                   /* -1 or 0 */
        wide_int_t low = (lane & ~odd) | ((lane + 16 - s) & odd), high = ((lane + s) & ~odd) | ((lane + 16) & odd);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            if (!(i & s)) {
                wide_t a = v[i], b = v[i + s];
                v[i] = __builtin_shuffle(a, b, low);
                v[i + s] = __builtin_shuffle(a, b, high);
            }
    }
}

/* 16 columns of B, or 32, and k <= 256 of its rows, into a panel, or its left or right half. */
WIDE_INLINE void wide_pack_whole(const int columns, mt_index k, const float *b, mt_index rs, mt_index cs, float *out)
{
    mt_index p = 0;
    if (cs == 1)
        for (; p < k; p++)
            for (int j = 0; j < columns; j += 16)
                *(wide_t *)(out + p * WIDE_COLS + j) = *(const wide_any_t *)(b + p * rs + j);
    else if (rs == 1)
        for (; p + 16 <= k; p += 16)
            for (int j = 0; j < columns; j += 16) {
                wide_t v[16];
#pragma GCC unroll 16
                for (int i = 0; i < 16; i++) v[i] = *(const wide_any_t *)(b + (j + i) * cs + p);
                wide_transpose(v);
#pragma GCC unroll 16
                for (int i = 0; i < 16; i++) *(wide_t *)(out + (p + i) * WIDE_COLS + j) = v[i];
            }
    for (; p < k; p++)
        for (int j = 0; j < columns; j++) out[p * WIDE_COLS + j] = b[p * rs + j * cs];
}

/* `cols` <= 32 columns, the half that they end in filled up with zeros; of 16 or fewer only the left half is read. */
WIDE static void wide_pack(mt_index k, mt_index cols, const float *b, mt_index rs, mt_index cs, float *out)
{
    const mt_index whole = cols / 16 * 16;
    if (whole == WIDE_COLS) wide_pack_whole(WIDE_COLS, k, b, rs, cs, out);
    else if (whole) wide_pack_whole(16, k, b, rs, cs, out);
    if (whole < cols)
        for (mt_index p = 0; p < k; p++)
            for (mt_index j = whole; j < whole + 16; j++) out[p * WIDE_COLS + j] = j < cols ? b[p * rs + j * cs] : 0;
}

/* The sums of some rows and of 16 columns or 32 (`vectors` of 16), and what becomes of them. */
WIDE_INLINE void wide_tile(const int rows, const int vectors, mt_index k, float alpha, const float *a, mt_index a_rs,
                           mt_index a_cs, const float *b, int accumulate, float *c, mt_index c_rs, mt_index cols)
{
    wide_t sums[8][2];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = (wide_t){0};
    for (mt_index p = 0; p < k; p++, a += a_cs, b += WIDE_COLS) {
        const wide_t left = *(const wide_t *)b, right = vectors > 1 ? *(const wide_t *)(b + 16) : left;
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            const float x = a[r * a_rs];
            sums[r][0] += x * left;
            if (vectors > 1) sums[r][1] += x * right;
        }
    }
    const int whole = cols == 16 * vectors;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++, c += c_rs) {
        float line[WIDE_COLS] __attribute__((aligned(64)));
        wide_any_t *to = (wide_any_t *)(whole ? c : line);
        if (!whole && accumulate) memcpy(line, c, cols * sizeof(float));
        for (int v = 0; v < vectors; v++)
            if (accumulate) to[v] += alpha * sums[r][v];
            else to[v] = alpha * sums[r][v];
        if (!whole) memcpy(c, line, cols * sizeof(float));
    }
}

#define WIDE_TILE(ROWS)                                                                                              \
    WIDE static __attribute__((noinline)) void wide_tile_##ROWS(                                                     \
        mt_index k, float alpha, const float *a, mt_index a_rs, mt_index a_cs, const float *b, int accumulate,      \
        float *c, mt_index c_rs, mt_index cols)                                                                      \
    {                                                                                                                \
        if (cols <= 16) wide_tile(ROWS, 1, k, alpha, a, a_rs, a_cs, b, accumulate, c, c_rs, cols);                   \
        else if (a_cs == 1) wide_tile(ROWS, 2, k, alpha, a, a_rs, 1, b, accumulate, c, c_rs, cols);                  \
        else wide_tile(ROWS, 2, k, alpha, a, a_rs, a_cs, b, accumulate, c, c_rs, cols);                              \
    }
WIDE_TILE(8)
WIDE_TILE(4)
WIDE_TILE(1)

/* All rows of A by one panel. */
static void wide_panel(mt_index m, mt_index k, float alpha, const float *a, mt_index a_rs, mt_index a_cs,
                       const float *panel, int accumulate, float *c, mt_index c_rs, mt_index cols)
{
    mt_index i = 0;
    for (; i + 8 <= m; i += 8)
        wide_tile_8(k, alpha, a + i * a_rs, a_rs, a_cs, panel, accumulate, c + i * c_rs, c_rs, cols);
    for (; i + 4 <= m; i += 4)
        wide_tile_4(k, alpha, a + i * a_rs, a_rs, a_cs, panel, accumulate, c + i * c_rs, c_rs, cols);
    for (; i < m; i++)
        wide_tile_1(k, alpha, a + i * a_rs, a_rs, a_cs, panel, accumulate, c + i * c_rs, c_rs, cols);
}

static inline mt_index wide_least(mt_index x, mt_index limit) { return x < limit ? x : limit; }

static void wide_gemm(mt_index m, mt_index n, mt_index k, float alpha, const float *a, mt_index a_rs, mt_index a_cs,
                      const float *b, mt_index b_rs, mt_index b_cs, int accumulate, float *c, mt_index c_rs)
{
    float panel[WIDE_DEPTH * WIDE_COLS] __attribute__((aligned(64)));
    for (mt_index i = 0; i < m; i += WIDE_BLOCK_ROWS)
        for (mt_index p = 0; p < k; p += WIDE_DEPTH)
            for (mt_index j = 0; j < n; j += WIDE_COLS) {
                mt_index depth = wide_least(k - p, WIDE_DEPTH), cols = wide_least(n - j, WIDE_COLS);
                wide_pack(depth, cols, b + p * b_rs + j * b_cs, b_rs, b_cs, panel);
                wide_panel(wide_least(m - i, WIDE_BLOCK_ROWS), depth, alpha, a + i * a_rs + p * a_cs, a_rs, a_cs,
                           panel, accumulate || p > 0, c + i * c_rs + j, c_rs, cols);
            }
}

/* B packed for good, k by n rounded up to 32 columns, and the product with it. */
static void wide_pack_all(mt_index n, mt_index k, const float *b, mt_index b_rs, mt_index b_cs, float *out)
{
    for (mt_index j = 0; j < n; j += WIDE_COLS)
        for (mt_index p = 0; p < k; p += WIDE_DEPTH)
            wide_pack(wide_least(k - p, WIDE_DEPTH), wide_least(n - j, WIDE_COLS), b + p * b_rs + j * b_cs, b_rs, b_cs,
                      out + j * k + p * WIDE_COLS);
}
static void wide_gemm_packed(mt_index m, mt_index n, mt_index k, float alpha, const float *a, mt_index a_rs,
                             mt_index a_cs, const float *packed, int accumulate, float *c, mt_index c_rs)
{
    for (mt_index j = 0; j < n; j += WIDE_COLS)
        for (mt_index p = 0; p < k; p += WIDE_DEPTH)
            wide_panel(m, wide_least(k - p, WIDE_DEPTH), alpha, a + p * a_cs, a_rs, a_cs,
                       packed + j * k + p * WIDE_COLS, accumulate || p > 0, c + j, c_rs, wide_least(n - j, WIDE_COLS));
}

#else
static void wide_gemm(mt_index m, mt_index n, mt_index k, float alpha, const float *a, mt_index a_rs, mt_index a_cs,
                      const float *b, mt_index b_rs, mt_index b_cs, int accumulate, float *c, mt_index c_rs)
{ (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)a_rs, (void)a_cs, (void)b, (void)b_rs, (void)b_cs,
  (void)accumulate, (void)c, (void)c_rs; }
static void wide_pack_all(mt_index n, mt_index k, const float *b, mt_index b_rs, mt_index b_cs, float *out)
{ (void)n, (void)k, (void)b, (void)b_rs, (void)b_cs, (void)out; }
static void wide_gemm_packed(mt_index m, mt_index n, mt_index k, float alpha, const float *a, mt_index a_rs,
                             mt_index a_cs, const float *packed, int accumulate, float *c, mt_index c_rs)
{ (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)a_rs, (void)a_cs, (void)packed, (void)accumulate, (void)c,
  (void)c_rs; }
#endif
#endif
