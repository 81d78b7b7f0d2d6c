from __future__ import annotations

import hashlib
import json

import pytest

from exchange.errors import KeyFileError, MessageTooLargeError
from exchange.payloads import LandCollect
from exchange.sealed import base64url
from exchange.sealed.keys import KeySet, Own
from tests.exchange.parties import KEYS, NOW, SUITES, iss, opened, peer, sealed


def part(text: str, index: int) -> dict:
    return json.loads(base64url.decode(text.split(".")[index].encode()))


@pytest.mark.parametrize("suite", SUITES)
def test_the_headers_are_exactly_those_of_the_protocol(suite):
    sent = sealed(suite=suite)
    sig, enc = KEYS["engine"].active(suite, "sig"), KEYS["service"].active(suite, "enc")
    outer = part(sent.body.decode(), 0)
    epk = outer.pop("epk")
    assert outer == {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": enc.kid, "cty": "JWT"}
    assert epk.keys() == ({"kty", "crv", "x", "y"} if suite == "vn-p256" else {"kty", "crv", "x"})
    assert part(sent.inner, 0) == {"alg": sig.alg, "kid": sig.kid, "typ": "landcollect+jwt"}
    assert (sent.from_kid, sent.to_kid) == (sig.kid, enc.kid)
    assert sent.sha256 == hashlib.sha256(sent.body).hexdigest()


def test_the_claims_are_exactly_those_of_the_protocol():
    sent = sealed({"after": None, "limit": 5}, lifetime_seconds=300)
    assert part(sent.inner, 1) == {
        "ver": 1, "iss": iss("engine"), "aud": iss("service"), "jti": sent.jti, "iat": NOW, "nbf": NOW,
        "exp": NOW + 300, "rkt": sent.to_kid, "after": None, "limit": 5,
    }  # fmt: skip
    assert part(sealed(re="r" * 22).inner, 1)["re"] == "r" * 22


def test_a_model_is_sealed_as_its_members():
    assert opened(sealed(LandCollect(after=None, limit=7)).body).payload == {"after": None, "limit": 7}


def test_vietnamese_text_crosses_unchanged():
    assert opened(sealed({"text": "Xã Ba Vì, thôn Đồng Chằm 🌾"}).body).payload["text"] == "Xã Ba Vì, thôn Đồng Chằm 🌾"


def test_the_peers_suite_is_used_unless_another_is_asked_for():
    assert opened(sealed(suite=None, peer=peer("service", "modern-25519")).body).suite == "modern-25519"


def test_a_message_its_receiver_would_refuse_for_its_size_is_not_made():
    with pytest.raises(MessageTooLargeError, match="send less in one"):
        sealed({"text": "x" * 200_000})


def test_a_suite_we_have_no_key_of_is_one_sentence():
    with pytest.raises(KeyFileError, match="active key of suite modern-25519"):
        sealed(own=Own(iss("engine"), KeySet.generate(["vn-p256"])), suite="modern-25519")


@pytest.mark.parametrize("payload", [{"iss": "x"}, {"re": "x"}, {"rkt": "x"}])
def test_a_payload_cannot_bring_claims_of_its_own(payload):
    with pytest.raises(AssertionError, match="claims"):
        sealed(payload)


def test_a_number_without_a_form_in_json_is_not_sent():
    with pytest.raises(ValueError, match="JSON"):
        sealed({"limit": float("nan")})
