"""JSON as AWS's Python runtime reads and writes it, without importing the json package.

AWS uses simplejson: bytes are text, named tuples are objects, Decimals are numbers. The C core of the standard library
does the common case; what it cannot write is made plain first.
"""

import os

import _json

# Set by configure(): a process that waits for its function imports this module before the environment is known.
_ascii = False
_scan = _encode = None

_SPACE = " \t\n\r"


def _refuse(constant):
    """NaN and the infinities are written but not read, as simplejson has it."""
    raise ValueError("Expecting value: " + constant)


class _Reading:
    """What the C scanner asks its decoder for. Newer versions ask for more hooks: none of them is set."""

    strict = True
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse)

    def __getattr__(self, name):
        return None


class _NotPlain(Exception):
    pass


def _convert(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if callable(getattr(value, "_asdict", None)):
        return value._asdict()
    if type(value).__module__ in ("decimal", "_decimal", "_pydecimal") or _is_decimal(value):
        raise _NotPlain
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def _is_decimal(value):
    import sys

    decimal = sys.modules.get("decimal")
    return decimal is not None and isinstance(value, decimal.Decimal)


def _make_encoder():
    quote = _json.encode_basestring_ascii if _ascii else _json.encode_basestring
    return _json.make_encoder({}, _convert, quote, None, ": ", ", ", False, False, True)


def configure():
    """Reads the environment. Until Python 3.11 AWS escapes everything beyond ASCII."""
    global _ascii, _scan, _encode
    minor = os.environ.get("AWS_EXECUTION_ENV", "").partition("AWS_Lambda_python3.")[2]
    _ascii = minor in ("6", "7", "8", "9", "10", "11")
    try:
        _scan = _json.make_scanner(_Reading())
        _encode = _make_encoder()
    except Exception:
        # Another version of Python changed its private parts: the public ones do the same, later.
        _scan = _encode = None


def loads(data):
    text = data.decode("utf-8")
    if _scan is not None:
        try:
            value, end = _scan(text, len(text) - len(text.lstrip(_SPACE)))
            if end == len(text) or not text[end:].strip(_SPACE):
                return value
        except Exception:
            # The C scanner cannot word its complaint without the json package.
            pass
    import json

    return json.loads(text, parse_constant=_refuse)


def dumps(value):
    global _encode
    try:
        if _encode is None:
            text = _dumps_slowly(value)
        else:
            text = "".join(_encode(value, 0))
            if _has_named_tuple(value):
                raise _NotPlain
    except _NotPlain:
        _forget_marks()
        text = _dumps_decimals(value)
    except BaseException:
        _forget_marks()
        raise
    return text


def _forget_marks():
    """The C encoder notes which containers it is inside of; after a failure those notes would be wrong."""
    global _encode
    if _encode is not None:
        _encode = _make_encoder()


def _has_named_tuple(value):
    """Only asked of what has been encoded, so there is no cycle."""
    pending = [value]
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind is dict:
            pending.extend(value.values())
        elif kind is list or kind is tuple:
            pending.extend(value)
        elif isinstance(value, tuple) and hasattr(value, "_asdict"):
            return True
    return False


def _dumps_slowly(value):
    import json

    return json.dumps(value, ensure_ascii=_ascii, default=_convert)


def _dumps_decimals(value):
    """A Decimal's digits have to stand in the text as they are, which no encoder of the standard library offers: each is
    written as a string behind a mark that nobody can guess, and the quotes are taken away afterwards."""
    import json
    import re

    mark = os.urandom(12).hex()
    text = json.dumps(_plain(value, mark), ensure_ascii=_ascii, default=_convert)
    return re.sub('"' + mark + '([^"]*)"', r"\1", text)


def _plain(value, mark):
    if isinstance(value, dict):
        return {key: _plain(item, mark) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict(), mark)
    if isinstance(value, (list, tuple)):
        return [_plain(item, mark) for item in value]
    if _is_decimal(value):
        return float("nan") if value.is_nan() else mark + str(value)
    return value
