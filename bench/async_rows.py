"""The rows of asynchronous invocation: accepting, its latency, the way to the handler, and the start with a backlog. The same form as
rows.py; run alone it prints them: bench/async_rows.py [BINARY]."""

import functools
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import botocore.auth
import botocore.awsrequest

from lab import PYTHON, ROOT, Missing, Server, median, wrk

# The load of the test that promises the same; it runs in this process.
sys.path.append(str(ROOT / "tests"))
from support.paced import offer, saturate  # noqa: E402

PYTHON_NAME = subprocess.run([PYTHON, "-c", "import sys; print('python3.%d' % sys.version_info[1])"], text=True,
                             stdout=subprocess.PIPE).stdout.strip()
NOP = (PYTHON_NAME, "app.handler", {"app.py": "def handler(event, context):\n    return None\n"})
SLEEPER = (PYTHON_NAME, "app.handler", {"app.py": "import time\ndef handler(event, context):\n    time.sleep(50)\n"})
SLOW = (PYTHON_NAME, "app.handler",
        {"app.py": "import time\ndef handler(event, context):\n    time.sleep(0.02)\n"})
CLOCK = (PYTHON_NAME, "app.handler",
         {"app.py": "import time\nbegin = time.time\ndef handler(event, context):\n    print('BEGAN', begin(), flush=True)\n"})
BODY = b'{"pad": "' + b"x" * 1013 + b'"}'
BACKLOG = 100_000


def event_headers(server, function, body):
    """An Invoke of type Event, signed once; every X-Amz header must be."""
    path = f"/2015-03-31/functions/{function}/invocations"
    request = botocore.awsrequest.AWSRequest("POST", server.url + path, data=body, headers={
        "Content-Type": "application/json", "X-Amz-Invocation-Type": "Event"})
    botocore.auth.SigV4Auth(server.credentials, "lambda", "us-east-1").add_auth(request)
    return path, {name: value for name, value in request.headers.items() if name.lower() != "content-length"}, body


def accept_floor(seconds):
    """Rows of 1 KB a second that SQLite takes in batches of 64 (WAL, synchronous=FULL), on the same disk."""
    with tempfile.TemporaryDirectory(prefix="lambent-bench-", dir="/tmp") as directory:
        connection = sqlite3.connect(os.path.join(directory, "floor.db"), isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, due INTEGER, body BLOB)")
        connection.execute("CREATE INDEX i ON t (k, due)")
        rows = [("123456789012/us-east-1/nop", 1, BODY)] * 64
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO t (k, due, body) VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
            count += 64
        return count / (time.perf_counter() - begin)


def accept_rate(bench):
    with Server(bench.binary) as server:
        server.create("nop", NOP)
        server.client.put_function_concurrency(FunctionName="nop", ReservedConcurrentExecutions=1)
        path, headers, body = event_headers(server, "nop", BODY)
        loads, floors = [], []
        for _ in range(3):
            floors.append(accept_floor(bench.seconds))
            loads.append(wrk(server.url + path, 64, bench.seconds, headers, "POST", body.decode()))
    rates = [load["per_s"] for load in loads]
    return {"value": median(rates), "floor": median(floors), "samples": rates, "floor_samples": floors, "unit": "/s",
            "count": sum(load["n"] for load in loads)}


def paced_fsyncs(per_s, seconds):
    """Times in ms of bare writes of 4 KiB with their fdatasync, as often and for as long as the events that they are the floor of, so
    that a disk which now and then stops for some ms does so for both; a late one counts from when it was due."""
    times = []
    with tempfile.TemporaryFile(prefix="lambent-bench-", dir="/tmp") as file:
        begin = time.perf_counter() + 0.05
        for number in range(int(per_s * seconds)):
            due = begin + number / per_s
            wait_until(due)
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - due) * 1e3)
    return times


def wait_until(due):
    while (left := due - time.perf_counter()) > 0:
        time.sleep(left)


def p99(times):
    return sorted(times)[int(len(times) * 0.99)]


def paced(server, message, per_s, seconds, threads=8):
    """Latencies in ms of requests that leave at a steady rate on kept connections; a late one counts from when it was due."""
    times, lock = [], threading.Lock()
    begin = time.perf_counter() + 0.05

    def send(first):
        own = []
        with server.connect() as connection:
            for number in range(first, int(per_s * seconds), threads):
                due = begin + number / per_s
                wait_until(due)
                connection.sendall(message)
                answer = connection.recv(65536)
                if not answer.startswith(b"HTTP/1.1 202"):
                    return
                own.append((time.perf_counter() - due) * 1e3)
        with lock:
            times.extend(own)

    workers = [threading.Thread(target=send, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if len(times) < per_s * seconds:
        raise Missing(f"only {len(times)} of {per_s * seconds:.0f} events were accepted")
    return times


def event_message(server, function, body):
    path, headers, body = event_headers(server, function, body)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: {len(body)}\r\n"
    return (head + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode() + body


def accept_p99(bench):
    with Server(bench.binary) as server:
        server.create("nop", NOP)
        server.client.put_function_concurrency(FunctionName="nop", ReservedConcurrentExecutions=1)
        message = event_message(server, "nop", BODY)
        values, floors = [], []
        for _ in range(5):
            floors.append(p99(paced_fsyncs(1000, bench.seconds)))
            values.append(p99(paced(server, message, 1000, bench.seconds)))
    return {"value": median(values), "floor": median(floors), "samples": values, "floor_samples": floors, "unit": "ms",
            "count": len(values) * 1000 * bench.seconds}


def to_handler(bench):
    """From the 202 in the client's hand to the handler's first line, the server idle; a handler may be the faster of the two."""
    printed = tempfile.NamedTemporaryFile("r", prefix="lambent-bench-")
    stdout = os.dup(1)
    # The server's standard output, where functions' logs are copied to.
    os.dup2(os.open(printed.name, os.O_WRONLY | os.O_APPEND), 1)
    try:
        server = Server(bench.binary, "--print-function-logs")
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
    with server:
        server.create("clock", CLOCK)
        server.invoke("clock")
        message = event_message(server, "clock", b"{}")
        waits = []
        with server.connect() as connection:
            for _ in range(200):
                seen = pathlib.Path(printed.name).read_text().count("BEGAN")
                connection.sendall(message)
                connection.recv(65536)
                answered = time.time()
                while (text := pathlib.Path(printed.name).read_text()).count("BEGAN") == seen:
                    time.sleep(0.0005)
                waits.append((float(text.rsplit("BEGAN ", 1)[1].split()[0]) - answered) * 1e3)
                time.sleep(0.005)
    return {"value": median(waits), "samples": waits, "unit": "ms"}


def start_with_backlog(bench):
    """kill -9 with 100,000 events waiting, and how long until the server answers a signed request again."""
    with Server(bench.binary) as server:
        server.create("sleeper", SLEEPER)
        server.client.put_function_concurrency(FunctionName="sleeper", ReservedConcurrentExecutions=1)
        path, headers, body = event_headers(server, "sleeper", BODY)
        while server.metric("lambent_async_events") < BACKLOG:
            wrk(server.url + path, 64, 2, headers, "POST", body.decode())
        waiting = server.metric("lambent_async_events")
        times = []
        for _ in range(bench.rounds):
            server.kill()
            server.start()
            times.append(server.start_ms / 1e3)
        kept = server.metric("lambent_async_events")
    # Each start tries the first again, which may have had its last try.
    if kept < waiting - bench.rounds:
        raise Missing(f"{waiting:.0f} events waited and {kept:.0f} are left")
    return {"value": median(times), "samples": times, "unit": "s", "note": f"{kept:.0f} events"}


@functools.cache
def overload(bench):
    """Rounds of as much as can be served and of five times as much, once for both rows: [(served, offered)]."""
    with Server(bench.binary) as server:
        server.create("slow", SLOW)
        server.client.put_function_concurrency(FunctionName="slow", ReservedConcurrentExecutions=10)
        message = server.message("slow")
        saturate(server.port, message, 1, 10)
        rounds = []
        for _ in range(5):
            peak = saturate(server.port, message, bench.seconds, 10)
            rounds.append((peak, offer(server.port, message, 5 * peak.per_s(200), bench.seconds, 128)))
            if set(rounds[-1][1].taken_ms) != {200, 429}:
                raise Missing(f"answered {dict((k, len(v)) for k, v in rounds[-1][1].taken_ms.items())}")
    return rounds


def overload_goodput(bench):
    rounds = overload(bench)
    served, peaks = [over.per_s(200) for _, over in rounds], [peak.per_s(200) for peak, _ in rounds]
    return {"value": median(served), "floor": median(peaks), "samples": served, "floor_samples": peaks, "unit": "/s",
            "count": sum(over.count(200) for _, over in rounds)}


def overload_refusals(bench):
    rounds = overload(bench)
    values = [over.percentile_ms(429, 0.99) for _, over in rounds]
    return {"value": median(values), "samples": values, "unit": "ms", "count": sum(over.count(429) for _, over in rounds),
            "note": f"{median([over.per_s(429) for _, over in rounds]):.0f} refusals/s"}


ROWS = [
    ("async accept/s, 64 connections, 1 KB, over SQLite's own rows in batches of 64", accept_rate, "ratio", 0.15, 0.4),
    ("202 latency p99 at 1,000 events/s, over a bare fsync's p99", accept_p99, "ratio", 4, 2),
    ("idle 202 to handler start p50, ms", to_handler, "value", 5, 1),
    ("100,000 events of backlog: ready after kill -9, s", start_with_backlog, "value", 2, 0.5),
    ("goodput at five times the capacity, over its peak", overload_goodput, "ratio", 0.9, 0.98),
    ("429 at five times the capacity p99, ms", overload_refusals, "value", 50, 10),
]
MORE_IS_BETTER = {accept_rate, overload_goodput}


def main():
    class Bench:
        binary = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/lambent")
        seconds = 5
        rounds = 100

    for name, measure, how, must, aim in ROWS:
        try:
            found = measure(Bench)
        except Missing as error:
            print(f"{name}: not measured: {error}", flush=True)
            continue
        value = found["value"] / found["floor"] if how == "ratio" else found["value"]
        beside = f" ({found['value']:.2f} {found['unit']} over {found['floor']:.2f})" if how == "ratio" else ""
        print(f"{name}: {value:.2f}{beside}, must {must}, aim {aim} {found.get('note', '')}", flush=True)


if __name__ == "__main__":
    main()
