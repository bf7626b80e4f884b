"""What /_lambent/metrics shows, read as strictly as Prometheus's text format (0.0.4) is written."""

import re
import urllib.request

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SERIES = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
HEAD = re.compile(rf"# HELP ({NAME}) [^\n]+\n# TYPE \1 (gauge|counter|histogram)\n")
ESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Metrics:
    """What one scrape said."""

    def __init__(self, text):
        assert text.endswith("\n")
        self.series = {}
        self.families = [self._read(family) for family in re.split(r"^(?=# HELP )", text, flags=re.M)[1:]]
        assert len(self.families) == len(set(self.families)), "each family comes once"

    def _read(self, family):
        head = HEAD.match(family)
        assert head, family
        name, kind = head.groups()
        own = {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
        for line in family[head.end():].splitlines():
            series = SERIES.fullmatch(line)
            assert series and series[1] in own, line
            labels = re.findall(LABEL, series[2] or "")
            unescaped = {key: re.sub(r"\\.", lambda found: ESCAPED[found[0]], value) for key, value in labels}
            assert len(labels) == len(unescaped), line
            key = series[1], frozenset(unescaped.items())
            assert key not in self.series, line
            self.series[key] = float(series[series.lastindex])
        return name

    def value(self, name, **labels):
        """The number of one series; None when there is none."""
        return self.series.get((name, frozenset(labels.items())))

    def by(self, label, name):
        """{value of the label: number} of a family's series."""
        return {dict(labels)[label]: number for (family, labels), number in self.series.items() if family == name}


def scrape(server):
    with urllib.request.urlopen(server.endpoint + "/_lambent/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
        return Metrics(answer.read().decode())
