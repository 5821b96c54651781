// Spectra of one's own matrices: cuts 100 matrices to rank 5, keeps their norms, and looks at what is left.
// On CUDA the same calls take device pointers: cuda_spectra<float>(), with Launch::stream; link cohort::spectra_cuda.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "cohort/spectra.h"

int main() {
  using namespace cohort;
  constexpr int32_t n_matrices = 100, n = 64;  // row-major, one after another
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> a(n_matrices * n * n), s(n_matrices * n);
  for (float& x : a) x = normal(random);
  const std::vector<int32_t> rank(n_matrices, 5);
  std::vector<SpectrumStatus> status(n_matrices);
  std::vector<SpectrumMeasures> measures(n_matrices);

  const SpectraProgram<float>& spectra = *cpu_spectra<float>();
  const auto run = [&](const auto& args, auto workspace_bytes, auto operation) {  // memory is the caller's
    const size_t bytes = workspace_bytes(args, n_matrices);
    void* workspace = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    operation(args, {.first = 0, .count = n_matrices, .workspace = workspace, .workspace_bytes = bytes});
    std::free(workspace);
  };
  const LowRankArgs<float> cut{.n_matrices = n_matrices,
                               .rows = n,
                               .cols = n,
                               .a = a.data(),
                               .rank = rank.data(),
                               .status = status.data(),
                               .scale = LowRankScale::frobenius};
  run(cut, spectra.low_rank_workspace, spectra.low_rank);
  const SvdvalsArgs<float> values{
      .n_matrices = n_matrices, .rows = n, .cols = n, .a = a.data(), .s = s.data(), .status = status.data()};
  run(values, spectra.svdvals_workspace, spectra.svdvals);
  spectra.spectrum_measures({.n_matrices = n_matrices, .k = n, .s = s.data(), .measures = measures.data()},
                            {.first = 0, .count = n_matrices});

  std::printf("sigma_5 %.3f, sigma_6 %.1e, entropy %.3f, norm %.1f\n", double(s[4]), double(s[5]), measures[0].entropy,
              measures[0].frobenius);
  return s[5] < 1e-4f * s[0] && status[0] == SpectrumStatus::ok ? 0 : 1;
}
