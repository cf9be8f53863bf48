/* Binary search in sorted lines, and counting. */
#ifndef MT_SEARCH_H
#define MT_SEARCH_H
#include <stddef.h>
#include <stdint.h>
#include "dtype.h"

/* Where each of n values would be put into a sorted line of `length`: before the elements that equal it, or behind them
 * if `right`.  A value that is not a number goes behind all.  `sorter`, if any, has the line's order. */
typedef void (*mt_search)(long long *out, const char *values, ptrdiff_t n, const char *line, const long long *sorter,
                          ptrdiff_t length, int right);

#define MT_SEARCH(name, T)                                                                                          \
    static void mt_search_##name(long long *out, const char *values, ptrdiff_t n, const char *line,                 \
                                 const long long *sorter, ptrdiff_t length, int right) {                            \
        const T *const x = (const T *)line;                                                                         \
        for (ptrdiff_t i = 0; i < n; i++) {                                                                         \
            const T v = ((const T *)values)[i];                                                                     \
            ptrdiff_t low = 0, left = length;                   /* so many elements are left, from low on */        \
            while (left > 0) {                                                                                      \
                const ptrdiff_t half = left / 2;                                                                    \
                const T middle = x[sorter ? sorter[low + half] : low + half];                                       \
                const int before = right ? !(middle > v) : !(middle >= v);                                          \
                low = before ? low + half + 1 : low;                                                                \
                left = before ? left - half - 1 : half;                                                             \
            }                                                                                                       \
            out[i] = low;                                                                                           \
        }                                                                                                           \
    }
MT_SEARCH(f32, float)
MT_SEARCH(f64, double)
MT_SEARCH(i64, int64_t)
static const mt_search mt_searches[16] = {[MT_F32] = mt_search_f32, [MT_F64] = mt_search_f64, [MT_I64] = mt_search_i64};

/* counts[index[i]] += 1, or the weight; indices are known to be in range */
static inline void mt_count(long long *counts, const long long *index, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) counts[index[i]]++;
}
static inline void mt_count_f32(float *counts, const long long *index, const float *weight, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) counts[index[i]] += weight[i];
}
static inline void mt_count_f64(double *counts, const long long *index, const double *weight, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) counts[index[i]] += weight[i];
}
#endif
