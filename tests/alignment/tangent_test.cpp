#include "alignment/tangent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "alignment/operate.h"
#include "alignment/tangent_feedforward.h"
#include "gpu/networks.h"
#include "team/serial.h"

namespace cohort {
namespace {

using testing::Networks;

// What Cauchy and Schwarz allow of each of the six sums.
std::vector<double> values(const TangentSums& s) {
  return {s.now_start, s.now_now, s.start_start, s.target_now, s.target_start, s.target_target};
}
void expect_near(const TangentSums& expected, const TangentSums& got, double relative) {
  const double now = std::sqrt(expected.now_now), start = std::sqrt(expected.start_start), y = expected.target_target;
  const std::vector<double> a = values(expected), b = values(got),
                            scale = {now * start, now * now, start * start, now * y, start * y, y};
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], relative * scale[i]) << "sum " << i;
}

std::vector<NetSpec> networks(const Signature& g, const TaskSpec& task, LossSteps loss_steps) {
  std::vector<NetSpec> nets = testing::variety(g, task, 2 * n_activations + 1);
  nets.pop_back();  // the one that diverges
  for (NetSpec& s : nets) s.task.loss_steps = loss_steps;
  return nets;
}

template <class Real>
void expect_equal_forms(int layers, int n_hidden, int trials, LossSteps loss_steps, double relative) {
  const TaskSpec task = testing::decision_task(4);
  const Signature g = testing::signature_of(task, n_hidden, layers, 4, true);
  const std::vector<NetSpec> nets = networks(g, task, loss_steps);
  std::vector<NetSpec> others = nets;
  for (NetSpec& s : others) s.seed += 500;
  const Networks<Real> now(g, nets), start(g, others);
  for (int k = 0; k < n_tensors(g); ++k) {
    if (tensor(g, k).role == Role::bias) continue;
    const auto factored = now.tangent(k, trials, start.theta, TangentForm::factored);
    const auto columns = now.tangent(k, trials, start.theta, TangentForm::columns);
    for (size_t i = 0; i < nets.size(); ++i) {
      SCOPED_TRACE("tensor " + std::to_string(k) + ", network " + std::to_string(i) + ", loss steps " +
                   std::to_string(int(loss_steps)));
      EXPECT_GT(factored[i].now_now, 0);
      expect_near(factored[i], columns[i], relative);
    }
  }
}

TEST(TangentForms, agree_within_rounding) {
  for (const LossSteps loss_steps : {LossSteps::all, LossSteps::last, LossSteps::masked})
    for (const int layers : {1, 2})
      for (const int trials : {1, 9, 23}) {  // one to six strips, the last of any height
        expect_equal_forms<double>(layers, 7, trials, loss_steps, 1e-12);
        expect_equal_forms<float>(layers, 7, trials, loss_steps, 1e-4);
      }
}

// Blocks of columns that are not the whole tensor, over several strips.
TEST(TangentForms, agree_for_any_width_of_blocks) {
  const SerialTeam team;
  const TaskSpec task = testing::decision_task(4);
  const Signature g = testing::signature_of(task, 9, 2, 4, true);
  const int trials = 13;
  for (NetSpec& spec : networks(g, task, LossSteps::all)) {
    Networks<double> net(g, {spec});
    for (const int k : {input_tensor(1), recurrent_tensor(0), readout_tensor(g)}) {
      const Tensor t = tensor(g, k);
      const TangentRows rows(g, spec.task.loss_steps, t);
      Arena measure(nullptr);
      ColumnsTangent<double>::carve<SerialTeam>(measure, g, trials, t, rows);
      const auto memory = testing::scratch(measure.used());
      Arena arena(memory.get());
      auto w = ColumnsTangent<double>::carve<SerialTeam>(arena, g, trials, t, rows);
      clear_weights(team, w.passes.forward);
      fill_batch(team, g, spec, {}, Split::train, {rng::phase_kernel, 0, 0}, trials, w.passes.forward.batch);
      const int whole = w.units, n_tiles = w.n_strips * (w.n_strips + 1) / 2;
      ASSERT_GT(w.n_strips, 1);
      tangent_kernel(team, g, spec, net.theta.data(), t, rows, trials, w, w.kernel[0]);
      for (int units = 1; units < whole; ++units) {
        w.units = units;
        tangent_kernel(team, g, spec, net.theta.data(), t, rows, trials, w, w.kernel[1]);
        TangentSums sums{};
        for (int i = 0; i < w.n_strips; ++i)
          for (int j = 0; j <= i; ++j) {
            const ptrdiff_t at = ColumnsTangent<double>::tile_at(i, j);
            ASSERT_LT(at, n_tiles * tangent_tile * tangent_tile);
            for (int r = 0; r < w.height(i); ++r)
              for (int c = 0; c < w.height(j); ++c) {
                const double a = w.kernel[0][at + r * tangent_tile + c], b = w.kernel[1][at + r * tangent_tile + c];
                sums.now_now += a * a;
                sums.start_start += (a - b) * (a - b);
              }
          }
        EXPECT_LT(std::sqrt(sums.start_start), 1e-13 * std::sqrt(sums.now_now)) << units << " units, tensor " << k;
      }
    }
  }
}

// Logits [n_out][T][trials] of the kernel's trials.
std::vector<double> logits(const Signature& g, const NetSpec& spec, std::vector<double> theta, int trials) {
  const SerialTeam team;
  Arena measure(nullptr);
  Workspace<double>::carve<SerialTeam>(measure, g, trials, Purpose::forward);
  const auto memory = testing::scratch(measure.used());
  Arena arena(memory.get());
  const auto w = Workspace<double>::carve<SerialTeam>(arena, g, trials, Purpose::forward);
  clear_weights(team, w);
  fill_batch(team, g, spec, {}, Split::train, {rng::phase_kernel, 0, 0}, trials, w.batch);
  assemble(team, g, spec, theta.data(), w.weights);
  prepare_states(team, g, spec, trials, w.h, false, 0);
  recurrent_forward(team, g, w.weights, spec.activation, Extent{trials, g.n_steps, 0}, w.batch.x, w.h, false,
                    w.batch.y);
  return {w.batch.y, w.batch.y + g.n_out * g.n_steps * trials};
}

TEST(TangentForms, are_the_squares_of_finite_differences_of_the_logits) {
  const TaskSpec task = testing::decision_task(3);
  const Signature g = testing::signature_of(task, 5, 2, 4, true);
  const int trials = 4;
  NetSpec spec;
  spec.activation = ActivationId::tanh;
  spec.alpha = .6;
  spec.task = task;
  for (const LossSteps loss_steps : {LossSteps::all, LossSteps::last}) {
    spec.task.loss_steps = loss_steps;
    NetSpec other = spec;
    other.seed = 77;
    const Networks<double> now(g, {spec}), start(g, {other});
    const int first = loss_steps == LossSteps::last ? g.n_steps - 1 : 0;
    for (int k = 0; k < n_tensors(g); ++k) {
      const Tensor t = tensor(g, k);
      if (t.role == Role::bias) continue;
      const size_t n_rows = size_t(g.n_out * (g.n_steps - first) * trials);
      const auto kernel = [&](const std::vector<double>& theta) {
        std::vector<double> out(n_rows * n_rows, 0.0);
        for (size_t p = t.offset; p < t.end; ++p) {
          constexpr double h = 1e-5;
          std::vector<double> up = theta, down = theta;
          up[p] += h;
          down[p] -= h;
          const auto a = logits(g, spec, up, trials), b = logits(g, spec, down, trials);
          std::vector<double> column;
          for (int o = 0; o < g.n_out; ++o)
            for (int i = first * trials; i < g.n_steps * trials; ++i) {
              const size_t at = size_t(o * g.n_steps * trials + i);
              column.push_back((a[at] - b[at]) / (2 * h));
            }
          for (size_t r = 0; r < n_rows; ++r)
            for (size_t c = 0; c < n_rows; ++c) out[r * n_rows + c] += column[r] * column[c];
        }
        return out;
      };
      const std::vector<double> a = kernel(now.theta), b = kernel(start.theta);
      TangentSums expected{};
      for (size_t i = 0; i < a.size(); ++i) {
        expected.now_start += a[i] * b[i];
        expected.now_now += a[i] * a[i];
        expected.start_start += b[i] * b[i];
      }
      for (const TangentForm form : {TangentForm::factored, TangentForm::columns}) {
        SCOPED_TRACE("tensor " + std::to_string(k) + ", form " + std::to_string(int(form)));
        const TangentSums got = now.tangent(k, trials, start.theta, form)[0];
        EXPECT_NEAR(got.now_start / expected.now_start, 1, 1e-7);
        EXPECT_NEAR(got.now_now / expected.now_now, 1, 1e-7);
        EXPECT_NEAR(got.start_start / expected.start_start, 1, 1e-7);
      }
    }
  }
}

// ---- cost and choice
// Counts what its products take.
struct CountingTeam : SerialTeam {
  static inline double flop = 0;
  template <class Real, int n_products, class Epilogue>
  void gemm(int m, int n, const Product<Real> (&products)[n_products], const Epilogue& epilogue) const {
    for (const Product<Real>& p : products) flop += 2.0 * m * n * p.k;
    SerialTeam::gemm(m, n, products, epilogue);
  }
  template <class Real, class Epilogue>
  void gemm_narrow(int m, int n, const Product<Real>& product, const Real* b_t, ptrdiff_t ldb_t,
                   const Epilogue& epilogue) const {
    flop += 2.0 * m * n * product.k;
    SerialTeam::gemm_narrow(m, n, product, b_t, ldb_t, epilogue);
  }
};

TEST(TangentCost, counts_the_operations_of_the_programs) {
  const TaskSpec task = testing::decision_task(4);
  for (const int layers : {1, 3}) {
    const Signature g = testing::signature_of(task, 11, layers, 4, false);
    for (const LossSteps loss_steps : {LossSteps::all, LossSteps::last})
      for (const int trials : {3, 15}) {
        NetSpec spec;
        spec.task = task;
        spec.task.loss_steps = loss_steps;
        const Networks<float> net(g, {spec});
        for (int k = 0; k < n_tensors(g); ++k) {
          if (tensor(g, k).role == Role::bias) continue;
          for (const TangentForm form : {TangentForm::factored, TangentForm::columns}) {
            TangentSums sums;
            const TangentArgs<float> args{net.cohort, net.theta.data(), trials, k, &sums, LossSteps::all, form};
            const auto memory = testing::scratch(tangent_bytes<CountingTeam>(args));
            CountingTeam::flop = 0;
            tangent_network(CountingTeam{}, args, 0, memory.get());
            if (form == TangentForm::factored) {  // multiply-adds outside of products
              const double pairs = TangentRows(g, loss_steps, tensor(g, k)).n_pairs();
              CountingTeam::flop += 2 * (trials * (trials + 1) / 2.0) * 2 * pairs * pairs;
            }
            EXPECT_EQ(tangent_cost(form, g, k, trials, loss_steps, 4).flop, CountingTeam::flop)
                << "form " << int(form) << ", tensor " << k << ", " << trials << " trials";
          }
        }
      }
  }
}

TEST(TangentCost, counts_the_operations_of_feedforward_networks) {
  const TaskSpec task = testing::decision_task(4);
  for (const CellId cell : {CellId::dense, CellId::layer_norm, CellId::column_ei}) {
    Signature g = testing::signature_of(task, 11, 2, 4, false);
    g.core = CoreId::feedforward;
    g.cell = cell;
    for (const LossSteps loss_steps : {LossSteps::all, LossSteps::last})
      for (const int trials : {3, 15, 40}) {
        NetSpec spec;
        spec.task = task;
        spec.task.loss_steps = loss_steps;
        spec.parameterisation = parameterisation_of(cell);
        spec.n_excitatory = 8;
        const Networks<float> net(g, {spec});
        for (int l = 0; l <= g.n_layers; ++l) {
          const int k = input_tensor(g, l);
          TangentSums sums;
          const TangentArgs<float> args{net.cohort, net.theta.data(), trials, k, &sums};
          const auto memory = testing::scratch(feedforward_tangent_bytes<CountingTeam>(args));
          CountingTeam::flop = 0;
          feedforward_tangent_network(CountingTeam{}, args, 0, memory.get());
          EXPECT_EQ(tangent_cost(TangentForm::factored, g, k, trials, loss_steps, 4).flop, CountingTeam::flop)
              << "cell " << int(cell) << ", tensor " << k << ", " << trials << " trials";
          Arena passes(nullptr);
          FeedforwardWorkspace<float>::carve<SerialTeam>(passes, g, trials, Purpose::learning);
          if (loss_steps == LossSteps::last) continue;
          const double kept = double(feedforward_tangent_bytes<SerialTeam>(args)) - double(passes.used()),
                       bound = tangent_cost(TangentForm::factored, g, k, trials, loss_steps, 4).bytes;
          EXPECT_LE(kept, bound + 16 * 256);
          EXPECT_GE(kept, .4 * bound);
        }
      }
  }
}

TEST(TangentCost, bounds_what_a_form_keeps) {
  const TaskSpec task = testing::decision_task(4);
  for (const int n_hidden : {9, 70}) {
    const Signature g = testing::signature_of(task, n_hidden, 2, 4, true);
    for (int k = 0; k < n_tensors(g); ++k) {
      const Tensor t = tensor(g, k);
      if (t.role == Role::bias) continue;
      for (const TangentForm form : {TangentForm::factored, TangentForm::columns}) {
        TangentArgs<float> args;
        args.cohort.signature = g;
        args.trials = 20;
        args.tensor = k;
        args.form = form;
        Arena passes(nullptr);
        TangentPasses<float>::carve<SerialTeam>(passes, g, 20, TangentRows(g, LossSteps::all, t));
        const double kept = double(tangent_bytes<SerialTeam>(args) - passes.used()),
                     bound = tangent_cost(form, g, k, 20, LossSteps::all, 4).bytes;
        EXPECT_LE(kept, bound + 16 * 256) << "form " << int(form) << ", tensor " << k;
        EXPECT_GE(kept, .4 * bound) << "form " << int(form) << ", tensor " << k;
      }
    }
  }
}

constexpr Signature cognitive = {CoreId::recurrent, 3, 300, 1, 3, 0, 32, 8, 0};
constexpr Signature rows_of_images = {CoreId::recurrent, 28, 300, 1, 10, 0, 200, 28, 0};

TEST(TangentForm, is_factored_for_the_cognitive_tasks) {
  const auto cost = [](TangentForm form) { return tangent_cost(form, cognitive, 1, 32, LossSteps::all, 4); };
  EXPECT_NEAR(cost(TangentForm::factored).flop, 6.565e9, .001e9);
  EXPECT_NEAR(cost(TangentForm::columns).flop, 119.2e9, .5e9);
  EXPECT_EQ(tangent_form(TangentForm::cheaper, cognitive, 1, 32, LossSteps::all, 4), TangentForm::factored);
}
TEST(TangentForm, is_by_columns_for_the_rows_of_images) {
  const auto cost = [](TangentForm form) { return tangent_cost(form, rows_of_images, 1, 200, LossSteps::last, 4); };
  EXPECT_NEAR(cost(TangentForm::factored).flop, 1.8e12, .05e12);
  EXPECT_NEAR(cost(TangentForm::columns).flop, .78e12, .02e12);
  EXPECT_LT(cost(TangentForm::columns).bytes, double(tangent_bound) / 2);
  EXPECT_EQ(tangent_form(TangentForm::cheaper, rows_of_images, 1, 200, LossSteps::last, 4), TangentForm::columns);
  EXPECT_EQ(tangent_form(TangentForm::factored, rows_of_images, 1, 200, LossSteps::last, 4), TangentForm::factored);
}
TEST(TangentForm, keeps_within_the_bound_or_keeps_less) {
  // Fewer operations by columns, but 14000 rows take more than the bound; the factors do not.
  const Signature g = {CoreId::recurrent, 28, 32, 1, 10, 0, 200, 12, 0};
  const auto cost = [&](TangentForm form) { return tangent_cost(form, g, 1, 1400, LossSteps::last, 4); };
  ASSERT_LT(cost(TangentForm::columns).flop, cost(TangentForm::factored).flop);
  ASSERT_GT(cost(TangentForm::columns).bytes, double(tangent_bound));
  ASSERT_LT(cost(TangentForm::factored).bytes, double(tangent_bound));
  EXPECT_EQ(tangent_form(TangentForm::cheaper, g, 1, 1400, LossSteps::last, 4), TangentForm::factored);
  // Neither fits.
  const auto columns = tangent_cost(TangentForm::columns, rows_of_images, 1, 200, LossSteps::all, 4),
             factored = tangent_cost(TangentForm::factored, rows_of_images, 1, 200, LossSteps::all, 4);
  ASSERT_GT(columns.bytes, double(tangent_bound));
  ASSERT_GT(factored.bytes, double(tangent_bound));
  EXPECT_EQ(tangent_form(TangentForm::cheaper, rows_of_images, 1, 200, LossSteps::all, 4),
            columns.bytes < factored.bytes ? TangentForm::columns : TangentForm::factored);
}
TEST(TangentForm, blocks_hold_a_unit_or_what_fits) {
  const auto units = [](const Signature& g, int rows) {
    return tangent_block_units(tensor(g, recurrent_tensor(0)), rows, sizeof(float));
  };
  EXPECT_EQ(units(rows_of_images, 2000), 1);  // 2048 x 300 floats, 2.3 of 4 MiB
  EXPECT_EQ(units(rows_of_images, 100000), 1);
  EXPECT_EQ(units(cognitive, 768), 4);
  EXPECT_EQ(units(cognitive, 1), 54);
  EXPECT_EQ(tangent_block_units(tensor(cognitive, input_tensor(0)), 64, sizeof(float)), 300);
}

TEST(TangentArguments, of_last_steps_only_take_less_workspace_and_give_the_same_sums) {
  const TaskSpec task = testing::decision_task(4);
  const Signature g = testing::signature_of(task, 8, 1, 4, true);
  std::vector<NetSpec> nets(2);
  for (NetSpec& s : nets) s.task = task;
  nets[1].task.loss_steps = LossSteps::last;
  const Networks<float> net(g, nets);
  const auto any = net.tangent(1, 6, net.theta, TangentForm::cheaper),
             last = net.tangent(1, 6, net.theta, TangentForm::cheaper, LossSteps::last);
  EXPECT_EQ(std::memcmp(&any[1], &last[1], sizeof(TangentSums)), 0);
  for (const double value : values(last[0])) EXPECT_TRUE(std::isnan(value));
  TangentArgs<float> args;
  args.cohort.signature = g;
  args.trials = 6;
  args.form = TangentForm::factored;
  const size_t all = tangent_bytes<SerialTeam>(args);
  args.loss_steps = LossSteps::last;
  EXPECT_LT(tangent_bytes<SerialTeam>(args), all);
}

}  // namespace
}  // namespace cohort
