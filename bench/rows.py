"""The rows of the table, each a function of the machine that returns what was measured beside its floor."""

import json
import os
import pathlib
import selectors
import subprocess
import tempfile
import time

from lab import MEMORY_MIB, NODE, PYTHON, ROOT, SDK, TRUST, Missing, Server, check, median, spawn_ms, wrk

NODE_MAJOR = subprocess.run([NODE, "--version"], text=True, stdout=subprocess.PIPE).stdout[1:].split(".")[0]
PYTHON_NAME = subprocess.run([PYTHON, "-c", "import sys; print('python3.%d' % sys.version_info[1])"], text=True,
                             stdout=subprocess.PIPE).stdout.strip()
NOP_PYTHON = (PYTHON_NAME, "app.handler", {"app.py": "def handler(event, context):\n    return event\n"})
NOP_NODE = (f"nodejs{NODE_MAJOR}.x", "app.handler", {"app.js": "exports.handler = async (event) => event;\n"})
NOP_RUBY = ("ruby3.3", "app.handler", {"app.rb": "def handler(event:, context:)\n  event\nend\n"})
BOTO3 = (PYTHON_NAME, "app.handler", {"app.py": "import boto3\nclient = boto3.client('dynamodb')\n"
                                               "def handler(event, context):\n    return client.meta.region_name\n"})
SLEEPER = (PYTHON_NAME, "app.handler", {"app.py": "import os, time\ndef handler(event, context):\n    now = time.time()\n"
                                                 "    time.sleep(event['stays_s'])\n"
                                                 "    return [now, os.environ['AWS_LAMBDA_LOG_STREAM_NAME']]\n"})
PLAIN_PYTHON = [PYTHON, "-I", "-S", "-c", "pass"]
PLAIN_NODE = [NODE, "-e", "0"]
# Loads of each kind, of which the middle one counts.
TURNS = 5


class Bench:
    def __init__(self, binary, build, rounds, seconds):
        self.binary, self.build, self.rounds, self.seconds = binary, pathlib.Path(build), rounds, seconds


def cold(bench, function, floor, options=(), spare=True, floor_environment=None, zygote=False):
    """First invocations after an update, in turns with the floor. With `spare` each waits until there is one to take and the machine
    is at rest, with `zygote` until something can be forked."""
    with Server(bench.binary, *options) as server:
        server.create("cold", function)
        server.invoke("cold")
        if zygote:
            server.wait_for_zygote("cold")
        times, floors, taken, busy, forked = [], [], 0, 0, server.forked()
        for number in range(bench.rounds):
            server.retire("cold", number)
            if spare and not server.wait_for_spares(1):
                busy += 1
            before = server.taken()
            message = server.message("cold", "close")
            times.append(server.timed_ms(message))
            taken += server.taken() - before
            floors.append(spawn_ms(floor, floor_environment))
        forked = server.forked() - forked
    note = "" if not spare or taken == bench.rounds else f"only {taken:.0f} of {bench.rounds} came from a spare"
    if busy:
        note += f" {busy} not at rest"
    if zygote and forked != bench.rounds:
        note = f"only {forked:.0f} of {bench.rounds} came from a zygote"
    return {"value": median(times), "floor": median(floors), "samples": times, "floor_samples": floors, "unit": "ms",
            "note": note}


def python_spare(bench):
    return cold(bench, NOP_PYTHON, PLAIN_PYTHON)


def python_empty(bench):
    # Too little for a spare, enough for the zygote.
    return cold(bench, NOP_PYTHON, PLAIN_PYTHON, ["--spare-memory", "1"], spare=False, zygote=True)


def python_boto3(bench):
    return cold(bench, BOTO3, [PYTHON, "-c", "import boto3"], floor_environment={"PYTHONPATH": SDK})


def node_spare(bench):
    return cold(bench, NOP_NODE, PLAIN_NODE)


def node_empty(bench):
    return cold(bench, NOP_NODE, PLAIN_NODE, ["--spare-memory", "0"], spare=False)


def ruby_spare(bench):
    return cold(bench, NOP_RUBY, ["/usr/bin/ruby", "--disable-gems", "-e", "0"])


def java_spare(bench):
    with tempfile.TemporaryDirectory() as directory:
        sources = {"Hello": "public class Hello { public static void main(String[] a) { System.out.println(\"hello\"); } }",
                   "Nop": "public class Nop { public Object handle(Object event) { return event; } }"}
        for name, text in sources.items():
            pathlib.Path(directory, name + ".java").write_text(text)
        if not os.path.exists("/usr/bin/javac"):
            raise Missing("there is no /usr/bin/javac")
        subprocess.run(["/usr/bin/javac", "--release", "8", "-nowarn", "Hello.java", "Nop.java"], cwd=directory, check=True,
                       stderr=subprocess.DEVNULL)
        nop = ("java17", "Nop::handle", {"Nop.class": pathlib.Path(directory, "Nop.class").read_bytes()})
        return cold(bench, nop, ["/usr/bin/java", "-cp", directory, "Hello"])


def provided_spare(bench):
    binary = bench.build / "provided_nop"
    found = cold(bench, ("provided.al2023", "nop", {"bootstrap": binary.read_bytes()}), [str(binary), "exit"])
    found["added"] = found["value"] - found["floor"]
    return found


def warm(bench, connections, figure, unit, floor=None):
    """A figure of warm invocations over the same of an HTTP echo through the same server, or over what `floor` measures. In turns, so
    that a slow moment of the machine meets all."""
    with Server(bench.binary) as server:
        server.create("warm", NOP_PYTHON)
        server.invoke("warm")
        floors, echoes, loads = [], [], []
        for _ in range(TURNS):
            path, headers, body = server.signed("warm")
            echoes.append(wrk(server.url + "/_lambent/health", connections, bench.seconds))
            floors.append(floor() if floor else echoes[-1][figure])
            loads.append(wrk(server.url + path, connections, bench.seconds, headers, "POST", body.decode()))
    note = ", ".join(f"{name} {middle(loads, each):.0f}{what} over an echo's {middle(echoes, each):.0f}"
                     for name, each, what in (("p50", "p50_us", " us"), ("p99", "p99_us", " us"), ("rate", "per_s", "/s")))
    return {"value": middle(loads, figure), "floor": median(floors), "unit": unit, "note": note,
            "samples": [each[figure] for each in loads], "floor_samples": floors, "count": sum(each["n"] for each in loads)}


def middle(loads, figure):
    return median([load[figure] for load in loads])


def warm_p50(bench):
    return warm(bench, 1, "p50_us", "us")


def warm_rate(bench):
    return warm(bench, 8, "per_s", "/s", lambda: runtime_loop(bench)["per_s"])


def logs_kept(bench):
    """A function whose role may write its log, over the same one with a role that may not, which keeps none."""
    with Server(bench.binary) as server:
        server.create("silent", NOP_PYTHON)
        iam = server.make_client("iam")
        server.role = iam.create_role(RoleName="logging", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        iam.attach_role_policy(RoleName="logging", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
        server.create("kept", NOP_PYTHON)
        found, count = {"silent": [], "kept": []}, 0
        # A few microseconds in some two hundred: many short turns, in changing order, meet the same spells of the machine, and each
        # in an environment of its own the same luck with its processor.
        for turn in range(bench.rounds):
            for name in sorted(found, reverse=turn % 2 == 1):
                server.retire(name, turn)
                server.invoke(name)
                path, headers, body = server.signed(name)
                load = wrk(server.url + path, 1, 1, headers, "POST", body.decode())
                found[name].append(load["p50_us"])
                count += load["n"]
        groups = server.make_client("logs").describe_log_groups()["logGroups"]
        if [each["logGroupName"] for each in groups] != ["/aws/lambda/kept"]:
            raise Missing(f"other logs were kept: {groups}")
    return {"value": median(found["kept"]), "floor": median(found["silent"]), "samples": found["kept"],
            "floor_samples": found["silent"], "unit": "us", "count": count // 2}


def runtime_loop(bench, *arguments):
    out = subprocess.run([bench.build / "runtime_loop", str(ROOT / "src/runtimes/python"), str(bench.seconds), *arguments],
                         text=True, stdout=subprocess.PIPE)
    if out.returncode:
        raise Missing(f"runtime_loop {' '.join(arguments)} ended with {out.returncode}")
    return json.loads(out.stdout)


def loops(bench, options, floor_options):
    """The median event of the runtime loop in two of its ways, in turns."""
    found, floors, count = [], [], 0
    for _ in range(TURNS):
        floors.append(runtime_loop(bench, *floor_options)["p50_us"])
        loop = runtime_loop(bench, *options)
        found.append(loop["p50_us"])
        count += int(loop["per_s"] * bench.seconds)
    return {"value": median(found), "floor": median(floors), "samples": found, "floor_samples": floors, "unit": "us", "count": count}


def sandbox_on_off(bench):
    """The same loop with its runtime in a sandbox and outside, without freezing."""
    return loops(bench, ["--sandbox"], [])


def freezing(bench):
    """Freeze, thaw and the first byte: the loop in a sandbox that is frozen between events, a millisecond apart, over one that is not."""
    found = loops(bench, ["--freeze"], ["--rest"])
    found["added"] = found["value"] - found["floor"]
    return found


def concurrent(server, name, count, body=b"{}"):
    """Sends so many signed requests at once; answers of all, or Missing."""
    message = server.message(name, "close", body)
    selector = selectors.DefaultSelector()
    answers = {}
    connections = [server.connect() for _ in range(count)]
    begin = time.time()
    for connection in connections:
        connection.sendall(message)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ)
        answers[connection] = b""
    until = time.time() + 60
    while selector.get_map():
        if time.time() > until:
            raise Missing(f"{len(selector.get_map())} of {count} were not answered within a minute")
        for key, _ in selector.select(1):
            part = key.fileobj.recv(65536)
            answers[key.fileobj] += part
            if not part:
                selector.unregister(key.fileobj)
                key.fileobj.close()
    for answer in answers.values():
        check(answer)
    return begin, [json.loads(answer.partition(b"\r\n\r\n")[2]) for answer in answers.values()]


def burst(bench):
    """From the first byte sent until 200 environments run at once."""
    # So long each stays, for none to be met by a second request: two seconds, or six where a burst takes longer than two.
    times, stays_s = [], 2
    with Server(bench.binary) as server:
        server.create("burst", SLEEPER)
        while len(times) < bench.rounds:
            server.retire("burst", f"{len(times)}, {stays_s}")
            server.wait_for_spares(1, bound_s=3)
            begin, answers = concurrent(server, "burst", 200, json.dumps({"stays_s": stays_s}).encode())
            streams = {stream for _, stream in answers}
            if len(streams) == 200:
                times.append(max(entered for entered, _ in answers) - begin)
            elif stays_s < 6:
                stays_s = 6
            else:
                raise Missing(f"200 requests ran in {len(streams)} environments")
    return {"value": median(times), "samples": times, "unit": "s"}


def idle_memory(bench):
    """A hundred idle environments whose imports are the same, twenty at a time, from the zygote and by exec."""
    function = (PYTHON_NAME, "app.handler", {"app.py": "import boto3, time\nclient = boto3.client('dynamodb')\n"
                                                       "def handler(event, context):\n    time.sleep(3)\n    return event\n"})
    found = {"forked": [], "executed": []}
    for how, variables in (("forked", {}), ("executed", {"PYTHONUNBUFFERED": "1"})) * 5:
        with Server(bench.binary) as server:
            server.create("memory", function, Environment={"Variables": variables})
            if how == "forked":
                server.wait_for_spares(1, bound_s=3)
            before = len(server.pss_mib())
            concurrent(server, "memory", 20)
            sizes = server.pss_mib()
            if len(sizes) < before + 15:
                raise Missing(f"{len(sizes)} Python processes are there")
            found[how] += sizes
    return {"value": median(found["forked"]), "floor": median(found["executed"]), "samples": found["forked"],
            "floor_samples": found["executed"], "unit": "MiB"}


def server_start(bench):
    """With an empty data directory, whose database and files are made, and network for functions."""
    times = []
    for _ in range(bench.rounds):
        with Server(bench.binary, network="egress") as server:
            times.append(server.start_ms)
    return {"value": median(times), "samples": times, "unit": "ms"}


def server_restart(bench):
    times = []
    with Server(bench.binary, network="egress") as server:
        for _ in range(bench.rounds):
            server.stop()
            server.start()
            times.append(server.start_ms)
    return {"value": median(times), "samples": times, "unit": "ms"}


def server_memory(bench):
    held = []
    for _ in range(bench.rounds):
        with Server(bench.binary) as server:
            time.sleep(0.2)
            held.append(server.resident_mib())
    return {"value": median(held), "samples": held, "unit": "MiB"}


# Name, measure, what is compared with must and aim ("ratio" to the floor, "added" to it, or the "value"), must, aim, and
# whether more is better.
ROWS = [
    ("Python cold start from a spare, over python3 -I -S -c pass", python_spare, "ratio", 0.5, 0.25),
    ("Python cold start, pool empty, over the same", python_empty, "ratio", 1.0, 0.6),
    ("Python importing boto3 and making a client, cold, over import boto3", python_boto3, "ratio", 0.3, 0.1),
    ("Node.js cold start from a spare, over node -e 0", node_spare, "ratio", 0.3, 0.15),
    ("Node.js cold start, pool empty, over the same", node_empty, "ratio", 1.3, 1.1),
    ("Ruby cold start from a spare, over ruby --disable-gems -e 0", ruby_spare, "ratio", 0.3, 0.1),
    ("Java cold start from a spare, over a hello class", java_spare, "ratio", 0.5, 0.3),
    ("provided (static C++), ms added to a bare exec", provided_spare, "added", 3, 1),
    ("warm Invoke p50, nop Python, signed, over an HTTP echo", warm_p50, "ratio", 4, 2.5),
    ("warm Invoke p50 with its log kept, over without", logs_kept, "ratio", 1.05, 1.02),
    ("warm requests/s, eight connections, over the bare loop", warm_rate, "ratio", 0.25, 0.4),
    ("sandbox on over off, warm p50", sandbox_on_off, "ratio", 1.10, 1.03),
    ("freeze, thaw, first byte: us added to a warm event", freezing, "added", None, None),
    ("0 to 200 environments of one Python function, s", burst, "value", 4, 1),
    ("PSS of an idle Python environment, over an exec'd one", idle_memory, "ratio", 0.4, 0.2),
    ("server's first start to first answer, ms", server_start, "value", 50, 20),
    ("server start to first answer with its data there, ms", server_restart, "value", 50, 20),
    ("server's idle resident memory, MiB", server_memory, "value", 30, 15),
]
MORE_IS_BETTER = {warm_rate}
__all__ = ["MEMORY_MIB", "ROWS", "MORE_IS_BETTER", "Bench"]
