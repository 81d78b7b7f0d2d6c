"""Asking as a step on files: the folder of a finished run → `questions.parquet`, `items.parquet`, `asked.parquet`.

Rules
- The owner file is the one that was linked, by its hash; another is refused. Without it a question says less.
- The ids of items are on the disk before any question names them.
- Doing it again with the same plan gives the same questions under the same ids.

Worked example: `ask(Path("ket-qua"), Plan(budget=500), owners=Path("so.parquet"), config=load(None))`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from linkage.ask.make import Asked, Earlier, Tables, Token, make, token
from linkage.ask.plan import Plan
from linkage.ask.tables import ASKED, ITEMS, QUESTIONS
from linkage.config import Config, load
from linkage.errors import InputError, RunFolderError
from linkage.outputs.counts import add_counts, read_manifest
from linkage.outputs.durable import sha256_of, write_parquet
from linkage.schemas import Table
from linkage.sources.mapping import mapping_of
from linkage.sources.reading import read_owners

_STEPS = ".steps"


def _needed(file: Path) -> pl.DataFrame:
    if not file.is_file():
        message = f"{file.name}: expected this table in the run folder, found none; run `quychu link` again."
        raise RunFolderError(message)
    return pl.read_parquet(file)


def _earlier(file: Path, table: Table) -> pl.DataFrame:
    return table.check(pl.read_parquet(file)) if file.is_file() else table.empty()


def _owner_lines(run: Path, owners: Path, config: Config) -> pl.DataFrame:
    linked: dict[str, str] = next((entry for entry in read_manifest(run)["inputs"] if entry["role"] == "owners"), {})
    if not owners.exists() or (owners.is_file() and sha256_of(owners) != linked.get("sha256")):
        message = (
            f"{owners.name}: expected the owner file that this run linked, found another or none; "
            "give that file with --owners."
        )
        raise InputError(message)
    return read_owners(owners, mapping_of(config.sources.owners)).lines


def tables_of(run: Path, owners: Path | None, config: Config) -> Tables:
    """The tables of a finished run."""
    steps = run / _STEPS
    return Tables(
        links=_needed(run / "links.parquet"),
        candidates=_needed(run / "candidates.parquet"),
        citizens=_needed(steps / "normalise.citizens.parquet"),
        mentions=_needed(steps / "normalise.mentions.parquet"),
        owner_ids=_needed(steps / "normalise.owner_ids.parquet"),
        lines=None if owners is None else _owner_lines(run, owners, config),
    )


def earlier_of(run: Path) -> Earlier:
    """What earlier rounds left in the folder."""
    labels = run / "labels.parquet"
    denied = pl.read_parquet(labels).filter(pl.col("label") == 0) if labels.is_file() else Earlier().denied
    return Earlier(
        _earlier(run / "questions.parquet", QUESTIONS),
        _earlier(run / "items.parquet", ITEMS),
        _earlier(run / "asked.parquet", ASKED),
        denied.select("owner_record_id", "role", "citizen_id"),
    )


def ask(
    run: Path, plan: Plan, *, owners: Path | None = None, config: Config | None = None, now: datetime | None = None,
    draw: Token = token,
) -> Asked:  # fmt: skip
    """Write the questions of this round into the folder of a finished run."""
    read_manifest(run)
    tables = tables_of(run, owners, config or load(None))
    asked = make(tables, earlier_of(run), plan, today=(now or datetime.now(UTC)).date(), draw=draw)
    write_parquet(run / "items.parquet", asked.items)
    write_parquet(run / "asked.parquet", asked.asked)
    write_parquet(run / "questions.parquet", asked.questions)
    add_counts(run, **asked.counts, left_out_of_questions=asked.left_out)
    return asked
