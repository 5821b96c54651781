// The functions under test as loops over arrays: what the CPU programs make of them for one instruction set.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "cohort/kernels.h"

namespace cohort::test {

template <class Real>
struct Functions {
  void (*exp)(const Real* x, Real* y, int n);
  void (*log)(const Real* x, Real* y, int n);
  void (*tanh)(const Real* x, Real* y, int n);
  void (*sincospi)(const Real* x, Real* sine, Real* cosine, int n);
  void (*pow_abs)(const Real* x, double e, Real* y, int n);
  void (*normal)(uint64_t seed, Real* z, int n);  // z [4 n]: blocks 0 to n - 1 of a stream of the seed
  // c [m][n] += a [m][lda] b [k][ldb] by the CPU's team, as gemm or gemm_narrow; b_t [n][lda] is b's transpose.
  void (*multiply)(bool narrow, int m, int n, int k, const Real* a, int lda, const Real* b, int ldb, const Real* b_t,
                   Real* c);
  void (*transpose)(int rows, int cols, const Real* from, int ld, Real* to, int ld_to);
};

// Floats only.
struct Roundings {
  void (*to_half)(const float* x, float* y, int n);
  void (*to_bfloat16)(const float* x, float* y, int n);
  void (*split_half)(const float* x, float* hi, float* lo, int n);
  void (*split_bfloat16)(const float* x, float* hi, float* lo, int n);
};

// functions.cpp is compiled once for each of the levels 2, 3 and 4 of x86-64.
template <class Real, int level>
const Functions<Real>& functions();
template <int level>
const Roundings& roundings();

// A test for every level; skipped where this machine does not run the level's program.
class PerIsa : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    const std::string isa = std::string("x86-64-v").append(std::to_string(GetParam()));
    if (cpu_program<float>(CoreId::recurrent, isa.c_str()) == nullptr) GTEST_SKIP() << "this machine has no " << isa;
  }
  template <class Real>
  static const Functions<Real>& table() {
    switch (GetParam()) {
      case 2:
        return functions<Real, 2>();
      case 3:
        return functions<Real, 3>();
      default:
        return functions<Real, 4>();
    }
  }
};
inline std::string isa_name(const ::testing::TestParamInfo<int>& level) {
  return std::string(1, 'v').append(std::to_string(level.param));
}

}  // namespace cohort::test
