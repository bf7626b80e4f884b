"""What a function can see and change of files: nothing but its own (trials 14, 15, 24)."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest

from support.runtimes import ROOTS

GONE = {"ENOENT", "EACCES", "EPERM", "ENOTDIR", "ELOOP"}
UNWRITABLE = {"EROFS", "EACCES", "EPERM", "ENOENT", "EISDIR", "ETXTBSY"}


@pytest.fixture
def canary():
    """A file of the host that everybody on the host may read."""
    with tempfile.NamedTemporaryFile("w", prefix="lambent-canary-", dir="/tmp") as file:
        file.write("host canary")
        file.flush()
        os.chmod(file.name, 0o644)
        yield file.name


def test_files_of_the_host_are_not_there(hostile, server, canary):
    data = str(server.data)
    for path in ("/etc/shadow", "/etc/gshadow", "/etc/ssh/sshd_config", "/root/.bashrc", "/root/.ssh/id_rsa", data + "/credentials",
                 data + "/lambent.db", f"{server.home}/server.log", canary, "/var/lib/lambent/lambent.db", "/var/log/dpkg.log",
                 "/proc/1/environ", "/proc/1/maps", "/proc/1/mem", "/boot/vmlinuz", "/dev/mem", "/dev/kmem", "/dev/vda", "/dev/sda",
                 "/dev/kmsg", "/run/docker.sock", "/var/run/docker.sock", "/.dockerenv"):
        assert hostile.error("read", path) in GONE, path


def test_no_way_of_spelling_a_path_leads_out(hostile, canary):
    up = "/".join([".."] * 30)
    for prefix in (f"/var/task/{up}", f"/tmp/{up}", f"/proc/self/cwd/{up}", f"/proc/self/root/{up}", "/proc/1/root", "/proc/1/cwd",
                   "/proc/self/task/../../1/root", "/dev/fd/0/" + up):
        assert hostile.error("read", prefix + canary) in GONE, prefix
    for step in (["symlink", canary, "/tmp/to-canary"], ["symlink", "/proc/1/root", "/tmp/to-root"],
                 ["symlink", f"{up}{canary}", "/tmp/to-relative"]):
        assert hostile.one(*step) == {"ok": None}
    for path in ("/tmp/to-canary", f"/tmp/to-root{canary}", "/tmp/to-relative"):
        assert hostile.error("read", path) in GONE, path


def test_directories_of_the_host_show_nothing(hostile, server):
    seen = set(hostile.one("list", "/")["ok"])
    assert {"etc", "proc", "tmp", "usr", "var"} <= seen
    for directory in ("/root", "/home", "/srv", "/mnt", "/media", "/boot", "/run", "/sys", "/var/lib", "/var/log", "/var/tmp",
                      "/work", str(server.home), str(server.data)):
        went = hostile.one("list", directory)
        assert went.get("ok", []) == [] or "error" in went, (directory, went)
    own = set(hostile.one("list", "/tmp")["ok"])
    assert not {name for name in own if name.startswith("lambent-")}


def test_code_of_other_functions_is_not_there(hostile, make_hostile, server):
    make_hostile()
    for directory in (f"{server.data}/code", f"{server.data}/code/trees", f"{server.data}/code/zips"):
        assert hostile.error("list", directory) in GONE
    own = set(hostile.one("list", "/var/task")["ok"])
    files = {name.rstrip("!").split("/")[0] for name in hostile.files}
    assert files <= own <= files | {"__pycache__"}


def test_only_own_processes_are_seen(hostile):
    numbers = sorted(int(name) for name in hostile.one("list", "/proc")["ok"] if name.isdigit())
    assert 1 <= len(numbers) < 10
    for number in numbers:
        went = hostile.one("read", f"/proc/{number}/cmdline")
        # The environment's own init may be listed; it is nobody's secret, but it is not readable beyond its name.
        assert "serve" not in went.get("ok", "") and "--data" not in went.get("ok", "")
    for path in ("/proc/1/environ", "/proc/1/root", "/proc/1/fd", "/proc/1/maps", "/proc/1/cwd"):
        assert hostile.error("list", path) in GONE | {"ENOTDIR"}


@pytest.mark.parametrize("path", [
    "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/randomize_va_space",
    "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/binfmt_misc/register", "/proc/sysrq-trigger", "/proc/self/setgroups",
    "/proc/self/uid_map", "/proc/1/oom_score_adj", "/proc/self/sched_autogroup", "/proc/bus/pci/00/00.0", "/sys/fs/cgroup/cgroup.procs",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", "/sys/kernel/uevent_helper", "/sys/power/state",
    "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/memory/release_agent", "/etc/passwd", "/etc/ld.so.preload", "/etc/hosts",
])
def test_switches_of_the_kernel_and_system_files_are_not_written(hostile, path):
    assert hostile.error("write", path, "1") in UNWRITABLE
    assert hostile.error("create", path, "1") in UNWRITABLE


@pytest.mark.parametrize("path", ["/proc/kcore", "/proc/kallsyms", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/dev/port"])
def test_the_kernels_insides_are_not_read(hostile, path):
    went = hostile.one("read", path)
    assert "error" in went or went["ok"] == "", went


def installed(runtime):
    """The directory of a runtime that is not the machine's own."""
    found = [ROOTS / runtime.removesuffix(".x"), ROOTS / runtime.replace("core3.1", "3")]
    return next((path for path in found if path.is_dir()), None)


def on_the_host(runtime, path):
    """The host's file that a path inside stands for: in the installed root, else in the language that lies over the machine's root."""
    root = installed(runtime)
    places = [root / "root" / path.lstrip("/"), root / "lang" / path.removeprefix("/var/lang/")] if root else []
    return next((place for place in places if place.is_file()), Path(path))


def state(path):
    """What no change of a file leaves as it was."""
    about = path.lstat()
    return about.st_mode, about.st_uid, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def footprint(runtime, programs):
    """The programs' digests, and the states of all that was installed with them."""
    files = [on_the_host(runtime, path) for path in programs]
    assert all(path.is_file() for path in files), files
    tree = installed(runtime)
    return ({path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
            {path: state(path) for path in tree.rglob("*")} if tree else {})


def test_programs_of_the_host_are_not_overwritten(hostile):
    """Neither the machine's own nor those of the root that the function runs on, its interpreter first of all."""
    named = [os.path.realpath(path) for path in ("/usr/bin/python3", "/usr/bin/node", "/bin/sh")]
    interpreter = hostile.one("readlink", "/proc/self/exe")["ok"] if hostile.language != "provided" else named[-1]
    programs = [path for path in dict.fromkeys([interpreter, *named, "/usr/bin/env"]) if "ok" in hostile.one("read", path)]
    assert programs[0] == interpreter and len(programs) > 1
    before = footprint(hostile.runtime, programs)
    for path in ["/proc/self/exe", *programs]:
        assert hostile.error("write", path, "\x7fELF") in UNWRITABLE
        assert hostile.error("chmod", path, 0o777) in UNWRITABLE
        assert hostile.error("unlink", path) in UNWRITABLE
    assert hostile.error("rename", programs[0], programs[0] + ".old") in UNWRITABLE | {"EXDEV"}
    assert hostile.error("link", programs[0], "/tmp/own-copy") in UNWRITABLE | {"EXDEV"}
    assert footprint(hostile.runtime, programs) == before


@pytest.mark.parametrize("directory", ["/var/task", "/var/runtime", "/opt", "/usr/lib", "/usr/bin", "/etc", "/", "/var", "/dev", "/proc"])
def test_code_and_runtime_are_read_only(hostile, directory):
    assert hostile.error("create", f"{directory}/planted", "x") in UNWRITABLE
    assert hostile.error("mkdir", f"{directory}/planted-directory") in UNWRITABLE | {"EEXIST"}


def test_the_functions_own_code_is_not_replaced(hostile):
    for name in hostile.one("list", "/var/task")["ok"]:
        path = f"/var/task/{name}"
        assert hostile.error("write", path, "x") in UNWRITABLE
        assert hostile.error("unlink", path) in UNWRITABLE
        assert hostile.error("rename", path, "/tmp/moved") in UNWRITABLE | {"EXDEV"}
    for name in hostile.one("list", "/var/runtime")["ok"]:
        assert hostile.error("write", f"/var/runtime/{name}", "x") in UNWRITABLE


def test_tmp_is_the_functions_own(hostile):
    assert hostile.one("create", "/tmp/mine", "kept") == {"ok": 4}
    assert hostile.one("read", "/tmp/mine") == {"ok": "kept"}
    assert not Path("/tmp/mine").exists()
