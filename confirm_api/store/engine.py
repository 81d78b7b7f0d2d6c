"""Databases: SQLite embedded, PostgreSQL in production; one way to open them, one way to bring their schema up to date.

Rules
- SQLite: write-ahead log, `synchronous=FULL`, foreign keys, and the driver's own handling of transactions switched
  off: an engine event begins every transaction with `BEGIN IMMEDIATE`, so that two writers wait for each other at the
  start and never meet in the middle. The file is readable by its owner only; what is deleted is overwritten.
- PostgreSQL: `synchronous_commit` on, READ COMMITTED, no JIT (our statements are short), and rows are found by an index
  where there is one: of a young table the planner knows nothing, and would read all of it for each message until the
  server has counted it. A connection that lay idle is asked whether it lives before it is used; a busy one is not.
- No statement's values stand in an error or a log (`hide_parameters`), no password in a sentence.
- `reading` is for single statements that only look: no transaction is begun, so nobody waits.
- `upgrade` may be called by several processes at once: the first does the work, the others wait and find it done. A
  database that is newer than the code is refused.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     engine = open_engine(f"sqlite:///{folder}/main.sqlite")
...     upgrade(engine)
...     with reading(engine) as conn:
...         print(conn.exec_driver_sql("SELECT count(*) FROM questions").scalar_one())
...     engine.dispose()
0
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from confirm_api.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30
"""How long a writer waits for another on SQLite."""
IDLE_SECONDS = 15
"""A PostgreSQL connection that lay longer is asked whether it lives."""
_NO_TRANSACTION = "quychu_no_transaction"
_UPGRADE_LOCK = 0x71_75_79_63_68_75
"""Key of the advisory lock under which PostgreSQL schemas are changed ('quychu')."""


# ---- opening -------------------------------------------------------------------------------------------------------


def open_engine(url: str, *, pool_size: int = 8) -> Engine:
    """The database at `url` (`sqlite:///path` or `postgresql+psycopg://…`), tried once; StoreError where it is not."""
    parsed = _parsed(url)
    try:
        engine = _sqlite(parsed, pool_size) if parsed.drivername == "sqlite" else _postgresql(parsed, pool_size)
        with engine.connect() as conn:
            conn.exec_driver_sql("SELECT 1")
    except (exc.SQLAlchemyError, OSError) as error:
        raise StoreError(f"the database {_shown(parsed)} cannot be opened: {first_line(error)}") from error
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise StoreError("a database url is expected like 'sqlite:///path/main.sqlite'; found no url") from None
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise StoreError(f"'sqlite:///…' or 'postgresql+psycopg://…' is expected; found '{parsed.drivername}'")
    if parsed.drivername == "sqlite" and (parsed.database in {None, "", ":memory:"} or parsed.query):
        raise StoreError("an SQLite url names one file, as in 'sqlite:///path/main.sqlite'; found none, or options")
    return parsed


def _shown(url: URL) -> str:
    return url.set(query={}).render_as_string(hide_password=True)


def first_line(error: BaseException) -> str:
    """What the driver says, in one line."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__


def _sqlite(url: URL, pool_size: int) -> Engine:
    assert url.database is not None
    _make_private(Path(url.database))
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    _write_ahead(engine)
    return engine


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, for its owner only; the files beside it take over its mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    for pragma in (
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "trusted_schema=OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(conn: Connection) -> None:
    """Writers that meet here try again in SQLite's own rhythm: under heavy load one may wait for a second or two.

    Queues of threads before this point were measured: fairer, but half as many transactions a second.
    """
    if not conn.get_execution_options().get(_NO_TRANSACTION):
        conn.exec_driver_sql("BEGIN IMMEDIATE")


def _write_ahead(engine: Engine) -> None:
    """Switch to the write-ahead log; SQLite does not wait for others here, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with reading(engine) as conn:
                mode = conn.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one()
        except exc.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
            continue
        if mode != "wal":
            raise StoreError(f"SQLite needs a file system with shared memory for its log; this one gives '{mode}'")
        return


def _postgresql(url: URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=BUSY_SECONDS,
        pool_recycle=1800,
        isolation_level="READ COMMITTED",
        connect_args={
            "connect_timeout": 10,
            "application_name": "quychu",
            "options": "-c synchronous_commit=on -c jit=off -c enable_seqscan=off -c timezone=UTC",
        },
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ask_whether_alive)
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _ask_whether_alive(connection: Any, record: Any, _proxy: Any) -> None:
    """Ping what lay idle: the pool then opens another connection in its place."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < IDLE_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise exc.DisconnectionError("the server closed an idle connection") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for single statements that only look: each sees what is committed, none begins a transaction."""
    sqlite = engine.dialect.name == "sqlite"
    options: dict[str, Any] = {_NO_TRANSACTION: True} if sqlite else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as conn:
        yield conn


# ---- the schema ----------------------------------------------------------------------------------------------------


def upgrade(engine: Engine, schema: str = "main") -> None:
    """Bring the schema (`main`, or `keys` for the key store) to the newest version that this code knows."""
    script = ScriptDirectory.from_config(_config(schema))
    try:
        with engine.begin() as conn:
            _lock(conn)
            _migrate(conn, script, schema)
    except (ResolutionError, CommandError) as error:
        raise StoreError(
            f"the database {_shown(engine.url)} is newer than this version of quychu: install the newer version"
        ) from error
    except exc.SQLAlchemyError as error:
        raise StoreError(f"the schema of {_shown(engine.url)} cannot be upgraded: {first_line(error)}") from error


def _config(schema: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / schema).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _lock(conn: Connection) -> None:
    """One upgrade at a time; on SQLite the transaction itself is the lock."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})


def _migrate(conn: Connection, script: ScriptDirectory, schema: str) -> None:
    def steps(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)  # noqa: SLF001 - what alembic's own `upgrade` calls

    with EnvironmentContext(_config(schema), script, fn=steps) as environment:
        # SQLite has transactional DDL where the driver does not interfere; alembic thinks of the driver's default.
        environment.configure(connection=conn, transactional_ddl=True, version_table=f"{schema}_schema_version")
        with environment.begin_transaction():
            environment.run_migrations()
