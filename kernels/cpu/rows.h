// The instruction sets that the CPU programs are built for, best first: X(target, name, does this processor run it?).
#pragma once

#define COHORT_ROWS(X)                                                                                               \
  X(x86_64_v4, "x86-64-v4",                                                                                          \
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && \
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd"))                                    \
  X(x86_64_v3, "x86-64-v3",                                                                                          \
    __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))               \
  X(x86_64_v2, "x86-64-v2", __builtin_cpu_supports("sse4.2"))
