// Bad input: every wrong file is refused with one line that points to the place and names the word.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "config/experiment.h"

namespace cohort::engine {
namespace {

using namespace std::string_literals;

// Two good lines, so what a case adds starts at line 3.
const std::string good = "name = \"x\"\ntask.name = \"perceptual_decision\"\n";

std::string message(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    Experiment::parse(text, "x.toml", overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string repeated(const std::string& part, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += part;
  return text;
}

struct Case {
  std::string text;
  const char* at;  // "LINE:COLUMN"
  std::vector<const char*> words;
};

std::string with_head(const std::string& text) { return good + text; }

// Three lines before lr_search, or four of a network that could have natural gradients.
const std::string dann = "network.parameterisation = \"dann\"\n[rule]\nmomentum = 0\n";
const std::string neuron = "name = \"x\"\ntask.name = \"r_of_k\"\n";
const std::string natural = "network.core = \"feedforward\"\n[rule]\nmomentum = 0\nnatural = true\n";

const Case cases[] = {
    // Files.
    {"", "1:1", {"empty", "name", "task.name"}},
    {"# nothing but a comment\n", "1:1", {"task.name", "missing", "perceptual_decision"}},
    {"task.name = \"adding\"\n", "1:1", {"'name' is missing"}},
    {"name = \"x\"\n", "1:1", {"'task.name' is missing"}},
    {good + "\0\0\0"s, "3:1", {"0x00", "binary"}},
    {"\x7f"
     "ELF\x02\x01\x01"s,
     "1:1",
     {"not TOML"}},
    {"name = \"\xc3\x28\"\n", "1:9", {"0xC3", "UTF-8"}},
    {"name = \"\xed\xa0\x80\"\n", "1:9", {"0xED"}},
    {"name = \"\xc0\xaf\"\n", "1:9", {"0xC0"}},
    {"# \xc3\xa4\xc3\xa4\nname = \"\xc3\xa4\xff\"\n", "2:10", {"0xFF"}},
    {std::string(65537, '#'), "1:1", {"64 KB"}},
    {good + "# " + std::string(65536, 'x'), "1:1", {"64 KB"}},
    {with_head("seed = \n"), "3:8", {"not TOML"}},
    {with_head("seed = 1\nseed = 2\n"), "4:8", {"seed"}},
    {with_head("[network\nbias = true\n"), "3:9", {"not TOML"}},
    {with_head("seed = 99999999999999999999\n"), "3:", {"not TOML"}},
    {with_head("= 4\n"), "3:1", {"not TOML"}},
    {with_head("seed = [}\n"), "3:9", {"not TOML", "'}'"}},
    {with_head("seed = [1\n]]\n"), "4:2", {"not TOML", "']'"}},
    {with_head("seed\xc2\xa0= 1\n"), "3:5", {"not TOML", "ASCII"}},
    {with_head("[.]\n"), "3:2", {"not TOML", "key"}},
    {with_head("[[ ]]\n"), "3:4", {"not TOML", "key"}},
    // Depth.
    {with_head(repeated("a.", 29999) + "a = 1\n"), "3:64", {"32"}},
    {with_head("[" + repeated("a.", 29999) + "a]\n"), "3:65", {"32"}},
    {with_head("[[" + repeated("\"a\".", 15000) + "a]]\n"), "3:", {"32"}},
    {with_head("seed = " + repeated("[", 30000)), "3:39", {"32"}},
    {with_head("seed = " + repeated("{a=", 20000)), "3:", {"32"}},
    {with_head("seed = [ \"\"\"a\"\"\"\", {" + repeated("a.", 20000) + "a=1} ]\n"), "3:", {"32"}},
    {with_head("[" + repeated("a.", 20) + "a]\n" + repeated("b.", 20) + "b = 1\n"), "4:", {"32"}},
    {with_head("seed = [\n#[[[\n" + repeated("[\n", 40)), "35:1", {"32"}},
    // Unknown keys.
    {with_head("[network]\nn_hiden = 64\n"), "4:1", {"network.n_hiden", "did you mean 'network.n_hidden'?"}},
    {with_head("[netwrok]\nn_hidden = 64\n"), "4:1", {"netwrok.n_hidden", "did you mean 'network.n_hidden'?"}},
    {with_head("n_hidden = 64\n"), "3:1", {"n_hidden", "did you mean 'network.n_hidden'?"}},
    {with_head("[network]\nrank = 4\n"), "4:1", {"network.rank", "did you mean 'init.rank'?"}},
    {with_head("[rule]\nlearning_rate = 1\n"), "4:1", {"rule.learning_rate", "allowed in [rule]", "lr"}},
    {with_head("[rule.inputs]\nlr = 1\n"), "4:1", {"rule.inputs.lr", "did you mean 'rule.input.lr'?"}},
    {with_head("[rule.recurrent]\nmomentun = 0.5\n"), "4:1", {"did you mean 'rule.recurrent.momentum'?"}},
    {with_head("[rule.recurrent]\nclip_scope = \"tensor\"\n"),
     "4:1",
     {"rule.recurrent.clip_scope", "did you mean 'rule.clip_scope'?"}},
    {with_head("task.coherense = 1\n"), "3:6", {"did you mean 'task.coherence'?"}},
    {with_head("task.delay_steps = 1\n"), "3:6", {"task.delay_steps"}},
    {neuron + "task.relevant = 300\n", "3:17", {"task.relevant = 300", "task.inputs = 200", "up to 200"}},
    {neuron + "[sweep]\n\"task.inputs\" = [200, 99]\n", "4:23", {"task.relevant = 100", "task.inputs = 99"}},
    {neuron + "task.threshold = 2.5\n", "3:18", {"task.threshold", "integer"}},
    {neuron + "task.label_noise = 0.6\n", "3:20", {"task.label_noise", "0.5"}},
    {neuron + "task.loss = \"cross_entropy\"\n", "3:13", {"r_of_k", "mse, bce"}},
    {with_head("[completely]\nelsewhere = 1\n"), "4:1", {"completely.elsewhere", "allowed tables", "network"}},
    {with_head("[completely]\n"), "3:2", {"completely"}},
    {with_head("\"a\\nb\" = 1\n"), "3:1", {"\"a\\nb\""}},
    {with_head("\"" + std::string(5000, 'k') + "\" = 1\n"), "3:1", {"kkk", "..."}},
    {with_head("[output]\nweight = \"all\"\n"), "4:1", {"output.weights"}},
    // Reserved.
    {with_head("[select]\nbest = \"final.loss\"\n"), "4:1", {"select", "reserved for a later version"}},
    // Cores.
    {with_head("network.core = \"feedforwards\"\n"), "3:16", {"feedforwards", "did you mean \"feedforward\"?"}},
    {with_head("network.cell = \"dann\"\n"),
     "3:16",
     {"network.cell", "dann", "feedforward", "network.parameterisation"}},
    {with_head("network.widths = [5, 4]\n"), "3:18", {"network.widths", "[5, 4]", "feedforward"}},
    {with_head("network.widths = [5, 0]\n"), "3:22", {"network.widths", "0", "from 1 to 16384"}},
    {with_head("network.widths = [5, 4.5]\n"), "3:22", {"network.widths", "4.5", "a list of integers"}},
    {with_head("[network]\ncore = \"feedforward\"\nwidths = [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]\n"),
     "5:10",
     {"network.widths", "17 layers", "16"}},
    {with_head("network.core = \"feedforward\"\n[sweep]\n\"network.widths\" = [[5], [6, 0]]\n"),
     "5:30",
     {"network.widths", "0"}},
    {with_head("[sweep]\n\"network.widths\" = {range = [5, 6]}\n"),
     "4:21",
     {"needs a key that holds numbers", "a list of integers"}},
    {with_head("network.n_layers = 9\n"), "3:20", {"network.n_layers", "9", "1 to 8"}},
    {with_head("network.n_layers = 0\n"), "3:20", {"network.n_layers", "0", "1 to 8"}},
    {with_head("[network]\nn_dense_layers = 8\n"), "4:18", {"network.n_dense_layers = 8", "from 0 to 7"}},
    {with_head("[network]\nn_layers = 5\nn_dense_layers = 4\n"),
     "5:18",
     {"network.n_dense_layers = 4", "network.n_layers = 5", "0 to 3"}},
    {with_head("[network]\ncore = \"feedforward\"\nn_dense_layers = 1\n"),
     "5:18",
     {"network.n_dense_layers", "1", "feedforward", "allowed: 0"}},
    // Sizes of arrays.
    {with_head("network.n_hidden = 16384\ntask.batch = 65536\n"), "4:14", {"task.batch = 65536", "16384", "2^31"}},
    {"name = \"x\"\ntask.name = \"language_model\"\ntask.batch = 5000\ntask.vocabulary = 1000000\n",
     "3:14",
     {"task.batch = 5000", "50 steps", "1000000", "1 to 42"}},
    {"name = \"x\"\ntask.name = \"language_model\"\ntask.batch = 1\ntask.vocabulary = 1000000\ntask.steps = 4096\n",
     "3:14",
     {"task.batch = 1", "4096 steps", "allowed here: none"}},
    {"name = \"x\"\ntask.name = \"language_model\"\ntask.vocabulary = 1000000\nnetwork.n_hidden = 600\n",
     "4:20",
     {"network.n_hidden = 600", "1000000", "2^29", "1 to 536"}},
    {with_head("network.normalised_readout = true\n"), "3:30", {"network.normalised_readout", "feedforward"}},
    {with_head("[network]\ncore = \"feedforward\"\nnormalised_readout = true\n"),
     "5:22",
     {"network.normalised_readout", "dense"}},
    {with_head("[network]\ncore = \"feedforward\"\nparameterisation = \"dann\"\n"),
     "5:20",
     {"network.parameterisation", "dann", "feedforward", "network.cell"}},
    {with_head("[network]\ncore = \"feedforward\"\nalpha = 0.5\n"), "5:9", {"network.alpha", "0.5", "1.0"}},
    {with_head("[network]\ncore = \"feedforward\"\nnoise = 0.5\n"), "5:9", {"network.noise", "0.5", "0.0"}},
    {with_head("network.core = \"feedforward\"\ninit.rank = 3\n"), "4:13", {"init.rank", "3", "feedforward"}},
    {with_head("network.core = \"feedforward\"\ninit.density = 0.5\n"), "4:16", {"init.density", "feedforward"}},
    {with_head("network.core = \"feedforward\"\ninit.spectral_radius = 1\n"),
     "4:24",
     {"init.spectral_radius", "feedforward"}},
    {with_head("train.precision = \"bf16\"\n"),
     "3:19",
     {"bf16", "not available in this version", "fp32, fp32x3, fp16"}},
    {with_head("train.precision = \"fp8\"\n"), "3:19", {"fp8", "not available in this version", "fp16"}},
    {with_head("train.precision = \"tf32\"\n"), "3:19", {"tf32", "not available in this version", "fp32x3"}},
    {with_head("train.precision = 16\n"), "3:19", {"train.precision", "16", "a string"}},
    {with_head("[sweep]\n\"train.precision\" = [\"fp16\", \"half\"]\n"), "4:30", {"half", "fp16"}},
    // Types.
    {with_head("[network]\nn_hidden = \"64\"\n"), "4:12", {"network.n_hidden", "\"64\"", "an integer", "a string"}},
    {with_head("[network]\nn_hidden = 64.0\n"), "4:12", {"64.0", "an integer", "a number"}},
    {with_head("[network]\nbias = 1\n"), "4:8", {"network.bias", "true or false", "an integer"}},
    {with_head("[network]\nalpha = \"slow\"\n"), "4:9", {"network.alpha", "slow"}},
    {with_head("[network]\nactivation = 3\n"), "4:14", {"network.activation", "3", "relu"}},
    {with_head("[init]\nrank = 4.5\n"), "4:8", {"init.rank", "4.5", "full"}},
    {with_head("[init]\nrank = true\n"), "4:8", {"init.rank", "true"}},
    {with_head("[rule]\nlr = [0.1, 0.2]\n"), "4:6", {"rule.lr", "a list", "an axis is sweep.rule.lr"}},
    {with_head("[rule]\nlr = {range = [0, 1]}\n"), "4:7", {"rule.lr"}},
    {with_head("rule = 5\n"), "3:8", {"rule", "wanted a table [rule]"}},
    {with_head("seed = 1979-05-27\n"), "3:8", {"seed", "date"}},
    {with_head("[analysis]\nnames = \"cka\"\n"), "4:9", {"analysis.names", "a list of strings"}},
    {with_head("[analysis]\nnames = [\"cka\", 3]\n"), "4:17", {"analysis.names", "3"}},
    {"name = 5\ntask.name = \"adding\"\n", "1:8", {"name", "5"}},
    {"name = \"\"\ntask.name = \"adding\"\n", "1:8", {"name"}},
    // Ranges.
    {with_head("[network]\nn_hidden = 0\n"), "4:12", {"network.n_hidden = 0", "from 1 to 16384"}},
    {with_head("[network]\nn_hidden = -64\n"), "4:12", {"-64"}},
    {with_head("[network]\nn_hidden = 9223372036854775807\n"), "4:12", {"9223372036854775807"}},
    {with_head("[network]\nn_layers = 9\n"), "4:12", {"9", "8"}},
    {with_head("[network]\nalpha = 0.0\n"), "4:9", {"0.0", "above 0.0"}},
    {with_head("[network]\nalpha = 1.5\n"), "4:9", {"1.5"}},
    {with_head("[network]\nnoise = nan\n"), "4:9", {"nan"}},
    {with_head("[init]\ngain = inf\n"), "4:8", {"inf"}},
    {with_head("[init]\nrank = 0\n"), "4:8", {"init.rank = 0", "full"}},
    {with_head("[init]\ndensity = 0\n"), "4:11", {"init.density = 0"}},
    {with_head("[rule]\np = 1.0\n"), "4:5", {"rule.p = 1.0", "above 1.0"}},
    {with_head("[rule]\nlr = -0.1\n"), "4:6", {"-0.1"}},
    {with_head("[rule.readout]\nmomentum = 1\n"), "4:12", {"rule.readout.momentum = 1"}},
    {with_head("[rule]\nbeta = 0\n"), "4:8", {"rule.beta"}},
    {with_head("seed = -1\n"), "3:8", {"seed = -1"}},
    {with_head("task.batch = 0\n"), "3:14", {"task.batch = 0"}},
    {with_head("task.noise = -0.1\n"), "3:14", {"task.noise = -0.1", "100"}},
    {with_head("task.stimulus_steps = 7.5\n"), "3:23", {"task.stimulus_steps = 7.5", "an integer"}},
    {with_head("train.steps = 5000000000\n"), "3:15", {"5000000000"}},
    {with_head("[eval]\ntrials = 0\n"), "4:10", {"eval.trials = 0"}},
    // Words.
    {"name = \"x\"\ntask.name = \"perceptual_decison\"\n",
     "2:13",
     {"perceptual_decison", "did you mean \"perceptual_decision\"?"}},
    {"name = \"x\"\ntask.name = \"chess\"\n", "2:13", {"chess", "adding"}},
    {with_head("[init]\ndistribution = \"norml\"\n"), "4:16", {"norml", "did you mean \"normal\"?", "log_normal"}},
    {with_head("[init]\nrank = \"ful\"\n"), "4:8", {"ful", "full"}},
    {with_head("[rule]\ngeometry = \"Euclidean\"\n"), "4:12", {"Euclidean", "did you mean \"euclidean\"?"}},
    {with_head("[rule.bias]\nprojection = \"clip\"\n"), "4:14", {"rule.bias.projection", "clip", "clamp"}},
    {with_head("[analysis]\nnames = [\"svd_entropie\"]\n"), "4:10", {"svd_entropie", "svd_entropy"}},
    {with_head("[analysis]\nnames = [\"cka\", \"cka\"]\n"), "4:17", {"cka", "twice"}},
    {with_head("[analysis]\ncandidates = [\"entropy\"]\n"), "4:15", {"entropy", "unknown potential", "neg_entropy"}},
    {with_head("[analysis]\ncandidates = [\"p_norm\"]\n"), "4:15", {"p_norm", "parameter is missing", "p_norm:p"}},
    {with_head("[analysis]\ncandidates = [\"p_norm:1\"]\n"), "4:15", {"p_norm:1", "out of range", "above 1"}},
    {with_head("[analysis]\ncandidates = [\"p_norm:inf\"]\n"), "4:15", {"out of range", "1000"}},
    {with_head("[analysis]\ncandidates = [\"p_norm:two\"]\n"), "4:15", {"p_norm:two", "no number"}},
    {with_head("[analysis]\ncandidates = [\"p_norm:1.50\"]\n"), "4:15", {"p_norm:1.50", "\"p_norm:1.5\""}},
    {with_head("[analysis]\ncandidates = [\"euclidean:2\"]\n"), "4:15", {"euclidean:2", "no parameter"}},
    {with_head("[analysis]\ncandidates = [\"hypentropy:0\"]\n"), "4:15", {"hypentropy:0", "out of range"}},
    {with_head("[analysis]\ncandidates = [\"euclidean\", \"euclidean\"]\n"), "4:28", {"euclidean", "twice"}},
    {with_head("[analysis]\ncandidates = [2]\n"), "4:15", {"analysis.candidates", "a list of strings"}},
    {with_head("[analysis]\ntensors = [\"bias\"]\n"), "4:12", {"bias", "recurrent"}},
    {with_head("[analysis]\nat = \"start\"\n"), "4:6", {"start", "ends", "log"}},
    {with_head("[eval]\nsplit = \"valid\"\n"), "4:9", {"valid", "validation"}},
    {with_head("train.precision = \"fp31\"\n"), "3:19", {"fp31", "fp32, fp32x3, fp16"}},
    // Keys that do not go together.
    {with_head("[init]\nrank = 65\n"), "4:8", {"init.rank = 65", "network.n_hidden = 64"}},
    {with_head("[network]\nn_hidden = 8\n[init]\nrank = 9\n"), "6:8", {"init.rank = 9", "1 to 8"}},
    {with_head("init.rank = 4\nnetwork.parameterisation = \"column_ei\"\n"), "3:13", {"init.rank = 4", "breaks signs"}},
    {with_head("network.parameterisation = \"dann\"\ninit.rank = 4\n"), "4:13", {"dann", "breaks signs"}},
    {with_head("init.rank = 4\ninit.density = 0.5\n"), "3:13", {"init.density = 0.5"}},
    {with_head("network.parameterisation = \"column_ei\"\ninit.distribution = \"orthogonal\"\n"),
     "4:21",
     {"orthogonal", "column_ei"}},
    {with_head("network.parameterisation = \"dann\"\ninit.distribution = \"normal\"\n"), "4:21", {"normal", "dann"}},
    {with_head("network.parameterisation = \"dann\"\ninit.readout = \"uniform\"\n"),
     "4:16",
     {"init.readout", "uniform"}},
    {with_head("init.input = \"dann\"\n"), "3:14", {"init.input", "dense"}},
    {with_head("network.core = \"feedforward\"\ninit.input = \"dann_feedforward\"\n"),
     "4:14",
     {"init.input", "dann_feedforward", "network.cell = \"dense\""}},
    {with_head("[network]\ncore = \"feedforward\"\ncell = \"dann\"\n[init]\nreadout = \"he_normal\"\n"),
     "7:11",
     {"init.readout", "network.cell = \"dann\"", "dann_feedforward"}},
    {with_head("network.parameterisation = \"column_ei\"\ninit.input_mean = 0.1307\n"),
     "4:19",
     {"init.input_mean = 0.1307", "network.bias = true"}},
    {with_head(
         "[network]\nparameterisation = \"column_ei\"\nbias = true\n[init]\ninput_mean = 1.0\ninput = \"normal\"\n"),
     "7:14",
     {"init.input_mean = 1.0", "column_ei_balanced"}},
    {with_head("init.bias = \"parts\"\n"), "3:13", {"init.bias", "zero, uniform, split"}},
    {with_head("init.bias = \"split\"\n"), "3:13", {"init.bias = \"split\"", "network.bias = true"}},
    {with_head("network.recurrent_biases = 2\n"), "3:28", {"network.recurrent_biases = 2", "network.bias = true"}},
    {with_head("network.recurrent_biases = 3\n"), "3:28", {"network.recurrent_biases = 3", "from 1 to 2"}},
    {with_head("[network]\ncore = \"feedforward\"\nbias = true\nrecurrent_biases = 2\n"),
     "6:20",
     {"network.recurrent_biases = 2", "feedforward", "allowed: 1"}},
    {with_head(
         "[network]\nparameterisation = \"column_ei\"\nbias = true\n[init]\ninput_mean = 1.0\nbias = \"split\"\n"),
     "8:8",
     {"init.bias = \"split\"", "init.input_mean = 1.0"}},
    {with_head("network.bias = true\n[rule.bias]\ngeometry = \"unsigned_eg\"\n"),
     "5:12",
     {"rule.bias.geometry = \"unsigned_eg\"", "init.bias", "split"}},
    {with_head("network.bias = true\n[sweep]\n\"rule.bias.geometry\" = [\"euclidean\", \"neg_entropy\"]\n"),
     "5:38",
     {"neg_entropy", "init.bias"}},
    {with_head("init.distribution = \"column_ei_balanced\"\n"), "3:21", {"column_ei_balanced", "dense"}},
    {with_head("network.parameterisation = \"column_ei\"\nnetwork.n_hidden = 1\n"),
     "4:20",
     {"excitatory", "network.n_hidden = 1"}},
    {with_head("network.parameterisation = \"column_ei\"\nnetwork.ei_ratio = 200\n"),
     "4:20",
     {"no inhibitory", "network.ei_ratio = 200.0", "network.n_hidden = 64"}},
    {with_head("network.parameterisation = \"column_ei\"\nnetwork.n_inhibitory = 6\n"),
     "4:24",
     {"network.n_inhibitory = 6", "column_ei", "network.ei_ratio"}},
    {with_head("network.parameterisation = \"dann\"\nnetwork.n_inhibitory = 6\nnetwork.inhibitory_from = \"ratio\"\n"),
     "4:24",
     {"network.n_inhibitory = 6", "network.inhibitory_from"}},
    {with_head("network.parameterisation = \"dann\"\nnetwork.inhibitory_from = \"ratio\"\nnetwork.ei_ratio = 1e3\n"),
     "5:20",
     {"no inhibitory", "network.inhibitory_from"}},
    {with_head("init.values_of = \"rnn\"\n"), "3:18", {"init.values_of", "own, dense, column_ei, dann"}},
    {with_head("init.values_of = \"column_ei\"\nnetwork.parameterisation = \"dann\"\n"),
     "3:18",
     {"init.values_of", "both signs", "allowed: dense"}},
    {with_head("init.vectors_of = \"dann\"\ninit.rank = 3\n"), "3:19", {"init.vectors_of = \"dann\"", "init.rank = 3"}},
    {with_head("init.vectors_of = \"dann\"\ninit.density = 0.5\n"), "3:19", {"init.vectors_of", "init.density = 0.5"}},
    {with_head("init.vectors_of = \"dann\"\ninit.transplant = []\n"), "3:19", {"init.transplant = []"}},
    {with_head("init.transplant = [\"bias\"]\n"), "3:20", {"init.transplant", "bias", "input, recurrent, readout"}},
    {with_head("init.transplant = [\"input\"]\ninit.rank = 3\n"), "3:19", {"init.transplant", "init.rank = 3"}},
    {with_head("init.values_of = \"column_ei\"\nnetwork.n_hidden = 1\n"),
     "4:20",
     {"no excitatory", "the donor \"column_ei\""}},
    {with_head("init.donor_radius = 0\n"), "3:21", {"init.donor_radius", "above 0"}},
    {with_head("rule.recurrent.clip = 1\n"), "3:23", {"rule.recurrent.clip", "rule.clip_scope"}},
    {with_head("rule.clip_scope = \"cell\"\nrule.bias.clip = 1\n"), "4:18", {"rule.bias.clip", "tensor", "cell"}},
    {with_head("rule.clip_scope = \"layer\"\n"), "3:19", {"layer", "global, tensor, cell"}},
    {with_head("[sweep]\n\"rule.clip_scope\" = [\"tensor\", \"cell\"]\n[rule.input]\nclip = 1\n"),
     "6:8",
     {"rule.input.clip", "cell"}},
    {with_head("rule.fisher = 0.5\n"), "3:15", {"rule.fisher", "true or false"}},
    {with_head("rule.fisher_ix = -1\n"), "3:18", {"rule.fisher_ix", "-1", "from 0.0 to 8.0"}},
    {with_head(dann + "lr_search = 1\n"), "6:13", {"rule.lr_search = 1", "0 or 2 to 1000"}},
    {with_head(dann + "lr_search = 5000\n"), "6:13", {"rule.lr_search", "5000", "1000"}},
    {with_head("[rule]\nmomentum = 0\nlr_search = 9\n"), "5:13", {"rule.lr_search = 9", "clamp"}},
    {with_head(dann + "lr_search = 9\nprojection = \"none\"\n"), "6:13", {"rule.lr_search = 9", "clamp"}},
    {with_head(dann + "lr_search = 9\nlr = 0.1\nlr_min = 0.2\n"),
     "8:10",
     {"rule.lr_min = 0.2", "above rule.lr = 0.1", "0.0 to 0.1"}},
    {with_head(dann + "lr_search = 9\nlr_min = 0.1\n[sweep]\n\"rule.lr\" = [0.3, 0.1, 0.05]\n"),
     "7:10",
     {"rule.lr_min = 0.1", "rule.lr = 0.05"}},
    {with_head(dann + "lr_search = 9\n[rule.readout]\nmomentum = 0.5\n"),
     "8:12",
     {"rule.lr_search = 9", "rule.momentum = 0.5", "0.0"}},
    {with_head(dann + "lr_search = 9\ngeometry = \"neg_entropy\"\n"), "7:12", {"neg_entropy", "euclidean"}},
    {with_head(dann + "lr_search = 9\nweight_decay = 0.5\n"), "7:16", {"rule.weight_decay = 0.5", "rule.lr_search"}},
    {with_head(dann + "lr_tolerance = 1.5\n"), "6:16", {"rule.lr_tolerance", "1.5"}},
    {with_head("rule.natural = true\n"), "3:16", {"rule.natural = true", "network.core = \"feedforward\""}},
    {with_head("task.loss = \"mse\"\n" + natural), "3:13", {"rule.natural", "cross_entropy"}},
    {with_head("task.label_smoothing = 0.1\n" + natural), "3:24", {"rule.natural", "task.label_smoothing = 0.0"}},
    {with_head("task.loss_steps = \"masked\"\n" + natural), "3:19", {"rule.natural", "task.loss_steps"}},
    {with_head("network.core = \"feedforward\"\n[rule]\nnatural = true\nmomentum = 0.5\n"),
     "6:12",
     {"rule.natural", "rule.momentum = 0.5"}},
    {with_head(natural + "[rule.alpha]\nmomentum = 0.5\n"), "8:12", {"rule.natural", "rule.momentum = 0.5"}},
    {with_head("network.cell = \"dann\"\n" + natural), "7:11", {"rule.natural", "rule.fisher = false"}},
    {with_head(natural + "natural_decay = 0\n"), "7:17", {"rule.natural_decay", "above 0.0"}},
    {with_head(natural + "natural_scale = 0\n"), "7:17", {"rule.natural_scale", "above 0.0"}},
    {with_head("network.cell = \"column_ei\"\n" + natural + "lr_search = 3\n"),
     "8:13",
     {"rule.natural", "rule.lr_search = 0"}},
    {with_head("rule.adam = 1\n"), "3:13", {"rule.adam", "true or false"}},
    {with_head("rule.adam_beta1 = 1\n"), "3:19", {"rule.adam_beta1", "to below 1.0"}},
    {with_head("rule.adam_beta2 = -0.1\n"), "3:19", {"rule.adam_beta2", "-0.1"}},
    {with_head("rule.adam_epsilon = 0\n"), "3:21", {"rule.adam_epsilon", "above 0.0"}},
    {with_head("rule.adam = true\nrule.momentum = 0.5\n"),
     "4:17",
     {"rule.momentum = 0.5", "rule.adam = true", "rule.adam_beta1", "0.9, the default"}},
    {with_head("rule.adam = true\nrule.dampening = 0.1\n"), "4:18", {"rule.dampening = 0.1", "rule.adam", "0.0"}},
    {with_head("rule.input.adam = true\nrule.nesterov = true\n"), "4:17", {"rule.nesterov = true", "rule.adam"}},
    {with_head("rule.adam = true\nrule.recurrent.momentum = 0.5\n"), "4:27", {"rule.momentum = 0.5", "rule.adam"}},
    {with_head("rule.momentum = 0.5\n[sweep]\n\"rule.adam\" = [false, true]\n"), "3:17", {"rule.momentum = 0.5"}},
    {with_head("rule.adam = true\n[sweep]\n\"rule.momentum\" = [0.9, 0.5]\n"), "5:25", {"rule.momentum = 0.5"}},
    {with_head("[rule]\nadam = true\nlr = 2\nweight_decay = 0.5\n"),
     "6:16",
     {"rule.weight_decay = 0.5", "rule.lr = 2.0", "below 1"}},
    {with_head(dann + "lr_search = 9\nadam = true\n"), "5:12", {"rule.momentum = 0.0", "rule.adam"}},
    {with_head(natural + "[rule.bias]\nadam = true\nmomentum = 0.9\n"),
     "8:8",
     {"rule.natural", "rule.adam = true", "false"}},
    {with_head("rule.schedule = \"step_decay\"\n"), "3:17", {"step_decay", "rule.decay_every"}},
    {with_head("rule.input.schedule = \"step_decay\"\n"), "3:23", {"step_decay", "rule.decay_every"}},
    {"name = \"x\"\n[task]\nname = \"adding\"\nloss = \"cross_entropy\"\n", "4:8", {"cross_entropy", "adding", "mse"}},
    {with_head("task.loss = \"mse\"\ntask.label_smoothing = 0.1\n"), "4:24", {"task.label_smoothing", "mse"}},
    {with_head("seed = 1\n\"network.n_hidden\" = 8\n[network]\nn_hidden = 9\n"), "6:1", {"network.n_hidden", "twice"}},
    // Sweeps.
    {with_head("sweep = 3\n"), "3:9", {"sweep", "[sweep]"}},
    {with_head("[sweep]\nseed = []\n"), "4:8", {"seed", "empty axis"}},
    {with_head("[sweep]\nseed = 3\n"), "4:8", {"seed = 3", "a list"}},
    {with_head("[sweep]\nseed = {range = [3, 3]}\n"), "4:17", {"seed", "empty axis"}},
    {with_head("[sweep]\nseed = {range = [5, 3]}\n"), "4:17", {"seed", "[5, 3]"}},
    {with_head("[sweep]\nseed = {range = [0, 3, 0]}\n"), "4:24", {"step = 0"}},
    {with_head("[sweep]\nseed = {range = [0]}\n"), "4:17", {"[a, b]"}},
    {with_head("[sweep]\nseed = {range = 20}\n"), "4:17", {"20", "[a, b]"}},
    {with_head("[sweep]\nseed = {range = [0, 2.5]}\n"), "4:21", {"2.5", "an integer"}},
    {with_head("[sweep]\nseed = {range = [-3, 3]}\n"), "4:17", {"seed = -3", "out of range"}},
    {with_head("[sweep]\nseed = {rnage = [0, 3]}\n"), "4:9", {"rnage", "did you mean 'range'?"}},
    {with_head("[sweep]\nseed = {range = [0, 3], n = 4}\n"), "4:25", {"\"n\""}},
    {with_head("[sweep]\nseed = {range = [0, 3], linspace = [0, 1, 2]}\n"), "4:25", {"range", "linspace"}},
    {with_head("[sweep]\nrule.lr = {linspace = [0, 1, 0]}\n"), "4:30", {"rule.lr", "n = 0"}},
    {with_head("[sweep]\nrule.lr = {linspace = [0, 1]}\n"), "4:23", {"[a, b, n]"}},
    {with_head("[sweep]\nrule.lr = {linspace = [0, inf, 3]}\n"), "4:27", {"inf", "finite"}},
    {with_head("[sweep]\nrule.lr = {linspace = [-1, 1, 3]}\n"), "4:23", {"rule.lr = -1.0", "out of range"}},
    {with_head("[sweep]\nrule.lr = {geomspace = [0, 1, 3]}\n"), "4:25", {"geomspace", "above 0"}},
    {with_head("[sweep]\nrule.lr = {random = [0, 1]}\n"), "4:12", {"random", "needs n"}},
    {with_head("[sweep]\nrule.lr = {random = [1, 0], n = 3}\n"), "4:21", {"1.0 is above 0.0"}},
    {with_head("[sweep]\nrule.lr = {random = [0, 1], n = 3, log = true}\n"), "4:22", {"above 0"}},
    {with_head("[sweep]\nrule.lr = {random = [0, 1], n = 3, seeed = 1}\n"), "4:36", {"seeed", "seed"}},
    {with_head("[sweep]\nrule.geometry = {range = [0, 3]}\n"), "4:18", {"rule.geometry", "numbers", "p_norm"}},
    {with_head("[sweep]\n\"rule.lr\" = [0.1, \"fast\"]\n"), "4:19", {"fast", "rule.lr"}},
    {with_head("[sweep]\n\"init.rank\" = [1, 4, 65]\n"), "4:22", {"init.rank = 65", "network.n_hidden = 64"}},
    {with_head("[sweep]\n\"init.rank\" = [1, 16]\n\"network.n_hidden\" = [32, 8]\n"),
     "4:19",
     {"init.rank = 16", "network.n_hidden = 8"}},
    {with_head("[sweep]\n\"init.rnk\" = [1, 4]\n"), "4:1", {"init.rnk", "init.rank"}},
    {with_head("[sweep.init]\nrnk = [1, 4]\n"), "4:1", {"init.rnk", "init.rank"}},
    {with_head("[sweep]\n\"eval.trials\" = [1, 4]\n"), "4:1", {"eval.trials", "cannot be swept"}},
    {with_head("[sweep]\nname = [\"a\", \"b\"]\n"), "4:1", {"name", "cannot be swept"}},
    {with_head("[sweep]\n\"rule.lr\" = [1]\n[sweep.rule]\nlr = [2]\n"), "6:1", {"rule.lr", "twice"}},
    {with_head("[sweep]\nseed = [1, 2]\n[[sweep.zip]]\nseed = [3]\n"), "6:1", {"seed", "twice"}},
    {with_head("[[sweep.zip]]\n\"rule.lr\" = [1, 2]\n\"rule.p\" = [2, 3, 4]\n"),
     "5:1",
     {"rule.p", "lengths", "2", "3"}},
    {with_head("[[sweep.zip]]\n"), "3:1", {"sweep.zip", "empty"}},
    {with_head("[[sweep.case]]\n"), "3:1", {"sweep.case", "empty"}},
    {with_head("[sweep]\ncase = 3\n"), "4:8", {"[[sweep.case]]"}},
    {with_head("[[sweep.case]]\n\"rule.lr\" = [1, 2]\n\"rule.p\" = [2, 3, 4]\n"),
     "5:12",
     {"rule.lr has 2", "rule.p has 3"}},
    {with_head("[[sweep.case]]\n\"rule.lr\" = 1\n[[sweep.case]]\n\"init.input\" = \"normal\"\n"),
     "4:1",
     {"init.input", "another [[sweep.case]]", "by network.parameterisation"}},
    {with_head("[[sweep.case]]\n\"rule.lr\" = \"fast\"\n"), "4:13", {"rule.lr", "a number"}},
    {with_head("[[sweep.case]]\n\"eval.trials\" = 4\n"), "4:1", {"eval.trials", "cannot be swept"}},
    {with_head("[[sweep.case]]\n\"rule.lr\" = 1\n[sweep.rule]\nlr = [2]\n"), "6:1", {"rule.lr", "twice"}},
    {with_head("[[sweep.case]]\nrule.lr = 1\n\"rule.lr\" = 2\n"), "5:1", {"rule.lr", "twice"}},
    {with_head("[[sweep.case]]\nseed = {range = [0, 999999]}\n[[sweep.case]]\nseed = [1, 2]\n"),
     "4:1",
     {"1000000", "[[sweep.case]]"}},
    {with_head("[sweep]\nzip = [1]\n"), "4:8", {"[[sweep.zip]]"}},
    {with_head("[sweep]\nzip = 3\n"), "4:7", {"[[sweep.zip]]"}},
    {with_head("[sweep]\nseed = {range = [0, 10000001]}\n"), "4:17", {"10000000"}},
    {with_head("[sweep]\nseed = {range = [0, 10000]}\n\"rule.lr\" = {linspace = [0, 1, 1001]}\n"),
     "5:1",
     {"10000000", "rule.lr"}},
    {with_head("[sweep]\n\"select\" = [1]\n"), "4:1", {"reserved"}},
    {with_head("[sweep]\n\"task.name\" = [\"adding\", \"chess\"]\n"), "4:26", {"chess"}},
    {with_head("task.coherence = 1\n[sweep]\n\"task.name\" = [\"perceptual_decision\", \"adding\"]\n"),
     "3:6",
     {"task.coherence", "adding"}},
    // Starts from another run, and training until something is learned.
    {with_head("init.from = \"\"\n"), "3:13", {"init.from", "1 to 200 characters"}},
    {with_head("init.from = 3\n"), "3:13", {"init.from", "a string"}},
    {with_head("init.from_seed = 3\n"), "3:18", {"init.from_seed", "needs init.from"}},
    {with_head("init.from_where = \"seed=3\"\n"), "3:19", {"init.from_where", "needs init.from"}},
    {with_head("[init]\nfrom = \"a\"\nrank = 3\n"), "5:8", {"init.rank", "init.from"}},
    {with_head("[init]\nfrom = \"a\"\n[sweep]\n\"init.density\" = [0.5]\n"), "6:19", {"init.density", "init.from"}},
    {with_head("[sweep]\n\"init.from\" = [\"a\", \"b\"]\n"), "4:1", {"init.from", "cannot be swept"}},
    {with_head("output.parameters = \"all\"\n"), "3:21", {"output.parameters", "true or false"}},
    {with_head("train.until_loss = -1\n"), "3:20", {"train.until_loss", "at least 0.0"}},
    {with_head("train.until_accuracy = 1.5\n"), "3:24", {"train.until_accuracy", "from 0.0 to 1.0"}},
    {with_head("train.extensions = 0\n"), "3:20", {"train.extensions", "from 1 to 1000"}},
    {"name = \"x\"\ntask.name = \"adding\"\ntrain.until_accuracy = 0.5\n",
     "3:24",
     {"train.until_accuracy", "adding", "train.until_loss"}},
    {with_head("[train]\nuntil_loss = 0.1\nsteps = 1000000000\n"), "5:9", {"train.extensions = 4", "1000000000"}},
    {with_head("task.subset = 9\n"), "3:15", {"task.subset", "perceptual_decision", "no images"}},
    {"name = \"x\"\ntask.name = \"row_mnist\"\ntask.subset_of = \"validation\"\n",
     "3:18",
     {"task.subset_of", "train, test"}},
    {"name = \"x\"\ntask.name = \"row_mnist\"\ntask.subset_seed = -1\n", "3:20", {"task.subset_seed", "-1"}},
    // Evaluation and data.
    {with_head("eval.trials = 0\n"), "3:15", {"eval.trials = 0", "\"all\" or an integer from 1"}},
    {with_head("eval.trials = \"most\"\n"), "3:15", {"most", "all"}},
    {with_head("eval.trials = \"all\"\n"), "3:15", {"eval.trials", "perceptual_decision", "an integer"}},
    {with_head("eval.also = \"train\"\n"), "3:13", {"eval.also", "a list of"}},
    {with_head("eval.also = [\"test\"]\n"), "3:14", {"test", "train, validation"}},
    {with_head("eval.also = [\"train\", \"train\"]\n"), "3:23", {"twice"}},
    {with_head("eval.also = [\"train\"]\n"), "3:13", {"eval.also", "perceptual_decision", "task.samples"}},
    {with_head("eval.also = [\"train\"]\n[sweep]\n\"task.samples\" = [10, 0]\n"), "3:13", {"task.samples"}},
    {with_head("eval.also = [\"validation\"]\neval.split = \"validation\"\n"), "3:13", {"eval.split"}},
    {with_head("eval.mean_of = -1\n"), "3:16", {"eval.mean_of", "from 0"}},
    {with_head("eval.mean_of = 2\n"), "3:16", {"eval.mean_of = 2", "eval.every = 0", "1 evaluations"}},
    {with_head("eval.mean_of = 6\neval.every = 500\n"), "3:16", {"eval.every = 500", "4 evaluations", "2000"}},
    {with_head("eval.mean_of = 4\neval.every = 500\n[sweep]\n\"train.steps\" = [2000, 1500]\n"),
     "3:16",
     {"3 evaluations", "train.steps = 1500"}},
    {with_head("task.validation = 10\n"), "3:19", {"task.validation", "perceptual_decision", "no images"}},
    {"name = \"x\"\ntask.name = \"row_mnist\"\ntask.validation = -1\n", "3:19", {"task.validation", "0 to 299999"}},
    {with_head("[sweep]\n\"task.validation\" = [0, 1]\n"), "4:1", {"cannot be swept"}},
    {with_head("task.samples = -1\n"), "3:16", {"task.samples"}},
    {"name = \"x\"\ntask.name = \"row_mnist\"\ntask.samples = 9\n",
     "3:16",
     {"task.samples = 9", "row_mnist", "allowed: 0"}},
    {with_head("task.loss = \"cross_entropy\"\n[sweep]\n\"task.name\" = [\"perceptual_decision\", \"adding\"]\n"),
     "3:13",
     {"cross_entropy", "adding"}},
};

TEST(WrongConfigs, PointToThePlaceAndNameTheWord) {
  for (const Case& wrong : cases) {
    const std::string found = message(wrong.text), start = "x.toml:"s + wrong.at;
    SCOPED_TRACE("in:\n" + wrong.text.substr(0, 300) + "\ngot: " + found);
    EXPECT_EQ(found.substr(0, start.size()), start);
    for (const char* word : wrong.words) EXPECT_NE(found.find(word), found.npos) << word;
    EXPECT_EQ(found.find('\n'), found.npos);
    EXPECT_LT(found.size(), 1000u);
  }
}

TEST(WrongConfigs, OverridesAreNamedInstead) {
  const std::pair<const char*, const char*> wrong[] = {
      {"network.n_hidden=0", "network.n_hidden = 0"},
      {"network.n_hiden=4", "network.n_hidden"},
      {"network.n_hidden=\"4\"", "an integer"},
      {"rule.geometry=euclid", "allowed: euclidean"},
      {"seed", "wanted key=value"},
      {"=3", "wanted key=value"},
      {"seed=", "not TOML"},
      {"seed=1\nname=2", "one key=value"},
      {"init.rank=65", "network.n_hidden = 64"},
      {"sweep.seed=[]", "empty axis"},
      {"sweep.zip=[]", "sweep.zip"},
      {"select=3", "reserved"},
  };
  for (const auto& [assignment, word] : wrong) {
    const std::string found = message(good, {assignment});
    SCOPED_TRACE(found);
    EXPECT_EQ(found.rfind("--set " + std::string(assignment).substr(0, 6), 0), 0u);
    EXPECT_NE(found.find(word), found.npos) << word;
    EXPECT_EQ(found.find('\n'), found.npos);
  }
  EXPECT_NE(message(good, {repeated("a.", 30000) + "a=1"}).find("32"), std::string::npos);
  EXPECT_NE(message(good, {"seed=" + std::string(70000, '1')}).find("64 KB"), std::string::npos);
}

TEST(WrongConfigs, UnreadableFilesAreIoErrors) {
  const auto folder = std::filesystem::temp_directory_path();
  EXPECT_THROW(Experiment::load((folder / "no such file.toml").string()), IoError);
  EXPECT_THROW(Experiment::load(folder.string()), IoError);
}

TEST(WrongConfigs, ALargeFileIsReadNoFurtherThanNeeded) { EXPECT_THROW(Experiment::load("/dev/zero"), ConfigError); }

// Whatever is done to a good file, the answer is an experiment or a one-line error.
TEST(WrongConfigs, MutilatedFilesNeverDoWorse) {
  const std::string text = good +
                           "[network]\nn_hidden = 16\n[rule.input]\nlr = 1e-3\n[sweep]\n\"init.rank\" = [1, "
                           "\"full\"]\nseed = {range = [0, 3]}\n"
                           "[[sweep.zip]]\n\"rule.p\" = [2.0, 3.0]\n\"rule.lr\" = [0.1, 0.2]\n";
  EXPECT_EQ(message(text), "no error");
  std::mt19937 random(1);
  const std::string bytes = "[]{}=.,\"'\n#\\ 0a\xc3\0\xff"s;
  for (int i = 0; i < 4000; ++i) {
    std::string changed = text;
    for (unsigned k = 0; k < 1 + random() % 3; ++k) {
      const size_t at = random() % changed.size();
      if (random() % 3 == 0)
        changed.erase(at, 1 + random() % 8);
      else if (random() % 2)
        changed[at] = bytes[random() % bytes.size()];
      else
        changed.insert(at, changed.substr(random() % changed.size(), random() % 12));
      if (changed.empty()) break;
    }
    EXPECT_EQ(message(changed).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace cohort::engine
