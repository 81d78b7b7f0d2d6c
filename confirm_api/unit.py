"""One transaction of the service: what is done, what is to be sent and what is logged, together or not at all.

Rules
- Everything that changes state takes a `Unit`; nothing else opens a transaction.
- `leaf` is the only way to the log. What it logs is committed with the effect, or with nothing.
- `begin` is the only place where clock, connection and vault meet. The vault commits by itself and first: a new handle
  without a question is harmless, a question without its key would be lost.

Example: `with units.begin() as unit: service.accept_questions(unit, message); unit.leaf("landquestions", "accepted")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from confirm_api.audit import log
from confirm_api.store.vault import Vault


@dataclass
class Unit:
    """One open transaction at one instant."""

    conn: Connection
    now: int
    vault: Vault

    def leaf(  # noqa: PLR0913 - each member of a leaf has its name
        self,
        event: str,
        outcome: str,
        *,
        question_id: str | None = None,
        sealed: str | None = None,
        inner: str | None = None,
        handles: Sequence[str] = (),
        from_kid: str | None = None,
        to_kid: str | None = None,
        reason: str | None = None,
    ) -> int:
        """Append one leaf (protocol §6) and return its row number; `inner` is the JWS that `commit` ties to it."""
        entry = log.Entry(event, outcome, question_id, sealed, from_kid, to_kid, reason)
        return log.append(self.conn, self.vault, entry, inner=inner, handles=handles, now=self.now)


@dataclass(frozen=True)
class Units:
    """Opens transactions on the main database."""

    engine: Engine
    vault: Vault
    clock: Callable[[], int]

    @contextmanager
    def begin(self) -> Iterator[Unit]:
        """A transaction that commits at the end of the block and rolls back where it raises."""
        with self.engine.begin() as conn:
            yield Unit(conn, self.clock(), self.vault)
