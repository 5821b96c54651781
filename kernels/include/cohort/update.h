// The learning rule alone, for other people's weights: mirror descent and sign projections on plain arrays, one fused pass,
// every network by its own rule. Needs no CUDA header; every pointer is in the memory of the backend it is given to.
//
// Arrays are [n_nets][n], row-major and contiguous: network i's weights are weights[i * n], ..., weights[i * n + n - 1].
// Weights are independent of each other, so a row may be any n weights that share a rule: a tensor of a network, a whole
// network, or a piece of a huge one. A row's bits depend on nothing but the row: not on n_nets, Launch::first and count,
// or on where the arrays lie in memory.
//
// Sources: Cornford et al. 2024 (exponentiated gradient, its decay, order of the rule); Pogodin et al., ICLR 2024 (potentials
// and p-norms); Ghai, Hazan, Singer 2020 (hypentropy); Li et al., NeurIPS 2023 (sign projections). The formulas are in
// program/rule.h, program/projection.h and geometry/.
#pragma once

#include "cohort/kernels.h"

namespace cohort {

// One step of the rule. With g = gradient, s = scale, and the fields of a network's RuleSpec:
//   d        = s g + weight_decay decay(w)                 decay(w) = w, or sign(w) and |sign(w)| for exponentiated gradient
//   momentum = RuleSpec::momentum momentum + (1 - dampening) d     on the first step: momentum = d
//   w        = projection(w, step(w, u, lr))               u = momentum, with nesterov d + RuleSpec::momentum momentum
// With RuleSpec::adam, m and v being momentum and second_moment, t = step + 1 and b1, b2, eps Adam's numbers:
//   m = b1 m + (1 - b1) s g    v = b2 v + (1 - b2) (s g)^2         on the first step from m = v = 0
//   w = projection(w, step((1 - lr weight_decay) w, u, lr))        u = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
//                                                                  for lr weight_decay below 1
// Read of RuleSpec: geometry, p, beta, projection, nesterov, momentum, dampening, weight_decay, adam and its numbers. Its lr,
// schedule and clip are not: lr and scale come as arrays. A rule without a registered geometry and projection leaves its
// weights alone, and so does Adam without both of its moments.
// The arrays of a call must not overlap.
template <class Real>
struct MirrorUpdateArgs {
  int32_t n_nets = 0;
  int64_t n = 0;                   // weights per network, any number
  Real* weights = nullptr;         // [n_nets][n], in place
  const Real* gradient = nullptr;  // [n_nets][n]: of the loss, before clipping
  Real* momentum = nullptr;  // [n_nets][n], in place. nullptr: as if it were 0 before every step and kept by nobody,
                             // which is what networks of momentum 0 need and saves two of five passes over memory
  Real* second_moment = nullptr;    // [n_nets][n], in place: Adam's v; nullptr: no rule has Adam
  const uint8_t* mask = nullptr;    // [n_nets][n], 0: the weight stays, its moments move; nullptr: all weights are free
  const RuleSpec* rules = nullptr;  // [n_nets]
  const Real* lr = nullptr;         // [n_nets]: learning rate of this step, after any schedule
  const Real* scale = nullptr;      // [n_nets]: factor of the gradient, such as a clipping factor; nullptr: 1
  int64_t step = 0;  // steps before this one. At 0 the moments start: they are written, not read; dampening is left out
};

// w = projection(w0, w): onto the orthant of reference signs (frozen_sign, csgd) or of magnitudes (clamp).
template <class Real>
struct SignProjectArgs {
  int32_t n_nets = 0;
  int64_t n = 0;                              // weights per network, any number
  Real* weights = nullptr;                    // [n_nets][n], in place
  const Real* reference = nullptr;            // [n_nets][n]: w0; may be weights. nullptr: 1, all signs are positive
  const ProjectionId* projections = nullptr;  // [n_nets]; none and unregistered ids leave the weights alone
};

// One row per (backend, instruction set or device, Real). Both operations treat networks [first, first + count) of the
// Launch and use no workspace; on CUDA they are enqueued in its stream, on the CPU the calling thread does the work.
// Nothing is allocated or synchronised. Throw cohort::Error for arguments - counts that are negative or beyond n_nets, null
// or misaligned memory (every array needs the alignment of its elements and no more) - and cohort::CudaError for the device.
// Fastest where rows start at 16 bytes, or all arrays lie equally far off.
template <class Real>
struct UpdateProgram {
  const char* backend;  // "cpu", "cuda"
  const char* isa;      // "x86-64-v4", "sm_80,sm_90a", ...
  void (*mirror_update)(const MirrorUpdateArgs<Real>&, const Launch&);
  void (*sign_project)(const SignProjectArgs<Real>&, const Launch&);
};

// The CPU's row for an instruction set ("" = the best this machine runs); nullptr if it was not built or cannot run here.
template <class Real>
const UpdateProgram<Real>* cpu_update(const char* isa = "");

// CUDA's row (library cohort::kernels_cuda), for the current device. double is built for tests only.
template <class Real>
const UpdateProgram<Real>* cuda_update();

// Bytes that one mirror_update moves between memory and processor, rules aside: w and moments in and out, gradient, mask.
template <class Real>
COHORT_FN double update_bytes(const MirrorUpdateArgs<Real>& a) {
  const int moments = (a.momentum ? 1 : 0) + (a.second_moment ? 1 : 0), reals = 3 + moments * (a.step == 0 ? 1 : 2);
  return double(a.n_nets) * double(a.n) * (reals * double(sizeof(Real)) + (a.mask ? 1 : 0));
}

}  // namespace cohort
