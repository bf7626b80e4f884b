"""Response streaming: what a client of InvokeWithResponseStream and of Invoke sees of a handler that streams."""

import base64
import http.client
import json
import time
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support.functions import NODEJS, PYTHON
from support.polling import until
from support.signing import Signed

STREAMER = '''
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
let finished = 0;
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  switch (event.how) {
    case "two":
      stream.write("first");
      await sleep(700);
      stream.write(JSON.stringify({ now: Date.now(), id: context.awsRequestId }));
      stream.end();
      break;
    case "large":
      for (let left = event.bytes; left > 0; left -= 65536) {
        if (!stream.write("x".repeat(Math.min(65536, left)))) await new Promise((go) => stream.once("drain", go));
      }
      stream.end();
      break;
    case "http":
      stream = awslambda.HttpResponseStream.from(stream, {
        statusCode: 418, headers: { "Content-Type": "text/plain", "X-Kettle": "on" }, cookies: ["a=b"] });
      stream.write("short ");
      stream.write("and stout");
      stream.end();
      break;
    case "typed":
      stream.setContentType("text/event-stream");
      stream.write("data: 1\\n\\n");
      stream.end();
      break;
    case "late type":
      stream.write("x");
      stream.setContentType("text/plain");
      break;
    case "throw": throw new TypeError("before the first byte");
    case "throw later":
      stream.write("some of it");
      await sleep(50);
      throw new RangeError("after the first bytes");
    case "cut":
      stream.write("some of it");
      await sleep(50);
      stream.destroy();
      break;
    case "exit":
      stream.write("some of it");
      await sleep(50);
      process.exit(3);
    case "hang":
      stream.write("some of it");
      await sleep(60000);
      break;
    case "unheard":
      for (let i = 0; i < 20; i++) { stream.write("x".repeat(65536)); await sleep(10); }
      stream.end();
      finished += 1;
      break;
    case "finished":
      stream.end(JSON.stringify(finished));
      break;
    case "empty":
      stream.end();
  }
});
exports.plain = awslambda.streamifyResponse((event, stream) => { stream.write("x"); });
'''
BUFFERED = {
    PYTHON: "def handler(event, context):\n    if event == 'fail':\n        raise ValueError('no')\n    return {'got': event}\n",
    NODEJS: "export const handler = async (event) => { if (event === 'fail') throw new Error('no'); return { got: event }; };\n",
}


class Streamed:
    """What invoke_with_response_stream answered, event by event."""

    def __init__(self, client, name, event=None, **settings):
        self.response = client.invoke_with_response_stream(
            FunctionName=name, Payload=json.dumps(event).encode(), **settings)
        self.events = iter(self.response["EventStream"])
        self.complete = None

    @property
    def content_type(self):
        return self.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-remapped-content-type"]

    def chunk(self):
        """The next chunk's bytes, or None when the completion came."""
        event = next(self.events)
        if "InvokeComplete" in event:
            self.complete = event["InvokeComplete"]
            assert next(self.events, None) is None
            return None
        return event["PayloadChunk"]["Payload"]

    def rest(self):
        found = b""
        while (chunk := self.chunk()) is not None:
            found += chunk
        return found


@pytest.fixture(scope="module")
def streamer(module_functions):
    return module_functions.create(NODEJS, {"index.js": STREAMER}, stem="streamer", Handler="index.handler", Timeout=20,
                                   MemorySize=512)


@pytest.fixture
def stream(awslambda, streamer):
    return lambda event=None, **settings: Streamed(awslambda, streamer, event, **settings)


def test_the_first_chunk_arrives_before_the_last_is_written(stream):
    answer = stream({"how": "two"})
    headers = answer.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert headers["x-amz-executed-version"] == answer.response["ExecutedVersion"] == "$LATEST"
    assert answer.content_type == "application/octet-stream"
    assert answer.chunk() == b"first"
    first_seen = time.time() * 1000
    second = json.loads(answer.rest())
    assert first_seen < second["now"]
    assert second["id"] == answer.response["ResponseMetadata"]["RequestId"]
    assert answer.complete == {}


def test_the_completion_carries_the_log_when_it_is_asked_for(stream):
    answer = stream({"how": "typed"}, LogType="Tail")
    assert answer.content_type == "text/event-stream"
    assert answer.rest() == b"data: 1\n\n"
    log = base64.b64decode(answer.complete["LogResult"]).decode()
    assert log.startswith("START RequestId: ") and "\nREPORT RequestId: " in log


def test_http_metadata_passes_through(stream):
    answer = stream({"how": "http"})
    assert answer.content_type == "application/vnd.awslambda.http-integration-response"
    prelude, _, body = answer.rest().partition(b"\0" * 8)
    assert json.loads(prelude) == {"statusCode": 418, "headers": {"Content-Type": "text/plain", "X-Kettle": "on"},
                                   "cookies": ["a=b"]}
    assert body == b"short and stout"


@pytest.mark.parametrize("how, kind, text, sent", [
    ("throw", "TypeError", "before the first byte", b""),
    ("throw later", "RangeError", "after the first bytes", b"some of it"),
    ("late type", "Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.", b"x"),
])
def test_an_error_ends_the_stream_and_is_told_in_the_completion(stream, how, kind, text, sent):
    answer = stream({"how": how})
    assert answer.rest() == sent
    assert answer.complete["ErrorCode"] == "Unhandled"
    details = json.loads(answer.complete["ErrorDetails"])
    assert (details["errorType"], details["errorMessage"]) == (kind, text)
    assert stream({"how": "typed"}).rest() == b"data: 1\n\n"


@pytest.mark.parametrize("how", ["cut", "exit"])
def test_a_response_that_is_cut_short_says_so(stream, how):
    answer = stream({"how": how})
    assert answer.rest() == b"some of it"
    assert answer.complete["ErrorCode"] == "Unhandled"
    assert json.loads(answer.complete["ErrorDetails"])["errorType"] == "Runtime.TruncatedResponse"
    assert stream({"how": "typed"}).rest() == b"data: 1\n\n"


def test_the_time_limit_ends_a_stream(module_functions, awslambda):
    name = module_functions.create(NODEJS, {"index.js": STREAMER}, Handler="index.handler", Timeout=1)
    answer = Streamed(awslambda, name, {"how": "hang"})
    assert answer.rest() == b"some of it"
    details = json.loads(answer.complete["ErrorDetails"])
    assert details["errorType"] == "Sandbox.Timedout"
    assert details["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


def test_a_streaming_response_may_be_larger_than_a_buffered_one(stream, module_functions, streamer):
    size = 6_291_556 + 1
    answer = stream({"how": "large", "bytes": size})
    assert len(answer.rest()) == size
    assert answer.complete == {}
    buffered = module_functions.invoke(streamer, {"how": "large", "bytes": size})
    assert buffered.error == "Unhandled"
    assert buffered.value["errorType"] == "Function.ResponseSizeTooLarge"


def test_invoke_gathers_what_a_handler_streams(module_functions, streamer):
    answer = module_functions.invoke(streamer, {"how": "http"})
    assert answer.error is None
    assert answer.bytes.endswith(b"\0" * 8 + b"short and stout")
    failed = module_functions.invoke(streamer, {"how": "throw later"})
    assert failed.error == "Unhandled"
    assert failed.value["errorMessage"] == "after the first bytes"


def test_a_client_that_leaves_does_not_stop_the_function(server, functions, awslambda):
    # Of its own: only the environment that nobody listens to can say what became of it.
    streamer = functions.create(NODEJS, {"index.js": STREAMER}, stem="left", Handler="index.handler", Timeout=20, MemorySize=512)
    request = Signed(server, "POST", f"/2021-11-15/functions/{streamer}/response-streaming-invocations",
                     json.dumps({"how": "unheard"}).encode())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", request.target, request.body, request.headers)
    assert connection.getresponse().read(100)
    connection.close()

    def nothing_runs():
        text = urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=5).read().decode()
        return "\nlambent_invocations_running 0" in text

    until(nothing_runs, 15, "the invocation to end without its client")
    until(lambda: Streamed(awslambda, streamer, {"how": "finished"}).rest() == b"1", 10, "the function to have gone on")


def test_an_empty_stream_is_an_empty_answer(stream):
    answer = stream({"how": "empty"})
    assert answer.rest() == b""
    assert answer.complete == {}


def test_a_handler_that_does_not_stream_answers_in_one_chunk(functions, awslambda, runtime):
    name = functions.create(runtime, BUFFERED[runtime])
    answer = Streamed(awslambda, name, {"a": 1})
    assert json.loads(answer.chunk()) == {"got": {"a": 1}}
    assert answer.chunk() is None
    assert answer.complete == {}
    failed = Streamed(awslambda, name, "fail")
    assert failed.rest() == b""
    assert failed.complete["ErrorCode"] == "Unhandled"
    assert json.loads(failed.complete["ErrorDetails"])["errorMessage"] == "no"


def test_a_handler_must_be_async_to_stream(functions, awslambda):
    name = functions.create(NODEJS, {"index.js": STREAMER}, Handler="index.plain")
    answer = Streamed(awslambda, name)
    assert answer.rest() == b"x"
    assert json.loads(answer.complete["ErrorDetails"])["errorMessage"] == "Streaming does not support non-async handlers."


def test_refusals_are_ordinary_errors(awslambda, streamer):
    with pytest.raises(ClientError) as refused:
        awslambda.invoke_with_response_stream(FunctionName="no-such-function")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError) as refused:
        awslambda.invoke_with_response_stream(FunctionName=streamer, Payload=b"{")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"
    dry = awslambda.invoke_with_response_stream(FunctionName=streamer, InvocationType="DryRun")
    assert dry["StatusCode"] == 204


RAW_RUNTIME = '''#!/usr/bin/python3
import os, socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
def ask(sent, more=b""):
    with socket.create_connection((host, int(port))) as api:
        api.sendall(sent)
        got = b""
        while b"\\r\\n\\r\\n" not in got:
            got += api.recv(65536)
        return got
while True:
    event = ask(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    head = {line.split(b": ")[0].lower(): line.split(b": ", 1)[1] for line in event.split(b"\\r\\n\\r\\n")[0].split(b"\\r\\n")[1:]}
    post = b"POST /2018-06-01/runtime/invocation/" + head[b"lambda-runtime-aws-request-id"] + b"/response HTTP/1.1\\r\\nHost: x\\r\\n"
    ask(post + b"Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n3\\r\\nraw\\r\\n0\\r\\n"
        b"Lambda-Runtime-Function-Error-Type: Mine\\r\\nLambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\\r\\n\\r\\n")
'''


def test_the_protocol_needs_no_client_of_ours(functions, awslambda):
    name = functions.create("provided.al2023", {"bootstrap!": RAW_RUNTIME})
    answer = Streamed(awslambda, name)
    assert answer.rest() == b"raw"
    assert answer.complete == {"ErrorCode": "Unhandled", "ErrorDetails": '{"a":1}'}

