"""A folder belongs to one run, and remembers what is finished."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import polars as pl
import pytest

from linkage.errors import RunFolderError
from linkage.outputs.durable import TEMPORARY_SUFFIX
from linkage.outputs.folder import Fingerprint, RunFolder

MADE_FROM = Fingerprint(inputs={"owners": "aa", "citizens": "bb"}, config="cc", model="dd", version="1")
FRAME = pl.DataFrame({"n": [1, 2, 3]})


@pytest.fixture
def out(tmp_path):
    return tmp_path / "kết quả"


def opened(out, fingerprint=MADE_FROM, **options):
    return RunFolder(out).open(fingerprint, **options)


def test_a_stopped_run_goes_on_where_it_was(out):
    with opened(out) as folder:
        assert folder.finished("normalise") is None
        folder.finish("normalise", tables={"mentions": FRAME}, facts={"rows": 3})
    with opened(out) as folder:
        done = folder.finished("normalise")
        assert done is not None
        assert done.table("mentions").equals(FRAME)
        assert done.scan("mentions").collect().equals(FRAME)
        assert done.facts == {"rows": 3}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"inputs": {"owners": "aa", "citizens": "xx"}}, "another inputs"),
        ({"inputs": {"owners": "aa"}}, "another inputs"),
        ({"config": "xx"}, "another config"),
        ({"model": None}, "another model"),
        ({"config": "xx", "model": "xx"}, "another config and model"),
        ({"version": "2"}, "another version"),
    ],
)
def test_a_folder_made_from_something_else_is_refused_unless_fresh(out, change, named):
    other = dataclasses.replace(MADE_FROM, **change)
    with opened(out) as folder:
        folder.finish("normalise", tables={"mentions": FRAME})
    with pytest.raises(RunFolderError, match=f"found {named};"):
        opened(out, other)
    with opened(out, other, fresh=True) as folder:
        assert folder.finished("normalise") is None


def test_a_fresh_start_removes_results_but_neither_foreign_files_nor_what_is_kept(out):
    with opened(out):
        pass
    for name in ("links.parquet", "run.json", "model.json", "notes.txt"):
        (out / name).touch()
    with opened(out, fresh=True, keep=[out / "model.json"]):
        assert sorted(entry.name for entry in out.iterdir()) == [".steps", "model.json", "notes.txt"]


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_is_not_ours_is_refused_and_left_as_it_is(out, fresh):
    out.mkdir()
    (out / "thesis.docx").touch()
    with pytest.raises(RunFolderError, match="found other files in it"):
        opened(out, fresh=fresh)
    assert [entry.name for entry in out.iterdir()] == ["thesis.docx"]


def test_a_folder_with_only_what_file_managers_leave_counts_as_empty(out):
    out.mkdir()
    (out / ".DS_Store").touch()
    opened(out).close()


def test_a_file_in_the_place_of_the_folder_is_one_sentence(out):
    out.touch()
    with pytest.raises(RunFolderError, match="expected"):
        opened(out)


def test_a_run_killed_before_it_claimed_the_folder_does_not_bar_it(out):
    (out / ".steps").mkdir(parents=True)
    (out / ".steps" / "lock").touch()
    (out / ".steps" / f".folder.json.1{TEMPORARY_SUFFIX}").touch()
    opened(out).close()


@pytest.mark.parametrize("damage", ["changed", "gone", "record"])
def test_a_damaged_step_is_noticed_and_done_again(out, damage):
    with opened(out) as folder:
        artefact = folder.finish("score", tables={"pairs": FRAME}).files["pairs"]
    if damage == "changed":
        data = bytearray(artefact.read_bytes())
        data[len(data) // 2] ^= 1
        artefact.write_bytes(data)
    elif damage == "gone":
        artefact.unlink()
    else:
        (out / ".steps" / "score.step.json").write_text('{"tables": ')
    with opened(out) as folder:
        assert folder.finished("score") is None
        folder.finish("score", tables={"pairs": FRAME})
        assert folder.finished("score") is not None


def test_a_step_is_done_again_when_one_before_it_gave_something_else(out):
    with opened(out) as folder:
        folder.finish("read", tables={"lines": FRAME})
        folder.finish("score", tables={"pairs": FRAME}, depends_on=["read"])
        folder.finish("read", tables={"lines": FRAME})
        assert folder.finished("score", depends_on=["read"]) is not None
        folder.finish("read", tables={"lines": FRAME.head(1)})
        assert folder.finished("score", depends_on=["read"]) is None


def test_the_damaged_record_of_a_folder_is_refused_unless_fresh(out):
    opened(out).close()
    (out / ".steps" / "folder.json").write_text("[]")
    with pytest.raises(RunFolderError, match="damaged"):
        opened(out)
    opened(out, fresh=True).close()


def test_leftovers_of_a_killed_run_are_cleared_away(out):
    opened(out).close()
    leftovers = [out / f".links.xlsx.7{TEMPORARY_SUFFIX}", out / ".steps" / f".a.parquet.7{TEMPORARY_SUFFIX}"]
    for leftover in leftovers:
        leftover.touch()
    opened(out).close()
    assert not any(leftover.exists() for leftover in leftovers)


def test_a_table_written_by_an_engine_is_moved_in(out):
    with opened(out) as folder:
        FRAME.write_parquet(folder.scratch() / "pairs.parquet")
        folder.finish("score", tables={"pairs": folder.scratch() / "pairs.parquet"})
        (folder.scratch() / "spilt").touch()
    with opened(out) as folder:
        assert folder.finished("score").table("pairs").equals(FRAME)
        assert list(folder.scratch().iterdir()) == []


def test_discarded_steps_free_the_disk(out):
    with opened(out) as folder:
        folder.finish("read", tables={"lines": FRAME})
        folder.finish("read-more", tables={"lines": FRAME})
        folder.discard_steps(["read"])
        assert folder.finished("read") is None
        assert folder.finished("read-more") is not None


def test_two_runs_never_share_a_folder_but_a_dead_one_lets_go(out):
    code = (
        "import sys; from pathlib import Path; from linkage.outputs.folder import Fingerprint, RunFolder;"
        "folder = RunFolder(Path(sys.argv[1])).open(Fingerprint({'owners': 'aa'}, 'cc'));"
        "print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(RunFolderError, match="found one at work"):
        opened(out, Fingerprint({"owners": "aa"}, "cc"))
    process.kill()
    process.wait()
    opened(out, Fingerprint({"owners": "aa"}, "cc")).close()


def test_a_step_name_cannot_leave_the_folder(out):
    with opened(out) as folder, pytest.raises(ValueError, match="a step or table name"):
        folder.finish("../links")
