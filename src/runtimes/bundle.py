"""bundle.py OUT ENTRY MODULE...: one file of a bootstrap's files, so that a cold start finds, reads and compiles one.

Each module stays a function of its own, run when it is first required, as it would be by itself; what is required from elsewhere is
the outer require's. All of them lie in one directory, so __dirname is the same for all.
"""

import pathlib
import sys

STRICT = "'use strict';\n"
HEAD = """// Made by bundle.py.
'use strict';

const bundled = {};
const loaded = {};
const outer = require;

function inner(name) {
  if (!Object.hasOwn(bundled, name)) return outer(name);
  if (!Object.hasOwn(loaded, name)) {
    const module = { exports: {} };
    loaded[name] = module;
    bundled[name](inner, module);
  }
  return loaded[name].exports;
}
inner.cache = outer.cache;
"""


def body(path):
    text = pathlib.Path(path).read_text()
    assert text.count(STRICT) == 1, f"{path} is not strict"
    return text.replace(STRICT, "")


def main():
    out, entry, *modules = sys.argv[1:]
    parts = [HEAD]
    for module in modules:
        parts.append(f"\nbundled['./{pathlib.Path(module).name}'] = (require, module) => {{\n{body(module)}}};\n")
    parts.append(f"\n((require) => {{\n{body(entry)}}})(inner);\n")
    pathlib.Path(out).write_text("".join(parts))


main()
