"""What a power cut leaves of the files of one directory, from a recording of its writes and syncs (record_disk.c).

At an instant everything that a sync had covered is on the disk. Of what was written since, any sectors may be: each of 512 bytes is
there or not for itself, in no order, which is how writes are torn. A file whose directory was not synced may not be there at all.
"""

import os
import struct
import subprocess
from pathlib import Path

HEAD = struct.Struct("<QQIIq64s")
CREATED, WRITTEN, CUT, SYNCED, DIRECTORY_SYNCED, REMOVED = range(1, 7)
SECTOR = 512


def recorder(directory):
    """The recorder, compiled into `directory`."""
    built = directory / "record_disk.so"
    source = Path(__file__).with_name("record_disk.c")
    subprocess.run(["clang-19", "-O1", "-shared", "-fPIC", "-o", built, source], check=True)
    return built


class Record:
    """One call that succeeded; times in nanoseconds of CLOCK_MONOTONIC."""

    def __init__(self, head, data):
        self.begin, self.end, self.kind, _, self.offset, name = head
        self.name = name.rstrip(b"\0").decode()
        self.data = data


def read(path):
    bytes_, at, records = path.read_bytes(), 0, []
    while at + HEAD.size <= len(bytes_):
        head = HEAD.unpack_from(bytes_, at)
        size = head[3]
        if at + HEAD.size + size > len(bytes_):
            # The recorder was killed in the middle of this one.
            break
        records.append(Record(head, bytes_[at + HEAD.size:at + HEAD.size + size]))
        at += HEAD.size + size
    return records


class File:
    def __init__(self):
        self.bytes = bytearray()
        # Written since it was last synced.
        self.open = []
        self.kept_in_directory = False

    def apply(self, record, first=0, last=None):
        if record.kind == CUT:
            del self.bytes[record.offset:]
            self.bytes.extend(bytes(record.offset - len(self.bytes)))
            return
        part = record.data[first:last]
        at = record.offset + first
        if len(self.bytes) < at:
            self.bytes.extend(bytes(at - len(self.bytes)))
        self.bytes[at:at + len(part)] = part

    def sync(self, begun):
        """Covers what had been written when the sync began."""
        covered = [record for record in self.open if record.end <= begun]
        self.open = [record for record in self.open if record.end > begun]
        for record in covered:
            self.apply(record)

    def tear(self, chance):
        """Some of what was written since, sector by sector."""
        share = chance.choice((0.0, 0.5, 0.9, 1.0))
        for record in self.open:
            if record.kind == CUT:
                if chance.random() < share:
                    self.apply(record)
                continue
            first = 0
            while first < len(record.data):
                last = first + SECTOR - (record.offset + first) % SECTOR
                if chance.random() < share:
                    self.apply(record, first, min(last, len(record.data)))
                first = last
        self.open = []


def left_by_cut(records, instant, chance, honest=True):
    """{name: bytes} after a cut at `instant` (ns). A disk that is not honest says that it synced and did not."""
    files = {}
    for record in records:
        if record.begin > instant:
            continue
        if record.kind == DIRECTORY_SYNCED:
            if record.end <= instant:
                for file in files.values():
                    file.kept_in_directory = True
        elif record.kind == REMOVED:
            files.pop(record.name, None)
        elif record.kind == SYNCED:
            if record.end <= instant and honest and record.name in files:
                files[record.name].sync(record.begin)
        else:
            file = files.setdefault(record.name, File())
            if record.kind != CREATED:
                file.open.append(record)
    for file in files.values():
        file.tear(chance)
    return {name: bytes(file.bytes) for name, file in files.items() if file.kept_in_directory}


def write(files, directory):
    for name, content in files.items():
        (directory / name).write_bytes(content)
        os.chmod(directory / name, 0o600)
