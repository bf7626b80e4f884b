"""Sandboxes that wait for their function: who gets one, what a function sees of it, and what happens to the rest."""

import concurrent.futures

import pytest

from support.functions import NODEJS, PYTHON, make_zip
from support.polling import until
from support.spares import Spares

NOP = {PYTHON: "def handler(event, context):\n    return event\n", NODEJS: "export const handler = async (event) => event;\n"}


@pytest.mark.parametrize("runtime", [PYTHON, NODEJS])
def test_a_first_invocation_comes_out_of_a_spare(spares, runtime):
    answer = spares.invoke_from_spare(runtime, NOP[runtime], {"a": 1})
    assert answer.expect() == {"a": 1}
    assert "Init Duration: " in answer.log


SEEN = {
    PYTHON: """
import json, os, subprocess, sys
def handler(event, context):
    return {"environ": sorted(os.environ), "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"], "argv": sys.argv,
            "cwd": os.getcwd(), "task": os.listdir("."), "path": sys.path[:3], "opt": os.path.isdir("/opt"),
            "descriptors": [os.readlink("/proc/self/fd/%s" % n).partition(":")[0] for n in sorted(os.listdir("/proc/self/fd"))[:3]],
            "uid": os.getuid() > 1000, "writable": [os.access(p, os.W_OK) for p in ("/tmp", "/var/task", "/opt", "/")],
            "threads": len(os.listdir("/proc/self/task")), "no_new_privs": "NoNewPrivs:\\t1" in open("/proc/self/status").read(),
            "caps": [l.split()[1] for l in open("/proc/self/status") if l.startswith("Cap")],
            "memory": os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "limits": open("/proc/self/limits").read()}
""",
    NODEJS: """
import fs from 'fs';
export const handler = async () => ({
  environ: Object.keys(process.env).sort(), name: process.env.AWS_LAMBDA_FUNCTION_NAME, argv: process.argv, cwd: process.cwd(),
  task: fs.readdirSync('.'), uid: process.getuid() > 1000, limits: fs.readFileSync('/proc/self/limits', 'utf8'),
  caps: fs.readFileSync('/proc/self/status', 'utf8').split('\\n').filter((line) => line.startsWith('Cap')),
});
""",
}


@pytest.mark.parametrize("runtime", [PYTHON, NODEJS])
def test_a_function_cannot_tell_a_spare_from_a_process_that_exec_started(spares, runtime):
    waited = spares.invoke_from_spare(runtime, SEEN[runtime]).expect()
    # This setting acts at exec alone, so nothing that waits is of use.
    acting = {PYTHON: "PYTHONWARNINGS", NODEJS: "NODE_NO_WARNINGS"}[runtime]
    name = spares.functions.create(runtime, SEEN[runtime], Environment={"Variables": {acting: "1"}})
    executed = spares.functions.invoke(name).expect()
    executed["environ"].remove(acting)
    assert waited.pop("name") != executed.pop("name")
    assert waited == executed


def test_forks_of_one_zygote_share_no_randomness(spares):
    source = """
import multiprocessing, random, secrets, ssl, tempfile, uuid, time
def handler(event, context):
    time.sleep(0.3)
    return [random.random(), secrets.token_hex(8), ssl.RAND_bytes(8).hex(), str(uuid.uuid4()), str(uuid.uuid1()),
            next(tempfile._get_candidate_names()), bytes(multiprocessing.current_process().authkey).hex()]
"""
    name = spares.functions.create(PYTHON, source)
    spares.wait(2)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer.expect() for answer in pool.map(lambda _: spares.functions.invoke(name), range(8))]
    for values in zip(*answers):
        assert len(set(values)) == len(answers)


def test_libraries_of_the_package_are_found_by_the_linker(spares):
    """LD_LIBRARY_PATH names /var/task/lib, which did not have a library when the process was started."""
    library = open("/lib/x86_64-linux-gnu/libm.so.6", "rb").read()
    source = {"app.py": "import ctypes\ndef handler(event, context):\n"
                        "    library = ctypes.CDLL('liblambent_test.so')\n    return library._name\n",
              "lib/liblambent_test.so": library}
    assert spares.invoke_from_spare(PYTHON, source).expect() == "liblambent_test.so"


def test_libraries_of_a_layer_are_found_by_the_linker(spares):
    """The same for /opt/lib, in which nothing at all was while the process waited."""
    library = open("/lib/x86_64-linux-gnu/libm.so.6", "rb").read()
    layer = spares.server.client("lambda").publish_layer_version(
        LayerName="library", Content={"ZipFile": make_zip({"lib/liblambent_layer.so": library})})
    source = ("import ctypes, os\ndef handler(event, context):\n"
              "    return [ctypes.CDLL('liblambent_layer.so')._name, os.listdir('/opt')]\n")
    answer = spares.invoke_from_spare(PYTHON, source, Layers=[layer["LayerVersionArn"]])
    assert answer.expect() == ["liblambent_layer.so", ["lib"]]
    assert spares.invoke_from_spare(PYTHON, "import os\ndef handler(e, c):\n    return os.listdir('/opt')\n").expect() == []


def test_boto3_is_there_and_reaches_the_server(spares):
    source = ("import boto3\ndef handler(event, context):\n"
              "    return boto3.client('sts').get_caller_identity()['Arn']\n")
    assert ":assumed-role/lambent-test/" in spares.invoke_from_spare(PYTHON, source).expect()


def test_the_functions_own_boto3_wins(spares):
    source = {"app.py": "import boto3\ndef handler(event, context):\n    return boto3.mine\n", "boto3/__init__.py": "mine = 5\n"}
    assert spares.invoke_from_spare(PYTHON, source).expect() == 5


def test_an_os_only_runtime_gets_a_sandbox_that_was_ready(spares):
    source = {"bootstrap!": "#!/bin/sh\nexit 9\n"}
    spares.functions.invoke(spares.functions.create("provided.al2023", source))
    taken = spares.count("taken")
    spares.wait(1)

    def again():
        # A new function each time: one that has an environment already is not given another.
        spares.functions.invoke(spares.functions.create("provided.al2023", source))
        return spares.count("taken") > taken

    until(again, 10, "an invocation out of a sandbox that was ready")


def test_a_burst_of_first_invocations_loses_none(spares):
    source = "import os, time\ndef handler(event, context):\n    time.sleep(2)\n    return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']\n"
    name = spares.functions.create(PYTHON, source)
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        answers = [answer.expect() for answer in pool.map(lambda _: spares.functions.invoke(name), range(40))]
    assert len(set(answers)) >= 20


def test_the_metrics_tell_when_nothing_more_is_made(new_server):
    spares = Spares(new_server())
    name = spares.functions.create(NODEJS, NOP[NODEJS])
    assert spares.functions.invoke(name, 1).expect() == 1
    spares.wait()
    until(lambda: spares.metric("lambent_spares_making") == 0, 15, "the last spare to be made")
    full = spares.metric("lambent_spares_waiting")
    assert full >= 2
    # What is taken is made again.
    made = spares.count("made")
    spares.functions.invoke(spares.functions.create(NODEJS, NOP[NODEJS]))
    until(lambda: spares.count("made") > made and spares.metric("lambent_spares_making") == 0, 15, "another one to be made")
    assert spares.metric("lambent_spares_waiting") >= full


def test_without_memory_for_spares_nothing_waits(new_server):
    spares = Spares(new_server("--spare-memory", "0"))
    name = spares.functions.create(PYTHON, NOP[PYTHON])
    assert spares.functions.invoke(name, 1).expect() == 1
    assert spares.metric("lambent_spares_waiting") == 0
    assert spares.count("made") == 0
