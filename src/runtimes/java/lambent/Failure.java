package lambent;

import java.io.IOError;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What went wrong in the function: its document for the Runtime API and its lines in the log. */
final class Failure {
    private static final int MOST_CAUSES = 10;

    private final Throwable error;
    /** In place of the error's own class and words, when the runtime knows better. */
    private final String words;
    private final String type;

    private Failure(Throwable error, String words, String type) {
        this.error = error;
        this.words = words;
        this.type = type;
    }

    /** A failure that has words of its own. */
    static final class Fault extends Exception {
        private static final long serialVersionUID = 1;
        final String type;

        Fault(String message, String type, Throwable cause) {
            super(message, cause);
            this.type = type;
        }
    }

    static Failure of(Throwable error) {
        Throwable own = error;
        while (own instanceof InvocationTargetException && own.getCause() != null) own = own.getCause();
        for (Throwable each = own; each != null; each = each.getCause()) trim(each);
        if (own instanceof Fault) {
            Throwable cause = own.getCause();
            while (cause instanceof InvocationTargetException && cause.getCause() != null) cause = cause.getCause();
            return new Failure(cause != null ? cause : own, own.getMessage(), ((Fault) own).type);
        }
        return new Failure(own, own.getMessage(), own.getClass().getName());
    }

    String type() {
        return type;
    }

    /** The virtual machine cannot be trusted to go on, as AWS has it. */
    boolean ends() {
        return error instanceof VirtualMachineError || error instanceof IOError;
    }

    byte[] json() {
        Map<String, Object> document = document(error, 0);
        document.put("errorMessage", words);
        document.put("errorType", type);
        return Json.write(document).getBytes(StandardCharsets.UTF_8);
    }

    private static Map<String, Object> document(Throwable error, int depth) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("errorMessage", error.getMessage());
        document.put("errorType", error.getClass().getName());
        document.put("stackTrace", trace(error));
        Throwable cause = error.getCause();
        if (cause != null && cause != error && depth < MOST_CAUSES) document.put("cause", document(cause, depth + 1));
        return document;
    }

    private static List<String> trace(Throwable error) {
        List<String> frames = new ArrayList<>();
        for (StackTraceElement frame : error.getStackTrace()) frames.add(frame.toString());
        return frames;
    }

    /** Leaves the frames before those of the runtime, and of the reflection that it calls with. */
    private static void trim(Throwable error) {
        StackTraceElement[] frames = error.getStackTrace();
        int own = 0;
        while (own < frames.length && !frames[own].getClassName().startsWith("lambent.")) own++;
        while (own > 0 && frames[own - 1].getClassName().contains("reflect.")) own--;
        error.setStackTrace(Arrays.copyOf(frames, own));
    }

    void log() {
        StringWriter text = new StringWriter();
        text.append(words + ": " + type + "\n");
        error.printStackTrace(new PrintWriter(text));
        if (Logging.JSON) Logging.line(text.toString().trim(), com.amazonaws.services.lambda.runtime.logging.LogLevel.ERROR);
        else Logging.line(text.toString().trim(), null);
    }
}
