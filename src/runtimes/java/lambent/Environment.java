package lambent;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The process's environment; of a process that waited, the one that it was assigned. */
final class Environment {
    private static volatile Map<String, String> own;

    private Environment() {}

    static String get(String name) {
        return own != null ? own.get(name) : System.getenv(name);
    }

    static String get(String name, String otherwise) {
        String value = get(name);
        return value != null ? value : otherwise;
    }

    /** From Java 18 on, variables are decoded as the root's locale says, and a root without AWS's locale says ASCII: what that spoiled is read anew. */
    static void repair() throws IOException, ReflectiveOperationException {
        for (String value : System.getenv().values()) {
            if (value.indexOf('\ufffd') < 0) continue;
            become(parse(readAll("/proc/self/environ")));
            return;
        }
    }

    /** Changes what System.getenv shows and what children inherit: texts and bytes, kept side by side in one map. */
    @SuppressWarnings("unchecked")
    static void become(Map<String, String> environment) throws ReflectiveOperationException {
        Class<?> process = Class.forName("java.lang.ProcessEnvironment");
        Field behind = process.getDeclaredField("theEnvironment");
        behind.setAccessible(true);
        Map<Object, Object> map = (Map<Object, Object>) behind.get(null);
        Constructor<?> variable = maker(process, "Variable");
        Constructor<?> value = maker(process, "Value");
        map.clear();
        for (Map.Entry<String, String> pair : environment.entrySet())
            map.put(made(variable, pair.getKey()), made(value, pair.getValue()));
        own = environment;
    }

    private static Constructor<?> maker(Class<?> process, String name) throws ReflectiveOperationException {
        Constructor<?> maker = Class.forName(process.getName() + "$" + name).getDeclaredConstructor(String.class, byte[].class);
        maker.setAccessible(true);
        return maker;
    }

    private static Object made(Constructor<?> maker, String text) throws ReflectiveOperationException {
        return maker.newInstance(text, text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] readAll(String path) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        byte[] part = new byte[8192];
        try (InputStream in = new FileInputStream(path)) {
            for (int got; (got = in.read(part)) > 0;) whole.write(part, 0, got);
        }
        return whole.toByteArray();
    }

    private static Map<String, String> parse(byte[] pairs) {
        Map<String, String> environment = new HashMap<>();
        for (String pair : new String(pairs, StandardCharsets.UTF_8).split("\0")) {
            int equals = pair.indexOf('=');
            if (equals > 0) environment.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return environment;
    }
}
