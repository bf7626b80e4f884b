"""`make bench`: what Lambent costs, each figure beside its floor, all from one run.

The machine decides the absolute numbers, so the ratios are what to compare. Signed requests are made once by
botocore and sent again and again (a signature is good for five minutes), so that the client's signing is not
measured while the server's checking is. The result is printed and kept as JSON in bench/results/.
"""

import argparse
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON, NODE = "/usr/bin/python3", shutil.which("node", path="/usr/bin") or shutil.which("node")
TRUST = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
})
HANDLERS = {
    "python": ("python3.11", "app.handler", {"app.py": "def handler(event, context):\n    return event\n"}),
    "nodejs": ("nodejs20.x", "app.handler", {"app.js": "exports.handler = async (event) => event;\n"}),
}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


class Server:
    """A server of its own on a free port, gone with its data at the end."""

    def __init__(self, binary):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lambent-bench-", dir="/tmp"))
        os.chmod(self.directory, 0o755)
        self.data = self.directory / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data), "--log-level", "warn"])
        while True:
            try:
                urllib.request.urlopen(self.url + "/_lambent/health", timeout=1).read()
                break
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - begin > 20:
                    raise SystemExit("the server did not start")
                time.sleep(0.001)
        self.start_ms = (time.perf_counter() - begin) * 1e3
        lines = subprocess.run([binary, "credentials", "--data", str(self.data)], check=True, text=True,
                               stdout=subprocess.PIPE).stdout
        found = dict(re.findall(r"export (\w+)=['\"]?([^'\"\n]+)", lines))
        self.credentials = botocore.credentials.Credentials(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1",
                            aws_access_key_id=self.credentials.access_key,
                            aws_secret_access_key=self.credentials.secret_key)

    def resident_mib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        shutil.rmtree(self.directory, ignore_errors=True)


def signed_invoke(server, function, body=b"{}"):
    """The headers of one signed Invoke."""
    request = botocore.awsrequest.AWSRequest(
        "POST", f"{server.url}/2015-03-31/functions/{function}/invocations", data=body,
        headers={"Content-Type": "application/json"})
    botocore.auth.SigV4Auth(server.credentials, "lambda", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def wrk(url, connections, seconds, headers=None, method="GET", body=""):
    """Latencies in microseconds and requests a second, by wrk with one thread."""
    script = tempfile.NamedTemporaryFile("w", suffix=".lua")
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
        raise SystemExit(f"{errors:.0f} of {count:.0f} requests failed at {url}")
    return {"p50_us": p50, "p99_us": p99, "per_s": rate, "n": int(count)}


def timed_request(server, path, headers, body):
    """Milliseconds from the first byte sent to the last received, on a new connection."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name.lower() != "content-length")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        begin = time.perf_counter()
        connection.sendall(head.encode() + b"\r\n" + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        took = (time.perf_counter() - begin) * 1e3
    if not answer.startswith(b"HTTP/1.1 200") or b"x-amz-function-error" in answer.lower():
        raise SystemExit(f"cold invocation failed: {answer[:500]!r}")
    return took


def spawn_ms(argv):
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, {})
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"{argv} ended with {status}")
    return (time.perf_counter() - begin) * 1e3


def cold_starts(server, functions, rounds):
    """First invocations after an update, in turns with the bare interpreters."""
    floors = {"python": [PYTHON, "-I", "-S", "-c", "pass"], "nodejs": [NODE, "-e", "0"]}
    client = server.client("lambda")
    found = {name: {"cold": [], "floor": []} for name in functions}
    for round_number in range(rounds):
        for name in functions:
            client.update_function_configuration(FunctionName=name, Description=f"round {round_number}")
            while client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] == "InProgress":
                time.sleep(0.002)
            headers = signed_invoke(server, name)
            path = f"/2015-03-31/functions/{name}/invocations"
            found[name]["cold"].append(timed_request(server, path, headers, b"{}"))
            found[name]["floor"].append(spawn_ms(floors[name]))
    return {
        name: {
            "cold_p50_ms": statistics.median(times["cold"]),
            "cold_p99_ms": sorted(times["cold"])[int(len(times["cold"]) * 0.99)],
            "interpreter_p50_ms": statistics.median(times["floor"]),
            "ratio": statistics.median(times["cold"]) / statistics.median(times["floor"]),
            "n": rounds,
        }
        for name, times in found.items()
    }


def runtime_loop(binary, seconds):
    out = subprocess.run([binary, str(ROOT / "src/runtimes/python"), str(seconds)], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return json.loads(out)


def measure(arguments):
    server = Server(arguments.binary)
    try:
        result = {"server_start_ms": server.start_ms, "idle_resident_mib": server.resident_mib()}
        iam, client = server.client("iam"), server.client("lambda")
        role = iam.create_role(RoleName="bench", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        for name, (runtime, handler, files) in HANDLERS.items():
            client.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=role,
                                   Code={"ZipFile": zipped(files)}, Timeout=10, MemorySize=1769)  # one vCPU: the quota is not what is measured
            client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
            client.invoke(FunctionName=name)
        headers = signed_invoke(server, "python")
        invoke_url = f"{server.url}/2015-03-31/functions/python/invocations"
        for connections in (1, 8):
            floor = wrk(server.url + "/_lambent/health", connections, arguments.seconds)
            warm = wrk(invoke_url, connections, arguments.seconds, headers, "POST", "{}")
            result[f"warm_{connections}"] = {"invoke": warm, "http_echo": floor,
                                             "p50_ratio": warm["p50_us"] / floor["p50_us"],
                                             "rate_ratio": warm["per_s"] / floor["per_s"]}
        loop = runtime_loop(arguments.loop, arguments.seconds)
        result["runtime_loop"] = loop
        result["warm_8"]["rate_over_runtime_loop"] = result["warm_8"]["invoke"]["per_s"] / loop["per_s"]
        result["cold"] = cold_starts(server, list(HANDLERS), arguments.rounds)
        result["resident_mib_after"] = server.resident_mib()
        return result
    finally:
        server.stop()


def report(result):
    print(f"server start to first answer   {result['server_start_ms']:8.1f} ms")
    print(f"idle resident memory           {result['idle_resident_mib']:8.1f} MiB")
    for connections in (1, 8):
        row = result[f"warm_{connections}"]
        print(f"warm Invoke, {connections} connection(s)     p50 {row['invoke']['p50_us']:7.0f} us   p99 "
              f"{row['invoke']['p99_us']:7.0f} us   {row['invoke']['per_s']:7.0f}/s")
        print(f"  floor: HTTP echo             p50 {row['http_echo']['p50_us']:7.0f} us   p99 "
              f"{row['http_echo']['p99_us']:7.0f} us   {row['http_echo']['per_s']:7.0f}/s   p50 ratio "
              f"{row['p50_ratio']:.2f}")
    loop = result["runtime_loop"]
    print(f"  floor: bare Runtime API loop p50 {loop['p50_us']:7.0f} us   {loop['per_s']:7.0f}/s   Invoke at 8 over "
          f"loop {result['warm_8']['rate_over_runtime_loop']:.2f}")
    for name, row in result["cold"].items():
        print(f"cold start {name:8}            p50 {row['cold_p50_ms']:7.1f} ms   p99 {row['cold_p99_ms']:7.1f} ms   "
              f"bare interpreter {row['interpreter_p50_ms']:.1f} ms   ratio {row['ratio']:.2f}   n={row['n']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / "build/release/lambent"))
    parser.add_argument("--loop", default=str(ROOT / "build/release/runtime_loop"))
    parser.add_argument("--seconds", type=int, default=5, help="for each load")
    parser.add_argument("--rounds", type=int, default=100, help="cold starts for each runtime")
    arguments = parser.parse_args()
    result = measure(arguments)
    report(result)
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    (results / time.strftime("%Y%m%d-%H%M%S.json")).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
