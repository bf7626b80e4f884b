"""A directory that functions and tests share, in which invocations stay until the test lets them go."""

import json
import os
import shutil
import tempfile
import threading
from pathlib import Path

from botocore.exceptions import ClientError

from support.functions import PYTHON, unique

ACCESS_POINT = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
# Whoever is inside leaves a file, and stays until all may go.
STAYS = """
import os, time
def handler(event, context):
    open(f"/mnt/hall/{event}/inside-{context.aws_request_id}", "x").close()
    while not os.path.exists(f"/mnt/hall/{event}/open"):
        time.sleep(0.01)
    return context.aws_request_id
"""
OWNER = 12345


class Hall:
    """The directory, for as many rooms as there are tests. Only root can give it to the functions' user."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="lambent-shared-", dir="/tmp"))
        self.home.chmod(0o755)
        self.path = directory_of_functions(self.home / "hall")
        # The server's arguments.
        self.options = ("--file-system", f"{ACCESS_POINT}={self.path}")

    def create(self, deployer):
        """A function whose event is the name of the room that it stays in."""
        return deployer.create(PYTHON, STAYS, stem="stays", Timeout=120,
                               FileSystemConfigs=[{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/hall"}])

    def room(self):
        return Room(directory_of_functions(self.path / unique("room")))

    def discard(self):
        shutil.rmtree(self.home)


class Room:
    """Those who are inside, and what became of those who came: request ids of the runs, reasons of the refusals."""

    def __init__(self, path):
        self.path = path
        self.ran, self.reasons, self.threads = [], [], []

    @property
    def event(self):
        return json.dumps(self.path.name)

    def enter(self, client, name, callers, **arguments):
        """So many call at once; none of them is waited for."""
        def call():
            try:
                answer = client.invoke(FunctionName=name, Payload=self.event, **arguments)
                self.ran.append(json.loads(answer["Payload"].read()))
            except ClientError as error:
                self.reasons.append(error.response.get("Reason", error.response["Error"]["Code"]))

        started = [threading.Thread(target=call) for _ in range(callers)]
        for thread in started:
            thread.start()
        self.threads += started

    def inside(self):
        return sorted(path.name.removeprefix("inside-") for path in self.path.glob("inside-*"))

    def open(self):
        """Lets all go and waits for their answers."""
        (self.path / "open").touch()
        for thread in self.threads:
            thread.join()


def directory_of_functions(path):
    path.mkdir()
    os.chown(path, OWNER, OWNER)
    return path
