/* Pooling for one element type; pooling.h includes it once for each, with MT_T the type and MT_F(name) its names.
 * POOL_BEATS(a, b) is whether a maximum b makes way for a: a NaN always does. */

/* The greatest of each window of a plane, and where it is (unless `index` is NULL): the first of equals, the last NaN. */
static MT_CLONES void MT_F(pool_max_plane)(const pool_job *j, const mt_index *const *begin, const mt_index *const *end,
                                           const MT_T *x, MT_T *y, int64_t *index)
{
    const mt_index height = j->in[1], width = j->in[2], dd = j->step[0], dh = j->step[1], dw = j->step[2];
    for (mt_index a = 0; a < j->out[0]; a++)
        for (mt_index b = 0; b < j->out[1]; b++)
            for (mt_index c = 0; c < j->out[2]; c++) {
                mt_index at = (begin[0][a] * height + begin[1][b]) * width + begin[2][c];
                MT_T best = x[at];
                for (mt_index d = begin[0][a]; d < end[0][a]; d += dd)
                    for (mt_index h = begin[1][b]; h < end[1][b]; h += dh)
                        for (mt_index w = begin[2][c], p = (d * height + h) * width; w < end[2][c]; w += dw)
                            if (POOL_BEATS(x[p + w], best)) best = x[at = p + w];
                *y++ = best;
                if (index) *index++ = at;
            }
}

/* The usual windows: 2 by 2, side by side. */
static MT_CLONES void MT_F(pool_max_halves)(mt_index width, mt_index rows, mt_index columns, const MT_T *x, MT_T *y,
                                            int64_t *index)
{
    for (mt_index b = 0; b < rows; b++, x += 2 * width, y += columns) {
        const MT_T *restrict upper = x, *restrict lower = x + width;
        MT_T *restrict out = y;
        if (!index) {
            for (mt_index c = 0; c < columns; c++) {
                MT_T best = upper[2 * c];
                best = POOL_BEATS(upper[2 * c + 1], best) ? upper[2 * c + 1] : best;
                best = POOL_BEATS(lower[2 * c], best) ? lower[2 * c] : best;
                out[c] = POOL_BEATS(lower[2 * c + 1], best) ? lower[2 * c + 1] : best;
            }
            continue;
        }
        int64_t *restrict where = index + b * columns;
        for (mt_index c = 0; c < columns; c++) {
            MT_T best = upper[2 * c], next = upper[2 * c + 1];
            pool_place at = 0;
            at = POOL_BEATS(next, best) ? 1 : at, best = POOL_BEATS(next, best) ? next : best;
            next = lower[2 * c];
            at = POOL_BEATS(next, best) ? (pool_place)width : at, best = POOL_BEATS(next, best) ? next : best;
            next = lower[2 * c + 1];
            at = POOL_BEATS(next, best) ? (pool_place)width + 1 : at, best = POOL_BEATS(next, best) ? next : best;
            out[c] = best;
            where[c] = 2 * b * width + 2 * c + at;
        }
    }
}

/* The pool's task: planes begin to end. */
static void MT_F(pool_max)(void *job, mt_index first, mt_index last)
{
    const pool_job *j = job;
    const mt_index in_plane = j->in[0] * j->in[1] * j->in[2], out_plane = j->out[0] * j->out[1] * j->out[2];
    for (mt_index plane = first; plane < last; plane++) {
        const mt_index *begin[3], *end[3];
        for (int d = 0; d < 3; d++) {
            begin[d] = j->begin[d] + (j->per_plane ? plane * j->out[d] : 0);
            end[d] = j->end[d] + (j->per_plane ? plane * j->out[d] : 0);
        }
        const MT_T *x = (const MT_T *)j->x + plane * in_plane;
        MT_T *y = (MT_T *)j->y + plane * out_plane;
        int64_t *index = j->index ? j->index + plane * out_plane : NULL;
        if (j->halves) MT_F(pool_max_halves)(j->in[2], j->out[1], j->out[2], x, y, index);
        else MT_F(pool_max_plane)(j, begin, end, x, y, index);
    }
}

/* What stands at the places: y[q] = x[index[q]]. */
static void MT_F(pool_take)(void *job, mt_index first, mt_index last)
{
    const pool_job *j = job;
    const mt_index in_plane = j->in[0] * j->in[1] * j->in[2], out_plane = j->out[0] * j->out[1] * j->out[2];
    for (mt_index plane = first; plane < last; plane++) {
        const MT_T *x = (const MT_T *)j->x + plane * in_plane;
        MT_T *y = (MT_T *)j->y + plane * out_plane;
        const int64_t *index = j->index + plane * out_plane;
        for (mt_index q = 0; q < out_plane; q++) y[q] = x[index[q]];
    }
}

/* The other way round, x[index[q]] += y[q]; or = y[q], where windows cannot share a place. */
static void MT_F(pool_put)(void *job, mt_index first, mt_index last)
{
    const pool_job *j = job;
    const mt_index in_plane = j->in[0] * j->in[1] * j->in[2], out_plane = j->out[0] * j->out[1] * j->out[2];
    for (mt_index plane = first; plane < last; plane++) {
        MT_T *x = (MT_T *)j->x + plane * in_plane;
        const MT_T *y = (const MT_T *)j->y + plane * out_plane;
        const int64_t *index = j->index + plane * out_plane;
        memset(x, 0, in_plane * sizeof(MT_T));
        if (j->assign) for (mt_index q = 0; q < out_plane; q++) x[index[q]] = y[q];
        else for (mt_index q = 0; q < out_plane; q++) x[index[q]] += y[q];
    }
}

/* Means of windows: first the rows of a window are added, then neighbours in that sum. */
static MT_CLONES void MT_F(pool_mean_plane)(const pool_job *j, const MT_T *x, MT_T *y, MT_T *row)
{
    const mt_index width = j->in[2], columns = j->out[2], *left = j->begin[2], *right = j->end[2];
    for (mt_index a = 0; a < j->out[0]; a++)
        for (mt_index b = 0; b < j->out[1]; b++, y += columns) {
            mt_index rows = 0;
            double size = (double)j->size[0][a] * (double)j->size[1][b];
            for (mt_index d = j->begin[0][a]; d < j->end[0][a]; d++)
                for (mt_index h = j->begin[1][b]; h < j->end[1][b]; h++, rows++) {
                    const MT_T *restrict from = x + (d * j->in[1] + h) * width;
                    if (rows == 0) for (mt_index w = 0; w < width; w++) row[w] = from[w];
                    else for (mt_index w = 0; w < width; w++) row[w] += from[w];
                }
            if (rows == 0) for (mt_index w = 0; w < width; w++) row[w] = 0;
            if (j->halves) {
                const MT_T divisor = (MT_T)(j->divisor ? j->divisor : 2 * size);
                MT_IVDEP
                for (mt_index c = 0; c < columns; c++) y[c] = (row[2 * c] + row[2 * c + 1]) / divisor;
                continue;
            }
            for (mt_index c = 0; c < columns; c++) {
                MT_T total = 0;
                for (mt_index w = left[c]; w < right[c]; w++) total += row[w];
                y[c] = (MT_T)(total / (MT_T)(j->divisor ? j->divisor : size * (double)j->size[2][c]));
            }
        }
}

static void MT_F(pool_mean)(void *job, mt_index first, mt_index last)
{
    const pool_job *j = job;
    const mt_index in_plane = j->in[0] * j->in[1] * j->in[2], out_plane = j->out[0] * j->out[1] * j->out[2];
    MT_T here[POOL_ROW], *row = j->in[2] <= POOL_ROW ? here : malloc(j->in[2] * sizeof(MT_T));
    if (!row) { __atomic_store_n(&((pool_job *)job)->failed, 1, __ATOMIC_RELAXED); return; }
    for (mt_index plane = first; plane < last; plane++)
        MT_F(pool_mean_plane)(j, (const MT_T *)j->x + plane * in_plane, (MT_T *)j->y + plane * out_plane, row);
    if (row != here) free(row);
}

/* Their transpose: each x gets y / size of the windows that it is in. */
static MT_CLONES void MT_F(pool_spread_plane)(const pool_job *j, MT_T *x, const MT_T *y, MT_T *row)
{
    const mt_index width = j->in[2], columns = j->out[2], *left = j->begin[2], *right = j->end[2];
    for (mt_index a = 0; a < j->out[0]; a++)
        for (mt_index b = 0; b < j->out[1]; b++, y += columns) {
            double size = (double)j->size[0][a] * (double)j->size[1][b];
            for (mt_index w = 0; w < width; w++) row[w] = 0;
            if (j->halves) {
                const MT_T divisor = (MT_T)(j->divisor ? j->divisor : 2 * size);
                MT_IVDEP
                for (mt_index c = 0; c < columns; c++) row[2 * c] = row[2 * c + 1] = y[c] / divisor;
            } else
                for (mt_index c = 0; c < columns; c++) {
                    MT_T part = (MT_T)(y[c] / (MT_T)(j->divisor ? j->divisor : size * (double)j->size[2][c]));
                    for (mt_index w = left[c]; w < right[c]; w++) row[w] += part;
                }
            for (mt_index d = j->begin[0][a]; d < j->end[0][a]; d++)
                for (mt_index h = j->begin[1][b]; h < j->end[1][b]; h++) {
                    MT_T *restrict to = x + (d * j->in[1] + h) * width;
                    if (j->assign) for (mt_index w = 0; w < width; w++) to[w] = row[w];
                    else for (mt_index w = 0; w < width; w++) to[w] += row[w];
                }
        }
}

static void MT_F(pool_spread)(void *job, mt_index first, mt_index last)
{
    const pool_job *j = job;
    const mt_index in_plane = j->in[0] * j->in[1] * j->in[2], out_plane = j->out[0] * j->out[1] * j->out[2];
    MT_T here[POOL_ROW], *row = j->in[2] <= POOL_ROW ? here : malloc(j->in[2] * sizeof(MT_T));
    if (!row) { __atomic_store_n(&((pool_job *)job)->failed, 1, __ATOMIC_RELAXED); return; }
    for (mt_index plane = first; plane < last; plane++) {
        MT_T *x = (MT_T *)j->x + plane * in_plane;
        if (!j->assign) memset(x, 0, in_plane * sizeof(MT_T));
        MT_F(pool_spread_plane)(j, x, (const MT_T *)j->y + plane * out_plane, row);
    }
    if (row != here) free(row);
}

#undef POOL_BEATS
#undef MT_F
#undef MT_T
