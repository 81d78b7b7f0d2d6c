"""A question by the code that citizen and officer both see: for the citizen who stands at the counter.

Rules
- Found are the items within the officer's reach; nothing of the others, not even that they are there.
- Every question found is a look with its leaf (`look-question`); so is a search that finds nothing (`look-nothing`).
- What may be disputed is said by `may_be_disputed`; the dispute itself is opened by `decisions.open_dispute`.

>>> spelled(" k7mf 2qxr"), spelled("K7MF-2QX"), spelled("K7MF-2QX0")
('K7MF-2QXR', None, None)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, select

from confirm_api.office import rules
from confirm_api.office.cases import UNDECIDED
from confirm_api.office.rules import Actor
from confirm_api.question import DISPUTED, ENDS
from confirm_api.store.tables import cases, items, questions
from confirm_api.unit import Unit

_CODE: Final = re.compile(r"([A-HJ-NP-Z2-9]{4})([A-HJ-NP-Z2-9]{4})")


@dataclass(frozen=True)
class Place:
    """One item of the question, without what the register says: that stands in its case."""

    question_id: str
    item_id: str
    state: str
    verdict: str | None
    evidence_level: str
    commune: str | None
    answered_at: int | None
    case_no: int | None  # the undecided one

    @property
    def may_be_disputed(self) -> bool:
        """Has it ended, other than in a dispute?"""
        return self.state in ENDS and self.state != DISPUTED


def spelled(code: str) -> str | None:
    """A code as it is stored, from how it is typed; null where it is none."""
    found = _CODE.fullmatch(re.sub(r"[\s-]+", "", code).upper())
    return None if found is None else f"{found[1]}-{found[2]}"


def by_code(unit: Unit, actor: Actor, code: str) -> list[Place]:
    """The items of the question with this code; the look is a leaf."""
    rules.check_reader(actor)
    wanted = spelled(code)
    found = [] if wanted is None else _places(unit, actor, wanted)
    for question_id in {place.question_id for place in found}:
        unit.leaf("officer", "accepted", question_id=question_id, reason="look-question")
    if not found:
        unit.leaf("officer", "accepted", reason="look-nothing")
    return found


def _places(unit: Unit, actor: Actor, code: str) -> list[Place]:
    waiting = and_(
        cases.c.question_no == items.c.question_no, cases.c.item_id == items.c.item_id, cases.c.state.in_(UNDECIDED)
    )
    case_no = select(cases.c.no).where(waiting).order_by(cases.c.no).limit(1).scalar_subquery()
    rows = unit.conn.execute(
        select(questions.c.question_id, items, case_no.label("case_no"))
        .join(items, items.c.question_no == questions.c.no)
        .where(questions.c.binding_message == code)
        .order_by(questions.c.no, items.c.place)
    ).all()
    return [
        Place(
            row.question_id,
            row.item_id,
            row.state,
            row.verdict,
            row.evidence_level,
            row.commune,
            row.answered_at,
            row.case_no,
        )
        for row in rows
        if rules.in_reach(actor, row.commune)
    ]
