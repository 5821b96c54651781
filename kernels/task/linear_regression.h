// Linear regression on correlated inputs with random targets.
// Pogodin et al., ICLR 2024 (Synaptic weight distributions depend on the geometry of plasticity), linear regression.
#pragma once

#include "math/hartley.h"
#include "task/trial.h"

COHORT_BEGIN

// Inputs are L e + U(-1/2, 1/2) with e ~ N(0, 1) and L L^T = C, C_ij = (-1)^|i-j| / (1 + |i-j|^decay); targets are 1 or -1.
// The loss, mse, is the mean of (y - target)^2 over samples, without a factor 1/2.
// L e is drawn exactly by circulant embedding (Dietrich and Newsam, SIAM J. Sci. Comput. 1997): without its signs C is c(|i-j|),
// which falls and is convex, so that the circulant matrix with the first row c(min(t, m - t)), t < m = 2^q >= 2 (n - 1), has no
// negative eigenvalue lambda_j. The Hartley transform of sqrt(lambda_j / m) z_j, z ~ N(0, 1), has it as its covariance.
struct linear_regression {
  static constexpr const char* doc = "linear regression of random signs on correlated inputs (Pogodin et al. 2024)";
  static constexpr ParamInfo params[] = {
      {"inputs", 100, 1, 1e6, "dimension of the inputs"},
      {"decay", 2, 0.1, 10, "exponent p: the covariance of inputs i and j is (-1)^|i-j| / (1 + |i-j|^p)"},
  };
  static constexpr LossId loss = LossId::mse;
  static constexpr LossSteps loss_steps = LossSteps::all;
  static constexpr bool classes = false;
  static constexpr DataKind needs_data = DataKind::none;

  COHORT_FN static int n_in(const double* p) { return int(p[0]); }
  COHORT_FN static int n_out(const double*) { return 1; }
  COHORT_FN static int n_steps(const double*) { return 1; }
  COHORT_FN static double noise_sd(const double*, int, int) { return 0; }
  COHORT_FN static bool decision(const double*, int) { return true; }

  template <class Real>
  COHORT_TEAM_FN static void trial(const double*, const Dataset&, int, rng::Sequence& random, Trial<Real>& out) {
    out.target(0, 0, random.word() >> 31 ? Real(-1) : Real(1));
  }

  // The first row of the circulant matrix.
  template <class Real>
  COHORT_FORCE_INLINE static Real covariance(const double* p, int lag) {
    return Real(1 / (1 + (lag ? math::exp(p[1] * math::log(double(lag))) : 0)));
  }

  // Scratch: the transform [m], sqrt(lambda / m) [m] in the transform's order, the transform's turns [m].
  template <class Team, class Real>
  COHORT_TEAM_FN static void prepare(const Team& team, const double* p, Real* scratch) {
    const int m = circulant(n_in(p));
    Real *const x = scratch, *const root = scratch + m, *const turns = root + m;
    hartley_turns(team, m, turns);
    team.for_each(m, [=](int i) {
      const int t = bit_reversed(i, m);
      x[i] = covariance<Real>(p, t < m - t ? t : m - t);
    });
    team.sync();
    hartley(team, m, turns, x);
    team.for_each(m, [=](int i) {
      root[i] = math::sqrt(math::max(Real(0), x[bit_reversed(i, m)]) / Real(m));  // below 0 by rounding alone
    });
    team.sync();
  }
  // Of one trial: normal numbers from blocks [base, base + n_blocks(p)) of the key.
  template <class Team, class Real>
  COHORT_TEAM_FN static void add_inputs(const Team& team, const double* p, const rng::Key& key, uint32_t base,
                                        Real* scratch, Real* inputs) {
    const int n = n_in(p), m = circulant(n);
    Real *const x = scratch, *const root = scratch + m, *const turns = root + m;
    rng::fill_normals(team, key, base, 1, m / 4, x);
    team.sync();
    team.for_each(m, [=](int i) { x[i] *= root[i]; });
    team.sync();
    hartley(team, m, turns, x);
    const rng::Key local = key;
    team.for_each((n + 3) / 4, [=](int q) {
      const rng::Words words = local.words(base + uint32_t(q), 1);
      for (int i = 4 * q; i < 4 * q + 4 && i < n; ++i)
        inputs[i] += (i % 2 ? -x[i] : x[i]) + (rng::to_uniform<Real>(words.w[i % 4]) - Real(0.5));
    });
    team.sync();
  }
  COHORT_FN static uint32_t n_blocks(const double* p) { return uint32_t(circulant(n_in(p)) / 4); }

 private:
  COHORT_FN static int circulant(int n) { return power_of_two(n > 3 ? 2 * (n - 1) : 4); }
};

COHORT_END
