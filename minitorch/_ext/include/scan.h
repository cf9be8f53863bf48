/* Scans that keep more than a number: the extreme so far and its place, the logarithm of the sum of exponentials so
 * far, and a sum in which what came before decays.
 *
 * A kernel takes `rows` rows of up to MT_SCANNED columns, `step` values from one row to the next. */
#ifndef MT_SCAN_H
#define MT_SCAN_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "mt_config.h"
#include "dtype.h"
#include "mathfun.h"

enum { MT_SCANNED = 256 };
enum { MT_CUMMAX, MT_CUMMIN, MT_LOGCUMSUMEXP, MT_DECAYED };

/* y of x; and, for the extremes, z the places in it (int64), for a decaying sum the factors */
typedef void (*mt_scan_rows)(char *y, char *z, const char *x, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t columns);

/* Of equal ones the last; once not a number, always not a number, and the place is that of the last of these. */
#define MT_EXTREME_SCAN(name, T, OP)                                                                                 \
    MT_CLONES static void mt_##name(char *out, char *places, const char *values, ptrdiff_t step, ptrdiff_t rows,     \
                                    ptrdiff_t columns) {                                                             \
        const T *restrict x = (const T *)values;                                                                     \
        T *restrict y = (T *)out, best[MT_SCANNED];                                                                  \
        int64_t *restrict z = (int64_t *)places, place[MT_SCANNED];                                                  \
        if (columns == 1) {                                                                                          \
            T top = x[0];                                                                                            \
            int64_t at = 0;                                                                                          \
            for (ptrdiff_t r = 0; r < rows; r++) {                                                                   \
                const T v = x[r * step];                                                                             \
                if ((v OP top) | (v != v)) {                  /* not where top is not a number: v OP top is false */ \
                    top = v;                                                                                         \
                    at = r;                                                                                          \
                }                                                                                                    \
                y[r * step] = top;                                                                                   \
                z[r * step] = at;                                                                                    \
            }                                                                                                        \
            return;                                                                                                  \
        }                                                                                                            \
        for (ptrdiff_t j = 0; j < columns; j++) { best[j] = x[j]; place[j] = 0; }                                    \
        for (ptrdiff_t r = 0; r < rows; r++, x += step, y += step, z += step)                                        \
            for (ptrdiff_t j = 0; j < columns; j++) {                                                                \
                const int beats = (x[j] != x[j]) | ((best[j] == best[j]) & (x[j] OP best[j]));                       \
                y[j] = best[j] = beats ? x[j] : best[j];                                                             \
                z[j] = place[j] = beats ? r : place[j];                                                              \
            }                                                                                                        \
    }
MT_EXTREME_SCAN(cummax_f32, float, >=)
MT_EXTREME_SCAN(cummax_f64, double, >=)
MT_EXTREME_SCAN(cummax_i64, int64_t, >=)
MT_EXTREME_SCAN(cummin_f32, float, <=)
MT_EXTREME_SCAN(cummin_f64, double, <=)
MT_EXTREME_SCAN(cummin_i64, int64_t, <=)

static inline double mt_scan_base(double max) { return fabs(max) < INFINITY ? max : 0; }

/* A block of one column, in place, of which only the sums themselves have to be taken one by one.  `max` is the largest
 * before it, `total` the sum relative to that; returns the largest so far. */
MT_CLONES static double mt_exponential_block(double *restrict v, ptrdiff_t n, double max, double *total) {
    double top[MT_SCANNED + 1], decay[MT_SCANNED], sum = *total;
    top[0] = max;
    for (ptrdiff_t j = 0; j < n; j++) top[j + 1] = v[j] > top[j] ? v[j] : top[j];
    for (ptrdiff_t j = 0; j < n; j++) {
        const double c = mt_scan_base(top[j + 1]);
        decay[j] = mt_exp_f64(top[j] - c);
        v[j] = mt_exp_f64(v[j] - c);
    }
    for (ptrdiff_t j = 0; j < n; j++) v[j] = sum = sum * decay[j] + v[j];
    for (ptrdiff_t j = 0; j < n; j++) v[j] = mt_log_f64(v[j]) + mt_scan_base(top[j + 1]);
    *total = sum;
    return top[n];
}

/* The sum is relative to the largest so far, or to 0 where that is infinite. */
#define MT_EXPONENTIAL_SCAN(name, T)                                                                                 \
    MT_CLONES static void mt_##name(char *out, char *unused, const char *values, ptrdiff_t step, ptrdiff_t rows,     \
                                    ptrdiff_t columns) {                                                             \
        const T *restrict x = (const T *)values;                                                                     \
        T *restrict y = (T *)out;                                                                                    \
        double max[MT_SCANNED], sum[MT_SCANNED];                                                                     \
        (void)unused;                                                                                                \
        if (columns == 1) {                                                                                          \
            double top = -INFINITY, total = 0;                                                                       \
            for (ptrdiff_t r = 0; r < rows; r += MT_SCANNED) {                                                       \
                const ptrdiff_t n = rows - r < MT_SCANNED ? rows - r : MT_SCANNED;                                   \
                for (ptrdiff_t j = 0; j < n; j++) sum[j] = x[(r + j) * step];                                        \
                top = mt_exponential_block(sum, n, top, &total);                                                     \
                for (ptrdiff_t j = 0; j < n; j++) y[(r + j) * step] = (T)sum[j];                                     \
            }                                                                                                        \
            return;                                                                                                  \
        }                                                                                                            \
        for (ptrdiff_t j = 0; j < columns; j++) { max[j] = -INFINITY; sum[j] = 0; }                                  \
        for (ptrdiff_t r = 0; r < rows; r++, x += step, y += step)                                                   \
            for (ptrdiff_t j = 0; j < columns; j++) {                                                                \
                const double v = x[j], m = v > max[j] ? v : max[j], c = mt_scan_base(m);                               \
                sum[j] = sum[j] * mt_exp_f64(max[j] - c) + mt_exp_f64(v - c);                                        \
                max[j] = m;                                                                                          \
                y[j] = (T)(mt_log_f64(sum[j]) + c);                                                                  \
            }                                                                                                        \
    }
MT_EXPONENTIAL_SCAN(logcumsumexp_f32, float)
MT_EXPONENTIAL_SCAN(logcumsumexp_f64, double)

/* y_r = x_r + z_r y_(r-1) */
#define MT_DECAYING_SCAN(name, T)                                                                                    \
    MT_CLONES static void mt_##name(char *out, char *factors, const char *values, ptrdiff_t step, ptrdiff_t rows,    \
                                    ptrdiff_t columns) {                                                             \
        const T *restrict x = (const T *)values, *restrict z = (const T *)factors;                                   \
        T *restrict y = (T *)out;                                                                                    \
        double sum[MT_SCANNED];                                                                                      \
        for (ptrdiff_t j = 0; j < columns; j++) { sum[j] = x[j]; y[j] = x[j]; }                                      \
        for (ptrdiff_t r = 1; r < rows; r++) {                                                                       \
            x += step; y += step; z += step;                                                                         \
            for (ptrdiff_t j = 0; j < columns; j++) { sum[j] = x[j] + z[j] * sum[j]; y[j] = (T)sum[j]; }             \
        }                                                                                                            \
    }
MT_DECAYING_SCAN(decayed_f32, float)
MT_DECAYING_SCAN(decayed_f64, double)

static const mt_scan_rows mt_row_scans[4][16] = {
    [MT_CUMMAX] = {[MT_F32] = mt_cummax_f32, [MT_F64] = mt_cummax_f64, [MT_I64] = mt_cummax_i64},
    [MT_CUMMIN] = {[MT_F32] = mt_cummin_f32, [MT_F64] = mt_cummin_f64, [MT_I64] = mt_cummin_i64},
    [MT_LOGCUMSUMEXP] = {[MT_F32] = mt_logcumsumexp_f32, [MT_F64] = mt_logcumsumexp_f64},
    [MT_DECAYED] = {[MT_F32] = mt_decayed_f32, [MT_F64] = mt_decayed_f64},
};
#endif
