/* Functions of 16 floats at once, for processors with AVX-512: mt_NAME_wide.
 *
 * A register of 32 numbers (two of 16) is a table that one instruction looks up in 16 places at once.  So a function
 * that takes an exponential, a division and a polynomial in double where nothing is looked up, normcdf, is here one
 * polynomial of degree 6, whose coefficients depend on which of 32 pieces of the axis the number lies in: a third of
 * the time, within 3 ulp.  The generated loops of pointwise_loops.c that name such a function choose this form when they run.
 */
#ifndef MT_MATHFUN_WIDE_H
#define MT_MATHFUN_WIDE_H
#include "wide.h"

#if MT_HAVE_WIDE
#include <immintrin.h>
#include "mathfun.h"
#include "mathfun_tables.h"

/* The last of a loop's numbers may be fewer than 16. */
WIDE_INLINE wide_t mt_wide_load(const float *p, ptrdiff_t left) {
    return left >= 16 ? (wide_t)*(const wide_any_t *)p : (wide_t)_mm512_maskz_loadu_ps((__mmask16)((1 << left) - 1), p);
}
WIDE_INLINE void mt_wide_store(float *p, ptrdiff_t left, wide_t v) {
    if (left >= 16) *(wide_any_t *)p = v;
    else _mm512_mask_storeu_ps(p, (__mmask16)((1 << left) - 1), (__m512)v);
}

/* In a loop over floats: leave it to that of vectors. */
#define MT_WIDE(name) if (wide_ready()) { name(p, n, a); return; }
#define MT_WIDE_LOOP(name) WIDE static void name(char *const *p, ptrdiff_t n, const mt_scalar *a)
#define MT_WIDE_EACH for (ptrdiff_t i = 0; i < n; i += 16)
#define MT_WIDE_IN(k) mt_wide_load(in##k + i, n - i)
#define MT_WIDE_OUT(value) mt_wide_store(out + i, n - i, value)

/* Almost where the last piece ends, and what lies nearest to piece 32, that is 0, begins. */
#define MT_TABLE_END ((MT_PIECES - 0.51f) * MT_PIECE)

/* The table's function of v >= 0; beyond its end, of the end. */
WIDE_INLINE wide_t mt_wide_lookup(const float table[][MT_PIECES], wide_t v) {
    v = (wide_t)_mm512_min_ps(_mm512_set1_ps(MT_TABLE_END), (__m512)v);     /* of a NaN the second operand: the NaN */
    wide_t shifted = v * (1 / MT_PIECE) + 0x1.8p23f, t = v - (shifted - 0x1.8p23f) * MT_PIECE;
    wide_int_t piece = (wide_int_t)shifted;                                 /* in the low bits: see mt_nearest_f32 */
    wide_t c[MT_TABLE_DEGREE + 1];
#pragma GCC unroll 8
    for (int j = 0; j <= MT_TABLE_DEGREE; j++) {
        const wide_t *row = (const wide_t *)table[j];
        c[j] = __builtin_shuffle(row[0], row[1], piece);
    }
    /* the upper terms in pairs, which need not wait for each other; the lower ones, which are to be exact, one by one */
    _Static_assert(MT_TABLE_DEGREE == 6, "the polynomial below is of degree 6");
    wide_t t2 = t * t, upper = (c[2] + c[3] * t) + (c[4] + c[5] * t + c[6] * t2) * t2;
    return (upper * t + c[1]) * t + c[0];
}

/* normcdf, or the slope of gelu: f(x) = F(-x) for x < 0, 1 - F(x) for others, F in the table.  Left of the table, where
   its pieces would have to be ever smaller, the function that takes the numbers one by one. */
#define MT_WIDE_BELL(name, table)                                                                                     \
    __attribute__((noinline)) WIDE static wide_t mt_##name##_each(wide_t x) {                                         \
        for (int j = 0; j < 16; j++) x[j] = mt_##name##_f32(x[j]);                                                    \
        return x;                                                                                                     \
    }                                                                                                                 \
    WIDE_INLINE wide_t mt_##name##_wide(wide_t x) {                                                                   \
        __mmask16 beyond = _mm512_cmp_ps_mask((__m512)x, _mm512_set1_ps(-MT_TABLE_END), _CMP_LT_OQ);                  \
        if (MT_UNLIKELY(beyond)) return mt_##name##_each(x);                                                          \
        wide_t left = mt_wide_lookup(table, (wide_t)_mm512_abs_ps((__m512)x));                                        \
        __mmask16 right = _mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_GE_OQ);                             \
        return (wide_t)_mm512_mask_sub_ps((__m512)left, right, _mm512_set1_ps(1), (__m512)left);                      \
    }
MT_WIDE_BELL(normcdf, mt_normtail_table)
MT_WIDE_BELL(gelu_slope, mt_slope_table)
#else
#define MT_WIDE(name)
#endif
#endif
