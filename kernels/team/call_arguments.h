// What every operation that embedders call asks of its arguments. Throws cohort::Error: operation, field, value, what is allowed.
#pragma once

#include <string>

#include "cohort/error.h"
#include "team/target.h"

COHORT_BEGIN

class CallArguments {
 public:
  explicit CallArguments(const char* operation) : operation_(operation) {}

  // Is there anything to do? `total` networks or matrices, called `name`.
  bool range(int32_t total, const char* name, const Launch& l) const {
    at_least_0(total, name);
    at_least_0(l.first, "first");
    at_least_0(l.count, "count");
    const int64_t end = int64_t(l.first) + l.count;
    require(end <= total, "first + count", end, std::string("up to ") + name + " = " + std::to_string(total));
    return l.count > 0;
  }
  template <class T>
  void optional(const T* memory, const char* field) const {
    if (reinterpret_cast<uintptr_t>(memory) % alignof(T))
      fail(field, "is not aligned; allowed: multiples of " + std::to_string(alignof(T)) + " bytes");
  }
  template <class T>
  void needed(const T* memory, const char* field) const {
    if (!memory) fail(field, "is null; allowed: memory of the backend");
    optional(memory, field);
  }
  void at_least_0(int64_t value, const char* field) const { require(value >= 0, field, value, "0 or more"); }
  void require(bool good, const char* field, int64_t value, const std::string& allowed) const {
    if (!good) fail(field, "is " + std::to_string(value) + "; allowed: " + allowed);
  }
  [[noreturn]] void fail(const char* field, const std::string& problem) const {
    throw Error(std::string(operation_) + ": " + field + " " + problem);
  }

 private:
  const char* operation_;
};

COHORT_END
