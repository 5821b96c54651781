// Gradients of one batch at the start, and how far they are from those of double precision.
#pragma once

#include "gpu/course.h"

namespace cohort::testing {

// Gradients of one batch at the start, [n_params]: what the first step leaves in the momentum.
template <class Real>
std::vector<Real> gradient(const Program<Real>& program, Where where, const Signature& g, const NetSpec& net,
                           const std::vector<Real>& theta, NetState* after = nullptr) {
  Buffer<NetSpec> nets(where, std::vector<NetSpec>{net});
  Buffer<NetState> state(where, 1);
  Buffer<Real> weights(where, theta), momentum(where, theta.size()), loss(where, 1);
  TrainArgs<Real> args{{.signature = g,
                        .n_nets = 1,
                        .nets = nets.data(),
                        .state = state.data(),
                        .theta = weights.data(),
                        .momentum = momentum.data(),
                        .mask = nullptr,
                        .data = {}},
                       1,
                       loss.data()};
  const Scratch scratch(where, program.train_workspace(args, 1));
  program.train(args, {0, 1, scratch.data(), scratch.bytes(), nullptr});
  if (where == Where::device) gpu::check(cudaDeviceSynchronize(), "training");
  if (after) *after = state.values()[0];
  return momentum.values();
}

// Decisions without noise in the inputs, which would differ by their own rounding.
inline NetSpec decision_network(const TaskSpec& task, ActivationId activation, double gain) {
  NetSpec net;
  net.seed = 5;
  net.activation = activation;
  net.task = task;
  net.task.param[1] = 0;
  net.init.gain = gain;
  for (RuleSpec& rule : net.rule) rule.weight_decay = rule.clip = 0;
  return net;
}

inline std::vector<float> start_of(const Signature& g, const NetSpec& net) {
  std::vector<float> theta(n_params(g));
  std::vector<NetState> state(1);
  const Cohort<float> start{.signature = g,
                            .n_nets = 1,
                            .nets = &net,
                            .state = state.data(),
                            .theta = theta.data(),
                            .momentum = nullptr,
                            .mask = nullptr,
                            .data = {}};
  cpu_program<float>(CoreId::recurrent)->init({start}, {0, 1, nullptr, 0, nullptr});
  return theta;
}

// Of each tensor, the norm of the difference by the norm of what is expected.
template <class Real>
std::vector<double> relative_errors(const Signature& g, const std::vector<float>& got,
                                    const std::vector<Real>& expected) {
  std::vector<double> errors;
  for (int k = 0; k < n_tensors(g); ++k) {
    const Tensor t = tensor(g, k);
    double difference = 0, norm = 0;
    for (size_t i = t.offset; i < t.end; ++i) {
      difference += std::pow(double(got[i]) - double(expected[i]), 2);
      norm += double(expected[i]) * double(expected[i]);
    }
    EXPECT_GT(norm, 0) << "tensor " << k;
    errors.push_back(std::sqrt(difference / norm));
  }
  return errors;
}

// Of a program, relative to double.
inline std::vector<double> gradient_errors(const Program<float>& program, Where where, const Signature& g,
                                           const NetSpec& net) {
  const std::vector<float> theta = start_of(g, net);
  const std::vector<double> expected =
      gradient<double>(*cpu_program<double>(CoreId::recurrent), Where::host, g, net, {theta.begin(), theta.end()});
  return relative_errors(g, gradient<float>(program, where, g, net, theta), expected);
}

}  // namespace cohort::testing
