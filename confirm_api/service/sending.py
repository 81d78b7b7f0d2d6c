"""What is sent now: due messages and fetches, claimed, sealed and logged in one transaction (protocol §5).

Rules
- A claim ends by itself: what a killed worker held is taken by another. Two workers never hold the same message.
- Every message is sealed anew, with its own `jti`; a landask also has a new notification token, of which the hash is
  stored. Its leaf (`sent`) is committed before the first byte leaves: the caller sends after this transaction.
- An ask whose question's time is over, and what concerns an erased citizen, is not sent.

Example: `batch = claim(unit, Sender(own, provider, 120), most=32)`; then each of `batch.outgoing` is sent.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update

from confirm_api import question as life
from confirm_api.audit.log import Entry
from confirm_api.service import contexts, facts, leaves
from confirm_api.service.citizen_side import token_hash
from confirm_api.service.leaves import Message
from confirm_api.service.results import Failed, Link, Overdue
from confirm_api.service.rows import any_of
from confirm_api.service.world import LANDASK, LANDCANCEL
from confirm_api.store.tables import asks, attempts, deliveries, items, questions
from confirm_api.unit import Unit
from exchange.errors import MessageTooLargeError
from exchange.ids import new_token
from exchange.kinds import event_of
from exchange.sealed.keys import Own, Peer
from exchange.sealed.seal import Sealed, seal

LANDFETCH: Final = "landfetch+jwt"
GRANT_TYPE: Final = "urn:openid:params:grant-type:ciba"
SCOPE: Final = "openid land_confirmation"
PURPOSE: Final = "land_confirmation"
REMIND_AFTER_DAYS: Final = [3, 10, 24]


@dataclass(frozen=True)
class Sender:
    """Who sends to whom, and how long a claim holds."""

    own: Own
    provider: Peer
    claim_seconds: int


@dataclass(frozen=True)
class Outgoing:
    """A sealed message that is logged as sent."""

    link: Link
    sealed: Sealed


@dataclass
class Claimed:
    """What one claim gave: messages to send, and results of those that are not sent at all."""

    outgoing: list[Outgoing] = field(default_factory=list)
    unsent: list[Failed | Overdue] = field(default_factory=list)


def is_due(conn: Connection, now: int) -> bool:
    """Whether anything waits to be sent; a look, without a transaction."""
    due = {"now": now}
    return conn.execute(_ANY_DELIVERY, due).first() is not None or conn.execute(_ANY_POLL, due).first() is not None


def claim(unit: Unit, sender: Sender, most: int) -> Claimed:
    """Claim, seal and log up to so many messages: deliveries first, then fetches."""
    times = {"now": unit.now, "until": unit.now + sender.claim_seconds}
    sent = unit.conn.execute(_CLAIM_DELIVERIES, {**times, "most": most}).all()
    fetched = unit.conn.execute(_CLAIM_POLLS, {**times, "most": most - len(sent)}).scalars().all()
    rows = _contexts(unit, {row.attempt_no for row in sent} | set(fetched))
    numbers = unit.vault.citizens_of({row.handle for row in rows.values()})
    _let_go(unit, sent, fetched, rows, numbers)
    found: list[tuple[Any, Link]]
    found = [(row, _link(rows[row.attempt_no], numbers, row)) for row in sent if row.attempt_no in rows]
    found += [(None, _link(rows[no], numbers, None)) for no in fetched if no in rows]
    return _sealed(unit, sender, found, rows)


def _contexts(unit: Unit, nos: Collection[int]) -> dict[int, Any]:
    """Attempts with their questions."""
    return {row.no: row for row in unit.conn.execute(_CONTEXTS, {"nos": sorted(nos)})} if nos else {}


def _let_go(
    unit: Unit, sent: Iterable[Any], fetched: Iterable[int], rows: dict[int, Any], numbers: Mapping[str, str]
) -> None:
    """What concerns an erased citizen is neither sent nor fetched any more."""
    gone = {no for no, row in rows.items() if row.handle not in numbers}
    if not gone:
        return
    for no in gone:
        del rows[no]
    dropped = [row.no for row in sent if row.attempt_no in gone]
    unit.conn.execute(_DROP, {"nos": dropped})
    unit.conn.execute(_STOP, {"nos": sorted(gone.intersection(fetched))})


def _link(row: Any, numbers: Mapping[str, str], delivery: Any) -> Link:
    return Link(
        typ=LANDFETCH if delivery is None else delivery.typ,
        attempt_no=row.no,
        question_no=row.question_no,
        attempt=row.attempt,
        question_id=row.question_id,
        handle=row.handle,
        citizen_id=numbers[row.handle],
        item_ids=tuple(json.loads(row.item_ids)),
        expires_at=row.expires_at,
        begun_at=row.begun_at,
        auth_req_id=row.auth_req_id,
        delivery_no=None if delivery is None else delivery.no,
        tries=0 if delivery is None else delivery.tries,
    )


# ---- sealing -------------------------------------------------------------------------------------------------------


def _sealed(unit: Unit, sender: Sender, found: Sequence[tuple[Any, Link]], rows: Mapping[int, Any]) -> Claimed:
    claimed, tokens = Claimed(), []
    parcels = _parcels(unit, [link for _, link in found if link.typ == LANDASK])
    for delivery, link in found:
        if link.typ == LANDASK and link.expires_at <= unit.now:
            claimed.unsent.append(Overdue(link))
            continue
        token = new_token()
        payload = _payload(unit, delivery, link, rows[link.attempt_no], parcels, token)
        try:
            sealed = seal(payload, typ=link.typ, own=sender.own, peer=sender.provider, now=unit.now)
        except MessageTooLargeError:
            claimed.unsent.append(Failed(link, "too-large", final=True))
            continue
        claimed.outgoing.append(Outgoing(link, sealed))
        if link.typ == LANDASK:
            tokens.append(_ask_row(unit, link, sealed, token))
    _keep(unit, sender, claimed.outgoing, tokens)
    return claimed


def _payload(
    unit: Unit,
    delivery: Any,
    link: Link,
    row: Any,
    parcels: Mapping[tuple[int, str], Mapping[str, Any]],
    token: str,
) -> dict[str, Any]:
    if link.typ == LANDASK:
        asked = [(item_id, parcels[link.question_no, item_id]) for item_id in link.item_ids]
        return ask_payload(link, row.binding_message, token, link.expires_at - unit.now, asked)
    if link.typ == LANDCANCEL:
        return {"auth_req_id": link.auth_req_id, "question_id": link.question_id, "reason": delivery.reason}
    return {"grant_type": GRANT_TYPE, "auth_req_id": link.auth_req_id}


def ask_payload(
    link: Link, binding_message: str, token: str, seconds: int, asked: Iterable[tuple[str, Mapping[str, Any]]]
) -> dict[str, Any]:
    """The payload of a landask; `ask` is the same in every repetition."""
    return {
        "scope": SCOPE,
        "login_hint": link.citizen_id,
        "client_notification_token": token,
        "binding_message": binding_message,
        "requested_expiry": seconds,
        "ask": {
            "question_id": link.question_id,
            "attempt": link.attempt,
            "purpose": PURPOSE,
            "remind_after_days": REMIND_AFTER_DAYS,
            "items": [
                {
                    "item_id": item_id,
                    "facts": facts.facts(parcel),
                    "challenge": facts.challenge(parcel["certificate_serial"]),
                }
                for item_id, parcel in asked
            ],
        },
    }


def _parcels(unit: Unit, links: Sequence[Link]) -> dict[tuple[int, str], Mapping[str, Any]]:
    """The parcels of these asks, opened."""
    if not links:
        return {}
    wanted: defaultdict[int, set[str]] = defaultdict(set)
    handles = {link.question_no: link.handle for link in links}
    for link in links:
        wanted[link.question_no].update(link.item_ids)
    rows = unit.conn.execute(_BOXES, {"nos": sorted(wanted)})
    return {
        (row.question_no, row.item_id): unit.vault.open(
            handles[row.question_no], contexts.item(row.question_no, row.item_id), row.box
        )
        for row in rows
        if row.item_id in wanted[row.question_no]
    }


def _ask_row(unit: Unit, link: Link, sealed: Sealed, token: str) -> dict[str, Any]:
    return {
        "jti": sealed.jti,
        "attempt_no": link.attempt_no,
        "token_hash": token_hash(token),
        "sent_at": unit.now,
    }


def _keep(unit: Unit, sender: Sender, outgoing: Sequence[Outgoing], tokens: Sequence[dict[str, Any]]) -> None:
    """The leaves of what is about to leave, the asks a reply may name, whom they were sent to."""
    if tokens:
        unit.conn.execute(_NEW_ASKS, tokens)
        unit.conn.execute(_PEER, {"nos": [row["attempt_no"] for row in tokens], "peer": sender.provider.iss})
    leaves.write_messages(unit, [_leaf(one) for one in outgoing])


def _leaf(outgoing: Outgoing) -> Message:
    link, sealed = outgoing.link, outgoing.sealed
    entry = Entry(event_of(link.typ), "sent", link.question_id, sealed.sha256, sealed.from_kid, sealed.to_kid)
    return Message(entry, sealed.inner, (link.handle,))


# ---- statements, made once -----------------------------------------------------------------------------------------


_now: Any = bindparam("now")
_due_deliveries = (
    select(deliveries.c.no)
    .where(deliveries.c.state == "waiting", deliveries.c.due_at <= _now, deliveries.c.claimed_until <= _now)
    .order_by(deliveries.c.due_at, deliveries.c.no)
)
_due_polls = (
    select(attempts.c.no)
    .where(
        attempts.c.poll_at <= _now,
        attempts.c.claimed_until <= _now,
        attempts.c.state.in_((life.OPEN, life.CLOSED)),
        attempts.c.auth_req_id.is_not(None),
    )
    .order_by(attempts.c.poll_at, attempts.c.no)
)
_ANY_DELIVERY, _ANY_POLL = _due_deliveries.limit(1), _due_polls.limit(1)


def _free(due: Any) -> Any:
    """Rows that no other worker is about to claim."""
    return due.limit(bindparam("most")).with_for_update(skip_locked=True)


_CLAIM_DELIVERIES = (
    update(deliveries)
    .where(deliveries.c.no.in_(_free(_due_deliveries).cte("due").select()))
    .values(claimed_until=bindparam("until"), tries=deliveries.c.tries + 1)
    .returning(deliveries.c.no, deliveries.c.typ, deliveries.c.attempt_no, deliveries.c.reason, deliveries.c.tries)
)
_CLAIM_POLLS = (
    update(attempts)
    .where(attempts.c.no.in_(_free(_due_polls).cte("due").select()))
    .values(claimed_until=bindparam("until"), pinged=False)
    .returning(attempts.c.no)
)
_CONTEXTS = (
    select(
        attempts.c.no,
        attempts.c.question_no,
        attempts.c.attempt,
        attempts.c.item_ids,
        attempts.c.begun_at,
        attempts.c.auth_req_id,
        questions.c.question_id,
        questions.c.handle,
        questions.c.binding_message,
        questions.c.expires_at,
    )
    .join_from(attempts, questions, attempts.c.question_no == questions.c.no)
    .where(any_of(attempts.c.no, "nos"))
)
_BOXES = select(items.c.question_no, items.c.item_id, items.c.box).where(any_of(items.c.question_no, "nos"))
_NEW_ASKS = insert(asks)
_PEER = update(attempts).where(any_of(attempts.c.no, "nos")).values(peer=bindparam("peer"))
_DROP = update(deliveries).where(any_of(deliveries.c.no, "nos")).values(state="dropped", outcome="erased")
_STOP = update(attempts).where(any_of(attempts.c.no, "nos")).values(poll_at=None)
