"""/_lambent/metrics: what runs beside each limit, each refusal by its reason, and nothing that docs/METRICS.md does not explain."""

import os
import re

import pytest
from botocore.exceptions import ClientError

from support.functions import PYTHON, Deployer, ensure_role
from support.hall import Hall
from support.metrics import scrape
from support.polling import until
from support.server import ACCOUNT, REGION, ROOT

ACCOUNT_FULL = "ConcurrentInvocationLimitExceeded"
RESERVATION_FULL = "ReservedFunctionConcurrentInvocationLimitExceeded"
GROWING_TOO_FAST = "FunctionInvocationRateLimitExceeded"
TOO_MANY_ACCEPTS = "CallerRateLimitExceeded"
# What catalog.cc has for one that a zygote forked.
PYTHON_SPARE_MIB = 3
HERE = {"account": ACCOUNT, "region": REGION}


def test_every_metric_is_explained(server):
    explained = re.findall(r"`(lambent_\w+)`", (ROOT / "docs/METRICS.md").read_text())
    assert sorted(explained) == sorted(scrape(server).families)


@pytest.fixture
def hall():
    made = Hall()
    yield made
    made.discard()


def refusals(client, name, count):
    """The reasons of so many invocations, none of which may run."""
    reasons = []
    for _ in range(count):
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName=name, Payload=b"{}")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        reasons.append(refused.value.response["Reason"])
    return reasons


@pytest.fixture
def small(hall, new_server):
    """A server with a limit of 4, a function that grows by one in ten seconds, and of the first function reserved 2 and provisioned 1;
    its client, and its functions."""
    server = new_server(*hall.options)
    client, deployer = server.client("lambda"), Deployer(server, ensure_role(server))
    names = [hall.create(deployer) for _ in range(4)]
    client.put_function_concurrency(FunctionName=names[0], ReservedConcurrentExecutions=2)
    assert client.publish_version(FunctionName=names[0])["Version"] == "1"
    client.put_provisioned_concurrency_config(FunctionName=names[0], Qualifier="1", ProvisionedConcurrentExecutions=1)
    # What leaves less than 100 unreserved can be set in a larger account only.
    server.arguments += ("--concurrency", "4", "--scaling-rate", "1")
    server.restart()
    until(lambda: client.get_provisioned_concurrency_config(FunctionName=names[0], Qualifier="1")["Status"] == "READY",
          30, "what is provisioned")
    return server, client, names


@pytest.mark.skipif(os.geteuid() != 0, reason="a directory is shared with the functions")
def test_use_is_shown_beside_each_limit_and_refusals_by_their_reason(small, hall):
    server, client, (kept, growing, other, late) = small
    room = hall.room()
    entered = 0

    def enter(name, **arguments):
        nonlocal entered
        entered += 1
        room.enter(client, name, 1, **arguments)
        until(lambda: len(room.inside()) == entered, 30, f"{entered} inside")

    before = scrape(server)
    assert before.by("reason", "lambent_throttles_total") == {
        ACCOUNT_FULL: 0, RESERVATION_FULL: 0, GROWING_TOO_FAST: 0, TOO_MANY_ACCEPTS: 0}
    assert used_and_limits(before, kept) == {"account": (0, 4), "unreserved": (0, 2), "reserved": (0, 2), "version": (0, 1)}
    try:
        enter(kept, Qualifier="1")
        enter(kept)
        assert refusals(client, kept, 4) == [RESERVATION_FULL] * 4
        enter(growing)
        assert refusals(client, growing, 3) == [GROWING_TOO_FAST] * 3
        enter(other)
        assert refusals(client, late, 2) == [ACCOUNT_FULL] * 2
        full = scrape(server)
        assert full.by("reason", "lambent_throttles_total") == {
            ACCOUNT_FULL: 2, RESERVATION_FULL: 4, GROWING_TOO_FAST: 3, TOO_MANY_ACCEPTS: 0}
        assert full.value("lambent_requests_total", service="lambda", operation="Invoke", status="429") == 9
        assert used_and_limits(full, kept) == {"account": (4, 4), "unreserved": (2, 2), "reserved": (2, 2), "version": (1, 1)}
        assert full.value("lambent_environments") == full.value("lambent_invocations_running") == 4
        assert [full.value(f"lambent_provisioned_concurrency_{what}") for what in ("allocated", "running", "utilization")] == [1] * 3
        client.invoke(FunctionName=late, InvocationType="Event", Payload=room.event)
        until(lambda: scrape(server).value("lambent_async_attempts_total", end="throttled"), 20, "the event finds no room")
        waiting = scrape(server)
        assert (waiting.value("lambent_async_accepted_total"), waiting.value("lambent_async_events")) == (1, 1)
    finally:
        room.open()
    assert len(room.ran) == 4 and not room.reasons
    until(lambda: scrape(server).value("lambent_async_events") == 0, 30, "the event has run")
    after = scrape(server)
    throttled = after.value("lambent_async_attempts_total", end="throttled")
    assert after.by("reason", "lambent_throttles_total") == {
        ACCOUNT_FULL: 2 + throttled, RESERVATION_FULL: 4, GROWING_TOO_FAST: 3, TOO_MANY_ACCEPTS: 0}
    assert after.value("lambent_async_attempts_total", end="success") == 1
    assert after.by("end", "lambent_invocations_total") == {"success": 5}
    assert used_and_limits(after, kept) == used_and_limits(before, kept)


def used_and_limits(metrics, function):
    """(what runs, what may) of the account, its unreserved pool, the function's reservation and its version 1."""
    families = {"account": ("lambent_concurrency", HERE),
                "unreserved": ("lambent_concurrency_unreserved", HERE),
                "reserved": ("lambent_reserved_concurrency", {**HERE, "function": function}),
                "version": ("lambent_version_provisioned_concurrency", {**HERE, "function": function, "version": "1"})}
    return {what: (metrics.value(f"{family}_running", **labels), metrics.value(f"{family}_limit", **labels))
            for what, (family, labels) in families.items()}


def test_every_kept_log_event_is_counted(new_server):
    server = new_server()
    iam, logs = server.client("iam"), server.client("logs")
    functions = Deployer(server, ensure_role(server))
    iam.attach_role_policy(RoleName=functions.role_arn.rsplit("/", 1)[-1],
                           PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    assert scrape(server).value("lambent_log_events_total") == 0
    name = functions.create(PYTHON, "def handler(event, context):\n    print('one')\n    print('two')\n")
    functions.invoke(name).expect()
    kept = [event["message"].split()[0] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
    # And a remark where another Python than was asked for runs it.
    assert [word for word in kept if word != "python3.13"] == ["INIT_START", "START", "one", "two", "END", "REPORT"]
    assert scrape(server).value("lambent_log_events_total") == len(kept)


@pytest.mark.parametrize("bound_mib,waiting", [(4, 1), (64, 2)], ids=["room for one", "room for more than are wanted"])
def test_the_memory_of_what_waits_is_shown_and_within_its_bound(new_server, bound_mib, waiting):
    server = new_server("--spare-memory", str(bound_mib))
    functions = Deployer(server, ensure_role(server))
    functions.invoke(functions.create(PYTHON, "def handler(event, context):\n    pass\n")).expect()

    def settled():
        seen = scrape(server)
        return seen if seen.value("lambent_spares_waiting") == waiting and seen.value("lambent_spares_making") == 0 else None

    assert until(settled, 20, f"{waiting} to wait").value("lambent_spare_memory_mib") == waiting * PYTHON_SPARE_MIB
