"""What the answers say about pairs."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.learn.labels import labels
from linkage.learn.settle import settle
from tests.linkage.learn.answers import (
    BARE_YES,
    BY_OFFICER,
    DENIED,
    EXPIRED,
    FRAUD,
    PROVEN,
    UNSURE,
    A,
    B,
    Kind,
    answers,
    asked,
    held,
    place,
    places,
)

ONE = places(place("i", "L1"))


def labelled(*said: tuple[str, str, Kind], chosen_by: str = "gain", weight: float = 1.0) -> pl.DataFrame:
    questions = asked(ONE, A, B, chosen_by=chosen_by, weight=weight)
    result = settle(answers(*said), questions, ONE, held())
    return labels(result.said, result.outcomes, questions)


def test_a_proof_is_a_one_and_a_denial_a_zero() -> None:
    table = labelled(("i", A, DENIED), ("i", B, PROVEN))
    rows = table.sort("citizen_id").select("citizen_id", "label", "evidence_level", "match_probability").rows()
    assert rows == [(A, 0, "tap", 0.6), (B, 1, "challenge", 0.3)]


def test_an_officers_decision_is_a_label() -> None:
    assert labelled(("i", A, BY_OFFICER)).select("label", "evidence_level").rows() == [(1, "officer")]


@pytest.mark.parametrize("kind", [BARE_YES, UNSURE, FRAUD, EXPIRED])
def test_nothing_else_is_a_label(kind: Kind) -> None:
    assert labelled(("i", A, kind)).is_empty()


def test_a_dispute_is_no_label() -> None:
    assert labelled(("i", A, PROVEN), ("i", B, PROVEN)).is_empty()


@pytest.mark.parametrize(("chosen_by", "source"), [("gain", "chosen"), ("probability", "chosen"), ("random", "random")])
def test_the_part_by_lot_is_kept_apart_with_its_weight(chosen_by: str, source: str) -> None:
    table = labelled(("i", A, PROVEN), chosen_by=chosen_by, weight=18.0)
    assert table.select("source", "sampling_weight").rows() == [(source, 18.0)]
