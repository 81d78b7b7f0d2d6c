r"""JSON in its one canonical form (RFC 8785): the one door to the library `rfc8785`.

Rules
- Two values have the *same content* when their canonical bytes are equal.
- NaN, infinity and integers beyond ±(2^53 − 1) have no canonical form and raise ValueError.

>>> canonical({"b": 1.0, "a": [None, "é"]})
b'{"a":[null,"\xc3\xa9"],"b":1}'
>>> same_content({"priority": 1}, {"priority": 1.0})
True
"""

from __future__ import annotations

from typing import Any

import rfc8785


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value."""
    return rfc8785.dumps(value)


def same_content(one: Any, other: Any) -> bool:
    """Whether two payloads are the same message."""
    return canonical(one) == canonical(other)
