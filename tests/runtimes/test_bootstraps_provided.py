"""The OS-only bootstrap, in a mount namespace of the test's own where /var/task and /opt can be anything. Needs root."""

import os
import shutil
import subprocess

import pytest

from runtimes.runtime_process import SOURCES

MISSING_ENTRYPOINT = 142
FOREIGN_ENTRYPOINT = 143
COMPILER = shutil.which("clang-19") or shutil.which("cc")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root"),
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
]


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory):
    program = tmp_path_factory.mktemp("provided") / "bootstrap"
    subprocess.run(
        [COMPILER, "-Os", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-static", "-nostdlib",
         str(SOURCES / "provided/bootstrap.c"), "-o", str(program)], check=True)
    return program


def run(bootstrap, task=None, opt=None, mode=0o755):
    """Runs the bootstrap with these contents of /var/task/bootstrap and /opt/bootstrap."""
    script = ["mount -t tmpfs none /var", "mkdir /var/task", "mount -t tmpfs none /opt"]
    for directory, content in (("/var/task", task), ("/opt", opt)):
        if content is not None:
            source = bootstrap.parent / ("content" + directory.replace("/", "_"))
            source.write_bytes(content)
            script.append(f"cp {source} {directory}/bootstrap && chmod {mode:o} {directory}/bootstrap")
    script.append(f"exec env -i A=b {bootstrap}")
    return subprocess.run(["unshare", "-m", "sh", "-ec", "\n".join(script)], capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL, check=False)


def test_the_codes_bootstrap_comes_before_the_layers(bootstrap):
    assert run(bootstrap, b"#!/bin/sh\necho code\n", b"#!/bin/sh\necho layer\n").stdout == "code\n"


def test_a_layers_bootstrap_serves_code_without_one(bootstrap):
    assert run(bootstrap, None, b"#!/bin/sh\necho layer\n").stdout == "layer\n"


def test_it_becomes_the_program_with_its_environment(bootstrap):
    ended = run(bootstrap, b"#!/bin/sh\necho $0 $A $$\nexit 7\n")
    assert ended.stdout.startswith("/var/task/bootstrap b ") and ended.returncode == 7


def test_nothing_to_run_has_a_status_of_its_own(bootstrap):
    ended = run(bootstrap)
    assert ended.returncode == MISSING_ENTRYPOINT
    assert ended.stderr == "neither /var/task/bootstrap nor /opt/bootstrap exists\n"


def test_a_file_that_is_not_executable_is_not_passed_over(bootstrap):
    ended = run(bootstrap, b"#!/bin/sh\necho code\n", b"#!/bin/sh\necho layer\n", mode=0o644)
    assert ended.returncode == MISSING_ENTRYPOINT and ended.stdout == ""


def test_a_program_of_another_machine_is_not_run_as_a_script(bootstrap):
    assert run(bootstrap, b"\x7fELF garbage\necho never\n").returncode == FOREIGN_ENTRYPOINT
