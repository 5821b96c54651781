#!/usr/bin/env bash
# isolation.sh NM TARGET OBJECT: every symbol that the object defines and the linker could merge or export belongs to TARGET.
set -euo pipefail
strays=$("$1" --defined-only --extern-only -C "$3" | grep -vE "cohort::$2::" || true)
n=$("$1" --defined-only --extern-only "$3" | wc -l)
[[ $n -gt 0 ]] || { echo "no symbols in $3"; exit 1; }
[[ -z $strays ]] || { echo "defined outside cohort::$2:"; echo "$strays"; exit 1; }
echo "$n symbols, all in cohort::$2"
