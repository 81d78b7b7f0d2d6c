import json

import pytest
from sqlalchemy import select

from confirm_api.office import casefile, decisions
from confirm_api.office.cases import Filter, communes, counts, find, look, next_case, open_case
from confirm_api.office.refusals import OutsideCommuneError, RoleError, UnknownCaseError
from confirm_api.office.rules import Actor
from confirm_api.store.tables import cases as table
from confirm_api.store.tables import leaves
from scripts.office_samples import KHE, TRUONG, fill
from tests.confirm_api.office.conftest import HOA, LAN, MINH, REASON, TRA


@pytest.fixture
def no(units) -> dict[str, int]:
    return fill(units)


def listed(units, actor: Actor, **wanted) -> list[int]:
    with units.begin() as unit:
        return [row.no for row in find(unit, actor, Filter(**wanted)).rows]


# ---- opening -------------------------------------------------------------------------------------------------------


def test_the_same_matter_has_one_case_while_it_is_undecided(units, no, citizen):
    told = {"handle": citizen, "question_no": 5, "item_id": "item-plain" + "-" * 12}
    with units.begin() as unit:
        assert open_case(unit, "unproven", **told) == no["unproven"]
        assert open_case(unit, "unsure", **told) != no["unproven"]
        decisions.decide(unit, LAN, no["unproven"], "reject", REASON)
        assert open_case(unit, "unproven", **told) not in no.values()


def test_what_comes_later_is_added_once(units, citizen):
    one, other = ({"corrections": [{"field": "address", "value": value}]} for value in ("Thôn 1", "Thôn 2"))
    told = {"handle": citizen, "declaration_id": "d" * 22}
    with units.begin() as unit:
        numbers = {open_case(unit, "correction", **told, content=content) for content in (one, other, one)}
        assert look(unit, LAN, numbers.pop()).contents == [one, other]
        assert not numbers


def test_a_case_takes_its_items_commune(units, no, citizen):
    with units.begin() as unit:
        opened = open_case(unit, "unsure", handle=citizen, question_no=4, item_id="item-wrong" + "-" * 12)
        assert unit.conn.execute(select(table.c.commune).where(table.c.no == opened)).scalar_one() == KHE


def test_opening_is_a_leaf_and_adding_is_none(units, citizen, reasons_of):
    told = {"handle": citizen, "declaration_id": "d" * 22}
    with units.begin() as unit:
        open_case(unit, "failed_challenge", **told)
        open_case(unit, "failed_challenge", **told, content={"a": 1})
    assert reasons_of("state") == ["case-failed-challenge"]


def test_an_unknown_kind_is_a_fault_of_the_caller(units, citizen):
    with units.begin() as unit, pytest.raises(ValueError, match="expected one of"):
        open_case(unit, "other", handle=citizen)


def test_the_database_shows_no_text_of_a_case(units, citizen):
    with units.begin() as unit:
        no = open_case(unit, "review", handle=citizen, content={"owner_name": "Nguyen Van An"})
        assert b"Nguyen" not in unit.conn.execute(select(table.c.box).where(table.c.no == no)).scalar_one()


# ---- looking -------------------------------------------------------------------------------------------------------


def test_the_list_is_ordered_by_age_and_read_page_by_page(units, no):
    pages, after = [], None
    with units.begin() as unit:
        while True:
            found = find(unit, LAN, Filter(limit=4, after=after))
            pages.append([row.no for row in found.rows])
            after = found.next
            if after is None:
                break
    assert pages == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


def test_the_list_can_be_limited(units, no):
    assert listed(units, LAN, kind="dispute") == [no["dispute"], no["dispute_two"]]
    assert listed(units, LAN, commune="phường hòa khê") == [
        no[one] for one in ("failed_challenge", "unsure", "correction")
    ]
    assert listed(units, LAN, older_than_days=6) == [1, 2]
    assert listed(units, LAN, states=("decided",)) == []
    assert listed(units, LAN, commune="Xã Không Có") == []


def test_an_officer_of_a_commune_is_told_of_no_other(units, no):
    seen = listed(units, HOA)
    assert not {no["unsure"], no["failed_challenge"], no["correction"], no["declaration"]} & set(seen)
    with units.begin() as unit:
        assert counts(unit, HOA)["unsure"] == {}
        assert communes(unit, HOA) == [TRUONG]
        assert communes(unit, LAN) == [KHE, TRUONG]
        with pytest.raises(OutsideCommuneError):
            look(unit, HOA, no["unsure"])


def test_the_filter_does_not_widen_the_limit(units, no):
    assert listed(units, HOA, commune=KHE) == []


def test_a_case_without_commune_is_for_officers_without_limit(units, no):
    assert no["declaration"] in listed(units, LAN)
    with units.begin() as unit, pytest.raises(OutsideCommuneError):
        look(unit, HOA, no["declaration"])


def test_an_auditor_sees_the_list_but_no_case(units, no):
    assert len(listed(units, TRA)) == 10
    with units.begin() as unit, pytest.raises(RoleError):
        look(unit, TRA, no["unsure"])


def test_an_unknown_case_is_refused(units, no):
    with units.begin() as unit, pytest.raises(UnknownCaseError):
        look(unit, LAN, 99)


def test_the_next_case_goes_round_and_skips_what_the_officer_has_voted_on(units, no):
    with units.begin() as unit:
        assert next_case(unit, LAN, kind=None, after=1) == 2
        assert next_case(unit, LAN, kind=None, after=10) == 1
        decisions.decide(unit, LAN, no["dispute"], "confirm", REASON)
        assert next_case(unit, LAN, kind="dispute", after=1) == no["dispute_two"]
        assert next_case(unit, MINH, kind="dispute", after=1) == no["dispute"]
        assert next_case(unit, LAN, kind="unsure", after=no["unsure"]) is None


def test_looks_are_leaves_with_the_question_as_subject(units, no):
    listed(units, LAN)
    with units.begin() as unit:
        casefile.read(unit, LAN, no["unsure"])
        told = [json.loads(text) for text in unit.conn.execute(select(leaves.c.leaf).order_by(leaves.c.no)).scalars()]
    looks = [(leaf["reason"], leaf["subject"] is None) for leaf in told if "look" in (leaf["reason"] or "")]
    assert looks == [("look-list", True), ("look-case", False)]


# ---- the case file -------------------------------------------------------------------------------------------------


@pytest.fixture
def file(units, no):
    def read(kind: str, actor: Actor = LAN) -> casefile.CaseFile:
        with units.begin() as unit:
            return casefile.read(unit, actor, no[kind])

    return read


def test_a_case_file_tells_both_sides(file):
    found = file("failed_challenge")
    assert (found.citizen_id, found.wrong, found.evidence_level) == ("001066000014", 3, "tap")
    assert ("Số phát hành giấy chứng nhận", "CD 550918") in found.parcels[0]
    assert [(one.verdict, one.challenge_response) for one in found.answers] == [("mine", "9871")]
    assert [option.action for option in found.options] == ["confirm", "reject", "nobody"]


def test_a_changed_answer_is_shown_with_the_first_one(file):
    assert [(one.kind, one.verdict) for one in file("revision").answers] == [
        ("reply", "mine"),
        ("revision", "not_mine"),
    ]


def test_only_a_dispute_names_the_other_person(units, file, no):
    assert [one.citizen_id for one in file("dispute").candidates] == ["001182000013"]
    with units.begin() as unit:
        open_case(unit, "unproven", handle=unit.vault.handle_of("001079000012", create=False), question_no=2,
                  item_id="item-shared" + "-" * 11)  # fmt: skip
        found = casefile.read(unit, LAN, 11)
    assert [(one.citizen_id, one.evidence_level) for one in found.candidates] == [(None, "challenge")]


def test_every_kind_of_case_can_be_read(units, no):
    with units.begin() as unit:
        for number in no.values():
            found = casefile.read(unit, LAN, number)
            assert found.citizen_id
            assert found.options
            assert found.parcels


def test_the_case_of_an_erased_citizen_reads_as_nothing(units, no, file):
    with units.begin() as unit:
        unit.vault.erase(decisions.take(unit, LAN, no["unproven"]).handle)
    found = file("unproven")
    assert (found.citizen_id, found.parcels, found.answers) == (None, [], [])
