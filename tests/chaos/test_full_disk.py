"""A full disk: what cannot be kept is refused, everything else goes on, and space that comes back is enough (trial 4)."""

import json
import os
import re
import subprocess

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role
from support.polling import until
from support.server import AS_ROOT, Server

DISK_MIB = 160
HANDLER = "def handler(event, context):\n    print('RAN', event['n'], flush=True)\n    return event['n']\n"


@pytest.fixture
def server():
    running = Server("--print-function-logs")
    running.data.mkdir()
    subprocess.run([*AS_ROOT, "mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", str(running.data)],
                   check=True)
    try:
        yield running.start()
        if running.process:
            running.stop()
    finally:
        if running.process and running.process.poll() is None:
            running.kill9()
        subprocess.run([*AS_ROOT, "umount", "-l", str(running.data)], check=True)
        running.discard()


def fill(directory):
    """Takes all the space there is; the file that has it."""
    path = directory / "filler"
    with path.open("wb", buffering=0) as filler:
        for size in (1 << 20, 4096):
            try:
                while True:
                    filler.write(b"\0" * size)
            except OSError:
                pass
    return path


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system of its own")
def test_a_full_disk_refuses_events_and_recovers_by_itself(server):
    client = server.client("lambda")
    name = Deployer(server, ensure_role(server)).create(PYTHON, HANDLER, stem="kept")
    accepted = []

    def send(number, padding=0):
        body = json.dumps({"n": number, "pad": "x" * padding}).encode()
        if client.invoke(FunctionName=name, InvocationType="Event", Payload=body)["StatusCode"] == 202:
            accepted.append(number)

    send(0)
    filler = fill(server.data)
    with pytest.raises(ClientError) as refused:
        # The log file may have some room left.
        for number in range(1, 200):
            send(number, 500_000)
    assert refused.value.response["Error"]["Code"] == "ServiceException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert client.get_function(FunctionName=name)["Configuration"]["FunctionName"] == name
    assert json.loads(client.invoke(FunctionName=name, Payload=b'{"n": 1000}')["Payload"].read()) == 1000
    filler.unlink()

    def takes_again():
        try:
            send(2000)
            return True
        except ClientError:
            return False

    until(takes_again, 20, "events are accepted again")
    until(lambda: set(accepted) <= {int(n) for n in re.findall(r"RAN (\d+)", server.log.read_text())}, 30,
          "everything that was accepted ran")
