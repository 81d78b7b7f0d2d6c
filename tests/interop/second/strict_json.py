"""The JSON of the protocol, read without mercy.

Rules
- UTF-8 without byte-order mark, one object, at most 32 levels (the outermost object is level 1).
- No duplicate key anywhere, no NaN or Infinity, no lone surrogate, no U+0000.
- Integers within ±(2^53 − 1). An integer written with point or exponent comes back as a float, so that a schema that
  wants an integer refuses it.

>>> loads(b'{"a": 1}')
{'a': 1}
>>> loads(b'{"a": 1, "a": 1}')
Traceback (most recent call last):
tests.interop.second.strict_json.NotStrictError: a key stands twice in one object
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

DEEPEST = 32
LARGEST = 2**53 - 1


class NotStrictError(ValueError):
    """The bytes are not JSON as the protocol wants it."""


def loads(raw: bytes) -> dict[str, Any]:
    """The one object in these bytes."""
    try:
        text = raw.decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise NotStrictError("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise NotStrictError("a byte-order mark")
    if _depth(text) > DEEPEST:
        raise NotStrictError("more than 32 levels")
    value = _parse(text)
    if not isinstance(value, dict):
        raise NotStrictError("not an object")
    if any(_is_bad_text(found) for found in _strings(value)):
        raise NotStrictError("U+0000 or a lone surrogate")
    return value


def dumps(value: dict[str, Any]) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _parse(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except NotStrictError:
        raise
    except (ValueError, RecursionError):
        raise NotStrictError("not JSON") from None


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside strings; counted before parsing, so that a bomb costs nothing."""
    depth = deepest = 0
    in_string = escaped = False
    for sign in text:
        if in_string:
            escaped, in_string = (sign == "\\" and not escaped), (sign != '"' or escaped)
        elif sign == '"':
            in_string = True
        elif sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictError("a key stands twice in one object")
    return found


def _constant(name: str) -> object:
    raise NotStrictError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST:
        raise NotStrictError("an integer beyond 2^53 - 1")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotStrictError("a number without end")
    return value


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)


def _is_bad_text(text: str) -> bool:
    return any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in text)
