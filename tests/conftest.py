"""Fixtures of the black-box tests: servers, clients and functions."""

import pytest

from support.functions import NODEJS, PYTHON, Deployer, ensure_role
from support.moto import Moto
from support.server import BINARY, Server
from support.spares import Spares


def pytest_collection_modifyitems(session, config, items):
    if items and not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: make build, or name another in LAMBENT_BINARY", returncode=2)


@pytest.fixture(scope="session")
def server():
    """The server that most tests share. It must end with status 0 on SIGTERM."""
    running = Server().start()
    yield running
    try:
        assert running.stop() == 0, running.said()
    finally:
        running.discard()


@pytest.fixture
def new_server():
    """Makes servers of a test's own: new_server("--flag", environment={...})."""
    made = []

    def make(*arguments, **settings):
        made.append(Server(*arguments, **settings))
        return made[-1].start()

    yield make
    for each in made:
        each.discard()


@pytest.fixture(scope="module")
def moto():
    """AWS's services that functions' targets and code are in, as moto's server plays them; a module's own."""
    running = Moto()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def spares():
    """What waits on a server of the module's own."""
    running = Server().start()
    yield Spares(running)
    try:
        assert running.stop() == 0, running.said()
    finally:
        running.discard()


@pytest.fixture(scope="session")
def role_arn(server):
    """A role that Lambda may assume and that no policy allows anything."""
    return ensure_role(server)


@pytest.fixture
def functions(server, role_arn):
    """Deploys functions on the shared server and removes them afterwards."""
    deployer = Deployer(server, role_arn)
    yield deployer
    deployer.clean()


@pytest.fixture(scope="module")
def module_functions(server, role_arn):
    """The same for functions that the tests of one file share."""
    deployer = Deployer(server, role_arn)
    yield deployer
    deployer.clean()


@pytest.fixture(scope="session")
def awslambda(server):
    return server.client("lambda")


@pytest.fixture(scope="session")
def iam(server):
    return server.client("iam")


@pytest.fixture(params=[PYTHON, NODEJS], scope="session")
def runtime(request):
    return request.param
