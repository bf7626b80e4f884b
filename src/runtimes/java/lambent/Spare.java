package lambent;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A process that has started and waits for its function on descriptor 3: one byte out when it waits, then the assignment in:
 * little-endian u32 length of what follows, u32 arguments, u32 variables, and as many strings, each ended by NUL. What the virtual
 * machine takes from its environment only when it starts (JAVA_TOOL_OPTIONS, TZ, LANG) is the same before and after.
 */
final class Spare {
    private static final int CHANNEL = 3;

    private Spare() {}

    /** The current directory is the one thing that Java cannot change: a mount does not move a process that stands beneath it. */
    private static native int enter(byte[] directory);

    static void await() throws Exception {
        loadAhead();
        FileDescriptor channel = descriptor(CHANNEL);
        FileOutputStream out = new FileOutputStream(channel);
        out.write('1');
        byte[] message = readAll(new FileInputStream(channel));
        if (message.length == 0) Runtime.getRuntime().halt(0);
        out.close();
        Environment.become(parse(message));
        String root = Environment.get("LAMBDA_TASK_ROOT", "/var/task");
        if (enter((root + "\0").getBytes(StandardCharsets.UTF_8)) != 0) throw new IOException("cannot enter " + root);
        System.setProperty("user.dir", root);
    }

    /** Beside this class's jar or directory. */
    private static void loadAhead() throws Exception {
        String own = System.getProperty("java.class.path").split(File.pathSeparator)[0];
        File directory = new File(own).getAbsoluteFile();
        System.load(new File(directory.isDirectory() ? directory : directory.getParentFile(), "liblambent.so").getPath());
        warmUp();
        for (String name : new String[] {"Connection", "Failure", "Failure$Fault"}) Class.forName("lambent." + name);
        Class.forName("java.net.Socket");
        Class.forName("java.net.URLClassLoader");
        Class.forName("com.amazonaws.services.lambda.runtime.RequestStreamHandler");
        Class.forName("com.amazonaws.services.lambda.runtime.RequestHandler");
    }

    /** What every invocation does, done once while nobody waits: most of a first one is loading classes. */
    private static void warmUp() throws Exception {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("text", "\u00e9\n");
        tree.put("numbers", new Object[] {1, 2.5, null, 1L << 40});
        tree.put("bean", new Warm());
        byte[] event = Json.write(tree).getBytes(StandardCharsets.UTF_8);
        Map<String, String> headers = new HashMap<>();
        headers.put("lambda-runtime-deadline-ms", "0");
        try {
            for (String method : new String[] {"handleRequest", "bean"})
                Function.of(Warm.class, method).call(event, new InvocationContext(new Connection.Event(200, headers, event)));
        } catch (Throwable e) {
            throw new IOException("the runtime does not work", e);
        }
        new String(event, StandardCharsets.UTF_8).split("\r\n");
        warmUpLoading();
        warmUpConnection(event);
    }

    /** A class out of a directory or jar, by a loader of its own as a function's is. */
    private static void warmUpLoading() throws Exception {
        URL own = Spare.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {new URL("file:/var/empty/"), own}, null)) {
            Class.forName("com.amazonaws.services.lambda.runtime.CognitoIdentity", true, loader);
        }
    }

    private static void warmUpConnection(byte[] event) throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Connection connection = new Connection("127.0.0.1:" + listening.getLocalPort());
            connection.ask();
            try (Socket accepted = listening.accept()) {
                String head = "HTTP/1.1 200 OK\r\nContent-Length: " + event.length + "\r\n\r\n";
                accepted.getOutputStream().write(head.getBytes(StandardCharsets.ISO_8859_1));
                accepted.getOutputStream().write(event);
                connection.next();
            }
            connection.close();
        }
    }

    /** Public, because it is called as a function's class is. */
    public static final class Warm implements RequestHandler<Map<String, Object>, Object> {
        private String text;

        public String getText() {
            return text;
        }

        public void setText(String text) {
            this.text = text;
        }

        @Override
        public Object handleRequest(Map<String, Object> event, Context context) {
            return event.size() + context.getRemainingTimeInMillis();
        }

        public Warm bean(Warm event, Context context) {
            return event;
        }
    }

    private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
        Constructor<FileDescriptor> make = FileDescriptor.class.getDeclaredConstructor(int.class);
        make.setAccessible(true);
        return make.newInstance(number);
    }

    private static byte[] readAll(FileInputStream in) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        byte[] part = new byte[8192];
        for (int got; (got = in.read(part)) > 0;) whole.write(part, 0, got);
        return whole.toByteArray();
    }

    private static Map<String, String> parse(byte[] message) throws IOException {
        ByteBuffer head = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        int length = head.getInt();
        int arguments = head.getInt();
        int variables = head.getInt();
        String[] strings = new String(message, 12, message.length - 12, StandardCharsets.UTF_8).split("\0", -1);
        if (length != message.length - 4 || strings.length != arguments + variables + 1) throw new IOException("a broken assignment");
        Map<String, String> environment = new HashMap<>();
        for (int i = arguments; i < arguments + variables; i++) {
            int equals = strings[i].indexOf('=');
            environment.put(strings[i].substring(0, equals), strings[i].substring(equals + 1));
        }
        return environment;
    }
}
