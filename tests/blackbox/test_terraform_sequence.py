"""The calls that Terraform's AWS provider makes for Lambda resources, in its order: create, read back, plan without a
difference, update, destroy. The provider itself is not needed: the calls are those of its resource functions
(internal/service/lambda of terraform-provider-aws), and a plan is clean when everything read equals what was written."""

import base64
import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

from support.functions import ENTRY, NODEJS, PYTHON, TRUST_LAMBDA, ensure_role, make_zip, source_zip, unique
from support.internet import PRIVATE, World
from support.polling import until
from support.refusal import arn, refusal
from support.server import ACCOUNT, REGION, Server
from support.signers import Signer

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
    state["CodeSigningConfigArn"] = awslambda.get_function_code_signing_config(FunctionName=name).get("CodeSigningConfigArn", "")
    return state


def written(state, wanted):
    """What of `state` was asked for, to be compared with `wanted` member by member."""
    return {key: state.get(key) for key in wanted}


def plain(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def gone(call, **arguments):
    """The read after a destroy: the error that the provider takes for "is not there"."""
    assert refusal(call, **arguments)[:2] == ("ResourceNotFoundException", 404)


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
    assert (state["Version"], state["Newest"], state["CodeSigningConfigArn"]) == ("$LATEST", "1", "")
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


def test_reserved_concurrent_executions_of_a_function(functions, awslambda):
    """Put after the creation, read with the function; 0 is a value, and -1 takes the setting away."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-reserved", Publish=True)
    assert read_function(awslambda, name)["Concurrency"] is None
    for count in (5, 0, 10):
        awslambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)
        state = read_function(awslambda, name)
        assert state["Concurrency"] == {"ReservedConcurrentExecutions": count}
        assert read_function(awslambda, name) == state, "a plan has no difference"
    # Of a version GetFunction shows none (terraform-provider-aws 43711): its data source asks for the function's own.
    assert "Concurrency" not in awslambda.get_function(FunctionName=name, Qualifier="1")
    assert plain(awslambda.get_function_concurrency(FunctionName=name)) == {"ReservedConcurrentExecutions": 10}
    awslambda.delete_function_concurrency(FunctionName=name)
    assert read_function(awslambda, name)["Concurrency"] is None
    awslambda.delete_function(FunctionName=name)
    gone(awslambda.get_function_concurrency, FunctionName=name)


def read_layer(awslambda, layer_name, version):
    """resourceLayerVersionRead; the address of the archive is another in every answer."""
    got = plain(awslambda.get_layer_version(LayerName=layer_name, VersionNumber=version))
    assert got["Content"].pop("Location")
    return got


@pytest.mark.parametrize("wanted", [
    {"Description": "shared", "LicenseInfo": "MIT", "CompatibleRuntimes": [PYTHON, NODEJS],
     "CompatibleArchitectures": ["x86_64", "arm64"]},
    # The provider sends these two empty when the resource has none.
    {"Description": "", "LicenseInfo": ""}], ids=["full", "bare"])
def test_layer_version(awslambda, wanted):
    """aws_lambda_layer_version: nothing of it can be changed, so an update destroys it and makes the next."""
    name = unique("tf-layer")
    for version in (1, 2):
        archive = make_zip({"python/x.py": f"X = {version}\n"})
        made = awslambda.publish_layer_version(LayerName=name, Content={"ZipFile": archive}, **wanted)
        state = read_layer(awslambda, name, version)
        layer = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}"
        assert {"LicenseInfo": "", **state} == {
            **wanted, "LayerArn": layer, "LayerVersionArn": f"{layer}:{version}", "Version": version,
            "CreatedDate": made["CreatedDate"],
            "Content": {"CodeSha256": base64.b64encode(hashlib.sha256(archive).digest()).decode(), "CodeSize": len(archive)}}
        assert read_layer(awslambda, name, version) == state, "a plan has no difference"
        awslambda.delete_layer_version(LayerName=name, VersionNumber=version)
        gone(awslambda.get_layer_version, LayerName=name, VersionNumber=version)


@pytest.mark.parametrize("wanted, read", [
    ({"Principal": "210987654321"}, {"Principal": {"AWS": "arn:aws:iam::210987654321:root"}}),
    ({"Principal": "*"}, {"Principal": "*"}),
    ({"Principal": "*", "OrganizationId": "o-0123456789"},
     {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}}})],
    ids=["account", "everybody", "organization"])
def test_layer_version_permission(awslambda, wanted, read):
    """aws_lambda_layer_version_permission, which names its layer by ARN or name and reads the policy's first statement."""
    name = unique("tf-layer")
    layer = awslambda.publish_layer_version(LayerName=name, Content={"ZipFile": make_zip({"python/x.py": "X = 1\n"})})
    for named in (name, layer["LayerArn"]):
        ours = {"LayerName": named, "VersionNumber": layer["Version"]}
        added = awslambda.add_layer_version_permission(StatementId="xaccount", Action="lambda:GetLayerVersion", **ours, **wanted)
        got = plain(awslambda.get_layer_version_policy(**ours))
        assert json.loads(got["Policy"])["Statement"] == [
            {"Sid": "xaccount", "Effect": "Allow", "Action": "lambda:GetLayerVersion", "Resource": layer["LayerVersionArn"],
             **read}]
        assert got["RevisionId"] == added["RevisionId"]
        assert plain(awslambda.get_layer_version_policy(**ours)) == got, "a plan has no difference"
        awslambda.remove_layer_version_permission(StatementId="xaccount", **ours)
        gone(awslambda.get_layer_version_policy, **ours)
        gone(awslambda.remove_layer_version_permission, StatementId="xaccount", **ours)
    awslambda.delete_layer_version(LayerName=name, VersionNumber=layer["Version"])
    gone(awslambda.get_layer_version_policy, LayerName=name, VersionNumber=layer["Version"])


def test_provisioned_concurrency_config(functions, awslambda):
    """aws_lambda_provisioned_concurrency_config: put, wait for READY, read what is allocated; of a version and of an alias."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-provisioned", Publish=True)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    for qualifier in ("1", "live"):
        ours = {"FunctionName": name, "Qualifier": qualifier}
        for count in (1, 2):
            put = plain(awslambda.put_provisioned_concurrency_config(ProvisionedConcurrentExecutions=count, **ours))
            assert (put["Status"], put["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", count)
            until(lambda: awslambda.get_provisioned_concurrency_config(**ours)["Status"] == "READY", 60, "it is ready")
            state = plain(awslambda.get_provisioned_concurrency_config(**ours))
            assert state == {
                "RequestedProvisionedConcurrentExecutions": count, "AvailableProvisionedConcurrentExecutions": count,
                "AllocatedProvisionedConcurrentExecutions": count, "Status": "READY", "LastModified": put["LastModified"]}
            assert plain(awslambda.get_provisioned_concurrency_config(**ours)) == state, "a plan has no difference"
        awslambda.delete_provisioned_concurrency_config(**ours)
        assert refusal(awslambda.get_provisioned_concurrency_config, **ours) == (
            "ProvisionedConcurrencyConfigNotFoundException", 404,
            "No Provisioned Concurrency Config found for this function")
    awslambda.delete_function(FunctionName=name)
    gone(awslambda.get_provisioned_concurrency_config, FunctionName=name, Qualifier="live")


def test_function_recursion_config(functions, awslambda):
    """aws_lambda_function_recursion_config: its destruction puts the default back."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-recursion")
    for wanted in ("Allow", "Terminate", "Allow", "Terminate"):
        assert plain(awslambda.put_function_recursion_config(FunctionName=name, RecursiveLoop=wanted)) == {"RecursiveLoop": wanted}
        for _ in range(2):
            assert plain(awslambda.get_function_recursion_config(FunctionName=name)) == {"RecursiveLoop": wanted}
    awslambda.delete_function(FunctionName=name)
    gone(awslambda.get_function_recursion_config, FunctionName=name)
    gone(awslambda.put_function_recursion_config, FunctionName=name, RecursiveLoop="Terminate")


def test_runtime_management_config(functions, awslambda):
    """aws_lambda_runtime_management_config with the one mode that is taken; its destruction puts Auto, too."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-runtime", Publish=True)
    for qualifier in ({}, {"Qualifier": "1"}):
        wanted = {"UpdateRuntimeOn": "Auto"}
        for _ in ("create", "destroy"):
            put = plain(awslambda.put_runtime_management_config(FunctionName=name, **qualifier, **wanted))
            assert put == {**wanted, "FunctionArn": arn(name) + (":1" if qualifier else "")}
            for _ in range(2):
                assert plain(awslambda.get_runtime_management_config(FunctionName=name, **qualifier)) == put
    awslambda.delete_function(FunctionName=name)
    gone(awslambda.get_runtime_management_config, FunctionName=name)
    gone(awslambda.put_runtime_management_config, FunctionName=name, UpdateRuntimeOn="Auto")


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
        # The provider says AllowCredentials always, and of the rest what the block has (expandFunctionUrlCorsConfigs).
        cors = {"AllowCredentials": False, "AllowOrigins": ["*"]}
        awslambda.update_function_url_config(FunctionName=name, AuthType="NONE", Cors=cors, **qualifier)
        got = awslambda.get_function_url_config(FunctionName=name, **qualifier)
        assert (got["AuthType"], got["Cors"]) == ("NONE", cors)
        assert got["FunctionUrl"] == made["FunctionUrl"]
        # A block that says nothing is not applied, and no block takes CORS away.
        assert refusal(awslambda.update_function_url_config, FunctionName=name, Cors={"AllowCredentials": False}, **qualifier) == (
            "InvalidParameterValueException", 400, "You can't leave AllowOrigins as empty when Cors is enabled.")
        assert awslambda.get_function_url_config(FunctionName=name, **qualifier)["Cors"] == cors
        awslambda.update_function_url_config(FunctionName=name, Cors={}, **qualifier)
        assert "Cors" not in awslambda.get_function_url_config(FunctionName=name, **qualifier)
        awslambda.delete_function_url_config(FunctionName=name, **qualifier)
        assert refusal(awslambda.get_function_url_config, FunctionName=name, **qualifier) == (
            "ResourceNotFoundException", 404, "The resource you requested does not exist.")


def test_function_url_that_everybody_may_call(functions, awslambda):
    """With authorization_type NONE the provider adds a permission of its own, which may be there; it stays when the URL goes."""
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-url")

    public = {"Sid": "FunctionURLAllowPublicAccess", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl",
              "Resource": arn(name), "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}
    ours = {"FunctionName": name, "StatementId": public["Sid"], "Action": public["Action"], "Principal": "*",
            "FunctionUrlAuthType": "NONE"}
    awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")
    awslambda.add_permission(**ours)
    assert json.loads(awslambda.get_policy(FunctionName=name)["Policy"])["Statement"] == [public]
    awslambda.delete_function_url_config(FunctionName=name)
    awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")
    code, _, message = refusal(awslambda.add_permission, **ours)
    # The words that the provider looks for.
    assert code == "ResourceConflictException"
    assert "The statement id (FunctionURLAllowPublicAccess) provided already exists" in message
    # aws_lambda_permission with invoked_via_function_url, which such a URL needs besides.
    awslambda.add_permission(FunctionName=name, StatementId="FunctionURLAllowInvokeAction", Action="lambda:InvokeFunction",
                             Principal="*", InvokedViaFunctionUrl=True)
    assert json.loads(awslambda.get_policy(FunctionName=name)["Policy"])["Statement"] == [public, {
        "Sid": "FunctionURLAllowInvokeAction", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
        "Resource": arn(name), "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}]
    awslambda.delete_function_url_config(FunctionName=name)
    for sid in ("FunctionURLAllowInvokeAction", "FunctionURLAllowPublicAccess"):
        awslambda.remove_permission(FunctionName=name, StatementId=sid)
    gone(awslambda.get_policy, FunctionName=name)


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


def test_event_invoke_config_with_destinations(functions, awslambda, role, iam):
    """aws_lambda_function_event_invoke_config with destination_config: both, one of them, none."""
    success, failure = (functions.create(PYTHON, SOURCE.format(value=1), stem="tf-target") for _ in range(2))
    role_name = role.rsplit("/", 1)[1]
    iam.put_role_policy(RoleName=role_name, PolicyName="send", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": [arn(success), arn(failure)]}]}))
    name = functions.create(PYTHON, SOURCE.format(value=1), stem="tf-async", Role=role)

    def read():
        return plain(awslambda.get_function_event_invoke_config(FunctionName=name))

    on_success, on_failure = {"OnSuccess": {"Destination": arn(success)}}, {"OnFailure": {"Destination": arn(failure)}}
    nothing = {"OnSuccess": {}, "OnFailure": {}}
    for destinations in ({**on_success, **on_failure}, on_failure, on_success, None):
        wanted = {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 100}
        put = plain(awslambda.put_function_event_invoke_config(
            FunctionName=name, **wanted, **({"DestinationConfig": destinations} if destinations else {})))
        assert read() == put == {**wanted, "DestinationConfig": {**nothing, **(destinations or {})},
                                 "FunctionArn": arn(name) + ":$LATEST", "LastModified": put["LastModified"]}
    awslambda.delete_function_event_invoke_config(FunctionName=name)
    gone(awslambda.get_function_event_invoke_config, FunctionName=name)
    gone(awslambda.delete_function_event_invoke_config, FunctionName=name)
    iam.delete_role_policy(RoleName=role_name, PolicyName="send")


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


@pytest.fixture
def readable_directory():
    """Beneath /tmp itself: the server reads it as a user of its own."""
    made = Path(tempfile.mkdtemp(prefix="lambent-terraform-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def read_code_signing(awslambda, config_arn):
    """resourceCodeSigningConfigRead: the configuration, in which no description is an empty one, then its tags."""
    got = awslambda.get_code_signing_config(CodeSigningConfigArn=config_arn)["CodeSigningConfig"]
    return {"Description": ""} | got | {"Tags": awslambda.list_tags(Resource=config_arn)["Tags"]}


def test_code_signing_config(new_server, readable_directory):
    """aws_lambda_code_signing_config, and a function that is created with one, given another and freed of it."""
    team, others = (Signer(readable_directory, name) for name in ("team", "others"))
    server = new_server(team.argument, others.argument)
    awslambda, name = server.client("lambda"), unique("tf-signed")
    wanted = {"Description": "ours", "AllowedPublishers": {"SigningProfileVersionArns": [team.arn]},
              "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"}, "Tags": {"team": "blue"}}
    made = awslambda.create_code_signing_config(**wanted)["CodeSigningConfig"]
    config = made["CodeSigningConfigArn"]
    state = read_code_signing(awslambda, config)
    assert state == {**wanted, "CodeSigningConfigArn": config, "CodeSigningConfigId": config.rsplit(":", 1)[1],
                     "LastModified": made["LastModified"]}
    assert re.fullmatch(rf"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-[a-z0-9]{{17}}", config)
    assert read_code_signing(awslambda, config) == state, "a plan has no difference"

    # Each update sends what has changed and nothing else.
    for change in ({"AllowedPublishers": {"SigningProfileVersionArns": [team.arn, others.arn]}}, {"Description": ""},
                   {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Warn"}}, {"Description": "ours again"}):
        awslambda.update_code_signing_config(CodeSigningConfigArn=config, **change)
        wanted |= change
        state = read_code_signing(awslambda, config)
        assert written(state, wanted) == wanted
        assert read_code_signing(awslambda, config) == state, "a plan has no difference"
    awslambda.untag_resource(Resource=config, TagKeys=["team"])
    awslambda.tag_resource(Resource=config, Tags={"stage": "live"})
    assert read_code_signing(awslambda, config)["Tags"] == {"stage": "live"}

    # code_signing_config_arn of aws_lambda_function
    other = awslambda.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [team.arn]})["CodeSigningConfig"]["CodeSigningConfigArn"]
    awslambda.create_function(
        FunctionName=name, Runtime=PYTHON, Handler=ENTRY[PYTHON][1], Role=ensure_role(server), CodeSigningConfigArn=config,
        Code={"ZipFile": team.sign(source_zip(PYTHON, SOURCE.format(value=1)))})
    awslambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    state = read_function(awslambda, name)
    assert (state["CodeSigningConfigArn"], state["SigningProfileVersionArn"]) == (config, team.arn)
    assert state["SigningJobArn"].startswith(f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/")
    assert read_function(awslambda, name) == state, "a plan has no difference"
    awslambda.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=other)
    assert read_function(awslambda, name)["CodeSigningConfigArn"] == other
    awslambda.delete_function_code_signing_config(FunctionName=name)
    assert read_function(awslambda, name)["CodeSigningConfigArn"] == ""

    awslambda.delete_function(FunctionName=name)
    gone(awslambda.get_function_code_signing_config, FunctionName=name)
    for each in (config, other):
        awslambda.delete_code_signing_config(CodeSigningConfigArn=each)
        gone(awslambda.get_code_signing_config, CodeSigningConfigArn=each)
        gone(awslambda.delete_code_signing_config, CodeSigningConfigArn=each)


KMS_KEYS = [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-{number:012}" for number in (1, 2)]
ACCESS_POINT = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-0123456789abcdef0"
QUEUE, TOPIC = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead", f"arn:aws:sns:{REGION}:{ACCOUNT}:dead"


@pytest.fixture
def surroundings(readable_directory, tmp_path):
    """A server with all that a function's settings may name: subnets, keys, a file system, a queue and a topic."""
    keys = tmp_path / "master.key"
    keys.write_text("".join(f"{key} {base64.b64encode(os.urandom(32)).decode()}\n".lstrip() for key in ("", *KMS_KEYS)))
    keys.chmod(0o600)
    shared = readable_directory / "shared"
    shared.mkdir(mode=0o750)
    os.chown(shared, 12345, 12345)
    running = Server(
        "--function-network", "egress", "--subnet", f"subnet-a=vpc-1:{PRIVATE}/32", "--subnet", "subnet-b=vpc-1",
        "--security-group", "sg-a=vpc-1", "--security-group", "sg-b=vpc-1", "--master-key-file", str(keys),
        "--file-system", f"{ACCESS_POINT}={shared}",
        # Nothing is sent there: who sets a dead-letter target needs to have said where its service is.
        "--target-endpoint", "sqs=http://127.0.0.1:1", "--target-endpoint", "sns=http://127.0.0.1:1")
    world = World().start()
    try:
        yield running.start()
    finally:
        running.discard()
        world.leave()


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_function_with_its_surroundings(surroundings):
    """aws_lambda_function with vpc_config, dead_letter_config, file_system_config, tracing_config, logging_config, kms_key_arn
    and tenancy_config: created with all, all changed, all but the last (which no update changes) taken away."""
    awslambda, iam, name = surroundings.client("lambda"), surroundings.client("iam"), unique("tf-function")
    role = ensure_role(surroundings)
    iam.put_role_policy(RoleName=role.rsplit("/", 1)[1], PolicyName="send", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["sqs:SendMessage", "sns:Publish"], "Resource": [QUEUE, TOPIC]}]}))

    def vpc(*subnets, groups):
        return {"SubnetIds": list(subnets), "SecurityGroupIds": groups, "Ipv6AllowedForDualStack": False}

    def read_back(wanted):
        """The state, which must be what was written and where that VPC is; and a plan without a difference."""
        state = read_function(awslambda, name)
        expected = {**wanted, "VpcConfig": {**wanted["VpcConfig"], "VpcId": "vpc-1"}} if "VpcConfig" in wanted else wanted
        assert written(state, expected) == expected
        assert read_function(awslambda, name) == state, "a plan has no difference"
        return state

    def update(**changed):
        awslambda.update_function_configuration(FunctionName=name, **changed)
        awslambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    tenancy = {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}
    wanted = {
        "Role": role, "Handler": ENTRY[PYTHON][1], "Runtime": PYTHON, "Description": "", "Timeout": 3, "MemorySize": 128,
        "VpcConfig": vpc("subnet-a", groups=["sg-a"]), "DeadLetterConfig": {"TargetArn": QUEUE},
        "FileSystemConfigs": [{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/data"}], "TracingConfig": {"Mode": "Active"},
        "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "WARN", "LogGroup": f"/tf/{name}"},
        "KMSKeyArn": KMS_KEYS[0], "Environment": {"Variables": {"STAGE": "test"}}, **tenancy}
    code = source_zip(PYTHON, SOURCE.format(value=1))
    awslambda.create_function(FunctionName=name, Code={"ZipFile": code}, Publish=True, **wanted)
    awslambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    read_back(wanted)
    version = awslambda.get_function(FunctionName=name, Qualifier="1")["Configuration"]
    settings = wanted.keys() - {"VpcConfig", "Role"}
    assert written(version, settings) == {key: wanted[key] for key in settings}, "a version has them, too"

    changed = {
        "VpcConfig": vpc("subnet-a", "subnet-b", groups=["sg-b"]), "DeadLetterConfig": {"TargetArn": TOPIC},
        "FileSystemConfigs": [{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/other"}], "TracingConfig": {"Mode": "PassThrough"},
        "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "INFO",
                          "LogGroup": f"/tf/{name}-changed"},
        "KMSKeyArn": KMS_KEYS[1], "Environment": {"Variables": {"STAGE": "live"}}}
    update(**changed)
    read_back({**wanted, **changed})

    # Taken away as the provider does: with what is empty, and the variables once more when their key changes.
    kept = {"LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}, "Environment": changed["Environment"]}
    update(VpcConfig=vpc(groups=[]), DeadLetterConfig={"TargetArn": ""}, FileSystemConfigs=[], KMSKeyArn="", **kept)
    state = read_back({**kept, **tenancy})
    assert not {"VpcConfig", "DeadLetterConfig", "FileSystemConfigs", "KMSKeyArn"} & state.keys()

    # An Environment without Variables changes none, one with no variable takes all away and is not shown; a LoggingConfig
    # replaces the whole (go-to-k/cdkd 1161, floci-io/floci 2834 and terraform-provider-aws 29255 saw AWS do so).
    update(Environment={}, LoggingConfig={"LogFormat": "Text", "LogGroup": f"/tf/{name}"})
    read_back({"Environment": changed["Environment"], "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/tf/{name}"}})
    update(Environment={"Variables": {}}, LoggingConfig={"LogFormat": "Text"})
    assert "Environment" not in read_back({"LoggingConfig": kept["LoggingConfig"]})

    awslambda.delete_function(FunctionName=name)
    gone(awslambda.get_function, FunctionName=name)
