"""What cuobjdump and nvdisasm say about built CUDA objects: kernels, their functions and instructions."""
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field


class ToolError(Exception):
    pass


@dataclass
class Instruction:
    offset: int
    guard: str  # "@!P0" or ""
    opcode: str  # with its suffixes: "LDL.64"
    operands: str
    labels: list = field(default_factory=list)  # in front of it

    @property
    def base(self):
        return self.opcode.split(".")[0]

    @property
    def text(self):
        return " ".join(part for part in (self.guard, self.opcode, self.operands) if part)

    @property
    def targets(self):
        """Labels that the operands name: one of a branch or call, several of a jump table."""
        table = re.search(r'BRANCH_TARGETS ([^"]*)"', self.operands)
        if table:
            return table.group(1).replace(" ", "").split(",")
        return re.findall(r"`\(([^)]*)\)", self.operands)


@dataclass
class Function:
    symbol: str
    name: str
    instructions: list


@dataclass
class Kernel:
    symbol: str
    name: str
    arch: str
    compiler: str  # "13.0.88"
    registers: int
    shared: int  # static, bytes
    stack: int  # bytes
    functions: list  # the entry first


def run(command, folder=None):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise ToolError(f"{command[0]} is not in PATH") from None
    if done.returncode != 0:
        raise ToolError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


# ---- names
def demangle(symbols):
    symbols = list(symbols)
    if not symbols:
        return {}
    out = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True, check=True).stdout
    return dict(zip(symbols, out.splitlines()))


def short(name):
    """Without return type, parameters and namespaces; long template arguments are left out."""
    name = re.sub(r"(?:\(anonymous namespace\)|\b[a-z_]\w*)::", "", name)
    depth, end, start = 0, len(name), 0
    for i, c in enumerate(name):
        if c in "<{[":
            depth += 1
        elif c in ">}]":
            depth -= 1
        elif c == " " and depth == 0:
            start = i + 1
        elif c == "(" and depth == 0:
            end = i
            break
    name = name[start:end]
    i = name.find("<")
    return name if len(name) <= 60 or i < 0 else name[:i] + "<...>"


def plain_symbol(symbol, kernel):
    """The symbol of a function that the compiler keeps in a kernel's section."""
    symbol = symbol.removeprefix(f"${kernel}$")
    return re.sub(r"^\$__internal_\d+_\$", "", symbol)


# ---- disassembly
INSTRUCTION = re.compile(r"\s+/\*([0-9a-f]+)\*/\s+(?:(@!?U?P[0-9T]+)\s+)?([A-Z][\w.]*)(.*)")


def parse(text):
    """nvdisasm -c: {kernel symbol: [(function symbol, instructions), ...]}, the entry first."""
    functions = set(re.findall(r"^\s+\.type\s+(\S+),@function", text, re.M))
    entries = set(re.findall(r"^\s+\.other\s+([^,\s]+),.*STO_CUDA_ENTRY", text, re.M))
    kernels, current, labels = {}, None, []
    for line in text.splitlines():
        if line.startswith("\t.section"):
            current, labels = None, []
        elif line.endswith(":") and not line[0].isspace():
            name = line[:-1]
            labels.append(name)
            if name in entries:
                current = kernels[name] = []
            if name in functions and current is not None:
                current.append((name, []))
                labels = [name]
        elif current and (match := INSTRUCTION.match(line)):
            offset, guard, opcode, operands = match.groups()
            current[-1][1].append(Instruction(int(offset, 16), guard or "", opcode, operands.rstrip("; ").strip(), labels))
            labels = []
    return kernels


def resources(cubin):
    """{kernel symbol: {"REG": ..., "STACK": ..., "SHARED": ...}}"""
    text = run(["cuobjdump", "-res-usage", cubin])
    pairs = re.findall(r"Function (\S+?):\s*\n\s*(.*)", text)
    return {symbol: {k: int(v) for k, v in re.findall(r"(\w+)(?:\[\d+\])?:(\d+)", line)} for symbol, line in pairs}


def compiler_version(cubin):
    with open(cubin, "rb") as file:
        found = re.findall(rb"Cuda compilation tools, release [\d.]+, V([\d.]+)", file.read())
    return found[0].decode() if found else "unknown"


def read_cubin(cubin):
    usage = resources(cubin)
    text = run(["nvdisasm", "-c", cubin])
    kernels = parse(text)
    if not kernels:
        return []
    arch = re.search(r"^\s*\.target\s+(\w+)", text, re.M).group(1)
    symbols = {plain_symbol(f, k) for k, functions in kernels.items() for f, _ in functions}
    names = {symbol: short(name) for symbol, name in demangle(sorted(symbols)).items()}
    version = compiler_version(cubin)
    result = []
    for symbol, functions in kernels.items():
        use = usage[symbol]
        result.append(Kernel(symbol, names[symbol], arch, version, use["REG"], use["SHARED"], use["STACK"],
                             [Function(f, names[plain_symbol(f, symbol)], code) for f, code in functions]))
    return result


def read(paths):
    """The kernels of cubins, objects, archives and modules, by name and architecture."""
    result = []
    for path in paths:
        path = os.path.abspath(path)
        with tempfile.TemporaryDirectory() as folder:
            if path.endswith(".cubin"):
                shutil.copy(path, folder)
            else:
                run(["cuobjdump", "-xelf", "all", path], folder)
            for name in sorted(os.listdir(folder)):
                result += read_cubin(os.path.join(folder, name))
    return sorted(result, key=lambda kernel: (kernel.name, kernel.arch))
