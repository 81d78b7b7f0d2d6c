"""The circle: how much citizens settle, how little goes wrong, and how many questions that takes.

python benchmarks/circle.py [--citizens 20000] [--rounds 1] [--seed 1] [--profile mixed] [--http] [--json FILE]

Rules
- Each round generates a register of its own, links it, asks every question worth asking, and plays the answers of
  simulated citizens under each declared behaviour (`quychu.citizens`). The rounds are added up.
- *In reach* are asked items whose true owner is alive, in the register, and holds a paper with a legible number; where
  the register lacks that number no challenge can be put, so such items stand in a column of their own.
- *Owner there*: items with an officer whose true owner has said "mine"; a look at the paper settles them. They are not
  counted as settled. *Nobody reachable*: the owner is dead, not in the register, or not among those asked.
- An item counts as ended where the links say so afterwards: `learn` alone decides, the truth only judges.
- The curves: all questions by expected gain, and by falling probability; what each order has settled after n questions,
  when citizens are truthful. The saving at a level is 1 - (questions by gain) / (questions by probability). Beside
  them stand two bounds: one question for each place (nothing gathered), and an order that knows the answers.
- The world is in this process, by the protocol's rules (`benchmarks/tools/in_process.py`); with `--http` it is the
  service and the provider as processes, and every message crosses the wire sealed (`benchmarks/tools/over_http.py`).
- The exit code is 0 whether targets are met or not.

Worked example: 199 of 206 items in reach settled gives
"PASS in reach, linked to their owner (truthful): 96.6 % (target: at least 90.0 %)".
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.tools.figures import Target, table, write_json
from benchmarks.tools.in_process import InProcess, World
from benchmarks.tools.over_http import OverHttp
from linkage.ask import Plan, ask
from linkage.config import load
from linkage.learn import learn
from linkage.pipeline import Job, link
from linkage.report.metrics import ALL, evaluate_files
from linkage.synth import generate
from quychu.citizens import BEHAVIOURS, Behaviour, Citizens

LEAST_SETTLED, MOST_WRONG, LEAST_SAVED = 0.9, 0.001, 0.3
LEVELS = (0.25, 0.5, 0.75, 0.9, 1.0)
JUDGED = ("careless_1_percent", "greedy_without_paper")
WORST = Behaviour("everyone_careless", careless=1.0)
"""Not a target: everybody claims everything, and reads the number of any paper that names them."""


@dataclass(frozen=True)
class Place:
    """One generated world, linked: its data, its run folder, its questions."""

    data: Path
    run: Path
    questions: pl.DataFrame
    items: pl.DataFrame
    asked: pl.DataFrame


@dataclass
class Ended:
    """Where asked items ended, added up over the rounds."""

    asked: int = 0
    questions: int = 0
    in_reach: int = 0
    in_reach_right: int = 0
    no_number: int = 0
    no_number_right: int = 0
    right: int = 0
    wrong: int = 0
    nobody_reachable: int = 0
    owner_at_office: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    precision: list[tuple[float, float]] = field(default_factory=list)
    recall: list[tuple[float, float]] = field(default_factory=list)

    def add(self, other: Mapping[str, Any]) -> None:
        """Add one round."""
        for name, value in other.items():
            if name == "outcomes":
                for code, count in value.items():
                    self.outcomes[code] = self.outcomes.get(code, 0) + count
            elif name in ("precision", "recall"):
                getattr(self, name).append(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def share(self, outcome: str) -> float:
        """Of all asked items."""
        return self.outcomes.get(outcome, 0) / max(self.asked, 1)


def prepare(folder: Path, *, citizens: int, seed: int, profile: str) -> Place:
    """Generate, link, and make every question that is worth asking."""
    data, run = folder / "data", folder / "run"
    generate(citizens, data, seed=seed, profile=profile)
    link(Job(data / "land_owners.parquet", data / "citizens.parquet", run, load(None), workbook=False))
    asked = ask(run, Plan(random_share=0.0), owners=data / "land_owners.parquet")
    return Place(data, run, asked.questions, asked.items, asked.asked)


def _truth(place: Place) -> pl.DataFrame:
    """Each asked item with its true citizen (or null), whether that one is in the register alive, and its number."""
    alive = pl.read_parquet(place.data / "citizens.parquet").filter(pl.col("status") == "alive")
    truth = pl.read_parquet(place.data / "truth.parquet").rename({"citizen_id": "true_citizen"})
    lines = pl.read_parquet(place.data / "land_owners.parquet").select("owner_record_id", "certificate_serial")
    items = place.items.rename({"role_on_line": "role"}).join(truth, on=["owner_record_id", "role"], how="left")
    owners = (
        place.asked.select("item_id", true_citizen="citizen_id").unique().with_columns(owner_asked=pl.lit(value=True))
    )
    return (
        items.join(lines, on="owner_record_id", how="left")
        .join(owners, on=["item_id", "true_citizen"], how="left")
        .with_columns(
            alive=pl.col("true_citizen").is_in(alive["citizen_id"].implode()).fill_null(value=False),
            numbered=pl.col("certificate_serial").is_not_null(),
            owner_asked=pl.col("owner_asked").fill_null(value=False),
        )
    )


def measure(place: Place, world: World, told: Behaviour, *, seed: int) -> tuple[dict[str, Any], pl.DataFrame]:
    """One round under one behaviour: the figures of `Ended`, and the judged items."""
    people = Citizens.open(
        place.data / "truth.parquet", place.data / "land_owners.parquet", place.items, told, seed=seed
    )
    answers = world.answers(place.questions, people)
    learnt = learn(place.run, answers, model=False)
    ended = learnt.outcomes.select("item_id", "outcome", "citizen_id")
    judged = _truth(place).join(ended, on="item_id", how="left")
    linked = pl.col("citizen_id").is_not_null()
    judged = judged.with_columns(right=linked & pl.col("citizen_id").eq_missing(pl.col("true_citizen")), linked=linked)
    holds = pl.col("true_citizen").map_elements(
        lambda who: people.temper(who).holds_paper, return_dtype=pl.Boolean, skip_nulls=True
    )
    reach = judged.filter(pl.col("alive") & holds.fill_null(value=False))
    numbered, bare = reach.filter("numbered"), reach.filter(~pl.col("numbered"))
    figures = {
        "asked": judged.height,
        "questions": place.questions.height,
        "in_reach": numbered.height,
        "in_reach_right": int(numbered["right"].sum()),
        "no_number": bare.height,
        "no_number_right": int(bare["right"].sum()),
        "right": int(judged["right"].sum()),
        "wrong": int((judged["linked"] & ~judged["right"]).sum()),
        "nobody_reachable": int((~judged["alive"] | ~judged["owner_asked"]).sum()),
        "owner_at_office": _owners_at_office(judged, answers),
        "outcomes": dict(judged.group_by("outcome").len().iter_rows()),
        **_before_and_after(place),
    }
    return figures, judged


def _owners_at_office(judged: pl.DataFrame, answers: pl.DataFrame) -> int:
    """Items with an officer whose true owner has said "mine": a look at the paper settles them."""
    mine = answers.filter(pl.col("verdict") == "mine").select("item_id", true_citizen="citizen_id").unique()
    return judged.filter(pl.col("outcome") == "office").join(mine, on=["item_id", "true_citizen"], how="semi").height


def _before_and_after(place: Place) -> dict[str, tuple[float, float]]:
    """Precision and recall of all links, before the answers and after."""
    scores = [
        evaluate_files(place.run / name, place.data / "truth.parquet", bootstraps=20).scopes[ALL]
        for name in ("links.before.parquet", "links.parquet")
    ]
    before, after = scores
    return {
        "precision": (before.precision.value or 0.0, after.precision.value or 0.0),
        "recall": (before.recall.value or 0.0, after.recall.value or 0.0),
    }


def curve(place: Place, judged: pl.DataFrame) -> dict[str, list[int]]:
    """Items settled rightly after 1, 2, … questions in either order, from a round in which all was asked."""
    settled = judged.filter("right").group_by("citizen_id").agg(settled=pl.len())
    best = place.asked.group_by("citizen_id").agg(pl.col("match_probability").max())
    questions = place.questions.select("citizen_id", "expected_gain").join(best, on="citizen_id")
    questions = questions.join(settled, on="citizen_id", how="left").with_columns(pl.col("settled").fill_null(0))
    orders = {"gain": "expected_gain", "probability": "match_probability", "knowing": "settled"}
    by_question = {
        name: questions.sort(column, "citizen_id", descending=[True, False])["settled"].cum_sum().to_list()
        for name, column in orders.items()
    }
    pairs = place.asked.join(judged.filter("right"), on=["item_id", "citizen_id"], how="left")
    in_turn = pairs.sort("match_probability", "item_id", descending=[True, False])["right"].fill_null(value=False)
    return {**by_question, "by_place": in_turn.cast(pl.Int64).cum_sum().to_list()}


def needed(settled: Sequence[int], level: float) -> int:
    """Questions until `level` of all that is ever settled.

    >>> needed([3, 5, 6, 6], 0.5)
    1
    """
    wanted = level * settled[-1]
    return next(number for number, count in enumerate(settled, start=1) if count >= wanted - 1e-9)


def savings(curves: Sequence[Mapping[str, list[int]]]) -> list[dict[str, Any]]:
    """For each level the questions by each order, added up over the rounds, and the share saved."""
    rows = []
    for level in LEVELS:
        counts = {name: sum(needed(one[name], level) for one in curves) for name in curves[0]}
        rows.append({"level": level, **counts, "saved": 1.0 - counts["gain"] / counts["probability"]})
    return rows


def targets(ended: Mapping[str, Ended], saved: Sequence[Mapping[str, Any]]) -> list[Target]:
    """Each measured value beside what it should be."""
    truthful = ended["truthful"]
    reach = truthful.in_reach_right / truthful.in_reach if truthful.in_reach else None
    half = next(row["saved"] for row in saved if row["level"] == 0.5)
    return [
        Target("in reach, linked to their owner (truthful)", reach, LEAST_SETTLED, "at least", ".1%"),
        *[
            Target(
                f"asked, linked to anybody else ({name})", one.wrong / max(one.asked, 1), MOST_WRONG, "at most", ".2%"
            )
            for name in ("truthful", *JUDGED)
            for one in [ended[name]]
        ],
        Target("questions saved by gain, for half of what is settled", half, LEAST_SAVED, "at least", ".1%"),
    ]


def shown(ended: Mapping[str, Ended], saved: Sequence[Mapping[str, Any]]) -> str:
    """All figures as text."""
    rows = [
        [
            name,
            f"{one.asked:,}",
            f"{one.in_reach_right:,} / {one.in_reach:,}",
            f"{one.no_number_right:,} / {one.no_number:,}",
            f"{one.wrong:,}",
            f"{one.share('office'):.1%}",
            f"{one.owner_at_office:,}",
            *[f"{one.share(code):.1%}" for code in ("denied", "no_answer")],
            f"{one.nobody_reachable / max(one.asked, 1):.1%}",
            " → ".join(f"{sum(side) / len(side):.3%}" for side in zip(*one.precision, strict=True)),
            " → ".join(f"{sum(side) / len(side):.3%}" for side in zip(*one.recall, strict=True)),
        ]
        for name, one in ended.items()
    ]
    heads = [
        "citizens", "asked", "in reach: right", "no number: right", "wrong", "office", "owner there", "denied",
        "no answer", "nobody reachable", "precision", "recall",
    ]  # fmt: skip
    names = ("gain", "probability", "by_place", "knowing")
    orders = [[f"{row['level']:.0%}", *[f"{row[name]:,}" for name in names], f"{row['saved']:.1%}"] for row in saved]
    return "\n".join(
        [
            table([heads, *rows]),
            "",
            table([["settled", "by gain", "by probability", "a place each", "knowing all", "saved by gain"], *orders]),
        ]
    )


def run(arguments: argparse.Namespace, world: World) -> dict[str, Any]:
    """All rounds."""
    told = [*BEHAVIOURS.values(), WORST]
    ended, curves = {one.name: Ended() for one in told}, []
    for number in range(arguments.rounds):
        seed = arguments.seed + number
        with tempfile.TemporaryDirectory() as folder:
            place = prepare(Path(folder), citizens=arguments.citizens, seed=seed, profile=arguments.profile)
            for one in told:
                figures, judged = measure(place, world, one, seed=seed)
                ended[one.name].add(figures)
                if one.name == "truthful":
                    curves.append(curve(place, judged))
    saved = savings(curves)
    print(shown(ended, saved))
    print()
    judged_targets = targets(ended, saved)
    for target in judged_targets:
        print(target.verdict())
    return {
        "ended": {name: asdict(one) for name, one in ended.items()},
        "savings": saved,
        "curves": curves,
        "targets": [target.as_dict() for target in judged_targets],
    }


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--citizens", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", default="mixed")
    parser.add_argument("--http", action="store_true", help="real servers instead of this process")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args(words)
    found = run(arguments, OverHttp() if arguments.http else InProcess())
    write_json(arguments.json, found)


if __name__ == "__main__":
    main()
