#include "run/summary.h"

#include <gtest/gtest.h>

#include "cohort/error.h"
#include "fixture.h"

namespace cohort::engine {
namespace {

TEST(Summary, MeansOverSeedsForEachCombination) {
  const Table table = {
      {"net", "rule.geometry", "rule.p", "init.rank", "seed", "status", "final.loss", "weight_change.final",
       "final.accuracy"},
      {{int64_t(0), std::string("euclidean"), 2.0, int64_t(1), int64_t(0), std::string("ok"), 9.0, 1.0, 0.5},
       {int64_t(1), std::string("euclidean"), 2.0, int64_t(1), int64_t(1), std::string("ok"), 9.0, 2.0, 0.75},
       {int64_t(2), std::string("euclidean"), 2.0, int64_t(64), int64_t(0), std::string("ok"), 9.0, 12.5, 1.0},
       {int64_t(3), std::string("euclidean"), 2.0, int64_t(64), int64_t(1), std::string("diverged@3"), Cell(), Cell(),
        Cell()},
       {int64_t(4), std::string("p_norm"), 3.0, int64_t(1), int64_t(0), std::string("diverged@3"), Cell(), Cell(),
        Cell()}}};
  EXPECT_EQ(summary_text(table, {"rule.geometry", "rule.p", "init.rank", "seed"}),
            "                                              weight_change.\n"
            "rule.geometry  init.rank  networks  diverged           final  final.accuracy\n"
            "euclidean              1         2         -    1.50 +- 0.71  0.625 +- 0.177\n"
            "euclidean             64         2         1           12.50           1.000\n"
            "p_norm                 1         1         1               -               -\n");
}

TEST(Summary, ChosenColumnsAndLimits) {
  const Table table = {
      {"net", "seed", "status", "final.loss"},
      {{int64_t(0), int64_t(0), std::string("ok"), 0.5}, {int64_t(1), int64_t(1), std::string("ok"), 1.5}}};
  EXPECT_EQ(summary_text(table, {"seed"}), "networks  diverged      final.loss\n       2         -  1.000 +- 0.707\n");
  EXPECT_EQ(summary_text(table, {"seed"}, {{"final.loss"}, 0}),
            "networks  diverged  final.loss\n... and 1 more groups\n");
  EXPECT_THROW(summary_text(table, {"seed"}, {{"nonsense"}, 10}), Error);
}

TEST(Show, ProgressAxesAndTable) {
  const TemporaryDirectory here;
  RunDirectory run = RunDirectory::open(here / "run", small(), kCpu);
  EXPECT_NE(show(run).find("small: 0 of 24 networks done (0 of 2 units), 0 diverged\n"), std::string::npos);
  run.finish_unit(0, made_up(run.networks(0)));
  const std::string text = show(run);
  EXPECT_EQ(text,
            "small: 12 of 24 networks done (1 of 2 units), 1 diverged, 2 left the range of fp16 and went on in bf16x3\n"
            "axes\n"
            "  network.n_hidden  2  [8, 16]\n"
            "  seed              4  {range = [5, 9, 1]}\n"
            "  rule.geometry     3  [\"euclidean\", \"neg_entropy\", \"p_norm\"]\n"
            "  + rule.lr            [0.003, 0.1, 0.003]\n"
            "\n"
            "mean +- standard deviation over networks that differ in their seed only\n"
            "                                   weight_change.\n"
            "rule.geometry  networks  diverged           final    final.accuracy\n"
            "euclidean             4         1  1.000 +- 1.000  0.5500 +- 0.0458\n"
            "neg_entropy           4         -  1.500 +- 1.291  0.5600 +- 0.0458\n"
            "p_norm                4         -  1.500 +- 1.291  0.5650 +- 0.0387\n");
}

}  // namespace
}  // namespace cohort::engine
