// What does a training step of one network cost on one core, and what do geometry, parameterisation and instruction set
// add to it? flop/s counts flop_per_step only.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "cohort/kernels.h"

namespace {

using namespace cohort;

struct Free {
  void operator()(void* p) const { std::free(p); }
};

void train(benchmark::State& state, const Signature& g, const NetSpec& spec, const char* isa) {
  const Program<float>* const program = cpu_program<float>(CoreId::recurrent, isa);
  if (!program) {
    state.SkipWithError("this processor does not run the instruction set");
    return;
  }
  std::vector<float> theta(n_params(g)), momentum(n_params(g)), loss(1);
  NetState net_state;
  const Cohort<float> cohort{.signature = g,
                             .n_nets = 1,
                             .nets = &spec,
                             .state = &net_state,
                             .theta = theta.data(),
                             .momentum = momentum.data(),
                             .mask = nullptr,
                             .data = {}};
  program->init({cohort}, {0, 1});
  const TrainArgs<float> args{cohort, 1, loss.data()};
  const size_t bytes = program->train_workspace(args, 1);
  const std::unique_ptr<void, Free> workspace(std::aligned_alloc(256, bytes));
  for (auto _ : state) program->train(args, {0, 1, workspace.get(), bytes});
  state.counters["flop/s"] =
      benchmark::Counter(flop_per_step(g) * double(state.iterations()), benchmark::Counter::kIsRate);
}

NetSpec network() {
  NetSpec spec;
  spec.activation = ActivationId::tanh;
  spec.init.gain = 0.9;
  spec.steps = int64_t(1) << 40;
  const double task[] = {99, 0.1, 1, 1};
  std::copy(std::begin(task), std::end(task), spec.task.param);
  return spec;
}
Signature shape(int n, int n_inhibitory = 0) {
  return {.n_in = 4, .n_hidden = n, .n_out = 3, .n_inhibitory = n_inhibitory, .batch = 64, .n_steps = 100};
}

void size(benchmark::State& state) { train(state, shape(int(state.range(0))), network(), ""); }
BENCHMARK(size)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(256)->Arg(512);

void instruction_set(benchmark::State& state, const char* isa) { train(state, shape(64), network(), isa); }
BENCHMARK_CAPTURE(instruction_set, v2, "x86-64-v2");
BENCHMARK_CAPTURE(instruction_set, v3, "x86-64-v3");
BENCHMARK_CAPTURE(instruction_set, v4, "x86-64-v4");

void geometry(benchmark::State& state, GeometryId id) {
  NetSpec spec = network();
  for (RuleSpec& rule : spec.rule) {
    rule.geometry = id;
    rule.p = 2.5;  // a general power, the dearest
  }
  train(state, shape(64), spec, "");
}
#define COHORT_BENCH(word) BENCHMARK_CAPTURE(geometry, word, GeometryId::word);
COHORT_FOR_EACH_GEOMETRY(COHORT_BENCH)
#undef COHORT_BENCH

void parameterisation(benchmark::State& state, ParameterisationId id) {
  NetSpec spec = network();
  spec.parameterisation = id;
  spec.n_excitatory = 57;
  const bool dann = id == ParameterisationId::dann;
  if (dann) spec.init.recurrent = spec.init.input = spec.init.readout = DistributionId::dann;
  if (id != ParameterisationId::dense)
    for (RuleSpec& rule : spec.rule) rule.projection = ProjectionId::clamp;
  train(state, shape(64, dann ? 6 : 0), spec, "");
}
#define COHORT_BENCH(word) BENCHMARK_CAPTURE(parameterisation, word, ParameterisationId::word);
COHORT_FOR_EACH_PARAMETERISATION(COHORT_BENCH)
#undef COHORT_BENCH

void activation(benchmark::State& state, ActivationId id) {
  NetSpec spec = network();
  spec.activation = id;
  for (RuleSpec& rule : spec.rule) rule.lr = 1e-4;
  train(state, shape(64), spec, "");
}
#define COHORT_BENCH(word) BENCHMARK_CAPTURE(activation, word, ActivationId::word);
COHORT_FOR_EACH_ACTIVATION(COHORT_BENCH)
#undef COHORT_BENCH

}  // namespace
