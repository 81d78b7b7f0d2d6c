"""Steps: each is made once, made durable, measured and shown; a run that was stopped goes on behind the last one.

>>> Made(facts={"rows": 3}).facts["rows"]
3
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from linkage.outputs.folder import FinishedStep, RunFolder
from linkage.outputs.manifest import Manifest
from linkage.outputs.progress import Progress


@dataclass(frozen=True)
class Made:
    """What a step gives: tables for later steps (a file is moved into the run folder), and facts.

    Of the facts `rows`, `counts` and `sections` go into `run.json`.
    """

    tables: Mapping[str, pl.DataFrame | Path] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Steps:
    """The steps of one run and what is done of them."""

    folder: RunFolder
    manifest: Manifest
    progress: Progress
    done: dict[str, FinishedStep] = field(default_factory=dict)

    def run(self, name: str, after: tuple[str, ...], make: Callable[[], Made]) -> FinishedStep:
        """The step's results: those that are there already, or made now and made durable."""
        with self.progress.step(name) as shown, self.manifest.step(name) as record:
            finished = self.folder.finished(name, after)
            if finished is None:
                made = make()
                finished = self.folder.finish(name, made.tables, made.facts, after)
            else:
                shown.skip()
                record.continued = True
            record.rows = finished.facts.get("rows")
            self.manifest.count(**finished.facts.get("counts", {}))
            self.manifest.describe(**finished.facts.get("sections", {}))
            self.done[name] = finished
            return finished
