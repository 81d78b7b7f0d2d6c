"""Sign, then encrypt: a payload becomes a sealed message for one peer.

Rules (protocol §2)
- The JWS header is exactly `alg`, `kid`, `typ`; the JWE header exactly `alg`, `enc`, `kid`, `cty`, `epk`.
- The claims say `ver`, `iss`, `aud`, a new `jti`, `iat`, `nbf`, `exp`, and `rkt`, the key it is sealed to; an answer
  also says `re`. The payload's members stand flat beside them.
- Each call has its own `jti`: a repetition is sealed anew.

>>> from exchange.sealed.keys import KeySet
>>> engine, service = KeySet.generate(["vn-p256"]), KeySet.generate(["vn-p256"])
>>> to = Peer("service", "service", "urn:s", service.public(), "vn-p256")
>>> sealed = seal(
...     {"after": None, "limit": 10}, typ="landcollect+jwt", own=Own("urn:e", engine), peer=to, now=1_800_000_000
... )
>>> sealed.body.count(b"."), sealed.inner.count("."), sealed.to_kid == service.active("vn-p256", "enc").kid
(4, 2, True)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwe, jws
from pydantic import BaseModel

from exchange.errors import MessageTooLargeError
from exchange.ids import new_id
from exchange.sealed import primitives
from exchange.sealed.keys import Own, Peer
from exchange.sealed.suites import ENC, MAX_BODY_BYTES, MAX_LIFETIME_SECONDS, WRAP

VERSION = 1
CLAIMS = frozenset({"ver", "iss", "aud", "jti", "iat", "nbf", "exp", "rkt"})
"""The claims of every message; `re` stands beside them in an answer only."""


@dataclass(frozen=True)
class Sealed:
    """A message ready to be sent, and what the audit log says of it."""

    body: bytes
    jti: str
    inner: str
    """The JWS inside."""
    from_kid: str
    to_kid: str
    sha256: str
    """Of `body`, in hex."""


def seal(  # noqa: PLR0913 - the protocol's facts of one message, by name
    payload: Mapping[str, Any] | BaseModel,
    *,
    typ: str,
    own: Own,
    peer: Peer,
    now: int,
    suite: str | None = None,
    re: str | None = None,
    lifetime_seconds: int = 120,
) -> Sealed:
    """`payload` for `peer`, in the peer's suite unless an answer has to be in another."""
    assert 0 < lifetime_seconds <= MAX_LIFETIME_SECONDS
    suite = suite or peer.suite
    signer, recipient = own.keys.active(suite, "sig"), peer.keys.active(suite, "enc")
    claims: dict[str, Any] = {
        "ver": VERSION,
        "iss": own.iss,
        "aud": peer.iss,
        "jti": new_id(),
        "iat": now,
        "nbf": now,
        "exp": now + lifetime_seconds,
        "rkt": recipient.kid,
    }
    if re is not None:
        claims["re"] = re
    inner = jws.serialize_compact(
        {"alg": signer.alg, "kid": signer.kid, "typ": typ},
        _text(claims, payload),
        signer.jose,
        registry=primitives.JWS[suite],
    )
    outer = {"alg": WRAP, "enc": ENC, "kid": recipient.kid, "cty": "JWT"}
    body = jwe.encrypt_compact(outer, inner, recipient.jose, registry=primitives.JWE).encode("ascii")
    if len(body) > MAX_BODY_BYTES:
        raise MessageTooLargeError(
            f"a {typ} message is larger than {MAX_BODY_BYTES} bytes when sealed; send less in one."
        )
    return Sealed(body, claims["jti"], inner, signer.kid, recipient.kid, hashlib.sha256(body).hexdigest())


def _text(claims: Mapping[str, Any], payload: Mapping[str, Any] | BaseModel) -> bytes:
    members = payload.model_dump(mode="json") if isinstance(payload, BaseModel) else payload
    assert not members.keys() & (CLAIMS | {"re"}), "a payload has no claims of its own"
    return json.dumps({**claims, **members}, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
