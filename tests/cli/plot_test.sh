#!/usr/bin/env bash
# plot_test.sh SOURCE TOOL: every kind of `cohort plot` on a small run; the numbers behind the figures are those of the exported
# table, computed again; what is wrong is refused with code 2, in one line, without a figure.
set -u
tool=$(realpath "$2")
# shellcheck source=tests/expect.sh
source "$(realpath "$1")/tests/expect.sh"

cat >tiny.toml <<'TOML'
name = "tiny"
[network]
n_hidden = 12
[task]
name = "perceptual_decision"
batch = 8
[train]
steps = 60
[eval]
trials = 64
every = 20
[analysis]
names = ["svd_entropy", "eigenvalues", "singular_values"]
every = 20
[sweep]
"network.activation" = ["relu", "tanh"]
"rule.lr" = [0.003, 0.05]
seed = { range = [0, 5] }
TOML
expect "run" 0 "" "$tool" run tiny.toml --out run --device cpu
"$tool" export run --format json >table.json
"$tool" export run --history --format json >history.json

figure() { # figure FILE: a well-formed SVG document
  python3 -c 'import sys, xml.dom.minidom as x; assert x.parse(sys.argv[1]).documentElement.tagName == "svg"' "$1" || {
    echo "$1 is no SVG document"
    failures=$((failures + 1))
  }
}
for kind in sweep curves bars scatter heatmap eigenvalues histogram; do
  expect "$kind" 0 "$kind.svg" "$tool" plot run --kind $kind --out $kind.svg
  figure $kind.svg
  "$tool" plot run --kind $kind --out $kind.svg --json >$kind.json 2>err || failures=$((failures + 1))
  expect "$kind as JSON" 0 "" python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["kind"] == sys.argv[2]' $kind.json $kind
done
expect "medians" 0 "curves.svg" "$tool" plot run --kind curves --band quantiles --out curves.svg
figure curves.svg
expect "measures in one panel" 0 "figure.svg" "$tool" plot run --overlay --band quantiles --log --out figure.svg \
  --measure svd_entropy.final --measure svd_entropy.initial
figure figure.svg
expect "default file" 0 "run/bars.svg" "$tool" plot run --kind bars
figure run/bars.svg
expect "table of tests" 0 "p_holm" "$tool" plot run --kind bars --by network.activation --out bars.svg
expect "regression" 0 "all networks +20 " "$tool" plot run --kind scatter --error --out scatter.svg
expect "series of an analysis" 0 "" "$tool" plot run --kind curves --measure svd_entropy --out curves.svg --log
expect "error" 0 "" "$tool" plot run --kind curves --error --by rule.lr --out curves.svg
expect "networks" 0 "network 3" "$tool" plot run --kind eigenvalues --net 3 --net 4 --out eigenvalues.svg
expect "bins" 0 "" "$tool" plot run --kind histogram --bins 7 --log --where network.activation=tanh --out histogram.svg
expect "selection" 0 "best rule.lr by the largest mean of final.accuracy" \
  "$tool" plot run --kind bars --select rule.lr --score final.accuracy --error --out bars.svg
"$tool" plot run --kind bars --select rule.lr --score final.loss --minimise --out bars.svg --json >selected.json 2>err
"$tool" plot run --kind curves --json --out curves.svg >curves.json 2>err

expect "numbers behind the figures" 0 "" python3 - <<'PY'
import json, statistics as s
table = json.load(open("table.json"))
def close(a, b): return abs(a - b) <= 1e-9 * max(1, abs(b))
def of(activation, lr, column): return [r[column] for r in table if r["network.activation"] == activation and r["rule.lr"] == lr]

bars = json.load(open("bars.json"))
assert len(bars["arms"]) == 4 and len(bars["comparisons"]) == 6
arms = [(a, l) for a in ("relu", "tanh") for l in (0.003, 0.05)]
for arm, where in zip(bars["arms"], arms):
    values = of(*where, "final.accuracy")
    assert where[0] in arm["arm"] and str(where[1]) in arm["arm"], arm
    assert arm["n"] == 5 and close(arm["mean"], s.mean(values)) and close(arm["sd"], s.stdev(values))
a, b = (of(*arms[i], "final.accuracy") for i in (0, 1))
first = bars["comparisons"][0]
assert first["mann_whitney"]["u"] == sum((x > y) + 0.5 * (x == y) for x in a for y in b)
t = (s.mean(a) - s.mean(b)) / ((s.variance(a) + s.variance(b)) / 5) ** 0.5
assert close(first["welch"]["t"], t) and first["welch"]["p"] <= first["welch"]["p_holm"] <= 1

for chosen in json.load(open("selected.json"))["selection"]["arms"]:
    losses = {lr: s.mean(of(chosen["arm"], lr, "final.loss")) for lr in (0.003, 0.05)}
    best = min(losses, key=losses.get)
    assert float(chosen["setting"]["rule.lr"]) == best and close(chosen["mean"], losses[best])

heat = json.load(open("heatmap.json"))
assert len(heat["cells"]) == 4 and {heat["x"], heat["y"]} == {"rule.lr", "network.activation"}
for cell in heat["cells"]: assert close(cell["mean"], s.mean(of(cell["network.activation"], float(cell["rule.lr"]), "final.accuracy")))

line = json.load(open("scatter.json"))["regression"]
x, y = ([r[c] for r in table] for c in ("svd_entropy.final", "final.accuracy"))
slope, intercept = s.linear_regression(x, y) if hasattr(s, "linear_regression") else (line["slope"], line["intercept"])
assert abs(line["slope"] - slope) < 1e-8 * abs(slope) and abs(line["intercept"] - intercept) < 1e-8 * abs(intercept)

history = json.load(open("history.json"))
nets = {r["net"] for r in table if r["network.activation"] == "relu" and r["rule.lr"] == 0.003}
curve = json.load(open("curves.json"))["arms"][0]
for step, mean in zip(curve["step"], curve["mean"]):
    assert close(mean, s.mean(h["value"] for h in history if h["net"] in nets and h["step"] == step and h["name"] == "loss"))
assert curve["step"] == [0, 10, 20, 30, 40, 50]
PY

refuse() { # refuse WHAT PATTERN ARGUMENTS...: code 2, one line, no figure
  local what=$1 pattern=$2
  shift 2
  expect "$what" 2 "$pattern" "$tool" plot run --out refused.svg "$@"
  "$tool" plot run --out refused.svg "$@" >out 2>err
  [[ ! -s out && $(wc -l <err) == 1 && $(head -c 8 err) == "cohort: " ]] || { echo "$what: not one line on stderr"; failures=$((failures + 1)); }
  [[ ! -e refused.svg ]] || { echo "$what: a figure was written"; failures=$((failures + 1)); rm refused.svg; }
}
refuse "unknown kind" "did you mean 'bars'" --kind bar
refuse "unknown column" "did you mean 'final.accuracy'" --kind bars --measure final.acuracy
refuse "unknown series" "did you mean 'eval.loss'" --kind curves --measure eval.los
refuse "unknown key" "did you mean 'rule.lr'" --kind bars --by rule.l
refuse "unknown condition" "did you mean 'rule.lr'" --kind bars --where rule.lrr=1
refuse "value of no network" "there is: 0.003, 0.05" --kind bars --where rule.lr=7
refuse "no condition" "KEY=VALUE" --kind heatmap --where rule.lr
refuse "unknown score" "did you mean 'final.loss'" --kind bars --select rule.lr --score final.lss
refuse "selection without score" "--score" --kind bars --select rule.lr
refuse "unknown tensor" "there is: recurrent" --kind histogram --tensor readuot
refuse "unknown network" "no such network" --kind eigenvalues --net 77
refuse "unknown band" "sd and quantiles" --band iqr
refuse "overlay of bars" "does not belong" --kind bars --overlay
refuse "option of another kind" "does not belong" --kind bars --bins 3
refuse "history of some" "none of --measure" --history --where rule.lr=0.05
refuse "history of a kind" "exclude each other" --kind curves --history

expect "run without spectra" 0 "" "$tool" run tiny.toml --out plain --device cpu --set 'analysis.names=[]' --set eval.every=0 --set train.steps=4
expect "no eigenvalues" 2 "kept no eigenvalues" "$tool" plot plain --kind eigenvalues
expect "no series" 2 "there is: loss" "$tool" plot plain --kind curves --error
expect "nothing diverges quietly" 0 "" "$tool" run tiny.toml --out wild --device cpu --set 'rule.lr=1e30' --set 'network.activation="relu"'
expect "all networks diverged" 0 "no network|- " "$tool" plot wild --kind bars --measure final.loss
figure wild/bars.svg

((failures == 0))
