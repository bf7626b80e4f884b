"""What Lambda refuses of what goes with functions: layers, policies, tags, URLs, event source mappings, code signing."""

import re

from support.refusal import arn
from support.refusals import STALE, Operation
from support.refusals.lambda_functions import QUOTAS
from support.refusals.lambda_words import (
    ANY_STATE, CODE, CONFIG, GONE, LAYER, MANY_TAGS, MAPPING, NAME, NO_REVISION, ONLY_ITS_OWN, POLICY, PROFILE, QUEUE, REVISION,
    TOO_MANY_TAGS, UNQUALIFIED, UNREACHABLE, at_most, breaks, changes, conflict, denied, elsewhere, foreign, function_not_found,
    invalid, not_found, of_function, on_function, on_qualified, pages, reads, violation)
from support.server import ACCOUNT, REGION

TAKEN_STATEMENT = conflict("The statement id (them) provided already exists. Please provide a new statement id, or remove the existing"
                           " statement.")
BAD_PRINCIPAL = invalid("The provided principal was invalid. Please check the principal and try again.")
NO_STATEMENT = not_found("Statement nobody is not found in resource policy.")
LAYER_NUMBER = invalid("Layer Version Cannot be less than 1")
NOT_FOR_LATEST = invalid("We currently do not support adding policies for $LATEST.")


def of_layer(name, version=True, **good):
    op = Operation("lambda", name, LayerName=NAME, **({"VersionNumber": 1} if version else {}), **good)
    for wrong in ("a b", "a" * 141):
        op.refuses("name", *breaks(name, "LayerName", wrong), LayerName=wrong)
    for wrong in (f"arn:aws:s3:::{NAME}", arn(NAME), f"{LAYER}:1"):
        op.refuses("arn", *breaks(name, "LayerName", wrong), LayerName=wrong)
    return op.refuses("account", *denied(name, foreign(LAYER) + (":1" if version else "")), LayerName=foreign(LAYER))


def layers():
    yield (of_layer("PublishLayerVersion", version=False, Content=CODE).refuses("arn", *GONE, LayerName=elsewhere(LAYER))
           .none("makes what is not there", "missing").none("only ever adds a version", "conflict")
           .held("quota", QUOTAS + "test_code_storage", QUOTAS + "test_code_has_250_megabytes_unzipped").none(NO_REVISION, "revision"))
    older = Operation("lambda", "PublishLayer")
    for kind in ("name", "arn", "account", "quota"):
        older.held(kind, "test_refusals.py::test_the_older_form_of_publishing_refuses_alike")
    yield older.none("makes what is not there", "missing").none("only ever adds a version", "conflict").none(NO_REVISION, "revision")
    yield reads(of_layer("GetLayerVersion")
                .refuses("arn", *GONE, LayerName=elsewhere(LAYER)).refuses("name", *LAYER_NUMBER, VersionNumber=0)
                .refuses("missing", *GONE, VersionNumber=9).refuses("missing", *GONE, LayerName="nothing"))
    yield changes(of_layer("DeleteLayerVersion")
                  .refuses("arn", *GONE, LayerName=elsewhere(LAYER)).refuses("name", *LAYER_NUMBER, VersionNumber=0)
                  .none("what is not there is deleted already", "missing"))
    by_arn = Operation("lambda", "GetLayerVersionByArn", Arn=f"{LAYER}:1")
    for wrong in (LAYER, f"{LAYER}:one", f"arn:aws:s3:::{NAME}"):
        by_arn.refuses("arn", *breaks("GetLayerVersionByArn", "Arn", wrong), Arn=wrong)
    yield reads(by_arn.refuses("arn", *GONE, Arn=elsewhere(f"{LAYER}:1")).none("is named by ARN alone", "name")
                .refuses("account", *denied("GetLayerVersion", foreign(f"{LAYER}:1")), Arn=foreign(f"{LAYER}:1"))
                .refuses("missing", *GONE, Arn=f"{LAYER}:9").refuses("arn", *GONE, Arn=f"{LAYER}:0"))
    yield (pages(Operation("lambda", "ListLayers")).none(ONLY_ITS_OWN, "arn", "account", "missing"))
    yield (pages(of_layer("ListLayerVersions", version=False)).refuses("arn", *GONE, LayerName=elsewhere(LAYER))
           .none("lists no versions of a layer that there is not", "missing"))


def layer_policies():
    missing = not_found(f"Layer version {LAYER}:9 does not exist.")
    nowhere = not_found(f"Layer version {elsewhere(LAYER)}:1 does not exist.")
    stale = ("PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. Call the"
             " GetLayerPolicy API to retrieve the latest Revision Id")
    statement = {"StatementId": "other", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    yield (of_layer("AddLayerVersionPermission", **statement)
           .refuses("name", *breaks("AddLayerVersionPermission", "StatementId", "a b"), StatementId="a b")
           .refuses("name", *breaks("AddLayerVersionPermission", "Action", "lambda:GetFunction"), Action="lambda:GetFunction")
           .refuses("arn", *nowhere, LayerName=elsewhere(LAYER)).refuses("missing", *missing, VersionNumber=9)
           .refuses("name", *LAYER_NUMBER, VersionNumber=0)
           .refuses("conflict", *TAKEN_STATEMENT, StatementId="them")
           .held("quota", QUOTAS + "test_a_policy_has_20_kilobytes").refuses("revision", *stale, RevisionId=STALE))
    yield (of_layer("RemoveLayerVersionPermission", StatementId="them").refuses("arn", *nowhere, LayerName=elsewhere(LAYER))
           .refuses("name", *LAYER_NUMBER, VersionNumber=0)
           .refuses("missing", *missing, VersionNumber=9).refuses("missing", *NO_STATEMENT, StatementId="nobody")
           .none(ANY_STATE, "conflict").none("takes away", "quota").refuses("revision", *stale, RevisionId=STALE))
    yield reads(of_layer("GetLayerVersionPolicy").refuses("arn", *nowhere, LayerName=elsewhere(LAYER))
                .refuses("name", *LAYER_NUMBER, VersionNumber=0)
                .refuses("missing", *missing, VersionNumber=9)
                .refuses("missing", *not_found("No policy is associated with the given resource."), VersionNumber=2))


def policies():
    statement = {"StatementId": "other", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    yield (on_qualified("AddPermission", **statement)
           .refuses("name", *breaks("AddPermission", "StatementId", "a b"), StatementId="a b")
           .refuses("name", *BAD_PRINCIPAL, Principal="events.us-east-1")
           .refuses("arn", *BAD_PRINCIPAL, Principal=f"arn:aws:iam::{ACCOUNT}:group/g")
           .refuses("missing", *function_not_found("7", NAME), Qualifier="7")
           .refuses("conflict", *TAKEN_STATEMENT, StatementId="them").refuses("name", *NOT_FOR_LATEST, Qualifier="$LATEST")
           .held("conflict", "test_permissions.py::test_a_server_can_refuse_what_would_let_everybody_in")
           .held("quota", QUOTAS + "test_a_policy_has_20_kilobytes").refuses("revision", *REVISION, RevisionId=STALE))
    yield (on_qualified("RemovePermission", not_found(f"No policy found for: {arn('nothing')}"), StatementId="them")
           .refuses("missing", *NO_STATEMENT, StatementId="nobody")
           .refuses("missing", *not_found("No policy is associated with the given resource."), Qualifier="1")
           .refuses("name", *NOT_FOR_LATEST, Qualifier="$LATEST").none("takes away", "quota")
           .held("conflict", "test_permissions.py::test_a_policy_that_everybody_is_in_already_goes_by_that_first")
           .refuses("revision", *REVISION, RevisionId=STALE))
    yield reads(on_qualified("GetPolicy").refuses("missing", *GONE, Qualifier="1"))
    for name, good in (("PutResourcePolicy", {"Policy": POLICY}), ("GetResourcePolicy", {}), ("DeleteResourcePolicy", {})):
        yield of_policy(name, **good)


def of_policy(name, **good):
    op = Operation("lambda", name, ResourceArn=arn(NAME), **good).none("is named by ARN alone", "name")
    for wrong in (NAME, f"arn:aws:s3:::{NAME}", LAYER):
        op.refuses("arn", *breaks(name, "ResourceArn", wrong), ResourceArn=wrong)
    op.refuses("arn", *UNREACHABLE, ResourceArn=elsewhere(arn(NAME)))
    op.refuses("account", *denied(name, foreign(arn(NAME))), ResourceArn=foreign(arn(NAME)))
    op.refuses("missing", *function_not_found(), ResourceArn=arn("nothing"))
    if name == "GetResourcePolicy":
        return reads(op.refuses("missing", *GONE, ResourceArn=arn(NAME) + ":1"))
    op.refuses("arn", *NOT_FOR_LATEST, ResourceArn=arn(NAME) + ":$LATEST").refuses("revision", *REVISION, RevisionId=STALE)
    if name == "DeleteResourcePolicy":
        return op.refuses("missing", *GONE, ResourceArn=arn(NAME) + ":1").none(ANY_STATE, "conflict").none("takes away", "quota")
    return (op.refuses("conflict", *invalid("The policy is not a valid JSON policy document."), Policy="[]")
            .held("conflict", "test_permissions.py::test_a_server_can_refuse_what_would_let_everybody_in")
            .held("quota", QUOTAS + "test_a_policy_has_20_kilobytes"))


def tags():
    mapping = f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{MAPPING}"
    no_mapping = not_found(f"Event source mapping not found: {mapping}")
    no_config = not_found(f"The Lambda code signing configuration {CONFIG} can not be found.")
    for name, good in (("TagResource", {"Tags": {"a": "b"}}), ("UntagResource", {"TagKeys": ["a"]}), ("ListTags", {})):
        op = Operation("lambda", name, Resource=arn(NAME), **good).none("is named by ARN alone", "name")
        for wrong in (NAME, f"arn:aws:s3:::{NAME}", LAYER):
            op.refuses("arn", *breaks(name, "Resource", wrong), Resource=wrong)
        op.refuses("arn", *invalid("Tags on function aliases and versions are not supported. Please specify a function ARN."),
                   Resource=arn(NAME) + ":1")
        op.refuses("arn", *UNREACHABLE, Resource=elsewhere(arn(NAME)))
        for there in (arn(NAME), mapping, CONFIG):
            op.refuses("account", *denied(name, foreign(there)), Resource=foreign(there))
        op.refuses("missing", *function_not_found(), Resource=arn("nothing"))
        op.refuses("missing", *no_mapping, Resource=mapping).refuses("missing", *no_config, Resource=CONFIG)
        if name == "TagResource":
            yield op.none(ANY_STATE, "conflict").refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS).none(NO_REVISION, "revision")
        else:
            yield reads(op)


def urls():
    gone = not_found("Function does not exist")
    nobody_allowed = invalid("You can't leave AllowOrigins as empty when Cors is enabled.")
    yield (on_url("CreateFunctionUrlConfig", gone, AuthType="NONE")
           .refuses("missing", *gone, Qualifier="nobody")
           .refuses("conflict", *conflict(f"Failed to create function url config for [functionArn = {arn(NAME)}]. Error message:  "
                                          "FunctionUrlConfig exists for this Lambda function"))
           .refuses("conflict", *nobody_allowed, Cors={"AllowMethods": ["GET"]}, Qualifier="live")
           .refuses("quota", *at_most("86401", "cors.maxAge", 86400), Cors={"MaxAge": 86401})
           .none(NO_REVISION, "revision"))
    yield reads(on_url("GetFunctionUrlConfig", GONE).refuses("missing", *GONE, Qualifier="live"))
    yield (on_url("UpdateFunctionUrlConfig", gone).refuses("missing", *GONE, Qualifier="live")
           .refuses("conflict", *nobody_allowed, Cors={"AllowOrigins": [], "AllowMethods": ["GET"]})
           .refuses("quota", *at_most("86401", "cors.maxAge", 86400), Cors={"MaxAge": 86401}).none(NO_REVISION, "revision"))
    yield changes(on_url("DeleteFunctionUrlConfig", GONE).refuses("missing", *GONE, Qualifier="live"))
    yield pages(of_function("ListFunctionUrlConfigs", gone))


def on_url(name, missing, **good):
    """Versions have no URL: a number is no qualifier."""
    op = of_function(name, missing, **good)
    op.refuses("name", *breaks(name, "Qualifier", "1"), Qualifier="1")
    return op.refuses("arn", *invalid("The derived qualifier from the function name does not match the specified qualifier."),
                      FunctionName=arn(NAME) + ":live", Qualifier="other")


def mappings():
    gone = invalid("Function does not exist")
    taken = re.compile(r'An event source mapping with SQS arn \(" ' + re.escape(QUEUE) + r' "\) and function \(" ' + NAME +
                       r' "\) already exists\. Please update or delete the existing mapping with UUID [0-9a-f-]{36}')
    yield (of_function("CreateEventSourceMapping", gone, EventSourceArn=QUEUE, Enabled=False)
           .refuses("arn", *breaks("CreateEventSourceMapping", "EventSourceArn", "not an arn"), EventSourceArn="not an arn")
           .refuses("arn", *invalid("Unrecognized event source."), EventSourceArn=None)
           .refuses("arn", *invalid("Unrecognized event source. Unsupported source arn : arn:aws:s3:::refusals"),
                    EventSourceArn="arn:aws:s3:::refusals")
           .refuses("missing", *gone, FunctionName=f"{NAME}:7")
           .refuses("conflict", "ResourceConflictException", 409, taken)
           .refuses("quota", *at_most("10001", "batchSize", 10000), BatchSize=10001)
           .refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS, EventSourceArn=QUEUE + "-2")
           .none(NO_REVISION, "revision"))
    for name in ("GetEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"):
        op = Operation("lambda", name, UUID=MAPPING)
        for wrong, bound in (("short", "greater"), (MAPPING + "0", "less")):
            op.refuses("name", *violation(wrong, "uUID", f"Member must have length {bound} than or equal to 36"), UUID=wrong)
        op.refuses("missing", *GONE)
        if name != "UpdateEventSourceMapping":
            yield reads(op.none("is named by UUID alone", "arn", "account"))
            continue
        for kind in ("arn", "account", "missing", "conflict"):
            op.held(kind, "test_refusals.py::test_a_mapping_is_moved_to_ones_own_functions")
        yield (op.refuses("quota", *at_most("10001", "batchSize", 10000), BatchSize=10001).none(NO_REVISION, "revision"))
    yield pages(of_function("ListEventSourceMappings", None)).none("lists nothing of a function that there is not", "missing")


def of_config(name, **good):
    op = Operation("lambda", name, CodeSigningConfigArn=CONFIG, **good).none("is named by ARN alone", "name")
    for wrong in ("csc-0123456789abcdef0", f"arn:aws:s3:::{NAME}", CONFIG[:-1]):
        op.refuses("arn", *breaks(name, "CodeSigningConfigArn", wrong), CodeSigningConfigArn=wrong)
    there = elsewhere(CONFIG)
    op.refuses("arn", *not_found(f"The Lambda code signing configuration {there} can not be found."), CodeSigningConfigArn=there)
    op.refuses("account", *denied(name, foreign(CONFIG)), CodeSigningConfigArn=foreign(CONFIG))
    return op.refuses("missing", *not_found(f"The Lambda code signing configuration {CONFIG} can not be found."))


def code_signing():
    publishers = {"AllowedPublishers": {"SigningProfileVersionArns": [PROFILE]}}
    yield (Operation("lambda", "CreateCodeSigningConfig", **publishers).none("is given its name", "name")
           .held("arn", "test_code_signing.py::test_refusals_of_configurations")
           .held("missing", "test_code_signing.py::test_refusals_of_configurations")
           .held("quota", "test_code_signing.py::test_refusals_of_configurations")
           .none("profiles are the server's, whatever account their ARN has", "account").none(ANY_STATE, "conflict")
           .none(NO_REVISION, "revision"))
    yield reads(of_config("GetCodeSigningConfig"))
    yield (of_config("UpdateCodeSigningConfig").none(ANY_STATE, "conflict").none(NO_REVISION, "revision")
           .held("quota", "test_code_signing.py::test_refusals_of_configurations"))
    yield (of_config("DeleteCodeSigningConfig").held("conflict", "test_code_signing.py::test_a_configuration_that_is_used_stays")
           .none("takes away", "quota").none(NO_REVISION, "revision"))
    yield (pages(Operation("lambda", "ListCodeSigningConfigs")).none(ONLY_ITS_OWN, "arn", "account", "missing"))
    yield reads(of_config("ListFunctionsByCodeSigningConfig"))
    gone = ("CodeSigningConfigNotFoundException", 404,
            f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {CONFIG}.")
    put = changes(of_function("PutFunctionCodeSigningConfig", None, CodeSigningConfigArn=CONFIG).refuses("missing", *gone))
    yield put.refuses("arn", *UNQUALIFIED, FunctionName=arn(NAME) + ":1").held(
        "missing", "test_code_signing.py::test_refusals_around_functions")
    yield reads(on_function("GetFunctionCodeSigningConfig"))
    yield changes(on_function("DeleteFunctionCodeSigningConfig"))


def operations():
    for family in (layers, layer_policies, policies, tags, urls, mappings, code_signing):
        yield from family()
