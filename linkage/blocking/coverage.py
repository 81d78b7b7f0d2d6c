"""Coverage: how many true pairs the blocking rules let through; for evaluation only, since it reads the truth.

Rules
- `pair_completeness` is the share of true (person, citizen) pairs among the candidate pairs, counted over mentions
  whose citizen is in the register.
- The share of each rule is what it finds by itself and what nobody before it found (`match_key`).

>>> pairs = pl.DataFrame({"l": [1], "r": [7], "match_key": [0]}, schema_overrides={"match_key": pl.Int8})
>>> true = pl.DataFrame({"l": [1, 2], "r": [7, 8]})
>>> pair_completeness(pairs, true, ["id12"])
Coverage(true_pairs=2, found=1, pair_completeness=0.5, first_found_by={'id12': 1})
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Coverage:
    """Counts of true pairs, the share found, and under which rule each was found first."""

    true_pairs: int
    found: int
    pair_completeness: float
    first_found_by: dict[str, int]


def pair_completeness(pairs: pl.DataFrame, true: pl.DataFrame, rules: Sequence[str]) -> Coverage:
    """`pairs` (`l`, `r`, `match_key`) against `true` (`l`, `r`, one row a mention)."""
    found = true.join(pairs, on=["l", "r"], how="inner")
    by_key = dict(found.group_by("match_key").len().iter_rows())
    named = {rules[key] if key < len(rules) else "family": count for key, count in sorted(by_key.items())}
    return Coverage(true.height, found.height, found.height / max(true.height, 1), named)
