#!/usr/bin/env bash
# isolation.sh NM TARGET OBJECTS...: every symbol that an object defines and the linker could merge or export belongs to TARGET.
set -euo pipefail
nm=$1
target=$2
shift 2
for object in "$@"; do
  strays=$("$nm" --defined-only --extern-only -C "$object" | grep -vE "cohort::$target::" || true)
  n=$("$nm" --defined-only --extern-only "$object" | wc -l)
  [[ $n -gt 0 ]] || { echo "no symbols in $object"; exit 1; }
  [[ -z $strays ]] || { echo "$object defines outside cohort::$target:"; echo "$strays"; exit 1; }
  echo "$object: $n symbols, all in cohort::$target"
done
