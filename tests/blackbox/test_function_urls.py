"""Function URLs: HTTP in, HTTP out, and who is let in."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.functions import PYTHON
from support.refusal import arn, refusal
from support.server import REGION

ECHO = """
import json
def handler(event, context):
    if event['rawPath'] == '/fail':
        raise ValueError('no')
    if event['rawPath'] == '/plain':
        return {'hello': 'world'}
    return {'statusCode': 203, 'headers': {'Content-Type': 'application/json', 'X-Path': event['rawPath']},
            'cookies': ['a=1', 'b=2'], 'body': json.dumps(event)}
"""


def visit(server, url, path="/", data=None, method=None, headers=None):
    """(status, headers, body) of a request to a function URL; its host need not resolve."""
    host = url.split("//")[1].rstrip("/")
    asked = urllib.request.Request(server.endpoint + path, data=data, method=method, headers={"Host": host, **(headers or {})})
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def let_everybody_in(awslambda, name):
    awslambda.add_permission(FunctionName=name, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
                             FunctionUrlAuthType="NONE")
    awslambda.add_permission(FunctionName=name, StatementId="invoke", Action="lambda:InvokeFunction", Principal="*",
                             InvokedViaFunctionUrl=True)


@pytest.fixture
def echo(functions, awslambda):
    name = functions.create(PYTHON, ECHO, stem="url")
    return name, awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]


def test_a_request_becomes_an_event_and_an_answer_a_response(server, awslambda, echo):
    name, url = echo
    let_everybody_in(awslambda, name)
    status, headers, body = visit(server, url, "/a/b?x=1&x=2", data="né".encode(), method="PUT",
                                  headers={"Content-Type": "text/plain; charset=utf-8", "Cookie": "c=3"})
    assert (status, headers["X-Path"]) == (203, "/a/b")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    event = json.loads(body)
    assert event["version"] == "2.0" and event["body"] == "né" and event["isBase64Encoded"] is False
    assert event["queryStringParameters"] == {"x": "1,2"} and event["cookies"] == ["c=3"]
    assert event["requestContext"]["http"]["method"] == "PUT"
    assert event["requestContext"]["requestId"] == headers["x-amzn-RequestId"]
    assert json.loads(visit(server, url, "/plain")[2]) == {"hello": "world"}
    assert visit(server, url, "/fail")[::2] == (502, b"Internal Server Error")
    binary = json.loads(visit(server, url, "/", data=b"\xff", method="POST", headers={"Content-Type": "image/png"})[2])
    assert (binary["body"], binary["isBase64Encoded"]) == ("/w==", True)


def test_nobody_gets_in_without_a_permission(server, awslambda, echo):
    name, url = echo
    assert visit(server, url)[::2] == (403, b'{"Message":"Forbidden"}')
    let_everybody_in(awslambda, name)
    assert visit(server, url)[0] == 203
    awslambda.remove_permission(FunctionName=name, StatementId="url")
    assert visit(server, url)[0] == 403
    awslambda.delete_function_url_config(FunctionName=name)
    assert visit(server, url)[0] == 403


def test_it_can_be_reached_by_path_too(server, awslambda, echo):
    name, url = echo
    let_everybody_in(awslambda, name)
    url_id = url.split("//")[1].split(".")[0]
    with urllib.request.urlopen(f"{server.endpoint}/_lambent/url/{url_id}/deep/path", timeout=30) as answer:
        assert answer.headers["X-Path"] == "/deep/path"


def test_aws_iam_wants_a_signature(server, functions, awslambda):
    name = functions.create(PYTHON, ECHO, stem="url")
    url = awslambda.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    assert visit(server, url)[0] == 403
    asked = AWSRequest("GET", url + "signed", headers={"Host": url.split("//")[1].rstrip("/")})
    SigV4Auth(Credentials(*server.root_key), "lambda", REGION).add_auth(asked)
    status, _, body = visit(server, url, "/signed", headers=dict(asked.headers))
    assert status == 203
    assert json.loads(body)["requestContext"]["authorizer"]["iam"]["userArn"].endswith(":root")
    assert visit(server, url, "/other", headers=dict(asked.headers))[0] == 403


def test_configurations_are_listed(functions, awslambda):
    name = functions.create(PYTHON, ECHO, stem="url")
    awslambda.create_function_url_config(FunctionName=name, AuthType="NONE")
    configs = awslambda.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert [config["FunctionArn"] for config in configs] == [arn(name)]
    assert refusal(awslambda.create_function_url_config, FunctionName=name, AuthType="NONE")[:2] == (
        "ResourceConflictException", 409)
    assert refusal(awslambda.create_function_url_config, FunctionName="none", AuthType="NONE") == (
        "ResourceNotFoundException", 404, "Function does not exist")


def test_runtime_management_is_auto(functions, awslambda):
    name = functions.create(PYTHON, ECHO)
    assert awslambda.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    awslambda.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="Auto")
    assert refusal(awslambda.put_runtime_management_config, FunctionName=name, UpdateRuntimeOn="FunctionUpdate")[:2] == (
        "InvalidParameterValueException", 400)
