"""From what a citizen says to what an officer decides and the engine collects, through the real use cases."""

import itertools
from dataclasses import replace

import pytest

from confirm_api.office import casefile, decisions
from confirm_api.office.acceptance import Parcel, Person, accept_run
from confirm_api.office.cases import Filter, find
from confirm_api.office.decisions import decide, reopen
from confirm_api.service import residence
from exchange.payloads import Residence
from tests.confirm_api.office.conftest import LAN, MINH, REASON
from tests.confirm_api.service import helpers
from tests.confirm_api.service.helpers import PEER, Story, citizen, parcel, question, said

SERIAL = "AD 266864"
RIGHT, WRONG = "6864", "0000"


@pytest.fixture
def story(units, clock, staff, monkeypatch) -> Story:
    """Every sealed answer of the other side has its own `jti`, as a real one has."""
    plain, numbers = helpers.opened, itertools.count()
    monkeypatch.setattr(helpers, "opened", lambda: replace(plain(), jti=helpers.ident(f"jti {next(numbers)}")))
    return Story(units, clock)


@pytest.fixture
def waiting(units):
    """Kinds and numbers of what waits for an officer."""

    def found() -> dict[str, int]:
        with units.begin() as unit:
            return {row.kind: row.no for row in find(unit, LAN, Filter()).rows}

    return found


@pytest.fixture
def file(units, waiting):
    """The case file of what waits."""

    def read(kind: str) -> casefile.CaseFile:
        no = waiting()[kind]
        with units.begin() as unit:
            return casefile.read(unit, LAN, no)

    return read


@pytest.fixture
def act(units):
    def do(no: int, action: str, *actors) -> None:
        for actor in actors or (LAN,):
            with units.begin() as unit:
                decide(unit, actor, no, action, REASON)

    return do


def last(story: Story) -> list[tuple[str, str | None, bool, str]]:
    """The last entry of each item that the engine collects."""
    told = {}
    for entry in story.collect()["answers"]:
        key = (entry["question_id"], entry["item_id"])
        told[key] = (entry["state"], entry["verdict"], entry["proven"], entry["evidence_level"])
    return list(told.values())


def test_an_unproven_yes_is_confirmed_by_an_officer(story, waiting, act, file):
    story.post(question("q", 1, parcel("a", commune_name="Xã Xuân Trường")))
    story.asks("q", said("a", "mine"))
    assert list(waiting()) == ["unproven"]
    found = file("unproven")
    assert (found.citizen_id, found.case.commune) == (citizen(1), "Xã Xuân Trường")
    assert ("Số phát hành giấy chứng nhận", SERIAL) in found.parcels[0]
    assert [answer.verdict for answer in found.answers] == ["mine"]
    act(waiting()["unproven"], "confirm")
    assert last(story) == [("settled", "mine", True, "officer")]
    assert waiting() == {}


def test_three_wrong_responses_come_to_an_officer_with_what_was_typed(story, waiting, file):
    story.post(question("q", 1, parcel("a")))
    for _ in range(3):
        story.asks("q", said("a", "mine", WRONG))
    found = file("failed_challenge")
    assert [(answer.attempt, answer.challenge_response) for answer in found.answers] == [(n, WRONG) for n in (1, 2, 3)]
    assert found.wrong == 3


def test_a_frozen_question_is_unfrozen_by_two_and_then_decided(story, waiting, act):
    story.post(question("q", 1, parcel("a")))
    story.asks("q", said("a", "suspected_fraud"))
    act(waiting()["suspected_fraud"], "unfreeze", LAN, MINH)
    assert list(waiting()) == ["unsure"]
    act(waiting()["unsure"], "reject")
    assert last(story) == [("settled", "not_mine", False, "officer")]


def test_a_correction_waits_for_an_officer_and_changes_nothing(story, waiting, act, file):
    told = [{"field": "co_owner_name", "value": "Trần Thị Hạnh"}]
    story.post(question("q", 1, parcel("a")))
    story.asks("q", said("a", "mine", RIGHT, told))
    assert file("correction").corrections == [("Người đồng sử dụng", "Trần Thị Hạnh")]
    act(waiting()["correction"], "accept")
    assert last(story) == [("settled", "mine", True, "challenge")]


def test_an_answer_taken_back_shows_both_and_is_decided(story, waiting, act, file):
    story.post(question("q", 1, parcel("a")))
    story.asks("q", said("a", "mine", RIGHT))
    story.clock.move(60)
    story.revise("q", said("a", "not_mine"))
    found = file("revision")
    assert [(answer.kind, answer.verdict) for answer in found.answers] == [("reply", "mine"), ("revision", "not_mine")]
    act(waiting()["revision"], "reject")
    assert last(story) == [("settled", "not_mine", False, "officer")]


def test_a_settled_answer_is_disputed_by_an_officer_and_ends_by_two(story, waiting, act, units):
    story.post(question("q", 1, parcel("a")))
    story.asks("q", said("a", "mine", RIGHT))
    row = story.row("q")
    with units.begin() as unit:
        decisions.open_dispute(unit, LAN, row.question_id, parcel("a")["item_id"], REASON)
    assert last(story) == [("disputed", "mine", True, "challenge")]
    act(waiting()["dispute"], "reject", LAN, MINH)
    assert last(story) == [("settled", "not_mine", False, "officer")]


def test_nobody_ends_what_lies_with_the_office(story, waiting, act):
    story.post(question("q", 1, parcel("a")))
    story.asks("q", said("a", "unsure"))
    act(waiting()["unsure"], "nobody")
    assert last(story) == [("settled", "not_mine", False, "officer")]


def test_a_reopened_decision_is_told_to_the_engine(story, waiting, act, units):
    story.post(question("q", 1, parcel("a")))
    story.asks("q", said("a", "unsure"))
    no = waiting()["unsure"]
    act(no, "confirm")
    with units.begin() as unit:
        reopen(unit, LAN, no, REASON)
    assert last(story)[0][0] == "office"
    act(no, "reject", LAN, MINH)
    assert last(story) == [("settled", "not_mine", False, "officer")]


def test_a_declaration_is_settled_by_an_officer(story, waiting, act, file):
    told = {"name": "gcn.pdf", "media_type": "application/pdf", "sha256": "ab" * 32, "size": 1000}
    assert story.declare("d", 1, attachments=[told])["status"] == "queued_for_review"
    found = file("declaration")
    assert (found.attachments[0].sha256, found.parcels[0][0][1]) == ("ab" * 32, SERIAL)
    act(waiting()["declaration"], "accept")
    assert story.declare("d", 1, attachments=[told])["status"] == "settled"


def test_accepted_parcels_are_what_the_police_are_told_and_the_dead_are_not_asked(story, units):
    parcels = [
        Parcel(citizen(1), True, "P1", "Thôn 1", SERIAL, "owner"),
        Parcel(citizen(1), False, "P2", None, None, None),
    ]
    accept_run(units, "a" * 64, [parcels], [[Person(citizen(2), "deceased")]])
    assert proof(units, 1) == [
        {"parcel_code": "P1", "address": "Thôn 1", "certificate_serial": SERIAL, "role": "owner"}
    ]
    assert proof(units, 2) == proof(units, 3) == []
    receipt = story.post(question("q", 2))
    assert receipt["refused"][0]["why"] == "not_askable"
    assert story.declare("d", 1)["status"] == "matched"


def proof(units, who: int) -> list[dict]:
    asked = Residence(citizen_id=citizen(who), case_no=f"case-{who}", purpose="residence_registration")
    with units.begin() as unit:
        return residence(unit, asked, PEER).content["parcels"]
