"""Asking about a run that was really made."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from linkage.ask import Plan, ask
from linkage.config import load
from linkage.errors import InputError, RunFolderError
from linkage.pipeline import Job, link
from linkage.synth import generate

Finished = tuple[Path, Path]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The folder of a finished run on generated data, and its owner file."""
    data, run = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("run") / "out"
    generate(2_000, data, seed=3, profile="rural")
    link(Job(data / "land_owners.parquet", data / "citizens.parquet", run, load(None), workbook=False, threads=1))
    return run, data / "land_owners.parquet"


@pytest.fixture
def finished(linked: Finished, tmp_path: Path) -> Finished:
    """A copy of it, to write in."""
    shutil.copytree(linked[0], tmp_path / "out")
    return tmp_path / "out", linked[1]


def test_every_doubtful_place_with_a_reachable_candidate_is_asked_about(finished: Finished) -> None:
    run, owners = finished
    asked = ask(run, Plan(), owners=owners)
    doubtful = pl.read_parquet(run / "links.parquet").filter(decision="ask")
    assert 0 < asked.items.height <= doubtful.height
    assert asked.items["item_id"].n_unique() == asked.items.height
    assert asked.questions["citizen_id"].n_unique() == asked.questions.height


def test_ids_are_random_and_fit_the_protocol(finished: Finished) -> None:
    run, owners = finished
    first = ask(run, Plan(), owners=owners)
    for ids in (first.questions["question_id"], first.items["item_id"]):
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{22,64}", name) for name in ids)
    for name in ("questions", "items", "asked"):
        (run / f"{name}.parquet").unlink()
    again = ask(run, Plan(), owners=owners)
    assert not set(first.items["item_id"]) & set(again.items["item_id"])


def test_asking_again_gives_the_same_questions_under_the_same_ids(finished: Finished) -> None:
    run, owners = finished
    first, again = ask(run, Plan(), owners=owners), ask(run, Plan(), owners=owners)
    for name in ("questions", "items", "asked"):
        assert getattr(first, name).equals(getattr(again, name)), name


def test_another_plan_keeps_the_ids_of_items_and_all_that_was_asked(finished: Finished) -> None:
    run, owners = finished
    few = ask(run, Plan(budget=5), owners=owners)
    every = ask(run, Plan(), owners=owners)
    assert set(few.items["item_id"]) <= set(every.items["item_id"])
    known = every.items.join(few.items, on=["owner_record_id", "role_on_line"], suffix="_few")
    assert known["item_id"].equals(known["item_id_few"])
    assert set(few.asked["question_id"]) <= set(every.asked["question_id"])


def test_a_place_has_one_item_in_all_candidates_questions(finished: Finished) -> None:
    run, owners = finished
    asked = ask(run, Plan(), owners=owners).asked
    assert asked.group_by("owner_record_id", "role").agg(pl.col("item_id").n_unique())["item_id"].max() == 1
    ranks = asked.sort("item_id", "rank").group_by("item_id", maintain_order=True).agg("rank")["rank"]
    assert all(list(found) == list(range(1, len(found) + 1)) for found in ranks)


def test_the_run_says_what_was_asked_and_what_was_left_out(finished: Finished) -> None:
    run, owners = finished
    asked = ask(run, Plan(), owners=owners)
    counts = json.loads((run / "run.json").read_text(encoding="utf-8"))["counts"]
    assert counts["questions"] == asked.questions.height
    assert counts["rows_read"] > 0
    assert set(counts["left_out_of_questions"]) >= {"unlikely", "over_budget", "next_round"}


def test_another_owner_file_is_refused(finished: Finished, tmp_path: Path) -> None:
    run, owners = finished
    other = tmp_path / "other.parquet"
    pl.read_parquet(owners).head(10).write_parquet(other)
    with pytest.raises(InputError, match="owner file that this run linked"):
        ask(run, Plan(), owners=other)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="folder of a finished run"):
        ask(tmp_path, Plan())


def test_without_the_owner_file_the_same_people_are_asked_with_fewer_facts(finished: Finished) -> None:
    run, owners = finished
    with_file = ask(run, Plan(), owners=owners).questions
    without = ask(run, Plan()).questions
    assert without["citizen_id"].equals(with_file["citizen_id"])
    parcels = without.explode("parcels", empty_as_null=True).unnest("parcels")
    assert parcels["area_m2"].null_count() == parcels.height
    assert parcels["certificate_serial"].null_count() < parcels.height
