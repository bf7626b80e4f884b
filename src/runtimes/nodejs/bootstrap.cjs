// What node executes in the sandbox: finds the handler, then takes event after event.
//
// Two generations of AWS's own runtime differ in what a handler may be. Up to nodejs22.x: callbacks, context.done() and its
// kin, an answer of null for whoever never answers. From nodejs24.x: a handler's value or promise and nothing else.
// Written from the published behaviour of aws-lambda-nodejs-runtime-interface-client 3.x and 4.x.
'use strict';

// Before whatever else is loaded.
const { restoreFlags } = require('./internals.cjs');
const { Connection } = require('./connection.cjs');
const { patchConsole, logError, setRequest } = require('./console.cjs');
const { highWaterMark, isStreaming, openResponse, runStreaming } = require('./streaming.cjs');
const { loadHandler } = require('./user_function.cjs');
const { errorDocument, serialize, UnhandledPromiseRejection, NodeJsExit } = require('./errors.cjs');

const FIRST_MODERN_VERSION = 24;
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;

// Set by configure(): a process that waits for its function loads this file before the environment is known.
let modern;
let connection;

function configure() {
  const named = /^AWS_Lambda_nodejs(\d+)\.x$/.exec(process.env.AWS_EXECUTION_ENV ?? '');
  modern = Number(named ? named[1] : process.versions.node.split('.')[0]) >= FIRST_MODERN_VERSION;
  connection = new Connection(process.env.AWS_LAMBDA_RUNTIME_API);
}

function header(value, name) {
  if (!value) return undefined;
  try {
    return JSON.parse(value);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`);
  }
}

function fillContext(context, headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const { env } = process;
  return Object.assign(context, {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: header(headers['lambda-runtime-client-context'], 'ClientContext'),
    identity: header(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  });
}

// Named as AWS's class and with its member `handler`, because both appear in the stack traces that people read.
class Runtime {
  constructor(handler) {
    this.handler = handler;
    this.streams = isStreaming(handler);
    this.requestId = undefined;
    this.answered = true;
    this.onEmptyLoop = undefined;
  }

  take(headers, body) {
    this.requestId = headers['lambda-runtime-aws-request-id'];
    this.answered = false;
    setRequest(this.requestId, headers['lambda-runtime-aws-tenant-id']);
    const trace = headers['lambda-runtime-trace-id'];
    if (trace) process.env._X_AMZN_TRACE_ID = trace;
    else delete process.env._X_AMZN_TRACE_ID;
    if (this.streams) this.handleOnceStreaming(headers, body);
    else if (modern) this.handleOnce(headers, body);
    else this.handleOnceNonStreaming(headers, body);
  }

  async handleOnce(headers, body) {
    // Leaves the socket's call stack behind, so that a handler's trace ends here.
    await undefined;
    try {
      const context = fillContext({}, headers);
      const result = await this.handler(JSON.parse(body), context);
      await new Promise(setImmediate);
      this.succeed(result);
    } catch (error) {
      this.fail(error);
    }
  }

  async handleOnceNonStreaming(headers, body) {
    await undefined;
    const { callback, context } = this.callbacks();
    this.onEmptyLoop = () => {
      if (this.handler.constructor.name === 'AsyncFunction') this.fail(new NodeJsExit());
      else this.succeed(null);
    };
    try {
      const result = this.handler(JSON.parse(body), fillContext(context, headers), callback);
      if (typeof result?.then === 'function') {
        result.then(context.succeed, context.fail).catch(context.fail);
      }
    } catch (error) {
      callback(error);
    }
  }

  async handleOnceStreaming(headers, body) {
    await undefined;
    const response = openResponse(process.env.AWS_LAMBDA_RUNTIME_API, this.requestId, highWaterMark(this.handler));
    try {
      const context = fillContext(modern ? {} : this.callbacks().context, headers);
      await runStreaming(this.handler, JSON.parse(body), context, response);
    } catch (error) {
      logError('Invoke Error', error);
      if (!await response.fail(error)) {
        const document = errorDocument(error);
        this.answer('error', JSON.stringify(document), document.errorType);
        return;
      }
    }
    this.answered = true;
    this.start();
  }

  // The third argument and the context of a classic handler. Whichever of them is called first decides.
  callbacks() {
    let waits = true;
    let decided = false;
    const first = (decide) => (...values) => {
      if (decided) return;
      decide(...values);
      decided = true;
    };
    const done = (error, result) => {
      this.onEmptyLoop = undefined;
      if (error !== undefined && error !== null) this.fail(error);
      else this.succeed(result);
    };
    const callback = (error, result) => {
      if ((error === undefined || error === null) && waits) {
        this.onEmptyLoop = () => setImmediate(() => this.succeed(result));
      } else {
        done(error, result);
      }
    };
    const context = {
      get callbackWaitsForEmptyEventLoop() {
        return waits;
      },
      set callbackWaitsForEmptyEventLoop(value) {
        waits = value;
      },
      succeed: first((result) => done(null, result)),
      fail: first((error) => done(error ?? 'handled')),
      done: first(done),
    };
    return { callback: first(callback), context };
  }

  succeed(result) {
    if (this.answered) return;
    const document = serialize(result);
    this.answer('response', document);
  }

  fail(error) {
    if (this.answered) return;
    logError('Invoke Error', error);
    const document = errorDocument(error);
    this.answer('error', JSON.stringify(document), document.errorType);
  }

  answer(kind, document, errorType) {
    this.answered = true;
    this.onEmptyLoop = undefined;
    connection.answer(`/invocation/${this.requestId}/${kind}`, document, errorType, (...event) => this.take(...event));
  }

  start() {
    connection.next((...event) => this.take(...event));
  }
}

let runtime;

function die(title, error, status) {
  logError(title, error);
  const document = errorDocument(error);
  const path = runtime ? `/invocation/${runtime.requestId}/error` : '/init/error';
  connection.lastWords(path, JSON.stringify(document), document.errorType, () => process.exit(status));
}

async function main() {
  configure();
  patchConsole(modern);
  if (!modern) {
    process.on('uncaughtException', (error) => die('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION));
    process.on('unhandledRejection', (reason, promise) => {
      die('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason, promise), EXIT_UNHANDLED_REJECTION);
    });
    process.on('beforeExit', () => {
      const then = runtime?.onEmptyLoop;
      if (then) {
        runtime.onEmptyLoop = undefined;
        then();
      }
    });
  }
  restoreFlags();
  try {
    const handler = await loadHandler(process.env.LAMBDA_TASK_ROOT ?? '/var/task', process.env._HANDLER ?? '', modern);
    runtime = new Runtime(handler);
  } catch (error) {
    if (modern) die('Init Error', error, 1);
    else die('Uncaught Exception', error, EXIT_UNCAUGHT_EXCEPTION);
    return;
  }
  runtime.start();
}

// One event, so that all of the above has been compiled before there is a function.
async function rehearse(handler) {
  process.env.AWS_LAMBDA_RUNTIME_API = '127.0.0.1:9001';
  for (const runtime of ['nodejs20.x', 'nodejs24.x']) {
    process.env.AWS_EXECUTION_ENV = `AWS_Lambda_${runtime}`;
    configure();
    const rehearsed = new Runtime(await loadHandler(__dirname, handler, modern));
    await rehearsedWith(rehearsed);
  }
}

function rehearsedWith(rehearsed) {
  return new Promise((resolve) => {
    const server = require('net').createServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r\r\nLambda-Runtime-Deadline-Ms: 0\r\nContent-Length: 2\r\n\r\n{}');
        socket.once('data', () => {
          connection.forget();
          socket.destroy();
          server.close(resolve);
        });
      });
    });
    server.listen(0, '127.0.0.1', () => {
      connection = new Connection(`127.0.0.1:${server.address().port}`);
      rehearsed.start();
    });
  });
}

if (process.argv[2] === '--spare') {
  // From a stack of its own: traces end with main, as they do without a wait.
  require('./spare.cjs').wait(rehearse).then(() => setImmediate(() => main()));
} else {
  main();
}
