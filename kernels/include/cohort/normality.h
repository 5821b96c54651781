// How normal weights and their changes are, for many networks at once: the changes in the dual spaces of candidate potentials,
// which learning makes normal in that of the true one, and the logarithms of weights. Needs no CUDA header; every pointer is in
// the memory of the backend it is given to.
//
// All numbers are computed in double, but what is sorted, a sample over its standard deviation, is rounded to float. A network's
// bits depend on nothing but its weights: not on n_nets, Launch::first and count, the workspace, or where the arrays lie.
// Source: Pogodin, Cornford, Ghosh, Gidel, Lajoie, Richards (ICLR 2024), Synaptic weight distributions depend on the geometry of
// plasticity.
#pragma once

#include "cohort/delta_cdf.h"

namespace cohort {

// A sample against the normal distribution. NaN = no value: the sample is empty, not finite or without spread.
struct Normality {
  int64_t n;                            // values in the sample
  double mean, m2;                      // central moments divide by n
  double skewness, kurtosis;            // m3 / m2^(3/2) and m4 / m2^2 - 3
  double delta_cdf, delta_cdf_centred;  // of x / sd and of (x - mean) / sd, sd over n - 1 (cohort/delta_cdf.h)
  double ks, ks_centred;                // their Kolmogorov-Smirnov distances
};

// A separable potential phi; parameters that its geometry does not read count for nothing.
struct Potential {
  GeometryId geometry = GeometryId::euclidean;
  double p = 2.0;     // p_norm, p > 1
  double beta = 1.0;  // hypentropy, beta > 0
};

struct DualChange {
  Normality change;    // of Delta = grad phi(after) - grad phi(before), mean not removed
  double laziness;     // ||Delta|| / ||grad phi(before)||
  int64_t sign_flips;  // weights whose signs are opposite; one that is 0 before or after has not flipped
};

// Maps are those of kernels/geometry (to_dual). That of neg_entropy, sign(w) (ln |w| + 1), is 0 at 0, where its limits are not; a
// weight that flips its sign, or leaves 0 or gets there, counts with the difference of these values like any other.
struct DualChangeArgs {
  int32_t n_nets = 0, n_potentials = 0;
  int64_t n = 0;       // weights per network, up to 2^30
  int64_t stride = 0;  // elements from a network's first weight to that of the next, at least n
  const float *before = nullptr, *after = nullptr;
  const uint8_t* mask =
      nullptr;  // of the same layout, 0: the weight is fixed and no part of the sample; nullptr: none is
  const Potential* potentials = nullptr;  // [n_nets][n_potentials]
  DualChange* changes = nullptr;          // [n_nets][n_potentials]
};

// The logarithms ln |w| of the weights that are not 0.
struct LogWeightsArgs {
  int32_t n_nets = 0;
  int64_t n = 0;                   // weights per network, up to 2^30
  const float* weights = nullptr;  // [n_nets][n]
  Normality* fits = nullptr;       // [n_nets]
};

// One row per backend and instruction set or device. Operations treat networks [first, first + count) of the Launch, in slices
// of as many samples as its workspace holds; x_workspace(args, count) is enough for at least one, and more are of use for more
// networks up to a bound (256 MiB). On CUDA they are enqueued in its stream, on the CPU the calling thread does the work.
// Nothing is allocated or synchronised. Throw cohort::Error for arguments and cohort::CudaError for the device.
struct NormalityProgram {
  const char* backend;  // "cpu", "cuda"
  const char* isa;      // "x86-64-v4", "sm_80,sm_90a", ...
  size_t (*dual_change_workspace)(const DualChangeArgs&, int32_t count);
  void (*dual_change)(const DualChangeArgs&, const Launch&);
  size_t (*log_weights_workspace)(const LogWeightsArgs&, int32_t count);
  void (*log_weights)(const LogWeightsArgs&, const Launch&);
};

// The CPU's row for an instruction set ("" = the best this machine runs); nullptr if it was not built or cannot run here.
const NormalityProgram* cpu_normality(const char* isa = "");

// CUDA's row (library cohort::kernels_cuda), for the current device.
const NormalityProgram* cuda_normality();

}  // namespace cohort
