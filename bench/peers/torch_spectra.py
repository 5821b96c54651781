#!/usr/bin/env python3
"""`torch_spectra.py DEVICE SECONDS CASES`: what PyTorch makes of the spectra that bench_spectra measures. CASES is a JSON list of
[operation, n, batch]; every answer is one line of JSON, {"missing": ...} first where PyTorch is not there."""

import json
import statistics
import sys
import time

ROUNDS = 5


def rate(run, wait, batch, seconds):
    """Median over rounds, after one run that does not count."""
    run()
    wait()
    rates = []
    for _ in range(ROUNDS):
        begin, runs = time.perf_counter(), 0
        while runs == 0 or time.perf_counter() - begin < seconds / ROUNDS:
            run()
            wait()
            runs += 1
        rates.append(batch * runs / (time.perf_counter() - begin))
    return statistics.median(rates)


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


def low_rank(torch, a, n):
    """A tenth of the rank, rescaled to the Frobenius norm."""
    rank = max(1, n // 10)

    def run():
        u, s, v = torch.linalg.svd(a, full_matrices=False)
        w = (u[:, :, :rank] * s[:, None, :rank]) @ v[:, :rank]
        w *= (s.norm(dim=1) / s[:, :rank].norm(dim=1))[:, None, None]

    return run


def main():
    device, seconds, cases = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
    try:
        import torch
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    torch.set_float32_matmul_precision("highest")
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    for operation, n, batch in cases:
        answer = {"operation": operation, "n": n, "batch": batch, "version": torch.__version__}
        try:
            with torch.no_grad():
                torch.manual_seed(1)
                if operation == "kernel_alignment":
                    run = kernel_alignment(torch, device, n, batch)
                else:
                    a = torch.randn(batch, n, n, device=device) / n**0.5
                    run = {
                        "svdvals": lambda: torch.linalg.svdvals(a),
                        "eigvals": lambda: torch.linalg.eigvals(a),
                        "low_rank": low_rank(torch, a, n),
                    }[operation]
                answer["per_second"] = rate(run, wait, batch, seconds)
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
