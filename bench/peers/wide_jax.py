"""JAX: all models of a group at once, gradients written out, one jit over a scan of updates; several groups by vmap, or one after
another inside the same program.

Knobs: how the training set lies in memory, and how several groups are done.
"""

import functools
import os

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from wide_case import ENTROPY, P3

jax.config.update("jax_default_matmul_precision", "highest")
jax.config.update("jax_default_prng_impl", "rbg")

KNOBS = {"stored": ["float32", "uint8"], "several": ["vmap", "map"]}


def versions():
    return {"jax": jax.__version__, "device": jax.devices()[0].device_kind, "xla_flags": os.environ.get("XLA_FLAGS", "")}


def neurons(case, stored, key):
    a, b = jax.random.split(key)
    x = jax.random.bits(a, (case.samples, (case.inputs + 31) // 32), jnp.uint32)
    x = (x[..., None] >> jnp.arange(32, dtype=jnp.uint32) & 1).reshape(case.samples, -1)[:, : case.inputs].astype(stored)
    u = jax.random.uniform(b, (case.samples,))
    on = x[:, : case.relevant].sum(1, dtype=jnp.float32) + (u < case.label_noise) - (u >= 1 - case.label_noise)
    return x, (on >= case.threshold).astype(jnp.float32)


def lines(case, root, key):
    """Two rows from every transform: its real and its imaginary part."""
    a, b, c = jax.random.split(key, 3)
    z = jax.random.normal(a, (2, (case.samples + 1) // 2, len(root))) * root
    f = jnp.fft.fft(lax.complex(z[0], z[1]))[:, : case.inputs]
    rows = jnp.concatenate([f.real, f.imag])[: case.samples] * (1 - 2 * (jnp.arange(case.inputs) % 2))
    x = rows + jax.random.uniform(b, rows.shape) - 0.5
    return x, 2 * jax.random.bernoulli(c, shape=(case.samples,)).astype(jnp.float32) - 1


def draw(case, stored, root, key):
    """One group's training set and the start of its models, [inputs]."""
    a, b = jax.random.split(key)
    if case.task == "r_of_k":
        return *neurons(case, stored, a), jnp.full((case.inputs,), 2 * case.threshold / case.inputs)
    return *lines(case, root, a), jax.random.normal(b, (case.inputs,)) / case.inputs**0.5


def embedding(case):
    if case.task == "r_of_k":
        return None
    import wide_reference

    return jnp.array(wide_reference.embedding(case), jnp.float32)


def loss_of(case, z, target):
    """Mean over the batch, the last dimension."""
    if case.task == "r_of_k":
        return (jax.nn.softplus(z) - target * z).mean(-1)
    return jnp.square(z - target).mean(-1)


def moved(geometry, w, d):
    if geometry == ENTROPY:
        return w * jnp.exp(-jnp.sign(w) * d)
    if geometry == P3:
        dual = w * jnp.abs(w) - d
        return jnp.copysign(jnp.sqrt(jnp.abs(dual)), dual)
    return w - d


def update(case, x, y, state, now):
    """One update of a group: state (w, momentum) [models][inputs], now (rows of the batch, factor of the rates)."""
    (w, momentum), (rows, factor) = state, now
    if case.epoch > 1:
        x = x.at[rows].get(mode="promise_in_bounds").astype(jnp.float32)
        y = y.at[rows].get(mode="promise_in_bounds")
    z = w @ x.T + case.offset
    slope = jax.nn.sigmoid(z) - y if case.task == "r_of_k" else 2 * (z - y)
    d = (slope / case.batch) @ x
    if case.momentum:
        d = momentum = case.momentum * momentum + d
    d = d * (factor * jnp.array(case.rates)[:, None])
    w = jnp.concatenate([moved(geometry, w[a:b], d[a:b]) for geometry, a, b in case.pieces])
    return (w, momentum), loss_of(case, z, y)


class Peer:
    def __init__(self, case, groups, stored="float32", several="vmap"):
        self.case, self.groups = case, groups
        self.models, self.key, self.root = groups * len(case.models), jax.random.key(0), embedding(case)
        kind = jnp.uint8 if stored == "uint8" and case.task == "r_of_k" else jnp.float32

        def start(root, key):
            x, y, w = draw(case, kind, root, key)
            return x, y, jnp.tile(w, (len(case.models), 1))

        def train(x, y, state, rows, factors):
            return lax.scan(functools.partial(update, case, x, y), state, (rows, factors))

        def shuffled(key, updates):
            """Batches [updates][batch] of whole epochs."""
            if case.epoch == 1:
                return jnp.zeros((updates, 0), jnp.int32)
            epochs = jax.vmap(lambda k: jax.random.permutation(k, case.samples))(jax.random.split(key, -(-updates // case.epoch)))
            return epochs.reshape(-1, case.batch)[:updates]

        if groups == 1:
            drop = functools.partial(jax.tree.map, lambda a: a[0])
            each = lambda f: lambda *arrays: jax.tree.map(lambda a: a[None], f(*map(drop, arrays)))
        elif several == "vmap":
            each = jax.vmap
        else:
            each = lambda f: lambda *arrays: lax.map(lambda one: f(*one), arrays)
        self.start = jax.jit(lambda root, keys: each(functools.partial(start, root))(keys))
        self.shuffle = jax.jit(lambda keys, updates: each(lambda key: shuffled(key, updates))(keys), static_argnums=1)
        self.program = jax.jit(
            lambda x, y, state, rows, factors: each(lambda *own: train(*own, factors))(x, y, state, rows), donate_argnums=2)

    def keys(self):
        self.key, key = jax.random.split(self.key)
        return jax.random.split(key, self.groups)

    def begin(self, w):
        self.state, self.step = (w, jnp.zeros_like(w) if self.case.momentum else jnp.zeros((self.groups, 0))), 0

    def draw(self):
        self.x, self.y, w = jax.block_until_ready(self.start(self.root, self.keys()))
        self.begin(w)

    def feed(self, x, y, start):
        """One group's data for all."""
        to_all = lambda a: jnp.tile(jnp.array(a)[None], (self.groups,) + (1,) * a.ndim)
        self.x, self.y = to_all(x), to_all(y)
        self.begin(to_all(start))

    def train(self, updates, order=None):
        """Losses [updates][groups][models]; shuffled by itself, or the same for every group in the order [updates][batch]."""
        case = self.case
        factors = jnp.array([case.factor((self.step + k) % case.updates) for k in range(updates)], jnp.float32)
        rows = self.shuffle(self.keys(), updates) if order is None else jnp.tile(jnp.array(order[None]), (self.groups, 1, 1))
        self.state, losses = self.program(self.x, self.y, self.state, rows, factors)
        jax.block_until_ready((self.state, losses))
        self.step += updates
        return np.swapaxes(np.asarray(losses), 0, 1)
