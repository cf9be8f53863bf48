// Softmax along a dimension, and the loss of classes, each forward and backward in one kernel.

// What all threads of a block have together, known to each of them; `shared` is free again afterwards.
template <typename T> __device__ inline T block_sum(T v, T *shared) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) v += __shfl_xor_sync(0xffffffffu, v, step);
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
    __syncthreads();
    v = 0;
    for (int w = 0; w < blockDim.x / 32; w++) v += shared[w];
    __syncthreads();
    return v;
}
template <typename T> __device__ inline T larger(T a, T b) { return a > b || a != a ? a : b; }     // NaN is largest
template <typename T> __device__ inline T block_max(T v, T *shared) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) v = larger(v, __shfl_xor_sync(0xffffffffu, v, step));
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
    __syncthreads();
    v = shared[0];
    for (int w = 1; w < blockDim.x / 32; w++) v = larger(v, shared[w]);
    __syncthreads();
    return v;
}

// log sum exp of a row of n values, `inner` apart.
template <typename T> __device__ inline T row_log_sum(const T *x, uint32_t n, uint32_t inner, T *shared, T *largest) {
    T m = -INFINITY, sum = 0;
    for (uint32_t i = threadIdx.x; i < n; i += blockDim.x) m = larger(m, x[(uint64_t)i * inner]);
    m = block_max(m, shared);
    T c = m == -INFINITY ? T(0) : m;                        // a row of nothing but -inf
    for (uint32_t i = threadIdx.x; i < n; i += blockDim.x) sum += exp(x[(uint64_t)i * inner] - c);
    *largest = c;
    return log(block_sum(sum, shared));
}

// A block for a row:  y = exp(x - m) / sum,  or its logarithm.
template <typename T> __global__ void softmax(T *y, const T *x, uint32_t n, uint32_t inner, int logarithm) {
    __shared__ T shared[32];
    const uint64_t row = (uint64_t)(blockIdx.x / inner) * n * inner + blockIdx.x % inner;
    T m, log_sum = row_log_sum(x + row, n, inner, shared, &m), scale = exp(-log_sum);
    for (uint32_t i = threadIdx.x; i < n; i += blockDim.x) {
        T v = x[row + (uint64_t)i * inner] - m;
        y[row + (uint64_t)i * inner] = logarithm ? v - log_sum : exp(v) * scale;
    }
}

// The gradient, from the result:  dx = y (g - sum g y),  or of the logarithm  dx = g - exp(y) sum g.
template <typename T> __global__ void softmax_gradient(
    T *dx, const T *y, const T *g, uint32_t n, uint32_t inner, int logarithm) {
    __shared__ T shared[32];
    const uint64_t row = (uint64_t)(blockIdx.x / inner) * n * inner + blockIdx.x % inner;
    T sum = 0;
    for (uint32_t i = threadIdx.x; i < n; i += blockDim.x) {
        uint64_t at = row + (uint64_t)i * inner;
        sum += logarithm ? g[at] : g[at] * y[at];
    }
    sum = block_sum(sum, shared);
    for (uint32_t i = threadIdx.x; i < n; i += blockDim.x) {
        uint64_t at = row + (uint64_t)i * inner;
        dx[at] = logarithm ? g[at] - exp(y[at]) * sum : y[at] * (g[at] - sum);
    }
}

// The loss of row i is  a lse - b x_t - d sum_c w_c x_c:  a = b = w_t and d = 0 for cross-entropy, smoothed by s
// b = (1 - s) w_t, d = s / C, a = b + d sum w.  The negative log-likelihood has a = d = 0.
struct Classes {
    int64_t ignored;
    double smoothing, total_weight, scale;                  // scale: of the gradient
    uint32_t n;
    int32_t likelihood;                                     // x holds logarithms of probabilities already
};

template <typename T> struct Coefficients {
    T a, b, d;
    __device__ Coefficients(const Classes &c, int64_t target, const T *weight) {
        a = b = d = 0;
        if (target == c.ignored) return;
        b = (weight ? weight[target] : T(1)) * T(1 - c.smoothing);
        if (c.likelihood) return;
        d = T(c.smoothing / c.n);
        a = b + d * T(c.total_weight);
    }
};

// A block for a row: its loss, the logarithm of its sum of exponentials, and its gradient where it is wanted.
template <typename T> __global__ void class_losses(
    T *losses, T *gradient, T *lse, const T *x, const int64_t *target, const T *weight, Classes c) {
    __shared__ T shared[32];
    const int64_t t = target[blockIdx.x];
    const T *row = x + (uint64_t)blockIdx.x * c.n;
    const Coefficients<T> k(c, t, weight);
    T all = 0, log_sum = 0;
    if (!c.likelihood) {
        T m;
        log_sum = row_log_sum(row, c.n, 1u, shared, &m);
        log_sum += m;
    }
    if (k.d != 0) {
        for (uint32_t i = threadIdx.x; i < c.n; i += blockDim.x) all += (weight ? weight[i] : T(1)) * row[i];
    }
    if (c.smoothing != 0) all = block_sum(all, shared);     // the same for all threads, as barriers must be
    if (gradient)
        for (uint32_t i = threadIdx.x; i < c.n; i += blockDim.x) {
            T dx = k.a == 0 ? T(0) : k.a * exp(row[i] - log_sum);
            if (k.d != 0) dx -= k.d * (weight ? weight[i] : T(1));
            if (i == t && t != c.ignored) dx -= k.b;
            gradient[(uint64_t)blockIdx.x * c.n + i] = dx * T(c.scale);
        }
    if (threadIdx.x == 0) {
        if (lse) lse[blockIdx.x] = log_sum;
        T loss = 0;
        if (t != c.ignored) loss = c.likelihood ? -k.b * row[t] : k.b * (log_sum - row[t]);
        if (k.d != 0) loss += k.d * (T(c.total_weight) * log_sum - all);
        losses[blockIdx.x] = loss;
    }
}

// The gradient of some rows, given their log-sum-exp and (or not) the gradient of each loss.
template <typename T> __global__ void class_gradient(
    T *gradient, const T *lse, const T *x, const int64_t *target, const T *weight, const T *g, Classes c) {
    const int64_t t = target[blockIdx.x];
    const Coefficients<T> k(c, t, weight);
    const T scale = T(c.scale) * (g ? g[blockIdx.x] : T(1));
    for (uint32_t i = threadIdx.x; i < c.n; i += blockDim.x) {
        uint64_t at = (uint64_t)blockIdx.x * c.n + i;
        T dx = k.a == 0 || !x ? T(0) : k.a * exp(x[at] - lse[blockIdx.x]);
        if (k.d != 0) dx -= k.d * (weight ? weight[i] : T(1));
        if (i == t && t != c.ignored) dx -= k.b;
        gradient[at] = dx * scale;
    }
}
