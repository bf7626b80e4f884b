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


def standing_still(server, user):
    before = doings(server, user)
    time.sleep(PAUSE_S)
    return before if doings(server, user) == before else None


def test_nothing_goes_on_between_invocations_and_all_of_it_in_the_next(make_hostile, server):
    """The runtime's own thread, in Node.js its timer, sends a packet each millisecond, and a child burns a processor."""
    hostile = make_hostile(MemorySize=1769, Timeout=60)
    assert hostile.one("tick")["ok"] >= 100
    assert hostile.one("run", "/var/task/probe", "leave-spinning")["ok"]["status"] == 0
    user = hostile.one("identity")["ok"]["uid"]
    processes, processor, packets = until(lambda: standing_still(server, user), 20, "an environment that stands still")
    assert len(processes) >= 2 and packets >= 100
    ticked = hostile.one("ticks")["ok"]

    def goes_on():
        more = hostile.one("ticks")["ok"] > ticked
        now = doings(server, user)
        assert now[0] == processes
        return more and now[1] > processor and now[2] > packets

    until(goes_on, 20, "all of it to go on")
