"""`run.json`: what a run was made from and with, how far it came, what it took.

Rules
- Saved whenever a step begins or ends: a killed run still tells which step it was in.
- Inputs are named without their folder; no value of a record ever enters.
- Memory is that of the whole process tree (this process and all below it), sampled; it is the largest sum of resident
  memory seen, so pages shared by several processes count several times.
- Times are seconds of wall clock; moments are UTC.

>>> import json, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     with Manifest(Path(folder) / "run.json") as manifest:
...         with manifest.step("read") as step:
...             step.rows = 3
...         manifest.count(rows_read=3, rows_used=3, rows_rejected=0)
...     saved = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
>>> saved["status"], saved["steps"][0]["name"], saved["steps"][0]["rows"], saved["counts"]["rows_used"]
('finished', 'read', 3, 3)
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from linkage.outputs.durable import sha256_of, write_json

PACKAGES = ("quychu", "splink", "duckdb", "polars", "pyarrow", "numpy", "isal", "python-calamine")
SAMPLE_SECONDS = 0.2

_SAMPLES_PER_SEARCH = 5  # finding the children reads the list of all processes, which is dear


@dataclass
class StepRecord:
    """One step as it will stand in `run.json`; the caller sets `rows` and `continued` (its results were there)."""

    name: str
    status: str = "running"
    rows: int | None = None
    continued: bool = False
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputRecord:
    """An input file: its name without its folder, its hash, its size and the rows read from it."""

    role: str
    file: str
    sha256: str
    bytes: int
    rows: int | None = None


class Manifest:
    """Collects for `path`; use it in a `with` block, and `step` for each step within."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._path = path
        self._now = now
        self._clock = clock
        self._memory = MemorySampler()
        self._began = clock()
        self._started = now()
        self._finished: datetime | None = None
        self._status = "running"
        self._hashes: dict[str, str | None] = {"config": None, "model": None}
        self._inputs: dict[str, InputRecord] = {}
        self._steps: list[StepRecord] = []
        self._counts: dict[str, Any] = {}
        self._sections: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._memory.start()
        self.save()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status = _status_after(kind)
        self._finished = self._now()
        self._memory.stop()
        self.save()

    def add_input(self, role: str, path: Path, rows: int | None = None, sha256: str | None = None) -> InputRecord:
        """Records an input file; its hash is taken from the file unless it is known already."""
        record = InputRecord(role, path.name, sha256 or sha256_of(path), path.stat().st_size, rows)
        self._inputs[role] = record
        return record

    def set_hashes(self, config: str | None = None, model: str | None = None) -> None:
        """Records the SHA-256 of the config and of the model; what is not given stays."""
        given = {"config": config, "model": model}
        self._hashes |= {name: sha256 for name, sha256 in given.items() if sha256 is not None}

    def count(self, **counts: object) -> None:
        """Adds to `counts` (`rows_read`, `rows_used`, …); a later value replaces an earlier one."""
        self._counts |= counts

    def describe(self, **sections: object) -> None:
        """Adds sections of their own beside `counts` (`blocking`, `fill_rates`, …)."""
        self._sections |= sections

    @contextmanager
    def step(self, name: str) -> Iterator[StepRecord]:
        """Measures a step; saved at its beginning and at its end, whichever way it ends."""
        record = StepRecord(name)
        self._steps.append(record)
        self.save()
        began = self._clock()
        self._memory.restart_peak()
        try:
            yield record
            record.status = "finished"
        except BaseException as error:
            record.status = _status_after(type(error))
            raise
        finally:
            record.seconds = round(self._clock() - began, 3)
            record.peak_memory_bytes = self._memory.peak_since_restart()
            self.save()

    def as_dict(self) -> dict[str, Any]:
        """What `run.json` holds."""
        return {
            "format": 1,
            "status": self._status,
            "started": self._started.isoformat(timespec="seconds"),
            "finished": self._finished.isoformat(timespec="seconds") if self._finished else None,
            "seconds": round(self._clock() - self._began, 3),
            "peak_memory_bytes": self._memory.peak(),
            "counts": dict(self._counts),
            **self._sections,
            "inputs": [asdict(record) for record in self._inputs.values()],
            "config": {"sha256": self._hashes["config"]},
            "model": {"sha256": self._hashes["model"]},
            "steps": [asdict(record) for record in self._steps],
            "versions": versions(),
            "machine": {
                "system": platform.system(),
                "processors": os.cpu_count(),
                "memory_bytes": psutil.virtual_memory().total,
            },
        }

    def save(self) -> None:
        """Writes the file as it stands now."""
        write_json(self._path, self.as_dict())


class MemorySampler:
    """Looks at the resident memory of the process tree every `SAMPLE_SECONDS`, in a thread of its own."""

    def __init__(self, measure: Callable[[], int] | None = None) -> None:
        self._measure = measure or TreeMemory().measure
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-sampler", daemon=True)
        self._peak = 0
        self._recent_peak = 0

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after a last look."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.sample()

    def sample(self) -> None:
        """One look."""
        with self._lock:
            used = self._measure()
            self._peak = max(self._peak, used)
            self._recent_peak = max(self._recent_peak, used)

    def peak(self) -> int:
        """The most seen since the start, in bytes."""
        return self._peak

    def restart_peak(self) -> None:
        """From here on `peak_since_restart` counts anew."""
        with self._lock:
            self._recent_peak = 0
        self.sample()

    def peak_since_restart(self) -> int:
        """The most seen since `restart_peak`, in bytes."""
        self.sample()
        return self._recent_peak

    def _run(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.sample()


class TreeMemory:
    """The resident memory of this process and of all below it, in bytes."""

    def __init__(self) -> None:
        self._self = psutil.Process()
        self._children: list[psutil.Process] = []
        self._looks = 0

    def measure(self) -> int:
        """The sum now; children are looked for only every few times."""
        if self._looks % _SAMPLES_PER_SEARCH == 0:
            self._children = self._self.children(recursive=True)
        self._looks += 1
        return sum(map(_resident, [self._self, *self._children]))


def versions() -> dict[str, str]:
    """The versions of Python and of the packages whose results depend on them; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it ended in the meantime, or belongs to another user
        return 0


def _status_after(kind: type[BaseException] | None) -> str:
    if kind is None:
        return "finished"
    return "failed" if issubclass(kind, Exception) else "stopped"
