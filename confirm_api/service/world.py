"""The questions that one transaction may change: read under their locks, changed by the pure rules, written at the end.

Rules
- `World.load` reads the questions asked for, every candidate of their items, and the open questions of all their
  citizens: nothing that can follow from one event on them lies outside. Other items of those candidates are seen, but
  not passed on: not all who wait for them are here.
- Events change snapshots (`confirm_api.question`); `settle` then lets follow what has to: items pass to the next
  candidate, questions that may be asked begin an attempt; `flush` writes what differs, in a handful of statements
  whatever their number.
- What was never sent is dropped at once when it is taken back; what may have left is taken back by a `landcancel`, as
  soon as its `auth_req_id` is known.

Example: `world = World.load(unit, nos=[7]); world.change(7, question.expire(world.of(7))); world.finish()`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, insert, or_, select, update

from confirm_api import question as life
from confirm_api.audit.log import Entry
from confirm_api.candidates import Board
from confirm_api.office.cases import open_case
from confirm_api.question import Attempt, Begin, Cancel, Item, OpenCase, Question
from confirm_api.service import leaves, locks
from confirm_api.service.rows import any_of, insert_numbered
from confirm_api.store.tables import attempts, deliveries, feed, items, people, questions
from confirm_api.unit import Unit

LANDASK, LANDCANCEL = "landask+jwt", "landcancel+jwt"


class World(Board):
    """Questions loaded for change; `before` is what the database holds, `current` what it shall hold."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit.now)
        self.unit = unit
        self.before: dict[int, Question | None] = {}
        self.public: dict[int, str] = {}
        """Each question's public id."""
        self.new_items: dict[int, list[dict[str, Any]]] = {}
        """What the store keeps of a new question's items beside their state."""
        self.attempt_nos: dict[tuple[int, int], int] = {}
        """The row of each attempt, by question and number."""
        self.contents: dict[tuple[int, str, str], Mapping[str, Any]] = {}
        """What is said in a case, by question, item and kind."""

    # ---- reading ----

    @classmethod
    def load(
        cls,
        unit: Unit,
        nos: Collection[int] = (),
        *,
        item_ids: Collection[str] = (),
        handles: Collection[str] = (),
    ) -> World:
        """Lock and read these questions, or the surroundings of items and citizens about to be added."""
        world = cls(unit)
        if not (nos or item_ids or handles):
            return world
        found = _claims(unit, nos, item_ids)
        held = set(handles) | {row.handle for row in found}
        locks.lock(unit.conn, held, set(item_ids) | {row.item_id for row in found})
        if unit.conn.dialect.name == "postgresql":  # read again: now nobody changes it
            found = _claims(unit, nos, item_ids)
            while more := {row.handle for row in found} - held:
                locks.lock_more(unit.conn, more)
                held |= more
                found = _claims(unit, nos, item_ids)
        world.whole = set(item_ids) | {row.item_id for row in found}
        world._read(held, {row.question_no for row in found})
        return world

    def _read(self, handles: set[str], nos: set[int]) -> None:
        rows = self.unit.conn.execute(_QUESTIONS, {"nos": list(nos), "handles": list(handles)}).all()
        if not rows:
            return
        wanted = {"nos": [row.no for row in rows]}
        parts: defaultdict[int, list[Item]] = defaultdict(list)
        for row in self.unit.conn.execute(_ITEMS, wanted):
            parts[row.question_no].append(_item(row))
        last: dict[int, Any] = {}
        for row in self.unit.conn.execute(_ATTEMPTS, wanted):
            self.attempt_nos[row.question_no, row.attempt] = row.no
            if row.state != life.CLOSED:
                last[row.question_no] = row
        for row in rows:
            self._add(row, tuple(parts[row.no]), last.get(row.no))

    def _add(self, row: Any, parts: tuple[Item, ...], attempt: Any) -> None:
        question = _question(row, parts, attempt)
        self.before[row.no] = self.current[row.no] = question
        self.public[row.no] = row.question_id
        if row.status not in {None, "alive"}:
            self.not_askable.add(row.handle)

    # ---- changing ----

    def add(self, question: Question, question_id: str, rows: list[dict[str, Any]]) -> None:
        """A question that was just accepted; `rows` are what the store keeps of its items beside their state."""
        self.before[question.no] = None
        self.current[question.no] = question
        self.public[question.no] = question_id
        self.new_items[question.no] = rows

    def finish(self) -> None:
        """Let follow what has to follow, and write it all."""
        self.settle()
        self.flush()

    def settle(self) -> None:
        """Pass items on and begin attempts; again where an attempt that never left makes room for the next."""
        self.pass_on()
        while self._take_back():
            self.pass_on()
        self.begin()

    def _take_back(self) -> bool:
        """Let the app take requests away; those that were never sent are closed at once. Whether there were such."""
        cancels, self.cancels = self.cancels, []
        rows = {self.attempt_nos[no, cancel.attempt]: (no, cancel) for no, cancel in cancels}
        sending = {row: no for row, (no, cancel) in rows.items() if not cancel.taken}
        unsent = _drop_unsent(self.unit, sending, self._over(sending))
        for row in unsent:
            self.current[sending[row]] = life.attempt_closed(self.current[sending[row]])
        planned = {row: cancel for row, (_, cancel) in rows.items() if row not in unsent}
        _plan_cancels(self.unit, planned)
        return bool(unsent)

    def _over(self, sending: Mapping[int, int]) -> list[int]:
        """Rows of attempts whose time is over: the provider has ended them by itself, if it ever had them."""
        return [row for row, no in sending.items() if self.current[no].expires_at <= self.unit.now]

    # ---- writing ----

    def flush(self) -> None:
        """Write what differs."""
        changed = [no for no in sorted(self.current) if self.current[no] != self.before[no]]
        self._write_items(changed)
        self._write_attempts(changed)
        self._write_questions(changed)
        self._write_feed(changed)
        self._log(changed)
        self._open_cases()
        self.before.update({no: self.current[no] for no in changed})
        self.effects.clear()

    def _write_items(self, changed: Iterable[int]) -> None:
        new, old = [], []
        for no in changed:
            before, after = self.before[no], self.current[no]
            if before is None:
                kept = self.new_items.pop(no)
                new += [
                    {"question_no": no, "item_id": item.item_id, **_columns(item), **row}
                    for item, row in zip(after.items, kept, strict=True)
                ]
            else:
                pairs = zip(before.items, after.items, strict=True)
                old += [{"b_no": no, "b_item": two.item_id, **_columns(two)} for one, two in pairs if one != two]
        _execute(self.unit, _NEW_ITEMS, new)
        _execute(self.unit, _CHANGED_ITEMS, old)

    def _write_attempts(self, changed: Iterable[int]) -> None:
        """States of attempts that were there, then those that begin, with their messages."""
        old: defaultdict[str, list[int]] = defaultdict(list)
        for no in changed:
            for state, row in self._attempt_change(no):
                old[state].append(row)
        for state, rows in sorted(old.items()):
            self.unit.conn.execute(_CHANGED_ATTEMPTS, {"nos": sorted(rows), "state": state})
        begins = [(no, effect) for no, effect in self.effects if isinstance(effect, Begin)]
        resumed = [(no, effect) for no, effect in begins if (no, effect.attempt) in self.attempt_nos]
        self._resume(resumed)
        self._send([one for one in begins if one not in resumed])

    def _attempt_change(self, no: int) -> list[tuple[str, int]]:
        """The new state and the row of the attempt that was not closed, where it has changed."""
        before, after = self.before[no], self.current[no]
        known = None if before is None else before.attempt or before.dead
        if known is None:
            return []
        now_ = [one for one in (after.attempt, after.dead) if one is not None and one.number == known.number]
        state = now_[0].state if now_ else life.CLOSED
        return [] if state == known.state else [(state, self.attempt_nos[no, known.number])]

    def _resume(self, begins: Iterable[tuple[int, Begin]]) -> None:
        """A revived dead letter: the same attempt, the same message, a new schedule."""
        rows = [self.attempt_nos[no, effect.attempt] for no, effect in begins]
        _execute(self.unit, _REVIVED, [{"b_attempt": row, "due_at": self.unit.now} for row in rows])

    def _send(self, begins: Sequence[tuple[int, Begin]]) -> None:
        if not begins:
            return
        now = self.unit.now
        rows = [
            {
                "question_no": no,
                "attempt": effect.attempt,
                "peer": "",
                "state": life.SENDING,
                "item_ids": json.dumps(effect.item_ids),
                "requested_expiry": self.current[no].expires_at - now,
                "begun_at": now,
            }
            for no, effect in begins
        ]
        numbers = insert_numbered(self.unit.conn, attempts, rows)
        sent = []
        for number, (no, effect) in zip(numbers, begins, strict=True):
            self.attempt_nos[no, effect.attempt] = number
            sent.append(_delivery(LANDASK, number, None, now + effect.pause_seconds, now))
        self.unit.conn.execute(_NEW_DELIVERIES, sent)

    def _write_questions(self, changed: Iterable[int]) -> None:
        rows = []
        for no in changed:
            before, after = self.before[no], self.current[no]
            if before is None or _head(before) != _head(after):
                ended_at = self.unit.now if after.ended else None
                rows.append({"b_no": no, **_head(after), "ended_at": ended_at})
        _execute(self.unit, _CHANGED_QUESTIONS, rows)

    def _write_feed(self, changed: Iterable[int]) -> None:
        told = [(no, item) for no in changed for item in life.entries(self.before[no], self.current[no])]
        _execute(
            self.unit, _NEW_FEED, [{"question_no": no, "item_id": item.item_id, **_told(item)} for no, item in told]
        )

    def _log(self, changed: Iterable[int]) -> None:
        leaves.write(
            self.unit,
            [
                Entry("state", "accepted", self.public[no], reason=reason)
                for no in changed
                for reason in life.events(self.before[no], self.current[no])
            ],
        )

    def _open_cases(self) -> None:
        for no, effect in self.effects:
            if isinstance(effect, OpenCase):
                open_case(
                    self.unit,
                    effect.kind,
                    handle=self.current[no].handle,
                    question_no=no,
                    item_id=effect.item_id,
                    content=self.contents.get((no, effect.item_id, effect.kind)),
                )


# ---- rows and snapshots --------------------------------------------------------------------------------------------


def _claims(unit: Unit, nos: Collection[int], item_ids: Collection[str]) -> list[Any]:
    """All candidates of these questions' items, or of these items."""
    found: list[Any] = []
    if nos:
        found += unit.conn.execute(_CLAIMS_OF_QUESTIONS, {"nos": list(nos)})
    if item_ids:
        found += unit.conn.execute(_CLAIMS_OF_ITEMS, {"item_ids": list(item_ids)})
    return found


def _item(row: Any) -> Item:
    return Item(
        item_id=row.item_id,
        rank=row.rank,
        state=row.state,
        said=row.said,
        met=row.met,
        decided=row.verdict if row.evidence_level == "officer" else None,
        answered_at=row.answered_at,
        wrong=row.wrong,
    )


def _question(row: Any, parts: tuple[Item, ...], attempt: Any) -> Question:
    snapshot = None if attempt is None else Attempt(attempt.attempt, attempt.state, tuple(json.loads(attempt.item_ids)))
    dead = snapshot is not None and snapshot.state == life.DEAD
    return Question(
        no=row.no,
        handle=row.handle,
        accepted_at=row.accepted_at,
        expires_at=row.expires_at,
        items=parts,
        priority=row.priority,
        frozen=row.frozen,
        attempts=row.attempt,
        attempt=None if dead else snapshot,
        dead=snapshot if dead else None,
        asked_at=row.asked_at,
    )


def _head(question: Question) -> dict[str, Any]:
    return {
        "state": question.state,
        "frozen": question.frozen,
        "attempt": question.attempts,
        "asked_at": question.asked_at,
    }


def _told(item: Item) -> dict[str, Any]:
    return {
        "state": item.state,
        "verdict": item.verdict,
        "proven": item.proven,
        "evidence_level": item.evidence_level,
        "answered_at": item.answered_at,
    }


def _columns(item: Item) -> dict[str, Any]:
    return {**_told(item), "rank": item.rank, "said": item.said, "met": item.met, "wrong": item.wrong}


def _delivery(typ: str, attempt_no: int, reason: str | None, due_at: int, now: int) -> dict[str, Any]:
    return {
        "typ": typ,
        "attempt_no": attempt_no,
        "reason": reason,
        "state": "waiting",
        "due_at": due_at,
        "created_at": now,
    }


# ---- taking back ---------------------------------------------------------------------------------------------------


def _drop_unsent(unit: Unit, sending: Collection[int], over: Collection[int]) -> set[int]:
    """Drop the asks of these attempts that were never sent, or whose time is over; which ones."""
    if not sending:
        return set()
    return set(unit.conn.execute(_DROP_UNSENT, {"sending": list(sending), "over": list(over)}).scalars())


def _plan_cancels(unit: Unit, cancels: Mapping[int, Cancel]) -> None:
    """A `landcancel` each; held back where the ask may have left, but its `auth_req_id` is not known yet."""
    rows = [_delivery(LANDCANCEL, row, cancel.reason, unit.now, unit.now) for row, cancel in cancels.items()]
    for row, cancel in zip(rows, cancels.values(), strict=True):
        row["state"] = "waiting" if cancel.taken else "held"
    _execute(unit, _NEW_DELIVERIES, rows)


def _execute(unit: Unit, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        unit.conn.execute(statement, rows)


# ---- statements, made once -----------------------------------------------------------------------------------------


_of_questions = select(items.c.item_id).where(any_of(items.c.question_no, "nos"))
_claim = select(items.c.question_no, items.c.item_id, questions.c.handle).join_from(
    items, questions, items.c.question_no == questions.c.no
)
_CLAIMS_OF_QUESTIONS = _claim.where(items.c.item_id.in_(_of_questions))
_CLAIMS_OF_ITEMS = _claim.where(any_of(items.c.item_id, "item_ids"))
_QUESTIONS = (
    select(questions, people.c.status)
    .join_from(questions, people, questions.c.handle == people.c.handle, isouter=True)
    .where(
        or_(
            any_of(questions.c.no, "nos"),
            and_(any_of(questions.c.handle, "handles"), questions.c.state != "ended"),
        )
    )
    .order_by(questions.c.no)
)
_ITEMS = (
    select(*(column for column in items.c if column.name != "box"))
    .where(any_of(items.c.question_no, "nos"))
    .order_by(items.c.question_no, items.c.place)
)
_ATTEMPTS = (
    select(attempts.c.no, attempts.c.question_no, attempts.c.attempt, attempts.c.state, attempts.c.item_ids)
    .where(any_of(attempts.c.question_no, "nos"), attempts.c.state != life.CLOSED)
    .order_by(attempts.c.question_no, attempts.c.attempt)
)
_NEW_ITEMS = insert(items)
_CHANGED_ITEMS = (
    update(items)
    .where(items.c.question_no == bindparam("b_no"), items.c.item_id == bindparam("b_item"))
    .values(
        {name: bindparam(name) for name in ("state", "verdict", "proven", "evidence_level", "answered_at")}
        | {name: bindparam(name) for name in ("said", "met", "wrong")}
    )
)
_CHANGED_QUESTIONS = (
    update(questions)
    .where(questions.c.no == bindparam("b_no"))
    .values({name: bindparam(name) for name in ("state", "frozen", "attempt", "asked_at", "ended_at")})
)
_CHANGED_ATTEMPTS = update(attempts).where(any_of(attempts.c.no, "nos")).values(state=bindparam("state"))
_NEW_DELIVERIES = insert(deliveries)
_REVIVED = (
    update(deliveries)
    .where(deliveries.c.attempt_no == bindparam("b_attempt"), deliveries.c.typ == LANDASK)
    .values(state="waiting", tries=0, due_at=bindparam("due_at"), claimed_until=0, outcome="replayed")
)
_NEW_FEED = insert(feed)
_DROP_UNSENT = (
    update(deliveries)
    .where(
        any_of(deliveries.c.attempt_no, "sending"),
        deliveries.c.typ == LANDASK,
        deliveries.c.state == "waiting",
        or_(deliveries.c.tries == 0, any_of(deliveries.c.attempt_no, "over")),
    )
    .values(state="dropped")
    .returning(deliveries.c.attempt_no)
)
