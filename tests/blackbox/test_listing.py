"""Lists page by page while what they list comes and goes: what is there all the time is listed exactly once."""

import shutil
import tempfile
from pathlib import Path

import pytest
from botocore import xform_name

from support.functions import ENTRY, PYTHON, Deployer, ensure_role, source_zip, unique
from support.polling import until
from support.refusal import refusal
from support.server import ACCOUNT, REGION, Server
from support.signers import Signer

SOURCE = "def handler(event, context):\n    return None\n"
CODE = source_zip(PYTHON, SOURCE)


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


def publish(client, function, description):
    """The number of a new version: one that differs from the last, or there would be none."""
    client.update_function_configuration(FunctionName=function, Description=description)
    until(lambda: client.get_function_configuration(FunctionName=function)["LastUpdateStatus"] == "Successful", 30, "the update")
    return client.publish_version(FunctionName=function)["Version"]


class Listing:
    """What one List operation lists: how to make entries, by keys in their order here, and to remove one by its name there."""

    items = None
    arguments = {}
    size = 2
    keys = ("b", "c", "d", "e", "f")

    def __init__(self, deployer):
        self.deployer, self.client = deployer, deployer.client
        self.begin()

    def begin(self):
        """Makes what the entries belong to: a function."""
        self.function = self.deployer.create(PYTHON, SOURCE, stem="listing")
        self.arguments = {"FunctionName": self.function}

    def page(self, marker=None):
        """(names, marker of the next page or None)"""
        answer = self.call()(MaxItems=self.size, **self.arguments, **({"Marker": marker} if marker else {}))
        assert len(answer[self.items]) <= self.size
        return [name for name in map(self.name_of, answer[self.items]) if self.is_own(name)], answer.get("NextMarker")

    def call(self):
        return getattr(self.client, xform_name(type(self).__name__))

    def is_own(self, name):
        """For lists of the whole account, in which other tests have entries too."""
        return True

    def already(self):
        """What there is from the beginning."""
        return []

    def more(self, removed):
        """(names of new entries ahead of `removed`, names of others)"""
        return [self.make("a")], []


class ListOfQualified(Listing):
    """Of configurations that aliases have."""

    def begin(self):
        super().begin()
        for key in ("a", *self.keys):
            self.client.create_alias(FunctionName=self.function, Name=key, FunctionVersion="$LATEST")

    def name_of(self, item):
        return item["FunctionArn"].rsplit(":", 1)[1]


class ListAliases(Listing):
    items = "Aliases"

    def name_of(self, item):
        return item["Name"]

    def make(self, key):
        return self.client.create_alias(FunctionName=self.function, Name=key, FunctionVersion="$LATEST")["Name"]

    def remove(self, name):
        self.client.delete_alias(FunctionName=self.function, Name=name)


class ListVersionsByFunction(Listing):
    items = "Versions"
    size = 3
    # Past nine, where the order of numbers is no longer that of texts.
    keys = tuple(range(11))

    def already(self):
        return ["$LATEST"]

    def name_of(self, item):
        return item["Version"]

    def make(self, key):
        return publish(self.client, self.function, str(key))

    def remove(self, name):
        self.client.delete_function(FunctionName=self.function, Qualifier=name)

    def more(self, removed):
        """Numbers only grow."""
        return [], [self.make("a")]


class ListLayers(Listing):
    items = "Layers"

    def begin(self):
        self.stem = unique("listed-layer")

    def is_own(self, name):
        return name.startswith(self.stem + "-")

    def name_of(self, item):
        return item["LayerName"]

    def make(self, key):
        name = f"{self.stem}-{key}"
        self.client.publish_layer_version(LayerName=name, Content={"ZipFile": CODE})
        return name

    def remove(self, name):
        self.client.delete_layer_version(LayerName=name, VersionNumber=1)


class ListLayerVersions(Listing):
    """Newest first: a new version is ahead of all others."""

    items = "LayerVersions"

    def begin(self):
        self.arguments = {"LayerName": unique("listed-versions")}

    def name_of(self, item):
        return item["Version"]

    def make(self, key):
        return self.client.publish_layer_version(**self.arguments, Content={"ZipFile": CODE})["Version"]

    def remove(self, name):
        self.client.delete_layer_version(**self.arguments, VersionNumber=name)


class RandomlyNamed(Listing):
    """Of entries that the server gives names to: with two thirds on the first page, new ones soon fall ahead of its last."""

    size = 8
    keys = tuple("bcdefghijklm")

    def more(self, removed):
        made = []
        for number in range(100):
            made.append(self.make(f"a{number}"))
            if made[-1] < removed:
                return made[-1:], made[:-1]
        raise AssertionError(f"none of a hundred random names is before {removed}")


class ListEventSourceMappings(RandomlyNamed):
    items = "EventSourceMappings"

    def name_of(self, item):
        return item["UUID"]

    def make(self, key):
        return self.client.create_event_source_mapping(
            FunctionName=self.function, EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:listed-{key}", Enabled=False)["UUID"]

    def remove(self, name):
        self.client.delete_event_source_mapping(UUID=name)


class ListFunctionUrlConfigs(ListOfQualified):
    items = "FunctionUrlConfigs"

    def make(self, key):
        self.client.create_function_url_config(FunctionName=self.function, Qualifier=key, AuthType="AWS_IAM")
        return key

    def remove(self, name):
        self.client.delete_function_url_config(FunctionName=self.function, Qualifier=name)


class ListFunctionEventInvokeConfigs(ListOfQualified):
    items = "FunctionEventInvokeConfigs"

    def make(self, key):
        self.client.put_function_event_invoke_config(FunctionName=self.function, Qualifier=key, MaximumRetryAttempts=1)
        return key

    def remove(self, name):
        self.client.delete_function_event_invoke_config(FunctionName=self.function, Qualifier=name)


class ListProvisionedConcurrencyConfigs(ListOfQualified):
    """Each entry starts an environment, so there are few."""

    items = "ProvisionedConcurrencyConfigs"
    size = 1
    keys = ("b", "c", "d")

    def begin(self):
        """AWS provisions a version for one alias alone."""
        Listing.begin(self)
        for key in ("a", *self.keys):
            version = publish(self.client, self.function, key)
            self.client.create_alias(FunctionName=self.function, Name=key, FunctionVersion=version)

    def make(self, key):
        self.client.put_provisioned_concurrency_config(
            FunctionName=self.function, Qualifier=key, ProvisionedConcurrentExecutions=1)
        return key

    def remove(self, name):
        self.client.delete_provisioned_concurrency_config(FunctionName=self.function, Qualifier=name)


class ListCodeSigningConfigs(RandomlyNamed):
    items = "CodeSigningConfigs"

    def begin(self):
        self.made = set()

    def is_own(self, name):
        return name in self.made

    def name_of(self, item):
        return item["CodeSigningConfigArn"]

    def make(self, key):
        made = self.client.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [self.deployer.publisher]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"})["CodeSigningConfig"]["CodeSigningConfigArn"]
        self.made.add(made)
        return made

    def remove(self, name):
        self.client.delete_code_signing_config(CodeSigningConfigArn=name)


class ListFunctionsByCodeSigningConfig(Listing):
    items = "FunctionArns"

    def begin(self):
        self.stem = unique("signed")
        self.arguments = {"CodeSigningConfigArn": ListCodeSigningConfigs(self.deployer).make(None)}

    def name_of(self, item):
        return item

    def make(self, key):
        return self.client.create_function(
            FunctionName=f"{self.stem}-{key}", Runtime=PYTHON, Role=self.deployer.role_arn, Handler=ENTRY[PYTHON][1],
            Code={"ZipFile": CODE}, **self.arguments)["FunctionArn"]

    def remove(self, name):
        self.client.delete_function_code_signing_config(FunctionName=name)


SIGNED = (ListCodeSigningConfigs, ListFunctionsByCodeSigningConfig)
LISTINGS = (ListAliases, ListVersionsByFunction, ListLayers, ListLayerVersions, ListEventSourceMappings, ListFunctionUrlConfigs,
            ListFunctionEventInvokeConfigs, ListProvisionedConcurrencyConfigs, *SIGNED)


@pytest.fixture(scope="module")
def signing():
    """Deploys on a server of its own, which knows whose signatures count."""
    # Beneath /tmp itself: the server reads certificates as a user of its own.
    directory = Path(tempfile.mkdtemp(prefix="lambent-signers-", dir="/tmp"))
    directory.chmod(0o755)
    signer = Signer(directory, "lister")
    server = Server(signer.argument)
    try:
        server.start()
        deployer = Deployer(server, ensure_role(server))
        deployer.publisher = signer.arn
        yield deployer
    finally:
        server.discard()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.parametrize("kind", LISTINGS, ids=lambda kind: kind.__name__)
def test_what_is_there_all_the_time_is_listed_exactly_once(kind, request):
    listing = kind(request.getfixturevalue("signing" if kind in SIGNED else "functions"))
    there = [*listing.already(), *map(listing.make, listing.keys)]
    told, marker = listing.page()
    while marker and not told:
        told, marker = listing.page(marker)
    assert told and marker, "all of it on one page"
    # The one that was listed last goes, which the marker is likely to name, and another appears ahead of it.
    removed = told[-1]
    listing.remove(removed)
    ahead, others = listing.more(removed)
    while marker:
        names, marker = listing.page(marker)
        told += names
    assert len(set(told)) == len(told), told
    assert set(there) <= set(told) <= {*there, *others} and not set(ahead) & set(told)
    anew, marker = listing.page()
    while marker:
        names, marker = listing.page(marker)
        anew += names
    assert sorted(anew) == sorted({*there, *others, *ahead} - {removed})
    # AWS's own words for a marker that it did not give are not known.
    assert refusal(listing.call(), Marker="made-up", **listing.arguments) == (
        "InvalidParameterValueException", 400, f"The provided Marker is not one that {kind.__name__} gave.")
