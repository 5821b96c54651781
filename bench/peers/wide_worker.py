#!/usr/bin/env python3
"""One system of bench/wide-race in its own process: `wide_worker.py MODULE CASE DEVICE`, asked and answering as worker.py has it.

  reference  file                what every system is held to, into a file
  judge      file, losses        error of losses [updates][models] against it
  check      file                error of this system against it
  make       groups, knobs       groups to train; what is compiled first is compiled here
  time       seconds, clock      models, and seconds ("wall" or "processor") that drawing their data and one update take
"""

import gc
import time

import worker
from wide_case import Wide


class Worker:
    def __init__(self, module, case, device):
        self.module, self.case, self.peer = module, case, None

    def reference(self, file):
        import numpy as np
        import wide_reference

        np.savez(file, **wide_reference.course(self.case, 0))
        return {}

    def judge(self, file, losses):
        import numpy as np
        import wide_reference

        return {"error_of_losses": wide_reference.error(np.load(file), losses)}

    def check(self, file):
        import numpy as np
        import wide_reference

        reference = dict(np.load(file))
        errors = []
        for groups in (1, 2):
            peer = self.module.Peer(self.case, groups)
            peer.feed(reference["x"], reference["y"], reference["start"])
            losses = np.asarray(peer.train(self.case.updates, reference["order"]))
            errors += [wide_reference.error(reference, losses[:, group]) for group in range(losses.shape[1])]
        return {"error_of_losses": max(errors)}

    def make(self, groups, knobs):
        self.peer = None
        gc.collect()
        peer = self.module.Peer(self.case, groups, **knobs)
        for _ in range(2):  # what follows a draw and what follows training may be compiled apart
            peer.draw()
            peer.train(self.case.part)
            peer.train(self.case.part)
        self.peer = peer
        return {}

    def time(self, seconds, clock):
        now = time.process_time if clock == "processor" else time.perf_counter
        begin = now()
        self.peer.draw()
        drawn, updates = now(), 0
        while True:
            self.peer.train(self.case.part)
            updates += self.case.part
            trained = now() - drawn
            if trained >= seconds:
                return {"models": self.peer.models, "draw_s": drawn - begin, "update_s": trained / updates}


if __name__ == "__main__":
    worker.main(lambda module, case, device: Worker(module, Wide(**case), device))
