"""IAM's own operations, as deployment tools call them: everything written is read back, every refusal has AWS's code."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import TRUST_LAMBDA, unique
from support.server import ACCOUNT

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}
DOCUMENT = json.dumps(ALLOW)
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
FULL = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


@pytest.fixture
def role(iam):
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA, Path="/team/", Tags=[{"Key": "a", "Value": "b"}])
    return name


@pytest.fixture
def user(iam):
    name = unique("user")
    iam.create_user(UserName=name)
    return name


def test_a_role_is_read_back_as_written(iam, role):
    found = iam.get_role(RoleName=role)["Role"]
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/team/{role}"
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST_LAMBDA)
    assert found["RoleId"].startswith("AROA") and len(found["RoleId"]) == 21
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]
    iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "c"}, {"Key": "d", "Value": ""}])
    assert iam.get_role(RoleName=role)["Role"]["Tags"] == [{"Key": "a", "Value": "c"}, {"Key": "d", "Value": ""}]


def test_a_trust_policy_is_replaced_whole(iam, role):
    other = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(other))
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == other
    code, status, _ = refused(iam.update_assume_role_policy, RoleName=role, PolicyDocument="{")
    assert (code, status) == ("MalformedPolicyDocument", 400)


def test_inline_policies_of_a_role(iam, role):
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=DOCUMENT)
    assert iam.get_role_policy(RoleName=role, PolicyName="p")["PolicyDocument"] == ALLOW
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["p"]
    assert refused(iam.delete_role, RoleName=role)[:2] == ("DeleteConflict", 409)
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    assert refused(iam.get_role_policy, RoleName=role, PolicyName="p")[:2] == ("NoSuchEntity", 404)
    iam.delete_role(RoleName=role)
    assert refused(iam.get_role, RoleName=role) == ("NoSuchEntity", 404, f"The role with name {role} cannot be found.")


def test_managed_policies_of_a_role(iam, role):
    iam.attach_role_policy(RoleName=role, PolicyArn=BASIC)
    iam.attach_role_policy(RoleName=role, PolicyArn=BASIC)
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == [
        {"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": BASIC}]
    assert refused(iam.delete_role, RoleName=role)[:2] == ("DeleteConflict", 409)
    iam.detach_role_policy(RoleName=role, PolicyArn=BASIC)
    assert refused(iam.detach_role_policy, RoleName=role, PolicyArn=BASIC)[:2] == ("NoSuchEntity", 404)
    assert refused(iam.attach_role_policy, RoleName=role, PolicyArn=BASIC + "x")[:2] == ("NoSuchEntity", 404)


def test_policies_of_a_user(iam, user):
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=DOCUMENT)
    assert iam.get_user_policy(UserName=user, PolicyName="p")["PolicyDocument"] == ALLOW
    assert iam.list_user_policies(UserName=user)["PolicyNames"] == ["p"]
    iam.attach_user_policy(UserName=user, PolicyArn=FULL)
    assert [each["PolicyArn"] for each in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]] == [FULL]
    assert refused(iam.delete_user, UserName=user)[:2] == ("DeleteConflict", 409)
    iam.delete_user_policy(UserName=user, PolicyName="p")
    iam.detach_user_policy(UserName=user, PolicyArn=FULL)
    iam.delete_user(UserName=user)
    assert refused(iam.get_user, UserName=user) == ("NoSuchEntity", 404, f"The user with name {user} cannot be found.")


def test_policies_of_ones_own(iam):
    name = unique("policy")
    made = iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT, Description="d")["Policy"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/{name}" and made["DefaultVersionId"] == "v1"
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"]["Description"] == "d"
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == ALLOW and version["IsDefaultVersion"]
    assert refused(iam.create_policy, PolicyName=name, PolicyDocument=DOCUMENT)[:2] == ("EntityAlreadyExists", 409)
    assert refused(iam.get_policy_version, PolicyArn=made["Arn"], VersionId="v2")[:2] == ("NoSuchEntity", 404)


def test_awss_managed_policies_exist(iam):
    for arn in (BASIC, FULL):
        found = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        assert version["Document"]["Statement"]


def test_what_is_not_evaluated_is_not_stored(iam, role):
    conditional = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringMatches": {"aws:SecureTransport": "true"}}}]}
    code, status, message = refused(
        iam.put_role_policy, RoleName=role, PolicyName="p", PolicyDocument=json.dumps(conditional))
    assert (code, status) == ("MalformedPolicyDocument", 400) and "operator that does not exist" in message
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []


def test_access_keys_come_and_go(server, iam, user):
    first = iam.create_access_key(UserName=user)["AccessKey"]
    iam.create_access_key(UserName=user)
    assert refused(iam.create_access_key, UserName=user)[:2] == ("LimitExceeded", 409)
    key = (first["AccessKeyId"], first["SecretAccessKey"])
    assert server.client("sts", key).get_caller_identity()["Arn"].endswith(f"user/{user}")
    iam.update_access_key(UserName=user, AccessKeyId=first["AccessKeyId"], Status="Inactive")
    assert {each["AccessKeyId"]: each["Status"] for each in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}[
        first["AccessKeyId"]] == "Inactive"
    assert refused(server.client("sts", key).get_caller_identity)[:2] == ("InvalidClientTokenId", 403)
    iam.delete_access_key(UserName=user, AccessKeyId=first["AccessKeyId"])
    assert len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) == 1
    assert refused(iam.delete_access_key, UserName=user, AccessKeyId=first["AccessKeyId"])[:2] == ("NoSuchEntity", 404)


def test_lists_come_in_pages(iam):
    stem = unique("page")
    names = [f"{stem}-{number}" for number in range(5)]
    for name in names:
        iam.create_user(UserName=name, Path=f"/{stem}/")
        iam.create_role(RoleName=name, Path=f"/{stem}/", AssumeRolePolicyDocument=TRUST_LAMBDA)
    users = list(iam.get_paginator("list_users").paginate(PathPrefix=f"/{stem}/", PaginationConfig={"PageSize": 2}))
    assert [user["UserName"] for page in users for user in page["Users"]] == names and len(users) == 3
    roles = list(iam.get_paginator("list_roles").paginate(PathPrefix=f"/{stem}/", PaginationConfig={"PageSize": 2}))
    assert [role["RoleName"] for page in roles for role in page["Roles"]] == names
    code, status, _ = refused(iam.list_users, Marker="not-a-marker")
    assert status == 400 and code in ("ValidationError", "InvalidInput")
