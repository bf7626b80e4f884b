"""Event invoke configs and reserved concurrency: what is stored, shown and refused."""

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON
from support.server import ACCOUNT, REGION

HANDLER = "def handler(event, context):\n    return event\n"


@pytest.fixture(scope="module")
def name(module_functions):
    return module_functions.create(PYTHON, HANDLER, stem="configured")


def arn(name, qualifier=None):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def shown(answer):
    answer = dict(answer)
    answer.pop("ResponseMetadata", None)
    return answer


def test_put_replaces_update_merges_delete_removes(awslambda, name):
    first = shown(awslambda.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1, MaximumEventAgeInSeconds=120))
    assert first.pop("LastModified")
    assert first == {"FunctionArn": arn(name, "$LATEST"), "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 120,
                     "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}}
    updated = shown(awslambda.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0))
    assert (updated["MaximumRetryAttempts"], updated["MaximumEventAgeInSeconds"]) == (0, 120)
    replaced = shown(awslambda.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60))
    assert "MaximumRetryAttempts" not in replaced
    got = shown(awslambda.get_function_event_invoke_config(FunctionName=name))
    assert got == replaced
    assert [each["FunctionArn"] for each in awslambda.list_function_event_invoke_configs(FunctionName=name)[
        "FunctionEventInvokeConfigs"]] == [arn(name, "$LATEST")]
    awslambda.delete_function_event_invoke_config(FunctionName=name)
    missing = ("ResourceNotFoundException", f"The function {arn(name, '$LATEST')} doesn't have an EventInvokeConfig")
    assert refusal(awslambda.get_function_event_invoke_config, FunctionName=name) == missing
    assert refusal(awslambda.delete_function_event_invoke_config, FunctionName=name) == missing
    assert refusal(awslambda.update_function_event_invoke_config, FunctionName=name, MaximumRetryAttempts=0) == missing


def test_refusals_of_a_config(awslambda, name):
    put = awslambda.put_function_event_invoke_config
    assert refusal(put, FunctionName=name) == (
        "InvalidParameterValueException", "You must specify at least one of error handling or destination setting.")
    assert refusal(put, FunctionName="nobody", MaximumRetryAttempts=1) == (
        "ResourceNotFoundException", "The function doesn't exist.")
    assert refusal(put, FunctionName=name, Qualifier="7", MaximumRetryAttempts=1)[0] == "ResourceNotFoundException"
    assert refusal(put, FunctionName=name, MaximumRetryAttempts=3)[0] == "ValidationException"
    assert refusal(put, FunctionName=name, MaximumEventAgeInSeconds=59)[0] == "ValidationException"
    itself = {"OnFailure": {"Destination": arn(name)}}
    assert refusal(put, FunctionName=name, DestinationConfig=itself) == (
        "InvalidParameterValueException", "You can't specify the function as a destination for itself.")
    gone = {"OnSuccess": {"Destination": arn("nobody")}}
    assert refusal(put, FunctionName=name, DestinationConfig=gone) == (
        "InvalidParameterValueException", f"The destination ARN {arn('nobody')} is invalid.")
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"
    assert refusal(put, FunctionName=name, DestinationConfig={"OnFailure": {"Destination": table}}) == (
        "InvalidParameterValueException", "The provided destination config DestinationConfig(onSuccess=null, "
        f"onFailure=OnFailure(destination={table})) is invalid.")
    fifo = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q.fifo"
    assert "is invalid" in refusal(put, FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": fifo}})[1]
    bucket = "arn:aws:s3:::records"
    assert "is invalid" in refusal(put, FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": bucket}})[1]
    # What this server has no endpoint for is said, never accepted and forgotten.
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"
    assert "--target-endpoint sqs=URL" in refusal(
        put, FunctionName=name, DestinationConfig={"OnFailure": {"Destination": queue}})[1]


def test_a_role_without_the_right_is_refused_as_aws_does(awslambda, name, module_functions):
    other = module_functions.create(PYTHON, HANDLER, stem="target")
    assert refusal(awslambda.put_function_event_invoke_config, FunctionName=name,
                   DestinationConfig={"OnSuccess": {"Destination": arn(other)}}) == (
        "InvalidParameterValueException",
        f"The function's execution role does not have permissions to call InvokeFunction on {arn(other)}")


def test_reserved_concurrency_is_kept_and_bounded(awslambda, name):
    assert shown(awslambda.get_function_concurrency(FunctionName=name)) == {}
    assert shown(awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)) == {
        "ReservedConcurrentExecutions": 5}
    assert shown(awslambda.get_function_concurrency(FunctionName=name)) == {"ReservedConcurrentExecutions": 5}
    assert refusal(awslambda.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=901) == (
        "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].")
    assert refusal(awslambda.put_function_concurrency, FunctionName=name + ":1", ReservedConcurrentExecutions=1)[0] in (
        "InvalidParameterValueException", "ValidationException")
    assert refusal(awslambda.put_function_concurrency, FunctionName="nobody", ReservedConcurrentExecutions=1) == (
        "ResourceNotFoundException", f"Function not found: {arn('nobody')}")
    awslambda.delete_function_concurrency(FunctionName=name)
    assert shown(awslambda.get_function_concurrency(FunctionName=name)) == {}


def test_settings_go_with_their_function(awslambda, functions):
    gone = functions.create(PYTHON, HANDLER, stem="gone")
    awslambda.put_function_concurrency(FunctionName=gone, ReservedConcurrentExecutions=900)
    awslambda.put_function_event_invoke_config(FunctionName=gone, MaximumRetryAttempts=0)
    awslambda.delete_function(FunctionName=gone)
    again = functions.create(PYTHON, HANDLER, FunctionName=gone)
    assert shown(awslambda.get_function_concurrency(FunctionName=again)) == {}
    assert refusal(awslambda.get_function_event_invoke_config, FunctionName=again)[0] == "ResourceNotFoundException"
    awslambda.put_function_concurrency(FunctionName=again, ReservedConcurrentExecutions=900)
