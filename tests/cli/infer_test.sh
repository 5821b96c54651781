#!/usr/bin/env bash
# infer_test.sh SOURCE TOOL: `cohort infer` and `cohort power` as a person uses them, on data sets made here by Python alone.
set -u
tool=$(realpath "$2")
# shellcheck source=tests/expect.sh
source "$(realpath "$1")/tests/expect.sh"

python3 - <<'PY' || exit 1
import math, random, struct
random.seed(5)
def sign(x): return math.copysign(1, x)
def learned(p, w):
    if p == 1: return w * math.exp(sign(w) * random.gauss(0, .1))
    y = sign(w) * abs(w) ** (p - 1) + random.gauss(0, .1 * (p - 1))
    return sign(y) * abs(y) ** (1 / (p - 1))
def npy(path, values, descr, pack):
    header = ("{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }" % (descr, len(values))).ljust(117) + "\n"
    open(path, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() + struct.pack(pack % len(values), *values))
for p in (1, 1.5, 2, 3):
    before = [random.gauss(0, 1) for _ in range(1000)]
    after = [learned(p, w) for w in before]
    with open("p%g.csv" % p, "w") as f:
        f.write("synapse,before,after\n")
        f.writelines("s%d,%r,%r\n" % (i, *w) for i, w in enumerate(zip(before, after)))
    open("before%g.txt" % p, "w").writelines("%r\n" % w for w in before)
    npy("after%g.npy" % p, after, ">f8", ">%dd")
    with open("noisy%g.csv" % p, "w") as f:
        f.writelines("%r %r\n" % (a + random.gauss(0, .05), b + random.gauss(0, .05)) for a, b in zip(before, after))
PY
for p in 1 1.5 2 3; do
  "$tool" infer p$p.csv --json >one.json 2>err || failures=$((failures + 1))
  "$tool" infer before$p.txt after$p.npy --json >two.json 2>err || failures=$((failures + 1))
  expect "CSV and NPY of p = $p" 0 "" cmp one.json two.json
  "$tool" infer noisy$p.csv --noise .05 --bootstrap 0 --json >noisy.json 2>err || failures=$((failures + 1))
  expect "p = $p" 0 "" python3 - "$p" <<'PY'
import json, sys
p = float(sys.argv[1])
for name, error in (("one.json", .04 * p * p), ("noisy.json", .15 * p)):
    got = json.load(open(name))
    low, high = got["p_interval"]
    assert got["geometry"] == ("neg_entropy" if p == 1 else "p_norm"), got["geometry"]
    assert abs(got["p"] - p) < error and low <= got["p"] <= high and high - low < 4 * error, (name, got["p"], low, high)
    assert got["n"] == 1000 and len(got["candidates"]) == 21 and len(got["models"]) == 4
    best = max(got["candidates"], key=lambda c: -1e300 if c["log_likelihood"] is None else c["log_likelihood"])
    assert abs(best["p"] - p) < 2 * error
fit = json.load(open("one.json"))["goodness_of_fit"]
assert fit["p_value"] > .002 and set(fit) >= {"trend", "spread", "normality"}  # 1 / 500 is the least there is
PY
done
expect "text" 0 "geometry   p_norm, p = 3" "$tool" infer p3.csv --bootstrap 0
expect "neg_entropy is impossible" 0 "neg_entropy never changes a sign" "$tool" infer p3.csv --bootstrap 0
expect "candidates" 0 "1.2 .*2.7 " "$tool" infer p3.csv --bootstrap 0 --p 1.2,2.7
expect "figure" 0 "figure.svg" "$tool" infer p3.csv --bootstrap 0 --figure figure.svg
expect "SVG" 0 "" python3 -c 'import xml.dom.minidom as x; assert x.parse("figure.svg").documentElement.tagName == "svg"'
expect "free mean" 0 "p_norm" "$tool" infer p2.csv --bootstrap 0 --mean free --level 0.9

# What is wrong: exit code 2, one line, nothing written.
refuse() { # refuse WHAT PATTERN ARGUMENTS...
  local what=$1 pattern=$2
  shift 2
  expect "$what" 2 "$pattern" "$tool" infer "$@" --figure refused.svg
  [[ $("$tool" infer "$@" 2>&1 | wc -l) == 1 && ! -e refused.svg ]] || {
    echo "$what: not one line, or a figure was written"
    failures=$((failures + 1))
  }
}
head -500 before1.txt >half.txt
head -5 p1.csv >few.csv
sed '7s/.*/s,1,x/' p1.csv >word.csv
sed '7s/.*/s,nan,1/' p1.csv >nan.csv
printf 'a,b\n' >names.csv
for i in {1..20}; do echo "$i,$i"; done >same.csv
head -c 300 after1.npy >cut.npy
head -c 4000 /dev/zero >binary.csv
refuse "unequal columns" "500 weights before learning and 1000 after" half.txt after1.npy
refuse "few pairs" "4 pairs of weights; at least 10" few.csv
refuse "a word" "word.csv:7:5: \"x\" is not a number" word.csv
refuse "not finite" "nan.csv:7:3: \"nan\" is not finite" nan.csv
refuse "no rows" "names.csv:1:1: names of columns and no numbers" names.csv
refuse "no change" "no weight has changed" same.csv
refuse "truncated NPY" "has 8000 bytes of data; this one has" before1.txt cut.npy
refuse "no known format" "neither text .CSV. nor an NPY or HDF5 file" binary.csv
refuse "wrong column" "no column \"aftre\".*did you mean \"after\"" p1.csv --columns before,aftre
refuse "one column name" "BEFORE,AFTER are expected" p1.csv --columns before
refuse "p of 1" "--p 1; neg_entropy and numbers above 1" p1.csv --p 1,2
refuse "p below 1" "--p 0.5; neg_entropy and numbers above 1" p1.csv --p 0.5
refuse "no number" "--p two; neg_entropy and numbers" p1.csv --p two
refuse "signs that a potential cannot change" "potential neg_entropy: [0-9]+ weights have another sign" p3.csv --potential neg_entropy
refuse "noise" "relative noise 0.5; 0 to 0.3" p1.csv --relative-noise .5
expect "absent file" 3 "cannot read absent.csv: No such file" "$tool" infer absent.csv

"$tool" power --truth neg_entropy,2 --synapses 30,100 --noise 0,.1 --data-sets 20 --threads 1 >power1.csv 2>summary || failures=$((failures + 1))
"$tool" power --truth neg_entropy,2 --synapses 30,100 --noise 0,.1 --data-sets 20 --threads 3 >power3.csv 2>/dev/null || failures=$((failures + 1))
expect "threads change nothing" 0 "" cmp power1.csv power3.csv
expect "a row per combination" 0 "^9 " wc -l power1.csv
expect "summary" 0 "noise 0: (30|100) synapses" cat summary
expect "synapses" 2 "synapses 5; whole numbers from 10" "$tool" power --synapses 5

((failures == 0))
