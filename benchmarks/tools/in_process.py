"""The life of questions without a wire: protocol section 4 in one process, so that asking can be measured in seconds.

Rules
- All questions are accepted at second 0, in their order; each ends at its own `expires_in`.
- An item is held by the candidate of the lowest rank that is still open; of equal ranks the earlier accepted.
- `mine` with the number settles. Without one it goes to an officer; a wrong one opens the item again, three end there.
- `not_mine`, declined, expired release to the next; settled as `mine` or with an officer, the others are withdrawn.
- One attempt of a question is open at a time. `suspected_fraud` freezes its question.
- The simulated citizens decide what is said and when (`quychu.citizens`); nothing else here knows who owns what.

Worked example: `InProcess().answers(questions, citizens)` gives `answers.parquet` as `quychu collect` would. The same
benchmark runs over real HTTP with another `World`.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from exchange.tables import ANSWERS
from quychu.citizens import Citizens, Reply, Said, Shown

SUFFIX = 4
_TRIES = 3
_LOOK_ALIKES = str.maketrans("OI", "01")


class World(Protocol):
    """What turns questions into answers: this process, or the service and the simulator over HTTP."""

    def answers(self, questions: pl.DataFrame, citizens: Citizens) -> pl.DataFrame:
        """`ANSWERS` of `exchange.tables`, all of them once the last question has ended."""


@dataclass
class _Item:
    """One item in one question: `waiting` (others have it), `free`, or an end."""

    serial: str | None
    state: str = "waiting"
    wrong: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "free")

    def shown(self, item_id: str) -> Shown:
        known = self.serial is not None and len(self.serial) >= SUFFIX
        return Shown(item_id, "certificate_suffix", SUFFIX) if known else Shown(item_id)


@dataclass
class _Question:
    citizen: str
    expires: int
    items: dict[str, _Item]
    attempts: int = 0
    busy: bool = False


@dataclass
class _Life:
    """All questions, who waits for which item, what happens when, and the entries so far."""

    citizens: Citizens
    questions: dict[str, _Question] = field(default_factory=dict)
    queues: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: defaultdict(list))
    events: list[tuple[int, int, str, str, Reply | None]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    clock: int = 0

    def accept(self, order: int, row: Mapping[str, Any]) -> None:
        """Take a question in; nothing is sent before all are."""
        name, items = row["question_id"], {}
        for parcel in row["parcels"]:
            items[parcel["item_id"]] = _Item(parcel["certificate_serial"])
            heapq.heappush(self.queues[parcel["item_id"]], (parcel["rank"], order, name))
        self.questions[name] = _Question(row["citizen_id"], row["expires_in"], items)
        self._at(row["expires_in"], "expiry", name)

    def live(self) -> None:
        """From the first message to the last end."""
        for item in list(self.queues):
            self._give_to_next(item)
        for name in self.questions:
            self._send(name)
        while self.events:
            self.clock, _, what, name, reply = heapq.heappop(self.events)
            if what == "expiry":
                self._end_all(name, "expired")
            elif reply is not None:
                self._hear(name, reply)

    def _at(self, second: int, what: str, name: str, reply: Reply | None = None) -> None:
        heapq.heappush(self.events, (second, len(self.events) + len(self.entries), what, name, reply))

    def _give_to_next(self, item: str) -> None:
        """The place goes to the next candidate who is still open."""
        queue = self.queues[item]
        while queue:
            _, _, name = heapq.heappop(queue)
            held = self.questions[name].items[item]
            if held.state == "waiting":
                held.state = "free"
                self._send(name)
                return

    def _withdraw_others(self, item: str) -> None:
        for _, _, name in self.queues.pop(item, []):
            held = self.questions[name].items[item]
            if held.is_open:
                self._end(name, item, "withdrawn")

    def _send(self, name: str) -> None:
        question = self.questions[name]
        free = [held.shown(item) for item, held in question.items.items() if held.state == "free"]
        if question.busy or not free or self.clock >= question.expires:
            return
        question.attempts += 1
        reply = self.citizens.reply(question.citizen, free, attempt=question.attempts)
        question.busy = True
        if reply is not None and self.clock + reply.delay_seconds < question.expires:
            self._at(self.clock + reply.delay_seconds, "reply", name, reply)

    def _hear(self, name: str, reply: Reply) -> None:
        question = self.questions[name]
        question.busy = False
        if reply.declined:
            self._end_all(name, "declined")
            return
        if any(said.verdict == "suspected_fraud" for said in reply.answers):
            verdicts = {said.item_id: said.verdict for said in reply.answers}
            for item, held in question.items.items():
                if held.is_open:
                    self._end(name, item, "office", verdicts.get(item), level="tap")
            return
        for said in reply.answers:
            self._weigh(name, said)
        self._send(name)

    def _weigh(self, name: str, said: Said) -> None:
        held = self.questions[name].items[said.item_id]
        if held.state != "free":
            return
        if said.verdict == "not_mine":
            self._end(name, said.item_id, "settled", "not_mine", level="tap")
        elif said.verdict != "mine" or said.challenge_response is None:
            self._end(name, said.item_id, "office", said.verdict, level="tap")
        elif _met(held.serial, said.challenge_response):
            self._end(name, said.item_id, "settled", "mine", level="challenge")
        else:
            held.wrong += 1
            if held.wrong == _TRIES:
                self._end(name, said.item_id, "office", "mine", level="tap")

    def _end_all(self, name: str, state: str) -> None:
        for item, held in self.questions[name].items.items():
            if held.is_open:
                self._end(name, item, state)

    def _end(self, name: str, item: str, state: str, verdict: str | None = None, *, level: str = "none") -> None:
        question = self.questions[name]
        was_free, question.items[item].state = question.items[item].state == "free", state
        self.entries.append(
            {
                "entry": len(self.entries),
                "question_id": name,
                "item_id": item,
                "citizen_id": question.citizen,
                "state": state,
                "verdict": verdict,
                "proven": level == "challenge",
                "evidence_level": level,
                "answered_at": None if verdict is None else self.clock,
            }
        )
        if state == "office" or (state == "settled" and verdict == "mine"):
            self._withdraw_others(item)
        elif was_free:
            self._give_to_next(item)


def _met(serial: str | None, response: str) -> bool:
    """Compared without blanks, in capitals, look-alikes equal (protocol, section 3)."""
    told = "".join(response.split()).upper().translate(_LOOK_ALIKES)
    return serial is not None and serial[-SUFFIX:].upper().translate(_LOOK_ALIKES) == told


@dataclass(frozen=True)
class InProcess:
    """A `World` without a wire."""

    def answers(self, questions: pl.DataFrame, citizens: Citizens) -> pl.DataFrame:
        """All entries of all questions."""
        life = _Life(citizens)
        for order, row in enumerate(questions.iter_rows(named=True)):
            life.accept(order, row)
        life.live()
        return pl.DataFrame(life.entries, schema=ANSWERS.schema)
