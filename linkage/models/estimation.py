"""How m and u are estimated.

Rules
- u of a level that is plain equality of a column is counted exactly, by value frequencies; other levels by a random
  sample of pairs. A level that the sample never shows keeps a small floor instead of zero.
- m is estimated by EM on agreement patterns, once for each training block; a comparison that the block fixes is not
  estimated there. The estimates of several blocks are averaged, weighted by their expected matches.
- EM is smoothed: the prior m of the catalogue counts as `smoothing` matches, so that no level falls to zero.
- A block of one identifier also tells that identifier's u: the share of its pairs that are no matches.
- EM that has not settled within its iterations is a `NotConvergedError`, never a warning.

Source: Fellegi and Sunter 1969; Winkler 1988 for EM; smoothing is a Dirichlet prior (MAP-EM).

>>> patterns = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])  # gammas of two comparisons: 1 same, 0 different
>>> m, u = np.array([0.1, 0.9]), np.array([0.99, 0.01])
>>> em = run_em(patterns, np.array([81.0, 18.0, 18.0, 883.0]), [m, m], [u, u], smoothing=1.0)
>>> round(em.share_of_matches, 1)
0.1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linkage.errors import NotConvergedError

Array = npt.NDArray[np.float64]
Patterns = npt.NDArray[np.integer]

U_FLOOR = 1e-12
"""No level is impossible: the least u of a level (a probability)."""


@dataclass(frozen=True)
class EmResult:
    """What EM found in one block: the share of matches, m of each comparison, and how it got there."""

    share_of_matches: float
    m: tuple[Array, ...]
    iterations: int
    expected_matches: float


def _log_likelihood(patterns: Patterns, probabilities: Sequence[Array]) -> Array:
    total = np.zeros(len(patterns))
    for column, levels in enumerate(probabilities):
        gamma = patterns[:, column]
        total += np.where(gamma >= 0, np.log(levels[np.maximum(gamma, 0)]), 0.0)
    return total


def _m_step(patterns: Patterns, matches: Array, priors: Sequence[Array], smoothing: float) -> list[Array]:
    estimates = []
    for column, prior in enumerate(priors):
        gamma = patterns[:, column]
        seen = gamma >= 0
        counts = np.bincount(gamma[seen], weights=matches[seen], minlength=len(prior)) + smoothing * prior
        estimates.append(counts / counts.sum())
    return estimates


def run_em(  # noqa: PLR0913 - what EM needs, each by its name
    patterns: Patterns,
    counts: Array,
    priors: Sequence[Array],
    u: Sequence[Array],
    *,
    smoothing: float,
    start: float = 0.3,
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    block: str = "this block",
) -> EmResult:
    """M by EM with u fixed.

    `patterns` is (patterns × comparisons) of gammas, -1 for null; `counts` the pairs of each pattern; `priors` and
    `u` hold one array a comparison, indexed by gamma.
    """
    m, share = [prior / prior.sum() for prior in priors], start
    unmatched = _log_likelihood(patterns, u)
    for iteration in range(1, max_iterations + 1):
        log_odds = _log_likelihood(patterns, m) - unmatched + np.log(share) - np.log1p(-share)
        matches = counts / (1.0 + np.exp(-np.clip(log_odds, -700, 700)))
        updated = _m_step(patterns, matches, priors, smoothing)
        new_share = float(np.clip(matches.sum() / counts.sum(), 1e-9, 1 - 1e-9))
        change = max(abs(new_share - share), *(float(np.abs(a - b).max()) for a, b in zip(updated, m, strict=True)))
        m, share = updated, new_share
        if change < tolerance:
            return EmResult(share, tuple(m), iteration, float(matches.sum()))
    message = (
        f"training on {block}: expected EM to settle within {max_iterations} iterations, found a change of "
        f"{change:.1e} in the last one; use a block with more true pairs or raise training.max_iterations."
    )
    raise NotConvergedError(message)


def pool(results: Sequence[tuple[float, Array | None]]) -> Array | None:
    """The average of several estimates of m, weighted by expected matches; None where no block could tell."""
    known = [(weight, m) for weight, m in results if m is not None and weight > 0]
    if not known:
        return None
    total = sum(weight for weight, _ in known)
    return np.asarray(sum((weight * m for weight, m in known), start=np.zeros_like(known[0][1])) / total)


def u_from_counts(counts: Array, exact: dict[int, float], floors: Array) -> Array:
    """U of each level from a sample's counts, exact values where known, floors where the sample shows nothing."""
    sampled = counts / max(counts.sum(), 1.0)
    u = np.maximum(sampled, np.maximum(floors, U_FLOOR))
    for gamma, value in exact.items():
        u[gamma] = max(value, U_FLOOR)
    rest = 1.0 - u[1:].sum()
    u[0] = max(rest, U_FLOOR)
    return np.asarray(u)
