"""AWS's own runtime clients, brought once by the ordinary tool of their language and kept between runs.

./setup --tests installs those tools. What cannot be had on a machine is skipped with the reason.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("LAMBENT_CLIENTS", "/var/cache/lambent-clients"))
BUILD_SECONDS = 900


def tool(name, *also):
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *also]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def built(name, make):
    """CACHE/NAME, made by make(directory) when it is not there yet: beside, then renamed."""
    place = CACHE / name
    if place.exists():
        return place
    draft = CACHE / f".{name}.{os.getpid()}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        make(draft)
    except (subprocess.SubprocessError, OSError) as failed:
        shutil.rmtree(draft, ignore_errors=True)
        pytest.skip(f"{name} cannot be had here: {failed}")
    draft.rename(place)
    return place


def run(*argv, cwd, **environment):
    done = subprocess.run([str(part) for part in argv], cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=BUILD_SECONDS)
    if done.returncode != 0:
        raise OSError(f"{argv[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}")


JAVA_CLIENT = "2.6.0"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>lambent</groupId><artifactId>tests</artifactId><version>1</version><dependencies><dependency><groupId>com.amazonaws</groupId>
<artifactId>aws-lambda-java-runtime-interface-client</artifactId><version>{JAVA_CLIENT}</version></dependency></dependencies></project>
"""


def java_client():
    """The jars of com.amazonaws:aws-lambda-java-runtime-interface-client."""
    maven = tool("mvn")

    def make(directory):
        (directory / "pom.xml").write_text(POM)
        run(maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={directory}/jars", cwd=directory)

    return sorted((built(f"java-{JAVA_CLIENT}", make) / "jars").glob("*.jar"))


PYTHON_CLIENT = "4.0.1"


def python_client():
    """awslambdaric from PyPI, as the files of a package."""

    def make(directory):
        run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--target",
            directory / "package", f"awslambdaric=={PYTHON_CLIENT}", cwd=directory)

    return built(f"python-{PYTHON_CLIENT}", make) / "package"


NODEJS_CLIENT = "4.0.2"


def nodejs_client():
    """aws-lambda-ric from npm; its native addon is built by node-gyp, with a curl that it brings."""
    npm = tool("npm")
    for need in ("cmake", "make", "autoconf", "automake", "libtoolize", "xz"):
        tool(need)
    # Lambent's own; what they leave for the linker's optimiser is their own linker's to read.
    compilers = {"CC": tool("clang-19"), "CXX": tool("clang++-19"), "LDFLAGS": "-fuse-ld=lld"}

    def make(directory):
        (directory / "package.json").write_text("{}")
        run(npm, "install", "--no-audit", "--no-fund", f"aws-lambda-ric@{NODEJS_CLIENT}", cwd=directory, npm_config_nodedir="/usr",
            **compilers)

    return built(f"nodejs-{NODEJS_CLIENT}", make) / "node_modules"


# The last that Debian 12's Go can build: later ones ask for Go 1.26.
GO_CLIENT = "v1.54.0"
GO_SOURCE = """package main

import (
    "context"

    "github.com/aws/aws-lambda-go/lambda"
    "github.com/aws/aws-lambda-go/lambdacontext"
)

func handler(ctx context.Context, event map[string]interface{}) (map[string]interface{}, error) {
    found, _ := lambdacontext.FromContext(ctx)
    return map[string]interface{}{"event": event, "id": found.AwsRequestID, "name": lambdacontext.FunctionName}, nil
}

func main() { lambda.Start(handler) }
"""


def go_program():
    """A static program with github.com/aws/aws-lambda-go."""
    go = tool("go", "/usr/local/go/bin")

    def make(directory):
        (directory / "main.go").write_text(GO_SOURCE)
        run(go, "mod", "init", "lambent.test/function", cwd=directory)
        run(go, "get", f"github.com/aws/aws-lambda-go@{GO_CLIENT}", cwd=directory)
        run(go, "build", "-tags", "lambda.norpc", "-o", "bootstrap", ".", cwd=directory, CGO_ENABLED="0")

    return built(f"go-{GO_CLIENT}", make) / "bootstrap"


RUST_CLIENT = "0.13"
CARGO = f"""[package]
name = "bootstrap"
version = "0.1.0"
edition = "2021"
[dependencies]
lambda_runtime = {{ version = "{RUST_CLIENT}", default-features = false }}
serde_json = "1"
tokio = {{ version = "1", features = ["macros"] }}
[profile.release]
strip = true
opt-level = 1
debug = false
"""
RUST_SOURCE = """use lambda_runtime::{service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

async fn handler(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    Ok(json!({"event": event, "id": context.request_id, "name": context.env_config.function_name}))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(handler)).await
}
"""


def rust_program():
    """A program with the crate lambda_runtime."""
    cargo = tool("cargo", str(Path.home() / ".cargo/bin"))

    def make(directory):
        (directory / "src").mkdir()
        (directory / "Cargo.toml").write_text(CARGO)
        (directory / "src/main.rs").write_text(RUST_SOURCE)
        # Debian's Rust is not the newest: dependencies that ask for a newer one are not taken.
        run(cargo, "build", "--quiet", "--release", cwd=directory, CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS="fallback")
        shutil.copy(directory / "target/release/bootstrap", directory / "bootstrap")
        shutil.rmtree(directory / "target")

    return built(f"rust-{RUST_CLIENT}", make) / "bootstrap"
