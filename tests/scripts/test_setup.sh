#!/usr/bin/env bash
# test_setup.sh ROOT: scripts/setup against a stand-in for Debian's package tools. In the folder $stub, file `installed`
# holds the packages that are there and `offered` those that can be had; `log` records what was called.
set -euo pipefail
setup=${1:?usage: test_setup.sh ROOT}/scripts/setup
stub=$(mktemp -d)
trap 'rm -rf "$stub"' EXIT
export STUB=$stub
mkdir "$stub/bin"
for tool in bash cat grep dirname env; do ln -s "$(command -v $tool)" "$stub/bin/$tool"; done
cat >"$stub/bin/dpkg-query" <<'STUB'
#!/usr/bin/env bash
rc=0
for p in "$@"; do
  case $p in -*) continue ;; esac
  if grep -qx -e "$p" "$STUB/installed"; then printf 'ii :%s ' "$p"; else rc=1; fi
done
exit $rc
STUB
cat >"$stub/bin/apt-get" <<'STUB'
#!/usr/bin/env bash
echo "apt-get $*" >>"$STUB/log"
[[ " $* " == *" update "* ]] && exit 0
for p in "$@"; do
  case $p in -* | install) continue ;; esac
  grep -qx -e "$p" "$STUB/offered" || exit 100
done
for p in "$@"; do
  case $p in -* | install) ;; *) echo "$p" >>"$STUB/installed" ;; esac
done
STUB
cat >"$stub/bin/apt-cache" <<'STUB'
#!/usr/bin/env bash
grep -qx -e "$2" "$STUB/offered"
STUB
cat >"$stub/bin/id" <<'STUB'
#!/usr/bin/env bash
cat "$STUB/uid"
STUB
chmod +x "$stub"/bin/*

failures=0
# expect WHAT RC PATTERN: run setup; its exit status and a pattern of its stderr ("" = it says nothing at all).
expect() {
  local output rc=0
  : >"$stub/log"
  output=$(PATH=$stub/bin "$setup" 2>&1) || rc=$?
  if [[ $rc != "$2" || (-z $3 && -n $output) || ! $output =~ $3 ]]; then
    printf '%s: exit status %s, output: %s\n' "$1" "$rc" "$output"
    failures=$((failures + 1))
  fi
}

mapfile -t packages < <(sed -n '/^packages=(/,/^)/{s/#.*//; s/packages=(//; s/)//; p}' "$setup" | tr -s ' ' '\n' | sed '/^$/d')
((${#packages[@]} > 10)) || { echo "the list of packages was not found" && exit 1; }
printf '%s\n' "${packages[@]}" >"$stub/all"
echo 0 >"$stub/uid"

cp "$stub/all" "$stub/installed"
: >"$stub/offered"
expect "complete" 0 ""
[[ ! -s $stub/log ]] || { echo "complete: apt-get was called" && failures=$((failures + 1)); }

grep -vx -e libhdf5-dev -e ninja-build "$stub/all" >"$stub/installed"
cp "$stub/all" "$stub/offered"
expect "two missing" 0 "installing ninja-build libhdf5-dev"
grep -q update "$stub/log" || { echo "two missing: the lists were not updated" && failures=$((failures + 1)); }
expect "a second time" 0 ""

grep -vx -e libhdf5-dev -e ninja-build "$stub/all" >"$stub/installed"
grep -vx libhdf5-dev "$stub/all" >"$stub/offered"
expect "one cannot be had" 1 "cannot get: libhdf5-dev$"
grep -qx ninja-build "$stub/installed" || { echo "the other one was not installed" && failures=$((failures + 1)); }

echo 1000 >"$stub/uid"
expect "neither root nor sudo" 1 "neither root nor sudo; missing: libhdf5-dev"
cat >"$stub/bin/sudo" <<'STUB'
#!/usr/bin/env bash
echo sudo >>"$STUB/log"
exec "$@"
STUB
chmod +x "$stub/bin/sudo"
cp "$stub/all" "$stub/offered"
expect "with sudo" 0 "installing libhdf5-dev"
grep -q sudo "$stub/log" || { echo "sudo was not used" && failures=$((failures + 1)); }

((failures == 0)) && echo "setup behaves"
