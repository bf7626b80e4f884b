"""The rows of the control plane: that looking a function up costs the same among ten thousand as among ten. The same form as rows.py;
run alone it prints them: bench/control_rows.py [BINARY]."""

import http.client
import pathlib
import queue
import sys
import threading
from base64 import b64encode
from json import dumps

import botocore.auth
import botocore.awsrequest

from lab import ROOT, TRUST, Missing, Server, median, wrk, zipped

FEW, MANY = 10, 10_000
CLIENTS = 8


def fill(server, count):
    """`count` functions of one code; not waited for one by one."""
    role = server.make_client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    code = b64encode(zipped({"bootstrap": "#!/bin/sh\n"})).decode()
    numbers, failed = queue.SimpleQueue(), []
    for number in range(count):
        numbers.put(number)

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        while not failed:
            try:
                number = numbers.get_nowait()
            except queue.Empty:
                return
            body = dumps({"FunctionName": f"f{number:05}", "Runtime": "provided.al2023", "Handler": "none", "Role": role,
                          "Code": {"ZipFile": code}}).encode()
            request = botocore.awsrequest.AWSRequest("POST", server.url + "/2015-03-31/functions", data=body,
                                                     headers={"Content-Type": "application/json"})
            botocore.auth.SigV4Auth(server.credentials, "lambda", "us-east-1").add_auth(request)
            connection.request("POST", "/2015-03-31/functions", body, dict(request.headers.items()))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                failed.append(text)

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise Missing(f"a function was not made: {failed[0][:300]!r}")
    # Background work that creating began is over when the last is settled.
    server.client.get_waiter("function_active_v2").wait(FunctionName=f"f{count - 1:05}", WaiterConfig={"Delay": 1})
    listed = [each["FunctionName"] for page in server.client.get_paginator("list_functions").paginate()
              for each in page["Functions"]]
    if listed != sorted(set(listed)) or len(listed) != count:
        raise Missing(f"{len(listed)} functions were listed, {len(set(listed))} of them once, of {count}")


def get_function(bench):
    """p99 of a signed GetFunction, one client, in short turns, as many as the other rows have rounds: the machine has spells of its own
    that lift the p99 of a turn up to tenfold, and the median of a few turns with them."""
    with Server(bench.binary) as few, Server(bench.binary) as many:
        fill(few, FEW)
        fill(many, MANY)
        found, requests = {few: [], many: []}, 0
        for _ in range(bench.rounds):
            for server, count in ((few, FEW), (many, MANY)):
                path, headers, _ = server.signed_path("GET", f"/2015-03-31/functions/f{count // 2:05}")
                load = wrk(server.url + path, 1, 1, headers)
                found[server].append(load["p99_us"])
                requests += load["n"]
        return {"value": median(found[many]), "floor": median(found[few]), "samples": found[many],
                "floor_samples": found[few], "unit": "us", "count": requests // 2}


ROWS = [("GetFunction p99 among 10,000 functions, over among ten", get_function, "ratio", 1.5, 1.1)]
MORE_IS_BETTER = set()


def main():
    from bench import line
    from rows import Bench
    binary = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/lambent")
    bench = Bench(binary, pathlib.Path(binary).parent, 100, 2)
    for row in ROWS:
        print(line(row[0], row[1](bench), row), flush=True)


if __name__ == "__main__":
    main()
