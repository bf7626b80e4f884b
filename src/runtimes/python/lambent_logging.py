"""The root logger as AWS sets it up, called when the logging module has just been imported."""

import logging
import os
import sys
import time

import lambent_runtime

_RECORD_FIELDS = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created msecs"
    " relativeCreated thread threadName processName process taskName aws_request_id tenant_id".split()
)


class LambdaLoggerHandler(logging.Handler):
    """Writes records; without a descriptor for them, to whatever sys.stdout is at that moment: a function may have replaced it."""

    def emit(self, record):
        text = self.format(record)
        level = min(6, max(1, record.levelno // 10 + 1))
        if not lambent_runtime.log_record(text, level, isinstance(self.formatter, JsonFormatter)):
            sys.stdout.write(text)
            sys.stdout.flush()


class LambdaLoggerFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = lambent_runtime.request_id or ""
        record.tenant_id = lambent_runtime.tenant_id
        return True


class JsonFormatter(logging.Formatter):
    def __init__(self):
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")

    def format(self, record):
        import json
        import traceback

        level = logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10)
        whole = isinstance(record.msg, dict) and not record.args
        line = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": level,
            "message": record.msg if whole else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info:
            kind, error, trace = record.exc_info
            line["stackTrace"] = traceback.format_tb(trace)
            line["errorType"] = kind.__name__ if kind else None
            line["errorMessage"] = str(error)
        line["requestId"] = record.aws_request_id
        if record.exc_info:
            line["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
        line["tenantId"] = record.tenant_id
        for name, value in record.__dict__.items():
            if name not in _RECORD_FIELDS:
                line.setdefault(name, value)
        line = {name: value for name, value in line.items() if value is not None}
        return json.dumps(line, ensure_ascii=False, default=str) + "\n"


def set_up():
    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LambdaLoggerFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = {"TRACE": "DEBUG"}.get(level, level)
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
