#include "runner/networks.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runner/transplant.h"

namespace cohort::engine {

namespace {

// The matrices of some networks, one after another, and what the rank and radius steps do to them.
class Starts {
 public:
  Starts(Spectra& spectra, int n, size_t count)
      : spectra_(spectra), n_(n), area_(size_t(n) * size_t(n)), matrices_(count * area_) {}
  float* matrix(size_t i) { return matrices_.data() + i * area_; }

  std::vector<double> radii() {
    std::vector<double> radius(count());
    spectra_.radius(matrices_.data(), int64_t(count()), n_, radius.data());
    return radius;
  }
  // All by the same method and with the same rescaling.
  void cut(std::span<const NetSpec* const> specs, int layer) {
    const InitSpec& init = specs.front()->init;
    const bool radius_kept = init.rank_rescale == RankRescale::spectral_radius;
    std::vector<int32_t> rank;
    std::vector<uint64_t> seed;
    for (const NetSpec* spec : specs) {
      rank.push_back(spec->init.rank);
      seed.push_back(spec->seed + (uint64_t(layer) << 48));
    }
    const std::vector<double> radius = radius_kept ? radii() : std::vector<double>();
    spectra_.low_rank(
        matrices_.data(), int64_t(count()), n_,
        {.rank = rank.data(),
         .scale = init.rank_rescale == RankRescale::frobenius ? LowRankScale::frobenius : LowRankScale::none,
         .method = init.rank_method,
         .seed = seed.data()});
    if (!radius_kept) return;  // truncation keeps sigma_1
    const std::vector<double> cut_radius = radii();
    for (size_t i = 0; i < count(); ++i) scale(i, radius[i] / cut_radius[i]);
  }
  void scale(size_t i, double factor) {
    for (size_t k = 0; k < area_; ++k) matrix(i)[k] = float(double(matrix(i)[k]) * factor);
  }

 private:
  size_t count() const { return matrices_.size() / area_; }
  Spectra& spectra_;
  int n_;
  size_t area_;
  std::vector<float> matrices_;
};

}  // namespace

Networks::Networks(Device& device, std::span<const ResolvedNetwork> networks, const Dataset& data,
                   std::vector<const float*> loaded)
    : device_(device), signature_(networks.front().signature), data_(data), loaded_(std::move(loaded)) {
  bool sparse = false, adam = false;
  for (const ResolvedNetwork& n : networks) {
    specs_.push_back(n.spec);
    sparse = sparse || n.spec.init.density < 1;
    adam = adam || has_adam(n.spec);
  }
  nets_ = DeviceArray<NetSpec>(device, specs_);
  state_ = DeviceArray<NetState>(device, specs_.size());
  theta_ = DeviceArray<float>(device, specs_.size() * n_params(signature_));
  momentum_ = DeviceArray<float>(device, specs_.size() * n_params(signature_));
  if (adam) second_moment_ = DeviceArray<float>(device, specs_.size() * n_params(signature_));
  if (sparse) mask_ = DeviceArray<uint8_t>(device, specs_.size() * n_params(signature_));
  draw(view(), 0);
}

Cohort<float> Networks::view(int first, int count) const {
  const size_t skip = size_t(first) * n_params(signature_);
  return {.signature = signature_,
          .n_nets = count,
          .nets = nets_.data() + first,
          .state = state_.data() + first,
          .theta = theta_.data() + skip,
          .momentum = momentum_.data() + skip,
          .second_moment = second_moment_.data() ? second_moment_.data() + skip : nullptr,
          .mask = mask_.data() ? mask_.data() + skip : nullptr,
          .data = data_};
}

DeviceArray<float> Networks::start(int first, int count) const {
  const size_t size = size_t(count) * n_params(signature_);
  DeviceArray<float> theta(device_, size);
  DeviceArray<NetState> state(device_, size_t(count));
  DeviceArray<uint8_t> mask;
  Cohort<float> cohort = view(first, count);
  if (cohort.mask) {
    mask = DeviceArray<uint8_t>(device_, size);
    cohort.mask = mask.data();
  }
  cohort.theta = theta.data();
  cohort.state = state.data();
  cohort.momentum = nullptr;
  draw(cohort, first);
  return theta;
}

// Rank: the recurrent matrix is cut to its largest singular values and rescaled (Liu et al., ICLR 2024). Radius: the
// effective recurrent matrix is scaled to the wanted max |lambda| (Li et al., NeurIPS 2023); of a DANN, W_ex and W_ei are. Last, a
// transplant.
void Networks::draw(Cohort<float> cohort, int first) const {
  device_.run(InitArgs<float>{cohort});
  if (!loaded_.empty()) {
    const size_t size = n_params(signature_);
    for (size_t i = 0; i < size_t(cohort.n_nets); ++i)
      device_.upload(cohort.theta + i * size, loaded_[size_t(first) + i], size * sizeof(float));
    return;
  }
  std::map<std::pair<RankRescale, LowRankMethod>, std::vector<size_t>> cut;
  std::vector<size_t> scaled;
  bool transplants = false;
  for (size_t i = 0; i < size_t(cohort.n_nets); ++i) {
    const InitSpec& init = specs_[size_t(first) + i].init;
    if (init.rank > 0 && init.rank < signature_.n_hidden) cut[{init.rank_rescale, init.rank_method}].push_back(i);
    if (init.spectral_radius > 0) scaled.push_back(i);
    transplants = transplants || init.transplant.roles;
  }
  if (cut.empty() && scaled.empty() && !transplants) return;

  const size_t stride = n_params(signature_);
  std::vector<float> theta(size_t(cohort.n_nets) * stride);
  device_.download(theta.data(), cohort.theta, theta.size() * sizeof(float));
  const int n = signature_.n_hidden;
  const size_t area = size_t(n) * size_t(n);
  for (int layer = 0; layer < signature_.n_layers - signature_.n_dense; ++layer) {
    const Tensor t = tensor(signature_, recurrent_tensor(layer));
    for (const auto& [how, chosen] : cut) {
      Starts starts(device_.spectra(), n, chosen.size());
      std::vector<const NetSpec*> specs;
      for (size_t k = 0; k < chosen.size(); ++k) {
        std::copy_n(theta.data() + chosen[k] * stride + t.offset, area, starts.matrix(k));
        specs.push_back(&specs_[size_t(first) + chosen[k]]);
      }
      starts.cut(specs, layer);
      for (size_t k = 0; k < chosen.size(); ++k)
        std::copy_n(starts.matrix(k), area, theta.data() + chosen[k] * stride + t.offset);
    }
    if (!scaled.empty()) {
      if (!cut.empty()) device_.upload(cohort.theta, theta.data(), theta.size() * sizeof(float));
      DeviceArray<float> effective(device_, size_t(cohort.n_nets) * area);
      device_.run(EffectiveArgs<float>{cohort, recurrent_tensor(layer), effective.data()});
      const std::vector<float> weights = effective.download();
      Starts starts(device_.spectra(), n, scaled.size());
      for (size_t k = 0; k < scaled.size(); ++k) std::copy_n(weights.data() + scaled[k] * area, area, starts.matrix(k));
      const std::vector<double> radius = starts.radii();
      for (size_t k = 0; k < scaled.size(); ++k) {
        const double factor = specs_[size_t(first) + scaled[k]].init.spectral_radius / radius[k];
        float* const w = theta.data() + scaled[k] * stride;
        for (size_t j = t.offset; j < t.offset_ix; ++j) w[j] = float(double(w[j]) * factor);
      }
    }
  }
  if (transplants)
    transplant(device_, signature_, std::span(specs_).subspan(size_t(first), size_t(cohort.n_nets)), theta.data());
  device_.upload(cohort.theta, theta.data(), theta.size() * sizeof(float));
}

DeviceDataset::DeviceDataset(Device& device, const Dataset& host) : view_(host) {
  if (host.pixels) {
    const size_t count = size_t(host.count[0]) + size_t(host.count[1]) + size_t(host.count[2]);
    pixels_ = DeviceArray<uint8_t>(device, std::span(host.pixels, count * size_t(host.rows) * size_t(host.cols)));
    labels_ = DeviceArray<uint8_t>(device, std::span(host.labels, count));
  }
  if (host.tokens) {
    tokens_ = DeviceArray<int32_t>(device, std::span(host.tokens, size_t(host.n_tokens)));
    embeddings_ =
        DeviceArray<float>(device, std::span(host.embeddings, size_t(host.vocabulary) * size_t(host.dimension)));
  }
  view_.pixels = pixels_.data();
  view_.labels = labels_.data();
  view_.tokens = tokens_.data();
  view_.embeddings = embeddings_.data();
}

}  // namespace cohort::engine
