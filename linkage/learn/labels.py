"""Labels: what the answers say about pairs of owner and citizen, for training and calibration.

Rules
- 1 only where `mine` is proven and led to the link; 0 where the citizen says `not_mine`. Nobody gains by denying land,
  so a tap is enough for a 0; the level of evidence stands beside.
- Nothing else is a label: no answer, `unsure`, a bare `mine`, a dispute.
- A label of the part drawn by lot stands for `sampling_weight` questions. One of the chosen part stands for itself
  alone: it was chosen *because* of what the model said, so it may teach the model but never judge it.
"""

from __future__ import annotations

import polars as pl

from linkage.learn.tables import LABELS


def _label() -> pl.Expr:
    right = (pl.col("outcome") == "confirmed") & (pl.col("citizen_id") == pl.col("linked_to"))
    mine = (pl.col("verdict") == "mine") & pl.col("proven") & right
    denied = (pl.col("verdict") == "not_mine") & (pl.col("state") == "settled")
    return pl.when(mine).then(1).when(denied).then(0).cast(pl.Int8)


def labels(said: pl.DataFrame, outcomes: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """`LABELS` from the latest entries, where the items ended, and what was known when they were asked."""
    ended = outcomes.select("item_id", "outcome", linked_to="citizen_id")
    known = asked.join(said.drop("citizen_id"), on=["question_id", "item_id"]).join(ended, on="item_id", how="left")
    source = pl.when(pl.col("chosen_by") == "random").then(pl.lit("random")).otherwise(pl.lit("chosen"))
    named = known.with_columns(label=_label(), source=source).filter(pl.col("label").is_not_null())
    # A later round asks again with another model: the last word of a citizen on a place is the one that counts.
    last = named.sort("entry").unique(["owner_record_id", "role", "citizen_id"], keep="last", maintain_order=True)
    return LABELS.check(last)
