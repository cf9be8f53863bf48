/* Our own matrix product for one element type, C = alpha A B or C += alpha A B.
 *
 * Included by gemm.h once for each type, with MT_T the type and MT_F(name) the name a function has for it.
 * Every operand has a row and a column stride in elements (so a transposed one costs nothing); C's columns are
 * adjacent.  Sums run over k in ascending order; integers wrap around, being unsigned here.
 *
 * The loops are plain C over constant bounds: the compiler keeps a tile of C in vector registers.
 * Source of the blocking: Goto, van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008.
 */

enum {
    MT_F(ROWS) = 6,                       /* the register tile: 6 rows by one cache line */
    MT_F(COLS) = 64 / sizeof(MT_T),
    MT_F(SMALL_COLS) = 32 / sizeof(MT_T), /* small products seldom fill as many columns */
};

#define MT_ALWAYS static inline __attribute__((always_inline))

/* acc[r][j] = sum over p of A[r, p] B[p, j], with B's rows adjacent. */
MT_ALWAYS void MT_F(tile)(const int rows, const int cols, mt_index k, const MT_T *a, mt_index a_rs, mt_index a_cs,
                          const MT_T *b, mt_index b_rs, MT_T *acc)
{
    for (int i = 0; i < rows * cols; i++) acc[i] = 0;
    for (mt_index p = 0; p < k; p++)
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 1
            for (int j = 0; j < cols; j++)  /* 1u: 16-bit integers would multiply, and overflow, as signed ints */
                acc[r * cols + j] += (MT_T)(1u * a[r * a_rs + p * a_cs] * b[p * b_rs + j]);
}

/* C = alpha acc, or C += alpha acc, for the part of the tile that C has. */
MT_ALWAYS void MT_F(store)(mt_index rows, mt_index cols, const int width, MT_T alpha, const MT_T *acc, int accumulate,
                           MT_T *c, mt_index c_rs)
{
    for (mt_index r = 0; r < rows; r++)
        if (accumulate)
            for (mt_index j = 0; j < cols; j++) c[r * c_rs + j] += (MT_T)(1u * alpha * acc[r * width + j]);
        else
            for (mt_index j = 0; j < cols; j++) c[r * c_rs + j] = (MT_T)(1u * alpha * acc[r * width + j]);
}

/* The next `height` rows of a small product, as long as there are so many. */
MT_ALWAYS mt_index MT_F(small_rows)(const int height, mt_index i, mt_index m, mt_index cols, mt_index k, MT_T alpha,
                                    const MT_T *a, mt_index a_rs, mt_index a_cs, const MT_T *b, mt_index b_rs,
                                    int accumulate, MT_T *c, mt_index c_rs)
{
    enum { COLS = MT_F(SMALL_COLS) };
    MT_T acc[8 * COLS];
    for (; i + height <= m; i += height) {
        MT_F(tile)(height, COLS, k, a + i * a_rs, a_rs, a_cs, b, b_rs, acc);
        if (cols == COLS) MT_F(store)(height, COLS, COLS, alpha, acc, accumulate, c + i * c_rs, c_rs);
        else MT_F(store)(height, cols, COLS, alpha, acc, accumulate, c + i * c_rs, c_rs);
    }
    return i;
}

/* Any product without memory of its own: few columns of B at a time, copied to the stack if they are not adjacent. */
static MT_CLONES void MT_F(gemm_small)(mt_index m, mt_index n, mt_index k, MT_T alpha,
                                       const MT_T *a, mt_index a_rs, mt_index a_cs,
                                       const MT_T *b, mt_index b_rs, mt_index b_cs,
                                       int accumulate, MT_T *c, mt_index c_rs)
{
    enum { COLS = MT_F(SMALL_COLS), DEPTH = 256 };
    MT_T copy[DEPTH * COLS];
    for (mt_index p0 = 0; p0 < k; p0 += DEPTH, accumulate = 1) {
        mt_index depth = k - p0 < DEPTH ? k - p0 : DEPTH;
        for (mt_index j0 = 0; j0 < n; j0 += COLS) {
            mt_index cols = n - j0 < COLS ? n - j0 : COLS, step = b_rs, i = 0;
            const MT_T *rows = a + p0 * a_cs, *columns = b + p0 * b_rs + j0 * b_cs;
            if (b_cs != 1 || cols < COLS) {
                for (mt_index p = 0; p < depth; p++)
                    for (mt_index j = 0; j < COLS; j++)
                        copy[p * COLS + j] = j < cols ? columns[p * b_rs + j * b_cs] : 0;
                columns = copy, step = COLS;
            }
            i = MT_F(small_rows)(8, i, m, cols, depth, alpha, rows, a_rs, a_cs, columns, step,
                                 accumulate, c + j0, c_rs);
            i = MT_F(small_rows)(4, i, m, cols, depth, alpha, rows, a_rs, a_cs, columns, step,
                                 accumulate, c + j0, c_rs);
            MT_F(small_rows)(1, i, m, cols, depth, alpha, rows, a_rs, a_cs, columns, step,
                             accumulate, c + j0, c_rs);
        }
    }
}

/* Copy X (rows by k) into panels of `height` rows, each panel column after column, the last filled up with zeros.
 * B goes in transposed: its panels hold `height` columns. */
MT_ALWAYS void MT_F(pack)(mt_index rows, mt_index k, const int height, const MT_T *x, mt_index rs, mt_index cs,
                          MT_T *out)
{
    for (mt_index i = 0; i < rows; i += height, x += height * rs, out += height * k) {
        mt_index here = rows - i < height ? rows - i : height;
        if (here < height) memset(out, 0, height * k * sizeof(MT_T));
        if (here == height && rs == 1)
            for (mt_index p = 0; p < k; p++)
                for (int r = 0; r < height; r++) out[p * height + r] = x[p * cs + r];
        else
            for (mt_index r = 0; r < here; r++)
                for (mt_index p = 0; p < k; p++) out[p * height + r] = x[r * rs + p * cs];
    }
}

static MT_CLONES void MT_F(packed_tile)(mt_index rows, mt_index cols, mt_index k, MT_T alpha, const MT_T *a,
                                        const MT_T *b, int accumulate, MT_T *c, mt_index c_rs)
{
    enum { ROWS = MT_F(ROWS), COLS = MT_F(COLS) };
    MT_T acc[ROWS * COLS];
    MT_F(tile)(ROWS, COLS, k, a, 1, ROWS, b, COLS, acc);
    if (rows == ROWS && cols == COLS) MT_F(store)(ROWS, COLS, COLS, alpha, acc, accumulate, c, c_rs);
    else MT_F(store)(rows, cols, COLS, alpha, acc, accumulate, c, c_rs);
}

/* Large products: a block of B that stays in the last cache, a block of A in the second, a panel of B in the first. */
static void MT_F(gemm_blocked)(mt_index m, mt_index n, mt_index k, MT_T alpha,
                               const MT_T *a, mt_index a_rs, mt_index a_cs,
                               const MT_T *b, mt_index b_rs, mt_index b_cs,
                               int accumulate, MT_T *c, mt_index c_rs)
{
    enum { ROWS = MT_F(ROWS), COLS = MT_F(COLS), BLOCK_M = 16 * ROWS, BLOCK_N = 1024, BLOCK_K = 256 };
    mt_index wide = n < BLOCK_N ? (n + COLS - 1) / COLS * COLS : BLOCK_N, deep = k < BLOCK_K ? k : BLOCK_K;
    void *memory = NULL;
    if (posix_memalign(&memory, 64, (size_t)(wide + BLOCK_M) * deep * sizeof(MT_T))) {
        MT_F(gemm_small)(m, n, k, alpha, a, a_rs, a_cs, b, b_rs, b_cs, accumulate, c, c_rs);
        return;
    }
    MT_T *b_block = memory, *a_block = b_block + wide * deep;
    for (mt_index j0 = 0; j0 < n; j0 += BLOCK_N) {
        mt_index cols = n - j0 < BLOCK_N ? n - j0 : BLOCK_N;
        for (mt_index p0 = 0; p0 < k; p0 += BLOCK_K) {
            mt_index depth = k - p0 < BLOCK_K ? k - p0 : BLOCK_K;
            int add = accumulate || p0 > 0;
            MT_F(pack)(cols, depth, COLS, b + p0 * b_rs + j0 * b_cs, b_cs, b_rs, b_block);
            for (mt_index i0 = 0; i0 < m; i0 += BLOCK_M) {
                mt_index rows = m - i0 < BLOCK_M ? m - i0 : BLOCK_M;
                MT_F(pack)(rows, depth, ROWS, a + i0 * a_rs + p0 * a_cs, a_rs, a_cs, a_block);
                for (mt_index j = 0; j < cols; j += COLS)
                    for (mt_index i = 0; i < rows; i += ROWS)
                        MT_F(packed_tile)(rows - i < ROWS ? rows - i : ROWS, cols - j < COLS ? cols - j : COLS, depth,
                                          alpha, a_block + i * depth, b_block + j * depth,
                                          add, c + (i0 + i) * c_rs + j0 + j, c_rs);
            }
        }
    }
    free(memory);
}

/* y = alpha A x, or y += alpha A x: by columns where those are adjacent, otherwise by rows. */
static MT_CLONES void MT_F(gemv)(mt_index m, mt_index k, MT_T alpha, const MT_T *a, mt_index a_rs, mt_index a_cs,
                                 const MT_T *x, mt_index x_step, int accumulate, MT_T *y, mt_index y_step)
{
    enum { LANES = MT_F(COLS) };
    if (a_rs == 1 && a_cs != 1 && y_step == 1) {
        if (!accumulate) for (mt_index i = 0; i < m; i++) y[i] = 0;
        for (mt_index p = 0; p < k; p++) {
            const MT_T *restrict column = a + p * a_cs;
            MT_T scale = (MT_T)(1u * alpha * x[p * x_step]);
            for (mt_index i = 0; i < m; i++) y[i] += (MT_T)(1u * scale * column[i]);
        }
        return;
    }
    for (mt_index i = 0; i < m; i++) {
        const MT_T *row = a + i * a_rs;
        MT_T sums[LANES] = {0}, sum = 0;  /* independent sums, so that they can be one vector */
        mt_index p = 0;
        if (a_cs == 1 && x_step == 1)
            for (; p + LANES <= k; p += LANES)
                for (int l = 0; l < LANES; l++) sums[l] += (MT_T)(1u * row[p + l] * x[p + l]);
        for (; p < k; p++) sum += (MT_T)(1u * row[p * a_cs] * x[p * x_step]);
        for (int l = 0; l < LANES; l++) sum += sums[l];
        sum = (MT_T)(1u * alpha * sum);
        y[i * y_step] = accumulate ? (MT_T)(y[i * y_step] + sum) : sum;
    }
}

/* Choose among the above. */
static void MT_F(own_gemm)(mt_index m, mt_index n, mt_index k, double scale,
                           const void *a, mt_index a_rs, mt_index a_cs, const void *b, mt_index b_rs, mt_index b_cs,
                           int accumulate, void *c, mt_index c_rs)
{
    MT_T alpha = (MT_T)scale;
    if (n == 1) MT_F(gemv)(m, k, alpha, a, a_rs, a_cs, b, b_rs, accumulate, c, c_rs);
    else if (m == 1) MT_F(gemv)(n, k, alpha, b, b_cs, b_rs, a, a_cs, accumulate, c, 1);
    else (mt_is_below(MT_SMALL, m, n, k) ? MT_F(gemm_small) : MT_F(gemm_blocked))
        (m, n, k, alpha, a, a_rs, a_cs, b, b_rs, b_cs, accumulate, c, c_rs);
}

#undef MT_ALWAYS
#undef MT_F
#undef MT_T
