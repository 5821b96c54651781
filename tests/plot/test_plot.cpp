// Figures: well-formed documents that show every network, say what is missing, and never fail on odd tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "cohort/error.h"
#include "plot/figure.h"
#include "plot/svg.h"
#include "plot/sweep_figure.h"
#include "svg_reader.h"

namespace cohort::engine {
namespace {

const double nan = no_number, infinity = std::numeric_limits<double>::infinity();

// ---- tables ---------------------------------------------------------------------------------------------------------
// Shaped like the main job: 3 tasks x 5 ranks x 3 geometries x 5 seeds; geometry, p and learning rate vary together,
// and the learning rate of EG depends on the task. Two networks diverged.
Table sweep_table() {
  Table table;
  table.columns = {"net",
                   "task.name",
                   "init.rank",
                   "rule.geometry",
                   "rule.p",
                   "rule.lr",
                   "seed",
                   "status",
                   "final.loss",
                   "final.accuracy",
                   "weight_change.initial",
                   "weight_change.final",
                   "representation_alignment.final",
                   "kernel_alignment.final",
                   "svd_entropy.final"};
  const std::vector<std::string> tasks = {"perceptual_decision", "delay_match_sample", "context_decision"};
  const std::vector<std::string> geometries = {"euclidean", "neg_entropy", "p_norm"};
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform(0.1, 0.9);
  for (size_t task = 0; task < 3; ++task)
    for (const int64_t rank : {1, 4, 16, 32, 0})
      for (size_t g = 0; g < 3; ++g)
        for (int64_t seed = 0; seed < 5; ++seed) {
          const bool diverged = rank == 1 && task == 2 && g == 2 && seed < 2;
          std::vector<Cell> row = {int64_t(table.rows.size()),
                                   tasks[task],
                                   rank ? Cell(rank) : Cell(std::string("full")),
                                   geometries[g],
                                   g == 2 ? 3.0 : 2.0,
                                   g == 1 ? 0.1 + 0.1 * double(task) : 0.003,
                                   seed,
                                   std::string(diverged ? "diverged@17" : "ok")};
          for (int i = 0; i < 7; ++i) row.push_back(diverged ? Cell() : Cell(uniform(generator)));
          table.rows.push_back(row);
        }
  return table;
}

Table table_of(const std::vector<std::string>& columns, const std::vector<std::vector<Cell>>& rows) {
  return {columns, rows};
}

// ---- svg ------------------------------------------------------------------------------------------------------------
TEST(Svg, EscapesWhatXmlDoesNotAllow) {
  EXPECT_EQ(svg::escape("a<b & \"c\" > 'd'"), "a&lt;b &amp; &quot;c&quot; &gt; &#39;d&#39;");
  EXPECT_EQ(svg::escape("tab\tbell\a"), "tab bell?");
  EXPECT_EQ(svg::escape("\u00b1 \u2013 \U0001F600"), "\u00b1 \u2013 \U0001F600");
  EXPECT_EQ(svg::escape("\xff\xc3"), "??");                 // not UTF-8
  EXPECT_EQ(svg::escape("\xed\xa0\x80"), "???");            // a surrogate
  EXPECT_EQ(svg::escape("\xef\xbf\xbf"), "???");            // U+FFFF
  EXPECT_EQ(svg::escape("\xc0\xaf\xe0\x80\xaf"), "?????");  // overlong
}

TEST(Svg, NumbersAreShortAndAlwaysFinite) {
  EXPECT_EQ(svg::number(1.0), "1");
  EXPECT_EQ(svg::number(-0.001), "0");
  EXPECT_EQ(svg::number(2.5049), "2.5");
  EXPECT_EQ(svg::number(nan), "0");
  EXPECT_EQ(svg::number(-infinity), "0");
}

TEST(Svg, HostileTextStaysText) {
  svg::Document document(100, 100, "</title><script>", "\"");
  document.text({1, 1}, "</text><a href=\"x\">", {});
  document.rect({0, 0}, nan, infinity, {.fill = "\" onload=\"x"});
  const Element root = Reader(document.str()).document();
  visit(root, [](const Element& e) {
    EXPECT_NE(e.name, "script");
    EXPECT_NE(e.name, "a");
    EXPECT_EQ(e.attribute("onload"), "");
  });
}

// ---- axes -----------------------------------------------------------------------------------------------------------
std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> out;
  for (const Tick& tick : ticks) out.push_back(tick.label);
  return out;
}

TEST(Axes, TicksAreRoundNumbersWithin) {
  EXPECT_EQ(labels(nice_ticks(0, 1, false)), (std::vector<std::string>{"0", "0.2", "0.4", "0.6", "0.8", "1"}));
  EXPECT_EQ(labels(nice_ticks(-3, 7, false)), (std::vector<std::string>{"-2", "0", "2", "4", "6"}));
  EXPECT_EQ(labels(nice_ticks(1e-4, 0.1, true)), (std::vector<std::string>{"0.0001", "0.001", "0.01", "0.1"}));
  EXPECT_EQ(labels(nice_ticks(1, 64, true)), (std::vector<std::string>{"1", "2", "5", "10", "20", "50"}));
  EXPECT_TRUE(nice_ticks(1, 1, false).empty());
  EXPECT_TRUE(nice_ticks(nan, 1, false).empty());
  EXPECT_TRUE(nice_ticks(0, 1, true).empty());
}

TEST(Axes, HoldTheirValuesWhateverTheyAre) {
  std::mt19937_64 generator(7);
  std::uniform_real_distribution<double> exponent(-280, 280), sign(-1, 1);
  for (int i = 0; i < 20000; ++i) {
    std::vector<double> values;
    const double scale = std::pow(10.0, exponent(generator)), spread = std::pow(10.0, -20 * std::abs(sign(generator)));
    const double centre = i % 3 ? sign(generator) : 0;
    for (int k = 0; k < 3; ++k) values.push_back(scale * (centre + spread * sign(generator)));
    if (i % 5 == 0) values.push_back(nan);
    const Axis axis = fit_axis("", values, i % 2 == 0, i % 7 == 0 ? 0.0 : nan, i % 11 == 0 ? 1.0 : nan);
    ASSERT_LT(axis.low, axis.high);
    ASSERT_TRUE(std::isfinite(axis.low) && std::isfinite(axis.high));
    ASSERT_LT(axis.ticks.size(), 20u);
    for (const double v : values)
      if (std::isfinite(v)) {
        ASSERT_LE(axis.low, v);
        ASSERT_GE(axis.high, v);
      }
    for (const Tick& tick : axis.ticks) {
      ASSERT_GE(tick.at, axis.low - 1e-6 * std::abs(axis.low));
      ASSERT_LE(tick.at, axis.high + 1e-6 * std::abs(axis.high));
    }
  }
}

TEST(Axes, FractionsKeepTheirBounds) {
  const std::vector<double> values = {0.1, 0.98};
  const Axis axis = fit_axis("", values, false, 0, 1);
  EXPECT_GT(axis.low, -0.05);
  EXPECT_LT(axis.high, 1.05);
  EXPECT_LT(fit_axis("", std::vector{-0.5, 0.5}, false, 0, 1).low, -0.5);  // unless the values do not
}

// ---- sweeps ---------------------------------------------------------------------------------------------------------
TEST(SweepFigure, ShowsTheMainJobAsTasksByMeasures) {
  const Contents seen = contents(sweep_figure(sweep_table(), {.title = "rank-geometry"}));
  EXPECT_EQ(seen.n_panels, 12u);  // 4 measures x 3 tasks
  EXPECT_EQ(seen.n_lines, 36u);   // a line per geometry
  EXPECT_EQ(seen.n_markers, 12u * 3 * 5);
  EXPECT_EQ(seen.n_dots, 4u * (225 - 2));  // every network that did not diverge, once per measure
  for (const char* text : {"rank-geometry", "weight change", "representation alignment", "kernel alignment", "accuracy",
                           "perceptual decision", "delay match sample", "context decision", "geometry",
                           "GD (euclidean)", "EG (neg_entropy)", "p_norm (p = 3)"})
    EXPECT_EQ(seen.count(text), 1u) << text;
  EXPECT_EQ(seen.count("initial rank"), 3u);
  for (const char* rank : {"1", "4", "16", "32", "full"}) EXPECT_TRUE(seen.count(rank)) << rank;
  EXPECT_TRUE(seen.says("2 of 225 networks diverged and are left out."));
  EXPECT_TRUE(seen.says("over 3\u20135 networks"));
  EXPECT_FALSE(seen.says("Pooled"));  // p and the learning rate follow from task and geometry
}

TEST(SweepFigure, IsTheSameForTheSameTable) { EXPECT_EQ(sweep_figure(sweep_table()), sweep_figure(sweep_table())); }

TEST(SweepFigure, TakesTheCallersChoice) {
  const Contents seen = contents(sweep_figure(
      sweep_table(),
      {.measures = {"svd_entropy.final"}, .x = "rule.geometry", .colour = "init.rank", .panels = "task.name"}));
  EXPECT_EQ(seen.n_panels, 3u);
  EXPECT_EQ(seen.n_lines, 0u);  // words are not joined
  EXPECT_EQ(seen.n_markers, 3u * 15);
  EXPECT_EQ(seen.count("svd entropy"), 1u);
}

TEST(SweepFigure, RefusesColumnsThatAreNotThere) {
  EXPECT_THROW(sweep_figure(sweep_table(), {.measures = {"kernel_alignment"}}), Error);
  EXPECT_THROW(sweep_figure(sweep_table(), {.x = "init.rnak"}), Error);
  EXPECT_THROW(sweep_figure(sweep_table(), {.colour = "final.loss"}), Error);
  try {
    sweep_figure(sweep_table(), {.measures = {"loss"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("final.loss"), std::string::npos) << error.what();
  }
}

TEST(SweepFigure, DrawsWithoutAnySweep) {
  Table one = sweep_table();
  one.rows.resize(1);
  const Contents seen = contents(sweep_figure(one));
  EXPECT_EQ(seen.n_panels, 4u);
  EXPECT_EQ(seen.n_markers, 4u);
  EXPECT_TRUE(seen.says("one network"));
}

TEST(SweepFigure, SaysWhatIsMissing) {
  Table empty = sweep_table();
  empty.rows.clear();
  EXPECT_TRUE(contents(sweep_figure(empty)).says("holds no network"));
  EXPECT_TRUE(contents(sweep_figure({})).says("holds no network"));
  EXPECT_TRUE(contents(sweep_figure(table_of({"net", "seed"}, {{int64_t(0), int64_t(0)}}))).says("no measure"));
  Table all_diverged = sweep_table();
  for (auto& row : all_diverged.rows) {
    row[7] = std::string("diverged@3");
    for (size_t c = 8; c < row.size(); ++c) row[c] = {};
  }
  const Contents seen = contents(sweep_figure(all_diverged));
  EXPECT_TRUE(seen.says("no values"));
  EXPECT_TRUE(seen.says("225 of 225 networks diverged"));
  Table unfinished = sweep_table();
  for (size_t r = 0; r < 5; ++r)
    for (size_t c = 7; c < unfinished.rows[r].size(); ++c) unfinished.rows[r][c] = {};
  EXPECT_TRUE(contents(sweep_figure(unfinished)).says("5 of 225 networks have no value yet."));
}

TEST(SweepFigure, LeavesOutNumbersThatAreNotFinite) {
  Table table = sweep_table();
  table.rows[0][11] = nan;
  table.rows[1][11] = infinity;
  table.rows[2].resize(3);  // a short row
  EXPECT_EQ(contents(sweep_figure(table)).n_dots, 4u * 223 - 2 - 4);
}

TEST(SweepFigure, SurvivesOddTables) {
  std::mt19937 generator(3);
  const auto random = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(generator); };
  const std::vector<Cell> cells = {Cell(),
                                   int64_t(0),
                                   int64_t(-5),
                                   1e300,
                                   -1e300,
                                   5e-324,
                                   nan,
                                   infinity,
                                   int64_t(INT64_MAX),
                                   0.25,
                                   std::string(),
                                   std::string("full"),
                                   std::string("<&>\"\xff")};
  const std::vector<std::string> names = {
      "task.name",  "init.rank",      "rule.geometry",         "rule.p", "a<b", "status", "seed", "weight_change.final",
      "final.loss", "final.accuracy", "kernel_alignment.final"};
  for (int i = 0; i < 300; ++i) {
    Table table;
    for (const std::string& name : names)
      if (random(4)) table.columns.push_back(name);
    const size_t n_rows = random(30), n_kinds = 1 + random(cells.size());
    for (size_t r = 0; r < n_rows; ++r) {
      table.rows.emplace_back();
      for (size_t c = 0; c < table.columns.size(); ++c) table.rows.back().push_back(cells[random(n_kinds)]);
    }
    contents(sweep_figure(table, {.title = "odd & long " + std::string(random(300), 'x')}));
  }
}

TEST(SweepFigure, ShowsSingleNetworksWhereNumbersAreMany) {
  Table table{{"net", "rule.lr", "seed", "status", "final.loss"}, {}};
  for (int64_t i = 0; i < 100; ++i)
    table.rows.push_back({i, 1e-4 * std::pow(1.07, double(i)), int64_t(0), std::string("ok"), 1.0 + double(i)});
  const Contents seen = contents(sweep_figure(table));
  EXPECT_EQ(seen.n_dots, 100u);
  EXPECT_EQ(seen.n_markers, 0u);
  EXPECT_TRUE(seen.says("Every dot is one network."));
}

TEST(SweepFigure, PoolsWhatFindsNoPlaceAndSaysSo) {
  Table table{{"net", "init.rank", "init.gain", "rule.momentum", "rule.lr", "seed", "status", "final.loss"}, {}};
  for (const int64_t rank : {1, 2, 4, 8})
    for (const double gain : {0.5, 1.0})
      for (const double momentum : {0.0, 0.9})
        for (const double lr : {0.1, 0.2})
          table.rows.push_back({int64_t(0), rank, gain, momentum, lr, int64_t(0), std::string("ok"), gain + lr});
  EXPECT_TRUE(contents(sweep_figure(table)).says("Pooled over rule.lr."));
}

// ---- histories ------------------------------------------------------------------------------------------------------
TEST(HistoryFigure, ShowsGroupsInPanels) {
  std::vector<int64_t> step;
  for (int64_t i = 0; i < 5000; i += 10) step.push_back(i);
  std::vector<HistoryGroup> groups;
  for (const char* panel : {"perceptual_decision", "context_decision"})
    for (const char* label : {"GD", "EG"}) {
      HistoryGroup group{.label = label, .column = panel};
      for (int net = 0; net < 3; ++net) {
        std::vector<double> curve;
        for (const int64_t s : step) curve.push_back(1.0 / (1 + double(s)) + 0.01 * net);
        group.curves.push_back(curve);
      }
      group.curves[0].back() = nan;
      groups.push_back(group);
    }
  const Contents seen = contents(history_figure(step, groups, {.title = "histories"}));
  EXPECT_EQ(seen.n_panels, 2u);
  EXPECT_EQ(seen.n_lines, 4u);
  EXPECT_EQ(seen.count("training loss"), 1u);
  EXPECT_EQ(seen.count("GD"), 1u);
  EXPECT_EQ(seen.count("context decision"), 1u);
}

TEST(HistoryFigure, SaysWhatIsMissing) {
  EXPECT_TRUE(contents(history_figure({}, {})).says("no history"));
  EXPECT_TRUE(contents(history_figure({0, 1}, {{.label = "a", .curves = {{nan, nan}}}})).says("no history"));
  EXPECT_THROW(history_figure({0, 1}, {{.label = "a", .curves = {{1.0}}}}), Error);
  EXPECT_EQ(contents(history_figure({5}, {{.label = "a", .curves = {{1.0}}}})).n_panels, 1u);
  EXPECT_EQ(
      contents(history_figure({0, 1}, {{.label = "a", .curves = {{-1e300, 1e300}, {1e-300, infinity}}}})).n_panels, 1u);
}

TEST(HistoryFigure, OfASweepIsArrangedLikeItsFigure) {
  const Table table = sweep_table();
  const std::vector<int64_t> step = {0, 10, 20, 30};
  std::vector<std::vector<double>> curves(table.rows.size(), {1.0, 0.5, 0.1, 0.01});
  curves[3].clear();
  const Contents seen = contents(sweep_history_figure(table, step, curves, {.title = "histories"}));
  EXPECT_EQ(seen.n_panels, 9u);  // geometry x task
  EXPECT_EQ(seen.n_lines, 45u);  // a line per rank
  for (const char* text : {"initial rank", "16", "full", "GD (euclidean)", "context decision"})
    EXPECT_EQ(seen.count(text), 1u) << text;
  EXPECT_TRUE(seen.says("medians"));
  EXPECT_THROW(sweep_history_figure(table, step, {}), Error);
  EXPECT_TRUE(contents(sweep_history_figure({}, {}, {})).says("no history"));
}

TEST(SweepFigure, KeepsRareGiantsFromSqueezingTheRest) {
  Table table{{"net", "init.rank", "seed", "status", "final.loss"}, {}};
  for (int64_t i = 0; i < 40; ++i)
    table.rows.push_back({i, i % 2 + 1, i, std::string("ok"), i == 7 ? 1e6 : 1.0 + 0.01 * double(i)});
  const Contents seen = contents(sweep_figure(table));
  EXPECT_TRUE(seen.says("1 value far beyond the others is drawn at the edge"));
  EXPECT_EQ(seen.n_dots, 40u);
  EXPECT_TRUE(seen.count("1.2"));  // the axis shows the others
}

}  // namespace
}  // namespace cohort::engine
