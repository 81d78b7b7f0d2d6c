"""A live provider, led by our service stub: every kind it takes, both suites, and the hard cases."""

from __future__ import annotations

import copy
import time
from typing import Any, Final

from tests.interop.conformance.base import Gathering, assert_invalid, assert_unacceptable
from tests.interop.conformance.envelope_cases import FAULTS, Fault, changed
from tests.interop.second import wire
from tests.interop.second.envelope import Party, Twist, new_id
from tests.interop.second.keys import make_key_set
from tests.interop.second.service import GRANT, ErrorAnswer, ask_content, item, new_token
from tests.interop.second.vneid import verdict
from tests.interop.world import ProviderWorld

GATHERING: Final[Gathering[ProviderWorld]] = Gathering()
KINDS: Final = (
    ("/bc-authorize", "landask+jwt"),
    ("/token", "landfetch+jwt"),
    ("/cancel", "landcancel+jwt"),
)


def content_for(world: ProviderWorld, typ: str) -> dict[str, Any]:
    """A payload that fits."""
    if typ == "landask+jwt":
        return ask_content(world.silent())
    if typ == "landfetch+jwt":
        return {"grant_type": GRANT, "auth_req_id": new_id()}
    return {"auth_req_id": new_id(), "question_id": new_id(), "reason": "withdrawn"}


def asked(world: ProviderWorld, suite: str, content: dict[str, Any]) -> str:
    """The `auth_req_id` of an ask that is taken."""
    answer = world.stub.ask(suite, content)
    assert isinstance(answer, dict), answer
    return str(answer["auth_req_id"])


def fetched(world: ProviderWorld, suite: str, auth_req_id: str) -> dict[str, Any] | ErrorAnswer:
    """What a patient service gets: it waits out `slow_down` and `authorization_pending`."""
    until = time.monotonic() + 20
    while True:
        found = world.stub.fetch(suite, auth_req_id)
        if found not in (ErrorAnswer("slow_down"), ErrorAnswer("authorization_pending")) or time.monotonic() > until:
            return found
        time.sleep(1.1)


def all_mine(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The citizen says mine of everything."""
    return [verdict(entry["item_id"], "mine", "7654") for entry in content["ask"]["items"]]


@GATHERING.for_each("vn-p256", "modern-25519")
def an_ask_is_answered_by_the_citizen_and_fetched_again_and_again(world: ProviderWorld, suite: str) -> None:
    citizen_id = world.silent()
    content = ask_content(citizen_id, item(), item())
    auth_req_id = asked(world, suite, content)
    assert world.stub.fetch(suite, auth_req_id) == ErrorAnswer("authorization_pending")
    world.answer(citizen_id, auth_req_id, all_mine(content))
    world.stub.wait_for_ping(auth_req_id)
    reply = fetched(world, suite, auth_req_id)
    assert isinstance(reply, dict), reply
    assert (reply["auth_req_id"], reply["question_id"], reply["attempt"]) == (
        auth_req_id,
        content["ask"]["question_id"],
        1,
    )
    assert reply["sub"] == citizen_id
    assert int(reply["acr"].rpartition(":")[2]) >= 2
    assert sorted(a["item_id"] for a in reply["answers"]) == sorted(i["item_id"] for i in content["ask"]["items"])
    time.sleep(1.1)
    assert fetched(world, suite, auth_req_id) == reply, "the same reply at every landfetch"
    other = "vn-p256" if suite == "modern-25519" else "modern-25519"
    assert fetched(world, other, auth_req_id) == reply, "a reply is in the suite of its landfetch"


@GATHERING.for_each("vn-p256", "modern-25519")
def the_same_ask_again_is_one_request(world: ProviderWorld, suite: str) -> None:
    content = ask_content(world.silent())
    first = asked(world, suite, content)
    again = {**content, "client_notification_token": new_token()}
    assert asked(world, suite, again) == first
    world.answer(content["login_hint"], first, all_mine(content))
    world.stub.wait_for_ping(first)
    assert world.stub.pinged_with[first] == again["client_notification_token"], "the ping carries the last token"


@GATHERING.scenario
def other_items_under_a_known_attempt_are_an_invalid_request(world: ProviderWorld) -> None:
    content = ask_content(world.silent())
    first = asked(world, "vn-p256", content)
    other = copy.deepcopy(content)
    other["ask"]["items"] = [item()]
    assert world.stub.ask("vn-p256", other) == ErrorAnswer("invalid_request")
    assert asked(world, "vn-p256", content) == first, "the first is untouched"


@GATHERING.scenario
def the_next_attempt_is_another_request(world: ProviderWorld) -> None:
    content = ask_content(world.silent())
    first = asked(world, "vn-p256", content)
    second = copy.deepcopy(content)
    second["ask"]["attempt"] = 2
    assert asked(world, "vn-p256", second) != first


@GATHERING.scenario
def a_citizen_nobody_knows_is_an_unknown_user(world: ProviderWorld) -> None:
    assert world.stub.ask("vn-p256", ask_content(world.unknown)) == ErrorAnswer("unknown_user_id")


@GATHERING.scenario
def a_citizen_without_a_level_2_account_is_denied(world: ProviderWorld) -> None:
    assert world.stub.ask("vn-p256", ask_content(world.level_1)) == ErrorAnswer("access_denied")


@GATHERING.scenario
def a_citizen_who_declines_is_access_denied(world: ProviderWorld) -> None:
    content = ask_content(world.silent())
    auth_req_id = asked(world, "vn-p256", content)
    world.deny(content["login_hint"], auth_req_id)
    world.stub.wait_for_ping(auth_req_id)
    assert fetched(world, "vn-p256", auth_req_id) == ErrorAnswer("access_denied")


@GATHERING.scenario
def an_unknown_request_is_an_invalid_grant(world: ProviderWorld) -> None:
    assert world.stub.fetch("vn-p256", new_id()) == ErrorAnswer("invalid_grant")


@GATHERING.for_each("vn-p256", "modern-25519")
def a_cancelled_request_is_expired_and_may_be_cancelled_again(world: ProviderWorld, suite: str) -> None:
    content = ask_content(world.silent())
    auth_req_id = asked(world, suite, content)
    question_id = content["ask"]["question_id"]
    for _ in range(2):
        assert world.stub.cancel(suite, auth_req_id, question_id) == {"auth_req_id": auth_req_id}
    assert fetched(world, suite, auth_req_id) == ErrorAnswer("expired_token")
    unknown = new_id()
    assert world.stub.cancel(suite, unknown, question_id, "frozen") == {"auth_req_id": unknown}


@GATHERING.scenario
def a_cancel_after_the_answer_leaves_the_answer(world: ProviderWorld) -> None:
    content = ask_content(world.silent())
    auth_req_id = asked(world, "vn-p256", content)
    world.answer(content["login_hint"], auth_req_id, all_mine(content))
    world.stub.wait_for_ping(auth_req_id)
    world.stub.cancel("vn-p256", auth_req_id, content["ask"]["question_id"])
    assert isinstance(fetched(world, "vn-p256", auth_req_id), dict)


@GATHERING.scenario
def a_request_expires_by_itself(world: ProviderWorld) -> None:
    auth_req_id = asked(world, "vn-p256", ask_content(world.silent(), requested_expiry=2))
    time.sleep(2.5)
    assert fetched(world, "vn-p256", auth_req_id) == ErrorAnswer("expired_token")


@GATHERING.for_each(*FAULTS)
def a_message_with_this_fault_gets_the_one_400_in_each_suite(world: ProviderWorld, case: Fault) -> None:
    for suite in case.suites:
        content = {"grant_type": GRANT, "auth_req_id": new_id()}
        twist = case.twist(_FetchWorld(world), suite)  # type: ignore[arg-type]
        assert_unacceptable(world.stub.caller(suite).send("/token", "landfetch+jwt", content, twist=twist)[1])


class _FetchWorld:
    """The service's own keys in the places where the faults look for the engine's and the service's."""

    def __init__(self, world: ProviderWorld) -> None:
        self.service = world.vneid
        self.keys = self
        self.engine = world.stub.me.keys
        self.stranger = make_key_set()


@GATHERING.for_each(*KINDS)
def every_kind_refuses_a_second_use_of_a_jti(world: ProviderWorld, case: tuple[str, str]) -> None:
    path, typ = case
    for suite in world.suites:
        caller = world.stub.caller(suite)
        sealed, first = caller.send(path, typ, content_for(world, typ))
        assert first.body != wire.UNACCEPTABLE, "the first use was refused"
        assert_unacceptable(caller.post(path, sealed, typ))
        again = caller.seal(typ, content_for(world, typ), twist=Twist(claims=changed(jti=sealed.jti)))
        assert_unacceptable(caller.post(path, again, typ))


@GATHERING.for_each(*KINDS)
def every_kind_answers_422_to_an_unknown_or_a_missing_field(world: ProviderWorld, case: tuple[str, str]) -> None:
    path, typ = case
    good = content_for(world, typ)
    bent = [{**good, "surprise": 1}, {**good, "re": new_id()}]
    bent += [{name: value for name, value in good.items() if name != left_out} for left_out in good]
    for suite in world.suites:
        for content in bent:
            assert_invalid(world.stub.caller(suite).send(path, typ, content)[1])


@GATHERING.for_each(*KINDS)
def every_kind_refuses_a_stranger_and_another_content_type(world: ProviderWorld, case: tuple[str, str]) -> None:
    path, typ = case
    caller = world.stub.caller("vn-p256")
    sealed = caller.seal(typ, content_for(world, typ))
    assert_unacceptable(caller.post(path, sealed, typ, content_type="application/json"))
    stranger = Party(world.stub.me.iss, "service", make_key_set())
    bent = Twist(sign_with=stranger.keys.active("vn-p256", "sig"))
    assert_unacceptable(caller.send(path, typ, content_for(world, typ), twist=bent)[1])


BAD_ASKS: Final[tuple[tuple[str, dict[str, Any], dict[str, Any]], ...]] = (
    ("another scope", {"scope": "openid"}, {}),
    ("eleven digits", {"login_hint": "00108012345"}, {}),
    ("a binding message with 0", {"binding_message": "ABCD-EFG0"}, {}),
    ("a short token", {"client_notification_token": "A" * 21}, {}),
    ("attempt as text", {}, {"attempt": "1"}),
    ("another purpose", {}, {"purpose": "login"}),
    ("a fact with an unknown label", {}, {"items": [item(facts=[{"label": "name", "value": "x"}])]}),
    ("a fact of 121 characters", {}, {"items": [item(facts=[{"label": "commune", "value": "x" * 121}])]}),
    ("an item with one field more", {}, {"items": [item(surprise=1)]}),
)


@GATHERING.for_each(*BAD_ASKS)
def an_ask_out_of_its_schema_is_422(world: ProviderWorld, case: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    content = {**ask_content(world.silent()), **case[1]}
    content["ask"] = {**content["ask"], **case[2]}
    assert_invalid(world.stub.caller("vn-p256").send("/bc-authorize", "landask+jwt", content)[1])


@GATHERING.scenario
def a_revision_and_a_declaration_reach_the_service(world: ProviderWorld) -> None:
    content = ask_content(world.silent())
    citizen_id = content["login_hint"]
    auth_req_id = asked(world, "vn-p256", content)
    world.answer(citizen_id, auth_req_id, all_mine(content))
    world.stub.wait_for_ping(auth_req_id)
    # Before the reply is fetched the service knows of no answer, and the provider may well wait with a revision.
    assert isinstance(fetched(world, "vn-p256", auth_req_id), dict)
    if world.revise is not None:
        item_id = content["ask"]["items"][0]["item_id"]
        world.revise(citizen_id, auth_req_id, [verdict(item_id, "not_mine")])
        _wait_for_kind(world, "landrevise+jwt", "sub", citizen_id)
    if world.declare is not None:
        world.declare(citizen_id)
        _wait_for_kind(world, "landdecl+jwt", "sub", citizen_id)


def _wait_for_kind(world: ProviderWorld, typ: str, field: str, value: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not any(o.typ == typ and o.content[field] == value for o in list(world.stub.received)):
        assert time.monotonic() < until, f"no {typ} within {seconds:g} s"
        time.sleep(0.2)
