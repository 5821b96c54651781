"""Reports what the kernels of built CUDA objects use; see scripts/kernel-report --help."""
import argparse
import difflib
import json
import os
import re
import sys

import gate
import sass
from memory import COUNTED, KernelReport

ENOUGH = 16  # FFMA of an innermost arithmetic loop


def row(report):
    kernel, local = report.kernel, [a for a in report.accesses() if not a.is_generic]
    hot = report.hot()
    richest = report.richest()
    counts = report.counts(*richest) if richest else dict.fromkeys(COUNTED, 0)
    return {
        "kernel": kernel.name,
        "architecture": kernel.arch,
        "registers": kernel.registers,
        "shared": kernel.shared,
        "stack": kernel.stack,
        "saves": sum(a.kind == "save" for a in local),
        "indexed": sum(a.kind == "indexed" for a in local),
        "spills_outside_loops": sum(a not in hot for a in local),
        "spills_in_loops": sum(a in hot for a in local),
        "generic_in_loops": sum(a.is_generic for a in hot),
        "innermost": counts,
    }


def details(report):
    """Functions and loops, for --json."""
    result = []
    for f in report.functions.values():
        loops = []
        for loop in f.graph.loops:
            inside = [a for a, _ in report.executed_in(f, loop)]
            loops.append({
                "offset": loop.header,
                "depth": loop.depth,
                "level": report.levels[loop],
                "instructions": len(f.own(loop)),
                "local": sum(not a.is_generic for a in inside),
                "generic": sum(a.is_generic for a in inside),
                "own": report.counts(f, loop),
            })
        local = [a for a in f.accesses if not a.is_generic]
        result.append({
            "function": f.name,
            "loops_around_calls": report.call_depth(f.symbol),
            "loads": sum(a.text.split()[0 if a.text[0] != "@" else 1].startswith("LDL") for a in local),
            "stores": sum(a.text.split()[0 if a.text[0] != "@" else 1].startswith("STL") for a in local),
            "by_depth": {str(d): sum(report.depth(a) == d for a in local) for d in sorted({report.depth(a) for a in local})},
            "by_kind": {k: sum(a.kind == k for a in local) for k in ("save", "indexed", "frame")},
            "loops": loops,
        })
    return result


def markdown(reports):
    versions = sorted({r.kernel.compiler for r in reports})
    head = f"""# Kernels

Written by `scripts/kernel-report --markdown`; nvcc {', '.join(versions)}.

Shared memory is static; shared memory and stack are bytes. Spills are load and store instructions of local memory, those of
arrays included. *In loops*: in a loop with {ENOUGH} FFMA or more (a tensor instruction counts as 32) or around such a loop;
functions called there are part of it. A kernel's own loop over the work that its functions do is none of these. The last
column is the innermost loop with most arithmetic: {' / '.join(COUNTED)}.

| kernel | architecture | registers | shared memory | stack | spills outside loops | spills in loops | innermost loop |
|---|---|---:|---:|---:|---:|---:|---|
"""
    lines = []
    for r in map(row, reports):
        inner = " / ".join(str(r["innermost"][name]) for name in COUNTED)
        lines.append(f"| `{r['kernel']}` | {r['architecture']} | {r['registers']} | {r['shared']} | {r['stack']} "
                     f"| {r['spills_outside_loops']} | {r['spills_in_loops']} | {inner if any(r['innermost'].values()) else ''} |\n")
    return head + "".join(lines)


def compare(committed, here):
    """What is stale in a committed table: everything if both are of the same compiler, the kernels if not."""
    version, names = r"; nvcc ([^.].*)\.$", r"^\| ([^|]+ \| sm_\w+) \|"
    if re.findall(version, committed, re.M) != re.findall(version, here, re.M):
        committed, here = ("\n".join(re.findall(names, text, re.M)) for text in (committed, here))
    return list(difflib.unified_diff(committed.splitlines(), here.splitlines(), "committed", "built", lineterm="", n=0))


def arguments(root):
    p = argparse.ArgumentParser(
        prog="kernel-report",
        description="Registers, memory and local-memory traffic of the kernels in built CUDA objects, archives and modules.")
    p.add_argument("files", nargs="*", help="default: the CUDA module of build/release")
    p.add_argument("--markdown", action="store_true", help="write the table (the default)")
    p.add_argument("--json", action="store_true", help="write everything: functions, loops, places")
    p.add_argument("--gate", metavar="LIST", help="write what violates the list (tests/gates/report/gate.py); exit code 1 if anything does")
    p.add_argument("--check", metavar="TABLE", help="compare with a committed table; exit code 1 if it is stale")
    p.add_argument("--kernel", metavar="TEXT", default="", help="only kernels with this in their names")
    a = p.parse_args()
    a.files = a.files or [os.path.join(root, "build/release/lib/libcohort_cuda.so")]
    return a


def main():
    a = arguments(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
    kernels = [kernel for kernel in sass.read(a.files) if a.kernel in kernel.name]
    if not kernels:
        raise sass.ToolError(f"no kernels in {' '.join(a.files)}")
    if a.gate:
        lines = gate.findings(kernels, gate.read_rules(a.gate))
        print("\n".join(lines) if lines else f"{len(kernels)} kernels pass {os.path.basename(a.gate)}")
        return int(bool(lines))
    reports = [KernelReport(kernel, ENOUGH) for kernel in kernels]
    if a.json:
        print(json.dumps([{**row(r), "compiler": r.kernel.compiler, "functions": details(r)} for r in reports], indent=1))
        return 0
    if a.check:
        with open(a.check) as file:
            stale = compare(file.read(), markdown(reports))
        print("\n".join(stale + [f"{a.check} is stale: scripts/kernel-report --markdown > docs/kernels.md"]) if stale
              else f"{a.check} is what was built")
        return int(bool(stale))
    print(markdown(reports), end="")
    return 0


try:
    sys.exit(main())
except (sass.ToolError, gate.GateError, OSError) as error:
    sys.exit(f"kernel-report: {error}")
