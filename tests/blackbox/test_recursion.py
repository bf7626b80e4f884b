"""The trace header of an invocation, and functions that invoke each other in a loop."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON

ECHO_TRACE = """
import os
def handler(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")
"""
ROOT = "1-5759e988-bd862e3fe1be46a994272793"


@pytest.fixture(scope="module")
def traced(module_functions):
    return module_functions.create(PYTHON, ECHO_TRACE, stem="traced")


def invoke(server, name, header=None):
    client = server.client("lambda")
    if header:
        client.meta.events.register("before-sign.lambda.Invoke",
                                    lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", header))
    return json.loads(client.invoke(FunctionName=name)["Payload"].read())


def test_a_header_is_made_and_not_sampled_by_default(server, traced):
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0;Lineage=[0-9a-f]{8}:1",
                        invoke(server, traced))


def test_a_header_is_passed_on_with_a_new_parent(server, traced):
    got = invoke(server, traced, f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1")
    assert got.startswith(f"Root={ROOT};Parent=")
    assert "53995c3f42cd8ad8" not in got and ";Sampled=1;" in got


def test_the_answer_has_the_header_that_the_function_saw(server, traced, awslambda):
    answer = awslambda.invoke(FunctionName=traced)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-trace-id"] == json.loads(answer["Payload"].read())


def test_an_accepted_event_is_answered_with_its_root(awslambda, traced):
    answer = awslambda.invoke(FunctionName=traced, InvocationType="Event")
    assert answer["StatusCode"] == 202
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=0", answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-trace-id"])


def test_the_seventeenth_loop_is_stopped_unless_it_is_allowed(server, traced, awslambda):
    header = None
    for count in range(1, 17):
        header = invoke(server, traced, header)
        assert header.endswith(f":{count}")
    with pytest.raises(ClientError) as stopped:
        invoke(server, traced, header)
    assert stopped.value.response["Error"]["Code"] == "RecursiveInvocationException"
    assert stopped.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert awslambda.get_function_recursion_config(FunctionName=traced)["RecursiveLoop"] == "Terminate"
    awslambda.put_function_recursion_config(FunctionName=traced, RecursiveLoop="Allow")
    assert invoke(server, traced, header).endswith(":17")
