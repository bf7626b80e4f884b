#!/usr/bin/python3
"""House rules that a machine can hold, in a second: layers, sizes, words, links. Prints every breach; exits 1 when there is one.

The exceptions, each by name and with its reason, are in tests/tidy_exceptions.txt.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70
CODE = {".cc", ".h", ".c"}
TEXT = CODE | {".py", ".sh", ".js", ".mjs", ".md", ".txt", ".cmake", ".json", ".yml", ".service", ""}
# A type or a file with such a word in its name does not say what it is for.
VAGUE = re.compile(r"\b(?:class|struct|enum(?: class)?|union|concept)\s+(?:\[\[\w+\]\]\s*)?"
                   r"(\w*(?:Manager|Helper|Util|Utils|Provider|Impl|Misc)\w*)\b(?!\s*;)|\b(?:class|struct)\s+(\w*Data)\b")
VAGUE_FILE = re.compile(r"(?:^|_)(?:manager|helper|helpers|util|utils|misc|impl|common)(?:_|\.|$)")
LEFT_OVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
# Tests must run on any machine: nothing names this one's directories or the hosts that packages come from.
FOREIGN = re.compile(r"/work/(?:main|shared|repo)|/tmp/w/|/root/\.pyenv|registry\.npmjs|pypi\.org|pythonhosted|crates\.io/|"
                     r"proxy\.golang|deb\.debian\.org|nodesource|maven\.org")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# In SPECIFICATION.md a promise names what holds it as `path` or `path::test`.
HOLDER = re.compile(r"`((?:tests|src|bench|packaging)/[\w./*-]+)(?:::([\w.]+))?`")


def committed():
    """Every file that git knows or would add."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, check=True).stdout
    return sorted(path for path in (ROOT / name for name in listed.decode().split("\0") if name) if path.is_file())


def read_exceptions():
    """{(rule, place)} from lines RULE PLACE REASON..."""
    allowed = set()
    for line in (ROOT / "tests/tidy_exceptions.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            rule, place, _reason = line.split(maxsplit=2)
            allowed.add((rule, place))
    return allowed


class Report:
    def __init__(self, allowed):
        self.allowed = allowed
        self.used = set()
        self.lines = []

    def breach(self, rule, place, text, line=None):
        if (rule, place) in self.allowed:
            self.used.add((rule, place))
            return
        self.lines.append(f"{place.split(':')[0]}:{line or 1}: {rule}: {text}")


def read_layers():
    layers = {}
    for line in (ROOT / "src/LAYERS").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            folder, _, rest = line.partition(":")
            layers[folder.strip()] = rest.split()
    return layers


def layer_of(path, layers):
    """The longest folder of the table that holds src/PATH; store/code belongs to store, sandbox/jail to sandbox."""
    parts = path.split("/")[:-1]
    for end in range(len(parts), 0, -1):
        if "/".join(parts[:end]) in layers:
            return "/".join(parts[:end])
    return None


def check_layers(report, path, text, layers):
    place = path.relative_to(ROOT).as_posix()
    own = layer_of(place.removeprefix("src/"), layers)
    if own is None:
        if place.count("/") > 1:
            report.breach("layer", place, "its folder is not in src/LAYERS")
        return
    for found in INCLUDE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        target = layer_of(found[1], layers)
        if target is None:
            # Generated headers and a file's own neighbours carry no folder of the table.
            if (ROOT / "src" / found[1]).exists():
                report.breach("layer", place, f"includes {found[1]}, whose folder is not in src/LAYERS", line)
        elif target != own and "*" not in layers[own] and not within(target, reach(path, own, layers)):
            report.breach("layer", place, f"{own} may not include {found[1]}", line)


def reach(path, own, layers):
    """The folders that a file of `own` may include. A test may also make what its folder stands on."""
    if not path.name.endswith(("_test.cc", "_fuzz.cc")):
        return layers[own]
    found, open_ends = set(), list(layers[own])
    while open_ends:
        folder = open_ends.pop()
        if folder not in found:
            found.add(folder)
            open_ends += layers.get(folder, [])
    return found


def within(target, allowed):
    return any(target == folder or target.startswith(folder + "/") for folder in allowed)


def code_only(text):
    """The text with comments, strings and character literals blanked, line by line the same."""
    pattern = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda found: "\n" * found[0].count("\n") if "\n" in found[0] else " ", text)


def functions(code):
    """(first line, last line, name) of each function body: an outermost brace block whose head holds a parameter list."""
    stack = []
    line = 1
    head_start = 0
    for index, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char in ";}" and not stack_is_function(stack):
            head_start = index + 1
        if char == "{":
            head = code[head_start:index]
            inside = stack_is_function(stack)
            stack.append((not inside and looks_like_function(head), line, head))
            if not inside:
                head_start = index + 1
        elif char == "}" and stack:
            is_function, first, head = stack.pop()
            if is_function:
                yield first, line, function_name(head)
            if not stack_is_function(stack):
                head_start = index + 1


def stack_is_function(stack):
    return any(entry[0] for entry in stack)


def looks_like_function(head):
    head = re.sub(r"^\s*#[^\n]*$", "", head, flags=re.M).strip()
    if re.match(r"(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b", head) and "(" not in head:
        return False
    return bool(re.search(r"\)\s*(?:const|noexcept|override|final|mutable|->[^={}]*|:[^;]*)*\s*$", head)) and "=" not in \
        head.split("(")[0]


def function_name(head):
    found = re.search(r"([~\w:<>]+)\s*\(", head)
    return found[1] if found else "?"


def check_code(report, path, text):
    place = path.relative_to(ROOT).as_posix()
    count = text.count("\n")
    if count > MAX_FILE_LINES:
        report.breach("file-length", place, f"{count} lines, at most {MAX_FILE_LINES}: two subjects?")
    code = code_only(text)
    for first, last, name in functions(code):
        if last - first + 1 > MAX_FUNCTION_LINES:
            report.breach("function-length", f"{place}:{name}", f"{name} has {last - first + 1} lines, at most {MAX_FUNCTION_LINES}",
                          first)
    for found in VAGUE.finditer(code):
        report.breach("word", f"{place}:{found[1] or found[2]}", f"a type named {found[1] or found[2]}",
                      code.count("\n", 0, found.start()) + 1)
    if VAGUE_FILE.search(path.name):
        report.breach("word", place, "a vague file name")
    if path.name.endswith("_test.cc") and not re.search(r"^\s*(?:TYPED_)?TEST(?:_[FP])?\s*\(", text, re.M):
        report.breach("test", place, "holds no TEST")
    if path.name.endswith("_fuzz.cc") and "LLVMFuzzerTestOneInput" not in text:
        report.breach("test", place, "holds no fuzz target")


def check_text(report, path, text):
    place = path.relative_to(ROOT).as_posix()
    tabs_allowed = path.name == "Makefile" or path.suffix in {".json"}
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            report.breach("space", place, "trailing space", number)
        if "\t" in line and not tabs_allowed:
            report.breach("space", place, "a tab", number)
        if path.name != "tidy.py":
            if LEFT_OVER.search(line):
                report.breach("left-over", place, LEFT_OVER.search(line)[0], number)
            if FOREIGN.search(line):
                report.breach("foreign", place, f"{FOREIGN.search(line)[0]} is of one machine or a registry's address", number)
    if text and not text.endswith("\n"):
        report.breach("space", place, "no newline at the end", text.count("\n") + 1)


def check_links(report, path, text):
    place = path.relative_to(ROOT).as_posix()
    for number, line in enumerate(text.split("\n"), 1):
        for target in LINK.findall(line):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                report.breach("link", place, f"{target} is not there", number)
        if path.name == "SPECIFICATION.md":
            for name, test in HOLDER.findall(line):
                check_holder(report, place, number, name, test)


def check_holder(report, place, number, name, test):
    files = [path for path in ROOT.glob(name) if path.exists()]
    if not files:
        report.breach("link", place, f"{name} is not there", number)
        return
    # Suite.Name of GoogleTest, or a function of pytest.
    needed = test.split(".")
    if test and not any(all(re.search(rf"\b{part}\b", path.read_text()) for part in needed) for path in files if path.is_file()):
        report.breach("link", place, f"{name} has no test {test}", number)


def main():
    report = Report(read_exceptions())
    layers = read_layers()
    for path in committed():
        if path.suffix not in TEXT or path.name in {"LICENSE", "package-lock.json"} or "corpus" in path.parts:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        place = path.relative_to(ROOT).as_posix()
        check_text(report, path, text)
        if path.suffix in CODE:
            check_code(report, path, text)
            if place.startswith("src/"):
                check_layers(report, path, text, layers)
        if path.suffix == ".md":
            check_links(report, path, text)
    for rule, place in sorted(report.allowed - report.used):
        report.lines.append(f"tests/tidy_exceptions.txt:1: unused: {rule} {place} is needed no more")
    for line in report.lines:
        print(line)
    print(f"tidy: {len(report.lines)} breaches" if report.lines else "tidy: ok")
    return 1 if report.lines else 0


if __name__ == "__main__":
    sys.exit(main())
