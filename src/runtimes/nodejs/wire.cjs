// A TCP connection, by the handle that `net` is made of: `net` and the streams below it cost a start four milliseconds, and of all
// they can the Runtime API needs connect, write and read.
'use strict';

const { binding } = require('./internals.cjs');

const NUMBERS = /^\d+\.\d+\.\d+\.\d+$/;

function handles() {
  const tcp = binding('tcp_wrap');
  const stream = binding('stream_wrap');
  const found = { ...tcp, ...stream };
  const known = typeof found.TCP?.prototype.connect === 'function' && typeof found.TCP.prototype.readStart === 'function'
    && typeof found.TCP.prototype.writeUtf8String === 'function' && typeof found.TCPConnectWrap === 'function'
    && typeof found.WriteWrap === 'function' && typeof found.constants?.SOCKET === 'number'
    && typeof found.streamBaseState?.[found.kReadBytesOrError] === 'number'
    && typeof found.streamBaseState[found.kArrayBufferOffset] === 'number';
  return known ? found : undefined;
}

class HandleWire {
  constructor(parts, { host, port }, read, ended) {
    this.parts = parts;
    this.ended = ended;
    this.closed = false;
    this.handle = new parts.TCP(parts.constants.SOCKET);
    this.handle.onread = (buffer) => {
      const count = parts.streamBaseState[parts.kReadBytesOrError];
      if (count > 0) read(Buffer.from(buffer, parts.streamBaseState[parts.kArrayBufferOffset], count));
      else if (count < 0) this.end();
    };
    const request = new parts.TCPConnectWrap();
    request.oncomplete = (status) => {
      if (status < 0) this.end();
      else if (!this.closed) this.handle.readStart();
    };
    if (this.handle.connect(request, host, port) !== 0) process.nextTick(() => this.end());
    this.handle.setNoDelay(true);
  }

  write(text) {
    if (this.closed) return;
    const request = new this.parts.WriteWrap();
    request.oncomplete = (status) => {
      if (status < 0) this.end();
    };
    if (this.handle.writeUtf8String(request, text) !== 0) process.nextTick(() => this.end());
  }

  ref() {
    this.handle.ref();
  }

  unref() {
    this.handle.unref();
  }

  end() {
    if (this.closed) return;
    this.destroy();
    this.ended();
  }

  // Nothing more is heard of it.
  destroy() {
    if (this.closed) return;
    this.closed = true;
    this.handle.close();
  }
}

class SocketWire {
  constructor(target, read, ended) {
    this.closed = false;
    this.socket = require('net').connect({ ...target, noDelay: true });
    const end = () => {
      if (this.closed) return;
      this.destroy();
      ended();
    };
    this.socket.on('data', read).once('error', end).once('end', end).once('close', end);
  }

  write(text) {
    this.socket.write(text);
  }

  ref() {
    this.socket.ref();
  }

  unref() {
    this.socket.unref();
  }

  destroy() {
    this.closed = true;
    this.socket.removeAllListeners().on('error', () => {}).destroy();
  }
}

let parts;

// `read` is called with each piece, `ended` once when the connection is over, unless destroy() came before.
function openWire(target, read, ended) {
  if (parts === undefined) parts = handles() ?? null;
  return parts && NUMBERS.test(target.host) ? new HandleWire(parts, target, read, ended) : new SocketWire(target, read, ended);
}

module.exports = { openWire };
