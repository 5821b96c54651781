"""The entries of bench/wide-race. A rate is a pair: models a second with their data drawn, and with data found in memory; of all
cores by the wall clock, of one core in processor time. Python's standard library only."""

import csv
import io
import json
import pathlib
import resource
import tempfile
import time

import entry
from entry import Failure


class Peer(entry.Peer):
    """groups: in every process."""

    worker = "wide_worker.py"

    def check(self, file):
        self.busy = self.workers[:1]
        return self.ask(do="check", file=file)[0]

    def make(self, setting):
        if setting == self.made and all(w.child.poll() is None for w in self.workers):
            return
        self.made = None
        if not self.workers or any(w.child.poll() is not None for w in self.workers):
            self.start()
        groups, knobs = setting
        self.busy = self.workers
        self.ask(do="make", groups=groups, knobs=knobs)
        self.made = setting

    def time(self, seconds, clock):
        done = self.ask(do="time", seconds=seconds, clock=clock)
        share = len(done) if clock == "processor" else 1
        training = [a["update_s"] * self.case.updates for a in done]
        drawn = sum(a["models"] / (a["draw_s"] + t) for a, t in zip(done, training))
        return drawn / share, sum(a["models"] / t for a, t in zip(done, training)) / share


def processor_time():
    """Of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Ours:
    """`cohort run`, from its start to its end: data drawn (every time a batch is needed), training, an evaluation on one trial,
    results on disk."""

    name, processes, knobs = "cohort", "threads", {}

    def __init__(self, tool, case, cores, limit):
        self.tool, self.case, self.threads, self.limit = tool, case, len(cores), limit

    def call(self, *words):
        return entry.output_of(self.tool, words, self.limit)

    def start(self):
        return {"cohort": self.call("--version").split()[-1]}

    def run(self, seeds, history, then, now=time.perf_counter):
        """Seconds that a run took, and then(its directory)."""
        with tempfile.TemporaryDirectory() as folder:
            file, out = pathlib.Path(folder) / "race.toml", f"{folder}/out"
            file.write_text(self.case.toml(seeds, history))
            begin = now()
            self.call("run", str(file), "--out", out, "--device", "cpu", "--threads", str(self.threads))
            return now() - begin, then(out)

    def losses(self):
        """[updates][models] of the first group."""
        _, text = self.run(1, 1, lambda out: self.call("export", out, "--history", "--format", "json"))
        losses = [[None] * len(self.case.models) for _ in range(self.case.updates)]
        for row in json.loads(text):
            if row["name"] == "loss":
                losses[row["step"]][row["net"]] = row["value"]
        return losses

    def make(self, setting):
        """Groups of models; none may stop before its training ends."""
        self.groups = setting[0]
        _, text = self.run(self.groups, 0, lambda out: self.call("export", out))
        lost = [row["net"] for row in csv.DictReader(io.StringIO(text)) if row["status"] != "ok"]
        if lost:
            raise Failure(f"{len(lost)} models diverged, the first is {lost[0]}")

    def time(self, seconds, clock):
        took, _ = self.run(self.groups, 0, lambda out: None, processor_time if clock == "processor" else time.perf_counter)
        return (self.groups * len(self.case.models) / took,) * 2

    def end(self):
        pass


def reference_worker(python, case, limit):
    return Peer("float64", "wide_reference", case, "cpu", "threads", python, [], limit)
