// Hands out parts of a workspace; with a null base it only measures.
#pragma once

#include "team/target.h"

COHORT_BEGIN

class Arena {
 public:
  static constexpr size_t alignment = 256;
  COHORT_FN explicit Arena(void* base) : base_(static_cast<unsigned char*>(base)) {}
  template <class T>
  COHORT_FN T* take(size_t n) {
    T* p = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
    used_ += (n * sizeof(T) + alignment - 1) / alignment * alignment;
    return p;
  }
  COHORT_FN size_t used() const { return used_; }

 private:
  unsigned char* base_;
  size_t used_ = 0;
};

COHORT_END
