/* Convolution for one element type; conv.h includes it once for each, with MT_T the type and MT_F(name) its names.
 *
 * Columns are gathered a panel at a time, so that they never leave the cache: row k of a panel holds, for each of some
 * tens of output positions, the input under tap k.  A product of packed weights and the panel then gives those outputs
 * for all channels.
 */

#define MT_ALWAYS static inline __attribute__((always_inline))
typedef MT_T MT_F(conv_wide) __attribute__((vector_size(64), aligned(sizeof(MT_T)), may_alias));
typedef MT_T MT_F(conv_narrow) __attribute__((vector_size(32), aligned(sizeof(MT_T)), may_alias));

/* --- gathering ---------------------------------------------------------------------------------------------------- */

/* dst[0..n) = src[0..n), by vectors that may overlap: runs are short, and a call of memcpy takes as long. */
MT_ALWAYS void MT_F(conv_copy)(MT_T *dst, const MT_T *src, mt_index n)
{
    enum { WIDE = 64 / sizeof(MT_T), NARROW = WIDE / 2, HALF = WIDE / 4 };
    typedef MT_F(conv_wide) wide;
    typedef MT_F(conv_narrow) narrow;
    typedef MT_T half __attribute__((vector_size(16), aligned(sizeof(MT_T)), may_alias));
#define COPY(V, at) *(V *)(dst + (at)) = *(const V *)(src + (at))
    if (n >= WIDE) {
#pragma GCC unroll 1
        for (mt_index j = 0; j + WIDE < n; j += WIDE) COPY(wide, j);
        COPY(wide, n - WIDE);
    } else if (n >= NARROW) {
        COPY(narrow, 0);
        COPY(narrow, n - NARROW);
    } else if (n >= HALF) {
        COPY(half, 0);
        COPY(half, n - HALF);
    } else {
#pragma GCC unroll 1
        for (mt_index j = 0; j < n; j++) dst[j] = src[j];
    }
#undef COPY
}

/* dst[j] = src[2 j] */
MT_ALWAYS void MT_F(conv_copy_even)(MT_T *dst, const MT_T *src, mt_index n)
{
#ifdef CONV_EVEN
    enum { LANES = 32 / sizeof(MT_T) };
    typedef MT_F(conv_narrow) V;
    if (n >= LANES) {  /* the second vector begins one earlier, so that nothing behind the last element is read */
#define EVEN(at) *(V *)(dst + (at)) = __builtin_shufflevector(*(const V *)(src + 2 * (at)),                          \
                                                              *(const V *)(src + 2 * (at) + LANES - 1), CONV_EVEN)
#pragma GCC unroll 1
        for (mt_index j = 0; j + LANES < n; j += LANES) EVEN(j);
        EVEN(n - LANES);
#undef EVEN
        return;
    }
#endif
#pragma GCC unroll 1
    for (mt_index j = 0; j < n; j++) dst[j] = src[2 * j];
}

/* One run of a row of columns: zeros where the tap is outside of the input. */
MT_ALWAYS void MT_F(conv_run)(MT_T *dst, const MT_T *src, mt_index low, mt_index high, mt_index n, mt_index step)
{
#pragma GCC unroll 1
    for (mt_index j = 0; j < low; j++) dst[j] = 0;
    if (step == 1) MT_F(conv_copy)(dst + low, src + low, high - low);
    else if (step == 2) MT_F(conv_copy_even)(dst + low, src + 2 * low, high - low);
    else for (mt_index j = low; j < high; j++) dst[j] = src[j * step];
#pragma GCC unroll 1
    for (mt_index j = high; j < n; j++) dst[j] = 0;
}

/* The columns of some runs of positions, for channels first to last of a group; rows are `width` apart. */
static MT_CLONES void MT_F(conv_gather)(const conv_pass *c, const conv_piece *runs, int count, const MT_T *x,
                                        mt_index first, mt_index last, MT_T *cols, mt_index width)
{
    const conv_axis *depth = &c->axis[0], *height = &c->axis[1], *breadth = &c->axis[2];
    mt_index low[CONV_PANEL], high[CONV_PANEL], from[CONV_PANEL], plane = c->in_plane, across = breadth->in_size;
    for (mt_index tw = 0; tw < breadth->taps; tw++) {
        for (int r = 0; r < count; r++)
            conv_inside(breadth, runs[r].w + breadth->offset[tw], runs[r].length, &low[r], &high[r]);
        for (mt_index td = 0; td < depth->taps; td++)
            for (mt_index th = 0; th < height->taps; th++) {
                for (int r = 0; r < count; r++) {
                    mt_index d = runs[r].d + depth->offset[td], h = runs[r].h + height->offset[th];
                    int inside = d >= 0 && d < depth->in_size && h >= 0 && h < height->in_size && low[r] < high[r];
                    from[r] = inside ? runs[r].in + (d * height->in_size + h) * across + runs[r].w + breadth->offset[tw]
                                     : CONV_OUTSIDE;
                }
                mt_index k = (td * height->taps + th) * breadth->taps + tw;
                for (mt_index channel = first; channel < last; channel++) {
                    MT_T *row = cols + ((channel - first) * c->taps + k) * width;
                    for (int r = 0; r < count; r++) {
                        mt_index n = runs[r].length;
                        if (from[r] == CONV_OUTSIDE) MT_F(conv_run)(row + runs[r].column, x, 0, 0, n, 1);
                        else MT_F(conv_run)(row + runs[r].column, x + from[r] + channel * plane, low[r], high[r], n,
                                            breadth->in_step);
                    }
                }
            }
    }
}

/* The channels of an image with zeros around, all that any tap reads and no more. */
static MT_CLONES void MT_F(conv_surround)(const conv_pass *c, const MT_T *x, mt_index channels, MT_T *room)
{
    const mt_index width = c->reach[2], first = c->first[2], size = c->axis[2].in_size;
    const mt_index low = first < 0 ? -first : 0, high = size - first < width ? size - first : width;
    for (mt_index channel = 0; channel < channels; channel++, x += c->in_plane)
        for (mt_index pd = 0; pd < c->reach[0]; pd++)
            for (mt_index ph = 0; ph < c->reach[1]; ph++, room += width) {
                mt_index d = pd + c->first[0], h = ph + c->first[1];
                if (d < 0 || d >= c->axis[0].in_size || h < 0 || h >= c->axis[1].in_size || high <= low) {
                    memset(room, 0, width * sizeof(MT_T));
                    continue;
                }
                for (mt_index j = 0; j < low; j++) room[j] = 0;
                MT_F(conv_copy)(room + low, x + (d * c->axis[1].in_size + h) * size + first + low, high - low);
                for (mt_index j = high; j < width; j++) room[j] = 0;
            }
}

/* Surround the run's image in one of the rooms, unless it is there (`held` says which are): where the run begins. */
MT_ALWAYS mt_index MT_F(conv_keep)(const conv_pass *c, const conv_piece *run, const MT_T *x, mt_index first,
                                   mt_index last, MT_T *room, mt_index *held)
{
    const mt_index image = (last - first) * c->reach[0] * c->reach[1] * c->reach[2];
    mt_index slot = run->image / c->groups % c->rooms;
    if (held[slot] != run->image)
        MT_F(conv_surround)(c, x + run->in + first * c->in_plane, last - first, room + slot * image);
    held[slot] = run->image;
    return slot * image + (run->d * c->reach[1] + run->h) * c->reach[2] + run->w;
}

/* Runs of one length: their copies are a few instructions each. */
#define CONV_RUNS(copy, n) for (int r = 0; r < count; r++) MT_F(copy)(row + runs[r].column, from + base[r], n)

/* The same from images that are surrounded with zeros first: then every run is whole.  A panel may show several images,
 * `rooms` of which are kept in `room`; `held` says which. */
static MT_CLONES void MT_F(conv_gather_whole)(const conv_pass *c, const conv_piece *runs, int count, const MT_T *x,
                                              mt_index first, mt_index last, MT_T *cols, mt_index width,
                                              MT_T *room, mt_index *held)
{
    const conv_axis *depth = &c->axis[0], *height = &c->axis[1], *breadth = &c->axis[2];
    const mt_index plane = c->reach[0] * c->reach[1] * c->reach[2], step = breadth->in_step;
    mt_index base[CONV_PANEL], length = runs[0].length;
    for (int r = 0; r < count; r++) {
        base[r] = MT_F(conv_keep)(c, &runs[r], x, first, last, room, held);
        if (runs[r].length != length) length = 0;
    }
    MT_T *row = cols;
    for (mt_index channel = first; channel < last; channel++)
        for (mt_index td = 0; td < depth->taps; td++)
            for (mt_index th = 0; th < height->taps; th++)
                for (mt_index tw = 0; tw < breadth->taps; tw++, row += width) {
                    const MT_T *from = room + (channel - first) * plane + breadth->offset[tw] - c->first[2]
                        + ((depth->offset[td] - c->first[0]) * c->reach[1] + height->offset[th] - c->first[1]) * c->reach[2];
                    if (step == 2) {
                        if (length == 8) CONV_RUNS(conv_copy_even, 8);
                        else if (length == 16) CONV_RUNS(conv_copy_even, 16);
                        else CONV_RUNS(conv_copy_even, runs[r].length);
                    }
                    else if (length == 8) CONV_RUNS(conv_copy, 8);
                    else if (length == 16) CONV_RUNS(conv_copy, 16);
                    else if (length == 32) CONV_RUNS(conv_copy, 32);
                    else CONV_RUNS(conv_copy, runs[r].length);
                }
}
#undef CONV_RUNS

/* --- outputs: Y = W X --------------------------------------------------------------------------------------------- */

/* Weights as the product reads them: blocks of CONV_ROWS channels, in a block tap after tap. */
static void MT_F(conv_pack)(void *job, mt_index begin, mt_index end)
{
    const conv_pass *c = job;
    const mt_index blocks = (c->out_channels + CONV_ROWS - 1) / CONV_ROWS, depth = c->in_channels * c->taps;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index group = unit / blocks, block = unit % blocks;
        const MT_T *w = (const MT_T *)c->weight + group * c->weight_group;
        MT_T *out = (MT_T *)c->packed + unit * depth * CONV_ROWS;
        mt_index channel = block * CONV_ROWS, rows = c->out_channels - channel;
        if (rows > CONV_ROWS) rows = CONV_ROWS;
        w += channel * c->weight_out;
        if (rows < CONV_ROWS) memset(out, 0, depth * CONV_ROWS * sizeof(MT_T));
        for (mt_index i = 0; i < c->in_channels; i++)
            for (mt_index t = 0; t < c->taps; t++, out += CONV_ROWS) {
                const MT_T *from = w + i * c->weight_in + c->tap[t];
                if (rows == CONV_ROWS) for (int r = 0; r < CONV_ROWS; r++) out[r] = from[r * c->weight_out];
                else for (int r = 0; r < rows; r++) out[r] = from[r * c->weight_out];
            }
    }
}

/* One block of channels for a panel; `rows` of its channels are there. */
static CONV_WIDE void MT_F(conv_block_wide)(mt_index rows, mt_index columns, mt_index depth, mt_index width,
                                            const MT_T *w, const MT_T *panel, const MT_T *bias, MT_T *out)
{
    enum { ONE = 64 / sizeof(MT_T), STEP = 3 * ONE };
    for (mt_index j = 0; j < columns; j += STEP)
        if (rows > 4 && columns - j <= ONE) CONV_TILE(MT_F(conv_wide), 8, 1, w, panel + j, width, out + j, CONV_PANEL, bias);
        else if (rows > 4) CONV_TILE(MT_F(conv_wide), 8, 3, w, panel + j, width, out + j, CONV_PANEL, bias);
        else if (rows > 2) CONV_TILE(MT_F(conv_wide), 4, 3, w, panel + j, width, out + j, CONV_PANEL, bias);
        else CONV_TILE(MT_F(conv_wide), 2, 3, w, panel + j, width, out + j, CONV_PANEL, bias);
}

static CONV_NARROW void MT_F(conv_block_narrow)(mt_index rows, mt_index columns, mt_index depth, mt_index width,
                                              const MT_T *w, const MT_T *panel, const MT_T *bias, MT_T *out)
{
    enum { STEP = 3 * 32 / sizeof(MT_T) };
    for (mt_index half = 0; half < rows; half += 4, w += 4, out += 4 * CONV_PANEL, bias += 4)
        for (mt_index j = 0; j < columns; j += STEP)
            CONV_TILE(MT_F(conv_narrow), 4, 3, w, panel + j, width, out + j, CONV_PANEL, bias);
}

/* Channels of a panel's outputs from the rows of `out` to where they belong. */
static MT_CLONES void MT_F(conv_scatter)(const conv_pass *c, const conv_piece *runs, int count, const MT_T *out,
                                         mt_index rows, MT_T *y)
{
    const mt_index step = c->axis[2].out_step;
    for (mt_index r = 0; r < rows; r++)
        for (int i = 0; i < count; i++) {
            MT_T *to = y + runs[i].out + r * c->out_plane;
            const MT_T *from = out + r * CONV_PANEL + runs[i].column;
            if (step == 1) MT_F(conv_copy)(to, from, runs[i].length);
            else for (mt_index j = 0; j < runs[i].length; j++) to[j * step] = from[j];
        }
}

/* The pool's task: panels begin to end, counted through those of a group and then through the groups. */
static void MT_F(conv_panels)(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    const mt_index depth = c->in_channels * c->taps, width = c->width;
    const mt_index blocks = (c->out_channels + CONV_ROWS - 1) / CONV_ROWS;
    conv_piece runs[CONV_PANEL];
    MT_T out[CONV_ROWS * CONV_PANEL], bias[CONV_ROWS];
    mt_index held[CONV_ROOMS];
    MT_T *cols = conv_scratch(c), *room = cols + depth * width;
    if (!cols) return;
    conv_forget(c, held);
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index group = unit / c->panels, start = unit % c->panels * width;
        mt_index columns = c->positions - start < width ? c->positions - start : width;
        int count = conv_pieces(c, group, start, columns, runs);
        if (c->rooms) MT_F(conv_gather_whole)(c, runs, count, c->x, 0, c->in_channels, cols, width, room, held);
        else MT_F(conv_gather)(c, runs, count, c->x, 0, c->in_channels, cols, width);
        for (mt_index block = 0; block < blocks; block++) {
            mt_index channel = block * CONV_ROWS;
            mt_index rows = c->out_channels - channel < CONV_ROWS ? c->out_channels - channel : CONV_ROWS;
            for (mt_index r = 0; r < CONV_ROWS; r++)
                bias[r] = c->bias && r < rows ? ((const MT_T *)c->bias)[group * c->out_channels + channel + r] : 0;
            (c->wide ? MT_F(conv_block_wide) : MT_F(conv_block_narrow))
                (rows, columns, depth, width, (const MT_T *)c->packed + (group * blocks + block) * depth * CONV_ROWS,
                 cols, bias, out);
            MT_F(conv_scatter)(c, runs, count, out, rows, (MT_T *)c->y + channel * c->out_plane);
        }
    }
    conv_scratch_done(c, cols);
}

/* --- gradients of weights: dW = X dYᵀ ----------------------------------------------------------------------------- */

/* The gradients of some channels at some runs of positions, as rows of `padded` channels each. */
static MT_CLONES void MT_F(conv_transpose)(const conv_pass *c, const conv_piece *runs, int count, const MT_T *g,
                                           mt_index channels, mt_index padded, MT_T *rows)
{
    enum { SIDE = 8 };
    for (int i = 0; i < count; i++) {
        MT_T *to = rows + runs[i].column * padded;
        const MT_T *from = g + runs[i].out;
        const mt_index n = runs[i].length, whole = channels / SIDE * SIDE;
        for (mt_index channel = 0; channel < whole; channel += SIDE) {
            const MT_T *block = from + channel * c->out_plane;
            mt_index j = 0;
            for (; j + SIDE <= n; j += SIDE) {
                MT_T square[SIDE][SIDE];
                for (int r = 0; r < SIDE; r++)
                    for (int k = 0; k < SIDE; k++) square[k][r] = block[r * c->out_plane + j + k];
                for (int k = 0; k < SIDE; k++)
                    for (int r = 0; r < SIDE; r++) to[(j + k) * padded + channel + r] = square[k][r];
            }
            for (; j < n; j++)
                for (int r = 0; r < SIDE; r++) to[j * padded + channel + r] = block[r * c->out_plane + j];
        }
        for (mt_index j = 0; j < n; j++) {
            for (mt_index r = whole; r < channels; r++) to[j * padded + r] = from[r * c->out_plane + j];
            for (mt_index r = channels; r < padded; r++) to[j * padded + r] = 0;
        }
    }
}

/* The sums of `width` channels for rows 0 to depth. */
static CONV_WIDE void MT_F(conv_sums_wide)(mt_index depth, mt_index width, mt_index padded, const conv_strip *strips,
                                           int count, mt_index step, const MT_T *x, const mt_index *place, const MT_T *g,
                                           MT_T *sums)
{
    typedef MT_F(conv_wide) V;
    enum { ONE = sizeof(V) / sizeof(MT_T) };
    for (mt_index k = 0; k < depth; k += CONV_TAPS, place += CONV_TAPS, sums += CONV_TAPS * padded)
        if (width == 4 * ONE) CONV_SUMS(V, 4, x, place, g, sums);
        else if (width == 3 * ONE) CONV_SUMS(V, 3, x, place, g, sums);
        else if (width == 2 * ONE) CONV_SUMS(V, 2, x, place, g, sums);
        else CONV_SUMS(V, 1, x, place, g, sums);
}

static CONV_NARROW void MT_F(conv_sums_narrow)(mt_index depth, mt_index width, mt_index padded, const conv_strip *strips,
                                             int count, mt_index step, const MT_T *x, const mt_index *place,
                                             const MT_T *g, MT_T *sums)
{
    typedef MT_F(conv_narrow) V;
    enum { TWO = 2 * sizeof(V) / sizeof(MT_T) };
    for (mt_index k = 0; k < depth; k += CONV_TAPS, place += CONV_TAPS, sums += CONV_TAPS * padded)
        for (mt_index channel = 0; channel < width; channel += TWO)
            CONV_SUMS(V, 2, x, place, g + channel, sums + channel);
}

/* The sums of all channels.  Gradients lie in blocks of CONV_BLOCK with `span` rows each, which stay in the first cache. */
static void MT_F(conv_sums)(const conv_pass *c, mt_index depth, const conv_strip *strips, int count, mt_index step,
                            const MT_T *x, const mt_index *place, const MT_T *g, mt_index span, MT_T *sums)
{
    enum { BLOCK = CONV_BLOCK / sizeof(MT_T) };
    for (mt_index channel = 0; channel < c->padded; channel += BLOCK) {
        mt_index width = c->padded - channel < BLOCK ? c->padded - channel : BLOCK;
        (c->wide ? MT_F(conv_sums_wide) : MT_F(conv_sums_narrow))(depth, width, c->padded, strips, count, step, x, place,
                                                                  g + channel * span, sums + channel);
    }
}

/* Where the factors of some runs are, counted from the pointer that is returned.  A sum needs one factor at a time, not
 * vectors of them, so it reads the image itself if nothing is outside of it, or one surrounded with zeros, and only if
 * that is too large columns in its place. */
static const MT_T *MT_F(conv_strips)(const conv_pass *c, const conv_piece *runs, int count, mt_index first,
                                     mt_index last, MT_T *room, mt_index *held, conv_strip *strips)
{
    for (int r = 0; r < count; r++) {
        strips[r] = (conv_strip){0, runs[r].column, runs[r].length};
        if (c->inside)
            strips[r].from = runs[r].in + first * c->in_plane
                             + (runs[r].d * c->reach[1] + runs[r].h) * c->reach[2] + runs[r].w;
        else if (c->rooms) strips[r].from = MT_F(conv_keep)(c, &runs[r], c->x, first, last, room, held);
        else strips[r].from = runs[r].column;
    }
    if (c->inside) return c->x;
    if (!c->rooms) MT_F(conv_gather)(c, runs, count, c->x, first, last, room, CONV_SPAN);
    return room;
}

/* The places of rows 0 to depth, and of as many more as are summed with them: those are read and not used. */
static void MT_F(conv_row_places)(const conv_pass *c, mt_index channels, mt_index *place)
{
    mt_index depth = channels * c->taps;
    if (c->inside || c->rooms) conv_places(c, channels, place);
    else for (mt_index k = 0; k < depth; k++) place[k] = k * CONV_SPAN;
    for (int r = 0; r < CONV_TAPS; r++) place[depth + r] = place[0];
}

/* The pool's task: units begin to end; a unit is a chunk of the positions, a group and a part of its channels.  Each
 * chunk has sums of its own, since their number must not depend on the threads'. */
static void MT_F(conv_chunks)(void *job, mt_index begin, mt_index end)
{
    enum { BLOCK = CONV_BLOCK / sizeof(MT_T) };
    conv_pass *c = job;
    const mt_index padded = c->padded, step = c->inside || c->rooms ? c->axis[2].in_step : 1;
    conv_piece runs[CONV_SPAN];
    conv_strip strips[CONV_SPAN];
    mt_index held[CONV_ROOMS];
    MT_T *kept = conv_scratch(c), *room = kept + padded * CONV_SPAN * c->spans_kept;
    mt_index *place = (mt_index *)((char *)kept + c->place_bytes);
    if (!kept) return;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index part = unit % c->parts, group = unit / c->parts % c->groups, chunk = unit / c->parts / c->groups;
        mt_index first = part * c->in_channels / c->parts, last = (part + 1) * c->in_channels / c->parts;
        mt_index from = chunk * c->panels / c->chunks, stop = (chunk + 1) * c->panels / c->chunks * CONV_SPAN;
        int there = unit > begin && part > 0 && c->spans_kept > 1;  /* the part before has transposed the gradients */
        MT_T *sums = (MT_T *)c->packed + unit * c->part_rows * padded;
        conv_forget(c, held);
        MT_F(conv_row_places)(c, last - first, place);
        memset(sums, 0, c->part_rows * padded * sizeof(MT_T));
        if (stop > c->positions) stop = c->positions;
        for (mt_index start = from * CONV_SPAN; start < stop; start += CONV_SPAN) {
            mt_index columns = stop - start < CONV_SPAN ? stop - start : CONV_SPAN;
            int count = conv_pieces(c, group, start, columns, runs);
            const MT_T *x = MT_F(conv_strips)(c, runs, count, first, last, room, held, strips);
            MT_T *rows = c->spans_kept > 1 ? kept + (start - from * CONV_SPAN) * padded : kept;
            for (mt_index channel = there ? padded : 0; channel < padded; channel += BLOCK) {
                mt_index width = padded - channel < BLOCK ? padded - channel : BLOCK, left = c->out_channels - channel;
                MT_F(conv_transpose)(c, runs, count, (const MT_T *)c->y + channel * c->out_plane,
                                     left < width ? left : width, width, rows + channel * CONV_SPAN);
            }
            MT_F(conv_sums)(c, (last - first) * c->taps, strips, count, step, x, place, rows, CONV_SPAN, sums);
        }
    }
    conv_scratch_done(c, kept);
}

/* The pool's task: channels begin to end of the gradient, each the sum over the chunks.  Some rows of sums are added for
 * a block of channels, then turned round, so that both are read and written in runs. */
static MT_CLONES void MT_F(conv_total)(void *job, mt_index begin, mt_index end)
{
    typedef MT_F(conv_wide) V;
    enum { LANES = sizeof(V) / sizeof(MT_T), BLOCK = CONV_BLOCK / sizeof(MT_T), ROWS = 32 };
    conv_pass *c = job;
    const mt_index part_size = c->part_rows * c->padded, depth = c->in_channels * c->taps;
    MT_T total[ROWS][BLOCK];
    for (mt_index unit = begin, more; unit < end; unit += more) {
        mt_index group = unit / c->in_channels, channel = unit % c->in_channels;
        mt_index part = ((channel + 1) * c->parts - 1) / c->in_channels, first = part * c->in_channels / c->parts;
        mt_index last = (part + 1) * c->in_channels / c->parts;
        more = last - channel < end - unit ? last - channel : end - unit;   /* channels of this part */
        const MT_T *sums = (const MT_T *)c->packed + (group * c->parts + part) * part_size
                           + (channel - first) * c->taps * c->padded;
        MT_T *w = (MT_T *)c->weight + group * c->out_channels * depth + channel * c->taps;
        for (mt_index row = 0; row < more * c->taps; row += ROWS)
            for (mt_index out = 0; out < c->out_channels; out += BLOCK) {
                mt_index rows = more * c->taps - row < ROWS ? more * c->taps - row : ROWS;
                mt_index width = c->padded - out < BLOCK ? c->padded - out : BLOCK, left = c->out_channels - out;
                for (mt_index r = 0; r < rows; r++)
                    for (mt_index j = 0; j < width; j += LANES) {
                        const MT_T *from = sums + (row + r) * c->padded + out + j;
                        V sum = *(const V *)from;
                        for (mt_index chunk = 1; chunk < c->chunks; chunk++)
                            sum += *(const V *)(from + chunk * c->groups * c->parts * part_size);
                        *(V *)(total[r] + j) = sum;
                    }
                for (mt_index j = 0; j < width && j < left; j++)
                    for (mt_index r = 0; r < rows; r++) w[(out + j) * depth + row + r] = total[r][j];
            }
    }
}

/* --- few channels: no columns ------------------------------------------------------------------------------------- */

/* Four rows of one channel's outputs, two vectors at a time; rows of x are `stride` apart. */
static MT_CLONES void MT_F(conv_rows)(mt_index depth, const MT_T *w, const mt_index *place, const MT_T *x, mt_index stride,
                                      mt_index n, mt_index step, MT_T bias, MT_T *out, mt_index width)
{
    typedef MT_F(conv_narrow) V;
    enum { LANES = sizeof(V) / sizeof(MT_T), ROWS = 4, TWO = 2 };
    if (step != 1) {
        for (int r = 0; r < ROWS; r++) {
            for (mt_index j = 0; j < n; j++) out[r * width + j] = bias;
            for (mt_index k = 0; k < depth; k++) {
                const MT_T *from = x + r * stride + place[k];
                if (step == 2) for (mt_index j = 0; j < n; j++) out[r * width + j] += w[k] * from[2 * j];
                else for (mt_index j = 0; j < n; j++) out[r * width + j] += w[k] * from[step * j];
            }
        }
        return;
    }
    for (mt_index j = 0; j < n; j += TWO * LANES) {
        V acc[ROWS][TWO];
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
            for (int v = 0; v < TWO; v++) acc[r][v] = (V){0} + bias;
        for (mt_index k = 0; k < depth; k++) {
            const MT_T *from = x + place[k] + j;
#pragma GCC unroll 4
            for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
                for (int v = 0; v < TWO; v++) acc[r][v] += *(const V *)(from + r * stride + v * LANES) * w[k];
        }
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 4
            for (int v = 0; v < TWO; v++) *(V *)(out + r * width + j + v * LANES) = acc[r][v];
    }
}

/* The pool's task: groups of images, begin to end. */
static void MT_F(conv_direct)(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    const conv_axis *height = &c->axis[1], *breadth = &c->axis[2];
    const mt_index depth = c->in_channels * c->taps, n = breadth->count, width = (n + 63) / 64 * 64;
    void *scratch = conv_scratch(c);
    if (!scratch) return;
    MT_T *w = (MT_T *)conv_places(c, c->in_channels, scratch), *rows = w + depth, *room = rows + 4 * width;
    for (mt_index unit = begin; unit < end; unit++) {
        mt_index group = unit % c->groups;
        MT_F(conv_surround)(c, (const MT_T *)c->x + unit * c->in_channels * c->in_plane, c->in_channels, room);
        for (mt_index channel = 0; channel < c->out_channels; channel++) {
            MT_T *y = (MT_T *)c->y + (unit * c->out_channels + channel) * c->out_plane;
            MT_T bias = c->bias ? ((const MT_T *)c->bias)[group * c->out_channels + channel] : 0;
            const MT_T *from = (const MT_T *)c->weight + group * c->weight_group + channel * c->weight_out;
            for (mt_index i = 0, k = 0; i < c->in_channels; i++)
                for (mt_index t = 0; t < c->taps; t++) w[k++] = from[i * c->weight_in + c->tap[t]];
            for (mt_index d = 0; d < c->axis[0].count; d++)
                for (mt_index h = 0; h < height->count; h += 4) {
                    mt_index at = d * c->axis[0].in_step * c->reach[1] + h * height->in_step;
                    MT_F(conv_rows)(depth, w, scratch, room + at * c->reach[2], height->in_step * c->reach[2], n,
                                    breadth->in_step, bias, rows, width);
                    for (mt_index r = 0; r < 4 && h + r < height->count; r++) {
                        MT_T *to = y + ((d * c->axis[0].out_step + c->axis[0].out_first) * height->out_size
                                        + (h + r) * height->out_step + height->out_first) * breadth->out_size
                                   + breadth->out_first;
                        if (breadth->out_step == 1) MT_F(conv_copy)(to, rows + r * width, n);
                        else for (mt_index j = 0; j < n; j++) to[j * breadth->out_step] = rows[r * width + j];
                    }
                }
        }
    }
    conv_scratch_done(c, scratch);
}

/* The sum of products of `rows` rows, of g and of x. */
static MT_CLONES MT_T MT_F(conv_dot)(mt_index rows, mt_index n, const MT_T *g, const MT_T *x, mt_index stride, mt_index step)
{
    typedef MT_F(conv_narrow) V;
    enum { LANES = sizeof(V) / sizeof(MT_T) };
    V acc[2] = {{0}, {0}};
    MT_T rest = 0;
    for (mt_index h = 0; h < rows; h++, g += n, x += stride) {
        mt_index j = 0;
        if (step == 1) {
            for (; j + 2 * LANES <= n; j += 2 * LANES) {
                acc[0] += *(const V *)(g + j) * *(const V *)(x + j);
                acc[1] += *(const V *)(g + j + LANES) * *(const V *)(x + j + LANES);
            }
            if (j + LANES <= n) acc[0] += *(const V *)(g + j) * *(const V *)(x + j), j += LANES;
        }
        for (; j < n; j++) rest += g[j] * x[j * step];
    }
    acc[0] += acc[1];
    for (int l = 0; l < LANES; l++) rest += acc[0][l];
    return rest;
}

/* The pool's task: groups begin to end of the gradient of weights, each over the whole batch. */
static void MT_F(conv_direct_sums)(void *job, mt_index begin, mt_index end)
{
    conv_pass *c = job;
    const conv_axis *height = &c->axis[1], *breadth = &c->axis[2];
    const mt_index depth = c->in_channels * c->taps;
    mt_index *place = conv_scratch(c);
    if (!place) return;
    MT_T *room = (MT_T *)conv_places(c, c->in_channels, place);
    for (mt_index group = begin; group < end; group++) {
        MT_T *w = (MT_T *)c->weight + group * c->out_channels * depth;
        memset(w, 0, c->out_channels * depth * sizeof(MT_T));
        for (mt_index image = 0; image < c->batch; image++) {
            mt_index unit = image * c->groups + group;
            MT_F(conv_surround)(c, (const MT_T *)c->x + unit * c->in_channels * c->in_plane, c->in_channels, room);
            for (mt_index channel = 0; channel < c->out_channels; channel++)
                for (mt_index d = 0; d < c->axis[0].count; d++) {
                    const MT_T *g = (const MT_T *)c->y + (unit * c->out_channels + channel) * c->out_plane
                                    + d * height->count * breadth->count;
                    for (mt_index k = 0; k < depth; k++)
                        w[channel * depth + k] += MT_F(conv_dot)(
                            height->count, breadth->count, g,
                            room + d * c->axis[0].in_step * c->reach[1] * c->reach[2] + place[k],
                            height->in_step * c->reach[2], breadth->in_step);
                }
        }
    }
    conv_scratch_done(c, place);
}

/* --- columns for their own sake ----------------------------------------------------------------------------------- */

/* The pool's task: planes begin to end.  Row t of a plane's columns is the input under tap t at each position; the other
 * way round (`back`), columns are added to the places that they came from. */
static MT_CLONES void MT_F(conv_columns)(void *job, mt_index begin, mt_index end)
{
    const conv_pass *c = job;
    const conv_axis *height = &c->axis[1], *breadth = &c->axis[2];
    const mt_index rows = height->count, columns = breadth->count, step = breadth->in_step;
    for (mt_index plane = begin; plane < end; plane++) {
        MT_T *x = (MT_T *)c->x + plane * c->in_plane, *cols = (MT_T *)c->y + plane * c->taps * rows * columns;
        if (c->back) memset(x, 0, c->in_plane * sizeof(MT_T));
        for (mt_index th = 0; th < height->taps; th++)
            for (mt_index tw = 0; tw < breadth->taps; tw++)
                for (mt_index q = 0; q < rows; q++, cols += columns) {
                    mt_index h = q * height->in_step + height->offset[th], w = breadth->offset[tw], low, high;
                    conv_inside(breadth, w, columns, &low, &high);
                    if (h < 0 || h >= height->in_size) low = high = 0;
                    MT_T *row = x + h * breadth->in_size + w;
                    if (c->back) for (mt_index j = low; j < high; j++) row[j * step] += cols[j];
                    else MT_F(conv_run)(cols, row, low, high, columns, step);
                }
    }
}

#undef CONV_EVEN
#undef MT_ALWAYS
#undef MT_F
#undef MT_T
