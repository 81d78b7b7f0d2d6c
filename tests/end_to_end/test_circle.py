"""The whole circle as its users run it: commands on files, servers as processes, every message over HTTP."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from linkage.decide.decisions import REASONS
from quychu import demo
from quychu.circle.world import Told, lay_out, running, servers_of
from tests.end_to_end.command import quychu


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Path:
    """A demo of 3,000 citizens: data, run and the world it talked to."""
    out = tmp_path_factory.mktemp("story")
    demo.tell(out, citizens=3_000, quiet=True)
    return out


def counts(run: Path) -> dict:
    return json.loads((run / "run.json").read_text(encoding="utf-8"))["counts"]


def test_the_demo_asks_hears_and_learns(told: Path):
    found = counts(told / "run")
    assert found["questions"] > 0
    assert found["answers"] > 0
    assert found["settled"] > 0
    assert found["after"]["recall"] > found["before"]["recall"]
    report = (told / "run" / "report.html").read_text(encoding="utf-8")
    assert "Trước" in report or "trước" in report


def test_what_citizens_settled_is_a_link_that_says_so(told: Path):
    links = pl.read_parquet(told / "run" / "links.parquet")
    confirmed = links.filter(pl.col("reason") == "citizen_confirmed")
    assert confirmed.height == counts(told / "run")["settled"]
    assert confirmed["decision"].unique().to_list() == ["link"]


def test_the_offices_workbook_shows_what_citizens_settled(told: Path):
    from openpyxl import load_workbook

    book = load_workbook(told / "run" / "links.xlsx", read_only=True)
    cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    shown = sum(REASONS["citizen_confirmed"][1] in cell for cell in cells)
    links = pl.read_parquet(told / "run" / "links.parquet").filter(pl.col("reason") == "citizen_confirmed")
    assert shown == links.filter(pl.col("role").is_in(["owner", "co_owner"])).height > 0


def test_nobody_is_asked_about_a_person_that_the_machine_linked(told: Path):
    before = pl.read_parquet(told / "run" / "links.before.parquet").filter(pl.col("decision") == "link")
    items = pl.read_parquet(told / "run" / "items.parquet").rename({"role_on_line": "role"})
    assert items.join(before, on=["owner_record_id", "role"], how="semi").height == 0


def test_the_servers_logs_hold_no_name_number_or_serial(told: Path):
    logs = "".join(path.read_text(encoding="utf-8") for path in (told / "circle").glob("*.log"))
    citizens = pl.read_parquet(told / "data" / "citizens.parquet")
    serials = pl.read_parquet(told / "data" / "land_owners.parquet")["certificate_serial"].drop_nulls()
    personal = [*citizens["citizen_id"], *citizens["full_name"].unique(), *(s for s in serials if len(s) > 5)]
    assert logs
    assert not [value for value in personal if value in logs]


def test_asking_the_service_that_is_not_there_is_one_sentence(told: Path, tmp_path: Path):
    run = tmp_path / "run"
    shutil.copytree(told / "run", run)
    shutil.rmtree(run / "circle")
    world = lay_out(tmp_path / "world")
    config = world.circle_config
    config.write_text("patience_seconds = 1\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    done = quychu("ask", "--run", run, "--config", config, "--quiet")
    assert "expected an answer of the confirmation service, found none" in done.refusal


def test_asking_and_collecting_twice_changes_nothing(told: Path, tmp_path: Path):
    run = tmp_path / "run"
    shutil.copytree(told / "run", run)
    shutil.rmtree(run / "circle")
    world = lay_out(tmp_path / "world", Told(suite="modern-25519"))
    with running(world):
        asked = [quychu("ask", "--run", run, "--config", world.circle_config) for _ in range(2)]
        assert [done.code for done in asked] == [0, 0], asked[0].err
        assert asked[0].out == asked[1].out
        ended = quychu("withdraw", "--run", run, "--config", world.circle_config, "--reason", "thử")
        assert ended.code == 0, ended.err
        heard = [quychu("collect", "--run", run, "--config", world.circle_config) for _ in range(2)]
        assert heard[0].out == heard[1].out
        assert "withdrawn" in heard[0].out


def test_the_truth_is_not_opened_by_asking_and_learning(told: Path, tmp_path: Path):
    out = tmp_path / "elsewhere"
    shutil.copytree(told, out, ignore=shutil.ignore_patterns("circle"))
    shutil.copy(told / "run" / "answers.parquet", out / "run" / "answers.parquet")
    (out / "data" / "truth.parquet").unlink()
    links = (out / "run" / "links.parquet").read_bytes()
    assert quychu("learn", "--run", out / "run").code == 0
    assert (out / "run" / "links.parquet").read_bytes() == links
    asked = quychu("ask", "--run", out / "run", "--owners", out / "data" / "land_owners.parquet")
    assert asked.code == 0, asked.err


def test_a_service_that_cannot_start_says_why(tmp_path: Path):
    world = lay_out(tmp_path / "world")
    world.keys("service").unlink()
    server = servers_of(world).service
    with pytest.raises(Exception, match=r"service: expected it to start, found it ended; .*service\.keys"):
        server.start()
