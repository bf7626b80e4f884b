"""Concurrency under load: a function never sees more than its limit, and what is too much is told so at once."""

import json
import os
import re
import threading
import time

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role
from support.hall import Hall
from support.polling import until
from support.server import Server

SLEEPER = """
import time
def handler(event, context):
    begin = time.monotonic()
    time.sleep(event)
    print(f"RAN {begin:.6f} {time.monotonic():.6f}", flush=True)
    return True
"""


@pytest.fixture
def server(new_server):
    return new_server("--lanes", "4", "--print-function-logs")


def hammer(server, name, callers, each, event):
    """(admitted, refusals as (reason, seconds)) of `callers` threads that invoke without pause."""
    admitted, refusals, failures = [], [], []
    lock = threading.Lock()

    def call():
        client = server.client("lambda")
        for _ in range(each):
            began = time.monotonic()
            try:
                answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
                took = time.monotonic() - began
                with lock:
                    (failures if "FunctionError" in answer else admitted).append(took)
            except ClientError as error:
                with lock:
                    refusals.append((error.response.get("Reason", error.response["Error"]["Code"]), time.monotonic() - began))

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    return admitted, refusals


def most_at_once(server):
    edges = []
    for begin, end in re.findall(r"RAN ([\d.]+) ([\d.]+)", server.log.read_text()):
        edges += [(float(begin), 1), (float(end), -1)]
    running = most = 0
    for _, change in sorted(edges):
        running += change
        most = max(most, running)
    return most


def test_a_function_never_sees_more_than_its_reservation(server):
    limit = 5
    name = Deployer(server, ensure_role(server)).create(PYTHON, SLEEPER, stem="limited")
    server.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=limit)
    admitted, refusals = hammer(server, name, callers=20, each=25, event=0.02)
    assert len(admitted) + len(refusals) == 500
    assert len(admitted) >= limit and refusals
    assert {reason for reason, _ in refusals} == {"ReservedFunctionConcurrentInvocationLimitExceeded"}
    assert most_at_once(server) <= limit


TOO_MANY = 10


@pytest.fixture(scope="module")
def hall():
    made = Hall()
    yield made
    made.discard()


@pytest.fixture(scope="module")
def sharing(hall):
    running = Server("--lanes", "4", *hall.options)
    yield running.start()
    running.discard()


@pytest.mark.skipif(os.geteuid() != 0, reason="a directory is shared with the functions")
@pytest.mark.parametrize("limit", [1, 5, 20, 50])
def test_a_function_sees_its_whole_reservation_and_not_one_more(sharing, hall, limit):
    name = hall.create(Deployer(sharing, ensure_role(sharing)))
    client = sharing.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=limit)
    room = hall.room()
    room.enter(client, name, limit + TOO_MANY)
    try:
        until(lambda: len(room.inside()) >= limit and len(room.reasons) >= TOO_MANY, 60,
              f"{limit} inside and {TOO_MANY} sent away")
    finally:
        room.open()
    assert room.reasons == ["ReservedFunctionConcurrentInvocationLimitExceeded"] * TOO_MANY
    assert len(room.ran) == limit and room.inside() == sorted(room.ran)


def test_a_backlog_leaves_room_for_those_who_wait(new_server):
    server = new_server("--concurrency", "10")
    client = server.client("lambda")
    deployer = Deployer(server, ensure_role(server))
    name = deployer.create(PYTHON, SLEEPER, stem="busy")
    other = deployer.create(PYTHON, SLEEPER, stem="waited-for")
    for _ in range(60):
        client.invoke(FunctionName=name, InvocationType="Event", Payload=b"1")
    answers = [client.invoke(FunctionName=other, Payload=b"0")["StatusCode"] for _ in range(10)]
    assert answers == [200] * 10
