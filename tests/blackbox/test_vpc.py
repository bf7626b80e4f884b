"""Functions in a VPC: the networks of their subnets and nothing else, as far as their security groups let them.

Host and internet are network namespaces of the test's own.
"""

import os
import subprocess

import pytest

from support.functions import PYTHON, Deployer, ensure_role
from support.internet import ELSEWHERE_PRIVATE, HOST, METADATA, NAMES, PRIVATE, WEB, World
from support.refusal import refusal
from support.server import BINARY, Server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

ZONES = ("--subnet", f"subnet-data=vpc-1:{PRIVATE}/32", "--subnet", f"subnet-open=vpc-1:{PRIVATE}/32,internet",
         "--subnet", "subnet-bare=vpc-1", "--subnet", "subnet-far=vpc-2",
         "--security-group", "sg-all=vpc-1", "--security-group", f"sg-web=vpc-1:{WEB}/32", "--security-group", "sg-far=vpc-2")
REFUSED = {"ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES"}
EX_USAGE = 64

SOURCE = """
import errno, socket

def connect(host, port=80):
    try:
        socket.create_connection((host, port), timeout=5).close()
        return "connected"
    except OSError as error:
        return errno.errorcode.get(error.errno, repr(error))

def handler(hosts, context):
    if hosts == "resolve":
        return socket.gethostbyname("web.example")
    return {host: connect(*host.split(":")) for host in hosts}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World().start()
    world.resolv_conf = tmp_path_factory.mktemp("world") / "resolv.conf"
    world.resolv_conf.parent.chmod(0o755)
    world.resolv_conf.write_text(f"nameserver {NAMES}\n")
    world.names.table["web.example"] = [WEB]
    try:
        yield world
    finally:
        world.leave()


@pytest.fixture(scope="module")
def server(world):
    made = Server("--function-network", "egress", *ZONES)
    made.prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                   'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(world.resolv_conf)]
    yield made.start()
    made.discard()


@pytest.fixture(scope="module")
def deployer(server):
    return Deployer(server, ensure_role(server))


def vpc(*subnets, groups=("sg-all",)):
    return {"SubnetIds": list(subnets), "SecurityGroupIds": list(groups)}


def reached(deployer, name):
    """Which of the hosts a function reaches; whatever it does not must be refused, and at once."""
    hosts = [WEB, PRIVATE, ELSEWHERE_PRIVATE, METADATA, f"{HOST}:5001"]
    outcomes = deployer.invoke(name, hosts).expect()
    assert set(outcomes.values()) - REFUSED <= {"connected"}, outcomes
    return {host for host, outcome in outcomes.items() if outcome == "connected"}


@pytest.mark.parametrize("config, expected", [
    (None, {WEB}),
    (vpc("subnet-data"), {PRIVATE}),
    (vpc("subnet-open"), {PRIVATE, WEB}),
    (vpc("subnet-bare"), set()),
    (vpc("subnet-data", "subnet-bare"), {PRIVATE}),
    (vpc("subnet-open", groups=["sg-web"]), {WEB}),
    (vpc("subnet-data", groups=["sg-web"]), set()),
    (vpc("subnet-open", groups=["sg-web", "sg-all"]), {PRIVATE, WEB}),
])
def test_a_function_reaches_its_subnets_as_far_as_its_groups_let_it(deployer, config, expected):
    name = deployer.create(PYTHON, SOURCE, **({"VpcConfig": config} if config else {}))
    assert reached(deployer, name) == expected
    assert deployer.invoke(name, "resolve").expect() == WEB


def test_it_is_shown_with_its_vpc_and_moves_with_an_update(deployer):
    name = deployer.create(PYTHON, SOURCE, VpcConfig=vpc("subnet-data"))
    shown = deployer.client.get_function_configuration(FunctionName=name)["VpcConfig"]
    assert shown == {**vpc("subnet-data"), "VpcId": "vpc-1", "Ipv6AllowedForDualStack": False}
    assert reached(deployer, name) == {PRIVATE}
    for config, expected in ((vpc("subnet-open"), {PRIVATE, WEB}), (vpc(groups=()), {WEB}), (vpc("subnet-data"), {PRIVATE})):
        deployer.client.update_function_configuration(FunctionName=name, VpcConfig=config)
        deployer.await_update(name)
        assert reached(deployer, name) == expected


def test_an_environment_that_was_in_a_subnet_leaves_nothing_to_the_next(deployer):
    for _ in range(3):
        inside = deployer.create(PYTHON, SOURCE, VpcConfig=vpc("subnet-data"))
        assert reached(deployer, inside) == {PRIVATE}
        deployer.client.delete_function(FunctionName=inside)
        assert reached(deployer, deployer.create(PYTHON, SOURCE)) == {WEB}


@pytest.mark.parametrize("config, says", [
    (vpc("subnet-none"), "EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-none' does not exist"),
    (vpc("subnet-data", groups=["sg-none"]), "InvalidGroup.NotFound. EC2 Error Message: The security group 'sg-none' does not exist"),
    (vpc("subnet-data", groups=()), "SubnetIds and SecurityIds must coexist or be both empty list."),
    (vpc("subnet-data", "subnet-far"), "same VPC"),
    (vpc("subnet-data", groups=["sg-far"]), "same VPC"),
    ({**vpc("subnet-data"), "Ipv6AllowedForDualStack": True}, "Ipv6AllowedForDualStack"),
])
def test_what_is_not_configured_is_refused(deployer, config, says):
    name = deployer.create(PYTHON, SOURCE)
    code, status, message = refusal(deployer.client.update_function_configuration, FunctionName=name, VpcConfig=config)
    assert (code, status) == ("InvalidParameterValueException", 400) and says in message
    assert "VpcConfig" not in deployer.client.get_function_configuration(FunctionName=name)


def test_a_restart_keeps_it_and_one_without_the_subnet_says_so(server, deployer):
    name = deployer.create(PYTHON, SOURCE, VpcConfig=vpc("subnet-data"))
    server.restart()
    assert reached(Deployer(server, deployer.role_arn), name) == {PRIVATE}
    before = server.arguments
    for without, code, says in (((), "InvalidSubnetIDException", "The subnet ID 'subnet-data' does not exist"),
                                (ZONES[:2], "InvalidSecurityGroupIDException", "The security group 'sg-all' does not exist")):
        server.stop()
        server.arguments = ("--function-network", "egress", *without)
        client = server.start().client("lambda")
        for call, event in ((client.invoke, {"Payload": b"[]"}), (client.invoke_with_response_stream, {"Payload": b"[]"}),
                            (client.invoke_async, {"InvokeArgs": b"[]"})):
            assert refusal(call, FunctionName=name, **event) == (code, 502, says)
    server.stop()
    server.arguments = before
    server.start()


@pytest.mark.parametrize("network, arguments, says", [
    ("none", ZONES[:2], "go with --function-network egress"),
    ("egress", ("--subnet", "subnet-a=vpc-1:8.8.8.0/24"), "is not a private IPv4 network"),
    ("egress", ("--security-group", "nonsense"), "is not of the form"),
])
def test_a_wrong_option_is_refused_at_start(tmp_path, network, arguments, says):
    ended = subprocess.run([str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"),
                            "--function-network", network, *arguments], capture_output=True, text=True, timeout=30)
    assert ended.returncode == EX_USAGE and says in ended.stderr
