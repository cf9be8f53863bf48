/* Moving blocks of memory by a list of places: what indexing, its assignment and its gradient are made of. */
#ifndef MT_INDEX_H
#define MT_INDEX_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "mt_config.h"
#include "dtype.h"
#include "half.h"

/* out[l, i, :] = x[l, place[i], :] for blocks of `bytes` bytes, `rows` of them to each l of x */
static inline void mt_take(char *out, const char *x, const long long *place, ptrdiff_t n, ptrdiff_t bytes) {
    switch (bytes) {
        case 1: for (ptrdiff_t i = 0; i < n; i++) out[i] = x[place[i]]; break;
        case 2: for (ptrdiff_t i = 0; i < n; i++) ((int16_t *)out)[i] = ((const int16_t *)x)[place[i]]; break;
        case 4: for (ptrdiff_t i = 0; i < n; i++) ((int32_t *)out)[i] = ((const int32_t *)x)[place[i]]; break;
        case 8: for (ptrdiff_t i = 0; i < n; i++) ((int64_t *)out)[i] = ((const int64_t *)x)[place[i]]; break;
        default: for (ptrdiff_t i = 0; i < n; i++) memcpy(out + i * bytes, x + place[i] * bytes, (size_t)bytes);
    }
}

static inline ptrdiff_t mt_count_true(const unsigned char *m, ptrdiff_t n) {
    ptrdiff_t total = 0;
    for (ptrdiff_t begin = 0; begin < n; begin += 32768) {
        uint16_t part = 0;                                  /* narrow, so that the compiler counts many at once */
        const ptrdiff_t end = n - begin < 32768 ? n : begin + 32768;
        for (ptrdiff_t i = begin; i < end; i++) part = (uint16_t)(part + m[i]);
        total += part;
    }
    return total;
}

/* the first n elements of x whose mask is set, one behind the other; without a branch, since masks may be random */
#define MT_COMPRESS(T)                                                                                                  static inline void mt_compress_##T(T *restrict out, const T *restrict x, const unsigned char *restrict m,                                             ptrdiff_t n) {                                                                       for (ptrdiff_t i = 0, k = 0; k < n; i++) { out[k] = x[i]; k += m[i]; }                                          }
MT_COMPRESS(uint8_t) MT_COMPRESS(uint16_t) MT_COMPRESS(uint32_t) MT_COMPRESS(uint64_t)

static inline void mt_compress(char *out, const char *x, const unsigned char *m, ptrdiff_t n, ptrdiff_t bytes) {
    switch (bytes) {
        case 1: mt_compress_uint8_t((uint8_t *)out, (const uint8_t *)x, m, n); break;
        case 2: mt_compress_uint16_t((uint16_t *)out, (const uint16_t *)x, m, n); break;
        case 4: mt_compress_uint32_t((uint32_t *)out, (const uint32_t *)x, m, n); break;
        case 8: mt_compress_uint64_t((uint64_t *)out, (const uint64_t *)x, m, n); break;
        default:
            for (ptrdiff_t i = 0, k = 0; k < n; i++)
                if (m[i]) memcpy(out + bytes * k++, x + bytes * i, (size_t)bytes);
    }
}

/* x[l, place[i], :] = v[l, i, :]; a place named twice keeps the last */
static inline void mt_put(char *x, const char *v, const long long *place, ptrdiff_t n, ptrdiff_t bytes) {
    for (ptrdiff_t i = 0; i < n; i++) memcpy(x + place[i] * bytes, v + i * bytes, (size_t)bytes);
}

/* x[l, place[i], :] += v[l, i, :]; a place named twice gets both */
#define MT_PUT_ADD(name, T, LOAD, STORE)                                                                            \
    MT_CLONES static void mt_put_add_##name(char *x_, const char *v_, const long long *place, ptrdiff_t n,            \
                                            ptrdiff_t block) {                                                      \
        T *x = (T *)x_; const T *v = (const T *)v_;                                                                 \
        for (ptrdiff_t i = 0; i < n; i++) {                                                                         \
            T *restrict to = x + place[i] * block; const T *restrict from = v + i * block;                          \
            for (ptrdiff_t j = 0; j < block; j++) to[j] = STORE(LOAD(to[j]) + LOAD(from[j]));                       \
        }                                                                                                           \
    }
#define MT_SAME(x) (x)
#define MT_TRUTH(v) ((uint8_t)((v) != 0))
MT_PUT_ADD(b8, uint8_t, MT_SAME, MT_TRUTH)
MT_PUT_ADD(u8, uint8_t, MT_SAME, (uint8_t))
MT_PUT_ADD(i16, uint16_t, MT_SAME, (uint16_t))
MT_PUT_ADD(i32, uint32_t, MT_SAME, MT_SAME)
MT_PUT_ADD(i64, uint64_t, MT_SAME, MT_SAME)
MT_PUT_ADD(f16, uint16_t, mt_half_to_float, mt_float_to_half)
MT_PUT_ADD(bf16, uint16_t, mt_bf16_to_float, mt_float_to_bf16)
MT_PUT_ADD(f32, float, MT_SAME, MT_SAME)
MT_PUT_ADD(f64, double, MT_SAME, MT_SAME)
MT_PUT_ADD(c64, mt_c64_t, MT_SAME, MT_SAME)
MT_PUT_ADD(c128, mt_c128_t, MT_SAME, MT_SAME)

typedef void (*mt_put_add_loop)(char *x, const char *v, const long long *place, ptrdiff_t n, ptrdiff_t block);
static const mt_put_add_loop mt_put_add[MT_NTYPES] = {
    mt_put_add_b8, mt_put_add_u8, mt_put_add_u8, mt_put_add_i16, mt_put_add_i32, mt_put_add_i64,
    mt_put_add_f16, mt_put_add_bf16, mt_put_add_f32, mt_put_add_f64, mt_put_add_c64, mt_put_add_c128};
#endif
