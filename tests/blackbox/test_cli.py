"""Stories told with the ordinary AWS CLI."""

import base64
import json
import os
import re
import subprocess
import urllib.request

import pytest

from blackbox.test_invoke import ENDINGS, FAILURES, assert_failure
from support.functions import ENTRY, PYTHON, TRUST_LAMBDA, source_zip, unique
from support.server import ROOT

AWS = ROOT / "build/venv/bin/aws"


@pytest.fixture
def aws(server, tmp_path):
    """aws("lambda", "list-functions", ...): its JSON, or its text when it printed none; fails when the CLI does."""
    def run(*arguments, status=0):
        done = subprocess.run([AWS, *arguments], env=server.shell_environment(), cwd=tmp_path, capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == status, done.stderr
        if status != 0:
            return done.stderr
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return done.stdout
    return run


def test_a_functions_whole_life(aws, tmp_path, runtime):
    name = unique("cli")
    sources = {
        PYTHON: "def handler(event, context):\n    return {'hello': event['name'], 'version': %d}\n",
    }
    source = sources.get(runtime, "export const handler = async (event) => ({ hello: event.name, version: %d });\n")
    for version in (1, 2):
        (tmp_path / f"{version}.zip").write_bytes(source_zip(runtime, source % version))
    (tmp_path / "event.json").write_text('{"name": "cli"}')
    role = aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", TRUST_LAMBDA)["Role"]
    created = aws("lambda", "create-function", "--function-name", name, "--runtime", runtime, "--handler", ENTRY[runtime][1],
                  "--role", role["Arn"], "--zip-file", "fileb://1.zip")
    assert created["State"] == "Pending"
    aws("lambda", "wait", "function-active-v2", "--function-name", name)
    assert name in [each["FunctionName"] for each in aws("lambda", "list-functions")["Functions"]]
    got = aws("lambda", "get-function", "--function-name", name)
    # What a state brings with it: the rest is as the answer to its creation had it.
    for key in ("State", "StateReason", "StateReasonCode", "RevisionId"):
        created.pop(key)
    assert got["Configuration"].pop("State") == "Active" and got["Configuration"].pop("RevisionId")
    assert got["Configuration"] == {**created, "LastUpdateStatus": "Successful"}
    assert got["Code"]["RepositoryType"] == "S3"
    with urllib.request.urlopen(got["Code"]["Location"], timeout=10) as code:
        assert code.read() == (tmp_path / "1.zip").read_bytes()

    def invoke():
        said = aws("lambda", "invoke", "--function-name", name, "--payload", "fileb://event.json", "answer.json")
        assert said == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
        return json.loads((tmp_path / "answer.json").read_text())

    assert invoke() == {"hello": "cli", "version": 1}
    aws("lambda", "update-function-code", "--function-name", name, "--zip-file", "fileb://2.zip")
    aws("lambda", "wait", "function-updated-v2", "--function-name", name)
    assert invoke() == {"hello": "cli", "version": 2}
    changed = aws("lambda", "update-function-configuration", "--function-name", name, "--timeout", "9")
    assert changed["Timeout"] == 9
    aws("lambda", "wait", "function-updated-v2", "--function-name", name)
    aws("lambda", "delete-function", "--function-name", name)
    said = aws("lambda", "get-function", "--function-name", name, status=255)
    assert "(ResourceNotFoundException) when calling the GetFunction operation: Function not found: arn:aws:lambda:" in said


@pytest.mark.parametrize("end", FAILURES)
def test_a_function_that_fails(aws, tmp_path, functions, runtime, end):
    event, settings, kind, words = FAILURES[end]
    name = functions.create(runtime, ENDINGS[runtime], stem="cli", **{"Timeout": 20, **settings})
    (tmp_path / "event.json").write_text(json.dumps(event))
    said = aws("lambda", "invoke", "--function-name", name, "--payload", "fileb://event.json", "--log-type", "Tail", "answer.json")
    log = base64.b64decode(said.pop("LogResult")).decode()
    assert said == {"StatusCode": 200, "FunctionError": "Unhandled", "ExecutedVersion": "$LATEST"}
    request_id = re.search(r"^REPORT RequestId: (\S+)\t", log, re.M)[1]
    assert_failure(json.loads((tmp_path / "answer.json").read_text()), kind, words, request_id, runtime)


def test_a_list_in_pages_has_everything_once(aws, functions):
    mine = {functions.create(PYTHON, "def handler(event, context):\n    return 1\n", stem="cli-page") for _ in range(3)}

    def listed(*arguments):
        answer = aws("lambda", "list-functions", *arguments)
        return [each["FunctionName"] for each in answer["Functions"]], answer.get("NextToken")

    everything, token = listed()
    assert mine <= set(everything) and token is None
    assert listed("--page-size", "1") == (everything, None)
    # Two items of a page of three: the token that the CLI prints has the server's marker and a place within the page.
    seen, token = listed("--page-size", "3", "--max-items", "2")
    while token:
        assert len(seen) % 2 == 0 and len(seen) < len(everything)
        more, token = listed("--page-size", "3", "--max-items", "2", "--starting-token", token)
        seen += more
    assert seen == everything


def test_a_wrong_key_is_told_as_on_aws(server):
    environment = server.shell_environment((server.root_key[0], "x" * 40))
    done = subprocess.run([AWS, "lambda", "list-functions"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 255
    assert "(InvalidSignatureException)" in done.stderr


def test_the_examples_deploy_and_deploy_again(server):
    environment = {**server.shell_environment(), "AWS": str(AWS)}
    for word in ("created", "updated"):
        done = subprocess.run([ROOT / "examples/deploy.sh"], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert f"{word} hello-python" in done.stdout and f"{word} hello-nodejs" in done.stdout
        assert 'hello-python answered: {"message": "Hello Lambent, from Python 3.' in done.stdout
        assert 'hello-nodejs answered: {"message":"Hello Lambent, from Node.js ' in done.stdout
    awslambda = server.client("lambda")
    for name in ("hello-python", "hello-nodejs"):
        awslambda.delete_function(FunctionName=name)


def test_a_profile_that_assumes_a_role(server, tmp_path):
    iam = server.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{server.account}:root"}, "Action": "sts:AssumeRole"}]})
    role = iam.create_role(RoleName=unique("profile"), AssumeRolePolicyDocument=trust)["Role"]
    user = unique("cli-user")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role["Arn"]}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    (tmp_path / "config").write_text(
        f"[profile base]\n[profile assumed]\nrole_arn = {role['Arn']}\nsource_profile = base\nregion = us-east-1\n")
    (tmp_path / "credentials").write_text(
        f"[base]\naws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n")
    # The CLI keeps assumed roles' credentials beneath HOME: those of another server must not be found there.
    environment = {**os.environ, "HOME": str(tmp_path), "AWS_ENDPOINT_URL": server.endpoint,
                   "AWS_CONFIG_FILE": str(tmp_path / "config"),
                   "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"), "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
    done = subprocess.run([AWS, "--profile", "assumed", "sts", "get-caller-identity"], env=environment, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f":assumed-role/{role['RoleName']}/" in json.loads(done.stdout)["Arn"]
