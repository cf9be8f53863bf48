/* Normalisation for one element type; norm.h includes it once for each, with MT_T the type and MT_F(name) its names. */

#define MT_ALWAYS static inline __attribute__((always_inline))
enum { MT_F(NORM_LANES) = 256 / sizeof(MT_T), MT_F(NORM_BLOCK) = 16 * MT_F(NORM_LANES) };

/* total = the sum of TERM over i < n: in lanes for a block, in double over the blocks */
#define NORM_SUM(total, TERM) do {                                                                                   \
    for (mt_index at = 0; at < n; at += MT_F(NORM_BLOCK)) {                                                          \
        mt_index end = n - at < MT_F(NORM_BLOCK) ? n : at + MT_F(NORM_BLOCK), i = at;                                \
        MT_T lane[MT_F(NORM_LANES)] = {0};                                                                           \
        double rest = 0;                                                                                             \
        for (; i + MT_F(NORM_LANES) <= end; i += MT_F(NORM_LANES))                                                   \
            for (int k = 0; k < MT_F(NORM_LANES); k++) lane[k] += TERM(i + k);                                       \
        for (; i < end; i++) rest += TERM(i);                                                                        \
        for (int w = MT_F(NORM_LANES) / 2; w > 0; w /= 2) for (int k = 0; k < w; k++) lane[k] += lane[k + w];        \
        total += rest + lane[0];                                                                                     \
    }                                                                                                                \
} while (0)

static MT_CLONES double MT_F(norm_total)(mt_index n, const MT_T *x)
{
    double total = 0;
#define TERM(i) x[i]
    NORM_SUM(total, TERM);
#undef TERM
    return total;
}

static MT_CLONES double MT_F(norm_squares)(mt_index n, const MT_T *x, MT_T mean)
{
    double total = 0;
#define TERM(i) ((x[i] - mean) * (x[i] - mean))
    NORM_SUM(total, TERM);
#undef TERM
    return total;
}

static MT_CLONES void MT_F(norm_scale)(mt_index n, const MT_T *restrict x, MT_T *restrict y, MT_T mean, MT_T scale,
                                       MT_T shift)
{
    for (mt_index i = 0; i < n; i++) y[i] = (x[i] - mean) * scale + shift;
}

static MT_CLONES void MT_F(norm_scale_each)(mt_index n, const MT_T *restrict x, MT_T *restrict y, MT_T mean, MT_T scale,
                                            const MT_T *restrict w, const MT_T *restrict b)
{
    if (w && b) for (mt_index i = 0; i < n; i++) y[i] = (x[i] - mean) * scale * w[i] + b[i];
    else if (w) for (mt_index i = 0; i < n; i++) y[i] = (x[i] - mean) * scale * w[i];
    else if (b) for (mt_index i = 0; i < n; i++) y[i] = (x[i] - mean) * scale + b[i];
    else for (mt_index i = 0; i < n; i++) y[i] = (x[i] - mean) * scale;
}

/* The pool's task: sets begin to end, their moments (unless these are given) and their values. */
static void MT_F(norm_forward)(void *job, mt_index begin, mt_index end)
{
    const norm_job *j = job;
    const MT_T *w = j->weight, *b = j->bias;
    for (mt_index set = begin; set < end; set++) {
        double mean = 0, squares = 0, count = (double)j->segments * (double)j->length;
        if (!j->given) {
            for (mt_index s = 0; s < j->segments && j->centred; s++)
                mean += MT_F(norm_total)(j->length, (const MT_T *)j->x + norm_place(j, set, s)) / count;
            for (mt_index s = 0; s < j->segments; s++)
                squares += MT_F(norm_squares)(j->length, (const MT_T *)j->x + norm_place(j, set, s), (MT_T)mean);
            j->mean[set] = mean, j->var[set] = squares / count;
        }
        MT_T middle = (MT_T)j->mean[set], scale = (MT_T)(1 / sqrt(j->var[set] + j->eps));
        for (mt_index s = 0; s < j->segments; s++) {
            mt_index at = norm_place(j, set, s), channel = norm_channel(j, set, s);
            const MT_T *x = (const MT_T *)j->x + at;
            MT_T *y = (MT_T *)j->y + at;
            if (j->each) MT_F(norm_scale_each)(j->length, x, y, middle, scale, w, b);
            else MT_F(norm_scale)(j->length, x, y, middle, w ? scale * w[channel] : scale, b ? b[channel] : 0);
        }
    }
}

/* The sums of g and of g (x - mean). */
static MT_CLONES void MT_F(norm_sums)(mt_index n, const MT_T *x, const MT_T *g, MT_T mean, double *plain, double *product)
{
    double first = 0, second = 0;
    for (mt_index at = 0; at < n; at += MT_F(NORM_BLOCK)) {
        mt_index end = n - at < MT_F(NORM_BLOCK) ? n : at + MT_F(NORM_BLOCK), i = at;
        enum { LANES = MT_F(NORM_LANES) / 2 };
        MT_T a[LANES] = {0}, b[LANES] = {0};
        for (; i + LANES <= end; i += LANES)
            for (int k = 0; k < LANES; k++) a[k] += g[i + k], b[k] += g[i + k] * (x[i + k] - mean);
        for (; i < end; i++) first += g[i], second += (double)g[i] * (x[i] - mean);
        for (int w = LANES / 2; w > 0; w /= 2) for (int k = 0; k < w; k++) a[k] += a[k + w], b[k] += b[k + w];
        first += a[0], second += b[0];
    }
    *plain = first, *product = second;
}

static MT_CLONES void MT_F(norm_combine)(mt_index n, const MT_T *restrict x, const MT_T *restrict g, MT_T *restrict dx,
                                         MT_T mean, MT_T of_g, MT_T of_x, MT_T shift)
{
    for (mt_index i = 0; i < n; i++) dx[i] = g[i] * of_g - ((x[i] - mean) * of_x + shift);
}

/* The pool's task: sets begin to end, with one weight for a segment.
 * dx = r w (g - mean(g w) / w - (x - m) r² mean(g w (x - m)) / w), and the sums that dw and db are made of. */
static void MT_F(norm_backward)(void *job, mt_index begin, mt_index end)
{
    const norm_job *j = job;
    const MT_T *w = j->weight;
    for (mt_index set = begin; set < end; set++) {
        double r = 1 / sqrt(j->var[set] + j->eps), count = (double)j->segments * (double)j->length, plain = 0, product = 0;
        MT_T mean = (MT_T)j->mean[set];
        for (mt_index s = 0; s < j->segments; s++) {
            double sums[2], weight = w ? w[norm_channel(j, set, s)] : 1;
            MT_F(norm_sums)(j->length, (const MT_T *)j->x + norm_place(j, set, s),
                            (const MT_T *)j->g + (j->constant ? 0 : norm_place(j, set, s)), mean, &sums[0], &sums[1]);
            j->sums[2 * (set * j->segments + s)] = sums[0];
            j->sums[2 * (set * j->segments + s) + 1] = sums[1] * r;
            plain += sums[0] * weight, product += sums[1] * weight;
        }
        plain = j->given || !j->centred ? 0 : r * plain / count;
        product = j->given ? 0 : r * r * r * product / count;
        for (mt_index s = 0; s < j->segments && j->y; s++) {
            mt_index at = norm_place(j, set, s);
            MT_F(norm_combine)(j->length, (const MT_T *)j->x + at, (const MT_T *)j->g + (j->constant ? 0 : at),
                               (MT_T *)j->y + at, mean, (MT_T)(w ? w[norm_channel(j, set, s)] * r : r),
                               (MT_T)product, (MT_T)plain);
        }
    }
}

/* One row with a weight for each element; its part of dw and db is added. */
static MT_CLONES void MT_F(norm_row_backward)(mt_index n, const MT_T *restrict x, const MT_T *restrict g,
                                              const MT_T *restrict w, MT_T *restrict dx, MT_T *restrict dw,
                                              MT_T *restrict db, MT_T mean, MT_T r, int centred)
{
    enum { LANES = 64 / sizeof(MT_T) * 2 };
    MT_T a[LANES] = {0}, b[LANES] = {0}, plain = 0, product = 0;
    mt_index i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            MT_T hat = (x[i + k] - mean) * r, gw = w ? g[i + k] * w[i + k] : g[i + k];
            a[k] += gw, b[k] += gw * hat;
            dw[i + k] += g[i + k] * hat, db[i + k] += g[i + k];
        }
    for (; i < n; i++) {
        MT_T hat = (x[i] - mean) * r, gw = w ? g[i] * w[i] : g[i];
        plain += gw, product += gw * hat;
        dw[i] += g[i] * hat, db[i] += g[i];
    }
    for (int h = LANES / 2; h > 0; h /= 2) for (int k = 0; k < h; k++) a[k] += a[k + h], b[k] += b[k + h];
    plain = centred ? (plain + a[0]) / (MT_T)n : 0, product = (product + b[0]) / (MT_T)n;
    if (w) for (i = 0; i < n; i++) dx[i] = r * (g[i] * w[i] - plain - (x[i] - mean) * r * product);
    else for (i = 0; i < n; i++) dx[i] = r * (g[i] - plain - (x[i] - mean) * r * product);
}

/* The pool's task: chunks of rows begin to end, each with sums of its own: their number must not depend on the threads'. */
static void MT_F(norm_rows_backward)(void *job, mt_index begin, mt_index end)
{
    const norm_job *j = job;
    for (mt_index chunk = begin; chunk < end; chunk++) {
        MT_T *dw = (MT_T *)j->parts + 2 * chunk * j->length, *db = dw + j->length;
        memset(dw, 0, 2 * j->length * sizeof(MT_T));
        for (mt_index set = chunk * j->sets / j->chunks; set < (chunk + 1) * j->sets / j->chunks; set++) {
            mt_index at = set * j->length;
            MT_F(norm_row_backward)(j->length, (const MT_T *)j->x + at, (const MT_T *)j->g + (j->constant ? 0 : at),
                                    j->weight, (MT_T *)j->y + at, dw, db, (MT_T)j->mean[set],
                                    (MT_T)(1 / sqrt(j->var[set] + j->eps)), j->centred);
        }
    }
}

/* dw and db (either may be NULL) from the sums of segments, or from those of chunks. */
static void MT_F(norm_weights)(const norm_job *j, MT_T *dw, MT_T *db, mt_index channels)
{
    if (j->each)
        for (mt_index i = 0; i < j->length; i++) {
            double first = 0, second = 0;
            for (mt_index chunk = 0; chunk < j->chunks; chunk++) {
                first += ((const MT_T *)j->parts)[2 * chunk * j->length + i];
                second += ((const MT_T *)j->parts)[(2 * chunk + 1) * j->length + i];
            }
            if (dw) dw[i] = (MT_T)first;
            if (db) db[i] = (MT_T)second;
        }
    else
        for (mt_index channel = 0; channel < channels; channel++) {
            double first = 0, second = 0;
            mt_index start = j->batch ? channel * j->segments : channel, step = j->batch ? 1 : channels;
            for (mt_index at = start; at < (j->batch ? start + j->segments : j->sets * j->segments); at += step)
                first += j->sums[2 * at + 1], second += j->sums[2 * at];
            if (dw) dw[channel] = (MT_T)first;
            if (db) db[channel] = (MT_T)second;
        }
}

#undef NORM_SUM
#undef MT_ALWAYS
#undef MT_F
#undef MT_T
