"""Each left-hand record gets one decision, whatever the order of the pairs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.tables.decide import REASONS, decisions, one_to_one
from linkage.tables.parts import Decide

ONE = Decide(links="one_to_one", link_at=0.9, review_at=0.1)
MANY = Decide(links="many_to_one", link_at=0.9, review_at=0.1)


def pairs(*rows: tuple[int, int, float]) -> pl.DataFrame:
    made = pl.DataFrame(rows, schema={"l": pl.Int32, "r": pl.Int32, "match_weight": pl.Float64}, orient="row")
    return made.with_columns(match_probability=1 / (1 + 2.0 ** (-pl.col("match_weight"))))


def said(table: pl.DataFrame, records: int, told: Decide) -> list[tuple]:
    return decisions(table, records, told).select("l", "r", "decision", "reason").rows()


def test_the_second_best_takes_what_the_best_left() -> None:
    table = pairs((0, 0, 9.0), (1, 0, 10.0), (0, 1, 5.0), (1, 1, 8.0))
    assert said(table, 2, ONE) == [(0, 1, "link", "best"), (1, 0, "link", "best")]
    assert said(table, 2, MANY) == [(0, 0, "link", "best"), (1, 0, "link", "best")]


def test_a_record_whose_partner_was_taken_is_for_review() -> None:
    assert said(pairs((0, 0, 9.0), (1, 0, 10.0)), 2, ONE)[0] == (0, 0, "review", "taken")


def test_doubtful_weak_and_lone_records_say_so() -> None:
    table = pairs((0, 0, 1.0), (1, 1, -6.0))
    assert said(table, 3, MANY) == [
        (0, 0, "review", "doubtful"),
        (1, 1, "no_match", "weak"),
        (2, None, "no_match", "no_candidate"),
    ]


def test_two_equally_good_records_are_for_review_and_nearly_equal_ones_are_not() -> None:
    assert said(pairs((0, 0, 9.0), (0, 1, 9.0)), 1, MANY) == [(0, 0, "review", "tie")]
    assert said(pairs((0, 0, 9.0), (0, 1, 9.1)), 1, MANY) == [(0, 1, "link", "best")]


@pytest.mark.parametrize("told", [ONE, MANY])
def test_no_pairs_and_no_records_are_fine(told) -> None:
    assert said(pairs(), 1, told) == [(0, None, "no_match", "no_candidate")]
    assert said(pairs(), 0, told) == []


@given(st.dictionaries(st.tuples(st.integers(0, 6), st.integers(0, 6)), st.integers(4, 9), max_size=30), st.randoms())
def test_one_to_one_is_the_greedy_choice_whatever_the_order(weights, random) -> None:
    rows = [(*pair, float(weight)) for pair, weight in weights.items()]
    random.shuffle(rows)
    taken: list[tuple[int, int]] = []
    for left, right, _ in sorted(rows, key=lambda row: (-row[2], row[0], row[1])):
        if all(left != a and right != b for a, b in taken):
            taken.append((left, right))
    assert one_to_one(pairs(*rows)).select("l", "r").rows() == sorted(taken)


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(-9, 9), max_size=20))
def test_every_left_hand_record_has_exactly_one_row_with_a_known_reason(weights) -> None:
    table = pairs(*[(*pair, float(weight)) for pair, weight in weights.items()])
    for told in (ONE, MANY):
        rows = decisions(table, 5, told)
        assert rows["l"].to_list() == list(range(5))
        assert set(rows["reason"]) <= set(REASONS)
