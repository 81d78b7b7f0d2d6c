"""Keys and key sets of section 1.

Rules
- A JWK has exactly `kty`, `crv`, `x` (`y` on P-256), `use`, `alg`, `kid` (its RFC 7638 thumbprint), perhaps `status`.
- Of each suite a set lists, exactly one key per use is active: it signs, and is sealed to.
- A private set is the same file with a `d` in each key; it never leaves its owner.

>>> ours = make_key_set()
>>> theirs = read_key_set(ours.public())
>>> theirs.active("vn-p256", "sig").kid == ours.active("vn-p256", "sig").kid
True
>>> theirs.active("modern-25519", "enc").is_private
False
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from jwcrypto import jwk  # type: ignore[import-untyped]  # ships no types

P256: Final = "vn-p256"
MODERN: Final = "modern-25519"
SUITES: Final = (P256, MODERN)
STATUSES: Final = ("active", "next", "verify-only")
SHAPES: Final[dict[tuple[str, str], tuple[str, str, str]]] = {
    (P256, "sig"): ("EC", "P-256", "ES256"),
    (P256, "enc"): ("EC", "P-256", "ECDH-ES+A256KW"),
    (MODERN, "sig"): ("OKP", "Ed25519", "Ed25519"),
    (MODERN, "enc"): ("OKP", "X25519", "ECDH-ES+A256KW"),
}


class BadKeyError(ValueError):
    """A key or a set that is not as section 1 wants it."""


@dataclass(frozen=True)
class Key:
    """One key with its place: suite, use and status."""

    suite: str
    use: str
    status: str
    kid: str
    members: dict[str, str]
    """`kty`, `crv`, `x`, perhaps `y`, and `d` where the key is private."""

    @property
    def is_private(self) -> bool:
        """Whether the private part is here."""
        return "d" in self.members

    @property
    def alg(self) -> str:
        """The one algorithm it is pinned to."""
        return SHAPES[self.suite, self.use][2]

    def jwcrypto(self) -> jwk.JWK:
        """The key as the library takes it, without use or alg, so that a hard case may misuse it."""
        return jwk.JWK(**self.members)

    def public(self) -> dict[str, str]:
        """The JWK that is given away."""
        point = {name: value for name, value in self.members.items() if name != "d"}
        named = {**point, "use": self.use, "alg": self.alg, "kid": self.kid}
        return named if self.status == "active" else {**named, "status": self.status}

    def private(self) -> dict[str, str]:
        """The JWK that is kept."""
        return {**self.public(), "d": self.members["d"]}


@dataclass(frozen=True)
class KeySet:
    """All keys a party lists."""

    keys: tuple[Key, ...]

    def active(self, suite: str, use: str) -> Key:
        """The key that signs, or is sealed to."""
        return self.one(suite, use, "active")

    def one(self, suite: str, use: str, status: str) -> Key:
        """The first key of this place."""
        for key in self.keys:
            if (key.suite, key.use, key.status) == (suite, use, status):
                return key
        raise BadKeyError(f"no {status} key for {use} in {suite}")

    def find(self, kid: str, use: str) -> Key | None:
        """The listed key of this name and use, whatever its status."""
        return next((key for key in self.keys if key.kid == kid and key.use == use), None)

    def public(self) -> dict[str, Any]:
        """The file that is given away."""
        return {"keys": [key.public() for key in self.keys]}

    def private(self) -> dict[str, Any]:
        """The file that is kept."""
        return {"keys": [key.private() for key in self.keys]}


def make_key(suite: str, use: str, status: str = "active") -> Key:
    """A fresh private key."""
    kty, crv, _ = SHAPES[suite, use]
    made = jwk.JWK.generate(kty=kty, crv=crv)
    return Key(suite, use, status, made.thumbprint(), made.export(private_key=True, as_dict=True))


def make_key_set(suites: Iterable[str] = SUITES, statuses: Iterable[str] = ("active",)) -> KeySet:
    """A private set with one key for each suite, use and status."""
    statuses = tuple(statuses)
    return KeySet(tuple(make_key(s, use, status) for s in suites for use in ("sig", "enc") for status in statuses))


def read_key_set(file: dict[str, Any]) -> KeySet:
    """A set, public or private, checked member by member."""
    if set(file) != {"keys"} or not isinstance(file["keys"], list) or not file["keys"]:
        raise BadKeyError("a key set is exactly {keys: [...]}")
    found = KeySet(tuple(_read_key(member) for member in file["keys"]))
    if len({key.kid for key in found.keys}) != len(found.keys):
        raise BadKeyError("a key stands twice")
    for suite in {key.suite for key in found.keys}:
        for use in ("sig", "enc"):
            actives = [k for k in found.keys if (k.suite, k.use, k.status) == (suite, use, "active")]
            if len(actives) != 1:
                raise BadKeyError(f"{len(actives)} active keys for {use} in {suite}, expected one")
    return found


def _read_key(member: object) -> Key:
    if not isinstance(member, dict) or not all(isinstance(value, str) for value in member.values()):
        raise BadKeyError("a key is an object of texts")
    suite, use = _place(member)
    point = {"kty", "crv", "x"} | ({"y"} if suite == P256 else set())
    if set(member) - {"d", "status"} != point | {"use", "alg", "kid"}:
        raise BadKeyError("a key has exactly the members of section 1")
    if member.get("status", "active") not in STATUSES:
        raise BadKeyError("status is next, active or verify-only")
    material = {name: member[name] for name in member if name in point | {"d"}}
    if not all(is_canonical_32(material[name]) for name in material if name not in {"kty", "crv"}):
        raise BadKeyError("a coordinate is 32 bytes in canonical base64url")
    if _thumbprint(material) != member["kid"]:
        raise BadKeyError("kid is the RFC 7638 thumbprint")
    return Key(suite, use, member.get("status", "active"), member["kid"], material)


def _place(member: dict[str, str]) -> tuple[str, str]:
    for (suite, use), shape in SHAPES.items():
        if (member.get("kty"), member.get("crv"), member.get("alg")) == shape and member.get("use") == use:
            return suite, use
    raise BadKeyError("kty, crv, alg and use belong to no suite")


def _thumbprint(material: dict[str, str]) -> str:
    try:
        return str(jwk.JWK(**material).thumbprint())
    except Exception as error:
        # The library raises a dozen kinds for a point off the curve.
        raise BadKeyError("not a point on its curve") from error


def is_canonical_32(text: str) -> bool:
    """Whether this is 32 bytes in base64url without padding or spare bits."""
    if re.fullmatch(r"[A-Za-z0-9_-]{43}", text) is None:
        return False
    return base64.urlsafe_b64encode(base64.urlsafe_b64decode(text + "=")).rstrip(b"=").decode() == text
