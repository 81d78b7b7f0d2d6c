"""A ZIP archive written as a stream, deflated by ISA-L (several times faster than zlib).

Rules
- Members are written one after another; sizes and checksum are patched into the member's header when it ends, so that
  no data descriptor is needed (Excel distrusts those).
- Zip64 is used only where a size or an offset needs it. Room for its 16 bytes is kept in every header as the padding
  that Office itself writes there (a "growth hint", extra field 0xA220), because the size is not known in advance.
- Times are fixed at 1980-01-01: the same content gives the same bytes.

>>> import io, zipfile
>>> archive = io.BytesIO()
>>> with ZipStream(archive) as stream, stream.member("a.txt") as write:
...     write(b"hello")
>>> zipfile.ZipFile(archive).read("a.txt")
b'hello'
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from isal import isal_zlib

Write = Callable[[bytes | memoryview], None]

_ZIP32_LIMIT = 0xFFFF_FFFE
_ZIP32_COUNT = 0xFFFE
_OVERFLOW = 0xFFFF_FFFF
_VERSION = 20
_VERSION_ZIP64 = 45
_UTF8_NAME = 0x800
_DEFLATED = 8
_DATE_1980_01_01 = 0x21
_GROWTH_HINT = struct.pack("<HHHH12x", 0xA220, 16, 0xA028, 0)
_MOST_WAITING = 4
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL_HEADER = struct.Struct("<4sHHHHHHIIIHHHHHII")


@dataclass
class _Member:
    name: bytes
    offset: int
    crc: int = 0
    packed: int = 0
    size: int = 0


class ZipStream:
    """Writes members into `file` (seekable, at its start); `limit` is the size from which Zip64 is used."""

    def __init__(self, file: BinaryIO, limit: int = _ZIP32_LIMIT) -> None:
        self._file = file
        self._limit = limit
        self._members: list[_Member] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write_directory()

    @contextmanager
    def member(self, name: str) -> Iterator[Write]:
        """Opens a member; the block is given the function that writes into it."""
        member = _Member(name.encode("utf-8"), self._file.tell())
        deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
        self._file.write(self._local_header(member))

        def pack(data: bytes | memoryview) -> None:
            member.crc = isal_zlib.crc32(data, member.crc)
            member.size += len(data)
            member.packed += self._file.write(deflate.compress(data))

        # One thread deflates, in order, while the next rows are made; a few pieces wait at most.
        with ThreadPoolExecutor(1) as packer:
            waiting: deque[Future[None]] = deque()

            def write(data: bytes | memoryview) -> None:
                waiting.append(packer.submit(pack, data))
                if len(waiting) > _MOST_WAITING:
                    waiting.popleft().result()

            yield write
            for piece in waiting:
                piece.result()
        member.packed += self._file.write(deflate.flush())
        self._patch(member)

    def _patch(self, member: _Member) -> None:
        end = self._file.tell()
        self._file.seek(member.offset)
        self._file.write(self._local_header(member))
        self._file.seek(end)
        self._members.append(member)

    def _is_large(self, member: _Member) -> bool:
        return max(member.size, member.packed) > self._limit

    def _local_header(self, member: _Member) -> bytes:
        large = self._is_large(member)
        extra = struct.pack("<HHQQ", 1, 16, member.size, member.packed) if large else _GROWTH_HINT
        packed, size = (_OVERFLOW, _OVERFLOW) if large else (member.packed, member.size)
        fixed = _LOCAL_HEADER.pack(
            b"PK\x03\x04", _VERSION_ZIP64 if large else _VERSION, _UTF8_NAME, _DEFLATED, 0, _DATE_1980_01_01,
            member.crc, packed, size, len(member.name), len(extra),
        )  # fmt: skip
        return fixed + member.name + extra

    def _central_header(self, member: _Member) -> bytes:
        large, far = self._is_large(member), member.offset > self._limit
        sizes = struct.pack("<QQ", member.size, member.packed) if large else b""
        wide = sizes + (struct.pack("<Q", member.offset) if far else b"")
        extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
        packed, size = (_OVERFLOW, _OVERFLOW) if large else (member.packed, member.size)
        version = _VERSION_ZIP64 if wide else _VERSION
        fixed = _CENTRAL_HEADER.pack(
            b"PK\x01\x02", version, version, _UTF8_NAME, _DEFLATED, 0, _DATE_1980_01_01, member.crc, packed, size,
            len(member.name), len(extra), 0, 0, 0, 0, _OVERFLOW if far else member.offset,
        )  # fmt: skip
        return fixed + member.name + extra

    def _write_directory(self) -> None:
        start = self._file.tell()
        for member in self._members:
            self._file.write(self._central_header(member))
        end, count = self._file.tell(), len(self._members)
        if start > self._limit or end - start > self._limit or count > _ZIP32_COUNT:
            self._file.write(_zip64_end(start, end, count))
            start_32, size_32, count_16 = _OVERFLOW, _OVERFLOW, 0xFFFF
        else:
            start_32, size_32, count_16 = start, end - start, count
        self._file.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count_16, count_16, size_32, start_32, 0))


def _zip64_end(start: int, end: int, count: int) -> bytes:
    """The Zip64 end record, and its locator."""
    record = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, _VERSION_ZIP64, _VERSION_ZIP64, 0, 0, count, count, end - start, start
    )
    return record + struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
