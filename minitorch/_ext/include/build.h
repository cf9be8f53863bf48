/* What this build is, and which of the clones of its loops this processor runs. */
#ifndef MT_BUILD_H
#define MT_BUILD_H

#include "mt_config.h"

/* The same levels that the loader asks for when it picks a clone. */
static const char *mt_instruction_set(void)
{
#if MT_HAVE_CLONES && defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2"))
        return "x86-64";
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return "x86-64-v3 (AVX2)";
    return "x86-64-v4 (AVX-512)";
#else
    return "the compiler's default";
#endif
}

#endif
