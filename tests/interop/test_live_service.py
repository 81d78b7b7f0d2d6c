"""`quychu serve` between the second implementation's engine, police and provider: both directions, both suites.

Rules
- The scenarios of a suite run side by side against one service; a test here tells how one of them went.
- By default the first case of each scenario runs, and of those about every kind each kind, in each suite; those that
  wait long in the first suite only. INTEROP=full is for every case in both, also the slow one.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
from collections.abc import Callable, Iterator

import pytest

from tests.interop import conformance
from tests.interop.conformance.base import Scenario
from tests.interop.processes import service
from tests.interop.second.keys import SUITES
from tests.interop.world import PeerKeys, World, open_world, provider

FULL = os.environ.get("INTEROP") == "full"
MINOR = "001215000001"
"""A boy of Hà Nội born in 2015."""

pytestmark = pytest.mark.timeout(900 if FULL else 300)  # the first test of a suite waits for all of it


WAITING = {
    "a_plain_error_never_answers_a_question",
    "a_reply_must_answer_every_asked_item_exactly_once",
    "a_reply_that_crosses_the_cancel_settles_nothing",
    "a_request_that_ends_before_its_question_is_opened_again",
    "a_wrong_response_opens_that_item_again_and_the_third_goes_to_an_officer",
    "any_other_answer_to_an_ask_is_a_dead_letter_at_once",
    "slow_down_adds_five_seconds",
    "the_service_polls_no_faster_than_the_interval",
}


def chosen() -> list[tuple[str, Scenario[World]]]:
    every = conformance.service_scenarios(slow=FULL)
    if FULL:
        return list(itertools.product(SUITES, every))
    first = conformance.first_of_each(every)
    quick = [scenario for scenario in first if scenario.name.partition("[")[0] not in WAITING]
    return [(SUITES[0], scenario) for scenario in first] + [(SUITES[1], scenario) for scenario in quick]


@contextlib.contextmanager
def live_world(folder, suite: str) -> Iterator[World]:
    keys = PeerKeys.make()
    keys.write(folder)
    with provider(keys).running() as vneid, service(folder, vneid.url, suite) as live:
        jwks = json.loads((folder / "service.jwks.json").read_text())
        yield open_world(keys, vneid, live.url, jwks, vneid_suite=suite, not_askable=(MINOR,))


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory) -> Callable[[str], dict[str, conformance.Outcome]]:
    items = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    wanted = [item.callspec.params for item in items]

    @functools.cache
    def of(suite: str) -> dict[str, conformance.Outcome]:
        mine = [params["scenario"] for params in wanted if params["suite"] == suite]
        with live_world(tmp_path_factory.mktemp(suite), suite) as world:
            return conformance.run_side_by_side(mine, world)

    return of


@pytest.mark.parametrize(("suite", "scenario"), chosen(), ids=lambda value: getattr(value, "name", value))
def test_the_service_does_what_a_service_must(outcomes, suite, scenario):
    problem = outcomes(suite)[scenario.name].problem
    assert not problem, problem
