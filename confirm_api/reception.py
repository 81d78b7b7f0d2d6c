"""What every sealed endpoint does: fifteen checks around a use case, its leaves, its sealed answer.

Rules (protocol §2 and §5; the blocks below repeat the numbers of the checks)
- One transaction spends the `jti`, acts, writes the leaves of request and answer and seals the answer; it is committed
  before the first byte of the answer leaves. A fault rolls all of it back, so the peer may send the same again; where
  another transaction was faster, ours is done again.
- Failures of (1) to (14) get one answer, byte for byte, not before 50 ms after the request was read; the leaf of the
  refusal (a transaction of its own) holds the number of the check. The wait blocks no thread.
- A payload that is refused (15) spends its `jti`: that and the leaf are a transaction of their own, since whatever the
  use case did before it refused is rolled back.
- 429 and 503 spend nothing and write nothing.
- Work that touches the database runs on a few threads. Who finds all of them busy and the queue full is told to come
  again: a short queue and a clear word are better than a long one and a timeout.

Example: `await Reception(...).sealed(request, KINDS["landcollect+jwt"], service.collect)` is a Starlette response.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from confirm_api import logs, problems
from confirm_api.audit.log import Entry
from confirm_api.audit.sequencer import JTI_SECONDS
from confirm_api.errors import BusyError, ContentError, StoreError
from confirm_api.failpoints import reach
from confirm_api.limits import Limiter, Rates
from confirm_api.metrics import Metrics
from confirm_api.service.answer import UseCaseAnswer
from confirm_api.service.leaves import Message, write_messages
from confirm_api.service.locks import retrying
from confirm_api.store.tables import seen_jtis
from confirm_api.unit import Unit, Units
from exchange import payloads
from exchange.errors import InvalidPayload, Refused
from exchange.kinds import JSON_TYPE, SEALED_TYPE, Kind, event_of
from exchange.sealed.keys import Directory, Own, Peer
from exchange.sealed.open import Opened, open_sealed
from exchange.sealed.seal import seal
from exchange.sealed.suites import MAX_BODY_BYTES

NOT_BEFORE_SECONDS = 0.051
"""Protocol §2 says 50 ms; a timer may fire a hair early."""
BODY_SECONDS = 30
"""A body that takes longer is not waited for."""
DRAINED_BYTES = 8 * MAX_BODY_BYTES
"""So much of a body that is too large is read, so that its sender hears the answer; then the connection ends."""
CALLBACK_BYTES = 4_096
_T = TypeVar("_T")


UseCase = Callable[[Unit, Any, Peer], UseCaseAnswer]
Callback = Callable[[Unit, str, str], bool]


@dataclass(frozen=True)
class Incoming:
    """A request as read from the wire."""

    body: bytes
    """At most one byte more than may be."""
    sealed: str | None
    """SHA-256 of the whole of it, where it was read to its end."""
    content_type: str | None
    content_encoding: str | None
    address: str
    read_at: float


class Busy:
    """A few threads and a short queue before them."""

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "reception")
        self._most = threads + most_waiting
        self._under_way = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do `work` on a thread, or refuse at once."""
        if self._under_way >= self._most:
            raise BusyError("all threads are busy and the queue is full; try again", status=503, retry_after_seconds=1)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown(wait=True)


@dataclass
class Reception:
    """The one path every message takes."""

    units: Units
    own: Own
    directory: Directory
    metrics: Metrics
    busy: Busy
    rates: Rates = field(default_factory=Rates)

    def __post_init__(self) -> None:
        """Begin counting."""
        self._by_peer = Limiter(self.rates.peer)
        self._refusals = Limiter(self.rates.refused)

    # ---- sealed messages ----

    async def sealed(self, request: Request, kind: Kind, use_case: UseCase) -> Response:
        """Answer one sealed request."""
        return await self._receive(request, MAX_BODY_BYTES, lambda came: self._sealed(came, kind, use_case))

    def _sealed(self, came: Incoming, kind: Kind, use_case: UseCase) -> Response:
        """On a thread: open, then settle in one transaction."""
        try:
            opened = self._opened(came, kind)  # (1) to (13)
            self._limit(self._by_peer, opened.iss)
            return self._settled(opened, kind, use_case)  # (14) and (15)
        except Refused as refused:
            self._log_refusal(came, kind, refused)
            return problems.unacceptable()

    def _opened(self, came: Incoming, kind: Kind) -> Opened:
        return open_sealed(
            came.body,
            typ=kind.typ,
            own=self.own,
            directory=self.directory,
            roles=(kind.sender,),
            now=self.units.clock(),
            content_type=came.content_type,
            content_encoding=came.content_encoding,
        )

    def _settled(self, opened: Opened, kind: Kind, use_case: UseCase) -> Response:
        try:
            model = payloads.parse(kind.typ, opened.payload)  # (15), told after (14)
            body, outcome = retrying(self.units, lambda unit: self._act(unit, opened, kind, model, use_case))
        except (InvalidPayload, ContentError) as error:
            return self._invalid(opened, kind, str(error))
        reach("accept")
        self.metrics.message(kind.event, outcome)
        return Response(body, media_type=SEALED_TYPE)

    def _act(self, unit: Unit, opened: Opened, kind: Kind, model: Any, use_case: UseCase) -> tuple[bytes, str]:
        """What is one transaction: the sealed answer, and whether the request was new."""
        spend(unit, opened)  # (14)
        answer = use_case(unit, model, opened.peer)
        return self._answered(unit, opened, kind, answer), answer.outcome

    def _answered(self, unit: Unit, opened: Opened, kind: Kind, answer: UseCaseAnswer) -> bytes:
        """The sealed answer, with the leaf of the request and its own."""
        assert kind.answer is not None
        sealed = seal(
            answer.content,
            typ=kind.answer,
            own=self.own,
            peer=opened.peer,
            now=unit.now,
            suite=opened.suite,
            re=opened.jti,
        )
        about, of = answer.question_id, answer.handles
        came = Entry(kind.event, answer.outcome, about, opened.sha256, opened.from_kid, opened.to_kid)
        goes = Entry(event_of(kind.answer), "sent", about, sealed.sha256, sealed.from_kid, sealed.to_kid)
        write_messages(unit, [Message(came, opened.inner, of), Message(goes, sealed.inner, of)])
        return sealed.body

    def _invalid(self, opened: Opened, kind: Kind, detail: str) -> Response:
        """(15): the `jti` is spent and the refusal is logged, whatever the use case began."""
        with self.units.begin() as unit:
            spend(unit, opened)
            came = {"sealed": opened.sha256, "from_kid": opened.from_kid, "to_kid": opened.to_kid}
            unit.leaf(kind.event, "refused", reason="15", **came)
        self.metrics.refused(kind.event, "15")
        return problems.invalid_payload(detail)

    def _log_refusal(self, came: Incoming, kind: Kind, refused: Refused) -> None:
        self._refusals.take(came.address)
        reason = str(refused.check) if refused.check else refused.reason
        told: dict[str, Any] = {"reason": reason, "from_kid": refused.from_kid, "to_kid": refused.to_kid}
        with self.units.begin() as unit:
            unit.leaf(kind.event, "refused", sealed=came.sealed, **told)
        self.metrics.refused(kind.event, reason)
        logs.get().info("message refused", typ=kind.typ, check=refused.check, reason=refused.reason)

    # ---- the ping ----

    async def callback(self, request: Request, take: Callback) -> Response:
        """Answer one ping: 204, or 401 with nothing in it."""
        token = bearer(request.headers.getlist("authorization"))
        return await self._receive(request, CALLBACK_BYTES, lambda came: self._called(came, token, take))

    def _called(self, came: Incoming, token: str | None, take: Callback) -> Response:
        ping = _ping(came)
        if token is None or ping is None:
            return self._unknown_ping(came)
        if not retrying(self.units, lambda unit: take(unit, ping.auth_req_id, token)):
            return self._unknown_ping(came)
        reach("ping")
        self.metrics.message("callback", "accepted")
        return Response(status_code=204)

    def _unknown_ping(self, came: Incoming) -> Response:
        self._refusals.take(came.address)
        with self.units.begin() as unit:
            unit.leaf("callback", "refused", sealed=came.sealed, reason="callback")
        self.metrics.refused("callback", "callback")
        return Response(status_code=401)

    # ---- both ----

    async def _receive(self, request: Request, most: int, answer: Callable[[Incoming], Response]) -> Response:
        """Read, work on a thread, and hold back a refusal until its time."""
        address: str = request.scope["quychu.address"]
        try:
            self._wait_for(self._refusals, address)
            came = await read(request, most, address)
            response = await self.busy.run(partial(answer, came))
        except ClientDisconnect:  # nobody is there to hear an answer
            return problems.unacceptable()
        except BusyError as busy:
            return self._later(busy.status, busy.retry_after_seconds)
        except (exc.OperationalError, exc.TimeoutError, StoreError) as error:  # nothing was done
            if isinstance(error, StoreError) and type(error) is not StoreError:
                raise  # an erased key or a box that does not open: no use in coming again
            logs.get().error("database failed", **logs.of_error(error))
            return self._later(503, 1)
        if response.status_code in {400, 401}:
            await asyncio.sleep(came.read_at + NOT_BEFORE_SECONDS - time.monotonic())
        return response

    def _later(self, status: int, seconds: float) -> Response:
        self.metrics.limited(status)
        return problems.try_later(status, seconds)

    @staticmethod
    def _limit(limiter: Limiter, key: str) -> None:
        if wait := limiter.take(key):
            raise BusyError("too many messages; wait", status=429, retry_after_seconds=int(wait) + 1)

    @staticmethod
    def _wait_for(limiter: Limiter, key: str) -> None:
        if wait := limiter.wait(key):
            raise BusyError("too many refused messages; wait", status=429, retry_after_seconds=int(wait) + 1)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def read(request: Request, most: int, address: str) -> Incoming:
    """The request's body up to one byte beyond what may be, and what its headers say."""
    digest, kept, size = hashlib.sha256(), bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                digest.update(chunk)
                size += len(chunk)
                kept += chunk[: max(0, most + 1 - len(kept))]
                if size > DRAINED_BYTES:
                    break
    except TimeoutError:
        raise ClientDisconnect from None
    return Incoming(
        body=bytes(kept),
        sealed=digest.hexdigest() if size <= DRAINED_BYTES else None,
        content_type=only(request.headers.getlist("content-type")),
        content_encoding=only(request.headers.getlist("content-encoding")),
        address=address,
        read_at=time.monotonic(),  # the loop's own time is that of its last turn, so it would be too early
    )


def only(values: Sequence[str]) -> str | None:
    """A header's value; several lines of it become one that nothing takes.

    >>> only([]), only(["a"]), only(["a", "a"])
    (None, 'a', 'a, a')
    """
    return ", ".join(values) if values else None


def bearer(values: Sequence[str]) -> str | None:
    """The token of an `Authorization` header.

    >>> bearer(["Bearer abc"]), bearer(["bearer abc"]), bearer(["Basic abc"]), bearer(["Bearer a", "Bearer b"])
    ('abc', 'abc', None, None)
    """
    if len(values) != 1:
        return None
    scheme, _, token = values[0].partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def _ping(came: Incoming) -> payloads.Callback | None:
    """What a ping says, or None where it is not one."""
    if (came.content_type or "").lower() != JSON_TYPE or came.content_encoding or len(came.body) > CALLBACK_BYTES:
        return None
    try:
        return payloads.parse_json(payloads.Callback, came.body)
    except InvalidPayload:
        return None


# ── (14) ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _spend(insert: Any) -> Any:
    new = insert(seen_jtis)
    forgotten = seen_jtis.c.seen_at < new.excluded.seen_at - JTI_SECONDS
    again = new.on_conflict_do_update(
        index_elements=[seen_jtis.c.iss, seen_jtis.c.jti], set_={"seen_at": new.excluded.seen_at}, where=forgotten
    )
    return again.returning(seen_jtis.c.jti)


_SPEND: Mapping[str, Any] = {"sqlite": _spend(sqlite.insert), "postgresql": _spend(postgresql.insert)}


def spend(unit: Unit, opened: Opened) -> None:
    """(14): take the `jti`, which nobody has sent in the last 24 hours; of two at the same time one is too late."""
    row = {"iss": opened.iss, "jti": opened.jti, "seen_at": unit.now}
    if unit.conn.execute(_SPEND[unit.conn.dialect.name], row).first() is None:
        raise Refused(14, "seen", from_kid=opened.from_kid, to_kid=opened.to_kid)
