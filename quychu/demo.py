"""The whole story on generated data: generate, link, ask the citizens over HTTP, learn, judge, report.

Rules
- The service and the identity provider are processes of their own on loopback; questions and answers cross the wire
  sealed, as in production, with SQLite underneath.
- The truth is opened by the simulated citizens and by the two judgements, before the answers and after, alone.

>>> isinstance(tell.__doc__, str)
True
"""

from __future__ import annotations

import shutil
from pathlib import Path

from linkage.ask import Plan, ask
from linkage.config import load
from linkage.learn import learn, quality, record_quality, renew_workbook
from linkage.outputs.durable import write_text
from linkage.outputs.progress import display_for
from linkage.pipeline import Job, link
from linkage.report.metrics import evaluate_files
from linkage.report.page import write_report
from linkage.synth import generate
from quychu.circle.progress import counter
from quychu.circle.rehearsal import rehearse_run
from quychu.citizens import BEHAVIOURS, Citizens


def tell(out: Path, *, citizens: int, quiet: bool = False, seed: int = 1, behaviour: str = "mixed") -> Path:
    """Generate data in `out`/data, link it in `out`/run, ask, learn, judge; return the path of the report."""
    data, run = out / "data", out / "run"
    generate(citizens, data, seed=seed, profile="mixed")
    job = Job(data / "land_owners.parquet", data / "citizens.parquet", run, load(None), fresh=True)
    link(job, display=display_for(quiet=quiet))
    before = evaluate_files(run / "links.parquet", data / "truth.parquet", seed=seed)
    circle(out, behaviour=behaviour, quiet=quiet, seed=seed)
    after = evaluate_files(run / "links.parquet", data / "truth.parquet", seed=seed)
    record_quality(run, before=quality(before), after=quality(after))
    write_text(run / "evaluation.json", after.to_json() + "\n")
    return write_report(run, evaluation=after)


def circle(out: Path, *, behaviour: str, quiet: bool, seed: int) -> None:
    """Ask about what the data cannot tell, let the citizens answer, and learn from it."""
    data, run, place = out / "data", out / "run", out / "circle"
    for old in (run / "circle", place):
        shutil.rmtree(old, ignore_errors=True)  # the story begins anew: other questions, an empty service
    made = ask(run, Plan(expires_in_seconds=86_400), owners=data / "land_owners.parquet")
    people = Citizens.open(
        data / "truth.parquet", data / "land_owners.parquet", made.items, BEHAVIOURS[behaviour], seed=seed
    )
    answers = rehearse_run(run, people, place=place, progress=counter("places answered", quiet=quiet))
    learn(run, answers)
    renew_workbook(run, data / "land_owners.parquet")
