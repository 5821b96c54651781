#include "runner/transplant.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "config/draft.h"
#include "runner/networks.h"

namespace cohort::engine {

namespace {

constexpr size_t kMostParams = size_t(1) << 24;  // of the networks whose donors are in memory at once

ResolvedNetwork donor_of(const Signature& signature, const NetSpec& spec, Donor donor) {
  ResolvedNetwork network;
  network.signature = signature;
  network.signature.n_inhibitory = donor == Donor::dann ? spec.init.transplant.n_inhibitory : 0;
  network.signature.n_inhibitory_recurrent = network.signature.n_inhibitory_readout = 0;
  NetSpec& model = network.spec;
  model = spec;
  model.parameterisation = donor == Donor::column_ei ? ParameterisationId::column_ei
                           : donor == Donor::dann    ? ParameterisationId::dann
                                                     : ParameterisationId::dense;
  model.init = InitSpec{};
  model.init.gain = 1;
  model.init.recurrent = default_distribution(CoreId::recurrent, model.parameterisation, Role::recurrent);
  model.init.input = default_distribution(CoreId::recurrent, model.parameterisation, Role::input);
  model.init.readout = default_distribution(CoreId::recurrent, model.parameterisation, Role::readout);
  model.init.iid_inhibition = spec.init.iid_inhibition;
  model.init.zero_diagonal = 0;
  if (donor == Donor::column_ei) model.init.spectral_radius = spec.init.transplant.spectral_radius;
  return network;
}

// The donors of some networks: one launch for each model and shape among them.
class Donors {
 public:
  Donors(Device& device, const Signature& signature) : device_(device), signature_(signature) {}

  void draw(std::span<const NetSpec* const> specs) {
    std::map<Model, std::vector<ResolvedNetwork>> networks;
    where_.clear();
    drawn_.clear();
    for (const NetSpec* spec : specs)
      for (const Donor donor : {spec->init.transplant.vectors_of, spec->init.transplant.values_of}) {
        if (donor == Donor::own || where_.contains({spec, donor})) continue;
        std::vector<ResolvedNetwork>& of_model = networks[model(*spec, donor)];
        where_[{spec, donor}] = of_model.size();
        of_model.push_back(donor_of(signature_, *spec, donor));
      }
    for (const auto& [model, of_model] : networks) drawn_.try_emplace(model, device_, of_model, Dataset{});
  }

  // Effective weights of a tensor of all that were drawn; read by weights().
  void fetch(int k) {
    weights_.clear();
    const Tensor t = tensor(signature_, k);
    size_ = size_t(t.rows) * size_t(t.cols);
    for (const auto& [model, networks] : drawn_) {
      DeviceArray<float> effective(device_, size_t(networks.size()) * size_);
      device_.run(EffectiveArgs<float>{networks.view(), k, effective.data()});
      weights_[model] = effective.download();
    }
  }
  const float* weights(const NetSpec& spec, Donor donor) const {
    return weights_.at(model(spec, donor)).data() + where_.at({&spec, donor}) * size_;
  }

 private:
  using Model = std::pair<Donor, int32_t>;  // and its interneurons
  static Model model(const NetSpec& spec, Donor donor) {
    return {donor, donor == Donor::dann ? spec.init.transplant.n_inhibitory : 0};
  }

  Device& device_;
  const Signature& signature_;
  std::map<Model, Networks> drawn_;
  std::map<Model, std::vector<float>> weights_;
  std::map<std::pair<const NetSpec*, Donor>, size_t> where_;
  size_t size_ = 0;
};

}  // namespace

void transplant(Device& device, const Signature& signature, std::span<const NetSpec> specs, float* theta) {
  std::vector<const NetSpec*> chosen;
  for (const NetSpec& spec : specs)
    if (spec.init.transplant.roles) chosen.push_back(&spec);
  Donors donors(device, signature);
  const size_t at_once = std::clamp<size_t>(kMostParams / n_params(signature), 1, 256);
  for (size_t first = 0; first < chosen.size(); first += at_once) {
    const auto slice = std::span(chosen).subspan(first, std::min(at_once, chosen.size() - first));
    donors.draw(slice);
    for (int k = 0; k < n_tensors(signature); ++k) {
      const Tensor t = tensor(signature, k);
      if (!is_weights(t.role) || t.size() == 0) continue;
      std::vector<const NetSpec*> here;
      for (const NetSpec* spec : slice)
        if (spec->init.transplant.roles >> int(t.role) & 1) here.push_back(spec);
      if (here.empty()) continue;
      donors.fetch(k);
      const size_t size = size_t(t.rows) * size_t(t.cols);
      const auto own = [&](const NetSpec* spec) {
        return theta + size_t(spec - specs.data()) * n_params(signature) + t.offset;
      };
      std::vector<float> vectors(here.size() * size), values(here.size() * size);
      for (size_t i = 0; i < here.size(); ++i) {
        const auto copy = [&](Donor donor, std::vector<float>& to) {
          std::copy_n(donor == Donor::own ? own(here[i]) : donors.weights(*here[i], donor), size, &to[i * size]);
        };
        copy(here[i]->init.transplant.vectors_of, vectors);
        copy(here[i]->init.transplant.values_of, values);
      }
      device.spectra().transplant(vectors.data(), values.data(), int64_t(here.size()), t.rows, t.cols);
      for (size_t i = 0; i < here.size(); ++i) std::copy_n(&vectors[i * size], size, own(here[i]));
    }
  }
}

}  // namespace cohort::engine
