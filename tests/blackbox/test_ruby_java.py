"""What the other test files show for Python and Node.js, for Ruby and Java: spares, AWS_LAMBDA_EXEC_WRAPPER, JSON logs."""

import json
import os

import pytest

from runtimes.java_process import JAVAC, compiled
from runtimes.runtime_process import RUBY
from support.functions import TRUST_LAMBDA, unique

# On whatever versions the machine has.
LANGUAGES = {"ruby": "ruby3.3", "java": "java17"}
# It acts when a process starts, so that one that waits is of no use.
ACTS_AT_EXEC = {"ruby": "RUBY_LAMBENT_TEST", "java": "JAVA_LAMBENT_TEST"}


@pytest.fixture(params=LANGUAGES)
def language(request):
    if request.param == "java" and JAVAC is None:
        pytest.skip("there is no JDK: ./setup --tests installs one")
    if request.param == "ruby" and not os.path.exists(RUBY):
        pytest.skip(f"there is no {RUBY}: ./setup --tests installs it")
    return request.param


def package(language, source, **settings):
    """(runtime, files, settings) of a handler in that language."""
    if language == "ruby":
        return LANGUAGES[language], {"app.rb": source}, {"Handler": "app.handler", **settings}
    return LANGUAGES[language], compiled(source), {"Handler": "example.Handler", "MemorySize": 512, **settings}


@pytest.fixture(params=["from a spare", "executed"])
def answer_of(request, spares, language):
    """Invokes a new function in a process that waited for it, or in one that did not."""

    def answer(source, event=None, **settings):
        runtime, files, settings = package(language, source, **settings)
        if request.param == "from a spare":
            return spares.invoke_from_spare(runtime, files, event, **settings)
        name = spares.functions.create(runtime, files, Environment={"Variables": {ACTS_AT_EXEC[language]: "1"}}, **settings)
        return spares.functions.invoke(name, event, LogType="Tail")

    return answer


# Spares ----------------------------------------------------------------------------------------------------------------------

SEEN = {
    "ruby": """
def handler(event:, context:)
  status = File.readlines('/proc/self/status')
  { event: event, name: ENV['AWS_LAMBDA_FUNCTION_NAME'], environ: ENV.keys.sort, argv: ARGV, program: $PROGRAM_NAME, cwd: Dir.pwd,
    task: Dir.children('.').sort, opt: Dir.children('/opt'), user: Process.uid > 1000, limits: File.read('/proc/self/limits'),
    caps: status.grep(/^Cap|^NoNewPrivs|^Seccomp:/), zone: Time.now.zone, encoding: Encoding.default_external.name,
    path: $LOAD_PATH.reject { |each| each.start_with?('/usr/') }.sort, threads: Thread.list.size, verbose: $VERBOSE, gems: defined?(Gem).nil?,
    writable: %w[/tmp /var/task /opt /].map { |path| File.writable?(path) } }
end""",
    "java": """public class Handler implements RequestHandler<Object, Map<String, Object>> {
  public Map<String, Object> handleRequest(Object event, Context context) {
    try {
      Map<String, Object> all = new HashMap<>();
      all.put("event", event); all.put("name", System.getenv("AWS_LAMBDA_FUNCTION_NAME"));
      all.put("environ", new ArrayList<>(new TreeSet<>(System.getenv().keySet())));
      for (String name : "user.dir user.timezone file.encoding java.class.path user.language java.io.tmpdir".split(" "))
        all.put(name, System.getProperty(name));
      all.put("zone", TimeZone.getDefault().getID()); all.put("locale", Locale.getDefault().toString());
      all.put("cwd", new File("/proc/self/cwd").getCanonicalPath()); all.put("relative", new File("example/Handler.class").exists());
      all.put("opt", Arrays.toString(new File("/opt").list()));
      for (String path : "/tmp /var/task /opt /".split(" ")) all.put(path, new File(path).canWrite());
      for (String line : java.nio.file.Files.readAllLines(java.nio.file.Paths.get("/proc/self/status")))
        if (line.startsWith("Cap") || line.startsWith("NoNewPrivs") || line.startsWith("Seccomp:")) all.put(line, 1);
      all.put("limits", new String(java.nio.file.Files.readAllBytes(java.nio.file.Paths.get("/proc/self/limits"))));
      return all;
    } catch (IOException e) { throw new UncheckedIOException(e); }
  }
}""",
}


def test_a_first_invocation_comes_out_of_a_spare_and_cannot_tell(spares, language):
    runtime, files, settings = package(language, SEEN[language])
    answer = spares.invoke_from_spare(runtime, files, {"a": ["é"]}, **settings)
    assert "Init Duration: " in answer.log
    waited = answer.expect()
    assert (waited["event"], waited["cwd"]) == ({"a": ["é"]}, "/var/task")
    acting = ACTS_AT_EXEC[language]
    name = spares.functions.create(runtime, files, Environment={"Variables": {acting: "1"}}, **settings)
    executed = spares.functions.invoke(name, {"a": ["é"]}).expect()
    executed["environ"].remove(acting)
    assert waited.pop("name") != executed.pop("name")
    assert waited == executed


# AWS_LAMBDA_EXEC_WRAPPER -----------------------------------------------------------------------------------------------------

WRAPPED = {
    "ruby": ("def handler(event:, context:)\n  [ENV['WRAPPED'], ENV['AWS_LAMBDA_EXEC_WRAPPER'], $VERBOSE]\nend\n", "-w", True),
    "java": ("""public class Handler implements RequestHandler<Object, Object> {
  public Object handleRequest(Object event, Context context) {
    return Arrays.asList(System.getenv("WRAPPED"), System.getenv("AWS_LAMBDA_EXEC_WRAPPER"), System.getProperty("mine"));
  } }""", "-Dmine=yes", "yes"),
}


@pytest.fixture
def wrapped(spares, language):
    """Creates a function that is started through /var/task/wrapper, one of these files."""

    def create(files):
        runtime, code, settings = package(language, WRAPPED[language][0])
        variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}
        return spares.functions.create(runtime, {**code, **files}, Environment={"Variables": variables}, **settings)

    return create


@pytest.mark.parametrize("head", ["#!/bin/bash\n", ""], ids=["with #!", "without"])
def test_the_wrapper_gets_the_runtimes_command_and_may_change_it(spares, language, wrapped, head):
    _, option, effect = WRAPPED[language]
    script = f'{head}export WRAPPED="yes"\nprogram=$1\nshift\nexec "$program" {option} "$@"\n'
    name = wrapped({"wrapper!": script})
    for _ in range(2):
        assert spares.functions.invoke(name).expect() == ["yes", "/var/task/wrapper", effect]


@pytest.mark.parametrize("files, status", [({}, 127), ({"wrapper": "#!/bin/sh\n"}, 126), ({"wrapper!": "#!/bin/sh\nexit 7\n"}, 7)],
                         ids=["missing", "not executable", "ending by itself"])
def test_a_wrapper_that_executes_no_runtime_is_an_exit(spares, wrapped, files, status):
    answer = spares.functions.invoke(wrapped(files))
    assert answer.error == "Unhandled"
    assert answer.value == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status {status}"}


# JSON logs -------------------------------------------------------------------------------------------------------------------

LOGS = {
    "ruby": """require 'logger'
LOG = Logger.new($stdout)
def handler(event:, context:)
  %i[debug info warn error fatal].each { |level| LOG.public_send(level, "at #{level}\\nin two lines") }
  puts 'plain'
  raise ArgumentError, "bad\\nindeed" if event == 'fail'
end""",
    "java": """public class Handler implements RequestHandler<Object, Object> {
  public Object handleRequest(Object event, Context context) {
    for (String level : "debug info warn error fatal".split(" "))
      context.getLogger().log("at " + level + "\\nin two lines", com.amazonaws.services.lambda.runtime.logging.LogLevel.fromString(level));
    System.out.println("plain");
    if ("fail".equals(event)) throw new IllegalStateException("bad\\nindeed");
    return null;
  } }""",
}
REQUEST = {"ruby": "requestId", "java": "AWSRequestId"}
LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]


def json_lines(answer):
    """(the platform's types, but init's; the function's records); what was merely printed is no record."""
    lines = [json.loads(line) for line in answer.log.splitlines() if line != "plain"]
    assert answer.log.splitlines().count("plain") == 1
    platform = [line["type"] for line in lines if not line.get("type", "platform.init").startswith("platform.init")]
    return platform, [line for line in lines if "type" not in line]


@pytest.mark.parametrize("levels, platform, least", [
    ({}, ["platform.start", "platform.report"], "INFO"),
    ({"ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"}, [], "ERROR"),
    ({"ApplicationLogLevel": "DEBUG", "SystemLogLevel": "DEBUG"}, ["platform.start", "platform.runtimeDone", "platform.report"], "DEBUG"),
], ids=["by default", "few", "all"])
def test_json_logs_hold_what_their_levels_let_through(answer_of, language, levels, platform, least):
    answer = answer_of(LOGS[language], LoggingConfig={"LogFormat": "JSON", **levels})
    types, records = json_lines(answer)
    assert types == platform
    assert [record["level"] for record in records] == LEVELS[LEVELS.index(least):]
    for record in records:
        assert record["message"] == f"at {record['level'].lower()}\nin two lines"
        assert record[REQUEST[language]] == answer.request_id and record["timestamp"].endswith("Z")


def test_an_exception_is_one_record_of_a_json_log(answer_of, language):
    answer = answer_of(LOGS[language], "fail", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "FATAL"})
    assert answer.error == "Unhandled"
    _, records = json_lines(answer)
    logged, failed = records
    assert logged["level"] == "FATAL" and failed["level"] == "ERROR" and failed[REQUEST[language]] == answer.request_id
    if language == "ruby":
        assert (failed["errorType"], failed["errorMessage"]) == ("Function<ArgumentError>", "bad\nindeed")
        assert failed["stackTrace"][0].startswith("/var/task/app.rb:6:")
    else:
        first, second, *trace = failed["message"].split("\n")
        assert (first, second) == ("bad", "indeed: java.lang.IllegalStateException")
        assert any(line.startswith("\tat example.Handler.handleRequest(") for line in trace)


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_a_record_of_several_lines_is_one_event(spares, language, log_format):
    iam = spares.server.client("iam")
    role = iam.create_role(RoleName=unique("records"), AssumeRolePolicyDocument=TRUST_LAMBDA)["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    runtime, files, settings = package(language, LOGS[language], Role=role["Arn"], LoggingConfig={"LogFormat": log_format})
    name = spares.functions.create(runtime, files, **settings)
    assert spares.functions.invoke(name, "fail").error == "Unhandled"
    events = spares.server.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    said = [event["message"].removesuffix("\n") for event in events]
    plain = said.index("plain")
    if log_format == "JSON":
        records = [json.loads(line)["message"] for line in said[plain - 4:plain]]
        assert records == [f"at {level}\nin two lines" for level in ("info", "warn", "error", "fatal")]
    else:
        assert all(f"at {level}\nin two lines" in line for level, line in zip(("info", "warn", "error", "fatal"), said[plain - 4:plain]))
    # The exception, whose trace is as long as it likes, and then the platform again.
    after = next(index for index, line in enumerate(said) if index > plain and ("END RequestId" in line or '"platform.' in line))
    assert 1 <= after - plain - 1 <= 2 and "bad" in said[after - 1]
