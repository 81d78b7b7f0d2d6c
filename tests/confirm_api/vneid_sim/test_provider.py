"""The provider over real HTTP: /bc-authorize, /token, /cancel, the ping."""

from __future__ import annotations

import json
import time
import urllib.request

import pytest

from exchange.ids import new_id, new_token
from exchange.kinds import JWKS_PATH
from exchange.sealed.keys import JwkSet
from tests.confirm_api.vneid_sim.world import (
    CITIZEN,
    DAY,
    NEIGHBOUR,
    Running,
    ask,
    item,
    mine,
    running,
    wait_for,
)


def answered(world: Running, message: dict, response: str | None = "1234") -> str:
    auth_req_id = world.service.id_of(message)
    answers = [mine(one["item_id"], response) for one in message["ask"]["items"]]
    assert world.driver.answer([{"auth_req_id": auth_req_id, "answers": answers}]) == ["ok"]
    return auth_req_id


def test_a_question_is_asked_answered_pinged_and_fetched(world):
    message = ask([item(), item(serial_known=False)])
    status, answer = world.service.asked(message)
    assert status == 200
    assert answer.keys() == {"auth_req_id", "expires_in", "interval"}
    assert answer["expires_in"] == 20 * DAY
    auth_req_id = answer["auth_req_id"]
    assert world.service.fetched(auth_req_id) == "authorization_pending"
    one, other = (asked["item_id"] for asked in message["ask"]["items"])
    said = [mine(one, " 90 83"), {"item_id": other, "verdict": "not_mine"}]
    assert world.driver.answer([{"auth_req_id": auth_req_id, "answers": said}]) == ["ok"]
    wait_for(lambda: (auth_req_id, message["client_notification_token"]) in world.service.pings)
    reply = world.service.fetched(auth_req_id)
    assert reply["question_id"] == message["ask"]["question_id"]
    assert (reply["sub"], reply["acr"], reply["attempt"]) == (CITIZEN, "urn:vneid:level:2", 1)
    assert [(said["verdict"], said["challenge_response"]) for said in reply["answers"]] == [
        ("mine", "9083"),
        ("not_mine", None),
    ]


def test_the_same_reply_is_given_again_sealed_anew(world):
    auth_req_id = answered(world, ask([item()]))
    assert world.service.fetched(auth_req_id) == world.service.fetched(auth_req_id)


def test_the_same_ask_again_gives_the_same_id_and_the_last_token_is_pinged(world):
    message = ask([item()])
    again = message | {"client_notification_token": new_token()}
    assert world.service.id_of(message) == world.service.id_of(again)
    assert world.driver.state()["requests"]["open"] >= 1
    auth_req_id = answered(world, again)
    wait_for(lambda: (auth_req_id, again["client_notification_token"]) in world.service.pings)
    assert (auth_req_id, message["client_notification_token"]) not in world.service.pings


def test_an_ask_again_after_the_answer_is_pinged_with_its_own_token(world):
    message = ask([item()])
    auth_req_id = answered(world, message)
    again = message | {"client_notification_token": new_token()}
    assert world.service.id_of(again) == auth_req_id
    wait_for(lambda: (auth_req_id, again["client_notification_token"]) in world.service.pings)


@pytest.mark.parametrize("change", ["items", "citizen", "more items"])
def test_other_content_under_a_known_attempt_is_invalid_request(world, change):
    message = ask([item()])
    world.service.id_of(message)
    asked = message["ask"]
    other = {
        "items": message | {"ask": asked | {"items": [item()]}},
        "citizen": message | {"login_hint": NEIGHBOUR},
        "more items": message | {"ask": asked | {"items": [*asked["items"], item()]}},
    }[change]
    assert world.service.asked(other) == (400, {"error": "invalid_request"})


def test_another_binding_message_or_expiry_is_still_the_same_ask(world):
    message = ask([item()])
    assert world.service.id_of(message) == world.service.id_of(message | {"requested_expiry": 60})


def test_an_unknown_challenge_is_invalid_request_and_not_a_payload_fault(world):
    asked = item() | {"challenge": {"kind": "land_tax_number", "length": 4}}
    assert world.service.asked(ask([asked])) == (400, {"error": "invalid_request"})
    malformed = item() | {"challenge": {"kind": "certificate_suffix", "length": "4"}}
    assert world.service.asked(ask([malformed]))[0] == 422


def test_accounts_decide_who_can_be_asked(world):
    nobody, low = "045070000001", "045070000002"
    assert world.driver.call("accounts", {nobody: 0, low: 1}) == {"accounts": 2}
    assert world.service.asked(ask([item()], nobody)) == (400, {"error": "unknown_user_id"})
    assert world.service.asked(ask([item()], low)) == (400, {"error": "access_denied"})


def test_who_polls_too_fast_is_told_to_slow_down_but_never_kept_from_a_reply(world):
    message = ask([item()])
    auth_req_id = world.service.id_of(message)
    polls = [world.service.fetched(auth_req_id) for _ in range(2)]
    assert polls == ["authorization_pending", "slow_down"]
    answered(world, message)
    assert world.service.fetched(auth_req_id)["auth_req_id"] == auth_req_id


def test_an_unknown_request_is_invalid_grant(world):
    assert world.service.fetched(new_id()) == "invalid_grant"


def test_a_declined_request_is_pinged_and_access_denied(world):
    message = ask([item()])
    auth_req_id = world.service.id_of(message)
    assert world.driver.answer([{"auth_req_id": auth_req_id, "decline": True}]) == ["ok"]
    wait_for(lambda: any(ping[0] == auth_req_id for ping in world.service.pings))
    assert world.service.fetched(auth_req_id) == "access_denied"


def test_a_request_has_one_reply_for_ever(world):
    message = ask([item()])
    auth_req_id = answered(world, message)
    later = [{"item_id": message["ask"]["items"][0]["item_id"], "verdict": "not_mine"}]
    again = [{"auth_req_id": auth_req_id, "answers": later}, {"auth_req_id": auth_req_id, "decline": True}]
    assert world.driver.answer(again) == ["not-open", "not-open"]
    assert world.service.fetched(auth_req_id)["answers"][0]["verdict"] == "mine"


def cancelled(world: Running, auth_req_id: str, question_id: str, reason: str = "withdrawn") -> int | dict:
    answer, sent = world.service.send(
        "landcancel+jwt", {"auth_req_id": auth_req_id, "question_id": question_id, "reason": reason}
    )
    return answer.status if answer.status != 200 else world.service.opened(answer, "landcancel-receipt+jwt", sent.jti)


def test_a_cancelled_request_is_gone_and_its_receipt_comes_again(world):
    message = ask([item()])
    auth_req_id = world.service.id_of(message)
    question_id = message["ask"]["question_id"]
    receipts = [cancelled(world, auth_req_id, question_id) for _ in range(2)]
    assert receipts == [{"auth_req_id": auth_req_id}] * 2
    assert world.service.fetched(auth_req_id) == "expired_token"
    assert world.driver.answer([{"auth_req_id": auth_req_id, "decline": True}]) == ["not-open"]
    assert cancelled(world, auth_req_id, question_id, "frozen") == 422


def test_cancelling_an_unknown_request_gives_a_receipt(world):
    auth_req_id = new_id()
    assert cancelled(world, auth_req_id, new_id()) == {"auth_req_id": auth_req_id}


def test_a_cancel_for_another_question_is_refused(world):
    assert cancelled(world, world.service.id_of(ask([item()])), new_id()) == 422


def test_a_cancel_after_the_answer_leaves_the_reply(world):
    message = ask([item()])
    auth_req_id = answered(world, message)
    assert cancelled(world, auth_req_id, message["ask"]["question_id"]) == {"auth_req_id": auth_req_id}
    assert world.service.fetched(auth_req_id)["auth_req_id"] == auth_req_id


def test_a_newer_attempt_takes_the_older_away_and_an_older_one_that_comes_late_stays_away(world):
    items, question_id = [item()], new_id()
    first = world.service.id_of(ask(items, question_id=question_id, attempt=2))
    newer = world.service.id_of(ask(items, question_id=question_id, attempt=3))
    late = world.service.id_of(ask(items, question_id=question_id, attempt=1))
    found = [world.service.fetched(one) for one in (first, newer, late)]
    assert found == ["expired_token", "authorization_pending", "expired_token"]


def test_the_keys_are_published_without_their_private_parts(world):
    with urllib.request.urlopen(world.url + JWKS_PATH) as answer:
        assert answer.headers["content-type"] == "application/jwk-set+json"
        assert JwkSet.parse(answer.read()) == world.service.sim_keys


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = time.time()

    def __call__(self) -> float:
        return self.at


def test_a_reply_is_given_until_seven_days_after_the_end_and_then_no_more(tmp_path):
    clock = Clock()
    with running(tmp_path, clock=clock) as world:
        message = ask([item()], requested_expiry=DAY)
        auth_req_id = answered(world, message)
        open_id = world.service.id_of(ask([item()], requested_expiry=DAY))
        clock.at += DAY
        assert world.service.fetched(open_id) == "expired_token"
        assert world.driver.open_requests() == []
        clock.at += 7 * DAY
        assert world.service.fetched(auth_req_id)["auth_req_id"] == auth_req_id
        clock.at += 10
        assert [world.service.fetched(one) for one in (auth_req_id, open_id)] == ["invalid_grant"] * 2


def test_a_provider_may_end_a_request_earlier_than_asked(tmp_path):
    with running(tmp_path, provider={"longest_request_days": 2}) as world:
        assert world.service.asked(ask([item()]))[1]["expires_in"] == 2 * DAY


def test_the_other_suite_is_answered_in_its_own(tmp_path):
    service = {"jwks": tmp_path / "service.jwks.json", "suite": "modern-25519"}
    with running(tmp_path) as world:
        world.service.suite = service["suite"]
        auth_req_id = answered(world, ask([item()]))
        assert world.service.fetched(auth_req_id)["auth_req_id"] == auth_req_id


def test_json_errors_are_exactly_one_member(world):
    answer, _ = world.service.send("landask+jwt", ask([]))
    assert (answer.status, answer.content_type, json.loads(answer.body)) == (
        400,
        "application/json",
        {"error": "invalid_request"},
    )
