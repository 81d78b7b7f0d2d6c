"""Who may be asked about which place."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.ask.askable import Askable, askable
from tests.linkage.ask.people import DENIED, candidates, citizen, citizens, links, table

TODAY = date(2026, 3, 10)
ONE = links(("L1", "owner", "P"))


def found(
    places: pl.DataFrame, scored: pl.DataFrame, people: pl.DataFrame, denied: pl.DataFrame | None = None
) -> Askable:
    nobody = table(DENIED) if denied is None else denied
    return askable(places, scored, people, nobody, today=TODAY, least_chance=0.1)


def asked(result: Askable) -> list[tuple[str, int]]:
    return list(result.pairs.sort("owner_record_id", "rank").select("citizen_id", "rank").iter_rows())


def test_candidates_are_asked_in_falling_probability() -> None:
    result = found(ONE, candidates(P=[0.6, 0.3, 0.08]), citizens())
    assert asked(result) == [(citizen(1), 1), (citizen(2), 2), (citizen(3), 3)]


def test_a_weak_candidate_behind_a_strong_one_is_worth_asking_and_behind_a_weak_one_is_not() -> None:
    behind_strong = found(ONE, candidates(P=[0.97, 0.01]), citizens())
    behind_weak = found(ONE, candidates(P=[0.60, 0.01]), citizens())
    assert behind_strong.pairs["chance"].round(3).to_list() == [0.97, 0.333]
    assert asked(behind_weak) == [(citizen(1), 1)]
    assert behind_weak.left_out == {"unlikely": 1}


@pytest.mark.parametrize("decision", ["link", "review", "no_match", "not_a_person"])
def test_only_what_is_doubtful_is_asked(decision: str) -> None:
    result = found(links(("L1", "owner", "P"), decision=decision), candidates(P=[0.6]), citizens())
    assert result.pairs.is_empty()


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("status", "deceased", "deceased"),
        ("status", "emigrated", "emigrated"),
        ("birth_year", 2015, "minor"),
        ("birth_year", None, "age_unknown"),
    ],
)
def test_some_people_are_never_asked(field: str, value: object, why: str) -> None:
    result = found(ONE, candidates(P=[0.6, 0.3]), citizens(**{field: {1: value}}))
    assert asked(result) == [(citizen(2), 1)]
    assert result.left_out[why] == 1


@pytest.mark.parametrize(
    ("month", "day", "is_asked"), [(3, 10, True), (3, 11, False), (None, None, False), (2, None, True)]
)
def test_the_day_of_coming_of_age_counts(month: int | None, day: int | None, *, is_asked: bool) -> None:
    people = citizens(1, birth_year={1: 2008}, birth_month={1: month}, birth_day={1: day})
    assert (asked(found(ONE, candidates(P=[0.6]), people)) != []) is is_asked


def test_the_mass_of_a_dead_candidate_is_not_handed_to_the_next() -> None:
    result = found(ONE, candidates(P=[0.93, 0.05]), citizens(status={1: "deceased"}))
    assert result.pairs.is_empty()


def test_nobody_is_asked_about_a_second_place_on_a_line_where_he_holds_the_first() -> None:
    linked = links(("L1", "owner", "Q"), decision="link")  # citizen 1 is the husband, linked
    wife = links(("L1", "co_owner", "P"), ("L2", "owner", "P"))
    result = found(pl.concat([linked, wife]), candidates(P=[0.6]), citizens())
    assert result.pairs["owner_record_id"].to_list() == ["L2"]
    assert result.left_out["holds_another_place"] == 1


def test_who_denied_a_place_is_not_asked_again_and_the_next_comes_first() -> None:
    denied = table(DENIED, ("L1", "owner", citizen(1)))
    result = found(ONE, candidates(P=[0.96, 0.01]), citizens(), denied)
    assert asked(result) == [(citizen(2), 1)]
    assert result.pairs["chance"].round(2).to_list() == [0.25]
