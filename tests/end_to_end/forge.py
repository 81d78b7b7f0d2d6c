"""Sealed messages made by hand from bytes, so that every part can be wrong while all the others hold together.

Rules
- A header is given as the JSON text that crosses the wire; signature and encryption are computed over that very text.

>>> text_of({"alg": "ES256", "kid": "x"})
b'{"alg":"ES256","kid":"x"}'
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from tests.interop.second.keys import P256, Key

Text = Callable[[dict[str, Any]], bytes]
"""From the right header to the text that is sent."""


def text_of(header: dict[str, Any]) -> bytes:
    """A header as it should be."""
    return json.dumps(header, separators=(",", ":")).encode()


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Back."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(signer: Key, typ: str, payload: bytes, text: Text = text_of) -> bytes:
    """A compact JWS."""
    header = text({"alg": signer.alg, "kid": signer.kid, "typ": typ})
    told = f"{b64(header)}.{b64(payload)}".encode()
    return told + b"." + b64(_signature(signer, told)).encode()


def _signature(signer: Key, told: bytes) -> bytes:
    secret = unb64(signer.members["d"])
    if signer.suite != P256:
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret).sign(told)
    key = ec.derive_private_key(int.from_bytes(secret), ec.SECP256R1())
    r, s = utils.decode_dss_signature(key.sign(told, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def sealed(target: Key, inner: bytes, text: Text = text_of) -> bytes:
    """A compact JWE."""
    epk, agreed = _agreed(target)
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": target.kid, "cty": "JWT", "epk": epk}
    protected = b64(text(header))
    content_key, iv = os.urandom(32), os.urandom(12)
    wrapped = aes_key_wrap(_wrapping_key(agreed), content_key)
    boxed = AESGCM(content_key).encrypt(iv, inner, protected.encode())
    return ".".join((protected, b64(wrapped), b64(iv), b64(boxed[:-16]), b64(boxed[-16:]))).encode()


def _agreed(target: Key) -> tuple[dict[str, str], bytes]:
    if target.suite != P256:
        own = x25519.X25519PrivateKey.generate()
        theirs = x25519.X25519PublicKey.from_public_bytes(unb64(target.members["x"]))
        point = {"kty": "OKP", "crv": "X25519", "x": b64(own.public_key().public_bytes_raw())}
        return point, own.exchange(theirs)
    mine = ec.generate_private_key(ec.SECP256R1())
    x, y = (int.from_bytes(unb64(target.members[name])) for name in ("x", "y"))
    numbers = mine.public_key().public_numbers()
    shown = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
    other = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return shown, mine.exchange(ec.ECDH(), other)


def _wrapping_key(agreed: bytes) -> bytes:
    """Concat KDF of RFC 7518, 4.6: one round of SHA-256 gives the 256 bits."""
    alg = b"ECDH-ES+A256KW"
    told = len(alg).to_bytes(4) + alg + bytes(4) + bytes(4) + (256).to_bytes(4)
    return hashlib.sha256((1).to_bytes(4) + agreed + told).digest()


FOREIGN: dict[str, Any] = {
    "jku": "https://example.invalid/keys",
    "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43},
    "x5u": "https://example.invalid/cert",
    "x5c": ["MIIB"],
    "x5t": "A" * 27,
    "x5t#S256": "A" * 43,
    "crit": ["exp"],
    "b64": False,
    "zip": "DEF",
    "apu": "QQ",
    "apv": "QQ",
    "p2s": "A" * 22,
    "p2c": 10_000_000,
    "iv": "A" * 16,
    "tag": "A" * 22,
    "url": "https://example.invalid",
    "nonce": "x",
    "iss": "urn:quychu:peer:engine",
    "": "",
}
"""Members that JOSE knows elsewhere, and one it does not."""


def mutations(known: tuple[str, ...]) -> Iterator[tuple[str, Text]]:
    """Every way to spoil a header of these members, each with what it is."""
    for name in known:
        yield f"without {name}", lambda good, name=name: text_of({k: v for k, v in good.items() if k != name})
        yield (
            f"{name} in capitals",
            lambda good, name=name: text_of({(k.upper() if k == name else k): v for k, v in good.items()}),
        )
        yield f"{name} twice", lambda good, name=name: text_of(good)[:-1] + b"," + text_of({name: good[name]})[1:]
        for what, bend in VALUES.items():
            yield f"{name} {what}", lambda good, name=name, bend=bend: text_of({**good, name: bend(good[name])})
    for name, value in FOREIGN.items():
        yield f"with {name or 'a nameless member'}", lambda good, name=name, value=value: text_of({**good, name: value})
    yield "a list", lambda good: b"[" + text_of(good) + b"]"
    yield "a blob after it", lambda good: text_of(good) + b"{}"
    yield "nothing", lambda _: b""
    yield "another encoding", lambda good: text_of(good).decode().encode("utf-16")


VALUES: dict[str, Callable[[Any], Any]] = {
    "null": lambda _: None,
    "a number": lambda _: 1,
    "true": lambda _: True,
    "empty": lambda _: "",
    "in a list": lambda value: [value],
    "in an object": lambda value: {"value": value},
    "with a blank": lambda value: f"{value} ",
    "in the other case": lambda value: str(value).swapcase(),
    "with a NUL": lambda value: f"{value}\x00",
}
