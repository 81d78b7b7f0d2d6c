"""Normalising: every line is measured, and the seconds of the fields lie within the whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

from benchmarks import normalise
from benchmarks.tools.machine import Run, measured


def test_the_worker_tells_the_seconds_of_each_field_within_the_whole(tmp_path):
    path = normalise.lines_of_registers(200, 1, tmp_path)
    told = json.loads(measured([sys.executable, normalise.WORKER, path]).stdout)
    assert told["lines"] == 600
    assert pl.read_parquet(path)["owner_record_id"].is_unique().all()
    assert {"addresses", "dates", "identifiers", "owner_text"} <= set(told["fields"])
    assert 0 < sum(told["fields"].values()) < told["seconds"]
    assert "lines (joins, couples)" in normalise.shown(told, Run(0, 1.0, 10**9, "", ""))


def test_only_the_full_size_is_judged():
    assert normalise.target({"lines": 3_000_000, "seconds": 31.0}).met is True
    assert normalise.target({"lines": 3_000_000, "seconds": 61.0}).met is False
    assert normalise.target({"lines": 6_000, "seconds": 0.1}).met is None


def test_the_worker_stands_where_it_is_looked_for():
    assert Path(normalise.WORKER).is_file()
