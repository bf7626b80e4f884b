"""AWS_LAMBDA_EXEC_WRAPPER: a script of the package through which the runtime is started ("Modifying the runtime environment")."""

import pytest

from support.functions import NODEJS, PYTHON

HANDLERS = {
    PYTHON: ("app.py", "import os, sys\ndef handler(event, context):\n"
                       "    return [os.environ.get('WRAPPED'), os.environ['AWS_LAMBDA_EXEC_WRAPPER'], sys.argv[1:]]\n"),
    NODEJS: ("index.mjs", "export const handler = async () => [process.env.WRAPPED ?? null,\n"
                          "  process.env.AWS_LAMBDA_EXEC_WRAPPER, process.argv.slice(2)];\n"),
}
WRAPPER = '#!/bin/bash\nexport WRAPPED="yes"\nexec "$@"\n'


@pytest.fixture
def wrapped(functions, runtime):
    def create(files, wrapper="/var/task/wrapper"):
        name, source = HANDLERS[runtime]
        return functions.create(runtime, {name: source, **files},
                                Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": wrapper}})

    return create


@pytest.mark.parametrize("text", [WRAPPER, WRAPPER.partition("\n")[2]], ids=["with #!", "without"])
def test_the_wrapper_gets_the_runtimes_command(functions, wrapped, text):
    name = wrapped({"wrapper!": text})
    for _ in range(2):
        assert functions.invoke(name).expect() == ["yes", "/var/task/wrapper", []]


@pytest.mark.parametrize("files, status", [({}, 127), ({"wrapper": WRAPPER}, 126)], ids=["missing", "not executable"])
def test_a_wrapper_that_cannot_be_executed_is_an_exit(functions, wrapped, files, status):
    answer = functions.invoke(wrapped(files))
    assert answer.error == "Unhandled"
    assert answer.value == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status {status}"}


def test_a_wrapper_may_end_without_a_runtime(functions, wrapped):
    answer = functions.invoke(wrapped({"wrapper!": "#!/bin/sh\nexit 7\n"}))
    assert answer.value["errorMessage"].endswith("exit status 7")


def test_an_os_only_runtime_has_no_wrapper(functions):
    name = functions.create("provided.al2023", {"bootstrap!": "#!/bin/sh\nexit 9\n", "wrapper!": "#!/bin/sh\nexit 7\n"},
                            Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}})
    assert functions.invoke(name).value["errorMessage"].endswith("exit status 9")
