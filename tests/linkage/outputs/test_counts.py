"""Counts that a finished run gains afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from linkage.errors import RunFolderError
from linkage.outputs.counts import add_counts, describe, read_manifest


@pytest.fixture
def run(tmp_path: Path) -> Path:
    told = {"status": "finished", "counts": {"rows_read": 3, "questions": 1}, "seconds": 2.5}
    (tmp_path / "run.json").write_text(json.dumps(told), encoding="utf-8")
    return tmp_path


def test_given_counts_change_and_all_else_stays(run: Path) -> None:
    assert add_counts(run, questions=5, settled=2) == {"rows_read": 3, "questions": 5, "settled": 2}
    assert read_manifest(run) == {
        "status": "finished",
        "counts": {"rows_read": 3, "questions": 5, "settled": 2},
        "seconds": 2.5,
    }


def test_a_section_stands_beside_the_counts(run: Path) -> None:
    describe(run, reasons={"rival": ["a", "b"]})
    assert read_manifest(run)["reasons"] == {"rival": ["a", "b"]}
    assert read_manifest(run)["counts"]["rows_read"] == 3


@pytest.mark.parametrize("content", [None, "{", '{"status": "running"}', "[]"])
def test_what_is_no_finished_run_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(RunFolderError, match="folder of a finished run"):
        add_counts(tmp_path, questions=1)
