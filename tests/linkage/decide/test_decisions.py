"""A decision is made by probability; a doubt goes to the one who can settle it."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.decide.decisions import DECISIONS, REASONS, Thresholds, decide

_SURE = {
    "kind": "person",
    "name_folded": "nguyen van a",
    "citizen_id": "045060000001",
    "match_probability": 0.999,
    "runner_up_probability": 0.0,
    "status": "alive",
    "conflict": None,
    "level_full_name": "same",
    "level_birth": "year, no day to compare",
    "level_commune": "residence",
    "level_spouse": "missing",
    "level_id12": "missing",
    "level_id9": "missing",
}

CASES = {
    "a sure pair is linked": ({}, "link", "name_birth_place"),
    "the number is named first": ({"level_id12": "same"}, "link", "same_id12"),
    "a pair just below the threshold is asked": ({"match_probability": 0.98}, "ask", "weak_evidence"),
    "a close rival is named": ({"match_probability": 0.6, "runner_up_probability": 0.4}, "ask", "rival"),
    "the dead cannot be asked": ({"match_probability": 0.6, "status": "deceased"}, "review", "citizen_deceased"),
    "a sure pair with a dead citizen stays linked": ({"status": "deceased"}, "link", "name_birth_place"),
    "papers that contradict each other go to an officer": (
        {"match_probability": 0.6, "conflict": "id12"},
        "review",
        "papers_conflict",
    ),
    "an unlikely best candidate is not proposed": ({"match_probability": 0.05}, "no_match", "nobody_likely"),
    "no candidate at all": ({"match_probability": None, "citizen_id": None}, "no_match", "no_candidate"),
    "a name nobody can read": (
        {"match_probability": None, "citizen_id": None, "name_folded": None},
        "no_match",
        "unreadable_name",
    ),
    "a number under another name goes to an officer": (
        {"level_id12": "same", "level_full_name": "different"},
        "review",
        "name_differs",
    ),
    "a number under the same surname and given name is linked": (
        {"level_id12": "same", "level_full_name": "given name and surname"},
        "link",
        "same_id12",
    ),
    "a company never meets the register": ({"kind": "organisation"}, "not_a_person", "organisation"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_decided_as_its_sentence_says(case: str) -> None:
    changes, decision, reason = CASES[case]
    frame = pl.DataFrame(
        [{**_SURE, **changes}],
        schema_overrides={
            "conflict": pl.String,
            "citizen_id": pl.String,
            "name_folded": pl.String,
            "match_probability": pl.Float64,
        },
    )
    row = decide(frame, Thresholds()).row(0, named=True)
    assert (row["decision"], row["reason"]) == (decision, reason)
    assert row["decision"] in DECISIONS
    assert row["reason"] in REASONS
