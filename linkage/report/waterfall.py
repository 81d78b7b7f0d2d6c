"""Real pairs told as a waterfall: from the starting odds, step by step, to the total weight.

Rules
- Three examples: a *sure* link, a *doubtful* pair, a *refused* one; each the middle or nearest of its kind, so that
  the page shows the usual and not the freak.
- Steps are the `bf_…` columns of `candidates.parquet` in bits; what they leave to the total is shown as evidence
  beyond the pair, never hidden. With `evidence_bits` (their sum) the start is what the scorer itself started from.
- Every value shown passes through the masks given.

>>> steps = waterfall_steps({"bf_name": 9.0, "gamma_name": 2, "match_weight": 4.0}, prior=-8.0, labels={})
>>> [(step.name, step.bits) for step in steps]
[('prior', -8.0), ('name', 9.0), ('beyond_the_pair', 3.0)]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from linkage.report.masking import mask_name, mask_nothing, mask_number, mask_year
from linkage.report.model_levels import ComparisonLevels, comparisons_of, prior_bits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linkage.report.masking import Mask
    from linkage.report.run_folder import RunFolder

PRIOR, BEYOND = "prior", "beyond_the_pair"
WEIGHT_PREFIXES = ("bf_", "mw_")
"""Columns of weights in bits: the contract's name and the scorer's."""
SETTLED_BITS = 0.01
"""Smaller remainders are rounding."""
_FACTS: dict[str, Mask] = {
    "name": mask_name,
    "birth_year": mask_year,
    "sex": mask_nothing,
    "id12": mask_number,
    "id9": mask_number,
    "commune_code": mask_nothing,
    "hamlet": mask_name,
    "spouse_name": mask_name,
    "lines": mask_nothing,
}


@dataclass(frozen=True)
class Step:
    """One bar: a comparison (or the prior, or evidence beyond the pair), its level in words, its bits."""

    name: str
    label: str
    bits: float


@dataclass(frozen=True)
class Example:
    """A pair with its steps; `facts` are the owner's fields, masked unless asked otherwise."""

    kind: str
    decision: str
    reason: str
    match_weight: float
    match_probability: float | None
    citizen_id: str
    facts: dict[str, str]
    steps: list[Step]


def examples(run: RunFolder, *, with_names: bool) -> list[Example]:
    """Pick and explain up to three pairs; none where the run keeps no candidates."""
    if run.candidates is None or not {"person_id", "citizen_id", "match_weight"} <= set(run.links.columns):
        return []
    chosen = _choose(run.links)
    return [e for kind, row in chosen.items() if (e := _example(run, kind, row, with_names=with_names)) is not None]


def waterfall_steps(
    candidate: Mapping[str, Any], *, prior: float | None, labels: Mapping[tuple[str, int], str]
) -> list[Step]:
    """Turn one row of candidates into bars; a term-frequency part joins its comparison's bar."""
    if candidate.get("evidence_bits") is not None:
        prior = candidate["match_weight"] - candidate["evidence_bits"]
    steps = [] if prior is None else [Step(PRIOR, "", prior)]
    for column in candidate:
        prefix, name = column[:3], column[3:]
        if prefix not in WEIGHT_PREFIXES or name.startswith("tf_"):
            continue
        bits = (candidate[column] or 0.0) + (candidate.get(f"{prefix}tf_{name}") or 0.0)
        steps.append(Step(name, labels.get((name, candidate.get(f"gamma_{name}", -1)), ""), bits))
    beyond = (candidate["match_weight"] or 0.0) - sum(step.bits for step in steps)
    return [*steps, Step(BEYOND, "", beyond)] if abs(beyond) > SETTLED_BITS else steps


def _choose(links: pl.DataFrame) -> dict[str, dict[str, Any]]:
    paired = links.filter(pl.col("citizen_id").is_not_null() & pl.col("match_weight").is_finite())
    order = ["distance", "person_id", "citizen_id"]
    kinds = {
        "sure": (pl.col("decision") == "link", (pl.col("match_weight") - pl.col("match_weight").median()).abs()),
        "doubtful": (pl.col("decision").is_in(["ask", "review"]), (pl.col("match_probability") - 0.5).abs()),
        "refused": (pl.col("decision") == "no_match", (pl.col("match_weight") - pl.col("match_weight").median()).abs()),
    }
    rows = {
        kind: paired.filter(which).with_columns(distance=distance).sort(order).head(1)
        for kind, (which, distance) in kinds.items()
    }
    return {kind: row.row(0, named=True) for kind, row in rows.items() if row.height}


def _example(run: RunFolder, kind: str, link: Mapping[str, Any], *, with_names: bool) -> Example | None:
    candidate = _row(run.candidates, person_id=link["person_id"], citizen_id=link["citizen_id"])
    if candidate is None:
        return None
    mask = mask_nothing if with_names else mask_number
    return Example(
        kind=kind,
        decision=link["decision"],
        reason=link.get("reason") or "",
        match_weight=candidate["match_weight"],
        match_probability=link.get("match_probability"),
        citizen_id=mask(link["citizen_id"]),
        facts=_facts(run, link["person_id"], with_names=with_names),
        steps=waterfall_steps(
            candidate, prior=prior_bits(run.splink), labels=_labels(comparisons_of(run.splink, run.card))
        ),
    )


def _facts(run: RunFolder, person_id: str, *, with_names: bool) -> dict[str, str]:
    person = _row(run.persons, person_id=person_id) or {}
    masks = dict.fromkeys(_FACTS, mask_nothing) if with_names else _FACTS
    return {name: mask(person[name]) for name, mask in masks.items() if person.get(name) is not None}


def _row(frame: pl.LazyFrame | None, **key: str) -> dict[str, Any] | None:
    if frame is None:
        return None
    found = frame.filter(*(pl.col(name) == value for name, value in key.items())).head(1).collect()
    return found.row(0, named=True) if found.height else None


def _labels(comparisons: Sequence[ComparisonLevels]) -> dict[tuple[str, int], str]:
    return {(each.name, level.gamma): level.label for each in comparisons for level in each.levels}
