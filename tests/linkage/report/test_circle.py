"""The section about asking citizens: the run's own counts, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from linkage.learn.tables import OUTCOMES
from linkage.report import words
from linkage.report.circle import circle_of
from linkage.report.page import write_report

COUNTS = {
    "questions": 168,
    "questions_random": 9,
    "asked_items": 296,
    "answers": 321,
    "settled": 199,
    "asked_by_outcome": {"denied": 68, "confirmed": 199, "office": 29},
    "answers_by_verdict": {"mine": 228, "not_mine": 73, "none": 20},
    "before": {"decisions": {"link": 38_730, "ask": 296}, "precision": 0.9998, "recall": 0.986},
    "after": {"decisions": {"link": 38_929, "review": 97}, "precision": 0.9998, "recall": 0.9911},
}
COMPARISON = {
    "taught_by": {"matches": 105, "denied": 27},
    "levels": [{"comparison": "id12", "level": "different", "bits_old": -5.0, "bits_new": -4.8}] * 20,
    "decisions": {"persons": 1, "lines": 2, "of_persons": 10_844},
    "held_out": {"labels": 8, "enough": False, "old": {"log_loss": 0.2126}, "new": {"log_loss": 0.2127}},
}


def page(folder: Path, counts: object, comparison: object = None) -> str:
    pl.DataFrame({"owner_record_id": ["L1"], "decision": ["link"]}).write_parquet(folder / "links.parquet")
    (folder / "run.json").write_text(json.dumps({"counts": counts}))
    if comparison is not None:
        (folder / "model-comparison.json").write_text(json.dumps(comparison))
    text = write_report(folder).read_text(encoding="utf-8")
    return text[text.index('<section id="circle"') : text.index('<section id="examples"')]


def test_a_run_that_asked_nobody_says_how_to_ask(tmp_path: Path) -> None:
    assert "quychu ask" in page(tmp_path, {})


def test_before_and_after_stand_side_by_side(tmp_path: Path) -> None:
    shown = page(tmp_path, COUNTS)
    for told in ("98,600", "99.110%", "Trước", "After", "38.730", "38,929"):
        assert told in shown


def test_outcomes_are_counted_in_their_fixed_order_with_shares() -> None:
    circle = circle_of({"counts": COUNTS}, {})
    assert circle is not None
    assert [row.code for row in circle.outcomes] == ["confirmed", "office", "denied"]
    assert sum(row.share for row in circle.outcomes) == pytest.approx(1.0)


def test_an_unknown_outcome_is_shown_as_it_is(tmp_path: Path) -> None:
    assert "&lt;later&gt;" in page(tmp_path, {**COUNTS, "asked_by_outcome": {"<later>": 1}})


def test_the_new_model_is_told_with_a_warning_where_labels_are_few(tmp_path: Path) -> None:
    shown = page(tmp_path, COUNTS, COMPARISON)
    assert "Too few labels to tell the models apart" in shown
    assert shown.count("<code>id12</code>") == 8


def test_questions_without_answers_yet_are_no_crash(tmp_path: Path) -> None:
    assert "296" in page(tmp_path, {"questions": 168, "asked_items": 296})


def test_every_outcome_of_learning_has_words() -> None:
    assert set(OUTCOMES) == set(words.OUTCOMES)
