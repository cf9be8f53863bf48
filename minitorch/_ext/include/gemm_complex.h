/* Our own product of complex matrices, for when there is no OpenBLAS: plain loops, C = alpha A B or C += alpha A B. */
#define MT_DEFINE_COMPLEX_GEMM(Z, mul, name)                                                                         \
    static void name(mt_index m, mt_index n, mt_index k, double alpha,                                               \
                     const void *a_, mt_index a_rs, mt_index a_cs, const void *b_, mt_index b_rs, mt_index b_cs,     \
                     int accumulate, void *c_, mt_index c_rs)                                                        \
    {                                                                                                                \
        const Z *a = a_, *b = b_;                                                                                    \
        for (mt_index i = 0; i < m; i++) {                                                                           \
            Z *c = (Z *)c_ + i * c_rs;                                                                               \
            if (!accumulate) for (mt_index j = 0; j < n; j++) c[j] = 0;                                              \
            for (mt_index p = 0; p < k; p++) {                                                                       \
                const Z factor = alpha == 1 ? a[i * a_rs + p * a_cs] : (Z)alpha * a[i * a_rs + p * a_cs];            \
                for (mt_index j = 0; j < n; j++) c[j] += mul(factor, b[p * b_rs + j * b_cs]);                        \
            }                                                                                                        \
        }                                                                                                            \
    }
MT_DEFINE_COMPLEX_GEMM(mt_c64_t, mt_mul_c64, own_gemm_c64)
MT_DEFINE_COMPLEX_GEMM(mt_c128_t, mt_mul_c128, own_gemm_c128)
