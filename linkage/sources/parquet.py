"""Parquet files as text.

Rules
- Only the columns asked for are read, each cast to text in the file's own reader.
- A nested column (list, struct) cannot be an owner's name: asked for, it is refused; in the office's own rows it
  is JSON.
- Rows are numbered from 1.

>>> open_parquet(Path("absent.parquet"))
Traceback (most recent call last):
...
linkage.errors.UnreadableFileError: absent.parquet: the Parquet file is damaged or cut short; copy or export it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from linkage.errors import InputError, UnreadableFileError
from linkage.schemas import REJECTED
from linkage.sources.mapping import ROW, unique_headers
from linkage.sources.tables import Part, RawTable, as_text


def open_parquet(path: Path) -> Part:
    """The one table of a Parquet file."""
    try:
        schema = pl.scan_parquet(path, glob=False).collect_schema()
    except (pl.exceptions.PolarsError, OSError):
        raise _damaged(path) from None
    headers = unique_headers(list(schema))
    return Part(path.name, path.name, "parquet", tuple(headers), lambda wanted: _load(path, schema, headers, wanted))


def _load(path: Path, schema: pl.Schema, headers: Sequence[str], wanted: Sequence[str] | None) -> RawTable:
    own = dict(zip(headers, schema, strict=True))
    chosen = [own[header] for header in (headers if wanted is None else wanted)]
    nested = [name for name in chosen if schema[name].is_nested()]
    if nested and wanted is not None:
        raise InputError(
            f"{path.name}: column '{nested[0]}' holds lists or records; expected one value a row, flatten it."
        )
    lazy = pl.scan_parquet(path, glob=False).select(_text_columns(schema, chosen))
    try:
        frame = lazy.collect()
    except (pl.exceptions.PolarsError, OSError):
        raise _damaged(path) from None
    renamed = {name: header for header, name in own.items() if name in chosen and name != header}
    frame = frame.rename(renamed).with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))
    return RawTable(frame, REJECTED.empty())


def _text_columns(schema: pl.Schema, chosen: Sequence[str]) -> list[pl.Expr]:
    return [
        pl.struct(name).struct.json_encode().alias(name) if schema[name].is_nested() else as_text(name, schema[name])
        for name in chosen
    ]


def _damaged(path: Path) -> UnreadableFileError:
    return UnreadableFileError(path.name, "the Parquet file is damaged or cut short", "copy or export it again")
