"""The error document of a failed handler or import, and its lines in the log."""

import os
import sys
import traceback

import lambent_json
import lambent_runtime


# The number of the level in a record.
ERROR = 5


def report(error, request_id):
    """Logs the error and returns its document with the header line that names its type."""
    if isinstance(error, lambent_runtime.Fault):
        document = {"errorMessage": error.message, "errorType": error.error_type}
        trace = error.trace
    else:
        document = {"errorMessage": _text(error), "errorType": type(error).__name__}
        trace = _stack(error)
    if os.environ.get("AWS_EXECUTION_ENV") != "AWS_Lambda_python3.8":
        document["requestId"] = request_id
    document["stackTrace"] = trace
    _log(document)
    text = lambent_json.dumps(document).encode("utf-8", "backslashreplace")
    name = document["errorType"]
    header = "Lambda-Runtime-Function-Error-Type: " + name + "\r\n" if name.isascii() and name.isprintable() else ""
    return text, header


def _text(error):
    try:
        return str(error)
    except Exception:
        return ""


def _stack(error):
    """From the first frame that is not the runtime's own; four-part entries, so that no version adds carets."""
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    while frames and frames[0][0] in (lambent_runtime.__file__, sys.argv[0]):
        del frames[0]
    return traceback.format_list(frames)


def _log(document):
    json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    if json:
        import time

        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = lambent_json.dumps({"timestamp": stamp, "log_level": "ERROR", **document})
    else:
        head = "[ERROR] " + document["errorType"]
        if document["errorMessage"]:
            head += ": " + document["errorMessage"]
        lines = [head, "Traceback (most recent call last):"]
        for entry in document["stackTrace"]:
            lines += [_indent(line) for line in entry.splitlines()] or [""]
        line = "\n".join(lines)
    if lambent_runtime.log_record(line, ERROR, json):
        return
    # One event a line: a carriage return keeps the traceback together, as AWS does on a plain stdout.
    line = line.replace("\n", "\r") + "\n"
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode("utf-8"))
    sys.stdout.flush()


def _indent(line):
    """Indented with no-break spaces, which log viewers do not fold away."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text
