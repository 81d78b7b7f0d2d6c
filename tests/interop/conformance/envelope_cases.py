"""Section 2 against a live service: every check, every kind, both suites.

Rules
- A fault bends one thing of a message that is good otherwise; its near-miss stands beside it and is accepted.
- The answer must be the same bytes not before 50 ms; which check failed only the log says (looked at by log_cases).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.interop.conformance.base import Gathering, assert_invalid, assert_refused, assert_unacceptable
from tests.interop.second import wire
from tests.interop.second.engine import ANSWERS, QUESTIONS, WITHDRAW, question
from tests.interop.second.envelope import Bend, Sealed, Twist, new_id
from tests.interop.second.keys import MODERN, P256, SUITES, Key, make_key
from tests.interop.second.police import RESIDENCE, case
from tests.interop.second.vneid import DECLARATIONS, GOOD_ACR, REVISIONS, verdict
from tests.interop.world import Expected, World

GATHERING: Final[Gathering[World]] = Gathering()
COLLECT: Final = {"after": None, "limit": 1}


@dataclass(frozen=True)
class Kind:
    """A kind that the service takes."""

    role: str
    path: str
    typ: str
    content: Callable[[], dict[str, Any]]

    @property
    def name(self) -> str:
        """For the scenario's name."""
        return self.typ.removesuffix("+jwt")


def revision() -> dict[str, Any]:
    """A revision of an answer nobody gave; fits the schema."""
    answers = [verdict(new_id(), "unsure")]
    return {"revises": new_id(), "sub": "001080000001", "acr": GOOD_ACR, "answers": answers, "answered_at": 1}


def declaration(**changes: Any) -> dict[str, Any]:
    """A declaration of a parcel."""
    attachment = {"name": "gcn.pdf", "media_type": "application/pdf", "sha256": "0" * 64, "size": 3_500_000}
    return {
        "declaration_id": new_id(),
        "sub": "001080000001",
        "acr": GOOD_ACR,
        "certificate_serial": "BK 123456",
        "parcel_address": None,
        "on_behalf_of": None,
        "attachments": [attachment],
        **changes,
    }


KINDS: Final = (
    Kind(
        "engine",
        QUESTIONS,
        "landquestions+jwt",
        # Not accepted (priority 2), so that nobody is asked; the envelope and the schema are good.
        lambda: {"batch_id": new_id(), "questions": [question("001080000001", priority=2)]},
    ),
    Kind(
        "engine",
        WITHDRAW,
        "landwithdraw+jwt",
        lambda: {"batch_id": new_id(), "question_ids": [new_id()], "reason": "thử"},
    ),
    Kind("engine", ANSWERS, "landcollect+jwt", lambda: dict(COLLECT)),
    Kind("vneid", REVISIONS, "landrevise+jwt", revision),
    Kind("vneid", DECLARATIONS, "landdecl+jwt", declaration),
    Kind("police", RESIDENCE, "residence+jwt", lambda: case("001080000001", new_id())),
)
IN_EACH_SUITE: Final = [(kind, suite) for kind in KINDS for suite in SUITES]


def changed(**values: Any) -> Bend:
    """Members set."""
    return lambda good: {**good, **values}


def without(name: str) -> Bend:
    """A member left out."""
    return lambda good: {key: value for key, value in good.items() if key != name}


def moved(**seconds: float) -> Bend:
    """Claims moved in time; the others keep their place."""
    return lambda good: {**good, **{name: good[name] + by for name, by in seconds.items()}}


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Bytes put in the place of others, once."""
    return lambda good: good.replace(old, new, 1)


def part(place: int, bend: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """One part of a compact form bent."""

    def run(good: bytes) -> bytes:
        parts = good.split(b".")
        parts[place] = bend(parts[place])
        return b".".join(parts)

    return run


def other_sign(text: bytes, at: int = 5) -> bytes:
    """One base64url sign changed in the middle."""
    return text[:at] + (b"B" if text[at : at + 1] == b"A" else b"A") + text[at + 1 :]


def spare_bits(text: bytes) -> bytes:
    """The same bytes with a spare bit set in the last sign."""
    signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + bytes([signs[signs.index(text[-1]) | 1]])


def header_part(bend: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """The first part's JSON text bent."""

    def run(encoded: bytes) -> bytes:
        raw = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        return base64.urlsafe_b64encode(bend(raw)).rstrip(b"=")

    return part(0, run)


def flattened(good: bytes) -> bytes:
    """The JSON serialisation of the same message."""
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
    return json.dumps(dict(zip(names, good.decode().split("."), strict=True))).encode()


@dataclass(frozen=True)
class Fault:
    """A bent message, the check that must refuse it, and how it is bent in a suite."""

    name: str
    check: int | None
    twist: Callable[[World, str], Twist]
    suites: tuple[str, ...] = SUITES


def fault(name: str, check: int | None, **bends: Any) -> Fault:
    """A fault that is the same in each suite."""
    return Fault(name, check, lambda _world, _suite: Twist(**bends))


def _own(world: World, suite: str, use: str) -> Key:
    return world.keys.engine.active(suite, use)


def _other(suite: str) -> str:
    return MODERN if suite == P256 else P256


def _nested(levels: int) -> bytes:
    """A member that makes the claims so many levels deep."""
    return b"[" * (levels - 1) + b"]" * (levels - 1)


def _with_member(member: bytes) -> Callable[[bytes], bytes]:
    return lambda claims: claims[:-1] + b"," + member + b"}"


def _point(key: Key) -> dict[str, Any]:
    return {name: value for name, value in key.members.items() if name != "d"}


def _under_known_kid(world: World, suite: str) -> Twist:
    real = world.service.keys.active(suite, "enc").kid
    return Twist(seal_to=make_key(suite, "enc"), jwe_header=changed(kid=real), claims=changed(rkt=real))


def _signed_under_known_kid(world: World, suite: str) -> Twist:
    return Twist(sign_with=make_key(suite, "sig"), jws_header=changed(kid=_own(world, suite, "sig").kid))


def _reencoded(encoded: bytes, old: bytes, new: bytes) -> bytes:
    raw = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    return base64.urlsafe_b64encode(raw.replace(old, new)).rstrip(b"=")


FAULTS: Final = (
    fault("a body beyond 262,144 bytes", 1, body=lambda good: good + b"A" * 262_144),
    fault("an empty body", 2, body=lambda _: b""),
    fault("four parts", 2, body=lambda good: good.rpartition(b".")[0]),
    fault("six parts", 2, body=lambda good: good + b".AAAA"),
    fault("a newline at the end", 2, body=lambda good: good + b"\n"),
    fault("a blank before", 2, body=lambda good: b" " + good),
    fault("padding", 2, body=part(4, lambda tag: tag + b"==")),
    fault("spare bits", 2, body=part(4, spare_bits)),
    fault("the JSON serialisation", 2, body=flattened),
    fault("an empty encrypted key", 2, body=part(1, lambda _: b"")),
    fault("an inner message of two parts", 2, jws=lambda good: good.rpartition(b".")[0]),
    fault("an inner message with padding", 2, jws=lambda good: good + b"="),
    fault("a header that is no JSON", 3, body=header_part(lambda raw: raw[:-1])),
    fault("a header that is a list", 3, body=header_part(lambda raw: b"[" + raw + b"]")),
    fault("a key twice in the outer header", 3, body=header_part(lambda raw: raw[:-1] + b',"cty":"JWT"}')),
    fault("a byte-order mark in the outer header", 3, body=header_part(lambda raw: b"\xef\xbb\xbf" + raw)),
    fault("a key twice in the claims", 3, payload=_with_member(b'"ver":1')),
    fault("a key twice deep in the claims", 3, payload=_with_member(b'"x":[{"a":1,"a":1}]')),
    fault("NaN", 3, payload=_with_member(b'"x":NaN')),
    fault("Infinity", 3, payload=_with_member(b'"x":-Infinity')),
    fault("a lone surrogate", 3, payload=_with_member(b'"x":"\\ud800"')),
    fault("U+0000", 3, payload=_with_member(b'"x":"\\u0000"')),
    fault("bytes that are no UTF-8", 3, payload=_with_member(b'"x":"\xff"')),
    fault("a byte-order mark before the claims", 3, payload=lambda raw: b"\xef\xbb\xbf" + raw),
    fault("33 levels", 3, payload=_with_member(b'"x":' + _nested(33))),
    fault("an integer of 2^53", 3, payload=_with_member(b'"x":9007199254740992')),
    fault("claims that are a list", 3, payload=lambda raw: b"[" + raw + b"]"),
    fault("text after the claims", 3, payload=lambda raw: raw + b"{}"),
    fault("no cty", 4, jwe_header=without("cty")),
    fault("cty in small letters", 4, jwe_header=changed(cty="jwt")),
    fault("zip", 4, jwe_header=changed(zip="DEF")),
    fault("apu", 4, jwe_header=changed(apu="QQ")),
    fault("a typ in the outer header", 4, jwe_header=changed(typ="JWT")),
    fault("crit in the outer header", 4, body=header_part(lambda raw: raw[:-1] + b',"crit":["exp"]}')),
    fault("another enc", 4, jwe_header=changed(enc="A128CBC-HS256")),
    fault("a weaker key wrap", 4, jwe_header=changed(alg="ECDH-ES+A128KW")),
    fault("ECDH-ES without a wrap, with a key all the same", 4, body=header_part(replaced(b"+A256KW", b""))),
    fault("epk with a kid", 4, epk=changed(kid="x")),
    Fault(
        "epk on the other suite's curve",
        4,
        lambda _, suite: Twist(epk=lambda _: _point(make_key(_other(suite), "enc"))),
    ),
    fault("alg none", 4, jws_header=changed(alg="none")),
    fault("alg HS256", 4, jws_header=changed(alg="HS256")),
    Fault("alg EdDSA", 4, lambda *_: Twist(jws_header=changed(alg="EdDSA")), (MODERN,)),
    fault("a jku", 4, jws_header=changed(jku="https://example.invalid/")),
    fault("cty in the inner header", 4, jws_header=changed(cty="JSON")),
    fault("no typ", 4, jws_header=without("typ")),
    fault("no kid in the inner header", 4, jws_header=without("kid")),
    fault("a key twice in the inner header", 3, header_text=lambda raw: raw[:-1] + b',"typ":"landcollect+jwt"}'),
    Fault("layers of two suites", 4, lambda w, suite: Twist(sign_with=_own(w, _other(suite), "sig"))),
    Fault("a recipient key nobody knows", 5, lambda _, suite: Twist(seal_to=make_key(suite, "enc"))),
    Fault("a signing key nobody knows", 5, lambda w, s: Twist(sign_with=w.keys.stranger.active(s, "sig"))),
    Fault("an encryption key named as signer", 5, lambda w, s: Twist(jws_header=changed(kid=_own(w, s, "enc").kid))),
    fault("a broken ciphertext", 6, body=part(3, other_sign)),
    fault("a broken tag", 6, body=part(4, other_sign)),
    fault("a broken encrypted key", 6, body=part(1, other_sign)),
    fault("a broken iv", 6, body=part(2, other_sign)),
    Fault("sealed to another key under a known kid", 6, _under_known_kid),
    fault("the typ of another endpoint", 7, jws_header=changed(typ="landwithdraw+jwt")),
    fault("the typ in capitals", 7, jws_header=changed(typ="LANDCOLLECT+JWT")),
    fault("the typ with application/", 7, jws_header=changed(typ="application/landcollect+jwt")),
    fault("a broken signature", 8, jws=part(2, other_sign)),
    fault("claims changed after signing", 8, jws=part(1, lambda raw: _reencoded(raw, b'"ver":1', b'"ver":2'))),
    Fault("signed with another key under a known kid", 8, _signed_under_known_kid),
    fault("ver 2", 9, claims=changed(ver=2)),
    fault("ver as text", 9, claims=changed(ver="1")),
    fault("no ver", 9, claims=without("ver")),
    fault("the iss of another peer", 9, claims=changed(iss="urn:quychu:peer:police")),
    fault("no iss", 9, claims=without("iss")),
    fault("aud as a list", 10, claims=lambda good: {**good, "aud": [good["aud"]]}),
    fault("another aud", 10, claims=changed(aud="urn:quychu:peer:nobody")),
    fault("no aud", 10, claims=without("aud")),
    fault("re-sealed for another: rkt is another key", 11, claims=changed(rkt="A" * 43)),
    fault("no rkt", 11, claims=without("rkt")),
    fault("nbf 10 s ahead", 12, claims=moved(nbf=10)),
    fault("iat 10 s ahead", 12, claims=moved(iat=10, exp=5)),
    fault("iat 70 s old", 12, claims=moved(iat=-70, nbf=-70, exp=-70)),
    fault("expired", 12, claims=moved(iat=-50, nbf=-50, exp=-310)),
    fault("301 s of life", 12, claims=moved(exp=1)),
    fault("exp before iat", 12, claims=moved(iat=4, exp=-297)),
    fault("iat with a point", 12, claims=lambda good: {**good, "iat": float(good["iat"])}),
    fault("exp as text", 12, claims=lambda good: {**good, "exp": str(good["exp"])}),
    fault("no exp", 12, claims=without("exp")),
    fault("no nbf", 12, claims=without("nbf")),
    fault("no jti", None, claims=without("jti")),
    fault("a jti of 21 signs", None, claims=lambda good: {**good, "jti": good["jti"][:21]}),
    fault("a jti with another sign", None, claims=lambda good: {**good, "jti": good["jti"][:-1] + "+"}),
)


NEAR_MISSES: Final = (
    fault("nbf and iat 3 s ahead", None, claims=moved(nbf=3, iat=3, exp=3)),
    fault("iat 50 s old", None, claims=moved(iat=-50, nbf=-50, exp=-50)),
    fault("20 s of life left", None, claims=moved(exp=-280)),
    fault("members in another order", None, claims=lambda good: dict(reversed(good.items()))),
    fault("blanks in the claims", None, payload=lambda raw: raw.replace(b'":', b'" : ')),
    fault("header members in another order", None, jws_header=lambda good: dict(reversed(good.items()))),
    fault("blanks in the inner header", None, header_text=lambda raw: raw.replace(b",", b" ,\n")),
    fault("escaped letters in the claims", None, payload=replaced(b'"after"', b'"\\u0061fter"')),
    Fault("a next key signs", None, lambda w, s: Twist(sign_with=w.keys.engine.one(s, "sig", "next"))),
    Fault("a verify-only key signs", None, lambda w, s: Twist(sign_with=w.keys.engine.one(s, "sig", "verify-only"))),
)


def _collect(world: World, suite: str, twist: Twist) -> tuple[Sealed, wire.Answer]:
    return world.caller("engine", suite).send(ANSWERS, "landcollect+jwt", dict(COLLECT), twist=twist)


@GATHERING.for_each(*FAULTS)
def a_message_with_this_fault_gets_the_one_400_in_each_suite(world: World, case: Fault) -> None:
    for suite in case.suites:
        sealed, answer = _collect(world, suite, case.twist(world, suite))
        assert_refused(world, sealed, answer, case.check)


@GATHERING.for_each(*NEAR_MISSES)
def a_near_miss_of_a_fault_is_taken_in_each_suite(world: World, case: Fault) -> None:
    for suite in case.suites:
        sealed, answer = _collect(world, suite, case.twist(world, suite))
        world.caller("engine", suite).open_answer(sealed, answer, "landanswers+jwt")


EDGES: Final = (
    fault("32 levels", None, payload=_with_member(b'"x":' + _nested(32))),
    fault("an integer of 2^53 - 1", None, payload=_with_member(b'"x":9007199254740991')),
    fault("a pair of surrogates", None, payload=_with_member(b'"x":"\\ud83d\\ude00"')),
    fault("a number with an exponent", None, payload=_with_member(b'"x":1e3')),
)


@GATHERING.for_each(*EDGES)
def json_at_the_edge_is_read_and_its_unknown_field_is_422(world: World, case: Fault) -> None:
    for suite in case.suites:
        assert_invalid(_collect(world, suite, case.twist(world, suite))[1])


@GATHERING.for_each(
    "application/jose; charset=utf-8", "application/jose+json", "application/json", "text/plain", "application/jwt", ""
)
def another_content_type_is_refused(world: World, content_type: str) -> None:
    caller = world.caller("engine")
    sealed = caller.seal("landcollect+jwt", dict(COLLECT))
    headers = {"Content-Type": content_type} if content_type else {}
    assert_unacceptable(wire.post(caller.url + ANSWERS, sealed.body, headers))
    # None of it spent the jti.
    answer = caller.post(ANSWERS, sealed, "landcollect+jwt")
    caller.open_answer(sealed, answer, "landanswers+jwt")


@GATHERING.scenario
def a_content_encoding_is_refused(world: World) -> None:
    caller = world.caller("engine")
    sealed = caller.seal("landcollect+jwt", dict(COLLECT))
    headers = {"Content-Type": "application/jose", "Content-Encoding": "gzip"}
    assert_unacceptable(wire.post(caller.url + ANSWERS, sealed.body, headers))


@GATHERING.scenario
def the_content_type_is_compared_without_case(world: World) -> None:
    caller = world.caller("engine")
    sealed = caller.seal("landcollect+jwt", dict(COLLECT))
    answer = caller.post(ANSWERS, sealed, "landcollect+jwt", content_type="Application/JOSE")
    caller.open_answer(sealed, answer, "landanswers+jwt")


@GATHERING.for_each(*KINDS)
def every_kind_refuses_a_second_use_of_a_jti(world: World, kind: Kind) -> None:
    for suite in SUITES:
        caller = world.caller(kind.role, suite)
        sealed, first = caller.send(kind.path, kind.typ, kind.content())
        assert first.status in {200, 422}, f"the first use answered {first.status} {first.body[:200]!r}"
        assert_unacceptable(caller.post(kind.path, sealed, kind.typ))
        again = caller.seal(kind.typ, kind.content(), twist=Twist(claims=changed(jti=sealed.jti)))
        assert_refused(world, again, caller.post(kind.path, again, kind.typ), 14)


@GATHERING.for_each(*KINDS)
def every_kind_refuses_the_other_roles(world: World, kind: Kind) -> None:
    for role in ("engine", "vneid", "police"):
        if role != kind.role:
            sealed, answer = world.caller(role).send(kind.path, kind.typ, kind.content())
            assert_refused(world, sealed, answer, 9)


@GATHERING.for_each(*KINDS)
def every_kind_refuses_a_stranger(world: World, kind: Kind) -> None:
    for suite in SUITES:
        sealed, answer = world.caller("stranger", suite).send(kind.path, kind.typ, kind.content())
        assert_refused(world, sealed, answer, 5)


@GATHERING.for_each(*KINDS)
def every_kind_refuses_the_typ_of_the_others(world: World, kind: Kind) -> None:
    for other in KINDS:
        if other.typ != kind.typ:
            sealed, answer = world.caller(kind.role).send(kind.path, other.typ, kind.content())
            assert_refused(world, sealed, answer, 7)


@GATHERING.for_each(*KINDS)
def every_kind_answers_422_to_an_unknown_or_a_missing_field(world: World, kind: Kind) -> None:
    good = kind.content()
    bent = [{**good, "surprise": 1}, {**good, "re": new_id()}]
    bent += [{name: value for name, value in good.items() if name != left_out} for left_out in good]
    for suite in SUITES:
        for content in bent:
            sealed, answer = world.caller(kind.role, suite).send(kind.path, kind.typ, content)
            assert_invalid(answer)
            world.expected[sealed.sha256] = Expected("refused")


@GATHERING.for_each(*KINDS)
def an_invalid_payload_spends_its_jti(world: World, kind: Kind) -> None:
    caller = world.caller(kind.role)
    sealed, answer = caller.send(kind.path, kind.typ, {**kind.content(), "surprise": 1})
    assert_invalid(answer)
    assert_unacceptable(caller.post(kind.path, sealed, kind.typ))


@GATHERING.scenario
def a_message_for_the_service_cannot_be_sealed_again_for_the_provider(world: World) -> None:
    # What the engine signed for one key of the service, sealed again to another key the service lists: rkt differs.
    for suite in SUITES:
        listed = [key for key in world.service.keys.keys if (key.suite, key.use) == (suite, "enc")]
        for other in listed:
            if other.status != "active":
                bent = Twist(seal_to=other, claims=changed(rkt=world.service.keys.active(suite, "enc").kid))
                sealed, answer = _collect(world, suite, bent)
                assert_refused(world, sealed, answer, 11)


@GATHERING.scenario
def any_listed_encryption_key_of_the_service_opens(world: World) -> None:
    for key in world.service.keys.keys:
        if key.use == "enc":
            sealed, answer = _collect(world, key.suite, Twist(seal_to=key))
            world.caller("engine", key.suite).open_answer(sealed, answer, "landanswers+jwt")


@GATHERING.scenario
def the_service_shows_its_keys(world: World) -> None:
    answer = wire.get(f"{world.service_url}/.well-known/jwks.json")
    assert (answer.status, answer.media_type.lower()) == (200, "application/jwk-set+json"), answer.media_type
    assert answer.json() == world.service.keys.public()
