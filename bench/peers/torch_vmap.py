"""PyTorch: one network's module, stack_module_state, vmap of its gradient, torch.compile of the whole training step."""

import copy

import torch
import torch.nn.functional as F
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

import torch_peer
from torch_peer import KNOBS, versions  # noqa: F401

NAMES = ("U", "W", "V")


class Recurrent(torch.nn.Module):
    def __init__(self, case, device):
        super().__init__()
        self.f, self.first = getattr(torch, case.activation), case.first
        for name, shape in zip(NAMES, case.shapes):
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(shape, device=device)))

    def forward(self, x, labels):
        drive = F.linear(x, self.U)
        h, states = torch.zeros_like(drive[0]), []
        for now in drive.unbind():
            h = self.f(F.linear(h, self.W) + now)
            states.append(h)
        y = F.linear(torch.stack(states[self.first :]), self.V)
        return F.cross_entropy(y.flatten(0, 1), labels.flatten())


class Peer(torch_peer.Peer):
    graph_on_cuda = False  # max-autotune records its own

    def __init__(self, case, nets, updates, device):
        super().__init__(case, nets, updates, device)
        module = Recurrent(case, device)
        stacked, _ = stack_module_state([copy.deepcopy(module) for _ in range(nets)])
        self.weights = [stacked[name].detach() for name in NAMES]
        base = module.to("meta")

        def loss(weights, x, labels):
            return functional_call(base, dict(zip(NAMES, weights)), (x, labels))

        learn = vmap(grad_and_value(loss))

        def step(weights, buffers, x, labels):
            gradients, losses = learn(weights, x, labels)
            for w, m, g in zip(weights, buffers, gradients):
                m.mul_(case.momentum).add_(g)
                w.add_(m, alpha=-case.lr)
            return losses

        if self.device.type == "cuda":  # else its graphs would copy what the step changes in place
            for tensor in self.weights + self.buffers:
                torch._dynamo.mark_static_address(tensor)
        options = {"mode": "max-autotune"} if self.device.type == "cuda" else {}
        self.step = torch.compile(step, fullgraph=True, dynamic=False, **options)
        self.generate = torch.compile(self.generate, fullgraph=True, dynamic=False)

    def gradients(self, x, labels):
        return self.step(self.weights, self.buffers, x, labels).clone(), None

    def update(self, gradients):
        pass  # part of the compiled step
