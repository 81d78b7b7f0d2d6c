"""The worked example of docs/models.md runs as it is written, and links what it should."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from quychu.cli import cli
from tests.linkage.tables.people import register, roll

DOCS = Path(__file__).resolve().parents[3] / "docs" / "models.md"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("Bảng thuế")
    toml = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert toml is not None
    (folder / "tax-roll.toml").write_text(toml[1], encoding="utf-8")
    citizens = register(1500)
    typed, truth = roll(citizens)
    extra = typed.head(1).with_columns(pl.lit(None, pl.String).alias("Mã số"))
    pl.concat([typed, extra]).write_csv(folder / "roll.csv")
    citizens.write_parquet(folder / "register.parquet")
    truth.write_csv(folder / "truth.csv")
    return folder


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def linked(place) -> str:
    files = ("--left", place / "roll.csv", "--right", place / "register.parquet")
    return run("link", "--config", place / "tax-roll.toml", *files, "--out", place / "out")


def test_the_example_of_the_docs_links_the_roll_to_the_register(place, linked) -> None:
    said = run(
        "evaluate", "--links", place / "out/links.parquet", "--truth", place / "truth.csv", "--out", place / "e.json"
    )
    found = json.loads((place / "e.json").read_text(encoding="utf-8"))
    assert said.startswith("pairs      precision")
    assert found["precision"]["value"] > 0.99
    assert found["recall"]["value"] > 0.95


def test_each_left_hand_record_has_one_row_and_a_right_hand_one_may_take_many(place, linked) -> None:
    links = pl.read_parquet(place / "out/links.parquet")
    assert links.columns == ["unique_id_l", "unique_id_r", "match_weight", "match_probability", "decision", "reason"]
    assert links["unique_id_l"].to_list() == pl.read_csv(place / "roll.csv")["Mã số"].drop_nulls().to_list()
    taken = links.filter(pl.col("decision") == "link")["unique_id_r"]
    assert taken.n_unique() < taken.len()


def test_rows_read_are_rows_used_and_rows_rejected(place, linked) -> None:
    counts = json.loads((place / "out/run.json").read_text(encoding="utf-8"))["counts"]
    assert "rejected 1\n" in linked
    assert counts["rows_read"] == counts["rows_used"] + counts["rows_rejected"]
    assert pl.read_parquet(place / "out/rejected.parquet")["reason"].to_list()[0].startswith("missing-id")


def test_a_model_trained_apart_gives_the_same_links(place, linked) -> None:
    files = ("--config", place / "tax-roll.toml", "--left", place / "roll.csv", "--right", place / "register.parquet")
    run("train", *files, "--model", place / "model.json")
    run("link", *files, "--model", place / "model.json", "--out", place / "again", "--threads", "1")
    assert pl.read_parquet(place / "again/links.parquet").equals(pl.read_parquet(place / "out/links.parquet"))


def test_without_a_config_of_its_own_a_run_still_asks_for_both_registers(place) -> None:
    result = CliRunner().invoke(cli, ["link", "--owners", str(place / "roll.csv"), "--out", str(place / "land")])
    assert result.exit_code == 2
    assert "Missing option '--citizens'" in result.output
