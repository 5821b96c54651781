// Whole runs in double precision, data and all, against files that runs.py computed without the engine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cohort/kernels.h"

namespace cohort {
namespace {

using Numbers = std::vector<double>;
const std::filesystem::path folder = COHORT_SOURCE_DIR "/tests/golden/runs";

template <class Id>
Id named(const std::string& name, int count, auto name_of) {
  for (int i = 0; i < count; ++i)
    if (name == name_of(Id(i))) return Id(i);
  throw std::runtime_error("golden run: nothing registered is called '" + name + "'");
}

struct Training {
  Signature signature;
  NetSpec spec;
  Numbers theta, losses, learned;
  Split split;
  int trials;
  double loss, accuracy;

  explicit Training(const std::filesystem::path& file) {
    std::ifstream stream(file);
    const nlohmann::json j = nlohmann::json::parse(stream);
    const auto& task = j.at("task");
    spec.task.id = named<TaskId>(task.at("name"), n_tasks, [](TaskId id) { return task_info(id).name; });
    const TaskInfo& about = task_info(spec.task.id);
    for (int i = 0; i < about.n_params; ++i) spec.task.param[i] = task.at(about.params[i].name);
    spec.task.loss = about.loss;
    spec.task.samples = j.at("samples");
    spec.seed = j.at("seed");
    spec.steps = j.at("steps");
    const auto& rule = j.at("rule");
    RuleSpec& r = spec.rule[int(Role::readout)];
    r.geometry = named<GeometryId>(rule.at("geometry"), n_geometries, [](GeometryId id) { return info(id).name; });
    r.schedule = named<ScheduleId>(rule.at("schedule"), n_schedules, [](ScheduleId id) { return info(id).name; });
    r.p = rule.at("p");
    r.lr = rule.at("lr");
    r.momentum = rule.at("momentum");
    spec.clip = rule.at("clip");
    signature = {.core = CoreId::feedforward,
                 .n_in = about.n_in(spec.task.param),
                 .n_layers = 0,
                 .n_out = 1,
                 .batch = j.at("batch"),
                 .n_steps = 1};
    theta = j.at("theta").get<Numbers>();
    losses = j.at("losses").get<Numbers>();
    learned = j.at("learned").get<Numbers>();
    split = j.at("split") == "test" ? Split::test : Split::validation;
    trials = j.at("trials");
    loss = j.at("evaluation").at("loss");
    accuracy = j.at("evaluation").at("right").get<double>() / trials;
  }
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};

void expect_close(const Numbers& values, const Numbers& golden) {
  ASSERT_EQ(values.size(), golden.size());
  for (size_t i = 0; i < golden.size(); ++i) EXPECT_NEAR(values[i], golden[i], 1e-11 * (1 + std::abs(golden[i]))) << i;
}

void expect_run(const Training& run, const Program<double>& program) {
  SCOPED_TRACE(program.name);
  Numbers theta = run.theta, momentum(theta.size(), std::nan("")), losses(size_t(run.spec.steps));
  NetState state;
  double loss = 0, accuracy = 0;
  const Cohort<double> cohort{.signature = run.signature,
                              .n_nets = 1,
                              .nets = &run.spec,
                              .state = &state,
                              .theta = theta.data(),
                              .momentum = momentum.data(),
                              .mask = nullptr,
                              .data = {}};
  const TrainArgs<double> train{cohort, run.spec.steps, losses.data()};
  const EvaluateArgs<double> evaluate{cohort, run.trials, run.split, &loss, &accuracy};
  const size_t bytes = std::max(program.train_workspace(train, 1), program.evaluate_workspace(evaluate, 1));
  const std::unique_ptr<void, Free> memory(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  const Launch launch{0, 1, memory.get(), bytes, nullptr};
  program.train(train, launch);
  program.evaluate(evaluate, launch);
  EXPECT_EQ(state.step, run.spec.steps);
  EXPECT_LT(state.diverged_at, 0);
  expect_close(losses, run.losses);
  expect_close(theta, run.learned);
  EXPECT_NEAR(loss, run.loss, 1e-11 * (1 + run.loss));
  if (run.spec.task.loss == LossId::bce)
    EXPECT_EQ(accuracy, run.accuracy);
  else
    EXPECT_TRUE(std::isnan(accuracy));
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenRun : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Files, GoldenRun, testing::ValuesIn(files()), [](const auto& file) { return file.param; });

TEST_P(GoldenRun, LossesParametersAndEvaluation) {
  const Training run(folder / (GetParam() + ".json"));
  expect_run(run, *cpu_program<double>(CoreId::feedforward));
  expect_run(run, *cpu_program<double>(run.signature));
}

}  // namespace
}  // namespace cohort
