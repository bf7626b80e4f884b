"""Shared file systems: a directory of the server's configuration that functions have beneath /mnt."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.functions import NODEJS, PYTHON, Deployer, ensure_role, unique
from support.refusal import refusal
from support.server import BINARY, Server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a directory is given to another user")

ACCESS_POINT = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"
S3_FILES = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef0"
UNKNOWN = ACCESS_POINT[:-1] + "1"
OWNER = 12345
EX_USAGE = 64

AGENT = """
import errno, os, stat

def attempt(work):
    try:
        result = work()
        return "done" if result is None else result
    except OSError as error:
        return errno.errorcode[error.errno]

def write(path, text):
    with open(path, "w") as file:
        file.write(text)

def read(path):
    with open(path) as file:
        return file.read()

def owner(path):
    return [os.stat(path).st_uid == os.getuid(), os.stat(path).st_gid == os.getgid()]

def work():
    os.makedirs("/mnt/data/a/b")
    os.rename("/mnt/data/a/b", "/mnt/data/b")
    os.symlink("target", "/mnt/data/link")
    os.chmod("/mnt/data/b", 0o700)
    os.rmdir("/mnt/data/a")
    return sorted(os.listdir("/mnt/data"))

def options(path):
    flags = os.statvfs(path).f_flag
    return {"nosuid": bool(flags & os.ST_NOSUID), "nodev": bool(flags & os.ST_NODEV)}

def handler(event, context):
    return attempt(lambda: eval(event))
"""
JAVASCRIPT = """
import { writeFileSync, readFileSync } from 'node:fs';
export const handler = async (text) => { writeFileSync('/mnt/data/node', text); return readFileSync('/mnt/data/shared', 'utf8'); };
"""


@pytest.fixture(scope="module")
def shared():
    home = Path(tempfile.mkdtemp(prefix="lambent-shared-", dir="/tmp"))
    home.chmod(0o755)
    directory = home / "shared"
    directory.mkdir(mode=0o750)
    os.chown(directory, OWNER, OWNER)
    yield directory
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def server(shared):
    made = Server("--file-system", f"{ACCESS_POINT}={shared}")
    yield made.start()
    made.discard()


@pytest.fixture(scope="module")
def deployer(server):
    made = Deployer(server, ensure_role(server))
    yield made
    made.clean()


def mounted_at(path):
    return [{"Arn": ACCESS_POINT, "LocalMountPath": path}]


@pytest.fixture(scope="module")
def agent(deployer):
    return deployer.create(PYTHON, AGENT, FileSystemConfigs=mounted_at("/mnt/data"))


@pytest.fixture
def run(deployer, agent):
    return lambda expression: deployer.invoke(agent, expression).value


def test_what_was_written_is_read_back_and_shown(deployer, agent):
    shown = deployer.client.get_function_configuration(FunctionName=agent)
    assert shown["FileSystemConfigs"] == mounted_at("/mnt/data")


def test_what_one_function_writes_the_host_and_another_function_read(deployer, run, shared):
    assert run("write('/mnt/data/shared', 'from python')") == "done"
    file = shared / "shared"
    assert file.read_text() == "from python"
    assert (file.stat().st_uid, file.stat().st_gid) == (OWNER, OWNER)
    assert run("owner('/mnt/data/shared')") == [True, True]
    node = deployer.create(NODEJS, JAVASCRIPT, FileSystemConfigs=mounted_at("/mnt/data"))
    assert deployer.invoke(node, "from node").value == "from python"
    assert run("read('/mnt/data/node')") == "from node"
    assert (shared / "node").stat().st_uid == OWNER


def test_directories_links_and_renames_work(run):
    assert {"b", "link"} <= set(run("work()"))


def test_it_is_no_way_out(run, shared):
    outside = shared.parent / "outside"
    outside.write_text("nobody's")
    for name, target in (("absolute", outside), ("relative", "../outside")):
        link = shared / name
        if not link.is_symlink():
            link.symlink_to(target)
        assert run(f"read('/mnt/data/{name}')") == "ENOENT"
    assert run("os.listdir('/mnt/data/..')") == ["data"]
    assert run("write('/mnt/other', '')") == "EACCES"
    assert run("options('/mnt/data')") == {"nosuid": True, "nodev": True}
    device = shared / "device"
    if not device.exists():
        os.mknod(device, 0o666 | 0o020000, os.makedev(1, 5))
        device.chmod(0o666)
    assert run("open('/mnt/data/device', 'rb').read(1).hex()") == "EACCES"
    assert run("os.mknod('/mnt/data/made', 0o600 | stat.S_IFCHR, os.makedev(1, 5))") == "EPERM"
    (shared / "roots").write_text("root's")
    (shared / "roots").chmod(0o600)
    assert run("read('/mnt/data/roots')") == "EACCES"


def test_a_function_without_it_has_nothing_there(deployer):
    name = deployer.create(PYTHON, AGENT)
    assert deployer.invoke(name, "os.listdir('/mnt')").value == []


def test_an_update_mounts_it_elsewhere_and_takes_it_away(deployer, shared):
    (shared / "mark").write_text("here")
    (shared / "mark").chmod(0o644)
    name = deployer.create(PYTHON, AGENT)
    for systems, path, expected in ((mounted_at("/mnt/one"), "/mnt/one/mark", "here"),
                                    (mounted_at("/mnt/Two_2.x-y"), "/mnt/Two_2.x-y/mark", "here"), ([], "/mnt/one/mark", "ENOENT")):
        deployer.client.update_function_configuration(FunctionName=name, FileSystemConfigs=systems)
        deployer.await_update(name)
        assert deployer.invoke(name, f"read('{path}')").value == expected
    assert "FileSystemConfigs" not in deployer.client.get_function_configuration(FunctionName=name)


@pytest.mark.parametrize("systems, code, says", [
    ([{"Arn": UNKNOWN, "LocalMountPath": "/mnt/x"}], "InvalidParameterValueException", f"{UNKNOWN} does not exist"),
    ([{"Arn": ACCESS_POINT, "LocalMountPath": "/srv/x"}], "ValidationException", "localMountPath"),
    ([{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/.."}], "InvalidParameterValueException", "/mnt/.."),
    ([{"Arn": "arn:aws:s3:::bucket", "LocalMountPath": "/mnt/x"}], "ValidationException", "arn"),
    ([{"Arn": ACCESS_POINT, "LocalMountPath": "/mnt/x"}] * 2, "ValidationException", "fileSystemConfigs"),
])
def test_what_cannot_be_mounted_is_refused(deployer, agent, systems, code, says):
    refused = refusal(deployer.client.update_function_configuration, FunctionName=agent, FileSystemConfigs=systems)
    assert refused[:2] == (code, 400)
    assert says in refused[2]


def test_after_a_restart_it_is_there_and_without_its_directory_invocations_are_told(server, deployer, shared):
    name = deployer.create(PYTHON, AGENT, FileSystemConfigs=mounted_at("/mnt/data"))
    assert deployer.invoke(name, "write('/mnt/data/kept', 'yes')").value == "done"
    server.stop()
    with_it, server.arguments = server.arguments, (*server.arguments, "--file-system", f"{S3_FILES}={shared}")
    server.start()
    again = Deployer(server, deployer.role_arn)
    assert again.invoke(name, "read('/mnt/data/kept')").value == "yes"
    of_s3 = again.create(PYTHON, AGENT, FileSystemConfigs=[{"Arn": S3_FILES, "LocalMountPath": "/mnt/data"}])
    assert again.invoke(of_s3, "read('/mnt/data/kept')").value == "yes"
    server.stop()
    server.arguments = ()
    without = server.start().client("lambda")
    for gone, service, point in ((name, "EFS", ACCESS_POINT), (of_s3, "S3", S3_FILES)):
        for call, event in ((without.invoke, {"Payload": b"{}"}), (without.invoke_with_response_stream, {"Payload": b"{}"}),
                            (without.invoke_async, {"InvokeArgs": b"{}"})):
            assert refusal(call, FunctionName=gone, **event) == (
                {"EFS": "EFSMountFailureException", "S3": "S3FilesMountFailureException"}[service], 403,
                f"The function couldn't mount the Amazon {service} file system with access point {point}.")
    server.stop()
    server.arguments = with_it
    server.start()
    assert Deployer(server, deployer.role_arn).invoke(name, "read('/mnt/data/kept')").value == "yes"


@pytest.mark.parametrize("option, says", [
    ("nonsense", "is not ACCESS_POINT_ARN=/DIRECTORY"),
    (f"{ACCESS_POINT}=/tmp/there/is/none", "is not a directory"),
    (f"{ACCESS_POINT}=/usr", "belongs to root"),
])
def test_a_wrong_option_is_refused_at_start(tmp_path, option, says):
    ended = subprocess.run([str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"),
                            "--function-network", "none", "--file-system", option], capture_output=True, text=True, timeout=30)
    assert ended.returncode == EX_USAGE and says in ended.stderr
