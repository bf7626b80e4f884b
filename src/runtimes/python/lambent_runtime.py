"""Lambent's runtime client for Python 3.8 and newer: finds the handler, then takes event after event.

It speaks the public Runtime API (2018-06-01) over one kept-alive TCP connection and sends each answer together with the
request for the next event in a single write. Everything imported here is paid by every cold start, so this module asks
for the C modules below `socket` and `json` alone; tracebacks, logging and the whole json package are loaded when needed.
"""

import builtins
import os
import sys
import time

import _socket

import lambent_json

API = "/2018-06-01/runtime"
# A response may have 6 MiB and 100 bytes. A longer one is announced first, so that its refusal costs no transfer.
RESPONSE_LIMIT = 6291556
RESPONSE_HEAD_LIMIT = 1 << 20
# The boto3 of managed runtimes, one for every version of Python; ./setup and `lambent runtimes install` put it there.
SDK = "/usr/local/lib/lambent/python"

# What never changes within a process, under the names that the context gives it. The values are read by main(): a process
# that waits for its function imports this module before they are known.
_VARIABLES = {
    "log_group_name": "AWS_LAMBDA_LOG_GROUP_NAME",
    "log_stream_name": "AWS_LAMBDA_LOG_STREAM_NAME",
    "function_name": "AWS_LAMBDA_FUNCTION_NAME",
    "memory_limit_in_mb": "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "function_version": "AWS_LAMBDA_FUNCTION_VERSION",
}
_FUNCTION = {}
# Where the Runtime API listens in a sandbox, and a connection to it that was made while the process waited.
EARLY = "127.0.0.1:9001"
_early = None

request_id = None
tenant_id = None
# Where records of several lines stay one event; read by configure(). A longer record is none there.
log_fd = None
RECORD_LIMIT = 256 * 1024


class Fault(Exception):
    """A failure that has one of AWS's Runtime.* names instead of the name of an exception's class."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace or []


class ConnectionLost(Exception):
    pass


class Connection:
    """The one connection to the Runtime API. Opened anew when the server has closed it between two messages."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.address = (host.strip("[]"), int(port))
        self.host_line = "Host: " + address + "\r\n"
        self.next_request = ("GET " + API + "/invocation/next HTTP/1.1\r\n" + self.host_line + "\r\n").encode()
        self.socket = None
        self.unread = b""

    def open(self):
        global _early
        if self.socket is not None:
            self.socket.close()
        if _early is not None and self.host_line == "Host: " + EARLY + "\r\n":
            self.socket, _early = _early, None
            self.unread = b""
            return
        family = _socket.AF_INET6 if ":" in self.address[0] else _socket.AF_INET
        self.socket = _socket.socket(family, _socket.SOCK_STREAM)
        self.socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self.socket.connect(self.address)
        self.unread = b""

    def head(self, path, content_type, length, extra=""):
        return (
            "POST " + API + path + " HTTP/1.1\r\n" + self.host_line + "Content-Type: " + content_type
            + "\r\nContent-Length: " + str(length) + "\r\n" + extra + "\r\n"
        ).encode("latin-1")

    def send(self, *parts):
        if sum(map(len, parts)) <= 65536:
            self.socket.sendall(b"".join(parts))
        else:
            for part in parts:
                self.socket.sendall(part)

    def receive(self):
        """One response: status, headers with lower-case names, body."""
        head = self.receive_head().decode("utf-8", "surrogateescape")
        headers = {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(head[9:12]), headers, self.receive_body(int(headers.get("content-length", 0)))

    def receive_status(self):
        """One response of which only the status matters."""
        head = self.receive_head()
        _, name, value = head.lower().partition(b"\r\ncontent-length:")
        if name:
            self.receive_body(int(value.partition(b"\r")[0]))
        return int(head[9:12])

    def receive_head(self):
        data = self.unread
        while True:
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                self.unread = data[end + 4 :]
                return data[:end]
            if len(data) > RESPONSE_HEAD_LIMIT:
                raise ConnectionLost("a response head without end")
            data += self.take(65536)

    def receive_body(self, length):
        body = self.unread
        if len(body) < length:
            body = self.take_exactly(body, length)
        self.unread = body[length:]
        return body[:length]

    def take(self, size):
        chunk = self.socket.recv(size)
        if not chunk:
            raise ConnectionLost("the Runtime API closed the connection")
        return chunk

    def take_exactly(self, begin, length):
        whole = bytearray(length)
        whole[: len(begin)] = begin
        view = memoryview(whole)[len(begin) :]
        while view:
            count = self.socket.recv_into(view)
            if not count:
                raise ConnectionLost("the Runtime API closed the connection")
            view = view[count:]
        return bytes(whole)

    def post(self, path, content_type, body, extra="", then=b""):
        """Posts and returns the status. `then` goes out in the same write; its response is the next one received."""
        head = self.head(path, content_type, len(body), extra)
        for again in (True, False):
            try:
                self.send(head, body, then)
                return self.receive_status()
            except (ConnectionLost, ConnectionError):
                # The server may have dropped an idle connection. An answer that did arrive is refused the second time.
                if not again:
                    raise
                self.open()

    def announce(self, path, content_type, body):
        """Posts a body that is too long, unless the server wants to see it after all."""
        self.send(self.head(path, content_type, len(body), "Expect: 100-continue\r\n"))
        if self.receive_status() == 100:
            self.send(body)
            self.receive_status()
        self.open()
        self.send(self.next_request)

    def next_event(self):
        for again in (True, False):
            try:
                status, headers, body = self.receive()
            except (ConnectionLost, ConnectionError):
                if not again:
                    raise
                self.open()
                self.send(self.next_request)
                continue
            if status != 200:
                raise ConnectionLost("the Runtime API answered %d: %s" % (status, body.decode("utf-8", "replace")))
            return headers, body


class _View:
    """A part of the context: named members out of a mapping, None for those that are absent."""

    __slots__ = ()

    def fill(self, mapping):
        for name in self.__slots__:
            setattr(self, name, mapping.get(name))
        return self

    def __repr__(self):
        members = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, members)


class Client(_View):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_View):
    __slots__ = ("custom", "env", "client")

    def fill(self, mapping):
        super().fill(mapping)
        if self.client is not None:
            self.client = Client().fill(self.client)
        return self


class CognitoIdentity(_View):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class LambdaContext:
    """The second argument of a handler (AWS Lambda Developer Guide, "Using the Lambda context object ... Python")."""

    def __init__(self, headers):
        get = headers.get
        self.aws_request_id = get("lambda-runtime-aws-request-id")
        self.__dict__.update(_FUNCTION)
        self.invoked_function_arn = get("lambda-runtime-invoked-function-arn")
        self.tenant_id = get("lambda-runtime-aws-tenant-id")
        client = _json_header(get("lambda-runtime-client-context"), "Client Context")
        self.client_context = None if client is None else ClientContext().fill(client)
        cognito = _json_header(get("lambda-runtime-cognito-identity"), "Cognito Identity") or {}
        self.identity = identity = CognitoIdentity()
        identity.cognito_identity_id = cognito.get("cognitoIdentityId")
        identity.cognito_identity_pool_id = cognito.get("cognitoIdentityPoolId")
        self._epoch_deadline_time_in_ms = int(get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def log(self, msg):
        sys.stdout.write(str(msg))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id")
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in names)


def _json_header(text, name):
    if not text:
        return None
    try:
        return lambent_json.loads(text.encode("utf-8", "surrogateescape"))
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError", "Unable to parse %s JSON: %s" % (name, error))


def set_import_path(here):
    """AWS's order: code, layers, runtime, standard library, the SDK; then what the machine has."""
    version = "python%d.%d" % sys.version_info[:2]
    wanted = os.environ.get("AWS_EXECUTION_ENV", "").replace("AWS_Lambda_", "")
    layers = ["/opt/python/lib/%s/site-packages" % v for v in (version, wanted) if v.startswith("python3")]
    task_root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    front = list(dict.fromkeys([task_root, *layers, "/opt/python", here]))
    machine = (SDK, sys.prefix + "/local/lib/" + version + "/dist-packages", sys.prefix + "/lib/python3/dist-packages",
               sys.prefix + "/lib/" + version + "/site-packages")
    base = [entry for entry in sys.path if entry not in front]
    sys.path[:] = front + base + [entry for entry in machine if entry not in base]


def set_site_builtins():
    import _sitebuiltins

    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    builtins.help = _sitebuiltins._Helper()


def do_what_site_would():
    """The interpreter starts with -S, without the site module: it costs milliseconds. What functions see of it is this."""
    if not hasattr(builtins, "exit"):
        set_site_builtins()
    for entry in sys.path:
        if entry.startswith(sys.prefix + "/lib"):
            break
        if os.path.exists(entry + "/sitecustomize.py"):
            import sitecustomize  # noqa: F401  (tracing layers patch their targets there)

            break


def find_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    import importlib

    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        place = '  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), [place])
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound",
                    "Handler '%s' missing on module '%s'" % (function_name, module_name))


class LoggingHook:
    """Sets logging up as AWS does at the moment somebody imports it, and not before: it is a costly module."""

    @staticmethod
    def install():
        if "logging" in sys.modules:
            import lambent_logging

            lambent_logging.set_up()
        else:
            sys.meta_path.insert(0, LoggingHook())

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        spec = next(filter(None, (finder.find_spec(name, path) for finder in sys.meta_path)))
        execute = spec.loader.exec_module

        def execute_and_set_up(module):
            del spec.loader.exec_module
            execute(module)
            import lambent_logging

            lambent_logging.set_up()

        spec.loader.exec_module = execute_and_set_up
        return spec


def run_once(handler, connection, headers, body):
    """Answers one event and asks for the next in the same write."""
    global request_id, tenant_id
    request_id = headers.get("lambda-runtime-aws-request-id", "")
    tenant_id = headers.get("lambda-runtime-aws-tenant-id")
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]
    path = "/invocation/" + request_id
    try:
        context = LambdaContext(headers)
        result, content_type = marshal(handler(unmarshal(body, headers.get("content-type")), context))
    except Exception as error:
        import lambent_errors

        document, error_type = lambent_errors.report(error, request_id)
        connection.post(path + "/error", "application/json", document, error_type, connection.next_request)
        return
    path += "/response"
    if len(result) > RESPONSE_LIMIT:
        connection.announce(path, content_type, result)
    else:
        connection.post(path, content_type, result, "", connection.next_request)


def unmarshal(body, content_type):
    if content_type != "application/json":
        return body
    try:
        return lambent_json.loads(body)
    except Exception as error:
        raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)


def marshal(result):
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        return lambent_json.dumps(result).encode("utf-8"), "application/json"
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


class _Rehearsed:
    """A connection to nobody."""

    next_request = b""

    def post(self, path, content_type, body, extra="", then=b""):
        return b"".join((path.encode(), content_type.encode(), body, extra.encode(), then))


def rehearse(here):
    """One event of a handler that does nothing, in a process that waits for its function; leaves nothing behind but the
    connection that the function will begin with."""
    global request_id, _early
    configure()
    set_import_path(here)
    do_what_site_would()
    if "logging" in sys.modules:
        LoggingHook.install()
        sys.modules["logging"].root.handlers.clear()
    handler = find_handler("lambent_nop.handler")
    headers = {"lambda-runtime-aws-request-id": "r", "content-type": "application/json", "lambda-runtime-trace-id": "Root=1"}
    run_once(handler, _Rehearsed(), headers, b'{"key": ["value", 1]}')
    del sys.modules["lambent_nop"]
    request_id = None
    early = Connection(EARLY)
    try:
        early.open()
        _early = early.socket
    except OSError:
        early.socket.close()


def log_record(text, level, json):
    """Writes a record of the log, TRACE to FATAL by number from 1; False where there are only lines."""
    data = text.encode("utf-8", "backslashreplace")
    if log_fd is None or len(data) > RECORD_LIMIT:
        return False
    kind = 0xA55A0000 | (2 if json else 3) | level << 2
    head = (kind << 96 | len(data) << 64 | int(time.time() * 1000000)).to_bytes(16, "big")
    rest = memoryview(head + data)
    while rest:
        rest = rest[os.write(log_fd, rest):]
    return True


def configure():
    """Reads the environment."""
    global log_fd
    descriptor = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "")
    log_fd = int(descriptor) if descriptor.isdigit() else None
    lambent_json.configure()
    for name, variable in _VARIABLES.items():
        _FUNCTION[name] = os.environ.get(variable)


def main(here):
    configure()
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    set_import_path(here)
    do_what_site_would()
    LoggingHook.install()
    try:
        handler = find_handler(os.environ.get("_HANDLER", ""))
    except Exception as error:
        import lambent_errors

        document, error_type = lambent_errors.report(error, "")
        connection.open()
        connection.post("/init/error", "application/json", document, error_type)
        sys.exit(1)
    connection.open()
    connection.send(connection.next_request)
    while True:
        headers, body = connection.next_event()
        run_once(handler, connection, headers, body)
