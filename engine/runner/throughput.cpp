#include "runner/throughput.h"

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "runner/decision_network.h"
#include "runner/random_images.h"

namespace cohort::engine {

namespace {

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + ptrdiff_t(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// One product per worker at once, each on its own core: C [m][n] = A [m][k] B [k][n], repeated.
class GemmRace {
 public:
  GemmRace(int workers, int m, int n, int k)
      : m_(m),
        n_(n),
        k_(k),
        repeats_(std::max(1, int(2e9 / flop()))),
        a_(size_t(workers), std::vector<float>(size_t(m) * size_t(k), 0.5f)),
        b_(size_t(workers), std::vector<float>(size_t(k) * size_t(n), 0.25f)),
        c_(size_t(workers), std::vector<float>(size_t(m) * size_t(n))) {}
  double tflops(Device& device) {
    const double seconds = seconds_of([&] {
      device.for_each(int64_t(a_.size()), [&](int64_t w) {
        for (int i = 0; i < repeats_; ++i)
          cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m_, n_, k_, 1, a_[size_t(w)].data(), k_,
                      b_[size_t(w)].data(), n_, 0, c_[size_t(w)].data(), n_);
      });
    });
    return flop() * repeats_ * double(a_.size()) / seconds * 1e-12;
  }

 private:
  double flop() const { return 2.0 * m_ * n_ * k_; }
  int m_, n_, k_, repeats_;
  std::vector<std::vector<float>> a_, b_, c_;
};

std::vector<ResolvedNetwork> networks_of(const ThroughputCase& shape) {
  const auto network = shape.task == TaskId::row_mnist ? row_image_network : decision_network;
  std::vector<ResolvedNetwork> networks(size_t(shape.n_nets), network(shape.signature()));
  for (size_t i = 0; i < networks.size(); ++i) networks[i].spec.seed = i;
  return networks;
}
DeviceDataset upload_random_images(Device& device) {
  const ImageSet images = random_images();
  return DeviceDataset(device, images.view());
}

// Of one network's training step: the readout of a step that no loss counts is not computed.
double flop_of(const Networks& networks) {
  const Signature& whole = networks.signature();
  if (networks.loss_steps(0, networks.size()) != LossSteps::last) return flop_per_step(whole);
  Signature hidden = whole;
  hidden.n_out = 0;
  return flop_per_step(hidden) + (flop_per_step(whole) - flop_per_step(hidden)) / whole.n_steps;
}

}  // namespace

Signature ThroughputCase::signature() const {
  return {
      .n_in = n_in, .n_hidden = n_hidden, .n_out = n_out, .batch = batch, .n_steps = n_steps, .precision = precision};
}

ThroughputCase row_image_case() {
  return {.n_hidden = 100, .batch = 32, .n_steps = 28, .n_in = 28, .n_out = 10, .task = TaskId::row_mnist};
}

ThroughputNetworks::ThroughputNetworks(Device& device, const ThroughputCase& shape)
    : images(shape.task == TaskId::row_mnist ? upload_random_images(device) : DeviceDataset()),
      networks(device, networks_of(shape), images.view()) {}

Throughput measure_throughput(Device& device, const ThroughputCase& wanted) {
  ThroughputCase shape = wanted;
  const int workers = device.info().workers, n_nets = shape.n_nets ? shape.n_nets : 4 * workers;
  shape.n_nets = n_nets;
  const ThroughputNetworks trained(device, shape);
  const Networks& cohort = trained.networks;
  const double flop = flop_of(cohort) * n_nets;
  const auto train = [&](int64_t steps) {
    DeviceArray<float> loss(device, size_t(n_nets) * size_t(steps));
    return seconds_of([&] { device.run(TrainArgs<float>{cohort.view(), steps, loss.data()}); });
  };
  const auto steps_in = [](double seconds, double per_step) {
    return std::max<int64_t>(1, int64_t(seconds / per_step));
  };
  const int64_t trial = steps_in(std::min(0.2, shape.seconds), train(1));
  const double per_step = train(trial) / double(trial);
  const int rounds = int(std::clamp(shape.seconds / per_step, 1.0, 7.0));  // fewer where a step takes long
  const int64_t steps = steps_in(shape.seconds / rounds, per_step);
  const bool cpu = shape.gemm && device.info().backend == "cpu";
  GemmRace big(cpu ? workers : 0, 1024, 1024, 1024),
      small(cpu ? workers : 0, shape.batch, shape.n_hidden, shape.n_hidden);
  std::vector<double> ours, theirs_big, theirs_small;
  for (int r = 0; r < rounds; ++r) {
    if (cpu) theirs_big.push_back(big.tflops(device));
    ours.push_back(double(steps) / train(steps));
    if (cpu) theirs_small.push_back(small.tflops(device));
  }
  Throughput result;
  result.shape = shape;
  result.program = device.training_program(cohort.signature());
  result.net_steps_per_s = median(ours) * n_nets;
  result.tflops = flop * median(ours) * 1e-12;
  if (cpu) result.gemm_tflops = std::max(median(theirs_big), median(theirs_small));
  for (const NetState& state : cohort.states()) result.diverged += state.diverged_at >= 0;
  return result;
}

}  // namespace cohort::engine
