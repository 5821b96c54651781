#!/usr/bin/env python3
"""Golden files: what one network does in its first updates, computed without the engine.

Written from the published formulas with JAX in double precision. Every gradient and every Jacobian comes from automatic
differentiation; the update rules are plain NumPy. Nothing here reads or calls the engine, so that an agreement of the
two is evidence for both.

    python generate.py           writes data/*.json beside this script
    python generate.py --check   checks the gradients by finite differences of a second, loop-only forward pass, and
                                 that the files on disk hold what this script computes

Needs jax and numpy. The sources of the formulas, as cited in the comments below:
  [1] Cornford et al. 2024, Brain-like learning with exponentiated gradients
  [2] Liu et al. 2024, How connectivity structure shapes rich and lazy learning in neural circuits
  [3] Pogodin et al. 2024, Synaptic weight distributions depend on the geometry of plasticity
  [4] Li et al. 2023, Learning better with Dale's law: a spectral perspective
  [5] Cornford et al. 2021, Learning to live with Dale's principle
"""

import argparse
import collections
import json
import math
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

DATE = "2026-11-23"  # fixed, so that writing the files again changes nothing
DATA = pathlib.Path(__file__).parent / "data"
ROLES = ("input", "recurrent", "readout", "bias")
LAYER = ("weights", "bias", "gain", "alpha")  # tensors of a feedforward layer
LAYER_ROLES = ("input", "readout", "bias", "gain", "alpha")
UPDATES = 5


# ---- specification, in the names of kernels.h ------------------------------------------------------------------------
def rule(geometry="euclidean", **changes):
    values = dict(
        geometry=geometry,
        projection="none",
        schedule="constant",
        nesterov=0,
        p=2.0,
        beta=1.0,
        lr=0.1,
        momentum=0.0,
        dampening=0.0,
        weight_decay=0.0,
        clip=0.0,
        warmup=0,
        cooldown=0,
        decay_every=0,
        decay_factor=1.0,
    )
    assert set(changes) <= set(values) | {"lr_min", "adam", "beta1", "beta2", "epsilon"}, changes
    return values | changes


def adamw(geometry="euclidean", **changes):
    """With the defaults of [1]."""
    usual = dict(adam=1, lr=1e-3, weight_decay=1e-2, beta1=0.9, beta2=0.999, epsilon=1e-8)
    return rule(geometry, **(usual | changes))


def fisher(ix_rows=0.5, ei_cols=1.0, alpha_rows=0.5, alpha_cols=1.0):
    return dict(ix_rows=ix_rows, ei_cols=ei_cols, alpha_rows=alpha_rows, alpha_cols=alpha_cols)


def case(name, about, rules, *, parameterisation="dense", activation="relu", alpha=1.0, layers=1, n=6, n_in=3, n_out=3,
         ni=0, batch=3, steps=6, bias=0, loss="cross_entropy", loss_steps="all", smoothing=0.0, targets="labels",
         clip_scope="global", clip=0.0, total_steps=100, zeros=False, expect=(), tangent=(), pairs=False, **extra):
    """`rules` is one rule for every role, or a dict with one per role. `bias`: parts of every bias; `pairs`: twice as
    many in recurrent layers. `expect`: events that must have happened at least once in the updates, or the case would
    not test what it says. `extra`: fisher, search."""
    if set(rules) != set(ROLES):
        rules = {role: rules for role in ROLES}
    signature = dict(core="recurrent", n_in=n_in, n_hidden=n, n_layers=layers, n_out=n_out, n_inhibitory=ni,
                     batch=batch, n_steps=steps, bias=bias, **(dict(bias_recurrent=2 * bias) if pairs else {}))
    net = dict(
        parameterisation=parameterisation,
        activation=activation,
        n_excitatory=n - 2 if parameterisation == "column_ei" else 0,
        alpha=alpha,
        task=dict(loss=loss, loss_steps=loss_steps, label_smoothing=smoothing),
        rule=rules,
        clip_scope=clip_scope,
        clip=clip,
        steps=total_steps,
        **extra,
    )
    return dict(name=name, about=about, signature=signature, net=net, targets=targets, zeros=zeros, expect=expect,
                tangent=tangent)


def cases():
    gd = rule(lr=0.1)
    momentum = rule(lr=0.1, momentum=0.9)
    clamp = rule(lr=0.3, projection="clamp")
    dale = dict(parameterisation="column_ei")
    dann = dict(parameterisation="dann", ni=2)
    return [
        # Activations, leak, bias, losses and counted steps.
        case("relu_cross_entropy_all", "the model of [2]: no bias, no leak, momentum", momentum, n=8, batch=4, steps=7),
        case("relu_leak_cross_entropy_last", "leak, bias, label smoothing on the last step", momentum, alpha=0.4,
             bias=1, loss_steps="last", smoothing=0.1),
        case("tanh_cross_entropy_masked", "label smoothing on masked steps", momentum, activation="tanh", bias=1,
             loss_steps="masked", smoothing=0.1, batch=4),
        case("linear_mse_all", "real targets on all steps", gd, activation="linear", alpha=0.4, loss="mse",
             targets="real", n_out=2),
        case("tanh_mse_last", "real targets on the last step, two layers", momentum, activation="tanh", layers=2, n=5,
             loss="mse", loss_steps="last", targets="real", n_out=2, bias=1),
        case("relu_mse_masked_labels", "one-hot targets on masked steps, two leaky layers", momentum, layers=2, n=5,
             alpha=0.4, loss="mse", loss_steps="masked"),
        case("softplus_bce_all", "real targets in [0, 1] on all steps", momentum, activation="softplus", bias=1,
             loss="bce", targets="real"),
        case("linear_bce_last_labels", "one-hot targets on the last step", gd, activation="linear", bias=1,
             loss="bce", loss_steps="last", n_out=2),
        case("softplus_leak_bce_masked", "two leaky layers, masked steps, dampened momentum",
             rule(lr=0.2, momentum=0.8, dampening=0.3), activation="softplus", alpha=0.4, layers=2, n=5, loss="bce",
             loss_steps="masked", targets="real"),
        # Geometries [1, 3].
        case("euclidean_nesterov_decay", "Nesterov momentum, dampening, weight decay",
             rule(lr=0.1, momentum=0.9, dampening=0.2, nesterov=1, weight_decay=0.05), bias=1),
        case("p_norm_1_5", "p = 1.5, weight decay, exact zeros",
             rule("p_norm", p=1.5, lr=0.05, momentum=0.9, weight_decay=0.02), activation="tanh", bias=1, zeros=True),
        case("p_norm_2", "p = 2 is gradient descent", rule("p_norm", p=2.0, lr=0.1, momentum=0.9), activation="tanh"),
        case("p_norm_3", "p = 3: signs flip, exact zeros move",
             rule("p_norm", p=3.0, lr=0.1, momentum=0.9, weight_decay=0.02), activation="tanh", bias=1, zeros=True,
             expect=("sign_flips",)),
        case("neg_entropy", "exponentiated gradient with decay, momentum and an active global clip; zeros stay",
             rule("neg_entropy", lr=1.5, momentum=0.925, weight_decay=0.01, clip=1e-3), bias=1, clip=0.2, zeros=True,
             expect=("clipped",)),
        case("unsigned_eg", "unsigned exponentiated gradient with decay and Nesterov momentum; zeros stay",
             rule("unsigned_eg", lr=0.8, momentum=0.9, nesterov=1, weight_decay=0.01), bias=1, zeros=True),
        case("hypentropy", "beta = .1, decay, two layers",
             rule("hypentropy", beta=0.1, lr=0.3, momentum=0.9, weight_decay=0.02), layers=2, n=5, bias=1, zeros=True),
        # Parameterisations [4, 5], with the projections that keep magnitudes non-negative.
        case("column_ei_clamp", "clamped magnitudes, one clip per tensor", clamp | dict(clip=0.3), bias=1,
             clip_scope="tensor", expect=("clipped", "projected"), **dale),
        case("column_ei_two_layers", "exponentiated magnitudes, leak, global clip",
             rule("neg_entropy", lr=0.5, momentum=0.9), layers=2, alpha=0.4, clip=0.05, expect=("clipped",), **dale),
        case("column_ei_frozen_sign", "frozen signs of magnitudes, two layers, clamped bias",
             dict.fromkeys(ROLES, rule(lr=0.4, projection="frozen_sign")) | dict(bias=clamp), layers=2, n=5,
             bias=1, activation="softplus", expect=("projected",), **dale),
        case("dann_clamp", "Fisher corrections before an active global clip", clamp, bias=1, clip=0.3,
             expect=("clipped", "projected"), **dann),
        case("dann_two_layers", "Fisher corrections with layers of different input width, one clip per tensor",
             clamp | dict(lr=0.5, clip=0.03), layers=2, n=5, alpha=0.4, bias=1, clip_scope="tensor", n_out=2,
             expect=("clipped", "projected"), **dann),
        case("dann_neg_entropy", "Fisher corrections, exponentiated gradient, momentum",
             rule("neg_entropy", lr=0.05, momentum=0.9), activation="softplus", alpha=0.4, loss="mse", targets="real",
             n_out=2, **dann),
        case("dann_tanh_three_layers", "a layer between two others", rule(lr=0.3, momentum=0.5), activation="tanh",
             layers=3, n=5, batch=3, steps=5, bias=1, **dann),
        # Projections of signed weights.
        case("frozen_sign", "signs at the start of every step are kept; zeros stay",
             rule(lr=0.8, momentum=0.5, projection="frozen_sign"), bias=1, zeros=True, expect=("projected",)),
        case("csgd", "sign-constrained gradient descent; zeros are free", rule(lr=0.8, momentum=0.5, projection="csgd"),
             bias=1, zeros=True, expect=("projected",)),
        # Schedules.
        case("warmup_cosine", "the first update has rate 0", rule(lr=0.3, momentum=0.9, schedule="cosine", warmup=2),
             total_steps=7, bias=1),
        case("cooldown", "linear cool-down that starts within the updates", rule(lr=0.3, momentum=0.9, cooldown=4),
             total_steps=6),
        case("step_decay", "step decay together with warm-up and cool-down",
             rule(lr=0.5, schedule="step_decay", decay_every=2, decay_factor=0.5, warmup=3, cooldown=2), total_steps=6,
             bias=1),
        # Every role its own rule; some tensors clipped, others not.
        case("roles", "four geometries, schedules, momenta and clips in one network",
             dict(
                 input=rule("neg_entropy", lr=1.2, momentum=0.9, weight_decay=0.01, clip=0.05, warmup=1),
                 recurrent=rule("p_norm", p=3.0, lr=0.05, momentum=0.5, nesterov=1, schedule="cosine", clip=1e3),
                 readout=rule(lr=0.3, momentum=0.9, dampening=0.1, projection="csgd", clip=0.1, schedule="step_decay",
                              decay_every=3, decay_factor=0.1),
                 bias=rule("hypentropy", beta=0.1, lr=0.2, weight_decay=0.05, cooldown=6),
             ), layers=2, n=5, bias=1, alpha=0.4, clip_scope="tensor", total_steps=8, clip=1e-3, expect=("clipped",)),
        # Tangent kernels [2].
        case("tangent_kernel", "recurrent tangent kernel, no leak", momentum, n=5, steps=5, n_out=2, tangent=(1,)),
        case("tangent_kernel_leak", "recurrent tangent kernel, leak", momentum, n=5, steps=5, n_out=2, alpha=0.4,
             tangent=(1,)),
        case("tangent_kernel_layers", "tangent kernels of all weight tensors of two leaky layers of signed columns",
             rule("neg_entropy", lr=1.0), activation="tanh", layers=2, n=5, batch=2, steps=4, n_out=2, alpha=0.4,
             bias=1, tangent=(0, 1, 3, 4, 6), **dale),
        # Corrections, clip per cell and rates of [4, 5].
        case("dann_cell_clip", "Fisher corrections, then one clip for each layer's cell and one for the readout",
             clamp, layers=2, n=5, bias=1, clip=0.5, clip_scope="cell", expect=("clipped", "unclipped", "projected"),
             **dann),
        case("dann_uncorrected", "no corrections, one clip per tensor", clamp | dict(clip=0.1), bias=1,
             clip_scope="tensor", expect=("clipped", "projected"), fisher=fisher(0.0, 0.0, 0.0, 0.0), **dann),
        case("dann_exponents", "corrections with other exponents, clip per cell, momentum",
             rule(lr=0.1, momentum=0.9, projection="clamp"), layers=2, n=5, n_out=2, clip=0.1, clip_scope="cell",
             expect=("clipped",), fisher=fisher(0.25, 0.75, 0.0, 0.0), **dann),
        case("column_ei_cell_clip", "clip per cell", clamp, layers=2, n=5, bias=1, clip=0.5, clip_scope="cell",
             expect=("clipped", "unclipped", "projected"), **dale),
        case("dann_rate_search", "the rate is the first of 7 that keeps the norm of the magnitudes; clip per cell",
             rule(lr=2.0, lr_min=0.2, projection="clamp"), bias=1, clip=0.3, clip_scope="cell",
             expect=("clipped", "projected", "rate_first", "rate_between"),
             search=dict(candidates=7, tolerance=0.0005), **dann),
        case("column_ei_rate_search", "no tolerance, so often the lowest rate; rates and schedules of their own",
             dict(
                 input=rule(lr=0.8, lr_min=0.05, projection="clamp"),
                 recurrent=rule(lr=0.4, lr_min=0.02, projection="clamp", schedule="cosine"),
                 readout=rule(lr=0.8, lr_min=0.05, projection="clamp"),
                 bias=rule(lr=1.0, lr_min=0.5),
             ), layers=2, n=5, bias=1, clip_scope="tensor", total_steps=8, search=dict(candidates=5, tolerance=0.0),
             expect=("projected", "rate_last", "rate_between"), **dale),
        # Biases of several parts, added: positive and negative, of inputs and layer [1].
        case("split_biases", "exponentiated gradient of biases of two parts, four in the leaky layers",
             rule("neg_entropy", lr=1.0, momentum=0.9, weight_decay=0.01), bias=2, pairs=True, layers=2, n=5, alpha=0.4,
             activation="tanh"),
        # AdamW in geometries [1].
        case("adamw_neg_entropy", "AdamW-EG with its defaults and an active global clip; zeros stay",
             adamw("neg_entropy"), bias=1, clip=0.2, zeros=True, expect=("clipped",)),
        case("adamw_euclidean", "AdamW with its defaults; zeros move", adamw(), activation="tanh", bias=1, zeros=True),
        case("adamw_large_steps", "other rates, moments and decays, warm-up and cosine, magnitudes of signed columns",
             adamw("neg_entropy", lr=0.1, weight_decay=0.5, beta1=0.8, beta2=0.9, epsilon=1e-2, warmup=1,
                   schedule="cosine"), activation="softplus", alpha=0.4, total_steps=8, bias=1, **dale),
        case("adamw_roles", "Adam in three geometries and momentum in a fourth, one clip per tensor",
             dict(
                 input=adamw("p_norm", p=3.0, lr=0.01, clip=0.05),
                 recurrent=adamw("neg_entropy", lr=0.05, projection="frozen_sign"),
                 readout=rule("neg_entropy", lr=0.3, momentum=0.9, weight_decay=0.01),
                 bias=adamw("hypentropy", beta=0.1, lr=0.02, weight_decay=0.0),
             ), layers=2, n=5, bias=1, activation="tanh", clip_scope="tensor", expect=("clipped",)),
    ]


def layered(name, about, cell, rules, *, widths=(6, 3), n_in=4, n_out=3, batch=5, steps=1, bias=1, ni=0, ni_readout=0,
            norm="standard", normalised_readout=0, loss="cross_entropy", loss_steps="all", smoothing=0.0,
            activation="relu", targets="labels", clip_scope="global", clip=0.0, total_steps=100, expect=(), **extra):
    """A feedforward network of cells; `norm`: form of its norms. `extra`: fisher, search, natural."""
    if set(rules) != set(LAYER_ROLES):
        rules = {role: rules for role in LAYER_ROLES}
    signature = dict(core="feedforward", cell=cell, n_in=n_in, n_hidden=max(widths, default=1), n_layers=len(widths),
                     widths=list(widths), n_out=n_out, n_inhibitory=ni, n_inhibitory_readout=ni_readout,
                     normalised_readout=normalised_readout, batch=batch, n_steps=steps, bias=bias)
    dale = "column_ei" if cell == "column_ei" else "dann" if cell.startswith("dann") else "dense"
    net = dict(parameterisation=dale, norm=norm, activation=activation,
               n_excitatory=max(widths, default=1) * 2 // 3 if dale == "column_ei" else 0,
               task=dict(loss=loss, loss_steps=loss_steps, label_smoothing=smoothing), rule=rules,
               clip_scope=clip_scope, clip=clip, steps=total_steps, **extra)
    return dict(name=name, about=about, signature=signature, net=net, targets=targets, zeros=False, expect=expect,
                tangent=())


def layered_cases():
    def rules(lr, projection="none", **changes):
        free = rule(lr=lr, **changes)
        kept = free | dict(projection=projection)
        return dict(input=kept, readout=kept, gain=kept, bias=free, alpha=free)

    dann = dict(ni=4, ni_readout=1)
    return [
        layered("dense", "multilayer perceptron", "dense", rules(0.2)),
        layered("dense_no_hidden", "linear classifier, several steps", "dense", rules(0.2), widths=(), steps=3),
        layered("dann", "divisive and subtractive inhibition [5], corrections, clamp", "dann", rules(1.5, "clamp"),
                expect=("projected",), **dann),
        layered("dann_uncorrected", "no corrections, a smaller rate, clip per cell", "dann", rules(0.02, "clamp"),
                fisher=fisher(0.0, 0.0, 0.0, 0.0), clip=1.0, clip_scope="cell", expect=("clipped",), **dann),
        layered("dann_exponents", "other exponents, momentum, no biases, steps of which the last counts", "dann",
                rules(0.1, "clamp", momentum=0.9), bias=0, steps=3, loss_steps="last",
                fisher=fisher(0.25, 0.5, 1.0, 0.75), **dann),
        layered("dann_subtractive", "subtractive inhibition [5], clip per tensor", "dann_subtractive",
                rules(0.3, "clamp", clip=0.2), clip_scope="tensor", expect=("clipped", "projected"), **dann),
        layered("dann_natural", "diagonal natural gradient [5], one interneuron, sampled labels", "dann",
                rules(0.5, "clamp"), ni=1, ni_readout=1, fisher=fisher(0.0, 0.0, 0.0, 0.0),
                natural=dict(decay=0.2, scale=2.5e-5)),
        layered("column_ei", "signed columns, positive first layer, clip per cell", "column_ei", rules(0.3, "clamp"),
                clip=0.4, clip_scope="cell", expect=("clipped", "projected")),
        layered("layer_norm", "textbook form", "layer_norm", rules(0.2)),
        layered("layer_norm_published", "the form of [5]'s code, of outputs too", "layer_norm", rules(0.2),
                norm="published", normalised_readout=1),
        layered("batch_norm", "textbook form, of outputs too", "batch_norm", rules(0.2), normalised_readout=1, batch=7),
        layered("batch_norm_published", "the form of [5]'s code", "batch_norm", rules(0.2), norm="published", batch=7),
        layered("batch_norm_steps", "statistics over all positions that count, squared errors, tanh", "batch_norm",
                rules(0.05), steps=2, loss="mse", targets="real", activation="tanh"),
        layered("split_biases", "two parts of a bias, exponentiated gradient", "dense",
                rules(0.5, geometry="neg_entropy"), bias=2),
        layered("split_biases_published", "two parts of a bias inside and outside of the norm", "layer_norm",
                rules(0.2), bias=2, norm="published", normalised_readout=1),
    ]


# ---- layout of the parameters, as stated by tensor() in kernels.h ----------------------------------------------------
def tensors(s):
    """One dict per tensor: role, layer, and its parts as (name, shape, offset)."""
    if s["core"] == "feedforward":
        return layered_tensors(s)
    result, offset = [], 0
    for layer in range(s["n_layers"] + 1):
        readout = layer == s["n_layers"]
        width = s["n_in"] if layer == 0 else s["n_hidden"]
        rows = s["n_out"] if readout else s["n_hidden"]
        shapes = [("readout", s["n_hidden"])] if readout else [("input", width), ("recurrent", s["n_hidden"])]
        parts = s["bias"] if readout else s.get("bias_recurrent", s["bias"])
        for role, cols in shapes + [("bias", parts or 1)]:
            ni = 0 if role == "bias" else s["n_inhibitory"]
            height = rows if role != "bias" or s["bias"] else 0
            parts = []
            for part, shape in (("main", (height, cols)), ("ei", (height, ni)), ("ix", (ni, cols))):
                parts.append((part, shape, offset))
                offset += shape[0] * shape[1]
            result.append(dict(role=role, layer=layer, parts=parts, end=offset))
    return result


def interneurons(s, layer):
    """Layers narrower than n_hidden have fewer, in proportion."""
    if layer == s["n_layers"]:
        return s["n_inhibitory_readout"] or s["n_inhibitory"]
    return max(s["n_inhibitory"] * s["widths"][layer] // s["n_hidden"], 1) if s["n_inhibitory"] else 0


def layered_tensors(s):
    sizes, result, offset = [s["n_in"], *s["widths"], s["n_out"]], [], 0
    for layer in range(s["n_layers"] + 1):
        readout = layer == s["n_layers"]
        rows, cols, ni = sizes[layer + 1], sizes[layer], interneurons(s, layer)
        divides = s["cell"] == "dann"
        norm = s["cell"] in ("layer_norm", "batch_norm") and (not readout or s["normalised_readout"])
        for role, shapes in (
            ("readout" if readout else "input", ((rows, cols), (rows, ni), (ni, cols))),
            ("bias", ((rows if s["bias"] else 0, s["bias"] or 1), (0, 0), (0, 0))),
            ("gain", ((rows if norm or divides else 0, 1), (0, 0), (0, 0))),
            ("alpha", ((ni if divides else 0, 1), (0, 0), (0, 0))),
        ):
            parts = []
            for part, shape in zip(("main", "ei", "ix"), shapes):
                parts.append((part, shape, offset))
                offset += shape[0] * shape[1]
            result.append(dict(role=role, layer=layer, parts=parts, end=offset))
    return result


def split(s, theta):
    """theta as [{"main": matrix, "ei": matrix, "ix": matrix}], one entry per tensor."""
    return [{part: theta[at : at + shape[0] * shape[1]].reshape(shape) for part, shape, at in t["parts"]}
            for t in tensors(s)]


def join(parts):
    return np.concatenate([np.ravel(t[part]) for t in parts for part in ("main", "ei", "ix")])


# ---- model and loss in JAX -------------------------------------------------------------------------------------------
ACTIVATION = dict(relu=jax.nn.relu, tanh=jnp.tanh, linear=lambda x: x, softplus=lambda x: jnp.logaddexp(x, 0.0))


def effective(s, net, parts):
    """The matrices that the recurrence sees [4, 5]: signed columns, or excitation minus inhibition through the ix
    units. The parts of a bias are added [1]."""
    weights = []
    for tensor, p in zip(tensors(s), parts):
        w = p["main"]
        if tensor["role"] == "bias":
            w = w.sum(1, keepdims=True)
        else:
            if net["parameterisation"] == "dann":
                w = w - p["ei"] @ p["ix"]
            elif net["parameterisation"] == "column_ei" and not (tensor["role"] == "input" and tensor["layer"] == 0):
                w = w * jnp.where(jnp.arange(w.shape[1]) < net["n_excitatory"], 1.0, -1.0)
        weights.append(w)
    return weights


def logits(s, net, weights, x):
    """y[t][b][o] of h_t = f((1-a) h_{t-1} + a (W h_{t-1} + U x_t + b)), y_t = V h_t + c."""
    f, a = ACTIVATION[net["activation"]], net["alpha"]
    sequence = x
    for layer in range(s["n_layers"]):
        u, w, b = weights[3 * layer : 3 * layer + 3]
        drive = sequence @ u.T + (b[:, 0] if s["bias"] else 0.0)
        h, states = jnp.zeros((x.shape[1], s["n_hidden"])), []
        for t in range(x.shape[0]):
            h = f((1 - a) * h + a * (h @ w.T + drive[t]))
            states.append(h)
        sequence = jnp.stack(states)
    v, c = weights[-2:]
    return sequence @ v.T + (c[:, 0] if s["bias"] else 0.0)


def layered_logits(s, net, theta, x):
    """y[t][b][o] of a feedforward network of cells [5]. Statistics of a batch are those of the positions that count."""
    f, parts = ACTIVATION[net["activation"]], split(s, theta)
    h = x
    for layer in range(s["n_layers"] + 1):
        weights, bias, gain, alpha = parts[4 * layer : 4 * layer + 4]
        readout, w = layer == s["n_layers"], weights["main"]
        b = bias["main"].sum(1) if s["bias"] else 0.0
        if s["cell"] == "column_ei" and layer > 0:
            excitatory = w.shape[1] * net["n_excitatory"] // s["n_hidden"]
            w = w * jnp.where(jnp.arange(w.shape[1]) < excitatory, 1.0, -1.0)
        if s["cell"].startswith("dann"):
            zi = h @ weights["ix"].T
            z = h @ w.T - zi @ weights["ei"].T
            if s["cell"] == "dann":
                gamma = zi @ (weights["ei"] * jnp.exp(alpha["main"][:, 0])).T + 1e-8
                z = gain["main"][:, 0] / gamma * z
            z = z + b
        elif gain["main"].size:
            u, published = h @ w.T, net["norm"] == "published"
            u = u + b if published else u
            axes = -1 if s["cell"] == "layer_norm" else (0, 1)
            mean = jnp.mean(u, axes, keepdims=True)
            if published:
                sd = jnp.std(u, axes, keepdims=True, ddof=1)
            else:
                sd = jnp.sqrt(jnp.var(u, axes, keepdims=True) + 1e-5)
            z = gain["main"][:, 0] * (u - mean) / sd + b
        else:
            z = h @ w.T + b
        h = z if readout else f(z)
    return h


def loss_of_logits(s, net, y, labels, targets, counted):
    task, c = net["task"], s["n_out"]
    wanted = jnp.eye(c)[labels] if targets is None else targets
    if task["loss"] == "cross_entropy":
        e = task["label_smoothing"]
        each = -jnp.sum(((1 - e) * wanted + e / c) * jax.nn.log_softmax(y), -1)
    elif task["loss"] == "mse":
        each = jnp.sum((y - wanted) ** 2, -1)
    else:
        each = -jnp.sum(wanted * jax.nn.log_sigmoid(y) + (1 - wanted) * jax.nn.log_sigmoid(-y), -1)
    return jnp.sum(counted * each) / jnp.sum(counted)


def loss_function(s, net, data):
    def loss(theta):
        if s["core"] == "feedforward":
            y = layered_logits(s, net, theta, data["x"])
            return loss_of_logits(s, net, y, data.get("labels"), data.get("targets"), data["weights"])
        y = logits(s, net, effective(s, net, split(s, theta)), data["x"])
        return loss_of_logits(s, net, y, data.get("labels"), data.get("targets"), data["weights"])

    return jax.jit(jax.value_and_grad(loss))


def tangent_kernel(s, net, theta, x, k):
    """K = J J^T, J = d y_t[b, o] / d (effective weights of tensor k); rows in the order (b, t, o)."""
    weights = effective(s, net, split(s, theta))

    def rows(w):
        return jnp.transpose(logits(s, net, weights[:k] + [w] + weights[k + 1 :], x), (1, 0, 2)).ravel()

    j = jax.jacobian(rows)(weights[k]).reshape(-1, weights[k].size)
    return np.asarray(j @ j.T)


# ---- update rules ----------------------------------------------------------------------------------------------------
def rate(r, k, steps):
    """Learning rate of update k = 0, 1, ...: warm-up from 0, cool-down to 0, times the schedule."""
    factor = 1.0
    if k < r["warmup"]:
        factor *= k / r["warmup"]
    if k >= steps - r["cooldown"]:
        factor *= (steps - k) / r["cooldown"]
    if r["schedule"] == "cosine":
        factor *= 0.5 * (1 + math.cos(math.pi * k / steps))
    elif r["schedule"] == "step_decay":
        factor *= r["decay_factor"] ** (k // r["decay_every"])
    return r["lr"] * factor


def fisher_corrections(s, net, gradient):
    """[5]: rescales the gradients of the inhibitory parts of a DANN; exponents of the published form unless given."""
    e = net.get("fisher", fisher())
    for tensor, g in zip(tensors(s), gradient):
        if g["ix"].size:
            ne, d = g["main"].shape
            sizes = ne, d
            g["ix"], g["ei"] = g["ix"] * (1 / ne ** e["ix_rows"]), g["ei"] * (1 / d ** e["ei_cols"])
        if tensor["role"] == "alpha" and g["main"].size:  # follows the weights of its layer
            g["main"] = g["main"] * (1 / sizes[0] ** e["alpha_rows"] / sizes[1] ** e["alpha_cols"])


def norm(arrays):
    return math.sqrt(sum(float(np.sum(a * a)) for a in arrays))


def clip(s, net, gradient, events):
    def scale(group, limit):
        size = norm([a for g in group for a in g.values()])
        if limit > 0:
            events["clipped" if size > limit else "unclipped"] += 1
        if limit > 0 and size > limit:
            for g in group:
                for part in g:
                    g[part] = g[part] * (limit / size)

    if net["clip_scope"] == "global":
        scale(gradient, net["clip"])
    elif net["clip_scope"] == "cell":
        for layer in range(s["n_layers"] + 1):
            scale([g for tensor, g in zip(tensors(s), gradient) if tensor["layer"] == layer], net["clip"])
    else:
        for tensor, g in zip(tensors(s), gradient):
            scale([g], net["rule"][tensor["role"]]["clip"])


def rates(s, net, k, weights, gradient, events):
    """Learning rate of every tensor: the schedule's, or the first of [5]'s candidates that leaves of the magnitudes
    at least 1 - tolerance of their norm non-negative."""
    rules = [net["rule"][tensor["role"]] for tensor in tensors(s)]
    if "search" not in net:
        return [rate(r, k, net["steps"]) for r in rules]
    n = net["search"]["candidates"]
    for i in range(n):
        tried = [rate(r | dict(lr=np.linspace(r["lr"], r["lr_min"], n)[i]), k, net["steps"]) for r in rules]
        moved = [w[part] - lr * g[part]
                 for tensor, r, lr, w, g in zip(tensors(s), rules, tried, weights, gradient) for part in w
                 if r["projection"] == "clamp" and tensor["role"] not in ("bias", "alpha")]
        if norm([np.maximum(m, 0.0) for m in moved]) >= (1 - net["search"]["tolerance"]) * norm(moved):
            break
    events["rate_first" if i == 0 else "rate_last" if i == n - 1 else "rate_between"] += 1
    return tried


def adam_step(r, k, w, g, lr, moments):
    """Decoupled decay, then a mirror step along the ratio of the unbiased moments [1]; for exponentiated gradient
    w exp(-(lr / c1) sign(w) m / (sqrt(v / c2) + epsilon))."""
    m, v = (0.0, 0.0) if moments is None else moments
    m = r["beta1"] * m + (1 - r["beta1"]) * g
    v = r["beta2"] * v + (1 - r["beta2"]) * g**2
    c1, c2 = 1 - r["beta1"] ** (k + 1), 1 - r["beta2"] ** (k + 1)
    w = w * (1 - lr * r["weight_decay"])
    if r["geometry"] == "neg_entropy":
        return w * np.exp(-(lr / c1) * np.sign(w) * m / (np.sqrt(v / c2) + r["epsilon"])), (m, v)
    return mirror(r, w, lr, m / c1 / (np.sqrt(v / c2) + r["epsilon"])), (m, v)


def decayed(r, w, g):
    wd, sign = r["weight_decay"], np.sign(w)
    if r["geometry"] == "neg_entropy":
        return g + wd * sign
    if r["geometry"] == "unsigned_eg":
        return g + wd * np.abs(sign)
    return g + wd * w


def mirror(r, w, lr, d):
    """grad phi(w_new) = grad phi(w) - lr d; the two exponentiated forms in closed form."""
    if r["geometry"] == "neg_entropy":
        return w * np.exp(-lr * np.sign(w) * d)
    if r["geometry"] == "unsigned_eg":
        return w * np.exp(-lr * d)
    if r["geometry"] == "p_norm":
        y = np.sign(w) * np.abs(w) ** (r["p"] - 1) - lr * d
        return np.sign(y) * np.abs(y) ** (1 / (r["p"] - 1))
    if r["geometry"] == "hypentropy":
        return r["beta"] * np.sinh(np.arcsinh(w / r["beta"]) - lr * d)
    return w - lr * d


def projected(r, before, w):
    sign = np.sign(before)
    if r["projection"] == "clamp":
        return np.maximum(w, 0.0)
    if r["projection"] == "frozen_sign":
        return sign * np.maximum(sign * w, 1e-9)
    if r["projection"] == "csgd":
        return np.where(sign * w < 0, 1e-18 * sign, w)
    return w


def update(s, net, k, theta, gradient, momentum, events):
    """Update k: new parameters and momentum buffers (None before the first update)."""
    weights, gradient = split(s, theta), [dict(g) for g in split(s, gradient)]
    if net["parameterisation"] == "dann":
        fisher_corrections(s, net, gradient)
    clip(s, net, gradient, events)
    buffers, lrs = [], rates(s, net, k, weights, gradient, events)
    for i, tensor in enumerate(tensors(s)):
        r, buffer = net["rule"][tensor["role"]], {}
        for part, w in weights[i].items():
            held = None if momentum is None else momentum[i][part]
            if r.get("adam"):
                new, buffer[part] = adam_step(r, k, w, gradient[i][part], lrs[i], held)
            else:
                d = decayed(r, w, gradient[i][part])
                b = d if held is None else r["momentum"] * held + (1 - r["dampening"]) * d
                buffer[part] = b
                new = mirror(r, w, lrs[i], d + r["momentum"] * b if r["nesterov"] else b)
            kept = projected(r, w, new)
            events["projected"] += int(np.sum(kept != new))
            events["sign_flips"] += int(np.sum(np.sign(kept) * np.sign(w) < 0))
            weights[i][part] = kept
        buffers.append(buffer)
    return join(weights), buffers


def natural_update(s, net, k, theta, gradient, sampled_gradient, fisher_diagonal, events):
    """[5], baseline: gradient descent preconditioned by a running diagonal of the Fisher information."""
    n, counted = net["natural"], s["batch"] * (1 if net["task"]["loss_steps"] == "last" else s["n_steps"])
    estimate = n["scale"] * (counted * sampled_gradient) ** 2
    diagonal = estimate if k == 0 else (1 - n["decay"]) * fisher_diagonal + n["decay"] * estimate
    weights, g, p = split(s, theta), split(s, gradient), split(s, 1 / (diagonal + 1e-8))
    for i, tensor in enumerate(tensors(s)):
        size = norm([p[len(LAYER) * tensor["layer"]]["main"]])
        r = net["rule"][tensor["role"]]
        for part, w in weights[i].items():
            new = w - rate(r, k, net["steps"]) * g[i][part] * p[i][part] / size
            weights[i][part] = projected(r, w, new)
            events["projected"] += int(np.sum(weights[i][part] != new))
    return join(weights), diagonal


# ---- starts and batches ----------------------------------------------------------------------------------------------
def start(s, net, zeros, rng):
    """Any start would do: these keep activity and gradients of order one."""
    parts = split(s, np.zeros(tensors(s)[-1]["end"]))
    for tensor, p in zip(tensors(s), parts):
        for part, w in p.items():
            fan = max(w.shape[1], 1)
            if tensor["role"] == "gain":
                w[:] = rng.uniform(0.5, 1.5, w.shape)
            elif tensor["role"] == "bias" and net["parameterisation"] == "dann" and s["core"] == "feedforward":
                w[:] = rng.uniform(0.2, 0.8, w.shape)  # and little inhibition: no layer falls silent
            elif part == "ix" and s["core"] == "feedforward":
                w[:] = rng.exponential(0.4 / math.sqrt(fan), w.shape)
            elif tensor["role"] in ("bias", "alpha"):
                w[:] = rng.normal(0.0, 0.3, w.shape)
            elif net["parameterisation"] == "dense":
                w[:] = rng.normal(0.0, 1 / math.sqrt(fan), w.shape)
            elif part == "ei":
                w[:] = rng.exponential(1.0, w.shape)
                w /= w.sum(1, keepdims=True)
            else:
                w[:] = rng.exponential(0.8 / math.sqrt(fan), w.shape)
        if zeros and tensor["role"] != "bias":  # a zero bias could put a unit exactly on the kink of relu
            p["main"][0, 0] = 0.0
            p["main"][-1, -1] = 0.0
    return join(parts)


def batch(s, net, targets, rng):
    steps, b, o = s["n_steps"], s["batch"], s["n_out"]
    data = dict(x=rng.normal(0.0, 1.0, (steps, b, s["n_in"])))
    if s["core"] == "feedforward":
        data["x"] = np.abs(data["x"])  # as pixels are; divisive inhibition wants it
    if targets == "labels":
        data["labels"] = rng.integers(0, o, (steps, b))
    elif net["task"]["loss"] == "bce":
        data["targets"] = rng.uniform(0.0, 1.0, (steps, b, o))
    else:
        data["targets"] = rng.normal(0.0, 1.0, (steps, b, o))
    if net["task"]["loss_steps"] == "all":
        weights = np.ones((steps, b))
    elif net["task"]["loss_steps"] == "last":
        weights = np.zeros((steps, b))
        weights[-1] = 1.0
    else:
        weights = (rng.uniform(size=(steps, b)) < 0.5).astype(float)
        weights[1, 0], weights[-1, 0] = 1.0, 0.0
    data["weights"] = weights
    return data


def golden(c, seed):
    s, net, rng = c["signature"], c["net"], np.random.default_rng(seed)
    theta, data = start(s, net, c["zeros"], rng), batch(s, net, c["targets"], rng)
    value_and_gradient = loss_function(s, net, data)
    value, gradient = value_and_gradient(theta)
    first = dict(theta=theta, loss=float(value), gradient=np.asarray(gradient), gradient_norm=norm([gradient]))
    if net["parameterisation"] == "dann":
        corrected = [dict(g) for g in split(s, np.asarray(gradient))]
        fisher_corrections(s, net, corrected)
        first["corrected_gradient"] = join(corrected)
    sampled = None
    if "natural" in net:
        sampled = rng.integers(0, s["n_out"], (UPDATES, s["n_steps"], s["batch"]))
        data["sampled_labels"] = sampled
    events, momentum, updates = collections.Counter(clipped=0, projected=0, sign_flips=0), None, []
    for k in range(UPDATES):
        if "natural" in net:
            _, of_sampled = loss_function(s, net, data | dict(labels=sampled[k]))(theta)
            theta, momentum = natural_update(s, net, k, theta, np.asarray(gradient), np.asarray(of_sampled), momentum,
                                             events)
        else:
            theta, momentum = update(s, net, k, theta, np.asarray(gradient), momentum, events)
        value, gradient = value_and_gradient(theta)
        updates.append(dict(loss=float(value), theta=theta))
    assert all(events[e] for e in c["expect"]), (c["name"], events)
    assert np.count_nonzero(first["gradient"]) > 0.5 * first["gradient"].size, c["name"]
    assert np.isfinite(theta).all() and np.isfinite(value), c["name"]
    kernels = [dict(tensor=k, start=tangent_kernel(s, net, first["theta"], data["x"], k),
                    now=tangent_kernel(s, net, theta, data["x"], k)) for k in c["tangent"]]
    return dict(
        name=c["name"],
        about=c["about"],
        provenance=dict(script="tests/golden/generate.py", jax=jax.__version__, numpy=np.__version__, date=DATE,
                        seed=seed),
        signature=s,
        net=net,
        events={e: n for e, n in events.items() if e != "unclipped"},
        **data,
        **first,
        updates=updates,
        **(dict(tangent_kernels=kernels) if kernels else {}),
    )


# ---- files -----------------------------------------------------------------------------------------------------------
def text(value, indent=""):
    """JSON with every number at 17 significant digits and one line per innermost array or record."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        inner = indent + " "
        entries = (f"{inner}{json.dumps(k)}: {text(v, inner)}" for k, v in value.items())
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, (list, tuple)):
        if any(isinstance(v, (list, tuple, dict, np.ndarray)) for v in value):
            inner = indent + " "
            return "[\n" + ",\n".join(inner + text(v, inner) for v in value) + f"\n{indent}]"
        return "[" + ", ".join(text(v) for v in value) + "]"
    if isinstance(value, float):
        return f"{value + 0.0:.17g}"
    return json.dumps(value)


def all_cases():
    """With seeds that more cases of one core leave to those of the other."""
    return [*enumerate(cases(), 1), *enumerate(layered_cases(), 1001)]


def file_of(c):
    folder = DATA / "feedforward" if c["signature"]["core"] == "feedforward" else DATA
    return folder / f"{c['name']}.json"


def write():
    total, names = 0, set()
    for seed, c in all_cases():
        file = file_of(c)
        file.parent.mkdir(parents=True, exist_ok=True)
        result = golden(c, seed)
        file.write_text(text(result) + "\n")
        size = file.stat().st_size
        assert size < 200_000, (c["name"], size)
        total += size
        names.add(file)
        print(f"{c['name']:32} {size:7} B  loss {result['loss']:.4f} -> {result['updates'][-1]['loss']:.4f}"
              f"  |g| {result['gradient_norm']:.3f}  {result['events']}")
    assert total < 1_500_000, total
    for file in DATA.rglob("*.json"):
        if file not in names:
            file.unlink()
    print(f"{len(names)} files, {total} bytes")


# ---- self-check ------------------------------------------------------------------------------------------------------
def plain_loss(s, net, theta, data):
    """The same loss once more, unit by unit and without JAX or any function above but the layout."""
    act = dict(relu=lambda z: max(z, 0.0), tanh=math.tanh, linear=lambda z: z,
               softplus=lambda z: math.log1p(math.exp(z)))
    if s["core"] == "feedforward":
        return plain_mean(s, net, data, plain_layers(s, net, act[net["activation"]], theta, data))
    f, a, n = act[net["activation"]], net["alpha"], s["n_hidden"]
    matrices = []
    for t in tensors(s):
        (_, (rows, cols), at), (_, (_, ni), ei), (_, _, ix) = t["parts"]
        m = [[float(theta[at + i * cols + j]) for j in range(cols)] for i in range(rows)]
        for i in range(rows):
            for j in range(cols):
                for q in range(ni):
                    m[i][j] -= float(theta[ei + i * ni + q] * theta[ix + q * cols + j])
                hidden_source = t["role"] in ("recurrent", "readout") or (t["role"] == "input" and t["layer"] > 0)
                if net["parameterisation"] == "column_ei" and hidden_source and j >= net["n_excitatory"]:
                    m[i][j] = -m[i][j]
        matrices.append(m)

    def dot(row, vector):
        return sum(p * q for p, q in zip(row, vector))

    y = [[None] * s["batch"] for _ in range(s["n_steps"])]
    for b in range(s["batch"]):
        h = [[0.0] * n for _ in range(s["n_layers"])]
        for t in range(s["n_steps"]):
            below = data["x"][t][b]
            for layer in range(s["n_layers"]):
                u, w, bias = matrices[3 * layer : 3 * layer + 3]
                h[layer] = [f((1 - a) * h[layer][i] + a * (dot(w[i], h[layer]) + dot(u[i], below)
                                                          + (sum(bias[i]) if bias else 0.0))) for i in range(n)]
                below = h[layer]
            v, c = matrices[-2:]
            y[t][b] = [dot(v[o], below) + (sum(c[o]) if c else 0.0) for o in range(s["n_out"])]
    return plain_mean(s, net, data, y)


def plain_layers(s, net, f, theta, data):
    """Logits [t][b][o] of a feedforward network, unit by unit."""
    def number(layer, part, i, j):  # of tensor `part` of a layer, and of its parts "ei", "ix"
        name = part if part in ("ei", "ix") else "main"
        tensor = tensors(s)[4 * layer + (0 if name != "main" else LAYER.index(part))]
        _, (rows, cols), at = next(p for p in tensor["parts"] if p[0] == name)
        return float(theta[at + i * cols + j]) if rows else None

    positions = [(t, b) for t in range(s["n_steps"]) for b in range(s["batch"])]
    h = {p: list(data["x"][p[0]][p[1]]) for p in positions}
    for layer in range(s["n_layers"] + 1):
        rows, d = next(shape for name, shape, _ in tensors(s)[4 * layer]["parts"] if name == "main")
        ni, gain = interneurons(s, layer), number(layer, "gain", 0, 0) is not None
        excitatory = d if layer == 0 or s["cell"] != "column_ei" else d * net["n_excitatory"] // s["n_hidden"]
        bias = [sum(number(layer, "bias", i, j) or 0.0 for j in range(s["bias"])) for i in range(rows)]
        z = {}
        for p, x in h.items():
            zi = [sum(number(layer, "ix", q, j) * x[j] for j in range(d)) for q in range(ni)]
            for i in range(rows):
                u = sum(number(layer, "weights", i, j) * (x[j] if j < excitatory else -x[j]) for j in range(d))
                for q in range(ni):
                    u -= number(layer, "ei", i, q) * zi[q]
                if s["cell"] == "dann":
                    gamma = 1e-8
                    for q in range(ni):
                        gamma += number(layer, "ei", i, q) * math.exp(number(layer, "alpha", q, 0)) * zi[q]
                    u *= number(layer, "gain", i, 0) / gamma
                normed = gain and s["cell"] != "dann"
                z[p, i] = u + (bias[i] if not normed or net["norm"] == "published" else 0.0)
        if gain and s["cell"] != "dann":
            by_layer = s["cell"] == "layer_norm"
            groups = [[(p, i) for i in range(rows)] for p in positions] if by_layer else [
                [(p, i) for p in positions] for i in range(rows)]
            for group in groups:
                mean = sum(z[k] for k in group) / len(group)
                squares = sum((z[k] - mean) ** 2 for k in group)
                sd = math.sqrt(squares / (len(group) - 1)) if net["norm"] == "published" else math.sqrt(
                    squares / len(group) + 1e-5)
                for k in group:
                    z[k] = number(layer, "gain", k[1], 0) * (z[k] - mean) / sd + bias[k[1]]
        last = layer == s["n_layers"]
        h = {p: [z[p, i] if last else f(z[p, i]) for i in range(rows)] for p in positions}
    return [[h[t, b] for b in range(s["batch"])] for t in range(s["n_steps"])]


def plain_mean(s, net, data, logits_of):
    """Mean loss of logits [t][b][o] over the positions that count."""
    total = count = 0.0
    for b in range(s["batch"]):
        for t in range(s["n_steps"]):
            y = logits_of[t][b]
            if "labels" in data:
                wanted = [1.0 if o == data["labels"][t][b] else 0.0 for o in range(s["n_out"])]
            else:
                wanted = data["targets"][t][b]
            if net["task"]["loss"] == "cross_entropy":
                eps = net["task"]["label_smoothing"]
                log_z = math.log(sum(math.exp(z) for z in y))
                each = sum(((1 - eps) * q + eps / s["n_out"]) * (log_z - z) for q, z in zip(wanted, y))
            elif net["task"]["loss"] == "mse":
                each = sum((z - q) ** 2 for q, z in zip(wanted, y))
            else:
                each = sum(q * math.log1p(math.exp(-z)) + (1 - q) * math.log1p(math.exp(z)) for q, z in zip(wanted, y))
            weight = float(data["weights"][t][b])
            total += weight * each
            count += weight
    return total / count


def compare(stored, fresh, where):
    """Structure and strings equal, numbers to rounding."""
    if isinstance(fresh, dict):
        assert list(stored) == list(fresh), where
        for key in fresh:
            if key != "provenance":
                compare(stored[key], fresh[key], f"{where}.{key}")
    elif isinstance(fresh, list):
        assert len(stored) == len(fresh), where
        for i, (p, q) in enumerate(zip(stored, fresh)):
            compare(p, q, f"{where}[{i}]")
    elif isinstance(fresh, float):
        assert abs(stored - fresh) <= 1e-11 * (abs(fresh) + 0.01), (where, stored, fresh)
    else:
        assert stored == fresh, (where, stored, fresh)


def check():
    h = 1e-6  # small, so that no pre-activation crosses the kink of relu
    names = set()
    for seed, c in all_cases():
        names.add(file_of(c))
        fresh = json.loads(text(golden(c, seed)))
        s, net, theta = c["signature"], c["net"], np.array(fresh["theta"])
        assert abs(plain_loss(s, net, theta, fresh) - fresh["loss"]) < 1e-12 * (1 + fresh["loss"]), c["name"]
        worst = 0.0
        for i, g in enumerate(fresh["gradient"]):
            up, down = theta.copy(), theta.copy()
            up[i] += h
            down[i] -= h
            difference = (plain_loss(s, net, up, fresh) - plain_loss(s, net, down, fresh)) / (2 * h)
            worst = max(worst, abs(difference - g) / (1 + abs(g)))
        assert worst < 1e-7, (c["name"], worst)
        compare(json.loads(file_of(c).read_text()), fresh, c["name"])
        print(f"{c['name']:32} finite differences within {worst:.1e}")
    assert set(DATA.rglob("*.json")) == names
    print("all good")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="check gradients and the files on disk; writes nothing")
    sys.exit(check() if parser.parse_args().check else write())
