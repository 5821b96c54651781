"""PyTorch by an expert: backpropagation through time written out over networks batched with baddbmm, in buffers that stay;
the input projection hoisted, every weight gradient one product over all steps and trials. On a card one CUDA graph."""

import torch

import torch_peer
from torch_peer import KNOBS, cross_entropy, versions  # noqa: F401


class Peer(torch_peer.Peer):
    def __init__(self, case, nets, updates, device):
        super().__init__(case, nets, updates, device)
        buffer = lambda: torch.zeros(nets, case.steps, case.batch, case.n, device=device)
        self.h, self.delta = buffer(), buffer()

    @torch.no_grad()
    def gradients(self, x, labels):
        case, h, delta = self.case, self.h, self.delta
        U, W, V = self.weights
        rows = lambda a: a.flatten(1, 2)  # [nets][T B][units]
        # h and delta first hold what is added to a step's product, then the step itself.
        torch.bmm(rows(x), U.mT, out=rows(h))
        for t in range(case.steps):
            if t:
                h[:, t].baddbmm_(h[:, t - 1], W.mT)
            h[:, t].tanh_()
        y = torch.bmm(rows(h), V.mT).view(*labels.shape, case.n_out)
        loss = cross_entropy(y, labels)
        dy = torch.softmax(y, -1)
        dy.scatter_add_(-1, labels[..., None], dy.new_full((1, 1, 1, 1), -1.0).expand(*labels.shape, 1))
        dy = rows(dy.div_(case.steps * case.batch))
        torch.bmm(dy, V, out=rows(delta))
        for t in reversed(range(case.steps)):
            if t < case.steps - 1:
                delta[:, t].baddbmm_(delta[:, t + 1], W)
            torch.ops.aten.tanh_backward.grad_input(delta[:, t], h[:, t], grad_input=delta[:, t])
        product = lambda a, b: torch.bmm(rows(a).mT, rows(b))
        return loss, [product(delta, x), product(delta[:, 1:], h[:, :-1]), torch.bmm(dy.mT, rows(h))]
