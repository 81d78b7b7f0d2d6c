"""How scenarios are named and gathered, and the words they share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tests.interop.second import wire
from tests.interop.second.engine import parcel, question
from tests.interop.second.envelope import Sealed
from tests.interop.second.keys import SUITES
from tests.interop.second.vneid import Asked, Policy
from tests.interop.world import Expected, World

W = TypeVar("W")
QUICK = Policy(interval=1)


@dataclass(frozen=True)
class Scenario(Generic[W]):
    """One sentence about the protocol that holds or does not."""

    name: str
    run: Callable[[W], None]
    slow: bool = False
    reading: str = ""
    """How the page was read where it leaves a choice; a failure may be a matter of reading."""


class Gathering(Generic[W]):
    """Scenarios in the order they were written."""

    def __init__(self) -> None:
        self.scenarios: list[Scenario[W]] = []

    def scenario(self, run: Callable[[W], None]) -> Callable[[W], None]:
        """Gather this function."""
        self.scenarios.append(Scenario(run.__name__, run))
        return run

    def slow(self, run: Callable[[W], None]) -> Callable[[W], None]:
        """Gather this function, which takes more than a minute."""
        self.scenarios.append(Scenario(run.__name__, run, slow=True))
        return run

    def reading(self, sentence: str) -> Callable[[Callable[[W], None]], Callable[[W], None]]:
        """Gather this function, which rests on this reading of the page."""

        def gather(run: Callable[[W], None]) -> Callable[[W], None]:
            self.scenarios.append(Scenario(run.__name__, run, reading=sentence))
            return run

        return gather

    def in_each_suite(self, run: Callable[[W, str], None]) -> Callable[[W, str], None]:
        """Gather this function once for each suite."""
        return self.for_each(*SUITES)(run)

    def for_each(self, *cases: Any) -> Callable[[Callable[[W, Any], None]], Callable[[W, Any], None]]:
        """Gather this function once for each case; a tuple is named by its first member."""

        def gather(run: Callable[[W, Any], None]) -> Callable[[W, Any], None]:
            for case in cases:
                bound = functools.partial(_with_case, run, case)
                self.scenarios.append(Scenario(f"{run.__name__}[{_name(case)}]", bound))
            return run

        return gather


def _with_case(run: Callable[[W, Any], None], case: object, world: W) -> None:
    run(world, case)


def _name(case: object) -> str:
    if isinstance(case, tuple):
        return _name(case[0])
    return str(getattr(case, "name", case))


def assert_unacceptable(answer: wire.Answer) -> None:
    """The one 400, byte for byte, not before 50 ms."""
    assert answer.status == 400, f"expected 400, found {answer.status}"
    assert answer.media_type.lower() == "application/problem+json", answer.media_type
    assert answer.body == wire.UNACCEPTABLE, f"expected the bytes of section 2, found {answer.body[:200]!r}"
    assert answer.seconds >= 0.05, f"answered after {answer.seconds * 1000:.1f} ms"


def assert_refused(world: World, sealed: Sealed, answer: wire.Answer, check: int | None) -> None:
    """Unacceptable, and its leaf must name the check."""
    assert_unacceptable(answer)
    if check != 1 and sealed.body:
        # A body too large or empty may have no hash in its leaf.
        reason = None if check is None else str(check)
        world.expected[sealed.sha256] = Expected("refused", reason)


def assert_invalid(answer: wire.Answer) -> None:
    """422 with a detail."""
    assert answer.status == 422, f"expected 422, found {answer.status} {answer.body[:200]!r}"
    assert answer.media_type.lower() == "application/problem+json", answer.media_type
    problem = answer.json()
    assert problem["type"] == "urn:quychu:problem:invalid-payload", problem["type"]
    assert problem["status"] == 422, problem
    assert isinstance(problem["detail"], str), "no detail"
    assert problem["detail"], "an empty detail"


@dataclass(frozen=True)
class Case:
    """One question about one parcel, brought to its citizen."""

    world: World
    citizen_id: str
    question: dict[str, Any]
    item_id: str

    @property
    def question_id(self) -> str:
        """The id of the question."""
        return str(self.question["question_id"])

    def asked(self, attempt: int = 1) -> Asked:
        """The request in the app."""
        return self.world.asked(self.citizen_id, attempt)

    def ends(self, *states: str) -> dict[str, Any]:
        """The entry once the item has one of these states."""
        return self.world.wait_for_state(self.question_id, self.item_id, *states)


def one_question(world: World, policy: Policy = QUICK, *, suite: str = SUITES[0], **changes: Any) -> Case:
    """Post a question about one parcel to a citizen nobody ever asked."""
    citizen_id = world.citizen(policy)
    land = parcel(**changes)
    posted = question(citizen_id, land)
    receipt = world.post(posted, suite=suite)
    assert receipt["accepted"] == [posted["question_id"]], receipt
    return Case(world, citizen_id, posted, land["item_id"])
