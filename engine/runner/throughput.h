// How fast a device trains networks, and what its arithmetic could do at best.
#pragma once

#include <string>

#include "device/device.h"
#include "runner/networks.h"

namespace cohort::engine {

struct ThroughputCase {
  int n_hidden = 64, batch = 64, n_steps = 100, n_in = 4, n_out = 3;  // case C1; n_in >= 3, n_out = 3
  int n_nets = 0;                                                     // 0: a few per worker
  double seconds = 3;                                                 // of measuring
  bool gemm = true;                                                   // measure the products too, where that is known
  Precision precision = Precision::fp32;
  TaskId task = TaskId::perceptual_decision;  // or row_mnist, which has 28 steps, 28 inputs and 10 outputs
  Signature signature() const;
};
// Row-sequential MNIST (Li et al., NeurIPS 2023; one layer, n = 100, batch 32), on random images.
ThroughputCase row_image_case();

struct Throughput {
  ThroughputCase shape;
  std::string program;  // Device::training_program
  double net_steps_per_s = 0;
  double tflops = 0;  // flop_per_step x net_steps_per_s, without readouts of steps that no loss counts
  double gemm_tflops =
      0;             // the better of sgemm 1024^3 and batch x n x n, one per worker at once, in alternation with ours
  int diverged = 0;  // networks that stopped training, whose steps are counted nevertheless
  double efficiency() const { return gemm_tflops > 0 ? tflops / gemm_tflops : 0; }
};

// The networks of a case (decision_network.h) with seeds 0, 1, ..., and the images they learn from; n_nets is given.
struct ThroughputNetworks {
  ThroughputNetworks(Device& device, const ThroughputCase& shape);
  DeviceDataset images;  // of row_mnist: random_images
  Networks networks;
};

// Trains the networks of the case, making or gathering data and update included; medians over alternating rounds. At least
// three steps are done, however long they take. On a CPU device the products are OpenBLAS's.
Throughput measure_throughput(Device& device, const ThroughputCase& shape);

}  // namespace cohort::engine
