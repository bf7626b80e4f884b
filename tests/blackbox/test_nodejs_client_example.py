"""examples/nodejs-client: the API without an SDK, by a signer written by hand; and the mistake that such signers make."""

import json
import subprocess

import pytest

from support.functions import unique
from support.refusal import arn
from support.server import ROOT

EXAMPLE = ROOT / "examples/nodejs-client"


def node(server, *arguments, **environment):
    return subprocess.run(["/usr/bin/node", *arguments], env={**server.shell_environment(), **environment}, cwd=EXAMPLE,
                          capture_output=True, text=True, timeout=120)


def test_a_functions_life_without_an_sdk(server, awslambda):
    name = unique("by-hand")
    done = node(server, "index.js", FUNCTION_NAME=name)
    assert done.returncode == 0, done.stdout + done.stderr
    said = {what: json.loads(value) for what, value in (line.split(": ", 1) for line in done.stdout.splitlines())}
    order = {"orderId": "ORD-12345"}
    assert said == {
        "created": arn(name), "listed": True, "invoked": {**order, "version": "one", "stage": "test"}, "its log tells": True,
        "for later": 202, "as a rehearsal": 204, "first version": "1", "second version": "2",
        "prod is": {**order, "version": "one", "stage": "live"}, "a canary": {"2": 0.1},
        "prod became": {**order, "version": "two", "stage": "live"}, "mapped": "Disabled", "with the layer": 120,
        "layer published as older clients do": 2, "gone": "ResourceNotFoundException"}
    assert awslambda.list_layer_versions(LayerName=f"{name}-shared")["LayerVersions"] == []


# Signs one path and sends another, as lambdaRequest() of the article does, whose base URL has the date.
ARTICLE = """
const { Signer } = require('./signer.js');
const { AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
const signer = new Signer({ accessKeyId, secretAccessKey }, AWS_REGION);
const [signedPath] = process.argv.slice(1);
const headers = signer.sign('GET', new URL(signedPath, AWS_ENDPOINT_URL));
fetch(new URL('/2015-03-31/functions', AWS_ENDPOINT_URL), { headers }).then(async (answer) => {
  console.log(JSON.stringify([answer.status, answer.headers.get('x-amzn-errortype'), Object.keys(await answer.json())]));
});
"""


@pytest.mark.parametrize("signed, status, code", [
    ("/functions", 403, "InvalidSignatureException"), ("/2015-03-31/functions", 200, None)])
def test_a_path_signed_without_the_apis_date_is_refused(server, signed, status, code):
    done = node(server, "-e", ARTICLE, signed)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[:2] == [status, code]
