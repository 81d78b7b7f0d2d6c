"""The generic run as a table of contents: read `link` from top to bottom.

Rules
- Each step leaves durable tables in the run folder; a stopped run goes on behind the last one.
- Rows read = rows used + rows rejected. A link run gives each left-hand record one row in `links.parquet`, a dedupe run
  each record.
- No step opens a truth file; the same files and config give the same links.

Example: `link(job(Path("febrl4.toml"), out=Path("out"), left=Path("a.csv"), right=Path("b.csv")))` makes
`links.parquet`, `candidates.parquet`, `rejected.parquet`, `model.json` and `run.json` in `out`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from typing import Any

import polars as pl

from linkage.blocking.rules import BlockingReport, BlockingRule, block
from linkage.compare.comparisons import Comparison
from linkage.engines.duckdb import Connection, connect, fetch, load
from linkage.models import artefact
from linkage.models.model import Model
from linkage.models.scoring import term_frequency_columns
from linkage.models.training import Trained, train
from linkage.outputs.durable import sha256_of, write_json, write_parquet
from linkage.outputs.folder import Fingerprint, FinishedStep, RunFolder
from linkage.outputs.manifest import Manifest, versions
from linkage.outputs.progress import Display, Progress, SilentDisplay
from linkage.outputs.steps import Made, Steps
from linkage.tables import levels, prior, records, score
from linkage.tables.cluster import Groups, clusters, groups, membership
from linkage.tables.decide import decisions
from linkage.tables.derive import prepare
from linkage.tables.job import Finished, TablesJob, comparisons_of, job, plan_of, readable, rules_of
from linkage.tables.parts import Cluster, Decide

__all__ = ["Finished", "TablesJob", "job", "link", "train_to"]

STEPS: Mapping[str, float] = {"read": 10, "train": 30, "score": 30, "decide": 25, "write": 5}
"""The steps of a run and their usual shares of its time."""


@dataclass
class _Run:
    job: TablesJob
    steps: Steps
    con: Connection
    comparisons: tuple[Comparison, ...]
    blocked: BlockingReport | None = None

    @property
    def sides(self) -> dict[str, Any]:
        """The tables on the left and on the right, and whether they are one and the same."""
        names = records.tables_of(self.job.config)
        return {"left": names[0], "right": names[-1], "dedupe": self.job.config.dedupe}

    @property
    def sizes(self) -> list[int]:
        """Records of each table."""
        return [self.done["read"].facts["sizes"][side] for side in self.job.config.sides]

    @property
    def all_pairs(self) -> float:
        """How many pairs of records there are."""
        first, last = self.sizes[0], self.sizes[-1]
        return max(first * (first - 1) / 2 if self.job.config.dedupe else float(first * last), 1.0)

    @property
    def model(self) -> Model:
        """The model that the step `train` left."""
        return artefact.model_of(self.done["train"].facts["model"], self.comparisons)

    @property
    def ids(self) -> list[pl.Series]:
        """The identifiers of each table's records, in the order of `id`."""
        read = self.done["read"]
        return [read.scan(side).select("unique_id").collect()["unique_id"] for side in self.job.config.sides]

    @property
    def done(self) -> dict[str, FinishedStep]:
        """The finished steps."""
        return self.steps.done

    @property
    def manifest(self) -> Manifest:
        """What goes into `run.json`."""
        return self.steps.manifest

    def step(self, name: str, after: tuple[str, ...], make: Callable[[_Run], Made]) -> None:
        """The step's results: those that are there already, or made now and made durable."""
        self.steps.run(name, after, lambda: make(self))


def link(job: TablesJob, *, display: Display | None = None) -> Finished:
    """Run the job to its end, or go on where it stopped; `LinkageError` in one sentence where it cannot."""
    with _opened(job, display) as run:
        run.step("read", (), _read)
        run.step("train", ("read",), _train)
        run.step("score", ("train",), _score)
        run.step("decide", ("score",), _clusters if job.config.dedupe else _links)
        run.step("write", ("decide",), _write)
        return Finished(job.out, run.manifest.as_dict()["counts"])


def train_to(job: TablesJob, model: Path, *, display: Display | None = None) -> None:
    """Train only, in a folder of its own beside `model`, and write the model with its card."""
    workplace = model.parent / f".{model.stem}-training"
    with _opened(replace(job, out=workplace, fresh=True), display) as run:
        run.step("read", (), _read)
        run.step("train", ("read",), _train)
        write_json(model, run.done["train"].facts["model"])
    rmtree(workplace)


@contextmanager
def _opened(job: TablesJob, display: Display | None) -> Iterator[_Run]:
    inputs = {side: sha256_of(path) for side, path in readable(job.files).items()}
    model = sha256_of(job.model) if job.model else None
    made_from = Fingerprint(inputs, job.config.fingerprint(), model, versions()["quychu"])
    with (
        RunFolder(job.out).open(made_from, fresh=job.fresh, keep=[job.model] if job.model else []) as folder,
        Manifest(job.out / "run.json") as manifest,
        Progress(STEPS, display or SilentDisplay()) as progress,
        connect(memory=job.memory, threads=job.threads, spill=folder.scratch()) as con,
    ):
        for side, path in job.files.items():
            manifest.add_input(side, path, sha256=inputs[side])
        manifest.set_hashes(config=made_from.config, model=model)
        yield _Run(job, Steps(folder, manifest, progress), con, comparisons_of(job.config))


# ---- the steps ---------------------------------------------------------------------------------------------------


def _read(run: _Run) -> Made:
    config = run.job.config
    sources = {side: records.read(path, config, side) for side, path in run.job.files.items()}
    rejected = pl.concat([source.rejected for source in sources.values()])
    sections = {
        "notes": [note for source in sources.values() for note in source.notes],
        "fill_rates": {side: records.fill_rates(source.lines, config) for side, source in sources.items()},
    }
    counts = records.accounts(sources)
    sizes = {side: source.lines.height for side, source in sources.items()}
    tables = {side: prepare(source.lines, config) for side, source in sources.items()}
    facts = {"rows": counts["rows_read"], "counts": counts, "sections": sections, "sizes": sizes}
    return Made({**tables, "rejected": rejected}, facts)


def _train(run: _Run) -> Made:
    if run.job.model is not None:
        _, body = artefact.read(run.job.model, run.comparisons)
    else:
        rules, trained = rules_of(run.job.config), _trained(run)
        card = {"rows": run.manifest.as_dict()["counts"], "versions": versions()}
        link_type = "dedupe_only" if run.job.config.dedupe else "link_only"
        body = artefact.write(trained, rules, card=card, link_type=link_type)
    write_json(run.job.out / "model.json", body)
    return Made(facts={"model": body})


def _score(run: _Run) -> Made:
    """Candidates worth keeping: those above `keep_at`, and in a link run the best one of each left-hand record."""
    config = run.job.config
    report = run.blocked or _weigh(run, run.model)
    decide = config.decide or Decide()
    sections: dict[str, object] = {"blocking": report.rows(), "reduction_ratio": report.reduction_ratio}
    if not config.dedupe and decide.probability == "posterior":
        left_rows, right_rows = run.sizes
        share = score.posterior_probabilities(run.con, left_rows=left_rows, right_rows=right_rows)
        sections["share_in_register"] = share
    else:
        score.pair_probabilities(run.con, run.model)
    keep_at = (config.cluster or Cluster()).keep_at if config.dedupe else decide.keep_at
    found = fetch(run.con, score.kept_sql(keep_at, best_of_each=not config.dedupe))
    run.con.execute("drop table scored")
    return Made({"candidates": found}, {"rows": report.pairs, "counts": {"pairs": report.pairs}, "sections": sections})


def _links(run: _Run) -> Made:
    candidates = run.done["score"].table("candidates")
    found = decisions(candidates, run.sizes[0], run.job.config.decide or Decide())
    return _decided(_named(run, found), {"persons": found.height}, {})


def _clusters(run: _Run) -> Made:
    told = run.job.config.cluster or Cluster()
    pairs = run.done["score"].table("candidates").select("l", "r", "match_weight", "match_probability")
    found = groups(pairs, run.sizes[0], link_at=told.link_at, max_group=told.max_group)
    members = found.members
    if told.method == "average_linkage":
        if told.score_whole_groups:
            pairs = pl.concat([pairs, _unseen(run, pairs, found, told)])
        members = clusters(pairs, found, mean_probability=told.mean_probability, max_group=told.max_group)
    links = membership(pairs, members, run.ids[0])
    counts = {"persons": links["cluster_id"].n_unique()}
    return _decided(links, counts, {"groups": {**found.row(), "pairs_scored": pairs.height}})


def _write(run: _Run) -> Made:
    out, links = run.job.out, run.done["decide"].table("links")
    write_parquet(out / "links.parquet", links)
    write_parquet(out / "candidates.parquet", _named(run, run.done["score"].table("candidates")))
    write_parquet(out / "rejected.parquet", run.done["read"].table("rejected"))
    return Made(facts={"rows": links.height})


# ---- what the steps need -----------------------------------------------------------------------------------------


def _load_records(run: _Run) -> None:
    """The tables of records in memory, unless an earlier step of this process left them there."""
    tables = records.tables_of(run.job.config)
    if run.con.execute("select 1 from duckdb_tables() where table_name = ?", [tables[0]]).fetchone():
        return
    for side, table in zip(run.job.config.sides, tables, strict=True):
        load(run.con, table, run.done["read"].table(side))
    columns = term_frequency_columns(run.comparisons)
    records.add_term_frequencies(run.con, columns, tables, records.term_frequency_tables(run.job.config))


def _trained(run: _Run) -> Trained:
    _load_records(run)
    trained = train(run.con, run.comparisons, plan_of(run.job.config), **run.sides, fixes=levels.fixes)
    prior = _prior(run, trained.model)
    return replace(trained, model=replace(trained.model, probability_two_random_records_match=prior))


def _prior(run: _Run, model: Model) -> float:
    told = run.job.config.training
    if told.certain_recall is None:
        run.blocked = _weigh(run, model)  # the step `score` goes on from these weights
        return prior.from_weights(run.con, "weights", run.all_pairs)
    rules = [BlockingRule(rule) for rule in told.certain]
    return prior.from_certain_pairs(run.con, rules, told.certain_recall, **run.sides)


def _weigh(run: _Run, model: Model) -> BlockingReport:
    _load_records(run)
    return score.weigh(run.con, model, rules_of(run.job.config), **run.sides)


def _unseen(run: _Run, pairs: pl.DataFrame, found: Groups, told: Cluster) -> pl.DataFrame:
    """The pairs inside a group that blocking did not see, scored with the same model."""
    _load_records(run)
    load(run.con, "grouped", pl.DataFrame({"id": range(len(found.members)), "group_no": found.members}))
    rule = BlockingRule(("group_no",), max_block_pairs=told.max_group * (told.max_group - 1) // 2)
    block(run.con, [rule], left="grouped", right="grouped", pairs="group_pairs", dedupe=True)
    load(run.con, "seen", pairs.select("l", "r"))
    run.con.execute("create or replace temp view unseen as select * from group_pairs anti join seen using (l, r)")
    score.weigh_pairs(run.con, run.model, "unseen", left=run.sides["left"], right=run.sides["right"])
    score.pair_probabilities(run.con, run.model)
    more = fetch(run.con, score.kept_sql(told.keep_at, best_of_each=False))
    return more.select(pl.col(name).cast(dtype) for name, dtype in pairs.schema.items())


def _decided(links: pl.DataFrame, counts: Mapping[str, int], sections: Mapping[str, Any]) -> Made:
    decided = dict(links.group_by("decision").len().sort("decision").iter_rows())
    facts = {"rows": links.height, "counts": {**counts, **decided, "links": links.height}, "sections": dict(sections)}
    return Made({"links": links}, facts)


def _named(run: _Run, pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs under the identifiers of their records."""
    ids = run.ids
    named = [
        pl.Series("unique_id_l", ids[0].gather(pairs["l"])),
        pl.Series("unique_id_r", ids[-1].gather(pairs["r"])),
    ]
    return pairs.select(*named, pl.exclude("l", "r"))
