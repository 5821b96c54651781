// What holds for every registered task.
#include <set>
#include <string>

#include "draw.h"

namespace cohort::test {
namespace {

// Every task at its small settings, and with each parameter at its least value and at a larger one.
template <class Task, class F>
void for_each_setting(const char* name, F f) {
  f(small_settings<Task>());
  int k = 0;
  for (const ParamInfo& info : Task::params) {
    for (double value : {info.min, std::min(info.max, small_settings<Task>()[size_t(k)] + 3)}) {
      SCOPED_TRACE(std::string(name) + "." + info.name + " = " + std::to_string(value));
      Params p = small_settings<Task>();
      p[size_t(k)] = value;
      f(p);
    }
    ++k;
  }
}

template <class Task>
void well_formed(const char* name) {
  SCOPED_TRACE(name);
  std::set<std::string> names;
  for (const ParamInfo& info : Task::params) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_LE(info.min, info.value) << info.name;
    EXPECT_GE(info.max, info.value) << info.name;
    EXPECT_STRNE(info.doc, "");
  }
  EXPECT_LE(names.size(), size_t(max_task_params));
  EXPECT_STRNE(Task::doc, "");

  for_each_setting<Task>(name, [&](const Params& p) {
    const SmallData<Task> data(p);
    const int steps = Task::n_steps(p.data());
    ASSERT_GT(Task::n_in(p.data()), 0);
    ASSERT_GT(Task::n_out(p.data()), 0);
    ASSERT_GT(steps, 0);
    int decisions = 0;
    for (int t = 0; t < steps; ++t) {
      decisions += Task::decision(p.data(), t);
      for (int i = 0; i < Task::n_in(p.data()); ++i) ASSERT_GE(Task::noise_sd(p.data(), t, i), 0);
    }
    EXPECT_GE(decisions, 1);
    for (uint32_t i = 0; i < 200; ++i) {
      const Drawn<float> d = draw<Task, float>(p, {1, 0, i}, true, data.view(), int(i % 20));
      for (float v : d.x) ASSERT_TRUE(std::isfinite(v));
      for (float v : d.target) ASSERT_TRUE(std::isfinite(v));
      for (int label : d.label) {
        if (!Task::classes) continue;
        ASSERT_GE(label, 0);
        ASSERT_LT(label, d.n_out);
      }
      for (uint8_t weight : d.weight) ASSERT_LE(weight, 1);
    }
  });
}
TEST(EveryTask, HasTheShapesAndRangesItNames) {
#define COHORT_CHECK(task) well_formed<task>(#task);
  COHORT_FOR_EACH_TASK(COHORT_CHECK)
#undef COHORT_CHECK
}

template <class Task>
void determined_by_key(const char* name) {
  SCOPED_TRACE(name);
  const Params p = small_settings<Task>();
  const SmallData<Task> data(p);
  const auto trials = [&](uint64_t seed, uint64_t step, uint32_t first) {
    std::vector<Drawn<double>> all;
    for (uint32_t i = 0; i < 20; ++i) all.push_back(draw<Task>(p, {seed, step, first + i}, true, data.view(), 3));
    return all;
  };
  const auto reference = trials(1, 0, 0);
  EXPECT_EQ(trials(1, 0, 0), reference);
  if (Task::needs_data != DataKind::none) {  // the sample says it all
    EXPECT_EQ(trials(2, 1, 50), reference);
    return;
  }
  EXPECT_NE(trials(2, 0, 0), reference);
  EXPECT_NE(trials(1, 1, 0), reference);
  EXPECT_NE(trials(1, 0, 50), reference);
  const auto shifted = trials(1, 0, 7);  // a trial does not depend on those before it
  for (size_t i = 0; i + 7 < reference.size(); ++i) EXPECT_EQ(shifted[i], reference[i + 7]);
}
TEST(EveryTask, IsDeterminedByItsKey) {
#define COHORT_CHECK(task) determined_by_key<task>(#task);
  COHORT_FOR_EACH_TASK(COHORT_CHECK)
#undef COHORT_CHECK
}

template <class Task>
void same_in_float(const char* name) {
  SCOPED_TRACE(name);
  const Params p = small_settings<Task>();
  const SmallData<Task> data(p);
  for (uint32_t i = 0; i < 200; ++i) {
    const Drawn<float> a = draw<Task, float>(p, {1, 0, i}, false, data.view(), int(i % 20));
    const Drawn<double> b = draw<Task, double>(p, {1, 0, i}, false, data.view(), int(i % 20));
    EXPECT_EQ(a.label, b.label);
    EXPECT_EQ(a.weight, b.weight);
    for (size_t k = 0; k < a.x.size(); ++k) ASSERT_NEAR(double(a.x[k]), b.x[k], 3e-7);
    for (size_t k = 0; k < a.target.size(); ++k) ASSERT_NEAR(double(a.target[k]), b.target[k], 6e-7);
  }
}
TEST(EveryTask, IsTheSameInFloatAndDouble) {
#define COHORT_CHECK(task) same_in_float<task>(#task);
  COHORT_FOR_EACH_TASK(COHORT_CHECK)
#undef COHORT_CHECK
}

}  // namespace
}  // namespace cohort::test
