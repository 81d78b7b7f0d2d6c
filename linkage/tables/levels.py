"""From the levels of a config to comparisons: labels, SQL, and where EM starts.

Rules
- A level is a list of conditions that must all hold; most have one.
- The label says the level in words and tells it from its neighbours: the model file is read by label.
- m starts at 0.75 for the best level, at 0.1 for *else*; the levels between share the rest, the better ones more.
  The start is also the pull of smoothing, never a final value.
- A plain equality is counted exactly in training, so it carries its column in `equal`.

>>> made = comparison(ComparisonConfig(name="born", missing=["year"], levels=[{"equal": "year"}]))
>>> [(level.label, level.sql) for level in made.scored]
[('the same year', 'year_l = year_r'), ('different', None)]
"""

from __future__ import annotations

from collections.abc import Sequence

from linkage.compare import similarity as like
from linkage.compare.comparisons import Comparison, Level
from linkage.tables.parts import ComparisonConfig, LevelConfig

BEST, ELSE = 0.75, 0.1
"""Where m starts, as shares of true pairs."""


def sql(condition: LevelConfig) -> str:
    """The condition on `<column>_l` and `<column>_r`."""
    first, last, number = condition.columns[0], condition.columns[-1], condition.number
    return {
        "equal": f"{first}_l = {first}_r",
        "jaro_winkler": like.close(first, number),
        "levenshtein": like.edits(first, int(number)),
        "damerau": like.edits(first, int(number), swaps=True),
        "within": like.within(first, number),
        "shared": like.shared(first, int(number)),
        "crossed": like.crossed(first, last),
        "word_of": like.word_of(first, last),
        "begins": like.begins(first),
    }[condition.kind]


def words(condition: LevelConfig) -> str:
    """The condition in words, for the report and the model file."""
    first, number = condition.columns[0], condition.number
    last = condition.columns[-1]
    return {
        "equal": f"the same {first}",
        "jaro_winkler": f"{first} alike (Jaro-Winkler at least {number:g})",
        "levenshtein": f"{first} at most {number:g} letters apart",
        "damerau": f"{first} at most {number:g} slips apart",
        "within": f"{first} at most {number:g} apart",
        "shared": f"{first} share at least {number:g}",
        "crossed": f"{first} of one is {last} of the other",
        "word_of": f"{first} of one is among {last} of the other",
        "begins": f"{first} of one begins with that of the other",
    }[condition.kind]


def starts(levels: int) -> list[float]:
    """Where m starts, best level first, *else* last; they sum to one.

    >>> starts(1), [round(start, 3) for start in starts(3)]
    ([0.9, 0.1], [0.75, 0.1, 0.05, 0.1])
    """
    if levels == 1:
        return [1.0 - ELSE, ELSE]
    shares = [0.5**rank for rank in range(levels - 1)]
    between = [(1.0 - BEST - ELSE) * share / sum(shares) for share in shares]
    return [BEST, *between, ELSE]


def _missing(columns: Sequence[str]) -> Level:
    tests = " or ".join(f"{column}_l is null or {column}_r is null" for column in columns)
    return Level("missing", tests, is_null=True)


def _level(conditions: Sequence[LevelConfig], m_start: float) -> Level:
    label = " and ".join(words(condition) for condition in conditions)
    if len(conditions) > 1:
        return Level(label, " and ".join(f"({sql(condition)})" for condition in conditions), m_start)
    only = conditions[0]
    equal = only.columns if only.kind == "equal" else ()
    return Level(label, sql(only), m_start, term_frequency=equal[0] if only.term_frequency else None, equal=equal)


def comparison(told: ComparisonConfig) -> Comparison:
    """The comparison that a config describes."""
    m_starts = starts(len(told.levels))
    scored = [_level(level, start) for level, start in zip(told.levels, m_starts, strict=False)]
    labels = "; ".join(level.label for level in scored)
    sentence = told.sentence or f"{told.name}: {labels}; different."
    levels = (_missing(told.missing), *scored, Level("different", None, m_starts[-1]))
    return Comparison(told.name, levels, sentence, sentence, told.columns)


def fixes(made: Comparison, block_columns: Sequence[str]) -> bool:
    """A training block fixes each comparison that reads one of its columns."""
    return not set(block_columns).isdisjoint(made.columns)
