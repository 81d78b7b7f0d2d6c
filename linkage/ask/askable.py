"""Who may be asked about which place: doubtful lines and their candidates → pairs worth a question.

Rules
- Only places whose decision is `ask`. What an officer must see (`review`) is never put to a citizen.
- Never the deceased, the emigrated, minors; nor those whose age the register does not tell, since they may be minors.
- Nobody is asked about a place on a line where he or she already holds another place: a husband holds the paper of
  his wife's line too, so his "yes" would prove nothing.
- Nobody is asked again about a place that he or she has denied.
- Candidates are asked in falling probability. One is worth asking if, once all before have said no, the chance is at
  least `least_chance`: p / (1 - sum of those before). So 0.01 behind 0.97 is asked (one in three), and 0.01 behind
  0.60 is not (one in forty).

Worked example: three namesakes with 0.90, 0.06 and 0.002. The second is asked behind the first (0.06 / 0.10), the third
is not (0.002 / 0.04).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

PLACE = ("owner_record_id", "role")
"""What names a place: one person on one register line."""

_ADULT_AGE = 18


@dataclass(frozen=True)
class Askable:
    """`pairs`: place × citizen in the order of asking (`rank`); `left_out`: reason → pairs left out."""

    pairs: pl.DataFrame
    left_out: dict[str, int]


def _is_adult(today: date) -> pl.Expr:
    """Surely 18 or older today; an unknown day counts as the last of its month or year. Null where no year is known."""
    month, day = pl.col("birth_month").fill_null(12), pl.col("birth_day").fill_null(31)
    turned = (month.cast(pl.Int32) * 100 + day) <= today.month * 100 + today.day
    return pl.col("birth_year").cast(pl.Int32) + _ADULT_AGE + (~turned).cast(pl.Int32) <= today.year


def _why_not(today: date) -> pl.Expr:
    """The reason why a citizen is never asked, else null."""
    adult = _is_adult(today)
    return (
        pl.when(pl.col("status") == "deceased")
        .then(pl.lit("deceased"))
        .when(pl.col("status") == "emigrated")
        .then(pl.lit("emigrated"))
        .when(adult.is_null())
        .then(pl.lit("age_unknown"))
        .when(~adult)
        .then(pl.lit("minor"))
    )


def _proposed(links: pl.DataFrame, candidates: pl.DataFrame, citizens: pl.DataFrame, today: date) -> pl.DataFrame:
    """Doubtful places with all their candidates and, for some, why they are never asked."""
    doubtful = links.filter(pl.col("decision") == "ask").select(*PLACE, "person_id")
    people = citizens.select("citizen_id", why=_why_not(today))
    scored = candidates.select("person_id", "citizen_id", "match_probability", order="rank")
    return doubtful.join(scored, on="person_id").join(people, on="citizen_id", how="left")


def _marked(proposed: pl.DataFrame, links: pl.DataFrame, denied: pl.DataFrame) -> pl.DataFrame:
    """`why` filled also for those who hold another place on the line, and for those who have denied this one."""
    held = links.filter(pl.col("decision") == "link").select("owner_record_id", "citizen_id", holds=pl.lit(True))
    said_no = denied.select(*PLACE, "citizen_id", said_no=pl.lit(True)).unique()
    marked = proposed.join(held.unique(), on=["owner_record_id", "citizen_id"], how="left")
    marked = marked.join(said_no, on=[*PLACE, "citizen_id"], how="left")
    why = pl.coalesce(
        pl.when(pl.col("said_no")).then(pl.lit("denied")),
        "why",
        pl.when(pl.col("holds")).then(pl.lit("holds_another_place")),
    )
    return marked.with_columns(why=why).drop("holds", "said_no")


def _with_chance(marked: pl.DataFrame) -> pl.DataFrame:
    """`chance` of those who may be asked, once all before have said no; those who did say no come first."""
    reachable = marked.filter(pl.col("why").is_null() | (pl.col("why") == "denied"))
    by_order = reachable.sort(*PLACE, pl.col("why").is_null(), "order", "citizen_id")
    before = pl.col("match_probability").cum_sum().over(PLACE) - pl.col("match_probability")
    left = (1.0 - before).clip(1e-9)
    return by_order.with_columns(chance=(pl.col("match_probability") / left).clip(0.0, 1.0))


def askable(
    links: pl.DataFrame, candidates: pl.DataFrame, citizens: pl.DataFrame, denied: pl.DataFrame, *, today: date,
    least_chance: float,
) -> Askable:  # fmt: skip
    """Pairs worth asking; `denied` names place and citizen of earlier rounds."""
    marked = _marked(_proposed(links, candidates, citizens, today), links, denied)
    weighed = _with_chance(marked).filter(pl.col("why").is_null())
    kept = weighed.filter(pl.col("chance") >= least_chance)
    pairs = kept.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(PLACE)).drop("why", "order")
    left_out = dict(marked.drop_nulls("why").group_by("why").len().sort("why").iter_rows())
    return Askable(pairs, {**left_out, "unlikely": weighed.height - kept.height})
