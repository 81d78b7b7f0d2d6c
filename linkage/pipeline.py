"""The land register run as a table of contents: read `link` from top to bottom.

Rules
- Each step leaves durable tables (`linkage.schemas`) in the run folder; a stopped run goes on behind the last one.
- A step sees only tables of steps before it. No step ever opens a truth file.
- Rows read = rows used + rows rejected; every person named on a used line has one row in `links.parquet`.

Example: `link(Job(owners, citizens, out))` makes `links.parquet`, `persons.parquet`, `candidates.parquet`,
`links.xlsx`, `rejected.parquet`, `model.json` and `run.json` in `out`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from linkage import results
from linkage.blocking.coverage import Coverage, pair_completeness
from linkage.blocking.rules import BlockingRule, Settling, block
from linkage.compare.comparisons import Comparison, from_catalogue
from linkage.compare.features import features
from linkage.config import Config
from linkage.decide.decisions import REASONS, Thresholds
from linkage.decide.links import decided_persons, links, one_owner_a_citizen
from linkage.decide.posterior import posterior
from linkage.engines.duckdb import Connection, connect
from linkage.errors import InputError
from linkage.evidence import family
from linkage.models import artefact
from linkage.models.model import Model
from linkage.models.scoring import weight_columns_sql, weights_sql
from linkage.models.training import TrainingPlan, train
from linkage.normalise.lines import mentions as normalise_lines
from linkage.outputs.durable import copy_file, sha256_of, write_json, write_parquet
from linkage.outputs.folder import Fingerprint, FinishedStep, RunFolder
from linkage.outputs.manifest import Manifest, versions
from linkage.outputs.progress import Display, Progress, SilentDisplay
from linkage.outputs.steps import Made, Steps
from linkage.owners import gather
from linkage.population import Population, Told, fill_rates
from linkage.profile import SAMPLE_LINES, profile
from linkage.sources.mapping import mapping_of
from linkage.sources.reading import Source, original_rows, read_owners

STEPS: Mapping[str, float] = {
    "read": 4, "normalise": 25, "gather": 12, "train": 12, "score": 25, "decide": 10, "write": 25,
}  # fmt: skip
"""The steps of a run and their usual shares of its time."""

LEFT, RIGHT = "citizen_features", "person_features"

_NUMBERS = {"id12", "id9"}
_SETTLED = "l.name_folded = r.name_folded and coalesce(l.birth_year = r.birth_year, true)"
"""A number, the whole name and the year agree: more than thirty bits above any rival without that number."""


@dataclass(frozen=True)
class Job:
    """What to link, where to put it, and how much of the machine to use."""

    owners: Path
    citizens: Path
    out: Path
    config: Config
    model: Path | None = None
    fresh: bool = False
    memory: str = "2GB"
    threads: int | None = None
    workbook: bool = True


@dataclass(frozen=True)
class Finished:
    """Where a run's files are, and its counts."""

    out: Path
    counts: Mapping[str, Any]


@dataclass
class _Run:
    job: Job
    steps: Steps
    con: Connection
    lines: Source | None = None
    register: Population | None = None

    @property
    def done(self) -> dict[str, FinishedStep]:
        """The finished steps."""
        return self.steps.done

    def step(self, name: str, after: tuple[str, ...], make: Callable[[_Run], Made]) -> FinishedStep:
        """The step's results: those that are there already, or made now and made durable."""
        return self.steps.run(name, after, lambda: make(self))

    def table(self, step: str, *names: str) -> None:
        """Make tables of a finished step visible to SQL, read from disk as far as they are needed."""
        for name in names:
            if _has_table(self.con, name):  # left in memory by the step that made it
                self.con.execute(f"drop table {name} cascade")
            file = str(self.done[step].files[name]).replace("'", "''")
            self.con.execute(f"create or replace view {name} as select * from read_parquet('{file}')")

    def owners(self) -> Source:
        """The owner lines, read once; raw lines are not kept on disk a second time."""
        if self.lines is None:
            self.lines = read_owners(self.job.owners, mapping_of(self.job.config.sources.owners))
        return self.lines

    def population(self) -> Population:
        """The register's side, begun when first asked for."""
        if self.register is None:
            told = self.job.config
            register = Told(
                self.job.citizens,
                mapping_of(told.sources.citizens),
                told.sources.citizens.sex_coding,
                told.run.home_provinces,
                datetime.now(UTC).year,
                self.steps.folder.scratch(),
            )
            self.register = Population(register, apart=self.job.threads != 1)
        return self.register

    def close(self) -> None:
        """End what runs beside this process."""
        if self.register is not None:
            self.register.close()


def link(job: Job, *, display: Display | None = None) -> Finished:
    """Run the job to its end, or go on where it stopped; `LinkageError` in one sentence where it cannot."""
    inputs = {"owners": sha256_of_input(job.owners), "citizens": sha256_of_input(job.citizens)}
    model = sha256_of_input(job.model) if job.model else None
    if job.model is not None:
        artefact.read(job.model, comparisons_of(job.config))  # refused now, not after an hour's work
    made_from = Fingerprint(inputs, job.config.fingerprint(), model, versions()["quychu"])
    with (
        RunFolder(job.out).open(made_from, fresh=job.fresh, keep=[job.model] if job.model else []) as folder,
        Manifest(job.out / "run.json") as manifest,
        Progress(STEPS, display or SilentDisplay()) as progress,
        connect(memory=job.memory, threads=job.threads, spill=folder.scratch()) as con,
        ExitStack() as stack,
    ):
        manifest.add_input("owners", job.owners, sha256=inputs["owners"])
        manifest.add_input("citizens", job.citizens, sha256=inputs["citizens"])
        manifest.set_hashes(config=made_from.config)
        run = stack.enter_context(closing(_Run(job, Steps(folder, manifest, progress), con)))
        run.step("read", (), _read)
        run.step("normalise", ("read",), _normalise)
        run.step("gather", ("normalise",), _gather)
        run.step("train", ("gather",), _train)
        run.step("score", ("train",), _score)
        run.step("decide", ("score",), _decide)
        _forget_if_lost(folder, job)
        run.step("write", ("decide",), _write)
        return Finished(job.out, manifest.as_dict()["counts"])


def train_to(job: Job, model: Path, *, display: Display | None = None) -> Path:
    """Train on a job's data in a folder of its own beside `model`, and write the model with its card."""
    workplace = model.parent / f".{model.stem}-training"
    link(replace(job, out=workplace, workbook=False, model=None, fresh=True), display=display)
    write_json(model, json.loads((workplace / "model.json").read_text(encoding="utf-8")))
    shutil.rmtree(workplace)
    return model


# ---- the steps ---------------------------------------------------------------------------------------------------


def _read(run: _Run) -> Made:
    register = run.population()
    owners, citizens = run.owners(), register.wait_read()
    write_parquet(run.job.out / "rejected.parquet", pl.concat([owners.rejected, citizens.rejected]))
    _refuse_empty(run.job.owners, owners.lines.height, owners.rows_read)
    _refuse_empty(run.job.citizens, citizens.rows_used, citizens.rows_read)
    counts = {
        "rows_read": owners.rows_read,
        "rows_used": owners.lines.height,
        "rows_rejected": owners.rejected.height,
        "citizens_read": citizens.rows_read,
        "citizens_used": citizens.rows_used,
        "citizens_rejected": citizens.rejected.height,
    }
    told = run.job.config
    coding, home = told.sources.owners.sex_coding, told.run.home_provinces
    found = profile(owners.lines, None, sample=SAMPLE_LINES, sex_coding=coding, home_provinces=home)
    sections = {
        "notes": [*owners.notes, *citizens.notes],
        "fill_rates": {"land_owners": fill_rates(owners.lines), "citizens": citizens.fill_rates},
        **replace(found, citizens=citizens.profile).sections(),
    }
    keys = owners.lines.select("owner_record_id", "source_part", "row_number")
    facts = {"rows": owners.rows_read + citizens.rows_read, "counts": counts, "sections": sections}
    return Made({"owner_keys": keys}, facts)


def _refuse_empty(path: Path, used: int, read: int) -> None:
    if used == 0:
        message = (
            f"{path.name}: expected at least one usable row, found {read} rows and none usable; "
            "see rejected.parquet or give another file."
        )
        raise InputError(message)


def _normalise(run: _Run) -> Made:
    told, register = run.job.config, run.population()
    lines, run.lines = run.owners().lines, None
    mentions = normalise_lines(
        lines,
        sex_coding=told.sources.owners.sex_coding,
        home_provinces=list(told.run.home_provinces),
        latest_birth_year=datetime.now(UTC).year,
        helper=register.helper,
    )
    ids = lines.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("line"), "owner_record_id")
    del lines
    facts = {"rows": mentions.height, "counts": {"mentions": mentions.height}}
    return Made({"mentions": mentions, "owner_ids": ids, **register.wait_tables()}, facts)


def _gather(run: _Run) -> Made:
    run.table("normalise", "mentions", "owner_ids", "citizens")
    gathered = gather(run.con, max_others=run.job.config.gather.max_others)
    counts = {"persons": gathered.persons.height}
    return Made(
        {"persons": gathered.persons, "members": gathered.members}, {"rows": gathered.members.height, "counts": counts}
    )


def _train(run: _Run) -> Made:
    comparisons, rules = comparisons_of(run.job.config), rules_of(run.job.config)
    _make_features(run)
    if run.job.model is not None:
        _, body = artefact.read(run.job.model, comparisons)
    else:
        plan = TrainingPlan(**run.job.config.training.model_dump())
        trained = train(run.con, comparisons, plan, left=LEFT, right=RIGHT)
        counts = run.steps.manifest.as_dict()["counts"]
        body = artefact.write(trained, rules, card={"rows": counts, "versions": versions()})
    return Made(facts={"model": body})


def _score(run: _Run) -> Made:
    con, body = run.con, run.done["train"].facts["model"]
    comparisons = comparisons_of(run.job.config)
    run.table("normalise", "mentions", "parents")
    run.table("gather", "members")
    if not _has_table(con, LEFT):
        _make_features(run)
    model = artefact.model_of(body, comparisons)
    persons, citizens = _count(con, RIGHT), _count(con, LEFT)
    rules = rules_of(run.job.config)
    numbers = next((n for n, rule in enumerate(rules) if not set(rule.equal) <= _NUMBERS), len(rules))
    settling = Settling(numbers, _SETTLED) if numbers else None
    report = block(con, rules, left=LEFT, right=RIGHT, settling=settling)
    con.execute(f"create or replace table weights as {weights_sql(model, 'pairs', LEFT, RIGHT)}")
    posterior(con, "weights", persons=persons, citizens=citizens)
    body = _weigh_family(con, body, model, citizens)
    share = posterior(con, "weights", persons=persons, citizens=citizens)
    counts = {"pairs": _count(con, "weights")}
    con.execute("drop table weights")
    shown = [*weight_columns_sql(model), *family.weight_columns_sql(family.read(body["evidence"]))]
    candidates = con.sql(f"select *, {', '.join(shown)} from candidates").pl()
    pairs = con.sql("select l, r, match_key from pairs union all select l, r, match_key from kin_pairs").pl()
    con.execute("drop table pairs")
    write_json(run.job.out / "model.json", body)
    run.steps.manifest.set_hashes(model=body["card"]["hash"])
    sections = {
        "blocking": report.rows(),
        "reduction_ratio": report.reduction_ratio,
        "share_in_register": share,
        "reasons": REASONS,
    }
    return Made(
        {"candidates": candidates, "pairs": pairs}, {"rows": counts["pairs"], "counts": counts, "sections": sections}
    )


def _weigh_family(con: Connection, body: dict[str, Any], model: Model, citizens: int) -> dict[str, Any]:
    """Who stands beside an owner: more candidates, their weights, and the model with what was learnt."""
    family.learn_facts(con)
    family.kin_pairs(con)
    con.execute(f"insert into weights by name {weights_sql(model, 'kin_pairs', LEFT, RIGHT)}")
    family.compare(con, citizens)
    known = family.read(body["evidence"]) if body["evidence"] else family.estimate(con)
    family.apply(con, known)
    return artefact.with_evidence(body, family.written(known), family.SENTENCES, family.SENTENCES_VI)


def _decide(run: _Run) -> Made:
    run.table("normalise", "mentions", "owner_ids", "citizens")
    run.table("gather", "persons", "members")
    run.table("score", "candidates")
    decided_persons(run.con, comparisons_of(run.job.config), Thresholds(**run.job.config.decide.model_dump()))
    joined = one_owner_a_citizen(run.con)
    found = links(run.con)
    tables = {"links": found, "persons": results.persons(run.con), "candidates": results.candidates(run.con)}
    decisions = dict(found.group_by("decision").len().iter_rows())
    counts = {**decisions, "links": found.height, "joined_by_citizen": joined, "owners": tables["persons"].height}
    return Made(tables, {"rows": found.height, "counts": counts})


def _write(run: _Run) -> Made:
    run.con.close()  # its memory is needed for the workbook
    out, decided = run.job.out, run.done["decide"]
    written = ["links.parquet", "persons.parquet", "candidates.parquet"]
    for name in ("links", "persons", "candidates"):
        copy_file(decided.files[name], out / f"{name}.parquet")
    facts: dict[str, Any] = {"rows": decided.facts["rows"]}
    if run.job.workbook:
        originals = original_rows(run.job.owners, mapping_of(run.job.config.sources.owners))
        rejected = pl.read_parquet(out / "rejected.parquet").head(_rejected_owners(run))
        keys = run.done["read"].scan("owner_keys")
        book = results.workbook(out / "links.xlsx", originals, keys, decided.table("links"), rejected)
        facts["counts"] = {"cut_cells": book.cut_cells}
        written.append("links.xlsx")
    return Made(facts={**facts, "files": {name: sha256_of(out / name) for name in written}})


def _rejected_owners(run: _Run) -> int:
    """How many of the first rows of `rejected.parquet` are owner lines; those of citizens stand behind them."""
    return int(run.done["read"].facts["counts"]["rows_rejected"])


def _forget_if_lost(folder: RunFolder, job: Job) -> None:
    """Write again what was deleted or damaged since, or what was not asked for the last time."""
    finished = folder.finished("write", ("decide",))
    if finished is None:
        return
    files = finished.facts.get("files", {})
    intact = all((job.out / name).is_file() and sha256_of(job.out / name) == sha for name, sha in files.items())
    if not intact or (job.workbook and "links.xlsx" not in files):
        folder.discard_steps(["write"])


def coverage(out: Path, truth: pl.DataFrame) -> Coverage | None:
    """Pair completeness of a finished run against the truth (evaluation only); None where the folder has no pairs."""
    steps = out / ".steps"
    tables = ("score.pairs", "normalise.mentions", "normalise.owner_ids", "normalise.citizens", "gather.members")
    files = {name: steps / f"{name}.parquet" for name in tables}
    if not all(file.exists() for file in files.values()):
        return None
    scan = {name: pl.scan_parquet(file) for name, file in files.items()}
    named = scan["normalise.mentions"].select("mention", "line", "role").join(scan["normalise.owner_ids"], on="line")
    true = (
        truth.lazy()
        .filter(pl.col("citizen_id").is_not_null())
        .join(named, on=["owner_record_id", "role"])
        .join(scan["gather.members"].select("mention", r="id"), on="mention")
        .join(scan["normalise.citizens"].select("citizen_id", l="id"), on="citizen_id")
        .select("l", "r")
        .collect()
    )
    rules = [row["rule"] for row in json.loads((out / "run.json").read_text(encoding="utf-8"))["blocking"]]
    return pair_completeness(scan["score.pairs"].collect(), true, rules)


# ---- what the steps are told -------------------------------------------------------------------------------------


def comparisons_of(config: Config) -> tuple[Comparison, ...]:
    """The comparisons that a config names."""
    return tuple(from_catalogue(part.kind) for part in config.comparisons)


def rules_of(config: Config) -> list[BlockingRule]:
    """The blocking rules that a config names."""
    return [BlockingRule(rule.equal, rule.max_block_pairs) for rule in config.blocking]


def sha256_of_input(path: Path) -> str:
    """The hash of a file, or of all files of a folder; `InputError` where there is nothing."""
    return results.hash_of(path, sha256_of)


def _make_features(run: _Run) -> None:
    run.table("normalise", "citizens")
    run.table("gather", "persons")
    features(run.con)


def _has_table(con: Connection, name: str) -> bool:
    return bool(con.execute("select 1 from duckdb_tables() where table_name = ?", [name]).fetchone())


def _count(con: Connection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0
