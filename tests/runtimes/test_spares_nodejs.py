"""A node that waited for its function: after the assignment a function cannot tell it from one that exec started."""

import re

import pytest

from runtimes.runtime_process import node

WAITING = {"LEFT_OVER": "1", "LANG": "en_US.UTF-8"}

PROMISED = """
const fs = require('fs');
exports.handler = async (event, context) => ({
  env: { ...process.env }, argv: process.argv, execArgv: process.execArgv, cwd: process.cwd(), main: require.main?.filename,
  title: process.title, descriptors: fs.readdirSync('/proc/self/fd').length, name: context.functionName,
  hour: new Date(0).getHours(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone, umask: process.umask(),
  listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]), paths: module.paths,
  globals: Object.keys(globalThis), filename: __filename,
});
"""


def spare(files, **how):
    return node(files, spare=WAITING, **how)


def comparable(run):
    answer = run.answer.json()
    assert answer["env"].pop("AWS_LAMBDA_RUNTIME_API")
    return answer


@pytest.mark.parametrize("more", [{}, {"TZ": "Asia/Tokyo"}, {"A": "é=="}])
@pytest.mark.parametrize("runtime", ["AWS_Lambda_nodejs20.x", "AWS_Lambda_nodejs24.x"])
def test_what_is_promised_is_as_after_exec(more, runtime):
    executed, waited = (comparable(start(PROMISED, env=more, execution_env=runtime)) for start in (node, spare))
    assert waited == executed


@pytest.mark.parametrize("format", ["Text", "JSON"])
def test_the_console_and_errors_are_as_after_exec(format):
    source = "exports.handler = async () => { console.info('i'); console.warn({a: 1}); throw new TypeError('t'); };"
    env = {"AWS_LAMBDA_LOG_FORMAT": format, "AWS_LAMBDA_LOG_LEVEL": "WARN"}
    executed, waited = node(source, env=env), spare(source, env=env)
    assert waited.answer.json() == executed.answer.json()
    stamp = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
    assert stamp.sub("", waited.stdout) == stamp.sub("", executed.stdout) != ""
    assert waited.stderr == executed.stderr == ""


def test_a_spare_answers_event_after_event():
    run = spare("let n = 0; exports.handler = async () => ++n;", events=3)
    assert [a.json() for a in run.answers] == [1, 2, 3]


def test_es_modules_load():
    assert spare({"index.mjs": "export const handler = async () => import.meta.url.slice(-9);"}).answer.json() == "index.mjs"


def test_a_module_that_is_missing_ends_it():
    executed, waited = (start("require('./missing');") for start in (node, spare))
    assert (waited.answer.kind, waited.returncode) == (executed.answer.kind, executed.returncode) == ("init_error", 129)
    assert waited.answer.json() == executed.answer.json()
