#!/usr/bin/env bash
# Sourced by tests, which then are in an empty folder, $work, that goes with them.
# expect WHAT RC PATTERN COMMAND...: exit status, and a pattern of everything that is printed; counts in `failures`.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
expect() {
  local what=$1 want=$2 pattern=$3 output rc=0
  shift 3
  output=$("$@" 2>&1) || rc=$?
  if [[ $rc != "$want" || ! $output =~ $pattern ]]; then
    printf '%s: exit status %s, output: %s\n' "$what" "$rc" "$output"
    failures=$((failures + 1))
  fi
}
