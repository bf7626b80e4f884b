"""What AWS has and this server has not is refused by name, never accepted and forgotten: every member of the requests that
make functions, versions, mappings and invocations, one by one."""

import pytest

from support.functions import ENTRY, PYTHON, source_zip, unique
from support.refusal import refusal
from support.server import ACCOUNT, REGION

SOURCE = "def handler(event, context):\n    return None\n"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
PROVIDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:mine"

# (member, its value): settings of CreateFunction and, but for those marked, of UpdateFunctionConfiguration.
SETTINGS = [
    ("ImageConfig", {"Command": ["app.handler"]}),
    ("SnapStart", {"ApplyOn": "PublishedVersions"}),
    ("CapacityProviderConfig", {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER}}),
    ("DurableConfig", {"ExecutionTimeout": 60}),
    ("RuntimeConfig", {"RuntimeArn": f"arn:aws:lambda:{REGION}::runtime:{'a' * 64}"}),
    ("AcceleratorConfig", {"AcceleratorMemorySize": 1024}),
    ("Runtime", "custom"),
]
AT_CREATION_ONLY = [("PackageType", "Image"),
                    ("PublishTo", "LATEST_PUBLISHED")]


def refused_by_name(member, call, **arguments):
    code, status, message = refusal(call, **arguments)
    assert (code, status) == ("InvalidParameterValueException", 400), message
    assert member.lower() in message.lower() or (member == "Runtime" and "custom" in message), message


@pytest.fixture(scope="module")
def made(module_functions):
    return module_functions.create(PYTHON, SOURCE, stem="plain")


@pytest.mark.parametrize("member, value", SETTINGS + AT_CREATION_ONLY, ids=lambda each: each if isinstance(each, str) else "")
def test_settings_of_a_new_function(awslambda, role_arn, member, value):
    name = unique("unsupported")
    wanted = {"FunctionName": name, "Runtime": PYTHON, "Role": role_arn, "Handler": ENTRY[PYTHON][1],
              "Code": {"ZipFile": source_zip(PYTHON, SOURCE)}, member: value}
    refused_by_name(member, awslambda.create_function, **wanted)
    assert refusal(awslambda.get_function, FunctionName=name)[1] == 404


@pytest.mark.parametrize("member, value", SETTINGS, ids=lambda each: each if isinstance(each, str) else "")
def test_settings_of_a_function_that_is_there(awslambda, made, member, value):
    before = awslambda.get_function_configuration(FunctionName=made)["RevisionId"]
    refused_by_name(member, awslambda.update_function_configuration, FunctionName=made, **{member: value})
    assert awslambda.get_function_configuration(FunctionName=made)["RevisionId"] == before


def test_code_versions_and_invocations(awslambda, made, role_arn):
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/mine:latest"
    refused_by_name("ImageUri", awslambda.create_function, FunctionName=unique("image"), Runtime=PYTHON, Role=role_arn,
                    Handler="app.handler", Code={"ImageUri": image})
    refused_by_name("ImageUri", awslambda.update_function_code, FunctionName=made, ImageUri=image)
    refused_by_name("PublishTo", awslambda.update_function_code, FunctionName=made, PublishTo="LATEST_PUBLISHED",
                    ZipFile=source_zip(PYTHON, SOURCE))
    refused_by_name("PublishTo", awslambda.publish_version, FunctionName=made, PublishTo="LATEST_PUBLISHED")
    refused_by_name("DurableExecutionName", awslambda.invoke, FunctionName=made, DurableExecutionName="once")


@pytest.mark.parametrize("member, value", [
    ("MetricsConfig", {"Metrics": ["EventCount"]}), ("LoggingConfig", {"SystemLogLevel": "DEBUG"}),
    ("ProvisionedPollerConfig", {"MinimumPollers": 2, "MaximumPollers": 4})])
def test_settings_of_a_mapping(awslambda, made, member, value):
    refused_by_name(member, awslambda.create_event_source_mapping, FunctionName=made, EventSourceArn=QUEUE, Enabled=False,
                    **{member: value})
    assert awslambda.list_event_source_mappings(FunctionName=made)["EventSourceMappings"] == []


def test_members_of_other_services(iam):
    """They have no word for it: 501."""
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    code, status, message = refusal(iam.create_user, UserName=unique("bound"), PermissionsBoundary=boundary)
    assert (code, status) == ("NotImplementedException", 501) and "permissionsboundary" in message.lower()
