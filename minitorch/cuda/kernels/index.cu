// Blocks of memory at places:  arrays of (outer, rows, block), of which `n` places name rows.

// place = place size + index, an index below zero being counted from the end; the number of the first index that is out
// of bounds goes to `bad`.
extern "C" __global__ void add_places(int64_t *place, const int64_t *index, uint32_t n, int64_t size, uint32_t *bad) {
    EACH(i, n) {
        const int64_t v = index[i] < 0 ? index[i] + size : index[i];
        if (v < 0 || v >= size) atomicMin(bad, i);
        place[i] = place[i] * size + v;
    }
}

// For each element of an index the place in a contiguous array that it names along one dimension: `walk` goes through the
// other dimensions of the array, `size` and `stride` are that one's.
extern "C" __global__ void gather_places(
    int64_t *place, const int64_t *index, Walk walk, int64_t size, int64_t stride, uint32_t *bad) {
    EACH(i, walk.numel) {
        int64_t others[1];
        walk_to<1>(walk, i, others);
        if (index[i] < 0 || index[i] >= size) atomicMin(bad, i);
        place[i] = others[0] + index[i] * stride;
    }
}

// Which element of the array is element i of (outer, n, block).
__device__ inline uint64_t element(uint32_t i, const int64_t *place, uint32_t n, uint32_t rows, uint32_t block) {
    const uint32_t k = i / block;
    return ((uint64_t)(k / n) * rows + place[k % n]) * block + i % block;
}

template <typename S> __global__ void take_blocks(
    S *out, const S *x, const int64_t *place, uint32_t total, uint32_t n, uint32_t rows, uint32_t block) {
    EACH(i, total) out[i] = x[element(i, place, n, rows, block)];
}

// Of the places that name a row the last has it: its number, counted from one, goes to `owner`.
extern "C" __global__ void claim_rows(uint32_t *owner, const int64_t *place, uint32_t n) {
    EACH(k, n) atomicMax(&owner[place[k]], k + 1);
}

template <typename S> __global__ void put_blocks(S *x, const S *blocks, const int64_t *place, const uint32_t *owner,
                                                 uint32_t total, uint32_t n, uint32_t rows, uint32_t block) {
    EACH(i, total) {
        const uint32_t k = i / block % n;
        if (owner[place[k]] == k + 1) x[element(i, place, n, rows, block)] = blocks[i];
    }
}

template <typename S> __global__ void add_blocks(
    S *x, const S *blocks, const int64_t *place, uint32_t total, uint32_t n, uint32_t rows, uint32_t block) {
    EACH(i, total) add_at(&x[element(i, place, n, rows, block)], blocks[i]);
}

// What values come to that are put to one place: their sum, their product, the largest or the smallest, and not a number
// once one of them is none.
template <typename T> struct Added { static __device__ T of(T a, T b) { return a + b; } };
template <typename T> struct Multiplied { static __device__ T of(T a, T b) { return a * b; } };
template <typename T, bool LARGER> struct Extreme {
    static __device__ T of(T a, T b) { return (LARGER ? a : b) < (LARGER ? b : a) || b != b ? b : a; }
};
template <typename T> struct Larger : Extreme<T, true> {};
template <typename T> struct Smaller : Extreme<T, false> {};

// Combine values of 64 bits with what lies at their places: exchanged until nobody came between.
template <typename T, typename COMBINED>
__global__ void combine_at(T *x, const T *value, const int64_t *place, uint32_t n) {
    EACH(i, n) {
        uint64_t *word = (uint64_t *)&x[place[i]];
        uint64_t seen = atomicCAS(word, 0, 0), expected;
        do {
            expected = seen;
            T old;
            memcpy(&old, &expected, sizeof(T));
            const T now = COMBINED::of(old, value[i]);
            uint64_t bits;
            memcpy(&bits, &now, sizeof(T));
            seen = atomicCAS(word, expected, bits);
        } while (seen != expected);
    }
}

// The places of what is true; `so_far` counts it.
extern "C" __global__ void true_places(int64_t *place, const bool *mask, const int64_t *so_far, uint32_t n) {
    EACH(i, n) if (mask[i]) place[so_far[i] - 1] = i;
}

// One triangle of matrices, and zeros; out may be x.
template <typename S> __global__ void triangle(
    S *out, const S *x, uint32_t total, uint32_t rows, uint32_t columns, int64_t diagonal, int upper) {
    EACH(i, total) {
        const int64_t above = (int64_t)(i % columns) - i / columns % rows;   // how far above the diagonal
        out[i] = (upper ? above >= diagonal : above <= diagonal) ? x[i] : S(0);
    }
}
