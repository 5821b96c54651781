"""PyTorch as people write it: one model at a time, autograd, an optimiser, a scheduler, a shuffled loop over batches."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

import wide_torch
from wide_case import ENTROPY, P3
from wide_torch import versions  # noqa: F401

torch.set_grad_enabled(True)

KNOBS = {}


class Mirror(torch.optim.Optimizer):
    """Exponentiated gradient, or descent in the dual of the p-norm with p = 3."""

    def __init__(self, parameters, lr, momentum, geometry):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "geometry": geometry})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                state = self.state[w]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(w)
                d = state["momentum"].mul_(group["momentum"]).add_(w.grad) * group["lr"]
                if group["geometry"] == ENTROPY:
                    w.mul_(torch.exp(-w.sign() * d))
                else:
                    dual = w.sign() * w**2 - d
                    w.copy_(dual.sign() * dual.abs().sqrt())


class Peer:
    def __init__(self, case, groups):
        self.case, self.draws = case, wide_torch.Draw(case)
        # When it is timed, one model of every geometry.
        self.timed = [case.models[first] for _, first, _ in case.pieces]
        self.models = len(self.timed)

    def draw(self):
        """Every model draws its own."""
        self.sets = [(*self.draws.set(), self.draws.start()) for _ in self.timed]

    def feed(self, x, y, start):
        x, y = torch.from_numpy(x).float(), torch.from_numpy(y)
        self.timed = self.case.models
        self.sets = [(x, y, torch.from_numpy(w)) for w in start]

    def train(self, updates, order=None):
        """Losses [updates][1][models]."""
        return torch.stack([self.model(*m, *s, updates, order) for m, s in zip(self.timed, self.sets)], 1)[:, None]

    def model(self, geometry, rate, x, y, start, updates, order):
        case, w = self.case, torch.nn.Parameter(start.clone())
        if geometry in (ENTROPY, P3):
            optimizer = Mirror([w], rate, case.momentum, geometry)
        else:
            optimizer = torch.optim.SGD([w], rate, momentum=case.momentum)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, case.factor)
        loss_of = binary_cross_entropy_with_logits if case.task == "r_of_k" else mse_loss
        losses = []
        for k in range(updates):
            inputs, targets = x, y
            if case.epoch > 1:
                if order is None and k % case.epoch == 0:
                    shuffled = torch.randperm(case.samples)
                at = k % case.epoch * case.batch
                chosen = shuffled[at : at + case.batch] if order is None else torch.from_numpy(order[k])
                inputs, targets = x[chosen], y[chosen]
            optimizer.zero_grad()
            loss = loss_of(inputs @ w + case.offset, targets)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        return torch.stack(losses)
