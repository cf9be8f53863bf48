// Reductions over any dimensions.  Each is a state: begun empty, it takes values, merges with another, and ends as a
// result.  Values come as T: double for floating-point types, int64_t for the others.

struct Reduction {
    uint32_t results, values;               // how many results, and values of each
    int32_t kept, reduced;                  // dimensions of either kind, outermost first
    uint32_t kept_shape[DIMS], reduced_shape[DIMS];
    int64_t kept_stride[DIMS], reduced_stride[DIMS];        // of x, in bytes
    int64_t out_stride[2][DIMS];
    int64_t times;                          // how often every value counts
    double p;
};

// What becomes of a state v in the end: v, v times / p, sqrt(v / p), v^(1/p), log(v) + the largest.
enum How { AS_IS, SCALE, ROOT, POWER, LOG_ADD };

__device__ inline double finished(double v, int how, const Reduction &r) {
    if (how == SCALE) return v * (double)r.times / r.p;
    if (how == ROOT) return sqrt(v / r.p);
    if (how == POWER) return pow(v, 1 / r.p);
    return v;
}
__device__ inline int64_t finished(int64_t v, int how, const Reduction &r) { return how == AS_IS ? v : v * r.times; }
__device__ inline bool is_nan(double x) { return x != x; }
__device__ inline bool is_nan(int64_t x) { return false; }

// ---- the states

template <typename T> struct Sum {
    T v;
    __device__ void begin() { v = 0; }
    __device__ void take(T x, uint32_t place, const Reduction &r) { v += x; }
    __device__ void merge(const Sum &other) { v += other.v; }
    __device__ T result(int how, const Reduction &r) const { return finished(v, how, r); }
    __device__ T second() const { return 0; }
};
template <typename T> struct SumAbs : Sum<T> {
    __device__ void take(T x, uint32_t place, const Reduction &r) { this->v += x < 0 ? -x : x; }
};
template <typename T> struct SumSquare : Sum<T> {
    __device__ void take(T x, uint32_t place, const Reduction &r) { this->v += x * x; }
};
template <typename T> struct SumPower : Sum<T> {
    __device__ void take(T x, uint32_t place, const Reduction &r) { this->v += pow(x < 0 ? -x : x, r.p); }
};
template <typename T> struct Product : Sum<T> {
    __device__ void begin() { this->v = 1; }
    __device__ void take(T x, uint32_t place, const Reduction &r) { this->v *= x; }
    __device__ void merge(const Product &other) { this->v *= other.v; }
};

// The largest value (or the smallest) and the first place where it is; a NaN is larger and smaller than all.
template <typename T, bool LARGEST> struct Extreme {
    T v;
    uint32_t place;                         // NOWHERE: no value yet
    static const uint32_t NOWHERE = 0xffffffffu;
    __device__ void begin() { v = 0; place = NOWHERE; }
    __device__ void offer(T x, uint32_t at) {
        bool better = LARGEST ? x > v : x < v, equal = x == v || (is_nan(x) && is_nan(v));
        if (place == NOWHERE || (is_nan(x) && !is_nan(v)) || better || (equal && at < place)) {
            v = x;
            place = at;
        }
    }
    __device__ void take(T x, uint32_t at, const Reduction &r) { offer(x, at); }
    __device__ void merge(const Extreme &other) {
        if (other.place != NOWHERE) offer(other.v, other.place);
    }
    __device__ T result(int how, const Reduction &r) const { return v; }
    __device__ T second() const { return v; }
};
template <typename T> struct Max : Extreme<T, true> {};
template <typename T> struct Min : Extreme<T, false> {};
template <typename T> struct Any : Extreme<T, true> {
    __device__ void take(T x, uint32_t at, const Reduction &r) { this->offer(x != 0, at); }
};
template <typename T> struct All : Extreme<T, false> {
    __device__ void take(T x, uint32_t at, const Reduction &r) { this->offer(x != 0, at); }
};
template <typename T> struct ArgMax : Extreme<T, true> {
    __device__ int64_t result(int how, const Reduction &r) const { return this->place; }
};
template <typename T> struct ArgMin : Extreme<T, false> {
    __device__ int64_t result(int how, const Reduction &r) const { return this->place; }
};

// Mean and squared deviations from it (Welford 1962; merged as Chan, Golub and LeVeque 1983).
template <typename T> struct Moments {
    double mean, squares, n;
    __device__ void begin() { mean = squares = n = 0; }
    __device__ void take(T x, uint32_t place, const Reduction &r) {
        n += 1;
        double d = x - mean;
        mean += d / n;
        squares += d * (x - mean);
    }
    __device__ void merge(const Moments &other) {
        if (other.n == 0) return;
        double total = n + other.n, d = other.mean - mean;
        mean += d * (other.n / total);
        squares += other.squares + d * d * (n * (other.n / total));
        n = total;
    }
    __device__ double result(int how, const Reduction &r) const { return finished(squares, how, r); }
    __device__ double second() const { return mean; }
};

// The sum of exponentials, relative to the largest.
template <typename T> struct LogSumExp {
    double max, sum;
    static __device__ double finite(double v) { return fabs(v) < INFINITY ? v : 0; }
    __device__ void begin() { max = -INFINITY; sum = 0; }
    __device__ void take(T x, uint32_t place, const Reduction &r) {
        LogSumExp one;
        one.max = x;
        one.sum = exp(x - finite(x));
        merge(one);
    }
    __device__ void merge(const LogSumExp &other) {
        const double larger = fmax(max, other.max), c = finite(larger);    // what is not a number shows in the sum
        double a = sum == 0 ? 0 : sum * exp(finite(max) - c), b = other.sum == 0 ? 0 : other.sum * exp(finite(other.max) - c);
        max = larger;
        sum = a + b;
    }
    __device__ double result(int how, const Reduction &r) const { return log(sum) + max; }
    __device__ double second() const { return max; }
};

// ---- the walk

__device__ inline int64_t place_of(uint32_t i, int n, const uint32_t *shape, const int64_t *stride) {
    int64_t at = 0;
#pragma unroll
    for (int d = DIMS - 1; d >= 0; d--)
        if (d < n) {
            at += i % shape[d] * stride[d];
            i /= shape[d];
        }
    return at;
}

// The state of another thread of the warp, `step` lanes up: word by word.
template <typename State> __device__ inline State from_lane(const State &state, int step) {
    const int WORDS = sizeof(State) / 4;
    uint32_t words[WORDS];
    State other;
    memcpy(words, &state, sizeof(State));
#pragma unroll
    for (int k = 0; k < WORDS; k++) words[k] = __shfl_down_sync(0xffffffffu, words[k], step);
    memcpy(&other, words, sizeof(State));
    return other;
}

// Merge the states of a block's threads: within each warp by shuffles, then those of the warps.  Thread 0 has the result.
template <typename State> __device__ inline void merge_block(State &state) {
    __shared__ State of_warp[32];
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        State other = from_lane(state, step);
        state.merge(other);
    }
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = state;
    __syncthreads();
    if (threadIdx.x == 0)
        for (int w = 1; w < blockDim.x / 32; w++) state.merge(of_warp[w]);
}

template <typename State> __device__ inline void end(
    const State &state, const Reduction &r, uint32_t result, int how, void *out, int out_code, void *second,
    int second_code) {
    auto value = state.result(how, r);
    store_as<decltype(value)>((char *)out + place_of(result, r.kept, r.kept_shape, r.out_stride[0]), out_code, value);
    if (second) {
        auto other = state.second();
        store_as<decltype(other)>((char *)second + place_of(result, r.kept, r.kept_shape, r.out_stride[1]), second_code,
                                  other);
    }
}

// A block of whole warps for a result, or for one of `gridDim.y` segments of its values: their states go to `partial`.
template <typename State, typename T> __global__ void reduce_rows(
    void *out, void *second, const void *x, uint8_t *partial, Reduction r, int how, int out_code, int second_code,
    int code) {
    State state;
    state.begin();
    const uint32_t result = blockIdx.x, segment = (r.values + gridDim.y - 1) / gridDim.y, first = blockIdx.y * segment;
    const uint32_t last = min(first + segment, r.values);
    const char *row = (const char *)x + place_of(result, r.kept, r.kept_shape, r.kept_stride);
    for (uint32_t i = first + threadIdx.x; i < last; i += blockDim.x)
        state.take(load_as<T>(row + place_of(i, r.reduced, r.reduced_shape, r.reduced_stride), code), i, r);
    merge_block(state);
    if (threadIdx.x == 0) {
        if (partial) ((State *)partial)[result * gridDim.y + blockIdx.y] = state;
        else end(state, r, result, how, out, out_code, second, second_code);
    }
}

// The second stage: merge the states of a result's segments.
template <typename State, typename T> __global__ void reduce_segments(
    void *out, void *second, const uint8_t *partial, uint32_t segments, Reduction r, int how, int out_code,
    int second_code) {
    State state;
    state.begin();
    for (uint32_t i = threadIdx.x; i < segments; i += blockDim.x)
        state.merge(((const State *)partial)[blockIdx.x * segments + i]);
    merge_block(state);
    if (threadIdx.x == 0) end(state, r, blockIdx.x, how, out, out_code, second, second_code);
}

// A thread for a result: where results lie side by side, or have few values each.
template <typename State, typename T> __global__ void reduce_columns(
    void *out, void *second, const void *x, Reduction r, int how, int out_code, int second_code, int code) {
    EACH(result, r.results) {
        State state;
        state.begin();
        const char *column = (const char *)x + place_of(result, r.kept, r.kept_shape, r.kept_stride);
        for (uint32_t i = 0; i < r.values; i++)
            state.take(load_as<T>(column + place_of(i, r.reduced, r.reduced_shape, r.reduced_stride), code), i, r);
        end(state, r, result, how, out, out_code, second, second_code);
    }
}
