"""No descriptors left (trial 6): connections are shed, nothing crashes or spins, and what is freed is enough to go on.

The limits are set on the running processes, as an operator's mistake or a leak elsewhere would.
"""

import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role
from support.paced import invoke_message
from support.polling import until
from support.server import Server
from support.signing import Signed

HANDLER = "import time\ndef handler(event, context):\n    time.sleep(event.get('sleep', 0))\n    return event['n']\n"
ROOM = 40

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="changes the limits of processes of another user")


@pytest.fixture(scope="module")
def server():
    # Nothing waits for its function: an environment is launched when it is wanted.
    running = Server("--spare-memory", "0").start()
    yield running
    running.discard()


@pytest.fixture(scope="module")
def function(server):
    return Deployer(server, ensure_role(server)).create(PYTHON, HANDLER)


class Narrow:
    """A process that may open so many files more, until the end."""

    def __init__(self, pid, more):
        self.pid = pid
        self.more = more

    def _limit(self, files):
        # The process's own user may change it, whatever rights this one has.
        owner = Path(f"/proc/{self.pid}/task").stat()
        subprocess.run(["prlimit", f"--pid={self.pid}", f"--nofile={files}:"], check=True, user=owner.st_uid,
                       group=owner.st_gid, extra_groups=[])

    def __enter__(self):
        taken = {int(entry.name) for entry in Path(f"/proc/{self.pid}/fd").iterdir()}
        free = (number for number in itertools.count() if number not in taken)
        limits = Path(f"/proc/{self.pid}/limits").read_text()
        self.before = re.search(r"Max open files +(\d+)", limits)[1]
        self._limit(next(itertools.islice(free, self.more, None)))
        return self

    def __exit__(self, *_):
        self._limit(self.before)


def launchers_of(server):
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "lambent-launch"]


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def invoke(server, name, **event):
    answer = server.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def all_at_once(connections, message):
    for connection in connections:
        connection.settimeout(60)
        connection.sendall(message)
    return [connection.recv(65536) for connection in connections]


def is_shed(connection):
    """Closed by the server without a word."""
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_connections_beyond_the_descriptors_are_shed_at_once(server, function):
    assert invoke(server, function, n=1) == 1
    pid = server.process.pid
    kept = connect(server)
    request = Signed(server, "GET", "/2015-03-31/functions/")
    message = "GET {} HTTP/1.1\r\n{}\r\n\r\n".format(
        request.target, "\r\n".join(f"{name}: {value}" for name, value in request.headers.items())).encode()
    with Narrow(pid, ROOM):
        idle = [connect(server) for _ in range(4 * ROOM)]
        # The last of them came when there was no room for long.
        began = time.monotonic()
        assert all(is_shed(connection) for connection in idle[-ROOM:])
        assert time.monotonic() - began < 2
        # Who is connected is served.
        kept.sendall(message)
        kept.settimeout(5)
        assert kept.recv(65536).startswith(b"HTTP/1.1 200")
        spent, since = cpu_seconds(pid), time.monotonic()
        time.sleep(0.5)
        assert cpu_seconds(pid) - spent < 0.25 * (time.monotonic() - since), "it spins"
        for connection in idle:
            connection.close()
        # Below the same limit: what the others gave back is enough.
        until(lambda: try_invoke(server, function) == 2, 10, "an invocation on what was given back")
    kept.close()
    assert server.process.poll() is None


def try_invoke(server, function):
    try:
        return invoke(server, function, n=2)
    except (ClientError, OSError):
        return None
    except Exception as error:  # botocore wraps a connection that was closed
        if "Connection" not in type(error).__name__:
            raise
        return None


@pytest.mark.parametrize("whose", ["the server's", "the launcher's"])
def test_environments_without_descriptors_fail_and_the_next_ones_work(server, whose):
    name = Deployer(server, ensure_role(server)).create(PYTHON, HANDLER)
    pids = [server.process.pid] if whose == "the server's" else launchers_of(server)
    assert pids
    message = invoke_message(server, name, b'{"n": 3, "sleep": 1}')
    # More at once than environments that are there already.
    connections = [connect(server) for _ in range(8)]
    with contextlib.ExitStack() as narrowed:
        for pid in pids:
            narrowed.enter_context(Narrow(pid, 1))
        answers = all_at_once(connections, message)
        assert all(re.match(rb"HTTP/1.1 (200|500) ", answer) for answer in answers), answers
        refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 500 ")]
        assert refused and all(b"ServiceException" in answer for answer in refused), answers
    assert all(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"3") for answer in all_at_once(connections, message))
    for connection in connections:
        connection.close()
