"""PyTorch: networks batched by hand with baddbmm, gradients by autograd."""

import torch

import torch_peer
from torch_peer import KNOBS, cross_entropy, versions  # noqa: F401


class Peer(torch_peer.Peer):
    def __init__(self, *args):
        super().__init__(*args)
        for w in self.weights:
            w.requires_grad_()

    def gradients(self, x, labels):
        case = self.case
        f, (U, W, V) = getattr(torch, case.activation), (w.mT for w in self.weights)
        drive = torch.bmm(x.flatten(1, 2), U).view(self.nets, case.steps, case.batch, case.n)
        h, states = x.new_zeros(self.nets, case.batch, case.n), []
        for now in drive.unbind(1):
            h = f(torch.baddbmm(now, h, W))
            states.append(h)
        y = torch.bmm(torch.stack(states[case.first :], 1).flatten(1, 2), V).view(*labels.shape, case.n_out)
        loss = cross_entropy(y, labels)
        return loss, torch.autograd.grad(loss.sum(), self.weights)
