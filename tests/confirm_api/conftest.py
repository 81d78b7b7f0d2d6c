"""What tests of the service share: both databases with their schema, a key store, transactions, a clock that moves.

Rules
- PostgreSQL is a real server of the run's own, started when the first test asks for it.
- Each test has a fresh database: a copy of one that was upgraded once. On PostgreSQL, where a copy takes longer than
  most tests, a database is emptied and given to the next test, unless a test changed its schema.
- `engine`, `vault` and `units` are on one database; a test that uses them runs once on each kind.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine

from confirm_api.store.engine import open_engine, upgrade
from confirm_api.store.vault import MasterKeys, Vault, open_vault
from scripts.local_postgres import database_url, driver_url, local_postgres

KEYS = MasterKeys(bytes(range(32)), bytes(range(32, 64)))
BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql")))
START = 1_764_000_000


@dataclass
class Clock:
    """Seconds since 1970 that pass when told to; a vault ages by it too."""

    now: int = START

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at `START` until it is moved."""
    return Clock()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server of the run's own, without fsync; ask for it in tests that `need` postgresql."""
    with local_postgres(durable=False) as url:
        yield url


@pytest.fixture(scope="session")
def administrator(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops databases."""
    with psycopg.connect(driver_url(postgres_url), autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    """Make a database once for each kind (`sqlite`, `postgresql`) and schema (`main`, `keys`, or `empty` for none)."""
    folder = tmp_path_factory.mktemp("templates")
    made: dict[tuple[str, str], str] = {}

    def template(kind: str, schema: str) -> str:
        if (kind, schema) not in made:
            made[kind, schema] = _template(kind, schema, folder, request)
        return made[kind, schema]

    return template


def _template(kind: str, schema: str, folder: Path, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        url = f"sqlite:///{folder}/{schema}.sqlite"
    else:
        request.getfixturevalue("administrator").execute(f"CREATE DATABASE template_{schema}")
        url = database_url(request.getfixturevalue("postgres_url"), f"template_{schema}")
    engine = open_engine(url)
    if schema != "empty":
        upgrade(engine, schema)
    engine.dispose()
    return url


_NUMBERS = itertools.count(1)
_SCHEMA = """
SELECT md5(string_agg(told, ',' ORDER BY told)) FROM (
    SELECT concat(c.oid, c.relname, a.attname, a.atttypid, a.attnotnull) FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat(tgrelid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat(conrelid, conname) FROM pg_constraint
) AS parts(told)"""
"""What a test may have changed besides rows: tables, columns, indexes, triggers, constraints."""


class Databases:
    """Databases of a schema on the run's PostgreSQL: given to a test, emptied, given to the next."""

    def __init__(self, administrator: psycopg.Connection, server: str, schema: str) -> None:
        self.administrator, self.server, self.schema = administrator, server, schema
        self.free: list[Database] = []

    def take(self) -> Database:
        """One as it is after the upgrade."""
        if self.free:
            return self.free.pop()
        name = f"{self.schema}_{next(_NUMBERS)}"
        self.administrator.execute(f"CREATE DATABASE {name} TEMPLATE template_{self.schema}")
        return Database(name, database_url(self.server, name))

    def give_back(self, used: Database) -> None:
        """Keep it for the next test; drop it where it is not as it was."""
        if self.schema != "empty" and used.is_emptied():
            self.free.append(used)
        else:
            used.conn.close()
            self.administrator.execute(f"DROP DATABASE {used.name} WITH (FORCE)")


class Database:
    """A database, and a connection that empties it."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url
        self.conn = psycopg.connect(driver_url(url), autocommit=True)
        self.schema, self.emptying = self._told(_SCHEMA)[0], self._emptying()

    def is_emptied(self) -> bool:
        """Nobody else is there any more, and its rows are gone; False where the schema was changed."""
        try:
            self.conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if self._told(_SCHEMA) != [self.schema]:
                return False
            self.conn.execute(self.emptying)
        except psycopg.OperationalError:
            return False
        return True

    def _told(self, question: str) -> list[str]:
        return [row[0] for row in self.conn.execute(question).fetchall()]

    def _emptying(self) -> str:
        """Statements for each table that the upgrade left empty, without asking triggers, and for each sequence."""
        tables = self._told("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        empty = [table for table in tables if not self._told(f'SELECT 1 FROM "{table}" LIMIT 1')]
        sequences = self._told("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
        steps = ["SET session_replication_role = replica", *(f'DELETE FROM "{table}"' for table in empty)]
        return "; ".join(steps + [f'ALTER SEQUENCE "{name}" RESTART' for name in sequences])


@pytest.fixture(scope="session")
def on_postgresql(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Databases]]:
    """The databases of a schema; asking for the first starts the server."""
    known: dict[str, Databases] = {}

    def of(schema: str) -> Databases:
        if schema not in known:
            server, administrator = request.getfixturevalue("postgres_url"), request.getfixturevalue("administrator")
            known[schema] = Databases(administrator, server, schema)
        return known[schema]

    yield of
    for databases in known.values():
        for database in databases.free:
            database.conn.close()


@pytest.fixture
def new_database(tmp_path: Path, templates, on_postgresql) -> Iterator[Callable[[str, str], str]]:
    """Give the url of a fresh database: `new_database("postgresql", "main")`."""
    taken: list[tuple[Databases, Database]] = []

    def make(kind: str, schema: str = "main") -> str:
        template = templates(kind, schema)
        if kind == "sqlite":
            path = tmp_path / f"{schema}_{next(_NUMBERS)}.sqlite"
            shutil.copy(template.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        databases = on_postgresql(schema)
        taken.append((databases, databases.take()))
        return taken[-1][1].url

    yield make
    for databases, database in taken:
        databases.give_back(database)


@pytest.fixture(params=BOTH)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run the test once on each kind of database."""
    return str(request.param)


@pytest.fixture
def database(database_kind: str, new_database) -> str:
    """The url of a fresh main database."""
    return str(new_database(database_kind, "main"))


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """A fresh main database, upgraded, on SQLite and on PostgreSQL."""
    engine = open_engine(database)
    yield engine
    engine.dispose()


@pytest.fixture
def key_store(database_kind: str, new_database) -> str:
    """The url of a fresh key store, of the same kind as the main database."""
    return str(new_database(database_kind, "keys"))


@pytest.fixture
def vault(key_store: str, clock: Clock) -> Iterator[Vault]:
    """A fresh key store, opened, that ages by the test's clock."""
    vault = open_vault(key_store, KEYS, clock=clock)
    yield vault
    vault.close()


@pytest.fixture
def units(engine: Engine, vault: Vault, clock: Clock):
    """Transactions on the fresh database."""
    from confirm_api.unit import Units

    return Units(engine, vault, clock)
