#!/usr/bin/env bash
# test_gpu_check.sh ROOT: scripts/gpu-check on stand-ins for the programs: packing, a machine without a card, steps that
# fail, hang or are missing, and mistakes of the caller.
# shellcheck disable=SC2016 # the stand-ins' own variables
set -euo pipefail
script=$(realpath "${1:?usage: test_gpu_check.sh ROOT}/scripts/gpu-check")
# shellcheck source=tests/expect.sh
source "$(realpath "$1")/tests/expect.sh"
# program NAME LINE...: an executable script in the build folder.
mkdir -p build/bin build/lib
program() {
  printf '%s\n' '#!/usr/bin/env bash' "${@:2}" >"build/bin/$1"
  chmod +x "build/bin/$1"
}

expect "unknown argument" 2 "unknown argument 'everything'; usage" "$script" everything
expect "no value" 2 "--out wants a value" "$script" --out
expect "no number" 2 "--minutes is 'soon'; allowed: 1 to 9999" "$script" --minutes soon
expect "help" 0 "compute-sanitizer" "$script" --help
expect "no build" 2 "bin/cohort is not there" "$script" --pack pack --build build

# A card on which all is well but what the tests below change.
program cohort 'case "$*" in
  --version) echo "cohort 0" ;;
  bench*) echo "TABLE $4"; echo "{}" >"$4" ;;
  run*) [[ -f $2 ]] || exit 3 ;;
esac'
program gpu_good 'echo fine'
program bench_spectra 'for word; do case $word in --benchmark_out=*) echo "{}" >"${word#*=}" ;; esac; done'
cp "$(type -P true)" build/bin/gpu_true # a real program, with libraries
: >build/lib/libcohort_cuda.so
expect "packing" 0 "on the machine with the card: pack/gpu-check" "$script" --pack pack --build build
expect "all is well" 0 "TABLE results/bench.json.*ok +job.*ok +everything" pack/gpu-check --out results tests bench spectra job
for file in summary.txt bench.json spectra.json gpu_good.log gpu_true.log; do
  [[ -s results/$file || $file == gpu_true.log ]] || { echo "results/$file is missing" && failures=$((failures + 1)); }
done

# A sanitizer that finds something, with every tool.
program compute-sanitizer 'echo "$*" >>"$LOG"; [[ "$*" != *racecheck* ]]'
mkdir tools && mv build/bin/compute-sanitizer tools/
cp build/bin/gpu_good pack/bin/gpu_tiled
expect "sanitizer" 1 "ok +memcheck-gpu_tiled.*FAILED +racecheck-gpu_tiled.*ok +synccheck-gpu_tiled" \
  env PATH="$work/tools:$PATH" LOG="$work/log" pack/gpu-check --out results sanitizer
grep -q -e '--tool initcheck --error-exitcode 9 .*gpu_tiled --gtest_filter=' log || { echo "initcheck was not called" && failures=$((failures + 1)); }

# A failing step and a benchmark without a device: the others still run.
cat >pack/bin/gpu_bad <<'PROGRAM'
#!/usr/bin/env bash
[[ $COHORT_REQUIRE_GPU == 1 ]] && echo "test.cpp:1: Failure: no CUDA device" && exit 1
PROGRAM
chmod +x pack/bin/gpu_bad
printf '%s\n' '#!/usr/bin/env bash' '[[ $1 == --version ]] || { echo "cohort: device '"'cuda'"': there is no NVIDIA driver" >&2; exit 4; }' >pack/bin/cohort
expect "no card" 1 "FAILED +gpu_bad \(exit code 1\): no CUDA device.*ok +gpu_good.*FAILED +bench \(exit code 4\): .*no NVIDIA driver.*FAILED +job.*see results" \
  pack/gpu-check --out results tests bench job
rm pack/bin/gpu_*
expect "no tests" 1 "FAILED +tests: there is no gpu_" pack/gpu-check --out results tests
rm pack/bin/cohort
expect "no tool" 2 "there is no .*bin/cohort" pack/gpu-check --out results

((failures == 0)) && echo "gpu-check behaves"
