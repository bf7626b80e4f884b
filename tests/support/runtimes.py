"""The versions of languages that tests run functions on: installed once with `lambent runtimes`, and kept between runs."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.server import AS_ROOT, BINARY

ROOTS = Path(os.environ.get("LAMBENT_RUNTIMES", "/var/cache/lambent-runtimes"))
INSTALL_SECONDS = 600
# At least these run everywhere; what the machine has itself is not installed again.
TESTED = ["python3.9", "python3.11", "python3.13", "nodejs18.x", "nodejs20.x", "nodejs22.x", "ruby3.3", "java17", "java21"]


def lambent(*arguments, check=True, seconds=INSTALL_SECONDS):
    done = subprocess.run([*AS_ROOT, str(BINARY), "runtimes", *map(str, arguments)], capture_output=True, text=True, timeout=seconds)
    assert not check or done.returncode == 0, done.stderr
    return done


def listed(roots=ROOTS):
    """{identifier: row} of `lambent runtimes list`."""
    rows = json.loads(lambent("list", "--json", "--runtimes-dir", roots).stdout)
    return {row["identifier"]: row for row in rows}


def ensure(identifier):
    """Installs one that is missing; skips the test when its source does not have it."""
    if listed()[identifier]["state"] != "ready":
        done = lambent("install", "--runtimes-dir", ROOTS, identifier, check=False)
        if done.returncode != 0:
            pytest.skip(f"{identifier} cannot be installed here: {done.stderr.strip()[-300:]}")
