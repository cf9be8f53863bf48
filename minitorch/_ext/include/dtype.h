/* Scalar types: their codes, sizes and how two of them promote.  The one list that everything shares. */
#ifndef MT_DTYPE_H
#define MT_DTYPE_H
#include <stdint.h>

#ifndef MT_NTYPES
enum { MT_BOOL, MT_U8, MT_I8, MT_I16, MT_I32, MT_I64, MT_F16, MT_BF16, MT_F32, MT_F64, MT_NTYPES };
#define MT_NTYPES MT_NTYPES
#endif

static const int8_t mt_itemsize[MT_NTYPES] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};

/* category: 0 bool, 1 integer, 2 floating point (3 will be complex) */
static const int8_t mt_category[MT_NTYPES] = {0, 1, 1, 1, 1, 1, 2, 2, 2, 2};

/* the type in which an operation on a type computes: half types compute in float32 */
static const int8_t mt_compute[MT_NTYPES] = {MT_BOOL, MT_U8, MT_I8, MT_I16, MT_I32, MT_I64,
                                             MT_F32, MT_F32, MT_F32, MT_F64};

/* the smallest type that holds both: the higher category wins, within one the larger */
static inline int mt_promote(int a, int b) {
    if (a == b) return a;
    int lo = a < b ? a : b, hi = a < b ? b : a;
    if (lo == MT_U8 && hi == MT_I8) return MT_I16;      /* neither holds the other */
    if (lo == MT_F16 && hi == MT_BF16) return MT_F32;
    return hi;
}
#endif
