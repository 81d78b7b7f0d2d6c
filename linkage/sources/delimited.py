r"""CSV and other delimited text, in the encodings that land offices use.

Rules
- Encoding: a byte order mark decides; else UTF-16 by its zero bytes; else UTF-8 if (nearly) all of it is; else
  Windows-1258 if that gives Vietnamese letters; else CP1252 byte by byte, so that TCVN3 and VNI can be repaired later.
  A stray byte in a UTF-8 file is read as CP1252 and costs no row.
- The delimiter is the one of `, ; tab |` that cuts the first lines most evenly.
- The header is row 1, as a spreadsheet shows it; a line without any text is no row, but is numbered.
- A row with more or fewer fields than the header is rejected; so is one whose quotation mark is never closed, and then
  the next line is read as a row of its own.

>>> decode_text("tên;năm\nTý;1960".encode("utf-16")).splitlines()
['tên;năm', 'Tý;1960']
"""

from __future__ import annotations

import codecs
import csv
import io
import mmap
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from linkage.errors import ConfigError, UnreadableFileError
from linkage.sources.files import UTF16_MARKS, looks_like_utf16
from linkage.sources.mapping import ROW, SourceMapping, unique_headers
from linkage.sources.tables import ERROR_CELLS, Part, RawTable, decode_cp1252, null_if_blank, rejected_rows

DELIMITERS = ",;\t|"
MAX_LINES_PER_ROW = 50
"""A quoted field that runs over more lines than this was never meant to be quoted."""
_BLOCK_BYTES = 1 << 23
_SAMPLE_BYTES = 1 << 20
_LETTERS_1258 = 0.97
_RAGGED = "ragged-row: the row has another number of fields than the header"
_UNCLOSED = "unclosed-quote: a quotation mark opens in this row and is not closed where a field ends"
_NUL = "nul-byte: the row holds a zero byte, which no text has"
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_TONED = "".join(vowel + tone for vowel in "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY" for tone in _TONES)
_VIETNAMESE = frozenset("ăâđêôơưĂÂĐÊÔƠƯ" + unicodedata.normalize("NFC", _TONED))
_TYPOGRAPHY = frozenset("\u00a0–—‘’“”…«»°²³€•·§×")


csv.field_size_limit(1 << 40)  # a field too long is refused as a row later, not as an error here

Content = bytes | mmap.mmap


@dataclass(frozen=True)
class _Text:
    """A delimited file as UTF-8 bytes: the table begins at byte `start`, after `skipped` rows that are none of it."""

    file: str
    content: Content
    start: int
    skipped: int
    delimiter: str


def open_csv(path: Path, mapping: SourceMapping) -> Part:
    """The one table of a delimited file."""
    text = _find_table(path.name, _utf8_content(path, mapping.encoding), mapping.delimiter)
    first = next(
        (record for _, record, _ in _records(text, limit=_SAMPLE_BYTES) if record and any(map(str.strip, record))), None
    )
    if first is None:
        raise UnreadableFileError(path.name, "the file holds no readable row", "give a file with a header row")
    headers = unique_headers(first)
    return Part(path.name, path.name, "csv", tuple(headers), lambda wanted: _load(text, headers, wanted))


def _find_table(file: str, content: Content, delimiter: str | None) -> _Text:
    head = content[:_SAMPLE_BYTES].decode("utf-8", "ignore")
    start = len(head) - len(head.removeprefix("\ufeff")) and 3
    declared = re.match(r"sep=(.)\r?\n", head.removeprefix("\ufeff"), re.IGNORECASE)
    if declared:
        return _Text(file, content, start + len(declared.group(0)), 1, delimiter or declared.group(1))
    return _Text(file, content, start, 0, delimiter or sniff_delimiter(head.removeprefix("\ufeff")))


# --- encoding


def _utf8_content(path: Path, encoding: str | None) -> Content:
    with path.open("rb") as stream:
        raw = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    if encoding is None and raw[:2] not in UTF16_MARKS and _is_utf8(raw):
        return raw
    return decode_text(raw[:], encoding, path.name).encode("utf-8", "replace")


def _is_utf8(raw: mmap.mmap) -> bool:
    if looks_like_utf16(raw[:65536]):
        return False
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for offset in range(0, len(raw), _BLOCK_BYTES):
            decoder.decode(raw[offset : offset + _BLOCK_BYTES], final=offset + _BLOCK_BYTES >= len(raw))
    except UnicodeDecodeError:
        return False
    return True


def decode_text(raw: bytes, encoding: str | None = None, file: str = "") -> str:
    """The text of a file; `encoding` is only needed where the rules above cannot find it."""
    if encoding is not None:
        return _decode_as(raw, encoding, file)
    if raw[:2] in UTF16_MARKS:
        return raw.decode("utf-16", "replace")
    if looks_like_utf16(raw[:65536]):
        return raw.decode(
            "utf-16-be" if raw[0::2][:32768].count(0) > raw[1::2][:32768].count(0) else "utf-16-le", "replace"
        )
    text, stray = _decode_utf8(raw)
    if stray * 20 <= sum(not c.isascii() for c in text[:_SAMPLE_BYTES]) - stray:
        return text
    return _decode_1258(raw) if _is_1258(raw[:_SAMPLE_BYTES]) else decode_cp1252(raw)


def _decode_as(raw: bytes, encoding: str, file: str) -> str:
    if encoding.lower().replace("-", "") in {"tcvn3", "vni", "abc", "cp1252", "windows1252"}:
        return decode_cp1252(raw)
    try:
        text = raw.decode("utf-8-sig" if encoding.lower() in {"utf8", "utf-8"} else encoding)
    except LookupError:
        raise ConfigError(
            f"{file}: no encoding is called '{encoding}'; use utf-8, utf-16, cp1258, tcvn3 or vni."
        ) from None
    except UnicodeDecodeError:
        raise UnreadableFileError(
            file, f"the text is not {encoding}", "leave the encoding out of the config to find it"
        ) from None
    return unicodedata.normalize("NFC", text) if "1258" in encoding else text


def _decode_utf8(raw: bytes) -> tuple[str, int]:
    strays: list[int] = []

    def as_cp1252(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        strays.append(error.end - error.start)
        return decode_cp1252(error.object[error.start : error.end]), error.end

    codecs.register_error("quychu-stray-byte", as_cp1252)
    return raw.decode("utf-8-sig", "quychu-stray-byte"), sum(strays)


def _decode_1258(raw: bytes) -> str:
    return unicodedata.normalize("NFC", raw.decode("cp1258", "replace"))


def _is_1258(sample: bytes) -> bool:
    letters = [c for c in _decode_1258(sample) if not c.isascii() and c not in _TYPOGRAPHY]
    return sum(c in _VIETNAMESE for c in letters) >= _LETTERS_1258 * len(letters)


# --- delimiter


def sniff_delimiter(text: str) -> str:
    r"""The delimiter that cuts the first lines into the most even, and then the most, fields.

    >>> sniff_delimiter("ten;ghi chú\nTý;a, b\n")
    ';'
    """
    lines = [line for line in islice(text.splitlines(), 50) if line.strip()]
    return max(DELIMITERS, key=lambda delimiter: _evenness(lines, delimiter))


def _evenness(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    widths = [len(_fields(line, delimiter)) for line in lines]
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


# --- rows


def _load(text: _Text, headers: Sequence[str], wanted: Sequence[str] | None) -> RawTable:
    chosen = list(headers) if wanted is None else list(wanted)
    frame, refused = _load_fast(text, headers) or _load_carefully(text, headers)
    frame, marred = _without_nul(text, frame)
    rejected = rejected_rows(text.file, sorted([*refused, *marred]))
    return RawTable(
        frame.select(ROW, *chosen), rejected, _as_far_as_it_fits(text, headers, refused).select(ROW, *chosen)
    )


def _as_far_as_it_fits(text: _Text, headers: Sequence[str], refused: Refused) -> pl.DataFrame:
    rows = []
    for number, _, line, _ in refused:
        cells = [*_fields(line or "", text.delimiter), *([""] * len(headers))]
        rows.append([number, *cells[: len(headers)]])
    return pl.DataFrame(rows, schema={ROW: pl.Int64, **dict.fromkeys(headers, pl.String)}, orient="row")


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


Refused = list[tuple[int, str | None, str | None, str]]


def _load_fast(text: _Text, headers: Sequence[str]) -> tuple[pl.DataFrame, Refused] | None:
    """All rows through Arrow's reader; None where a stray quotation mark may have swallowed rows."""
    quotes = _count_quotes(text.content)
    if quotes % 2:
        return None
    ragged: list[arrow_csv.InvalidRow] = []

    def refuse(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = _arrow_table(text, len(headers), None)
    except pa.ArrowInvalid:
        try:
            table = _arrow_table(text, len(headers), refuse)
        except pa.ArrowInvalid:
            return None
    if any("\n" in row.text for row in ragged):
        return None
    frame = _frame_of(table)
    del table
    if quotes and _may_have_swallowed(frame, text.delimiter):
        return None
    skipped = [row.number for row in ragged]
    numbers = pl.Series(ROW, range(1, frame.height + len(skipped) + 1), dtype=pl.Int64)
    frame = frame.insert_column(0, numbers.filter(~numbers.is_in(skipped)) + text.skipped)
    told = [row for row in ragged if any(map(str.strip, _fields(row.text, text.delimiter)))]
    return _below_header(frame, headers), [(row.number + text.skipped, None, row.text, _RAGGED) for row in told]


def _count_quotes(content: Content) -> int:
    return sum(content[offset : offset + _BLOCK_BYTES].count(b'"') for offset in range(0, len(content), _BLOCK_BYTES))


def _frame_of(table: pa.Table) -> pl.DataFrame:
    """The table as a frame, column by column, so that the text is not held twice."""
    columns: list[pl.Series] = []
    for name in table.column_names:
        columns.append(pl.Series(name, table.column(0), dtype=pl.String))
        table = table.remove_column(0)
    return pl.DataFrame(columns)


def _may_have_swallowed(frame: pl.DataFrame, delimiter: str) -> bool:
    """Whether a cell with a line break holds as many delimiters as a whole row."""
    for name in frame.columns:
        broken = frame[name].filter(frame[name].str.contains("\n", literal=True))
        if (broken.str.count_matches(delimiter, literal=True) >= max(frame.width - 1, 1)).any():
            return True
    return False


def _arrow_table(text: _Text, width: int, refuse: Callable[[arrow_csv.InvalidRow], str] | None) -> pa.Table:
    """The rows as Arrow text: on all cores if none may be ragged, else on one, which alone numbers the ragged ones."""
    names = [str(position) for position in range(width)]
    return arrow_csv.read_csv(
        pa.BufferReader(pa.py_buffer(text.content).slice(text.start)),
        read_options=arrow_csv.ReadOptions(use_threads=refuse is None, column_names=names, block_size=_BLOCK_BYTES),
        parse_options=arrow_csv.ParseOptions(
            delimiter=text.delimiter, newlines_in_values=True, invalid_row_handler=refuse, ignore_empty_lines=False
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_string()),
            null_values=["", *ERROR_CELLS],
            strings_can_be_null=True,
        ),
    )


def _load_carefully(text: _Text, headers: Sequence[str]) -> tuple[pl.DataFrame, Refused]:
    """All rows through Python's reader, which loses one line where Arrow's would lose all that follow."""
    good: list[tuple[int, list[str]]] = []
    refused: Refused = []
    for number, record, line in _records(text, len(headers)):
        if record is None:
            refused.append((number, None, line, _UNCLOSED))
        elif len(record) == len(headers) or not any(map(str.strip, record)):
            good.append((number, record))
        else:
            refused.append((number, None, line, _RAGGED))
    numbers = pl.Series(ROW, [number for number, _ in good], dtype=pl.Int64)
    columns = [
        pl.Series(str(i), [record[i] if i < len(record) else None for _, record in good], dtype=pl.String)
        for i in range(len(headers))
    ]
    frame = pl.DataFrame([numbers, *columns]).with_columns(pl.exclude(ROW).replace(list(ERROR_CELLS), None))
    return _below_header(frame, headers), refused


def _records(
    text: _Text, width: int | None = None, limit: int | None = None
) -> Iterator[tuple[int, list[str] | None, str]]:
    """Number, fields and first line of each row; no fields where a quotation mark in that line is never closed."""
    end = None if limit is None else text.start + limit
    stream = io.TextIOWrapper(io.BytesIO(text.content[text.start : end]), "utf-8", "replace", newline="")
    waiting: deque[str] = deque()
    for number in count(text.skipped + 1):
        if not waiting:
            waiting.extend(islice(stream, 1))
        if not waiting:
            return
        record, used = _one_record(waiting, stream, text.delimiter, width)
        yield number, record, waiting[0].rstrip("\r\n")
        for _ in range(used):
            waiting.popleft()


def _one_record(
    waiting: deque[str], stream: Iterator[str], delimiter: str, width: int | None
) -> tuple[list[str] | None, int]:
    """The fields of the next row and the lines it takes: as few as close its quotation marks, else the first alone."""
    for used in range(1, MAX_LINES_PER_ROW + 1):
        if len(waiting) < used:
            waiting.extend(islice(stream, 1))
        if len(waiting) < used:
            break
        lines = list(islice(waiting, used))
        if _is_whole("".join(lines), delimiter, strict=used > 1):
            record = next(csv.reader(lines, delimiter=delimiter), [])
            return (record, used) if used == 1 or width is None or len(record) == width else (None, 1)
    return None, 1


def _is_whole(lines: str, delimiter: str, *, strict: bool) -> bool:
    r"""Whether each quotation mark that begins a field is closed; `strict`: with nothing but a delimiter behind it.

    >>> _is_whole('1,"a" b,5"6', ",", strict=False), _is_whole('1,"a\n2,"b', ",", strict=True)
    (True, False)
    """
    if '"' not in lines:
        return True
    mark = re.escape(delimiter)
    tail = r"(?:\r?\n)?" if strict else f"[^{mark}]*+"
    field = rf'(?:"(?:[^"]|"")*+"{tail}|(?!")[^{mark}]*+)'
    return re.fullmatch(rf"{field}(?:{mark}{field})*+", lines) is not None


def _below_header(frame: pl.DataFrame, headers: Sequence[str]) -> pl.DataFrame:
    """The rows under the header, without blank ones, under their own headers."""
    for name in frame.columns[1:]:
        frame = frame.with_columns(null_if_blank(pl.col(name)).alias(name))
    filled = frame.filter(~pl.all_horizontal(pl.exclude(ROW).is_null()))
    return filled.slice(1).rename(dict(zip(filled.columns[1:], headers, strict=True)))


def _without_nul(text: _Text, frame: pl.DataFrame) -> tuple[pl.DataFrame, Refused]:
    if text.content.find(b"\0") < 0:
        return frame, []
    marred = pl.any_horizontal(pl.exclude(ROW).str.contains("\0", literal=True).fill_null(value=False))
    numbers = frame.filter(marred)[ROW].to_list()
    return frame.filter(~marred), [(number, None, None, _NUL) for number in numbers]
