"""Every way to name a function, and every way not to (trial 33)."""

import base64
import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, TRUST_LAMBDA, ensure_role, make_zip
from support.server import ACCOUNT, AS_ROOT, REGION, Server
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


# What another account's policy may share, and what it may not.
OF_ANOTHER = {
    "GetFunction": lambda client, name: client.get_function(FunctionName=name),
    "GetFunctionConfiguration": lambda client, name: client.get_function_configuration(FunctionName=name),
    "InvokeFunction": lambda client, name: client.invoke(FunctionName=name),
    "UpdateFunctionCode": lambda client, name: client.update_function_code(FunctionName=name, ZipFile=make_zip({"app.py": ""})),
    "UpdateFunctionConfiguration": lambda client, name: client.update_function_configuration(FunctionName=name, Timeout=9),
    "DeleteFunction": lambda client, name: client.delete_function(FunctionName=name),
    "GetPolicy": lambda client, name: client.get_policy(FunctionName=name),
}


@pytest.mark.parametrize("action", OF_ANOTHER)
@pytest.mark.parametrize("form", ["999999999999:function:{name}", "arn:aws:lambda:{region}:999999999999:function:{name}"])
def test_a_function_of_another_account_is_not_told_of(server, awslambda, named, action, form):
    """Even root of this account is told nothing but that it may not, whatever there is."""
    for name in (named, "there-is-none"):
        with pytest.raises(ClientError) as refused:
            OF_ANOTHER[action](awslambda, spell(form, name))
        answer = refused.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDeniedException", 403)
        assert answer["Error"]["Message"] == (
            f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: lambda:{action} on resource: "
            f"arn:aws:lambda:{REGION}:999999999999:function:{name} because no resource-based policy allows the lambda:{action} action")


def test_a_region_is_a_namespace_of_its_own(server, named):
    elsewhere = server.client("lambda", region="eu-central-1")
    assert named not in [each["FunctionName"] for each in elsewhere.list_functions()["Functions"]]
    for name, words in (
            (named, f"Function not found: arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{named}"),
            (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}",
             f"Functions from '{REGION}' are not reachable in this region ('eu-central-1')")):
        with pytest.raises(ClientError) as refused:
            elsewhere.get_function(FunctionName=name)
        answer = refused.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ResourceNotFoundException", 404)
        assert answer["Error"]["Message"] == words


# As sent in the path, encoded once.
BAD_PATHS = [
    "..%2Fx", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "%252e%252e", "a%2Fb", "a%00b", "a" * 1000, "%3Breboot", "%24%28id%29",
    "%60id%60", "a%0Ab", "%EF%BC%8E%EF%BC%8E", "%E2%80%A5%2Fx", "a%20b", "%F0%9F%92%A5", "%FF%FE", "a%5Cb", "%27%22", "%7E", "*",
]


@pytest.fixture(scope="module")
def bare():
    """A server that has nothing to do but what it is asked: no functions, and no sandboxes made in advance."""
    server = Server("--spare-memory", "0").start()
    ensure_role(server)
    yield server
    server.discard()


@pytest.fixture
def no_file(bare):
    """That a test leaves not a file in the data directory and beside it, and that none is gone."""
    def listed():
        # The runtimes' bytecode is compiled beside the first requests.
        found = subprocess.run([*AS_ROOT, "find", str(bare.home), "-name", "__pycache__", "-prune", "-o", "-printf", "%y %m %u %P\n"],
                               check=True, capture_output=True, text=True)
        return sorted(found.stdout.splitlines())

    before = listed()
    assert any(line.endswith(" data/lambent.db") for line in before)
    yield
    assert listed() == before


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_name_outside_the_pattern_is_refused(bare, no_file, path):
    for suffix, method, body in (("", "GET", b""), ("/configuration", "GET", b""), ("/invocations", "POST", b"{}")):
        reply = Signed(bare, method, f"/2015-03-31/functions/{path}{suffix}", body).send()
        assert 400 <= reply.status < 500, (suffix, reply.status, reply.body)
        assert reply.code in ("ValidationException", "ResourceNotFoundException", "AccessDeniedException",
                              "InvalidParameterValueException", "UnknownOperationException", "InvalidSignatureException",
                              "SerializationException"), (suffix, reply.code)
        assert b"root:" not in reply.body


@pytest.mark.parametrize("name", ["../x", "a/b", "a\0b", "a" * 65, "a" * 1000, ";reboot", "$(id)", "..", "．．", "a b", "", "a\nb"])
def test_a_name_outside_the_pattern_is_not_created(bare, no_file, name):
    body = json.dumps({"FunctionName": name, "Runtime": PYTHON, "Role": ensure_role(bare), "Handler": "app.handler",
                       "Code": {"ZipFile": base64.b64encode(make_zip({"app.py": ""})).decode()}}).encode()
    reply = Signed(bare, "POST", "/2015-03-31/functions", body).send()
    assert (reply.status, reply.code) in ((400, "ValidationException"), (400, "InvalidParameterValueException")), reply.body
    assert bare.client("lambda").list_functions()["Functions"] == []


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
