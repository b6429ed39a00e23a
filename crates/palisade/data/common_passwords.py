#!/usr/bin/env python3
"""Rebuilds common_passwords.bin from the list that Django ships.

    python3 common_passwords.py DJANGO > common_passwords.bin

DJANGO is a Django sdist (`Django-5.2.19.tar.gz`), a wheel, an unpacked tree, or the file
`common-passwords.txt.gz` itself. The result is the same bytes for the same list: the entries, lines stripped as
Django strips them, are sorted by their UTF-8 bytes and front-coded, and the whole is a zlib stream.

An entry is one byte that says how many bytes it shares with the entry before it, the rest of its bytes, and a newline. The
entries are preceded by their number as four bytes, big end first.
"""

import gzip
import io
import pathlib
import sys
import tarfile
import zipfile
import zlib

NAME = "common-passwords.txt.gz"


def packed_list(source: pathlib.Path) -> bytes:
    if source.is_dir():
        return next(source.rglob(NAME)).read_bytes()
    if source.name.endswith(".whl"):
        with zipfile.ZipFile(source) as wheel:
            return wheel.read(next(n for n in wheel.namelist() if n.endswith(NAME)))
    if source.name.endswith(".tar.gz"):
        with tarfile.open(source) as sdist:
            member = next(m for m in sdist.getmembers() if m.name.endswith(NAME))
            return sdist.extractfile(member).read()
    return source.read_bytes()


def front_coded(entries: list[bytes]) -> bytes:
    out = bytearray(len(entries).to_bytes(4, "big"))
    before = b""
    for entry in entries:
        shared = 0
        while shared < min(len(before), len(entry), 255) and before[shared] == entry[shared]:
            shared += 1
        out.append(shared)
        out += entry[shared:] + b"\n"
        before = entry
    return bytes(out)


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    packed = io.BytesIO(packed_list(pathlib.Path(sys.argv[1])))
    with gzip.open(packed, "rt", encoding="utf-8") as lines:
        entries = sorted({line.strip().encode() for line in lines})
    sys.stdout.buffer.write(zlib.compress(front_coded(entries), 9))


if __name__ == "__main__":
    main()
