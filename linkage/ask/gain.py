"""Whom to ask first: pairs → questions with their expected gain, chosen under a budget.

Rules
- The gain of a question is the number of places it is expected to settle: for each place
  P(this citizen is the owner) x P(reply) x P(proof). P(proof) is high where the line's certificate number is known, or
  that of another line of the same hand in the same question; a bare "mine" is worth little, an officer settles it.
- The gain of a candidate behind others uses the plain probability: he or she is the owner exactly where those before
  are not, and they release the place. So gains add up, and taking the greatest first is best for any budget.
- A part is drawn by lot first, as a simple random sample of all questions that could be asked: each of its questions
  stands for N / n. The rest is chosen, by gain or by falling probability, and stands for itself alone (weight 1).

>>> table = pl.DataFrame(
...     {"citizen_id": ["a", "b", "c"], "expected_gain": [0.2, 1.5, 0.9], "match_probability": [0.9, 0.5, 0.6]}
... )
>>> choose(table, Plan(budget=2, random_share=0.0))["citizen_id"].to_list()
['b', 'c']
>>> choose(table, Plan(budget=2, random_share=0.0, by="probability"))["citizen_id"].to_list()
['a', 'c']
"""

from __future__ import annotations

import numpy as np
import polars as pl

from linkage.ask.plan import Expectation, Plan

SHORTEST_SERIAL = 4
"""A challenge asks for the last four characters (protocol, section 3)."""


def with_gain(pairs: pl.DataFrame, expected: Expectation) -> pl.DataFrame:
    """Add `expected_gain` to pairs that carry `serial` and `hand`."""
    known = (pl.col("serial").str.len_chars() >= SHORTEST_SERIAL).fill_null(value=False)
    provable = known.any().over("citizen_id", "hand")
    worth = pl.when(provable).then(expected.proves).otherwise(expected.unproven)
    return pairs.with_columns(expected_gain=pl.col("match_probability") * expected.replies * worth)


def cut_to(pairs: pl.DataFrame, most_items: int) -> pl.DataFrame:
    """The places of greatest gain of each citizen; the others wait for the next round."""
    order = pairs.sort("citizen_id", "expected_gain", "owner_record_id", "role", descending=[False, True, False, False])
    return order.filter(pl.int_range(pl.len()).over("citizen_id") < most_items)


def by_citizen(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row a question: the citizen, the sum of the gains, and the greatest probability among the places."""
    return pairs.group_by("citizen_id").agg(pl.col("expected_gain").sum(), pl.col("match_probability").max())


def _drawn(citizens: pl.Series, count: int, seed: int) -> pl.Series:
    """A simple random sample; the same seed and citizens draw the same."""
    rng = np.random.default_rng(seed)
    return citizens.gather(np.sort(rng.choice(len(citizens), size=count, replace=False)))


def choose(questions: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The questions to make, the most useful first, with `chosen_by`, `sampling_weight` and `priority`."""
    every = questions.sort("citizen_id")
    count = plan.random_questions(every.height)
    lot = _drawn(every["citizen_id"], count, plan.seed)
    by_lot = pl.col("citizen_id").is_in(lot.implode())
    order = "expected_gain" if plan.by == "gain" else "match_probability"
    ordered = every.sort(order, "citizen_id", descending=[True, False])
    chosen = ordered.filter(~by_lot).head(plan.total(every.height) - count)
    kept = pl.concat(
        [
            every.filter(by_lot).with_columns(
                chosen_by=pl.lit("random"), sampling_weight=pl.lit(every.height / max(count, 1))
            ),
            chosen.with_columns(chosen_by=pl.lit(plan.by), sampling_weight=pl.lit(1.0)),
        ]
    )
    greatest = max(float(every[order].max() or 0.0), 1e-12)  # type: ignore[arg-type] # a Float64 column
    ranked = kept.with_columns(priority=(pl.col(order) / greatest).clip(0.0, 1.0))
    return ranked.sort("priority", "citizen_id", descending=[True, False])
