// Kernels that use each means a block has to work together: the simulator's tests run them, and break them.
template <int THREADS> __global__ void block_sum(const float *__restrict__ x, float *__restrict__ y, int n) {
    __shared__ float partial[THREADS];
    int t = threadIdx.x;
    float sum = 0;
    for (int i = blockIdx.x * THREADS + t; i < n; i += gridDim.x * THREADS) sum += x[i];
    partial[t] = sum;
    __syncthreads();
    for (int k = THREADS / 2; k > 0; k /= 2) {
        if (t < k) partial[t] += partial[t + k];
        __syncthreads();
    }
    if (t == 0) y[blockIdx.x] = partial[0];
}

template <typename T, int TILE>
__global__ void __launch_bounds__(TILE *TILE) matmul(const T *A, const T *B, T *C, int m, int n, int k) {
    __shared__ T a[TILE][TILE], b[TILE][TILE];
    int x = threadIdx.x, y = threadIdx.y, row = blockIdx.y * TILE + y, column = blockIdx.x * TILE + x;
    T sum = 0;
    for (int first = 0; first < k; first += TILE) {
        a[y][x] = row < m && first + x < k ? A[row * k + first + x] : T(0);
        b[y][x] = column < n && first + y < k ? B[(first + y) * n + column] : T(0);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < TILE; i++) sum += a[y][i] * b[i][x];
        __syncthreads();
    }
    if (row < m && column < n) C[row * n + column] = sum;
}

extern "C" __global__ void add_vectors(const float4 *x, const float4 *y, float4 *z, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float4 a = x[i];
        float4 b = y[i];
        z[i] = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
    }
}

// A warp a row.
extern "C" __global__ void softmax(const float *x, float *y, int rows, int columns) {
    int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;
    if (row >= rows) return;
    float most = -3.4e38f, sum = 0;
    for (int j = lane; j < columns; j += 32) most = fmaxf(most, x[row * columns + j]);
    for (int k = 16; k > 0; k /= 2) most = fmaxf(most, __shfl_xor_sync(0xffffffff, most, k));
    for (int j = lane; j < columns; j += 32) sum += expf(x[row * columns + j] - most);
    for (int k = 16; k > 0; k /= 2) sum += __shfl_down_sync(0xffffffff, sum, k);
    sum = __shfl_sync(0xffffffff, sum, 0);
    for (int j = lane; j < columns; j += 32) y[row * columns + j] = expf(x[row * columns + j] - most) / sum;
}

extern "C" __global__ void histogram(const int *x, unsigned *counts, int n, int bins) {
    extern __shared__ unsigned own[];
    for (int i = threadIdx.x; i < bins; i += blockDim.x) own[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&own[x[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < bins; i += blockDim.x)
        if (own[i]) atomicAdd(&counts[i], own[i]);
}

extern "C" __global__ void scatter_add(const int *index, const float *x, float *y, int n, int columns) {
    int j = threadIdx.x;
    if (j < columns) atomicAdd(&y[index[blockIdx.x] * columns + j], x[blockIdx.x * columns + j]);
}

// The block that comes last adds what the others left: ordered by a fence and an atomic counter.
extern "C" __global__ void last_block_sums(const float *x, float *parts, unsigned *counter, float *result) {
    __shared__ bool last;
    if (threadIdx.x == 0) {
        parts[blockIdx.x] = x[blockIdx.x];
        __threadfence();
        last = atomicAdd(counter, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last && threadIdx.x == 0) {
        float sum = 0;
        for (int i = 0; i < gridDim.x; i++) sum += parts[i];
        *result = sum;
    }
}

// Three matrices, and a struct by value.
struct Shape { int ndim, pad; int sizes[4]; long long strides[4]; };
extern "C" __global__ void gather(const float *x, float *y, Shape shape, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long at = 0;
    int rest = i;
#pragma unroll
    for (int d = 3; d >= 0; d--)
        if (d < shape.ndim) {
            at += rest % shape.sizes[d] * shape.strides[d];
            rest /= shape.sizes[d];
        }
    y[i] = x[at];
}
