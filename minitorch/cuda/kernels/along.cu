// Taking and adding values along one dimension, where an index says: arrays of (outer, n or size, inner).

__device__ inline uint64_t place_along(uint32_t i, int64_t index, uint32_t n, uint32_t size, uint32_t inner) {
    return ((uint64_t)(i / inner / n) * size + index) * inner + i % inner;
}

template <typename S> __global__ void take_along(
    S *out, const S *x, const int64_t *index, uint32_t total, uint32_t n, uint32_t size, uint32_t inner) {
    EACH(i, total) out[i] = x[place_along(i, index[i], n, size, inner)];
}

template <typename S> __global__ void put_along(
    S *out, const S *values, const int64_t *index, uint32_t total, uint32_t n, uint32_t size, uint32_t inner) {
    EACH(i, total) add_at(&out[place_along(i, index[i], n, size, inner)], values[i]);
}
