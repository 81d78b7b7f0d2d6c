"""The register's side of a run, read and normalised in a process of its own while the owners keep this one busy.

Rules
- First `read` (a bad file stops the run at once), then `normalise`; both happen in the same worker, so the raw lines
  never cross over, and the tables come back as Parquet files.
- The worker ends with its parent, also when that is killed.
- Where a second process cannot or should not be started (one thread, a locked-down machine), the same work is done
  here; the results are the same.

Worked example: `with Population(job…) as register: register.wait_read(); …; register.wait_tables()`.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from linkage.normalise.citizens import citizens
from linkage.normalise.parents import parents
from linkage.profile import SAMPLE_LINES, TableProfile, profile
from linkage.schemas import OWNER_LINES
from linkage.sources.mapping import SourceMapping
from linkage.sources.reading import Source, read_citizens

_held: dict[Path, Source] = {}
"""Lines read and not yet normalised, in the process that read them."""


@dataclass(frozen=True)
class Told:
    """What the worker needs to know; it is sent to another process."""

    path: Path
    mapping: SourceMapping
    sex_coding: Mapping[str, str]
    home_provinces: tuple[str, ...]
    latest_birth_year: int
    scratch: Path


@dataclass(frozen=True)
class Read:
    """What reading the register gave, without its lines."""

    rows_read: int
    rows_used: int
    rejected: pl.DataFrame
    notes: tuple[str, ...]
    fill_rates: dict[str, float]
    profile: TableProfile | None


def fill_rates(lines: pl.DataFrame) -> dict[str, float]:
    """The share of filled cells of each column."""
    return {column: lines[column].count() / max(lines.height, 1) for column in lines.columns}


def read(told: Told) -> Read:
    """Read the register and keep its lines for `normalise`."""
    source = read_citizens(told.path, told.mapping)
    _held[told.path] = source
    found = profile(OWNER_LINES.empty(), source.lines, sample=SAMPLE_LINES, home_provinces=told.home_provinces)
    height = source.lines.height
    return Read(source.rows_read, height, source.rejected, source.notes, fill_rates(source.lines), found.citizens)


def normalise(told: Told) -> dict[str, Path]:
    """The tables `citizens` and `parents` of the lines that `read` kept, as files in `scratch`."""
    source = _held.pop(told.path, None) or read_citizens(told.path, told.mapping)
    home, year = list(told.home_provinces), told.latest_birth_year
    files = {name: told.scratch / f"population.{name}.parquet" for name in ("citizens", "parents")}
    parents(source.lines).write_parquet(files["parents"], compression="zstd", compression_level=1)
    table = citizens(source.lines, sex_coding=told.sex_coding, home_provinces=home, latest_birth_year=year)
    table.write_parquet(files["citizens"], compression="zstd", compression_level=1, row_group_size=131_072)
    return files


def _end_with_parent() -> None:
    """A run killed with -9 cannot end its worker; the worker notices and ends itself."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Population:
    """The register's side under way; use it in a `with` block."""

    def __init__(self, told: Told, *, apart: bool) -> None:
        self._told = told
        self._pool: ProcessPoolExecutor | None = None
        self._read: Future[Read] | None = None
        self._tables: Future[dict[str, Path]] | None = None
        if apart:
            self._start()

    def _start(self) -> None:
        try:
            self._pool = ProcessPoolExecutor(
                1, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent
            )
            self._read = self._pool.submit(read, self._told)
            self._tables = self._pool.submit(normalise, self._told)
        except (OSError, RuntimeError, BrokenProcessPool):
            self._read = self._tables = None

    @property
    def helper(self) -> Executor | None:
        """The worker, for more work behind its own; None where there is none."""
        return self._pool

    def wait_read(self) -> Read:
        """What reading gave; a refusal of the file is raised here."""
        found: Read = self._result(self._read, read)
        return found

    def wait_tables(self) -> dict[str, Path]:
        """The files of `citizens` and `parents`; the worker is gone afterwards, and its memory with it."""
        files: dict[str, Path] = self._result(self._tables, normalise)
        self.close()
        return files

    def _result(self, future: Future[Any] | None, here: Callable[[Told], Any]) -> Any:
        if future is None:
            return here(self._told)
        try:
            return future.result()
        except BrokenProcessPool:  # the worker could not start, or was killed for want of memory
            self._read = self._tables = None
            return here(self._told)

    def close(self) -> None:
        """End the worker."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
