"""How good a run is where the truth is known.

Rules
- Precision, recall and F1 are those of decision `link`; see `judge` for what is right, wrong and missed.
- Owners and co-owners are judged apart and together: a co-owner is written with less and is missed more.
- Every share carries a 95 % interval from a bootstrap over true persons; see `intervals`.
- By lines, each named person on a line counts; by persons, all lines that say the same count once.
- Quy chủ (gathering the lines of one owner) is judged over pairs of lines; see `clusters`.
- A subgroup of fewer than `SMALL_GROUP` true persons is marked: its figures are hardly more than an anecdote.

>>> links = pl.DataFrame(
...     {
...         "owner_record_id": ["a", "b"],
...         "role": ["owner", "owner"],
...         "citizen_id": ["1", "9"],
...         "decision": ["link", "link"],
...     }
... )
>>> truth = pl.DataFrame(
...     {
...         "owner_record_id": ["a", "b", "c"],
...         "role": ["owner"] * 3,
...         "kind": ["person"] * 3,
...         "person": ["p", "q", "r"],
...         "citizen_id": ["1", "2", "3"],
...     }
... )
>>> owners = evaluate(links, truth, seed=1).scopes["owner"]
>>> owners.precision.value, round(owners.recall.value, 2), owners.wrong["wrong_citizen"], owners.missed
(0.5, 0.33, 1, 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
from pydantic import TypeAdapter

from linkage.errors import MissingColumnError, UnreadableFileError
from linkage.report.clusters import ClusterScores, cluster_scores
from linkage.report.curve import (
    Calibration,
    CurvePoint,
    OperatingPoint,
    calibration,
    operating_points,
    ranked_candidates,
    statements,
    thinned,
    threshold_curve,
)
from linkage.report.intervals import PERSONS, Rate, Ratio, clustered_rates, kinds_of_persons
from linkage.report.judge import CO_OWNER, OWNER, WRONG_KINDS, judge

if TYPE_CHECKING:
    from pathlib import Path

SMALL_GROUP = 100
"""True persons below which a subgroup is marked as small."""
ALL = "all"

_LINE_RATIOS = {
    "precision": Ratio("right", ("linked",)),
    "recall": Ratio("right", ("known",)),
    "f1": Ratio("right", ("linked", "known"), factor=2),
}
_PERSON_RATIOS = {
    "person_precision": Ratio("person_right", ("person_linked",)),
    "person_recall": Ratio("person_right", ("person_known",)),
}


@dataclass(frozen=True)
class Scores:
    """The decisions of one scope; `missed` counts persons of the register on lines without the right link."""

    rows: int
    persons: int
    linked: int
    right: int
    known: int
    missed: int
    wrong: dict[str, int]
    precision: Rate
    recall: Rate
    f1: Rate
    person_precision: Rate
    person_recall: Rate
    operating_points: list[OperatingPoint]
    person_operating_points: list[OperatingPoint]
    curve: list[CurvePoint]
    calibration: Calibration


@dataclass(frozen=True)
class DecisionRow:
    """What became of one decision: how many rows, how many have the right citizen as best candidate."""

    decision: str
    rows: int
    known: int
    candidate_right: int


@dataclass(frozen=True)
class Subgroup:
    """Scores of one part of the rows; `small` where it holds fewer than `SMALL_GROUP` true persons."""

    by: str
    value: str
    rows: int
    persons: int
    small: bool
    precision: Rate
    recall: Rate
    f1: Rate


@dataclass(frozen=True)
class Evaluation:
    """All that can be said about a run whose truth is known; goes to JSON and back without loss."""

    seed: int
    bootstraps: int
    links_rows: int
    truth_rows: int
    absent_rows: int
    scopes: dict[str, Scores]
    decisions: list[DecisionRow]
    gathering: ClusterScores | None
    subgroups: list[Subgroup]

    def to_json(self) -> str:
        """Return the JSON text."""
        return _EVALUATION.dump_json(self, indent=2).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Evaluation:
        """Return what `to_json` wrote."""
        return _EVALUATION.validate_json(text)


@dataclass(frozen=True)
class PairScores:
    """Proposed pairs of two tables (or of one) against the true pairs."""

    linked: int
    right: int
    known: int
    precision: Rate
    recall: Rate
    f1: Rate
    best_f1: float | None
    best_f1_probability: float | None
    operating_points: list[OperatingPoint]
    curve: list[CurvePoint]
    calibration: Calibration

    def to_json(self) -> str:
        """Return the JSON text."""
        return TypeAdapter(PairScores).dump_json(self, indent=2).decode()


_EVALUATION = TypeAdapter(Evaluation)


def evaluate(links: pl.DataFrame, truth: pl.DataFrame, *, seed: int = 1, bootstraps: int = 200) -> Evaluation:
    """Judge a land-register run (`links.parquet` against `truth.parquet`)."""
    judged = judge(links, truth)
    scopes = {OWNER: judged.filter(scope=OWNER), CO_OWNER: judged.filter(scope=CO_OWNER), ALL: judged}
    return Evaluation(
        seed=seed,
        bootstraps=bootstraps,
        links_rows=links.height,
        truth_rows=truth.height,
        absent_rows=judged.filter(pl.col("decision").is_null()).height,
        scopes={name: _scores(part, seed, bootstraps) for name, part in scopes.items() if part.height},
        decisions=_decisions(judged),
        gathering=_gathering(judged),
        subgroups=_subgroups(judged, seed, bootstraps),
    )


def evaluate_files(links: Path, truth: Path, *, seed: int = 1, bootstraps: int = 200) -> Evaluation:
    """`evaluate` on files (Parquet or CSV); `InputError` names the file that cannot be used."""
    return evaluate(_read(links), _read(truth), seed=seed, bootstraps=bootstraps)


def evaluate_pairs(
    pairs: pl.DataFrame, truth: pl.DataFrame, *, seed: int = 1, bootstraps: int = 200, undirected: bool = False
) -> PairScores:
    """Judge `unique_id_l, unique_id_r` (with `decision`, `match_probability`, `match_weight`) against true pairs.

    Without a column `decision` every pair counts as linked. `undirected` is for one table: (a, b) equals (b, a).
    Intervals resample the left-hand records.
    """
    true = _pair_keys(truth, "truth", undirected=undirected).with_columns(known=pl.lit(value=True))
    found = _pair_keys(pairs, "pairs", undirected=undirected)
    both = found.join(true, on=["unique_id_l", "unique_id_r"], how="full", coalesce=True).with_columns(
        known=pl.col("known").fill_null(value=False), linked=pl.col("linked").fill_null(value=False)
    )
    both = both.with_columns(right=pl.col("linked") & pl.col("known"), candidate_right=pl.col("known"))
    counts = both.group_by("unique_id_l").agg(pl.col("linked", "right", "known").cast(pl.Int64).sum())
    kinds = kinds_of_persons(counts.drop("unique_id_l"))
    rates = clustered_rates(kinds, _LINE_RATIOS, seed=seed, bootstraps=bootstraps)
    ranked = both.filter(pl.col("match_probability").is_finite())
    curve = threshold_curve(ranked, true.height).with_columns(
        f1=2 * pl.col("hits") / (pl.col("taken") + max(true.height, 1))
    )
    best = curve.sort("f1", descending=True).head(1)
    return PairScores(
        linked=rates["precision"].of,
        right=rates["precision"].hits,
        known=true.height,
        precision=rates["precision"],
        recall=rates["recall"],
        f1=rates["f1"],
        best_f1=best["f1"].item() if best.height else None,
        best_f1_probability=best["match_probability"].item() if best.height else None,
        operating_points=operating_points(curve.drop("f1")),
        curve=thinned(curve.drop("f1")),
        calibration=calibration(ranked),
    )


def evaluate_clusters(cluster_ids: pl.DataFrame, truth_clusters: pl.DataFrame) -> ClusterScores:
    """Judge groups: both frames hold `unique_id` and a group (`cluster_id` or the only other column).

    A record without a found group is a group of its own; a record without a true one is left out.
    """
    found = _grouped(cluster_ids, "cluster_ids", "found")
    true = _grouped(truth_clusters, "truth_clusters", "true").drop_nulls("true")
    joined = true.join(found, on="unique_id", how="left")
    alone = pl.lit("alone\x1f") + pl.col("unique_id")
    return cluster_scores(joined.select("true", found=pl.coalesce(pl.lit("in\x1f") + pl.col("found"), alone)))


def summary_lines(evaluation: Evaluation) -> list[str]:
    """Write the figures for a terminal, a line each."""
    lines = [line for name, scores in evaluation.scopes.items() for line in _scope_lines(name, scores)]
    gathering = evaluation.gathering
    if gathering:
        lines.append(
            f"gathering  precision {_percent(gathering.precision)}  recall {_percent(gathering.recall)}"
            f"  over {gathering.true_pairs:,} pairs of lines of one person"
        )
    return lines


def _scope_lines(name: str, scores: Scores) -> list[str]:
    wrong = ", ".join(f"{kind} {count:,}" for kind, count in scores.wrong.items() if count) or "none"
    point = next((p for p in scores.operating_points if p.wanted_precision == 0.999), None)
    reach = _percent(point.missed) if point else "–"
    return [
        f"{name:<9}  precision {_interval(scores.precision)}  recall {_interval(scores.recall)}",
        f"{'':<9}  F1 {_interval(scores.f1)}  missed at the best threshold with precision 0.999: {reach}",
        f"{'':<9}  linked {scores.linked:,}, right {scores.right:,}, missed {scores.missed:,} of {scores.known:,}",
        f"{'':<9}  wrong: {wrong}",
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.3%}"


def _interval(rate: Rate) -> str:
    if rate.value is None:
        return "–"
    return f"{_percent(rate.value)} [{_percent(rate.low)}, {_percent(rate.high)}]"


def _scores(judged: pl.DataFrame, seed: int, bootstraps: int) -> Scores:
    counts = _person_counts(judged)
    kinds = kinds_of_persons(counts.drop("cluster"))
    rates = clustered_rates(kinds, {**_LINE_RATIOS, **_PERSON_RATIOS}, seed=seed, bootstraps=bootstraps)
    ranked, known = ranked_candidates(judged), int(judged["known"].sum())
    curve = threshold_curve(ranked, known)
    person_curve = threshold_curve(statements(ranked), int(counts["person_known"].sum()))
    wrong = dict(judged.drop_nulls("wrong").group_by("wrong").len().iter_rows())
    return Scores(
        rows=judged.height,
        persons=counts.height,
        linked=rates["precision"].of,
        right=rates["precision"].hits,
        known=known,
        missed=known - rates["precision"].hits,
        wrong={kind: wrong.get(kind, 0) for kind in WRONG_KINDS},
        operating_points=operating_points(curve),
        person_operating_points=operating_points(person_curve),
        curve=thinned(curve),
        calibration=calibration(ranked),
        **rates,
    )


def _person_counts(judged: pl.DataFrame) -> pl.DataFrame:
    """One row per true person: lines linked, right, known; distinct citizens said, whether the right one is."""
    lines = judged.group_by("cluster").agg(
        pl.col("linked", "right", "known").cast(pl.Int64).sum(),
        person_right=pl.col("right").any().cast(pl.Int64),
        person_known=pl.col("known").any().cast(pl.Int64),
    )
    said = judged.filter("linked").select("cluster", "citizen").unique()
    said = said.group_by("cluster").agg(pl.len().cast(pl.Int64).alias("person_linked"))
    return lines.join(said, on="cluster", how="left").with_columns(pl.col("person_linked").fill_null(0))


def _decisions(judged: pl.DataFrame) -> list[DecisionRow]:
    rows = (
        judged.filter(pl.col("decision").is_not_null())
        .group_by("decision")
        .agg(rows=pl.len(), known=pl.col("known").sum(), candidate_right=pl.col("candidate_right").sum())
        .sort(["rows", "decision"], descending=[True, False])
    )
    return [DecisionRow(**row) for row in rows.iter_rows(named=True)]


def _gathering(judged: pl.DataFrame) -> ClusterScores | None:
    """Quy chủ over all persons of truth and all invented ones; an organisation only where it was taken for a person."""
    if judged["person_id"].is_null().all():
        return None
    as_person = (
        pl.col("person_id").is_not_null() & (pl.col("decision") != "not_a_person") & pl.col("person").is_not_null()
    )
    taking_part = judged.filter((pl.col("kind") != "organisation").fill_null(value=True) | as_person)
    line = pl.concat_str("owner_record_id", "role", separator="\x1f")
    return cluster_scores(
        taking_part.select(
            found=pl.coalesce(pl.lit("in\x1f") + pl.col("person_id"), pl.lit("alone\x1f") + line),
            true=pl.when(pl.col("kind").is_null())
            .then(pl.lit("invented\x1f") + line)
            .otherwise(pl.lit("true\x1f") + pl.col("cluster").cast(pl.String)),
        )
    )


def _subgroups(judged: pl.DataFrame, seed: int, bootstraps: int) -> list[Subgroup]:
    named = judged.filter(pl.col("decision").is_not_null())
    decade = pl.col("birth_year").cast(pl.Int32) // 10 * 10
    ways = {
        "id_number": pl.when("has_id").then(pl.lit("with")).when(~pl.col("has_id")).then(pl.lit("without")),
        "sex": pl.col("sex"),
        "decade_of_birth": decade.cast(pl.String) + pl.lit("s"),
        "commune": pl.col("commune_code"),
    }
    return [group for by, value in ways.items() for group in _split(named, by, value, seed, bootstraps)]


def _split(judged: pl.DataFrame, by: str, value: pl.Expr, seed: int, bootstraps: int) -> list[Subgroup]:
    counts = (
        judged.with_columns(value=value.fill_null("unknown"))
        .group_by("value", "cluster")
        .agg(pl.col("linked", "right", "known").cast(pl.Int64).sum(), rows=pl.len().cast(pl.Int64))
    )
    kinds = kinds_of_persons(counts.drop("cluster"), by=["value"])
    parts = kinds.partition_by("value", maintain_order=True)
    return [_subgroup(by, part, seed, bootstraps) for part in parts] if set(kinds["value"]) != {"unknown"} else []


def _subgroup(by: str, kinds: pl.DataFrame, seed: int, bootstraps: int) -> Subgroup:
    persons = int(kinds[PERSONS].sum())
    return Subgroup(
        by=by,
        value=kinds["value"][0],
        rows=int((kinds["rows"] * kinds[PERSONS]).sum()),
        persons=persons,
        small=persons < SMALL_GROUP,
        **clustered_rates(kinds, _LINE_RATIOS, seed=seed, bootstraps=bootstraps),
    )


def _pair_keys(pairs: pl.DataFrame, name: str, *, undirected: bool) -> pl.DataFrame:
    for column in ("unique_id_l", "unique_id_r"):
        if column not in pairs.columns:
            raise MissingColumnError(name, column, pairs.columns, section="no mapping exists for this table")
    left, right = (pl.col(column).cast(pl.String) for column in ("unique_id_l", "unique_id_r"))
    first, second = (pl.min_horizontal(left, right), pl.max_horizontal(left, right)) if undirected else (left, right)
    keys = pairs.select(unique_id_l=first, unique_id_r=second)
    if name != "truth":
        keys = keys.with_columns(_pair_facts(pairs))
        keys = keys.sort("linked", "match_probability", descending=True, nulls_last=True)
    return keys.unique(["unique_id_l", "unique_id_r"], keep="first", maintain_order=True)


def _pair_facts(pairs: pl.DataFrame) -> list[pl.Series]:
    nothing = pl.Series(values=[None] * pairs.height, dtype=pl.Float64)
    numbers = [
        (pairs[name].cast(pl.Float64) if name in pairs.columns else nothing).alias(name)
        for name in ("match_probability", "match_weight")
    ]
    decision = pairs["decision"] if "decision" in pairs.columns else pl.Series(values=["link"] * pairs.height)
    return [*numbers, (decision.cast(pl.String) == "link").fill_null(value=False).alias("linked")]


def _grouped(frame: pl.DataFrame, name: str, group: str) -> pl.DataFrame:
    others = [column for column in frame.columns if column != "unique_id"]
    column = "cluster_id" if "cluster_id" in others else (others[0] if len(others) == 1 else None)
    if "unique_id" not in frame.columns or column is None:
        raise MissingColumnError(
            name, "unique_id, cluster_id", frame.columns, section="no mapping exists for this table"
        )
    return frame.select(pl.col("unique_id").cast(pl.String), pl.col(column).cast(pl.String).alias(group)).unique(
        "unique_id", keep="first", maintain_order=True
    )


def _read(file: Path) -> pl.DataFrame:
    if not file.is_file():
        raise UnreadableFileError(str(file), "no such file", "give the path of a Parquet or CSV file")
    try:
        return pl.read_csv(file, infer_schema=False) if file.suffix.lower() == ".csv" else pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFileError(str(file), "not a readable Parquet or CSV file", "write it again") from error
