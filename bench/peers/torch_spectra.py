#!/usr/bin/env python3
"""What PyTorch makes of the spectra that bench_spectra measures (spectra_cases.py)."""

from spectra_cases import serve


def kernel_alignment(torch, device, n, batch):
    """Tangent kernels of `batch` networks one after another, as in bench_spectra: 8 steps, 3 inputs and outputs, 32 trials, every
    step; Jacobians by vmap over one-hot cotangents, kernels now and at the start."""
    steps, trials, n_in, n_out = 8, 32, 3, 3
    x = torch.randn(steps, trials, n_in, device=device)
    w_in = torch.randn(n, n_in, device=device) / n_in**0.5
    w_out = torch.randn(n_out, n, device=device) / n**0.5
    nets = [[1.25 * torch.randn(n, n, device=device) / n**0.5 for _ in range(2)] for _ in range(batch)]

    def logits(w):
        h, rows = torch.zeros(trials, n, device=device), []
        for t in range(steps):
            h = torch.relu(x[t] @ w_in.T + h @ w.T)
            rows.append(h @ w_out.T)
        return torch.stack(rows).reshape(-1)

    def kernel(w):
        jacobian = torch.func.jacrev(logits, chunk_size=96)(w).reshape(steps * trials * n_out, n * n)
        return jacobian @ jacobian.T

    def run():
        for start, now in nets:
            k0, k = kernel(start), kernel(now)
            (k * k0).sum() / (k.norm() * k0.norm())

    return run


def low_rank(torch, a):
    """A tenth of the rank, rescaled to the Frobenius norm."""
    rank = max(1, a.shape[-1] // 10)

    def run():
        u, s, v = torch.linalg.svd(a, full_matrices=False)
        w = (u[:, :, :rank] * s[:, None, :rank]) @ v[:, :rank]
        w *= (s.norm(dim=1) / s[:, :rank].norm(dim=1))[:, None, None]

    return run


def prepare(torch, device):
    torch.set_float32_matmul_precision("highest")
    torch.set_grad_enabled(False)

    def matrices(n, batch):
        torch.manual_seed(1)
        return torch.randn(batch, n, n, device=device) / n**0.5

    def over(function):
        return lambda n, batch: (lambda a: lambda: function(a))(matrices(n, batch))

    operations = {
        "svdvals": over(torch.linalg.svdvals),
        "eigvals": over(torch.linalg.eigvals),
        "low_rank": lambda n, batch: low_rank(torch, matrices(n, batch)),
        "kernel_alignment": lambda n, batch: kernel_alignment(torch, device, n, batch),
    }
    return operations, torch.cuda.synchronize if device == "cuda" else lambda: None


if __name__ == "__main__":
    serve("torch", prepare)
