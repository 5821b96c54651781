// Log-normal magnitudes with mean / standard deviation r and root mean square gain / sqrt(fan), and a random sign
// (Cornford et al. 2024): sigma_ln^2 = ln(1 + 1/r^2), mu_ln = ln(mean^2 / sqrt(mean^2 + sd^2)).
#pragma once

#include "init/draw.h"

COHORT_BEGIN
namespace init {

struct log_normal {
  static constexpr const char* doc =
      "log-normal magnitudes, mean / sd = mean_over_sd, rms gain / sqrt(n_hidden), random signs";
  template <class Team, class Real>
  COHORT_TEAM_FN static void draw(const Team& team, const Draw& d, const parameterisation::Parts<Real>& w) {
    const Real r = Real(d.mean_over_sd), rms = Real(d.gain) / math::sqrt(Real(d.fan));
    const Real sd = rms / math::sqrt(Real(1) + r * r), mean = r * sd;
    const Real sigma = math::sqrt(math::log(Real(1) + Real(1) / (r * r)));
    const Real mu = math::log(mean * mean / math::sqrt(mean * mean + sd * sd));
    fill(team, d.rows * d.cols, w.main, [=](int i) {
      const Element e(d.key, i);
      return e.sign<Real>() * math::exp(mu + sigma * e.normal<Real>());
    });
  }
};

}  // namespace init
COHORT_END
