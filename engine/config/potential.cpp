#include "config/potential.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

#include "cohort/error.h"

namespace cohort::engine {

namespace {

// The parameter of a geometry, where it has one.
struct Parameter {
  GeometryId of;
  double Potential::*field;
  const char* name;
  double above, most;
};
constexpr Parameter parameters[] = {{GeometryId::p_norm, &Potential::p, "p", 1, 1000},
                                    {GeometryId::hypentropy, &Potential::beta, "beta", 0, HUGE_VAL}};

const Parameter* parameter_of(GeometryId id) {
  const auto* const found = std::ranges::find(parameters, id, &Parameter::of);
  return found == std::end(parameters) ? nullptr : found;
}

std::string joined(const Potential& potential, char sign) {
  const Parameter* const parameter = parameter_of(potential.geometry);
  const std::string geometry = info(potential.geometry).name;
  return parameter ? fmt::format("{}{}{}", geometry, sign, potential.*parameter->field) : geometry;
}

}  // namespace

Potential read_potential(const std::string& word) {
  const size_t colon = std::min(word.find(':'), word.size());
  const std::string geometry = word.substr(0, colon), number = word.substr(std::min(colon + 1, word.size()));
  Potential potential;
  int id = 0;
  while (id < n_geometries && info(GeometryId(id)).name != geometry) ++id;
  if (id == n_geometries) throw Error("unknown potential");
  potential.geometry = GeometryId(id);
  const Parameter* const parameter = parameter_of(potential.geometry);
  if (!parameter) {
    if (colon < word.size()) throw Error(geometry + " has no parameter");
    return potential;
  }
  double& value = potential.*parameter->field;
  const char* const end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, value);
  const std::string wanted = fmt::format("{}:{}", geometry, parameter->name);
  if (colon == word.size() || number.empty()) throw Error("its parameter is missing, " + wanted);
  if (error != std::errc() || stop != end) throw Error("its parameter is no number, " + wanted);
  if (!(value > parameter->above && value <= parameter->most && std::isfinite(value)))
    throw Error(fmt::format("{} is out of range: above {}{}", parameter->name, parameter->above,
                            std::isfinite(parameter->most) ? fmt::format(", up to {}", parameter->most) : ""));
  if (potential_word(potential) != word) throw Error("is written \"" + potential_word(potential) + "\"");
  return potential;
}

std::vector<std::string> potential_words() {
  std::vector<std::string> words;
  for (int id = 0; id < n_geometries; ++id) {
    const Parameter* const parameter = parameter_of(GeometryId(id));
    const char* const name = info(GeometryId(id)).name;
    words.push_back(parameter ? fmt::format("{0}:{1} ({1} > {2})", name, parameter->name, parameter->above) : name);
  }
  return words;
}

std::string potential_word(const Potential& potential) { return joined(potential, ':'); }
std::string potential_name(const Potential& potential) { return joined(potential, '_'); }

bool same_dual_space(const Potential& a, const Potential& b) {
  const auto space = [](const Potential& q) {
    if (q.geometry == GeometryId::p_norm && q.p == 2) return std::tuple(GeometryId::euclidean, 0.0);
    const Parameter* const parameter = parameter_of(q.geometry);
    return std::tuple(q.geometry, parameter ? q.*parameter->field : 0.0);
  };
  return space(a) == space(b);
}

}  // namespace cohort::engine
