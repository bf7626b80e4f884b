"""Quotas, exceeded: what a wrong argument alone cannot show. The others are in the tables of tests/support/refusals/."""

import io
import json
import re
import threading
import time
import zipfile

import pytest

from support.functions import ENTRY, PYTHON, TRUST_LAMBDA, Deployer, ensure_role, make_zip, source_zip, unique
from support.polling import until
from support.raw import exchange, head_bytes, status_of
from support.refusal import arn, refusal
from support.server import Server
from support.signing import Signed

SOURCE = "def handler(event, context):\n    return None\n"
FULL = ("CodeStorageExceededException", 400, "Code storage limit exceeded.")
MIB = 1 << 20
UNZIPPED = 262_144_000


@pytest.fixture(scope="module")
def made(module_functions):
    return module_functions.create(PYTHON, SOURCE, stem="quotas")


def create(awslambda, role_arn, code, **settings):
    return awslambda.create_function(FunctionName=settings.pop("FunctionName", None) or unique("quotas"), Runtime=PYTHON, Role=role_arn,
                                     Handler=ENTRY[PYTHON][1], Code={"ZipFile": code}, **settings)


def test_the_environment_has_4_kilobytes(awslambda, functions, role_arn, made):
    def environment(size):
        text = json.dumps({"KEY": ""}, separators=(",", ":"))
        return {"Variables": {"KEY": "x" * (size - len(text))}}

    words = "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit."
    variables = environment(4097)["Variables"]
    too_much = ("InvalidParameterValueException", 400, f"{words} String measured: {json.dumps(variables, separators=(',', ':'))}")
    awslambda.update_function_configuration(FunctionName=made, Environment=environment(4096))
    functions.await_update(made)
    assert refusal(awslambda.update_function_configuration, FunctionName=made, Environment=environment(4097)) == too_much
    assert refusal(create, awslambda=awslambda, role_arn=role_arn, code=source_zip(PYTHON, SOURCE), Environment=environment(4097)) == too_much


def archive_of(size):
    """A zip of exactly `size` bytes that holds a handler."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(ENTRY[PYTHON][0], SOURCE)
        archive.writestr("padding", b"\0" * max(0, size - 1024))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.comment = b" " * (size - len(packed.getvalue()))
    return packed.getvalue()


def settled(client, name):
    until(lambda: client.get_function_configuration(FunctionName=name).get("LastUpdateStatus") == "Successful", 30, f"an update of {name}")


@pytest.fixture(scope="module")
def small_store():
    """A server whose account may store 1 GB of code."""
    running = Server("--code-storage", "1").start()
    yield running
    running.discard()


def test_code_storage(small_store):
    """Each version counts with its archive, also where it is the same one: 32 times 32 MiB are all there is."""
    client = small_store.client("lambda")
    deployer = Deployer(small_store, ensure_role(small_store))
    small, large = deployer.create(PYTHON, SOURCE, stem="small"), unique("large")
    create(client, deployer.role_arn, archive_of(32 * MIB - 64), FunctionName=large)
    for number in range(31):
        settled(client, large)
        client.publish_version(FunctionName=large)
        client.update_function_configuration(FunctionName=large, Description=str(number))
    settled(client, large)
    settings = client.get_account_settings()
    used = settings["AccountUsage"]["TotalCodeSize"]
    left = settings["AccountLimit"]["TotalCodeSize"] - used
    assert 0 < left < 4096
    assert refusal(client.publish_version, FunctionName=large) == FULL
    more = archive_of(left + 1)
    assert refusal(create, awslambda=client, role_arn=deployer.role_arn, code=more) == FULL
    assert refusal(client.publish_layer_version, LayerName="more", Content={"ZipFile": more}) == FULL
    code_size = client.get_function_configuration(FunctionName=small)["CodeSize"]
    assert refusal(client.update_function_code, FunctionName=small, ZipFile=archive_of(code_size + left + 1)) == FULL
    assert client.get_account_settings()["AccountUsage"]["TotalCodeSize"] == used
    client.delete_function(FunctionName=large, Qualifier="1")
    assert client.publish_layer_version(LayerName="more", Content={"ZipFile": more})["Version"] == 1


@pytest.fixture(scope="module")
def oversized():
    """A quarter of a megabyte that is one byte too much when it is unpacked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(ENTRY[PYTHON][0], SOURCE)
        with archive.open("zeros", "w", force_zip64=True) as zeros:
            block = b"\0" * MIB
            for _ in range(UNZIPPED // MIB):
                zeros.write(block)
            zeros.write(b"\0" * (UNZIPPED % MIB + 1 - len(SOURCE)))
    return packed.getvalue()


def test_code_has_250_megabytes_unzipped(awslambda, role_arn, made, oversized):
    too_large = ("InvalidParameterValueException", 400, f"Unzipped size must be smaller than {UNZIPPED} bytes")
    assert refusal(create, awslambda=awslambda, role_arn=role_arn, code=oversized) == too_large
    assert refusal(awslambda.update_function_code, FunctionName=made, ZipFile=oversized) == too_large
    assert refusal(awslambda.publish_layer_version, LayerName=unique("quotas"), Content={"ZipFile": oversized}) == too_large


def refused_by_its_length(server, target, length, method="POST"):
    """(status, body) of a request that announces so many bytes; nothing of them is read."""
    request = Signed(server, method, target, b"{}")
    received, closed = exchange(server, head_bytes(request, f"Content-Length: {length}", "Expect: 100-continue"))
    assert closed
    return status_of(received), received


def test_a_request_has_50_megabytes_of_code(server):
    """create_function, update_function_code, publish_layer_version: in base64 that is less than an archive of 50 MB."""
    for target, operation, method in (("/2015-03-31/functions", "CreateFunction", "POST"),
                                      ("/2015-03-31/functions/f/code", "UpdateFunctionCode", "PUT"),
                                      ("/2018-10-31/layers/l/versions", "PublishLayerVersion", "POST")):
        status, received = refused_by_its_length(server, target, 69_905_068, method)
        assert status == 413
        assert f"Request must be smaller than 69905067 bytes for the {operation} operation".encode() in received


def test_requests_are_bounded(server, awslambda, made):
    """invoke, invoke_with_response_stream and invoke_async, which has a limit of its own."""
    status, received = refused_by_its_length(server, f"/2014-11-13/functions/{made}/invoke-async", 262_145)
    assert status == 413 and b"Request must be smaller than 262144 bytes for the InvokeAsync operation" in received
    for target in (f"/2015-03-31/functions/{made}/invocations", f"/2021-11-15/functions/{made}/response-streaming-invocations"):
        status, received = refused_by_its_length(server, target, 6_291_457)
        assert status == 413 and b"x-amzn-ErrorType: RequestTooLargeException" in received
        assert b"Request must be smaller than 6291456 bytes for the InvokeFunction operation" in received
    assert awslambda.invoke_async(FunctionName=made, InvokeArgs=b" " * 262_142 + b"{}")["Status"] == 202


def test_a_policy_has_20_kilobytes(awslambda, functions):
    """add_permission and put_resource_policy of a function, add_layer_version_permission of a layer."""
    name = functions.create(PYTHON, SOURCE, stem="quotas")
    long = "arn:aws:s3:::" + "b" * 900

    def fill(add):
        for number in range(60):
            try:
                add(f"statement-{number}-" + "s" * 80)
            except awslambda.exceptions.PolicyLengthExceededException as full:
                return full.response["ResponseMetadata"]["HTTPStatusCode"], full.response["Error"]["Message"]
        raise AssertionError("there is room for everything")

    policy_is_full = re.compile(r"The final policy size \((\d+)\) is bigger than the limit \(20480\)\.")
    status, message = fill(lambda sid: awslambda.add_permission(
        FunctionName=name, StatementId=sid, Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn=long))
    assert status == 400 and int(policy_is_full.fullmatch(message)[1]) > 20480
    assert len(awslambda.get_policy(FunctionName=name)["Policy"]) <= 20480
    whole = {"Version": "2012-10-17", "Statement": [{
        "Sid": "x" * 21000, "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn(name)}]}
    code, status, message = refusal(awslambda.put_resource_policy, ResourceArn=arn(name), Policy=json.dumps(whole))
    assert (code, status) == ("ValidationException", 400) and message.endswith("Member must have length less than or equal to 20480")
    layer = unique("quotas")
    awslambda.publish_layer_version(LayerName=layer, Content={"ZipFile": make_zip({"a": "1"})})
    status, message = fill(lambda sid: [awslambda.add_layer_version_permission(
        LayerName=layer, VersionNumber=1, StatementId=f"{sid}-{part}", Action="lambda:GetLayerVersion", Principal="*",
        OrganizationId="o-" + "a" * 32) for part in range(3)])
    assert status == 400 and policy_is_full.fullmatch(message)
    awslambda.delete_layer_version(LayerName=layer, VersionNumber=1)


def test_one_update_at_a_time(server, functions, awslambda, made):
    """update_function_configuration, update_function_code and publish_version while the function is being updated."""
    busy = ("ResourceConflictException", 409,
            f"The operation cannot be performed at this time. An update is in progress for resource: {arn(made)}")
    calls = {
        "update_function_configuration": {"Description": "d"}, "update_function_code": {"ZipFile": source_zip(PYTHON, SOURCE)},
        "publish_version": {}}
    refused, failures, deadline = set(), [], time.monotonic() + 60

    def hammer(call):
        client = server.client("lambda")
        for number in range(100_000):
            if refused == set(calls) or failures or time.monotonic() > deadline:
                return
            changed = {"Description": str(number)} if call == "update_function_configuration" else calls[call]
            try:
                getattr(client, call)(FunctionName=made, **changed)
            except client.exceptions.ClientError as error:
                answer = error.response
                if (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]) == busy:
                    refused.add(call)
                else:
                    failures.append(answer)
                    return

    threads = [threading.Thread(target=hammer, args=(call,)) for call in calls for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert refused == set(calls)
    settled(awslambda, made)


def test_ten_policies_attach(iam):
    """attach_user_policy and attach_role_policy."""
    name = unique("quotas")
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)
    policies = [iam.create_policy(PolicyName=unique("quotas"), PolicyDocument=document())["Policy"]["Arn"] for _ in range(11)]
    for kind, attach, detach, remove in (("User", iam.attach_user_policy, iam.detach_user_policy, iam.delete_user),
                                         ("Role", iam.attach_role_policy, iam.detach_role_policy, iam.delete_role)):
        owner = {f"{kind}Name": name}
        for policy in policies[:10]:
            attach(PolicyArn=policy, **owner)
        assert refusal(attach, PolicyArn=policies[10], **owner) == (
            "LimitExceeded", 409, f"Cannot exceed quota for PoliciesPer{kind}: 10")
        for policy in policies[:10]:
            detach(PolicyArn=policy, **owner)
        remove(**owner)
    for policy in policies:
        iam.delete_policy(PolicyArn=policy)


def test_fifty_tags(server, iam, awslambda, functions):
    """Counted with those that are there already, whoever adds them: tag_resource, tag_role, tag_user, tag_policy, tag_log_group."""
    logs, name = server.client("logs"), unique("quotas")
    fifty = {f"key-{number}": "v" for number in range(50)}
    as_list = [{"Key": key, "Value": value} for key, value in fifty.items()]
    one_more = [{"Key": "one-more", "Value": "v"}]
    function = functions.create(PYTHON, SOURCE, stem="quotas", Tags=fifty)
    assert refusal(awslambda.tag_resource, Resource=arn(function), Tags={"one-more": "v"}) == (
        "InvalidParameterValueException", 400, "Number of tags exceeds resource tag limit.")
    awslambda.tag_resource(Resource=arn(function), Tags={"key-0": "another"})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA, Tags=as_list)
    iam.create_user(UserName=name, Tags=as_list)
    policy = iam.create_policy(PolicyName=name, PolicyDocument=document(), Tags=as_list)["Policy"]["Arn"]
    for kind, tag, named in (("Role", iam.tag_role, {"RoleName": name}), ("User", iam.tag_user, {"UserName": name}),
                             ("Policy", iam.tag_policy, {"PolicyArn": policy})):
        assert refusal(tag, Tags=one_more, **named) == ("LimitExceeded", 409, f"Cannot exceed quota for TagsPer{kind}: 50")
    iam.delete_role(RoleName=name)
    iam.delete_user(UserName=name)
    iam.delete_policy(PolicyArn=policy)
    logs.create_log_group(logGroupName=name, tags=fifty)
    assert refusal(logs.tag_log_group, logGroupName=name, tags={"one-more": "v"}) == (
        "TooManyTagsException", 400, "The maximum number of tags that a resource can have is 50.")
    logs.delete_log_group(logGroupName=name)


def document(size=0):
    """A policy of so many bytes that count."""
    text = json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "lambda:GetFunction", "Resource": "*", "Sid": "SIZE"}]}, separators=(",", ":"))
    return text.replace("SIZE", "s" * (size - len(text) + 4)) if size else text


def test_policies_of_iam_have_sizes(iam):
    """put_user_policy, put_role_policy, create_policy, create_policy_version, update_assume_role_policy."""
    name = unique("quotas")
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)
    for kind, limit, put, delete in (("user", 2048, iam.put_user_policy, iam.delete_user_policy),
                                     ("role", 10240, iam.put_role_policy, iam.delete_role_policy)):
        owner = {f"{kind.title()}Name": name}
        full = ("LimitExceeded", 409, f"Maximum policy size of {limit} bytes exceeded for {kind} {name}")
        assert refusal(put, PolicyName="p", PolicyDocument=document(limit + 1), **owner) == full
        put(PolicyName="p", PolicyDocument=document(limit), **owner)
        assert refusal(put, PolicyName="q", PolicyDocument=document(), **owner) == full
        delete(PolicyName="p", **owner)
    too_large = ("LimitExceeded", 409, "Cannot exceed quota for PolicySize: 6144")
    assert refusal(iam.create_policy, PolicyName=unique("quotas"), PolicyDocument=document(6145)) == too_large
    policy = iam.create_policy(PolicyName=unique("quotas"), PolicyDocument=document(6144))["Policy"]["Arn"]
    assert refusal(iam.create_policy_version, PolicyArn=policy, PolicyDocument=document(6145)) == too_large
    trust = json.loads(TRUST_LAMBDA)
    trust["Statement"][0]["Sid"] = "s" * 2048
    assert refusal(iam.update_assume_role_policy, RoleName=name, PolicyDocument=json.dumps(trust)) == (
        "LimitExceeded", 409, "Cannot exceed quota for ACLSizePerRole: 2048")
    iam.delete_policy(PolicyArn=policy)
    iam.delete_user(UserName=name)
    iam.delete_role(RoleName=name)


def test_a_batch_of_log_events(server):
    """put_log_events: 1 MiB with 26 bytes an event, 10,000 events, 24 hours."""
    logs = server.client("logs")
    group = unique("/quotas")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)

    def put(*messages, apart=0):
        events = [{"timestamp": now - apart * (len(messages) - 1 - number), "message": text} for number, text in enumerate(messages)]
        return refusal(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=events)

    assert put("x" * (MIB - 25)) == ("InvalidParameterException", 400, "Upload too large: 1048577 bytes exceeds limit of 1048576")
    assert put("x" * (MIB + 1)) == ("InvalidParameterException", 400, "Log event too large: 1048577 bytes exceeds limit of 1048576")
    code, status, message = put(*["x"] * 10_001)
    assert (code, status) == ("InvalidParameterException", 400) and "less than or equal to 10000" in message
    assert put("old", "new", apart=25 * 3_600_000) == (
        "InvalidParameterException", 400,
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    assert logs.get_log_events(logGroupName=group, logStreamName="s")["events"] == []
    logs.delete_log_group(logGroupName=group)
