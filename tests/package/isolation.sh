#!/usr/bin/env bash
# isolation.sh NM TARGET OBJECTS...: every symbol that an object defines and the linker could merge or export belongs to TARGET, and
# none runs code before main, where nothing has asked yet whether the processor has TARGET's instructions.
set -euo pipefail
nm=$1
target=$2
shift 2
for object in "$@"; do
  strays=$("$nm" --defined-only --extern-only -C "$object" | grep -vE "cohort::$target::" || true)
  n=$("$nm" --defined-only --extern-only "$object" | wc -l)
  [[ $n -gt 0 ]] || { echo "no symbols in $object"; exit 1; }
  [[ -z $strays ]] || { echo "$object defines outside cohort::$target:"; echo "$strays"; exit 1; }
  early=$("$nm" --defined-only "$object" | grep -E "_GLOBAL__(sub_)?[ID]_" || true)
  [[ -z $early ]] || { echo "$object runs before main: $early"; exit 1; }
  echo "$object: $n symbols, all in cohort::$target"
done
