#!/usr/bin/env python3
"""One system in its own process: `worker.py MODULE CASE DEVICE`, CASE as JSON. Commands are JSON objects, one a line of stdin;
every answer is one line of stdout, {"error": ...} where a command failed. The first line says what was loaded.

  reference  nets, updates, file           what every system is held to, into a file
  judge      file, trace                   errors of a trace of `cohort bench trace` against it
  check      file                          errors of this system against it
  make       nets, updates, generate, knobs   networks to train; the first run includes compiling
  time       seconds                       networks x steps per second
"""

import gc
import importlib
import json
import os
import sys
import time

MOST_SEEDS = 16  # starts and fixed batches are repeated after so many networks


def brief(error):
    """One line that says what went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


class Worker:
    def __init__(self, module, case, device):
        self.module, self.case, self.device, self.peer = module, case, device, None

    def reference(self, nets, updates, file):
        import numpy as np
        import reference

        course = reference.course(self.case, range(nets), updates)
        flat = {f"{key}{k}": w for key in ("start", "gradient") for k, w in enumerate(course[key])}
        np.savez(file, loss=course["loss"], **flat)
        return {}

    @staticmethod
    def load(file):
        import numpy as np

        stored = np.load(file)
        parts = lambda key: [stored[f"{key}{k}"] for k in range(3)]
        return {"start": parts("start"), "gradient": parts("gradient"), "loss": stored["loss"]}

    def judge(self, file, trace):
        import numpy as np
        import reference

        course = self.load(file)
        nets = len(course["loss"])
        with open(trace) as text:
            trace = json.load(text)

        def weights(values):
            values, parts, at = np.array(values).reshape(nets, -1), [], 0
            for rows, columns in self.case.shapes:
                parts.append(values[:, at : at + rows * columns].reshape(nets, rows, columns))
                at += rows * columns
            return parts

        start = max(float(abs(a - b).max()) for a, b in zip(weights(trace["start"]), course["start"]))
        losses = np.array(trace["loss"], np.float64).reshape(nets, -1)
        gradient, curve = reference.errors(course, weights(trace["gradient"]), losses)
        return {"start_error": start, "gradient_error": gradient, "curve_error": curve}

    def check(self, file):
        import numpy as np
        import reference
        import stream

        course = self.load(file)
        nets, updates = course["loss"].shape
        knobs = {name: values[0] for name, values in self.module.KNOBS.items()}
        peer = self.module.Peer(self.case, nets, 1, self.device, **knobs)
        peer.load(course["start"])
        gradient, losses = None, []
        for step in range(updates):
            x, labels = stream.batch(self.case, range(nets), step)
            peer.feed(x[None], labels[None])
            losses.append(np.asarray(peer.run())[0])
            gradient = gradient or peer.momentum()
        gradient, curve = reference.errors(course, gradient, np.stack(losses, 1))
        return {"gradient_error": gradient, "curve_error": curve}

    def make(self, nets, updates, generate, knobs):
        import numpy as np
        import stream

        self.peer = None
        if "jax" in sys.modules:
            sys.modules["jax"].clear_caches()
        gc.collect()
        if "torch" in sys.modules and self.device == "cuda":
            sys.modules["torch"].cuda.empty_cache()
        self.work = nets * updates
        some = range(min(nets, MOST_SEEDS))
        to_all = lambda a, axis: np.take(a, np.arange(nets) % len(some), axis)
        peer = self.module.Peer(self.case, nets, updates, self.device, **knobs)
        peer.load([to_all(w, 0) for w in stream.start(self.case, some)])
        if not generate:
            x, labels = zip(*(stream.batch(self.case, some, k) for k in range(updates)))
            peer.feed(to_all(np.stack(x), 1), to_all(np.stack(labels), 1))
        first, again = (self.timed(peer) for _ in range(2))
        self.peer = peer
        return {"compile_s": max(0.0, first - again)}

    @staticmethod
    def timed(peer):
        start = time.perf_counter()
        peer.run()
        return time.perf_counter() - start

    def time(self, seconds):
        start, runs = time.perf_counter(), 0
        while True:
            self.peer.run()
            runs += 1
            elapsed = time.perf_counter() - start
            if elapsed >= seconds:
                return {"rate": runs * self.work / elapsed}


def main(make):
    """make(module, case, device), case as read from JSON, gives what answers to the commands."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what frameworks print is not an answer

    def say(answer):
        print(json.dumps(answer), file=replies, flush=True)

    name, case, device = sys.argv[1:]
    try:
        module = importlib.import_module(name)
        versions = {"python": sys.version.split()[0], **getattr(module, "versions", dict)()}
        say({"versions": versions, "knobs": getattr(module, "KNOBS", {})})
    except ModuleNotFoundError as error:
        return say({"missing": error.name})
    except Exception as error:
        return say({"error": brief(error)})
    worker = make(module, json.loads(case), device)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            say(getattr(worker, command.pop("do"))(**command))
        except Exception as error:
            worker.peer = None
            say({"error": brief(error)})


if __name__ == "__main__":
    from case import Case

    main(lambda module, case, device: Worker(module, Case(**case), device))
