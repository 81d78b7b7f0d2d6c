"""What came of messages sent to the identity provider: many results in one transaction (protocol §3, §4, §5).

Rules
- A result counts once: a delivery that is no longer waiting, or an attempt that is over, is only logged.
- Each result is a leaf (`delivered`, `retry`, `dead`), and a sealed answer is one more.
- `unknown_user_id`, `access_denied` and `invalid_request` to an ask make the question undeliverable, as a dead letter
  does. `access_denied` to a fetch is `declined`. `expired_token` and `invalid_grant` end the attempt, not the question.
- A reply that fails a check changes nothing but the log; polling goes on.
- A request is polled after its `interval`, later the longer it lasts, a tenth of its age at most: pings make up for it.
  After a `landcancel` it is fetched until the provider has given the reply that crossed it, or its end.
- A question's time is over only once its request was fetched after that time, so that an answer in the last second
  counts; where the provider cannot be reached, a minute later.

Example: `take_results(unit, [FetchError(link, "authorization_pending")])`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import bindparam, case, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from confirm_api import outbox
from confirm_api import question as life
from confirm_api.audit.log import Entry
from confirm_api.audit.sequencer import JTI_SECONDS
from confirm_api.question import Question
from confirm_api.service import contexts, leaves
from confirm_api.service.answers import Asked, corrections, kept, read_asked
from confirm_api.service.citizen_side import propose
from confirm_api.service.leaves import Message
from confirm_api.service.rows import any_of
from confirm_api.service.world import LANDASK, LANDCANCEL, World
from confirm_api.store.tables import asks, attempts, deliveries, replies, seen_jtis
from confirm_api.unit import Unit
from exchange.kinds import KINDS, event_of
from exchange.payloads import AskAnswer, LandReply
from exchange.sealed.open import Opened

ENDED_BY_PROVIDER: Final = frozenset({"expired_token", "invalid_grant"})
DECLINED_ERROR: Final = "access_denied"


@dataclass(frozen=True)
class Link:
    """Which message a result belongs to; all of it was known when the message was sealed."""

    typ: str
    attempt_no: int
    question_no: int
    attempt: int
    question_id: str
    handle: str
    citizen_id: str
    item_ids: tuple[str, ...]
    expires_at: int
    begun_at: int
    auth_req_id: str | None = None
    delivery_no: int | None = None  # null: a fetch
    tries: int = 0  # including this one


@dataclass(frozen=True)
class AskTaken:
    """The provider has taken a landask."""

    link: Link
    answer: AskAnswer


@dataclass(frozen=True)
class AskError:
    """The provider has refused a landask for one of the reasons the protocol names."""

    link: Link
    error: str


@dataclass(frozen=True)
class CancelTaken:
    """The provider has taken a request away."""

    link: Link
    receipt: Opened


@dataclass(frozen=True)
class Reply:
    """A sealed reply that opened and fits its schema; whether it fits the question is checked here."""

    link: Link
    opened: Opened
    reply: LandReply


@dataclass(frozen=True)
class FetchError:
    """A plain error of the token endpoint."""

    link: Link
    error: str


@dataclass(frozen=True)
class Failed:
    """No answer, or none that can be used; `final` where trying again is of no use."""

    link: Link
    code: str
    retry_after: int | None = None
    final: bool = False
    sealed: str | None = None  # of an answer that was refused
    check: str | None = None  # the number of the check it failed
    opened: Opened | None = None  # where it failed only the last one


@dataclass(frozen=True)
class Overdue:
    """The question's time was over before its ask could be sent."""

    link: Link


Result = AskTaken | AskError | CancelTaken | Reply | FetchError | Failed | Overdue


@dataclass
class _Batch:
    """One transaction's results on their way."""

    unit: Unit
    world: World
    jitter: Callable[[], float]
    deliveries: Mapping[int, Any]
    attempts: Mapping[int, Any]
    asked: Mapping[int, Asked] = field(default_factory=dict)
    jtis: Mapping[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)  # the attempt of each auth_req_id
    delivered: defaultdict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    retried: list[dict[str, Any]] = field(default_factory=list)
    opened: list[dict[str, Any]] = field(default_factory=list)
    polls: list[dict[str, Any]] = field(default_factory=list)
    slower: list[int] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def question(self, link: Link) -> Question:
        return self.world.of(link.question_no)

    def attempt_state(self, link: Link) -> str:
        """Of the attempt as this transaction sees it."""
        attempt = self.question(link).attempt if link.question_no in self.world.current else None
        if attempt is not None and attempt.number == link.attempt:
            return attempt.state
        return life.CLOSED

    def log(self, link: Link, outcome: str, reason: str | None = None) -> None:
        self.entries.append(Entry(event_of(link.typ), outcome, link.question_id, reason=reason))

    def log_answer(self, link: Link, typ: str, opened: Opened, outcome: str, reason: str | None = None) -> None:
        entry = Entry(event_of(typ), outcome, link.question_id, opened.sha256, opened.from_kid, opened.to_kid, reason)
        self.messages.append(Message(entry, opened.inner, (link.handle,)))

    def end_delivery(self, link: Link, state: str, outcome: str) -> None:
        assert link.delivery_no is not None
        self.delivered[state, outcome].append(link.delivery_no)

    def poll(self, link: Link, at: int | None) -> None:
        self.polls.append({"b_no": link.attempt_no, "poll_at": at})

    def is_waiting(self, link: Link) -> bool:
        """Whether the delivery still waits for its result."""
        row = self.deliveries.get(link.delivery_no or 0)
        return row is not None and row.state == "waiting"


def take_results(unit: Unit, results: Sequence[Result], jitter: Callable[[], float]) -> None:
    """Let results take effect, all in this transaction; `jitter` gives numbers from 0 to 1."""
    batch = _read(unit, results, jitter)
    for result in _unseen(unit, results):
        _TAKE[type(result)](batch, result)
    _write(batch)


def _unseen(unit: Unit, results: Sequence[Result]) -> list[Result]:
    """(14): an answer whose `jti` was seen in the last 24 hours is refused; all others are spent."""
    answers = {one.jti: one for result in results if (one := _opened(result)) is not None}
    if not answers:
        return list(results)
    rows = [{"iss": one.iss, "jti": one.jti, "seen_at": unit.now} for one in answers.values()]
    fresh = set(unit.conn.execute(_SPEND[unit.conn.dialect.name], rows).scalars())
    return [_refused_again(result, fresh) for result in results]


def _opened(result: Result) -> Opened | None:
    if isinstance(result, Reply | Failed):
        return result.opened
    return result.receipt if isinstance(result, CancelTaken) else None


def _refused_again(result: Result, fresh: set[str]) -> Result:
    opened = _opened(result)
    if opened is None or opened.jti in fresh:
        return result
    return Failed(result.link, "answer", sealed=opened.sha256, check="14")


def _read(unit: Unit, results: Sequence[Result], jitter: Callable[[], float]) -> _Batch:
    world = World.load(unit, nos={one.link.question_no for one in results if _may_change(unit, one)})
    numbers = {one.link.attempt_no for one in results}
    sent = [one.link.delivery_no for one in results if one.link.delivery_no is not None]
    rows = unit.conn.execute(_ATTEMPTS, {"nos": sorted(numbers)})
    batch = _Batch(unit, world, jitter, {}, {row.no: row for row in rows})
    if sent:
        batch.deliveries = {row.no: row for row in unit.conn.execute(_DELIVERIES, {"nos": sorted(sent)})}
    taken = [one.answer.auth_req_id for one in results if isinstance(one, AskTaken)]
    if taken:
        batch.requests = {row.auth_req_id: row.no for row in unit.conn.execute(_REQUESTS, {"ids": sorted(set(taken))})}
    fetched = [one for one in results if isinstance(one, Reply)]
    if fetched:
        batch.jtis = {row.jti: row.attempt_no for row in unit.conn.execute(_JTIS, {"jtis": _jtis(fetched)})}
        links = [one.link for one in fetched]
        found = read_asked(unit, [(one.question_no, one.handle, one.item_ids) for one in links])
        batch.asked = {link.attempt_no: asked for link, asked in zip(links, found, strict=True)}
    return batch


def _may_change(unit: Unit, result: Result) -> bool:
    """Whether a question may change: most polls only find that the citizen has not answered yet."""
    if isinstance(result, FetchError):
        return result.error in ENDED_BY_PROVIDER | {DECLINED_ERROR} or result.link.expires_at <= unit.now
    if isinstance(result, Failed):
        return result.link.delivery_no is not None and outbox.is_dead(result.link.tries, final=result.final)
    return True


def _jtis(fetched: Iterable[Reply]) -> list[str]:
    return sorted({one.reply.ask_jti for one in fetched})


# ---- asks ----------------------------------------------------------------------------------------------------------


def take_ask_answer(batch: _Batch, result: AskTaken) -> None:
    """The request is open at the provider; where it was taken back meanwhile, it is cancelled now."""
    link, answer = result.link, result.answer
    if not batch.is_waiting(link):
        batch.log(link, "delivered", "late")
        return
    if _is_anothers(batch, link, answer.auth_req_id):
        take_failure(batch, Failed(link, "auth-req-id-known"))
        return
    batch.log(link, "delivered")
    batch.end_delivery(link, "delivered", "taken")
    state = batch.attempt_state(link)
    expires_in = min(answer.expires_in, max(link.expires_at - batch.unit.now, 0))
    batch.opened.append(
        {
            "b_no": link.attempt_no,
            "auth_req_id": answer.auth_req_id,
            "idp_expires_at": batch.unit.now + expires_in,
            "interval": answer.interval,
            "poll_at": batch.unit.now + answer.interval if state == life.SENDING else None,
        }
    )
    if state == life.SENDING:
        batch.world.change(link.question_no, life.ask_taken(batch.question(link)))
    elif state == life.CLOSING:
        batch.released.append(link.attempt_no)


def _is_anothers(batch: _Batch, link: Link, auth_req_id: str) -> bool:
    """Whether the id is known as another request's; the first of two in one transaction has it."""
    return batch.requests.setdefault(auth_req_id, link.attempt_no) != link.attempt_no


def take_ask_error(batch: _Batch, result: AskError) -> None:
    """Nobody can be asked."""
    link = result.link
    if not batch.is_waiting(link):
        batch.log(link, "delivered", "late")
        return
    batch.log(link, "delivered", result.error.replace("_", "-"))
    batch.end_delivery(link, "delivered", result.error)
    _not_asked(batch, link, life.refused_by_provider)


def _not_asked(batch: _Batch, link: Link, end: Callable[[Question], Any]) -> None:
    """The ask is over without a request at the provider."""
    state = batch.attempt_state(link)
    if state == life.SENDING:
        batch.world.change(link.question_no, end(batch.question(link)))
    elif state == life.CLOSING:
        batch.dropped.append(link.attempt_no)
        batch.world.change(link.question_no, life.attempt_closed(batch.question(link)))


# ---- cancels -------------------------------------------------------------------------------------------------------


def take_cancel_receipt(batch: _Batch, result: CancelTaken) -> None:
    """The request is gone from the app: the next attempt may begin. A reply that crossed it is fetched once more."""
    link = result.link
    batch.log(link, "delivered")
    batch.log_answer(link, "landcancel-receipt+jwt", result.receipt, "accepted")
    if not batch.is_waiting(link):
        return
    batch.end_delivery(link, "delivered", "taken")
    batch.poll(link, batch.unit.now)
    _close(batch, link)


def _close(batch: _Batch, link: Link) -> None:
    if batch.attempt_state(link) == life.CLOSING:
        batch.world.change(link.question_no, life.attempt_closed(batch.question(link)))


# ---- fetches -------------------------------------------------------------------------------------------------------


def take_reply(batch: _Batch, result: Reply) -> None:
    """Store a reply once, and let it count where its request is still open."""
    link = result.link
    fault = _fault(batch, result)
    if fault is not None:
        batch.log(link, "retry", "reply")
        batch.log_answer(link, "landreply+jwt", result.opened, "refused", fault)
        _poll_on(batch, link)
        return
    batch.log(link, "delivered")
    batch.poll(link, None)
    if batch.attempts[link.attempt_no].replied or any(one["attempt_no"] == link.attempt_no for one in batch.stored):
        batch.log_answer(link, "landreply+jwt", result.opened, "duplicate")
        return
    late = life.is_late(batch.question(link), link.attempt)
    batch.log_answer(link, "landreply+jwt", result.opened, "accepted", "late" if late else None)
    batch.stored.append(_stored(batch.unit, result, late=late))
    answers = batch.asked[link.attempt_no].compared(result.reply.answers)
    if not late:
        propose(batch.world, link.question_no, corrections(result.reply.answers))
    step = life.reply(batch.question(link), link.attempt, answers, result.reply.answered_at)
    batch.world.change(link.question_no, step)


def _fault(batch: _Batch, result: Reply) -> str | None:
    """The code of the first check of protocol §3 that the reply fails; level and form are checked by its model."""
    link, reply = result.link, result.reply
    checks = (
        (reply.auth_req_id == link.auth_req_id, "auth-req-id"),
        (reply.question_id == link.question_id, "question-id"),
        (reply.attempt == link.attempt, "attempt"),
        (batch.jtis.get(reply.ask_jti) == link.attempt_no, "ask-jti"),
        (reply.sub == link.citizen_id, "sub"),
    )
    failed = next((code for holds, code in checks if not holds), None)
    return failed or batch.asked[link.attempt_no].fault(reply.answers, whole=True)


def _stored(unit: Unit, result: Reply, *, late: bool) -> dict[str, Any]:
    box = unit.vault.seal(result.link.handle, contexts.reply(result.link.attempt_no), kept(result.reply.answers))
    return {
        "attempt_no": result.link.attempt_no,
        "received_at": unit.now,
        "answered_at": result.reply.answered_at,
        "late": late,
        "box": box,
    }


def take_fetch_error(batch: _Batch, result: FetchError) -> None:
    """What a plain error steers; none of them answers anything."""
    link, error = result.link, result.error
    batch.log(link, "delivered", error.replace("_", "-") if error in outbox.TOKEN_ERRORS else "unknown-error")
    if error in ENDED_BY_PROVIDER or error == DECLINED_ERROR:
        batch.poll(link, None)
        _ended(batch, link, error)
    elif error == "slow_down":
        batch.slower.append(link.attempt_no)
        _poll_on(batch, link, slower=outbox.SLOW_DOWN_SECONDS)
    else:
        _poll_on(batch, link)


def _ended(batch: _Batch, link: Link, error: str) -> None:
    """The request is over; only where it was the open one has that an effect."""
    if batch.attempt_state(link) != life.OPEN:
        return
    if error == DECLINED_ERROR:
        batch.world.change(link.question_no, life.declined(batch.question(link)))
        return
    batch.world.change(link.question_no, life.request_ended(batch.question(link)))
    batch.world.ended_early.add(link.question_no)
    if link.expires_at <= batch.unit.now:
        batch.world.change(link.question_no, life.expire(batch.question(link)))


def _poll_on(batch: _Batch, link: Link, slower: int = 0) -> None:
    """Fetch again later. A question whose time is over ends instead; a request that was taken back is let go."""
    row = batch.attempts[link.attempt_no]
    if row.state != life.OPEN and not slower:
        batch.poll(link, None)
    elif batch.attempt_state(link) == life.OPEN and link.expires_at <= batch.unit.now:
        batch.poll(link, None)
        batch.world.change(link.question_no, life.expire(batch.question(link)))
    else:
        batch.poll(link, outbox.next_poll(batch.unit.now, row.interval + slower, link.begun_at, row.idp_expires_at))


# ---- failures ------------------------------------------------------------------------------------------------------


def take_failure(batch: _Batch, result: Failed) -> None:
    """Try again later, or give up."""
    link = result.link
    if result.check is not None:
        _log_refused(batch, result)
    if link.delivery_no is None:
        batch.log(link, "retry", result.code)
        _fetch_again(batch, result)
    elif not batch.is_waiting(link):
        batch.log(link, "retry", "late")
    elif outbox.is_dead(link.tries, final=result.final):
        batch.log(link, "dead", result.code)
        batch.end_delivery(link, "dead", result.code)
        _dead(batch, link)
    else:
        batch.log(link, "retry", result.code)
        due_at = outbox.next_try(batch.unit.now, link.tries, batch.jitter(), result.retry_after)
        batch.retried.append({"b_no": link.delivery_no, "due_at": due_at, "outcome": result.code})


def _log_refused(batch: _Batch, result: Failed) -> None:
    """A sealed answer that failed a check is an event of its own."""
    typ = str(KINDS[result.link.typ].answer)
    if result.opened is not None:
        batch.log_answer(result.link, typ, result.opened, "refused", result.check)
    else:
        entry = Entry(event_of(typ), "refused", result.link.question_id, sealed=result.sealed, reason=result.check)
        batch.entries.append(entry)


def take_overdue(batch: _Batch, result: Overdue) -> None:
    """Nothing is asked after its time."""
    link = result.link
    if not batch.is_waiting(link):
        return
    batch.log(link, "dead", "expired")
    batch.end_delivery(link, "dropped", "expired")
    _not_asked(batch, link, life.expire)


def _fetch_again(batch: _Batch, result: Failed) -> None:
    """No answer says nothing of the request: it is fetched again as long as the reply may be there."""
    link, row = result.link, batch.attempts[result.link.attempt_no]
    if row.state != life.OPEN and batch.unit.now > (row.idp_expires_at or 0) + outbox.DRAIN_SECONDS:
        batch.poll(link, None)
        return
    least = max(result.retry_after or 0, outbox.LEAST_AFTER_FAILURE_SECONDS)
    at = outbox.next_poll(batch.unit.now, row.interval or 1, link.begun_at, row.idp_expires_at, least)
    batch.poll(link, at)


def _dead(batch: _Batch, link: Link) -> None:
    if link.typ == LANDASK:
        _not_asked(batch, link, life.dead_letter)
    else:
        _close(batch, link)


_TAKE: Mapping[type, Callable[[_Batch, Any], None]] = {
    AskTaken: take_ask_answer,
    AskError: take_ask_error,
    CancelTaken: take_cancel_receipt,
    Reply: take_reply,
    FetchError: take_fetch_error,
    Failed: take_failure,
    Overdue: take_overdue,
}


# ---- writing -------------------------------------------------------------------------------------------------------


def _write(batch: _Batch) -> None:
    conn = batch.unit.conn
    stopped = [row["b_no"] for row in batch.polls if row["poll_at"] is None]
    for statement, rows in (
        (_RETRIED, batch.retried),
        (_OPENED, batch.opened),
        (_POLLED, [row for row in batch.polls if row["poll_at"] is not None]),
    ):
        if rows:
            conn.execute(statement, sorted(rows, key=lambda row: int(row["b_no"])))
    for statement, numbers in ((_STOPPED, stopped), (_SLOWER, batch.slower)):
        if numbers:
            conn.execute(statement, {"nos": sorted(numbers)})
    for (state, outcome), numbers in sorted(batch.delivered.items()):
        conn.execute(_ENDED_DELIVERIES, {"nos": sorted(numbers), "state": state, "outcome": outcome})
    if batch.released:
        conn.execute(_RELEASED, {"nos": batch.released, "now": batch.unit.now})
    if batch.dropped:
        conn.execute(_DROPPED, {"nos": batch.dropped})
    if batch.stored:
        conn.execute(_NEW_REPLIES, batch.stored)
    batch.world.finish()
    leaves.write(batch.unit, batch.entries)
    leaves.write_messages(batch.unit, batch.messages)


_ATTEMPTS = (
    select(
        attempts.c.no,
        attempts.c.state,
        attempts.c.interval,
        attempts.c.idp_expires_at,
        replies.c.received_at.is_not(None).label("replied"),
    )
    .join_from(attempts, replies, attempts.c.no == replies.c.attempt_no, isouter=True)
    .where(any_of(attempts.c.no, "nos"))
)
_DELIVERIES = (
    select(deliveries.c.no, deliveries.c.state)
    .where(any_of(deliveries.c.no, "nos"))
    .order_by(deliveries.c.no)
    .with_for_update()
)
_JTIS = select(asks.c.jti, asks.c.attempt_no).where(any_of(asks.c.jti, "jtis"))
_REQUESTS = select(attempts.c.no, attempts.c.auth_req_id).where(any_of(attempts.c.auth_req_id, "ids"))
_ENDED_DELIVERIES = (
    update(deliveries)
    .where(any_of(deliveries.c.no, "nos"))
    .values(state=bindparam("state"), outcome=bindparam("outcome"), claimed_until=0)
)
_RETRIED = (
    update(deliveries)
    .where(deliveries.c.no == bindparam("b_no"))
    .values(due_at=bindparam("due_at"), outcome=bindparam("outcome"), claimed_until=0)
)
_OPENED = (
    update(attempts)
    .where(attempts.c.no == bindparam("b_no"))
    .values(
        auth_req_id=bindparam("auth_req_id"),
        idp_expires_at=bindparam("idp_expires_at"),
        interval=bindparam("interval"),
        poll_at=case((attempts.c.pinged, attempts.c.poll_at), else_=bindparam("poll_at")),
    )
)
_POLLED = (
    update(attempts)
    .where(attempts.c.no == bindparam("b_no"))
    .values(poll_at=case((attempts.c.pinged, attempts.c.poll_at), else_=bindparam("poll_at")), claimed_until=0)
)
_of_attempts = any_of(attempts.c.no, "nos")
_STOPPED = update(attempts).where(_of_attempts).values(poll_at=None, claimed_until=0)
_SLOWER = update(attempts).where(_of_attempts).values(interval=attempts.c.interval + outbox.SLOW_DOWN_SECONDS)
_of_cancels = (any_of(deliveries.c.attempt_no, "nos"), deliveries.c.typ == LANDCANCEL)
_RELEASED = (
    update(deliveries)
    .where(*_of_cancels, deliveries.c.state == "held")
    .values(state="waiting", due_at=bindparam("now"))
)
_DROPPED = update(deliveries).where(*_of_cancels, deliveries.c.state == "held").values(state="dropped")
_NEW_REPLIES = insert(replies)


def _spend(new: Any) -> Any:
    forgotten = seen_jtis.c.seen_at < new.excluded.seen_at - JTI_SECONDS
    spent = new.on_conflict_do_update(
        index_elements=[seen_jtis.c.iss, seen_jtis.c.jti], set_={"seen_at": new.excluded.seen_at}, where=forgotten
    )
    return spent.returning(seen_jtis.c.jti)


_SPEND: Mapping[str, Any] = {
    "sqlite": _spend(sqlite.insert(seen_jtis)),
    "postgresql": _spend(postgresql.insert(seen_jtis)),
}
