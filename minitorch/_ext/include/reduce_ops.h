/* The reductions by name, for who calls them without their kernels. */
#ifndef MT_REDUCE_OPS_H
#define MT_REDUCE_OPS_H

enum { MT_SUM, MT_SUM_ABS, MT_SUM_SQUARE, MT_SUM_POWER, MT_PROD, MT_MAX, MT_MIN, MT_ARGMAX, MT_ARGMIN, MT_MOMENTS,
       MT_LOGSUMEXP, MT_REDUCTIONS };

/* What becomes of a state v: v, v times / p, sqrt(v / p), v^(1/p), log(v) + what lies in the second place. */
enum { MT_AS_IS, MT_SCALE, MT_ROOT, MT_POWER, MT_LOG_ADD };
#endif
