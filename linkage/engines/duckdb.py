"""DuckDB as the engine of one office machine.

Rules
- One connection a run; its memory budget is kept by spilling into the run's own folder.
- Tables enter as Arrow or Polars frames, and leave as Polars frames.
- Strings that join or compare are folded text; nothing here calls the network.

>>> con = connect(memory="1GB", threads=1)
>>> con.sql("select 1 as one").pl().item()
1
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from linkage.errors import ConfigError

Connection = duckdb.DuckDBPyConnection


def connect(*, memory: str = "2GB", threads: int | None = None, spill: Path | None = None) -> Connection:
    """A private in-memory database that spills to `spill` above `memory` (text such as `2GB`)."""
    options: dict[str, str | bool | int | float | list[str]] = {
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        options["threads"] = threads
    con = duckdb.connect(":memory:", config=options)
    try:
        con.execute(f"set memory_limit = '{memory}'")
    except duckdb.Error:
        message = f"memory: expected a size such as '4GB', found '{memory}'; mend the option."
        raise ConfigError(message) from None
    if spill is not None:
        spill.mkdir(parents=True, exist_ok=True)
        escaped = str(spill).replace("'", "''")
        con.execute(f"set temp_directory = '{escaped}'")
    return con


def load(con: Connection, name: str, frame: pl.DataFrame) -> None:
    """Copy `frame` into a table called `name`."""
    con.register("_arriving", frame.to_arrow())
    con.execute(f"create or replace table {name} as select * from _arriving")
    con.unregister("_arriving")


def fetch(con: Connection, sql: str) -> pl.DataFrame:
    """The rows of a query as a Polars frame."""
    return con.sql(sql).pl()
