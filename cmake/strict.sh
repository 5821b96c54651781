#!/usr/bin/env bash
# strict.sh COMMAND...: a compiler launcher. Runs the command and fails where its output has a warning or an advisory of
# ptxas: those with a number, such as C7510 (wgmma serialised), are no warnings to --Werror. In front of ccache, so that
# output which ccache repeats is seen, too.
set -euo pipefail

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0
"$@" >"$output" 2>&1 || status=$?
cat "$output" >&2
((status == 0)) || exit $status

if found=$(grep -E '^ptxas [a-z]+ *: *\(C[0-9]+\)|\<warning *[:#]' "$output"); then
  printf 'strict: this output is an error here:\n%s\n' "$found" >&2
  while (($#)); do # no object is left that a later build would take for good
    [[ $1 != -o || $# -eq 1 ]] || rm -f "$2"
    shift
  done
  exit 1
fi
