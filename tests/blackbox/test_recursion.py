"""The trace header of an invocation, and functions that invoke each other in a loop."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, TRUST_LAMBDA, Deployer, trimmed_boto3, unique
from support.polling import until
from support.server import ACCOUNT, REGION, Server

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


# Where the server ends a loop, and where the functions below end one that goes on.
LOOPS = 16
BOUND = 25
# The trace header is the SDK's to pass on: nothing here names it, and the server finds it in the call that boto3 makes.
CALLS_ITSELF = f"""
import json
import boto3

awslambda = boto3.client("lambda")

def handler(event, context):
    print("RAN", context.function_name, event["chain"], event["turn"], flush=True)
    if event["turn"] < {BOUND}:
        event["turn"] += 1
        awslambda.invoke(FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps(event))
"""
# Gets its own result, by way of the other function, as the record of a success: {"responsePayload": ...}.
RESULTS_GO_IN_A_RING = f"""
def handler(event, context):
    event = event.get("responsePayload", event)
    event["turn"] += 1
    print("RAN", context.function_name, event["chain"], event["turn"], flush=True)
    if event["turn"] > 2 * {BOUND}:
        raise RuntimeError("nobody ends this loop")
    return event
"""


@pytest.fixture(scope="module")
def looping(moto):
    """A server whose waits run 600 times faster than they read: an attempt that is made again is made while the tests look."""
    running = Server("--time-scale", "600", "--print-function-logs", *moto.target_arguments()).start()
    yield running
    running.discard()


@pytest.fixture(scope="module")
def deploy(looping):
    iam = looping.client("iam")
    arn = iam.create_role(RoleName="looping", AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]["Arn"]
    iam.put_role_policy(RoleName="looping", PolicyName="calls", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["lambda:InvokeFunction", "sqs:SendMessage"], "Resource": "*"}]}))
    return Deployer(looping, arn)


@pytest.fixture(scope="module")
def calls_itself(deploy):
    return deploy.create(PYTHON, {"app.py": CALLS_ITSELF, **trimmed_boto3()}, stem="calls-itself", MemorySize=512)


def begin(server, name):
    """The name of a chain of events whose first was accepted."""
    chain = unique("chain")
    answer = server.client("lambda").invoke(FunctionName=name, InvocationType="Event",
                                            Payload=json.dumps({"chain": chain, "turn": 1}).encode())
    assert answer["StatusCode"] == 202
    return chain


def turns(server, chain, count, name=r"\S+"):
    """The turns that ran, at least so many: what two environments print comes in either order, and may come late."""
    def ran():
        return sorted(int(turn) for turn in re.findall(rf"RAN {name} {chain} (\d+)\n", server.log.read_text(errors="replace")))

    until(lambda: len(ran()) >= count, 60, f"{count} runs")
    return ran()


def test_a_function_that_calls_itself_is_stopped_and_its_event_kept(looping, deploy, calls_itself, moto):
    client = looping.client("lambda")
    failed_url, failed = moto.queue("stopped")
    dead_url, dead = moto.queue("stopped-dead-letters")
    client.update_function_configuration(FunctionName=calls_itself, DeadLetterConfig={"TargetArn": dead})
    deploy.await_update(calls_itself)
    client.put_function_event_invoke_config(FunctionName=calls_itself, DestinationConfig={"OnFailure": {"Destination": failed}})
    assert client.get_function_recursion_config(FunctionName=calls_itself)["RecursiveLoop"] == "Terminate"
    chain = begin(looping, calls_itself)
    stopped = {"chain": chain, "turn": LOOPS + 1}
    record = json.loads(moto.receive(failed_url, 60)["Body"])
    assert record["requestPayload"] == stopped
    assert record["requestContext"]["functionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{calls_itself}:$LATEST"
    # It was not run once, and so it was not tried again either.
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responsePayload" not in record
    assert json.loads(moto.receive(dead_url)["Body"]) == stopped
    assert turns(looping, chain, LOOPS) == list(range(1, LOOPS + 1))


def test_a_loop_that_is_allowed_goes_on(looping, calls_itself):
    client = looping.client("lambda")
    client.put_function_recursion_config(FunctionName=calls_itself, RecursiveLoop="Allow")
    chain = begin(looping, calls_itself)
    assert turns(looping, chain, BOUND) == list(range(1, BOUND + 1))


def test_a_loop_of_destinations_is_stopped_in_the_function_that_began_it(looping, deploy, moto):
    """A function cannot be its own destination, on AWS neither; two can be each other's."""
    client = looping.client("lambda")
    url, failed = moto.queue("ring")
    first, second = (deploy.create(PYTHON, RESULTS_GO_IN_A_RING, stem="ring") for _ in range(2))
    for name, next_one in ((first, second), (second, first)):
        client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={
            "OnSuccess": {"Destination": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{next_one}"},
            "OnFailure": {"Destination": failed}})
    chain = begin(looping, first)
    record = json.loads(moto.receive(url, 60)["Body"])
    assert record["requestContext"]["functionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{first}:$LATEST"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert len(turns(looping, chain, LOOPS, first)) == len(turns(looping, chain, LOOPS, second)) == LOOPS
    assert record["requestPayload"]["responsePayload"] == {"chain": chain, "turn": 1 + 2 * LOOPS}
