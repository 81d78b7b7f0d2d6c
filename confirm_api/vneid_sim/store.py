"""The database opened, and written by one thread that commits in batches.

Rules
- SQLite with WAL and synchronous=FULL: what a job's future has answered survives `kill -9` and a power cut.
- One thread writes. It takes every job that waits, runs them in one transaction and commits once: a hundred questions a
  second cost a few commits, not a hundred.
- A job changes nothing but the database, so a batch in which one job fails is rolled back and each job runs again in a
  transaction of its own: the failure reaches only the one who caused it.
- Readers have connections of their own that cannot write, and never wait for the writer.

Example: `await store.run(lambda conn: provider.ask(conn, payload, now=now))`.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from confirm_api.vneid_sim.errors import BusyError, SettingsError
from confirm_api.vneid_sim.tables import SCHEMA_VERSION, metadata

Result = TypeVar("Result")
Job = Callable[[Connection], Any]

_BATCH_JOBS = 200
_QUEUE_JOBS = 2_000
_LOCK_SECONDS = 10
_GATHER_SECONDS = 0.002
"""How long the first job of a batch waits for others: a commit costs more than that."""


class Store:
    """The one writer and the readers."""

    def __init__(self, path: Path) -> None:
        self._writer = _engine(path, begin="BEGIN IMMEDIATE", query_only=False)
        self._readers = _engine(path, begin="BEGIN", query_only=True)
        self._jobs: queue.Queue[tuple[Job, Future[Any]] | None] = queue.Queue(_QUEUE_JOBS)
        self.commits = 0
        _create(self._writer, path)
        self._thread = threading.Thread(target=self._work, name="vneid-sim-writer", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[Connection], Result]) -> Future[Result]:
        """Run `job` in the next transaction; the future is answered after its commit."""
        future: Future[Result] = Future()
        try:
            self._jobs.put_nowait((job, future))
        except queue.Full:
            raise BusyError("too many writes wait; try again in a moment") from None
        return future

    async def run(self, job: Callable[[Connection], Result]) -> Result:
        """`submit` for the event loop."""
        return await asyncio.wrap_future(self.submit(job))

    def read(self, job: Callable[[Connection], Result]) -> Result:
        """Run `job` on a connection that cannot write; what it sees is one moment."""
        with self._readers.connect() as conn:
            return job(conn)

    async def look(self, job: Callable[[Connection], Result]) -> Result:
        """`read` for the event loop."""
        return await asyncio.to_thread(self.read, job)

    def close(self) -> None:
        """Finish what was submitted, then close."""
        self._jobs.put(None)
        self._thread.join(timeout=30)
        self._writer.dispose()
        self._readers.dispose()

    def _work(self) -> None:
        open_ = True
        while open_:
            batch = [self._jobs.get()]
            time.sleep(_GATHER_SECONDS)
            while len(batch) < _BATCH_JOBS and not self._jobs.empty():
                batch.append(self._jobs.get())
            open_ = None not in batch
            self._commit([entry for entry in batch if entry is not None and entry[1].set_running_or_notify_cancel()])

    def _commit(self, batch: list[tuple[Job, Future[Any]]]) -> None:
        if not batch:
            return
        try:
            results = self._transact([job for job, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever a job raises belongs to its caller
            if len(batch) == 1:
                batch[0][1].set_exception(_told(error))
                return
            for entry in batch:
                self._commit([entry])
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)

    def _transact(self, jobs: list[Job]) -> list[Any]:
        with self._writer.begin() as conn:
            results = [job(conn) for job in jobs]
        self.commits += 1
        return results


def _told(error: Exception) -> Exception:
    """A locked database or a full disk is a matter of time; anything else is what it is."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.OperationalError):
        return BusyError("the database cannot be written now (locked, or its disk is full); try again in a moment")
    return error


def _engine(path: Path, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=QueuePool,
        pool_size=1 if begin == "BEGIN IMMEDIATE" else 4,
        max_overflow=16,
        connect_args={"timeout": _LOCK_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not when the driver thinks so
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"query_only={int(query_only)}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        conn.exec_driver_sql(begin)

    return engine


def _create(engine: Engine, path: Path) -> None:
    try:
        with engine.begin() as conn:
            version = conn.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version not in {0, SCHEMA_VERSION}:
                raise SettingsError(
                    f"{path.name}: expected schema version {SCHEMA_VERSION}, found {version}; use another file."
                )
            metadata.create_all(conn)
            conn.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
    except DBAPIError as error:
        raise SettingsError(f"{path.name}: expected a SQLite database that can be written, found none.") from error
