r"""JSON read without leniency: one object, one meaning.

Rules (protocol §2, Conventions)
- UTF-8 without byte-order mark; one object; nothing after it.
- No member twice, in no object; no NaN or infinity, also not by overflow (1e999).
- No lone surrogate and no U+0000, in names neither.
- At most 32 levels; the outermost object is level 1.
- Integers lie within ±(2^53 − 1). `1.0` and `1e3` are numbers but not integers: they stay floats, which the schema of
  an integer field refuses.

>>> parse(b'{"a": [1, 2.5, null]}')
{'a': [1, 2.5, None]}
>>> parse(b'{"a": 1, "a": 1}')
Traceback (most recent call last):
    ...
exchange.sealed.strict_json.NotStrictError: a member stands twice in one object
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_LEVELS = 32
MAX_INTEGER = 2**53 - 1

_LONGEST_INTEGER = len(f"-{MAX_INTEGER}")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""Only an escape can bring U+0000 or a surrogate into text that is UTF-8: without one there is nothing to look for."""


class NotStrictError(ValueError):
    """The text is not JSON as the protocol writes it; the message never repeats what was found."""


def parse(text: bytes) -> dict[str, Any]:
    """The object in `text`."""
    try:
        decoded = text.decode("utf-8")
        value = _DECODER.decode(decoded)
    except NotStrictError:
        raise
    except (ValueError, RecursionError):  # their own errors carry the text
        raise NotStrictError("the text is not one JSON value in UTF-8") from None
    if type(value) is not dict:
        raise NotStrictError("the outermost value is not an object")
    _refuse_depth(value)
    if _ESCAPED.search(decoded):
        _refuse_bad_text(value)
    return value


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise NotStrictError("a member stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER or not -MAX_INTEGER <= (number := int(text)) <= MAX_INTEGER:
        raise NotStrictError("an integer is beyond ±(2^53 − 1)")
    return number


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotStrictError("a number is beyond what a double holds")
    return number


def _no_constant(_name: str) -> NoReturn:
    raise NotStrictError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_no_constant
)


def _members(container: Any) -> Any:
    return container.values() if type(container) is dict else container


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_LEVELS):
        level = [member for container in level for member in _members(container) if type(member) in (dict, list)]
        if not level:
            return
    raise NotStrictError(f"more than {MAX_LEVELS} levels")


def _refuse_bad_text(value: Any) -> None:
    """Runs after the depth is known to be small, so recursion is safe."""
    if type(value) is str:
        if "\0" in value or not _is_encodable(value):
            raise NotStrictError("a text holds U+0000 or a lone surrogate")
    elif type(value) is dict:
        for name, member in value.items():
            _refuse_bad_text(name)
            _refuse_bad_text(member)
    elif type(value) is list:
        for member in value:
            _refuse_bad_text(member)


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
