"""The sealed message of section 2: JWE around JWS, sealed and opened.

Rules
- A message is signed by the sender's active key, then sealed to the recipient's active key, of one suite.
- `open_message` runs the numbered checks (1) to (14) in their order; the first that fails is named in `Refused`.
- The payload's schema, check (15), is `schemas.check`, because a caller may want the envelope of a bad payload.
- Clock and randomness come in as arguments where it matters; `Twist` bends one thing of a good message, for hard cases.

>>> from tests.interop.second.keys import make_key_set
>>> service, engine = (
...     Party("urn:quychu:peer:service", "service", make_key_set()),
...     Party("urn:x", "engine", make_key_set()),
... )
>>> sealed = seal(engine, service, "landcollect+jwt", {"after": None, "limit": 1}, suite="vn-p256", now=1000)
>>> Inbox(service, (engine,)).open_message(sealed.body, "landcollect+jwt", now=1000).content
{'after': None, 'limit': 1}
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import rfc8785
from jwcrypto import jwe, jws  # type: ignore[import-untyped]  # ships no types

from tests.interop.second import strict_json
from tests.interop.second.keys import MODERN, P256, Key, KeySet, is_canonical_32, read_key_set

LARGEST_BODY: Final = 262_144
CONTENT_TYPE: Final = "application/jose"
CLAIMS: Final = frozenset({"ver", "iss", "aud", "jti", "iat", "nbf", "exp", "rkt"})
SEEN_SECONDS: Final = 24 * 3600
SENDERS: Final = {
    "landquestions+jwt": "engine",
    "landwithdraw+jwt": "engine",
    "landcollect+jwt": "engine",
    "landask+jwt": "service",
    "landcancel+jwt": "service",
    "landfetch+jwt": "service",
    "landrevise+jwt": "vneid",
    "landdecl+jwt": "vneid",
    "residence+jwt": "police",
    "landquestions-receipt+jwt": "service",
    "landwithdraw-receipt+jwt": "service",
    "landanswers+jwt": "service",
    "landcancel-receipt+jwt": "vneid",
    "landreply+jwt": "vneid",
    "landrevise-receipt+jwt": "service",
    "landdecl-receipt+jwt": "service",
    "residence-reply+jwt": "service",
}

Bend = Callable[[dict[str, Any]], dict[str, Any]]
BendBytes = Callable[[bytes], bytes]


class Refused(ValueError):  # noqa: N818 - the protocol's own word for it
    """A message that fails a check; `check` is its number in section 2."""

    def __init__(self, check: int, why: str) -> None:
        super().__init__(f"({check}) {why}")
        self.check = check


@dataclass(frozen=True)
class Party:
    """Who somebody is, and their keys; private where it is ourselves."""

    iss: str
    role: str
    keys: KeySet


@dataclass(frozen=True)
class Twist:
    """What is bent in a message that is good otherwise."""

    claims: Bend = lambda good: good
    payload: BendBytes = lambda good: good
    jws_header: Bend = lambda good: good
    jws: BendBytes = lambda good: good
    jwe_header: Bend = lambda good: good
    epk: Bend = lambda good: good
    body: BendBytes = lambda good: good
    sign_with: Key | None = None
    seal_to: Key | None = None
    header_text: BendBytes = lambda good: good


STRAIGHT: Final = Twist()


@dataclass(frozen=True)
class Sealed:
    """A message ready to cross the wire."""

    body: bytes
    jti: str
    inner: bytes
    sender_kid: str
    recipient_kid: str

    @property
    def sha256(self) -> str:
        """The name of the message in the audit log."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Opened:
    """A message that passed checks (1) to (14)."""

    typ: str
    claims: dict[str, Any]
    content: dict[str, Any]
    suite: str
    sender: Party
    inner: bytes
    sender_kid: str
    recipient_kid: str

    @property
    def jti(self) -> str:
        """The name of the message."""
        return str(self.claims["jti"])


def new_id() -> str:
    """192 random bits, for a `jti` and for the ids a party makes."""
    return secrets.token_urlsafe(24)


def seal(
    sender: Party,
    recipient: Party,
    typ: str,
    content: dict[str, Any],
    *,
    suite: str,
    now: float,
    re: str | None = None,
    twist: Twist = STRAIGHT,
) -> Sealed:
    """Sign, then encrypt."""
    signer = twist.sign_with or sender.keys.active(suite, "sig")
    target = twist.seal_to or recipient.keys.active(suite, "enc")
    moment = int(now)
    claims = {
        "ver": 1,
        "iss": sender.iss,
        "aud": recipient.iss,
        "jti": new_id(),
        "iat": moment,
        "nbf": moment,
        "exp": moment + 300,
        "rkt": target.kid,
        **({} if re is None else {"re": re}),
        **content,
    }
    claims = twist.claims(claims)
    inner = twist.jws(_sign(signer, typ, twist.payload(strict_json.dumps(claims)), twist))
    body = twist.body(_encrypt(target, inner, twist))
    return Sealed(body, str(claims.get("jti")), inner, signer.kid, target.kid)


def _sign(signer: Key, typ: str, payload: bytes, twist: Twist) -> bytes:
    header = twist.jws_header({"alg": signer.alg, "kid": signer.kid, "typ": typ})
    token = jws.JWS(payload)
    text = twist.header_text(json.dumps(header, separators=(",", ":")).encode()).decode()
    if header.get("alg") not in {"ES256", "Ed25519", "EdDSA"}:
        # The library rightly refuses to make these; the signature is then noise.
        return b".".join(_b64(part) for part in (text.encode(), payload, secrets.token_bytes(64)))
    token.add_signature(signer.jwcrypto(), None, text)
    return str(token.serialize(compact=True)).encode()


def _encrypt(target: Key, inner: bytes, twist: Twist) -> bytes:
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": target.kid, "cty": "JWT"}
    token = jwe.JWE(inner, json.dumps(twist.jwe_header(header), separators=(",", ":")))
    token.add_recipient(target.jwcrypto())
    recipient = token.objects["recipients"][0] if "recipients" in token.objects else token.objects
    recipient["header"] = json.dumps({"epk": twist.epk(json.loads(recipient["header"])["epk"])})
    # Compact serialisation moves epk into the protected header and encrypts once more under it.
    return str(token.serialize(compact=True)).encode()


@dataclass
class Inbox:
    """One receiver: who it is, whom it knows, which `jti` it has seen."""

    me: Party
    peers: tuple[Party, ...]
    seen: dict[tuple[str, str], float] = field(default_factory=dict)

    def open_message(self, body: bytes, typ: str, *, now: float, re: str | None = None) -> Opened:
        """Checks (1) to (14); `re` is the request's `jti` where an answer is opened."""
        _require(len(body) <= LARGEST_BODY, 1, "body larger than 262,144 bytes")
        outer = _parts(body, 5)
        target = self._recipient(outer[0])
        inner = _decrypt(target, body, outer)
        opened = self._verified(inner, typ, target)
        self._check_claims(opened, now, re)
        self._spend(opened, now)
        return opened

    def _recipient(self, raw_header: bytes) -> Key:
        header = _header(raw_header)  # (3)
        _require(set(header) == {"alg", "enc", "kid", "cty", "epk"}, 4, "JWE header")
        _require((header["alg"], header["enc"], header["cty"]) == ("ECDH-ES+A256KW", "A256GCM", "JWT"), 4, "JWE header")
        suite = _epk_suite(header["epk"])
        key = self.me.keys.find(header["kid"], "enc") if isinstance(header["kid"], str) else None
        if key is None:
            raise Refused(5, "unknown recipient key")
        _require(key.suite == suite, 4, "epk is of another suite than the key")
        return key

    def _verified(self, inner: bytes, typ: str, target: Key) -> Opened:
        parts = _parts(inner, 3)
        header, claims = _header(parts[0]), _header(parts[1])  # (3)
        _require(set(header) == {"alg", "kid", "typ"}, 4, "JWS header")
        _require(header["alg"] == {P256: "ES256", MODERN: "Ed25519"}[target.suite], 4, "JWS alg of this suite")
        sender, key = self._sender(header["kid"])
        _require(key.alg == header["alg"], 5, "key pinned to another alg")
        _require(header["typ"] == typ, 7, "typ")
        _verify(key, inner)
        content = {name: value for name, value in claims.items() if name not in CLAIMS}
        return Opened(typ, claims, content, target.suite, sender, inner, key.kid, target.kid)

    def _sender(self, kid: object) -> tuple[Party, Key]:
        for peer in self.peers:
            key = peer.keys.find(kid, "sig") if isinstance(kid, str) else None
            if key is not None:
                return peer, key
        raise Refused(5, "unknown signing key")

    def _check_claims(self, opened: Opened, now: float, re: str | None) -> None:
        claims = opened.claims
        _require(claims.get("ver") == 1 and type(claims.get("ver")) is int, 9, "ver")
        _require(claims.get("iss") == opened.sender.iss, 9, "iss")
        _require(opened.sender.role == SENDERS[opened.typ], 9, "role")
        _require(claims.get("aud") == self.me.iss, 10, "aud")
        _require(claims.get("rkt") == opened.recipient_kid, 11, "rkt")
        _check_times(claims, now)
        if re is not None:
            _require(claims.get("re") == re, 13, "re")
            opened.content.pop("re")

    def _spend(self, opened: Opened, now: float) -> None:
        jti = opened.claims.get("jti")
        _require(isinstance(jti, str) and _is_id(jti), 14, "jti")
        name = (opened.sender.iss, str(jti))
        _require(now - self.seen.get(name, -SEEN_SECONDS) >= SEEN_SECONDS, 14, "jti seen before")
        self.seen[name] = now


def _check_times(claims: dict[str, Any], now: float) -> None:
    iat, nbf, exp = claims.get("iat"), claims.get("nbf"), claims.get("exp")
    if type(iat) is not int or type(nbf) is not int or type(exp) is not int:
        raise Refused(12, "iat, nbf and exp are integers")
    _require(iat < exp <= iat + 300, 12, "exp against iat")
    _require(nbf <= now + 5, 12, "nbf")
    _require(now - 60 <= iat <= now + 5, 12, "iat")
    _require(exp > now, 12, "exp")


def _require(holds: bool, check: int, why: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Refused(check, why)


def _parts(raw: bytes, count: int) -> list[bytes]:
    """(2) The decoded parts of a compact form."""
    parts = raw.split(b".")
    _require(len(parts) == count, 2, f"not {count} parts")
    return [_unb64(part) for part in parts]


def _unb64(part: bytes) -> bytes:
    _require(re.fullmatch(rb"[A-Za-z0-9_-]+", part) is not None and len(part) % 4 != 1, 2, "not base64url")
    value = base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    _require(_b64(value) == part, 2, "spare bits in base64url")
    return value


def _b64(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def _header(raw: bytes) -> dict[str, Any]:
    try:
        return strict_json.loads(raw)
    except strict_json.NotStrictError as error:
        raise Refused(3, str(error)) from error


def _epk_suite(epk: object) -> str:
    _require(isinstance(epk, dict), 4, "epk")
    assert isinstance(epk, dict)
    suite = P256 if epk.get("kty") == "EC" else MODERN
    curve = {P256: ("EC", "P-256"), MODERN: ("OKP", "X25519")}[suite]
    _require((epk.get("kty"), epk.get("crv")) == curve, 4, "epk curve")
    coordinates = {"x", "y"} if suite == P256 else {"x"}
    _require(set(epk) == {"kty", "crv"} | coordinates, 4, "epk members")
    for name in coordinates:
        _require(isinstance(epk[name], str) and is_canonical_32(epk[name]), 4, "epk coordinate")
    return suite


def _decrypt(target: Key, body: bytes, outer: list[bytes]) -> bytes:
    """(6) The inner JWS."""
    _require([len(outer[1]), len(outer[2]), len(outer[4])] == [40, 12, 16], 6, "lengths of key, iv or tag")
    token = jwe.JWE(algs=["ECDH-ES+A256KW", "A256GCM"])
    try:
        token.deserialize(body.decode("ascii"), key=target.jwcrypto())
    except Exception as error:
        # The library raises many kinds (bad point, bad tag, ...); all mean the same here.
        raise Refused(6, "decryption") from error
    return bytes(token.payload)


def _verify(key: Key, inner: bytes) -> None:
    """(8) The signature."""
    token = jws.JWS()
    token.allowed_algs = [key.alg]
    try:
        token.deserialize(inner.decode("ascii"))
        token.verify(key.jwcrypto(), alg=key.alg)
    except Exception as error:
        raise Refused(8, "signature") from error


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{22,64}", text) is not None


def party_of(iss: str, role: str, keys: KeySet) -> Party:
    """A party as its peers see it: public keys only."""
    return Party(iss, role, read_key_set(keys.public()))


def same_content(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Equal after RFC 8785."""
    return rfc8785.dumps(one) == rfc8785.dumps(other)
