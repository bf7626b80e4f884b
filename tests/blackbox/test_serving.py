"""The command: what it listens on, TLS, and what it refuses to start with."""

import json
import os
import re
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, SSLError

from support.polling import until
from support.server import AS_ROOT, BINARY, free_port


@pytest.fixture
def shared_path():
    """A directory that the user lambent may enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="lambent-test-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    subprocess.run([*AS_ROOT, "rm", "-rf", str(made)], check=True)


def serve(path, *arguments):
    """Runs a `serve` that must refuse to start; (status, what it said)."""
    done = subprocess.run([*AS_ROOT, str(BINARY), "serve", "--function-network", "none", "--data", str(path / "data"), *arguments],
                          capture_output=True, text=True, timeout=30)
    return done.returncode, done.stderr + done.stdout


def test_plain_http_stays_on_loopback(tmp_path):
    status, said = serve(tmp_path, "--listen", f"0.0.0.0:{free_port()}")
    assert status != 0 and "--insecure-http" in said


def test_without_signatures_only_on_loopback(tmp_path):
    status, said = serve(tmp_path, "--listen", f"0.0.0.0:{free_port()}", "--auth=off", "--insecure-http")
    assert status != 0 and "loopback" in said


@pytest.mark.parametrize("arguments, ends, words", [
    (["--listen", "127.0.0.1"], 64, "--listen wants HOST:PORT, not '127.0.0.1'"),
    (["--listen", "127.0.0.1:99999"], 64, "--listen wants HOST:PORT, not '127.0.0.1:99999'"),
    (["--listen", "nowhere:1:2"], 64, "--listen wants HOST:PORT, not 'nowhere:1:2'"),
    (["--account", "12"], 64, "--account wants 12 digits"),
    (["--account", "12345678901x"], 64, "--account wants 12 digits"),
    (["--tls-cert", "/nonexistent"], 64, "--tls-cert and --tls-key go together"),
    (["--tls-cert", "/nonexistent", "--tls-key", "/none-either"], 78,
     "cannot use the certificate in /nonexistent: No such file or directory"),
    (["--no-such-flag"], 64, "--no-such-flag"),
])
def test_a_wrong_argument_is_told(shared_path, arguments, ends, words):
    status, said = serve(shared_path, *arguments)
    assert status == ends and words in said, said


def test_a_value_out_of_its_range_is_told(shared_path):
    status, said = serve(shared_path, "--idle-time", "0")
    # In the words of Debian 12's and of Debian 13's CLI11.
    assert status == 64 and re.search(r"--idle-time: Value 0 not in range (1 to 86400|\[1 - 86400\])\n", said), said


def test_a_second_server_on_the_same_data_is_refused(new_server):
    server = new_server()
    done = subprocess.run([*AS_ROOT, str(BINARY), "serve", "--function-network", "none", "--data", str(server.data), "--listen",
                           f"127.0.0.1:{free_port()}"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 78 and "in use by another process" in done.stderr, done.stderr
    assert server.client("sts").get_caller_identity()


@pytest.mark.parametrize("privileges,reason", [
    (["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all"], "not started as root"),
    (["--bounding-set=-sys_admin"], r"\w.+: Operation not permitted"),
], ids=["nobody", "root that may not mount"])
def test_too_little_privilege_exits_with_78(shared_path, privileges, reason):
    # What it may not do is to isolate functions: everything else it may, such as making its data directory.
    shared_path.chmod(0o777)
    done = subprocess.run(
        [*AS_ROOT, "setpriv", *privileges, str(BINARY), "serve", "--function-network", "none", "--data", str(shared_path / "data"),
         "--listen", f"127.0.0.1:{free_port()}"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 78, done.stderr
    assert re.search(f"^lambent: functions cannot be isolated here: {reason}$", done.stderr, re.M), done.stderr
    assert " serving " not in done.stderr


def test_the_isolation_level_is_said_at_start(server):
    line = next(line for line in server.log.read_text().splitlines() if f' serving url="{server.endpoint}"' in line)
    isolation, on = re.search(r' isolation="([^"]*)" on="([^"]*)"', line).groups()
    assert isolation == "full"
    cgroup, *others = re.split("; (?!v2 )", on)
    # One of them has each controller, and one of them stops and ends all at once.
    assert re.fullmatch(r"cgroup v1 [a-z,]+(; v2 [a-z,]+)?|cgroup v2 [a-z,]+", cgroup)
    assert {"memory", "cpu", "pids"} <= set(re.split("[ ,;]+", cgroup)) and re.search(r"\bfreeze", cgroup)
    assert re.fullmatch(r"landlock [1-9]\d*|no landlock in this kernel", others[0])
    assert others[1] == "seccomp"
    assert others[2].startswith("/tmp on ")


def test_root_credentials_are_for_the_owner_alone(server):
    listed = subprocess.run([*AS_ROOT, "find", str(server.data), "-type", "f", "-perm", "/077"], capture_output=True, text=True)
    secrets = subprocess.run([*AS_ROOT, "grep", "-rlF", server.root_key[1], str(server.data)], capture_output=True, text=True)
    assert secrets.stdout.strip()
    assert not set(secrets.stdout.split()) & set(listed.stdout.split())


def test_the_server_gives_up_root(server):
    """The process that reads the network is the user lambent; only the launcher keeps root."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    inode = next(row[9] for row in rows if row[1] == f"0100007F:{server.port:04X}" and row[3] == "0A")
    holders = subprocess.run([*AS_ROOT, "find", "/proc", "-maxdepth", "3", "-path", "*/fd/*", "-lname", f"socket:\\[{inode}\\]"],
                             capture_output=True, text=True).stdout.split()
    assert holders
    for pid in {holder.split("/")[2] for holder in holders}:
        with open(f"/proc/{pid}/status") as status:
            uids = next(line for line in status if line.startswith("Uid:")).split()[1:]
        assert "0" not in uids, pid


def test_authentication_can_be_switched_off_and_says_so(new_server):
    server = new_server("--auth=off")
    answer = urllib.request.urlopen(server.endpoint + "/2015-03-31/functions/", timeout=10)
    assert json.loads(answer.read()) == {"Functions": []}
    assert "signatures are not checked" in server.said().lower()


def make_certificate(where, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", where / f"{name}.key",
                    "-out", where / f"{name}.crt"], check=True, capture_output=True)
    return where / f"{name}.crt", where / f"{name}.key"


def test_a_certificate_that_cannot_be_used_is_named(shared_path):
    certificate, key = make_certificate(shared_path, "first")
    other = make_certificate(shared_path, "second")[1]
    rsa = shared_path / "rsa.key"
    subprocess.run(["openssl", "genrsa", "-out", rsa, "2048"], check=True, capture_output=True)
    for each in (key, other, rsa):
        each.chmod(0o644)
    cannot = f"cannot use the key in %s for the certificate in {certificate}: "
    for chain, private, words in (
            (key, key, f"cannot use the certificate in {key}: "),
            (certificate, shared_path / "none", cannot % (shared_path / "none") + "No such file or directory"),
            (certificate, certificate, cannot % certificate),
            (certificate, other, cannot % other + "key values mismatch"),
            (certificate, rsa, f"the key in {rsa} does not belong to the certificate in {certificate}")):
        status, said = serve(shared_path, "--tls-cert", str(chain), "--tls-key", str(private))
        assert status == 78 and words in said, said


def test_https_and_a_certificate_replaced_by_sighup(new_server, shared_path):
    first, second = make_certificate(shared_path, "first"), make_certificate(shared_path, "second")
    certificate, key = shared_path / "server.crt", shared_path / "server.key"

    def install(pair):
        certificate.write_bytes(pair[0].read_bytes())
        key.write_bytes(pair[1].read_bytes())
        key.chmod(0o644)

    def account(trusted):
        return server.client("sts", verify=str(trusted)).get_caller_identity()["Account"]

    install(first)
    server = new_server("--tls-cert", str(certificate), "--tls-key", str(key), scheme="https")
    assert account(first[0]) == server.account
    with pytest.raises(SSLError):
        account(second[0])
    install(second)
    server.signal(signal.SIGHUP)

    def replaced():
        try:
            return account(second[0])
        except SSLError:
            return False

    until(replaced, 10, "the new certificate")
    with pytest.raises(SSLError):
        account(first[0])


def test_operations_of_no_service_are_refused(server):
    with pytest.raises(ClientError) as refused:
        server.client("sqs").list_queues()
    assert 400 <= refused.value.response["ResponseMetadata"]["HTTPStatusCode"] < 502
