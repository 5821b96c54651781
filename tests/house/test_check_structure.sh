#!/usr/bin/env bash
# check_structure.sh finds each kind of violation planted into a copy of the tree, and nothing in the copy as it is.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
root=$here/../..
for part in kernels engine apps bench cmake docs experiments scripts .ci tests LICENSE README.md CHANGELOG.md CONTRIBUTING.md CMakeLists.txt; do
  [[ ! -e $root/$part ]] || cp -r "$root/$part" "$copy/"
done

expected=()
# plant FILE TEXT PATTERN: appends TEXT to FILE; the check has to name FILE with PATTERN.
plant() {
  mkdir -p "$(dirname "$copy/$1")"
  printf '\n%s\n' "$2" >>"$copy/$1"
  expected+=("$1.*$3")
}
plant kernels/geometry/euclidean.h '#include "task/trial.h"' 'kernels/geometry must not include'
plant kernels/task/trial.h '#include "program/train.h"' 'kernels/task must not include'
plant kernels/program/train.h '#include "cpu/driver.h"' 'kernels/program must not include'
plant kernels/core/loss.h '#include "engine/run/table.h"' 'above it'
plant engine/run/table.h '#include "kernels/program/train.h"' 'visible'
plant engine/run/result.h '#include <cuda_runtime.h>' 'CUDA headers'
plant kernels/cuda/planted.cu 'k<<<1, 1>>>();' 'gpu::launch'
plant kernels/cuda/planted.cu 'asm volatile("");' 'assembly'
plant kernels/geometry/planted.h 'struct planted {};' 'neither in'
plant engine/run/table.h "// TO""DO later" 'unfinished'
plant scripts/demo "cat /ho""me/someone/file" 'path of one machine'
sed -i 's/set(COHORT_TASKS/& planted_task/' "$copy/kernels/registry.cmake"
expected+=("kernels/registry.cmake.*names 'planted_task'")
plant kernels/math/random.h '// k<<<1, 1>>>() and #include "program/train.h" in a comment' '' # no violation
unset 'expected[-1]'

if output=$(bash "$here/check_structure.sh" "$copy"); then
  echo "nothing was noticed"
  exit 1
fi
failures=0
for pattern in "${expected[@]}"; do
  grep -qE -e "$pattern" <<<"$output" || { echo "not noticed: $pattern" && failures=$((failures + 1)); }
done
grep -q "^${#expected[@]} violation" <<<"$output" || { echo "something else was noticed, too" && failures=$((failures + 1)); }
if ((failures)); then
  echo "$output"
  exit 1
fi
echo "every planted violation is noticed"
