"""Policy variables: one policy for everybody, with the name and the tags of whoever asks in it."""

import json

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, unique
from support.refusal import arn, may_get, refusal
from support.server import ACCOUNT, REGION

SOURCE = "def handler(event, context):\n    return 'ran'\n"
ANY = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"


class User:
    def __init__(self, server, iam, team):
        self.iam, self.team = iam, team
        self.name = unique(f"member-of-{team}")
        self.arn = iam.create_user(UserName=self.name, Tags=[{"Key": "team", "Value": team}])["User"]["Arn"]
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.awslambda = server.client("lambda", (key["AccessKeyId"], key["SecretAccessKey"]))

    def may_get(self, name):
        return may_get(self.awslambda, name)


@pytest.fixture(scope="module")
def users(server, iam):
    """A user of the team blue and one of the team green, with the same managed policy."""
    two = [User(server, iam, "blue"), User(server, iam, "green")]
    made = iam.create_policy(PolicyName=unique("for-everybody"), PolicyDocument=document())["Policy"]["Arn"]
    for user in two:
        iam.attach_user_policy(UserName=user.name, PolicyArn=made)

    def have(*statements, version="2012-10-17"):
        """Gives both the policy."""
        for old in iam.list_policy_versions(PolicyArn=made)["Versions"]:
            if not old["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=made, VersionId=old["VersionId"])
        text = document(*statements, version=version)
        latest = iam.create_policy_version(PolicyArn=made, PolicyDocument=text, SetAsDefault=True)["PolicyVersion"]
        stored = iam.get_policy_version(PolicyArn=made, VersionId=latest["VersionId"])["PolicyVersion"]["Document"]
        assert stored == json.loads(text), "kept as it was written"

    return (*two, have)


def document(*statements, version="2012-10-17"):
    statements = statements or ({"Effect": "Deny", "Action": "none:None"},)
    whole = [{"Effect": "Allow", "Action": "lambda:*", **each} for each in statements]
    for each in whole:
        if "NotResource" not in each:
            each.setdefault("Resource", "*")
    return json.dumps({"Version": version, "Statement": whole})


@pytest.fixture(scope="module")
def owned(module_functions, users):
    """A function of each user, named after them and tagged with their team."""
    return [module_functions.create(PYTHON, SOURCE, FunctionName=f"{user.name}-f", Tags={"Team": user.team}) for user in users[:2]]


@pytest.mark.parametrize("statements", [
    [{"Resource": ANY + "${aws:username}-*"}],
    [{"Resource": ANY + "${AWS:UserName}-f"}],
    [{"Resource": ANY + "member-of-${aws:PrincipalTag/Team}-*"}],
    [{}, {"Effect": "Deny", "NotResource": ANY + "${aws:username}-*"}],
    [{"Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/team}"}}}],
    [{}, {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/team}"}}}],
    [{"Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/team, 'nobody'}"}}}],
], ids=str)
def test_everybody_has_their_own(users, owned, statements):
    blue, green, have = users
    have(*statements)
    assert [[user.may_get(name) for name in owned] for user in (blue, green)] == [[True, False], [False, True]]


@pytest.mark.parametrize("statements, allowed", [
    ([{"Resource": ANY + "${aws:PrincipalTag/none}*"}], False),
    ([{"Resource": ANY + "${aws:PrincipalTag/none, 'member'}-of-*"}], True),
    ([{"Condition": {"StringNotEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/none}"}}}], True),
    ([{"Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:TagKeys}"}}}], False),
    ([{"Resource": ANY + "${*}"}], False),
])
def test_a_variable_without_a_value_matches_nothing(users, owned, statements, allowed):
    blue, _green, have = users
    have(*statements)
    assert blue.may_get(owned[0]) is allowed


def test_a_changed_tag_counts_at_once(users, owned, iam):
    blue, _green, have = users
    have({"Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/team}"}}})
    iam.tag_user(UserName=blue.name, Tags=[{"Key": "team", "Value": "green"}])
    try:
        assert [blue.may_get(name) for name in owned] == [False, True]
    finally:
        iam.tag_user(UserName=blue.name, Tags=[{"Key": "team", "Value": "blue"}])


def test_in_the_older_version_a_variable_is_text(users, owned):
    blue, _green, have = users
    have({"Resource": ANY + "${aws:username}-*"}, version="2008-10-17")
    assert not blue.may_get(owned[0])
    have({}, {"Effect": "Deny", "Condition": {"StringEquals": {"aws:username": "${aws:username}"}}}, version="2008-10-17")
    assert blue.may_get(owned[0])


def test_the_policy_of_a_function_has_them_too(users, owned, awslambda):
    blue, green, have = users
    have()
    policy = {"Version": "2012-10-17", "Statement": [{
        "Sid": "team", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn(owned[0]),
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/Team}"}}}]}
    awslambda.put_resource_policy(ResourceArn=arn(owned[0]), Policy=json.dumps(policy))
    assert json.load(blue.awslambda.invoke(FunctionName=owned[0])["Payload"]) == "ran"
    assert refusal(green.awslambda.invoke, FunctionName=owned[0])[:2] == ("AccessDeniedException", 403)


@pytest.mark.parametrize("statement", [
    {"Resource": "arn:aws:lambda:*:${aws:PrincipalAccount}:function:f"},
    {"Resource": ANY + "${aws:username"},
    {"Condition": {"NumericEquals": {"aws:EpochTime": "${aws:TokenIssueTime}"}}},
    {"Condition": {"StringEquals": {"aws:username": "${aws:PrincipalTag/x, none}"}}},
])
def test_what_is_no_variable_is_refused(users, statement):
    have = users[2]
    with pytest.raises(ClientError) as refused:
        have(statement)
    assert refused.value.response["Error"]["Code"] == "MalformedPolicyDocument"
    assert refused.value.response["Error"]["Message"].startswith("Syntax errors in policy. ")
