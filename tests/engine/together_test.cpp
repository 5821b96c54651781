// Units that are trained together: none is lost, workers have work, and shards are those of units that were trained alone.
#include "runner/together.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "device/device.h"
#include "run/units.h"
#include "runner/runner.h"

namespace cohort::engine {
namespace {

// Three signatures, of which one has networks of two lengths; six networks of each.
const char* const kSmall = R"(
name = "small"
[task]
name = "adding"
[rule]
lr = 0.01
[eval]
every = 4
trials = 20
[analysis]
names = ["svd_entropy"]
every = 5
[output]
history_every = 2
weights = "final"
[sweep]
seed = { range = [0, 6] }
[[sweep.zip]]
"network.n_hidden" = [5, 8, 5, 12]
"train.steps" = [10, 10, 17, 10]
)";

// Two networks of equal signature and length, or one.
std::vector<std::vector<int64_t>> small_units(const Experiment& e) {
  std::vector<std::vector<int64_t>> units;
  for (int64_t i = 0; i < e.size(); ++i) {
    const auto same = [&](const std::vector<int64_t>& unit) {
      const ResolvedNetwork a = e.network(unit.front()), b = e.network(i);
      return unit.size() < 2 && a.signature == b.signature && a.spec.steps == b.spec.steps;
    };
    const auto it = std::find_if(units.begin(), units.end(), same);
    if (it == units.end())
      units.push_back({i});
    else
      it->push_back(i);
  }
  return units;
}

TEST(Together, EveryUnitOnceWithItsLike) {
  const Experiment e = Experiment::parse(kSmall);
  const auto units = small_units(e);
  ASSERT_EQ(units.size(), 12u);
  for (const int workers : {1, 2, 3, 100}) {
    std::vector<int> seen(units.size(), 0);
    size_t previous = 0;
    for (const auto& group : trained_together(e, units, workers)) {
      EXPECT_TRUE(std::is_sorted(group.begin(), group.end()));
      EXPECT_GE(group.front(), previous);
      previous = group.front();
      const ResolvedNetwork first = e.network(units[group.front()].front());
      for (const size_t u : group) {
        ++seen[u];
        EXPECT_EQ(e.network(units[u].front()).signature, first.signature);
        EXPECT_EQ(e.network(units[u].front()).spec.steps, first.spec.steps);
      }
      // The last unit was needed.
      EXPECT_LT(int(networks_of(units, group).size() - units[group.back()].size()), 4 * workers);
    }
    EXPECT_EQ(seen, std::vector<int>(units.size(), 1));
    EXPECT_EQ(trained_together(e, units, workers).size(), workers == 1 ? 8u : 4u);
  }
}

template <class T>
void expect_same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(T)), 0);
}

TEST(Together, ResultsAreThoseOfUnitsAlone) {
  const Experiment e = Experiment::parse(kSmall);
  const auto device = open_cpu_device(2);
  const auto units = small_units(e);
  const RunContext context{*device, e, Dataset{}};
  for (const auto& group : trained_together(e, units, 100)) {
    const UnitResult all = run_networks(context, networks_of(units, group)).value();
    size_t first = 0;
    for (const size_t u : group) {
      const UnitResult part = rows(all, first, units[u].size()), alone = run_networks(context, units[u]).value();
      first += units[u].size();
      EXPECT_EQ(part.net, units[u]);
      EXPECT_EQ(part.diverged_at, alone.diverged_at);
      EXPECT_EQ(part.overflowed_at, alone.overflowed_at);
      ASSERT_EQ(part.columns.size(), alone.columns.size());
      ASSERT_EQ(part.series.size(), alone.series.size());
      ASSERT_EQ(part.arrays.size(), alone.arrays.size());
      EXPECT_GT(part.columns.size(), 2u);
      EXPECT_GT(part.series.size(), 2u);
      EXPECT_GT(part.arrays.size(), 2u);
      for (size_t i = 0; i < part.columns.size(); ++i) {
        EXPECT_EQ(part.columns[i].name, alone.columns[i].name);
        expect_same_bits(part.columns[i].value, alone.columns[i].value);
      }
      for (size_t i = 0; i < part.series.size(); ++i) {
        EXPECT_EQ(part.series[i].step, alone.series[i].step);
        expect_same_bits(part.series[i].value, alone.series[i].value);
      }
      for (size_t i = 0; i < part.arrays.size(); ++i) {
        EXPECT_EQ(part.arrays[i].shape, alone.arrays[i].shape);
        expect_same_bits(part.arrays[i].value, alone.arrays[i].value);
      }
    }
  }
}

}  // namespace
}  // namespace cohort::engine
