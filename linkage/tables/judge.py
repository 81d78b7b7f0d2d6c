"""Links of a generic run against the truth: true pairs for two tables, true groups for one.

Rules
- Truth for a link run holds `unique_id_l` and `unique_id_r`, a row a true pair.
- Truth for a dedupe run holds `unique_id` and `cluster_id` or `cluster`; further columns are passed over, so that a
  table with the truth in one of its columns can be given as it is.
- A pair of links counts where its decision is `link`; a group counts by its pairs of records.

>>> links = pl.DataFrame({"unique_id": ["a", "b", "c"], "cluster_id": ["a", "a", "c"]})
>>> truth = pl.DataFrame({"unique_id": ["a", "b", "c"], "cluster": ["x", "x", "x"]})
>>> judge(links, truth).lines
['groups     precision 100.000%  recall 33.333%  F1 50.000%', '           pairs found 1, right 1, true 3']
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from linkage.errors import MissingColumnError
from linkage.report.clusters import ClusterScores
from linkage.report.intervals import Rate
from linkage.report.metrics import PairScores, evaluate_clusters, evaluate_pairs
from linkage.sources.reading import read_table

PAIR = ("unique_id_l", "unique_id_r")
_NO_MAPPING = "no mapping exists for this table"


@dataclass(frozen=True)
class Judged:
    """The figures, in lines for a terminal and as JSON."""

    lines: list[str]
    json: str


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.3%}"


def _interval(rate: Rate) -> str:
    return f"{_percent(rate.value)} [{_percent(rate.low)}, {_percent(rate.high)}]"


def _pair_lines(found: PairScores) -> list[str]:
    return [
        f"pairs      precision {_interval(found.precision)}  recall {_interval(found.recall)}",
        f"           F1 {_interval(found.f1)}",
        f"           linked {found.linked:,}, right {found.right:,}, true {found.known:,}",
    ]


def _group_lines(found: ClusterScores) -> list[str]:
    figures = f"precision {_percent(found.precision)}  recall {_percent(found.recall)}  F1 {_percent(found.f1)}"
    return [
        f"groups     {figures}",
        f"           pairs found {found.found_pairs:,}, right {found.right_pairs:,}, true {found.true_pairs:,}",
    ]


def _true_groups(truth: pl.DataFrame) -> pl.DataFrame:
    for column in ("cluster_id", "cluster"):
        if {"unique_id", column} <= set(truth.columns):
            return truth.select("unique_id", column)
    raise MissingColumnError("truth", "cluster_id", truth.columns, section=_NO_MAPPING)


def judge(links: pl.DataFrame, truth: pl.DataFrame, *, seed: int = 1) -> Judged:
    """Precision, recall and F1 of links over pairs; `MissingColumnError` where the truth is of another kind."""
    if set(PAIR) <= set(links.columns):
        pairs = evaluate_pairs(links.filter(pl.col("unique_id_r").is_not_null()), truth, seed=seed)
        return Judged(_pair_lines(pairs), pairs.to_json())
    groups = evaluate_clusters(links.select("unique_id", "cluster_id"), _true_groups(truth))
    return Judged(_group_lines(groups), TypeAdapter(ClusterScores).dump_json(groups, indent=2).decode())


def is_ours(links: Path) -> bool:
    """Are these the links of a generic run? False too where the file cannot be read: others say why."""
    try:
        columns = set(pl.read_parquet_schema(links))
    except (pl.exceptions.PolarsError, OSError):
        return False
    return set(PAIR) <= columns or {"unique_id", "cluster_id"} <= columns


def judge_files(links: Path, truth: Path, *, seed: int = 1) -> Judged:
    """`judge` on files; the truth may be any kind of table that a run reads."""
    return judge(pl.read_parquet(links), read_table(truth).lines, seed=seed)
