/* Ordering of one line of values: what sort, topk, kthvalue, median and mode do along a dimension.
 *
 * A value becomes a *key*, an unsigned integer of its size whose order is that of the values: not a number is larger
 * than all numbers, and 0 and -0 are equal.  A *record* is a key and the value's index, and records are what is moved.
 * Keys of up to 32 bits and indices below 2^32 share one 64-bit word, so that comparing words compares keys and then
 * indices; larger ones take two words.  sort_records.h has the algorithms, for either record.
 *
 * A stable order is unique.  Where PyTorch's choice among equal values is another (topk, kthvalue, mode, and sort
 * unless it is asked to be stable) it is what the algorithms of the C++ library leave; they are followed there. */
#ifndef MT_SORT_H
#define MT_SORT_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "mt_config.h"
#include "dtype.h"

/* what becomes of a line */
enum { MT_SORT, MT_UNSTABLE, MT_TOPK, MT_KTHVALUE, MT_MEDIAN, MT_NANMEDIAN, MT_MODE };

typedef struct {
    int code;                    /* the type of the values */
    int flip;                    /* 1: the largest first */
    ptrdiff_t n;                 /* values in a line */
    ptrdiff_t count;             /* of those wanted (topk) */
    ptrdiff_t k;                 /* the one wanted (kthvalue), from 0 */
    ptrdiff_t step[3];           /* bytes from one to the next: of the values, of the results, of their indices */
} mt_order;

/* --- keys ------------------------------------------------------------------------------------------------------- */

static const int8_t mt_key_bits[16] = {[MT_BOOL] = 8, [MT_U8] = 8, [MT_I8] = 8, [MT_I16] = 16, [MT_I32] = 32,
                                       [MT_I64] = 64, [MT_F16] = 16, [MT_BF16] = 16, [MT_F32] = 32, [MT_F64] = 64};

#define MT_KEY_UNSIGNED(U, v) (v)
#define MT_KEY_SIGNED(U, v) ((U)((v) ^ (U)1 << (8 * sizeof(U) - 1)))
/* negative numbers count backwards; INF is what infinity's bits are */
#define MT_KEY_FLOAT(U, v, INF)                                                                                      \
    ((U)((v) << 1) > (U)((INF) << 1) ? (U)-1                                                                         \
     : (U)((v) << 1) == 0            ? (U)1 << (8 * sizeof(U) - 1)                                                   \
     : (v) >> (8 * sizeof(U) - 1)    ? (U)~(v)                                                                       \
                                     : (U)((v) | (U)1 << (8 * sizeof(U) - 1)))
#define MT_KEY_HALF(U, v) MT_KEY_FLOAT(U, v, 0x7c00)
#define MT_KEY_BF16(U, v) MT_KEY_FLOAT(U, v, 0x7f80)
#define MT_KEY_F32(U, v) MT_KEY_FLOAT(U, v, 0x7f800000u)
#define MT_KEY_F64(U, v) MT_KEY_FLOAT(U, v, 0x7ff0000000000000u)

static inline int mt_log2(ptrdiff_t n) { int k = 0; while (n >>= 1) k++; return k; }

/* --- the two kinds of records ----------------------------------------------------------------------------------- */

typedef struct { uint64_t key, index; } mt_wide;

#define REC uint64_t
#define NAME(f) mt_##f##_narrow
#define MAKE(k, i) ((uint64_t)(k) << 32 | (uint64_t)(i))
#define KEY(r) ((r) >> 32)
#define INDEX(r) ((int64_t)(uint32_t)(r))
#define BEFORE(a, b) ((a) < (b))
#include "sort_records.h"

#define REC mt_wide
#define NAME(f) mt_##f##_wide
#define MAKE(k, i) ((mt_wide){(uint64_t)(k), (uint64_t)(i)})
#define KEY(r) ((r).key)
#define INDEX(r) ((int64_t)(r).index)
#define BEFORE(a, b) ((a).key < (b).key || ((a).key == (b).key && (a).index < (b).index))
#include "sort_records.h"

static inline int mt_is_narrow(const mt_order *o) { return mt_key_bits[o->code] <= 32 && o->n <= UINT32_MAX; }

/* bytes of working memory that a line needs */
static inline size_t mt_order_scratch(const mt_order *o) {
    return 2 * ((size_t)o->n + 1) * (mt_is_narrow(o) ? sizeof(uint64_t) : sizeof(mt_wide)) + 64;
}

/* a line at x to results and their indices */
static inline void mt_order_line(int what, const mt_order *o, const char *x, char *values, char *indices,
                                 char *scratch) {
    if (mt_is_narrow(o)) mt_line_narrow(what, o, x, values, indices, (uint64_t *)scratch);
    else mt_line_wide(what, o, x, values, indices, (mt_wide *)scratch);
}

/* One long line by several threads: runs are sorted apart, then merged pairwise, each merge in several parts. */
static inline void mt_sort_run(const mt_order *o, const char *x, ptrdiff_t begin, ptrdiff_t end, char *scratch) {
    if (mt_is_narrow(o)) mt_run_narrow(o, x, begin, end, (uint64_t *)scratch);
    else mt_run_wide(o, x, begin, end, (mt_wide *)scratch);
}
static inline void mt_merge_runs(const mt_order *o, ptrdiff_t begin, ptrdiff_t middle, ptrdiff_t end, ptrdiff_t from,
                                 ptrdiff_t to, int back, char *scratch) {
    if (mt_is_narrow(o)) mt_merge_narrow(o, begin, middle, end, from, to, back, (uint64_t *)scratch);
    else mt_merge_wide(o, begin, middle, end, from, to, back, (mt_wide *)scratch);
}
/* What is sorted in the one half, if PyTorch's order of equal ones is wanted: which half it is in then. */
static inline int mt_as_unstable(const mt_order *o, const char *x, int back, char *scratch) {
    const ptrdiff_t from = back ? o->n : 0, to = back ? 0 : o->n;
    if (mt_is_narrow(o)) {
        uint64_t *const r = (uint64_t *)scratch;
        return mt_unstable_narrow(o, x, r + from, r + to) == r + o->n;
    }
    mt_wide *const r = (mt_wide *)scratch;
    return mt_unstable_wide(o, x, r + from, r + to) == r + o->n;
}
static inline void mt_sorted_out(const mt_order *o, const char *x, char *values, char *indices, ptrdiff_t begin,
                                 ptrdiff_t end, int back, const char *scratch) {
    const ptrdiff_t half = back ? o->n : 0;
    if (mt_is_narrow(o)) mt_write_narrow(o, x, values, indices, (const uint64_t *)scratch + half, begin, end);
    else mt_write_wide(o, x, values, indices, (const mt_wide *)scratch + half, begin, end);
}
#endif
