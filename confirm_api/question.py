"""The life of a question: what an event does to it. Pure: no input, no output, no clock; snapshots in, a `Step` out.

Rules of one question (protocol §4)
- Each item has a state. It waits (`held` behind another candidate, `free` to be asked, `asked` in the open attempt) or
  has ended (`settled`, `declined`, `expired`, `withdrawn`, `undeliverable`, `disputed`, `office`). A question ends when
  all its items have; until then it is `created`, after its first ask `sent`, after a reply `answered`.
- `begin` asks all items that are free at that moment, in one new attempt. The next attempt begins only after the last
  one is closed: a cancelled one is `closing` until the provider has confirmed it.
- `mine` with the challenge met settles the item. `mine` without a response, or where no challenge was set, goes to an
  officer. A wrong response frees the item at once for a new attempt, which is no new ask; the third goes to an officer.
- `not_mine` settles the item for this citizen. `unsure` goes to an officer.
- `suspected_fraud` freezes the question: every item that has not ended goes to an officer, and nothing is sent again.
- A declined request, a refused one and a dead letter end the whole question, also the items not yet asked: whoever
  does not want to answer is not asked about the next parcel.
- A request that the provider ends early frees its items for a new attempt, after a pause that grows.
- A reply to anything but the open attempt is late: it is stored and settles nothing. Only a report of fraud in it
  opens a case, which settles nothing either.
- An end changes only by `revise` (the citizen; `contest` and `doubt` are what follows for others), by `confirm`,
  `reject`, `reopen`, `dispute` (officers), and by `revive`: the operator sends a dead letter again, and its items wait
  behind whoever has them by now.

What happens between questions stands in `confirm_api.candidates`.

>>> question = Question(no=1, handle="h", accepted_at=0, expires_at=86_400, items=(Item("a", 1, FREE), Item("b", 2)))
>>> step = begin(question, now=5)
>>> step.question.state, step.effects
('sent', (Begin(attempt=1, item_ids=('a',), pause_seconds=0),))
>>> step = reply(ask_taken(step.question), 1, [Answer("a", "mine", WRONG)], answered_at=9)
>>> [(item.state, item.wrong) for item in step.question.items], step.question.state
([('free', 1), ('held', 0)], 'answered')
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

HELD, FREE, ASKED = "held", "free", "asked"
SETTLED, DECLINED, EXPIRED, WITHDRAWN = "settled", "declined", "expired", "withdrawn"
UNDELIVERABLE, DISPUTED, OFFICE = "undeliverable", "disputed", "office"
OPEN_STATES: Final = frozenset({HELD, FREE, ASKED})
ENDS: Final = frozenset({SETTLED, DECLINED, EXPIRED, WITHDRAWN, UNDELIVERABLE, DISPUTED, OFFICE})

SENDING, OPEN, CLOSING, DEAD, CLOSED = "sending", "open", "closing", "dead", "closed"
"""Of an attempt: not yet taken by the provider; taken; to be taken back; its ask is a dead letter; over."""

Proof = Literal["met", "wrong", "none"]
"""Of a response to the challenge."""
MET: Final = "met"
WRONG: Final = "wrong"
NO_PROOF: Final = "none"

WRONG_RESPONSES: Final = 3
"""After so many an officer looks."""
MOST_ITEMS: Final = 80
"""In one attempt, so that the sealed ask stays below the receiver's limit; the others follow in the next."""
FREE_ATTEMPTS: Final = 4
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5, 3_600
"""A provider that ends every request at once would be asked without end: from the fifth attempt on there is a pause."""


# ---- snapshots -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One parcel in one citizen's question, and what is known of the answer."""

    item_id: str
    rank: int
    state: str = HELD
    said: str | None = None  # the citizen's verdict
    met: bool = False  # with the challenge met
    decided: str | None = None  # the officers' verdict
    answered_at: int | None = None
    wrong: int = 0  # wrong responses so far

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in OPEN_STATES

    @property
    def verdict(self) -> str | None:
        """What counts: the officers' word before the citizen's."""
        return self.decided or self.said

    @property
    def evidence_level(self) -> str:
        """none, tap, challenge, officer."""
        if self.decided is not None:
            return "officer"
        if self.said is None:
            return "none"
        return "challenge" if self.said == "mine" and self.met else "tap"

    @property
    def proven(self) -> bool:
        """Whether `mine` rests on more than the citizen's word."""
        return self.verdict == "mine" and self.evidence_level in {"challenge", "officer"}

    @property
    def takes(self) -> bool:
        """Whether nobody else may be asked about it any more."""
        return self.state in {OFFICE, DISPUTED} or (self.state == SETTLED and self.verdict == "mine")

    @property
    def outcome(self) -> tuple[str, str | None, bool, str, int | None]:
        """What `landanswers` tells of it."""
        return self.state, self.verdict, self.proven, self.evidence_level, self.answered_at


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: some items asked together."""

    number: int
    state: str
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """All of one question that its rules need."""

    no: int
    handle: str
    accepted_at: int
    expires_at: int
    items: tuple[Item, ...]
    priority: float = 0.0
    frozen: bool = False
    attempts: int = 0
    attempt: Attempt | None = None  # the one that is not closed
    dead: Attempt | None = None  # the last one, where its ask is a dead letter
    asked_at: int | None = None

    @property
    def ended(self) -> bool:
        """Whether all its items have ended."""
        return not any(item.is_open for item in self.items)

    @property
    def replied(self) -> bool:
        """Whether a reply was taken (a late one is not)."""
        return any(item.answered_at is not None for item in self.items)

    @property
    def state(self) -> str:
        """created, sent, answered, ended."""
        if self.ended:
            return "ended"
        if self.asked_at is None:
            return "created"
        return "answered" if self.replied else "sent"

    @property
    def free(self) -> tuple[str, ...]:
        """The items that could be asked now."""
        return tuple(item.item_id for item in self.items if item.state == FREE)

    def item(self, item_id: str) -> Item:
        """The item of that id."""
        return next(item for item in self.items if item.item_id == item_id)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the citizen said of one item, the response already compared."""

    item_id: str
    verdict: str
    proof: Proof = "none"


# ---- effects -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begin:
    """Ask these items in a new attempt."""

    attempt: int
    item_ids: tuple[str, ...]
    pause_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """Let the app take the request of this attempt away."""

    attempt: int
    reason: str  # withdrawn, frozen, expired
    taken: bool = True  # the provider has taken it; else it may never have left


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An officer has to look."""

    kind: str
    item_id: str


Effect = Begin | Cancel | OpenCase


@dataclass(frozen=True, slots=True)
class Step:
    """A question after an event, and what has to happen."""

    question: Question
    effects: tuple[Effect, ...] = ()


# ---- asking --------------------------------------------------------------------------------------------------------


def begin(question: Question, now: int, *, after_early_end: bool = False) -> Step:
    """Ask what is free, in a new attempt; after a dead letter was revived, in the same one where it is the same ask."""
    assert question.attempt is None, "at most one attempt is open"
    assert question.free, "an attempt has an item"
    assert not question.frozen, "a frozen question is not asked"
    asked, dead = question.free[:MOST_ITEMS], question.dead
    number = dead.number if dead is not None and dead.item_ids == asked else question.attempts + 1
    begun = _each(question, lambda item: replace(item, state=ASKED) if item.item_id in asked else item)
    attempt = Attempt(number, SENDING, asked)
    begun = replace(begun, attempts=number, attempt=attempt, dead=None, asked_at=_first(question.asked_at, now))
    return Step(begun, (Begin(number, asked, _pause(question) if after_early_end else 0),))


def _first(asked_at: int | None, now: int) -> int:
    return now if asked_at is None else asked_at


def _pause(question: Question) -> int:
    """None for the first attempts; those that a wrong response cost do not count."""
    many = question.attempts - sum(item.wrong for item in question.items) - FREE_ATTEMPTS
    return 0 if many < 0 else min(FIRST_PAUSE_SECONDS << min(many, 16), LONGEST_PAUSE_SECONDS)


def ask_taken(question: Question) -> Question:
    """The provider has taken the request."""
    return _with_attempt(question, OPEN) if _is(question, SENDING) else question


def attempt_closed(question: Question) -> Question:
    """The request is known to be over at the provider, or never reached it: what was asked in it is free again."""
    freed = _each(question, lambda item: replace(item, state=FREE) if item.state == ASKED else item)
    return replace(freed, attempt=None)


# ---- what the citizen says -----------------------------------------------------------------------------------------


def reply(question: Question, attempt: int, answers: Sequence[Answer], answered_at: int) -> Step:
    """The answers to an attempt; they count for the open attempt only."""
    if is_late(question, attempt):
        return Step(question, _reports(answers))
    said = {answer.item_id: answer for answer in answers}
    answered = _each(
        question, lambda item: _answered(item, said[item.item_id], answered_at) if item.item_id in said else item
    )
    answered = replace(answered, attempt=None)
    if _reports(answers):
        answered = _frozen(answered, said)
    return Step(answered, (*_cases(question, answered, answers), *_reports(answers)))


def is_late(question: Question, attempt: int) -> bool:
    """Whether a reply to this attempt settles nothing."""
    return question.attempt is None or question.attempt.number != attempt or question.attempt.state != OPEN


def _answered(item: Item, answer: Answer, answered_at: int) -> Item:
    """The item after its answer, as long as the question is not frozen."""
    told = _told(item, answer, answered_at)
    if answer.verdict == "mine" and answer.proof == WRONG:
        told = replace(told, wrong=item.wrong + 1)
        return replace(told, state=OFFICE if told.wrong >= WRONG_RESPONSES else FREE)
    if answer.verdict == "not_mine" or told.proven:
        return replace(told, state=SETTLED)
    return replace(told, state=OFFICE)


def _told(item: Item, answer: Answer, answered_at: int) -> Item:
    """The item with what was said, its state unchanged."""
    return replace(item, said=answer.verdict, met=answer.proof == MET, decided=None, answered_at=answered_at)


def _frozen(question: Question, said: Collection[str] = ()) -> Question:
    """A frozen question lies with the office: what has not ended, and what was said together with the report."""
    office = _each(question, lambda item: replace(item, state=OFFICE) if item.is_open or item.item_id in said else item)
    return replace(office, frozen=True)


def _reports(answers: Iterable[Answer]) -> tuple[OpenCase, ...]:
    return tuple(OpenCase("suspected_fraud", one.item_id) for one in answers if one.verdict == "suspected_fraud")


def _cases(before: Question, after: Question, answers: Iterable[Answer]) -> tuple[OpenCase, ...]:
    """Why each item went to an officer: none lies there without a case. A report of fraud has its own."""
    said = {answer.item_id: answer for answer in answers}
    reported = {case.item_id for case in _reports(said.values())}
    known = {item.item_id for item in before.items if item.state == OFFICE}
    went = [item for item in after.items if item.state == OFFICE and item.item_id not in known | reported]
    return tuple(OpenCase(_why(item, said.get(item.item_id)), item.item_id) for item in went)


def _why(item: Item, answer: Answer | None = None) -> str:
    if item.said != "mine":
        return "unsure"
    return "failed_challenge" if answer is not None and answer.proof == WRONG else "unproven"


def declined(question: Question) -> Step:
    """The citizen declined the open request."""
    return _all_end(question, DECLINED) if _is(question, OPEN) else Step(question)


def revise(question: Question, answers: Sequence[Answer], answered_at: int) -> Step:
    """The citizen takes answers back: their items go to an officer, whatever became of them.

    An item that is being asked again is pulled out of its attempt; the others of that attempt follow in a new one.
    """
    said = {answer.item_id: answer for answer in answers}
    pulled = [item.item_id for item in question.items if item.state == ASKED and item.item_id in said]
    revised = _each(
        question,
        lambda item: (
            replace(_told(item, said[item.item_id], answered_at), state=OFFICE) if item.item_id in said else item
        ),
    )
    cases = tuple(OpenCase("revision", one.item_id) for one in answers)
    if _reports(answers):
        step = _cancelled(_frozen(revised), "frozen")
        cases += _cases(revised, step.question, ())
    else:
        step = _cancelled(revised, WITHDRAWN) if pulled else Step(revised)
    return Step(step.question, (*step.effects, *cases, *_reports(answers)))


# ---- other ends ----------------------------------------------------------------------------------------------------


def refused_by_provider(question: Question) -> Step:
    """`unknown_user_id`, `access_denied` or `invalid_request`: nobody can be asked."""
    return _all_end(question, UNDELIVERABLE) if _is(question, SENDING) else Step(question)


def dead_letter(question: Question) -> Step:
    """The ask could not be delivered: the question ends, until an operator revives it."""
    attempt = question.attempt
    if attempt is None or attempt.state != SENDING:
        return Step(question)
    step = refused_by_provider(question)
    return Step(replace(step.question, dead=replace(attempt, state=DEAD)), step.effects)


def never_to_be_asked(question: Question) -> Step:
    """The citizen has died, moved abroad or is a minor: what is not yet asked ends."""
    return _all_end(question, UNDELIVERABLE)


def request_ended(question: Question) -> Question:
    """The provider's request is over without an answer: its items are free for a new attempt."""
    return attempt_closed(question) if _is(question, OPEN) else question


def expire(question: Question) -> Step:
    """The question's time is over."""
    return _all_end(question, EXPIRED, cancel=EXPIRED)


def withdraw(question: Question) -> Step | None:
    """The engine takes it back; None where it is too late (a reply, or another end)."""
    if question.replied or any(item.state not in OPEN_STATES | {WITHDRAWN} for item in question.items):
        return None
    return _all_end(question, WITHDRAWN, cancel=WITHDRAWN)


def revive(question: Question) -> Question:
    """The operator sends a dead letter again: its items wait anew, behind whoever has them by now."""
    if question.dead is None:
        return question
    return _each(question, lambda item: replace(item, state=HELD) if item.state == UNDELIVERABLE else item)


def _all_end(question: Question, end: str, cancel: str | None = None) -> Step:
    """Everything that waits ends; `cancel` is the reason told to the app where a request is open."""
    ended = _each(question, lambda item: replace(item, state=end) if item.is_open else item)
    if cancel is None:
        return Step(replace(ended, attempt=None))
    return _cancelled(ended, cancel)


def _cancelled(question: Question, reason: str) -> Step:
    """Take an open request back; nothing is asked again before the provider has confirmed it."""
    if question.attempt is None or question.attempt.state == CLOSING:
        return Step(question)
    taken = question.attempt.state == OPEN
    closing = _each(question, lambda item: replace(item, state=FREE) if item.state == ASKED else item)
    return Step(_with_attempt(closing, CLOSING), (Cancel(question.attempt.number, reason, taken),))


# ---- officers ------------------------------------------------------------------------------------------------------


def confirm(question: Question, item_id: str) -> Step:
    """Officers found that it is this citizen's."""
    return _decided(question, item_id, "mine")


def reject(question: Question, item_id: str) -> Step:
    """Officers found that it is not this citizen's."""
    return _decided(question, item_id, "not_mine")


def _decided(question: Question, item_id: str, verdict: str) -> Step:
    """An item that is being asked is pulled out of its request; the others of it follow in a new one."""
    asked = question.item(item_id).state == ASKED
    decided = _one(question, item_id, lambda item: replace(item, state=SETTLED, decided=verdict))
    return _cancelled(decided, WITHDRAWN) if asked else Step(decided)


def reopen(question: Question, item_id: str) -> Question:
    """Officers look again: their decision no longer counts, and what the citizen said alone does not settle it.

    Where they had only found a report of fraud groundless, the question is frozen again.
    """
    item = question.item(item_id)
    if item.decided is not None:
        return _one(question, item_id, lambda item: replace(item, state=OFFICE, decided=None))
    return replace(question, frozen=True) if item.said == "suspected_fraud" and item.state == OFFICE else question


def dispute(question: Question, item_id: str) -> Step:
    """An officer opens a dispute on an item that has ended."""
    item = question.item(item_id)
    if item.is_open or item.state == DISPUTED:
        return Step(question)
    return Step(_one(question, item_id, lambda item: replace(item, state=DISPUTED)), (OpenCase("dispute", item_id),))


def unfreeze(question: Question) -> Step:
    """Officers found no fraud: the question is not frozen any more; what was reported is theirs to decide as well."""
    left = [item for item in question.items if item.state == OFFICE and item.said == "suspected_fraud"]
    return Step(replace(question, frozen=False), tuple(OpenCase("unsure", item.item_id) for item in left))


# ---- what other candidates cause ------------------------------------------------------------------------------------


def hold(question: Question, item_id: str) -> Question:
    """Another candidate goes first."""
    return _one(question, item_id, lambda item: replace(item, state=HELD) if item.state == FREE else item)


def free(question: Question, item_id: str) -> Question:
    """It is this candidate's turn."""
    return _one(question, item_id, lambda item: replace(item, state=FREE) if item.state == HELD else item)


def supersede(question: Question, item_id: str) -> Step:
    """The item is taken: this candidate is not asked, or not asked any further."""
    asked = question.item(item_id).state == ASKED
    ended = _one(question, item_id, lambda item: replace(item, state=WITHDRAWN) if item.is_open else item)
    return _cancelled(ended, WITHDRAWN) if asked else Step(ended)


def contest(question: Question, item_id: str) -> Step:
    """There is another proven claim."""
    if question.item(item_id).state == DISPUTED:
        return Step(question)
    disputed = _one(question, item_id, lambda item: replace(item, state=DISPUTED))
    return Step(disputed, (OpenCase("dispute", item_id),))


def doubt(question: Question, item_id: str) -> Step:
    """What this settled claim followed from was taken back by another citizen."""
    item = question.item(item_id)
    if item.state != SETTLED or item.verdict != "mine" or item.decided is not None:
        return Step(question)
    doubted = _one(question, item_id, lambda item: replace(item, state=OFFICE))
    return Step(doubted, (OpenCase("revision", item_id),))


# ---- what changed --------------------------------------------------------------------------------------------------


def entries(before: Question | None, after: Question) -> list[Item]:
    """The items whose outcome is new: one entry each of what the engine collects."""
    known = {} if before is None else {item.item_id: item for item in before.items}
    return [item for item in after.items if not item.is_open and _is_new(known.get(item.item_id), item)]


def _is_new(before: Item | None, after: Item) -> bool:
    return before is None or before.is_open or before.outcome != after.outcome


def events(before: Question | None, after: Question) -> list[str]:
    """The codes of the log's `state` leaves: `created`, each end that an item came to, `frozen`, `unfrozen`."""
    told = ["created"] if before is None else []
    told += sorted({item.state for item in entries(before, after)})
    if after.frozen != (before is not None and before.frozen):
        told.append("frozen" if after.frozen else "unfrozen")
    if before is not None and before.ended and not after.ended:
        told.append("revived")
    return told


# ---- small parts ---------------------------------------------------------------------------------------------------


def _each(question: Question, change: Callable[[Item], Item]) -> Question:
    return replace(question, items=tuple(change(item) for item in question.items))


def _one(question: Question, item_id: str, change: Callable[[Item], Item]) -> Question:
    return _each(question, lambda item: change(item) if item.item_id == item_id else item)


def _is(question: Question, state: str) -> bool:
    return question.attempt is not None and question.attempt.state == state


def _with_attempt(question: Question, state: str) -> Question:
    assert question.attempt is not None
    return replace(question, attempt=replace(question.attempt, state=state))
