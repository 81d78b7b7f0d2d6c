"""What asking is told: how many questions, in which order, how much at random, and what is expected of an answer.

Rules
- Every figure has a name and a reason; none stands in the code that uses it.
- A plan that cannot be meant is refused by name.

>>> Plan(budget=100).random_questions(400)
5
>>> Plan(by="luck")
Traceback (most recent call last):
linkage.errors.ConfigError: ask: expected 'by' to be gain or probability, found 'luck'; mend the option.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from linkage.errors import ConfigError

Order = Literal["gain", "probability"]


@dataclass(frozen=True)
class Expectation:
    """What an answer is worth before it is there; shares, measured again by every round.

    `replies`: of citizens asked; `proves`: of owners who say "mine" where the number is known; `unproven`: the worth of
    a bare "mine", which only an officer can settle, as a share of a place settled by the citizen alone.
    """

    replies: float = 0.6
    proves: float = 0.9
    unproven: float = 0.05


@dataclass(frozen=True)
class Plan:
    """Whom to ask.

    `least_chance` is the probability below which a citizen is not troubled, counted once all before have said no; it is
    the same number below which linking proposes nobody. `most_items` keeps a question inside one message of 256 KiB.
    """

    budget: int | None = None
    by: Order = "gain"
    random_share: float = 0.05
    seed: int = 1
    expires_in_seconds: int = 2_592_000
    least_chance: float = 0.1
    most_items: int = 40
    expected: Expectation = Expectation()

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        _must(self.by in get_args(Order), "by", "gain or probability", self.by)
        _must(self.budget is None or self.budget >= 1, "budget", "at least 1 question", self.budget)
        _must(0.0 <= self.random_share <= 1.0, "random_share", "a share from 0 to 1", self.random_share)
        _must(60 <= self.expires_in_seconds <= 2_592_000, "expires_in_seconds", "1 minute to 30 days", None)
        _must(1 <= self.most_items <= 60, "most_items", "1 to 60", self.most_items)

    def total(self, askable: int) -> int:
        """How many of `askable` questions are made."""
        return askable if self.budget is None else min(self.budget, askable)

    def random_questions(self, askable: int) -> int:
        """How many of them are chosen by lot."""
        return ceil(self.random_share * self.total(askable))


def _must(holds: bool, name: str, expected: str, found: object) -> None:  # noqa: FBT001 - a condition, not a switch
    if not holds:
        shown = "another value" if found is None else repr(found)
        message = f"ask: expected '{name}' to be {expected}, found {shown}; mend the option."
        raise ConfigError(message)
