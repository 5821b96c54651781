"""The race of wide models as Markdown; `python3 wide_table.py FILE...` prints what is in files that bench/wide-race wrote."""

import statistics

from table import number, rows

PLAIN = ("torch-plain", "jax-plain")


def ratios(ours, other, data):
    """ours / other in every round, so that a disturbance of a whole round cancels."""
    return [a / b for a, b in zip(ours[data], other[data])]


def spread(values):
    return (max(values) - min(values)) / statistics.median(values)


def best(results, systems):
    """The fastest measured row of these systems."""
    done = [r for r in results if r["system"] in systems and "drawn" in r]
    return max(done, key=lambda r: r["models_per_s"], default=None)


def summary(report):
    for case, results in races(report).items():
        ours = best(results, ("cohort",))
        line = [case, f"{ours['models_per_s']:.3g}" if ours else "-"]
        for systems in (("torch",), ("jax",), PLAIN):
            peer = best(results, systems)
            how = f"{peer['system']}, {peer['processes']}" if peer and systems == PLAIN else peer and peer["processes"]
            line += [f"{peer['models_per_s']:.3g} ({how})" if peer else "-"]
            for data in ("drawn", "found") if systems != PLAIN else ("drawn",):
                line += [number(statistics.median(ratios(ours, peer, data))) if ours and peer else "-"]
        yield line


def details(results):
    ours = best(results, ("cohort",))
    for r in results:
        if "error" in r:
            yield [r["system"], r["processes"], *["-"] * 7, r["error"].replace("|", "/")]
            continue
        of = {data: ratios(ours, r, data) if ours else None for data in ("drawn", "found")}
        middle = lambda data: number(statistics.median(of[data])) if ours else "-"
        yield [r["system"], r["processes"], str(r["groups"]), f"{r['models_per_s']:.3g}", f"{100 * spread(r['drawn']):.0f} %",
               number(r["gflops"]), middle("drawn"), f"{min(of['drawn']):.3g} to {max(of['drawn']):.3g}" if ours else "-",
               middle("found"), ", ".join(f"{k} {v}" for k, v in r["knobs"].items())]


def races(report):
    grouped = {}
    for r in report["results"]:
        grouped.setdefault(r["case"], []).append(r)
    return grouped


def markdown(report):
    m = report["machine"]
    yield f"{m['processor']}, {m['cores']} cores; {report['date']}, commit {report['commit']}; load {m['load_before']} before, " \
          f"{m['load_after']} after; {report['rounds']} rounds; models " \
          f"{'a second of one core' if report['clock'] == 'processor' else 'a second'}."
    yield ""
    yield from rows(["models", "cohort, a second", "PyTorch", "ours / it", "data found", "JAX", "ours / it", "data found",
                     "one at a time", "ours / it"], summary(report))
    for case, results in races(report).items():
        yield from ("", f"{case}, load {', '.join(f'{load:g}' for load in report['loads'][case])}:", "")
        yield from rows(["system", "processes", "groups", "models a second", "spread", "GFLOP/s", "ours / it", "rounds",
                         "data found", "settings"], details(results))
    yield from ("", f"Errors against float64, losses of {report['updates_checked']} updates:", "")
    yield from rows(["models", "system", "error", "versions"],
                    ([case, name, number(s.get("error_of_losses"), 2),
                      (s.get("error") or ", ".join(f"{k} {v}" for k, v in s["versions"].items() if v)).replace("|", "/")]
                     for case, found in report["systems"].items() for name, s in found.items()))


if __name__ == "__main__":
    import json
    import sys

    for file in sys.argv[1:]:
        with open(file) as text:
            print("\n".join(markdown(json.load(text))), end="\n\n")
