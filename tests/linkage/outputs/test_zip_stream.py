"""Archives as Python's own reader, and the headers themselves, show them."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from linkage.outputs.zip_stream import ZipStream

CONTENT = {"a.txt": b"hello" * 100, "thư mục/xã.xml": bytes(range(256)) * 50, "empty": b""}


def archive_of(content: dict[str, bytes], **options: int) -> io.BytesIO:
    file = io.BytesIO()
    with ZipStream(file, **options) as stream:
        for name, data in content.items():
            with stream.member(name) as write:
                write(data[:7])
                write(memoryview(data)[7:])
    return file


@pytest.mark.parametrize("limit", [0xFFFF_FFFE, 0, 100, 900], ids=["no Zip64", "all Zip64", "some", "others"])
def test_every_member_is_read_back_with_its_name(limit):
    with zipfile.ZipFile(archive_of(CONTENT, limit=limit)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == CONTENT


def test_small_archives_have_no_trace_of_zip64():
    data = archive_of(CONTENT).getvalue()
    assert b"PK\x06\x06" not in data
    assert struct.unpack_from("<H", data, 4) == (20,)


def test_a_large_member_has_its_sizes_in_the_local_header_too():
    data = archive_of({"a": b"x" * 1000}, limit=100).getvalue()
    version, size_32 = struct.unpack_from("<H", data, 4)[0], struct.unpack_from("<I", data, 22)[0]
    assert (version, size_32) == (45, 0xFFFF_FFFF)
    assert struct.unpack_from("<HHQ", data, 31) == (1, 16, 1000)


def test_the_same_content_gives_the_same_bytes():
    assert archive_of(CONTENT).getvalue() == archive_of(CONTENT).getvalue()
