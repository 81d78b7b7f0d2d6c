"""Who may see and decide what, and when a case is decided. Pure.

Rules
- An officer with a commune sees and decides that commune's cases only; a case without commune is for officers without
  this limit.
- An auditor reads the log and counts, decides nothing and sees no personal text.
- A dispute, a freeze (suspected fraud) and every reopened case end by two different officers who agree, one of them a
  second reviewer, each with a reason; every other case by one reviewer with a reason.
- An officer may change their vote until the case is decided: the last vote of each in this round counts, and only
  votes of officers who are still active.

>>> votes = [Vote("lan", "reviewer", "confirm"), Vote("minh", "second_reviewer", "confirm")]
>>> agreed("dispute", 0, votes), agreed("dispute", 0, votes[:1]), agreed("unproven", 0, votes[:1])
('confirm', None, 'confirm')
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from confirm_api.office.communes import same_commune
from confirm_api.office.refusals import (
    NoReasonError,
    NotThisActionError,
    OutsideCommuneError,
    RoleError,
)

ROLES: Final = ("reviewer", "second_reviewer", "auditor")
DECIDING_ROLES: Final = ("reviewer", "second_reviewer")
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

TWO_OFFICERS: Final = frozenset({"dispute", "suspected_fraud"})
NO_VOTE: Final = ("reopen", "dispute")
"""What stands among the votes with its reason, but decides nothing."""
REASON_LETTERS: Final = (10, 500)


@dataclass(frozen=True)
class Actor:
    """Who looks or decides."""

    name: str
    role: str
    commune: str | None = None


@dataclass(frozen=True)
class Vote:
    """One officer's vote in the present round of a case."""

    officer: str
    role: str
    action: str


_ITEM: Final = ("confirm", "reject", "nobody")
ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "suspected_fraud": ("unfreeze", "reject", "nobody"),
    "dispute": _ITEM,
    "failed_challenge": _ITEM,
    "unproven": _ITEM,
    "unsure": _ITEM,
    "revision": _ITEM,
    "correction": ("accept", "decline"),
    "declaration": ("accept", "decline"),
    "review": ("confirm", "reject"),
}
"""What an officer may decide; what each does stands in `wording.CONSEQUENCES`."""


def needs_two(kind: str, round_: int) -> bool:
    """Does the case end by two officers only?

    >>> needs_two("dispute", 0), needs_two("unproven", 0), needs_two("unproven", 1)
    (True, False, True)
    """
    return kind in TWO_OFFICERS or round_ > 0


def agreed(kind: str, round_: int, votes: Sequence[Vote]) -> str | None:
    """The action that ends the case, or null while a vote is missing; `votes` of this round, oldest first."""
    latest = {vote.officer: vote for vote in votes}
    camps: defaultdict[str, list[Vote]] = defaultdict(list)
    for vote in latest.values():
        camps[vote.action].append(vote)
    return next((action for action, camp in camps.items() if _carries(camp, two=needs_two(kind, round_))), None)


def _carries(camp: Sequence[Vote], *, two: bool) -> bool:
    roles = [vote.role for vote in camp if vote.role in DECIDING_ROLES]
    return (len(roles) >= 2 and "second_reviewer" in roles) if two else bool(roles)


def in_reach(actor: Actor, commune: str | None) -> bool:
    """Is a case of this commune within the officer's limit?"""
    return actor.commune is None or (commune is not None and same_commune(actor.commune, commune))


def reachable(actor: Actor, communes: Iterable[str | None]) -> list[str | None]:
    """The spellings of communes (null: none) that the officer may see."""
    return [commune for commune in communes if in_reach(actor, commune)]


def check_reach(actor: Actor, commune: str | None) -> None:
    """Refuse a case outside the officer's commune."""
    if not in_reach(actor, commune):
        raise OutsideCommuneError


def check_reader(actor: Actor) -> None:
    """Refuse the personal text of a case to whoever decides nothing."""
    if actor.role not in DECIDING_ROLES:
        raise RoleError


def check_decision(actor: Actor, kind: str, action: str, reason: str) -> None:
    """Refuse a decision by the wrong role, of a kind the case does not have, or without a reason."""
    check_reader(actor)
    if action not in ACTIONS[kind]:
        raise NotThisActionError
    check_reason(reason)


def check_reason(reason: str) -> None:
    """Refuse an empty, a token or an endless reason."""
    least, most = REASON_LETTERS
    if not least <= len(reason.strip()) <= most:
        raise NoReasonError
