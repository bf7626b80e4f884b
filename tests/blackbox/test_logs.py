"""CloudWatch Logs: what functions print is kept, found, followed, and expires; and the service by itself."""

import json
import re
import subprocess
import threading
import time
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, TRUST_LAMBDA, Deployer, unique
from support.polling import until
from support.server import ROOT

AWS = ROOT / "build/venv/bin/aws"
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
PRINTER = """
def handler(event, context):
    for line in event["lines"]:
        print(line)
    return context.log_stream_name
"""


def logging_role(server, name):
    iam = server.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=BASIC_EXECUTION)
    return arn


@pytest.fixture(scope="module")
def logs(server):
    return server.client("logs")


@pytest.fixture(scope="module")
def printers(server):
    """Deploys functions whose role may write logs."""
    deployer = Deployer(server, logging_role(server, "lambent-test-logging"))
    yield deployer
    deployer.clean()


@pytest.fixture(scope="module")
def printer(printers):
    return printers.create(PYTHON, PRINTER, stem="printer")


@pytest.fixture
def group(logs):
    name = unique("/test/group")
    logs.create_log_group(logGroupName=name)
    yield name
    logs.delete_log_group(logGroupName=name)


def messages(logs, group, **query):
    found = []
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, **query):
        found += [event["message"] for event in page["events"]]
    return found


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]


def test_what_a_function_prints_is_in_its_group_in_order(logs, printers, printer):
    lines = [f"line {number}" for number in range(20)]
    answer = printers.invoke(printer, {"lines": lines}, LogType="Tail")
    stream = answer.expect()
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    group = f"/aws/lambda/{printer}"
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert described["arn"] == f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    assert "retentionInDays" not in described
    kept = messages(logs, group, logStreamNames=[stream])
    begin = kept.index(f"START RequestId: {answer.request_id} Version: $LATEST\n")
    assert kept[0].startswith("INIT_START Runtime Version: ")
    assert kept[begin + 1:begin + 21] == [line + "\n" for line in lines]
    assert kept[begin + 21] == f"END RequestId: {answer.request_id}\n"
    assert kept[begin + 22].startswith(f"REPORT RequestId: {answer.request_id}\tDuration: ")
    assert "".join(kept[begin:begin + 23]).endswith(answer.log)
    events = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    assert [event["message"] for event in events] == kept
    assert abs(events[-1]["timestamp"] / 1000 - time.time()) < 60
    [stream_described] = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert stream_described["lastEventTimestamp"] == events[-1]["timestamp"]


def test_the_lines_of_a_failure_are_kept(logs, printers):
    source = "def handler(event, context):\n    print('before')\n    raise ValueError('broken')\n"
    name = printers.create(PYTHON, source)
    printers.invoke(name)
    kept = messages(logs, f"/aws/lambda/{name}")
    assert "before\n" in kept
    [error] = [line for line in kept if line.startswith("[ERROR] ValueError: broken")]
    assert "Traceback" in error, "an error is one event with all its lines"


def test_filter_log_events_finds_by_pattern(logs, printers, printer):
    mark = unique("mark")
    lines = [f"ERROR {mark} one", f"INFO {mark} two", json.dumps({"level": "warn", "took": 5, "mark": mark}),
             f"10.0.0.1 {mark} GET 404"]
    printers.invoke(printer, {"lines": lines}).expect()
    group = f"/aws/lambda/{printer}"

    def found(pattern):
        return [line.strip() for line in messages(logs, group, filterPattern=pattern)]

    assert found(f'ERROR "{mark}"') == lines[:1]
    assert found(f'"{mark}" -ERROR -INFO') == lines[2:]
    assert found(f'{{ $.mark = "{mark}" && $.took > 4 }}') == lines[2:3]
    assert found(f'[ip, mark="{mark}", verb, status=4*]') == lines[3:]
    assert refusal(logs.filter_log_events, logGroupName=group, filterPattern="a@b")["Message"] == "Invalid filter pattern"


def follow(logs, group, seen, since):
    """One turn of what `aws logs tail --follow` does: events from the last time on, each once."""
    latest = since
    new = []
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, interleaved=True, startTime=since):
        for event in page["events"]:
            if event["eventId"] in seen:
                continue
            seen.add(event["eventId"])
            latest = max(latest, event["timestamp"])
            new.append(event["message"])
    return new, latest


def test_the_loop_of_logs_tail_follow_sees_each_line_once(logs, printers):
    source = ("import time\ndef handler(event, context):\n    print('begun', flush=True)\n    time.sleep(event)\n"
              "    print('done')\n")
    name = printers.create(PYTHON, source)
    printers.invoke(name, 0).expect()
    seen, since, told = set(), 0, []
    new, since = follow(logs, f"/aws/lambda/{name}", seen, since)
    told += new
    for _ in range(3):
        printers.invoke(name, 0).expect()
        new, since = follow(logs, f"/aws/lambda/{name}", seen, since)
        told += new
    assert told.count("begun\n") == told.count("done\n") == 4
    assert follow(logs, f"/aws/lambda/{name}", seen, since)[0] == []


def test_lines_show_while_the_function_still_runs(logs, printers):
    source = "import time\ndef handler(event, context):\n    print('begun', flush=True)\n    time.sleep(event)\n"
    name = printers.create(PYTHON, source)
    running = threading.Thread(target=printers.invoke, args=(name, 3))
    running.start()

    def shown():
        try:
            return "begun\n" in messages(logs, f"/aws/lambda/{name}")
        except logs.exceptions.ResourceNotFoundException:
            return False

    until(shown, 15, "a line of a function that runs")
    assert not any(line.startswith("END ") for line in messages(logs, f"/aws/lambda/{name}"))
    running.join(30)
    assert any(line.startswith("END ") for line in messages(logs, f"/aws/lambda/{name}"))


def test_a_role_that_may_not_write_logs_keeps_none(server, logs, functions):
    name = functions.create(PYTHON, PRINTER)
    answer = functions.invoke(name, {"lines": ["unkept"]}, LogType="Tail")
    assert "unkept" in answer.log
    assert logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"] == []
    metrics = urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=5).read().decode()
    assert re.search(r'^lambent_log_events_dropped_total\{reason="role"\} [1-9]', metrics, re.M)


def test_functions_share_a_group_of_their_owners_choice(logs, printers, group):
    names = [printers.create(PYTHON, PRINTER, LoggingConfig={"LogGroup": group}) for _ in range(2)]
    for name in names:
        stream = printers.invoke(name, {"lines": [f"from {name}"]}).expect()
        assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{name}\[\$LATEST\][0-9a-f]{{32}}", stream)
    kept = messages(logs, group)
    assert all(f"from {name}\n" in kept for name in names)


def test_kill_9_loses_no_line_of_an_answered_invocation(new_server):
    server = new_server()
    deployer = Deployer(server, logging_role(server, "logging"))
    name = deployer.create(PYTHON, PRINTER)
    for number in range(30):
        deployer.invoke(name, {"lines": [f"number {number}"]}).expect()
    logs = server.client("logs")
    logs.create_log_group(logGroupName="mine")
    logs.create_log_stream(logGroupName="mine", logStreamName="s")
    now = int(time.time() * 1000)
    logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=[{"timestamp": now, "message": "accepted"}])
    server.kill9()
    server.start()
    logs = server.client("logs")
    kept = messages(logs, f"/aws/lambda/{name}")
    assert [line for line in kept if line.startswith("number")] == [f"number {number}\n" for number in range(30)]
    assert sum(line.startswith("REPORT ") for line in kept) == 30
    assert messages(logs, "mine") == ["accepted"]


def test_events_of_ones_own_page_by_page(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    now = int(time.time() * 1000)
    for begin in range(0, 3000, 1000):
        answer = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
            {"timestamp": now + number, "message": f"event {number}"} for number in range(begin, begin + 1000)])
        assert "rejectedLogEventsInfo" not in answer
    expected = [f"event {number}" for number in range(3000)]
    assert messages(logs, group, PaginationConfig={"PageSize": 700}) == expected
    found, token = [], None
    while True:
        page = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True, limit=900,
                                   **({"nextToken": token} if token else {}))
        found += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert found == expected
    last = logs.get_log_events(logGroupName=group, logStreamName="s", limit=3)["events"]
    assert [event["message"] for event in last] == expected[-3:]


def test_refusals_have_the_words_of_aws(logs, group):
    assert refusal(logs.create_log_group, logGroupName=group) == {
        "Code": "ResourceAlreadyExistsException", "Message": "The specified log group already exists"}
    assert refusal(logs.describe_log_streams, logGroupName="/none") == {
        "Code": "ResourceNotFoundException", "Message": "The specified log group does not exist."}
    assert refusal(logs.get_log_events, logGroupName=group, logStreamName="none") == {
        "Code": "ResourceNotFoundException", "Message": "The specified log stream does not exist."}
    assert refusal(logs.create_log_group, logGroupName="a b") == {
        "Code": "InvalidParameterException",
        "Message": "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must "
                   "satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"}
    assert refusal(logs.put_retention_policy, logGroupName=group, retentionInDays=2)["Code"] == "InvalidParameterException"
    assert refusal(logs.start_query, logGroupName=group, startTime=0, endTime=1, queryString="x")["Code"] == (
        "NotImplementedException")


def test_groups_are_described_tagged_and_expire(logs, group):
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    [described] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 7
    logs.tag_resource(resourceArn=described["logGroupArn"], tags={"team": "a"})
    assert logs.list_tags_for_resource(resourceArn=described["logGroupArn"])["tags"] == {"team": "a"}
    logs.untag_resource(resourceArn=described["logGroupArn"], tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=described["logGroupArn"])["tags"] == {}
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]


def test_policies_on_groups_decide(server, group):
    iam = server.client("iam")
    user = unique("reader")
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["logs:FilterLogEvents", "logs:CreateLogStream"],
         "Resource": f"arn:aws:logs:us-east-1:{server.account}:log-group:{group}:*"}]}))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    logs = server.client("logs", (key["AccessKeyId"], key["SecretAccessKey"]))
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    assert logs.filter_log_events(logGroupName=group)["events"] == []
    denied = refusal(logs.put_log_events, logGroupName=group, logStreamName="s", logEvents=[{"timestamp": 1, "message": "x"}])
    assert denied["Code"] == "AccessDeniedException"
    assert denied["Message"] == (
        f"User: arn:aws:iam::{server.account}:user/{user} is not authorized to perform: logs:PutLogEvents on resource: "
        f"arn:aws:logs:us-east-1:{server.account}:log-group:{group}:log-stream:s because no identity-based policy allows the "
        "logs:PutLogEvents action")
    assert refusal(logs.filter_log_events, logGroupName="/other")["Code"] == "AccessDeniedException"


def test_the_cli_filters_and_describes(server, printers, printer):
    printers.invoke(printer, {"lines": ["for the command line"]}).expect()

    def aws(*arguments):
        done = subprocess.run([AWS, "logs", *arguments], env=server.shell_environment(), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    group = f"/aws/lambda/{printer}"
    found = aws("filter-log-events", "--log-group-name", group, "--filter-pattern", '"command line"')
    assert [event["message"] for event in found["events"]] == ["for the command line\n"]
    assert [each["logGroupName"] for each in aws("describe-log-groups", "--log-group-name-prefix", group)["logGroups"]] == [group]


def test_the_older_tag_calls_streams_and_deletion_protection(logs):
    group = unique("/test/protected")
    logs.create_log_group(logGroupName=group, deletionProtectionEnabled=True, tags={"a": "1"})
    logs.tag_log_group(logGroupName=group, tags={"b": "2"})
    logs.untag_log_group(logGroupName=group, tags=["a"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"b": "2"}
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    logs.delete_log_stream(logGroupName=group, logStreamName="s")
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    assert refusal(logs.delete_log_group, logGroupName=group)["Code"] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName=group)
