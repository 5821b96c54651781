#!/usr/bin/env bash
# readme_test.sh SOURCE TOOL: every command in README's sh blocks works, and its C++ is the program that is tested. The two
# scripts that install and build are only checked to be there: this test is part of one of them.
set -euo pipefail
source=$1
tool=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/build/release/bin"
ln -s "$tool" "$work/build/release/bin/cohort"
cp -r "$source/experiments" "$work/"
cd "$work"

block() { awk -v want="$1" '/^```/ { if (on) { on = 0 } else if ($0 == "```" want) { on = 1 }; next } on' "$source/README.md"; }

ran=0
while IFS= read -r command; do
  command=${command%%#*}
  case $command in
    scripts/*) [[ -x $source/${command%% *} ]] || { echo "not there: $command"; exit 1; } ;;
    *) bash -euc "$command" >out 2>&1 || { echo "failed: $command"; cat out; exit 1; } ;;
  esac
  ran=$((ran + 1))
done < <(block sh)
[[ $ran -ge 8 ]] || { echo "README has only $ran commands"; exit 1; }
[[ -s runs/first/figure.svg ]] || { echo "no figure"; exit 1; }
diff <(block cpp) <(cat "$source"/tests/package/embed{,_update,_spectra}.cpp) ||
  { echo "README's C++ is not that of tests/package"; exit 1; }
diff <(block toml | grep -v '^$') <(grep -v '^#\|^$' experiments/first.toml) || { echo "README's TOML is not experiments/first.toml"; exit 1; }
awk '/^```/ { code = !code } !code' "$source/README.md" | grep -o '](\([^)h][^)]*\))' | sed 's/](\(.*\))/\1/' | while IFS= read -r link; do
  [[ -e $source/$link ]] || { echo "README links to $link, which is not there"; exit 1; }
done
echo "$ran commands of README ran"
