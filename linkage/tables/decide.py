"""From scored pairs to one decision for each left-hand record.

Rules
- `many_to_one`: each left-hand record takes its best right-hand record; a right-hand record may be taken often. Where
  two are equally good, nobody can say which is meant: `review`.
- `one_to_one`: the pair with the highest weight is taken first, then the best of those whose two records are still
  free, and so on; equal weights go by the order of the records.
- `link` needs `link_at`. A record that stays free is for `review` if its best pair has `review_at`, else `no_match`.
- Every left-hand record has exactly one row, and the same pairs give the same rows in whatever order they come.

>>> pairs = pl.DataFrame({"l": [0, 0, 1], "r": [5, 6, 5], "match_weight": [9.0, 7.0, 8.0]})
>>> pairs = pairs.with_columns(match_probability=pl.lit(0.99))
>>> decisions(pairs, 2, Decide(links="one_to_one")).select("l", "r", "decision").rows()
[(0, 5, 'link'), (1, 5, 'review')]
>>> decisions(pairs, 2, Decide(links="many_to_one")).select("l", "r", "decision").rows()
[(0, 5, 'link'), (1, 5, 'link')]
"""

from __future__ import annotations

import polars as pl

from linkage.tables.parts import Decide

REASONS = {
    "best": "The best pair of this record.",
    "tie": "Two right-hand records are equally good.",
    "taken": "The best right-hand record went to a better left-hand record.",
    "doubtful": "The best pair lies below link_at.",
    "weak": "The best pair lies below review_at.",
    "no_candidate": "No right-hand record was worth keeping.",
}


def _ranked(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.sort(["match_weight", "l", "r"], descending=[True, False, False]).with_row_index("place")


def one_to_one(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs taken greedily: each round takes every pair that is the best one left for both its records."""
    waiting = _ranked(pairs)
    taken = [waiting.clear()]
    while waiting.height:
        best_of_both = [pl.col("place") == pl.col("place").min().over(side) for side in ("l", "r")]
        chosen = waiting.filter(*best_of_both)
        taken.append(chosen)
        waiting = waiting.join(chosen, on="l", how="anti").join(chosen, on="r", how="anti")
    return pl.concat(taken).drop("place").sort("l")


def best_of_each(pairs: pl.DataFrame) -> pl.DataFrame:
    """The best pair of each left-hand record, with `tie` where another is as good."""
    ranked = _ranked(pairs).with_columns(
        tie=(pl.col("match_weight") == pl.col("match_weight").max().over("l")).sum().over("l") > 1
    )
    return ranked.unique("l", keep="first", maintain_order=True).drop("place").sort("l")


def _linked(pairs: pl.DataFrame, told: Decide) -> pl.DataFrame:
    good = pairs.filter(pl.col("match_probability") >= told.link_at)
    if told.links == "one_to_one":
        return one_to_one(good)
    return best_of_each(good).filter(~pl.col("tie")).drop("tie")


def _of_the_rest(told: Decide) -> pl.Expr:
    """Why a record that stays free is free."""
    probability = pl.col("match_probability")
    return (
        pl.when(probability.is_null())
        .then(pl.lit("no_candidate"))
        .when(probability < told.review_at)
        .then(pl.lit("weak"))
        .when(probability < told.link_at)
        .then(pl.lit("doubtful"))
        .when("tie" if told.links == "many_to_one" else pl.lit(value=False))
        .then(pl.lit("tie"))
        .otherwise(pl.lit("taken"))
    )


def decisions(pairs: pl.DataFrame, records: int, told: Decide) -> pl.DataFrame:
    """One row a left-hand record 0 … `records` - 1: `l`, `r`, weight, probability, decision, reason."""
    pairs = pairs.select("l", "r", "match_weight", "match_probability")
    linked = _linked(pairs, told).with_columns(decision=pl.lit("link"), reason=pl.lit("best"))
    everyone = pl.DataFrame({"l": range(records)}, schema={"l": pairs.schema["l"]})
    rest = everyone.join(linked, on="l", how="anti").join(best_of_each(pairs), on="l", how="left")
    rest = rest.with_columns(reason=_of_the_rest(told)).with_columns(
        decision=pl.when(pl.col("reason").is_in(["weak", "no_candidate"]))
        .then(pl.lit("no_match"))
        .otherwise(pl.lit("review"))
    )
    return pl.concat([linked, rest.select(linked.columns)]).sort("l")
