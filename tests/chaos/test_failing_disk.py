"""A disk whose syncs fail (trial 5): from the first failure on nothing is accepted until a restart, which alone shows what was kept."""

import json
import os
import re

import pytest
from botocore.exceptions import ClientError

from chaos import power_cut
from support.functions import PYTHON, Deployer, ensure_role
from support.polling import until
from support.server import Server

HANDLER = "def handler(event, context):\n    print('RAN', event['n'], flush=True)\n    return event['n']\n"


@pytest.fixture
def server(tmp_path):
    running = Server("--print-function-logs")
    # Where the server's own user can see it.
    running.failing = running.home / "syncs-fail"
    running.environment = {"LD_PRELOAD": str(power_cut.recorder(tmp_path)), "LAMBENT_RECORD_IN": str(running.data),
                           "LAMBENT_RECORD_TO": str(tmp_path / "recording"), "LAMBENT_RECORD_FAIL": str(running.failing)}
    yield running.start()
    running.discard()


@pytest.mark.skipif(os.geteuid() != 0, reason="the server is started with a library before libc, which sudo takes away")
def test_after_a_failed_sync_nothing_is_accepted_until_a_restart(server):
    client = server.client("lambda")
    name = Deployer(server, ensure_role(server)).create(PYTHON, HANDLER, stem="kept")
    accepted = []

    def send(number):
        answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"n": number}).encode())
        assert answer["StatusCode"] == 202
        accepted.append(number)

    def refused(number):
        with pytest.raises(ClientError) as error:
            send(number)
        assert error.value.response["Error"]["Code"] == "ServiceException"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500

    send(1)
    server.failing.touch()
    refused(2)
    # A sync that is tried again succeeds without the page that was lost: it must not be believed.
    server.failing.unlink()
    refused(3)
    with pytest.raises(ClientError):
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    # What needs no write goes on.
    assert client.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name
    assert json.loads(client.invoke(FunctionName=name, Payload=b'{"n": 1000}')["Payload"].read()) == 1000
    server.stop()
    server.start()
    send(4)

    def ran():
        return {int(number) for number in re.findall(r"RAN (\d+)", server.log.read_text())}

    until(lambda: set(accepted) <= ran(), 30, "everything that was accepted ran")
