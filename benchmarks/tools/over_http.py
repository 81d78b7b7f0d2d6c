"""The life of questions over the wire: service and provider as processes, every message sealed, SQLite underneath.

Rules
- Each call has a world of its own: fresh keys, an empty service, an empty provider.
- The citizens answer at once through the provider's driver API; who stays silent is withdrawn at the end.

Worked example: `OverHttp().answers(questions, citizens)` gives what `InProcess().answers(questions, citizens)` models.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from linkage.ask.tables import ASKED
from quychu.circle.rehearsal import rehearse_run
from quychu.citizens import Citizens


class OverHttp:
    """A `World` (benchmarks/tools/in_process.py) of real processes."""

    def answers(self, questions: pl.DataFrame, citizens: Citizens) -> pl.DataFrame:
        """`ANSWERS`, all of them once every accepted item has an outcome."""
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            run.mkdir()
            questions.write_parquet(run / "questions.parquet")
            _asked(questions).write_parquet(run / "asked.parquet")
            return rehearse_run(run, citizens)


def _asked(questions: pl.DataFrame) -> pl.DataFrame:
    item = pl.col("parcels").list.eval(pl.element().struct.field("item_id")).alias("item_id")
    pairs = questions.select("question_id", "citizen_id", item).explode("item_id")
    return pl.concat([ASKED.empty(), pairs], how="diagonal")
