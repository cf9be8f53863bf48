/* Normalisation of sets of values: y = (x - mean) / sqrt(var + eps) w + b, the moments being a set's own or given.
 *
 * A set is some segments of memory of equal length.  Of a batch (N, C, L), a set is a channel and has N segments; of
 * groups (N, G, S, L), a set is a group of a sample, and its S segments are channels; of a layer, a set is one row.  The
 * weight is one number for a channel, or (`each`) one for each element of a row.
 */
#ifndef MT_NORM_H
#define MT_NORM_H

#include <math.h>
#include <stddef.h>
#include <string.h>
#include "mt_config.h"

typedef ptrdiff_t mt_index;

typedef struct {
    mt_index sets, segments, length, groups;
    int batch, each;
    int centred;            /* subtract the mean; without, the root of the mean square is what is divided by */
    int given;              /* the moments are not the set's own */
    int constant;           /* g is one segment that stands for all */
    double eps;
    const void *x, *g, *weight, *bias;
    void *y;                /* the result, or the gradient of x (may be NULL) */
    double *mean, *var;     /* of each set */
    double *sums;           /* of each segment: the sums of g and of g times the normalised x */
    void *parts;            /* the same for each element, of each chunk of rows */
    mt_index chunks;
} norm_job;

static inline mt_index norm_place(const norm_job *j, mt_index set, mt_index segment)
{
    return (j->batch ? segment * j->sets + set : set * j->segments + segment) * j->length;
}

static inline mt_index norm_channel(const norm_job *j, mt_index set, mt_index segment)
{
    return j->batch ? set : set % j->groups * j->segments + segment;
}

#define MT_T float
#define MT_F(name) name##_f32
#include "norm_kernel.h"
#define MT_T double
#define MT_F(name) name##_f64
#include "norm_kernel.h"

#endif
