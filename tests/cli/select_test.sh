#!/usr/bin/env bash
# select_test.sh SOURCE TOOL: `cohort select` on a small run; its numbers are those of the exported table, computed again; what is
# wrong is refused with code 2, in one line.
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
steps = 40
[eval]
trials = 64
[analysis]
names = ["dual_change"]
[sweep]
"network.activation" = ["relu", "tanh"]
"rule.lr" = [0.0003, 0.003, 0.05, 1e30]
seed = { range = [0, 3] }
TOML
expect "run" 0 "" "$tool" run tiny.toml --out run --device cpu
"$tool" export run --format json >table.json
"$tool" select run --over rule.lr --by final.loss --measure dual_change.delta_cdf.matched.final --json >chosen.json 2>err
"$tool" select run --over rule.lr --by final.accuracy --per-seed --csv >chosen.csv 2>err

expect "numbers" 0 "" python3 - <<'PY'
import csv, json, math, statistics as s
table = json.load(open("table.json"))
def of(column, **where):
    return [r[column] for r in table if all(r[k] == v for k, v in where.items())]
def close(a, b): return abs(a - b) <= 1e-12 * max(1, abs(b))

chosen = json.load(open("chosen.json"))
assert [c["network.activation"] for c in chosen] == ["relu", "tanh"]
for c in chosen:
    arm = {"network.activation": c["network.activation"]}
    means = {}
    for lr in (0.0003, 0.003, 0.05, 1e30):
        losses = of("final.loss", **arm, **{"rule.lr": lr})
        if None not in losses: means[lr] = s.mean(losses)
    best = min(means, key=means.get)
    assert c["rule.lr"] == best and close(c["final.loss.mean"], means[best]), c
    here = {**arm, "rule.lr": best}
    assert close(c["final.loss.sd"], s.stdev(of("final.loss", **here))) and c["n_networks"] == 3 and c["final.loss.n"] == 3
    column = "dual_change.delta_cdf.matched.final"
    assert close(c[column + ".mean"], s.mean(of(column, **here))) and c["tied"] == 0
    assert (c["edge"] is None) == (best not in (0.0003, 1e30))

rows = list(csv.DictReader(open("chosen.csv")))
assert len(rows) == 6
for row in rows:
    here = of("final.accuracy", **{"network.activation": row["network.activation"], "seed": int(row["seed"])})
    finite = [a for a in here if a is not None]
    assert float(row["final.accuracy.mean"]) == max(finite) and int(row["tied"]) == finite.count(max(finite)) - 1
PY

# The grid ends at its best value; where all diverged there is none.
expect "edge" 0 "at the edge: rule.lr.*2 of 2 arms: best at the edge of the grid .rule.lr." \
  "$tool" select run --over rule.lr --by final.loss --where rule.lr=0.0003 --where rule.lr=0.05
expect "diverged" 0 "none.*1 of 1 arm: no network has a finite final.loss" \
  "$tool" select run --over rule.lr --by final.loss --where network.activation=relu --where rule.lr=1e30
expect "direction" 0 "by the largest mean of dual_change" \
  "$tool" select run --over rule.lr --by dual_change.laziness.matched.final --maximise

refuse() { # refuse WHAT PATTERN ARGUMENTS...: code 2 and one line
  local what=$1 pattern=$2
  shift 2
  expect "$what" 2 "$pattern" "$tool" select "$@"
  "$tool" select "$@" >out 2>err
  [[ ! -s out && $(wc -l <err) == 1 && $(head -c 8 err) == "cohort: " ]] || { echo "$what: not one line on stderr"; failures=$((failures + 1)); }
}
refuse "no key" "over is required" run --by final.loss
refuse "no score" "by is required" run --over rule.lr
refuse "unknown key" "did you mean 'rule.lr'" run --over rule.l --by final.loss
refuse "unknown score" "did you mean 'final.loss'" run --over rule.lr --by final.lss
refuse "no direction" "say --minimise or --maximise" run --over rule.lr --by dual_change.nearest.final
refuse "two directions" "excludes" run --over rule.lr --by final.loss --minimise --maximise
refuse "two formats" "excludes" run --over rule.lr --by final.loss --csv --json
refuse "unknown measure" "did you mean" run --over rule.lr --by final.loss --measure final.acuracy
refuse "unknown condition" "did you mean 'rule.lr'" run --over rule.lr --by final.loss --where rule.l=1

((failures == 0))
