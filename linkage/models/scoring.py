"""From candidate pairs to agreement patterns and match weights, in SQL on narrow tables.

Rules
- `pairs` holds integer row ids `l` and `r`; `left` and `right` hold the compared columns under an integer `id`.
- A `gamma_…` column is the level's number as Splink counts: -1 null, 0 else, upwards to the strongest.
- A `mw_…` column is the weight of the level in bits, `mw_tf_…` the part of the term frequency in it.
- Weights are added in log2, since products of twenty factors lose digits.
"""

from __future__ import annotations

from collections.abc import Sequence

from linkage.compare.comparisons import Comparison
from linkage.models.model import Model

TERM_FREQUENCY = "tf_{column}"


def gamma_sql(comparison: Comparison) -> str:
    """The CASE expression that names the level of a pair."""
    conditions = [
        f"when {level.sql} then {comparison.gamma(level)}" for level in comparison.levels if level.sql is not None
    ]
    return f"case {' '.join(conditions)} else 0 end::tinyint"


def columns(comparisons: Sequence[Comparison]) -> list[str]:
    """Every column that the comparisons read, each once, in order."""
    return list(dict.fromkeys(column for comparison in comparisons for column in comparison.columns))


def _side(comparisons: Sequence[Comparison], extra: Sequence[str], side: str) -> str:
    return ", ".join(f"{side}.{column} as {column}_{side}" for column in [*columns(comparisons), *extra])


def patterns_sql(comparisons: Sequence[Comparison], pairs: str, left: str, right: str) -> str:
    """Agreement patterns of `pairs` with their number of pairs `n`: EM needs no more than these."""
    gammas = ", ".join(f"{gamma_sql(comparison)} as gamma_{comparison.name}" for comparison in comparisons)
    names = ", ".join(f"gamma_{comparison.name}" for comparison in comparisons)
    return f"""
        with compared as (
            select {_side(comparisons, [], "l")}, {_side(comparisons, [], "r")}
            from {pairs} as p join {left} as l on l.id = p.l join {right} as r on r.id = p.r),
        gammas as (select {gammas} from compared)
        select {names}, count(*)::double as n from gammas group by all order by all"""


def _weight_case(model: Model, comparison: Comparison) -> str:
    cases = " ".join(
        f"when {comparison.gamma(level)} then {model.weight_bits(comparison, level)!r}" for level in comparison.scored
    )
    return f"(case gamma_{comparison.name} {cases} else 0.0 end)::double"


def _frequency_case(model: Model, comparison: Comparison) -> str | None:
    cases = []
    for level in comparison.scored:
        if level.term_frequency is not None:
            tf = f"coalesce(tf_{level.term_frequency}_l, tf_{level.term_frequency}_r)"
            u = model.u(comparison, level)
            cases.append(
                f"when gamma_{comparison.name} = {comparison.gamma(level)} then coalesce(log2({u!r} / {tf}), 0.0)"
            )
    return f"(case {' '.join(cases)} else 0.0 end)::double" if cases else None


def term_frequency_columns(comparisons: Sequence[Comparison]) -> list[str]:
    """The columns whose values weigh by their frequency in the register."""
    found = [level.term_frequency for comparison in comparisons for level in comparison.scored if level.term_frequency]
    return list(dict.fromkeys(found))


def weights_sql(model: Model, pairs: str, left: str, right: str) -> str:
    """One narrow row a pair: `l`, `r`, gammas, `mw_tf_…`, and `evidence_bits`, the sum of all weights (no prior).

    The weight of each comparison follows from its gamma (`weight_columns_sql`), so it is not stored for every pair.
    """
    comparisons = model.comparisons
    tf = [f"tf_{column}" for column in term_frequency_columns(comparisons)]
    gammas = ", ".join(f"{gamma_sql(comparison)} as gamma_{comparison.name}" for comparison in comparisons)
    kept = "".join(f", {column}_l, {column}_r" for column in tf)
    frequencies = {comparison.name: _frequency_case(model, comparison) for comparison in comparisons}
    adjusted = [f"{sql} as mw_tf_{name}" for name, sql in frequencies.items() if sql]
    parts = [_weight_case(model, comparison) for comparison in comparisons]
    parts += [f"mw_tf_{name}" for name, sql in frequencies.items() if sql]
    gamma_names = [f"gamma_{comparison.name}" for comparison in comparisons]
    return f"""
        with compared as (
            select p.l, p.r, {_side(comparisons, tf, "l")}, {_side(comparisons, tf, "r")}
            from {pairs} as p join {left} as l on l.id = p.l join {right} as r on r.id = p.r),
        gammas as (select l, r, {gammas}{kept} from compared),
        adjusted as (select {", ".join(["l", "r", *gamma_names, *adjusted])} from gammas)
        select *, {" + ".join(parts)} as evidence_bits from adjusted"""


def weight_columns_sql(model: Model) -> list[str]:
    """`mw_…` of each comparison from its gamma, in bits."""
    return [f"{_weight_case(model, comparison)} as mw_{comparison.name}" for comparison in model.comparisons]
