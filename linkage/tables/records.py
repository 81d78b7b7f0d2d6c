"""Files → tables of prepared records with term frequencies, the only thing that comparisons see.

Rules
- Each row of a file is used, or refused with its reason: no identifier, the identifier of an earlier row, a broken row.
- A table of records holds `id` (dense, in the order read), `unique_id` as written, fields, derived columns, and
  `tf_…`: the share of records with the same value, for columns whose agreement weighs by rarity.
- Term frequencies are taken over both tables stacked, as Splink does unless told otherwise, or over the one named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from linkage.engines.duckdb import Connection
from linkage.errors import InputError
from linkage.sources.mapping import SourceMapping
from linkage.sources.reading import Source, read_table
from linkage.tables.config import LEFT, RECORDS, RIGHT, TablesConfig

TABLES = {LEFT: "left_records", RIGHT: "right_records", RECORDS: "records"}
"""The table of each side; Splink makes the first in the alphabet `_l`."""


def mapping(config: TablesConfig, side: str) -> SourceMapping:
    """How the file of a side is read: every field is named, so that a lost column is refused, not empty."""
    source = config.source(side)
    headers = {name: source.columns.get(name, told.column or name) for name, told in config.fields.items()}
    return SourceMapping(
        columns={"unique_id": source.unique_id, **headers},
        sheet=source.sheet,
        format=source.format,
        encoding=source.encoding,
        delimiter=source.delimiter,
    )


def read(path: Path, config: TablesConfig, side: str) -> Source:
    """The lines of a side under the fields' names; `InputError` where there is nothing to work with."""
    source = read_table(
        path, mapping(config, side), required=["unique_id"], unique="unique_id", section=f"sources.{side}"
    )
    if source.lines.height == 0:
        message = f"{path.name}: expected rows to link, found none that can be used; see that it is the right file."
        raise InputError(message)
    return source


def _frequency(con: Connection, column: str, tables: Sequence[str]) -> str:
    stacked = " union all ".join(f"select {column} from {table}" for table in tables)
    name = f"frequency_of_{column}"
    con.execute(
        f"create or replace temp table {name} as select {column}, count(*)::double / sum(count(*)) over () as "
        f"tf_{column} from ({stacked}) where {column} is not null group by {column}"
    )
    return name


def add_term_frequencies(con: Connection, columns: Sequence[str], tables: Sequence[str], over: Sequence[str]) -> None:
    """Give each of `tables` a `tf_…` for each column: the share of its value among the records of `over`."""
    lookups = {column: _frequency(con, column, over) for column in columns}
    for table in tables:
        joins = " ".join(f"left join {lookup} using ({column})" for column, lookup in lookups.items())
        added = "".join(f", tf_{column}" for column in columns)
        con.execute(f"create or replace table {table} as select t.*{added} from {table} as t {joins}")


def tables_of(config: TablesConfig) -> list[str]:
    """The tables of the run."""
    return [TABLES[side] for side in config.sides]


def term_frequency_tables(config: TablesConfig) -> list[str]:
    """The tables whose values are counted."""
    over = config.training.term_frequencies_from
    return tables_of(config) if config.dedupe or over == "both" else [TABLES[over]]


def fill_rates(lines: pl.DataFrame, config: TablesConfig) -> dict[str, float]:
    """The share of rows with a value, by field."""
    return {name: 1 - lines[name].null_count() / max(lines.height, 1) for name in config.fields}


def accounts(sources: Mapping[str, Source]) -> dict[str, int]:
    """Rows read = used + rejected, in all and of each of two tables."""
    counts = {
        "rows_read": sum(source.rows_read for source in sources.values()),
        "rows_used": sum(source.lines.height for source in sources.values()),
        "rows_rejected": sum(source.rejected.height for source in sources.values()),
    }
    if len(sources) > 1:
        for side, source in sources.items():
            counts[f"{side}_read"] = source.rows_read
            counts[f"{side}_used"] = source.lines.height
            counts[f"{side}_rejected"] = source.rejected.height
    return counts
