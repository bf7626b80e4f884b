"""Sends events from several connections and notes which were accepted: the client's side of the chaos tests.

Requests are signed once per event with botocore's signer and sent over kept connections, so that the load is the server's.
"""

import http.client
import json
import threading

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Load:
    """`total` events to `function` over `connections`; their numbers become `accepted` when a 202 came."""

    def __init__(self, server, function, connections=8, first=0):
        self.server = server
        self.path = f"/2015-03-31/functions/{function}/invocations"
        self.credentials = Credentials(*server.root_key)
        self.accepted = set()
        self.refused = 0
        self.unanswered = set()
        self._next = first
        self._end = first
        self._lock = threading.Lock()
        self._connections = connections

    def _take(self):
        with self._lock:
            if self._next >= self._end:
                return None
            self._next += 1
            return self._next - 1

    def _request(self, number):
        body = json.dumps({"n": number, "fail": number % 10 == 0, "pad": "x" * 200})
        request = AWSRequest("POST", self.server.endpoint + self.path, data=body,
                             headers={"X-Amz-Invocation-Type": "Event", "Host": f"127.0.0.1:{self.server.port}"})
        SigV4Auth(self.credentials, "lambda", "us-east-1").add_auth(request)
        return body, dict(request.headers)

    def _send(self):
        connection = None
        while (number := self._take()) is not None:
            body, headers = self._request(number)
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
                connection.request("POST", self.path, body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                # Nothing was promised: it may run or not. The server is gone, so this connection's part of the round is over.
                with self._lock:
                    self.unanswered.add(number)
                return
            with self._lock:
                if answer.status == 202:
                    self.accepted.add(number)
                else:
                    self.refused += 1

    def run(self, count):
        """Sends up to `count` more; returns the threads, which end when all are sent or the server is gone."""
        self._end = self._next + count
        threads = [threading.Thread(target=self._send, daemon=True) for _ in range(self._connections)]
        for thread in threads:
            thread.start()
        return threads
