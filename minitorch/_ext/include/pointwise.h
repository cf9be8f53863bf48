/* What the generated loops of pointwise_loops.h are made of: their type, their macros, the rows of their table.
 *
 * A loop takes contiguous operands of one type only.  Whoever runs it gathers what is strided, broadcast or of another
 * type into pieces that fit the cache; that is cheaper than a loop for every layout, and there is one to read. */
#ifndef MT_POINTWISE_H
#define MT_POINTWISE_H
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "dtype.h"
#include "mt_config.h"

/* Versions of a function for several instruction sets, chosen when the module is loaded; empty where unsupported. */
#ifndef MT_CLONES
#define MT_CLONES
#endif

/* The output may be an input (never overlap it otherwise): no iteration depends on another. */
#if defined(__clang__)
#define MT_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define MT_IVDEP _Pragma("GCC ivdep")
#else
#define MT_IVDEP
#endif

/* A parameter of an operation, in the type of the loop it is given to. */
typedef union {
    float f32; double f64;
    int64_t i64; int32_t i32; int16_t i16; int8_t i8; uint8_t u8; uint8_t b8;
    mt_c64_t c64; mt_c128_t c128;
} mt_scalar;

/* p[0]: output, p[1]...: inputs, n: elements (0 too), a: parameters */
typedef void (*mt_loop)(char *const *p, ptrdiff_t n, const mt_scalar *a);

#define MT_LOOP(name) MT_CLONES MT_LOOP_ONCE(name)
#define MT_LOOP_ONCE(name) static void name(char *const *p, ptrdiff_t n, const mt_scalar *a)
#define MT_OUTPUT(type) type *const out = (type *)p[0]; (void)a
#define MT_INPUT(k, type) const type *const in##k = (const type *)p[k]
#define MT_EACH MT_IVDEP for (ptrdiff_t i = 0; i < n; i++)

/* The gradient of one operand. */
enum { MT_GRAD_NONE, MT_GRAD_SAME, MT_GRAD_NEGATIVE, MT_GRAD_LOOP, MT_GRAD_ZERO };
typedef struct {
    uint8_t kind;         /* none, g, -g, a loop, 0 */
    uint8_t n_operands;
    uint8_t operands[6];  /* what the loop takes after its output: 0 for g, 1 to 3 for an operand, 4 for the result */
    mt_loop loop[2];      /* float, double */
} mt_grad;

/* Which types an operation takes: FLOAT promotes integers to the default type, the others keep the type. */
enum { MT_FLOAT_ONLY, MT_NUMBER, MT_INTEGRAL, MT_ANY, MT_COMPLEX_ONLY };
typedef struct {
    const char *name;
    uint8_t n_inputs, n_params;
    uint8_t types;
    uint8_t result_bool;       /* reads the type, writes bool */
    uint8_t mask_first;        /* the first operand is bool, whatever the others are */
    uint8_t saves;             /* bit k: operand k (1 to 3; 4 for the result) is needed by some gradient */
    uint8_t integer_division;  /* integers: refuse a divisor (the second operand) that is 0 */
    mt_loop loop[MT_NTYPES];   /* by type; NULL: not defined for it */
    mt_loop number[2][2];      /* by operand, float and double: loops that take one number for it; NULL: there are none */
    mt_grad grad[3];           /* by operand */
} mt_pointwise_op;
#endif
