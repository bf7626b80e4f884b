"""Conditions in trust policies: who may assume a role, and for which function Lambda may."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, unique
from support.refusal import arn, refusal
from support.server import ACCOUNT

SOURCE = "def handler(event, context):\n    return 'ran'\n"


def trust(principal, condition, effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}]}


class Assumer:
    """A user without policies, and a role that trusts them on a condition."""

    def __init__(self, server, iam):
        self.iam = iam
        self.name = unique("assumer")
        self.arn = iam.create_user(UserName=self.name)["User"]["Arn"]
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.sts = server.client("sts", (key["AccessKeyId"], key["SecretAccessKey"]))
        self.role = unique("conditional")
        self.role_arn = iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=json.dumps(
            trust({"AWS": self.arn}, {"Null": {"aws:CurrentTime": "true"}})))["Role"]["Arn"]

    def is_trusted_when(self, condition):
        document = trust({"AWS": self.arn}, condition)
        self.iam.update_assume_role_policy(RoleName=self.role, PolicyDocument=json.dumps(document))
        assert self.iam.get_role(RoleName=self.role)["Role"]["AssumeRolePolicyDocument"] == document

    def may_assume(self, session="session", **arguments):
        try:
            self.sts.assume_role(RoleArn=self.role_arn, RoleSessionName=session, **arguments)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "AccessDenied"
            assert refused.response["Error"]["Message"] == (
                f"User: {self.arn} is not authorized to perform: sts:AssumeRole on resource: {self.role_arn}")
            return False
        return True


@pytest.fixture(scope="module")
def assumer(server, iam):
    return Assumer(server, iam)


@pytest.mark.parametrize("condition, holds", [
    ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
    ({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, False),
    ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/assumer-*"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, False),
    ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
    ({"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}, "StringLike": {"aws:UserAgent": "*Boto3*"}}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
    ({"Bool": {"aws:SecureTransport": "true"}}, False),
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
    ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, False),
    ({"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}, True),
    ({"StringEquals": {"no:SuchKey": "x"}}, False),
    ({"StringNotEquals": {"no:SuchKey": "x"}}, True),
])
def test_a_role_is_assumed_when_its_condition_holds(assumer, condition, holds):
    assumer.is_trusted_when(condition)
    assert assumer.may_assume() is holds


def test_the_external_id_is_asked_for(assumer):
    assumer.is_trusted_when({"StringEquals": {"sts:ExternalId": "12345"}})
    assert assumer.may_assume(ExternalId="12345")
    assert not assumer.may_assume(ExternalId="123456")
    assert not assumer.may_assume()


def test_a_session_is_named_after_who_made_it(assumer):
    assumer.is_trusted_when({"StringLike": {"sts:RoleSessionName": "${aws:username}"}})
    assert assumer.may_assume(session=assumer.name)
    assert not assumer.may_assume(session="somebody-else")


def lambda_role(iam, condition):
    role = unique("of-lambda")
    return role, iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(
        trust({"Service": "lambda.amazonaws.com"}, condition)))["Role"]["Arn"]


def test_lambda_assumes_a_role_for_the_function_that_it_trusts(functions, iam, awslambda):
    mine, others = unique("mine"), unique("others")
    role, role_arn = lambda_role(iam, {"ArnLike": {"aws:SourceArn": arn(mine)}, "StringEquals": {"aws:SourceAccount": ACCOUNT}})
    with pytest.raises(ClientError) as refused:
        functions.create(PYTHON, SOURCE, FunctionName=others, Role=role_arn)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert refused.value.response["Error"]["Message"] == "The role defined for the function cannot be assumed by Lambda."
    functions.create(PYTHON, SOURCE, FunctionName=mine, Role=role_arn)
    assert functions.invoke(mine).expect() == "ran"
    # A new environment needs the role anew: what was trusted when the function was made does not count.
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(
        trust({"Service": "lambda.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": arn(others)}})))
    awslambda.update_function_configuration(FunctionName=mine, MemorySize=256)
    functions.await_update(mine)
    assert refusal(awslambda.invoke, FunctionName=mine) == (
        "AccessDeniedException", 403, "The role defined for the function cannot be assumed by Lambda.")


def test_a_role_of_another_accounts_functions_is_none_of_ours(functions, iam):
    _role, role_arn = lambda_role(iam, {"StringEquals": {"aws:SourceAccount": "210987654321"}})
    with pytest.raises(ClientError) as refused:
        functions.create(PYTHON, SOURCE, Role=role_arn)
    assert refused.value.response["Error"]["Message"] == "The role defined for the function cannot be assumed by Lambda."
