// sin, cos and tan of large doubles.  CUDA's own keep an array, which on a GPU is memory; this needs registers only.
//
// x = (n + q) pi/2 with n whole and |q| <= 1/2, from x = m 2^e with a whole m < 2^53 (Payne and Hanek 1983): of the bits
// of 2/pi those whose product with m 2^e is a multiple of 4 say nothing, and the 192 after them say more than enough,
// since no double comes nearer than 2^-61 to a multiple of pi/2.

// A zero, and 1216 bits of 2/pi behind the point.
static __device__ const uint64_t two_over_pi[20] = {
    0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
    0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4,
    0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

// 64 of those bits.
static __device__ __forceinline__ uint64_t bits_from(int first) {
    const int word = first / 64, shift = first % 64;
    return shift ? two_over_pi[word] << shift | two_over_pi[word + 1] >> (64 - shift) : two_over_pi[word];
}

// q pi/2 as r + low, and n modulo 4, for 2^20 < |x| < inf.
static __device__ __forceinline__ double reduce_far(double x, double *low, uint64_t *n) {
    const uint64_t bits = mt_bits_f64(x), negative = bits >> 63, m = (bits & 0xfffffffffffff) | 0x10000000000000;
    const int first = (int)(bits >> 52 & 0x7ff) - 1075 + 62;               // e + 62: bit k counts 2^(63 - k)
    const uint64_t a = bits_from(first), b = bits_from(first + 64), c = bits_from(first + 128);
    // The product modulo 2^192, in units of 2^-190: two bits of n, then those of q, of which 126 are kept.
    const uint64_t under = m * b, middle = under + __umul64hi(m, c);
    const uint64_t top = m * a + __umul64hi(m, b) + (middle < under);
    uint64_t q = top << 2 | middle >> 62, rest = middle << 2;
    const bool up = q >> 63;                                                // q >= 1/2 counts from the next n
    if (up) q = ~q, rest = ~rest;
    *n = (top >> 62) + up;
    const int zeros = __clzll(q);                                           // fewer than 62
    q = zeros ? q << zeros | rest >> (64 - zeros) : q;
    const double head = (double)(q & ~(uint64_t)0x7ff), tail = (double)(q & 0x7ff);
    const double scale = mt_pow2_f64(-64 - zeros) * (up != negative ? -1 : 1), r = head * mt_half_pi;
    *low = (fma(head, mt_half_pi, -r) + (head * mt_half_pi_low + tail * mt_half_pi)) * scale;
    if (negative) *n = -*n;
    return r * scale;
}

static __device__ double sin_anywhere(double x) {
    if (mt_near_f64(x)) return mt_sin_near_f64(x);
    uint64_t n;
    double low, r = reduce_far(x, &low, &n);
    return mt_sin_quarters_f64(r, low, n);
}
static __device__ double cos_anywhere(double x) {
    if (mt_near_f64(x)) return mt_cos_near_f64(x);
    uint64_t n;
    double low, r = reduce_far(x, &low, &n);
    return mt_sin_quarters_f64(r, low, n + 1);
}
static __device__ double tan_anywhere(double x) {
    if (mt_near_f64(x)) return mt_tan_near_f64(x);
    uint64_t n;
    double low, s_error, c_error, r = reduce_far(x, &low, &n);
    const double s = mt_sin_kernel_f64(r, low, &s_error), c = mt_cos_kernel_f64(r, low, &c_error);
    const double above = n & 1 ? -c : s, above_error = n & 1 ? -c_error : s_error;
    const double below = n & 1 ? s : c, below_error = n & 1 ? s_error : c_error, y = above / below;
    return y + (above_error - y * below_error) / below;
}
