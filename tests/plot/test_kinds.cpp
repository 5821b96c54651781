// The kinds of `cohort plot`: what is chosen, what is drawn, what is said about it; wrong requests are refused in one line.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "cohort/error.h"
#include "plot/arms.h"
#include "plot/bars_figure.h"
#include "plot/chosen.h"
#include "plot/heatmap_figure.h"
#include "plot/plot.h"
#include "plot/scatter_figure.h"
#include "plot/select.h"
#include "plot/spectra_figure.h"
#include "plot/sweep_figure.h"
#include "svg_reader.h"

namespace cohort::engine {
namespace {

const double nan = no_number, infinity = std::numeric_limits<double>::infinity();

// 2 models x 3 sizes x 2 clips x 5 seeds. Clip 1 scores better at size 10, clip 5 elsewhere, where "ei" networks of size 30 with
// clip 5 diverge, one of five; at size 20 "ei" networks diverge whatever the clip.
Table models_table() {
  Table table{{"net", "model", "network.n_hidden", "rule.clip", "seed", "status", "final.loss", "final.accuracy",
               "svd_entropy.final"},
              {}};
  for (const char* model : {"dense", "ei"})
    for (const int64_t size : {10, 20, 30})
      for (const double clip : {1.0, 5.0})
        for (int64_t seed = 0; seed < 5; ++seed) {
          const bool ei = model[0] == 'e';
          const bool diverged = ei && (size == 20 || (size == 30 && clip == 5 && seed == 3));
          const double accuracy = (ei ? 0.7 : 0.9) + ((size == 10) == (clip == 1) ? 0.05 : 0) + 0.001 * double(seed);
          std::vector<Cell> row = {int64_t(table.rows.size()),
                                   std::string(model),
                                   size,
                                   clip,
                                   seed,
                                   std::string(diverged ? "diverged@7" : "ok")};
          for (const double value : {1 - accuracy, accuracy, 1 - 0.5 * accuracy})
            row.push_back(diverged ? Cell() : Cell(value));
          table.rows.push_back(row);
        }
  return table;
}

std::string refusal(const PlotOptions& options, const Table& table = models_table()) {
  try {
    plot_table(table, options, "");
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text;
  }
  return "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// ---- arms -----------------------------------------------------------------------------------------------------------
TEST(Arms, AreNetworksThatDifferInTheirSeedOnly) {
  const Arms arms = arms_of(models_table());
  ASSERT_EQ(arms.size(), 12u);
  EXPECT_EQ(arms.label[0], "dense, hidden units = 10, rule.clip = 1");
  EXPECT_EQ(arms.label[11], "ei, hidden units = 30, rule.clip = 5");
  for (const auto& rows : arms.rows) EXPECT_EQ(rows.size(), 5u);
  EXPECT_FALSE(arms.ordered);
}

TEST(Arms, AreThoseAskedFor) {
  const std::vector<std::string> by = {"network.n_hidden"};
  const Arms arms = arms_of(models_table(), by);
  EXPECT_EQ(arms.label, (std::vector<std::string>{"10", "20", "30"}));
  EXPECT_EQ(arms.title, "hidden units");
  EXPECT_TRUE(arms.ordered);
  EXPECT_EQ(arms.pooled, (std::vector<std::string>{"model", "rule.clip"}));
  const std::vector<std::string> excluded = {"rule.clip"};
  EXPECT_EQ(arms_of(models_table(), {}, excluded).size(), 6u);
}

TEST(Arms, OfARunWithoutSweepIsOne) {
  const Table table{{"net", "seed", "status", "final.loss"}, {{int64_t(0), int64_t(0), std::string("ok"), 0.5}}};
  EXPECT_EQ(arms_of(table).label, std::vector<std::string>{"all networks"});
  EXPECT_EQ(arms_of({}).size(), 0u);
}

TEST(Where, KeepsTheNetworksThatSatisfyAllConditions) {
  const auto count = [](const std::vector<std::string>& conditions) {
    return networks_where(models_table(), conditions).rows.size();
  };
  EXPECT_EQ(count({}), 60u);
  EXPECT_EQ(count({"model=ei"}), 30u);
  EXPECT_EQ(count({"model=ei", "rule.clip=5.0"}), 15u);  // numbers as numbers
  EXPECT_EQ(count({"network.n_hidden=10", "network.n_hidden=30"}), 40u);
  EXPECT_EQ(count({"seed=2", "status=ok"}), 10u);
}

// ---- choice of settings ---------------------------------------------------------------------------------------------
TEST(Choose, TakesTheBestSettingOfEachArm) {
  const std::vector<std::string> keys = {"rule.clip"};
  const Chosen chosen = choose(models_table(), keys, "final.accuracy");
  ASSERT_EQ(chosen.choices.size(), 6u);
  const auto setting = [&](size_t arm) { return chosen.choices[arm].setting[0]; };
  EXPECT_EQ(setting(0), "1");  // dense, 10
  EXPECT_EQ(setting(1), "5");
  EXPECT_EQ(setting(2), "5");
  EXPECT_EQ(setting(3), "1");  // ei, 10
  EXPECT_FALSE(chosen.choices[4].found);
  EXPECT_EQ(setting(5), "1");  // clip 5 has the better mean over four, but the fifth diverged
  EXPECT_NEAR(chosen.choices[0].score.mean, 0.952, 1e-12);
  EXPECT_EQ(chosen.choices[0].n_networks(), 5u);
  EXPECT_EQ(chosen.table.rows.size(), 30u);
  EXPECT_EQ(chosen.without.size(), 5u);  // ei, 20: still there, but empty
  const Arms arms = arms_of(chosen.table, {}, keys);
  EXPECT_EQ(arms.size(), 6u);
}

// Two models, four rates, two seeds; model a: 1, 2, 2, diverged; model b: 4, 3, 2, 1 as the largest of its own grid.
Table rates_table() {
  Table table{{"net", "model", "rule.lr", "seed", "status", "final.loss", "x.final"}, {}};
  const double score[2][4] = {{1, 2, 2, 0}, {4, 3, 2, 1}};
  for (int64_t m = 0; m < 2; ++m)
    for (int64_t i = 0; i < 4; ++i)
      for (int64_t seed = 0; seed < 2; ++seed) {
        const bool diverged = m == 0 && i == 3;
        std::vector<Cell> row = {int64_t(table.rows.size()), std::string(m ? "b" : "a"), std::pow(10.0, double(i - 3)),
                                 seed, std::string(diverged ? "diverged@3" : "ok")};
        row.push_back(diverged ? Cell() : Cell(score[m][i] + double(seed)));
        row.push_back(diverged ? Cell() : Cell(double(10 * i)));
        table.rows.push_back(row);
      }
  return table;
}

TEST(Choose, SaysWhatIsAtTheEdgeAndWhatIsTied) {
  const std::vector<std::string> keys = {"rule.lr"};
  const Table table = rates_table();
  const Chosen least = choose(table, keys, "final.loss", {.minimise = true});
  EXPECT_EQ(least.choices[0].setting[0], "0.001");
  EXPECT_EQ(least.choices[0].edges, keys);  // of its smallest rate
  EXPECT_EQ(least.choices[0].n_tied, 0u);
  EXPECT_EQ(least.choices[1].edges, keys);  // of its largest
  const Chosen most = choose(table, keys, "final.loss");
  EXPECT_EQ(most.choices[0].setting[0], "0.01");
  EXPECT_TRUE(most.choices[0].edges.empty());  // larger rates diverged, but were tried
  EXPECT_EQ(most.choices[0].n_tied, 1u);
  EXPECT_EQ(choose(table, keys, "final.loss", {.per_seed = true}).choices.size(), 4u);
  const std::vector<std::string> one = {"rule.lr=0.01"};
  EXPECT_TRUE(
      choose(networks_where(table, one), keys, "final.loss").choices[0].edges.empty());  // of one nothing is an edge
}

TEST(Select, GivesOneRowAnArm) {
  const Selection chosen =
      select_settings(rates_table(), {.over = {"rule.lr"}, .by = "final.loss", .measures = {"x.final"}});
  EXPECT_EQ(chosen.table.columns,
            (std::vector<std::string>{"model", "rule.lr", "n_networks", "final.loss.mean", "final.loss.sd",
                                      "final.loss.n", "x.final.mean", "x.final.sd", "x.final.n", "tied", "edge"}));
  ASSERT_EQ(chosen.table.rows.size(), 2u);
  const double sd = std::sqrt(0.5);
  EXPECT_EQ(chosen.table.rows[0], (std::vector<Cell>{std::string("a"), 1e-3, int64_t(2), 1.5, sd, int64_t(2), 0.0, 0.0,
                                                     int64_t(2), int64_t(0), std::string("rule.lr")}));
  EXPECT_EQ(chosen.table.rows[1], (std::vector<Cell>{std::string("b"), 1.0, int64_t(2), 1.5, sd, int64_t(2), 30.0, 0.0,
                                                     int64_t(2), int64_t(0), std::string("rule.lr")}));
  EXPECT_EQ(chosen.warnings, std::vector<std::string>{"2 of 2 arms: best at the edge of the grid (rule.lr)"});
  const Selection largest =
      select_settings(rates_table(), {.over = {"rule.lr"}, .by = "x.final", .minimise = false, .where = {"model=a"}});
  EXPECT_EQ(largest.table.rows[0][0], Cell(0.1));  // the only arm has no key; a larger rate diverged
  EXPECT_THROW(select_settings(rates_table(), {.over = {"rule.lr"}, .by = "x.final"}), Error);
  EXPECT_THROW(select_settings(rates_table(), {.over = {"rule.l"}, .by = "final.loss"}), Error);
  EXPECT_THROW(select_settings(rates_table(), {.over = {"rule.lr"}, .by = "final.loss", .measures = {"y"}}), Error);
  EXPECT_THROW(select_settings(rates_table(), {.over = {"rule.lr"}, .by = "final.los"}), Error);
  EXPECT_THROW(select_settings({{"net", "rule.lr", "final.loss"}, {}}, {.over = {"rule.lr"}, .by = "final.loss"}),
               Error);
}

TEST(Choose, MinimisesIfAskedTo) {
  const std::vector<std::string> keys = {"rule.clip"};
  const Chosen best = choose(models_table(), keys, "final.accuracy");
  const Chosen least = choose(models_table(), keys, "final.loss", {.minimise = true});
  for (size_t i = 0; i < best.choices.size(); ++i) EXPECT_EQ(best.choices[i].setting, least.choices[i].setting);
  EXPECT_EQ(choose(models_table(), keys, "final.loss").choices[0].setting[0], "5");
}

// ---- bars -----------------------------------------------------------------------------------------------------------
TEST(Bars, HaveOneBarPerArmAndADotPerNetwork) {
  const Plot plot = plot_table(
      models_table(), {.kind = "bars", .select = {"rule.clip"}, .score = "final.accuracy", .error = true}, "models");
  const Contents seen = contents(plot.svg);
  EXPECT_EQ(seen.n_rects, 5u);
  EXPECT_EQ(seen.n_dots, 2u * 25);  // each with a rim
  EXPECT_EQ(seen.count("no value"), 1u);
  EXPECT_EQ(seen.count("error"), 1u);
  EXPECT_EQ(seen.count("models"), 1u);
  EXPECT_TRUE(seen.says("Each arm with its best rule.clip by mean final.accuracy."));
  EXPECT_TRUE(seen.says("One arm has no network with a finite final.accuracy."));
  EXPECT_TRUE(seen.says("***"));
  EXPECT_TRUE(has(plot.text, "p_holm"));
  EXPECT_TRUE(has(plot.text, "ei, hidden units = 20"));
  EXPECT_TRUE(has(plot.json, "\"comparisons\""));
  EXPECT_FALSE(has(plot.json, "nan"));
}

TEST(Bars, MarkAllPairsOfFewArms) {
  const Plot plot = plot_table(models_table(), {.kind = "bars", .by = {"network.n_hidden"}}, "");
  const Contents seen = contents(plot.svg);
  EXPECT_EQ(seen.n_rects, 3u);
  EXPECT_EQ(seen.count("n.s.") + seen.count("*") + seen.count("**") + seen.count("***"), 3u);
  EXPECT_TRUE(seen.says("Pooled over model, rule.clip."));
  EXPECT_TRUE(seen.says("11 of 60 networks diverged and are left out."));
}

TEST(Bars, DrawTheTestThatIsAskedFor) {
  const std::vector<std::string> where = {"network.n_hidden=10", "rule.clip=1"};
  const Contents welch = contents(plot_table(models_table(), {.kind = "bars", .where = where}, "").svg);
  EXPECT_EQ(welch.count("***"), 1u);
  const Contents ranks =
      contents(plot_table(models_table(), {.kind = "bars", .where = where, .test = "mann_whitney"}, "").svg);
  EXPECT_EQ(ranks.count("**"), 1u);  // 2 / C(10, 5) = 0.0079
  EXPECT_TRUE(ranks.says("Mann-Whitney"));
}

TEST(Bars, OfNothingAreDrawn) {
  Table table = models_table();
  for (auto& row : table.rows)
    for (size_t c = 6; c < row.size(); ++c) row[c] = Cell();
  const Plot plot = plot_table(table, {.kind = "bars", .measures = {"final.accuracy"}}, "");
  EXPECT_EQ(contents(plot.svg).count("no value"), 12u);
  EXPECT_EQ(contents(bars_figure({})).n_rects, 0u);
  const Contents one = contents(bars_figure({.label = {"a"}, .values = {{nan, infinity, -3}}}));
  EXPECT_EQ(one.n_rects, 1u);
  EXPECT_THROW(bars_figure({.label = {"a"}}), Error);
  EXPECT_THROW(bars_figure({.label = {"a"}, .values = {{1}}, .brackets = {{0, 1, "*"}}}), Error);
}

TEST(Bars, BracketsThatOverlapStandAtDifferentHeights) {
  BarsFigure figure{.label = {"a", "b", "c", "d"}, .values = {{1, 2}, {2, 3}, {3, 4}, {4, 5}}};
  for (size_t a = 0; a < 4; ++a)
    for (size_t b = a + 1; b < 4; ++b) figure.brackets.push_back({a, b, "p" + std::to_string(a) + std::to_string(b)});
  const Element root = Reader(bars_figure(figure)).document();
  std::vector<std::array<double, 3>> spans;  // from, to, y
  visit(root, [&](const Element& e) {
    if (e.name != "polyline") return;
    double x[4], y[4];
    ASSERT_EQ(std::sscanf(e.attribute("points").c_str(), "%lf,%lf %lf,%lf %lf,%lf %lf,%lf", &x[0], &y[0], &x[1], &y[1],
                          &x[2], &y[2], &x[3], &y[3]),
              8);
    spans.push_back({x[0], x[3], y[1]});
  });
  ASSERT_EQ(spans.size(), 6u);
  for (size_t i = 0; i < spans.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (spans[i][0] < spans[k][1] && spans[k][0] < spans[i][1]) {
        EXPECT_GE(std::abs(spans[i][2] - spans[k][2]), 15) << i << " and " << k;
      }
}

TEST(Bars, NameTheSplitOfAMeasure) {
  Table table = models_table();
  table.columns[7] = "final.accuracy.validation";
  const PlotOptions options{.kind = "bars", .measures = {"final.accuracy.validation"}, .error = true};
  EXPECT_EQ(contents(plot_table(table, options, "").svg).count("error (validation)"), 1u);
}

// ---- scatter --------------------------------------------------------------------------------------------------------
TEST(Scatter, HasAMarkerPerNetworkAndTheLine) {
  const Plot plot = plot_table(models_table(), {.kind = "scatter", .by = {"model"}, .error = true}, "");
  const Contents seen = contents(plot.svg);
  EXPECT_EQ(seen.n_markers, 49u);
  EXPECT_EQ(seen.n_lines, 1u);
  EXPECT_EQ(seen.count("svd entropy"), 1u);
  EXPECT_EQ(seen.count("dense"), 1u);
  EXPECT_EQ(seen.count("ei"), 1u);
  // entropy = 1 - accuracy / 2, so error = 1 - accuracy = 2 entropy - 1
  EXPECT_TRUE(seen.says("y = -1 + 2 x, r = 1.000, r\u00b2 = 1.000, p = ")) << plot.text;
  EXPECT_TRUE(has(plot.text, "all networks  49"));
}

TEST(Scatter, OfLittleHasNoLine) {
  EXPECT_EQ(contents(scatter_figure({})).count("no values"), 1u);
  const Plot one = plot_table(
      models_table(), {.kind = "scatter", .where = {"seed=0", "model=ei", "network.n_hidden=30", "rule.clip=1"}}, "");
  EXPECT_EQ(contents(one.svg).n_markers, 1u);
  EXPECT_EQ(contents(one.svg).n_lines, 0u);
  EXPECT_TRUE(has(one.json, "\"slope\": null"));
  EXPECT_THROW(scatter_figure({.label = {"a"}}), Error);
}

TEST(Scatter, TakesASweptKeyAsX) {
  const Contents seen = contents(plot_table(models_table(), {.kind = "scatter", .x = "network.n_hidden"}, "").svg);
  EXPECT_EQ(seen.n_markers, 49u);
  EXPECT_EQ(seen.count("hidden units"), 1u);
}

// ---- heatmap --------------------------------------------------------------------------------------------------------
TEST(Heatmap, HasTheMeansInItsCells) {
  const Plot plot = plot_table(models_table(), {.kind = "heatmap", .where = {"model=dense"}}, "");
  const Contents seen = contents(plot.svg);
  EXPECT_EQ(seen.count("0.952"), 3u);  // three cells are better, three are worse
  EXPECT_EQ(seen.count("0.902"), 3u);
  EXPECT_EQ(seen.count("hidden units"), 1u);
  EXPECT_EQ(seen.count("rule.clip"), 1u);
  EXPECT_EQ(seen.count("accuracy"), 1u);
  EXPECT_TRUE(seen.says("Means over 5 networks each."));
}

TEST(Heatmap, CellsTakeTheBetterSetting) {
  const Plot plot = plot_table(
      models_table(), {.kind = "heatmap", .select = {"rule.clip"}, .score = "final.accuracy", .error = true}, "");
  const Contents seen = contents(plot.svg);
  EXPECT_EQ(seen.count("0.048"), 3u);
  EXPECT_EQ(seen.count("0.248"), 1u);
  EXPECT_EQ(seen.count("0.298"), 1u);
  EXPECT_EQ(seen.count("\u2013"), 1u);  // ei, 20
}

TEST(Heatmap, OfOddNumbersIsDrawn) {
  const Contents seen =
      contents(heatmap_figure({.columns = {"a", "b"}, .rows = {"1", "2"}, .value = {{1e-9, nan}, {infinity, 1e12}}}));
  EXPECT_EQ(seen.count("\u2013"), 2u);
  EXPECT_EQ(seen.count("1e-09"), 1u);
  contents(heatmap_figure({.columns = {"a"}, .rows = {"1"}, .value = {{3}}}));
  contents(heatmap_figure({}));
  EXPECT_THROW(heatmap_figure({.columns = {"a"}, .rows = {"1"}, .value = {{}}}), Error);
  EXPECT_THROW(heatmap_figure({.columns = {"a"}, .rows = {"1"}}), Error);
}

// ---- spectra --------------------------------------------------------------------------------------------------------
TEST(Eigenvalues, HaveADotEachAndTheUnitCircle) {
  const Contents seen = contents(eigenvalues_figure(
      {.title = "e", .panels = {{"one", {{1, 1}, {1, -1}}, {{0.5, 0}, {nan, 0}, {3, 0}}}, {"two", {}, {}}}}));
  EXPECT_EQ(seen.n_panels, 2u);
  EXPECT_EQ(seen.n_dots, 4u);
  EXPECT_EQ(seen.n_lines, 2u);
  for (const char* text : {"one", "two", "start", "end", "no values", "imaginary part"})
    EXPECT_EQ(seen.count(text), 1u) << text;
  EXPECT_EQ(seen.count("real part"), 2u);
  EXPECT_THROW(eigenvalues_figure({.panels = std::vector<EigenvaluesFigure::Panel>(25)}), Error);
  contents(eigenvalues_figure({}));
}

TEST(Eigenvalues, BothAxesHaveOneScale) {
  const Element root = Reader(eigenvalues_figure({.panels = {{"", {}, {{2, 1}}}}})).document();
  std::vector<double> x, y;
  visit(root, [&](const Element& e) {
    if (e.name != "polyline") return;
    const std::string points = e.attribute("points");
    for (size_t at = 0; at < points.size();) {
      double a, b;
      int length = 0;
      ASSERT_EQ(std::sscanf(points.c_str() + at, "%lf,%lf%n", &a, &b, &length), 2);
      x.push_back(a);
      y.push_back(b);
      at += size_t(length) + 1;
    }
  });
  ASSERT_EQ(x.size(), 121u);
  const auto extent = [](const std::vector<double>& v) {
    return *std::ranges::max_element(v) - *std::ranges::min_element(v);
  };
  EXPECT_NEAR(extent(x), extent(y), 0.1);
}

TEST(Histogram, HasTwoOutlinesPerPanelWhoseAreasAreShares) {
  const HistogramFigure figure{.panels = {{"a", {1, 1, 3}, {2, nan, 4}}, {"b", {}, {4}}}, .n_bins = 4};
  const Contents seen = contents(histogram_figure(figure));
  EXPECT_EQ(seen.n_panels, 2u);
  EXPECT_EQ(seen.n_lines, 3u);
  EXPECT_EQ(seen.count("share of values"), 1u);
  HistogramFigure log = figure;
  log.log = true;
  EXPECT_EQ(contents(histogram_figure(log)).n_lines, 3u);
  contents(histogram_figure({}));
  EXPECT_EQ(contents(histogram_figure({.panels = {{"a", {0, 0}, {0}}}})).n_lines, 2u);  // all zero
  EXPECT_THROW(histogram_figure({.n_bins = 0}), Error);
}

// ---- learning curves ------------------------------------------------------------------------------------------------
TEST(Curves, OfArmsWithDifferentStepsAreAllDrawn) {
  std::vector<int64_t> step;
  for (int64_t i = 0; i < 3000; ++i) step.push_back(i);
  std::vector<double> sparse(3000, nan), dense(3000, 0.5);
  for (size_t i = 1; i < 3000; i += 501) sparse[i] = 1;
  const Contents seen = contents(
      history_figure(step, {{.label = "sparse", .curves = {sparse, sparse}}, {.label = "dense", .curves = {dense}}},
                     {.means = true, .notes = {"a note"}}));
  EXPECT_EQ(seen.n_lines, 2u);
  EXPECT_TRUE(seen.says("means over networks"));
  EXPECT_TRUE(seen.says("a note"));
}

// ---- sweeps ---------------------------------------------------------------------------------------------------------
TEST(Sweep, OfChosenSettingsLeavesTheirKeysOut) {
  const Contents seen =
      contents(plot_table(models_table(),
                          {.measures = {"final.accuracy"}, .select = {"rule.clip"}, .score = "final.accuracy"}, "")
                   .svg);
  EXPECT_EQ(seen.n_panels, 1u);
  EXPECT_EQ(seen.n_markers, 5u);  // models by sizes; one cell diverged
  EXPECT_EQ(seen.count("rule.clip"), 0u);
  EXPECT_TRUE(seen.says("Each arm with its best rule.clip by mean final.accuracy."));
}

// ---- refusals -------------------------------------------------------------------------------------------------------
// Two sizes, two rules, five seeds; matched: 1, 2, 3, 4, 100 times the size.
Table dual_changes_table() {
  Table table{{"net", "network.n_hidden", "rule.geometry", "seed", "status", "dual_change.delta_cdf.matched.final",
               "dual_change.delta_cdf.p_norm_1.5.final", "svd_entropy.final"},
              {}};
  for (const int64_t size : {10, 20})
    for (const char* rule : {"euclidean", "neg_entropy"})
      for (int64_t seed = 0; seed < 5; ++seed) {
        const double value = double(size) * (seed < 4 ? double(seed) + 1 : 100);
        table.rows.push_back(
            {int64_t(table.rows.size()), size, std::string(rule), seed, std::string("ok"), value, 2 * value, 0.5});
      }
  return table;
}

TEST(Sweep, OverlaysMeasuresAndDrawsMediansWithBands) {
  const SweepFigureOptions options{
      .measures = {"dual_change.delta_cdf.matched.final", "dual_change.delta_cdf.p_norm_1.5.final"},
      .quantiles = true,
      .overlay = true,
      .log = true};
  const std::string svg = sweep_figure(dual_changes_table(), options);
  for (const char* text : {"matched", "p = 1.5", "\u0394-CDF", "GD (euclidean)", "EG (neg_entropy)", "hidden units",
                           "Median and 5\u201395 % band over 5 networks each."})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  EXPECT_EQ(svg.find("Pooled"), std::string::npos);
  SweepFigureOptions mixed = options;  // measures of several quantities have their whole names in the legend
  mixed.measures[1] = "svd_entropy.final";
  const std::string of_two = sweep_figure(dual_changes_table(), mixed);
  for (const char* text : {"\u0394-CDF (matched)", "svd entropy"})
    EXPECT_NE(of_two.find(text), std::string::npos) << text;
}

TEST(Measures, OfDualChangesHaveNamesToRead) {
  EXPECT_EQ(measure_of("dual_change.delta_cdf.p_norm_1.5.final").label, "\u0394-CDF (p = 1.5)");
  EXPECT_EQ(measure_of("dual_change.laziness.neg_entropy.input.final").label,
            "laziness in the dual (neg entropy.input)");
  EXPECT_EQ(measure_of("dual_change.delta_cdf.matched").variant, "matched");  // a series
  EXPECT_EQ(measure_of("dual_change.nearest.final").label, "dual change.nearest");
}

TEST(Plot, RefusesWhatIsWrong) {
  EXPECT_TRUE(has(refusal({.kind = "bar"}), "did you mean 'bars'?"));
  EXPECT_TRUE(has(refusal({.kind = "frobnicate"}), "there is: sweep, curves"));
  EXPECT_TRUE(has(refusal({.kind = "curves"}), "run directory"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .measures = {"final.acuracy"}}), "did you mean 'final.accuracy'?"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .measures = {"seed"}}), "there is: final.loss, final.accuracy"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .measures = {"final.loss", "final.accuracy"}}), "draws one, not 2"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .measures = {"final.loss"}, .error = true}), "no accuracy"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .by = {"modle"}}), "did you mean 'model'?"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .test = "student"}), "welch"));
  EXPECT_TRUE(has(refusal({.where = {"model=e"}}), "no network has this value"));
  EXPECT_TRUE(has(refusal({.where = {"model"}}), "KEY=VALUE"));
  EXPECT_TRUE(has(refusal({.where = {"final.loss=1"}}), "is not in this run"));
  EXPECT_TRUE(has(refusal({.where = {"rule.clop=1"}}), "did you mean 'rule.clip'?"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .select = {"rule.clip"}}), "--select and --score"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .score = "final.loss"}), "--select and --score"));
  EXPECT_TRUE(has(refusal({.kind = "bars", .minimise = true}), "--minimise"));
  EXPECT_TRUE(
      has(refusal({.kind = "bars", .select = {"rule.clap"}, .score = "final.loss"}), "did you mean 'rule.clip'?"));
  EXPECT_TRUE(
      has(refusal({.kind = "bars", .select = {"rule.clip"}, .score = "final.los"}), "did you mean 'final.loss'?"));
  EXPECT_TRUE(has(refusal({.kind = "heatmap", .x = "modell"}), "did you mean 'model'?"));
  EXPECT_TRUE(has(refusal({.kind = "heatmap", .x = "model", .y = "model"}), "both"));
  EXPECT_TRUE(has(refusal({.kind = "heatmap", .where = {"model=ei", "rule.clip=1"}}), "two swept keys"));
  EXPECT_TRUE(has(refusal({.kind = "scatter", .x = "nothing"}), "is not in this run"));
  EXPECT_TRUE(has(refusal({.kind = "heatmap", .bins = 3}), "kinds that have it: histogram"));
  EXPECT_TRUE(has(refusal({.kind = "histogram", .bins = -1}), "1 to 1000"));
  EXPECT_TRUE(has(refusal({.kind = "eigenvalues", .by = {"model"}, .nets = {1}}), "--net and --by"));
  for (const char* kind : {"bars", "scatter", "heatmap"}) {
    EXPECT_TRUE(has(refusal({.kind = kind}, {}), "no network of this run is done")) << kind;
    EXPECT_TRUE(has(refusal({.kind = kind}, {{"net", "a", "seed"}, {{int64_t(0), int64_t(1), int64_t(2)}}}),
                    "is not in this run"))
        << kind;
  }
}

TEST(Plot, SurvivesOddTables) {
  std::mt19937 generator(5);
  const auto random = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(generator); };
  const std::vector<Cell> cells = {Cell(), int64_t(0), int64_t(-5), 1e300, -1e300,        5e-324,
                                   nan,    infinity,   0.25,        0.5,   std::string(), std::string("<&>\"\xff")};
  const std::vector<std::string> names = {"net",  "task.name",         "init.rank",  "a<b",           "status",
                                          "seed", "svd_entropy.final", "final.loss", "final.accuracy"};
  for (int i = 0; i < 200; ++i) {
    Table table;
    for (const std::string& name : names)
      if (random(6)) table.columns.push_back(name);
    const size_t n_rows = random(20), n_kinds = 1 + random(cells.size());
    for (size_t r = 0; r < n_rows; ++r) {
      table.rows.emplace_back();
      for (size_t c = 0; c < table.columns.size() - random(2); ++c) table.rows.back().push_back(cells[random(n_kinds)]);
    }
    for (const char* kind : {"bars", "scatter", "heatmap"})
      for (const bool select : {false, true}) try {
          PlotOptions options{.kind = kind};
          if (select) options.select = {"init.rank"}, options.score = "final.loss";
          contents(plot_table(table, options, "odd").svg);
        } catch (const Error&) {  // said, not crashed
        }
  }
}

}  // namespace
}  // namespace cohort::engine
