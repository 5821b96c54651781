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

failures=0
# planted FILE TEXT PATTERN: with TEXT appended to FILE, the check fails and names FILE with PATTERN.
planted() {
  local file=$copy/$1 output before=
  mkdir -p "$(dirname "$file")"
  [[ ! -f $file ]] || { before=$(mktemp) && cp "$file" "$before"; }
  printf '\n%s\n' "$2" >>"$file"
  if output=$(bash "$here/check_structure.sh" "$copy"); then
    echo "not noticed: $1: $2"
    failures=$((failures + 1))
  elif ! grep -qE -e "$1.*$3" <<<"$output"; then
    printf 'noticed otherwise: %s: %s\n%s\n' "$1" "$2" "$output"
    failures=$((failures + 1))
  fi
  if [[ -n $before ]]; then mv "$before" "$file"; else rm "$file"; fi
}

bash "$here/check_structure.sh" "$copy" || exit 1
planted kernels/geometry/euclidean.h '#include "task/trial.h"' 'must not include'
planted kernels/task/trial.h '#include "program/train.h"' 'must not include'
planted kernels/program/train.h '#include "cpu/driver.h"' 'must not include'
planted kernels/core/loss.h '#include "engine/run/table.h"' 'above it'
planted engine/run/table.h '#include "kernels/program/train.h"' 'visible'
planted engine/run/table.h '#include <cuda_runtime.h>' 'CUDA headers'
planted kernels/cuda/planted.cu 'k<<<1, 1>>>();' 'gpu::launch'
planted kernels/cuda/planted.cu 'asm volatile("");' 'assembly'
planted kernels/geometry/planted.h 'struct planted {};' 'neither in'
planted engine/run/table.h "// TO""DO later" 'unfinished'
planted scripts/demo "cat /ho""me/someone/file" 'path of one machine'
sed -i 's/set(COHORT_TASKS/& planted_task/' "$copy/kernels/registry.cmake"
planted kernels/registry.cmake '' "names 'planted_task'"

((failures == 0)) && echo "every planted violation is noticed"
