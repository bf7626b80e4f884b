"""A Python that waited for its function: after the assignment a function cannot tell it from one that exec started."""

import re

import pytest

from runtimes.runtime_process import PYTHON, SOURCES, python, run

WAITING = {"LC_CTYPE": "C.UTF-8", "LANG": "en_US.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "LEFT_OVER": "1"}


def spare(files, **how):
    return python(files, spare=WAITING, **how)


PROMISED = """
import gc, os, signal, sys, threading, time
import __main__
def handler(event, context):
    return {
        "environ": dict(os.environ), "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", None), "path": sys.path,
        "cwd": os.getcwd(), "flags": list(sys.flags), "main": [__main__.__name__, __main__.__file__],
        "descriptors": sorted(os.listdir("/proc/self/fd")), "encoding": [sys.getfilesystemencoding(), sys.stdout.encoding],
        "tz": [time.tzname, time.localtime(0).tm_hour], "threads": threading.active_count(), "gc": gc.isenabled(),
        "hooks": [str(hook) for hook in sys.meta_path if type(hook).__name__ != "LoggingHook"], "context": vars(context)["function_name"],
        "signals": [str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGPIPE)],
        "umask": os.umask(0o22),
    }
"""


@pytest.mark.parametrize("hurry", [False, True])
@pytest.mark.parametrize("more", [{}, {"TZ": "Asia/Tokyo"}, {"AWS_LAMBDA_LOG_FORMAT": "JSON", "A": "é=="}])
def test_what_is_promised_is_as_after_exec(more, hurry):
    more = {"LC_CTYPE": "C.UTF-8", "PYTHONPATH": str(SOURCES / "python"), **more}
    executed, waited = python(PROMISED, env=more).answer.json(), spare(PROMISED, env=more, hurry=hurry).answer.json()
    addresses = [run["environ"].pop("AWS_LAMBDA_RUNTIME_API") for run in (executed, waited)]
    assert all(addresses)
    assert waited == executed


def test_the_spares_own_environment_is_gone_for_children_too():
    source = """
import subprocess
def handler(event, context):
    return subprocess.run(["/usr/bin/env"], capture_output=True, text=True).stdout.splitlines()
"""
    lines = spare(source).answer.json()
    assert "LEFT_OVER=1" not in lines
    assert "AWS_LAMBDA_FUNCTION_NAME=tested" in lines


def test_a_spare_answers_event_after_event():
    run = spare("n = 0\ndef handler(e, c):\n  global n; n += 1\n  return n", events=3)
    assert [a.json() for a in run.answers] == [1, 2, 3]


def test_errors_read_as_after_exec():
    source = "import logging\ndef handler(e, c):\n  logging.getLogger().warning('w')\n  raise KeyError('k')"
    executed, waited = python(source), spare(source)
    assert waited.answer.json() == executed.answer.json()
    stamp = re.compile(r"\d\d:\d\d:\d\d\.\d+")
    assert stamp.sub("", waited.stdout) == stamp.sub("", executed.stdout)
    assert waited.stderr == executed.stderr == ""


def test_an_import_that_fails_ends_it():
    run = spare("import missing_thing")
    assert (run.answer.kind, run.returncode) == ("init_error", 1)


@pytest.mark.parametrize("brought", ["json.py", "json/__init__.py"])
def test_a_module_of_the_functions_hides_one_that_was_loaded(brought):
    files = {brought: "mine = True", "app.py": "import json\ndef handler(e, c): return getattr(json, 'mine', False)"}
    assert spare(files).answer.json() is True
    assert python(files).answer.json() is True


def test_escaping_follows_the_assigned_runtime():
    for runtime, expected in (("python3.11", b'"\\u00e9"'), ("python3.12", '"é"'.encode())):
        run = spare("def handler(e, c): return 'é'", env={"AWS_EXECUTION_ENV": "AWS_Lambda_" + runtime})
        assert run.answer.body == expected


# As in the zygote, without forks and sandboxes: everything is loaded, then it becomes the function's.
WITH_SDK = """
import os, sys
sys.path[0] = %r
import lambent_spare
lambent_spare.prepare(sys.path[0], with_sdk=True)
if len(sys.argv) > 1:
    os.write(3, b"1")
    lambent_spare.become(*lambent_spare.read_assignment(3))
import lambent_runtime
lambent_runtime.main(sys.path[0])
""" % str(SOURCES / "python")

CLIENT = """
import sys
def handler(event, context):
    loaded = "boto3" in sys.modules
    import boto3, botocore.config, urllib3
    client = boto3.client("sqs", config=botocore.config.Config(connect_timeout=1, retries={"total_max_attempts": 1}))
    return [loaded, client.meta.endpoint_url, boto3.__file__, urllib3.__file__, client.meta.service_model.api_version]
"""
SETTINGS = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b", "PYTHONPATH": str(SOURCES / "python")}
SDK = "/usr/local/lib/lambent/python"


def with_sdk(files, **more):
    return run([PYTHON, "-S", "-u", "-c", WITH_SDK], files, "app.handler", env={**SETTINGS, **more}, spare=WAITING)


def test_the_sdk_is_there_and_has_been_loaded():
    assert with_sdk({"app.py": CLIENT}).answer.json() == [
        True, "http://127.0.0.1:9", SDK + "/boto3/__init__.py", SDK + "/urllib3/__init__.py", "2012-11-05"]


def test_without_a_spare_the_sdk_is_found_too():
    assert python(CLIENT, env=SETTINGS).answer.json()[:3] == [False, "http://127.0.0.1:9", SDK + "/boto3/__init__.py"]


def test_the_functions_own_boto3_wins():
    files = {"app.py": "import boto3, sys\ndef handler(e, c): return boto3.mine, 'botocore' in sys.modules",
             "boto3/__init__.py": "mine = 1"}
    assert with_sdk(files).answer.json() == [1, False]


def test_what_the_sdk_would_use_of_the_functions_it_uses():
    files = {"app.py": CLIENT + "    \n", "urllib3/__init__.py": "raise ImportError('mine')"}
    assert "mine" in with_sdk(files).answer.json()["errorMessage"]
    files = {"app.py": "import sys, botocore.compat\ndef handler(e, c): return botocore.compat.HAS_CRT",
             "awscrt/__init__.py": "__version__ = '0.1.0'", "awscrt/auth.py": ""}
    assert with_sdk(files).answer.json() is True


def test_models_of_the_functions_own_are_found():
    source = "import boto3\ndef handler(e, c): return boto3.session.Session()._session.get_component('data_loader')._cache"
    assert with_sdk({"app.py": source}, AWS_DATA_PATH="/tmp/models").answer.json() == {}
