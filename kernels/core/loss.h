// Losses over logits, and the derivative of the loss with respect to them.
//
// Arrays are [n_out][n] with n = steps x rows (logits, errors, targets) and [n] (labels, weights). A position counts when its
// weight is not 0; loss and errors are divided by the number of positions that count.
//   cross_entropy   -sum_o q_o ln softmax(y)_o, q = one-hot label, smoothed: (1 - s) one-hot + s / n_out
//   mse             sum_o (y_o - target_o)^2
//   bce             sum_o of the binary cross-entropy of logit y_o with target_o in [0, 1]
// Tasks with classes give mse and bce their one-hot labels as targets.
#pragma once

#include "math/elementary.h"

COHORT_BEGIN

template <class Real>
struct Targets {
  const int32_t* label;   // [n], or nullptr: real targets
  const Real* target;     // [n_out][n]
  const uint8_t* weight;  // [n]
  COHORT_TEAM_FN Real at(int o, int i, int n) const {
    return label ? (label[i] == o ? Real(1) : Real(0)) : target[size_t(o) * size_t(n) + size_t(i)];
  }
};

struct cross_entropy {
  static constexpr const char* doc = "softmax cross-entropy of the label";
  // Errors replace the logits y [n_out][n] at positions [first, first + width); loss[j] gets the loss of each position.
  template <int block, class Real>
  COHORT_TEAM_FN static void apply(Real* y, int n_out, int n, int first, int width, const Targets<Real>& t,
                                   Real smoothing, Real* loss) {
    Real top[block], total[block], expected[block];
    for (int j = 0; j < width; ++j) {
      top[j] = y[first + j];
      total[j] = Real(0);
      expected[j] = Real(0);
    }
    for (int o = 1; o < n_out; ++o) {
      const Real* row = y + size_t(o) * size_t(n) + first;
      COHORT_SIMD
      for (int j = 0; j < width; ++j) top[j] = math::max(top[j], row[j]);
    }
    const Real off = smoothing / Real(n_out), on = Real(1) - smoothing + off;
    for (int o = 0; o < n_out; ++o) {
      Real* row = y + size_t(o) * size_t(n) + first;
      const int32_t* label = t.label + first;
      COHORT_SIMD
      for (int j = 0; j < width; ++j) {
        const Real z = row[j] - top[j], e = math::exp(z);
        expected[j] += (label[j] == o ? on : off) * z;
        total[j] += e;
        row[j] = e;
      }
    }
    COHORT_SIMD
    for (int j = 0; j < width; ++j) {
      loss[j] = math::log(total[j]) - expected[j];
      total[j] = Real(1) / total[j];
    }
    for (int o = 0; o < n_out; ++o) {
      Real* row = y + size_t(o) * size_t(n) + first;
      const int32_t* label = t.label + first;
      COHORT_SIMD
      for (int j = 0; j < width; ++j) row[j] = row[j] * total[j] - (label[j] == o ? on : off);
    }
  }
};

// Losses that are sums over the outputs: of(v, target, one, slope) of each logit v. Whether targets are labels is asked outside
// of the loop, which would not vectorise.
template <class Real, class Of>
COHORT_FORCE_INLINE void sum_outputs(Real* y, int n_out, int n, int first, int width, const Targets<Real>& t,
                                     Real* loss, Of of) {
  for (int j = 0; j < width; ++j) loss[j] = Real(0);
  for (int o = 0; o < n_out; ++o) {
    Real* const row = y + size_t(o) * size_t(n) + first;
    const auto over = [=](auto target) {
      COHORT_SIMD
      for (int j = 0; j < width; ++j) {
        Real one, slope;
        of(row[j], target(j), one, slope);
        loss[j] += one;
        row[j] = slope;
      }
    };
    if (t.label) {
      const int32_t* const label = t.label + first;
      over([=](int j) { return label[j] == o ? Real(1) : Real(0); });
    } else {
      const Real* const target = t.target + size_t(o) * size_t(n) + first;
      over([=](int j) { return target[j]; });
    }
  }
}

struct mse {
  static constexpr const char* doc = "squared error, summed over outputs";
  template <int block, class Real>
  COHORT_TEAM_FN static void apply(Real* y, int n_out, int n, int first, int width, const Targets<Real>& t, Real,
                                   Real* loss) {
    sum_outputs(y, n_out, n, first, width, t, loss, [](Real v, Real target, Real& one, Real& slope) {
      const Real e = v - target;
      one = e * e;
      slope = Real(2) * e;
    });
  }
};

struct bce {
  static constexpr const char* doc = "binary cross-entropy of each logit, summed over outputs";
  template <int block, class Real>
  COHORT_TEAM_FN static void apply(Real* y, int n_out, int n, int first, int width, const Targets<Real>& t, Real,
                                   Real* loss) {
    sum_outputs(y, n_out, n, first, width, t, loss, [](Real v, Real target, Real& one, Real& slope) {
      const Real decay = math::exp(-math::abs(v));
      one = math::max(Real(0), v) - v * target + math::log_positive(Real(1) + decay);
      slope = (v > Real(0) ? Real(1) : decay) / (Real(1) + decay) - target;
    });
  }
};

template <class F>
COHORT_TEAM_FN void with_loss(LossId id, F f) {
  switch (id) {
#define COHORT_CASE(word) \
  case LossId::word:      \
    f(word{});            \
    break;
    COHORT_FOR_EACH_LOSS(COHORT_CASE)
#undef COHORT_CASE
  }
}

// At positions [begin, end) alone: errors, times `scale`, replace the logits, and row_loss gets the loss of each. No sync.
template <class Team, class Real>
COHORT_TEAM_FN void apply_loss_at(const Team& team, LossId id, Real* y, int n_out, int n, int begin, int end,
                                  const Targets<Real>& targets, Real smoothing, Real scale, Real* row_loss) {
  constexpr int block = Team::block;
  with_loss(id, [&](auto loss) {
    for (int first = begin + team.lane() * block; first < end; first += team.size() * block) {
      const int width = end - first < block ? end - first : block;
      decltype(loss)::template apply<block>(y, n_out, n, first, width, targets, smoothing, row_loss + first);
      for (int o = 0; o < n_out; ++o) {
        Real* row = y + size_t(o) * size_t(n) + first;
        const uint8_t* weight = targets.weight + first;
        COHORT_SIMD
        for (int j = 0; j < width; ++j) row[j] = weight[j] ? row[j] * scale : Real(0);
      }
    }
  });
}

// Turns logits into errors in place and returns the mean loss. row_loss [n] is scratch. Ends with a sync.
template <class Team, class Real>
COHORT_PHASE_FN Real apply_loss(const Team& team, LossId id, Real* y, int n_out, int n, const Targets<Real>& targets,
                                Real smoothing, Real* row_loss) {
  const Real counted = team.template sum<Real>(n, [&](int i) { return targets.weight[i] ? Real(1) : Real(0); });
  const Real scale = counted > Real(0) ? Real(1) / counted : Real(0);
  apply_loss_at(team, id, y, n_out, n, 0, n, targets, smoothing, scale, row_loss);
  team.sync();
  return scale * team.template sum<Real>(n, [&](int i) { return targets.weight[i] ? row_loss[i] : Real(0); });
}

COHORT_END
