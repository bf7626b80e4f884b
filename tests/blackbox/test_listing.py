"""ListFunctions page by page while functions come and go: what is there all the time is listed exactly once."""

import pytest

from support.functions import ENTRY, PYTHON, source_zip, unique

CODE = source_zip(PYTHON, "def handler(event, context):\n    return None\n")


@pytest.fixture
def make(awslambda, role_arn):
    """Makes functions whose names begin with the stem, and removes them."""
    made = []

    def make(name):
        awslambda.create_function(FunctionName=name, Runtime=PYTHON, Role=role_arn, Handler=ENTRY[PYTHON][1], Code={"ZipFile": CODE})
        made.append(name)

    yield make
    for name in made:
        try:
            awslambda.delete_function(FunctionName=name)
        except awslambda.exceptions.ResourceNotFoundException:
            pass


def test_pages_are_stable_under_change(awslambda, make):
    stem = unique("listed")
    for number in range(0, 60, 2):
        make(f"{stem}-{number:02}")
    seen, marker, pages = [], None, 0
    while True:
        page = awslambda.list_functions(MaxItems=7, **({"Marker": marker} if marker else {}))
        assert len(page["Functions"]) <= 7
        seen += [each["FunctionName"] for each in page["Functions"] if each["FunctionName"].startswith(stem)]
        marker = page.get("NextMarker")
        if not marker:
            break
        if seen:
            # One that was listed goes (first of all the one that the marker names), one appears before it, one far behind it.
            pages += 1
            awslambda.delete_function(FunctionName=seen[-1])
            if pages == 1:
                make(f"{stem}-0")
                make(f"{stem}-99")
    assert pages >= 3
    assert sorted(seen) == seen and len(set(seen)) == len(seen)
    assert set(seen) == {f"{stem}-{number:02}" for number in range(0, 60, 2)} | {f"{stem}-99"}


def test_every_function_is_listed_once_with_any_page_size(awslambda, make):
    stem = unique("sized")
    names = [f"{stem}-{number}" for number in range(9)]
    for name in names:
        make(name)
    for size in (1, 4, 50, 10_000):
        listed = [each["FunctionName"] for page in awslambda.get_paginator("list_functions").paginate(
            PaginationConfig={"PageSize": size}) for each in page["Functions"]]
        assert len(set(listed)) == len(listed)
        assert [name for name in listed if name.startswith(stem)] == names
