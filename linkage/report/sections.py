"""From a run's tables to what each section of the page shows: one pure function a section.

Rules
- A section without its data is None; the page then says which file or key was missing.
- Nothing leaves here unmasked unless asked: free text of the run goes through `mask_text`, values through their mask.
- Order is by count, then by name, so that equal runs give equal pages.

>>> counts(pl.Series(["b", "a", "b", None]))
[('b', 2), ('a', 1)]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from linkage.report import charts, words
from linkage.report.circle import Circle, circle_of
from linkage.report.masking import mask_nothing, mask_text
from linkage.report.model_levels import ComparisonLevels, comparisons_of
from linkage.report.waterfall import Example, examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linkage.report.masking import Mask
    from linkage.report.metrics import Evaluation, Scores, Subgroup
    from linkage.report.run_folder import RunFolder

Counts = list[tuple[str, int]]
LINE_BUCKETS = ("1", "2", "3–5", "6–10", "11–30", "31+")
COMMUNES_SHOWN = 12
REASONS_SHOWN = 40
WEIGHT_BINS = 48


@dataclass(frozen=True)
class DecisionShare:
    """One decision on the first screen; `share` is of all named persons."""

    code: str
    rows: int
    persons: int | None
    share: float
    colour: str


@dataclass(frozen=True)
class Told:
    """A waterfall with its picture."""

    example: Example
    svg: str


@dataclass(frozen=True)
class Judged:
    """An evaluation with its pictures; communes cut to the largest."""

    evaluation: Evaluation
    main: Scores
    curve_svg: str
    reliability_svg: str
    subgroups: dict[str, list[Subgroup]]
    communes_left_out: int


@dataclass(frozen=True)
class Gathering:
    """Quy chủ: how many lines a person holds, why lines were joined, which marks were set."""

    persons: int
    lines: int
    svg: str
    reasons: Counts
    conflicts: Counts


@dataclass(frozen=True)
class Page:
    """Everything the template prints."""

    name: str
    with_names: bool
    decisions: list[DecisionShare]
    named: int
    by_role: list[tuple[str, dict[str, int]]]
    reasons: list[tuple[str, str, int]]
    weights_svg: str | None
    told: list[Told]
    judged: Judged | None
    circle: Circle | None
    comparisons: list[ComparisonLevels]
    gathering: Gathering | None
    rejected: Counts | None
    manifest: dict[str, Any]
    card: dict[str, Any]


def page_of(run: RunFolder, evaluation: Evaluation | None, *, with_names: bool) -> Page:
    """Gather all sections."""
    mask: Mask = mask_nothing if with_names else mask_text
    decided = decisions(run.links)
    return Page(
        name=run.name,
        with_names=with_names,
        decisions=decided,
        named=run.links.height,
        by_role=by_role(run.links),
        reasons=reasons(run.links, mask),
        weights_svg=weights_chart(run.links),
        told=told(examples(run, with_names=with_names)),
        judged=judged(evaluation),
        circle=circle_of(run.manifest, run.comparison),
        comparisons=comparisons_of(run.splink, run.card),
        gathering=gathering(run.persons, mask),
        rejected=rejected(run.rejected, mask),
        manifest=run.manifest,
        card=run.card,
    )


def counts(values: pl.Series) -> Counts:
    """Count values, the commonest first; nulls are left out."""
    named = values.alias("value").cast(pl.String).drop_nulls().to_frame()
    return list(named.group_by("value").len().sort(["len", "value"], descending=[True, False]).iter_rows())


def decisions(links: pl.DataFrame) -> list[DecisionShare]:
    """Count each decision, the known ones in their fixed order."""
    if "decision" not in links.columns:
        return []
    persons = pl.col("person_id").n_unique() if "person_id" in links.columns else pl.lit(None, dtype=pl.Int64)
    found = {
        row["decision"] or "?": row
        for row in links.group_by("decision").agg(rows=pl.len(), persons=persons).iter_rows(named=True)
    }
    order = [*words.DECISIONS, *sorted(set(found) - set(words.DECISIONS))]
    return [
        DecisionShare(
            code=code,
            rows=found[code]["rows"],
            persons=found[code]["persons"],
            share=found[code]["rows"] / links.height,
            colour=charts.DECISION_COLOURS.get(code, charts.SOFT),
        )
        for code in order
        if code in found
    ]


def by_role(links: pl.DataFrame) -> list[tuple[str, dict[str, int]]]:
    """Count decisions for owners and for co-owners."""
    if not {"role", "decision"} <= set(links.columns):
        return []
    scope = pl.when(pl.col("role") == "owner").then(pl.lit("owner")).otherwise(pl.lit("co_owner"))
    table = links.group_by(scope.alias("scope"), "decision").len()
    return [
        (name, dict(table.filter(scope=name).select("decision", "len").iter_rows()))
        for name in ("owner", "co_owner")
        if name in table["scope"]
    ]


def reasons(links: pl.DataFrame, mask: Mask) -> list[tuple[str, str, int]]:
    """Count (decision, reason), the commonest first within the order of decisions."""
    if not {"reason", "decision"} <= set(links.columns):
        return []
    place = {code: at for at, code in enumerate(words.DECISIONS)}
    table = links.group_by("decision", "reason").len().iter_rows()
    rows = sorted(table, key=lambda row: (place.get(row[0], 9), -row[2], row[1] or ""))
    return [(decision or "?", mask(reason), count) for decision, reason, count in rows][:REASONS_SHOWN]


def weights_chart(links: pl.DataFrame) -> str | None:
    """Draw the weights of best candidates by decision."""
    if not {"match_weight", "decision"} <= set(links.columns):
        return None
    known = links.filter(pl.col("match_weight").is_finite())
    if known.is_empty():
        return None
    edges = np.histogram_bin_edges(known["match_weight"].clip(-40, 80).to_numpy(), bins=WEIGHT_BINS)
    shown = [d.code for d in decisions(known)]
    weights = {
        code: np.histogram(known.filter(decision=code)["match_weight"].clip(-40, 80).to_numpy(), edges)[0].tolist()
        for code in shown
    }
    title = "Phân bố trọng số khớp theo quyết định · Match weights by decision"
    return charts.weight_histogram("weights", title, weights, edges.tolist())


def told(chosen: list[Example]) -> list[Told]:
    """Draw each example."""
    return [
        Told(each, charts.waterfall(f"waterfall-{each.kind}", _title(each), each.steps, words.STEPS)) for each in chosen
    ]


def _title(example: Example) -> str:
    return " · ".join(words.EXAMPLES[example.kind])


def judged(evaluation: Evaluation | None) -> Judged | None:
    """Draw the threshold curve and the reliability diagram; cut the communes to the largest."""
    if evaluation is None or not evaluation.scopes:
        return None
    main = evaluation.scopes.get("owner") or next(iter(evaluation.scopes.values()))
    split: dict[str, list[Subgroup]] = {}
    for group in evaluation.subgroups:
        split.setdefault(group.by, []).append(group)
    communes = sorted(split.get("commune", []), key=lambda group: (-group.rows, group.value))
    if communes:
        split["commune"] = communes[:COMMUNES_SHOWN]
    return Judged(
        evaluation=evaluation,
        main=main,
        curve_svg=charts.threshold_curve(
            "curve", "Độ chính xác theo độ phủ · Precision against recall", main.curve, main.operating_points
        ),
        reliability_svg=charts.reliability(
            "reliability", "Xác suất dự báo và tỷ lệ đúng · Predicted and observed", main.calibration
        ),
        subgroups=split,
        communes_left_out=max(0, len(communes) - COMMUNES_SHOWN),
    )


def gathering(persons: pl.LazyFrame | None, mask: Mask) -> Gathering | None:
    """Describe the gathered persons."""
    if persons is None or "lines" not in persons.collect_schema().names():
        return None
    names = persons.collect_schema().names()
    lines = persons.select(pl.col("lines").cast(pl.Int64).fill_null(0)).collect()["lines"]
    sizes = _line_buckets(lines)
    title = "Số dòng sổ địa chính của mỗi người · Register lines per person"
    return Gathering(
        persons=lines.len(),
        lines=int(lines.sum()),
        svg=charts.histogram("lines", title, sizes, x="số dòng · lines", y="số người · persons"),
        reasons=_merge_reasons(persons, mask) if "members" in names else [],
        conflicts=_masked_counts(persons.select("conflict").collect()["conflict"], mask) if "conflict" in names else [],
    )


def rejected(table: pl.DataFrame | None, mask: Mask) -> Counts | None:
    """Count refused rows by the code of their reason; values are never shown."""
    if table is None or "reason" not in table.columns:
        return None
    return _masked_counts(table["reason"].cast(pl.String).str.split(":").list.first(), mask)


def nested(mapping: Mapping[str, Any], key: str) -> Any:
    """Look a key of the manifest up; None where it is missing or empty."""
    return mapping.get(key) or None


def _line_buckets(lines: pl.Series) -> dict[str, int]:
    edges = [1, 2, 3, 6, 11, 31]
    place = np.searchsorted(np.asarray(edges), lines.to_numpy(), side="right") - 1
    found = np.bincount(np.clip(place, 0, len(edges) - 1), minlength=len(edges))
    return dict(zip(LINE_BUCKETS, found.tolist(), strict=True))


def _merge_reasons(persons: pl.LazyFrame, mask: Mask) -> Counts:
    members = persons.filter(pl.col("lines") > 1).select(pl.col("members").explode().struct.field("reason")).collect()
    return _masked_counts(members["reason"], mask)


def _masked_counts(values: pl.Series, mask: Mask) -> Counts:
    """Mask first, then count again: two values that differ only in what was masked are one."""
    total: dict[str, int] = {}
    for value, count in counts(values):
        total[mask(value)] = total.get(mask(value), 0) + count
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))[:REASONS_SHOWN]
