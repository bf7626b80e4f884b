"""Every way to name a function, and every way not to (trial 33)."""

import base64
import json

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, TRUST_LAMBDA, make_zip
from support.server import ACCOUNT, REGION
from support.signing import Signed

FORMS = ["{name}", "{account}:function:{name}", "arn:aws:lambda:{region}:{account}:function:{name}"]
QUALIFIED = ["{name}:$LATEST", "{account}:function:{name}:$LATEST", "arn:aws:lambda:{region}:{account}:function:{name}:$LATEST"]


@pytest.fixture(scope="module")
def named(module_functions):
    return module_functions.create(
        PYTHON, "def handler(event, context):\n    return context.invoked_function_arn\n", stem="named")


def spell(form, name):
    return form.format(name=name, account=ACCOUNT, region=REGION)


@pytest.mark.parametrize("form", FORMS)
def test_a_function_answers_to_each_form(awslambda, named, form):
    name = spell(form, named)
    assert awslambda.get_function(FunctionName=name)["Configuration"]["FunctionName"] == named
    assert awslambda.get_function_configuration(FunctionName=name)["FunctionName"] == named
    answer = awslambda.invoke(FunctionName=name)
    assert answer["Payload"].read().decode() == f'"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}"'
    assert awslambda.update_function_configuration(FunctionName=name, Description=form)["Description"] == form
    awslambda.get_waiter("function_updated_v2").wait(FunctionName=named, WaiterConfig={"Delay": 1})


@pytest.mark.parametrize("form", QUALIFIED)
def test_a_qualifier_may_be_in_the_name(awslambda, named, form):
    configuration = awslambda.get_function_configuration(FunctionName=spell(form, named))
    assert configuration["FunctionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}:$LATEST"
    answer = awslambda.invoke(FunctionName=spell(form, named))
    assert answer["Payload"].read().decode().endswith(f'{named}:$LATEST"')


def test_the_same_qualifier_twice_is_fine_and_another_is_not(awslambda, named):
    name = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}:$LATEST"
    assert awslambda.get_function(FunctionName=name, Qualifier="$LATEST")
    with pytest.raises(ClientError) as refused:
        awslambda.get_function(FunctionName=name, Qualifier="1")
    answer = refused.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("InvalidParameterValueException", 400)
    assert answer["Error"]["Message"] == "The derived qualifier from the function name does not match the specified qualifier."


def test_a_function_of_another_account_is_not_told_of(awslambda, named):
    with pytest.raises(ClientError) as refused:
        awslambda.get_function(FunctionName=f"arn:aws:lambda:{REGION}:999999999999:function:{named}")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404)
    assert refused.value.response["Error"]["Code"] in ("AccessDeniedException", "ResourceNotFoundException")


def test_a_region_is_a_namespace_of_its_own(server, named):
    elsewhere = server.client("lambda", region="eu-central-1")
    assert named not in [each["FunctionName"] for each in elsewhere.list_functions()["Functions"]]
    with pytest.raises(ClientError) as refused:
        elsewhere.get_function(FunctionName=named)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(ClientError) as refused:
        elsewhere.get_function(FunctionName=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404)


# As sent in the path, encoded once.
BAD_PATHS = [
    "..%2Fx", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "%252e%252e", "a%2Fb", "a%00b", "a" * 1000, "%3Breboot", "%24%28id%29",
    "%60id%60", "a%0Ab", "%EF%BC%8E%EF%BC%8E", "%E2%80%A5%2Fx", "a%20b", "%F0%9F%92%A5", "%FF%FE", "a%5Cb", "%27%22", "%7E", "*",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_name_outside_the_pattern_is_refused(server, path):
    for suffix, method, body in (("", "GET", b""), ("/configuration", "GET", b""), ("/invocations", "POST", b"{}")):
        reply = Signed(server, method, f"/2015-03-31/functions/{path}{suffix}", body).send()
        assert 400 <= reply.status < 500, (suffix, reply.status, reply.body)
        assert reply.code in ("ValidationException", "ResourceNotFoundException", "AccessDeniedException",
                              "InvalidParameterValueException", "UnknownOperationException", "InvalidSignatureException",
                              "SerializationException"), (suffix, reply.code)
        assert b"root:" not in reply.body


@pytest.mark.parametrize("name", ["../x", "a/b", "a\0b", "a" * 65, "a" * 1000, ";reboot", "$(id)", "..", "．．", "a b", "", "a\nb"])
def test_a_name_outside_the_pattern_is_not_created(server, role_arn, name):
    body = json.dumps({"FunctionName": name, "Runtime": PYTHON, "Role": role_arn, "Handler": "app.handler",
                       "Code": {"ZipFile": base64.b64encode(make_zip({"app.py": ""})).decode()}}).encode()
    reply = Signed(server, "POST", "/2015-03-31/functions", body).send()
    assert (reply.status, reply.code) in ((400, "ValidationException"), (400, "InvalidParameterValueException")), reply.body
    listed = server.client("lambda").list_functions()["Functions"]
    assert name not in [each["FunctionName"] for each in listed]


@pytest.mark.parametrize("handler", ["../../etc/passwd.x", "/etc/passwd.x", "app.handler; id", "$(id).x", "..."])
def test_a_handler_that_points_elsewhere_runs_nothing(functions, handler):
    name = None
    try:
        name = functions.create(PYTHON, "def handler(event, context):\n    return 'ran'\n", Handler=handler)
    except ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return
    answer = functions.invoke(name, {})
    assert answer.error == "Unhandled"
    assert b"root:" not in answer.bytes and b"uid=" not in answer.bytes


def test_older_version_dates_in_the_path_find_the_same_operation(server, named):
    for date in ("2015-03-31", "2016-08-19", "2020-06-30"):
        assert Signed(server, "GET", f"/{date}/functions/{named}").send().status == 200


def test_role_names_are_held_to_their_pattern(iam):
    for name in ("a b", "a/b", "../x", "x" * 65, "$(id)"):
        with pytest.raises(ClientError) as refused:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)
        assert refused.value.response["Error"]["Code"] == "ValidationError"
