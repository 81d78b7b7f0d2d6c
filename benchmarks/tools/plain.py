r"""The yardstick: plain Splink (`benchmarks/peers/plain_splink.py`), run unchanged and read from what it prints.

Rules
- The file's SHA-256 is compared with `SHA256` before each run: a yardstick that moved measures nothing.
- It runs in an interpreter of its own that has `vietnamadminunits`: the one given, this one, or that of `.venv-bench`.
- Its share of missed owners is 1 minus its printed "recall at precision …": over owner lines, best citizen of each.

>>> sorted(parsed("total 5.1 s, peak 0.3 GB\nrecall at precision 0.999: 0.86544\n").recall_at)
['0.999']
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.tools.machine import ROOT, Run, measured

SCRIPT = ROOT / "benchmarks" / "peers" / "plain_splink.py"
SHA256 = "da7d34bbbaab65197de47007279daf0d878cacd89ccc3f71869a414302bc1f79"
NO_INTERPRETER = (
    "plain Splink was not run: expected a Python with vietnamadminunits, found none; run `make bench`, "
    "which makes .venv-bench, or give --plain-python."
)

_HAS_LIBRARIES = (
    "import importlib.util as u, sys; sys.exit(not (u.find_spec('vietnamadminunits') and u.find_spec('splink')))"
)


@dataclass(frozen=True)
class Plain:
    """What plain Splink said of itself; `recall_at` by wanted precision, `at_probability` by its fixed thresholds."""

    recall_at: dict[str, float]
    at_probability: dict[str, dict[str, float]]
    own_seconds: float | None
    own_peak_gb: float | None

    def missed(self, precision: str = "0.999") -> float | None:
        """The share of in-register owners missed at the best threshold with this precision."""
        recall = self.recall_at.get(precision)
        return None if recall is None else 1 - recall

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def seal() -> str:
    """One line with the SHA-256 of the script and whether it is the agreed one."""
    found = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()
    word = "as agreed" if found == SHA256 else f"CHANGED: the agreed one is {SHA256}"
    return f"plain_splink.py SHA-256 {found} ({word})"


def find_python(given: Path | None) -> Path | None:
    """An interpreter that can run the script, or None."""
    names = [given] if given else list(_usual_places())
    return next((python for python in names if _can_run(python)), None)


def _usual_places() -> Iterator[Path]:
    yield Path(sys.executable)
    yield ROOT / ".venv-bench" / "bin" / "python"


def _can_run(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", _HAS_LIBRARIES], check=False, capture_output=True).returncode == 0
    except OSError:  # no such interpreter
        return False


def run(python: Path, folder: Path) -> Run:
    """Run plain Splink on a folder that holds land_owners, citizens and truth."""
    return measured([python, SCRIPT, folder])


def parsed(text: str) -> Plain:
    """Read what the script printed."""
    total = re.search(r"^total ([\d.]+) s, peak ([\d.]+) GB", text, re.MULTILINE)
    reach = re.findall(r"^recall at precision ([\d.]+): ([\d.]+)", text, re.MULTILINE)
    fixed = re.findall(r"^p >= ([\d.]+): precision ([\d.]+|nan) recall ([\d.]+)", text, re.MULTILINE)
    return Plain(
        recall_at={wanted: float(recall) for wanted, recall in reach},
        at_probability={p: {"precision": float(precision), "recall": float(recall)} for p, precision, recall in fixed},
        own_seconds=float(total[1]) if total else None,
        own_peak_gb=float(total[2]) if total else None,
    )
