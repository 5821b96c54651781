#!/usr/bin/env bash
# spectra_test.sh SOURCE TOOL: the race of spectra on its own, small, with frameworks that are missing or die, and with mistakes of
# the caller.
set -uo pipefail
race=$(realpath "$1")/bench/spectra-race
tool=$(realpath "$2")
# shellcheck source=tests/peers/stub.sh
source "$(realpath "$1")/tests/peers/stub.sh"
# shellcheck source=tests/expect.sh
source "$(realpath "$1")/tests/expect.sh"
smoke=("$race" --smoke --tool "$tool" --python ./python --seconds 0.02)

python 'echo "{\"missing\": \"torch\"}"'
expect "nothing installed" 0 "svdvals, a second:.*\| 16 \| 1 \| [0-9.e+]+ .*not measured: torch: not installed" "${smoke[@]}"
python 'echo "no such card" >&2; exit 3'
expect "frameworks die" 0 "not measured: torch: ended with exit code 3: no such card" "${smoke[@]}" --operations svdvals --json out.json
expect "the file says so" 0 "no such card" cat out.json
python 'echo "{\"operation\": \"svdvals\", \"n\": 16, \"batch\": 1, \"per_second\": 1.0}"'
expect "a slow framework" 0 "cupy .*torch .*\| 16 \| 1 \| [0-9.e+]+ \| - \| 1 \| - \| 1 \| [0-9.]+ \|" "${smoke[@]}" --operations svdvals

expect_line() {
  local pattern=$1
  shift
  expect "$*" 2 "^spectra-race: [^"$'\n'"]*${pattern}[^"$'\n'"]*$" "$race" --tool "$tool" "$@"
}
expect_line "'qr' is unknown; allowed: svdvals" --operations qr
expect_line "above 0" --seconds 0
expect_line "invalid choice: 'tpu'" --device tpu
expect_line "no folder" --json /nothing/here.json
expect "no tool" 2 "^spectra-race: argument --tool: there is no program nothing" "$race" --tool nothing
expect "help" 0 "LAPACK, cuSOLVER" "$race" --help

((failures == 0)) && echo "the race of spectra behaves"
