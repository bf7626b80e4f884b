// From "dir/file.export" to a function of the user's code, CommonJS or ES module.
'use strict';

const fs = require('fs');
const path = require('path');
const Module = require('module');
const {
  CallbackHandlerDeprecated, HandlerNotFound, ImportModuleError, MalformedHandlerName, UserCodeSyntaxError,
} = require('./errors.cjs');
const { HttpResponseStream, isStreaming, streamifyResponse } = require('./streaming.cjs');

// The name that AWS's require stacks end with.
const load = Module.createRequire(path.join(__dirname, 'index.mjs'));

// Links above the code by which import finds packages of layers and of the runtime. require has NODE_PATH for that, whose order
// is a finer one.
const LINKS = ['/var/node_modules', '/node_modules'];
const upwards = Module._nodeModulePaths;
Module._nodeModulePaths = (from) => upwards(from).filter((directory) => !LINKS.includes(directory));

function split(handler) {
  if (handler.includes('..')) {
    throw new MalformedHandlerName(
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(handler);
  const parts = /^([^.]*)\.(.*)$/.exec(base);
  if (!parts) throw new MalformedHandlerName('Bad handler');
  return { directory: handler.slice(0, handler.indexOf(base)), file: parts[1], names: parts[2].split('.') };
}

function isModulePackage(directory) {
  for (; !directory.endsWith('/node_modules'); directory = path.dirname(directory)) {
    const description = path.join(directory, 'package.json');
    if (fs.existsSync(description)) {
      try {
        return JSON.parse(fs.readFileSync(description, 'utf8'))?.type === 'module';
      } catch (error) {
        console.warn(`${description} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (directory === '/') return false;
  }
  return false;
}

async function loadFile(root, directory, file, modern) {
  const base = path.resolve(root, directory, file);
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const whole = base + extension;
    if (!fs.existsSync(whole)) continue;
    const asModule = extension === '.mjs' || (extension === '.js' && isModulePackage(path.dirname(whole)));
    // `require` where it can: loading a CommonJS file through import() costs milliseconds and shows nothing more.
    if (asModule) return import(whole);
    if (!modern) return load(whole);
    return loadEither(whole);
  }
  return load(load.resolve(file, { paths: [root, path.join(root, directory)] }));
}

// nodejs24.x imports everything, so a .js file with `export` in it is a module there even without a package.json.
async function loadEither(whole) {
  try {
    return load(whole);
  } catch (error) {
    if (error instanceof SyntaxError || error.code === 'ERR_REQUIRE_ASYNC_MODULE') return import(whole);
    throw error;
  }
}

function find(module, names) {
  return names.reduce((value, name) => value && value[name], module);
}

async function loadHandler(root, handler, modern) {
  const { directory, file, names } = split(handler);
  defineGlobals();
  let module;
  try {
    module = await loadFile(root, directory, file, modern);
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserCodeSyntaxError(error);
    if (error?.code === 'MODULE_NOT_FOUND') throw new ImportModuleError(error);
    throw error;
  }
  const found = find(module, names) ?? (modern ? find(module?.default, names) : undefined);
  if (!found) throw new HandlerNotFound(`${handler} is undefined or not exported`);
  if (typeof found !== 'function') throw new HandlerNotFound(`${handler} is not a function`);
  if (!isStreaming(found) && modern && found.length >= 3) {
    throw new CallbackHandlerDeprecated(
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to '
      + 'modify this function to use a supported handler signature to use Node.js 24 or later. For more information see '
      + 'https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  return found;
}

function defineGlobals() {
  if (['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) return;
  globalThis.awslambda = { ...globalThis.awslambda, streamifyResponse, HttpResponseStream };
}

module.exports = { loadHandler };
