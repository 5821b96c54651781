// The networks of one launch in a device's memory.
#pragma once

#include <span>
#include <vector>

#include "config/experiment.h"
#include "device/device_array.h"

namespace cohort::engine {

class Networks {
 public:
  // All of one signature. `data` is the device's view of the data set, empty where no task needs one. The networks
  // stand at their starts afterwards: drawn, cut to their rank, scaled to their radius, given other spectra; or, where
  // `loaded` has one, at that start [n_params] each, in memory that outlives this.
  Networks(Device& device, std::span<const ResolvedNetwork> networks, const Dataset& data,
           std::vector<const float*> loaded = {});

  int size() const { return int(specs_.size()); }
  const Signature& signature() const { return signature_; }
  const NetSpec& spec(int i) const { return specs_[size_t(i)]; }

  // `last` where the loss of each of [first, first + count) counts the last step only, else `all`.
  LossSteps loss_steps(int first, int count) const {
    for (int i = first; i < first + count; ++i)
      if (spec(i).task.loss_steps != LossSteps::last) return LossSteps::all;
    return LossSteps::last;
  }

  // Networks [first, first + count) as arguments of the operations.
  Cohort<float> view() const { return view(0, size()); }
  Cohort<float> view(int first, int count) const;
  // The same networks back at their starts, in parameters of their own: what learning is compared with.
  DeviceArray<float> start(int first, int count) const;
  std::vector<NetState> states() const { return state_.download(); }

 private:
  void draw(Cohort<float> cohort, int first) const;

  Device& device_;
  Signature signature_;
  Dataset data_;
  std::vector<NetSpec> specs_;
  std::vector<const float*> loaded_;  // empty: all starts are drawn
  DeviceArray<NetSpec> nets_;
  DeviceArray<NetState> state_;
  DeviceArray<float> theta_, momentum_, second_moment_;  // the last one only where a rule has Adam
  DeviceArray<uint8_t> mask_;
};

// A data set in a device's memory; whatever it holds is uploaded once.
class DeviceDataset {
 public:
  DeviceDataset() = default;
  DeviceDataset(Device& device, const Dataset& host);
  const Dataset& view() const { return view_; }

 private:
  DeviceArray<uint8_t> pixels_, labels_;
  DeviceArray<int32_t> tokens_;
  DeviceArray<float> embeddings_;
  Dataset view_;
};

}  // namespace cohort::engine
