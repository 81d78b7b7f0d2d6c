"""Personal values made unreadable, yet still telling the reader what kind of value stood there.

Rules
- A name keeps the first letter of each word; a number its first three digits; a serial its first two letters or digits.
- A birth year keeps its decade; a place below the commune is masked like a name.
- Text from a run (a reason, a mark) loses every run of four or more digits and everything in quotes.
- With `with_names` the page asks for values as they are: `mask_nothing` stands in for every mask.

>>> mask_name("Nguyễn Văn Hùng"), mask_number("001087012345"), mask_serial("AD 266864")
('N. V. H.', '001*********', 'AD ******')
"""

from __future__ import annotations

import re
from collections.abc import Callable

Mask = Callable[[object], str]

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|«[^»]*»|“[^”]*”|‘[^’]*’")
_DIGITS = re.compile(r"\d{4,}")


def mask_name(value: object) -> str:
    """Keep initials.

    >>> mask_name("Đặng Thị Ánh"), mask_name(None)
    ('Đ. T. Á.', '')
    """
    return " ".join(f"{word[0].upper()}." for word in _text(value).split())


def mask_number(value: object) -> str:
    """Keep the first three characters, and star the rest.

    >>> mask_number("12")
    '**'
    """
    text = _text(value)
    kept = text[:3] if len(text) > 3 else ""
    return kept + "*" * (len(text) - len(kept))


def mask_serial(value: object) -> str:
    """Keep the first two characters and the blanks.

    >>> mask_serial("W654083")
    'W6*****'
    """
    text = _text(value)
    return text[:2] + re.sub(r"\S", "*", text[2:])


def mask_year(value: object) -> str:
    """Keep the decade.

    >>> mask_year(1957)
    '195*'
    """
    text = _text(value)
    return text[:3] + "*" * len(text[3:])


def mask_text(value: object) -> str:
    """Take quoted text and long digit runs out of a sentence.

    >>> mask_text("bad-year: expected a year, found '31021957' in 001057000123")
    'bad-year: expected a year, found … in ****'
    """
    return _DIGITS.sub("****", _QUOTED.sub("…", _text(value)))


def mask_nothing(value: object) -> str:
    """Give the value as it is."""
    return _text(value)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
