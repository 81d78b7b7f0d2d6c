import pytest
from sqlalchemy import select

from confirm_api.office import decisions, officers
from confirm_api.office.cases import Filter, find
from confirm_api.office.decisions import Decided, decide, reopen
from confirm_api.office.refusals import (
    NoReasonError,
    OutsideCommuneError,
    RoleError,
    StateError,
    UnknownCaseError,
    UnknownItemError,
)
from confirm_api.office.rules import Actor
from confirm_api.store.tables import accepted_parcels, declarations, feed, items, questions, votes
from confirm_api.store.tables import cases as table
from scripts.office_samples import TRUONG, fill
from tests.confirm_api.office.conftest import HOA, LAN, MINH, REASON, TRA


@pytest.fixture
def no(units) -> dict[str, int]:
    """One case of each kind, by kind."""
    return fill(units)


@pytest.fixture
def act(units):
    def do(actor: Actor, case: int, action: str, reason: str = REASON) -> Decided:
        with units.begin() as unit:
            return decide(unit, actor, case, action, reason)

    return do


@pytest.fixture
def again(units):
    def do(case: int, actor: Actor = LAN) -> None:
        with units.begin() as unit:
            reopen(unit, actor, case, REASON)

    return do


@pytest.fixture
def item(units):
    def read(name: str) -> tuple[str, str | None, str]:
        with units.begin() as unit:
            asked = select(items.c.state, items.c.verdict, items.c.evidence_level).join(
                questions, questions.c.no == items.c.question_no
            )
            found = unit.conn.execute(asked.where(questions.c.question_id.startswith("question-" + name)))
            return tuple(found.one())

    return read


@pytest.fixture
def case(units):
    def read(number: int) -> tuple[str, str | None]:
        with units.begin() as unit:
            return tuple(unit.conn.execute(select(table.c.state, table.c.outcome).where(table.c.no == number)).one())

    return read


# ---- one officer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "doubt", [("unproven", "plain"), ("failed_challenge", "wrong"), ("unsure", "unsure"), ("revision", "back")]
)
@pytest.mark.parametrize(
    ("action", "verdict"),
    [("confirm", ("settled", "mine", "officer")), ("reject", ("settled", "not_mine", "officer"))],
)
def test_one_reviewer_ends_a_doubtful_answer(no, act, item, case, doubt, action, verdict):
    kind, name = doubt
    assert act(LAN, no[kind], action) == Decided("decided", action)
    assert (item(name), case(no[kind])) == (verdict, ("decided", action))


def test_nobody_ends_the_question_about_the_parcel(no, act, item):
    act(LAN, no["unproven"], "nobody")
    assert item("plain")[:2] == ("settled", "not_mine")


def test_the_change_is_told_to_the_engine(units, no, act):
    act(LAN, no["unproven"], "confirm")
    with units.begin() as unit:
        told = unit.conn.execute(select(feed.c.state, feed.c.proven, feed.c.evidence_level)).all()
    assert [tuple(entry) for entry in told] == [("settled", True, "officer")]


def test_a_declaration_becomes_settled(units, no, act, again):
    def status() -> str:
        with units.begin() as unit:
            return unit.conn.execute(select(declarations.c.status)).scalar_one()

    act(LAN, no["declaration"], "accept")
    assert status() == "settled"
    again(no["declaration"])
    assert status() == "queued_for_review"


def test_a_correction_changes_nothing_by_itself(no, act, item):
    before = item("mend")
    assert act(LAN, no["correction"], "accept").state == "decided"
    assert item("mend") == before


def test_a_confirmed_review_link_is_an_accepted_parcel(units, no, act, again):
    def parcels() -> int:
        with units.begin() as unit:
            return len(unit.conn.execute(select(accepted_parcels.c.no)).all())

    act(LAN, no["review"], "confirm")
    assert parcels() == 1
    again(no["review"])
    assert parcels() == 0


# ---- two officers --------------------------------------------------------------------------------------------------


def test_a_dispute_ends_by_two_different_officers(no, act, item, case):
    assert act(LAN, no["dispute"], "confirm") == Decided("first_vote", None)
    assert (item("one")[0], item("two")[0]) == ("disputed", "disputed")
    assert act(MINH, no["dispute"], "confirm") == Decided("decided", "confirm")
    assert (item("one"), item("two")) == (("settled", "mine", "officer"), ("settled", "not_mine", "officer"))
    assert case(no["dispute_two"]) == ("decided", "follows")


@pytest.mark.parametrize(
    "cast",
    [
        [(MINH, "confirm"), (MINH, "confirm")],
        [(LAN, "confirm"), (LAN, "confirm")],
        [(LAN, "confirm"), (MINH, "reject")],
        [(LAN, "confirm"), (LAN, "reject"), (MINH, "confirm")],
    ],
)
@pytest.mark.parametrize("kind", ["dispute"])
def test_a_dispute_does_not_end_without_two_who_agree(no, act, item, case, cast, kind):
    for actor, action in cast:
        act(actor, no[kind], action)
    assert case(no[kind]) == ("first_vote", None)
    assert item("one")[0] == "disputed"


def test_two_reviewers_of_the_first_kind_do_not_end_a_dispute(no, act, case):
    for actor in (LAN, HOA):
        act(actor, no["dispute"], "confirm")
    assert case(no["dispute"]) == ("first_vote", None)


def test_the_vote_of_a_disabled_officer_no_longer_counts(units, no, act, case):
    act(LAN, no["dispute"], "confirm")
    with units.begin() as unit:
        officers.disable(unit, "lan")
    act(MINH, no["dispute"], "confirm")
    assert case(no["dispute"]) == ("first_vote", None)


def test_in_a_dispute_nobody_ends_both_claims(no, act, item, case):
    for actor in (LAN, MINH):
        act(actor, no["dispute"], "nobody")
    assert (item("one")[1], item("two")[1]) == ("not_mine", "not_mine")
    assert case(no["dispute_two"]) == ("decided", "follows")


def test_rejecting_one_claim_leaves_the_other_to_be_decided(no, act, item, case):
    for actor in (LAN, MINH):
        act(actor, no["dispute"], "reject")
    assert item("one")[:2] == ("settled", "not_mine")
    assert case(no["dispute_two"]) == ("open", None)


def test_a_freeze_ends_by_two_and_its_parcels_then_wait_for_their_own_decision(units, no, act):
    act(LAN, no["suspected_fraud"], "unfreeze")
    act(MINH, no["suspected_fraud"], "unfreeze")
    with units.begin() as unit:
        frozen = unit.conn.execute(select(questions.c.frozen).where(questions.c.no == 1)).scalar_one()
        waiting = unit.conn.execute(
            select(table.c.kind).where(table.c.question_no == 1, table.c.state == "open")
        ).scalars()
        assert (frozen, list(waiting)) == (False, ["unsure"])


# ---- reopening -----------------------------------------------------------------------------------------------------


def test_a_reopened_case_ends_by_two(no, act, again, item, case):
    act(LAN, no["unproven"], "confirm")
    again(no["unproven"])
    assert (item("plain")[0], case(no["unproven"])) == ("office", ("open", None))
    assert act(LAN, no["unproven"], "reject").state == "first_vote"
    assert act(MINH, no["unproven"], "reject").state == "decided"
    assert item("plain") == ("settled", "not_mine", "officer")


def test_votes_of_the_round_before_do_not_count(no, act, again, case):
    act(LAN, no["unproven"], "confirm")
    again(no["unproven"])
    act(MINH, no["unproven"], "confirm")
    assert case(no["unproven"]) == ("first_vote", None)


def test_a_reopened_dispute_is_one_again_on_both_sides_and_no_case_is_doubled(units, no, act, again, item, case):
    for actor in (LAN, MINH):
        act(actor, no["dispute"], "confirm")
    again(no["dispute"])
    assert (item("one")[0], item("two")[0]) == ("disputed", "disputed")
    assert (case(no["dispute"]), case(no["dispute_two"])) == (("open", None), ("open", None))
    with units.begin() as unit:
        assert len(find(unit, LAN, Filter(kind="dispute")).rows) == 2


def test_what_is_not_decided_is_not_reopened(no, again):
    with pytest.raises(StateError):
        again(no["unproven"])


def test_what_is_decided_is_not_decided_again(no, act):
    act(LAN, no["unproven"], "confirm")
    with pytest.raises(StateError):
        act(MINH, no["unproven"], "reject")


# ---- a dispute opened by an officer --------------------------------------------------------------------------------


def start(units, question: str, item_id: str, actor: Actor = LAN) -> int:
    with units.begin() as unit:
        return decisions.open_dispute(unit, actor, ("question-" + question + "-" * 22)[:22], item_id, REASON)


MEND = "item-mend" + "-" * 13
PLAIN = "item-plain" + "-" * 12


def test_a_settled_parcel_can_be_disputed_and_then_needs_two(units, no, act, item, reasons_of):
    disputed = start(units, "mend", MEND)
    assert item("mend")[0] == "disputed"
    assert reasons_of()[-1] == "dispute-opened"
    assert act(LAN, disputed, "reject").state == "first_vote"
    assert act(MINH, disputed, "reject").state == "decided"
    assert item("mend") == ("settled", "not_mine", "officer")


def test_a_dispute_takes_the_place_of_the_undecided_case(units, no, case):
    disputed = start(units, "plain", PLAIN)
    assert (case(no["unproven"]), case(disputed)) == (("decided", "follows"), ("open", None))


def test_what_is_disputed_already_is_not_disputed_again(units, no, case):
    start(units, "mend", MEND)
    with pytest.raises(StateError):
        start(units, "mend", MEND)


def test_a_dispute_is_opened_by_a_deciding_officer_of_the_commune_on_a_known_item(units, no):
    with pytest.raises(RoleError):
        start(units, "mend", MEND, TRA)
    with pytest.raises(OutsideCommuneError):
        start(units, "mend", MEND, HOA)
    with pytest.raises(UnknownItemError):
        start(units, "mend", PLAIN)


# ---- who may -------------------------------------------------------------------------------------------------------


def test_nobody_decides_outside_their_commune(no, act, again, case):
    with pytest.raises(OutsideCommuneError):
        act(HOA, no["unsure"], "confirm")
    act(LAN, no["unsure"], "confirm")
    with pytest.raises(OutsideCommuneError):
        again(no["unsure"], HOA)
    assert case(no["unsure"]) == ("decided", "confirm")


def test_in_their_commune_an_officer_decides(no, act):
    assert HOA.commune == TRUONG
    assert act(HOA, no["unproven"], "confirm").state == "decided"


def test_an_auditor_neither_decides_nor_reopens(no, act, again):
    with pytest.raises(RoleError):
        act(TRA, no["unproven"], "confirm")
    act(LAN, no["unproven"], "confirm")
    with pytest.raises(RoleError):
        again(no["unproven"], TRA)


def test_without_a_reason_nothing_is_decided_or_reopened(units, no, act):
    with pytest.raises(NoReasonError):
        act(LAN, no["unproven"], "confirm", "ok")
    act(LAN, no["unproven"], "confirm")
    with units.begin() as unit, pytest.raises(NoReasonError):
        reopen(unit, LAN, no["unproven"], "")


def test_an_unknown_case_is_refused(no, act):
    with pytest.raises(UnknownCaseError):
        act(LAN, 999, "confirm")


# ---- what is kept --------------------------------------------------------------------------------------------------


def test_every_vote_and_reopening_is_a_leaf_and_names_nobody(no, act, again, reasons_of):
    act(LAN, no["dispute"], "confirm")
    act(MINH, no["dispute"], "confirm")
    again(no["dispute"])
    assert reasons_of()[-5:] == ["vote-confirm", "decided-confirm", "decided-follows", "reopened", "reopened"]


def test_a_refused_decision_leaves_nothing(units, no, act, reasons_of):
    before = reasons_of()
    with pytest.raises(RoleError):
        act(TRA, no["unproven"], "confirm")
    with units.begin() as unit:
        assert unit.conn.execute(select(votes.c.no)).all() == []
    assert reasons_of() == before


def test_reasons_lie_sealed_and_go_dark_with_the_citizen(units, no, act, clock):
    act(LAN, no["dispute"], "confirm", "Bản gốc đứng tên bà Nguyễn Thị Hoa")
    with units.begin() as unit:
        row = unit.conn.execute(select(votes)).one()
        case = decisions.take(unit, LAN, no["dispute"])
        assert b"Hoa" not in row.box
        assert decisions.votes_of(unit, case)[0].reason == "Bản gốc đứng tên bà Nguyễn Thị Hoa"
        unit.vault.erase(case.handle)
        assert decisions.votes_of(unit, case)[0].reason is None


def test_the_case_of_an_erased_citizen_can_still_be_ended(units, no, act):
    with units.begin() as unit:
        unit.vault.erase(decisions.take(unit, LAN, no["unproven"]).handle)
    assert act(LAN, no["unproven"], "nobody").state == "decided"
