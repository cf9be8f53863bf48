/* Functions of reals that read the same in both widths.  mathfun.h includes this file twice, with
     T           float, double
     FN(name)    mt_name_f32, mt_name_f64
     LIBM(name)  the C library's function of that type
   Names of constants go through FN too. */

/* ---- arithmetic ---- */
MT_INLINE T FN(add)(T a, T b) { return a + b; }
MT_INLINE T FN(sub)(T a, T b) { return a - b; }
MT_INLINE T FN(mul)(T a, T b) { return a * b; }
MT_INLINE T FN(div)(T a, T b) { return a / b; }
MT_INLINE T FN(neg)(T x) { return -x; }
MT_INLINE T FN(abs)(T x) { return LIBM(fabs)(x); }
MT_INLINE T FN(square)(T x) { return x * x; }
MT_INLINE T FN(reciprocal)(T x) { return 1 / x; }
MT_INLINE T FN(sqrt)(T x) { return LIBM(sqrt)(x); }
MT_INLINE T FN(copysign)(T x, T y) { return LIBM(copysign)(x, y); }

/* ---- classification: 0 or 1 ---- */
MT_INLINE uint8_t FN(isnan)(T x) { return x != x; }
MT_INLINE uint8_t FN(isinf)(T x) { return LIBM(fabs)(x) == FN(inf); }
MT_INLINE uint8_t FN(isfinite)(T x) { return LIBM(fabs)(x) < FN(inf); }
MT_INLINE uint8_t FN(isposinf)(T x) { return x == FN(inf); }
MT_INLINE uint8_t FN(isneginf)(T x) { return x == -FN(inf); }
MT_INLINE uint8_t FN(signbit)(T x) { return (uint8_t)(FN(bits)(x) >> (8 * sizeof(T) - 1)); }

/* ---- rounding ---- */
MT_INLINE T FN(floor)(T x) { return LIBM(floor)(x); }
MT_INLINE T FN(ceil)(T x) { return LIBM(ceil)(x); }
MT_INLINE T FN(trunc)(T x) { return LIBM(trunc)(x); }
MT_INLINE T FN(round)(T x) { return LIBM(rint)(x); }           /* half to even */
MT_INLINE T FN(frac)(T x) { return x - LIBM(trunc)(x); }

/* ---- sign and order ---- */
MT_INLINE T FN(sign)(T x) { return (T)(x > 0) - (T)(x < 0); }
MT_INLINE T FN(sgn)(T x) { return FN(sign)(x); }
MT_INLINE T FN(heaviside)(T x, T at_zero) { return x == 0 ? at_zero : (T)(x > 0); }
MT_INLINE T FN(maximum)(T a, T b) { return (a >= b) | (a != a) ? a : b; }    /* NaN if either is NaN */
MT_INLINE T FN(minimum)(T a, T b) { return (a <= b) | (a != a) ? a : b; }
MT_INLINE T FN(fmax)(T a, T b) { return (a >= b) | (b != b) ? a : b; }       /* the other if one is NaN */
MT_INLINE T FN(fmin)(T a, T b) { return (a <= b) | (b != b) ? a : b; }
MT_INLINE T FN(nextafter)(T x, T y) { return LIBM(nextafter)(x, y); }

/* ---- division with remainder ---- */
MT_INLINE T FN(fmod)(T a, T b) { return LIBM(fmod)(a, b); }    /* exact, sign of a */
MT_INLINE T FN(trunc_divide)(T a, T b) { return LIBM(trunc)(a / b); }

/* a mod b with the sign of b, as Python's %. */
MT_INLINE T FN(remainder)(T a, T b) {
    T r = LIBM(fmod)(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* floor(a/b) of the true quotient, as Python's //; a / 0 is an infinity or NaN.  a - r is a multiple of b, so its
   quotient is whole but for rounding, and is moved to the nearest whole number. */
MT_INLINE T FN(floor_divide)(T a, T b) {
    T r = LIBM(fmod)(a, b), q = (a - r) / b;
    q -= (T)(r != 0 && (r < 0) != (b < 0));
    T whole = LIBM(floor)(q);
    whole += (T)(q - whole > (T)0.5);
    T signed_zero = LIBM(copysign)((T)0, a / b);
    return b == 0 ? a / b : q == 0 ? signed_zero : whole;
}

/* ---- exponentials ----
   exp(x) = 2^n exp(r),  n = nearest(x / ln 2),  |r| <= ln(2)/2,  r = x - n ln2_hi - n ln2_lo:  ln2_hi has so few bits
   that n ln2_hi, and the difference, are exact. */
MT_INLINE T FN(exp_reduced)(T x, T *n) {
    *n = FN(nearest)(x * FN(log2_e));
    T r = (x - *n * FN(ln2_hi)) - *n * FN(ln2_lo);
    return 1 + r * (1 + r * HORNER(r, FN(exp_poly)));
}

/* The limits lie where the result has long overflowed or vanished; a NaN passes both comparisons. */
MT_INLINE T FN(exp_clamp)(T x) {
    x = x > FN(exp_over) ? FN(exp_over) : x;
    return x < -FN(exp_under) ? -FN(exp_under) : x;
}
MT_INLINE T FN(exp)(T x) {
    T n, p = FN(exp_reduced)(FN(exp_clamp)(x), &n);
    return FN(scale)(p, n);
}
MT_INLINE T FN(exp2)(T x) {
    x = x > FN(exp2_over) ? FN(exp2_over) : x;
    x = x < -FN(exp2_under) ? -FN(exp2_under) : x;
    T n = FN(nearest)(x), r = (x - n) * FN(ln2);
    return FN(scale)(1 + (r + r * r * HORNER(r, FN(exp_poly))), n);
}

/* 2^n exp(r) - 1 = 2 ((h - 1/2) + h expm1(r)) with h = 2^(n-1).  The large parts, h - 1/2 and h r, are added with
   their rounding error kept; so is the rounding error of r. */
MT_INLINE T FN(expm1)(T x) {
    T c = x > FN(exp_over) ? FN(exp_over) : x;
    c = c < -FN(expm1_flat) ? -FN(expm1_flat) : c;
    T n = FN(nearest)(c * FN(log2_e));
    T head = c - n * FN(ln2_hi), tail = n * FN(ln2_lo);
    T r = head - tail, r_low = (head - r) - tail;
    T h = FN(pow2)(n - 1), a = h - (T)0.5, b = h * r, sum = a + b;
    T rest = (b - (sum - a)) + h * (r_low + r * r * HORNER(r, FN(exp_poly)));
    return LIBM(fabs)(x) < FN(tiny) ? x : 2 * (sum + rest);
}

/* 1 / (1 + exp(-x)) without overflow: z / (1 + z) with z = exp(-|x|) on the left, 1 / (1 + z) on the right.  Until the
   end both are kept 2^lift times too large, so that z needs no denormals.  The rounding error of the denominator d is put
   right by the factor 1 - error / d, in which 1/d on [1, 2] need be no better than 1.457 - d/2. */
MT_INLINE T FN(sigmoid)(T x) {
    T a = -LIBM(fabs)(x), n;
    T p = FN(exp_reduced)(a < -FN(exp_under) ? -FN(exp_under) : a, &n);
    T lifted = p * FN(pow2)(n + FN(lift)), z = lifted / FN(pow2_lift), d = 1 + z, error = z - (d - 1);
    T y = (x < 0 ? lifted : FN(pow2_lift)) / d;
    return (y - y * (error * ((T)1.457 - (T)0.5 * d))) / FN(pow2_lift);
}

/* x + x^3 P(x^2) near zero, 1 - 2 / (exp(2|x|) + 1) elsewhere. */
MT_INLINE T FN(tanh)(T x) {
    T a = LIBM(fabs)(x), z = x * x;
    T small = a + a * (z * HORNER(z, FN(tanh_poly)));
    T n, p = FN(exp_reduced)(a > 20 ? 40 : 2 * a, &n);
    T large = 1 - 2 / (p * FN(pow2)(n) + 1);
    return LIBM(copysign)(a < (T)0.55 ? small : large, x);
}

/* ---- logarithms ----
   x = 2^k m with sqrt(1/2) <= m < sqrt(2); f = m - 1 is exact.
   log(x) = k ln 2 + f + tail(f),  tail(f) = log(1 + f) - f (log_tail, by type). */
MT_INLINE T FN(log_of)(T f, T k) {
    return k * FN(ln2_hi) + (f + (FN(log_tail)(f) + k * FN(ln2_lo)));
}

/* y where x is positive and finite, else what a logarithm has there: -inf at 0, NaN below, x for inf and NaN. */
MT_INLINE T FN(log_edges)(T x, T y) {
    y = x < FN(inf) ? y : x;
    y = x == 0 ? -FN(inf) : y;
    return x < 0 ? FN(nan) : y;
}
MT_INLINE T FN(log)(T x) {
    T k, f = FN(log_reduce)(x, &k);
    return FN(log_edges)(x, FN(log_of)(f, k));
}

/* 1 + x = 2^k m:  f = m - 1 = 2^-k x + (2^-k - 1), where only the last addition rounds.  Past the precision of T the
   1 no longer matters and m serves. */
MT_INLINE T FN(log1p)(T x) {
    T k, u = 1 + x, m1 = FN(log_reduce)(u, &k);
    T s = FN(pow2)(k > FN(digits) ? 0 : -k);
    T f = k > FN(digits) ? m1 : x * s + (s - 1);
    T y = FN(log_edges)(u, FN(log_of)(f, k));
    return LIBM(fabs)(x) < FN(tiny) ? x : y;
}

/* log(1 / (1 + exp(-x))): both terms have the same sign, so that nothing cancels. */
MT_INLINE T FN(log_sigmoid)(T x) {
    return (x < 0 ? x : 0) - FN(log1p)(FN(exp)(-LIBM(fabs)(x)));
}
