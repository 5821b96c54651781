"""PyTorch by an expert: backpropagation through time written out over networks batched with baddbmm, in buffers that stay;
the input projection hoisted, every weight gradient one product over all steps and trials. On a card one CUDA graph."""

import torch

import torch_peer
from torch_peer import KNOBS, cross_entropy, versions  # noqa: F401

ACTIVATIONS = {"tanh": torch.Tensor.tanh_, "relu": torch.Tensor.relu_}
# From the gradient of h and h to that of what f was given, in the place of the former.
BACKWARD = {
    "tanh": lambda delta, h: torch.ops.aten.tanh_backward.grad_input(delta, h, grad_input=delta),
    "relu": lambda delta, h: torch.ops.aten.threshold_backward.grad_input(delta, h, 0, grad_input=delta),
}


class Peer(torch_peer.Peer):
    def __init__(self, case, nets, updates, device):
        super().__init__(case, nets, updates, device)
        buffer = lambda: torch.zeros(nets, case.steps, case.batch, case.n, device=device)
        self.h, self.delta = buffer(), buffer()

    @torch.no_grad()
    def gradients(self, x, labels):
        case, h, delta, first = self.case, self.h, self.delta, self.case.first
        f, backward = ACTIVATIONS[case.activation], BACKWARD[case.activation]
        U, W, V = self.weights
        rows = lambda a: a.flatten(1, 2)  # [nets][T B][units]
        # h and delta first hold what is added to a step's product, then the step itself.
        torch.bmm(rows(x), U.mT, out=rows(h))
        for t in range(case.steps):
            if t:
                h[:, t].baddbmm_(h[:, t - 1], W.mT)
            f(h[:, t])
        y = torch.bmm(rows(h[:, first:]), V.mT).view(*labels.shape, case.n_out)
        loss = cross_entropy(y, labels)
        dy = torch.softmax(y, -1)
        dy.scatter_add_(-1, labels[..., None], dy.new_full((1, 1, 1, 1), -1.0).expand(*labels.shape, 1))
        dy = rows(dy.div_(case.counted * case.batch))
        torch.bmm(dy, V, out=rows(delta[:, first:]))
        for t in reversed(range(case.steps)):
            if t < first:
                torch.bmm(delta[:, t + 1], W, out=delta[:, t])
            elif t < case.steps - 1:
                delta[:, t].baddbmm_(delta[:, t + 1], W)
            backward(delta[:, t], h[:, t])
        product = lambda a, b: torch.bmm(rows(a).mT, rows(b))
        return loss, [product(delta, x), product(delta[:, 1:], h[:, :-1]), torch.bmm(dy.mT, rows(h[:, first:]))]
