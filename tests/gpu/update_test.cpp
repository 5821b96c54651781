// The update programs of both backends against update_tensor, which other tests compare with laws and closed forms: every
// rule, every size and alignment, alone and among others; and against the rule written out once more.
#include "cohort/update.h"

#include <cmath>
#include <limits>
#include <random>

#include "cohort/error.h"
#include "device/cuda_update_bandwidth.h"
#include "gpu/backend.h"
#include "gpu/update_kernels.h"
#include "program/update.h"
#include "team/serial.h"

namespace cohort::testing {
namespace {

// ---- rules
std::vector<RuleSpec> every_map_and_projection() {
  std::vector<RuleSpec> rules;
  for (int geometry = 0; geometry < n_geometries; ++geometry)
    for (const double p : {3.0, 2.0, 1.5, 1.7, 2.6}) {
      if (GeometryId(geometry) != GeometryId::p_norm && p != 3.0) continue;
      for (int projection = 0; projection < n_projections; ++projection) {
        RuleSpec rule;
        rule.geometry = GeometryId(geometry);
        rule.projection = ProjectionId(projection);
        rule.p = p;
        rule.beta = 0.3;
        rule.weight_decay = 0.01;
        rules.push_back(rule);
      }
    }
  return rules;
}
// ... with Adam: it reads neither momentum nor dampening nor nesterov.
std::vector<RuleSpec> adam(std::vector<RuleSpec> rules) {
  for (RuleSpec& rule : rules) {
    rule.adam = 1;
    rule.adam_beta2 = 0.99;
    rule.nesterov = 1;
    rule.dampening = 0.5;
    rule.weight_decay = 0.1;
  }
  return rules;
}
// ... with and without each of momentum, dampening, Nesterov, decay.
std::vector<RuleSpec> every_rule() {
  std::vector<RuleSpec> rules;
  for (const RuleSpec& base : every_map_and_projection())
    for (int i = 0; i < 16; ++i) {
      RuleSpec rule = base;
      rule.momentum = i & 1 ? 0.9 : 0.0;
      rule.dampening = i & 2 ? 0.2 : 0.0;
      rule.nesterov = i & 4 ? 1 : 0;
      rule.weight_decay = i & 8 ? 0.01 : 0.0;
      rules.push_back(rule);
    }
  const std::vector<RuleSpec> with_adam = adam(every_map_and_projection());
  rules.insert(rules.end(), with_adam.begin(), with_adam.end());
  return rules;
}

// ---- one problem: arrays in host memory, with spare elements around them that nobody may touch
constexpr size_t spare = 5;

struct Layout {
  int weights = 0, gradient = 0, momentum = 0, mask = 0,
      second = 0;  // elements between a multiple of 256 bytes and the first row
};
struct Shape {
  int64_t n = 1;
  bool momentum = true, mask = false, scale = true;
  Layout offset = {};
  int steps = 3;  // the first of them is the first step
};

template <class Real>
struct Problem {
  Shape shape;
  std::vector<RuleSpec> rules;
  std::vector<Real> weights, gradient, momentum, second, lr, scale;
  std::vector<uint8_t> mask;

  Problem(std::vector<RuleSpec> rules_, const Shape& s) : shape(s), rules(std::move(rules_)) {
    std::mt19937 engine(11);
    const auto real = [&] { return Real(std::uniform_real_distribution<double>(-1, 1)(engine)); };
    const size_t size = rules.size() * size_t(s.n) + spare;
    weights.resize(size + size_t(s.offset.weights));
    gradient.resize(size + size_t(s.offset.gradient));
    momentum.resize(size + size_t(s.offset.momentum));
    second.resize(size + size_t(s.offset.second), std::numeric_limits<Real>::quiet_NaN());
    mask.resize(size + size_t(s.offset.mask));
    for (Real& w : weights) w = engine() % 16 ? real() : Real(0);
    for (Real& g : gradient) g = real();
    for (Real& m : momentum) m = std::numeric_limits<Real>::quiet_NaN();  // the first step must not read it
    for (uint8_t& m : mask) m = uint8_t(engine() % 3);
    for (size_t i = 0; i < rules.size(); ++i) {
      lr.push_back(Real(0.05 + 0.01 * double(i % 7)));
      scale.push_back(Real(1 - 0.1 * double(i % 4)));
    }
  }
  int32_t n_nets() const { return int32_t(rules.size()); }
  MirrorUpdateArgs<Real> args(Real* w, const Real* g, Real* m, Real* v, const uint8_t* k, const RuleSpec* r,
                              const Real* l, const Real* s) const {
    return {.n_nets = n_nets(),
            .n = shape.n,
            .weights = w + shape.offset.weights,
            .gradient = g + shape.offset.gradient,
            .momentum = shape.momentum ? m + shape.offset.momentum : nullptr,
            .second_moment = shape.momentum ? v + shape.offset.second : nullptr,
            .mask = shape.mask ? k + shape.offset.mask : nullptr,
            .rules = r,
            .lr = l,
            .scale = shape.scale ? s : nullptr};
  }
};

template <class Real>
struct Result {
  std::vector<Real> weights, momentum, second;  // with what lies around them
};

// All steps with update_tensor on one core.
template <class Real>
Result<Real> expected(const Problem<Real>& p) {
  Result<Real> r{p.weights, p.momentum, p.second};
  std::vector<Real> zeros(p.momentum.size());
  for (int step = 0; step < p.shape.steps; ++step) {
    if (!p.shape.momentum) zeros.assign(zeros.size(), Real(0));
    MirrorUpdateArgs<Real> a = p.args(r.weights.data(), p.gradient.data(), r.momentum.data(), r.second.data(),
                                      p.mask.data(), p.rules.data(), p.lr.data(), p.scale.data());
    for (int32_t i = 0; i < p.n_nets(); ++i) {
      const Real scale = a.scale ? a.scale[i] : Real(1);
      const Real* gradient = a.gradient + i * a.n;
      Real* momentum = (a.momentum ? a.momentum : zeros.data()) + i * a.n;
      std::vector<Real> directions(gradient, gradient + a.n);
      if (a.rules[i].adam) {
        if (!a.momentum) continue;
        adam_tensor(SerialTeam{}, a.rules[i], a.lr[i], step, int(a.n), scale, directions.data(), a.weights + i * a.n,
                    momentum, a.second_moment + i * a.n, a.mask ? a.mask + i * a.n : nullptr);
        gradient = momentum = directions.data();
      }
      update_tensor(SerialTeam{}, a.rules[i], a.lr[i], step == 0, int(a.n), scale, gradient, a.weights + i * a.n,
                    momentum, a.mask ? a.mask + i * a.n : nullptr);
    }
  }
  return r;
}

// All steps by `update`(args) on arrays in the memory of a backend.
template <class Real, class Update>
Result<Real> run(const Problem<Real>& p, Where where, Update update) {
  Buffer<Real> w(where, p.weights), g(where, p.gradient), m(where, p.momentum), v(where, p.second), lr(where, p.lr),
      scale(where, p.scale);
  Buffer<uint8_t> mask(where, p.mask);
  Buffer<RuleSpec> rules(where, p.rules);
  MirrorUpdateArgs<Real> args =
      p.args(w.data(), g.data(), m.data(), v.data(), mask.data(), rules.data(), lr.data(), scale.data());
  for (int step = 0; step < p.shape.steps; ++step) {
    args.step = step;
    update(args);
  }
  if (where == Where::device) gpu::check(cudaDeviceSynchronize(), "update");
  return {w.values(), m.values(), v.values()};
}
template <class Real>
Result<Real> run(const Problem<Real>& p, Where where, const UpdateProgram<Real>& program) {
  return run(p, where, [&](const MirrorUpdateArgs<Real>& a) { program.mirror_update(a, {.count = a.n_nets}); });
}

template <class Real>
void expect_same(const std::vector<Real>& a, const std::vector<Real>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(std::memcmp(&a[i], &b[i], sizeof(Real)), 0) << "element " << i << ": " << a[i] << " and " << b[i];
}
template <class Real>
void expect_same(const Result<Real>& a, const Result<Real>& b) {
  expect_same(a.weights, b.weights);
  expect_same(a.momentum, b.momentum);
  expect_same(a.second, b.second);
}

// Three steps differ by a few roundings and a few ulps of exp. Powers are compared where they are even: a root of a
// difference has lost half of its digits near 0.
template <class Real>
void expect_near(const Problem<Real>& p, const Result<Real>& a, const Result<Real>& b) {
  const double tolerance = 64 * double(std::numeric_limits<Real>::epsilon());
  const auto offset = size_t(p.shape.offset.weights), n = size_t(p.shape.n);
  const auto even = [&](size_t i, Real w) {
    const RuleSpec* const rule =
        i < offset || (i - offset) / n >= p.rules.size() ? nullptr : &p.rules[(i - offset) / n];
    return rule && rule->geometry == GeometryId::p_norm ? std::copysign(std::pow(std::abs(double(w)), rule->p - 1), w)
                                                        : double(w);
  };
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (size_t i = 0; i < a.weights.size(); ++i)
    ASSERT_NEAR(even(i, a.weights[i]), even(i, b.weights[i]), tolerance) << "weight " << i;
  const auto moments = [&](const char* name, const std::vector<Real>& x, const std::vector<Real>& y) {
    for (size_t i = 0; i < x.size(); ++i)
      if (std::isnan(x[i]))
        ASSERT_TRUE(std::isnan(y[i])) << name << " " << i;
      else
        ASSERT_NEAR(x[i], y[i], tolerance) << name << " " << i;
  };
  moments("momentum", a.momentum, b.momentum);
  moments("second moment", a.second, b.second);
}

// ---- backends
template <class Real>
struct Backend {
  const UpdateProgram<Real>* program;
  Where where;
  bool exact;  // the same roundings as this test's own update_tensor: no fused operations, the same exp
};
template <class Real>
std::vector<Backend<Real>> backends() {
  std::vector<Backend<Real>> all = {{cuda_update<Real>(), Where::device, emulated}};
  for (const char* const isa : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    if (const UpdateProgram<Real>* const program = cpu_update<Real>(isa))
      all.push_back({program, Where::host, std::string(isa) == "x86-64-v2"});
  return all;
}

template <class Real>
class Update : public ::testing::Test {
 protected:
  static constexpr bool in_double = sizeof(Real) == 8;

  void expect_agreement(std::vector<RuleSpec> rules, const Shape& shape) {
    SCOPED_TRACE("n " + std::to_string(shape.n) + (shape.momentum ? " momentum" : "") + (shape.mask ? " mask" : "") +
                 (shape.scale ? " scale" : "") + " offsets " + std::to_string(shape.offset.weights) + " " +
                 std::to_string(shape.offset.gradient) + " " + std::to_string(shape.offset.momentum) + " " +
                 std::to_string(shape.offset.mask));
    const Problem<Real> problem(std::move(rules), shape);
    const Result<Real> reference = expected(problem);
    for (const Backend<Real>& b : backends<Real>()) {
      SCOPED_TRACE(b.program->isa);
      const Result<Real> got = run(problem, b.where, *b.program);
      if (b.exact)
        expect_same(reference, got);
      else
        expect_near(problem, reference, got);
    }
    if (shape.momentum) {  // the same bits as the programs that train on the device
      SCOPED_TRACE("block");
      Buffer<Real> directions(Where::device, problem.gradient.size());
      const auto block = [&](const MirrorUpdateArgs<Real>& a) {
        const size_t bytes = size_t(a.n_nets) * size_t(a.n) * sizeof(Real);
        gpu::check(cudaMemcpy(directions.data(), a.gradient, bytes, cudaMemcpyDeviceToDevice), "directions");
        run_update_tensor(a, directions.data());
      };
      expect_same(run(problem, Where::device, block), run(problem, Where::device, *cuda_update<Real>()));
    }
  }
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Update, Reals);

TYPED_TEST(Update, EveryRule) {
  COHORT_NEEDS_DEVICE(this->in_double);
  for (const bool mask : {false, true})
    for (const bool momentum : {true, false}) {
      Shape shape{.n = 9, .momentum = momentum, .mask = mask, .scale = mask};
      if (!momentum) shape.steps = 2;
      this->expect_agreement(every_rule(), shape);
    }
}
// Rows that begin on and off 16 bytes, in all arrays alike or not; sizes with and without heads, tails and several pieces.
TYPED_TEST(Update, EverySizeAndAlignment) {
  COHORT_NEEDS_DEVICE(this->in_double);
  for (const int64_t n : {1, 2, 3, 4, 8, 31, 127, 1001, 1024})
    for (const Layout& offset :
         {Layout{0, 0, 0, 0, 0}, {1, 1, 1, 1, 1}, {3, 3, 3, 3, 3}, {1, 1, 1, 0, 0}, {0, 1, 2, 3, 1}}) {
      std::vector<RuleSpec> rules;
      const std::vector<RuleSpec> all = every_map_and_projection();
      for (size_t i = 0; i < (n < 100 ? all.size() : 6); ++i) rules.push_back(all[i * 7 % all.size()]);
      const std::vector<RuleSpec> with_adam = adam({rules.begin(), rules.begin() + 3});
      rules.insert(rules.end(), with_adam.begin(), with_adam.end());
      this->expect_agreement(rules, {.n = n, .mask = true, .offset = offset});
    }
}
TYPED_TEST(Update, OneNetwork) {
  COHORT_NEEDS_DEVICE(this->in_double);
  for (const RuleSpec& rule : every_map_and_projection()) this->expect_agreement({rule}, {.n = 300, .mask = true});
}

TYPED_TEST(Update, AdamWithoutBothMomentsLeavesItsWeights) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  const Problem<Real> problem(adam({RuleSpec{}, RuleSpec{}}), {.n = 10});
  for (const Backend<Real>& b : backends<Real>()) {
    const Result<Real> r = run(problem, b.where, [&](MirrorUpdateArgs<Real> a) {
      a.second_moment = nullptr;
      b.program->mirror_update(a, {.count = a.n_nets});
    });
    expect_same(problem.weights, r.weights);
  }
}

TYPED_TEST(Update, ANetworkAloneIsBitIdenticalToItselfAmongOthers) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  for (const int64_t n : {7, 130}) {
    std::vector<RuleSpec> rules = adam(every_map_and_projection());
    for (size_t i = 0; i < rules.size(); i += 2) rules[i].adam = 0;
    const Problem<Real> problem(rules, {.n = n, .mask = true});
    for (const Backend<Real>& b : backends<Real>()) {
      SCOPED_TRACE(b.program->isa);
      const Result<Real> all = run(problem, b.where, *b.program);
      expect_same(all, run(problem, b.where, [&](const MirrorUpdateArgs<Real>& a) {
                    b.program->mirror_update(a, {.first = 5, .count = a.n_nets - 5});
                    for (int32_t i = 0; i < 3; ++i) b.program->mirror_update(a, {.first = i, .count = 1});
                    for (int32_t i = 3; i < 5; ++i) {  // as a cohort of one
                      MirrorUpdateArgs<Real> one = a;
                      one.n_nets = 1;
                      one.weights += i * n;
                      one.gradient += i * n;
                      one.momentum += i * n;
                      one.second_moment += i * n;
                      one.mask += i * n;
                      one.rules += i;
                      one.lr += i;
                      one.scale += i;
                      b.program->mirror_update(one, {.count = 1});
                    }
                  }));
    }
  }
}

TYPED_TEST(Update, RulesThatAreNotRegisteredLeaveTheirWeights) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  std::vector<RuleSpec> rules(3);
  rules[0].geometry = GeometryId(n_geometries);
  rules[2].projection = ProjectionId(-1);
  const Problem<Real> problem(rules, {.n = 10});
  for (const Backend<Real>& b : backends<Real>()) {
    const Result<Real> r = run(problem, b.where, *b.program);
    for (size_t i = 0; i < 30; ++i) {
      if (i < 10 || i >= 20)
        EXPECT_EQ(r.weights[i], problem.weights[i]);
      else
        EXPECT_NE(r.weights[i], problem.weights[i]);
    }
  }
}

// The rule once more, for two geometries, as the papers write it.
TYPED_TEST(Update, IsTheRuleOfThePapers) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  for (const GeometryId geometry : {GeometryId::euclidean, GeometryId::neg_entropy})
    for (const bool nesterov : {false, true}) {
      RuleSpec rule;
      rule.geometry = geometry;
      rule.nesterov = nesterov;
      rule.dampening = 0.1;
      rule.weight_decay = 0.02;
      const Problem<Real> p({rule}, {.n = 50});
      for (const Backend<Real>& b : backends<Real>()) {
        const Result<Real> r = run(p, b.where, *b.program);
        for (size_t i = 0; i < 50; ++i) {
          double w = double(p.weights[i]), m = 0;
          const double lr = double(p.lr[0]), g = double(p.gradient[i]) * double(p.scale[0]);
          for (int step = 0; step < p.shape.steps; ++step) {
            const double sign = w > 0 ? 1 : w < 0 ? -1 : 0;
            const double d = g + 0.02 * (geometry == GeometryId::euclidean ? w : sign);
            m = step == 0 ? d : 0.9 * m + 0.9 * d;
            const double u = nesterov ? d + 0.9 * m : m;
            w = geometry == GeometryId::euclidean ? w - lr * u : w * std::exp(-lr * sign * u);
          }
          EXPECT_NEAR(double(r.weights[i]), w, 64 * double(std::numeric_limits<Real>::epsilon()));
        }
      }
    }
}

// ---- sign_project
TYPED_TEST(Update, Projections) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  std::vector<ProjectionId> ids;
  for (int i = 0; i < 9; ++i) ids.push_back(ProjectionId(i % n_projections));
  const auto n_nets = int32_t(ids.size());
  enum class Reference { other, none, weights };
  for (const int64_t n : {1, 3, 127, 1001})
    for (const int offset : {0, 1})
      for (const Reference reference : {Reference::other, Reference::none, Reference::weights}) {
        SCOPED_TRACE("n " + std::to_string(n) + " offset " + std::to_string(offset));
        const Problem<Real> p(std::vector<RuleSpec>(ids.size()), {.n = n, .offset = {.weights = offset}});
        std::vector<Real> want = p.weights;
        const auto args = [&](Real* w, const Real* other, const ProjectionId* id) {
          return SignProjectArgs<Real>{.n_nets = n_nets,
                                       .n = n,
                                       .weights = w + offset,
                                       .reference = reference == Reference::other  ? other
                                                    : reference == Reference::none ? nullptr
                                                                                   : w + offset,
                                       .projections = id};
        };
        const SignProjectArgs<Real> a = args(want.data(), p.gradient.data(), ids.data());
        for (int32_t i = 0; i < n_nets; ++i)
          project_tensor(SerialTeam{}, ids[size_t(i)], int(n), a.reference ? a.reference + i * n : nullptr,
                         a.weights + i * n);
        for (const Backend<Real>& b : backends<Real>()) {
          SCOPED_TRACE(b.program->isa);
          Buffer<Real> w(b.where, p.weights), other(b.where, p.gradient);
          Buffer<ProjectionId> id(b.where, ids);
          b.program->sign_project(args(w.data(), other.data(), id.data()), {.count = n_nets});
          if (b.where == Where::device) gpu::check(cudaDeviceSynchronize(), "sign_project");
          expect_same(want, w.values());  // products with 0 and 1 only: no roundings
        }
        Buffer<Real> w(Where::device, p.weights), other(Where::device, p.gradient);
        Buffer<ProjectionId> id(Where::device, ids);
        run_project_tensor(args(w.data(), other.data(), id.data()));
        expect_same(want, w.values());
      }
}

// ---- mistakes of the caller
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TYPED_TEST(Update, MistakesAreNamed) {
  COHORT_NEEDS_DEVICE(this->in_double);
  using Real = TypeParam;
  for (const Backend<Real>& b : backends<Real>()) {
    SCOPED_TRACE(b.program->isa);
    Buffer<Real> w(b.where, 20), g(b.where, 20), m(b.where, 20), lr(b.where, 2);
    Buffer<RuleSpec> rules(b.where, std::vector<RuleSpec>(2));
    Buffer<ProjectionId> ids(b.where, std::vector<ProjectionId>(2));
    const MirrorUpdateArgs<Real> good{.n_nets = 2,
                                      .n = 10,
                                      .weights = w.data(),
                                      .gradient = g.data(),
                                      .momentum = m.data(),
                                      .rules = rules.data(),
                                      .lr = lr.data()};
    const auto update = [&](auto change, Launch l = {.count = 2}) {
      MirrorUpdateArgs<Real> a = good;
      change(a);
      return message_of([&] { b.program->mirror_update(a, l); });
    };
    using Args = MirrorUpdateArgs<Real>&;
    const std::string size = std::to_string(sizeof(Real));
    EXPECT_EQ(update([](Args) {}), "no error");
    EXPECT_EQ(update([](Args a) { a.n_nets = -1; }), "mirror_update: n_nets is -1; allowed: 0 or more");
    EXPECT_EQ(update([](Args a) { a.n = -2; }), "mirror_update: n is -2; allowed: 0 or more");
    EXPECT_EQ(update([](Args a) { a.n = int64_t(1) << 38; }),
              "mirror_update: n is 274877906944; allowed: n_nets x n below 274877906944");
    EXPECT_EQ(update([](Args a) { a.step = -1; }), "mirror_update: step is -1; allowed: 0 or more");
    EXPECT_EQ(update([](Args) {}, {.first = -1}), "mirror_update: first is -1; allowed: 0 or more");
    EXPECT_EQ(update([](Args) {}, {.count = -1}), "mirror_update: count is -1; allowed: 0 or more");
    EXPECT_EQ(update([](Args) {}, {.first = 1, .count = 2}),
              "mirror_update: first + count is 3; allowed: up to n_nets = 2");
    EXPECT_EQ(update([](Args a) { a.weights = nullptr; }),
              "mirror_update: weights is null; allowed: memory of the backend");
    EXPECT_EQ(update([](Args a) { a.gradient = nullptr; }),
              "mirror_update: gradient is null; allowed: memory of the backend");
    EXPECT_EQ(update([](Args a) { a.rules = nullptr; }),
              "mirror_update: rules is null; allowed: memory of the backend");
    EXPECT_EQ(update([](Args a) { a.lr = nullptr; }), "mirror_update: lr is null; allowed: memory of the backend");
    const auto off = [](auto* p) {
      return reinterpret_cast<std::remove_reference_t<decltype(p)>>(reinterpret_cast<uintptr_t>(p) + 1);
    };
    const auto misaligned = [](const std::string& field, const std::string& bytes) {
      return "mirror_update: " + field + " is not aligned; allowed: multiples of " + bytes + " bytes";
    };
    EXPECT_EQ(update([&](Args a) { a.weights = off(a.weights); }), misaligned("weights", size));
    EXPECT_EQ(update([&](Args a) { a.gradient = off(a.gradient); }), misaligned("gradient", size));
    EXPECT_EQ(update([&](Args a) { a.momentum = off(a.momentum); }), misaligned("momentum", size));
    EXPECT_EQ(update([&](Args a) { a.second_moment = off(a.momentum); }), misaligned("second_moment", size));
    EXPECT_EQ(update([&](Args a) { a.rules = off(a.rules); }), misaligned("rules", "8"));
    EXPECT_EQ(update([&](Args a) { a.lr = off(a.lr); }), misaligned("lr", size));
    EXPECT_EQ(update([&](Args a) { a.scale = off(a.lr); }), misaligned("scale", size));
    EXPECT_EQ(message_of([&] { b.program->mirror_update({}, {}); }), "no error");  // nothing to do

    const SignProjectArgs<Real> project{
        .n_nets = 2, .n = 10, .weights = w.data(), .reference = g.data(), .projections = ids.data()};
    const auto projection = [&](auto change, Launch l = {.count = 2}) {
      SignProjectArgs<Real> a = project;
      change(a);
      return message_of([&] { b.program->sign_project(a, l); });
    };
    using Project = SignProjectArgs<Real>&;
    EXPECT_EQ(projection([](Project) {}), "no error");
    EXPECT_EQ(projection([](Project a) { a.n = -2; }), "sign_project: n is -2; allowed: 0 or more");
    EXPECT_EQ(projection([](Project) {}, {.first = 2, .count = 1}),
              "sign_project: first + count is 3; allowed: up to n_nets = 2");
    EXPECT_EQ(projection([](Project a) { a.weights = nullptr; }),
              "sign_project: weights is null; allowed: memory of the backend");
    EXPECT_EQ(projection([](Project a) { a.projections = nullptr; }),
              "sign_project: projections is null; allowed: memory of the backend");
    EXPECT_EQ(projection([&](Project a) { a.reference = off(a.reference); }),
              "sign_project: reference is not aligned; allowed: multiples of " + size + " bytes");
    EXPECT_EQ(projection([&](Project a) { a.projections = off(a.projections); }),
              "sign_project: projections is not aligned; allowed: multiples of 4 bytes");
    if (b.where == Where::device) gpu::check(cudaDeviceSynchronize(), "updates");
  }
}

TEST(UpdateBandwidth, IsMeasured) {
  COHORT_NEEDS_DEVICE();
  const engine::UpdateBandwidth b = engine::measure_update_bandwidth({.n_nets = 3, .n = 65, .mask = true, .offset = 1});
  EXPECT_GT(b.seconds_per_update, 0);
  EXPECT_GT(b.update_bytes_per_s, 0);
  EXPECT_GT(b.share(), 0);
  if (emulated) return;
  const double share = engine::measure_update_bandwidth({}).share();
  RecordProperty("share_of_copy", std::to_string(share));
  EXPECT_GT(share, 0.5);  // a copy's bandwidth, but for accidents; bench_update has the numbers
}

}  // namespace
}  // namespace cohort::testing
