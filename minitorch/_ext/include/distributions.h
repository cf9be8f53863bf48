/* Random numbers of the usual distributions from the words of an MT19937 generator.

   The recipes are those of PyTorch's CPU generator, so that the same seed gives the same numbers, and every one leaves
   the generator at the word where PyTorch leaves it.  docs/random.md describes them.  A multiplication and an addition
   that PyTorch's build rounds once are written as fma here, and the others are kept apart, so that the result does not
   depend on the instruction set.

   A fill writes n contiguous numbers; tensors that are strided or of other types are converted from these. */
#ifndef MT_DISTRIBUTIONS_H
#define MT_DISTRIBUTIONS_H

#include <math.h>
#include <stddef.h>
#include "half.h"
#include "mt19937.h"

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

enum { MT_CHUNK = 1024 };  /* words drawn at a time: the buffers stay in the first-level cache */

typedef void (*mt_piece)(void *context, ptrdiff_t begin, ptrdiff_t end);

typedef struct {
    double a, b;           /* the distribution's parameters: from and to, mean and standard deviation, ... */
    uint64_t range;        /* of integers: how many values, 0 for 2^64; the smallest; whether one takes two words */
    int64_t base;
    int wide;
    const void *p;         /* a probability for each number */
    void (*parallel)(ptrdiff_t n, ptrdiff_t grain, mt_piece fn, void *context);  /* calls fn on pieces of [0, n) */
} mt_params;

typedef void (*mt_fill)(mt_generator *g, void *to, int64_t n, const mt_params *params);

/* Words come one after the other, but what is made of them can be made by several threads. */
typedef struct { void *y; double a, b; } mt_transformed;

static void mt_transform(mt_piece fn, void *y, int64_t n, int64_t grain, const mt_params *params)
{
    mt_transformed job = {y, params->a, params->b};
    params->parallel(n, grain, fn, &job);
}

static inline float mt_bm_float(uint32_t i) { float x; memcpy(&x, &i, 4); return x; }
static inline uint32_t mt_bm_bits(float x) { uint32_t i; memcpy(&i, &x, 4); return i; }

/* ---- fused multiply-add -------------------------------------------------------------------------------------- */

/* One instruction where the processor has it.  A build for a baseline x86 without clones would call libm for each, so
   there float goes through double: the product is exact and only the rare tie is rounded twice. */
#if defined(__FMA__) || defined(__aarch64__) || MT_HAVE_CLONES
static inline float mt_bm_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
static inline float mt_bm_fma(float a, float b, float c) { return (float)((double)a * b + c); }
#endif

/* ---- uniform ------------------------------------------------------------------------------------------------- */

static inline float mt_unit_f32(uint32_t w) { return (float)(int32_t)(w & 0xffffffu) * 0x1p-24f; }
static inline int64_t mt_53_bits(const uint32_t *w) { return (int64_t)(w[0] & 0x1fffffu) << 32 | w[1]; }
static inline double mt_unit_f64(const uint32_t *w) { return (double)mt_53_bits(w) * 0x1p-53; }

/* Rounding can reach the upper end, which is excluded: such a number becomes the lower one. */
MT_CLONES static void mt_stretch_f32(float *restrict y, const uint32_t *restrict w, int64_t n, float from, float to)
{
    float span = to - from;
    for (int64_t i = 0; i < n; i++) {
        float x = mt_bm_fma(mt_unit_f32(w[i]), span, from);
        y[i] = x >= to ? from : x;
    }
}

MT_CLONES static void mt_stretch_f64(double *restrict y, const uint32_t *restrict w, int64_t n, double from, double to)
{
    double span = to - from;
    for (int64_t i = 0; i < n; i++) {
        double x = __builtin_fma(mt_unit_f64(w + 2 * i), span, from);
        y[i] = x >= to ? from : x;
    }
}

static void mt_draw_f32(mt_generator *g, float *y, int64_t n, float from, float to)
{
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK) {
        int64_t k = n - i < MT_CHUNK ? n - i : MT_CHUNK;
        mt_words(g, w, k);
        mt_stretch_f32(y + i, w, k, from, to);
    }
}

static void mt_draw_f64(mt_generator *g, double *y, int64_t n, double from, double to)
{
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK / 2) {
        int64_t k = n - i < MT_CHUNK / 2 ? n - i : MT_CHUNK / 2;
        mt_words(g, w, 2 * k);
        mt_stretch_f64(y + i, w, k, from, to);
    }
}

static void mt_uniform_f32(mt_generator *g, void *y, int64_t n, const mt_params *params)
{
    mt_draw_f32(g, y, n, (float)params->a, (float)params->b);
}

static void mt_uniform_f64(mt_generator *g, void *y, int64_t n, const mt_params *params)
{
    mt_draw_f64(g, y, n, params->a, params->b);
}

/* Float32 numbers rounded; more of them reach the upper end. */
#define MT_UNIFORM_HALF(name, to_half, to_float)                                                          \
    static void mt_uniform_##name(mt_generator *g, void *to, int64_t n, const mt_params *params)          \
    {                                                                                                     \
        uint16_t *y = to, lowest = to_half((float)params->a);                                             \
        float x[MT_CHUNK], end = to_float(to_half((float)params->b));                                     \
        for (int64_t i = 0; i < n; i += MT_CHUNK) {                                                       \
            int64_t k = n - i < MT_CHUNK ? n - i : MT_CHUNK;                                              \
            mt_draw_f32(g, x, k, (float)params->a, (float)params->b);                                     \
            for (int64_t j = 0; j < k; j++) {                                                             \
                uint16_t rounded = to_half(x[j]);                                                         \
                y[i + j] = to_float(rounded) >= end ? lowest : rounded;                                   \
            }                                                                                             \
        }                                                                                                 \
    }
MT_UNIFORM_HALF(f16, mt_float_to_half, mt_half_to_float)
MT_UNIFORM_HALF(bf16, mt_float_to_bf16, mt_bf16_to_float)

/* ---- normal: Box and Muller's transform (Ann. Math. Stat. 29, 1958) ------------------------------------------- */

/* log x for 0 < x <= 1, after Cephes' logf: x = m 2^e with m in [sqrt(1/2), sqrt(2)), then a polynomial in m - 1. */
static inline float mt_bm_log(float x)
{
    uint32_t bits = mt_bm_bits(x);
    float m = mt_bm_float((bits & 0x007fffffu) | 0x3f000000u);
    int low = m < 0x1.6a09e6p-1f;
    float e = (float)((int32_t)(bits >> 23) - 126 - low);
    float t = low ? m - 1 + m : m - 1;
    float p = 7.0376836292e-2f;
    p = mt_bm_fma(p, t, -1.1514610310e-1f);
    p = mt_bm_fma(p, t, 1.1676998740e-1f);
    p = mt_bm_fma(p, t, -1.2420140846e-1f);
    p = mt_bm_fma(p, t, 1.4249322787e-1f);
    p = mt_bm_fma(p, t, -1.6668057665e-1f);
    p = mt_bm_fma(p, t, 2.0000714765e-1f);
    p = mt_bm_fma(p, t, -2.4999993993e-1f);
    p = mt_bm_fma(p, t, 3.3333331174e-1f);
    p *= t;
    float t2 = t * t;
    p = mt_bm_fma(p, t2, e * -2.12194440e-4f);
    p = mt_bm_fma(t2, -0.5f, p);
    return mt_bm_fma(e, 0.693359375f, t + p);
}

/* sin x and cos x for 0 <= x < 2 pi, after Cephes' sinf: x less the nearest multiple of pi/2 (pi/4 in three parts),
   then both polynomials, exchanged and negated by the quadrant. */
static inline void mt_bm_sincos(float x, float *sin_x, float *cos_x)
{
    int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
    float k = (float)octant;
    x = mt_bm_fma(k, -0.78515625f, x);
    x = mt_bm_fma(k, -2.4187564849853515625e-4f, x);
    x = mt_bm_fma(k, -3.77489497744594108e-8f, x);
    float x2 = x * x;
    float c = mt_bm_fma(2.443315711809948e-5f, x2, -1.388731625493765e-3f);
    c = mt_bm_fma(c, x2, 4.166664568298827e-2f) * x2;
    c = mt_bm_fma(c, x2, -0.5f * x2) + 1.0f;
    float s = mt_bm_fma(-1.9515295891e-4f, x2, 8.3321608736e-3f);
    s = mt_bm_fma(s, x2, -1.6666654611e-1f) * x2;
    s = mt_bm_fma(s, x, x);
    int swap = octant & 2;
    float sine = swap ? c : s, cosine = swap ? s : c;
    *sin_x = mt_bm_float(mt_bm_bits(sine) ^ (uint32_t)(octant & 4) << 29);
    *cos_x = mt_bm_float(mt_bm_bits(cosine) ^ (uint32_t)((octant + 2) & 4) << 29);
}

/* Uniform numbers to normal ones, in place, 16 at a time: y[j] and y[j + 8] are the two of a pair.  A run of blocks is
   first split into the radii's and the angles' numbers, so that the arithmetic is one loop for any vector width. */
MT_CLONES static void mt_box_muller_f32(float *y, int64_t n, float mean, float std)
{
    enum { PAIRS = 256 };
    float u1[PAIRS], u2[PAIRS];
    for (int64_t start = 0; start < n; start += 2 * PAIRS) {
        float *block = y + start;
        int pairs = n - start < 2 * PAIRS ? (int)(n - start) / 2 : PAIRS;
        for (int i = 0; i < pairs; i += 8)
            for (int j = 0; j < 8; j++) u1[i + j] = block[2 * i + j], u2[i + j] = block[2 * i + 8 + j];
        for (int i = 0; i < pairs; i++) {
            float radius = sqrtf(-2.0f * mt_bm_log(1.0f - u1[i])), s, c;
            mt_bm_sincos(6.283185307179586f * u2[i], &s, &c);
            u1[i] = mt_bm_fma(radius * c, std, mean);
            u2[i] = mt_bm_fma(radius * s, std, mean);
        }
        for (int i = 0; i < pairs; i += 8)
            for (int j = 0; j < 8; j++) block[2 * i + j] = u1[i + j], block[2 * i + 8 + j] = u2[i + j];
    }
}

static void mt_box_muller_f64(double *y, int64_t n, double mean, double std)
{
    for (int64_t i = 0; i < n; i += 16)
        for (int j = 0; j < 8; j++) {
            double *a = y + i + j, *b = a + 8;
            double radius = sqrt(-2.0 * log(1.0 - *a)), angle = 2.0 * M_PI * *b;
            *a = __builtin_fma(radius * cos(angle), std, mean);
            *b = __builtin_fma(radius * sin(angle), std, mean);
        }
}

static void mt_normal_blocks_f32(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    mt_transformed *job = context;
    mt_box_muller_f32((float *)job->y + 16 * begin, 16 * (end - begin), (float)job->a, (float)job->b);
}

static void mt_normal_blocks_f64(void *context, ptrdiff_t begin, ptrdiff_t end)
{
    mt_transformed *job = context;
    mt_box_muller_f64((double *)job->y + 16 * begin, 16 * (end - begin), job->a, job->b);
}

/* At least 16 numbers.  If 16 does not divide n, the last 16 are drawn again. */
static void mt_normal_f32(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    float *y = to;
    mt_draw_f32(g, y, n, 0.0f, 1.0f);
    mt_transform(mt_normal_blocks_f32, y, n / 16, 2048, params);
    if (n % 16) {
        mt_draw_f32(g, y + n - 16, 16, 0.0f, 1.0f);
        mt_box_muller_f32(y + n - 16, 16, (float)params->a, (float)params->b);
    }
}

/* The same, to be rounded to a half type: here the n mod 16 that would be thrown away are not drawn. */
static void mt_normal_half(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    float *y = to;
    mt_normal_f32(g, y, n - n % 16, params);
    if (n % 16) mt_normal_f32(g, y + n - 16, 16, params);
}

static void mt_normal_f64(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    double *y = to;
    mt_draw_f64(g, y, n, 0.0, 1.0);
    mt_transform(mt_normal_blocks_f64, y, n / 16, 128, params);
    if (n % 16) {
        mt_draw_f64(g, y + n - 16, 16, 0.0, 1.0);
        mt_box_muller_f64(y + n - 16, 16, params->a, params->b);
    }
}

/* Fewer, or strided: one at a time, from pairs in double precision; the second of a pair waits in the generator. */
static double mt_standard_normal(mt_generator *g)
{
    double u[2], kept = g->normal;
    int has_kept = g->has_normal;
    g->normal = 0;
    g->has_normal = !has_kept;
    if (has_kept) return kept;
    mt_draw_f64(g, u, 2, 0.0, 1.0);
    double radius = sqrt(-2.0 * log1p(-u[1])), angle = 2.0 * M_PI * u[0];
    g->normal = radius * sin(angle);
    return radius * cos(angle);
}

static void mt_normal_pairs(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    double *y = to;
    for (int64_t i = 0; i < n; i++) y[i] = __builtin_fma(mt_standard_normal(g), params->b, params->a);
}

static void mt_normal_pairs_f32(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    float *y = to;
    for (int64_t i = 0; i < n; i++) y[i] = (float)__builtin_fma(mt_standard_normal(g), params->b, params->a);
}

static void mt_log_normal(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    double *y = to;
    for (int64_t i = 0; i < n; i++) y[i] = exp(__builtin_fma(mt_standard_normal(g), params->b, params->a));
}

/* ---- other distributions, by the inverse of the distribution function, in double precision --------------------- */

#define MT_BY_INVERSE(name, of_u)                                                                         \
    static void mt_##name##_piece(void *context, ptrdiff_t begin, ptrdiff_t end)                          \
    {                                                                                                     \
        mt_transformed *job = context;                                                                    \
        double *y = job->y, a = job->a, b = job->b;                                                       \
        for (ptrdiff_t i = begin; i < end; i++) {                                                         \
            double u = y[i];                                                                              \
            y[i] = of_u;                                                                                  \
        }                                                                                                 \
        (void)a, (void)b;                                                                                 \
    }                                                                                                     \
    static void mt_##name(mt_generator *g, void *y, int64_t n, const mt_params *params)                   \
    {                                                                                                     \
        mt_draw_f64(g, y, n, 0.0, 1.0);                                                                   \
        mt_transform(mt_##name##_piece, y, n, 2048, params);                                              \
    }
MT_BY_INVERSE(exponential, -1.0 / a * log1p(-u))                      /* a: rate */
MT_BY_INVERSE(cauchy, __builtin_fma(b, tan(M_PI * (u - 0.5)), a))     /* a: median, b: scale */
MT_BY_INVERSE(geometric, ceil(log(u) / log1p(-a)))                    /* a: probability of success */

/* ---- coins, one byte each --------------------------------------------------------------------------------------- */

/* x < p, for x of 53 random bits times 2^-53, is the bits < p 2^53, which is exact. */
MT_CLONES static void mt_below(uint8_t *restrict y, const uint32_t *restrict w, int64_t n, int64_t bound)
{
    for (int64_t i = 0; i < n; i++) y[i] = mt_53_bits(w + 2 * i) < bound;
}

MT_CLONES static void mt_below_f32(uint8_t *restrict y, const uint32_t *restrict w, int64_t n, const float *restrict p)
{
    for (int64_t i = 0; i < n; i++) y[i] = mt_unit_f32(w[i]) < p[i];
}

MT_CLONES static void mt_below_f64(uint8_t *restrict y, const uint32_t *restrict w, int64_t n, const double *restrict p)
{
    for (int64_t i = 0; i < n; i++) y[i] = mt_unit_f64(w + 2 * i) < p[i];
}

static void mt_bernoulli(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    uint8_t *y = to;
    uint32_t w[MT_CHUNK];
    int64_t bound = (int64_t)ceil(params->a * 0x1p53);
    for (int64_t i = 0; i < n; i += MT_CHUNK / 2) {
        int64_t k = n - i < MT_CHUNK / 2 ? n - i : MT_CHUNK / 2;
        mt_words(g, w, 2 * k);
        mt_below(y + i, w, k, bound);
    }
}

static void mt_bernoulli_f32(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    uint8_t *y = to;
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK) {
        int64_t k = n - i < MT_CHUNK ? n - i : MT_CHUNK;
        mt_words(g, w, k);
        mt_below_f32(y + i, w, k, (const float *)params->p + i);
    }
}

static void mt_bernoulli_f64(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    uint8_t *y = to;
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK / 2) {
        int64_t k = n - i < MT_CHUNK / 2 ? n - i : MT_CHUNK / 2;
        mt_words(g, w, 2 * k);
        mt_below_f64(y + i, w, k, (const double *)params->p + i);
    }
}

/* ---- counts, each by rejection, so one after the other ----------------------------------------------------------- */

static double mt_unit(mt_generator *g)
{
    double u;
    mt_draw_f64(g, &u, 1, 0.0, 1.0);
    return u;
}

/* Small rates: uniforms until their product is below exp(-rate).  Others: Hormann's PTRS, The transformed rejection
   method for generating Poisson random variables, Insurance: Mathematics and Economics 12 (1993). */
static double mt_poisson_one(mt_generator *g, double rate)
{
    if (rate == 0) return 0;
    if (rate < 10) {
        double end = exp(-rate), product = mt_unit(g), count = 0;
        for (; product > end; count++) product *= mt_unit(g);
        return count;
    }
    double log_rate = log(rate), b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double scale = 1.1239 + 1.1328 / (b - 3.4), sure = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = mt_unit(g) - 0.5, v = mt_unit(g), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= sure) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (log(v) + log(scale) - log(a / (us * us) + b) <= -rate + k * log_rate - lgamma(k + 1)) return k;
        if (!(rate < INFINITY)) return rate;
    }
}

static void mt_poisson(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    for (int64_t i = 0; i < n; i++) ((double *)to)[i] = mt_poisson_one(g, ((const double *)params->p)[i]);
}

/* What Stirling's formula leaves of log k!. */
static double mt_stirling_rest(double k)
{
    static const double table[] = {
        0.08106146679532726, 0.04134069595540929, 0.02767792568499834, 0.02079067210376509, 0.01664469118982119,
        0.01387612882307075, 0.01189670994589177, 0.01041126526197209, 0.00925546218271273, 0.00833056343336287};
    if (k < 10) return table[(int)k];
    double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/* p up to a half.  Few successes: the gaps between them.  Others: Hormann's BTRS, The generation of binomial random
   variates, Journal of Statistical Computation and Simulation 46 (1993). */
static double mt_binomial_one(mt_generator *g, double n, double p)
{
    if (n * p < 10) {
        double sum = 0, count = 0, log_q = log1p(-p);
        for (;; count++) {
            sum += ceil(log(mt_unit(g)) / log_q);
            if (!(sum <= n)) return count;
        }
    }
    double dev = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * dev, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double c = n * p + 0.5, sure = 0.92 - 4.2 / b, r = p / (1 - p), alpha = (2.83 + 5.1 / b) * dev, m = floor((n + 1) * p);
    for (;;) {
        double u = mt_unit(g) - 0.5, v = mt_unit(g), us = 0.5 - fabs(u), k = floor((2 * a / us + b) * u + c);
        if (us >= 0.07 && v <= sure) return k;
        if (k < 0 || k > n) continue;
        v = log(v * alpha / (a / (us * us) + b));
        if (v <= (m + 0.5) * log((m + 1) / (r * (n - m + 1))) + (n + 1) * log((n - m + 1) / (n - k + 1))
                 + (k + 0.5) * log(r * (n - k + 1) / (k + 1)) + mt_stirling_rest(m) + mt_stirling_rest(n - m)
                 - mt_stirling_rest(k) - mt_stirling_rest(n - k)) return k;
    }
}

/* p: pairs of a number of trials and a probability */
static void mt_binomial(mt_generator *g, void *to, int64_t count, const mt_params *params)
{
    for (int64_t i = 0; i < count; i++) {
        double n = ((const double *)params->p)[2 * i], p = ((const double *)params->p)[2 * i + 1];
        ((double *)to)[i] = !(n < INFINITY) ? NAN : n <= 0 || p <= 0 ? 0 : p >= 1 ? n : p <= 0.5 ? mt_binomial_one(g, n, p)
                            : p > 0.5 ? n - mt_binomial_one(g, n, 1 - p) : NAN;
    }
}

/* Whether all are probabilities; a NaN is none. */
MT_CLONES static int mt_probabilities_f32(const float *p, int64_t n)
{
    int outside = 0;
    for (int64_t i = 0; i < n; i++) outside |= !(p[i] >= 0 && p[i] <= 1);
    return !outside;
}

MT_CLONES static int mt_probabilities_f64(const double *p, int64_t n)
{
    int outside = 0;
    for (int64_t i = 0; i < n; i++) outside |= !(p[i] >= 0 && p[i] <= 1);
    return !outside;
}

/* Dropout: y = x mask / keep, where 1 / keep is rounded to the type first. */
typedef struct { void *y; const void *x; const uint8_t *mask; double keep; } mt_dropout;

#define MT_DROPOUT(name, T, C, load, store)                                                               \
    MT_CLONES static void mt_dropout_##name(void *context, ptrdiff_t begin, ptrdiff_t end)                \
    {                                                                                                     \
        const mt_dropout *job = context;                                                                  \
        const T *restrict x = job->x;                                                                     \
        const uint8_t *restrict mask = job->mask;                                                         \
        const C scale = load(store((C)1 / (C)job->keep));                                                 \
        T *restrict y = job->y;                                                                           \
        for (ptrdiff_t i = begin; i < end; i++) y[i] = store(load(x[i]) * (mask[i] ? scale : (C)0));      \
    }
#define MT_AS_IS(v) (v)
MT_DROPOUT(f16, uint16_t, float, mt_half_to_float, mt_float_to_half)
MT_DROPOUT(bf16, uint16_t, float, mt_bf16_to_float, mt_float_to_bf16)
MT_DROPOUT(f32, float, float, MT_AS_IS, MT_AS_IS)
MT_DROPOUT(f64, double, double, MT_AS_IS, MT_AS_IS)

/* ---- integers -------------------------------------------------------------------------------------------------- */

/* w mod range + base.  The quotient from a 32-bit reciprocal is right or one too small. */
MT_CLONES static void mt_modulo(int64_t *restrict y, const uint32_t *restrict w, int64_t n, uint32_t range,
                                int64_t base)
{
    uint32_t reciprocal = 0xffffffffu / range;
    for (int64_t i = 0; i < n; i++) {
        uint32_t quotient = (uint32_t)((uint64_t)w[i] * reciprocal >> 32);
        uint32_t rest = w[i] - quotient * range;
        y[i] = (int64_t)(rest >= range ? rest - range : rest) + base;
    }
}

static void mt_modulo_wide(int64_t *y, const uint32_t *w, int64_t n, uint64_t range, int64_t base)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t x = (uint64_t)w[2 * i] << 32 | w[2 * i + 1];
        y[i] = (int64_t)((range ? x % range : x) + (uint64_t)base);
    }
}

static void mt_integers(mt_generator *g, void *to, int64_t n, const mt_params *params)
{
    int64_t *y = to, most = params->wide ? MT_CHUNK / 2 : MT_CHUNK;
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += most) {
        int64_t k = n - i < most ? n - i : most;
        mt_words(g, w, params->wide ? 2 * k : k);
        if (params->wide) mt_modulo_wide(y + i, w, k, params->range, params->base);
        else mt_modulo(y + i, w, k, (uint32_t)params->range, params->base);
    }
}

/* ---- permutations: Fisher and Yates's shuffle ------------------------------------------------------------------ */

/* Where element i goes, i + w mod (n - i).  The double quotient of two 32-bit integers is never rounded up to the next
   integer, for it lies at least 1 / (n - i) below it, so its whole part is exact. */
MT_CLONES static void mt_targets(int32_t *restrict to, const uint32_t *restrict w, int64_t k, int64_t first, int64_t n)
{
    for (int64_t j = 0; j < k; j++) {
        uint32_t left = (uint32_t)(n - first - j);
        uint32_t quotient = (uint32_t)(int64_t)((double)w[j] / (double)left);
        to[j] = (int32_t)((uint32_t)(first + j) + w[j] - quotient * left);
    }
}

static void mt_permutation_i32(mt_generator *g, void *result, int64_t n, const mt_params *params)
{
    int32_t *y = result, to[MT_CHUNK];
    uint32_t w[MT_CHUNK];
    (void)params;
    for (int64_t i = 0; i < n; i++) y[i] = (int32_t)i;
    for (int64_t i = 0; i < n - 1; i += MT_CHUNK) {
        int64_t k = n - 1 - i < MT_CHUNK ? n - 1 - i : MT_CHUNK;
        mt_words(g, w, k);
        mt_targets(to, w, k, i, n);
        for (int64_t j = 0; j < k; j++) {
            int32_t kept = y[i + j];
            y[i + j] = y[to[j]];
            y[to[j]] = kept;
        }
    }
}

/* From MT_MANY elements up 32-bit words would be too uneven: each takes two, and goes inside-out. */
enum { MT_MANY = 0xffffffffu / 20 };

static void mt_permutation_i64(mt_generator *g, void *result, int64_t n, const mt_params *params)
{
    int64_t *y = result;
    uint32_t w[MT_CHUNK];
    (void)params;
    for (int64_t i = 0; i < n; i++) {
        if (i % (MT_CHUNK / 2) == 0) mt_words(g, w, n - i < MT_CHUNK / 2 ? 2 * (n - i) : MT_CHUNK);
        const uint32_t *pair = w + 2 * (i % (MT_CHUNK / 2));
        int64_t other = (int64_t)(((uint64_t)pair[0] << 32 | pair[1]) % (uint64_t)(i + 1));
        y[i] = y[other];
        y[other] = i;
    }
}

/* ---- draws from a list of weights ------------------------------------------------------------------------------- */

/* With replacement: where the cumulative weights, divided by their sum, first reach a uniform number. */
#define MT_CHOOSE(T, name)                                                                                \
    static void mt_choose_##name(mt_generator *g, int64_t *index, int64_t count, const T *weight, T *sums, int64_t n) \
    {                                                                                                     \
        T sum = 0;                                                                                        \
        for (int64_t i = 0; i < n; i++) sums[i] = sum += weight[i];                                       \
        for (int64_t i = 0; i < n; i++) sums[i] /= sum;                                                   \
        for (int64_t k = 0; k < count; k++) {                                                             \
            double u;                                                                                     \
            int64_t low = 0, high = n - 1;                                                                \
            mt_draw_f64(g, &u, 1, 0.0, 1.0);                                                              \
            while (low < high) {                                                                          \
                int64_t middle = low + (high - low) / 2;                                                  \
                if (sums[middle] < u) low = middle + 1;                                                   \
                else high = middle;                                                                       \
            }                                                                                             \
            index[k] = low;                                                                               \
        }                                                                                                 \
    }
MT_CHOOSE(float, f32)
MT_CHOOSE(double, f64)

/* The indices of the largest numbers, in falling order, kept in a heap whose root is the smallest of them. */
static void mt_sift(int64_t *heap, int64_t i, int64_t count, const double *value)
{
    int64_t index = heap[i];
    for (int64_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && value[heap[child + 1]] < value[heap[child]]) child++;
        if (value[index] <= value[heap[child]]) break;
        heap[i] = heap[child];
    }
    heap[i] = index;
}

static void mt_largest(int64_t *heap, int64_t count, const double *value, int64_t n)
{
    for (int64_t i = 0; i < count; i++) heap[i] = i;
    for (int64_t i = count / 2 - 1; i >= 0; i--) mt_sift(heap, i, count, value);
    for (int64_t i = count; i < n; i++)
        if (value[i] > value[heap[0]]) {
            heap[0] = i;
            mt_sift(heap, 0, count, value);
        }
    for (int64_t last = count - 1; last > 0; last--) {
        int64_t smallest = heap[0];
        heap[0] = heap[last];
        heap[last] = smallest;
        mt_sift(heap, 0, last, value);
    }
}

#endif
