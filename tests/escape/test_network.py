"""Whom a function can reach: its Runtime API, its own door to the API, and nobody else (trials 24, 25, 53)."""

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.functions import PYTHON, ensure_role
from support.polling import until
from support.server import REGION, free_port

REFUSED = {"ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "EACCES", "EPERM", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENOENT"}
API = "/2018-06-01/runtime"


@pytest.fixture(scope="session")
def logging_role(server):
    """A role whose functions may write their logs."""
    arn = ensure_role(server, "lambent-test-logs")
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}}
    server.client("iam").put_role_policy(RoleName="lambent-test-logs", PolicyName="logs", PolicyDocument=json.dumps(policy))
    return arn


def printed(server, function):
    """What the log of a function holds by now."""
    logs = server.client("logs")
    try:
        pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}"))
    except logs.exceptions.ResourceNotFoundException:
        return ""
    return "".join(event["message"] for page in pages for event in page["events"])


@pytest.fixture
def neighbour(functions):
    return functions.create(PYTHON, "def handler(event, context):\n    return {'neighbour': event}\n")


def test_loopback_has_two_doors(make_hostile):
    # With a whole CPU, and a quarter at a time, each well within the function's time.
    hostile = make_hostile(MemorySize=1769, Timeout=60)
    found = [hostile.one("open_ports", first, min(first + 16383, 65535))["ok"] for first in range(1, 65536, 16384)]
    assert sum(found, []) == [4566, 9001]


def test_the_hosts_loopback_is_another(hostile, server):
    with socket.socket() as listening:
        port = free_port()
        listening.bind(("0.0.0.0", port))
        listening.listen()
        for host in ("127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::ffff:127.0.0.1"):
            assert hostile.error("connect", host, port) in REFUSED
            assert hostile.error("connect", host, server.port) in REFUSED


@pytest.mark.parametrize("host", ["169.254.169.254", "169.254.100.1", "169.254.170.2", "fd00:ec2::254", "10.0.0.1", "192.168.0.1",
                                  "172.17.0.1", "::ffff:10.0.0.1", "fe80::1", "224.0.0.1", "192.0.2.1"])
def test_there_is_no_way_out_of_the_namespace(hostile, host):
    assert hostile.error("connect", host, 80) in REFUSED | {"EINVAL"}


def test_sockets_of_the_host_have_no_name_inside(hostile):
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0lambent-test-abstract")
        abstract.listen()
        # Java knows no abstract names.
        if hostile.language != "java":
            assert hostile.error("connect_unix", "\0lambent-test-abstract") in REFUSED
    seen = hostile.one("read", "/proc/net/unix")
    assert "lambent-test-abstract" not in seen.get("ok", "")
    for path in ("/run/systemd/private", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/tmp/.X11-unix/X0"):
        assert hostile.error("connect_unix", path) in REFUSED


def test_only_the_loopback_interface_is_there(hostile):
    lines = hostile.one("read", "/proc/net/dev")["ok"].splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]


@pytest.mark.parametrize("what", ["response", "error"])
def test_a_forged_request_id_is_refused(hostile, what):
    for forged in ("8476a536-e9f4-11e8-9739-2dfe598c3fcd", "x", "..%2F..", "0" * 2000):
        status, body = hostile.one("fetch", 9001, "POST", f"{API}/invocation/{forged}/{what}", {}, '"forged"')["ok"]
        assert status in (400, 403, 404, 414, 431), (forged, status)
        if status == 400 and body:
            assert json.loads(body)["errorType"]
    assert hostile.one("identity")["ok"]


def test_the_runtime_api_keeps_its_order(hostile):
    status, body = hostile.one("fetch", 9001, "POST", f"{API}/init/error", {"Lambda-Runtime-Function-Error-Type": "Runtime.Mine"},
                               '{"errorMessage": "again", "errorType": "Runtime.Mine"}')["ok"]
    assert status == 403 and json.loads(body)["errorType"] == "InvalidStateTransition"
    assert hostile.one("identity")["ok"]


@pytest.mark.parametrize("method, path", [
    ("GET", "/"), ("GET", "/2018-06-01/runtime/restore/next"), ("POST", "/2020-01-01/extension/register"), ("DELETE", f"{API}/invocation/next"),
    ("GET", "/_lambent/health"), ("GET", "/_lambent/metrics"), ("GET", "/2015-03-31/functions/"), ("POST", f"{API}/invocation//response"),
    ("PUT", "/2022-07-01/telemetry"),
])
def test_what_the_runtime_api_does_not_know_it_refuses(hostile, method, path):
    status, _ = hostile.one("fetch", 9001, method, path, {}, "{}")["ok"]
    assert 400 <= status < 502
    assert hostile.one("identity")["ok"]


def test_a_second_response_harms_only_the_one_who_sent_it(make_hostile, functions, neighbour, logging_role):
    """The first response is the answer. A second is refused, which shows in the log alone, and the runtime's own comes too late."""
    hostile = make_hostile(MemorySize=512, Timeout=60, Role=logging_role)
    response = ["fetch", 9001, "POST", f"{API}/invocation/$ID/response", {}, '"forged by itself"']
    answer = hostile.invoke(response, [*response[:-1], '"and once more"'], aloud=True)
    assert (answer.status, answer.error, answer.bytes) == (200, None, b'"forged by itself"')
    heard = r"\[202,.*\[403,.*State transition from RuntimeResponseSentState to InvocationResponse failed.*InvalidStateTransition"
    until(lambda: re.search(heard, printed(functions.server, hostile.name), re.S), 20, "the refusal in the log")
    assert functions.invoke(neighbour, 1).expect() == {"neighbour": 1}
    assert hostile.one("identity")["ok"]


# In flight from its line in the log until the description of the function becomes "over".
HELD = """
import json
import time
import urllib.request


def handler(event, context):
    print("taken:", context.aws_request_id, flush=True)
    request = urllib.request.Request(event["url"], headers=event["signed"])
    while json.load(urllib.request.urlopen(request))["Description"] != "over":
        time.sleep(0.05)
    return {"neighbour": context.aws_request_id}
"""


@pytest.fixture
def thief(make_hostile):
    """Ready before its victim is: making one may take longer than a victim can be held."""
    hostile = make_hostile(MemorySize=512, Timeout=60)
    assert hostile.one("identity")["ok"]
    return hostile


@pytest.fixture
def held(functions, logging_role, thief):
    """A neighbour in flight: its request id, what ends it and gives its answer, and what calls it once more."""
    server, name = functions.server, functions.create(PYTHON, HELD, Timeout=60, Role=logging_role)
    look = AWSRequest("GET", f"http://127.0.0.1:4566/2015-03-31/functions/{name}/configuration")
    SigV4Auth(Credentials(*server.root_key), "lambda", REGION).add_auth(look)

    def call():
        return functions.invoke(name, {"url": look.url, "signed": dict(look.headers)})

    with ThreadPoolExecutor(1) as pool:
        in_flight = pool.submit(call)

        def end():
            functions.client.update_function_configuration(FunctionName=name, Description="over")

        def let_go():
            assert not in_flight.done()
            end()
            return in_flight.result()

        try:
            taken = until(lambda: re.search(r"taken: (\S+)", printed(server, name)), 20, "the neighbour's line in the log")
            yield taken[1], let_go, call
        finally:
            if not in_flight.done():
                end()


@pytest.mark.parametrize("what", ["response", "error"])
def test_another_invocations_id_is_worth_nothing(thief, held, what):
    """Neither while that invocation is in flight nor afterwards."""
    request_id, let_go, call = held

    def steal():
        status, body = thief.one("fetch", 9001, "POST", f"{API}/invocation/{request_id}/{what}", {}, '"stolen"')["ok"]
        assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")

    steal()
    victim = let_go()
    assert victim.request_id == request_id
    assert victim.expect() == {"neighbour": request_id}
    steal()
    after = call()
    assert after.expect() == {"neighbour": after.request_id}


def test_the_inner_door_shows_nothing_without_a_signature(hostile):
    for path in ("/", "/_lambent/health", "/_lambent/metrics", "/2015-03-31/functions/", "/_lambent/code/x"):
        status, body = hostile.one("fetch", 4566, "GET", path, {}, "")["ok"]
        assert 400 <= status < 500, (path, status, body)
