"""JAX as people write it: one model at a time, value_and_grad under jit, a Python loop over shuffled batches."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import wide_jax
from wide_jax import versions  # noqa: F401

KNOBS = {}


class Peer:
    def __init__(self, case, groups):
        self.case, self.key = case, jax.random.key(0)
        # When it is timed, one model of every geometry.
        self.timed = [case.models[first] for _, first, _ in case.pieces]
        self.models, self.root = len(self.timed), wide_jax.embedding(case)
        self.drawn = jax.jit(functools.partial(wide_jax.draw, case, jnp.float32))
        loss = lambda w, x, y: wide_jax.loss_of(case, x @ w + case.offset, y)

        @functools.partial(jax.jit, static_argnums=0)
        def step(geometry, w, momentum, x, y, rate):
            value, g = jax.value_and_grad(loss)(w, x, y)
            momentum = case.momentum * momentum + g
            return wide_jax.moved(geometry, w, rate * momentum), momentum, value

        self.step = step

    def next(self):
        self.key, key = jax.random.split(self.key)
        return key

    def draw(self):
        """Every model draws its own."""
        self.sets = jax.block_until_ready([self.drawn(self.root, self.next()) for _ in self.timed])

    def feed(self, x, y, start):
        x, y = jnp.array(x, jnp.float32), jnp.array(y)
        self.timed = self.case.models
        self.sets = [(x, y, jnp.array(w)) for w in start]

    def train(self, updates, order=None):
        """Losses [updates][1][models]."""
        return np.stack([self.model(*m, *s, updates, order) for m, s in zip(self.timed, self.sets)], 1)[:, None]

    def model(self, geometry, rate, x, y, w, updates, order):
        case, momentum, losses = self.case, jnp.zeros_like(w), []
        for k in range(updates):
            inputs, targets = x, y
            if case.epoch > 1:
                if order is None and k % case.epoch == 0:
                    shuffled = np.asarray(jax.random.permutation(self.next(), case.samples))
                at = k % case.epoch * case.batch
                chosen = shuffled[at : at + case.batch] if order is None else order[k]
                inputs, targets = x[chosen], y[chosen]
            w, momentum, value = self.step(geometry, w, momentum, inputs, targets, rate * case.factor(k))
            losses.append(value)
        return np.array(jax.block_until_ready(losses))
