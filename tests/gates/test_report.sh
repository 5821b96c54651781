#!/usr/bin/env bash
# test_report.sh REPORT OBJECT: the report of the samples, and that the gate passes clean kernels and fails the others with
# one line per finding.
set -euo pipefail
report=${1:?usage: test_report.sh REPORT OBJECT}
object=${2:?}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

failures=0
fail() {
  echo "$1"
  failures=$((failures + 1))
}
# gate WHAT STATUS LIST: what the gate says to a list becomes $said.
gate() {
  local got=0
  printf '%s\n' "$3" >"$folder/list"
  said=$("$report" --gate "$folder/list" "$object" 2>&1) || got=$?
  [[ $got == "$2" ]] || fail "$1: exit status $got: $said"
}
# says N PATTERN: so many lines of $said match.
says() {
  local n
  n=$(grep -cE -e "$2" <<<"$said") || true
  [[ $n == "$1" ]] || fail "$n lines, not $1, match '$2' in: $said"
}
gate "what is allowed" 0 '
  clean_kernel/clean_phase registers=64
  outside_kernel/*  # spills around the loop
  inside_kernel/* local=100
  callee_kernel/callee_phase levels=1  # its call is outside of the innermost loop
  tensor_kernel/tensor_phase math=64
  planned_kernel/* pending
'
says 1 '^12 kernels pass list$'
gate "findings" 1 '
  inside_kernel/*
  inside_kernel/* outer=2
  callee_kernel/callee_phase
  pointer_kernel/pointer_phase local=100
  clean_kernel/clean_phase registers=31
  clean_kernel/clean_phase math=33
  clean_kernel/renamed
  clean_kernel/clean_phase pending
'
local=' local memory accesses in the loop at 0x[0-9a-f]+ of depth'
says 1 "^inside_kernel/inside_phase \(sm_80\): [0-9]+$local 1, first .*; allowed: 0"
says 1 "^inside_kernel/inside_phase \(sm_90a\): [0-9]+$local 2, first .*LDL.*; allowed: 0"
says 2 '^inside_kernel/inside_phase .*: no loop with 16 FFMA'
says 2 "^callee_kernel/callee_phase .*$local 1, first .* in chosen, called there"
says 2 '^pointer_kernel/pointer_phase .*: CALL.* in the loop at 0x[0-9a-f]+; allowed: calls that name a function'
says 2 '^clean_kernel .*: [0-9]+ registers; allowed: 31$'
says 2 '^clean_kernel/clean_phase .*: no loop with 33 FFMA'
says 2 '^clean_kernel/renamed .*: matches no function'
says 2 "^clean_kernel/clean_phase .*: is built now; allowed: the line without 'pending'"
says 18 ''
gate "the kernel itself, with its queue" 1 'callee_kernel'
says 2 "^callee_kernel .*$local 1, first .* in chosen, called there"
gate "a mistake in the list" 1 'clean_kernel local'
says 1 "list:1: 'local'; allowed: registers=N, local=N"

# column NAME N: a column of the table's lines of a kernel.
table=$("$report" --markdown "$object")
column() {
  grep -F "| \`$1\` |" <<<"$table" | cut -d'|' -f$(($2 + 1)) | tr -d ' '
}
[[ $(column clean_kernel 6 | tr '\n' ' ') == "0 0 " && $(column clean_kernel 7 | tr '\n' ' ') == "0 0 " ]] || fail "clean: spills"
for n in $(column outside_kernel 6) $(column inside_kernel 7) $(column callee_kernel 7); do ((n > 0)) || fail "no spills where some are"; done
for n in $(column outside_kernel 7) $(column inside_kernel 6); do ((n == 0)) || fail "spills on the wrong side of a loop"; done
[[ $(column clean_kernel 8) == 32/* ]] || fail "not 32 FFMA in the innermost loop"

# A committed table is stale where numbers differ, and of another compiler only where names do.
check() {
  local what=$1 status=$2 got=0
  "$report" --check "$folder/table.md" "$object" >"$folder/output" || got=$?
  [[ $got == "$status" ]] || { fail "$what: exit status $got" && cat "$folder/output"; }
}
cat <<<"$table" >"$folder/table.md"
check "the same table" 0
sed -i '/outside_kernel/s/| [0-9]* |/| 1 |/' "$folder/table.md"
check "other registers" 1
sed -i 's/; nvcc .*/; nvcc 1.0./' "$folder/table.md"
check "other registers of another compiler" 0
sed -i '/clean_kernel/d' "$folder/table.md"
check "a kernel is missing" 1

"$report" --json "$object" | python3 -c '
import json, sys
kernels = json.load(sys.stdin)
calls = [f for k in kernels if k["kernel"] == "callee_kernel" for f in k["functions"] if f["function"] == "chosen"]
assert len(kernels) == 12 and all(f["loops_around_calls"] == 2 and f["by_kind"]["indexed"] > 0 for f in calls) and calls
' || fail "JSON"
((failures == 0)) && echo "the gate notices what it is there for"
