"""The scenarios for a service, run on the second implementation's own small service before they judge the real one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest

from tests.interop import conformance
from tests.interop.second import small_service
from tests.interop.second.envelope import party_of
from tests.interop.second.keys import STATUSES, SUITES, make_key_set
from tests.interop.second.server import Response
from tests.interop.second.small_service import Item, SmallService, new_service
from tests.interop.second.wire import UNACCEPTABLE
from tests.interop.world import PEERS, PeerKeys, World, open_world, provider

WAITING = {
    "slow_down_adds_five_seconds",
    "the_service_polls_no_faster_than_the_interval",
    "an_ask_that_goes_wrong_is_sent_again_and_asks_once",
    "an_answer_to_an_ask_that_is_no_json_is_no_answer",
}


def one_of_each() -> list:
    """The first case of every scenario that does not wait long; INTEROP=full is for all."""
    if os.environ.get("INTEROP") == "full":
        return conformance.service_scenarios()
    first = conformance.first_of_each(conformance.service_scenarios())
    return [scenario for scenario in first if scenario.name.partition("[")[0] not in WAITING]


@contextlib.contextmanager
def small_world(suite: str, **more) -> Iterator[tuple[World, SmallService]]:
    keys, service = PeerKeys.make(), new_service(suite, make_key_set(statuses=STATUSES))
    peers = tuple(party_of(f"urn:quychu:peer:{role}", role, getattr(keys, role)) for role in PEERS)
    with provider(keys).running() as vneid:
        service.meet(peers, vneid.url)
        with service.running():
            world = open_world(keys, vneid, service.url, vneid_suite=suite, calm_seconds=1.2, behind_seconds=0, **more)
            yield world, service


@pytest.fixture(scope="module", params=SUITES if os.environ.get("INTEROP") == "full" else SUITES[1:])
def outcomes(request) -> dict[str, conformance.Outcome]:
    with small_world(request.param, patience=15) as (world, _):
        return conformance.run_side_by_side(one_of_each(), world)


@pytest.mark.parametrize("scenario", one_of_each(), ids=lambda scenario: scenario.name)
def test_the_small_service_does_what_a_service_must(outcomes, scenario):
    assert not outcomes[scenario.name].problem, outcomes[scenario.name].problem


def forgets_what_it_saw(service: SmallService) -> None:
    service._inbox.seen = _Forgetful()


class _Forgetful(dict):
    def __setitem__(self, *_):
        pass


def takes_any_response(_: SmallService, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Item, "is_met_by", lambda *_: True)


def refuses_at_once(_: SmallService, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(small_service, "unacceptable", lambda _: Response(400, "application/problem+json", UNACCEPTABLE))


def asks_all_candidates_at_once(_: SmallService, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmallService, "_before", lambda *_: [])


def logs_no_answers(_: SmallService, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmallService, "_log_sent", lambda *_, **__: None)


def believes_any_reply(_: SmallService, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(small_service, "_check_reply", lambda *_: None)


def shows_leaves_in_another_order(service: SmallService, _: pytest.MonkeyPatch) -> None:
    service.log.add(event="state", outcome="accepted")
    service.log.leaves = _Reversed(service.log.leaves)


class _Reversed(list):
    def __getitem__(self, place):
        return super().__getitem__(place)[::-1]


def takes_pings_with_any_token(_: SmallService, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SmallService, "_pinged", lambda *_: True)


WRONGS: dict[str, Callable[[SmallService, pytest.MonkeyPatch], None]] = {
    "every_kind_refuses_a_second_use_of_a_jti[landcollect]": lambda service, _: forgets_what_it_saw(service),
    "a_wrong_response_opens_that_item_again_and_the_third_goes_to_an_officer": takes_any_response,
    "a_message_with_this_fault_gets_the_one_400_in_each_suite[four parts]": refuses_at_once,
    "an_item_released_by_one_candidate_goes_to_the_next[not_mine]": asks_all_candidates_at_once,
    "every_message_that_crossed_has_its_leaf": logs_no_answers,
    "a_reply_that_fails_a_check_changes_nothing[another citizen]": believes_any_reply,
    "the_root_of_the_leaves_is_the_root_of_the_checkpoint": shows_leaves_in_another_order,
    "whatever_is_wrong_with_a_ping_is_an_empty_401": takes_pings_with_any_token,
}


@pytest.mark.parametrize(("name", "spoil"), WRONGS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_service_that_does_wrong_is_caught(name, spoil, monkeypatch):
    (scenario,) = (s for s in conformance.service_scenarios() if s.name == name)
    with small_world(SUITES[0], patience=3) as (world, service):
        spoil(service, monkeypatch)
        world.engine().collect()
        with pytest.raises(AssertionError):
            conformance.run_for_service(scenario, world)
