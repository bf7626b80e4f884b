"""The calls that Terraform's AWS provider makes for Lambda resources, in its order: create, read back, plan without a
difference, update, destroy. The provider itself is not needed: the calls are those of its resource functions
(internal/service/lambda of terraform-provider-aws), and a plan is clean when everything read equals what was written."""

import json

import pytest

from support.functions import ENTRY, PYTHON, TRUST_LAMBDA, make_zip, source_zip, unique
from support.polling import until
from support.refusal import arn, refusal
from support.server import ACCOUNT, REGION

SOURCE = "def handler(event, context):\n    return {value}\n"


def read_function(awslambda, name):
    """resourceFunctionRead: the configuration, the tags, the newest version and the code signing of a function."""
    got = awslambda.get_function(FunctionName=name)
    state = got["Configuration"] | {"Tags": got.get("Tags", {}), "Concurrency": got.get("Concurrency")}
    versions, marker = [], None
    while True:
        page = awslambda.list_versions_by_function(
            FunctionName=name, MaxItems=10000, **({"Marker": marker} if marker else {}))
        versions += page["Versions"]
        marker = page.get("NextMarker")
        if not marker:
            break
    state["Newest"] = versions[-1]["Version"]
    return state


def written(state, wanted):
    """What of `state` was asked for, to be compared with `wanted` member by member."""
    return {key: state.get(key) for key in wanted}


@pytest.fixture
def role(iam):
    """aws_iam_role as the provider makes, reads and destroys it."""
    name = unique("terraform")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    assert iam.get_role(RoleName=name)["Role"]["Arn"] == made["Arn"]
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    yield made["Arn"]
    iam.delete_role(RoleName=name)


def test_function_alias_layer_and_permission(awslambda, role):
    layer_name, name = unique("tf-layer"), unique("tf-function")

    # aws_lambda_layer_version
    layer = awslambda.publish_layer_version(
        LayerName=layer_name, Content={"ZipFile": make_zip({"python/x.py": "X = 1\n"})}, Description="shared",
        CompatibleRuntimes=[PYTHON], LicenseInfo="MIT")
    got = awslambda.get_layer_version(LayerName=layer_name, VersionNumber=layer["Version"])
    for member in ("LayerArn", "LayerVersionArn", "Description", "CreatedDate", "CompatibleRuntimes", "LicenseInfo"):
        assert got[member] == layer[member]
    assert got["Content"]["CodeSha256"] == layer["Content"]["CodeSha256"]

    # aws_lambda_function with publish = true: create, wait, read
    wanted = {
        "Role": role, "Handler": ENTRY[PYTHON][1], "Runtime": PYTHON, "Description": "made by code", "Timeout": 10,
        "MemorySize": 256, "Environment": {"Variables": {"STAGE": "test"}}, "Tags": {"team": "blue"},
        "Architectures": ["x86_64"], "EphemeralStorage": {"Size": 600}, "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip", "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/custom/{name}"}}
    awslambda.create_function(
        FunctionName=name, Code={"ZipFile": source_zip(PYTHON, SOURCE.format(value=1))}, Publish=True,
        Layers=[layer["LayerVersionArn"]], **wanted)
    awslambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    state = read_function(awslambda, name)
    assert written(state, wanted) == wanted
    assert [each["Arn"] for each in state["Layers"]] == [layer["LayerVersionArn"]]
    assert (state["Version"], state["Newest"]) == ("$LATEST", "1")
    assert read_function(awslambda, name) == state, "a plan has no difference"

    # aws_lambda_alias
    alias = awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="users")
    got = awslambda.get_alias(FunctionName=name, Name="live")
    assert {key: got[key] for key in alias if key != "ResponseMetadata"} == {
        key: alias[key] for key in alias if key != "ResponseMetadata"}
    assert got["AliasArn"] == f"{arn(name)}:live"

    # aws_lambda_permission: the provider finds its statement in the policy by its Sid
    awslambda.add_permission(
        FunctionName=name, Qualifier="live", StatementId="AllowS3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::bucket", SourceAccount=ACCOUNT)
    policy = json.loads(awslambda.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    statement = next(each for each in policy["Statement"] if each["Sid"] == "AllowS3")
    assert statement["Principal"]["Service"] == "s3.amazonaws.com"
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == f"{arn(name)}:live"
    assert statement["Condition"]["ArnLike"] == {"AWS:SourceArn": "arn:aws:s3:::bucket"}
    assert statement["Condition"]["StringEquals"] == {"AWS:SourceAccount": ACCOUNT}

    # an update of the configuration, then of the code, each waited for; tags; a new version published last
    changed = {"Description": "changed", "Timeout": 20, "MemorySize": 512, "Environment": {"Variables": {"STAGE": "live"}}}
    awslambda.update_function_configuration(FunctionName=name, Layers=[], **changed)
    awslambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    awslambda.update_function_code(FunctionName=name, ZipFile=source_zip(PYTHON, SOURCE.format(value=2)))
    awslambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    awslambda.untag_resource(Resource=arn(name), TagKeys=["team"])
    awslambda.tag_resource(Resource=arn(name), Tags={"stage": "live"})
    assert awslambda.publish_version(FunctionName=name)["Version"] == "2"
    state = read_function(awslambda, name)
    assert written(state, changed) == changed
    assert (state["Tags"], state["Newest"]) == ({"stage": "live"}, "2")
    assert "Layers" not in state
    awslambda.update_alias(FunctionName=name, Name="live", FunctionVersion="2", Description="users",
                           RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
    got = awslambda.get_alias(FunctionName=name, Name="live")
    assert (got["FunctionVersion"], got["RoutingConfig"]) == ("2", {"AdditionalVersionWeights": {"1": 0.1}})

    # destroy, in the reverse order; each deletion is followed by a read that finds nothing
    awslambda.remove_permission(FunctionName=name, Qualifier="live", StatementId="AllowS3")
    assert refusal(awslambda.get_policy, FunctionName=name, Qualifier="live")[0] == "ResourceNotFoundException"
    awslambda.delete_alias(FunctionName=name, Name="live")
    assert refusal(awslambda.get_alias, FunctionName=name, Name="live")[0] == "ResourceNotFoundException"
    awslambda.delete_function(FunctionName=name)
    assert refusal(awslambda.get_function, FunctionName=name)[0] == "ResourceNotFoundException"
    awslambda.delete_layer_version(LayerName=layer_name, VersionNumber=layer["Version"])
    assert refusal(awslambda.get_layer_version, LayerName=layer_name,
                   VersionNumber=layer["Version"])[0] == "ResourceNotFoundException"


def test_function_url(functions, awslambda):
    """aws_lambda_function_url: create, read, update, destroy; without an alias and with one."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-url")
    awslambda.publish_version(FunctionName=name)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ({}, {"Qualifier": "live"}):
        cors = {"AllowCredentials": True, "AllowOrigins": ["https://example.com"], "AllowMethods": ["GET", "POST"],
                "AllowHeaders": ["date"], "ExposeHeaders": ["date"], "MaxAge": 60}
        made = awslambda.create_function_url_config(
            FunctionName=name, AuthType="AWS_IAM", Cors=cors, InvokeMode="BUFFERED", **qualifier)
        got = awslambda.get_function_url_config(FunctionName=name, **qualifier)
        assert (got["AuthType"], got["Cors"], got["InvokeMode"]) == ("AWS_IAM", cors, "BUFFERED")
        assert (got["FunctionUrl"], got["FunctionArn"]) == (made["FunctionUrl"], made["FunctionArn"])
        assert got["FunctionArn"] == arn(name) + (":live" if qualifier else "")
        assert f".lambda-url.{REGION}." in got["FunctionUrl"] and got["FunctionUrl"].endswith("/")
        awslambda.update_function_url_config(FunctionName=name, AuthType="NONE", Cors={"MaxAge": 0}, **qualifier)
        got = awslambda.get_function_url_config(FunctionName=name, **qualifier)
        assert (got["AuthType"], got["Cors"]) == ("NONE", {"MaxAge": 0})
        assert got["FunctionUrl"] == made["FunctionUrl"]
        awslambda.delete_function_url_config(FunctionName=name, **qualifier)
        assert refusal(awslambda.get_function_url_config, FunctionName=name, **qualifier) == (
            "ResourceNotFoundException", 404, "The resource you requested does not exist.")


def test_function_url_that_streams(functions, awslambda):
    """aws_lambda_function_url with invoke_mode, which an update changes in place."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-url")
    for call, change in ((awslambda.create_function_url_config, "RESPONSE_STREAM"),
                         (awslambda.update_function_url_config, "BUFFERED")):
        call(FunctionName=name, AuthType="NONE", InvokeMode=change)
        assert awslambda.get_function_url_config(FunctionName=name)["InvokeMode"] == change
    awslambda.delete_function_url_config(FunctionName=name)


def test_event_invoke_config(functions, awslambda):
    """aws_lambda_function_event_invoke_config: a put, a read, another put with all of it, a delete; bare and of an alias."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-async")
    awslambda.publish_version(FunctionName=name)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ({}, {"Qualifier": "live"}):
        full_arn = arn(name) + (":live" if qualifier else ":$LATEST")
        for wanted in ({"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
                       {"MaximumEventAgeInSeconds": 21600, "MaximumRetryAttempts": 2}):
            awslambda.put_function_event_invoke_config(FunctionName=name, **qualifier, **wanted)
            got = awslambda.get_function_event_invoke_config(FunctionName=name, **qualifier)
            assert written(got, wanted) == wanted and got["FunctionArn"] == full_arn
            assert got["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
            assert awslambda.get_function_event_invoke_config(FunctionName=name, **qualifier)["LastModified"] == got["LastModified"]
        awslambda.delete_function_event_invoke_config(FunctionName=name, **qualifier)
        assert refusal(awslambda.get_function_event_invoke_config, FunctionName=name, **qualifier)[0] == "ResourceNotFoundException"


def read_mapping(awslambda, uuid):
    """resourceEventSourceMappingRead: the mapping, then its tags."""
    got = awslambda.get_event_source_mapping(UUID=uuid)
    got.pop("ResponseMetadata")
    return got | {"Tags": awslambda.list_tags(Resource=got["EventSourceMappingArn"])["Tags"]}


def settled_mapping(awslambda, uuid):
    """waitEventSourceMappingUpdated."""
    return until(lambda: awslambda.get_event_source_mapping(UUID=uuid)["State"] == "Disabled", 20, "the mapping is settled")


@pytest.mark.parametrize("source, wanted, changed", [
    (f"arn:aws:sqs:{REGION}:{ACCOUNT}:tf-queue",
     {"BatchSize": 5, "FunctionResponseTypes": ["ReportBatchItemFailures"], "ScalingConfig": {"MaximumConcurrency": 10},
      "FilterCriteria": {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}},
     {"BatchSize": 20, "MaximumBatchingWindowInSeconds": 3, "FunctionResponseTypes": [],
      "ScalingConfig": {"MaximumConcurrency": 20}}),
    (f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/tf-stream",
     {"BatchSize": 50, "StartingPosition": "LATEST", "ParallelizationFactor": 2, "MaximumRetryAttempts": 3,
      "BisectBatchOnFunctionError": True, "TumblingWindowInSeconds": 30, "MaximumRecordAgeInSeconds": 3600},
     {"BatchSize": 60, "ParallelizationFactor": 4, "MaximumRetryAttempts": -1, "BisectBatchOnFunctionError": False})],
    ids=["sqs", "kinesis"])
def test_event_source_mapping(functions, awslambda, source, wanted, changed):
    """aws_lambda_event_source_mapping with enabled = false."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-mapping")
    made = awslambda.create_event_source_mapping(FunctionName=name, EventSourceArn=source, Enabled=False, Tags={"team": "blue"},
                                                 **wanted)
    settled_mapping(awslambda, made["UUID"])
    state = read_mapping(awslambda, made["UUID"])
    assert written(state, wanted) == wanted
    assert (state["EventSourceArn"], state["FunctionArn"], state["Tags"]) == (source, arn(name), {"team": "blue"})
    assert read_mapping(awslambda, made["UUID"]) == state, "a plan has no difference"
    awslambda.update_event_source_mapping(UUID=made["UUID"], **changed)
    awslambda.untag_resource(Resource=state["EventSourceMappingArn"], TagKeys=["team"])
    awslambda.tag_resource(Resource=state["EventSourceMappingArn"], Tags={"stage": "live"})
    settled_mapping(awslambda, made["UUID"])
    state = read_mapping(awslambda, made["UUID"])
    assert written(state, changed) == changed and state["Tags"] == {"stage": "live"}
    # FilterCriteria and ScalingConfig are taken away by sending them empty.
    if "FilterCriteria" in wanted:
        awslambda.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={}, ScalingConfig={})
        settled_mapping(awslambda, made["UUID"])
        assert not {"FilterCriteria", "ScalingConfig"} & read_mapping(awslambda, made["UUID"]).keys()
    awslambda.delete_event_source_mapping(UUID=made["UUID"])
    until(lambda: refusal(awslambda.get_event_source_mapping, UUID=made["UUID"])[0] == "ResourceNotFoundException", 20, "it is gone")
