"""The run folder: what a run has finished, so that a stopped run goes on where it was.

Rules
- A folder belongs to one set of inputs, config, model and program version (`Fingerprint`); a run with others is refused
  unless it starts fresh. A folder that holds anything else is never touched.
- A finished step leaves its tables and facts in `.steps/`, each durable and hashed. The step's record is written
  last: a step is either finished in full or not at all.
- A step is done again when an artefact is absent or damaged, or when a step it depends on gave something else.
- Two runs never share a folder: the operating system holds the lock, and drops it when the process ends, however it
  ends.
- What a killed run left half-written is cleared away.

>>> import tempfile
>>> inputs = Fingerprint(inputs={"owners": "5e1f"}, config="c0", model=None)
>>> with tempfile.TemporaryDirectory() as place, RunFolder(Path(place) / "out").open(inputs) as folder:
...     folder.finished("normalise") is None
...     _ = folder.finish("normalise", tables={"mentions": pl.DataFrame({"n": [1, 2]})}, facts={"rows": 2})
...     done = folder.finished("normalise")
...     done.table("mentions").height, done.facts["rows"]
True
(2, 2)
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from filelock import FileLock, Timeout

from linkage.errors import RunFolderError
from linkage.outputs.durable import move_into, remove_leftovers, sha256_of, write_json, write_parquet

STEPS = ".steps"
# Everything a run writes into its folder; a fresh start removes these and nothing else.
OUTPUT_FILES = (
    "links.parquet", "persons.parquet", "candidates.parquet", "links.xlsx", "parcels.parquet", "questions.parquet",
    "rejected.parquet", "model.json", "run.json", "report.html",
    "items.parquet", "asked.parquet", "answers.parquet", "labels.parquet", "outcomes.parquet", "links.before.parquet",
    "model-2.json", "model-comparison.json",
)  # fmt: skip

CONVERSATION = "circle"
"""Folder of receipts and answers (`quychu ask`, `quychu collect`)."""

_OWNER_FILE = "folder.json"
_LOCK_FILE = "lock"
_STEP_SUFFIX = ".step.json"
_SCRATCH = "scratch"
_FORMAT = 1
_LEFT_BY_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini"}
_STEP_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Fingerprint:
    """What a run is made from: SHA-256 by input, of the config and of the model (None: trained in the run)."""

    inputs: Mapping[str, str]
    config: str
    model: str | None = None
    version: str = ""

    def differences(self, other: Mapping[str, object]) -> list[str]:
        """Which parts `other`, as read from a folder, has otherwise.

        >>> Fingerprint({"owners": "a"}, "b").differences({"inputs": {"owners": "x"}, "config": "b", "model": None})
        ['inputs']
        """
        return [name for name, own in asdict(self).items() if own != other.get(name, "" if name == "version" else None)]


@dataclass(frozen=True)
class FinishedStep:
    """A step whose artefacts are all there and as they were written; `facts` are its small results."""

    name: str
    files: Mapping[str, Path]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> pl.DataFrame:
        """A table of the step, in memory."""
        return pl.read_parquet(self.files[name])

    def scan(self, name: str) -> pl.LazyFrame:
        """A table of the step, read as far as it is needed."""
        return pl.scan_parquet(self.files[name])


class RunFolder:
    """A folder for the results of one run; `open` it before anything else, and close it (or use `with`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._steps = path / STEPS
        self._lock = FileLock(self._steps / _LOCK_FILE)
        self._verified: set[str] = set()

    def open(self, fingerprint: Fingerprint, *, fresh: bool = False, keep: Collection[Path] = ()) -> Self:
        """Takes the folder for this run; a fresh start removes an earlier run's files, but never those in `keep`."""
        self._prepare()
        try:
            self._claim(fingerprint, fresh=fresh, keep=keep)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Lets other runs have the folder."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def finished(self, name: str, depends_on: Collection[str] = ()) -> FinishedStep | None:
        """The step's results if it need not be done again."""
        record = self._record(name)
        if record is None or record["after"] != {step: self._digest(step) for step in depends_on}:
            return None
        files = {table: self._steps / entry["file"] for table, entry in record["tables"].items()}
        if name not in self._verified:
            if not all(_is_intact(files[table], entry) for table, entry in record["tables"].items()):
                return None
            self._verified.add(name)
        return FinishedStep(name, files, record["facts"])

    def finish(
        self,
        name: str,
        tables: Mapping[str, pl.DataFrame | Path] | None = None,
        facts: Mapping[str, Any] | None = None,
        depends_on: Collection[str] = (),
    ) -> FinishedStep:
        """Makes a step's results durable; from here on it is finished. A table given as a Parquet file is moved in."""
        self._forget(_checked(name))
        entries = {table: self._put(name, _checked(table), frame) for table, frame in (tables or {}).items()}
        after = {step: self._digest(step) for step in depends_on}
        write_json(
            self._steps / f"{name}{_STEP_SUFFIX}", {"tables": entries, "facts": dict(facts or {}), "after": after}
        )
        self._verified.add(name)
        return FinishedStep(name, {table: self._steps / entry["file"] for table, entry in entries.items()}, facts or {})

    def scratch(self) -> Path:
        """A folder for what lasts no longer than the run (an engine's spill files); emptied when a run begins."""
        path = self._steps / _SCRATCH
        path.mkdir(exist_ok=True)
        return path

    def discard_steps(self, names: Collection[str]) -> None:
        """Frees the disk of steps whose results are no longer needed; they count as not finished."""
        for name in names:
            self._forget(_checked(name))

    def _prepare(self) -> None:
        try:
            if not _is_ours(self.path) and not _is_empty(self.path):
                raise RunFolderError(
                    f"{self.path.name}: expected an empty folder or one made by quychu, found other files in it; "
                    "give another folder with --out."
                )
            self._steps.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunFolderError(
                f"{self.path.name}: expected a folder no other run is using, found one at work; "
                "wait until it ends or give another folder with --out."
            ) from None
        except OSError as error:
            raise RunFolderError(
                f"{self.path.name}: expected a folder to write in, found none ({error.strerror or 'no access'}); "
                "give another folder with --out."
            ) from error

    def _claim(self, fingerprint: Fingerprint, *, fresh: bool, keep: Collection[Path]) -> None:
        remove_leftovers(self.path)
        remove_leftovers(self._steps)
        shutil.rmtree(self._steps / _SCRATCH, ignore_errors=True)
        if fresh:
            self._remove_results(keep)
        if not (self._steps / _OWNER_FILE).exists():
            write_json(self._steps / _OWNER_FILE, {"format": _FORMAT, "made_from": asdict(fingerprint)})
        elif differences := fingerprint.differences(_made_from(self._steps / _OWNER_FILE)):
            raise RunFolderError(
                f"{self.path.name}: expected a folder made from the same inputs, config, model and version, "
                f"found another {' and '.join(differences)}; give another folder with --out or start over with --fresh."
            )

    def _remove_results(self, keep: Collection[Path]) -> None:
        """The owner file goes last and the lock stays, so that a stop in between still leaves a folder of ours."""
        kept = {path.resolve() for path in keep}
        for name in OUTPUT_FILES:
            if (self.path / name).resolve() not in kept:
                (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / CONVERSATION, ignore_errors=True)
        for entry in sorted(self._steps.iterdir(), key=lambda entry: entry.name == _OWNER_FILE):
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != _LOCK_FILE:
                entry.unlink()

    def _record(self, name: str) -> dict[str, Any] | None:
        try:
            record = json.loads((self._steps / f"{_checked(name)}{_STEP_SUFFIX}").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        complete = isinstance(record, dict) and record.keys() >= {"tables", "facts", "after"}
        return record if complete else None

    def _digest(self, name: str) -> str | None:
        """One hash for all a step gave, itself included in those of the steps after it."""
        record = self._record(name)
        if record is None:
            return None
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def _put(self, name: str, table: str, content: pl.DataFrame | Path) -> dict[str, Any]:
        path = self._steps / f"{name}.{table}.parquet"
        if isinstance(content, Path):
            move_into(content, path)
        else:
            write_parquet(path, content)
        return {"file": path.name, "sha256": sha256_of(path)}

    def _forget(self, name: str) -> None:
        """The record goes first: without it the tables are only leftovers."""
        self._verified.discard(name)
        (self._steps / f"{name}{_STEP_SUFFIX}").unlink(missing_ok=True)
        for table in self._steps.glob(f"{name}.*.parquet"):
            table.unlink()


def _checked(name: str) -> str:
    if not _STEP_NAME.fullmatch(name):
        raise ValueError(f"a step or table name is lower-case letters, digits, _ and -, not {name!r}")
    return name


def _is_ours(path: Path) -> bool:
    return (path / STEPS / _OWNER_FILE).is_file()


def _is_empty(path: Path) -> bool:
    """Nothing in it but what file managers leave, or what a run killed in its first moment left."""
    if not path.exists():
        return True
    if not path.is_dir():
        return False
    entries = {entry.name for entry in path.iterdir()} - _LEFT_BY_SYSTEMS
    inside = {entry.name for entry in (path / STEPS).iterdir()} if entries == {STEPS} else entries
    return all(name == _LOCK_FILE or name.startswith(f".{_OWNER_FILE}.") for name in inside)


def _is_intact(path: Path, entry: Mapping[str, Any]) -> bool:
    with suppress(OSError):
        return bool(sha256_of(path) == entry["sha256"])
    return False


def _made_from(path: Path) -> Mapping[str, object]:
    try:
        made_from = json.loads(path.read_text(encoding="utf-8"))["made_from"]
    except (OSError, ValueError, KeyError, TypeError):
        made_from = None
    if not isinstance(made_from, dict):
        raise RunFolderError(
            f"{path.parent.parent.name}: expected the record of what the folder was made from, found it damaged; "
            "start over with --fresh."
        )
    return made_from
