"""PyTorch: one nn.RNN per network, on a card by cuDNN with networks spread over streams, gradients by autograd."""

import torch
import torch.nn.functional as F

import torch_peer
from torch_peer import KNOBS, versions  # noqa: F401

STREAMS = 32


class Peer(torch_peer.Peer):
    graph_on_cuda = False

    def __init__(self, case, nets, updates, device):
        super().__init__(case, nets, updates, device)
        rnn = lambda: torch.nn.RNN(case.n_in, case.n, bias=False, nonlinearity=case.activation, device=device)
        self.rnn = [rnn() for _ in range(nets)]
        self.readout = [torch.nn.Linear(case.n, case.n_out, bias=False, device=device) for _ in range(nets)]
        self.streams = []
        if self.device.type == "cuda":
            self.streams = [torch.cuda.Stream() for _ in range(min(STREAMS, nets))]
        # The rule moves all networks' weights in a few launches.
        flat = [t for r, o in zip(self.rnn, self.readout) for t in (r.weight_ih_l0, r.weight_hh_l0, o.weight)]
        self.weights, self.buffers = flat, [torch.zeros_like(w) for w in flat]

    def load(self, weights):
        super().load([weights[k][net] for net in range(self.nets) for k in range(3)])

    def network(self, net, x, labels):
        y = self.readout[net](self.rnn[net](x)[0][self.case.first :])
        return F.cross_entropy(y.flatten(0, 1), labels.flatten())

    def gradients(self, x, labels):
        losses, main = [], torch.cuda.current_stream() if self.streams else None
        for stream in self.streams:
            stream.wait_stream(main)
        for net in range(self.nets):
            with torch.cuda.stream(self.streams[net % len(self.streams)] if self.streams else None):
                losses.append(self.network(net, x[net], labels[net]))
        for stream in self.streams:
            main.wait_stream(stream)
        loss = torch.stack(losses)
        return loss, torch.autograd.grad(loss.sum(), self.weights)

    def momentum(self):
        return [torch.stack(self.buffers[k::3]).cpu().numpy() for k in range(3)]
