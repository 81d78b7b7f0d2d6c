"""Many rows in one statement: new ones with growing numbers, and those whose column has one of many values.

Rules
- PostgreSQL gives the numbers with the rows. SQLite would want a statement for each row to tell which number is whose;
  there the transaction is alone (`BEGIN IMMEDIATE`), so the numbers are the next ones after the largest.
- Many values are one parameter: the statement's text is the same however many they are, so that it is compiled once and
  prepared once. With a place for each value, a statement of 1 to 32 values cost half as much processor time again here,
  and three times as much in PostgreSQL.

Example: `insert_numbered(conn, questions, rows)` gives the numbers in the order of `rows`;
`select(questions).where(any_of(questions.c.no, "nos"))` takes `{"nos": [1, 2, 3]}`.

>>> from confirm_api.store.tables import questions
>>> from sqlalchemy.dialects import postgresql, sqlite
>>> print(any_of(questions.c.no, "nos").compile(dialect=sqlite.dialect()))
questions.no IN (SELECT value FROM json_each(?))
>>> print(any_of(questions.c.no, "nos").compile(dialect=postgresql.dialect()))
questions.no = ANY (%(nos)s::BIGINT[])
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


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


# ---- one of many ---------------------------------------------------------------------------------------------------


def any_of(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether the column has one of the values of the parameter `name`, a list of numbers or texts."""
    return _AnyOf(column, bindparam(name, type_=_Many(column.type)))


class _Many(TypeDecorator[Sequence[Any]]):
    """A list as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the driver is given."""
        return dialect.type_descriptor(ARRAY(self.of) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The list itself, or as JSON."""
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _AnyOf(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()


@compiles(_AnyOf, "postgresql")
def _as_array(element: _AnyOf, compiler: SQLCompiler, **told: Any) -> str:
    column, many = (compiler.process(one, **told) for one in element.clauses)
    return f"{column} = ANY ({many})"


@compiles(_AnyOf, "sqlite")
def _as_json(element: _AnyOf, compiler: SQLCompiler, **told: Any) -> str:
    column, many = (compiler.process(one, **told) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({many}))"
