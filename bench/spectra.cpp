// How many matrices a second does the CPU decompose, on one core?
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "device/lapack_spectra.h"

namespace {

using cohort::engine::LapackSpectra;

std::vector<float> matrices(int count, int n) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> a(size_t(count) * size_t(n) * size_t(n));
  for (float& x : a) x = normal(random);
  return a;
}

constexpr int kCount = 8;

void singular_values(benchmark::State& state) {
  const int n = int(state.range(0));
  const std::vector<float> a = matrices(kCount, n);
  std::vector<double> s(size_t(kCount) * size_t(n));
  LapackSpectra spectra(1);
  for (auto _ : state) spectra.singular_values(a.data(), kCount, n, n, s.data());
  state.SetItemsProcessed(state.iterations() * kCount);
}
void eigenvalue_moduli(benchmark::State& state) {
  const int n = int(state.range(0));
  const std::vector<float> a = matrices(kCount, n);
  std::vector<double> m(size_t(kCount) * size_t(n));
  LapackSpectra spectra(1);
  for (auto _ : state) spectra.eigenvalue_moduli(a.data(), kCount, n, m.data());
  state.SetItemsProcessed(state.iterations() * kCount);
}
void truncate(benchmark::State& state) {
  const int n = int(state.range(0));
  const std::vector<float> a = matrices(kCount, n);
  const std::vector<int> rank(kCount, n / 2);
  LapackSpectra spectra(1);
  for (auto _ : state) {
    std::vector<float> copy = a;
    spectra.truncate(copy.data(), kCount, n, rank.data());
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(singular_values)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(256);
BENCHMARK(eigenvalue_moduli)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(256);
BENCHMARK(truncate)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(256);

}  // namespace
