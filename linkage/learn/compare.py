"""Compare: the old model and the new one, before anybody takes the new one.

Rules
- Levels: m, u and weight of each level under both, and the change in bits.
- Decisions: each person's candidates weighed anew. The weight of a level changes by log2(m new / m old), since u is the
  same; what the kept candidates do not hold of a person's evidence is taken as unchanged. Both models then decide by
  the same rules.
- Held out: labels of the part drawn by lot, weighted by what they stand for. They taught neither model. Below
  `FEW_LABELS` of them the figures stand there with a warning: they cannot tell the models apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

import numpy as np
import polars as pl

from linkage.compare.comparisons import Comparison
from linkage.decide.decisions import Thresholds
from linkage.decide.links import decided_persons
from linkage.engines.duckdb import Connection, load
from linkage.models.model import Model

FEW_LABELS = 100
_LEAST = 1e-9


def levels(old: Model, new: Model) -> list[dict[str, Any]]:
    """One row a level, the greatest change first."""
    rows = [
        {
            "comparison": comparison.name,
            "level": level.label,
            "m_old": old.m(comparison, level),
            "m_new": new.m(comparison, level),
            "u": old.u(comparison, level),
            "bits_old": old.weight_bits(comparison, level),
            "bits_new": new.weight_bits(comparison, level),
            "change_bits": new.weight_bits(comparison, level) - old.weight_bits(comparison, level),
        }
        for comparison in old.comparisons
        for level in comparison.scored
    ]
    return sorted(rows, key=lambda row: -abs(float(row["change_bits"])))


def _change(old: Model, new: Model, comparison: Comparison) -> pl.Expr:
    bits = {
        comparison.gamma(level): log2(new.m(comparison, level) / old.m(comparison, level))
        for level in comparison.scored
    }
    gamma = pl.col(f"gamma_{comparison.name}")
    return gamma.cast(pl.Int64).replace_strict({-1: 0.0, **bits}, return_dtype=pl.Float64)


def weighed_anew(candidates: pl.DataFrame, old: Model, new: Model, *, share: float) -> pl.DataFrame:
    """`candidates` (of a run: `r`, gammas, `match_weight`, `match_probability`, `rank`) under the new model.

    `share` is the share of persons in the register.
    """
    mass, nobody = pl.col("_mass"), 1.0 - share
    before = candidates.with_columns(_mass=pl.lit(2.0).pow(pl.col("match_weight").clip(-1000.0, 200.0)))
    # All evidence of a person, its unkept candidates and nobody, follows from any kept candidate's own probability.
    every = (mass / pl.col("match_probability").clip(_LEAST)).filter(pl.col("rank") == 1).first()
    rest = (every - mass.sum()).over("r")
    changed = sum((_change(old, new, comparison) for comparison in old.comparisons), start=pl.lit(0.0))
    after = before.with_columns(_rest=pl.max_horizontal(rest, pl.lit(nobody)), _change=changed)
    after = after.with_columns(
        match_weight=pl.col("match_weight") + pl.col("_change"), _mass=mass * pl.lit(2.0).pow(pl.col("_change"))
    )
    total = mass.sum().over("r") + pl.col("_rest")
    after = after.with_columns(match_probability=(mass / total).clip(0.0, 1.0))
    place = pl.struct(-pl.col("match_weight"), "l").rank("ordinal").over("r").cast(candidates.schema["rank"])
    return after.with_columns(rank=place).drop("_mass", "_rest", "_change")


def decisions(
    con: Connection, comparisons: tuple[Comparison, ...], thresholds: Thresholds, candidates: pl.DataFrame
) -> pl.DataFrame:
    """`person_id`, `decision`, `citizen_id`, `mentions` as these candidates decide; needs `persons` and `citizens`."""
    load(con, "candidates", candidates)
    return decided_persons(con, comparisons, thresholds).select("person_id", "decision", "citizen_id", "mentions")


def changed_decisions(old: pl.DataFrame, new: pl.DataFrame) -> dict[str, Any]:
    """Persons and lines whose decision or citizen would change, by old and new decision."""
    both = old.join(new, on="person_id", suffix="_new")
    other = both.filter(
        (pl.col("decision") != pl.col("decision_new"))
        | ((pl.col("decision") == "link") & pl.col("citizen_id").ne_missing(pl.col("citizen_id_new")))
    )
    moves = other.group_by("decision", "decision_new").agg(persons=pl.len(), lines=pl.col("mentions").sum())
    return {
        "persons": other.height,
        "lines": int(other["mentions"].sum()),
        "of_persons": both.height,
        "moves": [
            {"from": row["decision"], "to": row["decision_new"], "persons": row["persons"], "lines": row["lines"]}
            for row in moves.sort("persons", "decision", "decision_new", descending=[True, False, False]).iter_rows(
                named=True
            )
        ],
    }


def _judged(labels: pl.DataFrame, probability: str, link_at: float) -> dict[str, float | None]:
    p = np.clip(labels[probability].to_numpy(), _LEAST, 1.0 - _LEAST)
    y, w = labels["label"].to_numpy().astype(float), labels["sampling_weight"].to_numpy()
    linked = w * (p >= link_at)
    loss = -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))
    return {
        "log_loss": float((w * loss).sum() / w.sum()),
        "mean_probability": float((w * p).sum() / w.sum()),
        "precision_at_link": float((linked * y).sum() / linked.sum()) if linked.sum() > 0 else None,
    }


def held_out(labels: pl.DataFrame, link_at: float) -> Mapping[str, Any]:
    """Both models on pairs drawn by lot; `labels` holds `label`, `sampling_weight`, `old`, `new`."""
    if labels.is_empty():
        return {"labels": 0, "enough": False}
    y, w = labels["label"].to_numpy().astype(float), labels["sampling_weight"].to_numpy()
    return {
        "labels": labels.height,
        "enough": labels.height >= FEW_LABELS,
        "observed": float((w * y).sum() / w.sum()),
        "old": _judged(labels, "old", link_at),
        "new": _judged(labels, "new", link_at),
    }
