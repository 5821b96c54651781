// The CPU's program of cohort/normality.h for one instruction set; normality_dispatch.cpp has checked its arguments. One sample
// after another. Compiled once per instruction set (COHORT_TARGET, COHORT_ISA come from the build).
#include "program/normality.h"

#include "cpu/radix_sort.h"
#include "program/normality_arguments.h"
#include "team/arena.h"
#include "team/serial.h"

COHORT_BEGIN

namespace {

struct Team : SerialTeam {
  template <class F>
  float largest(int n, F f) const {
    float most = 0;
    for (int i = 0; i < n; ++i) most = math::max(most, f(i));
    return most;
  }
};

struct Scratch {
  double* x;
  float *keys, *other;
  uint32_t* counts;
  Scratch(Arena& arena, int64_t n)
      : x(arena.take<double>(size_t(n))),
        keys(arena.take<float>(size_t(n))),
        other(arena.take<float>(size_t(n))),
        counts(arena.take<uint32_t>(RadixSort::n_passes * RadixSort::n_digits)) {}
};

template <class Args>
size_t workspace_bytes(const Args& a, int32_t) {
  Arena arena(nullptr);
  Scratch(arena, a.n);
  return arena.used();
}

void test_sample(const Scratch& s, int n, Normality* fit) {
  const Team team;
  standardise(team, n, s.x, s.keys, fit);
  compare(team, RadixSort::sort(s.keys, s.other, s.counts, n), fit);
}

void dual_change(const DualChangeArgs& a, const Launch& l) {
  Arena arena(l.workspace);
  const Scratch s(arena, a.n);
  for (int32_t net = l.first; net < l.first + l.count; ++net)
    for (int32_t of = 0; of < a.n_potentials; ++of) {
      draw_sample(Team{}, a, net, of, s.x);
      test_sample(s, int(a.n), fit_of(a, int64_t(net) * a.n_potentials + of));
    }
}

void log_weights(const LogWeightsArgs& a, const Launch& l) {
  Arena arena(l.workspace);
  const Scratch s(arena, a.n);
  for (int32_t net = l.first; net < l.first + l.count; ++net) {
    draw_sample(Team{}, a, net, s.x);
    test_sample(s, int(a.n), fit_of(a, net));
  }
}

constexpr NormalityProgram normality_program = {.backend = "cpu",
                                                .isa = COHORT_ISA,
                                                .dual_change_workspace = workspace_bytes<DualChangeArgs>,
                                                .dual_change = dual_change,
                                                .log_weights_workspace = workspace_bytes<LogWeightsArgs>,
                                                .log_weights = log_weights};

}  // namespace

const NormalityProgram& normality_row() { return normality_program; }

COHORT_END
