/* The Mersenne Twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8(1), 1998): 624 words, period 2^19937 - 1.

   Words are made a block of 624 at a time, in loops that vectorise, and tempered when they are read. */
#ifndef MT_MT19937_H
#define MT_MT19937_H

#include <stdint.h>
#include <string.h>
#include "mt_config.h"

enum { MT_WORDS = 624, MT_SHIFT = 397 };

typedef struct {
    uint32_t state[MT_WORDS];
    uint32_t next;        /* the first word of the block that was not read; MT_WORDS when all were */
    int fresh;            /* seeded, and no block made since: `state` is the seed's, not a block */
    uint64_t seed;
    int has_normal;       /* the second value of the last pair of normal numbers waits in `normal` */
    double normal;
    int has_normal_f32;   /* kept for states that come from elsewhere; no recipe here makes one */
    float normal_f32;
} mt_generator;

/* The state from the low 32 bits of the seed (Knuth's multiplicative initialisation of 2002). */
static void mt_seed(mt_generator *g, uint64_t seed)
{
    memset(g, 0, sizeof *g);
    g->seed = seed;
    g->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < MT_WORDS; i++) {
        uint32_t last = g->state[i - 1];
        g->state[i] = 1812433253u * (last ^ (last >> 30)) + i;
    }
    g->next = MT_WORDS;
    g->fresh = 1;
}

/* The top bit of one word and the rest of the next, times the twist matrix. */
static inline uint32_t mt_twist(uint32_t u, uint32_t v)
{
    return (((u & 0x80000000u) | (v & 0x7fffffffu)) >> 1) ^ (-(v & 1u) & 0x9908b0dfu);
}

static inline uint32_t mt_temper(uint32_t y)
{
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* The next 624 words, s[i] = s[i + 397 mod 624] ^ twist(s[i], s[i + 1]).  In three ranges, so that each is a loop
   without a modulus whose reads lie a vector or more from its writes. */
MT_CLONES static void mt_next_block(uint32_t *s)
{
    MT_IVDEP
    for (int i = 0; i < MT_WORDS - MT_SHIFT; i++) s[i] = s[i + MT_SHIFT] ^ mt_twist(s[i], s[i + 1]);
    for (int i = MT_WORDS - MT_SHIFT; i < MT_WORDS - 1; i++)
        s[i] = s[i - (MT_WORDS - MT_SHIFT)] ^ mt_twist(s[i], s[i + 1]);
    s[MT_WORDS - 1] = s[MT_SHIFT - 1] ^ mt_twist(s[MT_WORDS - 1], s[0]);
}

MT_CLONES static void mt_temper_all(uint32_t *restrict to, const uint32_t *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] = mt_temper(from[i]);
}

/* The next n words of the stream. */
static void mt_words(mt_generator *g, uint32_t *to, int64_t n)
{
    while (n > 0) {
        if (g->next == MT_WORDS) {
            mt_next_block(g->state);
            g->next = 0;
            g->fresh = 0;
        }
        int64_t k = MT_WORDS - g->next;
        if (k > n) k = n;
        mt_temper_all(to, g->state + g->next, k);
        g->next += (uint32_t)k;
        to += k;
        n -= k;
    }
}

/* The state as 5056 bytes, laid out as PyTorch's CPU generator lays it out (found by experiment, PyTorch 2.13):
      0  seed u64 | words left in the block, plus one, i32 | seeded i32 | next word u64 | 624 words of state as u64
   5016  three f64, the second the waiting normal number | whether one waits i32 | 4 bytes
   5048  a waiting float32 normal number | whether one waits, one byte | 3 bytes */
enum { MT_STATE_BYTES = 5056, MT_AT_STATE = 24, MT_AT_NORMAL = 5024, MT_AT_HAS_NORMAL = 5040, MT_AT_F32 = 5048 };

static void mt_get_state(const mt_generator *g, unsigned char *to)
{
    int32_t left = (int32_t)(MT_WORDS - g->next) + 1, seeded = 1, has_normal = g->has_normal;
    uint64_t next = g->fresh ? 0 : g->next;
    memset(to, 0, MT_STATE_BYTES);
    memcpy(to, &g->seed, 8);
    memcpy(to + 8, &left, 4);
    memcpy(to + 12, &seeded, 4);
    memcpy(to + 16, &next, 8);
    for (int i = 0; i < MT_WORDS; i++) {
        uint64_t word = g->state[i];
        memcpy(to + MT_AT_STATE + 8 * i, &word, 8);
    }
    memcpy(to + MT_AT_NORMAL, &g->normal, 8);
    memcpy(to + MT_AT_HAS_NORMAL, &has_normal, 4);
    memcpy(to + MT_AT_F32, &g->normal_f32, 4);
    to[MT_AT_F32 + 4] = (unsigned char)g->has_normal_f32;
}

/* 0 if the bytes are no state that a generator can have, and then the generator keeps its own. */
static int mt_set_state(mt_generator *g, const unsigned char *from)
{
    mt_generator new_state;
    int32_t left, seeded, has_normal;
    uint64_t next;
    memcpy(&new_state.seed, from, 8);
    memcpy(&left, from + 8, 4);
    memcpy(&seeded, from + 12, 4);
    memcpy(&next, from + 16, 8);
    int fresh = left == 1 && next == 0;
    if (seeded != 1 || left < 1 || left > MT_WORDS || (!fresh && next + (uint64_t)left != MT_WORDS + 1)) return 0;
    new_state.fresh = fresh;
    new_state.next = (uint32_t)(MT_WORDS + 1 - left);
    for (int i = 0; i < MT_WORDS; i++) {
        uint64_t word;
        memcpy(&word, from + MT_AT_STATE + 8 * i, 8);
        new_state.state[i] = (uint32_t)word;
    }
    memcpy(&new_state.normal, from + MT_AT_NORMAL, 8);
    memcpy(&has_normal, from + MT_AT_HAS_NORMAL, 4);
    memcpy(&new_state.normal_f32, from + MT_AT_F32, 4);
    new_state.has_normal = has_normal != 0;
    new_state.has_normal_f32 = from[MT_AT_F32 + 4] != 0;
    *g = new_state;
    return 1;
}

#endif
