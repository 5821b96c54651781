#include "plot/sweep_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <span>

#include "cohort/error.h"
#include "plot/figure.h"
#include "plot/keys.h"
#include "statistics/moments.h"
#include "statistics/quantiles.h"

namespace cohort::engine {
namespace {

constexpr size_t most_dots = 30000;  // beyond that a figure shows means only
constexpr size_t most_means = 40;    // distinct x beyond which single networks tell more than means
constexpr double quartile = 0.25, band_tail = 0.05;
constexpr double least_fraction = 0.1;    // an axis of fractions spans at least so much
constexpr size_t most_panel_columns = 6;  // values of a key other than task.name that gets columns of panels

// ---- roles ----------------------------------------------------------------------------------------------------------
struct Roles {
  std::optional<SweptKey> x, colour, panels;
  std::vector<std::string> pooled;
};

std::optional<SweptKey> take(std::vector<SweptKey>& keys, const auto& better, const auto& suits) {
  auto best = keys.end();
  for (auto it = keys.begin(); it != keys.end(); ++it)
    if (suits(*it) && (best == keys.end() || better(*it, *best))) best = it;
  if (best == keys.end()) return std::nullopt;
  SweptKey taken = std::move(*best);
  keys.erase(best);
  return taken;
}

Roles assign_roles(const Table& table, const SweepFigureOptions& options) {
  std::vector<SweptKey> keys = independent_keys(table, options.excluded);
  Roles roles;
  const auto named = [&](const std::string& name) -> std::optional<SweptKey> {
    if (name.empty()) return std::nullopt;
    std::erase_if(keys, [&](const SweptKey& key) { return key.name == name; });
    const int column = table.column(name);
    if (column < 0 || is_measure(name)) throw Error("no swept key '" + name + "' to draw against in this table");
    return read_key(table, column);
  };
  roles.x = named(options.x);
  roles.colour = named(options.colour);
  roles.panels = named(options.panels);

  const auto first = [](const SweptKey&, const SweptKey&) { return false; };
  const auto more = [](const SweptKey& a, const SweptKey& b) { return a.values.size() > b.values.size(); };
  const auto fewer = [](const SweptKey& a, const SweptKey& b) { return a.values.size() < b.values.size(); };
  const auto is_task = [](const SweptKey& key) { return key.name == "task.name"; };
  if (!roles.x) roles.x = take(keys, more, [](const SweptKey& key) { return key.numeric(); });
  if (!roles.x) roles.x = take(keys, more, [&](const SweptKey& key) { return !is_task(key); });
  if (!roles.x) roles.x = take(keys, more, is_task);
  if (!roles.panels) roles.panels = take(keys, first, is_task);
  if (options.overlay) {  // the measures are the colours
    if (!roles.panels) roles.panels = take(keys, first, [](const SweptKey& key) { return !key.numeric(); });
    for (const SweptKey& key : keys) roles.pooled.push_back(key.name);
    return roles;
  }
  if (!roles.colour) roles.colour = take(keys, first, [](const SweptKey& key) { return key.name == "rule.geometry"; });
  if (!roles.colour) roles.colour = take(keys, first, [](const SweptKey& key) { return !key.numeric(); });
  if (!roles.colour) roles.colour = take(keys, fewer, [](const SweptKey&) { return true; });
  if (!roles.panels)
    roles.panels = take(keys, fewer, [](const SweptKey& key) { return key.values.size() <= most_panel_columns; });
  for (const SweptKey& key : keys) roles.pooled.push_back(key.name);
  return roles;
}

std::vector<Measure> measures_of(const Table& table, const SweepFigureOptions& options) {
  std::vector<Measure> measures;
  const auto add = [&](const std::string& column) {
    if (std::ranges::find(measures, column, &Measure::column) == measures.end()) measures.push_back(measure_of(column));
  };
  for (const std::string& column : options.measures) {
    if (table.column(column) < 0) {
      std::string known;
      for (const std::string& c : table.columns)
        if (is_measure(c)) known += (known.empty() ? "" : ", ") + c;
      throw Error("no column '" + column + "' in this table; measures are: " + (known.empty() ? "none" : known));
    }
    add(column);
  }
  if (!measures.empty()) return measures;
  for (const char* column : {"weight_change.final", "representation_alignment.final", "kernel_alignment.final"})
    if (table.column(column) >= 0) add(column);
  if (table.column("final.accuracy") >= 0) {
    for (size_t r = 0; r < table.rows.size(); ++r)  // regression tasks have none
      if (std::isfinite(to_number(cell(table, r, table.column("final.accuracy"))))) {
        add("final.accuracy");
        break;
      }
  }
  if (measures.size() > 1) return measures;
  for (const std::string& column : table.columns)
    if (is_measure(column) && !column.ends_with(".initial") && measures.size() < 4) add(column);
  return measures;
}

// ---- rows of panels ---------------------------------------------------------------------------------------------
// What a row of panels shows: one measure, or several of them in colours.
struct MeasureRow {
  std::vector<Measure> measures;
  std::vector<std::string> names;  // of each, in the legend
  std::string label, remark;       // of the axis
  double floor = no_number, ceiling = no_number;
};

std::vector<MeasureRow> rows_of(const std::vector<Measure>& measures, bool overlay) {
  std::vector<MeasureRow> rows;
  for (const Measure& m : measures)
    if (rows.empty() || !overlay)
      rows.push_back({{m}, {m.label}, m.label, m.remark, m.floor, m.ceiling});
    else
      rows[0].measures.push_back(m);
  if (!overlay || measures.size() < 2) return rows;
  MeasureRow& row = rows[0];
  const auto all = [&](auto same) { return std::ranges::all_of(measures, [&](const Measure& m) { return same(m); }); };
  const Measure& first = measures[0];
  const bool variants = all([&](const Measure& m) { return !m.quantity.empty() && m.quantity == first.quantity; });
  row.label = variants ? first.quantity : "";
  row.remark = "";
  row.names.clear();
  for (const Measure& m : measures) row.names.push_back(variants ? m.variant : m.label);
  if (!all([&](const Measure& m) { return m.floor == first.floor; })) row.floor = no_number;
  if (!all([&](const Measure& m) { return m.ceiling == first.ceiling; })) row.ceiling = no_number;
  return rows;
}

// ---- spreads --------------------------------------------------------------------------------------------------------
CurvePoint median_and_band(double x, const std::vector<double>& values, double tail) {
  const Quantiles q = quantiles(values, tail);
  if (q.n < 2) return {x, q.median};
  return {x, q.median, q.low, q.high};
}

CurvePoint mean_and_spread(double x, const Moments& s) { return {x, s.mean, s.mean - s.sd, s.mean + s.sd}; }

std::string a_number_of(size_t n, const std::string& what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

// ---- the x axis -----------------------------------------------------------------------------------------------------
// Where every value of the key lies on the axis. A word among numbers ("full") is one further step to the right; words
// alone are evenly spaced.
struct Positions {
  Axis axis;
  std::vector<double> at;  // [values]
};

Positions positions(const Table& table, const std::optional<SweptKey>& key) {
  Positions out;
  if (!key) {
    out.axis = {.low = -0.5, .high = 0.5, .ticks = {{0, "all networks"}}};
    out.at = {0};
    return out;
  }
  out.axis.label = key_label(key->name);
  if (!key->numeric()) {
    for (size_t v = 0; v < key->values.size(); ++v) {
      out.at.push_back(double(v));
      out.axis.ticks.push_back({double(v), value_label(table, *key, v)});
    }
    out.axis.low = -0.5;
    out.axis.high = double(key->values.size()) - 0.5;
    return out;
  }
  std::vector<Tick> ticks;
  for (size_t v = 0; v < key->n_numbers; ++v) {
    out.at.push_back(to_number(key->values[v]));
    ticks.push_back({out.at.back(), axis_number(out.at.back())});
  }
  const bool log = out.at.front() > 0 && out.at.back() / out.at.front() > 8;
  if (key->values.size() > key->n_numbers) {
    const double last = out.at.back();
    double further = last == 0 ? 1 : last + 0.5 * std::abs(last);
    if (out.at.size() > 1) {
      const double count = double(out.at.size() - 1);
      further = log ? last * std::max(1.5, std::pow(last / out.at.front(), 1 / count))
                    : last + (last - out.at.front()) / count;
    }
    out.at.push_back(further);
    ticks.push_back({further, to_label(key->values.back())});
  }
  const Axis fitted = fit_axis(out.axis.label, out.at, log);
  out.axis.log = fitted.log;
  out.axis.low = fitted.low;
  out.axis.high = fitted.high;
  const bool own_ticks = out.at.size() <= 8 || key->values.size() > key->n_numbers;
  out.axis.ticks = own_ticks ? ticks : fitted.ticks;
  return out;
}

bool spans(std::span<const double> values, double factor) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const double v : values)
    if (std::isfinite(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  return low > 0 && high > factor * low && std::isfinite(high);
}

// Adds what makes the values span at least so much, about their middle.
void widen(std::vector<double>& values, double least_span) {
  if (values.empty()) return;
  const auto [least, most] = std::ranges::minmax_element(values);
  const double middle = 0.5 * (*least + *most), low = *least, high = *most;
  if (high - low >= least_span) return;
  values.push_back(std::max(middle - 0.5 * least_span, std::min(low, 0.0)));
  values.push_back(std::min(middle + 0.5 * least_span, std::max(high, 1.0)));
}

// Whether panels can share one y axis without some of them being squeezed.
bool comparable(const std::vector<std::vector<double>>& panels) {
  double narrowest = std::numeric_limits<double>::infinity(), low = narrowest, high = -low;
  for (const auto& values : panels) {
    const auto [least, most] = std::ranges::minmax_element(values);
    if (least == values.end()) continue;
    narrowest = std::min(narrowest, *most - *least);
    low = std::min(low, *least);
    high = std::max(high, *most);
  }
  return !(narrowest < 0.2 * (high - low));
}

// The range that an axis has to show: all values, but not those that lie many times farther out than nine tenths of
// them spread, as those of networks that nearly diverged do.
struct Fence {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool holds(double value) const { return value >= low && value <= high; }
};

Fence fence(std::vector<double> values) {
  if (values.size() < 20) return {};
  std::ranges::sort(values);
  const double low = values[values.size() / 20], high = values[values.size() - 1 - values.size() / 20];
  const double room = 4 * (high - low);
  return room > 0 ? Fence{low - room, high + room} : Fence{};
}

}  // namespace

std::string sweep_figure(const Table& table, const SweepFigureOptions& options) {
  const std::vector<Measure> measures = measures_of(table, options);
  const Roles roles = assign_roles(table, options);
  Figure figure{.title = options.title};
  if (table.rows.empty() || measures.empty()) {
    figure.notes.push_back(table.rows.empty() ? "Nothing to draw: the table holds no network."
                                              : "Nothing to draw: the table holds no measure.");
    return draw(figure);
  }

  const Positions x = positions(table, roles.x);
  const size_t n_panels = roles.panels ? roles.panels->values.size() : 1;
  const size_t n_colours = options.overlay ? measures.size() : roles.colour ? roles.colour->values.size() : 1;
  const std::vector<MeasureRow> rows = rows_of(measures, options.overlay);
  figure.joined = roles.x && roles.x->numeric();
  const bool means = x.at.size() <= most_means,
             dots = !options.quantiles && table.rows.size() * measures.size() <= most_dots;
  if (options.quantiles) figure.spread = Spread::band;
  figure.x = x.axis;
  if (roles.colour) {
    figure.legend_title = key_label(roles.colour->name);
    if (roles.colour->numeric() && n_colours > 2) figure.n_ordered = n_colours;
  }
  figure.columns = roles.panels ? n_panels : rows.size() <= 3 ? rows.size() : 2;
  if (rows.size() * n_panels == 1 && options.overlay) figure.panel_width = 460, figure.panel_height = 280;

  size_t least = table.rows.size(), most = 0;  // networks behind a mean
  size_t n_drawn = 0, n_beyond = 0;
  std::vector<bool> drawn(table.rows.size(), false);
  for (const MeasureRow& row : rows) {
    // values [panel][colour][x]
    std::vector<std::vector<std::vector<std::vector<double>>>> values(
        n_panels, std::vector(n_colours, std::vector<std::vector<double>>(x.at.size())));
    std::vector<std::vector<double>> of_panel(n_panels);
    for (size_t m = 0; m < row.measures.size(); ++m) {
      const int column = table.column(row.measures[m].column);
      for (size_t r = 0; r < table.rows.size(); ++r) {
        const double value = to_number(cell(table, r, column));
        if (!std::isfinite(value)) continue;
        drawn[r] = true;
        const size_t panel = roles.panels ? roles.panels->of_row[r] : 0, group = options.overlay ? m
                                                                                 : roles.colour
                                                                                     ? roles.colour->of_row[r]
                                                                                     : 0;
        values[panel][group][roles.x ? roles.x->of_row[r] : 0].push_back(value);
        of_panel[panel].push_back(value);
      }
    }

    const bool bounded = std::isfinite(row.ceiling);
    std::vector<double> all;
    for (const auto& panel : of_panel) all.insert(all.end(), panel.begin(), panel.end());
    const Fence shown = bounded ? Fence{} : fence(all);
    for (auto& panel : of_panel) n_beyond += std::erase_if(panel, [&](double value) { return !shown.holds(value); });
    std::erase_if(all, [&](double value) { return !shown.holds(value); });
    const bool shared = bounded || comparable(of_panel);
    for (size_t panel = 0; panel < n_panels; ++panel) {
      Panel out{.title = roles.panels ? value_label(table, *roles.panels, panel) : ""};
      if (roles.panels && roles.panels->numeric()) out.title = key_label(roles.panels->name) + " = " + out.title;
      for (size_t group = 0; group < n_colours; ++group) {
        Curve curve{.label = options.overlay ? row.names[group]
                             : roles.colour  ? value_label(table, *roles.colour, group)
                                             : "",
                    .style = group,
                    .points = {},
                    .dots = {}};
        for (size_t i = 0; i < x.at.size(); ++i) {
          const auto& here = values[panel][group][i];
          const Moments s = moments(here);
          if (s.n == 0) continue;
          least = std::min(least, s.n);
          most = std::max(most, s.n);
          if (means)
            curve.points.push_back(options.quantiles ? median_and_band(x.at[i], here, band_tail)
                                                     : mean_and_spread(x.at[i], s));
          if ((dots && s.n > 1) || !means)
            for (const double v : here) curve.dots.push_back({x.at[i], v});
        }
        if (!curve.points.empty() || !curve.dots.empty()) out.curves.push_back(std::move(curve));
      }
      std::vector<double> within = shared ? all : of_panel[panel];
      if (bounded) widen(within, least_fraction);
      out.y = fit_axis(row.label, within, options.log || (!bounded && spans(within, 50)), row.floor, row.ceiling);
      out.y.remark = row.remark;
      figure.panels.push_back(std::move(out));
    }
  }

  // What stands below: how to read it, what is not in it.
  size_t n_diverged = 0, n_without = 0;
  const int status = table.column("status");
  for (size_t r = 0; r < table.rows.size(); ++r) {
    n_drawn += drawn[r];
    if (drawn[r]) continue;
    const bool diverged = to_label(cell(table, r, status)).starts_with("diverged");
    n_diverged += diverged;
    n_without += !diverged;
  }
  if (most > 1 && means) {
    const std::string over = least == most ? fmt::format("{}", most) : fmt::format("{}\u2013{}", least, most);
    figure.notes.push_back(options.quantiles
                               ? fmt::format("Median and 5\u201395 % band over {} networks each.", over)
                               : fmt::format("Mean \u00b1 sd over {} networks each{}.", over,
                                             dots ? "; dots: single networks" : "; too many to show single networks"));
  } else if (n_drawn > 0) {
    figure.notes.push_back("Every " + std::string(means ? "marker" : "dot") + " is one network.");
  }
  if (!roles.pooled.empty()) {
    std::string names;
    for (const std::string& name : roles.pooled) names += (names.empty() ? "" : ", ") + name;
    figure.notes.push_back("Pooled over " + names + ".");
  }
  if (n_beyond > 0)
    figure.notes.push_back(fmt::format("{} far beyond the others {} drawn at the edge of the panel; means include {}.",
                                       a_number_of(n_beyond, "value"), n_beyond == 1 ? "is" : "are",
                                       n_beyond == 1 ? "it" : "them"));
  if (n_diverged > 0)
    figure.notes.push_back(fmt::format("{} of {} diverged and {} left out.", n_diverged,
                                       a_number_of(table.rows.size(), "network"), n_diverged == 1 ? "is" : "are"));
  if (n_without > 0)
    figure.notes.push_back(fmt::format("{} of {} {} no value yet.", n_without,
                                       a_number_of(table.rows.size(), "network"), n_without == 1 ? "has" : "have"));
  figure.notes.insert(figure.notes.end(), options.notes.begin(), options.notes.end());
  return draw(figure);
}

std::string history_figure(const std::vector<int64_t>& step, const std::vector<HistoryGroup>& groups,
                           const HistoryFigureOptions& options) {
  constexpr size_t most_points = 400;
  Figure figure{.title = options.title, .legend_title = options.legend_title, .spread = Spread::band};
  std::vector<double> at(step.begin(), step.end());
  figure.x = fit_axis("training step", at);
  if (!at.empty() && at.back() > at.front()) figure.x.low = at.front(), figure.x.high = at.back();
  figure.x.ticks = nice_ticks(figure.x.low, figure.x.high, false);

  std::vector<std::string> labels, columns, rows;
  const auto index = [](std::vector<std::string>& words, const std::string& word) {
    const auto found = std::ranges::find(words, word);
    if (found != words.end()) return size_t(found - words.begin());
    words.push_back(word);
    return words.size() - 1;
  };
  std::vector<double> means;
  size_t n_networks = 0;
  for (const HistoryGroup& group : groups) {
    for (const auto& curve : group.curves)
      if (curve.size() != step.size())
        throw Error(
            fmt::format("history '{}': a curve of {} values for {} steps", group.label, curve.size(), step.size()));
    index(labels, group.label);
    index(columns, group.column);
    index(rows, group.row);
    n_networks += group.curves.size();
  }
  // values [n_nets] of a group at a recorded step
  const auto values_at = [&](const HistoryGroup& group, size_t i) {
    std::vector<double> values;
    for (const auto& curve : group.curves) values.push_back(curve[i]);
    return values;
  };
  // Recorded steps at which a group has values, thinned out evenly; the last one stays.
  const auto steps_of = [&](const HistoryGroup& group) {
    std::vector<size_t> recorded, kept;
    for (size_t i = 0; i < step.size(); ++i)
      if (moments(values_at(group, i)).n > 0) recorded.push_back(i);
    const size_t stride = std::max<size_t>(1, (recorded.size() + most_points - 1) / most_points);
    for (size_t i = 0; i < recorded.size(); i += stride) kept.push_back(recorded[i]);
    if (!kept.empty() && kept.back() != recorded.back()) kept.push_back(recorded.back());
    return kept;
  };
  std::vector<std::vector<size_t>> drawn;
  for (const HistoryGroup& group : groups) {
    drawn.push_back(steps_of(group));
    for (const size_t i : drawn.back()) means.push_back(moments(values_at(group, i)).mean);
  }
  figure.notes = options.notes;
  if (means.empty()) {
    figure.notes.insert(figure.notes.begin(), "Nothing to draw: no history was recorded.");
    return draw(figure);
  }

  const bool medians = !options.means && spans(means, 20), log = medians || options.log;
  std::vector<double> shown;
  figure.columns = columns.size() > 1 || rows.size() < 2 ? columns.size() : std::min<size_t>(rows.size(), 3);
  figure.panels.resize(columns.size() * rows.size());
  if (options.means && figure.panels.size() == 1) figure.panel_width = 460, figure.panel_height = 280;
  for (size_t g = 0; g < groups.size(); ++g) {
    const HistoryGroup& group = groups[g];
    Curve curve{.label = group.label, .style = index(labels, group.label)};
    for (const size_t i : drawn[g]) {
      const std::vector<double> here = values_at(group, i);
      const double x = double(step[i]);
      const CurvePoint point = options.quantiles ? median_and_band(x, here, band_tail)
                               : medians         ? median_and_band(x, here, quartile)
                                                 : mean_and_spread(x, moments(here));
      curve.points.push_back(point);
      shown.push_back(point.mean);
      if (options.means && !log) shown.insert(shown.end(), {point.low, point.high});
    }
    const size_t panel = index(rows, group.row) * columns.size() + index(columns, group.column);
    if (!curve.points.empty()) figure.panels[panel].curves.push_back(std::move(curve));
  }
  Axis y = fit_axis(options.quantity, shown, log);
  for (size_t i = 0; i < figure.panels.size(); ++i) {
    figure.panels[i].title = spaced(columns[i % columns.size()]);
    figure.panels[i].y = y;
    figure.panels[i].y.remark = rows[i / columns.size()];
  }
  if (options.ordered && labels.size() > 2) figure.n_ordered = labels.size();
  if (n_networks > groups.size())
    figure.notes.insert(figure.notes.begin(), options.quantiles ? "Lines: medians over networks; bands: 5\u201395 %."
                                              : medians         ? "Lines: medians over networks; bands: quartiles."
                                                                : "Lines: means over networks; bands: \u00b1 sd.");
  return draw(figure);
}

std::string sweep_history_figure(const Table& table, const std::vector<int64_t>& step,
                                 const std::vector<std::vector<double>>& curves, const HistoryFigureOptions& options) {
  constexpr size_t most_labels = 8;
  if (curves.size() != table.rows.size())
    throw Error(fmt::format("{} histories for a table of {} networks", curves.size(), table.rows.size()));
  const Roles roles = assign_roles(table, {});
  const bool coloured = roles.x && roles.x->values.size() <= most_labels;
  HistoryFigureOptions shown = options;
  if (coloured) {
    shown.legend_title = key_label(roles.x->name);
    shown.ordered = roles.x->numeric();
  }
  const auto value = [&](const std::optional<SweptKey>& key, size_t row) { return key ? key->of_row[row] : 0; };
  std::map<std::array<size_t, 3>, HistoryGroup> groups;  // by row of panels, column and label
  for (size_t r = 0; r < table.rows.size(); ++r) {
    if (curves[r].empty()) continue;
    const size_t label = coloured ? value(roles.x, r) : 0;
    HistoryGroup& group = groups[{value(roles.colour, r), value(roles.panels, r), label}];
    if (group.curves.empty()) {
      if (coloured) group.label = value_label(table, *roles.x, label);
      if (roles.panels) group.column = value_label(table, *roles.panels, value(roles.panels, r));
      if (roles.colour) group.row = value_label(table, *roles.colour, value(roles.colour, r));
    }
    group.curves.push_back(curves[r]);
  }
  std::vector<HistoryGroup> list;
  for (auto& [place, group] : groups) list.push_back(std::move(group));
  return history_figure(step, list, shown);
}

}  // namespace cohort::engine
