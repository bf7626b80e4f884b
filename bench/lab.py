"""What the bench measures with: a server of its own, signed requests made once, loads, and floors that are started by posix_spawn
from here, so that nobody's shell or client is measured."""

import contextlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
import zipfile

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"
NODE = shutil.which("node", path="/usr/bin") or shutil.which("node")
SDK = "/usr/local/lib/lambent/python"
FIRST_UID = 2_000_000_000
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})
# One vCPU: the quota is not what is measured.
MEMORY_MIB = 1769


class Missing(Exception):
    """A row cannot be measured here, and why."""


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def free_port():
    """Below those that the kernel gives to clients: whoever knocks at one of these before its server is there may meet itself."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Server:
    """A server of its own on a free port, gone with its data at the end."""

    def __init__(self, binary, *options, network="none"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lambent-bench-", dir="/tmp"))
        os.chmod(self.directory, 0o755)
        data = self.directory / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.credentials = botocore.credentials.Credentials("AKIALAMBENTBENCH0001", "a-secret-of-the-bench-and-nobody-else-0001")
        self.command = [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(data),
                        "--log-level", "error", "--function-network", network, *options]
        self.start()
        self.client = self.make_client("lambda")
        self.role = None

    def start(self):
        """Until the server has answered a signed request that it had to look up: GetAccountSettings."""
        path, headers, _ = self.signed_path("GET", "/2016-08-19/account-settings/")
        message = self.text("GET", path, headers, b"", "close")
        variables = {"LAMBENT_ROOT_ACCESS_KEY_ID": self.credentials.access_key,
                     "LAMBENT_ROOT_SECRET_ACCESS_KEY": self.credentials.secret_key}
        begin = time.perf_counter()
        self.process = subprocess.Popen(self.command, env={**os.environ, **variables})
        while True:
            try:
                with self.connect() as connection:
                    connection.sendall(message)
                    answer = read_to_end(connection)
                break
            except OSError:
                # Refused, or taken by a socket that ended before it was read.
                if self.process.poll() is not None or time.perf_counter() - begin > 20:
                    raise SystemExit("the server did not start")
                time.sleep(0.0003)
        check(answer)
        self.start_ms = (time.perf_counter() - begin) * 1e3

    def kill(self):
        """Until its port is free: what it was just starting holds what it listened on for a moment."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        with contextlib.suppress(ConnectionRefusedError):
            while True:
                self.connect().close()
                time.sleep(0.001)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def make_client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1",
                            aws_access_key_id=self.credentials.access_key,
                            aws_secret_access_key=self.credentials.secret_key,
                            config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=120))

    def create(self, name, function, **more):
        if self.role is None:
            self.role = self.make_client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        runtime, handler, files = function
        settings = {"Timeout": 60, "MemorySize": MEMORY_MIB, **more}
        try:
            self.client.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=self.role,
                                        Code={"ZipFile": zipped(files)}, **settings)
        except botocore.exceptions.ClientError as error:
            raise Missing(str(error)) from error
        self.client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})

    def invoke(self, name):
        answer = self.client.invoke(FunctionName=name)
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise Missing(f"{name} failed: {payload[:300]!r}")
        return json.loads(payload)

    def retire(self, name, number):
        """The next invocation is a cold start."""
        self.client.update_function_configuration(FunctionName=name, Description=f"round {number}")
        while self.client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "InProgress":
            time.sleep(0.001)

    def metric(self, name):
        text = urllib.request.urlopen(self.url + "/_lambent/metrics", timeout=5).read().decode()
        found = re.search("^" + re.escape(name) + r" (\S+)$", text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    def taken(self):
        return self.metric('lambent_spares_total{event="taken"}')

    def forked(self):
        return self.metric('lambent_spares_total{event="forked"}')

    def wait_for_zygote(self, function, bound_s=20):
        """Cold starts until one came from a zygote."""
        until = time.perf_counter() + bound_s
        number = 0
        while self.forked() == 0:
            if time.perf_counter() > until:
                raise Missing("nothing was forked from a zygote")
            time.sleep(0.1)
            self.retire(function, f"before {number}")
            self.invoke(function)
            number += 1

    def wait_for_spares(self, least, bound_s=10):
        """True when so many wait and no more are being made: what is measured then has the machine for itself. Hundreds of cold starts
        on end keep it at work otherwise, for the languages that take longest to start."""
        until = time.perf_counter() + bound_s
        while self.metric("lambent_spares_waiting") < least or self.metric("lambent_spares_making") > 0:
            if time.perf_counter() > until:
                return False
            time.sleep(0.002)
        time.sleep(0.02)
        return True

    def resident_mib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def pss_mib(self, program="python"):
        """PSS of each process of this server that runs as a function's user, in MiB."""
        statuses, found = {}, []
        for path in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                statuses[int(path.parent.name)] = dict(re.findall(r"^(\w+):\s*(\S+)", path.read_text(), re.MULTILINE))
            except OSError:
                continue
        for pid, status in statuses.items():
            above = pid
            while above in statuses and above != self.process.pid:
                above = int(statuses[above]["PPid"])
            if above != self.process.pid or int(status["Uid"]) < FIRST_UID or program not in status["Name"]:
                continue
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            found.append(int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE).group(1)) / 1024)
        return found

    def signed(self, function, body=b"{}"):
        """The head and body of one Invoke. botocore signs it once: the client's signing is not measured, the server's
        checking is. A signature is good for five minutes."""
        return self.signed_path("POST", f"/2015-03-31/functions/{function}/invocations", body)

    def signed_path(self, method, path, body=b""):
        request = botocore.awsrequest.AWSRequest(method, self.url + path, data=body,
                                                 headers={"Content-Type": "application/json"})
        botocore.auth.SigV4Auth(self.credentials, "lambda", "us-east-1").add_auth(request)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
        return path, headers, body

    def text(self, method, path, headers, body, connection):
        head = (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: {connection}\r\n"
                f"Content-Length: {len(body)}\r\n")
        return (head + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode() + body

    def message(self, function, connection="keep-alive", body=b"{}"):
        path, headers, body = self.signed(function, body)
        return self.text("POST", path, headers, body, connection)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def timed_ms(self, message):
        """From the first byte sent to the last received, on a new connection."""
        with self.connect() as connection:
            begin = time.perf_counter()
            connection.sendall(message)
            answer = read_to_end(connection)
            took = (time.perf_counter() - begin) * 1e3
        check(answer)
        return took


def read_to_end(connection):
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer


def check(answer):
    if not answer.startswith(b"HTTP/1.1 200") or b"x-amz-function-error" in answer.lower():
        raise Missing(f"an invocation failed: {answer[:500]!r}")


def spawn_ms(argv, environment=None):
    """Start to end of a program."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, environment or {}, file_actions=quiet)
    _, status = os.waitpid(pid, 0)
    took = (time.perf_counter() - begin) * 1e3
    if status:
        raise Missing(f"{argv} ended with {status}")
    return took


def wrk(url, connections, seconds, headers=None, method="GET", body=""):
    """Latencies in microseconds and requests a second, by wrk with one thread."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = {json.dumps(method)}\nwrk.body = {json.dumps(body)}\n")
        for name, value in (headers or {}).items():
            script.write(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}\n")
        script.write("""done = function(summary, latency, requests)
  io.write(string.format("RESULT %f %f %f %d %d\\n", latency:percentile(50), latency:percentile(99),
    summary.requests / summary.duration * 1e6, summary.requests, summary.errors.status + summary.errors.read +
    summary.errors.connect + summary.errors.timeout))
end\n""")
        script.flush()
        text = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, url], check=True,
                              text=True, stdout=subprocess.PIPE).stdout
    p50, p99, rate, count, errors = map(float, re.search(r"RESULT (.*)", text).group(1).split())
    if errors:
        raise Missing(f"{errors:.0f} of {count:.0f} requests failed at {url}")
    return {"p50_us": p50, "p99_us": p99, "per_s": rate, "n": int(count)}


def median(values):
    return statistics.median(values)
