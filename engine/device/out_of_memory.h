// Recognising that a device's memory did not suffice.
#pragma once

#include "cohort/error.h"

namespace cohort::engine {

inline constexpr int out_of_memory_code = 2;  // cudaErrorMemoryAllocation, and CUSOLVER_STATUS_ALLOC_FAILED

inline bool is_out_of_memory(const CudaError& error) { return error.code == out_of_memory_code; }

}  // namespace cohort::engine
