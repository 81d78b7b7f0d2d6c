"""Checks (1) to (15) at the provider's endpoints, limits, and the answers that betray nothing."""

from __future__ import annotations

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from confirm_api.vneid_sim import reception
from confirm_api.vneid_sim.reception import SOONEST_REFUSAL_SECONDS, UNACCEPTABLE
from exchange.ids import new_id
from exchange.sealed.keys import KeySet, Own
from tests.confirm_api.vneid_sim.world import VNEID_ISS, ask, fetch, item, running

PATHS = ("/bc-authorize", "/token", "/cancel")


def raw(url: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def assert_unacceptable(world, path: str, body: bytes, **headers: str) -> None:
    began = time.monotonic()
    status, told, content = raw(world.url, path, body, {"content-type": "application/jose"} | headers)
    assert (status, content) == (400, UNACCEPTABLE)
    assert told["content-type"] == "application/problem+json"
    assert time.monotonic() - began >= SOONEST_REFUSAL_SECONDS


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{}", b"a.b.c.d.e", b"x" * 262_144, b"x" * 262_145, b"\xff" * 100], ids=len)
def test_what_is_no_sealed_message_is_refused_alike(world, path, body):
    assert_unacceptable(world, path, body)


def good(world, **changes) -> bytes:
    return world.service.seal("landfetch+jwt", fetch(new_id()), **changes).body


def test_a_stranger_another_role_another_recipient_and_an_old_message_are_refused_alike(world):
    stranger = Own(world.service.own.iss, KeySet.generate())
    for body in (
        good(world, own=stranger),
        good(world, now=int(time.time()) - 70),
        good(world, now=int(time.time()) + 30),
    ):
        assert_unacceptable(world, "/token", body)
    itself = Own(VNEID_ISS, KeySet.load(world.folder / "vneid.keys.json"))
    assert_unacceptable(world, "/token", good(world, own=itself))


def test_a_message_for_another_endpoint_is_refused(world):
    assert_unacceptable(world, "/cancel", good(world))


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "application/jose; charset=utf-8"},
        {"content-encoding": "gzip"},
        {"content-encoding": "identity"},
    ],
    ids=str,
)
def test_another_content_type_or_any_encoding_is_refused(world, headers):
    assert_unacceptable(world, "/token", good(world), **headers)


def test_the_content_type_is_compared_without_case(world):
    assert (
        raw(world.url, "/token", good(world), {"content-type": "Application/JOSE"})[2] == b'{"error":"invalid_grant"}'
    )


def test_a_message_is_taken_once(world):
    body = good(world)
    assert json.loads(world.service.post("/token", body).body) == {"error": "invalid_grant"}
    assert_unacceptable(world, "/token", body)


def test_a_payload_that_does_not_fit_is_422_and_spends_its_jti(world):
    body = world.service.seal("landfetch+jwt", fetch(new_id()) | {"more": 1}).body
    answer = world.service.post("/token", body)
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    problem = json.loads(answer.body)
    assert problem["type"] == "urn:quychu:problem:invalid-payload"
    assert "more" in problem["detail"]
    assert_unacceptable(world, "/token", body)


def test_every_flipped_byte_of_a_message_has_no_effect(world):
    body = world.service.seal("landask+jwt", ask([item()])).body
    before = world.driver.state()["requests"]
    for at in range(0, len(body), 97):
        flipped = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert raw(world.url, "/bc-authorize", flipped, {"content-type": "application/jose"})[0] == 400
    assert world.driver.state()["requests"] == before


def test_get_is_not_an_endpoint(world):
    connection = http.client.HTTPConnection(urlsplit(world.url).netloc)
    connection.request("GET", "/token")
    assert connection.getresponse().status == 405


def test_after_a_restore_from_backup_nothing_is_taken_for_a_while(world, monkeypatch):
    monkeypatch.setattr(world.simulator.reception, "opens_at", time.time() + 70)
    answer = world.service.post("/token", good(world))
    assert answer.status == 503
    assert 40 <= answer.retry_after <= 70
    monkeypatch.setattr(world.simulator.reception, "opens_at", 0.0)
    assert world.service.post("/token", good(world)).status == 400


def test_too_many_are_told_to_come_later_and_spend_nothing(tmp_path, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(reception, "_time", lambda: now)
    with running(tmp_path, limits={"per_peer": 1, "per_address": 3}) as world:
        bodies = [good(world) for _ in range(3)]
        answers = [world.service.post("/token", body) for body in bodies]
        assert [answer.status for answer in answers] == [400, 429, 429]
        assert answers[1].retry_after == 1
        assert json.loads(answers[1].body)["type"] == "urn:quychu:problem:try-later"
        assert world.service.post("/token", b"not even a message").status == 429
        now += 1.1
        assert json.loads(world.service.post("/token", bodies[1]).body) == {"error": "invalid_grant"}
