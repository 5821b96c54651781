// How fast mirror_update moves weights, beside a copy on the same device: what is asked and what is found.
#pragma once

#include "cohort/update.h"

namespace cohort::engine {

struct UpdateBandwidthCase {
  int32_t n_nets = 10;
  int64_t n = 10'000'000;  // weights per network
  GeometryId geometry = GeometryId::neg_entropy;
  ProjectionId projection = ProjectionId::none;
  double p = 3;  // of p_norm
  bool mask = false;
  int offset = 0;  // elements from 256 bytes to the first row of every array: rows on and off 16 bytes
  double seconds = 0.5;
};
struct UpdateBandwidth {
  double update_bytes_per_s = 0;  // update_bytes over the time of one step with momentum
  double copy_bytes_per_s = 0;    // of a device-to-device copy of as many bytes, counted in and out
  double seconds_per_update = 0;
  double share() const { return copy_bytes_per_s > 0 ? update_bytes_per_s / copy_bytes_per_s : 0; }
};

}  // namespace cohort::engine
