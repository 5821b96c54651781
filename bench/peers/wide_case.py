"""What bench/wide-race races: groups of models, one layer of weights each, that learn from the same data at other rates and in
other geometries. Two experiments of the papers, of experiments/geometry: r of k (Cornford et al. 2024) and linear regression
(Pogodin et al., ICLR 2024). Python's standard library only."""

import dataclasses
import math

EUCLIDEAN, ENTROPY, P3 = "euclidean", "neg_entropy", "p3"  # p3: the p-norm with p = 3
KEYS = {EUCLIDEAN: ("p_norm", 2.0), ENTROPY: ("neg_entropy", 2.0), P3: ("p_norm", 3.0)}  # rule.geometry, rule.p


@dataclasses.dataclass(frozen=True)
class Wide:
    """y = w x + offset; batches of a training set of `samples`, which is shuffled for every epoch where it is more than a batch.

    r of k: x is 0 or 1, the loss is the cross-entropy of one logit. Regression: the targets are signs, the loss is (y - target)^2.
    Weights are [models][inputs] in the order of `models`, pairs of geometry and rate in which a geometry is in one piece.
    """

    task: str
    inputs: int
    samples: int
    batch: int
    updates: int  # of a whole training
    models: tuple
    momentum: float = 0.0
    cosine: bool = False  # the rate falls as (1 + cos(pi step / updates)) / 2
    relevant: int = 100
    threshold: int = 50
    label_noise: float = 0.05
    decay: float = 2.0  # covariance of inputs i and j: (-1)^|i-j| / (1 + |i-j|^decay)

    @property
    def offset(self):
        return -self.threshold if self.task == "r_of_k" else 0

    @property
    def epoch(self):
        """Updates in which every sample is seen once."""
        return self.samples // self.batch

    @property
    def part(self):
        """Updates in one go when it is timed: all, or where they take long an epoch."""
        return self.updates if self.epoch == 1 else self.epoch

    @property
    def pieces(self):
        """(geometry, first model, one behind the last)."""
        found = []
        for i, (geometry, _) in enumerate(self.models):
            if found and found[-1][0] == geometry:
                found[-1][2] = i + 1
            else:
                found.append([geometry, i, i + 1])
        return [tuple(piece) for piece in found]

    @property
    def rates(self):
        return [rate for _, rate in self.models]

    def factor(self, step):
        return (1 + math.cos(math.pi * step / self.updates)) / 2 if self.cosine else 1.0

    def checked(self, updates):
        """The same models for so many updates. Rates of r of k are lowered so that no update leaps far over the minimum, which
        would let rounding grow from one update to the next."""
        slower = {EUCLIDEAN: 20 / self.inputs, ENTROPY: 0.1} if self.task == "r_of_k" else {}
        models = tuple((geometry, rate * min(1, slower.get(geometry, 1))) for geometry, rate in self.models)
        return dataclasses.replace(self, updates=min(updates, self.updates), models=models)

    @property
    def flop(self):
        """Of the products of one model's training: logits and gradients."""
        return 4 * self.batch * self.inputs * self.updates

    def toml(self, seeds, history=0):
        """The experiment for cohort: groups of seeds 0, 1, ..., one trial of evaluation and no analysis."""
        neuron = self.task == "r_of_k"
        words = lambda values: "[" + ", ".join(f'"{v}"' if isinstance(v, str) else repr(v) for v in values) + "]"
        keys = [KEYS[geometry] for geometry, _ in self.models]
        task = {"name": f'"{self.task}"', "inputs": self.inputs, "samples": self.samples, "batch": self.batch}
        names = ("relevant", "threshold", "label_noise") if neuron else ("decay",)
        task |= {name: getattr(self, name) for name in names}
        start = f'"constant"\nreadout_gain = {2 * self.threshold / self.inputs!r}' if neuron else '"normal"'
        return "\n".join([
            'name = "wide-race"', '[network]\ncore = "feedforward"\nn_layers = 0\nbias = false', f"[init]\nreadout = {start}",
            f'[rule]\nmomentum = {self.momentum}\nschedule = "{"cosine" if self.cosine else "constant"}"',
            "[task]", *(f"{key} = {value}" for key, value in task.items()), f"[train]\nsteps = {self.updates}",
            "[eval]\ntrials = 1", "[analysis]\nnames = []", f"[output]\nhistory_every = {history}",
            f"[sweep]\nseed = {{ range = [0, {seeds}] }}", "[[sweep.zip]]", f'"rule.geometry" = {words([g for g, _ in keys])}',
            f'"rule.p" = {words([p for _, p in keys])}', f'"rule.lr" = {words(self.rates)}', ""])


def r_of_k(inputs, **other):
    rates = {EUCLIDEAN: (0.005, 0.01, 0.05, 0.1, 0.5, 1.0), ENTROPY: (0.1, 0.25, 0.5, 0.75, 1.0)}
    models = tuple((geometry, rate) for geometry in rates for rate in rates[geometry])
    return Wide(**{"task": "r_of_k", "inputs": inputs, "samples": 10000, "batch": 500, "updates": 580, "models": models} | other)


def regression(inputs, **other):
    """The published grid of rates goes on to .1; models that diverge there stop early, and a rate of training would mean little."""
    models = tuple((geometry, 10 ** (-7 + 3 * k / 15)) for geometry in (ENTROPY, EUCLIDEAN, P3) for k in range(16))
    n = math.isqrt(inputs)
    return Wide(**{"task": "linear_regression", "inputs": inputs, "samples": n, "batch": n, "updates": 100, "models": models,
                   "momentum": 0.9, "cosine": True} | other)


CASES = {f"{make.__name__}-{n}": make(n) for make, sizes in ((r_of_k, (200, 2000, 20000)), (regression, (2000, 20000)))
         for n in sizes}
SMOKE = {
    "r_of_k-70": r_of_k(70, relevant=40, threshold=20, samples=60, batch=20, updates=9),
    "regression-50": regression(50, updates=6),
}
