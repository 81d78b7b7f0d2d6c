import pytest

from confirm_api.office import rules
from confirm_api.office.refusals import NoReasonError, NotThisActionError, OutsideCommuneError, RoleError
from confirm_api.office.rules import Actor, Vote, agreed, check_decision, check_reach

REASON = "Đã xem bản gốc."


def votes(*cast: tuple[str, str, str]) -> list[Vote]:
    return [Vote(*vote) for vote in cast]


ONE = ("lan", "reviewer", "confirm")
SECOND = ("minh", "second_reviewer", "confirm")


@pytest.mark.parametrize("kind", sorted(rules.TWO_OFFICERS))
class TestADisputeOrAFreeze:
    def test_ends_by_two_officers_who_agree(self, kind):
        assert agreed(kind, 0, votes(ONE, SECOND)) == "confirm"

    def test_ends_in_either_order(self, kind):
        assert agreed(kind, 0, votes(SECOND, ONE)) == "confirm"

    def test_does_not_end_by_one_officer_twice(self, kind):
        assert agreed(kind, 0, votes(SECOND, SECOND)) is None

    def test_does_not_end_without_a_second_reviewer(self, kind):
        assert agreed(kind, 0, votes(ONE, ("hoa", "reviewer", "confirm"))) is None

    def test_does_not_end_while_they_disagree(self, kind):
        assert agreed(kind, 0, votes(ONE, ("minh", "second_reviewer", "reject"))) is None

    def test_ends_as_soon_as_one_comes_round(self, kind):
        assert agreed(kind, 0, votes(ONE, ("minh", "second_reviewer", "reject"), SECOND)) == "confirm"

    def test_does_not_end_with_a_vote_that_was_taken_back(self, kind):
        assert agreed(kind, 0, votes(ONE, ("lan", "reviewer", "reject"), SECOND)) is None

    def test_does_not_end_by_the_vote_of_an_officer_who_became_an_auditor(self, kind):
        assert agreed(kind, 0, votes(("lan", "auditor", "confirm"), SECOND)) is None


@pytest.mark.parametrize("kind", sorted(set(rules.KINDS) - rules.TWO_OFFICERS))
class TestAnyOtherCase:
    def test_ends_by_one_reviewer(self, kind):
        assert agreed(kind, 0, votes(ONE)) == "confirm"

    def test_ends_by_two_once_it_was_reopened(self, kind):
        assert (agreed(kind, 1, votes(ONE)), agreed(kind, 1, votes(ONE, SECOND))) == (None, "confirm")


def test_every_kind_has_actions():
    assert set(rules.ACTIONS) == set(rules.KINDS)


@pytest.mark.parametrize(
    ("officer", "case", "seen"),
    [
        ("Xã Xuân Trường", "Xã Xuân Trường", True),
        ("Xã Xuân Trường", "xã  xuân trường", True),
        ("Xuân Trường", "Xã Xuân Trường", True),
        ("Xã Xuân Trường", "Phường Xuân Trường", False),
        ("Xã Xuân Trường", "Xã Xuân Trưởng", False),
        ("Xã Xuân Trường", "Xã Xuân Trường B", False),
        ("Xã Xuân Trường", "", False),
        ("Xã Xuân Trường", None, False),
        (None, "Xã Xuân Trường", True),
        (None, None, True),
    ],
)
def test_an_officer_reaches_their_own_commune_only(officer, case, seen):
    actor = Actor("lan", "reviewer", officer)
    assert rules.in_reach(actor, case) is seen
    if not seen:
        with pytest.raises(OutsideCommuneError):
            check_reach(actor, case)


def test_an_auditor_decides_nothing():
    with pytest.raises(RoleError):
        check_decision(Actor("tra", "auditor"), "unproven", "confirm", REASON)


def test_a_case_knows_the_decisions_of_its_kind_only():
    check_decision(Actor("lan", "reviewer"), "suspected_fraud", "unfreeze", REASON)
    with pytest.raises(NotThisActionError):
        check_decision(Actor("lan", "reviewer"), "unproven", "unfreeze", REASON)


@pytest.mark.parametrize("reason", ["", "          ", "ok", "x" * 501])
def test_a_reason_is_said_in_words(reason):
    with pytest.raises(NoReasonError):
        check_decision(Actor("lan", "reviewer"), "unproven", "confirm", reason)
