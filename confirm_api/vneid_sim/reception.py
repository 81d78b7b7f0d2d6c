"""What every sealed endpoint does: limits, checks (1) to (15), one transaction, the sealed answer; faults where set.

Rules (protocol §2)
- Checks (1) to (14), a wrong content type and a wrong role answer one and the same 400, byte for byte, not before 50 ms
  after the request was read. Only our log holds the reason.
- The `jti` is spent in the transaction of the effect, also when 422 follows, not when 429 or 5xx does.
- 422 names the field and its rule. 429 and 503 say when to try again.
- An answer is sealed in the suite of its request, to the peer that sent it, with `re`.

>>> UNACCEPTABLE
b'{"type":"urn:quychu:problem:unacceptable-message","title":"Unacceptable message","status":400}'
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert as upsert
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from confirm_api.vneid_sim import tables
from confirm_api.vneid_sim.errors import BusyError
from confirm_api.vneid_sim.faults import Faults, forger
from confirm_api.vneid_sim.provider import AskError, AskTaken, OtherContent, TokenError
from confirm_api.vneid_sim.store import Store
from exchange.errors import InvalidPayload, Refused
from exchange.kinds import JSON_TYPE, KINDS, PROBLEM_TYPE, SEALED_TYPE, SERVICE
from exchange.payloads import parse
from exchange.sealed.keys import Directory, Own
from exchange.sealed.open import Opened, open_sealed
from exchange.sealed.seal import seal
from exchange.sealed.suites import MAX_BODY_BYTES

UNACCEPTABLE = b'{"type":"urn:quychu:problem:unacceptable-message","title":"Unacceptable message","status":400}'
SOONEST_REFUSAL_SECONDS = 0.05
_ROUNDED_SECONDS = 0.001
"""Of the loop's timers."""
BODY_SECONDS = 20.0
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_TRY_AGAIN_SECONDS = 2

_SPEND = upsert(tables.seen_messages).on_conflict_do_nothing()

log = logging.getLogger("vneid_sim")

Outcome = Mapping[str, Any] | AskTaken | AskError | TokenError | OtherContent
Handle = Callable[[Connection, Mapping[str, Any], Opened, int], Outcome]
"""One use of the provider: connection, payload, envelope, now."""
After = Callable[[Mapping[str, Any], Outcome], Outcome]
"""What memory alone decides, from payload and outcome."""


class _Seen:
    """Check (14): the `jti` was spent before."""


_SEEN = _Seen()


class _NotNowError(Exception):
    """429, 503, or a 500 that a knob wants."""

    def __init__(self, status: int, retry_after: int | None) -> None:
        super().__init__(f"answered {status}")
        self.status, self.retry_after = status, retry_after

    def response(self) -> Response:
        """The problem, with `Retry-After` where there is one."""
        kind = (
            ("about:blank", "Internal Server Error")
            if self.status == 500
            else ("urn:quychu:problem:try-later", "Try later")
        )
        problem = {"type": kind[0], "title": kind[1], "status": self.status}
        wait = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return Response(_text(problem), self.status, _HEADERS | wait, PROBLEM_TYPE)


def _time() -> float:
    """Not the loop's own: that is the time of its last turn, so a refusal would come too early."""
    return time.monotonic()


class Buckets:
    """How many in a second, with a burst of as many; one bucket a caller.

    >>> buckets = Buckets(2)
    >>> [buckets.wait("a", at) for at in (0, 0, 0, 0.5)]
    [0, 0, 1, 0]
    """

    _CALLERS = 10_000

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._full = max(1.0, per_second)
        self._levels: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str, at: float) -> int:
        """Take one; 0, or the seconds after which to come again."""
        level, then = self._levels.pop(caller, (self._full, at))
        level = min(self._full, level + (at - then) * self._rate)
        taken = level >= 1
        self._levels[caller] = (level - taken, at)
        if len(self._levels) > self._CALLERS:
            del self._levels[next(iter(self._levels))]
        return 0 if taken else max(1, math.ceil((1 - level) / self._rate))


@dataclass
class Reception:
    """What the endpoints share."""

    store: Store
    own: Own
    directory: Directory
    faults: Faults
    clock: Callable[[], float]
    by_address: Buckets
    by_peer: Buckets
    counts: dict[str, int] = field(default_factory=dict)
    opens_at: float = 0.0
    """After a restore from backup nothing is taken for 70 s (protocol §5): spent ids may be missing."""

    def __post_init__(self) -> None:
        self._forger: Own | None = None

    def now(self) -> int:
        """This party's clock, which a knob may put off."""
        return int(self.clock()) + self.faults.settings.clock_off_seconds

    async def take(
        self, request: Request, typ: str, handle: Handle, after: After = lambda _, outcome: outcome
    ) -> Response:
        """One sealed request, from its first byte to its answer; `after` sees what was committed."""
        body, read_at = b"", _time()
        try:
            self._refuse_while_closed()
            self._admit(self.by_address, request.client.host if request.client else "")
            body = await _read(request)
            read_at = _time()
            await self._suffer("error")
            opened = self._open(request, body, typ)
            self._admit(self.by_peer, opened.peer.name)
            outcome = after(opened.payload, await self._act(opened, typ, handle))
            await self._suffer("lost_answer")
        except Refused as refused:
            self._note(typ, "refused", check=refused.check, reason=refused.reason)
            await asyncio.sleep(read_at + SOONEST_REFUSAL_SECONDS + _ROUNDED_SECONDS - _time())
            return Response(UNACCEPTABLE, 400, _HEADERS, PROBLEM_TYPE)
        except _NotNowError as refusal:
            self._note(typ, "not-now", status=refusal.status)
            return refusal.response()
        except BusyError:
            self._note(typ, "not-now", status=503)
            return _NotNowError(503, _TRY_AGAIN_SECONDS).response()
        return self._answered(typ, opened, outcome)

    def _refuse_while_closed(self) -> None:
        if (closed := self.opens_at - self.clock()) > 0:
            raise _NotNowError(503, math.ceil(closed))

    def _admit(self, buckets: Buckets, caller: str) -> None:
        if wait := buckets.wait(caller, _time()):
            raise _NotNowError(429, wait)

    async def _suffer(self, knob: Literal["error", "lost_answer"]) -> None:
        """The faults that are set: slow before the effect, failing before or after it."""
        if knob == "error" and (delay := self.faults.delay()):
            await asyncio.sleep(delay)
        if self.faults.strikes(knob):
            raise _NotNowError(500, None)

    def _open(self, request: Request, body: bytes, typ: str) -> Opened:
        return open_sealed(
            body,
            typ=typ,
            own=self.own,
            directory=self.directory,
            roles={SERVICE},
            now=self.now(),
            content_type=_single(request, "content-type"),
            content_encoding=_single(request, "content-encoding"),
        )

    async def _act(self, opened: Opened, typ: str, handle: Handle) -> Outcome:
        """(14), (15) and the effect, in one transaction."""
        fault, now = _fault(typ, opened.payload), self.now()

        def job(conn: Connection) -> Outcome | _Seen:
            if not spend(conn, opened.iss, opened.jti, now):
                return _SEEN
            return fault or handle(conn, opened.payload, opened, now)

        outcome = await self.store.run(job)
        if isinstance(outcome, _Seen):
            raise Refused(14, "jti-seen", from_kid=opened.from_kid, to_kid=opened.to_kid)
        return outcome

    def _answered(self, typ: str, opened: Opened, outcome: Outcome) -> Response:
        if isinstance(outcome, AskTaken):
            self._note(typ, "accepted")
            return _json(200, vars(outcome))
        if isinstance(outcome, AskError | TokenError):
            self._note(typ, outcome.error)
            return _json(400, {"error": outcome.error})
        if isinstance(outcome, OtherContent):
            self._note(typ, "invalid-payload")
            return invalid(outcome.detail)
        self._note(typ, "answered")
        return self._sealed(str(KINDS[typ].answer), opened, outcome)

    def _sealed(self, typ: str, opened: Opened, payload: Mapping[str, Any]) -> Response:
        own = self._forging() if self.faults.strikes("wrong_signature") else self.own
        sealed = seal(payload, typ=typ, own=own, peer=opened.peer, now=self.now(), suite=opened.suite, re=opened.jti)
        return Response(sealed.body, 200, _HEADERS, SEALED_TYPE)

    def _forging(self) -> Own:
        self._forger = self._forger or forger(self.own)
        return self._forger

    def _note(self, typ: str, outcome: str, **facts: str | int) -> None:
        event = typ.removesuffix("+jwt")
        self.counts[f"{event}.{outcome}"] = self.counts.get(f"{event}.{outcome}", 0) + 1
        level = logging.INFO if facts else logging.DEBUG
        log.log(level, "%s %s %s", event, outcome, " ".join(f"{name}={value}" for name, value in facts.items()))


def spend(conn: Connection, iss: str, jti: str, now: int) -> bool:
    """Check (14): whether this `jti` is new; it is spent from now on."""
    return conn.execute(_SPEND, {"iss": iss, "jti": jti, "seen_at": now}).rowcount == 1


def invalid(detail: str) -> Response:
    """Check (15)."""
    problem = {
        "type": "urn:quychu:problem:invalid-payload",
        "title": "Invalid payload",
        "status": 422,
        "detail": detail,
    }
    return Response(_text(problem), 422, _HEADERS, PROBLEM_TYPE)


def _fault(typ: str, payload: Mapping[str, Any]) -> OtherContent | None:
    """What check (15) finds."""
    try:
        parse(typ, payload)
    except InvalidPayload as error:
        return OtherContent(error.detail)
    return None


def _single(request: Request, name: str) -> str | None:
    """A header that stands once; twice is as wrong as another value."""
    found = request.headers.getlist(name)
    return ", ".join(found) if found else None


async def _read(request: Request) -> bytes:
    """The body, read no further than shows that it is too large; one that does not come to its end is empty."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    break
    except (TimeoutError, ClientDisconnect):
        return b""
    return bytes(body)


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return Response(_text(content), status, _HEADERS, JSON_TYPE)


def _text(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
