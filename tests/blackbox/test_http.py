"""The wire: what HTTP/1.1 allows, framing with two readings (trial 29), sizes (28), JSON (31), slow clients (27)."""

import base64
import contextlib
import json
import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, make_zip, unique
from support.raw import answers_in, exchange, head_bytes, status_of
from support.signing import Signed

LIST = "/2015-03-31/functions/"
ECHO = "def handler(event, context):\n    return event\n"


@pytest.fixture(scope="module")
def echo(module_functions):
    return module_functions.create(PYTHON, ECHO, stem="echo", MemorySize=512)


@pytest.fixture(scope="module")
def invoke_target(echo):
    return f"/2015-03-31/functions/{echo}/invocations"


def still_serves(server):
    assert Signed(server, "GET", LIST).send().status == 200


def test_health_answers_without_a_signature(server):
    received, _ = exchange(server, b"GET /_lambent/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status_of(received) == 200
    assert json.loads(received.split(b"\r\n\r\n", 1)[1])


@pytest.mark.parametrize("path", ["/", "/nothing/here", "/2015-03-31/functions/", "/_lambent/none", "//", "/%00"])
def test_every_answer_carries_a_request_id(server, path):
    received, _ = exchange(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"\r\nx-amzn-requestid: " in received.lower()
    assert 400 <= status_of(received) < 500


# --- trial 29

SMUGGLING_HEADS = {
    "length and chunked": ["Content-Length: 6", "Transfer-Encoding: chunked"],
    "two lengths": ["Content-Length: 6", "Content-Length: 5"],
    "a list of lengths": ["Content-Length: 6, 5"],
    "a signed length": ["Content-Length: +6"],
    "a negative length": ["Content-Length: -6"],
    "a hexadecimal length": ["Content-Length: 0x6"],
    "a length beyond 64 bits": ["Content-Length: 99999999999999999999999"],
    "an empty length": ["Content-Length:"],
    "a coding like chunked": ["Transfer-Encoding: xchunked"],
    "a coding after chunked": ["Transfer-Encoding: chunked, identity"],
    "a coding before chunked": ["Transfer-Encoding: gzip, chunked"],
    "chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "a quoted coding": ['Transfer-Encoding: "chunked"'],
    "a vertical tab in the coding": ["Transfer-Encoding: \x0bchunked"],
    "a space before the colon": ["Content-Length : 6"],
    "a space before the name": [" Content-Length: 6"],
    "a folded line": ["X-Folded: one", " two"],
    "a NUL in a value": ["X-Nul: a\x00b"],
    "a NUL in a name": ["X-N\x00ul: a"],
    "a bare carriage return": ["X-Cr: a\rb"],
    "a bare line feed": ["X-Lf: a\nContent-Length: 6"],
    "no colon": ["ThisIsNoHeader"],
    "an empty name": [": value"],
    "two hosts": ["Host: other.example"],
}


@pytest.mark.parametrize("case", SMUGGLING_HEADS)
def test_a_head_with_two_readings_is_refused_and_the_connection_closed(server, invoke_target, case):
    request = Signed(server, "POST", invoke_target, b'{"a":1')
    smuggled = b"GET /_lambent/health HTTP/1.1\r\nHost: x\r\n\r\n"
    received, closed = exchange(server, head_bytes(request, *SMUGGLING_HEADS[case]) + b'{"a":1' + smuggled)
    assert status_of(received) in (400, 413 if "64 bits" in case else 400), case
    assert closed and answers_in(received) == 1, received


@pytest.mark.parametrize("chunks", [
    b"-2\r\n{}\r\n0\r\n\r\n", b"+2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2\n{}\n0\n\n", b"2\r\n{}X\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", b"2 ;\x00=1\r\n{}\r\n0\r\n\r\n", b"2;" + b"x" * 20_000 + b"\r\n{}\r\n0\r\n\r\n", b"zz\r\n",
    b"2;ext=1\r\n{}\r\n0\r\n\r\n",
    b"\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nBad Trailer\r\n\r\n",
])
def test_chunks_with_two_readings_are_refused_and_the_connection_closed(server, invoke_target, chunks):
    request = Signed(server, "POST", invoke_target, b"{}")
    smuggled = b"GET /_lambent/health HTTP/1.1\r\nHost: x\r\n\r\n"
    received, closed = exchange(server, head_bytes(request, "Transfer-Encoding: chunked") + chunks + smuggled)
    assert status_of(received) in (400, 413)
    assert closed and answers_in(received) == 1, received


@pytest.mark.parametrize("line", [
    "GET  /_lambent/health HTTP/1.1", "GET /_lambent/health HTTP/1.1 ", "GET /_lambent/health HTTP/9.9", "GET /_lambent/health",
    " GET /_lambent/health HTTP/1.1", "GET /_lambent/he alth HTTP/1.1", "G\x00T /_lambent/health HTTP/1.1", "GET /\x01 HTTP/1.1",
    "GET http://elsewhere.example/_lambent/health HTTP/1.1", "G(T /_lambent/health HTTP/1.1",
])
def test_a_request_line_with_two_readings_is_refused(server, line):
    received, closed = exchange(server, line.encode("latin-1") + b"\r\nHost: x\r\n\r\n")
    assert received == b"" or status_of(received) in (400, 505), received
    assert closed


def test_http_1_1_needs_a_host(server):
    received, closed = exchange(server, b"GET /_lambent/health HTTP/1.1\r\n\r\n")
    assert status_of(received) == 400 and closed


def test_pipelined_requests_are_answered_in_order(server):
    paths = ("/_lambent/health", "/nothing", "/_lambent/health")
    many = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths)
    received, closed = exchange(server, many + b"GET /_lambent/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert closed and statuses[0] == statuses[2] == statuses[3] == 200 and 400 <= statuses[1] < 500 and len(statuses) == 4


def test_a_chunked_body_is_a_body(server, invoke_target):
    request = Signed(server, "POST", invoke_target, b'{"a": [1, 2]}')
    sent = head_bytes(request, "Transfer-Encoding: chunked", "Connection: close")
    sent += b'5\r\n{"a":\r\n8\r\n [1, 2]}\r\n0\r\nX-Checksum: x\r\n\r\n'
    received, closed = exchange(server, sent)
    assert status_of(received) == 200 and received.endswith(b'{"a": [1, 2]}') and closed


def test_expect_100_continue_is_told_before_the_body(server, invoke_target):
    request = Signed(server, "POST", invoke_target, b'"waited"')
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(head_bytes(request, "Content-Length: 8", "Expect: 100-continue", "Connection: close"))
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'"waited"')
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert status_of(received) == 200 and received.endswith(b'"waited"')


def test_a_refused_expectation_gets_no_continue(server, invoke_target):
    request = Signed(server, "POST", invoke_target, b'"waited"', key=(server.root_key[0], "x" * 40))
    request.headers["Authorization"] = request.headers["Authorization"].replace(server.root_key[0], "AKIANOBODYKNOWSME000")
    received, _ = exchange(server, head_bytes(request, "Content-Length: 8", "Expect: 100-continue", "Connection: close"))
    assert status_of(received) == 403


# --- trial 28

def test_a_payload_of_6_mib_passes_and_the_next_byte_does_not(server, invoke_target):
    most = 6 * 1024 * 1024
    reply = Signed(server, "POST", invoke_target, b'"' + b"x" * (most - 2) + b'"').send()
    assert reply.status == 200 and len(reply.body) == most
    reply = Signed(server, "POST", invoke_target, b'"' + b"x" * (most - 1) + b'"').send()
    assert (reply.status, reply.code) == (413, "RequestTooLargeException")
    assert reply.message == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the server's memory is root's to see")


def memory_kib(server):
    """What the kernel says of the server's memory: VmPeak and VmHWM are the most there ever was, VmSize and VmRSS what there is."""
    text = open(f"/proc/{server.process.pid}/status").read()
    return {name: int(size) for name, size in re.findall(r"^(Vm\w+):\s+(\d+) kB$", text, re.M)}


def forget_peak(server):
    """From here on VmHWM is the most there was from here on (proc_pid_clear_refs(5))."""
    with open(f"/proc/{server.process.pid}/clear_refs", "w") as clear:
        clear.write("5")


@pytest.mark.parametrize("declared", [6 * 1024 * 1024 + 1, 10**12, 2**62])
def test_a_declared_length_is_refused_before_the_body_is_sent(server, invoke_target, declared):
    request = Signed(server, "POST", invoke_target, b"{}")
    began = time.monotonic()
    received, closed = exchange(server, head_bytes(request, f"Content-Length: {declared}", "Expect: 100-continue"))
    assert status_of(received) == 413 and closed
    assert time.monotonic() - began < 5


@needs_root
@pytest.mark.parametrize("declared", [6 * 1024 * 1024 + 1, 10**12, 2**62])
def test_a_refused_length_takes_no_memory(server, invoke_target, declared):
    head = head_bytes(Signed(server, "POST", invoke_target, b"{}"), f"Content-Length: {declared}", "Expect: 100-continue")
    # What the first of its kind brings into memory, code for one, is not this one's.
    exchange(server, head)
    forget_peak(server)
    before = memory_kib(server)
    received, _ = exchange(server, head)
    assert status_of(received) == 413
    after = memory_kib(server)
    assert (after["VmHWM"] - before["VmRSS"]) * 1024 < declared * 3 // 4
    # Memory that is only reserved.
    assert (after["VmPeak"] - before["VmPeak"]) * 1024 < declared


@needs_root
def test_a_taken_length_takes_memory_only_as_it_comes(server, invoke_target):
    """Twenty bodies of 6 MiB are announced and waited for: 120 MiB, of which not a byte is there."""
    declared, count = 6 * 1024 * 1024, 20
    heads = [head_bytes(Signed(server, "POST", invoke_target, b"{}"), f"Content-Length: {declared}", "Expect: 100-continue")
             for _ in range(count)]
    with contextlib.ExitStack() as held:
        before = memory_kib(server)["VmRSS"]
        for head in heads:
            connection = held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=15))
            connection.sendall(head)
            assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{")
        assert (memory_kib(server)["VmRSS"] - before) * 1024 < declared * count // 4
    still_serves(server)


def test_a_chunked_body_is_cut_at_its_bound(server, invoke_target):
    request = Signed(server, "POST", invoke_target, b"{}")
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    received, closed = exchange(server, head_bytes(request, "Transfer-Encoding: chunked") + chunk * 12 + b"0\r\n\r\n")
    # The answer may be lost to the reset that cutting off a sender brings.
    assert received == b"" or status_of(received) == 413
    assert closed
    still_serves(server)


@pytest.mark.parametrize("head, status", [
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (b"GET /?" + b"a=1&" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Many: 1\r\n" * 1000 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 101 + b"\r\n", 431),
    (b"A" * 100_000, 431),
    # Empty lines before a request are skipped (RFC 9112, section 2.2), but no request comes: there is nothing to answer.
    (b"\r\n" * 50_000, None),
])
def test_a_head_past_its_caps_is_refused(server, head, status):
    # The server goes on reading after its answer, so that the answer is not lost to what was sent beyond the cap.
    received, closed = exchange(server, head)
    assert (status_of(received) if received else None) == status
    assert answers_in(received) == (1 if status else 0)
    assert closed
    still_serves(server)


HEALTH = b"GET /_lambent/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize("head, status", [
    (HEALTH + b"X: " + b"a" * (16 * 1024 - len(HEALTH) - 7) + b"\r\n\r\n", 200),
    (HEALTH + b"X: " + b"a" * (16 * 1024 - len(HEALTH) - 6) + b"\r\n\r\n", 431),
    (HEALTH + b"X: 1\r\n" * 98 + b"\r\n", 200),
    (HEALTH + b"X: 1\r\n" * 99 + b"\r\n", 431),
], ids=["16 KiB", "a byte more", "100 fields", "a field more"])
def test_a_head_ends_at_its_caps(server, head, status):
    received, closed = exchange(server, head)
    assert status_of(received) == status and closed


def test_a_create_larger_than_aws_takes_is_refused(server):
    request = Signed(server, "POST", "/2015-03-31/functions", b"{}")
    received, closed = exchange(server, head_bytes(request, "Content-Length: 200000000", "Expect: 100-continue"))
    assert status_of(received) == 413 and b"RequestEntityTooLargeException" in received and closed


# --- trial 31

HOSTILE_JSON = {
    "deep arrays": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep and open": b"[" * 1_000_000,
    "a number beyond doubles": b'{"Timeout": 1e999}',
    "a number of many digits": b'{"Timeout": ' + b"9" * 100_000 + b"}",
    "a lone surrogate": b'{"FunctionName": "\\ud800"}',
    "broken utf-8": b'{"FunctionName": "\xff\xfe"}',
    "a NUL": b'{"FunctionName": "a\x00"}',
    "not JSON": b"}{",
    "nothing": b"",
    "a scalar": b"3",
    "an array": b"[]",
    "a comment": b"/* */ {}",
    "a wrong type": b'{"FunctionName": {"a": 1}, "Runtime": [], "Timeout": "x"}',
    "trailing text": b'{"FunctionName": "a"} and more',
}


@pytest.mark.parametrize("case", HOSTILE_JSON)
def test_hostile_json_is_a_clean_400(server, case):
    began = time.monotonic()
    reply = Signed(server, "POST", "/2015-03-31/functions", HOSTILE_JSON[case]).send()
    assert reply.status == 400, reply.body
    assert reply.code in ("SerializationException", "ValidationException", "InvalidRequestContentException",
                          "InvalidParameterValueException")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("order", [("good", "bad"), ("bad", "good")])
def test_a_key_twice_is_no_way_around_a_check(server, awslambda, role_arn, order):
    """The last one counts, for what is checked and for what is done (RestJson.RepeatedKeysCountOnceTheLast)."""
    names = {"good": unique("twice"), "bad": "../bad"}
    members = {"Runtime": PYTHON, "Role": role_arn, "Handler": "app.handler",
               "Code": {"ZipFile": base64.b64encode(make_zip({"app.py": ""})).decode()}}
    body = '{"FunctionName": "%s", "FunctionName": "%s", ' % tuple(names[which] for which in order) + json.dumps(members)[1:]
    reply = Signed(server, "POST", "/2015-03-31/functions", body.encode()).send()
    if order[-1] == "good":
        assert reply.status == 201 and json.loads(reply.body)["FunctionName"] == names["good"]
        awslambda.delete_function(FunctionName=names["good"])
        return
    assert (reply.status, reply.code) == (400, "ValidationException")
    assert reply.message.startswith("1 validation error detected: Value '../bad' at 'functionName' failed to satisfy constraint: ")
    with pytest.raises(ClientError) as missing:
        awslambda.get_function(FunctionName=names["good"])
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_string_of_5_megabytes_is_read_in_linear_time(server, invoke_target):
    for filler in (b"x" * 5_000_000, b"\\u0041" * 800_000, b"\\\\" * 2_500_000):
        began = time.monotonic()
        reply = Signed(server, "POST", invoke_target, b'"' + filler + b'"').send()
        assert reply.status == 200 and "x-amz-function-error" not in reply.headers
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("payload", [b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"1e999",
                                     b'"\\ud800"', b'{"a":1,"a":2}'])
def test_a_hostile_payload_never_harms_the_server(server, invoke_target, payload):
    reply = Signed(server, "POST", invoke_target, payload).send()
    assert reply.status in (200, 400)
    if reply.status == 400:
        assert reply.code == "InvalidRequestContentException"
    still_serves(server)


# --- trial 27

def test_slow_clients_are_cut_off_and_honest_ones_served(server, invoke_target):
    started = time.monotonic()
    slow = [b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] * 60
    slow.append(head_bytes(Signed(server, "POST", invoke_target, b"{}"), "Content-Length: 2") + b"{")
    slow.append(head_bytes(Signed(server, "POST", invoke_target, b"{}"), "Transfer-Encoding: chunked") + b"2\r\n{")
    with ThreadPoolExecutor(len(slow)) as pool:
        ends = [pool.submit(exchange, server, part, 45) for part in slow]
        honest = []
        while not all(end.done() for end in ends) and time.monotonic() - started < 60:
            began = time.monotonic()
            still_serves(server)
            honest.append(time.monotonic() - began)
        for end in ends:
            received, closed = end.result()
            assert closed, "a client that stopped in the middle is held for ever"
            assert received == b"" or status_of(received) in (400, 408)
    assert time.monotonic() - started < 40
    honest.sort()
    assert honest[int(len(honest) * 0.99)] < 1.0


def test_idle_connections_do_not_keep_others_out(server):
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(400)]
    try:
        for _ in range(5):
            still_serves(server)
    finally:
        for connection in idle:
            connection.close()
