// Operations of the CPU's program over a few networks in host memory.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "cohort/kernels.h"

namespace cohort::testing {

struct Free {
  void operator()(void* p) const { std::free(p); }
};
// Memory for a workspace, filled with what no program should read.
inline std::unique_ptr<void, Free> scratch(size_t bytes) {
  const size_t rounded = (bytes + 256) / 256 * 256;
  void* const memory = std::aligned_alloc(256, rounded);
  std::fill_n(static_cast<unsigned char*>(memory), rounded, (unsigned char)(0x7f));
  return std::unique_ptr<void, Free>(memory);
}

// All networks of args' cohort by one operation of a program.
template <class Args>
void operate(const Args& args, size_t (*workspace)(const Args&, int32_t),
             void (*operation)(const Args&, const Launch&)) {
  const size_t bytes = workspace(args, 1);
  const auto memory = scratch(bytes);
  operation(args, {0, args.cohort.n_nets, memory.get(), bytes, nullptr});
}

// A cohort at its start.
template <class Real>
class Networks {
 public:
  Networks(const Signature& g, std::vector<NetSpec> nets)
      : program(*cpu_program<Real>(CoreId::recurrent)),
        nets_(std::move(nets)),
        state_(nets_.size()),
        theta(nets_.size() * n_params(g)) {
    cohort.signature = g;
    cohort.n_nets = int32_t(nets_.size());
    cohort.nets = nets_.data();
    cohort.state = state_.data();
    cohort.theta = theta.data();
    operate(InitArgs<Real>{cohort}, program.init_workspace, program.init);
  }
  const Program<Real>& program;

 private:
  std::vector<NetSpec> nets_;
  std::vector<NetState> state_;

 public:
  std::vector<Real> theta;
  Cohort<Real> cohort;

  // Kernels now = at theta, start = at theta_start.
  std::vector<TangentSums> tangent(int tensor, int trials, const std::vector<Real>& theta_start, TangentForm form,
                                   LossSteps loss_steps = LossSteps::all) const {
    std::vector<TangentSums> sums(nets_.size());
    operate(TangentArgs<Real>{cohort, theta_start.data(), trials, tensor, sums.data(), loss_steps, form},
            program.tangent_workspace, program.tangent);
    return sums;
  }
};

}  // namespace cohort::testing
