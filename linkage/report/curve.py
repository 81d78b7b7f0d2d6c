"""What another threshold would have given, and whether probabilities mean what they say.

Rules
- The curve takes best candidates in falling order of (`match_probability`, `match_weight`); equal values enter
  together, for no threshold can part them.
- The best threshold for a wanted precision is the one with the highest recall whose precision reaches it.
- By persons, all lines that say "this person is that citizen" are one statement, entered at its best line.
- Calibration is judged over best candidates, whatever was decided about them; bins are narrow near 0 and 1,
  where decisions are made.

>>> ranked = pl.DataFrame(
...     {"match_probability": [0.9, 0.9, 0.5], "match_weight": [3.0, 3.0, 0.0], "candidate_right": [True, False, True]}
... )
>>> threshold_curve(ranked, known=2)["precision"].round(2).to_list()
[0.5, 0.67]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from linkage.report.intervals import Floats, Rate, wilson_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

PRECISION_TARGETS = (0.9995, 0.999, 0.995, 0.99)
BIN_EDGES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)
CURVE_POINTS = 240
"""Points of the curve kept for drawing; the operating points are found on the whole curve."""


@dataclass(frozen=True)
class OperatingPoint:
    """Accepting everything from this probability (and weight, among equals) upwards; null where none reaches it."""

    wanted_precision: float
    match_probability: float | None
    match_weight: float | None
    taken: int
    hits: int
    precision: float | None
    recall: float | None
    missed: float | None


@dataclass(frozen=True)
class CurvePoint:
    """One point of the threshold curve."""

    match_probability: float
    match_weight: float | None
    taken: int
    hits: int
    precision: float
    recall: float


@dataclass(frozen=True)
class ReliabilityBin:
    """Best candidates whose probability lies in [low, high): mean promised share and observed share."""

    low: float
    high: float
    mean_predicted: float
    observed: Rate


@dataclass(frozen=True)
class Calibration:
    """The reliability table; `expected_calibration_error` is the mean gap, weighted by count."""

    bins: list[ReliabilityBin]
    expected_calibration_error: float | None
    brier_score: float | None
    candidates: int


def ranked_candidates(judged: pl.DataFrame) -> pl.DataFrame:
    """Rows that have a best candidate with a probability."""
    return judged.filter(pl.col("citizen_id").is_not_null() & pl.col("match_probability").is_finite())


def statements(ranked: pl.DataFrame) -> pl.DataFrame:
    """One row per distinct (true person, citizen), at the place of its best line."""
    return (
        ranked.group_by("cluster", "citizen")
        .agg(
            pl.struct("match_probability", pl.col("match_weight").fill_null(float("-inf"))).max().alias("best"),
            pl.col("candidate_right").any(),
        )
        .unnest("best")
    )


def threshold_curve(ranked: pl.DataFrame, known: int) -> pl.DataFrame:
    """Taken, hits, precision and recall at every distinct threshold, from the strictest down."""
    ordered = ranked.select(
        "match_probability", pl.col("match_weight").fill_null(float("-inf")), "candidate_right"
    ).sort("match_probability", "match_weight", descending=True)
    steps = ordered.with_columns(
        taken=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), hits=pl.col("candidate_right").cast(pl.Int64).cum_sum()
    )
    last = pl.struct("match_probability", "match_weight") != pl.struct("match_probability", "match_weight").shift(-1)
    return (
        steps.filter(last.fill_null(value=True) | (pl.col("taken") == pl.len()))
        .drop("candidate_right")
        .with_columns(precision=pl.col("hits") / pl.col("taken"), recall=pl.col("hits") / max(known, 1))
    )


def operating_points(curve: pl.DataFrame, wanted: Sequence[float] = PRECISION_TARGETS) -> list[OperatingPoint]:
    """Find the threshold of highest recall for each wanted precision."""
    return [_operating_point(curve, target) for target in wanted]


def _operating_point(curve: pl.DataFrame, wanted: float) -> OperatingPoint:
    good = curve.filter((pl.col("precision") >= wanted) & (pl.col("hits") > 0))
    if good.is_empty():
        return OperatingPoint(wanted, None, None, 0, 0, None, None, None)
    best = good.sort("hits", "precision", descending=True).row(0, named=True)
    return OperatingPoint(wanted_precision=wanted, missed=1 - best["recall"], **_point(best))


def _point(row: dict[str, Any]) -> dict[str, Any]:
    weight = row["match_weight"]
    return {**row, "match_weight": weight if np.isfinite(weight) else None}


def thinned(curve: pl.DataFrame, points: int = CURVE_POINTS) -> list[CurvePoint]:
    """At most `points` points of the curve, evenly by recall, always with both ends."""
    if curve.is_empty():
        return []
    wanted = np.linspace(curve["hits"][0], curve["hits"][-1], points)
    places = np.unique(np.append(np.searchsorted(curve["hits"].to_numpy(), wanted), curve.height - 1))
    return [CurvePoint(**_point(row)) for row in curve[places.tolist()].iter_rows(named=True)]


def calibration(ranked: pl.DataFrame, edges: Sequence[float] = BIN_EDGES) -> Calibration:
    """Promised against observed share of right best candidates."""
    if ranked.is_empty():
        return Calibration([], None, None, 0)
    ranked = ranked.sort("match_probability", "candidate_right")  # sums of floats depend on their order
    predicted = ranked["match_probability"].to_numpy()
    right = ranked["candidate_right"].to_numpy().astype(np.float64)
    place = np.clip(np.searchsorted(np.asarray(edges), predicted, side="right") - 1, 0, len(edges) - 2)
    bins = [_bin(edges, at, predicted[place == at], right[place == at]) for at in np.unique(place)]
    gaps = sum(b.observed.of * abs(b.mean_predicted - (b.observed.value or 0.0)) for b in bins)
    return Calibration(bins, gaps / ranked.height, float(np.mean((predicted - right) ** 2)), ranked.height)


def _bin(edges: Sequence[float], at: int, predicted: Floats, right: Floats) -> ReliabilityBin:
    observed = wilson_rate(int(right.sum()), len(right))
    return ReliabilityBin(edges[at], edges[at + 1], float(predicted.mean()), observed)
