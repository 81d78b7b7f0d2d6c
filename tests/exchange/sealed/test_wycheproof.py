"""Project Wycheproof's JOSE vectors, run twice; both tests print their counts.

- Through our profile: whatever a vector is, nothing but `Refused` comes out, and nothing is allowed, since no vector
  has our exact headers. A JWE is given as a body; a JWS is put into a JWE of ours; a key set is read as a peer's.
- Through the same primitives with the header rule alone opened: every valid vector of ECDH-ES and ES256 is accepted and
  every invalid one of the whole file is refused.
- tcId 367 and 370 (HS256) are marked invalid for their padding, but the file has lost it: their text equals that of
  the valid 357. No reader of the text can tell them apart. Here all three are refused, for their algorithm, so these
  two say nothing about padding; our own near-misses do.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from exchange.errors import KeyFileError, Refused
from exchange.sealed import base64url, primitives, strict_json
from exchange.sealed.keys import Directory, JwkSet, Key, KeySet, Peer
from exchange.sealed.suites import SUITES, suite_of
from tests.exchange.parties import KEYS, opened, own

FOLDER = Path(__file__).resolve().parents[2] / "data" / "wycheproof"
FAMILY = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"]
CONTENT = ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"]
OPENED_JWE = type(primitives.JWE)(algorithms=FAMILY + CONTENT)
OPENED_JWS = primitives.JWS["vn-p256"]


class Vector(NamedTuple):
    tc_id: int
    text: str
    key: dict[str, Any]
    valid: bool
    plain: str | None
    """In hex, where the file says it."""


def vectors(kind: str) -> Iterator[Vector]:
    path = FOLDER / f"json_web_{kind}_test.json"
    if not path.is_file():
        pytest.skip(f"tests/data/wycheproof/{path.name} is absent; copy it from C2SP/wycheproof, testvectors_v1")
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        for test in group["tests"]:
            text = test["jwe"] if "jwe" in test else test["jws"]
            key = group["private"] if kind == "encryption" else group.get("public") or group["private"]
            yield Vector(test["tcId"], text, key, test["result"] == "valid", test.get("pt"))


def algorithm(vector: Vector) -> str:
    try:
        return str(strict_json.parse(base64url.decode(vector.text.split(".")[0].encode())).get("alg"))
    except ValueError:
        return "unreadable"


def show(capsys: pytest.CaptureFixture[str], title: str, counts: Counter[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nWycheproof {title}: {', '.join(f'{n} {what}' for what, n in sorted(counts.items()))}\n")


# ── through our profile ──────────────────────────────────────────────────────────────────────────────────────────────


def ours(jwk: dict[str, Any], use: str) -> Key | None:
    """The vector's key as one of ours, where a suite knows its curve."""
    suite = suite_of(jwk.get("kty", ""), jwk.get("crv", ""), use)
    if suite is None:
        return None
    jose = JWKRegistry.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y", "d") if name in jwk})
    return Key(jwk.get("kid", jose.thumbprint()), suite, use, "active", jose, {})


def test_through_our_profile_every_message_is_refused(capsys):
    counts: Counter[str] = Counter()
    for vector in vectors("encryption"):
        key = ours(vector.key, "enc")
        keys = KeySet([*KEYS["service"].keys[:2], replaced(key, "verify-only")]) if key else KEYS["service"]
        with pytest.raises(Refused) as caught:
            opened(vector.text.encode(), own=type(own("service"))("urn:quychu:peer:service", keys))
        counts[f"JWE refused at check {caught.value.check:2}"] += 1
    for vector in vectors("signature"):
        key = ours(vector.key, "sig")
        peers = [Peer("engine", "engine", "urn:e", JwkSet([*KEYS["engine"].public().keys[:2], *found(key)]), "vn-p256")]
        with pytest.raises(Refused) as caught:
            opened(wrapped(vector.text), directory=Directory(peers))
        counts[f"JWS refused at check {caught.value.check:2}"] += 1
    show(capsys, "through our profile, allowed none", counts)
    assert sum(counts.values()) == 139 + 401


def found(key: Key | None) -> list[Key]:
    return [] if key is None else [replaced(key, "verify-only")]


def replaced(key: Key, status: Any) -> Key:
    return Key(key.kid, key.suite, key.use, status, key.jose, key.members)


def wrapped(inner: str) -> bytes:
    recipient = KEYS["service"].active("vn-p256", "enc")
    header = {"alg": recipient.alg, "enc": "A256GCM", "kid": recipient.kid, "cty": "JWT"}
    return jwe.encrypt_compact(header, inner, recipient.jose, registry=primitives.JWE).encode()


def test_through_our_profile_every_key_set_is_refused(capsys):
    counts: Counter[str] = Counter()
    for vector in vectors("key"):
        with pytest.raises(KeyFileError):
            JwkSet.parse(json.dumps(vector.key).encode())
        counts["key sets refused"] += 1
    show(capsys, "through our profile", counts)
    assert counts.total() == 26


# ── through the same primitives, the header rule opened ──────────────────────────────────────────────────────────────


def strict_parts(text: str, count: int, key: dict[str, Any]) -> dict[str, Any]:
    """Checks (2), (3) and the pinning of (5), as the profile makes them."""
    parts = text.encode().split(b".")
    if len(parts) != count or not all(base64url.is_canonical(part) for part in parts):
        raise ValueError("compact form")
    header = strict_json.parse(base64url.decode(parts[0]))
    if key.get("alg", header["alg"]) != header["alg"]:
        raise ValueError("pinned to another algorithm")
    return header


def decrypts(vector: Vector) -> bool:
    try:
        strict_parts(vector.text, 5, vector.key)
        plain = jwe.decrypt_compact(vector.text, JWKRegistry.import_key(vector.key), registry=OPENED_JWE).plaintext
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    assert plain is not None
    assert vector.plain in {None, plain.hex()}
    return True


def verifies(vector: Vector) -> bool:
    try:
        strict_parts(vector.text, 3, vector.key)
        jws.deserialize_compact(vector.text, JWKRegistry.import_key(vector.key), registry=OPENED_JWS)
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "accepts", "family", "expected"),
    [("encryption", decrypts, tuple(FAMILY), 25), ("signature", verifies, ("ES256",), 2)],
)
def test_with_the_header_rule_opened_valid_is_accepted_and_invalid_refused(capsys, kind, accepts, family, expected):
    counts: Counter[str] = Counter()
    for vector in vectors(kind):
        named = "/".join(family[:1]) if algorithm(vector) in family else "other"
        taken = accepts(vector)
        counts[f"{'valid' if vector.valid else 'invalid'} {named} {'accepted' if taken else 'refused'}"] += 1
        assert not taken or vector.valid, f"tcId {vector.tc_id} is invalid and was accepted"
        assert taken or not vector.valid or named == "other", f"tcId {vector.tc_id} is valid and was refused"
    show(capsys, f"{kind}, header rule opened", counts)
    assert counts[f"valid {family[0]} accepted"] == expected


def test_two_invalid_vectors_are_the_same_text_as_a_valid_one():
    by_id = {vector.tc_id: vector for vector in vectors("signature")}
    assert by_id[357].valid
    assert not by_id[367].valid
    assert not by_id[370].valid
    assert by_id[357].text == by_id[367].text == by_id[370].text
    assert by_id[357].key == by_id[367].key == by_id[370].key
    assert {algorithm(by_id[number]) for number in (357, 367, 370)} == {"HS256"}


def test_only_the_two_suites_are_in_the_registries():
    assert {name: registry.allowed for name, registry in primitives.JWS.items()} == {
        name: [suite.sign.alg] for name, suite in SUITES.items()
    }
