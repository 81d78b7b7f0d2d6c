r"""The XML of a worksheet's rows, built for thousands of rows at once.

Rules
- Every cell is text (an inline string), so nothing can start a formula and an id keeps its zeros; only columns the
  caller names are numbers, and of these only finite values.
- An empty cell is left out. A line break is `\n`. Characters that XML forbids are removed.
- `_x0041_` in a cell means `A` to Excel; text that holds such an escape is written so that it stays as it is.
- Excel keeps 32,767 UTF-16 units in a cell; longer text is cut there, and counted.

How: the text of all columns, the row numbers and the few constant pieces are laid into one Arrow array; an array of
positions says in which order the pieces follow each other; one `take` copies them together. Only the few cells that
need care (markup, outer blanks, great length) are looked at again. No Python code runs per cell or per row.

>>> bytes(rows_xml(pl.DataFrame({"a": ["=1+1", None], "b": ["007", "x & y"]}), first_row=2).data).decode()[:74]
'<row r="2"><c r="A2" s="1" t="inlineStr"><is><t>=1+1</t></is></c><c r="B2"'
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

TEXT_STYLE = 1
HEADER_STYLE = 2
NUMBER_STYLE = 3

MAX_CELL_UNITS = 32_767

_ESCAPE = r"_x[0-9A-Fa-f]{4}_"
_FORBIDDEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
_OUTER_BLANK = r"^[ \t\n]|[ \t\n]$|[\t\n]|  "

_BLANK = ord(" ")
# Bytes that can be part of what needs care: markup, control characters, an escape, U+FFFE and U+FFFF (0xEF …).
_SUSPECT_BYTES = bytes(byte < 32 or byte in b"&<>_\xef" for byte in range(256))

# What a cell is; the kinds that are written double as the number of their opening piece.
_TEXT, _SPACED, _NUMBER, _ABSENT = range(4)

# A cell is five pieces: `<c r="A`, its row number, what opens its value, its value, what ends it.
_PIECES_PER_CELL = 5
_ROW, _ROW_GOES_ON, _ROW_ENDS, _NOTHING, _END_TEXT, _END_NUMBER, _OPENINGS = range(7)
_CONSTANTS = _OPENINGS + 3

_Kinds = npt.NDArray[np.int8]
_Positions = npt.NDArray[np.int32]


@dataclass(frozen=True)
class RowsXml:
    """The bytes of some rows, and how many of their cells had to be cut."""

    data: memoryview
    cut_cells: int


@dataclass(frozen=True)
class _Cells:
    """All cells of a frame, column after column: the kind of each, and where in `values` its XML text stands."""

    kinds: _Kinds
    values: Any
    places: _Positions
    cut: int


def rows_xml(frame: pl.DataFrame, first_row: int, *, numeric: Collection[str] = (), style: int = TEXT_STYLE) -> RowsXml:
    """The `<row>` elements of `frame`, the first of them numbered `first_row`."""
    if frame.is_empty():
        return RowsXml(memoryview(b""), 0)
    cells = _cells(frame, numeric)
    numbers = pl.select(pl.int_range(first_row, first_row + frame.height).cast(pl.String)).to_series()
    pieces = pa.concat_arrays([_constants(frame.width, style), _arrow(numbers), cells.values])
    order = _order(frame.height, frame.width, cells)
    return RowsXml(_joined(pieces.take(pa.array(order))), cells.cut)


@cache
def column_letters(index: int) -> str:
    """The name of the 0-based column `index`.

    >>> column_letters(0), column_letters(25), column_letters(26), column_letters(701), column_letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    before, last = divmod(index, 26)
    return (column_letters(before - 1) if before else "") + chr(ord("A") + last)


def xml_escaped(text: str) -> str:
    """`text` for an attribute: forbidden characters removed, the rest escaped."""
    cleaned = pl.Series([text]).str.replace_all(_FORBIDDEN, "").item()
    return str(cleaned).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _constants(width: int, style: int) -> Any:
    """The pieces that are the same for every row: by the numbers above, then the opening of each column's cells."""
    openings = (
        f'" s="{style}" t="inlineStr"><is><t>',
        f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">',
        f'" s="{NUMBER_STYLE}"><v>',
    )
    fixed = ['<row r="', '">', "</row>", "", "</t></is></c>", "</v></c>", *openings]
    return pa.array([*fixed, *(f'<c r="{column_letters(index)}' for index in range(width))], pa.large_string())


def _order(height: int, width: int, cells: _Cells) -> _Positions:
    """Which piece follows which: each row is its opening, its cells (absent ones left out) and its end."""
    numbers = _CONSTANTS + width
    kinds = cells.kinds.reshape(width, height).T
    row_numbers = numbers + np.arange(height, dtype=np.int32)
    order = np.full((height, width + 2, _PIECES_PER_CELL), _NOTHING, np.int32)
    order[:, 0, 0], order[:, 0, 1], order[:, 0, 2] = _ROW, row_numbers, _ROW_GOES_ON
    order[:, 1:-1, 0] = _CONSTANTS + np.arange(width)
    order[:, 1:-1, 1] = row_numbers[:, None]
    order[:, 1:-1, 2] = _OPENINGS + kinds
    order[:, 1:-1, 3] = numbers + height + cells.places.reshape(width, height).T
    order[:, 1:-1, 4] = np.where(kinds == _NUMBER, _END_NUMBER, _END_TEXT)
    order[:, -1, 0] = _ROW_ENDS
    wanted = np.ones((height, width + 2), np.bool_)
    wanted[:, 1:-1] = kinds != _ABSENT
    flat: _Positions = order[wanted].ravel()
    return flat


def _arrow(text: pl.Series) -> Any:
    return text.to_arrow().cast(pa.large_string())


def _bytes_of(strings: Any) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of an Arrow string array, and where in them each string starts (and the last one ends)."""
    _, offsets, data = strings.buffers()
    starts = np.frombuffer(offsets, np.int64, len(strings) + 1)
    return np.frombuffer(data if data is not None else b"", np.uint8)[: starts[-1]], starts


def _joined(strings: Any) -> memoryview:
    """The strings of an Arrow array one after another, without a copy."""
    return _bytes_of(strings)[0].data


def _cells(frame: pl.DataFrame, numeric: Collection[str]) -> _Cells:
    """The cells of a frame that has at least one row."""
    if not frame.width:
        return _Cells(np.empty(0, np.int8), pa.array([], pa.large_string()), np.empty(0, np.int32), 0)
    values = pa.concat_arrays([_arrow(column.cast(pl.String)) for column in frame])
    kinds = np.concatenate([_kinds(column, is_number=column.name in numeric) for column in frame])
    data, starts = _bytes_of(values)
    kinds[starts[1:] == starts[:-1]] = _ABSENT
    places = np.arange(len(values), dtype=np.int32)
    suspects = _suspects(data, starts)
    if not suspects.size:
        return _Cells(kinds, values, places, 0)
    careful, cut = _cut_long(pl.Series(pl.from_arrow(values.take(pa.array(suspects)))))
    careful = _escaped(careful.fill_null(""))  # a null may still have bytes of its own
    places[suspects] = len(values) + np.arange(len(suspects))
    kinds[suspects[careful.str.contains(_OUTER_BLANK).to_numpy()]] = _SPACED
    kinds[suspects[(careful == "").to_numpy()]] = _ABSENT
    return _Cells(kinds, pa.concat_arrays([values, _arrow(careful)]), places, cut)


def _kinds(column: pl.Series, *, is_number: bool) -> _Kinds:
    """Text or number; what is not a finite number (NaN, infinity) stays visible as text."""
    kinds = np.full(len(column), _NUMBER if is_number and column.dtype.is_numeric() else _TEXT, np.int8)
    if is_number and column.dtype.is_float():
        kinds[(~column.is_finite()).fill_null(value=False).to_numpy()] = _TEXT
    if column.null_count():
        kinds[column.is_null().to_numpy()] = _ABSENT
    return kinds


def _suspects(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which strings may need care; it may name too many (two strings that meet in blanks), never too few."""
    lengths = np.diff(starts)
    blank = data == _BLANK
    odd = np.frombuffer(data.tobytes().translate(_SUSPECT_BYTES), np.bool_).copy()
    odd[1:] |= blank[1:] & blank[:-1]
    found = lengths > MAX_CELL_UNITS
    found[np.searchsorted(starts, np.flatnonzero(odd), side="right") - 1] = True
    filled = np.flatnonzero(lengths)
    found[filled] |= blank[starts[filled]] | blank[starts[filled + 1] - 1]
    return np.flatnonzero(found)


def _cut_long(text: pl.Series) -> tuple[pl.Series, int]:
    """Text of at most `MAX_CELL_UNITS`; UTF-8 has no fewer bytes than UTF-16 has units, so bytes are asked first."""
    if not (text.str.len_bytes() > MAX_CELL_UNITS).any():
        return text, 0
    shorter = pl.Series(text.name, [_cut(value) for value in text], pl.String)
    return shorter, int((shorter != text).sum())


def _cut(value: str) -> str:
    if len(value) * 2 <= MAX_CELL_UNITS:
        return value
    # "ignore" drops the first half of a character that would be cut in two
    return value.encode("utf-16-le")[: 2 * MAX_CELL_UNITS].decode("utf-16-le", errors="ignore")


def _escaped(text: pl.Series) -> pl.Series:
    """Text as it may stand in XML; in text with an escape every `_x` is escaped, as escapes can overlap."""
    value = pl.col("text")
    cleaned = (
        value.str.replace_all(r"\r\n?", "\n")
        .str.replace_all(_FORBIDDEN, "")
        .str.replace_all("&", "&amp;", literal=True)
        .str.replace_all("<", "&lt;", literal=True)
        .str.replace_all(">", "&gt;", literal=True)
    )
    frame = text.alias("text").to_frame().select(cleaned)
    literal = pl.when(value.str.contains(_ESCAPE)).then(value.str.replace_all("_x", "_x005F_x", literal=True))
    return frame.select(literal.otherwise(value)).to_series()
