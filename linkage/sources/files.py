"""What a file is by its bytes, and whether it is safe to open.

Rules
- The first bytes decide, not the name; a name that claims otherwise is refused, with what the file really is.
- Nothing is unpacked before its declared sizes are within limits, and each member is unpacked once, counting, before a
  workbook is opened; a member larger than it declares is damaged.
- A sheet whose farthest cell would need far more memory than its cells do is refused.
- A folder stands for all files in it that can be read, in the order of their names.

>>> kind_of_bytes(b"%PDF-1.7 ...")
'a PDF document'
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import Literal

from linkage.errors import UnreadableFileError

Kind = Literal["csv", "parquet", "xlsx", "xls"]

MAX_UNPACKED_BYTES = 4 * 1024**3
"""All members of a workbook together; a sheet of a million rows by 25 columns unpacks to about 2 GB."""
MAX_RATIO = 250
"""Unpacked to packed bytes; sheets of repeated text reach about 60, DEFLATE itself ends at 1,032."""
RATIO_FREE_BYTES = 256 * 1024**2
"""Up to this size any ratio is harmless."""
MAX_AREA_CELLS = 60_000_000
"""Cells between A1 and the farthest cell: a million rows by 60 columns."""
MAX_AREA_PER_CELL = 200
"""How much larger the area of a sheet may be than the number of its cells, above `SMALL_AREA_CELLS`."""
SMALL_AREA_CELLS = 2_000_000

_READABLE = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}
_READABLE |= {".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls"}
_NAMES = {"csv": "a text table", "parquet": "a Parquet file", "xlsx": "an XLSX workbook", "xls": "an XLS workbook"}
_SIGNATURES = (
    (b"PAR1", "parquet"),
    (b"PK\x03\x04", "xlsx"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_TEXT_STARTS = (
    (re.compile(rb"<(!doctype html|html|head|body|table|meta|style)", re.IGNORECASE), "an HTML page"),
    (re.compile(rb"mime-version:", re.IGNORECASE), "a web archive (MHT)"),
    (
        re.compile(rb"<\?xml.{0,2000}urn:schemas-microsoft-com:office:spreadsheet", re.IGNORECASE | re.DOTALL),
        "an XML spreadsheet of 2003",
    ),
    (re.compile(rb"<\?xml", re.IGNORECASE), "an XML document"),
)
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_CHUNK_BYTES = 1 << 22
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def kind_of_bytes(head: bytes) -> str:
    """`csv`, `parquet`, `xlsx` or `xls`, or a phrase that names what else the file is."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, kind in _TEXT_STARTS:
        if pattern.match(text):
            return kind
    return "csv" if _looks_like_text(head) else "binary data"


def _looks_like_text(head: bytes) -> bool:
    if head.startswith(UTF16_MARKS) or looks_like_utf16(head):
        return True
    odd = sum(byte < 32 and byte not in (9, 10, 12, 13, 26, 27) for byte in head)
    return odd <= len(head) // 200 + 1


def looks_like_utf16(head: bytes) -> bool:
    """Whether text without a byte order mark is UTF-16: many zero bytes, nearly all on one side of the pairs."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) > len(head) // 5 and min(even, odd) * 10 < max(even, odd)


def check_kind(path: Path, claimed: Kind | None = None) -> Kind:
    """The kind of `path`, or an `UnreadableFileError` that says what was found and what to do."""
    head = _head(path)
    if not head.strip():
        raise UnreadableFileError(path.name, "the file is empty", "give a file with a header row")
    found = kind_of_bytes(head)
    expected = claimed or _READABLE.get(path.suffix.lower())
    if found not in _NAMES:
        wanted = _NAMES[expected] if expected else "a CSV, Parquet, XLSX or XLS file"
        raise UnreadableFileError(path.name, f"expected {wanted}, found {found}", _advice(found))
    if expected is not None and found != expected and {found, expected} != {"xls", "xlsx"}:
        raise UnreadableFileError(
            path.name,
            f"expected {_NAMES[expected]}, found {_NAMES[found]}",
            f"rename it to .{found} or export it again",
        )
    return found  # type: ignore[return-value]  # `found` is a key of _NAMES here


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(65536)
    except FileNotFoundError:
        raise UnreadableFileError(path.name, "no such file", "check the path") from None
    except OSError as error:
        raise UnreadableFileError(path.name, f"cannot be opened ({error.strerror})", "check its permissions") from None


def _advice(found: str) -> str:
    if "archive" in found and "web" not in found:
        return "unpack it and give the file inside"
    if found.startswith(("an HTML", "a web", "an XML")):
        return "open it in a spreadsheet program and save it as .xlsx"
    return "export the table as .xlsx, .csv or .parquet"


def files_of(path: Path) -> list[Path]:
    """The files `path` stands for: itself, or the readable files of a folder."""
    if not path.is_dir():
        return [path]
    files = [entry for entry in sorted(path.iterdir()) if entry.suffix.lower() in _READABLE and _is_data(entry)]
    if not files:
        raise UnreadableFileError(
            path.name, "the folder holds no table", "put .csv, .parquet, .xlsx or .xls files into it"
        )
    return files


def _is_data(entry: Path) -> bool:
    return entry.is_file() and not entry.name.startswith((".", "_", "~$"))


def check_workbook(path: Path, kind: Kind) -> None:
    """Refuse a workbook that is locked, damaged or made to exhaust memory."""
    if kind == "xls":
        _check_not_sealed(path)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise damaged(path) from None


def damaged(path: Path) -> UnreadableFileError:
    """The refusal of a workbook that cannot be opened."""
    return UnreadableFileError(path.name, "the workbook is damaged or cut short", "copy or export it again")


def locked(path: Path) -> UnreadableFileError:
    """The refusal of a workbook with a password."""
    return UnreadableFileError(path.name, "the workbook is protected by a password", "save a copy without the password")


def _check_not_sealed(path: Path) -> None:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise locked(path)
    if "Workbook".encode("utf-16-le") not in content and "Book".encode("utf-16-le") not in content:
        raise UnreadableFileError(
            path.name, "expected an XLS workbook, found another Office document", "save it as .xlsx"
        )


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if any(member.flag_bits & 0x1 for member in members):
        raise locked(path)
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_UNPACKED_BYTES or unpacked > max(RATIO_FREE_BYTES, MAX_RATIO * path.stat().st_size):
        found = f"unpacks to {unpacked / 1024**2:,.0f} MB, more than a register of this size can hold"
        raise UnreadableFileError(path.name, found, "check where it comes from, or export it again as .csv")
    names = {member.filename.lower() for member in members}
    if "xl/workbook.xml" not in names:
        raise UnreadableFileError(
            path.name, "expected an XLSX workbook, found " + _zip_content(names), "save it as .xlsx"
        )
    for member in members:
        _unpack_once(path, archive, member)


def _zip_content(names: set[str]) -> str:
    if "xl/workbook.bin" in names:
        return "an XLSB workbook"
    if "word/document.xml" in names:
        return "a Word document"
    return "an OpenDocument file" if "content.xml" in names else "a zip archive without a workbook"


def _unpack_once(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    name = member.filename.lower()
    is_sheet = name.startswith("xl/worksheets/") and name.endswith(".xml")
    cells, last_row, columns, rest = 0, 1, {b"A"}, b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if not is_sheet:
                continue
            chunk = rest + chunk
            cut = max(chunk.rfind(b"<"), len(chunk) - 1000)  # a tag is shorter than this; a huge text has no "<"
            found, rest = _CELL.findall(chunk[:cut]), chunk[cut:]
            cells += len(found)
            columns.update({letters for letters, _ in found})
            last_row = max(last_row, *(int(row) for row in {row for _, row in found}), 1)
    _check_area(path, cells, last_row, max(_column_number(letters) for letters in columns))


def _check_area(path: Path, cells: int, last_row: int, last_column: int) -> None:
    area = last_row * last_column
    if area > SMALL_AREA_CELLS and area > min(MAX_AREA_CELLS, MAX_AREA_PER_CELL * max(cells, 1)):
        found = f"a cell stands at row {last_row:,}, column {last_column:,} of a sheet with {cells:,} cells"
        raise UnreadableFileError(path.name, found, "delete the stray cell, or copy the table to a new workbook")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
