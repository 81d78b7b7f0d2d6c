"""Whom to ask first."""

from __future__ import annotations

import json

import polars as pl
import pytest

from linkage.ask.facts import LONGEST_TEXT
from linkage.ask.gain import by_citizen, choose, cut_to, with_gain
from linkage.ask.plan import Expectation, Plan
from linkage.ask.tables import PARCEL
from quychu.circle.conversation import LARGEST_BATCH_BYTES

SURE = Expectation(replies=1.0, proves=1.0, unproven=0.1)


def pairs(*rows: tuple[str, str, float, str | None, int]) -> pl.DataFrame:
    schema = {
        "citizen_id": pl.String,
        "owner_record_id": pl.String,
        "match_probability": pl.Float64,
        "serial": pl.String,
        "hand": pl.Int32,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(role=pl.lit("owner"))


def gains(*rows: tuple[str, str, float, str | None, int]) -> list[float]:
    return with_gain(pairs(*rows), SURE)["expected_gain"].to_list()


def test_a_place_is_worth_its_probability_where_the_number_is_known() -> None:
    assert gains(("c", "L1", 0.5, "AB123456", 0)) == [0.5]


@pytest.mark.parametrize("serial", [None, "123"])
def test_a_place_without_a_number_long_enough_is_worth_little(serial: str | None) -> None:
    assert gains(("c", "L1", 0.5, serial, 0)) == [0.05]


def test_the_number_of_another_line_of_the_hand_proves_this_one_too() -> None:
    assert gains(("c", "L1", 0.5, None, 0), ("c", "L2", 0.5, "AB123456", 0)) == [0.5, 0.5]
    assert gains(("c", "L1", 0.5, None, 0), ("c", "L2", 0.5, "AB123456", 1)) == [0.05, 0.5]


def test_one_question_gathers_the_gain_of_all_places_of_a_citizen() -> None:
    weighed = with_gain(pairs(("c", "L1", 0.5, "AB123456", 0), ("c", "L2", 0.4, "AB999999", 1)), SURE)
    assert by_citizen(weighed).row(0) == ("c", 0.9, 0.5)


def test_a_huge_owner_is_asked_about_the_best_places_first() -> None:
    many = pairs(*[("c", f"L{n:03d}", n / 100, "AB123456", n) for n in range(1, 60)])
    kept = cut_to(with_gain(many, SURE), 40)
    assert kept.height == 40
    assert kept["match_probability"].min() == 0.2


def questions(count: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "citizen_id": [f"{n:012d}" for n in range(count)],
            "expected_gain": [n / 10 for n in range(count)],
            "match_probability": [1 - n / (2 * count) for n in range(count)],
        }
    )


def test_the_budget_goes_to_the_greatest_gain() -> None:
    chosen = choose(questions(100), Plan(budget=10, random_share=0.0))
    assert chosen["expected_gain"].to_list() == [n / 10 for n in range(99, 89, -1)]
    assert set(chosen["chosen_by"]) == {"gain"}
    assert set(chosen["sampling_weight"]) == {1.0}


def test_falling_probability_takes_others() -> None:
    chosen = choose(questions(100), Plan(budget=10, random_share=0.0, by="probability"))
    assert chosen["citizen_id"].to_list() == [f"{n:012d}" for n in range(10)]


def test_the_part_by_lot_stands_for_all() -> None:
    chosen = choose(questions(400), Plan(budget=100, random_share=0.1))
    lot = chosen.filter(chosen_by="random")
    assert (chosen.height, lot.height) == (100, 10)
    assert lot["sampling_weight"].sum() == pytest.approx(400)
    assert chosen["citizen_id"].n_unique() == 100


def test_the_part_by_lot_is_the_same_for_the_same_seed_and_blind_to_gain() -> None:
    draws = [choose(questions(400), Plan(random_share=0.1, seed=seed)).filter(chosen_by="random") for seed in (1, 1, 2)]
    ids = [sorted(draw["citizen_id"]) for draw in draws]
    assert ids[0] == ids[1] != ids[2]
    means = [
        choose(questions(400), Plan(random_share=0.1, seed=seed)).filter(chosen_by="random")["expected_gain"].mean()
        for seed in range(30)
    ]
    assert sum(means) / len(means) == pytest.approx(19.95, abs=1.5)


def test_priorities_are_shares_of_the_greatest() -> None:
    chosen = choose(questions(5), Plan(random_share=0.0))
    assert chosen["priority"].to_list() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_nothing_to_ask_is_no_fault() -> None:
    assert choose(questions(0), Plan()).height == 0


def test_the_longest_question_fits_one_message() -> None:
    """Forty places with every text at its longest; a batch may hold 140,000 bytes before it is sealed."""
    longest = "ữ" * LONGEST_TEXT
    texts = ("parcel_code", "commune_name", "hamlet", "land_use_code", "certificate_serial", "co_owner_name")
    numbers = {"rank": 1, "area_m2": 123_456.78, "certificate_year": 2025, "role": "co_owner", "item_id": "x" * 22}
    parcel = {**numbers, **dict.fromkeys(texts, longest)}
    assert set(parcel) == {field.name for field in PARCEL.fields}
    body = json.dumps([parcel] * Plan().most_items, ensure_ascii=False).encode()
    assert len(body) < LARGEST_BATCH_BYTES - 1_000
