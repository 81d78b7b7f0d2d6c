"""`landquestions`: which questions are taken, and the first asks that follow at once (protocol §3, §4).

Rules
- Every question stands in exactly one list. A question that cannot be right in itself is `invalid`, a known id with
  other content `conflict`, with the same content a duplicate; then `not_askable`, then `too_many_asks`.
- *Same content* is told by the fingerprint under the citizen's key: the known question is not read again.
- Three asks of a citizen in 90 days; questions that wait to be asked count already, also those of the same batch.
- A batch is a handful of statements, however many questions it has.

Example: `accept_questions(unit, payload, peer).content` is the receipt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.exc import IntegrityError

from confirm_api import candidates
from confirm_api.question import Item, Question
from confirm_api.service import contexts
from confirm_api.service.answer import UseCaseAnswer
from confirm_api.service.askable import is_minor
from confirm_api.service.locks import Contention
from confirm_api.service.rows import any_of, insert_numbered
from confirm_api.service.world import World
from confirm_api.store.tables import people, questions
from confirm_api.unit import Unit
from exchange.canonical import canonical
from exchange.ids import new_binding_message
from exchange.payloads import LandQuestions, question_fault
from exchange.payloads import Question as Posted
from exchange.sealed.keys import Peer


@dataclass
class _Batch:
    """A batch on its way into the three lists."""

    handles: dict[str, str]  # by citizen_id
    accepted: list[Posted] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)

    def handle(self, posted: Posted) -> str:
        return self.handles[posted.citizen_id]

    def refuse(self, posted: Iterable[Posted], why: str) -> None:
        self.refused += [{"question_id": one.question_id, "why": why} for one in posted]


def accept_questions(unit: Unit, payload: LandQuestions, _peer: Peer) -> UseCaseAnswer:
    """Take a batch of questions."""
    faults = [question_fault(one) for one in payload.questions]
    right = [one for one, fault in zip(payload.questions, faults, strict=True) if fault is None]
    batch = _Batch(unit.vault.handles_of([one.citizen_id for one in right], create=True))
    unit.vault.citizens_of(batch.handles.values())  # all keys in one statement; each is used below
    batch.refuse([one for one, fault in zip(payload.questions, faults, strict=True) if fault is not None], "invalid")
    world = World.load(unit, handles=set(batch.handles.values()), item_ids=_item_ids(right))
    new = _unknown(unit, batch, right)
    new = _askable(unit, batch, new)
    batch.accepted = _not_too_often(unit, batch, new)
    _add(unit, world, batch)
    world.finish()
    content = {
        "batch_id": payload.batch_id,
        "accepted": [one.question_id for one in batch.accepted],
        "duplicates": batch.duplicates,
        "refused": batch.refused,
    }
    everything_known = bool(batch.duplicates) and not batch.accepted and not batch.refused
    handles = tuple(sorted(set(batch.handles.values())))
    return UseCaseAnswer(content, handles, outcome="duplicate" if everything_known else "accepted")


def _item_ids(posted: Iterable[Posted]) -> set[str]:
    return {parcel.item_id for one in posted for parcel in one.parcels}


# ---- refusals ------------------------------------------------------------------------------------------------------


def _unknown(unit: Unit, batch: _Batch, posted: Sequence[Posted]) -> list[Posted]:
    """The questions of unknown ids; the others are duplicates or conflicts."""
    rows = unit.conn.execute(_KNOWN, {"ids": [one.question_id for one in posted]})
    known = {row.question_id: (row.handle, bytes(row.fingerprint)) for row in rows}
    new = []
    for one in posted:
        if one.question_id not in known:
            new.append(one)
        elif known[one.question_id] == (batch.handle(one), _fingerprint(unit, batch.handle(one), one)):
            batch.duplicates.append(one.question_id)
        else:
            batch.refuse([one], "conflict")
    return new


def _fingerprint(unit: Unit, handle: str, posted: Posted) -> bytes:
    return unit.vault.fingerprint(handle, canonical(posted.model_dump()))


def _askable(unit: Unit, batch: _Batch, posted: Sequence[Posted]) -> list[Posted]:
    rows = unit.conn.execute(_NOT_ALIVE, {"handles": sorted({batch.handle(one) for one in posted})})
    gone = set(rows.scalars())
    asked: list[Posted] = []
    refused: list[Posted] = []
    for one in posted:
        never = batch.handle(one) in gone or is_minor(one.citizen_id, unit.now)
        (refused if never else asked).append(one)
    batch.refuse(refused, "not_askable")
    return asked


def _not_too_often(unit: Unit, batch: _Batch, posted: Sequence[Posted]) -> list[Posted]:
    since = unit.now - candidates.ASK_DAYS * candidates.DAY_SECONDS
    handles = sorted({batch.handle(one) for one in posted})
    asked: defaultdict[str, list[int]] = defaultdict(list)
    waiting: defaultdict[str, int] = defaultdict(int)
    for row in unit.conn.execute(_ASKS, {"handles": handles, "since": since}):
        if row.asked_at is None:
            waiting[row.handle] += 1
        else:
            asked[row.handle].append(row.asked_at)
    taken = []
    for one in posted:
        handle = batch.handle(one)
        if candidates.may_be_asked(asked[handle], waiting[handle], unit.now):
            waiting[handle] += 1
            taken.append(one)
        else:
            batch.refuse([one], "too_many_asks")
    return taken


# ---- taking --------------------------------------------------------------------------------------------------------


def _add(unit: Unit, world: World, batch: _Batch) -> None:
    if not batch.accepted:
        return
    rows = [_question_row(unit, batch.handle(one), one) for one in batch.accepted]
    try:
        numbers = insert_numbered(unit.conn, questions, rows)
    except IntegrityError:  # the same id for another citizen, by a hair
        raise Contention from None
    for no, row, one in zip(numbers, rows, batch.accepted, strict=True):
        parts = tuple(Item(parcel.item_id, parcel.rank) for parcel in one.parcels)
        question = Question(
            no=no,
            handle=row["handle"],
            accepted_at=unit.now,
            expires_at=row["expires_at"],
            items=parts,
            priority=one.priority,
        )
        world.add(question, one.question_id, _kept(unit, question, one))


def _question_row(unit: Unit, handle: str, posted: Posted) -> dict[str, Any]:
    return {
        "question_id": posted.question_id,
        "handle": handle,
        "fingerprint": _fingerprint(unit, handle, posted),
        "priority": posted.priority,
        "accepted_at": unit.now,
        "expires_at": unit.now + posted.expires_in,
        "state": "created",
        "frozen": False,
        "binding_message": new_binding_message(),
        "attempt": 0,
    }


def _kept(unit: Unit, question: Question, posted: Posted) -> list[dict[str, Any]]:
    """What is kept of each parcel beside its state."""
    return [
        {
            "place": place,
            "commune": parcel.commune_name,
            "box": unit.vault.seal(question.handle, contexts.item(question.no, parcel.item_id), parcel.model_dump()),
        }
        for place, parcel in enumerate(posted.parcels)
    ]


_KNOWN = select(questions.c.question_id, questions.c.handle, questions.c.fingerprint).where(
    any_of(questions.c.question_id, "ids")
)
_NOT_ALIVE = select(people.c.handle).where(any_of(people.c.handle, "handles"), people.c.status != "alive")
_ASKS = select(questions.c.handle, questions.c.asked_at).where(
    any_of(questions.c.handle, "handles"),
    or_(questions.c.asked_at > bindparam("since"), questions.c.state == "created"),
)
