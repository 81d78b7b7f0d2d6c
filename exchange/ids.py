"""Ids, tokens and binding messages: random, never derived from a person or a parcel, never decoded.

Rules
- An id is 16 random bytes as 22 base64url characters; a token is 32 bytes as 43 characters.
- A binding message is `XXXX-XXXX` of letters and digits that cannot be taken for one another (no I, O, 0, 1).
- Randomness comes in as an argument, so that a test can repeat itself; the default is the system's.

>>> new_id(lambda size: bytes(size))
'AAAAAAAAAAAAAAAAAAAAAA'
>>> new_binding_message(lambda size: bytes(range(size)))
'ABCD-EFGH'
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

Entropy = Callable[[int], bytes]
"""Gives that many random bytes."""

ID_PATTERN = r"^[A-Za-z0-9_-]{22,64}$"
TOKEN_PATTERN = r"^[A-Za-z0-9_-]{22,256}$"  # noqa: S105 - a pattern, not a token
BINDING_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
BINDING_PATTERN = r"^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$"

_ID_BYTES = 16
_TOKEN_BYTES = 32


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def new_id(entropy: Entropy = secrets.token_bytes) -> str:
    """A new `jti`, `question_id`, `item_id`, `batch_id`, `declaration_id` or `auth_req_id`."""
    return _text(entropy(_ID_BYTES))


def new_token(entropy: Entropy = secrets.token_bytes) -> str:
    """A new `client_notification_token`."""
    return _text(entropy(_TOKEN_BYTES))


def new_binding_message(entropy: Entropy = secrets.token_bytes) -> str:
    """Eight letters or digits that citizen and officer compare: 32 signs are five bits each, so no sign is favoured."""
    signs = "".join(BINDING_ALPHABET[byte % len(BINDING_ALPHABET)] for byte in entropy(8))
    return f"{signs[:4]}-{signs[4:]}"
