"""What a citizen may say: hard cases beside near-misses; whatever is said becomes a good landreply or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirm_api.vneid_sim.answers import CORRECTION_FIELDS, VERDICTS, checked
from confirm_api.vneid_sim.errors import AnswerError
from exchange.ids import new_id
from exchange.payloads import parse
from tests.confirm_api.vneid_sim.world import CITIZEN, item

ONE, TWO = item(), item(serial_known=False)
ONE_ID, TWO_ID = ONE["item_id"], TWO["item_id"]


def codes(said: object, *, whole: bool = True) -> list[str]:
    with pytest.raises(AnswerError) as caught:
        checked([ONE, TWO], said, whole=whole)
    return [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("written", "sent"),
    [("4083", "4083"), (" 40 83 ", "4083"), ("ab-1.2", "AB12"), ("", None), ("   ", None), (None, None)],
)
def test_a_response_is_sent_without_blanks_in_capitals_or_not_at_all(written, sent):
    said = [{"item_id": ONE_ID, "verdict": "mine", "challenge_response": written}]
    assert checked([ONE], said, whole=True)[0]["challenge_response"] == sent


@pytest.mark.parametrize("written", ["408", "40833", "AD 654083", "40?3", 4083, ["4083"]], ids=str)
def test_a_response_of_another_length_or_form_is_told_at_once(written):
    said = [
        {"item_id": ONE_ID, "verdict": "mine", "challenge_response": written},
        {"item_id": TWO_ID, "verdict": "unsure"},
    ]
    assert codes(said) == ["length"]


def test_a_response_without_a_challenge_is_not_sent():
    said = [{"item_id": TWO_ID, "verdict": "mine", "challenge_response": "4083"}]
    assert checked([TWO], said, whole=True)[0]["challenge_response"] is None


def test_every_fault_is_told_at_once():
    assert codes([{"item_id": ONE_ID, "verdict": "mine", "challenge_response": "1"}]) == ["length", "choose"]


def test_items_that_were_not_asked_or_stand_twice_are_refused():
    good = {"item_id": ONE_ID, "verdict": "unsure"}
    for said in ([good, good], [good | {"item_id": new_id()}], [good | {"item_id": None}]):
        assert codes(said) == ["unknown"]
    for said in (None, "mine", [good | {"more": 1}], ["mine"]):
        assert codes(said) == ["form"]


def test_a_change_needs_one_item_and_a_reply_all():
    good = [{"item_id": ONE_ID, "verdict": "unsure"}]
    assert len(checked([ONE, TWO], good, whole=False)) == 1
    assert codes(good) == ["choose"]
    assert codes([], whole=False) == ["nothing"]


TEXT = st.text(max_size=600)
CORRECTION = st.fixed_dictionaries({"field": st.sampled_from([*CORRECTION_FIELDS, "x"]), "value": TEXT})
SAID = st.fixed_dictionaries(
    {"item_id": st.sampled_from([ONE_ID, TWO_ID])},
    optional={
        "verdict": st.sampled_from([*VERDICTS, "yes", None]),
        "challenge_response": st.one_of(st.none(), TEXT, st.sampled_from(["4083", "ad12"]), st.integers()),
        "corrections": st.one_of(st.none(), st.lists(CORRECTION, max_size=3)),
    },
)


@given(st.lists(SAID, max_size=3), st.booleans())
def test_whatever_is_said_becomes_a_good_reply_or_a_refusal(said, whole):
    try:
        answers = checked([ONE, TWO], said, whole=whole)
    except AnswerError:
        return
    reply = {
        "auth_req_id": new_id(), "question_id": new_id(), "attempt": 1, "ask_jti": new_id(), "sub": CITIZEN,
        "acr": "urn:vneid:level:2", "answers": answers, "answered_at": 1,
    }  # fmt: skip
    parse("landreply+jwt", reply)
    str(reply).encode()
