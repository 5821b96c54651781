#include "plot/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cohort/error.h"
#include "plot/arms.h"
#include "plot/bars_figure.h"
#include "plot/chosen.h"
#include "plot/heatmap_figure.h"
#include "plot/page.h"
#include "plot/recordings.h"
#include "plot/scatter_figure.h"
#include "plot/spectra_figure.h"
#include "plot/sweep_figure.h"
#include "run/directory.h"
#include "run/export.h"
#include "run/grid.h"
#include "statistics/comparison.h"
#include "statistics/moments.h"
#include "statistics/quantiles.h"
#include "statistics/regression.h"

namespace cohort::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kinds = {
    PlotKind{"sweep", "measures against the swept number with most values"},
    PlotKind{"curves", "a recorded series against the training step, mean and sd, one curve per arm"},
    PlotKind{"bars", "a column per arm, mean, sd and single networks, with pairwise tests"},
    PlotKind{"scatter", "a column against another, with the line of least squares"},
    PlotKind{"heatmap", "the mean of a column over two swept keys"},
    PlotKind{"eigenvalues", "kept eigenvalues in the complex plane, start and end"},
    PlotKind{"histogram", "kept singular values, start and end"},
};

void check(const PlotOptions& o) {
  std::vector<std::string> names;
  for (const PlotKind& kind : kinds) names.emplace_back(kind.name);
  if (std::ranges::find(names, o.kind) == names.end())
    throw Error("--kind: unknown kind '" + o.kind + "'; " + meant(o.kind, names));
  const auto only_for = [&](bool given, const char* option, std::initializer_list<std::string_view> of) {
    if (!given || std::ranges::find(of, o.kind) != of.end()) return;
    std::string list;
    for (const std::string_view kind : of) list += (list.empty() ? "" : ", ") + std::string(kind);
    throw Error(fmt::format("{} does not belong to --kind {}; kinds that have it: {}", option, o.kind, list));
  };
  only_for(!o.measures.empty(), "--measure", {"sweep", "curves", "bars", "scatter", "heatmap"});
  only_for(!o.by.empty(), "--by", {"curves", "bars", "scatter", "eigenvalues", "histogram"});
  only_for(o.error, "--error", {"curves", "bars", "scatter", "heatmap"});
  only_for(o.log, "--log", {"sweep", "curves", "histogram"});
  only_for(o.band != "sd", "--band", {"sweep", "curves"});
  only_for(o.overlay, "--overlay", {"sweep"});
  only_for(!o.x.empty(), "--x", {"sweep", "scatter", "heatmap"});
  only_for(!o.y.empty(), "--y", {"heatmap"});
  only_for(o.test != "welch", "--test", {"bars"});
  only_for(!o.tensor.empty(), "--tensor", {"eigenvalues", "histogram"});
  only_for(!o.nets.empty(), "--net", {"eigenvalues", "histogram"});
  only_for(o.bins != 0, "--bins", {"histogram"});
  if (o.measures.size() > 1 && o.kind != "sweep")
    throw Error(fmt::format("--measure: --kind {} draws one, not {}", o.kind, o.measures.size()));
  if (o.test != "welch" && o.test != "mann_whitney")
    throw Error("--test '" + o.test + "': allowed are welch and mann_whitney");
  if (o.band != "sd" && o.band != "quantiles") throw Error("--band '" + o.band + "': allowed are sd and quantiles");
  if (o.bins < 0 || o.bins > 1000) throw Error(fmt::format("--bins {}: allowed are 1 to 1000", o.bins));
  if (!o.nets.empty() && !o.by.empty()) throw Error("--net and --by: panels are either networks or arms");
  if (o.select.empty() != o.score.empty()) throw Error("--select and --score need each other");
  if (o.minimise && o.score.empty()) throw Error("--minimise needs --select and --score");
}

std::string number(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4g}", value); }

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace); }

// NaN and infinities become null.
Json json_of(const Moments& m) { return {{"n", m.n}, {"mean", m.mean}, {"sd", m.sd}}; }

// The networks that a figure is of, and what is to be said about how they were chosen.
struct Networks {
  Table table;
  std::vector<int64_t> without = {};       // networks of arms without a setting
  std::vector<std::string> excluded = {};  // keys that were selected
  std::vector<std::string> notes = {};
  std::string text = {};
  Json json = Json::object();
};

Networks networks_of(const Table& all, const PlotOptions& options) {
  Networks out{.table = networks_where(all, options.where)};
  std::string conditions;
  for (const std::string& condition : options.where) conditions += (conditions.empty() ? "" : ", ") + condition;
  if (!conditions.empty()) {
    out.notes.push_back("Networks with " + conditions + ".");
    out.json["where"] = options.where;
  }
  if (options.select.empty()) return out;

  const Chosen chosen = choose(out.table, options.select, options.score, {.minimise = options.minimise});
  out.table = chosen.table;
  out.without = chosen.without;
  out.excluded = options.select;
  std::string names;
  for (const std::string& key : options.select) names += (names.empty() ? "" : " and ") + key;
  size_t n_missing = 0;
  Grid grid;
  grid.column("arm", false);
  for (const std::string& key : options.select) grid.column(key, true);
  for (const char* header : {"mean", "sd", "n", "without score"}) grid.column(header, true);
  out.json["selection"] = {{"score", options.score}, {"minimise", options.minimise}, {"arms", Json::array()}};
  for (const Chosen::Choice& choice : chosen.choices) {
    n_missing += !choice.found;
    std::vector<std::string> row = {printable(choice.arm)};
    Json setting = Json::object();
    for (size_t k = 0; k < options.select.size(); ++k) {
      row.push_back(choice.found ? printable(choice.setting[k]) : "none");
      setting[options.select[k]] = choice.setting[k];
    }
    for (const double value : {choice.score.mean, choice.score.sd}) row.push_back(number(value));
    row.push_back(std::to_string(choice.n_networks()));
    row.push_back(std::to_string(choice.n_networks() - choice.score.n));
    grid.row(std::move(row));
    Json arm = {{"arm", choice.arm}, {"setting", choice.found ? setting : Json()}};
    arm.update(json_of(choice.score));
    arm["n_networks"] = choice.n_networks();
    out.json["selection"]["arms"].push_back(arm);
  }
  out.text =
      fmt::format("best {} by the {} mean of {}\n", names, options.minimise ? "smallest" : "largest", options.score) +
      grid.text();
  out.notes.push_back(fmt::format("Each arm with its best {} by mean {}.", names, options.score));
  if (n_missing > 0)
    out.notes.push_back(fmt::format("{} {} no network with a finite {}.",
                                    n_missing == 1 ? "One arm" : fmt::format("{} arms", n_missing),
                                    n_missing == 1 ? "has" : "have", options.score));
  return out;
}

// ---- what is drawn --------------------------------------------------------------------------------------------------
// A column, or one minus it.
struct Quantity {
  size_t column = 0;
  std::string name, label, remark;
  bool complement = false;
  double of(double value) const { return complement ? 1 - value : value; }
};

// Names of a column or series on an axis. Throws Error if the error of something else than an accuracy is asked for.
Quantity quantity_of(const std::string& name, bool error) {
  const Measure measure = measure_of(name);
  Quantity out{.name = name, .label = measure.label, .remark = measure.remark, .complement = error};
  if (!error) return out;
  if (!measure.label.starts_with("accuracy")) throw Error("--error is 1 - accuracy; '" + name + "' is no accuracy");
  out.label = "error" + measure.label.substr(8);
  out.remark = "1 - accuracy";
  return out;
}

std::string default_measure(const Table& table, bool error) {
  const int accuracy = table.column("final.accuracy");
  for (size_t r = 0; r < table.rows.size() && accuracy >= 0; ++r)  // regression tasks have none
    if (error || std::isfinite(to_number(cell(table, r, accuracy)))) return "final.accuracy";
  return "final.loss";
}

Quantity measured(const Table& table, const PlotOptions& options) {
  const std::string name = options.measures.empty() ? default_measure(table, options.error) : options.measures[0];
  const size_t column = find_column(table, name, "--measure: column", ColumnKind::measure);
  Quantity out = quantity_of(name, options.error);
  out.column = column;
  return out;
}

std::vector<double> values_in(const Table& table, std::span<const size_t> rows, const Quantity& quantity) {
  std::vector<double> values = numbers_in(table, rows, quantity.column);
  for (double& v : values) v = quantity.of(v);
  return values;
}

// "2 of 30 networks diverged and are left out.", or nothing.
void note_diverged(std::vector<std::string>& notes, const Table& table) {
  size_t n = 0;
  const int status = table.column("status");
  for (size_t r = 0; r < table.rows.size(); ++r) n += to_label(cell(table, r, status)).starts_with("diverged");
  if (n > 0)
    notes.push_back(
        fmt::format("{} of {} networks diverged and {} left out.", n, table.rows.size(), n == 1 ? "is" : "are"));
}

void note_pooled(std::vector<std::string>& notes, const std::vector<std::string>& pooled) {
  std::string names;
  for (const std::string& name : pooled) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty()) notes.push_back("Pooled over " + names + ".");
}

void require_networks(const Table& table) {
  if (table.rows.empty()) throw Error("nothing to draw: no network of this run is done");
}

std::string in_front(const std::string& first, const std::string& rest) {
  return first.empty() || rest.empty() ? first + rest : first + "\n" + rest;
}

// ---- kinds ----------------------------------------------------------------------------------------------------------
std::string stars(double p) { return p < 0.001 ? "***" : p < 0.01 ? "**" : p < 0.05 ? "*" : "n.s."; }

Plot bars(Networks networks, const PlotOptions& options, const std::string& title) {
  constexpr size_t all_pairs = 6;       // so many pairs, and all of them are marked
  constexpr size_t most_brackets = 20;  // beyond that a figure is all brackets
  const Table& table = networks.table;
  const Quantity quantity = measured(table, options);
  const Arms arms = arms_of(table, options.by, networks.excluded);
  BarsFigure figure{.title = title,
                    .legend_title = arms.title,
                    .quantity = quantity.label,
                    .remark = quantity.remark,
                    .label = arms.label,
                    .ordered = arms.ordered};
  for (const auto& rows : arms.rows) figure.values.push_back(values_in(table, rows, quantity));
  const std::vector<Comparison> pairs = compare_pairs(figure.values);

  const bool welch = options.test == "welch";
  size_t n_tests = 0;
  std::vector<std::pair<double, BarsFigure::Bracket>> brackets;
  for (const Comparison& pair : pairs) {
    const double p = welch ? pair.welch_holm : pair.mann_whitney_holm;
    if (std::isnan(p)) continue;
    ++n_tests;
    if (p < 0.05 || pairs.size() <= all_pairs) brackets.push_back({p, {pair.a, pair.b, stars(p)}});
  }
  figure.notes.push_back("Bars: means \u00b1 sd; dots: single networks.");
  const size_t n_marked = std::min(brackets.size(), most_brackets);
  if (n_tests > 0)
    figure.notes.push_back(fmt::format("{}: * p < 0.05, ** p < 0.01, *** p < 0.001{}.",
                                       welch ? "Welch's t test" : "Mann-Whitney U test",
                                       n_tests > 1 ? fmt::format(", Holm-Bonferroni over {} pairs", n_tests) : ""));
  if (n_tests > 0 && n_marked < brackets.size())
    figure.notes.push_back(
        fmt::format("Of {} significant pairs the {} with the smallest p are marked.", brackets.size(), n_marked));
  else if (n_tests > 0 && pairs.size() > all_pairs)
    figure.notes.push_back("All significant pairs are marked.");
  std::ranges::stable_sort(brackets, {}, &std::pair<double, BarsFigure::Bracket>::first);
  brackets.resize(n_marked);
  for (auto& [p, bracket] : brackets) figure.brackets.push_back(std::move(bracket));
  note_pooled(figure.notes, arms.pooled);
  note_diverged(figure.notes, table);
  figure.notes.insert(figure.notes.end(), networks.notes.begin(), networks.notes.end());

  Json json = {{"kind", "bars"}, {"measure", quantity.name}, {"error", quantity.complement}};
  json.update(networks.json);
  json["arms"] = Json::array();
  Grid means;
  means.column("arm", false);
  for (const char* header : {"n", "mean", "sd"}) means.column(header, true);
  std::vector<Moments> of_arm;
  for (size_t a = 0; a < arms.size(); ++a) {
    of_arm.push_back(moments(figure.values[a]));
    const Moments& m = of_arm.back();
    means.row({printable(arms.label[a]), std::to_string(m.n), number(m.mean), number(m.sd)});
    Json arm = {{"arm", arms.label[a]}};
    arm.update(json_of(m));
    arm["values"] = Json::array();
    for (const double v : figure.values[a]) arm["values"].push_back(v);
    json["arms"].push_back(arm);
  }
  Grid tests;
  for (const char* header : {"A", "B"}) tests.column(header, false);
  for (const char* header :
       {"mean A", "mean B", "sd A", "sd B", "n A", "n B", "t", "df", "p", "p_holm", "U", "p (U)", "p_holm (U)"})
    tests.column(header, true);
  json["comparisons"] = Json::array();
  for (const Comparison& c : pairs) {
    const Moments &a = of_arm[c.a], &b = of_arm[c.b];
    tests.row({printable(arms.label[c.a]), printable(arms.label[c.b]), number(a.mean), number(b.mean), number(a.sd),
               number(b.sd), std::to_string(a.n), std::to_string(b.n), number(c.welch.t), number(c.welch.df),
               number(c.welch.p), number(c.welch_holm), number(c.mann_whitney.u), number(c.mann_whitney.p),
               number(c.mann_whitney_holm)});
    json["comparisons"].push_back(
        {{"a", arms.label[c.a]},
         {"b", arms.label[c.b]},
         {"welch", {{"t", c.welch.t}, {"df", c.welch.df}, {"p", c.welch.p}, {"p_holm", c.welch_holm}}},
         {"mann_whitney",
          {{"u", c.mann_whitney.u},
           {"p", c.mann_whitney.p},
           {"p_holm", c.mann_whitney_holm},
           {"exact", c.mann_whitney.exact}}}});
  }
  std::string text = in_front(networks.text, quantity.label + "\n" + means.text());
  if (!pairs.empty())
    text =
        in_front(text, "Welch's t test and Mann-Whitney U test, two-sided; p_holm: Holm-Bonferroni\n" + tests.text());
  return {bars_figure(figure), text, text_of(json)};
}

Plot scatter(Networks networks, const PlotOptions& options, const std::string& title) {
  const Table& table = networks.table;
  const Quantity y = measured(table, options);
  std::string name = options.x;
  for (const std::string& column : table.columns) {
    if (!name.empty()) break;
    if (column == "svd_entropy.final") name = column;
  }
  for (const std::string& column : table.columns)
    if (name.empty() && column.ends_with(".final") && column != y.name) name = column;
  if (name.empty()) throw Error("--kind scatter: the run has no column *.final for the x axis; name one with --x");
  const size_t x_column = find_column(table, name, "--x: column");
  const std::string x_label = is_measure(name) ? measure_of(name).label : key_label(name);
  const Arms arms = arms_of(table, options.by, networks.excluded);

  ScatterFigure figure{.title = title,
                       .legend_title = arms.title,
                       .x = x_label,
                       .y = y.label,
                       .y_remark = y.remark,
                       .label = arms.label,
                       .ordered = arms.ordered};
  Json json = {{"kind", "scatter"}, {"x", name}, {"y", y.name}, {"error", y.complement}};
  json.update(networks.json);
  Grid grid;
  grid.column("arm", false);
  for (const char* header : {"n", "slope", "se", "intercept", "r", "r^2", "p"}) grid.column(header, true);
  const auto add = [&](const std::string& arm, const Regression& line) {
    grid.row({printable(arm), std::to_string(line.n), number(line.slope), number(line.slope_error),
              number(line.intercept), number(line.r), number(line.r * line.r), number(line.p)});
    return Json{{"arm", arm},
                {"n", line.n},
                {"slope", line.slope},
                {"slope_error", line.slope_error},
                {"intercept", line.intercept},
                {"r", line.r},
                {"r_squared", line.r * line.r},
                {"p", line.p}};
  };
  std::vector<double> all_x, all_y;
  std::vector<std::pair<std::string, Regression>> of_arm;
  for (size_t a = 0; a < arms.size(); ++a) {
    const std::vector<double> xs = numbers_in(table, arms.rows[a], x_column), ys = values_in(table, arms.rows[a], y);
    figure.points.emplace_back();
    for (size_t i = 0; i < xs.size(); ++i) figure.points.back().push_back({xs[i], ys[i]});
    all_x.insert(all_x.end(), xs.begin(), xs.end());
    all_y.insert(all_y.end(), ys.begin(), ys.end());
    of_arm.emplace_back(arms.label[a], linear_regression(xs, ys));
  }
  figure.line = linear_regression(all_x, all_y);
  json["regression"] = add("all networks", figure.line);
  json["arms"] = Json::array();
  if (arms.size() > 1)
    for (const auto& [arm, line] : of_arm) json["arms"].push_back(add(arm, line));

  const Regression& line = figure.line;
  figure.notes.push_back(fmt::format("Every marker is one network ({}).", line.n));
  if (std::isfinite(line.slope)) {
    figure.notes.push_back(
        fmt::format("Least squares over all networks: y = {} {} {} x{}{}.", number(line.intercept),
                    line.slope < 0 ? "-" : "+", number(std::abs(line.slope)),
                    std::isnan(line.r) ? "" : fmt::format(", r = {:.3f}, r\u00b2 = {:.3f}", line.r, line.r * line.r),
                    std::isnan(line.p) ? "" : fmt::format(", p = {:.2g}", line.p)));
  }
  note_pooled(figure.notes, arms.pooled);
  note_diverged(figure.notes, table);
  figure.notes.insert(figure.notes.end(), networks.notes.begin(), networks.notes.end());
  const std::string heading = fmt::format("least squares of {} on {}\n", y.complement ? "1 - " + y.name : y.name, name);
  return {scatter_figure(figure), in_front(networks.text, heading + grid.text()), text_of(json)};
}

Plot heatmap(Networks networks, const PlotOptions& options, const std::string& title) {
  const Table& table = networks.table;
  const Quantity quantity = measured(table, options);
  std::vector<SweptKey> keys = independent_keys(table, networks.excluded);
  // The two numbers with most values, then words.
  std::ranges::stable_sort(keys, [](const SweptKey& a, const SweptKey& b) {
    return a.numeric() != b.numeric() ? a.numeric() : a.values.size() > b.values.size();
  });
  const auto named = [&](const std::string& name, const char* option, const std::string& other) {
    if (!name.empty()) return read_key(table, int(find_column(table, name, option, ColumnKind::key)));
    for (const SweptKey& key : keys)
      if (key.name != other) return key;
    throw Error("--kind heatmap needs two swept keys besides the seed; this run has " + std::to_string(keys.size()));
  };
  const SweptKey x = named(options.x, "--x: swept key", options.y), y = named(options.y, "--y: swept key", x.name);
  if (x.name == y.name) throw Error("--x and --y: both are '" + x.name + "'");

  HeatmapFigure figure{.title = title, .x = key_label(x.name), .y = key_label(y.name), .quantity = quantity.label};
  for (size_t i = 0; i < x.values.size(); ++i) figure.columns.push_back(value_label(table, x, i));
  for (size_t i = 0; i < y.values.size(); ++i) figure.rows.push_back(value_label(table, y, i));
  std::vector<std::vector<std::vector<double>>> values(y.values.size(),
                                                       std::vector<std::vector<double>>(x.values.size()));
  for (size_t r = 0; r < table.rows.size(); ++r)
    values[y.of_row[r]][x.of_row[r]].push_back(quantity.of(to_number(cell(table, r, int(quantity.column)))));
  if (!y.numeric()) {  // words are read from top to bottom
    std::ranges::reverse(figure.rows);
    std::ranges::reverse(values);
  }
  Json json = {
      {"kind", "heatmap"}, {"measure", quantity.name}, {"error", quantity.complement}, {"x", x.name}, {"y", y.name}};
  json.update(networks.json);
  json["cells"] = Json::array();
  Grid grid;
  for (const std::string& header : {y.name, x.name}) grid.column(header, true);
  for (const char* header : {"n", "mean", "sd"}) grid.column(header, true);
  size_t least = table.rows.size(), most = 0;
  for (size_t j = 0; j < y.values.size(); ++j) {
    figure.value.emplace_back();
    for (size_t i = 0; i < x.values.size(); ++i) {
      const Moments m = moments(values[j][i]);
      figure.value.back().push_back(m.mean);
      if (m.n > 0) least = std::min(least, m.n), most = std::max(most, m.n);
      if (values[j][i].empty()) continue;
      grid.row(
          {printable(figure.rows[j]), printable(figure.columns[i]), std::to_string(m.n), number(m.mean), number(m.sd)});
      Json entry = {{x.name, figure.columns[i]}, {y.name, figure.rows[j]}};
      entry.update(json_of(m));
      json["cells"].push_back(entry);
    }
  }
  if (most > 0)
    figure.notes.push_back(fmt::format("Means over {} networks each.",
                                       least == most ? std::to_string(most) : fmt::format("{}\u2013{}", least, most)));
  std::vector<std::string> pooled;
  const std::vector<std::string> shown = {x.name, y.name};
  for (const std::string& name : arms_of(table, shown, networks.excluded).pooled) pooled.push_back(name);
  note_pooled(figure.notes, pooled);
  note_diverged(figure.notes, table);
  figure.notes.insert(figure.notes.end(), networks.notes.begin(), networks.notes.end());
  return {heatmap_figure(figure), in_front(networks.text, quantity.label + "\n" + grid.text()), text_of(json)};
}

Plot curves(const RunDirectory& run, Networks networks, const PlotOptions& options, const std::string& title) {
  const Table& table = networks.table;
  const std::string name = !options.measures.empty() ? options.measures[0] : options.error ? "eval.accuracy" : "loss";
  RecordedSeries series = read_series(run, table, name);
  const Quantity quantity = quantity_of(name, options.error);
  const Arms arms = arms_of(table, options.by, networks.excluded);
  const int net = table.column("net");
  std::vector<HistoryGroup> groups;
  Json json = {{"kind", "curves"}, {"series", name}, {"error", options.error}};
  json.update(networks.json);
  json["arms"] = Json::array();
  for (size_t a = 0; a < arms.size(); ++a) {
    HistoryGroup group{.label = arms.label[a]};
    for (const size_t r : arms.rows[a]) {
      const bool shown = !std::ranges::binary_search(networks.without, int64_t(to_number(cell(table, r, net))));
      if (series.value[r].empty() || !shown) continue;
      group.curves.push_back(series.value[r]);
      for (double& v : group.curves.back()) v = quantity.of(v);
    }
    Json arm = {{"arm", arms.label[a]}, {"step", Json::array()},   {"n", Json::array()},   {"mean", Json::array()},
                {"sd", Json::array()},  {"median", Json::array()}, {"p05", Json::array()}, {"p95", Json::array()}};
    for (size_t s = 0; s < series.step.size(); ++s) {
      std::vector<double> here;
      for (const auto& curve : group.curves) here.push_back(curve[s]);
      const Moments m = moments(here);
      if (m.n == 0) continue;
      arm["step"].push_back(series.step[s]);
      arm["n"].push_back(m.n);
      arm["mean"].push_back(m.mean);
      arm["sd"].push_back(m.sd);
      const Quantiles q = quantiles(here, 0.05);
      arm["median"].push_back(q.median);
      arm["p05"].push_back(q.low);
      arm["p95"].push_back(q.high);
    }
    json["arms"].push_back(arm);
    groups.push_back(std::move(group));
  }
  HistoryFigureOptions drawn{.title = title,
                             .quantity = (name == "loss" ? "training " : "") + quantity.label,
                             .legend_title = arms.title,
                             .ordered = arms.ordered,
                             .means = true,
                             .quantiles = options.band == "quantiles",
                             .log = options.log};
  if (name.starts_with("eval.")) drawn.quantity = "evaluation " + quantity.label;
  size_t n_diverged = 0;
  const int status = table.column("status");
  for (size_t r = 0; r < table.rows.size(); ++r) n_diverged += to_label(cell(table, r, status)).starts_with("diverged");
  if (n_diverged > 0)
    drawn.notes.push_back(fmt::format("{} of {} networks diverged and {} shown up to then.", n_diverged,
                                      table.rows.size(), n_diverged == 1 ? "is" : "are"));
  note_pooled(drawn.notes, arms.pooled);
  drawn.notes.insert(drawn.notes.end(), networks.notes.begin(), networks.notes.end());
  return {history_figure(series.step, groups, drawn), networks.text, text_of(json)};
}

// Panels of networks: arms, or the networks that were asked for.
struct SpectraPanels {
  std::vector<std::string> title;
  std::vector<std::vector<size_t>> rows;
  std::vector<std::string> notes;
  std::string tensor;
};

SpectraPanels spectra_panels(const RunDirectory& run, const Networks& networks, const PlotOptions& options,
                             const std::string& analysis) {
  const Table& table = networks.table;
  SpectraPanels out;
  const std::vector<std::string> tensors = kept_tensors(run, analysis);
  if (tensors.empty())
    throw Error("this run kept no " + analysis + "; they are kept by the analysis '" + analysis + "' (analysis.names)");
  out.tensor = options.tensor;
  if (out.tensor.empty())
    out.tensor = std::ranges::find(tensors, "recurrent") != tensors.end() ? "recurrent" : tensors[0];
  if (std::ranges::find(tensors, out.tensor) == tensors.end())
    throw Error("--tensor '" + out.tensor + "': not kept in this run; " + meant(out.tensor, tensors));
  const int net = table.column("net"), status = table.column("status");
  const auto usable = [&](size_t r) {
    return !to_label(cell(table, r, status)).starts_with("diverged") &&
           !std::ranges::binary_search(networks.without, int64_t(to_number(cell(table, r, net))));
  };
  for (const int64_t wanted : options.nets) {
    std::vector<size_t> rows;
    for (size_t r = 0; r < table.rows.size(); ++r)
      if (to_number(cell(table, r, net)) == double(wanted)) rows.push_back(r);
    if (rows.empty())
      throw Error(fmt::format("--net {}: no such network among the {} chosen ones", wanted, table.rows.size()));
    out.title.push_back(fmt::format("network {}", wanted));
    out.rows.push_back(std::move(rows));
  }
  if (options.nets.empty()) {
    const Arms arms = arms_of(table, options.by, networks.excluded);
    out.title = arms.label;
    out.rows = arms.rows;
    for (std::string& title : out.title)
      if (!arms.title.empty() && arms.ordered) title = arms.title + " = " + title;
    size_t least = table.rows.size(), most = 0;
    for (auto& rows : out.rows) {
      std::erase_if(rows, [&](size_t r) { return !usable(r); });
      if (rows.empty()) continue;
      least = std::min(least, rows.size());
      most = std::max(most, rows.size());
    }
    if (most > 0)
      out.notes.push_back(fmt::format("Tensor: {}; each panel: {} network{}.", spaced(out.tensor),
                                      least == most ? std::to_string(most) : fmt::format("{}\u2013{}", least, most),
                                      most == 1 ? "" : "s"));
    note_pooled(out.notes, arms.pooled);
    note_diverged(out.notes, table);
  } else {
    out.notes.push_back("Tensor: " + spaced(out.tensor) + ".");
  }
  out.notes.insert(out.notes.end(), networks.notes.begin(), networks.notes.end());
  return out;
}

Plot eigenvalues(const RunDirectory& run, Networks networks, const PlotOptions& options, const std::string& title) {
  const SpectraPanels panels = spectra_panels(run, networks, options, "eigenvalues");
  EigenvaluesFigure figure{.title = title, .panels = {}, .notes = panels.notes};
  figure.notes.insert(figure.notes.begin(), "Dashed: unit circle.");
  figure.panels.resize(panels.rows.size());
  Json json = {{"kind", "eigenvalues"}, {"tensor", panels.tensor}};
  json.update(networks.json);
  Grid grid;
  grid.column("panel", false);
  for (const char* header : {"networks", "radius start", "radius end"}) grid.column(header, true);
  json["panels"] = Json::array();
  std::vector<std::array<double, 2>> radius(panels.rows.size(), {no_number, no_number});
  for (const bool end : {false, true}) {
    const auto values =
        read_arrays(run, networks.table, "eigenvalues." + panels.tensor + (end ? ".final" : ".initial"));
    for (size_t p = 0; p < panels.rows.size(); ++p) {
      figure.panels[p].title = panels.title[p];
      auto& points = end ? figure.panels[p].end : figure.panels[p].start;
      for (const size_t r : panels.rows[p])
        for (size_t i = 0; i + 1 < values[r].size(); i += 2) {
          points.push_back({values[r][i], values[r][i + 1]});
          const double modulus = std::hypot(points.back().x, points.back().y);
          if (std::isfinite(modulus)) radius[p][end] = std::fmax(radius[p][end], modulus);
        }
    }
  }
  for (size_t p = 0; p < panels.rows.size(); ++p) {
    grid.row({printable(panels.title[p]), std::to_string(panels.rows[p].size()), number(radius[p][0]),
              number(radius[p][1])});
    json["panels"].push_back({{"panel", panels.title[p]},
                              {"networks", panels.rows[p].size()},
                              {"largest_modulus_start", radius[p][0]},
                              {"largest_modulus_end", radius[p][1]}});
  }
  return {eigenvalues_figure(figure), in_front(networks.text, "largest modulus of an eigenvalue\n" + grid.text()),
          text_of(json)};
}

Plot histogram(const RunDirectory& run, Networks networks, const PlotOptions& options, const std::string& title) {
  const SpectraPanels panels = spectra_panels(run, networks, options, "singular_values");
  HistogramFigure figure{
      .title = title, .n_bins = options.bins ? options.bins : 40, .log = options.log, .notes = panels.notes};
  figure.panels.resize(panels.rows.size());
  Json json = {{"kind", "histogram"}, {"tensor", panels.tensor}};
  json.update(networks.json);
  json["panels"] = Json::array();
  for (const bool end : {false, true}) {
    const auto values =
        read_arrays(run, networks.table, "singular_values." + panels.tensor + (end ? ".final" : ".initial"));
    for (size_t p = 0; p < panels.rows.size(); ++p) {
      figure.panels[p].title = panels.title[p];
      auto& list = end ? figure.panels[p].end : figure.panels[p].start;
      for (const size_t r : panels.rows[p]) list.insert(list.end(), values[r].begin(), values[r].end());
    }
  }
  Grid grid;
  grid.column("panel", false);
  for (const char* header : {"networks", "median start", "median end", "largest start", "largest end"})
    grid.column(header, true);
  const auto landmarks = [](std::vector<double> values) {  // median, largest
    std::erase_if(values, [](double v) { return !std::isfinite(v); });
    if (values.empty()) return std::array{no_number, no_number};
    std::ranges::sort(values);
    const size_t n = values.size();
    return std::array{(values[(n - 1) / 2] + values[n / 2]) / 2, values.back()};
  };
  for (size_t p = 0; p < panels.rows.size(); ++p) {
    const auto start = landmarks(figure.panels[p].start), end = landmarks(figure.panels[p].end);
    grid.row({printable(panels.title[p]), std::to_string(panels.rows[p].size()), number(start[0]), number(end[0]),
              number(start[1]), number(end[1])});
    json["panels"].push_back({{"panel", panels.title[p]},
                              {"networks", panels.rows[p].size()},
                              {"median_start", start[0]},
                              {"median_end", end[0]},
                              {"largest_start", start[1]},
                              {"largest_end", end[1]}});
  }
  return {histogram_figure(figure), in_front(networks.text, "singular values\n" + grid.text()), text_of(json)};
}

Plot sweep(Networks networks, const PlotOptions& options, const std::string& title) {
  Json json = {{"kind", "sweep"}};
  json.update(networks.json);
  const std::string svg = sweep_figure(networks.table, {.title = title,
                                                        .measures = options.measures,
                                                        .x = options.x,
                                                        .excluded = networks.excluded,
                                                        .quantiles = options.band == "quantiles",
                                                        .overlay = options.overlay,
                                                        .log = options.log,
                                                        .notes = networks.notes});
  return {svg, networks.text, text_of(json)};
}

Plot of_table(Networks networks, const PlotOptions& options, const std::string& title) {
  if (options.kind == "sweep") return sweep(std::move(networks), options, title);
  require_networks(networks.table);
  if (options.kind == "bars") return bars(std::move(networks), options, title);
  if (options.kind == "scatter") return scatter(std::move(networks), options, title);
  if (options.kind == "heatmap") return heatmap(std::move(networks), options, title);
  throw Error("--kind " + options.kind + " needs a run directory, not a table alone");
}

}  // namespace

std::span<const PlotKind> plot_kinds() { return kinds; }

Plot plot_table(const Table& table, const PlotOptions& options, const std::string& title) {
  check(options);
  return of_table(networks_of(table, options), options, title);
}

Plot plot_run(const RunDirectory& run, const PlotOptions& options) {
  check(options);
  Networks networks = networks_of(read_table(run), options);
  const std::string& title = run.manifest().name;
  if (options.kind == "curves" || options.kind == "eigenvalues" || options.kind == "histogram")
    require_networks(networks.table);
  if (options.kind == "curves") return curves(run, std::move(networks), options, title);
  if (options.kind == "eigenvalues") return eigenvalues(run, std::move(networks), options, title);
  if (options.kind == "histogram") return histogram(run, std::move(networks), options, title);
  return of_table(std::move(networks), options, title);
}

}  // namespace cohort::engine
