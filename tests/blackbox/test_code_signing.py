"""Code signing: who may sign what functions run, and what becomes of code that somebody else signed, or that was changed since."""

import io
import re
import shutil
import subprocess
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from support.clients import tool
from support.functions import PYTHON, Deployer, ensure_role, make_zip, unique
from support.polling import until
from support.refusal import refusal
from support.server import ACCOUNT, REGION, Server
from support.signers import Signer, lambent_sign

ENTRY = "META-INF/lambent_signature_v1.p7s"
HANDLER = "def handler(event, context):\n    return {answer!r}\n"
MISSING = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"


def code(answer="signed"):
    return make_zip({"app.py": HANDLER.format(answer=answer)})


def entries(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def directory():
    """Beneath /tmp itself: the server reads certificates as a user of its own."""
    made = Path(tempfile.mkdtemp(prefix="lambent-signers-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def team(directory):
    return Signer(directory, "team")


@pytest.fixture(scope="module")
def others(directory):
    return Signer(directory, "others")


@pytest.fixture(scope="module")
def expired(directory):
    return Signer(directory, "expired", expired=True)


@pytest.fixture(scope="module")
def stranger(directory):
    return Signer(directory, "stranger")


@pytest.fixture(scope="module")
def server(team, others, expired):
    running = Server(team.argument, others.argument, expired.argument).start()
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


@pytest.fixture
def configs(awslambda, team):
    """make(policy, *publishers): the ARN of a configuration."""
    def make(policy="Enforce", *publishers):
        return awslambda.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": list(publishers) or [team.arn]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy})["CodeSigningConfig"]["CodeSigningConfigArn"]
    return make


def create(deploy, archive, **settings):
    """CreateFunction with an archive as it is; the name."""
    name = unique("signed")
    deploy.client.create_function(FunctionName=name, Runtime=PYTHON, Handler="app.handler", Role=deploy.role_arn,
                                  Code={"ZipFile": archive}, **settings)
    deploy.names.append(name)
    deploy.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return name


def refused(deploy, archive, config, **settings):
    """(code, status, message) of a CreateFunction that must not succeed."""
    name = unique("refused")
    answer = refusal(deploy.client.create_function, FunctionName=name, Runtime=PYTHON, Handler="app.handler",
                     Role=deploy.role_arn, Code={"ZipFile": archive}, CodeSigningConfigArn=config, **settings)
    assert refusal(deploy.client.get_function, FunctionName=name)[1] == 404
    return answer[0], answer[1], answer[2].replace(name, "NAME")


MISMATCH = ("CodeVerificationFailedException", 400,
            "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is "
            "not configured to accept. Check the provided signature for NAME.")


def test_signed_code_is_deployed_and_runs(deploy, awslambda, team, configs):
    config = configs()
    name = create(deploy, team.sign(code()), CodeSigningConfigArn=config)
    assert awslambda.invoke(FunctionName=name)["Payload"].read() == b'"signed"'
    configuration = awslambda.get_function(FunctionName=name)["Configuration"]
    assert configuration["SigningProfileVersionArn"] == team.arn
    assert re.fullmatch(rf"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-jobs/[0-9a-f-]{{36}}", configuration["SigningJobArn"])
    assert awslambda.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"] == config


def test_enforce_refuses_unsigned_foreign_and_expired_code(deploy, team, others, expired, stranger, configs):
    config = configs()
    assert refused(deploy, code(), config) == MISMATCH
    assert refused(deploy, stranger.sign(code()), config) == MISMATCH
    assert refused(deploy, others.sign(code()), config) == MISMATCH
    assert refused(deploy, expired.sign(code()), configs("Enforce", expired.arn)) == MISMATCH


def test_code_that_was_changed_since_is_refused_even_by_warn(deploy, awslambda, team, configs):
    files = entries(team.sign(code()))
    for change in ({"app.py": HANDLER.format(answer="evil")}, {"sitecustomize.py": "evil()"}, {"app.py!": files["app.py"]}):
        changed = make_zip({**{name: content for name, content in files.items() if f"{name}!" not in change}, **change})
        answer = refused(deploy, changed, configs("Warn"))
        assert answer[:2] == ("InvalidCodeSignatureException", 400), change
        assert "failed the integrity check" in answer[2]
    name = create(deploy, team.sign(code("whole")), CodeSigningConfigArn=configs("Warn"))
    for arguments in ({}, {"DryRun": True}):
        answer = refusal(awslambda.update_function_code, FunctionName=name, ZipFile=changed, **arguments)
        assert answer[:2] == ("InvalidCodeSignatureException", 400)
    assert awslambda.invoke(FunctionName=name)["Payload"].read() == b'"whole"'


def test_warn_deploys_and_says_so(server, deploy, awslambda, stranger, configs):
    config = configs("Warn")
    name = create(deploy, code("unsigned"), CodeSigningConfigArn=config)
    awslambda.update_function_code(FunctionName=name, ZipFile=stranger.sign(code("stranger's")))
    deploy.await_update(name)
    assert awslambda.invoke(FunctionName=name)["Payload"].read() == b'"stranger\'s"'
    until(lambda: server.log.read_text().count(config) == 2, 10, "two warnings in the server's log")


def test_the_configuration_holds_for_the_next_deployment(deploy, awslambda, team, configs):
    name = create(deploy, code("before"))
    awslambda.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=configs())
    assert awslambda.invoke(FunctionName=name)["Payload"].read() == b'"before"'
    for arguments in ({}, {"DryRun": True}):
        answer = refusal(awslambda.update_function_code, FunctionName=name, ZipFile=code("x"), **arguments)
        assert answer[0] == "CodeVerificationFailedException"
        assert f"function:{name}." in answer[2]
    awslambda.update_function_code(FunctionName=name, ZipFile=team.sign(code("after")))
    deploy.await_update(name)
    awslambda.delete_function_code_signing_config(FunctionName=name)
    awslambda.update_function_code(FunctionName=name, ZipFile=code("free"))
    deploy.await_update(name)
    assert "SigningProfileVersionArn" not in awslambda.get_function_configuration(FunctionName=name)


def test_layers_must_be_signed_too(deploy, awslambda, team, configs):
    layer = unique("layer")
    archive = make_zip({"python/tools.py": "X = 1"})
    plain = awslambda.publish_layer_version(LayerName=layer, Content={"ZipFile": archive})
    signed = awslambda.publish_layer_version(LayerName=layer, Content={"ZipFile": team.sign(archive)})
    assert "SigningProfileVersionArn" not in plain["Content"]
    assert signed["Content"]["SigningProfileVersionArn"] == team.arn
    config = configs()
    assert refused(deploy, team.sign(code()), config, Layers=[plain["LayerVersionArn"]]) == MISMATCH
    name = create(deploy, team.sign(code()), CodeSigningConfigArn=config, Layers=[signed["LayerVersionArn"]])
    attached = awslambda.get_function_configuration(FunctionName=name)["Layers"]
    assert attached[0]["SigningProfileVersionArn"] == team.arn
    answer = refusal(awslambda.update_function_configuration, FunctionName=name, Layers=[plain["LayerVersionArn"]])
    assert answer[0] == "CodeVerificationFailedException"


def test_configurations_are_read_back_as_they_were_written(awslambda, team, others):
    made = awslambda.create_code_signing_config(
        Description="ours", AllowedPublishers={"SigningProfileVersionArns": [team.arn, others.arn]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}, Tags={"a": "1"})["CodeSigningConfig"]
    arn = made["CodeSigningConfigArn"]
    assert re.fullmatch(r"csc-[a-z0-9]{17}", made["CodeSigningConfigId"])
    assert awslambda.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"] == made
    assert awslambda.list_tags(Resource=arn)["Tags"] == {"a": "1"}
    changed = awslambda.update_code_signing_config(
        CodeSigningConfigArn=arn, AllowedPublishers={"SigningProfileVersionArns": [others.arn]})["CodeSigningConfig"]
    assert changed["AllowedPublishers"] == {"SigningProfileVersionArns": [others.arn]}
    assert (changed["Description"], changed["CodeSigningPolicies"]) == ("ours", made["CodeSigningPolicies"])
    awslambda.tag_resource(Resource=arn, Tags={"b": "2"})
    awslambda.untag_resource(Resource=arn, TagKeys=["a"])
    assert awslambda.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    awslambda.delete_code_signing_config(CodeSigningConfigArn=arn)
    assert refusal(awslambda.get_code_signing_config, CodeSigningConfigArn=arn) == (
        "ResourceNotFoundException", 404, f"The Lambda code signing configuration {arn} can not be found.")


def test_lists_have_pages(awslambda, deploy, team, configs):
    arns = {configs("Warn") for _ in range(3)}
    pages = list(awslambda.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 2}))
    listed = [each["CodeSigningConfigArn"] for page in pages for each in page["CodeSigningConfigs"]]
    assert len(listed) == len(set(listed)) and arns <= set(listed)
    used = sorted(arns)[0]
    names = sorted(create(deploy, code(), CodeSigningConfigArn=used) for _ in range(2))
    first = awslambda.list_functions_by_code_signing_config(CodeSigningConfigArn=used, MaxItems=1)
    rest = awslambda.list_functions_by_code_signing_config(CodeSigningConfigArn=used, Marker=first["NextMarker"])
    assert [arn.rsplit(":", 1)[1] for arn in first["FunctionArns"] + rest["FunctionArns"]] == names
    assert "NextMarker" not in rest


def test_a_configuration_that_is_used_stays(awslambda, deploy, configs):
    config = configs("Warn")
    name = create(deploy, code(), CodeSigningConfigArn=config)
    assert refusal(awslambda.delete_code_signing_config, CodeSigningConfigArn=config)[:2] == ("ResourceConflictException", 409)
    awslambda.delete_function(FunctionName=name)
    awslambda.delete_code_signing_config(CodeSigningConfigArn=config)


def test_refusals_of_configurations(awslambda, team):
    def publishers(*arns):
        return {"AllowedPublishers": {"SigningProfileVersionArns": list(arns)}}

    unknown = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/nobody/0123456789"
    answer = refusal(awslambda.create_code_signing_config, **publishers(unknown))
    assert answer[:2] == ("InvalidParameterValueException", 400) and unknown in answer[2]
    for wrong in (publishers(), publishers(*[team.arn] * 21), publishers("team"),
                  {**publishers(team.arn), "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Maybe"}}):
        assert refusal(awslambda.create_code_signing_config, **wrong)[:2] == ("ValidationException", 400), wrong
    too_many = {f"t{number}": "v" for number in range(51)}
    assert refusal(awslambda.create_code_signing_config, **publishers(team.arn), Tags=too_many)[:2] == (
        "InvalidParameterValueException", 400)
    for operation in ("get_code_signing_config", "delete_code_signing_config", "list_functions_by_code_signing_config",
                      "update_code_signing_config"):
        call = getattr(awslambda, operation)
        assert refusal(call, CodeSigningConfigArn=MISSING)[:2] == ("ResourceNotFoundException", 404), operation
        assert refusal(call, CodeSigningConfigArn=MISSING.replace(REGION, "eu-west-1"))[1] == 404, operation
        assert refusal(call, CodeSigningConfigArn=MISSING.replace(ACCOUNT, "210987654321"))[:2] == (
            "AccessDeniedException", 403), operation
        assert refusal(call, CodeSigningConfigArn="csc-1")[:2] == ("ValidationException", 400), operation
    assert refusal(awslambda.list_code_signing_configs, Marker="nonsense")[0] == "InvalidParameterValueException"


def test_refusals_around_functions(awslambda, deploy, configs):
    name = create(deploy, code())
    assert "CodeSigningConfigArn" not in awslambda.get_function_code_signing_config(FunctionName=name)
    assert refusal(awslambda.put_function_code_signing_config, FunctionName=name, CodeSigningConfigArn=MISSING) == (
        "CodeSigningConfigNotFoundException", 404,
        f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {MISSING}.")
    assert refused(deploy, code(), MISSING)[0] == "CodeSigningConfigNotFoundException"
    config = configs()
    for call, arguments in ((awslambda.put_function_code_signing_config, {"CodeSigningConfigArn": config}),
                            (awslambda.get_function_code_signing_config, {}),
                            (awslambda.delete_function_code_signing_config, {})):
        assert refusal(call, FunctionName="nobody", **arguments)[:2] == ("ResourceNotFoundException", 404)
        assert refusal(call, FunctionName=f"210987654321:function:{name}", **arguments)[:2] == ("AccessDeniedException", 403)
        assert refusal(call, FunctionName=f"{name}:1", **arguments)[:2] == ("InvalidParameterValueException", 400)


def test_a_user_needs_the_operations_right(server, configs):
    iam = server.client("iam")
    name = unique("signer")
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    theirs = server.client("lambda", key=(made["AccessKeyId"], made["SecretAccessKey"]))
    config = configs()
    answer = refusal(theirs.get_code_signing_config, CodeSigningConfigArn=config)
    assert answer[:2] == ("AccessDeniedException", 403) and "lambda:GetCodeSigningConfig" in answer[2]
    iam.put_user_policy(UserName=name, PolicyName="read", PolicyDocument=(
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:GetCodeSigningConfig","Resource":"'
        + config + '"}]}'))
    assert theirs.get_code_signing_config(CodeSigningConfigArn=config)["CodeSigningConfig"]["CodeSigningConfigArn"] == config
    assert refusal(theirs.get_code_signing_config, CodeSigningConfigArn=configs())[0] == "AccessDeniedException"


def test_configurations_outlive_a_kill(new_server, team):
    running = new_server(team.argument)
    client = running.client("lambda")
    config = client.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [team.arn]},
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"})["CodeSigningConfig"]["CodeSigningConfigArn"]
    client.create_function(FunctionName="f", Runtime=PYTHON, Handler="app.handler", Role=ensure_role(running),
                           Code={"ZipFile": team.sign(code())}, CodeSigningConfigArn=config)
    running.kill9()
    running.start()
    client = running.client("lambda")
    client.get_waiter("function_active_v2").wait(FunctionName="f", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert client.get_function_code_signing_config(FunctionName="f")["CodeSigningConfigArn"] == config
    assert client.get_function_configuration(FunctionName="f")["SigningProfileVersionArn"] == team.arn
    assert refusal(client.update_function_code, FunctionName="f", ZipFile=code())[0] == "CodeVerificationFailedException"


def test_failures_are_counted(server, deploy, configs):
    assert refused(deploy, code(), configs()) == MISMATCH
    asked = urllib.request.Request(server.endpoint + "/_lambent/metrics")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        text = answer.read().decode()
    assert re.search(r'lambent_signature_validation_errors_total\{policy="Enforce",reason="unsigned"\} [1-9]', text)


# `lambent sign`


def test_a_signed_archive_is_an_ordinary_zip(team):
    archive = code()
    signed = entries(team.sign(archive))
    assert signed.pop(ENTRY)
    assert signed == entries(archive)


def test_a_signature_can_be_made_by_other_programs(directory, deploy, team, configs):
    archive = directory / "elsewhere.zip"
    archive.write_bytes(code())
    statement = lambent_sign(archive, "--statement")
    assert re.fullmatch(rb"lambent-code-v1 sha256:[0-9a-f]{64}\n", statement)
    signature = directory / "elsewhere.p7s"
    signature.write_bytes(team.detached(statement))
    lambent_sign(archive, "--signature", signature)
    create(deploy, archive.read_bytes(), CodeSigningConfigArn=configs())
    # And put in by any zip tool.
    archive.write_bytes(make_zip({**entries(code()), ENTRY: signature.read_bytes()}))
    create(deploy, archive.read_bytes(), CodeSigningConfigArn=configs())


def test_openssl_signs_as_the_documentation_says(directory, deploy, team, configs):
    archive, statement, signature = (directory / f"openssl.{end}" for end in ("zip", "txt", "p7s"))
    archive.write_bytes(code())
    statement.write_bytes(lambent_sign(archive, "--statement"))
    subprocess.run([tool("openssl"), "cms", "-sign", "-binary", "-in", statement, "-signer", team.certificate_file, "-inkey",
                    team.key_file, "-outform", "DER", "-out", signature], check=True, timeout=30)
    lambent_sign(archive, "--signature", signature)
    create(deploy, archive.read_bytes(), CodeSigningConfigArn=configs())


def test_the_command_refuses_what_it_cannot_do(directory, team, others):
    archive = directory / "refused.zip"
    archive.write_bytes(team.sign(code()))
    before = archive.read_bytes()
    own = ("--certificate", team.certificate_file, "--key")
    assert b"has a signature already" in lambent_sign(archive, *own, team.key_file, status=78)
    archive.write_bytes(code())
    assert b"is not the certificate's" in lambent_sign(archive, *own, others.key_file, status=78)
    assert b"--certificate and --key" in lambent_sign(archive, status=78)
    archive.write_bytes(b"no zip")
    assert b"not a zip" in lambent_sign(archive, *own, team.key_file, status=78)
    assert archive.read_bytes() == b"no zip" and before
    lambent_sign(directory / "missing.zip", *own, team.key_file, status=64)


@pytest.mark.parametrize("profile, words", [
    ("team", "there is no '='"), ("team=/nonexistent.pem", "there is no such file"), ("a-b={}", "2 to 64 letters"),
    ("arn:aws:lambda:us-east-1:123456789012:x={}", "a profile's ARN is"), ("team={key}", "no certificate")])
def test_a_profile_that_is_none_stops_the_start(team, profile, words):
    given = profile.format(team.certificate_file, key=team.key_file)
    failing = Server(f"--signing-profile={given}")
    try:
        with pytest.raises(AssertionError, match="the server ended with status 64"):
            failing.start()
        assert words in failing.said()
    finally:
        failing.discard()
