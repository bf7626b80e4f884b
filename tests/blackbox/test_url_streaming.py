"""Function URLs that stream: what a client of InvokeMode RESPONSE_STREAM sees of handlers that stream and of those that do not."""

import http.client
import json
import time

import pytest

from support.functions import NODEJS, PYTHON

STREAMER = """
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const from = (metadata) => awslambda.HttpResponseStream.from(stream, metadata);
  switch (event.rawPath) {
    case "/kettle":
      stream = from({ statusCode: 418, headers: { "Content-Type": "text/plain", "X-Kettle": "on" }, cookies: ["a=b", "c=d"] });
      stream.write("short ");
      stream.write("and stout");
      return stream.end();
    case "/slow":
      stream = from({ statusCode: 200, headers: { "Content-Type": "text/event-stream" } });
      stream.write("first\\n");
      await sleep(4000);
      stream.write(String(Date.now()));
      return stream.end();
    case "/typed":
      stream.setContentType("text/csv");
      stream.write("a,b\\n");
      return stream.end();
    case "/raw":
      stream.write(Buffer.from([0, 255, 0]));
      return stream.end();
    case "/large":
      for (let i = 0; i < 112; i++) {
        if (!stream.write("x".repeat(65536))) await new Promise((go) => stream.once("drain", go));
      }
      return stream.end();
    case "/nothing":
      stream = from({ statusCode: 204 });
      stream.write("");
      return stream.end();
    case "/malformed":
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.write("no metadata at all");
      return stream.end();
    case "/throw": throw new TypeError("before the first byte");
    case "/later":
      stream = from({ statusCode: 200 });
      stream.write("some of it");
      await sleep(100);
      throw new RangeError("after the first bytes");
    case "/exit":
      stream.write("some of it");
      await sleep(100);
      process.exit(3);
  }
});
"""
BUFFERED = """
def handler(event, context):
    if event['rawPath'] == '/fail':
        raise ValueError('no')
    return {'statusCode': 201, 'headers': {'X-A': 'b'}, 'body': 'made'}
"""


class Url:
    def __init__(self, server, client, name, mode):
        self.server = server
        self.mode = mode
        made = client.create_function_url_config(FunctionName=name, AuthType="NONE", InvokeMode=mode)
        assert made["InvokeMode"] == mode
        assert client.get_function_url_config(FunctionName=name)["InvokeMode"] == mode
        self.host = made["FunctionUrl"].split("//")[1].rstrip("/")
        for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
            client.add_permission(FunctionName=name, StatementId=action.split(":")[1], Action=action, Principal="*")

    def open(self, path, method="GET", headers=None):
        """The answer, unread."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request(method, path, headers={"Host": self.host, **(headers or {})})
        return connection.getresponse()

    def get(self, path, **settings):
        answer = self.open(path, **settings)
        return answer.status, answer.headers, answer.read()


@pytest.fixture(scope="module")
def streaming(server, awslambda, module_functions):
    name = module_functions.create(NODEJS, {"index.js": STREAMER}, stem="url-stream", Handler="index.handler", Timeout=20,
                                   MemorySize=512)
    return name, Url(server, awslambda, name, "RESPONSE_STREAM")


def test_the_metadata_becomes_status_headers_and_cookies(streaming):
    status, headers, body = streaming[1].get("/kettle")
    assert (status, headers["X-Kettle"], headers["Content-Type"]) == (418, "on", "text/plain")
    assert headers.get_all("Set-Cookie") == ["a=b", "c=d"]
    assert headers["Transfer-Encoding"] == "chunked" and headers["x-amzn-RequestId"]
    assert body == b"short and stout"


def test_the_first_byte_arrives_before_the_handler_ends(streaming):
    answer = streaming[1].open("/slow")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.read(6) == b"first\n"
    heard_ms = time.time() * 1000
    assert heard_ms < int(answer.read())


def test_what_has_no_metadata_is_passed_on_with_200(streaming):
    status, headers, body = streaming[1].get("/typed")
    assert (status, headers["Content-Type"], body) == (200, "text/csv", b"a,b\n")
    status, headers, body = streaming[1].get("/raw")
    assert (status, headers["Content-Type"], body) == (200, "application/octet-stream", b"\x00\xff\x00")
    assert len(streaming[1].get("/large")[2]) == 112 * 65536, "more than a buffered response may have"


def test_a_response_without_a_body_has_none(streaming):
    status, headers, body = streaming[1].get("/nothing")
    assert (status, headers["Transfer-Encoding"], body) == (204, None, b"")
    assert streaming[1].get("/kettle", method="HEAD")[::2] == (418, b"")


def test_what_fails_before_the_first_byte_is_a_bad_gateway(streaming):
    for path in ("/throw", "/malformed"):
        assert streaming[1].get(path)[::2] == (502, b"Internal Server Error"), path


def test_what_fails_later_breaks_the_response_off(streaming):
    for path in ("/later", "/exit"):
        answer = streaming[1].open(path)
        assert answer.status == 200
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
        assert broken.value.partial == b"some of it"


def test_a_handler_that_does_not_stream_is_passed_on_as_it_is(server, functions, awslambda):
    """The URL invokes with InvokeWithResponseStream, whose payload is not looked into."""
    name = functions.create(PYTHON, BUFFERED, stem="url-whole")
    url = Url(server, awslambda, name, "RESPONSE_STREAM")
    status, headers, body = url.get("/")
    assert (status, headers["X-A"], json.loads(body)["statusCode"]) == (200, None, 201)
    assert headers["Content-Type"] == "application/json"
    assert url.get("/fail")[::2] == (502, b"Internal Server Error")
    awslambda.update_function_url_config(FunctionName=name, InvokeMode="BUFFERED")
    assert url.get("/")[::2] == (201, b"made")


def test_a_streaming_handler_behind_a_buffered_url_answers_whole(streaming, awslambda):
    name, url = streaming
    awslambda.update_function_url_config(FunctionName=name, InvokeMode="BUFFERED")
    try:
        status, headers, body = url.get("/kettle")
        assert (status, headers["X-Kettle"], body) == (418, "on", b"short and stout")
        assert headers["Content-Length"] == "15" and headers["Transfer-Encoding"] is None
        assert url.get("/later")[::2] == (502, b"Internal Server Error")
    finally:
        awslambda.update_function_url_config(FunctionName=name, InvokeMode="RESPONSE_STREAM")


def test_a_client_that_leaves_does_not_stop_the_function(streaming):
    answer = streaming[1].open("/slow")
    assert answer.read(6) == b"first\n"
    answer.close()
    assert streaming[1].get("/typed")[0] == 200
