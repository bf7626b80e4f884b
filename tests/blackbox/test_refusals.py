"""Every operation that works refuses what it must, in AWS's words and with its status; the tables are in tests/support/refusals/.

An operation that is added to a service without its row, or with a row that is silent about a kind of refusal, fails here.
"""

import base64
import json
import re
import urllib.request

import pytest
from botocore import xform_name

from support.functions import TRUST_LAMBDA
from support.refusal import arn, refusal
from support.refusals import KINDS, OTHER_ACCOUNT, iam_table, lambda_functions, lambda_resources, logs_table, model_of, out_of_reach
from support.refusals.lambda_words import CODE, LAYER, NAME, QUEUE, UNREACHABLE, breaks, denied, elsewhere, foreign
from support.server import ACCOUNT, ROOT, Server
from support.signing import Signed

OPERATIONS = [operation for table in (lambda_functions, lambda_resources, iam_table, logs_table) for operation in table.operations()]
CASES = [case for operation in OPERATIONS for case in operation.cases]


@pytest.fixture(scope="module")
def server():
    running = Server().start()
    yield running
    running.discard()


@pytest.fixture(scope="module")
def clients(server):
    return {service: server.client(service) for service in ("lambda", "iam", "sts", "logs")}


def make_identities(iam):
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=TRUST_LAMBDA)
    iam.create_user(UserName=NAME)
    policy = iam.create_policy(PolicyName=NAME, PolicyDocument=iam_table.DOCUMENT)["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=iam_table.DOCUMENT)
    for _ in range(2):
        iam.create_access_key(UserName=NAME)
    iam.put_user_policy(UserName=NAME, PolicyName="inline", PolicyDocument=iam_table.DOCUMENT)
    iam.put_role_policy(RoleName=NAME, PolicyName="inline", PolicyDocument=iam_table.DOCUMENT)
    iam.attach_role_policy(RoleName=NAME, PolicyArn=policy)


def make_functions(awslambda, iam):
    role = iam.get_role(RoleName=NAME)["Role"]["Arn"]
    awslambda.create_function(FunctionName=NAME, Runtime="python3.13", Role=role, Handler="app.handler", Code=CODE, Publish=True)
    awslambda.get_waiter("function_active_v2").wait(FunctionName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    awslambda.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    awslambda.create_function_url_config(FunctionName=NAME, AuthType="NONE")
    awslambda.create_event_source_mapping(FunctionName=NAME, EventSourceArn=QUEUE, Enabled=False)
    awslambda.add_permission(FunctionName=NAME, StatementId="them", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    for _ in range(2):
        awslambda.publish_layer_version(LayerName=NAME, Content=CODE)
    awslambda.add_layer_version_permission(LayerName=NAME, VersionNumber=1, StatementId="them", Action="lambda:GetLayerVersion",
                                           Principal="*")


def seen(clients):
    """What an accepted call would have changed."""
    awslambda, iam, logs = clients["lambda"], clients["iam"], clients["logs"]
    answers = [
        awslambda.get_function_configuration(FunctionName=NAME), awslambda.list_functions(), awslambda.list_aliases(FunctionName=NAME),
        awslambda.list_versions_by_function(FunctionName=NAME), awslambda.list_layer_versions(LayerName=NAME),
        awslambda.get_layer_version_policy(LayerName=NAME, VersionNumber=1), awslambda.list_event_source_mappings(),
        awslambda.get_function_url_config(FunctionName=NAME), awslambda.list_function_event_invoke_configs(FunctionName=NAME),
        awslambda.list_tags(Resource=arn(NAME)), awslambda.get_function_concurrency(FunctionName=NAME), iam.list_roles(), iam.list_users(),
        iam.list_policies(Scope="Local"), iam.list_policy_versions(PolicyArn=iam_table.POLICY_ARN), iam.list_role_tags(RoleName=NAME),
        iam.list_user_policies(UserName=NAME), iam.list_role_policies(RoleName=NAME), logs.describe_log_groups(),
        logs.describe_log_streams(logGroupName=logs_table.GROUP), logs.list_tags_log_group(logGroupName=logs_table.GROUP)]
    return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in answers]


@pytest.fixture(scope="module")
def world(clients):
    """What the tables speak of, as it was before anything was refused."""
    make_identities(clients["iam"])
    make_functions(clients["lambda"], clients["iam"])
    clients["logs"].create_log_group(logGroupName=logs_table.GROUP, deletionProtectionEnabled=True)
    clients["logs"].create_log_stream(logGroupName=logs_table.GROUP, logStreamName="s")
    return seen(clients)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.operation.name}-{case.kind}")
def test_it_is_refused(world, clients, case):
    code, status, message = refusal(getattr(clients[case.operation.service], case.call), **case.all_arguments())
    wanted_code, wanted_status, wanted = case.answer
    assert (code, status) == (wanted_code, wanted_status), message
    if isinstance(wanted, re.Pattern):
        assert wanted.fullmatch(message), message
    else:
        assert message == wanted


def test_a_refused_call_changes_nothing(world, clients):
    assert seen(clients) == world


@pytest.fixture
def users(world, server, clients):
    """make(name, policy ARNs...): (ARN, clients) of a user who is gone after the test."""
    iam = clients["iam"]

    def make(name, *policies):
        user = iam.create_user(UserName=name)["User"]["Arn"]
        for policy in policies:
            iam.attach_user_policy(UserName=name, PolicyArn=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, policies, key["AccessKeyId"]))
        return user, {service: server.client(service, (key["AccessKeyId"], key["SecretAccessKey"])) for service in clients}

    made = []
    yield make
    for name, policies, key in made:
        iam.delete_access_key(UserName=name, AccessKeyId=key)
        for policy in policies:
            iam.detach_user_policy(UserName=name, PolicyArn=policy)
        iam.delete_user(UserName=name)


def test_another_account_is_closed_to_administrators_too(users):
    user, theirs = users("administrator", "arn:aws:iam::aws:policy/AdministratorAccess")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    cases = [case for case in CASES if case.kind == "account" and case.operation.service != "sts"]
    assert len(cases) > 100
    for case in cases:
        code, status, message = case.answer
        answer = refusal(getattr(theirs[case.operation.service], case.call), **case.all_arguments())
        assert answer == (code, status, message.replace(root, user)), case.operation.name
    # Whether there is no such role, or it does not trust: nobody learns.
    for role in (iam_table.ROLE_ARN, iam_table.ROLE_ARN + "-nothing", iam_table.ROLE_ARN.replace(ACCOUNT, OTHER_ACCOUNT)):
        assert refusal(theirs["sts"].assume_role, RoleArn=role, RoleSessionName="session") == (
            "AccessDenied", 403, f"User: {user} is not authorized to perform: sts:AssumeRole on resource: {role}")


def test_who_may_nothing_does_not_learn_what_there_is(users):
    """Authorization comes before existence and state."""
    user, theirs = users("nobody")
    for case in CASES:
        if case.kind not in ("missing", "conflict", "quota", "revision"):
            continue
        wrong_words = case.answer[2].pattern if isinstance(case.answer[2], re.Pattern) else case.answer[2]
        if "validation error detected" in wrong_words:
            continue
        code, status, message = refusal(getattr(theirs[case.operation.service], case.call), **case.all_arguments())
        assert code.startswith("AccessDenied"), (case.operation.name, case.kind, code, message)
        assert status == (400 if case.operation.service == "logs" else 403)
        assert message.startswith(f"User: {user} is not authorized to perform: {case.operation.service}:"), message


def test_the_older_form_of_publishing_refuses_alike(world, server, clients):
    def publish(**changed):
        body = {"LayerName": NAME, "Content": {"ZipFile": base64.b64encode(CODE["ZipFile"]).decode()}, **changed}
        reply = Signed(server, "POST", "/2018-10-31/layers", json.dumps(body).encode()).send()
        return reply.code, reply.status, reply.message

    for name in ("a b", arn(NAME), foreign(LAYER)):
        assert publish(LayerName=name) == refusal(clients["lambda"].publish_layer_version, LayerName=name, Content=CODE)
    assert publish(LayerName=foreign(LAYER)) == denied("PublishLayer", foreign(LAYER))
    large = {"S3Bucket": "b", "S3Key": "k" * 1025}
    assert publish(Content=large) == refusal(clients["lambda"].publish_layer_version, LayerName=NAME, Content=large)


def test_a_mapping_is_moved_to_ones_own_functions(world, clients):
    awslambda = clients["lambda"]
    mapping = awslambda.list_event_source_mappings(FunctionName=NAME)["EventSourceMappings"][0]["UUID"]

    def refused(function):
        return refusal(awslambda.update_event_source_mapping, UUID=mapping, FunctionName=function)

    assert refused(foreign(arn(NAME))) == denied("UpdateEventSourceMapping", foreign(arn(NAME)))
    assert refused(elsewhere(arn(NAME))) == UNREACHABLE
    assert refused("arn:aws:s3:::refusals") == breaks("UpdateEventSourceMapping", "FunctionName", "arn:aws:s3:::refusals")
    assert refused("nothing") == refused(f"{NAME}:7") == ("InvalidParameterValueException", 400, "Function does not exist")
    second = awslambda.create_event_source_mapping(FunctionName=f"{NAME}:1", EventSourceArn=QUEUE, Enabled=False)["UUID"]
    assert refusal(awslambda.update_event_source_mapping, UUID=second, FunctionName=NAME) == (
        "ResourceConflictException", 409, f'An event source mapping with SQS arn (" {QUEUE} ") and function (" {NAME} ") already exists.'
        f" Please update or delete the existing mapping with UUID {mapping}")
    assert awslambda.update_event_source_mapping(UUID=second, FunctionName=f"{NAME}:live")["FunctionArn"] == f"{arn(NAME)}:live"
    awslambda.delete_event_source_mapping(UUID=second)


def test_identities_are_emptied_before_they_are_deleted(world, clients):
    """Each hindrance in its order and its words; the role and the user of the tables have one each."""
    iam = clients["iam"]
    iam.create_user(UserName="full")
    iam.create_role(RoleName="full", AssumeRolePolicyDocument=TRUST_LAMBDA)
    policy = iam.create_policy(PolicyName="full", PolicyDocument=iam_table.DOCUMENT)["Policy"]["Arn"]
    version = iam.create_policy_version(PolicyArn=policy, PolicyDocument=iam_table.DOCUMENT)["PolicyVersion"]["VersionId"]
    key = iam.create_access_key(UserName="full")["AccessKey"]["AccessKeyId"]
    for kind, put, attach in (("User", iam.put_user_policy, iam.attach_user_policy), ("Role", iam.put_role_policy, iam.attach_role_policy)):
        put(PolicyName="inline", PolicyDocument=iam_table.DOCUMENT, **{f"{kind}Name": "full"})
        attach(PolicyArn=policy, **{f"{kind}Name": "full"})

    def conflict(call, message, **named):
        assert refusal(call, **named) == ("DeleteConflict", 409, message)

    conflict(iam.delete_policy, "Cannot delete a policy attached to entities.", PolicyArn=policy)
    for kind, remove, detach, drop in (("User", iam.delete_user, iam.detach_user_policy, iam.delete_user_policy),
                                       ("Role", iam.delete_role, iam.detach_role_policy, iam.delete_role_policy)):
        named = {f"{kind}Name": "full"}
        conflict(remove, "Cannot delete entity, must detach all policies first.", **named)
        detach(PolicyArn=policy, **named)
        conflict(remove, "Cannot delete entity, must delete policies first.", **named)
        drop(PolicyName="inline", **named)
    conflict(iam.delete_user, "Cannot delete entity, must delete access keys first.", UserName="full")
    conflict(iam.delete_policy, "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The"
             " default version is deleted with the policy.", PolicyArn=policy)
    iam.delete_access_key(UserName="full", AccessKeyId=key)
    iam.delete_policy_version(PolicyArn=policy, VersionId=version)
    iam.delete_user(UserName="full")
    iam.delete_role(RoleName="full")
    iam.delete_policy(PolicyArn=policy)


def working(server):
    """{service: operations that answer}, as the server says."""
    with urllib.request.urlopen(server.endpoint + "/_lambent/coverage", timeout=10) as answer:
        page = answer.read().decode()
    found = {}
    for service, table in re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", page, re.M | re.S):
        found[service] = set(re.findall(r"^\| (\w+) \| works \|$", table, re.M))
    return found


def test_every_operation_that_works_has_its_row(server):
    for service, names in working(server).items():
        rows = [operation.name for operation in OPERATIONS if operation.service == service]
        assert sorted(rows) == sorted(names), f"{service}: without a row {sorted(names - set(rows))}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service}-{operation.name}")
def test_a_row_speaks_of_every_kind_of_refusal(operation):
    assert operation.kinds() == set(KINDS), sorted(set(KINDS) - operation.kinds())
    shown = {case.kind for case in operation.cases} | set(operation.held_by)
    assert not shown & set(operation.nothing), "it is said that there is nothing to refuse, and shown"
    for test in {test for tests in operation.held_by.values() for test in tests}:
        file, name = test.split("::")
        text = (ROOT / "tests/blackbox" / file).read_text()
        assert re.search(rf"^def {name}\(", text, re.M), test
        assert operation.name == "PublishLayer" or re.search(rf"\b{xform_name(operation.name)}\b", text), f"{test} does not call it"


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.service == "lambda" and each.name != "PublishLayer"],
                         ids=lambda operation: operation.name)
def test_every_error_that_aws_lists_is_shown_or_out_of_reach(operation):
    files = {test.split("::")[0] for tests in operation.held_by.values() for test in tests}
    held = "".join((ROOT / "tests/blackbox" / file).read_text() for file in files)
    for error in (shape.name for shape in model_of("lambda", operation.name).error_shapes):
        shown = error in {case.answer[0] for case in operation.cases} or error in held
        assert shown or out_of_reach.why_not(operation.name, error), error


def test_what_is_said_to_be_out_of_reach_is_thrown_nowhere():
    sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.cc"))
    assert [error for error in out_of_reach.NEVER if error != "ServiceException" and f'"{error}"' in sources] == []
