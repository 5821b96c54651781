// The one function of the module libcohort_cuda.so.
#pragma once

#include <cstddef>

#include "device/device.h"

#if defined(__GNUC__)
#define COHORT_EXPORT __attribute__((visibility("default")))
#else
#define COHORT_EXPORT
#endif

// A new device that the caller deletes, or nullptr with the reason in reason[0, reason_bytes), cut off where it does
// not fit. threads: of the host, 0 = all. Never throws.
extern "C" COHORT_EXPORT cohort::engine::Device* cohort_cuda_open(int ordinal, int threads, char* reason,
                                                                  size_t reason_bytes);

namespace cohort::engine {
inline constexpr const char* cuda_module_name = "libcohort_cuda.so";
inline constexpr const char* cuda_module_entry = "cohort_cuda_open";
}  // namespace cohort::engine
