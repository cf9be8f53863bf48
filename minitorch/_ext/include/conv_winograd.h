/* Winograd's convolution: four outputs by four of a kernel of 3 x 3 with 36 multiplications instead of 144.
 *
 * A polynomial of degree 5 is known from its values at six points.  Along one axis, four outputs of a kernel of three
 * read six inputs d; by the transpose of multiplying polynomials,
 *
 *     y = Aᵀ ((G w) · (Bᵀ d)),       and in two dimensions       Y = Aᵀ ((G W Gᵀ) · (Bᵀ D B)) A
 *
 * so that for each of the 36 points there is a product of matrices, summed over channels: tiles are its columns.  The
 * gradient of the weights is such a sum over tiles, where four gradients are the kernel and three taps the outputs.
 *
 * Rounding depends on the points.  0, ±3/4, ±3/2 and infinity make Bᵀ and Aᵀ exact in binary and lose least: twice the
 * error of a sum in order, where the customary 0, ±1, ±2 lose four to five times (docs/performance.md has figures).
 *
 * Source: Lavin, Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308; on the points, Barabasz,
 * Anderson, Soodhalter, Gregg, Error Analysis and Improving the Accuracy of Winograd Convolution, arXiv:1803.10986.
 */

#define MT_T float
#define WINOGRAD_INLINE static inline __attribute__((always_inline))
#define WINOGRAD_UNROLL _Pragma("GCC unroll 8")

enum { WINO_OUT = 4, WINO_TAPS = 3, WINO_IN = 6, WINO_POINTS = 36, WINO_LANES = 8, WINO_SUMMED = 48 };

typedef conv_narrow_f32 wino;

/* --- the transforms along one axis -------------------------------------------------------------------------------- */

#define P 0.75f          /* the points are 0, P, -P, Q, -Q and infinity */
#define Q 1.5f
#define PP (P * P)
#define QQ (Q * Q)

/* Bᵀ: values of the inputs. */
WINOGRAD_INLINE void wino_inputs(const wino *d, wino *m)
{
    wino even = d[4] - QQ * d[2], odd = P * (d[3] - QQ * d[1]);
    m[0] = d[4] - (PP + QQ) * d[2] + PP * QQ * d[0];
    m[1] = even + odd;
    m[2] = even - odd;
    even = d[4] - PP * d[2], odd = Q * (d[3] - PP * d[1]);
    m[3] = even + odd;
    m[4] = even - odd;
    m[5] = d[5] - (PP + QQ) * d[3] + PP * QQ * d[1];
}

/* G: values of a kernel of three, divided by what interpolation divides by. */
WINOGRAD_INLINE void wino_kernel(const wino *g, wino *m)
{
    const float at_p = 1 / (2 * PP * (PP - QQ)), at_q = 1 / (2 * QQ * (QQ - PP));
    wino even = at_p * g[0] + at_p * PP * g[2], odd = at_p * P * g[1];
    m[0] = 1 / (PP * QQ) * g[0];
    m[1] = even + odd;
    m[2] = even - odd;
    even = at_q * g[0] + at_q * QQ * g[2], odd = at_q * Q * g[1];
    m[3] = even + odd;
    m[4] = even - odd;
    m[5] = g[2];
}

/* G again, of four gradients in the place of a kernel. */
WINOGRAD_INLINE void wino_gradients(const wino *g, wino *m)
{
    const float at_p = 1 / (2 * PP * (PP - QQ)), at_q = 1 / (2 * QQ * (QQ - PP));
    wino even = at_p * g[0] + at_p * PP * g[2], odd = at_p * P * g[1] + at_p * P * PP * g[3];
    m[0] = 1 / (PP * QQ) * g[0];
    m[1] = even + odd;
    m[2] = even - odd;
    even = at_q * g[0] + at_q * QQ * g[2], odd = at_q * Q * g[1] + at_q * Q * QQ * g[3];
    m[3] = even + odd;
    m[4] = even - odd;
    m[5] = g[3];
}

/* Aᵀ: four outputs. */
WINOGRAD_INLINE void wino_outputs(const wino *m, wino *y)
{
    wino even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + even_p + even_q;
    y[1] = P * odd_p + Q * odd_q;
    y[2] = PP * even_p + QQ * even_q;
    y[3] = P * PP * odd_p + Q * QQ * odd_q + m[5];
}

/* Aᵀ again, for the three taps of a gradient. */
WINOGRAD_INLINE void wino_taps(const wino *m, wino *y)
{
    wino even_p = m[1] + m[2], odd_p = m[1] - m[2], even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + even_p + even_q;
    y[1] = P * odd_p + Q * odd_q;
    y[2] = PP * even_p + QQ * even_q + m[5];
}

#undef P
#undef Q
#undef PP
#undef QQ

/* A transform along both axes, from `in` to `out` each: `load` and `store` say where (row, col) is. */
#define WINOGRAD_BOTH(transform, in, out, load, store) do {                                                          \
    wino half[out][in];                                                                                              \
    WINOGRAD_UNROLL for (int col = 0; col < in; col++) {                                                             \
        wino from[in], to[out];                                                                                      \
        WINOGRAD_UNROLL for (int row = 0; row < in; row++) from[row] = load;                                         \
        transform(from, to);                                                                                         \
        WINOGRAD_UNROLL for (int row = 0; row < out; row++) half[row][col] = to[row];                                \
    }                                                                                                                \
    WINOGRAD_UNROLL for (int row = 0; row < out; row++) {                                                            \
        wino to[out];                                                                                                \
        transform(half[row], to);                                                                                    \
        WINOGRAD_UNROLL for (int col = 0; col < out; col++) store = to[col];                                         \
    }                                                                                                                \
} while (0)

/* --- whether, and in which pieces --------------------------------------------------------------------------------- */

/* A stride of s cuts inputs and taps into s phases, which are like channels of their own that are moved over by one:
 * tap u (counted from the first) is tap u / s of phase u % s, of which a kernel may have three. */
static int wino_axis(conv_pass *c, int d)
{
    const conv_axis *axis = &c->axis[d];
    c->step[d] = axis->in_step, c->first[d] = axis->taps ? axis->offset[0] : 0;
    for (mt_index t = 1; t < axis->taps; t++) if (axis->offset[t] < c->first[d]) c->first[d] = axis->offset[t];
    for (mt_index t = 0; t < axis->taps; t++)
        if (axis->offset[t] - c->first[d] >= WINO_TAPS * axis->in_step) return 0;
    return axis->in_step <= 2 && axis->taps > 1;
}

/* Make positions tiles if that pays: images, and channels enough to make the transforms cheap. */
static int conv_tiled(conv_pass *c)
{
    enum { CHANNELS = 12, TILES = 16 };
    const conv_axis *depth = &c->axis[0];
    if (depth->taps != 1 || depth->in_size != 1 || depth->count != 1 || depth->offset[0] != 0 || depth->out_size != 1
            || !wino_axis(c, 1) || !wino_axis(c, 2) || c->in_channels < CHANNELS
            || c->out_channels < CHANNELS) return 0;
    mt_index rows = c->axis[1].count, columns = c->axis[2].count;
    mt_index down = (rows + WINO_OUT - 1) / WINO_OUT, across = (columns + WINO_OUT - 1) / WINO_OUT;
    mt_index phases = c->step[1] * c->step[2];
    /* multiplications for each channel of an image, here with two fifths more for the transforms */
    if (c->batch * down * across < TILES
            || 7 * WINO_POINTS * down * across * phases > 5 * c->taps * rows * columns) return 0;
    c->rows = rows, c->columns = columns, c->phases = phases;
    c->positions = c->batch * down * across;
    for (int d = 1; d < 3; d++) {
        conv_axis *axis = &c->axis[d];
        axis->count = d == 1 ? down : across;
        axis->in_step = WINO_OUT;
        c->out_move[d] = axis->out_step;
        axis->out_step *= WINO_OUT;
    }
    c->room_pitch = (across + WINO_LANES) / WINO_LANES * WINO_LANES;
    return 1;
}

/* Floats that the transform of the inputs of `width` tiles needs: a line, and the rows of one channel. */
static mt_index wino_room(conv_pass *c, mt_index width)
{
    mt_index across = c->axis[2].count, down = (width + across - 2) / across + 1;
    if (down > c->axis[1].count) down = c->axis[1].count;
    c->room_rows = WINO_OUT * down + 2;
    return (c->room_rows + 1) * WINO_OUT * c->room_pitch + 2 * WINO_LANES;   /* vectors read behind a row */
}

/* How far points are apart that hold `rows` rows: no multiple of a page, they would crowd one set of the cache. */
static inline mt_index wino_point(mt_index rows, mt_index pitch)
{
    return rows * pitch + 16;
}

/* How many tiles a panel has, such that it stays in the cache and `threads` have equal work; bytes of scratch. */
static mt_index conv_tiled_panels(conv_pass *c, mt_index threads)
{
    const mt_index depth = c->in_channels * c->phases;
    mt_index width = (CONV_CACHE + CONV_CACHE / 2) / (WINO_POINTS * depth * (mt_index)sizeof(float)) / 16 * 16;
    width = width < 48 ? 48 : width > CONV_PANEL - 16 ? CONV_PANEL - 16 : width;
    mt_index panels = (c->positions + width - 1) / width, all = panels * c->groups;
    if (c->groups == 1 && all < 8 * threads) {
        panels = all / threads * threads;
        if (panels < threads || (c->positions + panels - 1) / panels > width + width / 2) panels += threads;
        width = (c->positions + panels - 1) / panels;
    }
    c->width = (width + 15) / 16 * 16;
    if (c->width > CONV_PANEL - 16) c->width = CONV_PANEL - 16;
    c->panels = (c->positions + c->width - 1) / c->width;
    c->pitch = c->width + 16;   /* a vector may be written behind a row's end; and no power of two */
    return (mt_index)sizeof(float) * (WINO_POINTS * (wino_point(depth, c->pitch) + wino_point(CONV_ROWS, c->pitch))
                                      + (WINO_OUT * WINO_OUT + WINO_OUT) * c->pitch + wino_room(c, c->width));
}

/* The same for the gradient of weights.  Its sums are cut by the shapes alone. */
static mt_index conv_tiled_chunks(conv_pass *c)
{
    mt_index across = c->axis[2].count < WINO_SUMMED ? c->axis[2].count : WINO_SUMMED;
    mt_index one = WINO_POINTS * c->groups * (c->in_channels * c->phases + CONV_TAPS) * c->padded;
    mt_index limit = ((mt_index)1 << 20) / one;
    c->chunks = c->positions / 32 < 8 ? c->positions / 32 : 8;
    if (c->chunks > limit) c->chunks = limit;
    if (c->chunks < 1) c->chunks = 1;
    c->parts = 8 / (c->chunks * c->groups);
    if (c->parts > c->in_channels / 16) c->parts = c->in_channels / 16;
    if (c->parts < 1) c->parts = 1;
    c->part_rows = (c->in_channels + c->parts - 1) / c->parts * c->phases + CONV_TAPS;
    c->pitch = CONV_SPAN;
    c->place_bytes = (mt_index)sizeof(float) * (WINO_POINTS * (wino_point(c->part_rows, CONV_SPAN)
                                                               + wino_point(WINO_SUMMED, c->padded))
                                                + WINO_OUT * WINO_OUT * across * c->padded + wino_room(c, WINO_SUMMED));
    return c->place_bytes + c->part_rows * (mt_index)sizeof(mt_index);
}

/* --- every fourth element ----------------------------------------------------------------------------------------- */

#if CONV_HAS_SHUFFLE
#define WINO_EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define WINO_ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define WINO_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define WINO_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#endif

/* to[b apart + q] = from[4 q + b] for eight q */
WINOGRAD_INLINE void wino_split(const float *from, float *to, mt_index apart)
{
#if CONV_HAS_SHUFFLE
    const wino *v = (const wino *)from;
    wino even = WINO_EVEN(v[0], v[1]), even_behind = WINO_EVEN(v[2], v[3]);
    wino odd = WINO_ODD(v[0], v[1]), odd_behind = WINO_ODD(v[2], v[3]);
    *(wino *)to = WINO_EVEN(even, even_behind);
    *(wino *)(to + apart) = WINO_EVEN(odd, odd_behind);
    *(wino *)(to + 2 * apart) = WINO_ODD(even, even_behind);
    *(wino *)(to + 3 * apart) = WINO_ODD(odd, odd_behind);
#else
    for (int q = 0; q < WINO_LANES; q++)
        for (int b = 0; b < WINO_OUT; b++) to[b * apart + q] = from[WINO_OUT * q + b];
#endif
}

/* to[4 q + b] = from[b apart + q] + add for eight q */
WINOGRAD_INLINE void wino_join(const float *from, float *to, mt_index apart, float add)
{
#if CONV_HAS_SHUFFLE
    wino v[WINO_OUT], *y = (wino *)to;
    for (int b = 0; b < WINO_OUT; b++) v[b] = *(const wino *)(from + b * apart) + add;
    wino low_even = WINO_LOW(v[0], v[2]), low_odd = WINO_LOW(v[1], v[3]);
    wino high_even = WINO_HIGH(v[0], v[2]), high_odd = WINO_HIGH(v[1], v[3]);
    y[0] = WINO_LOW(low_even, low_odd);
    y[1] = WINO_HIGH(low_even, low_odd);
    y[2] = WINO_LOW(high_even, high_odd);
    y[3] = WINO_HIGH(high_even, high_odd);
#else
    for (int q = 0; q < WINO_LANES; q++)
        for (int b = 0; b < WINO_OUT; b++) to[WINO_OUT * q + b] = from[b * apart + q] + add;
#endif
}

/* --- inputs ------------------------------------------------------------------------------------------------------- */

/* The tiles of one phase (down, right) of a channel, transformed, to the columns of `out`, whose points are `point`
 * apart.  Rows are first cut into their elements 0, 4, 8 ..., 1, 5, 9 ... and so on: then neighbouring tiles are
 * neighbours, and a vector holds eight. */
static MT_CLONES void wino_tiles(const conv_pass *c, const conv_piece *runs, int count, const float *x, mt_index down,
                                 mt_index right, float *line, float *out, mt_index point)
{
    const mt_index across = c->room_pitch, row_size = WINO_OUT * across, size = c->axis[2].in_size, step = c->step[2];
    const mt_index first = c->first[2] + right, low = first < 0 ? (step - 1 - first) / step : 0;
    mt_index high = size > first ? (size - 1 - first) / step + 1 : 0;
    float *room = line + row_size;
    if (high > row_size) high = row_size;
    memset(line, 0, row_size * sizeof(float));
    for (int r = 0; r < count;) {
        const mt_index image = runs[r].image, top = runs[r].h;
        int last = r;
        while (last + 1 < count && runs[last + 1].image == image) last++;
        for (mt_index i = 0; i < runs[last].h - top + WINO_IN; i++) {
            mt_index h = (top + i) * c->step[1] + c->first[1] + down;
            const float *from = x + runs[r].in + h * size + first + step * low;
            float *to = room + i * row_size;
            if (h < 0 || h >= c->axis[1].in_size || high <= low) {
                memset(to, 0, row_size * sizeof(float));
                continue;
            }
            if (step == 1) conv_copy_f32(line + low, from, high - low);
            else conv_copy_even_f32(line + low, from, high - low);
            for (mt_index q = 0; q < across; q += WINO_LANES) wino_split(line + WINO_OUT * q, to + q, across);
        }
        for (; r <= last; r++)
            for (mt_index j = 0; j < runs[r].length; j += WINO_LANES) {
                const float *from_tile = room + (runs[r].h - top) * row_size + runs[r].w / WINO_OUT + j;
                float *to_tile = out + runs[r].column + j;
                WINOGRAD_BOTH(wino_inputs, WINO_IN, WINO_IN,
                              *(const wino *)(from_tile + (row * WINO_OUT + col % WINO_OUT) * across + col / WINO_OUT),
                              *(wino *)(to_tile + (row * WINO_IN + col) * point));
            }
    }
}

/* All phases of channels first to last, for a panel's tiles. */
static void wino_panel(const conv_pass *c, const conv_piece *runs, int count, mt_index first, mt_index last,
                       float *line, float *out, mt_index rows)
{
    for (mt_index channel = first; channel < last; channel++)
        for (mt_index down = 0; down < c->step[1]; down++)
            for (mt_index right = 0; right < c->step[2]; right++, out += c->pitch)
                wino_tiles(c, runs, count, (const float *)c->x + channel * c->in_plane, down, right, line, out,
                           wino_point(rows, c->pitch));
}

/* --- outputs ------------------------------------------------------------------------------------------------------ */

/* Where tap t of an axis is in its phase, or -1 if it belongs to another. */
static inline mt_index wino_place(const conv_pass *c, int d, mt_index t, mt_index phase)
{
    mt_index from_first = c->axis[d].offset[t] - c->first[d];
    return from_first % c->step[d] == phase ? from_first / c->step[d] : -1;
}

/* The pool's task: blocks of packed weights, for each point [in_channels][phases][CONV_ROWS]. */
static MT_CLONES void conv_tiled_pack(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    const mt_index blocks = (c->out_channels + CONV_ROWS - 1) / CONV_ROWS, depth = c->in_channels * c->phases;
    const mt_index point = wino_point(depth, CONV_ROWS), taps_down = c->axis[1].taps, taps_across = c->axis[2].taps;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index channel = unit % blocks * CONV_ROWS, left = c->out_channels - channel;
        const float *w = (const float *)c->weight + unit / blocks * c->weight_group + channel * c->weight_out;
        float *out = (float *)c->packed + unit * WINO_POINTS * point;
        for (mt_index k = 0; k < depth; k++, out += CONV_ROWS) {
            const float *from = w + k / c->phases * c->weight_in;
            mt_index down = k % c->phases / c->step[2], right = k % c->step[2];
            wino kernel[WINO_TAPS][WINO_TAPS];
            memset(kernel, 0, sizeof kernel);
            for (mt_index a = 0; a < taps_down; a++)
                for (mt_index b = 0; b < taps_across; b++) {
                    mt_index row = wino_place(c, 1, a, down), col = wino_place(c, 2, b, right);
                    if (row < 0 || col < 0) continue;
                    float *to = (float *)&kernel[row][col];
                    for (mt_index r = 0; r < CONV_ROWS && r < left; r++)
                        to[r] = from[r * c->weight_out + c->tap[a * taps_across + b]];
                }
            WINOGRAD_BOTH(wino_kernel, WINO_TAPS, WINO_IN, kernel[row][col],
                          *(wino *)(out + (row * WINO_IN + col) * point));
        }
    }
}

/* A block of channels at one point, for all tiles of a panel. */
static CONV_WIDE void wino_block_wide(mt_index columns, mt_index depth, mt_index width, const float *w,
                                      const float *panel, float *out)
{
    static const float zeros[CONV_ROWS];
    enum { ONE = 16 };
    for (mt_index j = 0; j < columns; j += 3 * ONE)
        if (columns - j > 2 * ONE) CONV_TILE(conv_wide_f32, 8, 3, w, panel + j, width, out + j, width, zeros);
        else if (columns - j > ONE) CONV_TILE(conv_wide_f32, 8, 2, w, panel + j, width, out + j, width, zeros);
        else CONV_TILE(conv_wide_f32, 8, 1, w, panel + j, width, out + j, width, zeros);
}

static CONV_NARROW void wino_block_narrow(mt_index columns, mt_index depth, mt_index width, const float *w,
                                        const float *panel, float *out)
{
    static const float zeros[CONV_ROWS];
    enum { ONE = 8 };
    for (int half = 0; half < CONV_ROWS; half += 4, w += 4, out += 4 * width)
        for (mt_index j = 0; j < columns; j += 3 * ONE)
            if (columns - j > 2 * ONE) CONV_TILE(conv_narrow_f32, 4, 3, w, panel + j, width, out + j, width, zeros);
            else CONV_TILE(conv_narrow_f32, 4, 2, w, panel + j, width, out + j, width, zeros);
}

/* Outputs of some channels from their points: `m` holds for each point CONV_ROWS rows. */
static MT_CLONES void wino_scatter(const conv_pass *c, const conv_piece *runs, int count, mt_index columns,
                                   const float *m, mt_index rows, const float *bias, float *y, float *lines)
{
    const mt_index pitch = c->pitch, point = wino_point(CONV_ROWS, pitch), across = c->axis[2].out_size;
    const mt_index move = c->out_move[2];
    float *line = lines + WINO_OUT * WINO_OUT * pitch;
    for (mt_index r = 0; r < rows; r++, m += pitch, y += c->out_plane) {
        const float add = bias ? bias[r] : 0;
        for (mt_index j = 0; j < columns; j += WINO_LANES)
            WINOGRAD_BOTH(wino_outputs, WINO_IN, WINO_OUT,
                          *(const wino *)(m + (row * WINO_IN + col) * point + j),
                          *(wino *)(lines + (row * WINO_OUT + col) * pitch + j));
        for (mt_index a = 0; a < WINO_OUT; a++) {
            const float *from = lines + a * WINO_OUT * pitch;
            for (mt_index q = 0; q < columns; q += WINO_LANES) wino_join(from + q, line + WINO_OUT * q, pitch, add);
            for (int i = 0; i < count; i++) {
                mt_index n = WINO_OUT * runs[i].length, there = c->columns - runs[i].w;
                float *to = y + runs[i].out + a * c->out_move[1] * across;
                if (n > there) n = there;
                if (runs[i].h + a >= c->rows) continue;
                if (move == 1) conv_copy_f32(to, line + WINO_OUT * runs[i].column, n);
                else for (mt_index j = 0; j < n; j++) to[j * move] = line[WINO_OUT * runs[i].column + j];
            }
        }
    }
}

/* The pool's task: panels begin to end, counted through those of a group and then through the groups. */
static void conv_tiled_task(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    const mt_index depth = c->in_channels * c->phases, pitch = c->pitch;
    const mt_index blocks = (c->out_channels + CONV_ROWS - 1) / CONV_ROWS;
    const mt_index point = wino_point(depth, pitch), product = wino_point(CONV_ROWS, pitch);
    const mt_index weights = wino_point(depth, CONV_ROWS);
    conv_piece runs[CONV_PANEL];
    float *tiles = conv_scratch(c), *products = tiles + WINO_POINTS * point;
    float *lines = products + WINO_POINTS * product, *room = lines + (WINO_OUT * WINO_OUT + WINO_OUT) * pitch;
    if (!tiles) return;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index group = unit / c->panels, start = unit % c->panels * c->width;
        mt_index columns = c->positions - start < c->width ? c->positions - start : c->width;
        int count = conv_pieces(c, group, start, columns, runs);
        wino_panel(c, runs, count, 0, c->in_channels, room, tiles, depth);
        columns = (columns + 15) / 16 * 16;
        for (mt_index block = 0; block < blocks; block++) {
            mt_index channel = block * CONV_ROWS, left = c->out_channels - channel;
            const float *w = (const float *)c->packed + (group * blocks + block) * WINO_POINTS * weights;
            for (int p = 0; p < WINO_POINTS; p++)
                (c->wide ? wino_block_wide : wino_block_narrow)(columns, depth, pitch, w + p * weights,
                    tiles + p * point, products + p * product);
            wino_scatter(c, runs, count, columns, products, left < CONV_ROWS ? left : CONV_ROWS,
                         c->bias ? (const float *)c->bias + group * c->out_channels + channel : NULL,
                         (float *)c->y + channel * c->out_plane, lines);
        }
    }
    conv_scratch_done(c, tiles);
}

/* --- gradients of weights ----------------------------------------------------------------------------------------- */

/* A run's tiles of gradients, transformed: at each point a row of channels for each tile, in blocks as of conv_sums. */
static MT_CLONES void wino_gradient_run(const conv_pass *c, const conv_piece *run, float *rows, float *out)
{
    const mt_index padded = c->padded, length = run->length, line = WINO_OUT * length * padded;
    const mt_index point = wino_point(WINO_SUMMED, padded);
    enum { BLOCK = CONV_BLOCK / sizeof(float) };
    mt_index there = c->columns - run->w, n = WINO_OUT * length < there ? WINO_OUT * length : there;
    conv_piece pieces[WINO_OUT];
    int count = 0;
    if (n < WINO_OUT * length || run->h + WINO_OUT > c->rows) memset(rows, 0, WINO_OUT * line * sizeof(float));
    for (; count < WINO_OUT && run->h + count < c->rows; count++) {
        pieces[count] = *run;
        pieces[count].out = run->out + count * c->axis[2].out_size;
        pieces[count].column = count * WINO_OUT * length;
        pieces[count].length = n;
    }
    conv_transpose_f32(c, pieces, count, c->y, c->out_channels, padded, rows);
    for (mt_index t = 0; t < length; t++, rows += WINO_OUT * padded)
        for (mt_index channel = 0; channel < padded; channel += WINO_LANES) {
            mt_index block = channel / BLOCK * BLOCK, width = padded - block < BLOCK ? padded - block : BLOCK;
            float *to_row = out + block * WINO_SUMMED + (run->column + t) * width + channel - block;
            WINOGRAD_BOTH(wino_gradients, WINO_OUT, WINO_IN,
                          *(const wino *)(rows + row * line + col * padded + channel),
                          *(wino *)(to_row + (row * WINO_IN + col) * point));
        }
}

/* The pool's task: as conv_chunks. */
static void conv_tiled_sums(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    const mt_index padded = c->padded, across = c->axis[2].count < WINO_SUMMED ? c->axis[2].count : WINO_SUMMED;
    const mt_index tile = wino_point(c->part_rows, CONV_SPAN), gradient = wino_point(WINO_SUMMED, padded);
    conv_piece runs[CONV_PANEL];
    float *tiles = conv_scratch(c), *gradients = tiles + WINO_POINTS * tile;
    float *rows = gradients + WINO_POINTS * gradient, *room = rows + WINO_OUT * WINO_OUT * across * padded;
    mt_index *place = (mt_index *)((char *)tiles + c->place_bytes);
    if (!tiles) return;
    for (mt_index k = 0; k < c->part_rows; k++) place[k] = k < c->part_rows - CONV_TAPS ? k * CONV_SPAN : 0;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index part = unit % c->parts, group = unit / c->parts % c->groups, chunk = unit / c->parts / c->groups;
        mt_index first = part * c->in_channels / c->parts, last = (part + 1) * c->in_channels / c->parts;
        mt_index stop = (chunk + 1) * c->positions / c->chunks;
        float *sums = (float *)c->packed + unit * WINO_POINTS * c->part_rows * padded;
        memset(sums, 0, WINO_POINTS * c->part_rows * padded * sizeof(float));
        for (mt_index start = chunk * c->positions / c->chunks; start < stop; start += WINO_SUMMED) {
            mt_index columns = stop - start < WINO_SUMMED ? stop - start : WINO_SUMMED;
            int count = conv_pieces(c, group, start, columns, runs);
            wino_panel(c, runs, count, first, last, room, tiles, c->part_rows);
            for (int i = 0; i < count; i++) wino_gradient_run(c, &runs[i], rows, gradients);
            for (int p = 0; p < WINO_POINTS; p++)
                conv_sums_f32(c, (last - first) * c->phases, &(conv_strip){0, 0, columns}, 1, 1, tiles + p * tile,
                              place, gradients + p * gradient, WINO_SUMMED, sums + p * c->part_rows * padded);
        }
    }
    conv_scratch_done(c, tiles);
}

/* The taps of one phase for some output channels, from the values at their points. */
WINOGRAD_INLINE void wino_store_taps(const conv_pass *c, const wino *point, mt_index phase, float *weight,
                                     mt_index channels)
{
    wino tap[WINO_TAPS][WINO_TAPS];
    WINOGRAD_BOTH(wino_taps, WINO_IN, WINO_TAPS, point[row * WINO_IN + col], tap[row][col]);
    for (mt_index a = 0; a < c->axis[1].taps; a++)
        for (mt_index b = 0; b < c->axis[2].taps; b++) {
            mt_index row = wino_place(c, 1, a, phase / c->step[2]), col = wino_place(c, 2, b, phase % c->step[2]);
            if (row < 0 || col < 0) continue;
            const float *from = (const float *)&tap[row][col];
            for (mt_index r = 0; r < channels; r++)
                weight[r * c->in_channels * c->taps + c->tap[a * c->axis[2].taps + b]] = from[r];
        }
}

/* The pool's task: channels begin to end of the gradient, each the sum over the chunks. */
static MT_CLONES void conv_tiled_total(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index group = unit / c->in_channels, channel = unit % c->in_channels;
        mt_index part = ((channel + 1) * c->parts - 1) / c->in_channels, step = c->part_rows * c->padded;
        const float *sums = (const float *)c->packed + (group * c->parts + part) * WINO_POINTS * step
                            + (channel - part * c->in_channels / c->parts) * c->phases * c->padded;
        for (mt_index phase = 0; phase < c->phases; phase++, sums += c->padded)
            for (mt_index out = 0; out < c->out_channels; out += WINO_LANES) {
                mt_index left = c->out_channels - out, at = (group * c->out_channels + out) * c->in_channels + channel;
                wino point[WINO_POINTS];
                for (int p = 0; p < WINO_POINTS; p++) {
                    point[p] = (wino){0};
                    for (mt_index chunk = 0; chunk < c->chunks; chunk++)
                        point[p] += *(const wino *)(sums + out
                                                    + (chunk * c->groups * c->parts * WINO_POINTS + p) * step);
                }
                if (left > WINO_LANES) left = WINO_LANES;
                wino_store_taps(c, point, phase, (float *)c->weight + at * c->taps, left);
            }
    }
}

#undef MT_T
#undef WINOGRAD_INLINE
#undef WINOGRAD_UNROLL
#undef WINOGRAD_BOTH
#undef WINO_EVEN
#undef WINO_ODD
#undef WINO_LOW
#undef WINO_HIGH
