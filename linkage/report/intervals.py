"""How sure a measured share is.

Rules
- A share of lines is resampled over *true persons*: thirty lines of one wrong person are one error seen thirty times.
- Persons with the same counts are interchangeable, so the bootstrap draws from the few distinct rows of counts:
  the same distribution as drawing persons one by one, at the cost of a histogram.
- Where no person errs, every replicate says 1.0 and the bootstrap knows nothing; the exact binomial bound over
  persons stands in ("rule of three"), and likewise at 0.0.
- Shares without clusters (a bin of a reliability table) take Wilson's interval.

>>> low, high = wilson(95, 100)
>>> round(low, 3), round(high, 3)
(0.888, 0.978)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""
TAIL = 0.025
"""Probability left out on each side of a 95 % interval."""

PERSONS = "persons"

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rate:
    """A share `hits / of` with its 95 % interval; all null where there is nothing to count."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    of: int


@dataclass(frozen=True)
class Ratio:
    """How a rate is read from columns of counts: `factor` x `hits` over the sum of `of`."""

    hits: str
    of: tuple[str, ...]
    factor: int = 1


def wilson(hits: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of `hits` out of `of` independent trials; (0, 1) where there are none."""
    if of == 0:
        return 0.0, 1.0
    share, spread = hits / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / of + spread / (4 * of))
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def wilson_rate(hits: int, of: int) -> Rate:
    """Give a share of independent trials with Wilson's interval."""
    if of == 0:
        return Rate(None, None, None, hits, of)
    low, high = wilson(hits, of)
    return Rate(hits / of, low, high, hits, of)


def kinds_of_persons(counts: pl.DataFrame, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Count the distinct rows of `counts` (one row per person; `by` aside, all columns are counts).

    >>> kinds_of_persons(pl.DataFrame({"right": [2, 2, 0]})).rows()
    [(0, 1), (2, 2)]
    """
    columns = [*by, *sorted(set(counts.columns) - set(by))]
    return counts.group_by(columns).agg(pl.len().cast(pl.Int64).alias(PERSONS)).sort(columns)


def clustered_rates(kinds: pl.DataFrame, ratios: Mapping[str, Ratio], *, seed: int, bootstraps: int) -> dict[str, Rate]:
    """Each ratio over all persons of `kinds`, with its bootstrap interval.

    >>> kinds = kinds_of_persons(pl.DataFrame({"right": [2, 0], "linked": [2, 2]}))
    >>> clustered_rates(kinds, {"precision": Ratio("right", ("linked",))}, seed=1, bootstraps=50)["precision"].value
    0.5
    """
    persons = kinds[PERSONS].to_numpy().astype(np.int64)
    names = sorted({name for ratio in ratios.values() for name in (ratio.hits, *ratio.of)})
    counts = kinds.select(names).to_numpy().astype(np.int64).reshape(len(persons), len(names))
    draws = _draws(persons, seed, bootstraps)
    at = {name: place for place, name in enumerate(names)}
    return {name: _clustered_rate(counts, persons, draws, ratio, at) for name, ratio in ratios.items()}


def _draws(persons: Ints, seed: int, bootstraps: int) -> Ints:
    """How often each kind of person is drawn, a row per replicate."""
    total = int(persons.sum())
    if total == 0:
        return np.zeros((bootstraps, len(persons)), dtype=np.int64)
    return np.random.default_rng(seed).multinomial(total, persons / total, size=bootstraps)


def _clustered_rate(counts: Ints, persons: Ints, draws: Ints, ratio: Ratio, at: Mapping[str, int]) -> Rate:
    top = ratio.factor * counts[:, at[ratio.hits]]
    below = counts[:, [at[name] for name in ratio.of]].sum(axis=1)
    hits, of = int(persons @ top), int(persons @ below)
    if of == 0:
        return Rate(None, None, None, hits, of)
    if hits in (0, of):
        return Rate(hits / of, *_exact_edge(int(persons[below > 0].sum()), all_agree=hits > 0), hits, of)
    low, high = _percentiles(draws @ top, draws @ below)
    return Rate(hits / of, min(low, hits / of), max(high, hits / of), hits, of)


def _percentiles(hits: Ints, of: Ints) -> tuple[float, float]:
    low, high = np.quantile(hits[of > 0] / of[of > 0], [TAIL, 1 - TAIL])
    return float(low), float(high)


def _exact_edge(persons: int, *, all_agree: bool) -> tuple[float, float]:
    """Clopper-Pearson's interval where all of `persons` hit, or none does."""
    bound = float(TAIL ** (1 / persons))
    return (bound, 1.0) if all_agree else (0.0, 1 - bound)
