// The table of a core's operations on the CPU: networks one after another on the calling thread, vector instructions inside.
#pragma once

#include "alignment/representation.h"
#include "program/effective.h"
#include "program/evaluate.h"
#include "program/initialise.h"
#include "team/serial.h"

COHORT_BEGIN

template <class Args>
size_t no_bytes(const Args&, int32_t) {
  return 0;
}

template <class Args, void (*run)(const SerialTeam&, const Args&, int, void*)>
void serially(const Args& args, const Launch& launch) {
  for (int32_t i = launch.first; i < launch.first + launch.count; ++i) run(SerialTeam{}, args, i, launch.workspace);
}

// Of the core whose workspace is W; its tangent kernels are to be added.
template <template <class> class W, class Real>
constexpr Program<Real> serial_program(CoreId core, const char* isa) {
  Program<Real> p = {};
  p.backend = "cpu";
  p.name = "serial";
  p.isa = isa;
  p.core = core;
  p.init_workspace = no_bytes<InitArgs<Real>>;
  p.init = serially<InitArgs<Real>, initialise_network<SerialTeam, Real>>;
  p.train_workspace = [](const TrainArgs<Real>& a, int32_t) { return train_bytes<SerialTeam, W>(a); };
  p.train = serially<TrainArgs<Real>, train_network<W, SerialTeam, Real>>;
  p.evaluate_workspace = [](const EvaluateArgs<Real>& a, int32_t) {
    return forward_bytes<SerialTeam, Real, W>(a.cohort.signature);
  };
  p.evaluate = serially<EvaluateArgs<Real>, evaluate_network<W, SerialTeam, Real>>;
  p.probe_workspace = [](const ProbeArgs<Real>& a, int32_t) {
    return forward_bytes<SerialTeam, Real, W>(a.cohort.signature);
  };
  p.probe = serially<ProbeArgs<Real>, probe_network<W, SerialTeam, Real>>;
  p.alignment_workspace = [](const AlignmentArgs<Real>& a, int32_t) { return alignment_bytes<SerialTeam>(a); };
  p.alignment = serially<AlignmentArgs<Real>, alignment_network<SerialTeam, Real>>;
  p.effective_workspace = no_bytes<EffectiveArgs<Real>>;
  p.effective = serially<EffectiveArgs<Real>, effective_network<SerialTeam, Real>>;
  return p;
}

COHORT_END
