/* Binary search in sorted lines, and counting. */
#ifndef MT_SEARCH_H
#define MT_SEARCH_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "mt_config.h"
#include "dtype.h"

/* Where each of n values would be put into a sorted line of `length`: before the elements that equal it, or behind them
 * if `right`.  A value that is not a number goes behind all.  `sorter`, if any, has the line's order. */
typedef void (*mt_search)(long long *out, const char *values, ptrdiff_t n, const char *line, const long long *sorter,
                          ptrdiff_t length, int right);

enum { MT_SEARCHED = 32 };                  /* values that are searched side by side: all take the same steps */

/* Halve what is left of the line, from low[j] on, until nothing is. */
#define MT_HALVE(BEFORE, PLACE)                                                                                     \
    for (ptrdiff_t left = length, half; left > 0; left -= half) {                                                   \
        half = left > 1 ? left / 2 : 1;                                                                             \
        for (int j = 0; j < MT_SEARCHED; j++) {                                                                     \
            const long long at = low[j] + half - 1;                                                                 \
            low[j] += half & -(long long)!(x[PLACE] BEFORE v[j]);                                                   \
        }                                                                                                           \
    }

#define MT_SEARCH(name, T)                                                                                          \
    MT_CLONES static void mt_search_##name(long long *out, const char *values, ptrdiff_t n, const char *line,       \
                                           const long long *sorter, ptrdiff_t length, int right) {                  \
        const T *const x = (const T *)line;                                                                         \
        for (ptrdiff_t i = 0; i < n; i += MT_SEARCHED) {                                                            \
            const size_t some = (size_t)(n - i < MT_SEARCHED ? n - i : MT_SEARCHED);                                \
            long long low[MT_SEARCHED] = {0};                                                                       \
            T v[MT_SEARCHED] = {0};                                                                                 \
            memcpy(v, values + i * (ptrdiff_t)sizeof(T), some * sizeof(T));                                         \
            if (sorter && right) MT_HALVE(>, sorter[at])                                                            \
            else if (sorter) MT_HALVE(>=, sorter[at])                                                               \
            else if (right) MT_HALVE(>, at)                                                                         \
            else MT_HALVE(>=, at)                                                                                   \
            memcpy(out + i, low, some * sizeof(long long));                                                         \
        }                                                                                                           \
    }
MT_SEARCH(f32, float)
MT_SEARCH(f64, double)
MT_SEARCH(i64, int64_t)
static const mt_search mt_searches[16] = {[MT_F32] = mt_search_f32, [MT_F64] = mt_search_f64, [MT_I64] = mt_search_i64};

static inline void mt_range(const long long *index, ptrdiff_t n, long long *least, long long *largest) {
    long long low = index[0], high = index[0];
    for (ptrdiff_t i = 1; i < n; i++) {
        low = index[i] < low ? index[i] : low;
        high = index[i] > high ? index[i] : high;
    }
    *least = low; *largest = high;
}

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
