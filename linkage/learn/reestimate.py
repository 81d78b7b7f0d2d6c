"""Re-estimate: EM once more on the run's own pairs, with the answers as pairs that are known.

Rules
- A known pair is taken out of the pairs that EM must judge. A match enters every M-step with weight 1; a pair denied,
  and every other pair of an owner whose citizen is known, is no match and only leaves.
- Labels are never weighted up. Whether a pair was asked depends on what is seen of it (its pattern, its lines), not on
  what it truly is: such a choice is ignorable for EM, where each known pair stands for itself and all others stay in.
  Weighting the chosen ones up would count doubtful patterns more often than they occur, and bias m towards them.
- Where a block is thinned, known matches are counted at the share that is kept, so that the proportion stays.
- The part drawn by lot stays out: it judges the model afterwards.
- u stays as it was: it describes random pairs, which no answer tells anything about. Without labels m stays too.

Example: of 3,000 pairs in a block, 120 were confirmed. EM judges the other 2,880 and adds 120 whole matches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.blocking.rules import BlockingRule, block, pair_counts_sql
from linkage.compare.comparisons import Comparison
from linkage.engines.duckdb import Connection, fetch, load
from linkage.models import estimation
from linkage.models.model import Model
from linkage.models.scoring import patterns_sql
from linkage.models.training import BlockResult, Trained, TrainingPlan, first_column_fixes

LEFT, RIGHT = "citizen_features", "person_features"

Floats = npt.NDArray[np.float64]
Counted = tuple[npt.NDArray[np.int64], Floats]
"""Agreement patterns (rows of gammas) and how many pairs show each."""


@dataclass(frozen=True)
class _Block:
    """One training block: its columns, the comparisons it leaves free, and their u."""

    equal: tuple[str, ...]
    free: tuple[Comparison, ...]
    u: list[Floats]


def load_known(con: Connection, known: pl.DataFrame) -> None:
    """Table `known` (`l`, `r`, `label`): pairs whose truth an answer tells."""
    load(con, "known", known.select(pl.col("l", "r").cast(pl.Int32), pl.col("label").cast(pl.Int8)))


def _by_gamma(comparison: Comparison, values: Mapping[str, float]) -> Floats:
    found = np.zeros(len(comparison.scored))
    for level in comparison.scored:
        found[comparison.gamma(level)] = values[level.label]
    return found


def _priors(comparison: Comparison) -> Floats:
    """The catalogue's guess of m, by gamma."""
    priors = _by_gamma(comparison, {level.label: level.m_prior for level in comparison.scored})
    return np.asarray(priors / priors.sum())


def _first_u(model: Model, comparison: Comparison, strangers: Mapping[tuple[str, ...], float]) -> Floats:
    """U as EM saw it: training lowers that of an equal identifier afterwards, by its block's share of strangers."""
    u = _by_gamma(comparison, model.u_probability[comparison.name])
    for level in comparison.scored:
        if level.equal and tuple(level.equal) in strangers:
            u[comparison.gamma(level)] /= strangers[tuple(level.equal)]
    return u


def _strangers(card: Mapping[str, object]) -> dict[tuple[str, ...], float]:
    """The share of each training block's pairs that is no match, from the model's card."""
    blocks = card.get("training_blocks") or []
    assert isinstance(blocks, list)  # as `artefact.write` wrote it
    return {tuple(found["block"]): max(1.0 - found["share_of_matches"], 1e-3) for found in blocks}


def _thinned(con: Connection, equal: tuple[str, ...], plan: TrainingPlan) -> float:
    """A view `thinned` of the persons, as in training; returns the share that is kept."""
    row = con.execute(f"select sum(pairs) from ({pair_counts_sql(equal, LEFT, RIGHT)})").fetchone()
    share = min(1.0, plan.block_pairs / max(float(row[0] or 0) if row else 0.0, 1.0))
    con.execute(
        f"create or replace temp view thinned as select * from {RIGHT} "
        f"where hash(id, {plan.seed}) % 1000000 < {share * 1e6:.0f}"
    )
    return share


def _split(con: Connection, equal: tuple[str, ...]) -> None:
    """Tables `judged_pairs` (of the thinned block, for EM) and `known_pairs` (matches for sure, of the whole block)."""
    same = " and ".join(f"a.{column} = b.{column}" for column in equal)
    con.execute(f"""
        create or replace temp table judged_pairs as
        select l, r from training_pairs as t anti join known using (l, r)
        where not exists (select 1 from known as k where k.r = t.r and k.label = 1);
        create or replace temp table known_pairs as
        select k.l, k.r from known as k join {LEFT} as a on a.id = k.l join {RIGHT} as b on b.id = k.r
        where k.label = 1 and {same}""")


def _counted(con: Connection, free: Sequence[Comparison], pairs: str) -> Counted:
    found = fetch(con, patterns_sql(free, pairs, LEFT, RIGHT))
    gammas = found.select([f"gamma_{comparison.name}" for comparison in free]).to_numpy().astype(np.int64)
    return gammas, found["n"].to_numpy()


def _prior_matches(free: Sequence[Comparison], known: Counted, smoothing: float, share: float) -> list[Floats]:
    """Matches that EM starts every M-step with: the catalogue's, `smoothing` in all, and the known ones."""
    gammas, counts = known
    matches = []
    for column, comparison in enumerate(free):
        gamma = gammas[:, column]
        seen = gamma >= 0
        counted = np.bincount(gamma[seen], weights=counts[seen], minlength=len(comparison.scored))
        matches.append(smoothing * _priors(comparison) + share * counted)
    return matches


def _learnt_in(con: Connection, told: _Block, plan: TrainingPlan) -> BlockResult | None:
    """What one block teaches; None where it leaves EM no pairs to judge."""
    share = _thinned(con, told.equal, plan)
    report = block(con, [BlockingRule(told.equal)], left=LEFT, right="thinned", pairs="training_pairs")
    _split(con, told.equal)
    gammas, counts = _counted(con, told.free, "judged_pairs")
    if len(counts) == 0:
        return None
    known = _counted(con, told.free, "known_pairs")
    priors = _prior_matches(told.free, known, plan.smoothing, share)
    name = "block " + " + ".join(told.equal)
    result = estimation.run_em(
        gammas, counts, priors, told.u, smoothing=1.0, max_iterations=plan.max_iterations, block=name
    )
    matches = result.expected_matches + share * float(known[1].sum())
    estimated = tuple(comparison.name for comparison in told.free)
    return BlockResult(told.equal, report.pairs, replace(result, expected_matches=matches), estimated)


def _pooled(comparison: Comparison, blocks: Sequence[BlockResult]) -> Floats | None:
    return estimation.pool(
        [
            (found.result.expected_matches, found.result.m[found.estimated.index(comparison.name)])
            for found in blocks
            if comparison.name in found.estimated
        ]
    )


def reestimate(con: Connection, model: Model, card: Mapping[str, object], plan: TrainingPlan) -> Trained:
    """The model with m learnt anew; needs the tables of features and `known`."""
    strangers, blocks = _strangers(card), []
    for equal in plan.blocks:
        free = tuple(comparison for comparison in model.comparisons if not first_column_fixes(comparison, equal))
        u = [_first_u(model, comparison, strangers) for comparison in free]
        blocks.append(_learnt_in(con, _Block(equal, free, u), plan))
    taught = tuple(found for found in blocks if found is not None)
    m_table, kept = {}, []
    for comparison in model.comparisons:
        m = _pooled(comparison, taught)
        if m is None:
            m = _by_gamma(comparison, model.m_probability[comparison.name])
            kept.append(comparison.name)
        m_table[comparison.name] = {level.label: float(m[comparison.gamma(level)]) for level in comparison.scored}
    return Trained(replace(model, m_probability=m_table), taught, tuple(kept))
