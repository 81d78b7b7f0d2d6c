"""The sequencer at work: once a second in every process, and at once where a reader finds it behind.

Rules
- A reader waits for it only where the last look is more than `BEHIND_SECONDS` ago: the protocol allows a checkpoint to
  be 5 s behind, and under load a reader would else wait for the numbering of a second's leaves.
- A look that finds nothing begins no transaction. Several processes may look at the same time; the lock in
  `log.sequence` lets one work, and the others then find it done.
- A database that fails is tried again a second later, and told once for each failure.
- Once in a while the same thread forgets the `jti` of more than 24 hours ago.

Example: `sequencer = Sequencer(engine, key, clock); Thread(target=sequencer.run, args=(stop,)).start()`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

from sqlalchemy import Connection, Engine, exc, select

from confirm_api import logs
from confirm_api.audit import log
from confirm_api.audit.checkpoint import LogKey
from confirm_api.store.engine import reading
from confirm_api.store.tables import checkpoints, feed, leaves, seen_jtis

EVERY_SECONDS = 1.0
BEHIND_SECONDS = 3.0
FORGET_EVERY_SECONDS = 600
JTI_SECONDS = 86_400
"""Protocol §2, check (14)."""
_WAITING = (
    select(leaves.c.no).where(leaves.c.position.is_(None)).limit(1),
    select(feed.c.no).where(feed.c.position.is_(None)).limit(1),
)
_SIGNED = select(checkpoints.c.size).limit(1)


@dataclass
class Sequencer:
    """Numbers leaves and entries of one database."""

    engine: Engine
    key: LogKey
    clock: Callable[[], int]
    monotonic: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _done_at: float = float("-inf")
    _forgot_at: float = float("-inf")

    def run(self, stop: Event) -> None:
        """Work until `stop` is set; the last look is after it, so that an orderly end leaves nothing unnumbered."""
        while not stop.wait(EVERY_SECONDS):
            self.tick()
        self.tick()

    def tick(self) -> None:
        """One look; a failing database is told and tried again."""
        try:
            self.freshen(0)
            self._forget()
        except exc.SQLAlchemyError as error:
            logs.get().error("sequencer failed", **logs.of_error(error))

    def freshen(self, seconds: float = EVERY_SECONDS) -> None:
        """Bring numbers and checkpoint up to date, unless that was done at most so many seconds ago."""
        if self._is_fresh(seconds):
            return
        with self._lock:
            if self._is_fresh(seconds):
                return
            began = self.monotonic()
            with reading(self.engine) as conn:
                found = _work_waits(conn)
            while found:
                with self.engine.begin() as conn:
                    found = log.sequence(conn, self.clock(), self.key).more
            self._done_at = began

    def _is_fresh(self, seconds: float) -> bool:
        return self.monotonic() - self._done_at < seconds

    def lag_seconds(self) -> int:
        """How long the oldest unnumbered leaf has waited."""
        with reading(self.engine) as conn:
            return log.lag_seconds(conn, self.clock())

    def _forget(self) -> None:
        if self.monotonic() - self._forgot_at < FORGET_EVERY_SECONDS:
            return
        self._forgot_at = self.monotonic()
        with self.engine.begin() as conn:
            conn.execute(seen_jtis.delete().where(seen_jtis.c.seen_at < self.clock() - JTI_SECONDS))


def _work_waits(conn: Connection) -> bool:
    return any(conn.execute(query).first() is not None for query in _WAITING) or conn.execute(_SIGNED).first() is None
