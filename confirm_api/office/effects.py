"""What a decision does beyond its case: the one place where the office changes what it does not own.

| kind of case | effect of the end | effect of reopening |
|---|---|---|
| of a question | `service.officer_outcome` with the action | the same with `reopen` |
| declaration | its status becomes `settled` | `queued_for_review` |
| review | `confirm`: the parcel counts for residence | it counts no longer |
| correction | none: a proposal is never applied by the machine | none |
"""

from __future__ import annotations

from sqlalchemy import update

from confirm_api.office import acceptance
from confirm_api.office.cases import Case
from confirm_api.service import officer_outcome
from confirm_api.store.tables import declarations
from confirm_api.unit import Unit


def apply(unit: Unit, case: Case, action: str) -> None:
    """Let the end of a case take effect."""
    if case.kind == "declaration":
        _declaration(unit, case, "settled")
    elif case.kind == "review":
        if action == "confirm":
            acceptance.add_reviewed(unit, case.no)
    elif case.kind != "correction":
        _question(unit, case, action)


def undo(unit: Unit, case: Case) -> None:
    """Take back what followed from the decision of a case that is reopened."""
    if case.kind == "declaration":
        _declaration(unit, case, "queued_for_review")
    elif case.kind == "review":
        acceptance.drop_reviewed(unit, case.no)
    elif case.kind != "correction":
        _question(unit, case, "reopen")


def dispute(unit: Unit, question_no: int, item_id: str) -> None:
    """Open a dispute on an item that has ended; the service opens its case."""
    officer_outcome(unit, question_no, item_id, "dispute")


def _question(unit: Unit, case: Case, action: str) -> None:
    if case.question_no is None:
        return
    officer_outcome(unit, case.question_no, case.item_id, action)


def _declaration(unit: Unit, case: Case, status: str) -> None:
    same = declarations.c.declaration_id == case.declaration_id
    unit.conn.execute(update(declarations).where(same).values(status=status))
