"""Teach: labels → a new model version beside the old, and how they differ.

Rules
- A label is about a place; the model is about persons. A person is labelled where all its labels for a citizen agree.
- The chosen part teaches, the part drawn by lot judges.
- The new model names its parent by hash, and how many labels of which kind taught it; the evidence of the family is the
  parent's.
- Without a label of the chosen part there is nothing to teach, and no new model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from linkage.blocking.rules import BlockingRule
from linkage.compare.comparisons import Comparison, from_catalogue
from linkage.compare.features import features
from linkage.config import Config
from linkage.decide.decisions import Thresholds
from linkage.engines.duckdb import Connection, connect, load
from linkage.errors import ModelError
from linkage.learn.compare import changed_decisions, decisions, held_out, levels, weighed_anew
from linkage.learn.reestimate import load_known, reestimate
from linkage.models import artefact
from linkage.models.model import Model
from linkage.models.training import TrainingPlan
from linkage.outputs.counts import read_manifest

NAME = "model-{version}.json"


@dataclass(frozen=True)
class Taught:
    """A new model: its file name, its body, and the comparison with its parent."""

    name: str
    model: dict[str, Any]
    comparison: dict[str, Any]


@dataclass(frozen=True)
class _Run:
    """What the run folder says: its config, its model, and its candidates."""

    config: Config
    comparisons: tuple[Comparison, ...]
    old: Model
    body: dict[str, Any]
    candidates: pl.DataFrame
    share_in_register: float


def pairs_of(labels: pl.DataFrame, persons: pl.DataFrame, citizens: pl.DataFrame) -> pl.DataFrame:
    """Labels of places → of pairs: `l`, `r`, `label`, `source`, `sampling_weight`; contradictions are left out."""
    agreed = labels.group_by("person_id", "citizen_id").agg(
        pl.col("label").min(),
        most=pl.col("label").max(),
        # A pair that was drawn by lot in one round must not teach, whatever another round chose.
        source=pl.col("source").max(),
        sampling_weight=pl.col("sampling_weight").max(),
    )
    known = agreed.filter(pl.col("label") == pl.col("most")).join(persons.select("person_id", r="id"), on="person_id")
    found = known.join(citizens.select("citizen_id", l="id"), on="citizen_id")
    return found.select("l", "r", "label", "source", "sampling_weight").sort("r", "l")


def _opened(run: Path, config: Config) -> _Run:
    manifest = read_manifest(run)
    if manifest.get("config", {}).get("sha256") not in (None, config.fingerprint()):
        message = f"{run.name}: expected the config this run was made with, found another; give it with --config."
        raise ModelError(message)
    comparisons = tuple(from_catalogue(part.kind) for part in config.comparisons)
    old, body = artefact.read(run / "model.json", comparisons)
    candidates = pl.read_parquet(run / ".steps" / "score.candidates.parquet")
    return _Run(config, comparisons, old, body, candidates, float(manifest["share_in_register"]))


def _new_body(opened: _Run, trained: Any, known: pl.DataFrame) -> dict[str, Any]:
    rules = [BlockingRule(rule.equal, rule.max_block_pairs) for rule in opened.config.blocking]
    card = opened.body["card"]
    tally = dict(known.group_by("label").len().sort("label").iter_rows())
    told = {
        "version": int(card.get("version", 1)) + 1,
        "parent": card["hash"],
        "taught_by": {"matches": tally.get(1, 0), "denied": tally.get(0, 0)},
        **{name: card[name] for name in ("rows", "versions") if name in card},
    }
    body = artefact.write(trained, rules, card=told)
    return artefact.with_evidence(body, opened.body["evidence"], card["sentences"], card["sentences_vi"])


def _compared(con: Connection, opened: _Run, new: Model, lot: pl.DataFrame) -> dict[str, Any]:
    thresholds = Thresholds(**opened.config.decide.model_dump())
    anew = weighed_anew(opened.candidates, opened.old, new, share=opened.share_in_register)
    before = decisions(con, opened.comparisons, thresholds, opened.candidates)
    after = decisions(con, opened.comparisons, thresholds, anew)
    judged = lot.join(opened.candidates.select("l", "r", old="match_probability"), on=["l", "r"])
    judged = judged.join(anew.select("l", "r", new="match_probability"), on=["l", "r"])
    return {
        "levels": levels(opened.old, new),
        "decisions": changed_decisions(before, after),
        "held_out": held_out(judged, thresholds.link_at),
    }


def teach(run: Path, labels: pl.DataFrame, config: Config) -> Taught | None:
    """The new model of a finished run, or None where no label can teach."""
    opened = _opened(run, config)
    steps = run / ".steps"
    with connect() as con:
        for name, file in (("citizens", "normalise.citizens"), ("persons", "gather.persons")):
            load(con, name, pl.read_parquet(steps / f"{file}.parquet"))
        pairs = pairs_of(labels, con.sql("select * from persons").pl(), con.sql("select * from citizens").pl())
        known = pairs.filter(source="chosen")
        if known.is_empty():
            return None
        features(con)
        load_known(con, known)
        plan = TrainingPlan(**config.training.model_dump())
        trained = reestimate(con, opened.old, opened.body["card"], plan)
        body = _new_body(opened, trained, known)
        compared = _compared(con, opened, trained.model, pairs.filter(source="random"))
    versions: Mapping[str, Any] = {"parent": opened.body["card"]["hash"], "model": body["card"]["hash"]}
    taught_by = {"taught_by": body["card"]["taught_by"]}
    return Taught(NAME.format(version=body["card"]["version"]), body, {**versions, **taught_by, **compared})
