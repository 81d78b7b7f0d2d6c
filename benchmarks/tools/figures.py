"""Figures as text: tables, targets, and a word on each target.

Rules
- A target that is not met says FALLS SHORT and by what; it does not fail the benchmark, it informs.
- A target without a figure to judge says NOT JUDGED and why.

>>> print(Target("owners missed, ours / plain", 0.38, 0.4, "at most").verdict())
PASS         owners missed, ours / plain: 0.380 (target: at most 0.400)
>>> print(Target("gathering recall", None, 0.9, "at least", why="no truth").verdict())
NOT JUDGED   gathering recall: no truth (target: at least 0.900)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Direction = Literal["at most", "at least"]


@dataclass(frozen=True)
class Target:
    """A measured value beside what it should be."""

    name: str
    value: float | None
    wanted: float
    direction: Direction
    form: str = ".3f"
    why: str = "no figure"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is nothing to judge."""
        if self.value is None:
            return None
        return self.value <= self.wanted if self.direction == "at most" else self.value >= self.wanted

    def verdict(self) -> str:
        """The target in one line."""
        word = {True: "PASS", False: "FALLS SHORT", None: "NOT JUDGED"}[self.met]
        value = self.why if self.value is None else f"{self.value:{self.form}}"
        return f"{word:<12} {self.name}: {value} (target: {self.direction} {self.wanted:{self.form}})"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "value": self.value, "wanted": self.wanted, "direction": self.direction, "met": self.met,
        }  # fmt: skip


def ratio(top: float | None, below: float | None) -> float | None:
    """`top / below`; None where either is unknown or the divisor is 0.

    >>> ratio(1.0, 4.0), ratio(None, 1.0), ratio(1.0, 0.0)
    (0.25, None, None)
    """
    return None if top is None or not below else top / below


def percent(value: float | None, digits: int = 2) -> str:
    """A share in words.

    >>> percent(0.1234), percent(None)
    ('12.34 %', '–')
    """
    return "–" if value is None else f"{value * 100:.{digits}f} %"


def gigabytes(count: float | None) -> str:
    """Bytes as GB (10⁹).

    >>> gigabytes(5.25e9)
    '5.25 GB'
    """
    return "–" if count is None else f"{count / 1e9:.2f} GB"


def seconds(value: float | None) -> str:
    """Seconds with one decimal."""
    return "–" if value is None else f"{value:.1f} s"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as aligned text: the first column to the left, the others to the right; the first row is the head.

    >>> print(table([("", "plain", "ours"), ("missed", "10 %", "4 %")]))
            plain  ours
    missed   10 %   4 %
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    rest = "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
    return f"{row[0]:<{widths[0]}}{rest}".rstrip()


def write_json(path: Path | None, figures: object) -> None:
    """Write figures to a file, if one was asked for."""
    if path is not None:
        path.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"figures as JSON: {path}")
