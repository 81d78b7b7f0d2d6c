"""Four parties with keys of both suites, and the usual message between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.sealed.keys import Directory, KeySet, Own, Peer
from exchange.sealed.open import Opened, open_sealed
from exchange.sealed.seal import Sealed, seal

NOW = 1_800_000_000
SUITES = ("vn-p256", "modern-25519")
ROLES = ("service", "engine", "vneid", "police")
ID = "AbCdEfGhIjKlMnOpQrStUv"
OTHER_ID = "ZbCdEfGhIjKlMnOpQrStUv"
CITIZEN = "001099012345"

KEYS = {role: KeySet.generate(SUITES) for role in ROLES}


def iss(role: str) -> str:
    return f"urn:quychu:peer:{role}"


def own(role: str) -> Own:
    return Own(iss(role), KEYS[role])


def peer(role: str, suite: str = "vn-p256") -> Peer:
    return Peer(role, role, iss(role), KEYS[role].public(), suite)


DIRECTORY = Directory(peer(role) for role in ROLES)


def sealed(payload: Mapping[str, Any] | None = None, *, suite: str = "vn-p256", **told: Any) -> Sealed:
    """A landcollect of the engine to the service."""
    facts: dict[str, Any] = {"typ": "landcollect+jwt", "own": own("engine"), "peer": peer("service"), "now": NOW}
    return seal({"after": None, "limit": 10} if payload is None else payload, suite=suite, **{**facts, **told})


def opened(body: bytes, **told: Any) -> Opened:
    """Opened by the service."""
    facts: dict[str, Any] = {"typ": "landcollect+jwt", "own": own("service"), "directory": DIRECTORY}
    return open_sealed(body, **{**facts, "roles": ["engine"], "now": NOW, **told})
