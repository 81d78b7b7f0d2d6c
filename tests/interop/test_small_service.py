"""The scenarios for a service, run on the second implementation's own small service before they judge the real one."""

from __future__ import annotations

import os

import pytest

from tests.interop import conformance
from tests.interop.second.envelope import party_of
from tests.interop.second.keys import STATUSES, SUITES, make_key_set
from tests.interop.second.small_service import new_service
from tests.interop.world import PEERS, PeerKeys, World, open_world, provider

WAITING = {
    "slow_down_adds_five_seconds",
    "the_service_polls_no_faster_than_the_interval",
    "an_ask_that_goes_wrong_is_sent_again_and_asks_once",
    "an_answer_to_an_ask_that_is_no_json_is_no_answer",
}


def one_of_each() -> list:
    """The first case of every scenario that does not wait long; INTEROP=full is for all."""
    scenarios = conformance.service_scenarios()
    if os.environ.get("INTEROP") == "full":
        return scenarios
    first = {scenario.name.partition("[")[0]: scenario for scenario in reversed(scenarios)}
    return [scenario for name, scenario in reversed(first.items()) if name not in WAITING]


@pytest.fixture(scope="module", params=SUITES if os.environ.get("INTEROP") == "full" else SUITES[1:])
def world(request) -> World:
    keys, service = PeerKeys.make(), new_service(request.param, make_key_set(statuses=STATUSES))
    peers = tuple(party_of(f"urn:quychu:peer:{role}", role, getattr(keys, role)) for role in PEERS)
    with provider(keys).running() as vneid:
        service.meet(peers, vneid.url)
        with service.running():
            yield open_world(
                keys, vneid, service.url, vneid_suite=request.param, patience=15, calm_seconds=1.2, behind_seconds=0
            )


@pytest.mark.parametrize("scenario", one_of_each(), ids=lambda scenario: scenario.name)
def test_the_small_service_does_what_a_service_must(world, scenario):
    conformance.run_for_service(scenario, world)
