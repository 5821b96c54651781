// The CPU's update programs for one instruction set (cohort/update.h); update_dispatch.cpp has checked their arguments.
// Compiled once per instruction set and Real (COHORT_TARGET, COHORT_REAL, COHORT_ISA come from the build).
#include "program/update.h"

#include <algorithm>

#include "cohort/update.h"
#include "team/serial.h"

COHORT_BEGIN

using Real = COHORT_REAL;

namespace {

// f(first, count) for pieces of [0, n), none longer than `most`.
template <class F>
void in_pieces(int64_t n, int most, F f) {
  for (int64_t first = 0; first < n; first += most) f(first, int(n - first < most ? n - first : most));
}

constexpr int most = 1 << 30;  // of what a team counts in int

void mirror_update(const MirrorUpdateArgs<Real>& a, const Launch& l) {
  for (int64_t net = l.first; net < int64_t(l.first) + l.count; ++net) {
    const Real scale = a.scale ? a.scale[net] : Real(1);
    const RuleSpec& rule = a.rules[net];
    const auto move = [&](int64_t first, int count, const Real* gradient, Real* momentum) {
      const int64_t at = net * a.n + first;
      update_tensor(SerialTeam{}, rule, a.lr[net], a.step == 0, count, scale, gradient, a.weights + at, momentum,
                    a.mask ? a.mask + at : nullptr);
    };
    const auto update = [&](int64_t first, int count, Real* momentum) {
      move(first, count, a.gradient + net * a.n + first, momentum);
    };
    if (rule.adam) {
      if (!a.momentum || !a.second_moment) continue;
      in_pieces(a.n, 1024, [&](int64_t first, int count) {
        const int64_t at = net * a.n + first;
        Real direction[1024];
        std::copy_n(a.gradient + at, count, direction);
        adam_tensor(SerialTeam{}, rule, a.lr[net], a.step, count, scale, direction, a.weights + at, a.momentum + at,
                    a.second_moment + at, a.mask ? a.mask + at : nullptr);
        move(first, count, direction, direction);
      });
    } else if (a.momentum)
      in_pieces(a.n, most, [&](int64_t first, int count) { update(first, count, a.momentum + net * a.n + first); });
    else
      in_pieces(a.n, 1024, [&](int64_t first, int count) {
        Real momentum[1024] = {};
        update(first, count, momentum);
      });
  }
}

void sign_project(const SignProjectArgs<Real>& a, const Launch& l) {
  for (int64_t net = l.first; net < int64_t(l.first) + l.count; ++net)
    in_pieces(a.n, most, [&](int64_t first, int count) {
      const int64_t at = net * a.n + first;
      project_tensor(SerialTeam{}, a.projections[net], count, a.reference ? a.reference + at : nullptr, a.weights + at);
    });
}

constexpr UpdateProgram<Real> update_program = {
    .backend = "cpu", .isa = COHORT_ISA, .mirror_update = mirror_update, .sign_project = sign_project};

}  // namespace

const UpdateProgram<Real>& update_row() { return update_program; }

COHORT_END
