#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "analysis/analysis.h"
#include "cohort/kernels.h"
#include "commands.h"

namespace cohort::app {

namespace {

using Json = nlohmann::ordered_json;

template <class Id>
Json family(int count) {
  Json items = Json::array();
  for (int i = 0; i < count; ++i) items.push_back({{"name", info(Id(i)).name}, {"doc", info(Id(i)).doc}});
  return items;
}

Json registered() {
  Json all;
  all["core"] = family<CoreId>(n_cores);
  all["activation"] = family<ActivationId>(n_activations);
  all["parameterisation"] = family<ParameterisationId>(n_parameterisations);
  all["cell"] = family<CellId>(n_cells);
  all["distribution"] = family<DistributionId>(n_distributions);
  all["geometry"] = family<GeometryId>(n_geometries);
  all["projection"] = family<ProjectionId>(n_projections);
  all["schedule"] = family<ScheduleId>(n_schedules);
  all["loss"] = family<LossId>(n_losses);
  all["precision"] = family<Precision>(n_precisions);
  all["task"] = Json::array();
  for (int i = 0; i < n_tasks; ++i) {
    const TaskInfo& t = task_info(TaskId(i));
    Json item = {
        {"name", t.name}, {"doc", t.doc}, {"needs_data", name_of(t.needs_data)}, {"parameters", Json::array()}};
    for (int p = 0; p < t.n_params; ++p)
      item["parameters"].push_back({{"name", t.params[p].name},
                                    {"doc", t.params[p].doc},
                                    {"default", t.params[p].value},
                                    {"min", t.params[p].min},
                                    {"max", t.params[p].max}});
    all["task"].push_back(item);
  }
  all["analysis"] = Json::array();
  for (const engine::Analysis& a : engine::analyses()) {
    Json item = {{"name", a.name}, {"doc", a.doc}, {"fields", Json::array()}};
    for (const engine::Field& f : a.fields) item["fields"].push_back({{"name", f.name}, {"doc", f.doc}});
    all["analysis"].push_back(item);
  }
  return all;
}

}  // namespace

int list(bool json) {
  const Json all = registered();
  if (json) {
    fmt::print("{}\n", all.dump(2));
    return ok;
  }
  for (const auto& [name, items] : all.items()) {
    fmt::print("{}\n", name);
    for (const Json& item : items) {
      fmt::print("  {:<26}{}\n", item["name"].get<std::string>(), item["doc"].get<std::string>());
      for (const Json& p : item.value("parameters", Json::array()))
        fmt::print("    task.{:<22}{} (default {}, {} to {})\n", p["name"].get<std::string>(),
                   p["doc"].get<std::string>(), p["default"].get<double>(), p["min"].get<double>(),
                   p["max"].get<double>());
    }
  }
  return ok;
}

}  // namespace cohort::app
