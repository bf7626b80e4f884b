"""Requests signed by botocore and then sent by hand, so that a test can spoil one thing between the two."""

import http.client
import json
import re

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.server import REGION


class Signed:
    """One signed request: method, target (path and query as sent), headers, body."""

    def __init__(self, server, method, target, body=b"", key=None, service="lambda", region=REGION, headers=None,
                 presign_for=None):
        request = AWSRequest(method=method, url=server.endpoint + target, data=body,
                             headers={"Host": f"127.0.0.1:{server.port}", **(headers or {})})
        credentials = Credentials(*(key or server.root_key))
        if presign_for is None:
            SigV4Auth(credentials, service, region).add_auth(request)
        else:
            SigV4QueryAuth(credentials, service, region, expires=presign_for).add_auth(request)
        self.server = server
        self.method = method
        self.target = request.url[len(server.endpoint):]
        self.headers = dict(request.headers.items())
        self.body = body

    def send(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            connection.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            if self.body or self.method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(self.body)))
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return Reply(answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read())
        finally:
            connection.close()


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def code(self):
        """The error's code, as REST-JSON (header) or query (XML) says it."""
        if "x-amzn-errortype" in self.headers:
            return self.headers["x-amzn-errortype"].split(":")[0]
        found = re.search(rb"<Code>([^<]+)</Code>", self.body)
        return found[1].decode() if found else None

    @property
    def message(self):
        if self.body.startswith(b"{"):
            said = json.loads(self.body)
            return said.get("message", said.get("Message"))
        found = re.search(rb"<Message>([^<]*)</Message>", self.body)
        return found[1].decode() if found else None
