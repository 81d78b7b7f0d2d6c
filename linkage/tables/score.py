"""Weights of candidate pairs, and what they make probable.

Rules
- `weights` holds one row a candidate pair with its evidence in bits, without the prior.
- `pair`: match_probability = 1 / (1 + 2^-match_weight), with the model's prior in the weight, as Splink has it.
- `posterior`: a left-hand record is at most one right-hand record, so the probabilities of its candidates and of
  *nobody* sum to one (`linkage.decide.posterior`, whose persons stand on the right: so the sides are turned).
- `scored` replaces `weights`, which is too large to keep beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from linkage.blocking.rules import BlockingReport, BlockingRule, block
from linkage.decide.posterior import posterior
from linkage.engines.duckdb import Connection
from linkage.models.model import Model
from linkage.models.scoring import weights_sql
from linkage.tables import prior


def weigh(
    con: Connection, model: Model, rules: Sequence[BlockingRule], *, left: str, right: str, dedupe: bool
) -> BlockingReport:
    """Make the table `weights` of all candidate pairs."""
    report = block(con, rules, left=left, right=right, dedupe=dedupe)
    weigh_pairs(con, model, "pairs", left=left, right=right)
    con.execute("drop table pairs")
    return report


def weigh_pairs(con: Connection, model: Model, pairs: str, *, left: str, right: str) -> None:
    """Make the table `weights` of the given pairs."""
    con.execute(f"create or replace table weights as {weights_sql(model, pairs, left, right)}")


def pair_probabilities(con: Connection, model: Model) -> None:
    """Make the table `scored` from `weights`, each pair for itself."""
    weight = f"evidence_bits + {prior.bits(model.probability_two_random_records_match)!r}"
    con.execute(f"""
        create or replace table scored as
        select * exclude (evidence_bits), {weight} as match_weight,
               1.0 / (1.0 + pow(2.0, -({weight}))) as match_probability from weights""")
    con.execute("drop table weights")


def posterior_probabilities(con: Connection, *, left_rows: int, right_rows: int) -> float:
    """Make the table `scored` from `weights`, a left-hand record at a time; returns the share that has a partner."""
    con.execute("create or replace temp view turned as select * replace (r as l, l as r) from weights")
    share = posterior(con, "turned", persons=left_rows, citizens=right_rows)
    con.execute("""
        create or replace table scored as
        select * exclude (rank, evidence_bits) replace (r as l, l as r) from candidates""")
    con.execute("drop view turned")
    con.execute("drop table weights")
    con.execute("drop table candidates")
    return share


def kept_sql(keep_at: float, *, best_of_each: bool) -> str:
    """The rows of `scored` worth keeping, with the `rank` of the pair for its left-hand record."""
    best = "or rank = 1" if best_of_each else ""
    return f"""
        select * from (
            select *, row_number() over (partition by l order by match_weight desc, r)::integer as rank from scored)
        where match_probability >= {keep_at!r} {best} order by l, r"""
