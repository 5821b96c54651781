#!/usr/bin/env bash
# cli_test.sh TOOL: the tool as a person uses it: exit codes, one-line errors with a place, nothing written on bad input,
# resuming, refusing, exporting, plotting, Ctrl-C.
set -uo pipefail
tool=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset COHORT_DATA
failures=0
checks=0

fail() { echo "FAILED: $*"; failures=$((failures + 1)); }
# expect CODE PATTERN COMMAND...: exit code, and a pattern that the one line on stderr must match (empty: no demand)
expect() {
  local code=$1 pattern=$2; shift 2
  checks=$((checks + 1))
  "$@" >out 2>err
  local got=$?
  [[ $got -eq $code ]] || { fail "exit $got instead of $code: $*"; head -3 err; }
  if [[ -n $pattern ]]; then
    grep -qE -- "$pattern" err || { fail "no '$pattern' on stderr: $*"; head -3 err; }
    [[ $code -eq 0 || $(wc -l <err) -eq 1 ]] || { fail "more than one line on stderr: $*"; cat err; }
  fi
}

cat >good.toml <<'TOML'
name = "good"
[network]
n_hidden = 12
[task]
name = "delay_match_sample"
batch = 8
[train]
steps = 20
[eval]
trials = 64
[sweep]
"rule.geometry" = ["euclidean", "neg_entropy"]
seed = { range = [0, 3] }
TOML
bad() { sed "$1" good.toml >bad.toml; }

expect 0 "" "$tool" --help
expect 0 "" "$tool" --version
for command in list validate plan run show export plot bench; do expect 0 "" "$tool" $command --help; done
expect 2 "did you mean 'validate'" "$tool" validat good.toml
expect 2 "commands:" "$tool" frobnicate
expect 2 "." "$tool"
expect 2 "FILE" "$tool" run
expect 2 "--out" "$tool" run good.toml
expect 0 "" "$tool" list
grep -q neg_entropy out || fail "list names no geometry"
expect 0 "" "$tool" list --json
python3 -c 'import json; d = json.load(open("out")); assert any(t["name"] == "adding" for t in d["task"])' || fail "list --json is not JSON"

expect 0 "" "$tool" validate good.toml
grep -q "6 networks" out || fail "validate does not count"
expect 0 "" "$tool" plan good.toml --device cpu
grep -q "^networks *6" out || fail "plan does not count"
expect 0 "" "$tool" plan good.toml --device cpu --set 'analysis.names=["kernel_alignment"]' --set analysis.kernel_trials=4
grep -qE "^kernels *96 rows at most, (factored|by columns): [0-9.e+]+ FLOP a network, [0-9.]+ [KM]iB a worker" out ||
  fail "plan does not say what kernels take"

# bad input: code 2 (or 3), place, word; nothing written
bad 's/n_hidden/n_hiden/'; expect 2 "bad.toml:3:1: .*n_hiden.*did you mean.*n_hidden" "$tool" run bad.toml --out nothing
bad 's/n_hidden = 12/n_hidden = "many"/'; expect 2 "bad.toml:3:[0-9]+: .*many" "$tool" run bad.toml --out nothing
bad 's/n_hidden = 12/n_hidden = -1/'; expect 2 "bad.toml:3:[0-9]+: .*-1" "$tool" run bad.toml --out nothing
bad 's/delay_match_sample/delay_mach_sample/'; expect 2 "bad.toml:5:[0-9]+: .*delay_mach_sample" "$tool" run bad.toml --out nothing
bad 's/\["euclidean", "neg_entropy"\]/[]/'; expect 2 "bad.toml:12:[0-9]+: .*empty" "$tool" run bad.toml --out nothing
bad 's/\[train\]/[init]\nrank = 13\n[train]/'; expect 2 "bad.toml:8:[0-9]+: .*13" "$tool" run bad.toml --out nothing
bad 's/name = "good"/name = /'; expect 2 "bad.toml:1:" "$tool" run bad.toml --out nothing
: >empty.toml; expect 2 "empty.toml.*empty" "$tool" run empty.toml --out nothing
head -c 400 /dev/urandom >binary.toml; expect 2 "binary.toml" "$tool" run binary.toml --out nothing
{ cat good.toml; head -c 70000 /dev/zero | tr '\0' '#'; } >large.toml; expect 2 "large.toml.*64" "$tool" run large.toml --out nothing
{ echo 'name = "deep"'; printf 'a'; printf '.a%.0s' {1..5000}; echo ' = 1'; } >deep.toml; expect 2 "deep.toml:2:" "$tool" run deep.toml --out nothing
expect 3 "missing.toml" "$tool" run missing.toml --out nothing
expect 3 "" "$tool" show missing-directory
expect 2 "--set" "$tool" run good.toml --out nothing --set nonsense
expect 2 "network.n_hiddn" "$tool" run good.toml --out nothing --set network.n_hiddn=4
expect 2 "tpu" "$tool" run good.toml --out nothing --device tpu
expect 2 "COHORT_DATA" "$tool" run good.toml --out nothing --set 'task.name="row_mnist"'
mkdir data; expect 3 "train-images-idx3-ubyte" "$tool" run good.toml --out nothing --set 'task.name="row_mnist"' --data data
printf '\0\0\10\3\377\377\377\377\0\0\0\34\0\0\0\34' >data/train-images-idx3-ubyte
expect 3 "train-images-idx3-ubyte" "$tool" run good.toml --out nothing --set 'task.name="row_mnist"' --data data
expect 3 "" "$tool" run good.toml --out /proc/nothing/here

# texts: what does not go together is said, with a place
mkdir words
for i in 0 1 2 3 4; do echo "w$i 0.$i -$i"; done >words/embeddings.txt
for name in train valid test; do for i in {1..200}; do echo -n "w$((i * i % 5)) "; done >words/$name.txt; done
cat >words.toml <<'TOML'
name = "words"
[network]
n_hidden = 6
n_dense_layers = 1
[task]
name = "language_model"
batch = 4
vocabulary = 5
dimension = 2
steps = 8
[train]
steps = 3
[eval]
trials = 8
[analysis]
names = ["svd_entropy"]
TOML
words() { expect "$1" "$2" "$tool" run words.toml --out nothing --device cpu --data words "${@:3}"; }
words 2 "task.vocabulary = 6: embeddings.txt has 5 words" --set task.vocabulary=6
words 2 "task.dimension = 3: embeddings.txt has 2 numbers" --set task.dimension=3
words 3 "words/train.txt: 200 words; at least 301 .*task.steps = 300" --set task.steps=300
expect 2 "COHORT_DATA" "$tool" run words.toml --out nothing
expect 3 "nowhere: no such directory" "$tool" run words.toml --out nothing --data nowhere
expect 3 "data/embeddings.txt: not found" "$tool" run words.toml --out nothing --data data
echo "w1 w2 w9" >>words/valid.txt; words 3 "words/valid.txt:1:607: .w9. is not in the vocabulary"
sed -i 's/ w9$//' words/valid.txt
echo "w5 1" >>words/embeddings.txt; words 3 "words/embeddings.txt:6:1: .w5. has 1 numbers"
sed -i '$d' words/embeddings.txt
echo "w5 1 nan" >>words/embeddings.txt; words 3 "words/embeddings.txt:6:6: .nan. is not finite"
sed -i '$d' words/embeddings.txt
sed '/^seed/d; s/"rule.geometry" = .*/"task.name" = ["row_mnist", "language_model"]/; /^name = "delay/d; /^vocab/d' good.toml >mixed.toml
printf '[analysis]\nnames = ["svd_entropy"]\n' >>mixed.toml
expect 2 "row_mnist.* images .*language_model.* tokens" "$tool" run mixed.toml --out nothing --data words
expect 2 "row_mnist.* images .*language_model.* tokens" "$tool" validate mixed.toml
expect 2 "task.batch.*60000 trials" "$tool" validate words.toml --set task.batch=60000 --set task.vocabulary=100000
bad 's/\[train\]/[analysis]\nkernel_trials = 4000\n[train]/'; expect 2 "max_kernel_rows" "$tool" run bad.toml --out nothing
[[ ! -e nothing ]] || fail "bad input left an output directory"

# a run on texts
expect 0 "" "$tool" run words.toml --out words-run --device cpu --data words
expect 0 "" "$tool" export words-run
head -1 out | grep -q "final.loss,final.accuracy,svd_entropy.initial" || fail "export of a language model: $(head -1 out)"
expect 0 "" "$tool" list --json
python3 -c 'import json; print(sorted({t["needs_data"] for t in json.load(open("out"))["task"]}))' | grep -q "images.*none.*tokens" || fail "list --json names no kinds of data"

# a run, again, exported and drawn
expect 0 "" "$tool" run good.toml --out run --device cpu
expect 0 "" "$tool" run good.toml --out run --device cpu --threads 1
shards() { sha256sum run/units/*.h5; }
before=$(shards); rm run/units/000000.h5
expect 0 "" "$tool" run good.toml --out run --device cpu
[[ $(shards) == "$before" ]] || fail "a unit that was computed again has other bytes"
expect 2 "rule.momentum" "$tool" run good.toml --out run --set rule.momentum=0.5
mkdir full; touch full/letter; expect 2 "full" "$tool" run good.toml --out full
expect 0 "" "$tool" show run
grep -q neg_entropy out || fail "show has no table"
expect 0 "" "$tool" export run
[[ $(wc -l <out) -eq 7 ]] || fail "export has not one row per network"
head -1 out | grep -q "^net,rule.geometry,seed,status,overflowed_at,final.loss,final.accuracy,weight_change.final" || fail "export's columns: $(head -1 out)"
expect 0 "" "$tool" export run --format json
python3 -c 'import json; d = json.load(open("out")); assert len(d) == 6 and d[0]["status"] == "ok" and d[0]["final.accuracy"] >= 0' || fail "export --format json"
expect 0 "" "$tool" export run --history
head -1 out | grep -q "^net,step,name,value" || fail "export --history"
expect 0 "" "$tool" plot run
grep -q "</svg>" run/figure.svg || fail "no figure"
expect 0 "" "$tool" plot run --history
grep -q "</svg>" run/history.svg || fail "no history figure"
expect 2 "nothing.final" "$tool" plot run --measure nothing.final

# precision: refused where a device does not have it, before anything is written; emulated on the CPU if asked for
refusal="train.precision is 'fp16'; the CPU trains in fp32; allowed here: fp32, or --emulate-precision"
expect 0 "" "$tool" validate good.toml --set train.precision=fp16
expect 2 "$refusal" "$tool" run good.toml --out nothing --device cpu --set train.precision=fp16
expect 2 "$refusal" "$tool" plan good.toml --device cpu --set train.precision=fp16
expect 2 "$refusal" "$tool" bench train --device cpu --precision fp16
[[ ! -s out ]] || fail "a refused benchmark printed something"
expect 2 "fp64.*not available.*fp32x3" "$tool" run good.toml --out nothing --device cpu --set train.precision=fp64
expect 2 "precision.*fp31" "$tool" bench train --device cpu --precision fp31
expect 2 "emulate-precision.*'cuda:0'" "$tool" run good.toml --out nothing --device cuda:0 --emulate-precision
[[ ! -e nothing ]] || fail "a refused precision left an output directory"
expect 0 "" "$tool" plan good.toml --emulate-precision --set train.precision=fp16
grep -q "^precision *fp16: 6 networks" out || fail "plan does not print the precision"
expect 0 "" "$tool" plan good.toml --device cpu
grep -q "^precision" out && fail "plan prints fp32"
bad 's/seed = .*/"train.precision" = ["fp32", "fp32x3", "fp16"]/'
expect 0 "" "$tool" run bad.toml --out rounded --emulate-precision
expect 0 "" "$tool" export rounded --format json
python3 - <<'PY' || fail "sweep over precisions"
import json
loss = {(d["rule.geometry"], d["train.precision"]): d["final.loss"] for d in json.load(open("out"))}
assert len(loss) == 6
for geometry in ("euclidean", "neg_entropy"):
    exact, three, one = (loss[geometry, p] for p in ("fp32", "fp32x3", "fp16"))
    assert 0 < abs(one - exact) < 1e-2 and abs(three - exact) < 1e-4 and abs(three - exact) < abs(one - exact), loss
PY
expect 0 "" "$tool" run good.toml --out emulated --emulate-precision
expect 2 "was computed with.*precision emulated" "$tool" run good.toml --out emulated --device cpu
expect 0 "" "$tool" bench train --n 16 --batch 8 --steps 8 --seconds 0.1 --emulate-precision --precision fp16 --json
grep -q '"precision": "fp16"' out || fail "bench does not print the precision"
expect 0 "" "$tool" list
grep -A3 "^precision" out | grep -q fp32x3 || fail "list names no precision"

# one diverging network is data, not an error
expect 0 "" "$tool" run good.toml --out wild --device cpu --set rule.lr=1e30
"$tool" export wild | grep -q "diverged@" || fail "divergence is not marked"

# the throughput benchmark's contract
expect 0 "" "$tool" bench train --n 16 --batch 8 --steps 8 --seconds 0.1 --device cpu --json
python3 - <<'PY' || fail "bench --json"
import json
d = json.loads(open("out").read())
keys = "n batch seq_len backend device isa precision threads net_steps_per_s tflops gemm_tflops efficiency".split()
assert all(k in d for k in keys) and d["efficiency"] > 0 and d["backend"] == "cpu"
PY

# the first updates of the same networks, number by number: plain gradient steps with momentum from the start that is printed
expect 0 "" "$tool" bench trace --n 5 --batch 3 --steps 4 --networks 2 --updates 2 --device cpu
python3 - <<'PY' || fail "bench trace"
import json, math
d = json.load(open("out"))
assert len(d["start"]) == len(d["gradient"]) == len(d["end"]) == 2 * 5 * (4 + 5 + 3) and len(d["loss"]) == 4
assert all(math.isfinite(v) for v in d["start"] + d["gradient"] + d["end"] + d["loss"])
assert d["start"][:60] != d["start"][60:] and abs(d["loss"][0] - math.log(3)) < 0.2
PY
"$tool" bench trace --n 5 --batch 3 --steps 4 --networks 2 --device cpu >one
python3 - <<'PY' || fail "bench trace: one update"
import json
two, one = json.load(open("out")), json.load(open("one"))
assert one["start"] == two["start"] and one["gradient"] == two["gradient"] and one["loss"] == two["loss"][::2]
assert all(abs(e - (s - 0.003 * g)) < 1e-6 for s, g, e in zip(one["start"], one["gradient"], one["end"]))
PY
expect 2 "--updates" "$tool" bench trace --updates 0

# the other task of the two: a loss at the last step alone, so readout gradients of one network sum to 0 over classes
expect 0 "" "$tool" bench train --task row_mnist --n 16 --batch 8 --seconds 0.1 --device cpu --json
python3 - <<'PY' || fail "bench train --task row_mnist"
import json
d = json.loads(open("out").read())
assert (d["task"], d["n"], d["batch"], d["seq_len"]) == ("row_mnist", 16, 8, 28)
work = 2 * 8 * (28 * (3 * 16 * 16 + 2 * 16 * 28) + 3 * 16 * 10)  # of one readout, not of 28
assert abs(d["tflops"] / (d["net_steps_per_s"] * work * 1e-12) - 1) < 1e-4, d
PY
expect 0 "" "$tool" bench trace --task row_mnist --n 5 --device cpu
python3 - <<'PY' || fail "bench trace --task row_mnist"
import json, math
d = json.load(open("out"))
assert (d["batch"], d["seq_len"]) == (32, 28) and len(d["start"]) == 5 * (28 + 5 + 10) and abs(d["loss"][0] - math.log(10)) < 0.2
readout = d["gradient"][5 * (28 + 5) :]
assert any(readout) and all(abs(sum(readout[k::5])) < 1e-6 for k in range(5))
PY
expect 2 "--steps is 27; task row_mnist has 28" "$tool" bench train --task row_mnist --steps 27
expect 2 "--task: mnist not in" "$tool" bench trace --task mnist

# the benchmark of a card, on the CPU; without a card one line
expect 0 "" "$tool" bench gpu --help
expect 0 "conformance" "$tool" bench gpu --device cpu --quick --seconds 0.02 --json card.json
for words in "conformance with the CPU, tolerance" "serial.*pass" "gradients against double" "throughput" "latency"; do
  grep -q "$words" out || fail "bench gpu prints no '$words'"
done
python3 - <<'PY' || fail "bench gpu --json"
import json
d = json.load(open("card.json"))
assert d["complete"] and d["quick"] and d["commit"] is None and d["device"]["backend"] == "cpu"
assert d["conformance"]["pass"] and d["conformance"]["programs"][0]["difference"] <= d["conformance"]["tolerance"]
assert all(0 < a["gradient_error"] < 1e-5 for a in d["accuracy"]) and {a["gain"] for a in d["accuracy"]} == {0.9, 1.5}
assert all(t["net_steps_per_s"] > 0 and t["problem"] is None for t in d["throughput"] + d["latency"])
PY
expect 0 "" env COHORT_COMMIT=abc "$tool" bench gpu --device cpu --quick --seconds 0.01 --json card.json
grep -q '"commit": "abc"' card.json || fail "bench gpu --json does not name the commit"
expect 4 "device 'cuda:99': there is no" "$tool" bench gpu --device cuda:99
[[ ! -s out ]] || fail "bench gpu printed something without a device"
expect 2 "tpu" "$tool" bench gpu --device tpu
expect 2 "--seconds" "$tool" bench gpu --device cpu --seconds 0
expect 3 "nothing/here" "$tool" bench gpu --device cpu --json /proc/nothing/here

# Ctrl-C ends cleanly, and the same command continues
"$tool" run good.toml --out stopped --device cpu --set train.steps=2000000 >out 2>err &
pid=$!
sleep 1.5; kill -INT $pid; wait $pid; code=$?
checks=$((checks + 1))
[[ $code -eq 130 ]] || fail "interrupted run ended with $code"
grep -q interrupted err || fail "an interrupted run says nothing"
[[ -f stopped/manifest.json ]] || fail "an interrupted run lost its manifest"

echo "$checks commands checked, $failures failures"
[[ $failures -eq 0 ]]
