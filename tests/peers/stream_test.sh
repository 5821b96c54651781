#!/usr/bin/env bash
# stream_test.sh SOURCE TOOL: what bench/peers computes in NumPy of the engine's images and their order is what the engine does.
# Without NumPy nothing is tested, unless COHORT_REQUIRE_PEERS is set.
set -euo pipefail
source=$(realpath "$1")
tool=$(realpath "$2")
python=$source/build/peers/bin/python
[[ -x $python ]] || python=python3
if ! "$python" -c "import numpy" 2>/dev/null; then
  [[ -z ${COHORT_REQUIRE_PEERS:-} ]] || exit 1
  echo "skipped: no NumPy"
  exit 0
fi
PYTHONPATH=$source/bench/peers PYTHONDONTWRITEBYTECODE=1 "$python" - "$tool" <<'PY'
import dataclasses
import json
import subprocess
import sys

import numpy as np

import reference
import stream
from case import TASKS

for n in (1, 2, 5, 4096, 5000):
    for seed, epoch in ((0, 0), (1, 0), (0, 1)):
        order = stream.permute(np.arange(n), n, seed, epoch)
        assert (np.sort(order) == np.arange(n)).all(), (n, seed, epoch)
assert (stream.permute(np.arange(4096), 4096, 0, 0) != stream.permute(np.arange(4096), 4096, 0, 1)).mean() > 0.99

# Batches that end in the middle of an epoch, and those that contain the end of one.
case, nets, updates = dataclasses.replace(TASKS["row_mnist"], n=5, batch=3000), 2, 4
words = ["--task", case.task, "--n", case.n, "--batch", case.batch, "--networks", nets, "--updates", updates, "--device", "cpu"]
trace = subprocess.run([sys.argv[1], "bench", "trace", *map(str, words)], capture_output=True, text=True, check=True)
loss = np.array(json.loads(trace.stdout)["loss"]).reshape(nets, updates)
course = reference.course(case, range(nets), updates)
error = np.abs(loss / course["loss"] - 1)
assert error.max() < 1e-5, error

# Other images have other losses: one batch for another is not within rounding.
another = np.abs(np.diff(course["loss"], axis=1) / course["loss"][:, 1:])
assert another.min() > 1e-4, another
print("the stream of images is the engine's")
PY
