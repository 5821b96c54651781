// The learning rule over a network's tensors, in place: clipping, then program/rule.h for every weight.
#pragma once

#include "program/network.h"
#include "program/rule.h"
#include "program/schedule.h"

COHORT_BEGIN

// Clip factor for a gradient of squared norm `squared`; 1 when clipping is off.
template <class Real>
COHORT_TEAM_FN Real clip_factor(double clip, Real squared) {
  const Real norm = math::sqrt(squared);
  return clip > 0 && norm > Real(clip) ? Real(clip) / norm : Real(1);
}

// A tensor's projection: the rule's, but none of dense layers after recurrent ones, whose weights have no signs to keep.
COHORT_TEAM_FN ProjectionId projection_of(const RuleSpec& rule, const Tensor& t) {
  return t.dense ? ProjectionId::none : rule.projection;
}

// One tensor's weights [n]: w and momentum move by gradient * scale. On the first step momentum starts at 0.
template <class Team, class Real>
COHORT_TEAM_FN void update_tensor(const Team& team, const RuleSpec& rule, ProjectionId onto, Real lr, bool first_step,
                                  int n, Real scale, const Real* gradient, Real* w, Real* momentum,
                                  const uint8_t* mask) {
  const Step<Real> step(rule, lr, first_step, scale);
  if (first_step) team.for_each(n, [=](int i) { momentum[i] = Real(0); });
  with_rule(rule, onto, [&](auto map, auto projection) {
    const auto move = [&](auto fixed) {
      team.for_each(n, [=](int i) { w[i] = step.move(map, projection, gradient[i], w[i], momentum[i], fixed(i)); });
    };
    if (Team::block > 1 && !mask)  // a condition that holds for all weights would keep the loop from vectorising
      move([](int) { return false; });
    else
      move([=](int i) { return mask && !mask[i]; });
  });
}
template <class Team, class Real>
COHORT_TEAM_FN void update_tensor(const Team& team, const RuleSpec& rule, Real lr, bool first_step, int n, Real scale,
                                  const Real* gradient, Real* w, Real* momentum, const uint8_t* mask) {
  update_tensor(team, rule, rule.projection, lr, first_step, n, scale, gradient, w, momentum, mask);
}

// w = projection(w0, w) for weights [n]; without w0, as if it were 1.
template <class Team, class Real>
COHORT_TEAM_FN void project_tensor(const Team& team, ProjectionId id, int n, const Real* w0, Real* w) {
  with_projection(id, [&](auto projection) {
    if (w0)
      team.for_each(n, [=](int i) { w[i] = projection.apply(w0[i], w[i]); });
    else
      team.for_each(n, [=](int i) { w[i] = projection.apply(Real(1), w[i]); });
  });
}

// Moves every tensor by its rule. Returns false, and moves nothing, where the gradient is not finite. Syncs.
template <class Team, class Real>
COHORT_PHASE_FN bool update(const Team& team, const Signature& g, const Network<Real>& net, int64_t step,
                            const Real* gradient) {
  const auto squared = [&](const Tensor& t) {
    const Real* const d = gradient + t.offset;
    return team.template sum<Real>(int(t.size()), [=](int i) { return d[i] * d[i]; });
  };
  Real total = Real(0);
  for (int k = 0; k < n_tensors(g); ++k) total += squared(tensor(g, k));
  if (!(total - total == Real(0))) return false;  // NaN or infinite
  const NetSpec& spec = net.spec;
  const bool global = spec.clip_scope == ClipScope::global;
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    if (t.size() == 0) continue;
    const RuleSpec& rule = spec.rule[int(t.role)];
    const Real scale = global ? clip_factor(spec.clip, total) : clip_factor(rule.clip, squared(t));
    update_tensor(team, rule, projection_of(rule, t), Real(learning_rate(rule, step, spec.steps)), step == 0,
                  int(t.size()), scale, gradient + t.offset, net.theta + t.offset, net.momentum + t.offset,
                  net.mask ? net.mask + t.offset : nullptr);
  }
  team.sync();
  return true;
}

COHORT_END
