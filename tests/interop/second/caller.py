"""One side that posts sealed messages and opens the sealed answers.

Rules
- Every message that crosses the wire, either way, is noted in the journal: the audit log must hold a leaf of each.
- An answer is in the suite of its request, names it in `re`, fits its schema; anything else is an error here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.interop.second import schemas, wire
from tests.interop.second.envelope import CONTENT_TYPE, STRAIGHT, Inbox, Opened, Party, Sealed, Twist, seal

Clock = Callable[[], float]


class UnexpectedError(AssertionError):
    """The other side answered otherwise than the protocol says."""


@dataclass(frozen=True)
class Crossed:
    """A message that crossed the wire."""

    sha256: str
    typ: str
    status: int
    sender_kid: str | None = None
    size: int = 0


@dataclass
class Journal:
    """All that crossed, for the audit log to be held against."""

    crossed: list[Crossed] = field(default_factory=list)

    def note(self, body: bytes, typ: str, status: int, sender_kid: str | None = None) -> None:
        """Remember a message by its hash."""
        self.crossed.append(Crossed(hashlib.sha256(body).hexdigest(), typ, status, sender_kid, len(body)))


@dataclass(frozen=True)
class Caller:
    """Who posts, to whom, in which suite."""

    me: Party
    peer: Party
    url: str
    suite: str
    journal: Journal = field(default_factory=Journal)
    clock: Clock = time.time

    def seal(self, typ: str, content: dict[str, Any], *, twist: Twist = STRAIGHT, now: float | None = None) -> Sealed:
        """A message of ours to this peer."""
        moment = self.clock() if now is None else now
        return seal(self.me, self.peer, typ, content, suite=self.suite, now=moment, twist=twist)

    def post(self, path: str, sealed: Sealed, typ: str = "", content_type: str = CONTENT_TYPE) -> wire.Answer:
        """Post as it is; whatever comes back comes back."""
        answer = wire.post(self.url + path, sealed.body, {"Content-Type": content_type})
        self.journal.note(sealed.body, typ, answer.status, sealed.sender_kid)
        return answer

    def send(
        self, path: str, typ: str, content: dict[str, Any], *, twist: Twist = STRAIGHT, now: float | None = None
    ) -> tuple[Sealed, wire.Answer]:
        """Seal and post."""
        sealed = self.seal(typ, content, twist=twist, now=now)
        return sealed, self.post(path, sealed, typ)

    def ask(self, path: str, typ: str, content: dict[str, Any], answer_typ: str) -> Opened:
        """Seal, post, and open the sealed answer."""
        sealed, answer = self.send(path, typ, content)
        return self.open_answer(sealed, answer, answer_typ)

    def open_answer(self, sealed: Sealed, answer: wire.Answer, answer_typ: str) -> Opened:
        """The sealed answer, checked through and through."""
        if answer.status != 200 or answer.media_type.lower() != CONTENT_TYPE:
            raise UnexpectedError(f"expected 200 {CONTENT_TYPE}, found {answer.status} {answer.media_type}")
        opened = Inbox(self.me, (self.peer,)).open_message(answer.body, answer_typ, now=self.clock(), re=sealed.jti)
        if opened.suite != self.suite:
            raise UnexpectedError(f"asked in {self.suite}, answered in {opened.suite}")
        schemas.check(answer_typ, opened.content)
        self.journal.note(answer.body, answer_typ, 200, opened.sender_kid)
        return opened
