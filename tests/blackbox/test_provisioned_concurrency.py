"""Provisioned concurrency: environments that are initialised before anybody asks, on versions and aliases."""

import re
import threading
import urllib.request

import pytest

from support.functions import PYTHON, Deployer, ensure_role, source_zip, unique
from support.polling import until
from support.refusal import arn, refusal
from support.server import ACCOUNT, REGION

# What the environment says of itself; `hold` keeps it busy until the caller lets go.
TELLER = """
import os, time
began = time.time()
kind = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
if os.environ.get("FAIL") == kind:
    raise RuntimeError("not today")
calls = 0
def handler(event, context):
    global calls
    calls += 1
    invoked = time.time()
    time.sleep(event.get("hold", 0))
    if event.get("exit"):
        os._exit(1)
    return {"kind": kind, "began": began, "invoked": invoked, "calls": calls, "marker": os.environ.get("MARKER", ""),
            "stream": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]}
"""
UNPUBLISHED = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
NOT_PUBLISHED = "The function resource provided must be an alias or a published version."


@pytest.fixture(scope="module")
def client(server):
    return server.client("lambda")


@pytest.fixture
def published(functions, client):
    """A function with version 1."""
    name = functions.create(PYTHON, TELLER, stem="provisioned")
    client.publish_version(FunctionName=name)
    return name


def put(client, name, qualifier, count=1):
    return client.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count)


def get(client, name, qualifier):
    answer = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def await_status(client, name, qualifier, status="READY"):
    return until(lambda: (now := get(client, name, qualifier))["Status"] == status and now, 60, f"{status} of {qualifier}")


def publish(client, name, marker):
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"MARKER": marker}})
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return client.publish_version(FunctionName=name)["Version"]


def test_the_first_invocation_finds_an_environment_that_is_ready(functions, client, published):
    answer = put(client, published, "1", 2)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["Status"] == "IN_PROGRESS" and "StatusReason" not in answer
    assert answer["RequestedProvisionedConcurrentExecutions"] == 2
    assert answer["AllocatedProvisionedConcurrentExecutions"] == 0
    assert answer["AvailableProvisionedConcurrentExecutions"] == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", answer["LastModified"])
    ready = await_status(client, published, "1")
    assert ready == {"Status": "READY", "RequestedProvisionedConcurrentExecutions": 2,
                     "AllocatedProvisionedConcurrentExecutions": 2, "AvailableProvisionedConcurrentExecutions": 2,
                     "LastModified": answer["LastModified"]}
    invoked = functions.invoke(published, {}, Qualifier="1", LogType="Tail")
    told = invoked.expect()
    assert told["kind"] == "provisioned-concurrency" and told["calls"] == 1
    assert told["began"] < told["invoked"]
    # As on AWS: the first REPORT says how long the init took and bills the invocation alone.
    report = re.search(r"\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms.*\tInit Duration: ([\d.]+) ms", invoked.log)
    assert report and int(report[2]) - float(report[1]) < 1, invoked.log
    assert functions.invoke(published, {}).expect()["kind"] == "on-demand"


def test_what_exceeds_it_spills_over(functions, client, published):
    put(client, published, "1")
    await_status(client, published, "1")
    told, lock = [], threading.Lock()

    def hold():
        value = Deployer(functions.server, functions.role_arn).invoke(published, {"hold": 3}, Qualifier="1").expect()
        with lock:
            told.append(value)

    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(value["kind"] for value in told) == ["on-demand", "provisioned-concurrency"]
    text = urllib.request.urlopen(functions.server.endpoint + "/_lambent/metrics", timeout=10).read().decode()
    for kind in ("provisioned", "spillover"):
        counted = rf'^lambent_provisioned_concurrency_invocations_total\{{environment="{kind}"\}} [1-9]\d*$'
        assert re.search(counted, text, re.M), kind
    for name in ("allocated", "running", "utilization"):
        assert re.search(rf"^lambent_provisioned_concurrency_{name} [\d.]+$", text, re.M), name


def test_one_that_exits_is_replaced(functions, client, published):
    put(client, published, "1")
    await_status(client, published, "1")
    first = functions.invoke(published, {}, Qualifier="1").expect()
    assert functions.invoke(published, {"exit": True}, Qualifier="1").error
    until(lambda: get(client, published, "1")["AvailableProvisionedConcurrentExecutions"] == 1, 60, "the replacement")
    told = functions.invoke(published, {}, Qualifier="1").expect()
    assert told["kind"] == "provisioned-concurrency" and told["calls"] == 1 and told["stream"] != first["stream"]


def test_an_init_that_fails_is_told_and_invocations_go_on_demand(functions, client):
    name = functions.create(PYTHON, TELLER, stem="failing",
                            Environment={"Variables": {"FAIL": "provisioned-concurrency"}})
    client.publish_version(FunctionName=name)
    put(client, name, "1")
    failed = await_status(client, name, "1", "FAILED")
    assert failed["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert failed["AllocatedProvisionedConcurrentExecutions"] == failed["AvailableProvisionedConcurrentExecutions"] == 0
    assert functions.invoke(name, {}, Qualifier="1").expect()["kind"] == "on-demand"


def test_an_alias_takes_its_allocation_along(functions, client, published):
    client.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    put(client, published, "live")
    await_status(client, published, "live")
    assert functions.invoke(published, {}, Qualifier="live").expect()["kind"] == "provisioned-concurrency"
    assert publish(client, published, "two") == "2"
    client.update_alias(FunctionName=published, Name="live", FunctionVersion="2")
    await_status(client, published, "live")
    invoked = functions.invoke(published, {}, Qualifier="live")
    assert invoked.version == "2"
    told = invoked.expect()
    assert told["kind"] == "provisioned-concurrency" and told["marker"] == "two" and told["calls"] == 1
    # A version whose init fails never takes over.
    client.update_function_configuration(
        FunctionName=published, Environment={"Variables": {"FAIL": "provisioned-concurrency"}})
    functions.await_update(published)
    assert client.publish_version(FunctionName=published)["Version"] == "3"
    client.update_alias(FunctionName=published, Name="live", FunctionVersion="3")
    assert await_status(client, published, "live", "FAILED")["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert functions.invoke(published, {}, Qualifier="live").version == "2"
    client.update_alias(FunctionName=published, Name="live", FunctionVersion="2")
    await_status(client, published, "live")


def test_an_alias_with_weights_keeps_its_setting_and_takes_no_new_one(functions, client, published):
    publish(client, published, "two")
    client.create_alias(FunctionName=published, Name="canary", FunctionVersion="1")
    put(client, published, "canary", 2)
    await_status(client, published, "canary")
    client.update_alias(FunctionName=published, Name="canary",
                        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert refusal(put, client=client, name=published, qualifier="canary", count=3) == (
        "InvalidParameterValueException", 400, "Alias with weights can not be used with Provisioned Concurrency")
    ready = await_status(client, published, "canary")
    assert ready["AllocatedProvisionedConcurrentExecutions"] == 2
    for version in ("1", "2"):
        assert functions.invoke(published, {}, Qualifier=version).expect()["kind"] == "provisioned-concurrency"


def test_a_version_has_one_setting(client, published):
    client.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    client.create_alias(FunctionName=published, Name="other", FunctionVersion="1")
    taken = ("ResourceConflictException", 409,
             "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    put(client, published, "1")
    assert refusal(put, client=client, name=published, qualifier="live") == taken
    client.delete_provisioned_concurrency_config(FunctionName=published, Qualifier="1")
    put(client, published, "live")
    assert refusal(put, client=client, name=published, qualifier="1") == (
        "ResourceConflictException", 409, "Version is pointed by a Provisioned Concurrency alias")
    assert refusal(put, client=client, name=published, qualifier="other") == taken
    publish(client, published, "two")
    put(client, published, "2")
    assert refusal(client.update_alias, FunctionName=published, Name="live", FunctionVersion="2") == taken


def test_settings_are_listed_changed_and_deleted(functions, client, published):
    assert client.list_provisioned_concurrency_configs(FunctionName=published)["ProvisionedConcurrencyConfigs"] == []
    client.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    publish(client, published, "two")
    put(client, published, "live")
    put(client, published, "2")
    await_status(client, published, "live")
    await_status(client, published, "2")
    pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(
        FunctionName=published, PaginationConfig={"PageSize": 1})
    listed = [item for page in pages for item in page["ProvisionedConcurrencyConfigs"]]
    assert [item.pop("FunctionArn") for item in listed] == [arn(published) + ":2", arn(published) + ":live"]
    assert listed == [get(client, published, "2"), get(client, published, "live")]
    put(client, published, "2", 2)
    assert await_status(client, published, "2")["AllocatedProvisionedConcurrentExecutions"] == 2
    gone = client.delete_provisioned_concurrency_config(FunctionName=published, Qualifier="2")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    none = ("ProvisionedConcurrencyConfigNotFoundException", 404,
            "No Provisioned Concurrency Config found for this function")
    assert refusal(client.get_provisioned_concurrency_config, FunctionName=published, Qualifier="2") == none
    # What is not there is deleted already.
    client.delete_provisioned_concurrency_config(FunctionName=published, Qualifier="2")
    # An alias takes its setting with it, and a version and a function theirs.
    client.delete_alias(FunctionName=published, Name="live")
    assert refusal(client.get_provisioned_concurrency_config, FunctionName=published, Qualifier="live") == (
        "ResourceNotFoundException", 404, f"Cannot find alias arn: {arn(published)}:live")
    put(client, published, "1")
    client.delete_function(FunctionName=published, Qualifier="1")
    assert client.list_provisioned_concurrency_configs(FunctionName=published)["ProvisionedConcurrencyConfigs"] == []
    put(client, published, "2")
    client.delete_function(FunctionName=published)
    again = client.create_function(FunctionName=published, Runtime=PYTHON, Handler="app.handler", Publish=True,
                                   Role=functions.role_arn, Code={"ZipFile": source_zip(PYTHON, TELLER)})
    assert again["Version"] == "1"
    assert refusal(client.get_provisioned_concurrency_config, FunctionName=published, Qualifier="1") == none


@pytest.mark.parametrize("operation, settings", [
    ("put_provisioned_concurrency_config", {"ProvisionedConcurrentExecutions": 1}),
    ("get_provisioned_concurrency_config", {}), ("delete_provisioned_concurrency_config", {})])
def test_refusals_by_name(client, module_functions, operation, settings):
    name = "refuses-provisioned"
    if name not in module_functions.names:
        module_functions.create(PYTHON, TELLER, FunctionName=name)
        client.publish_version(FunctionName=name)
    call = getattr(client, operation)

    def refused(function, qualifier):
        return refusal(call, FunctionName=function, Qualifier=qualifier, **settings)

    latest = UNPUBLISHED if settings else NOT_PUBLISHED
    assert refused(name, "$LATEST") == ("InvalidParameterValueException", 400, latest)
    assert refused(arn(name), "$LATEST") == ("InvalidParameterValueException", 400, latest)
    assert refused(name, "10") == ("ResourceNotFoundException", 404, f"Function not found: {arn(name)}:10")
    assert refused(name, "nobody") == ("ResourceNotFoundException", 404, f"Cannot find alias arn: {arn(name)}:nobody")
    assert refused("nothing", "1") == ("ResourceNotFoundException", 404, f"Function not found: {arn('nothing')}:1")
    assert refused("nothing", "live") == (
        "ResourceNotFoundException", 404, f"Cannot find alias arn: {arn('nothing')}:live")
    assert refused(arn(name) + ":1", "2") == (
        "InvalidParameterValueException", 400,
        "The derived qualifier from the function name does not match the specified qualifier.")
    code, status, _ = refused(arn(name).replace(ACCOUNT, "210987654321"), "1")
    assert (code, status) == ("AccessDeniedException", 403)
    code, status, message = refused("no!name", "1")
    assert (code, status) == ("ValidationException", 400) and "functionName" in message
    code, status, _ = refused(arn(name).replace(REGION, "eu-west-1"), "1")
    assert (code, status) == ("ResourceNotFoundException", 404)


def test_refusals_of_numbers_and_lists(client, published):
    code, status, message = refusal(put, client=client, name=published, qualifier="1", count=0)
    assert (code, status) == ("ValidationException", 400)
    assert "Member must have value greater than or equal to 1" in message
    assert refusal(client.list_provisioned_concurrency_configs, FunctionName="nothing") == (
        "ResourceNotFoundException", 404, f"Function not found: {arn('nothing')}")
    code, status, _ = refusal(client.list_provisioned_concurrency_configs, FunctionName=published, Marker="?")
    assert (code, status) == ("InvalidParameterValueException", 400)
    client.create_alias(FunctionName=published, Name="latest", FunctionVersion="$LATEST")
    assert refusal(put, client=client, name=published, qualifier="latest") == (
        "InvalidParameterValueException", 400, UNPUBLISHED)
    client.create_alias(FunctionName=published, Name="live", FunctionVersion="1")
    put(client, published, "live")
    assert refusal(client.update_alias, FunctionName=published, Name="live", FunctionVersion="$LATEST") == (
        "InvalidParameterValueException", 400, UNPUBLISHED)


def test_it_fits_the_reservation(functions, client, published):
    put(client, published, "1", 2)
    await_status(client, published, "1")
    assert refusal(client.put_function_concurrency, FunctionName=published, ReservedConcurrentExecutions=1)[1:] == (
        400, " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].")
    client.put_function_concurrency(FunctionName=published, ReservedConcurrentExecutions=2)
    above = ("InvalidParameterValueException", 400,
             "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    assert refusal(put, client=client, name=published, qualifier="1", count=3) == above
    publish(client, published, "two")
    assert refusal(put, client=client, name=published, qualifier="2") == above
    # All that is reserved is provisioned: nothing else of the function runs.
    assert refusal(functions.invoke, name=published, event={})[:2] == ("TooManyRequestsException", 429)
    assert functions.invoke(published, {}, Qualifier="1").expect()["kind"] == "provisioned-concurrency"
    client.delete_function_concurrency(FunctionName=published)
    assert functions.invoke(published, {}).expect()["kind"] == "on-demand"
    assert get(client, published, "1")["Status"] == "READY"


def test_it_fits_the_account_and_survives_a_kill(new_server):
    server = new_server("--concurrency", "103")
    client = server.client("lambda")
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, TELLER, FunctionName=unique("kept"))
    client.publish_version(FunctionName=name)
    assert refusal(put, client=client, name=name, qualifier="1", count=104) == (
        "InvalidParameterValueException", 400,
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [103].")
    assert refusal(put, client=client, name=name, qualifier="1", count=4) == (
        "InvalidParameterValueException", 400,
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100].")
    limit = "UnreservedConcurrentExecutions"
    assert client.get_account_settings()["AccountLimit"][limit] == 103
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    asked = put(client, name, "live", 2)
    assert client.get_account_settings()["AccountLimit"][limit] == 101
    await_status(client, name, "live")
    server.kill9()
    server.start()
    client = server.client("lambda")
    functions = Deployer(server, functions.role_arn)
    ready = await_status(client, name, "live")
    assert ready["AllocatedProvisionedConcurrentExecutions"] == 2 and ready["LastModified"] == asked["LastModified"]
    told = functions.invoke(name, {}, Qualifier="live").expect()
    assert told["kind"] == "provisioned-concurrency" and told["began"] < told["invoked"] and told["calls"] == 1
    assert client.get_account_settings()["AccountLimit"][limit] == 101
    client.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert client.get_account_settings()["AccountLimit"][limit] == 103
