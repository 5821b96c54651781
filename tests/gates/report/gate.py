"""The gate: functions whose arithmetic loops must stay free of local memory.

A line of the list: a pattern for KERNEL or KERNEL/FUNCTION (names as in the report), then any of
  registers=N  the kernel has at most N registers
  local=N      loads and stores of local memory in arithmetic loops, at most (default 0)
  generic=N    the same for accesses through pointers that may be local (default: any number)
  math=N       FFMA that make an innermost arithmetic loop (default 16; a tensor instruction is worth 32)
  levels=N     only loops of so many levels (memory.py) count, 1: the innermost arithmetic ones (default: all)
  outer=N      so many outermost loops are left alone (default 0): the work queue of a kernel without functions
  pending      not built yet: matches nothing; has to go when it does
Every other pattern has to match a function with an arithmetic loop, on every architecture.
"""
import fnmatch
from dataclasses import dataclass

from memory import KernelReport

DEFAULTS = {"registers": None, "local": 0, "generic": None, "math": 16, "levels": 99, "outer": 0}


class GateError(Exception):
    pass


@dataclass
class Rule:
    pattern: str
    allowed: dict
    pending: bool


def read_rules(path):
    rules = []
    with open(path) as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            allowed = dict(DEFAULTS)
            for word in words[1:]:
                if word == "pending":
                    continue
                key, _, value = word.partition("=")
                if key not in DEFAULTS or not value.isdigit():
                    raise GateError(f"{path}:{number}: '{word}'; allowed: {', '.join(k + '=N' for k in DEFAULTS)}, pending")
                allowed[key] = int(value)
            rules.append(Rule(words[0], allowed, "pending" in words))
    return rules


def loop_findings(report, f, rule):
    """One finding per loop of the function with more accesses than are allowed."""
    loops = [loop for loop in f.graph.loops
             if 1 <= report.levels[loop] <= rule.allowed["levels"] and loop.depth > rule.allowed["outer"]]
    if not loops:
        yield f"no loop with {rule.allowed['math']} FFMA", "the gate must find the function's arithmetic loops"
    for loop in loops:
        for call in report.indirect_calls(f, loop)[:1] if loop.parent not in loops else []:
            yield f"{call.text} at 0x{call.offset:x} in the loop at 0x{loop.header:x}", "calls that name a function"
    for symbol in sorted(report.callees(f.symbol)):
        for i in report.functions[symbol].graph.unreached[:1]:
            yield f"no known jump leads to {i.text} at 0x{i.offset:x}", "code with a known control flow"
    places = {}  # loop -> accesses
    for loop in loops:
        for access, place in report.executed_in(f, loop):
            places.setdefault(place, set()).add(access)
    for generic, name in ((False, "local"), (True, "generic")):
        allowed = rule.allowed[name]
        found = [(loop, sorted((a for a in accesses if a.is_generic == generic), key=lambda a: (a.function, a.offset)))
                 for loop, accesses in places.items()]
        found = [(loop, accesses) for loop, accesses in found if accesses]
        if allowed is None or sum(len(accesses) for _, accesses in found) <= allowed:
            continue
        for loop, accesses in sorted(found, key=lambda pair: pair[0].header):
            first = accesses[0]
            callee = "" if first.function == f.symbol else f" in {report.functions[first.function].name}, called there"
            yield (f"{len(accesses)} {name} memory accesses in the loop at 0x{loop.header:x} of depth {loop.depth}, first "
                   f"{first.text} at 0x{first.offset:x}{callee}", f"{allowed} in arithmetic loops")


def findings(kernels, rules):
    """Lines: kernel, architecture, what and where, what is allowed."""
    lines = []
    architectures = sorted({kernel.arch for kernel in kernels})
    reports = {}  # (number of the kernel, math) -> KernelReport
    for rule in rules:
        matched = set()
        for number, kernel in enumerate(kernels):
            names = {f.symbol: kernel.name if n == 0 else f"{kernel.name}/{f.name}" for n, f in enumerate(kernel.functions)}
            symbols = [symbol for symbol, name in names.items() if fnmatch.fnmatchcase(name, rule.pattern)]
            if not symbols:
                continue
            matched.add(kernel.arch)
            most = rule.allowed["registers"]
            if most is not None and kernel.registers > most:
                lines.append(f"{kernel.name} ({kernel.arch}): {kernel.registers} registers; allowed: {most}")
            key = (number, rule.allowed["math"])
            report = reports.setdefault(key, reports.get(key) or KernelReport(kernel, rule.allowed["math"]))
            for symbol in symbols:
                for what, allowed in loop_findings(report, report.functions[symbol], rule):
                    lines.append(f"{names[symbol]} ({kernel.arch}): {what}; allowed: {allowed}")
        for arch in architectures:
            if rule.pending and arch in matched:
                lines.append(f"{rule.pattern} ({arch}): is built now; allowed: the line without 'pending'")
            elif not rule.pending and arch not in matched:
                lines.append(f"{rule.pattern} ({arch}): matches no function; allowed: names as in the report")
    return lines
