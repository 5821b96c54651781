"""The entries of the race: processes that are asked to train networks, and how fast they say they did. A failure of whatever
kind is a Failure with a one-line reason. Python's standard library only."""

import dataclasses
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent


class Failure(Exception):
    pass


class Missing(Failure):
    pass


def output_of(tool, words, limit):
    """What the cohort program prints."""
    try:
        # A session of its own, as peers have: the scheduler shares cores out by session.
        done = subprocess.run([tool, *words], capture_output=True, text=True, timeout=limit, start_new_session=True)
    except subprocess.TimeoutExpired:
        raise Failure(f"not done in {limit:g} s") from None
    except OSError as error:
        raise Failure(f"{tool}: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failure(said[-1] if said else f"exit code {done.returncode}")
    return done.stdout


class Process:
    """A worker, answering one JSON line for each; killed with its children when it takes too long."""

    def __init__(self, command, env, core=None):
        self.errors = tempfile.TemporaryFile("w+")
        pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
        self.child = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            preexec_fn=pin, start_new_session=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.child.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def send(self, command):
        try:
            self.child.stdin.write(json.dumps(command) + "\n")
            self.child.stdin.flush()
        except OSError:
            pass  # the answer will say that it is gone

    def answer(self, limit):
        try:
            line = self.lines.get(timeout=limit)
        except queue.Empty:
            self.end()
            raise Failure(f"not done in {limit:g} s") from None
        if line is None:
            raise Failure(self.obituary())
        answer = json.loads(line)
        if "missing" in answer:
            raise Missing(f"not installed ({answer['missing']})")
        if "error" in answer:
            raise Failure(answer["error"])
        return answer

    def obituary(self):
        code = self.child.wait()
        self.errors.seek(0)
        said = [line.strip() for line in self.errors if line.strip()]
        how = f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{how}: {said[-1][:200]}" if said else how

    def end(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()


@dataclasses.dataclass
class Setting:
    nets: int
    updates: int
    generate: bool
    knobs: dict


class Peer:
    """A framework's system, in one process with all cores ("threads") or in one pinned process per core ("cores"), among
    which the networks are divided."""

    worker = "worker.py"

    def __init__(self, name, module, case, device, processes, python, cores, limit):
        self.name, self.module, self.case, self.device = name, module, case, device
        self.processes, self.python, self.limit = processes, python, limit
        self.cores = cores if processes == "cores" else [None]
        self.workers, self.busy, self.made, self.compile_s = [], [], None, {}

    def start(self):
        self.end()
        command = [self.python, str(HERE / self.worker), self.module, json.dumps(dataclasses.asdict(self.case)), self.device]
        env = os.environ | {"JAX_PLATFORMS": self.device, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
        flags = env.get("XLA_FLAGS", "")
        if self.processes == "cores":
            env |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
            flags += " --xla_cpu_multi_thread_eigen=false"
        if self.device == "cuda":
            env |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # several systems share the card, in turns
        # Command buffers for loops too, where this XLA knows them; else what it does by itself.
        buffers = " --xla_gpu_enable_command_buffer=FUSION,CUBLAS,CUBLASLT,CUSTOM_CALL,CUDNN,CONDITIONAL,WHILE"
        attempts = [flags + buffers, flags] if self.device == "cuda" and self.module.startswith("jax") else [flags]
        for attempt in attempts:
            env["XLA_FLAGS"] = attempt.strip()
            self.workers = [Process(command, env, core) for core in self.cores]
            self.busy = self.workers
            try:
                hello = self.answers()[0]
                break
            except Missing:
                raise
            except Failure:
                self.end()
                if attempt == attempts[-1]:
                    raise
        self.knobs = hello["knobs"]
        return hello["versions"]

    def answers(self):
        """One answer from every busy worker; the first failure once all have answered."""
        answers, failure = [], None
        for worker in self.busy:
            try:
                answers.append(worker.answer(self.limit))
            except Failure as error:
                failure = failure or error
        if failure:
            raise failure
        return answers

    def ask(self, **command):
        for worker in self.busy:
            worker.send(command)
        return self.answers()

    def check(self, file, updates):
        self.busy = self.workers[:1]
        return self.ask(do="check", file=file)[0]

    def make(self, setting):
        """Networks at their starts; the seconds that compiling this took the first time."""
        if setting == self.made:
            return self.compile_s[str(setting)]
        self.made = None
        if not self.workers or any(w.child.poll() is not None for w in self.workers):
            self.start()
        n = len(self.workers)
        shares = [setting.nets // n + (i < setting.nets % n) for i in range(n)]
        self.busy = self.workers[: n - shares.count(0)]
        for worker, share in zip(self.busy, shares):
            worker.send({"do": "make", **dataclasses.asdict(setting), "nets": share})
        compile_s = max(answer["compile_s"] for answer in self.answers())
        self.made = setting
        return self.compile_s.setdefault(str(setting), compile_s)

    def time(self, seconds):
        return sum(answer["rate"] for answer in self.ask(do="time", seconds=seconds))

    def end(self):
        for worker in self.workers:
            worker.end()
        self.workers, self.busy, self.made = [], [], None


class Ours:
    """`cohort bench train`, called anew every time; it has its own warm-up. It always makes its batches."""

    name, knobs = "cohort", {}

    def __init__(self, tool, case, device, precision, cores, limit):
        self.tool, self.case, self.device, self.limit = tool, case, device, limit
        self.processes, self.precision = "threads", precision
        self.name = f"cohort {precision}"
        self.threads, self.gemm = len(cores), []
        # Not every version of the tool has the option.
        self.options = ["--precision", precision] if "--precision" in self.call("bench", "train", "--help") else []

    def call(self, *words):
        return output_of(self.tool, words, self.limit)

    def shape(self):
        return ["--task", self.case.task, "--n", str(self.case.n), "--batch", str(self.case.batch), "--steps", str(self.case.steps), "--device", self.device,
                "--threads", str(self.threads)]

    def start(self):
        return {"cohort": self.call("--version").split()[-1]}

    def trace(self, nets, updates):
        options = self.options if self.options and "--precision" in self.call("bench", "trace", "--help") else []
        return self.call("bench", "trace", *self.shape(), "--networks", str(nets), "--updates", str(updates), *options)

    def make(self, setting):
        self.nets = setting.nets
        return 0.0

    def time(self, seconds):
        line = json.loads(self.call("bench", "train", *self.shape(), "--networks", str(self.nets), "--seconds",
                                    f"{max(seconds, 0.05):g}", "--json", *self.options))
        self.isa = line["isa"]
        if line["gemm_tflops"]:
            self.gemm.append(line["gemm_tflops"])
        return line["net_steps_per_s"]

    def end(self):
        pass


def reference_worker(python, case, limit):
    return Peer("float64", "reference", case, "cpu", "threads", python, [], limit)


def default_python(root):
    venv = root / "build/peers/bin/python"
    return str(venv) if venv.exists() else sys.executable
