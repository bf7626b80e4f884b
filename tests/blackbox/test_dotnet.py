"""Functions in .NET. The one that the registries carry is .NET Core 3.1, on PyPI, and Mono's compiler makes assemblies for it; NuGet is
not among them, so tests/runtimes/dotnet/RuntimeSupport.cs stands in for the official package. What starts class libraries is our own, as
`lambent runtimes install dotnet8` would build it with an SDK (src/runtimes/catalog_test.cc)."""

import json
import pathlib
import subprocess
import tempfile

import pytest

from support.dotnet import CONFIG, RUNTIME, Compiler
from support.functions import Deployer, ensure_role
from support.runtimes import ROOTS, lambent
from support.server import AS_ROOT, ROOT, Server

LIBRARY = """using System;
namespace Orders {
  public class Function {
    static int count;
    public string Handle(string said) {
      if (said == "\\"fail\\"") throw new InvalidOperationException("bad");
      Console.WriteLine("event " + said);
      return "{\\"said\\":" + said + ",\\"count\\":" + ++count + ",\\"version\\":\\"" + Environment.Version + "\\",\\"heap\\":" +
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes + ",\\"cwd\\":\\"" + Environment.CurrentDirectory + "\\",\\"as\\":\\"" +
        Environment.GetEnvironmentVariable("AWS_EXECUTION_ENV") + "\\"}";
    }
  }
}"""
PROGRAM = """public static class Program {
  public static void Main() { Amazon.Lambda.RuntimeSupport.RuntimeSupportInitializer.Serve(said => "[" + said + "]").Wait(); }
}"""
# As what an ahead-of-time compiler makes: something that the kernel executes.
NATIVE = """#!/usr/bin/python3
import os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    event = urllib.request.urlopen(api + "next")
    urllib.request.urlopen(api + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response", b"[" + event.read() + b"]")
"""


@pytest.fixture(scope="module")
def compiler(tmp_path_factory):
    return Compiler(tmp_path_factory.mktemp("dotnet"))


def serve(roots):
    server = Server("--runtimes-dir", str(roots)).start()
    return server, Deployer(server, ensure_role(server))


@pytest.fixture(scope="module")
def deployer(compiler):
    """On a .NET that can start class libraries."""
    roots = pathlib.Path(tempfile.mkdtemp(prefix="lambent-roots-", dir="/tmp"))
    # The server looks at it as the user lambent.
    roots.chmod(0o755)
    starter = compiler.make("Starter", ROOT / "src/runtimes/dotnet/Starter.cs", "exe", f"-r:{compiler.support}")
    subprocess.run([*AS_ROOT, "cp", "-a", str(ROOTS / "dotnet3"), str(roots)], check=True)
    lambda_directory = roots / "dotnet3/lang/lambda"
    subprocess.run([*AS_ROOT, "mkdir", str(lambda_directory)], check=True)
    subprocess.run([*AS_ROOT, "install", "-m", "644", str(starter), str(compiler.support), str(lambda_directory)], check=True)
    server, deployer = serve(roots)
    yield deployer
    try:
        assert server.stop() == 0, server.said()
    finally:
        server.discard()
        subprocess.run([*AS_ROOT, "rm", "-rf", str(roots)], check=True)


def library(compiler):
    target = ".NETCoreApp,Version=v3.1"
    dependencies = {"runtimeTarget": {"name": target}, "targets": {target: {"Orders/1.0.0": {"runtime": {"Orders.dll": {}}}}},
                    "libraries": {"Orders/1.0.0": {"type": "project", "serviceable": False, "sha512": ""}}}
    return {"Orders.dll": compiler.make("Orders", LIBRARY).read_bytes(), "Orders.deps.json": json.dumps(dependencies),
            "Orders.runtimeconfig.json": CONFIG}


def test_a_class_library_runs(deployer, compiler):
    name = deployer.create(RUNTIME, library(compiler), Handler="Orders::Orders.Function::Handle", MemorySize=512)
    for count, event in enumerate(({"a": [1, "é"]}, None), 1):
        answer = deployer.invoke(name, event, LogType="Tail")
        assert answer.expect() == {"said": event, "count": count, "version": "3.1.23", "heap": 512 * 3 // 4 << 20, "cwd": "/var/task",
                                   "as": f"AWS_Lambda_{RUNTIME}"}
        assert "\nevent " in answer.log and ("Init Duration" in answer.log) == (count == 1)
    failed = deployer.invoke(name, "fail")
    assert (failed.error, failed.value["errorType"], failed.value["errorMessage"]) == ("Unhandled", "InvalidOperationException", "bad")
    assert deployer.invoke(name, 1).expect()["count"] == 3


def test_an_assembly_may_have_another_name_than_its_project(deployer, compiler):
    files = {name.replace("Orders.deps", "Shop.deps").replace("Orders.runtimeconfig", "Shop.runtimeconfig"): content
             for name, content in library(compiler).items()}
    name = deployer.create(RUNTIME, files, Handler="Orders::Orders.Function::Handle", MemorySize=512)
    assert deployer.invoke(name, 5).expect()["said"] == 5
    # Where there are two of a kind only the variable tells which.
    files |= {"Other.deps.json": "{}", "Other.runtimeconfig.json": "{}"}
    settings = {"Handler": "Orders::Orders.Function::Handle", "MemorySize": 512}
    assert deployer.invoke(deployer.create(RUNTIME, files, **settings)).error == "Unhandled"
    name = deployer.create(RUNTIME, files, Environment={"Variables": {"LAMBDA_DOTNET_MAIN_ASSEMBLY": "Shop.dll"}}, **settings)
    assert deployer.invoke(name, 5).expect()["said"] == 5


@pytest.mark.parametrize("how", ["variable", "project"])
def test_a_function_may_bound_its_heap_itself(deployer, compiler, how):
    files, settings = library(compiler), {}
    if how == "variable":
        settings = {"Environment": {"Variables": {"COMPlus_GCHeapHardLimit": "8000000"}}}
    else:
        config = json.loads(CONFIG)
        config["runtimeOptions"]["configProperties"] = {"System.GC.HeapHardLimit": 128 << 20}
        files["Orders.runtimeconfig.json"] = json.dumps(config)
    name = deployer.create(RUNTIME, files, Handler="Orders::Orders.Function::Handle", MemorySize=512, **settings)
    assert deployer.invoke(name).expect()["heap"] == 128 << 20


@pytest.mark.parametrize("handler", ["Program", "Program.dll"])
def test_a_program_asks_for_its_events_itself(deployer, compiler, handler):
    program = compiler.make("Program", PROGRAM, "exe", f"-r:{compiler.support}").read_bytes()
    files = {"Program.dll": program, "Program.runtimeconfig.json": CONFIG,
             "Amazon.Lambda.RuntimeSupport.dll": compiler.support.read_bytes()}
    name = deployer.create(RUNTIME, files, Handler=handler, MemorySize=512)
    assert deployer.invoke(name, {"a": 1}).expect() == [{"a": 1}]


def test_a_native_program_is_executed(deployer):
    name = deployer.create(RUNTIME, {"worker!": NATIVE}, Handler="worker", MemorySize=256)
    assert deployer.invoke(name, {"a": 1}).expect() == [{"a": 1}]


@pytest.mark.parametrize("handler,left_out,status,said", [
    ("Missing", "", 104, "the package has neither Missing.dll nor a program Missing"),
    ("Orders::Orders.Function::Handle", "Orders.deps.json", 105, "the package has no Orders.deps.json"),
    ("Orders::Orders.Function::Handle", "Orders.runtimeconfig.json", 106, "the package has no Orders.runtimeconfig.json"),
])
def test_what_a_package_lacks_is_said(deployer, compiler, handler, left_out, status, said):
    files = {name: content for name, content in library(compiler).items() if name != left_out}
    name = deployer.create(RUNTIME, files, Handler=handler, MemorySize=512)
    answer = deployer.invoke(name, LogType="Tail")
    assert (answer.error, answer.value["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert answer.value["errorMessage"].endswith(f"Error: Runtime exited with error: exit status {status}")
    assert f"Error: {said}" in answer.log


def test_a_class_library_without_the_package_says_what_brings_it(compiler):
    server, deployer = serve(ROOTS)
    try:
        name = deployer.create(RUNTIME, library(compiler), Handler="Orders::Orders.Function::Handle", MemorySize=512)
        answer = deployer.invoke(name, LogType="Tail")
        assert answer.value["errorMessage"].endswith("exit status 107")
        assert "a class library needs the package Amazon.Lambda.RuntimeSupport here" in answer.log
    finally:
        server.stop()
        server.discard()


@pytest.mark.skipif(any(pathlib.Path("/usr", place, "dotnet/dotnet").exists() for place in ("lib", "share", "lib64", "local/share")),
                    reason="there is a .NET")
def test_an_install_without_the_sdk_names_it_and_leaves_nothing(tmp_path):
    refused = lambent("install", "--runtimes-dir", tmp_path / "roots", "dotnet8", check=False)
    assert refused.returncode != 0
    assert "this machine has no .NET 8: install its SDK (dotnet-sdk-8.0), which brings the runtime" in refused.stderr
    assert [path.name for path in (tmp_path / "roots").iterdir()] == [".installing"]
