"""What answers do to the links."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.learn.relink import PROOF_BITS, relink
from linkage.learn.tables import ITEM_OUTCOMES
from linkage.schemas import LINKS
from tests.linkage.learn.answers import A, B


def links(decision: str = "ask") -> pl.DataFrame:
    row = {
        "owner_record_id": "L1", "role": "owner", "person_id": "P", "citizen_id": A, "match_weight": 2.0,
        "match_probability": 0.8, "decision": decision, "reason": "weak_evidence", "runner_up_citizen_id": B,
        "runner_up_probability": 0.1, "has_id": False, "sex": "M", "birth_year": 1960, "commune_code": "18901",
    }  # fmt: skip
    other = {**row, "owner_record_id": "L2", "person_id": "Q", "decision": "link", "reason": "same_id12"}
    return pl.DataFrame([row, other], schema=LINKS.schema())


CANDIDATES = pl.DataFrame(
    {"person_id": ["P", "P"], "citizen_id": [A, B], "match_weight": [2.0, -3.0], "match_probability": [0.8, 0.1]}
)


def after(outcome: str, citizen: str | None = None, decision: str = "ask") -> dict[str, object]:
    ended = pl.DataFrame([("i", "L1", "owner", "P", outcome, citizen)], schema=ITEM_OUTCOMES.schema(), orient="row")
    table = relink(links(decision), ended, CANDIDATES)
    assert table.row(1) == links().row(1)  # the other line is not touched
    return table.row(0, named=True)


@pytest.mark.parametrize("outcome", ["confirmed", "same_hand"])
def test_a_settled_place_is_linked(outcome: str) -> None:
    row = after(outcome, A)
    assert (row["decision"], row["reason"], row["citizen_id"]) == ("link", "citizen_confirmed", A)
    assert row["match_weight"] == pytest.approx(2.0 + PROOF_BITS)
    assert row["match_probability"] == pytest.approx(12000 / 12001, abs=1e-6)
    assert row["runner_up_citizen_id"] == B


def test_a_second_candidate_takes_the_place_and_the_first_becomes_the_runner_up() -> None:
    row = after("confirmed", B)
    assert (row["citizen_id"], row["runner_up_citizen_id"]) == (B, A)
    assert 0.99 < row["match_probability"] < 1
    assert row["runner_up_probability"] < 1


@pytest.mark.parametrize(("outcome", "reason"), [("office", "office_decides"), ("denied", "citizen_denied")])
def test_what_people_must_see_goes_to_an_officer(outcome: str, reason: str) -> None:
    row = after(outcome)
    assert (row["decision"], row["reason"], row["citizen_id"]) == ("review", reason, A)
    assert row["match_probability"] == 0.8


@pytest.mark.parametrize("outcome", ["no_answer", "open"])
def test_what_nobody_answered_stays(outcome: str) -> None:
    assert after(outcome) == links().row(0, named=True)


@pytest.mark.parametrize("decision", ["link", "review", "no_match"])
def test_only_doubtful_places_change(decision: str) -> None:
    assert after("confirmed", B, decision)["citizen_id"] == A
