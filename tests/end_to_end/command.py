"""The real command, run as a process of its own, and what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quychu.cli import main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "quychu.cli")
_TIMEOUT_SECONDS = 240


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        return self.out + self.err

    @property
    def refusal(self) -> str:
        """The one sentence of a refused command, without the lines of progress before it."""
        assert self.code == 1, self.told
        assert "Traceback" not in self.told
        said = [line for line in self.err.splitlines() if " of the run" not in line]
        assert len(said) == 1, self.err
        assert said[0].startswith("quychu: ")
        assert "unforeseen" not in said[0], said[0]
        assert not self.out
        return said[0].removeprefix("quychu: ")


def quychu(*words: object, environment: dict[str, str] | None = None, cwd: Path | None = None) -> Done:
    """Runs `quychu` with these words to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        env=surroundings(environment),
        cwd=cwd,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def quychu_here(capfd: pytest.CaptureFixture[str], *words: object) -> Done:
    """The same within this process: for many short refusals, where starting a process would be most of the time."""
    code: object = 0
    capfd.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["quychu", *map(str, words)])
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    said = capfd.readouterr()
    return Done(int(str(code)), said.out, said.err)


def surroundings(more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: ours, with this checkout first, and `more`."""
    own = {**os.environ, **(more or {})}
    path = os.pathsep.join(filter(None, (str(ROOT), own.get("PYTHONPATH", ""))))
    return {**own, "PYTHONPATH": path}


def linked(*words: object, environment: dict[str, str] | None = None) -> Done:
    """Runs `quychu link` on two cores, and expects it to end well."""
    done = quychu("link", "--threads", 2, *words, environment=environment)
    assert done.code == 0, done.told
    return done


def links_of(run: Path) -> pl.DataFrame:
    """The links of a run, in one order."""
    return pl.read_parquet(run / "links.parquet").sort("owner_record_id", "role")


def manifest_of(run: Path) -> dict[str, Any]:
    """`run.json` of a run."""
    content: dict[str, Any] = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return content
