/* Coefficients, lowest power first: written by tools/fit_polynomials.py (do not edit), which says how they are found.
   An error is that of the function built on the polynomial, evaluated exactly from the rounded coefficients. */
#ifndef MINITORCH_MATHFUN_POLY_H
#define MINITORCH_MATHFUN_POLY_H

/* (exp(r) - 1 - r) / r^2
   on [-0.346608, 0.346608], degree 4: relative error of the result 2^-26.5 */
static const float mt_exp_poly_f32[] = {
    0x1.0000000000000p-1f, 0x1.5554dc0000000p-3f, 0x1.55551a0000000p-5f, 0x1.120b6e0000000p-7f,
    0x1.6d110a0000000p-10f};

/* (exp(r) - 1 - r) / r^2
   on [-0.346608, 0.346608], degree 10: relative error of the result 2^-61.4 */
static const double mt_exp_poly_f64[] = {
    0x1.0000000000000p-1, 0x1.5555555555557p-3, 0x1.5555555555556p-5, 0x1.11111111100dcp-7,
    0x1.6c16c16c162d4p-10, 0x1.a01a01abe7fe1p-13, 0x1.a01a01a6d889cp-16, 0x1.71de0231960ebp-19,
    0x1.27e4db646b17ep-22, 0x1.af4de97ca4194p-26, 0x1.1f730349868cep-29};

/* (exp(r) - 1 - r) / r^2
   on [-0.346608, 0.346608], degree 5: relative error of the result 2^-32.1 */
static const double mt_exp_poly_lo[] = {
    0x1.0000000b9129bp-1, 0x1.5555555a78ed4p-3, 0x1.5554e9063586ep-5, 0x1.1110e0f238322p-7,
    0x1.6d43246b523b4p-10, 0x1.a124f19fe89acp-13};

/* (log(1 + f) - f + f^2/2) / f^3
   on [-0.292893, 0.414214], degree 8: relative error of the result 2^-28.1 */
static const float mt_log_poly_f32[] = {
    0x1.5555540000000p-2f, -0x1.fffffc0000000p-3f, 0x1.999d5a0000000p-3f, -0x1.555b4a0000000p-3f,
    0x1.23d21a0000000p-3f, -0x1.fcf4c60000000p-4f, 0x1.dea2820000000p-4f, -0x1.d635bc0000000p-4f,
    0x1.1d8ea60000000p-4f};

/* (2 atanh(s) - 2 s) / s^3 in z = s^2
   on [0.0, 0.02945], degree 6: relative error of the result 2^-57.6 */
static const double mt_log_poly_f64[] = {
    0x1.5555555555558p-1, 0x1.99999999952b2p-2, 0x1.2492492df6947p-2, 0x1.c71c62debf86bp-3,
    0x1.7462b69705382p-3, 0x1.39fe208c33457p-3, 0x1.2b5b5fb2eac92p-3};

/* (2 atanh(s) - 2 s - 2/3 s^3) / s^5 in z = s^2
   on [0.0, 0.02945], degree 7: relative error of the result 2^-66.4 */
static const double mt_log2_poly_f64[] = {
    0x1.999999999999ap-2, 0x1.2492492492522p-2, 0x1.c71c71c6ea871p-3, 0x1.745d177aad02ap-3,
    0x1.3b1395c881220p-3, 0x1.1118c9ee5b8a4p-3, 0x1.df7c5bc7c7563p-4, 0x1.e032e4d8436a1p-4};

/* (sin(r) - r) / r^3 in z = r^2
   on [0.0, 0.616974], degree 3: relative error of the result 2^-28.1 */
static const float mt_sin_poly_f32[] = {
    -0x1.5555560000000p-3f, 0x1.11110e0000000p-7f, -0x1.a013a60000000p-13f, 0x1.6dbdd20000000p-19f};

/* (sin(r) - r) / r^3 in z = r^2
   on [0.0, 0.616974], degree 6: relative error of the result 2^-57.1 */
static const double mt_sin_poly_f64[] = {
    -0x1.5555555555555p-3, 0x1.1111111111110p-7, -0x1.a01a01a019936p-13, 0x1.71de3a54605eep-19,
    -0x1.ae64541266378p-26, 0x1.61217ec01749dp-33, -0x1.ab17a79237a19p-41};

/* (cos(r) - 1 + z/2) / z^2 in z = r^2
   on [0.0, 0.616974], degree 2: relative error of the result 2^-30.2 */
static const float mt_cos_poly_f32[] = {
    0x1.5555540000000p-5f, -0x1.6c12d20000000p-10f, 0x1.9bd8640000000p-16f};

/* (cos(r) - 1 + z/2) / z^2 in z = r^2
   on [0.0, 0.616974], degree 5: relative error of the result 2^-59.5 */
static const double mt_cos_poly_f64[] = {
    0x1.5555555555555p-5, -0x1.6c16c16c16966p-10, 0x1.a01a019f4e867p-16, -0x1.27e4fa17a41b4p-22,
    0x1.1eeb68b109173p-29, -0x1.907d7aebd5e3dp-37};

/* (sin(r) - r) / r^3 in z = r^2
   on [0.0, 0.616974], degree 3: relative error of the result 2^-35.6 */
static const double mt_sin_poly_lo[] = {
    -0x1.555555545dd83p-3, 0x1.11110deeb33b2p-7, -0x1.a013a6edc8f34p-13, 0x1.6dbdd26f56d2dp-19};

/* (cos(r) - 1 + z/2) / z^2 in z = r^2
   on [0.0, 0.616974], degree 3: relative error of the result 2^-39.5 */
static const double mt_cos_poly_lo[] = {
    0x1.5555555502be6p-5, -0x1.6c16bf5495185p-10, 0x1.a015c40ec65ecp-16, -0x1.25242a3a17327p-22};

/* (asin(x) - x) / x^3 in z = x^2
   on [0.0, 0.25], degree 12: relative error of the result 2^-57.4 */
static const double mt_asin_poly_f64[] = {
    0x1.5555555555556p-3, 0x1.3333333332ecap-4, 0x1.6db6db6e31f13p-5, 0x1.f1c71c1db0623p-6,
    0x1.6e8bb1c8209a2p-6, 0x1.1c4d35cf95421p-6, 0x1.c9cf07674736ap-7, 0x1.782651caa6547p-7,
    0x1.52420b04b37bep-7, 0x1.65a9c4dfcf8b2p-8, 0x1.1d189408314eep-6, -0x1.e6aaa8a0a04ccp-7,
    0x1.d72b2bc8155f8p-6};

/* (atan(x) - x) / x^3 in z = x^2
   on [0.0, 1.0], degree 21: relative error of the result 2^-55.2 */
static const double mt_atan_poly_f64[] = {
    -0x1.5555555555555p-2, 0x1.999999999997dp-3, -0x1.2492492491234p-3, 0x1.c71c71c6882cdp-4,
    -0x1.745d1731e853fp-4, 0x1.3b13af957f086p-4, -0x1.1110f9a06b09dp-4, 0x1.e1e0069edf96ep-5,
    -0x1.af1a76061e434p-5, 0x1.85c82bf04fbd6p-5, -0x1.62c464c86804fp-5, 0x1.42a843b89b0ebp-5,
    -0x1.20f157ad652dfp-5, 0x1.f0f041d3e2f50p-6, -0x1.8c59dbc673323p-6, 0x1.198ad7e0bd0c6p-6,
    -0x1.552f78ddf9b30p-7, 0x1.50ea3497605b5p-8, -0x1.0110cfd66bd22p-9, 0x1.19e6b726893d0p-11,
    -0x1.890e58e18ff08p-14, 0x1.04a3628aee536p-17};

/* (sinh(x) - x) / x^3 in z = x^2
   on [0.0, 1.0], degree 6: relative error of the result 2^-56.6 */
static const double mt_sinh_poly_f64[] = {
    0x1.5555555555555p-3, 0x1.11111111110fdp-7, 0x1.a01a01a01ee70p-13, 0x1.71de3a4e14f40p-19,
    0x1.ae6460fae3728p-26, 0x1.611cb330c1fe8p-33, 0x1.b41232cf9950fp-41};

/* (tanh(x) - x) / x^3 in z = x^2
   on [0.0, 0.3025], degree 5: relative error of the result 2^-27.9 */
static const float mt_tanh_poly_f32[] = {
    -0x1.5555560000000p-2f, 0x1.1111040000000p-3f, -0x1.ba142e0000000p-5f, 0x1.6579360000000p-6f,
    -0x1.1764100000000p-7f, 0x1.4b239a0000000p-9f};

/* (tanh(x) - x) / x^3 in z = x^2
   on [0.0, 0.3025], degree 10: relative error of the result 2^-57.4 */
static const double mt_tanh_poly_f64[] = {
    -0x1.5555555555555p-2, 0x1.1111111111032p-3, -0x1.ba1ba1b9fec84p-5, 0x1.664f487713373p-6,
    -0x1.226e32f00cf0cp-7, 0x1.d6d339333f329p-9, -0x1.7d97cfd138c28p-10, 0x1.34c5a8a996cd4p-11,
    -0x1.ec1091436eb2ap-13, 0x1.64fd88e9900a5p-14, -0x1.59a834187ce22p-16};

/* erf(x) / x - 1 in z = x^2
   on [0.0, 0.25], degree 9: relative error of the result 2^-55.7 */
static const double mt_erf_poly_f64[] = {
    0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b29p-4, -0x1.b82ce3127f739p-6,
    0x1.565bcd0aa6349p-8, -0x1.c02db23d41138p-11, 0x1.f9a2a6635fe79p-14, -0x1.f4bb9f7301dedp-17,
    0x1.b776442df3041p-20, -0x1.39fb524e9c1f7p-23};

/* erf(x) / x - 1 in z = x^2
   on [0.0, 0.25], degree 4: relative error of the result 2^-29.3 */
static const double mt_erf_poly_lo[] = {
    0x1.06eba7edfacdap-3, -0x1.812732a02c36fp-2, 0x1.ce250ffea58dcp-4, -0x1.b66610c0c49cdp-6,
    0x1.3545114b17941p-8};

/* (Q(t) - Q(0)) / t, Q = (1 + 2 x) exp(x^2) erfc(x) in t = (x - 3) / (x + 3)
   on [-0.801802, 0.806452], degree 21: relative error of the result 2^-56.3 */
static const double mt_erfc_poly_f64[] = {
    -0x1.15c084bb9e8f3p-3, -0x1.85a15c58aa612p-5, 0x1.098366a5b4682p-3, -0x1.e88b803a489b3p-4,
    0x1.17ca2877f2de1p-4, -0x1.8574c40c0da16p-6, 0x1.4b884e3ed03a7p-9, 0x1.ef1bdd7c3b847p-10,
    -0x1.98db50177ffc1p-11, -0x1.b9128d6bd429ap-14, 0x1.065a1c1cab6b2p-13, 0x1.4c2bfae8e08c9p-18,
    -0x1.5137b9988b4aap-16, -0x1.88f86daa1d927p-21, 0x1.d1ba8e7fcc955p-19, 0x1.7f1e953b0c7d6p-22,
    -0x1.4890e75c4d40ap-21, -0x1.2c64716e0ec45p-23, 0x1.9e5b5635ff002p-24, 0x1.4adc9df629d1dp-25,
    -0x1.50eec33a78eb1p-27, -0x1.8c2f752ed748dp-28};

/* exp(v^2/2) normcdf(-v) / u in u = 1 / (1 + v/4)
   on [0.210526, 1.0], degree 10: relative error of the result 2^-28.4 */
static const double mt_normtail_poly_lo[] = {
    0x1.98795a531d1b1p-4, 0x1.998c50ca84ae3p-4, 0x1.74154a1e0b2ffp-4, 0x1.8eacad9da34dap-4,
    -0x1.31518c3490563p-11, 0x1.b304a8542406ep-3, -0x1.1e69942e9ca85p-2, 0x1.796b0ae83451bp-2,
    -0x1.158e886ac0c74p-2, 0x1.87d59482bf3c9p-4, -0x1.b07cf0e8ff25bp-7};

/* (v + 4) exp(v^2/2) normcdf(-v) in t = v / (v + 4) - 3/8
   on [-0.375, 0.414474], degree 9: relative error of the result 2^-23.9 */
static const float mt_normtail_poly_f32[] = {
    0x1.de857a0000000p-1f, -0x1.ae40ae0000000p+0f, 0x1.19eaec0000000p+1f, -0x1.0056d60000000p+1f,
    0x1.0d32ca0000000p+0f, -0x1.b2b84a0000000p-7f, -0x1.79fa320000000p-2f, 0x1.db34920000000p-4f,
    0x1.ee68180000000p-4f, -0x1.0750a60000000p-4f};

/* erfinv(x) / x in w - 3, w = -log(1 - x^2)
   on [-3.0, 3.0], degree 9: relative error of the result 2^-23.8 */
static const double mt_erfinv_middle_poly[] = {
    0x1.9fa0745cfd710p+0, 0x1.eedbec11ee307p-3, -0x1.7815f0c563869p-8, -0x1.b6678b3379e6dp-11,
    0x1.99fb062b28296p-13, -0x1.aa78cfe854cd5p-17, -0x1.faee3ba2c3775p-20, 0x1.e1a6eca05ead1p-22,
    -0x1.1df49d9be6daep-28, -0x1.78a6892828e0bp-28};

/* erfinv(x) / x in s - 4, s = sqrt(-log(1 - x^2))
   on [-1.6, 2.2], degree 9: relative error of the result 2^-21.1 */
static const double mt_erfinv_tail_poly[] = {
    0x1.eb7e08fbc979dp+1, 0x1.026e6cba7ba55p+0, 0x1.4a94d8396210cp-10, -0x1.d2b56a7b06cebp-11,
    0x1.4d8536138d416p-12, -0x1.65813ab2df8f0p-14, 0x1.c4057175dc5a7p-15, -0x1.c2875b87dd794p-15,
    0x1.9a7f59e36a4c1p-16, -0x1.048917995b2e4p-18};

/* erfinv(x) / x in s - 16, s = sqrt(-log(1 - x^2))
   on [-10.0, 11.5], degree 9: relative error of the result 2^-20.8 */
static const double mt_erfinv_far_poly[] = {
    0x1.fd58359903150p+3, 0x1.00d474b5855d5p+0, -0x1.2a9d59ef1e9fep-13, 0x1.a704dd7d061a6p-18,
    -0x1.0e4a7c5ff123fp-22, 0x1.b3720c57845dap-27, -0x1.331d919d9b5dcp-30, 0x1.51e2ec2cee021p-36,
    0x1.b753c09125f4ep-38, -0x1.6b0e209593a74p-42};

/* exp(-x) I0(x) in t = x/4 - 1
   on [-1.0, 1.0], degree 32: relative error of the result 2^-53.6 */
static const double mt_i0_near_poly[] = {
    0x1.a7f09f8eedf5ap-3, -0x1.cedda0048620cp-4, 0x1.8322d1d8a3bcdp-4, -0x1.6cb8d0c915894p-4,
    0x1.65c235bfea53fp-4, -0x1.5c028fe6476e6p-4, 0x1.44b6196a8195cp-4, -0x1.1cd73a8e6f54cp-4,
    0x1.d11e10f4e739fp-5, -0x1.602411e26bd17p-5, 0x1.ee6f56624ab30p-6, -0x1.427b0996cad93p-6,
    0x1.87e866b8d44e2p-7, -0x1.bd258e7238e2ap-8, 0x1.da1ab0545d88fp-9, -0x1.daf9b73892b85p-10,
    0x1.c0f3edfbb191cp-11, -0x1.917ff19601d09p-12, 0x1.549d18311d03ep-13, -0x1.12c7b3333f2eep-14,
    0x1.a68725ebb3d6bp-16, -0x1.363d7c7783c4bp-17, 0x1.b3f5eef1074a0p-19, -0x1.25bfe7e27e1acp-20,
    0x1.7bde23930356ep-22, -0x1.d680dc91b5af1p-24, 0x1.1a0583a944fa3p-25, -0x1.4ff94adac88c4p-27,
    0x1.74ada6069ae32p-29, -0x1.48ccaeea78aa0p-31, 0x1.5f8e739e3f7c6p-33, -0x1.4d33d26bef188p-34,
    0x1.3dbd870182bdbp-36};

/* sqrt(x) exp(-x) I0(x) in t = 16/x - 1
   on [-1.0, 1.0], degree 26: relative error of the result 2^-53.8 */
static const double mt_i0_far_poly[] = {
    0x1.9bd428ad249a5p-2, 0x1.b87969bb93bbbp-9, 0x1.1daa72b5e70bcp-13, 0x1.75e5ee703dcf4p-17,
    0x1.8e5139f8568cdp-20, 0x1.3f49acfec4881p-22, 0x1.7d0fbb49edc6ep-24, 0x1.51cc22adc3b2ap-25,
    0x1.72156593b3b92p-26, 0x1.03ddcc42e5eaep-27, -0x1.cc94ae6dbe8c1p-28, -0x1.ce28cd4f04d9ep-27,
    -0x1.80fb51360df0ep-28, 0x1.0823baef33ba1p-27, 0x1.131c3faafadddp-27, -0x1.0514f4714df86p-28,
    -0x1.e83a336ee24afp-28, 0x1.0c425fe6853eep-29, 0x1.66709e2f1de6fp-28, -0x1.11d420282498fp-30,
    -0x1.a732f8fd49952p-29, 0x1.cdb2c58c885a6p-32, 0x1.6d5db466faba9p-30, -0x1.0251ae550cb47p-33,
    -0x1.8fb64c52c2aabp-32, 0x1.11cf1a9200420p-36, 0x1.99840c2b2767bp-35};

/* exp(-x) I1(x) / x in t = x/4 - 1
   on [-1.0, 1.0], degree 32: relative error of the result 2^-52.7 */
static const double mt_i1_near_poly[] = {
    0x1.6e14eb8e5d319p-5, -0x1.f4bb071a7752bp-5, 0x1.16c390ddb08edp-4, -0x1.1881379ffb5c2p-4,
    0x1.0530f817ff9e3p-4, -0x1.c4daa51341c39p-5, 0x1.6df95e8be143fp-5, -0x1.13d5f358a54c9p-5,
    0x1.84125b0d004e5p-6, -0x1.fe3d9c018facbp-7, 0x1.3a0c1a03c5929p-7, -0x1.6ab6a38914c06p-8,
    0x1.89f8a64581138p-9, -0x1.9368266907960p-10, 0x1.8656c68cde370p-11, -0x1.65bf68735dde2p-12,
    0x1.3742cff71d455p-13, -0x1.01a4192539182p-14, 0x1.96971d8684f4bp-16, -0x1.326bf48ec297ep-17,
    0x1.b9ea4e2f8669cp-19, -0x1.3167d31788852p-20, 0x1.953ac97d8edddp-22, -0x1.0285cecab1e65p-23,
    0x1.3d705b51f1d7fp-25, -0x1.76ae4c9abbc28p-27, 0x1.ac51b4c287ff2p-29, -0x1.e4372db91e563p-31,
    0x1.0184cbd7e2564p-32, -0x1.c384774cc5515p-35, 0x1.cd4e1bbbd1547p-37, -0x1.8d2002e99ffe4p-38,
    0x1.6deb8fcbeb39cp-40};

/* sqrt(x) exp(-x) I1(x) in t = 16/x - 1
   on [-1.0, 1.0], degree 26: relative error of the result 2^-56.1 */
static const double mt_i1_far_poly[] = {
    0x1.8ebe783a84030p-2, -0x1.3f796198ee639p-7, -0x1.cbc54df1edaa5p-13, -0x1.f89c2304d604dp-17,
    -0x1.ec8e0ff0aba3dp-20, -0x1.7613844c77ab6p-22, -0x1.ad8dff9af71c0p-24, -0x1.7277e82f93396p-25,
    -0x1.917107e7b92bbp-26, -0x1.21d8961e589b5p-27, 0x1.cb8b798693a02p-28, 0x1.e38d304e98d0ap-27,
    0x1.a8b11e3620df4p-28, -0x1.0aec33cc1a974p-27, -0x1.23aa112de2ab6p-27, 0x1.fc9369c33a266p-29,
    0x1.ff6099e632559p-28, -0x1.fa6c2762394ccp-30, -0x1.75b393ca37d99p-28, 0x1.fd5cd5e830a2fp-31,
    0x1.b8919158457f8p-29, -0x1.aca9d5e6b6995p-32, -0x1.7c46dcef479b1p-30, 0x1.e12f673b0c5edp-34,
    0x1.a01c7c9c867a8p-32, -0x1.000892f633b63p-36, -0x1.aa74a103bfb65p-35};

#endif
