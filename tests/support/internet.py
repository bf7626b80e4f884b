"""A host and an internet of a test's own: two network namespaces, with web and name servers in the second."""

import ctypes
import http.server
import os
import socket
import socketserver
import struct
import subprocess
import threading
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

HOST = "203.0.113.2"
WEB = "203.0.113.80"
NAMES = "203.0.113.53"
PRIVATE = "10.9.9.9"
ELSEWHERE_PRIVATE = "172.16.5.5"
METADATA = "169.254.169.254"


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), "network namespace")


def open_space():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def enter(space):
    _check(_libc.setns(space, CLONE_NEWNET))


@contextmanager
def inside(space):
    """The calling thread, and what it starts, is in that namespace meanwhile."""
    before = open_space()
    enter(space)
    try:
        yield
    finally:
        enter(before)
        os.close(before)


def make_space():
    before = open_space()
    try:
        _check(_libc.unshare(CLONE_NEWNET))
        return open_space()
    finally:
        enter(before)
        os.close(before)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"hello from {self.connection.getsockname()[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class _Pages(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        # Without looking for the name of the address.
        socketserver.TCPServer.server_bind(self)


class NameServer:
    """Answers A questions from a table; a name with several addresses gets one after another, one an answer."""

    def __init__(self, address):
        self.table = {}
        self.asked = []
        self._turns = {}
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind((address, 53))
        self._connections = socket.create_server((address, 53))
        for serve in (self._serve_datagrams, self._serve_connections):
            threading.Thread(target=serve, daemon=True).start()

    def _answer(self, question, limit):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, (kind,) = ".".join(labels).lower(), struct.unpack(">H", question[at + 1:at + 3])
        self.asked.append(name)
        addresses = self.table.get(name)
        found = []
        if addresses and kind == 1:
            turn = self._turns[name] = self._turns.get(name, -1) + 1
            found = addresses if name.startswith("many.") else [addresses[turn % len(addresses)]]
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(each) for each in found)
        flags = 0x8180 if addresses else 0x8183
        if limit and len(records) > limit:
            flags, found, records = flags | 0x0200, [], b""
        return question[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0) + question[12:at + 5] + records

    def _serve_datagrams(self):
        while True:
            question, asker = self._datagrams.recvfrom(4096)
            self._datagrams.sendto(self._answer(question, 400), asker)

    def _serve_connections(self):
        while True:
            connection, _ = self._connections.accept()
            with connection, connection.makefile("rb") as stream:
                while len(head := stream.read(2)) == 2:
                    answer = self._answer(stream.read(struct.unpack(">H", head)[0]), 0)
                    connection.sendall(struct.pack(">H", len(answer)) + answer)


class World:
    """The calling thread is on its host from start() to leave()."""

    def __init__(self):
        self._home = open_space()
        self.internet, self.host = make_space(), make_space()

    def start(self):
        enter(self.host)
        ip("link", "set", "lo", "up")
        ip("link", "add", "wan", "type", "veth", "peer", "name", "lan", "netns", f"/proc/{os.getpid()}/fd/{self.internet}")
        for words in (["address", "add", f"{HOST}/24", "dev", "wan"], ["link", "set", "wan", "up"],
                      ["route", "add", "default", "via", WEB]):
            ip(*words)
        with inside(self.internet):
            ip("link", "set", "lo", "up")
            ip("link", "set", "lan", "up")
            for address in (f"{WEB}/24", f"{NAMES}/24", f"{PRIVATE}/32", f"{ELSEWHERE_PRIVATE}/32", f"{METADATA}/32"):
                ip("address", "add", address, "dev", "lan")
            self.names = NameServer(NAMES)
            self._serve_pages("0.0.0.0", 80)
        # As systemd-resolved has it.
        self.local_names = NameServer("127.0.0.53")
        self._serve_pages("127.0.0.1", 5000)
        self._serve_pages(HOST, 5001)
        return self

    @staticmethod
    def _serve_pages(address, port):
        threading.Thread(target=_Pages((address, port), _Page).serve_forever, daemon=True).start()

    def leave(self):
        enter(self._home)
