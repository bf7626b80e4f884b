"""kill -9 at random moments while events are accepted, run, retried and told to destinations: none that was accepted is lost, and what
runs twice is accounted for, run by run.

A run is done twice when a kill found it without its end on the disk. Which those are is known exactly. Each handler writes into a
directory of the host's (a shared file system, so that no kill takes it along) that it begins and that it ends; after each kill, when the
last environment is gone and before the next start, the database says of each event how many attempts the disk knows of. What has begun
once more than that runs again, through this kill and no other. These are, at most:
- the invocations in flight, for which the function's reserved concurrency is the bound (an answer that was given and not yet taken
  note of is one of them, so what has not written its end may be fewer),
- and one commit group, whose events have ended but are still to be written: invoke/async lets no more than so many be
  (kUnsettled), and store/database writes no more at once (kGroup).
So much is held for each kill, and for each event at the end that it ran no oftener than it had to and these kills made it.

A quick part by default. LAMBENT_CHAOS_KILLS and LAMBENT_CHAOS_EVENTS make it long: `make chaos` kills 100 times during 100,000 events.
"""

import collections
import json
import os
import random
import re
import select
import shutil
import sqlite3
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from chaos.accept_load import Load
from support.functions import Deployer
from support.polling import until
from support.queue_of_told import QueueOfTold
from support.server import Server

KILLS = int(os.environ.get("LAMBENT_CHAOS_KILLS", "5"))
EVENTS = int(os.environ.get("LAMBENT_CHAOS_EVENTS", "3000"))
SEED = int(os.environ.get("LAMBENT_CHAOS_SEED", str(time.time_ns() % 1_000_000)))
# Scaled: a minute takes a fifth of a second. The six hours after which an event is given up are a minute and a bit then: too short
# for what a long run has waiting.
TIME_SCALE = int(os.environ.get("LAMBENT_CHAOS_TIME_SCALE", "300"))
CONCURRENCY = 4
COMMIT_GROUP = 256
SETTLE_SECONDS = int(os.environ.get("LAMBENT_CHAOS_SETTLE", "120"))
# AWS: an event whose function fails is tried three times.
TRIES = 3

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
SEND = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]})
ACCESS_POINT = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
OWNER = 12345
# Every tenth event fails each time: it must end in the queue of failures. Some take their time, so that kills meet them.
COUNTER = """
import os, time, uuid
ledger = os.open(f"/mnt/ledgers/{uuid.uuid4()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
def handler(event, context):
    os.write(ledger, f"begins {event['n']} {context.aws_request_id}\\n".encode())
    time.sleep(0.03 if event['n'] % 8 == 0 else 0)
    os.write(ledger, b"ends\\n")
    if event["fail"]:
        raise ValueError("as asked")
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="looks into the data directory of another user")


class Ledgers:
    """What the handlers wrote: a file for each environment, which does one thing after another."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="lambent-shared-", dir="/tmp"))
        self.home.chmod(0o755)
        self.directory = self.home / "ledgers"
        self.directory.mkdir()
        os.chown(self.directory, OWNER, OWNER)
        # By request id.
        self.begun = collections.Counter()
        self.number_of = {}
        self._read = set()

    def add_new(self):
        """Reads the environments that have come since, all of which have ended; how many ended in the middle of a run."""
        in_flight = 0
        for ledger in set(self.directory.iterdir()) - self._read:
            self._read.add(ledger)
            # A kill may cut the last one short.
            lines = ledger.read_text().split("\n")[:-1]
            for line in lines:
                if line != "ends":
                    _, number, request = line.split()
                    self.begun[request] += 1
                    self.number_of[request] = int(number)
            in_flight += bool(lines) and lines[-1] != "ends"
        return in_flight

    def are_written(self):
        """True when an environment has begun something since add_new()."""
        return any(ledger.stat().st_size for ledger in set(self.directory.iterdir()) - self._read)

    def remove(self):
        shutil.rmtree(self.home)


@pytest.fixture
def ledgers():
    made = Ledgers()
    yield made
    made.remove()


@pytest.fixture
def failures():
    queue = QueueOfTold("failures")
    yield queue
    queue.close()


@pytest.fixture
def server(failures, ledgers):
    running = Server("--time-scale", str(TIME_SCALE), "--file-system", f"{ACCESS_POINT}={ledgers.directory}",
                     *failures.target_arguments()).start()
    yield running
    running.discard()


def deploy(server, destination):
    iam = server.client("iam")
    role = iam.create_role(RoleName="counter", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="counter", PolicyName="send", PolicyDocument=SEND)
    # Time enough: a run that is cut off on a busy machine would be repeated without a kill.
    name = Deployer(server, role).create("python3.13", COUNTER, stem="counter", Timeout=300,
                                         FileSystemConfigs=[{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/ledgers"}])
    client = server.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=CONCURRENCY)
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": destination}})
    return name


def waiting(server):
    text = urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10).read().decode()
    return int(float(re.search(r"^lambent_async_events ([\d.]+)$", text, re.M)[1]))


def launchers_of(server):
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "lambent-launch"]


def kill_all(server):
    """kill -9, and the end of all environments that follows."""
    ends = [os.pidfd_open(pid) for pid in launchers_of(server)]
    assert ends
    server.kill9()
    for end in ends:
        assert select.select([end], [], [], 60)[0], "the launcher outlives its server"
        os.close(end)


def attempts_on_disk(server):
    """{request id: attempts that the disk knows of} of the events whose function is still to run, in the database of a dead server."""
    with tempfile.TemporaryDirectory() as copy:
        for name in ("lambent.db", "lambent.db-wal"):
            shutil.copy(server.data / name, copy)
        database = sqlite3.connect(f"{copy}/lambent.db")
        try:
            return dict(database.execute("SELECT request_id, attempts FROM async_events WHERE ended = 0"))
        finally:
            database.close()


class Account:
    """Of each event, how many of its runs were undone by a kill."""

    def __init__(self, ledgers):
        self.ledgers = ledgers
        self.undone = collections.Counter()
        # For each kill: runs undone, those of them whose handler had not ended.
        self.kills = []

    def kill(self, server):
        kill_all(server)
        in_flight = self.ledgers.add_new()
        known = attempts_on_disk(server)
        undone = {request: self.ledgers.begun[request] - self.undone[request] - attempts for request, attempts in known.items()}
        assert set(undone.values()) <= {0, 1}, f"seed {SEED}: runs that the disk missed before the kill, or knows of and never were"
        again = [request for request, times in undone.items() if times]
        self.undone.update(again)
        self.kills.append((len(again), in_flight))
        assert in_flight <= CONCURRENCY
        assert in_flight <= len(again) <= CONCURRENCY + COMMIT_GROUP, f"seed {SEED}, kill {len(self.kills)}: {self.kills[-1]}"

    def duplicates(self):
        """How many runs there were beyond those that each event had to have. None but the kills' own."""
        total = 0
        for request, begun in self.ledgers.begun.items():
            owed = TRIES if self.ledgers.number_of[request] % 10 == 0 else 1
            assert begun <= owed + self.undone[request], \
                f"seed {SEED}: {request} ran {begun} times, {self.undone[request]} of them undone by kills"
            total += max(0, begun - owed)
        return total


def test_no_accepted_event_is_lost_to_kills(server, ledgers, failures, capsys):
    chance = random.Random(SEED)
    name = deploy(server, failures.arn)
    load = Load(server, name)
    account = Account(ledgers)
    per_round = EVENTS // (KILLS + 1)
    starts = []
    for _ in range(KILLS):
        before = len(load.accepted)
        threads = load.run(per_round)
        until(lambda: len(load.accepted) > before or not any(thread.is_alive() for thread in threads), 30, "accepts")
        # One in five comes before anything has begun to run again, more or less.
        if chance.random() < 0.8:
            until(ledgers.are_written, 60, "events run")
        time.sleep(chance.uniform(0, 0.5))
        account.kill(server)
        for thread in threads:
            thread.join(30)
        began = time.monotonic()
        server.start()
        starts.append(time.monotonic() - began)
    for thread in load.run(EVENTS - load._next):
        thread.join(300)
    until(lambda: waiting(server) == 0, SETTLE_SECONDS, "every event has ended")
    told = collections.Counter(json.loads(body)["requestPayload"]["n"] for body in failures.bodies)
    assert ledgers.add_new() == 0, "an event that has ended is still running"
    duplicates = account.duplicates()
    ran = set(ledgers.number_of.values())
    failing = {number for number in load.accepted if number % 10 == 0}
    # One that waited for too long ends in the queue of failures too.
    lost = {number for number in load.accepted - failing if number not in ran and number not in told}
    lost |= {number for number in failing if number not in told}
    most, in_flight = (max(column) for column in zip(*account.kills))
    with capsys.disabled():
        print(f"\nchaos seed {SEED}: {KILLS} kills, {len(load.accepted)} accepted, {len(load.unanswered)} unanswered, "
              f"{len(lost)} lost, {duplicates} duplicate runs, of one kill {most} at most (of {CONCURRENCY} in flight and a commit "
              f"group of {COMMIT_GROUP}), {in_flight} at most unended, {len(told)} failures told, "
              f"slowest restart {max(starts):.2f} s")
    assert not lost, f"accepted and lost: {sorted(lost)[:20]}"
