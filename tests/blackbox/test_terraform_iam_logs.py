"""The calls that Terraform's AWS provider makes for IAM and CloudWatch Logs resources, in its order: create, read back, plan
without a difference, update, destroy (internal/service/iam and internal/service/logs of terraform-provider-aws)."""

import json

import pytest

from support.functions import TRUST_LAMBDA, unique
from support.refusal import refusal
from support.server import ACCOUNT, REGION


def document(*actions):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def plain(answer, *left_out):
    return {key: value for key, value in answer.items() if key not in ("ResponseMetadata", *left_out)}


def gone(call, **arguments):
    assert refusal(call, **arguments)[:2] == ("NoSuchEntity", 404)


def read_role(iam, name):
    """resourceRoleRead: the role, then its inline policies and the managed ones."""
    role = iam.get_role(RoleName=name)["Role"]
    inline = {each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
              for each in iam.list_role_policies(RoleName=name)["PolicyNames"]}
    managed = [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
    return plain(role, "RoleLastUsed") | {"Inline": inline, "Managed": managed}


def destroy_role(iam, name, force_detach=False):
    """resourceRoleDelete, after the role's own policies when force_detach_policies is set."""
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    if force_detach:
        for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=each["PolicyArn"])
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=each)
    iam.delete_role(RoleName=name)
    gone(iam.get_role, RoleName=name)


def test_role_with_inline_and_attached_policies(iam):
    """aws_iam_role, aws_iam_role_policy, aws_iam_role_policy_attachment."""
    name = unique("tf-role")
    made = iam.create_role(
        RoleName=name, Path="/service/", AssumeRolePolicyDocument=TRUST_LAMBDA, Description="made by code",
        MaxSessionDuration=7200, Tags=tags(team="blue"))["Role"]
    state = read_role(iam, name)
    assert plain(made, "RoleLastUsed") == {key: state[key] for key in plain(made, "RoleLastUsed")}
    assert state["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/service/{name}"
    assert (state["Path"], state["Description"], state["MaxSessionDuration"]) == ("/service/", "made by code", 7200)
    assert state["AssumeRolePolicyDocument"] == json.loads(TRUST_LAMBDA)
    assert state["Tags"] == tags(team="blue") and (state["Inline"], state["Managed"]) == ({}, [])
    assert read_role(iam, name) == state, "a plan has no difference"

    # aws_iam_role_policy: create, read, update (the same call), read
    for actions in (("logs:CreateLogGroup",), ("logs:CreateLogStream", "logs:PutLogEvents")):
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document(*actions)))
        got = iam.get_role_policy(RoleName=name, PolicyName="inline")
        assert plain(got) == {"RoleName": name, "PolicyName": "inline", "PolicyDocument": document(*actions)}

    # aws_iam_role_policy_attachment: create, read, once more (which changes nothing)
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    for _ in range(2):
        iam.attach_role_policy(RoleName=name, PolicyArn=basic)
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == [
            {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": basic}]

    # update of aws_iam_role, a call for each changed attribute
    trust = {**json.loads(TRUST_LAMBDA), "Id": "changed"}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    iam.update_role_description(RoleName=name, Description="changed")
    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    iam.untag_role(RoleName=name, TagKeys=["team"])
    iam.tag_role(RoleName=name, Tags=tags(stage="live"))
    changed = read_role(iam, name)
    assert changed == {**state, "AssumeRolePolicyDocument": trust, "Description": "changed", "MaxSessionDuration": 3600,
                       "Tags": tags(stage="live"), "Managed": [basic],
                       "Inline": {"inline": document("logs:CreateLogStream", "logs:PutLogEvents")}}
    assert iam.list_role_tags(RoleName=name)["Tags"] == tags(stage="live")

    # destroy, in the reverse order
    iam.detach_role_policy(RoleName=name, PolicyArn=basic)
    gone(iam.detach_role_policy, RoleName=name, PolicyArn=basic)
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    gone(iam.get_role_policy, RoleName=name, PolicyName="inline")
    destroy_role(iam, name)


def test_role_that_is_destroyed_with_what_it_has(iam):
    name = unique("tf-role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document("sqs:*")))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert refusal(iam.delete_role, RoleName=name)[:2] == ("DeleteConflict", 409)
    destroy_role(iam, name, force_detach=True)


def read_policy(iam, policy_arn):
    """resourcePolicyRead: the policy, then the document of its default version."""
    policy = iam.get_policy(PolicyArn=policy_arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=policy_arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return plain(policy) | {"Document": version["Document"]}


def test_policy_and_its_versions(iam):
    """aws_iam_policy: an update is a new default version, and the oldest goes when there are five."""
    name = unique("tf-policy")
    made = iam.create_policy(PolicyName=name, Path="/team/", Description="made by code", Tags=tags(team="blue"),
                             PolicyDocument=json.dumps(document("lambda:GetFunction")))["Policy"]
    state = read_policy(iam, made["Arn"])
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/team/{name}"
    assert (state["Path"], state["Description"], state["Tags"]) == ("/team/", "made by code", tags(team="blue"))
    assert (state["Document"], state["DefaultVersionId"]) == (document("lambda:GetFunction"), "v1")
    assert {key: state[key] for key in ("PolicyName", "PolicyId", "Arn", "CreateDate")} == {
        key: made[key] for key in ("PolicyName", "PolicyId", "Arn", "CreateDate")}
    assert read_policy(iam, made["Arn"]) == state, "a plan has no difference"

    for number in range(2, 8):
        versions = iam.list_policy_versions(PolicyArn=made["Arn"])["Versions"]
        if len(versions) >= 5:
            oldest = min((each for each in versions if not each["IsDefaultVersion"]), key=lambda each: each["CreateDate"])
            iam.delete_policy_version(PolicyArn=made["Arn"], VersionId=oldest["VersionId"])
        iam.create_policy_version(PolicyArn=made["Arn"], PolicyDocument=json.dumps(document(f"sqs:Action{number}")),
                                  SetAsDefault=True)
        state = read_policy(iam, made["Arn"])
        assert (state["Document"], state["DefaultVersionId"]) == (document(f"sqs:Action{number}"), f"v{number}")
    iam.untag_policy(PolicyArn=made["Arn"], TagKeys=["team"])
    iam.tag_policy(PolicyArn=made["Arn"], Tags=tags(stage="live"))
    assert iam.list_policy_tags(PolicyArn=made["Arn"])["Tags"] == read_policy(iam, made["Arn"])["Tags"] == tags(stage="live")

    for each in iam.list_policy_versions(PolicyArn=made["Arn"])["Versions"]:
        if not each["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=made["Arn"], VersionId=each["VersionId"])
    iam.delete_policy(PolicyArn=made["Arn"])
    gone(iam.get_policy, PolicyArn=made["Arn"])


def destroy_user(iam, name):
    """resourceUserDelete with force_destroy: all that a user may have is listed, what is there is removed."""
    assert iam.list_groups_for_user(UserName=name)["Groups"] == []
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    assert iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"] == []
    assert iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"] == []
    assert iam.list_mfa_devices(UserName=name)["MFADevices"] == []
    assert refusal(iam.delete_login_profile, UserName=name) == (
        "NoSuchEntity", 404, f"Login Profile for User {name} cannot be found.")
    assert iam.list_signing_certificates(UserName=name)["Certificates"] == []
    assert iam.list_service_specific_credentials(UserName=name)["ServiceSpecificCredentials"] == []
    iam.delete_user(UserName=name)
    gone(iam.get_user, UserName=name)
    gone(iam.list_groups_for_user, UserName=name)


def test_user_and_its_access_key(iam):
    """aws_iam_user, aws_iam_access_key, aws_iam_user_policy, aws_iam_user_policy_attachment."""
    name = unique("tf-user")
    made = iam.create_user(UserName=name, Path="/robots/", Tags=tags(team="blue"))["User"]
    state = plain(iam.get_user(UserName=name)["User"], "PasswordLastUsed")
    assert state == made
    assert (state["Arn"], state["Tags"]) == (f"arn:aws:iam::{ACCOUNT}:user/robots/{name}", tags(team="blue"))
    iam.untag_user(UserName=name, TagKeys=["team"])
    iam.tag_user(UserName=name, Tags=tags(stage="live"))
    assert iam.get_user(UserName=name)["User"]["Tags"] == iam.list_user_tags(UserName=name)["Tags"] == tags(stage="live")

    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert key["SecretAccessKey"]

    def read_key():
        found = [each for each in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
                 if each["AccessKeyId"] == key["AccessKeyId"]]
        assert len(found) == 1
        return found[0]
    assert read_key() == plain(key, "SecretAccessKey")
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert read_key() == {**plain(key, "SecretAccessKey"), "Status": "Inactive"}

    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=json.dumps(document("lambda:*")))
    assert plain(iam.get_user_policy(UserName=name, PolicyName="inline")) == {
        "UserName": name, "PolicyName": "inline", "PolicyDocument": document("lambda:*")}
    read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.attach_user_policy(UserName=name, PolicyArn=read_only)
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == [
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": read_only}]

    iam.detach_user_policy(UserName=name, PolicyArn=read_only)
    iam.delete_user_policy(UserName=name, PolicyName="inline")
    gone(iam.get_user_policy, UserName=name, PolicyName="inline")
    assert refusal(iam.delete_user, UserName=name)[:2] == ("DeleteConflict", 409)
    destroy_user(iam, name)


@pytest.fixture
def logs(server):
    return server.client("logs")


def test_log_group_and_its_stream(logs):
    """aws_cloudwatch_log_group, aws_cloudwatch_log_stream."""
    name = "/terraform/" + unique("group")

    def read():
        """resourceGroupRead: all groups of the prefix, page by page, until the one of this name; then its tags."""
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        found = [each for page in pages for each in page["logGroups"] if each["logGroupName"] == name]
        if not found:
            return None
        group_arn = found[0]["arn"].removesuffix(":*")
        return plain(found[0], "storedBytes") | {"tags": logs.list_tags_for_resource(resourceArn=group_arn)["tags"]}

    logs.create_log_group(logGroupName=name + "-other")
    logs.create_log_group(logGroupName=name, tags={"team": "blue"}, logGroupClass="STANDARD")
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    state = read()
    assert state["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"
    assert (state["retentionInDays"], state["tags"], state["logGroupClass"]) == (7, {"team": "blue"}, "STANDARD")
    assert "kmsKeyId" not in state
    assert read() == state, "a plan has no difference"

    logs.put_retention_policy(logGroupName=name, retentionInDays=30)
    group_arn = state["arn"].removesuffix(":*")
    logs.untag_resource(resourceArn=group_arn, tagKeys=["team"])
    logs.tag_resource(resourceArn=group_arn, tags={"stage": "live"})
    assert read() == {**state, "retentionInDays": 30, "tags": {"stage": "live"}}
    logs.delete_retention_policy(logGroupName=name)
    assert "retentionInDays" not in read()

    logs.create_log_stream(logGroupName=name, logStreamName="stream")
    found = logs.describe_log_streams(logGroupName=name, logStreamNamePrefix="stream")["logStreams"]
    assert [(each["logStreamName"], each["arn"]) for each in found] == [
        ("stream", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:log-stream:stream")]
    logs.delete_log_stream(logGroupName=name, logStreamName="stream")
    assert logs.describe_log_streams(logGroupName=name, logStreamNamePrefix="stream")["logStreams"] == []

    logs.delete_log_group(logGroupName=name)
    assert read() is None
    assert refusal(logs.delete_log_group, logGroupName=name)[:2] == ("ResourceNotFoundException", 400)
    logs.delete_log_group(logGroupName=name + "-other")
