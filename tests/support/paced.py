"""Requests that leave at a steady rate, whatever becomes of those before them: one thread, kept connections, one message signed once,
so that a machine which is shared with the server measures the server."""

import collections
import selectors
import socket
import time

from support.signing import Signed


def invoke_message(server, name, body=b"{}", **headers):
    """The bytes of one Invoke, good for five minutes."""
    signed = Signed(server, "POST", f"/2015-03-31/functions/{name}/invocations", body, headers=headers)
    head = f"POST {signed.target} HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
    return (head + "".join(f"{key}: {value}\r\n" for key, value in signed.headers.items()) + "\r\n").encode() + body


class Sent:
    """What came back: status and milliseconds, counted from when the request was due."""

    def __init__(self):
        self.taken_ms = collections.defaultdict(list)
        self.seconds = 0.0

    def count(self, status):
        return len(self.taken_ms[status])

    def per_s(self, status):
        return self.count(status) / self.seconds

    def percentile_ms(self, status, share):
        taken = sorted(self.taken_ms[status])
        return taken[min(len(taken) - 1, int(len(taken) * share))]


class _Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.due = 0.0
        self.head = self.body = b""

    def answer(self):
        """The status once an answer is whole, else nothing. `head` and `body` are the last whole answer's."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("the server closed a connection that was in use")
        self.received += part
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return None
        self.received, self.head, self.body = b"", head, body
        return int(head[9:12])


def offer(port, message, per_s, seconds, connections=64):
    """Sends `message` at the rate, and waits for all answers. With all connections in use a request waits, which its time tells."""
    sent = Sent()
    chooser = selectors.EpollSelector()
    idle = [_Connection(port) for _ in range(connections)]
    for connection in idle:
        chooser.register(connection.socket, selectors.EVENT_READ, connection)
    total, number, open_ = int(per_s * seconds), 0, 0
    begin = time.perf_counter()
    while number < total or open_ > 0:
        now = time.perf_counter()
        while idle and number < total and (due := begin + number / per_s) <= now:
            connection = idle.pop()
            connection.due = due
            connection.socket.sendall(message)
            number, open_ = number + 1, open_ + 1
        wait = begin + number / per_s - now if idle and number < total else 1
        for key, _ in chooser.select(max(0, wait)):
            connection = key.data
            if (status := connection.answer()) is None:
                continue
            sent.taken_ms[status].append((time.perf_counter() - connection.due) * 1e3)
            idle.append(connection)
            open_ -= 1
    sent.seconds = time.perf_counter() - begin
    for connection in idle:
        connection.socket.close()
    chooser.close()
    return sent


def saturate(port, message, seconds, connections):
    """As many at once as there are connections, each the next as soon as the last was answered."""
    sent = Sent()
    chooser = selectors.EpollSelector()
    all_ = [_Connection(port) for _ in range(connections)]
    begin = time.perf_counter()
    for connection in all_:
        chooser.register(connection.socket, selectors.EVENT_READ, connection)
        connection.due = time.perf_counter()
        connection.socket.sendall(message)
    open_ = connections
    while open_ > 0:
        for key, _ in chooser.select(1):
            connection = key.data
            if (status := connection.answer()) is None:
                continue
            now = time.perf_counter()
            sent.taken_ms[status].append((now - connection.due) * 1e3)
            if now - begin >= seconds:
                open_ -= 1
                continue
            connection.due = now
            connection.socket.sendall(message)
    sent.seconds = time.perf_counter() - begin
    for connection in all_:
        connection.socket.close()
    chooser.close()
    return sent


def collect(port, message, count, connections):
    """`count` answers as (status, {header in lower case: value}, body). Each connection sends the next as soon as its last was answered."""
    answers = []
    chooser = selectors.EpollSelector()
    all_ = [_Connection(port) for _ in range(min(connections, count))]
    for connection in all_:
        chooser.register(connection.socket, selectors.EVENT_READ, connection)
        connection.socket.sendall(message)
    sent = len(all_)
    while len(answers) < count:
        for key, _ in chooser.select(1):
            connection = key.data
            if (status := connection.answer()) is None:
                continue
            lines = [line.split(": ", 1) for line in connection.head.decode("latin-1").split("\r\n")[1:]]
            answers.append((status, {name.lower(): value for name, value in lines}, connection.body))
            if sent < count:
                connection.socket.sendall(message)
                sent += 1
    for connection in all_:
        connection.socket.close()
    chooser.close()
    return answers
