"""Cases: whatever waits for an officer.

Rules
- A case is opened by the service, never by an officer; the same matter (kind, question, item, declaration) has one case
  while it is undecided: what comes later is added to it.
- What an officer needs beyond the item lies in the case's box, sealed under the citizen's key and bound to the row.
- Opening a case is a leaf `state` with reason `case-<kind>`, in the transaction of its effect.

Example: `open_case(unit, "unproven", handle=handle, question_no=7, item_id=item_id)` gives the number of the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, insert, select, update

from confirm_api.store.tables import cases, items, questions
from confirm_api.unit import Unit

KINDS: Final = (
    "suspected_fraud",
    "dispute",
    "failed_challenge",
    "unproven",
    "unsure",
    "revision",
    "correction",
    "declaration",
    "review",
)
"""In the order in which an officer should look at them."""

UNDECIDED: Final = ("open", "first_vote")


def open_case(  # noqa: PLR0913 - a case has as many relations as its row
    unit: Unit,
    kind: str,
    *,
    handle: str | None,
    question_no: int | None = None,
    item_id: str | None = None,
    declaration_id: str | None = None,
    commune: str | None = None,
    content: Mapping[str, Any] | None = None,
) -> int:
    """Open a case, or add `content` to the undecided one of the same matter; its number.

    Without `commune` the item's own is taken. Without any of question, item and declaration each call is a new case.
    """
    if kind not in KINDS:
        msg = f"kind of a case: expected one of {', '.join(KINDS)}, found {kind!r}"
        raise ValueError(msg)
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


def contents_of(unit: Unit, no: int, handle: str | None, box: bytes | None) -> list[dict[str, Any]]:
    """What was said with the case, oldest first; empty where nothing was, or where the citizen was erased."""
    if box is None or handle is None:
        return []
    return list(unit.vault.open(handle, context(no), box)["entries"])


def context(no: int) -> str:
    """What binds a case's box to its row."""
    return f"cases/{no}"


def question_id_of(unit: Unit, question_no: int | None) -> str | None:
    """The public id of a question, for the log; null where the case has none."""
    if question_no is None:
        return None
    return unit.conn.execute(select(questions.c.question_id).where(questions.c.no == question_no)).scalar_one()


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


def _add(unit: Unit, no: int, handle: str | None, content: Mapping[str, Any] | None) -> None:
    if content is None:
        return
    if handle is None:
        msg = "content of a case: expected a citizen's handle to seal it under, found none"
        raise ValueError(msg)
    box = unit.conn.execute(select(cases.c.box).where(cases.c.no == no)).scalar_one()
    entries = contents_of(unit, no, handle, box)
    if dict(content) in entries:
        return
    sealed = unit.vault.seal(handle, context(no), {"entries": [*entries, dict(content)]})
    unit.conn.execute(update(cases).where(cases.c.no == no).values(box=sealed))


def _commune_of(unit: Unit, question_no: int | None, item_id: str | None) -> str | None:
    if question_no is None or item_id is None:
        return None
    found = unit.conn.execute(
        select(items.c.commune).where(items.c.question_no == question_no, items.c.item_id == item_id)
    ).first()
    return None if found is None else found.commune
