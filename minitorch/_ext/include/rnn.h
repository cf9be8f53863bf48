/* One step of a recurrent cell for one sequence, forward and backward: what lies between the matrix products.
 *
 * A row of gates holds n values of each gate, one gate behind the other, in PyTorch's order.  Going forward they come
 * as sums and leave as activations; going backward the gradients of the sums are written.
 */
#ifndef MT_RNN_H
#define MT_RNN_H
#include <stddef.h>
#include "mt_config.h"
#include "mathfun.h"
#include "pointwise.h"

enum { MT_RNN_TANH, MT_RNN_RELU, MT_LSTM, MT_GRU };

typedef struct {
    /* activates the gates and makes the next state.  c, c_old: LSTM; hidden: GRU, the sums from the old state */
    void (*forward)(int cell, ptrdiff_t n, char *gates, char *hidden, const char *h_old, char *h,
                    const char *c_old, char *c);
    /* from dh + dy (of this step's state, from later steps and from the output; dy may be NULL) the gradient of the
     * sums; dh becomes what passes on directly, as does dc */
    void (*backward)(int cell, ptrdiff_t n, const char *gates, const char *hidden, const char *h_old, const char *h,
                     const char *c_old, const char *c, const char *dy, char *dh, char *dc, char *dgates,
                     char *dhidden);
} mt_rnn_kernels;

#define MT_RNN(t, T)                                                                                                 \
MT_CLONES static void mt_rnn_forward_##t(int cell, ptrdiff_t n, char *gates, char *hidden_, const char *h_old_,       \
                                         char *h_, const char *c_old_, char *c_)                                     \
{                                                                                                                    \
    T *restrict a = (T *)gates, *restrict b = a + n, *restrict d = a + 2 * n, *restrict e = a + 3 * n;               \
    T *restrict h = (T *)h_;                                                                                         \
    if (cell == MT_RNN_TANH)                                                                                         \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) h[j] = mt_tanh_##t(a[j]);                                                  \
    else if (cell == MT_RNN_RELU)                                                                                    \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) h[j] = a[j] > 0 || a[j] != a[j] ? a[j] : 0;                                \
    else if (cell == MT_LSTM) {                             /* gates: input, forget, cell, output */                 \
        const T *restrict c_old = (const T *)c_old_;                                                                 \
        T *restrict c = (T *)c_;                                                                                     \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < 2 * n; j++) a[j] = mt_sigmoid_##t(a[j]);                                           \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) d[j] = mt_tanh_##t(d[j]);                                                  \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) e[j] = mt_sigmoid_##t(e[j]);                                               \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) c[j] = b[j] * c_old[j] + a[j] * d[j];                                      \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) h[j] = e[j] * mt_tanh_##t(c[j]);                                           \
    } else {                                                /* gates: reset, update, new */                          \
        const T *restrict s = (const T *)hidden_, *restrict h_old = (const T *)h_old_;                               \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < 2 * n; j++) a[j] = mt_sigmoid_##t(a[j] + s[j]);                                    \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) d[j] = mt_tanh_##t(d[j] + a[j] * s[2 * n + j]);                            \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) h[j] = (1 - b[j]) * d[j] + b[j] * h_old[j];                                \
    }                                                                                                                \
}                                                                                                                    \
MT_CLONES static void mt_rnn_backward_##t(int cell, ptrdiff_t n, const char *gates, const char *hidden_,              \
                                          const char *h_old_, const char *h_, const char *c_old_, const char *c_,    \
                                          const char *dy_, char *dh_, char *dc_, char *dgates, char *dhidden)        \
{                                                                                                                    \
    const T *restrict a = (const T *)gates, *restrict b = a + n, *restrict d = a + 2 * n, *restrict e = a + 3 * n;   \
    const T *restrict h = (const T *)h_;                                                                             \
    T *restrict dh = (T *)dh_, *restrict da = (T *)dgates;                                                           \
    T *restrict db = da + n, *restrict dd = da + 2 * n, *restrict de = da + 3 * n;                                   \
    const T *restrict dy = (const T *)dy_;                                                                           \
    if (dy) for (ptrdiff_t j = 0; j < n; j++) dh[j] += dy[j];                                                        \
    if (cell == MT_RNN_TANH)                                                                                         \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) da[j] = dh[j] * (1 - h[j] * h[j]), dh[j] = 0;                              \
    else if (cell == MT_RNN_RELU)                                                                                    \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) da[j] = h[j] > 0 ? dh[j] : 0, dh[j] = 0;                                   \
    else if (cell == MT_LSTM) {                                                                                      \
        const T *restrict c_old = (const T *)c_old_, *restrict c = (const T *)c_;                                    \
        T *restrict dc = (T *)dc_;                                                                                   \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) {                                                                          \
            const T tanh_c = mt_tanh_##t(c[j]), through = dc[j] + dh[j] * e[j] * (1 - tanh_c * tanh_c);              \
            da[j] = through * d[j] * a[j] * (1 - a[j]);                                                              \
            db[j] = through * c_old[j] * b[j] * (1 - b[j]);                                                          \
            dd[j] = through * a[j] * (1 - d[j] * d[j]);                                                              \
            de[j] = dh[j] * tanh_c * e[j] * (1 - e[j]);                                                              \
            dc[j] = through * b[j];                                                                                  \
            dh[j] = 0;                                                                                               \
        }                                                                                                            \
    } else {                                                                                                         \
        const T *restrict s = (const T *)hidden_ + 2 * n, *restrict h_old = (const T *)h_old_;                       \
        T *restrict ds = (T *)dhidden;                                                                               \
        MT_IVDEP                                                                                             \
        for (ptrdiff_t j = 0; j < n; j++) {                                                                          \
            const T sum = dh[j] * (1 - b[j]) * (1 - d[j] * d[j]);                                                    \
            dd[j] = sum;                                                                                             \
            ds[2 * n + j] = sum * a[j];                                                                              \
            da[j] = ds[j] = sum * s[j] * a[j] * (1 - a[j]);                                                          \
            db[j] = ds[n + j] = dh[j] * (h_old[j] - d[j]) * b[j] * (1 - b[j]);                                       \
            dh[j] *= b[j];                                                                                           \
        }                                                                                                            \
    }                                                                                                                \
}                                                                                                                    \
static const mt_rnn_kernels mt_rnn_##t = {mt_rnn_forward_##t, mt_rnn_backward_##t};
MT_RNN(f32, float)
MT_RNN(f64, double)
#endif
