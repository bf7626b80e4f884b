"""Event source mappings as resources. Nothing polls yet: they are made Disabled and cannot be enabled."""

import pytest

from support.functions import PYTHON
from support.refusal import arn, refusal
from support.server import ACCOUNT, REGION

SOURCE = "def handler(event, context):\n    return None\n"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"


@pytest.fixture
def mapping(functions, awslambda):
    """A Disabled mapping of a queue."""
    name = functions.create(PYTHON, SOURCE, stem="mapped")
    made = awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=QUEUE, Enabled=False)
    yield name, made
    try:
        awslambda.delete_event_source_mapping(UUID=made["UUID"])
    except awslambda.exceptions.ResourceNotFoundException:
        pass


def test_a_mapping_is_read_changed_listed_and_deleted(awslambda, mapping):
    name, made = mapping
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (made["State"], made["BatchSize"], made["FunctionArn"]) == ("Disabled", 10, arn(name))
    got = awslambda.get_event_source_mapping(UUID=made["UUID"])
    for answer in (made, got):
        answer.pop("ResponseMetadata")
    assert got == made
    assert awslambda.update_event_source_mapping(UUID=made["UUID"], BatchSize=3)["State"] == "Updating"
    listed = awslambda.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    assert [(each["UUID"], each["BatchSize"]) for each in listed] == [(made["UUID"], 3)]
    awslambda.tag_resource(Resource=made["EventSourceMappingArn"], Tags={"a": "b"})
    assert awslambda.list_tags(Resource=made["EventSourceMappingArn"])["Tags"] == {"a": "b"}
    assert awslambda.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"
    assert refusal(awslambda.get_event_source_mapping, UUID=made["UUID"]) == (
        "ResourceNotFoundException", 404, "The resource you requested does not exist.")


def test_refusals(awslambda, mapping):
    name, made = mapping
    assert refusal(awslambda.create_event_source_mapping, FunctionName=name, EventSourceArn=QUEUE, Enabled=False) == (
        "ResourceConflictException", 409,
        f'An event source mapping with SQS arn (" {QUEUE} ") and function (" {name} ") already exists. Please update or delete'
        f" the existing mapping with UUID {made['UUID']}")
    assert refusal(awslambda.create_event_source_mapping, FunctionName=name) == (
        "InvalidParameterValueException", 400, "Unrecognized event source.")
    assert refusal(awslambda.create_event_source_mapping, FunctionName=name, EventSourceArn=STREAM, Enabled=False) == (
        "InvalidParameterValueException", 400,
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
    code, status, message = refusal(
        awslambda.create_event_source_mapping, FunctionName=name, EventSourceArn=STREAM, StartingPosition="LATEST")
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.startswith("Enabled: polling Amazon Kinesis is not supported")
