"""What Lambda refuses of functions, versions, aliases, invocations and their settings."""

import re

from support.refusal import arn
from support.refusals import STALE, Operation
from support.refusals.lambda_words import (
    ANY_STATE, CANNOT_BE_ASSUMED, CODE, CODE_SHA256, LAYER, MANY_TAGS, MISMATCH, NAME, NO_REVISION, NOT_TO_BE_PASSED,
    ONLY_ITS_OWN, REVISION, ROLE, TOO_MANY_LAYERS, TOO_MANY_TAGS, UPDATING, at_most, breaks, changes, conflict, denied,
    foreign, function_not_found, invalid, not_found, of_function, on_function, on_qualified, pages, reads)

NOBODYS_ROLE = ROLE.replace(NAME, "nobody")
TWO_MORE = {"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}}
TOO_MANY_WEIGHTS = invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
SIX_LAYERS = [f"{LAYER}:{number}" for number in range(1, 7)]
QUOTAS = "test_refusals_quotas.py::"
INVOCATIONS = "test_refused_invocations.py::"
SIGNING = "test_code_signing.py::"
NO_DIRECTORY = "test_file_systems.py::test_after_a_restart_it_is_there_and_without_its_directory_invocations_are_told"
NO_SUBNET = "test_vpc.py::test_a_restart_keeps_it_and_one_without_the_subnet_says_so"
NO_JSON = ("InvalidRequestContentException", 400, re.compile("Could not parse request body into json: Could not parse payload into json: .+"))


def functions():
    refused = {"FunctionName": "refused"}
    yield (of_function("CreateFunction", None, Runtime="python3.13", Role=ROLE, Handler="app.handler", Code=CODE)
           .refuses("name", *invalid("1 validation error detected: Value '" + "a" * 65 + "' at 'functionName' failed to satisfy"
                                     " constraint: Member must have length less than or equal to 64"), FunctionName="a" * 65)
           .refuses("arn", *breaks("CreateFunction", "FunctionName", arn(NAME) + ":1"), FunctionName=arn(NAME) + ":1")
           .refuses("arn", *breaks("CreateFunction", "Role", "not an arn"), Role="not an arn", **refused)
           .refuses("account", *NOT_TO_BE_PASSED, Role=foreign(ROLE), **refused)
           .refuses("missing", *CANNOT_BE_ASSUMED, Role=NOBODYS_ROLE, **refused)
           .refuses("conflict", *conflict(f"Function already exist: {NAME}"))
           .refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS, **refused)
           .refuses("quota", *TOO_MANY_LAYERS, Layers=SIX_LAYERS, **refused)
           .held("conflict", SIGNING + "test_enforce_refuses_unsigned_foreign_and_expired_code")
           .held("quota", QUOTAS + "test_the_environment_has_4_kilobytes", QUOTAS + "test_code_storage",
                 QUOTAS + "test_code_has_250_megabytes_unzipped", QUOTAS + "test_a_request_has_50_megabytes_of_code")
           .none(NO_REVISION, "revision"))
    for name in ("GetFunction", "GetFunctionConfiguration"):
        yield reads(on_qualified(name).refuses("missing", *function_not_found("7", NAME), Qualifier="7"))
    yield pages(Operation("lambda", "ListFunctions")).none(ONLY_ITS_OWN, "arn", "account", "missing")
    yield (on_function("UpdateFunctionCode", ZipFile=CODE["ZipFile"])
           .held("conflict", UPDATING, SIGNING + "test_code_that_was_changed_since_is_refused_even_by_warn")
           .held("quota", QUOTAS + "test_code_storage", QUOTAS + "test_code_has_250_megabytes_unzipped")
           .refuses("revision", *REVISION, RevisionId=STALE))
    yield (on_function("UpdateFunctionConfiguration")
           .refuses("arn", *breaks("UpdateFunctionConfiguration", "Role", "not an arn"), Role="not an arn")
           .refuses("account", *NOT_TO_BE_PASSED, Role=foreign(ROLE))
           .refuses("account", *denied("GetLayerVersion", foreign(LAYER) + ":1"), Layers=[foreign(LAYER) + ":1"])
           .refuses("missing", *CANNOT_BE_ASSUMED, Role=NOBODYS_ROLE)
           .refuses("missing", *invalid(f"Layer version {LAYER}:9 does not exist."), Layers=[f"{LAYER}:9"])
           .held("conflict", UPDATING, SIGNING + "test_layers_must_be_signed_too")
           .refuses("quota", *TOO_MANY_LAYERS, Layers=SIX_LAYERS)
           .held("quota", QUOTAS + "test_the_environment_has_4_kilobytes")
           .refuses("revision", *REVISION, RevisionId=STALE))
    yield (of_function("DeleteFunction", function_not_found())
           .refuses("arn", *MISMATCH, FunctionName=arn(NAME) + ":live", Qualifier="1")
           .refuses("name", *invalid("$LATEST version cannot be deleted without deleting the function."), Qualifier="$LATEST")
           .refuses("name", *invalid("Deletion of aliases is not currently supported."), Qualifier="live")
           .refuses("conflict", *conflict("Unable to delete version because the following aliases reference it: [live]"), Qualifier="1")
           .none("takes away", "quota").none(NO_REVISION, "revision"))


def versions():
    yield (on_function("PublishVersion")
           .held("conflict", UPDATING)
           .refuses("conflict", *invalid(f"CodeSHA256 (nobodys) is different from current CodeSHA256 in $LATEST ({CODE_SHA256})."
                                         " Please try again with the CodeSHA256 in $LATEST."), CodeSha256="nobodys")
           .held("quota", QUOTAS + "test_code_storage")
           .refuses("revision", *REVISION, RevisionId=STALE))
    yield pages(on_function("ListVersionsByFunction"))
    yield (on_function("CreateAlias", function_not_found("1"), Name="other", FunctionVersion="1")
           .refuses("name", *breaks("CreateAlias", "Name", "12"), Name="12")
           .refuses("name", *breaks("CreateAlias", "FunctionVersion", "live"), FunctionVersion="live")
           .refuses("missing", *function_not_found("7", NAME), FunctionVersion="7")
           .refuses("conflict", *conflict(f"Alias already exists: {arn(NAME)}:live"), Name="live")
           .refuses("quota", *TOO_MANY_WEIGHTS, RoutingConfig=TWO_MORE)
           .none(NO_REVISION, "revision"))
    nobody = not_found(f"Cannot find alias arn: {arn(NAME)}:nobody")
    nowhere = not_found(f"Cannot find alias arn: {arn('nothing')}:live")
    yield reads(on_function("GetAlias", nowhere, Name="live").refuses("missing", *nobody, Name="nobody"))
    yield pages(on_function("ListAliases"))
    yield (on_function("UpdateAlias", nowhere, Name="live")
           .refuses("missing", *nobody, Name="nobody").refuses("missing", *function_not_found("7", NAME), FunctionVersion="7")
           .refuses("conflict", *invalid("$LATEST is not supported for an alias pointing to more than 1 version"),
                    FunctionVersion="$LATEST", RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
           .refuses("quota", *TOO_MANY_WEIGHTS, RoutingConfig=TWO_MORE)
           .refuses("revision", *REVISION, RevisionId=STALE))
    yield changes(on_function("DeleteAlias", Name="live"))


def invocations():
    yield (on_qualified("Invoke", Payload=b"{}")
           .refuses("missing", *function_not_found("7", NAME), Qualifier="7")
           .refuses("conflict", *NO_JSON, Payload=b"{")
           .held("conflict", INVOCATIONS + "test_a_function_whose_runtime_is_gone", INVOCATIONS + "test_a_loop_is_stopped", NO_DIRECTORY,
                 NO_SUBNET)
           .held("quota", QUOTAS + "test_requests_are_bounded",
                 "test_async.py::test_an_event_of_a_mebibyte_passes_and_the_next_byte_does_not",
                 INVOCATIONS + "test_a_function_that_may_not_run")
           .none(NO_REVISION, "revision"))
    yield (on_qualified("InvokeWithResponseStream", Payload=b"{}")
           .refuses("missing", *function_not_found("7", NAME), Qualifier="7")
           .refuses("conflict", *NO_JSON, Payload=b"{")
           .held("conflict", INVOCATIONS + "test_a_function_whose_runtime_is_gone", INVOCATIONS + "test_a_loop_is_stopped", NO_DIRECTORY,
                 NO_SUBNET)
           .held("quota", QUOTAS + "test_requests_are_bounded", INVOCATIONS + "test_a_function_that_may_not_run")
           .none(NO_REVISION, "revision"))
    yield (of_function("InvokeAsync", function_not_found(), InvokeArgs=b"{}")
           .refuses("conflict", *NO_JSON, InvokeArgs=b"{").held("conflict", NO_DIRECTORY, NO_SUBNET).held("quota", QUOTAS + "test_requests_are_bounded").none(NO_REVISION, "revision"))


def asynchronous():
    gone = not_found("The function doesn't exist.")
    without = not_found(f"The function {arn('nothing')}:$LATEST doesn't have an EventInvokeConfig")
    for name, missing in (("PutFunctionEventInvokeConfig", gone), ("UpdateFunctionEventInvokeConfig", gone)):
        yield (on_qualified(name, missing, MaximumRetryAttempts=1)
               .refuses("missing", *gone, Qualifier="7")
               .refuses("conflict", *invalid("You can't specify the function as a destination for itself."),
                        DestinationConfig={"OnFailure": {"Destination": arn(NAME)}})
               .refuses("quota", *at_most("3", "maximumRetryAttempts", 2), MaximumRetryAttempts=3)
               .refuses("quota", *at_most("21601", "maximumEventAgeInSeconds", 21600), MaximumEventAgeInSeconds=21601)
               .none(NO_REVISION, "revision"))
    yield reads(on_qualified("GetFunctionEventInvokeConfig", without))
    yield changes(on_qualified("DeleteFunctionEventInvokeConfig", without))
    yield pages(on_function("ListFunctionEventInvokeConfigs", gone))


def concurrency():
    yield (on_function("PutFunctionConcurrency", ReservedConcurrentExecutions=1)
           .held("conflict", "test_provisioned_concurrency.py::test_it_fits_the_reservation")
           .refuses("quota", *invalid("Specified ReservedConcurrentExecutions for function decreases account's"
                                      " UnreservedConcurrentExecution below its minimum value of [100]."),
                    ReservedConcurrentExecutions=901)
           .none(NO_REVISION, "revision"))
    yield reads(on_function("GetFunctionConcurrency"))
    yield changes(on_function("DeleteFunctionConcurrency"))
    version = {"Qualifier": "1"}
    nobody = not_found(f"Cannot find alias arn: {arn(NAME)}:nobody")
    missing = function_not_found("1")
    unpublished = invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    not_published = invalid("The function resource provided must be an alias or a published version.")
    yield (on_qualified("PutProvisionedConcurrencyConfig", missing, ProvisionedConcurrentExecutions=1, **version)
           .refuses("missing", *function_not_found("7", NAME), Qualifier="7").refuses("missing", *nobody, Qualifier="nobody")
           .refuses("conflict", *unpublished, Qualifier="$LATEST")
           .held("conflict", "test_provisioned_concurrency.py::test_a_version_has_one_setting")
           .refuses("quota", *invalid("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency"
                                      " [1000]."), ProvisionedConcurrentExecutions=1001)
           .refuses("quota", *invalid("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution"
                                      " below its minimum value of [100]."), ProvisionedConcurrentExecutions=901)
           .none(NO_REVISION, "revision"))
    for kind, name in ((reads, "GetProvisionedConcurrencyConfig"), (changes, "DeleteProvisionedConcurrencyConfig")):
        op = kind(on_qualified(name, missing, **version))
        op.refuses("missing", *function_not_found("7", NAME), Qualifier="7").refuses("missing", *nobody, Qualifier="nobody")
        op.refuses("arn", *not_published, Qualifier="$LATEST")
        if name == "GetProvisionedConcurrencyConfig":
            op.refuses("missing", "ProvisionedConcurrencyConfigNotFoundException", 404,
                       "No Provisioned Concurrency Config found for this function")
        yield op
    yield pages(on_function("ListProvisionedConcurrencyConfigs"))


def runtime_settings():
    bad = arn(NAME) + ":1"
    yield changes(of_function("PutFunctionRecursionConfig", function_not_found(), RecursiveLoop="Terminate")
                  .refuses("arn", *breaks("PutFunctionRecursionConfig", "FunctionName", bad), FunctionName=bad))
    yield reads(of_function("GetFunctionRecursionConfig", function_not_found())
                .refuses("arn", *breaks("GetFunctionRecursionConfig", "FunctionName", bad), FunctionName=bad))
    yield reads(on_qualified("GetRuntimeManagementConfig").refuses("missing", *function_not_found("7", NAME), Qualifier="7"))
    yield changes(on_qualified("PutRuntimeManagementConfig", UpdateRuntimeOn="Auto")
                  .refuses("missing", *function_not_found("7", NAME), Qualifier="7"))
    yield Operation("lambda", "GetAccountSettings").none(
        "names nothing and changes nothing", "name", "arn", "account", "missing", "conflict", "quota", "revision")


def operations():
    for family in (functions, versions, invocations, asynchronous, concurrency, runtime_settings):
        yield from family()
