"""Hostile messages against the real service and the real simulator over HTTP: none has an effect.

Rules
- A spoilt message is spoilt in one thing; the same message unspoilt stands beside it, is taken, and changes the digest.
- Refused means: the same bytes, not before 50 ms, and the digest of every table but the log's as before.
- HOSTILE=full flips every byte and not one in some.
"""

from __future__ import annotations

import gzip
import http.client
import itertools
import os
import re
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.end_to_end import forge
from tests.end_to_end.battlefield import PLANTED, RESPONSE, Battlefield, battlefield, citizen, fresh_id, land, story
from tests.interop.second import strict_json, wire
from tests.interop.second.engine import question
from tests.interop.second.envelope import Sealed
from tests.interop.second.keys import SUITES
from tests.interop.second.server import Request, Response, listening
from tests.interop.second.service import GRANT, ask_content
from tests.interop.second.service import item as asked_item
from tests.interop.second.vneid import GOOD_ACR, verdict

FULL = os.environ.get("HOSTILE") == "full"
pytestmark = pytest.mark.timeout(1_800 if FULL else 120)


@dataclass(frozen=True)
class Target:
    """An endpoint, and a message for it that has an effect."""

    role: str
    path: str
    typ: str
    content: Callable[[Battlefield, Any], dict[str, Any]]

    def __str__(self) -> str:
        return self.typ.removesuffix("+jwt")


def withdrawal(here: Battlefield, _: Any) -> dict[str, Any]:
    posted = question(citizen(), land())
    here.engine().post(posted)
    return {"batch_id": fresh_id(), "question_ids": [posted["question_id"]], "reason": "thử"}


def revision(_: Battlefield, told: Any) -> dict[str, Any]:
    request = told.settled
    return {
        "revises": request["auth_req_id"],
        "sub": request["citizen_id"],
        "acr": GOOD_ACR,
        "answers": [verdict(request["items"][0]["item_id"], "not_mine")],
        "answered_at": int(time.time()) + next(_LATER),
    }


def declaration(*_: Any) -> dict[str, Any]:
    return {
        "declaration_id": fresh_id(),
        "sub": citizen(),
        "acr": GOOD_ACR,
        "certificate_serial": PLANTED["certificate_serial"],
        "parcel_address": f"Số 12, {PLANTED['hamlet']}",
        "on_behalf_of": {"name": PLANTED["co_owner_name"], "reason": "mẹ đã mất"},
        "attachments": [],
    }


def cancellation(here: Battlefield, _: Any) -> dict[str, Any]:
    ask = ask_content(citizen())
    _, answer = here.caller("service", SUITES[0]).send("/bc-authorize", "landask+jwt", ask)
    return {
        "auth_req_id": answer.json()["auth_req_id"],
        "question_id": ask["ask"]["question_id"],
        "reason": "withdrawn",
    }


_LATER = itertools.count()
TARGETS = (
    Target(
        "engine",
        "/v1/questions",
        "landquestions+jwt",
        lambda *_: {"batch_id": fresh_id(), "questions": [question(citizen(), land())]},
    ),
    Target("engine", "/v1/questions/withdraw", "landwithdraw+jwt", withdrawal),
    Target("engine", "/v1/answers", "landcollect+jwt", lambda *_: {"after": None, "limit": 1}),
    Target("vneid", "/v1/revisions", "landrevise+jwt", revision),
    Target("vneid", "/v1/declarations", "landdecl+jwt", declaration),
    Target(
        "police",
        "/v1/residence-proofs",
        "residence+jwt",
        lambda *_: {"citizen_id": citizen(), "case_no": fresh_id(), "purpose": "residence_registration"},
    ),
    Target("service", "/bc-authorize", "landask+jwt", lambda *_: ask_content(citizen(), asked_item())),
    Target(
        "service",
        "/token",
        "landfetch+jwt",
        lambda _, told: {"grant_type": GRANT, "auth_req_id": told.open["auth_req_id"]},
    ),
    Target("service", "/cancel", "landcancel+jwt", cancellation),
)
SIDES = (TARGETS[0], TARGETS[6])
"""One endpoint of each server."""
EACH = [(target, suite) for target in TARGETS for suite in SUITES]
EACH_SIDE = [(target, suite) for target in SIDES for suite in SUITES]
NAMES: Any = str


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with battlefield(tmp_path_factory.mktemp("hostile")) as found:
        yield found
        for log in ("service.log", "provider.log"):
            assert "Traceback" not in (found.world.folder / log).read_text("utf-8")


@pytest.fixture(scope="module")
def told(here):
    return story(here)


@dataclass(frozen=True)
class Aim:
    """A target in a suite, and a good message for it that nobody saw yet."""

    here: Battlefield
    target: Target
    suite: str
    content: dict[str, Any]
    good: Sealed

    @property
    def url(self) -> str:
        return self.here.caller(self.target.role, self.suite).url + self.target.path

    def post(self, body: bytes, **headers: str) -> wire.Answer:
        told = {
            "Content-Type": "application/jose",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return wire.request("POST", self.url, body, told)

    def seal(self) -> Sealed:
        """The same content, sealed anew."""
        return self.here.caller(self.target.role, self.suite).seal(self.target.typ, self.content)

    def forged(self, outer: forge.Text = forge.text_of, inner: forge.Text = forge.text_of, typ: str = "") -> bytes:
        """The same content with other headers."""
        caller = self.here.caller(self.target.role, self.suite)
        claims = strict_json.loads(forge.unb64(self.seal().inner.decode().split(".")[1]))
        signer, key = caller.me.keys.active(self.suite, "sig"), caller.peer.keys.active(self.suite, "enc")
        jws = forge.signed(signer, typ or self.target.typ, strict_json.dumps(claims), inner)
        return forge.sealed(key, jws, outer)

    def is_taken(self) -> None:
        """The good message has its effect: whoever refuses all would pass otherwise."""
        before = self.here.digest()
        answer = self.post(self.good.body)
        assert is_an_answer(answer), answer.body
        assert self.here.digest() != before, "the digest does not see an effect"

    def refuses(self, *bodies: bytes) -> None:
        """Each is refused, and nothing is as it was not."""
        self.refuses_posts([lambda body=body: self.post(body) for body in bodies])

    def refuses_posts(self, posts: Iterable[Callable[[], wire.Answer]]) -> None:
        before = self.here.digest()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda post: post(), posts))
        for number, answer in enumerate(answers):
            assert_refused(answer, str(number))
        assert self.here.digest() == before, "a refused message had an effect"


def is_an_answer(answer: wire.Answer) -> bool:
    """What only a message that was opened gets; nobody has answered the open request."""
    return answer.status == 200 or answer.body in {b'{"error":"authorization_pending"}', b'{"error":"slow_down"}'}


def assert_refused(answer: wire.Answer, which: str = "") -> None:
    assert (answer.status, answer.body) == (400, wire.UNACCEPTABLE), f"{which}: {answer.status} {answer.body[:200]!r}"
    assert answer.media_type == "application/problem+json", which
    assert answer.seconds >= 0.05, f"{which}: after {answer.seconds:.3f} s"


@pytest.fixture
def aim(here, told, request) -> Aim:
    target, suite = request.param
    content = target.content(here, told)
    return Aim(here, target, suite, content, here.caller(target.role, suite).seal(target.typ, content))


def at(cases: Any) -> Any:
    return pytest.mark.parametrize("aim", cases, ids=lambda case: f"{case[0]}-{case[1]}", indirect=True)


@at(EACH)
def test_a_replayed_message_is_refused_and_of_duplicates_at_once_one_is_taken(aim):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: aim.post(aim.good.body), range(8)))
    (taken,) = (answer for answer in answers if answer.body != wire.UNACCEPTABLE)
    assert is_an_answer(taken)
    aim.refuses(aim.good.body)


@at(EACH)
def test_a_message_to_the_other_endpoints_is_refused(aim):
    mine = aim.target.role == "service"
    others = {other.path for other in TARGETS if (other.role == "service") is mine} - {aim.target.path}
    base = aim.url.removesuffix(aim.target.path)
    headers = {"Content-Type": "application/jose"}
    aim.refuses_posts([lambda path=path: wire.request("POST", base + path, aim.good.body, headers) for path in others])
    aim.is_taken()


@at(EACH)
def test_a_message_sealed_again_for_another_is_refused(aim):
    """Whoever was sent a message may open it, but not pass it on as meant for somebody else."""
    to_provider = aim.target.role != "service"
    key = aim.here.parties["vneid" if to_provider else "service"].keys.active(aim.suite, "enc")
    base = aim.here.world.provider_url if to_provider else aim.here.world.service_url
    paths = [target.path for target in TARGETS if (target.role == "service") is to_provider]
    body, headers = forge.sealed(key, aim.good.inner), {"Content-Type": "application/jose"}
    aim.refuses_posts([lambda path=path: wire.request("POST", base + path, body, headers) for path in paths])
    aim.is_taken()


@at(EACH_SIDE)
@pytest.mark.parametrize("layer", ["outer", "inner"])
def test_every_mutation_of_a_header_is_refused(aim, layer):
    members = ("alg", "enc", "kid", "cty", "epk") if layer == "outer" else ("alg", "kid", "typ")
    bodies = {name: aim.forged(**{layer: text}) for name, text in forge.mutations(members)}
    assert len(bodies) > 50
    before = aim.here.digest()
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(bodies, pool.map(aim.post, bodies.values()), strict=True))
    for name, answer in answers.items():
        assert_refused(answer, name)
    assert aim.here.digest() == before
    answer = aim.post(aim.forged())
    assert answer.status == 200, "the same without a mutation is taken"


@at(EACH_SIDE)
def test_every_mutation_of_the_point_is_refused(aim):
    def of_epk(text: forge.Text) -> forge.Text:
        return lambda good: forge.text_of({**good, "epk": "@"}).replace(b'"@"', text(good["epk"]))

    members = tuple(forge.sealed(aim.here.parties["vneid"].keys.active(aim.suite, "enc"), b"") and _point(aim.suite))
    aim.refuses(*(aim.forged(outer=of_epk(text)) for _, text in forge.mutations(members)))
    aim.is_taken()


def _point(suite: str) -> tuple[str, ...]:
    return ("kty", "crv", "x", "y") if suite == SUITES[0] else ("kty", "crv", "x")


@at(EACH_SIDE)
def test_every_byte_flipped_in_a_sealed_message_is_refused(aim):
    step = 1 if FULL else 11
    body = aim.good.body
    aim.refuses(*(flipped(body, place) for place in range(0, len(body), step)))
    aim.is_taken()


@at(EACH_SIDE)
def test_every_byte_flipped_in_the_signed_message_is_refused(aim):
    step = 1 if FULL else 11
    key = aim.here.caller(aim.target.role, aim.suite).peer.keys.active(aim.suite, "enc")
    inner = aim.good.inner
    aim.refuses(*(forge.sealed(key, flipped(inner, place)) for place in range(0, len(inner), step)))
    aim.is_taken()


def flipped(body: bytes, place: int) -> bytes:
    """One bit of one byte; which one goes round."""
    return body[:place] + bytes([body[place] ^ (1 << place % 7)]) + body[place + 1 :]


@at(EACH_SIDE)
def test_cut_and_joined_messages_are_refused(aim):
    good, other = aim.good.body, aim.seal().body
    mine, theirs = good.split(b"."), other.split(b".")
    crossed = [b".".join([*mine[:n], theirs[n], *mine[n + 1 :]]) for n in range(5)]
    cut = [good[:end] for end in (0, 1, len(good) // 2, len(good) - 1)]
    aim.refuses(*crossed, *cut, good + good, good + b"." + good, good[::-1], b"\xff" * 1_000, b"." * 5, b"...." * 9)
    aim.is_taken()


CONTENT_TYPES = ("", "text/plain", "application/json", "application/jose+json", "application/jose;charset=utf-8", "*/*")


@at(EACH_SIDE)
def test_another_content_type_or_a_compressed_body_is_refused(aim):
    body, packed = aim.good.body, gzip.compress(aim.good.body)
    posts = [lambda kind=kind: aim.post(body, Content_Type=kind) for kind in CONTENT_TYPES]
    posts += [lambda how=how: aim.post(body, Content_Encoding=how) for how in ("gzip", "identity", "br", "x")]
    posts += [lambda: aim.post(packed, Content_Encoding="gzip"), lambda: aim.post(packed)]
    aim.refuses_posts(posts)
    aim.is_taken()


@at(EACH_SIDE)
def test_a_body_too_large_is_refused_in_whatever_way_it_comes(aim):
    huge = aim.good.body + b"A" * 262_144
    in_chunks = [aim.good.body, *[b"A" * 65_536] * 16]
    aim.refuses_posts(
        [
            lambda: aim.post(huge),
            lambda: aim.post(huge * 8),
            lambda: wire.post_in_chunks(aim.url, in_chunks, "application/jose"),
        ]
    )
    aim.is_taken()


@at(EACH_SIDE)
def test_a_good_message_in_chunks_is_taken(aim):
    answer = wire.post_in_chunks(aim.url, [aim.good.body[:10], aim.good.body[10:]], "application/jose")
    assert answer.status == 200
    aim.refuses(aim.good.body)


@at(EACH_SIDE)
def test_slow_and_cut_off_bodies_hold_nobody_up_and_have_no_effect(aim):
    before = aim.here.digest()
    lines = [_begun(aim, aim.good.body[:-1]) for _ in range(40)]
    began = time.monotonic()
    other = aim.post(aim.seal().body + b"=")
    assert_refused(other)
    assert time.monotonic() - began < 5, "others wait for the slow ones"
    for line in lines:
        line.close()
    assert aim.here.digest() == before
    aim.is_taken()


def _begun(aim: Aim, body: bytes) -> socket.socket:
    """A request whose last byte never comes."""
    place = urlsplit(aim.url)
    line = socket.create_connection((place.hostname or "", place.port or 0), timeout=5)
    head = f"POST {place.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/jose\r\n"
    line.sendall(head.encode() + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body)
    return line


@at(EACH_SIDE)
def test_broken_http_is_no_fault(aim):
    before = aim.here.digest()
    place = urlsplit(aim.url)
    for raw in (
        b"POST\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9,
        b"GET / HTTP/9.9\r\n\r\n",
        f"POST {place.path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".encode(),
        f"POST {place.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n".encode(),
        f"POST {place.path} HTTP/1.1\r\nHost: x\r\nX: ".encode() + b"a" * 100_000 + b"\r\n\r\n",
    ):
        assert _status(place.hostname or "", place.port or 0, raw) in {None, 400, 404, 405, 408, 413, 431, 505}, raw[
            :60
        ]
    for method, path in itertools.product(
        ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"), (place.path, "/%00", "/../etc")
    ):
        answer = wire.request(method, aim.url.removesuffix(place.path) + path, b"x", {})
        assert answer.status in {400, 404, 405}, (method, path, answer.status)
    assert aim.here.digest() == before


def _status(host: str, port: int, raw: bytes) -> int | None:
    """None where the connection ends without an answer."""
    with socket.create_connection((host, port), timeout=5) as line:
        try:
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(line)
            response.begin()
        except (OSError, http.client.HTTPException):
            return None
        return response.status


def test_messages_in_another_order_have_the_effect_of_the_right_one(here, told):
    """A withdrawal that overtakes nothing, a question again after it, an old ask after its cancel."""
    engine, posted = here.engine(), question(citizen(), land())
    assert engine.withdraw(posted["question_id"])["unknown"] == [posted["question_id"]]
    assert engine.post(posted)["accepted"] == [posted["question_id"]]
    assert engine.withdraw(posted["question_id"])["withdrawn"] == [posted["question_id"]]
    assert engine.post(posted)["duplicates"] == [posted["question_id"]]
    here.wait_for_state(posted["question_id"], "withdrawn")
    ask, service = ask_content(citizen()), here.caller("service", SUITES[0])
    late = service.seal("landask+jwt", ask)
    taken = service.send("/bc-authorize", "landask+jwt", ask)[1].json()
    cancel = {"auth_req_id": taken["auth_req_id"], "question_id": ask["ask"]["question_id"], "reason": "withdrawn"}
    assert service.send("/cancel", "landcancel+jwt", cancel)[1].status == 200
    again = service.post("/bc-authorize", late, "landask+jwt")
    assert again.json()["auth_req_id"] == taken["auth_req_id"]
    assert not here.open_requests(ask["login_hint"]), "a late repetition opened a cancelled request again"


def test_nothing_personal_was_written_by_either_server(here, told):
    written = here.logs() + wire.get(f"{here.world.service_url}/metrics").body.decode()
    written += wire.get(f"{here.world.service_url}/v1/log/leaves?from=0&to={_size(here)}").body.decode()
    secrets = [*PLANTED.values(), "mẹ đã mất", "Số 12", told.open_question]
    assert [secret for secret in secrets if secret in written] == []
    assert not re.search(r"0790750\d{5}", written)
    assert "918273" not in written


def _size(here: Battlefield) -> int:
    return int(wire.get(f"{here.world.service_url}/v1/log/checkpoint").body.split(b"\n")[1])


# The man in the middle


@dataclass
class Middle:
    """Stands between service and provider, passes on what he is sent, and may change what comes back."""

    target: str = ""
    bend: Callable[[str, Response], Response] = lambda _, good: good
    seen: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        headers = {"Content-Type": request.headers.get("content-type", "")}
        answer = wire.request("POST", self.target + request.path, request.body, headers)
        found = Response(answer.status, answer.media_type, answer.body)
        self.seen.append(request.path)
        return self.bend(request.path, found) if answer.media_type == "application/jose" else found


@pytest.fixture(scope="module", params=SUITES)
def between(request, tmp_path_factory):
    middle = Middle()
    with (
        listening(middle) as url,
        battlefield(tmp_path_factory.mktemp("middle"), suite=request.param, provider_url=url) as here,
    ):
        middle.target = here.world.provider_url
        yield here, middle


def asked(here: Battlefield) -> dict[str, Any]:
    """A new question, open in the citizen's app."""
    number = citizen()
    assert len(here.engine().post(question(number, land()))["accepted"]) == 1
    return here.request_to(number)


def answered(here: Battlefield, *requests: dict[str, Any]) -> None:
    answers = [verdict(request["items"][0]["item_id"], "mine", RESPONSE) for request in requests]
    bodies = [{"auth_req_id": r["auth_req_id"], "answers": [a]} for r, a in zip(requests, answers, strict=True)]
    assert here.driver("answers", bodies) == {"results": ["ok"] * len(bodies)}


def bend_next(middle: Middle, times: int, bend: Callable[[Response], Response]) -> None:
    """Bend so many of the next replies."""
    left = itertools.count(times, -1)
    middle.bend = lambda path, good: bend(good) if path == "/token" and next(left) > 0 else good


def test_swapped_replies_settle_nothing(between):
    here, middle = between
    one, two = asked(here), asked(here)
    kept: list[Response] = []

    def swap(good: Response) -> Response:
        kept.append(good)
        return kept[-2] if len(kept) > 1 else Response(503)

    bend_next(middle, 6, swap)
    answered(here, one, two)
    _wait(lambda: len(kept) >= 6)
    assert not {one["question_id"], two["question_id"]} & here.states().keys(), "a swapped reply had an effect"
    for request in (one, two):
        here.wait_for_state(request["question_id"], "settled")
    refused = [leaf for leaf in leaves(here) if (leaf["event"], leaf["outcome"]) == ("landreply", "refused")]
    assert len(refused) >= 5
    assert {leaf["reason"] for leaf in refused} <= {"13", "14"}


SPOILT: dict[str, Callable[[Response], Response]] = {
    "a bit flipped": lambda good: Response(200, good.media_type, flipped(good.body, len(good.body) // 2)),
    "cut off": lambda good: Response(200, good.media_type, good.body[:-7]),
    "beyond the limit": lambda good: Response(200, good.media_type, good.body + b"A" * 400_000),
    "as JSON": lambda good: Response(200, "application/json", good.body),
    "with a parameter": lambda good: Response(200, "application/jose; charset=utf-8", good.body),
    "compressed": lambda good: Response(200, good.media_type, gzip.compress(good.body), {"Content-Encoding": "gzip"}),
    "with 201": lambda good: Response(201, good.media_type, good.body),
    "behind a redirect": lambda _: Response(307, None, b"", {"Location": "/token?again"}),
    "as noise": lambda _: Response(200, "application/jose", b"\xff" * 5_000),
    "as a page": lambda _: Response(502, "text/html", b"<html>" * 9_000),
}


def test_spoilt_replies_settle_nothing_and_the_good_one_settles(between):
    here, middle = between
    requests = [asked(here) for _ in range(4)]
    spoils = iter(SPOILT.values())

    def spoil(good: Response) -> Response:
        return next(spoils)(good)

    bend_next(middle, len(SPOILT), spoil)
    answered(here, *requests)
    for request in requests:
        here.wait_for_state(request["question_id"], "settled")
    assert next(spoils, None) is None, "some reply was not spoilt"
    settled = [entry["question_id"] for entry in here.engine().collect_all()]
    assert len(settled) == len(set(settled)), "something was settled twice"


def leaves(here: Battlefield) -> list[dict[str, Any]]:
    body = wire.get(f"{here.world.service_url}/v1/log/leaves?from=0&to={_size(here)}").body
    return [strict_json.loads(line) for line in body.splitlines()]


def _wait(holds: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)
