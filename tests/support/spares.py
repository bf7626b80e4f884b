"""What a server says of its sandboxes that wait for a function, and answers that came out of one."""

import re
import urllib.request

from support.functions import Deployer, ensure_role
from support.polling import until


class Spares:
    """A server of one file's own, because what waits is the whole server's."""

    def __init__(self, server):
        self.server = server
        self.functions = Deployer(server, ensure_role(server))

    def metric(self, name):
        text = urllib.request.urlopen(self.server.endpoint + "/_lambent/metrics", timeout=5).read().decode()
        found = re.search("^" + re.escape(name) + r" (\S+)$", text, re.MULTILINE)
        return float(found.group(1)) if found else 0

    def count(self, event):
        return self.metric('lambent_spares_total{event="%s"}' % event)

    def wait(self, least=1):
        until(lambda: self.metric("lambent_spares_waiting") >= least, 15, f"{least} spares to wait")

    def invoke_from_spare(self, runtime, source, event=None, **settings):
        """The first answer of a new function, which came out of a spare."""

        def first_answer():
            before = self.count("taken"), self.count("failed")
            answer = self.functions.invoke(self.functions.create(runtime, source, **settings), event, LogType="Tail")
            if (self.count("taken"), self.count("failed")) == (before[0] + 1, before[1]):
                return answer
            # The first of its runtime finds none, and what waits may be another's still: then the next will not be too early.
            self.wait()
            return None

        return until(first_answer, 30, f"a spare of {runtime}")
