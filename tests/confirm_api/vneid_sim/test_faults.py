"""Each knob does what it says, and does it again with the same seed."""

from __future__ import annotations

import time

import pytest

from confirm_api.vneid_sim.errors import SettingsError
from confirm_api.vneid_sim.faults import Faults
from confirm_api.vneid_sim.settings import FaultSettings
from exchange.errors import Refused
from tests.confirm_api.vneid_sim.test_provider import answered
from tests.confirm_api.vneid_sim.world import CITIZEN, Running, ask, item, wait_for


@pytest.fixture
def turned(world: Running):
    """Turn knobs for one test."""

    def turn(**knobs: object) -> None:
        world.driver.call("faults", knobs)

    yield turn
    world.simulator.reception.faults.turn(FaultSettings().model_dump())


def test_knobs_are_deterministic_and_do_not_disturb_each_other():
    alone, together = (Faults(FaultSettings(seed=3, error_share=0.4, lost_ping_share=0.4)) for _ in range(2))
    first = [alone.strikes("error") for _ in range(50)]
    second = []
    for _ in range(50):
        together.strikes("lost_ping")
        second.append(together.strikes("error"))
    assert first == second
    assert 5 < sum(first) < 35


def test_an_unknown_knob_or_a_share_above_one_is_refused_and_changes_nothing():
    faults = Faults(FaultSettings())
    for knobs in ({"eror_share": 1}, {"error_share": 1.5}, {"error_share": "much"}):
        with pytest.raises(SettingsError):
            faults.turn(knobs)
    assert faults.settings == FaultSettings()


def test_500_without_effect(world, turned):
    turned(error_share=1)
    before = world.driver.state()["requests"]
    answer, _ = world.service.send("landask+jwt", ask([item()]))
    assert answer.status == 500
    assert world.driver.state()["requests"] == before


def test_500_after_the_effect(world, turned):
    turned(lost_answer_share=1)
    message = ask([item()])
    answer, _ = world.service.send("landask+jwt", message)
    assert answer.status == 500
    turned(lost_answer_share=0)
    assert world.service.asked(message)[0] == 200
    asked = [one for one in world.driver.open_requests(5_000) if one["question_id"] == message["ask"]["question_id"]]
    assert len(asked) == 1


def test_a_forged_reply_is_not_believed(world, turned):
    auth_req_id = answered(world, ask([item()]))
    turned(wrong_signature_share=1)
    with pytest.raises(Refused, match="check 8"):
        world.service.fetched(auth_req_id)
    turned(wrong_signature_share=0)
    assert world.service.fetched(auth_req_id)["sub"] == CITIZEN


def test_a_slow_provider_answers_late(world, turned):
    turned(slow_share=1, slow_seconds=[0.3, 0.3])
    began = time.monotonic()
    world.service.id_of(ask([item()]))
    assert time.monotonic() - began >= 0.3


def test_a_clock_that_is_off_makes_replies_unacceptable(world, turned):
    auth_req_id = answered(world, ask([item()]))
    turned(clock_off_seconds=-3)
    assert world.service.fetched(auth_req_id)["sub"] == CITIZEN
    turned(clock_off_seconds=300)
    assert world.service.send("landask+jwt", ask([item()]))[0].status == 400


def test_a_lost_ping_never_comes_and_a_doubled_one_comes_twice(world, turned):
    turned(lost_ping_share=1)
    lost = answered(world, ask([item()]))
    wait_for(lambda: world.driver.state()["outbox"].get("ping") is None)
    turned(lost_ping_share=0, double_ping_share=1)
    doubled = answered(world, ask([item()]))
    wait_for(lambda: [one for one, _ in world.service.pings].count(doubled) == 2)
    assert lost not in {one for one, _ in world.service.pings}


def test_a_ping_that_is_held_back_is_overtaken(world, turned):
    turned(reordered_share=1, reordered_seconds=[0.4, 0.4])
    held = answered(world, ask([item()]))
    wait_for(lambda: world.driver.state()["faults"].get("reordered"))
    turned(reordered_share=0)
    overtaking = answered(world, ask([item()]))
    wait_for(lambda: held in [one for one, _ in world.service.pings])
    order = [one for one, _ in world.service.pings]
    assert order.index(overtaking) < order.index(held)
