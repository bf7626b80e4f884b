"""Secrets rest sealed: what somebody finds who gets hold of the data directory, and what becomes of keys."""

import base64
import json
import os
import shutil
import sqlite3
import subprocess

import pytest

from support.functions import PYTHON, Deployer, ensure_role, unique
from support.refusal import refusal
from support.server import AS_ROOT, BINARY

SOURCE = "import os\ndef handler(event, context):\n    return os.environ['SECRET']\n"
KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
EX_CONFIG = 78

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the key file is root's")


def new_line(arn=""):
    return f"{arn} {base64.b64encode(os.urandom(32)).decode()}\n".lstrip()


def files_with(server, text):
    """Names of the data directory's files that hold the text."""
    found = subprocess.run([*AS_ROOT, "grep", "-rlaF", "--", text, str(server.data)], capture_output=True, text=True, timeout=60)
    assert found.returncode in (0, 1), found.stderr
    return [name.removeprefix(str(server.data) + "/") for name in found.stdout.split()]


def start_refused(server, *arguments):
    """What a server says that does not start over the same data."""
    ended = subprocess.run([*AS_ROOT, str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(server.data),
                            "--function-network", "none", *map(str, arguments)], capture_output=True, text=True, timeout=30, cwd="/")
    assert ended.returncode == EX_CONFIG, (ended.returncode, ended.stderr)
    return ended.stderr


def deploy(server, secret, **settings):
    functions = Deployer(server, ensure_role(server))
    return functions.create(PYTHON, SOURCE, Environment={"Variables": {"SECRET": secret}}, **settings)


def invoke(server, name, **arguments):
    return json.loads(server.client("lambda").invoke(FunctionName=name, **arguments)["Payload"].read())


@pytest.fixture
def keyed_server(new_server, tmp_path):
    """Starts a server whose key file has these lines."""
    file = tmp_path / "master.key"

    def start(*lines):
        write_key_file(file, *lines)
        return new_server("--master-key-file", str(file)), file
    return start


def write_key_file(file, *lines):
    file.write_text("".join(lines))
    file.chmod(0o600)


def test_no_file_of_the_data_directory_holds_a_secret(new_server):
    server = new_server()
    secret, changed = unique("canary-environment"), unique("canary-changed")
    name = deploy(server, secret)
    awslambda, iam = server.client("lambda"), server.client("iam")
    awslambda.publish_version(FunctionName=name)
    awslambda.update_function_configuration(FunctionName=name, Environment={"Variables": {"SECRET": changed}})
    awslambda.get_waiter("function_updated").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    user = unique("user")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    assert invoke(server, name) == changed
    assert files_with(server, name), "the database is searched"
    secrets = [secret, changed, key["SecretAccessKey"]]
    assert [files_with(server, text) for text in secrets] == [[], [], []]
    server.kill9()
    assert [files_with(server, text) for text in secrets] == [[], [], []]
    server.start()
    assert [invoke(server, name), invoke(server, name, Qualifier="1")] == [changed, secret]
    identity = server.client("sts", (key["AccessKeyId"], key["SecretAccessKey"])).get_caller_identity()
    assert identity["Arn"].endswith(user)
    assert [files_with(server, text) for text in secrets] == [[], [], []]


def test_without_its_key_the_server_does_not_start_and_makes_no_new_one(new_server):
    server = new_server()
    name = deploy(server, "kept")
    key = server.data.with_name(server.data.name + ".master-key")
    assert key.stat().st_mode & 0o777 == 0o600
    server.stop()
    away = key.with_name("away")
    shutil.move(key, away)
    assert "is not there: put it back" in start_refused(server)
    assert not key.exists()
    write_key_file(key, new_line())
    said = start_refused(server)
    assert "does not have the key" in said and str(key) in said
    shutil.move(away, key)
    server.start()
    assert invoke(server, name) == "kept"


def test_a_new_first_key_takes_over_and_the_old_one_may_go(keyed_server):
    old, new = new_line(), new_line()
    server, file = keyed_server(old)
    name = deploy(server, "kept")
    server.stop()
    write_key_file(file, new, old)
    server.start()
    assert "secrets were sealed anew" in server.said()
    assert invoke(server, name) == "kept"
    server.stop()
    write_key_file(file, new)
    server.start()
    assert invoke(server, name) == "kept"
    server.stop()
    write_key_file(file, old)
    assert "does not have the key" in start_refused(server, "--master-key-file", file)


def test_a_secret_in_the_clear_is_not_taken_by_a_sealed_store(new_server):
    server = new_server()
    server.stop()
    forge = "UPDATE access_keys SET secret = 'known to whoever wrote it'"

    def write(*statements):
        database = sqlite3.connect(server.data / "lambent.db")
        with database:
            for statement in statements:
                database.execute(statement)
        database.close()
        for file in server.data.glob("lambent.db*"):
            shutil.chown(file, *owner)

    about = (server.data / "lambent.db").stat()
    owner = (about.st_uid, about.st_gid)
    write(forge)
    assert "the table access_keys holds the access key" in start_refused(server)
    # Without the mark either: that the store was sealed is noted beside it too.
    write("DELETE FROM sealing")
    assert "the table access_keys holds the access key" in start_refused(server)


def test_a_customers_key_is_shown_back_and_seals_the_environment(keyed_server):
    own, customers = new_line(), new_line(KMS_KEY)
    server, file = keyed_server(own, customers)
    name = deploy(server, "kept", KMSKeyArn=KMS_KEY)
    awslambda = server.client("lambda")
    version = awslambda.publish_version(FunctionName=name)
    assert version["KMSKeyArn"] == KMS_KEY
    assert awslambda.get_function_configuration(FunctionName=name)["KMSKeyArn"] == KMS_KEY
    server.restart()
    assert invoke(server, name) == "kept"
    server.stop()
    write_key_file(file, own)
    said = start_refused(server, "--master-key-file", file)
    assert f"function:{name}" in said and "put that key's line back" in said
    write_key_file(file, own, customers)
    server.start()
    awslambda = server.client("lambda")
    awslambda.update_function_configuration(FunctionName=name, KMSKeyArn="")
    awslambda.get_waiter("function_updated").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    assert "KMSKeyArn" not in awslambda.get_function_configuration(FunctionName=name)
    assert invoke(server, name) == "kept"


def test_a_key_that_is_not_configured_is_refused(server, functions):
    code, status, message = refusal(functions.client.create_function, FunctionName=unique("f"), Role=functions.role_arn,
                                    Runtime=PYTHON, Handler="app.handler", Code={"ZipFile": b"x"}, KMSKeyArn=KMS_KEY)
    assert (status, code) == (400, "InvalidParameterValueException")
    assert message == ("Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
                       "CreateGrant. Please check your KMS key settings. KMS Exception: NotFoundException KMS Message: Key "
                       f"'{KMS_KEY}' does not exist")


def test_a_key_file_must_be_private_whole_and_elsewhere(new_server, tmp_path):
    server = new_server()
    server.stop()
    file = tmp_path / "master.key"
    write_key_file(file, new_line())
    file.chmod(0o644)
    assert "may be read by others" in start_refused(server, "--master-key-file", file)
    write_key_file(file, "short\n")
    assert "line 1" in start_refused(server, "--master-key-file", file)
    assert "must not lie in the data directory" in start_refused(server, "--master-key-file", server.data / "master.key")
