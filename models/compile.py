"""Compiles AWS's service models into the flat table that src/aws/model.h reads in place.

    compile.py --data BOTOCORE_DATA_DIR --patches DIR --output FILE SERVICE...

The models come from the pinned botocore package (data files only); DIR/SERVICE.patch.json, a JSON merge patch
(RFC 7396), corrects a model where AWS behaves otherwise. Documentation is dropped. A shape's "re2" member (from a
patch, or made here from its pattern) is the pattern in re2's syntax. Runs at build time; standard library only.
"""

import argparse
import gzip
import json
import pathlib
import re
import struct

MAGIC = 0x324C444D  # "MDL2" in the file
NONE = 0xFFFFFFFF

PROTOCOLS = {"rest-json": 0, "query": 1, "rest-xml": 2, "json": 3}
KINDS = {
    "structure": 0, "list": 1, "map": 2, "string": 3, "blob": 4, "boolean": 5,
    "integer": 6, "long": 7, "float": 8, "double": 9, "timestamp": 10,
}
LOCATIONS = {"": 0, "uri": 1, "querystring": 2, "header": 3, "headers": 4, "statusCode": 5}
TIMESTAMPS = {"": 0, "unixTimestamp": 1, "iso8601": 2, "rfc822": 3}

SHAPE_FLAGS = {
    "sensitive": 1, "streaming": 2, "flattened": 4, "eventstream": 8, "exception": 16, "fault": 32,
    "union": 64,
}
HAS_MIN, HAS_MAX, SENDER_FAULT, WRAPPER = 128, 256, 512, 1024
MEMBER_FLAGS = {"flattened": 1, "xmlAttribute": 2, "streaming": 4, "idempotencyToken": 8, "hostLabel": 16,
                "eventpayload": 64}
REQUIRED = 32


def load(data, service):
    versions = sorted(path for path in (data / service).iterdir() if path.is_dir())
    for version in reversed(versions):
        for name in ("service-2.json.gz", "service-2.json"):
            path = version / name
            if path.exists():
                raw = path.read_bytes()
                return json.loads(gzip.decompress(raw) if name.endswith(".gz") else raw)
    raise SystemExit(f"no service-2.json for {service} under {data}")


def merge(target, patch):
    """RFC 7396, but a patch may only touch what the model has, or add a whole shape, operation or header: a typing
    error must not pass unseen."""
    for key, value in patch.items():
        if value is None:
            if key not in target:
                raise SystemExit(f"patch removes {key!r}, which the model does not have")
            del target[key]
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        elif isinstance(value, dict) and key not in target and not {"type", "http", "location"} & value.keys():
            raise SystemExit(f"patch changes {key!r}, which the model does not have")
        else:
            target[key] = value


def as_re2(pattern):
    """Java's and re2's syntax differ, in AWS's patterns, in how a code point is written."""
    return re.sub(r"\\u([0-9A-Fa-f]{4})", r"\\x{\1}", pattern)


class Table:
    """The sections of the file, filled service by service."""

    def __init__(self):
        self.pool = bytearray()
        self.offsets = {}
        self.services, self.operations, self.shapes, self.members = [], [], [], []
        self.texts, self.indices = [], []

    def text(self, value):
        raw = value.encode()
        if raw not in self.offsets:
            self.offsets[raw] = len(self.pool)
            self.pool += raw
        return self.offsets[raw], len(raw)

    def add_service(self, model):
        meta = model["metadata"]
        # The first protocol is the one that current clients speak.
        protocol = (meta.get("protocols") or [meta["protocol"]])[0]
        names = sorted(model["shapes"])
        base = len(self.shapes)
        numbers = {name: base + index for index, name in enumerate(names)}
        for name in names:
            self.add_shape(name, model["shapes"][name], numbers)
        first_operation = len(self.operations)
        for name in sorted(model["operations"]):
            self.add_operation(name, model["operations"][name], numbers)
        texts = (
            meta["endpointPrefix"], meta.get("signingName", meta["endpointPrefix"]), meta["serviceId"],
            meta["apiVersion"], meta.get("xmlNamespace", ""), meta.get("targetPrefix", ""), meta.get("jsonVersion", ""),
        )
        self.services.append(struct.pack(
            "<19I", *(part for value in texts for part in self.text(value)), PROTOCOLS[protocol],
            first_operation, len(self.operations) - first_operation, base, len(names)))

    def add_operation(self, name, operation, numbers):
        http, given = operation["http"], operation.get("input", {})
        errors = [numbers[error["shape"]] for error in operation.get("errors", [])]
        texts = (
            name, http["method"], http["requestUri"], operation.get("output", {}).get("resultWrapper", ""),
            given.get("locationName", ""), given.get("xmlNamespace", {}).get("uri", ""),
        )
        self.operations.append(struct.pack(
            "<17I", *(part for value in texts for part in self.text(value)), http.get("responseCode", 200),
            numbers.get(given.get("shape"), NONE), numbers.get(operation.get("output", {}).get("shape"), NONE),
            len(self.indices), len(errors)))
        self.indices += errors

    def add_shape(self, name, shape, numbers):
        error = shape.get("error", {})
        pattern = shape.get("pattern", "")
        space = shape.get("xmlNamespace", {})
        flags = sum(bit for key, bit in SHAPE_FLAGS.items() if shape.get(key))
        flags |= HAS_MIN * ("min" in shape) | HAS_MAX * ("max" in shape)
        flags |= SENDER_FAULT * bool(error.get("senderFault")) | WRAPPER * bool(shape.get("wrapper"))
        kind = shape["type"]
        first_member, payload = len(self.members), NONE
        if kind == "structure":
            required = set(shape.get("required", ()))
            for index, (member, traits) in enumerate(shape["members"].items()):
                if member == shape.get("payload"):
                    payload = index
                self.add_member(member, traits, numbers, member in required)
        for role in {"list": ("member",), "map": ("key", "value")}.get(kind, ()):
            self.add_member(role, shape[role], numbers, False)
        first_text = len(self.texts)
        self.texts += [self.text(value) for value in shape.get("enum", ())]
        texts = (
            name, pattern, shape.get("re2", as_re2(pattern)), error.get("code", ""), shape.get("locationName", ""),
            space.get("uri", ""), space.get("prefix", ""),
        )
        self.shapes.append(struct.pack(
            "<24I2d", *(part for value in texts for part in self.text(value)), KINDS[kind], flags,
            TIMESTAMPS[shape.get("timestampFormat", "")], error.get("httpStatusCode", 0),
            first_text, len(self.texts) - first_text, first_member, len(self.members) - first_member, payload, 0,
            float(shape.get("min", 0)), float(shape.get("max", 0))))

    def add_member(self, name, traits, numbers, required):
        space = traits.get("xmlNamespace", {})
        flags = sum(bit for key, bit in MEMBER_FLAGS.items() if traits.get(key)) | REQUIRED * required
        texts = (name, traits.get("locationName", ""), space.get("uri", ""), space.get("prefix", ""))
        self.members.append(struct.pack(
            "<12I", *(part for value in texts for part in self.text(value)), numbers[traits["shape"]],
            LOCATIONS[traits.get("location", "")], flags, TIMESTAMPS[traits.get("timestampFormat", "")]))

    def bytes(self):
        texts = [struct.pack("<2I", *text) for text in self.texts]
        indices = [struct.pack("<I", index) for index in self.indices]
        # Shapes hold doubles, so they come first, at an offset that is a multiple of eight.
        sections = (self.shapes, self.services, self.operations, self.members, texts, indices)
        head = struct.calcsize("<2I12I2I")
        offset, places, body = head, [], b""
        for records in sections:
            places += (offset, len(records))
            body += b"".join(records)
            offset = head + len(body)
        return struct.pack("<2I12I2I", MAGIC, offset + len(self.pool), *places, offset, len(self.pool)) + body + self.pool


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--patches", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("services", nargs="+")
    arguments = parser.parse_args()
    table = Table()
    for service in arguments.services:
        model = load(arguments.data, service)
        patch = arguments.patches / f"{service}.patch.json"
        if patch.exists():
            merge(model, json.loads(patch.read_text()))
        table.add_service(model)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_bytes(table.bytes())


if __name__ == "__main__":
    main()
