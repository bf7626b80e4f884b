package lambent;

import java.util.Map;

/** The process's environment; of a process that waited, the one that it was assigned. */
final class Environment {
    static volatile Map<String, String> assigned;

    private Environment() {}

    static String get(String name) {
        return assigned != null ? assigned.get(name) : System.getenv(name);
    }

    static String get(String name, String otherwise) {
        String value = get(name);
        return value != null ? value : otherwise;
    }
}
