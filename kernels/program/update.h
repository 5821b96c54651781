// The learning rule over a network's tensors, in place: corrections, clipping, the rate, then program/rule.h for every weight.
#pragma once

#include "program/correction.h"
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

// Adam's part of one tensor's step, before update_tensor: its moments [n] move by gradient * scale, the gradient becomes a
// direction, and weights decay. `step`: steps before this one; at 0 the moments start at 0.
template <class Team, class Real>
COHORT_TEAM_FN void adam_tensor(const Team& team, const RuleSpec& rule, Real lr, int64_t step, int n, Real scale,
                                Real* gradient, Real* w, Real* first, Real* second, const uint8_t* mask) {
  const Adam<Real> adam(rule, lr, step, scale);
  if (step == 0) team.for_each(n, [=](int i) { first[i] = second[i] = Real(0); });
  team.for_each(n, [=](int i) {
    gradient[i] = adam.direction(gradient[i], first[i], second[i]);
    w[i] = adam.decayed(w[i], mask && !mask[i]);
  });
}

// One tensor's weights [n]: w and momentum move by gradient * scale. On the first step momentum starts at 0. With Adam, gradient
// and momentum are both what adam_tensor left.
template <class Team, class Real>
COHORT_TEAM_FN void update_tensor(const Team& team, const RuleSpec& rule, ProjectionId onto, Real lr, bool first_step,
                                  int n, Real scale, const Real* gradient, Real* w, Real* momentum,
                                  const uint8_t* mask) {
  const Step<Real> step(rule, lr, first_step, scale);
  if (first_step && !rule.adam) team.for_each(n, [=](int i) { momentum[i] = Real(0); });
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

template <class Team, class Real>
COHORT_TEAM_FN Real squared_norm(const Team& team, const Tensor& t, const Real* gradient) {
  const Real* const d = gradient + t.offset;
  return team.template sum<Real>(int(t.size()), [=](int i) { return d[i] * d[i]; });
}
// Of a whole gradient in the layout of theta. Syncs.
template <class Team, class Real>
COHORT_TEAM_FN Real squared_norm(const Team& team, const Signature& g, const Real* gradient) {
  Real total = Real(0);
  for (int k = 0; k < n_tensors(g); ++k) total += squared_norm(team, tensor(g, k), gradient);
  return total;
}

// f(t, scale) for every tensor that is there, in order, with the factor by which clipping scales its gradient. `total`: the
// squared norm of the whole gradient. Syncs.
template <class Team, class Real, class F>
COHORT_TEAM_FN void for_each_clipped(const Team& team, const Signature& g, const NetSpec& spec, const Real* gradient,
                                     Real total, F f) {
  Real cell = Real(0);
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    if (spec.clip_scope == ClipScope::cell && k % tensors_per_layer(g) == 0) {
      cell = Real(0);
      for (int j = k; j < n_tensors(g) && j < k + tensors_per_layer(g); ++j)
        cell += squared_norm(team, tensor(g, j), gradient);
    }
    if (t.size() == 0) continue;
    f(t, spec.clip_scope == ClipScope::global ? clip_factor(spec.clip, total)
         : spec.clip_scope == ClipScope::cell
             ? clip_factor(spec.clip, cell)
             : clip_factor(spec.rule[int(t.role)].clip, squared_norm(team, t, gradient)));
  }
}

// The candidate of a RateSearch that the step takes. Its plain step is w - rate scale gradient; masked weights stay. Syncs.
template <class Team, class Real>
COHORT_PHASE_FN int search_rate(const Team& team, const Signature& g, const Network<Real>& net, int64_t step,
                                const Real* gradient, Real total) {
  const NetSpec& spec = net.spec;
  const int candidates = spec.search.candidates;
  for (int i = 0; i + 1 < candidates; ++i) {
    Real kept = Real(0), all = Real(0);
    for_each_clipped(team, g, spec, gradient, total, [&](const Tensor& t, Real scale) {
      const RuleSpec& rule = spec.rule[int(t.role)];
      if (projection_of(rule, t) != ProjectionId::clamp || t.role == Role::bias || t.role == Role::alpha) return;
      const Real rate = scale * Real(candidate_rate(rule, i, candidates, step, spec.steps));
      const Real *const d = gradient + t.offset, *const w = net.theta + t.offset;
      const uint8_t* const mask = net.mask ? net.mask + t.offset : nullptr;
      const auto moved = [=](int j) { return mask && !mask[j] ? w[j] : w[j] - rate * d[j]; };
      kept += team.template sum<Real>(int(t.size()), [=](int j) {
        const Real v = math::max(Real(0), moved(j));
        return v * v;
      });
      all += team.template sum<Real>(int(t.size()), [=](int j) { return moved(j) * moved(j); });
    });
    if (math::sqrt(kept) >= Real(1 - spec.search.tolerance) * math::sqrt(all)) return i;
  }
  return candidates - 1;
}

// What a step found: the loss before it, and whether loss and gradient were finite; if not, no weight moved.
template <class Real>
struct Learned {
  Real loss;
  bool healthy;
};

// Corrects the gradient (in the layout of theta, in place) and moves every tensor by its rule. Returns false, and moves
// nothing, where the gradient is not finite, or where there is no room for Adam's second moments. Syncs.
template <class Team, class Real>
COHORT_PHASE_FN bool update(const Team& team, const Signature& g, const Network<Real>& net, int64_t step,
                            Real* gradient) {
  const NetSpec& spec = net.spec;
  if (has_adam(spec) && !net.second_moment) return false;
  if (has_corrections(g)) correct_gradient(team, g, spec.fisher, gradient);
  const Real total = squared_norm(team, g, gradient);
  if (!(total - total == Real(0))) return false;  // NaN or infinite
  const int candidates = spec.search.candidates;
  const int candidate = candidates > 1 ? search_rate(team, g, net, step, gradient, total) : 0;
  for_each_clipped(team, g, spec, gradient, total, [&](const Tensor& t, Real scale) {
    const RuleSpec& rule = spec.rule[int(t.role)];
    const Real lr = Real(candidate_rate(rule, candidate, candidates, step, spec.steps));
    const int n = int(t.size());
    Real *const d = gradient + t.offset, *const w = net.theta + t.offset;
    Real* momentum = net.momentum + t.offset;
    const uint8_t* const mask = net.mask ? net.mask + t.offset : nullptr;
    if (rule.adam) {
      adam_tensor(team, rule, lr, step, n, scale, d, w, momentum, net.second_moment + t.offset, mask);
      momentum = d;
    }
    update_tensor(team, rule, projection_of(rule, t), lr, step == 0, n, scale, d, w, momentum, mask);
  });
  team.sync();
  return true;
}

COHORT_END
