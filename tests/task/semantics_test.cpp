// Each task against its description: Liu et al. (ICLR 2024) for the three cognitive ones, Li et al. (NeurIPS 2023) for
// the adding problem. The ceilings are those of an ideal observer who knows everything but the noise.
#include <algorithm>
#include <map>
#include <set>

#include "draw.h"

namespace cohort::test {
namespace {

constexpr int n_trials = 40'000;

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// Counts of outcomes that are equally likely: each within five standard deviations.
template <class Outcome>
void expect_uniform(const std::map<Outcome, int>& count, int n_outcomes) {
  ASSERT_EQ(count.size(), size_t(n_outcomes));
  double n = 0;
  for (const auto& [outcome, c] : count) n += c;
  const double each = n / n_outcomes;
  for (const auto& [outcome, c] : count) EXPECT_NEAR(c, each, 5 * std::sqrt(each * (1 - 1.0 / n_outcomes)));
}
// The fraction of n trials in which an observer is right, against the expected one: five standard errors.
void expect_accuracy(int right, double expected) {
  EXPECT_NEAR(double(right) / n_trials, expected, 5 * std::sqrt(expected * (1 - expected) / n_trials) + 1e-12);
}
// What the program adds: standard deviation of `samples` of mean 0, within five standard errors.
void expect_noise(const std::vector<double>& samples, double sd) {
  double mean = 0, square = 0;
  for (double s : samples) {
    mean += s / double(samples.size());
    square += s * s / double(samples.size());
  }
  EXPECT_NEAR(mean, 0, 5 * sd / std::sqrt(double(samples.size())));
  EXPECT_NEAR(std::sqrt(square), sd, 5 * sd / std::sqrt(2.0 * double(samples.size())));
}
template <class Real>
void expect_labels(const Drawn<Real>& d, int decision, int label) {
  for (int t = 0; t < d.n_steps; ++t) ASSERT_EQ(d.label[size_t(t)], t == decision ? label : 0) << t;
}

// ---- 2AF ------------------------------------------------------------------------------------------------------------

TEST(PerceptualDecision, ShowsTheCosinesOfTheChosenSide) {
  using Task = perceptual_decision;
  const Params p = defaults<Task>();
  ASSERT_EQ(Task::n_in(p.data()), 3);
  ASSERT_EQ(Task::n_out(p.data()), 3);
  ASSERT_EQ(Task::n_steps(p.data()), 8);
  const double coherences[] = {0, 6.4, 12.8, 25.6, 51.2};
  std::map<std::pair<int, int>, int> count;  // of (side, coherence)
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<Task>(p, {1, 0, i});
    const int side = d.label[7] - 1;
    ASSERT_TRUE(side == 0 || side == 1);
    expect_labels(d, 7, side + 1);
    const double coherence = 100 * (d.input(0, 1 + side) - d.input(0, 2 - side));
    int level = 0;
    while (level < 5 && std::fabs(coherences[level] - coherence) > 1e-9) ++level;
    ASSERT_LT(level, 5) << coherence;
    ++count[{side, level}];
    for (int t = 0; t < 7; ++t) {
      ASSERT_EQ(d.input(t, 0), 1);
      for (int j = 0; j < 2; ++j) {
        const double cosine = j == side ? 1 : -1;  // cos(theta_j - theta_side), theta = 0, pi
        ASSERT_NEAR(d.input(t, 1 + j), 0.5 + cosine * coherences[level] / 200, 1e-12);
      }
    }
    for (int j = 0; j < 3; ++j) ASSERT_EQ(d.input(7, j), 0);
  }
  expect_uniform(count, 10);
}
TEST(PerceptualDecision, NoiseIsOnTheStimulusOnly) {
  const Params p = defaults<perceptual_decision>();
  for (int t = 0; t < 8; ++t)
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(perceptual_decision::noise_sd(p.data(), t, i), i > 0 && t < 7 ? 0.1 : 0) << t << ' ' << i;
}
TEST(PerceptualDecision, TimingCoherenceAndIrrelevantChannelsAreParameters) {
  Params p = defaults<perceptual_decision>();
  p[0] = 3;
  p[1] = 0.25;
  p[2] = 0;
  p[3] = 4;
  ASSERT_EQ(perceptual_decision::n_in(p.data()), 7);
  ASSERT_EQ(perceptual_decision::n_steps(p.data()), 4);
  for (uint32_t i = 0; i < 100; ++i) {
    const Drawn<double> d = draw<perceptual_decision>(p, {1, 0, i});
    expect_labels(d, 3, d.label[3]);
    for (int t = 0; t < 4; ++t)
      for (int k = 1; k < 7; ++k) {
        ASSERT_EQ(d.input(t, k), t < 3 && k < 3 ? 0.5 : 0);
        ASSERT_EQ(perceptual_decision::noise_sd(p.data(), t, k), t < 3 ? 0.25 : 0);
      }
  }
}
TEST(PerceptualDecision, IdealObserverReachesTheCeiling) {
  const Params p = defaults<perceptual_decision>();
  double ceiling = 0;  // difference of the channels, summed over 7 steps
  for (double c : {0.0, 6.4, 12.8, 25.6, 51.2})
    ceiling += normal_cdf(c / 100 * std::sqrt(7.0) / (0.1 * std::sqrt(2.0))) / 5;
  EXPECT_NEAR(ceiling, 0.875, 0.0005);
  int right = 0;
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<perceptual_decision>(p, {2, 0, i}, true);
    double evidence = 0;
    for (int t = 0; t < 7; ++t) evidence += d.input(t, 1) - d.input(t, 2);
    right += d.label[7] == (evidence > 0 ? 1 : 2);
  }
  expect_accuracy(right, ceiling);
}

// ---- DMS ------------------------------------------------------------------------------------------------------------

TEST(DelayMatchSample, SaysWhetherTheTestIsTheSample) {
  using Task = delay_match_sample;
  const Params p = defaults<Task>();
  ASSERT_EQ(Task::n_in(p.data()), 3);
  ASSERT_EQ(Task::n_out(p.data()), 3);
  ASSERT_EQ(Task::n_steps(p.data()), 8);
  std::map<std::pair<int, int>, int> count;  // of (sample, test)
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<Task>(p, {1, 0, i});
    const int sample = d.input(0, 2) == 1, test = d.input(6, 2) == 1;
    ++count[{sample, test}];
    expect_labels(d, 7, sample == test ? 1 : 2);
    for (int t = 0; t < 8; ++t) {
      ASSERT_EQ(d.input(t, 0), t < 7);
      for (int s = 0; s < 2; ++s) ASSERT_EQ(d.input(t, 1 + s), (t == 0 && s == sample) || (t == 6 && s == test));
    }
  }
  expect_uniform(count, 4);
}
TEST(DelayMatchSample, NoiseIsOnTheStimuliOnly) {
  const Params p = defaults<delay_match_sample>();
  for (int t = 0; t < 8; ++t)
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(delay_match_sample::noise_sd(p.data(), t, i), i > 0 && (t == 0 || t == 6) ? 0.1 : 0) << t << ' ' << i;
}
TEST(DelayMatchSample, TimingIsAParameter) {
  Params p = {};
  p[0] = 4;    // delay
  p[1] = 0.3;  // noise
  p[2] = 2;    // sample
  p[3] = 3;    // test
  ASSERT_EQ(delay_match_sample::n_steps(p.data()), 10);
  for (uint32_t i = 0; i < 100; ++i) {
    const Drawn<double> d = draw<delay_match_sample>(p, {1, 0, i});
    const int sample = d.input(0, 2) == 1, test = d.input(6, 2) == 1;
    expect_labels(d, 9, sample == test ? 1 : 2);
    for (int t = 0; t < 10; ++t)
      for (int s = 0; s < 2; ++s) {
        ASSERT_EQ(d.input(t, 1 + s), t < 9 && ((t < 2 && s == sample) || (t >= 6 && s == test)));
        ASSERT_EQ(delay_match_sample::noise_sd(p.data(), t, 1 + s), t < 2 || (t >= 6 && t < 9) ? 0.3 : 0);
      }
  }
}
TEST(DelayMatchSample, IdealObserverIsAlwaysRight) {
  const Params p = defaults<delay_match_sample>();
  int right = 0;
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<delay_match_sample>(p, {2, 0, i}, true);
    const bool same = (d.input(0, 1) > d.input(0, 2)) == (d.input(6, 1) > d.input(6, 2));
    right += d.label[7] == (same ? 1 : 2);
  }
  expect_accuracy(right, 1);  // an error once in 10^12 trials
}

// ---- CXT ------------------------------------------------------------------------------------------------------------

TEST(ContextDecision, LabelIsTheSideOfTheModalityThatTheContextNames) {
  using Task = context_decision;
  const Params p = defaults<Task>();
  ASSERT_EQ(Task::n_in(p.data()), 7);
  ASSERT_EQ(Task::n_out(p.data()), 3);
  ASSERT_EQ(Task::n_steps(p.data()), 8);
  const double coherences[] = {5, 15, 50};
  std::map<std::array<int, 5>, int> count;  // of (context, side and coherence of modality 1, of modality 2)
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<Task>(p, {1, 0, i});
    const int context = d.input(0, 6) == 1;
    int side[2], level[2];
    for (int m = 0; m < 2; ++m) {
      const double signed_coherence = 100 * (d.input(0, 2 + 2 * m) - d.input(0, 1 + 2 * m));
      side[m] = signed_coherence > 0;
      for (level[m] = 0; level[m] < 3; ++level[m])
        if (std::fabs(std::fabs(signed_coherence) - coherences[level[m]]) < 1e-9) break;
      ASSERT_LT(level[m], 3) << signed_coherence;
    }
    ++count[{context, side[0], level[0], side[1], level[1]}];
    expect_labels(d, 7, 1 + side[context]);
    for (int t = 0; t < 8; ++t) {
      ASSERT_EQ(d.input(t, 0), t < 7);
      for (int c = 0; c < 2; ++c) ASSERT_EQ(d.input(t, 5 + c), c == context);
      for (int m = 0; m < 2; ++m)
        for (int s = 0; s < 2; ++s) {
          const double c = coherences[level[m]] / 100;
          ASSERT_NEAR(d.input(t, 1 + 2 * m + s), t >= 2 ? 0 : s == side[m] ? (1 + c) / 2 : (1 - c) / 2, 1e-12);
        }
    }
  }
  expect_uniform(count, 72);
}
TEST(ContextDecision, NoiseIsOnEveryChannelOfTheStimulus) {
  const Params p = defaults<context_decision>();
  for (int t = 0; t < 8; ++t)
    for (int i = 0; i < 7; ++i) EXPECT_EQ(context_decision::noise_sd(p.data(), t, i), t < 2 ? 0.1 : 0) << t << ' ' << i;
}
TEST(ContextDecision, TimingAndCoherenceAreParameters) {
  Params p = {};
  p[0] = 3;    // stimulus
  p[1] = 2;    // delay
  p[2] = 0.2;  // noise
  p[3] = 0.5;  // coherence
  ASSERT_EQ(context_decision::n_steps(p.data()), 6);
  std::set<int> seen;  // per mille
  for (uint32_t i = 0; i < 200; ++i) {
    const Drawn<double> d = draw<context_decision>(p, {1, 0, i});
    expect_labels(d, 5, d.label[5]);
    for (int t = 0; t < 6; ++t) {
      ASSERT_EQ(d.input(t, 0), t < 5);
      ASSERT_EQ(d.input(t, 5) + d.input(t, 6), 1);
      ASSERT_EQ(d.input(t, 1) + d.input(t, 2), t < 3);
      ASSERT_EQ(context_decision::noise_sd(p.data(), t, 0), t < 3 ? 0.2 : 0);
    }
    seen.insert(int(std::lround(1000 * std::fabs(d.input(0, 1) - d.input(0, 2)))));
  }
  EXPECT_EQ(seen, (std::set<int>{25, 75, 250}));
}
TEST(ContextDecision, IdealObserverReachesTheCeiling) {
  const Params p = defaults<context_decision>();
  double ceiling = 0;  // difference of the relevant channels, summed over 2 steps
  for (double c : {5.0, 15.0, 50.0}) ceiling += normal_cdf(c / 100 * std::sqrt(2.0) / (0.1 * std::sqrt(2.0))) / 3;
  EXPECT_NEAR(ceiling, 0.875, 0.0005);
  int right = 0, right_about_other = 0;
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<context_decision>(p, {2, 0, i}, true);
    const int m = d.input(7, 6) == 1;
    double evidence[2] = {};
    for (int k = 0; k < 2; ++k)
      for (int t = 0; t < 2; ++t) evidence[k] += d.input(t, 1 + 2 * k) - d.input(t, 2 + 2 * k);
    right += d.label[7] == (evidence[m] > 0 ? 1 : 2);
    right_about_other += d.label[7] == (evidence[1 - m] > 0 ? 1 : 2);
  }
  expect_accuracy(right, ceiling);
  expect_accuracy(right_about_other, 0.5);
}

// ---- noise ----------------------------------------------------------------------------------------------------------

// The helper's noise is a fair one; the ceilings above lean on that.
TEST(Noise, HasTheStandardDeviationThatTheTaskNames) {
  const Params p = defaults<context_decision>();
  std::vector<double> fixation, context;
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<context_decision>(p, {3, 0, i}, true);
    fixation.push_back(d.input(0, 0) - 1);
    context.push_back(d.input(1, 5) + d.input(1, 6) - 1);
    ASSERT_EQ(d.input(2, 0), 1);
  }
  expect_noise(fixation, 0.1);
  expect_noise(context, 0.1 * std::sqrt(2.0));
}

// ---- adding problem -------------------------------------------------------------------------------------------------

TEST(Adding, TargetIsTheSumOfTheTwoMarkedNumbers) {
  const Params p = defaults<adding>();
  ASSERT_EQ(adding::n_in(p.data()), 2);
  ASSERT_EQ(adding::n_out(p.data()), 1);
  ASSERT_EQ(adding::n_steps(p.data()), 20);
  std::map<std::pair<int, int>, int> count;  // of marked pairs
  std::vector<int> histogram(50);
  double sum = 0, square = 0;
  for (uint32_t i = 0; i < n_trials; ++i) {
    const Drawn<double> d = draw<adding>(p, {1, 0, i});
    std::vector<int> marked;
    double so_far = 0;
    for (int t = 0; t < 20; ++t) {
      const double u = d.input(t, 0), mask = d.input(t, 1);
      ASSERT_GT(u, 0);
      ASSERT_LT(u, 1);
      ASSERT_TRUE(mask == 0 || mask == 1);
      if (mask == 1) {
        marked.push_back(t);
        so_far += u;
      }
      ASSERT_DOUBLE_EQ(d.target[size_t(t)], so_far);
      ++histogram[size_t(u * 50)];
    }
    ASSERT_EQ(marked.size(), 2u);
    ++count[{marked[0], marked[1]}];
    sum += d.target[19] / n_trials;
    square += d.target[19] * d.target[19] / n_trials;
  }
  expect_uniform(count, 190);
  std::map<int, int> numbers;
  for (int k = 0; k < 50; ++k) numbers[k] = histogram[size_t(k)];
  expect_uniform(numbers, 50);
  EXPECT_NEAR(sum, 1, 5 * std::sqrt(1.0 / 6 / n_trials));  // the target's mean is 1 and its variance 1/6
  EXPECT_NEAR(square, 1 + 1.0 / 6, 0.02);
}
TEST(Adding, LengthIsAParameter) {
  for (int steps : {2, 3, 100}) {
    Params p = {};
    p[0] = steps;
    ASSERT_EQ(adding::n_steps(p.data()), steps);
    EXPECT_EQ(decision_step<adding>(p), steps - 1);
    for (uint32_t i = 0; i < 200; ++i) {
      const Drawn<double> d = draw<adding>(p, {1, 0, i});
      double marked = 0;
      for (int t = 0; t < steps; ++t) marked += d.input(t, 1);
      ASSERT_EQ(marked, 2);
    }
  }
}

// ---- MNIST ----------------------------------------------------------------------------------------------------------

template <class Task>
void shows_the_image(int n_steps) {
  const SmallImages images(30);
  Params p = defaults<Task>();
  ASSERT_EQ(Task::n_steps(p.data()), n_steps);
  ASSERT_EQ(Task::n_in(p.data()), 784 / n_steps);
  ASSERT_EQ(Task::n_out(p.data()), 10);
  EXPECT_EQ(decision_step<Task>(p), n_steps - 1);
  for (bool standardised : {false, true}) {
    if (standardised) p = {0.1307, 0.3081};
    for (int sample : {0, 7, 29}) {
      const Drawn<float> d = draw<Task, float>(p, {}, true, images.view(), sample);
      for (int label : d.label) ASSERT_EQ(label, sample % 10);
      for (int k = 0; k < 784; ++k) {
        const double value = images.pixel(sample, k) / 255.0;
        ASSERT_NEAR(double(d.x[size_t(k)]), standardised ? (value - 0.1307) / 0.3081 : value, 3e-7) << k;
      }
    }
  }
}
TEST(RowMnist, ShowsTheImageRowByRow) { shows_the_image<row_mnist>(28); }
TEST(FlatMnist, ShowsTheImageAtOnce) { shows_the_image<flat_mnist>(1); }

TEST(RowMnist, BlackAndWhiteAreExact) {
  std::vector<uint8_t> pixels(784, 255);
  pixels[0] = 0;
  const uint8_t label = 9;
  Dataset data;
  data.pixels = pixels.data();
  data.labels = &label;
  const Drawn<float> d = draw<row_mnist, float>(defaults<row_mnist>(), {}, true, data, 0);
  EXPECT_EQ(d.x[0], 0.0f);
  EXPECT_EQ(d.x[1], 1.0f);
}

// ---- language modelling ---------------------------------------------------------------------------------------------

TEST(LanguageModel, InputsAreEmbeddingsAndLabelsTheNextTokens) {
  const int vocabulary = 23, dimension = 6, steps = 5, n = 8;
  const SmallText text(vocabulary, dimension, steps, n);
  const Params p = {vocabulary, dimension, steps};
  ASSERT_EQ(language_model::n_in(p.data()), dimension);
  ASSERT_EQ(language_model::n_out(p.data()), vocabulary);
  ASSERT_EQ(language_model::n_steps(p.data()), steps);
  for (const int window : {0, 3, n - 1}) {
    const Drawn<float> d = draw<language_model, float>(p, {}, true, text.view(), window);
    for (int t = 0; t < steps; ++t) {
      EXPECT_TRUE(language_model::decision(p.data(), t));
      const int at = window * steps + t;
      EXPECT_EQ(d.label[size_t(t)], text.token(at + 1));
      EXPECT_EQ(d.weight[size_t(t)], 1);
      for (int i = 0; i < dimension; ++i) EXPECT_EQ(d.input(t, i), text.embedding(text.token(at), i));
    }
  }
}

}  // namespace
}  // namespace cohort::test
