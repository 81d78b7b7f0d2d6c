"""Questions that go to a citizen and come back: a live service between our engine and our provider.

Rules
- Each scenario asks citizens nobody asked before, so that scenarios do not meet.
- The citizen knows the serial `BK 987654` of `engine.parcel`; the last four signs are the challenge.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from tests.interop.conformance.base import QUICK, Case, Gathering, assert_invalid, one_question
from tests.interop.conformance.envelope_cases import changed, declaration
from tests.interop.second.engine import parcel, question
from tests.interop.second.envelope import Twist, new_id
from tests.interop.second.keys import MODERN, P256, make_key
from tests.interop.second.police import RESIDENCE
from tests.interop.second.police import case as police_case
from tests.interop.second.server import Response, plain
from tests.interop.second.vneid import DECLARATIONS, GOOD_ACR, REVISIONS, Asked, Fault, Policy, verdict
from tests.interop.world import World

GATHERING: Final[Gathering[World]] = Gathering()
SUFFIX: Final = "7654"
DAWDLING: Final = Policy(interval=60)


def say(case: Case, said: str, response: str | None = None, attempt: int = 1, **changes: Any) -> Asked:
    """The citizen answers the one item of this attempt."""
    asked = case.asked(attempt)
    case.world.provider.answer(asked, [verdict(case.item_id, said, response)], **changes)
    return asked


def assert_entry(entry: dict[str, Any], state: str, said: str | None, level: str) -> None:
    """All that an entry says."""
    proven = said == "mine" and level in {"challenge", "officer"}
    found = (entry["state"], entry["verdict"], entry["evidence_level"], entry["proven"])
    assert found == (state, said, level, proven), entry
    assert (entry["answered_at"] is None) is (said is None), entry


# What is asked


@GATHERING.scenario
def the_ask_is_masked_and_in_the_suite_of_the_settings(world: World) -> None:
    case = one_question(world, co_owner_name="Nguyễn Thị Bích Ngọc", hamlet="Số 12 đường Trần Phú, Ấp Bình Lợi")
    asked = case.asked()
    assert asked.suites == [world.vneid_suite], asked.suites
    assert asked.attempt == 1
    (item,) = asked.ask["items"]
    assert item["challenge"] == {"kind": "certificate_suffix", "length": 4}, item
    facts = {fact["label"]: fact["value"] for fact in item["facts"]}
    assert len(facts) == len(item["facts"]), "a label stands twice"
    told = " ".join(facts.values())
    for secret in ("987654", "7654", "Số 12", "Nguyễn", "Bích Ngọc", "1234.5", "1.234,5", "1234,5", case.citizen_id):
        assert secret not in told, f"the facts tell {secret}"
    assert "2012" in facts["certificate"], facts
    assert "BK" in facts["certificate"], facts
    assert "Vĩnh Thạnh" in facts["commune"], facts
    assert "1230" in facts["area"].replace(".", "").replace(" ", ""), facts


@GATHERING.for_each(("no serial", None), ("three signs", "BK7"), ("three signs and blanks", "B K 7"))
def without_a_long_enough_serial_there_is_no_challenge(world: World, case: tuple[str, str | None]) -> None:
    asked = one_question(world, certificate_serial=case[1]).asked()
    assert asked.ask["items"][0]["challenge"] == {"kind": "none", "length": 0}, asked.ask["items"][0]["challenge"]


@GATHERING.scenario
def one_question_asks_all_its_parcels_at_once(world: World) -> None:
    citizen_id = world.citizen(QUICK)
    posted = question(citizen_id, parcel(), parcel(certificate_serial=None), parcel())
    world.post(posted)
    asked = world.asked(citizen_id)
    assert asked.items == [land["item_id"] for land in posted["parcels"]], asked.items


@GATHERING.scenario
def a_citizen_has_one_open_question_and_the_next_follows_its_end(world: World) -> None:
    citizen_id = world.citizen(QUICK)
    first, second = question(citizen_id), question(citizen_id)
    world.post(first)
    asked = world.asked(citizen_id)
    world.post(second)
    world.stay_calm()
    assert [r.question_id for r in _requests(world, citizen_id)] == [first["question_id"]], "two questions are open"
    world.provider.answer(asked, [verdict(asked.items[0], "not_mine")])
    world.provider.wait(lambda: len(_requests(world, citizen_id)) == 2, world.patience, "the second question")
    assert _requests(world, citizen_id)[1].question_id == second["question_id"]


def _requests(world: World, citizen_id: str) -> list[Asked]:
    return [asked for asked in list(world.provider.requests.values()) if asked.citizen_id == citizen_id]


# What the citizen says


@GATHERING.for_each("7654", "76 54", " 7654 ")
def mine_with_the_challenge_met_settles_the_item(world: World, response: str) -> None:
    case = one_question(world)
    say(case, "mine", response)
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")


@GATHERING.for_each("o1ab", "0IAB", "O 1 a b", "0iaB")
def a_response_is_compared_in_capitals_without_blanks_and_look_alikes_are_equal(world: World, response: str) -> None:
    case = one_question(world, certificate_serial="CS 99 OI AB")
    say(case, "mine", response)
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")


@GATHERING.scenario
def mine_without_a_response_goes_to_an_officer(world: World) -> None:
    case = one_question(world)
    say(case, "mine")
    assert_entry(case.ends("office", "settled"), "office", "mine", "tap")


@GATHERING.scenario
def mine_where_no_challenge_was_set_goes_to_an_officer(world: World) -> None:
    case = one_question(world, certificate_serial=None)
    say(case, "mine")
    assert_entry(case.ends("office", "settled"), "office", "mine", "tap")


@GATHERING.for_each(("not_mine", "settled"), ("unsure", "office"), ("suspected_fraud", "office"))
def a_verdict_without_proof_ends_where_section_4_says(world: World, case: tuple[str, str]) -> None:
    said, state = case
    posted = one_question(world)
    say(posted, said)
    assert_entry(posted.ends(state), state, said, "tap")


@GATHERING.reading("a frozen question is office with all its items, also one that was proven in the same reply")
def suspected_fraud_freezes_the_whole_question(world: World) -> None:
    citizen_id = world.citizen(QUICK)
    posted = question(citizen_id, parcel(), parcel())
    world.post(posted)
    asked = world.asked(citizen_id)
    one, two = asked.items
    world.provider.answer(asked, [verdict(one, "suspected_fraud"), verdict(two, "mine", SUFFIX)])
    for item_id in (one, two):
        assert world.wait_for_state(posted["question_id"], item_id, "office", "settled")["state"] == "office"


@GATHERING.scenario
def corrections_are_taken_and_change_nothing(world: World) -> None:
    case = one_question(world)
    asked = case.asked()
    corrections = [{"field": "transferred_to", "value": "Trần Văn B"}, {"field": "address", "value": "Ấp 3"}]
    world.provider.answer(asked, [verdict(case.item_id, "not_mine", corrections=corrections)])
    assert_entry(case.ends("settled"), "settled", "not_mine", "tap")


@GATHERING.scenario
def a_wrong_response_opens_that_item_again_and_the_third_goes_to_an_officer(world: World) -> None:
    citizen_id = world.citizen(QUICK)
    posted = question(citizen_id, parcel(), parcel())
    world.post(posted)
    first = world.asked(citizen_id)
    wrong, right = first.items
    world.provider.answer(first, [verdict(wrong, "mine", "0000"), verdict(right, "mine", SUFFIX)])
    assert_entry(world.wait_for_state(posted["question_id"], right, "settled"), "settled", "mine", "challenge")
    for attempt in (2, 3):
        asked = world.asked(citizen_id, attempt)
        assert asked.items == [wrong], "only the item with the wrong response is asked again"
        assert asked.question_id == posted["question_id"]
        assert asked.binding_message == first.binding_message, "the binding message stays"
        assert asked.auth_req_id != first.auth_req_id
        world.provider.answer(asked, [verdict(wrong, "mine", "0000")])
    assert_entry(world.wait_for_state(posted["question_id"], wrong, "office"), "office", "mine", "tap")
    world.stay_calm()
    assert world.provider.find(citizen_id, 4) is None, "asked a fourth time"


@GATHERING.scenario
def a_right_response_after_two_wrong_ones_settles(world: World) -> None:
    case = one_question(world)
    for attempt, response in ((1, "1111"), (2, "2222"), (3, SUFFIX)):
        say(case, "mine", response, attempt)
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")


@GATHERING.scenario
def a_citizen_who_declines_ends_the_question(world: World) -> None:
    case = one_question(world)
    world.provider.deny(case.asked())
    assert_entry(case.ends("declined"), "declined", None, "none")


# The ping and the polling


@GATHERING.scenario
def a_lost_ping_costs_only_time(world: World) -> None:
    case = one_question(world)
    say(case, "mine", SUFFIX, ping=False)
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")


@GATHERING.scenario
def the_service_polls_no_faster_than_the_interval(world: World) -> None:
    case = one_question(world, Policy(interval=2))
    asked = case.asked()
    world.provider.wait(lambda: len(asked.fetches) >= 4, world.patience, "four polls")
    gaps = [later - earlier for earlier, later in zip(asked.fetches, asked.fetches[1:], strict=False)]
    assert min(gaps) >= 1.9, gaps


@GATHERING.scenario
def slow_down_adds_five_seconds(world: World) -> None:
    case = one_question(world, Policy(interval=1))
    world.provider.spoil(case.citizen_id, "/token", Fault(lambda _: plain(400, {"error": "slow_down"})))
    asked = case.asked()
    world.provider.wait(lambda: len(asked.fetches) >= 2, world.patience, "a poll after slow_down")
    gaps = [later - earlier for earlier, later in zip(asked.fetches, asked.fetches[1:], strict=False)]
    assert min(gaps) >= 5.9, gaps


@GATHERING.scenario
def a_ping_brings_a_fetch_before_the_interval_is_over(world: World) -> None:
    case = one_question(world, DAWDLING)
    asked = case.asked()
    world.provider.answer(asked, [verdict(case.item_id, "mine", SUFFIX)], ping=False)
    answer = world.provider.ping(asked)
    assert (answer.status, answer.body) == (204, b""), answer
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")
    again = world.provider.ping(asked)
    assert (again.status, again.body) == (204, b""), "a ping after the end is 204 too"


@GATHERING.scenario
def a_ping_without_an_answer_has_no_effect(world: World) -> None:
    case = one_question(world)
    assert world.provider.ping(case.asked()).status == 204
    world.stay_calm()
    assert world.state(case.question_id, case.item_id) is None


@GATHERING.scenario
def whatever_is_wrong_with_a_ping_is_an_empty_401(world: World) -> None:
    provider = world.provider
    one, other = one_question(world).asked(), one_question(world).asked()
    # A first poll shows that the service has read the answer to its ask and knows whose the ids are.
    provider.wait(lambda: bool(one.fetches and other.fetches), world.patience, "a poll of each")
    good, token = {"auth_req_id": one.auth_req_id}, one.tokens[-1]
    wrong = {
        "the token of another request": provider.callback(good, other.tokens[-1]),
        "an unknown token": provider.callback(good, new_id()),
        "no token": provider.callback(good, None),
        "an empty token": provider.callback(good, ""),
        "another scheme": provider.callback(good, token, scheme="Basic"),
        "an unknown auth_req_id": provider.callback({"auth_req_id": new_id()}, token),
        "no auth_req_id": provider.callback({}, token),
        "a member more": provider.callback({**good, "state": "ok"}, token),
        "a number": provider.callback({"auth_req_id": 1}, token),
        "a list": provider.callback([one.auth_req_id], token),
        "no JSON": provider.callback(b"{", token),
        "no body": provider.callback(b"", token),
        "a key twice": provider.callback(
            b'{"auth_req_id":"x",' + f'"auth_req_id":"{one.auth_req_id}"'.encode() + b"}", token
        ),
        "no UTF-8": provider.callback(b'{"auth_req_id":"\xff"}', token),
        "another content type": provider.callback(good, token, content_type="text/plain"),
    }
    found = {name: (answer.status, answer.body) for name, answer in wrong.items()}
    assert found == dict.fromkeys(wrong, (401, b"")), found
    assert provider.callback(good, token).status == 204


# Replies that must not count


BAD_REPLIES: Final[dict[str, dict[str, Any]]] = {
    "another question": {"question_id": "Q" * 32},
    "another attempt": {"attempt": 2},
    "an ask we never sent": {"ask_jti": "J" * 32},
    "another citizen": {"sub": "001080000009"},
    "level 1": {"acr": "urn:vneid:level:1"},
    "level 02": {"acr": "urn:vneid:level:02"},
    "a level that is no number": {"acr": "urn:vneid:level:two"},
    "another auth_req_id": {"auth_req_id": "R" * 32},
    "no answers": {"answers": []},
    "a field more": {"surprise": 1},
    "an answer for an item not asked": {"answers": [verdict("I" * 32, "mine", SUFFIX)]},
}
BAD_SEALS: Final[dict[str, Callable[[World], Twist]]] = {
    "another re": lambda _: Twist(claims=changed(re=new_id())),
    "no re": lambda _: Twist(claims=lambda good: {k: v for k, v in good.items() if k != "re"}),
    "a stranger's signature": lambda w: Twist(sign_with=w.keys.stranger.active(w.vneid_suite, "sig")),
    "the engine's signature": lambda w: Twist(sign_with=w.keys.engine.active(w.vneid_suite, "sig")),
    "another aud": lambda _: Twist(claims=changed(aud="urn:quychu:peer:engine")),
    "another rkt": lambda _: Twist(claims=changed(rkt="A" * 43)),
    "an old iat": lambda _: Twist(
        claims=lambda g: {**g, "iat": g["iat"] - 70, "nbf": g["nbf"] - 70, "exp": g["exp"] - 70}
    ),
    "another typ": lambda _: Twist(jws_header=changed(typ="landcancel-receipt+jwt")),
    "another recipient": lambda w: Twist(seal_to=make_key(w.vneid_suite, "enc")),
}


def assert_only_the_good_reply_counts(case: Case, asked: Asked) -> None:
    """Nothing happened so far; after a good reply the item is settled."""
    world = case.world
    world.provider.wait(lambda: len(asked.fetches) >= 2, world.patience, "a fetch after the bad reply")
    assert world.state(case.question_id, case.item_id) is None, "a bad reply had an effect"
    world.provider.policy(case.citizen_id, QUICK)
    world.provider.answer(asked, [verdict(case.item_id, "mine", SUFFIX)])
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")


@GATHERING.for_each(*BAD_REPLIES.items())
def a_reply_that_fails_a_check_changes_nothing(world: World, case: tuple[str, dict[str, Any]]) -> None:
    posted = one_question(world)
    asked = posted.asked()
    # Changes may name the answers, so the reply is put together by hand.
    asked.reply = {**world.provider.reply_content(asked, [verdict(posted.item_id, "mine", SUFFIX)]), **case[1]}
    world.provider.ping(asked)
    assert_only_the_good_reply_counts(posted, asked)


@GATHERING.for_each(*BAD_SEALS.items())
def a_reply_sealed_badly_changes_nothing(world: World, case: tuple[str, Callable[[World], Twist]]) -> None:
    posted = one_question(world, Policy(interval=1, on_reply=case[1](world)))
    asked = say(posted, "mine", SUFFIX)
    assert_only_the_good_reply_counts(posted, asked)


@GATHERING.scenario
def a_reply_must_answer_every_asked_item_exactly_once(world: World) -> None:
    citizen_id = world.citizen(QUICK)
    posted = question(citizen_id, parcel(), parcel())
    world.post(posted)
    asked = world.asked(citizen_id)
    one, two = asked.items
    for answers in ([one], [one, one], [one, two, two]):
        seen = len(asked.fetches)
        world.provider.answer(asked, [verdict(item_id, "not_mine") for item_id in answers])
        world.provider.wait(lambda seen=seen: len(asked.fetches) > seen + 1, world.patience, "a fetch")  # type: ignore[misc]
        assert world.state(posted["question_id"], one) is None, "an incomplete reply had an effect"
    world.provider.answer(asked, [verdict(two, "not_mine"), verdict(one, "not_mine")])
    for item_id in (one, two):
        assert_entry(world.wait_for_state(posted["question_id"], item_id, "settled"), "settled", "not_mine", "tap")


@GATHERING.for_each("not_mine", "unsure")
def a_challenge_response_without_mine_is_a_bad_reply(world: World, said: str) -> None:
    case = one_question(world)
    asked = say(case, said, SUFFIX)
    assert_only_the_good_reply_counts(case, asked)


@GATHERING.scenario
def a_reply_in_the_other_suite_changes_nothing(world: World) -> None:
    case = one_question(world)
    asked = case.asked()
    other = MODERN if world.vneid_suite == P256 else P256
    reply = world.provider.reply_content(asked, [verdict(case.item_id, "mine", SUFFIX)])
    body = world.provider.caller(other).seal("landreply+jwt", reply, twist=Twist(claims=changed(re=new_id()))).body
    bend = Fault(lambda _: Response(200, "application/jose", body))
    world.provider.spoil(case.citizen_id, "/token", bend)
    assert_only_the_good_reply_counts(case, asked)


@GATHERING.for_each(
    ("as plain JSON", "application/json", b'{"auth_req_id":"x"}'),
    ("as nothing", "application/jose", b""),
    ("as noise", "application/jose", b"a.b.c.d.e"),
    ("as a page", "text/html", b"<html></html>"),
)
def a_reply_that_is_no_message_changes_nothing(world: World, case: tuple[str, str, bytes]) -> None:
    posted = one_question(world)
    world.provider.spoil(posted.citizen_id, "/token", Fault(lambda _: Response(200, case[1], case[2])))
    assert_only_the_good_reply_counts(posted, posted.asked())


@GATHERING.for_each("authorization_pending", "expired_token", "invalid_grant", "surprise")
def a_plain_error_never_answers_a_question(world: World, error: str) -> None:
    case = one_question(world)
    world.provider.spoil(case.citizen_id, "/token", Fault(lambda _: plain(400, {"error": error})))
    case.asked()
    world.stay_calm()
    entry = world.state(case.question_id, case.item_id)
    assert entry is None or entry["verdict"] is None, entry


@GATHERING.scenario
def a_callback_cannot_carry_the_answer(world: World) -> None:
    case = one_question(world)
    asked = case.asked()
    content = {"auth_req_id": asked.auth_req_id, "answers": [verdict(case.item_id, "mine", SUFFIX)]}
    assert world.provider.callback(content, asked.tokens[-1]).status == 401
    world.stay_calm()
    assert world.state(case.question_id, case.item_id) is None


# Delivery


@GATHERING.for_each(
    ("its answer is lost", Fault()),
    ("it is lost itself", Fault(before_effect=True)),
    ("503", Fault(lambda _: Response(503, headers={"Retry-After": "1"}), before_effect=True)),
    ("429", Fault(lambda _: Response(429, headers={"Retry-After": "1"}), before_effect=True)),
    ("500", Fault(lambda _: Response(500), before_effect=True)),
)
def an_ask_that_goes_wrong_is_sent_again_and_asks_once(world: World, case: tuple[str, Fault]) -> None:
    citizen_id = world.citizen(QUICK)
    world.provider.spoil(citizen_id, "/bc-authorize", case[1])
    land = parcel()
    posted = question(citizen_id, land)
    world.post(posted)
    world.provider.wait(lambda: _asks(world, citizen_id) >= 2, world.patience, "the ask again")
    asked = world.asked(citizen_id)
    assert len(_requests(world, citizen_id)) == 1
    assert len(set(asked.ask_jtis)) == len(asked.ask_jtis), "each delivery has its own jti"
    assert len(set(asked.tokens)) == len(asked.tokens), "each delivery has its own token"
    world.provider.answer(asked, [verdict(land["item_id"], "mine", SUFFIX)], ask_jti=asked.ask_jtis[0])
    world.wait_for_state(posted["question_id"], land["item_id"], "settled")
    for token in asked.tokens:
        assert world.provider.ping(asked, token).status == 204, "earlier tokens stay good"


@GATHERING.reading("a 200 that is no answer is retried like an answer that fails a check of section 2")
def an_answer_to_an_ask_that_is_no_json_is_no_answer(world: World) -> None:
    bends = [Fault(lambda _: Response(200, "application/json", b"{"))]
    citizen_id = world.citizen(QUICK)
    world.provider.spoil(citizen_id, "/bc-authorize", *bends)
    world.post(question(citizen_id))
    world.provider.wait(lambda: _asks(world, citizen_id) >= 2, world.patience, "the ask again")


def _asks(world: World, citizen_id: str) -> int:
    return sum((a.path, a.citizen_id) == ("/bc-authorize", citizen_id) for a in list(world.provider.arrivals))


@GATHERING.for_each("unknown_user_id", "access_denied", "invalid_request")
def an_error_of_the_ask_makes_the_question_undeliverable(world: World, error: str) -> None:
    case = one_question(world, Policy(error=error))
    assert_entry(case.ends("undeliverable"), "undeliverable", None, "none")
    time.sleep(1)
    assert _asks(world, case.citizen_id) == 1, "sent again"


@GATHERING.for_each(("404", 404), ("403", 403), ("307", 307))
def any_other_answer_to_an_ask_is_a_dead_letter_at_once(world: World, case: tuple[str, int]) -> None:
    citizen_id = world.citizen(QUICK)
    location = {"Location": f"{world.provider.url}/elsewhere"} if case[1] == 307 else {}
    bend = Fault(lambda _: Response(case[1], headers=location), before_effect=True)
    world.provider.spoil(citizen_id, "/bc-authorize", *([bend] * 5))
    land = parcel()
    posted = question(citizen_id, land)
    world.post(posted)
    world.wait_for_state(posted["question_id"], land["item_id"], "undeliverable")
    world.stay_calm()
    assert _asks(world, citizen_id) == 1, "sent again"


@GATHERING.scenario
def a_request_that_ends_before_its_question_is_opened_again(world: World) -> None:
    case = one_question(world, Policy(interval=1, expires_in=3))
    first = case.asked()
    world.provider.policy(case.citizen_id, QUICK)
    second = case.asked(2)
    assert (second.question_id, second.items) == (first.question_id, first.items)
    assert second.binding_message == first.binding_message
    say(case, "mine", SUFFIX, attempt=2)
    assert_entry(case.ends("settled"), "settled", "mine", "challenge")


@GATHERING.slow
def a_question_nobody_answers_expires(world: World) -> None:
    citizen_id, land = world.citizen(QUICK), parcel()
    posted = question(citizen_id, land, expires_in=60)
    world.post(posted)
    asked = world.asked(citizen_id)
    assert asked.expires_in <= 60, "the request outlives its question"
    time.sleep(55)
    entry = world.wait_for_state(posted["question_id"], land["item_id"], "expired")
    assert_entry(entry, "expired", None, "none")


# Cancel


@GATHERING.scenario
def a_withdrawn_question_is_taken_out_of_the_app(world: World) -> None:
    case = one_question(world)
    asked = case.asked()
    world.engine().withdraw(case.question_id)
    world.provider.wait(lambda: asked.cancels == ["withdrawn"], world.patience, "the landcancel")
    assert_entry(case.ends("withdrawn"), "withdrawn", None, "none")


@GATHERING.scenario
def a_reply_that_crosses_the_cancel_settles_nothing(world: World) -> None:
    case = one_question(world, DAWDLING)
    asked = say(case, "mine", SUFFIX, ping=False)
    receipt = world.engine().withdraw(case.question_id)
    assert receipt["withdrawn"] == [case.question_id], receipt
    world.provider.wait(lambda: asked.cancels == ["withdrawn"], world.patience, "the landcancel")
    assert world.provider.ping(asked).status == 204
    world.stay_calm()
    entry = case.ends("withdrawn")
    assert entry["proven"] is False, entry
    assert [e["state"] for e in world.news() if e["question_id"] == case.question_id] == ["withdrawn"]


@GATHERING.scenario
def a_lost_cancel_is_sent_again(world: World) -> None:
    case = one_question(world, DAWDLING)
    asked = case.asked()
    world.provider.spoil(case.citizen_id, "/cancel", Fault())
    world.engine().withdraw(case.question_id)
    world.provider.wait(lambda: len(asked.cancels) == 2, world.patience, "the landcancel again")
    assert set(asked.cancels) == {"withdrawn"}


@GATHERING.scenario
def an_answered_question_is_too_late_to_withdraw(world: World) -> None:
    case = one_question(world)
    say(case, "mine", SUFFIX)
    case.ends("settled")
    receipt = world.engine().withdraw(case.question_id)
    assert receipt["too_late"] == [case.question_id], receipt
    assert case.ends("settled")["state"] == "settled"


@GATHERING.scenario
def a_declined_question_is_too_late_to_withdraw(world: World) -> None:
    case = one_question(world)
    world.provider.deny(case.asked())
    case.ends("declined")
    assert world.engine().withdraw(case.question_id)["too_late"] == [case.question_id]


# Ranks


def two_candidates(world: World) -> tuple[Case, Case]:
    """Two citizens who may both own one parcel; the second waits for the first."""
    item_id = new_id()
    first = one_question(world, item_id=item_id, rank=1)
    return first, one_question(world, item_id=item_id, rank=2)


@GATHERING.for_each("not_mine", "declined", "undeliverable", "withdrawn")
def an_item_released_by_one_candidate_goes_to_the_next(world: World, how: str) -> None:
    item_id = new_id()
    first = one_question(world, Policy(error="unknown_user_id") if how == "undeliverable" else QUICK, item_id=item_id)
    second = one_question(world, item_id=item_id, rank=2)
    if how != "undeliverable":
        asked = first.asked()
        time.sleep(2)
        assert world.provider.find(second.citizen_id) is None, "the second candidate was asked before the release"
        if how == "not_mine":
            say(first, "not_mine")
        elif how == "declined":
            world.provider.deny(asked)
        else:
            world.engine().withdraw(first.question_id)
    say(second, "mine", SUFFIX)
    assert_entry(second.ends("settled"), "settled", "mine", "challenge")


@GATHERING.for_each(("proven mine", "mine", SUFFIX), ("bare mine", "mine", None), ("unsure", "unsure", None))
def an_item_kept_by_one_candidate_ends_the_wait_of_the_next(world: World, case: tuple[str, str, str | None]) -> None:
    first, second = two_candidates(world)
    say(first, case[1], case[2])
    assert_entry(second.ends("withdrawn"), "withdrawn", None, "none")
    assert world.provider.find(second.citizen_id) is None, "the second candidate was asked all the same"


@GATHERING.scenario
def a_question_is_sent_with_its_free_items_and_the_released_ones_follow(world: World) -> None:
    first = one_question(world)
    citizen_id, free = world.citizen(QUICK), parcel()
    posted = question(citizen_id, free, parcel(item_id=first.item_id, rank=2))
    world.post(posted)
    asked = world.asked(citizen_id)
    assert asked.items == [free["item_id"]], asked.items
    world.provider.answer(asked, [verdict(free["item_id"], "mine", SUFFIX)])
    world.wait_for_state(posted["question_id"], free["item_id"], "settled")
    say(first, "not_mine")
    later = world.asked(citizen_id, 2)
    assert (later.question_id, later.items) == (posted["question_id"], [first.item_id])
    assert later.binding_message == asked.binding_message
    world.provider.answer(later, [verdict(first.item_id, "not_mine")])
    entry = world.wait_for_state(posted["question_id"], first.item_id, "settled")
    assert_entry(entry, "settled", "not_mine", "tap")


@GATHERING.scenario
def a_rank_that_nobody_posted_is_skipped(world: World) -> None:
    case = one_question(world, rank=7)
    assert case.asked().items == [case.item_id]


@GATHERING.scenario
def of_equal_ranks_the_earlier_accepted_comes_first(world: World) -> None:
    item_id = new_id()
    first = one_question(world, item_id=item_id, rank=1)
    second = one_question(world, item_id=item_id, rank=1)
    say(first, "not_mine")
    say(second, "not_mine")
    asked = [r.citizen_id for r in list(world.provider.requests.values()) if item_id in r.items]
    assert asked == [first.citizen_id, second.citizen_id]


@GATHERING.reading("a candidate of lower rank who is posted later is asked although a higher one has proven the item")
def two_proven_claims_on_one_item_are_disputed(world: World) -> None:
    item_id = new_id()
    late = one_question(world, item_id=item_id, rank=2)
    say(late, "mine", SUFFIX)
    late.ends("settled")
    early = one_question(world, item_id=item_id, rank=1)
    say(early, "mine", SUFFIX)
    assert early.ends("disputed", "settled", "office", "withdrawn")["state"] == "disputed"
    assert late.ends("disputed")["state"] == "disputed"


@GATHERING.reading("one posted behind a candidate who has proven the item ends as withdrawn at once, unasked")
def one_who_is_posted_behind_a_proven_claim_is_withdrawn(world: World) -> None:
    first = one_question(world, rank=1)
    say(first, "mine", SUFFIX)
    first.ends("settled")
    second = one_question(world, item_id=first.item_id, rank=2)
    assert_entry(second.ends("withdrawn"), "withdrawn", None, "none")
    assert world.provider.find(second.citizen_id) is None


@GATHERING.reading("one posted behind a candidate who was released is asked at once")
def one_who_is_posted_behind_a_released_item_is_asked(world: World) -> None:
    first = one_question(world, rank=1)
    say(first, "not_mine")
    first.ends("settled")
    assert one_question(world, item_id=first.item_id, rank=2).asked().items == [first.item_id]


# Revisions


def revision_of(asked: Asked, item_id: str, said: str, **changes: Any) -> dict[str, Any]:
    """The citizen takes back an answer."""
    return {
        "revises": asked.auth_req_id,
        "sub": asked.citizen_id,
        "acr": GOOD_ACR,
        "answers": [verdict(item_id, said)],
        "answered_at": int(time.time()),
        **changes,
    }


@GATHERING.in_each_suite
def a_revision_undoes_the_answer_and_goes_to_an_officer(world: World, suite: str) -> None:
    case = one_question(world)
    asked = say(case, "mine", SUFFIX)
    case.ends("settled")
    content = revision_of(asked, case.item_id, "not_mine")
    assert world.provider.revise(suite, content) == {"revises": asked.auth_req_id}
    entry = case.ends("office", "disputed")
    assert entry["state"] == "office", entry
    assert entry["proven"] is False, entry
    assert world.provider.revise(suite, content) == {"revises": asked.auth_req_id}, "the same again, the same answer"
    other = {**content, "answers": [verdict(case.item_id, "unsure")]}
    assert_invalid(world.provider.caller(suite).send(REVISIONS, "landrevise+jwt", other)[1])
    later = {**other, "answered_at": content["answered_at"] + 1}
    assert world.provider.revise(suite, later) == {"revises": asked.auth_req_id}, "a later revision is taken too"


@GATHERING.for_each(
    ("another citizen", {"sub": "001080000009"}),
    ("level 1", {"acr": "urn:vneid:level:1"}),
    ("an unknown request", {"revises": "R" * 32}),
    ("an item not asked", {"answers": [verdict("I" * 32, "not_mine")]}),
    ("no answers", {"answers": []}),
)
def a_revision_that_cannot_be_is_422(world: World, case: tuple[str, dict[str, Any]]) -> None:
    posted = one_question(world)
    asked = say(posted, "mine", SUFFIX)
    posted.ends("settled")
    content = {**revision_of(asked, posted.item_id, "not_mine"), **case[1]}
    assert_invalid(world.provider.caller(P256).send(REVISIONS, "landrevise+jwt", content)[1])
    assert posted.ends("settled")["state"] == "settled"


@GATHERING.scenario
def an_unanswered_request_cannot_be_revised(world: World) -> None:
    case = one_question(world, DAWDLING)
    content = revision_of(case.asked(), case.item_id, "not_mine")
    assert_invalid(world.provider.caller(P256).send(REVISIONS, "landrevise+jwt", content)[1])


# Declarations and residence


@GATHERING.in_each_suite
def a_declaration_is_answered_with_its_status_again_and_again(world: World, suite: str) -> None:
    content = declaration(sub=world.citizen(), on_behalf_of={"name": "Trần Văn B", "reason": "cha đã mất"})
    first = world.provider.declare(suite, content)
    assert first["declaration_id"] == content["declaration_id"]
    assert world.provider.declare(suite, content) == first
    other = {**content, "certificate_serial": "BK 999999"}
    assert_invalid(world.provider.caller(suite).send(DECLARATIONS, "landdecl+jwt", other)[1])


@GATHERING.for_each(
    ("eleven attachments", {"attachments": [declaration()["attachments"][0]] * 11}),
    ("a video", {"attachments": [{**declaration()["attachments"][0], "media_type": "video/mp4"}]}),
    ("3,500,001 bytes", {"attachments": [{**declaration()["attachments"][0], "size": 3_500_001}]}),
    ("a hash in capitals", {"attachments": [{**declaration()["attachments"][0], "sha256": "A" * 64}]}),
    ("level two in words", {"acr": "urn:vneid:level:two"}),
    ("level 02", {"acr": "urn:vneid:level:02"}),
    ("attachments null", {"attachments": None}),
    ("501 characters", {"parcel_address": "x" * 501}),
)
def a_declaration_out_of_bounds_is_422(world: World, case: tuple[str, dict[str, Any]]) -> None:
    content = declaration(**case[1])
    assert_invalid(world.provider.caller(P256).send(DECLARATIONS, "landdecl+jwt", content)[1])


_LEFT_OUT: Final[tuple[dict[str, Any], ...]] = (
    {"certificate_serial": None, "parcel_address": "Ấp Bình Lợi"},
    {"attachments": []},
)


@GATHERING.scenario
def a_declaration_may_leave_out_either_serial_or_address(world: World) -> None:
    for left_out in _LEFT_OUT:
        content = declaration(sub=world.citizen(), **left_out)
        assert world.provider.declare(P256, content)["declaration_id"] == content["declaration_id"]


@GATHERING.in_each_suite
def residence_is_false_for_who_is_not_known(world: World, suite: str) -> None:
    citizen_id, case_no = world.citizen(), "HS-2026/000123"
    case_no = f"{case_no}-{new_id()[:8]}"
    reply = world.police(suite).residence(citizen_id, case_no)
    assert reply["has_residential_parcel"] is False, reply
    assert reply["parcels"] == [], reply
    assert (reply["citizen_id"], reply["case_no"]) == (citizen_id, case_no), reply
    assert world.police(suite).residence(citizen_id, case_no) == reply
    other = police_case(world.citizen(), case_no)
    assert_invalid(world.caller("police", suite).send(RESIDENCE, "residence+jwt", other)[1])


@GATHERING.scenario
def residence_tells_the_parcels_of_a_landed_citizen(world: World) -> None:
    if world.landed is not None:
        reply = world.police().residence(world.landed, new_id())
        assert reply["has_residential_parcel"] is True, reply
        assert reply["parcels"], reply


@GATHERING.reading("a link is accepted with a run; a proven answer teaches the next run, whether or not it counts now")
def residence_of_who_has_proven_a_parcel_tells_that_parcel_or_none(world: World) -> None:
    case = one_question(world, parcel_code="001234567891")
    say(case, "mine", SUFFIX)
    case.ends("settled")
    reply = world.police().residence(case.citizen_id, new_id())
    assert {entry["parcel_code"] for entry in reply["parcels"]} <= {"001234567891"}, reply
    assert reply["has_residential_parcel"] is bool(reply["parcels"]), reply


@GATHERING.scenario
def residence_of_who_is_asked_but_has_not_answered_is_false(world: World) -> None:
    case = one_question(world, DAWDLING, parcel_code="001234567890")
    case.asked()
    assert world.police().residence(case.citizen_id, new_id())["has_residential_parcel"] is False
