"""The Java bootstrap against the Runtime API, without sandbox or server, and beside AWS's own client where Maven can bring it."""

import pytest

from runtimes.java_process import JAVAC, java, official
from runtimes.runtime_process import Event
from support.clients import java_client

pytestmark = pytest.mark.skipif(JAVAC is None, reason="there is no JDK: ./setup --tests installs one")

WAITING = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "LEFT_OVER": "1"}
ECHO = """public class Handler implements RequestHandler<Object, Object> {
  public Object handleRequest(Object event, Context context) { return event; }
}"""
BEAN = """public class Handler {
  public enum Colour { RED, GREEN }
  public static class Item { private int n; public int getN() { return n; } public void setN(int n) { this.n = n; } }
  public static class Event {
    private String name; private List<Item> items; private Map<String, Double> prices; private Colour colour; private Long big;
    public boolean open; private Date when; private byte[] bytes; private Item[] array;
    public String getName() { return name; } public void setName(String name) { this.name = name; }
    public List<Item> getItems() { return items; } public void setItems(List<Item> items) { this.items = items; }
    public Map<String, Double> getPrices() { return prices; } public void setPrices(Map<String, Double> prices) { this.prices = prices; }
    public Colour getColour() { return colour; } public void setColour(Colour colour) { this.colour = colour; }
    public Long getBig() { return big; } public void setBig(Long big) { this.big = big; }
    public Date getWhen() { return when; } public void setWhen(Date when) { this.when = when; }
    public byte[] getBytes() { return bytes; } public void setBytes(byte[] bytes) { this.bytes = bytes; }
    public Item[] getArray() { return array; } public void setArray(Item[] array) { this.array = array; }
  }
  public Event handle(Event event, Context context) { return event; }
}"""
BEAN_EVENT = {"name": "é", "items": [{"n": 1}, {"n": 2}], "prices": {"a": 1.5, "b": 2}, "colour": "GREEN", "big": 1 << 40,
              "open": True, "when": 1500000000000, "bytes": "AAEC", "array": [{"n": 3}]}


@pytest.fixture(params=[None, WAITING], ids=["executed", "waited"])
def spare(request):
    return request.param


def test_events_are_json_in_and_out(spare):
    values = [{"a": [1, 2.5, None, True, "é😀\u2028\n"]}, [], "text", None, 1 << 62, 1 << 80, {}]
    done = java(ECHO, events=[Event(value) for value in values], spare=spare)
    assert [answer.json() for answer in done.answers] == values
    assert done.answers[0].headers["Content-Type"] == "application/json"


def test_beans_are_filled_by_setters_and_written_by_getters():
    answer = java(BEAN, "example.Handler::handle", [Event({**BEAN_EVENT, "unknown": 1})]).answer
    assert answer.json() == BEAN_EVENT


@pytest.mark.parametrize("method, event, answer", [
    ("public String handle(String s) { return s + s; }", "ab", "abab"),
    ("public int handle(int n, Context c) { return n * 2; }", 21, 42),
    ("public static long handle(List<Integer> l) { long s = 0; for (int i : l) s += i; return s; }", [1, 2], 3),
    ("public void handle() { }", {}, None),
    ("public String handle(Context c) { return c.getFunctionName(); }", {}, "tested"),
    ("public String handle(String s) { return \"one\"; } public String handle(String s, Context c) { return \"two\"; }", "", "two"),
    ("public Map<String, Object> handle(Map<String, List<Long>> m) { return new TreeMap<>(m); }", {"b": [1], "a": []}, {"a": [], "b": [1]}),
    ("public void handle(InputStream in, OutputStream out) throws IOException { int b; while ((b = in.read()) >= 0) out.write(b); }",
     {"a": 1}, {"a": 1}),
])
def test_plain_methods_are_handlers(method, event, answer):
    assert java("public class Handler { %s }" % method, "example.Handler::handle", [Event(event)]).answer.json() == answer


def test_types_are_found_through_ancestors():
    more = "abstract class Middle<T> implements RequestHandler<Map<String, T>, T> { }\nabstract class Base<A, B> extends Middle<B> { }\n"
    body = """public class Handler extends Base<String, Integer> {
      public Integer handleRequest(Map<String, Integer> m, Context c) { int s = 0; for (Integer i : m.values()) s += i; return s; }
    }"""
    assert java(body, events=[Event({"a": 1, "b": 2})], more=more).answer.json() == 3


def test_context_says_what_the_guide_promises(spare):
    body = """public class Handler { public Map<String, Object> handle(Map<String, Object> e, Context c) {
      Map<String, Object> m = new TreeMap<>(); m.put("id", c.getAwsRequestId()); m.put("name", c.getFunctionName()); m.put("version", c.getFunctionVersion());
      m.put("arn", c.getInvokedFunctionArn()); m.put("group", c.getLogGroupName()); m.put("stream", c.getLogStreamName()); m.put("memory", c.getMemoryLimitInMB());
      m.put("left", c.getRemainingTimeInMillis() / 20000); m.put("client", c.getClientContext() == null ? null : c.getClientContext().getCustom().get("k"));
      m.put("identity", c.getIdentity() == null ? null : c.getIdentity().getIdentityId()); m.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
      m.put("env", System.getenv("MINE")); m.put("left over", System.getenv("LEFT_OVER")); m.put("dir", new File("x").getAbsoluteFile().getParent().equals(System.getenv("LAMBDA_TASK_ROOT")));
      m.put("here", new File("example/Handler.class").exists()); return m; } }"""
    headers = {"Lambda-Runtime-Client-Context": '{"custom":{"k":"v"}}', "Lambda-Runtime-Cognito-Identity": '{"cognitoIdentityId":"i"}',
               "Lambda-Runtime-Trace-Id": "Root=1-2-3"}
    answers = java(body, "example.Handler::handle", [Event(b"{}", headers), Event(b"{}")], {"MINE": "1"}, spare=spare).answers
    assert answers[0].json() == {
        "id": "00000000-0000-4000-8000-000000000000", "name": "tested", "version": "$LATEST", "left": 1, "client": "v", "identity": "i",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:tested", "group": "/aws/lambda/tested", "memory": 128, "trace": "Root=1-2-3",
        "stream": "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef", "env": "1", "left over": None, "dir": True, "here": True}
    assert [answers[1].json()[name] for name in ("client", "identity", "trace")] == [None, None, None]


def test_an_error_is_reported_with_its_cause_and_the_next_event_taken(spare):
    body = """public class Handler { public String handle(int n) { if (n == 1) throw new IllegalStateException("bad é", new IOException("inner")); return "fine"; } }"""
    done = java(body, "example.Handler::handle", [Event(1), Event(2)], spare=spare)
    failed, fine = done.answers
    document = failed.json()
    assert (document["errorMessage"], document["errorType"]) == ("bad é", "java.lang.IllegalStateException")
    assert document["stackTrace"] == ["example.Handler.handle(Handler.java:5)"]
    assert (document["cause"]["errorMessage"], document["cause"]["errorType"]) == ("inner", "java.io.IOException")
    assert failed.headers["Lambda-Runtime-Function-Error-Type"] == "java.lang.IllegalStateException"
    assert (fine.kind, fine.json()) == ("response", "fine")
    assert done.stdout.startswith("bad é: java.lang.IllegalStateException\rjava.lang.IllegalStateException: bad é\r\tat example.Handler")


def test_a_broken_machine_ends_the_runtime():
    done = java("public class Handler { public void handle() { throw new StackOverflowError(); } }", "example.Handler::handle", [Event(1), Event(2)])
    assert (done.answer.kind, done.answer.json()["errorType"], done.returncode) == ("error", "java.lang.StackOverflowError", 1)


NO_METHOD = "No public method named {} with appropriate method signature found on class example.Handler"


@pytest.mark.parametrize("body, handler, error, words", [
    (ECHO, "example.Gone", "java.lang.ClassNotFoundException", "Class not found: example.Gone"),
    (ECHO, "example.Handler::gone", "java.lang.NoSuchMethodException", NO_METHOD.format("gone")),
    ("public class Handler { public void handle(int a, int b) { } }", "example.Handler::handle", "java.lang.NoSuchMethodException",
     NO_METHOD.format("handle")),
    ("public class Handler { public Handler(int n) { } public void handle() { } }", "example.Handler::handle", "java.lang.NoSuchMethodException",
     "Class example.Handler has no public zero-argument constructor"),
    ("public class Handler { }", "example.Handler", "java.lang.ClassCastException", None),
    (ECHO, "", "Runtime.InvalidHandler", "Invalid handler: `'"),
])
def test_what_is_not_there_is_said_by_each_invocation(body, handler, error, words):
    """As AWS's own client does: its init succeeds."""
    done = java(body, handler)
    assert (done.answer.kind, done.answer.json()["errorType"], done.returncode) == ("error", error, None)
    assert words is None or done.answer.json()["errorMessage"] == words


def test_a_handler_that_cannot_be_made_is_an_init_error():
    done = java('public class Handler { public Handler() { throw new RuntimeException("made"); } public void handle() { } }', "example.Handler::handle")
    assert (done.answer.kind, done.answer.json()["errorMessage"], done.returncode) == ("init_error", "made", 1)


@pytest.mark.parametrize("payload", [b"{", b"[1,]", b"1 2", b"NaN", b"tru", b'"\\x"', b"[" * 5000, b'{"a" 1}'])
def test_what_is_no_json_is_the_functions_error(payload):
    done = java(ECHO, events=[Event(payload), Event(1)])
    assert [answer.kind for answer in done.answers] == ["error", "response"]
    assert done.answers[0].json()["errorMessage"] == "An error occurred during JSON parsing"


@pytest.mark.parametrize("event", [{"a": 1}, [1], True])
def test_a_value_of_another_kind_is_refused(event):
    done = java("public class Handler { public int handle(int n) { return n; } }", "example.Handler::handle", [Event(event)])
    assert done.answer.json()["errorMessage"] == "An error occurred during JSON parsing"


def test_a_response_over_the_limit_is_announced_not_sent():
    body = 'public class Handler { public String handle(int n) { char[] c = new char[n]; Arrays.fill(c, \'x\'); return new String(c); } }'
    done = java(body, "example.Handler::handle", [Event(7_000_000), Event(1)])
    assert [answer.kind for answer in done.answers] == ["too_large", "response"]


def test_a_dropped_connection_is_opened_again():
    done = java(ECHO, events=[Event(n) for n in range(3)], setup=lambda api: setattr(api, "close_after_answer", True))
    assert [answer.json() for answer in done.answers if answer.kind == "response"][-1] == 2


LOGS = """public class Handler { public void handle(Object e, Context c) {
  c.getLogger().log("two\\nlines"); c.getLogger().log("warned", com.amazonaws.services.lambda.runtime.logging.LogLevel.WARN);
  c.getLogger().log("fine", com.amazonaws.services.lambda.runtime.logging.LogLevel.DEBUG); System.out.println("plain"); } }"""


def test_loggers_write_one_event_a_message():
    assert java(LOGS, "example.Handler::handle").stdout.splitlines(keepends=False)[-1] == "plain"
    assert java(LOGS, "example.Handler::handle").stdout == "two\rlines\n[WARN] warned\n[DEBUG] fine\nplain\n"
    said = java(LOGS, "example.Handler::handle", env={"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}).stdout
    assert '"level":"WARN"' in said and "fine" not in said and '"AWSRequestId":"00000000-0000-4000-8000-000000000000"' in said


@pytest.fixture(scope="module")
def jars():
    return java_client()


@pytest.mark.parametrize("body, handler, events", [
    (ECHO, "example.Handler", [{"a": [1, 2.5, None, True, "é😀\n"]}, [], "text", 1 << 62, 1 << 80, 1e20, 0.1]),
    (BEAN, "example.Handler::handle", [BEAN_EVENT, {}]),
    ("public class Handler { public String handle(String s) { return s; } }", "example.Handler::handle", ["x", 1]),
    ("public class Handler { public int handle(int n) { return n; } }", "example.Handler::handle", [7, "8", {"a": 1}]),
    ("public class Handler { public void handle() { throw new IllegalStateException(\"bad\"); } }", "example.Handler::handle", [1]),
    ("public class Handler { public void handle() { } }", "example.Handler::handle", [1]),
    ("public class Handler { public Object handle() { return new Object[] {1.0f, 1L, 'c', Optional.of(3), new StringBuilder(\"s\")}; } }", "example.Handler::handle", [1]),
    (ECHO, "example.Gone", [1]), (ECHO, "example.Handler::gone", [1]),
])
def test_answers_are_those_of_the_official_client(jars, body, handler, events):
    ours = java(body, handler, [Event(event) for event in events])
    theirs = official(jars, body, handler, [Event(event) for event in events])
    assert [answer.kind for answer in ours.answers] == [answer.kind for answer in theirs.answers], (ours, theirs)
    for mine, yours in zip(ours.answers, theirs.answers):
        if mine.kind == "response":
            assert mine.json() == yours.json()
        else:
            assert mine.json()["errorMessage"] == yours.json()["errorMessage"]
            # What AWS's client itself finds wrong it gives no type; ours has one all the same.
            assert mine.json()["errorType"] == yours.json().get("errorType", mine.json()["errorType"])
