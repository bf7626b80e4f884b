"""LoggingConfig: JSON logs, and how much of them is kept (AWS Lambda Developer Guide, "Log-level filtering")."""

import json

import pytest

from support.functions import NODEJS, PYTHON, TRUST_LAMBDA, unique

LEVELS = {
    PYTHON: """import logging
def handler(event, context):
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(), level)("at %s", level)
""",
    NODEJS: """export const handler = async () => {
  for (const level of ["trace", "debug", "info", "warn", "error"]) console[level]("at %s", level);
};""",
}


def records(functions, runtime, **levels):
    """What a JSON log of one invocation holds: (types of the platform's records, but init's; messages of the function's)."""
    name = functions.create(runtime, LEVELS[runtime], LoggingConfig={"LogFormat": "JSON", **levels})
    log = functions.invoke(name, LogType="Tail").log
    lines = [json.loads(line) for line in log.splitlines()]
    platform = [line["type"] for line in lines if not line.get("type", "platform.init").startswith("platform.init")]
    return platform, [line["message"] for line in lines if "message" in line]


def test_levels_are_info_unless_named(functions, runtime):
    platform, own = records(functions, runtime)
    assert platform == ["platform.start", "platform.report"]
    assert own == {PYTHON: ["at info", "at warning", "at error"], NODEJS: ["at info", "at warn", "at error"]}[runtime]


def test_each_level_leaves_out_what_is_below_it(functions, runtime):
    platform, own = records(functions, runtime, ApplicationLogLevel="ERROR", SystemLogLevel="WARN")
    assert (platform, own) == ([], ["at error"])
    platform, own = records(functions, runtime, ApplicationLogLevel="DEBUG", SystemLogLevel="DEBUG")
    assert platform == ["platform.start", "platform.runtimeDone", "platform.report"]
    assert own[0] == "at debug"


def test_the_format_changes_with_the_configuration(functions, runtime):
    name = functions.create(runtime, LEVELS[runtime])
    assert functions.invoke(name, LogType="Tail").log.count("START RequestId: ") == 1
    answer = functions.client.update_function_configuration(FunctionName=name, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"})
    assert answer["LoggingConfig"] == {
        "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN", "LogGroup": f"/aws/lambda/{name}"}
    functions.await_update(name)
    assert json.loads(functions.invoke(name, LogType="Tail").log.splitlines()[0])["message"] == "at info"
    functions.client.update_function_configuration(FunctionName=name, LoggingConfig={"LogFormat": "Text"})
    functions.await_update(name)
    assert functions.client.get_function_configuration(FunctionName=name)["LoggingConfig"] == {
        "LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert functions.invoke(name, LogType="Tail").log.count("START RequestId: ") == 1


def test_a_text_log_has_no_levels(functions):
    with pytest.raises(functions.client.exceptions.InvalidParameterValueException) as refused:
        functions.create(PYTHON, LEVELS[PYTHON], LoggingConfig={"SystemLogLevel": "WARN"})
    assert refused.value.response["Error"]["Message"] == (
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to '
        '"Json" and try again.')


TWO_LINES = {
    PYTHON: """import logging
def handler(event, context):
    print("before")
    logging.getLogger().error("first\\nsecond")
    print("after")
    if event: raise ValueError("bad")
""",
    NODEJS: """export const handler = async (event) => {
  process.stdout.write("before\\n");
  console.error("first\\nsecond");
  process.stdout.write("after\\n");
  if (event) throw new Error("bad");
};""",
}


def test_a_record_of_several_lines_is_one_event(functions, server, runtime):
    iam = server.client("iam")
    role = iam.create_role(RoleName=unique("records"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    name = functions.create(runtime, TWO_LINES[runtime], Role=role["Arn"])
    assert "first\nsecond\n" in functions.invoke(name, LogType="Tail").log
    events = server.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    said = [event["message"].removesuffix("\n") for event in events]
    begin = said.index("before")
    assert said[begin + 1].endswith("\tfirst\nsecond") and said[begin + 2] == "after"
    assert functions.invoke(name, "fail").error == "Unhandled"
    events = server.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="bad")["events"]
    assert len(events) == 1 and ("Traceback" if runtime == PYTHON else "Error: bad") in events[0]["message"]
