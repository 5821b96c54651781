#include "runner/measure.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "cohort/error.h"
#include "config/potential.h"

namespace cohort::engine {

namespace {

constexpr int kSlice = 256;  // networks measured at once: bounds host memory

// Changes of one tensor's parameters in the dual spaces of the candidates and, where they are not all that networks have, one
// more: their own.
struct DualChanges {
  size_t n_potentials = 0;
  std::vector<size_t> own;          // [n_nets] of which potential each network is
  std::vector<DualChange> changes;  // [n_nets][n_potentials]
};

// Effective weights of one tensor, now and at the start, how log-normal they are, its changes and its tangent kernels.
struct TensorData {
  int rows = 0, cols = 0;
  std::vector<float> weights[2];
  std::vector<Normality> log_weights[2];
  DualChanges dual;
  std::vector<TangentSums> tangent;
  MatrixView matrix(int when, int i) const {
    return {weights[when].data() + size_t(i) * size_t(rows) * size_t(cols), rows, cols};
  }
};

bool is_spectral(Need need) { return need == Need::singular_values || need == Need::eigenvalues; }

// `theta_start`: of networks [first, first + cohort.n_nets).
DualChanges dual_changes(Device& device, const Networks& networks, int first, const Cohort<float>& cohort,
                         const float* theta_start, int k, std::span<const Potential> candidates) {
  const Tensor t = tensor(cohort.signature, k);
  const size_t count = size_t(cohort.n_nets), n = candidates.size();
  DualChanges out;
  std::vector<Potential> own;
  for (size_t i = 0; i < count; ++i) {
    const RuleSpec& rule = networks.spec(first + int(i)).rule[int(t.role)];
    own.push_back({rule.geometry, rule.p, rule.beta});
    const auto same = [&](const Potential& q) { return same_dual_space(q, own.back()); };
    out.own.push_back(size_t(std::ranges::find_if(candidates, same) - candidates.begin()));
  }
  out.n_potentials = std::ranges::find(out.own, n) == out.own.end() ? n : n + 1;
  std::vector<Potential> potentials;
  for (size_t i = 0; i < count; ++i) {
    potentials.insert(potentials.end(), candidates.begin(), candidates.end());
    if (out.n_potentials > n) potentials.push_back(own[i]);
  }
  const DeviceArray<Potential> wanted(device, potentials);
  const DeviceArray<DualChange> changes(device, potentials.size());
  device.run(DualChangeArgs{.n_nets = cohort.n_nets,
                            .n_potentials = int32_t(out.n_potentials),
                            .n = int64_t(t.offset_ei - t.offset),
                            .stride = int64_t(n_params(cohort.signature)),
                            .before = theta_start + t.offset,
                            .after = cohort.theta + t.offset,
                            .mask = cohort.mask ? cohort.mask + t.offset : nullptr,
                            .potentials = wanted.data(),
                            .changes = changes.data()});
  out.changes = changes.download();
  return out;
}

TangentSums at_start(const TangentSums& s) {
  return {s.start_start, s.start_start, s.start_start, s.target_start, s.target_start, s.target_target};
}
GramSums at_start(const GramSums& s) { return {s.yy, s.yy, s.yy}; }

}  // namespace

std::string tensor_name(const Signature& signature, int k) {
  const Tensor t = tensor(signature, k);
  const char* role = t.role == Role::input       ? "input"
                     : t.role == Role::recurrent ? "recurrent"
                     : t.role == Role::readout   ? "readout"
                                                 : "bias";
  return t.layer == 0 || t.role == Role::readout ? role : role + ("_" + std::to_string(t.layer + 1));
}

int main_tensor(const Signature& signature) {
  return signature.core == CoreId::recurrent ? recurrent_tensor(0) : input_tensor(signature, 0);
}

std::vector<int> analysed_tensors(const AnalysisSettings& settings, const Signature& signature) {
  std::vector<Role> roles = settings.tensors;
  if (roles.empty()) roles.push_back(tensor(signature, main_tensor(signature)).role);
  std::vector<int> tensors;
  for (int k = 0; k < n_tensors(signature); ++k) {
    const Tensor t = tensor(signature, k);
    if (t.size() && std::find(roles.begin(), roles.end(), t.role) != roles.end()) tensors.push_back(k);
  }
  return tensors;
}

Measures::Measures(const AnalysisSettings& settings, const Signature& signature)
    : settings_(settings), signature_(signature), tensors_(analysed_tensors(settings, signature)) {
  for (const std::string& name : settings.names) {
    const Analysis* analysis = find_analysis(name.c_str());
    if (!analysis) throw Error("unknown analysis '" + name + "'");
    const bool per_tensor = analysis->need != Need::hidden && analysis->need != Need::representation;
    if (!per_tensor && signature.n_layers == 0) continue;  // no hidden units
    for (const int k : per_tensor ? tensors_ : std::vector<int>{-1}) {
      if (analysis->need == Need::eigenvalues && tensor(signature, k).role != Role::recurrent) continue;
      const size_t first = list_.size();
      for (const Field& field : analysis->fields) {
        std::string column = name, doc = field.doc;
        if (*field.name) column += std::string(".") + field.name;
        const std::string of_tensor =
            k >= 0 && k != main_tensor(signature) ? "." + tensor_name(signature, k) : std::string();
        for (size_t c = 0; field.of_candidates && c < settings.candidates.size(); ++c)
          doc += (c == 0 ? ": " : ", ") + std::to_string(c) + " " + potential_word(settings.candidates[c]);
        if (!field.per_candidate) {
          list_.push_back({column + of_tensor, doc, analysis->comparison});
          continue;
        }
        for (const Potential& candidate : settings.candidates)
          list_.push_back({column + "." + potential_name(candidate) + of_tensor,
                           doc + ", under " + potential_word(candidate), analysis->comparison});
        list_.push_back(
            {column + ".matched" + of_tensor, doc + ", under the network's own potential", analysis->comparison});
      }
      items_.push_back({analysis, k, first, list_.size() - first});
    }
  }
}

bool Measures::needs(Need need) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& i) { return i.analysis->need == need; });
}

Measures::Pending Measures::begin(Device& device, const Networks& networks, bool with_start) const {
  Pending pending;
  pending.with_start = with_start;
  Values& values = pending.values;
  values.start.assign(list_.size() * size_t(networks.size()), std::numeric_limits<double>::quiet_NaN());
  values.now = values.start;
  for (const Item& item : items_) {
    if (!item.analysis->keeps_spectrum || !with_start) continue;
    const Tensor t = tensor(signature_, item.tensor);
    const bool real = item.analysis->need == Need::singular_values;
    const int64_t length = std::min(t.rows, t.cols);
    Spectrum spectrum{item.analysis->name + ("." + tensor_name(signature_, item.tensor)),
                      real ? "singular values, descending" : "eigenvalues, real and imaginary part, by falling modulus",
                      {"rank"},
                      {length},
                      {},
                      {}};
    if (!real) {
      spectrum.dims.push_back("part");
      spectrum.shape.push_back(2);
    }
    values.spectra.push_back(std::move(spectrum));
  }
  if (list_.empty()) return pending;
  for (int first = 0; first < networks.size(); first += kSlice)
    measure_slice(device, networks, first, std::min(kSlice, networks.size() - first), pending);
  return pending;
}

Measures::Values Measures::finish(Pending pending) const {
  Values& out = pending.values;
  const size_t n_nets = list_.empty() ? 0 : out.now.size() / list_.size();
  for (Part& part : pending.parts) {
    const SpectraRows rows = part.spectra->wait();
    for (const Item& item : items_) {
      if (item.tensor != part.tensor || !is_spectral(item.analysis->need)) continue;
      const bool real = item.analysis->need == Need::singular_values;
      for (int i = 0; i < part.count; ++i) {
        Observation seen;
        seen.at_start = part.when == 1;
        if (real)
          seen.spectrum = &rows.of_singular_values[size_t(i)];
        else
          seen.eigenvalues = &rows.of_eigenvalues[size_t(i)];
        record(item, seen, part.when == 1 ? out.start : out.now, n_nets, size_t(part.first + i));
      }
      if (!item.analysis->keeps_spectrum || !pending.with_start) continue;
      const std::string name = item.analysis->name + ("." + tensor_name(signature_, item.tensor));
      for (Spectrum& spectrum : out.spectra) {
        if (spectrum.name != name) continue;
        std::vector<float>& to = part.when == 1 ? spectrum.start : spectrum.now;
        const std::vector<float>& from = real ? rows.singular_values : rows.eigenvalues;
        to.insert(to.end(), from.begin(), from.end());
      }
    }
  }
  return std::move(out);
}

void Measures::record(const Item& item, const Observation& seen, std::vector<double>& to, size_t n_nets,
                      size_t net) const {
  std::vector<double> values(item.count);
  item.analysis->measure(seen, values);
  for (size_t v = 0; v < item.count; ++v) to[(item.first + v) * n_nets + net] = values[v];
}

void Measures::measure_slice(Device& device, const Networks& networks, int first, int count, Pending& out) const {
  Cohort<float> cohort[2];  // now, at the start
  bool start_seen = out.with_start;
  for (const Item& item : items_) start_seen = start_seen || !is_spectral(item.analysis->need);
  const DeviceArray<float> theta_start = start_seen ? networks.start(first, count) : DeviceArray<float>();
  cohort[0] = cohort[1] = networks.view(first, count);
  cohort[1].theta = theta_start.data();

  std::vector<TensorData> data(size_t(n_tensors(signature_)));
  for (const int k : tensors_) {
    TensorData& d = data[size_t(k)];
    const Tensor t = tensor(signature_, k);
    d.rows = t.rows;
    d.cols = t.cols;
    const SpectraWanted wanted{needs(Need::singular_values), needs(Need::eigenvalues) && t.role == Role::recurrent};
    const bool spectral = wanted.singular_values || wanted.eigenvalues;
    for (int when = 0; when < 2; ++when) {
      const bool spectra_here = spectral && (when == 0 || out.with_start);
      const bool logs_here = needs(Need::log_weights) && (when == 0 || out.with_start);
      if (!needs(Need::weights) && !logs_here && !spectra_here) continue;
      DeviceArray<float> weights(device, size_t(count) * size_t(t.rows) * size_t(t.cols));
      device.run(EffectiveArgs<float>{cohort[when], k, weights.data()});
      if (needs(Need::weights)) d.weights[when] = weights.download();
      if (logs_here) {
        const DeviceArray<Normality> fits(device, size_t(count));
        device.run(LogWeightsArgs{count, int64_t(t.rows) * t.cols, weights.data(), fits.data()});
        d.log_weights[when] = fits.download();
      }
      if (!spectra_here) continue;
      auto spectra = device.spectra().measure(weights.data(), count, t.rows, t.cols, wanted);
      out.parts.push_back({k, when, first, count, std::move(weights), std::move(spectra)});
    }
    if (needs(Need::dual_change))
      d.dual = dual_changes(device, networks, first, cohort[0], theta_start.data(), k, settings_.candidates);
    if (needs(Need::tangent)) {
      DeviceArray<TangentSums> sums(device, size_t(count));
      device.run(TangentArgs<float>{cohort[0], theta_start.data(), settings_.kernel_trials, k, sums.data(),
                                    networks.loss_steps(first, count)});
      d.tangent = sums.download();
    }
  }
  const size_t per_network = size_t(signature_.n_layers) * size_t(settings_.probe_trials) * size_t(signature_.n_hidden);
  std::vector<float> hidden[2];
  std::vector<GramSums> gram, gram_centred;
  if (needs(Need::hidden) || needs(Need::representation)) {
    DeviceArray<float> states[2];
    for (int when = 0; when < 2; ++when) {
      states[when] = DeviceArray<float>(device, size_t(count) * per_network);
      device.run(ProbeArgs<float>{cohort[when], settings_.probe_trials, states[when].data()});
      if (needs(Need::hidden)) hidden[when] = states[when].download();
    }
    if (needs(Need::representation)) {
      DeviceArray<GramSums> sums(device, size_t(count)), centred(device, size_t(count));
      device.run(AlignmentArgs<float>{cohort[0], settings_.probe_trials, signature_.n_layers - 1, states[0].data(),
                                      states[1].data(), sums.data(), centred.data()});
      gram = sums.download();
      gram_centred = centred.download();
    }
  }
  const size_t last_layer =
      size_t(signature_.n_layers - 1) * size_t(settings_.probe_trials) * size_t(signature_.n_hidden);

  const size_t n_nets = size_t(networks.size());
  device.for_each(count, [&](int64_t i64) {
    const int i = int(i64);
    for (const Item& item : items_)
      for (int when = 0; when < 2; ++when) {
        if (is_spectral(item.analysis->need) || (when == 1 && (item.analysis->comparison || !out.with_start))) continue;
        Observation seen;
        seen.at_start = when == 1;
        const TensorData* const d = item.tensor >= 0 ? &data[size_t(item.tensor)] : nullptr;
        switch (item.analysis->need) {
          case Need::weights:
            seen.weights = d->matrix(when, i);
            seen.weights_start = d->matrix(1, i);
            break;
          case Need::log_weights:
            seen.log_weights = &d->log_weights[when][size_t(i)];
            break;
          case Need::dual_change:
            seen.dual_changes =
                std::span(d->dual.changes).subspan(size_t(i) * d->dual.n_potentials, d->dual.n_potentials);
            seen.n_candidates = settings_.candidates.size();
            seen.own = d->dual.own[size_t(i)];
            break;
          case Need::singular_values:
          case Need::eigenvalues:
            break;
          case Need::tangent:
            seen.tangent = when == 1 ? at_start(d->tangent[size_t(i)]) : d->tangent[size_t(i)];
            break;
          case Need::representation:
            seen.gram = when == 1 ? at_start(gram[size_t(i)]) : gram[size_t(i)];
            seen.gram_centred = when == 1 ? at_start(gram_centred[size_t(i)]) : gram_centred[size_t(i)];
            break;
          case Need::hidden:
            seen.hidden = {hidden[when].data() + size_t(i) * per_network + last_layer, settings_.probe_trials,
                           signature_.n_hidden};
            seen.hidden_start = {hidden[1].data() + size_t(i) * per_network + last_layer, settings_.probe_trials,
                                 signature_.n_hidden};
            break;
        }
        record(item, seen, when == 1 ? out.values.start : out.values.now, n_nets, size_t(first + i));
      }
  });
}

}  // namespace cohort::engine
