/* Random numbers of the usual distributions from the words of an MT19937 generator.

   The recipes are those of PyTorch's CPU generator, so that the same seed gives the same numbers, and every one leaves
   the generator at the word where PyTorch leaves it.  docs/random.md describes them.  A multiplication and an addition
   that PyTorch's build rounds once are written as fma here, and the others are kept apart, so that the result does not
   depend on the instruction set.

   All fills write n contiguous numbers; those of strided tensors and other types are converted from these. */
#ifndef MT_DISTRIBUTIONS_H
#define MT_DISTRIBUTIONS_H

#include <math.h>
#include "mt19937.h"

#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif

enum { MT_CHUNK = 1024 };  /* words drawn at a time: the buffers stay in the first-level cache */

static inline float mt_bits_f32(uint32_t i) { float x; memcpy(&x, &i, 4); return x; }
static inline uint32_t mt_f32_bits(float x) { uint32_t i; memcpy(&i, &x, 4); return i; }

/* ---- fused multiply-add -------------------------------------------------------------------------------------- */

/* One instruction where the processor has it.  A build for a baseline x86 without clones would call libm for each, so
   there float goes through double: the product is exact and only the rare tie is rounded twice. */
#if defined(__FMA__) || defined(__aarch64__) || defined(MT_HAVE_CLONES)
static inline float mt_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
static inline float mt_fma(float a, float b, float c) { return (float)((double)a * b + c); }
#endif

/* ---- uniform ------------------------------------------------------------------------------------------------- */

static inline float mt_unit_f32(uint32_t w) { return (float)(int32_t)(w & 0xffffffu) * 0x1p-24f; }
static inline int64_t mt_53_bits(const uint32_t *w) { return (int64_t)(w[0] & 0x1fffffu) << 32 | w[1]; }
static inline double mt_unit_f64(const uint32_t *w) { return (double)mt_53_bits(w) * 0x1p-53; }

MT_CLONES static void mt_scale_f32(float *restrict y, const uint32_t *restrict w, int64_t n, float from, float to)
{
    float span = to - from;
    for (int64_t i = 0; i < n; i++) y[i] = mt_fma(mt_unit_f32(w[i]), span, from);
}

MT_CLONES static void mt_scale_f64(double *restrict y, const uint32_t *restrict w, int64_t n, double from, double to)
{
    double span = to - from;
    for (int64_t i = 0; i < n; i++) y[i] = __builtin_fma(mt_unit_f64(w + 2 * i), span, from);
}

static void mt_uniform_f32(mt_generator *g, float *y, int64_t n, float from, float to)
{
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK) {
        int64_t k = n - i < MT_CHUNK ? n - i : MT_CHUNK;
        mt_words(g, w, k);
        mt_scale_f32(y + i, w, k, from, to);
    }
}

static void mt_uniform_f64(mt_generator *g, double *y, int64_t n, double from, double to)
{
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK / 2) {
        int64_t k = n - i < MT_CHUNK / 2 ? n - i : MT_CHUNK / 2;
        mt_words(g, w, 2 * k);
        mt_scale_f64(y + i, w, k, from, to);
    }
}

/* ---- normal: Box and Muller's transform (Ann. Math. Stat. 29, 1958) ------------------------------------------- */

/* log x for 0 < x <= 1, after Cephes' logf: x = m 2^e with m in [sqrt(1/2), sqrt(2)), then a polynomial in m - 1. */
static inline float mt_bm_log(float x)
{
    uint32_t bits = mt_f32_bits(x);
    float m = mt_bits_f32((bits & 0x007fffffu) | 0x3f000000u);
    int low = m < 0x1.6a09e6p-1f;
    float e = (float)((int32_t)(bits >> 23) - 126 - low);
    float t = low ? m - 1 + m : m - 1;
    float p = 7.0376836292e-2f;
    p = mt_fma(p, t, -1.1514610310e-1f);
    p = mt_fma(p, t, 1.1676998740e-1f);
    p = mt_fma(p, t, -1.2420140846e-1f);
    p = mt_fma(p, t, 1.4249322787e-1f);
    p = mt_fma(p, t, -1.6668057665e-1f);
    p = mt_fma(p, t, 2.0000714765e-1f);
    p = mt_fma(p, t, -2.4999993993e-1f);
    p = mt_fma(p, t, 3.3333331174e-1f);
    p *= t;
    float t2 = t * t;
    p = mt_fma(p, t2, e * -2.12194440e-4f);
    p = mt_fma(t2, -0.5f, p);
    return mt_fma(e, 0.693359375f, t + p);
}

/* sin x and cos x for 0 <= x < 2 pi, after Cephes' sinf: x less the nearest multiple of pi/2 (pi/4 in three parts),
   then both polynomials, exchanged and negated by the quadrant. */
static inline void mt_bm_sincos(float x, float *sin_x, float *cos_x)
{
    int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
    float k = (float)octant;
    x = mt_fma(k, -0.78515625f, x);
    x = mt_fma(k, -2.4187564849853515625e-4f, x);
    x = mt_fma(k, -3.77489497744594108e-8f, x);
    float x2 = x * x;
    float c = mt_fma(2.443315711809948e-5f, x2, -1.388731625493765e-3f);
    c = mt_fma(c, x2, 4.166664568298827e-2f) * x2;
    c = mt_fma(c, x2, -0.5f * x2) + 1.0f;
    float s = mt_fma(-1.9515295891e-4f, x2, 8.3321608736e-3f);
    s = mt_fma(s, x2, -1.6666654611e-1f) * x2;
    s = mt_fma(s, x, x);
    int swap = octant & 2;
    float sine = swap ? c : s, cosine = swap ? s : c;
    *sin_x = mt_bits_f32(mt_f32_bits(sine) ^ (uint32_t)(octant & 4) << 29);
    *cos_x = mt_bits_f32(mt_f32_bits(cosine) ^ (uint32_t)((octant + 2) & 4) << 29);
}

/* Uniform numbers to normal ones, in place, 16 at a time: y[j] and y[j + 8] are the two of a pair.  A run of blocks is
   first split into radii's and angles' numbers, so that the arithmetic is one long loop for any vector width. */
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
            u1[i] = mt_fma(radius * c, std, mean);
            u2[i] = mt_fma(radius * s, std, mean);
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

/* n >= 16.  If 16 does not divide n, the last 16 are drawn again.  For the half types, which are rounded from these
   numbers, PyTorch draws none for the n mod 16 before that. */
static void mt_normal_f32(mt_generator *g, float *y, int64_t n, float mean, float std, int for_half)
{
    mt_uniform_f32(g, y, for_half ? n & ~(int64_t)15 : n, 0.0f, 1.0f);
    mt_box_muller_f32(y, n & ~(int64_t)15, mean, std);
    if (n & 15) {
        mt_uniform_f32(g, y + n - 16, 16, 0.0f, 1.0f);
        mt_box_muller_f32(y + n - 16, 16, mean, std);
    }
}

static void mt_normal_f64(mt_generator *g, double *y, int64_t n, double mean, double std)
{
    mt_uniform_f64(g, y, n, 0.0, 1.0);
    mt_box_muller_f64(y, n & ~(int64_t)15, mean, std);
    if (n & 15) {
        mt_uniform_f64(g, y + n - 16, 16, 0.0, 1.0);
        mt_box_muller_f64(y + n - 16, 16, mean, std);
    }
}

/* One at a time, from pairs in double precision; the second of a pair waits in the generator. */
static double mt_standard_normal(mt_generator *g)
{
    if (g->has_normal) {
        double kept = g->normal;
        g->has_normal = 0;
        g->normal = 0;
        return kept;
    }
    double u[2];
    mt_uniform_f64(g, u, 2, 0.0, 1.0);
    double radius = sqrt(-2.0 * log1p(-u[1])), angle = 2.0 * M_PI * u[0];
    g->normal = radius * sin(angle);
    g->has_normal = 1;
    return radius * cos(angle);
}

static void mt_normal_pairs(mt_generator *g, double *y, int64_t n, double mean, double std)
{
    for (int64_t i = 0; i < n; i++) y[i] = __builtin_fma(mt_standard_normal(g), std, mean);
}

static void mt_log_normal(mt_generator *g, double *y, int64_t n, double mean, double std)
{
    for (int64_t i = 0; i < n; i++) y[i] = exp(__builtin_fma(mt_standard_normal(g), std, mean));
}

/* ---- other continuous distributions, by the inverse of the distribution function ------------------------------- */

static void mt_exponential(mt_generator *g, double *y, int64_t n, double rate)
{
    mt_uniform_f64(g, y, n, 0.0, 1.0);
    for (int64_t i = 0; i < n; i++) y[i] = -1.0 / rate * log1p(-y[i]);
}

static void mt_cauchy(mt_generator *g, double *y, int64_t n, double median, double sigma)
{
    mt_uniform_f64(g, y, n, 0.0, 1.0);
    for (int64_t i = 0; i < n; i++) y[i] = __builtin_fma(sigma, tan(M_PI * (y[i] - 0.5)), median);
}

static void mt_geometric(mt_generator *g, double *y, int64_t n, double p)
{
    mt_uniform_f64(g, y, n, 0.0, 1.0);
    for (int64_t i = 0; i < n; i++) y[i] = ceil(log(y[i]) / log1p(-p));
}

/* ---- coins ---------------------------------------------------------------------------------------------------- */

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

static void mt_bernoulli(mt_generator *g, uint8_t *y, int64_t n, double p)
{
    uint32_t w[MT_CHUNK];
    int64_t bound = (int64_t)ceil(p * 0x1p53);
    for (int64_t i = 0; i < n; i += MT_CHUNK / 2) {
        int64_t k = n - i < MT_CHUNK / 2 ? n - i : MT_CHUNK / 2;
        mt_words(g, w, 2 * k);
        mt_below(y + i, w, k, bound);
    }
}

static void mt_bernoulli_f32(mt_generator *g, uint8_t *y, int64_t n, const float *p)
{
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK) {
        int64_t k = n - i < MT_CHUNK ? n - i : MT_CHUNK;
        mt_words(g, w, k);
        mt_below_f32(y + i, w, k, p + i);
    }
}

static void mt_bernoulli_f64(mt_generator *g, uint8_t *y, int64_t n, const double *p)
{
    uint32_t w[MT_CHUNK];
    for (int64_t i = 0; i < n; i += MT_CHUNK / 2) {
        int64_t k = n - i < MT_CHUNK / 2 ? n - i : MT_CHUNK / 2;
        mt_words(g, w, 2 * k);
        mt_below_f64(y + i, w, k, p + i);
    }
}

/* ---- integers -------------------------------------------------------------------------------------------------- */

/* w mod range + base.  The quotient from a 32-bit reciprocal is right or one too small. */
MT_CLONES static void mt_modulo_32(int64_t *restrict y, const uint32_t *restrict w, int64_t n, uint32_t range, int64_t base)
{
    uint32_t reciprocal = 0xffffffffu / range;
    for (int64_t i = 0; i < n; i++) {
        uint32_t quotient = (uint32_t)((uint64_t)w[i] * reciprocal >> 32);
        uint32_t rest = w[i] - quotient * range;
        y[i] = (int64_t)(rest >= range ? rest - range : rest) + base;
    }
}

/* Integers base <= y < base + range; a range of 0 means all 2^64.  Ranges from 2^28 up take two words each. */
static void mt_integers(mt_generator *g, int64_t *y, int64_t n, uint64_t range, int64_t base)
{
    uint32_t w[MT_CHUNK];
    int narrow = range != 0 && range < 1u << 28;
    int64_t most = narrow ? MT_CHUNK : MT_CHUNK / 2;
    for (int64_t i = 0; i < n; i += most) {
        int64_t k = n - i < most ? n - i : most;
        mt_words(g, w, narrow ? k : 2 * k);
        if (narrow) {
            mt_modulo_32(y + i, w, k, (uint32_t)range, base);
        } else {
            for (int64_t j = 0; j < k; j++) {
                uint64_t x = (uint64_t)w[2 * j] << 32 | w[2 * j + 1];
                y[i + j] = (int64_t)((range ? x % range : x) + (uint64_t)base);
            }
        }
    }
}

/* The non-negative integers below 2^bits, or up to it if `inclusive`: one word each up to 32 bits. */
static void mt_bits(mt_generator *g, int64_t *y, int64_t n, int bits, int inclusive)
{
    uint32_t w[MT_CHUNK];
    int wide = bits > 32;
    int64_t most = wide ? MT_CHUNK / 2 : MT_CHUNK;
    uint64_t range = ((uint64_t)1 << bits) + (inclusive != 0);
    for (int64_t i = 0; i < n; i += most) {
        int64_t k = n - i < most ? n - i : most;
        mt_words(g, w, wide ? 2 * k : k);
        for (int64_t j = 0; j < k; j++) {
            uint64_t x = wide ? (uint64_t)w[2 * j] << 32 | w[2 * j + 1] : w[j];
            y[i + j] = (int64_t)(x % range);
        }
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

/* 0 <= n < 2^31. */
static void mt_permutation_i32(mt_generator *g, int32_t *y, int64_t n)
{
    uint32_t w[MT_CHUNK];
    int32_t to[MT_CHUNK];
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

#endif
