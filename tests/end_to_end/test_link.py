from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.end_to_end.command import Done, linked, links_of, manifest_of, quychu
from tests.end_to_end.conftest import Run, World

DECISIONS = {"link", "ask", "review", "no_match", "not_a_person"}


def accounts(run: Path) -> tuple[int, int, int]:
    counts = manifest_of(run)["counts"]
    return counts["rows_read"], counts["rows_used"], counts["rows_rejected"]


# ---- what a run gives --------------------------------------------------------------------------------------------


def test_every_person_named_has_exactly_one_row(run: Run, world: World):
    links = links_of(run.out)
    truth = pl.read_parquet(world.truth)
    assert not links.select(pl.struct("owner_record_id", "role").is_duplicated().any()).item()
    assert set(links["owner_record_id"]) == set(world.lines()["owner_record_id"])
    assert truth.join(links, on=["owner_record_id", "role"], how="anti").height <= truth.height // 500
    assert links.join(truth, on=["owner_record_id", "role"], how="anti").height <= truth.height // 500


def test_rows_read_are_rows_used_and_rows_rejected(run: Run, world: World):
    read, used, rejected = accounts(run.out)
    assert read == used + rejected == world.lines().height
    assert f"rows read {read:,} = used {used:,} + rejected {rejected:,}" in run.done.out


def test_a_row_has_a_decision_a_reason_and_a_probability(run: Run, world: World):
    links = links_of(run.out)
    known = pl.read_parquet(world.citizens)["citizen_id"]
    assert set(links["decision"]) <= DECISIONS
    assert links["reason"].null_count() == links["person_id"].null_count() == 0
    assert links["match_probability"].drop_nulls().is_between(0, 1).all()
    assert links.filter(pl.col("citizen_id").is_not_null() & pl.col("match_probability").is_null()).is_empty()
    assert links["citizen_id"].drop_nulls().is_in(known.implode()).all()
    assert (
        links.filter(pl.col("decision") == "not_a_person")["citizen_id"].null_count()
        == links["decision"].eq("not_a_person").sum()
    )


def test_one_person_has_one_citizen_and_one_decision(run: Run):
    persons = links_of(run.out).group_by("person_id").agg(pl.col("citizen_id", "decision").n_unique())
    assert persons["citizen_id"].max() == persons["decision"].max() == 1


def test_the_persons_gather_each_line_once(run: Run):
    links, persons = links_of(run.out), pl.read_parquet(run.out / "persons.parquet")
    gathered = persons.select("person_id", "members").explode("members").unnest("members")
    assert gathered.height == links.height
    joined = links.join(gathered, on=["owner_record_id", "role", "person_id"], how="anti")
    assert joined.is_empty()
    assert gathered["reason"].null_count() == 0


def test_the_candidates_hold_each_proposed_citizen(run: Run):
    links, candidates = links_of(run.out), pl.read_parquet(run.out / "candidates.parquet")
    proposed = links.filter(pl.col("decision").is_in(["link", "ask", "review"])).unique("person_id")
    best = candidates.filter(pl.col("rank") == 1)
    assert proposed.join(best, on=["person_id", "citizen_id"], how="anti").is_empty()


def test_the_manifest_tells_what_the_run_was_made_from(run: Run):
    manifest = manifest_of(run.out)
    assert manifest["status"] == "finished"
    assert {entry["role"] for entry in manifest["inputs"]} >= {"owners", "citizens"}
    assert all(len(entry["sha256"]) == 64 for entry in manifest["inputs"])
    assert len(manifest["config"]["sha256"]) == 64
    assert all(step["seconds"] >= 0 and step["peak_memory_bytes"] > 0 for step in manifest["steps"])
    assert manifest["counts"].keys() >= {"rows_read", "rows_used", "rows_rejected", "persons", "pairs"}


def test_links_are_mostly_right(run: Run, world: World, tmp_path: Path):
    figures = tmp_path / "figures.json"
    done = quychu("evaluate", "--links", run.out / "links.parquet", "--truth", world.truth, "--out", figures)
    assert done.code == 0, done.told
    assert "precision" in done.out.lower()
    assert json.loads(figures.read_text(encoding="utf-8"))
    judged = links_of(run.out).filter(pl.col("decision") == "link")
    truth = pl.read_parquet(world.truth).select("owner_record_id", "role", true="citizen_id")
    right = judged.join(truth, on=["owner_record_id", "role"], how="left").select(
        (pl.col("citizen_id") == pl.col("true")).fill_null(value=False).mean()
    )
    assert right.item() > 0.98
    assert judged.height > truth["true"].count() * 0.8


def test_the_report_is_one_file_without_names(run: Run, world: World):
    done = quychu("report", "--run", run.out)
    assert done.code == 0, done.told
    page = Path(done.out.strip())
    assert page == run.out / "report.html"
    assert not leaked(page.read_text(encoding="utf-8"), world)


# ---- nothing personal leaves --------------------------------------------------------------------------------------


def leaked(text: str, world: World) -> list[str]:
    """Names of two words or more and numbers of the inputs that stand in `text`."""
    lines, citizens = world.lines(), pl.read_parquet(world.citizens)
    columns = [lines[name] for name in ("owner_name", "co_owner_name", "owner_id_no", "co_owner_id_no")]
    columns += [citizens[name] for name in ("citizen_id", "full_name", "former_id_no")]
    values = {value for column in columns for value in column.drop_nulls().to_list() if len(value) > 7}
    return [value for value in values if value in text]


@pytest.mark.parametrize("file", ["run.json", "model.json"])
def test_no_name_and_no_number_stands_in(file: str, run: Run, world: World):
    assert not leaked((run.out / file).read_text(encoding="utf-8"), world)


def test_no_name_and_no_number_is_said(run: Run, run_elsewhere: Run, world: World):
    assert not leaked(run.done.told + run_elsewhere.done.told, world)


def test_a_planted_value_is_found_by_the_test_itself(world: World):
    assert leaked(f"… {world.lines()['owner_name'][0]} …", world)


# ---- the same again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["links", "persons", "candidates", "rejected"])
def test_elsewhere_without_truth_and_on_one_core_all_is_equal(file: str, run: Run, run_elsewhere: Run):
    one, two = (pl.read_parquet(each.out / f"{file}.parquet") for each in (run, run_elsewhere))
    assert_frame_equal(one, two, check_row_order=True, rel_tol=1e-9)


def test_elsewhere_the_workbook_is_the_same_byte_for_byte(run: Run, run_elsewhere: Run):
    assert (run.out / "links.xlsx").read_bytes() == (run_elsewhere.out / "links.xlsx").read_bytes()


# ---- other forms of the same table -------------------------------------------------------------------------------


def same_decisions(one: Path, two: Path) -> None:
    told = ["owner_record_id", "role", "citizen_id", "decision", "reason"]
    assert_frame_equal(links_of(one).select(told), links_of(two).select(told))


def link_owners(owners: Path, world: World, model: Path, out: Path) -> Done:
    return linked("--owners", owners, "--citizens", world.citizens, "--model", model, "--out", out, "--no-workbook")


@pytest.mark.parametrize(
    ("name", "encoding", "separator"), [("so.csv", "utf-8", ","), ("so-utf16.txt", "utf-16", "\t")]
)
def test_a_csv_gives_the_same_decisions(name, encoding, separator, run: Run, world: World, model: Path, tmp_path: Path):
    owners = tmp_path / name
    owners.write_bytes(world.lines().write_csv(separator=separator).encode(encoding))
    link_owners(owners, world, model, tmp_path / "out")
    same_decisions(tmp_path / "out", run.out)


def test_a_plain_workbook_gives_the_same_decisions(run: Run, world: World, model: Path, tmp_path: Path):
    owners = tmp_path / "Sổ địa chính.xlsx"
    world.lines().write_excel(owners, worksheet="Sổ")
    link_owners(owners, world, model, tmp_path / "out")
    same_decisions(tmp_path / "out", run.out)


def test_a_pl3_workbook_is_linked_and_judged_by_the_truth_beside_it(run_of_workbook: Run, world: World):
    out = run_of_workbook.out
    read, used, rejected = accounts(out)
    truth = pl.read_parquet(world.workbook_truth)
    links = links_of(out)
    assert read == used + rejected
    assert used == truth["owner_record_id"].n_unique()
    assert set(links["owner_record_id"]) == set(truth["owner_record_id"])
    done = quychu("evaluate", "--links", out / "links.parquet", "--truth", world.workbook_truth)
    assert done.code == 0, done.told


def test_a_model_from_train_decides_as_the_run_that_trained_its_own(run: Run, world: World, tmp_path: Path):
    model, out = tmp_path / "mo-hinh.json", tmp_path / "out"
    done = quychu("train", *world.inputs(), "--model", model, "--threads", 2)
    assert done.code == 0, done.told
    assert model.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["mo-hinh.json"]
    linked(*world.inputs(), "--model", model, "--out", out, "--no-workbook")
    assert_frame_equal(links_of(out), links_of(run.out), rel_tol=1e-9)


# ---- quiet, and without a network --------------------------------------------------------------------------------


def test_quiet_says_nothing(run: Run, world: World):
    done = quychu("link", *world.inputs(), "--out", run.out, "--quiet")
    assert (done.code, done.told) == (0, "")


def test_a_terminal_of_the_c_locale_does_not_break_the_command(world: World):
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONIOENCODING": "ascii"}
    done = quychu("check", "--owners", world.owners, environment=plain)
    assert done.code == 0, done.told
    assert "Chỉ có năm sinh" in done.out


def test_a_run_asks_for_no_connection(run_elsewhere: Run):
    assert manifest_of(run_elsewhere.out)["status"] == "finished"  # its process would have ended at the first one
