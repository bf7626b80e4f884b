"""What a process of a function is given: its whole environment, and its resource limits."""

import re

import pytest

from support.functions import NODEJS, PYTHON

ENVIRONMENT = {
    PYTHON: "import os\ndef handler(event, context):\n    return [dict(os.environ), context.log_stream_name]\n",
    NODEJS: "export const handler = async (event, context) => [process.env, context.logStreamName];\n",
}
# As recorded on AWS (python3.13, nodejs22.x), but for AWS_ENDPOINT_URL, which is Lambent's.
OWN = {
    PYTHON: {"PYTHONPATH": "/var/runtime", "LC_CTYPE": "C.UTF-8"},
    NODEJS: {"NODE_PATH": "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"},
}
SECRETS = {"AWS_ACCESS_KEY_ID": r"ASIA[A-Z0-9]{16}", "AWS_SECRET_ACCESS_KEY": r"[A-Za-z0-9+/]{40}", "AWS_SESSION_TOKEN": r"\S{40,}",
           "_X_AMZN_TRACE_ID": r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};.*"}


@pytest.mark.parametrize("start", ["waiting", "cold"])
def test_the_whole_environment(functions, runtime, start):
    # A variable that acts at exec has no waiting process take the function.
    acting = {"LD_BIND_NOW": "1"} if start == "cold" else {}
    name = functions.create(runtime, ENVIRONMENT[runtime], MemorySize=256, Environment={"Variables": {"MINE": "é", **acting}})
    seen, stream = functions.invoke(name).expect()
    for secret, shape in SECRETS.items():
        assert re.fullmatch(shape, seen.pop(secret)), secret
    handler = {PYTHON: "app.handler", NODEJS: "index.handler"}[runtime]
    assert seen == {
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001", "AWS_REGION": "us-east-1",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
        "LAMBDA_RUNTIME_DIR": "/var/runtime", "LAMBDA_TASK_ROOT": "/var/task", "LANG": "en_US.UTF-8",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
        "MINE": "é", "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "PWD": "/var/task", "SHLVL": "0", "TZ": ":UTC",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129", "_AWS_XRAY_DAEMON_PORT": "2000", "_HANDLER": handler,
        **OWN[runtime], **acting}


LIMITS = """
import errno, os, resource, threading

def handler(event, context):
    if event == "limits":
        return {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}
    if event == "raise":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))
        except ValueError as refused:
            return str(refused)
    opened = []
    try:
        while len(opened) < 2000:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return {"error": errno.errorcode[error.errno], "highest": max(opened)}
    finally:
        for each in opened:
            os.close(each)
"""
UNLIMITED = -1
# AWS documents 1,024 file descriptors and 1,024 processes and threads ("Lambda quotas"); locked memory and stack are as recorded there.
# Core files: AWS's limit is 10 GiB; here nothing is written, not even into the host's collector, for which 1 is the kernel's word.
# The last four are the kernel's own that no function needs.
EXPECTED = {
    "RLIMIT_NOFILE": [1024, 1024], "RLIMIT_NPROC": [1024, 1024], "RLIMIT_MEMLOCK": [65536, 65536],
    "RLIMIT_STACK": [8388608, UNLIMITED], "RLIMIT_CORE": [1, 1], "RLIMIT_AS": [UNLIMITED, UNLIMITED],
    "RLIMIT_CPU": [UNLIMITED, UNLIMITED], "RLIMIT_DATA": [UNLIMITED, UNLIMITED], "RLIMIT_FSIZE": [UNLIMITED, UNLIMITED],
    "RLIMIT_RSS": [UNLIMITED, UNLIMITED], "RLIMIT_NICE": [0, 0], "RLIMIT_RTPRIO": [0, 0], "RLIMIT_MSGQUEUE": [819200, 819200],
    "RLIMIT_SIGPENDING": [4096, 4096],
}


@pytest.fixture(scope="module")
def limited(module_functions):
    """What a function says of its limits, taken from a waiting process and not."""
    names = [module_functions.create(PYTHON, LIMITS, stem="limits"),
             module_functions.create(PYTHON, LIMITS, stem="limits", Environment={"Variables": {"LD_BIND_NOW": "1"}})]
    return lambda event: [module_functions.invoke(name, event).expect() for name in names]


@pytest.fixture(scope="module")
def seen(limited):
    return limited("limits")


@pytest.mark.parametrize("limit", EXPECTED)
def test_a_limit(seen, limit):
    assert [each[limit] for each in seen] == [EXPECTED[limit]] * 2


def test_the_descriptors_end_at_their_limit_and_it_cannot_be_raised(limited):
    assert limited("open") == [{"error": "EMFILE", "highest": 1023}] * 2
    assert limited("raise") == ["not allowed to raise maximum limit"] * 2
