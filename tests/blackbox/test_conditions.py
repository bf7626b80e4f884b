"""Conditions in identity policies: what a request, its caller and its resource are like decides whether a statement applies."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import ENTRY, PYTHON, TRUST_LAMBDA, source_zip, unique
from support.refusal import arn, may_get
from support.server import ACCOUNT, REGION

SOURCE = "def handler(event, context):\n    return 'ran'\n"


@pytest.fixture(scope="module")
def tagged(module_functions):
    """Two functions, of the teams blue and green."""
    return {team: module_functions.create(PYTHON, SOURCE, stem=team, Tags={"Team": team}) for team in ("blue", "green")}


class User:
    def __init__(self, server, iam):
        self.iam = iam
        self.name = unique("conditional")
        self.arn = iam.create_user(UserName=self.name, Tags=[{"Key": "team", "Value": "blue"}])["User"]["Arn"]
        made = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.awslambda, self.logs = (server.client(name, (made["AccessKeyId"], made["SecretAccessKey"])) for name in ("lambda", "logs"))

    def has(self, *statements):
        self.iam.put_user_policy(UserName=self.name, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Resource": "*", "Effect": "Allow", **each} for each in statements]}))

    def may_get(self, name):
        return may_get(self.awslambda, name)


@pytest.fixture(scope="module")
def user(server, iam):
    return User(server, iam)


@pytest.mark.parametrize("condition, holds", [
    ({"StringEquals": {"aws:username": "SELF"}}, True),
    ({"StringEquals": {"aws:username": "somebody-else"}}, False),
    ({"StringNotEquals": {"aws:username": "somebody-else"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/conditional-*"}}, True),
    ({"StringEquals": {"aws:PrincipalType": "User", "aws:PrincipalAccount": ACCOUNT, "aws:PrincipalTag/team": "blue"}}, True),
    ({"StringLike": {"aws:userid": "AIDA*", "aws:UserAgent": "*Boto3*"}}, True),
    ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}}, True),
    ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
    ({"Bool": {"aws:SecureTransport": "false"}}, True),
    ({"Bool": {"aws:SecureTransport": "true"}}, False),
    ({"StringEquals": {"aws:RequestedRegion": REGION}}, True),
    ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}, False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}, "NumericLessThan": {"aws:EpochTime": "99999999999"}}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
    ({"StringEquals": {"aws:ResourceAccount": ACCOUNT}}, True),
    ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
    ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
    ({"Null": {"aws:MultiFactorAuthAge": "true"}}, True),
    ({"StringEquals": {"aws:RequestTag/Team": "blue"}}, False),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}, True),
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["Team"]}}, False),
])
def test_an_allow_applies_when_its_condition_holds(user, tagged, condition, holds):
    user.has({"Action": "*", "Condition": json.loads(json.dumps(condition).replace("SELF", user.name))})
    assert user.may_get(tagged["blue"]) is holds


def test_a_deny_applies_when_its_condition_holds(user, tagged):
    deny = {"Effect": "Deny", "Action": "lambda:GetFunction", "Condition": {"StringEquals": {"aws:ResourceTag/team": "green"}}}
    user.has({"Action": "*"}, deny)
    assert user.may_get(tagged["blue"]) and not user.may_get(tagged["green"])


def test_resources_are_told_apart_by_their_tags(user, tagged, awslambda):
    user.has({"Action": "lambda:*", "Condition": {"StringEquals": {"aws:ResourceTag/Team": "blue"}}})
    assert user.may_get(tagged["blue"]) and not user.may_get(tagged["green"])
    awslambda.tag_resource(Resource=arn(tagged["green"]), Tags={"Team": "blue"})
    try:
        assert user.may_get(tagged["green"])
    finally:
        awslambda.tag_resource(Resource=arn(tagged["green"]), Tags={"Team": "green"})


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    return caught.value.response["Error"]["Message"]


def test_what_is_asked_for_decides_too(user, tagged, awslambda):
    """Tags, layers, principals and auth types of the request itself."""
    user.has({"Action": "lambda:TagResource", "Condition": {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["Cost", "Team"]}, "StringLike": {"aws:RequestTag/Cost": "1*"}}})
    user.awslambda.tag_resource(Resource=arn(tagged["blue"]), Tags={"Cost": "17"})
    refused(user.awslambda.tag_resource, Resource=arn(tagged["blue"]), Tags={"Cost": "27"})
    refused(user.awslambda.tag_resource, Resource=arn(tagged["blue"]), Tags={"Cost": "17", "Other": "x"})
    user.has({"Action": "lambda:AddPermission", "Condition": {"StringEquals": {"lambda:Principal": "s3.amazonaws.com"}}},
             {"Action": "lambda:CreateFunctionUrlConfig", "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}},
             {"Action": "lambda:UpdateFunctionConfiguration", "Condition": {
                 "ForAllValues:StringLike": {"lambda:Layer": [f"arn:aws:lambda:*:{ACCOUNT}:layer:*"]}}})
    user.awslambda.add_permission(FunctionName=tagged["blue"], StatementId=unique("s"), Action="lambda:InvokeFunction",
                                  Principal="s3.amazonaws.com", SourceAccount=ACCOUNT)
    refused(user.awslambda.add_permission, FunctionName=tagged["blue"], StatementId=unique("s"),
            Action="lambda:InvokeFunction", Principal="*")
    refused(user.awslambda.create_function_url_config, FunctionName=tagged["blue"], AuthType="NONE")
    user.awslambda.create_function_url_config(FunctionName=tagged["blue"], AuthType="AWS_IAM")
    user.awslambda.update_function_configuration(FunctionName=tagged["blue"], Description="no layer at all")
    refused(user.awslambda.update_function_configuration, FunctionName=tagged["green"],
            Layers=[f"arn:aws:lambda:{REGION}:210987654321:layer:foreign:1"])


def test_whoever_makes_a_function_must_be_allowed_to_pass_its_role(user, role_arn, awslambda):
    def create(name):
        return user.awslambda.create_function(
            FunctionName=name, Runtime=PYTHON, Role=role_arn, Handler=ENTRY[PYTHON][1], Code={"ZipFile": source_zip(PYTHON, SOURCE)})

    name = unique("passed")
    user.has({"Action": "lambda:*"})
    assert refused(create, name=name) == (
        f"User: {user.arn} is not authorized to perform: iam:PassRole on resource: {role_arn} because no identity-based policy "
        "allows the iam:PassRole action")
    to = {"Action": "iam:PassRole", "Resource": role_arn}
    user.has({"Action": "lambda:*"}, {**to, "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}})
    refused(create, name=name)
    user.has({"Action": "lambda:*"}, {**to, "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}})
    create(name)
    awslambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    user.has({"Action": "lambda:*"})
    refused(user.awslambda.update_function_configuration, FunctionName=name, Role=role_arn)
    user.awslambda.update_function_configuration(FunctionName=name, Timeout=5)
    awslambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    awslambda.delete_function(FunctionName=name)


CALLER = """
import boto3
def handler(event, context):
    try:
        return len(boto3.client('lambda').list_functions()['Functions']) > 0
    except Exception as error:
        return getattr(error, 'response', {}).get('Error', {}).get('Code', repr(error))
"""


def test_a_role_may_be_for_calls_of_one_function_alone(iam, functions):
    role = iam.create_role(RoleName=unique("of-one"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    one, other = (functions.create(PYTHON, CALLER, stem="calls", Role=role["Arn"], MemorySize=512) for _ in range(2))
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:ListFunctions", "Resource": "*", "Condition": {
            "ArnEquals": {"lambda:SourceFunctionArn": arn(one)}}}]}))
    assert functions.invoke(one, {}).expect() is True
    assert functions.invoke(other, {}).expect() == "AccessDeniedException"


def test_log_groups_are_told_apart_by_their_tags(server, user):
    logs = server.client("logs")
    groups = {team: unique(f"/{team}/group") for team in ("blue", "green")}
    for team, group in groups.items():
        logs.create_log_group(logGroupName=group, tags={"Team": team})
    user.has({"Action": "logs:*", "Condition": {"StringEquals": {"aws:ResourceTag/Team": "blue"}}})
    assert user.logs.describe_log_streams(logGroupName=groups["blue"])["logStreams"] == []
    user.logs.create_log_stream(logGroupName=groups["blue"], logStreamName="s")
    refused(user.logs.describe_log_streams, logGroupName=groups["green"])
    refused(user.logs.create_log_stream, logGroupName=groups["green"], logStreamName="s")
    # One group has one name in policies, however a request spells it.
    group_arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{groups['blue']}"
    user.has({"Action": "logs:*"}, {"Effect": "Deny", "Action": "logs:TagResource", "Resource": group_arn})
    refused(user.logs.tag_resource, resourceArn=group_arn, tags={"Team": "mine"})
    for spelling in (group_arn + ":*", group_arn.replace("arn:aws:", "arn:aws-cn:")):
        with pytest.raises(ClientError) as other_spelling:
            user.logs.tag_resource(resourceArn=spelling, tags={"Team": "mine"})
        assert other_spelling.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert logs.list_tags_for_resource(resourceArn=group_arn)["tags"] == {"Team": "blue"}
    logs.tag_log_group(logGroupName=groups["green"], tags={"Team": "blue"})
    assert user.logs.describe_log_streams(logGroupName=groups["green"])["logStreams"] == []


def test_tags_of_a_new_log_group_are_asked_for(user):
    user.has({"Action": "logs:CreateLogGroup", "Condition": {
        "StringEquals": {"aws:RequestTag/Team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Team", "Cost"]}}})
    user.logs.create_log_group(logGroupName=unique("tagged"), tags={"Team": "blue"})
    refused(user.logs.create_log_group, logGroupName=unique("tagged"), tags={"Team": "green"})
    refused(user.logs.create_log_group, logGroupName=unique("tagged"), tags={"Team": "blue", "Other": "x"})
    refused(user.logs.create_log_group, logGroupName=unique("tagged"))


def test_tags_of_a_new_code_signing_configuration_are_asked_for(user):
    def create(**tags):
        return user.awslambda.create_code_signing_config(AllowedPublishers={"SigningProfileVersionArns": [
            f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/nobodys/abcdefghij"]}, Tags=tags)

    user.has({"Action": "lambda:CreateCodeSigningConfig", "Condition": {"StringEquals": {"aws:RequestTag/Team": "blue"}}})
    refused(create, Team="green")
    # This one is allowed, and fails for the profile that is none.
    with pytest.raises(user.awslambda.exceptions.InvalidParameterValueException):
        create(Team="blue")


def test_who_moves_a_mapping_must_be_allowed_for_both_functions(user, tagged, awslambda):
    mapping = awslambda.create_event_source_mapping(
        FunctionName=tagged["blue"], EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{unique('queue')}", Enabled=False)["UUID"]
    update = user.awslambda.update_event_source_mapping

    def may_update(*teams):
        user.has({"Action": "lambda:UpdateEventSourceMapping", "Condition": {
            "ArnEquals": {"lambda:FunctionArn": [arn(tagged[team]) for team in teams]}}})

    try:
        may_update("blue")
        update(UUID=mapping, BatchSize=5)
        update(UUID=mapping, FunctionName=tagged["blue"])
        refused(update, UUID=mapping, FunctionName=tagged["green"])
        may_update("green")
        refused(update, UUID=mapping, FunctionName=tagged["green"])
        refused(update, UUID=mapping, BatchSize=6)
        may_update("blue", "green")
        assert update(UUID=mapping, FunctionName=tagged["green"])["FunctionArn"] == arn(tagged["green"])
    finally:
        awslambda.delete_event_source_mapping(UUID=mapping)


def test_lambda_logs_in_the_name_of_the_function(iam, functions, server):
    """The function's ARN, the region and the time of the credentials are known of what Lambda itself asks of the role."""
    role = iam.create_role(RoleName=unique("logging"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    one, other = (functions.create(PYTHON, "def handler(event, context):\n    print('seen')\n", stem="logs", Role=role["Arn"])
                  for _ in range(2))
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*", "Condition": {
            "ArnEquals": {"lambda:SourceFunctionArn": arn(one)}, "StringEquals": {"aws:RequestedRegion": REGION}}},
        # As the console's "Revoke active sessions" has it.
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}}}]}))
    logs = server.client("logs")
    for name in (one, other):
        functions.invoke(name)
    groups = {each["logGroupName"] for each in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/logs-")["logGroups"]}
    assert f"/aws/lambda/{one}" in groups and f"/aws/lambda/{other}" not in groups
    seen = logs.filter_log_events(logGroupName=f"/aws/lambda/{one}", filterPattern="seen")["events"]
    assert [each["message"].strip() for each in seen] == ["seen"]


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:SourceVpce": "vpce-1"}}, {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, {"StringLike": {"s3:prefix": "home/*"}}])
def test_a_fact_that_does_not_exist_here_is_an_absent_key(user, tagged, condition):
    """Policies as deployment tools store them for AWS: the document is kept, and the operators say what absence means."""
    (operator, what), = condition.items()
    user.has({"Action": "*", "Condition": condition})
    assert not user.may_get(tagged["blue"])
    user.has({"Action": "*", "Condition": {operator + "IfExists": what}})
    assert user.may_get(tagged["blue"])
    user.has({"Action": "*"}, {"Effect": "Deny", "Action": "*", "Condition": condition})
    assert user.may_get(tagged["blue"])
    user.has({"Action": "*"}, {"Effect": "Deny", "Action": "*", "Condition": {operator + "IfExists": what}})
    assert not user.may_get(tagged["blue"])


@pytest.mark.parametrize("condition", [
    {"StringMatches": {"aws:username": "a"}}, {"Bool": {"aws:SecureTransport": "${aws:userid}"}},
    {"IpAddress": {"aws:SourceIp": "everywhere"}}, {"DateLessThan": {"aws:CurrentTime": "soon"}}])
def test_what_cannot_be_evaluated_is_not_stored(user, condition):
    with pytest.raises(ClientError) as caught:
        user.has({"Action": "*", "Condition": condition})
    assert caught.value.response["Error"]["Code"] == "MalformedPolicyDocument"
