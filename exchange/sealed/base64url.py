r"""base64url as the protocol wants it: no padding, no blanks, no spare bits.

>>> decode(b"_-8"), is_canonical(b"_-9"), is_canonical(b"_-8="), is_canonical(b"A")
(b'\xff\xef', False, False, False)
>>> encode(b"\xff\xef")
'_-8'
"""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(rb"[A-Za-z0-9_-]*")
_LAST = {0: None, 2: b"AQgw", 3: b"AEIMQUYcgkosw048"}
"""By length modulo four: the last characters whose unused bits are zero."""


def is_canonical(text: bytes) -> bool:
    """Whether `text` is the one base64url form of some bytes."""
    spare = len(text) % 4
    if spare == 1 or not _ALPHABET.fullmatch(text):
        return False
    last = _LAST[spare]
    return last is None or text[-1] in last


def decode(text: bytes) -> bytes:
    """The bytes of a canonical `text`."""
    if not is_canonical(text):
        raise ValueError("expected base64url without padding, blanks and spare bits")
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def encode(data: bytes) -> str:
    """The canonical form of `data`."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
