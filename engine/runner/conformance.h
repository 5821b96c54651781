// Whether a device trains networks as another one does.
#pragma once

#include <string>

#include "device/device.h"

namespace cohort::engine {

// Both backends add the same numbers in other orders: n terms differ by about sqrt(n) roundings, and the steps of training
// multiply that by some tens. 4096 roundings.
inline constexpr double conformance_tolerance = 4096 * 0x1p-23;

struct Conformance {
  Signature signature;
  std::string program;  // that trained the networks on the device (Device::training_program)
  int n_networks = 0;
  double difference = 0;  // largest of a network's parameters, momentum or losses, relative to their largest number
  bool pass() const { return difference <= conformance_tolerance; }
};

// A few steps of networks of one signature (see decision_network) on both, on the reference in fp32: every geometry with every activation, the
// parameterisations in turn, or DANNs where the signature has inhibitory units.
Conformance compare_training(Device& device, Device& reference, const Signature& signature);

}  // namespace cohort::engine
