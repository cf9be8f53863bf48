/* The register tiles of convolution, for a vector type V of elements MT_T.
 *
 * Macros, since the numbers of rows and vectors must be constants for the sums to stay in registers.  Arguments may not
 * name what a macro declares itself: r, v, k, acc, x, wk and bk; or r, v, i, p, at, acc, y, gp and xp.
 */
#ifndef MT_CONV_TILE_H
#define MT_CONV_TILE_H

/* rows by nv vectors of outputs: sums over `depth` rows of a panel b, `width` apart, times packed weights w, written to
 * rows `pitch` apart. */
#define CONV_TILE(V, rows, nv, w, b, width, out, pitch, bias) do {                                                   \
    enum { LANES = sizeof(V) / sizeof(MT_T) };                                                                       \
    V acc[rows][nv];                                                                                                 \
    _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                                                           \
        _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) acc[r][v] = (V){0} + (bias)[r];                         \
    const MT_T *wk = (w), *bk = (b);                                                                                 \
    for (mt_index k = 0; k < depth; k++, wk += CONV_ROWS, bk += (width)) {                                           \
        V x[nv];                                                                                                     \
        _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) x[v] = *(const V *)(bk + v * LANES);                    \
        _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                                                       \
            _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) acc[r][v] += x[v] * wk[r];                          \
    }                                                                                                                \
    _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                                                           \
        _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++)                                                         \
            *(V *)((out) + r * (pitch) + v * LANES) = acc[r][v];                                                     \
} while (0)

/* CONV_TAPS rows of the sum by nv vectors of channels, over positions that lie in strips: row r has for the first
 * position of a strip the factor x[place[r] + from], and `step` further on that for the next. */
#define CONV_SUMS(V, nv, x, place, g, sums) do {                                                                     \
    enum { LANES = sizeof(V) / sizeof(MT_T) };                                                                       \
    V acc[CONV_TAPS][nv];                                                                                            \
    _Pragma("GCC unroll 8") for (int r = 0; r < CONV_TAPS; r++)                                                      \
        _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) acc[r][v] = *(V *)((sums) + r * padded + v * LANES);    \
    for (int i = 0; i < count; i++) {                                                                                \
        const MT_T *gp = (g) + strips[i].column * width, *xp[CONV_TAPS];                                             \
        _Pragma("GCC unroll 8") for (int r = 0; r < CONV_TAPS; r++) xp[r] = (x) + (place)[r] + strips[i].from;       \
        for (mt_index p = 0, at = 0; p < strips[i].length; p++, at += step, gp += width) {                           \
            V y[nv];                                                                                                 \
            _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) y[v] = *(const V *)(gp + v * LANES);                \
            _Pragma("GCC unroll 8") for (int r = 0; r < CONV_TAPS; r++)                                              \
                _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) acc[r][v] += y[v] * xp[r][at];                  \
        }                                                                                                            \
    }                                                                                                                \
    _Pragma("GCC unroll 8") for (int r = 0; r < CONV_TAPS; r++)                                                      \
        _Pragma("GCC unroll 8") for (int v = 0; v < nv; v++) *(V *)((sums) + r * padded + v * LANES) = acc[r][v];    \
} while (0)

#endif
