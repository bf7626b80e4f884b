"""docs/COVERAGE.md is what the operation tables of this build say, and what they say is true."""

import re
import urllib.request

from botocore import xform_name
from support.exercised import exercises, words_of
from support.server import ROOT

# What no SDK can call, and the test that sends it as bytes; what can only be refused, and what would have to come first.
HELD_BY = {"PublishLayer": "test_layers.py::test_the_older_form_with_the_name_in_the_body"}
ONLY_REFUSED = {"DeleteLoginProfile": "CreateLoginProfile"}


def page_of(server):
    with urllib.request.urlopen(server.endpoint + "/_lambent/coverage", timeout=10) as answer:
        return answer.read().decode()


def working(server):
    return re.findall(r"^\| (\w+) \| works \|$", page_of(server), re.M)


def test_the_coverage_page_is_this_builds(server):
    committed = (ROOT / "docs/COVERAGE.md").read_text()
    assert committed == page_of(server), "write it anew: curl -s ENDPOINT/_lambent/coverage > docs/COVERAGE.md"


def modules():
    """The tests' own modules but for those that are about refusals alone, and this one, which names operations itself."""
    for path in (ROOT / "tests").rglob("*.py"):
        apart = {"node_modules", "refusals"} & set(path.parts)
        if not apart and not path.name.startswith(("test_refusals", "test_coverage")):
            yield path


def test_what_works_is_exercised(server):
    """Every operation that the page calls working is called by name somewhere in the tests, and not only to be refused."""
    words = set().union(*(words_of(path.read_text()) for path in modules()))
    never = {operation for operation in working(server) if not exercises(words, operation, xform_name(operation))}
    assert never == set(HELD_BY) | set(ONLY_REFUSED), "operations that no test calls, or that one calls now"


def test_what_is_held_elsewhere_is_held():
    for held in HELD_BY.values():
        file, test = held.split("::")
        assert f"def {test}(" in (ROOT / "tests/blackbox" / file).read_text(), held


def test_what_is_only_refused_has_nothing_to_work_on(server):
    """DeleteLoginProfile answers NoSuchEntity, as it does for every user without a password; none has one while nothing makes it."""
    offered = working(server)
    for operation, maker in ONLY_REFUSED.items():
        assert operation in offered and maker not in offered


def test_a_call_that_is_only_refused_is_no_exercise():
    source = '''
def refused(call, **arguments):
    """Asks for delete_user."""
    with pytest.raises(ClientError):
        call(**arguments)

def test(iam):
    refused(iam.create_user, UserName=iam.get_user()["User"])
    assert refusal(iam.update_user)[0] == "NoSuchEntity"
    with pytest.raises(ClientError):
        iam.tag_user(UserName="a")
    policy = {"Action": "iam:UntagUser"}
    cli("iam list-users --max-items 1")
    iam.get_paginator("list_roles")
    until(iam.list_groups, 5)
'''
    words = words_of(source)
    exercised = {name for name in ("create_user", "delete_user", "get_user", "update_user", "tag_user", "untag_user", "list_users",
                                   "list_roles", "list_groups")
                 if exercises(words, "".join(part.title() for part in name.split("_")), name)}
    assert exercised == {"get_user", "list_users", "list_roles", "list_groups"}
