"""The hostile function, for Python: does what the event's steps say and tells how each went. agent.mjs does the same."""
import errno
import http.client
import os
import socket
import subprocess
import threading
import time


def read(path):
    with open(path, "rb") as file:
        return file.read(4096).decode("latin-1")


def write(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        return os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def create(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        return os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def connect(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect((host, port))


def connect_unix(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(2)
        client.connect(path)


def open_ports(first, last):
    found = []
    for port in range(first, last + 1):
        with socket.socket() as client:
            client.settimeout(1)
            # A socket that was given the very port it asks for meets itself: nobody listens there.
            if client.connect_ex(("127.0.0.1", port)) == 0 and client.getsockname() != client.getpeername():
                found.append(port)
    return found


def fetch(port, method, path, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, body.encode() or None, headers)
    answer = connection.getresponse()
    return [answer.status, answer.read().decode("latin-1")]


def run(*argv):
    done = subprocess.run(argv, capture_output=True, timeout=60)
    return {"status": done.returncode, "out": done.stdout.decode("latin-1"), "err": done.stderr.decode("latin-1")}


def links(directory):
    found = {}
    for name in os.listdir(directory):
        try:
            found[name] = os.readlink(os.path.join(directory, name))
        except OSError as refused:
            found[name] = errno.errorcode[refused.errno]
    return found


def hoard():
    kept = []
    while True:
        kept.append(bytearray(b"x" * 4_000_000))


KEPT = []
TICKS = [0]


def remember(text):
    KEPT.append(text)
    return KEPT


def ticking():
    with socket.socket(type=socket.SOCK_DGRAM) as packets:
        while True:
            packets.sendto(b"x", ("127.0.0.1", 9))
            TICKS[0] += 1
            time.sleep(0.001)


def tick():
    """A thread that goes on after the answer, with a packet each millisecond, once it has sent a hundred."""
    threading.Thread(target=ticking, daemon=True).start()
    while TICKS[0] < 100:
        time.sleep(0.001)
    return TICKS[0]


STEPS = {
    "read": read, "write": write, "create": create, "connect": connect, "connect_unix": connect_unix, "open_ports": open_ports,
    "fetch": fetch, "run": run, "links": links, "hoard": hoard, "list": os.listdir, "readlink": os.readlink,
    "remember": remember, "recall": lambda: KEPT, "tick": tick, "ticks": lambda: TICKS[0],
    "mkdir": os.mkdir, "unlink": os.unlink, "symlink": os.symlink, "link": os.link, "rename": os.rename,
    "chmod": lambda path, mode: os.chmod(path, mode), "environment": lambda: dict(os.environ),
    "identity": lambda: {"uid": os.getuid(), "gid": os.getgid(), "groups": [g for g in os.getgroups() if g != os.getgid()]},
}


def attempt(step, *operands):
    try:
        return {"ok": STEPS[step](*operands)}
    except OSError as refused:
        return {"error": errno.errorcode.get(refused.errno, type(refused).__name__)}


def handler(event, context):
    request_id = context.aws_request_id
    steps = [[part.replace("$ID", request_id) if isinstance(part, str) else part for part in step] for step in event["steps"]]
    results = [attempt(*step) for step in steps]
    if event.get("aloud"):
        print(results, flush=True)
    return results
