"""Bytes to the server as no HTTP library would send them, and all that comes back until it closes."""

import socket


def exchange(server, sent, timeout=15, shut=False):
    """Sends bytes and reads until the server closes. (bytes, closed); closed is False when it did not within `timeout`."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        try:
            connection.sendall(sent)
            if shut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            # The server may answer and close before it was sent everything.
            pass
        received = b""
        try:
            while len(received) < 1_000_000:
                part = connection.recv(65536)
                if not part:
                    return received, True
                received += part
        except socket.timeout:
            return received, False
        except ConnectionResetError:
            return received, True
        return received, False


def head_bytes(signed, *extra, line=None):
    """A signed request's head with further header lines (as bytes or text) at its end."""
    lines = [line or f"{signed.method} {signed.target} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.headers.items())]
    lines += [each.decode("latin-1") if isinstance(each, bytes) else each for each in extra]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def status_of(received):
    """The status of the first answer, which must be HTTP/1.1."""
    assert received.startswith(b"HTTP/1.1 "), received[:200]
    return int(received[9:12])


def answers_in(received):
    return received.count(b"HTTP/1.1 ")
