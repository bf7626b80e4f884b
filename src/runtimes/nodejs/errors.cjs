// Errors as documents for the caller and as lines of the log.
'use strict';

class ImportModuleError extends Error {}
class HandlerNotFound extends Error {}
class MalformedHandlerName extends Error {}
class CallbackHandlerDeprecated extends Error {}

class UserCodeSyntaxError extends Error {
  constructor(cause) {
    super(cause);
    this.stack = cause.stack;
  }
}

class UnhandledPromiseRejection extends Error {
  constructor(reason, promise) {
    super(reason);
    this.reason = reason;
    this.promise = promise;
  }
}

class NodeJsExit extends Error {
  constructor() {
    super('The Lambda runtime client detected an unexpected Node.js exit code. This is usually caused by a Promise that '
      + 'was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes');
  }
}

const classes = {
  ImportModuleError, HandlerNotFound, MalformedHandlerName, CallbackHandlerDeprecated, UserCodeSyntaxError,
  UnhandledPromiseRejection, NodeJsExit,
};
for (const [name, kind] of Object.entries(classes)) kind.prototype.name = `Runtime.${name}`;

function looksLikeError(value) {
  return value instanceof Error
    || (value && ['name', 'message', 'stack'].every((key) => value[key] && typeof value[key] === 'string'));
}

// DEL would break the line that carries it to some readers; AWS writes it so.
const visible = (text) => text?.replaceAll('\x7F', '%7F');

// {errorType, errorMessage, trace}, for whatever was thrown.
function errorDocument(error) {
  try {
    if (!looksLikeError(error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
    return {
      errorType: visible(error.name),
      errorMessage: visible(error.message),
      trace: visible(error.stack)?.split('\n') ?? [],
    };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its '
        + 'message, name, and stack',
    };
  }
}

// For the log: with the error's own members, such as code.
function errorLine(error) {
  const whole = (_key, value) => {
    if (!(value instanceof Error)) return value;
    const members = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
    if (typeof value.stack === 'string') members.stack = value.stack.split('\n');
    return members;
  };
  try {
    return JSON.stringify(error, whole);
  } catch {
    return JSON.stringify(errorDocument(error));
  }
}

function serialize(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

module.exports = { ...classes, errorDocument, errorLine, serialize };
