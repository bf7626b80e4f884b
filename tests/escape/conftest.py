"""The hostile function in every language, with the static probe in its zip."""

import functools
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from runtimes.java_process import JAVAC, compiled
from support.dotnet import CONFIG, Compiler
from support.dotnet import RUNTIME as DOTNET
from support.functions import NODEJS, PYTHON, Deployer, ensure_role
from support.runtimes import ROOTS, ensure, lambent, listed
from support.server import Server

HERE = Path(__file__).parent
RUBY = "ruby3.3"
JAVA = "java21"
PROVIDED = "provided.al2023"
ACCESS_POINT = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-00000000000000052"
# By language: the Handler, and the file in the zip with the agent's source where it needs no compiler.
AGENT = {"python": ("app.handler", "app.py", "agent.py"), "nodejs": ("index.handler", "index.mjs", "agent.mjs"),
         "ruby": ("app.handler", "app.rb", "agent.rb"), "java": ("example.Agent",), "dotnet": ("Agent",), "provided": ("bootstrap",)}
RUNTIMES = [PYTHON, NODEJS, RUBY, JAVA, DOTNET, PROVIDED]
OTHER_VERSIONS = ["python3.9", "python3.11", "nodejs18.x", "nodejs20.x", "java17"]
# What depends on a version's own files and processes; the rest is the same kernel's answer to the same calls.
IN_OTHER_VERSIONS = ("test_files_of_the_host_are_not_there", "test_directories_of_the_host_show_nothing", "test_only_own_processes_are_seen",
                     "test_programs_of_the_host_are_not_overwritten", "test_code_and_runtime_are_read_only",
                     "test_the_functions_own_code_is_not_replaced", "test_nothing_open_is_inherited", "test_a_function_is_nobody",
                     "test_forbidden_calls_are_refused", "test_the_environment_is_aws_and_the_functions_own",
                     "test_no_process_inside_carries_a_secret_of_the_server", "test_the_hosts_loopback_is_another")
# What these try is done by the static probe or meets the namespace alone, or takes one environment after another: some are enough.
SOME = {
    "test_64_spinning_threads_leave_the_machine_to_others": (PYTHON,),
    "test_nothing_stays_of_an_environment_that_ended": (PYTHON,),
    "test_marks_stay_with_their_account": (PYTHON,),
    "test_loopback_has_two_doors": (PYTHON, NODEJS),
    "test_memory_by_other_doors_is_the_environments_own": (PYTHON, NODEJS),
    "test_an_endless_fork_bomb_is_cleared_away": (PYTHON, NODEJS, RUBY),
    "test_a_fork_bomb_ends_at_its_own_limit": (PYTHON, NODEJS, RUBY, JAVA),
    "test_the_number_of_processes_has_an_end": (DOTNET, PROVIDED),
    "test_tmp_holds_its_size_and_no_more": (PYTHON, NODEJS, RUBY, JAVA),
    "test_the_sweep_finds_no_call_beyond_the_list": (PYTHON, NODEJS, RUBY, DOTNET, PROVIDED),
    # .NET leaves its own sockets to its children.
    "test_a_child_gets_three_descriptors": (PYTHON, NODEJS, RUBY, JAVA, PROVIDED),
    # What stands in for .NET's official package does not tell a handler the request's id.
    "test_a_second_response_harms_only_the_one_who_sent_it": (PYTHON, NODEJS, RUBY, JAVA, PROVIDED),
}


def is_left_out(name, runtime):
    return name not in IN_OTHER_VERSIONS if runtime in OTHER_VERSIONS else runtime not in SOME.get(name, RUNTIMES)


def pytest_collection_modifyitems(config, items):
    """The hook is given every folder's items: those of this one alone are judged."""
    left_out = {item for item in items if HERE in item.path.parents and "runtime" in getattr(item, "fixturenames", ())
                and is_left_out(item.originalname, item.callspec.params["runtime"])}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The bytes of probe.c and its parts, built static: it runs in any root file system."""
    built = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run(["clang-19", "-O1", "-static", "-pthread", "-o", built, *sorted(HERE.glob("probe*.c"))], check=True)
    return built.read_bytes()


@pytest.fixture(scope="session")
def armed(probe):
    """The ARN and the place of a directory of the host with programs that would give anybody root's user, root's group, and every
    capability."""
    home = Path(tempfile.mkdtemp(prefix="lambent-armed-", dir="/tmp"))
    home.chmod(0o755)
    directory = home / "shared"
    directory.mkdir(mode=0o755)
    if os.geteuid() == 0:
        # Root's own directories are refused.
        os.chown(directory, 12345, 12345)
        for name, mode in (("as-root", 0o4755), ("as-roots-group", 0o2755), ("with-capabilities", 0o755)):
            (directory / name).write_bytes(probe)
            (directory / name).chmod(mode)
        revision_2_effective = 0x02000001
        everything = struct.pack("<5I", revision_2_effective, 0xffffffff, 0, 0x1ff, 0)
        os.setxattr(directory / "with-capabilities", "security.capability", everything)
    yield ACCESS_POINT, directory
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def server(armed):
    """With every installed root: each language is tried on its own."""
    # The model no longer has this one: a server takes it when it found it at its start.
    if listed()[DOTNET]["state"] != "ready":
        lambent("install", "--runtimes-dir", ROOTS, DOTNET, check=False)
    running = Server("--runtimes-dir", str(ROOTS), "--file-system", f"{armed[0]}={armed[1]}").start()
    yield running
    try:
        assert running.stop() == 0, running.said()
    finally:
        running.discard()


@pytest.fixture(scope="session")
def role_arn(server):
    return ensure_role(server)


def install(runtime):
    if runtime not in (PYTHON, NODEJS, PROVIDED):
        ensure(runtime)


@pytest.fixture(params=RUNTIMES + OTHER_VERSIONS, scope="session")
def runtime(request):
    install(request.param)
    return request.param


@pytest.fixture(scope="session")
def zipped(tmp_path_factory, probe):
    """What is in the hostile function's zip, by language; what has to be compiled is compiled once."""
    scratch = tmp_path_factory.mktemp("hostile")

    def c(name, *options):
        subprocess.run(["clang-19", "-O1", "-pthread", "-o", scratch / name, *options], check=True, cwd=HERE)
        return (scratch / name).read_bytes()

    def agent(language):
        if language == "java":
            if JAVAC is None:
                pytest.skip("there is no JDK: ./setup --tests installs one")
            return compiled((HERE / "Agent.java").read_text(), "Agent", release=17)
        if language == "provided":
            return {"bootstrap!": c("agent", "-static", "agent.c")}
        if language == "dotnet":
            compiler = Compiler(scratch)
            made = compiler.make("Agent", HERE / "Agent.cs", "exe", f"-r:{compiler.support}")
            return {"Agent.dll": made.read_bytes(), "Agent.runtimeconfig.json": CONFIG, compiler.support.name: compiler.support.read_bytes(),
                    "libagent.so": c("libagent.so", "-shared", "-fPIC", "agent.c")}
        _, name, source = AGENT[language]
        return {name: (HERE / source).read_text()}

    @functools.cache
    def files(language):
        return {**agent(language), "probe!": probe}

    return files


def packed(steps, aloud=False):
    """An event for agent.c, which tells why it is so."""
    def word(part):
        text = "".join(f"{name}: {value}\r\n" for name, value in part.items()) if isinstance(part, dict) else str(part)
        return text.encode().hex()

    return ("!" if aloud else "") + ";".join(",".join(map(word, step)) for step in steps)


class Hostile:
    """One deployed hostile function."""

    def __init__(self, functions, runtime, zipped, **settings):
        self.language = next(language for language in AGENT if runtime.startswith(language))
        self.functions = functions
        self.runtime = runtime
        self.handler = settings.setdefault("Handler", AGENT[self.language][0])
        self.files = zipped(self.language)
        self.name = functions.create(runtime, self.files, stem="hostile", **settings)

    def event(self, *steps, **more):
        return packed(steps, **more) if self.language in ("dotnet", "provided") else {"steps": steps, **more}

    def invoke(self, *steps, **more):
        return self.functions.invoke(self.name, self.event(*steps, **more))

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
def hostile(server, role_arn, runtime, zipped):
    deployer = Deployer(server, role_arn)
    yield Hostile(deployer, runtime, zipped, MemorySize=512, Timeout=60)
    deployer.clean()


@pytest.fixture
def make_hostile_in_each_language(functions, zipped):
    """For what takes its time and may take it for all of them at once."""
    def make(**settings):
        made = []
        for runtime in RUNTIMES:
            try:
                install(runtime)
                made.append(Hostile(functions, runtime, zipped, **settings))
            except pytest.skip.Exception:
                # The tests of each runtime by itself say why.
                continue
        return made

    return make


@pytest.fixture
def make_hostile_at(runtime, zipped):
    """On a server of the test's own, which has the machine's runtimes alone."""
    return lambda functions, **settings: Hostile(functions, runtime, zipped, **settings)


@pytest.fixture
def make_hostile(functions, make_hostile_at):
    return lambda **settings: make_hostile_at(functions, **settings)
