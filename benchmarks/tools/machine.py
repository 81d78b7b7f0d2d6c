"""Running a program and measuring it from outside, the same way for everyone who is compared.

Rules
- Seconds are wall clock from the start of the process to its end: start of the interpreter and imports included.
- Memory is the largest sum of resident memory over the whole process tree, sampled every `SAMPLE_SECONDS`; the kernel's
  own exact peak of the process stands in where it is larger. Pages shared between processes count several times.
- `warm` reads the input files once, so that nobody pays for the first read from disk.
- `use_cores` binds this process, and so everything it starts, to the same cores.

>>> run = measured([sys.executable, "-c", "print('done')"])
>>> run.code, run.stdout.strip(), run.peak_bytes > 1_000_000
(0, 'done', True)
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE_SECONDS = 0.05

_BLOCK_BYTES = 1 << 24


@dataclass(frozen=True)
class Run:
    """A finished process: its exit code, wall-clock seconds, peak memory of its tree, and what it wrote."""

    code: int
    seconds: float
    peak_bytes: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The last line on standard error, for a message."""
        lines = self.stderr.strip().splitlines()
        return lines[-1] if lines else f"exit code {self.code}"


class _TreePeak(threading.Thread):
    """Watches the resident memory of a process and of all below it until told to stop."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._root = psutil.Process(pid)
        self._done = threading.Event()
        self.peak = 0

    def run(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self._tree())

    def stop(self) -> int:
        self._done.set()
        self.join()
        return self.peak

    def _tree(self) -> int:
        try:
            return sum(map(_resident, [self._root, *self._root.children(recursive=True)]))
        except psutil.Error:  # it ended between two looks
            return 0


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def measured(command: Sequence[str | Path]) -> Run:
    """Run a command from the project's folder and measure it; output goes through files, so no pipe can fill up."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as err:
        began = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=out, stderr=err)
        watch = _TreePeak(process.pid)
        watch.start()
        code, exact = _wait(process)
        seconds = time.perf_counter() - began
        peak = max(watch.stop(), exact)
        return Run(code, seconds, peak, _content(out), _content(err))


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """The exit code, and the kernel's own peak of the process in bytes (0 where there is none)."""
    if not hasattr(os, "wait4"):  # Windows
        return process.wait(), 0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _content(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def warm(files: Iterable[Path]) -> None:
    """Read files once, so that they stand in the page cache."""
    for path in files:
        with path.open("rb") as file:
            while file.read(_BLOCK_BYTES):
                pass


def use_cores(cores: int | None) -> int:
    """Bind this process and its children to so many cores (where the system can); returns how many are in use."""
    if not hasattr(os, "sched_setaffinity"):  # macOS, Windows
        return os.cpu_count() or 1
    allowed = sorted(os.sched_getaffinity(0))
    if cores:
        os.sched_setaffinity(0, allowed[:cores])
    return len(os.sched_getaffinity(0))


def description(cores: int) -> str:
    """The machine in one line.

    >>> description(2).startswith("2 cores, ")
    True
    """
    memory, load = psutil.virtual_memory().total / 1e9, psutil.getloadavg()[0]
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{cores} cores, {memory:.0f} GB, {system}; load before the start {load:.1f}"
