// Normalisation:  y = h w + b  with  h = (x - m) r  and  r = 1 / sqrt(v + eps),  m and v the mean and variance of a set.

// Values (samples, channels, inner).  A set is one of `groups` equal groups of a sample's channels, which lie next to
// each other in memory; or, without groups, a channel of all samples.  (A layer's row is a sample with one group.)
struct Norm {
    double eps;
    uint32_t samples, channels, inner, groups;
    int32_t centred;                        // without: m = 0
    int32_t given;                          // m and v are not the set's own
    __device__ uint32_t sets() const { return groups ? samples * groups : channels; }
    __device__ uint32_t values() const { return groups ? channels / groups * inner : samples * inner; }
    __device__ uint32_t place(uint32_t set, uint32_t i) const {        // of the value i of a set
        return groups ? set * values() + i : i + (over(i) * (channels - 1) + set) * inner;
    }
    __device__ uint32_t channel(uint32_t set, uint32_t i) const {
        return groups ? set % groups * (channels / groups) + over(i) : set;
    }
    __device__ uint32_t over(uint32_t i) const { return inner == 1 ? i : i / inner; }   // divisions are slow
};

// The threads that have a set in common: a block of whole warps; or, where values of neighbouring sets are neighbours in
// memory (COLUMNS), those of a block 32 wide with the same threadIdx.x, so that a warp still reads what lies together.
template <bool COLUMNS> struct Team {
    uint32_t set, me, size;
    double *shared;                         // 256 of them
    __device__ Team(double *memory) {
        set = COLUMNS ? blockIdx.x * 32 + threadIdx.x : blockIdx.x;
        me = COLUMNS ? threadIdx.y : threadIdx.x;
        size = COLUMNS ? blockDim.y : blockDim.x;
        shared = memory;
    }
    // What the team has together, known to each of it.  Sums are taken in double: moments, and few additions for a load.
    __device__ double sum(double v) const {
        if (!COLUMNS)
#pragma unroll
            for (int step = 16; step > 0; step /= 2) v += __shfl_xor_sync(0xffffffffu, v, step);
        const uint32_t terms = COLUMNS ? size : size / 32, column = COLUMNS ? threadIdx.x : 0, width = COLUMNS ? 32 : 1;
        if (COLUMNS || me % 32 == 0) shared[(COLUMNS ? me : me / 32) * width + column] = v;
        __syncthreads();
        v = 0;
        for (uint32_t k = 0; k < terms; k++) v += shared[k * width + column];
        __syncthreads();
        return v;
    }
};

template <typename T> __device__ inline T reciprocal_root(double var, double eps) { return 1 / sqrt((T)(var + eps)); }

// A team for a set.  The moments are read if given, else written.
template <typename S, typename T, bool COLUMNS> __global__ void norm_forward(
    S *y, const S *x, const T *weight, const T *bias, double *mean, double *var, Norm j) {
    __shared__ double shared[256];
    const Team<COLUMNS> team(shared);
    const uint32_t set = team.set, n = set < j.sets() ? j.values() : 0;    // the last block may have columns to spare
    double m = 0, v = 0;
    if (j.given) {
        if (n) m = mean[set], v = var[set];
    } else {
        for (uint32_t i = team.me; i < n && j.centred; i += team.size) m += Number<S>::load(x[j.place(set, i)]);
        m = team.sum(m) / j.values();
        for (uint32_t i = team.me; i < n; i += team.size) {
            T d = Number<S>::load(x[j.place(set, i)]) - (T)m;
            v += d * d;
        }
        v = team.sum(v) / j.values();
        if (n && team.me == 0) mean[set] = m, var[set] = v;
    }
    const T middle = (T)m, r = reciprocal_root<T>(v, j.eps);
    for (uint32_t i = team.me; i < n; i += team.size) {
        const uint32_t at = j.place(set, i), c = j.channel(set, i);
        const T h = (Number<S>::load(x[at]) - middle) * r;
        y[at] = Number<S>::store((weight ? h * weight[c] : h) + (bias ? bias[c] : T(0)));
    }
}

// A team for a set:  dx = r (dh - mean dh - h mean(dh h))  with  dh = g w.  A set that is a channel has one weight: its
// sums are the gradients of weight and bias too.
template <typename S, typename T, bool COLUMNS> __global__ void norm_backward(
    S *dx, const S *x, const S *g, const T *weight, T *dw, T *db, const double *mean, const double *var, Norm j) {
    __shared__ double shared[256];
    const Team<COLUMNS> team(shared);
    const uint32_t set = team.set, n = set < j.sets() ? j.values() : 0;
    const T middle = n ? (T)mean[set] : T(0), r = n ? reciprocal_root<T>(var[set], j.eps) : T(0);
    const T common = n && weight && !j.groups ? weight[set] : T(1);
    double plain = 0, product = 0;
    for (uint32_t i = team.me; i < n; i += team.size) {
        const uint32_t at = j.place(set, i);
        T dh = Number<S>::load(g[at]);
        if (weight && j.groups) dh *= weight[j.channel(set, i)];
        plain += dh;
        product += dh * ((Number<S>::load(x[at]) - middle) * r);
    }
    plain = team.sum(plain);
    product = team.sum(product);
    if (n && team.me == 0) {
        if (dw) dw[set] = (T)product;
        if (db) db[set] = (T)plain;
    }
    const T mean_dh = j.given || !j.centred ? T(0) : T(plain / j.values()), mean_dh_h = j.given ? T(0) : T(product / j.values());
    for (uint32_t i = team.me; i < n; i += team.size) {
        const uint32_t at = j.place(set, i);
        const T h = (Number<S>::load(x[at]) - middle) * r;
        T dh = Number<S>::load(g[at]);
        if (weight && j.groups) dh *= weight[j.channel(set, i)];
        dx[at] = Number<S>::store(common * r * (dh - mean_dh - h * mean_dh_h));
    }
}

// A team for a channel that several sets share:  dw = sum g h,  db = sum g,  over one of gridDim.y portions of the
// samples; parts (2, portions, channels).
template <typename S, typename T, bool COLUMNS> __global__ void norm_weights(
    double *parts, const S *x, const S *g, const double *mean, const double *var, Norm j) {
    __shared__ double shared[256];
    const Team<COLUMNS> team(shared);
    const uint32_t c = team.set, portion = (j.samples + gridDim.y - 1) / gridDim.y;
    const uint32_t first = min(blockIdx.y * portion, j.samples), last = min(first + portion, j.samples);
    const uint32_t n = c < j.channels ? (last - first) * j.inner : 0;
    double plain = 0, product = 0;
    for (uint32_t i = team.me; i < n; i += team.size) {
        const uint32_t sample = first + j.over(i), at = i + (first * j.channels + j.over(i) * (j.channels - 1) + c) * j.inner;
        const uint32_t set = sample * j.groups + c / (j.channels / j.groups);
        const T h = (Number<S>::load(x[at]) - (T)mean[set]) * reciprocal_root<T>(var[set], j.eps);
        plain += Number<S>::load(g[at]);
        product += Number<S>::load(g[at]) * h;
    }
    plain = team.sum(plain);
    product = team.sum(product);
    if (c < j.channels && team.me == 0) {
        parts[(uint64_t)blockIdx.y * j.channels + c] = product;
        parts[(uint64_t)(gridDim.y + blockIdx.y) * j.channels + c] = plain;
    }
}

template <typename T> __global__ void norm_merge(
    T *dw, T *db, const double *parts, uint32_t portions, uint32_t channels) {
    EACH(c, channels) {
        double product = 0, plain = 0;
        for (uint32_t k = 0; k < portions; k++) {
            product += parts[(uint64_t)k * channels + c];
            plain += parts[(uint64_t)(portions + k) * channels + c];
        }
        if (dw) dw[c] = (T)product;
        if (db) db[c] = (T)plain;
    }
}

// running = keep running + factor fresh
extern "C" __global__ void norm_remember(
    void *running, const double *fresh, uint32_t n, int64_t stride, int code, double keep, double factor) {
    EACH(i, n) {
        void *at = (char *)running + i * stride;
        store_as<double>(at, code, keep * load_as<double>(at, code) + factor * fresh[i]);
    }
}
