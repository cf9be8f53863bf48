// Random numbers by Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the four
// words of a counter are scrambled by a key.  Any thread can make any part of the stream, so none waits for another.

struct Words { uint32_t at[4]; };

// Ten rounds of two wide multiplications and a permutation; the key goes up by a constant each round.
__device__ inline Words philox(uint64_t seed, uint64_t stream, uint64_t position) {
    uint32_t c0 = (uint32_t)position, c1 = (uint32_t)(position >> 32), c2 = (uint32_t)stream, c3 = stream >> 32;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
#pragma unroll
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xd2511f53u * c0, b = (uint64_t)0xcd9e8d57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    Words words = {{c0, c1, c2, c3}};
    return words;
}

// The middle of one of 2^32 (2^53) equal parts of (0, 1].
__device__ inline float unit(uint32_t x) { return x * 2.3283064365386963e-10f + 1.1641532182693481e-10f; }
__device__ inline double unit(uint32_t x, uint32_t y) {
    uint64_t z = (uint64_t)x ^ ((uint64_t)y << 21);
    return z * 1.1102230246251565e-16 + 5.5511151231257827e-17;
}

// Two normal numbers of two uniform ones (Box and Muller, 1958).  The fast sine is good enough, and needs no stack.
__device__ inline void normal_pair(float u, float v, float *x, float *y) {
    float radius = sqrtf(-2 * logf(u));
    __sincosf(6.2831855f * v, x, y);
    *x *= radius;
    *y *= radius;
}
__device__ inline void normal_pair(double u, double v, double *x, double *y) {
    double radius = sqrt(-2 * log(u));
    sincospi(2 * v, x, y);
    *x *= radius;
    *y *= radius;
}

enum Kind { UNIFORM, NORMAL, BERNOULLI, INTEGERS };

// From four words uniform numbers, or normal ones: four floats, or two doubles.
__device__ inline void numbers_of(Words words, int kind, float *y) {
#pragma unroll
    for (int k = 0; k < 4; k++) y[k] = unit(words.at[k]);
    if (kind == NORMAL) {
        normal_pair(y[0], y[1], &y[0], &y[1]);
        normal_pair(y[2], y[3], &y[2], &y[3]);
    }
}
__device__ inline void numbers_of(Words words, int kind, double *y) {
    y[0] = unit(words.at[0], words.at[1]);
    y[1] = unit(words.at[2], words.at[3]);
    if (kind == NORMAL) normal_pair(y[0], y[1], &y[0], &y[1]);
}

// Of one of those, the number that is asked for.
template <typename T> __device__ inline T shaped(T y, int kind, T a, T b) {
    if (kind == NORMAL) return y * b + a;
    if (kind == BERNOULLI) return y <= a;
    y = y * (b - a) + a;
    return y >= b ? a : y;                                  // the interval is open above
}

// Thread number t reads stream t of the seed; its k-th number goes to element t + k threads: PyTorch's assignment, so
// that a grid of as many threads gives the same numbers.
template <typename T> __global__ void random_numbers(
    void *out, Walk walk, int code, int kind, T a, T b, uint64_t seed, uint64_t position) {
    const int N = 16 / sizeof(T);
    const uint32_t threads = gridDim.x * blockDim.x, thread = blockIdx.x * blockDim.x + threadIdx.x;
    for (uint64_t i = thread;;) {
        T y[N];
        numbers_of(philox(seed, thread, position++), kind, y);
#pragma unroll
        for (int k = 0; k < N; k++) {
            if (i >= walk.numel) return;
            int64_t at[1];
            walk_to<1>(walk, (uint32_t)i, at);
            store_as<T>((char *)out + at[0], code, shaped(y[k], kind, a, b));
            i += threads;
        }
    }
}

// Whole numbers in [low, low + count), N from four words: two words make one where the range is wide.
template <int N> __global__ void random_integers(
    void *out, Walk walk, int code, int64_t low, uint64_t count, uint64_t seed, uint64_t position) {
    const uint32_t threads = gridDim.x * blockDim.x, thread = blockIdx.x * blockDim.x + threadIdx.x;
    for (uint64_t i = thread;;) {
        const Words words = philox(seed, thread, position++);
#pragma unroll
        for (int k = 0; k < N; k++) {
            if (i >= walk.numel) return;
            const uint64_t word = N == 4 ? words.at[k] : (uint64_t)words.at[2 * k % 4] << 32 | words.at[2 * k % 4 + 1];
            int64_t at[1];
            walk_to<1>(walk, (uint32_t)i, at);
            store_as<int64_t>((char *)out + at[0], code, low + (int64_t)(word % count));
            i += threads;
        }
    }
}
