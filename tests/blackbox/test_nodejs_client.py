"""The same life of a function with @aws-sdk/client-lambda v3 (tests/clients/nodejs/story.mjs)."""

import json
import subprocess

from support.functions import ENTRY, NODEJS, PYTHON, source_zip, unique
from support.server import ACCOUNT, REGION, ROOT

SOURCES = {
    PYTHON: "def handler(event, context):\n    if event.get('throw'):\n        raise ValueError('no')\n    return ['%s', event['name']]\n",
    NODEJS: "export const handler = async (event) => {\n  if (event.throw) throw new RangeError('no');\n  return ['%s', event.name];\n};\n",
}


def test_a_functions_whole_life(server, role_arn, runtime, tmp_path):
    name = unique("sdk")
    for version in ("one", "two"):
        (tmp_path / f"{version}.zip").write_bytes(source_zip(runtime, SOURCES[runtime] % version))
    done = subprocess.run(
        ["/usr/bin/node", "story.mjs", role_arn, tmp_path, runtime, ENTRY[runtime][1], name], env=server.shell_environment(),
        cwd=ROOT / "tests/clients/nodejs", capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
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
