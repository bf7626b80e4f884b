"""Code that is in S3: functions and layers made from objects of a configured endpoint. moto's server stands in for S3."""

import base64
import hashlib
import io
import json
import zipfile

import pytest

from support.functions import PYTHON, Deployer, ensure_role, make_zip, unique
from support.refusal import refusal
from support.server import Server

BUCKET = "code-bucket"
HANDLER = "def handler(event, context):\n    return {answer!r}\n"


def code(answer):
    return make_zip({"app.py": HANDLER.format(answer=answer)})


def sha256(archive):
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


@pytest.fixture(scope="module")
def s3(moto):
    client = moto.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture(scope="module")
def server(moto):
    running = Server("--target-endpoint", f"s3={moto.url}").start()
    yield running
    running.discard()


@pytest.fixture(scope="module")
def awslambda(server):
    return server.client("lambda")


@pytest.fixture
def deploy(server):
    deployer = Deployer(server, ensure_role(server))
    yield deployer
    deployer.clean()


def create(deploy, location):
    name = unique("from-s3")
    answer = deploy.client.create_function(FunctionName=name, Runtime=PYTHON, Handler="app.handler", Role=deploy.role_arn,
                                           Code=location)
    deploy.names.append(name)
    deploy.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return name, answer


def refused(deploy, location, client=None):
    call = (client or deploy.client).create_function
    return refusal(call, FunctionName=unique("refused"), Runtime=PYTHON, Handler="app.handler", Role=deploy.role_arn,
                   Code=location)


def test_a_function_is_created_and_updated_from_a_bucket(deploy, awslambda, s3):
    archive = code("from s3")
    first = s3.put_object(Bucket=BUCKET, Key="a dir/code+1.zip", Body=archive)["VersionId"]
    name, answer = create(deploy, {"S3Bucket": BUCKET, "S3Key": "a dir/code+1.zip"})
    assert (answer["CodeSha256"], answer["CodeSize"]) == (sha256(archive), len(archive))
    assert awslambda.invoke(FunctionName=name)["Payload"].read() == b'"from s3"'
    s3.put_object(Bucket=BUCKET, Key="a dir/code+1.zip", Body=code("newer"))
    awslambda.update_function_code(FunctionName=name, S3Bucket=BUCKET, S3Key="a dir/code+1.zip")
    deploy.await_update(name)
    assert awslambda.invoke(FunctionName=name)["Payload"].read() == b'"newer"'
    back = awslambda.update_function_code(FunctionName=name, S3Bucket=BUCKET, S3Key="a dir/code+1.zip", S3ObjectVersion=first)
    assert back["CodeSha256"] == sha256(archive)


def test_a_layer_is_published_from_a_bucket(awslambda, s3):
    archive = make_zip({"python/tools.py": "X = 1"})
    s3.put_object(Bucket=BUCKET, Key="layer.zip", Body=archive)
    layer = awslambda.publish_layer_version(LayerName=unique("layer"), Content={"S3Bucket": BUCKET, "S3Key": "layer.zip"})
    assert layer["Content"]["CodeSha256"] == sha256(archive)


def test_what_is_too_large_for_a_request_comes_from_s3(deploy, s3):
    # 60 MB, not compressed; the limit of a request is 50.
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as stored:
        stored.writestr("app.py", HANDLER.format(answer="large"))
        stored.writestr("data", bytes(60_000_000))
    archive = packed.getvalue()
    assert len(archive) > 52_428_800
    s3.put_object(Bucket=BUCKET, Key="large.zip", Body=archive)
    name, answer = create(deploy, {"S3Bucket": BUCKET, "S3Key": "large.zip"})
    assert answer["CodeSize"] == len(archive)


@pytest.mark.parametrize("location, code_and_message", [
    ({"S3Bucket": "no-such-bucket", "S3Key": "k"}, ("NoSuchBucket", "The specified bucket does not exist")),
    ({"S3Bucket": BUCKET, "S3Key": "missing"}, ("NoSuchKey", "The specified key does not exist."))])
def test_what_s3_refuses_is_refused_in_awss_words(deploy, s3, location, code_and_message):
    assert refused(deploy, location) == (
        "InvalidParameterValueException", 400,
        "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}".format(*code_and_message))


def test_an_object_that_is_no_zip_or_another_version_is_refused(deploy, s3):
    s3.put_object(Bucket=BUCKET, Key="text", Body=b"no zip")
    answer = refused(deploy, {"S3Bucket": BUCKET, "S3Key": "text"})
    assert answer[:2] == ("InvalidParameterValueException", 400) and answer[2].startswith("Could not unzip uploaded file.")
    answer = refused(deploy, {"S3Bucket": BUCKET, "S3Key": "text", "S3ObjectVersion": "0" * 32})
    assert answer[:2] == ("InvalidParameterValueException", 400)
    assert answer[2].startswith("Error occurred while GetObject. S3 Error Code: ")


def test_members_that_do_not_go_together_are_refused(deploy):
    for location, words in (
            ({"S3Bucket": BUCKET, "S3Key": "k", "ZipFile": code("x")}, "Please do not provide other FunctionCode parameters"),
            ({"S3Bucket": BUCKET}, "Please provide a source for function code."),
            ({"S3Bucket": BUCKET, "S3Key": "k", "S3ObjectStorageMode": "REFERENCE"}, "S3ObjectStorageMode: ")):
        answer = refused(deploy, location)
        assert answer[:2] == ("InvalidParameterValueException", 400) and answer[2].startswith(words), location
    assert refused(deploy, {"S3Bucket": "b", "S3Key": "k"})[:2] == ("ValidationException", 400)


def test_the_caller_needs_the_right_to_read_the_object(server, deploy, s3):
    s3.put_object(Bucket=BUCKET, Key="allowed/code.zip", Body=code("allowed"))
    iam = server.client("iam")
    name = unique("deployer")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    client = server.client("lambda", key=(made["AccessKeyId"], made["SecretAccessKey"]))
    statements = [{"Effect": "Allow", "Action": ["lambda:*", "iam:PassRole"], "Resource": "*"},
                  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/allowed/*"}]
    iam.put_user_policy(UserName=name, PolicyName="deploy", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": statements}))
    assert refused(deploy, {"S3Bucket": BUCKET, "S3Key": "other.zip"}, client) == (
        "AccessDeniedException", 403,
        "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for "
        f"{BUCKET}/other.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied")
    function = unique("from-s3")
    deploy.names.append(function)
    client.create_function(FunctionName=function, Runtime=PYTHON, Handler="app.handler", Role=deploy.role_arn,
                           Code={"S3Bucket": BUCKET, "S3Key": "allowed/code.zip"})


def test_without_an_endpoint_the_refusal_names_the_option(new_server):
    running = new_server()
    answer = refusal(running.client("lambda").create_function, FunctionName="f", Runtime=PYTHON, Handler="app.handler",
                     Role=ensure_role(running), Code={"S3Bucket": BUCKET, "S3Key": "k"})
    assert answer[:2] == ("InvalidParameterValueException", 400) and "--target-endpoint s3=URL" in answer[2]


def test_an_endpoint_that_does_not_answer_is_the_servers_failure(new_server):
    running = new_server("--target-endpoint", "s3=http://127.0.0.1:1")
    answer = refusal(running.client("lambda").create_function, FunctionName="f", Runtime=PYTHON, Handler="app.handler",
                     Role=ensure_role(running), Code={"S3Bucket": BUCKET, "S3Key": "k"})
    assert answer[:2] == ("ServiceException", 500) and answer[2].startswith("Error occurred while GetObject. ")
