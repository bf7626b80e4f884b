"""Layers: published, listed, mounted beneath /opt, kept for those who use them."""

import base64
import hashlib
import json
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.functions import PYTHON, make_zip, unique
from support.refusal import refusal
from support.server import ACCOUNT, REGION

SHOWS = """
import os
def handler(event, context):
    found = {}
    for directory, _, files in os.walk('/opt'):
        for name in files:
            path = os.path.join(directory, name)
            found[path] = open(path).read()
    import greeting
    return {'files': found, 'greeting': greeting.WORD}
"""


def layer_arn(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}"


@pytest.fixture
def layers(awslambda):
    """publish(name, files, **settings); what was published is deleted afterwards."""
    made = []

    def publish(name, files, **settings):
        answer = awslambda.publish_layer_version(LayerName=name, Content={"ZipFile": make_zip(files)}, **settings)
        made.append((name, answer["Version"]))
        return answer

    yield publish
    for name, version in made:
        awslambda.delete_layer_version(LayerName=name, VersionNumber=version)


def test_functions_see_their_layers_merged_in_order(functions, awslambda, layers):
    under, over = unique("under"), unique("over")
    layers(under, {"python/greeting.py": "WORD = 'under'\n", "only_under": "u", "both": "u"})
    layers(over, {"python/greeting.py": "WORD = 'over'\n", "both": "o"})
    name = functions.create(PYTHON, SHOWS, Layers=[f"{layer_arn(under)}:1", f"{layer_arn(over)}:1"])
    seen = functions.invoke(name).expect()
    assert seen["greeting"] == "over"
    assert (seen["files"]["/opt/both"], seen["files"]["/opt/only_under"]) == ("o", "u")
    configuration = awslambda.get_function_configuration(FunctionName=name)
    assert [layer["Arn"] for layer in configuration["Layers"]] == [f"{layer_arn(under)}:1", f"{layer_arn(over)}:1"]
    awslambda.update_function_configuration(
        FunctionName=name, Layers=[f"{layer_arn(over)}:1", f"{layer_arn(under)}:1"])
    functions.await_update(name)
    assert functions.invoke(name).expect()["greeting"] == "under"


def test_five_layers_are_merged_and_the_last_wins(functions, awslambda, layers):
    names = [unique(f"layer{number}") for number in range(1, 6)]
    for number, layer in enumerate(names, 1):
        layers(layer, {"python/greeting.py": f"WORD = 'layer {number}'\n", "both": f"{number}", f"own/{number}": f"{number}"})
    arns = [f"{layer_arn(layer)}:1" for layer in names]
    name = functions.create(PYTHON, SHOWS, Layers=arns)
    own = {f"/opt/own/{number}": f"{number}" for number in range(1, 6)}

    def seen():
        answer = functions.invoke(name).expect()
        files = {path: text for path, text in answer["files"].items() if not path.startswith("/opt/python/")}
        return answer["greeting"], files

    assert seen() == ("layer 5", {**own, "/opt/both": "5"})
    awslambda.update_function_configuration(FunctionName=name, Layers=arns[::-1])
    functions.await_update(name)
    assert seen() == ("layer 1", {**own, "/opt/both": "1"})


def test_a_deleted_layer_serves_the_functions_that_use_it(functions, awslambda, layers):
    layer = unique("kept")
    layers(layer, {"python/greeting.py": "WORD = 'kept'\n"})
    name = functions.create(PYTHON, SHOWS, Layers=[f"{layer_arn(layer)}:1"])
    awslambda.delete_layer_version(LayerName=layer, VersionNumber=1)
    assert functions.invoke(name).expect()["greeting"] == "kept"
    assert refusal(awslambda.update_function_configuration, FunctionName=name, Layers=[f"{layer_arn(layer)}:1"]) == (
        "InvalidParameterValueException", 400, f"Layer version {layer_arn(layer)}:1 does not exist.")


def test_a_version_is_answered_and_read_alike(awslambda, layers):
    name = unique("deps")
    files = {"python/a.py": "A = 1\n"}
    made = layers(name, files, Description="d", CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"],
                  LicenseInfo="MIT")
    package = make_zip(files)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["LayerVersionArn"] == f"{layer_arn(name)}:1"
    assert made["Content"]["CodeSize"] == len(package)
    assert made["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(package).digest()).decode()
    with urllib.request.urlopen(made["Content"]["Location"], timeout=10) as answer:
        assert answer.read() == package
    for got in (awslambda.get_layer_version(LayerName=name, VersionNumber=1),
                awslambda.get_layer_version_by_arn(Arn=f"{layer_arn(name)}:1")):
        for answer in (made, got):
            answer.pop("ResponseMetadata", None)
            answer["Content"].pop("Location", None)
        assert got == made
    layers(name, files)
    assert [v["Version"] for v in awslambda.list_layer_versions(LayerName=name)["LayerVersions"]] == [2, 1]
    assert [v["Version"] for v in awslambda.list_layer_versions(
        LayerName=name, CompatibleRuntime="python3.13")["LayerVersions"]] == [1]
    newest = {layer["LayerName"]: layer["LatestMatchingVersion"]["Version"] for layer in awslambda.list_layers()["Layers"]}
    assert newest[name] == 2


def test_refusals(functions, awslambda, layers):
    name = unique("refused")
    layers(name, {"a": "1"})
    layers(name, {"a": "2"})
    assert refusal(awslambda.get_layer_version, LayerName=name, VersionNumber=9) == (
        "ResourceNotFoundException", 404, "The resource you requested does not exist.")
    assert refusal(awslambda.get_layer_version, LayerName=name, VersionNumber=0) == (
        "InvalidParameterValueException", 400, "Layer Version Cannot be less than 1")
    function = functions.create(PYTHON, SHOWS)
    assert refusal(awslambda.update_function_configuration, FunctionName=function,
                   Layers=[f"{layer_arn(name)}:1", f"{layer_arn(name)}:2"])[2].startswith(
        "Two different versions of the same layer are not allowed to be referenced in the same function.")
    assert refusal(awslambda.update_function_configuration, FunctionName=function,
                   Layers=[f"{layer_arn(name)}:{n}" for n in range(1, 7)]) == (
        "InvalidParameterValueException", 400, "Cannot reference more than 5 layers.")
    other = f"arn:aws:lambda:{REGION}:210987654321:layer:theirs:1"
    code, status, message = refusal(awslambda.update_function_configuration, FunctionName=function, Layers=[other])
    assert (code, status) == ("AccessDeniedException", 403)
    assert f"lambda:GetLayerVersion on resource: {other} because no resource-based policy" in message


def test_policies_of_a_layer(awslambda, layers):
    name = unique("shared")
    layers(name, {"a": "1"})
    assert refusal(awslambda.get_layer_version_policy, LayerName=name, VersionNumber=1) == (
        "ResourceNotFoundException", 404, "No policy is associated with the given resource.")
    added = awslambda.add_layer_version_permission(
        LayerName=name, VersionNumber=1, StatementId="them", Action="lambda:GetLayerVersion", Principal="210987654321")
    assert '"Principal":{"AWS":"arn:aws:iam::210987654321:root"}' in added["Statement"]
    policy = awslambda.get_layer_version_policy(LayerName=name, VersionNumber=1)
    assert policy["RevisionId"] == added["RevisionId"]
    assert refusal(awslambda.remove_layer_version_permission, LayerName=name, VersionNumber=1, StatementId="them",
                   RevisionId="c2a01b1e-0000-4000-8000-000000000000")[:2] == ("PreconditionFailedException", 412)
    awslambda.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="them")


def test_the_older_form_with_the_name_in_the_body(server, awslambda):
    """PublishLayer: POST /<any date>/layers, as articles and older clients write it."""
    name = unique("older")
    body = json.dumps({"LayerName": name, "Content": {"ZipFile": base64.b64encode(make_zip({"a": "1"})).decode()}}).encode()
    for date, version in (("2018-10-31", 1), ("2015-03-31", 2)):
        asked = AWSRequest("POST", f"{server.endpoint}/{date}/layers", data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(Credentials(*server.root_key), "lambda", REGION).add_auth(asked)
        sent = urllib.request.Request(asked.url, data=body, method="POST", headers=dict(asked.headers))
        with urllib.request.urlopen(sent, timeout=10) as answer:
            assert answer.status == 201
            assert json.load(answer)["LayerVersionArn"] == f"{layer_arn(name)}:{version}"
    assert awslambda.get_layer_version(LayerName=name, VersionNumber=2)["Version"] == 2
    for version in (1, 2):
        awslambda.delete_layer_version(LayerName=name, VersionNumber=version)
