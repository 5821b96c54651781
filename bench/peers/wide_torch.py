"""PyTorch: all models of a group batched by hand, gradients written out, updates in place; several groups at once by bmm.

Knobs: how the training set lies in memory, and whether the rule's elementwise chain goes through torch.compile.
"""

import torch

from wide_case import ENTROPY, P3

torch.set_grad_enabled(False)
torch.set_flush_denormal(True)

KNOBS = {"stored": ["float32", "uint8"], "compiled": [False, True]}


def versions():
    return {"torch": torch.__version__, "blas": "mkl" if torch.backends.mkl.is_available() else "other"}


class Draw:
    """Training sets and starts from the framework's own generator."""

    def __init__(self, case, stored=torch.float32):
        self.case, self.stored = case, stored
        if case.task != "r_of_k":
            import wide_reference

            self.root = torch.from_numpy(wide_reference.embedding(case)).float()
            self.sign = 1 - 2 * (torch.arange(case.inputs) % 2).float()

    def neurons(self):
        c = self.case
        x = torch.empty(c.samples, c.inputs, dtype=self.stored).random_(2)
        u = torch.rand(c.samples)
        on = x[:, : c.relevant].sum(1, dtype=torch.float32) + (u < c.label_noise).float() - (u >= 1 - c.label_noise).float()
        return x, (on >= c.threshold).float()

    def lines(self):
        """Two rows from every transform: its real and its imaginary part."""
        c = self.case
        z = torch.randn((c.samples + 1) // 2, len(self.root), dtype=torch.complex64).mul_(self.root * 2**0.5)
        rows = torch.view_as_real(torch.fft.fft(z)[:, : c.inputs]).permute(0, 2, 1).reshape(-1, c.inputs)[: c.samples]
        x = rows.mul_(self.sign).add_(torch.rand(c.samples, c.inputs)).sub_(0.5)
        return x, torch.randint(0, 2, (c.samples,)).float().mul_(2).sub_(1)

    def set(self):
        return self.neurons() if self.case.task == "r_of_k" else self.lines()

    def start(self):
        c = self.case
        if c.task == "r_of_k":
            return torch.full((c.inputs,), 2 * c.threshold / c.inputs)
        return torch.randn(c.inputs) / c.inputs**0.5


def loss_and_slope(case, z, target):
    """Mean over the batch, the second dimension from behind, and what the loss of a batch changes with each z."""
    if case.task == "r_of_k":
        loss = torch.nn.functional.softplus(z).addcmul_(target, z, value=-1).mean(-2)
        return loss, z.sigmoid_().sub_(target).div_(case.batch)
    z.sub_(target)
    return z.square().mean(-2), z.mul_(2 / case.batch)


def move(pieces, w, down, m, factor):
    """One step of all models, [...][models][inputs]; down [...][models][inputs or 1]: minus the rates, for ENTROPY times sign w."""
    for geometry, first, last in pieces:
        part, of = w[..., first:last, :], m[..., first:last, :]
        if geometry == ENTROPY:
            d = of * down[geometry]
            part.mul_((d if factor == 1 else d.mul_(factor)).exp_())
        elif geometry == P3:
            dual = (part * part.abs()).addcmul_(of, down[geometry], value=factor)
            torch.copysign(dual.abs().sqrt_(), dual, out=part)
        else:
            part.addcmul_(of, down[geometry], value=factor)


def move_compiled(pieces, w, down, m, factor):
    """The same as the compiler likes it; factor is a tensor, so that it is compiled once."""
    for geometry, first, last in pieces:
        part, d = w[..., first:last, :], m[..., first:last, :] * (down[geometry] * factor)
        if geometry == ENTROPY:
            part.copy_(part * torch.exp(d))
        elif geometry == P3:
            dual = part * part.abs() + d
            part.copy_(torch.copysign(dual.abs().sqrt(), dual))
        else:
            part.copy_(part + d)


class Peer:
    def __init__(self, case, groups, stored="float32", compiled=False):
        self.case, self.groups = case, groups
        self.models, self.step = groups * len(case.models), 0
        self.draws = Draw(case, torch.uint8 if stored == "uint8" and case.task == "r_of_k" else torch.float32)
        self.x = torch.empty(groups, case.samples, case.inputs, dtype=self.draws.stored)
        self.y = torch.empty(groups, case.samples)
        self.w = torch.empty(groups, len(case.models), case.inputs)
        self.momentum = torch.zeros_like(self.w) if case.momentum else None
        self.gradient = torch.empty_like(self.w)
        if case.epoch > 1:
            self.batch = torch.empty(groups, case.batch, case.inputs)
            self.rows = self.batch if self.x.dtype == torch.float32 else torch.empty_like(self.batch, dtype=self.x.dtype)
        self.move = torch.compile(move_compiled, dynamic=False) if compiled else move
        self.factor = torch.tensor if compiled else float

    def begin(self):
        """Weights are there; negative entropy keeps their signs."""
        self.step, down = 0, -torch.tensor(self.case.rates)[:, None]
        if self.momentum is not None:
            self.momentum.zero_()
        self.down = {g: down[a:b] * self.w[:, a:b].sign() if g == ENTROPY else down[a:b] for g, a, b in self.case.pieces}

    def draw(self):
        for x, y, w in zip(self.x, self.y, self.w):
            drawn = self.draws.set()
            x.copy_(drawn[0]), y.copy_(drawn[1]), w.copy_(self.draws.start())
        self.begin()

    def feed(self, x, y, start):
        """One group's data for all."""
        for to, value in ((self.x, x), (self.y, y), (self.w, start)):
            to.copy_(torch.from_numpy(value))
        self.begin()

    def gather(self, chosen):
        for rows, x, index in zip(self.rows, self.x, chosen):
            torch.index_select(x, 0, index, out=rows)
        if self.rows is not self.batch:
            self.batch.copy_(self.rows)
        return self.batch, torch.gather(self.y, 1, chosen)

    def update(self, x, y):
        one, case = self.groups == 1, self.case
        z = (x[0] @ self.w[0].T)[None] if one else torch.bmm(x, self.w.mT)
        if case.offset:
            z += case.offset
        loss, e = loss_and_slope(case, z, y[..., None])
        g = self.gradient
        torch.mm(e[0].T, x[0], out=g[0]) if one else torch.bmm(e.mT, x, out=g)
        if self.momentum is not None:
            g = self.momentum.mul_(case.momentum).add_(g)
        self.move(case.pieces, self.w, self.down, g, self.factor(case.factor(self.step % case.updates)))
        self.step += 1
        return loss

    def train(self, updates, order=None):
        """Losses [updates][groups][models]; shuffled by itself, or the same for every group in the order [updates][batch]."""
        case, losses = self.case, []
        for k in range(updates):
            x, y = self.x, self.y
            if case.epoch > 1:
                if order is not None:
                    chosen = torch.from_numpy(order[k]).expand(self.groups, -1).contiguous()
                else:
                    if k % case.epoch == 0:
                        shuffled = torch.stack([torch.randperm(case.samples) for _ in range(self.groups)])
                    at = k % case.epoch * case.batch
                    chosen = shuffled[:, at : at + case.batch].contiguous()
                x, y = self.gather(chosen)
            losses.append(self.update(x, y))
        return torch.stack(losses)
