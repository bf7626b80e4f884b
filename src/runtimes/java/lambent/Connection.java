package lambent;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The one kept-alive connection to the Runtime API (2018-06-01). An answer and the request for the next event leave in one write.
 * Opened anew when the server has closed it between two messages.
 */
final class Connection {
    private static final String API = "/2018-06-01/runtime";
    /** A response may have 6 MiB and 100 bytes. A longer one is announced first, so that its refusal costs no transfer. */
    private static final int RESPONSE_LIMIT = 6291556;
    private static final int HEAD_LIMIT = 1 << 20;

    /** What the server sent: headers by lower-case names, and the body. */
    static final class Event {
        final int status;
        final Map<String, String> headers;
        final byte[] body;

        Event(int status, Map<String, String> headers, byte[] body) {
            this.status = status;
            this.headers = headers;
            this.body = body;
        }

        /** Null when it is not there. */
        String header(String name) {
            return headers.get(name);
        }
    }

    private final String host;
    private final int port;
    private final String hostLine;
    private final byte[] nextRequest;
    private Socket socket;
    private InputStream input;
    private OutputStream output;
    private byte[] unread = new byte[65536];
    private int begin;
    private int end;
    private boolean asked;

    Connection(String address) {
        int colon = address.lastIndexOf(':');
        host = address.substring(0, colon);
        port = Integer.parseInt(address.substring(colon + 1));
        hostLine = "Host: " + address + "\r\n";
        nextRequest = ("GET " + API + "/invocation/next HTTP/1.1\r\n" + hostLine + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Sends the request for the next event, whose answer next() takes. */
    void ask() throws IOException {
        send(nextRequest);
        asked = true;
    }

    void close() throws IOException {
        if (socket != null) socket.close();
        socket = null;
    }

    Event next() throws IOException {
        if (!asked) send(nextRequest);
        asked = false;
        Event event = receiveAgain(nextRequest);
        if (event.status != 200) throw new IOException("the Runtime API answered " + event.status);
        return event;
    }

    /** Posts an answer and asks for the next event. errorType may be null. */
    void answer(String path, byte[] body, String contentType, String errorType) throws IOException {
        if (body.length > RESPONSE_LIMIT) {
            announce(path, body, contentType);
            return;
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream(body.length + 512);
        whole.write(head(path, body.length, contentType, errorType, ""));
        whole.write(body);
        whole.write(nextRequest);
        byte[] bytes = whole.toByteArray();
        send(bytes);
        receiveAgain(bytes);
        asked = true;
    }

    /** Posts what the runtime ends with. */
    void lastWords(String path, byte[] body, String errorType) throws IOException {
        send(head(path, body.length, "application/json", errorType, ""));
        send(body);
        receive();
    }

    private void announce(String path, byte[] body, String contentType) throws IOException {
        send(head(path, body.length, contentType, null, "Expect: 100-continue\r\n"));
        if (receive().status == 100) {
            send(body);
            receive();
        }
        open();
    }

    private byte[] head(String path, int length, String contentType, String errorType, String extra) {
        StringBuilder head = new StringBuilder(256);
        head.append("POST ").append(API).append(path).append(" HTTP/1.1\r\n").append(hostLine).append("Content-Type: ").append(contentType)
            .append("\r\nContent-Length: ").append(length).append("\r\n").append(extra);
        if (errorType != null) head.append("Lambda-Runtime-Function-Error-Type: ").append(errorType).append("\r\n");
        return head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private void open() throws IOException {
        if (socket != null) socket.close();
        socket = new Socket(host, port);
        socket.setTcpNoDelay(true);
        input = socket.getInputStream();
        output = socket.getOutputStream();
        begin = end = 0;
    }

    private void send(byte[] bytes) throws IOException {
        if (socket == null) open();
        output.write(bytes);
    }

    /** The server may have dropped an idle connection. An answer that did arrive is refused the second time. */
    private Event receiveAgain(byte[] request) throws IOException {
        try {
            return receive();
        } catch (EOFException | SocketException e) {
            open();
            send(request);
            return receive();
        }
    }

    private Event receive() throws IOException {
        int stop;
        while ((stop = endOfHead()) < 0) fill();
        String[] lines = new String(unread, begin, stop - begin, StandardCharsets.UTF_8).split("\r\n");
        begin = stop + 4;
        Map<String, String> headers = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            if (colon > 0) headers.put(lines[i].substring(0, colon).toLowerCase(Locale.ROOT), lines[i].substring(colon + 1).trim());
        }
        String length = headers.get("content-length");
        byte[] body = take(length == null ? 0 : Integer.parseInt(length));
        return new Event(Integer.parseInt(lines[0].substring(9, 12)), headers, body);
    }

    private int endOfHead() {
        for (int i = begin; i + 3 < end; i++)
            if (unread[i] == '\r' && unread[i + 1] == '\n' && unread[i + 2] == '\r' && unread[i + 3] == '\n') return i;
        return -1;
    }

    private void fill() throws IOException {
        if (end - begin > HEAD_LIMIT) throw new IOException("a response head without end");
        if (end == unread.length) {
            byte[] larger = begin > 0 ? unread : new byte[unread.length * 2];
            System.arraycopy(unread, begin, larger, 0, end - begin);
            end -= begin;
            begin = 0;
            unread = larger;
        }
        int got = input.read(unread, end, unread.length - end);
        if (got < 0) throw new EOFException("the Runtime API closed the connection");
        end += got;
    }

    private byte[] take(int length) throws IOException {
        byte[] body = new byte[length];
        int have = Math.min(length, end - begin);
        System.arraycopy(unread, begin, body, 0, have);
        begin += have;
        while (have < length) {
            int got = input.read(body, have, length - have);
            if (got < 0) throw new EOFException("the Runtime API closed the connection");
            have += got;
        }
        return body;
    }
}
