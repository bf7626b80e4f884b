"""A full disk: what cannot be kept is refused, everything else goes on, and space that comes back is enough (trial 4)."""

import ctypes
import json
import os
import re
import shutil
import subprocess
from contextlib import ExitStack, contextmanager

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role
from support.polling import until
from support.server import AS_ROOT, Server

DISK_MIB = 160
HANDLER = "def handler(event, context):\n    print('RAN', event['n'], flush=True)\n    return event['n']\n"


# Where Debian keeps the programs of file systems, which are not in everybody's PATH.
MKFS = shutil.which("mkfs.ext4", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def as_root(*argv):
    return subprocess.run([*AS_ROOT, *map(str, argv)], check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def own_mounts():
    """This thread and what it starts have a mount namespace of their own meanwhile: what is mounted there goes with it, and no
    server that is started beside takes a copy along."""
    new_namespace = 0x00020000  # CLONE_NEWNS
    libc = ctypes.CDLL(None, use_errno=True)
    directory, before = os.getcwd(), os.open("/proc/thread-self/ns/mnt", os.O_RDONLY)
    assert libc.unshare(new_namespace) == 0, os.strerror(ctypes.get_errno())
    try:
        as_root("mount", "--make-rprivate", "/")
        yield
    finally:
        assert libc.setns(before, new_namespace) == 0, os.strerror(ctypes.get_errno())
        os.close(before)
        os.chdir(directory)


def mount_tmpfs(directory, at_the_end):
    as_root("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs", directory)
    at_the_end.callback(as_root, "umount", "-l", directory)


def mount_loop(directory, at_the_end):
    """As most disks are: blocks are given late, so that their lack may come to light in a sync or in a mapped page."""
    image = directory.parent / "image"
    with image.open("wb") as file:
        file.truncate(DISK_MIB << 20)
    as_root(MKFS, "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", image)
    # The device goes with the mount; an environment that ends may hold that for a moment.
    at_the_end.callback(lambda: until(lambda: not as_root("losetup", "--associated", image), 20, "the loop device is given back"))
    as_root("mount", "-t", "ext4", "-o", "loop,noinit_itable", image, directory)
    at_the_end.callback(as_root, "umount", "-l", directory)


NO_LOOP = pytest.mark.skipif(MKFS is None or not os.path.exists("/dev/loop-control"), reason="wants mkfs.ext4 and loop devices")


@pytest.fixture(params=[pytest.param(mount_tmpfs, id="tmpfs"), pytest.param(mount_loop, id="ext4", marks=NO_LOOP)])
def server(request):
    running = Server("--print-function-logs")
    with ExitStack() as at_the_end:
        at_the_end.callback(running.discard)
        at_the_end.enter_context(own_mounts())
        running.data.mkdir()
        request.param(running.data, at_the_end)
        at_the_end.callback(lambda: running.process and running.process.poll() is None and running.kill9())
        yield running.start()
        if running.process:
            running.stop()


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
