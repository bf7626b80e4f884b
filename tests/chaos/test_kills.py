"""kill -9 at random moments while events are accepted, run, retried and told to destinations: none that was accepted is lost.

A quick part by default. LAMBENT_CHAOS_KILLS and LAMBENT_CHAOS_EVENTS make it long: `make chaos` kills 100 times during 100,000 events.
"""

import json
import os
import random
import re
import threading
import time
import urllib.request

import pytest

from chaos.accept_load import Load
from support.functions import Deployer
from support.moto import Moto
from support.polling import until
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

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
SEND = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]})
# Every tenth event fails each time: it must end in the queue of failures.
COUNTER = """
def handler(event, context):
    print("RAN", event["n"], flush=True)
    if event["fail"]:
        raise ValueError("as asked")
"""


@pytest.fixture
def moto():
    running = Moto()
    yield running
    running.stop()


@pytest.fixture
def server(moto):
    running = Server("--time-scale", str(TIME_SCALE), "--print-function-logs", *moto.target_arguments()).start()
    yield running
    running.discard()


def deploy(server, destination):
    iam = server.client("iam")
    role = iam.create_role(RoleName="counter", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="counter", PolicyName="send", PolicyDocument=SEND)
    name = Deployer(server, role).create("python3.13", COUNTER, stem="counter")
    client = server.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=CONCURRENCY)
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": destination}})
    return name


class Told:
    """What arrives in the queue of failures, by the event's number. It is emptied all the while: the stand-in for SQS looks through
    all that waits in a queue for each message that it gives away."""

    def __init__(self, moto, url):
        self.sqs = moto.client("sqs")
        self.url = url
        self.times = {}
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._empty_until_done)
        self._thread.start()

    def _empty_until_done(self):
        while not self._done.wait(0.2):
            self.drain()

    def drain(self):
        with self._lock:
            while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
                for message in messages:
                    number = json.loads(message["Body"])["requestPayload"]["n"]
                    self.times[number] = self.times.get(number, 0) + 1
                self.sqs.delete_message_batch(QueueUrl=self.url, Entries=[
                    {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)])

    def close(self):
        self._done.set()
        self._thread.join()


def runs(server):
    counted = {}
    for number in re.findall(rb"RAN (\d+)", server.log.read_bytes()):
        counted[int(number)] = counted.get(int(number), 0) + 1
    return counted


def waiting(server):
    text = urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10).read().decode()
    return int(float(re.search(r"^lambent_async_events ([\d.]+)$", text, re.M)[1]))


@pytest.fixture
def failures(moto):
    url, arn = moto.queue("failures")
    told = Told(moto, url)
    yield arn, told
    told.close()


def test_no_accepted_event_is_lost_to_kills(server, failures, capsys):
    chance = random.Random(SEED)
    arn, told = failures
    name = deploy(server, arn)
    load = Load(server, name)
    per_round = EVENTS // (KILLS + 1)
    starts = []
    for _ in range(KILLS):
        before = len(load.accepted)
        threads = load.run(per_round)
        until(lambda: len(load.accepted) > before or not any(thread.is_alive() for thread in threads), 30, "accepts")
        time.sleep(chance.uniform(0, 0.5))
        server.kill9()
        for thread in threads:
            thread.join(30)
        began = time.monotonic()
        server.start()
        starts.append(time.monotonic() - began)
    for thread in load.run(EVENTS - load._next):
        thread.join(300)
    until(lambda: waiting(server) == 0, SETTLE_SECONDS, "every event has ended")
    told.drain()
    counted = runs(server)
    failing = {number for number in load.accepted if number % 10 == 0}
    # One that waited for too long ends in the queue of failures too.
    lost = {number for number in load.accepted - failing if number not in counted and number not in told.times}
    lost |= {number for number in failing if number not in told.times}
    # An event that fails runs three times without being one too many.
    duplicates = sum(max(0, count - (3 if number % 10 == 0 else 1)) for number, count in counted.items())
    bound = KILLS * (CONCURRENCY + COMMIT_GROUP)
    with capsys.disabled():
        print(f"\nchaos seed {SEED}: {KILLS} kills, {len(load.accepted)} accepted, {len(load.unanswered)} unanswered, "
              f"{len(lost)} lost, {duplicates} duplicate runs (at most {bound}), {len(told.times)} failures told, "
              f"slowest restart {max(starts):.2f} s")
    assert not lost, f"accepted and lost: {sorted(lost)[:20]}"
    assert duplicates <= bound
