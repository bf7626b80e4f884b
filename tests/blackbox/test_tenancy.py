"""Tenant isolation: no environment of such a function ever serves two tenants, however it is invoked."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from support.functions import ENTRY, NODEJS, PYTHON, ensure_role, source_zip, unique
from support.polling import until

PER_TENANT = {"TenantIsolationMode": "PER_TENANT"}
# What a module and /tmp remember of whom this environment has served.
SERVED = {
    PYTHON: """
import os, uuid
me, served = str(uuid.uuid4()), []
def handler(event, context):
    served.append(context.tenant_id)
    with open("/tmp/served", "a") as file:
        file.write(f"{context.tenant_id}\\n")
    print("SERVED", context.tenant_id, flush=True)
    if isinstance(event, dict) and event.get("exit"):
        os._exit(1)
    with open("/tmp/served") as file:
        return {"me": me, "tenant": context.tenant_id, "served": served, "kept": file.read().splitlines()}
""",
    NODEJS: """
import fs from 'node:fs';
import {randomUUID} from 'node:crypto';
const me = randomUUID(), served = [];
export const handler = async (event, context) => {
  served.push(context.tenantId);
  fs.appendFileSync('/tmp/served', `${context.tenantId}\\n`);
  return {me, tenant: context.tenantId, served, kept: fs.readFileSync('/tmp/served', 'utf8').trim().split('\\n')};
};
""",
}


@pytest.fixture(scope="module")
def isolating(server, module_functions):
    role = ensure_role(server, "tenants-and-logs")
    server.client("iam").attach_role_policy(
        RoleName="tenants-and-logs", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    return module_functions.create(PYTHON, SERVED[PYTHON], stem="tenants", TenancyConfig=PER_TENANT, Role=role,
                                   LoggingConfig={"LogFormat": "JSON"}, Timeout=10)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def test_each_tenant_has_environments_of_its_own(functions, runtime):
    name = functions.create(runtime, SERVED[runtime], stem="tenants", TenancyConfig=PER_TENANT)
    seen = {}
    for tenant in ("blue", "green", "blue", "a b=c@d/e+f:g._-", "green", "blue"):
        answer = functions.invoke(name, {}, TenantId=tenant).expect()
        assert answer["tenant"] == tenant
        assert set(answer["served"]) == set(answer["kept"]) == {tenant}
        seen.setdefault(answer["me"], tenant)
        assert seen[answer["me"]] == tenant
    assert len(seen) >= 3
    # One after the other they found what had served them before.
    assert len(functions.invoke(name, {}, TenantId="blue").expect()["served"]) >= 2


def test_many_tenants_at_once_are_never_mixed(module_functions, isolating):
    def call(number):
        tenant = f"t{number % 5}"
        answer = module_functions.invoke(isolating, {}, TenantId=tenant).expect()
        return tenant, set(answer["served"]) | set(answer["kept"])

    with ThreadPoolExecutor(10) as pool:
        for tenant, served in pool.map(call, range(60)):
            assert served == {tenant}


def test_a_reset_environment_stays_its_tenants(module_functions, isolating):
    assert module_functions.invoke(isolating, {"exit": True}, TenantId="fragile").error == "Unhandled"
    other = module_functions.invoke(isolating, {}, TenantId="sturdy").expect()
    assert set(other["kept"]) == {"sturdy"}
    again = module_functions.invoke(isolating, {}, TenantId="fragile").expect()
    assert again["kept"] == ["fragile", "fragile"]


def test_events_and_streams_have_a_tenant_too(server, awslambda, isolating):
    accepted = awslambda.invoke(FunctionName=isolating, InvocationType="Event", TenantId="later", Payload=b"{}")
    assert accepted["StatusCode"] == 202
    logs = server.client("logs")

    def printed():
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{isolating}", filterPattern='"SERVED later"')["events"]
        return [event["message"] for event in events]

    until(printed, 20, "the event's line")
    streamed = awslambda.invoke_with_response_stream(FunctionName=isolating, TenantId="streaming", Payload=b"{}")
    parts = b"".join(event["PayloadChunk"]["Payload"] for event in streamed["EventStream"] if "PayloadChunk" in event)
    assert json.loads(parts)["kept"] == ["streaming"]


def test_json_records_name_the_tenant(module_functions, isolating):
    answer = module_functions.invoke(isolating, {}, TenantId="named", LogType="Tail")
    answer.expect()
    records = [json.loads(line) for line in answer.log.splitlines() if line.startswith("{")]
    named = {record["type"]: record["record"].get("tenantId") for record in records if "type" in record}
    assert named["platform.start"] == named["platform.report"] == "named"


def test_a_tenant_is_named_just_where_it_is_isolated(functions, awslambda, isolating):
    wanted = ("InvalidParameterValueException", 400,
              "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.")
    assert refusal(awslambda.invoke, FunctionName=isolating) == wanted
    assert refusal(awslambda.invoke, FunctionName=isolating, InvocationType="Event") == wanted
    assert refusal(awslambda.invoke, FunctionName=isolating, InvocationType="DryRun") == wanted
    assert refusal(awslambda.invoke_async, FunctionName=isolating, InvokeArgs=b"{}") == wanted
    assert refusal(awslambda.invoke_with_response_stream, FunctionName=isolating) == wanted
    plain = functions.create(PYTHON, SERVED[PYTHON], stem="plain")
    code, status, message = refusal(awslambda.invoke, FunctionName=plain, TenantId="blue")
    assert (code, status) == ("InvalidParameterValueException", 400) and "not enabled with tenancy" in message
    for wrong in ("", "a" * 257, "semi;colon"):
        code, status, _ = refusal(awslambda.invoke, FunctionName=isolating, TenantId=wrong)
        assert (code, status) == ("ValidationException", 400), wrong


def test_the_mode_is_shown_and_kept(awslambda, isolating):
    assert awslambda.get_function(FunctionName=isolating)["Configuration"]["TenancyConfig"] == PER_TENANT
    assert awslambda.get_function_configuration(FunctionName=isolating)["TenancyConfig"] == PER_TENANT
    version = awslambda.publish_version(FunctionName=isolating)
    assert version["TenancyConfig"] == PER_TENANT
    answer = awslambda.invoke(FunctionName=isolating, Qualifier=version["Version"], TenantId="versioned")
    assert json.loads(answer["Payload"].read())["kept"] == ["versioned"]
    updated = awslambda.update_function_configuration(FunctionName=isolating, Description="changed")
    assert updated["TenancyConfig"] == PER_TENANT
    awslambda.get_waiter("function_updated_v2").wait(FunctionName=isolating, WaiterConfig={"Delay": 1})
    listed = {each["FunctionName"]: each.get("TenancyConfig")
              for page in awslambda.get_paginator("list_functions").paginate() for each in page["Functions"]}
    assert listed[isolating] == PER_TENANT


def test_what_has_no_tenant_is_refused(awslambda, isolating, role_arn):
    version = awslambda.publish_version(FunctionName=isolating)["Version"]
    queue = "arn:aws:sqs:us-east-1:123456789012:tenants"
    for call, arguments in (
            (awslambda.create_function_url_config, {"AuthType": "NONE"}),
            (awslambda.put_provisioned_concurrency_config, {"Qualifier": version, "ProvisionedConcurrentExecutions": 1}),
            (awslambda.create_event_source_mapping, {"EventSourceArn": queue, "Enabled": False})):
        code, status, message = refusal(call, FunctionName=isolating, **arguments)
        assert (code, status) == ("InvalidParameterValueException", 400) and "tenant isolation" in message
    code, status, _ = refusal(
        awslambda.create_function, FunctionName=unique("shared"), Runtime=PYTHON, Role=role_arn, Handler=ENTRY[PYTHON][1],
        Code={"ZipFile": source_zip(PYTHON, SERVED[PYTHON])}, TenancyConfig={"TenantIsolationMode": "SHARED"})
    assert (code, status) == ("ValidationException", 400)
