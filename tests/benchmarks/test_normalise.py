"""Normalising: every line is measured, and the seconds of the fields lie within the whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks import normalise
from benchmarks.tools.machine import Run, measured


def register(citizens: int, out: Path, *, seed: int) -> Path:
    """A register of half as many lines again as citizens."""
    out.mkdir(parents=True)
    lines = pl.DataFrame({"owner_record_id": [f"l{n}" for n in range(citizens * 3 // 2)]}).with_columns(
        parcel_code=pl.lit("t1"), owner_name=pl.lit("Nguyễn Văn An"), owner_birth=pl.lit("1960"),
        owner_address=pl.lit(f"Thôn {seed}, xã Gio Mỹ, huyện Gio Linh"), owner_id_no=pl.lit("197000001"),
    )  # fmt: skip
    lines.write_parquet(out / "land_owners.parquet")
    return out


@pytest.fixture
def lines(monkeypatch, tmp_path) -> Path:
    monkeypatch.setattr(normalise.ours, "generate", register)
    return normalise.lines_of_registers(200, 7, tmp_path)


def test_registers_follow_each_other_until_there_are_three_lines_a_citizen(lines):
    frame = pl.read_parquet(lines)
    assert frame.height == 600
    assert frame["owner_record_id"].is_unique().all()
    assert set(frame["parcel_code"]) == {"7-t1", "8-t1"}


def test_the_worker_tells_the_seconds_of_each_field_within_the_whole(lines):
    told = json.loads(measured([sys.executable, normalise.WORKER, lines]).stdout)
    assert told["lines"] == 600
    assert {"addresses", "dates", "identifiers", "owner_text"} <= set(told["fields"])
    assert 0 < max(told["fields"].values()) < told["seconds"]  # two threads: the sum may exceed the whole
    assert "lines (joins, couples)" in normalise.shown(told, Run(0, 1.0, 10**9, "", ""))


def test_only_the_full_size_is_judged():
    assert normalise.target({"lines": 3_000_000, "seconds": 31.0}).met is True
    assert normalise.target({"lines": 3_000_000, "seconds": 61.0}).met is False
    assert normalise.target({"lines": 6_000, "seconds": 0.1}).met is None
