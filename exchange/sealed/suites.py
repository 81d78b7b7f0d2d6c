"""The two suites of the protocol as named facts; nothing else is accepted.

Rules
- Both layers of a message are of one suite.
- `EdDSA` is never accepted where `Ed25519` is meant (RFC 9864).

>>> SUITES["vn-p256"].sign.alg, SUITES["modern-25519"].sign.alg
('ES256', 'Ed25519')
>>> suite_of("OKP", "X25519", "enc")
'modern-25519'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Use = Literal["sig", "enc"]

ENC = "A256GCM"
WRAP = "ECDH-ES+A256KW"

MAX_BODY_BYTES = 262_144
"""Protocol §2, check (1)."""
MAX_LIFETIME_SECONDS = 300
"""Protocol §2: `exp ≤ iat + 300`."""
COORDINATE_BYTES = 32
"""Bytes of `x` and `y` on P-256, of `x` on Ed25519 and X25519, and of every private scalar."""


@dataclass(frozen=True)
class Curve:
    """One key type of a suite, as its JWK says it."""

    kty: str
    crv: str
    alg: str

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The members that hold the public point."""
        return ("x", "y") if self.kty == "EC" else ("x",)


@dataclass(frozen=True)
class Suite:
    """A JWS algorithm with its curve, and a JWE algorithm with its own; content is always A256GCM."""

    name: str
    sign: Curve
    seal: Curve

    def curve(self, use: Use) -> Curve:
        """The curve of the suite's keys of one use."""
        return self.sign if use == "sig" else self.seal


VN_P256 = Suite("vn-p256", Curve("EC", "P-256", "ES256"), Curve("EC", "P-256", WRAP))
MODERN_25519 = Suite("modern-25519", Curve("OKP", "Ed25519", "Ed25519"), Curve("OKP", "X25519", WRAP))

SUITES: dict[str, Suite] = {suite.name: suite for suite in (VN_P256, MODERN_25519)}
DEFAULT_SUITE = VN_P256.name


def suite_of(kty: str, crv: str, use: Use) -> str | None:
    """The suite a key belongs to, or None where no suite knows it."""
    return next(
        (name for name, suite in SUITES.items() if (suite.curve(use).kty, suite.curve(use).crv) == (kty, crv)), None
    )
