"""Both sides' databases as they stand, read by the checker: rows, each with what hangs on it.

Rules
- The service's main database and key store, and the provider's SQLite file: no log file, no API, nothing we were told.
- The service's tables are read in one transaction: one moment of it. The provider's come after, so that whatever the
  service knows of the provider was there before.
- Boxes are opened with the citizens' keys from the key store, as an officer's page would.

Worked example: `both = read(world, vault, engine)`; then `both.questions["AAAA…"].items` are its rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, select

from confirm_api.audit.log import subject
from confirm_api.service import contexts
from confirm_api.settings import Settings, load
from confirm_api.store import tables
from confirm_api.store.vault import Vault, open_vault
from quychu.circle.world import World

Row = Any
"""A row of a result, its columns as attributes."""

READ = (
    tables.questions,
    tables.items,
    tables.attempts,
    tables.asks,
    tables.replies,
    tables.revisions,
    tables.feed,
    tables.deliveries,
    tables.declarations,
    tables.cases,
    tables.seen_jtis,
    tables.leaves,
    tables.records,
    tables.checkpoints,
)


@dataclass(frozen=True)
class Stores:
    """Where the service keeps what it keeps, with the keys to it."""

    settings: Settings
    engine: Engine
    vault: Vault
    provider: Path

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
        self.vault.close()


def stores_of(world: World) -> Stores:
    """The databases of a world that was served once."""
    settings = load(world.service_config)
    location = settings.database.location()
    isolation: Any = "SERIALIZABLE" if location.startswith("sqlite") else "REPEATABLE READ"
    engine = create_engine(location, isolation_level=isolation, pool_size=1)
    vault = open_vault(settings.key_store.location(), settings.master_keys(), pool_size=1)
    return Stores(settings, engine, vault, world.folder / "vneid_sim.sqlite3")


@dataclass(frozen=True)
class Leaf:
    """A leaf of the log with its row."""

    no: int
    position: int | None
    text: str
    said: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        """What the leaf says."""
        return self.said[name]


@dataclass
class Records:
    """All rows of both sides."""

    service: dict[str, list[Row]]
    provider: dict[str, list[Row]]
    vault: Vault

    @cached_property
    def leaves(self) -> list[Leaf]:
        """The log."""
        rows = self.service["leaves"]
        return [Leaf(row.no, row.position, row.leaf, json.loads(row.leaf)) for row in rows]

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Questions by their id."""
        return {row.question_id: row for row in self.service["questions"]}

    @cached_property
    def by_no(self) -> dict[int, Row]:
        """Questions by their number."""
        return {row.no: row for row in self.service["questions"]}

    @cached_property
    def subjects(self) -> dict[str, str]:
        """The question that a leaf's subject stands for."""
        return {subject(one): one for one in self.by_id}

    @cached_property
    def items(self) -> dict[int, list[Row]]:
        """Items by question."""
        return grouped(self.service["items"], "question_no")

    @cached_property
    def attempts(self) -> dict[int, list[Row]]:
        """Attempts by question, in their order."""
        found = grouped(self.service["attempts"], "question_no")
        return {no: sorted(rows, key=lambda row: int(row.attempt)) for no, rows in found.items()}

    @cached_property
    def attempt(self) -> dict[int, Row]:
        """Attempts by their number."""
        return {row.no: row for row in self.service["attempts"]}

    @cached_property
    def asks(self) -> dict[str, Row]:
        """Asks sent, by their `jti`."""
        return {row.jti: row for row in self.service["asks"]}

    @cached_property
    def replies(self) -> dict[int, Row]:
        """Replies by attempt."""
        return {row.attempt_no: row for row in self.service["replies"]}

    @cached_property
    def requests(self) -> dict[str, Row]:
        """The provider's requests by their id."""
        return {row.auth_req_id: row for row in self.provider["requests"]}

    @cached_property
    def asked(self) -> dict[tuple[str, int], Row]:
        """The provider's requests by question and attempt."""
        return {(row.question_id, row.attempt): row for row in self.provider["requests"]}

    @cached_property
    def citizens(self) -> dict[str, str]:
        """Numbers by handle."""
        handles = {row.handle for row in self.service["questions"]} | {
            row.handle for row in self.service["declarations"]
        }
        return self.vault.citizens_of(handles)

    def answers(self, attempt_no: int) -> list[dict[str, Any]]:
        """What a stored reply says."""
        question = self.by_no[self.attempt[attempt_no].question_no]
        box = self.replies[attempt_no].box
        found: list[dict[str, Any]] = self.vault.open(question.handle, contexts.reply(attempt_no), box)["answers"]
        return found

    def revised(self, row: Row) -> list[dict[str, Any]]:
        """What a stored revision says."""
        question = self.by_no[self.attempt[row.attempt_no].question_no]
        context = contexts.revision(row.attempt_no, row.answered_at)
        found: list[dict[str, Any]] = self.vault.open(question.handle, context, row.box)["answers"]
        return found


def grouped(rows: list[Row], column: str) -> dict[Any, list[Row]]:
    """Rows by a column."""
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row)
    return dict(found)


def read(stores: Stores) -> Records:
    """Everything."""
    with stores.engine.begin() as conn:
        service = {table.name: _rows(conn, table) for table in READ}
    return Records(service, provider_rows(stores.provider), stores.vault)


def _rows(conn: Connection, table: Table) -> list[Row]:
    return list(conn.execute(select(table).order_by(*table.primary_key.columns)))


@dataclass(frozen=True)
class ProviderRow:
    """A row of the provider's file."""

    columns: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        """A column."""
        return self.columns[name]


def provider_rows(path: Path) -> dict[str, list[Row]]:
    """The provider's tables, straight from its file."""
    names = ("requests", "replies", "revisions", "declarations", "outbox", "cancels", "seen_messages")
    conn = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    conn.row_factory = sqlite3.Row
    try:
        conn.execute("BEGIN")
        return {name: [ProviderRow(dict(row)) for row in conn.execute(f"SELECT * FROM {name}")] for name in names}
    finally:
        conn.close()


def keep(both: Records, path: Path) -> None:
    """Write all rows to a file: what a violation is traced with, when the databases are gone."""
    sides = {"service": both.service, "provider": both.provider}
    rows = {
        side: {name: [_columns(row) for row in found] for name, found in tables_.items()}
        for side, tables_ in sides.items()
    }
    path.write_text(json.dumps(rows, default=bytes.hex, ensure_ascii=False), encoding="utf-8")


def _columns(row: Row) -> dict[str, Any]:
    return dict(row.columns) if isinstance(row, ProviderRow) else dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's name
