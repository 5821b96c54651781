// How fast does mirror_update move weights? On one core: per geometry and instruction set, from cache and from memory. On a card
// (where CUDA is built): many shapes, with the share of a device-to-device copy's bandwidth in the same run.
#include "cohort/update.h"

#include <benchmark/benchmark.h>

#include <vector>

#if defined(COHORT_BENCH_CUDA)
#include "cohort/error.h"
#include "device/cuda_update_bandwidth.h"
#endif

namespace {

using namespace cohort;

void update(benchmark::State& state, int32_t n_nets, int64_t n, GeometryId id, const char* isa) {
  const UpdateProgram<float>* const program = cpu_update<float>(isa);
  if (!program) {
    state.SkipWithError("this processor does not run the instruction set");
    return;
  }
  const size_t size = size_t(n_nets) * size_t(n);
  std::vector<float> weights(size, 0.5f), gradient(size, 1e-3f), momentum(size), lr(size_t(n_nets), 1e-6f);
  std::vector<RuleSpec> rules(static_cast<size_t>(n_nets));
  for (RuleSpec& r : rules) {
    r.geometry = id;
    r.p = 3;
  }
  const MirrorUpdateArgs<float> args{.n_nets = n_nets,
                                     .n = n,
                                     .weights = weights.data(),
                                     .gradient = gradient.data(),
                                     .momentum = momentum.data(),
                                     .rules = rules.data(),
                                     .lr = lr.data(),
                                     .step = 1};
  for (auto _ : state) program->mirror_update(args, {.count = n_nets});
  state.counters["bytes/s"] = benchmark::Counter(update_bytes(args) * double(state.iterations()),
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
  state.counters["weights/s"] = benchmark::Counter(double(size) * double(state.iterations()),
                                                   benchmark::Counter::kIsRate, benchmark::Counter::kIs1000);
}

void cached(benchmark::State& state, GeometryId id) { update(state, 1, 4096, id, ""); }
void memory(benchmark::State& state, GeometryId id) { update(state, 4, 1 << 20, id, ""); }
void tiny(benchmark::State& state, GeometryId id) { update(state, 10'000, 100, id, ""); }
#define COHORT_BENCH(word)                           \
  BENCHMARK_CAPTURE(cached, word, GeometryId::word); \
  BENCHMARK_CAPTURE(memory, word, GeometryId::word); \
  BENCHMARK_CAPTURE(tiny, word, GeometryId::word);
COHORT_FOR_EACH_GEOMETRY(COHORT_BENCH)
#undef COHORT_BENCH

void instruction_set(benchmark::State& state, const char* isa) { update(state, 1, 4096, GeometryId::neg_entropy, isa); }
BENCHMARK_CAPTURE(instruction_set, v2, "x86-64-v2");
BENCHMARK_CAPTURE(instruction_set, v3, "x86-64-v3");
BENCHMARK_CAPTURE(instruction_set, v4, "x86-64-v4");

#if defined(COHORT_BENCH_CUDA)
void card(benchmark::State& state, const engine::UpdateBandwidthCase& shape) {
  try {
    engine::UpdateBandwidth b;
    for (auto _ : state) {
      b = engine::measure_update_bandwidth(shape);
      state.SetIterationTime(b.seconds_per_update);
    }
    state.counters["bytes/s"] = benchmark::Counter(b.update_bytes_per_s, {}, benchmark::Counter::kIs1000);
    state.counters["copy bytes/s"] = benchmark::Counter(b.copy_bytes_per_s, {}, benchmark::Counter::kIs1000);
    state.counters["share of copy"] = b.share();
  } catch (const CudaError& e) {
    state.SkipWithError(e.what());
  }
}
using Card = engine::UpdateBandwidthCase;
#define COHORT_CARD(name, ...) BENCHMARK_CAPTURE(card, name, Card __VA_ARGS__)->Iterations(1)->UseManualTime()
#define COHORT_BENCH(word)                                                                 \
  COHORT_CARD(huge_##word, {.n_nets = 10, .n = 10'000'000, .geometry = GeometryId::word}); \
  COHORT_CARD(tiny_##word, {.n_nets = 100'000, .n = 1000, .geometry = GeometryId::word});
COHORT_FOR_EACH_GEOMETRY(COHORT_BENCH)
#undef COHORT_BENCH
COHORT_CARD(tinier, {.n_nets = 1'000'000, .n = 100});
COHORT_CARD(tiniest, {.n_nets = 5'000'000, .n = 16});
COHORT_CARD(odd_rows, {.n_nets = 100'000, .n = 1001});
COHORT_CARD(off_by_one, {.n_nets = 10, .n = 10'000'000, .offset = 1});
COHORT_CARD(masked, {.n_nets = 10, .n = 10'000'000, .mask = true});
COHORT_CARD(frozen_signs, {.n_nets = 10, .n = 10'000'000, .projection = ProjectionId::frozen_sign});
COHORT_CARD(any_power, {.n_nets = 10, .n = 10'000'000, .geometry = GeometryId::p_norm, .p = 2.5});
#endif

}  // namespace
