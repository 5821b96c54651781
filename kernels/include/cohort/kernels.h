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
enum class CellId : int32_t { COHORT_FOR_EACH_CELL(COHORT_WORD) };
enum class TaskId : int32_t { COHORT_FOR_EACH_TASK(COHORT_WORD) };
enum class DistributionId : int32_t { COHORT_FOR_EACH_DISTRIBUTION(COHORT_WORD) };
enum class ActivationId : int32_t { COHORT_FOR_EACH_ACTIVATION(COHORT_WORD) };
enum class LossId : int32_t { COHORT_FOR_EACH_LOSS(COHORT_WORD) };
enum class ProjectionId : int32_t { COHORT_FOR_EACH_PROJECTION(COHORT_WORD) };
enum class ScheduleId : int32_t { COHORT_FOR_EACH_SCHEDULE(COHORT_WORD) };
enum class Precision : int32_t { COHORT_FOR_EACH_PRECISION(COHORT_WORD) };  // of the core's matrix products
#undef COHORT_WORD
// Of tensors. In a feedforward network the weights of every hidden layer are `input`; `gain` are the factors of a norm or of
// divisive inhibition, `alpha` the logarithms of divisive inhibition.
enum class Role : int32_t { input, recurrent, readout, bias, gain, alpha };
enum class LossSteps : int32_t { all, last, masked };  // which time steps enter the loss; masked = the task's own mask
// One norm over all parameters, one per tensor, or one per cell: a layer's tensors together, the readout's together.
enum class ClipScope : int32_t { global, tensor, cell };
// Norms of a layer: as in textbooks, z = g (u - mean) / sqrt(var + 1e-5) + b with u = W x, or as in the code of Cornford et
// al. (ICLR 2021), z = g (u - mean) / sd + b with u = W x + b, sd unbiased and nothing added to it.
enum class NormForm : int32_t { standard, published };
enum class RankRescale : int32_t { frobenius, sigma1, spectral_radius };
// How a matrix is cut to a rank: the best approximation, or one that is good enough to start from and much cheaper (LowRankArgs).
enum class LowRankMethod : int32_t { svd = 0, range_finder };
// Biases at the start, with B = 1 / sqrt(n_hidden) for recurrent layers and 1 / sqrt(inputs) for others: 0; U(-B, B); or parts
// of alternating sign, U(0, sqrt 2 B) and U(-sqrt 2 B, 0), for geometries in which signs stay (Cornford et al. 2024).
enum class BiasStart : int32_t { zero, uniform, split };
enum class Split : int32_t { train, validation, test };  // of a data set; generated tasks draw fresh trials for each
enum class DataKind : int32_t { none, images, tokens };  // what a task reads under the data directory
inline constexpr int n_roles = 6;
inline constexpr int max_layers = 16;  // hidden layers of a feedforward network; of a recurrent one 8
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
  double lr_min = 0.0;  // where a RateSearch ends, 0 to lr
  double momentum = 0.9;
  double dampening = 0.0;
  double weight_decay = 0.0;
  double clip = 0.0;        // largest gradient norm; 0 = off
  int64_t warmup = 0;       // steps of linear warm-up from 0
  int64_t cooldown = 0;     // steps of linear cool-down to 0 at the end of training
  int64_t decay_every = 0;  // step_decay: lr *= decay_factor every so many steps
  double decay_factor = 1.0;
  // AdamW in the rule's geometry (Loshchilov, Hutter 2019; AdamW-EG: Cornford et al. 2024): momentum, dampening and nesterov
  // are not read, and weight_decay shrinks weights instead of entering the gradient.
  int32_t adam = 0;
  double adam_beta1 = 0.9;     // of the mean of gradients, 0 to below 1
  double adam_beta2 = 0.999;   // of the mean of their squares, 0 to below 1
  double adam_epsilon = 1e-8;  // above 0
};

struct TaskSpec {
  TaskId id = TaskId::perceptual_decision;
  LossId loss = LossId::cross_entropy;
  LossSteps loss_steps = LossSteps::all;
  double label_smoothing = 0.0;
  // Generated tasks: training draws from a fixed set of so many trials, in shuffled epochs; 0 = a fresh trial every time.
  int32_t samples = 0;
  double param[max_task_params] = {};  // in the order of TaskInfo::params
  friend bool operator==(const TaskSpec&, const TaskSpec&) = default;
};

// Whose start is asked for singular vectors or values: the network's own, or that of another model of equal seed.
enum class Donor : int32_t { own, dense, column_ei, dann };

// A start of dense weights with the singular vectors of one model's start and the singular values, matched by rank, of
// another's (Li et al., NeurIPS 2023), on the effective weights of every layer.
struct TransplantSpec {
  Donor vectors_of = Donor::own, values_of = Donor::own;
  int32_t roles = 0;             // bit 1 << Role of the weights concerned; 0 = none
  int32_t n_inhibitory = 0;      // interneurons of the donor that is a DANN
  double spectral_radius = 1.5;  // of the recurrent weights of the donor that is a column-E/I network
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
  int32_t iid_inhibition = 0;    // dann, dann_feedforward: inhibitory parts drawn i.i.d. instead of centring
  int32_t zero_diagonal = 1;     // column_ei_balanced: recurrent weights start without self-connections
  // column_ei: the first layer's biases cancel what inputs of this mean add to its units: they start at
  // -sqrt(n_in) gain input_mean, weights having the mean gain / sqrt(n_in) (Cornford et al. 2021).
  double input_mean = 0.0;
  BiasStart bias = BiasStart::zero;  // where input_mean is 0
  TransplantSpec transplant;
};

// Corrections of the gradients of a DANN's inhibitory parts by the layer's Fisher information (Cornford et al., ICLR 2021),
// as exponents: W_ix times rows^-ix_rows, W_ei times cols^-ei_cols, alpha times rows^-alpha_rows cols^-alpha_cols, of the
// layer's weights [rows][cols]. All 0: no corrections.
struct FisherSpec {
  double ix_rows = 0.5, ei_cols = 1.0, alpha_rows = 0.5, alpha_cols = 1.0;
};

// Learning rates that mind the clamp: a step takes the first of `candidates` equally spaced rates from lr to lr_min (times
// the step's schedule) whose plain step leaves ||max(w, 0)|| >= (1 - tolerance) ||w|| over all clamped weights w, or else the
// last. Less than 2 candidates: off.
struct RateSearch {
  int32_t candidates = 0;
  double tolerance = 0.0;
};

// Diagonal natural gradient (program/natural.h): feedforward networks of cross_entropy, momentum 0.
struct NaturalSpec {
  int32_t on = 0;
  double decay = 0.02;    // c: share of the newest estimate
  double scale = 2.5e-5;  // lambda
};

struct NetSpec {
  uint64_t seed = 0;
  uint32_t pairing_salt = 0;  // 0 = input and readout shared by all networks of equal seed
  ParameterisationId parameterisation = ParameterisationId::dense;  // feedforward: as its cell has it
  NormForm norm = NormForm::standard;                               // layer_norm, batch_norm
  ActivationId activation = ActivationId::relu;
  int32_t n_excitatory = 0;  // column_ei: columns [n_excitatory, n_hidden) are inhibitory
  double alpha = 1.0;        // leak: h = f((1-alpha) h + alpha (W h + U x + b))
  double noise = 0.0;        // standard deviation added to every pre-activation while training
  TaskSpec task;
  InitSpec init;
  RuleSpec rule[n_roles];  // indexed by Role
  FisherSpec fisher;
  RateSearch search;
  NaturalSpec natural;
  ClipScope clip_scope = ClipScope::global;
  double clip = 0.0;     // global scope: norm over all parameters; cell scope: of every layer
  int64_t steps = 2000;  // training steps in all
};

// ---- shapes
// --------------------------------------------------------------------------------------------------------------
// Networks of equal signature share a launch. n_inhibitory > 0 gives every weight tensor the parts of a DANN.
struct Signature {
  CoreId core = CoreId::recurrent;
  int32_t n_in = 0, n_hidden = 0, n_layers = 1, n_out = 0, n_inhibitory = 0, batch = 0, n_steps = 0;
  int32_t bias = 0;                       // parts of every bias, whose sum counts; 0: no biases
  Precision precision = Precision::fp32;  // at least this; a program may compute more exactly
  int32_t n_inhibitory_recurrent = 0;     // of recurrent weights, where it is another number; 0 = n_inhibitory
  int32_t n_inhibitory_readout = 0;       // of the readout, likewise
  int32_t bias_recurrent = 0;             // parts of recurrent layers' biases, where it is another number; 0 = bias
  int32_t n_dense = 0;  // recurrent: so many hidden layers, the last ones, are dense and have no recurrent weights
  CellId cell = CellId::dense;     // feedforward: of every layer
  int32_t normalised_readout = 0;  // feedforward: do norms hold for the readout as well?
  int32_t widths[max_layers] =
      {};  // feedforward: units of hidden layer l where not n_hidden, which is the widest; 0 = n_hidden
  friend bool operator==(const Signature&, const Signature&) = default;
  friend auto operator<=>(const Signature&, const Signature&) = default;
};

// Tensor k of a network: rows x cols, row-major, at `offset` of its parameters; the DANN parts follow it:
// W_ei [rows][n_inhibitory] at offset_ei and W_ix [n_inhibitory][cols] at offset_ix. Absent tensors have size 0.
struct Tensor {
  Role role;
  int32_t layer, rows, cols, n_inhibitory;
  int32_t dense;  // of a dense layer after recurrent ones: what the parameterisation says does not hold for it
  size_t offset, offset_ei, offset_ix, end;
  COHORT_FN size_t size() const { return end - offset; }
};

COHORT_FN bool has_inhibition(CellId cell) { return cell == CellId::dann || cell == CellId::dann_subtractive; }
COHORT_FN bool is_norm(CellId cell) { return cell == CellId::layer_norm || cell == CellId::batch_norm; }
// Units of hidden layer l; of layer n_layers: outputs.
COHORT_FN int layer_width(const Signature& s, int l) {
  return l == s.n_layers ? s.n_out : s.widths[l] ? s.widths[l] : s.n_hidden;
}
COHORT_FN int layer_inputs(const Signature& s, int l) { return l == 0 ? s.n_in : layer_width(s, l - 1); }

// Is layer l of a recurrent network one of its dense ones?
COHORT_FN bool is_dense_layer(const Signature& s, int l) {
  return s.core == CoreId::recurrent && l < s.n_layers && l >= s.n_layers - s.n_dense;
}

// Parts of the biases of layer l, the readout's being n_layers; 1 where there are no biases.
COHORT_FN int bias_parts(const Signature& s, int l) {
  const bool recurrent = s.core == CoreId::recurrent && l < s.n_layers && !is_dense_layer(s, l);
  return recurrent && s.bias_recurrent ? s.bias_recurrent : s.bias ? s.bias : 1;
}

// Order. Recurrent: input, recurrent, bias of layer 0, 1, ...; then readout and its bias. Feedforward: weights, bias, gain,
// alpha of layer 0, 1, ..., the last of which is the readout.
COHORT_FN int tensors_per_layer(const Signature& s) { return s.core == CoreId::recurrent ? 3 : 4; }
COHORT_FN int n_tensors(const Signature& s) {
  return s.core == CoreId::recurrent ? 3 * s.n_layers + 2 : 4 * (s.n_layers + 1);
}
COHORT_FN Role tensor_role(const Signature& s, int layer, int part) {
  const Role weights = layer == s.n_layers ? Role::readout : Role::input;
  if (part == 0) return weights;
  if (s.core == CoreId::feedforward) return part == 1 ? Role::bias : part == 2 ? Role::gain : Role::alpha;
  return part == 1 && weights == Role::input ? Role::recurrent : Role::bias;
}
// 0 <= k < n_tensors(s).
COHORT_FN Tensor tensor(const Signature& s, int k) {
  const int parts = tensors_per_layer(s);
  const bool feedforward = s.core == CoreId::feedforward;
  Tensor t{};
  for (int i = 0; i <= k; ++i) {
    const int l = i / parts;
    t.layer = l;
    t.role = tensor_role(s, l, i % parts);
    t.rows = layer_width(s, l);
    t.cols = t.role == Role::recurrent ? t.rows : layer_inputs(s, l);
    t.dense = is_dense_layer(s, l);
    const int ni = t.dense                                                 ? 0
                   : t.role == Role::recurrent && s.n_inhibitory_recurrent ? s.n_inhibitory_recurrent
                   : t.layer == s.n_layers && s.n_inhibitory_readout       ? s.n_inhibitory_readout
                   : feedforward && l < s.n_layers && s.widths[l] && s.n_inhibitory
                       ? (s.n_inhibitory * s.widths[l] >= s.n_hidden ? s.n_inhibitory * s.widths[l] / s.n_hidden : 1)
                       : s.n_inhibitory;
    t.n_inhibitory = ni;
    if (t.role == Role::recurrent && t.dense) t.rows = 0;
    if (t.role == Role::bias || t.role == Role::gain || t.role == Role::alpha) {
      const bool norm = is_norm(s.cell) && (l < s.n_layers || s.normalised_readout);
      const bool divides = s.cell == CellId::dann;
      t.n_inhibitory = 0;
      t.cols = t.role == Role::bias ? bias_parts(s, l) : 1;
      if (t.role == Role::alpha) t.rows = divides ? ni : 0;
      if (t.role == Role::gain && !norm && !divides) t.rows = 0;
      if (t.role == Role::bias && !s.bias) t.rows = 0;
    }
    t.offset = t.end;
    t.offset_ei = t.offset + size_t(t.rows) * size_t(t.cols);
    t.offset_ix = t.offset_ei + size_t(t.rows) * size_t(t.n_inhibitory);
    t.end = t.offset_ix + (t.rows ? size_t(t.n_inhibitory) * size_t(t.cols) : 0);
  }
  return t;
}
COHORT_FN size_t n_params(const Signature& s) { return tensor(s, n_tensors(s) - 1).end; }
// Columns of a tensor's effective weights: the parts of a bias are added.
COHORT_FN int effective_cols(const Tensor& t) { return t.role == Role::bias ? 1 : t.cols; }
// Does any of the network's rules need Cohort::second_moment?
COHORT_FN bool has_adam(const NetSpec& spec) {
  for (const RuleSpec& rule : spec.rule)
    if (rule.adam) return true;
  return false;
}
COHORT_FN bool is_weights(Role role) { return role == Role::input || role == Role::recurrent || role == Role::readout; }
COHORT_FN int input_tensor(const Signature& s, int layer) { return tensors_per_layer(s) * layer; }
COHORT_FN int readout_tensor(const Signature& s) { return tensors_per_layer(s) * s.n_layers; }
// Recurrent networks.
COHORT_FN int input_tensor(int layer) { return 3 * layer; }
COHORT_FN int recurrent_tensor(int layer) { return 3 * layer + 1; }
COHORT_FN int bias_tensor(int layer) { return 3 * layer + 2; }
COHORT_FN int readout_bias_tensor(const Signature& s) { return 3 * s.n_layers + 1; }
// Feedforward networks; layer n_layers is the readout.
COHORT_FN int layer_bias_tensor(int layer) { return 4 * layer + 1; }
COHORT_FN int layer_gain_tensor(int layer) { return 4 * layer + 2; }
COHORT_FN int layer_alpha_tensor(int layer) { return 4 * layer + 3; }

// Networks without hidden layers, of dense cells, one step and biases of one part: what the program "shallow" trains.
COHORT_FN bool is_shallow(const Signature& s) {
  return s.core == CoreId::feedforward && s.n_layers == 0 && s.cell == CellId::dense && s.n_steps == 1 && s.bias <= 1;
}

// Forward, backward and weight gradients of one training step. F = 2 B T (3 n^2 + 2 n d_in + 3 n d_out) for one recurrent layer;
// 2 B T (3 n m + 3 (n + m) n_inhibitory) for a feedforward layer of n units and m inputs, the first without the gradient of
// its inputs.
COHORT_FN double flop_per_step(const Signature& s) {
  const double n = s.n_hidden, bt = 2.0 * s.batch * s.n_steps;
  if (s.core == CoreId::feedforward) {
    double products = 0;
    for (int l = 0; l <= s.n_layers; ++l) {
      const Tensor t = tensor(s, input_tensor(s, l));
      products += (l == 0 ? 2.0 : 3.0) * (double(t.rows) * t.cols + (double(t.rows) + t.cols) * t.n_inhibitory);
    }
    return bt * products;
  }
  const double dense = s.n_dense;
  return bt * (3 * n * n * (s.n_layers - dense) + 2 * n * s.n_in + 3 * n * n * (s.n_layers - 1) + 3 * n * s.n_out);
}

// ---- data
// What the tasks of a launch read, shared by all its networks. Images: pixels [count][rows*cols], labels [count]. Tokens: word
// numbers tokens [n_tokens], 0 to vocabulary - 1, and embeddings [vocabulary][dimension]; its samples are windows, of which i
// starts at token i * (steps of the task). The three splits are ranges of images or windows. nullptr where no task needs it.
struct Dataset {
  const uint8_t* pixels = nullptr;
  const uint8_t* labels = nullptr;
  int32_t rows = 0, cols = 0;
  int32_t first[3] = {}, count[3] = {};  // indexed by Split
  const int32_t* tokens = nullptr;
  const float* embeddings = nullptr;
  int64_t n_tokens = 0;
  int32_t vocabulary = 0, dimension = 0;
};

// The samples of a split that trials are made of, one after another: 0 where they are drawn afresh, or where there are none.
COHORT_FN int32_t n_samples(DataKind kind, const Dataset& data, const TaskSpec& task, Split split) {
  if (kind != DataKind::none) return data.count[int(split)];
  return split == Split::train ? task.samples : 0;
}

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
  // [n_nets][n_params]; read from the second step on. Of NaturalSpec: the diagonal of the Fisher information.
  Real* momentum = nullptr;
  // [n_nets][n_params], the second moments of Adam, read from the second step on; nullptr where no rule has it: a network that
  // would need them diverges at its first step.
  Real* second_moment = nullptr;
  uint8_t* mask = nullptr;  // [n_nets][n_params], 0 = fixed at its value; nullptr = all free. Written by init.
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
// classes, and no single yes or no: has_accuracy in program/evaluate.h).
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
// How they are made, to the same sums but for rounding: from the factors of every gradient, delta (x) activity, in blocks of
// two trials; or from J itself, a few of its columns at a time. cohort/tangent.h says which is the cheaper one.
enum class TangentForm : int32_t { cheaper, factored, columns };
template <class Real>
struct TangentArgs {
  Cohort<Real> cohort;
  const Real* theta_start = nullptr;  // [n_nets][n_params]
  int32_t trials = 0;
  int32_t tensor = 1;           // which weight tensor (input or recurrent of any layer, or the readout)
  TangentSums* sums = nullptr;  // [n_nets]
  // `last`: every network's loss counts the last step only, which needs less workspace; sums of others are then NaN.
  LossSteps loss_steps = LossSteps::all;
  TangentForm form = TangentForm::cheaper;
};
// Sums over the Gram matrices G = A A^T, H = B B^T of two matrices [trials][n_hidden]: <G, H>, <G, G>, <H, H>.
struct GramSums {
  double xy, xx, yy;
};
// Those of each network's hidden states in one layer now (A) and at the start (B), as they are and with every unit's mean
// over the trials taken off. Products and sums are in double.
template <class Real>
struct AlignmentArgs {
  Cohort<Real> cohort;  // its signature and n_nets
  int32_t trials = 0;
  int32_t layer = 0;
  const Real *hidden = nullptr, *hidden_start = nullptr;  // [n_nets][n_layers][trials][n_hidden], as probes leave them
  GramSums *uncentred = nullptr, *centred = nullptr;      // [n_nets]
};
// The effective weights of tensor k, as the core sees them (signs and inhibition applied, parts of biases added, leak not).
template <class Real>
struct EffectiveArgs {
  Cohort<Real> cohort;
  int32_t tensor = 1;
  Real* weights = nullptr;  // [n_nets][rows][effective_cols]
};

// Networks [first, first + count) of the cohort, or those that are listed. The caller owns workspace and stream; nothing is
// allocated or synchronised. On the CPU the calling thread does the work before it returns; on CUDA it is enqueued.
struct Launch {
  int32_t first = 0, count = 0;
  void* workspace = nullptr;  // 256-byte aligned
  size_t workspace_bytes = 0;
  CUstream_st* stream = nullptr;
  // [count] in place of first, first + 1, ..., for programs that train `together`, which draw data once. On the CPU all of equal
  // data (seed and TaskSpec) and equally many steps done; on CUDA [n_nets], all networks, and neighbours of equal data share it.
  const int32_t* networks = nullptr;
};

// One row per (backend, instruction set or device, core, Real). workspace_bytes(args, count) is what a Launch of
// `count` networks needs at least; errors are thrown as cohort::Error (arguments) or cohort::CudaError (device).
template <class Real>
struct Program {
  const char* backend;  // "cpu", "cuda"
  const char* name;     // "serial"; "generic", "tiled", ...
  const char* isa;      // "x86-64-v4", "sm_90", ...
  CoreId core;
  // Do several networks of equal data cost train and evaluate less than as many launches (Launch::networks)?
  bool together = false;
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
  size_t (*alignment_workspace)(const AlignmentArgs<Real>&, int32_t count);
  void (*alignment)(const AlignmentArgs<Real>&, const Launch&);
  size_t (*effective_workspace)(const EffectiveArgs<Real>&, int32_t count);
  void (*effective)(const EffectiveArgs<Real>&, const Launch&);
};

// The CPU's row for an instruction set ("" = the best this machine runs); nullptr if it was not built or cannot run
// here.
template <class Real>
const Program<Real>* cpu_program(CoreId core, const char* isa = "");

// The fastest row for networks of this signature.
template <class Real>
const Program<Real>* cpu_program(const Signature& signature, const char* isa = "");

// The row of a core, but training networks of fp32x3 and fp16 rounds operands as tensor cores would (program/rounded.h): what a
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
  const char* doc;     // with unit
  bool whole = false;  // a whole number, as are those that change a task's shape
  int at_most = -1;    // number of the parameter that it may not exceed; -1: none
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
  bool classes;  // labels, and therefore an accuracy; else real targets
  DataKind needs_data;
};
const TaskInfo& task_info(TaskId id);
const char* name_of(DataKind kind);  // "none", "images", "tokens"

struct ComponentInfo {
  const char* name;
  const char* doc;
};
const ComponentInfo& info(CoreId);
const ComponentInfo& info(GeometryId);
bool zeros_stay(GeometryId);  // do its steps leave a weight of 0 at 0?
const ComponentInfo& info(ParameterisationId);
const ComponentInfo& info(CellId);
ParameterisationId parameterisation_of(CellId);  // of the weights of such layers
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
inline constexpr int n_cells = 0 COHORT_FOR_EACH_CELL(COHORT_COUNT);
inline constexpr int n_tasks = 0 COHORT_FOR_EACH_TASK(COHORT_COUNT);
inline constexpr int n_distributions = 0 COHORT_FOR_EACH_DISTRIBUTION(COHORT_COUNT);
inline constexpr int n_activations = 0 COHORT_FOR_EACH_ACTIVATION(COHORT_COUNT);
inline constexpr int n_losses = 0 COHORT_FOR_EACH_LOSS(COHORT_COUNT);
inline constexpr int n_projections = 0 COHORT_FOR_EACH_PROJECTION(COHORT_COUNT);
inline constexpr int n_schedules = 0 COHORT_FOR_EACH_SCHEDULE(COHORT_COUNT);
inline constexpr int n_precisions = 0 COHORT_FOR_EACH_PRECISION(COHORT_COUNT);
#undef COHORT_COUNT

}  // namespace cohort
