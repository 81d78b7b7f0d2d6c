"""Shapes that the readers share: a part of a source, its rows as text, and how a value becomes text.

Rules
- A part is one file, or one sheet where a workbook holds several tables; it knows its headers before its rows are read.
- Rows are text as written. Numbers lose no digit: a whole number is written without `.0` and without an exponent.
- Dates are ISO text; a time of midnight is left away.
- A cell without visible text, or with a spreadsheet's error (`#REF!`), is null.
- Every row a reader itself must refuse (too few cells, an unreadable byte) stands in `rejected`.

>>> text_of(45085012345.0), text_of(" "), text_of("#REF!"), text_of(True)
('45085012345', None, None, 'true')
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from linkage.schemas import REJECTED

ERROR_CELLS = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
MAX_VALUE_SHOWN = 200
"""Characters of a refused value kept in `rejected` (schemas.REJECTED)."""
_MAX_WHOLE = 1e15
"""Above it a float no longer tells two neighbouring whole numbers apart."""

Cell = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta | None


@dataclass(frozen=True)
class RawTable:
    """Rows of one part: `frame` holds `row_number` and text columns, `rejected` what the reader refused.

    `unread` holds the refused rows as far as they fit the columns, for the office's own sheet.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame
    unread: pl.DataFrame | None = None


@dataclass(frozen=True)
class Part:
    """One table of a source, not yet read: `load(headers)` reads those columns, `load(None)` all."""

    name: str
    file: str
    format: str
    headers: tuple[str, ...]
    load: Callable[[Sequence[str] | None], RawTable]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Matched:
    """What the headers of one part became: pairs of our field and the header, and the headers that were not used."""

    part: str
    used: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]


@dataclass(frozen=True)
class Taken:
    """The rows of one part under our names, with `row_number` and `source_part`."""

    frame: pl.DataFrame
    rejected: pl.DataFrame
    headers: tuple[str, ...]
    format: str
    matched: Matched
    notes: tuple[str, ...] = field(default=())


def matched(part: str, headers: Sequence[str], used: Sequence[tuple[str, str]]) -> Matched:
    """The account of a part's headers, in the order of the file; unnamed columns are left out.

    >>> matched("a.csv", ["Mã", "Họ tên", "column_3"], [("owner_name", "Họ tên")])
    Matched(part='a.csv', used=(('owner_name', 'Họ tên'),), unused=('Mã',))
    """
    order = {header: position for position, header in enumerate(headers)}
    taken = {header for _, header in used}
    unused = (h for i, h in enumerate(headers, start=1) if h not in taken and h != f"column_{i}")
    return Matched(part, tuple(sorted(used, key=lambda pair: order[pair[1]])), tuple(unused))


def text_of(value: Cell) -> str | None:
    """The text of one cell of a spreadsheet."""
    if isinstance(value, str):
        return None if not value or value.isspace() or value in ERROR_CELLS else value
    if isinstance(value, float):
        return _text_of_float(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time.min else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return None if value is None else str(value)


def _text_of_float(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < _MAX_WHOLE else repr(value)


def as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """The expression that turns a typed column into text by the rules above."""
    value = pl.col(column)
    if dtype.is_float():
        number = value.cast(pl.Float64).fill_nan(None)
        whole = (number == number.floor()) & (number.abs() < _MAX_WHOLE)
        text = (
            pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))
        )
    elif isinstance(dtype, pl.Datetime):
        midnight = value.dt.time() == dt.time.min
        text = pl.when(midnight).then(value.dt.strftime("%Y-%m-%d")).otherwise(value.dt.strftime("%Y-%m-%dT%H:%M:%S"))
    elif dtype == pl.Binary:
        text = value.map_elements(decode_any, return_dtype=pl.String)
    else:
        text = value.cast(pl.String)
    return null_if_blank(text).alias(column)


def null_if_blank(text: pl.Expr) -> pl.Expr:
    """Null where no visible character stands."""
    return pl.when(text.str.strip_chars().str.len_bytes() > 0).then(text)


def decode_any(raw: bytes) -> str:
    """Bytes as UTF-8, or byte by byte as CP1252 where they are not."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return decode_cp1252(raw)


_CP1252_HIGH = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}


def decode_cp1252(raw: bytes) -> str:
    """CP1252 in which each of the 256 bytes has its letter, so that TCVN3 and VNI text can be repaired later."""
    return raw.decode("latin-1").translate(_CP1252_HIGH)


def rejected_rows(file: str, rows: Sequence[tuple[int, str | None, str | None, str]]) -> pl.DataFrame:
    """A `REJECTED` frame of `(row, column, value, reason)`."""
    shown = [(file, row, column, value and value[:MAX_VALUE_SHOWN], reason) for row, column, value, reason in rows]
    return pl.DataFrame(shown, schema=REJECTED.schema(), orient="row")
