// Rich and lazy learning of a two-layer linear network f(x) = w2^T W1 x, teacher beta^T x, whitened inputs, gradient
// descent from a small start: the tangent kernel Theta = W1^T W1 + |w2|^2 I ends proportional to I + b b^T, b = beta/|beta|,
// so its alignment with the start is a function of M = W1(0)^T W1(0)/|W1(0)|_F^2 alone:
//   A  w2(0) = 0             KA = (1 + b^T M b) / (|M|_F sqrt(d + 3))
//   B  |w2(0)| = |W1(0)|_F   KA = (d + 2 + b^T M b) / sqrt((|M|_F^2 + 2 + d) (d + 3))
//   C  W1(0) = sigma u b^T, w2(0) = sigma u   KA = 1 for any sigma
// The network is a cohort network of one time step, trained in double by the programs' own gradients and updates.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

#include "alignment/operate.h"
#include "alignment/tangent_columns.h"
#include "team/serial.h"

namespace cohort {
namespace {

constexpr int d = 20, h = 20;
const Signature signature = {CoreId::recurrent, d, h, 1, 1, 0, d, 1, 0};
const Tensor input = tensor(signature, input_tensor(0)), readout = tensor(signature, readout_tensor(signature));

using Vector = std::vector<double>;
struct Matrix {  // [h][d] or [d][d], row-major
  Vector v = Vector(size_t(d) * d);
  double& operator()(int r, int c) { return v[size_t(r * d + c)]; }
  double operator()(int r, int c) const { return v[size_t(r * d + c)]; }
};
static_assert(d == h);

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double normal() {
    const double u = (double(engine_() >> 11) + .5) * 0x1p-53, v = double(engine_() >> 11) * 0x1p-53;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }
  Vector direction() {
    Vector out(static_cast<size_t>(d));
    double square = 0;
    for (double& x : out) x = normal(), square += x * x;
    for (double& x : out) x /= std::sqrt(square);
    return out;
  }
  Matrix gaussian() {
    Matrix out;
    for (double& x : out.v) x = normal();
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
Matrix gram(const Matrix& w) {  // W^T W
  Matrix out;
  for (int r = 0; r < h; ++r)
    for (int i = 0; i < d; ++i)
      for (int j = 0; j < d; ++j) out(i, j) += w(r, i) * w(r, j);
  return out;
}

// The best approximation of rank r of a square matrix, with all its singular values set to 1 if `equal`: one-sided Jacobi,
// A V = U S.
Matrix of_rank(const Matrix& matrix, int r, bool equal) {
  Matrix a = matrix, v;
  for (int i = 0; i < d; ++i) v(i, i) = 1;
  for (int sweep = 0; sweep < 40; ++sweep)
    for (int p = 0; p < d; ++p)
      for (int q = p + 1; q < d; ++q) {
        double pp = 0, qq = 0, pq = 0;
        for (int i = 0; i < h; ++i) pp += a(i, p) * a(i, p), qq += a(i, q) * a(i, q), pq += a(i, p) * a(i, q);
        if (std::abs(pq) < 1e-300) continue;
        const double angle = .5 * std::atan2(2 * pq, pp - qq), c = std::cos(angle), s = std::sin(angle);
        for (Matrix* m : {&a, &v})
          for (int i = 0; i < d; ++i) {
            const double x = (*m)(i, p), y = (*m)(i, q);
            (*m)(i, p) = c * x + s * y;
            (*m)(i, q) = c * y - s * x;
          }
      }
  std::vector<std::pair<double, int>> values;
  for (int k = 0; k < d; ++k) {
    double square = 0;
    for (int i = 0; i < h; ++i) square += a(i, k) * a(i, k);
    values.emplace_back(-std::sqrt(square), k);
  }
  std::sort(values.begin(), values.end());
  Matrix out;
  for (int n = 0; n < r; ++n) {
    const auto [minus, k] = values[size_t(n)];
    for (int i = 0; i < h; ++i)
      for (int j = 0; j < d; ++j) out(i, j) += a(i, k) * v(j, k) / (equal ? -minus : 1);
  }
  return out;
}

struct Network {
  Matrix w1;
  Vector w2 = Vector(static_cast<size_t>(h));
  void scale_w1(double norm) {
    const double now = std::sqrt(dot(w1.v, w1.v));
    for (double& x : w1.v) x *= norm / now;
  }
  Matrix kernel() const {
    Matrix theta = gram(w1);
    for (int i = 0; i < d; ++i) theta(i, i) += dot(w2, w2);
    return theta;
  }
};

NetSpec spec_of(double lr) {
  NetSpec spec;
  spec.activation = ActivationId::linear;
  spec.task.loss = LossId::mse;
  for (RuleSpec& rule : spec.rule) {
    rule.lr = lr;
    rule.momentum = 0;
  }
  return spec;
}
Vector theta_of(const Network& network) {
  Vector theta(n_params(signature), 0.0);
  std::copy(network.w1.v.begin(), network.w1.v.end(), theta.begin() + ptrdiff_t(input.offset));
  std::copy(network.w2.begin(), network.w2.end(), theta.begin() + ptrdiff_t(readout.offset));
  return theta;
}
// d inputs sqrt(d) e_i: their mean square is the identity.
void fill(const Batch<double>& batch, const Vector& beta) {
  for (int r = 0; r < d; ++r) {
    for (int i = 0; i < d; ++i) batch.x[r * d + i] = i == r ? std::sqrt(double(d)) : 0;
    batch.target[r] = std::sqrt(double(d)) * beta[size_t(r)];
    batch.weight[r] = 1;
  }
}

// Gradient descent until the loss |w2^T W1 - beta|^2 is rounding.
Network trained(const Network& start, const Vector& beta) {
  const SerialTeam team;
  Vector theta = theta_of(start), momentum(theta.size());
  const NetSpec spec = spec_of(.05);
  NetState state;
  Cohort<double> cohort;
  cohort.signature = signature;
  cohort.n_nets = 1;
  cohort.nets = &spec;
  cohort.state = &state;
  cohort.theta = theta.data();
  cohort.momentum = momentum.data();
  const cohort::Network<double> net(cohort, 0);
  Arena measure(nullptr);
  Workspace<double>::carve<SerialTeam>(measure, signature, d, Purpose::learning);
  const auto memory = testing::scratch(measure.used());
  Arena arena(memory.get());
  const auto w = Workspace<double>::carve<SerialTeam>(arena, signature, d, Purpose::learning);
  clear_weights(team, w);
  double loss = 1;
  for (int64_t step = 0; step < 20000 && loss > 1e-28; ++step) {
    fill(w.batch, beta);
    loss = loss_and_gradient(team, signature, net, false, d, w, false, uint64_t(step));
    EXPECT_TRUE(update(team, signature, net, step, w.gradient));
  }
  EXPECT_LT(loss, 1e-26);
  Network out;
  std::copy_n(theta.begin() + ptrdiff_t(input.offset), h * d, out.w1.v.begin());
  std::copy_n(theta.begin() + ptrdiff_t(readout.offset), h, out.w2.begin());
  return out;
}

double cosine(const Vector& a, const Vector& b) { return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b)); }

enum class Start { a, b };
double closed_form(Start start, const Matrix& w1, const Vector& beta) {
  const Matrix m = gram(w1);
  const double trace = dot(w1.v, w1.v), norm2 = dot(m.v, m.v) / (trace * trace);
  double bmb = 0;
  for (int i = 0; i < d; ++i)
    for (int j = 0; j < d; ++j) bmb += beta[size_t(i)] * m(i, j) * beta[size_t(j)] / trace;
  return start == Start::a ? (1 + bmb) / std::sqrt(norm2 * (d + 3))
                           : (d + 2 + bmb) / std::sqrt((norm2 + 2 + d) * (d + 3));
}

struct Outcome {
  double mean = 0, error = 0;  // of the alignments of trained networks, and of their mean
  double furthest = 0;         // from the closed form
};
Outcome outcome(Start start, int rank, bool equal, double sigma, int seeds) {
  Outcome out;
  double squares = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    Random random(uint64_t(1000 * rank + seed));
    const Vector beta = random.direction();
    Network network;
    network.w1 = of_rank(random.gaussian(), rank, equal);
    network.scale_w1(sigma);
    if (start == Start::b) {
      network.w2 = random.direction();
      for (double& x : network.w2) x *= sigma;
    }
    const double ka = cosine(network.kernel().v, trained(network, beta).kernel().v);
    out.mean += ka / seeds;
    squares += ka * ka / seeds;
    out.furthest = std::max(out.furthest, std::abs(ka - closed_form(start, network.w1, beta)));
  }
  out.error = std::sqrt(std::max(0.0, squares - out.mean * out.mean) / (seeds - 1));
  return out;
}

constexpr int ranks[] = {1, 2, 5, 10, 20};
// Over teachers and starts; equal: of all singular values, else a truncated Gaussian, which gives less. sigma = .01 is small
// enough for 1e-5; the distance from the closed form goes with sigma^2.
TEST(TwoLayers, alignment_is_the_closed_form_of_the_start_and_rises_with_rank) {
  constexpr int seeds = 100;
  constexpr double expected[2][5] = {{.2189, .3096, .4896, .6923, .9791}, {.9587, .9693, .9758, .9780, .9791}};
  for (const Start start : {Start::a, Start::b})
    for (const bool equal : {true, false})
      for (int i = 0; i < 5; ++i) {
        const Outcome o = outcome(start, ranks[i], equal, .01, seeds),
                      closer = outcome(start, ranks[i], equal, .001, 5);
        std::printf("%s, %s, rank %2d: %.4f +- %.4f; from the closed form %.1e, at sigma = .001 %.1e\n",
                    start == Start::a ? "A" : "B", equal ? "equal" : "truncated", ranks[i], o.mean, o.error, o.furthest,
                    closer.furthest);
        EXPECT_LT(o.furthest, 1e-5);
        EXPECT_LT(closer.furthest, 1e-7);
        if (equal) {
          EXPECT_NEAR(o.mean, expected[int(start)][i], 4 * o.error + .00005 + 1e-5);
        } else if (start == Start::a && ranks[i] >= 10) {  // single draws are known: .630 and .678
          const double one = std::sqrt(1.0 + seeds) * o.error;
          EXPECT_NEAR(o.mean, ranks[i] == 10 ? .630 : .678, 3 * one);
        }
      }
}

// Low rank, yet lazy.
TEST(TwoLayers, an_aligned_start_of_rank_one_keeps_its_kernel) {
  for (const double sigma : {.01, .1, 1.0, 2.0}) {
    Random random(7);
    const Vector beta = random.direction(), u = random.direction();
    Network network;
    for (int i = 0; i < h; ++i) {
      network.w2[size_t(i)] = sigma * u[size_t(i)];
      for (int j = 0; j < d; ++j) network.w1(i, j) = sigma * u[size_t(i)] * beta[size_t(j)];
    }
    EXPECT_NEAR(cosine(network.kernel().v, trained(network, beta).kernel().v), 1, 1e-12) << sigma;
  }
}

// Theta is the programs' own tangent kernel: that of the input weights plus that of the readout.
TEST(TwoLayers, the_kernel_is_the_sum_of_both_tensors_tangent_kernels) {
  const SerialTeam team;
  const NetSpec spec = spec_of(.05);
  Random random(11);
  const Vector beta = random.direction();
  Network start;
  start.w1 = of_rank(random.gaussian(), 2, true);
  start.scale_w1(.01);
  Vector kernels[2];
  const Network networks[2] = {trained(start, beta), start};
  for (int when = 0; when < 2; ++when) {
    Vector theta = theta_of(networks[when]);
    Vector& sum = kernels[when];
    sum.assign(size_t(d) * d, 0.0);
    for (const Tensor& t : {input, readout}) {
      const TangentRows rows(signature, LossSteps::all, t);
      Arena measure(nullptr);
      ColumnsTangent<double>::carve<SerialTeam>(measure, signature, d, t, rows);
      const auto memory = testing::scratch(measure.used());
      Arena arena(memory.get());
      const auto w = ColumnsTangent<double>::carve<SerialTeam>(arena, signature, d, t, rows);
      clear_weights(team, w.passes.forward);
      fill(w.passes.forward.batch, beta);
      tangent_kernel(team, signature, spec, theta.data(), t, rows, d, w, w.kernel[0]);
      for (int i = 0; i < d; ++i)
        for (int j = 0; j < d; ++j)
          sum[size_t(i * d + j)] += w.kernel[0][std::max(i, j) * tangent_tile + std::min(i, j)];
    }
    const Vector expected = networks[when].kernel().v;
    double largest = 0;
    for (const double x : expected) largest = std::max(largest, d * std::abs(x));
    for (size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(sum[i], d * expected[i], 1e-13 * largest);
  }
  EXPECT_NEAR(cosine(kernels[0], kernels[1]), closed_form(Start::a, start.w1, beta), 1e-5);
}

}  // namespace
}  // namespace cohort
