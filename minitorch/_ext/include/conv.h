/* Convolution in up to three dimensions: its geometry, and the loops of conv_kernel.h for each type.
 *
 * A pass computes outputs  y[o, q] = sum over channels i and taps t of  w[o, i, t] x[i, q s + offset_t],  with q, s and
 * offset_t of three axes (axes of size 1 stand for those that are not there).  A convolution is one pass.  The
 * gradient of its input is one for each remainder of the input's place by the stride: which taps reach a place depends on
 * that only, and such places lie `out_step` apart.  Taps and offsets are thus lists, made in Cython.
 *
 * Source of the blocking: Goto, van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008; columns and
 * products as in Chellapilla, Puri, Simard, High Performance Convolutional Neural Networks for Document Processing, 2006.
 */
#ifndef MT_CONV_H
#define MT_CONV_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "mt_config.h"

typedef ptrdiff_t mt_index;

enum {
    CONV_ROWS = 8,       /* channels that are computed together */
    CONV_PANEL = 192,    /* positions of a panel, at most */
    CONV_UNIT = 48,      /* a panel is a multiple of it: what every kernel's tile divides */
    CONV_TAPS = 6,       /* rows of the gradient of weights that are summed together */
    CONV_SPAN = 64,      /* positions that are summed in one go */
    CONV_BLOCK = 256,    /* bytes of the channels that are summed together */
    CONV_ROOMS = 32,     /* surrounded images that a thread keeps, at most */
    CONV_CACHE = 1 << 18 /* bytes that a panel should not exceed */
};
#define CONV_OUTSIDE PTRDIFF_MIN

typedef struct {
    mt_index in_size;    /* of the input */
    mt_index count;      /* positions q */
    mt_index in_step;    /* position q reads from q in_step + offset ... */
    mt_index out_first;  /* ... and writes to q out_step + out_first */
    mt_index out_step;
    mt_index out_size;   /* of the output */
    mt_index taps;
    const mt_index *offset;
} conv_axis;

typedef struct {
    conv_axis axis[3];
    mt_index batch, groups, in_channels, out_channels;   /* channels of one group */
    mt_index taps, in_plane, out_plane, positions;       /* positions: of the whole batch */
    const mt_index *tap;                                 /* where each tap is in a kernel */
    const void *x;       /* written by conv_columns on the way back */
    void *y;
    const void *bias;
    void *weight;
    mt_index weight_group, weight_out, weight_in;        /* strides */
    void *packed;        /* the weights packed; for their gradient: the sums of each chunk */
    mt_index width, panels;
    mt_index first[3], reach[3];                         /* the places that taps read, see conv_surround */
    mt_index rooms;                                      /* images that are surrounded at a time, or 0 */
    mt_index place_bytes;                                /* where in `scratch` they are listed */
    int inside;                                          /* no tap ever reads outside of the input */
    mt_index chunks, parts, part_rows, padded;           /* of the gradient of weights */
    mt_index spans_kept;                                 /* of transposed gradients, for all parts of a chunk, or 1 */
    mt_index rows, columns;                              /* of a plane of outputs, where positions are tiles of it */
    mt_index step[3], out_move[3], phases;               /* of single outputs then; see conv_winograd.h */
    mt_index pitch, room_rows, room_pitch;
    char *scratch;       /* for each thread `scratch_bytes` */
    mt_index scratch_bytes;
    int scratches, taken, wide, failed, back;
} conv_pass;

/* Neighbouring positions of one row. */
typedef struct {
    mt_index image;      /* counted through the groups */
    mt_index in, out;    /* where the image begins in x (of the group's first channel); where the run begins in y */
    mt_index d, h, w;    /* where its first position reads, before the offset of a tap */
    mt_index column, length;
} conv_piece;

/* Neighbouring positions whose inputs lie `in_step` apart, from `from` on; see CONV_SUMS. */
typedef struct { mt_index from, column, length; } conv_strip;

/* Whether the processor has registers for the wide kernels: 32 of 64 bytes. */
static int conv_has_wide(void)
{
#if MT_HAVE_CLONES && defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

/* Versions of the kernels that `wide` chooses between, which need no others: they are most of this module's size. */
#if MT_HAVE_CLONES && defined(__x86_64__)
#define CONV_WIDE __attribute__((target("arch=x86-64-v4")))
#define CONV_NARROW __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CONV_WIDE
#define CONV_NARROW MT_CLONES
#endif

/* Memory for one thread's panel; threads that came since the caller counted them get their own. */
static void *conv_scratch(conv_pass *c)
{
    int mine = __atomic_fetch_add(&c->taken, 1, __ATOMIC_RELAXED);
    if (mine < c->scratches) return c->scratch + mine * c->scratch_bytes;
    void *memory = malloc(c->scratch_bytes);
    if (!memory) __atomic_store_n(&c->failed, 1, __ATOMIC_RELAXED);
    return memory;
}

static void conv_scratch_done(conv_pass *c, void *memory)
{
    if ((char *)memory < c->scratch || (char *)memory >= c->scratch + c->scratches * c->scratch_bytes) free(memory);
}

/* Which of the positions first, first + step, ... (n of them) are in the input: low to high. */
static inline void conv_inside(const conv_axis *axis, mt_index first, mt_index n, mt_index *low, mt_index *high)
{
    mt_index step = axis->in_step, size = axis->in_size;
    *low = first >= 0 ? 0 : step == 1 ? -first : (step - 1 - first) / step;
    *high = first >= size ? 0 : step == 1 ? size - first : (size - 1 - first) / step + 1;
    if (*low > n) *low = n;
    if (*high > n) *high = n;
    if (*high < *low) *high = *low;
}

/* Cut positions start to start + columns, counted through rows, planes and images, into runs. */
static int conv_pieces(const conv_pass *c, mt_index group, mt_index start, mt_index columns, conv_piece *runs)
{
    const conv_axis *depth = &c->axis[0], *height = &c->axis[1], *breadth = &c->axis[2];
    int count = 0;
    for (mt_index column = 0; column < columns; count++) {
        mt_index rest = start + column, w = rest % breadth->count;
        rest /= breadth->count;
        mt_index h = rest % height->count;
        rest /= height->count;
        mt_index d = rest % depth->count, image = rest / depth->count * c->groups + group;
        conv_piece *run = &runs[count];
        run->length = breadth->count - w < columns - column ? breadth->count - w : columns - column;
        run->column = column;
        run->image = image;
        run->d = d * depth->in_step, run->h = h * height->in_step, run->w = w * breadth->in_step;
        run->in = image * c->in_channels * c->in_plane;
        run->out = image * c->out_channels * c->out_plane
                   + ((d * depth->out_step + depth->out_first) * height->out_size
                      + h * height->out_step + height->out_first) * breadth->out_size
                   + w * breadth->out_step + breadth->out_first;
        column += run->length;
    }
    return count;
}

/* Which elements of two neighbouring vectors are every other one: see conv_copy_even. */
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define CONV_HAS_SHUFFLE 1
#endif
#endif
#ifndef CONV_HAS_SHUFFLE
#define CONV_HAS_SHUFFLE 0
#endif

/* Where the taps of some channels are in an image of size c->reach; the end of that list. */
static mt_index *conv_places(const conv_pass *c, mt_index channels, mt_index *place)
{
    const mt_index plane = c->reach[0] * c->reach[1] * c->reach[2];
    for (mt_index i = 0; i < channels; i++)
        for (mt_index td = 0; td < c->axis[0].taps; td++)
            for (mt_index th = 0; th < c->axis[1].taps; th++)
                for (mt_index tw = 0; tw < c->axis[2].taps; tw++)
                    *place++ = i * plane + ((c->axis[0].offset[td] - c->first[0]) * c->reach[1] + c->axis[1].offset[th]
                               - c->first[1]) * c->reach[2] + c->axis[2].offset[tw] - c->first[2];
    return place;
}

static inline void conv_forget(const conv_pass *c, mt_index *held)
{
    for (mt_index i = 0; i < c->rooms; i++) held[i] = -1;
}

#include "conv_tile.h"

#define MT_T float
#define MT_F(name) name##_f32
#if CONV_HAS_SHUFFLE
#define CONV_EVEN 0, 2, 4, 6, 9, 11, 13, 15
#endif
#include "conv_kernel.h"
#define MT_T double
#define MT_F(name) name##_f64
#if CONV_HAS_SHUFFLE
#define CONV_EVEN 0, 2, 5, 7
#endif
#include "conv_kernel.h"
#define MT_T uint64_t
#define MT_F(name) name##_u64
#if CONV_HAS_SHUFFLE
#define CONV_EVEN 0, 2, 5, 7
#endif
#include "conv_kernel.h"

#include "conv_winograd.h"

typedef void (*conv_task)(void *job, mt_index begin, mt_index end);
typedef struct { conv_task pack, panels, chunks, total, columns, direct, direct_sums; } conv_tasks;
static const conv_tasks conv_f32 = {conv_pack_f32, conv_panels_f32, conv_chunks_f32, conv_total_f32,
                                    conv_columns_f32, conv_direct_f32, conv_direct_sums_f32};
static const conv_tasks conv_f64 = {conv_pack_f64, conv_panels_f64, conv_chunks_f64, conv_total_f64,
                                    conv_columns_f64, conv_direct_f64, conv_direct_sums_f64};
static const conv_tasks conv_u64 = {conv_pack_u64, conv_panels_u64, conv_chunks_u64, conv_total_u64,
                                    conv_columns_u64, conv_direct_u64, conv_direct_sums_u64};

#endif
