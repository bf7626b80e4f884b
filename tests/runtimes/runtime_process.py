"""Runs a bootstrap as a plain child process against a small Runtime API, without sandbox or server."""

import functools
import http.server
import json
import os
import pathlib
import queue
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src" / "runtimes"
PYTHON = "/usr/bin/python3"
NODE = "/usr/bin/node"
RUBY = "/usr/bin/ruby"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:tested"
WAIT_S = 20


class Event:
    def __init__(self, payload=b"{}", headers=None, request_id=None):
        self.payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.headers = headers or {}
        self.request_id = request_id


class Answer:
    """What the runtime posted for one event, or at init when request_id is None."""

    def __init__(self, kind, request_id, headers, body):
        self.kind = kind
        self.request_id = request_id
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


class Run:
    def __init__(self):
        self.answers = []
        self.stdout = ""
        self.stderr = ""
        self.returncode = None

    @property
    def answer(self):
        assert len(self.answers) == 1, self
        return self.answers[0]

    def __repr__(self):
        return "answers=%r stdout=%r stderr=%r returncode=%r" % (
            [(a.kind, a.body) for a in self.answers], self.stdout, self.stderr, self.returncode)


class Api(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, events, refuse_bytes=6291556):
        super().__init__(("127.0.0.1", 0), ApiConnection)
        self.events = queue.Queue()
        for number, event in enumerate(events):
            event.request_id = event.request_id or "00000000-0000-4000-8000-%012d" % number
            self.events.put(event)
        self.answers = []
        self.refuse_bytes = refuse_bytes
        self.finished = threading.Event()
        self.close_after_answer = False

    def handle_error(self, request, client_address):
        # A runtime that is killed or exits resets its connection; everything else is this file's fault.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def post(self, kind, request_id, headers, body):
        self.answers.append(Answer(kind, request_id, headers, body))


class ApiConnection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def handle_expect_100(self):
        if int(self.headers.get("Content-Length", 0)) > self.server.refuse_bytes:
            self.server.post("too_large", self.path.split("/")[-2], self.headers, b"")
            self.close_connection = True
            self.reply(413, b"{}")
            return False
        return super().handle_expect_100()

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path != "/2018-06-01/runtime/invocation/next":
            return self.reply(404, b"")
        try:
            event = self.server.events.get_nowait()
        except queue.Empty:
            self.server.finished.set()
            self.close_connection = True
            self.rfile.read()
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Content-Type": "application/json",
        }
        headers.update(event.headers)
        return self.reply(200, event.payload, [(k, v) for k, v in headers.items() if v is not None])

    def do_POST(self):
        body = self.read_body()
        parts = self.path.split("/")
        if self.path == "/2018-06-01/runtime/init/error":
            self.server.post("init_error", None, self.headers, body)
        else:
            self.server.post(parts[-1], parts[-2], self.headers, body)
        if self.server.close_after_answer:
            self.close_connection = True
        self.reply(202, b'{"status":"OK"}\n', [("Content-Type", "application/json")])

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        # What came too late for a header is one all the same, for the tests.
        while line := self.rfile.readline().strip().decode("latin-1"):
            name, _, value = line.partition(":")
            self.headers[name] = value.strip()
        return body


def environment(api, handler, task_root, extra):
    env = {
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % api.server_address[1],
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(task_root),
        "AWS_LAMBDA_FUNCTION_NAME": "tested",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tested",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
    env.update(extra)
    return {name: value for name, value in env.items() if value is not None}


def give_only(descriptor):
    """In the child: as its descriptor 3, and nothing above that, whatever the tests were started with."""
    os.dup2(descriptor, 3)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 3 and os.path.exists("/proc/self/fd/" + name):
            os.set_inheritable(int(name), False)


def reads_its_assignment(child):
    """True when it has nothing else to do: one of its threads is in read(3)."""
    wanted = ["0" if os.uname().machine == "x86_64" else "63", "0x3"]
    for thread in pathlib.Path("/proc/%d/task" % child.pid).iterdir():
        try:
            if (thread / "syscall").read_text().split()[:2] == wanted:
                return True
        except OSError:
            pass
    return False


def start(argv, spare, hurry=False, **how):
    """The process, or one that waits and has then been told to be that process: when it has nothing else left to do, or in a
    hurry."""
    if spare is None:
        return subprocess.Popen(argv, **how)
    wanted = how.pop("env")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(WAIT_S)
        child = subprocess.Popen([*argv, "--spare"], env=spare, close_fds=False,
                                 preexec_fn=lambda: give_only(theirs.fileno()), **how)
        theirs.close()
        assert ours.recv(1) == b"1", "the process ended before it waited"
        until = time.monotonic() + WAIT_S
        while not hurry and not reads_its_assignment(child):
            assert time.monotonic() < until and child.poll() is None, "the process does not wait"
            time.sleep(0.002)
        texts = [*argv, *("%s=%s" % pair for pair in wanted.items())]
        body = struct.pack("<II", len(argv), len(wanted)) + b"".join(os.fsencode(text) + b"\0" for text in texts)
        ours.sendall(struct.pack("<I", len(body)) + body)
    return child


def run(argv, files, handler, events=1, env=None, setup=None, spare=None, hurry=False):
    """Runs until every event is answered and the runtime asks for another, or until it ends by itself. `spare` is the
    environment that the process waits in before it gets its own."""
    events = [Event() for _ in range(events)] if isinstance(events, int) else list(events)
    result = Run()
    with tempfile.TemporaryDirectory() as directory, Api(events) as api:
        task_root = pathlib.Path(directory)
        for name, text in files.items():
            path = task_root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if setup:
            setup(api)
        serving = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        serving.start()
        with open(task_root / ".stdout", "w+b") as out, open(task_root / ".stderr", "w+b") as err:
            child = start(argv, spare, hurry, cwd=task_root, env=environment(api, handler, task_root, env or {}),
                          stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            try:
                until = time.monotonic() + WAIT_S
                while child.poll() is None and not api.finished.wait(0.005):
                    assert time.monotonic() < until, "the runtime neither answered nor ended"
            finally:
                result.returncode = child.poll()
                child.kill()
                child.wait()
            api.shutdown()
            result.answers = api.answers
            for name, stream in (("stdout", out), ("stderr", err)):
                stream.seek(0)
                setattr(result, name, stream.read().decode("utf-8", "surrogateescape").replace(directory, "/var/task"))
            for answer in result.answers:
                answer.body = answer.body.replace(directory.encode(), b"/var/task")
    return result


def python(files, handler="app.handler", events=1, env=None, setup=None, interpreter=PYTHON, spare=None,
           hurry=False):
    if isinstance(files, str):
        files = {"app.py": files}
    env = {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    argv = [interpreter, "-S", "-u", str(SOURCES / "python" / "bootstrap.py")]
    return run(argv, files, handler, events, env, setup, spare, hurry)


@functools.cache
def node_bootstrap():
    """The directory of Node.js's bootstrap, in one file as the server's build makes it."""
    kept = tempfile.TemporaryDirectory(prefix="lambent-node-")
    sources = SOURCES / "nodejs"
    whole = [path for path in sorted(sources.glob("*.cjs")) if path.name not in ("bootstrap.cjs", "nop.cjs")]
    subprocess.run([sys.executable, SOURCES / "bundle.py", kept.name + "/bootstrap.cjs", sources / "bootstrap.cjs", *whole],
                   check=True)
    shutil.copy(sources / "nop.cjs", kept.name)
    return kept


def node(files, handler="index.handler", events=1, env=None, setup=None, execution_env="AWS_Lambda_nodejs20.x",
         spare=None, flags=()):
    if isinstance(files, str):
        files = {"index.js": files}
    env = {"AWS_EXECUTION_ENV": execution_env, **(env or {})}
    return run([NODE, *flags, node_bootstrap().name + "/bootstrap.cjs"], files, handler, events, env, setup, spare)


def ruby(files, handler="app.handler", events=1, env=None, setup=None, spare=None):
    if isinstance(files, str):
        files = {"app.rb": files}
    env = {"AWS_EXECUTION_ENV": "AWS_Lambda_ruby3.3", **(env or {})}
    argv = [RUBY, "--disable-gems", str(SOURCES / "ruby" / "bootstrap.rb")]
    return run(argv, files, handler, events, env, setup, spare)
