// Products of matrices:  C = init + alpha A B,  batched, any strides.

struct Product {
    int32_t m, n, k, batch_ndim;
    uint32_t batch_shape[DIMS];
    int64_t a_rs, a_cs, b_rs, b_cs, init_rs, init_cs, c_step;       // strides in elements; C has rows without gaps
    int64_t batch[3][DIMS];                                         // of A, B and init
};

// What sums are kept in: float for the half types, the type itself else.
#define TILE 64         // rows and columns of C that a block computes
#define DEPTH 16        // columns of A and rows of B that it keeps in shared memory at a time
#define SIDE 4          // rows and columns of C of one thread
#define ROW (TILE + 4)  // of a tile in shared memory: 16-byte aligned, and its columns lie in different banks

// 256 threads compute a tile of 64 x 64, each 4 x 4 of it in registers, so that two loads of four numbers from shared
// memory pay for sixteen multiplications.
template <typename S> __global__ void __launch_bounds__(256) product(
    S *c, const S *a, const S *b, const S *init, Product p, double alpha) {
    typedef typename Number<S>::type T;
    __shared__ T as[DEPTH][ROW], bs[DEPTH][ROW];
    const int thread = threadIdx.x, row0 = blockIdx.y * TILE, column0 = blockIdx.x * TILE;
    const int tx = thread % 16 * SIDE, ty = thread / 16 * SIDE;
    uint32_t rest = blockIdx.z;
#pragma unroll
    for (int d = DIMS - 1; d >= 0; d--)
        if (d < p.batch_ndim) {
            uint32_t place = rest % p.batch_shape[d];
            rest /= p.batch_shape[d];
            a += place * p.batch[0][d];
            b += place * p.batch[1][d];
            if (init) init += place * p.batch[2][d];
        }
    c += blockIdx.z * p.c_step;
    T sum[SIDE][SIDE] = {};
    for (int k0 = 0; k0 < p.k; k0 += DEPTH) {
        // Neighbouring threads read neighbouring memory, whichever way round a matrix lies there.
#pragma unroll
        for (int i = 0; i < TILE * DEPTH / 256; i++) {
            int at = thread + 256 * i;
            int row = p.a_cs == 1 ? at / DEPTH : at % TILE, k = p.a_cs == 1 ? at % DEPTH : at / TILE;
            as[k][row] = row0 + row < p.m && k0 + k < p.k
                ? Number<S>::load(a[(row0 + row) * p.a_rs + (k0 + k) * p.a_cs]) : T(0);
            int column = p.b_cs == 1 ? at % TILE : at / DEPTH, l = p.b_cs == 1 ? at / TILE : at % DEPTH;
            bs[l][column] = column0 + column < p.n && k0 + l < p.k
                ? Number<S>::load(b[(k0 + l) * p.b_rs + (column0 + column) * p.b_cs]) : T(0);
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < DEPTH; k++) {
            T x[SIDE], y[SIDE];
#pragma unroll
            for (int i = 0; i < SIDE; i++) {
                x[i] = as[k][ty + i];
                y[i] = bs[k][tx + i];
            }
#pragma unroll
            for (int i = 0; i < SIDE; i++)
#pragma unroll
                for (int j = 0; j < SIDE; j++) sum[i][j] += x[i] * y[j];
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < SIDE; i++)
#pragma unroll
        for (int j = 0; j < SIDE; j++) {
            int row = row0 + ty + i, column = column0 + tx + j;
            if (row < p.m && column < p.n) {
                T value = alpha == 1 ? sum[i][j] : T(alpha * sum[i][j]);
                if (init) value += Number<S>::load(init[row * p.init_rs + column * p.init_cs]);
                c[(int64_t)row * p.n + column] = Number<S>::store(value);
            }
        }
}
