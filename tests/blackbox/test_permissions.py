"""Resource policies of functions: their statements, and that they decide."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role, unique
from support.refusal import arn, refusal
from support.server import REGION

SOURCE = "def handler(event, context):\n    return 'invoked'\n"


@pytest.fixture
def nobody(server, iam):
    """A user without policies: (ARN, a Lambda client of theirs)."""
    name = unique("nobody")
    made = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = server.client("lambda", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    yield made, client
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def test_a_permission_lets_in_whom_it_names(functions, awslambda, nobody):
    user, client = nobody
    name = functions.create(PYTHON, SOURCE)
    code, status, message = refusal(client.invoke, FunctionName=name)
    assert (code, status) == ("AccessDeniedException", 403)
    assert message == (f"User: {user} is not authorized to perform: lambda:InvokeFunction on resource: {arn(name)} because"
                       " no identity-based policy allows the lambda:InvokeFunction action")
    awslambda.add_permission(FunctionName=name, StatementId="nobody", Action="lambda:InvokeFunction", Principal=user)
    assert json.load(client.invoke(FunctionName=name)["Payload"]) == "invoked"
    assert refusal(client.get_function, FunctionName=name)[0] == "AccessDeniedException"
    awslambda.remove_permission(FunctionName=name, StatementId="nobody")
    assert refusal(client.invoke, FunctionName=name)[0] == "AccessDeniedException"


def test_a_policy_of_an_alias_is_for_the_alias(functions, awslambda, nobody):
    user, client = nobody
    name = functions.create(PYTHON, SOURCE)
    awslambda.publish_version(FunctionName=name)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    awslambda.add_permission(
        FunctionName=name, Qualifier="live", StatementId="nobody", Action="lambda:InvokeFunction", Principal=user)
    assert json.load(client.invoke(FunctionName=name, Qualifier="live")["Payload"]) == "invoked"
    assert refusal(client.invoke, FunctionName=name)[0] == "AccessDeniedException"
    assert refusal(client.invoke, FunctionName=name, Qualifier="1")[0] == "AccessDeniedException"


def test_a_deny_in_the_policy_stops_the_owner(functions, awslambda):
    name = functions.create(PYTHON, SOURCE)
    deny = {"Version": "2012-10-17", "Statement": [{
        "Sid": "nobody", "Effect": "Deny", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn(name)}]}
    put = awslambda.put_resource_policy(ResourceArn=arn(name), Policy=json.dumps(deny))
    code, status, message = refusal(awslambda.invoke, FunctionName=name)
    assert (code, status) == ("AccessDeniedException", 403)
    assert message.endswith("with an explicit deny in a resource-based policy")
    assert json.loads(awslambda.get_resource_policy(ResourceArn=arn(name))["Policy"]) == deny
    assert json.loads(awslambda.get_policy(FunctionName=name)["Policy"]) == deny
    assert refusal(awslambda.delete_resource_policy, ResourceArn=arn(name),
                   RevisionId="c2a01b1e-0000-4000-8000-000000000000")[:2] == ("PreconditionFailedException", 412)
    awslambda.delete_resource_policy(ResourceArn=arn(name), RevisionId=put["RevisionId"])
    assert functions.invoke(name).expect() == "invoked"


def test_what_could_not_be_evaluated_or_says_two_things_is_not_stored(functions, awslambda):
    name = functions.create(PYTHON, SOURCE)
    for source in ("arn:aws:s3:::bucket-${x", "arn:aws:s3:::bucket-${}"):
        assert refusal(awslambda.add_permission, FunctionName=name, StatementId="s", Action="lambda:InvokeFunction",
                       Principal="s3.amazonaws.com", SourceArn=source)[:2] == ("InvalidParameterValueException", 400)
    condition = json.dumps({"StringEquals": {"aws:PrincipalAccount": "210987654321"}})
    twice = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction",'
             f'"Resource":"{arn(name)}","Condition":{condition},"Condition":{{}}}}]}}')
    assert refusal(awslambda.put_resource_policy, ResourceArn=arn(name), Policy=twice)[:2] == ("InvalidParameterValueException", 400)
    assert refusal(awslambda.get_policy, FunctionName=name)[:2] == ("ResourceNotFoundException", 404)
    assert functions.invoke(name).expect() == "invoked"


def test_another_account_needs_the_policy(functions, awslambda, server):
    name = functions.create(PYTHON, SOURCE)
    code, status, message = refusal(awslambda.invoke, FunctionName=f"arn:aws:lambda:{REGION}:210987654321:function:{name}")
    assert (code, status) == ("AccessDeniedException", 403)
    assert message.endswith("because no resource-based policy allows the lambda:InvokeFunction action")


def test_statements_are_written_as_aws_writes_them(functions, awslambda):
    name = functions.create(PYTHON, SOURCE)
    added = awslambda.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::photos", SourceAccount="123456789012")
    statement = {
        "Sid": "s3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "lambda:InvokeFunction",
        "Resource": arn(name), "Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"},
                                             "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"}}}
    assert json.loads(added["Statement"]) == statement
    policy = awslambda.get_policy(FunctionName=name)
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    assert policy["RevisionId"] == awslambda.get_function_configuration(FunctionName=name)["RevisionId"]
    assert refusal(awslambda.add_permission, FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction",
                   Principal="s3.amazonaws.com") == (
        "ResourceConflictException", 409,
        "The statement id (s3) provided already exists. Please provide a new statement id, or remove the existing statement.")
    assert refusal(awslambda.add_permission, FunctionName=name, StatementId="x", Action="lambda:InvokeFunction",
                   Principal="events.us-east-1") == (
        "InvalidParameterValueException", 400,
        "The provided principal was invalid. Please check the principal and try again.")
    awslambda.remove_permission(FunctionName=name, StatementId="s3")
    assert refusal(awslambda.get_policy, FunctionName=name) == (
        "ResourceNotFoundException", 404, "The resource you requested does not exist.")


def test_a_server_can_refuse_what_would_let_everybody_in(new_server):
    server = new_server("--block-public-policies")
    awslambda = server.client("lambda")
    name = Deployer(server, ensure_role(server)).create(PYTHON, SOURCE)
    awslambda.publish_version(FunctionName=name)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    public = ("PublicPolicyException", 400,
              "Lambda prevented your policy from being created because it would grant public access to your function.")

    def policy(*statements, resource):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": f"s{number}", "Effect": effect, "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": resource}
            for number, (effect, principal) in enumerate(statements)]})

    for qualifier, resource in (({}, arn(name)), ({"Qualifier": "live"}, f"{arn(name)}:live")):
        ours = {"FunctionName": name, **qualifier}
        for statement in ({"Action": "lambda:InvokeFunction"},
                          {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}):
            assert refusal(awslambda.add_permission, StatementId="all", Principal="*", **statement, **ours) == public
        for everybody in ("*", {"AWS": "*"}, {"AWS": ["210987654321", "*"]}):
            document = policy(("Allow", {"AWS": "210987654321"}), ("Allow", everybody), resource=resource)
            assert refusal(awslambda.put_resource_policy, ResourceArn=resource, Policy=document) == public
        assert refusal(awslambda.get_policy, **ours) == (
            "ResourceNotFoundException", 404, "The resource you requested does not exist.")
        # Somebody in particular, a service and an organization are not everybody; and whom a policy denies may be everybody.
        for sid, whom in (("org", {"Principal": "*", "PrincipalOrgID": "o-abcdefghij"}), ("s3", {"Principal": "s3.amazonaws.com"})):
            awslambda.add_permission(StatementId=sid, Action="lambda:InvokeFunction", **whom, **ours)
        kept = awslambda.get_policy(**ours)["Policy"]
        assert refusal(awslambda.add_permission, StatementId="all", Action="lambda:InvokeFunction", Principal="*", **ours) == public
        assert awslambda.get_policy(**ours)["Policy"] == kept
        assert [each["Sid"] for each in json.loads(kept)["Statement"]] == ["org", "s3"]
        awslambda.put_resource_policy(ResourceArn=resource, Policy=policy(("Deny", "*"), resource=resource))


def test_a_policy_that_everybody_is_in_already_goes_by_that_first(new_server):
    """AWS's model lists PublicPolicyException for RemovePermission too: what would be left is judged like what is put."""
    server = new_server()
    name = Deployer(server, ensure_role(server)).create(PYTHON, SOURCE)
    for sid, principal in (("all", "*"), ("s3", "s3.amazonaws.com")):
        server.client("lambda").add_permission(FunctionName=name, StatementId=sid, Action="lambda:InvokeFunction", Principal=principal)
    server.stop()
    server.arguments = ("--block-public-policies",)
    awslambda = server.start().client("lambda")
    assert refusal(awslambda.remove_permission, FunctionName=name, StatementId="s3")[:2] == ("PublicPolicyException", 400)
    assert [each["Sid"] for each in json.loads(awslambda.get_policy(FunctionName=name)["Policy"])["Statement"]] == ["all", "s3"]
    for sid in ("all", "s3"):
        awslambda.remove_permission(FunctionName=name, StatementId=sid)


def test_tags_of_a_function(functions, awslambda):
    name = functions.create(PYTHON, SOURCE, Tags={"team": "blue"})
    awslambda.tag_resource(Resource=arn(name), Tags={"stage": "test"})
    awslambda.untag_resource(Resource=arn(name), TagKeys=["team"])
    assert awslambda.list_tags(Resource=arn(name))["Tags"] == {"stage": "test"}
    assert awslambda.get_function(FunctionName=name)["Tags"] == {"stage": "test"}
    assert refusal(awslambda.tag_resource, Resource=f"{arn(name)}:1", Tags={"a": "b"}) == (
        "InvalidParameterValueException", 400,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.")
    with pytest.raises(ClientError):
        awslambda.list_tags(Resource=arn("none"))


def test_account_settings_count_functions_and_code(functions, awslambda):
    before = awslambda.get_account_settings()["AccountUsage"]
    name = functions.create(PYTHON, SOURCE)
    size = awslambda.get_function_configuration(FunctionName=name)["CodeSize"]
    awslambda.publish_version(FunctionName=name)
    after = awslambda.get_account_settings()
    assert after["AccountUsage"]["FunctionCount"] == before["FunctionCount"] + 1
    assert after["AccountUsage"]["TotalCodeSize"] == before["TotalCodeSize"] + 2 * size
    assert after["AccountLimit"]["TotalCodeSize"] == 80530636800
