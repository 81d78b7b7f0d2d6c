"""Each range and pattern of protocol §3: the last value inside stands beside the first outside."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.errors import InvalidPayload
from exchange.payloads import Challenge, parse
from tests.exchange.payloads.examples import CITIZEN_ANSWER, ENTRY, GOOD, ID, ID_2, ITEM
from tests.exchange.payloads.test_parsing import at, bent, to

INSIDE_AND_OUTSIDE: list[tuple[str, str, list[Any], list[Any]]] = [
    ("landcollect+jwt", "limit", [1, 1000], [0, 1001, -1, 2**53 - 1]),
    ("landcollect+jwt", "after", [None, "x", "x" * 64, "đ"], ["", "x" * 65]),
    ("landanswers+jwt", "next", ["x", "x" * 64], ["", "x" * 65]),
    ("landanswers+jwt", "answers", [[], [ENTRY] * 2], []),
    ("landanswers+jwt", "answers.0.state", ["office", "disputed"], ["created", "Settled", ""]),
    ("landanswers+jwt", "answers.0.evidence_level", ["officer"], ["none", "tap", "paper"]),
    ("landanswers+jwt", "answers.0.proven", [True], [False]),
    ("landanswers+jwt", "answers.0.verdict", ["mine"], [None, "not_mine", "yes"]),
    ("landanswers+jwt", "answers.0.answered_at", [0, None], [-1]),
    ("landquestions+jwt", "batch_id", ["a" * 22, "-_" * 32], ["a" * 21, "a" * 65, "a" * 21 + "=", "a" * 22 + "\n"]),
    ("landquestions+jwt", "questions.0.question_id", ["a" * 22], ["a" * 21, "a" * 65, "a" * 22 + " ", ID_2]),
    ("landquestions+jwt", "questions", [[]], []),
    ("landwithdraw+jwt", "question_ids", [[ID], [ID] * 1000], [[], [ID] * 1001, ["short"]]),
    ("landwithdraw+jwt", "reason", ["", "ộ" * 500], ["ộ" * 501]),
    ("landask+jwt", "scope", [], ["openid", "land_confirmation openid"]),
    ("landask+jwt", "login_hint", ["0" * 12], ["0" * 11, "0" * 13, "00109901234x", "٠٠١٠٩٩٠١٢٣٤٥", "001099012345\n"]),
    ("landask+jwt", "client_notification_token", ["t" * 22, "t" * 256], ["t" * 21, "t" * 257, "t" * 22 + "+"]),
    ("landask+jwt", "binding_message", ["AHJN-PZ29"], ["ABCD2345", "ABCI-2345", "ABCO-2345", "ABC0-2345", "ABC1-2345",
                                                          "abcd-2345", "ABCDE-234", "ABCD-2345 "]),
    ("landask+jwt", "requested_expiry", [0, 2_592_000], [-1]),
    ("landask+jwt", "ask.attempt", [1, 99], [0]),
    ("landask+jwt", "ask.purpose", [], ["land", "residence_registration"]),
    ("landask+jwt", "ask.remind_after_days", [[3, 10, 24]], [[], [3, 10], [3, 24, 10], [3, 10, 24, 30]]),
    ("landask+jwt", "ask.items", [[], [ITEM]], [[ITEM, ITEM]]),
    ("landask+jwt", "ask.items.0.facts.0.label", ["hamlet", "land_use", "area", "co_owner"], ["serial", "owner"]),
    ("landask+jwt", "ask.items.0.facts.0.value", ["", "ộ" * 120], ["ộ" * 121]),
    ("landask+jwt", "ask.items.0.challenge.kind", ["none", "pin"], ["", "x" * 65]),
    ("landask+jwt", "ask.items.0.challenge.length", [0, 4, 6], []),
    ("landcancel+jwt", "reason", ["withdrawn", "frozen", "expired"], ["declined", "other"]),
    ("landfetch+jwt", "grant_type", [], ["ciba", "urn:openid:params:grant-type:CIBA"]),
    ("landreply+jwt", "attempt", [1], [0]),
    ("landreply+jwt", "sub", ["9" * 12], ["9" * 9]),
    ("landreply+jwt", "acr", ["urn:vneid:level:2", "urn:vneid:level:9", "urn:vneid:level:10"],
     ["urn:vneid:level:1", "urn:vneid:level:0", "urn:vneid:level:02", "urn:vneid:level:", "urn:vneid:level:2.0",
      "urn:vneid:level:-2", "URN:vneid:level:2", "urn:vneid:level:2 ", "urn:vneid:level:٢"]),
    ("landreply+jwt", "answered_at", [0], [-1]),
    ("landreply+jwt", "answers", [[CITIZEN_ANSWER]], [[CITIZEN_ANSWER, CITIZEN_ANSWER]]),
    ("landreply+jwt", "answers.0.verdict", ["mine"], ["unsure", "yes", "MINE"]),
    ("landreply+jwt", "answers.0.challenge_response", [None, "", "x" * 500], ["x" * 501]),
    ("landreply+jwt", "answers.0.corrections.0.field", ["full_name", "birth_date", "id_no", "address", "co_owner_name",
                                                          "transferred_to"], ["phone", ""]),
    ("landreply+jwt", "answers.0.corrections.0.value", ["x" * 500], ["x" * 501]),
    ("landrevise+jwt", "answers", [], [[], [CITIZEN_ANSWER, CITIZEN_ANSWER]]),
    ("landdecl+jwt", "attachments", [[]], []),
    ("landdecl+jwt", "attachments.0.media_type", ["image/png", "image/jpeg"], ["image/gif", "image/PNG", "text/html"]),
    ("landdecl+jwt", "attachments.0.sha256", ["f" * 64], ["F" * 64, "f" * 63, "f" * 65, "g" * 64]),
    ("landdecl+jwt", "attachments.0.size", [0, 3_500_000], [-1, 3_500_001]),
    ("landdecl-receipt+jwt", "status", ["matched", "queued_for_review", "settled"], ["refused", ""]),
    ("residence+jwt", "case_no", ["x", "x" * 64], ["", "x" * 65]),
    ("residence+jwt", "purpose", [], ["tax"]),
    ("residence-reply+jwt", "parcels", [[]], []),
    ("residence-reply+jwt", "as_of", ["2026-11-22", "2028-02-29", 0, 1_800_000_000],
     ["2026-02-29", "2026-2-1", "22-11-2026", "2026-11-22T00:00:00", "20261122", "", -1, 1.0, True, None]),
    ("residence-reply+jwt", "parcels.0.role", ["owner", "co_owner", None], ["tenant"]),
    ("landquestions-receipt+jwt", "accepted", [[]], [[ID, ID], [ID_2]]),
    ("landquestions-receipt+jwt", "refused.0.why", ["conflict", "too_many_asks", "not_askable", "invalid"], ["other"]),
    ("landwithdraw-receipt+jwt", "unknown", [[]], [[ID], [ID_2]]),
]  # fmt: skip


def path_of(text: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdigit() else step for step in text.split("."))


@pytest.mark.parametrize(("typ", "path", "inside", "outside"), INSIDE_AND_OUTSIDE, ids=lambda value: str(value)[:50])
def test_inside_is_taken_and_outside_refused(typ, path, inside, outside):
    steps = path_of(path)
    assert at(GOOD[typ], steps) is not None
    for value in inside:
        parse(typ, bent(GOOD[typ], steps, to(value)))
    for value in outside:
        with pytest.raises(InvalidPayload):
            parse(typ, bent(GOOD[typ], steps, to(value)))


def test_an_unknown_challenge_fits_the_schema_and_is_told_apart():
    known = [("certificate_suffix", 4), ("none", 0)]
    for kind, length in [*known, ("none", 4), ("certificate_suffix", 0), ("certificate_suffix", 6), ("pin", 4)]:
        assert Challenge(kind=kind, length=length).is_known == ((kind, length) in known)


def test_at_most_ten_attachments():
    decl = GOOD["landdecl+jwt"]
    ten = [decl["attachments"][0] | {"name": f"{n}.pdf"} for n in range(10)]
    assert len(parse("landdecl+jwt", decl | {"attachments": ten}).attachments) == 10
    with pytest.raises(InvalidPayload, match="attachments"):
        parse("landdecl+jwt", decl | {"attachments": [*ten, ten[0]]})


def test_a_declaration_says_its_serial_or_its_address_or_both():
    decl = GOOD["landdecl+jwt"]
    for one in ("certificate_serial", "parcel_address"):
        parse("landdecl+jwt", decl | {one: None})
    with pytest.raises(InvalidPayload, match="one of certificate_serial and parcel_address is not null"):
        parse("landdecl+jwt", decl | {"certificate_serial": None, "parcel_address": None})


@pytest.mark.parametrize("verdict", ["not_mine", "unsure", "suspected_fraud"])
def test_only_mine_has_a_challenge_response(verdict):
    reply = GOOD["landreply+jwt"]
    parse("landreply+jwt", reply | {"answers": [CITIZEN_ANSWER | {"verdict": verdict, "challenge_response": None}]})
    with pytest.raises(InvalidPayload, match="challenge_response is null"):
        parse("landreply+jwt", reply | {"answers": [CITIZEN_ANSWER | {"verdict": verdict}]})


def test_an_entry_without_a_reply_has_neither_verdict_nor_time_nor_proof():
    entry = ENTRY | {
        "state": "expired",
        "verdict": None,
        "proven": False,
        "evidence_level": "none",
        "answered_at": None,
    }
    assert parse("landanswers+jwt", {"answers": [entry], "next": "1"}).answers[0].verdict is None


def test_the_page_of_two_hundred_questions_fits_one_message():
    from tests.exchange.parties import opened, sealed
    from tests.exchange.payloads.examples import QUESTION

    questions = [QUESTION | {"question_id": f"{number:022d}"} for number in range(200)]
    batch = {"batch_id": ID, "questions": questions}
    received = opened(sealed(batch, typ="landquestions+jwt").body, typ="landquestions+jwt").payload
    assert len(parse("landquestions+jwt", received).questions) == 200
