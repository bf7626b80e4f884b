"""The life of an execution environment as its owner sees it: init, reset after a failure, freeze and thaw, floods of output."""

import os
import re
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.functions import PYTHON, Deployer, ensure_role
from support.polling import until

BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
LIVES = '''
import os, threading, time
born = time.time_ns()
ticks = 0

def tick():
    global ticks
    while True:
        time.sleep(0.001)
        ticks += 1

def handler(event, context):
    how = event["how"]
    if how == "keep":
        with open("/tmp/kept", "a") as kept:
            kept.write(event["text"])
    if how == "exit":
        os._exit(1)
    if how == "hang":
        time.sleep(60)
    if how == "hold":
        time.sleep(event["seconds"])
    if how == "start ticking":
        threading.Thread(target=tick, daemon=True).start()
        time.sleep(0.05)
    if how == "flood":
        end = time.monotonic() + event["seconds"]
        begin, lines = time.monotonic(), 0
        while time.monotonic() < end:
            line = b"flood %8d " % lines + b"x" * 8000 + b"\\n"
            while line:
                line = line[os.write(1, line):]
            lines += 1
        return {"lines": lines, "bytes": lines * 8016, "seconds": time.monotonic() - begin}
    kept = open("/tmp/kept").read() if os.path.exists("/tmp/kept") else None
    return {"born": born, "kept": kept, "ticks": ticks, "now": time.time()}
'''
# Counts its starts in /tmp, which outlives a reset, and fails the first so many.
FAILING_INIT = '''
import os
path = "/tmp/starts"
starts = int(open(path).read()) + 1 if os.path.exists(path) else 1
open(path, "w").write(str(starts))
print("start number", starts)
if starts <= %d:
    raise RuntimeError("start %%d failed" %% starts)
def handler(event, context):
    return starts
'''


@pytest.fixture
def lives(functions):
    name = functions.create(PYTHON, LIVES, stem="lives", Timeout=2)
    return lambda how, **event: functions.invoke(name, {"how": how, **event}, LogType="Tail")


@pytest.mark.parametrize("end, error", [("exit", "Runtime.ExitError"), ("hang", "Sandbox.Timedout")])
def test_a_failure_resets_the_environment_and_keeps_tmp(lives, end, error):
    first = lives("keep", text="a").expect()
    assert lives(end).value["errorType"] == error
    again = lives("keep", text="b")
    second = again.expect()
    assert second["kept"] == "ab"
    assert second["born"] > first["born"]
    assert "Init Duration" not in again.log
    third = lives("look").expect()
    assert third["born"] == second["born"]


def test_an_init_that_fails_is_tried_once_more_within_the_invocation(functions):
    forgiven = functions.invoke(functions.create(PYTHON, FAILING_INIT % 1), None, LogType="Tail")
    assert forgiven.expect() == 2
    assert re.search(r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\t", forgiven.log)
    failed = functions.invoke(functions.create(PYTHON, FAILING_INIT % 2), None, LogType="Tail")
    assert failed.error == "Unhandled"
    assert failed.value["errorMessage"] == "start 2 failed"
    said = [line for line in failed.log.splitlines() if line.startswith(("INIT_REPORT", "START", "END", "REPORT"))]
    assert [line.split()[0] for line in said] == ["INIT_REPORT", "INIT_REPORT", "START", "END", "REPORT"]
    assert "\tPhase: init\tStatus: error" in said[0]
    assert "\tPhase: invoke\tStatus: error" in said[1]
    assert "\tStatus: error" in said[4]


def test_nothing_runs_between_invocations_and_what_ran_goes_on(lives):
    before = lives("start ticking").expect()
    assert before["ticks"] > 5
    time.sleep(1)
    after = lives("look").expect()
    pause = after["now"] - before["now"]
    assert pause > 1
    # A thread that was not stopped would have ticked some 900 times.
    assert after["ticks"] - before["ticks"] < 300
    time.sleep(0.1)
    assert lives("start ticking").expect()["ticks"] > after["ticks"]


def environments(server):
    """How many execution environments there are, busy and idle."""
    with urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10) as answer:
        return int(re.search(r"^lambent_environments (\d+)$", answer.read().decode(), re.M)[1])


def test_an_idle_environment_ends_after_its_time(new_server):
    server = new_server("--idle-time", "3")
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, LIVES)

    def invoke(how, **event):
        return functions.invoke(name, {"how": how, **event}, LogType="Tail")

    assert environments(server) == 0
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(invoke, "hold", seconds=1)
        until(lambda: environments(server) == 1, 30, "an environment")
        first = call.result()
    assert "Init Duration" in first.log
    sent = time.monotonic()
    assert invoke("keep", text="a").expect()["kept"] == "a"
    until(lambda: environments(server) == 0, 60, "the end of the environment that has nothing to do")
    assert time.monotonic() - sent > 3
    again = invoke("look")
    assert "Init Duration" in again.log
    assert again.expect()["born"] > first.expect()["born"]
    assert again.value["kept"] is None


def resident_mib(server):
    text = open(f"/proc/{server.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


@pytest.mark.skipif(os.geteuid() != 0, reason="the server's memory is root's to see")
def test_a_flood_of_output_fills_no_memory_and_holds_nobody_up(functions, server, lives):
    neighbour = functions.create(PYTHON, "def handler(event, context):\n    return 1\n")
    functions.invoke(neighbour).expect()
    before = resident_mib(server)
    with ThreadPoolExecutor(1) as caller:
        flood = caller.submit(lives, "flood", seconds=1.5)
        waits = []
        while not flood.done():
            begin = time.monotonic()
            functions.invoke(neighbour).expect()
            waits.append(time.monotonic() - begin)
        wrote = flood.result().expect()
    assert resident_mib(server) - before < 48
    assert sorted(waits)[len(waits) // 2] < 0.25
    # Its own pipe slows it: 8 MiB a second, 1 MiB at once, and what the pipe holds.
    assert wrote["bytes"] < (8 * wrote["seconds"] + 1.5) * 1024 * 1024
    assert lives("look").error is None


def test_nothing_of_a_flood_is_lost(server):
    role = ensure_role(server, "lambent-test-flood")
    server.client("iam").attach_role_policy(RoleName="lambent-test-flood", PolicyArn=BASIC_EXECUTION)
    functions = Deployer(server, role)
    try:
        name = functions.create(PYTHON, LIVES, stem="flood")
        wrote = functions.invoke(name, {"how": "flood", "seconds": 0.5}).expect()
        pages = server.client("logs").get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{name}", filterPattern="flood")
        numbers = [int(event["message"].split()[1]) for page in pages for event in page["events"]]
        assert numbers == list(range(wrote["lines"])) and wrote["lines"] > 100
    finally:
        functions.clean()
