/* Adding rows of one matrix into rows of another, by lists of places. */
#ifndef MT_EMBEDDING_H
#define MT_EMBEDDING_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "mt_config.h"

/* y[target[i], :] += c[i] x[source[i], :] for the targets from `first` to `last`, which are cleared before; the rows
 * of x are x_step apart, source is 0, 1, 2, ... if NULL, and c is 1. */
#define MT_ADD_ROWS(t, T)                                                                                            \
    MT_CLONES static void mt_add_rows_##t(char *y_, const char *x_, ptrdiff_t x_step, const int64_t *source,          \
                                          const int64_t *target, const char *c_, ptrdiff_t n, ptrdiff_t width,       \
                                          ptrdiff_t first, ptrdiff_t last) {                                         \
        T *y = (T *)y_; const T *x = (const T *)x_, *c = (const T *)c_;                                              \
        memset(y + first * width, 0, (size_t)((last - first) * width) * sizeof(T));                                  \
        for (ptrdiff_t i = 0; i < n; i++) {                                                                          \
            const ptrdiff_t to = target[i];                                                                          \
            if (to < first || to >= last) continue;                                                                  \
            T *restrict sum = y + to * width;                                                                        \
            const T *restrict row = x + (source ? source[i] : i) * x_step;                                           \
            if (c) { const T factor = c[i]; for (ptrdiff_t j = 0; j < width; j++) sum[j] += factor * row[j]; }       \
            else for (ptrdiff_t j = 0; j < width; j++) sum[j] += row[j];                                             \
        }                                                                                                            \
    }
MT_ADD_ROWS(f32, float)
MT_ADD_ROWS(f64, double)

/* place[b, j] = the source, among those whose target is b, of the greatest x[source, j]; -1 where there is none.  A
 * value that is not a number is the greatest; of equals the first counts. */
#define MT_GREATEST_ROWS(t, T)                                                                                       \
    MT_CLONES static void mt_greatest_rows_##t(int64_t *place, const char *x_, const int64_t *source,                 \
                                               const int64_t *target, ptrdiff_t n, ptrdiff_t width) {                \
        const T *x = (const T *)x_;                                                                                  \
        for (ptrdiff_t i = 0; i < n; i++) {                                                                          \
            int64_t *best = place + target[i] * width;                                                               \
            const T *row = x + source[i] * width;                                                                    \
            for (ptrdiff_t j = 0; j < width; j++) {                                                                  \
                const T top = best[j] < 0 ? -(T)INFINITY : x[best[j] * width + j];                                   \
                if (best[j] < 0 || row[j] > top || (row[j] != row[j] && top == top)) best[j] = source[i];            \
            }                                                                                                        \
        }                                                                                                            \
    }
MT_GREATEST_ROWS(f32, float)
MT_GREATEST_ROWS(f64, double)
#endif
