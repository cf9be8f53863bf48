/* Functions of integers.  mathfun.h includes this file once for each type, with
     T         int8_t, ...
     U         an unsigned type at least as wide as T and as int, in which arithmetic wraps
     FN(name)  mt_name_i8, ...
     SIGNED    1 or 0
     WRAP(u)   u in the range of T: a conversion, but for bools
   Results are those of two's complement, modulo 2^bits: what would be undefined in C is computed in U.  Division by
   zero gives 0 (raising an error is the caller's), the smallest number by -1 wraps: there is never a signal. */

/* ---- arithmetic ---- */
MT_INLINE T FN(add)(T a, T b) { return WRAP((U)a + (U)b); }
MT_INLINE T FN(sub)(T a, T b) { return WRAP((U)a - (U)b); }
MT_INLINE T FN(mul)(T a, T b) { return (T)((U)a * (U)b); }
MT_INLINE T FN(neg)(T x) { return WRAP(0 - (U)x); }
MT_INLINE T FN(abs)(T x) { return x < 0 ? (T)(0 - (U)x) : x; }
MT_INLINE T FN(square)(T x) { return (T)((U)x * (U)x); }

/* ---- sign and order ---- */
MT_INLINE T FN(sign)(T x) { return (T)((x > 0) - (x < 0)); }
MT_INLINE T FN(sgn)(T x) { return FN(sign)(x); }
MT_INLINE T FN(heaviside)(T x, T at_zero) { return x == 0 ? at_zero : (T)(x > 0); }
MT_INLINE T FN(maximum)(T a, T b) { return a > b ? a : b; }
MT_INLINE T FN(minimum)(T a, T b) { return a < b ? a : b; }
MT_INLINE T FN(fmax)(T a, T b) { return a > b ? a : b; }
MT_INLINE T FN(fmin)(T a, T b) { return a < b ? a : b; }

/* ---- what only reals need, so that a text for every type compiles for integers too ---- */
MT_INLINE uint8_t FN(isnan)(T x) { (void)x; return 0; }
MT_INLINE uint8_t FN(isinf)(T x) { (void)x; return 0; }
MT_INLINE uint8_t FN(isfinite)(T x) { (void)x; return 1; }
MT_INLINE uint8_t FN(isposinf)(T x) { (void)x; return 0; }
MT_INLINE uint8_t FN(isneginf)(T x) { (void)x; return 0; }
MT_INLINE uint8_t FN(signbit)(T x) { return x < 0; }
MT_INLINE T FN(floor)(T x) { return x; }
MT_INLINE T FN(ceil)(T x) { return x; }
MT_INLINE T FN(trunc)(T x) { return x; }
MT_INLINE T FN(round)(T x) { return x; }
MT_INLINE T FN(frac)(T x) { (void)x; return 0; }

/* ---- division ----
   b = 0 and b = -1 are replaced by 1 for the machine's division and dealt with apart. */
MT_INLINE int FN(by_minus_one)(T b) { return SIGNED && b == (T)-1; }
MT_INLINE T FN(trunc_divide)(T a, T b) {
    T q = (T)(a / (T)((b == 0) | FN(by_minus_one)(b) ? 1 : b));
    return b == 0 ? 0 : FN(by_minus_one)(b) ? FN(neg)(a) : q;
}
MT_INLINE T FN(fmod)(T a, T b) { return (T)(a % (T)((b == 0) | FN(by_minus_one)(b) ? 1 : b)); }

/* The remainder with the sign of the divisor, and the quotient that belongs to it, as Python's % and //. */
MT_INLINE T FN(remainder)(T a, T b) {
    T r = FN(fmod)(a, b);
    return (T)(r != 0 && (r < 0) != (b < 0) ? r + b : r);
}
MT_INLINE T FN(floor_divide)(T a, T b) {
    T r = FN(fmod)(a, b);
    return FN(sub)(FN(trunc_divide)(a, b), (T)(r != 0 && (r < 0) != (b < 0)));
}

/* Greatest common divisor by Euclid, on magnitudes; lcm(a, b) = |a| / gcd |b|. */
MT_INLINE T FN(gcd)(T a, T b) {
    U x = a < 0 ? 0 - (U)a : (U)a, y = b < 0 ? 0 - (U)b : (U)b;
    while (y != 0) {
        U rest = x % y;
        x = y;
        y = rest;
    }
    return (T)x;
}
MT_INLINE T FN(lcm)(T a, T b) {
    U x = a < 0 ? 0 - (U)a : (U)a, y = b < 0 ? 0 - (U)b : (U)b, divisor = x, rest = y;
    while (rest != 0) {
        U next = divisor % rest;
        divisor = rest;
        rest = next;
    }
    return (T)(divisor == 0 ? 0 : x / divisor * y);
}

/* ---- powers and shifts ---- */

/* By repeated squaring.  A negative exponent asks for 1 / a^|n|: 1 for 1, 1 or -1 for -1, otherwise 0. */
MT_INLINE T FN(pow)(T a, T n) {
    U result = 1, square = (U)a;
    if (n < 0) return (T)(a == 1 ? 1 : FN(by_minus_one)(a) ? (n & 1 ? -1 : 1) : 0);
    for (U e = (U)n; e != 0; e >>= 1) {
        if (e & 1) result *= square;
        square *= square;
    }
    return (T)result;
}

/* A count below 0 or beyond the bits shifts all of them out: the sign is what is left of a right shift. */
MT_INLINE T FN(left_shift)(T a, T n) {
    int bits = 8 * (int)sizeof(T), all = (n < 0) | (n >= bits);
    return all ? 0 : WRAP((U)a << (all ? 0 : n));
}
MT_INLINE T FN(right_shift)(T a, T n) {
    int bits = 8 * (int)sizeof(T), all = (n < 0) | (n >= bits);
    return all ? (T)-(a < 0) : (T)(a >> (all ? 0 : n));
}
