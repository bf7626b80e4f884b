"""What the caller of Invoke sees, for each way a function can end (facts of AWS: exact payloads and headers)."""

import base64
import json
import re

import pytest
from botocore.exceptions import ClientError

from support.functions import NODEJS, PYTHON

ENDINGS = {
    PYTHON: '''
import json, os, sys, time

class Odd(Exception):
    pass

def handler(event, context):
    how = event["how"]
    if how == "echo":
        return event["value"]
    if how == "nothing":
        return None
    if how == "throw":
        raise Odd("it went wrong: \\u00fc")
    if how == "sleep":
        time.sleep(event["seconds"])
    if how == "exit":
        os._exit(event["status"])
    if how == "sys.exit":
        sys.exit(event["status"])
    if how == "memory":
        hoard = []
        while True:
            hoard.append(b"x" * 4_000_000)
    if how == "large":
        return "x" * event["bytes"]
    if how == "unserializable":
        return {1, 2}
    if how == "context":
        return {"request_id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
                "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
                "group": context.log_group_name, "stream": context.log_stream_name,
                "remaining": context.get_remaining_time_in_millis(),
                "custom": context.client_context.custom if context.client_context else None}
    if how == "print":
        print(event["text"])
    return "done"
''',
    NODEJS: '''
class Odd extends Error {
  constructor(message) { super(message); this.name = "Odd"; }
}
export const handler = async (event, context) => {
  switch (event.how) {
    case "echo": return event.value;
    case "nothing": return;
    case "throw": throw new Odd("it went wrong: \\u00fc");
    case "sleep": await new Promise((done) => setTimeout(done, event.seconds * 1000)); return "done";
    case "exit": process.exit(event.status);
    case "memory": { const hoard = []; for (;;) hoard.push(Buffer.alloc(4_000_000, 120)); }
    case "large": return "x".repeat(event.bytes);
    case "context": return {
      request_id: context.awsRequestId, name: context.functionName, version: context.functionVersion,
      arn: context.invokedFunctionArn, memory: context.memoryLimitInMB, group: context.logGroupName,
      stream: context.logStreamName, remaining: context.getRemainingTimeInMillis(),
      custom: context.clientContext ? context.clientContext.custom ?? context.clientContext.Custom : null };
    case "unserializable": return { count: 10n };
    case "print": console.log(event.text); return "done";
  }
};
''',
}
IMPORT_FAILS = {
    PYTHON: "import this_module_is_missing\ndef handler(event, context):\n    return 1\n",
    NODEJS: "import './missing.mjs';\nexport const handler = async () => 1;\n",
}
MISSING_HANDLER = {PYTHON: "x = 1\n", NODEJS: "export const other = 1;\n"}
# The four ways to end badly, for tests with other clients too: the event for one of ENDINGS, the settings of its function, and the
# error's type and words. A thrown error has its runtime's own shape: see assert_failure.
FAILURES = {
    "throw": ({"how": "throw"}, {}, "Odd", "it went wrong: ü"),
    "timeout": ({"how": "sleep", "seconds": 20}, {"Timeout": 1}, "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    "exit": ({"how": "exit", "status": 7}, {}, "Runtime.ExitError", "Runtime exited with error: exit status 7"),
    "memory": ({"how": "memory"}, {"MemorySize": 128}, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
}


def assert_failure(said, kind, words, request_id, runtime):
    """That a payload is, member by member, what AWS answers for one of FAILURES."""
    if kind != "Odd":
        assert said == {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {words}"}
        return
    assert (said["errorType"], said["errorMessage"]) == (kind, words)
    if runtime == PYTHON:
        assert set(said) == {"errorMessage", "errorType", "requestId", "stackTrace"}
        assert said["requestId"] == request_id
        assert all(isinstance(line, str) for line in said["stackTrace"])
        assert 'File "/var/task/app.py", line' in said["stackTrace"][-1]
    else:
        assert set(said) == {"errorType", "errorMessage", "trace"}
        assert said["trace"][0] == f"{kind}: {words}"
        assert any("/var/task/index.mjs" in line for line in said["trace"])


def assert_unhandled(answer):
    """What every failed invocation has in common, as boto3 tells it and as the headers say it."""
    assert (answer.status, answer.error, answer.version) == (200, "Unhandled", "$LATEST")
    assert answer.headers["x-amz-function-error"] == "Unhandled"
    assert answer.headers["x-amz-executed-version"] == "$LATEST"


@pytest.fixture(scope="module")
def endings(module_functions, runtime):
    return module_functions.create(runtime, ENDINGS[runtime], stem="endings", Timeout=10)


@pytest.mark.parametrize("value", [
    None, True, 0, -1.5, "", "text ü 漢字 \U0001f600", [], {}, [1, [2, [3]]], {"deep": {"er": ["x", None]}},
    "quotes \" and \\ and \n newlines \u2028",
])
def test_values_come_back_as_they_went_in(module_functions, endings, value):
    answer = module_functions.invoke(endings, {"how": "echo", "value": value})
    assert answer.expect() == value
    assert answer.status == 200
    assert answer.version == "$LATEST"
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert "x-amz-function-error" not in answer.headers
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.headers["x-amzn-requestid"])


def test_no_return_value_is_null(module_functions, endings):
    assert module_functions.invoke(endings, {"how": "nothing"}).bytes == b"null"


def test_an_empty_payload_is_an_empty_event(functions, awslambda):
    name = functions.create(PYTHON, "def handler(event, context):\n    return {'got': event}\n")
    assert json.loads(awslambda.invoke(FunctionName=name)["Payload"].read()) == {"got": {}}


def test_a_raised_error_is_unhandled_in_the_runtimes_own_shape(module_functions, endings, runtime):
    answer = module_functions.invoke(endings, {"how": "throw"})
    assert_unhandled(answer)
    assert_failure(answer.value, "Odd", "it went wrong: ü", answer.request_id, runtime)
    assert module_functions.invoke(endings, {"how": "echo", "value": 1}).expect() == 1


def test_the_time_limit_ends_the_invocation(functions, runtime):
    name = functions.create(runtime, ENDINGS[runtime], Timeout=1)
    answer = functions.invoke(name, {"how": "sleep", "seconds": 20}, LogType="Tail")
    assert_unhandled(answer)
    assert answer.value == {"errorType": "Sandbox.Timedout",
                            "errorMessage": f"RequestId: {answer.request_id} Error: Task timed out after 1.00 seconds"}
    assert "Task timed out after 1.00 seconds" in answer.log
    assert functions.invoke(name, {"how": "echo", "value": "alive"}).expect() == "alive"


@pytest.mark.parametrize("status, words", [
    (0, "Runtime exited without providing a reason"),
    (1, "Runtime exited with error: exit status 1"),
    (7, "Runtime exited with error: exit status 7"),
])
def test_a_process_that_exits_is_an_exit_error(module_functions, endings, status, words):
    answer = module_functions.invoke(endings, {"how": "exit", "status": status})
    assert_unhandled(answer)
    assert answer.value == {"errorType": "Runtime.ExitError",
                            "errorMessage": f"RequestId: {answer.request_id} Error: {words}"}
    assert module_functions.invoke(endings, {"how": "echo", "value": 2}).expect() == 2


def test_sys_exit_is_no_exception_of_the_handlers_but_an_exit(functions):
    """SystemExit goes past a runtime's `except Exception`: Python ends with the status that it carries, 1 for words."""
    name = functions.create(PYTHON, ENDINGS[PYTHON], Timeout=10)
    for status, words in ((0, "without providing a reason"), (3, "with error: exit status 3"), ("why", "with error: exit status 1")):
        answer = functions.invoke(name, {"how": "sys.exit", "status": status})
        assert_unhandled(answer)
        assert answer.value == {"errorType": "Runtime.ExitError",
                                "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited {words}"}
    assert functions.invoke(name, {"how": "echo", "value": 6}).expect() == 6


def test_over_memory_is_killed_and_replaced(functions, runtime):
    name = functions.create(runtime, ENDINGS[runtime], MemorySize=128, Timeout=20)
    answer = functions.invoke(name, {"how": "memory"}, LogType="Tail")
    assert_unhandled(answer)
    assert answer.value == {"errorType": "Runtime.ExitError",
                            "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: signal: killed"}
    assert 100 <= int(re.search(r"Max Memory Used: (\d+) MB", answer.log)[1]) <= 129
    assert functions.invoke(name, {"how": "echo", "value": 3}).expect() == 3


def test_the_largest_response_passes_and_the_next_byte_does_not(functions, runtime):
    name = functions.create(runtime, ENDINGS[runtime], MemorySize=512)
    largest = 6_291_556
    answer = functions.invoke(name, {"how": "large", "bytes": largest - 2})
    assert answer.error is None and len(answer.bytes) == largest
    answer = functions.invoke(name, {"how": "large", "bytes": largest - 1})
    assert_unhandled(answer)
    assert answer.value == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}
    assert functions.invoke(name, {"how": "echo", "value": 4}).expect() == 4


def test_what_cannot_be_json_fails_the_invocation(module_functions, endings, runtime):
    answer = module_functions.invoke(endings, {"how": "unserializable"})
    assert_unhandled(answer)
    if runtime == PYTHON:
        assert answer.value["errorType"] == "Runtime.MarshalError"
        assert answer.value["errorMessage"].startswith("Unable to marshal response: ")
    else:
        assert answer.value["errorMessage"] == "Unable to stringify response body"
    assert module_functions.invoke(endings, {"how": "echo", "value": 5}).expect() == 5


def test_code_that_cannot_be_loaded_fails_its_invocation(functions, runtime):
    name = functions.create(runtime, IMPORT_FAILS[runtime])
    for _ in range(2):
        answer = functions.invoke(name, {})
        assert_unhandled(answer)
        said = answer.value
        if runtime == PYTHON:
            assert said["errorType"] == "Runtime.ImportModuleError"
            assert said["errorMessage"] == "Unable to import module 'app': No module named 'this_module_is_missing'"
            assert said["requestId"] == ""
        else:
            assert said["errorType"] in ("Runtime.ImportModuleError", "Error")
            assert "missing.mjs" in said["errorMessage"]


def test_a_handler_that_is_not_there_says_which(functions, runtime):
    name = functions.create(runtime, MISSING_HANDLER[runtime])
    answer = functions.invoke(name, {})
    assert_unhandled(answer)
    said = answer.value
    assert said["errorType"] == "Runtime.HandlerNotFound"
    expected = "Handler 'handler' missing on module 'app'" if runtime == PYTHON else "index.handler is undefined or not exported"
    assert said["errorMessage"] == expected


def test_the_context_tells_what_aws_tells(module_functions, endings):
    custom = base64.b64encode(json.dumps({"custom": {"tenant": "blue"}}).encode()).decode()
    answer = module_functions.invoke(endings, {"how": "context"}, ClientContext=custom)
    seen = answer.expect()
    assert seen["request_id"] == answer.request_id
    assert seen["name"] == endings
    assert seen["version"] == "$LATEST"
    assert seen["arn"].endswith(f":function:{endings}")
    assert seen["memory"] == "128"
    assert seen["group"] == f"/aws/lambda/{endings}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen["stream"])
    assert 1000 < seen["remaining"] <= 10_000
    assert seen["custom"] == {"tenant": "blue"}


def test_the_tail_holds_start_end_and_a_true_report(module_functions, endings):
    module_functions.invoke(endings, {"how": "nothing"})
    answer = module_functions.invoke(endings, {"how": "sleep", "seconds": 0.3}, LogType="Tail")
    assert answer.expect() == "done"
    lines = answer.log.splitlines()
    assert lines[0] == f"START RequestId: {answer.request_id} Version: $LATEST"
    assert f"END RequestId: {answer.request_id}" in lines
    report = re.search(
        rf"^REPORT RequestId: {answer.request_id}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\t"
        r"Memory Size: 128 MB\tMax Memory Used: (\d+) MB\t", answer.log, re.M)
    duration, billed, memory = float(report[1]), int(report[2]), int(report[3])
    assert 290 <= duration <= 3000
    assert duration <= billed <= duration + 1.01
    assert 5 <= memory <= 128
    assert "Init Duration" not in answer.log


def test_a_first_invocation_reports_its_init(functions, runtime):
    name = functions.create(runtime, ENDINGS[runtime])
    answer = functions.invoke(name, {"how": "nothing"}, LogType="Tail")
    assert re.search(r"\tInit Duration: \d+\.\d\d ms", answer.log)


def test_what_a_function_prints_is_in_its_tail(module_functions, endings, runtime):
    answer = module_functions.invoke(endings, {"how": "print", "text": "a line to be found"}, LogType="Tail")
    line = next(line for line in answer.log.splitlines() if "a line to be found" in line)
    if runtime == PYTHON:
        assert line == "a line to be found"
    else:
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{answer.request_id}\tINFO\ta line to be found", line)


def test_the_tail_is_the_last_4_kilobytes(module_functions, endings):
    answer = module_functions.invoke(endings, {"how": "print", "text": "y" * 20_000}, LogType="Tail")
    assert len(answer.log.encode()) <= 4096
    assert f"REPORT RequestId: {answer.request_id}" in answer.log


def test_without_tail_there_is_no_log(module_functions, endings):
    answer = module_functions.invoke(endings, {"how": "nothing"})
    assert answer.log is None and "x-amz-log-result" not in answer.headers


def test_a_dry_run_runs_nothing(module_functions, endings):
    answer = module_functions.invoke(endings, {"how": "exit", "status": 1}, InvocationType="DryRun")
    assert (answer.status, answer.bytes, answer.error, answer.version) == (204, b"", None, None)


def test_a_payload_that_is_no_json_is_refused(awslambda, module_functions, endings):
    with pytest.raises(ClientError) as refused:
        awslambda.invoke(FunctionName=endings, Payload=b"{not json")
    answer = refused.value.response
    assert answer["Error"]["Code"] == "InvalidRequestContentException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Error"]["Message"].startswith("Could not parse request body into json: ")


@pytest.mark.parametrize("settings", [{"InvocationType": "Sometimes"}, {"LogType": "All"}, {"Qualifier": "no such qualifier!"}])
def test_values_outside_the_model_are_refused(awslambda, endings, settings):
    with pytest.raises(ClientError) as refused:
        awslambda.invoke(FunctionName=endings, **settings)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_qualifier_that_is_not_there_is_not_found(awslambda, endings):
    with pytest.raises(ClientError) as refused:
        awslambda.invoke(FunctionName=endings, Qualifier="42")
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ResourceNotFoundException", 404)
    assert answer["Error"]["Message"].endswith(f":function:{endings}:42")
    assert answer["Error"]["Message"].startswith("Function not found: ")


def test_a_warm_environment_keeps_its_globals_and_its_tmp(functions, runtime):
    source = {
        PYTHON: "import os\ncount = 0\ndef handler(event, context):\n    global count\n    count += 1\n"
                "    before = os.path.exists('/tmp/mark')\n    open('/tmp/mark', 'w').close()\n    return [count, before]\n",
        NODEJS: "import fs from 'node:fs';\nlet count = 0;\nexport const handler = async () => {\n  count += 1;\n"
                "  const before = fs.existsSync('/tmp/mark');\n  fs.writeFileSync('/tmp/mark', '');\n  return [count, before];\n};\n",
    }[runtime]
    name = functions.create(runtime, source)
    assert [functions.invoke(name).expect() for _ in range(3)] == [[1, False], [2, True], [3, True]]
    functions.update_code(name, runtime, source + "\n")
    assert functions.invoke(name).expect() == [1, False]


@pytest.mark.parametrize("files, handler", [
    ({"index.js": "exports.handler = async (event) => event.x + 1;"}, "index.handler"),
    ({"index.js": "exports.handler = (event, context, callback) => setTimeout(() => callback(null, event.x + 1), 5);"},
     "index.handler"),
    ({"index.cjs": "exports.handler = async (event) => event.x + 1;"}, "index.handler"),
    ({"package.json": '{"type": "module"}', "index.js": "export async function handler(event) { return event.x + 1; }"},
     "index.handler"),
    ({"index.mjs": "const one = await Promise.resolve(1);\nexport const handler = async (event) => event.x + one;"},
     "index.handler"),
    ({"lib/deep/mod.js": "exports.api = { run: async (event) => event.x + 1 };"}, "lib/deep/mod.api.run"),
])
def test_nodejs_handler_forms(functions, files, handler):
    name = functions.create(NODEJS, files, Handler=handler)
    assert functions.invoke(name, {"x": 41}).expect() == 42


def test_nodejs_callback_with_an_error(functions):
    name = functions.create(NODEJS, {"index.js": "exports.handler = (e, c, done) => done(new TypeError('no'));"})
    said = functions.invoke(name, {}).value
    assert (said["errorType"], said["errorMessage"]) == ("TypeError", "no")


def test_python_handler_in_a_package(functions):
    name = functions.create(PYTHON, {"pkg/__init__.py": "", "pkg/mod.py": "def run(event, context):\n    return event['x'] + 1\n"},
                            Handler="pkg/mod.run")
    assert functions.invoke(name, {"x": 41}).expect() == 42


def test_provided_runs_the_bootstrap_of_the_package(functions):
    bootstrap = """#!/usr/bin/python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    request_id = event.headers["Lambda-Runtime-Aws-Request-Id"]
    body = json.dumps({"event": json.loads(event.read()), "handler": os.environ["_HANDLER"]})
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", body)
    answer = api.getresponse()
    assert answer.status == 202 and json.loads(answer.read()) == {"status": "OK"}
"""
    name = functions.create("provided.al2023", {"bootstrap!": bootstrap}, Handler="my.handler")
    assert functions.invoke(name, {"x": 1}).expect() == {"event": {"x": 1}, "handler": "my.handler"}
    broken = functions.create("provided.al2023", {"readme": "no bootstrap here"}, Handler="x")
    answer = functions.invoke(broken, {})
    assert_unhandled(answer)
    assert answer.value["errorType"] == "Runtime.InvalidEntrypoint"
