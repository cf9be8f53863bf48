/* Copies that do not convert: transposed, and of many short rows. */
#ifndef MT_COPY_H
#define MT_COPY_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "mt_config.h"
#include "pointwise.h"   /* MT_CLONES */

/* a transposed copy, d[i*dr + j] = s[i + j*sr], by tiles that stay in the first cache */
#define MT_TRANSPOSE(T)                                                                                            \
    MT_CLONES static void mt_transpose_##T(T *restrict d, ptrdiff_t dr, const T *restrict s, ptrdiff_t sr,         \
                                           ptrdiff_t rows, ptrdiff_t columns) {                                    \
        enum { B = 16 };                                                                                           \
        T tile[B][B];                                                                                              \
        for (ptrdiff_t i = 0; i < rows; i += B)                                                                    \
            for (ptrdiff_t j = 0; j < columns; j += B) {                                                           \
                const ptrdiff_t h = rows - i < B ? rows - i : B, w = columns - j < B ? columns - j : B;            \
                if (h == B && w == B) {                                                                            \
                    for (int y = 0; y < B; y++) for (int x = 0; x < B; x++) tile[y][x] = s[(j + y) * sr + i + x];  \
                    for (int y = 0; y < B; y++) for (int x = 0; x < B; x++) d[(i + y) * dr + j + x] = tile[x][y];  \
                } else                                                                                             \
                    for (ptrdiff_t y = 0; y < h; y++) for (ptrdiff_t x = 0; x < w; x++)                            \
                        d[(i + y) * dr + j + x] = s[(j + x) * sr + i + y];                                         \
            }                                                                                                      \
    }
MT_TRANSPOSE(uint8_t) MT_TRANSPOSE(uint16_t) MT_TRANSPOSE(uint32_t) MT_TRANSPOSE(uint64_t)
MT_TRANSPOSE(mt_c128_t)

/* strides here count elements */
static inline void mt_transpose(int itemsize, char *d, ptrdiff_t dr, const char *s, ptrdiff_t sr,
                                ptrdiff_t rows, ptrdiff_t columns) {
    switch (itemsize) {
        case 1: mt_transpose_uint8_t((uint8_t *)d, dr, (const uint8_t *)s, sr, rows, columns); break;
        case 2: mt_transpose_uint16_t((uint16_t *)d, dr, (const uint16_t *)s, sr, rows, columns); break;
        case 4: mt_transpose_uint32_t((uint32_t *)d, dr, (const uint32_t *)s, sr, rows, columns); break;
        case 16: mt_transpose_mt_c128_t((mt_c128_t *)d, dr, (const mt_c128_t *)s, sr, rows, columns); break;
        default: mt_transpose_uint64_t((uint64_t *)d, dr, (const uint64_t *)s, sr, rows, columns);
    }
}

/* Rows of `bytes` bytes from s to d, `ss` and `ds` bytes apart; short ones by a loop that needs no call, in the widest
 * vectors of the processor: with those of 16 bytes, which every processor has, it takes 1.3 times as long. */
typedef char mt_wide_bytes __attribute__((vector_size(64), aligned(1), may_alias));
MT_CLONES static void mt_copy_rows(char *d, ptrdiff_t ds, const char *s, ptrdiff_t ss, ptrdiff_t rows, ptrdiff_t bytes) {
    switch (bytes) {
#define MT_ROWS(n) case n: for (ptrdiff_t i = 0; i < rows; i++) memcpy(d + i * ds, s + i * ss, n); break;
        MT_ROWS(4) MT_ROWS(8) MT_ROWS(16) MT_ROWS(32)
#undef MT_ROWS
        default:
            if (bytes > 1024 || bytes % 64)
                for (ptrdiff_t i = 0; i < rows; i++) memcpy(d + i * ds, s + i * ss, (size_t)bytes);
            else
                for (ptrdiff_t i = 0; i < rows; i++)
                    for (ptrdiff_t k = 0; k < bytes; k += 64)
                        *(mt_wide_bytes *)(d + i * ds + k) = *(const mt_wide_bytes *)(s + i * ss + k);
    }
}
#endif
