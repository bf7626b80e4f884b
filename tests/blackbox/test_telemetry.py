"""The Telemetry API and the Logs API: what a subscriber inside the sandbox is sent."""

import json

import pytest
from support.functions import PYTHON, make_zip, unique
from support.polling import until

# An internal extension that subscribes and listens, all with the standard library. What came is returned by the handler.
SUBSCRIBER = '''
import http.server, json, os, socketserver, threading, urllib.error, urllib.request
BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
KIND = os.environ["KIND"]
events, refused = [], {}

def call(method, path, body=None, **headers):
    request = urllib.request.Request(BASE + path, data=None if body is None else json.dumps(body).encode(), method=method,
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()

class Post(http.server.BaseHTTPRequestHandler):
    failures = 1
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Post.failures:
            Post.failures -= 1
            self.send_response(500)
        else:
            events.extend(json.loads(body))
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *rest): pass

class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            events.append(json.loads(line))

if KIND == "TCP":
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 8123), Lines)
    destination = {"protocol": "TCP", "port": 8123}
else:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 8123), Post)
    destination = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8123/in"}
threading.Thread(target=server.serve_forever, daemon=True).start()

me = call("POST", "/2020-01-01/extension/register", {"events": ["INVOKE"]}, Lambda_Extension_Name="ears")[1]["Lambda-Extension-Identifier"]
logs = KIND == "logs"
path = "/2020-08-15/logs" if logs else "/2022-07-01/telemetry"
wanted = {"schemaVersion": "2021-03-18" if logs else "2022-07-01", "types": ["platform", "function"], "destination": destination,
          "buffering": {"timeoutMs": 25, "maxItems": 1000, "maxBytes": 262144}}
def subscribe(**changes):
    return call("PUT", path, {**wanted, **changes}, Lambda_Extension_Identifier=me)
for case, changes in {"types": {"types": []}, "schema": {"schemaVersion": "1999"}, "port": {"destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:9001"}},
                      "host": {"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}}, "buffer": {"buffering": {"maxBytes": 1, "maxItems": 999, "timeoutMs": 30001}}}.items():
    answer = subscribe(**changes)
    refused[case] = [answer[0], json.loads(answer[2])["errorType"], json.loads(answer[2])["errorMessage"]]
answer = subscribe()
accepted = [answer[0], answer[2]]

def follow():
    while True:
        call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)
threading.Thread(target=follow, daemon=True).start()

def handler(event, context):
    print("printed by", context.aws_request_id)
    late = subscribe()
    if event == "fail":
        raise ValueError("no")
    return {"events": events, "refused": refused, "accepted": accepted, "late": [late[0], json.loads(late[2])["errorType"]]}
'''


@pytest.fixture
def subscriber(functions):
    def deployed(kind):
        name = functions.create(PYTHON, SUBSCRIBER, stem="ears", Timeout=10, MemorySize=512,
                                Environment={"Variables": {"KIND": kind}})
        return lambda event=None: functions.invoke(name, event)
    return deployed


def events_of(invoke, enough):
    """Invokes until the subscriber has what is wanted: what comes after an answer is delivered in the next invocation."""
    return until(lambda: (found := invoke().expect()["events"]) and enough(found) and found, 15, "the events")


def of_type(events, kind):
    return [event["record"] for event in events if event["type"] == kind]


def told_by_one_environment(invoke, *events):
    """Invocations and what the subscriber heard of them; nothing when one met another environment, as it may when the machine is slow
    and the extension has not asked for its next event yet."""
    answers = [invoke(event) for event in events]
    heard = events_of(invoke, lambda found: len(of_type(found, "platform.report")) >= len(answers))
    told = [record["requestId"] for record in of_type(heard, "platform.start")[:len(answers)]]
    return (*answers, heard) if told == [answer.request_id for answer in answers] else None


@pytest.mark.parametrize("kind", ["HTTP", "TCP"])
def test_a_subscriber_is_told_everything(subscriber, kind):
    first, failed, events = until(lambda: told_by_one_environment(subscriber(kind), None, "fail"), 60, "two events in one environment")
    answer = first.expect()
    assert answer["accepted"] == [200, "OK"]
    assert answer["late"] == [403, "Telemetry.SubscriptionClosed"]
    assert all(event["time"].endswith("Z") and len(event["time"]) == 24 for event in events)

    assert of_type(events, "platform.telemetrySubscription") == [
        {"name": "ears", "state": "Subscribed", "types": ["platform", "function"]}]
    assert of_type(events, "platform.extension") == [{"name": "ears", "state": "Ready", "events": ["INVOKE"]}]
    started = of_type(events, "platform.initStart")[0]
    assert (started["phase"], started["initializationType"]) == ("init", "on-demand")
    assert started["runtimeVersion"].startswith("python:3.13")
    assert of_type(events, "platform.initRuntimeDone") == [
        {"initializationType": "on-demand", "phase": "init", "status": "success"}]
    init = of_type(events, "platform.initReport")[0]
    assert init["metrics"]["durationMs"] > 0 and init["phase"] == "init"

    starts = of_type(events, "platform.start")
    assert starts[0]["requestId"] == first.request_id and starts[0]["version"] == "$LATEST"
    done = of_type(events, "platform.runtimeDone")
    assert done[0]["requestId"] == first.request_id and done[0]["status"] == "success"
    assert done[0]["metrics"]["producedBytes"] == len(first.bytes)
    assert done[0]["metrics"]["durationMs"] > 0
    assert [span["name"] for span in done[0]["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
    assert done[0]["spans"][0]["durationMs"] > 0
    assert sum(span["durationMs"] for span in done[0]["spans"]) <= done[0]["metrics"]["durationMs"] + 0.01
    assert done[1]["requestId"] == failed.request_id and done[1]["status"] == "failure"
    assert done[1]["errorType"] == "Runtime.Unknown"
    # What the runtime says by /error is no response.
    assert [span["name"] for span in done[1]["spans"]] == ["runtimeOverhead"]
    report = of_type(events, "platform.report")[0]
    assert report["status"] == "success"
    assert set(report["metrics"]) == {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB",
                                      "initDurationMs"}
    assert report["metrics"]["memorySizeMB"] == 512
    assert report["metrics"]["durationMs"] >= done[0]["metrics"]["durationMs"]
    assert [span["name"] for span in report["spans"]] == ["extensionOverhead"]
    assert "initDurationMs" not in of_type(events, "platform.report")[1]["metrics"]
    assert f"printed by {first.request_id}" in of_type(events, "function")
    order = [event["type"] for event in events if event["type"].startswith("platform.")]
    assert order.index("platform.start") < order.index("platform.runtimeDone") < order.index("platform.report")


def test_the_older_logs_api_has_its_own_words(subscriber):
    first, events = until(lambda: told_by_one_environment(subscriber("logs"), None), 60, "an event and what came after it in one environment")
    assert first.expect()["late"] == [403, "Logs.SubscriptionClosed"]
    assert of_type(events, "platform.logsSubscription") == [
        {"name": "ears", "state": "Subscribed", "types": ["platform", "function"]}]
    assert of_type(events, "platform.start")[0] == {"requestId": first.request_id, "version": "$LATEST"}
    assert of_type(events, "platform.end")[0] == {"requestId": first.request_id}
    assert of_type(events, "platform.runtimeDone")[0] == {"requestId": first.request_id, "status": "success"}
    assert not [event for event in events if event["type"].startswith("platform.init")]


@pytest.mark.parametrize("kind, prefix", [("HTTP", ""), ("logs", "Logs.")])
def test_a_subscription_is_checked(subscriber, kind, prefix):
    assert subscriber(kind)().expect()["refused"] == {
        "types": [400, prefix + "ValidationError", "types should not be empty"],
        "schema": [400, prefix + "ValidationError", "schemaVersion is not valid"],
        "port": [400, prefix + "ValidationError", "URI port is reserved"],
        "host": [400, prefix + "ValidationError", "URI host should be sandbox.localdomain"],
        "buffer": [400, prefix + "ValidationError",
                   "buffering.maxItems should be between 1000 and 10000; buffering.maxBytes should be between 262144 and 1048576; "
                   "buffering.timeoutMs should be between 25 and 30000"],
    }


# An external extension that hears what extensions print, itself too, and keeps it where the function finds it.
LISTENER = '''#!/usr/bin/python3
import http.server, json, os, socketserver, threading, urllib.request
BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]

def call(method, path, body=None, **headers):
    request = urllib.request.Request(BASE + path, data=None if body is None else json.dumps(body).encode(), method=method,
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    return urllib.request.urlopen(request)

def keep(text):
    with open("/tmp/heard", "a") as heard:
        heard.write(text.rstrip("\\n") + "\\n")

class Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            keep(json.dumps(event))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *rest): pass

class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            keep(line.decode())

http_wanted = os.environ["KIND"] == "HTTP"
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8123), Post) if http_wanted else socketserver.ThreadingTCPServer(("127.0.0.1", 8123), Lines)
threading.Thread(target=server.serve_forever, daemon=True).start()
destination = {"protocol": os.environ["KIND"], "URI": "http://sandbox.localdomain:8123"}
me = call("POST", "/2020-01-01/extension/register", {"events": ["INVOKE"]},
          Lambda_Extension_Name=os.path.basename(__file__)).headers["Lambda-Extension-Identifier"]
call("PUT", "/2022-07-01/telemetry", {"schemaVersion": "2022-07-01", "types": ["extension"], "destination": destination,
                                      "buffering": {"timeoutMs": 25}}, Lambda_Extension_Identifier=me)
print("subscribed and ready", flush=True)
os.write(2, b"on stderr, too\\n")
while True:
    event = json.loads(call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me).read())
    print("told of", event["requestId"], flush=True)
'''
TALKER = '''
import json, os
def handler(event, context):
    print("the function speaks")
    # What is written at this moment may be seen in part: only a line that has ended counts.
    return [json.loads(line) for line in open("/tmp/heard").read().split("\\n")[:-1]] if os.path.exists("/tmp/heard") else []
'''


@pytest.mark.parametrize("kind", ["HTTP", "TCP"])
def test_what_extensions_print_is_heard(functions, awslambda, kind):
    arn = awslambda.publish_layer_version(
        LayerName=unique("listener"), Content={"ZipFile": make_zip({"extensions/listener!": LISTENER})})["LayerVersionArn"]
    name = functions.create(PYTHON, TALKER, stem="talker", Timeout=10, MemorySize=512, Layers=[arn],
                            Environment={"Variables": {"KIND": kind}})
    asked = []

    def heard_of_an_event():
        answer = functions.invoke(name)
        heard = answer.expect()
        known = any(event["record"] == f"told of {request}" for event in heard for request in asked)
        asked.append(answer.request_id)
        return heard if known else None

    heard = until(heard_of_an_event, 30, "what the extension printed when it was told of an event")
    assert {event["type"] for event in heard} == {"extension"}
    assert all(set(event) == {"time", "type", "record"} and len(event["time"]) == 24 for event in heard)
    records = [event["record"] for event in heard]
    assert "subscribed and ready" in records and "on stderr, too" in records
    assert "the function speaks" not in records


# Takes nothing until the function has printed all, and then tells what came of it.
SLOW = SUBSCRIBER.replace("        body = self.rfile", "        printed.wait(8)\n        body = self.rfile") + '''
import time
printed = threading.Event()

def handler(event, context):
    for number in range(event):
        print("flood", number, "x" * 990)
    printed.set()
    until = time.monotonic() + 25
    while True:
        seen = list(events)
        heard = sum(1 for each in seen if each["type"] == "function" and each["record"].startswith("flood"))
        dropped = [each["record"] for each in seen if each["type"] == "platform.logsDropped"]
        if heard + sum(each["droppedRecords"] for each in dropped) >= event or time.monotonic() > until:
            return {"heard": heard, "dropped": dropped}
        time.sleep(0.02)
'''


def test_what_a_slow_subscriber_loses_is_told(functions):
    name = functions.create(PYTHON, SLOW, stem="slow", MemorySize=512, Environment={"Variables": {"KIND": "HTTP"}})
    printed = 5000
    seen = functions.invoke(name, printed).expect()
    assert seen["heard"] + sum(record["droppedRecords"] for record in seen["dropped"]) == printed
    # The buffers hold a fifth of it.
    assert 0 < seen["heard"] < printed
    for record in seen["dropped"]:
        assert set(record) == {"droppedBytes", "droppedRecords", "reason"}
        assert record["droppedBytes"] > 1000 * record["droppedRecords"]
        assert record["reason"].startswith("Consumer seems to have fallen behind")
