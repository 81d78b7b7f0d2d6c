"""Which lines one proof settles together."""

from __future__ import annotations

import polars as pl

from linkage.evidence.same_hand import hands

COLUMNS = {"person_id": pl.String, "name_folded": pl.String, "serial": pl.String, "id12": pl.String, "id9": pl.String}


def together(*rows: tuple[str | None, ...]) -> list[int]:
    return hands(pl.DataFrame(rows, schema=COLUMNS, orient="row")).to_list()


def test_one_certificate_and_one_name_are_one_hand() -> None:
    assert together(("P", "le a", "AB123456", None, None), ("P", "le a", "AB123456", None, None)) == [0, 0]


def test_husband_and_wife_on_one_certificate_are_two() -> None:
    assert together(("P", "le a", "AB123456", None, None), ("P", "tran b", "AB123456", None, None)) == [0, 1]


def test_one_number_and_one_name_are_one_hand() -> None:
    assert together(("P", "le a", None, "1" * 12, None), ("P", "le a", "AB1", "1" * 12, None)) == [0, 0]
    assert together(("P", "le a", None, None, "1" * 9), ("P", "le a", "AB1", None, "1" * 9)) == [0, 0]


def test_likeness_alone_is_not_enough() -> None:
    assert together(("P", "le a", None, None, None), ("P", "le a", None, None, None)) == [0, 1]


def test_a_hand_never_reaches_another_person() -> None:
    assert together(("P", "le a", "AB123456", None, None), ("Q", "le a", "AB123456", None, None)) == [0, 1]


def test_hands_reach_through_a_third_line() -> None:
    first, middle, last = ("AB123456", None), ("AB123456", "1" * 12), (None, "1" * 12)
    assert together(*[("P", "le a", serial, number, None) for serial, number in (first, last, middle)]) == [0, 0, 0]


def test_a_line_without_a_name_is_a_hand_of_its_own() -> None:
    assert together(("P", None, "AB123456", None, None), ("P", None, "AB123456", None, None)) == [0, 1]
