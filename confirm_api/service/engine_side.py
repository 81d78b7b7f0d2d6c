"""What the engine asks beside posting questions: `landwithdraw` and `landcollect` (protocol §3).

Rules
- A question can be withdrawn while it has no reply and no other end; withdrawing twice is `withdrawn` again.
- `landcollect` gives entries in the order in which the sequencer numbered them: the same `after` gives the same entries
  first, and `next` names the last one given. An `after` that we never gave is refused, since entries would be lost.
- Entries of a citizen whose key was erased are left out: nobody can say any more whose they were.
- So many entries are given that the sealed answer stays within the receiver's limit.

Example: `collect(unit, payload, peer).content["next"]` is the next `after`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select

from confirm_api import question as life
from confirm_api.errors import ContentError
from confirm_api.service.answer import UseCaseAnswer
from confirm_api.service.rows import any_of
from confirm_api.service.world import World
from confirm_api.store.tables import feed, questions
from confirm_api.unit import Unit
from exchange.payloads import LandCollect, LandWithdraw
from exchange.sealed.keys import Peer

MOST_ENTRIES = 400
"""An entry has at most 330 bytes, and sealing makes 16 out of 9: 400 fit into a message of 262,144 bytes."""


def withdraw(unit: Unit, payload: LandWithdraw, _peer: Peer) -> UseCaseAnswer:
    """Take questions back."""
    wanted = list(dict.fromkeys(payload.question_ids))
    rows = unit.conn.execute(_BY_ID, {"ids": wanted}).all()
    nos = {row.question_id: row.no for row in rows}
    world = World.load(unit, nos=list(nos.values()))
    lists: dict[str, list[str]] = {"withdrawn": [], "too_late": [], "unknown": []}
    for question_id in wanted:
        lists[_withdrawn(world, nos.get(question_id))].append(question_id)
    changed = any(world.current[no] != world.before[no] for no in nos.values())
    world.finish()
    handles = tuple(sorted({row.handle for row in rows}))
    only = wanted[0] if len(wanted) == 1 else None
    content = {"batch_id": payload.batch_id, **lists}
    return UseCaseAnswer(content, handles, only, "accepted" if changed else "duplicate")


def _withdrawn(world: World, no: int | None) -> str:
    """The list a question stands in, once it is withdrawn."""
    if no is None:
        return "unknown"
    step = life.withdraw(world.of(no))
    if step is None:
        return "too_late"
    world.change(no, step)
    return "withdrawn"


def collect(unit: Unit, payload: LandCollect, _peer: Peer) -> UseCaseAnswer:
    """Give the entries after `after`."""
    after = _position(unit, payload.after)
    rows = unit.conn.execute(_ENTRIES, {"after": after, "most": min(payload.limit, MOST_ENTRIES)}).all()
    handles = {row.handle for row in rows}
    numbers = unit.vault.citizens_of(handles)
    content = {
        "answers": [_entry(row, numbers[row.handle]) for row in rows if row.handle in numbers],
        "next": str(rows[-1].position if rows else after),
    }
    return UseCaseAnswer(content, tuple(sorted(numbers)))


def _position(unit: Unit, after: str | None) -> int:
    """The position that an `after` stands for."""
    if after is None or after == "0":
        return 0
    last: int = unit.conn.execute(_LAST).scalar_one()
    if not (after.isascii() and after.isdecimal() and after[0] != "0" and len(after) <= 18 and int(after) <= last):
        raise ContentError("after: expected null or the next of an earlier answer; ask again with null")
    return int(after)


def _entry(row: Any, citizen_id: str) -> dict[str, Any]:
    return {
        "question_id": row.question_id,
        "item_id": row.item_id,
        "citizen_id": citizen_id,
        "state": row.state,
        "verdict": row.verdict,
        "proven": row.proven,
        "evidence_level": row.evidence_level,
        "answered_at": row.answered_at,
    }


_BY_ID = select(questions.c.no, questions.c.question_id, questions.c.handle).where(
    any_of(questions.c.question_id, "ids")
)
_ENTRIES = (
    select(
        *(column for column in feed.c if column.name not in {"no", "question_no"}),
        questions.c.question_id,
        questions.c.handle,
    )
    .join_from(feed, questions, feed.c.question_no == questions.c.no)
    .where(feed.c.position > bindparam("after"))
    .order_by(feed.c.position)
    .limit(bindparam("most"))
)
_LAST = select(func.coalesce(func.max(feed.c.position), 0))
