"""The audit log of section 6 as its writer: leaves in memory, proofs by the book's own recursion.

>>> log = LogWriter("quychu.local/log")
>>> log.add(event="state", outcome="accepted")
>>> log.checkpoint().split()[1]
'1'
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.interop.second.log import EMPTY_ROOT, leaf_hash, node_hash

Hashes = Sequence[bytes]


def root_of(hashes: Hashes) -> bytes:
    """RFC 6962, 2.1."""
    if len(hashes) < 2:
        return hashes[0] if hashes else EMPTY_ROOT
    cut = _cut(hashes)
    return node_hash(root_of(hashes[:cut]), root_of(hashes[cut:]))


def inclusion(index: int, hashes: Hashes) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(hashes) < 2:
        return []
    cut = _cut(hashes)
    if index < cut:
        return [*inclusion(index, hashes[:cut]), root_of(hashes[cut:])]
    return [*inclusion(index - cut, hashes[cut:]), root_of(hashes[:cut])]


def consistency(size: int, hashes: Hashes, *, whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if size == len(hashes):
        return [] if whole else [root_of(hashes)]
    cut = _cut(hashes)
    if size <= cut:
        return [*consistency(size, hashes[:cut], whole=whole), root_of(hashes[cut:])]
    return [*consistency(size - cut, hashes[cut:], whole=False), root_of(hashes[:cut])]


def _cut(hashes: Hashes) -> int:
    return 1 << ((len(hashes) - 1).bit_length() - 1)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def commitment(inner: bytes) -> str:
    """HMAC under a key nobody keeps here: nothing is opened later."""
    return hmac.new(secrets.token_bytes(32), inner, hashlib.sha256).hexdigest()


@dataclass
class LogWriter:
    """A log with its key."""

    origin: str
    clock: Callable[[], float] = time.time
    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    leaves: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    by_sealed: dict[str, int] = field(default_factory=dict)

    def add(self, *, event: str, outcome: str, **more: Any) -> None:
        """One leaf."""
        empty = dict.fromkeys(("subject", "sealed", "commit", "from_kid", "to_kid", "reason"))
        leaf = {"v": 1, "time": int(self.clock()), "event": event, "outcome": outcome, **empty, **more}
        if leaf["sealed"] is not None:
            self.by_sealed.setdefault(leaf["sealed"], len(self.leaves))
        self.leaves.append(rfc8785.dumps(leaf))
        self.hashes.append(leaf_hash(self.leaves[-1]))

    def key(self) -> str:
        """The C2SP verifier key."""
        return f"{self.origin}+{self._key_id().hex()}+{_b64(self._raw_key())}"

    def private_key(self) -> str:
        """The C2SP signer key, as it stands in a file."""
        seed = _b64(b"\1" + self.signer.private_bytes_raw())
        return f"PRIVATE+KEY+{self.origin}+{self._key_id().hex()}+{seed}"

    def checkpoint(self) -> str:
        """The C2SP signed note of the moment."""
        text = f"{self.origin}\n{len(self.leaves)}\n{_b64(root_of(self.hashes))}\n"
        signature = self._key_id() + self.signer.sign(text.encode())
        return f"{text}\n— {self.origin} {_b64(signature)}\n"

    def proof(self, index: int) -> str:
        """The C2SP tlog-proof of a leaf."""
        lines = ["c2sp.org/tlog-proof@v1", f"extra {_b64(self.leaves[index])}", f"index {index}"]
        lines += [_b64(node) for node in inclusion(index, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint()

    def consistency(self, size1: int, size2: int) -> dict[str, Any]:
        """The JSON of a consistency proof."""
        hashes = [_b64(node) for node in consistency(size1, self.hashes[:size2])]
        return {"from": size1, "to": size2, "hashes": hashes}

    def _raw_key(self) -> bytes:
        return b"\1" + self.signer.public_key().public_bytes_raw()

    def _key_id(self) -> bytes:
        return hashlib.sha256(self.origin.encode() + b"\n" + self._raw_key()).digest()[:4]
