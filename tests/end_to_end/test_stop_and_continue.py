from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from tests.end_to_end.command import COMMAND, linked, links_of, manifest_of, quychu, surroundings
from tests.end_to_end.conftest import Run, World

STEPS = ["read", "normalise", "gather", "train", "score", "decide", "write"]


def continued(out: Path) -> dict[str, bool]:
    return {step["name"]: step["continued"] for step in manifest_of(out)["steps"]}


def kill_when(appears: Path, words: tuple[object, ...]) -> None:
    """Starts a run and kills it, without a chance to tidy up, as soon as a file is there."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings()
    )
    deadline = time.monotonic() + 100
    while not appears.exists():
        assert process.poll() is None, f"ended with {process.returncode} before {appears.name} was there"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL


@pytest.fixture
def copy_of_run(run: Run, tmp_path: Path) -> Path:
    """A finished run that a test may spoil."""
    return Path(shutil.copytree(run.out, tmp_path / "out"))


def test_a_run_killed_again_and_again_gives_the_same_links(run: Run, world: World, tmp_path: Path):
    out = tmp_path / "out"
    words = ("link", "--threads", 2, *world.inputs(), "--out", out)
    for moment in ("read.step.json", "normalise.step.json", "score.step.json", "decide.step.json"):
        kill_when(out / ".steps" / moment, words)
        assert not (out / "links.parquet").exists() or moment == "decide.step.json"
    done = quychu(*words)
    assert done.code == 0, done.told
    assert continued(out) == {step: step != "write" for step in STEPS}
    assert_frame_equal(links_of(out), links_of(run.out))
    assert (out / "links.xlsx").read_bytes() == (run.out / "links.xlsx").read_bytes()
    assert not [entry for entry in out.rglob("*") if entry.name.endswith("quychu-tmp")]


def test_the_same_command_again_repeats_no_step(copy_of_run: Path, world: World):
    before = (copy_of_run / "links.parquet").stat().st_mtime_ns
    done = linked(*world.inputs(), "--out", copy_of_run)
    assert continued(copy_of_run) == dict.fromkeys(STEPS, True)
    assert (copy_of_run / "links.parquet").stat().st_mtime_ns == before
    assert "rows read" in done.out


@pytest.mark.parametrize("file", ["links.parquet", "links.xlsx"])
def test_a_result_that_was_deleted_comes_back(file: str, copy_of_run: Path, run: Run, world: World):
    (copy_of_run / file).unlink()
    linked(*world.inputs(), "--out", copy_of_run)
    assert (copy_of_run / file).exists()
    assert (copy_of_run / file).read_bytes() == (run.out / file).read_bytes()


def test_a_damaged_step_is_done_again(copy_of_run: Path, run: Run, world: World):
    (copy_of_run / ".steps" / "decide.links.parquet").write_bytes(b"PAR1")
    linked(*world.inputs(), "--out", copy_of_run)
    assert not continued(copy_of_run)["decide"]
    assert_frame_equal(links_of(copy_of_run), links_of(run.out))


@pytest.mark.parametrize("changed", ["inputs", "config", "model"])
def test_a_folder_made_from_something_else_is_refused_until_fresh(
    changed: str, copy_of_run: Path, world: World, model: Path, tmp_path: Path
):
    config = tmp_path / "other.toml"
    shipped = Path(__file__).parents[2] / "configs" / "land-register.toml"
    config.write_text(shipped.read_text(encoding="utf-8").replace("link_at = 0.99", "link_at = 0.95"))
    fewer = tmp_path / "fewer.parquet"
    world.lines().head(200).write_parquet(fewer)
    words: dict[str, tuple[object, ...]] = {
        "inputs": ("--owners", fewer, "--citizens", world.citizens),
        "config": (*world.inputs(), "--config", config),
        "model": (*world.inputs(), "--model", model),
    }
    done = quychu("link", *words[changed], "--out", copy_of_run, "--no-workbook")
    assert changed in done.refusal
    assert "--fresh" in done.refusal


def test_fresh_starts_over(copy_of_run: Path, world: World, model: Path, tmp_path: Path):
    fewer = tmp_path / "fewer.parquet"
    world.lines().head(200).write_parquet(fewer)
    told = ("--owners", fewer, "--citizens", world.citizens, "--model", model, "--out", copy_of_run)
    linked(*told, "--fresh", "--no-workbook")
    assert links_of(copy_of_run)["owner_record_id"].n_unique() == 200
    assert not any(continued(copy_of_run).values())
    assert not (copy_of_run / "links.xlsx").exists()


def test_a_folder_with_other_files_is_never_touched(world: World, tmp_path: Path):
    (tmp_path / "thesis.docx").write_bytes(b"mine")
    for more in ((), ("--fresh",)):
        done = quychu("link", *world.inputs(), "--out", tmp_path, *more)
        assert "--out" in done.refusal
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.docx"]


def test_two_runs_never_share_a_folder(run: Run, world: World):
    from filelock import FileLock

    with FileLock(run.out / ".steps" / "lock"):
        done = quychu("link", *world.inputs(), "--out", run.out)
    assert "another run" not in done.out
    assert "no other run is using" in done.refusal
