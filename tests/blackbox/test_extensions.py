"""The Extensions API, seen by extensions that know nothing but its public description."""

import json
import time

import pytest
from support.functions import PYTHON, Deployer, ensure_role, make_zip, unique
from support.polling import until

# Keeps what it is told in /tmp/events. What it does besides is chosen by the function's variables.
EXTERNAL = '''#!/usr/bin/python3
import json, os, sys, time, urllib.request
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"
HOW = os.environ.get("HOW", "")

def call(path, body=None, **headers):
    request = urllib.request.Request(API + path, data=body, method="GET" if body is None else "POST",
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request) as answer:
        return answer.headers, json.loads(answer.read())

def keep(what):
    with open("/tmp/events", "a") as events:
        events.write(json.dumps(what) + "\\n")

print("extension speaking", flush=True)
headers, facts = call("register", json.dumps({"events": ["INVOKE", "SHUTDOWN"]}).encode(),
                      Lambda_Extension_Name=os.path.basename(__file__), Lambda_Extension_Accept_Feature="accountId")
me = headers["Lambda-Extension-Identifier"]
keep({"facts": facts, "environment": sorted(os.environ)})
if HOW == "init error":
    call("init/error", b"{}", Lambda_Extension_Identifier=me, Lambda_Extension_Function_Error_Type="Extension.NoLicence")
    sys.exit(4)
while True:
    headers, event = call("event/next", Lambda_Extension_Identifier=me)
    keep({**event, "seen": time.time(), "named": bool(headers["Lambda-Extension-Event-Identifier"])})
    if event["eventType"] == "SHUTDOWN":
        print("farewell:", event["shutdownReason"], flush=True)
        sys.exit(0)
    if HOW == "crash":
        sys.exit(3)
    if HOW == "slow":
        time.sleep(0.6)
        keep({"slept": time.time()})
'''
FUNCTION = '''
import json, os, time
def handler(event, context):
    if event == "exit":
        os._exit(1)
    if event == "hang":
        time.sleep(60)
    if event == "linger":
        time.sleep(1)
    # What is written at this moment may be seen in part: only a line that has ended counts.
    events = [json.loads(line) for line in open("/tmp/events").read().split("\\n")[:-1]] if os.path.exists("/tmp/events") else []
    return {"events": events, "id": context.aws_request_id, "now": time.time()}
'''
# An extension within the runtime: a thread that registers during init.
INTERNAL = '''
import json, os, threading, urllib.request, urllib.error
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"
seen, refusals = [], {}

def call(path, body=None, **headers):
    request = urllib.request.Request(API + path, data=body, method="GET" if body is None else "POST",
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, json.loads(refused.read())

def register(name, *events):
    return call("register", json.dumps({"events": events}).encode(), Lambda_Extension_Name=name)

def refused(case, answer):
    refusals[case] = [answer[0], answer[2]["errorType"], answer[2]["errorMessage"]]

refused("no name", call("register", b"{}"))
refused("no JSON", call("register", b"{", Lambda_Extension_Name="x"))
refused("bad event", register("x", "INVOKE", "NAP"))
refused("shutdown", register("x", "SHUTDOWN"))
refused("no id", call("event/next"))
refused("unknown id", call("event/next", Lambda_Extension_Identifier="00000000-0000-4000-8000-000000000000"))
status, headers, facts = register("inner", "INVOKE")
me = headers["Lambda-Extension-Identifier"]
refused("twice", register("inner", "INVOKE"))
refused("no error type", call("exit/error", b"{}", Lambda_Extension_Identifier=me))
if os.environ.get("MANY"):
    for n in range(9):
        other = register("inner%d" % n)[1]["Lambda-Extension-Identifier"]
        threading.Thread(target=call, args=("event/next",), kwargs={"Lambda_Extension_Identifier": other}, daemon=True).start()
    refused("too many", register("inner9"))

def follow():
    while True:
        seen.append(call("event/next", Lambda_Extension_Identifier=me)[2])
threading.Thread(target=follow, daemon=True).start()

def handler(event, context):
    refused("late", register("late", "INVOKE"))
    return {"seen": seen, "facts": facts, "refusals": refusals, "id": context.aws_request_id}
'''


@pytest.fixture(scope="module")
def layer(awslambda):
    """The ARN of a layer that brings the extension "probe"."""
    return awslambda.publish_layer_version(
        LayerName=unique("extension"), Content={"ZipFile": make_zip({"extensions/probe!": EXTERNAL})})["LayerVersionArn"]


@pytest.fixture
def deploy(functions, layer):
    def deployed(how="", **settings):
        name = functions.create(PYTHON, FUNCTION, stem="extended", Layers=[layer], Timeout=settings.pop("Timeout", 5),
                                Environment={"Variables": {"HOW": how}}, **settings)
        return lambda event=None, **more: functions.invoke(name, event, **more)
    return deployed


def kinds(answer):
    return [event.get("eventType") for event in answer["events"]]


def test_an_external_extension_gets_its_events(deploy):
    invoke = deploy()
    first = invoke(LogType="Tail")
    assert "EXTENSION\tName: probe\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in first.log
    assert "extension speaking\n" in first.log
    assert "\nREPORT RequestId: " in first.log
    answer = until(lambda: (found := invoke().expect())["events"][1:] and found, 5, "an INVOKE event")
    told = answer["events"][0]
    assert told["facts"]["functionVersion"] == "$LATEST"
    assert told["facts"]["handler"] == "app.handler"
    assert told["facts"]["accountId"] == "123456789012"
    assert "AWS_LAMBDA_FUNCTION_NAME" in told["environment"] and "AWS_SESSION_TOKEN" in told["environment"]
    assert not [name for name in told["environment"] if name.startswith("_") or name == "LAMBDA_TASK_ROOT"]
    event = answer["events"][1]
    assert event["named"] is True
    assert event["requestId"] == first.request_id
    assert event["invokedFunctionArn"].startswith("arn:aws:lambda:")
    assert event["tracing"]["type"] == "X-Amzn-Trace-Id"
    assert 0 < event["deadlineMs"] / 1000 - event["seen"] <= 5


def test_the_answer_leaves_before_the_extension_is_done_and_the_next_event_waits(deploy):
    invoke = deploy("slow")
    first = invoke()
    received = time.time()

    def of_the_same_environment():
        events = invoke().expect()["events"]
        return len(events) > 2 and events[1].get("requestId") == first.request_id and events

    events = until(of_the_same_environment, 15, "the first environment")
    # It slept on after the answer had come, and was not given another event before it asked for one.
    assert events[2]["slept"] > received
    seen = [event["seen"] for event in events if "seen" in event]
    slept = [event["slept"] for event in events if "slept" in event]
    assert all(before < after for before, after in zip(slept, seen[1:]))


@pytest.mark.parametrize("end, reason, error", [("exit", "failure", "Runtime.ExitError"),
                                                ("hang", "timeout", "Sandbox.Timedout")])
def test_a_reset_tells_the_extension_first(deploy, end, reason, error):
    invoke = deploy(Timeout=2)
    invoke().expect()
    assert invoke(end).value["errorType"] == error
    answer = until(lambda: (found := invoke().expect()) and "SHUTDOWN" in kinds(found) and found, 10, "a SHUTDOWN event")
    shutdown = next(event for event in answer["events"] if event.get("eventType") == "SHUTDOWN")
    assert shutdown["shutdownReason"] == reason
    assert 0 < shutdown["deadlineMs"] / 1000 - shutdown["seen"] <= 2
    # It has begun anew with the runtime.
    assert len([event for event in answer["events"] if "facts" in event]) == 2


def test_an_extension_that_crashes_fails_the_invocation(deploy):
    invoke = deploy("crash")
    answer = invoke("linger")
    assert answer.error == "Unhandled"
    assert answer.value == {"errorType": "Extension.Crash",
                            "errorMessage": f"RequestId: {answer.request_id} Error: exit status 3"}


def test_an_extension_that_fails_its_init_fails_the_invocation(deploy):
    answer = deploy("init error")(LogType="Tail")
    assert answer.error == "Unhandled"
    assert answer.value == {"errorType": "Extension.InitError",
                            "errorMessage": f"RequestId: {answer.request_id} Error: exit status 4"}
    assert "EXTENSION\tName: probe\tState: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Extension.NoLicence\n" in answer.log


@pytest.mark.parametrize("files", [{"extensions/probe": EXTERNAL}, {"extensions/probe!": "#!/nowhere\n"}])
def test_an_extension_that_cannot_be_executed_fails_init(functions, awslambda, files):
    arn = awslambda.publish_layer_version(LayerName=unique("broken"), Content={"ZipFile": make_zip(files)})["LayerVersionArn"]
    answer = functions.invoke(functions.create(PYTHON, FUNCTION, Layers=[arn]), LogType="Tail")
    assert answer.error == "Unhandled"
    assert answer.value["errorType"] == "Extension.LaunchError"
    assert "EXTENSION\tName: probe\tState: LaunchError\tEvents: []\t" in answer.log


def test_an_environment_that_is_retired_tells_its_extensions(new_server):
    server = new_server("--print-function-logs")
    functions = Deployer(server, ensure_role(server))
    arn = functions.client.publish_layer_version(
        LayerName="extension", Content={"ZipFile": make_zip({"extensions/probe!": EXTERNAL})})["LayerVersionArn"]
    name = functions.create(PYTHON, FUNCTION, Layers=[arn])
    functions.invoke(name).expect()
    functions.client.update_function_configuration(FunctionName=name, Description="another revision")
    until(lambda: "farewell: spindown\n" in server.said(100_000), 10, "the extension's last words")


def test_an_internal_extension_gets_its_events(functions):
    name = functions.create(PYTHON, INTERNAL, stem="internal", Timeout=5)
    first = functions.invoke(name, None, LogType="Tail")
    assert "EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]\n" in first.log
    assert first.expect()["facts"] == {"functionName": name, "functionVersion": "$LATEST", "handler": "app.handler"}
    second = functions.invoke(name).expect()
    assert [event["requestId"] for event in second["seen"]][:1] == [first.request_id]


def test_refusals_of_the_extensions_api(functions):
    name = functions.create(PYTHON, INTERNAL, stem="refused", Timeout=5, Environment={"Variables": {"MANY": "1"}})
    functions.invoke(name).expect()
    assert functions.invoke(name).expect()["refusals"] == {
        "no name": [403, "Extension.InvalidExtensionName", "Empty extension name"],
        "no JSON": [403, "InvalidRequestFormat", "the body is not JSON: incomplete JSON"],
        "bad event": [403, "Extension.InvalidEventType", "NAP: invalid event"],
        "shutdown": [403, "Extension.InvalidEventType", "SHUTDOWN: event not supported for internal extensions"],
        "no id": [403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"],
        "unknown id": [403, "Extension.UnknownExtensionIdentifier",
                       "Unknown extension 00000000-0000-4000-8000-000000000000"],
        "twice": [403, "Extension.InvalidExtensionState", "Extension with this name already registered"],
        "no error type": [403, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found"],
        "too many": [403, "Extension.TooManyExtensions", "Extension limit (10) reached"],
        "late": [403, "Extension.RegistrationClosed", "Extension registration closed already"],
    }
