"""Relink: where items ended → the new `links.parquet`.

Rules
- A settled place becomes `link` with the reason `citizen_confirmed`; its citizen is the one who proved it.
- A met challenge is evidence like any other, in bits: an owner meets it nine times in ten, a stranger who has three
  tries at four characters less than three times in ten thousand. So it adds log2(0.9 / 0.0003) = 11.6 bits to the
  citizen's own weight, and the probability follows.
- A place that an officer must see becomes `review` (`office_decides`), one that everyone denied too (`citizen_denied`);
  what nobody answered stays as it was.
- Only doubtful places change: what the machine linked is not touched by an answer about another place.

>>> round(PROOF_BITS, 1)
11.6
"""

from __future__ import annotations

from math import log2

import polars as pl

from linkage.schemas import LINKS

PROOF_BITS = log2(0.9 / 0.0003)
"""Weight of a met challenge: P(met | owner) / P(met | stranger), three tries at four characters of mostly digits."""

_DECISIONS = {"confirmed": "link", "same_hand": "link", "office": "review", "denied": "review"}
_REASONS = {
    "confirmed": "citizen_confirmed",
    "same_hand": "citizen_confirmed",
    "office": "office_decides",
    "denied": "citizen_denied",
}


def proven_probability(probability: pl.Expr) -> pl.Expr:
    """The probability after a met challenge."""
    odds: pl.Expr = probability / (1.0 - probability) * float(2.0**PROOF_BITS)
    return (odds / (1.0 + odds)).fill_nan(1.0).clip(0.0, 1.0)


def _changes(outcomes: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """For each place that changes: decision, reason, and where it is linked the citizen with weight and probability."""
    told = outcomes.filter(pl.col("outcome").is_in(list(_DECISIONS)))
    own = candidates.select("person_id", "citizen_id", weight="match_weight", probability="match_probability")
    found = told.join(own, on=["person_id", "citizen_id"], how="left")
    return found.select(
        "owner_record_id",
        "role",
        to="citizen_id",
        new_decision=pl.col("outcome").replace_strict(_DECISIONS, return_dtype=pl.String),
        new_reason=pl.col("outcome").replace_strict(_REASONS, return_dtype=pl.String),
        weight=pl.col("weight") + PROOF_BITS,
        probability=proven_probability(pl.col("probability")),
    )


def relink(links: pl.DataFrame, outcomes: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """The links after the answers, in their order."""
    found = links.join(
        _changes(outcomes, candidates), on=["owner_record_id", "role"], how="left", maintain_order="left"
    )
    doubtful = (pl.col("decision") == "ask") & pl.col("new_decision").is_not_null()
    linked = doubtful & pl.col("to").is_not_null()
    moved = linked & (pl.col("to") != pl.col("citizen_id"))
    changed = found.with_columns(
        decision=pl.when(doubtful).then("new_decision").otherwise("decision"),
        reason=pl.when(doubtful).then("new_reason").otherwise("reason"),
        citizen_id=pl.when(linked).then("to").otherwise("citizen_id"),
        match_weight=pl.when(linked).then("weight").otherwise("match_weight"),
        match_probability=pl.when(linked).then("probability").otherwise("match_probability"),
        runner_up_citizen_id=pl.when(moved).then("citizen_id").otherwise("runner_up_citizen_id"),
        runner_up_probability=pl.when(moved)
        .then(pl.min_horizontal("match_probability", 1.0 - pl.col("probability")))
        .otherwise("runner_up_probability"),
    )
    return LINKS.check(changed)
