"""The Ruby bootstrap against the Runtime API, without sandbox or server: what AWS's public Ruby client is published to do."""

import os

import pytest

from runtimes.runtime_process import RUBY, Event, ruby

pytestmark = pytest.mark.skipif(not os.path.exists(RUBY), reason=f"there is no {RUBY}: ./setup --tests installs it")

WAITING = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "LEFT_OVER": "1"}
ECHO = "def handler(event:, context:)\n  event\nend"


@pytest.fixture(params=[None, WAITING], ids=["executed", "waited"])
def spare(request):
    return request.param


@pytest.mark.parametrize("payload", [{"a": [1, 2.5, None, True, "é\u2028😀"]}, [], "text", None, 10**30, {}])
def test_events_are_json_in_and_out(payload, spare):
    done = ruby(ECHO, events=[Event(payload), Event(payload)], spare=spare)
    assert [answer.kind for answer in done.answers] == ["response", "response"]
    assert all(answer.json() == payload for answer in done.answers)
    assert done.answers[0].headers["Content-Type"] == "application/json"


def test_no_result_is_null():
    assert ruby("def handler(event:, context:)\nend").answer.body == b"null"


def test_context_says_what_the_guide_promises(spare):
    source = """
def handler(event:, context:)
  names = %i[aws_request_id function_name function_version invoked_function_arn log_group_name log_stream_name memory_limit_in_mb
             identity client_context tenant_id]
  names.to_h { |name| [name, context.public_send(name)] }.merge(left: context.get_remaining_time_in_millis / 20_000, trace: ENV['_X_AMZN_TRACE_ID'])
end"""
    headers = {"Lambda-Runtime-Client-Context": '{"custom":{"k":"é"}}'.encode().decode("latin-1"), "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i"}',
               "Lambda-Runtime-Trace-Id": "Root=1-2-3", "Lambda-Runtime-Aws-Tenant-Id": "t"}
    first, second = (a.json() for a in ruby(source, events=[Event(b"{}", headers), Event(b"{}")], spare=spare).answers)
    assert first == {
        "aws_request_id": "00000000-0000-4000-8000-000000000000", "function_name": "tested", "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:tested", "log_group_name": "/aws/lambda/tested",
        "log_stream_name": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef", "memory_limit_in_mb": "128",
        "identity": {"cognitoIdentityId": "i"}, "client_context": {"custom": {"k": "é"}}, "tenant_id": "t", "left": 1, "trace": "Root=1-2-3"}
    assert (second["client_context"], second["identity"], second["trace"]) == (None, None, None)


def test_an_error_is_reported_and_the_next_event_taken(spare):
    source = "def inner\n  raise ArgumentError, 'bad é'\nend\n\ndef handler(event:, context:)\n  event == 1 ? inner : 'fine'\nend"
    done = ruby(source, events=[Event(1), Event(2)], spare=spare)
    failed, fine = done.answers
    assert failed.json() == {"errorMessage": "bad é", "errorType": "Function<ArgumentError>", "stackTrace": failed.json()["stackTrace"]}
    assert [line.split(":")[:2] for line in failed.json()["stackTrace"]] == [["/var/task/app.rb", "2"], ["/var/task/app.rb", "6"]]
    assert failed.headers["Lambda-Runtime-Function-Error-Type"] == "Function<ArgumentError>"
    assert (fine.kind, fine.json()) == ("response", "fine")
    assert done.stdout.startswith('Error raised from handler method\r{\r  "errorMessage": "bad é"') and done.stdout.count("\n") == 1


@pytest.mark.parametrize("body, name", [("nil.foo", "NoMethodError"), ("nothing", "NameError"), ("exit 3", "SystemExit"),
                                        ("raise Interrupt", "Interrupt"), ("raise NotImplementedError", "NotImplementedError")])
def test_what_says_that_the_code_is_wrong_ends_the_runtime(body, name):
    done = ruby(f"def handler(event:, context:)\n  {body}\nend", events=[Event(1), Event(2)])
    assert done.answer.kind == "error" and done.answer.json()["errorType"] == f"Function<{name}>"
    assert done.returncode == 255


@pytest.mark.parametrize("source, handler, error, words", [
    ("raise 'at load'", "app.handler", "Init<RuntimeError>", "at load"),
    ("require 'nothing_like_this'", "app.handler", "Init<LoadError>", "cannot load such file -- nothing_like_this"),
    (ECHO, "gone.handler", "Init<LoadError>", "cannot load such file -- gone"),
    ("def handler(", "app.handler", "Init<SyntaxError>", None),
    (ECHO, "app", "Init<ArgumentError>", None), (ECHO, "a.b.c.d", "Init<ArgumentError>", None), (ECHO, "", "Init<ArgumentError>", None),
])
def test_what_cannot_be_loaded_is_an_init_error(source, handler, error, words):
    done = ruby(source, handler)
    assert (done.answer.kind, done.answer.json()["errorType"], done.returncode) == ("init_error", error, 252)
    assert words is None or done.answer.json()["errorMessage"] == words


@pytest.mark.parametrize("handler, files", [
    ("lib/deep.handler", {"lib/deep.rb": ECHO}),
    ("app.My::Inner.call", {"app.rb": "module My\n  class Inner\n    def self.call(event:, context:)\n      event\n    end\n  end\nend"}),
    ("app.handler", {"app.rb": "require_relative 'other'\nrequire 'third'\n" + ECHO, "other.rb": "", "third.rb": ""}),
])
def test_handlers_are_found_in_files_and_modules(handler, files):
    assert ruby(files, handler, [Event(7)]).answer.json() == 7


def test_gems_and_standard_library_are_there_when_asked_for(spare):
    source = "require 'set'\nrequire 'openssl'\ndef handler(event:, context:)\n  [Gem::VERSION.nil?, Set.new([1]).size, defined?(Bundler).nil?]\nend"
    assert ruby(source, spare=spare).answer.json() == [False, 1, True]
    late = "def handler(event:, context:)\n  gem 'json'\n  require 'bundler'\n  Bundler::VERSION.nil?\nend"
    assert ruby(late, spare=spare).answer.json() is False


def test_streams_are_written_as_they_are():
    done = ruby("require 'stringio'\ndef handler(event:, context:)\n  StringIO.new(\"\\x00raw\\xff\".b)\nend")
    assert (done.answer.body, done.answer.headers["Content-Type"]) == (b"\x00raw\xff", "application/unknown")


def test_a_response_over_the_limit_is_announced_not_sent():
    done = ruby("def handler(event:, context:)\n  event * 7_000_000\nend", events=[Event("x"), Event("")])
    assert [answer.kind for answer in done.answers] == ["too_large", "response"]


def test_a_function_may_read_events_in_its_own_way():
    source = ECHO + "\nclass AwsLambda::Marshaller\n  def self.marshall_request(raw)\n    raw.body.upcase\n  end\nend"
    assert ruby(source, events=[Event("text")]).answer.json() == '"TEXT"'


def test_a_dropped_connection_is_opened_again():
    done = ruby(ECHO, events=[Event(n) for n in range(3)], setup=lambda api: setattr(api, "close_after_answer", True))
    assert [answer.json() for answer in done.answers if answer.kind == "response"][-1] == 2


def test_loggers_say_the_request(spare):
    source = "require 'logger'\ndef handler(event:, context:)\n  Logger.new($stdout).info('two\nlines')\n  l = Logger.new($stderr, progname: 'p')\n" \
             "  l.error(RuntimeError.new('x'))\n  puts 'plain'\nend"
    lines = ruby(source, spare=spare).stdout.splitlines()
    assert lines[0].startswith("I, [20") and "00000000-0000-4000-8000-000000000000 -- : two" in lines[0]
    assert any(" -- p: x (RuntimeError)" in line for line in lines) and lines[-1] == "plain"
    line = ruby(source, env={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}, spare=spare).stdout.splitlines()
    assert len(line) == 2 and '"level":"ERROR"' in line[0] and '"errorType":"RuntimeError"' in line[0]


def test_nothing_of_the_waiting_process_is_seen():
    source = "def handler(event:, context:)\n  [ENV['LEFT_OVER'], ENV['MINE'], Dir.pwd, ARGV, Dir.children('/proc/self/fd').map(&:to_i).include?(3) && File.readlink('/proc/self/fd/3')[0, 6]]\nend"
    waited = ruby(source, env={"MINE": "1"}, spare=WAITING).answer.json()
    executed = ruby(source, env={"MINE": "1"}).answer.json()
    assert waited[:2] == [None, "1"] and waited[3] == []
    assert waited[2].rpartition("/")[0] == executed[2].rpartition("/")[0]
