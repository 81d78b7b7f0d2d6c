"""From weights of pairs to probabilities of persons: over all candidates, and nobody.

Rules
- A person is at most one citizen, so the probabilities of its candidates and of *nobody* sum to one:
  P(c) = (q / N) 2^bits(c) / ((q / N) Σ 2^bits + 1 - q), with N citizens and q the share of persons in the register.
- q is estimated from the data by EM, never assumed.
- Twins and namesakes share the probability, so a rival lowers it; a lone weak candidate loses to nobody.

>>> round(in_register(np.array([1e6, 0.0]), citizens=10), 2)
0.5
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.engines.duckdb import Connection, fetch, load

Array = npt.NDArray[np.float64]

_MOST_BITS = 200.0
"""Beyond this nothing changes, and powers of two stay finite."""


def in_register(evidence: Array, *, citizens: int, iterations: int = 200, tolerance: float = 1e-7) -> float:
    """q: the share of persons that stand in the register, from Σ 2^bits of each person (0 without candidates)."""
    if len(evidence) == 0:
        return 0.9
    ratio, share = evidence / max(citizens, 1), 0.9
    for _ in range(iterations):
        updated = float(np.clip(np.mean(share * ratio / (share * ratio + 1.0 - share)), 1e-6, 1.0 - 1e-6))
        if abs(updated - share) < tolerance:
            return updated
        share = updated
    return share


def _totals(con: Connection, weights: str) -> pl.DataFrame:
    """`r` and Σ 2^bits of its candidates, added in one fixed order: the last digits must not depend on threads."""
    rows = fetch(con, f"select r, evidence_bits from {weights} order by r, evidence_bits, l")
    persons = rows["r"].to_numpy()
    if len(persons) == 0:
        return pl.DataFrame(schema={"r": pl.Int32, "total": pl.Float64})
    starts = np.flatnonzero(np.concatenate([[True], persons[1:] != persons[:-1]]))
    powers = np.exp2(np.minimum(rows["evidence_bits"].to_numpy(), _MOST_BITS))
    return pl.DataFrame({"r": persons[starts], "total": np.add.reduceat(powers, starts)})


def posterior(con: Connection, weights: str, *, persons: int, citizens: int, keep: int = 5) -> float:
    """Make table `candidates` from `weights` (l, r, evidence_bits, …): adds match_weight, match_probability, rank.

    `match_weight` is in bits with the prior of one citizen in N. Keeps the best `keep` of each person; returns q.
    """
    totals = _totals(con, weights)
    padded = np.concatenate([totals["total"].to_numpy(), np.zeros(max(persons - totals.height, 0))])
    q = in_register(padded, citizens=citizens)
    prior = q / max(citizens, 1)
    load(con, "totals", totals)
    con.execute(f"""
        create or replace table candidates as
        with best as (
            select *, row_number() over (partition by r order by evidence_bits desc, l) as rank
            from {weights} qualify rank <= {keep})
        select best.*, evidence_bits + {float(np.log2(prior))!r} as match_weight,
               {prior!r} * pow(2.0, least(evidence_bits, {_MOST_BITS})) / ({prior!r} * total + {1.0 - q!r})
               as match_probability
        from best join totals using (r)""")
    con.execute("drop table totals")
    return q
