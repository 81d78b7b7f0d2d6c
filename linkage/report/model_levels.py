"""The comparisons of a model as a reader needs them: levels, probabilities, weights, one sentence each.

Rules
- Levels are numbered as Splink does: the null level -1, the last (all other) 0, upwards to the first.
- A level's weight is log2(m / u) bits; a level without m or u has none.
- Sentences come from the model's card, in English and Vietnamese; without one the comparison's name stands alone.

>>> settings = {
...     "comparisons": [
...         {
...             "output_column_name": "sex",
...             "comparison_levels": [
...                 {"label_for_charts": "same", "m_probability": 0.96, "u_probability": 0.48},
...                 {"label_for_charts": "other", "m_probability": 0.04, "u_probability": 0.52},
...             ],
...         }
...     ]
... }
>>> [(level.gamma, level.label, round(level.weight_bits, 2)) for level in comparisons_of(settings, {})[0].levels]
[(1, 'same', 1.0), (0, 'other', -3.7)]
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Level:
    """One level of a comparison; `m` and `u` are null on the null level or where untrained."""

    gamma: int
    label: str
    m: float | None
    u: float | None
    weight_bits: float | None


@dataclass(frozen=True)
class ComparisonLevels:
    """A comparison with its sentence in both languages."""

    name: str
    sentence_en: str
    sentence_vi: str
    levels: list[Level]


def comparisons_of(splink: Mapping[str, Any], card: Mapping[str, Any]) -> list[ComparisonLevels]:
    """Read the comparisons of Splink's settings."""
    return [_comparison(each, card) for each in splink.get("comparisons", [])]


def prior_bits(splink: Mapping[str, Any]) -> float | None:
    """Return log2 odds that two random records match.

    >>> prior_bits({"probability_two_random_records_match": 0.2})
    -2.0
    """
    share = splink.get("probability_two_random_records_match")
    return log2(share / (1 - share)) if isinstance(share, float) and 0 < share < 1 else None


def _comparison(settings: Mapping[str, Any], card: Mapping[str, Any]) -> ComparisonLevels:
    name = str(settings.get("output_column_name", "?"))
    english = _sentence(card, "sentences", name)
    levels = settings.get("comparison_levels", [])
    top = sum(not level.get("is_null_level") for level in levels) - 1
    read = []
    for level in levels:
        null = bool(level.get("is_null_level"))
        read.append(_level(level, -1 if null else top))
        top -= not null
    return ComparisonLevels(name, english, _sentence(card, "sentences_vi", name) or english, read)


def _level(settings: Mapping[str, Any], gamma: int) -> Level:
    m, u = (settings.get(f"{which}_probability") for which in "mu")
    label = str(settings.get("label_for_charts") or settings.get("sql_condition") or "")
    trained = isinstance(m, float | int) and isinstance(u, float | int) and m > 0 and u > 0
    return Level(gamma, label, m, u, log2(m / u) if trained and m and u else None)


def _sentence(card: Mapping[str, Any], key: str, name: str) -> str:
    sentences = card.get(key)
    return str(sentences.get(name, "")) if isinstance(sentences, dict) else ""
