"""Who is calling: a request that was not signed so, for this, now, is refused with AWS's code and does nothing."""

import base64
import datetime
import json
import socket
import time
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, source_zip, unique
from support.signing import Signed

TARGET = "/2015-03-31/functions/"
NOT_EQUAL = "The request signature we calculated does not match the signature you provided."


@pytest.fixture
def creation(server, role_arn, awslambda):
    """Signs CreateFunction; what is refused must not have created it."""
    name = unique("never")

    def sign(**settings):
        package = source_zip(PYTHON, "def handler(event, context):\n    return 1\n")
        body = json.dumps({"FunctionName": name, "Runtime": PYTHON, "Role": role_arn, "Handler": "app.handler",
                           "Code": {"ZipFile": base64.b64encode(package).decode()}}).encode()
        return Signed(server, "POST", TARGET + settings.pop("query", ""), body, **settings)

    yield sign
    with pytest.raises(ClientError) as caught:
        awslambda.get_function(FunctionName=name)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def at(moment):
    """botocore signs as if it were `moment` (a datetime in UTC)."""
    return mock.patch("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: moment)


def now(**offset):
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + datetime.timedelta(**offset)


def expect(reply, code, status=403):
    assert (reply.status, reply.code) == (status, code), reply.body
    assert reply.headers["x-amzn-requestid"]


def test_what_is_signed_right_is_done(server):
    reply = Signed(server, "GET", TARGET).send()
    assert reply.status == 200 and "Functions" in json.loads(reply.body)


def test_wrong_secret(server, creation):
    reply = creation(key=(server.root_key[0], "x" * 40)).send()
    expect(reply, "InvalidSignatureException")
    assert reply.message.startswith(NOT_EQUAL)


def test_unknown_key(creation):
    reply = creation(key=("AKIAIOSFODNN7NOTHERE", "x" * 40)).send()
    expect(reply, "UnrecognizedClientException")
    assert reply.message == "The security token included in the request is invalid."


def test_changed_body(creation):
    request = creation()
    request.body = request.body.replace(b"app.handler", b"app.hijacks")
    expect(request.send(), "InvalidSignatureException")


def test_changed_header(creation):
    request = creation(headers={"X-Amz-Meta-Colour": "blue"})
    request.headers["X-Amz-Meta-Colour"] = "red"
    expect(request.send(), "InvalidSignatureException")


def test_changed_query(creation):
    request = creation(query="?a=1")
    request.target = request.target.replace("a=1", "a=2")
    expect(request.send(), "InvalidSignatureException")


def test_added_query(creation):
    request = creation()
    request.target += "?extra=1"
    expect(request.send(), "InvalidSignatureException")


def test_changed_path(server):
    request = Signed(server, "GET", TARGET + "one")
    request.target = TARGET + "two"
    expect(request.send(), "InvalidSignatureException")


def test_changed_method(server):
    request = Signed(server, "GET", TARGET + "one")
    request.method = "DELETE"
    expect(request.send(), "InvalidSignatureException")


def test_changed_host(creation):
    request = creation()
    request.headers["Host"] = "lambda.us-east-1.amazonaws.com"
    expect(request.send(), "InvalidSignatureException")


def test_an_unsigned_amz_header_is_not_let_in(creation):
    request = creation()
    request.headers["X-Amz-Invocation-Type"] = "DryRun"
    expect(request.send(), "InvalidSignatureException")


def test_a_signed_header_that_is_gone(creation):
    request = creation(headers={"X-Amz-Meta-Colour": "blue"})
    del request.headers["X-Amz-Meta-Colour"]
    expect(request.send(), "InvalidSignatureException")


@pytest.mark.parametrize("minutes", [-6, -60 * 24 * 3, 6])
def test_a_date_more_than_five_minutes_away(creation, minutes):
    with at(now(minutes=minutes)):
        request = creation()
    expect(request.send(), "InvalidSignatureException")


@pytest.mark.parametrize("minutes", [-4, 4])
def test_a_clock_four_minutes_off_is_fine(server, minutes):
    with at(now(minutes=minutes)):
        request = Signed(server, "GET", TARGET)
    assert request.send().status == 200


def test_no_signature(creation):
    request = creation()
    del request.headers["Authorization"]
    reply = request.send()
    expect(reply, "MissingAuthenticationTokenException")
    assert reply.message == "Missing Authentication Token"


@pytest.mark.parametrize("authorization", [
    "AWS4-HMAC-SHA256 Credential=x", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=AKIAX/20261122/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=",
    "AWS4-HMAC-SHA256 SignedHeaders=host;x-amz-date, Signature=" + "0" * 64,
])
def test_half_a_signature(creation, authorization):
    request = creation()
    request.headers["Authorization"] = authorization
    reply = request.send()
    assert reply.status in (400, 403)
    assert reply.code in ("IncompleteSignatureException", "InvalidSignatureException", "MissingAuthenticationTokenException",
                          "UnrecognizedClientException")


@pytest.mark.parametrize("authorization", ["Basic cm9vdDpyb290", "Bearer token"])
def test_another_kind_of_authorization(creation, authorization):
    request = creation()
    request.headers["Authorization"] = authorization
    assert request.send().status in (400, 403)


def test_both_forms_of_signature_at_once(server):
    request = Signed(server, "GET", TARGET, presign_for=60)
    request.headers = Signed(server, "GET", request.target).headers
    assert request.send().status in (400, 403)


def test_the_scope_of_another_service_or_region(creation, server):
    for settings in ({"service": "sqs"}, {"service": "iam"}):
        request = creation(**settings)
        reply = request.send()
        # 501: this server does not have the service at all.
        assert reply.status in (400, 403, 404, 501), reply.body
    request = Signed(server, "GET", TARGET)
    request.headers["Authorization"] = request.headers["Authorization"].replace("/us-east-1/", "/eu-west-1/")
    expect(request.send(), "InvalidSignatureException")


def test_presigned(server):
    assert Signed(server, "GET", TARGET, presign_for=60).send().status == 200


def test_presigned_past_its_time(server):
    with at(now(seconds=-30)):
        request = Signed(server, "GET", TARGET, presign_for=10)
    expect(request.send(), "InvalidSignatureException")


def test_presigned_and_changed(server):
    request = Signed(server, "GET", TARGET, presign_for=60)
    request.target = request.target.replace("X-Amz-Expires=60", "X-Amz-Expires=600")
    expect(request.send(), "InvalidSignatureException")


def test_presigned_for_more_than_a_week(server):
    reply = Signed(server, "GET", TARGET, presign_for=604_801).send()
    assert reply.status in (400, 403) and reply.code


def test_a_query_service_refuses_in_its_own_words(server):
    request = Signed(server, "POST", "/", b"Action=ListUsers&Version=2010-05-08", service="iam",
                     headers={"Content-Type": "application/x-www-form-urlencoded"}, key=(server.root_key[0], "x" * 40))
    reply = request.send()
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    request = Signed(server, "POST", "/", b"Action=ListUsers&Version=2010-05-08", service="iam",
                     headers={"Content-Type": "application/x-www-form-urlencoded"}, key=("AKIAIOSFODNN7NOTHERE", "x" * 40))
    reply = request.send()
    assert (reply.status, reply.code) == (403, "InvalidClientTokenId")


def test_an_access_key_that_was_switched_off_or_deleted(server, iam):
    user = unique("off")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    sts = server.client("sts", (key["AccessKeyId"], key["SecretAccessKey"]))
    assert sts.get_caller_identity()["Arn"].endswith(f":user/{user}")
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with pytest.raises(ClientError) as refused:
        sts.get_caller_identity()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Active")
    sts.get_caller_identity()
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    with pytest.raises(ClientError) as refused:
        sts.get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"
    iam.delete_user(UserName=user)


def test_session_credentials_need_their_own_token(server, iam):
    role = iam.create_role(RoleName=unique("session"), AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}))["Role"]
    user = unique("assumer")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="assume", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role["Arn"]}]}))
    made = iam.create_access_key(UserName=user)["AccessKey"]
    sts = server.client("sts", (made["AccessKeyId"], made["SecretAccessKey"]))
    one, other = (sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"] for name in ("one", "other"))
    assert one["AccessKeyId"].startswith("ASIA")

    def identity(token):
        key = (one["AccessKeyId"], one["SecretAccessKey"], *([token] if token else []))
        return server.client("sts", key).get_caller_identity()

    assert identity(one["SessionToken"])["Arn"].endswith(f":assumed-role/{role['RoleName']}/one")
    for wrong in (None, other["SessionToken"], one["SessionToken"][:-4] + "AAAA", "x" * 300):
        with pytest.raises(ClientError) as refused:
            identity(wrong)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_refusals_cost_no_body(server):
    """An unknown key is told before the body is sent: nobody's gigabytes are read for a 403."""
    request = Signed(server, "POST", TARGET, b"{}", key=("AKIAIOSFODNN7NOTHERE", "x" * 40))
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = [f"POST {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items()),
                "Content-Length: 50000000", "", ""]
        connection.sendall("\r\n".join(head).encode())
        assert b" 403 " in connection.recv(4096).split(b"\r\n")[0]
    assert time.monotonic() - began < 5
