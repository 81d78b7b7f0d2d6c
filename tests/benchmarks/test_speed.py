"""Speed: both sides take turns, the median counts, small registers are not judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import speed
from benchmarks.tools.machine import Run
from benchmarks.tools.ours import Linked


def a_run(seconds: float, peak: int = 1_000) -> Run:
    return Run(0, seconds, peak, f"total {seconds - 1:.1f} s, peak 0.1 GB\n", "")


def a_link(seconds: float, *, peak: int = 2_000, citizens: int = 1_000_000) -> Linked:
    steps = [{"name": "read", "seconds": seconds / 2, "peak_memory_bytes": peak}]
    return Linked(
        a_run(seconds, peak), Path(), {"seconds": seconds, "counts": {"citizens_read": citizens}, "steps": steps}
    )


@pytest.fixture
def turns(monkeypatch, tmp_path) -> list[str]:
    played: list[str] = []
    monkeypatch.setattr(speed.ours, "without_truth", lambda data, _out: data)
    monkeypatch.setattr(speed.ours, "link", lambda *_: played.append("ours") or a_link(10.0))
    monkeypatch.setattr(speed.plain, "run", lambda *_: played.append("plain") or a_run(8.0))
    return played


def test_the_side_that_begins_changes_with_each_round(turns, tmp_path):
    speed.play(3, tmp_path, tmp_path, Path("python"))
    assert turns == ["plain", "ours", "ours", "plain", "plain", "ours"]


def test_ours_runs_alone_where_plain_splink_cannot(turns, tmp_path):
    done = speed.play(2, tmp_path, tmp_path, None)
    assert turns == ["ours", "ours"]
    assert [target.met for target in speed.targets(done)] == [None, True]


def test_the_median_of_the_seconds_and_the_largest_peak_count():
    done = speed.Rounds(
        [a_run(s) for s in (80, 100, 400)], [a_link(s, peak=p) for s, p in ((90, 1), (140, 6_000_000_000), (900, 2))]
    )
    times, peak = speed.targets(done)
    assert times.value == pytest.approx(1.4)
    assert times.met
    assert peak.value == 6e9
    assert not peak.met
    assert done.own_account() == 99.0
    assert done.steps() == {"read": (70.0, 6_000_000_000)}


def test_a_small_register_is_not_judged_by_the_targets_of_a_province():
    done = speed.Rounds([a_run(8)], [a_link(16, citizens=20_000)])
    assert speed.targets(done)[0].verdict().startswith("NOT JUDGED   seconds, ours / plain: only 20,000 citizens, 2.00")
