"""What the provider sends on its own: pings, changes of answers, declarations; durable first, sent till it arrives.

Rules (protocol §3, §5)
- A row is written in the transaction of what it tells, and goes when the message has arrived or is given up.
- A ping follows the answer to `/bc-authorize`, bears the last token taken, and is tried a few times only: the service
  polls too.
- `landrevise` and `landdecl` are sealed anew for each try. No answer, 429, 5xx and an answer that fails a check are
  tried again, with full jitter, `Retry-After` winning; anything else ends it and the citizen is told.
- A 422 to `landrevise` is tried again as well, however often other tries failed before: the service may have fetched
  the answer and died before it stored it.
- Changes of one request go in their order. Nothing is sent twice at once.

>>> [next_delay([0, 5, 300], tries, None, random.Random(1)) is None for tries in (1, 2, 3)]
[False, False, True]
>>> next_delay([0, 5, 300], 1, 60, random.Random(1))
60
"""

from __future__ import annotations

import json
import logging
import queue
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from confirm_api.vneid_sim import tables
from confirm_api.vneid_sim.citizen import QUEUED
from confirm_api.vneid_sim.errors import BusyError
from confirm_api.vneid_sim.faults import Faults
from confirm_api.vneid_sim.settings import OutboxSettings
from confirm_api.vneid_sim.store import Store
from exchange import transport
from exchange.errors import InvalidPayload, NoAnswer, Refused
from exchange.kinds import CALLBACK_PATH, JSON_TYPE, KINDS, SEALED_TYPE, SERVICE
from exchange.payloads import parse
from exchange.sealed.keys import Directory, Own
from exchange.sealed.open import open_sealed
from exchange.sealed.seal import seal

_WORKERS = 4
_TAKEN_AT_ONCE = 200
_IDLE_SECONDS = 0.2
_NOT_YET_SECONDS = 1.0
_TRY_LATER = 429
_LEAST_5XX = 500

_DUE = (
    select(tables.outbox)
    .where(tables.outbox.c.due_at <= bindparam("now"))
    .order_by(tables.outbox.c.no)
    .limit(_TAKEN_AT_ONCE)
)
_TOKEN = select(tables.requests.c.token).where(tables.requests.c.auth_req_id == bindparam("auth_req_id"))
_AGAIN = (
    update(tables.outbox)
    .where(tables.outbox.c.no == bindparam("of"))
    .values(due_at=bindparam("due"), tries=bindparam("tried"))
)
_DONE = delete(tables.outbox).where(tables.outbox.c.no == bindparam("of"))

log = logging.getLogger("vneid_sim")


@dataclass(frozen=True)
class Delivered:
    """It arrived; `status` is what a receipt says of a declaration."""

    status: str = "delivered"


@dataclass(frozen=True)
class Later:
    """It is to be tried again; `counted` is False where nothing was sent."""

    retry_after: float | None = None
    counted: bool = True


@dataclass(frozen=True)
class Dead:
    """It will never arrive."""


Result = Delivered | Later | Dead


def next_delay(steps: Sequence[float], tries: int, retry_after: float | None, chance: random.Random) -> float | None:
    """Seconds until try number `tries` (from 0); None where there are no more."""
    if tries >= len(steps):
        return None
    return retry_after if retry_after is not None else chance.uniform(0, steps[tries])


@dataclass
class Line:
    """The line to the service: who speaks, to whom, where."""

    own: Own
    directory: Directory
    url: str
    now: Callable[[], int]
    client: transport.Client

    def ping(self, auth_req_id: str, token: str) -> Result:
        """Tell the service that a reply waits."""
        body = json.dumps({"auth_req_id": auth_req_id}).encode()
        headers = {"authorization": f"Bearer {token}"}
        try:
            answer = transport.post(
                self.client, self.url + CALLBACK_PATH, body, content_type=JSON_TYPE, headers=headers
            )
        except NoAnswer:
            return Later()
        return Delivered() if answer.status == 204 else Later(answer.retry_after)

    def deliver(self, typ: str, payload: Mapping[str, Any], named: str) -> Result:
        """Send a sealed message; `named` is the member that its receipt has to repeat."""
        service = self.directory.of_role(SERVICE)[0]
        sent = seal(payload, typ=typ, own=self.own, peer=service, now=self.now())
        try:
            answer = transport.post(self.client, self.url + KINDS[typ].path, sent.body, content_type=SEALED_TYPE)
        except NoAnswer:
            return Later()
        if answer.status == _TRY_LATER or answer.status >= _LEAST_5XX:
            return Later(answer.retry_after)
        if answer.status != 200:
            log.warning("%s ended status=%d", typ, answer.status)
            early = answer.status == 422 and typ == "landrevise+jwt"
            return Later() if early else Dead()
        return self._receipt(typ, payload, named, answer, sent.jti, service.suite)

    def _receipt(
        self, typ: str, payload: Mapping[str, Any], named: str, answer: transport.HttpAnswer, jti: str, suite: str
    ) -> Result:
        kind = str(KINDS[typ].answer)
        try:
            opened = open_sealed(
                answer.body,
                typ=kind,
                own=self.own,
                directory=self.directory,
                roles={SERVICE},
                now=self.now(),
                re=jti,
                suite=suite,
                content_type=answer.content_type,
                content_encoding=answer.content_encoding,
            )
            parse(kind, opened.payload)
        except (Refused, InvalidPayload) as error:
            log.warning("%s: its receipt is not good (%s)", typ, error)
            return Later()
        if opened.payload[named] != payload[named]:
            return Later()
        return Delivered(opened.payload.get("status", "delivered"))


class Outbox:
    """One thread that finds what is due, a few that send it."""

    def __init__(
        self, store: Store, line: Line, faults: Faults, settings: OutboxSettings, clock: Callable[[], float]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.unanswered: set[str] = set()
        """Requests whose `/bc-authorize` is not answered yet: no ping before that."""
        self.line = line
        self._store, self._faults, self._settings, self._clock = store, faults, settings, clock
        self._chance = random.Random()  # noqa: S311 - jitter, not a secret
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._under_way: set[int] = set()
        self._held: set[int] = set()
        self._due: queue.Queue[Row[Any] | None] = queue.Queue(_TAKEN_AT_ONCE)
        self._threads = [
            threading.Thread(target=work, name=f"vneid-sim-outbox-{number}", daemon=True)
            for number, work in enumerate([self._find, *[self._send] * _WORKERS])
        ]

    def start(self) -> None:
        """Begin to send, first of all what an earlier process left."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    def close(self) -> None:
        """Stop taking; what is under way is finished, the rest stays for the next start."""
        self._ended.set()
        self._wake.set()
        for _ in range(_WORKERS):
            self._due.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    def _find(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            rows = self._store.read(lambda conn: _due_rows(conn, self._clock()))
            fresh = [row for row in rows if row.no not in self._under_way and row.ref not in self.unanswered]
            for row in fresh:
                self._under_way.add(row.no)
                self._due.put(row)
            if not fresh:
                self._wake.wait(_IDLE_SECONDS)

    def _send(self) -> None:
        while (row := self._due.get()) is not None:
            if self._ended.is_set():
                continue
            try:
                self._note(row, self._deliver(row))
            except Exception:
                log.exception("outbox: %s stays", row.kind)
                self._note(row, Later())

    def _deliver(self, row: Row[Any]) -> Result:
        held = 0.0 if row.no in self._held else self._faults.held_back()
        self._held.add(row.no)
        if held:
            return Later(held, counted=False)
        return {"ping": self._ping, "revise": self._revise, "declare": self._declare}[row.kind](row)

    def _ping(self, row: Row[Any]) -> Result:
        token = self._store.read(lambda conn: _token(conn, row.ref))
        if token is None:
            return Dead()
        if self._faults.strikes("lost_ping"):
            return Delivered()
        result = self.line.ping(row.ref, token)
        if self._faults.strikes("double_ping"):
            result = self.line.ping(row.ref, token)
        return result

    def _revise(self, row: Row[Any]) -> Result:
        change = self._store.read(lambda conn: _revision(conn, int(row.ref)))
        if change.earlier_waits:
            return Later(_NOT_YET_SECONDS, counted=False)
        return self.line.deliver("landrevise+jwt", change.payload, "revises")

    def _declare(self, row: Row[Any]) -> Result:
        content = self._store.read(lambda conn: _declaration(conn, row.ref))
        return self.line.deliver("landdecl+jwt", content, "declaration_id")

    def _note(self, row: Row[Any], result: Result) -> None:
        self.counts[f"{row.kind}.{type(result).__name__.lower()}"] += 1
        try:
            future = self._store.submit(lambda conn: self._settle(conn, row, result))
        except BusyError:
            self._under_way.discard(row.no)  # it will be sent again: at least once is the promise
            return
        future.add_done_callback(lambda done: self._finished(row, done))

    def _finished(self, row: Row[Any], done: Future[None]) -> None:
        if error := done.exception():
            log.error("outbox: the result of %s was not kept (%s)", row.kind, type(error).__name__)
        self._under_way.discard(row.no)
        self._wake.set()

    def _settle(self, conn: Connection, row: Row[Any], result: Result) -> None:
        """The row as it is after a try."""
        tries = row.tries + (isinstance(result, Later) and result.counted)
        delay = self._delay(row.kind, tries, result) if isinstance(result, Later) else None
        if delay is not None:
            conn.execute(_AGAIN, {"of": row.no, "due": self._clock() + delay, "tried": tries})
            return
        conn.execute(_DONE, {"of": row.no})
        status = result.status if isinstance(result, Delivered) else "refused"
        _tell(conn, row.kind, row.ref, status)

    def _delay(self, kind: str, tries: int, result: Later) -> float | None:
        steps = self._settings.ping_retry_seconds if kind == "ping" else self._settings.retry_seconds
        if not result.counted:
            return result.retry_after
        return next_delay(steps, tries, result.retry_after, self._chance)


# ── what the database says ───────────────────────────────────────────────────────────────────────────────────────────


def _due_rows(conn: Connection, now: float) -> Sequence[Row[Any]]:
    return conn.execute(_DUE, {"now": now}).all()


def _token(conn: Connection, auth_req_id: str) -> str | None:
    return conn.execute(_TOKEN, {"auth_req_id": auth_req_id}).scalar()


@dataclass(frozen=True)
class _Change:
    payload: dict[str, Any]
    earlier_waits: bool


def _revision(conn: Connection, number: int) -> _Change:
    revisions = tables.revisions.c
    row = conn.execute(select(tables.revisions).where(revisions.no == number)).one()
    citizen = select(tables.requests.c.citizen_id).where(tables.requests.c.auth_req_id == row.auth_req_id)
    earlier = (revisions.auth_req_id == row.auth_req_id) & (revisions.no < number) & (revisions.state == QUEUED)
    payload = {
        "revises": row.auth_req_id,
        "sub": conn.execute(citizen).scalar_one(),
        "acr": row.acr,
        "answers": json.loads(row.answers),
        "answered_at": row.answered_at,
    }
    return _Change(payload, conn.execute(select(revisions.no).where(earlier)).first() is not None)


def _declaration(conn: Connection, declaration_id: str) -> dict[str, Any]:
    found = tables.declarations.c.declaration_id == declaration_id
    content: dict[str, Any] = json.loads(conn.execute(select(tables.declarations.c.content).where(found)).scalar_one())
    return content


def _tell(conn: Connection, kind: str, ref: str, state: str) -> None:
    """What the citizen reads of the message's fate."""
    if kind == "revise":
        conn.execute(update(tables.revisions).where(tables.revisions.c.no == int(ref)).values(state=state))
    if kind == "declare":
        found = tables.declarations.c.declaration_id == ref
        conn.execute(update(tables.declarations).where(found).values(state=state))
