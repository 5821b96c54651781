#!/usr/bin/env bash
# test_strict.sh STRICT NVCC [CCACHE]: the compiler launcher fails for serialised wgmma (C7510), which nvcc lets pass, and for
# warnings; also where ccache repeats the output and where ccache is off. Clean code passes and leaves its object.
set -euo pipefail
strict=${1:?usage: test_strict.sh STRICT NVCC [CCACHE]}
nvcc=${2:?}
ccache=${3:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export CCACHE_DIR=$folder/cache
unset CCACHE_DISABLE CCACHE_RECACHE

cat >clean.cu <<'CU'
__global__ void clean_kernel(float* out) { out[threadIdx.x] = 1.0f; }
CU
sed 's/{/{ int unused;/' clean.cu >warning.cu
# The pipeline crosses a call.
cat >serialised.cu <<'CU'
__device__ __noinline__ void product(float* d, unsigned long long a, unsigned long long b) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, 1, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n8k8.f32.tf32.tf32 {%0, %1, %2, %3}, %4, %5, p, 1, 1;}"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "l"(a), "l"(b));
}
__global__ void serialised_kernel(float* out, unsigned long long a, unsigned long long b, int n) {
  float d[4] = {};
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
  for (int i = 0; i < n; ++i) product(d, a + i, b);
  asm volatile("wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;" ::: "memory");
  for (int i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = d[i];
}
CU

failures=0
# expect WHAT STATUS PATTERN NAME COMPILER...: exit status and output of the launcher; there is an object only after success.
expect() {
  local what=$1 status=$2 pattern=$3 name=$4 got=0 output
  shift 4
  rm -f "$name.o"
  output=$("$strict" "$@" -gencode arch=compute_90a,code=sm_90a -c "$name.cu" -o "$name.o" 2>&1) || got=$?
  if [[ $got != "$status" || ! $output =~ $pattern ]] || { [[ -f $name.o ]] && ((status)); } || { [[ ! -f $name.o ]] && ((! status)); }; then
    printf '%s: exit status %s, output:\n%s\n' "$what" "$got" "$output"
    failures=$((failures + 1))
  fi
}
expect "clean" 0 '^$' clean "$nvcc" --Werror=all-warnings
expect "serialised wgmma" 1 'strict: .*C7510' serialised "$nvcc" --Werror=all-warnings
expect "a warning" 1 'strict: .*declared but never' warning "$nvcc"
expect "an error" 1 "No such file" missing "$nvcc"
if [[ -n $ccache ]]; then
  expect "serialised wgmma, into the cache" 1 'strict: .*C7510' serialised "$ccache" "$nvcc"
  expect "serialised wgmma, from the cache" 1 'strict: .*C7510' serialised "$ccache" "$nvcc"
  [[ $("$ccache" --print-stats) =~ cache_hit[[:space:]]+1 ]] || { echo "the cache was not used" && failures=$((failures + 1)); }
  export CCACHE_DISABLE=1
  expect "serialised wgmma, cache off" 1 'strict: .*C7510' serialised "$ccache" "$nvcc"
fi
((failures == 0)) && echo "warnings and advisories are errors"
