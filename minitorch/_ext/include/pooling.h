/* Pooling: windows over the last three axes (of size 1 where there are fewer), plane by plane.
 *
 * A window is a product of ranges, one an axis: where each begins and ends are lists, made in Cython, so that sliding,
 * adaptive and random windows are the same to the loops of pooling_kernel.h.
 */
#ifndef MT_POOLING_H
#define MT_POOLING_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "mt_config.h"

typedef ptrdiff_t mt_index;
enum { POOL_ROW = 1024 };    /* a row up to here is summed on the stack */

typedef struct {
    mt_index planes, in[3], out[3];
    mt_index step[3];                                        /* between the elements of a window: the dilation */
    const mt_index *begin[3], *end[3];                       /* of window o of an axis, within the input */
    const mt_index *size[3];                                 /* how many elements it counts in a mean */
    double divisor;                                          /* instead of the sizes' product, unless 0 */
    int per_plane;                                           /* the lists go on for every plane */
    int halves;                                              /* windows of 2 by 2, side by side */
    int assign;                                              /* each element of x is in one window (put: at most) */
    int failed;
    void *x, *y;
    int64_t *index;
} pool_job;

#define MT_T float
#define MT_F(name) name##_f32
#define POOL_BEATS(a, b) ((a) > (b) || (a) != (a))
typedef int32_t pool_place;          /* of the width of a float, so that both fit the same vectors */
#include "pooling_kernel.h"
#define MT_T double
#define MT_F(name) name##_f64
#define POOL_BEATS(a, b) ((a) > (b) || (a) != (a))
#include "pooling_kernel.h"
#define MT_T int64_t
#define MT_F(name) name##_i64
#define POOL_BEATS(a, b) ((a) > (b))
#include "pooling_kernel.h"

typedef void (*pool_task)(void *job, mt_index first, mt_index last);
typedef struct { pool_task max, take, put, mean, spread; } pool_tasks;
static const pool_tasks pool_f32 = {pool_max_f32, pool_take_f32, pool_put_f32, pool_mean_f32, pool_spread_f32};
static const pool_tasks pool_f64 = {pool_max_f64, pool_take_f64, pool_put_f64, pool_mean_f64, pool_spread_f64};
static const pool_tasks pool_i64 = {pool_max_i64, pool_take_i64, pool_put_i64, pool_mean_i64, pool_spread_i64};

#endif
