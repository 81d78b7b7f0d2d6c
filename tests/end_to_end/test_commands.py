from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from quychu.cli import cli
from tests.end_to_end.command import quychu, quychu_here
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
        ("link", "--owners", "a.csv", "--citizens", "b.csv", "--out", "c", "--memory", "lots"),
        ("check", "--sheets", "3"),
        ("synth", "--citizens", "199", "--out", "x"),
        ("synth", "--citizens", "200", "--out", "x", "--profile", "suburban"),
        ("synth", "--citizens", "many", "--out", "x"),
        ("evaluate", "--links", "a"),
    ],
)
def test_wrong_usage_ends_with_two(words):
    done = quychu(*words)
    assert done.code == 2
    assert "Usage:" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("command", "said"), [("link", "Stopped; the same command continues"), ("check", "Stopped")])
def test_a_command_that_is_stopped_says_whether_it_can_continue(command: str, said: str):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.commands[command], "invoke", stop)
        words = {"link": ["--owners", "a", "--citizens", "b", "--out", "c"], "check": ["--owners", "a"]}[command]
        done = CliRunner().invoke(cli, [command, *words])
    assert (done.exit_code, done.stderr.strip()) == (130, said)


def test_a_quiet_check_still_tells_its_figures_and_no_usable_row_is_bad_input(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    owners = tmp_path / "so.csv"
    owners.write_text("owner_record_id,owner_name\n1,\n", encoding="utf-8")
    done = quychu_here(capfd, "check", "--owners", owners, "--quiet")
    assert done.code == 1
    assert "rows read 1 = used 0 + rejected 1" in done.out
    assert done.err.startswith("quychu: so.csv: expected at least one usable row")
    assert len(done.err.splitlines()) == 1


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
