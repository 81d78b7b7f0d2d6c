"""What passes with time: questions whose days are over, citizens who may not be asked any more (protocol §4).

Rules
- A question with a request open at the provider is fetched once more after its time, and ends with that
  (`confirm_api.service.results`); only where the provider cannot be reached it ends a minute later without.
- Whoever has died, moved abroad or turns out to be a minor is not asked: what waits for them ends as `undeliverable`.

Example: `while expire(unit): …` until nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, exists, select

from confirm_api import outbox
from confirm_api import question as life
from confirm_api.question import Question, Step
from confirm_api.service.world import World
from confirm_api.store.tables import attempts, people, questions
from confirm_api.unit import Unit

MOST = 200
"""Questions in one transaction."""


def expire(unit: Unit) -> int:
    """End questions whose time is over, and those of people who may not be asked; how many."""
    over = unit.conn.execute(_OVER, {"now": unit.now, "grace": unit.now - outbox.GRACE_SECONDS}).scalars().all()
    gone = unit.conn.execute(_GONE).scalars().all()
    if not (over or gone):
        return 0
    world = World.load(unit, nos={*over, *gone})
    for no in over:
        _end(world, no, life.expire)
    for no in gone:
        _end(world, no, life.never_to_be_asked)
    world.finish()
    return len(set(over) | set(gone))


def is_due(conn: Connection, now: int) -> bool:
    """Whether there is anything for `expire` to do; a look, without a transaction."""
    times = {"now": now, "grace": now - outbox.GRACE_SECONDS}
    return conn.execute(_OVER, times).first() is not None or conn.execute(_GONE).first() is not None


def _end(world: World, no: int, end: Callable[[Question], Step]) -> None:
    question = world.of(no)
    if not question.ended and (end is life.expire or question.attempt is None):
        world.change(no, end(question))


_is_fetched = exists().where(
    attempts.c.question_no == questions.c.no, attempts.c.state == life.OPEN, attempts.c.poll_at.is_not(None)
)
_OVER = (
    select(questions.c.no)
    .where(
        questions.c.state.in_(("created", "sent", "answered")),
        questions.c.expires_at <= bindparam("now"),
        (questions.c.expires_at <= bindparam("grace")) | ~_is_fetched,
    )
    .order_by(questions.c.no)
    .limit(MOST)
)
_is_under_way = exists().where(attempts.c.question_no == questions.c.no, attempts.c.state.not_in(("closed", "dead")))
_GONE = (
    select(questions.c.no)
    .join_from(questions, people, questions.c.handle == people.c.handle)
    .where(questions.c.state.in_(("created", "sent", "answered")), people.c.status != "alive", ~_is_under_way)
    .order_by(questions.c.no)
    .limit(MOST)
)
