"""Records of several lines: framed as AWS's runtimes frame them for _LAMBDA_TELEMETRY_LOG_FD (facts from aws-lambda-ric)."""

import json
import os
import struct
import time

import pytest

from runtimes.java_process import JAVAC, java
from runtimes.runtime_process import RUBY, Event, node, python, ruby

FRAMED = {"_LAMBDA_TELEMETRY_LOG_FD": "1"}
# Java cannot take a variable out of its environment.
FRAMED_JAVA = ["-Dlambent.log.framed=true"]
TEXT, JSON = 0xA55A0003, 0xA55A0002
INFO, WARN, ERROR = 0x0C, 0x10, 0x14


def pieces(stdout):
    """What stdout holds, in order: (type, record), or (None, text)."""
    data = stdout.encode("utf-8", "surrogateescape")
    found = []
    while data:
        if not data.startswith(b"\xa5\x5a\x00"):
            text, mark, rest = data.partition(b"\xa5\x5a\x00")
            found.append((None, text.decode()))
            data = mark + rest
            continue
        kind, length, stamp = struct.unpack(">IIQ", data[:16])
        assert abs(stamp / 1e6 - time.time()) < 3600
        found.append((kind, data[16:16 + length].decode()))
        data = data[16 + length:]
    return found


PYTHON_SOURCE = """import logging, os
def handler(event, context):
    print("plain")
    logging.getLogger().warning("two\\nlines")
    print("plain again")
    return "_LAMBDA_TELEMETRY_LOG_FD" in os.environ
"""


def test_python_frames_what_it_logs_and_prints_the_rest():
    run = python(PYTHON_SOURCE, env=FRAMED)
    assert run.answer.json() is False
    first, record, last = pieces(run.stdout)
    assert (first, last) == ((None, "plain\n"), (None, "plain again\n"))
    assert record[0] == TEXT | WARN and record[1].endswith("\ttwo\nlines\n") and record[1].startswith("[WARNING]\t")


def test_python_keeps_a_traceback_together():
    run = python("def handler(event, context):\n    raise ValueError('two\\nlines')", env=FRAMED)
    (kind, record), = pieces(run.stdout)
    assert kind == TEXT | ERROR
    assert record.startswith("[ERROR] ValueError: two\nlines\nTraceback (most recent call last):\n")


def test_python_frames_json_as_json():
    run = python(PYTHON_SOURCE, env={**FRAMED, "AWS_LAMBDA_LOG_FORMAT": "JSON"})
    kind, record = pieces(run.stdout)[1]
    assert kind == JSON | WARN and json.loads(record)["message"] == "two\nlines"


def test_a_record_that_is_too_long_is_lines():
    run = python("import logging\ndef handler(event, context):\n    logging.error('x' * 300000)", env=FRAMED)
    (kind, text), = pieces(run.stdout)
    assert kind is None and len(text) > 300000


NODE_SOURCE = """exports.handler = async () => {
  process.stdout.write('plain\\n');
  console.log('two\\nlines');
  console.error(new Error('bad'));
  return '_LAMBDA_TELEMETRY_LOG_FD' in process.env;
};"""


@pytest.mark.parametrize("spare", [None, {"PATH": "/usr/bin:/bin"}])
def test_nodejs_frames_what_the_console_writes(spare):
    run = node(NODE_SOURCE, env=FRAMED, spare=spare)
    assert run.answer.json() is False
    first, log, error = pieces(run.stdout)
    assert first == (None, "plain\n")
    assert log[0] == TEXT | INFO and log[1].endswith("\tINFO\ttwo\nlines")
    assert error[0] == TEXT | ERROR and "Error: bad\n    at " in error[1]


def test_nodejs_frames_json_as_json():
    run = node(NODE_SOURCE, env={**FRAMED, "AWS_LAMBDA_LOG_FORMAT": "JSON"})
    kind, record = pieces(run.stdout)[1]
    assert kind == JSON | INFO and json.loads(record)["message"] == "two\nlines"


RUBY_SOURCE = """require 'logger'
def handler(event:, context:)
  puts 'plain'
  Logger.new($stdout).warn("two\nlines")
  puts 'one', %w[call]
  puts
  raise ArgumentError, 'bad' if event == 'fail'
  $stdout = StringIO.new
  Logger.new($stdout).warn("theirs\nonly")
  ENV.key?('_LAMBDA_TELEMETRY_LOG_FD')
end"""
needs_ruby = pytest.mark.skipif(not os.path.exists(RUBY), reason=f"there is no {RUBY}: ./setup --tests installs it")


@needs_ruby
@pytest.mark.parametrize("spare", [None, {"PATH": "/usr/bin:/bin"}])
def test_ruby_frames_records_of_several_lines(spare):
    run = ruby("require 'stringio'\n" + RUBY_SOURCE, env=FRAMED, spare=spare)
    assert run.answer.json() is False
    plain, record, call, empty = pieces(run.stdout)
    assert (plain, empty) == ((None, "plain\n"), (None, "\n"))
    assert record[0] == TEXT and record[1].startswith("W, [") and record[1].endswith(" -- : two\nlines\n")
    assert call == (TEXT, "one\ncall")


@needs_ruby
def test_ruby_keeps_an_exceptions_document_together():
    plain, record, call, said, document = pieces(ruby(RUBY_SOURCE, events=[Event("fail")], env=FRAMED).stdout)
    assert said == (None, "\nError raised from handler method\n")
    assert document[0] == TEXT and json.loads(document[1])["errorType"] == "Function<ArgumentError>"


@needs_ruby
def test_ruby_writes_json_as_lines():
    lines = ruby(RUBY_SOURCE, events=[Event("fail")], env={**FRAMED, "AWS_LAMBDA_LOG_FORMAT": "JSON"}).stdout.splitlines()
    warned, failed = json.loads(lines[1]), json.loads(lines[-1])
    assert (warned["level"], warned["message"]) == ("WARN", "two\nlines")
    assert (failed["level"], failed["message"], failed["errorType"], failed["errorMessage"]) == (
        "ERROR", "Error raised from handler method", "Function<ArgumentError>", "bad")


@needs_ruby
def test_ruby_writes_a_record_that_is_too_long_as_lines():
    (kind, text), = pieces(ruby("def handler(event:, context:)\n  puts ('x' * 300_000) + \"\\n.\"\nend", env=FRAMED).stdout)
    assert kind is None and len(text) > 300000


JAVA_SOURCE = """public class Handler implements RequestHandler<Map<String, Object>, Object> {
  public Object handleRequest(Map<String, Object> event, Context context) {
    System.out.println("plain");
    context.getLogger().log("two\\nlines\\n");
    context.getLogger().log("warned", com.amazonaws.services.lambda.runtime.logging.LogLevel.WARN);
    if (event.containsKey("fail")) throw new IllegalStateException("bad");
    return System.getenv("_LAMBDA_TELEMETRY_LOG_FD");
  }
}"""
needs_java = pytest.mark.skipif(JAVAC is None, reason="no Java compiler here")


@needs_java
@pytest.mark.parametrize("spare", [None, {"PATH": "/usr/bin:/bin"}])
def test_java_frames_what_its_loggers_write(spare):
    run = java(JAVA_SOURCE, flags=FRAMED_JAVA, spare=spare)
    assert run.answer.json() is None
    assert pieces(run.stdout) == [(None, "plain\n"), (TEXT, "two\nlines"), (TEXT | WARN, "[WARN] warned")]


@needs_java
def test_java_frames_json_as_json_and_keeps_a_trace_together():
    run = java(JAVA_SOURCE, events=[Event({"fail": 1})], env={"AWS_LAMBDA_LOG_FORMAT": "JSON"}, flags=FRAMED_JAVA)
    assert run.answer.kind == "error"
    plain, two, warned, failed = pieces(run.stdout)
    assert (plain, two[0], warned[0]) == ((None, "plain\n"), JSON, JSON | WARN)
    assert json.loads(two[1])["message"] == "two\nlines\n"
    assert failed[0] == JSON | ERROR
    assert json.loads(failed[1])["message"].startswith("bad: java.lang.IllegalStateException\njava.lang.IllegalStateException: bad\n\tat ")


@needs_java
def test_java_writes_a_record_that_is_too_long_as_a_line():
    long = JAVA_SOURCE.replace('"warned"', 'String.join("", Collections.nCopies(300000, "x"))')
    *_, (kind, text) = pieces(java(long, flags=FRAMED_JAVA).stdout)
    assert kind is None and len(text) > 300000


def test_without_a_descriptor_every_line_is_one():
    assert "two\rlines\n" in node(NODE_SOURCE).stdout
    assert "two\nlines\n" in python(PYTHON_SOURCE).stdout
