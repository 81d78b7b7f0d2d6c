"""The provider: what `/bc-authorize`, `/token` and `/cancel` keep and answer. One function each, in one transaction.

Rules (protocol §3)
- The same `question_id` and `attempt` with the same `login_hint` and `ask` gives the same `auth_req_id`, also after its
  end, and the citizen sees one request; the last token taken is the one that is pinged with.
- Other items or another citizen under a known attempt is `invalid_request`; nobody of that number `unknown_user_id`; no
  level-2 account `access_denied`.
- At most one attempt of a question is open: a newer one takes the older away, an older one that comes late stays away.
- `/token` gives the reply at every call until 7 days after the request's end, then `invalid_grant`. A request that is
  over says so whatever the pace of asking; `slow_down` is for those who ask too fast for what is not there yet.
- A cancel is taken once, also for an unknown request. Where the citizen was faster, the reply stays.

>>> TokenError("authorization_pending")
TokenError(error='authorization_pending')
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from confirm_api.vneid_sim import tables
from confirm_api.vneid_sim.settings import AccountSettings, ProviderSettings
from exchange.canonical import canonical
from exchange.ids import Entropy, new_id

OPEN, ANSWERED, DECLINED, CANCELLED, SUPERSEDED = "open", "answered", "declined", "cancelled", "superseded"
_DAY = 86_400
_NOBODY, _LEVEL_2 = 0, 2
_CHALLENGES = {("certificate_suffix", 4), ("none", 0)}

# The statements of the hot paths, built once: building them costs more than running them.
_REQUEST = select(tables.requests).where(tables.requests.c.auth_req_id == bindparam("auth_req_id"))
_ATTEMPTS = select(tables.requests).where(tables.requests.c.question_id == bindparam("question_id"))
_LEVEL = select(tables.accounts.c.level).where(tables.accounts.c.citizen_id == bindparam("citizen_id"))
_REPLY = select(tables.replies).where(tables.replies.c.auth_req_id == bindparam("auth_req_id"))
_NEW_REQUEST, _TO_SEND = insert(tables.requests), insert(tables.outbox)
_FETCHED = (
    update(tables.requests).where(tables.requests.c.auth_req_id == bindparam("of")).values(fetched_at=bindparam("at"))
)
_NO_PING = delete(tables.outbox).where(tables.outbox.c.kind == "ping", tables.outbox.c.ref == bindparam("of"))
_CHANGES = select(tables.revisions.c.no).where(tables.revisions.c.auth_req_id == bindparam("auth_req_id"))


@dataclass(frozen=True)
class Desk:
    """What the provider promises, and who has an account unless the table of accounts says otherwise."""

    promises: ProviderSettings
    default_level: int
    entropy: Entropy

    @property
    def acr(self) -> str:
        """How sure we are of who answers."""
        return f"urn:vneid:level:{self.promises.acr_level}"


@dataclass(frozen=True)
class AskTaken:
    """The request exists, new or known."""

    auth_req_id: str
    expires_in: int
    interval: int


@dataclass(frozen=True)
class AskError:
    """`400` of `/bc-authorize`."""

    error: str


@dataclass(frozen=True)
class TokenError:
    """`400` of `/token`."""

    error: str


@dataclass(frozen=True)
class OtherContent:
    """`422`: a known id with other content."""

    detail: str


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def set_levels(conn: Connection, levels: Mapping[str, int]) -> None:
    """Who has an account of which level; 0 stands for nobody of that number."""
    rows = [{"citizen_id": citizen_id, "level": level} for citizen_id, level in levels.items()]
    if rows:
        statement = upsert(tables.accounts)
        conn.execute(
            statement.on_conflict_do_update(index_elements=["citizen_id"], set_={"level": statement.excluded.level}),
            rows,
        )


def listed_levels(settings: AccountSettings) -> dict[str, int]:
    """The levels that the settings list."""
    return dict.fromkeys(settings.level_1, 1) | dict.fromkeys(settings.unknown, _NOBODY)


def level_of(conn: Connection, citizen_id: str, default: int) -> int:
    """The level of the citizen's account."""
    found = conn.execute(_LEVEL, {"citizen_id": citizen_id}).scalar()
    return default if found is None else found


# ── /bc-authorize ────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(conn: Connection, message: Mapping[str, Any], jti: str, desk: Desk, now: int) -> AskTaken | AskError:
    """Take a `landask`."""
    asked = message["ask"]
    attempts = {row.attempt: row for row in conn.execute(_ATTEMPTS, {"question_id": asked["question_id"]})}
    if asked["attempt"] in attempts:
        return _ask_again(conn, attempts[asked["attempt"]], message, jti, desk, now)
    if not asked["items"] or not all(_can_be_met(item["challenge"]) for item in asked["items"]):
        return AskError("invalid_request")
    level = level_of(conn, message["login_hint"], desk.default_level)
    if level < _LEVEL_2:
        return AskError("unknown_user_id" if level == _NOBODY else "access_denied")
    _close_older(conn, attempts, asked["attempt"], now)
    overtaken = any(attempt > asked["attempt"] for attempt in attempts)
    return _ask_anew(conn, message, jti, desk, now, SUPERSEDED if overtaken else OPEN)


def _can_be_met(challenge: Mapping[str, Any]) -> bool:
    return (challenge["kind"], challenge["length"]) in _CHALLENGES


def _ask_again(
    conn: Connection, known: Row[Any], message: Mapping[str, Any], jti: str, desk: Desk, now: int
) -> AskTaken | AskError:
    if (known.citizen_id, known.ask) != (message["login_hint"], _text(message["ask"])):
        return AskError("invalid_request")
    token = message["client_notification_token"]
    conn.execute(update(tables.requests).where(tables.requests.c.no == known.no).values(token=token, ask_jti=jti))
    if known.state in {ANSWERED, DECLINED}:
        ping(conn, known.auth_req_id, now)  # an earlier ping, with an earlier token, may have come to nothing
    return AskTaken(known.auth_req_id, max(0, known.expires_at - now), desk.promises.interval_seconds)


def _ask_anew(conn: Connection, message: Mapping[str, Any], jti: str, desk: Desk, now: int, state: str) -> AskTaken:
    asked = message["ask"]
    lasts = min(message["requested_expiry"], int(desk.promises.longest_request_days * _DAY))
    auth_req_id = new_id(desk.entropy)
    row = {
        "auth_req_id": auth_req_id,
        "question_id": asked["question_id"],
        "attempt": asked["attempt"],
        "citizen_id": message["login_hint"],
        "ask": _text(asked),
        "ask_jti": jti,
        "token": message["client_notification_token"],
        "binding_message": message["binding_message"],
        "created_at": now,
        "expires_at": now + lasts,
        "state": state,
    }
    conn.execute(_NEW_REQUEST, row)
    return AskTaken(auth_req_id, lasts if state == OPEN else 0, desk.promises.interval_seconds)


def _close_older(conn: Connection, attempts: Mapping[int, Row[Any]], attempt: int, now: int) -> None:
    """Take older attempts away."""
    older = [row.no for row in attempts.values() if row.attempt < attempt and row.state == OPEN]
    if older:
        closed = update(tables.requests).where(tables.requests.c.no.in_(older))
        conn.execute(closed.values(state=SUPERSEDED, ended_at=now))


def ping(conn: Connection, auth_req_id: str, now: float) -> None:
    """Intend a ping, in place of one that waits; a new row, since the old one's delivery may be under way."""
    conn.execute(_NO_PING, {"of": auth_req_id})
    conn.execute(_TO_SEND, {"kind": "ping", "ref": auth_req_id, "due_at": now})


# ── /token ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def token(conn: Connection, auth_req_id: str, desk: Desk, now: int) -> dict[str, Any] | TokenError:
    """The `landreply` of a request, or why there is none."""
    found = request_of(conn, auth_req_id)
    if found is None or now > found.expires_at + desk.promises.retention_days * _DAY:
        return TokenError("invalid_grant")
    if found.state == DECLINED:
        return TokenError("access_denied")
    if found.state != ANSWERED:
        pending = found.state == OPEN and now < found.expires_at
        return TokenError("authorization_pending" if pending else "expired_token")
    if found.fetched_at is None:
        _note_fetched(conn, auth_req_id, now)
    return _reply(conn, found)


def _reply(conn: Connection, found: Row[Any]) -> dict[str, Any]:
    said = conn.execute(_REPLY, {"auth_req_id": found.auth_req_id}).one()
    return {
        "auth_req_id": found.auth_req_id,
        "question_id": found.question_id,
        "attempt": found.attempt,
        "ask_jti": found.ask_jti,
        "sub": found.citizen_id,
        "acr": said.acr,
        "answers": json.loads(said.answers),
        "answered_at": said.answered_at,
    }


def _note_fetched(conn: Connection, auth_req_id: str, now: int) -> None:
    """From now on a change of the answer has something to change: what waits for that may go."""
    conn.execute(_FETCHED, {"of": auth_req_id, "at": now})
    changes = [str(number) for number in conn.execute(_CHANGES, {"auth_req_id": auth_req_id}).scalars()]
    if changes:
        waiting = (tables.outbox.c.kind == "revise") & tables.outbox.c.ref.in_(changes)
        conn.execute(update(tables.outbox).where(waiting).values(due_at=now))


class Pace:
    """Who asks how fast: `slow_down` for those below the interval, which then grows by 5 s. Forgotten by a restart.

    >>> pace = Pace(interval_seconds=5)
    >>> [pace.too_fast("a", at) for at in (0, 4, 12, 30)]
    [False, True, True, False]
    """

    _KEPT = 200_000
    _GRACE = 0.9
    """Two clocks and a network lie between the asker's interval and ours."""

    def __init__(self, interval_seconds: int) -> None:
        self._interval = interval_seconds
        self._polls: dict[str, tuple[float, int]] = {}

    def too_fast(self, auth_req_id: str, at: float) -> bool:
        """Note one polling, and tell whether it came before its time."""
        last, interval = self._polls.pop(auth_req_id, (None, self._interval))
        early = last is not None and at - last < interval * self._GRACE
        self._polls[auth_req_id] = (at, interval + 5 * early)
        if len(self._polls) > self._KEPT:
            del self._polls[next(iter(self._polls))]
        return early

    def forget(self, auth_req_id: str) -> None:
        """A request that is over."""
        self._polls.pop(auth_req_id, None)


# ── /cancel ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def cancel(conn: Connection, message: Mapping[str, Any], now: int) -> dict[str, Any] | OtherContent:
    """Take a request away from the citizen; the receipt is the same for an unknown or ended one."""
    auth_req_id, content = message["auth_req_id"], _text(message)
    found = conn.execute(
        select(tables.requests.c.question_id).where(tables.requests.c.auth_req_id == auth_req_id)
    ).scalar()
    if found not in {None, message["question_id"]}:
        return OtherContent("question_id: not the question of this auth_req_id")
    first = conn.execute(select(tables.cancels.c.content).where(tables.cancels.c.auth_req_id == auth_req_id)).scalar()
    if first not in {None, content}:
        return OtherContent("auth_req_id: cancelled before with another reason")
    if first is None:
        _cancel_now(conn, auth_req_id, message["reason"], content, now)
    return {"auth_req_id": auth_req_id}


def _cancel_now(conn: Connection, auth_req_id: str, reason: str, content: str, now: int) -> None:
    conn.execute(insert(tables.cancels).values(auth_req_id=auth_req_id, content=content))
    conn.execute(
        update(tables.requests)
        .where(tables.requests.c.auth_req_id == auth_req_id, tables.requests.c.state == OPEN)
        .values(state=CANCELLED, ended_at=now, end_reason=reason)
    )


def request_of(conn: Connection, auth_req_id: str) -> Row[Any] | None:
    """The row of a request."""
    return conn.execute(_REQUEST, {"auth_req_id": auth_req_id}).first()


def _text(content: Mapping[str, Any]) -> str:
    return canonical(dict(content)).decode()
