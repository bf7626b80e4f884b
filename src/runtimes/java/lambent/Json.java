package lambent;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text to maps, lists, strings, numbers and booleans, and back from any object. Our own, because a library's classes cost a
 * cold start more than everything else that this runtime does.
 */
final class Json {
    /** AWS's reader gives up at the same depth. */
    private static final int MOST_DEPTH = 1000;

    private Json() {}

    static final class Malformed extends RuntimeException {
        private static final long serialVersionUID = 1;

        Malformed(String words, int at) {
            super(words + " at character " + at);
        }
    }

    /** Null for an empty text. Throws Malformed. */
    static Object read(String text) {
        Reader reader = new Reader(text);
        reader.space();
        if (reader.at == text.length()) return null;
        Object value = reader.value(0);
        reader.space();
        if (reader.at < text.length()) throw new Malformed("Unexpected text after the value", reader.at);
        return value;
    }

    private static final class Reader {
        private final String text;
        private int at;

        Reader(String text) {
            this.text = text;
        }

        private void space() {
            while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) at++;
        }

        private char peek() {
            if (at == text.length()) throw new Malformed("Unexpected end", at);
            return text.charAt(at);
        }

        private Object value(int depth) {
            if (depth > MOST_DEPTH) throw new Malformed("Nested too deep", at);
            char c = peek();
            if (c == '{') return object(depth);
            if (c == '[') return list(depth);
            if (c == '"') return string();
            if (c == 't') return word("true", Boolean.TRUE);
            if (c == 'f') return word("false", Boolean.FALSE);
            if (c == 'n') return word("null", null);
            return number();
        }

        private Object word(String word, Object value) {
            if (!text.startsWith(word, at)) throw new Malformed("Unrecognized token", at);
            at += word.length();
            return value;
        }

        private Map<String, Object> object(int depth) {
            Map<String, Object> map = new LinkedHashMap<>();
            at++;
            space();
            if (peek() == '}') {
                at++;
                return map;
            }
            while (true) {
                space();
                if (peek() != '"') throw new Malformed("Expected a name", at);
                String name = string();
                space();
                if (peek() != ':') throw new Malformed("Expected ':'", at);
                at++;
                space();
                map.put(name, value(depth + 1));
                space();
                char c = peek();
                at++;
                if (c == '}') return map;
                if (c != ',') throw new Malformed("Expected ',' or '}'", at - 1);
            }
        }

        private List<Object> list(int depth) {
            List<Object> list = new ArrayList<>();
            at++;
            space();
            if (peek() == ']') {
                at++;
                return list;
            }
            while (true) {
                space();
                list.add(value(depth + 1));
                space();
                char c = peek();
                at++;
                if (c == ']') return list;
                if (c != ',') throw new Malformed("Expected ',' or ']'", at - 1);
            }
        }

        private String string() {
            int begin = ++at;
            while (peek() != '"' && text.charAt(at) != '\\') at++;
            if (text.charAt(at) == '"') return text.substring(begin, at++);
            StringBuilder out = new StringBuilder(text.substring(begin, at));
            while (true) {
                char c = peek();
                at++;
                if (c == '"') return out.toString();
                out.append(c == '\\' ? escape() : c);
            }
        }

        private char escape() {
            char c = peek();
            at++;
            int plain = "\"\\/bfnrt".indexOf(c);
            if (plain >= 0) return "\"\\/\b\f\n\r\t".charAt(plain);
            if (c != 'u' || at + 4 > text.length()) throw new Malformed("Unrecognized escape", at - 1);
            try {
                char code = (char) Integer.parseInt(text.substring(at, at + 4), 16);
                at += 4;
                return code;
            } catch (NumberFormatException e) {
                throw new Malformed("Unrecognized escape", at);
            }
        }

        private Object number() {
            int begin = at;
            boolean fraction = false;
            while (at < text.length() && "+-0123456789.eE".indexOf(text.charAt(at)) >= 0) {
                fraction |= ".eE".indexOf(text.charAt(at)) >= 0;
                at++;
            }
            String digits = text.substring(begin, at);
            try {
                if (fraction) return Double.valueOf(digits);
                if (digits.startsWith("+")) throw new Malformed("Unrecognized token", begin);
                if (digits.length() > 18) return narrow(new BigInteger(digits));
                long value = Long.parseLong(digits);
                return value == (int) value ? (Object) (int) value : (Object) value;
            } catch (NumberFormatException e) {
                throw new Malformed("Unrecognized token", begin);
            }
        }

        private static Object narrow(BigInteger value) {
            return value.bitLength() < 64 ? (Object) value.longValue() : value;
        }
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out, 0);
        return out.toString();
    }

    static void write(Object value, StringBuilder out, int depth) {
        if (depth > MOST_DEPTH) throw new IllegalStateException("Infinite recursion, or nested too deep");
        if (value == null || value instanceof Boolean) out.append(value);
        else if (value instanceof CharSequence || value instanceof Character) quote(value.toString(), out);
        else if (value instanceof Number) number((Number) value, out);
        else if (value instanceof Map) map((Map<?, ?>) value, out, depth);
        else if (value instanceof Iterable) list((Iterable<?>) value, out, depth);
        else Mapping.write(value, out, depth);
    }

    private static void number(Number value, StringBuilder out) {
        boolean finite = !(value instanceof Double || value instanceof Float) || !Double.isNaN(value.doubleValue()) && !Double.isInfinite(value.doubleValue());
        if (!finite) quote(value.toString(), out);
        else if (value instanceof BigDecimal) out.append(((BigDecimal) value).toString());
        else out.append(value);
    }

    private static void map(Map<?, ?> map, StringBuilder out, int depth) {
        out.append('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!first) out.append(',');
            first = false;
            quote(String.valueOf(entry.getKey()), out);
            out.append(':');
            write(entry.getValue(), out, depth + 1);
        }
        out.append('}');
    }

    private static void list(Iterable<?> list, StringBuilder out, int depth) {
        out.append('[');
        boolean first = true;
        for (Object item : list) {
            if (!first) out.append(',');
            first = false;
            write(item, out, depth + 1);
        }
        out.append(']');
    }

    static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c >= ' ') out.append(c);
            else if (c == '\n') out.append("\\n");
            else if (c == '\r') out.append("\\r");
            else if (c == '\t') out.append("\\t");
            else out.append(String.format("\\u%04X", (int) c));
        }
        out.append('"');
    }
}
