"""The Python bootstrap beside AWS's own runtime interface client: the same handlers, the same answers and log lines.

Needs the package awslambdaric (PyPI) in the Python that runs the tests.
"""

import re
import sys

import pytest

from runtimes import runtime_process
from runtimes.runtime_process import Event

pytest.importorskip("awslambdaric", reason="awslambdaric is not installed beside pytest")

HANDLERS = {
    "echo": "def handler(event, context): return event",
    "nothing": "def handler(event, context): pass",
    "text": "def handler(event, context): return 'h\\u00e9llo \\u4e16 \\U0001f600 \\u2028 \\u2029 \\x7f \\x00'",
    "numbers": "def handler(event, context): return [1, -0.0, 1e100, 12345678901234567890, True, 1/3, float('nan'), -float('inf')]",
    "decimal": "from decimal import Decimal\ndef handler(event, context):"
               " return {'a': Decimal('1.10'), 'b': [Decimal('NaN'), Decimal('1E+3')], 'c': 'text'}",
    "namedtuple": "from collections import namedtuple\nP = namedtuple('P', 'x y')\n"
                  "def handler(event, context): return {'p': P(1, [P(2, None)]), 't': (1, 2)}",
    "bytes": "def handler(event, context): return b'\\x00raw\\xff'",
    "inner bytes": "def handler(event, context): return {'a': b'text'}",
    "keys": "def handler(event, context): return {1: 'a', 1.5: 'b', True: 'c', None: 'd'}",
    "set": "def handler(event, context): return {1, 2}",
    "object": "class Thing: pass\ndef handler(event, context): return [Thing()]",
    "cycle": "def handler(event, context):\n  a = []; a.append(a)\n  return a",
    "after a cycle": "a = []\na.append(a)\nn = 0\ndef handler(event, context):\n  global n; n += 1\n  return a if n == 1 else [[n]]",
    "coroutine": "async def handler(event, context): return 1",
    "raises": "def inner():\n  raise ValueError('bad value')\n\ndef handler(event, context):\n  inner()",
    "raises own": "class Custom(Exception): pass\ndef handler(event, context): raise Custom('a', 2)",
    "raises nothing said": "def handler(event, context): raise KeyError()",
    "raises unicode": "def handler(event, context): raise Exception('h\\u00e9llo \\u4e16')",
    "raises multiline": "def handler(event, context): raise Exception('''one\n  two''')",
    "raises within": "def handler(event, context):\n  try:\n    1/0\n  except Exception as e:\n    raise RuntimeError('outer') from e",
    "raises deep": "def f(n): return f(n - 1) if n else 1/0\ndef handler(event, context): return f(5)",
    "context": "def handler(event, context):\n  d = dict(vars(context)); d.pop('_w3c_fields', None)"
               "; d.pop('_epoch_deadline_time_in_ms'); d['identity'] = repr(d['identity'])"
               "; d['client_context'] = repr(d['client_context']); d['remaining'] = context.get_remaining_time_in_millis() // 20000"
               "; return d",
    "trace": "import os\ndef handler(event, context): return os.environ.get('_X_AMZN_TRACE_ID')",
    "print": "def handler(event, context): print('one'); print('two', end=''); return 1",
    "logging": "import logging\nlogger = logging.getLogger()\nlogger.setLevel('INFO')\nlogger.info('at import')\n"
               "def handler(event, context):\n  logger.info('hello %s', 5); logging.getLogger('my').warning('w\u00e9')\n"
               "  logger.debug('no')\n  try:\n    1/0\n  except Exception:\n    logger.exception('failed')",
    "basicConfig": "import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.debug('not shown')\ndef handler(e, c): logging.warning('w')",
    "late logging": "def handler(event, context):\n  import logging\n  logging.warning('late')",
    "no module": "import nothing_like_this",
    "no name": "from os import nothing_like_this",
    "syntax": "def handler(event, context)\n  return 1",
    "raises at import": "def f(): raise ValueError('at import')\nf()",
    "no handler": "other = 1",
}


def official(files, handler, events, env):
    # AWS's managed image installs its modules in /var/runtime; here they are where pytest is.
    argv = [sys.executable, "-m", "awslambdaric", handler]
    return runtime_process.run(argv, files, handler, events, env)


def normal(text):
    # A remark on AWS's own updates before every init error: no concern of ours.
    text = re.sub(r"[^\n]*LAMBDA_WARNING: Unhandled exception[^\n]*\n", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", "TIME", text)
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def compare(source, handler="app.handler", events=None, env=None, files=None):
    files = files or {"app.py": source}
    env = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    make = events or (lambda: [Event({"key": "value", "n": [1, 2.5, None]}), Event([])])
    theirs = official(files, handler, make(), env)
    ours = runtime_process.python(files, handler, make(), env, interpreter=sys.executable)
    assert [a.kind for a in ours.answers] == [a.kind for a in theirs.answers], (ours, theirs)
    for mine, yours in zip(ours.answers, theirs.answers):
        assert normal(mine.body.decode("latin-1")) == normal(yours.body.decode("latin-1"))
        if mine.kind == "response":
            assert mine.headers.get("Content-Type") == yours.headers.get("Content-Type")
    # The official sink ends an error's own line breaks the event; ours keeps it in one (see test_bootstraps_python.py).
    assert normal(ours.stdout).replace("\r", "\n") == normal(theirs.stdout).replace("\r", "\n")
    assert ours.returncode == theirs.returncode
    return ours, theirs


@pytest.mark.parametrize("name", HANDLERS)
def test_answers_and_logs_are_those_of_the_official_client(name):
    compare(HANDLERS[name])


@pytest.mark.parametrize("name", ["text", "numbers", "decimal", "namedtuple", "raises unicode"])
def test_older_versions_escape_as_the_official_client_does(name):
    compare(HANDLERS[name], env={"AWS_EXECUTION_ENV": "AWS_Lambda_python3.11"})


@pytest.mark.parametrize("handler", ["app", "", "app.", "sys.exit", "nothing.handler", "pkg/mod.handler", "pkg.mod.handler"])
def test_handler_names_are_read_as_the_official_client_reads_them(handler):
    files = {"app.py": "def handler(e, c): return 1", "pkg/__init__.py": "", "pkg/mod.py": "def handler(e, c): return 2"}
    compare(None, handler, files=files)


@pytest.mark.parametrize("payload", [b"", b"nul", b"\xff", b" [1] ", b'{"a":1,"a":2}', b"1e999", b'"\\ud83d\\ude00"', b"-0"])
def test_payloads_are_read_as_the_official_client_reads_them(payload):
    compare(HANDLERS["echo"], events=lambda: [Event(payload)])


@pytest.mark.parametrize("payload", [b"{", b"[1,]", b"1 2", b"NaN", b"[-Infinity]", b'"\x01"', b"'a'"])
def test_what_is_no_json_fails_with_the_official_clients_error_type(payload):
    """The words are those of two JSON libraries and differ."""
    events = [Event(payload)]
    theirs = official({"app.py": HANDLERS["echo"]}, "app.handler", events, {})
    ours = runtime_process.python(HANDLERS["echo"], events=[Event(payload)])
    assert ours.answer.kind == theirs.answer.kind == "error"
    assert ours.answer.json()["errorType"] == theirs.answer.json()["errorType"] == "Runtime.UnmarshalError"


def test_context_headers_are_read_as_the_official_client_reads_them():
    client = '{"client":{"app_title":"t","installation_id":"i"},"custom":{"k":"v"},"env":{"e":"1"}}'
    headers = {
        "Lambda-Runtime-Client-Context": client,
        "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}',
        "Lambda-Runtime-Trace-Id": "Root=1-5e1b4151-5ac6c58f3c9a0c1f6f2a3b4c;Sampled=0",
    }
    compare(HANDLERS["context"], events=lambda: [Event(b"{}", headers), Event(b"{}")])
    compare(HANDLERS["trace"], events=lambda: [Event(b"{}", headers), Event(b"{}")])


@pytest.mark.parametrize("name", ["logging", "raises", "raises at import", "print", "raises unicode"])
def test_json_logs_are_those_of_the_official_client(name):
    compare(HANDLERS[name], env={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"})
