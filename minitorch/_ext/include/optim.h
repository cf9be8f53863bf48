/* The arithmetic of the optimizers' steps, over n elements that lie side by side.
 *
 * A kernel changes parameters p by gradients g and the state's tensors s[0], s[1], s[2], where a missing one (NULL)
 * means that the option which needs it is off.  o are the optimizer's options, in the order that is written beside the
 * kernel; at[] holds what depends on the number of the step, which `prepare` finds from the counters c, after counting.
 *
 * Each place is read and written at its own index alone, so the arrays may even be the same; numbers are rounded to
 * the parameters' type first, as in the steps written with tensor operations.
 */
#ifndef MT_OPTIM_H
#define MT_OPTIM_H

#include <math.h>
#include <stddef.h>
#include "mt_config.h"

enum { MT_OPTIM_OPTIONS = 10, MT_OPTIM_STATES = 3, MT_OPTIM_COUNTERS = 3, MT_OPTIM_AT = 3 };

typedef struct {
    const char *name;
    int options, tensors, counters;     /* how many it needs; of tensors, at least */
    void (*prepare)(const double *o, double *c, double *at);
    void (*f32)(float *p, const float *g, float *const *s, ptrdiff_t n, const double *o, const double *at);
    void (*f64)(double *p, const double *g, double *const *s, ptrdiff_t n, const double *o, const double *at);
} mt_optimizer;

#define MT_ELEMENTS(i) MT_IVDEP for (ptrdiff_t i = 0; i < n; i++)
#define MT_STEP(name) MT_CLONES static void MT_PASTE(name)(T *p, const T *g, T *const *s, ptrdiff_t n, \
                                                           const double *o, const double *at)

#define T float
#define SQRT sqrtf
#define ABS fabsf
#define MT_PASTE(name) mt_##name##_f32
#include "optim_kernels.h"
#undef T
#undef SQRT
#undef ABS
#undef MT_PASTE
#define T double
#define SQRT sqrt
#define ABS fabs
#define MT_PASTE(name) mt_##name##_f64
#include "optim_kernels.h"
#undef T
#undef SQRT
#undef ABS
#undef MT_PASTE

static void mt_nothing_at(const double *o, double *c, double *at) { (void)o, (void)c, (void)at; }

static void mt_count_at(const double *o, double *c, double *at) { (void)o, (void)at; c[0] += 1; }

static void mt_adam_at(const double *o, double *c, double *at)      /* lr, beta1, beta2, ... */
{
    c[0] += 1;
    at[0] = o[0] / (1 - pow(o[1], c[0]));
    at[1] = sqrt(1 - pow(o[2], c[0]));
}

static void mt_nadam_at(const double *o, double *c, double *at)     /* c: step, product of the momenta so far */
{
    c[0] += 1;
    const double now = o[1] * (1 - 0.5 * pow(0.96, c[0] * o[5])), next = o[1] * (1 - 0.5 * pow(0.96, (c[0] + 1) * o[5]));
    c[1] *= now;
    at[0] = o[0] * (1 - now) / (1 - c[1]);
    at[1] = o[0] * next / (1 - c[1] * next);
    at[2] = 1 - pow(o[2], c[0]);
}

static void mt_radam_at(const double *o, double *c, double *at)     /* at[1]: 0 while the variance is not tractable */
{
    c[0] += 1;
    const double power = pow(o[2], c[0]), most = 2 / (1 - o[2]) - 1, length = most - 2 * c[0] * power / (1 - power);
    at[0] = o[0] / (1 - pow(o[1], c[0]));
    at[1] = length > 5 ? sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length) * (1 - power)) : 0;
}

static void mt_adagrad_at(const double *o, double *c, double *at)
{
    c[0] += 1;
    at[0] = o[0] / (1 + (c[0] - 1) * o[1]);
}

static void mt_asgd_at(const double *o, double *c, double *at)      /* c: step, eta, mu, both found a step ago */
{
    c[0] += 1;
    at[0] = c[1];
    at[1] = 1 - o[1] * c[1];
    at[2] = c[2];
    c[1] = o[0] / pow(1 + o[1] * o[0] * c[0], o[2]);
    c[2] = 1 / fmax(1, c[0] - o[3]);
}

#define MT_ENTRY(name, options, tensors, counters, prepare) \
    {#name, options, tensors, counters, prepare, mt_##name##_f32, mt_##name##_f64}

static const mt_optimizer mt_optimizers[] = {
    MT_ENTRY(sgd, 6, 0, 0, mt_nothing_at),
    MT_ENTRY(adam, 7, 2, 1, mt_adam_at),
    MT_ENTRY(adamax, 6, 2, 1, mt_adam_at),
    MT_ENTRY(nadam, 8, 2, 2, mt_nadam_at),
    MT_ENTRY(radam, 7, 2, 1, mt_radam_at),
    MT_ENTRY(adagrad, 5, 1, 1, mt_adagrad_at),
    MT_ENTRY(adadelta, 5, 2, 1, mt_count_at),
    MT_ENTRY(rmsprop, 6, 1, 1, mt_count_at),
    MT_ENTRY(rprop, 5, 2, 1, mt_count_at),
    MT_ENTRY(asgd, 6, 1, 3, mt_asgd_at),
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

#endif
