#!/usr/bin/env bash
# check_structure.sh ROOT: the rules of docs/architecture.md that a compiler does not see. Prints one line per violation
# (file:line: rule) and fails if there is one.
set -euo pipefail
shopt -s lastpipe # a loop at the end of a pipe counts violations of this shell
cd "${1:?usage: check_structure.sh ROOT}"

violations=0
report() {
  echo "$1"
  violations=$((violations + 1))
}

# Files below the given folders whose names match one of the patterns, without build products.
sources() {
  local pattern=$1
  shift
  local present=() folder
  for folder in "$@"; do [[ -e $folder ]] && present+=("$folder"); done
  ((${#present[@]} == 0)) || find "${present[@]}" -type f -regextype posix-extended -regex "$pattern" | sort
}
code='.*\.(h|cuh|cpp|cu)'

# grep_files EXPRESSION: every matching line of the files on stdin as FILE:LINE:TEXT.
grep_files() {
  xargs -r -d '\n' grep -nHIE -e "$1" || true
}
# Every line of the files on stdin that matches an extended regular expression outside of // comments.
# $1 what is wrong, $2 the expression, $3 (optional) FILE:LINE:TEXT to leave out.
forbid() {
  local hit
  grep_files "$2" | while IFS= read -r hit; do
    [[ ${hit%%//*} =~ $2 ]] || continue
    [[ -n ${3:-} && $hit =~ $3 ]] || report "$hit  <- $1"
  done
}

# ---- dependencies run one way --------------------------------------------------------------------------------------
# {cpu, cuda} -> alignment -> program -> {geometry, parameterisation, core -> cell, task, init} -> {team, math}.
# Folder of kernels/ -> folders it must not include from.
siblings=(geometry parameterisation core task init)
declare -A closed=(
  [math]="geometry parameterisation cell core task init alignment spectra program cpu cuda"
  [team]="geometry parameterisation cell core task init alignment spectra program cpu cuda"
  [spectra]="geometry parameterisation cell core task init alignment program cpu cuda"
  [cell]="geometry parameterisation core task init alignment spectra program cpu cuda"
  [program]="alignment cpu cuda"
  [alignment]="cpu cuda"
  [cpu]="cuda"
  [cuda]="cpu"
)
# The parts of one weight tensor: what initialisations fill and parameterisations assemble.
# The CUDA team needs the GPU header.
shared='init/draw\.h:.*"parameterisation/parts\.h"|team/cta\.h:.*"cuda/gpu\.h"'
for folder in "${siblings[@]}"; do
  others=()
  for other in "${siblings[@]}"; do [[ $other == "$folder" ]] || others+=("$other"); done
  closed[$folder]="${others[*]} alignment spectra program cpu cuda"
done
for folder in "${!closed[@]}"; do
  sources "$code" "kernels/$folder" |
    forbid "kernels/$folder must not include this" "#include[ ]*\"(kernels/|\.\./)?(${closed[$folder]// /|})/" "$shared"
done
sources "$code" kernels | forbid "kernels must not include the engine or anything above it" \
  '#include[ ]*"(\.\./)*(engine|apps|python|tests|bench)/'
sources "$code" engine | forbid "the engine must not include what stands on it" \
  '#include[ ]*"(\.\./)*(apps|python|tests|bench)/'
# The engine, the tool and the benchmarks see the kernels through kernels/include only.
sources "$code" engine apps | forbid "only kernels/include is visible here" \
  "#include[ ]*\"((\.\./)*kernels/.*|(geometry|parameterisation|core|task|init|program|cpu|team|math|alignment)/[a-z_]*\.h)\"" \
  '^engine/device/[^/:]*cuda'

# ---- CUDA stays where it belongs -----------------------------------------------------------------------------------
cuda_header='#include[ ]*[<"](cuda|cublas|cusolver|curand|cusparse|nvrtc|nvtx|cub/|thrust/|cooperative_groups|mma\.h|device_launch|driver_types|vector_types)'
sources "$code" kernels engine apps | forbid "CUDA headers only in kernels/cuda and engine/device/*cuda*" "$cuda_header" \
  '^(kernels/cuda/|kernels/team/cta\.h:|engine/device/[^/:]*cuda)'
sources "$code" kernels engine apps tests bench | forbid "kernels are launched through gpu::launch" '<<<' \
  '^kernels/cuda/gpu\.h:'
sources "$code" kernels engine apps tests bench | forbid "assembly only in kernels/cuda/ptx.h (and the emulator's context switch)" '\<(asm|__asm__|__asm)\>' \
  '^(kernels/cuda/ptx\.h|tests/emulator/[^:]*):'

# ---- every word of the registries has its header, every header is registered ----------------------------------------
# words LIST FILE: the words of set(LIST ...) in a CMake file, one a line.
words() {
  sed 's:#.*$::' "$2" | tr '\n' ' ' | grep -oE "set\($1 [^)]*\)" | sed -E "s/^set\($1 +//; s/\)\$//" | tr -s ' ' '\n' | sed '/^$/d'
}
# registered FOLDER LIST FILE HELPERS: the headers of FOLDER are exactly the words of LIST and the helpers.
registered() {
  local folder=$1 list=$2 file=$3 helpers=$4 word header
  [[ -f $file ]] || { report "$file: missing"; return; }
  local known
  known=" $(words "$list" "$file" | tr '\n' ' ')"
  for word in $known; do
    [[ -f $folder/$word.h ]] || { report "$file: $list names '$word', but there is no $folder/$word.h"; continue; }
    grep -qE "\<struct $word\>" "$folder/$word.h" || report "$folder/$word.h: no struct $word"
  done
  while read -r header; do
    header=$(basename "$header" .h)
    [[ $known == *" $header "* || " $helpers " == *" $header "* ]] ||
      report "$folder/$header.h: neither in $list nor a known helper"
  done < <(sources '.*\.h' "$folder")
}
kernels=kernels/registry.cmake
registered kernels/geometry COHORT_GEOMETRIES $kernels "geometry"
registered kernels/parameterisation COHORT_PARAMETERISATIONS $kernels "parts"
registered kernels/cell COHORT_CELLS $kernels "layer norm inhibition"
registered kernels/task COHORT_TASKS $kernels "trial image"
registered kernels/init COHORT_DISTRIBUTIONS $kernels "draw"
registered engine/analysis COHORT_ANALYSES engine/analysis/registry.cmake "analysis common"

# ---- house ---------------------------------------------------------------------------------------------------------
for file in LICENSE README.md CHANGELOG.md CONTRIBUTING.md docs/architecture.md scripts/setup scripts/build scripts/demo scripts/test; do
  [[ -s $file ]] || report "$file: missing"
done
everything() {
  sources '.*\.(h|cuh|cpp|cu|cmake|md|toml|json|sh|py|cff|txt)|scripts/[a-z-]+|\.ci/run' \
    kernels engine apps tests bench cmake docs experiments scripts python README.md CONTRIBUTING.md CHANGELOG.md \
    CMakeLists.txt CMakePresets.json CITATION.cff .ci
}
text_forbid() { # like forbid, comments included
  local hit
  grep_files "$2" | while IFS= read -r hit; do report "$hit  <- $1"; done
}
everything | text_forbid "unfinished mark" '\<(TO[D]O|FIX[M]E|XX[X]|HAC[K])\>'
everything | text_forbid "path of one machine" '(^|[^[:alnum:]_.])/(wor[k]|hom[e]|roo[t]|User[s]|tm[p])/[[:alnum:]]'

if ((violations)); then
  echo "$violations violation(s) of the structure"
  exit 1
fi
echo "structure: as described"
