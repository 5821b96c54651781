// What the update programs of every backend ask of their arguments. Throws cohort::Error: operation, field, value, what
// is allowed.
#pragma once

#include <string>

#include "cohort/error.h"
#include "cohort/update.h"
#include "team/target.h"

COHORT_BEGIN

class UpdateArguments {
 public:
  static constexpr int64_t most_weights = int64_t(1) << 38;  // 1 TiB of float
  explicit UpdateArguments(const char* operation) : operation_(operation) {}

  // Is there anything to do?
  bool shape(int32_t n_nets, int64_t n, const Launch& l) const {
    at_least_0(n_nets, "n_nets");
    at_least_0(n, "n");
    at_least_0(l.first, "first");
    at_least_0(l.count, "count");
    const int64_t end = int64_t(l.first) + l.count;
    require(end <= n_nets, "first + count",
            "is " + std::to_string(end) + "; allowed: up to n_nets = " + std::to_string(n_nets));
    require(double(n) * double(n_nets) < double(most_weights), "n",
            "is " + std::to_string(n) + "; allowed: n_nets x n below " + std::to_string(most_weights));
    return l.count > 0 && n > 0;
  }
  template <class T>
  void optional(const T* memory, const char* field) const {
    require(reinterpret_cast<uintptr_t>(memory) % alignof(T) == 0, field,
            "is not aligned; allowed: multiples of " + std::to_string(alignof(T)) + " bytes");
  }
  template <class T>
  void needed(const T* memory, const char* field) const {
    require(memory != nullptr, field, "is null; allowed: memory of the backend");
    optional(memory, field);
  }

 private:
  void require(bool good, const char* field, const std::string& problem) const {
    if (!good) throw Error(std::string(operation_) + ": " + field + " " + problem);
  }
  void at_least_0(int64_t value, const char* field) const {
    require(value >= 0, field, "is " + std::to_string(value) + "; allowed: 0 or more");
  }
  const char* operation_;
};

// Throw for bad arguments; otherwise, is there anything to do?
template <class Real>
bool check_update(const MirrorUpdateArgs<Real>& a, const Launch& l) {
  const UpdateArguments arguments("mirror_update");
  if (!arguments.shape(a.n_nets, a.n, l)) return false;
  arguments.needed(a.weights, "weights");
  arguments.needed(a.gradient, "gradient");
  arguments.optional(a.momentum, "momentum");
  arguments.needed(a.rules, "rules");
  arguments.needed(a.lr, "lr");
  arguments.optional(a.scale, "scale");
  return true;
}
template <class Real>
bool check_update(const SignProjectArgs<Real>& a, const Launch& l) {
  const UpdateArguments arguments("sign_project");
  if (!arguments.shape(a.n_nets, a.n, l)) return false;
  arguments.needed(a.weights, "weights");
  arguments.optional(a.reference, "reference");
  arguments.needed(a.projections, "projections");
  return true;
}

COHORT_END
