// All cores, one network per core at a time.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "cohort/error.h"
#include "device/cpu_spectra.h"
#include "device/device.h"
#include "device/parallel.h"
#include "device/same_data.h"

namespace cohort::engine {

namespace {

constexpr size_t kAlignment = 256, kHugePage = 2 << 20;

// Large arrays are asked for in huge pages: products walk down their rows, each on a page of its own.
void* aligned_zeros(size_t bytes) {
  const size_t alignment = bytes < kHugePage ? kAlignment : kHugePage;
  const size_t rounded = (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (!memory) throw std::bad_alloc();
  if (bytes >= kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);  // a wish
  return std::memset(memory, 0, rounded);
}

size_t physical_memory() { return size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGE_SIZE)); }

class CpuDevice final : public Device {
 public:
  CpuDevice(int threads, const std::string& isa, bool emulate_precision)
      : emulates_(emulate_precision), spectra_(threads > 0 ? threads : available_cores()) {
    const Program<float>* const recurrent = cpu_program<float>(CoreId::recurrent, isa.c_str());
    if (!recurrent)
      throw Error("this processor cannot run the instruction set '" + (isa.empty() ? std::string("x86-64-v2") : isa) +
                  "'");
    normality_ = cpu_normality(recurrent->isa);
    info_.backend = "cpu";
    info_.name = "cpu";
    isa_ = recurrent->isa;
    info_.isa = isa_ + std::string(emulates_ ? ", precision emulated" : "");
    info_.workers = threads > 0 ? threads : available_cores();
    info_.memory_bytes = physical_memory() / 2;
    scratch_.resize(size_t(info_.workers));
  }
  ~CpuDevice() override { release_scratch(); }
  const Info& info() const override { return info_; }

  void* allocate(size_t bytes) override { return aligned_zeros(bytes); }
  void release(void* memory) noexcept override { std::free(memory); }
  void upload(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }

  void run(const InitArgs<float>& a) override { each(a, &Program<float>::init_workspace, &Program<float>::init); }
  void run(const TrainArgs<float>& a) override {
    refuse_precision(a.cohort.signature);
    each_group(a, &Program<float>::train_workspace, &Program<float>::train);
  }
  void run(const EvaluateArgs<float>& a) override {
    each_group(a, &Program<float>::evaluate_workspace, &Program<float>::evaluate);
  }
  void run(const ProbeArgs<float>& a) override { each(a, &Program<float>::probe_workspace, &Program<float>::probe); }
  void run(const TangentArgs<float>& a) override {
    each(a, &Program<float>::tangent_workspace, &Program<float>::tangent);
  }
  void run(const AlignmentArgs<float>& a) override {
    each(a, &Program<float>::alignment_workspace, &Program<float>::alignment);
  }
  void run(const EffectiveArgs<float>& a) override {
    each(a, &Program<float>::effective_workspace, &Program<float>::effective);
  }
  void run(const DualChangeArgs& a) override {
    each(a, a.n_nets, normality_->dual_change_workspace(a, 1), normality_->dual_change);
  }
  void run(const LogWeightsArgs& a) override {
    each(a, a.n_nets, normality_->log_weights_workspace(a, 1), normality_->log_weights);
  }

  std::string training_program(const Signature& signature) const override {
    refuse_precision(signature);
    return program(signature).name;
  }
  size_t train_workspace(const TrainArgs<float>& a, int count) const override {
    const Program<float>& row = program(a.cohort.signature);
    const int most = row.together ? std::min(count, int(networks_per_group(count, info_.workers))) : 1;
    return row.train_workspace(a, most) * size_t(std::min(count, info_.workers));
  }
  size_t tangent_workspace(const TangentArgs<float>& a, int count) const override {
    return program(a.cohort.signature).tangent_workspace(a, 1) * size_t(std::min(count, info_.workers));
  }

  size_t dual_change_workspace(const DualChangeArgs& a, int count) const override {
    return normality_->dual_change_workspace(a, 1) * size_t(std::min(count, info_.workers));
  }

  void release_scratch() noexcept override {
    for (Scratch& s : scratch_) std::free(std::exchange(s, {}).memory);
  }

  Spectra& spectra() override { return spectra_; }
  std::optional<UpdateBandwidth> update_bandwidth(const UpdateBandwidthCase&) override { return std::nullopt; }
  void for_each(int64_t count, const std::function<void(int64_t)>& body) override {
    parallel_for(info_.workers, count, [&](int64_t i, int) { body(i); });
  }

 private:
  const Program<float>& program(const Signature& signature) const {
    const Program<float>* const found =
        emulates_ ? cpu_rounding_program(signature.core, isa_.c_str()) : cpu_program<float>(signature, isa_.c_str());
    if (!found)
      throw Error(std::string("network.core = \"") + cohort::info(signature.core).name +
                  "\" has no program with emulated precision; allowed: recurrent");
    return *found;
  }
  void refuse_precision(const Signature& signature) const {
    if (signature.precision != Precision::fp32 && !emulates_)
      throw Error(
          std::string("train.precision is '") + cohort::info(signature.precision).name +
          "'; the CPU trains in fp32; allowed here: fp32, or --emulate-precision (slow, rounds as a card would)");
  }

  struct Scratch {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  template <class Args>
  void each(const Args& args, size_t (*Program<float>::*workspace)(const Args&, int32_t),
            void (*Program<float>::*operation)(const Args&, const Launch&)) {
    const Program<float>& row = program(args.cohort.signature);
    each(args, args.cohort.n_nets, (row.*workspace)(args, 1), row.*operation);
  }
  // operation(args, launch) for one network after another, in `bytes` of scratch memory.
  template <class Args>
  void each(const Args& args, int32_t n_nets, size_t bytes, void (*operation)(const Args&, const Launch&)) {
    parallel_for(info_.workers, n_nets, [&](int64_t i, int worker) {
      const Scratch& s = scratch(worker, bytes);
      operation(args, {int32_t(i), 1, s.memory, s.bytes, nullptr});
    });
  }
  // The same, but networks of equal data together where the program is the better for it.
  template <class Args>
  void each_group(const Args& args, size_t (*Program<float>::*workspace)(const Args&, int32_t),
                  void (*Program<float>::*operation)(const Args&, const Launch&)) {
    const Program<float>& row = program(args.cohort.signature);
    if (!row.together) return each(args, workspace, operation);
    const size_t n = size_t(args.cohort.n_nets);
    const auto groups =
        same_data({args.cohort.nets, n}, {args.cohort.state, n}, networks_per_group(args.cohort.n_nets, info_.workers));
    parallel_for(info_.workers, int64_t(groups.size()), [&](int64_t i, int worker) {
      const std::vector<int32_t>& group = groups[size_t(i)];
      const Scratch& s = scratch(worker, (row.*workspace)(args, int32_t(group.size())));
      (row.*operation)(args, {0, int32_t(group.size()), s.memory, s.bytes, nullptr, group.data()});
    });
  }
  // A worker's own memory, touched by itself first, so that the pages are near it.
  const Scratch& scratch(int worker, size_t bytes) {
    Scratch& s = scratch_[size_t(worker)];
    if (s.bytes < bytes) {
      std::free(std::exchange(s, {}).memory);
      s.memory = aligned_zeros(bytes);
      s.bytes = bytes;
    }
    return s;
  }

  Info info_;
  bool emulates_;
  std::string isa_;
  const NormalityProgram* normality_ = nullptr;
  CpuSpectra spectra_;
  std::vector<Scratch> scratch_;
};

}  // namespace

std::unique_ptr<Device> open_cpu_device(int threads, const std::string& isa, bool emulate_precision) {
  return std::make_unique<CpuDevice>(threads, isa, emulate_precision);
}

}  // namespace cohort::engine
