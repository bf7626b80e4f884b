"""What a waiting process has loaded already: the runtime client, the standard library's most used modules, and the AWS SDK
with the models of the most used services."""

import gc
import importlib
import os
import sys

import lambent_errors  # noqa: F401
import lambent_runtime

STANDARD = (
    "json", "re", "random", "datetime", "decimal", "uuid", "base64", "hashlib", "hmac", "urllib.parse", "urllib.request",
    "http.client", "ssl", "socket", "logging", "traceback", "copy", "functools", "collections", "dataclasses", "enum",
    "typing", "pathlib", "tempfile", "importlib", "encodings.idna", "_strptime", "gzip", "concurrent.futures.thread",
)
# Each costs a megabyte or two, which forks share.
SERVICES = ("s3", "dynamodb", "sqs", "sns", "sts", "lambda", "secretsmanager", "ssm", "events", "logs")


class _Misses:
    """The last finder: whatever gets here was found nowhere."""

    def __init__(self, missed):
        self.missed = missed

    def find_spec(self, name, path=None, target=None):
        self.missed.add(name.partition(".")[0])
        return None


def load(here, missed, with_sdk):
    """`missed` collects the names that were looked for in vain."""
    misses = _Misses(missed)
    sys.meta_path.append(misses)
    path = list(sys.path)
    lambent_runtime.set_import_path(here)
    # Nothing of a function is there yet; what is not looked at cannot be remembered as absent.
    sys.path[:] = [entry for entry in sys.path if not entry.startswith(("/var/task", "/opt"))]
    try:
        for name in STANDARD if with_sdk else STANDARD[:1]:
            importlib.import_module(name)
        import lambent_logging  # noqa: F401

        lambent_runtime.set_site_builtins()
        if with_sdk:
            import lambent_zygote  # noqa: F401

        if with_sdk and os.path.isdir(lambent_runtime.SDK + "/boto3"):
            _warm_sdk()
    except Exception as error:
        # A wait with less loaded is slower and nothing else.
        print("lambent: preloading for Python stopped: %r" % error, file=sys.stderr, flush=True)
    finally:
        sys.path[:] = path
        sys.meta_path.remove(misses)


def freeze():
    """Collections in a fork would otherwise write to, and so copy, every page of what is shared."""
    gc.collect()
    gc.freeze()


def _warm_sdk():
    import boto3
    import botocore.session
    import s3transfer.manager  # noqa: F401

    session = boto3.session.Session("AKIAIOSFODNN7EXAMPLE", "none", region_name="us-east-1")
    for service in SERVICES:
        session.client(service)
    for service in ("s3", "dynamodb"):
        session.resource(service)
    known = session._session.get_component("data_loader")._cache
    create = botocore.session.create_loader

    def create_loader(search_path_string=None):
        loader = create(search_path_string)
        # Only for the default path: AWS_DATA_PATH may bring other models.
        if search_path_string is None:
            loader._cache.update(known)
        return loader

    botocore.session.create_loader = create_loader
