#!/usr/bin/env bash
# wide_test.sh SOURCE TOOL: the race of models of one layer, small: every installed peer has the losses of float64 and races, the
# others are named as skipped; then with peers that are missing, wrong or die, and with mistakes of the caller.
set -uo pipefail
race=$(realpath "$1")/bench/wide-race
tool=$(realpath "$2")
# shellcheck source=tests/peers/stub.sh
source "$(realpath "$1")/tests/peers/stub.sh"
# shellcheck source=tests/expect.sh
source "$(realpath "$1")/tests/expect.sh"
smoke=("$race" --smoke --tool "$tool" --seconds 0.02 --rounds 3)

expect "the race" 0 "r_of_k-70 .*regression-50 .*Errors against float64" "${smoke[@]}" --json race.json
python3 - <<'PY' || failures=$((failures + 1))
import json

report = json.load(open("race.json"))
assert report["machine"]["processor"] and report["commit"] and report["date"]
assert set(report["systems"]) == {"r_of_k-70", "regression-50"}
for case, systems in report["systems"].items():
    ran = {name for name, s in systems.items() if "error" not in s}
    assert "cohort" in ran
    if "float64" not in systems:  # NumPy is there
        assert all(0 < systems[name]["error_of_losses"] < 1e-4 for name in ran), systems
    raced = [r for r in report["results"] if r["case"] == case]
    assert {r["system"] for r in raced} == ran, (raced, ran)
    for r in raced:
        assert len(r["drawn"]) == len(r["found"]) == 3 and min(r["drawn"]) > 0, r
        assert all(a <= b for a, b in zip(r["drawn"], r["found"])), r
PY

unset COHORT_REQUIRE_PEERS # what the caller's machine has does not matter from here on
expect "in processor time" 0 "a second of one core.*jax|skipped: jax" "${smoke[@]}" --clock processor --systems jax
stubbed=("${smoke[@]}" --python ./python)
python 'echo "{\"missing\": \"jax\"}"'
expect "nothing installed" 0 "r_of_k-70 \| [0-9.e+]+ \| - \| - .*skipped: jax, r_of_k-70: not installed" "${stubbed[@]}"
expect "a peer is required" 1 "wide-race: torch, r_of_k-70: not installed" env COHORT_REQUIRE_PEERS=torch "${stubbed[@]}"
# shellcheck disable=SC2016 # the stub is to expand it
python 'case $2 in' \
  'wide_reference) echo "{\"versions\": {}, \"knobs\": {}}"; read -r; echo "{}"; read -r; echo "{\"error_of_losses\": 1e-6}";;' \
  '*) echo "{\"versions\": {}, \"knobs\": {}}"; read -r; echo "{\"error_of_losses\": 2e-4}";;' 'esac' 'read -r'
expect "a peer is wrong" 1 "wide-race: jax, r_of_k-70: losses are wrong: relative error 0.0002" "${stubbed[@]}" --systems jax
python 'echo "no memory" >&2; exit 3'
expect "a peer dies" 1 "jax, r_of_k-70: ended with exit code 3: no memory" "${stubbed[@]}" --systems jax

# expect_line PATTERN ARGUMENTS...: refused with exactly one line.
expect_line() {
  local pattern=$1
  shift
  expect "$*" 2 "^wide-race: [^"$'\n'"]*${pattern}[^"$'\n'"]*$" "$race" --tool "$tool" "$@"
}
expect_line "'tensorflow' is unknown; allowed: torch" --systems tensorflow
expect_line "invalid choice: 'sun'" --clock sun
expect_line "'r_of_k-3' is unknown; allowed: r_of_k-200" --cases r_of_k-3
expect_line "above 0" --seconds 0
expect_line "above 0" --rounds 0
expect_line "no program .*nothing" --python /nothing
expect_line "no folder" --json /nothing/here.json
expect "no tool" 2 "^wide-race: argument --tool: there is no program .*nothing$" "$race" --tool ./nothing
expect "help" 0 "PyTorch and JAX" "$race" --help

((failures == 0)) && echo "the race of wide models behaves"
