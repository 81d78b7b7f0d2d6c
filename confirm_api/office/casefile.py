"""A case as an officer reads it: what the citizen said, what the register says, who voted, what may be decided.

Rules
- Reading a case file is a look: its leaf is written by `cases.look`.
- Other candidates of the same item are shown by what they answered and proved, with their numbers only in a dispute:
  there the officer has to compare the two people.
- What was erased reads as nothing; the case can still be ended.

Example: `read(unit, actor, 12).parcels` gives `[[("Xã, phường", "Xã Xuân Trường"), …]]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, and_, select

from confirm_api.office import rules, wording
from confirm_api.office.cases import Case, look, open_or_none
from confirm_api.office.decisions import Cast, round_of, votes_of
from confirm_api.office.rules import Actor
from confirm_api.service import contexts
from confirm_api.store.tables import attempts, declarations, items, questions, replies, revisions
from confirm_api.store.vault import Erased
from confirm_api.unit import Unit


@dataclass(frozen=True)
class Answer:
    """One answer of the citizen about this item."""

    at: int
    attempt: int
    kind: str  # reply, late, revision
    verdict: str
    challenge_response: str | None
    corrections: list[tuple[str, str]]


@dataclass(frozen=True)
class Candidate:
    """Another person who was to be asked about the same item."""

    rank: int
    state: str
    verdict: str | None
    evidence_level: str
    citizen_id: str | None


@dataclass(frozen=True)
class Attachment:
    """A file that the citizen gave; its bytes lie with the identity provider under the hash."""

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Option:
    """A decision that may be taken, and what it does."""

    action: str
    label: str
    consequence: str


@dataclass
class CaseFile:
    """Everything on the page of a case."""

    case: Case
    citizen_id: str | None
    binding_message: str | None = None
    question_id: str | None = None
    item_state: str | None = None
    evidence_level: str | None = None
    wrong: int = 0
    parcels: list[list[tuple[str, str]]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    corrections: list[tuple[str, str]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    votes: list[Cast] = field(default_factory=list)
    round: int = 0
    options: list[Option] = field(default_factory=list)
    needs_two: bool = False
    own_vote: str | None = None


def read(unit: Unit, actor: Actor, no: int) -> CaseFile:
    """The case file; the look is a leaf."""
    case = look(unit, actor, no)
    file = CaseFile(case, _citizen(unit, case.handle))
    _add_question(unit, file)
    _add_declaration(unit, file)
    _add_contents(file)
    file.votes = votes_of(unit, case)
    file.round = round_of(unit, no)
    file.needs_two = rules.needs_two(case.kind, file.round)
    file.options = [] if case.state == "decided" else options(case.kind)
    file.own_vote = _own_vote(actor, file)
    return file


def options(kind: str) -> list[Option]:
    """What may be decided in a case of this kind."""
    return [
        Option(action, wording.ACTIONS[action], wording.consequence(kind, action)) for action in rules.ACTIONS[kind]
    ]


def facts_of(parcel: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the register says, labelled, without what it does not say.

    >>> facts_of({"area_m2": 120.0, "role": "co_owner", "hamlet": None})
    [('Diện tích (m²)', '120'), ('Vai trò', 'người đồng sử dụng')]
    """
    return [
        (label, _shown(name, parcel[name])) for name, label in wording.FACTS.items() if parcel.get(name) is not None
    ]


def _shown(name: str, value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}".replace(".", ",")
    return wording.label(wording.PARCEL_ROLES, value) if name == "role" and isinstance(value, str) else str(value)


# ---- of a question -------------------------------------------------------------------------------------------------


def _add_question(unit: Unit, file: CaseFile) -> None:
    case = file.case
    if case.question_no is None:
        return
    question = unit.conn.execute(select(questions).where(questions.c.no == case.question_no)).one()
    file.question_id, file.binding_message = question.question_id, question.binding_message
    file.answers = _answers(unit, case)
    rows = _items(unit, case)
    file.parcels = [facts for row in rows if (facts := facts_of(_posted(unit, case, row)))]
    if case.item_id is None or not rows:
        return
    file.item_state, file.evidence_level, file.wrong = rows[0].state, rows[0].evidence_level, rows[0].wrong
    file.candidates = _candidates(unit, case)


def _posted(unit: Unit, case: Case, row: Row[Any]) -> Mapping[str, Any]:
    """The parcel as the engine posted it."""
    return open_or_none(unit, case.handle, contexts.item(row.question_no, row.item_id), row.box) or {}


def _items(unit: Unit, case: Case) -> list[Any]:
    """The item of the case, or all items of its question where the case is about the question as a whole."""
    mine = select(items).where(items.c.question_no == case.question_no).order_by(items.c.place)
    chosen = mine if case.item_id is None else mine.where(items.c.item_id == case.item_id)
    return list(unit.conn.execute(chosen).all())


def _candidates(unit: Unit, case: Case) -> list[Candidate]:
    others = and_(items.c.item_id == case.item_id, items.c.question_no != case.question_no)
    rows = unit.conn.execute(
        select(items, questions.c.handle)
        .join(questions, questions.c.no == items.c.question_no)
        .where(others)
        .order_by(items.c.rank, items.c.question_no)
    ).all()
    named = case.kind == "dispute"
    return [
        Candidate(row.rank, row.state, row.verdict, row.evidence_level, _citizen(unit, row.handle) if named else None)
        for row in rows
    ]


def _answers(unit: Unit, case: Case) -> list[Answer]:
    replied = select(replies, attempts.c.attempt).join(attempts, attempts.c.no == replies.c.attempt_no)
    revised = select(revisions, attempts.c.attempt).join(attempts, attempts.c.no == revisions.c.attempt_no)
    mine = attempts.c.question_no == case.question_no
    said = unit.conn.execute(replied.where(mine)).all()
    taken_back = unit.conn.execute(revised.where(mine)).all()
    found = [
        *_read_answers(unit, case, said, lambda row: contexts.reply(row.attempt_no)),
        *_read_answers(unit, case, taken_back, lambda row: contexts.revision(row.attempt_no, row.answered_at)),
    ]
    return sorted(found, key=lambda answer: answer.at)


def _read_answers(unit: Unit, case: Case, rows: Iterable[Row[Any]], context: Any) -> list[Answer]:
    return [
        Answer(
            row.answered_at,
            row.attempt,
            _kind(row),
            told["verdict"],
            told.get("challenge_response"),
            _corrections(told.get("corrections", ())),
        )
        for row in rows
        for told in (open_or_none(unit, case.handle, context(row), row.box) or {}).get("answers", ())
        if case.item_id in {None, told["item_id"]}
    ]


def _kind(row: Row[Any]) -> str:
    late = getattr(row, "late", None)
    return "revision" if late is None else "late" if late else "reply"


def _corrections(told: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(wording.label(wording.CORRECTIONS, one["field"]), str(one["value"])) for one in told]


# ---- of anything else ----------------------------------------------------------------------------------------------


def _add_declaration(unit: Unit, file: CaseFile) -> None:
    case = file.case
    if case.declaration_id is None:
        return
    row = unit.conn.execute(select(declarations).where(declarations.c.declaration_id == case.declaration_id)).first()
    told = None if row is None else open_or_none(unit, row.handle, contexts.declaration(case.declaration_id), row.box)
    if told is None:
        return
    behalf = told.get("on_behalf_of")
    paper = {"certificate_serial": told.get("certificate_serial"), "address": told.get("parcel_address")}
    stands_in = [("Khai thay cho", behalf["name"]), ("Lý do khai thay", behalf["reason"])] if behalf else []
    file.parcels = [[*facts_of(paper), *stands_in]]
    file.attachments = [
        Attachment(one["name"], one["media_type"], one["size"], one["sha256"]) for one in told.get("attachments", ())
    ]


def _add_contents(file: CaseFile) -> None:
    """What was sealed with the case itself: corrections, or a review link of a run."""
    for entry in file.case.contents:
        file.corrections += _corrections(entry.get("corrections", ()))
        if file.case.kind == "review":
            file.parcels = [facts_of({**entry.get("parcel", {}), **entry})]


def _citizen(unit: Unit, handle: str | None) -> str | None:
    if handle is None:
        return None
    try:
        return unit.vault.citizen_of(handle)
    except Erased:
        return None


def _own_vote(actor: Actor, file: CaseFile) -> str | None:
    own = [
        vote.action
        for vote in file.votes
        if vote.officer == actor.name and vote.round == file.round and vote.action not in rules.NO_VOTE
    ]
    return own[-1] if own else None
