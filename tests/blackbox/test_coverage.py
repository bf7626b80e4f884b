"""docs/COVERAGE.md is what the operation tables of this build say, and what they say is true."""

import re
import urllib.request

from botocore import xform_name
from support.server import ROOT


def page_of(server):
    with urllib.request.urlopen(server.endpoint + "/_lambent/coverage", timeout=10) as answer:
        return answer.read().decode()


def test_the_coverage_page_is_this_builds(server):
    committed = (ROOT / "docs/COVERAGE.md").read_text()
    assert committed == page_of(server), "write it anew: curl -s ENDPOINT/_lambent/coverage > docs/COVERAGE.md"


def test_what_works_is_exercised(server):
    """Every operation that the page calls working is called by name somewhere in the black-box tests."""
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for operation in re.findall(r"^\| (\w+) \| works \|$", page_of(server), re.M):
        snake = xform_name(operation)
        called = re.search(rf"\b(?:{snake}|{snake.replace('_', '-')}|{operation})\b", tests)
        assert called, f"no test calls {operation}"
