/* Scalar types: their codes, sizes and how two of them promote.  The one list that everything shares. */
#ifndef MT_DTYPE_H
#define MT_DTYPE_H
#include <stdint.h>

#ifndef MT_NTYPES
enum { MT_BOOL, MT_U8, MT_I8, MT_I16, MT_I32, MT_I64, MT_F16, MT_BF16, MT_F32, MT_F64, MT_C64, MT_C128,
       MT_NTYPES };
#define MT_NTYPES MT_NTYPES
#endif

static const int8_t mt_itemsize[MT_NTYPES] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};

/* category: 0 bool, 1 integer, 2 floating point, 3 complex; what can be differentiated is 2 or more */
static const int8_t mt_category[MT_NTYPES] = {0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3};

/* the type in which an operation on a type computes: half types compute in float32 */
static const int8_t mt_compute[MT_NTYPES] = {MT_BOOL, MT_U8, MT_I8, MT_I16, MT_I32, MT_I64,
                                             MT_F32, MT_F32, MT_F32, MT_F64, MT_C64, MT_C128};

/* the complex type of a real type's precision, and the real type of a complex one's parts (of another, itself) */
static inline int mt_complex_of(int code) { return code == MT_F64 || code == MT_C128 ? MT_C128 : MT_C64; }
static inline int mt_real_of(int code) { return code == MT_C64 ? MT_F32 : code == MT_C128 ? MT_F64 : code; }

typedef float _Complex mt_c64_t;
typedef double _Complex mt_c128_t;

/* the smallest type that holds both: the higher category wins, within one the larger */
static inline int mt_promote(int a, int b) {
    if (a == b) return a;
    int lo = a < b ? a : b, hi = a < b ? b : a;
    if (lo == MT_U8 && hi == MT_I8) return MT_I16;      /* neither holds the other */
    if (lo == MT_F16 && hi == MT_BF16) return MT_F32;
    if (lo == MT_F64) return MT_C128;                   /* complex64 has not its precision */
    return hi;
}
#endif
