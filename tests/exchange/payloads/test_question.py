from __future__ import annotations

import pytest

from exchange.errors import InvalidPayload
from exchange.payloads import Question, parse, question_fault
from tests.exchange.payloads.examples import EMPTY_PARCEL, GOOD, ID, ID_2, PARCEL, QUESTION

INSIDE = {
    "the example": {},
    "priority 0, written as an integer": {"priority": 0},
    "priority 1": {"priority": 1.0},
    "the shortest life": {"expires_in": 60},
    "the longest life": {"expires_in": 2_592_000},
    "two parcels of one rank": {"parcels": [PARCEL, PARCEL | {"item_id": ID_2}]},
    "everything null that may be": {"parcels": [EMPTY_PARCEL]},
    "texts of 500 characters": {"parcels": [PARCEL | {"hamlet": "ộ" * 500}]},
}
OUTSIDE = {
    "a number of 11 digits": ({"citizen_id": "0" * 11}, "citizen_id"),
    "a number of 13 digits": ({"citizen_id": "0" * 13}, "citizen_id"),
    "digits of another script": ({"citizen_id": "٠٠١٠٩٩٠١٢٣٤٥"}, "citizen_id"),
    "a line break after the digits": ({"citizen_id": "0" * 12 + "\n"}, "citizen_id"),
    "priority 2": ({"priority": 2}, "priority"),
    "priority a little above one": ({"priority": 1.0000001}, "priority"),
    "priority below nought": ({"priority": -0.1}, "priority"),
    "59 seconds": ({"expires_in": 59}, "expires_in"),
    "a second more than thirty days": ({"expires_in": 2_592_001}, "expires_in"),
    "no parcels": ({"parcels": []}, "at least one parcel"),
    "an item_id twice": ({"parcels": [PARCEL, PARCEL | {"rank": 2}]}, "twice"),
    "an item_id that is too short": ({"parcels": [PARCEL | {"item_id": "short"}]}, "item_id"),
    "rank 0": ({"parcels": [PARCEL | {"rank": 0}]}, "rank"),
    "another role": ({"parcels": [PARCEL | {"role": "tenant"}]}, "role"),
    "an empty role": ({"parcels": [PARCEL | {"role": ""}]}, "role"),
    "a negative area": ({"parcels": [PARCEL | {"area_m2": -1}]}, "area_m2"),
    "a text of 501 characters": ({"parcels": [PARCEL | {"hamlet": "ộ" * 501}]}, "500"),
}
WRONG = {
    "a missing field": {"parcels": [{name: PARCEL[name] for name in PARCEL if name != "rank"}]},
    "an unknown field": {"order": 1},
    "an unknown field of a parcel": {"parcels": [PARCEL | {"owner": "x"}]},
    "a number as text": {"priority": "0.5"},
    "a time with a point": {"expires_in": 60.0},
    "a rank with a point": {"parcels": [PARCEL | {"rank": 1.0}]},
    "a rank that is true": {"parcels": [PARCEL | {"rank": True}]},
    "a rank that is null": {"parcels": [PARCEL | {"rank": None}]},
    "an area as text": {"parcels": [PARCEL | {"area_m2": "120"}]},
    "parcels that are null": {"parcels": None},
    "a parcel that is a text": {"parcels": ["x"]},
    "a citizen's number as a number": {"citizen_id": 1099012345},
    "a question_id that is none": {"question_id": "short"},
}


def question(bent: dict) -> Question:
    batch = parse("landquestions+jwt", {"batch_id": ID, "questions": [QUESTION | bent]})
    return batch.questions[0]


@pytest.mark.parametrize("bent", INSIDE.values(), ids=INSIDE)
def test_a_question_within_the_ranges_has_no_fault(bent):
    assert question(bent | {}) is not None
    assert question_fault(question(bent)) is None


@pytest.mark.parametrize(("bent", "told"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_value_out_of_range_refuses_the_question_and_not_the_batch(bent, told):
    fault = question_fault(question(bent))
    assert fault is not None
    assert told in fault


@pytest.mark.parametrize("bent", WRONG.values(), ids=WRONG)
def test_a_wrong_form_refuses_the_batch(bent):
    with pytest.raises(InvalidPayload):
        question(bent)


def test_a_question_id_twice_refuses_the_batch():
    batch = GOOD["landquestions+jwt"]
    with pytest.raises(InvalidPayload, match=r"^a question_id stands twice$"):
        parse("landquestions+jwt", batch | {"questions": [QUESTION, QUESTION | {"priority": 1}]})


def test_the_same_item_may_stand_in_two_questions():
    questions = [QUESTION, QUESTION | {"question_id": ID_2, "citizen_id": "001099054321"}]
    assert len(parse("landquestions+jwt", {"batch_id": ID, "questions": questions}).questions) == 2
