"""What an environment leaves, in its memory, its files, the kernel and processes: its own version's next invocation finds it, and
nobody else (trial 54)."""

from support.functions import Deployer, ensure_role
from support.polling import until
from support.processes import sandboxed
from support.server import ACCOUNT

FILES = ("/tmp/mark", "/dev/shm/mark")
# Where the agent itself and the probe (probe_marks.c) leave their marks.
DOORS = {"memory", *FILES, "shared memory", "message", "posix memory", "posix message", "abstract socket", "loopback"}
OTHER_ACCOUNT = "210987654321"


def do(hostile, qualifier, *steps):
    answer = hostile.functions.invoke(hostile.name, hostile.event(*steps), Qualifier=qualifier)
    return answer.expect()


def leave(hostile, qualifier, mark):
    """Leaves a mark behind every door of the environment that answers: {door: mark}."""
    files = [["create", path, mark] for path in FILES]
    went = do(hostile, qualifier, ["remember", mark], *files, ["run", "/var/task/probe", "keep", mark])
    assert all("ok" in each for each in went) and went[-1]["ok"]["status"] == 0, went
    # Whoever keeps nothing says so. Not every kernel lets a function have message queues of POSIX's kind.
    shut = {line.removeprefix("not kept ").split(":")[0] for line in went[-1]["ok"]["out"].splitlines()}
    assert shut <= {"posix message"}, went
    return dict.fromkeys(DOORS - shut, mark)


def look(hostile, qualifier="$LATEST"):
    """{door: mark} of what an invocation finds."""
    memory, *files, probe = do(hostile, qualifier, ["recall"], *(["read", path] for path in FILES), ["run", "/var/task/probe", "kept"])
    assert probe["ok"]["status"] == 0, probe
    behind = dict(line.split(": ", 1) for line in probe["ok"]["out"].splitlines())
    found = {"memory": "".join(memory["ok"]), **{path: went.get("ok", "") for path, went in zip(FILES, files)}, **behind}
    assert set(found) == DOORS
    # A number tells why there is nothing.
    return {door: mark for door, mark in found.items() if mark and not mark.isdigit()}


def finds(hostile, qualifier, left):
    """Whoever left something is asked until the environment that has it answers."""
    until(lambda: look(hostile, qualifier) == left, 20, f"what was left: {left}")


def test_marks_stay_with_their_version(make_hostile):
    hostile, other = make_hostile(), make_hostile()
    client = hostile.functions.client
    first = leave(hostile, "$LATEST", "of the first")
    finds(hostile, "$LATEST", first)
    assert look(other) == {}
    one = client.publish_version(FunctionName=hostile.name)["Version"]
    assert look(hostile, one) == {}
    of_one = leave(hostile, one, "of one")
    hostile.functions.update_code(hostile.name, hostile.runtime, {**hostile.files, "second": ""})
    assert look(hostile) == {}
    second = leave(hostile, "$LATEST", "of the second")
    two = client.publish_version(FunctionName=hostile.name)["Version"]
    client.create_alias(FunctionName=hostile.name, Name="live", FunctionVersion=two)
    assert look(hostile, "live") == {}
    client.update_alias(FunctionName=hostile.name, Name="live", FunctionVersion=one)
    assert look(hostile, "live") in ({}, of_one)
    finds(hostile, one, of_one)
    finds(hostile, "$LATEST", second)
    assert look(other) == {}


def test_nothing_stays_of_an_environment_that_ended(make_hostile):
    hostile = make_hostile()
    for mark in ("of one", "of another"):
        assert look(hostile) == {}
        leave(hostile, "$LATEST", mark)
        hostile.functions.client.delete_function(FunctionName=hostile.name)
        hostile.functions.create(hostile.runtime, hostile.files, FunctionName=hostile.name, Handler=hostile.handler)
    assert look(hostile) == {}


def test_marks_stay_with_their_account(make_hostile_at, new_server):
    """A server has one account. Environments of two servers on one machine share no user's id: the kernel keeps count by it."""
    servers = [new_server(account=account) for account in (ACCOUNT, OTHER_ACCOUNT)]
    here, there = (make_hostile_at(Deployer(server, ensure_role(server))) for server in servers)
    of_here = leave(here, "$LATEST", "of this account")
    assert look(there) == {}
    of_there = leave(there, "$LATEST", "of that account")
    finds(here, "$LATEST", of_here)
    finds(there, "$LATEST", of_there)
    users = [set(sandboxed(server).values()) for server in servers]
    assert all(users) and not users[0] & users[1]
