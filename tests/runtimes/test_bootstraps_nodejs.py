"""The Node.js bootstrap: handler forms, errors and logs as AWS's documentation and published runtime client have them."""

import base64
import json
import pathlib
import re
import subprocess

import pytest

from runtimes.runtime_process import ARN, NODE, Event, node

pytestmark = pytest.mark.skipif(not pathlib.Path(NODE).exists(), reason="no Node.js in /usr/bin")


def node_version():
    said = subprocess.run([NODE, "--version"], capture_output=True, text=True).stdout if pathlib.Path(NODE).exists() else "v0.0"
    return tuple(int(part) for part in said.strip().lstrip("v").split("."))

LIMIT = 6291556
OLD, NEW = "AWS_Lambda_nodejs20.x", "AWS_Lambda_nodejs24.x"
ID = "00000000-0000-4000-8000-000000000000"
both = pytest.mark.parametrize("generation", [OLD, NEW])


def document(run):
    assert run.answer.kind in ("error", "init_error"), run
    return run.answer.json()


@both
def test_two_events_in_one_process_share_its_globals(generation):
    run = node("let n = 0; exports.handler = async (event) => ({ n: ++n, event })", events=[Event({"a": 1}), Event("b")],
               execution_env=generation)
    assert [a.body for a in run.answers] == [b'{"n":1,"event":{"a":1}}', b'{"n":2,"event":"b"}']


@pytest.mark.parametrize("source, expected", [
    ("(e, c, callback) => callback(null, e)", {"in": 1}),
    ("(e, c, callback) => setTimeout(() => callback(null, 'later'), 10)", "later"),
    ("(e, c, callback) => { callback(null); }", None),
    ("(e, c) => c.succeed('s')", "s"),
    ("(e, c) => c.done(null, 'd')", "d"),
    ("(e, c) => { setTimeout(() => c.done(null, 'd'), 10); }", "d"),
    ("(e, c) => Promise.resolve('p')", "p"),
    ("(e, c) => ({ then: (f) => f('thenable') })", "thenable"),
    ("(e, c) => 'ignored'", None),
    ("(e, c) => undefined", None),
    ("async (e, c) => undefined", None),
    ("(e, c, callback) => { callback(null, 1); callback(null, 2); }", 1),
    ("async (e, c, callback) => { callback(null, 'callback'); return 'promise' }", "callback"),
    ("async () => new Date(0)", "1970-01-01T00:00:00.000Z"),
])
def test_forms_of_a_classic_handler(source, expected):
    run = node(f"exports.handler = {source}", events=[Event({"in": 1}), Event({"in": 1})])
    assert [(a.kind, a.json()) for a in run.answers] == [("response", expected)] * 2


@pytest.mark.parametrize("source, expected", [
    ("async (e, c) => 'a'", "a"), ("(e, c) => 'now'", "now"), ("(e, c) => Promise.resolve('p')", "p"), ("() => {}", None),
])
def test_forms_of_a_handler_from_nodejs24_on(source, expected):
    run = node(f"exports.handler = {source}", events=2, execution_env=NEW)
    assert [(a.kind, a.json()) for a in run.answers] == [("response", expected)] * 2


def test_callbacks_are_refused_from_nodejs24_on():
    run = node("exports.handler = (e, c, callback) => callback(null, 1)", execution_env=NEW)
    assert run.answer.kind == "init_error" and document(run)["errorType"] == "Runtime.CallbackHandlerDeprecated"
    assert document(run)["errorMessage"].startswith("ERROR: AWS Lambda has removed support for callback-based function handlers")
    assert run.returncode == 1


def test_a_context_from_nodejs24_on_has_no_done():
    run = node("exports.handler = async (e, c) => ['done', 'succeed', 'fail', 'callbackWaitsForEmptyEventLoop'].map(n => n in c)",
               execution_env=NEW)
    assert run.answer.json() == [False] * 4


def test_a_callback_waits_for_the_event_loop_unless_told_otherwise():
    source = """exports.handler = (e, c, callback) => {
      c.callbackWaitsForEmptyEventLoop = e;
      setTimeout(() => console.log('loop ' + e), 40);
      callback(null, e);
    }"""
    run = node(source, events=[Event(True), Event(False)])
    assert [a.json() for a in run.answers] == [True, False]
    assert "loop true" in run.stdout and "loop false" not in run.stdout


@pytest.mark.parametrize("files, handler", [
    ({"index.js": "exports.handler = async () => 'cjs'"}, "index.handler"),
    ({"index.cjs": "exports.handler = async () => 'cjs'"}, "index.handler"),
    ({"index.mjs": "export const handler = async () => 'esm'"}, "index.handler"),
    ({"index.js": "export const handler = async () => 'esm'", "package.json": '{"type":"module"}'}, "index.handler"),
    ({"index.mjs": "const x = await Promise.resolve('esm'); export const handler = async () => x"}, "index.handler"),
    ({"dir/file.js": "exports.handler = async () => 'cjs'"}, "dir/file.handler"),
    ({"a/b/c.mjs": "export const handler = async () => 'esm'"}, "a/b/c.handler"),
    ({"index.js": "exports.a = { b: { handler: async () => 'cjs' } }"}, "index.a.b.handler"),
    ({"node_modules/lib/index.js": "exports.handler = async () => 'cjs'"}, "lib.handler"),
    ({"index.js": "exports.handler = require('lib').f", "node_modules/lib/index.js": "exports.f = async () => 'cjs'"},
     "index.handler"),
    ({"index.mjs": "import { f } from 'lib'; export const handler = f", "node_modules/lib/index.js":
      "exports.f = async () => 'cjs'"}, "index.handler"),
    ({"index.js": "module.exports = async () => 'cjs'; module.exports.handler = module.exports"}, "index.handler"),
])
@both
def test_where_a_handler_may_be(files, handler, generation):
    assert node(files, handler, execution_env=generation).answer.json() in ("cjs", "esm")


@pytest.mark.skipif(node_version() < (20, 19), reason="this Node.js does not look for ES module syntax by itself")
def test_a_module_without_package_json_is_recognised_from_nodejs24_on():
    assert node("export const handler = async () => 'esm'", execution_env=NEW).answer.json() == "esm"


def test_a_default_export_is_looked_into_from_nodejs24_on():
    files = {"index.mjs": "export default { handler: async () => 'default' }"}
    assert node(files, execution_env=NEW).answer.json() == "default"
    assert document(node(files))["errorType"] == "Runtime.HandlerNotFound"


@pytest.mark.parametrize("handler, source, error_type, message", [
    ("index.handler", "require('nothing-like-this')", "Runtime.ImportModuleError",
     r"Error: Cannot find module 'nothing-like-this'\nRequire stack:\n- /var/task/index\.js\n- .*/index\.mjs"),
    ("other.handler", "", "Runtime.ImportModuleError", r"Error: Cannot find module 'other'\nRequire stack:\n- .*/index\.mjs"),
    ("index.handler", "exports.other = 1", "Runtime.HandlerNotFound", r"index\.handler is undefined or not exported"),
    ("index.handler", "exports.handler = 1", "Runtime.HandlerNotFound", r"index\.handler is not a function"),
    ("index.handler", "exports.handler = ()", "Runtime.UserCodeSyntaxError", r"SyntaxError: Unexpected .*"),
    ("index", "", "Runtime.MalformedHandlerName", r"Bad handler"),
    ("../index.handler", "", "Runtime.MalformedHandlerName",
     r"'\.\./index\.handler' is not a valid handler name\. Use absolute paths when specifying root directories in handler names\."),
    ("index.handler", "throw new RangeError('early')", "RangeError", "early"),
    ("index.handler", "throw 'text'", "string", "text"),
])
def test_a_handler_that_cannot_be_loaded(handler, source, error_type, message):
    run = node(source, handler)
    assert run.answer.kind == "init_error"
    assert document(run)["errorType"] == error_type
    assert re.fullmatch(message, document(run)["errorMessage"], re.DOTALL)
    assert isinstance(document(run)["trace"], list)
    assert run.answer.headers["Lambda-Runtime-Function-Error-Type"] == error_type
    assert run.returncode == 129
    assert re.match(r"[^\t]+Z\tundefined\tERROR\tUncaught Exception \t\{", run.stdout) and run.stdout.count("\n") == 1


def test_a_missing_package_of_a_module():
    run = node({"index.mjs": "import 'nothing-like-this'"})
    assert document(run)["errorType"] == "Error"
    assert document(run)["errorMessage"] == "Cannot find package 'nothing-like-this' imported from /var/task/index.mjs"


@pytest.mark.parametrize("source, error_type, message", [
    ("async () => { throw new TypeError('bad') }", "TypeError", "bad"),
    ("() => { throw new Error('sync') }", "Error", "sync"),
    ("(e, c, callback) => callback(new Error('called'))", "Error", "called"),
    ("(e, c, callback) => callback('text')", "string", "text"),
    ("(e, c) => c.fail(new Error('failed'))", "Error", "failed"),
    ("(e, c) => c.fail()", "string", "handled"),
    ("(e, c) => c.done(new Error('done'))", "Error", "done"),
    ("async () => { throw 'text' }", "string", "text"),
    ("async () => { throw 5 }", "number", "5"),
    ("async () => { throw undefined }", "string", "handled"),
    ("async () => { class Own extends Error { constructor() { super('m'); this.name = 'Own' } } throw new Own() }", "Own", "m"),
    ("async () => { throw { name: 'N', message: 'M', stack: 'S' } }", "N", "M"),
    ("async () => { const a = []; a.push(a); return a }", "Error", "Unable to stringify response body"),
    ("async () => 1n", "Error", "Unable to stringify response body"),
])
def test_errors_of_a_handler(source, error_type, message):
    run = node(f"exports.handler = {source}", events=2)
    for answer in run.answers:
        assert answer.kind == "error"
        assert (answer.json()["errorType"], answer.json()["errorMessage"]) == (error_type, message)
    assert run.returncode is None
    assert run.stdout.splitlines()[0].split("\t")[1:4] == [ID, "ERROR", "Invoke Error "]


def test_a_trace_begins_with_the_error_and_ends_with_the_runtime():
    trace = document(node("exports.handler = async () => { throw new TypeError('bad') }"))["trace"]
    assert trace[0] == "TypeError: bad"
    assert re.fullmatch(r"    at .*handler \(/var/task/index\.js:1:\d+\)", trace[1])
    assert trace[2].startswith("    at Runtime.handleOnceNonStreaming (")
    assert not any("connection.cjs" in line for line in trace)


def test_an_error_is_logged_with_its_members():
    run = node("exports.handler = async () => { const e = new Error('m'); e.code = 'E1'; e.extra = {a: 1}; throw e }")
    logged = json.loads(run.stdout.split("\t")[-1])
    assert logged["errorType"] == "Error" and logged["code"] == "E1" and logged["extra"] == {"a": 1}
    assert logged["stack"][0] == "Error: m"


def test_an_uncaught_exception_ends_the_process_and_is_the_answer():
    run = node("exports.handler = (e, c, callback) => { setTimeout(() => { throw new Error('late') }, 5) }", events=2)
    assert run.answers[0].json()["errorMessage"] == "late" and len(run.answers) == 1
    assert run.returncode == 129 and "Uncaught Exception" in run.stdout


def test_an_unhandled_rejection_ends_the_process_and_is_the_answer():
    run = node("exports.handler = (e, c, callback) => { Promise.reject(new Error('lost')) }", events=2)
    assert document(run)["errorType"] == "Runtime.UnhandledPromiseRejection"
    assert document(run)["errorMessage"] == "Error: lost"
    assert run.returncode == 128 and "Unhandled Promise Rejection" in run.stdout


def test_a_promise_that_is_never_settled_fails_the_invocation():
    run = node("exports.handler = async () => { await new Promise(() => {}) }", events=2)
    assert [a.json()["errorType"] for a in run.answers] == ["Runtime.NodeJsExit"] * 2
    assert run.returncode is None


def test_a_promise_that_is_never_settled_ends_the_process_from_nodejs24_on():
    run = node("exports.handler = async () => { await new Promise(() => {}) }", events=2, execution_env=NEW)
    assert run.answers == [] and run.returncode == 0


@both
def test_process_exit_leaves_the_event_unanswered(generation):
    run = node("exports.handler = async () => { console.log('before'); process.exit(3) }", execution_env=generation)
    assert run.answers == [] and run.returncode == 3 and "before" in run.stdout


@both
def test_an_event_that_is_no_json_is_an_error(generation):
    run = node("exports.handler = async (e) => e", events=[Event(b"{"), Event(b"1")], execution_env=generation)
    assert run.answers[0].json()["errorType"] == "SyntaxError" and run.answers[1].body == b"1"


def test_the_context_has_every_documented_member():
    headers = {
        "Lambda-Runtime-Client-Context": '{"client":{"app_title":"t"},"custom":{"k":"v\\u00e9"},"env":{"e":"1"}}',
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
    }
    run = node("exports.handler = async (e, c) => ({ ...c, left: c.getRemainingTimeInMillis() })", events=[Event(b"{}", headers)])
    context = run.answer.json()
    assert 0 < context.pop("left") <= 30000
    assert context == {
        "callbackWaitsForEmptyEventLoop": True, "functionVersion": "$LATEST", "functionName": "tested", "memoryLimitInMB": "128",
        "logGroupName": "/aws/lambda/tested", "logStreamName": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
        "invokedFunctionArn": ARN, "awsRequestId": ID, "clientContext":
        {"client": {"app_title": "t"}, "custom": {"k": "vé"}, "env": {"e": "1"}},
        "identity": {"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}}


def test_a_broken_client_context_is_an_error_of_its_event_alone():
    run = node("exports.handler = async () => 1", events=[Event(b"{}", {"Lambda-Runtime-Client-Context": "{"}), Event()])
    assert run.answers[0].json()["errorMessage"].startswith("Cannot parse ClientContext as json: SyntaxError")
    assert run.answers[1].json() == 1


def test_the_trace_id_is_the_events():
    run = node("exports.handler = async () => process.env._X_AMZN_TRACE_ID ?? null",
               events=[Event(b"1", {"Lambda-Runtime-Trace-Id": "Root=1"}), Event(b"2")])
    assert [a.json() for a in run.answers] == ["Root=1", None]


def test_console_lines_have_time_request_and_level():
    run = node("console.log('early'); exports.handler = async () => { console.log('a\\nb', { x: 1 }); console.info('i');"
               " console.warn('w'); console.error('e'); console.debug('d'); console.trace('t'); console.log('%s-%d', 'f', 5) }")
    raw = run.stdout.split("\n")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\tundefined\tINFO\tearly", raw[0])
    assert raw[1].endswith(f"\t{ID}\tINFO\ta\rb {{ x: 1 }}")
    assert [line.split("\t", 2)[2] for line in raw[2:-1]] == ["INFO\ti", "WARN\tw", "ERROR\te", "DEBUG\td", "TRACE\tt", "INFO\tf-5"]
    assert run.stderr == ""


def test_json_logs():
    env = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "WARN"}
    run = node("exports.handler = async () => { console.log('no'); console.warn({ a: 1 }); console.error('x', new TypeError('t')) }",
               env=env)
    first, second = map(json.loads, run.stdout.splitlines())
    assert first["level"] == "WARN" and first["message"] == {"a": 1} and first["requestId"] == ID
    assert second["level"] == "ERROR" and second["errorType"] == "TypeError" and second["errorMessage"] == "t"


def test_process_stdout_is_raw():
    assert node("exports.handler = async () => { process.stdout.write('raw\\n') }").stdout == "raw\n"


@both
def test_a_streamed_response_is_chunked_with_its_metadata(generation):
    run = node("""exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
        stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
        stream.write("a");
        stream.write({ b: 1 });
        stream.end();
      }, { highWaterMark: 1024 });""", execution_env=generation)
    headers = run.answer.headers
    assert run.answer.kind == "response"
    assert run.answer.body == b'{"statusCode":201}' + bytes(8) + b'a{"b":1}'
    assert headers["Lambda-Runtime-Function-Response-Mode"] == "streaming"
    assert headers["Content-Type"] == "application/vnd.awslambda.http-integration-response"
    assert "Lambda-Runtime-Function-Error-Type" in headers["Trailer"]


@both
@pytest.mark.parametrize("source, kind", [
    ("async () => { throw new TypeError('at once'); }", "TypeError"),
    ("async (event, stream) => { stream.write('x'); throw new TypeError('later'); }", "TypeError"),
    ("(event, stream) => { stream.write('x'); }", "Error"),
])
def test_an_error_of_a_streaming_handler_is_in_the_trailers(generation, source, kind):
    run = node(f"exports.handler = awslambda.streamifyResponse({source})", execution_env=generation)
    headers = run.answer.headers
    assert run.answer.kind == "response"
    assert headers["Lambda-Runtime-Function-Error-Type"] == kind
    told = json.loads(base64.b64decode(headers["Lambda-Runtime-Function-Error-Body"]))
    assert told["errorType"] == kind and told["trace"]


def test_only_responses_can_stream():
    run = node("exports.handler = async () => 1; exports.handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = 'request'")
    assert document(run)["errorType"] == "Runtime.MalformedStreamingHandler"


def test_a_response_of_the_limit_is_sent_and_a_longer_one_announced():
    run = node(f"exports.handler = async (n) => 'x'.repeat({LIMIT} - 2 + n)", events=[Event(0), Event(1), Event(0)])
    assert [(a.kind, len(a.body)) for a in run.answers] == [("response", LIMIT), ("too_large", 0), ("response", LIMIT)]


def test_a_large_event_arrives_whole():
    run = node("exports.handler = async (e) => e.length", events=[Event("x" * 2_999_990 + "é" * 1000)])
    assert run.answer.json() == 2_999_990 + 1000


def test_text_beyond_ascii_has_its_length_in_bytes():
    run = node("exports.handler = async (e) => e + '😀'", events=[Event("é世"), Event("b")])
    assert [a.json() for a in run.answers] == ["é世😀", "b😀"]


def test_a_connection_that_the_server_dropped_is_made_anew():
    def drop(api):
        api.close_after_answer = True

    run = node("exports.handler = async (e) => e", events=[Event(1), Event(2), Event(3)], setup=drop)
    assert [a.json() for a in run.answers] == [1, 2, 3]


def test_the_runtime_does_not_outlive_its_api():
    assert node("exports.handler = async () => 1", env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}).returncode == 1


def test_a_global_timer_of_the_code_does_not_keep_an_async_answer_back():
    run = node("setInterval(() => {}, 10); exports.handler = async () => 'now'", events=2)
    assert [a.json() for a in run.answers] == ["now", "now"]


LIMITED = """
const { Worker } = require('worker_threads');
const limit = "require('v8').getHeapStatistics().heap_size_limit / 1048576";
exports.handler = async () => ({
  main: eval(limit),
  worker: await new Promise((resolve) => new Worker(`require('worker_threads').parentPort.postMessage(${limit})`, { eval: true })
    .on('message', resolve)),
  execArgv: process.execArgv, noDeprecation: 'noDeprecation' in process,
});
"""


@pytest.mark.parametrize("options", ["", "--pending-deprecation"])
def test_the_heap_s_limit_holds_for_every_thread_and_nothing_is_said(options):
    run = node(LIMITED, flags=["--max-old-space-size=200"], env={"NODE_OPTIONS": options} if options else {})
    answer = run.answer.json()
    # Whatever else a version counts as its heap: without the flag it is thousands.
    assert 200 <= answer["main"] < 1000 and 200 <= answer["worker"] < 1000
    assert (answer["execArgv"], answer["noDeprecation"]) == (["--max-old-space-size=200"], False)
    assert (run.stdout, run.stderr) == ("", "")


WITHOUT_BINDINGS = "process.binding = () => { throw new Error('gone'); };"


@pytest.mark.parametrize("setup", [None, lambda api: setattr(api, "close_after_answer", True)], ids=["kept", "dropped"])
def test_a_node_without_bindings_serves_by_its_net(setup):
    files = {"index.js": "let n = 0; exports.handler = async () => ++n;", "without.js": WITHOUT_BINDINGS}
    run = node(files, events=3, env={"NODE_OPTIONS": "--require ./without.js"}, flags=["--max-old-space-size=200"], setup=setup)
    assert [answer.json() for answer in run.answers if answer.kind == "response"][-1] >= 3


def test_a_node_without_bindings_answers_what_is_large_and_says_its_last_words():
    env = {"NODE_OPTIONS": "--require ./without.js"}
    large = node({"index.js": "exports.handler = async (n) => 'x'.repeat(n);", "without.js": WITHOUT_BINDINGS},
                 events=[Event(6_000_000), Event(7_000_000), Event(1)], env=env)
    assert [answer.kind for answer in large.answers] == ["response", "too_large", "response"]
    failed = node({"index.js": "throw new Error('bad');", "without.js": WITHOUT_BINDINGS}, env=env)
    assert (failed.answer.kind, failed.returncode) == ("init_error", 129)
