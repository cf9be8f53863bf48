// Attention, softmax(scale Q K^T + mask) V, whose matrix of scores is never in memory as a whole.
//
// A block has a tile of rows to answer for and walks along the other side, a tile of columns at a time.  What it knows
// of a tile is a small matrix of weights in shared memory, and what it adds up is  weights X:
//
//   kernel                                rows      columns   weights                     X     result
//   attention                             queries   keys      exp(s - m)                  V     O, divided at the end
//   attention_gradient, of queries        queries   keys      dS = scale P (dP - delta)   K     dQ
//   attention_gradient, of keys           keys      queries   dS^T                        Q     dK
//   attention_gradient, of values         keys      queries   P^T                         dO    dV
//
// The forward does not know the largest score m of a row before its end.  It takes the largest so far, and when a tile
// brings a larger one, what was added up is multiplied by exp(m_before - m): an online softmax (Milakov and Gimelshein,
// arXiv:1805.02867).  It leaves log sum exp of each row, from which the backward has P of any tile at once,
// P = exp(s - lse), and needs only the sums  delta = sum_j dO_j O_j  besides (Dao and others, FlashAttention,
// arXiv:2205.14135).  Each result has one block that writes it, so there are no atomic additions.
//
// Rows wider than SLICE are answered for by several blocks, each of which computes the scores.  Loops are unrolled by as
// much as leaves registers for the sums; without the 1 in the launch bounds the compiler would rather spill some.

#define DEPTH 16                    // numbers of a row that are in shared memory at a time

// 16 x 16 threads have a tile of scores, each SIDE x SIDE of them.
template <typename T> struct Tile { enum { SIDE = sizeof(T) == 8 ? 2 : 4, SIZE = 16 * SIDE, ROW = SIZE + 4 }; };

struct Heads { int64_t batch, head, row; };             // steps from one to the next, in elements; columns are adjacent

struct Attention {
    double scale;
    Heads q, k, v, g, result;
    int64_t mask[4];                                    // steps of batch, head, query, key
    uint32_t heads, groups;                             // `groups` heads of queries share a head of keys and values
    uint32_t queries, keys, width, value_width;
    int32_t causal, mask_is_bool;
};

template <typename S> __device__ inline S *matrix(S *x, const Heads &steps, uint32_t batch, uint32_t head) {
    return x + batch * steps.batch + head * steps.head;
}

template <typename T> __device__ inline T larger(T a, T b) { return a > b || a != a ? a : b; }     // NaN is largest

// sums[i][j] = sum_d a[row0 + i][d] b[column0 + j][d],  of this thread's rows and columns of the tile.
template <typename S, typename T> __device__ inline void products(
    T (*sums)[Tile<T>::SIDE], const S *a, int64_t a_row, uint32_t row0, uint32_t rows,
    const S *b, int64_t b_row, uint32_t column0, uint32_t columns, uint32_t width,
    T (*as)[Tile<T>::ROW], T (*bs)[Tile<T>::ROW]) {
    const int SIDE = Tile<T>::SIDE, SIZE = Tile<T>::SIZE, thread = threadIdx.x;
#pragma unroll
    for (int i = 0; i < SIDE; i++)
#pragma unroll
        for (int j = 0; j < SIDE; j++) sums[i][j] = 0;
    for (uint32_t d0 = 0; d0 < width; d0 += DEPTH) {
#pragma unroll 2
        for (int i = 0; i < SIZE * DEPTH / 256; i++) {
            const int at = thread + 256 * i, r = at / DEPTH, d = at % DEPTH;
            const bool inside = d0 + d < width;
            as[d][r] = inside && row0 + r < rows ? Number<S>::load(a[(row0 + r) * a_row + d0 + d]) : T(0);
            bs[d][r] = inside && column0 + r < columns ? Number<S>::load(b[(column0 + r) * b_row + d0 + d]) : T(0);
        }
        __syncthreads();
#pragma unroll 4
        for (int d = 0; d < DEPTH; d++) {
            T x[SIDE], y[SIDE];
#pragma unroll
            for (int i = 0; i < SIDE; i++) {
                x[i] = as[d][thread / 16 * SIDE + i];
                y[i] = bs[d][thread % 16 * SIDE + i];
            }
#pragma unroll
            for (int i = 0; i < SIDE; i++)
#pragma unroll
                for (int j = 0; j < SIDE; j++) sums[i][j] += x[i] * y[j];
        }
        __syncthreads();
    }
}

// sums[i][c] += sum_t weights[row i][t] x[first + t][column0 + column c],  a thread's columns being 16 apart.
template <typename S, typename T, int SLICE> __device__ inline void add_weighted(
    T (*sums)[SLICE / 16], const T (*weights)[Tile<T>::ROW], const S *x, int64_t x_row, uint32_t first, uint32_t count,
    uint32_t column0, uint32_t width, T (*xs)[SLICE]) {
    const int SIDE = Tile<T>::SIDE, thread = threadIdx.x;
    for (int t0 = 0; t0 < Tile<T>::SIZE; t0 += DEPTH) {
#pragma unroll 2
        for (int i = 0; i < DEPTH * SLICE / 256; i++) {
            const int at = thread + 256 * i, c = at % SLICE;
            const uint32_t t = first + t0 + at / SLICE;
            xs[at / SLICE][c] = t < count && column0 + c < width ? Number<S>::load(x[t * x_row + column0 + c]) : T(0);
        }
        __syncthreads();                                // the weights are written now, too
#pragma unroll 4
        for (int t = 0; t < DEPTH; t++)
#pragma unroll
            for (int i = 0; i < SIDE; i++) {
                const T weight = weights[thread / 16 * SIDE + i][t0 + t];
#pragma unroll
                for (int c = 0; c < SLICE / 16; c++) sums[i][c] += weight * xs[t][thread % 16 + 16 * c];
            }
        __syncthreads();
    }
}

// A product of a query and a key as a score; -infinity where the query does not see the key.
template <typename T> __device__ inline T score_of(
    T product, const void *mask, const Attention &a, uint32_t batch, uint32_t head, uint32_t query, uint32_t key) {
    if (query >= a.queries || key >= a.keys || (a.causal && key > query)) return -INFINITY;
    const T score = product * T(a.scale);
    if (!mask) return score;
    const int64_t at = batch * a.mask[0] + head * a.mask[1] + query * a.mask[2] + key * a.mask[3];
    if (a.mask_is_bool) return ((const uint8_t *)mask)[at] ? score : T(-INFINITY);
    return score + ((const T *)mask)[at];
}

// Which part of the result a block answers for.
struct Place {
    uint32_t batch, head, row0, column0;
    __device__ Place(uint32_t heads, uint32_t rows, uint32_t width, uint32_t size, uint32_t slice) {
        const uint32_t slices = (width + slice - 1) / slice, tiles = (rows + size - 1) / size;
        uint32_t unit = blockIdx.x;
        column0 = unit % slices * slice;
        unit /= slices;
        row0 = unit % tiles * size;
        unit /= tiles;
        head = unit % heads;
        batch = unit / heads;
    }
};

// Of 16 neighbouring threads, which have the columns of the same rows.
template <typename T> __device__ inline T sum_of_row(T v) {
#pragma unroll
    for (int step = 8; step > 0; step /= 2) v += __shfl_xor_sync(0xffffffffu, v, step);
    return v;
}
template <typename T> __device__ inline T largest_of_row(T v) {
#pragma unroll
    for (int step = 8; step > 0; step /= 2) v = larger(v, __shfl_xor_sync(0xffffffffu, v, step));
    return v;
}

template <typename S, typename T, int SLICE> __global__ void __launch_bounds__(256, 1) attention(
    S *out, T *lse, const S *q, const S *k, const S *v, const void *mask, Attention a) {
    const int SIDE = Tile<T>::SIDE, SIZE = Tile<T>::SIZE, thread = threadIdx.x;
    __shared__ T as[DEPTH][Tile<T>::ROW], bs[DEPTH][Tile<T>::ROW], weights[Tile<T>::SIZE][Tile<T>::ROW];
    __shared__ T xs[DEPTH][SLICE];
    const Place at(a.heads, a.queries, a.value_width, SIZE, SLICE);
    q = matrix(q, a.q, at.batch, at.head);
    k = matrix(k, a.k, at.batch, at.head / a.groups);
    v = matrix(v, a.v, at.batch, at.head / a.groups);
    T sums[SIDE][SLICE / 16] = {}, largest[SIDE], total[SIDE] = {};
#pragma unroll
    for (int i = 0; i < SIDE; i++) largest[i] = -INFINITY;
    const uint32_t seen = a.causal ? min(a.keys, at.row0 + SIZE) : a.keys;
    for (uint32_t key0 = 0; key0 < seen; key0 += SIZE) {
        T s[SIDE][SIDE];
        products(s, q, a.q.row, at.row0, a.queries, k, a.k.row, key0, a.keys, a.width, as, bs);
#pragma unroll
        for (int i = 0; i < SIDE; i++) {
            const int row = thread / 16 * SIDE + i;
            T m = largest[i], sum = 0;
#pragma unroll
            for (int j = 0; j < SIDE; j++) {
                s[i][j] = score_of(s[i][j], mask, a, at.batch, at.head, at.row0 + row, key0 + thread % 16 * SIDE + j);
                m = larger(m, s[i][j]);
            }
            m = largest_of_row(m);
            const T shift = m == -INFINITY ? T(0) : m;  // a row that has seen nothing so far
#pragma unroll
            for (int j = 0; j < SIDE; j++) {
                const T weight = exp(s[i][j] - shift);
                weights[row][thread % 16 * SIDE + j] = weight;
                sum += weight;
            }
            const T less = exp(largest[i] - shift);
            total[i] = total[i] * less + sum_of_row(sum);
            largest[i] = m;
#pragma unroll
            for (int c = 0; c < SLICE / 16; c++) sums[i][c] *= less;
        }
        add_weighted<S, T, SLICE>(sums, weights, v, a.v.row, key0, a.keys, at.column0, a.value_width, xs);
    }
    out = matrix(out, a.result, at.batch, at.head);
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
        const uint32_t row = at.row0 + thread / 16 * SIDE + i;
        if (row >= a.queries) continue;
        const bool nothing = total[i] == 0;             // a query that sees nothing attends to nothing
#pragma unroll
        for (int c = 0; c < SLICE / 16; c++) {
            const uint32_t column = at.column0 + thread % 16 + 16 * c;
            if (column < a.value_width)
                out[row * a.result.row + column] = Number<S>::store(nothing ? T(0) : sums[i][c] / total[i]);
        }
        if (at.column0 == 0 && thread % 16 == 0)
            lse[(uint64_t)(at.batch * a.heads + at.head) * a.queries + row] = largest[i] + log(total[i]);
    }
}

// OF_KEYS: rows are keys; OF_VALUES: the weights are P, not dS.
template <typename S, typename T, int SLICE, bool OF_KEYS, bool OF_VALUES>
__global__ void __launch_bounds__(256, 1) attention_gradient(
    S *result, const T *lse, const T *delta, const S *q, const S *k, const S *v, const S *g, const void *mask,
    Attention a) {
    const int SIDE = Tile<T>::SIDE, SIZE = Tile<T>::SIZE, thread = threadIdx.x;
    __shared__ T as[DEPTH][Tile<T>::ROW], bs[DEPTH][Tile<T>::ROW], weights[Tile<T>::SIZE][Tile<T>::ROW];
    __shared__ T xs[DEPTH][SLICE];
    const uint32_t heads = OF_KEYS ? a.heads / a.groups : a.heads, sharing = OF_KEYS ? a.groups : 1;
    const uint32_t rows = OF_KEYS ? a.keys : a.queries, width = OF_VALUES ? a.value_width : a.width;
    const Place at(heads, rows, width, SIZE, SLICE);
    T sums[SIDE][SLICE / 16] = {};
    for (uint32_t member = 0; member < sharing; member++) {
        const uint32_t head = at.head * sharing + member;
        const S *qs = matrix(q, a.q, at.batch, head), *gs = matrix(g, a.g, at.batch, head);
        const S *ks = matrix(k, a.k, at.batch, head / a.groups), *vs = matrix(v, a.v, at.batch, head / a.groups);
        const uint64_t first_query = (uint64_t)(at.batch * a.heads + head) * a.queries;
        // causal queries see no key after their own
        const uint32_t begin = OF_KEYS && a.causal ? at.row0 : 0;
        const uint32_t end = OF_KEYS ? a.queries : a.causal ? min(a.keys, at.row0 + SIZE) : a.keys;
        for (uint32_t column0 = begin; column0 < end; column0 += SIZE) {
            T s[SIDE][SIDE], dp[SIDE][SIDE];
            if (OF_KEYS) products(s, ks, a.k.row, at.row0, a.keys, qs, a.q.row, column0, a.queries, a.width, as, bs);
            else products(s, qs, a.q.row, at.row0, a.queries, ks, a.k.row, column0, a.keys, a.width, as, bs);
            if (OF_KEYS && !OF_VALUES)
                products(dp, vs, a.v.row, at.row0, a.keys, gs, a.g.row, column0, a.queries, a.value_width, as, bs);
            if (!OF_KEYS)
                products(dp, gs, a.g.row, at.row0, a.queries, vs, a.v.row, column0, a.keys, a.value_width, as, bs);
#pragma unroll
            for (int i = 0; i < SIDE; i++)
#pragma unroll
                for (int j = 0; j < SIDE; j++) {
                    const int row = thread / 16 * SIDE + i, column = thread % 16 * SIDE + j;
                    const uint32_t query = OF_KEYS ? column0 + column : at.row0 + row;
                    const uint32_t key = OF_KEYS ? at.row0 + row : column0 + column;
                    const T score = score_of(s[i][j], mask, a, at.batch, head, query, key);
                    T weight = 0;
                    if (score != -INFINITY) {
                        weight = exp(score - lse[first_query + query]);
                        if (!OF_VALUES) weight *= (dp[i][j] - delta[first_query + query]) * T(a.scale);
                    }
                    weights[row][column] = weight;
                }
            if (OF_VALUES)
                add_weighted<S, T, SLICE>(sums, weights, gs, a.g.row, column0, a.queries, at.column0, width, xs);
            else if (OF_KEYS)
                add_weighted<S, T, SLICE>(sums, weights, qs, a.q.row, column0, a.queries, at.column0, width, xs);
            else add_weighted<S, T, SLICE>(sums, weights, ks, a.k.row, column0, a.keys, at.column0, width, xs);
        }
    }
    result = matrix(result, a.result, at.batch, at.head);
#pragma unroll
    for (int i = 0; i < SIDE; i++) {
        const uint32_t row = at.row0 + thread / 16 * SIDE + i;
        if (row >= rows) continue;
#pragma unroll
        for (int c = 0; c < SLICE / 16; c++) {
            const uint32_t column = at.column0 + thread % 16 + 16 * c;
            if (column < width) result[row * a.result.row + column] = Number<S>::store(sums[i][c]);
        }
    }
}
