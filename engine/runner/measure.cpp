#include "runner/measure.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "cohort/error.h"

namespace cohort::engine {

namespace {

constexpr int kSlice = 256;  // networks measured at once: bounds host memory

// Effective weights of one tensor and their spectra, now and at the start.
struct TensorData {
  int rows = 0, cols = 0, n_values = 0;
  std::vector<float> weights[2];
  std::vector<double> singular[2], moduli[2];
  std::vector<TangentSums> tangent;
  MatrixView matrix(int when, int i) const {
    return {weights[when].data() + size_t(i) * size_t(rows) * size_t(cols), rows, cols};
  }
  std::span<const double> values(int when, int i) const {
    return std::span(singular[when]).subspan(size_t(i) * size_t(n_values), size_t(n_values));
  }
  std::span<const double> eigenvalues(int when, int i) const {
    return std::span(moduli[when]).subspan(size_t(i) * size_t(rows), size_t(rows));
  }
};

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

Measures::Measures(const AnalysisSettings& settings, const Signature& signature)
    : settings_(settings), signature_(signature) {
  for (int k = 0; k < n_tensors(signature); ++k) {
    const Tensor t = tensor(signature, k);
    if (t.size() && std::find(settings.tensors.begin(), settings.tensors.end(), t.role) != settings.tensors.end())
      tensors_.push_back(k);
  }
  for (const std::string& name : settings.names) {
    const Analysis* analysis = find_analysis(name.c_str());
    if (!analysis) throw Error("unknown analysis '" + name + "'");
    const bool per_tensor = analysis->need != Need::hidden && analysis->need != Need::representation;
    for (const int k : per_tensor ? tensors_ : std::vector<int>{-1}) {
      if (analysis->need == Need::eigenvalues && tensor(signature, k).role != Role::recurrent) continue;
      items_.push_back({analysis, k, list_.size()});
      for (const Field& field : analysis->fields) {
        std::string column = name;
        if (*field.name) column += std::string(".") + field.name;
        if (k >= 0 && k != recurrent_tensor(0)) column += "." + tensor_name(signature, k);
        list_.push_back({column, field.doc, analysis->comparison});
      }
    }
  }
}

bool Measures::needs(Need need) const {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& i) { return i.analysis->need == need; });
}

Measures::Values Measures::measure(Device& device, const Networks& networks) const {
  const double none = std::numeric_limits<double>::quiet_NaN();
  Values values;
  values.start.assign(list_.size() * size_t(networks.size()), none);
  values.now = values.start;
  if (std::find(settings_.names.begin(), settings_.names.end(), "singular_values") != settings_.names.end())
    for (const int k : tensors_) {
      const Tensor t = tensor(signature_, k);
      values.spectra.push_back({tensor_name(signature_, k), std::min(t.rows, t.cols), {}, {}});
    }
  if (list_.empty()) return values;
  for (int first = 0; first < networks.size(); first += kSlice)
    measure_slice(device, networks, first, std::min(kSlice, networks.size() - first), values);
  return values;
}

void Measures::measure_slice(Device& device, const Networks& networks, int first, int count, Values& out) const {
  Cohort<float> cohort[2];  // now, at the start
  const DeviceArray<float> theta_start = networks.start(first, count);
  cohort[0] = cohort[1] = networks.view(first, count);
  cohort[1].theta = theta_start.data();

  std::vector<TensorData> data(size_t(n_tensors(signature_)));
  for (const int k : tensors_) {
    TensorData& d = data[size_t(k)];
    const Tensor t = tensor(signature_, k);
    d.rows = t.rows;
    d.cols = t.cols;
    d.n_values = std::min(t.rows, t.cols);
    for (int when = 0; when < 2; ++when) {
      DeviceArray<float> weights(device, size_t(count) * size_t(t.rows) * size_t(t.cols));
      device.run(EffectiveArgs<float>{cohort[when], k, weights.data()});
      d.weights[when] = weights.download();
      if (needs(Need::singular_values)) {
        d.singular[when].resize(size_t(count) * size_t(d.n_values));
        device.spectra().singular_values(d.weights[when].data(), count, t.rows, t.cols, d.singular[when].data());
      }
      if (needs(Need::eigenvalues) && t.role == Role::recurrent) {
        d.moduli[when].resize(size_t(count) * size_t(t.rows));
        device.spectra().eigenvalue_moduli(d.weights[when].data(), count, t.rows, d.moduli[when].data());
      }
    }
    if (needs(Need::tangent)) {
      DeviceArray<TangentSums> sums(device, size_t(count));
      device.run(TangentArgs<float>{cohort[0], theta_start.data(), settings_.kernel_trials, k, sums.data(),
                                    networks.loss_steps(first, count)});
      d.tangent = sums.download();
    }
  }
  for (auto& spectrum : out.spectra)
    for (const int k : tensors_)
      if (tensor_name(signature_, k) == spectrum.tensor) {
        const auto& singular = data[size_t(k)].singular;
        spectrum.now.insert(spectrum.now.end(), singular[0].begin(), singular[0].end());
        spectrum.start.insert(spectrum.start.end(), singular[1].begin(), singular[1].end());
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
        if (when == 1 && item.analysis->comparison) continue;
        Observation seen;
        seen.at_start = when == 1;
        const TensorData* const d = item.tensor >= 0 ? &data[size_t(item.tensor)] : nullptr;
        switch (item.analysis->need) {
          case Need::weights:
            seen.weights = d->matrix(when, i);
            seen.weights_start = d->matrix(1, i);
            break;
          case Need::singular_values:
            seen.singular_values = d->values(when, i);
            break;
          case Need::eigenvalues:
            seen.eigenvalue_moduli = d->eigenvalues(when, i);
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
        double values[16];
        const std::span<double> fields(values, item.analysis->fields.size());
        item.analysis->measure(seen, fields);
        auto& to = when == 1 ? out.start : out.now;
        for (size_t f = 0; f < fields.size(); ++f) to[(item.first + f) * n_nets + size_t(first + i)] = fields[f];
      }
  });
}

}  // namespace cohort::engine
