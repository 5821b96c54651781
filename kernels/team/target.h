// Everything that is compiled more than once (per instruction set, for CUDA, for the emulator) lives in an inline
// namespace named after its target, so that the linker never merges code built with different flags.
#pragma once

#include "cohort/kernels.h"

#ifndef COHORT_TARGET
#define COHORT_TARGET host
#endif
#define COHORT_BEGIN \
  namespace cohort { \
  inline namespace COHORT_TARGET {
#define COHORT_END \
  }                \
  }

// Functions of a team: device code on CUDA, host code elsewhere. A phase is a large one that runs once per batch or so: a
// function of its own on CUDA, where everything else would be inlined into one kernel that compiles slowly and spills.
#if defined(__CUDACC__)
#define COHORT_TEAM_FN __device__ inline
#define COHORT_PHASE_FN __device__ __noinline__
#define COHORT_FORCE_INLINE __device__ __forceinline__
#elif defined(COHORT_EMULATED)
#define COHORT_TEAM_FN inline
#define COHORT_PHASE_FN inline
#define COHORT_FORCE_INLINE inline
#else
#define COHORT_TEAM_FN inline
#define COHORT_PHASE_FN inline
#define COHORT_FORCE_INLINE inline __attribute__((always_inline))
#endif

// Loops whose iterations are independent; the CPU compiler vectorises them.
#if defined(__CUDACC__) || defined(COHORT_EMULATED) || !defined(__GNUC__) || defined(__clang__)
#define COHORT_SIMD
#else
#define COHORT_SIMD _Pragma("GCC ivdep")
#endif
