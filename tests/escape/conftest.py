"""The hostile function in every language, with the static probe in its zip."""

import subprocess
from pathlib import Path

import pytest

from runtimes.java_process import JAVAC, compiled
from support.functions import NODEJS, PYTHON, Deployer, ensure_role
from support.runtimes import ROOTS, ensure
from support.server import Server

HERE = Path(__file__).parent
RUBY = "ruby3.3"
JAVA = "java21"
# By language: the file in the zip, the agent's source, the Handler.
AGENT = {"python": ("app.py", "agent.py", "app.handler"), "nodejs": ("index.mjs", "agent.mjs", "index.handler"),
         "ruby": ("app.rb", "agent.rb", "app.handler"), "java": ("", "Agent.java", "example.Agent")}
RUNTIMES = [PYTHON, NODEJS, RUBY, JAVA]
OTHER_VERSIONS = ["python3.9", "python3.11", "nodejs18.x", "nodejs20.x", "java17"]
# What depends on a version's own files and processes; the rest is the same kernel's answer to the same calls.
IN_OTHER_VERSIONS = ("test_files_of_the_host_are_not_there", "test_directories_of_the_host_show_nothing", "test_only_own_processes_are_seen",
                     "test_programs_of_the_host_are_not_overwritten", "test_code_and_runtime_are_read_only",
                     "test_the_functions_own_code_is_not_replaced", "test_nothing_open_is_inherited", "test_a_function_is_nobody",
                     "test_forbidden_calls_are_refused", "test_the_environment_is_aws_and_the_functions_own",
                     "test_no_process_inside_carries_a_secret_of_the_server", "test_the_hosts_loopback_is_another")
# What these try is done by the static probe or meets the namespace alone: a language or two are enough.
IN_ONE_LANGUAGE = ("test_64_spinning_threads_leave_the_machine_to_others",)
IN_TWO_LANGUAGES = ("test_loopback_has_two_doors", "test_memory_by_other_doors_is_the_environments_own")
# One environment after another is made for these, and a Java takes its time.
NOT_IN_JAVA = ("test_an_endless_fork_bomb_is_cleared_away", "test_the_sweep_finds_no_call_beyond_the_list")


def is_left_out(name, runtime):
    if runtime in OTHER_VERSIONS:
        return name not in IN_OTHER_VERSIONS
    return ((name in IN_ONE_LANGUAGE and runtime != PYTHON) or (name in IN_TWO_LANGUAGES and runtime not in (PYTHON, NODEJS))
            or (name in NOT_IN_JAVA and runtime == JAVA))


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items
                if hasattr(item, "callspec") and is_left_out(item.originalname, item.callspec.params.get("runtime"))]
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


@pytest.fixture(params=RUNTIMES + OTHER_VERSIONS, scope="session")
def runtime(request):
    if request.param not in (PYTHON, NODEJS):
        ensure(request.param)
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
        self.language = next(language for language in AGENT if runtime.startswith(language))
        name, source, handler = AGENT[self.language]
        text = (HERE / source).read_text()
        if self.language == "java" and JAVAC is None:
            pytest.skip("there is no JDK: ./setup --tests installs one")
        files = compiled(text, "Agent", release=17) if self.language == "java" else {name: text}
        self.functions = functions
        self.runtime = runtime
        self.handler = settings.setdefault("Handler", handler)
        self.name = functions.create(runtime, {**files, "probe!": probe}, stem="hostile", **settings)

    def invoke(self, *steps, **more):
        return self.functions.invoke(self.name, {"steps": steps, **more})

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
