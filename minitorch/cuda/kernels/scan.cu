// Sums and products so far along the middle dimension of (outer, n, inner).

// A block for a row: 256 values at a time, what came before carried along.

template <typename S> __global__ void scan(S *out, const S *x, uint32_t n, uint32_t inner, int product, int reverse) {
    typedef typename Number<S>::type T;
    __shared__ T so_far[2][256];
    const int thread = threadIdx.x;
    const uint64_t row = (uint64_t)(blockIdx.x / inner) * n * inner + blockIdx.x % inner;
    T carried = product ? 1 : 0;
    for (uint32_t first = 0; first < n; first += 256) {
        uint32_t i = first + thread;
        uint64_t at = row + (uint64_t)(reverse ? n - 1 - i : i) * inner;
        int now = 0;
        so_far[0][thread] = i < n ? Number<S>::load(x[at]) : T(product ? 1 : 0);
        __syncthreads();
        for (int step = 1; step < 256; step *= 2) {         // each value takes in the one `step` before it
            T value = so_far[now][thread];
            if (thread >= step) {
                T before = so_far[now][thread - step];
                value = product ? before * value : before + value;
            }
            so_far[1 - now][thread] = value;
            now = 1 - now;
            __syncthreads();
        }
        T value = so_far[now][thread], last = so_far[now][255];
        if (i < n) out[at] = Number<S>::store(product ? carried * value : carried + value);
        carried = product ? carried * last : carried + last;
        __syncthreads();
    }
}

// A thread for a row: where rows are short, or lie side by side.
template <typename S> __global__ void scan_columns(
    S *out, const S *x, uint32_t n, uint32_t inner, int product, int reverse, uint32_t rows) {
    EACH(row, rows) {
        typename Number<S>::type so_far = product ? 1 : 0;
        const uint64_t first = (uint64_t)(row / inner) * n * inner + row % inner;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t at = first + (uint64_t)(reverse ? n - 1 - i : i) * inner;
            so_far = product ? so_far * Number<S>::load(x[at]) : so_far + Number<S>::load(x[at]);
            out[at] = Number<S>::store(so_far);
        }
    }
}
