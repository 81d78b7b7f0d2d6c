"""Field encryption: a box opens under one key and in one place, or not at all.

Rules
- A box is `version (1) · salt (32) · commitment (32) · AES-256-GCM ciphertext and tag`.
- Key and commitment come from HKDF-SHA-512 of the owner's key, the salt and the context: every box has its own key, so
  its nonce is never used twice, and the commitment says which key it is before anything is decrypted. Plain AES-GCM
  lacks that: there, one ciphertext can be made to open under two keys with two meanings.
- The context names table, column and row. A box moved elsewhere does not open.
- Why a box does not open (key, context, change) is not told: it is one BoxError.

>>> box = seal_box(bytes(32), "items/7/box", "thửa 12".encode())
>>> open_box(bytes(32), "items/7/box", box).decode()
'thửa 12'
>>> open_box(bytes(32), "items/8/box", box)
Traceback (most recent call last):
    ...
confirm_api.store.boxes.BoxError: a box does not open: it was sealed under another key, for another place, or changed
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from confirm_api.errors import StoreError

KEY_BYTES = 32
OVERHEAD_BYTES = 1 + 32 + 32 + 16
"""A box is so much longer than what it holds."""
_VERSION = b"\x01"
_SALT_BYTES = 32
_COMMITMENT_BYTES = 32
_NONCE = bytes(12)
"""Fixed: no two boxes share a key."""


class BoxError(StoreError):
    """A box that does not open."""

    code = "box"

    def __init__(self) -> None:
        super().__init__("a box does not open: it was sealed under another key, for another place, or changed")


def seal_box(key: bytes, context: str, plaintext: bytes, *, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt under `key` for one place."""
    salt = entropy(_SALT_BYTES)
    box_key, commitment = _box_key(key, salt, context)
    return _VERSION + salt + commitment + AESGCM(box_key).encrypt(_NONCE, plaintext, None)


def open_box(key: bytes, context: str, box: bytes) -> bytes:
    """What `seal_box` was given, or BoxError."""
    version, salt, commitment, ciphertext = box[:1], box[1:33], box[33:65], box[65:]
    if version != _VERSION or len(box) < OVERHEAD_BYTES:
        raise BoxError
    box_key, expected = _box_key(key, salt, context)
    if not hmac.compare_digest(expected, commitment):
        raise BoxError
    try:
        return AESGCM(box_key).decrypt(_NONCE, ciphertext, None)
    except InvalidTag:
        raise BoxError from None


def derive_key(key: bytes, label: str, *, salt: bytes | None = None, length: int = KEY_BYTES) -> bytes:
    """A key of its own purpose from `key`: HKDF-SHA-512 (RFC 5869)."""
    return HKDF(algorithm=SHA512(), length=length, salt=salt, info=f"quychu/1/{label}".encode()).derive(key)


def _box_key(key: bytes, salt: bytes, context: str) -> tuple[bytes, bytes]:
    if len(key) != KEY_BYTES:
        raise BoxError
    derived = derive_key(key, f"box/{context}", salt=salt, length=KEY_BYTES + _COMMITMENT_BYTES)
    return derived[:KEY_BYTES], derived[KEY_BYTES:]
