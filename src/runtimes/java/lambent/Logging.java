package lambent;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
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
    /** Whether records of several lines stay one event each; otherwise every line of stdout is one. */
    private static final boolean FRAMED = Boolean.getBoolean("lambent.log.framed");
    private static final LogLevel LEAST = least();
    private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);
    private static final int FRAME_HEAD = 16;
    /** A longer record is none. */
    private static final int RECORD_LIMIT = 256 * 1024;

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

    static void line(String message, LogLevel level) {
        LogLevel known = level == null ? LogLevel.UNDEFINED : level;
        String text = message == null ? "null" : message;
        if (JSON) text = json(text, known);
        else if (known != LogLevel.UNDEFINED) text = "[" + known + "] " + text;
        while (text.endsWith("\n")) text = text.substring(0, text.length() - 1);
        byte[] record = text.getBytes(StandardCharsets.UTF_8);
        // Without frames a carriage return keeps its lines together.
        byte[] written = FRAMED && record.length <= RECORD_LIMIT ? frame(record, known) : (text.replace('\n', '\r') + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.flush();
        // One record after another, whatever threads they come from.
        synchronized (OUT) {
            try {
                OUT.write(written);
            } catch (IOException e) {
                // Nobody reads the log any more.
                return;
            }
        }
    }

    private static String json(String message, LogLevel level) {
        Map<String, Object> fields = new LinkedHashMap<>();
        SimpleDateFormat time = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'");
        time.setTimeZone(TimeZone.getTimeZone("UTC"));
        fields.put("timestamp", time.format(new Date()));
        fields.put("message", message);
        fields.put("level", level.name());
        if (requestId != null) fields.put("AWSRequestId", requestId);
        return lambent.Json.write(fields);
    }

    /** Kind and level, length, time in microseconds: what AWS's runtimes write to _LAMBDA_TELEMETRY_LOG_FD. */
    private static byte[] frame(byte[] record, LogLevel level) {
        int kind = 0xa55a0000 | (JSON ? 2 : 3) | level.ordinal() << 2;
        long microseconds = System.currentTimeMillis() * 1000;
        return ByteBuffer.allocate(FRAME_HEAD + record.length).putInt(kind).putInt(record.length).putLong(microseconds).put(record).array();
    }
}
