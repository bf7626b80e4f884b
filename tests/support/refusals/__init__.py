"""What every operation refuses, as tables that tests/blackbox/test_refusals.py walks.

A table has one row for each operation that works, and a row says for each kind of refusal what the operation answers to it, which
test holds it where one wrong argument cannot show it, or why there is nothing of the kind. Expected messages are AWS's: of its
API reference, of its model's constraints, or of answers that were recorded (LocalStack's snapshots of AWS, 2022 to 2026).
"""

import boto3
from botocore import xform_name

from support.server import REGION

KINDS = {
    "name": "a name that is none",
    "arn": "an ARN that is malformed, of another service or kind, of another region or partition",
    "account": "an ARN of another account",
    "missing": "what does not exist",
    "conflict": "a state that does not allow it",
    "quota": "more than there may be",
    "revision": "a revision that is not the latest",
}
OTHER_ACCOUNT = "210987654321"
STALE = "c2a01b1e-0000-4000-8000-000000000000"

_models = {}


def model_of(service, operation):
    """What AWS's model says of an operation."""
    if service not in _models:
        client = boto3.client(service, region_name=REGION, aws_access_key_id="none", aws_secret_access_key="none")
        _models[service] = client.meta.service_model
    return _models[service].operation_model(operation)


def shape_of(service, operation, member):
    """The shape of an input's member in AWS's model."""
    return model_of(service, operation).input_shape.members[member]


def pattern_of(shape):
    return f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}"


def longest(shape):
    return f"Member must have length less than or equal to {shape.metadata['max']}"


class Case:
    """One call that must be refused: the arguments that differ from the row's, and (code, status, message)."""

    def __init__(self, operation, kind, arguments, answer):
        self.operation, self.kind, self.arguments, self.answer = operation, kind, arguments, answer

    @property
    def call(self):
        return xform_name(self.operation.name)

    def all_arguments(self):
        """A member that is None is left out."""
        together = {**self.operation.good, **self.arguments}
        return {name: value for name, value in together.items() if value is not None}


class Operation:
    """A row: `good` are arguments that name what the world of the table has."""

    def __init__(self, service, name, **good):
        self.service, self.name, self.good = service, name, good
        self.cases, self.held_by, self.nothing = [], {}, {}

    def refuses(self, kind, code, status, message, **wrong):
        """`message` is the whole text, or a compiled pattern of it where a part of it cannot be known before."""
        self.cases.append(Case(self, kind, wrong, (code, status, message)))
        return self

    def held(self, kind, *tests):
        """The refusal takes more than a wrong argument: these tests ("test_x.py::test_y") show it."""
        self.held_by.setdefault(kind, []).extend(tests)
        return self

    def none(self, why, *kinds):
        """The operation cannot be refused in these ways."""
        self.nothing.update({kind: why for kind in kinds})
        return self

    def kinds(self):
        return {case.kind for case in self.cases} | set(self.held_by) | set(self.nothing)
