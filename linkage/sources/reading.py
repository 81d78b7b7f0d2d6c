"""Files → raw text tables with named columns, and the rows that were refused.

Rules
- Every row of a file ends in exactly one place: `rows_read == lines.height + rejected.height`, always.
- A row without any text is not a row: it is not counted, but it is numbered.
- Columns that a file lacks are null, or the constant the config gives; columns nobody asked for are left out.
- A delimited file whose header is not ours, but fits the layout PL3-01, is read as a sheet of that layout would be;
  where it has no column `owner_record_id`, the id of a line is `<file>!<row>`.
- A folder is read as one table; so is a workbook with a table on several sheets. `source_part` says which file or sheet
  a row comes from, and with `row_number` it names the row in `original_rows`.

>>> source = read_table(Path("tests/data/historical_50k.parquet"), required=["unique_id"], unique="unique_id")
>>> source.rows_read == source.lines.height + source.rejected.height
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from linkage.errors import MissingColumnError, UnreadableFileError
from linkage.schemas import CITIZEN_LINES, OWNER_LINES, REJECTED
from linkage.sources import elis, pl3
from linkage.sources.delimited import open_csv
from linkage.sources.files import Kind, check_kind, files_of
from linkage.sources.mapping import PART, ROW, HeaderError, SourceMapping, fold_header, match_columns
from linkage.sources.parquet import open_parquet
from linkage.sources.pl3_layout import find_layout
from linkage.sources.refusals import Check, filled, repair_citizen_id, sift, too_long, twelve_digits
from linkage.sources.tables import Matched, Part, RawTable, Taken, matched
from linkage.sources.workbooks import Sheet, plain_parts, read_sheets, sheet_of

BEFORE, SINCE = "before-2025-07-01", "from-2025-07-01"
_OWNER_COLUMNS = tuple(name for name in OWNER_LINES.columns if name != ROW)
_CITIZEN_COLUMNS = tuple(name for name in CITIZEN_LINES.columns if name != ROW)
_DEFAULT = SourceMapping()
_CLAIMS: dict[str, Kind] = {"csv": "csv", "parquet": "parquet", "xlsx": "xlsx", "pl3-01": "xlsx"}


@dataclass(frozen=True)
class Source:
    """What a source gave: `lines` that are used, `rejected` rows, and what a report says about them."""

    lines: pl.DataFrame
    rejected: pl.DataFrame
    rows_read: int
    columns_found: tuple[str, ...]
    format: str
    notes: tuple[str, ...] = field(default=())
    matched: tuple[Matched, ...] = field(default=())


@dataclass(frozen=True)
class _Wanted:
    """What a table must and may have; `columns` None means all that the file has."""

    columns: Sequence[str] | None
    required: Sequence[str]
    section: str
    owners: bool = False


_OWNERS = _Wanted(_OWNER_COLUMNS, ("owner_record_id", "owner_name"), "sources.owners.columns", owners=True)
_CITIZENS = _Wanted(_CITIZEN_COLUMNS, ("citizen_id", "full_name"), "sources.citizens.columns")


def read_owners(path: Path, mapping: SourceMapping = _DEFAULT) -> Source:
    """The lines of a land register, in the columns of `OWNER_LINES` (more for PL3-01 and ELIS, see there)."""
    taken = _take_all(path, mapping, _OWNERS)
    checks = [filled("owner_record_id", "missing-id"), filled("owner_name", "missing-name")]
    return _settle(taken, _constants(mapping, _OWNER_COLUMNS, BEFORE), checks, "owner_record_id")


def read_citizens(path: Path, mapping: SourceMapping = _DEFAULT) -> Source:
    """The extract of the population register, in the columns of `CITIZEN_LINES`; `citizen_id` is 12 digits."""
    taken = _take_all(path, mapping, _CITIZENS)
    checks = [filled("citizen_id", "missing-id"), twelve_digits("citizen_id"), filled("full_name", "missing-name")]
    constants = _constants(mapping, _CITIZEN_COLUMNS, SINCE)
    return _settle(
        taken, [*constants, repair_citizen_id(pl.col("citizen_id")).alias("citizen_id")], checks, "citizen_id"
    )


def read_table(
    path: Path,
    mapping: SourceMapping = _DEFAULT,
    required: Sequence[str] = (),
    unique: str | None = None,
    section: str = "sources.columns",
) -> Source:
    """Any table, all its columns as text; mapped ones under our names, the others under their own."""
    needed = [*required, *([unique] if unique and unique not in required else [])]
    taken = _take_all(path, mapping, _Wanted(None, needed, section))
    checks = [filled(name, "missing-id" if name == unique else "missing-value") for name in needed]
    constants = [_filled(name, value) for name, value in mapping.constants.items()]
    return _settle(taken, constants, checks, unique)


def original_rows(path: Path, mapping: SourceMapping = _DEFAULT) -> pl.DataFrame:
    """The office's own rows in their order under their own headers, refused ones included, as text.

    `source_part` and `row_number` come first and are the same as in `lines`.
    """
    blocks = [block for file in files_of(path) for block in _originals_in(file, mapping)]
    return pl.concat(blocks, how="diagonal")


# --- from files to tables under our names


def _take_all(path: Path, mapping: SourceMapping, wanted: _Wanted) -> list[Taken]:
    return [taken for file in files_of(path) for taken in _take_file(file, mapping, wanted)]


def _take_file(file: Path, mapping: SourceMapping, wanted: _Wanted) -> list[Taken]:
    sheets = _sheets(file, mapping)
    if sheets is not None and wanted.owners and _may_be_pl3(mapping):
        taken = pl3.take(file.name, sheets, named=mapping.sheet is not None)
        if taken or mapping.format == "pl3-01":
            return taken or pl3.refuse(file.name, sheets)
    if sheets is None and wanted.owners and (text := _layout_in_text(file, mapping)):
        sheet, raw = text
        whole = pl3.take(file.name, [sheet], named=True)[0]
        return [replace(whole, rejected=pl.concat([raw.rejected, whole.rejected]), format="csv (pl3-01)")]
    parts = _parts(file, mapping, sheets, wanted.columns or wanted.required)
    return _take_parts(file, parts, mapping, wanted)


def _sheets(file: Path, mapping: SourceMapping) -> list[Sheet] | None:
    kind = check_kind(file, _CLAIMS.get(mapping.format))
    return read_sheets(file, kind, mapping) if kind in {"xlsx", "xls"} else None


def _layout_in_text(file: Path, mapping: SourceMapping) -> tuple[Sheet, RawTable] | None:
    """A delimited file as a sheet, where its header is not ours but has the layout PL3-01."""
    if mapping.format not in {"auto", "csv"} or mapping.columns or check_kind(file) != "csv":
        return None
    part = open_csv(file, mapping)
    if find_layout(sheet_of(part.headers)) is None or fold_header("owner_name") in map(fold_header, part.headers):
        return None
    raw = part.load(None)
    return sheet_of(part.headers, raw.frame), raw


def _may_be_pl3(mapping: SourceMapping) -> bool:
    return mapping.format == "pl3-01" or (mapping.format == "auto" and "owner_name" not in mapping.columns)


def _parts(file: Path, mapping: SourceMapping, sheets: list[Sheet] | None, ours: Sequence[str]) -> list[Part]:
    if sheets is not None:
        known = [*ours, *mapping.columns.values(), *elis.KNOWN]
        return plain_parts(file, sheets, known, named=mapping.sheet is not None)
    return [open_parquet(file) if check_kind(file) == "parquet" else open_csv(file, mapping)]


def _take_parts(file: Path, parts: Sequence[Part], mapping: SourceMapping, wanted: _Wanted) -> list[Taken]:
    """The tables of one file; a sheet without the required columns is passed over if another sheet has them."""
    taken: list[Taken] = []
    failures: list[MissingColumnError] = []
    notes: list[str] = []
    for part in parts:
        try:
            taken.append(_take_part(part, mapping, wanted))
        except MissingColumnError as failure:
            failures.append(failure)
            notes.append(f"{part.name}: the sheet lacks a required column and was not read")
    if not taken:
        raise (
            failures[0]
            if failures
            else UnreadableFileError(file.name, "no visible sheet holds a table", "name the sheet")
        )
    return [replace(taken[0], notes=(*taken[0].notes, *notes)), *taken[1:]]


def _take_part(part: Part, mapping: SourceMapping, wanted: _Wanted) -> Taken:
    is_elis = wanted.owners and (
        mapping.format == "elis" or (mapping.format == "auto" and elis.recognises(part.headers))
    )
    aliases = elis.ALIASES if is_elis else {}
    ours = (
        wanted.columns
        if wanted.columns is not None
        else [*wanted.required, *(c for c in mapping.columns if c not in wanted.required)]
    )
    found = match_columns(
        part.name, part.headers, [*ours, *(elis.EXTRA if is_elis else ())], mapping.columns, aliases, wanted.section
    )
    for column in wanted.required:
        if column not in found and column not in mapping.constants and not (is_elis and column == "owner_record_id"):
            raise HeaderError(part.name, column, part.headers, wanted.section)
    raw = part.load(list(dict.fromkeys(found.values())) if wanted.columns is not None else None)
    frame = _under_our_names(raw.frame, found, part, wanted)
    if is_elis:
        frame = elis.finish(frame, part.name)
    account = matched(part.name, part.headers, list(found.items()))
    return Taken(frame, raw.rejected, part.headers, "elis" if is_elis else part.format, account, part.notes)


def _under_our_names(frame: pl.DataFrame, found: Mapping[str, str], part: Part, wanted: _Wanted) -> pl.DataFrame:
    ours = [pl.col(header).alias(name) for name, header in found.items()]
    absent = [pl.lit(None, pl.String).alias(name) for name in wanted.columns or () if name not in found]
    used = set(found.values())
    others = [
        pl.col(name)
        for name in frame.columns
        if wanted.columns is None and name not in used and name != ROW and name not in found
    ]
    named = frame.select(ROW, *ours, *absent, *others)
    return named.with_columns(pl.lit(part.name).alias(PART))


def _originals_in(file: Path, mapping: SourceMapping) -> list[pl.DataFrame]:
    sheets = _sheets(file, mapping)
    if sheets is not None and _may_be_pl3(mapping):
        blocks = pl3.originals(file.name, sheets, named=mapping.sheet is not None)
        if blocks:
            return blocks
    return [_original_of(part) for part in _parts(file, mapping, sheets, (*_OWNER_COLUMNS, *_CITIZEN_COLUMNS))]


def _original_of(part: Part) -> pl.DataFrame:
    raw = part.load(None)
    frame = raw.frame if raw.unread is None else pl.concat([raw.frame, raw.unread]).sort(ROW)
    return frame.select(pl.lit(part.name).alias(PART), pl.all())


# --- from tables to lines


def _constants(mapping: SourceMapping, columns: Sequence[str], vintage: str) -> list[pl.Expr]:
    values = {**mapping.constants, "commune_code_vintage": mapping.vintage or vintage}
    return [_filled(name, value) for name, value in values.items() if name in columns]


def _filled(name: str, value: str) -> pl.Expr:
    return pl.col(name).fill_null(value).alias(name)


def _settle(taken: Sequence[Taken], prepare: Sequence[pl.Expr], checks: Sequence[Check], unique: str | None) -> Source:
    """Puts the tables together, prepares columns and sifts the rows."""
    frame = pl.concat([table.frame for table in taken], how="diagonal") if len(taken) > 1 else taken[0].frame
    refused = pl.concat([table.rejected for table in taken])
    rows_read = frame.height + refused.height
    good, sifted = sift(frame.with_columns(*prepare), [*too_long(frame), *checks], unique)
    headers = tuple(dict.fromkeys(header for table in taken for header in table.headers))
    notes = tuple(note for table in taken for note in table.notes)
    accounts = tuple(table.matched for table in taken)
    formats = ", ".join(dict.fromkeys(table.format for table in taken))
    return Source(good, REJECTED.check(pl.concat([refused, sifted])), rows_read, headers, formats, notes, accounts)
