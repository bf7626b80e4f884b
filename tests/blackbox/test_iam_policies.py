"""IAM as deployment tools use it around functions: policy versions, lists, tags, updates, and deletes in their order."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import TRUST_LAMBDA, unique


def document(action, effect="Allow"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]})


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


@pytest.fixture
def policy(iam):
    arn = iam.create_policy(PolicyName=unique("policy"), PolicyDocument=document("lambda:Get*"))["Policy"]["Arn"]
    yield arn
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"


def test_a_policy_gets_versions_and_one_of_them_counts(iam, policy):
    made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("lambda:List*"), SetAsDefault=True)
    assert made["PolicyVersion"]["VersionId"] == "v2" and made["PolicyVersion"]["IsDefaultVersion"]
    assert [each["VersionId"] for each in iam.list_policy_versions(PolicyArn=policy)["Versions"]] == ["v2", "v1"]
    assert iam.get_policy_version(PolicyArn=policy, VersionId="v1")["PolicyVersion"]["Document"]["Statement"][0]["Action"] == (
        "lambda:Get*")
    assert refusal(iam.delete_policy_version, PolicyArn=policy, VersionId="v2") == "DeleteConflict"
    assert refusal(iam.delete_policy, PolicyArn=policy) == "DeleteConflict"
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v1"


def test_the_life_of_a_functions_role(iam, policy):
    """What Terraform's aws_iam_role and its attachments call, in order."""
    name = unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA, Description="first")
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    entities = iam.list_entities_for_policy(PolicyArn=policy)
    assert [each["RoleName"] for each in entities["PolicyRoles"]] == [name]
    assert policy in [each["Arn"] for each in iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]]
    assert refusal(iam.delete_policy, PolicyArn=policy) == "DeleteConflict"
    iam.update_role(RoleName=name, Description="second", MaxSessionDuration=7200)
    assert iam.get_role(RoleName=name)["Role"]["MaxSessionDuration"] == 7200
    assert iam.update_role_description(RoleName=name, Description="third")["Role"]["Description"] == "third"
    iam.tag_role(RoleName=name, Tags=[{"Key": "team", "Value": "a"}, {"Key": "tier", "Value": "b"}])
    iam.untag_role(RoleName=name, TagKeys=["tier"])
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "team", "Value": "a"}]
    assert refusal(iam.delete_role, RoleName=name) == "DeleteConflict"
    iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    assert iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"] == []
    iam.delete_role(RoleName=name)


def test_tags_of_users_and_policies(iam, policy):
    name = unique("user")
    iam.create_user(UserName=name)
    iam.tag_user(UserName=name, Tags=[{"Key": "a", "Value": "1"}])
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.untag_user(UserName=name, TagKeys=["a"])
    assert iam.list_user_tags(UserName=name)["Tags"] == []
    iam.delete_user(UserName=name)
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "a", "Value": "1"}])
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.untag_policy(PolicyArn=policy, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == []


def test_the_policies_of_aws_that_functions_need_are_there(iam):
    names = {each["PolicyName"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS") for each in page["Policies"]}
    assert names >= {"AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaKinesisExecutionRole",
                     "AWSLambdaDynamoDBExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AdministratorAccess", "ReadOnlyAccess",
                     "AWSLambda_ReadOnlyAccess", "CloudWatchLogsFullAccess"}
    assert refusal(iam.delete_policy, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess") == "AccessDenied"
