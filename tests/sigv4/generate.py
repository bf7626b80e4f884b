"""Random requests signed by botocore, one JSON object a line, for src/auth/botocore_test.cc.

    python generate.py --count 10000 --seed 1 > vectors.jsonl

Each line says what would go over the wire (method, path, query, headers, body) and what only the server knows (secret,
the time of its clock). botocore is the reference: what it signs must verify.
"""

import argparse
import base64
import datetime
import json
import random
import string
import sys
from urllib.parse import quote, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNRESERVED = string.ascii_letters + string.digits + "-._~"
# What RFC 3986 lets stand in a path segment unescaped besides; clients differ in whether they escape it.
LOOSE = "!$&'()*+,;=:@"
UNICODE = "äß漢字😀Ωé\u0301\u200b\u00a0"
SERVICES = ["lambda", "lambda", "iam", "sts", "sqs", "dynamodb", "execute-api", "logs", "s3", "s3"]
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]
HOSTS = ["localhost", "127.0.0.1", "[::1]", "lambda.us-east-1.amazonaws.com", "Mixed.Case.example", "xn--bcher-kva.example"]
# botocore leaves these out of the signature: proxies change them.
UNSIGNED = ["User-Agent", "Expect", "X-Amzn-Trace-Id", "Connection"]


class Vectors:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.credentials = [self.make_credentials(i) for i in range(8)]

    def chance(self, p):
        return self.random.random() < p

    def text(self, alphabet, low, high):
        return "".join(self.random.choice(alphabet) for _ in range(self.random.randint(low, high)))

    def make_credentials(self, i):
        prefix = "ASIA" if i % 2 else "AKIA"
        key = prefix + self.text(string.ascii_uppercase + "234567", 16, 16)
        secret = self.text(string.ascii_letters + string.digits + "+/", 40, 40)
        token = self.text(string.ascii_letters + string.digits + "+/=_-", 100, 900) if i % 2 else None
        return Credentials(key, secret, token)

    def segment(self, s3):
        kind = self.random.random()
        if not s3 and kind < 0.1:
            return self.random.choice([".", "..", ""])
        if not s3 and kind < 0.3:
            return self.text(UNRESERVED + LOOSE, 1, 12)
        plain = self.text(UNRESERVED + LOOSE + UNICODE + " /%?#&\"<>", 1, 16)
        return quote(plain, safe="-._~")

    def path(self, s3):
        if self.chance(0.1):
            return "/"
        path = "/" + "/".join(self.segment(s3) for _ in range(self.random.randint(1, 6)))
        if not s3 and self.chance(0.1):
            path = "/" + path
        if self.chance(0.2):
            path += "/"
        return path

    def query(self):
        alphabet = UNRESERVED + UNICODE + " +/&=%?!*'()"
        names = [self.text(alphabet, 1, 10) for _ in range(self.random.randint(1, 5))]
        pieces = []
        for _ in range(self.random.randint(0, 8)):
            name = quote(self.random.choice(names), safe="-._~")
            value = quote(self.text(alphabet, 0, 14), safe="-._~")
            pieces.append(name + "=" + value)
        return "&".join(pieces)

    def header_value(self):
        words = [self.text(string.ascii_letters + string.digits + "-_./;,=\"'%()", 1, 12) for _ in range(self.random.randint(1, 5))]
        value = words[0]
        for word in words[1:]:
            value += self.text(" " * 5 + "\t", 1, 4) + word
        if self.chance(0.3):
            value = self.text(" ", 1, 3) + value
        if self.chance(0.3):
            value += self.text(" \t", 1, 3)
        return value

    def add_headers(self, request, presigned):
        for _ in range(self.random.randint(0, 4)):
            name = self.random.choice(["X-Amz-Invocation-Type", "x-amz-meta-" + self.text(string.ascii_lowercase, 1, 6),
                                       "X-Custom", "Content-Type", "Accept", "x-" + self.text(string.ascii_letters, 1, 8)])
            for _ in range(2 if self.chance(0.15) else 1):
                request.headers.add_header(name, self.header_value())
        for name in UNSIGNED:
            if self.chance(0.2):
                request.headers[name] = self.header_value()
        if not presigned and self.chance(0.1):
            request.headers["Date"] = "replaced by botocore"

    def body(self, method):
        if method in ("GET", "HEAD") or self.chance(0.2):
            return b""
        size = self.random.choice([1, 20, 300, 1000, 5000])
        return self.random.randbytes(self.random.randint(1, size))

    def signer(self, service, presigned):
        if service == "s3":
            return botocore.auth.S3SigV4QueryAuth if presigned else botocore.auth.S3SigV4Auth
        return botocore.auth.SigV4QueryAuth if presigned else botocore.auth.SigV4Auth

    def vector(self):
        service = self.random.choice(SERVICES)
        presigned = self.chance(0.3)
        method = self.random.choice(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"])
        scheme = self.random.choice(["http", "https"])
        host = self.random.choice(HOSTS) + self.random.choice(["", "", ":4566", ":80", ":443"])
        url = scheme + "://" + host + self.path(service == "s3")
        query = self.query() if self.chance(0.7) else ""
        if query:
            url += "?" + query
        # A presigner moves a body that it is given into the query: such a body is sent unsigned, or not at all.
        body = b"" if presigned else self.body(method)
        request = AWSRequest(method=method, url=url, data=body)
        self.add_headers(request, presigned)
        if self.chance(0.2):
            # As sent, not as botocore would derive it.
            request.headers["Host"] = self.random.choice([host, host.upper(), "other.example:8080"])
        if not body and service != "s3" and not presigned and self.chance(0.1):
            request.context["payload_signing_enabled"] = False
        if service == "s3" and scheme == "https" and self.chance(0.3):
            request.headers["Content-MD5"] = "unchecked"
            request.context["has_streaming_input"] = True
        expires = self.random.choice([1, 60, 3600, 604800])
        now = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=self.random.randrange(0, 3 * 365 * 86400))
        arguments = (self.random.choice(self.credentials), service, self.random.choice(REGIONS))
        cls = self.signer(service, presigned)
        signer = cls(*arguments, expires) if presigned else cls(*arguments)
        botocore.auth.get_current_datetime = lambda: now
        signer.add_auth(request)
        return self.as_sent(request, arguments[0], now, expires if presigned else 300, body)

    def as_sent(self, request, credentials, now, lifetime, body):
        parts = urlsplit(request.url)
        headers = [[name, value] for name, value in request.headers.items()]
        if "Host" not in request.headers:
            headers.insert(self.random.randint(0, len(headers)), ["Host", botocore.auth._host_from_url(request.url)])
        if "%2Fs3%2F" in parts.query:
            # S3 does not sign the body of a presigned request: any will do.
            body = self.body(request.method)
        elapsed = self.random.randint(0, lifetime)
        clock = int(now.replace(tzinfo=datetime.timezone.utc).timestamp()) + elapsed
        return {
            "method": request.method,
            "path": parts.path,
            "query": parts.query,
            "headers": headers,
            "body": base64.b64encode(body).decode(),
            "access_key_id": credentials.access_key,
            "secret": credentials.secret_key,
            "token": credentials.token or "",
            "now_s": clock,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    vectors = Vectors(options.seed)
    for _ in range(options.count):
        sys.stdout.write(json.dumps(vectors.vector()) + "\n")


if __name__ == "__main__":
    main()
