"""The app's sentences in two languages.

Rules
- `texts.toml` has every sentence in both; a missing one is a fault at the start, not on a citizen's telephone.
- A sentence has no markup; values are put in by name and escaped by the template.
- Times are those of Vietnam (UTC+7), where there is no summer time.

>>> Words("vi")("list.many", count=3)
'Xác nhận 3 thửa đất'
>>> Words("en")("verdict.mine")
'Mine'
>>> Words("vi").time(1_795_000_000), Words("en").time(1_795_000_000)
('18:06 ngày 18/11/2026', '18 Nov 2026, 18:06')
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files

LANGUAGES = ("vi", "en")
_VIETNAM = timedelta(hours=7)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Key → language → sentence."""
    content = tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))
    return {f"{part}.{name}": told for part, group in content.items() for name, told in group.items()}


class Words:
    """One language's sentences."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]

    def __call__(self, key: str, **values: object) -> str:
        """The sentence of `key` with its values."""
        return sentences()[key][self.language].format(**values)

    @property
    def other(self) -> str:
        """The other language."""
        return LANGUAGES[1 - LANGUAGES.index(self.language)]

    def time(self, seconds: int) -> str:
        """A moment, as people write it."""
        at = datetime.fromtimestamp(seconds, UTC) + _VIETNAM
        if self.language == "vi":
            return f"{at:%H:%M} ngày {at:%d/%m/%Y}"
        return f"{at.day} {_MONTHS[at.month - 1]} {at:%Y, %H:%M}"

    def day(self, seconds: int) -> str:
        """A day."""
        at = datetime.fromtimestamp(seconds, UTC) + _VIETNAM
        return f"{at:%d/%m/%Y}" if self.language == "vi" else f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
