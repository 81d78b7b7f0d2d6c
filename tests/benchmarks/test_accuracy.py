"""Accuracy: shares missed mean what the targets mean, and the whole comparison runs without plain Splink."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import accuracy
from linkage.report.judge import judge
from linkage.report.metrics import evaluate

PROBABILITIES = (0.2, 0.9, 1.0)
WEIGHTS = (None, 3.0, 40.0)


@st.composite
def registers(draw) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Links and truth of a few lines: right and wrong citizens, organisations, invented and unknown persons."""
    kinds = ("right", "wrong", "none", "organisation", "invented", "not_in_register", "absent")
    lines = draw(
        st.lists(
            st.tuples(st.sampled_from(kinds), st.sampled_from(PROBABILITIES), st.sampled_from(WEIGHTS)),
            min_size=1,
            max_size=12,
        )
    )
    links, truth = [], []
    for number, (kind, probability, weight) in enumerate([("right", 1.0, 40.0), *lines]):
        found = {"right": f"c{number}", "none": None}.get(kind, "x")
        if kind != "absent":
            links.append((f"l{number}", "owner", found, "not_a_person", probability, weight))
        if kind != "invented":
            known = None if kind in {"organisation", "not_in_register"} else f"c{number}"
            truth.append(
                (f"l{number}", "owner", "organisation" if kind == "organisation" else "person", f"p{number}", known)
            )
    link_columns = ["owner_record_id", "role", "citizen_id", "decision", "match_probability", "match_weight"]
    truth_columns = ["owner_record_id", "role", "kind", "person", "citizen_id"]
    return (
        pl.DataFrame(links, schema=link_columns, orient="row", strict=False).cast({"match_weight": pl.Float64}),
        pl.DataFrame(truth, schema=truth_columns, orient="row").cast({"citizen_id": pl.String}),
    )


def naive_missed(links: pl.DataFrame, truth: pl.DataFrame, precision: float) -> float:
    """The definition, word for word: try each threshold, count, keep the best."""
    true = {line: citizen for line, citizen in truth.select("owner_record_id", "citizen_id").iter_rows() if citizen}
    scored = [
        ((probability, -math.inf if weight is None else weight), true.get(line) == citizen)
        for line, citizen, probability, weight in links.select(
            "owner_record_id", "citizen_id", "match_probability", "match_weight"
        ).iter_rows()
        if citizen is not None
    ]
    best = 0
    for threshold in {score for score, _ in scored}:
        taken = [right for score, right in scored if score >= threshold]
        if sum(taken) / len(taken) >= precision:
            best = max(best, sum(taken))
    return 1 - best / len(true)


@settings(max_examples=40)
@given(registers(), st.sampled_from(accuracy.PRECISIONS))
def test_the_best_threshold_is_the_best_of_all_thresholds_tried_one_by_one(data, precision):
    links, truth = data
    scores = evaluate(links, truth, bootstraps=2).scopes["owner"]
    assert accuracy.missed_at(scores, precision) == pytest.approx(naive_missed(links, truth, precision))


@settings(max_examples=40)
@given(registers())
def test_one_threshold_for_all_misses_as_many_as_the_threshold_it_was_taken_from(data):
    links, truth = data
    scores = evaluate(links, truth, bootstraps=2).scopes["all"]
    missed = accuracy.missed_from(accuracy.point_at(scores), judge(links, truth))
    assert missed.get("all", 1.0) == pytest.approx(accuracy.missed_at(scores))


def test_all_roles_count_at_one_threshold_but_each_in_its_own_share():
    links = pl.DataFrame(
        {"owner_record_id": ["a", "a", "b", "b"], "role": ["owner", "co_owner"] * 2, "citizen_id": ["1", "2", "3", "9"],
         "decision": ["link"] * 4, "match_probability": [1.0, 1.0, 0.9, 0.5], "match_weight": [30.0, 20.0, 5.0, 0.0]}
    )  # fmt: skip
    truth = pl.DataFrame(
        {"owner_record_id": ["a", "a", "b", "b"], "role": ["owner", "co_owner"] * 2, "kind": ["person"] * 4,
         "person": list("pqrs"), "citizen_id": ["1", "2", "3", "4"]}
    )  # fmt: skip
    point = accuracy.point_at(evaluate(links, truth, bootstraps=2).scopes["all"])
    assert accuracy.missed_from(point, judge(links, truth)) == {"owner": 0.0, "co_owner": 0.5, "all": 0.25}


def test_the_comparison_runs_without_plain_splink_and_says_so(tmp_path, capsys):
    out = tmp_path / "figures.json"
    told = ["--citizens", "1000", "--profiles", "mixed", "--work", tmp_path / "work", "--json", out]
    assert accuracy.main([*map(str, told), "--plain-python", str(tmp_path / "no-python")]) == 0
    shown, found = capsys.readouterr().out, json.loads(out.read_text(encoding="utf-8"))["comparisons"][0]
    assert "plain Splink was not run: expected a Python with vietnamadminunits" in shown
    assert "NOT JUDGED   owners missed at precision 0.999, ours / plain" in shown
    assert found["plain"] is None
    assert found["link_precision"]["owner"] > 0.95
    assert {name for name in ("read", "write") if name in found["step_seconds"]} == {"read", "write"}
    assert not (tmp_path / "work" / "mixed" / "registers" / "truth.parquet").exists()
