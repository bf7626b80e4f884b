"""Asynchronous invocation: accepted means kept. Retries, destinations, dead letters, restarts.

The server's waits and ages run 600 times faster than they read.
"""

import json
import re
import socket
import subprocess
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer
from support.polling import until
from support.server import ACCOUNT, AS_ROOT, BINARY, REGION, Server

ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Resource": "*",
    "Action": ["sqs:SendMessage", "sns:Publish", "events:PutEvents", "s3:PutObject", "lambda:InvokeFunction"]}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
# Says what it got on its log, then does what the event says.
WORKER = """
import json, os, time
def handler(event, context):
    print("RAN", context.aws_request_id, json.dumps(event), flush=True)
    if isinstance(event, dict) and event.get("fail"):
        raise ValueError("as asked")
    if isinstance(event, dict) and event.get("sleep"):
        time.sleep(event["sleep"])
    return {"done": event}
"""


@pytest.fixture(scope="module")
def server(moto):
    running = Server("--time-scale", "600", "--print-function-logs", *moto.target_arguments()).start()
    yield running
    running.discard()


@pytest.fixture(scope="module")
def role(server):
    return make_role(server)


def make_role(server):
    iam = server.client("iam")
    arn = iam.create_role(RoleName="sender", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="sender", PolicyName="send", PolicyDocument=ALLOW_ALL)
    return arn


@pytest.fixture(scope="module")
def deploy(server, role):
    deployer = Deployer(server, role)
    yield deployer
    deployer.clean()


@pytest.fixture(scope="module")
def client(server):
    return server.client("lambda")


@pytest.fixture
def worker(deploy):
    return deploy.create(PYTHON, WORKER, stem="worker")


def runs(server, marker):
    """Request ids of the runs whose event holds `marker`, in order."""
    return [found[0] for found in re.findall(r"RAN (\S+) (.*)", server.log.read_text(errors="replace"))
            if marker in found[1]]


def send(client, name, event):
    answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode())
    assert answer["StatusCode"] == 202
    return answer["ResponseMetadata"]["RequestId"]


def destination_of(client, name, arn):
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})


def metric(server, name):
    text = urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10).read().decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def test_an_accepted_event_runs_with_the_answers_request_id(server, client, worker):
    answer = client.invoke(FunctionName=worker, InvocationType="Event", Payload=b'{"mark": "first"}')
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert "FunctionError" not in answer and "ExecutedVersion" not in answer
    until(lambda: runs(server, '"first"'), 20, "the run")
    assert runs(server, '"first"') == [answer["ResponseMetadata"]["RequestId"]]


def test_invoke_async_of_2014_does_too(server, client, worker):
    answer = client.invoke_async(FunctionName=worker, InvokeArgs=b'{"mark": "old"}')
    assert answer["Status"] == 202
    until(lambda: runs(server, '"old"'), 20, "the run")


def test_a_failing_event_is_tried_three_times_and_its_record_tells(server, client, worker, moto):
    url, arn = moto.queue("failed")
    client.put_function_event_invoke_config(FunctionName=worker, DestinationConfig={"OnFailure": {"Destination": arn}})
    request_id = send(client, worker, {"mark": "failing", "fail": True})
    message = moto.receive(url)
    assert runs(server, '"failing"') == [request_id] * 3
    record = json.loads(message["Body"])
    assert list(record) == ["version", "timestamp", "requestContext", "requestPayload", "responseContext",
                            "responsePayload"]
    assert record["version"] == "1.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["timestamp"])
    assert record["requestContext"] == {
        "requestId": request_id, "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{worker}:$LATEST",
        "condition": "RetriesExhausted", "approximateInvokeCount": 3}
    assert record["requestPayload"] == {"mark": "failing", "fail": True}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorMessage"] == "as asked"


def test_a_dead_letter_queue_gets_the_event_and_three_attributes(client, deploy, moto):
    url, arn = moto.queue("dead")
    name = deploy.create(PYTHON, WORKER, stem="dlq", DeadLetterConfig={"TargetArn": arn})
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    request_id = send(client, name, {"fail": True})
    message = moto.receive(url)
    assert json.loads(message["Body"]) == {"fail": True}
    attributes = message["MessageAttributes"]
    assert attributes["RequestID"] == {"StringValue": request_id, "DataType": "String"}
    assert attributes["ErrorCode"] == {"StringValue": "200", "DataType": "Number"}
    assert attributes["ErrorMessage"] == {"StringValue": "as asked", "DataType": "String"}


def test_a_dead_letter_topic_gets_the_event_and_three_attributes(client, deploy, moto):
    url, queue = moto.queue("dead-by-topic")
    topic = moto.client("sns").create_topic(Name="dead")["TopicArn"]
    # Raw: the queue gets what was published as it was.
    moto.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    name = deploy.create(PYTHON, WORKER, stem="dlt", DeadLetterConfig={"TargetArn": topic})
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    request_id = send(client, name, {"fail": True})
    message = moto.receive(url)
    assert json.loads(message["Body"]) == {"fail": True}
    assert message["MessageAttributes"] == {
        "RequestID": {"StringValue": request_id, "DataType": "String"},
        "ErrorCode": {"StringValue": "200", "DataType": "Number"},
        "ErrorMessage": {"StringValue": "as asked", "DataType": "String"}}


def test_success_goes_to_another_function(server, client, worker, deploy):
    other = deploy.create(PYTHON, WORKER, stem="other")
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{other}"
    client.put_function_event_invoke_config(FunctionName=worker, DestinationConfig={"OnSuccess": {"Destination": arn}})
    send(client, worker, {"mark": "chained"})
    until(lambda: len(runs(server, '"chained"')) == 2, 20, "both functions ran")
    assert '"condition": "Success"' in server.log.read_text()


def test_records_go_to_topics_buses_and_buckets(client, worker, moto):
    topic = moto.client("sns").create_topic(Name="results")["TopicArn"]
    url, queue = moto.queue("results")
    moto.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    client.put_function_event_invoke_config(FunctionName=worker, DestinationConfig={"OnSuccess": {"Destination": topic}})
    send(client, worker, {"mark": "topic"})
    notification = json.loads(moto.receive(url)["Body"])
    assert json.loads(notification["Message"])["requestPayload"] == {"mark": "topic"}

    events = moto.client("events")
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    events.create_archive(ArchiveName="all", EventSourceArn=bus,
                          EventPattern=json.dumps({"detail-type": ["Lambda Function Invocation Result - Success"]}))
    client.put_function_event_invoke_config(FunctionName=worker, DestinationConfig={"OnSuccess": {"Destination": bus}})
    send(client, worker, {"mark": "bus"})
    until(lambda: events.describe_archive(ArchiveName="all")["EventCount"] == 1, 20, "the event on the bus")

    s3 = moto.client("s3")
    s3.create_bucket(Bucket="records")
    client.put_function_event_invoke_config(
        FunctionName=worker, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::records"}})
    send(client, worker, {"mark": "bucket", "fail": True})
    keys = until(lambda: s3.list_objects_v2(Bucket="records").get("Contents"), 20, "an object")
    assert re.fullmatch(rf"aws/lambda/async/{worker}/\d{{4}}/\d\d/\d\d/\d{{4}}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{{36}}",
                        keys[0]["Key"])
    record = json.loads(s3.get_object(Bucket="records", Key=keys[0]["Key"])["Body"].read())
    assert record["requestContext"]["condition"] == "RetriesExhausted"


def test_a_reservation_of_zero_stops_the_function_at_once(client, worker, moto):
    url, arn = moto.queue("stopped")
    client.put_function_event_invoke_config(FunctionName=worker, DestinationConfig={"OnFailure": {"Destination": arn}})
    client.put_function_concurrency(FunctionName=worker, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=worker)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert refused.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused.value.response["Type"] == "User"
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
    send(client, worker, {"mark": "stopped"})
    record = json.loads(moto.receive(url)["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responseContext" not in record and "responsePayload" not in record


def test_an_event_of_a_mebibyte_passes_and_the_next_byte_does_not(server, client, worker):
    padding = 1_048_576 - len('{"mark": "large", "p": ""}')
    largest = b'{"mark": "large", "p": "' + b"x" * padding + b'"}'
    assert len(largest) == 1_048_576
    assert client.invoke(FunctionName=worker, InvocationType="Event", Payload=largest)["StatusCode"] == 202
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=worker, InvocationType="Event", Payload=largest + b" ")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert refused.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    assert refused.value.response["Error"]["Message"] == (
        "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)")


def test_an_event_that_is_no_json_is_refused_before_it_is_accepted(client, worker):
    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName=worker, InvocationType="Event", Payload=b"{")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_queued_events_survive_a_stop_and_a_kill(server, client, worker):
    for ending in (server.stop, server.kill9):
        mark = f"kept over {ending.__name__}"
        sent = [send(client, worker, {"mark": mark, "fail": True}) for _ in range(10)]
        ending()
        server.start()
        until(lambda: set(sent) <= set(runs(server, mark)) and len(runs(server, mark)) >= 30, 30,
              "every event had its three runs")


@pytest.fixture
def silent():
    """A queue's endpoint that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Server("--print-function-logs", "--target-endpoint",
                         f"sqs=http://127.0.0.1:{listener.getsockname()[1]}").start()
        yield running
        running.discard()


def test_a_destination_that_hangs_delays_nobody(silent):
    client, deployer = silent.client("lambda"), Deployer(silent, make_role(silent))
    slow, quick = (deployer.create(PYTHON, WORKER, stem=stem) for stem in ("slow", "quick"))
    destination_of(client, slow, f"arn:aws:sqs:{REGION}:{ACCOUNT}:silent")
    destination_of(client, quick, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{slow}")
    sent = [send(client, slow, {"mark": "hung"}) for _ in range(20)]
    until(lambda: sorted(runs(silent, '"hung"')) == sorted(sent), 20, "the function runs though nobody hears of it")
    until(lambda: metric(silent, "lambent_async_outcomes") == 20, 5, "all outcomes wait")
    assert metric(silent, "lambent_async_outcomes_running") <= 8
    send(client, quick, {"mark": "heard"})
    until(lambda: len(runs(silent, '"heard"')) == 2, 20, "another function's outcome is told")
    silent.kill9()
    silent.start()
    until(lambda: metric(silent, "lambent_async_outcomes") == 21, 5, "nothing of it was forgotten")
    assert sorted(runs(silent, '"hung"')) == sorted(sent)


@pytest.mark.parametrize("text", ["kafka=http://127.0.0.1:1", "sqs", "sqs=127.0.0.1:1", "lambda=http://127.0.0.1:1"])
def test_an_endpoint_for_no_target_is_a_usage_error(text):
    unstarted = Server()
    said = subprocess.run([*AS_ROOT, str(BINARY), "serve", "--listen", "127.0.0.1:0", "--data", str(unstarted.data),
                           "--function-network", "none", "--target-endpoint", text],
                          capture_output=True, text=True, timeout=30)
    unstarted.discard()
    assert said.returncode == 64
    assert "--target-endpoint wants SERVICE=URL" in said.stderr


def test_the_metrics_tell_what_waits_and_what_ended(server, client, worker):
    def metrics():
        return urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10).read().decode()

    client.put_function_event_invoke_config(FunctionName=worker, MaximumRetryAttempts=0)
    send(client, worker, {"fail": True})
    text = until(lambda: (now := metrics()) and 'lambent_async_dropped_total{reason="RetriesExhausted"}' in now and now, 20,
                 "the dropped event is counted")
    for name in ("lambent_async_events", "lambent_async_oldest_seconds", "lambent_async_running", "lambent_store_lost_commits"):
        assert re.search(rf"^{name} [\d.]+$", text, re.M), name
    assert re.search(r'^lambent_async_attempts_total\{end="function_error"\} \d+$', text, re.M)
