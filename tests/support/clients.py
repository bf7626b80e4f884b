"""AWS's own runtime clients, brought once by the ordinary tool of their language and kept between runs.

What cannot be had on a machine is skipped with the reason.
"""

import os
import shutil
import subprocess
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
