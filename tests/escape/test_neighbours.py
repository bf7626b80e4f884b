"""What a fork bomb and threads that spin, of a static program, cost their neighbours, functions in Python, and the machine (trials 20
and 22)."""

import contextlib
import gc
import itertools
import os
import re
import socket
import statistics
import subprocess
import threading
import time
from pathlib import Path

from support.functions import PYTHON, Deployer, ensure_role
from support.paced import invoke_message
from support.polling import until
from support.server import AS_ROOT

MIB_OF_ONE_CPU = 1769
USUAL_MIB = 128
WINDOW_S = 0.5
TURNS = 8
MOST_ROUNDS = 5
MOST_ROUNDS_AT_WORK = 3
# A tick of the kernel: for so long a process that uses up its share may keep a processor.
TICK_S = 0.004

PROBING = """
import subprocess
def handler(event, context):
    return subprocess.run(["/var/task/probe", *event]).returncode
"""

# An ordinary function that uses all it may have, known among the others by its idle children.
SPINNER = """
import os, signal
def handler(event, context):
    for _ in range(24):
        if os.fork() == 0:
            signal.pause()
    while True:
        pass
"""

# Works for so many milliseconds of a processor's time as it is told.
WORKER = """
import time
def handler(event, context):
    end = time.thread_time() + event / 1000
    while time.thread_time() < end:
        pass
    return event
"""


class Group:
    """The control group of version 2 that one environment's processes are in, by which the host counts and stops them."""

    def __init__(self, directory):
        self.directory = directory

    def tasks(self):
        """Its processes, each thread of theirs counted."""
        try:
            return len(self._read("cgroup.threads").split())
        except OSError:
            # It is gone.
            return 0

    def processors(self):
        """On how many each process may run."""
        found = set()
        for pid in self._read("cgroup.procs").split():
            with contextlib.suppress(ProcessLookupError):
                found.add(len(os.sched_getaffinity(int(pid))))
        return found

    def used_s(self):
        return int(self._words("cpu.stat")["usage_usec"]) / 1e6

    def stop(self):
        self._write("cgroup.freeze", "1")
        until(lambda: self._words("cgroup.events")["frozen"] == "1", 30, "the group to stand still")

    def go_on(self):
        self._write("cgroup.freeze", "0")

    def kill(self):
        self._write("cgroup.kill", "1")

    def _read(self, name):
        return (self.directory / name).read_text()

    def _words(self, name):
        return dict(line.split() for line in self._read(name).splitlines())

    def _write(self, name, text):
        subprocess.run([*AS_ROOT, "tee", self.directory / name], input=text, text=True, stdout=subprocess.DEVNULL, check=True)


def grown(server, others=()):
    """The groups with many tasks among the environments of a server, whose launchers it or sudo's child has started."""
    mounted = next(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.split()[2] == "cgroup2")
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(line.split() for line in listed.splitlines())
    own = str(server.process.pid)
    launchers = [pid for pid, parent in parents.items() if own in (parent, parents.get(parent))]
    # Groups of others come and go meanwhile, which os.walk passes over.
    named = ((re.search(r"/lambent-(\d+)-\w+/e\d+/run$", top), Path(top)) for top, _, _ in os.walk(mounted))
    found = [Group(path) for match, path in named if match and match[1] in launchers]
    return [group for group in found if group.tasks() > 20 and group.directory not in others]


class Neighbour:
    """One that is asked again and again over one connection with one signed message: what is measured is the server and it."""

    def __init__(self, server, name, event=b"1"):
        self.message = invoke_message(server, name, event)
        self.line = socket.create_connection(("127.0.0.1", server.port))
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def asked(self, seconds):
        """How long each answer took, in seconds."""
        taken = []
        began = now = time.perf_counter()
        gc.disable()
        while now < began + seconds:
            self.line.sendall(self.message)
            # An answer of a few hundred bytes, written at once.
            assert self.line.recv(65536).startswith(b"HTTP/1.1 200 ")
            taken.append(-now + (now := time.perf_counter()))
        gc.enable()
        return taken


def p99(taken):
    return sorted(taken)[len(taken) * 99 // 100]


@contextlib.contextmanager
def standing_still(server, functions, name, event, others=(), ready=lambda group: None):
    """The group that a function has filled with tasks, stopped. It goes on when told to, and is killed at the end, which whoever
    invoked the function is told."""
    answers, found = [], []
    asking = threading.Thread(target=lambda: answers.append(functions.invoke(name, event)))
    asking.start()
    try:
        found += until(lambda: grown(server, others), 20, f"{name} to have many tasks")
        [group] = found
        ready(group)
        group.stop()
        yield group
    finally:
        for group in found:
            group.go_on()
            group.kill()
        asking.join()
    assert [answer.value["errorType"] for answer in answers] == ["Runtime.ExitError"]


def probing(functions, probe):
    """A function of the usual size that runs the probe as it is told."""
    return functions.create(PYTHON, {"app.py": PROBING, "probe!": probe}, MemorySize=USUAL_MIB, Timeout=85)


def full(bomb):
    until(lambda: bomb.tasks() > 900, 60, "the bomb to come to its limit")


def full_and_confined(bomb):
    full(bomb)
    until(lambda: bomb.processors() == {1}, 10, "the bomb to keep to one processor")


def all_64(spinners):
    until(lambda: spinners.tasks() > 64, 20, "64 threads beside what started them")


@contextlib.contextmanager
def fork_bomb(server, functions, probe, others=()):
    """The group of a fork bomb of the usual size, stopped: a thousand processes that never stop forking, and 7 % of a processor for them
    all, 1.4 ms of every 20. While it goes on it has that share and no more, and after it the function works again."""
    name = probing(functions, probe)
    assert functions.invoke(name, ["nothing"]).expect() == 0
    with standing_still(server, functions, name, ["endless-forks"], others, full_and_confined) as bomb:
        yield bomb
        assert 900 < bomb.tasks() <= 1024
    assert functions.invoke(name, ["nothing"]).expect() == 0


@contextlib.contextmanager
def using_its_share(group, at_least):
    """That over this time a group uses so much of its share, for it stands still now and then, and never more than all of it."""
    began_at, used_s = time.monotonic(), group.used_s()
    yield
    share = (group.used_s() - used_s) / (time.monotonic() - began_at)
    assert at_least < share / (USUAL_MIB / MIB_OF_ONE_CPU) < 1.1


def in_turns(neighbour, window_s, *groups):
    """How long each of its answers took: a list of windows while all groups stand still, and one for each group that goes on."""
    alone, *beside = taken = [[] for _ in (None, *groups)]
    for _ in range(TURNS):
        alone.append(neighbour.asked(window_s))
        for group, windows in zip(groups, beside, strict=True):
            group.go_on()
            windows.append(neighbour.asked(window_s))
            group.stop()
    return taken


def p99_of_usual_windows(windows):
    """The quarter's mark from below: what else the machine does adds to some of the windows, what a neighbour does it does in all."""
    return statistics.quantiles(map(p99, windows), n=4)[0]


def p99_of_all(windows):
    return p99(list(itertools.chain(*windows)))


def hold_a_worker(server, functions, group, work_ms):
    """A neighbour that works for so long in each answer to 1.2 times its p99, and the group to its share."""
    name = functions.create(PYTHON, WORKER, MemorySize=MIB_OF_ONE_CPU)
    functions.invoke(name, work_ms).expect()
    neighbour = Neighbour(server, name, str(work_ms).encode())
    neighbour.asked(WINDOW_S)
    tried = []
    # The group is at work for half of the time.
    with using_its_share(group, 0.3):
        while not any(beside <= 1.2 * alone for alone, beside in tried):
            assert len(tried) < MOST_ROUNDS_AT_WORK, f"p99 in seconds alone and beside it: {tried}"
            tried.append(tuple(map(p99_of_all, in_turns(neighbour, 2 * WINDOW_S, group))))


def test_a_neighbours_p99_beside_a_fork_bomb(new_server, probe):
    """At most 1.2 times what it is beside an ordinary function of the bomb's size that uses up its share, and 1.2 times and a tick of
    the kernel of what it is alone. The neighbour does nothing, in a fifth of a millisecond, so that whatever is added is seen; it
    has one processor and is asked over one connection as fast as it answers, of a server that does nothing else.

    What uses its share is felt, whatever it is: on two processors the ordinary function alone makes 1.1 to 1.3 times of it
    (docs/decisions/0013-crowds-are-confined.md). A round that noise has spoilt is repeated; what the bomb does it does in every round.
    What the host is left with is certain: the bomb's share is its limit, on one processor."""
    server = new_server()
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, "def handler(event, context):\n    return event\n", MemorySize=MIB_OF_ONE_CPU)
    spender = functions.create(PYTHON, SPINNER, MemorySize=USUAL_MIB, Timeout=85)
    functions.invoke(name, 0).expect()
    with (standing_still(server, functions, spender, 0) as spinner,
          fork_bomb(server, functions, probe, [spinner.directory]) as bomb):
        neighbour = Neighbour(server, name)
        neighbour.asked(WINDOW_S)
        tried = []
        # It is at work for a third of the time.
        with using_its_share(bomb, 0.2):
            while not any(bombed <= 1.2 * spun and bombed <= 1.2 * alone + TICK_S for alone, spun, bombed in tried):
                assert len(tried) < MOST_ROUNDS, f"p99 in seconds alone, beside the spinner and beside the bomb: {tried}"
                tried.append(tuple(map(p99_of_usual_windows, in_turns(neighbour, WINDOW_S, spinner, bomb))))


def test_the_p99_of_a_neighbour_that_works_beside_a_fork_bomb(new_server, probe):
    """At most 1.2 times what it is alone: ten milliseconds of work in each answer, of which the bomb's 1.4 are not a fifth."""
    server = new_server()
    functions = Deployer(server, ensure_role(server))
    with fork_bomb(server, functions, probe) as bomb:
        hold_a_worker(server, functions, bomb, 10)


def test_the_p99_of_a_neighbour_that_works_beside_64_spinning_threads(new_server, probe):
    """At most 1.2 times what it is alone (trial 22), where it works for fifty milliseconds: 64 have what one would have, but whichever
    is on a processor keeps it to the next tick of the kernel, and that is paid back later."""
    server = new_server()
    functions = Deployer(server, ensure_role(server))
    with standing_still(server, functions, probing(functions, probe), ["spin", "85"], ready=all_64) as spinners:
        hold_a_worker(server, functions, spinners, 50)


def test_a_killed_server_takes_a_fork_bomb_along(new_server, probe):
    """A thousand processes have to end, and at once, not within the bomb's share of a processor: that took three to nine seconds, and
    a launcher that waited for one of them too early once stayed for good. One of three is enough: a build may hold one up."""
    taken = []
    while not any(each < 2 for each in taken):
        assert len(taken) < 3, f"seconds until the launcher had ended: {taken}"
        taken.append(seconds_to_end(new_server(), probe))


def seconds_to_end(server, probe):
    functions = Deployer(server, ensure_role(server))
    functions.client.invoke(FunctionName=probing(functions, probe), InvocationType="Event", Payload=b'["endless-forks"]')
    [bomb] = until(lambda: grown(server), 20, "the bomb to go off")
    full(bomb)
    server.kill9()
    began = time.monotonic()
    until(lambda: not bomb.directory.exists(), 30, "the bomb and its group to be gone")
    return time.monotonic() - began
