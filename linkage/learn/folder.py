"""Learning as a step on files: run folder and answers → settled links, labels, and a model beside the old one.

Rules
- The links are always made from those of the machine (kept by the run, and beside as `links.before.parquet`) and all
  answers so far: learning twice gives the same, and `undo` gives back what was before.
- Nothing here opens a truth file. Where somebody has judged the links, `record_quality` writes the figures down.
- The new model is not used by anything: it lies beside the old one until a person takes it (`quychu link --model`).

Worked example: `learn(Path("ket-qua"), pl.read_parquet("ket-qua/answers.parquet"), config=load(None))` writes
links.parquet, links.before.parquet, outcomes.parquet, labels.parquet, model-2.json and model-comparison.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from linkage import results
from linkage.config import Config, load
from linkage.decide.decisions import REASONS
from linkage.errors import InputError, RunFolderError
from linkage.evidence.same_hand import hands
from linkage.learn.labels import labels
from linkage.learn.relink import relink
from linkage.learn.settle import Settled, settle
from linkage.learn.tables import ANSWERS
from linkage.learn.teach import Taught, teach
from linkage.outputs.counts import add_counts, describe, read_manifest
from linkage.outputs.durable import copy_file, sha256_of, write_json, write_parquet
from linkage.report.metrics import ALL, Evaluation
from linkage.sources.mapping import mapping_of
from linkage.sources.reading import original_rows

LINKS, BEFORE, COMPARISON = "links.parquet", "links.before.parquet", "model-comparison.json"
WORKBOOK = "links.xlsx"
_KEYS = Path(".steps") / "read.owner_keys.parquet"
_MACHINE = Path(".steps") / "decide.links.parquet"


@dataclass(frozen=True)
class Learnt:
    """What the answers changed: links, where items ended, labels, counts for `run.json`, and the new model if any."""

    links: pl.DataFrame
    outcomes: pl.DataFrame
    labels: pl.DataFrame
    counts: dict[str, Any] = field(default_factory=dict)
    taught: Taught | None = None


def _needed(run: Path, name: str) -> pl.DataFrame:
    if not (run / name).is_file():
        message = f"{name}: expected this table in the run folder, found none; run `quychu ask` first."
        raise RunFolderError(message)
    return pl.read_parquet(run / name)


def _really_asked(run: Path, answers: pl.DataFrame) -> pl.DataFrame:
    """What was asked: the questions as they stand, and earlier ones that have an answer; not plans dropped unsent."""
    now = _needed(run, "questions.parquet")["question_id"]
    known = pl.concat([now, answers["question_id"]]).unique()
    return _needed(run, "asked.parquet").filter(pl.col("question_id").is_in(known.implode()))


def places_of(run: Path, asked: pl.DataFrame) -> pl.DataFrame:
    """Each asked item with its place, its hand and its serial."""
    steps = run / ".steps"
    named = pl.scan_parquet(steps / "normalise.mentions.parquet").join(
        pl.scan_parquet(steps / "normalise.owner_ids.parquet"), on="line"
    )
    shown = named.select("owner_record_id", "role", "serial", "name_folded", "id12", "id9").collect()
    items = asked.select("item_id", "owner_record_id", "role", "person_id").unique("item_id", maintain_order=True)
    found = items.join(shown, on=["owner_record_id", "role"], how="left", maintain_order="left")
    return found.with_columns(hands(found))


def _asked(asked: pl.DataFrame) -> dict[str, int]:
    """Questions and items over all rounds; `ask` counts those of its own round."""
    by_lot = asked.filter(pl.col("chosen_by") == "random")
    return {
        "questions": asked["question_id"].n_unique(),
        "questions_random": by_lot["question_id"].n_unique(),
        "asked_items": asked["item_id"].n_unique(),
    }


def _counted(before: pl.DataFrame, after: pl.DataFrame, settled: Settled, answers: int) -> dict[str, Any]:
    outcomes = dict(settled.outcomes.group_by("outcome").len().sort("outcome").iter_rows())
    return {
        "answers": answers,
        "answers_of_nobody_asked": settled.unknown,
        "answers_by_state": _tally(settled.said, "state"),
        "answers_by_verdict": _tally(settled.said, "verdict"),
        "settled": outcomes.get("confirmed", 0) + outcomes.get("same_hand", 0),
        "asked_by_outcome": outcomes,
        "before": {"decisions": _tally(before, "decision")},
        "after": {"decisions": _tally(after, "decision")},
    }


def _tally(table: pl.DataFrame, column: str) -> dict[str, int]:
    named = table.with_columns(pl.col(column).fill_null("none"))
    return dict(named.group_by(column).len().sort(column).iter_rows())


def learn(run: Path, answers: pl.DataFrame, *, config: Config | None = None, model: bool = True) -> Learnt:
    """Put the answers to use in the folder of a finished run; without `model`, links and labels only."""
    read_manifest(run)
    answers = _checked(answers)
    asked, candidates = _really_asked(run, answers), _needed(run, "candidates.parquet")
    before = _machine_links(run)
    held = before.filter(pl.col("decision") == "link").select("owner_record_id", "citizen_id")
    settled = settle(answers, asked, places_of(run, asked), held)
    after = relink(before, settled.outcomes, candidates)
    told = labels(settled.said, settled.outcomes, asked)
    write_parquet(run / BEFORE, before)
    write_parquet(run / "outcomes.parquet", settled.outcomes)
    write_parquet(run / "labels.parquet", told)
    write_parquet(run / LINKS, after)
    counts = {**_asked(asked), **_counted(before, after, settled, answers.height)}
    add_counts(run, **counts)
    describe(run, reasons=REASONS)
    taught = teach(run, told, config or load(None)) if model else None
    if taught is not None:
        write_json(run / taught.name, taught.model)
        write_json(run / COMPARISON, taught.comparison)
    elif model:
        (run / COMPARISON).unlink(missing_ok=True)  # it would speak of labels that are gone
    return Learnt(after, settled.outcomes, told, counts, taught)


def renew_workbook(run: Path, owners: Path, config: Config | None = None) -> Path:
    """Write `links.xlsx` again from the links as they stand; `owners` is the file that was linked, by its hash."""
    manifest = read_manifest(run)
    linked = next((entry["sha256"] for entry in manifest["inputs"] if entry["role"] == "owners"), None)
    if results.hash_of(owners, sha256_of) != linked:
        message = (
            f"{owners.name}: expected the owner file that this run linked, found another; give that file with --owners."
        )
        raise InputError(message)
    originals = original_rows(owners, mapping_of((config or load(None)).sources.owners))
    keys = pl.scan_parquet(run / _KEYS)
    rejected = pl.read_parquet(run / "rejected.parquet").head(manifest["counts"]["rows_rejected"])
    results.workbook(run / WORKBOOK, originals, keys, pl.read_parquet(run / LINKS), rejected)
    return run / WORKBOOK


def undo(run: Path) -> None:
    """Put the machine's own links back; answers, labels and the new model stay beside."""
    copy_file(_machine_file(run), run / LINKS)


def quality(evaluation: Evaluation) -> dict[str, Any]:
    """The figures of a judgement that the report shows before and after asking, over all persons named."""
    scores = evaluation.scopes[ALL]
    return {
        "precision": scores.precision.value,
        "recall": scores.recall.value,
        "linked": scores.linked,
        "wrong": sum(scores.wrong.values()),
    }


def record_quality(run: Path, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Write the figures of two judgements (`quality`) beside the counts of before and after."""
    counts = read_manifest(run)["counts"]
    add_counts(
        run,
        before={**counts.get("before", {}), **before},
        after={**counts.get("after", {}), **after},
    )


def _checked(answers: pl.DataFrame) -> pl.DataFrame:
    try:
        return ANSWERS.check(answers)
    except InputError as error:
        message = f"answers.parquet: {error} Collect the answers again."
        raise InputError(message) from None


def _machine_file(run: Path) -> Path:
    if not (run / _MACHINE).is_file():
        message = f"{run.name}: expected the machine's links in the run folder, found none; run `quychu link` again."
        raise RunFolderError(message)
    return run / _MACHINE


def _machine_links(run: Path) -> pl.DataFrame:
    return pl.read_parquet(_machine_file(run))
