"""The same life of a function with @aws-sdk/client-lambda v3, and each way to end badly (tests/clients/nodejs)."""

import json
import subprocess

from blackbox.test_invoke import ENDINGS, FAILURES, assert_failure
from support.functions import ENTRY, NODEJS, PYTHON, source_zip, unique
from support.server import ACCOUNT, REGION, ROOT

SOURCES = {
    PYTHON: "def handler(event, context):\n    if event.get('throw'):\n        raise ValueError('no')\n    return ['%s', event['name']]\n",
    NODEJS: "export const handler = async (event) => {\n  if (event.throw) throw new RangeError('no');\n  return ['%s', event.name];\n};\n",
}


def run(server, script, *arguments):
    """What a script of tests/clients/nodejs printed, a JSON value; fails when the script does."""
    done = subprocess.run(["/usr/bin/node", script, *arguments], env=server.shell_environment(), cwd=ROOT / "tests/clients/nodejs",
                          capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_functions_whole_life(server, role_arn, runtime, tmp_path):
    name = unique("sdk")
    for version in ("one", "two"):
        (tmp_path / f"{version}.zip").write_bytes(source_zip(runtime, SOURCES[runtime] % version))
    seen = run(server, "story.mjs", role_arn, tmp_path, runtime, ENTRY[runtime][1], name)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    assert seen["created"] == "Pending" and seen["arn"] == arn
    assert seen["listed"].count(name) == 1
    for which, word in (("first", "one"), ("second", "two")):
        answer = seen[which]
        assert (answer["status"], answer["error"], answer["version"]) == (200, None, "$LATEST")
        assert answer["payload"] == [word, "sdk"]
        assert "REPORT RequestId: " in answer["log"]
    assert (seen["thrown"]["status"], seen["thrown"]["error"]) == (200, "Unhandled")
    assert seen["thrown"]["payload"]["errorType"] == ("ValueError" if runtime == PYTHON else "RangeError")
    assert seen["thrown"]["payload"]["errorMessage"] == "no"
    assert seen["configured"] == [5, 192]
    assert seen["gone"] == ["ResourceNotFoundException", 404, f"Function not found: {arn}"]
    assert seen["refused"] == ["InvalidSignatureException", 403]


def test_functions_that_fail(server, functions, runtime):
    names = {end: functions.create(runtime, ENDINGS[runtime], stem="sdk", **{"Timeout": 20, **settings})
             for end, (_, settings, _, _) in FAILURES.items()}
    answers = run(server, "invoke.mjs", json.dumps([[names[end], event] for end, (event, _, _, _) in FAILURES.items()]))
    assert len(answers) == len(FAILURES)
    for (_, _, kind, words), answer in zip(FAILURES.values(), answers):
        assert (answer["status"], answer["error"], answer["version"]) == (200, "Unhandled", "$LATEST")
        assert answer["headers"]["x-amz-function-error"] == "Unhandled"
        assert answer["headers"]["x-amz-executed-version"] == "$LATEST"
        assert_failure(answer["payload"], kind, words, answer["request_id"], runtime)
