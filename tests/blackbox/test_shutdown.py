"""How an execution environment ends: SIGTERM for the runtime, SHUTDOWN for external extensions, their time, then SIGKILL."""

import json
import re
import time
import urllib.request

import pytest

from support.functions import PYTHON, Deployer, ensure_role, make_zip
from support.polling import until

# The runtime's side: says when SIGTERM came, and then that it is alive, ten times a second.
RUNTIME = '''
import json, os, signal, sys, threading, time, urllib.request
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"

def say(**what):
    os.write(1, (json.dumps({"who": "runtime", "at": time.time(), **what}) + "\\n").encode())

def terminated(number, frame):
    say(what="signal", number=number)
    if os.environ.get("OBEYS"):
        os._exit(0)
    for beat in range(100):
        time.sleep(0.1)
        say(what="alive")
signal.signal(signal.SIGTERM, terminated)

if os.environ.get("INTERNAL"):
    def call(path, body=None, **headers):
        request = urllib.request.Request(API + path, data=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return urllib.request.urlopen(request)
    me = call("register", b'{"events": []}', Lambda_Extension_Name="inner").headers["Lambda-Extension-Identifier"]
    threading.Thread(target=call, args=("event/next",), kwargs={"Lambda_Extension_Identifier": me}, daemon=True).start()

def handler(event, context):
    return "warm"
'''
EXTENSION = '''#!/usr/bin/python3
import json, os, time, urllib.request
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"

def say(**what):
    os.write(1, (json.dumps({"who": "extension", "at": time.time(), **what}) + "\\n").encode())

def call(path, body=None, **headers):
    request = urllib.request.Request(API + path, data=body, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return urllib.request.urlopen(request)

me = call("register", b'{"events": ["SHUTDOWN"]}', Lambda_Extension_Name=os.path.basename(__file__)).headers["Lambda-Extension-Identifier"]
with call("event/next", Lambda_Extension_Identifier=me) as answer:
    say(what="event", event=json.loads(answer.read()))
if not os.environ.get("OBEYS"):
    for beat in range(100):
        time.sleep(0.1)
        say(what="alive")
'''
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
KINDS = {"none": {}, "internal": {"INTERNAL": "1"}, "external": {}, "obedient": {"OBEYS": "1"}, "both": {"INTERNAL": "1"}}
# Beyond what is promised, for a machine that is busy.
SLACK = 2


def environments(server):
    with urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10) as answer:
        return int(re.search(r"^lambent_environments (\d+)$", answer.read().decode(), re.M)[1])


@pytest.fixture(scope="module")
def endings():
    """What was printed by environments of each kind that were retired at the same time: {kind: [record, ...]}."""
    from support.server import Server
    server = Server().start()
    try:
        role = ensure_role(server)
        server.client("iam").attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=BASIC_EXECUTION)
        functions = Deployer(server, role)
        arn = functions.client.publish_layer_version(
            LayerName="extension", Content={"ZipFile": make_zip({"extensions/outer!": EXTENSION})})["LayerVersionArn"]
        names = {}
        for kind, variables in KINDS.items():
            layers = [] if kind in ("none", "internal") else [arn]
            names[kind] = functions.create(PYTHON, RUNTIME, stem=kind, Layers=layers, MemorySize=1769, Environment={"Variables": variables})
            assert functions.invoke(names[kind]).expect() == "warm"
        for name in names.values():
            functions.client.update_function_configuration(FunctionName=name, Description="another revision")
        retired = time.time()
        logs = server.client("logs")

        def printed(kind):
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{names[kind]}")
            lines = [event["message"] for page in pages for event in page["events"]]
            return [json.loads(line) for line in lines if line.startswith('{"who"')]

        # The longest of them has two seconds. What lived on after that would say so for eight more.
        until(lambda: environments(server) == 0 and time.time() > retired + 2 + SLACK, 20, "the end of every environment")
        yield {kind: printed(kind) for kind in KINDS}
        assert server.stop() == 0, server.said()
    finally:
        server.discard()


def of(records, who, what):
    return [record for record in records if (record["who"], record["what"]) == (who, what)]


def terminated_at(records):
    """When SIGTERM was sent, as the extension's deadline tells: two seconds before that."""
    return of(records, "extension", "event")[0]["event"]["deadlineMs"] / 1000 - 2


def test_without_extensions_nothing_is_told(endings):
    assert endings["none"] == []


def test_a_runtime_with_an_internal_extension_is_told_and_killed(endings):
    signal, *alive = endings["internal"]
    assert (signal["what"], signal["number"]) == ("signal", 15)
    assert all(record["at"] - signal["at"] < 0.5 + SLACK for record in alive)


@pytest.mark.parametrize("kind, part", [("external", 0.3), ("both", 0.5)])
def test_an_external_extension_is_told_after_the_runtimes_part(endings, kind, part):
    records = endings[kind]
    event = of(records, "extension", "event")[0]
    assert set(event["event"]) == {"eventType", "shutdownReason", "deadlineMs"}
    assert (event["event"]["eventType"], event["event"]["shutdownReason"]) == ("SHUTDOWN", "spindown")
    assert part - 0.01 < event["at"] - terminated_at(records) < part + SLACK
    assert [record["number"] for record in of(records, "runtime", "signal")] == [15]
    assert -0.01 < of(records, "runtime", "signal")[0]["at"] - terminated_at(records) < SLACK


@pytest.mark.parametrize("kind", ["external", "both"])
def test_what_does_not_end_in_two_seconds_is_killed(endings, kind):
    records = endings[kind]
    # The runtime lives on beside its extension: only the end of the sandbox kills either.
    for who in ("extension", "runtime"):
        assert of(records, who, "alive")[-1]["at"] - terminated_at(records) < 2 + SLACK


def test_who_leaves_at_once_is_not_waited_for(endings):
    records = endings["obedient"]
    assert of(records, "extension", "event")[0]["at"] - terminated_at(records) < SLACK
    assert {record["what"] for record in records} == {"signal", "event"}
