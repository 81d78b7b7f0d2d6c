"""Who may be asked: the deceased, those abroad and minors never are (protocol §4). Pure.

Rules
- A citizen's number says century, sex and year of birth (`PPP G YY SSSSSS`), not the day: whoever may still be under 18
  is not asked.
- What the last accepted run said of a person (`people.status`) comes first: only `alive` is asked.

>>> from datetime import UTC, datetime
>>> now = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
>>> is_minor("045207001234", now), is_minor("045208001234", now), is_minor("045008001234", now)
(False, True, False)
"""

from __future__ import annotations

from datetime import UTC, datetime

ADULT_YEARS = 18


def birth_year(citizen_id: str) -> int:
    """The year of birth in a number of 12 digits.

    >>> birth_year("045090001234"), birth_year("045301001234")
    (1990, 2001)
    """
    return 1900 + 100 * (int(citizen_id[3]) // 2) + int(citizen_id[4:6])


def is_minor(citizen_id: str, now: int) -> bool:
    """Whether the citizen may still be under 18."""
    return datetime.fromtimestamp(now, UTC).year - birth_year(citizen_id) <= ADULT_YEARS
