"""Own keys and the keys of the peers, read strictly and imported once.

Rules (protocol §1)
- A public JWK has exactly `kty`, `crv`, `x` (`y` on P-256), `use`, `alg`, `kid` and optionally `status`; a private one
  has `d` beside. `kid` is the RFC 7638 SHA-256 thumbprint, and it is recomputed.
- Of each suite a set lists, exactly one key per use is `active`: it signs, and is sealed to. With any listed key
  messages are verified and decrypted.
- A point off its curve or of small order is refused, so is a private key that does not belong to its public one.
- A file of private keys is written with mode 0600, is there in full or not at all, and is never overwritten unawares;
  one that everybody on the machine may read is refused.
- Rotation overlaps: `with_next` adds keys the peers may already learn, `activated` makes them sign and keeps the old
  ones as verify-only, `retired` drops those once no message sealed to them can be under way.

>>> own = KeySet.generate(["vn-p256"])
>>> [key.status for key in own.with_next("vn-p256").activated("vn-p256").public().keys if key.use == "sig"]
['verify-only', 'active']
>>> JwkSet.parse(own.public().to_json()) == own.public()
True
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from exchange.errors import KeyFileError
from exchange.sealed import base64url, strict_json
from exchange.sealed.key_files import read_file, refuse_open_mode, write_file
from exchange.sealed.suites import COORDINATE_BYTES, SUITES, Use, suite_of

JoseKey = ECKey | OKPKey
Status = Literal["next", "active", "verify-only"]

ACTIVE: Status = "active"
NEXT: Status = "next"
VERIFY_ONLY: Status = "verify-only"
_STATUSES = (NEXT, ACTIVE, VERIFY_ONLY)
_USES: tuple[Use, ...] = ("sig", "enc")

_FIELD_PRIME = 2**255 - 19
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)
"""The y-coordinates of the eight points of small order on edwards25519: under such a key anybody can sign."""


@dataclass(frozen=True)
class Key:
    """One key of a suite: public, or with its private part."""

    kid: str
    suite: str
    use: Use
    status: Status
    jose: JoseKey = field(repr=False, compare=False)
    """Imported once; importing costs more than a signature."""
    members: Mapping[str, str] = field(repr=False)
    """The public members in the order of the protocol, `status` excepted."""

    @property
    def alg(self) -> str:
        """The one algorithm the key is pinned to."""
        return SUITES[self.suite].curve(self.use).alg

    def public_jwk(self) -> dict[str, str]:
        """The JWK as it is published; `active` is said by leaving `status` out."""
        return dict(self.members) if self.status == ACTIVE else {**self.members, "status": self.status}

    def private_jwk(self) -> dict[str, str]:
        """The JWK as it is kept."""
        return {**self.public_jwk(), "d": str(self.jose.as_dict(private=True)["d"])}


class _Keys:
    """What public and private sets share: the rules over the whole set, and the look-ups."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(keys)
        _refuse_bad_set(self.keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.keys == self.keys

    def __hash__(self) -> int:
        return hash(tuple(key.kid for key in self.keys))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.keys)} keys)"

    @cached_property
    def _by_kid(self) -> dict[str, Key]:
        return {key.kid: key for key in self.keys}

    @cached_property
    def _active(self) -> dict[tuple[str, Use], Key]:
        return {(key.suite, key.use): key for key in self.keys if key.status == ACTIVE}

    @property
    def suites(self) -> list[str]:
        """The suites the set lists."""
        return [name for name in SUITES if any(key.suite == name for key in self.keys)]

    def by_kid(self, kid: str) -> Key | None:
        """The key of that id, whatever its status."""
        return self._by_kid.get(kid)

    def active(self, suite: str, use: Use) -> Key:
        """The key that signs, or is sealed to."""
        found = self._active.get((suite, use))
        if found is None:
            raise KeyFileError(
                f"expected an active key of suite {suite} for '{use}', found none; add one, or change suite."
            )
        return found


class JwkSet(_Keys):
    """Public keys: of a peer, or our own as we publish them."""

    @classmethod
    def parse(cls, text: bytes, name: str = "the JWK set") -> JwkSet:
        """The set in `text`; `name` stands in the sentence of a refusal."""
        return cls(_keys_of(text, name, private=False))

    @classmethod
    def load(cls, path: Path) -> JwkSet:
        """The set in a file."""
        return cls.parse(read_file(path), path.name)

    def to_json(self) -> bytes:
        """The file, as `/.well-known/jwks.json` gives it."""
        return _as_json([key.public_jwk() for key in self.keys])


class KeySet(_Keys):
    """Own keys with their private parts; every change gives a new set."""

    @classmethod
    def generate(cls, suites: Collection[str] = tuple(SUITES)) -> KeySet:
        """New keys: one to sign and one to be sealed to, of each suite."""
        return cls(_new_key(suite, use, ACTIVE) for suite in _known(suites) for use in _USES)

    @classmethod
    def parse(cls, text: bytes, name: str = "the key file") -> KeySet:
        """The set in `text`."""
        return cls(_keys_of(text, name, private=True))

    @classmethod
    def load(cls, path: Path) -> KeySet:
        """The set in a file that is not everybody's to read."""
        refuse_open_mode(path)
        return cls.parse(read_file(path), path.name)

    def save(self, path: Path, *, replace_existing: bool = False) -> None:
        """Writes the file with mode 0600, durably; an existing one only when told so."""
        content = _as_json([key.private_jwk() for key in self.keys])
        write_file(path, content, mode=0o600, replace_existing=replace_existing)

    def public(self) -> JwkSet:
        """What the peers may know."""
        return JwkSet(_public_part(key) for key in self.keys)

    def with_next(self, suite: str) -> KeySet:
        """First step: keys that receive already and sign later; publish them and wait until the peers have them."""
        _known([suite])
        if any(key.suite == suite and key.status == NEXT for key in self.keys):
            raise KeyFileError(f"suite {suite} has next keys already; activate them first.")
        status: Status = NEXT if suite in self.suites else ACTIVE
        return KeySet((*self.keys, *(_new_key(suite, use, status) for use in _USES)))

    def activated(self, suite: str) -> KeySet:
        """Second step: the next keys sign; the old ones still open what is under way."""
        if not any(key.suite == suite and key.status == NEXT for key in self.keys):
            raise KeyFileError(f"suite {suite} has no next keys; add them first and give the peers time to learn them.")
        promote = {NEXT: ACTIVE, ACTIVE: VERIFY_ONLY, VERIFY_ONLY: VERIFY_ONLY}
        return KeySet(replace(key, status=promote[key.status]) if key.suite == suite else key for key in self.keys)

    def retired(self, suite: str) -> KeySet:
        """Last step: without the verify-only keys, once the peers have taken the new ones."""
        return KeySet(key for key in self.keys if (key.suite, key.status) != (suite, VERIFY_ONLY))


@dataclass(frozen=True)
class Own:
    """Who we are: our `iss` and our keys."""

    iss: str
    keys: KeySet


@dataclass(frozen=True)
class Peer:
    """One row of the settings' table of peers."""

    name: str
    role: str
    iss: str
    keys: JwkSet
    suite: str
    url: str | None = None


class Directory:
    """The peers by `iss`, by role and by the id of their signing keys."""

    def __init__(self, peers: Iterable[Peer]) -> None:
        self.peers = tuple(peers)
        self._by_iss = {peer.iss: peer for peer in self.peers}
        self._by_kid = {key.kid: peer for peer in self.peers for key in peer.keys.keys if key.use == "sig"}
        self._refuse_sharing()

    def _refuse_sharing(self) -> None:
        kids = [key.kid for peer in self.peers for key in peer.keys.keys]
        if len(self._by_iss) != len(self.peers):
            raise KeyFileError("two peers have the same iss; each party has its own.")
        if len(set(kids)) != len(kids):
            raise KeyFileError("two peers have the same key; each party has its own.")

    def by_iss(self, iss: str) -> Peer | None:
        """The peer of that `iss`."""
        return self._by_iss.get(iss)

    def by_signing_kid(self, kid: str) -> Peer | None:
        """The peer that has a signing key of that id, whatever its status."""
        return self._by_kid.get(kid)

    def of_role(self, role: str) -> list[Peer]:
        """The peers of that role, in the order of the settings."""
        return [peer for peer in self.peers if peer.role == role]


# ── one key ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _new_key(suite: str, use: Use, status: Status) -> Key:
    curve = SUITES[suite].curve(use)
    generated = ECKey.generate_key("P-256") if curve.kty == "EC" else OKPKey.generate_key(cast("Any", curve.crv))
    return _key(generated, suite, use, status)


def _key(jose: JoseKey, suite: str, use: Use, status: Status) -> Key:
    curve = SUITES[suite].curve(use)
    public = jose.as_dict(private=False)
    members = {"kty": curve.kty, "crv": curve.crv} | {name: str(public[name]) for name in curve.coordinates}
    kid = jose.thumbprint()
    return Key(kid, suite, use, status, jose, members | {"use": use, "alg": curve.alg, "kid": kid})


def _public_part(key: Key) -> Key:
    native = key.jose.public_key
    jose = (
        ECKey.import_key(cast("Any", native)) if isinstance(key.jose, ECKey) else OKPKey.import_key(cast("Any", native))
    )
    return replace(key, jose=jose)


def _key_of(jwk: Any, where: str, *, private: bool) -> Key:
    """One JWK, checked member by member; nothing of it is repeated in a refusal."""
    if type(jwk) is not dict or not all(type(member) is str for member in jwk.values()):
        raise KeyFileError(f"{where}: expected an object whose members are texts.")
    use, status = jwk.get("use"), jwk.get("status", ACTIVE)
    if use not in _USES or status not in _STATUSES:
        raise KeyFileError(f"{where}: expected use 'sig' or 'enc' and status 'next', 'active' or 'verify-only'.")
    suite = suite_of(jwk.get("kty", ""), jwk.get("crv", ""), use)
    if suite is None:
        raise KeyFileError(f"{where}: expected a key type and curve of a suite ({', '.join(SUITES)}) for its use.")
    curve = SUITES[suite].curve(use)
    _refuse_other_members(jwk, {"kty", "crv", *curve.coordinates, "use", "alg", "kid"}, where, private=private)
    if jwk["alg"] != curve.alg:
        raise KeyFileError(f"{where}: expected alg '{curve.alg}'.")
    key = _key(_imported(jwk, (*curve.coordinates, *(["d"] if private else [])), where), suite, use, status)
    if dict(key.members) != {name: jwk[name] for name in key.members}:
        raise KeyFileError(
            f"{where}: the kid is not the key's SHA-256 thumbprint, or the private part is another key's."
        )
    return key


def _refuse_other_members(jwk: Mapping[str, str], public: set[str], where: str, *, private: bool) -> None:
    expected = public | ({"d"} if private else set())
    if "d" in jwk and not private:
        raise KeyFileError(f"{where}: a private key stands where only public ones belong; take it out, and replace it.")
    if missing := expected - jwk.keys():
        raise KeyFileError(f"{where}: lacks {', '.join(sorted(missing))}.")
    if jwk.keys() - expected - {"status"}:
        raise KeyFileError(
            f"{where}: expected exactly {', '.join(sorted(expected))} and optionally status, found more."
        )


def _imported(jwk: Mapping[str, str], numbers: Iterable[str], where: str) -> JoseKey:
    try:
        _refuse_other_sizes([base64url.decode(jwk[name].encode("ascii")) for name in numbers])
        plain = {name: jwk[name] for name in ("kty", "crv", "x", "y", "d") if name in jwk}
        jose = _native(ECKey if jwk["kty"] == "EC" else OKPKey, plain)
        _refuse_small_order(jwk["crv"], base64url.decode(jwk["x"].encode("ascii")))
    except (ValueError, TypeError, JoseError) as error:
        raise KeyFileError(
            f"{where}: expected a point on {jwk['crv']}, each number as 43 base64url characters (32 bytes)."
        ) from error
    return jose


def _native(kind: type[JoseKey], plain: Mapping[str, str]) -> JoseKey:
    """Imported twice: the second time without the members it came with, so that all it says follows from the key."""
    return kind.import_key(cast("Any", kind.import_key(cast("Any", plain)).raw_value))


def _refuse_other_sizes(numbers: Iterable[bytes]) -> None:
    if {len(number) for number in numbers} != {COORDINATE_BYTES}:
        raise ValueError


def _refuse_small_order(crv: str, point: bytes) -> None:
    """A point of small order, or one not written in its reduced form, belongs to nobody."""
    if crv == "X25519":
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(point))  # all-zero result: ValueError
        _refuse_unreduced(int.from_bytes(point, "little"))
    if crv == "Ed25519":
        y = int.from_bytes(point, "little") & (1 << 255) - 1
        _refuse_unreduced(y)
        if y in _SMALL_ORDER_Y:
            raise ValueError


def _refuse_unreduced(coordinate: int) -> None:
    if coordinate >= _FIELD_PRIME:
        raise ValueError


# ── a whole set, and its file ────────────────────────────────────────────────────────────────────────────────────────


def _known(suites: Collection[str]) -> Collection[str]:
    for suite in suites:
        if suite not in SUITES:
            raise KeyFileError(f"expected a suite ({', '.join(SUITES)}), found another name.")
    return suites


def _refuse_bad_set(keys: tuple[Key, ...]) -> None:
    if not keys:
        raise KeyFileError("expected at least one key, found none; make keys with `quychu keys make`.")
    if len({key.kid for key in keys}) != len(keys):
        raise KeyFileError("a key stands twice; each key has one entry.")
    for suite in {key.suite for key in keys}:
        for use in _USES:
            active = sum((key.suite, key.use, key.status) == (suite, use, ACTIVE) for key in keys)
            if active != 1:
                raise KeyFileError(f"expected exactly one active key of suite {suite} for '{use}', found {active}.")


def _keys_of(text: bytes, name: str, *, private: bool) -> list[Key]:
    try:
        content = strict_json.parse(text)
    except strict_json.NotStrictError as error:
        raise KeyFileError(f'{name}: {error}; expected {{"keys": […]}}.') from error
    if content.keys() != {"keys"} or type(content["keys"]) is not list:
        raise KeyFileError(f'{name}: expected an object with exactly the member "keys", a list.')
    return [_key_of(jwk, f"{name}: key {index}", private=private) for index, jwk in enumerate(content["keys"], 1)]


def _as_json(keys: list[dict[str, str]]) -> bytes:
    return (json.dumps({"keys": keys}, indent=2) + "\n").encode("ascii")
