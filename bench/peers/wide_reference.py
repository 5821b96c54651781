"""What every system of bench/wide-race is held to: the engine's training sets and starts, number by number, and training in double
precision, in NumPy. Uniform and normal numbers are those of stream.py."""

import numpy as np

import stream
from wide_case import ENTROPY, P3


def versions():
    return {"numpy": np.__version__}


def words(seed, index, count):
    """The first `count` words of every trial `index` of a training set: [trials][count]."""
    blocks = [np.stack(stream.philox(index, 1 + b, 0, stream.TRIAL, seed), 1) for b in range((count + 3) // 4)]
    return np.concatenate(blocks, 1)[:, :count]


def neurons(case, seed):
    """Inputs are the bits of the words, lowest first; one more word makes the count of those that matter noisy."""
    full = (case.inputs + 31) // 32
    x, y = np.empty((case.samples, case.inputs), np.uint8), np.empty(case.samples, np.float32)
    for first in range(0, case.samples, 1000):
        some = slice(first, min(first + 1000, case.samples))
        drawn = words(seed, np.arange(some.start, some.stop), full + 1)
        octets = drawn[:, :full].astype("<u4").view(np.uint8)
        x[some] = np.unpackbits(octets, axis=1, bitorder="little")[:, : case.inputs]
        u = (drawn[:, full].astype(np.float64) + 0.5) / 2**32
        on = x[some, : case.relevant].sum(1, dtype=int) + (u < case.label_noise) - (u >= 1 - case.label_noise)
        y[some] = on >= case.threshold
    return x, y


def embedding(case):
    """Of the circulant matrix with the first row c(min(t, m - t)), c(t) = 1 / (1 + t^decay): sqrt(eigenvalue / m) [m]."""
    m = 4
    while m < 2 * (case.inputs - 1):
        m *= 2
    t = np.minimum(np.arange(m), m - np.arange(m)).astype(np.float64)
    row = 1 / (1 + np.where(t > 0, t**case.decay, 0))
    return np.sqrt(np.maximum(np.fft.fft(row).real, 0) / m)


def lines(case, seed):
    """Inputs by circulant embedding, every other one with its sign changed, plus U(-1/2, 1/2); targets are signs."""
    root = embedding(case)
    m, n = len(root), case.inputs
    bits = m.bit_length() - 1
    reversed_bits = np.zeros(m, int)
    for k in range(bits):
        reversed_bits |= (np.arange(m) >> k & 1) << (bits - 1 - k)
    x = np.empty((case.samples, n), np.float32)
    for sample in range(case.samples):
        w = stream.philox(np.arange(m // 4), 0, sample, stream.NOISE, seed)
        z = np.concatenate([*stream.normals(w[0], w[1]), *stream.normals(w[2], w[3])])
        f = np.fft.fft(root * z[reversed_bits])
        u = np.stack(stream.philox(np.arange((n + 3) // 4), 1, sample, stream.NOISE, seed), 1).reshape(-1)[:n]
        x[sample] = (f.real - f.imag)[:n] * (1 - 2 * (np.arange(n) % 2)) + stream.uniform(u) - 0.5
    first = words(seed, np.arange(case.samples), 1)[:, 0]
    return x, np.where(first >> np.uint64(31), -1, 1).astype(np.float32)


def data(case, seed):
    return neurons(case, seed) if case.task == "r_of_k" else lines(case, seed)


def start(case, seed):
    if case.task == "r_of_k":
        w = np.full(case.inputs, 2 * case.threshold / case.inputs)
    else:
        drawn = stream.philox(np.arange(case.inputs), 1, 0, stream.WEIGHTS, seed)
        w = stream.normals(drawn[0], drawn[1])[0] / np.sqrt(case.inputs)
    return np.tile(w.astype(np.float32), (len(case.models), 1))


def order(case, seed):
    """Samples of every batch, [updates][batch]."""
    trials = np.arange(case.updates * case.batch)
    if case.epoch == 1:
        return np.tile(np.arange(case.samples), (case.updates, 1))
    epochs = [stream.permute(np.arange(case.samples), case.samples, seed, e) for e in range(trials[-1] // case.samples + 1)]
    return np.concatenate(epochs)[trials].reshape(case.updates, case.batch)


def moved(geometry, w, d):
    """w after a step d = rate x momentum."""
    if geometry == ENTROPY:
        return w * np.exp(-np.sign(w) * d)
    if geometry == P3:
        dual = np.sign(w) * w**2 - d
        return np.sign(dual) * np.sqrt(np.abs(dual))
    return w - d


def course(case, seed):
    """Everything about the training of one group: x, y, start, order and the loss before every update, [updates][models]."""
    x, y = data(case, seed)
    begin, batches = start(case, seed), order(case, seed)
    w, momentum, losses = begin.astype(np.float64), 0, []
    for step, rows in enumerate(batches):
        a, target = x[rows].astype(np.float64), y[rows].astype(np.float64)
        z = w @ a.T + case.offset
        if case.task == "r_of_k":
            losses.append((np.logaddexp(0, z) - target * z).mean(1))
            slope = 1 / (1 + np.exp(-z)) - target
        else:
            losses.append(((z - target) ** 2).mean(1))
            slope = 2 * (z - target)
        momentum = case.momentum * momentum + slope @ a / case.batch
        d = case.factor(step) * np.array(case.rates)[:, None] * momentum
        w = np.concatenate([moved(geometry, w[a:b], d[a:b]) for geometry, a, b in case.pieces])
    return {"x": x, "y": y, "start": begin, "order": batches, "loss": np.stack(losses)}


def error(reference, loss):
    """The largest relative error along the loss curves."""
    return float(np.abs(np.asarray(loss, np.float64) / reference["loss"] - 1).max())
