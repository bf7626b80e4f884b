// The connection to the Runtime API: HTTP/1.1 by hand over one kept-alive socket.
//
// An answer and the request for the next event leave in one write. While the handler runs, the socket does not keep the
// event loop alive: an empty loop is how a classic handler says that it is done.
'use strict';

const { openWire } = require('./wire.cjs');

const API = '/2018-06-01/runtime';
// A response may have 6 MiB and 100 bytes. A longer one is announced first, so that its refusal costs no transfer.
const RESPONSE_LIMIT = 6291556;
const LAST_WORDS_MS = 2000;

class Connection {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.target = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    this.host = `Host: ${address}\r\n`;
    this.nextRequest = `GET ${API}/invocation/next HTTP/1.1\r\n${this.host}\r\n`;
    this.wire = undefined;
    this.unread = undefined;
    // What was sent and not answered yet: {bytes, then}, in order.
    this.sent = [];
    this.fresh = false;
  }

  next(take) {
    this.send([{ bytes: this.nextRequest, then: (status, headers, body) => this.deliver(take, status, headers, body) }]);
  }

  answer(path, document, errorType, take) {
    const length = Buffer.byteLength(document);
    const next = { bytes: this.nextRequest, then: (status, headers, body) => this.deliver(take, status, headers, body) };
    if (length <= RESPONSE_LIMIT) {
      this.send([{ bytes: this.head(path, length, errorType) + document, then: () => {} }, next]);
      return;
    }
    const announced = (status) => {
      // Whatever the server did with it: the bytes after the head are in doubt, so the connection is not used again.
      if (status === 100) {
        this.send([{ bytes: document, then: () => this.restart([next]) }]);
      } else {
        this.restart([next]);
      }
    };
    this.send([{ bytes: this.head(path, length, errorType, 'Expect: 100-continue\r\n'), then: announced }]);
  }

  // Posts on a connection of its own, because the other one may be waiting for an event.
  lastWords(path, document, errorType, then) {
    openWire(this.target, then, then).write(this.head(path, Buffer.byteLength(document), errorType) + document);
    setTimeout(then, LAST_WORDS_MS);
  }

  head(path, length, errorType, extra = '') {
    if (errorType && /^[\x21-\x7e]+$/.test(errorType)) extra += `Lambda-Runtime-Function-Error-Type: ${errorType}\r\n`;
    return `POST ${API}${path} HTTP/1.1\r\n${this.host}Content-Type: application/json\r\n`
      + `Content-Length: ${length}\r\n${extra}\r\n`;
  }

  deliver(take, status, headers, body) {
    if (status !== 200) throw new Error(`the Runtime API answered ${status}: ${body}`);
    this.wire.unref();
    take(headers, body);
  }

  send(messages) {
    this.sent.push(...messages);
    if (!this.wire || this.wire.closed) {
      this.open();
    } else {
      this.wire.ref();
      this.write(messages);
    }
  }

  write(messages) {
    this.wire.write(messages.length === 1 ? messages[0].bytes : messages.map((message) => message.bytes).join(''));
  }

  // Nothing more is sent or heard.
  forget() {
    this.sent = [];
    this.wire.destroy();
  }

  restart(messages) {
    this.sent = messages;
    this.open();
  }

  open() {
    this.wire?.destroy();
    const wire = openWire(this.target, (bytes) => this.read(wire, bytes), () => this.lost(wire));
    this.wire = wire;
    this.unread = undefined;
    this.fresh = true;
    this.write(this.sent);
  }

  // The server may drop a connection between two messages; what it has not answered is said once more on a new one.
  lost(wire) {
    if (wire !== this.wire || this.sent.length === 0) return;
    if (this.fresh) process.exit(1);
    this.open();
  }

  read(wire, bytes) {
    this.unread = this.unread ? Buffer.concat([this.unread, bytes]) : bytes;
    while (this.unread && wire === this.wire) {
      const response = parse(this.unread);
      if (!response) return;
      this.unread = response.end < this.unread.length ? this.unread.subarray(response.end) : undefined;
      this.fresh = false;
      this.sent.shift()?.then(response.status, response.headers, response.body);
    }
  }
}

// One response at the start of the bytes, or nothing while it is incomplete.
function parse(bytes) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const lines = bytes.toString('utf8', 0, headEnd).split('\r\n');
  const headers = {};
  for (let i = 1; i < lines.length; i++) {
    const colon = lines[i].indexOf(':');
    headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
  }
  const end = headEnd + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < end) return undefined;
  return { status: Number(lines[0].slice(9, 12)), headers, body: bytes.toString('utf8', headEnd + 4, end), end };
}

module.exports = { Connection };
