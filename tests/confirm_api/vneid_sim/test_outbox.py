"""Pings, changes of answers and declarations arrive, whatever the service does meanwhile."""

from __future__ import annotations

from exchange.kinds import CALLBACK_PATH
from tests.confirm_api.vneid_sim.test_provider import answered
from tests.confirm_api.vneid_sim.world import CITIZEN, ask, item, mine, running, wait_for

REVISIONS, DECLARATIONS = "/v1/revisions", "/v1/declarations"


def changed(world, auth_req_id: str, item_id: str, verdict: str) -> None:
    said = [{"auth_req_id": auth_req_id, "answers": [{"item_id": item_id, "verdict": verdict}]}]
    assert world.driver.call("revise", said) == {"results": ["ok"]}


def test_a_change_waits_until_the_answer_was_fetched_and_then_arrives(world):
    message = ask([item(), item()])
    auth_req_id = answered(world, message)
    second = message["ask"]["items"][1]["item_id"]
    changed(world, auth_req_id, second, "not_mine")
    assert not any(opened.payload.get("revises") == auth_req_id for opened in world.service.heard)
    reply = world.service.fetched(auth_req_id)
    told = wait_for(lambda: [one.payload for one in world.service.heard if one.payload.get("revises") == auth_req_id])[
        0
    ]
    assert (told["sub"], told["acr"]) == (CITIZEN, "urn:vneid:level:2")
    assert told["answered_at"] > reply["answered_at"]
    assert [(one["item_id"], one["verdict"]) for one in told["answers"]] == [(second, "not_mine")]


def test_changes_of_one_request_go_in_their_order_with_their_own_second(world):
    message = ask([item()])
    auth_req_id, item_id = answered(world, message), message["ask"]["items"][0]["item_id"]
    world.service.fetched(auth_req_id)
    for verdict in ("not_mine", "unsure", "suspected_fraud"):
        changed(world, auth_req_id, item_id, verdict)

    def heard() -> list:
        return [one.payload for one in world.service.heard if one.payload.get("revises") == auth_req_id]

    wait_for(lambda: len(heard()) == 3)
    assert [one["answers"][0]["verdict"] for one in heard()] == ["not_mine", "unsure", "suspected_fraud"]
    assert len({one["answered_at"] for one in heard()}) == 3


def test_an_unanswered_request_cannot_be_changed(world):
    auth_req_id = world.service.id_of(ask([item()]))
    assert world.driver.call("revise", [{"auth_req_id": auth_req_id, "answers": []}]) == {"results": ["not-open"]}


def test_a_declaration_arrives_after_failures_and_its_status_is_kept(tmp_path):
    with running(tmp_path) as world:
        world.service.status_of = lambda path, count: 503 if path == DECLARATIONS and count < 3 else None
        declared = {"citizen_id": CITIZEN, "certificate_serial": "ad 654083", "parcel_address": None}
        declaration_id = world.driver.call("declare", [declared])["results"][0]
        wait_for(lambda: world.service.heard)
        assert world.service.heard[0].payload["certificate_serial"] == "AD 654083"
        assert world.service.heard[0].payload["declaration_id"] == declaration_id
        wait_for(lambda: world.driver.state()["outbox"] == {})
        assert world.driver.state()["sent"]["declare.later"] == 2


def test_a_declaration_that_is_refused_is_not_sent_again(tmp_path):
    with running(tmp_path) as world:
        world.service.status_of = lambda path, _count: 422 if path == DECLARATIONS else None
        world.driver.call("declare", [{"citizen_id": CITIZEN, "certificate_serial": "W 1"}])
        wait_for(lambda: world.driver.state()["sent"].get("declare.dead"))
        wait_for(lambda: world.driver.state()["outbox"] == {})
        assert world.service.calls == 1


def test_a_change_that_came_too_early_for_the_service_is_tried_again(tmp_path):
    with running(tmp_path) as world:
        world.service.status_of = lambda path, count: 422 if path == REVISIONS and count < 4 else None
        message = ask([item()])
        auth_req_id = answered(world, message)
        world.service.fetched(auth_req_id)
        changed(world, auth_req_id, message["ask"]["items"][0]["item_id"], "unsure")
        wait_for(lambda: world.service.heard)


def test_a_change_that_came_too_early_after_the_service_was_away_is_tried_again(tmp_path):
    with running(tmp_path) as world:
        first = iter([503, 503, 422])
        world.service.status_of = lambda path, _count: next(first, None) if path == REVISIONS else None
        message = ask([item()])
        auth_req_id = answered(world, message)
        world.service.fetched(auth_req_id)
        changed(world, auth_req_id, message["ask"]["items"][0]["item_id"], "unsure")
        wait_for(lambda: world.service.heard)


def test_a_failed_ping_is_tried_a_few_times_and_given_up(tmp_path):
    with running(tmp_path) as world:
        world.service.status_of = lambda path, _count: 500 if path == CALLBACK_PATH else None
        auth_req_id = answered(world, ask([item()]))
        wait_for(lambda: world.driver.state()["outbox"] == {})
        assert (world.service.calls, world.service.pings) == (2, [])
        assert world.service.fetched(auth_req_id)["auth_req_id"] == auth_req_id


def test_a_bad_receipt_is_no_receipt(tmp_path):
    with running(tmp_path) as world:
        world.service.status_of = lambda _path, count: 200 if count < 2 else None
        world.driver.call("declare", [{"citizen_id": CITIZEN, "certificate_serial": "W 1"}])
        wait_for(lambda: world.service.heard)


def test_driver_refuses_what_cannot_be_declared(world):
    assert world.driver.call("declare", [{"citizen_id": CITIZEN}])["results"][0].startswith("invalid: ")


def test_an_answer_with_a_bad_response_is_told_and_the_request_stays_open(world):
    message = ask([item()])
    auth_req_id = world.service.id_of(message)
    said = [mine(message["ask"]["items"][0]["item_id"], "12")]
    assert world.driver.answer([{"auth_req_id": auth_req_id, "answers": said}]) == ["answer: length"]
    assert world.service.fetched(auth_req_id) == "authorization_pending"
