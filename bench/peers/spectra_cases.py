"""How the peers of bench/spectra-race are asked: `PEER DEVICE SECONDS CASES`, CASES a JSON list of [operation, n, batch]. Every
answer is one line of JSON, {"missing": ...} first and alone where the framework is not there or cannot serve the device."""

import importlib
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


def serve(name, prepare):
    """prepare(framework, device) gives (operations, wait), or says in a string why not; operations[o](n, batch) gives what is timed,
    and wait() returns when the device is done. Cases of other operations are passed over."""
    device, seconds, cases = sys.argv[1], float(sys.argv[2]), json.loads(sys.argv[3])
    try:
        framework = importlib.import_module(name)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    prepared = prepare(framework, device)
    if isinstance(prepared, str):
        print(json.dumps({"missing": prepared}))
        return
    operations, wait = prepared
    for operation, n, batch in cases:
        if operation not in operations:
            continue
        answer = {"operation": operation, "n": n, "batch": batch, "version": framework.__version__}
        try:
            answer["per_second"] = rate(operations[operation](n, batch), wait, batch, seconds)
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:300]
        print(json.dumps(answer), flush=True)
