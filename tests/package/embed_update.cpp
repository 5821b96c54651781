// Mirror descent on arrays of one's own: the learning rule alone, for 1000 linear models at once, each with its own geometry.
// On CUDA the same calls take device pointers: cuda_update<float>(), with Launch::stream; link cohort::kernels_cuda.
#include <cmath>
#include <cstdio>
#include <vector>

#include "cohort/update.h"

int main() {
  using namespace cohort;
  constexpr int32_t n_nets = 1000, n = 20;  // weights are [n_nets][n]
  std::vector<float> weights(n_nets * n, 0.5f), gradient(n_nets * n), momentum(n_nets * n), lr(n_nets, 0.1f);
  std::vector<RuleSpec> rules(n_nets);
  for (int i = 0; i < n_nets; ++i) {
    rules[i].geometry = GeometryId(i % n_geometries);
    rules[i].p = 3;  // where the geometry is p_norm
    rules[i].momentum = 0.5;
  }

  const UpdateProgram<float>* program = cpu_update<float>();  // the best this processor runs
  MirrorUpdateArgs<float> update{.n_nets = n_nets,
                                 .n = n,
                                 .weights = weights.data(),
                                 .gradient = gradient.data(),
                                 .momentum = momentum.data(),
                                 .rules = rules.data(),
                                 .lr = lr.data()};
  const auto target = [](int j) { return 0.1f * float(1 + j % 10); };  // loss = sum (w - target)^2 / 2
  for (int step = 0; step < 500; ++step) {
    for (int i = 0; i < n_nets * n; ++i) gradient[i] = weights[i] - target(i % n);
    update.step = step;
    program->mirror_update(update, {.first = 0, .count = n_nets});
  }

  float worst = 0;
  for (int i = 0; i < n_nets * n; ++i) worst = std::fmax(worst, std::fabs(weights[i] - target(i % n)));
  std::printf("%d networks, largest error %.1e on %s\n", n_nets, double(worst), program->isa);
  return worst < 1e-3f ? 0 : 1;
}
