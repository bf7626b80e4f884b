// What Node.js is made of, as far as a quick start needs it. Every version that has these bindings calls them deprecated, and says so
// on stderr unless it is kept from it; where one is missing, something slower does the same.
'use strict';

// The binding, or nothing.
function binding(name) {
  const before = Object.getOwnPropertyDescriptor(process, 'noDeprecation');
  process.noDeprecation = true;
  try {
    return process.binding(name);
  } catch {
    return undefined;
  } finally {
    if (before) Object.defineProperty(process, 'noDeprecation', before);
    else delete process.noDeprecation;
  }
}

const HEAP_FLAG = /^--max-old-space-size=\d+$/;

// Node.js brings its own modules compiled, and compiles them anew when any flag of V8 is not as it was then: with a limit for the heap
// that costs each start milliseconds. The limit is read once, when the heap is made, so until the function is loaded the flag has its
// default. From Node.js 24 on V8 knows that such a flag does not matter, and has no such binding.
const flag = process.execArgv.find((argument) => HEAP_FLAG.test(argument));
const v8 = flag && binding('v8');
const known = typeof v8?.setFlagsFromString === 'function';
if (known) v8.setFlagsFromString('--max-old-space-size=0');

// For the heaps of the function's own threads.
function restoreFlags() {
  if (known) v8.setFlagsFromString(flag);
}

module.exports = { binding, restoreFlags };
