/* LAPACK over a batch of matrices.
 *
 * A call is described by one struct, and `lapack_units` does some units of it, so that the pool can share them out.
 * Matrices are in column-major order.  The routines are LAPACKE's, found by name in OpenBLAS; they differ between
 * types only in what their pointers point to, so one call serves all types.
 */
#ifndef MT_LAPACK_H
#define MT_LAPACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LAPACK_COLUMNS = 102 };
enum { CBLAS_LEFT = 141, CBLAS_UPPER = 121, CBLAS_LOWER = 122, CBLAS_AS_IS = 111, CBLAS_TRANSPOSED = 112,
       CBLAS_UNIT = 132, CBLAS_NON_UNIT = 131 };

enum mt_routine {
    MT_POTRF, MT_GETRF, MT_GETRS, MT_TRSM, MT_GEQRF, MT_ORGQR, MT_ORMQR, MT_SYTRF, MT_SYTRS, MT_HETRF, MT_HETRS,
    MT_SYEVD, MT_GESDD, MT_GEEV, MT_GELS, MT_GELSY, MT_GELSD, MT_GELSS, MT_ROUTINES
};

/* names for real and for complex types; the type's letter goes in place of the dot */
static const char *const mt_routine_name[MT_ROUTINES][2] = {
    {"LAPACKE_.potrf", "LAPACKE_.potrf"}, {"LAPACKE_.getrf", "LAPACKE_.getrf"}, {"LAPACKE_.getrs", "LAPACKE_.getrs"},
    {"cblas_.trsm", "cblas_.trsm"},       {"LAPACKE_.geqrf", "LAPACKE_.geqrf"}, {"LAPACKE_.orgqr", "LAPACKE_.ungqr"},
    {"LAPACKE_.ormqr", "LAPACKE_.unmqr"}, {"LAPACKE_.sytrf", "LAPACKE_.sytrf"}, {"LAPACKE_.sytrs", "LAPACKE_.sytrs"},
    {"LAPACKE_.sytrf", "LAPACKE_.hetrf"}, {"LAPACKE_.sytrs", "LAPACKE_.hetrs"}, {"LAPACKE_.syevd", "LAPACKE_.heevd"},
    {"LAPACKE_.gesdd", "LAPACKE_.gesdd"}, {"LAPACKE_.geev", "LAPACKE_.geev"},   {"LAPACKE_.gels", "LAPACKE_.gels"},
    {"LAPACKE_.gelsy", "LAPACKE_.gelsy"}, {"LAPACKE_.gelsd", "LAPACKE_.gelsd"}, {"LAPACKE_.gelss", "LAPACKE_.gelss"},
};

static inline const char *lapack_name(int routine, int is_complex) { return mt_routine_name[routine][is_complex]; }

typedef struct {
    int routine, kind;          /* kind: 0 float, 1 double, 2 complex float, 3 complex double */
    void *call;                 /* the library's function */
    char option[3];             /* which triangle, transposed or not, what to compute: as the routine has them */
    int m, n, k;
    int lda, ldb, ldc;          /* distances of columns */
    char *a, *b, *c, *d;        /* the first matrix of each operand */
    ptrdiff_t a_step, b_step, c_step, d_step;  /* bytes to the next matrix; 0: one for all */
    int *pivots, *info, *rank;
    ptrdiff_t pivots_step;      /* in ints */
    double rcond;
    ptrdiff_t pieces, width;    /* right-hand sides are cut into pieces of so many columns */
} mt_lapack;

static inline int lapack_itemsize(int kind) { return 4 << ((kind & 1) + (kind >> 1)); }

/* The triangle that a Cholesky factor does not fill. */
static void lapack_clear_triangle(char *a, int n, int item, int upper)
{
    for (ptrdiff_t j = 0; j < n; j++) {
        if (upper) memset(a + (j * n + j + 1) * item, 0, (size_t)(n - j - 1) * item);
        else memset(a + j * n * item, 0, (size_t)j * item);
    }
}

/* Solve with a triangle: alpha = 1 is passed by value to the real routines and by address to the complex ones. */
static void lapack_trsm(const mt_lapack *p, char *a, char *b, int columns)
{
    static const float one_c[2] = {1, 0};
    static const double one_z[2] = {1, 0};
    int upper = p->option[0] == 'U' ? CBLAS_UPPER : CBLAS_LOWER;
    int trans = p->option[1] == 'T' ? CBLAS_TRANSPOSED : CBLAS_AS_IS, unit = p->option[2] == 'U' ? CBLAS_UNIT : CBLAS_NON_UNIT;
#define MT_TRSM(T, alpha)                                                                                            \
    ((void (*)(int, int, int, int, int, int, int, T, void *, int, void *, int))p->call)(                             \
        LAPACK_COLUMNS, CBLAS_LEFT, upper, trans, unit, p->n, columns, alpha, a, p->lda, b, p->ldb)
    if (p->kind == 0) MT_TRSM(float, 1);
    else if (p->kind == 1) MT_TRSM(double, 1);
    else if (p->kind == 2) MT_TRSM(const void *, one_c);
    else MT_TRSM(const void *, one_z);
#undef MT_TRSM
}

/* The drivers of least squares that take a bound on the condition number, a float or a double by value. */
static int lapack_bounded_lstsq(const mt_lapack *p, char *a, char *b, void *s, int *rank)
{
#define MT_LSTSQ(T)                                                                                                  \
    ((int (*)(int, int, int, int, void *, int, void *, int, void *, T, int *))p->call)(                              \
        LAPACK_COLUMNS, p->m, p->n, p->k, a, p->lda, b, p->ldb, s, (T)p->rcond, rank)
    return p->kind & 1 ? MT_LSTSQ(double) : MT_LSTSQ(float);
#undef MT_LSTSQ
}

/* Whether every element of a matrix is finite: balancing before geev writes beside its memory if not. */
static int lapack_finite(const mt_lapack *p, const char *a)
{
    ptrdiff_t count = (ptrdiff_t)p->n * p->n << (p->kind >> 1);
    double sum = 0;
    for (ptrdiff_t i = 0; i < count; i++) sum += 0 * (p->kind & 1 ? ((const double *)a)[i] : ((const float *)a)[i]);
    return sum == 0;
}

static int lapack_one(const mt_lapack *p, ptrdiff_t i, ptrdiff_t first, int columns)
{
    char *a = p->a + i * p->a_step, *c = p->c ? p->c + i * p->c_step : NULL, *d = p->d ? p->d + i * p->d_step : NULL;
    char *b = p->b ? p->b + i * p->b_step + first * p->ldb * lapack_itemsize(p->kind) : NULL;
    int *pivots = p->pivots ? p->pivots + i * p->pivots_step : NULL;
    const char *o = p->option;
    int info;
#define MT_CALL(arguments, ...) (((int (*)arguments)p->call)(LAPACK_COLUMNS, __VA_ARGS__))
    switch (p->routine) {
    case MT_POTRF:
        info = MT_CALL((int, char, int, void *, int), o[0], p->n, a, p->lda);
        lapack_clear_triangle(a, p->n, lapack_itemsize(p->kind), o[0] == 'U');
        return info;
    case MT_GETRF:
        return MT_CALL((int, int, int, void *, int, int *), p->m, p->n, a, p->lda, pivots);
    case MT_GETRS:
    case MT_SYTRS:
    case MT_HETRS:
        return MT_CALL((int, char, int, int, void *, int, int *, void *, int),
                       o[0], p->n, columns, a, p->lda, pivots, b, p->ldb);
    case MT_TRSM:
        lapack_trsm(p, a, b, columns);
        return 0;
    case MT_GEQRF:
        return MT_CALL((int, int, int, void *, int, void *), p->m, p->n, a, p->lda, b);
    case MT_ORGQR:
        return MT_CALL((int, int, int, int, void *, int, void *), p->m, p->n, p->k, a, p->lda, b);
    case MT_ORMQR:
        return MT_CALL((int, char, char, int, int, int, void *, int, void *, void *, int),
                       o[0], o[1], p->m, p->n, p->k, a, p->lda, b, c, p->ldc);
    case MT_SYTRF:
    case MT_HETRF:
        return MT_CALL((int, char, int, void *, int, int *), o[0], p->n, a, p->lda, pivots);
    case MT_SYEVD:
        return MT_CALL((int, char, char, int, void *, int, void *), o[0], o[1], p->n, a, p->lda, b);
    case MT_GESDD:
        return MT_CALL((int, char, int, int, void *, int, void *, void *, int, void *, int),
                       o[0], p->m, p->n, a, p->lda, b, c, p->ldb, d, p->ldc);
    case MT_GEEV:
        if (!lapack_finite(p, a)) return -1;
        if (p->kind > 1)
            return MT_CALL((int, char, char, int, void *, int, void *, void *, int, void *, int),
                           'N', o[0], p->n, a, p->lda, b, NULL, 1, c, p->ldc);
        return MT_CALL((int, char, char, int, void *, int, void *, void *, void *, int, void *, int),
                       'N', o[0], p->n, a, p->lda, b, b + p->n * lapack_itemsize(p->kind), NULL, 1, c, p->ldc);
    case MT_GELS:
        return MT_CALL((int, char, int, int, int, void *, int, void *, int),
                       'N', p->m, p->n, p->k, a, p->lda, b, p->ldb);
    case MT_GELSY:
        return lapack_bounded_lstsq(p, a, b, pivots, p->rank + i);
    default:
        return lapack_bounded_lstsq(p, a, b, c, p->rank + i);
    }
#undef MT_CALL
}

/* A task of the pool: unit u is piece u % pieces of the right-hand sides of matrix u / pieces. */
static void lapack_units(void *call, ptrdiff_t begin, ptrdiff_t end)
{
    const mt_lapack *p = call;
    for (ptrdiff_t u = begin; u < end; u++) {
        ptrdiff_t i = u / p->pieces, first = u % p->pieces * p->width, left = p->k - first;
        int info = lapack_one(p, i, first, (int)(left < p->width ? left : p->width));
        if (p->pieces == 1) p->info[i] = info;
    }
}
#endif
