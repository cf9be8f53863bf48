/* Reductions of one block: what a block comes to (its state), and how two states merge.
 *
 * A kernel takes either a row, n values that lie one behind the other and become one state, or columns, `rows` rows
 * of n values that become n states.  Blocks are small, so sums of them merged pairwise are as accurate as pairwise
 * summation; and as the caller's blocks do not depend on the number of threads, neither does the result. */
#ifndef MT_REDUCE_H
#define MT_REDUCE_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "mt_config.h"
#include "dtype.h"
#include "mathfun.h"
#include "mathfun_complex.h"
#include "pointwise.h"
#include "reduce_ops.h"

/* states are arrays of this type's own struct or number; base is the index of the first value (of the first row) */
typedef void (*mt_row_kernel)(char *states, const char *x, ptrdiff_t n, int64_t base, double p);
typedef void (*mt_columns_kernel)(char *states, const char *x, ptrdiff_t row_stride, ptrdiff_t rows, ptrdiff_t n,
                                  int64_t base, double p);
/* the states on the left come from earlier values than those on the right */
typedef void (*mt_merge_kernel)(char *states, const char *others, ptrdiff_t n);

typedef struct {
    mt_row_kernel row;
    mt_columns_kernel columns;
    mt_merge_kernel merge;
    int16_t size;        /* bytes of a state */
    int16_t block;       /* how many values row takes at a time */
    int8_t code[2];      /* the type of the state's first and second result */
    int8_t at[2];        /* and where in the state they lie */
} mt_reduction;

enum { MT_TILE = 1024 };
/* independent chains of sums that the compiler keeps in vector registers: enough to hide what an addition takes */
#define MT_LANES(T) (256 / (int)sizeof(T))

/* --- a state that is one number: values are mapped and combined ------------------------------------------------- */

/* A long row is not added up in one go: no value of a block goes through more than some 60 roundings. */
enum { MT_CHAIN = 16 };
#define MT_FOLD_LANES(T, lane, IDENTITY, MAP, COMBINE)                                                               \
    enum { LANES = MT_LANES(T) };                                                                                    \
    T lane[LANES];                                                                                                   \
    ptrdiff_t i = 0;                                                                                                 \
    for (int k = 0; k < LANES; k++) lane[k] = IDENTITY;                                                              \
    while (n - i >= 2 * MT_CHAIN * LANES) {                                                                          \
        T chain[LANES];                                                                                              \
        for (int k = 0; k < LANES; k++) chain[k] = IDENTITY;                                                         \
        for (const ptrdiff_t end = i + MT_CHAIN * LANES; i < end; i += LANES)                                        \
            for (int k = 0; k < LANES; k++) chain[k] = COMBINE(chain[k], MAP(x[i + k]));                             \
        for (int k = 0; k < LANES; k++) lane[k] = COMBINE(lane[k], chain[k]);                                        \
    }                                                                                                                \
    for (; i + LANES <= n; i += LANES)                                                                               \
        for (int k = 0; k < LANES; k++) lane[k] = COMBINE(lane[k], MAP(x[i + k]));                                   \
    for (int k = 0; i < n; i++, k++) lane[k] = COMBINE(lane[k], MAP(x[i]));                                          \
    _Pragma("GCC unroll 8") for (int w = LANES / 2; w > 0; w /= 2)                                                   \
        for (int k = 0; k < w; k++) lane[k] = COMBINE(lane[k], lane[k + w]);

#define MT_FOLD(name, T, IDENTITY, MAP, COMBINE)                                                                     \
    MT_CLONES static void mt_##name##_row(char *states, const char *values, ptrdiff_t n, int64_t base, double p) {   \
        const T *restrict x = (const T *)values;                                                                     \
        (void)base; (void)p;                                                                                         \
        MT_FOLD_LANES(T, lane, IDENTITY, MAP, COMBINE)                                                               \
        *(T *)states = lane[0];                                                                                      \
    }                                                                                                                \
    MT_CLONES static void mt_##name##_columns(char *states, const char *values, ptrdiff_t row_stride,                \
                                              ptrdiff_t rows, ptrdiff_t n, int64_t base, double p) {                 \
        T *restrict s = (T *)states;                                                                                 \
        ptrdiff_t r = 0;                                                                                             \
        (void)base; (void)p;                                                                                         \
        for (ptrdiff_t j = 0; j < n; j++) s[j] = IDENTITY;                                                           \
        for (; r + 4 <= rows; r += 4) {                                                                              \
            const T *restrict a = (const T *)(values + r * row_stride);                                              \
            const T *restrict b = (const T *)(values + (r + 1) * row_stride);                                        \
            const T *restrict c = (const T *)(values + (r + 2) * row_stride);                                        \
            const T *restrict d = (const T *)(values + (r + 3) * row_stride);                                        \
            for (ptrdiff_t j = 0; j < n; j++)                                                                        \
                s[j] = COMBINE(s[j], COMBINE(COMBINE(MAP(a[j]), MAP(b[j])), COMBINE(MAP(c[j]), MAP(d[j]))));         \
        }                                                                                                            \
        for (; r < rows; r++) {                                                                                      \
            const T *restrict a = (const T *)(values + r * row_stride);                                              \
            for (ptrdiff_t j = 0; j < n; j++) s[j] = COMBINE(s[j], MAP(a[j]));                                       \
        }                                                                                                            \
    }                                                                                                                \
    MT_CLONES static void mt_##name##_merge(char *states, const char *others, ptrdiff_t n) {                         \
        T *restrict s = (T *)states; const T *restrict o = (const T *)others;                                        \
        for (ptrdiff_t j = 0; j < n; j++) s[j] = COMBINE(s[j], o[j]);                                                \
    }

#define MT_SAME(x) (x)
#define MT_SQUARE(x) ((x) * (x))
#define MT_ABS_f32(x) fabsf(x)
#define MT_ABS_f64(x) fabs(x)
#define MT_ADD(a, b) ((a) + (b))
#define MT_MUL(a, b) ((a) * (b))
/* once not a number, always not a number */
#define MT_CHOOSE(t, T)                                                                                              \
    MT_INLINE T mt_larger_##t(T a, T b) { const T c = b > a ? b : a; return b != b ? b : c; }                        \
    MT_INLINE T mt_smaller_##t(T a, T b) { const T c = b < a ? b : a; return b != b ? b : c; }
MT_CHOOSE(f32, float) MT_CHOOSE(f64, double) MT_CHOOSE(i64, int64_t) MT_CHOOSE(u8, uint8_t)

MT_FOLD(sum_f32, float, 0, MT_SAME, MT_ADD)
MT_FOLD(sum_f64, double, 0, MT_SAME, MT_ADD)
MT_FOLD(sum_i64, uint64_t, 0, MT_SAME, MT_ADD)      /* unsigned: overflow wraps around */
MT_FOLD(abs_f32, float, 0, MT_ABS_f32, MT_ADD)
MT_FOLD(abs_f64, double, 0, MT_ABS_f64, MT_ADD)
MT_FOLD(square_f32, float, 0, MT_SQUARE, MT_ADD)
MT_FOLD(square_f64, double, 0, MT_SQUARE, MT_ADD)
MT_FOLD(prod_f32, float, 1, MT_SAME, MT_MUL)
MT_FOLD(prod_f64, double, 1, MT_SAME, MT_MUL)
MT_FOLD(prod_i64, uint64_t, 1, MT_SAME, MT_MUL)
MT_FOLD(max_f32, float, -INFINITY, MT_SAME, mt_larger_f32)
MT_FOLD(max_f64, double, -INFINITY, MT_SAME, mt_larger_f64)
MT_FOLD(max_i64, int64_t, INT64_MIN, MT_SAME, mt_larger_i64)
MT_FOLD(max_u8, uint8_t, 0, MT_SAME, mt_larger_u8)
MT_FOLD(min_f32, float, INFINITY, MT_SAME, mt_smaller_f32)
MT_FOLD(min_f64, double, INFINITY, MT_SAME, mt_smaller_f64)
MT_FOLD(min_i64, int64_t, INT64_MAX, MT_SAME, mt_smaller_i64)
MT_FOLD(min_u8, uint8_t, UINT8_MAX, MT_SAME, mt_smaller_u8)

#pragma push_macro("MT_CLONES")         /* complex numbers: one instruction set will do */
#undef MT_CLONES
#define MT_CLONES
MT_FOLD(sum_c64, mt_c64_t, 0, MT_SAME, MT_ADD)
MT_FOLD(sum_c128, mt_c128_t, 0, MT_SAME, MT_ADD)
MT_FOLD(prod_c64, mt_c64_t, 1, MT_SAME, mt_mul_c64)
MT_FOLD(prod_c128, mt_c128_t, 1, MT_SAME, mt_mul_c128)
#pragma pop_macro("MT_CLONES")

/* --- sums of powers of absolute values: a power is so much code that it comes in one place, before the sum -------- */

#define MT_POWERS(t, T, ABS)                                                                                         \
    MT_CLONES static void mt_powers_##t(T *restrict y, const T *restrict x, ptrdiff_t n, T p) {                      \
        for (ptrdiff_t i = 0; i < n; i++) y[i] = mt_pow_##t(ABS(x[i]), p);                                           \
    }                                                                                                                \
    static void mt_power_##t##_row(char *states, const char *values, ptrdiff_t n, int64_t base, double p) {          \
        T power[MT_TILE];                                                                                            \
        mt_powers_##t(power, (const T *)values, n, (T)p);                                                            \
        mt_sum_##t##_row(states, (const char *)power, n, base, p);                                                   \
    }                                                                                                                \
    static void mt_power_##t##_columns(char *states, const char *values, ptrdiff_t row_stride, ptrdiff_t rows,       \
                                       ptrdiff_t n, int64_t base, double p) {                                        \
        T power[MT_TILE];                                                                                            \
        (void)base;                                                                                                  \
        mt_powers_##t((T *)states, (const T *)values, n, (T)p);                                                      \
        for (ptrdiff_t r = 1; r < rows; r++) {                                                                       \
            mt_powers_##t(power, (const T *)(values + r * row_stride), n, (T)p);                                     \
            mt_sum_##t##_merge(states, (const char *)power, n);                                                      \
        }                                                                                                            \
    }
MT_POWERS(f32, float, fabsf)
MT_POWERS(f64, double, fabs)

/* --- the largest or smallest value and where it is first -------------------------------------------------------- */

typedef struct { float value; int64_t index; } mt_place_f32;
typedef struct { double value; int64_t index; } mt_place_f64;
typedef struct { int64_t value; int64_t index; } mt_place_i64;
typedef int32_t mt_row_f32;      /* a row's number, as wide as the value so that both are selected alike */
typedef int64_t mt_row_f64, mt_row_i64;
typedef float mt_v_f32; typedef double mt_v_f64; typedef int64_t mt_v_i64;

/* b takes the place of a, which came before: not a number beats all */
#define MT_BEATS(b, OP, a) ((((b) OP (a)) | ((b) != (b))) & ((a) == (a)))

#define MT_PLACE(name, t, OP, IDENTITY, COMBINE)                                                                     \
    MT_CLONES static void mt_##name##_row(char *states, const char *values, ptrdiff_t n, int64_t base, double p) {   \
        const mt_v_##t *restrict x = (const mt_v_##t *)values;                                                       \
        (void)p;                                                                                                     \
        MT_FOLD_LANES(mt_v_##t, lane, IDENTITY, MT_SAME, COMBINE)                                                    \
        const mt_v_##t value = lane[0];                                                                              \
        const int number = value == value;                                                                           \
        for (i = 0; i + LANES <= n; i += LANES) {                                                                    \
            int found = 0;                         /* is it among these? then look closer */                         \
            if (number) for (int k = 0; k < LANES; k++) found |= x[i + k] == value;                                  \
            else for (int k = 0; k < LANES; k++) found |= x[i + k] != x[i + k];                                      \
            if (found) break;                                                                                        \
        }                                                                                                            \
        while (i + 1 < n && !(number ? x[i] == value : x[i] != x[i])) i++;                                           \
        ((mt_place_##t *)states)->value = value;                                                                     \
        ((mt_place_##t *)states)->index = base + i;                                                                  \
    }                                                                                                                \
    MT_CLONES static void mt_##name##_columns(char *states, const char *values, ptrdiff_t row_stride,                \
                                              ptrdiff_t rows, ptrdiff_t n, int64_t base, double p) {                 \
        mt_v_##t value[MT_TILE]; mt_row_##t row[MT_TILE];                                                            \
        const mt_v_##t *restrict x = (const mt_v_##t *)values;                                                       \
        (void)p;                                                                                                     \
        for (ptrdiff_t j = 0; j < n; j++) { value[j] = x[j]; row[j] = 0; }                                           \
        for (ptrdiff_t r = 1; r < rows; r++) {                                                                       \
            x = (const mt_v_##t *)(values + r * row_stride);                                                         \
            for (ptrdiff_t j = 0; j < n; j++) {                                                                      \
                const int beats = MT_BEATS(x[j], OP, value[j]);                                                      \
                value[j] = beats ? x[j] : value[j];                                                                  \
                row[j] = beats ? (mt_row_##t)r : row[j];                                                             \
            }                                                                                                        \
        }                                                                                                            \
        for (ptrdiff_t j = 0; j < n; j++)                                                                            \
            ((mt_place_##t *)states)[j] = (mt_place_##t){value[j], base + row[j]};                                   \
    }                                                                                                                \
    static void mt_##name##_merge(char *states, const char *others, ptrdiff_t n) {                                   \
        mt_place_##t *s = (mt_place_##t *)states; const mt_place_##t *o = (const mt_place_##t *)others;              \
        for (ptrdiff_t j = 0; j < n; j++) if (MT_BEATS(o[j].value, OP, s[j].value)) s[j] = o[j];                     \
    }

MT_PLACE(argmax_f32, f32, >, -INFINITY, mt_larger_f32)
MT_PLACE(argmax_f64, f64, >, -INFINITY, mt_larger_f64)
MT_PLACE(argmax_i64, i64, >, INT64_MIN, mt_larger_i64)
MT_PLACE(argmin_f32, f32, <, INFINITY, mt_smaller_f32)
MT_PLACE(argmin_f64, f64, <, INFINITY, mt_smaller_f64)
MT_PLACE(argmin_i64, i64, <, INT64_MAX, mt_smaller_i64)

/* --- mean and sum of squared deviations ----------------------------------------------------------------------------
 * Around the rounded mean c of the block; what the rounding left is taken out again with the sum of the deviations.
 * Blocks merge in double (Chan, Golub, LeVeque 1983). */

typedef struct { double mean, squares, n; } mt_moments;

#define MT_MOMENT_KERNELS(t, T)                                                                                      \
    MT_CLONES static void mt_moments_##t##_row(char *states, const char *values, ptrdiff_t n, int64_t base,          \
                                               double p) {                                                           \
        const T *restrict x = (const T *)values;                                                                     \
        enum { LANES = MT_LANES(T) / 2 };                                                                            \
        T c, lane[LANES], square[LANES];                                                                             \
        ptrdiff_t i = 0;                                                                                             \
        mt_sum_##t##_row((char *)&c, values, n, base, p);                                                            \
        c /= (T)n;                                                                                                   \
        for (int k = 0; k < LANES; k++) lane[k] = square[k] = 0;                                                     \
        for (; i + LANES <= n; i += LANES)                                                                           \
            for (int k = 0; k < LANES; k++) {                                                                        \
                const T d = x[i + k] - c;                                                                            \
                lane[k] += d; square[k] += d * d;                                                                    \
            }                                                                                                        \
        for (int k = 0; i < n; i++, k++) { const T d = x[i] - c; lane[k] += d; square[k] += d * d; }                 \
        double rest = 0, squares = 0;                                                                                \
        for (int k = 0; k < LANES; k++) { rest += lane[k]; squares += square[k]; }                                   \
        *(mt_moments *)states = (mt_moments){c + rest / n, squares - rest * rest / n, n};                            \
    }                                                                                                                \
    MT_CLONES static void mt_moments_##t##_columns(char *states, const char *values, ptrdiff_t row_stride,           \
                                                   ptrdiff_t rows, ptrdiff_t n, int64_t base, double p) {            \
        T c[MT_TILE], rest[MT_TILE], squares[MT_TILE];                                                               \
        mt_sum_##t##_columns((char *)c, values, row_stride, rows, n, base, p);                                       \
        for (ptrdiff_t j = 0; j < n; j++) { c[j] /= (T)rows; rest[j] = squares[j] = 0; }                             \
        for (ptrdiff_t r = 0; r < rows; r++) {                                                                       \
            const T *restrict x = (const T *)(values + r * row_stride);                                              \
            for (ptrdiff_t j = 0; j < n; j++) { const T d = x[j] - c[j]; rest[j] += d; squares[j] += d * d; }        \
        }                                                                                                            \
        for (ptrdiff_t j = 0; j < n; j++)                                                                            \
            ((mt_moments *)states)[j] = (mt_moments){c[j] + (double)rest[j] / rows,                                  \
                                                     squares[j] - (double)rest[j] * rest[j] / rows, rows};           \
    }
MT_MOMENT_KERNELS(f32, float)
MT_MOMENT_KERNELS(f64, double)

static void mt_moments_merge(char *states, const char *others, ptrdiff_t n) {
    mt_moments *s = (mt_moments *)states; const mt_moments *o = (const mt_moments *)others;
    for (ptrdiff_t j = 0; j < n; j++) {
        const double total = s[j].n + o[j].n, d = o[j].mean - s[j].mean;
        s[j].mean += d * (o[j].n / total);
        s[j].squares += o[j].squares + d * d * (s[j].n * (o[j].n / total));
        s[j].n = total;
    }
}

/* --- the sum of exponentials, relative to the largest ----------------------------------------------------------- */

typedef struct { double max, sum; } mt_exponentials;

/* infinities cancel against nothing */
static inline double mt_finite(double v) { return fabs(v) < INFINITY ? v : 0; }

#define MT_EXPONENTIAL_KERNELS(t, T)                                                                                 \
    MT_CLONES static void mt_logsumexp_##t##_row(char *states, const char *values, ptrdiff_t n, int64_t base,        \
                                                 double p) {                                                         \
        const T *restrict x = (const T *)values;                                                                     \
        enum { LANES = MT_LANES(T) / 2 };                                                                            \
        T max, lane[LANES];                                                                                          \
        mt_max_##t##_row((char *)&max, values, n, base, p);                                                          \
        const T c = (T)mt_finite(max);                                                                               \
        for (int k = 0; k < LANES; k++) lane[k] = 0;                                                                 \
        ptrdiff_t i = 0;                                                                                             \
        for (; i + LANES <= n; i += LANES)                                                                           \
            for (int k = 0; k < LANES; k++) lane[k] += mt_exp_##t(x[i + k] - c);                                     \
        for (int k = 0; i < n; i++, k++) lane[k] += mt_exp_##t(x[i] - c);                                            \
        double sum = 0;                                                                                              \
        for (int k = 0; k < LANES; k++) sum += lane[k];                                                              \
        *(mt_exponentials *)states = (mt_exponentials){max, sum};                                                    \
    }                                                                                                                \
    MT_CLONES static void mt_logsumexp_##t##_columns(char *states, const char *values, ptrdiff_t row_stride,         \
                                                     ptrdiff_t rows, ptrdiff_t n, int64_t base, double p) {          \
        T max[MT_TILE], c[MT_TILE], sum[MT_TILE];                                                                    \
        mt_max_##t##_columns((char *)max, values, row_stride, rows, n, base, p);                                     \
        for (ptrdiff_t j = 0; j < n; j++) { c[j] = (T)mt_finite(max[j]); sum[j] = 0; }                               \
        for (ptrdiff_t r = 0; r < rows; r++) {                                                                       \
            const T *restrict x = (const T *)(values + r * row_stride);                                              \
            for (ptrdiff_t j = 0; j < n; j++) sum[j] += mt_exp_##t(x[j] - c[j]);                                     \
        }                                                                                                            \
        for (ptrdiff_t j = 0; j < n; j++) ((mt_exponentials *)states)[j] = (mt_exponentials){max[j], sum[j]};        \
    }
MT_EXPONENTIAL_KERNELS(f32, float)
MT_EXPONENTIAL_KERNELS(f64, double)

static void mt_logsumexp_merge(char *states, const char *others, ptrdiff_t n) {
    mt_exponentials *s = (mt_exponentials *)states; const mt_exponentials *o = (const mt_exponentials *)others;
    for (ptrdiff_t j = 0; j < n; j++) {
        const double max = mt_larger_f64(s[j].max, o[j].max), c = mt_finite(max);
        const double a = s[j].sum == 0 ? 0 : s[j].sum * exp(mt_finite(s[j].max) - c);
        const double b = o[j].sum == 0 ? 0 : o[j].sum * exp(mt_finite(o[j].max) - c);
        s[j] = (mt_exponentials){max, a + b};
    }
}

/* --- the table, by operation and by the type in which the values come ------------------------------------------- */

#define MT_ENTRY(name, T, CODE)                                                                                      \
    [CODE] = {mt_##name##_row, mt_##name##_columns, mt_##name##_merge, sizeof(T), 8192, {CODE, CODE}, {0, 0}}
#define MT_FLOATS(name) MT_ENTRY(name##_f32, float, MT_F32), MT_ENTRY(name##_f64, double, MT_F64)
#define MT_COMPLEXES(name) MT_ENTRY(name##_c64, mt_c64_t, MT_C64), MT_ENTRY(name##_c128, mt_c128_t, MT_C128)
#define MT_NUMBERS(name) MT_FLOATS(name), MT_ENTRY(name##_i64, int64_t, MT_I64)
#define MT_ORDERED(name) MT_NUMBERS(name), MT_ENTRY(name##_u8, uint8_t, MT_U8), MT_ENTRY(name##_u8, uint8_t, MT_BOOL)
#define MT_PLACE_ENTRY(name, t, CODE) [CODE] = {mt_##name##_##t##_row, mt_##name##_##t##_columns,                    \
    mt_##name##_##t##_merge, sizeof(mt_place_##t), 1024, {MT_I64, CODE}, {offsetof(mt_place_##t, index), 0}}
#define MT_PLACES(name) MT_PLACE_ENTRY(name, f32, MT_F32), MT_PLACE_ENTRY(name, f64, MT_F64),                        \
    MT_PLACE_ENTRY(name, i64, MT_I64)
#define MT_STRUCT_ENTRY(name, t, CODE, S, FIRST, SECOND) [CODE] = {mt_##name##_##t##_row, mt_##name##_##t##_columns, \
    mt_##name##_merge, sizeof(S), 1024, {MT_F64, MT_F64}, {offsetof(S, FIRST), offsetof(S, SECOND)}}

static const mt_reduction mt_reductions[MT_REDUCTIONS][MT_NTYPES] = {
    [MT_SUM] = {MT_NUMBERS(sum), MT_COMPLEXES(sum)},
    [MT_SUM_ABS] = {MT_FLOATS(abs)},
    [MT_SUM_SQUARE] = {MT_FLOATS(square)},
    [MT_SUM_POWER] = {
        [MT_F32] = {mt_power_f32_row, mt_power_f32_columns, mt_sum_f32_merge, 4, MT_TILE, {MT_F32, MT_F32}},
        [MT_F64] = {mt_power_f64_row, mt_power_f64_columns, mt_sum_f64_merge, 8, MT_TILE, {MT_F64, MT_F64}},
    },
    [MT_PROD] = {MT_NUMBERS(prod), MT_COMPLEXES(prod)},
    [MT_MAX] = {MT_ORDERED(max)},
    [MT_MIN] = {MT_ORDERED(min)},
    [MT_ARGMAX] = {MT_PLACES(argmax)},
    [MT_ARGMIN] = {MT_PLACES(argmin)},
    [MT_MOMENTS] = {MT_STRUCT_ENTRY(moments, f32, MT_F32, mt_moments, squares, mean),
                    MT_STRUCT_ENTRY(moments, f64, MT_F64, mt_moments, squares, mean)},
    [MT_LOGSUMEXP] = {MT_STRUCT_ENTRY(logsumexp, f32, MT_F32, mt_exponentials, sum, max),
                      MT_STRUCT_ENTRY(logsumexp, f64, MT_F64, mt_exponentials, sum, max)},
};

/* --- sums and products so far: rows of `columns` values, `step` values from one to the next --------------------- */

enum { MT_SCAN_SUM, MT_SCAN_PROD };
enum { MT_SCAN_COLUMNS = 512 };
typedef void (*mt_scan_kernel)(char *out, const char *x, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t columns);

#define MT_SCAN(name, T, A, IDENTITY, COMBINE)                                                                       \
    MT_CLONES static void mt_##name(char *out, const char *values, ptrdiff_t step, ptrdiff_t rows,                   \
                                    ptrdiff_t columns) {                                                             \
        T *restrict y = (T *)out; const T *restrict x = (const T *)values;                                           \
        A total[MT_SCAN_COLUMNS];                                                                                    \
        if (columns == 1) {                                                                                          \
            A t = IDENTITY;                                                                                          \
            for (ptrdiff_t r = 0; r < rows; r++) { t = COMBINE(t, x[r * step]); y[r * step] = (T)t; }                \
            return;                                                                                                  \
        }                                                                                                            \
        for (ptrdiff_t j = 0; j < columns; j++) total[j] = IDENTITY;                                                 \
        for (ptrdiff_t r = 0; r < rows; r++, x += step, y += step)                                                   \
            for (ptrdiff_t j = 0; j < columns; j++) { total[j] = COMBINE(total[j], x[j]); y[j] = (T)total[j]; }      \
    }
MT_SCAN(cumsum_f32, float, double, 0, MT_ADD)
MT_SCAN(cumsum_f64, double, double, 0, MT_ADD)
MT_SCAN(cumsum_i64, uint64_t, uint64_t, 0, MT_ADD)
MT_SCAN(cumprod_f32, float, double, 1, MT_MUL)
MT_SCAN(cumprod_f64, double, double, 1, MT_MUL)
MT_SCAN(cumprod_i64, uint64_t, uint64_t, 1, MT_MUL)
#pragma push_macro("MT_CLONES")
#undef MT_CLONES
#define MT_CLONES
MT_SCAN(cumsum_c64, mt_c64_t, mt_c128_t, 0, MT_ADD)
MT_SCAN(cumsum_c128, mt_c128_t, mt_c128_t, 0, MT_ADD)
MT_SCAN(cumprod_c64, mt_c64_t, mt_c128_t, 1, mt_mul_c128)
MT_SCAN(cumprod_c128, mt_c128_t, mt_c128_t, 1, mt_mul_c128)
#pragma pop_macro("MT_CLONES")

static const mt_scan_kernel mt_scans[2][MT_NTYPES] = {
    {[MT_F32] = mt_cumsum_f32, [MT_F64] = mt_cumsum_f64, [MT_I64] = mt_cumsum_i64,
     [MT_C64] = mt_cumsum_c64, [MT_C128] = mt_cumsum_c128},
    {[MT_F32] = mt_cumprod_f32, [MT_F64] = mt_cumprod_f64, [MT_I64] = mt_cumprod_i64,
     [MT_C64] = mt_cumprod_c64, [MT_C128] = mt_cumprod_c128},
};

/* --- from a state to the result --------------------------------------------------------------------------------- */

static void mt_finish(int how, const mt_reduction *kernel, char *states, ptrdiff_t n, int64_t times, double p) {
    const int code = kernel->code[0];
    if (how == MT_AS_IS) return;
    for (ptrdiff_t j = 0; j < n; j++) {
        char *const place = states + j * kernel->size + kernel->at[0];
        if (code == MT_C64) { *(mt_c64_t *)place = (mt_c64_t)(*(mt_c64_t *)place * ((double)times / p)); continue; }
        if (code == MT_C128) { *(mt_c128_t *)place *= (double)times / p; continue; }
        if (code == MT_I64) { *(uint64_t *)place *= (uint64_t)times; continue; }
        double v = code == MT_F32 ? *(float *)place : *(double *)place;
        switch (how) {
            case MT_SCALE: v = v * (double)times / p; break;
            case MT_ROOT: v = sqrt(v / p); break;
            case MT_POWER: v = pow(v, 1 / p); break;
            default: v = log(v) + mt_finite(*(double *)(states + j * kernel->size + kernel->at[1]));
        }
        if (code == MT_F32) *(float *)place = (float)v;
        else *(double *)place = v;
    }
}
#endif
