"""What bends a sealed message, byte by byte and member by member; those of another library: test_vectors.py."""

from __future__ import annotations

import json
from re import fullmatch
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws

from exchange.errors import MessageTooLargeError, Refused
from exchange.sealed import base64url, primitives, strict_json
from exchange.sealed.keys import Directory, KeySet, Own, Peer
from exchange.sealed.suites import MAX_BODY_BYTES
from tests.exchange.parties import DIRECTORY, KEYS, NOW, SUITES, iss, opened, own, peer, sealed
from tests.vectors.make_vectors import MODERN, P256, Maker

MESSAGES = {suite: sealed(suite=suite) for suite in SUITES}


def refusal(body: bytes, **told: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        opened(body, **told)
    return caught.value


def encrypted(inner: bytes, suite: str = "vn-p256") -> bytes:
    """Any plaintext, sealed to the service."""
    recipient = KEYS["service"].active(suite, "enc")
    header = {"alg": recipient.alg, "enc": "A256GCM", "kid": recipient.kid, "cty": "JWT"}
    return jwe.encrypt_compact(header, inner, recipient.jose, registry=primitives.JWE).encode()


def signed(text: bytes, suite: str = "vn-p256") -> bytes:
    """Any text, signed by the engine and sealed to the service."""
    signer = KEYS["engine"].active(suite, "sig")
    header = {"alg": signer.alg, "kid": signer.kid, "typ": "landcollect+jwt"}
    return encrypted(jws.serialize_compact(header, text, signer.jose, registry=primitives.JWS[suite]).encode(), suite)


def claims(**bent: Any) -> dict[str, Any]:
    recipient = KEYS["service"].active("vn-p256", "enc").kid
    times = {"iat": NOW, "nbf": NOW, "exp": NOW + 60}
    return {"ver": 1, "iss": iss("engine"), "aud": iss("service"), "jti": "j" * 22, "rkt": recipient, **times, **bent}


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suite", SUITES)
def test_every_byte_of_a_sealed_message_matters_in_every_bit(suite):
    body = MESSAGES[suite].body
    for place in range(len(body)):
        for bit in range(8) if place % 16 == 0 else (place % 8,):
            bent = bytearray(body)
            bent[place] ^= 1 << bit
            refusal(bytes(bent))


@pytest.mark.parametrize("suite", SUITES)
def test_every_byte_of_the_signed_message_inside_matters(suite):
    inner = MESSAGES[suite].inner.encode()
    for place in range(len(inner)):
        bent = bytearray(inner)
        bent[place] ^= 1 << place % 7
        refusal(encrypted(bytes(bent), suite))


@pytest.mark.parametrize("suite", SUITES)
def test_a_message_cut_short_or_with_a_byte_more_is_refused(suite):
    body = MESSAGES[suite].body
    for place in range(0, len(body), 7):
        refusal(body[:place])
        refusal(body[:place] + b"A" + body[place:])


@pytest.mark.parametrize("suite", SUITES)
def test_parts_of_two_messages_do_not_mix(suite):
    one, other = (sealed(suite=suite).body.split(b".") for _ in range(2))
    for part in range(5):
        mixed = [*one[:part], other[part], *one[part + 1 :]]
        assert refusal(b".".join(mixed)).check == 6


@given(st.binary(max_size=300) | st.text("AQgw.-_=", max_size=60).map(str.encode))
@example(b"....")
@example(b"." * MAX_BODY_BYTES)
@example(b"A" * MAX_BODY_BYTES)
@example(b"A" * (MAX_BODY_BYTES + 1))
def test_any_bytes_are_refused_and_nothing_else_happens(body):
    assert refusal(body).check in {1, 2, 3, 4}


@given(st.binary(max_size=200))
def test_any_plaintext_is_refused(inner):
    assert refusal(encrypted(inner)).check in {2, 3, 4}


NAMES = st.sampled_from(["ver", "iss", "aud", "jti", "iat", "nbf", "exp", "rkt", "re", "extra"])
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=9)
).map(lambda value: json.dumps(value).encode())
BORDERS = [NOW, NOW + 5, NOW + 6, NOW - 60, NOW - 61, NOW + 300, iss("engine"), iss("police"), "j" * 22, 1]


@given(st.binary(max_size=120) | ANY_JSON)
def test_any_signed_text_is_refused_after_its_signature(text):
    found = refusal(signed(text))
    assert found.check in {2, 3, 9}  # an empty payload is no compact form
    assert found.from_kid in {None, KEYS["engine"].active("vn-p256", "sig").kid}


@settings(max_examples=300)
@given(
    st.dictionaries(
        NAMES, SCALARS | st.lists(st.integers(), max_size=2) | st.sampled_from(BORDERS), min_size=1, max_size=3
    )
)
def test_bent_claims_are_refused_or_within_the_rules(bent):
    said = claims(**bent)
    body = signed(json.dumps(said).encode())
    if not within_the_rules(said):
        assert refusal(body).check in {3, 9, 10, 11, 12, 14}
    else:
        assert opened(body).payload == {name: value for name, value in bent.items() if name in {"re", "extra"}}


def within_the_rules(said: dict[str, Any]) -> bool:
    """The rules of protocol §2 once more, written down another way."""
    right = claims()
    same = all(type(said[name]) is type(right[name]) for name in right)
    return (
        same
        and all(said[name] == right[name] for name in ("ver", "iss", "aud", "rkt"))
        and said["iat"] in range(NOW - 60, NOW + 6)
        and said["nbf"] <= NOW + 5
        and said["exp"] in range(max(NOW, said["iat"]) + 1, said["iat"] + 301)
        and fullmatch("[A-Za-z0-9_-]{22,64}", said["jti"]) is not None
        and strict(said)
    )


def strict(said: dict[str, Any]) -> bool:
    try:
        strict_json.parse(json.dumps(said).encode())
    except strict_json.NotStrictError:
        return False
    return True


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

VALUES: list[Any] = [
    None,
    True,
    0,
    1,
    1.5,
    "",
    "A",
    [],
    ["A"],
    {},
    {"A": 1},
    "none",
    "NONE",
    "A256GCM",
    "JWT",
    "é",
    "\0",
]
EXTRA = [
    "jku", "jwk", "kid2", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "zip", "b64", "apu", "apv", "iv",
    "tag", "p2s", "p2c", "enc", "epk", "exp", "iss", "nonce", "url", "skid", "svt", "ALG", "alg ", "",
]  # fmt: skip


def mutations(header: dict[str, Any], *, deep: bool = True) -> list[dict[str, Any]]:
    """Every member taken away, replaced and bent; every known extra one added."""
    bent = [{k: v for k, v in header.items() if k != name} for name in header]
    bent += [{**header, name: value} for name in header for value in VALUES if value != header[name]]
    bent += [{**header, name: f"{header[name]}{more}"} for name in header for more in (" ", "\0", "=", ".")]
    bent += [{**header, name: str(header[name]).swapcase()} for name in header]
    bent += [
        {**header, name: value} for name in EXTRA if name not in header for value in ("A", ["exp"], {}, True, None)
    ]
    for name, inner in header.items() if deep else []:
        if isinstance(inner, dict):
            bent += [{**header, name: changed} for changed in mutations(inner, deep=False)]
    return bent


@pytest.mark.parametrize("facts", [P256, MODERN], ids=lambda facts: facts.suite)
def test_every_mutation_of_the_outer_header_is_refused_though_it_is_authenticated(facts):
    make = Maker(facts)
    told = receiving(make)
    inner = make.inner(json.dumps(make.claims()).encode()).encode()
    assert opened(make.outer(inner).encode(), **told).payload == {"after": None, "limit": 100}
    headers: list[dict[str, Any]] = []
    make.outer(inner, lambda header: headers.append(header) or header)
    for index in range(len(mutations(headers[0]))):
        found = refusal(make.outer(inner, lambda header, index=index: mutations(header)[index]).encode(), **told)
        assert found.check in {3, 4, 5, 6}


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_coordinate_of_another_length_is_refused_though_it_is_the_same_number(name):
    make = Maker(P256)
    inner = make.inner(json.dumps(make.claims()).encode()).encode()

    def longer(header: dict[str, Any]) -> dict[str, Any]:
        return {**header, "epk": {**header["epk"], name: base64url.encode(b"\0" + number(header))}}

    def number(header: dict[str, Any]) -> bytes:
        return base64url.decode(header["epk"][name].encode())

    assert refusal(make.outer(inner, longer).encode(), **receiving(make)).check == 4

    def shorter(header: dict[str, Any]) -> dict[str, Any]:
        lengths.append(len(number(header).lstrip(b"\0")))
        return {**header, "epk": {**header["epk"], name: base64url.encode(number(header).lstrip(b"\0"))}}

    lengths: list[int] = []
    body = ""
    while not lengths or lengths[-1] == 32:  # one key in 256 begins with a zero
        body = make.outer(inner, shorter)
    assert refusal(body.encode(), **receiving(make)).check == 4


@pytest.mark.parametrize("facts", [P256, MODERN], ids=lambda facts: facts.suite)
def test_every_mutation_of_the_inner_header_is_refused_though_it_is_signed(facts):
    make = Maker(facts)
    text = json.dumps(make.claims()).encode()
    for bent in mutations(make.inner_header()):
        found = refusal(make.outer(make.inner(text, bent).encode()).encode(), **receiving(make))
        assert found.check in {3, 4, 5, 7}


def receiving(make: Maker) -> dict[str, Any]:
    keys = {
        name: KeySet.parse(json.dumps({"keys": [json.loads(key.export()) for key in pair]}).encode())
        for name, pair in make.parties.items()
    }
    peers = [Peer(name, name, iss(name), made.public(), make.facts.suite) for name, made in keys.items()]
    return {"own": Own(iss("service"), keys["service"]), "directory": Directory(peers)}


def test_the_two_layers_are_of_one_suite():
    for outer, inner in (SUITES, SUITES[::-1]):
        assert refusal(encrypted(MESSAGES[inner].inner.encode(), outer)).check == 4


# ── parties ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_sealed_again_for_another_is_refused_there():
    """The engine's message to the service, decrypted there and sealed to the police, in the service's own hand."""
    recipient = KEYS["police"].active("vn-p256", "enc")
    header = {"alg": recipient.alg, "enc": "A256GCM", "kid": recipient.kid, "cty": "JWT"}
    again = jwe.encrypt_compact(header, MESSAGES["vn-p256"].inner, recipient.jose, registry=primitives.JWE).encode()
    assert refusal(again, own=own("police")).check == 10
    assert refusal(again, own=Own(iss("service"), KEYS["police"])).check == 11


def test_a_message_is_for_its_recipient_even_where_two_parties_share_a_name():
    assert refusal(MESSAGES["vn-p256"].body, own=Own("urn:other", KEYS["service"])).check == 10


def test_a_peer_without_the_role_is_refused_however_good_its_signature():
    found = refusal(sealed(own=own("police")).body)
    assert (found.check, found.reason) == (9, "role")
    assert opened(sealed(own=own("police")).body, roles=["engine", "police"]).peer.name == "police"


def test_a_message_sent_back_to_its_sender_is_refused():
    assert refusal(MESSAGES["vn-p256"].body, own=own("engine"), roles=["service"]).check == 5


@pytest.mark.parametrize("suite", SUITES)
def test_an_answer_is_in_the_suite_of_its_request(suite):
    other = next(name for name in SUITES if name != suite)
    answer = sealed({"after": None}, suite=suite, re="r" * 22).body
    assert opened(answer, re="r" * 22, suite=suite).re == "r" * 22
    assert refusal(answer, re="r" * 22, suite=other).check == 4


def test_an_answer_is_the_answer_to_this_request():
    assert refusal(sealed(re="r" * 22).body, re="s" * 22).check == 13
    assert refusal(sealed().body, re="s" * 22).check == 13
    assert "re" in opened(sealed(re="r" * 22).body).payload


# ── what the log is told ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_tells_a_key_only_where_it_is_pinned():
    stranger = Own(iss("engine"), KeySet.generate(["vn-p256"]))
    to_kid = KEYS["service"].active("vn-p256", "enc").kid
    found = refusal(sealed(own=stranger).body)
    assert (found.check, found.from_kid, found.to_kid) == (5, None, to_kid)
    found = refusal(sealed().body, now=NOW + 1000)
    assert (found.check, found.from_kid, found.to_kid) == (12, KEYS["engine"].active("vn-p256", "sig").kid, to_kid)
    elsewhere = Peer("service", "service", iss("service"), KEYS["police"].public(), "vn-p256")
    found = refusal(sealed(peer=elsewhere).body)
    assert (found.check, found.from_kid, found.to_kid) == (5, None, None)


def test_a_refusal_repeats_nothing_of_the_message():
    secret = "001099012345"
    for body in (signed(json.dumps(claims(aud=secret)).encode()), signed(f'{{"a":{secret}{secret}}}'.encode())):
        found = refusal(body)
        assert secret not in f"{found} {found!r} {found.reason}"


def test_what_was_opened_says_what_crossed_the_wire():
    sent = MESSAGES["vn-p256"]
    taken = opened(sent.body)
    assert (taken.inner, taken.sha256, taken.jti) == (sent.inner, sent.sha256, sent.jti)
    assert (taken.from_kid, taken.to_kid, taken.iat, taken.exp) == (sent.from_kid, sent.to_kid, NOW, NOW + 120)
    assert (taken.iss, taken.peer.role, taken.suite, taken.re) == (iss("engine"), "engine", "vn-p256", None)


# ── size and HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_of_the_full_size_is_opened_and_one_byte_more_is_not():
    fits, too_long = 140_000, 150_000
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        try:
            body = sealed({"text": "x" * middle}).body
            fits = middle
        except MessageTooLargeError:
            too_long = middle
    body = sealed({"text": "x" * fits}).body
    assert MAX_BODY_BYTES - 4 <= len(body) <= MAX_BODY_BYTES
    assert len(opened(body).payload["text"]) == fits
    assert refusal(body + b"A" * (MAX_BODY_BYTES + 1 - len(body))).check == 1


def test_the_size_is_the_first_thing_looked_at_and_the_limit_itself_is_within():
    assert refusal(b"A" * MAX_BODY_BYTES).check == 2
    assert refusal(b"A" * (MAX_BODY_BYTES + 1)).check == 1


@pytest.mark.parametrize("content_type", ["application/jose", "Application/JOSE"])
def test_the_content_type_is_compared_without_case(content_type):
    assert opened(MESSAGES["vn-p256"].body, content_type=content_type).jti


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "application/jose;", "application/jose; a=b", "jose"]
)
def test_another_content_type_is_refused(content_type):
    assert refusal(MESSAGES["vn-p256"].body, content_type=content_type).check == 0


@pytest.mark.parametrize("encoding", ["gzip", "identity", ""])
def test_a_content_encoding_is_refused(encoding):
    assert refusal(MESSAGES["vn-p256"].body, content_encoding=encoding).check == 0


def test_ephemeral_keys_nonces_and_ids_are_new_each_time():
    made = [sealed() for _ in range(20)]
    headers = [json.loads(base64url.decode(one.body.split(b".")[0])) for one in made]
    assert len({header["epk"]["x"] for header in headers}) == len({one.jti for one in made}) == 20
    assert len({one.body.split(b".")[2] for one in made}) == 20
    assert DIRECTORY.by_iss(iss("engine")) == peer("engine")
