from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from quychu.cli import cli
from tests.end_to_end.command import quychu
from tests.end_to_end.conftest import World

COMMANDS = sorted(cli.list_commands(click.Context(cli)))


def test_the_commands_of_the_contract_are_there():
    assert {"demo", "synth", "check", "train", "link", "evaluate", "report"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example_and_ends_well(command):
    done = quychu(command, "--help")
    assert done.code == 0
    assert f"quychu {command} " in done.out.split("Example:")[1]
    assert not done.err


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("link",),
        ("link", "--owners", "a.csv", "--citizens", "b.csv"),
        ("link", "--owners", "a.csv", "--citizens", "b.csv", "--out", "c", "--threads", "0"),
        ("check", "--sheets", "3"),
        ("synth", "--citizens", "many", "--out", "x"),
        ("evaluate", "--links", "a"),
    ],
)
def test_wrong_usage_ends_with_two(words):
    done = quychu(*words)
    assert done.code == 2
    assert "Usage:" in done.err
    assert "Traceback" not in done.err


def test_check_tells_rows_reasons_and_classes_before_anything_runs(world: World, tmp_path: Path):
    out = tmp_path / "check.json"
    done = quychu("check", "--owners", world.workbook, "--citizens", world.citizens, "--out", out)
    assert done.code == 0, done.told
    found = json.loads(out.read_text(encoding="utf-8"))["inputs"]
    land = found["land_owners"]
    assert land["format"] == "pl3-01"
    assert land["rows_read"] == land["rows_used"] + sum(land["rejected"].values())
    assert land["profile"]["error_classes"]["birth-year-only"] > 0
    assert "Chỉ có năm sinh" in done.out
    assert [entry.name for entry in tmp_path.iterdir()] == ["check.json"]


def test_check_refuses_what_link_refuses_in_the_same_words(world: World, tmp_path: Path):
    owners = tmp_path / "so.csv"
    owners.write_text("ma,ten\n1,Lê Văn An\n")
    checked = quychu("check", "--owners", owners)
    run = quychu("link", "--owners", owners, "--citizens", world.citizens, "--out", tmp_path / "out")
    assert checked.refusal == run.refusal


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (("evaluate", "--links", "absent.parquet", "--truth", "absent.parquet"), "absent.parquet"),
        (("report", "--run", "absent"), "absent"),
        (("synth", "--citizens", "1000", "--out", "data", "--profile", "absent.toml"), "absent.toml"),
        (("check", "--owners", "absent.csv"), "absent.csv"),
        (("check", "--owners", "absent.csv", "--config", "absent.toml"), "absent.toml"),
    ],
)
def test_a_file_that_does_not_exist_is_one_sentence(words, about, tmp_path: Path):
    assert about in quychu(*words, cwd=tmp_path).refusal
