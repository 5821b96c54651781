#!/usr/bin/env bash
# without_test.sh SOURCE TOOL: the race on its own, with peers that are missing, that die and that never answer, and with
# mistakes of the caller. Nothing of that stops it.
set -uo pipefail
race=$(realpath "$1")/bench/race
tool=$(realpath "$2")
# shellcheck source=tests/peers/stub.sh
source "$(realpath "$1")/tests/peers/stub.sh"
# shellcheck source=tests/expect.sh
source "$(realpath "$1")/tests/expect.sh"
unset COHORT_REQUIRE_PEERS # what the caller's machine has does not matter here
smoke=("$race" --smoke --tool "$tool" --python ./python --seconds 0.05)

python 'echo "{\"missing\": \"jax\"}"'
expect "nothing installed" 0 "16 \| throughput \| generated \| [0-9.e+]+ \| - \| - .*skipped: jax, n = 16: not installed.*skipped: torch-rnn" "${smoke[@]}"
expect "another task" 0 "cpu, row_mnist; .*16 \| N = 1 \| generated \| [0-9.e+]+ \| - \| -" "${smoke[@]}" --task row_mnist --data generated --races latency
expect "a peer is required" 1 "race: torch-bptt, n = 16: not installed" env COHORT_REQUIRE_PEERS=torch-bptt "${smoke[@]}"
expect "all are required" 1 "race: jax, n = 16: not installed" env COHORT_REQUIRE_PEERS=1 "${smoke[@]}" --systems jax
python 'echo "no such card" >&2; exit 3'
expect "a peer dies" 1 "jax \| - \| - \| ended with exit code 3: no such card" "${smoke[@]}" --systems jax
python 'kill -9 $$'
expect "a peer is killed" 1 "killed by signal 9" "${smoke[@]}" --systems jax
python 'sleep 60'
expect "a peer hangs" 1 "jax \| - \| - \| not done in 5 s" "${smoke[@]}" --systems jax --limit 5

# expect_line PATTERN ARGUMENTS...: refused with exactly one line.
expect_line() {
  local pattern=$1
  shift
  expect "$*" 2 "^race: [^"$'\n'"]*${pattern}[^"$'\n'"]*$" "$race" --tool "$tool" "$@"
}
expect_line "'tensorflow' is unknown; allowed: jax" --systems tensorflow
expect_line "1 to 8192 is allowed" --n 0
expect_line "1 to 8192 is allowed" --n 64,many
expect_line "invalid choice: 'tpu'" --device tpu
expect_line "argument --task: invalid choice: 'mnist' \(choose from .*row_mnist" --task mnist
expect_line "above 0" --seconds 0
expect_line "no program .*nothing" --python /nothing
expect_line "no folder" --json /nothing/here.json
expect_line "unrecognized arguments: --fast" --fast
expect "no tool" 2 "^race: argument --tool: there is no program .*nothing$" "$race" --tool ./nothing
expect "help" 0 "PyTorch and JAX" "$race" --help

((failures == 0)) && echo "the race behaves"
