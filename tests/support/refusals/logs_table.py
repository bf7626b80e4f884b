"""What CloudWatch Logs refuses. The world: group "/refusals" with stream "s", protected against deletion."""

import re

from support.refusals import OTHER_ACCOUNT, Operation, pattern_of, shape_of
from support.server import ACCOUNT, REGION

GROUP = "/refusals"
ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"
FOREIGN = ARN.replace(ACCOUNT, OTHER_ACCOUNT)
NO_GROUP = ("ResourceNotFoundException", 400, "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", 400, "The specified log stream does not exist.")
TOO_LONG = ("InvalidParameterException", 400, "Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
BOTH = ("ValidationException", 400, "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
BAD_TOKEN = ("InvalidParameterException", 400, "The specified nextToken is invalid.")
NO_REVISION = "Logs has no revisions"
BY_NAME = "is named by name, in the caller's account and region"
EVENT = {"timestamp": 1, "message": "m"}
MANY_TAGS = {f"key-{number}": "" for number in range(51)}


def invalid(message):
    return "InvalidParameterException", 400, message


def denied(operation, resource):
    """With 400: services of this protocol have no 403."""
    return ("AccessDeniedException", 400, f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: logs:{operation} on resource:"
            f" {resource} because no resource-based policy allows the logs:{operation} action")


def violation(value, member, constraint):
    return invalid(f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")


def named(name, missing=True, **good):
    """An operation with logGroupName alone."""
    op = Operation("logs", name, logGroupName=GROUP, **good).none(NO_REVISION, "revision").none(BY_NAME, "account")
    shape = shape_of("logs", name, "logGroupName")
    op.refuses("name", *violation("a b", "logGroupName", pattern_of(shape)), logGroupName="a b")
    op.refuses("name", *TOO_LONG, logGroupName="a" * 513)
    op.refuses("arn", *violation(ARN, "logGroupName", pattern_of(shape)), logGroupName=ARN)
    return op.refuses("missing", *NO_GROUP, logGroupName="/nothing") if missing else op


def streamed(name, **good):
    """... and logStreamName."""
    op = named(name, logStreamName="s", **good)
    shape = shape_of("logs", name, "logStreamName")
    return (op.refuses("name", *violation("a:b", "logStreamName", pattern_of(shape)), logStreamName="a:b")
            .refuses("name", *TOO_LONG, logStreamName="a" * 513))


def identified(name, **good):
    """An operation with logGroupName or logGroupIdentifier."""
    op = named(name, **good)
    op.nothing.pop("account")
    op.refuses("arn", *BOTH, logGroupIdentifier=ARN)
    op.refuses("arn", *NO_GROUP, logGroupName=None, logGroupIdentifier=ARN.replace(REGION, "eu-west-1"))
    op.refuses("account", *denied(name, f"{FOREIGN}:log-stream:{good.get('logStreamName', '')}"), logGroupName=None,
               logGroupIdentifier=FOREIGN)
    return op.refuses("missing", *NO_GROUP, logGroupName=None, logGroupIdentifier="/nothing")


def reads(op):
    return op.none("is allowed in every state", "conflict").none("makes and keeps nothing", "quota")


def limited(op, member, limit):
    return op.none("is allowed in every state", "conflict").refuses(
        "quota", *violation(str(limit + 1), member, f"Member must have value less than or equal to {limit}"), **{member: limit + 1})


# The whole map is repeated, as long as it is short enough.
TOO_MANY_TAGS = invalid(re.compile(r"1 validation error detected: Value '\{key-0=, .*' at 'tags' failed to satisfy constraint: Member must have"
                                   " length less than or equal to 50"))


def groups():
    yield (named("CreateLogGroup", missing=False).none("makes what is not there", "missing")
           .refuses("conflict", "ResourceAlreadyExistsException", 400, "The specified log group already exists")
           .refuses("quota", *TOO_MANY_TAGS, tags=MANY_TAGS, logGroupName="/refused"))
    yield (named("DeleteLogGroup").held("conflict", "test_logs.py::test_the_older_tag_calls_streams_and_deletion_protection")
           .none("takes away", "quota"))
    yield (limited(Operation("logs", "DescribeLogGroups"), "limit", 50).none(NO_REVISION, "revision")
           .refuses("name", *BAD_TOKEN, nextToken="nobody's")
           .refuses("name", *invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."),
                    logGroupNamePrefix="a", logGroupNamePattern="a")
           .refuses("account", *NO_GROUP, logGroupIdentifiers=[FOREIGN])
           .refuses("arn", *NO_GROUP, logGroupIdentifiers=[ARN.replace(REGION, "eu-west-1")])
           .none("lists what there is", "missing"))
    days = "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653"
    yield (named("PutRetentionPolicy", retentionInDays=7).none("is allowed in every state", "conflict")
           .refuses("quota", *violation("3654", "retentionInDays", f"Member must satisfy enum value set: [{days}]"), retentionInDays=3654))
    yield reads(named("DeleteRetentionPolicy"))
    protection = Operation("logs", "PutLogGroupDeletionProtection", logGroupIdentifier=GROUP, deletionProtectionEnabled=True)
    yield reads(protection.none(NO_REVISION, "revision").refuses("name", *violation(
        "a b", "logGroupIdentifier", pattern_of(shape_of("logs", protection.name, "logGroupIdentifier"))), logGroupIdentifier="a b")
                .refuses("arn", *NO_GROUP, logGroupIdentifier=ARN.replace(REGION, "eu-west-1"))
                .refuses("account", *denied(protection.name, f"{FOREIGN}:log-stream:"), logGroupIdentifier=FOREIGN)
                .refuses("missing", *NO_GROUP, logGroupIdentifier="/nothing"))


def streams():
    yield (streamed("CreateLogStream").none("as many as there is room for", "quota")
           .refuses("conflict", "ResourceAlreadyExistsException", 400, "The specified log stream already exists"))
    yield reads(streamed("DeleteLogStream").refuses("missing", *NO_STREAM, logStreamName="nothing"))
    yield (limited(identified("DescribeLogStreams"), "limit", 50).refuses("name", *BAD_TOKEN, nextToken="nobody's")
           .refuses("name", *invalid("Cannot order by LastEventTime with a logStreamNamePrefix."), orderBy="LastEventTime",
                    logStreamNamePrefix="s"))


def events():
    yield (streamed("PutLogEvents", logEvents=[EVENT]).refuses("missing", *NO_STREAM, logStreamName="nothing")
           .refuses("conflict", *invalid("Log events in a single PutLogEvents request must be in chronological order."),
                    logEvents=[{**EVENT, "timestamp": 2}, EVENT])
           .held("quota", "test_refusals_quotas.py::test_a_batch_of_log_events"))
    yield (limited(identified("GetLogEvents", logStreamName="s"), "limit", 10000).refuses("missing", *NO_STREAM, logStreamName="nothing")
           .refuses("name", *BAD_TOKEN, nextToken="nobody's"))
    yield (limited(identified("FilterLogEvents"), "limit", 10000).refuses("missing", *NO_STREAM, logStreamNames=["nothing"])
           .refuses("name", *BAD_TOKEN, nextToken="nobody's").refuses("name", *invalid("Invalid filter pattern"), filterPattern="a@b"))


def tags():
    for name, good in (("TagResource", {"tags": {"a": "b"}}), ("UntagResource", {"tagKeys": ["a"]}), ("ListTagsForResource", {})):
        op = Operation("logs", name, resourceArn=ARN, **good).none(NO_REVISION, "revision").none("is named by ARN alone", "name")
        shape = shape_of("logs", name, "resourceArn")
        op.refuses("arn", *violation("a b", "resourceArn", pattern_of(shape)), resourceArn="a b")
        op.refuses("arn", *NO_GROUP, resourceArn=ARN.replace(REGION, "eu-west-1"))
        op.refuses("account", *denied(name, FOREIGN), resourceArn=FOREIGN)
        op.refuses("missing", *NO_GROUP, resourceArn=ARN + "-nothing")
        yield quota_of_tags(op, name == "TagResource")
    for name, good in (("TagLogGroup", {"tags": {"a": "b"}}), ("UntagLogGroup", {"tags": ["a"]}), ("ListTagsLogGroup", {})):
        yield quota_of_tags(named(name, **good), name == "TagLogGroup")


def quota_of_tags(op, tagging):
    if not tagging:
        return reads(op)
    return op.none("is allowed in every state", "conflict").refuses("quota", *TOO_MANY_TAGS, tags=MANY_TAGS)


def operations():
    for family in (groups, streams, events, tags):
        yield from family()
