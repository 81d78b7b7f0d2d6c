"""The prior: the probability that two random records are a match.

Rules
- Where the config names rules whose pairs are all but certain, and the share of matches they find, the prior is
  their pairs ÷ that share ÷ all pairs (Splink's way).
- Otherwise it is estimated from the weights of all candidate pairs: the prior under which the expected matches are
  that prior's own share of all pairs. Matches that blocking never saw do not count.

>>> round(1e6 * share_of_matches(np.array([30.0, -10.0]), np.array([50.0, 1000.0]), all_pairs=1e6))
50
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import numpy as np
import numpy.typing as npt

from linkage.blocking.rules import BlockingRule, block
from linkage.engines.duckdb import Connection, fetch

Array = npt.NDArray[np.float64]

_LEAST_MATCHES = 1.0
_HISTOGRAM_DIGITS = 2
"""Weights are gathered in steps of a hundredth of a bit: a billion pairs become a few thousand numbers."""


def bits(prior: float) -> float:
    """The prior's part of a match weight: log2 of its odds.

    >>> bits(0.5)
    0.0
    """
    return log2(prior / (1.0 - prior))


def share_of_matches(
    evidence_bits: Array, pairs: Array, *, all_pairs: float, iterations: int = 500, tolerance: float = 1e-6
) -> float:
    """The prior that reproduces itself; at least one match is expected."""
    least = min(_LEAST_MATCHES / all_pairs, 0.5)
    odds = np.exp2(np.clip(evidence_bits, -200.0, 200.0))
    prior = float(np.clip(pairs[evidence_bits > 0].sum() / all_pairs, least, 0.5))
    for _ in range(iterations):
        expected = float((pairs * (prior * odds / (prior * odds + 1.0 - prior))).sum())
        updated = float(np.clip(expected / all_pairs, least, 0.5))
        if abs(updated - prior) < tolerance * prior:
            return updated
        prior = updated
    return prior


def from_weights(con: Connection, weights: str, all_pairs: float) -> float:
    """The prior of the table `weights` (one row a candidate pair, with `evidence_bits`)."""
    histogram = fetch(
        con,
        f"select round(evidence_bits, {_HISTOGRAM_DIGITS}) as bits, count(*)::double as n from {weights} "
        "group by 1 order by 1",
    )
    return share_of_matches(histogram["bits"].to_numpy(), histogram["n"].to_numpy(), all_pairs=all_pairs)


def from_certain_pairs(
    con: Connection, rules: Sequence[BlockingRule], recall: float, *, left: str, right: str, dedupe: bool
) -> float:
    """The prior from rules whose pairs count as matches, and the share of all matches that they find."""
    report = block(con, rules, left=left, right=right, pairs="certain_pairs", dedupe=dedupe)
    con.execute("drop table certain_pairs")
    chance = (1.0 - report.reduction_ratio) / recall
    return float(np.clip(chance, 1e-12, 0.5))
