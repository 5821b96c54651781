"""The race as Markdown; `python3 table.py FILE...` prints what is in files that bench/race wrote."""

import statistics


def number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}g}"


def rows(header, lines):
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def fastest(results, family):
    """The best measured row of a system whose name starts with `family`."""
    done = [r for r in results if r["system"].startswith(family) and "rates" in r]
    return max(done, key=lambda r: r["net_steps_per_s"], default=None)


def ratio(ours, other):
    """Median over rounds of ours / other, so that a disturbance of a whole round cancels."""
    return statistics.median(a / b for a, b in zip(ours["rates"], other["rates"])) if ours and other else None


def races(results):
    """Results by race, in the order in which they were run."""
    grouped = {}
    for r in results:
        grouped.setdefault((r["n"], r["race"], r["data"]), []).append(r)
    return grouped


def summary(results):
    for (n, race, data), of_race in races(results).items():
        ours, torch, jax = (fastest(of_race, family) for family in ("cohort", "torch", "jax"))
        against = [ratio(ours, peer) for peer in (torch, jax) if ours and peer]
        worst = min(against, default=None)
        verdict = "-" if worst is None else "lost" if worst < 1 else "won"
        name = lambda r: f"{r['net_steps_per_s']:.4g} ({r['system']}, {r['processes']})" if r else "-"
        yield [str(n), race, data, f"{ours['net_steps_per_s']:.4g}" if ours else "-", name(torch), name(jax), number(worst),
               verdict]


def details(of_race):
    ours = fastest(of_race, "cohort")
    for r in of_race:
        if "error" in r:
            yield [r["system"], r["processes"], "-", "-", "-", "-", "-", "-", "-", r["error"].replace("|", "/")]
            continue
        knobs = ", ".join(f"{k} {v}" for k, v in r["knobs"].items())
        spread = (max(r["rates"]) - min(r["rates"])) / r["net_steps_per_s"]
        yield [r["system"], r["processes"], str(r["nets"]), f"{r['net_steps_per_s']:.4g}", f"{100 * spread:.0f} %",
               f"{r['tflops'] * 1e3:.4g}", number(r["of_gemm"], 2), number(ratio(ours, r)),
               f"{r['compile_s']:.1f}", knobs]


def systems(found):
    for name, s in found.items():
        what = s.get("error") or ", ".join(f"{k} {v}" for k, v in s["versions"].items() if v)
        yield [name, number(s.get("gradient_error"), 2), number(s.get("curve_error"), 2), what.replace("|", "/")]


def markdown(report):
    m, task = report["machine"], report.get("task", "decision")
    what = report["device"] + ("" if task == "decision" else f", {task}")
    yield f"{m['processor']}, {m['cores']} cores, {what}; {report['date']}, commit {report['commit']}; load " \
          f"{m['load_before']} before, {m['load_after']} after."
    yield ""
    yield from rows(["n", "race", "data", "ours, net-steps/s", "best PyTorch", "best JAX", "ours / best peer", ""],
                    summary(report["results"]))
    for (n, race, data), of_race in races(report["results"]).items():
        yield ""
        yield f"n = {n}, {race}, data {data}:"
        yield ""
        yield from rows(["system", "processes", "N", "net-steps/s", "spread", "GFLOP/s", "of GEMM", "ours / it", "compile s",
                         "settings"], details(of_race))
    for n, found in report["systems"].items():
        yield ""
        yield f"Errors against float64, n = {n}: gradients of the first step, losses of {report['updates']} steps:"
        yield ""
        yield from rows(["system", "gradient", "loss curve", "versions"], systems(found))


if __name__ == "__main__":
    import json
    import sys

    for file in sys.argv[1:]:
        with open(file) as text:
            print("\n".join(markdown(json.load(text))), end="\n\n")
