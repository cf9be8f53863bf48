/* What attention does to a row of scores beside the softmax: adding its mask. */
#ifndef MT_ATTENTION_H
#define MT_ATTENTION_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "mt_config.h"

/* s += mask, or s = -inf where a mask of bools is 0; whether anything above -inf is left.  Steps count elements. */
#define MT_MASK_ROW(t, T)                                                                                            \
    MT_CLONES static int mt_mask_row_##t(char *scores, const char *mask, ptrdiff_t step, int is_bool, ptrdiff_t n) { \
        T *restrict s = (T *)scores;                                                                                 \
        int open = 0;                                                                                                \
        if (is_bool)                                                                                                 \
            for (ptrdiff_t j = 0; j < n; j++) {                                                                      \
                const uint8_t keep = ((const uint8_t *)mask)[j * step];                                              \
                s[j] = keep ? s[j] : -(T)INFINITY;                                                                   \
                open |= s[j] != -(T)INFINITY;                                                                        \
            }                                                                                                        \
        else                                                                                                         \
            for (ptrdiff_t j = 0; j < n; j++) {                                                                      \
                s[j] += ((const T *)mask)[j * step];                                                                 \
                open |= s[j] != -(T)INFINITY;                                                                        \
            }                                                                                                        \
        return open;                                                                                                 \
    }
MT_MASK_ROW(f32, float)
MT_MASK_ROW(f64, double)
#endif
