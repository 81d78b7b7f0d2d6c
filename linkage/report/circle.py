"""What the report tells about asking citizens: questions, answers, where asked places ended, before and after.

Rules
- All figures are the run's own counts (`run.json`); precision and recall only where somebody judged the run.
- A run that asked nobody has no such section; the page then says how to ask.
- Outcomes and verdicts stand in a fixed order, whatever the order of the counts; an unknown code is shown as it is.

>>> circle_of({"counts": {}}, {}) is None
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from linkage.report import words
from linkage.report.words import Both

LEVELS_SHOWN = 8


@dataclass(frozen=True)
class Counted:
    """One row: words, count, share of its table."""

    code: str
    words: Both
    count: int
    share: float


@dataclass(frozen=True)
class Change:
    """One figure before the answers and after them; None where it is not known."""

    code: str
    words: Both
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Circle:
    """Everything the section prints; `model` is the comparison of the new model with the old one, or empty."""

    questions: int
    by_lot: int
    asked: int
    answers: int
    settled: int
    outcomes: list[Counted]
    verdicts: list[Counted]
    decisions: list[Change]
    quality: list[Change]
    model: Mapping[str, Any]


def circle_of(manifest: Mapping[str, Any], comparison: Mapping[str, Any]) -> Circle | None:
    """The section of a run, or None where it asked nobody."""
    counts = _mapping(manifest.get("counts"))
    if not counts.get("questions"):
        return None
    before, after = _mapping(counts.get("before")), _mapping(counts.get("after"))
    return Circle(
        questions=int(counts["questions"]),
        by_lot=int(counts.get("questions_random") or 0),
        asked=int(counts.get("asked_items") or 0),
        answers=int(counts.get("answers") or 0),
        settled=int(counts.get("settled") or 0),
        outcomes=_counted(_mapping(counts.get("asked_by_outcome")), words.OUTCOMES),
        verdicts=_counted(_mapping(counts.get("answers_by_verdict")), words.VERDICTS),
        decisions=_changes(_mapping(before.get("decisions")), _mapping(after.get("decisions")), words.DECISIONS),
        quality=_changes(before, after, words.QUALITY),
        model={**comparison, "levels": list(comparison.get("levels") or [])[:LEVELS_SHOWN]} if comparison else {},
    )


def _counted(counts: Mapping[str, Any], known: Mapping[str, Both]) -> list[Counted]:
    total = sum(int(count) for count in counts.values())
    order = [*known, *sorted(set(counts) - set(known))]
    return [
        Counted(code, known.get(code, Both(code, code)), int(counts[code]), int(counts[code]) / max(total, 1))
        for code in order
        if counts.get(code)
    ]


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], known: Mapping[str, Both]) -> list[Change]:
    return [
        Change(code, both, before.get(code), after.get(code))
        for code, both in known.items()
        if code in before or code in after
    ]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
