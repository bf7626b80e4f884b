"""`make bench`: what Lambent costs, each figure beside its floor, all from one run.

The machine decides the absolute numbers, so the ratios are what to compare. A must that is missed is printed as missed. The result
is kept as JSON in bench/results/, with every sample.
"""

import argparse
import json
import sys
import time

import async_rows
import control_rows
import rows
from lab import ROOT, Missing
from rows import Bench

ROWS = [*rows.ROWS, *async_rows.ROWS, *control_rows.ROWS]
MORE_IS_BETTER = rows.MORE_IS_BETTER | async_rows.MORE_IS_BETTER | control_rows.MORE_IS_BETTER


def judge(row, found):
    """"held", "aim", "missed"; and the figure that was judged."""
    _, measure, kind, must, aim = row
    figure = found["value"] / found["floor"] if kind == "ratio" else found[kind]
    if must is None:
        return "", figure
    sign = -1 if measure in MORE_IS_BETTER else 1
    if sign * figure <= sign * aim:
        return "aim", figure
    return ("held" if sign * figure <= sign * must else "MISSED"), figure


def measured_times(found):
    """How many single measurements the figure is of: a load has many in each of its samples."""
    return found.get("count", len(found["samples"]))


def line(name, found, row):
    verdict, figure = judge(row, found)
    unit = found["unit"]
    measured = f"{found['value']:.5g} {unit}"
    floor = f"{found['floor']:.5g} {unit}" if "floor" in found else ""
    must, aim = ("", "") if row[3] is None else (f"{row[3]:g}", f"{row[4]:g}")
    text = f"{name:68} {measured:>12} {floor:>12} {figure:8.3g} {must:>6} {aim:>6} {measured_times(found):>7}  {verdict}"
    return text + (f"  ({found['note']})" if found.get("note") else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / "build/release/lambent"))
    parser.add_argument("--build", default=str(ROOT / "build/release"), help="where runtime_loop and provided_nop are")
    parser.add_argument("--seconds", type=int, default=2, help="for each load")
    parser.add_argument("--rounds", type=int, default=100, help="cold starts of each kind, and starts of the server")
    parser.add_argument("--only", action="append", help="rows whose function has this in its name; may be repeated")
    arguments = parser.parse_args()
    bench = Bench(arguments.binary, arguments.build, arguments.rounds, arguments.seconds)
    print(f"{'':68} {'measured':>12} {'floor':>12} {'figure':>8} {'must':>6} {'aim':>6} {'n':>7}")
    results, missed, began = {}, 0, time.monotonic()
    for row in ROWS:
        name, measure = row[0], row[1]
        if arguments.only and not any(part in measure.__name__ for part in arguments.only):
            continue
        try:
            found = measure(bench)
            found["verdict"], found["figure"] = judge(row, found)
            print(line(name, found, row), flush=True)
        except Missing as reason:
            found = {"verdict": "not measured", "reason": str(reason)}
            print(f"{name:68} not measured: {reason}", flush=True)
        missed += found["verdict"] in ("MISSED", "not measured")
        results[measure.__name__] = {"row": name, "must": row[3], "aim": row[4], **found}
    directory = ROOT / "bench" / "results"
    directory.mkdir(exist_ok=True)
    (directory / time.strftime("%Y%m%d-%H%M%S.json")).write_text(json.dumps(results, indent=1) + "\n")
    print(f"{missed} of {len(results)} rows missed" if missed else "every must holds", f"after {time.monotonic() - began:.0f} s")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
