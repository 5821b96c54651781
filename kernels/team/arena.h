// Hands out parts of a workspace; with a null base it only measures. In the emulated build the parts lie further apart,
// with poison in between.
#pragma once

#include "team/target.h"

#if defined(COHORT_EMULATED)
#include "emulator/emulator.h"
#endif

COHORT_BEGIN

class Arena {
 public:
  static constexpr size_t alignment = 256;
  COHORT_FN explicit Arena(void* base) : base_(static_cast<unsigned char*>(base)) {}
  template <class T>
  COHORT_FN T* take(size_t n) {
    T* p = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
    const size_t bytes = n * sizeof(T), place = (bytes + alignment - 1) / alignment * alignment + gap;
#if defined(COHORT_EMULATED)
    if (p) ::emulator::poison_gap(p, bytes, place - bytes);
#endif
    used_ += place;
    return p;
  }
  COHORT_FN size_t used() const { return used_; }
  // For code that treats several neighbouring parts as one: is the address between two of them?
  COHORT_FN static bool is_gap([[maybe_unused]] const void* address) {
#if defined(COHORT_EMULATED)
    return ::emulator::is_gap(address);
#else
    return false;
#endif
  }

 private:
#if defined(COHORT_EMULATED)
  static constexpr size_t gap = 256;
#else
  static constexpr size_t gap = 0;
#endif
  unsigned char* base_;
  size_t used_ = 0;
};

COHORT_END
