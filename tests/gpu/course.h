// The life of a cohort on one backend: every operation, and what it leaves behind; and comparisons of two such lives.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "gpu/backend.h"
#include "gpu/networks.h"

namespace cohort::testing {

// Both backends add the same numbers in other orders: n terms differ by about sqrt(n) eps, n < 1000 here, and the steps
// of training multiply that by some tens. 4096 eps is 1e-12 in double and 5e-4 in float, relative to the largest number
// of a network's result. CUDA's elementary functions are those of the CPU to a few ulps; in the emulator they are the
// same.
template <class Real>
inline constexpr double tolerance = 4096 * double(std::numeric_limits<Real>::epsilon());

struct Plan {
  int train = 3, train_again = 2, trials = 7, tangent_trials = 3;
  bool mask = true, tangent = true;
  int n_workspaces = 0;  // 0: as many as the program asks for
  int split = 0;         // > 0: networks before it in one launch, the others in another
};

// For programs that do nothing themselves but training.
inline Plan training_plan() {
  Plan plan;
  plan.tangent = false;
  plan.trials = 3;
  return plan;
}

// Everything that the operations leave behind, by name: [n_nets][...].
using Results = std::map<std::string, std::vector<double>>;

// The life of a cohort on one backend: every operation once or twice.
template <class Real>
class Course {
 public:
  Course(const Program<Real>& program, Where where, const Signature& g, std::vector<NetSpec> nets, const Plan& plan,
         Images images = Images(12))
      : Course(program, where, g, std::move(nets), plan, images, Text(g, 12)) {}
  // Twelve images or windows of a text.
  Course(const Program<Real>& program, Where where, const Signature& g, std::vector<NetSpec> nets, const Plan& plan,
         const Images& images, const Text& text)
      : program_(program),
        where_(where),
        plan_(plan),
        count_(int32_t(nets.size())),
        g_(g),
        size_(n_params(g)),
        nets_(where, std::move(nets)),
        state_(where, size_t(count_)),
        theta_(where, size_t(count_) * size_),
        momentum_(where, size_t(count_) * size_),
        second_moment_(where, std::vector<Real>(size_t(count_) * size_)),  // written where a rule has Adam
        mask_(where, plan.mask ? size_t(count_) * size_ : 0),
        pixels_(where, images.pixels),
        labels_(where, images.labels),
        tokens_(where, text.tokens),
        embeddings_(where, text.embeddings) {
    cohort_ = {.signature = g,
               .n_nets = count_,
               .nets = nets_.data(),
               .state = state_.data(),
               .theta = theta_.data(),
               .momentum = momentum_.data(),
               .second_moment = second_moment_.data(),
               .mask = mask_.data(),
               .data = {pixels_.data(),
                        labels_.data(),
                        images.rows,
                        images.cols,
                        {0, 8, 10},
                        {8, 2, 2},
                        tokens_.data(),
                        embeddings_.data(),
                        int64_t(tokens_.size()),
                        g.n_out,
                        g.n_in}};
  }

  Results operator()() {
    call(InitArgs<Real>{cohort_}, program_.init_workspace, program_.init);
    const std::vector<Real> start = keep("start", theta_);
    const std::vector<Real> hidden_start = probe("hidden at the start");
    if (plan_.mask) keep("mask", mask_);
    train("first", plan_.train);
    train("second", plan_.train_again);
    evaluate();
    align(hidden_start, probe("hidden"));
    for (int k = 0; k < n_tensors(g_); ++k)
      if (is_weights(tensor(g_, k).role) && tensor(g_, k).size() > 0) {
        effective(k);
        if (!plan_.tangent) continue;
        tangent(k, start, TangentForm::factored);
        tangent(k, start, TangentForm::columns);
        tangent(k, start, TangentForm::cheaper);
      }
    return std::move(results_);
  }

 private:
  template <class Args>
  void call(const Args& args, size_t (*workspace)(const Args&, int32_t),
            void (*operation)(const Args&, const Launch&)) {
    const size_t bytes =
        plan_.n_workspaces > 0 ? size_t(plan_.n_workspaces) * workspace(args, 1) : workspace(args, count_);
    const Scratch scratch(where_, bytes);
    operation(args, {0, plan_.split, scratch.data(), scratch.bytes(), nullptr});
    operation(args, {plan_.split, count_ - plan_.split, scratch.data(), scratch.bytes(), nullptr});
    if (where_ == Where::device) gpu::check(cudaDeviceSynchronize(), "operation");
  }
  template <class T>
  std::vector<T> keep(const std::string& name, Buffer<T>& buffer) {
    const std::vector<T> values = buffer.values();
    results_[name].assign(values.begin(), values.end());
    return values;
  }

  void train(const std::string& name, int steps) {
    Buffer<Real> loss(where_, std::vector<Real>(size_t(count_) * size_t(steps), Real(-1)));
    call(TrainArgs<Real>{cohort_, steps, loss.data()}, program_.train_workspace, program_.train);
    keep(name + " loss", loss);
    keep(name + " theta", theta_);
    keep(name + " momentum", momentum_);
    keep(name + " second moment", second_moment_);
    for (const NetState& s : state_.values()) {
      results_[name + " step"].push_back(double(s.step));
      results_[name + " diverged_at"].push_back(double(s.diverged_at));
      results_[name + " overflowed_at"].push_back(double(s.overflowed_at));
    }
  }
  void evaluate() {
    for (const Split split : {Split::validation, Split::test}) {
      const std::string name = split == Split::test ? "test" : "validation";
      Buffer<double> loss(where_, size_t(count_)), accuracy(where_, size_t(count_));
      call(EvaluateArgs<Real>{cohort_, plan_.trials, split, loss.data(), accuracy.data()}, program_.evaluate_workspace,
           program_.evaluate);
      keep(name + " loss", loss);
      keep(name + " accuracy", accuracy);
    }
  }
  std::vector<Real> probe(const std::string& name) {
    Buffer<Real> hidden(where_, size_t(count_) * size_t(g_.n_layers) * size_t(plan_.trials) * size_t(g_.n_hidden));
    call(ProbeArgs<Real>{cohort_, plan_.trials, hidden.data()}, program_.probe_workspace, program_.probe);
    return keep(name, hidden);
  }
  void align(const std::vector<Real>& start, const std::vector<Real>& now) {
    Buffer<Real> hidden_start(where_, start), hidden(where_, now);
    Buffer<GramSums> uncentred(where_, size_t(count_)), centred(where_, size_t(count_));
    for (int layer = 0; layer < g_.n_layers; ++layer) {
      call(AlignmentArgs<Real>{cohort_, plan_.trials, layer, hidden.data(), hidden_start.data(), uncentred.data(),
                               centred.data()},
           program_.alignment_workspace, program_.alignment);
      for (auto* sums : {&uncentred, &centred}) {
        std::vector<double>& to = results_[std::string("grams of layer ") + std::to_string(layer) +
                                           (sums == &centred ? " centred" : " uncentred")];
        for (const GramSums& s : sums->values()) to.insert(to.end(), {s.xy, s.xx, s.yy});
      }
    }
  }
  void effective(int k) {
    const Tensor t = tensor(g_, k);
    Buffer<Real> weights(where_, size_t(count_) * size_t(t.rows) * size_t(t.cols));
    call(EffectiveArgs<Real>{cohort_, k, weights.data()}, program_.effective_workspace, program_.effective);
    keep("effective " + std::to_string(k), weights);
  }
  void tangent(int k, const std::vector<Real>& start, TangentForm form) {
    Buffer<Real> theta_start(where_, start);
    Buffer<TangentSums> sums(where_, size_t(count_));
    call(TangentArgs<Real>{cohort_, theta_start.data(), plan_.tangent_trials, k, sums.data(), LossSteps::all, form},
         program_.tangent_workspace, program_.tangent);
    const std::string name = "tangent " + std::to_string(k) + " form " + std::to_string(int(form)) + " ";
    for (const TangentSums& s : sums.values()) {
      results_[name + "now_start"].push_back(s.now_start);
      results_[name + "now_now"].push_back(s.now_now);
      results_[name + "start_start"].push_back(s.start_start);
      results_[name + "target_now"].push_back(s.target_now);
      results_[name + "target_start"].push_back(s.target_start);
      results_[name + "target_target"].push_back(s.target_target);
    }
  }

  const Program<Real>& program_;
  Where where_;
  Plan plan_;
  int32_t count_;
  Signature g_;
  size_t size_;
  Buffer<NetSpec> nets_;
  Buffer<NetState> state_;
  Buffer<Real> theta_, momentum_, second_moment_;
  Buffer<uint8_t> mask_;
  Buffer<uint8_t> pixels_, labels_;
  Buffer<int32_t> tokens_;
  Buffer<float> embeddings_;
  Cohort<Real> cohort_;
  Results results_;
};

// The largest number of a network's result. A sum over tangent kernels is measured against what Cauchy and Schwarz
// allow: it may be nearly 0 itself.
inline double scale_of(const std::string& name, const Results& r, size_t first, size_t last) {
  double largest = 0;
  const std::vector<double>& values = r.at(name);
  for (size_t i = first; i < last; ++i)
    if (std::isfinite(values[i])) largest = std::max(largest, std::abs(values[i]));
  if (!name.starts_with("tangent")) return largest;
  const std::string all = name.substr(0, name.rfind(' ') + 1);
  const double now = std::sqrt(r.at(all + "now_now")[first]), start = std::sqrt(r.at(all + "start_start")[first]);
  const double targets = r.at(all + "target_target")[first];
  const double allowed = name.ends_with("now_start")      ? now * start
                         : name.ends_with("target_now")   ? now * targets
                         : name.ends_with("target_start") ? start * targets
                                                          : largest;
  return std::isfinite(allowed) ? allowed : largest;
}

inline void expect_near(const Results& expected, const Results& got, size_t count, double relative) {
  ASSERT_EQ(expected.size(), got.size());
  for (const auto& [name, values] : expected) {
    SCOPED_TRACE(name);
    const std::vector<double>& other = got.at(name);
    ASSERT_EQ(values.size(), other.size());
    const size_t each = values.size() / count;
    for (size_t net = 0; net < count; ++net) {
      const double scale = scale_of(name, expected, net * each, (net + 1) * each);
      for (size_t i = net * each; i < (net + 1) * each; ++i) {
        if (std::isnan(values[i]) || std::isinf(values[i])) {
          ASSERT_EQ(std::isfinite(other[i]), false) << "network " << net << ", element " << i - net * each;
          continue;
        }
        ASSERT_NEAR(values[i], other[i], relative * scale) << "network " << net << ", element " << i - net * each;
      }
    }
  }
}

// Bit for bit.
inline void expect_same(const Results& expected, const Results& got) {
  ASSERT_EQ(expected.size(), got.size());
  for (const auto& [name, values] : expected) {
    const std::vector<double>& other = got.at(name);
    ASSERT_EQ(values.size(), other.size()) << name;
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(std::memcmp(&values[i], &other[i], sizeof(double)), 0)
          << name << ", element " << i << ": " << values[i] << " and " << other[i];
  }
}

// Results of network i alone out of those of `count`.
inline Results part(const Results& all, size_t i, size_t count) {
  Results one;
  for (const auto& [name, values] : all) {
    const auto each = std::ptrdiff_t(values.size() / count);
    one[name].assign(values.begin() + std::ptrdiff_t(i) * each, values.begin() + (std::ptrdiff_t(i) + 1) * each);
  }
  return one;
}

}  // namespace cohort::testing
