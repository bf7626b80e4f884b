package lambent;

import java.io.IOException;

/** What java executes in the sandbox: finds the handler, then takes event after event. With "--spare" it waits for its function first. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[arguments.length - 1].equals("--spare")) Spare.await();
        else Environment.repair();
        Connection connection = new Connection(Environment.get("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"));
        Function function = null;
        Failure.Fault notFound = null;
        try {
            function = Function.load(Environment.get("_HANDLER", ""));
        } catch (Failure.Fault e) {
            // Init succeeds all the same, as on AWS: each invocation says it.
            notFound = e;
        } catch (Throwable e) {
            Failure failure = Failure.of(e);
            failure.log();
            connection.lastWords("/init/error", failure.json(), failure.type());
            exit(1);
            return;
        }
        try {
            while (true) runOnce(function, notFound, connection, connection.next());
        } catch (IOException e) {
            System.err.println("the Runtime API is gone: " + e.getMessage());
            exit(1);
        }
    }

    private static void runOnce(Function function, Failure.Fault notFound, Connection connection, Connection.Event event) throws IOException {
        String id = event.header("lambda-runtime-aws-request-id");
        Logging.requestId = id;
        String trace = event.header("lambda-runtime-trace-id");
        if (trace != null) System.setProperty("com.amazonaws.xray.traceHeader", trace);
        else System.clearProperty("com.amazonaws.xray.traceHeader");
        byte[] answer;
        try {
            if (notFound != null) throw notFound;
            answer = function.call(event.body, new InvocationContext(event));
        } catch (Throwable e) {
            Failure failure = Failure.of(e);
            failure.log();
            if (failure.ends()) {
                connection.lastWords("/invocation/" + id + "/error", failure.json(), failure.type());
                exit(1);
            }
            connection.answer("/invocation/" + id + "/error", failure.json(), "application/json", failure.type());
            return;
        }
        connection.answer("/invocation/" + id + "/response", answer, "application/json", null);
    }

    private static void exit(int status) {
        System.out.flush();
        Runtime.getRuntime().halt(status);
    }
}
