// Convolution in up to three dimensions and its two gradients, each as one product of matrices, C = A B, of which A and B
// are never written down: an element of them is looked up where it lies in the images or the weights, or is zero.

struct Conv {
    int32_t batch, groups, in_channels, out_channels;       // channels of one group
    int32_t size[3], out[3], kernel[3];                      // of the input, the output and the weights
    int32_t stride[3], pad[3], dilation[3];
    __device__ int inputs() const { return size[0] * size[1] * size[2]; }
    __device__ int outputs() const { return out[0] * out[1] * out[2]; }
    __device__ int taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

// A number counted through three sizes.
struct Place {
    int at[3];
    __device__ Place(int i, const int32_t *size) {
        at[2] = i % size[2], i /= size[2];
        at[1] = i % size[1], at[0] = i / size[1];
    }
};

// Where in an image the input of an output lies under a tap, or -1: outside.
__device__ inline int input_of(const Conv &c, int output, int tap) {
    const Place o(output, c.out), t(tap, c.kernel);
    int i = 0;
#pragma unroll
    for (int d = 0; d < 3; d++) {
        const int at = o.at[d] * c.stride[d] - c.pad[d] + t.at[d] * c.dilation[d];
        if (at < 0 || at >= c.size[d]) return -1;
        i = i * c.size[d] + at;
    }
    return i;
}

// The output that has an input under a tap, or -1: none.
__device__ inline int output_of(const Conv &c, int input, int tap) {
    const Place i(input, c.size), t(tap, c.kernel);
    int o = 0;
#pragma unroll
    for (int d = 0; d < 3; d++) {
        const int at = i.at[d] + c.pad[d] - t.at[d] * c.dilation[d];
        if (at < 0 || at % c.stride[d] || at / c.stride[d] >= c.out[d]) return -1;
        o = o * c.out[d] + at / c.stride[d];
    }
    return o;
}

// y = x * w:  rows are outputs of all images, columns their channels, and the sum is over channels and taps of inputs.
struct Forward {
    static __device__ int rows(const Conv &c) { return c.batch * c.outputs(); }
    static __device__ int columns(const Conv &c) { return c.out_channels; }
    static __device__ int terms(const Conv &c) { return c.in_channels * c.taps(); }
    static __device__ int64_t a(const Conv &c, int group, int row, int k) {
        const int i = input_of(c, row % c.outputs(), k % c.taps());
        const int64_t image = (int64_t)(row / c.outputs()) * c.groups + group;
        return i < 0 ? -1 : (image * c.in_channels + k / c.taps()) * c.inputs() + i;
    }
    static __device__ int64_t b(const Conv &c, int group, int k, int column) {
        return (int64_t)(group * c.out_channels + column) * terms(c) + k;
    }
    static __device__ int64_t result(const Conv &c, int group, int row, int column) {
        const int64_t image = (int64_t)(row / c.outputs()) * c.groups + group;
        return (image * c.out_channels + column) * c.outputs() + row % c.outputs();
    }
};

// dx, from dy and w:  rows are inputs of all images, columns their channels, the sum over channels and taps of outputs.
struct OfInput {
    static __device__ int rows(const Conv &c) { return c.batch * c.inputs(); }
    static __device__ int columns(const Conv &c) { return c.in_channels; }
    static __device__ int terms(const Conv &c) { return c.out_channels * c.taps(); }
    static __device__ int64_t a(const Conv &c, int group, int row, int k) {
        const int o = output_of(c, row % c.inputs(), k % c.taps());
        const int64_t image = (int64_t)(row / c.inputs()) * c.groups + group;
        return o < 0 ? -1 : (image * c.out_channels + k / c.taps()) * c.outputs() + o;
    }
    static __device__ int64_t b(const Conv &c, int group, int k, int column) {
        const int64_t channel = group * c.out_channels + k / c.taps();
        return (channel * c.in_channels + column) * c.taps() + k % c.taps();
    }
    static __device__ int64_t result(const Conv &c, int group, int row, int column) {
        const int64_t image = (int64_t)(row / c.inputs()) * c.groups + group;
        return (image * c.in_channels + column) * c.inputs() + row % c.inputs();
    }
};

// dw, from dy and x:  rows are channels of outputs, columns channels and taps of inputs, the sum over all outputs.
struct OfWeight {
    static __device__ int rows(const Conv &c) { return c.out_channels; }
    static __device__ int columns(const Conv &c) { return c.in_channels * c.taps(); }
    static __device__ int terms(const Conv &c) { return c.batch * c.outputs(); }
    static __device__ int64_t a(const Conv &c, int group, int row, int k) {
        const int64_t image = (int64_t)(k / c.outputs()) * c.groups + group;
        return (image * c.out_channels + row) * c.outputs() + k % c.outputs();
    }
    static __device__ int64_t b(const Conv &c, int group, int k, int column) {
        const int i = input_of(c, k % c.outputs(), column % c.taps());
        const int64_t image = (int64_t)(k / c.outputs()) * c.groups + group;
        return i < 0 ? -1 : (image * c.in_channels + column / c.taps()) * c.inputs() + i;
    }
    static __device__ int64_t result(const Conv &c, int group, int row, int column) {
        return (int64_t)(group * c.out_channels + row) * columns(c) + column;
    }
};

#define TILE 32         // rows and columns of C that a block computes
#define DEPTH 8         // terms of the sums that it keeps in shared memory at a time
#define SIDE 4          // rows and columns of C of one thread
#define TEAM 64         // threads
#define ROW (TILE + 1)  // of a tile in shared memory: its columns lie in different banks
#define BLOCK 256       // terms that are summed on their own, so that long sums keep their digits

template <typename S, typename PASS> __global__ void __launch_bounds__(TEAM) convolve(
    S *y, const S *a, const S *b, const S *bias, Conv c) {
    typedef typename Number<S>::type T;
    __shared__ T as[DEPTH][ROW], bs[DEPTH][ROW];
    const int thread = threadIdx.x, row0 = blockIdx.x * TILE, column0 = blockIdx.y * TILE, group = blockIdx.z;
    const int tx = thread % 8, ty = thread / 8, terms = PASS::terms(c);
    T total[SIDE][SIDE] = {}, sum[SIDE][SIDE] = {};
    for (int k0 = 0; k0 < terms; k0 += DEPTH) {
#pragma unroll
        for (int i = 0; i < TILE * DEPTH / TEAM; i++) {
            const int at = thread + TEAM * i, line = at % TILE, k = at / TILE;
            const int64_t from = row0 + line < PASS::rows(c) && k0 + k < terms ? PASS::a(c, group, row0 + line, k0 + k) : -1;
            as[k][line] = from < 0 ? T(0) : Number<S>::load(a[from]);
            const int64_t of = column0 + line < PASS::columns(c) && k0 + k < terms
                ? PASS::b(c, group, k0 + k, column0 + line) : -1;
            bs[k][line] = of < 0 ? T(0) : Number<S>::load(b[of]);
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < DEPTH; k++)
#pragma unroll
            for (int i = 0; i < SIDE; i++)
#pragma unroll
                for (int j = 0; j < SIDE; j++) sum[i][j] += as[k][ty + 8 * i] * bs[k][tx + 8 * j];
        __syncthreads();
        if ((k0 + DEPTH) % BLOCK == 0 || k0 + DEPTH >= terms)
#pragma unroll
            for (int i = 0; i < SIDE; i++)
#pragma unroll
                for (int j = 0; j < SIDE; j++) total[i][j] += sum[i][j], sum[i][j] = 0;
    }
#pragma unroll
    for (int i = 0; i < SIDE; i++)
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
            const int row = row0 + ty + 8 * i, column = column0 + tx + 8 * j;
            if (row >= PASS::rows(c) || column >= PASS::columns(c)) continue;
            const T more = bias ? Number<S>::load(bias[group * PASS::columns(c) + column]) : T(0);
            y[PASS::result(c, group, row, column)] = Number<S>::store(total[i][j] + more);
        }
}
