"""`make bench-compare BASE=BINARY [NEW=BINARY]`: what got slower between two builds, by a rank test over interleaved runs.

Each run starts a server of one build and measures; builds take turns, so that a slow moment of the machine meets both. A
difference is said when Mann-Whitney's U makes it unlikely to be chance (p < 0.01) and it is larger than 3 %.
"""

import argparse
import json
import math
import sys
import time

from lab import ROOT, Missing, Server, median, wrk
from rows import NOP_NODE, NOP_PYTHON

PROBABILITY = 0.01
SMALLEST = 0.03


def u_test(first, second):
    """Two-sided p of Mann-Whitney's U, by its normal approximation with ties; exact enough from eight samples on."""
    merged = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, ties, at = [0.0, 0.0], 0.0, 0
    while at < len(merged):
        end = at
        while end < len(merged) and merged[end][0] == merged[at][0]:
            end += 1
        for _, which in merged[at:end]:
            ranks[which] += (at + end + 1) / 2
        ties += (end - at) ** 3 - (end - at)
        at = end
    a, b = len(first), len(second)
    n = a + b
    u = ranks[0] - a * (a + 1) / 2
    variance = a * b / 12 * ((n + 1) - ties / (n * (n - 1)))
    if variance == 0:
        return 1.0
    return math.erfc(max(0.0, abs(u - a * b / 2) - 0.5) / math.sqrt(2 * variance))


def cold_ms(server, name, rounds):
    times = []
    for number in range(rounds):
        server.retire(name, number)
        server.wait_for_spares(1, bound_s=1)
        times.append(server.timed_ms(server.message(name, "close")))
    return median(times)


def measure(binary, seconds, rounds):
    """Every figure once; for all of them less is better."""
    with Server(binary) as server:
        server.create("python", NOP_PYTHON)
        server.create("nodejs", NOP_NODE)
        found = {"server start, ms": server.start_ms}
        for name in ("python", "nodejs"):
            server.invoke(name)
            found[f"cold start {name}, ms"] = cold_ms(server, name, rounds)
        path, headers, body = server.signed("python")
        one = wrk(server.url + path, 1, seconds, headers, "POST", body.decode())
        many = wrk(server.url + path, 8, seconds, headers, "POST", body.decode())
        found["warm Invoke p50, us"] = one["p50_us"]
        found["warm Invoke p99, us"] = one["p99_us"]
        found["us per request, eight connections"] = 1e6 / many["per_s"]
        found["HTTP echo p50, us"] = wrk(server.url + "/_lambent/health", 1, seconds)["p50_us"]
        found["resident memory, MiB"] = server.resident_mib()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base")
    parser.add_argument("new", nargs="?", default=str(ROOT / "build/release/lambent"))
    parser.add_argument("--runs", type=int, default=12, help="of each build")
    parser.add_argument("--seconds", type=int, default=1, help="for each load")
    parser.add_argument("--rounds", type=int, default=10, help="cold starts in each run")
    arguments = parser.parse_args()
    samples = ({}, {})
    for run in range(arguments.runs):
        order = (0, 1) if run % 2 == 0 else (1, 0)
        for which in order:
            binary = (arguments.base, arguments.new)[which]
            for name, value in measure(binary, arguments.seconds, arguments.rounds).items():
                samples[which].setdefault(name, []).append(value)
        print(f"run {run + 1} of {arguments.runs}", file=sys.stderr, flush=True)
    slower = 0
    print(f"{'':36} {'base':>10} {'new':>10} {'change':>8} {'p':>8}")
    for name, base in samples[0].items():
        new = samples[1][name]
        change = median(new) / median(base) - 1
        p = u_test(base, new)
        word = "" if p >= PROBABILITY or abs(change) < SMALLEST else ("SLOWER" if change > 0 else "faster")
        slower += word == "SLOWER"
        print(f"{name:36} {median(base):10.4g} {median(new):10.4g} {change:+8.1%} {p:8.4f}  {word}")
    directory = ROOT / "bench" / "results"
    directory.mkdir(exist_ok=True)
    (directory / time.strftime("compare-%Y%m%d-%H%M%S.json")).write_text(
        json.dumps({"base": samples[0], "new": samples[1]}, indent=1) + "\n")
    return 1 if slower else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as reason:
        sys.exit(f"bench-compare: {reason}")
