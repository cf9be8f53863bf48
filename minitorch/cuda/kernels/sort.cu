// Sorting and searching.  Rows are sorted by merging: runs of one element, of two, of four ... until one is left.  To
// merge two runs each element finds its own place: it comes after those before it in its run, whose number it knows, and
// after those of the other run that go before it, which a binary search counts.  No thread waits for another, and equal
// elements keep their order.  Runs that fit a block's shared memory are merged there; longer ones, from array to array.

#define TILE 1024

// Whether a goes before b; what is not a number is the largest.
template <typename T> __device__ inline bool before(T a, T b, int descending) {
    const T first = descending ? b : a, second = descending ? a : b;
    return first < second || (second != second && first == first);
}

// Where the element e of n goes when its run of `width` is merged with the one beside it.
template <typename T>
__device__ inline uint32_t merged_place(uint32_t e, uint32_t width, uint32_t n, const T *key, int descending) {
    const uint32_t start = e - e % (2 * width), middle = min(n, start + width);
    const uint32_t end = min(n, start + 2 * width);
    const bool left = e < middle;
    uint32_t low = left ? middle : start, high = left ? end : middle;
    while (low < high) {                   // those of the other run below `low` go before, those from `high` on do not
        const uint32_t half = (low + high) / 2;
        const bool first = left ? before(key[half], key[e], descending) : !before(key[e], key[half], descending);
        if (first) low = half + 1;
        else high = half;
    }
    return left ? e + (low - middle) : e - middle + low;
}

// Sort each tile of rows of n elements: `tiles` of them in a row, a block for each.
template <typename T>
__global__ void sort_tiles(T *key, int64_t *place, const T *x, uint32_t n, uint32_t tiles, int descending) {
    __shared__ T keys[2 * TILE];
    __shared__ uint32_t places[2 * TILE];
    const uint32_t begin = blockIdx.x % tiles * TILE, count = min(n - begin, TILE);
    const uint64_t at = (uint64_t)(blockIdx.x / tiles) * n + begin;
    for (uint32_t e = threadIdx.x; e < count; e += blockDim.x) {
        keys[e] = x[at + e];
        places[e] = begin + e;
    }
    __syncthreads();
    uint32_t from = 0, to = TILE;
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t e = threadIdx.x; e < count; e += blockDim.x) {
            const uint32_t there = to + merged_place(e, width, count, keys + from, descending);
            keys[there] = keys[from + e];
            places[there] = places[from + e];
        }
        __syncthreads();
        const uint32_t last = from;
        from = to;
        to = last;
    }
    for (uint32_t e = threadIdx.x; e < count; e += blockDim.x) {
        key[at + e] = keys[from + e];
        place[at + e] = places[from + e];
    }
}

// Merge the runs of `width` elements of each row, two and two.
template <typename T>
__global__ void merge_runs(T *key, int64_t *place, const T *from, const int64_t *from_place, uint32_t total, uint32_t n,
                           uint32_t width, int descending) {
    EACH(i, total) {
        const uint32_t row = i - i % n, to = row + merged_place(i % n, width, n, from + row, descending);
        key[to] = from[i];
        place[to] = from_place[i];
    }
}

// Where values belong in sorted lines of `length`: each `per_line` of them in a line.  `right`: behind equal elements.
// With `sorted_by` the lines are in order when they are read by it.
template <typename T>
__global__ void search(int64_t *out, const T *value, const T *line, const int64_t *sorted_by, uint32_t total,
                       uint32_t per_line, uint32_t length, int right, int by_index) {
    EACH(i, total) {
        const uint64_t at = (uint64_t)(i / per_line) * length;
        uint32_t low = 0, high = length;
        while (low < high) {
            const uint32_t half = (low + high) / 2;
            const T v = line[at + (by_index ? sorted_by[at + half] : (int64_t)half)];
            if (right ? !before(value[i], v, 0) : before(v, value[i], 0)) low = half + 1;
            else high = half;
        }
        out[i] = low;
    }
}
