// The hostile function, for Java: does what the event's steps say and tells how each went. agent.py does the same.
import com.sun.security.auth.module.UnixSystem;
import java.lang.reflect.Method;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.nio.file.attribute.PosixFilePermission;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Agent implements RequestHandler<Map<String, Object>, List<Map<String, Object>>> {
    private static final List<String> KEPT = new ArrayList<>();
    private static final AtomicLong TICKS = new AtomicLong();
    private static final String[][] WORDS = {
        {"No such file or directory", "ENOENT"}, {"Permission denied", "EACCES"}, {"Operation not permitted", "EPERM"},
        {"Read-only file system", "EROFS"}, {"Not a directory", "ENOTDIR"}, {"Is a directory", "EISDIR"},
        {"Text file busy", "ETXTBSY"}, {"Too many levels of symbolic links", "ELOOP"}, {"Connection refused", "ECONNREFUSED"},
        {"Network is unreachable", "ENETUNREACH"}, {"No route to host", "EHOSTUNREACH"}, {"File exists", "EEXIST"},
        {"Cannot assign requested address", "EADDRNOTAVAIL"}, {"Invalid cross-device link", "EXDEV"},
        {"Address family not supported", "EAFNOSUPPORT"}, {"Protocol family unavailable", "EAFNOSUPPORT"},
        {"Invalid argument", "EINVAL"}, {"Connection timed out", "TIMEOUT"}, {"Connect timed out", "TIMEOUT"}};

    @Override
    public List<Map<String, Object>> handleRequest(Map<String, Object> event, Context context) {
        List<Map<String, Object>> results = new ArrayList<>();
        for (Object step : (List<?>) event.get("steps")) {
            List<Object> words = new ArrayList<>();
            for (Object part : (List<?>) step)
                words.add(part instanceof String ? ((String) part).replace("$ID", context.getAwsRequestId()) : part);
            results.add(attempt(words));
        }
        if (event.containsKey("aloud")) System.out.println(results);
        return results;
    }

    private static Map<String, Object> attempt(List<Object> words) {
        try {
            return Collections.singletonMap("ok", step((String) words.get(0), words));
        } catch (Exception e) {
            return Collections.singletonMap("error", (Object) name(e));
        }
    }

    /** The kernel's name of what went wrong, which Java tells in words or by the class of its exception. */
    private static String name(Exception e) {
        if (e instanceof NoSuchFileException) return "ENOENT";
        if (e instanceof AccessDeniedException) return "EACCES";
        if (e instanceof FileAlreadyExistsException) return "EEXIST";
        if (e instanceof NotDirectoryException) return "ENOTDIR";
        if (e instanceof AtomicMoveNotSupportedException) return "EXDEV";
        for (String[] words : WORDS) if (String.valueOf(e.getMessage()).contains(words[0])) return words[1];
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }

    private static Object step(String what, List<Object> words) throws Exception {
        String first = words.size() > 1 ? String.valueOf(words.get(1)) : "", second = words.size() > 2 ? String.valueOf(words.get(2)) : "";
        Path path = Paths.get(first);
        switch (what) {
            case "read": return read(path);
            case "write": return put(path, second, StandardOpenOption.WRITE);
            case "create": return put(path, second, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
            case "list": return list(path);
            case "links": return links(path);
            case "readlink": return Files.readSymbolicLink(path).toString();
            case "mkdir": return nothing(Files.createDirectory(path));
            case "unlink": return unlink(path);
            case "symlink": return nothing(Files.createSymbolicLink(Paths.get(second), path));
            case "link": return nothing(Files.createLink(Paths.get(second), path));
            case "rename": return nothing(Files.move(path, Paths.get(second), StandardCopyOption.ATOMIC_MOVE));
            case "chmod": return chmod(path, ((Number) words.get(2)).intValue());
            case "connect": return connect(first, ((Number) words.get(2)).intValue());
            case "connect_unix": return connectUnix(first);
            case "fetch": return fetch(words);
            case "run": return run(words.subList(1, words.size()));
            case "environment": return System.getenv();
            case "identity": return identity();
            case "remember": KEPT.add(first); return KEPT;
            case "recall": return KEPT;
            case "tick": return tick();
            case "ticks": return TICKS.get();
            case "hoard": return hoard();
            default: throw new IllegalArgumentException(what);
        }
    }

    private static Object nothing(Object done) { return null; }

    private static String read(Path path) throws IOException {
        try (InputStream in = new FileInputStream(path.toFile())) {
            return new String(in.readNBytes(4096), StandardCharsets.ISO_8859_1);
        }
    }

    private static int put(Path path, String text, OpenOption... how) throws IOException {
        try (FileChannel file = FileChannel.open(path, new HashSet<>(Arrays.asList(how)))) {
            return file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static List<String> list(Path path) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            for (Path entry : entries) names.add(entry.getFileName().toString());
        }
        return names;
    }

    private static Map<String, String> links(Path path) throws IOException {
        Map<String, String> found = new HashMap<>();
        for (String name : list(path)) {
            try {
                found.put(name, Files.readSymbolicLink(path.resolve(name)).toString());
            } catch (IOException e) {
                found.put(name, name(e));
            }
        }
        return found;
    }

    /** Files.delete takes directories too; unlink does not. */
    private static Object unlink(Path path) throws IOException {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) throw new IOException("Is a directory");
        Files.delete(path);
        return null;
    }

    private static Object chmod(Path path, int mode) throws IOException {
        PosixFilePermission[] all = PosixFilePermission.values();
        Set<PosixFilePermission> wanted = new HashSet<>();
        for (int bit = 0; bit < all.length; ++bit) if ((mode & 0400 >> bit) != 0) wanted.add(all[bit]);
        Files.setPosixFilePermissions(path, wanted);
        return null;
    }

    /** An IPv4 address in IPv6's clothes becomes the address itself in Java before the kernel hears of it. */
    private static Object connect(String host, int port) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(host), port), 2000);
            return null;
        }
    }

    private static Object connectUnix(String name) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(name));
            return null;
        }
    }

    /** By hand: Java's own client sends no header and no method that it does not like. */
    private static Object fetch(List<Object> words) throws IOException {
        StringBuilder head = new StringBuilder(words.get(2) + " " + words.get(3) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
        for (Map.Entry<?, ?> header : ((Map<?, ?>) words.get(4)).entrySet()) head.append(header.getKey() + ": " + header.getValue() + "\r\n");
        byte[] body = String.valueOf(words.get(5)).getBytes(StandardCharsets.UTF_8);
        if (body.length > 0) head.append("Content-Length: " + body.length + "\r\n");
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", ((Number) words.get(1)).intValue()), 2000);
            socket.setSoTimeout(5000);
            socket.getOutputStream().write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().write(body);
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            Matcher status = Pattern.compile("HTTP/1\\.1 (\\d+)").matcher(answer);
            if (!status.find()) throw new IOException("no answer");
            return Arrays.asList(Integer.parseInt(status.group(1)), answer.substring(answer.indexOf("\r\n\r\n") + 4));
        }
    }

    private static Object run(List<Object> argv) throws Exception {
        File out = File.createTempFile("out", null), err = File.createTempFile("err", null);
        String[] words = argv.stream().map(String::valueOf).toArray(String[]::new);
        Process process = new ProcessBuilder(words).redirectOutput(out).redirectError(err).start();
        process.getOutputStream().close();
        if (!process.waitFor(60, TimeUnit.SECONDS)) process.destroyForcibly().waitFor();
        Map<String, Object> answer = new HashMap<>();
        // As a shell tells it; the others say it by a negative number.
        int status = process.exitValue();
        answer.put("status", status > 128 ? 128 - status : status);
        answer.put("out", new String(Files.readAllBytes(out.toPath()), StandardCharsets.ISO_8859_1));
        answer.put("err", new String(Files.readAllBytes(err.toPath()), StandardCharsets.ISO_8859_1));
        out.delete();
        err.delete();
        return answer;
    }

    private static Object identity() throws Exception {
        UnixSystem system = new UnixSystem();
        Map<String, Object> answer = new HashMap<>();
        answer.put("uid", system.getUid());
        answer.put("gid", system.getGid());
        List<Long> groups = new ArrayList<>();
        for (long group : system.getGroups()) if (group != system.getGid()) groups.add(group);
        answer.put("groups", groups);
        return answer;
    }

    /** A thread that goes on after the answer, with a packet each millisecond, once it has sent a hundred. */
    private static long tick() throws Exception {
        DatagramSocket packets = new DatagramSocket();
        DatagramPacket packet = new DatagramPacket(new byte[1], 1, InetAddress.getByName("127.0.0.1"), 9);
        Thread thread = new Thread(() -> {
            try {
                for (;; Thread.sleep(1)) {
                    packets.send(packet);
                    TICKS.incrementAndGet();
                }
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        while (TICKS.get() < 100) Thread.sleep(1);
        return TICKS.get();
    }

    /** Outside of the heap, which has a bound of its own. */
    private static Object hoard() throws Exception {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        java.lang.reflect.Field field = type.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Object unsafe = field.get(null);
        Method allocate = type.getMethod("allocateMemory", long.class), fill = type.getMethod("setMemory", long.class, long.class, byte.class);
        for (;;) fill.invoke(unsafe, allocate.invoke(unsafe, 4_000_000L), 4_000_000L, (byte) 120);
    }
}
