// What one step of the learning rule does to one weight: decay, momentum, mirror step, projection, mask. Everything that
// updates weights calls Step::move, so the formula is here and in the geometry alone.
// Order: Cornford et al. 2024 (decay enters the gradient, momentum holds it); mirror step: Pogodin et al., ICLR 2024.
#pragma once

#include "program/dispatch.h"
#include "program/projection.h"

COHORT_BEGIN

// A rule's numbers for one step of one tensor.
template <class Real>
struct Step {
  geometry::Params params;
  Real lr, scale, decay, keep, take, direct, held;

  // lr: of this step; scale: of the gradient; first: momentum starts here, and move wants it to be 0.
  COHORT_TEAM_FN Step(const RuleSpec& rule, Real lr_, bool first_, Real scale_)
      : params{rule.p, rule.beta},
        lr(lr_),
        scale(scale_),
        decay(Real(rule.weight_decay)),
        keep(first_ ? Real(0) : Real(rule.momentum)),
        take(first_ ? Real(1) : Real(1 - rule.dampening)),
        direct(rule.nesterov ? Real(1) : Real(0)),
        held(rule.nesterov ? Real(rule.momentum) : Real(1)) {}

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
