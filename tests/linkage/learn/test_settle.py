"""Whose a place is after the answers."""

from __future__ import annotations

import pytest

from tests.linkage.learn.answers import (
    BARE_YES,
    BY_OFFICER,
    DECLINED,
    DENIED,
    DISPUTED,
    EXPIRED,
    FRAUD,
    PROVEN,
    UNSURE,
    WITHDRAWN,
    A,
    B,
    Kind,
    ends,
    place,
    places,
    settled,
)

ONE = places(place("i", "L1"))
TWO_OF_ONE_HAND = places(place("i", "L1"), place("j", "L2"))
ONE_WITHOUT_NUMBER = places(place("i", "L1"), place("j", "L2", serial=None))


@pytest.mark.parametrize("kind", [PROVEN, BY_OFFICER])
def test_a_proven_claim_settles_the_place(kind: Kind) -> None:
    assert ends(settled(ONE, [("i", A, kind)])) == {"i": ("confirmed", A)}


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (BARE_YES, "office"),
        (UNSURE, "office"),
        (FRAUD, "office"),
        (DISPUTED, "office"),
        (DENIED, "denied"),
        (EXPIRED, "no_answer"),
        (DECLINED, "no_answer"),
        (("settled", "mine", False, "tap"), "office"),
        (("settled", "mine", True, "tap"), "office"),
        (("settled", "mine", False, "challenge"), "office"),
    ],
)
def test_nothing_less_does(kind: Kind, outcome: str) -> None:
    assert ends(settled(ONE, [("i", A, kind)])) == {"i": (outcome, None)}


def test_without_any_entry_a_place_is_open() -> None:
    assert ends(settled(ONE, [])) == {"i": ("open", None)}
    assert ends(settled(ONE, [("i", A, DENIED)], who=(A, B))) == {"i": ("open", None)}


def test_the_next_candidate_may_have_it_once_the_first_denies() -> None:
    assert ends(settled(ONE, [("i", A, DENIED), ("i", B, PROVEN)], who=(A, B))) == {"i": ("confirmed", B)}


def test_denied_by_all_is_denied_and_denied_by_one_is_not() -> None:
    assert ends(settled(ONE, [("i", A, DENIED), ("i", B, DENIED)], who=(A, B)))["i"][0] == "denied"
    assert ends(settled(ONE, [("i", A, DENIED), ("i", B, EXPIRED)], who=(A, B)))["i"][0] == "no_answer"


def test_the_last_entry_counts() -> None:
    taken_back = [("i", A, PROVEN), ("i", A, ("office", "not_mine", False, "tap"))]
    decided_anew = [("i", A, UNSURE), ("i", A, BY_OFFICER)]
    assert ends(settled(ONE, taken_back)) == {"i": ("office", None)}
    assert ends(settled(ONE, decided_anew)) == {"i": ("confirmed", A)}


def test_an_answer_of_somebody_who_was_not_asked_is_counted_and_ignored() -> None:
    result = settled(ONE, [("i", B, PROVEN)], who=(A,))
    assert ends(result) == {"i": ("open", None)}
    assert result.unknown == 1


def test_two_proven_claims_are_a_dispute() -> None:
    assert ends(settled(ONE, [("i", A, PROVEN), ("i", B, PROVEN)], who=(A, B))) == {"i": ("office", None)}


def test_two_proven_claims_on_two_places_of_one_hand_are_a_dispute_too() -> None:
    said = [("i", A, PROVEN), ("j", B, PROVEN), ("j", A, DENIED), ("i", B, WITHDRAWN)]
    assert set(ends(settled(TWO_OF_ONE_HAND, said, who=(A, B))).values()) == {("office", None)}


def test_on_two_places_of_two_hands_they_are_not() -> None:
    apart = places(place("i", "L1", hand=0), place("j", "L2", hand=1))
    said = [("i", A, PROVEN), ("j", B, PROVEN), ("j", A, DENIED), ("i", B, WITHDRAWN)]
    assert ends(settled(apart, said, who=(A, B))) == {"i": ("confirmed", A), "j": ("confirmed", B)}


def test_nobody_holds_two_places_on_a_line() -> None:
    couple = places(place("i", "L1", role="owner", hand=0), place("j", "L1", role="co_owner", hand=1))
    assert set(ends(settled(couple, [("i", A, PROVEN), ("j", A, PROVEN)])).values()) == {("office", None)}


def test_a_husband_linked_to_the_line_cannot_prove_his_wifes_place() -> None:
    wife = places(place("i", "L1", role="co_owner"))
    assert ends(settled(wife, [("i", A, PROVEN)], linked=[("L1", A)])) == {"i": ("office", None)}
    assert ends(settled(wife, [("i", A, PROVEN)], linked=[("L9", A), ("L1", B)])) == {"i": ("confirmed", A)}


@pytest.mark.parametrize("kind", [EXPIRED, DECLINED, BARE_YES])
def test_a_proven_place_settles_an_unanswered_one_of_its_hand(kind: Kind) -> None:
    result = settled(ONE_WITHOUT_NUMBER, [("i", A, PROVEN), ("j", A, kind)])
    assert ends(result) == {"i": ("confirmed", A), "j": ("same_hand", A)}


def test_it_settles_one_that_is_still_open() -> None:
    assert ends(settled(TWO_OF_ONE_HAND, [("i", A, PROVEN)]))["j"] == ("same_hand", A)


@pytest.mark.parametrize("kind", [DENIED, UNSURE, FRAUD, DISPUTED])
def test_it_never_settles_what_the_citizen_would_not_own(kind: Kind) -> None:
    assert ends(settled(ONE_WITHOUT_NUMBER, [("i", A, PROVEN), ("j", A, kind)]))["j"][1] is None


def test_a_number_that_could_not_be_given_speaks_against_its_own_place() -> None:
    """The place has a number and ended with an officer after "mine": the number was wrong or left out."""
    assert ends(settled(TWO_OF_ONE_HAND, [("i", A, PROVEN), ("j", A, BARE_YES)]))["j"] == ("office", None)


def test_likeness_spreads_nothing() -> None:
    alike = places(place("i", "L1", hand=0), place("j", "L2", hand=1))
    assert ends(settled(alike, [("i", A, PROVEN), ("j", A, EXPIRED)]))["j"] == ("no_answer", None)


def test_the_denial_of_another_candidate_does_not_hinder() -> None:
    said = [("i", B, DENIED), ("j", B, DENIED), ("i", A, PROVEN), ("j", A, EXPIRED)]
    assert ends(settled(TWO_OF_ONE_HAND, said, who=(B, A)))["j"] == ("same_hand", A)


@pytest.mark.parametrize("kind", [BARE_YES, UNSURE, FRAUD])
def test_the_word_of_another_candidate_does(kind: Kind) -> None:
    said = [("i", B, DENIED), ("j", B, kind), ("i", A, PROVEN), ("j", A, WITHDRAWN)]
    assert ends(settled(ONE_WITHOUT_NUMBER, said, who=(B, A)))["j"] == ("office", None)


def test_it_never_settles_a_second_place_on_the_same_line() -> None:
    twice = places(place("i", "L1", role="owner"), place("j", "L1", role="co_owner"))
    assert ends(settled(twice, [("i", A, PROVEN), ("j", A, EXPIRED)]))["j"] == ("no_answer", None)


def test_nor_where_the_citizen_is_linked_already() -> None:
    result = settled(TWO_OF_ONE_HAND, [("i", A, PROVEN), ("j", A, EXPIRED)], linked=[("L2", A)])
    assert ends(result) == {"i": ("confirmed", A), "j": ("no_answer", None)}
