#!/usr/bin/env python3
"""`cupy_spectra.py DEVICE SECONDS CASES`: the same as torch_spectra.py by CuPy, which has singular values only and needs a card."""

import json
import sys

from torch_spectra import rate


def main():
    device, seconds, cases = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
    try:
        import cupy
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    if device != "cuda":
        print(json.dumps({"missing": "CuPy needs a card"}))
        return
    for operation, n, batch in cases:
        if operation != "svdvals":
            continue
        answer = {"operation": operation, "n": n, "batch": batch, "version": cupy.__version__}
        try:
            a = cupy.random.standard_normal((batch, n, n), dtype=cupy.float32) / n**0.5
            run = lambda: cupy.linalg.svd(a, compute_uv=False)
            answer["per_second"] = rate(run, cupy.cuda.Device().synchronize, batch, seconds)
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
