#include "run/units.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "fixture.h"

namespace cohort::engine {
namespace {

Signature of_size(int n) {
  Signature s;
  s.n_in = 1, s.n_hidden = n, s.n_out = 2, s.batch = 4, s.n_steps = 3;
  return s;
}

TEST(Ranges, RoundTripAndAreFew) {
  const std::vector<std::vector<int64_t>> lists = {
      {}, {7}, {0, 1, 2, 3}, {0, 3, 6, 9}, {0, 1, 6, 7, 12, 13}, {0, 10, 11, 12, 100}, {5, 6, 8, 11, 15}};
  const size_t few[] = {0, 1, 1, 1, 3, 3, 3};
  for (size_t i = 0; i < lists.size(); ++i) {
    const std::vector<NetRange> ranges = to_ranges(lists[i]);
    EXPECT_EQ(from_ranges(ranges), lists[i]);
    EXPECT_EQ(n_networks(ranges), int64_t(lists[i].size()));
    EXPECT_LE(ranges.size(), few[i]) << i;
  }
}

TEST(Units, EveryNetworkOnceInSweepOrderAndOfOneSignature) {
  const auto cost = [](int64_t net) { return NetCost{of_size(int(8 + net % 3)), net % 7 ? 3e9 : 4e11}; };
  constexpr int64_t size = 20000;
  const std::vector<Unit> units = cut_units(size, cost);
  std::vector<int> seen(size, 0);
  int64_t before = -1;
  for (const Unit& unit : units) {
    const std::vector<int64_t> networks = from_ranges(unit.networks);
    ASSERT_FALSE(networks.empty());
    EXPECT_GT(networks.front(), before);
    before = networks.front();
    EXPECT_TRUE(std::is_sorted(networks.begin(), networks.end()));
    EXPECT_LE(int64_t(networks.size()), kMaxUnitNetworks);
    double flop = 0;
    for (const int64_t net : networks) {
      ++seen[size_t(net)];
      EXPECT_EQ(cost(net).signature, unit.signature);
      flop += cost(net).flop;
    }
    EXPECT_LE(flop, kUnitFlop);
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), size);
  // No more units than needed: two neighbours of one signature do not fit into one.
  for (int n = 8; n < 11; ++n) {
    double previous = 2 * kUnitFlop;
    for (const Unit& unit : units) {
      if (unit.signature != of_size(n)) continue;
      double flop = 0;
      for (const int64_t net : from_ranges(unit.networks)) flop += cost(net).flop;
      EXPECT_GT(previous + flop, kUnitFlop);
      previous = flop;
    }
  }
}

TEST(Units, LargeNetworksStandAlone) {
  const std::vector<Unit> units = cut_units(3, [](int64_t) { return NetCost{of_size(8), 5e13}; });
  EXPECT_EQ(units.size(), 3u);
}

TEST(Units, AMillionNetworksTakeSeconds) {
  const Experiment experiment = Experiment::parse(
      "name = \"many\"\n[task]\nname = \"perceptual_decision\"\n[sweep]\nseed = {range = [0, 100000]}\n"
      "\"network.n_hidden\" = [16, 64]\n\"init.rank\" = [1, 2, 3, 4, 5]\n");
  ASSERT_EQ(experiment.size(), 1000000);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Unit> units = cut_units(experiment);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("1,000,000 networks into %zu units: %.2f s\n", units.size(), seconds);
  int64_t n = 0;
  for (const Unit& unit : units) n += n_networks(unit.networks);
  EXPECT_EQ(n, 1000000);
  EXPECT_LT(seconds, 30) << "a generous bound for a busy machine or a sanitizer";
}

}  // namespace
}  // namespace cohort::engine
