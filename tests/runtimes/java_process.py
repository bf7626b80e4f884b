"""Java functions for the tests: compiles the bootstrap and handlers once, and runs them as plain child processes."""

import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

from runtimes import runtime_process
from runtimes.runtime_process import SOURCES

JAVAC = shutil.which("javac", path="/usr/bin:/usr/local/bin")
JAVA = shutil.which("java", path="/usr/bin:/usr/local/bin")
IMPORTS = "package example;\nimport java.io.*;\nimport java.util.*;\nimport com.amazonaws.services.lambda.runtime.*;\n"
OPENS = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in ("util", "lang", "io")]
_kept = []


def scratch():
    _kept.append(tempfile.TemporaryDirectory(prefix="lambent-java-"))
    return pathlib.Path(_kept[-1].name)


@functools.cache
def bootstrap():
    """The directory of the runtime's own classes, built as the server's build does."""
    built = scratch()
    sources = [str(path) for path in (SOURCES / "java").rglob("*.java")]
    subprocess.run([JAVAC, "--release", "8", "-nowarn", "-Xlint:-options", "-d", str(built), *sources], check=True)
    subprocess.run(["clang-19", "-ffreestanding", "-fno-stack-protector", "-fPIC", "-shared", "-nostdlib", "-o",
                    str(built / "liblambent.so"), str(SOURCES / "java/native.c")], check=True)
    return built


@functools.cache
def compiled(body, name="Handler", more="", release=8):
    """{path: bytes} of the class example.Handler with this body (from "class" or "public class" on)."""
    directory = scratch()
    source = directory / "src" / (name + ".java")
    source.parent.mkdir()
    source.write_text(IMPORTS + more + body)
    classes = directory / "classes"
    subprocess.run([JAVAC, "--release", str(release), "-nowarn", "-Xlint:-options", "-cp", str(bootstrap()), "-d", str(classes),
                    str(source)], check=True)
    return {str(path.relative_to(classes)): path.read_bytes() for path in classes.rglob("*.class")}


def java(body, handler="example.Handler", events=1, env=None, setup=None, spare=None, files=None, more="", flags=()):
    argv = [JAVA, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", *OPENS, *flags, "-cp", str(bootstrap()), "lambent.Main"]
    env = {"AWS_EXECUTION_ENV": "AWS_Lambda_java17", **(env or {})}
    return runtime_process.run(argv, {**compiled(body, more=more), **(files or {})}, handler, events, env, setup, spare)


def official(jars, body, handler, events, env=None, more=""):
    """The same with AWS's own runtime interface client."""
    argv = [JAVA, "-cp", os.pathsep.join(map(str, jars)), "com.amazonaws.services.lambda.runtime.api.client.AWSLambda", handler]
    env = {"AWS_EXECUTION_ENV": "AWS_Lambda_java17", **(env or {})}
    return runtime_process.run(argv, compiled(body, more=more), handler, events, env)
