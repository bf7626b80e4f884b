package lambent;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TimeZone;

/** The logger of the context and of LambdaRuntime: each message is one event of the log, in the function's format and above its level. */
public final class Logging implements LambdaLogger {
    public static final LambdaLogger LOGGER = new Logging();
    static final boolean JSON = "JSON".equalsIgnoreCase(Environment.get("AWS_LAMBDA_LOG_FORMAT"));
    private static final LogLevel LEAST = least();
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);

    static volatile String requestId;

    private Logging() {}

    private static LogLevel least() {
        try {
            return LogLevel.fromString(Environment.get("AWS_LAMBDA_LOG_LEVEL", "UNDEFINED"));
        } catch (IllegalArgumentException e) {
            return LogLevel.UNDEFINED;
        }
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(new String(message, StandardCharsets.UTF_8), LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message, LogLevel level) {
        if (JSON && level != LogLevel.UNDEFINED && level.ordinal() < LEAST.ordinal()) return;
        line(message, level);
    }

    @Override
    public void log(byte[] message, LogLevel level) {
        log(new String(message, StandardCharsets.UTF_8), level);
    }

    /** One event a line: a carriage return keeps its lines together. */
    static void line(String message, LogLevel level) {
        String text = message == null ? "null" : message;
        if (JSON) {
            Map<String, Object> fields = new LinkedHashMap<>();
            SimpleDateFormat time = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
            time.setTimeZone(TimeZone.getTimeZone("UTC"));
            fields.put("timestamp", time.format(new Date()));
            fields.put("message", text);
            fields.put("level", level == null ? LogLevel.UNDEFINED.name() : level.name());
            if (requestId != null) fields.put("AWSRequestId", requestId);
            text = lambent.Json.write(fields);
        } else if (level != null && level != LogLevel.UNDEFINED) {
            text = "[" + level + "] " + text;
        }
        while (text.endsWith("\n")) text = text.substring(0, text.length() - 1);
        System.out.flush();
        try {
            OUT.write((text.replace('\n', '\r') + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // Nobody reads the log any more.
            return;
        }
    }
}
