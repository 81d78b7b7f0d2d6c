"""How many owners of the register are missed: ours beside plain Splink, in one run on the same data.

python benchmarks/accuracy.py [--citizens 100000] [--profiles mixed,rural] [--seed 1] [--data DIR] [--json FILE]

Rules
- Plain Splink and `quychu link` read the same files; ours reads them from a folder that holds no truth.
- Missed is a line whose named person is in the register and got no link, or a wrong one. Linked organisations, invented
  persons and persons who are not in the register count as wrong.
- Given twice: at the best threshold with precision >= 0.999, and for what the engine itself decided `link`. The best
  threshold is looked for over the best candidates of *all* named persons, also of those decided `not_a_person`, in
  falling order of (match_probability, match_weight); equals enter together.
- Plain Splink is judged by the figures it prints itself; it knows owners only.
- The exit code is 0 whether targets are met or not.

Worked example: plain Splink prints "recall at precision 0.999: 0.86544", so it misses 13.46 %; ours misses 3.26 %:
"PASS owners missed at precision 0.999, ours / plain: 0.242 (target: at most 0.400)".
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import polars as pl

from benchmarks.tools import ours, plain
from benchmarks.tools.figures import Target, gigabytes, percent, ratio, seconds, table, write_json
from benchmarks.tools.machine import Run, description, use_cores, warm
from linkage.report.clusters import ClusterScores
from linkage.report.curve import OperatingPoint
from linkage.report.intervals import Rate
from linkage.report.judge import judge
from linkage.report.metrics import Evaluation, Scores, evaluate

WANTED_PRECISION = 0.999
LINK_PRECISION = 0.998
MISSED_OF_PLAIN = 0.4
CO_OWNERS_OF_OWNERS = 1.5
GATHERING_PRECISION, GATHERING_RECALL = 0.999, 0.90
PRECISIONS = (0.9995, 0.999, 0.995, 0.99)
SCOPES = {"owner": "owners", "co_owner": "co-owners", "all": "all named persons"}


@dataclass(frozen=True)
class Comparison:
    """Both sides on one set of data; `plain` is None where it was not run or failed, and `why_not` says why."""

    name: str
    linked: ours.Linked
    evaluation: Evaluation
    at_one_threshold: dict[str, float]
    plain: plain.Plain | None
    plain_run: Run | None
    why_not: str = ""


def compare(name: str, data: Path, work: Path, plain_python: Path | None) -> Comparison:
    """Run both sides on one set of data."""
    registers = ours.without_truth(data, work / "registers")
    warm(path for folder in (data, registers) for path in folder.glob("*.parquet"))
    run = plain.run(plain_python, data) if plain_python else None
    linked = ours.link(registers, work / "run")
    links, truth = (pl.read_parquet(path) for path in (linked.out / "links.parquet", data / ours.TRUTH))
    evaluation = evaluate(links, truth)
    shared = missed_from(point_at(evaluation.scopes["all"]), judge(links, truth))
    if run is None or run.code != 0:
        why_not = plain.NO_INTERPRETER if run is None else f"plain Splink failed: {run.complaint}"
        return Comparison(name, linked, evaluation, shared, None, run, why_not)
    return Comparison(name, linked, evaluation, shared, plain.parsed(run.stdout), run)


# ---- the figures ---------------------------------------------------------------------------------------------------


def point_at(scores: Scores | None, precision: float = WANTED_PRECISION) -> OperatingPoint | None:
    """The best threshold with this precision."""
    points = scores.operating_points if scores else []
    return next((point for point in points if point.wanted_precision == precision), None)


def missed_at(scores: Scores | None, precision: float = WANTED_PRECISION) -> float | None:
    """The share missed at the best threshold with this precision; all are missed where no threshold reaches it."""
    point = point_at(scores, precision)
    if point is None or scores is None or not scores.known:
        return None
    return 1.0 if point.missed is None else point.missed


def missed_from(point: OperatingPoint | None, judged: pl.DataFrame) -> dict[str, float]:
    """By scope, the share missed where everybody is accepted from one and the same threshold upwards."""
    if point is None or point.match_probability is None:
        return {}
    weight = -math.inf if point.match_weight is None else point.match_weight
    same = pl.col("match_probability") == point.match_probability
    taken = (pl.col("match_probability") > point.match_probability) | (
        same & (pl.col("match_weight").fill_null(-math.inf) >= weight)
    )
    missed = ~(pl.col("candidate_right") & taken).fill_null(value=False)
    known = judged.filter("known").with_columns(missed=missed)
    shares = pl.concat([known, known.with_columns(scope=pl.lit("all"))]).group_by("scope").agg(pl.col("missed").mean())
    return dict(shares.iter_rows())


def missed_by_link(scores: Scores | None) -> float | None:
    """The share missed by what the engine decided `link`."""
    return scores.missed / scores.known if scores and scores.known else None


def targets(found: Comparison) -> list[Target]:
    """Every target of the engine, judged."""
    scopes = found.evaluation.scopes
    owners, co_owners = scopes.get("owner"), scopes.get("co_owner")
    of_plain = found.plain.missed() if found.plain else None
    why = "plain Splink was not run" if found.plain is None else "no figure"
    at, by = f"at precision {WANTED_PRECISION}", "by decision link"
    return [
        Target(
            f"owners missed {at}, ours / plain", ratio(missed_at(owners), of_plain), MISSED_OF_PLAIN, "at most", why=why
        ),
        Target(
            f"owners missed {by}, ours / plain",
            ratio(missed_by_link(owners), of_plain),
            MISSED_OF_PLAIN,
            "at most",
            why=why,
        ),
        Target(
            f"missed {at}, co-owners / owners",
            ratio(missed_at(co_owners), missed_at(owners)),
            CO_OWNERS_OF_OWNERS,
            "at most",
        ),
        Target(
            f"missed {by}, co-owners / owners",
            ratio(missed_by_link(co_owners), missed_by_link(owners)),
            CO_OWNERS_OF_OWNERS,
            "at most",
        ),
        *(
            Target(
                f"precision of decision link, {SCOPES[scope]}",
                scores.precision.value,
                LINK_PRECISION,
                "at least",
                ".5f",
            )
            for scope, scores in scopes.items()
        ),
        *_gathering_targets(found.evaluation.gathering),
    ]


def _gathering_targets(gathering: ClusterScores | None) -> list[Target]:
    """Over all pairs, and for the worst size of group; a person of one line has no pair to be right about."""
    if gathering is None:
        return []
    sizes = [size for size in gathering.by_size if size.recall is not None]
    worst = min((size.recall for size in sizes if size.recall is not None), default=None)
    least = min((size.precision for size in sizes if size.precision is not None), default=None)
    return [
        Target("gathering, precision over pairs of lines", gathering.precision, GATHERING_PRECISION, "at least", ".5f"),
        Target("gathering, recall over pairs of lines", gathering.recall, GATHERING_RECALL, "at least", ".5f"),
        Target("gathering, precision at the worst number of lines", least, GATHERING_PRECISION, "at least", ".5f"),
        Target("gathering, recall at the worst number of lines", worst, GATHERING_RECALL, "at least", ".5f"),
    ]


# ---- as text -------------------------------------------------------------------------------------------------------


def missed_table(found: Comparison) -> str:
    """The shares missed: a row per threshold, a column per side and scope."""
    scopes, theirs = found.evaluation.scopes, found.plain
    names = [scope for scope in SCOPES if scope in scopes]
    head = ("share missed", "plain, owners", *(f"ours, {SCOPES[name]}" for name in names))
    at = [
        (f"at precision {wanted}", percent(theirs.missed(str(wanted)) if theirs else None),
         *(percent(missed_at(scopes[name], wanted)) for name in names))
        for wanted in PRECISIONS
    ]  # fmt: skip
    shared = (
        f"one threshold for all, {WANTED_PRECISION}",
        "–",
        *(percent(found.at_one_threshold.get(n)) for n in names),
    )
    link = ("decided link", "–", *(percent(missed_by_link(scopes[name])) for name in names))
    precision = ("  its precision", "–", *(percent(scopes[name].precision.value, 3) for name in names))
    interval = ("  95 % interval over persons", "–", *(_interval(scopes[name].precision) for name in names))
    known = ("lines with a person of the register", "", *(f"{scopes[name].known:,}" for name in names))
    kinds = list(scopes["all"].wrong)
    wrong = [
        (f"  linked wrongly: {kind.replace('_', ' ')}", "", *(f"{scopes[n].wrong[kind]:,}" for n in names))
        for kind in kinds
    ]
    return table([head, known, *at, shared, link, precision, interval, *wrong])


def _interval(rate: Rate) -> str:
    return "–" if rate.low is None else f"{percent(rate.low, 3)} to {percent(rate.high, 3)}"


def gathering_table(gathering: ClusterScores | None) -> str:
    """Quy chủ: pairs of lines put together, over all and by the number of lines of the true person."""
    if gathering is None:
        return "gathering: links.parquet has no person_id"
    head = ("lines of one person put together", "persons", "precision", "recall")
    everyone = ("all", f"{gathering.true_groups:,}", percent(gathering.precision, 3), percent(gathering.recall, 3))
    sizes = [
        (
            f"  {size.size} lines each",
            f"{size.groups:,}",
            percent(size.precision, 3) if size.recall is not None else "–",
            percent(size.recall, 3),
        )
        for size in gathering.by_size
    ]
    return table([head, everyone, *sizes])


def cost_table(found: Comparison) -> str:
    """Seconds and memory of both sides, measured from outside."""
    theirs, mine, said = found.plain_run, found.linked.run, found.plain
    return table(
        [
            ("measured from outside", "plain", "ours"),
            ("seconds", seconds(theirs.seconds if theirs else None), seconds(mine.seconds)),
            (
                "  by its own account",
                seconds(said.own_seconds if said else None),
                seconds(found.linked.manifest["seconds"]),
            ),
            (
                "peak memory of the process tree",
                gigabytes(theirs.peak_bytes if theirs else None),
                gigabytes(mine.peak_bytes),
            ),
        ]
    )


def shown(found: Comparison) -> str:
    """All figures of one comparison."""
    counts = found.linked.manifest["counts"]
    lines = [
        f"-- {found.name}: {counts['citizens_read']:,} citizens, {counts['rows_read']:,} owner lines",
        missed_table(found),
        "",
        gathering_table(found.evaluation.gathering),
        "",
        cost_table(found),
        "",
        *([found.why_not] if found.why_not else []),
        *(target.verdict() for target in targets(found)),
    ]
    return "\n".join(lines)


def as_json(found: Comparison) -> dict[str, Any]:
    """All figures of one comparison, for other programs."""
    run = found.plain_run
    return {
        "name": found.name,
        "counts": found.linked.manifest["counts"],
        "targets": [target.as_dict() for target in targets(found)],
        "plain": None if found.plain is None else found.plain.as_dict(),
        "plain_why_not": found.why_not or None,
        "seconds": {"plain": run.seconds if run else None, "ours": found.linked.run.seconds},
        "peak_bytes": {"plain": run.peak_bytes if run else None, "ours": found.linked.run.peak_bytes},
        "step_seconds": found.linked.steps(),
        "missed": {
            name: {
                "at_precision": {str(wanted): missed_at(scores, wanted) for wanted in PRECISIONS},
                "at_one_threshold_for_all": found.at_one_threshold.get(name),
                "decided_link": missed_by_link(scores),
            }
            for name, scores in found.evaluation.scopes.items()
        },
        "link_precision": {name: scores.precision.value for name, scores in found.evaluation.scopes.items()},
        "gathering": None if found.evaluation.gathering is None else vars(found.evaluation.gathering)
        | {"by_size": [vars(size) for size in found.evaluation.gathering.by_size]},
    }  # fmt: skip


# ---- the run -------------------------------------------------------------------------------------------------------


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--citizens", type=int, default=100_000, help="citizens to generate (default: 100000)")
    parser.add_argument("--profiles", default="mixed,rural", help="profiles to generate (default: mixed,rural)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator (default: 1)")
    parser.add_argument(
        "--data", type=Path, help="a folder with land_owners, citizens and truth.parquet made by others"
    )
    parser.add_argument("--plain-python", type=Path, help="the Python that runs plain Splink (default: one that can)")
    parser.add_argument("--cores", type=int, help="cores for both sides (default: all)")
    parser.add_argument("--work", type=Path, help="keep data and runs in this folder (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args(given)


def sets_of_data(asked: argparse.Namespace) -> dict[str, Path | None]:
    """The folders to compare on; None where the data are still to be generated."""
    if asked.data:
        return {"others": asked.data.resolve()}
    return dict.fromkeys(asked.profiles.split(","), None)


def main(given: list[str] | None = None) -> int:
    """Compare on each set of data and print the figures."""
    asked = arguments(given)
    print(description(use_cores(asked.cores)))
    print(plain.seal(), flush=True)
    python, found = plain.find_python(asked.plain_python), []
    with tempfile.TemporaryDirectory() as temporary:
        work = (asked.work or Path(temporary)).resolve()
        for name, folder in sets_of_data(asked).items():
            data = folder or ours.generate(asked.citizens, work / name / "data", seed=asked.seed, profile=name)
            found.append(compare(str(folder or name), data, work / name, python))
            print(f"\n{shown(found[-1])}", flush=True)
    write_json(asked.json, {"plain_splink": plain.seal(), "comparisons": [as_json(each) for each in found]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
