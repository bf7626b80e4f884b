"""What a function must not learn: the server's environment, its keys, other functions' (trial 47)."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role
from support.server import CANARY

ALLOWED = {
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_X_AMZN_TRACE_ID", "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR", "_HANDLER", "TZ", "LANG", "PATH", "LD_LIBRARY_PATH", "AWS_EXECUTION_ENV", "PYTHONPATH", "NODE_PATH", "LC_CTYPE",
    "GEM_HOME", "GEM_PATH", "RUBYLIB",
    "DOTNET_ROOT", "LAMBDA_RUNTIME_NAME", "LAMBDA_RUNTIME_NAME", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "DOTNET_GCHeapHardLimit", "COMPlus_GCHeapHardLimit",
    "PWD", "SHLVL", "HOME", "AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL", "MINE", "_",
}


def test_the_environment_is_aws_and_the_functions_own(make_hostile, server):
    hostile = make_hostile(Environment={"Variables": {"MINE": "yes"}})
    seen = hostile.one("environment")["ok"]
    assert seen["MINE"] == "yes"
    assert set(seen) <= ALLOWED, set(seen) - ALLOWED
    assert CANARY not in seen and CANARY not in seen.values()
    everything = "\n".join(f"{name}={value}" for name, value in seen.items())
    assert str(server.data) not in everything and server.root_key[0] not in everything and server.root_key[1] not in everything


def test_the_variables_that_aws_gives_are_there(make_hostile):
    hostile = make_hostile()
    seen = hostile.one("environment")["ok"]
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == hostile.name
    assert seen["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert seen["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert seen["AWS_LAMBDA_LOG_GROUP_NAME"] == f"/aws/lambda/{hostile.name}"
    assert seen["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "us-east-1"
    # As on AWS, not in an OS-only runtime.
    assert seen.get("AWS_EXECUTION_ENV") == (None if hostile.language == "provided" else f"AWS_Lambda_{hostile.runtime}")
    assert seen["LAMBDA_TASK_ROOT"] == "/var/task" and seen["LAMBDA_RUNTIME_DIR"] == "/var/runtime"
    assert seen["TZ"] == ":UTC" and seen["LANG"] == "en_US.UTF-8"
    assert seen["AWS_XRAY_CONTEXT_MISSING"] == "LOG_ERROR"
    assert seen["_HANDLER"] == hostile.handler


def test_no_process_inside_carries_a_secret_of_the_server(hostile, server):
    for number in (name for name in hostile.one("list", "/proc")["ok"] if name.isdigit()):
        for name in ("environ", "cmdline"):
            seen = hostile.one("read", f"/proc/{number}/{name}").get("ok", "")
            for secret in (CANARY, *server.root_key, str(server.data)):
                assert secret not in seen, (number, name)


LIFETIME = timedelta(hours=6)
TELLS_ITS_KEY = """
import os


def handler(event, context):
    return [os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
"""


@pytest.fixture
def clock_ahead(tmp_path):
    """The library of clock_ahead.c."""
    built = tmp_path / "clock_ahead.so"
    subprocess.run(["clang-19", "-O1", "-shared", "-fPIC", "-o", built, Path(__file__).with_name("clock_ahead.c")], check=True)
    return built


@pytest.mark.skipif(os.geteuid() != 0, reason="the server is started with a library before libc, which sudo takes away")
def test_credentials_of_a_function_end_after_six_hours(new_server, clock_ahead, monkeypatch):
    """Nothing outside shows when they end: the server's clock, and that of whoever signs, are put ahead instead. To the
    millisecond: src/auth/authenticator_test.cc, SessionsExpire."""
    server = new_server()
    functions = Deployer(server, ensure_role(server))
    key = functions.invoke(functions.create(PYTHON, TELLS_ITS_KEY)).expect()
    here = botocore.auth.get_current_datetime

    def caller_at(ahead):
        """The answer to who asks, `ahead` of now; a server whose clock had stayed would refuse its date."""
        server.environment = {"LD_PRELOAD": str(clock_ahead), "CLOCK_AHEAD_S": str(int(ahead.total_seconds()))}
        server.restart()
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *zone: here(*zone) + ahead)
        assert server.client("sts").get_caller_identity()["Arn"].endswith(":root")
        return server.client("sts", key).get_caller_identity()["Arn"]

    assert ":assumed-role/" in caller_at(LIFETIME - timedelta(minutes=10))
    with pytest.raises(ClientError) as refused:
        caller_at(LIFETIME)
    assert refused.value.response["Error"]["Code"] == "ExpiredToken"
    assert refused.value.response["Error"]["Message"] == "The security token included in the request is expired"


def test_credentials_are_short_lived_and_the_roles(make_hostile, server):
    hostile = make_hostile()
    seen = hostile.one("environment")["ok"]
    key = (seen["AWS_ACCESS_KEY_ID"], seen["AWS_SECRET_ACCESS_KEY"], seen["AWS_SESSION_TOKEN"])
    assert key[0].startswith("ASIA") and len(key[1]) == 40
    identity = server.client("sts", key).get_caller_identity()
    assert identity["Arn"].endswith(f":assumed-role/lambent-test/{hostile.name}")
    other = make_hostile().one("environment")["ok"]
    assert other["AWS_SECRET_ACCESS_KEY"] != key[1] and other["AWS_SESSION_TOKEN"] != key[2]


def test_another_functions_environment_is_out_of_reach(make_hostile):
    secret = "another-functions-secret-value"
    keeper = make_hostile(Environment={"Variables": {"MINE": secret}})
    assert keeper.one("environment")["ok"]["MINE"] == secret
    thief = make_hostile()
    for number in (name for name in thief.one("list", "/proc")["ok"] if name.isdigit()):
        assert secret not in thief.one("read", f"/proc/{number}/environ").get("ok", "")


def test_secrets_are_in_no_log(make_hostile, server):
    secret = "a-secret-that-no-log-may-hold"
    hostile = make_hostile(Environment={"Variables": {"MINE": secret}})
    seen = hostile.one("environment")["ok"]
    said = server.log.read_text(errors="replace")
    for value in (secret, server.root_key[1], seen["AWS_SECRET_ACCESS_KEY"], seen["AWS_SESSION_TOKEN"]):
        assert value not in said
