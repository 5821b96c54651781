#!/usr/bin/env bash
# data_test.sh TOOL: tasks that read files, as a person uses them: images and texts from --data and COHORT_DATA, what is evaluated,
# and missing, damaged or unfitting files: exit codes, one line with the place, nothing written.
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
# refused CODE PATTERN OPTION...: a run that ends so and leaves nothing behind
refused() {
  local code=$1 pattern=$2; shift 2
  expect "$code" "$pattern" "$tool" run "$file" --out nothing --device cpu "$@"
  [[ ! -e nothing ]] || { fail "a refused run left a directory: $*"; rm -rf nothing; }
}
# value RUN COLUMN: of the only network
value() {
  "$tool" export "$1" --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0][sys.argv[1]])' "$2"
}

# ---- images
mkdir images
images() { # TRAIN TEST: a set of so many images in which a row of ones says the digit
  python3 - "$1" "$2" <<'PY'
import struct, sys
for name, count in (("train", int(sys.argv[1])), ("t10k", int(sys.argv[2]))):
    pixels = bytearray(count * 784)
    for i in range(count):
        start = i * 784 + i % 10 * 28
        pixels[start:start + 28] = b"\xff" * 28
    open(f"images/{name}-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 0x803, count, 28, 28) + pixels)
    open(f"images/{name}-labels-idx1-ubyte", "wb").write(struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count)))
PY
}
images 120 30
cat >images.toml <<'TOML'
name = "images"
[network]
n_hidden = 24
[rule]
lr = 0.1
[task]
name = "flat_mnist"
batch = 10
[train]
steps = 60
[eval]
every = 10
also = ["train", "validation"]
mean_of = 3
[analysis]
names = ["weight_change"]
TOML
file=images.toml
expect 0 "" "$tool" run images.toml --out run --data images --device cpu
[[ $(value run final.accuracy) =~ ^1(\.0)?$ ]] || fail "ten images that say their digit are not learned: $(value run final.accuracy)"
for column in final.loss.train final.accuracy.train final.loss.validation final.accuracy.validation final.loss.mean_last final.accuracy.mean_last; do
  value run $column >/dev/null || fail "no column $column"
done
"$tool" export run --history | grep -q "^0,60,eval.accuracy.validation," || fail "no series eval.accuracy.validation"
expect 0 "" env COHORT_DATA=images "$tool" run images.toml --out other --device cpu
[[ $(value run final.loss) == "$(value other final.loss)" ]] || fail "COHORT_DATA is not --data"
expect 0 "" "$tool" run images.toml --out none --data images --device cpu --set task.validation=0 --set 'eval.also=[]'
expect 0 "" "$tool" run images.toml --out some --data images --device cpu --set task.validation=60 --set eval.split=validation --set 'eval.also=["train"]'
"$tool" run images.toml --help | grep -q "KMNIST, Fashion-MNIST" || fail "run --help does not say which sets are read"
"$tool" list | grep -A1 "^  flat_mnist" | grep -q "KMNIST or Fashion-MNIST" || fail "list does not say which sets are read"

refused 2 "COHORT_DATA"
refused 3 "nowhere: no such directory; a directory with the IDX files" --data nowhere
refused 3 "images.toml: not a directory" --data images.toml
refused 2 "task.validation = 120; 0 to 119 are allowed" --data images --set task.validation=120
refused 2 "the validation split holds no sample" --data images --set task.validation=0
refused 2 "eval.trials = 31, but the test split holds 30 samples; allowed: 1 to 30 or \"all\"" --data images --set eval.trials=31
refused 2 "eval.mean_of = 7.*6 evaluations" --data images --set eval.mean_of=7
for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
  mv images/$name-ubyte away
  refused 3 "images/$name-ubyte.gz: not found" --data images
  head -c 20 away >images/$name-ubyte
  refused 3 "images/$name-ubyte: truncated" --data images
  mv away images/$name-ubyte
done
printf '\12' | dd of=images/t10k-labels-idx1-ubyte bs=1 seek=11 conv=notrunc 2>/dev/null
refused 3 "t10k-labels-idx1-ubyte: label 10 of item 3; 0 to 9 are allowed" --data images

# ---- texts
mkdir words
python3 - <<'PY'
import random
random.seed(3)
words = [f"w{i}" for i in range(30)]
with open("words/embeddings.txt", "w") as f:
    for word in words:
        f.write(word + "".join(f" {random.uniform(-1, 1):.3f}" for _ in range(12)) + "\n")
word = 0
for name, count in (("train", 2000), ("valid", 500), ("test", 500)):
    text = []
    for _ in range(count):
        text.append(words[word])
        word = (7 * word + 11 * random.randrange(3) + 1) % 30
    with open(f"words/{name}.txt", "w") as f:
        f.write("\n".join(" ".join(text[i:i + 13]) for i in range(0, count, 13)) + "\n")
PY
cat >words.toml <<'TOML'
name = "words"
[network]
n_hidden = 32
n_dense_layers = 1
bias = true
[init]
gain = 0.7
[rule]
lr = 0.1
clip = 1.0
[task]
name = "language_model"
steps = 10
vocabulary = 30
dimension = 12
batch = 20
[train]
steps = 200
[analysis]
names = ["weight_change"]
TOML
file=words.toml
expect 0 "" "$tool" run words.toml --out words-run --data words --device cpu
# every word has three that may follow: ln 3 = 1.10; to know how frequent words are would give about ln 30 = 3.4
python3 -c 'import sys; sys.exit(not 1.0 < float(sys.argv[1]) < 1.8)' "$(value words-run final.loss)" ||
  fail "loss $(value words-run final.loss)"
"$tool" list --json | python3 -c '
import json, sys
tasks = {t["name"]: t["needs_data"] for t in json.load(sys.stdin)["task"]}
assert tasks["language_model"] == "tokens" and tasks["row_mnist"] == "images" and tasks["adding"] == "none"' || fail "list --json"
refused 2 "task.vocabulary = 31: embeddings.txt has 30 words; allowed: 30" --data words --set task.vocabulary=31
refused 3 "train.txt: 2000 words; at least 2001 are needed" --data words --set task.steps=2000 --set task.batch=1
refused 2 "eval.trials = 50, but the test split holds 49 samples" --data words --set eval.trials=50
refused 2 "does not go with task.name.*allowed: 0" --data words --set task.samples=5
refused 3 "embeddings.txt: not found" --data images
cp words/test.txt test.txt
printf 'w1 w2\n w3 other' >words/test.txt
refused 3 "words/test.txt:2:5: .other. is not in the vocabulary" --data words
head -c 1000 /dev/zero >words/test.txt; refused 3 "words/test.txt:1:1: " --data words
cp test.txt words/test.txt
cp words/embeddings.txt embeddings.txt
sed '7s/$/ 1/' embeddings.txt >words/embeddings.txt; refused 3 "embeddings.txt:7:1: .w6. has 13 numbers" --data words
sed '5s/ [^ ]*$//' embeddings.txt >words/embeddings.txt; refused 3 "embeddings.txt:5:1: .w4. has 11 numbers" --data words
sed '3s/ [^ ]*$/ nan/' embeddings.txt >words/embeddings.txt; refused 3 "embeddings.txt:3:[0-9]+: .nan. is not finite" --data words

# ---- fixed training sets of generated trials
cat >adding.toml <<'TOML'
name = "adding"
[network]
n_hidden = 40
[rule]
lr = 0.02
clip = 1.0
[task]
name = "adding"
steps = 5
batch = 4
samples = 12
[train]
steps = 3000
[eval]
also = ["train"]
[analysis]
names = ["weight_change"]
TOML
file=adding.toml
expect 0 "" "$tool" run adding.toml --out adding-run --device cpu
python3 -c 'import sys; sys.exit(not 3 * float(sys.argv[1]) < float(sys.argv[2]))' \
  "$(value adding-run final.loss.train)" "$(value adding-run final.loss)" || fail "a dozen trials were not learned by heart"
refused 2 "adding.toml:15:[0-9]+: eval.also.*needs task.samples" --set task.samples=0

echo "$checks commands checked, $failures failures"
[[ $failures -eq 0 ]]
