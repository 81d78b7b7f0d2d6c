"""Cases: whatever waits for an officer.

Rules
- A case is opened by the service, never by an officer; the same matter (kind, question, item, declaration) has one case
  while it is undecided: what comes later is added to it.
- What an officer needs beyond the item lies in the case's box, sealed under the citizen's key and bound to the row.
- Opening a case is a leaf `state` with reason `case-<kind>`; every look is a leaf `officer` (`look-list`, `look-case`),
  both in the transaction of their effect.
- A list holds no personal text: number, kind, commune, age. That is all an auditor sees.
- A case outside the officer's commune is neither listed nor counted nor shown.

Example: `open_case(unit, "unproven", handle=handle, question_no=7, item_id=item_id)` gives the number of the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, false, func, insert, select, update

from confirm_api.errors import OfficeError
from confirm_api.office import rules
from confirm_api.office.refusals import UnknownCaseError
from confirm_api.office.rules import Actor
from confirm_api.store.tables import cases, items, questions, votes
from confirm_api.store.vault import Erased
from confirm_api.unit import Unit

UNDECIDED: Final = ("open", "first_vote")
PAGE: Final = 50
"""Cases on a page of the list."""


@dataclass(frozen=True)
class Listed:
    """One line of the list; nothing personal."""

    no: int
    kind: str
    state: str
    commune: str | None
    opened_at: int
    outcome: str | None
    binding_message: str | None


@dataclass(frozen=True)
class Filter:
    """Which cases to list; nulls do not limit."""

    kind: str | None = None
    commune: str | None = None
    states: tuple[str, ...] = UNDECIDED
    older_than_days: int | None = None
    after: int | None = None
    limit: int = PAGE


@dataclass(frozen=True)
class Found:
    """One page of the list; `next` is the number after which the following page begins, null at the end."""

    rows: list[Listed]
    next: int | None


@dataclass
class Case:
    """One case as its row tells it."""

    no: int
    kind: str
    state: str
    handle: str | None
    question_no: int | None
    item_id: str | None
    declaration_id: str | None
    commune: str | None
    opened_at: int
    decided_at: int | None
    outcome: str | None
    contents: list[dict[str, Any]] = field(default_factory=list)


# ---- opening -------------------------------------------------------------------------------------------------------


def open_case(  # noqa: PLR0913 - a case has as many relations as its row
    unit: Unit,
    kind: str,
    *,
    handle: str,
    question_no: int | None = None,
    item_id: str | None = None,
    declaration_id: str | None = None,
    commune: str | None = None,
    content: Mapping[str, Any] | None = None,
) -> int:
    """Open a case, or add `content` to the undecided one of the same matter; its number.

    Without `commune` the item's own is taken. Without any of question, item and declaration each call is a new case.
    """
    if kind not in rules.KINDS:
        raise ValueError(f"kind of a case: expected one of {', '.join(rules.KINDS)}, found {kind!r}")
    known = _undecided(unit, kind, question_no, item_id, declaration_id)
    if known is not None:
        _add(unit, known, handle, content)
        return known
    values = {
        "kind": kind,
        "state": "open",
        "handle": handle,
        "question_no": question_no,
        "item_id": item_id,
        "declaration_id": declaration_id,
        "commune": commune or _commune_of(unit, question_no, item_id),
        "opened_at": unit.now,
    }
    no = int(unit.conn.execute(insert(cases).values(values).returning(cases.c.no)).scalar_one())
    _add(unit, no, handle, content)
    reason = "case-" + kind.replace("_", "-")
    unit.leaf("state", "accepted", question_id=question_id_of(unit, question_no), reason=reason)
    return no


def context(no: int) -> str:
    """What binds a case's box to its row."""
    return f"cases/{no}/box"


def question_id_of(unit: Unit, question_no: int | None) -> str | None:
    """The public id of a question, for the log; null where the case has none."""
    if question_no is None:
        return None
    return str(unit.conn.execute(select(questions.c.question_id).where(questions.c.no == question_no)).scalar_one())


def _undecided(
    unit: Unit, kind: str, question_no: int | None, item_id: str | None, declaration_id: str | None
) -> int | None:
    if question_no is None and item_id is None and declaration_id is None:
        return None
    same: list[ColumnElement[bool]] = [
        cases.c.kind == kind,
        cases.c.question_no == question_no,
        cases.c.item_id == item_id,
        cases.c.declaration_id == declaration_id,
        cases.c.state.in_(UNDECIDED),
    ]
    found = unit.conn.execute(select(cases.c.no).where(*same).order_by(cases.c.no)).first()
    return None if found is None else int(found.no)


def _add(unit: Unit, no: int, handle: str, content: Mapping[str, Any] | None) -> None:
    if content is None:
        return
    box = unit.conn.execute(select(cases.c.box).where(cases.c.no == no)).scalar_one()
    entries = contents_of(unit, no, handle, box)
    if dict(content) in entries:
        return
    sealed = unit.vault.seal(handle, context(no), {"entries": [*entries, dict(content)]})
    unit.conn.execute(update(cases).where(cases.c.no == no).values(box=sealed))


def _commune_of(unit: Unit, question_no: int | None, item_id: str | None) -> str | None:
    if question_no is None or item_id is None:
        return None
    same = and_(items.c.question_no == question_no, items.c.item_id == item_id)
    return unit.conn.execute(select(items.c.commune).where(same)).scalar()


# ---- looking -------------------------------------------------------------------------------------------------------


def find(unit: Unit, actor: Actor, wanted: Filter) -> Found:
    """One page of the cases that the officer may see, oldest first; the look is a leaf."""
    unit.leaf("officer", "accepted", reason="look-list")
    table = cases.outerjoin(questions, cases.c.question_no == questions.c.no)
    columns = [cases.c[name] for name in ("no", "kind", "state", "commune", "opened_at", "outcome")]
    rows = unit.conn.execute(
        select(*columns, questions.c.binding_message)
        .select_from(table)
        .where(*_conditions(unit, actor, wanted))
        .order_by(cases.c.no)
        .limit(wanted.limit + 1)
    ).all()
    listed = [_listed(row) for row in rows[: wanted.limit]]
    return Found(listed, listed[-1].no if len(rows) > wanted.limit else None)


def counts(unit: Unit, actor: Actor) -> dict[str, dict[str, int]]:
    """How many cases of each kind wait in each state, of those within the officer's reach; all kinds are named."""
    rows = unit.conn.execute(
        select(cases.c.kind, cases.c.state, func.count())
        .where(_within(unit, actor, None))
        .group_by(cases.c.kind, cases.c.state)
    ).all()
    found: dict[str, dict[str, int]] = {kind: {} for kind in rules.KINDS}
    for kind, state, number in rows:
        found.setdefault(kind, {})[state] = number
    return found


def communes(unit: Unit, actor: Actor) -> list[str]:
    """The communes of undecided cases within the officer's reach, for the filter of the list."""
    return sorted(commune for commune in _spellings(unit, actor) if commune is not None)


def next_case(unit: Unit, actor: Actor, *, kind: str | None, after: int) -> int | None:
    """The oldest case after this one that still waits for this officer; then from the start; null: none is left."""
    voted = exists().where(
        votes.c.case_no == cases.c.no,
        votes.c.officer == actor.name,
        votes.c.action.not_in(rules.NO_VOTE),
        votes.c.round == _round_column(),
    )
    waiting = and_(*_conditions(unit, actor, Filter(kind=kind)), ~voted, cases.c.no != after)
    wrapped = func.coalesce(func.min(cases.c.no).filter(cases.c.no > after), func.min(cases.c.no))
    return unit.conn.execute(select(wrapped).where(waiting)).scalar()


def take(unit: Unit, actor: Actor, no: int) -> Case:
    """The case, if it exists and is within the officer's reach; not a look (no leaf, no box opened)."""
    row = _row(unit, no)
    if row is None:
        raise UnknownCaseError
    rules.check_reach(actor, row.commune)
    return case_of(row)


def case_of(row: Any) -> Case:
    """A case from its row."""
    return Case(
        row.no,
        row.kind,
        row.state,
        row.handle,
        row.question_no,
        row.item_id,
        row.declaration_id,
        row.commune,
        row.opened_at,
        row.decided_at,
        row.outcome,
    )


def look(unit: Unit, actor: Actor, no: int) -> Case:
    """The case with what was said in it; the look is a leaf."""
    rules.check_reader(actor)
    case = take(unit, actor, no)
    unit.leaf("officer", "accepted", question_id=question_id_of(unit, case.question_no), reason="look-case")
    box = unit.conn.execute(select(cases.c.box).where(cases.c.no == no)).scalar()
    case.contents = contents_of(unit, no, case.handle, box)
    return case


def note_refusal(unit: Unit, refusal: OfficeError, no: int | None) -> None:
    """Log what an officer was refused; in a transaction of its own, since the refused one is undone."""
    row = None if no is None else _row(unit, no)
    subject = None if row is None else question_id_of(unit, row.question_no)
    unit.leaf("officer", "refused", question_id=subject, reason=refusal.code)


def contents_of(unit: Unit, no: int, handle: str | None, box: bytes | None) -> list[dict[str, Any]]:
    """What was said with the case, oldest first; empty where nothing was, or where the citizen was erased."""
    opened = open_or_none(unit, handle, context(no), box)
    return [] if opened is None else list(opened["entries"])


def open_or_none(unit: Unit, handle: str | None, place: str, box: bytes | None) -> Any:
    """What a box holds; null where there is none, or where the citizen's key was erased."""
    if box is None or handle is None:
        return None
    try:
        return unit.vault.open(handle, place, box)
    except Erased:
        return None


def _round_column() -> Any:
    """How often the case was reopened: a reopening is the first vote of its round."""
    inner = votes.alias("rounds")
    return select(func.coalesce(func.max(inner.c.round), 0)).where(inner.c.case_no == cases.c.no).scalar_subquery()


def _listed(row: Any) -> Listed:
    return Listed(row.no, row.kind, row.state, row.commune, row.opened_at, row.outcome, row.binding_message)


def _row(unit: Unit, no: int) -> Row[Any] | None:
    return unit.conn.execute(select(cases).where(cases.c.no == no)).first()


def _conditions(unit: Unit, actor: Actor, wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [cases.c.state.in_(wanted.states), _within(unit, actor, wanted.commune)]
    if wanted.kind is not None:
        found.append(cases.c.kind == wanted.kind)
    if wanted.older_than_days is not None:
        found.append(cases.c.opened_at <= unit.now - wanted.older_than_days * 86_400)
    if wanted.after is not None:
        found.append(cases.c.no > wanted.after)
    return found


def _within(unit: Unit, actor: Actor, commune: str | None) -> ColumnElement[bool]:
    """Cases within the officer's reach, and of `commune` where one is asked for."""
    if actor.commune is None and commune is None:
        return cases.c.no.is_not(None)
    asked = Actor(actor.name, actor.role, commune)
    spellings = rules.reachable(asked, _spellings(unit, actor))
    named = [spelling for spelling in spellings if spelling is not None]
    return cases.c.commune.in_(named) if named else false()


def _spellings(unit: Unit, actor: Actor) -> list[str | None]:
    rows = unit.conn.execute(select(cases.c.commune).distinct()).scalars()
    return rules.reachable(actor, rows)
