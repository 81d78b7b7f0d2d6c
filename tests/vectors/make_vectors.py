"""Test vectors of the sealed envelope, made with jwcrypto: another library than the one we check them with.

Rules
- Each suite has good messages at the very border of a rule, and near-misses with one fault each, told in a sentence.
- A near-miss carries the number of the check that must refuse it (15 stands for its payload).
- The keys were made for these files, are known to everybody, and must never be used for anything else.
- Every run makes new keys and new files: `python tests/vectors/make_vectors.py`.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK

FOLDER = Path(__file__).resolve().parent
NOW = 1_800_000_000
TYP = "landcollect+jwt"
PAYLOAD = {"after": None, "limit": 100}
REQUEST_JTI = "UmVxdWVzdC1vZi10aGlzLWFuc3dlcg"
JTI = "VmVjdG9yLWp0aS0xMjgtYml0cw"

Json = dict[str, Any]


def encode(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def text(value: Json) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Facts:
    """What differs between the suites."""

    suite: str
    kty: str
    sign_curve: str
    seal_curve: str
    alg: str
    other_alg: str
    foreign_curve: str
    bad_point: Json
    bad_point_is: str


P256 = Facts(
    "vn-p256", "EC", "P-256", "P-256", "ES256", "ES256K", "P-384",
    {"kty": "EC", "crv": "P-256", "x": encode(bytes(31) + b"\x01"), "y": encode(bytes(31) + b"\x01")},
    "the point (1, 1), which is not on P-256",
)  # fmt: skip
MODERN = Facts(
    "modern-25519", "OKP", "Ed25519", "X25519", "Ed25519", "EdDSA", "X448",
    {"kty": "OKP", "crv": "X25519", "x": encode(b"\x01" + bytes(31))},
    "the point 1 of small order, whose shared secret is all zeros",
)  # fmt: skip


def new_key(facts: Facts, use: str) -> JWK:
    """A key pair with the members of the protocol."""
    curve = facts.sign_curve if use == "sig" else facts.seal_curve
    key = JWK.generate(kty=facts.kty, crv=curve)
    alg = facts.alg if use == "sig" else "ECDH-ES+A256KW"
    return JWK(**json.loads(key.export()), use=use, alg=alg, kid=key.thumbprint())


def exported(keys: list[JWK], *, private: bool) -> Json:
    """A key file."""
    order = ("kty", "crv", "x", "y", "use", "alg", "kid", "d")
    made = [json.loads(key.export(private_key=private)) for key in keys]
    return {"keys": [{name: key[name] for name in order if name in key} for key in made]}


class Maker:
    """Makes messages from the engine to the service; every part can be bent."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.parties = {
            name: [new_key(facts, "sig"), new_key(facts, "enc")] for name in ("engine", "service", "police")
        }

    def claims(self, **bent: Any) -> Json:
        """The claims and the payload, some of them bent; None takes a claim away."""
        good = {
            "ver": 1,
            "iss": "urn:quychu:peer:engine",
            "aud": "urn:quychu:peer:service",
            "jti": JTI,
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 120,
            "rkt": self.parties["service"][1]["kid"],
            **PAYLOAD,
        }
        return {name: value for name, value in {**good, **bent}.items() if value is not None or name == "after"}

    def inner(
        self, body: bytes, header: Json | bytes | None = None, signer: JWK | None = None, alg: str | None = None
    ) -> str:
        """A JWS; the header may be any text."""
        signer = signer or self.parties["engine"][0]
        head = self.inner_header() if header is None else header
        signed = f"{encode(head if isinstance(head, bytes) else text(head))}.{encode(body)}"
        signature = JWA.signing_alg(alg or self.facts.alg).sign(signer, signed.encode())
        return f"{signed}.{encode(signature)}"

    def inner_header(self, **bent: Any) -> Json:
        """`alg`, `kid`, `typ`."""
        good = {"alg": self.facts.alg, "kid": self.parties["engine"][0]["kid"], "typ": TYP}
        return {name: value for name, value in {**good, **bent}.items() if value is not None}

    def outer(
        self,
        plaintext: bytes,
        bend: Callable[[Json], Json | bytes] = lambda header: header,
        recipient: JWK | None = None,
        enc: str = "A256GCM",
        alg: str = "ECDH-ES+A256KW",
    ) -> str:
        """A JWE; `bend` may give any text as the header, which is then authenticated as it stands."""
        recipient = recipient or self.parties["service"][1]
        algorithm, content = JWA.keymgmt_alg(alg), JWA.encryption_alg(enc)
        cek = None if alg == "ECDH-ES" else os.urandom(content.wrap_key_size // 8)
        wrapped = algorithm.wrap(recipient, content.wrap_key_size, cek, {"alg": alg, "enc": enc})
        header = {"alg": alg, "enc": enc, "kid": self.parties["service"][1]["kid"], "cty": "JWT", **wrapped["header"]}
        bent = bend(header)
        aad = encode(bent if isinstance(bent, bytes) else text(bent))
        iv, ciphertext, tag = content.encrypt(wrapped["cek"], aad.encode(), plaintext)
        return ".".join([aad, *(encode(part) for part in (wrapped.get("ek") or b"", iv, ciphertext, tag))])

    def message(self, **bent: Any) -> str:
        """A message whose claims alone are bent."""
        return self.outer(self.inner(text(self.claims(**bent))).encode())


Vector = tuple[str, int, str, Json]
"""Sentence, check, body, what differs in how it is opened."""


def good(make: Maker) -> list[tuple[str, str, Json]]:
    """Messages that must be taken, each at the border of a rule."""
    return [
        ("a plain message", make.message(), {}),
        ("nbf and iat five seconds ahead of the receiver's clock", make.message(iat=NOW + 5, nbf=NOW + 5), {}),
        ("sixty seconds old", make.message(iat=NOW - 60, nbf=NOW - 60), {}),
        ("one second before its end", make.message(iat=NOW - 30, nbf=NOW - 30, exp=NOW + 1), {}),
        ("the longest life, 300 seconds", make.message(exp=NOW + 300), {}),
        ("a jti of 64 characters", make.message(jti="Ab-_" * 16), {}),
        ("JSON with blanks and escapes", make.outer(make.inner(
            b' {"limit" : 100 ,\n"\\u0061fter": null, '
            + text(make.claims(limit=None))[1:].replace(b',"after":null', b"")
        ).encode()), {}),
        ("header members in another order", make.outer(
            make.inner(text(make.claims()), dict(reversed(make.inner_header().items()))).encode(),
            lambda header: dict(reversed(header.items())),
        ), {}),
        ("an answer to our request", make.message(re=REQUEST_JTI), {"re": REQUEST_JTI}),
    ]  # fmt: skip


def outer_faults(make: Maker) -> list[Vector]:
    """Faults of the JWE."""
    whole, inner = make.message(), make.inner(text(make.claims())).encode()
    parts = whole.split(".")
    spare = {"A": "B", "Q": "R", "g": "h", "w": "x"}[parts[4][-1]]
    changed = ("A" if parts[4][0] != "A" else "B") + parts[4][1:]
    foreign = json.loads(JWK.generate(kty=make.facts.kty, crv=make.facts.foreign_curve).export_public())
    foreign.pop("kid", None)
    stranger = new_key(make.facts, "enc")
    bad_epk = json.dumps(make.facts.bad_point)

    def bent(change: Callable[[Json], Json | bytes], **other: Any) -> str:
        return make.outer(inner, change, **other)

    return [
        ("the JWE has a sixth, empty part", 2, whole + ".", {}),
        ("the JWE lacks its tag", 2, ".".join([*parts[:4], ""]), {}),
        ("the tag is padded", 2, whole + "==", {}),
        ("the tag has a spare bit set", 2, whole[:-1] + spare, {}),
        ("a line break follows the message", 2, whole + "\n", {}),
        ("the ciphertext is in the standard alphabet", 2, ".".join([*parts[:3], "+" + parts[3][1:], parts[4]]), {}),
        ("enc stands twice in the JWE header", 3, bent(lambda h: text(h)[:-1] + b',"enc":"A256GCM"}'), {}),
        ("the JWE header begins with a byte-order mark", 3, bent(lambda h: b"\xef\xbb\xbf" + text(h)), {}),
        ("the JWE header lacks cty", 4, bent(lambda h: {k: v for k, v in h.items() if k != "cty"}), {}),
        ("cty is written in lower case", 4, bent(lambda h: {**h, "cty": "jwt"}), {}),
        ("the JWE header has apu", 4, bent(lambda h: {**h, "apu": ""}), {}),
        ("the JWE header has crit", 4, bent(lambda h: {**h, "crit": ["exp"], "exp": NOW + 120}), {}),
        ("the plaintext is compressed", 4, make.outer(_deflated(inner), lambda h: {**h, "zip": "DEF"}), {}),
        ("enc is A256CBC-HS512", 4, bent(lambda h: h, enc="A256CBC-HS512"), {}),
        ("enc is A128GCM", 4, bent(lambda h: h, enc="A128GCM"), {}),
        ("alg is ECDH-ES without key wrapping, with an empty encrypted key", 2, bent(lambda h: h, alg="ECDH-ES"), {}),
        ("alg is ECDH-ES+A128KW", 4, bent(lambda h: h, alg="ECDH-ES+A128KW"), {}),
        ("the epk has a kid", 4, bent(lambda h: {**h, "epk": {**h["epk"], "kid": "1"}}), {}),
        ("the epk says its use", 4, bent(lambda h: {**h, "epk": {**h["epk"], "use": "enc"}}), {}),
        (f"the epk is on {make.facts.foreign_curve}", 4, bent(lambda h: {**h, "epk": foreign}), {}),
        (f"the epk is {make.facts.bad_point_is}", 6, bent(lambda h: {**h, "epk": json.loads(bad_epk)}), {}),
        ("the kid of the JWE is nobody's", 5, bent(lambda h: {**h, "kid": stranger["kid"]}), {}),
        ("the kid of the JWE is a number", 5, bent(lambda h: {**h, "kid": 1}), {}),
        (
            "the kid of the JWE is our signing key's",
            5,
            bent(lambda h: {**h, "kid": make.parties["service"][0]["kid"]}),
            {},
        ),
        ("the JWE is encrypted to another key than it names", 6, bent(lambda h: h, recipient=stranger), {}),
        ("one bit of the tag is changed", 6, ".".join([*parts[:4], changed]), {}),
        ("the content type has a parameter", 0, whole, {"content_type": "application/jose; charset=utf-8"}),
        ("the content is said to be compressed", 0, whole, {"content_encoding": "gzip"}),
    ]


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def inner_faults(make: Maker) -> list[Vector]:
    """Faults of the JWS."""
    claims = text(make.claims())
    police, stranger = make.parties["police"][0], new_key(make.facts, "sig")
    head, body, signature = make.inner(claims).split(".")
    other_body = encode(text(make.claims(limit=101)))

    def sealed(inner: str) -> str:
        return make.outer(inner.encode())

    def headed(**bent: Any) -> str:
        return sealed(make.inner(claims, make.inner_header(**bent)))

    return [
        ("the content is bare claims, not signed", 2, make.outer(claims), {}),
        ("the JWS has no signature", 2, sealed(f"{head}.{body}."), {}),
        ("the payload of the JWS is detached", 2, sealed(f"{head}..{signature}"), {}),
        ("kid stands twice in the JWS header", 3, sealed(make.inner(
            claims, text(make.inner_header())[:-1] + f',"kid":"{stranger["kid"]}"}}'.encode())), {}),
        ("a claim stands twice", 3, sealed(make.inner(claims[:-1] + b',"limit":100}')), {}),
        ("a claim is NaN", 3, sealed(make.inner(claims.replace(b"100", b"NaN"))), {}),
        ("a claim is the integer 2^53", 3, sealed(make.inner(claims.replace(b"100", b"9007199254740992"))), {}),
        ("the claims are a list", 3, sealed(make.inner(b"[" + claims + b"]")), {}),
        ("the claims hold a lone surrogate", 3, sealed(make.inner(claims.replace(b"null", b'"\\ud800"'))), {}),
        (f"alg is {make.facts.other_alg}", 4, headed(alg=make.facts.other_alg), {}),
        ("alg is none", 4, headed(alg="none"), {}),
        ("the JWS header lacks typ", 4, headed(typ=None), {}),
        ("the JWS header has cty", 4, headed(cty="JWT"), {}),
        ("the JWS header has crit and b64", 4, headed(crit=["b64"], b64=True), {}),
        ("the JWS header brings its own key", 4, headed(jwk=json.loads(stranger.export_public())), {}),
        ("the signer is nobody we know", 5, sealed(make.inner(
            claims, make.inner_header(kid=stranger["kid"]), stranger)), {}),
        ("the signing kid is a key to encrypt to", 5, headed(kid=make.parties["engine"][1]["kid"]), {}),
        ("typ is in capitals", 7, headed(typ=TYP.upper()), {}),
        ("typ has application/ before it", 7, headed(typ=f"application/{TYP}"), {}),
        ("typ is of another endpoint", 7, headed(typ="landwithdraw+jwt"), {}),
        ("signed by another key than it names", 8, sealed(make.inner(claims, None, stranger)), {}),
        ("the claims are changed after signing", 8, sealed(f"{head}.{other_body}.{signature}"), {}),
        ("another peer signs in the engine's name", 9, sealed(make.inner(
            claims, make.inner_header(kid=police["kid"]), police)), {}),
        ("a peer without the role", 9, sealed(make.inner(
            text(make.claims(iss="urn:quychu:peer:police")), make.inner_header(kid=police["kid"]), police)), {}),
    ]  # fmt: skip


def claim_faults(make: Maker) -> list[Vector]:
    """Faults of the claims and of the payload."""
    said = make.message
    return [
        ("ver is 2", 9, said(ver=2), {}),
        ("ver is true", 9, said(ver=True), {}),
        ("ver is the text 1", 9, said(ver="1"), {}),
        ("iss is missing", 9, said(iss=None), {}),
        ("aud is a list of the right one", 10, said(aud=["urn:quychu:peer:service"]), {}),
        ("aud is another party", 10, said(aud="urn:quychu:peer:vneid"), {}),
        ("rkt is missing", 11, said(rkt=None), {}),
        ("sealed again by another recipient", 11, said(rkt=make.parties["police"][1]["kid"]), {}),
        ("iat is missing", 12, said(iat=None), {}),
        ("exp is written with a point", 12, said(exp=NOW + 120.0), {}),
        ("nbf is six seconds ahead", 12, said(nbf=NOW + 6), {}),
        ("iat is six seconds ahead", 12, said(iat=NOW + 6), {}),
        ("61 seconds old", 12, said(iat=NOW - 61, nbf=NOW - 61), {}),
        ("its end is now", 12, said(iat=NOW - 30, exp=NOW), {}),
        ("a life of 301 seconds", 12, said(exp=NOW + 301), {}),
        ("exp is its iat", 12, said(iat=NOW + 5, exp=NOW + 5), {}),
        ("an answer without re", 13, said(), {"re": REQUEST_JTI}),
        ("an answer to another request", 13, said(re="A" * 22), {"re": REQUEST_JTI}),
        ("jti is missing", 14, said(jti=None), {}),
        ("a jti of 21 characters", 14, said(jti="A" * 21), {}),
        ("a jti of 65 characters", 14, said(jti="A" * 65), {}),
        ("an unknown field", 15, said(order="asc"), {}),
        ("re in a request", 15, said(re=REQUEST_JTI), {}),
        ("limit is 1001", 15, said(limit=1001), {}),
        ("limit is written with a point", 15, said(limit=100.0), {}),
    ]


def as_json(make: Maker) -> Json:
    """One file."""
    misses = outer_faults(make) + inner_faults(make) + claim_faults(make)
    return {
        "about": "Made by make_vectors.py with jwcrypto. Test-only keys, known to everybody: never use them.",
        "suite": make.facts.suite,
        "now": NOW,
        "typ": TYP,
        "payload": PAYLOAD,
        "private_keys": {name: exported(keys, private=True) for name, keys in make.parties.items()},
        "good": [{"name": name, "body": body, **how} for name, body, how in good(make)],
        "near_misses": [{"name": name, "check": check, "body": body, **how} for name, check, body, how in misses],
    }


def main() -> None:
    """Write one file a suite."""
    for facts in (P256, MODERN):
        path = FOLDER / f"envelope-{facts.suite}.json"
        path.write_text(json.dumps(as_json(Maker(facts)), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
