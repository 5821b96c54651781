// The learning rule: clip, decay, momentum, mirror step, projection, mask; per tensor, in place.
// Order and formulas: Cornford et al. 2024 (decay enters the gradient, momentum holds it), Pogodin et al., ICLR 2024.
#pragma once

#include "program/network.h"
#include "program/projection.h"
#include "program/schedule.h"

COHORT_BEGIN

// Clip factor for a gradient of squared norm `squared`; 1 when clipping is off.
template <class Real>
COHORT_TEAM_FN Real clip_factor(double clip, Real squared) {
  const Real norm = math::sqrt(squared);
  return clip > 0 && norm > Real(clip) ? Real(clip) / norm : Real(1);
}

// One tensor's weights [n]: w and momentum move by gradient * scale.
template <class Team, class Real>
COHORT_TEAM_FN void update_tensor(const Team& team, const RuleSpec& rule, Real lr, bool first_step, int n, Real scale,
                                  const Real* gradient, Real* w, Real* momentum, const uint8_t* mask) {
  const geometry::Params params{rule.p, rule.beta};
  const Real decay = Real(rule.weight_decay), keep = first_step ? Real(0) : Real(rule.momentum),
             take = first_step ? Real(1) : Real(1 - rule.dampening);
  const Real direct = rule.nesterov ? Real(1) : Real(0), held = rule.nesterov ? Real(rule.momentum) : Real(1);
  with_geometry(rule.geometry, params, [&](auto map) {
    with_projection(rule.projection, [&](auto projection) {
      team.for_each(n, [=](int i) {
        const Real before = w[i];
        const Real d = gradient[i] * scale + decay * map.decay(before);
        const Real b = (first_step ? Real(0) : keep * momentum[i]) + take * d;
        momentum[i] = b;
        const Real moved = projection.apply(before, map.step(before, direct * d + held * b, lr, params));
        w[i] = mask && !mask[i] ? before : moved;
      });
    });
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
    update_tensor(team, rule, Real(learning_rate(rule, step, spec.steps)), step == 0, int(t.size()), scale,
                  gradient + t.offset, net.theta + t.offset, net.momentum + t.offset,
                  net.mask ? net.mask + t.offset : nullptr);
  }
  team.sync();
  return true;
}

COHORT_END
