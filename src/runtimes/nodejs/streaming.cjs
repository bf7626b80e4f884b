// Response streaming: awslambda.streamifyResponse, and the stream that such a handler writes to.
//
// The response is a chunked POST whose body is written while the handler runs; an error that comes after its beginning is told in
// the trailers. It is Node's own http client, whose request object is the stream that handlers are given on AWS too, behind the
// same list of members. Written from the published behaviour of aws-lambda-ric 3.x and 4.x.
'use strict';

const { errorDocument } = require('./errors.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';
const DELIMITER_BYTES = 8;
const ERROR_TYPE = 'Lambda-Runtime-Function-Error-Type';
const ERROR_BODY = 'Lambda-Runtime-Function-Error-Body';

class InvalidStreamingOperation extends Error {}
class MalformedStreamingHandler extends Error {}
InvalidStreamingOperation.prototype.name = 'Runtime.InvalidStreamingOperation';
MalformedStreamingHandler.prototype.name = 'Runtime.MalformedStreamingHandler';

const METHODS = [
  'cork', 'destroy', 'end', 'uncork', 'write', 'addListener', 'on', 'once', 'prependListener', 'prependOnceListener', 'off',
  'removeListener', 'removeAllListeners', 'setMaxListeners', 'getMaxListeners', 'listeners', 'rawListeners', 'listenerCount',
  'eventNames', 'emit', 'setContentType',
];
const SETTABLE = ['destroyed', '_onBeforeFirstWrite'];
const READABLE = [
  'writableFinished', 'writableObjectMode', 'writableEnded', 'writableNeedDrain', 'writableHighWaterMark', 'writableCorked',
  'writableLength', 'writable',
];

// {request, done, fail}: what the handler writes to, a promise of the Runtime API's answer, and how to end it with an error.
function openResponse(address, requestId, highWaterMark) {
  // Loaded by functions that stream, and by nobody else.
  const http = require('http');
  const net = require('net');
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  const port = Number(address.slice(colon + 1));
  let written = false;
  const inner = http.request({
    method: 'POST',
    host,
    port,
    path: `/2018-06-01/runtime/invocation/${requestId}/response`,
    headers: {
      'Content-Type': 'application/octet-stream',
      'Transfer-Encoding': 'chunked',
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      Trailer: [ERROR_TYPE, ERROR_BODY],
    },
    // Not with the request's own options: before Node.js 20 they have its path, which would be a socket's.
    createConnection: (_, connected) => net.createConnection({ host, port, highWaterMark, noDelay: true }, connected),
  });
  const done = new Promise((resolve, reject) => {
    inner.on('response', (response) => response.on('data', () => {}).on('end', resolve).on('error', reject));
    inner.on('error', reject);
  });
  // Whoever does not wait for it is told by another way.
  done.catch(() => {});
  inner.setContentType = (type) => {
    if (written) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    inner.setHeader('Content-Type', type);
  };
  const write = inner.write.bind(inner);
  inner.write = (chunk, encoding, callback) => {
    const raw = typeof chunk === 'string' || Buffer.isBuffer(chunk) || chunk instanceof Uint8Array;
    if (!written && typeof inner._onBeforeFirstWrite === 'function') inner._onBeforeFirstWrite((first) => write(first));
    const room = write(raw ? chunk : JSON.stringify(chunk), encoding, callback);
    written = true;
    return room;
  };
  // False when the response was destroyed, so that nothing can be told in it any more. One that was ended is over.
  const fail = async (error) => {
    const document = errorDocument(error);
    if (inner.writableEnded) return done.then(() => true, () => false);
    if (inner.destroyed) return false;
    // Between letters only: a trailer is a header's line.
    const type = /^[\x21-\x7e]+$/.test(document.errorType ?? '') ? document.errorType : 'Unhandled';
    inner.addTrailers({ [ERROR_TYPE]: type, [ERROR_BODY]: Buffer.from(JSON.stringify(document)).toString('base64') });
    inner.end();
    await done.catch(() => {});
    return true;
  };
  return { request: facade(inner), done, fail };
}

// No more than AWS's: a handler that works here works there.
function facade(inner) {
  const stream = {};
  for (const name of METHODS) stream[name] = inner[name].bind(inner);
  for (const name of SETTABLE) {
    Object.defineProperty(stream, name, { get: () => inner[name], set: (value) => { inner[name] = value; } });
  }
  for (const name of READABLE) Object.defineProperty(stream, name, { get: () => inner[name] });
  return stream;
}

// Runs one event through a streaming handler; rejects with what went wrong.
async function runStreaming(handler, event, context, response) {
  const result = handler(event, response.request, context);
  if (typeof result !== 'object' || result === null || typeof result.then !== 'function') {
    throw new Error('Streaming does not support non-async handlers.');
  }
  if (typeof (await result) !== 'undefined') console.warn('Streaming handlers ignore return values.');
  await response.done;
  if (!response.request.writableFinished) throw new Error('Response stream is not finished.');
}

class HttpResponseStream {
  // On the first write the metadata and eight NUL bytes go ahead.
  static from(stream, prelude) {
    stream.setContentType(PRELUDE_TYPE);
    const metadata = JSON.stringify(prelude);
    stream._onBeforeFirstWrite = (write) => {
      write(metadata);
      write(new Uint8Array(DELIMITER_BYTES));
    };
    return stream;
  }
}

function streamifyResponse(handler, options) {
  handler[STREAMING] = 'response';
  if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
  return handler;
}

function isStreaming(handler) {
  const mode = handler[STREAMING];
  if (!mode) return false;
  if (mode === 'response') return true;
  throw new MalformedStreamingHandler('Only response streaming is supported.');
}

function highWaterMark(handler) {
  const mark = Number(handler[HIGH_WATER_MARK] || undefined);
  return Number.isNaN(mark) ? undefined : mark;
}

module.exports = { streamifyResponse, HttpResponseStream, isStreaming, highWaterMark, openResponse, runStreaming };
