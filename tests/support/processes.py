"""The host's view of what runs in the sandboxes of one server."""

import subprocess

FIRST_SANDBOX_USER = 2_000_000_000


def sandboxed(server):
    """{process id: user id} of what descends from the server and is a sandbox's user's; other servers may run beside it."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,uid="], capture_output=True, text=True, check=True).stdout
    rows = {pid: (parent, user) for pid, parent, user in (map(int, line.split()) for line in listed.splitlines())}
    own = {server.process.pid}

    def descends(pid):
        line = []
        while pid in rows and pid not in own:
            line.append(pid)
            pid = rows[pid][0]
        if pid in own:
            own.update(line)
        return pid in own

    return {pid: user for pid, (_, user) in rows.items() if user >= FIRST_SANDBOX_USER and descends(pid)}
