// In which dual space learning moved the weights by normal numbers.
#pragma once

#include "analysis/common.h"

namespace cohort::engine::analysis {

// Delta = grad phi(w) - grad phi(w0) of the parameters of one tensor (magnitudes of a column-E/I network, W_ex of a DANN: what the
// rule moves) for every candidate phi and for the network's own, `matched`; without fixed weights. Delta over its standard
// deviation (n - 1) is compared with N(0, 1): Delta-CDF and KS distance, the mean left in or, `centred`, removed. Delta-CDF of an
// exactly normal change is about 1.1 / sqrt(n). No value where nothing moved. The dual of neg_entropy is 0 at 0 and jumps there:
// the difference counts for weights that change their sign, as for all others. Source: Pogodin, Cornford, Ghosh, Gidel, Lajoie,
// Richards (ICLR 2024), Synaptic weight distributions depend on the geometry of plasticity.
struct dual_change {
  static constexpr const char* doc =
      "change of the parameters in the dual space of every potential of analysis.candidates and of the network's own "
      "(matched): distance of its distribution from a normal one (Pogodin et al., ICLR 2024)";
  static constexpr Need need = Need::dual_change;
  static constexpr bool comparison = true;
  static constexpr Field fields[] = {
      {"delta_cdf", "Delta-CDF, integral over [-5, 5] of |F - Phi|, of the change over its sd", true},
      {"delta_cdf_centred", "Delta-CDF of the change less its mean, over its sd", true},
      {"ks", "Kolmogorov-Smirnov distance of the change over its sd to N(0, 1)", true},
      {"laziness", "norm of the change over that of the start, in the dual space", true},
      {"nearest", "candidate with the smallest Delta-CDF, counted from 0", false, true},
      {"recovered", "1 where that is the network's own potential, 0 where it is another candidate"},
      {"sign_flips", "number of parameters whose sign is opposite to that at the start"}};
  static void measure(const Observation& seen, std::span<double> out) {
    std::fill(out.begin(), out.end(), no_value);
    const std::span<const DualChange> changes = seen.dual_changes;
    if (changes.empty()) return;
    const size_t n = seen.n_candidates;
    const auto each = [&](size_t field, auto value) {
      for (size_t c = 0; c <= n; ++c) out[field * (n + 1) + c] = value(changes[c < n ? c : seen.own]);
    };
    each(0, [](const DualChange& d) { return d.change.delta_cdf; });
    each(1, [](const DualChange& d) { return d.change.delta_cdf_centred; });
    each(2, [](const DualChange& d) { return d.change.ks; });
    each(3, [](const DualChange& d) { return d.laziness; });
    size_t nearest = n;
    for (size_t c = 0; c < n; ++c)
      if (changes[c].change.delta_cdf < (nearest < n ? changes[nearest].change.delta_cdf : HUGE_VAL)) nearest = c;
    const std::span<double> single = out.subspan(4 * (n + 1));
    if (nearest < n) single[0] = double(nearest);
    if (nearest < n && seen.own < n) single[1] = nearest == seen.own ? 1 : 0;
    if (std::isfinite(changes[seen.own].change.mean)) single[2] = double(changes[seen.own].sign_flips);
  }
};

}  // namespace cohort::engine::analysis
