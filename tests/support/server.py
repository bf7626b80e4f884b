"""A Lambent server as its users run it: the release binary, a data directory, a port; nothing of it is looked into."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

from support.polling import until

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("LAMBENT_BINARY", ROOT / "build/release/lambent"))
ACCOUNT = "123456789012"
REGION = "us-east-1"
# A canary: no function may ever see it (tests/escape/test_secrets.py).
CANARY = "LAMBENT_TEST_CANARY_9f1c"
START_SECONDS = 30
STOP_SECONDS = 30

AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server process and its data directory, which outlives restarts."""

    def __init__(self, *arguments, environment=None, account=ACCOUNT, scheme="http"):
        self.home = Path(tempfile.mkdtemp(prefix="lambent-test-", dir="/tmp"))
        # The server works as the user lambent: it must be able to reach its data.
        self.home.chmod(0o755)
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.port = free_port()
        self.account = account
        self.scheme = scheme
        self.arguments = arguments
        self.environment = environment or {}
        # A program that sets the stage and executes the server.
        self.prefix = []
        self.process = None
        self.root_key = None

    @property
    def endpoint(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def start(self):
        command = [*AS_ROOT, *self.prefix, str(BINARY), "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data),
                   "--account", self.account, *self._network(), *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd="/",
                env={**os.environ, CANARY: CANARY, **self.environment})
        until(self._answers, START_SECONDS, "GET /_lambent/health")
        self.root_key = self._read_credentials()
        return self

    def _network(self):
        """No test changes the machine's own network: those that are about it have network namespaces of their own."""
        return [] if "--function-network" in self.arguments else ["--function-network", "none"]

    def _answers(self):
        status = self.process.poll()
        assert status is None, f"the server ended with status {status}:\n{self.said()}"
        try:
            unverified = ssl._create_unverified_context() if self.scheme == "https" else None
            with urllib.request.urlopen(self.endpoint + "/_lambent/health", timeout=2, context=unverified) as answer:
                return answer.status == 200
        except OSError:
            return False

    def said(self, last=4000):
        return self.log.read_text(errors="replace")[-last:]

    def _read_credentials(self):
        printed = subprocess.run([*AS_ROOT, str(BINARY), "credentials", "--data", str(self.data)], check=True,
                                 capture_output=True, text=True, timeout=20).stdout
        found = dict(re.findall(r"^export (\w+)=['\"]?([^'\"\n]+)['\"]?$", printed, re.M))
        return found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]

    def client(self, service, key=None, region=REGION, verify=None):
        """A boto3 client; `key` is (id, secret) or (id, secret, session token), root's when not given."""
        key = key or self.root_key
        return boto3.session.Session().client(
            service, endpoint_url=self.endpoint, region_name=region, aws_access_key_id=key[0],
            aws_secret_access_key=key[1], aws_session_token=key[2] if len(key) > 2 else None,
            verify=verify,
            # What is wrong is the server's to refuse.
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=90))

    def shell_environment(self, key=None):
        """What a user exports before calling the AWS CLI."""
        key = key or self.root_key
        variables = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION,
                     "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_PAGER": "",
                     "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                     "AWS_MAX_ATTEMPTS": "1"}
        if len(key) > 2:
            variables["AWS_SESSION_TOKEN"] = key[2]
        return {**os.environ, **variables}

    def signal(self, number):
        if AS_ROOT:
            subprocess.run([*AS_ROOT, "kill", f"-{int(number)}", str(self.process.pid)], check=True)
        else:
            self.process.send_signal(number)

    def stop(self):
        """SIGTERM, as a service manager does; the exit status."""
        self.signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        self.process = None
        return status

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        self.process = None

    def restart(self):
        status = self.stop()
        assert status == 0, f"SIGTERM ended the server with status {status}:\n{self.said()}"
        return self.start()

    def discard(self):
        """Ends what still runs and removes the data."""
        if self.process and self.process.poll() is None:
            self.kill9()
        if AS_ROOT:
            subprocess.run([*AS_ROOT, "rm", "-rf", str(self.home)], check=True)
        else:
            shutil.rmtree(self.home, ignore_errors=True)
