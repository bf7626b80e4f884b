"""May they: users and roles with no policy, Allow, Deny and wildcards; IAM's and STS's own operations."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, TRUST_LAMBDA, unique
from support.server import ACCOUNT, REGION

FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Action": action, "Resource": resource} for effect, action, resource in statements]})


class User:
    def __init__(self, server, iam):
        self.server, self.iam = server, iam
        self.name = unique("user")
        self.arn = iam.create_user(UserName=self.name)["User"]["Arn"]
        made = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.key = (made["AccessKeyId"], made["SecretAccessKey"])
        self.awslambda = server.client("lambda", self.key)

    def may(self, *statements):
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=policy(*statements))

    def denied(self, call, **arguments):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        answer = caught.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert answer["Error"]["Code"] in ("AccessDeniedException", "AccessDenied")
        return answer["Error"]["Message"]


@pytest.fixture
def user(server, iam):
    return User(server, iam)


@pytest.fixture(scope="module")
def two(module_functions):
    source = "def handler(event, context):\n    return 'ran'\n"
    return [module_functions.create(PYTHON, source, stem=stem) for stem in ("blue", "green")]


def test_no_policy_means_nothing(user, two):
    message = user.denied(user.awslambda.get_function, FunctionName=two[0])
    assert message == (f"User: {user.arn} is not authorized to perform: lambda:GetFunction on resource: {FUNCTION_ARN}{two[0]}"
                       " because no identity-based policy allows the lambda:GetFunction action")
    user.denied(user.awslambda.list_functions)
    user.denied(user.awslambda.invoke, FunctionName=two[0])
    user.denied(user.server.client("iam", user.key).list_users)
    # AWS lets everybody ask who they are.
    assert user.server.client("sts", user.key).get_caller_identity()["Arn"] == user.arn


def test_denied_before_existence_is_told(user):
    user.denied(user.awslambda.get_function, FunctionName="there-is-no-such-function")


def test_allow_opens_what_it_names_and_nothing_else(user, two):
    user.may(("Allow", "lambda:InvokeFunction", FUNCTION_ARN + two[0]))
    assert json.loads(user.awslambda.invoke(FunctionName=two[0])["Payload"].read()) == "ran"
    user.denied(user.awslambda.invoke, FunctionName=two[1])
    user.denied(user.awslambda.get_function, FunctionName=two[0])
    user.denied(user.awslambda.delete_function, FunctionName=two[0])


def test_an_explicit_deny_wins(user, two):
    user.may(("Allow", "*", "*"), ("Deny", "lambda:Delete*", "*"), ("Deny", ["lambda:GetFunction"], FUNCTION_ARN + two[1]))
    assert user.awslambda.get_function(FunctionName=two[0])
    assert "explicit deny" in user.denied(user.awslambda.get_function, FunctionName=two[1])
    assert "explicit deny" in user.denied(user.awslambda.delete_function, FunctionName=two[0])
    assert user.awslambda.get_function_configuration(FunctionName=two[1])


@pytest.mark.parametrize("action, resource, allowed", [
    ("lambda:*", "*", True),
    ("LAMBDA:getfunction", "*", True),
    ("lambda:Get*", "*", True),
    ("lambda:GetFunctio?", "*", True),
    ("lambda:GetFunction?", "*", False),
    ("lambda:List*", "*", False),
    ("iam:*", "*", False),
    ("lambda:GetFunction", FUNCTION_ARN + "blue-*", True),
    ("lambda:GetFunction", "arn:aws:lambda:*:*:function:bl?e-*", True),
    ("lambda:GetFunction", FUNCTION_ARN + "green-*", False),
    ("lambda:GetFunction", FUNCTION_ARN + "BLUE-*", False),
    ("lambda:GetFunction", "arn:aws:lambda:eu-*:*:function:*", False),
])
def test_wildcards_in_actions_and_resources(user, two, action, resource, allowed):
    user.may(("Allow", action, resource))
    if allowed:
        assert user.awslambda.get_function(FunctionName=two[0])
    else:
        user.denied(user.awslambda.get_function, FunctionName=two[0])


def test_not_action_and_not_resource(user, iam, two):
    document = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "NotAction": "lambda:Delete*", "NotResource": FUNCTION_ARN + two[1]}]}
    iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=json.dumps(document))
    assert user.awslambda.get_function(FunctionName=two[0])
    user.denied(user.awslambda.get_function, FunctionName=two[1])
    user.denied(user.awslambda.delete_function, FunctionName=two[0])


@pytest.mark.parametrize("document", [
    "not json", "{}", '{"Version":"2012-10-17"}', '{"Version":"2012-10-17","Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*"}]}',
    '{"Version":"1999-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}]}',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}',
])
def test_a_malformed_policy_is_refused(user, iam, document):
    with pytest.raises(ClientError) as refused:
        iam.put_user_policy(UserName=user.name, PolicyName="p", PolicyDocument=document)
    assert refused.value.response["Error"]["Code"] == "MalformedPolicyDocument"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_managed_policies_attach_and_detach(user, iam, two):
    full = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
    iam.attach_user_policy(UserName=user.name, PolicyArn=full)
    assert [each["PolicyArn"] for each in iam.list_attached_user_policies(UserName=user.name)["AttachedPolicies"]] == [full]
    assert user.awslambda.get_function(FunctionName=two[0])
    iam.detach_user_policy(UserName=user.name, PolicyArn=full)
    user.denied(user.awslambda.get_function, FunctionName=two[0])
    own = iam.create_policy(PolicyName=unique("own"), PolicyDocument=policy(("Allow", "lambda:Get*", "*")))["Policy"]
    assert iam.get_policy(PolicyArn=own["Arn"])["Policy"]["DefaultVersionId"] == "v1"
    version = iam.get_policy_version(PolicyArn=own["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"]["Statement"][0]["Action"] == "lambda:Get*" and version["IsDefaultVersion"]
    iam.attach_user_policy(UserName=user.name, PolicyArn=own["Arn"])
    assert user.awslambda.get_function(FunctionName=two[0])


def test_users_and_their_keys(iam):
    name = unique("somebody")
    made = iam.create_user(UserName=name, Path="/team/")["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/{name}"
    assert made["UserId"].startswith("AIDA") and made["Path"] == "/team/"
    assert iam.get_user(UserName=name)["User"]["UserId"] == made["UserId"]
    assert name in [user["UserName"] for page in iam.get_paginator("list_users").paginate() for user in page["Users"]]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40 and key["Status"] == "Active"
    listed = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    assert [each["AccessKeyId"] for each in listed] == [key["AccessKeyId"]]
    assert "SecretAccessKey" not in listed[0]
    iam.create_access_key(UserName=name)
    with pytest.raises(iam.exceptions.LimitExceededException):
        iam.create_access_key(UserName=name)
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_user(UserName=name)
    for each in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=each["AccessKeyId"])
    iam.delete_user(UserName=name)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName=name)


def test_inline_policies_come_back_as_stored(user, iam):
    user.may(("Allow", "lambda:Get*", "*"))
    assert iam.list_user_policies(UserName=user.name)["PolicyNames"] == ["p"]
    assert iam.get_user_policy(UserName=user.name, PolicyName="p")["PolicyDocument"] == json.loads(
        policy(("Allow", "lambda:Get*", "*")))
    iam.delete_user_policy(UserName=user.name, PolicyName="p")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user_policy(UserName=user.name, PolicyName="p")


def test_roles_and_their_policies(iam):
    name = unique("role")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA, Description="d")["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/{name}" and made["RoleId"].startswith("AROA")
    assert iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST_LAMBDA)
    assert name in [role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(("Allow", "lambda:*", "*")))
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["inline"]
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName=name, PolicyArn=basic)
    assert [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]] == [basic]
    iam.tag_role(RoleName=name, Tags=[{"Key": "team", "Value": "blue"}])
    assert iam.get_role(RoleName=name)["Role"]["Tags"] == [{"Key": "team", "Value": "blue"}]
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_role(RoleName=name)
    iam.detach_role_policy(RoleName=name, PolicyArn=basic)
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.delete_role(RoleName=name)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=name)


def test_assume_role_weighs_trust_and_policy(server, iam, user, two):
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName=unique("assumed"), AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p",
                        PolicyDocument=policy(("Allow", "lambda:GetFunction", FUNCTION_ARN + two[0])))
    sts = server.client("sts", user.key)
    user.denied(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="session")
    user.may(("Allow", "sts:AssumeRole", role["Arn"]))
    assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")
    assert assumed["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/session"
    assert assumed["AssumedRoleUser"]["AssumedRoleId"] == role["RoleId"] + ":session"
    made = assumed["Credentials"]
    key = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert server.client("sts", key).get_caller_identity() | {"ResponseMetadata": None} == {
        "UserId": role["RoleId"] + ":session", "Account": ACCOUNT, "Arn": assumed["AssumedRoleUser"]["Arn"],
        "ResponseMetadata": None}
    session = server.client("lambda", key)
    assert session.get_function(FunctionName=two[0])
    message = user.denied(session.get_function, FunctionName=two[1])
    assert f"User: {assumed['AssumedRoleUser']['Arn']} is not authorized" in message
    # A role that trusts Lambda alone is nobody else's, whatever their own policy says.
    user.may(("Allow", "*", "*"))
    only_lambda = iam.create_role(RoleName=unique("trusting"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    user.denied(sts.assume_role, RoleArn=only_lambda["Arn"], RoleSessionName="session")
    # And what the role may no more, its sessions may no more.
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=TRUST_LAMBDA)
    user.denied(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="session")
    iam.delete_role_policy(RoleName=role["RoleName"], PolicyName="p")
    user.denied(session.get_function, FunctionName=two[0])


def test_root_is_the_account(server):
    identity = server.client("sts").get_caller_identity()
    assert (identity["Arn"], identity["UserId"], identity["Account"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT)
