"""What was accepted is kept: over a restart, and over kill -9 at any moment."""

import json
import threading
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from support.functions import NODEJS, PYTHON, TRUST_LAMBDA, Deployer, ensure_role, unique
from support.polling import until
from support.processes import sandboxed

SOURCE = {
    PYTHON: "import os\ndef handler(event, context):\n    return os.environ.get('KEPT')\n",
    NODEJS: "export const handler = async () => process.env.KEPT;\n",
}


def populate(server):
    """Functions, a user with key and policy, and a role; what must be found again."""
    functions = Deployer(server, ensure_role(server))
    names = {runtime: functions.create(runtime, source, Environment={"Variables": {"KEPT": "yes"}})
             for runtime, source in SOURCE.items()}
    iam = server.client("iam")
    user = unique("kept")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}))
    iam.tag_role(RoleName="lambent-test", Tags=[{"Key": "kept", "Value": "yes"}])
    configurations = {name: functions.client.get_function_configuration(FunctionName=name) for name in names.values()}
    return names, user, (key["AccessKeyId"], key["SecretAccessKey"]), configurations


def find_again(server, names, user, key, configurations):
    awslambda = server.client("lambda")
    for name, before in configurations.items():
        now = awslambda.get_function_configuration(FunctionName=name)
        del now["ResponseMetadata"], before["ResponseMetadata"]
        assert now == before
        before["ResponseMetadata"] = None
        assert json.loads(awslambda.invoke(FunctionName=name)["Payload"].read()) == "yes"
    as_user = server.client("lambda", key)
    assert json.loads(as_user.invoke(FunctionName=names[PYTHON])["Payload"].read()) == "yes"
    with pytest.raises(ClientError) as refused:
        as_user.list_functions()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert server.client("iam").get_role(RoleName="lambent-test")["Role"]["Tags"] == [{"Key": "kept", "Value": "yes"}]
    assert server.client("sts", key).get_caller_identity()["Arn"].endswith(user)


def test_a_restart_and_a_kill_lose_nothing(new_server):
    server = new_server()
    root = server.root_key
    kept = populate(server)
    server.restart()
    assert server.root_key == root
    find_again(server, *kept)
    server.kill9()
    server.start()
    assert server.root_key == root
    find_again(server, *kept)
    assert server.stop() == 0


def test_kill_9_between_writes_keeps_every_answered_one(new_server):
    server = new_server()
    acknowledged = []
    failed = threading.Event()

    def write():
        iam = server.client("iam")
        number = 0
        while not failed.is_set():
            number += 1
            name = f"written-{number}"
            try:
                iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)
            except (BotoCoreError, ClientError):
                failed.set()
                return
            acknowledged.append(name)

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(acknowledged) >= 50 or failed.is_set(), 60, "50 roles")
    server.kill9()
    writer.join(60)
    assert not writer.is_alive() and len(acknowledged) >= 50
    server.start()
    found = {role["RoleName"] for page in server.client("iam").get_paginator("list_roles").paginate() for role in page["Roles"]}
    assert set(acknowledged) <= found
    # The one that was under way may be there or not.
    assert len(found) <= len(acknowledged) + 1


def test_sigterm_lets_a_running_invocation_end(new_server):
    server = new_server("--print-function-logs")
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, "import time\ndef handler(event, context):\n    print('it runs for', event, flush=True)\n"
                                    "    time.sleep(event)\n    return 'finished'\n")
    functions.invoke(name, 0).expect()
    answers = []
    running = threading.Thread(target=lambda: answers.append(functions.invoke(name, 2.0).bytes))
    running.start()
    until(lambda: "it runs for 2.0" in server.said(), 10, "the function to run")
    assert server.stop() == 0, server.said()
    running.join(10)
    assert answers == [b'"finished"']


def test_the_root_key_may_be_given(new_server):
    key = ("AKIALAMBENTTESTROOT1", "s" * 40)
    server = new_server(environment={"LAMBENT_ROOT_ACCESS_KEY_ID": key[0], "LAMBENT_ROOT_SECRET_ACCESS_KEY": key[1]})
    assert server.client("sts", key).get_caller_identity()["Arn"].endswith(":root")


def test_no_environment_outlives_the_server(new_server):
    server = new_server()
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, "def handler(event, context):\n    return 1\n")
    functions.invoke(name).expect()
    mine = sandboxed(server)
    assert mine
    server.kill9()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in mine), 10, "sandboxes to end with the server")
    with open("/proc/self/mountinfo") as mounts:
        assert not [line for line in mounts if str(server.home) in line]
    server.start()
    Deployer(server, ensure_role(server)).invoke(name).expect()
