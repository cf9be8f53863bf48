/* The algorithms of sort.h for one kind of record, which the macros REC, MAKE, KEY, INDEX and BEFORE describe.
 * Included once for each; NAME(f) gives the functions of each their names. */

/* --- making and writing ----------------------------------------------------------------------------------------- */

#define MT_LOAD(U, TO_KEY)                                                                                           \
    {                                                                                                                \
        const U mask = o->flip ? (U)-1 : 0;                                                                          \
        if (step == sizeof(U))                                                                                       \
            for (ptrdiff_t i = begin; i < end; i++) {                                                                \
                const U v = ((const U *)x)[i];                                                                       \
                *r++ = MAKE((U)(TO_KEY(U, v) ^ mask), i);                                                            \
            }                                                                                                        \
        else                                                                                                         \
            for (ptrdiff_t i = begin; i < end; i++) {                                                                \
                const U v = *(const U *)(x + i * step);                                                              \
                *r++ = MAKE((U)(TO_KEY(U, v) ^ mask), i);                                                            \
            }                                                                                                        \
        return;                                                                                                      \
    }

/* the records of the values from begin to end of a line */
MT_CLONES static void NAME(load)(const mt_order *o, const char *x, ptrdiff_t begin, ptrdiff_t end, REC *restrict r) {
    const ptrdiff_t step = o->step[0];
    switch (o->code) {
        case MT_BOOL: case MT_U8: MT_LOAD(uint8_t, MT_KEY_UNSIGNED)
        case MT_I8: MT_LOAD(uint8_t, MT_KEY_SIGNED)
        case MT_I16: MT_LOAD(uint16_t, MT_KEY_SIGNED)
        case MT_I32: MT_LOAD(uint32_t, MT_KEY_SIGNED)
        case MT_I64: MT_LOAD(uint64_t, MT_KEY_SIGNED)
        case MT_F16: MT_LOAD(uint16_t, MT_KEY_HALF)
        case MT_BF16: MT_LOAD(uint16_t, MT_KEY_BF16)
        case MT_F32: MT_LOAD(uint32_t, MT_KEY_F32)
        case MT_F64: MT_LOAD(uint64_t, MT_KEY_F64)
        default: break;
    }
}

#define MT_WRITE(T)                                                                                                  \
    for (ptrdiff_t i = begin; i < end; i++) *(T *)(values + i * vs) = *(const T *)(x + INDEX(r[i]) * xs);            \
    break;

/* results from begin to end: the values that the records stand for, and where they were */
static void NAME(write)(const mt_order *o, const char *x, char *values, char *indices, const REC *r, ptrdiff_t begin,
                        ptrdiff_t end) {
    const ptrdiff_t xs = o->step[0], vs = o->step[1], is = o->step[2];
    for (ptrdiff_t i = begin; i < end; i++) *(int64_t *)(indices + i * is) = INDEX(r[i]);
    if (values == NULL) return;
    switch (mt_itemsize[o->code]) {
        case 1: MT_WRITE(uint8_t)
        case 2: MT_WRITE(uint16_t)
        case 4: MT_WRITE(uint32_t)
        default: MT_WRITE(uint64_t)
    }
}

/* --- sorting: by digits, the lowest first, or by insertion where there are few ------------------------------------ */

static inline void NAME(swap)(REC *a, REC *b) { const REC t = *a; *a = *b; *b = t; }

/* equal keys keep their order */
static void NAME(insertion)(REC *a, ptrdiff_t n) {
    for (ptrdiff_t i = 1; i < n; i++) {
        const REC r = a[i];
        ptrdiff_t j = i;
        for (; j > 0 && KEY(r) < KEY(a[j - 1]); j--) a[j] = a[j - 1];
        a[j] = r;
    }
}

enum { NAME(few) = 40, NAME(many) = 8192 };

/* Sort n records; tmp has room for as many.  The sorted ones are where the result says: a or tmp. */
static REC *NAME(radix)(REC *a, REC *tmp, ptrdiff_t n, int key_bits) {
    const int bits = n < NAME(many) || key_bits < 32 ? 8 : 11, passes = (key_bits + bits - 1) / bits;
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint32_t count[8 * 256 > 6 * 2048 ? 8 * 256 : 6 * 2048];
    if (n <= NAME(few) || n > UINT32_MAX) {
        if (n <= NAME(few)) { NAME(insertion)(a, n); return a; }
        const ptrdiff_t half = n / 2;                       /* too many for the counters */
        REC *left = NAME(radix)(a, tmp, half, key_bits), *right = NAME(radix)(a + half, tmp + half, n - half, key_bits);
        if (left != a) memcpy(a, left, (size_t)half * sizeof(REC));
        if (right != a + half) memcpy(a + half, right, (size_t)(n - half) * sizeof(REC));
        for (ptrdiff_t i = 0, j = half, to = 0; to < n; to++)
            tmp[to] = j == n || (i < half && KEY(a[i]) <= KEY(a[j])) ? a[i++] : a[j++];
        return tmp;
    }
    memset(count, 0, ((size_t)passes << bits) * sizeof *count);
    for (ptrdiff_t i = 0; i < n; i++)
        for (int p = 0; p < passes; p++) count[((size_t)p << bits) + (KEY(a[i]) >> (p * bits) & mask)]++;
    for (int p = 0; p < passes; p++) {
        uint32_t *const place = count + ((size_t)p << bits), sum = 0;
        if (place[KEY(a[0]) >> (p * bits) & mask] == n) continue;   /* a digit that all share */
        for (uint64_t d = 0; d <= mask; d++) { const uint32_t c = place[d]; place[d] = sum; sum += c; }
        for (ptrdiff_t i = 0; i < n; i++) tmp[place[KEY(a[i]) >> (p * bits) & mask]++] = a[i];
        REC *const t = a; a = tmp; tmp = t;
    }
    return a;
}

/* Sort the values from begin to end of a line into the first half of the records, of which there are 2 n. */
static void NAME(run)(const mt_order *o, const char *x, ptrdiff_t begin, ptrdiff_t end, REC *records) {
    REC *const a = records + begin, *const tmp = a + o->n;
    const ptrdiff_t n = end - begin;
    NAME(load)(o, x, begin, end, a);
    if (NAME(radix)(a, tmp, n, mt_key_bits[o->code]) != a) memcpy(a, tmp, (size_t)n * sizeof(REC));
}

/* Merge the runs [begin, middle) and [middle, end) of one half of the records into the other half (from the second to
 * the first if `back`): of the result only what comes to [from, to). */
static void NAME(merge)(const mt_order *o, ptrdiff_t begin, ptrdiff_t middle, ptrdiff_t end, ptrdiff_t from,
                        ptrdiff_t to, int back, REC *records) {
    const REC *restrict const a = records + (back ? o->n : 0);
    REC *restrict const out = records + (back ? 0 : o->n);
    /* how many of the left run come before `from`: the least i such that a[i] comes after the right run's part */
    ptrdiff_t low = from - begin - (end - middle), high = from - begin;
    if (low < 0) low = 0;
    if (high > middle - begin) high = middle - begin;
    while (low < high) {
        const ptrdiff_t i = low + (high - low) / 2, j = from - begin - i;
        if (BEFORE(a[begin + i], a[middle + j - 1])) low = i + 1;
        else high = i;
    }
    ptrdiff_t i = begin + low, j = middle + from - begin - low, k = from;
    while (k < to && i < middle && j < end) {
        const REC l = a[i], r = a[j];
        const int left = BEFORE(l, r);
        out[k++] = left ? l : r;
        i += left;
        j += !left;
    }
    for (; k < to && i < middle; k++) out[k] = a[i++];
    for (; k < to; k++) out[k] = a[j++];
}

/* --- the selection of the C++ library, by keys alone: the order of equal ones is part of what it promises us ------ */

/* Put r into the heap of n at a hole: the larger children move up to it, then r rises. */
static void NAME(sift)(REC *a, ptrdiff_t hole, ptrdiff_t n, REC r) {
    const ptrdiff_t top = hole;
    ptrdiff_t child = 2 * hole + 2;
    for (; child < n; child = 2 * child + 2) {
        if (KEY(a[child]) < KEY(a[child - 1])) child--;
        a[hole] = a[child];
        hole = child;
    }
    if (child == n) { a[hole] = a[n - 1]; hole = n - 1; }   /* one without a sibling */
    while (hole > top && KEY(a[(hole - 1) / 2]) < KEY(r)) {
        a[hole] = a[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    a[hole] = r;
}

/* The k smallest of n to the front, sorted. */
static void NAME(partial_sort)(REC *a, ptrdiff_t k, ptrdiff_t n) {
    for (ptrdiff_t i = k / 2 - 1; i >= 0; i--) NAME(sift)(a, i, k, a[i]);
    for (ptrdiff_t i = k; i < n; i++)
        if (KEY(a[i]) < KEY(a[0])) { const REC r = a[i]; a[i] = a[0]; NAME(sift)(a, 0, k, r); }
    for (ptrdiff_t last = k - 1; last > 0; last--) {
        const REC r = a[last];
        a[last] = a[0];
        NAME(sift)(a, 0, last, r);
    }
}

enum { NAME(side) = 64 };

/* Elements on the wrong sides of a pivot are exchanged, from the outside in, as long as there is a block between them;
 * what remains to be looked at lies from *low on and below *high.  Collecting the places first spares the processor
 * the guess, for each element, of which side it is on. */
static void NAME(exchange)(REC *a, uint64_t pivot, ptrdiff_t *low, ptrdiff_t *high) {
    uint8_t left[NAME(side)], right[NAME(side)];
    ptrdiff_t i = *low, j = *high;
    int l = 0, nl = 0, r = 0, nr = 0;                       /* places not yet used are l..nl and r..nr */
    while (j - i >= 2 * NAME(side)) {
        if (l == nl)
            for (int t = l = nl = 0; t < NAME(side); t++) { left[nl] = (uint8_t)t; nl += KEY(a[i + t]) >= pivot; }
        if (r == nr)
            for (int t = r = nr = 0; t < NAME(side); t++) { right[nr] = (uint8_t)t; nr += KEY(a[j - 1 - t]) <= pivot; }
        while (l < nl && r < nr) NAME(swap)(a + i + left[l++], a + j - 1 - right[r++]);
        if (l == nl) i += NAME(side);
        if (r == nr) j -= NAME(side);
    }
    *low = l < nl ? i + left[l] : i;
    *high = r < nr ? j - right[r] : j;
}

/* Divide by the median of three: where the second part begins. */
static ptrdiff_t NAME(divide)(REC *a, ptrdiff_t n) {
    REC *const x = a + 1, *const y = a + n / 2, *const z = a + n - 1;
    if (KEY(*x) < KEY(*y)) NAME(swap)(a, KEY(*y) < KEY(*z) ? y : KEY(*x) < KEY(*z) ? z : x);
    else NAME(swap)(a, KEY(*x) < KEY(*z) ? x : KEY(*y) < KEY(*z) ? z : y);
    const uint64_t pivot = KEY(a[0]);
    ptrdiff_t i = 1, j = n;
    if (n > 4 * NAME(side)) NAME(exchange)(a, pivot, &i, &j);
    for (;;) {
        while (KEY(a[i]) < pivot) i++;
        j--;
        while (pivot < KEY(a[j])) j--;
        if (i >= j) return i;
        NAME(swap)(a + i, a + j);
        i++;
    }
}

/* The k-th smallest (from 0) to its place, smaller ones before it. */
static void NAME(nth_element)(REC *a, ptrdiff_t k, ptrdiff_t n) {
    for (int depth = 2 * mt_log2(n); n > 3; depth--) {
        if (depth == 0) {
            NAME(partial_sort)(a, k + 1, n);
            return;
        }
        const ptrdiff_t cut = NAME(divide)(a, n);
        if (cut <= k) { a += cut; k -= cut; n -= cut; }
        else n = cut;
    }
    NAME(insertion)(a, n);
}

/* Whether a part of a sorted array has a key twice, or one that is beside it too. */
static int NAME(tied)(const REC *sorted, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t n) {
    for (ptrdiff_t i = begin ? begin : 1; i <= end && i < n; i++)
        if (KEY(sorted[i]) == KEY(sorted[i - 1])) return 1;
    return 0;
}

/* Sort the part [begin, end) of n records.  If `sorted` has all of them in another order of equal ones, it settles the
 * parts without such. */
static void NAME(sort_part)(REC *a, const REC *sorted, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t n, int depth) {
    for (; end - begin > 1; depth--) {
        if (sorted && !NAME(tied)(sorted, begin, end, n)) {
            memcpy(a + begin, sorted + begin, (size_t)(end - begin) * sizeof(REC));
            return;
        }
        if (end - begin <= 16) { NAME(insertion)(a + begin, end - begin); return; }
        if (depth == 0) { NAME(partial_sort)(a + begin, end - begin, end - begin); return; }
        const ptrdiff_t cut = begin + NAME(divide)(a + begin, end - begin);
        NAME(sort_part)(a, sorted, cut, end, n, depth - 1);
        end = cut;
    }
}

static void NAME(quicksort)(REC *a, const REC *sorted, ptrdiff_t n) {
    NAME(sort_part)(a, sorted, 0, n, n, 2 * mt_log2(n));
}

/* The k-th smallest (from 0) to its place, by quickselect; the median of the first, middle and last divides. */
static void NAME(quickselect)(REC *a, ptrdiff_t k, ptrdiff_t n) {
    ptrdiff_t low = 0, high = n - 1;
    while (low + 1 < high) {
        NAME(swap)(a + low + (high - low) / 2, a + low + 1);
        if (KEY(a[low + 1]) > KEY(a[high])) NAME(swap)(a + low + 1, a + high);
        if (KEY(a[low]) > KEY(a[high])) NAME(swap)(a + low, a + high);
        if (KEY(a[low + 1]) > KEY(a[low])) NAME(swap)(a + low + 1, a + low);
        ptrdiff_t i = low + 1, j = high;
        const uint64_t pivot = KEY(a[low]);
        for (;;) {
            do i++; while (KEY(a[i]) < pivot);
            do j--; while (KEY(a[j]) > pivot);
            if (j < i) break;
            NAME(swap)(a + i, a + j);
        }
        NAME(swap)(a + low, a + j);
        if (j <= k) low = i;
        if (j >= k) high = j - 1;
    }
    if (low + 1 == high && KEY(a[low]) > KEY(a[high])) NAME(swap)(a + low, a + high);
}

/* --- lines ------------------------------------------------------------------------------------------------------ */

/* Sorted with equal ones in the order in which the C++ library leaves them, from what is sorted already. */
static REC *NAME(unstable)(const mt_order *o, const char *x, REC *sorted, REC *other) {
    if (!NAME(tied)(sorted, 0, o->n, o->n)) return sorted;
    NAME(load)(o, x, 0, o->n, other);
    NAME(quicksort)(other, sorted, o->n);
    return other;
}

enum { NAME(block) = 32, NAME(top_most) = 64 };

/* The `count` smallest, few of many, sorted to `top`.  Blocks without one below the largest so far are passed over.
 * False if equal keys leave a choice. */
MT_CLONES static int NAME(smallest)(const REC *restrict a, ptrdiff_t n, ptrdiff_t count, REC *restrict top) {
    ptrdiff_t i = count + 1;                                /* one more, to see whether it is equal to the last */
    memcpy(top, a, (size_t)i * sizeof(REC));
    NAME(insertion)(top, i);
    while (i < n) {
        uint64_t bound = KEY(top[count]);
        ptrdiff_t end = i + NAME(block);
        if (end > n) end = n;
        if (end - i == NAME(block)) {
            int found = 0;
            for (int j = 0; j < NAME(block); j++) found |= KEY(a[i + j]) < bound;
            if (!found) { i = end; continue; }
        }
        for (; i < end; i++) {
            if (KEY(a[i]) >= bound) continue;
            ptrdiff_t j = count;
            for (; j > 0 && KEY(a[i]) < KEY(top[j - 1]); j--) top[j] = top[j - 1];
            top[j] = a[i];
            bound = KEY(top[count]);
        }
    }
    for (i = 0; i < count; i++) if (KEY(top[i]) == KEY(top[i + 1])) return 0;
    return 1;
}

static REC *NAME(topk)(REC *a, ptrdiff_t n, ptrdiff_t count) {
    REC *const top = a + n;                                 /* the second half is free */
    if (count == 0) return a;
    if (count <= NAME(top_most) && 8 * count < n && NAME(smallest)(a, n, count, top)) return top;
    if (64 * count <= n) NAME(partial_sort)(a, count, n);
    else {
        NAME(nth_element)(a, count - 1, n);
        NAME(quicksort)(a, NULL, count - 1);
    }
    return a;
}

/* Where the median is, in the order of keys and then of indices: the first that is not a number, if one is and they
 * count. */
static ptrdiff_t NAME(median)(const mt_order *o, REC *a, int skip_nan) {
    const ptrdiff_t n = o->n;
    const uint64_t nan = mt_category[o->code] == 2 ? (uint64_t)-1 >> (64 - mt_key_bits[o->code]) : 0;
    REC *const copy = a + n;
    ptrdiff_t numbers = n, i;
    if (nan)
        for (i = n - 1; i >= 0; i--) numbers -= KEY(a[i]) == nan;
    ptrdiff_t k = numbers < n && !skip_nan ? numbers : numbers ? (numbers - 1) / 2 : 0;
    memcpy(copy, a, (size_t)n * sizeof(REC));
    NAME(nth_element)(copy, k, n);
    const uint64_t key = KEY(copy[k]);
    for (i = 0; i < n; i++) k -= KEY(a[i]) < key;           /* now it is the k-th of those with the key */
    for (i = 0; k > 0 || KEY(a[i]) != key; i++) k -= KEY(a[i]) == key;
    return i;
}

/* Where the last of the longest run is, after sorting. */
static ptrdiff_t NAME(mode)(REC *a, ptrdiff_t n) {
    ptrdiff_t best = 0, longest = 0, run = 0;
    NAME(quicksort)(a, NULL, n);
    for (ptrdiff_t i = 0; i < n; i++) {
        run = i && KEY(a[i]) == KEY(a[i - 1]) ? run + 1 : 1;
        if (run > longest) { longest = run; best = i; }
    }
    return best;
}

static void NAME(line)(int what, const mt_order *o, const char *x, char *values, char *indices, REC *a) {
    ptrdiff_t count = 1;
    REC *const other = a + o->n, *sorted;
    NAME(load)(o, x, 0, o->n, a);
    switch (what) {
        case MT_SORT:
        case MT_UNSTABLE:
            sorted = NAME(radix)(a, other, o->n, mt_key_bits[o->code]);
            a = what == MT_SORT ? sorted : NAME(unstable)(o, x, sorted, sorted == a ? other : a);
            count = o->n;
            break;
        case MT_TOPK: a = NAME(topk)(a, o->n, o->count); count = o->count; break;
        case MT_KTHVALUE: NAME(quickselect)(a, o->k, o->n); a += o->k; break;
        case MT_MODE: a += NAME(mode)(a, o->n); break;
        default: a += NAME(median)(o, a, what == MT_NANMEDIAN);
    }
    NAME(write)(o, x, values, indices, a, 0, count);
}

#undef MT_LOAD
#undef MT_WRITE
#undef REC
#undef NAME
#undef MAKE
#undef KEY
#undef INDEX
#undef BEFORE
