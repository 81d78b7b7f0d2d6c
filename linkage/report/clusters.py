"""Judging groups of rows: which pairs of rows were put together, and which should have been.

Rules
- Pairs are counted from a contingency table, n(n-1)/2 a cell, and never written out.
- A group of *k* rows weighs k(k-1)/2 in the pairwise figures; B-cubed beside them gives every row one voice.
- By size, a row belongs to the size of its *true* group; its pairs are those it takes part in.
- Precision without a single proposed pair is null, not 1.

>>> rows = pl.DataFrame({"found": ["x", "x", "y"], "true": ["1", "1", "1"]})
>>> scores = cluster_scores(rows)
>>> scores.precision, round(scores.recall, 2)
(1.0, 0.33)
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

SIZE_BUCKETS = ((1, 1), (2, 2), (3, 5), (6, 10), (11, None))


@dataclass(frozen=True)
class SizeScores:
    """Pairs that rows of true groups of this size take part in."""

    size: str
    groups: int
    rows: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class ClusterScores:
    """Pairwise and B-cubed agreement of found groups with true ones."""

    rows: int
    found_groups: int
    true_groups: int
    found_pairs: int
    true_pairs: int
    right_pairs: int
    precision: float | None
    recall: float | None
    f1: float | None
    bcubed_precision: float | None
    bcubed_recall: float | None
    bcubed_f1: float | None
    by_size: list[SizeScores]


def cluster_scores(rows: pl.DataFrame) -> ClusterScores:
    """Scores of `rows` with columns `found` and `true`, both without nulls."""
    cells = (
        rows.group_by("found", "true")
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .with_columns(n_found=pl.col("n").sum().over("found"), n_true=pl.col("n").sum().over("true"))
    )
    found, true = _pairs(rows, "found"), _pairs(rows, "true")
    right = int((cells["n"] * (cells["n"] - 1) // 2).sum())
    precision, recall = _share(right, found), _share(right, true)
    total = max(rows.height, 1)
    bcubed_precision = float((cells["n"] ** 2 / cells["n_found"]).sum()) / total if rows.height else None
    bcubed_recall = float((cells["n"] ** 2 / cells["n_true"]).sum()) / total if rows.height else None
    return ClusterScores(
        rows=rows.height,
        found_groups=rows["found"].n_unique(),
        true_groups=rows["true"].n_unique(),
        found_pairs=found,
        true_pairs=true,
        right_pairs=right,
        precision=precision,
        recall=recall,
        f1=_share(2 * right, found + true),
        bcubed_precision=bcubed_precision,
        bcubed_recall=bcubed_recall,
        bcubed_f1=_harmonic(bcubed_precision, bcubed_recall),
        by_size=_by_size(cells),
    )


def _pairs(rows: pl.DataFrame, column: str) -> int:
    sizes = rows.group_by(column).agg(pl.len().cast(pl.Int64).alias("n"))["n"]
    return int((sizes * (sizes - 1) // 2).sum())


def _by_size(cells: pl.DataFrame) -> list[SizeScores]:
    sums = (
        cells.with_columns(size=_size())
        .group_by("size")
        .agg(
            groups=pl.col("true").n_unique(),
            rows=pl.col("n").sum(),
            right=(pl.col("n") * (pl.col("n") - 1)).sum(),
            found=(pl.col("n") * (pl.col("n_found") - 1)).sum(),
            true_pairs=(pl.col("n") * (pl.col("n_true") - 1)).sum(),
        )
        .sort("size")
    )
    return [
        SizeScores(
            size=_size_name(*SIZE_BUCKETS[row["size"]]),
            groups=row["groups"],
            rows=row["rows"],
            precision=_share(row["right"], row["found"]),
            recall=_share(row["right"], row["true_pairs"]),
        )
        for row in sums.iter_rows(named=True)
    ]


def _size() -> pl.Expr:
    return pl.sum_horizontal([(pl.col("n_true") >= low).cast(pl.Int32) for low, _ in SIZE_BUCKETS[1:]])


def _size_name(low: int, high: int | None) -> str:
    """Put the bucket in words.

    >>> _size_name(3, 5), _size_name(2, 2), _size_name(11, None)
    ('3-5', '2', '11+')
    """
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"


def _share(hits: int, of: int) -> float | None:
    return hits / of if of else None


def _harmonic(first: float | None, second: float | None) -> float | None:
    return 2 * first * second / (first + second) if first and second else None
