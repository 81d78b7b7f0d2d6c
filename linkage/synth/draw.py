"""Random choices that keep declared shares and can be repeated.

Rules
- Each stage of the generator has its own stream, so a change in one stage leaves the draws of the others alone.
- `allot` deals shares out by weight: who is chosen is random, how much is chosen is what the table declares.
- Nothing here knows about land or people.

>>> rng = stream(seed=1, stage="example")
>>> chosen = allot(rng, np.ones(1000), [0.25, 0.5])
>>> np.bincount(chosen).tolist()
[250, 500, 250]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rng = np.random.Generator


def stream(seed: int, stage: str) -> Rng:
    """A generator of its own for one stage."""
    return np.random.default_rng(np.random.SeedSequence([seed, crc32(stage.encode())]))


def allot(rng: Rng, weights: ArrayLike, shares: Sequence[float], latent: ArrayLike | None = None) -> Ints:
    """Category of each unit, so that category k holds `shares[k]` of the total weight; the rest gets `len(shares)`.

    With `latent`, units of low value fall into the first categories; otherwise the order is random.
    """
    weight = np.asarray(weights, dtype=np.float64)
    order = rng.permutation(len(weight)) if latent is None else np.argsort(np.asarray(latent), kind="stable")
    total = weight.sum()
    category = np.full(len(weight), len(shares), dtype=np.int64)
    if total > 0:
        middle = (np.cumsum(weight[order]) - weight[order] / 2) / total
        category[order] = np.searchsorted(np.cumsum(np.asarray(shares, dtype=np.float64)), middle, side="right")
    return category


def pick(rng: Rng, rate: float, weights: ArrayLike) -> Flags:
    """Units chosen at random until they hold `rate` of the weight."""
    return np.asarray(allot(rng, weights, [rate]) == 0)


def pick_within(rng: Rng, rate: float, weights: ArrayLike, among: Flags) -> Flags:
    """Units of `among` chosen until they hold `rate` of the weight of `among`."""
    chosen = np.zeros(len(among), dtype=bool)
    chosen[among] = pick(rng, rate, np.asarray(weights)[among])
    return chosen


@dataclass(frozen=True)
class Pool:
    """Members in order of birth year, to be drawn by weight from a window of years."""

    members: Ints
    births: Ints
    cumulated: Floats

    @classmethod
    def of(cls, members: Ints, births: Ints, weights: Floats) -> Pool:
        """Sort once, draw often."""
        order = np.argsort(births, kind="stable")
        return cls(members[order], births[order], np.concatenate([[0.0], np.cumsum(weights[order])]))

    def draw(self, rng: Rng, earliest: Ints, latest: Ints) -> Ints:
        """One member for each window of birth years, or -1 where the window is empty."""
        low = self.cumulated[np.searchsorted(self.births, earliest, side="left")]
        high = self.cumulated[np.searchsorted(self.births, latest, side="right")]
        at = np.searchsorted(self.cumulated, low + rng.random(len(low)) * (high - low), side="right") - 1
        if len(self.members) == 0:
            return np.full(len(low), -1, dtype=np.int64)
        return np.where(high > low, self.members[np.clip(at, 0, len(self.members) - 1)], -1)
