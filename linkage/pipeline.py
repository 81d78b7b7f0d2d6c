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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from linkage import results
from linkage.blocking.coverage import Coverage, pair_completeness
from linkage.blocking.rules import BlockingRule, block
from linkage.compare.comparisons import Comparison, from_catalogue
from linkage.compare.features import features
from linkage.config import Config, SourceConfig
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
from linkage.normalise.citizens import citizens as normalise_citizens
from linkage.normalise.lines import mentions as normalise_lines
from linkage.normalise.parents import parents as normalise_parents
from linkage.outputs.durable import sha256_of, write_json, write_parquet
from linkage.outputs.folder import FinishedStep, Fingerprint, RunFolder
from linkage.outputs.manifest import Manifest, versions
from linkage.outputs.progress import Display, Progress, SilentDisplay
from linkage.owners import gather
from linkage.sources.mapping import SourceMapping
from linkage.sources.reading import Source, original_rows, read_citizens, read_owners

STEPS: Mapping[str, float] = {
    "read": 4, "normalise": 25, "gather": 12, "train": 12, "score": 25, "decide": 10, "write": 25,
}  # fmt: skip
"""The steps of a run and their usual shares of its time."""

LEFT, RIGHT = "citizen_features", "person_features"


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
    folder: RunFolder
    manifest: Manifest
    progress: Progress
    con: Connection
    done: dict[str, FinishedStep] = field(default_factory=dict)

    def step(self, name: str, after: tuple[str, ...], make: Callable[[_Run], _Made]) -> FinishedStep:
        """The step's results: those that are there already, or made now and made durable."""
        with self.progress.step(name) as shown, self.manifest.step(name) as record:
            finished = self.folder.finished(name, after)
            if finished is None:
                made = make(self)
                finished = self.folder.finish(name, made.tables, made.facts, after)
            else:
                shown.skip()
                record.continued = True
            record.rows = finished.facts.get("rows")
            self.manifest.count(**finished.facts.get("counts", {}))
            self.manifest.describe(**finished.facts.get("sections", {}))
            self.done[name] = finished
            return finished

    def table(self, step: str, *names: str) -> None:
        """Make tables of a finished step visible to SQL, read from disk as far as they are needed."""
        for name in names:
            if _has_table(self.con, name):  # left in memory by the step that made it
                self.con.execute(f"drop table {name} cascade")
            file = str(self.done[step].files[name]).replace("'", "''")
            self.con.execute(f"create or replace view {name} as select * from read_parquet('{file}')")


@dataclass(frozen=True)
class _Made:
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def link(job: Job, *, display: Display | None = None) -> Finished:
    """Run the job to its end, or go on where it stopped; `LinkageError` in one sentence where it cannot."""
    inputs = {"owners": sha256_of_input(job.owners), "citizens": sha256_of_input(job.citizens)}
    model = sha256_of_input(job.model) if job.model else None
    made_from = Fingerprint(inputs, job.config.fingerprint(), model, versions()["quychu"])
    with (
        RunFolder(job.out).open(made_from, fresh=job.fresh, keep=[job.model] if job.model else []) as folder,
        Manifest(job.out / "run.json") as manifest,
        Progress(STEPS, display or SilentDisplay()) as progress,
    ):
        manifest.add_input("owners", job.owners, sha256=inputs["owners"])
        manifest.add_input("citizens", job.citizens, sha256=inputs["citizens"])
        manifest.set_hashes(config=made_from.config)
        con = connect(memory=job.memory, threads=job.threads, spill=job.out / ".steps" / "spill")
        run = _Run(job, folder, manifest, progress, con)
        run.step("read", (), _read)
        run.step("normalise", ("read",), _normalise)
        run.step("gather", ("normalise",), _gather)
        run.step("train", ("gather",), _train)
        run.step("score", ("train",), _score)
        run.step("decide", ("score",), _decide)
        run.step("write", ("decide",), _write)
        con.close()
        return Finished(job.out, manifest.as_dict()["counts"])


def train_to(job: Job, model: Path, *, display: Display | None = None) -> Path:
    """Train on a job's data in a folder of its own beside `model`, and write the model with its card."""
    workplace = model.parent / f".{model.stem}-training"
    link(replace(job, out=workplace, workbook=False, model=None, fresh=True), display=display)
    write_json(model, json.loads((workplace / "model.json").read_text(encoding="utf-8")))
    shutil.rmtree(workplace)
    return model


# ---- the steps ---------------------------------------------------------------------------------------------------


def _read(run: _Run) -> _Made:
    config = run.job.config.sources
    owners = read_owners(run.job.owners, mapping_of(config.owners))
    citizens = read_citizens(run.job.citizens, mapping_of(config.citizens))
    rejected = pl.concat([owners.rejected, citizens.rejected])
    write_parquet(run.job.out / "rejected.parquet", rejected)
    for path, source in ((run.job.owners, owners), (run.job.citizens, citizens)):
        if source.lines.height == 0:
            message = (
                f"{path.name}: expected at least one usable row, found {source.rows_read} rows, all refused; "
                "see rejected.parquet or give another file."
            )
            raise InputError(message)
    counts = {
        "rows_read": owners.rows_read,
        "rows_used": owners.lines.height,
        "rows_rejected": owners.rejected.height,
        "citizens_read": citizens.rows_read,
        "citizens_used": citizens.lines.height,
        "citizens_rejected": citizens.rejected.height,
    }
    sections = {"notes": [*owners.notes, *citizens.notes], "fill_rates": _fill_rates(owners, citizens)}
    tables = {"owner_lines": owners.lines, "citizen_lines": citizens.lines, "rejected": rejected}
    return _Made(tables, {"rows": owners.rows_read + citizens.rows_read, "counts": counts, "sections": sections})


def _normalise(run: _Run) -> _Made:
    home = list(run.job.config.run.home_provinces)
    lines = run.done["read"].table("owner_lines")
    mentions = normalise_lines(lines, sex_coding=run.job.config.sources.owners.sex_coding, home_provinces=home)
    ids = lines.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("line"), "owner_record_id")
    del lines
    citizen_lines = run.done["read"].table("citizen_lines")
    citizens = normalise_citizens(citizen_lines, home_provinces=home)
    parents = normalise_parents(citizen_lines)
    tables = {"mentions": _address_of_the_first(mentions), "owner_ids": ids, "citizens": citizens, "parents": parents}
    return _Made(tables, {"rows": mentions.height + citizens.height, "counts": {"mentions": mentions.height}})


def _gather(run: _Run) -> _Made:
    run.table("normalise", "mentions", "owner_ids", "citizens")
    gathered = gather(run.con, max_others=run.job.config.gather.max_others)
    counts = {"persons": gathered.persons.height}
    return _Made({"persons": gathered.persons, "members": gathered.members}, {"rows": gathered.members.height, "counts": counts})


def _train(run: _Run) -> _Made:
    comparisons, rules = comparisons_of(run.job.config), rules_of(run.job.config)
    _make_features(run)
    if run.job.model is not None:
        _, body = artefact.read(run.job.model, comparisons)
    else:
        plan = TrainingPlan(**run.job.config.training.model_dump())
        trained = train(run.con, comparisons, plan, left=LEFT, right=RIGHT)
        counts = run.manifest.as_dict()["counts"]
        body = artefact.write(trained, rules, card={"rows": counts, "versions": versions()})
    return _Made(facts={"model": body})


def _score(run: _Run) -> _Made:
    con, body = run.con, run.done["train"].facts["model"]
    comparisons = comparisons_of(run.job.config)
    run.table("normalise", "mentions", "parents")
    run.table("gather", "members")
    if not _has_table(con, LEFT):
        _make_features(run)
    model = artefact.model_of(body, comparisons)
    persons, citizens = _count(con, RIGHT), _count(con, LEFT)
    report = block(con, rules_of(run.job.config), left=LEFT, right=RIGHT)
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
    run.manifest.set_hashes(model=body["card"]["hash"])
    sections = {
        "blocking": report.rows(),
        "reduction_ratio": report.reduction_ratio,
        "share_in_register": share,
        "reasons": REASONS,
    }
    return _Made({"candidates": candidates, "pairs": pairs}, {"rows": counts["pairs"], "counts": counts, "sections": sections})


def _weigh_family(con: Connection, body: dict[str, Any], model: Model, citizens: int) -> dict[str, Any]:
    """Who stands beside an owner: more candidates, their weights, and the model with what was learnt."""
    family.learn_facts(con)
    family.kin_pairs(con)
    con.execute(f"insert into weights by name {weights_sql(model, 'kin_pairs', LEFT, RIGHT)}")
    family.compare(con, citizens)
    known = family.read(body["evidence"]) if body["evidence"] else family.estimate(con)
    family.apply(con, known)
    return artefact.with_evidence(body, family.written(known), family.SENTENCES, family.SENTENCES_VI)


def _decide(run: _Run) -> _Made:
    run.table("normalise", "mentions", "owner_ids", "citizens")
    run.table("gather", "persons", "members")
    run.table("score", "candidates")
    decided_persons(run.con, comparisons_of(run.job.config), Thresholds(**run.job.config.decide.model_dump()))
    joined = one_owner_a_citizen(run.con)
    found = links(run.con)
    tables = {"links": found, "persons": results.persons(run.con), "candidates": results.candidates(run.con)}
    decisions = dict(found.group_by("decision").len().iter_rows())
    counts = {**decisions, "links": found.height, "joined_by_citizen": joined, "owners": tables["persons"].height}
    return _Made(tables, {"rows": found.height, "counts": counts})


def _write(run: _Run) -> _Made:
    out, decided = run.job.out, run.done["decide"]
    for name in ("links", "persons", "candidates"):
        write_parquet(out / f"{name}.parquet", decided.table(name))
    if run.job.workbook:
        run.con.close()
        originals = original_rows(run.job.owners, mapping_of(run.job.config.sources.owners))
        results.workbook(
            out / "links.xlsx",
            originals,
            run.done["read"].scan("owner_lines"),
            decided.table("links"),
            run.done["read"].table("rejected"),
        )
    return _Made(facts={"rows": decided.facts["rows"]})


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


def mapping_of(source: SourceConfig) -> SourceMapping:
    """How a file is read, from its part of the config."""
    told = source.model_dump(exclude={"sex_coding"})
    return SourceMapping(**told)


def sha256_of_input(path: Path) -> str:
    """The hash of a file, or of all files of a folder; `InputError` where there is nothing."""
    return results.hash_of(path, sha256_of)


def _address_of_the_first(mentions: pl.DataFrame) -> pl.DataFrame:
    """An address stands for the first person and the spouse; heirs and other co-owners often live elsewhere."""
    elsewhere = (pl.col("role") != "owner") & pl.col("spouse_folded").is_null()
    return mentions.with_columns(
        [pl.when(elsewhere).then(None).otherwise(pl.col(name)).alias(name) for name in ("commune", "hamlet")]
    )


def _make_features(run: _Run) -> None:
    run.table("normalise", "citizens")
    run.table("gather", "persons")
    features(run.con)


def _has_table(con: Connection, name: str) -> bool:
    return bool(con.execute("select 1 from duckdb_tables() where table_name = ?", [name]).fetchone())


def _count(con: Connection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _fill_rates(owners: Source, citizens: Source) -> dict[str, dict[str, float]]:
    return {
        name: {column: 1 - source.lines[column].null_count() / max(source.lines.height, 1) for column in source.lines.columns}
        for name, source in (("land_owners", owners), ("citizens", citizens))
    }
