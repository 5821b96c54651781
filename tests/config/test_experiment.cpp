// From a file to networks: defaults, inheritance, what follows from several keys, and the canonical text.
#include "config/experiment.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "analysis/analysis.h"
#include "config/schema.h"

namespace cohort::engine {
namespace {

const std::string head = "name = \"x\"\ntask.name = \"perceptual_decision\"\n";

ResolvedNetwork only(const std::string& text) { return Experiment::parse(head + text).network(0); }

// All names of the contract, with their defaults, in its order.
const std::string contract = R"(
name = "x"
seed = 0
[network]
core = "recurrent"
n_hidden = 64
n_layers = 1
activation = "relu"
alpha = 1.0
bias = false
parameterisation = "dense"
ei_ratio = 9.0
[init]
distribution = "normal"
gain = 1.25
rank = "full"
rank_rescale = "frobenius"
input = "uniform_fan_in"
readout = "uniform_fan_in"
pairing = "all"
[rule]
geometry = "euclidean"
p = 2.0
lr = 0.003
momentum = 0.9
weight_decay = 0.0
clip = 0.0
projection = "none"
schedule = "constant"
[rule.input]
lr = 0.003
[task]
name = "perceptual_decision"
batch = 32
loss = "cross_entropy"
[train]
steps = 2000
precision = "fp32"
[eval]
trials = 1024
every = 0
split = "test"
[analysis]
names = ["weight_change", "representation_alignment", "kernel_alignment", "svd_entropy", "effective_rank"]
probe_trials = 320
kernel_trials = 32
at = "ends"
tensors = ["recurrent"]
[output]
weights = "none"
history_every = 10
)";

TEST(Experiment, WhatIsLeftOutTakesTheContractsDefaults) {
  EXPECT_EQ(differences(Experiment::parse(head).canonical(), Experiment::parse(contract).canonical()),
            std::vector<std::string>{});
  EXPECT_EQ(Experiment::parse(head).canonical(), Experiment::parse(contract).canonical());
}

TEST(Experiment, DefaultsAreThoseOfThePublicRecords) {
  const ResolvedNetwork network = only("");
  NetSpec spec;
  EXPECT_EQ(network.spec.steps, spec.steps);
  EXPECT_EQ(network.spec.alpha, spec.alpha);
  EXPECT_EQ(network.spec.init.gain, spec.init.gain);
  EXPECT_EQ(network.spec.init.recurrent, spec.init.recurrent);
  EXPECT_EQ(network.spec.init.readout, spec.init.readout);
  EXPECT_EQ(network.spec.rule[0].lr, spec.rule[0].lr);
  EXPECT_EQ(network.spec.rule[3].momentum, spec.rule[3].momentum);
  EXPECT_EQ(network.spec.pairing_salt, 0u);
  const Signature& s = network.signature;
  EXPECT_EQ(s, (Signature{CoreId::recurrent, 3, 64, 1, 3, 0, 32, 8, 0}));
  EXPECT_TRUE(network.swept.empty());
}

TEST(Experiment, ReadsRunWideSettings) {
  const Experiment experiment =
      Experiment::parse(head +
                        "[eval]\ntrials = 7\nevery = 5\nsplit = \"validation\"\n[analysis]\nnames = "
                        "[\"weight_change\"]\nprobe_trials = 11\nkernel_trials = 3\n"
                        "at = \"log\"\nevery = 100\ntensors = [\"readout\", \"input\"]\nmax_kernel_rows = "
                        "99\n[output]\nweights = \"all\"\nhistory_every = 0\n");
  const RunSettings& s = experiment.settings();
  EXPECT_EQ(s.eval.trials, 7);
  EXPECT_EQ(s.eval.every, 5);
  EXPECT_EQ(s.eval.split, Split::validation);
  EXPECT_EQ(s.analysis.names, std::vector<std::string>{"weight_change"});
  EXPECT_EQ(s.analysis.probe_trials, 11);
  EXPECT_EQ(s.analysis.kernel_trials, 3);
  EXPECT_EQ(s.analysis.at, AnalysisSchedule::log);
  EXPECT_EQ(s.analysis.every, 100);
  EXPECT_EQ(s.analysis.tensors, (std::vector<Role>{Role::readout, Role::input}));
  EXPECT_EQ(s.analysis.max_kernel_rows, 99);
  EXPECT_EQ(s.output.weights, KeptWeights::all);
  EXPECT_EQ(s.output.history_every, 0);
  EXPECT_EQ(experiment.name(), "x");
}

TEST(Experiment, ReadsWhatIsEvaluated) {
  const RunSettings plain = Experiment::parse(head).settings();
  EXPECT_EQ(plain.eval.trials, default_trials);
  EXPECT_TRUE(plain.eval.also.empty());
  EXPECT_EQ(plain.eval.mean_of, 0);
  EXPECT_EQ(plain.data.validation, -1);
  const std::string images = "name = \"x\"\ntask.name = \"row_mnist\"\n";
  const RunSettings s = Experiment::parse(images +
                                          "task.validation = 10000\n[eval]\ntrials = \"all\"\nalso = [\"validation\", "
                                          "\"train\"]\nevery = 400\nmean_of = 5\n")
                            .settings();
  EXPECT_EQ(s.eval.trials, all_trials);
  EXPECT_EQ(s.eval.also, (std::vector<Split>{Split::validation, Split::train}));
  EXPECT_EQ(s.eval.mean_of, 5);  // at 400, 800, 1200, 1600 and at the end, 2000
  EXPECT_EQ(s.data.validation, 10000);
  EXPECT_EQ(Experiment::parse(images + "task.validation = 0\n").settings().data.validation, 0);
  // What a default comes to is what it says if it is given.
  EXPECT_EQ(Experiment::parse(images).canonical(), Experiment::parse(images + "eval.trials = \"all\"\n").canonical());
  EXPECT_EQ(Experiment::parse(head).canonical(), Experiment::parse(head + "eval.trials = 1024\n").canonical());
  const std::string both = "name = \"x\"\n[sweep]\n\"task.name\" = [\"row_mnist\", \"adding\"]\n";
  EXPECT_NE(Experiment::parse(both).canonical(), Experiment::parse("eval.trials = 1024\n" + both).canonical());
}

TEST(Experiment, FixedTrainingSetsCanBeSwept) {
  const Experiment e = Experiment::parse(head + "[sweep]\n\"task.samples\" = [0, 50]\n");
  EXPECT_EQ(e.network(0).spec.task.samples, 0);
  EXPECT_EQ(e.network(1).spec.task.samples, 50);
}

TEST(Experiment, PrecisionIsPartOfTheSignatureAndCanBeSwept) {
  EXPECT_EQ(only("").signature.precision, Precision::fp32);
  EXPECT_EQ(only("train.precision = \"fp16\"\n").signature.precision, Precision::fp16);
  const Experiment experiment =
      Experiment::parse(head + "[sweep]\n\"train.precision\" = [\"fp32x3\", \"fp32\", \"fp16\"]\n");
  ASSERT_EQ(experiment.size(), 3);
  const Precision expected[] = {Precision::fp32x3, Precision::fp32, Precision::fp16};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(experiment.network(i).signature.precision, expected[i]);
    EXPECT_EQ(experiment.network(i).swept[0].second, Value(std::string(info(expected[i]).name)));
  }
}

TEST(Experiment, TensorsInheritTheRuleAndOverrideIt) {
  const auto lr = [](const ResolvedNetwork& n) {
    return std::vector<double>{n.spec.rule[0].lr, n.spec.rule[1].lr, n.spec.rule[2].lr, n.spec.rule[3].lr};
  };
  EXPECT_EQ(lr(only("rule.lr = 0.5\n")), (std::vector<double>{0.5, 0.5, 0.5, 0.5}));
  EXPECT_EQ(lr(only("[rule.recurrent]\nlr = 0.1\n[rule]\nlr = 0.5\n")), (std::vector<double>{0.5, 0.1, 0.5, 0.5}));
  EXPECT_EQ(lr(only("[rule.bias]\nlr = 0.1\n[sweep]\nrule.lr = [0.7]\n")), (std::vector<double>{0.7, 0.7, 0.7, 0.1}));
  EXPECT_EQ(lr(only("[rule]\nlr = 0.5\n[sweep]\nrule.input.lr = [0.7]\n")), (std::vector<double>{0.7, 0.5, 0.5, 0.5}));
}

TEST(Experiment, BiasesStayFreeOfMapsThatZeroNeverLeaves) {
  const ResolvedNetwork network = only("rule.geometry = \"neg_entropy\"\nrule.projection = \"frozen_sign\"\n");
  EXPECT_EQ(network.spec.rule[int(Role::recurrent)].geometry, GeometryId::neg_entropy);
  EXPECT_EQ(network.spec.rule[int(Role::readout)].projection, ProjectionId::frozen_sign);
  EXPECT_EQ(network.spec.rule[int(Role::bias)].geometry, GeometryId::euclidean);
  EXPECT_EQ(network.spec.rule[int(Role::bias)].projection, ProjectionId::none);
  EXPECT_EQ(only("rule.bias.geometry = \"hypentropy\"\n").spec.rule[int(Role::bias)].geometry, GeometryId::hypentropy);
}

TEST(Experiment, ClippingIsEitherGlobalOrPerTensor) {
  const NetSpec global = only("rule.clip = 3\n").spec,
                tensor = only("rule.clip = 3\nrule.clip_scope = \"tensor\"\nrule.readout.clip = 1\n").spec;
  EXPECT_EQ(global.clip, 3);
  EXPECT_EQ(global.rule[0].clip, 0);
  EXPECT_EQ(tensor.clip, 0);
  EXPECT_EQ(tensor.rule[0].clip, 3);
  EXPECT_EQ(tensor.rule[2].clip, 1);
  EXPECT_EQ(tensor.clip_scope, ClipScope::tensor);
}

TEST(Experiment, ACellIsClippedByOneLimit) {
  const NetSpec cell = only("rule.clip = 3\nrule.clip_scope = \"cell\"\n").spec;
  EXPECT_EQ(cell.clip_scope, ClipScope::cell);
  EXPECT_EQ(cell.clip, 3);
  for (const RuleSpec& rule : cell.rule) EXPECT_EQ(rule.clip, 0);
}

TEST(Experiment, CorrectionsAreOnUnlessTurnedOff) {
  const std::string dann = "network.parameterisation = \"dann\"\n";
  const FisherSpec published = only(dann).spec.fisher, off = only(dann + "rule.fisher = false\n").spec.fisher,
                   other = only(dann +
                                "rule.fisher_ix = 0.25\nrule.fisher_ei = 0\nrule.fisher_alpha_rows = "
                                "1\nrule.fisher_alpha_cols = 2\n")
                               .spec.fisher;
  const auto exponents = [](const FisherSpec& f) {
    return std::vector<double>{f.ix_rows, f.ei_cols, f.alpha_rows, f.alpha_cols};
  };
  EXPECT_EQ(exponents(published), (std::vector<double>{.5, 1, .5, 1}));
  EXPECT_EQ(exponents(off), (std::vector<double>{0, 0, 0, 0}));
  EXPECT_EQ(exponents(other), (std::vector<double>{.25, 0, 1, 2}));
  const Experiment swept = Experiment::parse(head + dann + "[sweep]\n\"rule.fisher\" = [true, false]\n");
  EXPECT_EQ(swept.network(0).spec.fisher.ei_cols, 1);
  EXPECT_EQ(swept.network(1).spec.fisher.ei_cols, 0);
}

TEST(Experiment, RatesMayMindTheClamp) {
  const NetSpec spec = only(
                           "network.parameterisation = \"dann\"\n[rule]\nlr = 0.5\nmomentum = 0\nlr_search = "
                           "9\nlr_min = 0.1\nlr_tolerance = 0.02\n[rule.bias]\nlr_min = 0.2\n")
                           .spec;
  EXPECT_EQ(spec.search.candidates, 9);
  EXPECT_EQ(spec.search.tolerance, 0.02);
  EXPECT_EQ(spec.rule[int(Role::recurrent)].lr_min, 0.1);
  EXPECT_EQ(spec.rule[int(Role::bias)].lr_min, 0.2);
  EXPECT_EQ(only("").spec.search.candidates, 0);
}

TEST(Experiment, BiasesMayHaveParts) {
  const auto parts = [](const std::string& more) {
    const Signature g = only("network.n_dense_layers = 1\nnetwork.bias = true\n" + more).signature;
    return std::vector<int>{tensor(g, bias_tensor(0)).cols, tensor(g, bias_tensor(1)).cols,
                            tensor(g, readout_bias_tensor(g)).cols};
  };
  EXPECT_EQ(parts(""), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(parts("init.bias = \"uniform\"\n"), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(parts("init.bias = \"split\"\n"), (std::vector<int>{2, 2, 2}));
  EXPECT_EQ(parts("network.recurrent_biases = 2\n"), (std::vector<int>{2, 1, 1}));
  EXPECT_EQ(parts("network.recurrent_biases = 2\ninit.bias = \"split\"\n"), (std::vector<int>{4, 2, 2}));
  EXPECT_EQ(only("").signature.bias, 0);
  const Experiment swept = Experiment::parse(
      head +
      "network.bias = true\nrule.bias.geometry = \"neg_entropy\"\n[sweep]\n\"init.bias\" = [\"uniform\", "
      "\"split\"]\n");
  EXPECT_EQ(swept.network(0).spec.init.bias, BiasStart::uniform);
  EXPECT_EQ(swept.network(1).signature.bias, 2);
}

TEST(Experiment, AdamIsOfAllTensorsOrOfOne) {
  const NetSpec all = only("[rule]\nadam = true\nadam_beta1 = 0.8\nadam_beta2 = 0.95\nadam_epsilon = 1e-6\n").spec,
                one = only("rule.recurrent.adam = true\nrule.recurrent.adam_beta2 = 0.5\n").spec;
  for (const RuleSpec& rule : all.rule) {
    EXPECT_TRUE(rule.adam);
    EXPECT_EQ(rule.adam_beta1, 0.8);
    EXPECT_EQ(rule.adam_beta2, 0.95);
    EXPECT_EQ(rule.adam_epsilon, 1e-6);
  }
  for (int role = 0; role < n_roles; ++role) {
    EXPECT_EQ(one.rule[role].adam, Role(role) == Role::recurrent);
    EXPECT_EQ(one.rule[role].adam_beta2, Role(role) == Role::recurrent ? 0.5 : 0.999);
  }
  EXPECT_TRUE(has_adam(one));
  EXPECT_FALSE(has_adam(only("").spec));
  // Momentum may differ between cases: where Adam is, it is left at its default.
  const Experiment cases =
      Experiment::parse(head + "[[sweep.case]]\n\"rule.momentum\" = 0.5\n[[sweep.case]]\n" + "\"rule.adam\" = true\n");
  EXPECT_FALSE(has_adam(cases.network(0).spec));
  EXPECT_TRUE(has_adam(cases.network(1).spec));
}

TEST(Experiment, NaturalGradientsAreForFeedforwardNetworks) {
  const NetSpec spec = only(
                           "[network]\ncore = \"feedforward\"\ncell = \"dann\"\nn_inhibitory = 1\n[rule]\nlr = "
                           "300\nmomentum = 0\nfisher = false\nnatural = true\n")
                           .spec;
  EXPECT_EQ(spec.natural.on, 1);
  EXPECT_EQ(spec.natural.decay, .02);
  EXPECT_EQ(spec.natural.scale, 2.5e-5);
  EXPECT_EQ(only("").spec.natural.on, 0);
}

TEST(Experiment, StartsOfFeedforwardNetworksFollowTheirCells) {
  const auto starts = [](const std::string& cell) {
    return only("network.core = \"feedforward\"\nnetwork.cell = \"" + cell + "\"\n").spec.init;
  };
  for (const auto& [cell, id] : {std::pair{"dense", DistributionId::he_normal},
                                 {"layer_norm", DistributionId::he_normal},
                                 {"batch_norm", DistributionId::he_normal},
                                 {"column_ei", DistributionId::column_ei_balanced},
                                 {"dann", DistributionId::dann_feedforward},
                                 {"dann_subtractive", DistributionId::dann_feedforward}}) {
    EXPECT_EQ(starts(cell).input, id) << cell;
    EXPECT_EQ(starts(cell).readout, id) << cell;
  }
  EXPECT_EQ(only("").spec.init.input, DistributionId::uniform_fan_in);
  const InitSpec given = only(
                             "[network]\nparameterisation = \"column_ei\"\nbias = true\n[init]\nzero_diagonal = "
                             "false\ninput_mean = 0.1307\nreadout = \"he_normal\"\n")
                             .spec.init;
  EXPECT_EQ(given.zero_diagonal, 0);
  EXPECT_EQ(given.input_mean, .1307);
  EXPECT_EQ(given.readout, DistributionId::he_normal);
  EXPECT_EQ(only("").spec.init.zero_diagonal, 1);
  EXPECT_EQ(only("init.input_mean = 0.5\n").spec.init.input_mean, 0.5);  // of column_ei alone, which a sweep may hold
}

TEST(Experiment, ParameterisationsBringTheirStartsAndProjections) {
  const ResolvedNetwork ei = only("network.parameterisation = \"column_ei\"\n");
  EXPECT_EQ(ei.spec.init.recurrent, DistributionId::column_ei_balanced);
  EXPECT_EQ(ei.spec.init.input, DistributionId::column_ei_balanced);
  EXPECT_EQ(ei.spec.rule[1].projection, ProjectionId::clamp);
  EXPECT_EQ(ei.spec.rule[3].projection, ProjectionId::none);
  EXPECT_EQ(ei.spec.n_excitatory, 57);  // ceil(64 / 10) = 7 inhibitory
  EXPECT_EQ(ei.signature.n_inhibitory, 0);
  EXPECT_EQ(only("network.parameterisation = \"column_ei\"\nrule.projection = \"none\"\n").spec.rule[1].projection,
            ProjectionId::none);

  const ResolvedNetwork dann = only("network.parameterisation = \"dann\"\n");
  EXPECT_EQ(dann.spec.init.readout, DistributionId::dann);
  EXPECT_EQ(dann.spec.rule[0].projection, ProjectionId::clamp);
  EXPECT_EQ(dann.signature.n_inhibitory, 6);
  EXPECT_EQ(only("network.parameterisation = \"dann\"\nnetwork.n_hidden = 5\n").signature.n_inhibitory, 1);
  EXPECT_EQ(only("network.parameterisation = \"dann\"\nnetwork.n_inhibitory = 9\n").signature.n_inhibitory, 9);
  EXPECT_EQ(only("network.n_inhibitory = 9\n").signature.n_inhibitory, 0);
}

TEST(Experiment, DenseLayersComeOnTopOfRecurrentOnes) {
  const Signature g = only("network.n_layers = 3\nnetwork.n_dense_layers = 2\n").signature;
  EXPECT_EQ(g.n_layers, 5);
  EXPECT_EQ(g.n_dense, 2);
  EXPECT_EQ(only("").signature.n_dense, 0);
  EXPECT_EQ(only("network.n_dense_layers = 7\n").signature.n_layers, 8);
  const Experiment swept = Experiment::parse(head + "[sweep]\n\"network.n_dense_layers\" = [0, 1]\n");
  EXPECT_EQ(swept.network(0).signature.n_layers, 1);
  EXPECT_EQ(swept.network(1).signature.n_layers, 2);
}

TEST(Experiment, LanguageModelsHaveTheShapesOfTheirData) {
  const Signature g =
      Experiment::parse("name = \"x\"\n[task]\nname = \"language_model\"\nvocabulary = 41\ndimension = 9\nsteps = 7\n")
          .network(0)
          .signature;
  EXPECT_EQ(g.n_out, 41);
  EXPECT_EQ(g.n_in, 9);
  EXPECT_EQ(g.n_steps, 7);
}

TEST(Experiment, FeedforwardNetworksHaveCellsAndWidths) {
  const std::string core = "network.core = \"feedforward\"\n";
  const ResolvedNetwork plain = only(core + "network.n_hidden = 500\nnetwork.n_layers = 3\n");
  EXPECT_EQ(plain.signature.core, CoreId::feedforward);
  EXPECT_EQ(plain.signature.cell, CellId::dense);
  EXPECT_EQ(layer_width(plain.signature, 2), 500);
  EXPECT_EQ(layer_width(plain.signature, 3), plain.signature.n_out);
  EXPECT_EQ(plain.spec.rule[int(Role::input)].projection, ProjectionId::none);

  const Signature wide = only(core + "network.widths = [7, 20, 20, 3]\n").signature;
  EXPECT_EQ(wide.n_layers, 4);
  EXPECT_EQ(wide.n_hidden, 20);
  for (const auto& [layer, width] : {std::pair{0, 7}, {1, 20}, {2, 20}, {3, 3}})
    EXPECT_EQ(layer_width(wide, layer), width) << layer;
  EXPECT_EQ(only(core + "network.widths = [9, 9]\n").signature,
            only(core + "network.n_hidden = 9\nnetwork.n_layers = 2\n").signature);

  const ResolvedNetwork dann =
      only(core + "network.cell = \"dann\"\nnetwork.widths = [500, 200]\nnetwork.bias = true\n");
  EXPECT_EQ(dann.spec.parameterisation, ParameterisationId::dann);
  const auto inhibitory = [&](int layer) {
    return tensor(dann.signature, input_tensor(dann.signature, layer)).n_inhibitory;
  };
  EXPECT_EQ(inhibitory(0), 50);
  EXPECT_EQ(inhibitory(1), 20);
  EXPECT_EQ(inhibitory(2), 1);  // of the readout
  EXPECT_EQ(tensor(dann.signature, layer_alpha_tensor(1)).size(), 20u);
  EXPECT_EQ(tensor(dann.signature, layer_gain_tensor(1)).size(), 200u);
  for (const Role role : {Role::input, Role::readout, Role::gain})
    EXPECT_EQ(dann.spec.rule[int(role)].projection, ProjectionId::clamp) << int(role);
  for (const Role role : {Role::bias, Role::alpha})
    EXPECT_EQ(dann.spec.rule[int(role)].projection, ProjectionId::none) << int(role);

  EXPECT_EQ(only(core + "network.cell = \"dann_subtractive\"\n").spec.parameterisation, ParameterisationId::dann);
  const ResolvedNetwork ei =
      only(core + "network.cell = \"column_ei\"\nnetwork.n_hidden = 550\nnetwork.ei_ratio = 10\n");
  EXPECT_EQ(ei.spec.parameterisation, ParameterisationId::column_ei);
  EXPECT_EQ(ei.spec.n_excitatory, 500);
  EXPECT_EQ(only(core + "network.n_layers = 0\n").signature.n_layers, 0);
  const Experiment swept = Experiment::parse(head + core + "[sweep]\n\"network.widths\" = [[5], [6, 7]]\n");
  EXPECT_EQ(layer_width(swept.network(1).signature, 0), 6);
  EXPECT_EQ(to_toml(swept.network(1).swept.front().second), "[6, 7]");
  EXPECT_EQ(
      only(core + "network.cell = \"batch_norm\"\nnetwork.norm = \"published\"\nnetwork.normalised_readout = true\n")
          .spec.norm,
      NormForm::published);
}

TEST(Experiment, TheRatioGivesTheInhibitoryUnits) {
  const auto inhibitory = [](int n, const char* ratio) {
    const ResolvedNetwork network =
        only("network.n_hidden = " + std::to_string(n) + "\nnetwork.ei_ratio = " + ratio + "\n");
    return n - network.spec.n_excitatory;
  };
  EXPECT_EQ(inhibitory(100, "9"), 10);
  EXPECT_EQ(inhibitory(101, "9"), 11);
  EXPECT_EQ(inhibitory(100, "99"), 1);
  EXPECT_EQ(inhibitory(100, "1"), 50);
  EXPECT_EQ(inhibitory(110, "0.1"), 100);
  EXPECT_EQ(inhibitory(100, "4"), 20);
}

TEST(Experiment, InterneuronsPerTensorAndByRatio) {
  const auto dann = [](const std::string& more) {
    return only("network.n_hidden = 100\nnetwork.parameterisation = \"dann\"\n" + more).signature;
  };
  const Signature plain = dann("");
  EXPECT_EQ(plain.n_inhibitory, 10);
  const Signature own =
      dann("network.n_inhibitory = 5\nnetwork.n_inhibitory_recurrent = 50\nnetwork.n_inhibitory_readout = 2\n");
  EXPECT_EQ(tensor(own, input_tensor(0)).n_inhibitory, 5);
  EXPECT_EQ(tensor(own, recurrent_tensor(0)).n_inhibitory, 50);
  EXPECT_EQ(tensor(own, readout_tensor(own)).n_inhibitory, 2);
  EXPECT_EQ(dann("network.n_inhibitory_recurrent = 10\nnetwork.n_inhibitory_readout = 10\n"), plain);
  EXPECT_EQ(only("network.n_hidden = 100\nnetwork.n_inhibitory_recurrent = 50\n").signature.n_inhibitory_recurrent, 0);
  // The sweep over inhibitory fractions is one axis for both models.
  for (const auto& [ratio, wanted] : {std::pair("99", 1), std::pair("9", 10), std::pair("1", 50)}) {
    const std::string by_ratio = "network.inhibitory_from = \"ratio\"\nnetwork.ei_ratio = " + std::string(ratio) + "\n";
    EXPECT_EQ(dann(by_ratio).n_inhibitory, wanted);
    EXPECT_EQ(only("network.n_hidden = 100\nnetwork.parameterisation = \"column_ei\"\n" + by_ratio).spec.n_excitatory,
              100 - wanted);
    const Signature as_run = dann(by_ratio + "network.n_inhibitory_recurrent = 50\n");
    EXPECT_EQ(tensor(as_run, recurrent_tensor(0)).n_inhibitory, 50);
    EXPECT_EQ(tensor(as_run, input_tensor(0)).n_inhibitory, wanted);
  }
}

TEST(Experiment, TransplantsAreOfAllWeightsUnlessToldOtherwise) {
  const auto roles = [](const std::string& more) { return only(more).spec.init.transplant.roles; };
  EXPECT_EQ(roles(""), 0);
  EXPECT_EQ(roles("init.values_of = \"column_ei\"\n"), 7);
  EXPECT_EQ(roles("init.vectors_of = \"dense\"\ninit.transplant = [\"recurrent\"]\n"), 2);
  EXPECT_EQ(roles("init.transplant = [\"input\", \"readout\"]\n"), 5);
  const NetSpec spec = only("init.vectors_of = \"dann\"\ninit.values_of = \"column_ei\"\n").spec;
  EXPECT_EQ(spec.init.transplant.vectors_of, Donor::dann);
  EXPECT_EQ(spec.init.transplant.values_of, Donor::column_ei);
  EXPECT_EQ(spec.init.transplant.n_inhibitory, 6);
  EXPECT_EQ(spec.init.transplant.spectral_radius, 1.5);
}

TEST(Experiment, FullRankIsZero) {
  EXPECT_EQ(only("init.rank = \"full\"\n").spec.init.rank, 0);
  EXPECT_EQ(only("init.rank = 64\n").spec.init.rank, 0);
  EXPECT_EQ(only("init.rank = 63\n").spec.init.rank, 63);
  EXPECT_EQ(only("init.rank = 63\ninit.distribution = \"orthogonal\"\n").spec.init.rank, 63);
  EXPECT_EQ(only("init.rank = 64\nnetwork.parameterisation = \"dann\"\n").spec.init.rank, 0);
}

TEST(Experiment, TasksBringTheirParametersLossAndShape) {
  const ResolvedNetwork longer = only("task.stimulus_steps = 10\ntask.irrelevant = 2\ntask.noise = 1\n");
  EXPECT_EQ(longer.signature.n_steps, 11);
  EXPECT_EQ(longer.signature.n_in, 5);
  EXPECT_EQ(longer.spec.task.param[1], 1.0);

  const Experiment all =
      Experiment::parse("name = \"x\"\n[sweep]\ntask.name = [\"perceptual_decision\", \"adding\", \"row_mnist\"]\n");
  for (int64_t i = 0; i < 3; ++i) {
    const ResolvedNetwork network = all.network(i);
    const TaskInfo& info = task_info(network.spec.task.id);
    EXPECT_EQ(network.spec.task.loss, info.loss);
    EXPECT_EQ(network.spec.task.loss_steps, info.loss_steps);
    for (int k = 0; k < info.n_params; ++k) EXPECT_EQ(network.spec.task.param[k], info.params[k].value);
    EXPECT_EQ(network.signature.n_out, info.n_out(network.spec.task.param));
  }
  EXPECT_EQ(all.network(2).signature.n_in, 28);
}

TEST(Experiment, SweptTasksKeepTheirOwnPlacesForSharedParameters) {
  const Experiment experiment = Experiment::parse(
      "name = \"x\"\ntask.noise = 0.5\n[sweep]\ntask.name = [\"perceptual_decision\", \"delay_match_sample\", "
      "\"context_decision\"]\n");
  for (int64_t i = 0; i < 3; ++i) {
    const ResolvedNetwork network = experiment.network(i);
    const TaskInfo& info = task_info(network.spec.task.id);
    for (int k = 0; k < info.n_params; ++k)
      EXPECT_EQ(network.spec.task.param[k],
                std::strcmp(info.params[k].name, "noise") == 0 ? 0.5 : info.params[k].value);
  }
}

TEST(Experiment, PairingOfRecurrentWeightsSaltsByTheSweptValues) {
  const std::string sweep = "[sweep]\ninit.rank = [1, 2]\nseed = {range = [0, 2]}\n";
  const Experiment all = Experiment::parse(head + sweep),
                   recurrent = Experiment::parse(head + "init.pairing = \"recurrent\"\n" + sweep);
  std::vector<uint32_t> salts;
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(all.network(i).spec.pairing_salt, 0u);
    salts.push_back(recurrent.network(i).spec.pairing_salt);
    EXPECT_NE(salts.back(), 0u);
  }
  EXPECT_EQ(salts[0], salts[1]);  // seeds differ
  EXPECT_EQ(salts[2], salts[3]);
  EXPECT_NE(salts[0], salts[2]);  // ranks differ
}

TEST(Experiment, CanonicalTextsAreEqualForEqualMeaning) {
  const std::string a = Experiment::parse(head + "rule.lr = 1\nseed = 3 # comment\n").canonical();
  const std::string b = Experiment::parse(
                            "# other order\nseed = 0x3\nname = \"x\"\n[task]\nname = "
                            "\"perceptual_decision\"\n[rule]\nlr = 1.0\n[rule.input]\nlr = 1.0")
                            .canonical();
  EXPECT_EQ(a, b);
  EXPECT_EQ(a, Experiment::parse(head, "x", {"seed=3", "rule.lr=1"}).canonical());
}

TEST(Experiment, DifferencesAreNamedByKey) {
  const std::string before = Experiment::parse(head).canonical();
  const auto lines = [&](const std::string& text) {
    return differences(before, Experiment::parse(head + text).canonical());
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines(""), Lines{});
  EXPECT_EQ(lines("rule.lr = 0.5\n"), Lines{"rule.lr: 0.003 -> 0.5"});
  EXPECT_EQ(lines("rule.bias.lr = 0.5\n"), Lines{"rule.bias.lr: (none) -> 0.5"});
  EXPECT_EQ(lines("[sweep]\nseed = {range = [0, 3]}\n"),
            (Lines{"seed: 0 -> {range = [0, 3, 1]}", "order of axes: [] -> [[\"seed\"]]"}));
  EXPECT_THROW(differences(before, "nonsense"), Error);
  EXPECT_THROW(differences("{\"keys\": 3}", before), Error);
}

// ---- the table itself

TEST(Schema, EveryKeyIsDocumentedAndHasADefaultOrSaysWhere) {
  std::set<std::string> paths;
  for (const Key& key : schema()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path;
    EXPECT_FALSE(key.doc.empty()) << key.path;
    EXPECT_EQ(int(key.fallback.has_value()) + int(!key.derived.empty()) + int(key.required), 1) << key.path;
    EXPECT_EQ(int(bool(key.set)) + int(bool(key.set_run)), key.path == "name" ? 0 : 1) << key.path;
    EXPECT_EQ(key.swept, bool(key.set)) << key.path;
    EXPECT_FALSE(allowed(key).empty());
  }
}

TEST(Schema, DefaultsAreAllowedValues) {
  for (const Key& key : schema()) {
    if (!key.fallback) continue;
    std::string text = head;
    text += key.path + " = " + to_toml(*key.fallback) + "\n";
    if (key.path.starts_with("rule.") && key.path.ends_with(".clip")) text += "rule.clip_scope = \"tensor\"\n";
    EXPECT_NO_THROW(Experiment::parse(text)) << key.path;
  }
}

TEST(Schema, NoTaskParameterHidesAKey) {
  for (int task = 0; task < n_tasks; ++task) {
    const TaskId id = TaskId(task);
    for (const Key& key : task_keys({&id, 1})) EXPECT_EQ(find_key(key.path), nullptr) << key.path;
    EXPECT_LE(task_info(id).n_params, max_task_params);
  }
}

TEST(Schema, EveryRegisteredWordIsAllowed) {
  for (int i = 0; i < n_tasks; ++i)
    EXPECT_NO_THROW(
        Experiment::parse("name = \"x\"\ntask.name = \"" + std::string(task_info(TaskId(i)).name) + "\"\n"));
  for (int i = 0; i < n_geometries; ++i)
    EXPECT_EQ(only("rule.geometry = \"" + std::string(info(GeometryId(i)).name) + "\"\n").spec.rule[1].geometry,
              GeometryId(i));
  for (int i = 0; i < n_activations; ++i)
    EXPECT_EQ(only("network.activation = \"" + std::string(info(ActivationId(i)).name) + "\"\n").spec.activation,
              ActivationId(i));
  for (int i = 0; i < n_projections; ++i)
    EXPECT_EQ(only("rule.projection = \"" + std::string(info(ProjectionId(i)).name) + "\"\n").spec.rule[1].projection,
              ProjectionId(i));
  for (const Analysis& analysis : analyses())
    EXPECT_NO_THROW(only("analysis.names = [\"" + std::string(analysis.name) + "\"]\n"));
}

}  // namespace
}  // namespace cohort::engine
