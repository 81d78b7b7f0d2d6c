"""Our own side of a comparison: generated data, and `quychu link` as a user runs it.

Rules
- Both run in processes of their own, so that what they use can be measured and is given back.
- `link` gets a folder with the two registers and nothing else: the truth is out of its reach.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tools.machine import Run, measured

QUYCHU = (sys.executable, "-m", "quychu.cli")
REGISTERS = ("land_owners.parquet", "citizens.parquet")
TRUTH = "truth.parquet"


@dataclass(frozen=True)
class Linked:
    """A finished `quychu link`: how the process went, where its files are, and its own account of it."""

    run: Run
    out: Path
    manifest: dict[str, Any]

    def steps(self) -> dict[str, float]:
        """Seconds of each step, as `run.json` tells them."""
        return {step["name"]: step["seconds"] for step in self.manifest["steps"]}

    def step_peaks(self) -> dict[str, int]:
        """Peak memory of each step in bytes, as `run.json` tells it."""
        return {step["name"]: step["peak_memory_bytes"] for step in self.manifest["steps"]}


def generate(citizens: int, out: Path, *, seed: int, profile: str = "mixed") -> Path:
    """Write generated registers with their truth into `out`."""
    told: list[str | Path] = [
        "--citizens",
        str(citizens),
        "--out",
        out,
        "--seed",
        str(seed),
        "--profile",
        profile,
        "--quiet",
    ]
    _finished(measured([*QUYCHU, "synth", *told]), "quychu synth")
    return out


def without_truth(data: Path, out: Path) -> Path:
    """A copy of the two registers alone."""
    out.mkdir(parents=True, exist_ok=True)
    for name in REGISTERS:
        shutil.copyfile(data / name, out / name)
    return out


def link(registers: Path, out: Path) -> Linked:
    """Run `quychu link` with all its outputs, from the beginning."""
    shutil.rmtree(out, ignore_errors=True)
    owners, citizens = (registers / name for name in REGISTERS)
    run = measured([*QUYCHU, "link", "--owners", owners, "--citizens", citizens, "--out", out, "--quiet"])
    _finished(run, "quychu link")
    return Linked(run, out, json.loads((out / "run.json").read_text(encoding="utf-8")))


def _finished(run: Run, name: str) -> None:
    if run.code != 0:
        sys.exit(f"{name} did not finish, so there is nothing to measure: {run.complaint}")
