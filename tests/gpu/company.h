// A network's bits do not depend on its company, on how many blocks there are, or on how its steps are cut.
#pragma once

#include <cstdlib>

#include "gpu/course.h"

namespace cohort::testing {

// Networks i of `some` alone against themselves among all; all with few workspaces, in two launches.
inline void expect_same_alone(const Program<float>& program, const Signature& g, const std::vector<NetSpec>& nets,
                              const Plan& plan, const std::vector<size_t>& some) {
  const Results all = Course<float>(program, Where::device, g, nets, plan)();
  for (const size_t i : some) {
    SCOPED_TRACE(i);
    expect_same(part(all, i, nets.size()), Course<float>(program, Where::device, g, {nets[i]}, plan)());
  }
  Plan few = plan;  // workspaces: blocks take turns, and the queue has no room for chunks
  for (const int n : {1, 3}) {
    SCOPED_TRACE(n);
    few.n_workspaces = n;
    expect_same(all, Course<float>(program, Where::device, g, nets, few)());
  }
  Plan two_launches = plan;
  two_launches.split = 3;
  expect_same(all, Course<float>(program, Where::device, g, nets, two_launches)());
}

// As many as a sweep has; a tenth of them without COHORT_FULL.
inline void expect_same_among_a_thousand(const Program<float>& program, const Signature& g, const TaskSpec& task,
                                         Plan plan) {
  const size_t count = std::getenv("COHORT_FULL") || !emulated ? 1000 : 100;
  const std::vector<NetSpec> nets = variety(g, task, int(count));
  plan.train = 2;
  plan.train_again = 1;
  const Results all = Course<float>(program, Where::device, g, nets, plan)();
  for (const size_t i : {size_t(3), count / 2, count - 2}) {
    SCOPED_TRACE(i);
    expect_same(part(all, i, count), Course<float>(program, Where::device, g, {nets[i]}, plan)());
  }
}

// More networks than blocks: the queue hands out chunks of steps, and blocks pass networks on to one another.
inline void expect_same_in_chunks(const Program<float>& program, const Signature& g, const TaskSpec& task, Plan plan) {
  const size_t count = emulated ? 20 : 5000;
  std::vector<NetSpec> nets = variety(g, task, int(count));
  for (NetSpec& s : nets) s.steps = 12;
  plan.train = 7;
  plan.train_again = 5;
#if defined(COHORT_EMULATED)
  emulator::options().n_multiprocessors = 1;
  emulator::options().smem_per_multiprocessor = 64 * 1024;  // a few blocks
#endif
  const Results all = Course<float>(program, Where::device, g, nets, plan)();
#if defined(COHORT_EMULATED)
  emulator::options().n_multiprocessors = 2;
  emulator::options().smem_per_multiprocessor = 228 * 1024;
#endif
  for (const size_t i : {size_t(1), size_t(7), count - 2}) {
    SCOPED_TRACE(i);
    const Results alone = Course<float>(program, Where::device, g, {nets[i]}, plan)();
    expect_same(part(all, i, count), alone);
    Plan other = plan;
    other.train = 1;
    other.train_again = 11;
    const Results in_other_parts = Course<float>(program, Where::device, g, {nets[i]}, other)();
    for (const char* const name : {"second theta", "second momentum", "hidden"})
      expect_same({{name, alone.at(name)}}, {{name, in_other_parts.at(name)}});
  }
}

}  // namespace cohort::testing
