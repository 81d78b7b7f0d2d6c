"""Settle: answers → where each asked place ended, and whose it is.

Rules
- (1) Only the latest entry of a question and item counts, and only where that citizen was really asked about that item.
- (2) A place is confirmed where `mine` is proven (`challenge` or `officer`) and settled. A tap proves nothing.
- (3) Two citizens proven for one place, or for two places of one hand, are a dispute: neither is linked.
- (4) A citizen holds one place on a line. Whoever is proven for two, or is linked to another place there already, is
  not linked: a husband can read the number of the paper he shares with his wife.
- (5) A confirmed place settles the other doubtful places of its hand (`evidence.same_hand`): lines of the same person
  that show the same certificate or number beside the same name. Lines that gathering joined by likeness are not
  touched, since a wrong join would put land under another's name.
- (6) It settles no place that the citizen denied, was unsure of or suspected; none whose own number he or she could not
  give; none that anybody else claims or an officer holds for another reason.
- (7) Everything else changes no link: it is with an officer, denied by all who were asked, unanswered, or open.

Worked example: three parcels on one certificate, and a fourth line without a number that carries the same CCCD number.
The citizen proves the first: all four are settled. A fifth, joined by name and year alone, stays doubtful.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from linkage.learn.tables import ITEM_OUTCOMES

PLACE = ["owner_record_id", "role"]
PROOFS = ("challenge", "officer")
_SHORTEST_SERIAL = 4
_UNANSWERED = ("declined", "expired", "withdrawn", "undeliverable")


@dataclass(frozen=True)
class Settled:
    """`outcomes`: one row an item; `said`: the latest entries with their place; `unknown`: entries of nobody asked."""

    outcomes: pl.DataFrame
    said: pl.DataFrame
    unknown: int


def latest(answers: pl.DataFrame) -> pl.DataFrame:
    """(1) The last entry of each question and item."""
    return answers.sort("entry").unique(["question_id", "item_id"], keep="last", maintain_order=True)


def _is_proven() -> pl.Expr:
    """(2)."""
    return (
        (pl.col("state") == "settled")
        & (pl.col("verdict") == "mine")
        & pl.col("proven")
        & pl.col("evidence_level").is_in(PROOFS)
    ).fill_null(value=False)


def _claims(said: pl.DataFrame, places: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Proven claims with `fair`: not against (3) or (4)."""
    proven = said.filter(_is_proven()).select("item_id", "citizen_id").unique(maintain_order=True)
    claims = proven.join(places, on="item_id")
    taken = held.select("owner_record_id", "citizen_id", taken=pl.lit(value=True)).unique()
    claims = claims.join(taken, on=["owner_record_id", "citizen_id"], how="left")
    return claims.with_columns(
        fair=(pl.col("citizen_id").n_unique().over("hand") == 1)
        & (pl.col("item_id").n_unique().over("owner_record_id", "citizen_id") == 1)
        & pl.col("taken").is_null()
    ).drop("taken")


def _against(said: pl.DataFrame, others: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """(6) `item_id` of those places of `others` (`item_id`, `citizen_id`) about which anything speaks against them."""
    heard = others.join(said.select("item_id", "state", "verdict", teller="citizen_id"), on="item_id")
    heard = heard.join(places.select("item_id", "serial"), on="item_id")
    own = pl.col("teller") == pl.col("citizen_id")
    numbered = (pl.col("serial").str.len_chars() >= _SHORTEST_SERIAL).fill_null(value=False)
    bare_yes = own & (pl.col("state") == "office") & (pl.col("verdict") == "mine") & ~numbered
    denied_by_another = ~own & (pl.col("state") == "settled") & (pl.col("verdict") == "not_mine")
    harmless = bare_yes | denied_by_another | pl.col("state").is_in(_UNANSWERED)
    return heard.filter(~harmless.fill_null(value=False)).select("item_id").unique()


def _spread(claims: pl.DataFrame, said: pl.DataFrame, places: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """(5) `item_id`, `citizen_id` of the other places that fair claims settle."""
    whose = claims.filter("fair").select("hand", "citizen_id").unique()
    others = places.select("item_id", "owner_record_id", "hand").join(whose, on="hand")
    others = others.join(claims, on="item_id", how="anti")
    own = claims.filter("fair").select("owner_record_id", "citizen_id")
    taken = pl.concat([held.select("owner_record_id", "citizen_id"), own])
    others = others.join(taken, on=["owner_record_id", "citizen_id"], how="anti")
    once = pl.len().over("owner_record_id", "citizen_id") == 1
    others = others.filter(once).select("item_id", "citizen_id")
    return others.join(_against(said, others, places), on="item_id", how="anti")


def _rest(said: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """(7) Per item, from all who were asked: any with an officer, all denied, all ended unanswered, else open."""
    known = said.select("question_id", "item_id", "state", "verdict")
    heard = asked.select("question_id", "item_id").join(known, on=["question_id", "item_id"], how="left")
    denied = (pl.col("state") == "settled") & (pl.col("verdict") == "not_mine")
    ended = denied | pl.col("state").is_in(_UNANSWERED)
    office = pl.col("state").is_in(["office", "disputed"]) | _is_mine()
    return heard.group_by("item_id").agg(
        rest=pl.when(office.fill_null(value=False).any())
        .then(pl.lit("office"))
        .when(denied.fill_null(value=False).all())
        .then(pl.lit("denied"))
        .when(ended.fill_null(value=False).all())
        .then(pl.lit("no_answer"))
        .otherwise(pl.lit("open"))
    )


def _is_mine() -> pl.Expr:
    """A settled "mine" that did not lead to a link, by (3) or (4)."""
    return (pl.col("state") == "settled") & (pl.col("verdict") == "mine")


def settle(answers: pl.DataFrame, asked: pl.DataFrame, places: pl.DataFrame, held: pl.DataFrame) -> Settled:
    """Where each item ended.

    `asked` is `ASKED`; `places` has a row for each asked item: `item_id`, its place, `person_id`, `hand`, `serial`;
    `held` says which citizens the machine has linked to which lines (`owner_record_id`, `citizen_id`).
    """
    entries = latest(answers)
    said = entries.join(
        asked.select("question_id", "item_id", "citizen_id"), on=["question_id", "item_id", "citizen_id"]
    )
    claims = _claims(said, places, held)
    linked = pl.concat(
        [
            claims.filter("fair").select("item_id", "citizen_id", found=pl.lit("confirmed")),
            _spread(claims, said, places, held).with_columns(found=pl.lit("same_hand")),
        ]
    )
    ended = places.join(linked, on="item_id", how="left").join(_rest(said, asked), on="item_id", how="left")
    outcomes = ended.with_columns(outcome=pl.coalesce("found", "rest"))
    return Settled(ITEM_OUTCOMES.check(outcomes), said, entries.height - said.height)
