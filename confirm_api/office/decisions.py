"""Decisions of officers: votes, the end of a case, reopening.

Rules
- Who may decide what, and when a case is decided, is said in `rules`; here it is done, in one transaction with its
  leaf: event `officer`, outcome `accepted`, reason `vote-<action>`, `decided-<action>` or `reopened`.
- The reason in the officer's words is sealed under the citizen's key; the log holds a code only.
- Any item that has ended may be disputed by one officer with a reason: that opens a case which ends by two.
- The end of a case takes effect through `effects`; other undecided cases about the same parcel that it makes idle end
  with it (`follows`).
- A decided case is reopened by one officer with a reason, and with it the cases that ended by it; they then end by two.

Example: `decide(unit, actor, 12, "confirm", "Đã xem bản gốc giấy chứng nhận")` gives `Decided("decided", "confirm")`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select, update

from confirm_api.office import effects, rules
from confirm_api.office.cases import UNDECIDED, Case, case_of, open_or_none, question_id_of, take
from confirm_api.office.refusals import StateError, UnknownItemError
from confirm_api.office.rules import Actor, Vote
from confirm_api.question import DISPUTED, ENDS
from confirm_api.service import locks
from confirm_api.store.tables import cases, items, officers, questions, votes
from confirm_api.store.vault import Erased
from confirm_api.unit import Unit

_ABOUT_AN_ITEM = ("dispute", "failed_challenge", "unproven", "unsure", "revision")


@dataclass(frozen=True)
class Decided:
    """Where a case stands after a vote."""

    state: str
    outcome: str | None


@dataclass(frozen=True)
class Cast:
    """A vote as the pages show it; `reason` is null where the citizen was erased."""

    officer: str
    action: str
    at: int
    round: int
    reason: str | None


def decide(unit: Unit, actor: Actor, no: int, action: str, reason: str) -> Decided:
    """Vote for `action`; where that is enough, the case ends and the action takes effect."""
    case = _locked(unit, actor, no)
    rules.check_decision(actor, case.kind, action, reason)
    if case.state == "decided":
        raise StateError
    round_ = round_of(unit, no)
    _vote(unit, actor, case, action, reason, round_)
    outcome = rules.agreed(case.kind, round_, _standing_votes(unit, no, round_))
    if outcome is None:
        return _wait(unit, case, action)
    return _end(unit, case, outcome)


def reopen(unit: Unit, actor: Actor, no: int, reason: str) -> None:
    """Open a decided case again, with a reason; what followed from the decision is undone."""
    case = _locked(unit, actor, no)
    rules.check_reader(actor)
    rules.check_reason(reason)
    if case.state != "decided":
        raise StateError("Hồ sơ chưa được quyết định nên không cần mở lại; hãy quyết định trong hồ sơ.")
    for one in (case, *_followers_of(unit, case)):
        _vote(unit, actor, one, "reopen", reason, round_of(unit, one.no) + 1)
        _set(unit, cases.c.no == one.no, state="open", outcome=None, decided_at=None)
        _leaf(unit, one, "reopened")
    effects.undo(unit, case)  # after the cases are open again: what lies with the office finds its case


def open_dispute(unit: Unit, actor: Actor, question_id: str, item_id: str, reason: str) -> int:
    """Dispute an item that has ended, whatever its end was; the number of its case, which ends by two officers."""
    rules.check_reader(actor)
    rules.check_reason(reason)
    row = _item_of(unit, question_id, item_id)
    if row is None:
        raise UnknownItemError
    rules.check_reach(actor, row.commune)
    locks.lock(unit.conn, [row.handle], [item_id])
    if _item_of(unit, question_id, item_id).state not in ENDS - {DISPUTED}:
        raise StateError("Câu hỏi về thửa đất này chưa kết thúc hoặc đang tranh chấp; hãy xem hồ sơ của nó.")
    mine = and_(cases.c.question_no == row.question_no, cases.c.item_id == item_id, cases.c.state.in_(UNDECIDED))
    idle = and_(mine, cases.c.kind.in_(_ABOUT_AN_ITEM))
    _set(unit, idle, state="decided", outcome="follows", decided_at=unit.now)
    effects.dispute(unit, row.question_no, item_id)
    no = unit.conn.execute(select(cases.c.no).where(mine, cases.c.kind == "dispute")).scalar_one()
    case = take(unit, actor, no)
    _vote(unit, actor, case, "dispute", reason, round_of(unit, no))
    _leaf(unit, case, "dispute-opened")
    return case.no


def votes_of(unit: Unit, case: Case) -> list[Cast]:
    """Every vote of the case with its reason, oldest first."""
    rows = unit.conn.execute(select(votes).where(votes.c.case_no == case.no).order_by(votes.c.no)).all()
    return [
        Cast(row.officer, row.action, row.at, row.round, open_or_none(unit, case.handle, _context(row.no), row.box))
        for row in rows
    ]


def round_of(unit: Unit, no: int) -> int:
    """How often the case was reopened."""
    return unit.conn.execute(select(func.max(votes.c.round)).where(votes.c.case_no == no)).scalar() or 0


def _locked(unit: Unit, actor: Actor, no: int) -> Case:
    """The case under the locks of its citizen and item, as the service takes them, and then its own."""
    seen = take(unit, actor, no)
    locks.lock(unit.conn, [seen.handle] if seen.handle else [], [seen.item_id] if seen.item_id else [])
    unit.conn.execute(select(cases.c.no).where(cases.c.no == no).with_for_update())
    return take(unit, actor, no)


def _vote(unit: Unit, actor: Actor, case: Case, action: str, reason: str, round_: int) -> None:
    values = {"case_no": case.no, "officer": actor.name, "action": action, "at": unit.now, "round": round_}
    no = unit.conn.execute(insert(votes).values(values).returning(votes.c.no)).scalar_one()
    with suppress(Erased):  # a case whose citizen was erased can still be ended; its reason has no key
        if case.handle is not None:
            box = unit.vault.seal(case.handle, _context(no), reason.strip())
            unit.conn.execute(update(votes).where(votes.c.no == no).values(box=box))


def _context(no: int) -> str:
    return f"votes/{no}/box"


def _standing_votes(unit: Unit, no: int, round_: int) -> Sequence[Vote]:
    """Votes of this round by officers who are still active, in the order they were cast."""
    mine = and_(votes.c.case_no == no, votes.c.round == round_, votes.c.action.not_in(rules.NO_VOTE))
    rows = unit.conn.execute(
        select(votes.c.officer, officers.c.role, votes.c.action)
        .join(officers, officers.c.name == votes.c.officer)
        .where(mine, officers.c.active)
        .order_by(votes.c.no)
    ).all()
    return [Vote(*row) for row in rows]


def _wait(unit: Unit, case: Case, action: str) -> Decided:
    _set(unit, cases.c.no == case.no, state="first_vote")
    _leaf(unit, case, f"vote-{action}")
    return Decided("first_vote", None)


def _end(unit: Unit, case: Case, outcome: str) -> Decided:
    _set(unit, cases.c.no == case.no, state="decided", outcome=outcome, decided_at=unit.now)
    _leaf(unit, case, f"decided-{outcome}")
    effects.apply(unit, case, outcome)
    _end_followers(unit, case, outcome)
    return Decided("decided", outcome)


def _end_followers(unit: Unit, case: Case, outcome: str) -> None:
    """End the cases that this decision makes idle: of this item, and of all candidates where it names its owner."""
    if case.item_id is None or case.question_no is None or outcome not in {"confirm", "reject", "nobody"}:
        return
    idle: list[ColumnElement[bool]] = [
        cases.c.item_id == case.item_id,
        cases.c.kind.in_(_ABOUT_AN_ITEM),
        cases.c.state.in_(UNDECIDED),
    ]
    if outcome == "reject":
        idle.append(cases.c.question_no == case.question_no)
    rows = unit.conn.execute(select(cases.c.no, cases.c.question_no).where(*idle)).all()
    for row in rows:
        _set(unit, cases.c.no == row.no, state="decided", outcome="follows", decided_at=unit.now)
        unit.leaf("officer", "accepted", question_id=question_id_of(unit, row.question_no), reason="decided-follows")


def _followers_of(unit: Unit, case: Case) -> list[Case]:
    """The cases that ended together with this one."""
    if case.item_id is None or case.question_no is None:
        return []
    ended = select(cases).where(
        cases.c.item_id == case.item_id,
        cases.c.no != case.no,
        cases.c.outcome == "follows",
        cases.c.decided_at == case.decided_at,
    )
    return [case_of(row) for row in unit.conn.execute(ended).all()]


def _item_of(unit: Unit, question_id: str, item_id: str) -> Any:
    return unit.conn.execute(
        select(items.c.question_no, items.c.state, items.c.commune, questions.c.handle)
        .join(questions, questions.c.no == items.c.question_no)
        .where(questions.c.question_id == question_id, items.c.item_id == item_id)
    ).first()


def _set(unit: Unit, which: ColumnElement[bool], **values: object) -> None:
    unit.conn.execute(update(cases).where(which).values(values))


def _leaf(unit: Unit, case: Case, reason: str) -> None:
    unit.leaf("officer", "accepted", question_id=question_id_of(unit, case.question_no), reason=reason)
