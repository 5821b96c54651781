#!/usr/bin/env bash
# experiments_test.sh TOOL EXPERIMENTS: every experiment is valid and its plan is made; those on Dale's law train a few updates of
# small networks on made-up images and words and finish, every arm of them.
set -uo pipefail
tool=$(realpath "$1")
experiments=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() { echo "FAILED: $*"; failures=$((failures + 1)); }

mkdir images words
python3 - <<'PYTHON'
import random
import struct

random.seed(1)
for name, count in (("train", 600), ("t10k", 100)):
    with open(f"images/{name}-images-idx3-ubyte", "wb") as f:
        f.write(struct.pack(">IIII", 0x803, count, 28, 28) + random.randbytes(count * 784))
    with open(f"images/{name}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">II", 0x801, count) + bytes(random.randrange(10) for _ in range(count)))
vocabulary = [f"word{i}" for i in range(40)]
with open("words/embeddings.txt", "w") as f:
    for word in vocabulary:
        f.write(" ".join([word] + [f"{random.gauss(0, 1):.4f}" for _ in range(8)]) + "\n")
for name, count in (("train", 12000), ("valid", 1200), ("test", 1200)):
    with open(f"words/{name}.txt", "w") as f:
        f.write(" ".join(random.choice(vocabulary) for _ in range(count)) + "\n")
PYTHON

n=0
for file in "$experiments"/*.toml "$experiments"/*/*.toml; do
  name=${file#"$experiments"/}
  "$tool" validate "$file" >out 2>err || { fail "$name is not valid: $(<err)"; continue; }
  n=$((n + 1))
done
((n >= 10)) || fail "only $n experiments were found"

# Smaller networks, one seed, a few updates: NAME OPTION...
small() {
  local name=$1
  shift
  "$tool" run "$experiments/dale/$name.toml" --out "runs/$name" --device cpu --set seed=0 --set output.history_every=1 "$@" \
    >out 2>err || { fail "$name: $(tail -1 err)"; return; }
  "$tool" export "runs/$name" >table.csv 2>err || { fail "export of $name: $(<err)"; return; }
  python3 - "$name" <<'PYTHON' || fail "$name"
import csv
import sys

rows = list(csv.DictReader(open("table.csv")))
lost = [r["net"] for r in rows if r["status"] != "ok"]
most = len(rows) // 10 if sys.argv[1] == "radius-sweep" else 0  # its largest starts do diverge
if not rows or len(lost) > most:
    sys.exit(f"{sys.argv[1]}: networks {lost} of {len(rows)} were lost")
PYTHON
}
images=(--data images --set train.steps=6 --set eval.every=1 --set task.validation=100)
small flat-mnist "${images[@]}"
small flat-mnist-search --data images --set train.steps=2 --set task.validation=100 --set rule.lr=0.003
small row-mnist "${images[@]}"
small row-mnist-3-layers "${images[@]}" --set network.n_hidden=20
small column-eg "${images[@]}" --set network.n_hidden=20
small size "${images[@]}" --set network.n_hidden=30
small inhibitory-fraction "${images[@]}"
small column-ei-grid "${images[@]}" --set network.n_hidden=60 --set rule.clip=5
small entropy-error "${images[@]}" --set network.n_hidden=60
small transplant "${images[@]}" --set network.n_hidden=20
small transplant-as-run "${images[@]}" --set network.n_hidden=20
small radius-sweep "${images[@]}" --set network.n_hidden=20 --set rule.lr=0.003 --set rule.clip=1
small adding --set train.steps=6 --set eval.every=1 --set eval.trials=64 --set task.samples=256
small language-model --data words --set train.steps=3 --set network.n_hidden=20 --set task.vocabulary=40 --set task.dimension=8

((failures == 0)) && echo "$n experiments are valid; those on Dale's law run"
exit $((failures > 0))
