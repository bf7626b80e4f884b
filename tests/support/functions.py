"""Deploying functions with boto3, as anybody would."""

import base64
import io
import itertools
import json
import zipfile
from pathlib import Path

import botocore

PYTHON = "python3.13"
NODEJS = "nodejs22.x"
TRUST_LAMBDA = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})

# The file that a handler's source is put into, and the Handler that names it.
ENTRY = {PYTHON: ("app.py", "app.handler"), NODEJS: ("index.mjs", "index.handler")}

_numbers = itertools.count(1)


def make_zip(files):
    """A zip of {name: text or bytes}; names ending in "!" (stripped) are executable."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name.rstrip("!"), (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name.endswith("!") else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()


def source_zip(runtime, source):
    """One handler's source, or {name: content}, as the zip of a function."""
    return make_zip(source if isinstance(source, dict) else {ENTRY[runtime][0]: source})


def trimmed_boto3():
    """boto3 and what it imports, with the service models of lambda and sts alone: what somebody would bundle."""
    site = Path(botocore.__file__).parents[1]
    files = {}
    for package in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3"):
        for path in sorted((site / package).rglob("*")):
            inside = path.relative_to(site)
            if not path.is_file() or "__pycache__" in inside.parts or "examples" in inside.parts:
                continue
            data = inside.parts[1:2] == ("data",)
            if data and len(inside.parts) > 3 and inside.parts[2] not in ("lambda", "sts"):
                continue
            files[inside.as_posix()] = path.read_bytes()
    files["six.py"] = (site / "six.py").read_bytes()
    return files


def unique(stem):
    return f"{stem}-{next(_numbers)}"


def ensure_role(server, name="lambent-test"):
    """The ARN of a role that Lambda may assume and that no policy allows anything."""
    iam = server.client("iam")
    try:
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return iam.get_role(RoleName=name)["Role"]["Arn"]


class Deployer:
    """Creates functions and removes them at the end of a test."""

    def __init__(self, server, role_arn):
        self.server = server
        self.client = server.client("lambda")
        self.role_arn = role_arn
        self.names = []

    def create(self, runtime, source, stem="f", **settings):
        """Creates a function and waits for it; its name."""
        name = settings.pop("FunctionName", None) or unique(stem)
        settings.setdefault("Role", self.role_arn)
        settings.setdefault("Handler", ENTRY.get(runtime, ("", "bootstrap"))[1])
        settings.setdefault("Timeout", 30)
        self.client.create_function(
            FunctionName=name, Runtime=runtime, Code={"ZipFile": source_zip(runtime, source)}, **settings)
        self.names.append(name)
        self.client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        return name

    def update_code(self, name, runtime, source):
        answer = self.client.update_function_code(FunctionName=name, ZipFile=source_zip(runtime, source))
        self.await_update(name)
        return answer

    def await_update(self, name):
        self.client.get_waiter("function_updated_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def invoke(self, name, event=None, **settings):
        """An Answer to `event`, a JSON value."""
        return Answer(self.client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **settings))

    def clean(self):
        for name in self.names:
            try:
                self.client.delete_function(FunctionName=name)
            except self.client.exceptions.ResourceNotFoundException:
                pass


class Answer:
    """What Invoke answered, unpacked."""

    def __init__(self, response):
        self.response = response
        self.status = response["StatusCode"]
        self.error = response.get("FunctionError")
        self.version = response.get("ExecutedVersion")
        self.request_id = response["ResponseMetadata"]["RequestId"]
        self.headers = response["ResponseMetadata"]["HTTPHeaders"]
        self.bytes = response["Payload"].read()
        self.log = base64.b64decode(response["LogResult"]).decode(errors="replace") if "LogResult" in response else None

    @property
    def value(self):
        return json.loads(self.bytes)

    def expect(self):
        """The value, when the function did not fail."""
        assert self.error is None, f"{self.error}: {self.bytes[:2000]!r}"
        return self.value
