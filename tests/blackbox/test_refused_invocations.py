"""What keeps an invocation from being tried, told alike by Invoke and by InvokeWithResponseStream."""

import os
import shutil

import pytest

from support.functions import NODEJS, PYTHON, Deployer, ensure_role
from support.refusal import refusal

ECHO_TRACE = "import os\n\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
SILENT = "export const handler = async () => null;\n"


def both(client, name):
    """(code, status, message) of what Invoke and InvokeWithResponseStream answer, which is one thing."""
    answer = refusal(client.invoke, FunctionName=name)
    assert refusal(client.invoke_with_response_stream, FunctionName=name) == answer
    return answer


def test_a_function_that_may_not_run(functions, awslambda):
    name = functions.create(PYTHON, ECHO_TRACE, stem="reserved")
    awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    for call in (awslambda.invoke, awslambda.invoke_with_response_stream):
        with pytest.raises(awslambda.exceptions.TooManyRequestsException) as refused:
            call(FunctionName=name)
        answer = refused.value.response
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Reason"], answer["Type"]) == (
            429, "ReservedFunctionConcurrentInvocationLimitExceeded", "User")
        assert answer["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"


def test_a_loop_is_stopped(server, functions):
    """The header counts its way through the function sixteen times."""
    name = functions.create(PYTHON, ECHO_TRACE, stem="looping")
    client = server.client("lambda")
    header = None

    def add_header(request, **_):
        if header:
            request.headers.add_header("X-Amzn-Trace-Id", header)

    for operation in ("Invoke", "InvokeWithResponseStream"):
        client.meta.events.register(f"before-sign.lambda.{operation}", add_header)
    for _ in range(16):
        header = client.invoke(FunctionName=name)["Payload"].read().decode().strip('"')
    assert header.endswith(":16")
    assert both(client, name)[:2] == ("RecursiveInvocationException", 400)


@pytest.mark.skipif(shutil.which("node") is None, reason="the host has no node")
def test_a_function_whose_runtime_is_gone(new_server):
    """It was there when the function was made: the second start has an empty file where the host's node is."""
    server = new_server()
    deployer = Deployer(server, ensure_role(server))
    name = deployer.create(NODEJS, SILENT)
    assert deployer.invoke(name).value is None
    server.stop()
    node = os.path.realpath(shutil.which("node"))
    server.prefix = ["unshare", "--mount", "sh", "-c", f'mount --bind /dev/null {node} && exec "$@"', "sh"]
    server.start()
    code, status, message = both(server.client("lambda"), name)
    assert (code, status) == ("InvalidRuntimeException", 502) and NODEJS in message
    server.stop()
    server.prefix = []
    server.start()
    assert Deployer(server, deployer.role_arn).invoke(name).value is None
