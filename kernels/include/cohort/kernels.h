// What a caller of the kernels sees: component ids, one plain record per network, shapes and layouts, arguments of the
// operations, and the table of programs. Needs no CUDA header; every pointer is in the memory of the backend it is
// given to.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cohort/registry.h"

struct CUstream_st;

// Functions of host and device. On the host they are always inlined: the linker must not merge copies that were compiled
// for different instruction sets.
#if defined(__CUDACC__)
#define COHORT_FN __host__ __device__ inline
#elif defined(__GNUC__)
#define COHORT_FN inline __attribute__((always_inline))
#else
#define COHORT_FN inline
#endif

namespace cohort {

// ---- component ids: one enumerator per word of kernels/registry.cmake -----------------------------------------------
#define COHORT_WORD(word) word,
enum class CoreId : int32_t { COHORT_FOR_EACH_CORE(COHORT_WORD) };
enum class GeometryId : int32_t { COHORT_FOR_EACH_GEOMETRY(COHORT_WORD) };
enum class ParameterisationId : int32_t { COHORT_FOR_EACH_PARAMETERISATION(COHORT_WORD) };
enum class TaskId : int32_t { COHORT_FOR_EACH_TASK(COHORT_WORD) };
enum class DistributionId : int32_t { COHORT_FOR_EACH_DISTRIBUTION(COHORT_WORD) };
enum class ActivationId : int32_t { COHORT_FOR_EACH_ACTIVATION(COHORT_WORD) };
enum class LossId : int32_t { COHORT_FOR_EACH_LOSS(COHORT_WORD) };
enum class ProjectionId : int32_t { COHORT_FOR_EACH_PROJECTION(COHORT_WORD) };
enum class ScheduleId : int32_t { COHORT_FOR_EACH_SCHEDULE(COHORT_WORD) };
enum class Precision : int32_t { COHORT_FOR_EACH_PRECISION(COHORT_WORD) };  // of the core's matrix products
#undef COHORT_WORD
enum class Role : int32_t { input, recurrent, readout, bias };
enum class LossSteps : int32_t { all, last, masked };  // which time steps enter the loss; masked = the task's own mask
enum class ClipScope : int32_t { global, tensor };     // one norm over all parameters, or one per tensor
enum class RankRescale : int32_t { frobenius, sigma1, spectral_radius };
// How a matrix is cut to a rank: the best approximation, or one that is good enough to start from and much cheaper (LowRankArgs).
enum class LowRankMethod : int32_t { svd = 0, range_finder };
enum class Split : int32_t { train, validation, test };  // of a data set; generated tasks draw fresh trials for each
inline constexpr int n_roles = 4;
inline constexpr int max_task_params = 16;

// ---- one network, as plain data
// ------------------------------------------------------------------------------------------ How one group of tensors
// moves. Decay enters the gradient in each geometry's own form.
struct RuleSpec {
  GeometryId geometry = GeometryId::euclidean;
  ProjectionId projection = ProjectionId::none;
  ScheduleId schedule = ScheduleId::constant;
  int32_t nesterov = 0;
  double p = 2.0;     // p_norm, p > 1
  double beta = 1.0;  // hypentropy, beta > 0
  double lr = 0.003;
  double momentum = 0.9;
  double dampening = 0.0;
  double weight_decay = 0.0;
  double clip = 0.0;        // largest gradient norm; 0 = off
  int64_t warmup = 0;       // steps of linear warm-up from 0
  int64_t cooldown = 0;     // steps of linear cool-down to 0 at the end of training
  int64_t decay_every = 0;  // step_decay: lr *= decay_factor every so many steps
  double decay_factor = 1.0;
};

struct TaskSpec {
  TaskId id = TaskId::perceptual_decision;
  LossId loss = LossId::cross_entropy;
  LossSteps loss_steps = LossSteps::all;
  double label_smoothing = 0.0;
  double param[max_task_params] = {};  // in the order of TaskInfo::params
};

struct InitSpec {
  DistributionId recurrent = DistributionId::normal;
  DistributionId input = DistributionId::uniform_fan_in;
  DistributionId readout = DistributionId::uniform_fan_in;
  double gain = 1.25, input_gain = 1.0, readout_gain = 1.0;
  double mean_over_sd = 1.5;  // log_normal: r
  int32_t rank = 0;           // 0 = full
  RankRescale rank_rescale = RankRescale::frobenius;
  LowRankMethod rank_method = LowRankMethod::svd;
  double spectral_radius = 0.0;  // 0 = leave as drawn
  double density = 1.0;          // fraction of recurrent weights present; absent ones are masked for good
  int32_t iid_inhibition = 0;    // dann: inhibitory rows drawn i.i.d. instead of as the column mean
};

struct NetSpec {
  uint64_t seed = 0;
  uint32_t pairing_salt = 0;  // 0 = input and readout shared by all networks of equal seed
  ParameterisationId parameterisation = ParameterisationId::dense;
  ActivationId activation = ActivationId::relu;
  int32_t n_excitatory = 0;  // column_ei: columns [n_excitatory, n_hidden) are inhibitory
  double alpha = 1.0;        // leak: h = f((1-alpha) h + alpha (W h + U x + b))
  double noise = 0.0;        // standard deviation added to every pre-activation while training
  TaskSpec task;
  InitSpec init;
  RuleSpec rule[n_roles];  // indexed by Role
  ClipScope clip_scope = ClipScope::global;
  double clip = 0.0;     // global scope: norm over all parameters
  int64_t steps = 2000;  // training steps in all
};

// ---- shapes
// --------------------------------------------------------------------------------------------------------------
// Networks of equal signature share a launch. n_inhibitory > 0 gives every weight tensor the parts of a DANN.
struct Signature {
  CoreId core = CoreId::recurrent;
  int32_t n_in = 0, n_hidden = 0, n_layers = 1, n_out = 0, n_inhibitory = 0, batch = 0, n_steps = 0;
  int32_t bias = 0;
  Precision precision = Precision::fp32;  // at least this; a program may compute more exactly
  friend bool operator==(const Signature&, const Signature&) = default;
  friend auto operator<=>(const Signature&, const Signature&) = default;
};

// Tensor k of a network: rows x cols, row-major, at `offset` of its parameters; the DANN parts follow it:
// W_ei [rows][n_inhibitory] at offset_ei and W_ix [n_inhibitory][cols] at offset_ix. Absent tensors have size 0.
struct Tensor {
  Role role;
  int32_t layer, rows, cols, n_inhibitory;
  size_t offset, offset_ei, offset_ix, end;
  COHORT_FN size_t size() const { return end - offset; }
};

COHORT_FN int n_tensors(const Signature& s) { return 3 * s.n_layers + 2; }

// Order: input, recurrent, bias of layer 0, 1, ...; then readout and its bias. 0 <= k < n_tensors(s).
COHORT_FN Tensor tensor(const Signature& s, int k) {
  Tensor t{};
  for (int i = 0; i <= k; ++i) {
    const int layer = i / 3, part = i % 3;
    const bool readout = layer == s.n_layers;
    t.layer = layer;
    t.role = readout     ? (part == 0 ? Role::readout : Role::bias)
             : part == 0 ? Role::input
             : part == 1 ? Role::recurrent
                         : Role::bias;
    t.rows = readout ? s.n_out : s.n_hidden;
    t.cols = t.role == Role::bias ? 1 : t.role == Role::input && layer == 0 ? s.n_in : s.n_hidden;
    if (t.role == Role::bias && !s.bias) t.rows = 0;
    t.n_inhibitory = t.role == Role::bias ? 0 : s.n_inhibitory;
    t.offset = t.end;
    t.offset_ei = t.offset + size_t(t.rows) * size_t(t.cols);
    t.offset_ix = t.offset_ei + size_t(t.rows) * size_t(t.n_inhibitory);
    t.end = t.offset_ix + size_t(t.n_inhibitory) * size_t(t.cols);
  }
  return t;
}
COHORT_FN size_t n_params(const Signature& s) { return tensor(s, n_tensors(s) - 1).end; }
COHORT_FN int input_tensor(int layer) { return 3 * layer; }
COHORT_FN int recurrent_tensor(int layer) { return 3 * layer + 1; }
COHORT_FN int bias_tensor(int layer) { return 3 * layer + 2; }
COHORT_FN int readout_tensor(const Signature& s) { return 3 * s.n_layers; }
COHORT_FN int readout_bias_tensor(const Signature& s) { return 3 * s.n_layers + 1; }

// F = 2 B T (3 n^2 + 2 n d_in + 3 n d_out) for one layer: forward, backward and weight gradients of one training step.
COHORT_FN double flop_per_step(const Signature& s) {
  const double n = s.n_hidden, bt = 2.0 * s.batch * s.n_steps;
  return bt * (3 * n * n * s.n_layers + 2 * n * s.n_in + 3 * n * n * (s.n_layers - 1) + 3 * n * s.n_out);
}

// ---- data
// ---------------------------------------------------------------------------------------------------------------- A
// labelled image set shared by all networks of a launch: pixels [count][rows*cols], labels [count]; the three splits
// are consecutive ranges of it. pixels == nullptr where no task needs data.
struct Dataset {
  const uint8_t* pixels = nullptr;
  const uint8_t* labels = nullptr;
  int32_t rows = 0, cols = 0;
  int32_t first[3] = {}, count[3] = {};  // indexed by Split
};

struct NetState {
  int64_t step = 0;          // training steps done
  int64_t diverged_at = -1;  // step whose loss or gradient was not finite; the parameters stay as they were before it
  int64_t overflowed_at =
      -1;  // step in which a number left the range of fp16; from then on the network trains in bf16x3
};

template <class Real>
struct Cohort {
  Signature signature;
  int32_t n_nets = 0;
  const NetSpec* nets = nullptr;  // [n_nets]
  NetState* state = nullptr;      // [n_nets]
  Real* theta = nullptr;          // [n_nets][n_params]
  Real* momentum = nullptr;       // [n_nets][n_params]; read from the second step on
  uint8_t* mask = nullptr;        // [n_nets][n_params], 0 = fixed at its value; nullptr = all free. Written by init.
  Dataset data;
};

// ---- operations
// ---------------------------------------------------------------------------------------------------------- Draws
// theta (and the mask) from each network's streams and resets its state. Rank and radius are the engine's business.
template <class Real>
struct InitArgs {
  Cohort<Real> cohort;
};
// Up to `steps` further training steps, ending early at each network's own NetSpec::steps and at divergence.
template <class Real>
struct TrainArgs {
  Cohort<Real> cohort;
  int64_t steps = 0;
  Real* loss = nullptr;  // [n_nets][steps] training loss before each update; NaN where none was done
};
// Mean loss over the counted steps and accuracy over the decision steps of `trials` trials of a split (NaN: no
// classes).
template <class Real>
struct EvaluateArgs {
  Cohort<Real> cohort;
  int32_t trials = 0;
  Split split = Split::test;
  double* loss = nullptr;      // [n_nets]
  double* accuracy = nullptr;  // [n_nets]
};
// Hidden states of every layer at the decision step of the probe trials.
template <class Real>
struct ProbeArgs {
  Cohort<Real> cohort;
  int32_t trials = 0;
  Real* hidden = nullptr;  // [n_nets][n_layers][trials][n_hidden]
};
// Sums over the tangent kernels K = J J^T of the logits with respect to one weight tensor, now and at `theta_start`.
struct TangentSums {
  double now_start, now_now, start_start;  // <K, K0>, <K, K>, <K0, K0>
  double target_now, target_start;         // y^T K y, y^T K0 y
  double target_target;                    // y^T y; y = centred one-hot targets of the same rows
};
template <class Real>
struct TangentArgs {
  Cohort<Real> cohort;
  const Real* theta_start = nullptr;  // [n_nets][n_params]
  int32_t trials = 0;
  int32_t tensor = 1;           // which weight tensor (input or recurrent of any layer, or the readout)
  TangentSums* sums = nullptr;  // [n_nets]
};
// The effective weights of tensor k, as the core sees them (signs and inhibition applied, leak not).
template <class Real>
struct EffectiveArgs {
  Cohort<Real> cohort;
  int32_t tensor = 1;
  Real* weights = nullptr;  // [n_nets][rows][cols]
};

// Networks [first, first + count) of the cohort. The caller owns workspace and stream; nothing is allocated or
// synchronised. On the CPU the calling thread does the work before it returns; on CUDA it is enqueued.
struct Launch {
  int32_t first = 0, count = 0;
  void* workspace = nullptr;  // 256-byte aligned
  size_t workspace_bytes = 0;
  CUstream_st* stream = nullptr;
};

// One row per (backend, instruction set or device, core, Real). workspace_bytes(args, count) is what a Launch of
// `count` networks needs at least; errors are thrown as cohort::Error (arguments) or cohort::CudaError (device).
template <class Real>
struct Program {
  const char* backend;  // "cpu", "cuda"
  const char* name;     // "serial"; "generic", "tiled", ...
  const char* isa;      // "x86-64-v4", "sm_90", ...
  CoreId core;
  size_t (*init_workspace)(const InitArgs<Real>&, int32_t count);
  void (*init)(const InitArgs<Real>&, const Launch&);
  size_t (*train_workspace)(const TrainArgs<Real>&, int32_t count);
  void (*train)(const TrainArgs<Real>&, const Launch&);
  size_t (*evaluate_workspace)(const EvaluateArgs<Real>&, int32_t count);
  void (*evaluate)(const EvaluateArgs<Real>&, const Launch&);
  size_t (*probe_workspace)(const ProbeArgs<Real>&, int32_t count);
  void (*probe)(const ProbeArgs<Real>&, const Launch&);
  size_t (*tangent_workspace)(const TangentArgs<Real>&, int32_t count);
  void (*tangent)(const TangentArgs<Real>&, const Launch&);
  size_t (*effective_workspace)(const EffectiveArgs<Real>&, int32_t count);
  void (*effective)(const EffectiveArgs<Real>&, const Launch&);
};

// The CPU's row for an instruction set ("" = the best this machine runs); nullptr if it was not built or cannot run
// here.
template <class Real>
const Program<Real>* cpu_program(CoreId core, const char* isa = "");

// The same row, but training networks of fp32x3 and fp16 rounds operands as tensor cores would (program/rounded.h): what a
// card's precision does to learning, without a card and slowly. Nothing else is rounded.
const Program<float>* cpu_rounding_program(CoreId core, const char* isa = "");

// CUDA's row of that name (library cohort::kernels_cuda): "generic" takes any shape, the others are choose_cuda_program's.
// nullptr for a core or a name that has none. Networks and workspace are in the memory of
// the current device. A workspace for fewer networks than are launched does: blocks walk through the networks, as many
// at a time as there are workspaces. double is built for tests only.
template <class Real>
const Program<Real>* cuda_program(CoreId core, const char* name = "generic");

// CUDA's fastest row for networks of this signature on the current device (kernels/cuda/policy.cu), and why the rows
// before it do not take them: "" where it is the first. Throws CudaError without a device.
template <class Real>
struct Choice {
  const Program<Real>* program;
  std::string refused;
};
template <class Real>
Choice<Real> choose_cuda_program(const Signature& signature);

// ---- what is registered
// ---------------------------------------------------------------------------------------------------
struct ParamInfo {
  const char* name;  // key under [task]
  double value, min, max;
  const char* doc;  // with unit
};
struct TaskInfo {
  TaskId id;
  const char* name;
  const char* doc;  // one line, with the paper
  const ParamInfo* params;
  int n_params;
  int (*n_in)(const double* param);
  int (*n_out)(const double* param);
  int (*n_steps)(const double* param);
  LossId loss;  // defaults
  LossSteps loss_steps;
  bool classes;     // labels, and therefore an accuracy; else real targets
  bool needs_data;  // an IDX image set under the data directory
};
const TaskInfo& task_info(TaskId id);

struct ComponentInfo {
  const char* name;
  const char* doc;
};
const ComponentInfo& info(CoreId);
const ComponentInfo& info(GeometryId);
const ComponentInfo& info(ParameterisationId);
const ComponentInfo& info(DistributionId);
const ComponentInfo& info(ActivationId);
const ComponentInfo& info(LossId);
const ComponentInfo& info(ProjectionId);
const ComponentInfo& info(ScheduleId);
const ComponentInfo& info(Precision);

#define COHORT_COUNT(word) +1
inline constexpr int n_cores = 0 COHORT_FOR_EACH_CORE(COHORT_COUNT);
inline constexpr int n_geometries = 0 COHORT_FOR_EACH_GEOMETRY(COHORT_COUNT);
inline constexpr int n_parameterisations = 0 COHORT_FOR_EACH_PARAMETERISATION(COHORT_COUNT);
inline constexpr int n_tasks = 0 COHORT_FOR_EACH_TASK(COHORT_COUNT);
inline constexpr int n_distributions = 0 COHORT_FOR_EACH_DISTRIBUTION(COHORT_COUNT);
inline constexpr int n_activations = 0 COHORT_FOR_EACH_ACTIVATION(COHORT_COUNT);
inline constexpr int n_losses = 0 COHORT_FOR_EACH_LOSS(COHORT_COUNT);
inline constexpr int n_projections = 0 COHORT_FOR_EACH_PROJECTION(COHORT_COUNT);
inline constexpr int n_schedules = 0 COHORT_FOR_EACH_SCHEDULE(COHORT_COUNT);
inline constexpr int n_precisions = 0 COHORT_FOR_EACH_PRECISION(COHORT_COUNT);
#undef COHORT_COUNT

}  // namespace cohort
