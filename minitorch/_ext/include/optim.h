/* The arithmetic of the optimizers' steps, over n elements that lie side by side.
 *
 * Each place is read and written at its own index alone, so the arrays may even be the same; numbers are rounded
 * to the parameters' type first, as in the steps written with tensor operations.
 */
#ifndef MT_OPTIM_H
#define MT_OPTIM_H

#include <math.h>
#include <stddef.h>
#include "mt_config.h"

typedef struct {
    double lr, momentum, dampening, weight_decay;
    int nesterov, maximize;
} mt_sgd;

typedef struct {
    double lr, beta1, beta2, eps, weight_decay;
    int amsgrad, maximize, decoupled;
} mt_adam;

/* Without momentum there is no buffer and b is not read. */
#define MT_OPTIM_KERNELS(suffix, T, SQRT)                                                                           \
MT_CLONES static void mt_sgd_plain_##suffix(T *p, const T *g, ptrdiff_t n, const mt_sgd *o)                         \
{                                                                                                                   \
    const T lr = (T)o->lr, decay = (T)o->weight_decay, sign = o->maximize ? -1 : 1;                                 \
    const int decays = o->weight_decay != 0;                                                                        \
    MT_IVDEP                                                                                                        \
    for (ptrdiff_t i = 0; i < n; i++) {                                                                             \
        T d = sign * g[i];                                                                                          \
        d = decays ? d + decay * p[i] : d;                                                                          \
        p[i] -= lr * d;                                                                                             \
    }                                                                                                               \
}                                                                                                                   \
MT_CLONES static void mt_sgd_momentum_##suffix(T *p, const T *g, T *b, ptrdiff_t n, const mt_sgd *o)                \
{                                                                                                                   \
    const T lr = (T)o->lr, decay = (T)o->weight_decay, sign = o->maximize ? -1 : 1;                                 \
    const T momentum = (T)o->momentum, fresh = (T)(1 - o->dampening);                                               \
    const int decays = o->weight_decay != 0, nesterov = o->nesterov;                                                \
    MT_IVDEP                                                                                                        \
    for (ptrdiff_t i = 0; i < n; i++) {                                                                             \
        T d = sign * g[i];                                                                                          \
        d = decays ? d + decay * p[i] : d;                                                                          \
        const T mean = momentum * b[i] + fresh * d;                                                                 \
        b[i] = mean;                                                                                                \
        p[i] -= lr * (nesterov ? d + momentum * mean : mean);                                                       \
    }                                                                                                               \
}                                                                                                                   \
/* size: the step's, with its bias corrected; root: the square root of the correction of v. */                     \
MT_CLONES static void mt_adam_##suffix(T *p, const T *g, T *m, T *v, T *top, ptrdiff_t n, const mt_adam *o,         \
                                       double size, double root)                                                    \
{                                                                                                                   \
    const T sign = o->maximize ? -1 : 1, fresh1 = (T)(1 - o->beta1), beta2 = (T)o->beta2, fresh2 = (T)(1 - o->beta2); \
    const T step = (T)size, scale = (T)root, eps = (T)o->eps, decay = (T)o->weight_decay;                           \
    const T shrink = (T)(1 - o->lr * o->weight_decay);                                                              \
    const int shrinks = o->decoupled && o->weight_decay != 0, decays = !o->decoupled && o->weight_decay != 0;       \
    const int amsgrad = o->amsgrad;                                                                                 \
    if (!amsgrad) top = v;                                                                                          \
    MT_IVDEP                                                                                                        \
    for (ptrdiff_t i = 0; i < n; i++) {                                                                             \
        T d = sign * g[i], x = p[i];                                                                                \
        d = decays ? d + decay * x : d;                                                                             \
        x = shrinks ? x * shrink : x;                                                                               \
        const T mean = m[i] + fresh1 * (d - m[i]);                                                                  \
        const T square = beta2 * v[i] + fresh2 * d * d;                                                             \
        const T before = top[i];                                                                                    \
        const T most = amsgrad && (before >= square || before != before) ? before : square;                         \
        m[i] = mean;                                                                                                \
        v[i] = square;                                                                                              \
        if (amsgrad) top[i] = most;                                                                                 \
        p[i] = x - step * mean / (SQRT(most) / scale + eps);                                                        \
    }                                                                                                               \
}

MT_OPTIM_KERNELS(f32, float, sqrtf)
MT_OPTIM_KERNELS(f64, double, sqrt)

#endif
