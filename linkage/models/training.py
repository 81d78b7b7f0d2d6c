"""Train: features of both sides → a `Model`.

Rules
- u first (counted or sampled over random pairs), then m by EM in each training block, then the pooled model.
- A training block fixes the comparison whose first column it holds; that comparison is not estimated there. A caller
  with another rule gives `fixes`.
- With `dedupe`, both sides are one table: no record is paired with itself, and each pair counts once.
- Blocks are thinned by persons, not by pairs, so that a person's candidates stay together.
- A comparison that no block could teach (a small file, a missing column) keeps the catalogue's guess of m, and the
  card says so (`guessed`).
- Nothing here looks at truth; the same seed and tables give the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.blocking.rules import BlockingRule, block, pair_counts_sql
from linkage.compare.comparisons import Comparison
from linkage.engines.duckdb import Connection, fetch, load
from linkage.errors import ModelError
from linkage.models import estimation
from linkage.models.model import Model
from linkage.models.scoring import patterns_sql


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: blocks of equal columns, sizes in pairs, smoothing in matches."""

    blocks: tuple[tuple[str, ...], ...]
    seed: int = 1
    u_pairs: int = 2_000_000
    block_pairs: int = 1_000_000
    smoothing: float = 20.0
    max_iterations: int = 2000


@dataclass(frozen=True)
class BlockResult:
    """One training block and what EM found in it."""

    block: tuple[str, ...]
    pairs: int
    result: estimation.EmResult
    estimated: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """The model and how it came about."""

    model: Model
    blocks: tuple[BlockResult, ...]
    guessed: tuple[str, ...] = ()


Fixes = Callable[[Comparison, Sequence[str]], bool]
"""Does a block of these columns fix this comparison, so that it can tell nothing about it?"""


def first_column_fixes(comparison: Comparison, block_columns: Sequence[str]) -> bool:
    """The block holds the first column of the comparison."""
    return comparison.columns[0] in block_columns


@dataclass(frozen=True)
class _Sides:
    """The two tables of compared columns; with `dedupe`, they are one."""

    left: str
    right: str
    dedupe: bool


def _count(con: Connection, sql: str) -> float:
    row = con.execute(sql).fetchone()
    return float(row[0] or 0) if row else 0.0


def _sample_pairs(con: Connection, sides: _Sides, pairs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = {}
    for name, table in (("l", sides.left), ("r", sides.right)):
        ids = fetch(con, f"select id from {table} order by id")["id"].to_numpy()
        if len(ids) == 0:
            message = f"training: expected rows on both sides, found none in '{table}'; give it data."
            raise ModelError(message)
        ends[name] = ids[rng.integers(0, len(ids), pairs)]
    sampled = pl.DataFrame(ends)
    load(con, "sampled_pairs", sampled.filter(pl.col("l") != pl.col("r")) if sides.dedupe else sampled)


def _counts(patterns: pl.DataFrame, comparison: Comparison) -> np.ndarray:
    gamma = patterns[f"gamma_{comparison.name}"].to_numpy()
    seen = gamma >= 0
    weights = patterns["n"].to_numpy()[seen]
    return np.asarray(np.bincount(gamma[seen], weights=weights, minlength=len(comparison.scored)))


def exact_agreement(con: Connection, left: str, right: str, columns: Sequence[str], *, dedupe: bool = False) -> float:
    """The share of all pairs with both values present that agree on `columns`."""
    agreeing = _count(con, f"select sum(pairs) from ({pair_counts_sql(columns, left, right, dedupe=dedupe)})")
    present = " and ".join(f"{column} is not null" for column in columns)
    sizes = [_count(con, f"select count(*) from {table} where {present}") for table in (left, right)]
    return agreeing / max(sizes[0] * (sizes[0] - 1) / 2 if dedupe else sizes[0] * sizes[1], 1.0)


def _estimate_u(
    con: Connection, comparisons: Sequence[Comparison], sides: _Sides, plan: TrainingPlan
) -> dict[str, np.ndarray]:
    _sample_pairs(con, sides, plan.u_pairs, plan.seed)
    patterns = fetch(con, patterns_sql(comparisons, "sampled_pairs", sides.left, sides.right))
    records = max(_count(con, f"select count(*) from {sides.left}"), 1.0)
    estimates = {}
    for comparison in comparisons:
        counts = _counts(patterns, comparison)
        floors = np.zeros(len(comparison.scored))
        exact = {}
        for level in comparison.scored:
            gamma = comparison.gamma(level)
            floors[gamma] = level.u_prior / records if level.u_prior else 0.5 / max(counts.sum(), 1.0)
            if level.equal:
                exact[gamma] = exact_agreement(con, sides.left, sides.right, level.equal, dedupe=sides.dedupe)
        estimates[comparison.name] = estimation.u_from_counts(counts, exact, floors)
    con.execute("drop table sampled_pairs")
    return estimates


def _priors(comparison: Comparison) -> np.ndarray:
    priors = np.zeros(len(comparison.scored))
    for level in comparison.scored:
        priors[comparison.gamma(level)] = level.m_prior
    return np.asarray(priors / priors.sum())


def _thinned(con: Connection, rule: BlockingRule, sides: _Sides, plan: TrainingPlan) -> str:
    """A view of `right` thinned by person until the block has about `block_pairs` pairs."""
    blocks = pair_counts_sql(rule.equal, sides.left, sides.right, dedupe=sides.dedupe)
    pairs = _count(con, f"select sum(pairs) from ({blocks})")
    share = min(1.0, plan.block_pairs / max(pairs, 1.0))
    con.execute(
        f"create or replace temp view thinned as select * from {sides.right} "
        f"where hash(id, {plan.seed}) % 1000000 < {share * 1e6:.0f}"
    )
    return "thinned"


def _train_block(
    con: Connection,
    equal: tuple[str, ...],
    free: Sequence[Comparison],
    u: dict[str, np.ndarray],
    sides: _Sides,
    plan: TrainingPlan,
) -> BlockResult | None:
    rule = BlockingRule(equal)
    thinned = _thinned(con, rule, sides, plan)
    report = block(con, [rule], left=sides.left, right=thinned, pairs="training_pairs", dedupe=sides.dedupe)
    if report.pairs == 0:
        return None
    patterns = fetch(con, patterns_sql(free, "training_pairs", sides.left, sides.right))
    gammas = patterns.select([f"gamma_{comparison.name}" for comparison in free]).to_numpy().astype(np.int64)
    result = estimation.run_em(
        gammas,
        patterns["n"].to_numpy(),
        [_priors(comparison) for comparison in free],
        [u[comparison.name] for comparison in free],
        smoothing=plan.smoothing,
        max_iterations=plan.max_iterations,
        block="block " + rule.name,
    )
    return BlockResult(equal, report.pairs, result, tuple(comparison.name for comparison in free))


def _pooled_m(comparison: Comparison, blocks: Sequence[BlockResult]) -> np.ndarray | None:
    """M over all blocks that leave the comparison free; None where none had pairs."""
    return estimation.pool(
        [
            (found.result.expected_matches, found.result.m[found.estimated.index(comparison.name)])
            for found in blocks
            if comparison.name in found.estimated
        ]
    )


def _u_of_blocks(comparison: Comparison, u: np.ndarray, blocks: Sequence[BlockResult]) -> np.ndarray:
    """Equality of an identifier among strangers: the share of its own block that is no match."""
    corrected = u.copy()
    for level in comparison.scored:
        for found in blocks:
            if level.equal and found.block == level.equal:
                stranger = max(1.0 - found.result.share_of_matches, 1e-3)
                corrected[comparison.gamma(level)] = u[comparison.gamma(level)] * stranger
    return corrected


def train(
    con: Connection,
    comparisons: Sequence[Comparison],
    plan: TrainingPlan,
    *,
    left: str,
    right: str,
    dedupe: bool = False,
    fixes: Fixes = first_column_fixes,
) -> Trained:
    """A model from two tables of compared columns; `ModelError` where the data cannot teach it.

    With `dedupe`, `left` and `right` are one table.
    """
    sides = _Sides(left, right, dedupe)
    u = _estimate_u(con, comparisons, sides, plan)
    results = []
    for equal in plan.blocks:
        free = [comparison for comparison in comparisons if not fixes(comparison, equal)]
        results.append(_train_block(con, equal, free, u, sides, plan))
    blocks = tuple(found for found in results if found is not None)
    m_table, u_table, guessed = {}, {}, []
    for comparison in comparisons:
        m = _pooled_m(comparison, blocks)
        if m is None:
            m = _priors(comparison)
            guessed.append(comparison.name)
        own_u = _u_of_blocks(comparison, u[comparison.name], blocks)
        m_table[comparison.name] = {level.label: float(m[comparison.gamma(level)]) for level in comparison.scored}
        u_table[comparison.name] = {level.label: float(own_u[comparison.gamma(level)]) for level in comparison.scored}
    records = max(_count(con, f"select count(*) from {left}"), 1.0)
    return Trained(Model(tuple(comparisons), m_table, u_table, 1.0 / records), blocks, tuple(guessed))
