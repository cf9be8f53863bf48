/* Softmax and cross-entropy over rows of n values, or over columns that lie `step` values apart. */
#ifndef MT_SOFTMAX_H
#define MT_SOFTMAX_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "mt_config.h"
#include "mathfun.h"
#include "pointwise.h"

enum { MT_SOFTMAX, MT_LOG_SOFTMAX };
enum { MT_CHAINS = 32, MT_SOFTMAX_COLUMNS = 256 };

/* y = softmax of x; rows rows of n values, or n rows of `columns` columns that are `step` values apart */
typedef void (*mt_softmax_rows)(char *y, const char *x, ptrdiff_t rows, ptrdiff_t n);
typedef void (*mt_softmax_columns)(char *y, const char *x, ptrdiff_t n, ptrdiff_t step, ptrdiff_t columns);
/* dx from y and dy; the rows of dy are g_step values apart: 0 if they are all the same */
typedef void (*mt_softmax_rows_grad)(char *dx, const char *y, const char *g, ptrdiff_t g_step, ptrdiff_t rows,
                                     ptrdiff_t n);
typedef void (*mt_softmax_columns_grad)(char *dx, const char *y, const char *g, ptrdiff_t n, ptrdiff_t step,
                                        ptrdiff_t columns);
/* log sum exp of rows */
typedef void (*mt_lse_rows)(char *lse, const char *x, ptrdiff_t rows, ptrdiff_t n);
/* the same, and on the way dx = a softmax(x) - d w for each row's a and d (w is 1 where NULL) */
typedef void (*mt_cross_entropy_rows)(char *lse, char *dx, const char *x, const char *w, const double *a,
                                      const double *d, ptrdiff_t rows, ptrdiff_t n);
/* sum of w x (of x, where w is NULL) */
typedef double (*mt_dot_row)(const char *x, const char *w, ptrdiff_t n);
/* dx = a exp(x - lse) - d w (w is 1 where NULL; without x the exponential is 0) */
typedef void (*mt_cross_entropy_row_grad)(char *dx, const char *x, double lse, const char *w, double a, double d,
                                          ptrdiff_t n);

typedef struct {
    mt_softmax_rows rows[2];
    mt_softmax_columns columns[2];
    mt_softmax_rows_grad rows_grad[2];
    mt_softmax_columns_grad columns_grad[2];
    mt_lse_rows lse;
    mt_cross_entropy_rows cross_entropy;
    mt_dot_row dot;
    mt_cross_entropy_row_grad cross_entropy_grad;
} mt_softmax_kernels;

/* total = the sum of TERM over i < n, in independent chains that the compiler keeps in vector registers */
#define MT_CHAINED(T, total, START, STEP)                                                                            \
    T total;                                                                                                         \
    if (n < MT_CHAINS) {                                                                                             \
        total = START;                                                                                               \
        for (ptrdiff_t i = 0; i < n; i++) STEP(total, i);                                                            \
    } else {                                                                                                         \
        T chain[MT_CHAINS];                                                                                          \
        ptrdiff_t start = 0;                                                                                         \
        for (int k = 0; k < MT_CHAINS; k++) chain[k] = START;                                                        \
        for (; start + MT_CHAINS <= n; start += MT_CHAINS)                                                           \
            for (int k = 0; k < MT_CHAINS; k++) STEP(chain[k], start + k);                                           \
        for (int k = 0; start + k < n; k++) STEP(chain[k], start + k);                                               \
        _Pragma("GCC unroll 8") for (int w = MT_CHAINS / 2; w > 0; w /= 2)                                           \
            for (int k = 0; k < w; k++) MT_JOIN_##STEP(chain[k], chain[k + w]);                                      \
        total = chain[0];                                                                                            \
    }

/* once not a number, always not a number */
#define MT_JOIN_MT_STEP_MAX(t, v) do { t = (v) > t ? (v) : t; t = (v) != (v) ? (v) : t; } while (0)
#define MT_STEP_MAX(t, i) MT_JOIN_MT_STEP_MAX(t, x[i])
#define MT_JOIN_MT_STEP_SUM(t, v) t += (v)
#define MT_STEP_SUM(t, i) t += y[i]
#define MT_JOIN_MT_STEP_PRODUCT(t, v) t += (v)
#define MT_STEP_PRODUCT(t, i) t += g[i] * y[i]
#define MT_JOIN_MT_STEP_GRADIENT(t, v) t += (v)
#define MT_STEP_GRADIENT(t, i) t += g[i]
#define MT_JOIN_MT_STEP_WEIGHTED(t, v) t += (v)
#define MT_STEP_WEIGHTED(t, i) t += (double)w[i] * x[i]
#define MT_JOIN_MT_STEP_PLAIN(t, v) t += (v)
#define MT_STEP_PLAIN(t, i) t += x[i]

/* exp of x <= 0.  Results too small for a normal number are 0: beside the largest, which is 1, they do not count. */
#define MT_EXP_BELOW(t, T, LOWEST)                                                                                   \
    MT_INLINE T mt_exp_below_##t(T x) {                                                                              \
        T n, p = mt_exp_reduced_##t(x, &n);                                                                       \
        return x < LOWEST ? 0 : p * mt_pow2_##t(n);                                                                  \
    }
MT_EXP_BELOW(f32, float, -87)
MT_EXP_BELOW(f64, double, -708)

#define MT_SOFTMAX_KERNELS(t, T)                                                                                     \
    /* y = exp(x - max) and its sum; without `keep` y is but room for 512 of them */                                 \
    MT_INLINE T mt_exponentials_##t(T *restrict kept, const T *restrict values, ptrdiff_t all, T max, int keep) {    \
        T total = 0;                                                                                                 \
        for (ptrdiff_t begin = 0; begin < all; begin += 512) {                                                       \
            const T *restrict x = values + begin; T *restrict y = kept + (keep ? begin : 0);                         \
            const ptrdiff_t n = all - begin < 512 ? all - begin : 512;                                               \
            for (ptrdiff_t i = 0; i < n; i++) y[i] = mt_exp_below_##t(x[i] - max);                                   \
            MT_CHAINED(T, sum, 0, MT_STEP_SUM)                                                                       \
            total += sum;                                                                                            \
        }                                                                                                            \
        return total;                                                                                                \
    }                                                                                                                \
    MT_INLINE T mt_row_max_##t(const T *restrict x, ptrdiff_t n) {                                                   \
        MT_CHAINED(T, max, -INFINITY, MT_STEP_MAX)                                                                   \
        return max;                                                                                                  \
    }                                                                                                                \
    MT_CLONES static void mt_softmax_rows_##t(char *out, const char *values, ptrdiff_t rows, ptrdiff_t n) {          \
        for (ptrdiff_t r = 0; r < rows; r++) {                                                                       \
            const T *restrict x = (const T *)values + r * n; T *restrict y = (T *)out + r * n;                       \
            const T scale = 1 / mt_exponentials_##t(y, x, n, mt_row_max_##t(x, n), 1);                               \
            for (ptrdiff_t i = 0; i < n; i++) y[i] *= scale;                                                         \
        }                                                                                                            \
    }                                                                                                                \
    /* the logarithms of some rows at once, where a row is too short to fill a vector */                             \
    MT_CLONES static void mt_log_softmax_rows_##t(char *out, const char *values, ptrdiff_t rows, ptrdiff_t n) {      \
        T logs[64], tops[64], room[512];                                                                             \
        for (ptrdiff_t first = 0; first < rows; first += 64) {                                                       \
            const ptrdiff_t some = rows - first < 64 ? rows - first : 64;                                            \
            const T *restrict x = (const T *)values + first * n; T *restrict y = (T *)out + first * n;               \
            for (ptrdiff_t r = 0; r < some; r++) {                                                                   \
                tops[r] = mt_row_max_##t(x + r * n, n);                                                              \
                logs[r] = mt_exponentials_##t(room, x + r * n, n, tops[r], 0);                                       \
            }                                                                                                        \
            for (ptrdiff_t r = 0; r < some; r++) logs[r] = mt_log_##t(logs[r]);                                      \
            for (ptrdiff_t r = 0; r < some; r++)                                                                     \
                for (ptrdiff_t i = 0; i < n; i++) y[r * n + i] = (x[r * n + i] - tops[r]) - logs[r];                 \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_lse_rows_##t(char *out, const char *values, ptrdiff_t rows, ptrdiff_t n) {              \
        T *lse = (T *)out, tops[64], room[512];                                                                      \
        for (ptrdiff_t first = 0; first < rows; first += 64) {                                                       \
            const ptrdiff_t some = rows - first < 64 ? rows - first : 64;                                            \
            for (ptrdiff_t r = 0; r < some; r++) {                                                                   \
                const T *restrict x = (const T *)values + (first + r) * n;                                           \
                tops[r] = mt_row_max_##t(x, n);                                                                      \
                lse[first + r] = mt_exponentials_##t(room, x, n, tops[r], 0);                                        \
            }                                                                                                        \
            for (ptrdiff_t r = 0; r < some; r++) lse[first + r] = mt_log_##t(lse[first + r]) + tops[r];              \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_cross_entropy_rows_##t(char *out, char *gradient, const char *values,                   \
                                                    const char *weights, const double *a, const double *d,           \
                                                    ptrdiff_t rows, ptrdiff_t n) {                                   \
        const T *restrict w = (const T *)weights;                                                                    \
        T *lse = (T *)out, tops[64];                                                                                 \
        for (ptrdiff_t first = 0; first < rows; first += 64) {                                                       \
            const ptrdiff_t some = rows - first < 64 ? rows - first : 64;                                            \
            for (ptrdiff_t r = 0; r < some; r++) {                                                                   \
                const T *restrict x = (const T *)values + (first + r) * n;                                           \
                T *restrict y = (T *)gradient + (first + r) * n;                                                     \
                tops[r] = mt_row_max_##t(x, n);                                                                      \
                lse[first + r] = mt_exponentials_##t(y, x, n, tops[r], 1);                                           \
                const T scale = (T)(a[first + r] / lse[first + r]), e = (T)d[first + r];                             \
                if (e == 0) for (ptrdiff_t i = 0; i < n; i++) y[i] *= scale;                                         \
                else if (w) for (ptrdiff_t i = 0; i < n; i++) y[i] = y[i] * scale - e * w[i];                        \
                else for (ptrdiff_t i = 0; i < n; i++) y[i] = y[i] * scale - e;                                      \
            }                                                                                                        \
            for (ptrdiff_t r = 0; r < some; r++) lse[first + r] = mt_log_##t(lse[first + r]) + tops[r];              \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_softmax_rows_grad_##t(char *out, const char *result, const char *gradient,              \
                                                   ptrdiff_t g_step, ptrdiff_t rows, ptrdiff_t n) {                  \
        for (ptrdiff_t r = 0; r < rows; r++) {                                                                       \
            T *restrict dx = (T *)out + r * n; const T *restrict y = (const T *)result + r * n;                      \
            const T *restrict g = (const T *)gradient + r * g_step;                                                  \
            MT_CHAINED(T, sum, 0, MT_STEP_PRODUCT)                                                                   \
            for (ptrdiff_t i = 0; i < n; i++) dx[i] = y[i] * (g[i] - sum);                                           \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_log_softmax_rows_grad_##t(char *out, const char *result, const char *gradient,          \
                                                       ptrdiff_t g_step, ptrdiff_t rows, ptrdiff_t n) {              \
        for (ptrdiff_t r = 0; r < rows; r++) {                                                                       \
            T *restrict dx = (T *)out + r * n; const T *restrict y = (const T *)result + r * n;                      \
            const T *restrict g = (const T *)gradient + r * g_step;                                                  \
            MT_CHAINED(T, sum, 0, MT_STEP_GRADIENT)                                                                  \
            for (ptrdiff_t i = 0; i < n; i++) dx[i] = g[i] - mt_exp_below_##t(y[i]) * sum;                           \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_softmax_columns_of_##t(char *out, const char *values, ptrdiff_t n, ptrdiff_t step,      \
                                                    ptrdiff_t columns, int log) {                                    \
        T max[MT_SOFTMAX_COLUMNS], sum[MT_SOFTMAX_COLUMNS];                                                          \
        for (ptrdiff_t j = 0; j < columns; j++) { max[j] = -INFINITY; sum[j] = 0; }                                  \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict x = (const T *)values + r * step;                                                      \
            for (ptrdiff_t j = 0; j < columns; j++) MT_JOIN_MT_STEP_MAX(max[j], x[j]);                               \
        }                                                                                                            \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict x = (const T *)values + r * step; T *restrict y = (T *)out + r * step;                 \
            for (ptrdiff_t j = 0; j < columns; j++) sum[j] += y[j] = mt_exp_below_##t(x[j] - max[j]);                \
        }                                                                                                            \
        if (log) for (ptrdiff_t j = 0; j < columns; j++) sum[j] = mt_log_##t(sum[j]);                                \
        else for (ptrdiff_t j = 0; j < columns; j++) sum[j] = 1 / sum[j];                                            \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict x = (const T *)values + r * step; T *restrict y = (T *)out + r * step;                 \
            if (log) for (ptrdiff_t j = 0; j < columns; j++) y[j] = (x[j] - max[j]) - sum[j];                        \
            else for (ptrdiff_t j = 0; j < columns; j++) y[j] *= sum[j];                                             \
        }                                                                                                            \
    }                                                                                                                \
    static void mt_softmax_columns_##t(char *y, const char *x, ptrdiff_t n, ptrdiff_t step, ptrdiff_t columns) {     \
        mt_softmax_columns_of_##t(y, x, n, step, columns, 0);                                                        \
    }                                                                                                                \
    static void mt_log_softmax_columns_##t(char *y, const char *x, ptrdiff_t n, ptrdiff_t step, ptrdiff_t columns) { \
        mt_softmax_columns_of_##t(y, x, n, step, columns, 1);                                                        \
    }                                                                                                                \
    MT_CLONES static void mt_softmax_columns_grad_##t(char *out, const char *result, const char *gradient,           \
                                                      ptrdiff_t n, ptrdiff_t step, ptrdiff_t columns) {              \
        T sum[MT_SOFTMAX_COLUMNS];                                                                                   \
        for (ptrdiff_t j = 0; j < columns; j++) sum[j] = 0;                                                          \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict y = (const T *)result + r * step, *restrict g = (const T *)gradient + r * step;        \
            for (ptrdiff_t j = 0; j < columns; j++) sum[j] += g[j] * y[j];                                           \
        }                                                                                                            \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict y = (const T *)result + r * step, *restrict g = (const T *)gradient + r * step;        \
            T *restrict dx = (T *)out + r * step;                                                                    \
            for (ptrdiff_t j = 0; j < columns; j++) dx[j] = y[j] * (g[j] - sum[j]);                                  \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_log_softmax_columns_grad_##t(char *out, const char *result, const char *gradient,       \
                                                          ptrdiff_t n, ptrdiff_t step, ptrdiff_t columns) {          \
        T sum[MT_SOFTMAX_COLUMNS];                                                                                   \
        for (ptrdiff_t j = 0; j < columns; j++) sum[j] = 0;                                                          \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict g = (const T *)gradient + r * step;                                                    \
            for (ptrdiff_t j = 0; j < columns; j++) sum[j] += g[j];                                                  \
        }                                                                                                            \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                          \
            const T *restrict y = (const T *)result + r * step, *restrict g = (const T *)gradient + r * step;        \
            T *restrict dx = (T *)out + r * step;                                                                    \
            for (ptrdiff_t j = 0; j < columns; j++) dx[j] = g[j] - mt_exp_below_##t(y[j]) * sum[j];                  \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static double mt_dot_row_##t(const char *values, const char *weights, ptrdiff_t n) {                   \
        const T *restrict x = (const T *)values, *restrict w = (const T *)weights;                                   \
        if (!w) { MT_CHAINED(double, sum, 0, MT_STEP_PLAIN) return sum; }                                            \
        MT_CHAINED(double, sum, 0, MT_STEP_WEIGHTED)                                                                 \
        return sum;                                                                                                  \
    }                                                                                                                \
    MT_CLONES static void mt_cross_entropy_row_grad_##t(char *out, const char *values, double lse,                   \
                                                        const char *weights, double a, double d, ptrdiff_t n) {      \
        T *restrict dx = (T *)out; const T *restrict x = (const T *)values, *restrict w = (const T *)weights;        \
        const T c = (T)lse, s = (T)a, e = (T)d;                                                                      \
        if (x) for (ptrdiff_t i = 0; i < n; i++) dx[i] = s * mt_exp_below_##t(x[i] - c);                             \
        else for (ptrdiff_t i = 0; i < n; i++) dx[i] = 0;                                                            \
        if (e == 0) return;                                                                                          \
        if (w) for (ptrdiff_t i = 0; i < n; i++) dx[i] -= e * w[i];                                                  \
        else for (ptrdiff_t i = 0; i < n; i++) dx[i] -= e;                                                           \
    }                                                                                                                \
    static const mt_softmax_kernels mt_softmax_##t = {                                                               \
        {mt_softmax_rows_##t, mt_log_softmax_rows_##t}, {mt_softmax_columns_##t, mt_log_softmax_columns_##t},        \
        {mt_softmax_rows_grad_##t, mt_log_softmax_rows_grad_##t},                                                    \
        {mt_softmax_columns_grad_##t, mt_log_softmax_columns_grad_##t},                                              \
        mt_lse_rows_##t, mt_cross_entropy_rows_##t, mt_dot_row_##t, mt_cross_entropy_row_grad_##t};

MT_SOFTMAX_KERNELS(f32, float)
MT_SOFTMAX_KERNELS(f64, double)
#endif
