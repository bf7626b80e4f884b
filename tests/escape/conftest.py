"""The hostile function in every language, with the static probe in its zip."""

import subprocess
from pathlib import Path

import pytest

from support.functions import NODEJS, PYTHON, Deployer, ensure_role
from support.runtimes import ROOTS, ensure
from support.server import Server

HERE = Path(__file__).parent
RUBY = "ruby3.3"
AGENT = {PYTHON: ("app.py", HERE / "agent.py"), NODEJS: ("index.mjs", HERE / "agent.mjs"), RUBY: ("app.rb", HERE / "agent.rb")}
HANDLER = {PYTHON: "app.handler", NODEJS: "index.handler", RUBY: "app.handler"}


# What these try is done by the static probe, or takes long in a slow language: two of them are enough.
IN_TWO_LANGUAGES = ("test_loopback_has_two_doors", "test_memory_by_other_doors_is_the_environments_own",
                    "test_64_spinning_threads_leave_the_machine_to_others")


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if getattr(item, "originalname", "") in IN_TWO_LANGUAGES and RUBY in item.name]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def server():
    """With every installed root: each language is tried on its own."""
    running = Server("--runtimes-dir", str(ROOTS)).start()
    yield running
    try:
        assert running.stop() == 0, running.said()
    finally:
        running.discard()


@pytest.fixture(scope="session")
def role_arn(server):
    return ensure_role(server)


@pytest.fixture(params=AGENT, scope="session")
def runtime(request):
    if request.param == RUBY:
        ensure(RUBY)
    return request.param


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The bytes of tests/escape/probe.c, built static: it runs in any root file system."""
    built = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run(["clang-19", "-O1", "-static", "-pthread", "-o", built, HERE / "probe.c"], check=True)
    return built.read_bytes()


class Hostile:
    """One deployed hostile function."""

    def __init__(self, functions, runtime, probe, **settings):
        name, source = AGENT[runtime]
        self.functions = functions
        self.runtime = runtime
        settings.setdefault("Handler", HANDLER[runtime])
        self.name = functions.create(runtime, {name: source.read_text(), "probe!": probe}, stem="hostile", **settings)

    def invoke(self, *steps):
        return self.functions.invoke(self.name, {"steps": steps})

    def do(self, *steps):
        """How each step went: {"ok": value} or {"error": name}."""
        return self.invoke(*steps).expect()

    def one(self, *step):
        return self.do(list(step))[0]

    def error(self, *step):
        """The error's name of a step that must fail."""
        went = self.one(*step)
        assert "error" in went, f"{step} went through: {str(went)[:300]}"
        return went["error"]

    def probe(self, *operands):
        """{name: outcome} of what the probe printed."""
        went = self.one("run", "/var/task/probe", *operands)
        assert went["ok"]["status"] == 0, went
        return dict(line.split(": ", 1) for line in went["ok"]["out"].splitlines())


@pytest.fixture(scope="module")
def hostile(server, role_arn, runtime, probe):
    deployer = Deployer(server, role_arn)
    yield Hostile(deployer, runtime, probe, MemorySize=512, Timeout=60)
    deployer.clean()


@pytest.fixture
def make_hostile(functions, runtime, probe):
    return lambda **settings: Hostile(functions, runtime, probe, **settings)
