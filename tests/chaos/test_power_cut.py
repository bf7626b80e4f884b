"""The power fails while events are accepted: whatever the disk kept of what was not synced, no event that was answered 202 is lost
(trial 2). Instants are chosen from one recorded run, so that hundreds of cuts cost seconds.

LAMBENT_CHAOS_CUTS sets how many instants are looked at, LAMBENT_CHAOS_SEED which.
"""

import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import threading
import time

import pytest

from chaos import power_cut
from support.functions import PYTHON, Deployer, ensure_role
from support.polling import until
from support.server import Server
from support.signing import Signed

CUTS = int(os.environ.get("LAMBENT_CHAOS_CUTS", "30"))
SEED = int(os.environ.get("LAMBENT_CHAOS_SEED", str(time.time_ns() % 1_000_000)))
EVENTS = 320
CONNECTIONS = 8
DATABASE = "lambent.db"
# Slow enough that most events wait, quick enough that some have run and are forgotten.
HANDLER = """
import time
def handler(event, context):
    print("RAN", context.aws_request_id, time.monotonic_ns(), flush=True)
    time.sleep(0.01)
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the server is started with a library before libc, which sudo takes away")


def accept_events(server, name):
    """{request id: when its 202 was in the client's hand}."""
    accepted, lock = {}, threading.Lock()
    chance = random.Random(SEED)
    # Large ones fill the log, so that it is folded into the database meanwhile.
    sizes = [chance.choice((10, 1000, 60_000, 500_000)) for _ in range(EVENTS)]

    def send(first):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for number in range(first, EVENTS, CONNECTIONS):
            body = json.dumps({"n": number, "pad": "x" * sizes[number]}).encode()
            signed = Signed(server, "POST", f"/2015-03-31/functions/{name}/invocations", body,
                            headers={"X-Amz-Invocation-Type": "Event"})
            connection.request("POST", signed.target, body, signed.headers)
            answer = connection.getresponse()
            answer.read()
            answered = time.monotonic_ns()
            if answer.status == 202:
                with lock:
                    accepted[answer.getheader("x-amzn-RequestId")] = answered
        connection.close()

    threads = [threading.Thread(target=send, args=(first,)) for first in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return accepted


class Run:
    """One recorded run of a server that was killed at its end."""

    def __init__(self, server, directory):
        self.recording = directory / "recording"
        server.environment = {"LD_PRELOAD": str(power_cut.recorder(directory)), "LAMBENT_RECORD_IN": str(server.data),
                              "LAMBENT_RECORD_TO": str(self.recording)}
        server.start()
        name = Deployer(server, ensure_role(server)).create(PYTHON, HANDLER, stem="kept")
        client = server.client("lambda")
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        # Nothing but the events' own writes is recorded from here on.
        self.began = time.monotonic_ns()
        self.accepted = accept_events(server, name)
        self.ended = time.monotonic_ns()
        server.kill9()
        server.environment = {}
        self.ran = {request: int(at) for request, at in re.findall(r"RAN (\S+) (\d+)", server.log.read_text(errors="replace"))}
        self.records = power_cut.read(self.recording)

    def owed(self, instant):
        """What was accepted by then and had not begun to run."""
        return {request for request, answered in self.accepted.items()
                if answered <= instant and self.ran.get(request, instant + 1) > instant}


@pytest.fixture(scope="module")
def server():
    made = Server("--print-function-logs")
    yield made
    made.discard()


@pytest.fixture(scope="module")
def run(server, tmp_path_factory):
    return Run(server, tmp_path_factory.mktemp("recorded"))


def kept(files, directory):
    """The request ids of the events that are in the database which these files are."""
    directory.mkdir()
    power_cut.write(files, directory)
    with sqlite3.connect(directory / DATABASE) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {request for (request,) in database.execute("SELECT request_id FROM async_events")}
    database.close()
    shutil.rmtree(directory)
    return found


def instants(run, chance):
    """Anywhere, and as often while the log is folded into the database."""
    anywhere = [chance.randrange(run.began, run.ended) for _ in range(CUTS // 2)]
    folding = [record for record in run.records if record.name == DATABASE and record.begin > run.began]
    assert folding, "the log was never folded into the database"
    moments = [chance.choice(folding) for _ in range(CUTS - len(anywhere))]
    return anywhere + [chance.randrange(record.begin - 100_000, record.end + 1_000_000) for record in moments]


def test_the_recording_is_all_that_was_written(server, run):
    files = power_cut.left_by_cut(run.records, time.monotonic_ns(), Everything())
    for name in (DATABASE, DATABASE + "-wal", "lambent.commits"):
        assert files[name] == (server.data / name).read_bytes(), f"{name} is not what was recorded"


def test_the_commit_mark_is_in_its_directory_before_it_says_anything(run):
    of_mark = [record for record in run.records if record.name in ("lambent.commits", ".")]
    kinds = [record.kind for record in of_mark]
    created = kinds.index(power_cut.CREATED)
    assert power_cut.DIRECTORY_SYNCED in kinds[created:kinds.index(power_cut.WRITTEN)]


class Everything(random.Random):
    """A disk that had written everything of its own accord."""

    def choice(self, _):
        return 1.0


def test_no_cut_loses_an_event_that_was_answered(run, tmp_path, capsys):
    chance = random.Random(SEED)
    owed = 0
    for number, instant in enumerate(instants(run, chance)):
        found = kept(power_cut.left_by_cut(run.records, instant, chance), tmp_path / str(number))
        lost = run.owed(instant) - found
        owed += len(run.owed(instant))
        assert not lost, f"seed {SEED}, cut {number} at {instant}: {len(lost)} accepted events are lost"
    with capsys.disabled():
        print(f"\npower cuts, seed {SEED}: {CUTS} instants, {len(run.accepted)} accepted, {len(run.ran)} ran, "
              f"{owed} events owed in all, 0 lost")
    assert owed > CUTS


def test_a_disk_that_lies_would_be_found_out(run, tmp_path):
    """What the test above stands on: without the syncs events are lost, or the database is not even one."""
    chance = random.Random(SEED)
    found_out = 0
    for number, instant in enumerate(instants(run, chance)[:10]):
        try:
            found = kept(power_cut.left_by_cut(run.records, instant, chance, honest=False), tmp_path / str(number))
            found_out += bool(run.owed(instant) - found)
        except (sqlite3.Error, AssertionError):
            found_out += 1
    assert found_out > 0


def test_a_server_starts_on_what_a_cut_left_and_runs_it(server, run):
    chance = random.Random(SEED)
    instant = chance.randrange((run.began + run.ended) // 2, run.ended)
    for name in (DATABASE, DATABASE + "-wal", "lambent.commits"):
        (server.data / name).unlink(missing_ok=True)
    owner = server.data.stat()
    files = power_cut.left_by_cut(run.records, instant, chance)
    power_cut.write(files, server.data)
    for name in files:
        os.chown(server.data / name, owner.st_uid, owner.st_gid)
    owed = run.owed(instant)
    before = server.log.stat().st_size
    server.start()

    def all_ran():
        with server.log.open("rb") as log:
            log.seek(before)
            ran = {request.decode() for request in re.findall(rb"RAN (\S+)", log.read())}
        return owed <= ran

    until(all_ran, 60, f"all {len(owed)} events that were owed at the cut ran")
    with server.log.open("rb") as log:
        log.seek(before)
        assert b"the database has lost commits" not in log.read()
    assert server.stop() == 0
