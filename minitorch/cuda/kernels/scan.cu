// Scans: what the values so far come to, along the middle dimension of (outer, n, inner).  Each is a state, as a
// reduction's is: begun empty, it takes a value, and follows the state of the values before it.

template <typename S> struct Sum {
    typedef typename Number<S>::type T;
    T v;
    __device__ void begin() { v = 0; }
    __device__ void take(S x, uint32_t i, const void *other, uint64_t at) { v = Number<S>::load(x); }
    __device__ void follow(const Sum &before) { v = before.v + v; }
    __device__ S result() const { return Number<S>::store(v); }
    __device__ void note(void *other, uint64_t at) const {}
};
template <typename S> struct Product : Sum<S> {
    __device__ void begin() { this->v = 1; }
    __device__ void follow(const Product &before) { this->v = before.v * this->v; }
};

// The largest value so far (or the smallest) and its place, which goes to `other`: of equal ones the last; once not a
// number, always not a number.
template <typename S, bool LARGEST> struct Extreme {
    S v;
    uint32_t place;                         // NOWHERE: no value yet
    static const uint32_t NOWHERE = 0xffffffffu;
    __device__ void begin() { v = 0; place = NOWHERE; }
    __device__ void take(S x, uint32_t i, const void *other, uint64_t at) { v = x; place = i; }
    __device__ void follow(const Extreme &before) {
        const bool reaches = LARGEST ? v >= before.v : v <= before.v, number = before.v == before.v;
        if (before.place == NOWHERE || (place != NOWHERE && (v != v || (number && reaches)))) return;
        *this = before;
    }
    __device__ S result() const { return v; }
    __device__ void note(void *other, uint64_t at) const { ((int64_t *)other)[at] = place; }
};
template <typename S> struct Largest : Extreme<S, true> {};
template <typename S> struct Smallest : Extreme<S, false> {};

// The logarithm of the sum of exponentials, which is kept relative to the largest, or to 0 where that is infinite.
template <typename T> struct LogSumExp {
    T max, sum;
    static __device__ T base(T max) { return fabs(max) < INFINITY ? max : T(0); }
    __device__ void begin() { max = -INFINITY; sum = 0; }
    __device__ void take(T x, uint32_t i, const void *other, uint64_t at) {
        max = x == x ? x : T(-INFINITY);
        sum = exp(x - base(x));
    }
    __device__ void follow(const LogSumExp &before) {
        const T larger = fmax(max, before.max), c = base(larger);          // neither is NaN
        sum = before.sum * exp(before.max - c) + sum * exp(max - c);
        max = larger;
    }
    __device__ T result() const { return log(sum) + base(max); }
    __device__ void note(void *other, uint64_t at) const {}
};

// The sum of values that decay from each to the next by the factors in `other`:  y = x + z y_before.
template <typename T> struct Decayed {
    T v, factor;                            // of what comes before
    __device__ void begin() { v = 0; factor = 1; }
    __device__ void take(T x, uint32_t i, const void *other, uint64_t at) {
        v = x;
        factor = i ? ((const T *)other)[at] : T(0);
    }
    __device__ void follow(const Decayed &before) {
        v += factor * before.v;
        factor *= before.factor;
    }
    __device__ T result() const { return v; }
    __device__ void note(void *other, uint64_t at) const {}
};

// A block for a row: 256 values at a time, what came before carried along.
template <typename State, typename S> __global__ void scan(
    S *out, void *other, const S *x, uint32_t n, uint32_t inner, int reverse) {
    __shared__ State so_far[2][256];
    const int thread = threadIdx.x;
    const uint64_t row = (uint64_t)(blockIdx.x / inner) * n * inner + blockIdx.x % inner;
    State carried;
    carried.begin();
    for (uint32_t first = 0; first < n; first += 256) {
        uint32_t i = first + thread;
        uint64_t at = row + (uint64_t)(reverse ? n - 1 - i : i) * inner;
        int now = 0;
        State value;
        value.begin();
        if (i < n) value.take(x[at], i, other, at);
        so_far[0][thread] = value;
        __syncthreads();
        for (int step = 1; step != 256; step *= 2) {        // each state takes in the one `step` before it
            if (thread >= step) value.follow(so_far[now][thread - step]);
            so_far[1 - now][thread] = value;
            now = 1 - now;
            __syncthreads();
        }
        State last = so_far[now][255];
        if (first) {
            value.follow(carried);
            last.follow(carried);
        }
        if (i < n) {
            out[at] = value.result();
            value.note(other, at);
        }
        carried = last;
        __syncthreads();
    }
}

// A thread for a row: where rows are short, or lie side by side.
template <typename State, typename S> __global__ void scan_columns(
    S *out, void *other, const S *x, uint32_t n, uint32_t inner, int reverse, uint32_t rows) {
    EACH(row, rows) {
        State so_far;
        so_far.begin();
        const uint64_t first = (uint64_t)(row / inner) * n * inner + row % inner;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t at = first + (uint64_t)(reverse ? n - 1 - i : i) * inner;
            State value;
            value.begin();
            value.take(x[at], i, other, at);
            if (i) value.follow(so_far);
            out[at] = value.result();
            value.note(other, at);
            so_far = value;
        }
    }
}
