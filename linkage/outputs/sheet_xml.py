"""The XML of a worksheet's rows, built for thousands of rows at once.

Rules
- Every cell is text (an inline string), so nothing can start a formula and an id keeps its zeros; only columns the
  caller names are numbers, and of these only finite values.
- An empty cell is left out. A line break is `\\n`. Characters that XML forbids are removed.
- `_x0041_` in a cell means `A` to Excel; text that holds such an escape is written so that it stays as it is.
- Excel keeps 32,767 UTF-16 units in a cell; longer text is cut there, and counted.

How: the text of all columns, the row numbers and the few constant pieces are laid into one Arrow array; a matrix of
positions says in which order the pieces follow each other; one `take` copies them together. No Python code runs per
cell or per row, which is what makes this fast.

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
import pyarrow as pa  # type: ignore[import-untyped]

TEXT_STYLE = 1
HEADER_STYLE = 2
NUMBER_STYLE = 3

MAX_CELL_UNITS = 32_767

_ESCAPE = r"_x[0-9A-Fa-f]{4}_"
_FORBIDDEN = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
_OUTER_BLANK = r"^[ \t\n]|[ \t\n]$|[\t\n]|  "
_NEEDS_CARE = rf"[&<>\x00-\x1F\x{{FFFE}}\x{{FFFF}}]|{_ESCAPE}|^ | $|  "

_END_TEXT = "</t></is></c>"
_END_NUMBER = "</v></c>"
_END_ROW = "</row>"
_PIECES_PER_CELL = 4

# What a cell is; the kinds that are written double as the number of their opening piece.
_TEXT, _SPACED, _NUMBER, _ABSENT = range(4)

_Kinds = npt.NDArray[np.int8]


@dataclass(frozen=True)
class RowsXml:
    """The bytes of some rows, and how many of their cells had to be cut."""

    data: memoryview
    cut_cells: int


@dataclass(frozen=True)
class _Cells:
    """One column made ready: XML text, the kind of each cell, and how many were cut."""

    text: pl.Series
    kinds: _Kinds
    cut: int


def rows_xml(frame: pl.DataFrame, first_row: int, *, numeric: Collection[str] = (), style: int = TEXT_STYLE) -> RowsXml:
    """The `<row>` elements of `frame`, the first of them numbered `first_row`."""
    cells = [_number_cells(column) if column.name in numeric else _text_cells(column) for column in frame]
    pieces = pa.concat_arrays([
        *_fixed_pieces(first_row, frame.height, len(cells), style),
        *(cell.text.to_arrow().cast(pa.large_string()) for cell in cells),
    ])  # fmt: skip
    order = _order(frame.height, [cell.kinds for cell in cells])
    return RowsXml(_joined(pieces.take(pa.array(order))), sum(cell.cut for cell in cells))


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


def _fixed_pieces(first_row: int, height: int, width: int, style: int) -> list[Any]:
    """All pieces but the values: constants, then per row its opening and the three ways a cell may go on."""
    numbers = pl.select(pl.int_range(first_row, first_row + height).cast(pl.String)).to_series()
    constants = [f'<c r="{column_letters(index)}' for index in range(width)] + [_END_TEXT, _END_NUMBER, _END_ROW]
    per_row = [
        '<row r="' + numbers + '">',
        numbers + f'" s="{style}" t="inlineStr"><is><t>',
        numbers + f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">',
        numbers + f'" s="{NUMBER_STYLE}"><v>',
    ]
    return [pa.array(constants, pa.large_string()), *(piece.to_arrow().cast(pa.large_string()) for piece in per_row)]


def _order(height: int, kinds: list[_Kinds]) -> npt.NDArray[np.int32]:
    """Which piece follows which: positions in the array that `rows_xml` laid out."""
    width = len(kinds)
    end_text, opening = width, width + 3
    rows = np.arange(height, dtype=np.int32)
    order = np.empty((height, 2 + _PIECES_PER_CELL * width), np.int32)
    wanted = np.ones(order.shape, np.bool_)
    order[:, 0] = opening + rows
    order[:, -1] = end_text + 2
    for column, kind in enumerate(kinds):
        at = 1 + _PIECES_PER_CELL * column
        order[:, at] = column
        order[:, at + 1] = opening + height * (1 + kind.astype(np.int32)) + rows
        order[:, at + 2] = opening + height * (4 + column) + rows
        order[:, at + 3] = end_text + (kind == _NUMBER)
        wanted[:, at : at + _PIECES_PER_CELL] = (kind != _ABSENT)[:, None]
    flat: npt.NDArray[np.int32] = order[wanted]
    return flat


def _joined(strings: Any) -> memoryview:
    """The data buffer of an Arrow string array: its strings one after another, without a copy."""
    _, offsets, data = strings.buffers()
    end = int(np.frombuffer(offsets, np.int64, len(strings) + 1)[-1])
    return memoryview(data)[:end] if data is not None else memoryview(b"")


def _text_cells(column: pl.Series) -> _Cells:
    text = column.cast(pl.String)
    text, cut = _cut_long(text)
    kinds = np.zeros(len(text), np.int8)
    if text.str.contains(_NEEDS_CARE).any():
        text = _escaped(text)
        kinds[text.str.contains(_OUTER_BLANK).fill_null(value=False).to_numpy()] = _SPACED
    kinds[(text.is_null() | (text == "")).fill_null(value=True).to_numpy()] = _ABSENT
    return _Cells(text, kinds, cut)


def _number_cells(column: pl.Series) -> _Cells:
    """Numbers; what is not a finite number (NaN, infinity) stays visible as text."""
    if not column.dtype.is_numeric():
        return _text_cells(column)
    kinds = np.full(len(column), _NUMBER, np.int8)
    if column.dtype.is_float():
        kinds[(~column.is_finite()).fill_null(value=False).to_numpy()] = _TEXT
    kinds[column.is_null().to_numpy()] = _ABSENT
    return _Cells(column.cast(pl.String), kinds, 0)


def _cut_long(text: pl.Series) -> tuple[pl.Series, int]:
    """Text of at most `MAX_CELL_UNITS`; UTF-8 has no fewer bytes than UTF-16 has units, so bytes are asked first."""
    if (text.str.len_bytes().max() or 0) <= MAX_CELL_UNITS:  # type: ignore[operator]
        return text, 0
    shorter = pl.Series(text.name, [None if value is None else _cut(value) for value in text], pl.String)
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
