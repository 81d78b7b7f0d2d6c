"""What the identity provider sends for a citizen: the ping, `landrevise`, `landdecl` (protocol §3).

Rules
- A ping only says that a fetch is worth while: it sets the time of the next one to now. Its token belongs to its
  attempt's `auth_req_id`; before that is known to us the token alone tells the attempt. After the end it has no effect.
- A revision takes an answer back. What followed from it is undone: a claim that another citizen could settle only
  because of it goes to an officer with it, and whoever is being asked because of it is asked no further.
- A revision older than one already taken changes nothing for the items that the newer one named.
- A declaration that names a certificate of the citizen's own accepted parcels is `matched`; every other waits for an
  officer.

Example: `callback(unit, auth_req_id, token)` is False where the ping is to be refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from confirm_api import question as life
from confirm_api.errors import ContentError
from confirm_api.office.acceptance import parcel_context
from confirm_api.office.cases import open_case
from confirm_api.question import OpenCase
from confirm_api.service import contexts, locks
from confirm_api.service.answer import UseCaseAnswer
from confirm_api.service.answers import Asked, corrections, kept, read_asked
from confirm_api.service.facts import same_serial
from confirm_api.service.world import World
from confirm_api.store.tables import accepted_parcels, asks, attempts, declarations, questions, replies, revisions, runs
from confirm_api.store.vault import Erased
from confirm_api.unit import Unit
from exchange.canonical import canonical
from exchange.payloads import LandDecl, LandRevise
from exchange.sealed.keys import Peer

# ---- the ping ------------------------------------------------------------------------------------------------------


def token_hash(token: str) -> bytes:
    """How a notification token is stored."""
    return hashlib.sha256(token.encode()).digest()


def callback(unit: Unit, auth_req_id: str, token: str) -> bool:
    """Take a ping; False where the token is unknown or belongs to another request."""
    row = unit.conn.execute(_BY_TOKEN, {"token_hash": token_hash(token)}).first()
    if row is None or not _belongs(unit, row, auth_req_id):
        return False
    fresh = unit.conn.execute(_PINGED, {"b_no": row.no, "now": unit.now}).rowcount > 0
    unit.leaf("callback", "accepted" if fresh else "duplicate", question_id=row.question_id)
    return True


def _belongs(unit: Unit, row: Any, auth_req_id: str) -> bool:
    """Whether the ping names its own request; before we know its id, at least no other's."""
    if row.auth_req_id is not None:
        return bool(row.auth_req_id == auth_req_id)
    whose = unit.conn.execute(_BY_REQUEST, {"auth_req_id": auth_req_id}).first()
    return whose is None or bool(whose.no == row.no)  # its own, where the answer to the ask came in between


_BY_TOKEN = (
    select(attempts.c.no, attempts.c.auth_req_id, questions.c.question_id)
    .join_from(asks, attempts, asks.c.attempt_no == attempts.c.no)
    .join(questions, attempts.c.question_no == questions.c.no)
    .where(asks.c.token_hash == bindparam("token_hash"))
)
_PINGED = (
    update(attempts)
    .where(attempts.c.no == bindparam("b_no"), attempts.c.state.in_((life.SENDING, life.OPEN)), ~attempts.c.pinged)
    .values(pinged=True, poll_at=bindparam("now"))
)


# ---- landrevise ----------------------------------------------------------------------------------------------------


def revise(unit: Unit, payload: LandRevise, _peer: Peer) -> UseCaseAnswer:
    """Take an answer back."""
    row = _answered(unit, payload)
    world = World.load(unit, nos=[row.question_no])
    answer = UseCaseAnswer({"revises": payload.revises}, (row.handle,), row.question_id)
    if _is_known(unit, row, payload):
        return UseCaseAnswer(answer.content, answer.handles, answer.question_id, "duplicate")
    asked = read_asked(unit, [(row.question_no, row.handle, tuple(json.loads(row.item_ids)))])[0]
    fault = asked.fault(payload.answers, whole=False)
    if fault is not None:
        raise ContentError(_FAULTS[fault])
    newer = _named_later(unit, row, payload.answered_at)
    _keep(unit, row, payload)
    _apply(world, row, asked, payload, newer)
    world.finish()
    return answer


_FAULTS = {
    "items": "answers: expected items of the attempt that is revised, each at most once",
    "challenge": "answers: challenge_response: expected null where no challenge was set",
}


def _answered(unit: Unit, payload: LandRevise) -> Any:
    """The answered attempt that is revised, and whose it is."""
    row = unit.conn.execute(_ANSWERED, {"auth_req_id": payload.revises}).first()
    if row is None:
        raise ContentError("revises: expected the auth_req_id of a request that was answered")
    try:
        own = unit.vault.citizen_of(row.handle) == payload.sub
    except Erased:
        own = False
    if not own:
        raise ContentError("sub: expected the citizen who answered")
    return row


def _is_known(unit: Unit, row: Any, payload: LandRevise) -> bool:
    """Whether the same revision was taken before; another one under its id is refused."""
    same = {"attempt_no": row.no, "answered_at": payload.answered_at}
    known = unit.conn.execute(_KNOWN_REVISION, same).scalar()
    if known is not None and bytes(known) != _fingerprint(unit, row.handle, payload):
        raise ContentError("answered_at: expected a new time, or the same content as before")
    return known is not None


def _fingerprint(unit: Unit, handle: str, payload: LandRevise | LandDecl) -> bytes:
    return unit.vault.fingerprint(handle, canonical(payload.model_dump()))


def _named_later(unit: Unit, row: Any, answered_at: int) -> set[str]:
    """Items that a newer revision named: an older one that comes late changes nothing for them."""
    rows = unit.conn.execute(_NEWER_REVISIONS, {"attempt_no": row.no, "answered_at": answered_at}).all()
    opened = [unit.vault.open(row.handle, contexts.revision(row.no, one.answered_at), one.box) for one in rows]
    return {answer["item_id"] for one in opened for answer in one["answers"]}


def _keep(unit: Unit, row: Any, payload: LandRevise) -> None:
    values = {
        "attempt_no": row.no,
        "answered_at": payload.answered_at,
        "fingerprint": _fingerprint(unit, row.handle, payload),
        "received_at": unit.now,
        "box": unit.vault.seal(row.handle, contexts.revision(row.no, payload.answered_at), kept(payload.answers)),
    }
    unit.conn.execute(insert(revisions), values)


def _apply(world: World, row: Any, asked: Asked, payload: LandRevise, newer: set[str]) -> None:
    no = row.question_no
    answers = [one for one in asked.compared(payload.answers) if one.item_id not in newer]
    propose(world, no, corrections(payload.answers))
    if not answers:
        return
    world.change(no, life.revise(world.of(no), answers, payload.answered_at))
    if row.late:  # nothing followed from it
        return
    for item_id in (answer.item_id for answer in answers):
        for other in world.candidates(item_id):
            if other != no:
                world.change(other, life.doubt(world.of(other), item_id))


def propose(world: World, no: int, proposals: dict[str, dict[str, Any]]) -> None:
    """Give the citizen's corrections to an officer."""
    for item_id, content in proposals.items():
        world.contents[no, item_id, "correction"] = content
        world.effects.append((no, OpenCase("correction", item_id)))


_ANSWERED = (
    select(
        attempts.c.no,
        attempts.c.question_no,
        attempts.c.item_ids,
        questions.c.handle,
        questions.c.question_id,
        replies.c.late,
    )
    .join_from(attempts, replies, attempts.c.no == replies.c.attempt_no)
    .join(questions, attempts.c.question_no == questions.c.no)
    .where(attempts.c.auth_req_id == bindparam("auth_req_id"))
)
_BY_REQUEST = select(attempts.c.no).where(attempts.c.auth_req_id == bindparam("auth_req_id"))
_of_attempt = revisions.c.attempt_no == bindparam("attempt_no")
_KNOWN_REVISION = select(revisions.c.fingerprint).where(
    _of_attempt, revisions.c.answered_at == bindparam("answered_at")
)
_NEWER_REVISIONS = select(revisions.c.answered_at, revisions.c.box).where(
    _of_attempt, revisions.c.answered_at > bindparam("answered_at")
)


# ---- landdecl ------------------------------------------------------------------------------------------------------


def declare(unit: Unit, payload: LandDecl, peer: Peer) -> UseCaseAnswer:
    """Take a declaration, or tell what became of it."""
    handle = unit.vault.handle_of(payload.sub, create=True)
    assert handle is not None
    locks.lock(unit.conn, [handle], [payload.declaration_id])
    known = unit.conn.execute(_DECLARED, {"declaration_id": payload.declaration_id}).first()
    fingerprint = _fingerprint(unit, handle, payload)
    if known is None:
        status = _take(unit, payload, peer, handle, fingerprint)
    elif (known.handle, bytes(known.fingerprint)) != (handle, fingerprint):
        raise ContentError("declaration_id: expected a new id, or the same content as before")
    else:
        status = known.status
    content = {"declaration_id": payload.declaration_id, "status": status}
    return UseCaseAnswer(content, (handle,), None, "accepted" if known is None else "duplicate")


def _take(unit: Unit, payload: LandDecl, peer: Peer, handle: str, fingerprint: bytes) -> str:
    declaration_id = payload.declaration_id
    own = payload.on_behalf_of is None and _is_own(_own_serials(unit, handle), payload.certificate_serial)
    status = "matched" if own else "queued_for_review"
    values = {
        "declaration_id": declaration_id,
        "peer": peer.iss,
        "handle": handle,
        "fingerprint": fingerprint,
        "status": status,
        "received_at": unit.now,
        "box": unit.vault.seal(handle, contexts.declaration(declaration_id), payload.model_dump()),
    }
    unit.conn.execute(insert(declarations), values)
    if not own:
        open_case(unit, "declaration", handle=handle, declaration_id=declaration_id)
    return status


def _is_own(serials: Sequence[str | None], declared: str | None) -> bool:
    return any(same_serial(declared, serial) for serial in serials)


def _own_serials(unit: Unit, handle: str) -> list[str | None]:
    """The serials of the citizen's parcels by an accepted link."""
    rows = unit.conn.execute(_ACCEPTED, {"handle": handle}).all()
    return [unit.vault.open(handle, parcel_context(row.run_no, handle), row.box)["certificate_serial"] for row in rows]


_DECLARED = select(declarations).where(declarations.c.declaration_id == bindparam("declaration_id"))
_ACCEPTED = (
    select(accepted_parcels.c.run_no, accepted_parcels.c.box)
    .join_from(accepted_parcels, runs, accepted_parcels.c.run_no == runs.c.no)
    .where(accepted_parcels.c.handle == bindparam("handle"), runs.c.active)
)
