#!/usr/bin/env bash
# check_scripts.sh ROOT: every shell script parses, is strict, is executable where it is a command, and passes shellcheck
# where that is installed; every Python script parses.
set -euo pipefail
cd "${1:?usage: check_scripts.sh ROOT}"
commands=(scripts/* bench/race bench/spectra-race bench/wide-race .ci/run)
mapfile -t python < <(grep -lE -m1 '^#!.*python3' "${commands[@]}")
mapfile -t all < <(
  grep -LE -m1 '^#!.*python3' "${commands[@]}"
  find tests -name '*.sh'
)

failures=0
for script in "${all[@]}"; do
  bash -n "$script" || failures=$((failures + 1))
  # A test may go on after a failure, but not with a misspelt variable.
  strict='^set -euo pipefail$'
  [[ $script != tests/* ]] || strict='^set -[a-z]*u'
  grep -qE -e "$strict" "$script" || { echo "$script: not strict: no $strict" && failures=$((failures + 1)); }
done
for script in "${python[@]}"; do
  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$script" || failures=$((failures + 1))
done
for script in "${commands[@]}"; do
  [[ -x $script ]] || { echo "$script: not executable" && failures=$((failures + 1)); }
done
if command -v shellcheck >/dev/null; then
  shellcheck "${all[@]}" || failures=$((failures + 1))
fi
((failures == 0)) && echo "$((${#all[@]} + ${#python[@]})) scripts are fine"
