"""The whole story on generated data: generate, link, judge, report.

>>> isinstance(tell.__doc__, str)
True
"""

from __future__ import annotations

from pathlib import Path

from linkage.config import load
from linkage.outputs.durable import write_text
from linkage.outputs.progress import display_for
from linkage.pipeline import Job, link
from linkage.report.metrics import evaluate_files
from linkage.report.page import write_report
from linkage.synth import generate


def tell(out: Path, *, citizens: int, quiet: bool = False, seed: int = 1) -> Path:
    """Generate data in `out`/data, link it in `out`/run, judge it, and return the path of the report."""
    data, run = out / "data", out / "run"
    generate(citizens, data, seed=seed, profile="mixed")
    job = Job(data / "land_owners.parquet", data / "citizens.parquet", run, load(None), fresh=True)
    link(job, display=display_for(quiet=quiet))
    evaluation = evaluate_files(run / "links.parquet", data / "truth.parquet", seed=seed)
    write_text(run / "evaluation.json", evaluation.to_json() + "\n")
    return write_report(run, evaluation=evaluation)
