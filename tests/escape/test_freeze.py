"""What an environment does between its invocations: nothing, by whatever means its runtime goes on by itself (trial 55)."""

import time
from pathlib import Path

from support.polling import until
from support.processes import sandboxed

PAUSE_S = 2


def on_processor(pid):
    """In ticks of 10 ms."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))


def packets_sent(pid):
    """By everybody in the network of this process."""
    [loopback] = [line.split() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines() if line.split()[0] == "lo:"]
    return int(loopback[10])


def doings(server, user):
    """What an environment's processes are and have done by now, as the host counts it: (processes, processor time, packets)."""
    pids = sorted(pid for pid, owner in sandboxed(server).items() if owner == user)
    return pids, sum(map(on_processor, pids)), packets_sent(pids[0])


def standing_still(server, users):
    before = [doings(server, user) for user in users]
    time.sleep(PAUSE_S)
    return before if [doings(server, user) for user in users] == before else None


def go_on(hostile):
    """The runtime's own thread, in Node.js its timer, sends a packet each millisecond from now on, and a child burns a processor."""
    assert hostile.one("tick")["ok"] >= 100
    assert hostile.one("run", "/var/task/probe", "leave-spinning")["ok"]["status"] == 0
    return hostile.one("identity")["ok"]["uid"]


def test_nothing_goes_on_between_invocations_and_all_of_it_in_the_next(make_hostile_in_each_language, server):
    hostiles = make_hostile_in_each_language(MemorySize=1769, Timeout=60)
    users = [go_on(hostile) for hostile in hostiles]
    asleep = until(lambda: standing_still(server, users), 20, "environments that stand still")
    for hostile, user, (processes, processor, packets) in zip(hostiles, users, asleep):
        assert len(processes) >= 2 and packets >= 100, hostile.runtime
        ticked = hostile.one("ticks")["ok"]

        def goes_on():
            more = hostile.one("ticks")["ok"] > ticked
            now = doings(server, user)
            assert now[0] == processes, hostile.runtime
            return more and now[1] > processor and now[2] > packets

        until(goes_on, 20, f"all of {hostile.runtime} to go on")
