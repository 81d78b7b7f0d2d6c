"""Every sealed endpoint over real HTTP, on both databases: what is answered, what is logged, what is left behind."""

import base64
import hashlib
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from confirm_api.app import create_app
from confirm_api.audit import checkpoint, merkle
from confirm_api.errors import BusyError, ContentError
from confirm_api.limits import Rate, Rates, networks
from confirm_api.store.engine import reading
from confirm_api.store.tables import leaves, records, seen_jtis
from exchange.ids import new_id
from exchange.sealed.keys import Directory
from exchange.sealed.open import open_sealed
from tests.confirm_api.live_service import (
    HTTP,
    LOG_KEY,
    SUITES,
    Client,
    Trials,
    deps,
    leaves_of,
    own,
    peer,
    served,
    withdraw_payload,
)

PATH, TYP, ANSWER = "/v1/questions/withdraw", "landwithdraw+jwt", "landwithdraw-receipt+jwt"
UNACCEPTABLE = b'{"type":"urn:quychu:problem:unacceptable-message","title":"Unacceptable message","status":400}'


on_one_database = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What no database can change is tried on one."""


@pytest.fixture
def trials():
    return Trials()


@pytest.fixture
def base(units, tmp_path, trials):
    with served(create_app(deps(units, tmp_path, trials))) as address:
        yield address


@pytest.fixture
def client(base, clock):
    return Client(base, clock)


def effects(units):
    """How many leaves of the use case were kept."""
    with reading(units.engine) as conn:
        return conn.execute(select(func.count()).where(leaves.c.leaf.contains('"reason":"effect"'))).scalar_one()


def spent(units):
    with reading(units.engine) as conn:
        return conn.execute(select(func.count()).select_from(seen_jtis)).scalar_one()


@pytest.mark.parametrize("suite", SUITES)
def test_a_message_is_answered_sealed_in_its_suite_and_both_are_leaves(base, clock, units, suite):
    client = Client(base, clock, suite=suite)
    payload = withdraw_payload()
    opened = client.send(PATH, TYP, payload, ANSWER)
    assert (opened.payload["unknown"], opened.suite) == (payload["question_ids"], suite)
    request, answer = [leaf for leaf in leaves_of(base, units) if leaf["event"] != "state"]
    assert (request["event"], request["outcome"], answer["event"], answer["outcome"]) == (
        "landwithdraw",
        "accepted",
        "landwithdraw-receipt",
        "sent",
    )
    assert answer["sealed"] == opened.sha256
    assert request["subject"] == hashlib.sha256(payload["question_ids"][0].encode()).hexdigest()
    assert (request["to_kid"], answer["from_kid"]) == (
        own("service").keys.active(suite, "enc").kid,
        own("service").keys.active(suite, "sig").kid,
    )
    assert request["commit"]
    assert answer["commit"]
    with reading(units.engine) as conn:
        assert conn.execute(select(func.count()).select_from(records)).scalar_one() == 2


def mutilated(client):
    """Bad messages beside the good one they came from, each with the check it fails."""
    good = client.seal(TYP, withdraw_payload()).body
    vneid = Client(client.base, client.clock, role="vneid")
    flipped = bytearray(good)
    flipped[-30] ^= 1
    return {
        "no message": (b"hello", "2"),
        "too large": (good + b"A" * 262_144, "1"),
        "a byte of the tag flipped": (bytes(flipped), None),
        "another kind": (client.seal("landcollect+jwt", {"after": None, "limit": 1}).body, "7"),
        "another role": (vneid.seal(TYP, withdraw_payload()).body, "9"),
        "another receiver": (client.seal(TYP, withdraw_payload(), peer=peer("police")).body, "5"),
        "too old": (client.seal(TYP, withdraw_payload(), now=client.clock() - 61).body, "12"),
        "not yet": (client.seal(TYP, withdraw_payload(), now=client.clock() + 6).body, "12"),
    }


@on_one_database
def test_whatever_fails_gets_the_same_bytes_after_50_ms_and_only_the_log_holds_the_reason(client, units):
    for why, (body, check) in mutilated(client).items():
        began = time.perf_counter()
        response = client.post(PATH, body)
        assert time.perf_counter() - began >= 0.05, why
        assert (response.status_code, response.content) == (400, UNACCEPTABLE), why
        assert response.headers["content-type"] == "application/problem+json"
        leaf = leaves_of(client.base, units)[-1]
        assert (leaf["outcome"], leaf["sealed"]) == ("refused", hashlib.sha256(body).hexdigest()), why
        assert check is None or leaf["reason"] == check, why
    assert (effects(units), spent(units)) == (0, 0)


@on_one_database
@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "application/jose; charset=utf-8"},
        {"Content_Type": "application/json"},
        {"Content_Encoding": "gzip"},
        {"Content_Encoding": "identity"},
    ],
)
def test_wrong_headers_get_the_same_bytes(client, units, headers):
    headers = {"Content_Type": "application/jose"} | headers
    response = client.http.post(
        client.base + PATH,
        content=client.seal(TYP, withdraw_payload()).body,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    assert (response.status_code, response.content, effects(units)) == (400, UNACCEPTABLE, 0)


@on_one_database
def test_the_content_type_is_compared_without_case(client):
    response = client.http.post(
        client.base + PATH,
        content=client.seal(TYP, withdraw_payload()).body,
        headers={"content-type": "Application/JOSE"},
    )
    assert response.status_code == 200


def test_the_same_message_twice_has_one_effect(client, units):
    body = client.seal(TYP, withdraw_payload()).body
    assert client.post(PATH, body).status_code == 200
    again = client.post(PATH, body)
    assert (again.status_code, again.content, effects(units)) == (400, UNACCEPTABLE, 1)
    assert leaves_of(client.base, units)[-1]["reason"] == "14"


def test_the_same_message_many_times_at_once_has_one_effect(client, units):
    body = client.seal(TYP, withdraw_payload()).body
    with ThreadPoolExecutor(8) as threads:
        found = [response.status_code for response in threads.map(lambda _: client.post(PATH, body), range(8))]
    assert (sorted(found), effects(units)) == ([200] + [400] * 7, 1)


def test_a_jti_is_good_again_after_24_hours(client, clock, units):
    for _ in range(2):
        client.post(PATH, client.seal(TYP, withdraw_payload()).body)
    body = client.seal(TYP, withdraw_payload()).body
    assert client.post(PATH, body).status_code == 200
    with units.begin() as unit:
        unit.conn.execute(seen_jtis.update().values(seen_at=clock() - 86_401))
    assert client.post(PATH, body).status_code == 200
    assert client.post(PATH, body).status_code == 400


def test_a_payload_that_does_not_fit_is_told_why_and_spends_its_jti(client, units):
    body = client.seal(TYP, withdraw_payload() | {"reason": 7}).body
    response = client.post(PATH, body)
    assert response.status_code == 422
    assert response.json()["type"] == "urn:quychu:problem:invalid-payload"
    assert response.json()["detail"].startswith("reason:")
    assert leaves_of(client.base, units)[-1]["reason"] == "15"
    assert client.post(PATH, body).content == UNACCEPTABLE
    assert effects(units) == 0


@on_one_database
def test_re_in_a_request_is_an_unknown_field(client):
    response = client.post(PATH, client.seal(TYP, withdraw_payload(), re=new_id()).body)
    assert (response.status_code, "re" in response.json()["detail"]) == (422, True)


def test_content_that_contradicts_leaves_no_effect_but_its_leaf_and_its_jti(client, units, trials):
    trials.fault = ContentError("batch_id: known id, other content")
    body = client.seal(TYP, withdraw_payload()).body
    response = client.post(PATH, body)
    assert (response.status_code, response.json()["detail"]) == (422, "batch_id: known id, other content")
    trials.fault = None
    assert (client.post(PATH, body).status_code, effects(units)) == (400, 0)
    assert [leaf["reason"] for leaf in leaves_of(client.base, units)] == ["15", "14"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BusyError("later", status=503, retry_after_seconds=7), 503),
        (BusyError("later", status=429, retry_after_seconds=7), 429),
        (RuntimeError("a citizen's name"), 500),
    ],
)
def test_a_fault_rolls_everything_back_so_that_the_same_message_may_come_again(client, units, trials, fault, status):
    trials.fault = fault
    body = client.seal(TYP, withdraw_payload()).body
    response = client.post(PATH, body)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert b"name" not in response.content
    assert status == 500 or response.headers["retry-after"] == "7"
    assert (effects(units), spent(units), leaves_of(client.base, units)) == (0, 0, [])
    trials.fault = None
    assert (client.post(PATH, body).status_code, effects(units)) == (200, 1)


@on_one_database
def test_a_body_in_many_chunks_is_one_message(client):
    body = client.seal(TYP, withdraw_payload()).body
    response = client.post(PATH, (body[at : at + 7] for at in range(0, len(body), 7)))
    assert response.status_code == 200


# ---- limits ----


@on_one_database
def test_nonsense_is_sent_away_before_it_can_fill_the_log(units, tmp_path, clock, trials):
    rates = Rates(refused=Rate(0.001, 3))
    with served(create_app(deps(units, tmp_path, trials, rates=rates))) as base:
        client = Client(base, clock)
        found = [client.post(PATH, b"nonsense") for _ in range(5)]
        assert [response.status_code for response in found] == [400, 400, 400, 429, 429]
        assert found[-1].json()["type"] == "urn:quychu:problem:try-later"
        assert int(found[-1].headers["retry-after"]) > 100
        assert len(leaves_of(base, units)) == 3


@on_one_database
def test_too_many_of_one_peer_wait_and_keep_their_jti(units, tmp_path, clock, trials):
    rates = Rates(peer=Rate(0.001, 1))
    with served(create_app(deps(units, tmp_path, trials, rates=rates))) as base:
        client = Client(base, clock)
        found = [client.post(PATH, client.seal(TYP, withdraw_payload()).body).status_code for _ in range(2)]
        assert (found, spent(units)) == ([200, 429], 1)


@on_one_database
def test_too_many_of_one_address_wait_while_health_answers(units, tmp_path, clock, trials):
    rates = Rates(address=Rate(0.001, 2))
    with served(create_app(deps(units, tmp_path, trials, rates=rates))) as base:
        found = [HTTP.get(f"{base}/v1/log/key").status_code for _ in range(3)]
        assert found == [200, 200, 429]
        assert HTTP.get(f"{base}/health/live").status_code == 200


@on_one_database
def test_behind_a_proxy_of_ours_the_sender_is_counted_and_not_what_the_sender_wrote(units, tmp_path, trials):
    rates = Rates(address=Rate(0.001, 1))
    with served(create_app(deps(units, tmp_path, trials, rates=rates, proxies=networks(["127.0.0.1/32"])))) as base:
        found = [
            HTTP.get(
                f"{base}/v1/log/key", headers=[("X-Forwarded-For", made_up), ("X-Forwarded-For", sender)]
            ).status_code
            for made_up, sender in [("1.1.1.1", "203.0.113.1"), ("2.2.2.2", "203.0.113.1"), ("1.1.1.1", "203.0.113.2")]
        ]
        assert found == [200, 429, 200]


@on_one_database
@pytest.mark.parametrize("size", [262_145, 1_000_000, 5_000_000])
def test_a_body_of_any_size_gets_the_same_bytes(client, units, size):
    response = client.post(PATH, b"A" * size)
    assert (response.status_code, response.content) == (400, UNACCEPTABLE)
    leaf = leaves_of(client.base, units)[-1]
    whole = hashlib.sha256(b"A" * size).hexdigest() if size < 2_000_000 else None
    assert (leaf["reason"], leaf["sealed"]) == ("1", whole)


@on_one_database
def test_at_overload_the_queue_is_short_and_the_word_is_clear(units, tmp_path, clock):
    refused = threading.Semaphore(0)

    class Slow(Trials):
        def withdraw(self, unit, model, peer):
            for _ in range(4):
                assert refused.acquire(timeout=30)
            refused.release(4)
            return super().withdraw(unit, model, peer)

    with served(create_app(deps(units, tmp_path, Slow(), threads=1, most_waiting=1))) as base:
        client = Client(base, clock)
        bodies = [client.seal(TYP, withdraw_payload()).body for _ in range(6)]

        def post(body):
            response = client.post(PATH, body)
            if response.status_code == 503:
                refused.release()
            return response

        with ThreadPoolExecutor(6) as threads:
            found = list(threads.map(post, bodies))
        told = sorted(response.status_code for response in found)
        assert told == [200, 200, 503, 503, 503, 503]
        assert {response.headers.get("retry-after") for response in found if response.status_code == 503} == {"1"}
        assert spent(units) == 2


@on_one_database
def test_after_a_restore_no_message_is_taken_for_a_while(units, tmp_path, clock, trials):
    until = time.monotonic() + 3
    with served(create_app(deps(units, tmp_path, trials, paused_until=until))) as base:
        client = Client(base, clock)
        body = client.seal(TYP, withdraw_payload()).body
        response = client.post(PATH, body)
        assert response.status_code == 503
        assert 1 <= int(response.headers["retry-after"]) <= 3
        assert HTTP.get(f"{base}/v1/log/key").status_code == 200
        time.sleep(max(0, until - time.monotonic()))
        assert client.post(PATH, body).status_code == 200


# ---- the ping ----

GOOD = "good" * 8


def ping(base, token=GOOD, body=None, kind="application/json", **headers):
    body = {"auth_req_id": "A" * 22} if body is None else body
    told = {"Authorization": f"Bearer {token}", "Content-Type": kind} | headers
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HTTP.post(f"{base}/v1/callbacks/vneid", content=content, headers=told)


def test_a_good_ping_is_204_with_nothing_in_it(base, trials):
    response = ping(base)
    assert (response.status_code, response.content, trials.seen) == (204, b"", [("A" * 22, GOOD)])


@on_one_database
@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "bad" * 9},
        {"kind": "text/plain"},
        {"kind": "application/json; charset=utf-8"},
        {"body": b"{"},
        {"body": b'{"auth_req_id":"AAAAAAAAAAAAAAAAAAAAAA","auth_req_id":"AAAAAAAAAAAAAAAAAAAAAA"}'},
        {"body": {"auth_req_id": "A" * 22, "more": 1}},
        {"body": {"auth_req_id": 7}},
        {"body": b'{"auth_req_id":"AAAAAAAAAAAAAAAAAAAAAA"}' + b" " * 5_000},
        {"Authorization": f"Basic {GOOD}"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_whatever_is_wrong_with_a_ping_is_401_with_nothing_in_it(base, units, wrong):
    response = ping(base, **wrong)
    assert (response.status_code, response.content) == (401, b"")
    assert leaves_of(base, units)[-1] | {"time": 0, "sealed": ""} == {
        "v": 1,
        "time": 0,
        "event": "callback",
        "subject": None,
        "sealed": "",
        "commit": None,
        "from_kid": None,
        "to_kid": None,
        "outcome": "refused",
        "reason": "callback",
    }


# ---- the log as anybody reads it ----


def test_an_auditor_with_the_pinned_key_alone_checks_a_message_they_have(client):
    verifier = HTTP.get(f"{client.base}/v1/log/key").text
    assert verifier == LOG_KEY.verifier
    before = checkpoint.parse_checkpoint(checkpoint.open_note(_text(client, "checkpoint"), verifier))
    body = client.seal(TYP, withdraw_payload()).body
    client.post(PATH, body)
    time.sleep(1.1)  # a checkpoint of the last second is not made again
    proof = checkpoint.parse_proof(_text(client, f"proof?sealed={hashlib.sha256(body).hexdigest()}"))
    after = checkpoint.parse_checkpoint(checkpoint.open_note(proof.note, verifier))
    assert merkle.verify_inclusion(merkle.leaf_hash(proof.leaf), proof.index, after.size, proof.path, after.root)
    assert (before.size, after.size) == (0, 3)
    told = HTTP.get(f"{client.base}/v1/log/consistency?from=1&to=3").json()
    first = merkle.leaf_hash(_text(client, "leaves?from=0&to=1").removesuffix("\n").encode())
    path = [base64.b64decode(text) for text in told["hashes"]]
    assert (told["from"], told["to"]) == (1, 3)
    assert merkle.verify_consistency(1, 3, path, first, after.root)


def _text(client, path):
    response = HTTP.get(f"{client.base}/v1/log/{path}")
    assert response.status_code == 200
    return response.text


@on_one_database
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("proof?index=0", 404),
        ("proof?index=99999999999999999999999", 404),
        (f"proof?sealed={'0' * 64}", 404),
        ("consistency?from=1&to=2", 404),
        ("leaves?from=0&to=1", 404),
        ("leaves?from=0&to=0", 200),
        ("proof", 400),
        ("proof?index=-1", 400),
        ("proof?index=1&sealed=" + "0" * 64, 400),
        ("proof?sealed=abc", 400),
        ("consistency?from=0&to=0", 400),
        ("consistency?from=2&to=1", 400),
        ("leaves?from=x&to=1", 400),
        ("leaves", 400),
        ("nothing", 404),
    ],
)
def test_what_is_not_there_is_404_and_what_cannot_be_read_is_400(base, query, status):
    response = HTTP.get(f"{base}/v1/log/{query}")
    assert response.status_code == status
    assert status == 200 or response.headers["content-type"] == "application/problem+json"


@on_one_database
def test_our_answer_opens_for_nobody_else(client):
    body = client.seal(TYP, withdraw_payload()).body
    response = client.post(PATH, body)
    with pytest.raises(Exception, match="refused"):
        open_sealed(
            response.content,
            typ=ANSWER,
            own=own("vneid"),
            directory=Directory([peer("service")]),
            roles=["service"],
            now=client.clock(),
        )
