"""Versions and aliases: publish, route, roll back, and what keeps what alive."""

import collections

import pytest

from support.functions import ENTRY, PYTHON, source_zip, unique
from support.paced import collect, invoke_message
from support.refusal import arn, refusal

SAYS = "def handler(event, context):\n    return {{'says': {value}, 'version': context.function_version}}\n"


def publish(functions, name, value):
    """The version that $LATEST becomes when it says `value`."""
    functions.update_code(name, PYTHON, SAYS.format(value=value))
    return functions.client.publish_version(FunctionName=name)["Version"]


@pytest.fixture
def two_versions(functions):
    """A function whose versions 1 and 2 say 1 and 2, and $LATEST 3."""
    name = functions.create(PYTHON, SAYS.format(value=1), stem="versions")
    assert functions.client.publish_version(FunctionName=name)["Version"] == "1"
    assert publish(functions, name, 2) == "2"
    functions.update_code(name, PYTHON, SAYS.format(value=3))
    return name


def test_a_version_is_a_copy_that_nothing_changes(functions, awslambda, two_versions):
    answers = {q: functions.invoke(two_versions, Qualifier=q) for q in ("1", "2", "$LATEST")}
    assert [answers[q].expect()["says"] for q in ("1", "2", "$LATEST")] == [1, 2, 3]
    assert [answers[q].version for q in ("1", "2", "$LATEST")] == ["1", "2", "$LATEST"]
    assert answers["1"].expect()["version"] == "1"
    assert functions.invoke(f"{arn(two_versions)}:2").expect()["says"] == 2
    listed = awslambda.list_versions_by_function(FunctionName=two_versions)["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]
    assert [version["FunctionArn"] for version in listed] == [f"{arn(two_versions)}:{v}" for v in ("$LATEST", "1", "2")]
    assert awslambda.get_function(FunctionName=two_versions, Qualifier="1")["Configuration"]["State"] == "Active"


def test_publishing_without_a_change_answers_the_last_version(functions, awslambda):
    name = functions.create(PYTHON, SAYS.format(value=1))
    first = awslambda.publish_version(FunctionName=name, Description="the first")
    again = awslambda.publish_version(FunctionName=name, Description="another")
    for answer in (first, again):
        answer.pop("ResponseMetadata")
    assert again == first and first["Description"] == "the first"


def test_publish_has_preconditions(functions, awslambda):
    name = functions.create(PYTHON, SAYS.format(value=1))
    now = awslambda.get_function_configuration(FunctionName=name)
    assert refusal(awslambda.publish_version, FunctionName=name, RevisionId="c2a01b1e-0000-4000-8000-000000000000") == (
        "PreconditionFailedException", 412,
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the"
        " latest Revision Id")
    code, status, message = refusal(awslambda.publish_version, FunctionName=name, CodeSha256="somenonexistentsha256")
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == (f"CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST "
                       f"({now['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST.")
    assert awslambda.publish_version(
        FunctionName=name, RevisionId=now["RevisionId"], CodeSha256=now["CodeSha256"])["Version"] == "1"


def test_publish_with_create_and_with_update(functions, awslambda):
    name = unique("published")
    functions.names.append(name)
    created = awslambda.create_function(
        FunctionName=name, Runtime=PYTHON, Role=functions.role_arn, Handler=ENTRY[PYTHON][1], Publish=True,
        Code={"ZipFile": source_zip(PYTHON, SAYS.format(value=1))})
    assert (created["Version"], created["FunctionArn"], created["State"]) == ("1", arn(name), "Pending")
    awslambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    updated = awslambda.update_function_code(
        FunctionName=name, Publish=True, ZipFile=source_zip(PYTHON, SAYS.format(value=2)))
    assert (updated["Version"], updated["FunctionArn"]) == ("2", f"{arn(name)}:2")
    functions.await_update(name)
    awslambda.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="2", WaiterConfig={"Delay": 1})
    assert [functions.invoke(name, Qualifier=q).expect()["says"] for q in ("1", "2")] == [1, 2]


def test_an_alias_moves_back_and_forth(functions, awslambda, two_versions):
    made = awslambda.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1", Description="users")
    assert made["AliasArn"] == f"{arn(two_versions)}:live"
    assert "RoutingConfig" not in made
    assert functions.invoke(two_versions, Qualifier="live").version == "1"
    moved = awslambda.update_alias(
        FunctionName=two_versions, Name="live", FunctionVersion="2", RevisionId=made["RevisionId"])
    assert functions.invoke(f"{arn(two_versions)}:live").version == "2"
    assert refusal(awslambda.update_alias, FunctionName=two_versions, Name="live", FunctionVersion="1",
                   RevisionId=made["RevisionId"])[:2] == ("PreconditionFailedException", 412)
    awslambda.update_alias(FunctionName=two_versions, Name="live", FunctionVersion="1", RevisionId=moved["RevisionId"])
    assert functions.invoke(two_versions, Qualifier="live").expect()["says"] == 1
    aliases = awslambda.list_aliases(FunctionName=two_versions, FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in aliases] == ["live"]
    assert awslambda.list_aliases(FunctionName=two_versions, FunctionVersion="2")["Aliases"] == []


def test_a_canary_gets_its_share(functions, awslambda, two_versions):
    awslambda.create_alias(FunctionName=two_versions, Name="canary", FunctionVersion="1",
                           RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    seen = [functions.invoke(two_versions, Qualifier="canary").version for _ in range(60)]
    # Fewer than 10 of one version in 60 even draws happen once in ten million runs.
    assert seen.count("1") >= 10 and seen.count("2") >= 10
    awslambda.update_alias(FunctionName=two_versions, Name="canary", FunctionVersion="2",
                           RoutingConfig={"AdditionalVersionWeights": {}})
    assert {functions.invoke(two_versions, Qualifier="canary").version for _ in range(10)} == {"2"}


def test_an_alias_holds_its_weights_over_ten_thousand_invocations(server, functions, awslambda):
    """Counted by X-Amz-Executed-Version, and by what the versions themselves say of who they are.

    The statistic is chi-square of one degree of freedom, (seen - expected)^2 / expected summed over both versions. With 10,000
    invocations and a weight of 0.1 it passes 25 when version 2 answers fewer than 850 or more than 1,150 of them, 5 standard deviations
    off: of a right router that has the probability 5.9e-7 (the binomial distribution itself, summed). A weight that is a quarter off
    stays below 25 once in a thousand runs.
    """
    name = functions.create(PYTHON, "def handler(event, context):\n    return context.function_version\n", stem="weighted")
    for description in ("one", "two"):
        awslambda.update_function_configuration(FunctionName=name, Description=description)
        functions.await_update(name)
        awslambda.publish_version(FunctionName=name)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1",
                           RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})
    answers = collect(server.port, invoke_message(server, f"{name}:live"), 10_000, connections=4)
    assert {(status, headers.get("x-amz-function-error")) for status, headers, _ in answers} == {(200, None)}
    seen = collections.Counter(headers["x-amz-executed-version"] for _, headers, _ in answers)
    assert seen == collections.Counter(body.decode().strip('"') for _, _, body in answers)
    expected = {"1": 9000, "2": 1000}
    assert set(seen) == set(expected)
    assert sum((seen[version] - each) ** 2 / each for version, each in expected.items()) <= 25, seen


def test_what_an_alias_may_not_be(awslambda, two_versions):
    def refused(**settings):
        return refusal(awslambda.create_alias, **{"FunctionName": two_versions, "Name": "bad", "FunctionVersion": "1"} | settings)

    def weights(**of):
        return {"AdditionalVersionWeights": {version.strip("v"): weight for version, weight in of.items()}}

    assert refused(RoutingConfig=weights(v1=0.1, v2=0.1)) == (
        "InvalidParameterValueException", 400, "Number of items in AdditionalVersionWeights cannot be greater than 1")
    assert refused(RoutingConfig=weights(v1=0.5)) == (
        "InvalidParameterValueException", 400,
        "Invalid function version 1. Function version 1 is already included in routing configuration.")
    assert refused(FunctionVersion="$LATEST", RoutingConfig=weights(v1=0.5)) == (
        "InvalidParameterValueException", 400, "$LATEST is not supported for an alias pointing to more than 1 version")
    assert refused(RoutingConfig=weights(v2=2.0))[2] == (
        "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy"
        " constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have"
        " value greater than or equal to 0.0, Member must not be null]")
    assert refused(FunctionVersion="10") == (
        "ResourceNotFoundException", 404, f"Function not found: {arn(two_versions)}:10")
    awslambda.create_alias(FunctionName=two_versions, Name="taken", FunctionVersion="1")
    assert refused(Name="taken") == (
        "ResourceConflictException", 409, f"Alias already exists: {arn(two_versions)}:taken")
    assert refusal(awslambda.get_alias, FunctionName=two_versions, Name="none") == (
        "ResourceNotFoundException", 404, f"Cannot find alias arn: {arn(two_versions)}:none")


def test_deletion_rules(functions, awslambda, two_versions):
    awslambda.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1")
    assert refusal(awslambda.delete_function, FunctionName=two_versions, Qualifier="1") == (
        "ResourceConflictException", 409,
        "Unable to delete version because the following aliases reference it: [live]")
    assert refusal(awslambda.delete_function, FunctionName=two_versions, Qualifier="$LATEST")[:2] == (
        "InvalidParameterValueException", 400)
    awslambda.delete_alias(FunctionName=two_versions, Name="live")
    awslambda.delete_alias(FunctionName=two_versions, Name="live")
    awslambda.delete_function(FunctionName=two_versions, Qualifier="1")
    assert refusal(awslambda.invoke, FunctionName=two_versions, Qualifier="1") == (
        "ResourceNotFoundException", 404, f"Function not found: {arn(two_versions)}:1")
    assert functions.invoke(two_versions, Qualifier="2").version == "2"
    assert publish(functions, two_versions, 4) == "3"


def test_a_live_version_stays_warm_while_the_next_is_deployed(functions, awslambda):
    counts = "calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return calls\n"
    name = functions.create(PYTHON, counts)
    awslambda.publish_version(FunctionName=name)
    awslambda.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert functions.invoke(name, Qualifier="live").expect() == 1
    functions.update_code(name, PYTHON, counts + "# the next\n")
    assert functions.invoke(name).expect() == 1
    assert functions.invoke(name, Qualifier="live").expect() == 2


def test_versions_and_aliases_outlive_a_kill(new_server):
    from support.functions import Deployer, ensure_role
    server = new_server()
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, SAYS.format(value=1))
    functions.client.publish_version(FunctionName=name)
    alias = functions.client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.update_code(name, PYTHON, SAYS.format(value=2))
    server.kill9()
    server.start()
    assert functions.client.get_alias(FunctionName=name, Name="live")["RevisionId"] == alias["RevisionId"]
    assert functions.invoke(name, Qualifier="live").expect()["says"] == 1
    assert functions.invoke(name).expect()["says"] == 2
