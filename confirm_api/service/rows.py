"""Many new rows with growing numbers, in one statement.

Rules
- PostgreSQL gives the numbers with the rows. SQLite would want a statement for each row to tell which number is whose;
  there the transaction is alone (`BEGIN IMMEDIATE`), so the numbers are the next ones after the largest.

Example: `insert_numbered(conn, questions, rows)` gives the numbers in the order of `rows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select


def insert_numbered(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows into a table whose number is `no`."""
    if not rows:
        return []
    if conn.dialect.name == "postgresql":
        return list(conn.execute(_returning(table), rows).scalars())
    last: int = conn.execute(_last(table)).scalar_one()
    numbers = list(range(last + 1, last + 1 + len(rows)))
    conn.execute(_plain(table), [{"no": no, **row} for no, row in zip(numbers, rows, strict=True)])
    return numbers


@cache
def _returning(table: Table) -> Any:
    return insert(table).returning(table.c.no, sort_by_parameter_order=True)


@cache
def _plain(table: Table) -> Any:
    return insert(table)


@cache
def _last(table: Table) -> Any:
    return select(func.coalesce(func.max(table.c.no), 0))
