#!/usr/bin/env python3
"""What CuPy makes of them: singular values only, and only on a card (spectra_cases.py)."""

from spectra_cases import serve


def svdvals(cupy, n, batch):
    a = cupy.random.standard_normal((batch, n, n), dtype=cupy.float32) / n**0.5
    return lambda: cupy.linalg.svd(a, compute_uv=False)


def prepare(cupy, device):
    if device != "cuda":
        return "CuPy needs a card"
    return {"svdvals": lambda n, batch: svdvals(cupy, n, batch)}, cupy.cuda.Device().synchronize


if __name__ == "__main__":
    serve("cupy", prepare)
