"""What tests of the service share: both databases with their schema, a key store, transactions, a clock that moves.

Rules
- PostgreSQL is a real server of the run's own, started when the first test asks for it.
- Each test has a fresh database: a copy of one that was upgraded once.
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


@pytest.fixture
def new_database(tmp_path: Path, templates, request: pytest.FixtureRequest) -> Iterator[Callable[[str, str], str]]:
    """Give the url of a fresh database: `new_database("postgresql", "main")`."""
    drop: list[str] = []

    def make(kind: str, schema: str = "main") -> str:
        template = templates(kind, schema)
        name = f"{schema}_{next(_NUMBERS)}"
        if kind == "sqlite":
            shutil.copy(template.removeprefix("sqlite:///"), tmp_path / f"{name}.sqlite")
            return f"sqlite:///{tmp_path}/{name}.sqlite"
        request.getfixturevalue("administrator").execute(f"CREATE DATABASE {name} TEMPLATE template_{schema}")
        drop.append(name)
        return database_url(request.getfixturevalue("postgres_url"), name)

    yield make
    for name in drop:
        request.getfixturevalue("administrator").execute(f"DROP DATABASE {name} WITH (FORCE)")


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
