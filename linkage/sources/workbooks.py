"""XLSX and XLS workbooks as sheets of text.

Rules
- Every cell becomes text by the rules of `tables`; a formula gives the value it had when the file was saved.
- A row keeps the number the spreadsheet shows. Merged cells are kept as ranges: what they mean is the reader's matter.
- A plain table begins at the row, among the first 30, whose cells fit the wanted columns best.
- Hidden sheets are read only where the config names them; a note says that they are there.

>>> fits_best([["Danh sách"], ["Tên", "Năm"], ["Tý", "1960"]], {"ten", "nam"})
1
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl
import python_calamine as calamine

from linkage.errors import ConfigError
from linkage.schemas import REJECTED
from linkage.sources.files import Kind, check_workbook, damaged, locked
from linkage.sources.mapping import ROW, SourceMapping, fold_header, unique_headers
from linkage.sources.tables import Part, RawTable, text_of

HEADER_SEARCH_ROWS = 30
_ROWS_AT_ONCE = 20_000

Range = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Sheet:
    """One sheet: `frame` holds `row_number` and text columns `0`, `1`, …; `merged` counts rows and columns from 0."""

    name: str
    hidden: bool
    frame: pl.DataFrame
    merged: tuple[Range, ...]

    def head(self, rows: int) -> list[list[str | None]]:
        """The first rows, without their numbers."""
        return [list(row) for row in self.frame.drop(ROW).head(rows).iter_rows()]


def sheet_of(headers: Sequence[str], rows: pl.DataFrame | None = None) -> Sheet:
    """A table of another kind as a nameless sheet: its header as row 1, then its rows with their own numbers."""
    names = [str(position) for position in range(len(headers))]
    top = pl.DataFrame([[1, *headers]], schema={ROW: pl.Int64, **dict.fromkeys(names, pl.String)}, orient="row")
    if rows is None:
        return Sheet("", hidden=False, frame=top, merged=())
    body = rows.rename(dict(zip(headers, names, strict=True)))
    return Sheet("", hidden=False, frame=pl.concat([top, body]), merged=())


def read_sheets(path: Path, kind: Kind, mapping: SourceMapping) -> list[Sheet]:
    """The sheets of a workbook in their order; only the one the config names where it names one."""
    check_workbook(path, kind)
    try:
        with path.open("rb") as stream, calamine.CalamineWorkbook.from_filelike(stream) as workbook:
            return [_sheet(workbook, entry) for entry in _chosen(path, workbook, mapping.sheet)]
    except calamine.PasswordError:
        raise locked(path) from None
    except (calamine.CalamineError, OSError, ValueError):
        raise damaged(path) from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # how the reader's own failures arrive; no class to import
            raise damaged(path) from None
        raise


def _chosen(path: Path, workbook: calamine.CalamineWorkbook, name: str | None) -> list[calamine.SheetMetadata]:
    sheets = [entry for entry in workbook.sheets_metadata if entry.typ == calamine.SheetTypeEnum.WorkSheet]
    if name is None:
        return sheets
    chosen = [entry for entry in sheets if fold_header(entry.name) == fold_header(name)]
    if not chosen:
        listed = ", ".join(f"'{entry.name}'" for entry in sheets)
        raise ConfigError(f"{path.name}: expected a sheet '{name}', found {listed}; name one of these as the sheet.")
    return chosen


def _sheet(workbook: calamine.CalamineWorkbook, entry: calamine.SheetMetadata) -> Sheet:
    sheet = workbook.get_sheet_by_name(entry.name)
    left = sheet.start[1] if sheet.start else 0
    merged = [
        ((top, first - left), (bottom, last - left)) for (top, first), (bottom, last) in sheet.merged_cell_ranges or []
    ]
    hidden = entry.visible != calamine.SheetVisibleEnum.Visible
    return Sheet(entry.name, hidden, _frame(sheet), tuple(merged))


def _frame(sheet: calamine.CalamineSheet) -> pl.DataFrame:
    width = sheet.width if sheet.start else 0
    schema = {str(i): pl.String for i in range(width)}
    rows, blocks = sheet.iter_rows(), [pl.DataFrame(schema=schema)]
    while width and (block := list(islice(rows, _ROWS_AT_ONCE))):
        columns = zip(*block, strict=True)
        blocks.append(pl.DataFrame({str(i): map(text_of, column) for i, column in enumerate(columns)}, schema=schema))
    frame = pl.concat(blocks).with_row_index(ROW, offset=1)
    return frame.with_columns(pl.col(ROW).cast(pl.Int64))


def fits_best(rows: Sequence[Sequence[str | None]], known: set[str]) -> int:
    """Index of the header: the first row with most known headers, or the first with any text where none is known."""
    scores = [len({fold_header(cell) for cell in row if cell} & known) for row in rows]
    if any(scores):
        return scores.index(max(scores))
    return next((index for index, row in enumerate(rows) if any(row)), 0)


def plain_parts(path: Path, sheets: Sequence[Sheet], known: Iterable[str], *, named: bool) -> list[Part]:
    """The sheets as plain tables: those that are visible (or named in the config) and not empty."""
    folded = {fold_header(name) for name in known}
    tables = [sheet for sheet in sheets if (named or not sheet.hidden) and sheet.frame.width > 1]
    notes = tuple(
        f"{path.name}: sheet '{s.name}' is hidden and was not read" for s in sheets if s.hidden and s not in tables
    )
    return [
        _part(path, sheet, folded, several=len(tables) > 1, notes=notes if i == 0 else ())
        for i, sheet in enumerate(tables)
    ]


def _part(path: Path, sheet: Sheet, known: set[str], *, several: bool, notes: tuple[str, ...]) -> Part:
    head = sheet.head(HEADER_SEARCH_ROWS)
    top = fits_best(head, known)
    headers = unique_headers(head[top]) if head else []
    name = f"{path.name}#{sheet.name}" if several else path.name
    return Part(name, name, "xlsx", tuple(headers), lambda wanted: _load(sheet, top, headers, wanted), notes)


def _load(sheet: Sheet, top: int, headers: Sequence[str], wanted: Sequence[str] | None) -> RawTable:
    body = sheet.frame.slice(top + 1)
    body = body.filter(~pl.all_horizontal(pl.exclude(ROW).is_null()))
    body = body.rename(dict(zip(body.columns[1:], headers, strict=True)))
    return RawTable(body.select(ROW, *(headers if wanted is None else wanted)), REJECTED.empty())
