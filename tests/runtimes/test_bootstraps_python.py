"""The Python bootstrap alone: what AWS's documentation and recordings say, and what the official client does not share."""

import os
import pathlib
import re
import subprocess

import pytest

from runtimes.runtime_process import ARN, PYTHON, Event, python

LIMIT = 6291556


def test_two_events_in_one_process_share_its_globals():
    run = python("n = 0\ndef handler(event, context):\n  global n; n += 1\n  return {'n': n, 'event': event}",
                 events=[Event({"a": 1}), Event("b")])
    assert [a.json() for a in run.answers] == [{"n": 1, "event": {"a": 1}}, {"n": 2, "event": "b"}]
    assert [a.request_id[-1] for a in run.answers] == ["0", "1"]


def test_output_is_written_with_spaces_and_unicode_as_aws_writes_it():
    assert python("def handler(e, c): return {'a': 'é', 'b': [1, 2]}").answer.body == '{"a": "é", "b": [1, 2]}'.encode()


def test_no_return_value_is_null():
    assert python("def handler(e, c): pass").answer.body == b"null"


def test_the_context_has_every_documented_member():
    source = """
def handler(event, c):
    return [c.function_name, c.function_version, c.invoked_function_arn, c.memory_limit_in_mb, c.aws_request_id,
            c.log_group_name, c.log_stream_name, 0 < c.get_remaining_time_in_millis() <= 30000,
            c.identity.cognito_identity_id, c.identity.cognito_identity_pool_id, c.client_context.custom,
            c.client_context.env, c.client_context.client.app_title, c.client_context.client.app_version_name]
"""
    headers = {
        "Lambda-Runtime-Client-Context": '{"client":{"app_title":"t"},"custom":{"k":"v\\u00e9"},"env":{"e":"1"}}',
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
    }
    assert python(source, events=[Event(b"{}", headers)]).answer.json() == [
        "tested", "$LATEST", ARN, "128", "00000000-0000-4000-8000-000000000000", "/aws/lambda/tested",
        "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef", True, "i", "p", {"k": "vé"}, {"e": "1"}, "t", None]


def test_without_client_context_there_is_none():
    source = "def handler(e, c): return [c.client_context, c.identity.cognito_identity_id]"
    assert python(source).answer.json() == [None, None]


def test_time_that_is_up_is_zero_and_not_less():
    headers = {"Lambda-Runtime-Deadline-Ms": "1000"}
    run = python("def handler(e, c): return c.get_remaining_time_in_millis()", events=[Event(b"{}", headers)])
    assert run.answer.body == b"0"


@pytest.mark.parametrize("handler", ["dir/file.f", "dir.file.f", "pkg.mod.f"])
def test_handlers_in_folders_and_packages(handler):
    files = {"dir/file.py": "def f(e, c): return __name__", "pkg/__init__.py": "", "pkg/mod.py": "from .other import f",
             "pkg/other.py": "def f(e, c): return 'relative'"}
    assert python(files, handler).answer.json() in ("dir.file", "relative")


@pytest.mark.parametrize("files, handler, error_type, message", [
    ({}, "nothing.handler", "Runtime.ImportModuleError", "Unable to import module 'nothing': No module named 'nothing'"),
    ({"app.py": "import missing_thing"}, "app.handler", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'missing_thing'"),
    ({"app.py": ""}, "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    ({}, "app", "Runtime.MalformedHandlerName", "Bad handler 'app': not enough values to unpack (expected 2, got 1)"),
    ({}, "sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
])
def test_a_handler_that_cannot_be_found(files, handler, error_type, message):
    run = python(files, handler)
    assert run.answer.kind == "init_error"
    assert run.answer.json() == {"errorMessage": message, "errorType": error_type, "requestId": "", "stackTrace": []}
    assert run.answer.headers["Lambda-Runtime-Function-Error-Type"] == error_type
    assert run.stdout == f"[ERROR] {error_type}: {message}\rTraceback (most recent call last):\n"
    assert run.returncode == 1


def test_a_syntax_error_names_its_line():
    run = python("def handler(event, context)\n  return 1")
    document = run.answer.json()
    assert document["errorType"] == "Runtime.UserCodeSyntaxError"
    assert re.fullmatch(r"Syntax error in module 'app': .*\(app\.py, line 1\)", document["errorMessage"])
    assert document["stackTrace"] == ['  File "/var/task/app.py" Line 1\n    def handler(event, context)\n']


def test_an_error_at_import_shows_the_users_frames():
    document = python("def f(): raise ValueError('early')\nf()").answer.json()
    assert document["errorMessage"] == "early" and document["errorType"] == "ValueError" and document["requestId"] == ""
    assert document["stackTrace"][-1] == ('  File "/var/task/app.py", line 1, in f\n'
                                          "    def f(): raise ValueError('early')\n")
    assert not any("lambent" in frame for frame in document["stackTrace"])


def test_an_error_in_the_handler():
    run = python("def handler(event, context):\n    raise ValueError('bad')", events=2)
    assert [a.kind for a in run.answers] == ["error", "error"]
    assert run.answers[1].json() == {
        "errorMessage": "bad", "errorType": "ValueError", "requestId": "00000000-0000-4000-8000-000000000001",
        "stackTrace": ['  File "/var/task/app.py", line 2, in handler\n    raise ValueError(\'bad\')\n']}
    assert run.answers[1].headers["Lambda-Runtime-Function-Error-Type"] == "ValueError"
    assert run.returncode is None


def test_an_errors_log_is_one_line_of_stdout():
    run = python("def handler(event, context):\n    raise ValueError('one\\ntwo')")
    assert run.stdout == (
        "[ERROR] ValueError: one\rtwo\rTraceback (most recent call last):\r\u00a0\u00a0File \"/var/task/app.py\", line 2,"
        " in handler\r\u00a0\u00a0\u00a0\u00a0raise ValueError('one\\ntwo')\n")


def test_python38_has_no_request_id_in_its_errors():
    run = python("def handler(e, c): raise ValueError()", env={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.8"})
    assert "requestId" not in run.answer.json()


def test_an_exception_that_cannot_be_shown_is_still_an_error():
    source = "class Odd(Exception):\n  def __str__(self): raise RuntimeError()\ndef handler(e, c): raise Odd()"
    assert python(source, events=2).answers[1].json()["errorType"] == "Odd"


def test_an_error_type_that_could_break_its_header_is_left_out():
    source = "def handler(e, c): raise type('A\\r\\nX-Injected: 1', (Exception,), {})('m')"
    answer = python(source).answer
    assert answer.json()["errorType"] == "A\r\nX-Injected: 1"
    assert "X-Injected" not in answer.headers and "Lambda-Runtime-Function-Error-Type" not in answer.headers


def test_what_json_cannot_say_is_a_marshal_error():
    document = python("def handler(e, c): return {1, 2}").answer.json()
    assert document["errorType"] == "Runtime.MarshalError"
    assert document["errorMessage"] == "Unable to marshal response: Object of type set is not JSON serializable"
    assert document["stackTrace"] == []


def test_half_a_character_is_a_marshal_error_and_not_the_end():
    run = python("def handler(e, c): return '\\ud800'", events=2)
    assert [a.json()["errorType"] for a in run.answers] == ["Runtime.MarshalError"] * 2


def test_an_event_that_is_no_json_is_an_unmarshal_error():
    document = python("def handler(e, c): return e", events=[Event(b"{")]).answer.json()
    assert document["errorType"] == "Runtime.UnmarshalError"
    assert document["errorMessage"].startswith("Unable to unmarshal input: Expecting property name")


@pytest.mark.parametrize("statement, status", [("sys.exit(3)", 3), ("exit(4)", 4), ("quit()", 0), ("os._exit(5)", 5), ("sys.exit()", 0)])
def test_a_handler_that_exits_ends_the_process_unanswered(statement, status):
    run = python(f"import os, sys\ndef handler(e, c):\n  print('before')\n  {statement}")
    assert run.answers == [] and run.returncode == status and run.stdout == "before\n"


def test_output_is_delivered_before_a_sudden_end():
    run = python("import os, sys\ndef handler(e, c):\n  print('no newline', end=''); sys.stderr.write('x'); os._exit(1)")
    assert run.stdout == "no newline" and run.stderr == "x"


def test_logging_has_awss_format_from_the_first_line_on():
    run = python("import logging\nlog = logging.getLogger(__name__)\nlogging.getLogger().setLevel(logging.INFO)\n"
                 "log.info('early')\ndef handler(e, c): log.info('late %d', 1); log.debug('never')")
    lines = run.stdout.splitlines()
    assert re.fullmatch(r"\[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t\tearly", lines[0])
    assert re.fullmatch(r"\[INFO\]\t[^\t]+Z\t00000000-0000-4000-8000-000000000000\tlate 1", lines[1])
    assert len(lines) == 2


def test_logging_below_warning_is_silent_unless_asked_for():
    assert python("import logging\ndef handler(e, c): logging.info('x')").stdout == ""


def test_logging_is_not_imported_for_those_who_do_not():
    source = "import sys\ndef handler(e, c): return [m in sys.modules for m in ('logging', 'json', 'traceback', 're', 'socket')]"
    assert python(source).answer.json() == [False] * 5


def test_logging_imported_by_a_library_or_by_its_parts_is_set_up_too():
    source = "import logging.handlers\nimport logging\ndef handler(e, c): return [type(h).__name__ for h in logging.getLogger().handlers]"
    assert python(source).answer.json() == ["LambdaLoggerHandler"]


def test_the_trace_id_is_the_events():
    source = "import os\ndef handler(e, c): return os.environ.get('_X_AMZN_TRACE_ID')"
    run = python(source, events=[Event(b"1", {"Lambda-Runtime-Trace-Id": "Root=1"}), Event(b"2")])
    assert [a.json() for a in run.answers] == ["Root=1", None]


def test_import_path_is_in_awss_order():
    run = python("import sys\ndef handler(e, c): return sys.path", env={"PYTHONPATH": "/var/runtime:/elsewhere"})
    path = run.answer.json()
    version = subprocess.run([PYTHON, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"], capture_output=True,
                             text=True, check=True).stdout.strip()
    assert path[0] == "/var/task" and path[1] == f"/opt/python/lib/{version}/site-packages"
    assert path.index("/opt/python") < path.index("/elsewhere") < path.index(f"/usr/lib/{version}")
    assert path.index(f"/usr/lib/{version}") < path.index("/usr/lib/python3/dist-packages")
    assert len(path) == len(set(path))


def test_what_the_machine_has_can_be_imported():
    if not pathlib.Path("/usr/lib/python3/dist-packages").is_dir():
        pytest.skip("no dist-packages here")
    source = "import importlib.metadata\ndef handler(e, c): return len(list(importlib.metadata.distributions())) >= 0"
    assert python(source).answer.json() is True


def test_the_functions_own_module_wins_over_the_standard_librarys():
    files = {"app.py": "import json\ndef handler(e, c): return json.mine", "json.py": "mine = 1"}
    assert python(files).answer.json() == 1


def test_a_sitecustomize_of_the_code_is_imported():
    files = {"app.py": "import builtins\ndef handler(e, c): return builtins.patched", "sitecustomize.py":
             "import builtins\nbuiltins.patched = 'yes'"}
    assert python(files).answer.json() == "yes"


def test_a_response_of_the_limit_is_sent_and_a_longer_one_announced():
    run = python(f"def handler(e, c): return 'x' * ({LIMIT} - 2 + e)", events=[Event(0), Event(1), Event(0)])
    assert [(a.kind, len(a.body)) for a in run.answers] == [("response", LIMIT), ("too_large", 0), ("response", LIMIT)]


def test_a_large_event_arrives_whole():
    run = python("def handler(e, c): return len(e)", events=[Event(b'"' + b"x" * 6_000_000 + b'"')])
    assert run.answer.body == b"6000000"


def test_a_connection_that_the_server_dropped_is_made_anew():
    def drop(api):
        api.close_after_answer = True

    run = python("def handler(e, c): return e", events=[Event(1), Event(2), Event(3)], setup=drop)
    assert [a.json() for a in run.answers] == [1, 2, 3]


def test_the_process_has_no_descriptor_but_its_socket():
    run = python("import os\ndef handler(e, c): return sorted(os.listdir('/proc/self/fd'), key=int)[:-1]")
    # 0, 1, 2 and the socket; the last one listed was the listing's own.
    assert run.answer.json() == ["0", "1", "2", "3"]


def test_the_runtime_does_not_outlive_its_api():
    run = python("def handler(e, c): return e", env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"})
    assert run.returncode == 1


@pytest.mark.parametrize("interpreter", [str(p) for p in sorted(pathlib.Path("/usr/bin").glob("python3.*"))
                                         if re.fullmatch(r"python3\.\d+", p.name)]
                         + os.environ.get("LAMBENT_TEST_PYTHONS", "").split())
def test_every_python_at_hand_runs_it(interpreter):
    source = ("import logging\nfrom decimal import Decimal\ndef handler(e, c):\n  logging.warning('w')\n"
              "  if e == 'raise': raise ValueError(e)\n  return [e, Decimal('1.5'), 'é']")
    run = python(source, events=[Event({"a": [1.5, None]}), Event("raise"), Event(b"{")], interpreter=interpreter)
    first, second, third = run.answers
    assert first.body == '[{"a": [1.5, null]}, 1.5, "é"]'.encode()
    assert second.json()["stackTrace"] == ['  File "/var/task/app.py", line 5, in handler\n'
                                           "    if e == 'raise': raise ValueError(e)\n"]
    assert third.json()["errorType"] == "Runtime.UnmarshalError"
    assert run.stdout.count("[WARNING]") == 2
