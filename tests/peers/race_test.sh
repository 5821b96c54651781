#!/usr/bin/env bash
# race_test.sh SOURCE TOOL TASK [OPTIONS]: every installed peer computes the gradients of float64 and races; the others are named
# as skipped.
set -euo pipefail
source=$(realpath "$1")
tool=$(realpath "$2")
export TASK=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$source/bench/race" --smoke --task "$TASK" "${@:4}" --device cpu --tool "$tool" --json race.json | tee table.md
python3 - <<'PY'
import json
import os

report = json.load(open("race.json"))
assert report["task"] == os.environ["TASK"] and report["device"] == "cpu" and report["machine"]["processor"] and report["commit"] and report["date"]
(systems,) = report["systems"].values()
ran = {name for name, s in systems.items() if "error" not in s}
assert "cohort fp32" in ran
if "float64" not in systems:  # NumPy is there
    for name in ran:
        assert 0 < systems[name]["gradient_error"] < 1e-5 and systems[name]["curve_error"] < 1e-4, (name, systems[name])
    assert systems["cohort fp32"]["start_error"] < 1e-6  # the same weights by another implementation of the same generator
races = {(r["race"], r["data"]) for r in report["results"]}
assert races == {(race, data) for race in ("throughput", "N = 1") for data in ("generated", "fixed")}
for r in report["results"]:
    assert len(r["rates"]) == 5 and min(r["rates"]) <= r["net_steps_per_s"] <= max(r["rates"]), r
raced = {r["system"] for r in report["results"]}
assert raced == ran, (raced, ran)
assert all(name in open("table.md").read() for name in systems)
PY
