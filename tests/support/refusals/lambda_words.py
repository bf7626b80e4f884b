"""The words of Lambda's refusals, and rows that are alike in all operations that name a function.

The world that they are true of: function "refusals" with version 1 and alias "live", and version 1 of layer "refusals".
"""

import base64
import hashlib
import json

from support.functions import make_zip
from support.refusal import arn
from support.refusals import OTHER_ACCOUNT, Operation, longest, pattern_of, shape_of
from support.server import ACCOUNT, REGION

NAME = "refusals"
CALLER = f"arn:aws:iam::{ACCOUNT}:root"
MAPPING = "0f6d3c3e-5b1a-4c59-9c1d-2f1f0e7b3a11"
CONFIG = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{NAME}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:refusals"
PROFILE = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/nobody/0123456789"
CODE = {"ZipFile": make_zip({"app.py": "def handler(event, context):\n    return None\n"})}
CODE_SHA256 = base64.b64encode(hashlib.sha256(CODE["ZipFile"]).digest()).decode()
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}, "Action": "lambda:InvokeFunction",
    "Resource": arn(NAME)}]})
MANY_TAGS = {f"key-{number}": "" for number in range(51)}

UPDATING = "test_refusals_quotas.py::test_one_update_at_a_time"

NO_REVISION = "takes no revision"
NOTHING_MADE = "makes and keeps nothing"
ANY_STATE = "is allowed in every state"
ONLY_ITS_OWN = "lists what is the caller's own, in the region that was asked"

REVISION = ("PreconditionFailedException", 412,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the"
            " latest Revision Id")
UNQUALIFIED = ("InvalidParameterValueException", 400,
               "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please"
               " specify either a function name or an unqualified function ARN.")
MISMATCH = ("InvalidParameterValueException", 400,
            "The derived qualifier from the function name does not match the specified qualifier.")
UNREACHABLE = ("ResourceNotFoundException", 404, f"Functions from 'eu-west-1' are not reachable in this region ('{REGION}')")
CANNOT_BE_ASSUMED = ("InvalidParameterValueException", 400, "The role defined for the function cannot be assumed by Lambda.")
NOT_TO_BE_PASSED = ("AccessDeniedException", 403, "Cross-account pass role is not allowed.")
TOO_MANY_LAYERS = ("InvalidParameterValueException", 400, "Cannot reference more than 5 layers.")
TOO_MANY_TAGS = ("InvalidParameterValueException", 400, "Number of tags exceeds resource tag limit.")
GONE = ("ResourceNotFoundException", 404, "The resource you requested does not exist.")


def not_found(message):
    return "ResourceNotFoundException", 404, message


def function_not_found(qualifier=None, name="nothing"):
    return not_found(f"Function not found: {arn(name)}" + (f":{qualifier}" if qualifier else ""))


def violation(value, member, constraint):
    return ("ValidationException", 400,
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")


def invalid(message):
    return "InvalidParameterValueException", 400, message


def conflict(message):
    return "ResourceConflictException", 409, message


def breaks(operation, member, value):
    """What the model's pattern says of a member's value."""
    return violation(value, member[0].lower() + member[1:], pattern_of(shape_of("lambda", operation, member)))


def at_most(value, member, limit):
    return violation(value, member, f"Member must have value less than or equal to {limit}")


def denied(operation, resource):
    action = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction", "PublishLayer": "PublishLayerVersion",
              "GetLayerVersionByArn": "GetLayerVersion"}.get(operation, operation)
    return ("AccessDeniedException", 403,
            f"User: {CALLER} is not authorized to perform: lambda:{action} on resource: {resource} because no resource-based policy"
            f" allows the lambda:{action} action")


def foreign(text):
    return text.replace(ACCOUNT, OTHER_ACCOUNT)


def elsewhere(text):
    return text.replace(REGION, "eu-west-1")


def of_function(name, missing, **good):
    """An operation with FunctionName. `missing` is its answer to one that does not exist; None where it makes one."""
    op = Operation("lambda", name, FunctionName=NAME, **good)
    shape = shape_of("lambda", name, "FunctionName")
    op.refuses("name", *breaks(name, "FunctionName", "a b"), FunctionName="a b")
    if "{1,64}" not in shape.metadata["pattern"]:
        long = "a" * (shape.metadata["max"] + 1)
        op.refuses("name", *violation(long, "functionName", longest(shape)), FunctionName=long)
    for wrong in (f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}", f"{LAYER}:1", arn(NAME).replace(ACCOUNT, "1234")):
        op.refuses("arn", *breaks(name, "FunctionName", wrong), FunctionName=wrong)
    op.refuses("arn", *UNREACHABLE, FunctionName=elsewhere(arn(NAME)))
    china = arn(NAME).replace("arn:aws:", "arn:aws-cn:")
    op.refuses("arn", *not_found(f"Function not found: {china}"), FunctionName=china)
    qualified = f":{good['Qualifier']}" if "Qualifier" in good else ""
    for form in (arn(NAME), f"{ACCOUNT}:function:{NAME}"):
        op.refuses("account", *denied(name, foreign(arn(NAME)) + qualified), FunctionName=foreign(form))
    return op.refuses("missing", *missing, FunctionName="nothing") if missing else op


def on_function(name, missing=None, **good):
    """... that is about a whole function and takes no qualifier."""
    op = of_function(name, missing or function_not_found(), **good)
    return op.refuses("arn", *UNQUALIFIED, FunctionName=arn(NAME) + ":1")


def on_qualified(name, missing=None, **good):
    """... that is about a version or an alias too, by Qualifier."""
    op = of_function(name, missing or function_not_found(), **good)
    return op.refuses("arn", *MISMATCH, FunctionName=arn(NAME) + ":live", Qualifier="other")


def a_marker(operation):
    return "InvalidParameterValueException", 400, f"The provided Marker is not one that {operation} gave."


def reads(op):
    return op.none(ANY_STATE, "conflict").none(NOTHING_MADE, "quota").none(NO_REVISION, "revision")


def pages(op):
    return reads(op).refuses("name", *a_marker(op.name), Marker="not a marker")


def changes(op):
    """A write that no state forbids and that has no revision of its own."""
    return op.none(ANY_STATE, "conflict").none("is bounded by what it belongs to", "quota").none(NO_REVISION, "revision")
