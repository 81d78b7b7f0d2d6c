"""Between questions: who has an item, which of a citizen's questions is asked, how often a citizen may be. Pure.

Rules (protocol §4)
- One candidate has an item. The others wait for it in the order of rank, then of acceptance; a lower rank that comes
  later goes first only while nobody is asked (`arbitrate`). A rank that nobody posted is skipped.
- An item is taken where it is settled as `mine`, lies with the office or is disputed: whoever waits behind, or comes
  later with a higher rank, ends as `withdrawn`. Whoever is posted before (a lower rank that comes later) waits behind
  nobody and is asked all the same.
- So two may prove one item: then both claims are `disputed`.
- One question of a citizen is open: of those with a free item the one already begun goes first, then the higher
  priority, then the earlier accepted (`next_to_ask`). A question whose last items all wait behind other candidates does
  not keep the citizen's next question waiting: otherwise two citizens could wait for each other until both expire.
- Three asks in 90 days; questions that wait to be asked count already (`may_be_asked`).
- A `Board` holds the questions that one event may touch. Items pass on only where all their candidates are on it.

>>> first = Question(1, "h1", 0, 99, (Item("a", 2),))
>>> board = Board(5, {1: first, 2: Question(2, "h2", 0, 99, (Item("a", 1),))}, {"a"})
>>> board.pass_on()
>>> board.begin()
>>> [question.items[0].state for question in board.current.values()], [no for no, _ in board.effects]
(['held', 'asked'], [2])
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from confirm_api.question import (
    ASKED,
    DISPUTED,
    FREE,
    HELD,
    WITHDRAWN,
    Begin,
    Cancel,
    Item,
    OpenCase,
    Question,
    Step,
    begin,
    contest,
    free,
    hold,
    supersede,
)

MOST_ASKS: Final = 3
"""Asks of one citizen, in so many days."""
ASK_DAYS: Final = 90
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Claim:
    """One candidate's standing for one item."""

    question_no: int
    item: Item

    @property
    def order(self) -> tuple[int, int]:
        """Rank, then acceptance."""
        return self.item.rank, self.question_no


# ---- who has an item -----------------------------------------------------------------------------------------------


def arbitrate(claims: Sequence[Claim]) -> dict[int, str]:
    """Who has an item now: for each question whose claim has to change, `free`, `held`, `withdrawn` or `disputed`.

    >>> arbitrate([Claim(1, Item("a", 2)), Claim(2, Item("a", 1)), Claim(3, Item("a", 1))])
    {2: 'free'}
    """
    proven = [claim for claim in claims if claim.item.takes and claim.item.proven]
    changes = {claim.question_no: DISPUTED for claim in proven if len(proven) > 1 and claim.item.state != DISPUTED}
    waiting = sorted((claim for claim in claims if claim.item.is_open), key=lambda claim: claim.order)
    holder = next((claim for claim in waiting if claim.item.state == ASKED), None)
    taken = [claim for claim in claims if claim.item.takes]
    if taken:
        return changes | _superseded(waiting, holder, taken)
    holder = holder or next(iter(waiting), None)
    return changes | _turns(waiting, holder)


def _superseded(waiting: Sequence[Claim], holder: Claim | None, taken: Iterable[Claim]) -> dict[int, str]:
    """All who wait behind somebody who has the item end, and who is being asked; those before have their turn.

    >>> has, before, behind = (Claim(no, Item("a", rank)) for no, rank in enumerate([2, 1, 3]))
    >>> _superseded([before, behind], None, [has])
    {2: 'withdrawn', 1: 'free'}
    """
    first = min(claim.order for claim in taken)
    before = [claim for claim in waiting if claim.order < first]
    asked = holder if holder in before else next(iter(before), None)
    ended = {claim.question_no: WITHDRAWN for claim in waiting if claim.order > first}
    return ended | _turns(before, asked)


def _turns(waiting: Iterable[Claim], holder: Claim | None) -> dict[int, str]:
    wanted = {claim.question_no: FREE if claim is holder else HELD for claim in waiting if claim.item.state != ASKED}
    return {claim.question_no: wanted[claim.question_no] for claim in waiting if _differs(claim, wanted)}


def _differs(claim: Claim, wanted: Mapping[int, str]) -> bool:
    return claim.question_no in wanted and wanted[claim.question_no] != claim.item.state


def apply_change(question: Question, item_id: str, change: str) -> Step:
    """Let a change that `arbitrate` found happen."""
    if change == WITHDRAWN:
        return supersede(question, item_id)
    if change == DISPUTED:
        return contest(question, item_id)
    return Step(free(question, item_id) if change == FREE else hold(question, item_id))


# ---- whom to ask next ----------------------------------------------------------------------------------------------


def next_to_ask(questions: Iterable[Question]) -> Question | None:
    """Which of one citizen's questions begins an attempt now; None while one is open or none has a free item."""
    alive = [question for question in questions if not question.ended]
    if any(question.attempt is not None for question in alive):
        return None
    ready = [question for question in alive if question.free and not question.frozen]
    return min(ready, key=_turn, default=None)


def _turn(question: Question) -> tuple[bool, float, int]:
    return question.asked_at is None, -question.priority, question.no


def may_be_asked(asked_at: Iterable[int], waiting: int, now: int) -> bool:
    """Whether one more question may be accepted, given when the citizen was asked and how many wait already.

    >>> may_be_asked([0, 10], waiting=0, now=20), may_be_asked([0, 10], waiting=1, now=20)
    (True, False)
    >>> may_be_asked([0, 0, 0], waiting=0, now=90 * DAY_SECONDS)
    True
    """
    recent = sum(1 for at in asked_at if at > now - ASK_DAYS * DAY_SECONDS)
    return recent + waiting < MOST_ASKS


# ---- together ------------------------------------------------------------------------------------------------------


@dataclass
class Board:
    """The questions that one event may touch, before and while what follows from it happens."""

    now: int
    current: dict[int, Question] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)  # items all of whose candidates are here
    not_askable: set[str] = field(default_factory=set)  # handles
    ended_early: set[int] = field(default_factory=set)  # questions whose request the provider ended
    effects: list[tuple[int, Begin | OpenCase]] = field(default_factory=list)
    cancels: list[tuple[int, Cancel]] = field(default_factory=list)

    def of(self, no: int) -> Question:
        """A question as it stands."""
        return self.current[no]

    def change(self, no: int, step: Step | Question) -> None:
        """Let an event have happened to a question."""
        if isinstance(step, Question):
            step = Step(step)
        self.current[no] = step.question
        for effect in step.effects:
            if isinstance(effect, Cancel):
                self.cancels.append((no, effect))
            else:
                self.effects.append((no, effect))

    def candidates(self, item_id: str) -> list[int]:
        """The questions that ask for an item."""
        assert item_id in self.whole, "all candidates of the item are here"
        return self._index().get(item_id, [])

    def pass_on(self) -> None:
        """Let everybody have what is theirs now; an item whose claims changed is looked at once more."""
        index = self._index()
        waiting = list(index)
        while waiting:
            item_id = waiting.pop()
            changes = arbitrate([Claim(no, self.current[no].item(item_id)) for no in index[item_id]])
            for no, change in changes.items():
                self.change(no, apply_change(self.current[no], item_id, change))
            if changes:
                waiting.append(item_id)

    def begin(self) -> None:
        """Let each citizen's next question begin."""
        by_handle: defaultdict[str, list[Question]] = defaultdict(list)
        for one in self.current.values():
            if one.expires_at > self.now:
                by_handle[one.handle].append(one)
        for handle in sorted(by_handle.keys() - self.not_askable):
            ready = next_to_ask(by_handle[handle])
            if ready is not None:
                self.change(ready.no, begin(ready, self.now, after_early_end=ready.no in self.ended_early))

    def _index(self) -> dict[str, list[int]]:
        index: defaultdict[str, list[int]] = defaultdict(list)
        for no, one in self.current.items():
            for item in one.items:
                if item.item_id in self.whole:
                    index[item.item_id].append(no)
        return index
