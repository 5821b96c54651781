"""Local memory of a kernel and the arithmetic loops that it lies in.

A loop's arithmetic is what it executes outside of its inner loops; a function called in a loop is part of that loop. A loop
is an arithmetic one if it has so much arithmetic itself (level 1) or contains such a loop (its level is one more).
"""
import re
from collections import Counter
from dataclasses import dataclass

from loops import analyse, calls, is_indirect_call

FMA = {"FFMA", "FFMA2"}
TENSOR = {"HMMA", "HGMMA", "IMMA", "IGMMA", "QGMMA", "DMMA"}
TENSOR_WORTH = 32  # FFMA of a lane that the smallest of them replaces (m16n8k8)
COUNTED = ("FFMA", "HMMA", "HGMMA", "LDS", "LDG", "BAR")
LOCAL = {"LDL", "STL"}
GENERIC = {"LD", "ST"}  # through a pointer that may be local


def arithmetic(instructions):
    return sum(1 if i.base in FMA else TENSOR_WORTH if i.base in TENSOR else 0 for i in instructions)


@dataclass(frozen=True)
class Access:
    function: str
    offset: int
    text: str
    kind: str  # save: of a register that the caller needs; indexed: of an array; frame: spills, locals at fixed places
    loop: object  # innermost of its function, or None

    @property
    def is_generic(self):
        return self.kind == "generic"


def saved_slots(graph, is_entry):
    """(register, address in the frame) where a function saves its caller's registers before anything writes these."""
    slots, written = set(), set()
    for i in [] if is_entry else graph.blocks[0]:
        parts = [part.strip() for part in i.operands.split(",")]
        if i.base != "STL":
            written.add(parts[0])
        elif len(parts) == 2 and parts[1] not in written:
            slots.add((parts[1], parts[0]))
    return slots


class FunctionReport:
    def __init__(self, function, functions, is_entry):
        self.symbol, self.name, self.is_entry = function.symbol, function.name, is_entry
        self.graph = analyse(function.instructions, functions)
        self.calls = []  # (block, function symbol, instruction)
        self.accesses = []
        self.indirect_calls = []  # (block, instruction)
        slots = saved_slots(self.graph, is_entry)
        for n in sorted(self.graph.reachable):
            for i in self.graph.blocks[n]:
                if callee := calls(i, functions):
                    self.calls.append((n, callee, i))
                if is_indirect_call(i):
                    self.indirect_calls.append((n, i))
                if i.base in LOCAL | GENERIC:
                    self.accesses.append(Access(self.symbol, i.offset, i.text, self.kind(i, slots), self.graph.innermost.get(n)))

    @staticmethod
    def kind(i, slots):
        if i.base in GENERIC:
            return "generic"
        address = re.search(r"\[(.*?)\]", i.operands)[1]
        value = re.sub(r",?\s*\[.*?\],?\s*", "", i.operands).strip()
        if (value, f"[{address}]") in slots:
            return "save"
        return "frame" if re.fullmatch(r"R1(\+0x[0-9a-f]+)?", address) else "indexed"

    def own(self, loop):
        """Instructions of a loop (None: of no loop) outside of inner loops."""
        blocks = self.graph.reachable if loop is None else loop.blocks
        return [i for b in blocks if self.graph.innermost.get(b) is loop for i in self.graph.blocks[b]]

    def called(self, loop):
        """Functions called in a loop (None: in no loop) outside of inner loops."""
        return [callee for b, callee, _ in self.calls if self.graph.innermost.get(b) is loop]


class KernelReport:
    def __init__(self, kernel, enough):
        """enough: arithmetic of an innermost arithmetic loop."""
        self.kernel = kernel
        symbols = {f.symbol for f in kernel.functions}
        self.functions = {f.symbol: FunctionReport(f, symbols, n == 0) for n, f in enumerate(kernel.functions)}
        self.entry = self.functions[kernel.symbol]
        self.enough = enough
        self.levels = {}
        for f in self.functions.values():
            self.function_level(f.symbol)

    # ---- arithmetic
    def straight(self, symbol, seen=()):
        """Arithmetic of a call, without loops; the compiler's own subroutines do not count."""
        if symbol in seen or "$__internal_" in symbol:
            return 0
        f = self.functions[symbol]
        return arithmetic(f.own(None)) + sum(self.straight(c, (*seen, symbol)) for c in f.called(None))

    def function_level(self, symbol, seen=()):
        """The highest level of a function's loops, those of called functions included."""
        if symbol in seen:
            return 0
        f = self.functions[symbol]
        seen = (*seen, symbol)
        for loop in reversed(f.graph.loops):  # inner before outer
            if loop in self.levels:
                continue
            inside = [self.levels[child] for child in loop.children] + [self.function_level(c, seen) for c in f.called(loop)]
            level = max(inside, default=0)
            self.levels[loop] = level + 1 if level else int(self.math(f, loop) >= self.enough)
        return max([self.levels[loop] for loop in f.graph.loops] + [self.function_level(c, seen) for c in f.called(None)], default=0)

    def math(self, f, loop):
        return arithmetic(f.own(loop)) + sum(self.straight(c) for c in f.called(loop))

    def counts(self, f, loop):
        count = Counter(i.base for i in f.own(loop))
        for c in f.called(loop):
            count.update(i.base for i in self.functions[c].own(None))
        return {name: count[name] for name in COUNTED}

    # ---- places
    def callees(self, symbol):
        """Functions that a call of this one may execute, itself included."""
        found, work = {symbol}, [symbol]
        while work:
            for _, callee, _ in self.functions[work.pop()].calls:
                if callee not in found:
                    found.add(callee)
                    work.append(callee)
        return found

    def call_depth(self, symbol, seen=()):
        """Loops around the calls of a function, at most."""
        depths = [0]
        for f in self.functions.values():
            for block, callee, _ in f.calls:
                if callee == symbol and f.symbol not in seen:
                    loop = f.graph.innermost.get(block)
                    depths.append((loop.depth if loop else 0) + self.call_depth(f.symbol, (*seen, symbol)))
        return max(depths)

    def depth(self, access):
        return self.call_depth(access.function) + (access.loop.depth if access.loop else 0)

    def executed_in(self, f, loop):
        """Accesses of one pass through a loop: (access, the loop of f around it or around the call that leads to it)."""
        for access in f.accesses:
            if access.loop and access.loop.blocks <= loop.blocks:
                yield access, access.loop
        seen = set()
        for block, callee, _ in f.calls:
            if block in loop.blocks:
                for symbol in sorted(self.callees(callee) - seen - {f.symbol}):
                    seen.add(symbol)
                    for access in self.functions[symbol].accesses:
                        yield access, f.graph.innermost[block]

    def indirect_calls(self, f, loop):
        """Calls by address of one pass through a loop."""
        callees = set().union(*(self.callees(callee) for block, callee, _ in f.calls if block in loop.blocks))
        return ([i for block, i in f.indirect_calls if block in loop.blocks] +
                [i for symbol in sorted(callees) for _, i in self.functions[symbol].indirect_calls])

    def is_queue(self, f, loop):
        """Whether a loop of the kernel itself only walks through work that functions do: networks, training steps."""
        return f.is_entry and any(b in loop.blocks and self.function_level(c) for b, c, _ in f.calls)

    def hot(self):
        """Accesses in arithmetic loops but for the kernel's queue."""
        found = set()
        for f in self.functions.values():
            for loop in f.graph.loops:
                if self.levels[loop] and not self.is_queue(f, loop):
                    found.update(access for access, _ in self.executed_in(f, loop))
        return found

    def accesses(self):
        return [access for f in self.functions.values() for access in f.accesses]

    def richest(self):
        """(function, loop) of the level-1 loop with most arithmetic, or None."""
        inner = [(f, loop) for f in self.functions.values() for loop in f.graph.loops if self.levels[loop] == 1]
        return max(inner, key=lambda pair: (self.math(*pair), -pair[1].header), default=None)
