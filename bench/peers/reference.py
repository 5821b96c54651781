"""What every system is held to: backpropagation through time in double precision, written out, in NumPy."""

import numpy as np

import stream

# f and its derivative as a function of h = f(z).
ACTIVATIONS = {"tanh": (np.tanh, lambda h: 1 - h**2), "relu": (lambda z: np.maximum(z, 0), lambda h: h > 0)}


def gradient(case, weights, x, labels):
    """Loss and gradients [U, W, V] of one network."""
    U, W, V = weights
    f, slope = ACTIVATIONS[case.activation]
    T, B, first = case.steps, case.batch, case.first
    h = np.zeros((T + 1, B, case.n))  # h[t + 1] after input t
    for t in range(T):
        h[t + 1] = f(h[t] @ W.T + x[t] @ U.T)
    y = h[1 + first :] @ V.T
    y -= y.max(-1, keepdims=True)
    log_p = y - np.log(np.exp(y).sum(-1, keepdims=True))
    wanted = np.eye(case.n_out)[labels]
    loss = -(wanted * log_p).sum() / labels.size
    dh = np.zeros((T, B, case.n))  # by the losses alone
    dy = (np.exp(log_p) - wanted) / labels.size
    dh[first:] = dy @ V
    delta = np.zeros((T + 1, B, case.n))  # delta[t] of pre-activation t
    for t in reversed(range(T)):
        delta[t] = (dh[t] + delta[t + 1] @ W) * slope(h[t + 1])
    product = lambda a, b: np.tensordot(a, b, ((0, 1), (0, 1)))
    return loss, [product(delta[:T], x), product(delta[:T], h[:T]), product(dy, h[1 + first :])]


def course(case, seeds, updates):
    """Start, gradients of the first step, and losses [nets][updates] of training with the engine's stream."""
    start = stream.start(case, seeds)
    weights = [w.astype(np.float64) for w in start]
    momentum = [np.zeros_like(w) for w in weights]
    losses, first = np.zeros((len(seeds), updates)), None
    for step in range(updates):
        x, labels = stream.batch(case, seeds, step)
        for net in range(len(seeds)):
            losses[net, step], g = gradient(case, [w[net] for w in weights], x[net].astype(np.float64), labels[net])
            for k in range(3):
                momentum[k][net] = case.momentum * momentum[k][net] + g[k]
                weights[k][net] -= case.lr * momentum[k][net]
        if first is None:
            first = [m.copy() for m in momentum]
    return {"start": start, "gradient": first, "loss": losses}


def errors(reference, gradient, loss):
    """The largest relative error of a weight matrix' gradient, and the largest relative error along the loss curves."""
    off = lambda got, want: np.sqrt(((got - want) ** 2).sum((1, 2)) / (want**2).sum((1, 2))).max()
    worst = max(off(np.asarray(g, np.float64), want) for g, want in zip(gradient, reference["gradient"]))
    curve = np.abs(np.asarray(loss, np.float64) / reference["loss"] - 1).max()
    return float(worst), float(curve)
