"""What the PyTorch peers share: batches, the rule, K training steps (one CUDA graph on a card), the loss of logits."""

import torch
import torch.nn.functional as F

import stream
from case import COHERENCES

torch.set_float32_matmul_precision("highest")
torch.backends.cudnn.allow_tf32 = False

KNOBS = {}


def versions():
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return {"torch": torch.__version__, "device": card, "blas": "mkl" if torch.backends.mkl.is_available() else "other"}


def cross_entropy(y, labels):
    """Mean loss of every network: logits [nets][counted][B][n_out] to [nets]."""
    each = F.cross_entropy(y.flatten(0, -2), labels.flatten(), reduction="none")
    return each.view(labels.shape[0], -1).mean(1)


def decisions(case, nets, device):
    """One batch of the perceptual decision task for every network."""
    T, B, n_in = case.steps, case.batch, case.n_in
    choice = torch.randint(0, 2, (nets, B), device=device)
    level = torch.randint(0, 5, (nets, B), device=device)
    # 0, 6.4, 12.8, ... without a table, whose upload a graph could not record
    coherence = torch.where(level == 0, 0.0, COHERENCES[1] * torch.exp2(level - 1.0)) * (1 - 2 * choice) / 200
    x = torch.randn(nets, T, B, n_in, device=device) * case.noise
    x[..., 0] = 1
    x[..., 1] += (0.5 + coherence)[:, None]
    x[..., 2] += (0.5 - coherence)[:, None]
    x[:, -1] = 0
    labels = torch.zeros(nets, T, B, dtype=torch.int64, device=device)
    labels[:, -1] = choice + 1
    return x, labels


def row_images(case, nets, device, pixels, classes):
    """One batch of images for every network, at random, from pixels [images][784] and classes [images] on the device."""
    chosen = torch.randint(0, case.images, (nets * case.batch,), device=device)
    rows = pixels.index_select(0, chosen).view(nets, case.batch, case.steps, case.n_in).transpose(1, 2)
    x = rows.to(torch.float32, memory_format=torch.contiguous_format).mul_(1 / 255)
    return x, classes.index_select(0, chosen).view(nets, 1, case.batch)


class Peer:
    """A subclass has gradients(x, labels) -> losses [nets], [dU, dW, dV]."""

    graph_on_cuda = True

    def __init__(self, case, nets, updates, device):
        self.case, self.nets, self.updates, self.device = case, nets, updates, torch.device(device)
        self.batches = self.graph = None
        self.weights = [torch.empty(nets, *shape, device=device) for shape in case.shapes]
        self.buffers = [torch.zeros_like(w) for w in self.weights]
        if case.task == "row_mnist":
            pixels, classes = stream.images(case)
            self.images = torch.from_numpy(pixels).to(device), torch.from_numpy(classes).long().to(device)

    def load(self, weights):
        with torch.no_grad():
            for w, value, m in zip(self.weights, weights, self.buffers):
                w.copy_(torch.from_numpy(value))
                m.zero_()

    def feed(self, x, labels):
        """Batches [updates][nets]... to train on instead of generating them."""
        x, labels = torch.from_numpy(x).to(self.device), torch.from_numpy(labels).long().to(self.device)
        if self.batches is None:
            self.batches, self.graph = (x, labels), None
        else:  # a recorded graph reads where it read
            self.batches[0].copy_(x), self.batches[1].copy_(labels)

    def generate(self):
        if self.case.task == "row_mnist":
            return row_images(self.case, self.nets, self.device, *self.images)
        return decisions(self.case, self.nets, self.device)

    def update(self, gradients):
        with torch.no_grad():
            torch._foreach_mul_(self.buffers, self.case.momentum)
            torch._foreach_add_(self.buffers, gradients)
            torch._foreach_add_(self.weights, self.buffers, alpha=-self.case.lr)

    def steps(self):
        losses = []
        for k in range(self.updates):
            x, labels = (b[k] for b in self.batches) if self.batches else self.generate()
            loss, gradients = self.gradients(x, labels)
            self.update(gradients)
            losses.append(loss.detach())
        return torch.stack(losses)

    def record(self):
        """One graph of `updates` steps; what warming it up did to the networks is undone."""
        saved = [t.detach().clone() for t in self.weights + self.buffers]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.steps()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.losses = self.steps()
        with torch.no_grad():
            for t, value in zip(self.weights + self.buffers, saved):
                t.copy_(value)

    def run(self):
        """`updates` training steps; losses [updates][nets]."""
        if self.device.type != "cuda":
            return self.steps()
        if not self.graph_on_cuda:
            losses = self.steps()
        else:
            if self.graph is None:
                self.record()
            self.graph.replay()
            losses = self.losses
        torch.cuda.synchronize()
        return losses.cpu()

    def momentum(self):
        return [m.cpu().numpy().copy() for m in self.buffers]
