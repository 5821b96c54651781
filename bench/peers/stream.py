"""The starts and batches of `cohort bench train`, number by number: Philox4x32-10 in NumPy, keyed as the engine keys it.

Uniform numbers are rounded to single precision as the engine's are; logarithm, root and circle functions are evaluated in
double and rounded, so inputs and starts agree with the engine's to a few units in the last place.
"""

import functools

import numpy as np

from case import COHERENCES

WEIGHTS, TRIAL, NOISE, SHUFFLE = 1, 3, 4, 6  # streams
TENSORS = (0, 1, 3)  # U, W, V among the engine's tensors; 2 and 4 are biases, which these networks lack


def philox(index, sub, step, stream, seed):
    """Words [4][...] of the block `index`; Salmon et al., SC 2011."""
    low = np.uint64(0xFFFFFFFF)
    c0 = np.asarray(index, np.uint64)
    c1, c2, c3 = (np.full_like(c0, value) for value in (sub, step, stream))
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (b >> np.uint64(32)) ^ c1 ^ np.uint64(k0), b & low, (a >> np.uint64(32)) ^ c3 ^ np.uint64(k1), a & low
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def uniform(word):
    return ((word >> np.uint64(9)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)


def normals(w0, w1):
    """Box and Muller."""
    u = ((w0 >> np.uint64(1)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-31)
    radius = np.sqrt(-2 * np.log(np.minimum(u, np.float32(1)).astype(np.float64)))
    angle = np.pi * (w1.astype(np.uint32).astype(np.int32).astype(np.float32) * np.float32(2.0**-31)).astype(np.float64)
    return radius * np.cos(angle), radius * np.sin(angle)


def start(case, seeds):
    """Weights of networks of these seeds: W normal, U and V uniform within 1 / sqrt(columns)."""
    weights = [[], [], []]
    for seed in seeds:
        for tensor, shape, into in zip(TENSORS, case.shapes, weights):
            words = philox(np.arange(shape[0] * shape[1]), 1, 0, WEIGHTS | tensor << 8, seed)
            if tensor == 1:
                w = case.gain / np.sqrt(case.n) * normals(words[0], words[1])[0]
            else:
                w = (2 * uniform(words[0]) - 1) / np.sqrt(shape[1])
            into.append(w.reshape(shape).astype(np.float32))
    return [np.stack(w) for w in weights]


def decisions(case, seeds, step):
    """Training batch number `step` of the perceptual decision task, all steps but the last being stimulus."""
    B, T, n_in = case.batch, case.steps, case.n_in
    x = np.zeros((len(seeds), T, B, n_in), np.float32)
    labels = np.zeros((len(seeds), T, B), np.int32)
    rows, times, blocks = np.arange(B), np.arange(T - 1), (n_in + 3) // 4
    for net, seed in enumerate(seeds):
        words = philox(rows, 1, step, TRIAL, seed)
        choice = (words[0] * np.uint64(2) >> np.uint64(32)).astype(int)
        coherence = np.float32(COHERENCES)[(words[1] * np.uint64(5) >> np.uint64(32)).astype(int)]
        x[net, :-1, :, 0] = 1
        for channel in range(2):
            x[net, :-1, :, 1 + channel] = 0.5 + np.where(choice == channel, coherence, -coherence) / np.float32(200)
        labels[net, -1] = choice + 1
        for quad in range(blocks):
            words = philox((rows[None, :] * T + times[:, None]) * blocks + quad, 0, step, NOISE, seed)
            z = [*normals(words[0], words[1]), *normals(words[2], words[3])]
            for i in range(max(1, 4 * quad), min(n_in, 4 * quad + 4)):
                x[net, :-1, :, i] += np.float32(case.noise) * z[i - 4 * quad].astype(np.float32)
    return x, labels


@functools.cache
def images(case):
    """Pixels [images][784] and labels [images]: the images of `cohort bench train`, by the 32-bit Mersenne twister."""
    random = np.random.RandomState(0)
    words = lambda count: random.randint(0, 2**32, count, np.uint32)
    pixels = words(case.images * 784 // 4).astype("<u4").view(np.uint8).reshape(case.images, 784)
    return pixels, (words(case.images).astype(np.uint64) * np.uint64(10) >> np.uint64(32)).astype(np.int32)


def permute(i, n, seed, epoch):
    """Where the engine's shuffled order of [0, n) has i: a Feistel network of eight rounds, walked until it is below n."""
    half = np.uint64(1)
    while 4 ** int(half) < n:
        half += np.uint64(1)
    low = (np.uint64(1) << half) - np.uint64(1)
    i = np.array(i, np.uint64)
    outside = np.ones(i.shape, bool)
    while outside.any():
        left, right = i[outside] >> half, i[outside] & low
        for turn in range(8):
            left, right = right, left ^ (philox(right, 1 + turn, epoch, SHUFFLE, seed)[0] & low)
        i[outside] = left << half | right
        outside = i >= n
    return i.astype(int)


def row_images(case, seeds, step):
    """Training batch number `step` of row-sequential images, from shuffled epochs that run on across batches."""
    pixels, classes = images(case)
    trials = step * case.batch + np.arange(case.batch)
    x, labels = [], []
    for seed in seeds:
        chosen = np.empty(case.batch, int)
        for epoch in np.unique(trials // case.images):
            now = trials // case.images == epoch
            chosen[now] = permute(trials[now] % case.images, case.images, seed, epoch)
        rows = pixels[chosen].reshape(case.batch, case.steps, case.n_in).swapaxes(0, 1)
        x.append(rows.astype(np.float32) * np.float32(1 / 255))
        labels.append(classes[chosen][None])
    return np.stack(x), np.stack(labels)


def batch(case, seeds, step):
    """Training batch number `step` of every network: x [seeds][T][B][n_in], labels [seeds][counted][B]."""
    return {"decision": decisions, "row_mnist": row_images}[case.task](case, seeds, step)
