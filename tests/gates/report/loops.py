"""Control flow of a function's instructions: basic blocks and the nest of loops."""
from dataclasses import dataclass, field

LEAVES = {"EXIT", "RET", "KILL"}
JUMPS = {"BRA", "JMP"}
TABLES = {"BRX", "BRXU", "JMX", "JMXU"}
CALLS = {"CALL"}
PREDICATE = ("P", "!P", "UP", "!UP", "UR", "~UR")  # first operand of a conditional branch


@dataclass(eq=False)
class Loop:
    blocks: set
    header: int  # offset of its first instruction in program order
    parent: "Loop" = None
    children: list = field(default_factory=list)

    @property
    def depth(self):  # the outermost loop of a function has depth 1
        return 1 if self.parent is None else self.parent.depth + 1


@dataclass
class Graph:
    blocks: list  # of lists of instructions; the first is the entry
    successors: list  # of lists of block numbers
    reachable: set
    unreached: list  # instructions that no known jump leads to: then the graph is not the whole truth
    loops: list  # all of them, outer before inner
    innermost: dict  # block -> Loop


def calls(instruction, functions):
    """The function symbol that an instruction calls, or None. A call of a label inside the function is a jump."""
    if instruction.base not in CALLS or is_indirect_call(instruction):
        return None
    return next((t for t in instruction.targets if t in functions), None)


def is_indirect_call(instruction):
    return instruction.base in CALLS and instruction.operands.startswith(("R", "UR"))


def is_padding(instruction):
    """Behind the code: instructions of no effect and a jump to itself."""
    return instruction.base == "NOP" or (instruction.base == "BRA" and instruction.targets == instruction.labels[-1:])


def is_conditional(instruction):
    return bool(instruction.guard) or instruction.operands.startswith(PREDICATE) or ".DIV" in instruction.opcode


def build_blocks(code, functions):
    first = {label: i for i, instruction in enumerate(code) for label in instruction.labels}
    leaders = {0}
    for i, instruction in enumerate(code):
        if instruction.base in LEAVES | JUMPS | TABLES | CALLS | {"BSYNC"}:
            leaders.add(i + 1)
        leaders.update(first[t] for t in instruction.targets if t in first)
    starts = sorted(i for i in leaders if i < len(code))
    number = {start: n for n, start in enumerate(starts)}
    blocks = [code[a:b] for a, b in zip(starts, starts[1:] + [len(code)])]
    successors = []
    for n, block in enumerate(blocks):
        last = block[-1]
        local = [number[first[t]] for t in last.targets if t in first]
        following = [n + 1] if n + 1 < len(blocks) else []
        if last.base in LEAVES:
            successors.append(following if last.guard else [])
        elif last.base in JUMPS:
            successors.append(local + (following if is_conditional(last) else []))
        elif last.base in TABLES:
            successors.append(local + (following if last.guard else []))
        elif last.base in CALLS and not is_indirect_call(last) and not calls(last, functions):
            successors.append(local + following)
        else:
            successors.append(following)
    return blocks, add_reconvergence(blocks, successors, {t: number[i] for t, i in first.items() if i in number})


def add_reconvergence(blocks, successors, block_of):
    """BSYNC Bx continues at the target of the BSSY Bx that was executed last."""
    reaching = [dict() for _ in blocks]  # barrier register -> targets, at the block's start
    work = [0]
    result = [list(s) for s in successors]
    seen = {0}
    while work:
        n = work.pop()
        state = {register: set(targets) for register, targets in reaching[n].items()}
        for instruction in blocks[n]:
            if instruction.base == "BSSY" and instruction.targets:
                state[instruction.operands.split(",")[0].strip()] = {block_of[instruction.targets[0]]}
        last = blocks[n][-1]
        if last.base == "BSYNC":
            targets = state.get(last.operands.split()[0].strip(), set())
            fallthrough = [s for s in successors[n] if last.guard or not targets]
            result[n] = sorted(targets | set(fallthrough))
        for s in result[n]:
            changed = s not in seen
            for register, targets in state.items():
                known = reaching[s].setdefault(register, set())
                changed |= not targets <= known
                known |= targets
            if changed:
                seen.add(s)
                work.append(s)
    return result


def components(nodes, edges):
    """Strongly connected components (Tarjan's algorithm without recursion)."""
    index, low, on_stack, stack, result = {}, {}, set(), [], []
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        path = [(root, iter(edges(root)))]
        while path:
            node, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    component = set()
                    while node not in component:
                        top = stack.pop()
                        on_stack.discard(top)
                        component.add(top)
                    result.append(component)
            elif step not in index:
                index[step] = low[step] = len(index)
                stack.append(step)
                on_stack.add(step)
                path.append((step, iter(edges(step))))
            elif step in on_stack:
                low[node] = min(low[node], index[step])
    return result


def nest(nodes, successors, predecessors, parent, blocks, found):
    """A loop is a strongly connected component; its inner loops are those of what is left without the edges into it."""
    heads = set()
    if parent:
        heads = {n for n in nodes if n == 0 or any(p not in nodes for p in predecessors[n])}

    def edges(n):
        return [s for s in successors[n] if s in nodes and s not in heads]

    for component in components(sorted(nodes), edges):
        n = next(iter(component))
        if len(component) == 1 and n not in edges(n):
            continue
        loop = Loop(component, min(blocks[b][0].offset for b in component), parent)
        if parent:
            parent.children.append(loop)
        found.append(loop)
        nest(component, successors, predecessors, loop, blocks, found)


def analyse(code, functions):
    blocks, successors = build_blocks(code, functions)
    reachable, work = {0}, [0]
    while work:
        for s in successors[work.pop()]:
            if s not in reachable:
                reachable.add(s)
                work.append(s)
    predecessors = [set() for _ in blocks]
    for n in reachable:
        for s in successors[n]:
            predecessors[s].add(n)
    loops = []
    nest(reachable, successors, predecessors, None, blocks, loops)
    innermost = {}
    for loop in loops:  # outer before inner
        for b in loop.blocks:
            innermost[b] = loop
    unreached = [i for n, block in enumerate(blocks) if n not in reachable for i in block if not is_padding(i)]
    return Graph(blocks, successors, reachable, unreached, loops, innermost)
