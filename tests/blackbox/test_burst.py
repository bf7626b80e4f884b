"""Two hundred first invocations of one function at once: none fails, and none waits for another's end."""

import concurrent.futures
import json
import re
import time
import urllib.request

import pytest

from support.functions import PYTHON, Deployer, ensure_role
from support.polling import until
from support.server import Server
from support.signing import Signed

CALLERS = 200
# Long enough for every environment to begin: whoever begins in time meets one that nobody has used.
TOGETHER_S = 6
SOURCE = """import time
begun = 0
def handler(event, context):
    global begun
    begun += 1
    time.sleep(max(0, event["until"] - time.time()))
    return [begun, context.log_stream_name]
"""


@pytest.fixture(scope="module")
def server():
    running = Server().start()
    yield running
    try:
        assert running.stop() == 0, running.said()
    finally:
        running.discard()


def environments(server):
    text = urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=5).read().decode()
    return int(re.search(r"^lambent_environments (\d+)", text, re.MULTILINE)[1])


def test_200_concurrent_first_invocations_of_one_function(server):
    name = Deployer(server, ensure_role(server)).create(PYTHON, SOURCE, MemorySize=128, Timeout=60)
    event = json.dumps({"until": time.time() + TOGETHER_S}).encode()
    calls = [Signed(server, "POST", f"/2015-03-31/functions/{name}/invocations", event) for _ in range(CALLERS)]
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(Signed.send, calls))
    assert [answer.status for answer in answers] == [200] * CALLERS
    assert not [answer.headers for answer in answers if "x-amz-function-error" in answer.headers]
    seen = [json.loads(answer.body) for answer in answers]
    streams = {stream for _, stream in seen}
    # One that began too late on a slow machine may have been served by an environment that was done.
    assert len(streams) == sum(begun == 1 for begun, _ in seen) >= CALLERS // 2
    assert environments(server) == len(streams)


def test_what_a_burst_left_serves_and_goes(server):
    """After the burst the server is as it was: another function is served, and a retired one takes its environments along."""
    functions = Deployer(server, ensure_role(server))
    neighbour = functions.create(PYTHON, "def handler(event, context):\n    return event\n")
    assert functions.invoke(neighbour, 1).expect() == 1
    for each in functions.client.list_functions()["Functions"]:
        if each["FunctionName"] != neighbour:
            functions.client.delete_function(FunctionName=each["FunctionName"])
    until(lambda: environments(server) == 1, 30, "the burst's environments to be gone")
