"""Writes a C++ file whose FUNCTION returns other files: embed.py OUT FUNCTION NAME=PATH[:x]... ("x": what is executable)."""

import pathlib
import sys

out, function, *pairs = sys.argv[1:]
lines = ['#include "runtimes/bootstraps.h"', "", "namespace lambent::runtimes {", "namespace {", ""]
rows = []
for number, pair in enumerate(pairs):
    name, path = pair.split("=", 1)
    executable = path.endswith(":x")
    data = pathlib.Path(path[:-2] if executable else path).read_bytes()
    lines.append("constexpr unsigned char kFile%d[] = {" % number)
    for begin in range(0, len(data), 32):
        lines.append("".join("%d," % byte for byte in data[begin : begin + 32]))
    lines.append("};")
    rows.append('    {"%s", std::string_view(reinterpret_cast<const char*>(kFile%d), %d), %s},'
                % (name, number, len(data), "true" if executable else "false"))
lines += ["", "const EmbeddedFile kFiles[] = {", *rows, "};", "", "}  // namespace", "",
          "std::span<const EmbeddedFile> %s() { return kFiles; }" % function, "",
          "}  // namespace lambent::runtimes", ""]
pathlib.Path(out).parent.mkdir(parents=True, exist_ok=True)
pathlib.Path(out).write_text("\n".join(lines))
