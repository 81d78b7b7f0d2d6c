"""Learning from answers about a run that was really made."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from benchmarks.tools.in_process import InProcess
from linkage.ask import Plan, ask
from linkage.config import load
from linkage.errors import InputError, RunFolderError
from linkage.learn import learn, quality, record_quality, undo
from linkage.learn.reestimate import load_known, reestimate
from linkage.models import artefact
from linkage.models.training import TrainingPlan
from linkage.pipeline import Job, comparisons_of, link
from linkage.report.metrics import ALL, evaluate_files
from linkage.synth import generate
from quychu.citizens import BEHAVIOURS, Citizens


@dataclass(frozen=True)
class World:
    """A finished run, its data, and the answers of truthful citizens to all its questions."""

    data: Path
    run: Path
    answers: pl.DataFrame


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> World:
    data, run = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("run") / "out"
    generate(2_000, data, seed=3, profile="rural")
    link(Job(data / "land_owners.parquet", data / "citizens.parquet", run, load(None), workbook=False, threads=1))
    found = ask(run, Plan(random_share=0.2), owners=data / "land_owners.parquet")
    people = Citizens.open(
        data / "truth.parquet", data / "land_owners.parquet", found.items, BEHAVIOURS["truthful"], seed=1
    )
    return World(data, run, InProcess().answers(found.questions, people))


@pytest.fixture
def world(asked: World, tmp_path: Path) -> World:
    """A copy of it, to write in."""
    shutil.copytree(asked.run, tmp_path / "out")
    return World(asked.data, tmp_path / "out", asked.answers)


def test_truthful_citizens_settle_most_and_nothing_wrongly(world: World) -> None:
    learnt = learn(world.run, world.answers, model=False)
    truth = pl.read_parquet(world.data / "truth.parquet").rename({"citizen_id": "true_citizen"})
    linked = learnt.outcomes.drop_nulls("citizen_id").join(truth, on=["owner_record_id", "role"])
    assert linked.height > learnt.outcomes.height / 2
    assert (linked["citizen_id"] == linked["true_citizen"]).all()
    names = ("links.before.parquet", "links.parquet")
    before, after = (evaluate_files(world.run / name, world.data / "truth.parquet").scopes[ALL] for name in names)
    assert after.right > before.right
    assert sum(after.wrong.values()) == sum(before.wrong.values())


def test_every_asked_item_ends_once_and_the_run_counts_it(world: World) -> None:
    learnt = learn(world.run, world.answers, model=False)
    counts = json.loads((world.run / "run.json").read_text(encoding="utf-8"))["counts"]
    assert sum(counts["asked_by_outcome"].values()) == counts["asked_items"] == learnt.outcomes.height
    assert counts["answers"] == world.answers.height
    assert counts["settled"] == learnt.outcomes["citizen_id"].count()
    assert counts["after"]["decisions"]["link"] == counts["before"]["decisions"]["link"] + counts["settled"]
    assert "open" not in counts["asked_by_outcome"]


def test_two_rounds_are_counted_and_settled_together(world: World) -> None:
    first = world.answers.filter(pl.col("item_id").hash(1) % 2 == 0)
    one = learn(world.run, first, model=False)
    again = ask(world.run, Plan(random_share=0.0))
    settled = one.outcomes.drop_nulls("citizen_id")
    assert again.questions.height > 0
    now = again.questions.explode("parcels", empty_as_null=True).unnest("parcels")["item_id"]
    assert not set(now) & set(settled["item_id"])
    both = learn(world.run, first, model=False)
    assert both.outcomes.drop_nulls("citizen_id").sort("item_id").equals(settled.sort("item_id"))
    assert both.counts["questions"] >= again.questions.height


def test_learning_twice_gives_the_same_and_undo_gives_back_what_was(world: World) -> None:
    machine = pl.read_parquet(world.run / "links.parquet")
    first = learn(world.run, world.answers, model=False)
    again = learn(world.run, world.answers, model=False)
    assert first.links.equals(again.links)
    assert not first.links.equals(machine)
    undo(world.run)
    assert pl.read_parquet(world.run / "links.parquet").equals(machine)


def test_half_of_the_answers_settle_less_and_the_rest_adds_to_it(world: World) -> None:
    half = learn(world.run, world.answers.head(world.answers.height // 2), model=False).outcomes
    every = learn(world.run, world.answers, model=False).outcomes
    settled = half.drop_nulls("citizen_id").select("item_id", "citizen_id")
    assert 0 < settled.height < every["citizen_id"].count()
    assert settled.join(every, on=["item_id", "citizen_id"]).height == settled.height


def test_a_new_model_lies_beside_the_old_and_names_it(world: World) -> None:
    old = (world.run / "model.json").read_bytes()
    learnt = learn(world.run, world.answers)
    assert learnt.taught is not None
    assert (world.run / "model.json").read_bytes() == old
    _, body = artefact.read(world.run / learnt.taught.name, comparisons_of(load(None)))
    assert learnt.taught.name == "model-2.json"
    assert body["card"]["parent"] == json.loads(old)["card"]["hash"]
    assert body["card"]["version"] == 2
    labels = pl.read_parquet(world.run / "labels.parquet")
    pairs = labels.filter(source="chosen", label=1).select("person_id", "citizen_id").unique()
    assert 0 < body["card"]["taught_by"]["matches"] <= pairs.height


def test_the_comparison_is_told_by_what_was_drawn_by_lot(world: World) -> None:
    learnt = learn(world.run, world.answers)
    told = json.loads((world.run / "model-comparison.json").read_text(encoding="utf-8"))
    labels = learnt.labels.filter(source="random").select("person_id", "citizen_id").unique()
    assert told["held_out"]["labels"] == labels.height
    assert not told["held_out"]["enough"]
    assert abs(told["levels"][0]["change_bits"]) >= abs(told["levels"][-1]["change_bits"])
    assert all(row["bits_new"] - row["bits_old"] == pytest.approx(row["change_bits"]) for row in told["levels"])
    assert told["decisions"]["persons"] <= told["decisions"]["of_persons"]


def test_the_new_model_links_a_run_of_its_own(world: World, tmp_path: Path) -> None:
    learn(world.run, world.answers)
    job = Job(
        world.data / "land_owners.parquet", world.data / "citizens.parquet", tmp_path / "again", load(None),
        model=world.run / "model-2.json", workbook=False, threads=1,
    )  # fmt: skip
    assert link(job).counts["links"] == pl.read_parquet(world.run / "links.parquet").height


def test_without_labels_the_model_stays_as_it_was(world: World) -> None:
    from linkage.compare.features import features
    from linkage.engines.duckdb import connect
    from linkage.engines.duckdb import load as load_table

    comparisons = comparisons_of(load(None))
    old, body = artefact.read(world.run / "model.json", comparisons)
    with connect(threads=1) as con:
        for name, file in (("citizens", "normalise.citizens"), ("persons", "gather.persons")):
            load_table(con, name, pl.read_parquet(world.run / ".steps" / f"{file}.parquet"))
        features(con)
        load_known(con, pl.DataFrame(schema={"l": pl.Int32, "r": pl.Int32, "label": pl.Int8}))
        new = reestimate(con, old, body["card"], TrainingPlan(**load(None).training.model_dump())).model
    for comparison in comparisons:
        for level in comparison.scored:
            assert new.m(comparison, level) == pytest.approx(old.m(comparison, level), abs=1e-3), level.label


def test_without_any_label_there_is_no_new_model(world: World) -> None:
    learnt = learn(world.run, world.answers.head(0))
    assert learnt.taught is None
    assert not (world.run / "model-2.json").exists()
    assert learnt.labels.is_empty()


def test_who_denied_is_not_asked_again(world: World) -> None:
    learnt = learn(world.run, world.answers, model=False)
    denied = learnt.labels.filter(label=0).select("owner_record_id", "role", "citizen_id")
    again = ask(world.run, Plan())
    now = again.asked.filter(pl.col("question_id").is_in(again.questions["question_id"].implode()))
    assert denied.height > 0
    assert now.join(denied, on=["owner_record_id", "role", "citizen_id"]).is_empty()
    assert again.questions.height < world.answers["question_id"].n_unique()


def test_a_judgement_stands_beside_the_counts(world: World) -> None:
    learn(world.run, world.answers, model=False)
    names = ("links.before.parquet", "links.parquet")
    before, after = (quality(evaluate_files(world.run / name, world.data / "truth.parquet")) for name in names)
    record_quality(world.run, before=before, after=after)
    counts = json.loads((world.run / "run.json").read_text(encoding="utf-8"))["counts"]
    assert counts["after"]["recall"] == after["recall"] > counts["before"]["recall"]
    assert counts["after"]["decisions"]["link"] == after["linked"]


def test_answers_of_another_shape_are_refused(world: World) -> None:
    with pytest.raises(InputError, match=r"answers\.parquet.*'state'"):
        learn(world.run, world.answers.drop("state"))


def test_answers_without_questions_are_refused(world: World) -> None:
    (world.run / "asked.parquet").unlink()
    with pytest.raises(RunFolderError, match="quychu ask"):
        learn(world.run, world.answers)
