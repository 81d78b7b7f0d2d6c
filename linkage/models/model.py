"""The trained model: comparisons with the m and u of each level.

Rules
- `match_weight` of a level is log2(m_probability / u_probability), in bits.
- Where a level names a `term_frequency` column, the u of the very value replaces the level's u:
  weight = log2(m / u) + log2(u / term frequency of the value in the register).
- A model is Splink's: `linkage.models.splink_adapter.settings` writes it as Splink settings, and a test compares
  the weights of `linkage.models.scoring` with Splink's own predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

from linkage.compare.comparisons import Comparison, Level

Estimates = Mapping[str, Mapping[str, float]]
"""comparison name → level label → probability."""


@dataclass(frozen=True)
class Model:
    """Comparisons, their m and u, and the prior that two random records match."""

    comparisons: tuple[Comparison, ...]
    m_probability: Estimates
    u_probability: Estimates
    probability_two_random_records_match: float

    def m(self, comparison: Comparison, level: Level) -> float:
        """P(level | match)."""
        return self.m_probability[comparison.name][level.label]

    def u(self, comparison: Comparison, level: Level) -> float:
        """P(level | no match)."""
        return self.u_probability[comparison.name][level.label]

    def weight_bits(self, comparison: Comparison, level: Level) -> float:
        """log2(m / u); a null level weighs nothing."""
        return 0.0 if level.is_null else log2(self.m(comparison, level) / self.u(comparison, level))


def names(comparisons: Sequence[Comparison]) -> list[str]:
    """The names of the comparisons, in order."""
    return [comparison.name for comparison in comparisons]
