#!/usr/bin/env python3
"""Whole runs of networks without hidden layers, data and all, computed without the engine: runs/*.json.

From the published formulas in double precision and plain Python: Philox4x32-10 (Salmon et al., SC 2011) keyed as the
engine keys it, covariances by direct sums, gradients and rules as Cornford et al. 2024 and Pogodin et al. 2024 write them.

    python runs.py           writes the files
    python runs.py --check   says whether the files on disk hold what this script computes
"""

import json
import math
import pathlib
import sys

RUNS = pathlib.Path(__file__).parent / "runs"
TRIAL, NOISE = 3, 4  # streams
TRAIN, EVALUATE, VALIDATE = 0, 1, 4  # phases


# ---- random numbers --------------------------------------------------------------------------------------------------
def philox(index, sub, step, stream, seed):
    c = [index, sub, step, stream]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def uniform(word):
    return (word + 0.5) / 2**32


def normals(w0, w1):
    """Box and Muller."""
    radius = math.sqrt(-2 * math.log(((w0 >> 1) + 0.5) / 2**31))
    angle = math.pi * (w1 - (w1 >> 31 << 32)) / 2**31
    return radius * math.cos(angle), radius * math.sin(angle)


def words(seed, phase, number, index):
    """The words of one trial, one after another."""
    block = 1
    while True:
        yield from philox(index, block, number, TRIAL | phase << 8, seed)
        block += 1


# ---- data: one trial is (inputs, target) -----------------------------------------------------------------------------
def r_of_k(run, phase, number, index):
    """Inputs are the bits of the words, lowest first; in training the count of those that matter is noisy."""
    task = run["task"]
    draw = words(run["seed"], phase, number, index)
    x = []
    while len(x) < task["inputs"]:
        word = next(draw)
        x += [word >> i & 1 for i in range(32)]
    x = x[: task["inputs"]]
    on = sum(x[: task["relevant"]])
    if phase == TRAIN:
        u = uniform(next(draw))
        on += (u < task["label_noise"]) - (u >= 1 - task["label_noise"])
    return x, int(on >= task["threshold"])


def regression(run, phase, number, index):
    """Training: trial `index` of a fixed set; else trial `index` of the phase. Inputs by circulant embedding of c(t) =
    1 / (1 + t^p), every other one with its sign changed, and uniform noise."""
    n, p, seed = run["task"]["inputs"], run["task"]["decay"], run["seed"]
    m = 4
    while m < 2 * (n - 1):
        m *= 2
    step, base = (index, 0) if phase == TRAIN else (number, index * m // 4)
    stream = NOISE | phase << 8
    z = [0.0] * m  # in the order of bit-reversed frequencies
    for q in range(m // 4):
        w = philox(base + q, 0, step, stream, seed)
        z[q], z[q + m // 4] = normals(w[0], w[1])
        z[q + m // 2], z[q + 3 * m // 4] = normals(w[2], w[3])
    bits = m.bit_length() - 1
    spectrum = []
    for j in range(m):
        eigenvalue = sum(
            math.cos(2 * math.pi * j * t / m) / (1 + (min(t, m - t) ** p if t else 0)) for t in range(m)
        )
        spectrum.append(math.sqrt(eigenvalue / m) * z[int(f"{j:0{bits}b}"[::-1], 2)])
    x = []
    for t in range(n):
        angles = (2 * math.pi * (j * t % m) / m for j in range(m))
        u = sum(s * (math.cos(a) + math.sin(a)) for s, a in zip(spectrum, angles))
        noise = uniform(philox(base + t // 4, 1, step, stream, seed)[t % 4]) - 0.5
        x.append((-1) ** t * u + noise)
    target = -1 if next(words(seed, phase, number, index)) >> 31 else 1
    return x, target


# ---- learning --------------------------------------------------------------------------------------------------------
def loss_of(run, logit, target):
    """The loss of a trial and its slope by the logit."""
    if run["task"]["name"] == "r_of_k":
        p = 1 / (1 + math.exp(-logit))
        return -math.log(p if target else 1 - p), p - target
    return (logit - target) ** 2, 2 * (logit - target)


def step_of(rule, w, move, rate):
    if rule["geometry"] == "euclidean":
        return w - rate * move
    if rule["geometry"] == "neg_entropy":
        return w * math.exp(-rate * math.copysign(1, w) * move) if w else w
    p = rule["p"]  # p_norm: the gradient of |w|^p / p moves
    dual = math.copysign(abs(w) ** (p - 1), w) - rate * move
    return math.copysign(abs(dual) ** (1 / (p - 1)), dual)


def trained(run):
    """Losses before every update, parameters after the last, and loss and accuracy of an evaluation."""
    task, rule, steps, batch = run["task"], run["rule"], run["steps"], run["batch"]
    sample = {"r_of_k": r_of_k, "linear_regression": regression}[task["name"]]
    offset = -task["threshold"] if task["name"] == "r_of_k" else 0
    logit = lambda w, x: sum(a * b for a, b in zip(w, x)) + offset
    w, momentum, losses = list(run["theta"]), [0.0] * len(run["theta"]), []
    fixed = [sample(run, TRAIN, 0, i) for i in range(batch)] if run["samples"] else None
    for step in range(steps):
        trials = fixed or [sample(run, TRAIN, step, i) for i in range(batch)]
        gradient, total = [0.0] * len(w), 0.0
        for x, target in trials:
            loss, slope = loss_of(run, logit(w, x), target)
            total += loss / batch
            gradient = [g + slope * a / batch for g, a in zip(gradient, x)]
        losses.append(total)
        norm = math.sqrt(sum(g * g for g in gradient))
        if rule["clip"] and norm > rule["clip"]:
            gradient = [g * rule["clip"] / norm for g in gradient]
        cosine = (1 + math.cos(math.pi * step / steps)) / 2 if rule["schedule"] == "cosine" else 1
        momentum = [rule["momentum"] * m + g for m, g in zip(momentum, gradient)]
        w = [step_of(rule, a, m, rule["lr"] * cosine) for a, m in zip(w, momentum)]
    phase = EVALUATE if run["split"] == "test" else VALIDATE
    trials = [sample(run, phase, 0, i) for i in range(run["trials"])]
    values = [(logit(w, x), target) for x, target in trials]
    return {
        "losses": losses,
        "learned": w,
        "evaluation": {
            "loss": sum(loss_of(run, y, t)[0] for y, t in values) / len(values),
            "right": sum((y > 0) == (t > 0.5) for y, t in values),
        },
    }


def runs():
    def rule(geometry, lr, p=2.0, momentum=0.0, clip=0.0, schedule="constant"):
        return dict(geometry=geometry, p=p, lr=lr, momentum=momentum, clip=clip, schedule=schedule)

    neuron = dict(name="r_of_k", inputs=75, relevant=20, threshold=9, label_noise=0.2)
    common = dict(task=neuron, seed=5, batch=14, samples=0, steps=8, trials=60, split="test", theta=[9 / 37.5] * 75)
    yield "neuron_gd", common | dict(rule=rule("euclidean", 0.05))
    yield "neuron_eg", common | dict(rule=rule("neg_entropy", 0.5, momentum=0.9, clip=0.4), split="validation", seed=2**40 + 3)
    lines = dict(name="linear_regression", inputs=21, decay=2.0)
    start = [math.sin(1 + 7 * i) / 4 for i in range(21)]
    common = dict(task=lines, seed=9, batch=6, samples=6, steps=7, trials=13, split="validation", theta=start)
    slow = dict(momentum=0.9, schedule="cosine")
    yield "regression_eg", common | dict(rule=rule("neg_entropy", 0.01, **slow))
    yield "regression_gd", common | dict(rule=rule("euclidean", 0.003, **slow), task=lines | dict(decay=1.0))
    yield "regression_p3", common | dict(rule=rule("p_norm", 0.001, p=3.0, **slow), split="test")
    yield "regression_short", common | dict(task=lines | dict(inputs=3, decay=0.5), theta=start[:3], rule=rule("euclidean", 0.02))


def main():
    for name, run in runs():
        text = json.dumps(run | trained(run), indent=1) + "\n"
        file = RUNS / f"{name}.json"
        if "--check" not in sys.argv:
            file.write_text(text)
        elif file.read_text() != text:
            sys.exit(f"{file} does not hold what this script computes")


if __name__ == "__main__":
    main()
