"""Dead letters: what they are, and what follows when an operator sends one again (protocol §5).

Rules
- A dead landask made its question `undeliverable` and let the next candidates go first. Sent again, its items wait
  anew: behind whoever is being asked by now, or ending as `withdrawn` where somebody else has the item for good. What
  is left is asked as soon as the citizen has no other open question, in the same attempt where it is the same ask, so
  that a provider which had taken it after all shows one request.
- After the question's time, and where the citizen or officers have changed its end meanwhile, there is nothing to send.
- A dead landcancel is simply sent again.
- Sending again is no new ask of the three in 90 days. It is a leaf: `revived`.

Example: `revive(unit, 17)` is `"waiting"` once delivery 17 is under way again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from confirm_api import question as life
from confirm_api.errors import ServiceError
from confirm_api.service.rows import any_of
from confirm_api.service.world import LANDASK, World
from confirm_api.store.tables import attempts, deliveries, questions
from confirm_api.unit import Unit


class NotRevivedError(ServiceError):
    """A message that cannot be sent again."""

    code = "not-revived"


@dataclass(frozen=True)
class Letter:
    """One message of the outbox, without anything personal."""

    no: int
    typ: str
    state: str
    question_id: str
    attempt: int
    tries: int
    due_at: int
    outcome: str | None
    created_at: int


def letters(unit: Unit, states: list[str], most: int) -> list[Letter]:
    """Messages in these states, oldest first."""
    return [Letter(*row) for row in unit.conn.execute(_LETTERS, {"states": states, "most": most})]


def revive(unit: Unit, no: int) -> str:
    """Send a dead letter again; the state of the message after that."""
    row = unit.conn.execute(_LETTER, {"no": no}).first()
    if row is None or row.state != "dead":
        raise NotRevivedError(f"delivery {no}: expected a dead letter, found none; `quychu outbox list` shows them.")
    if row.typ == LANDASK:
        _revive_ask(unit, row)
    else:
        unit.conn.execute(_AGAIN, {"b_no": no, "now": unit.now})
        unit.leaf("state", "accepted", question_id=row.question_id, reason="revived")
    return str(unit.conn.execute(_LETTER, {"no": no}).one().state)


def _revive_ask(unit: Unit, row: Any) -> None:
    world = World.load(unit, nos=[row.question_no])
    question = world.of(row.question_no)
    if question.expires_at <= unit.now:
        raise NotRevivedError(f"delivery {row.no}: its question's time is over; post a new question.")
    revived = life.revive(question)
    if question.dead is None or question.dead.number != row.attempt or revived == question:
        raise NotRevivedError(f"delivery {row.no}: its question has come to another end; there is nothing to send.")
    unit.conn.execute(_REPLACED, {"b_no": row.no})
    world.change(row.question_no, revived)
    for item in revived.items:
        if item.is_open and _is_taken(world, row.question_no, item.item_id):
            world.change(row.question_no, life.supersede(world.of(row.question_no), item.item_id))
    world.finish()


def _is_taken(world: World, no: int, item_id: str) -> bool:
    """Whether another candidate came to have the item while the letter was dead, of whatever rank."""
    return any(world.of(other).item(item_id).takes for other in world.candidates(item_id) if other != no)


_columns = (
    deliveries.c.no,
    deliveries.c.typ,
    deliveries.c.state,
    questions.c.question_id,
    attempts.c.attempt,
    deliveries.c.tries,
    deliveries.c.due_at,
    deliveries.c.outcome,
    deliveries.c.created_at,
)
_joined = deliveries.join(attempts, deliveries.c.attempt_no == attempts.c.no).join(
    questions, attempts.c.question_no == questions.c.no
)
_LETTERS = (
    select(*_columns)
    .select_from(_joined)
    .where(any_of(deliveries.c.state, "states"))
    .order_by(deliveries.c.no)
    .limit(bindparam("most"))
)
_LETTER = select(*_columns, attempts.c.question_no).select_from(_joined).where(deliveries.c.no == bindparam("no"))
_of_letter = deliveries.c.no == bindparam("b_no")
_AGAIN = (
    update(deliveries)
    .where(_of_letter)
    .values(state="waiting", tries=0, due_at=bindparam("now"), claimed_until=0, outcome="replayed")
)
_REPLACED = update(deliveries).where(_of_letter).values(state="dropped", outcome="replayed")
