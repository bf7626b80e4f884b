"""A function's life: create, wait, get, list, invoke, update, delete."""

import base64
import hashlib
import re
import urllib.error
import urllib.request

import pytest

from support.functions import ENTRY, NODEJS, PYTHON, make_zip, source_zip, unique
from support.refusal import arn, refusal
from support.server import ACCOUNT, REGION

ANSWERS = {
    PYTHON: "def handler(event, context):\n    return {{'answer': {value}}}\n",
    NODEJS: "export const handler = async (event) => ({{ answer: {value} }});\n",
}
ENVIRONMENT = {
    PYTHON: "import os\ndef handler(event, context):\n    return {'GREETING': os.environ.get('GREETING'),"
            " 'memory': context.memory_limit_in_mb, 'size': os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']}\n",
    NODEJS: "export const handler = async (event, context) => ({ GREETING: process.env.GREETING ?? null,"
            " memory: context.memoryLimitInMB, size: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE });\n",
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_create_answers_with_aws_members_and_no_others(functions, awslambda, runtime):
    name = unique("create")
    package = source_zip(runtime, ANSWERS[runtime].format(value=1))
    created = awslambda.create_function(
        FunctionName=name, Runtime=runtime, Role=functions.role_arn, Handler=ENTRY[runtime][1], Code={"ZipFile": package})
    functions.names.append(name)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["FunctionName"] == name
    assert created["FunctionArn"] == arn(name)
    assert created["Runtime"] == runtime
    assert created["Role"] == functions.role_arn
    assert created["Handler"] == ENTRY[runtime][1]
    assert created["CodeSize"] == len(package)
    assert created["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    assert created["Version"] == "$LATEST"
    assert created["Timeout"] == 3
    assert created["MemorySize"] == 128
    assert created["Description"] == ""
    assert created["PackageType"] == "Zip"
    assert created["Architectures"] == ["x86_64"]
    assert created["EphemeralStorage"] == {"Size": 512}
    assert created["TracingConfig"] == {"Mode": "PassThrough"}
    assert created["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert created["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert created["State"] == "Pending"
    assert created["StateReasonCode"] == "Creating"
    assert created["StateReason"] == "The function is being created."
    assert UUID.fullmatch(created["RevisionId"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", created["LastModified"])
    assert created["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith(f"arn:aws:lambda:{REGION}::runtime:")
    for absent in ("KMSKeyArn", "Layers", "VpcConfig", "DeadLetterConfig", "Environment", "LastUpdateStatus", "MasterArn"):
        assert absent not in created
    awslambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    active = awslambda.get_function_configuration(FunctionName=name)
    assert active["State"] == "Active"
    assert active["LastUpdateStatus"] == "Successful"
    assert "StateReason" not in active and "StateReasonCode" not in active
    assert active["CodeSha256"] == created["CodeSha256"]


def test_get_function_links_to_the_very_zip(functions, awslambda):
    package = source_zip(PYTHON, ANSWERS[PYTHON].format(value=1))
    name = functions.create(PYTHON, ANSWERS[PYTHON].format(value=1))
    got = awslambda.get_function(FunctionName=name)
    assert got["Configuration"]["FunctionArn"] == arn(name)
    assert got["Code"]["RepositoryType"] == "S3"
    with urllib.request.urlopen(got["Code"]["Location"], timeout=10) as answer:
        assert answer.read() == package
    assert "/_lambent/code/" in got["Code"]["Location"]
    forged = re.sub(r"([0-9a-fA-F]{8})([0-9a-fA-F]*)$", lambda end: "00000000" + end[2], got["Code"]["Location"])
    assert forged != got["Code"]["Location"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(forged, timeout=10)
    assert refused.value.code in (403, 404)


def test_creating_a_name_twice_is_a_conflict(functions, awslambda):
    name = functions.create(PYTHON, ANSWERS[PYTHON].format(value=1))
    code, status, message = refusal(
        awslambda.create_function, FunctionName=name, Runtime=PYTHON, Role=functions.role_arn, Handler="app.handler",
        Code={"ZipFile": source_zip(PYTHON, ANSWERS[PYTHON].format(value=2))})
    assert (code, status) == ("ResourceConflictException", 409)
    assert message == f"Function already exist: {name}"
    assert functions.invoke(name).expect() == {"answer": 1}


def test_list_walks_every_page_once(functions, awslambda):
    made = [functions.create(PYTHON, ANSWERS[PYTHON].format(value=1), stem="page") for _ in range(5)]
    seen, pages, marker = [], 0, None
    while True:
        page = awslambda.list_functions(MaxItems=2, **({"Marker": marker} if marker else {}))
        assert len(page["Functions"]) <= 2
        seen += [function["FunctionName"] for function in page["Functions"]]
        pages += 1
        marker = page.get("NextMarker")
        if not marker:
            break
        assert pages < 50
    assert sorted(name for name in seen if name in made) == sorted(made)
    assert len(seen) == len(set(seen)) and pages >= 3
    by_paginator = [function["FunctionName"]
                    for page in awslambda.get_paginator("list_functions").paginate() for function in page["Functions"]]
    assert by_paginator == seen


def test_updated_code_answers_anew(functions, awslambda, runtime):
    name = functions.create(runtime, ANSWERS[runtime].format(value=1))
    assert functions.invoke(name).expect() == {"answer": 1}
    before = awslambda.get_function_configuration(FunctionName=name)
    updated = functions.update_code(name, runtime, ANSWERS[runtime].format(value=2))
    assert updated["LastUpdateStatus"] == "InProgress"
    # Recorded of AWS: an update says "Creating" too, though the model has a word of its own for it.
    assert updated["LastUpdateStatusReasonCode"] == "Creating"
    assert updated["State"] == "Active"
    assert updated["CodeSha256"] != before["CodeSha256"]
    assert updated["RevisionId"] != before["RevisionId"]
    for _ in range(5):
        assert functions.invoke(name).expect() == {"answer": 2}
    assert awslambda.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "Successful"


def test_updated_configuration_reaches_the_function(functions, awslambda, runtime):
    name = functions.create(runtime, ENVIRONMENT[runtime], Environment={"Variables": {"GREETING": "hi"}})
    assert functions.invoke(name).expect() == {"GREETING": "hi", "memory": "128", "size": "128"}
    before = awslambda.get_function_configuration(FunctionName=name)
    updated = awslambda.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"GREETING": "grüezi"}}, MemorySize=256, Timeout=7,
        Description="second")
    functions.await_update(name)
    assert updated["Environment"] == {"Variables": {"GREETING": "grüezi"}}
    assert (updated["MemorySize"], updated["Timeout"], updated["Description"]) == (256, 7, "second")
    assert updated["RevisionId"] != before["RevisionId"]
    assert functions.invoke(name).expect() == {"GREETING": "grüezi", "memory": "256", "size": "256"}
    kept = awslambda.update_function_configuration(FunctionName=name, Timeout=8)
    functions.await_update(name)
    assert (kept["MemorySize"], kept["Description"], kept["Handler"]) == (256, "second", before["Handler"])


def test_an_outdated_revision_changes_nothing(functions, awslambda):
    name = functions.create(PYTHON, ANSWERS[PYTHON].format(value=1))
    old = awslambda.get_function_configuration(FunctionName=name)["RevisionId"]
    awslambda.update_function_configuration(FunctionName=name, Description="newer")
    functions.await_update(name)
    code, status, _ = refusal(
        awslambda.update_function_configuration, FunctionName=name, Description="older", RevisionId=old)
    assert (code, status) == ("PreconditionFailedException", 412)
    code, status, _ = refusal(awslambda.update_function_code, FunctionName=name, RevisionId=old,
                              ZipFile=source_zip(PYTHON, ANSWERS[PYTHON].format(value=2)))
    assert (code, status) == ("PreconditionFailedException", 412)
    assert awslambda.get_function_configuration(FunctionName=name)["Description"] == "newer"
    assert functions.invoke(name).expect() == {"answer": 1}


def test_deleted_means_gone(functions, awslambda, runtime):
    name = functions.create(runtime, ANSWERS[runtime].format(value=1))
    assert functions.invoke(name).expect() == {"answer": 1}
    assert awslambda.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (awslambda.get_function, awslambda.get_function_configuration, awslambda.delete_function,
                 awslambda.invoke):
        code, status, message = refusal(call, FunctionName=name)
        assert (code, status) == ("ResourceNotFoundException", 404)
        assert message == f"Function not found: {arn(name)}"
    again = functions.create(runtime, ANSWERS[runtime].format(value=3), FunctionName=name)
    assert functions.invoke(again).expect() == {"answer": 3}


@pytest.mark.parametrize("change, code", [
    ({"Role": f"arn:aws:iam::{ACCOUNT}:role/nobody-made-this"}, "InvalidParameterValueException"),
    ({"Runtime": "cobol74"}, "InvalidParameterValueException"),
    ({"Code": {"ZipFile": b"this is no zip"}}, "InvalidParameterValueException"),
    ({"MemorySize": 64}, "ValidationException"),
    ({"Timeout": 0}, "ValidationException"),
    ({"Role": "not an arn"}, "ValidationException"),
    ({"Environment": {"Variables": {"AWS_LAMBDA_FUNCTION_NAME": "mine"}}}, "InvalidParameterValueException"),
    ({"Environment": {"Variables": {"BIG": "x" * 4097}}}, "InvalidParameterValueException"),
])
def test_what_cannot_be_is_refused_and_leaves_nothing(awslambda, role_arn, change, code):
    name = unique("refused")
    arguments = {"FunctionName": name, "Runtime": PYTHON, "Role": role_arn, "Handler": "app.handler",
                 "Code": {"ZipFile": source_zip(PYTHON, ANSWERS[PYTHON].format(value=1))}, **change}
    found, status, _ = refusal(awslambda.create_function, **arguments)
    assert (found, status) == (code, 400)
    assert refusal(awslambda.get_function, FunctionName=name)[:2] == ("ResourceNotFoundException", 404)


def test_a_role_that_lambda_may_not_assume_is_refused(awslambda, iam):
    role = iam.create_role(
        RoleName=unique("ec2-only"),
        AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
                                 '"Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}')["Role"]
    code, status, message = refusal(
        awslambda.create_function, FunctionName=unique("refused"), Runtime=PYTHON, Role=role["Arn"], Handler="app.handler",
        Code={"ZipFile": source_zip(PYTHON, ANSWERS[PYTHON].format(value=1))})
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == "The role defined for the function cannot be assumed by Lambda."


def test_every_violation_is_named_in_one_message(awslambda):
    code, status, message = refusal(
        awslambda.create_function, FunctionName="a b", Runtime=PYTHON, Role="nope", Handler="app.handler", Timeout=0,
        Code={"ZipFile": make_zip({"app.py": "x = 1"})})
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("3 validation errors detected: ")
    for part in ("Value 'a b' at 'functionName'", "Value 'nope' at 'role'", "Value '0' at 'timeout'",
                 "failed to satisfy constraint: Member must satisfy regular expression pattern",
                 "Member must have value greater than or equal to 1"):
        assert part in message


@pytest.mark.parametrize("entries", [
    {"../escaped.py": "x"}, {"/etc/escaped": "x"}, {"a\\..\\b.py": "x"}, {"a/../../escaped.py": "x"},
])
def test_a_zip_that_reaches_out_of_its_tree_is_refused(awslambda, role_arn, entries):
    code, status, _ = refusal(
        awslambda.create_function, FunctionName=unique("slip"), Runtime=PYTHON, Role=role_arn, Handler="app.handler",
        Code={"ZipFile": make_zip({"app.py": "def handler(e, c): pass", **entries})})
    assert (code, status) == ("InvalidParameterValueException", 400)


def test_an_operation_that_lambent_lacks_says_so(awslambda):
    code, status, _ = refusal(awslambda.list_capacity_providers)
    assert status == 501
    assert code not in ("", "500")
