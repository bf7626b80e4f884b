// A node that waits for its function. Descriptor 3 is a socket: it says that it waits, then reads what exec would have been
// given, and becomes that. Nothing of a function runs before.
'use strict';

const fs = require('fs');

const ASSIGNMENT = 3;
// The kernel would not give exec more than this either (MAX_ARG_STRLEN times a few).
const ASSIGNMENT_LIMIT = 4 << 20;
// What most functions load sooner or later: it costs them nothing here.
const COMMON = ['crypto', 'http', 'https', 'os', 'stream', 'url', 'zlib'];

function readAssignment() {
  const chunks = [];
  const chunk = Buffer.allocUnsafe(65536);
  let length = 0;
  fs.writeSync(ASSIGNMENT, '1');
  for (let count; (count = fs.readSync(ASSIGNMENT, chunk)) > 0;) {
    chunks.push(Buffer.from(chunk.subarray(0, count)));
    length += count;
    if (length > ASSIGNMENT_LIMIT) process.exit(1);
  }
  fs.closeSync(ASSIGNMENT);
  if (length === 0) process.exit(0);
  return parse(Buffer.concat(chunks));
}

// The variables, NAME=VALUE.
function parse(message) {
  const { length } = message;
  if (length < 12 || message.readUInt32LE(0) !== length - 4) process.exit(1);
  const texts = message.toString('utf8', 12).split('\0');
  const variables = message.readUInt32LE(8);
  if (texts.pop() !== '' || texts.length !== message.readUInt32LE(4) + variables) process.exit(1);
  return texts.slice(texts.length - variables);
}

function become(variables, directory) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const pair of variables) {
    const equals = pair.indexOf('=');
    process.env[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  // Also when it is the directory already: something else has been mounted on it since.
  process.chdir(directory ?? process.env.LAMBDA_TASK_ROOT ?? '/var/task');
  process.argv.length = 2;
}

// Once there and back: what runs for the first time is slow.
function rehearseBecoming() {
  const before = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const variables = Array.from({ length: 40 }, (_, number) => `REHEARSAL_${number}=${'x'.repeat(16 * number)}\0`);
  const body = Buffer.from(variables.join(''));
  const head = Buffer.alloc(12);
  [8 + body.length, 0, variables.length].forEach((field, index) => head.writeUInt32LE(field, 4 * index));
  become(parse(Buffer.concat([head, body])), __dirname);
  become(before, __dirname);
}

// What a rehearsal leaves behind.
function clean() {
  delete globalThis.awslambda;
  for (const name of Object.keys(require.cache)) if (name.endsWith('/nop.cjs')) delete require.cache[name];
  require('./console.cjs').setRequest(undefined, undefined);
}

async function wait(rehearse) {
  COMMON.forEach(require);
  // Opening them takes longer than the first line that is written to them.
  [process.stdout, process.stderr].forEach((stream) => stream.writable);
  try {
    rehearseBecoming();
    await rehearse('nop.handler');
  } catch (error) {
    // Then the first event is slower, and nothing else.
    console.error(`lambent: the rehearsal for Node.js stopped: ${error}`);
  }
  clean();
  become(readAssignment());
}

module.exports = { wait };
