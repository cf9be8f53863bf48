// Pooling over windows of up to three dimensions, which are listed along each axis: where each begins and ends in the
// input, and how many values it counts.

struct Pool {
    double divisor;                         // of means, instead of the sizes' product, unless 0
    int32_t planes, per_plane;              // per_plane: every plane has lists of its own
    int32_t in[3], out[3], step[3];
};

struct Window {
    int64_t begin, end, count;
};

// The windows of an output on the three axes.
struct Box {
    Window at[3];
    __device__ Box(const Pool &p, const Window *lists, int plane, int o) {
        int place[3];
        place[2] = o % p.out[2], o /= p.out[2];
        place[1] = o % p.out[1], place[0] = o / p.out[1];
#pragma unroll
        for (int d = 0; d < 3; d++) {
            at[d] = lists[(p.per_plane ? plane * p.out[d] : 0) + place[d]];
            lists += p.out[d] * (p.per_plane ? p.planes : 1);
        }
    }
    __device__ double size(const Pool &p) const {
        return p.divisor != 0 ? p.divisor : (double)(at[0].count * at[1].count * at[2].count);
    }
};

// Each place i of a plane that a box has in it.
#define IN_BOX(i, box, p)                                                                                            \
    for (int64_t i0 = box.at[0].begin; i0 < box.at[0].end; i0 += p.step[0])                                          \
        for (int64_t i1 = box.at[1].begin; i1 < box.at[1].end; i1 += p.step[1])                                      \
            for (int64_t i2 = box.at[2].begin, i; i = (i0 * p.in[1] + i1) * p.in[2] + i2, i2 < box.at[2].end;        \
                 i2 += p.step[2])

__device__ inline int outputs(const Pool &p) { return p.out[0] * p.out[1] * p.out[2]; }
__device__ inline int inputs(const Pool &p) { return p.in[0] * p.in[1] * p.in[2]; }

// The greatest, and where it is if `index` is given: the first of equal ones; once not a number, the last that is none.
template <typename S> __global__ void pool_max(
    S *y, int64_t *index, const S *x, const Window *lists, uint32_t total, Pool p) {
    EACH(q, total) {
        const int plane = q / outputs(p);
        const Box box(p, lists, plane, q % outputs(p));
        const S *in = x + (int64_t)plane * inputs(p);
        int64_t place = -1;
        S best = 0;
        IN_BOX(i, box, p) {
            const S v = in[i];
            if (place < 0 || v > best || v != v) best = v, place = i;
        }
        y[q] = best;
        if (index) index[q] = place;
    }
}

template <typename S> __global__ void pool_mean(S *y, const S *x, const Window *lists, uint32_t total, Pool p) {
    EACH(q, total) {
        const int plane = q / outputs(p);
        const Box box(p, lists, plane, q % outputs(p));
        const S *in = x + (int64_t)plane * inputs(p);
        double sum = 0;
        IN_BOX(i, box, p) sum += in[i];
        y[q] = (S)(sum / box.size(p));
    }
}

// Its transpose: each output gives all inputs of its window an equal share.
template <typename S> __global__ void pool_spread(S *x, const S *y, const Window *lists, uint32_t total, Pool p) {
    EACH(q, total) {
        const int plane = q / outputs(p);
        const Box box(p, lists, plane, q % outputs(p));
        S *in = x + (int64_t)plane * inputs(p);
        const S share = (S)(y[q] / box.size(p));
        IN_BOX(i, box, p) add_at(&in[i], share);
    }
}
