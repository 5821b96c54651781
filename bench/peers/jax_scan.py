"""JAX: one jit over K training steps (an outer scan), vmap over networks, donated weights.

Knobs: `unroll` of the scans over time; `gradient`: "autodiff", or "written" by hand with one product for dW (K = B T).
"""

import functools
import os

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import stream
from case import COHERENCES

jax.config.update("jax_default_matmul_precision", "highest")
jax.config.update("jax_default_prng_impl", "rbg")

KNOBS = {"unroll": [4, 1, 2, 8, 16], "gradient": ["written", "autodiff"]}

# f and its derivative as a function of h = f(z).
ACTIVATIONS = {"tanh": (jnp.tanh, lambda h: 1 - h * h), "relu": (jax.nn.relu, lambda h: h > 0)}


def versions():
    return {"jax": jax.__version__, "device": jax.devices()[0].device_kind, "xla_flags": os.environ.get("XLA_FLAGS", "")}


def hidden(case, weights, x, unroll):
    U, W, _ = weights
    f, _ = ACTIVATIONS[case.activation]
    step = lambda h, drive: (f(h @ W.T + drive),) * 2
    return lax.scan(step, jnp.zeros((case.batch, case.n)), x @ U.T, unroll=unroll)[1]


def cross_entropy(y, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(y), labels[..., None], -1))


def loss(case, weights, x, labels, unroll):
    return cross_entropy(hidden(case, weights, x, unroll)[case.first :] @ weights[2].T, labels)


def written(case, weights, x, labels, unroll):
    U, W, V = weights
    _, slope = ACTIVATIONS[case.activation]
    h = hidden(case, weights, x, unroll)
    value, dy = jax.value_and_grad(cross_entropy)(h[case.first :] @ V.T, labels)

    def back(delta, step):
        h, dh = step
        delta = (dh + delta @ W) * slope(h)
        return delta, delta

    def back_from_last(dh, h):
        delta = dh * slope(h)
        return delta @ W, delta

    if case.last_only:
        delta = lax.scan(back_from_last, dy[0] @ V, h, reverse=True, unroll=unroll)[1]
    else:
        delta = lax.scan(back, jnp.zeros((case.batch, case.n)), (h, dy @ V), reverse=True, unroll=unroll)[1]
    product = lambda a, b: jnp.einsum("tbi,tbj->ij", a, b)
    return value, [product(delta, x), product(delta[1:], h[:-1]), product(dy, h[case.first :])]


def decision(case, key):
    """One network's batch of the perceptual decision task."""
    T, B, n_in = case.steps, case.batch, case.n_in
    a, b, c = jax.random.split(key, 3)
    choice = jax.random.randint(a, (B,), 0, 2)
    coherence = jnp.array(COHERENCES)[jax.random.randint(b, (B,), 0, 5)] * jnp.where(choice == 0, 1, -1) / 200
    mean = jnp.zeros((B, n_in)).at[:, 0].set(1).at[:, 1].set(0.5 + coherence).at[:, 2].set(0.5 - coherence)
    noise = case.noise * jax.random.normal(c, (T - 1, B, n_in)) * (jnp.arange(n_in) > 0)
    return jnp.zeros((T, B, n_in)).at[:-1].set(mean + noise), jnp.zeros((T, B), jnp.int32).at[-1].set(choice + 1)


def decisions(case, nets, _, key):
    """One batch for every network."""
    return jax.vmap(functools.partial(decision, case))(jax.random.split(key, nets))


def row_images(case, nets, images, key):
    """The same of images, at random, from pixels [images][784] and classes [images] on the device."""
    chosen = jax.random.randint(key, (nets, case.batch), 0, case.images)
    pixels, classes = (array.at[chosen].get(mode="promise_in_bounds") for array in images)
    rows = pixels.reshape(nets, case.batch, case.steps, case.n_in).swapaxes(1, 2)
    return rows.astype(jnp.float32) * (1 / 255), classes[:, None]


GENERATE = {"decision": decisions, "row_mnist": row_images}


class Peer:
    def __init__(self, case, nets, updates, device, unroll=4, gradient="written"):
        self.case, self.nets, self.updates, self.batches = case, nets, updates, None
        if gradient == "autodiff":
            learn = jax.value_and_grad(functools.partial(loss, case, unroll=unroll))
        else:
            learn = functools.partial(written, case, unroll=unroll)

        def step(images, state, batch):
            weights, momentum = state
            if not isinstance(batch, tuple):
                batch = GENERATE[case.task](case, nets, images, batch)
            losses, g = jax.vmap(learn)(weights, *batch)
            momentum = [case.momentum * m + d for m, d in zip(momentum, g)]
            return ([w - case.lr * m for w, m in zip(weights, momentum)], momentum), losses

        train = lambda state, batches, images: lax.scan(functools.partial(step, images), state, batches)
        self.train = jax.jit(train, donate_argnums=0)
        self.images = tuple(map(jnp.array, stream.images(case))) if case.task == "row_mnist" else None
        self.key = jax.random.key(0)

    def load(self, weights):
        weights = [jnp.array(w) for w in weights]
        self.state = weights, [jnp.zeros_like(w) for w in weights]

    def feed(self, x, labels):
        """Batches [updates][nets]... to train on instead of generating them."""
        self.batches = jnp.array(x), jnp.array(labels)

    def run(self):
        """`updates` training steps; losses [updates][nets]."""
        batches = self.batches
        if batches is None:
            self.key, key = jax.random.split(self.key)
            batches = jax.random.split(key, self.updates)
        self.state, losses = self.train(self.state, batches, self.images)
        jax.block_until_ready((self.state, losses))
        return losses

    def momentum(self):
        return [np.asarray(m) for m in self.state[1]]
