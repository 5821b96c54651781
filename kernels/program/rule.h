// What one step of the learning rule does to one weight: decay, momentum, mirror step, projection, mask. Everything that
// updates weights calls Step::move, with Adam after Adam::direction and Adam::decayed, so the formulas are here and in the geometry alone.
// Order: Cornford et al. 2024 (decay enters the gradient, momentum holds it); mirror step: Pogodin et al., ICLR 2024; AdamW:
// Loshchilov, Hutter 2019, with mirror steps Cornford et al. 2024.
#pragma once

#include "program/dispatch.h"
#include "program/projection.h"

COHORT_BEGIN

// Adam's numbers for one step of one tensor; its moments start at 0.
template <class Real>
struct Adam {
  Real shrink, scale, keep1, take1, keep2, take2, unbias1, unbias2, epsilon;

  // lr: of this step; step: steps before it; scale: of the gradient.
  COHORT_TEAM_FN Adam(const RuleSpec& rule, Real lr, int64_t step, Real scale_)
      : shrink(Real(1) - lr * Real(rule.weight_decay)),
        scale(scale_),
        keep1(Real(rule.adam_beta1)),
        take1(Real(1 - rule.adam_beta1)),
        keep2(Real(rule.adam_beta2)),
        take2(Real(1 - rule.adam_beta2)),
        unbias1(Real(1 / (1 - math::pow_abs(rule.adam_beta1, double(step + 1))))),
        unbias2(Real(1 / (1 - math::pow_abs(rule.adam_beta2, double(step + 1))))),
        epsilon(Real(rule.adam_epsilon)) {}

  // What the mirror step takes as gradient; the moments move in place.
  COHORT_FORCE_INLINE Real direction(Real gradient, Real& first, Real& second) const {
    const Real d = gradient * scale;
    first = keep1 * first + take1 * d;
    second = keep2 * second + take2 * (d * d);
    return unbias1 * first / (math::sqrt(unbias2 * second) + epsilon);
  }
  // The weight from which the mirror step starts: decay is decoupled. A fixed weight stays.
  COHORT_FORCE_INLINE Real decayed(Real w, bool fixed) const { return fixed ? w : shrink * w; }
};

// A rule's numbers for one step of one tensor. With Adam the gradient is Adam::direction, which has its own scale, the weight is
// Adam::decayed, and `momentum` is room for a copy of the gradient.
template <class Real>
struct Step {
  geometry::Params params;
  Real lr, scale, decay, keep, take, direct, held;

  // lr: of this step; scale: of the gradient; first: momentum starts here, and move wants it to be 0.
  COHORT_TEAM_FN Step(const RuleSpec& rule, Real lr_, bool first_, Real scale_)
      : params{rule.p, rule.beta},
        lr(lr_),
        scale(rule.adam ? Real(1) : scale_),
        decay(rule.adam ? Real(0) : Real(rule.weight_decay)),
        keep(first_ || rule.adam ? Real(0) : Real(rule.momentum)),
        take(first_ || rule.adam ? Real(1) : Real(1 - rule.dampening)),
        direct(rule.nesterov && !rule.adam ? Real(1) : Real(0)),
        held(rule.nesterov && !rule.adam ? Real(rule.momentum) : Real(1)) {}

  // A weight after the step; its momentum moves in place. A fixed weight stays, but its momentum moves.
  template <class Map, class Projection>
  COHORT_FORCE_INLINE Real move(Map map, Projection projection, Real gradient, Real before, Real& momentum,
                                bool fixed) const {
    const Real d = gradient * scale + decay * map.decay(before);
    const Real b = keep * momentum + take * d;
    momentum = b;
    const Real moved = projection.apply(before, map.step(before, direct * d + held * b, lr, params));
    return fixed ? before : moved;
  }
};

// f(map, projection) with those of a rule, or with another projection; nothing where it names none.
template <class F>
COHORT_TEAM_FN void with_rule(const RuleSpec& rule, ProjectionId onto, F f) {
  with_geometry(rule.geometry, {rule.p, rule.beta},
                [&](auto map) { with_projection(onto, [&](auto projection) { f(map, projection); }); });
}
template <class F>
COHORT_TEAM_FN void with_rule(const RuleSpec& rule, F f) {
  with_rule(rule, rule.projection, f);
}

COHORT_END
