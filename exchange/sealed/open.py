"""Decrypt, verify and check a sealed message, in the order of the protocol; the first failure refuses it.

Rules (protocol §2; the blocks below repeat its numbers)
- Nothing but `Refused` leaves `open_sealed`, whatever the bytes.
- A key's id is told in a refusal only where the key is pinned: a stranger cannot write into our log.
- The payload's text is read only after its signature holds. `re` is a claim where an answer is awaited, and stays in
  the payload as an unknown field where a request is.
- (14) is the caller's: only the store knows which `jti` were seen. Its form is checked here, under that number.

>>> from exchange.sealed.keys import KeySet
>>> from exchange.sealed.seal import seal
>>> keys = {name: KeySet.generate(["modern-25519"]) for name in ("engine", "service")}
>>> peers = [Peer(name, name, f"urn:{name}", keys[name].public(), "modern-25519") for name in keys]
>>> engine, service = (Own(f"urn:{name}", keys[name]) for name in keys)
>>> sent = seal({"limit": 9}, typ="landcollect+jwt", own=engine, peer=peers[1], now=1_800_000_000)
>>> told = {"typ": "landcollect+jwt", "own": service, "directory": Directory(peers), "roles": ["engine"]}
>>> opened = open_sealed(sent.body, now=1_800_000_030, **told)
>>> opened.payload, opened.peer.name, opened.jti == sent.jti
({'limit': 9}, 'engine', True)
>>> open_sealed(sent.body, now=1_800_000_130, **told)
Traceback (most recent call last):
    ...
exchange.errors.Refused: the sealed message was refused at check 12 (too-old)
"""

from __future__ import annotations

import hashlib
import re as regex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from joserfc import jwe, jws
from joserfc.errors import JoseError

from exchange.errors import Refused
from exchange.ids import ID_PATTERN
from exchange.kinds import SEALED_TYPE
from exchange.sealed import base64url, primitives, strict_json
from exchange.sealed.keys import Directory, Key, Own, Peer
from exchange.sealed.seal import CLAIMS, VERSION
from exchange.sealed.suites import COORDINATE_BYTES, ENC, MAX_BODY_BYTES, MAX_LIFETIME_SECONDS, SUITES, WRAP

CLOCK_SKEW_SECONDS = 5
MAX_AGE_SECONDS = 60

_JTI = regex.compile(ID_PATTERN[1:-1])
_COORDINATE_CHARACTERS = -(-COORDINATE_BYTES * 4 // 3)
_ENCRYPTED_KEY, _IV, _TAG = 54, 16, 22
"""Characters of a wrapped 256-bit key (40 bytes), of the nonce (12) and of the tag (16)."""


@dataclass(frozen=True)
class Opened:
    """A message that holds up to check (13), and the form of its `jti`."""

    payload: dict[str, Any]
    """Without the claims."""
    jti: str
    iss: str
    iat: int
    exp: int
    re: str | None
    peer: Peer
    suite: str
    inner: str
    """The JWS inside, for the commitment in the audit log."""
    from_kid: str
    to_kid: str
    sha256: str
    """Of the message as it crossed the wire, in hex."""


@dataclass
class _Trail:
    """How far the message came: what a refusal may tell the log."""

    to_kid: str | None = None
    from_kid: str | None = None

    def refuse(self, check: int, reason: str) -> Refused:
        return Refused(check, reason, from_kid=self.from_kid, to_kid=self.to_kid)


def open_sealed(  # noqa: PLR0913 - each is a fact of one of the checks
    body: bytes,
    *,
    typ: str,
    own: Own,
    directory: Directory,
    roles: Collection[str],
    now: int,
    re: str | None = None,
    suite: str | None = None,
    content_type: str | None = SEALED_TYPE,
    content_encoding: str | None = None,
) -> Opened:
    """The message in `body`; `re` is the `jti` of our request where an answer is opened, `suite` the one it was in."""
    trail = _Trail()
    _check_http(content_type, content_encoding, trail)
    if len(body) > MAX_BODY_BYTES:  # (1)
        raise trail.refuse(1, "too-large")
    recipient, inner = _open_outer(body, own, suite, trail)  # (2) to (6)
    peer, text = _open_inner(inner, recipient.suite, typ, directory, trail)  # (2) to (8)
    claims = _strict(text, trail)  # (3)
    _check_parties(claims, own, peer, roles, recipient.kid, trail)  # (9) to (11)
    _check_times(claims, now, trail)  # (12)
    _check_answer(claims, re, trail)  # (13)
    jti = claims.get("jti")
    if type(jti) is not str or not _JTI.fullmatch(jti):  # (14), its form
        raise trail.refuse(14, "jti-form")
    taken = CLAIMS if re is None else CLAIMS | {"re"}
    return Opened(
        payload={name: value for name, value in claims.items() if name not in taken},
        jti=jti,
        iss=peer.iss,
        iat=claims["iat"],
        exp=claims["exp"],
        re=re,
        peer=peer,
        suite=recipient.suite,
        inner=inner.decode("ascii"),
        from_kid=str(trail.from_kid),
        to_kid=recipient.kid,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def _check_http(content_type: str | None, content_encoding: str | None, trail: _Trail) -> None:
    if content_type is None or content_type.lower() != SEALED_TYPE:
        raise trail.refuse(0, "content-type")
    if content_encoding is not None:
        raise trail.refuse(0, "content-encoding")


def _open_outer(body: bytes, own: Own, suite: str | None, trail: _Trail) -> tuple[Key, bytes]:
    """The key it was sealed to, and the JWS inside."""
    parts = _parts(body, 5, trail)  # (2)
    header = _strict(base64url.decode(parts[0]), trail)  # (3)
    if header.keys() != {"alg", "enc", "kid", "cty", "epk"}:  # (4)
        raise trail.refuse(4, "jwe-header")
    if (header["alg"], header["enc"], header["cty"]) != (WRAP, ENC, "JWT"):
        raise trail.refuse(4, "jwe-algorithm")
    recipient = own.keys.by_kid(header["kid"]) if type(header["kid"]) is str else None  # (5)
    if recipient is None or recipient.use != "enc":
        raise trail.refuse(5, "recipient-key")
    trail.to_kid = recipient.kid
    if suite not in {None, recipient.suite}:  # (4): an answer is in the suite of its request
        raise trail.refuse(4, "suite")
    _check_epk(header["epk"], recipient, trail)  # (4)
    return recipient, _decrypted(body, parts, recipient, trail)  # (6)


def _check_epk(epk: Any, recipient: Key, trail: _Trail) -> None:
    curve = SUITES[recipient.suite].seal
    if type(epk) is not dict or epk.keys() != {"kty", "crv", *curve.coordinates}:
        raise trail.refuse(4, "epk")
    if (epk["kty"], epk["crv"]) != (curve.kty, curve.crv):
        raise trail.refuse(4, "epk")
    if not all(_is_coordinate(epk[name]) for name in curve.coordinates):
        raise trail.refuse(4, "epk")


def _is_coordinate(text: Any) -> bool:
    return (
        type(text) is str
        and len(text) == _COORDINATE_CHARACTERS
        and text.isascii()
        and base64url.is_canonical(text.encode("ascii"))
    )


def _decrypted(body: bytes, parts: list[bytes], recipient: Key, trail: _Trail) -> bytes:
    """A point off the curve, a shared secret of zeros, a wrong key and a wrong tag are one refusal."""
    if (len(parts[1]), len(parts[2]), len(parts[4])) != (_ENCRYPTED_KEY, _IV, _TAG):
        raise trail.refuse(6, "decryption")
    try:
        inner = jwe.decrypt_compact(body, recipient.jose, registry=primitives.JWE).plaintext
    except (JoseError, ValueError, TypeError) as error:
        raise trail.refuse(6, "decryption") from error
    assert inner is not None
    return inner


def _open_inner(inner: bytes, suite: str, typ: str, directory: Directory, trail: _Trail) -> tuple[Peer, bytes]:
    """The peer who signed it, and the text of the claims."""
    parts = _parts(inner, 3, trail)  # (2)
    header = _strict(base64url.decode(parts[0]), trail)  # (3)
    if header.keys() != {"alg", "kid", "typ"} or type(header["kid"]) is not str:  # (4)
        raise trail.refuse(4, "jws-header")
    if header["alg"] != SUITES[suite].sign.alg:
        raise trail.refuse(4, "jws-algorithm")
    peer = directory.by_signing_kid(header["kid"])  # (5)
    key = peer.keys.by_kid(header["kid"]) if peer else None
    if peer is None or key is None or key.suite != suite:
        raise trail.refuse(5, "signing-key")
    trail.from_kid = key.kid
    if header["typ"] != typ:  # (7)
        raise trail.refuse(7, "typ")
    try:
        verified = jws.deserialize_compact(inner, key.jose, registry=primitives.JWS[suite])  # (8)
    except (JoseError, ValueError, TypeError) as error:
        raise trail.refuse(8, "signature") from error
    return peer, verified.payload


def _parts(text: bytes, count: int, trail: _Trail) -> list[bytes]:
    parts = text.split(b".", count)
    if len(parts) != count or not all(part and base64url.is_canonical(part) for part in parts):
        raise trail.refuse(2, "compact-form")
    return parts


def _strict(text: bytes, trail: _Trail) -> dict[str, Any]:
    try:
        return strict_json.parse(text)
    except strict_json.NotStrictError as error:
        raise trail.refuse(3, "strict-json") from error


def _check_parties(
    claims: dict[str, Any], own: Own, peer: Peer, roles: Collection[str], recipient_kid: str, trail: _Trail
) -> None:
    if type(claims.get("ver")) is not int or claims["ver"] != VERSION:  # (9)
        raise trail.refuse(9, "ver")
    if claims.get("iss") != peer.iss:
        raise trail.refuse(9, "iss")
    if peer.role not in roles:
        raise trail.refuse(9, "role")
    if claims.get("aud") != own.iss:  # (10)
        raise trail.refuse(10, "aud")
    if claims.get("rkt") != recipient_kid:  # (11)
        raise trail.refuse(11, "rkt")


def _check_times(claims: dict[str, Any], now: int, trail: _Trail) -> None:
    iat, nbf, exp = (claims.get(name) for name in ("iat", "nbf", "exp"))
    if not (type(iat) is int and type(nbf) is int and type(exp) is int):  # (12)
        raise trail.refuse(12, "times")
    if not iat < exp <= iat + MAX_LIFETIME_SECONDS:
        raise trail.refuse(12, "lifetime")
    if nbf > now + CLOCK_SKEW_SECONDS or iat > now + CLOCK_SKEW_SECONDS:
        raise trail.refuse(12, "not-yet")
    if iat < now - MAX_AGE_SECONDS:
        raise trail.refuse(12, "too-old")
    if exp <= now:
        raise trail.refuse(12, "expired")


def _check_answer(claims: dict[str, Any], re: str | None, trail: _Trail) -> None:
    if re is not None and claims.get("re") != re:  # (13)
        raise trail.refuse(13, "re")
