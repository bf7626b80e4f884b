// The console as AWS patches it: one line a call, with time, request id and level.
//
// Newlines within a message become carriage returns on a plain stdout, where each line is an event of its own.
'use strict';

const util = require('util');
const { errorLine } = require('./errors.cjs');

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const REQUEST = Symbol.for('aws.lambda.runtime.requestId');
const TENANT = Symbol.for('aws.lambda.runtime.tenantId');

// A longer record is none.
const RECORD_LIMIT = 256 * 1024;

let json = false;
// Whether records of several lines stay one event each; otherwise every line of stdout is one.
let framed = false;

function setRequest(requestId, tenantId) {
  globalThis[REQUEST] = requestId;
  globalThis[TENANT] = tenantId;
}

function describe(_key, value) {
  if (!(value instanceof Error)) return value;
  const stackTrace = typeof value.stack === 'string' ? value.stack.split('\n') : value.stack;
  return { errorType: value.constructor?.name ?? 'UnknownError', errorMessage: value.message, stackTrace, ...value };
}

function jsonLine(time, level, values) {
  const line = { timestamp: time, level, requestId: globalThis[REQUEST] };
  if (globalThis[TENANT] !== undefined) line.tenantId = globalThis[TENANT];
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...line, message: values[0] }, describe);
    } catch {
      return JSON.stringify({ ...line, message: util.format(values[0]) });
    }
  }
  line.message = util.format(...values);
  const error = values.find((value) => value instanceof Error);
  return JSON.stringify(error ? { ...line, ...describe('', error) } : line);
}

function write(level, values) {
  const time = new Date().toISOString();
  const line = json ? jsonLine(time, level, values) : `${time}\t${globalThis[REQUEST]}\t${level}\t${util.format(...values)}`;
  const bytes = framed ? Buffer.from(line) : undefined;
  if (bytes && bytes.length <= RECORD_LIMIT) process.stdout.write(frame(level, bytes));
  else process.stdout.write(`${line.replaceAll('\n', '\r')}\n`);
}

// Kind and level, length, time in microseconds: what AWS's runtimes write to _LAMBDA_TELEMETRY_LOG_FD.
function frame(level, bytes) {
  const head = Buffer.alloc(16);
  head.writeUInt32BE((0xa55a0000 | (json ? 2 : 3) | LEVELS[level] << 2) >>> 0, 0);
  head.writeUInt32BE(bytes.length, 4);
  head.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);
  return Buffer.concat([head, bytes]);
}

function patchConsole(modern) {
  json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  framed = process.env._LAMBDA_TELEMETRY_LOG_FD === '1';
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  const threshold = LEVELS[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE;
  // Before the first event the older generation prints "undefined", the newer a hyphen.
  if (modern) setRequest('-', undefined);
  for (const level of Object.keys(LEVELS)) {
    const on = LEVELS[level] >= threshold;
    console[level.toLowerCase()] = on ? (message, ...rest) => write(level, [message, ...rest]) : () => {};
  }
  console.log = console.info;
}

function logError(title, error) {
  const known = error instanceof Error ? error : new Error(error);
  if (json) console.error(known);
  else console.error(title, `\t${errorLine(known)}`);
}

module.exports = { patchConsole, logError, setRequest };
