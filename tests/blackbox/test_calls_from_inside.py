"""A function calls the API: through AWS_ENDPOINT_URL, with its role's short-lived credentials, and with nothing more."""

import json

import pytest

from support.functions import NODEJS, PYTHON, TRUST_LAMBDA, Deployer, ensure_role, make_zip, trimmed_boto3, unique
from support.server import ACCOUNT, REGION

# Signature Version 4 with the standard library alone.
SIGNING_PYTHON = '''
import datetime, hashlib, hmac, json, os, urllib.error, urllib.request

def call(method, path, service, body=b"", headers=None, secret=None):
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    region = os.environ["AWS_REGION"]
    host = endpoint.split("//")[1]
    stamp = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    sent = {"host": host, "x-amz-date": stamp, "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"], **(headers or {})}
    names = ";".join(sorted(sent))
    lines = [method, path, ""] + [f"{name}:{sent[name]}" for name in sorted(sent)] + ["", names, hashlib.sha256(body).hexdigest()]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256("\\n".join(lines).encode()).hexdigest()])
    key = ("AWS4" + (secret or os.environ["AWS_SECRET_ACCESS_KEY"])).encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    sent["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                             f"SignedHeaders={names}, Signature={signature}")
    del sent["host"]
    request = urllib.request.Request(endpoint + path, data=body or None, headers=sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()

def handler(event, context):
    if event["call"] == "whoami":
        return call("POST", "/", "sts", b"Action=GetCallerIdentity&Version=2011-06-15",
                    {"content-type": "application/x-www-form-urlencoded"})
    if event["call"] == "list":
        return call("GET", "/2015-03-31/functions/", "lambda")
    if event["call"] == "invoke":
        return call("POST", f"/2015-03-31/functions/{event['name']}/invocations", "lambda", json.dumps(event["event"]).encode())
    if event["call"] == "wrong secret":
        return call("GET", "/2015-03-31/functions/", "lambda", secret="x" * 40)
    if event["call"] == "unsigned":
        try:
            urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/2015-03-31/functions/", timeout=10)
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
'''
SIGNING_NODEJS = '''
import crypto from "node:crypto";
const hash = (text) => crypto.createHash("sha256").update(text).digest("hex");
const mac = (key, text) => crypto.createHmac("sha256", key).update(text).digest();
const call = async (method, path, service, body = "", headers = {}) => {
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region, AWS_ACCESS_KEY_ID: id } = process.env;
  const stamp = new Date().toISOString().replace(/[-:]|\\.\\d{3}/g, "");
  const sent = { host: new URL(endpoint).host, "x-amz-date": stamp, "x-amz-security-token": process.env.AWS_SESSION_TOKEN, ...headers };
  const names = Object.keys(sent).sort();
  const canonical = [method, path, "", ...names.map((name) => `${name}:${sent[name]}`), "", names.join(";"), hash(body)].join("\\n");
  const scope = [stamp.slice(0, 8), region, service, "aws4_request"];
  const text = ["AWS4-HMAC-SHA256", stamp, scope.join("/"), hash(canonical)].join("\\n");
  const key = scope.reduce(mac, "AWS4" + process.env.AWS_SECRET_ACCESS_KEY);
  const signature = crypto.createHmac("sha256", key).update(text).digest("hex");
  delete sent.host;
  sent.authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope.join("/")}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const answer = await fetch(endpoint + path, { method, headers: sent, body: body || undefined });
  return [answer.status, await answer.text()];
};
export const handler = async (event) => {
  switch (event.call) {
    case "whoami": return call("POST", "/", "sts", "Action=GetCallerIdentity&Version=2011-06-15",
      { "content-type": "application/x-www-form-urlencoded" });
    case "list": return call("GET", "/2015-03-31/functions/", "lambda");
    case "invoke": return call("POST", `/2015-03-31/functions/${event.name}/invocations`, "lambda", JSON.stringify(event.event));
  }
};
'''
SIGNING = {PYTHON: SIGNING_PYTHON, NODEJS: SIGNING_NODEJS}


@pytest.fixture
def caller(iam, functions, runtime):
    """A function whose role may list and invoke, and the name of its role."""
    role = iam.create_role(RoleName=unique("caller"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    iam.put_role_policy(RoleName=role["RoleName"], PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["lambda:ListFunctions", "lambda:InvokeFunction"], "Resource": "*"}]}))
    return functions.create(runtime, SIGNING[runtime], stem="caller", Role=role["Arn"]), role["RoleName"]


def test_a_function_is_its_role(functions, caller):
    name, role = caller
    status, said = functions.invoke(name, {"call": "whoami"}).expect()
    assert status == 200
    assert f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}</Arn>" in said


def test_a_function_may_what_its_role_may(functions, caller, iam):
    name, role = caller
    status, said = functions.invoke(name, {"call": "list"}).expect()
    assert status == 200 and name in [each["FunctionName"] for each in json.loads(said)["Functions"]]
    other = functions.create(PYTHON, "def handler(event, context):\n    return {'called with': event}\n")
    assert functions.invoke(name, {"call": "invoke", "name": other, "event": {"a": 1}}).expect() == [
        200, '{"called with": {"a": 1}}']
    iam.delete_role_policy(RoleName=role, PolicyName="p")
    status, said = functions.invoke(name, {"call": "list"}).expect()
    assert status == 403 and "is not authorized to perform: lambda:ListFunctions" in said


def test_a_role_without_policy_may_nothing(functions, runtime):
    name = functions.create(runtime, SIGNING[runtime])
    assert functions.invoke(name, {"call": "list"}).expect()[0] == 403


def test_the_inner_door_checks_signatures_too(functions):
    name = functions.create(PYTHON, SIGNING_PYTHON)
    status, said = functions.invoke(name, {"call": "wrong secret"}).expect()
    assert status == 403 and "does not match the signature" in said
    assert functions.invoke(name, {"call": "unsigned"}).expect()[0] == 403


def test_the_inner_door_checks_even_when_the_outer_one_does_not(new_server):
    server = new_server("--auth=off")
    functions = Deployer(server, ensure_role(server))
    name = functions.create(PYTHON, SIGNING_PYTHON)
    assert functions.invoke(name, {"call": "wrong secret"}).expect()[0] == 403
    assert functions.invoke(name, {"call": "unsigned"}).expect()[0] == 403
    assert functions.invoke(name, {"call": "list"}).expect()[0] == 403


def test_boto3_in_a_handler_works_as_on_aws(functions, iam):
    role = iam.create_role(RoleName=unique("boto3"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess")
    handler = """import boto3
awslambda = boto3.client("lambda")
def handler(event, context):
    me = awslambda.get_function_configuration(FunctionName=context.function_name)
    return [me["FunctionArn"], boto3.client("sts").get_caller_identity()["Arn"]]
"""
    name = functions.create(PYTHON, {"app.py": handler, **trimmed_boto3()}, Role=role["Arn"], MemorySize=512, Timeout=60)
    assert functions.invoke(name, {}).expect() == [
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/{name}"]


USES_THE_SDK = """
  const client = new LambdaClient({});
  const answer = await client.send(new InvokeCommand({ FunctionName: event.name, Payload: JSON.stringify(event.event) }));
  return { answer: JSON.parse(Buffer.from(answer.Payload).toString()) };
};
"""
IN_BOTH_STYLES = {
    "index.mjs": 'import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";\nexport const handler = async (event) => {' + USES_THE_SDK,
    "index.cjs": 'const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");\nexports.handler = async (event) => {' + USES_THE_SDK,
}


@pytest.mark.parametrize("file", IN_BOTH_STYLES)
def test_nodejs_functions_find_the_sdk_without_packing_it(functions, iam, file):
    role = iam.create_role(RoleName=unique("sdk"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/AWSLambda_FullAccess")
    other = functions.create(PYTHON, "def handler(event, context):\n    return {'called with': event}\n")
    name = functions.create(NODEJS, {file: IN_BOTH_STYLES[file]}, Role=role["Arn"], MemorySize=512)
    assert functions.invoke(name, {"name": other, "event": {"a": 1}}).expect()["answer"] == {"called with": {"a": 1}}


WHOSE = 'export const handler = async () => [(await import("@aws-sdk/client-lambda")).whose, (await import("of-the-layer")).default];'
WHOSE_REQUIRED = 'exports.handler = async () => [require("@aws-sdk/client-lambda").whose, require("of-the-layer")];'


@pytest.mark.parametrize("file, source", [("index.mjs", WHOSE), ("index.cjs", WHOSE_REQUIRED)])
def test_packages_of_the_function_and_of_its_layers_come_before_the_sdk(functions, file, source):
    sdk = "node_modules/@aws-sdk/client-lambda/index.js"
    packed = functions.client.publish_layer_version(LayerName=unique("packages"), Content={"ZipFile": make_zip({
        f"nodejs/{sdk}": 'exports.whose = "the layer";', "nodejs/node_modules/of-the-layer/index.js": 'module.exports = "found";'})})
    layers = [packed["LayerVersionArn"]]
    of_layer = functions.create(NODEJS, {file: source}, Layers=layers)
    assert functions.invoke(of_layer).expect() == ["the layer", "found"]
    own = functions.create(NODEJS, {file: source, sdk: 'exports.whose = "the function";'}, Layers=layers)
    assert functions.invoke(own).expect() == ["the function", "found"]


def test_require_follows_the_order_of_node_path(functions):
    """A layer for one version of Node.js comes before the one for all, and before the runtime's own."""
    major = NODEJS.removeprefix("nodejs").removesuffix(".x")
    packed = functions.client.publish_layer_version(LayerName=unique("packages"), Content={"ZipFile": make_zip({
        f"nodejs/{where}node_modules/p/index.js": f'module.exports = "{where}";' for where in ("", f"node{major}/")})})
    name = functions.create(NODEJS, {"index.cjs": 'exports.handler = async () => require("p");'}, Layers=[packed["LayerVersionArn"]])
    assert functions.invoke(name).expect() == f"node{major}/"
