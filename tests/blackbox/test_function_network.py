"""What a function reaches beyond its two doors: the internet, and nothing private unless granted (trial 53).

Host and internet are network namespaces of the test's own.
"""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from support.functions import NODEJS, PYTHON, Deployer, ensure_role
from support.internet import ELSEWHERE_PRIVATE, HOST, METADATA, NAMES, PRIVATE, WEB, World
from support.polling import until
from support.server import BINARY, Server

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

ROUTER, HOST_LOOPBACK = "169.254.0.1", "169.254.0.2"
REFUSED = {"ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES", "EADDRNOTAVAIL", "EINVAL"}
ANSWERED_IN_S = 1.5

PYTHON_AGENT = """
import errno, os, socket, threading, time, urllib.request

def fetch(url):
    return urllib.request.urlopen(url, timeout=5).read().decode()

def resolve(name):
    return sorted({entry[4][0] for entry in socket.getaddrinfo(name, 80, socket.AF_INET)})

def connect(host, port, kind="tcp"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    began = time.monotonic()
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        try:
            scope = (0, socket.if_nametoindex("eth0")) if host.startswith("fe80") else ()
            client.connect((host, port, *scope))
            if kind == "udp":
                client.send(b"?")
                client.recv(10)
            outcome = "connected"
        except socket.timeout:
            outcome = "timed out"
        except OSError as refused:
            outcome = errno.errorcode[refused.errno]
    return [outcome, time.monotonic() - began]

def address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("203.0.113.80", 9))
        return client.getsockname()[0]

def listen(port, seconds):
    '''Serves on every address of its own until somebody has connected; whether anybody else than itself did.'''
    server = socket.create_server(("0.0.0.0", port))
    with socket.create_connection((address(), port)):
        server.accept()[0].close()
    server.settimeout(seconds)
    print("LISTENING")
    try:
        return server.accept()[1]
    except socket.timeout:
        return "nobody came"

def door(port):
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
        return client.recv(12).decode()

def handler(event, context):
    try:
        return {"ok": globals()[event[0]](*event[1:])}
    except Exception as error:
        return {"error": repr(error)}
"""

NODEJS_AGENT = """
import http from 'node:http';
import dns from 'node:dns/promises';
const fetchPage = (url) => new Promise((resolve, reject) => http.get(url, (answer) => {
  let body = '';
  answer.on('data', (part) => { body += part; }).on('end', () => resolve(body));
}).on('error', reject));
const steps = {fetch: fetchPage, resolve: async (name) => (await dns.lookup(name, {family: 4, all: true})).map((each) => each.address).sort()};
export const handler = async ([step, ...operands]) => {
  try { return {ok: await steps[step](...operands)}; } catch (error) { return {error: error.code ?? String(error)}; }
};
"""
AGENTS = {PYTHON: PYTHON_AGENT, NODEJS: NODEJS_AGENT}


class Agent:
    """A function that tells what it reaches, and its server."""

    def __init__(self, server, runtime=PYTHON):
        self.functions = Deployer(server, ensure_role(server))
        self.name = self.functions.create(runtime, AGENTS[runtime], stem="net", MemorySize=256)

    def do(self, *step):
        return self.functions.invoke(self.name, list(step)).expect()

    def connect(self, host, port=80, kind="tcp"):
        outcome, seconds = self.do("connect", host, port, kind)["ok"]
        return outcome, seconds

    def is_refused(self, host, port=80, kind="tcp"):
        outcome, seconds = self.connect(host, port, kind)
        assert outcome in REFUSED, (host, outcome)
        assert seconds < ANSWERED_IN_S, (host, outcome, seconds)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World().start()
    world.resolv_conf = tmp_path_factory.mktemp("world") / "resolv.conf"
    world.resolv_conf.parent.chmod(0o755)
    world.resolv_conf.write_text(f"nameserver {NAMES}\n")
    table = {"web.example": [WEB], "private.example": [PRIVATE], "rebind.example": [WEB, METADATA, "127.0.0.1", PRIVATE],
             "many.example": [f"203.0.113.{last}" for last in range(100, 140)]}
    world.names.table.update(table)
    world.local_names.table.update({"local.example": [WEB]})
    try:
        yield world
    finally:
        world.leave()


def make_server(world, *arguments):
    """On the world's host, with its name servers."""
    server = Server(*arguments)
    server.prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                     'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(world.resolv_conf)]
    return server


@pytest.fixture(scope="module")
def egress(world):
    server = make_server(world, "--function-network", "egress").start()
    yield server
    server.discard()


@pytest.fixture
def start(world):
    made = []

    def make(*arguments):
        made.append(make_server(world, *arguments))
        return made[-1].start()

    yield make
    for each in made:
        each.discard()


@pytest.fixture(scope="module")
def agent(egress):
    return Agent(egress)


@pytest.mark.parametrize("runtime", [PYTHON, NODEJS])
def test_a_handler_reaches_the_internet_by_name(egress, runtime):
    agent = Agent(egress, runtime)
    assert agent.do("resolve", "web.example") == {"ok": [WEB]}
    assert agent.do("fetch", "http://web.example/") == {"ok": f"hello from {WEB}"}


def test_the_server_says_what_functions_reach(egress):
    assert "egress through wan" in egress.said(20000)


@pytest.mark.parametrize("host", [METADATA, PRIVATE, ELSEWHERE_PRIVATE, "192.168.1.1", "100.100.100.200", "168.63.129.16", ROUTER,
                                  HOST_LOOPBACK, "169.254.128.1", "fd00:ec2::254", "fe80::1", f"::ffff:{METADATA}", f"::ffff:{PRIVATE}",
                                  "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.0.0.0", "::1"])
def test_private_and_link_local_addresses_are_refused(agent, host):
    agent.is_refused(host)


def test_datagrams_are_refused_as_well(agent):
    for host in (PRIVATE, METADATA, HOST):
        agent.is_refused(host, 5353, "udp")
    agent.is_refused(HOST, 53, "udp")


def test_the_host_and_its_loopback_are_refused(agent, egress):
    for port in (5000, egress.port):
        agent.is_refused("127.0.0.1", port)
    for host in (HOST, f"::ffff:{HOST}"):
        agent.is_refused(host, 5001)
        agent.is_refused(host, egress.port)


def test_a_name_that_changes_its_mind_gains_nothing(agent):
    assert agent.do("fetch", "http://rebind.example/") == {"ok": f"hello from {WEB}"}
    for _ in range(3):
        assert "error" in agent.do("fetch", "http://rebind.example/")
    assert agent.do("resolve", "private.example") == {"ok": [PRIVATE]}
    assert "error" in agent.do("fetch", "http://private.example/")


def test_an_answer_too_long_for_a_datagram_comes_by_a_connection(agent, world):
    assert agent.do("resolve", "many.example") == {"ok": sorted(world.names.table["many.example"])}


def test_a_name_that_does_not_exist_is_known_at_once(agent):
    assert "Name or service not known" in agent.do("resolve", "nowhere.example")["error"]


def test_name_servers_on_the_hosts_loopback_work_and_changes_are_followed(agent, world):
    before = world.resolv_conf.read_text()
    world.resolv_conf.write_text("nameserver 127.0.0.53\noptions edns0 trust-ad\n")
    try:
        assert agent.do("resolve", "local.example") == {"ok": [WEB]}
        # Nobody listens at the first: the second is asked at once.
        world.resolv_conf.write_text("nameserver 127.0.0.99\nnameserver 127.0.0.53\n")
        assert agent.do("resolve", "local.example") == {"ok": [WEB]}
    finally:
        world.resolv_conf.write_text(before)
    assert agent.do("resolve", "web.example") == {"ok": [WEB]}


def test_neighbours_are_refused(egress, agent):
    listener = Agent(egress)
    address = listener.do("address")["ok"]
    assert address.startswith("169.254.") and agent.do("address")["ok"] != address
    came = []
    waiting = threading.Thread(target=lambda: came.append(listener.do("listen", 8080, 1.5)["ok"]))
    waiting.start()
    # It answers to itself by then; the neighbour tries until it gives up.
    while waiting.is_alive():
        agent.is_refused(address, 8080)
        agent.is_refused(address, 9001)
    waiting.join()
    assert came == ["nobody came"]


def test_what_is_granted_is_reached_and_nothing_else(start):
    agent = Agent(start("--function-network", "egress", "--allow-cidr", "10.9.9.0/24", "--allow-cidr", f"{HOST}/32"))
    assert agent.do("fetch", f"http://{PRIVATE}/") == {"ok": f"hello from {PRIVATE}"}
    assert agent.do("fetch", f"http://{HOST}:5001/") == {"ok": f"hello from {HOST}"}
    for host in ("10.9.8.9", ELSEWHERE_PRIVATE, METADATA):
        agent.is_refused(host)


def test_none_reaches_nothing(start):
    agent = Agent(start("--function-network", "none"))
    for host in (WEB, PRIVATE, METADATA, HOST, ROUTER):
        assert agent.connect(host)[0] == "ENETUNREACH"
    assert "error" in agent.do("resolve", "web.example")
    assert agent.do("door", 4566)["ok"].startswith("HTTP/1.1 4")


def test_host_reaches_what_the_host_reaches_and_no_neighbour(start):
    server = start("--function-network", "host")
    agent = Agent(server)
    for address in (WEB, PRIVATE, METADATA):
        assert agent.do("fetch", f"http://{address}/") == {"ok": f"hello from {address}"}
    assert agent.do("fetch", f"http://{HOST_LOOPBACK}:5000/") == {"ok": "hello from 127.0.0.1"}
    assert agent.do("resolve", "web.example") == {"ok": [WEB]}
    agent.is_refused("127.0.0.1", 5000)
    agent.is_refused(Agent(server).do("address")["ok"], 9001)
    assert agent.do("door", 9001)["ok"].startswith("HTTP/1.1 4")


def test_the_doors_work_in_mode_egress(agent):
    for port in (4566, 9001):
        assert agent.do("door", port)["ok"].startswith("HTTP/1.1 4")


def forwards(link):
    return Path(f"/proc/sys/net/ipv4/conf/{link}/forwarding").read_text().strip() == "1"


def our_links():
    return [line.split(":")[0].strip() for line in Path("/proc/thread-self/net/dev").read_text().splitlines() if "lambent" in line]


def about(pid, what):
    """A file of /proc; empty when the process has gone."""
    try:
        return Path(f"/proc/{pid}/{what}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def processes_below(pid):
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return found
    for task in tasks:
        for child in map(int, about(pid, f"task/{task}/children").split()):
            found += [child, *processes_below(child)]
    return found


def test_the_name_relay_has_no_privilege_and_comes_back_when_it_ends(egress, agent):
    def relays():
        found = [pid for pid in processes_below(egress.process.pid) if about(pid, "comm").strip() == "lambent-names"]
        return [pid for pid in found if "CapEff:\t0000000000000000" in about(pid, "status")]

    relay, = relays()
    assert "Uid:\t65534\t65534" in about(relay, "status")
    os.kill(relay, signal.SIGKILL)
    until(lambda: relays() and relays() != [relay], 10, "another relay")
    assert agent.do("resolve", "web.example") == {"ok": [WEB]}


def test_a_kill_of_everything_leaves_nothing_after_the_next_start(start, egress):
    egress.stop()
    until(lambda: not our_links() and not forwards("wan"), 10, "nothing of the servers that were stopped")
    server = start("--function-network", "egress")
    assert Agent(server).connect(WEB)[0] == "connected"
    assert forwards("wan") and our_links()
    for pid in [server.process.pid, *processes_below(server.process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.process.wait(10)
    server.process = None
    until(lambda: not our_links(), 10, "the links to go with their namespaces")
    server.arguments = ("--function-network", "none")
    server.start()
    assert not forwards("wan")
    assert not our_links()


@pytest.mark.parametrize("arguments, words", [
    (["--allow-cidr", "10.0.0.1/8"], "--allow-cidr wants an IPv4 network"), (["--allow-cidr", "fd00::/8"], "no IPv6"),
    (["--allow-cidr", "127.0.0.0/8"], "loopback"), (["--function-network", "none", "--allow-cidr", "10.0.0.0/8"], "goes with"),
    (["--function-network", "bridge"], "--function-network"),
])
def test_what_cannot_be_is_refused_at_start(tmp_path, arguments, words):
    done = subprocess.run([str(BINARY), "serve", "--data", str(tmp_path / "data"), *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 64 and words in done.stderr
