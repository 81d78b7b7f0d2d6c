"""The job of a generic run: which files, which config, and what the engine is told.

Rules
- A file given on the command line comes before the one that the TOML file names.
- One table is enough for `dedupe`; a second one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linkage.blocking.rules import BlockingRule
from linkage.compare.comparisons import Comparison
from linkage.errors import ConfigError, InputError
from linkage.models.training import TrainingPlan
from linkage.tables import levels
from linkage.tables.config import LEFT, RECORDS, RIGHT, TablesConfig, load


@dataclass(frozen=True)
class TablesJob:
    """What to link, where to put it, and how much of the machine to use; `files` are by side."""

    files: Mapping[str, Path]
    out: Path
    config: TablesConfig
    model: Path | None = None
    fresh: bool = False
    memory: str = "2GB"
    threads: int | None = None


@dataclass(frozen=True)
class Finished:
    """Where a run's files are, and its counts."""

    out: Path
    counts: Mapping[str, Any]


def job(config_file: Path, *, out: Path, left: Path | None = None, right: Path | None = None, **told: Any) -> TablesJob:
    """The job of a config file: files given here come before those that it names."""
    config = load(config_file)
    given = {LEFT: left, RIGHT: right, RECORDS: left}
    if config.dedupe and right is not None:
        message = f"{config_file.name}: expected one file for kind dedupe, found two; leave out the second."
        raise ConfigError(message)
    files = {side: given[side] or _named(config_file, config, side) for side in config.sides}
    return TablesJob(files, out, config, **told)


def _named(config_file: Path, config: TablesConfig, side: str) -> Path:
    file = config.source(side).file
    if file is None:
        option = "--right" if side == RIGHT else "--left"
        message = (
            f"{config_file.name}: expected a file for [sources.{side}], found none; give {option} or 'file' there."
        )
        raise ConfigError(message)
    return config_file.parent / file


def comparisons_of(config: TablesConfig) -> tuple[Comparison, ...]:
    """The comparisons that a config describes."""
    return tuple(levels.comparison(told) for told in config.comparisons)


def rules_of(config: TablesConfig) -> list[BlockingRule]:
    """The blocking rules that a config names."""
    told, lists = config.blocking, set(config.lists)
    return [BlockingRule(rule, told.max_block_pairs, tuple(c for c in rule if c in lists)) for rule in told.rules]


def plan_of(config: TablesConfig) -> TrainingPlan:
    """How a config wants its model trained."""
    told = config.training
    return TrainingPlan(told.em, told.seed, told.u_pairs, told.block_pairs, told.smoothing, told.max_iterations)


def readable(files: Mapping[str, Path]) -> Mapping[str, Path]:
    """The files, if they are all there; `InputError` names the first that is not."""
    for path in files.values():
        if not path.is_file():
            message = f"{path}: expected a file, found none; check the path."
            raise InputError(message)
    return files


def summary(counts: Mapping[str, Any]) -> str:
    """What became of the rows and of the records, in two lines for a terminal."""
    decided = ", ".join(f"{name} {counts[name]:,}" for name in ("link", "review", "no_match") if name in counts)
    return (
        f"rows read {counts['rows_read']:,} = used {counts['rows_used']:,} + rejected {counts['rows_rejected']:,}\n"
        f"pairs compared {counts['pairs']:,}; records decided {counts['links']:,}: {decided}"
    )
